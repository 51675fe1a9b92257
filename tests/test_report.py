"""The verdict on a stream: what it is called at its end, why, and all that it counts.

What was not as expected is in test_issues.py.
"""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import pytest
from msgspec import UNSET

import gemwire
from gemwire import (
    DONE,
    Assembler,
    InteractionStream,
    ServerError,
    StreamReport,
    TruncatedStream,
    Usage,
    assemble,
    decode,
    iter_events,
)
from gemwire.assembly.usage import UsageLedger
from gemwire.models.views import UNFINISHED
from gemwire.wire.error_body import ErrorInfo, error_info

from .wire import (
    FAILURE,
    IDENTITY,
    WAYS,
    Payload,
    answer,
    by_frames,
    completed,
    created,
    cut,
    dumps,
    error,
    frame,
    pull,
    start,
    stop,
    stream,
    text,
    update,
)

MILL: list[Payload] = [start(0, "model_output"), text(0, "A mill"), stop(0)]

STATUSES = [
    "completed",
    "requires_action",
    "failed",
    "cancelled",
    "incomplete",
    "budget_exceeded",
    "requires_continuation",
    "a_status_of_next_year",
]

# ---- outcomes, row by row

OUTCOMES: dict[str, tuple[bytes, str]] = {
    **{f"completed: {s}": (stream(created(), *MILL, completed(s)), s) for s in STATUSES},
    "completed without a status": (
        stream(created(), {"interaction": {}, "event_type": "interaction.completed"}),
        "completed",
    ),
    "completed with an empty status": (stream(created(), completed("")), "completed"),
    "completed without [DONE]": (stream(created(), completed(), done=False), "completed"),
    **{
        f"completed with the status {s}": (stream(created(), completed(s)), "truncated")
        for s in ("in_progress", "queued")
    },
    "completed without its payload": (
        stream(created(), {"event_type": "interaction.completed"}),
        "completed",
    ),
    "completed whose payload does not fit": (
        stream(created(), {"interaction": "yes", "event_type": "interaction.completed"}),
        "truncated",
    ),
    "[DONE] says nothing about success": (stream(created(), *MILL), "truncated"),
    "the bytes end": (stream(created(), *MILL, done=False), "truncated"),
    "no bytes": (b"", "truncated"),
    "[DONE] alone": (DONE, "truncated"),
    **{
        f"a status update and [DONE]: {s}": (stream(created(), *MILL, update(s)), s)
        for s in STATUSES
    },
    **{
        f"a status update and [DONE]: {s}": (stream(created(), *MILL, update(s)), "truncated")
        for s in ("in_progress", "queued")
    },
    "a status update and the end of the bytes": (
        stream(created(), *MILL, update("cancelled"), done=False),
        "truncated",
    ),
    "[DONE] and then a status update": (
        stream(created(), DONE, update("cancelled"), done=False),
        "truncated",
    ),
    "a status update, [DONE], and in progress again": (
        stream(created(), update("cancelled"), DONE, update(), done=False),
        "truncated",
    ),
    "a status update and then completed": (
        stream(created(), update("failed"), completed("incomplete")),
        "incomplete",
    ),
    "an error": (stream(created(), *MILL, error(FAILURE)), "error"),
    "an error before anything": (stream(error(FAILURE)), "error"),
    "an error, and the server went on to its end": (
        stream(created(), error(FAILURE), *MILL, completed()),
        "completed",
    ),
    "an error, and the server went on, but not to its end": (
        stream(created(), error(FAILURE), *MILL),
        "error",
    ),
    "an error, and a completed that is not terminal": (
        stream(created(), error(FAILURE), completed("in_progress")),
        "error",
    ),
    "an error, and a status update": (
        stream(created(), error(FAILURE), update("failed")),
        "error",
    ),
    "an error after the end": (stream(created(), completed(), error(FAILURE)), "completed"),
    "another answer begins after the end": (
        stream(created(), *MILL, completed(), DONE, created("v1_b"), start(0, "thought")),
        "truncated",
    ),
    "another answer without an id begins after the end": (
        stream(created(""), *MILL, completed(identity=""), DONE, created(""), start(0, "thought")),
        "truncated",
    ),
    "another answer begins after an intermediate end": (
        stream(created(), completed("requires_continuation"), created("v1_b"), *MILL),
        "truncated",
    ),
}


