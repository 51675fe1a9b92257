"""What the spec knows decodes to its models, and encodes back to the JSON that it was.

What it does not know is in test_misfits.py and test_unknown.py, texts that are no plain JSON in
test_odd_json.py, unions with several JSON shapes in test_shapes.py; whatever else there may be, in
test_roundtrip.py.
"""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from msgspec import UNSET

from gemwire import (
    ApiError,
    DecodeError,
    decode,
    decode_event,
    decode_interaction,
    encode,
    iter_unknown,
    to_dict,
    unknown_members,
)
from gemwire import models as m
from gemwire.codec.schema import IDS, fields, known_items, known_values
from gemwire.codec.structs import FREE
from gemwire.codec.unknown import unknown_texts
from gemwire.wire.events import EVENT_DECODERS

from .payloads import FITTING, assert_encodes_to, compact
from .strategies import EVENTS, STRUCTS

# ---- what the spec knows: one pass


def test_every_event_kind_has_a_payload_here() -> None:
    assert FITTING.keys() == EVENTS.keys()


@pytest.mark.parametrize("name", FITTING)
def test_event_that_fits(name: str) -> None:
    payload = {**FITTING[name], "event_type": name}
    event = decode_event(compact(payload), name, strict=True)
    assert type(event) is EVENTS[name]
    assert event.event_type == name
    assert_encodes_to(event, payload)
    assert list(iter_unknown(event)) == []


@pytest.mark.parametrize("name", FITTING)
@pytest.mark.parametrize("given_name", [None, "", "message", *FITTING, "brand.new"])
def test_event_type_decides_whatever_the_name(name: str, given_name: str | None) -> None:
    payload = {"event_type": name, **FITTING[name]}
    event = decode_event(compact(payload), given_name)
    assert type(event) is EVENTS[name]
    assert_encodes_to(event, payload)


@pytest.mark.parametrize("name", FITTING)
def test_name_serves_where_event_type_is_missing(name: str) -> None:
    event = decode_event(compact(FITTING[name]), name, strict=True)
    assert_encodes_to(event, {**FITTING[name], "event_type": name})


@pytest.mark.parametrize("name", [None, "", "message"])
def test_no_name_at_all(name: str | None) -> None:
    event = decode_event(b'{"index": 0}', name)
    assert isinstance(event, m.UnknownInteractionSseEvent)
    assert event == m.UnknownInteractionSseEvent(b'{"index": 0}')
    assert (event.tag, event.reason) == (None, None)


@pytest.mark.parametrize("event_type", [7, None, True, [], {"step.stop": 1}])
def test_event_type_that_is_no_string(event_type: Any) -> None:
    payload = {"event_type": event_type, "index": 0}
    event = decode_event(compact(payload), "step.stop")
    assert isinstance(event, m.UnknownInteractionSseEvent)
    assert event.tag is None
    assert_encodes_to(event, payload)


def test_names_from_the_wire_are_not_kept() -> None:
    for number in range(10):
        decode_event(b"{}", f"flood.{number}")
    assert EVENT_DECODERS.keys() <= {None, "", "message", *EVENTS}


@pytest.mark.parametrize("convert", [bytes, bytearray, memoryview, bytes.decode])
@pytest.mark.parametrize("members", [{}, {"new": "é"}])
def test_kinds_of_input(convert: Any, members: dict[str, Any]) -> None:
    payload = {"event_type": "step.stop", "index": 3, **members}
    event = decode_event(convert(compact(payload)), "step.stop")
    assert isinstance(event, m.StepStop)
    assert_encodes_to(event, payload)
    body = {"status": "completed", **members}
    assert_encodes_to(decode_interaction(convert(compact(body))), body)


# ---- absent, null, 0 and "" stay apart


@pytest.mark.parametrize(
    ("members", "member"),
    [({}, UNSET), ({"id": None}, UNSET), ({"id": ""}, ""), ({"id": "0"}, "0")],
)
def test_string_absent_null_empty(members: dict[str, Any], member: Any) -> None:
    body = {"status": "completed", **members}
    interaction = decode_interaction(compact(body))
    assert interaction.id == member
    assert unknown_members(interaction) == {}
    assert list(iter_unknown(interaction)) == []
    assert_encodes_to(interaction, body)


