"""Legacy events in any order, and an Interaction from start to complete: a row for each clause."""

from __future__ import annotations

import pytest

from gemwire import TruncatedStream

from .legacy_wire import (
    CALL,
    FOUR,
    FOUR_STEPS,
    Legacy,
    begun,
    brings,
    closes,
    complete,
    opens,
    output,
    part,
    says,
    whole,
)
from .wire import MODEL, WAYS, completed, created, dumps, error, ids, pull, stream, update

ORDER = [
    Legacy(
        "a delta that nothing started",
        [says(0, "a"), closes(0), brings(1, "function_call", **CALL), closes(1)],
        [output(part("a")), {"type": "function_call", **CALL}],
        issues=[("start_missing", 0), ("start_missing", 1)],
    ),
    Legacy(
        "two of them are not glued",
        [says(0, "a"), says(1, "b")],
        [output(part("a"), part("b"))],
        issues=[
            ("start_missing", 0),
            ("start_missing", 1),
            ("never_stopped", 0),
            ("never_stopped", 1),
        ],
    ),
    Legacy(
        "a start that comes late",
        [says(0, "b"), opens(0, "text", text="a"), says(0, "c"), closes(0)],
        [output(part("abc"))],
        issues=[("start_missing", 0), ("start_late", 0)],
    ),
    Legacy(
        "a start of media that comes late",
        [
            brings(0, "image", data="AAEC"),
            opens(0, "image", mime_type="image/png"),
            closes(0),
            brings(1, "audio", data="AAEC"),
            opens(1, "audio", rate=8000),
            closes(1),
            brings(2, "image", data="AAEC"),
            opens(2, "text", text="a"),
            closes(2),
        ],
        [
            output(
                {"type": "image", "mime_type": "image/png", "data": "AAEC"},
                {"type": "audio", "data": "AAEC", "sample_rate": 8000},
                part("a"),
                {"type": "image", "data": "AAEC"},
            )
        ],
        issues=[
            ("start_missing", 0),
            ("start_late", 0),
            ("start_missing", 1),
            ("start_late", 1),
            ("start_missing", 2),
            ("start_late", 2),
        ],
    ),
    Legacy(
        "a delta after the stop",
        [*whole(0, "text", says(0, "a")), says(0, "b")],
        [output(part("ab"))],
        issues=[("after_stop", 0)],
    ),
    Legacy(
        "a second stop",
        [*whole(0, "text", says(0, "a")), closes(0)],
        [output(part("a"))],
        issues=[("after_stop", 0)],
    ),
    Legacy("a stop of nothing", [closes(3)], None, issues=[("stop_unopened", 3)]),
    Legacy(
        "no stop",
        [opens(0, "text"), says(0, "a")],
        [output(part("a"))],
        issues=[("never_stopped", 0)],
    ),
    Legacy(
        "the same start again",
        [opens(0, "text"), opens(0, "text"), says(0, "a"), closes(0)],
        [output(part("a"))],
        issues=[("start_again", 0)],
    ),
    Legacy(
        "another start of the same index",
        [opens(0, "text"), says(0, "a"), opens(0, "thought"), closes(0)],
        [output(part("a")), {"type": "thought"}],
        issues=[("start_again", 0), ("never_stopped", 0)],
    ),
    Legacy(
        "without an index, the content opened last",
        [opens(None, "text"), says(None, "a"), closes(None)],
        [output(part("a"))],
        issues=[("index_missing", 0, 3)],
    ),
    Legacy(
        "an index that is none",
        [opens(-1, "text"), says("0", "a")],
        None,
        unknown=[("event", "content.start"), ("event", "content.delta")],
    ),
    Legacy(
        "a delta that does not fit",
        [*whole(0, "thought", says(0, "a")), *whole(1, "text", brings(1, "function_call", **CALL))],
        [{"type": "thought"}, output(part(""))],
        issues=[("misplaced", 0), ("misplaced", 1)],
        unknown=[("content.delta.delta", "text"), ("content.delta.delta", "function_call")],
    ),
    Legacy(
        "a delta without a type",
        [*whole(0, "text", brings(0, None, text="a"), brings(0, None))],
        [output(part("a"))],
        unknown=[("content.delta.delta", None, 2)],
    ),
    Legacy(
        "a delta that nobody knows",
        [*whole(0, "text", says(0, "a"), brings(0, "sparkle", n=1), says(0, "b"))],
        [output(part("ab"))],
        unknown=[("content.delta.delta", "sparkle")],
    ),
    Legacy(
        "a text without text",
        [*whole(0, "text", brings(0, "text"), brings(0, "text", text=5))],
        [output(part(""))],
        unknown=[("content.delta.delta", "text", 2)],
    ),
    Legacy(
        "events that are empty",
        [
            {"index": 0, "event_type": "content.start"},
            {"index": 0, "event_type": "content.delta"},
            {"event_type": "interaction.start"},
            *whole(0, "text", says(0, "a")),
        ],
        [output(part("a"))],
    ),
    Legacy(
        "unknown members of events",
        [{**opens(0, "text"), "new": 1}, {**says(0, "a"), "new": 2}, {**closes(0), "new": 3}],
        [output(part("a"))],
        unknown=[
            ("content.start.new", "new"),
            ("content.delta.new", "new"),
            ("content.stop.new", "new"),
        ],
    ),
]