@pytest.mark.parametrize("name", OUTCOMES)
def test_outcome(name: str) -> None:
    data, outcome = OUTCOMES[name]
    raised = {"error": ServerError, "truncated": TruncatedStream}.get(outcome)
    for way, read in WAYS.items():
        found = read(data)
        assert (way, found.outcome, found.raised) == (way, outcome, raised)
        assert raised or found.interaction.status == outcome
    if raised is None:
        assert assemble(by_frames(data)) == found.interaction
    else:
        with pytest.raises(raised):
            assemble(by_frames(data))


@pytest.mark.parametrize("name", OUTCOMES)
def test_in_progress_while_bytes_may_come(name: str) -> None:
    """There is no verdict before an event that gives one."""
    reader = InteractionStream(by_frames(OUTCOMES[name][0]))
    assert reader.report.outcome == "in_progress"
    for event in reader:
        if getattr(event, "tag", event.event_type) in ("interaction.completed", "error"):
            break
        assert reader.report.outcome == "in_progress"


def test_statuses_that_are_no_end() -> None:
    assert set(UNFINISHED) == {"idle", "in_progress", "queued"}


BODIES: dict[str, tuple[Payload, str]] = {
    s: ({"id": IDENTITY, "status": s, "steps": []}, s) for s in [*STATUSES, *sorted(UNFINISHED)]
}


@pytest.mark.parametrize("status", BODIES)
def test_outcome_of_a_body(status: str) -> None:
    """One JSON Interaction in place of a stream: its status, whatever it is."""
    payload, outcome = BODIES[status]
    body = dumps({**payload, "usage": {"total_tokens": 3}}).encode()
    for chunks in ([body], cut(body, 1), [b"\xef\xbb\xbf", b" \n", body, b"\r\n"]):
        found = pull(chunks)
        assert (found.outcome, found.raised) == (outcome, None)
        assert found.interaction == decode(body, gemwire.Interaction)
        assert found.ids == [IDENTITY]
        assert (found.usage, found.usage_source) == (Usage(total_tokens=3), "terminal")
        assert found.events == 0
        assert found.issues == []
        assert found.unknown == [("interaction.status", status)] * ("year" in status)
        assert assemble(chunks) == found.interaction


# ---- errors


def _told(info: ErrorInfo | None) -> Any:
    return None if info is None else (info.code, info.message, info.status, info.details)


FORMS: dict[str, tuple[Any, ErrorInfo | None]] = {
    "code and message": (
        {"error": {"code": "not_found", "message": "Gone."}},
        ErrorInfo("not_found", "Gone.", None, None, None),
    ),
    "message alone": ({"error": {"message": "Gone."}}, ErrorInfo(None, "Gone.", None, None, None)),
    "code alone": ({"error": {"code": 13}}, ErrorInfo(13, "", None, None, None)),
    "google.rpc below error": (
        {"error": {"code": 503, "message": "No.", "status": "UNAVAILABLE", "details": [{"a": 1}]}},
        ErrorInfo(503, "No.", "UNAVAILABLE", [{"a": 1}], None),
    ),
    "google.rpc bare": (
        {"code": 503, "message": "No.", "status": "UNAVAILABLE", "details": []},
        ErrorInfo(503, "No.", "UNAVAILABLE", [], None),
    ),
    "a list": (
        [{"error": {"code": 503, "message": "No.", "status": "UNAVAILABLE"}}],
        ErrorInfo(503, "No.", "UNAVAILABLE", None, None),
    ),
    "a list of the bare form": (
        [{"code": 503, "message": "No."}, {"code": 1}],
        ErrorInfo(503, "No.", None, None, None),
    ),
    "a string below error": ({"error": "Gone."}, ErrorInfo(None, "Gone.", None, None, None)),
    "a string": ("Gone.", ErrorInfo(None, "Gone.", None, None, None)),
    "members of other types": (
        {"error": {"code": True, "message": 5, "status": [], "details": {}}},
        ErrorInfo(None, "", None, None, None),
    ),
    "absent": ({}, None),
    "null": ({"error": None}, None),
    "empty": ({"error": {}}, None),
    "all null": ({"error": {"code": None, "message": None}}, None),
    "an empty string": ({"error": ""}, None),
    "an empty list": ([], None),
    "an envelope alone": ({"event_id": "e1", "metadata": {}}, None),
}