@pytest.mark.parametrize(
    ("members", "member"),
    [({}, UNSET), ({"total_tokens": None}, UNSET), ({"total_tokens": 0}, 0)],
)
def test_number_absent_null_zero(members: dict[str, Any], member: Any) -> None:
    usage = decode(compact(members), m.Usage)
    assert usage.total_tokens == member
    assert_encodes_to(usage, members)


@pytest.mark.parametrize("value", [{}, {"a": None}, {"a": {}}, {"a": 0}, {"a": ""}, {"a": []}])
def test_free_objects_keep_everything(value: Any) -> None:
    step = {"type": "function_call", "arguments": value}
    assert_encodes_to(decode(compact(step), m.Step, strict=True), step)


def test_any_may_be_null() -> None:
    tool = decode(b'{"type":"function","parameters":null}', m.Tool, strict=True)
    assert isinstance(tool, m.Function)
    assert tool.parameters is None
    assert encode(tool) == b'{"type":"function","parameters":null}'


# ---- error bodies

ERROR = {"code": "invalid_request", "message": "no such model"}
RPC = {"code": 503, "message": "overloaded", "status": "UNAVAILABLE", "details": [{"@type": "t"}]}


@pytest.mark.parametrize(
    ("body", "code", "message", "status", "details"),
    [
        ({"error": ERROR}, "invalid_request", "no such model", None, None),
        ({"error": RPC}, 503, "overloaded", "UNAVAILABLE", [{"@type": "t"}]),
        ([{"error": RPC}], 503, "overloaded", "UNAVAILABLE", [{"@type": "t"}]),
        ([{"error": ERROR}, {"error": RPC}], "invalid_request", "no such model", None, None),
        (RPC, 503, "overloaded", "UNAVAILABLE", [{"@type": "t"}]),
        ([RPC], 503, "overloaded", "UNAVAILABLE", [{"@type": "t"}]),
        (ERROR, "invalid_request", "no such model", None, None),
        ({"error": {"code": 404}}, 404, "", None, None),
        ({"error": {"message": "m"}, "new": 1}, None, "m", None, None),
        ({"error": {"code": [], "message": 5, "status": {}}}, None, "", None, None),
        ({"error": "boom"}, None, "boom", None, None),
    ],
)
@pytest.mark.parametrize("strict", [False, True])
def test_error_body(
    body: Any, code: Any, message: str, status: str | None, details: Any, strict: bool
) -> None:
    with pytest.raises(ApiError) as caught:
        decode_interaction(compact(body), strict=strict)
    error = caught.value
    assert (error.code, error.message, error.status) == (code, message, status)
    assert error.details == details


NO_ERRORS: list[dict[str, Any]] = [
    {"id": "v1_a", "status": "failed", "object": "interaction", "error": ERROR},
    {"status": "failed", "steps": [], "error": ERROR},
    {"status": "failed", "errors": [ERROR, RPC]},
    {"status": "completed", "code": 1},
    {"error": None},
    {"error": {}},
    {},
]


@pytest.mark.parametrize("body", NO_ERRORS)
def test_body_that_is_no_error(body: dict[str, Any]) -> None:
    assert_encodes_to(decode_interaction(compact(body)), body)


# ---- encoding


def test_members_come_in_the_order_of_the_spec() -> None:
    event = decode_event(
        b'{"index":0,"event_type":"step.delta","delta":{"text":"a","type":"text"}}'
    )
    assert (
        encode(event) == b'{"event_type":"step.delta","delta":{"type":"text","text":"a"},"index":0}'
    )


def test_edited_models_keep_what_was_unknown() -> None:
    step = decode(b'{"type":"thought","signature":"a","new":1}', m.Step)
    edited = msgspec.structs.replace(step, signature="b")
    assert to_dict(edited) == {"type": "thought", "signature": "b", "new": 1}