A = whole(0, "text", says(0, "a"))

LIFECYCLE = [
    Legacy(
        "empty outputs are nothing",
        [begun(), *A, complete(outputs=[])],
        [output(part("a"))],
        bare=True,
        members={"outputs": None},
    ),
    Legacy("empty outputs of nothing", [begun(), complete(outputs=[])], None, bare=True),
    Legacy(
        "outputs that are more than came",
        [begun(), *A, complete(outputs=FOUR)],
        FOUR_STEPS,
        bare=True,
        members={"outputs": None},
    ),
    Legacy("outputs of a start", [begun(outputs=FOUR), complete()], FOUR_STEPS, bare=True),
    Legacy(
        "the same outputs again",
        [begun(), *A, complete(outputs=[part("a")])],
        [output(part("a"))],
        bare=True,
    ),
    Legacy(
        "two texts are more than one",
        [begun(), *A, complete(outputs=[part("a"), part("b")])],
        [output(part("a"), part("b"))],
        bare=True,
    ),
    Legacy(
        "other outputs, not more",
        [begun(), *A, complete(outputs=[part("b")])],
        [output(part("a"))],
        issues=[("steps_differ", None)],
        bare=True,
    ),
    Legacy(
        "outputs in an event of today",
        [created(), update(), completed(outputs=FOUR)],
        FOUR_STEPS,
        bare=True,
        members={"outputs": None},
    ),
    Legacy(
        "outputs beside steps",
        [created(), completed(steps=[output(part("a"))], outputs=FOUR)],
        [output(part("a"))],
        bare=True,
        members={"outputs": FOUR},
        unknown=[("interaction.outputs", "outputs")],
    ),
    Legacy(
        "outputs that are no list",
        [begun(), *A, complete(outputs={"a": 1})],
        [output(part("a"))],
        bare=True,
        members={"outputs": {"a": 1}},
        unknown=[("interaction.outputs", "outputs")],
    ),
    Legacy(
        "usage, role and object",
        [begun(), complete(usage={"total_reasoning_tokens": 7, "total_tokens": 9})],
        bare=True,
        usage={"total_tokens": 9, "total_thought_tokens": 7},
        source="terminal",
        members={"role": "model", "object": "interaction", "model": MODEL},
    ),
    Legacy(
        "usage of any event",
        [begun(), {**closes(0), "metadata": {"total_usage": {"total_tokens": 4}}}, complete()],
        bare=True,
        issues=[("stop_unopened", 0)],
        usage={"total_tokens": 4},
        source="metadata",
    ),
    Legacy(
        "turns in the input",
        [begun(input=[{"role": "user", "content": "Which?"}]), complete()],
        bare=True,
        members={"input": [{"type": "user_input", "content": [part("Which?")]}]},
    ),
    Legacy(
        "a status that is not terminal",
        [begun(), complete("in_progress")],
        bare=True,
        issues=[("not_terminal", None)],
        outcome="truncated",
        raised=TruncatedStream,
    ),
    Legacy(
        "events after the end",
        [begun(), complete(), says(0, "a")],
        [output(part("a"))],
        bare=True,
        issues=[("start_missing", 0)],
    ),
    Legacy(
        "started twice",
        [begun(), begun(), *A, complete()],
        [output(part("a"))],
        bare=True,
        issues=[("created_again", None)],
    ),
    Legacy(
        "begun anew",
        [begun(), *A[:2], begun(), *whole(0, "text", says(0, "ab")), complete()],
        [output(part("ab"))],
        bare=True,
        issues=[("created_again", None), ("restarted", 0)],
    ),
    Legacy(
        "a run that was cancelled",
        [begun(), update("cancelled")],
        bare=True,
        outcome="cancelled",
    ),
    Legacy(
        "no end",
        [begun(), *A],
        [output(part("a"))],
        bare=True,
        outcome="truncated",
        raised=TruncatedStream,
    ),
]

CASES = [*ORDER, *LIFECYCLE]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("case", CASES, ids=ids(CASES))
def test_rule(case: Legacy, way: str) -> None:
    assert case.seen(WAYS[way](case.bytes)) == case.expected


def test_error_in_the_stream() -> None:
    found = pull(stream(begun(), *A, error({"code": "not_found", "message": "gone"})))
    assert found.outcome == "error"
    assert found.steps == [output(part("a"))]


def test_body_in_place_of_a_stream() -> None:
    body = {"id": "v1_a", "status": "completed", "object": "interaction", "outputs": FOUR}
    found = pull(dumps(body).encode())
    assert (found.outcome, found.steps, found.unknown) == ("completed", FOUR_STEPS, [])