@pytest.mark.parametrize("name", FORMS)
def test_form_of_an_error(name: str) -> None:
    payload, expected = FORMS[name]
    found = error_info(payload)
    assert _told(found) == _told(expected)


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("tagged", [True, False], ids=["event_type", "event-name-alone"])
def test_error_event(name: str, tagged: bool) -> None:
    """Populated: the outcome is error. Empty: noise, and the stream goes on."""
    payload, expected = FORMS[name]
    if tagged:
        if not isinstance(payload, dict):
            return
        payload = {**payload, "event_type": "error"}
    sent = frame(dumps(payload), "error")
    for data in (stream(created(), sent, *MILL), stream(created(), sent, *MILL, completed())):
        found = pull(data)
        assert _told(found.error) == _told(expected)
        if b"interaction.completed" in data:
            assert (found.outcome, found.raised) == ("completed", None)
        else:
            assert found.outcome == ("truncated" if expected is None else "error")
        assert found.plain["steps"] == [
            {"type": "model_output", "content": [{"type": "text", "text": "A mill"}]}
        ]


def test_server_error_says_what_the_server_said() -> None:
    payload = {"code": 503, "message": "No.", "status": "UNAVAILABLE", "details": [{"a": 1}]}
    with pytest.raises(ServerError) as caught:
        assemble(stream(created(), *MILL, error(payload)))
    problem = caught.value
    assert (problem.code, problem.message) == (503, "No.")
    assert (problem.status, problem.details) == ("UNAVAILABLE", [{"a": 1}])
    assert str(problem) == "503 UNAVAILABLE: No."
    assert problem.interaction is not None
    assert problem.interaction.output_text == "A mill"
    assert problem.report.outcome == "error"
    assert problem.report.error is not None
    assert problem.report.error.raw["error"] == payload


def test_an_error_is_sticky_and_stays_known() -> None:
    """Its outcome stands until an intact completed follows; what it said stands for good."""
    report = pull(stream(created(), error(FAILURE), *MILL, completed())).known
    assert report.outcome == "completed"
    assert report.error is not None
    assert report.error.code == "gateway_timeout"
    assert report.issues == []


def test_an_error_after_the_end_is_an_issue() -> None:
    found = pull(stream(created(), *MILL, completed(), error(FAILURE)))
    assert found.issues == [("after_end", None)]
    assert found.error is not None
    assert found.error.message == "Too late."


REASONS: dict[str, tuple[Payload, list[Payload], str | None]] = {
    "errors of the interaction": (completed("failed", errors=[FAILURE, {}]), [], "Too late."),
    "incomplete, too": (completed("incomplete", errors=[FAILURE]), [], "Too late."),
    "error of a model_output": (
        completed("failed"),
        [start(0, "model_output", error={"code": 13, "message": "Lost."}), stop(0)],
        "Lost.",
    ),
    "the interaction's own first": (
        completed("failed", errors=[FAILURE]),
        [start(0, "model_output", error={"message": "Lost."}), stop(0)],
        "Too late.",
    ),
    "the last model_output": (
        completed("failed"),
        [
            start(0, "model_output", error={"message": "First."}),
            start(1, "model_output", error={"message": "Last."}),
            start(2, "model_output"),
        ],
        "Last.",
    ),
    "none is said": (completed("failed"), MILL, None),
    "empty errors": (completed("failed", errors=[]), MILL, None),
    "an empty one": (completed("failed", errors=[{}]), MILL, None),
    "beside any status": (completed("completed", errors=[FAILURE]), [], "Too late."),
}


@pytest.mark.parametrize("name", REASONS)
def test_why_an_interaction_failed(name: str) -> None:
    end, events, message = REASONS[name]
    found = pull(stream(created(), *events, end))
    assert found.raised is None
    assert (found.error and found.error.message) == message


def test_why_a_body_failed() -> None:
    body = {"status": "failed", "errors": [FAILURE]}
    found = pull(dumps(body).encode())
    assert found.outcome == "failed"
    assert found.error is not None
    assert found.error.message == "Too late."


# ---- usage


def test_ledger() -> None:
    """Each report is taken whole; the best one is kept."""

    def kept(*offers: tuple[Payload | None, Any]) -> Any:
        ledger = UsageLedger()
        for payload, source in offers:
            ledger.offer(UNSET if payload is None else decode(dumps(payload), Usage), source)
        return ledger.usage and gemwire.to_dict(ledger.usage), ledger.source

    small, large = {"total_tokens": 1}, {"total_tokens": 2, "total_input_tokens": 1}
    assert kept() == (None, None)
    assert kept(({}, "terminal"), (None, "status")) == (None, None)
    assert kept((small, "step"), (small, "status")) == (small, "status")
    assert kept((small, "step"), (large, "metadata")) == (large, "metadata")
    assert kept((large, "step"), (small, "metadata")) == (large, "step")
    assert kept((large, "step"), (small, "terminal")) == (small, "terminal")
    assert kept((small, "terminal"), (large, "step")) == (small, "terminal")
    assert kept((large, "terminal"), (small, "terminal")) == (small, "terminal")
    assert kept((small, "step"), ({}, "terminal")) == (small, "step")
    assert kept(({"new": 1}, "step"), (small, "step")) == ({"new": 1}, "step")
    assert kept(({"total_tokens": 5}, "step"), ({"total_tokens": 0}, "step")) == (
        {"total_tokens": 0},
        "step",
    )