def test_set_member_wins_over_the_misfit_it_replaces() -> None:
    usage = decode(b'{"total_tokens":"30","new":1}', m.Usage)
    assert to_dict(msgspec.structs.replace(usage, total_tokens=30)) == {
        "total_tokens": 30,
        "new": 1,
    }


def test_encode_collections() -> None:
    unknown = m.UnknownStep(b'{"type": "x"}')
    assert encode([]) == b"[]"
    assert encode([m.TextDelta(text="a"), {"a": m.StepStop(index=0)}]) == (
        b'[{"type":"text","text":"a"},{"a":{"event_type":"step.stop","index":0}}]'
    )
    assert encode((unknown, {"k": [unknown], 7: unknown}, None)) == (
        b'[{"type": "x"},{"k":[{"type": "x"}],"7":{"type": "x"}},null]'
    )
    assert encode({"\ud83c": "\udf89"}) == rb'{"\ud83c":"\udf89"}'
    assert to_dict([unknown]) == [{"type": "x"}]


@pytest.mark.parametrize(
    "foreign",
    [object(), {1, object()}, [object()], {"a": object()}, {(1, 2): m.UnknownStep(b"{}")}, print],
)
def test_encode_refuses_foreign_objects(foreign: Any) -> None:
    with pytest.raises(TypeError):
        encode(foreign)
    with pytest.raises(TypeError):
        to_dict({"a": m.UnknownStep(b"{}"), "b": foreign})
    with pytest.raises(TypeError):
        encode(m.FunctionCallStep(arguments={"a": object()}))


# ---- what is no news, though the spec has it otherwise

NULLS: list[tuple[Any, dict[str, Any], list[str]]] = [
    # (type, JSON, which members are unknown)
    (m.Usage, {"total_tokens": None}, []),
    (m.Usage, {"total_tokens": None, "new": None}, ["new"]),
    (m.Usage, {"total_tokens": "x", "total_input_tokens": None}, ["total_tokens"]),
    (m.Step, {"type": "thought", "signature": None, "summary": None}, []),
    (m.Step, {"type": "model_output", "content": None, "error": None, "n": None}, ["n"]),
    (m.Interaction, {"id": None, "model": None, "agent": None, "steps": None, "usage": None}, []),
    (m.InteractionAgentConfig, {"type": "dynamic", "model": None}, []),
]


@pytest.mark.parametrize(("type_", "payload", "names"), NULLS)
def test_null_in_a_known_member_is_nothing_unknown(
    type_: Any, payload: dict[str, Any], names: list[str]
) -> None:
    value = decode(compact(payload), type_)
    assert to_dict(value) == payload
    assert [found.tag for found in iter_unknown(value)] == names
    if type(value) not in FREE:
        assert unknown_members(value) == {name: payload[name] for name in names}
    assert unknown_texts(value) == {n: compact(v) for n, v in unknown_members(value).items()}


def test_strict_refuses_null_in_a_member_that_is_never_null() -> None:
    with pytest.raises(DecodeError):
        decode(b'{"total_tokens":null}', m.Usage, strict=True)


MODELS = [(m.Interaction, "model"), (m.Interaction, "agent"), (m.LegacyInteraction, "model")]


@pytest.mark.parametrize(("cls", "name"), MODELS)
def test_new_ids_of_models_and_agents_are_no_news(cls: Any, name: str) -> None:
    value = decode(compact({"status": "completed", name: "gemini-9", "new": 1}), cls)
    assert getattr(value, name) == "gemini-9"
    assert [found.path for found in iter_unknown(value)] == ["$.new"]


@pytest.mark.parametrize("name", IDS)
def test_the_enums_of_ids_are_there(name: str) -> None:
    """And no member has values of them that would be looked at."""
    ids = known_values(getattr(m, name))
    assert ids
    for cls in STRUCTS.values():
        for field in fields(cls).values():
            assert not (known_values(field.hint) or frozenset()) & ids
            assert not (known_items(field.hint) or frozenset()) & ids
