"""The reason reaches the user: every shape of an error, at every place where one may stand."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from gemwire import DONE, ServerError, decode
from gemwire import models as m
from gemwire.wire.error_body import ErrorInfo, error_info, is_error, told_error
from gemwire.wire.lifecycle import has_bad_status
from gemwire.wire.normalise import normalise

from .wire import IDENTITY, WAYS, Payload, completed, created, dumps, frame, mill, stream

HEAD = stream(created(), *mill(0, "Half "), done=False)
ERROR: Payload = {"code": 503, "message": "Overloaded", "status": "UNAVAILABLE"}
FASTAPI = [{"loc": ["body", "model"], "msg": "Overloaded", "type": "missing"}]

# ---- error events, and frames and texts that are errors

SHAPES: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "error": ({"error": ERROR}, (503, "Overloaded", "UNAVAILABLE")),
    "bare": (ERROR, (503, "Overloaded", "UNAVAILABLE")),
    "a list": ([{"error": ERROR}], (503, "Overloaded", "UNAVAILABLE")),
    "a list of bare ones": ([ERROR, {"code": 1}], (503, "Overloaded", "UNAVAILABLE")),
    "errors": ({"errors": [ERROR]}, (503, "Overloaded", "UNAVAILABLE")),
    "errors that are texts": ({"errors": ["Overloaded"]}, (None, "Overloaded", None)),
    "an error that is a list": ({"error": [ERROR]}, (503, "Overloaded", "UNAVAILABLE")),
    "an error that is a text": ({"error": "Overloaded"}, (None, "Overloaded", None)),
    "an error in an error": ({"error": {"error": ERROR}}, (503, "Overloaded", "UNAVAILABLE")),
    "a name beside a message": (
        {"error": "busy", "message": "Overloaded"},
        (None, "busy: Overloaded", None),
    ),
}
"""Errors that need nobody to say that they are."""

TOLD_SHAPES: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "detail": ({"detail": "Overloaded"}, (None, "Overloaded", None)),
    "detail of FastAPI": ({"detail": FASTAPI}, (None, "body.model: Overloaded", None)),
    "detail that is an object": ({"detail": ERROR}, (503, "Overloaded", "UNAVAILABLE")),
    "message": ({"message": "Overloaded"}, (None, "Overloaded", None)),
    "a status object": ({"status": ERROR}, (503, "Overloaded", "UNAVAILABLE")),
    "an empty error beside it": (
        {"error": {}, "message": "Overloaded"},
        (None, "Overloaded", None),
    ),
}
"""Errors only where an event, a status or an HTTP status says so."""


ALL_SHAPES: dict[str, tuple[Any, tuple[Any, ...]]] = {**SHAPES, **TOLD_SHAPES}


def seen(info: ErrorInfo | None) -> Any:
    return None if info is None else (info.code, info.message, info.status)


@pytest.mark.parametrize("name", ALL_SHAPES)
def test_shape(name: str) -> None:
    payload, expected = ALL_SHAPES[name]
    found = error_info(payload)
    assert seen(found) == expected
    assert found is not None
    assert found.raw is payload
    assert is_error(payload) == (name in SHAPES)


@pytest.mark.parametrize("name", ALL_SHAPES)
def test_an_error_event_has_its_reason(name: str) -> None:
    payload, expected = ALL_SHAPES[name]
    forms = [frame(dumps(payload), "error")]
    if isinstance(payload, dict):
        forms.append(frame(dumps({**payload, "event_type": "error"}), "message"))
    for form in forms:
        for way, read in WAYS.items():
            found = read(HEAD + form)
            assert (way, found.outcome, found.raised) == (way, "error", ServerError)
            assert seen(found.error) == expected


@pytest.mark.parametrize("name", SHAPES)
def test_a_frame_without_a_name_has_its_reason(name: str) -> None:
    payload, expected = SHAPES[name]
    for way, read in WAYS.items():
        found = read(HEAD + frame(dumps(payload), "message"))
        assert (way, found.outcome, seen(found.error)) == (way, "error", expected)


@pytest.mark.parametrize("name", SHAPES)
def test_bare_text_has_its_reason(name: str) -> None:
    payload, expected = SHAPES[name]
    for before in (HEAD, b""):
        for indent in (None, 2):
            found = WAYS["whole"](before + json.dumps(payload, indent=indent).encode())
            assert (found.outcome, seen(found.error)) == ("error", expected)


@pytest.mark.parametrize("name", TOLD_SHAPES)
def test_what_nobody_calls_an_error_is_none(name: str) -> None:
    found = WAYS["whole"](HEAD + frame(dumps(TOLD_SHAPES[name][0]), "message"))
    assert (found.outcome, found.error) == ("truncated", None)


@pytest.mark.parametrize(
    "payload",
    [None, 7, True, "", [], {}, [[]], {"error": None}, {"error": {}}, {"error": ""}, {"error": 0}],
)
def test_what_says_nothing(payload: Any) -> None:
    assert error_info(payload) is None
    assert not is_error(payload)


def test_a_deep_error_is_read_to_a_depth() -> None:
    payload: Any = ERROR
    for _ in range(2000):
        payload = {"error": [payload], "detail": [payload]}
    assert error_info(payload) is not None
    assert is_error(payload)


NAMES = [
    "error",
    "errors",
    "detail",
    "message",
    "code",
    "status",
    "details",
    "loc",
    "msg",
    "retryDelay",
    "seconds",
    "nanos",
    "interaction",
    "error_description",
    "event_type",
]
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(ANY_JSON)
def test_whatever_an_error_is(payload: Any) -> None:
    found = error_info(payload)
    assert not is_error(payload) or found is not None
    if found is not None:
        assert found.retry_after is None or found.retry_after >= 0
    body = payload if isinstance(payload, dict) else {"error": payload, "status": "failed"}
    told_error(decode(dumps(body), m.Interaction))
    for name in ("error", "interaction.failed", "interaction.completed"):
        event = {**body, "event_type": name}
        assert normalise(decode_event(event))
        WAYS["whole"](HEAD + frame(event))


@pytest.mark.parametrize("name", ["loc", "msg", "message", "seconds", "detail", "error"])
def test_what_is_nested_deep(name: str) -> None:
    deep: Any = 1
    for _ in range(900):
        deep = [deep]
    for payload in ({name: deep}, {"detail": [{name: deep}]}, {"error": {name: deep}}):
        error_info(payload)
        is_error(payload)
    assert ErrorInfo(1, "", None, [{"retryDelay": {name: deep}}], None).retry_after is None


# ---- an interaction that says why


@pytest.mark.parametrize("status", ["failed", "incomplete", "cancelled", "completed"])
@pytest.mark.parametrize("member", ["error", "errors", "error text", "error list"])
def test_an_interaction_has_its_reason(member: str, status: str) -> None:
    forms: dict[str, Payload] = {
        "error": {"error": ERROR},
        "errors": {"errors": [ERROR]},
        "error text": {"error": "Overloaded"},
        "error list": {"error": [ERROR]},
    }
    members = forms[member]
    body = {"id": IDENTITY, "status": status, **members}
    told = told_error(decode(dumps(body), m.Interaction))
    expected = (None, "Overloaded", None) if member == "error text" else seen(error_info(ERROR))
    assert seen(told) == expected
    for event in (
        {"event_type": "interaction.completed", "interaction": body},
        {"event_type": "interaction.completed", **body},
        {"event_type": "interaction.complete", "interaction": body},
        {"event_type": "interaction.complete", **body},
    ):
        (today,) = normalise(decode_event(event))
        assert seen(told_error(today.interaction)) == expected
        assert today.interaction.errors
        assert "error" not in extra_of(today.interaction)


@pytest.mark.parametrize("name", ["detail", "detail of FastAPI", "message"])
def test_a_detail_counts_in_an_interaction_that_failed(name: str) -> None:
    members, expected = TOLD_SHAPES[name]
    for status in ("failed", "incomplete", "cancelled", "budget_exceeded"):
        body = {"id": IDENTITY, "status": status, **members}
        assert seen(told_error(decode(dumps(body), m.Interaction))) == expected
        for event in (completed(status, **members), {**completed(status), **members}):
            (today,) = normalise(decode_event(event))
            assert seen(told_error(today.interaction)) == expected
    body = {"id": IDENTITY, "status": "completed", **members}
    assert told_error(decode(dumps(body), m.Interaction)) is None


@pytest.mark.parametrize("value", [None, "", {}, [], 0, False])
def test_an_interaction_that_says_nothing(value: Any) -> None:
    for name in ("error", "errors", "detail", "message"):
        body = {"id": IDENTITY, "status": "failed", name: value}
        found = told_error(decode(dumps(body), m.Interaction))
        assert seen(found) in (None, (None, "", None))
        if name.startswith("error"):
            assert found is None


def test_an_error_of_no_known_shape_is_one() -> None:
    found = told_error(decode(b'{"status":"failed","error":7}', m.Interaction))
    assert seen(found) == (None, "", None)


# ---- an interaction beside an error, and status updates


BESIDE: list[tuple[str, Payload, Any]] = [
    ("its error", {"error": ERROR}, (503, "Overloaded", "UNAVAILABLE")),
    ("its errors", {"errors": [ERROR]}, (503, "Overloaded", "UNAVAILABLE")),
    ("its message", {"message": "Overloaded"}, (None, "Overloaded", None)),
    ("its detail", {"detail": "Overloaded"}, (None, "Overloaded", None)),
    ("its status", {"status": ERROR}, (503, "Overloaded", "UNAVAILABLE")),
]


@pytest.mark.parametrize(
    ("members", "expected"), [r[1:] for r in BESIDE], ids=[r[0] for r in BESIDE]
)
def test_an_interaction_beside_an_error_event(members: Payload, expected: Any) -> None:
    inside = {"id": "other", "status": "failed", **members}
    for event, told in (
        ({"interaction": inside}, expected),
        ({"interaction": inside, "error": {"message": "No"}}, (None, "No", None)),
        ({"interaction": inside, "error": "No"}, (None, "No", None)),
        ({"interaction": inside, "detail": "No"}, (None, "No", None)),
    ):
        update, _ = normalise(decode_event({**event, "event_type": "error"}))
        assert (update.interaction_id, update.status) == ("other", "failed")
        found = WAYS["whole"](stream({**event, "event_type": "error"}, done=False))
        assert (found.outcome, found.raised, seen(found.error)) == ("error", ServerError, told)
        assert found.ids == ["other"]


@pytest.mark.parametrize(
    ("members", "expected"), [r[1:] for r in BESIDE], ids=[r[0] for r in BESIDE]
)
@pytest.mark.parametrize("nested", [True, False], ids=["nested", "flat"])
def test_a_status_update_with_a_reason(members: Payload, expected: Any, nested: bool) -> None:
    inside = {"id" if nested else "interaction_id": IDENTITY, "status": "failed", **members}
    if not nested and "status" in members:
        return
    event = {"interaction": inside} if nested else inside
    sent = {**event, "event_id": "e1", "event_type": "interaction.status_update"}
    update, error = normalise(decode_event(sent))
    assert (update.interaction_id, update.status) == (IDENTITY, "failed")
    assert (update.event_id, error.event_id) == (UNSET, "e1")
    found = WAYS["whole"](HEAD + frame(sent) + DONE)
    assert (found.outcome, seen(found.error)) == ("error", expected)


# ---- ends that are named, flat and nested

ENDS = {
    "interaction.failed": "failed",
    "interaction.error": "failed",
    "interaction.cancelled": "cancelled",
    "interaction.requires_action": "requires_action",
}
REASONS: list[tuple[str, Payload, Any]] = [
    ("none", {}, None),
    ("error", {"error": ERROR}, (503, "Overloaded", "UNAVAILABLE")),
    ("error text", {"error": "Overloaded"}, (None, "Overloaded", None)),
    ("errors", {"errors": [ERROR, {"code": 1}]}, (503, "Overloaded", "UNAVAILABLE")),
    ("message", {"message": "Overloaded"}, (None, "Overloaded", None)),
    ("code and message", {"code": 503, "message": "Overloaded"}, (503, "Overloaded", None)),
    ("detail", {"detail": "Overloaded"}, (None, "Overloaded", None)),
    ("detail of FastAPI", {"detail": FASTAPI}, (None, "body.model: Overloaded", None)),
    ("status", {"status": ERROR}, (503, "Overloaded", "UNAVAILABLE")),
    ("a status that is none", {"status": 7}, None),
    ("a status that is an object of another kind", {"status": {"state": "x"}}, None),
]


@pytest.mark.parametrize(
    ("members", "expected"), [r[1:] for r in REASONS], ids=[r[0] for r in REASONS]
)
@pytest.mark.parametrize("nested", [True, False], ids=["nested", "flat"])
@pytest.mark.parametrize("name", ENDS)
def test_a_named_end(name: str, nested: bool, members: Payload, expected: Any) -> None:
    inside = {"id": IDENTITY, **members}
    sent = {**({"interaction": inside} if nested else inside), "event_id": "e1", "event_type": name}
    events = normalise(decode_event(sent))
    if ENDS[name] == "failed" and expected is not None:
        update, error = events
        assert (update.interaction_id, update.status) == (IDENTITY, "failed")
        assert (error.event_type, error.event_id) == ("error", "e1")
        for way, read in WAYS.items():
            found = read(HEAD + frame(sent) + DONE)
            assert (way, found.outcome, found.raised) == (way, "error", ServerError)
            assert seen(found.error) == expected
        return
    (end,) = events
    assert (end.event_type, end.event_id) == ("interaction.completed", "e1")
    assert (end.interaction.id, end.interaction.status) == (IDENTITY, ENDS[name])
    assert seen(told_error(end.interaction)) == expected
    assert "status" not in extra_of(end.interaction)
    for way, read in WAYS.items():
        found = read(HEAD + frame(sent) + DONE)
        assert (way, found.outcome, found.raised) == (way, ENDS[name], None)
        assert found.interaction.output_text == "Half "


# ---- a status that is none


@pytest.mark.parametrize("status", [7, ["failed"], {"state": "failed"}, True, 1.5])
def test_a_bad_status(status: Any) -> None:
    body = {"id": IDENTITY, "status": status}
    for event in (
        {"event_type": "interaction.completed", "interaction": body},
        {"event_type": "interaction.completed", **body},
        {"event_type": "interaction.complete", **body},
    ):
        (today,) = normalise(decode_event(event))
        assert has_bad_status(today.interaction)
        assert extra_of(today.interaction)["status"] == dumps(status).encode()


@pytest.mark.parametrize("members", [{}, {"status": None}, {"status": "failed"}, {"status": "new"}])
def test_a_status_that_is_one(members: Payload) -> None:
    assert not has_bad_status(decode(dumps({"id": IDENTITY, **members}), m.Interaction))


def decode_event(payload: Payload) -> Any:
    from gemwire import decode_event as read

    return read(dumps(payload))


def extra_of(interaction: m.Interaction) -> dict[str, bytes]:
    return {} if interaction.extra_ is UNSET else dict(interaction.extra_.texts)