# ---- text outside of the events

BARE = '[{\n  "error": {\n    "code": 503,\n    "message": "No."\n  }\n}\n]'


def test_stray() -> None:
    found = pull(stream(created(), b"upstream went away\n\n", *MILL, completed()))
    assert found.known.stray == b"upstream went away"
    assert found.issues == [("stray", None)]
    assert found.known.issues[0].detail == "upstream went away"
    assert found.outcome == "completed"


def test_stray_is_bounded() -> None:
    junk = b"x" * 1000 + b"\n"
    found = pull(stream(created(), *([junk] * 100), b"\n", completed()))
    assert len(found.known.stray) == 64 * 1024


def test_a_bare_error_that_was_cut_is_stray() -> None:
    for size in range(1, len(BARE)):
        found = pull(stream(created(), *MILL, BARE[:size].encode(), done=False))
        assert (found.outcome, found.error) == ("truncated", None)
        assert found.known.stray == BARE[:size].rstrip("\n").encode()
        assert found.issues[-1] == ("stray", None)


# ---- the object


def test_ids_bytes_and_events_are_counted() -> None:
    data = answer(*MILL)
    for size in (1, 7, len(data)):
        found = pull(cut(data, size))
        report = found.known
        assert (report.byte_count, report.event_count) == (len(data), 6)
        assert report.interaction_ids == [IDENTITY]
        assert report.interaction_id == IDENTITY
    assert pull(answer(*MILL, b": a comment\n\n", identity="")).known.interaction_id == IDENTITY


def test_no_id() -> None:
    found = pull(stream(created(""), completed(identity="")))
    assert found.known.interaction_id is None
    assert found.ids == []


def test_bytes_of_a_body() -> None:
    body = b'{"status": "completed"}'
    assert pull(cut(body, 5)).known.byte_count == len(body)


def test_repr_is_short() -> None:
    report = pull(answer(*MILL, novel="x" * 1000)).known
    assert repr(report).startswith("StreamReport(outcome='completed', interaction_id='v1_a'")
    assert len(repr(report)) < 200


def test_a_new_report() -> None:
    report = StreamReport()
    assert report.outcome == "in_progress"
    for absent in (report.interaction_id, report.last_event_id, report.error, report.usage):
        assert absent is None
    assert [*report.issues, *report.unknown, *report.interaction_ids] == []
    assert report.stray == b""
    with pytest.raises(AttributeError):
        report.outcome = "completed"  # type: ignore[misc]


def test_a_report_is_a_value() -> None:
    """It compares, encodes, and does not change when more comes."""
    assembler = Assembler()
    before = assembler.report
    for event in iter_events(stream(created(), *MILL, update(status="in_progress", new=1))):
        assembler.apply(event)
    report = assembler.report
    assert before == StreamReport() != report
    assert report == assembler.report
    assert gemwire.to_dict(report)["interaction_ids"] == [report.interaction_id]
    assert json.loads(gemwire.encode(report)) == gemwire.to_dict(report)
    report.issues.clear()
    report.interaction_ids.clear()
    report.unknown.clear()
    again = assembler.report
    assert again.interaction_ids
    assert again.unknown


def test_a_report_with_unknown_members_encodes() -> None:
    usage = {"total_tokens": 3, "new_count": 7}
    reader = InteractionStream(answer(*MILL, stop(0, usage=usage))).until_done()
    assert gemwire.to_dict(reader.report)["usage"] == usage


def test_exceptions_with_a_report_copy_and_pickle() -> None:
    with pytest.raises(TruncatedStream) as caught:
        assemble(stream(created(), *MILL, stop(7)))
    for again in (copy.copy(caught.value), pickle.loads(pickle.dumps(caught.value))):
        assert type(again) is TruncatedStream
        assert str(again) == str(caught.value)
        assert again.interaction == caught.value.interaction
        assert again.report.outcome == "truncated"
        assert [issue.kind for issue in again.report.issues] == ["stop_unopened"]
