"""From events to the Interaction: lifecycle, order, usage, errors; one row for each clause.

What deltas do inside of a step is in test_steps.py, what a stream is called at its end in
test_report.py.
"""

from __future__ import annotations

import copy
from typing import Any, get_args

import pytest
from msgspec import UNSET

from gemwire import (
    DONE,
    Assembler,
    Interaction,
    ServerError,
    StepDelta,
    TruncatedStream,
    assemble,
    decode_event,
    models,
    to_dict,
)
from gemwire.models.tables import EVENTS

from .test_steps import ALL as FOLDS
from .wire import (
    IDENTITY,
    MODEL,
    WAYS,
    Case,
    Payload,
    answer,
    arguments,
    completed,
    created,
    delta,
    dumps,
    error,
    frame,
    ids,
    pull,
    signature,
    start,
    stop,
    stream,
    text,
    update,
)


def mill(index: int, piece: str = "A mill") -> list[Payload | bytes]:
    """A whole step of one text."""
    return [start(index, "model_output"), text(index, piece), stop(index)]


def said(piece: str = "A mill") -> Payload:
    return {"type": "model_output", "content": [{"type": "text", "text": piece}]}


def usage(total: int, **members: Any) -> Payload:
    return {"total_tokens": total, **members}


BAD_INDEXES: list[Any] = [-1, "0", 1.5, True, None, [], {}]

INDEX = [
    Case("steps in order", [*mill(0, "a"), *mill(1, "b")], [said("a"), said("b")]),
    Case(
        "steps come out by index, whatever the order of arrival",
        [*mill(2, "c"), *mill(0, "a"), *mill(1, "b")],
        [said("a"), said("b"), said("c")],
    ),
    Case(
        "steps that interleave",
        [
            start(1, "model_output"),
            start(0, "thought"),
            text(1, "A "),
            signature(0, "c2ln"),
            text(1, "mill"),
            stop(0),
            stop(1),
        ],
        [{"type": "thought", "signature": "c2ln"}, said()],
    ),
    Case(
        "a gap is no filler and one issue",
        [*mill(1, "a"), *mill(7, "b"), *mill(9, "c")],
        [said("a"), said("b"), said("c")],
        issues=[("index_gap", None)],
    ),
    Case(
        "an index beyond everything costs nothing",
        [*mill(0, "a"), *mill(2**62, "b")],
        [said("a"), said("b")],
        issues=[("index_gap", None)],
    ),
    Case(
        "absent: the step opened last",
        [
            start(0, "thought"),
            start(1, "model_output"),
            text(None, "A "),
            text(None, "mill"),
            stop(None),
        ],
        [{"type": "thought"}, said()],
        issues=[("index_missing", 1, 3), ("never_stopped", 0)],
    ),
    Case(
        "absent at a start: one more than the highest",
        [*mill(0, "a"), start(None, "model_output"), text(1, "b"), stop(1)],
        [said("a"), said("b")],
        issues=[("index_missing", 1)],
    ),
    Case(
        "absent everywhere, as in hand-written servers",
        [start(None, "model_output"), text(None, "A mill"), stop(None), start(None, "thought")],
        [said(), {"type": "thought"}],
        issues=[("index_missing", 0, 3), ("index_missing", 1), ("never_stopped", 1)],
    ),
    Case(
        "absent without any step",
        [text(None, "A mill"), stop(None)],
        [said()],
        issues=[("index_missing", None), ("start_missing", 0), ("index_missing", 0)],
    ),
    *(
        Case(
            f"any other value makes the event unknown: {index!r}",
            [
                start(0, "model_output"),
                {**start(0, "thought"), "index": index},
                {**text(0, "astray"), "index": index},
                text(0, "A mill"),
                {**stop(0), "index": index},
                stop(0),
            ],
            [said()],
            unknown=[("event", "step.start"), ("event", "step.delta"), ("event", "step.stop")],
        )
        for index in BAD_INDEXES
    ),
]

LIFECYCLE = [
    Case(
        "every member of created is laid on the Interaction; the token is gone at the end",
        [
            created(
                environment_id="env-1",
                labels={"team": "mills"},
                continuation_token="t1",
                usage=usage(9),
                novel={"a": 1},
            ),
            completed(),
        ],
        usage=usage(9),
        source="status",
        bare=True,
        unknown=[("interaction.novel", "novel")],
        members={
            "id": IDENTITY,
            "model": MODEL,
            "object": "interaction",
            "environment_id": "env-1",
            "labels": {"team": "mills"},
            "novel": {"a": 1},
            "status": "completed",
        },
    ),
    Case(
        "nothing is required of created",
        [{"interaction": {}, "event_type": "interaction.created"}, *mill(0), completed()],
        [said()],
        bare=True,
    ),
    Case(
        "created with steps, as a server of 2.8 sends it",
        [created(steps=[said("a"), said("b")]), completed()],
        [said("a"), said("b")],
        bare=True,
    ),
    Case(
        "completed is laid over created",
        [
            created(model="alias", updated="then"),
            completed(model=MODEL, updated="now", created="then"),
        ],
        bare=True,
        members={"model": MODEL, "updated": "now", "created": "then"},
    ),
    Case(
        "null never replaces a value, and is not kept beside it",
        [created(updated="then"), completed(model=None, updated=None)],
        bare=True,
        members={"model": MODEL, "updated": "then"},
    ),
    Case(
        "null is replaced by a value",
        [created(updated=None), completed(updated="now")],
        bare=True,
        members={"updated": "now"},
    ),
    Case(
        "null where nothing was held stays null",
        [created(), completed(service_tier=None)],
        bare=True,
        unknown=[("interaction.service_tier", "service_tier")],
        members={"service_tier": None},
    ),
    Case(
        "empty usage never replaces usage",
        [created(usage=usage(9)), completed(usage={})],
        usage=usage(9),
        source="status",
        bare=True,
    ),
    Case(
        "an empty id is no id: store false",
        [created(""), update(identity=""), *mill(0), completed(identity="")],
        [said()],
        bare=True,
        members={"id": None},
    ),
    Case(
        "an empty id never replaces an id",
        [created(), update(identity=""), completed(identity="", previous_interaction_id="")],
        bare=True,
        members={"id": IDENTITY},
    ),
    Case(
        "the id of a status update",
        [update(), completed(identity="")],
        bare=True,
        members={"id": IDENTITY},
    ),
    Case(
        "an unknown member of the later event stands",
        [created(novel=1), completed(novel=2)],
        bare=True,
        unknown=[("interaction.novel", "novel")],
        members={"novel": 2},
    ),
    Case(
        "a second created with the same id is an issue and nothing else",
        [created(), *mill(0), created(model="other", novel=1), *mill(1, "b"), completed()],
        [said(), said("b")],
        issues=[("created_again", None)],
        bare=True,
        members={"model": MODEL},
    ),
    Case(
        "until a step that was started already starts: the server starts over",
        [created(), *mill(0, "half"), created(), update(), *mill(0), *mill(1, "b"), completed()],
        [said(), said("b")],
        issues=[("created_again", None), ("restarted", 0), ("replay_differs", None)],
        bare=True,
    ),
    Case(
        "starting over drops steps that do not come again",
        [created(), *mill(0, "a"), *mill(1, "b"), created(), *mill(0), completed()],
        [said()],
        issues=[("created_again", None), ("restarted", 0), ("replay_differs", None)],
        bare=True,
    ),
    Case(
        "a whole answer, then the same again and cut: it is not complete",
        [created(), *mill(0), completed(), created(), start(0, "model_output"), text(0, "A")],
        [said("A")],
        issues=[("created_again", None), ("restarted", 0)],
        outcome="truncated",
        raised=TruncatedStream,
        bare=True,
        members={"status": "in_progress"},
    ),
    Case(
        "a whole answer, then the same again: it is complete",
        [created(), *mill(0), completed(), DONE, created(), *mill(0), completed()],
        [said()],
        issues=[("created_again", None), ("restarted", 0)],
        bare=True,
    ),
    Case(
        "no created at all",
        [*mill(0), completed()],
        [said()],
        bare=True,
        members={"id": IDENTITY, "status": "completed"},
    ),
    Case("no step at all: no steps", [], None),
    Case("empty steps of the terminal event", [created(), completed(steps=[])], [], bare=True),
]

STARTS = [
    Case(
        "the step as sent, required members missing",
        [start(0, "function_call"), stop(0), start(1, "google_search_result"), stop(1)],
        [{"type": "function_call"}, {"type": "google_search_result"}],
    ),
    Case(
        "placeholders: an empty signature goes, empty arguments stay",
        [start(0, "function_call", id="f1", name="tide", signature="", arguments={}), stop(0)],
        [{"type": "function_call", "id": "f1", "name": "tide", "arguments": {}}],
    ),
    Case(
        "unknown members of a step stay",
        [start(0, "model_output", mood="calm"), text(0, "A mill"), stop(0)],
        [{**said(), "mood": "calm"}],
        unknown=[("interaction.steps[].mood", "mood")],
    ),
    Case(
        "a step of no known kind stays",
        [start(0, "hologram", n=1), stop(0)],
        [{"type": "hologram", "n": 1}],
        unknown=[("step.start.step", "hologram"), ("interaction.steps[]", "hologram")],
    ),
    Case(
        "a second start, equal, and nothing came since",
        [start(0, "model_output"), start(0, "model_output"), text(0, "A mill"), stop(0)],
        [said()],
        issues=[("start_again", 0)],
    ),
    Case(
        "a second start after something came: a new step after the last",
        [*mill(0, "a"), *mill(1, "b"), start(0, "model_output"), text(0, "c"), stop(0)],
        [said("a"), said("b"), said("c")],
        issues=[("start_other", 0)],
    ),
    Case(
        "a second start that differs: likewise",
        [start(0, "thought"), start(0, "model_output"), text(0, "A mill"), stop(0)],
        [{"type": "thought"}, said()],
        issues=[("start_other", 0), ("never_stopped", 0)],
    ),
    Case(
        "a start after its deltas is laid under them",
        [
            arguments(0, '{"port":'),
            start(0, "function_call", id="f1", name="tide", arguments={}),
            arguments(0, '"Rye"}'),
            stop(0),
            text(1, "mi"),
            start(1, "model_output", error={"code": 1}),
            text(1, "ll"),
            stop(1),
            signature(2, "two"),
            start(2, "thought", signature="", summary=[{"type": "text", "text": "a"}]),
            stop(2),
        ],
        [
            {"type": "function_call", "id": "f1", "name": "tide", "arguments": {"port": "Rye"}},
            {**said("mill"), "error": {"code": 1}},
            {"type": "thought", "signature": "two", "summary": [{"type": "text", "text": "a"}]},
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
    Case(
        "a start of another kind after its deltas: a new step",
        [text(0, "A mill"), start(0, "thought"), signature(0, "c2ln"), stop(0)],
        [said(), {"type": "thought", "signature": "c2ln"}],
        issues=[("start_missing", 0), ("start_other", 0), ("never_stopped", 0)],
    ),
]

STOPS = [
    Case(
        "a delta after the stop is folded all the same",
        [start(0, "model_output"), text(0, "A "), stop(0), text(0, "mill")],
        [said()],
        issues=[("after_stop", 0)],
    ),
    Case(
        "a second stop",
        [*mill(0), stop(0)],
        [said()],
        issues=[("after_stop", 0)],
    ),
    Case(
        "a stop without a step",
        [stop(0), *mill(1)],
        [said()],
        issues=[("stop_unopened", 0), ("index_gap", None)],
    ),
    Case(
        "a step without a stop is closed by the terminal event",
        [start(0, "model_output"), text(0, "A mill")],
        [said()],
        issues=[("never_stopped", 0)],
    ),
    Case(
        "after the end: steps, deltas and stops are folded, with an issue",
        [
            created(),
            *mill(0, "A "),
            completed(),
            text(0, "mill"),
            start(1, "thought"),
            signature(1, "c2ln"),
            stop(1),
        ],
        [said(), {"type": "thought", "signature": "c2ln"}],
        issues=[("after_end", 0), ("after_end", 1)],
        bare=True,
    ),
    Case(
        "after the end: a status update cannot take it back",
        [created(), *mill(0), completed(), update("in_progress", usage=usage(9))],
        [said()],
        issues=[("after_end", None)],
        usage=usage(9),
        source="status",
        bare=True,
        members={"status": "completed"},
    ),
    Case(
        "after the end: another completed stands",
        [created(), *mill(0), completed("incomplete"), completed("completed")],
        [said()],
        issues=[("after_end", None)],
        bare=True,
        members={"status": "completed"},
    ),
]

TERMINAL_STEPS = [
    Case(
        "more steps than were streamed replace them",
        [created(), *mill(0, "half"), completed(steps=[said("a"), said("b")])],
        [said("a"), said("b")],
        bare=True,
    ),
    Case(
        "as many: the assembled ones win, a difference is an issue",
        [created(), *mill(0), completed(steps=[said("other")])],
        [said()],
        issues=[("steps_differ", None)],
        bare=True,
    ),
    Case(
        "as many and equal",
        [created(), *mill(0), completed(steps=[said()])],
        [said()],
        bare=True,
    ),
    Case(
        "fewer: the assembled ones win",
        [created(), *mill(0, "a"), *mill(1, "b"), completed(steps=[said("a")])],
        [said("a"), said("b")],
        issues=[("steps_differ", None)],
        bare=True,
    ),
    Case(
        "none: the assembled ones win without a word",
        [created(), *mill(0), completed(steps=[])],
        [said()],
        bare=True,
    ),
    Case(
        "a delta after steps that were replaced",
        [created(), completed(steps=[said("A ")]), text(0, "mill")],
        [said()],
        issues=[("after_end", 0)],
        bare=True,
    ),
]

UNKNOWN_EVENTS = [
    Case(
        "names from the documentation that no schema has",
        [
            {"interaction": {"status": "failed"}, "event_type": name}
            for name in (
                "interaction.in_progress",
                "interaction.requires_action",
                "interaction.failed",
                "interaction.error",
            )
        ]
        + mill(0),
        [said()],
        unknown=[
            ("event", "interaction.in_progress"),
            ("event", "interaction.requires_action"),
            ("event", "interaction.failed"),
            ("event", "interaction.error"),
        ],
    ),
    Case(
        "the same one again is counted",
        [{"n": n, "event_type": "step.hologram"} for n in range(3)],
        unknown=[("event", "step.hologram", 3)],
    ),
    Case(
        "what an event may carry counts there too",
        [
            {
                "event_type": "step.hologram",
                "event_id": "e7",
                "metadata": {"total_usage": usage(9)},
            }
        ],
        unknown=[("event", "step.hologram")],
        usage=usage(9),
        source="metadata",
    ),
    Case(
        "unknown members of an event",
        [{**start(0, "thought"), "trace": "x"}, {**stop(0), "trace": 1}],
        [{"type": "thought"}],
        unknown=[("step.start.trace", "trace"), ("step.stop.trace", "trace")],
    ),
    Case(
        "no JSON object",
        [b"event: step.delta\ndata: [1]\n\n", b"event: step.delta\ndata: oops\n\n"],
        unknown=[("event", "step.delta", 2)],
    ),
    Case(
        "event: done alone is unknown",
        [b"event: done\ndata: {}\n\n"],
        unknown=[("event", "done")],
    ),
    Case(
        "[DONE] is no event, whatever its name, and never ends reading",
        [DONE, b"data: [DONE]\n\n", b"event: step.delta\ndata: [DONE]\n\n", *mill(0)],
        [said()],
    ),
    Case(
        "an event that lacks its payload",
        [{"event_type": "step.start", "index": 0}, {"event_type": "step.delta", "index": 0}],
        unknown=[("event", "step.start"), ("event", "step.delta")],
    ),
]

USAGE = [
    Case(
        "terminal",
        [created(), update(usage=usage(5)), completed(usage=usage(1))],
        usage=usage(1),
        source="terminal",
        bare=True,
    ),
    Case(
        "terminal before all that comes later",
        [created(), start(0, "thought"), completed(usage=usage(1)), stop(0, usage=usage(2))],
        [{"type": "thought"}],
        issues=[("never_stopped", 0), ("after_end", 0)],
        usage=usage(1),
        source="terminal",
        bare=True,
    ),
    Case(
        "step.stop.usage is cumulative, step_usage never a total",
        [
            start(0, "thought"),
            stop(0, usage=usage(4650), step_usage=usage(303)),
            start(1, "thought"),
            stop(1, step_usage=usage(12)),
        ],
        [{"type": "thought"}, {"type": "thought"}],
        usage=usage(4650),
        source="step",
    ),
    Case(
        "the latest by arrival, whatever it stands on",
        [update(usage=usage(1)), {**start(0, "thought"), "metadata": {"usage": usage(2)}}, stop(0)],
        [{"type": "thought"}],
        usage=usage(2),
        source="metadata",
    ),
    Case(
        "metadata on every kind of event",
        [
            {**created(), "metadata": {"usage": usage(1)}},
            {**update(), "metadata": {"usage": usage(2)}},
            {**start(0, "model_output"), "metadata": {"usage": usage(3)}},
            {**text(0, "A mill"), "metadata": {"usage": usage(4)}},
            {**stop(0), "metadata": {"usage": usage(5)}},
            {**completed(), "metadata": {"usage": usage(6), "total_usage": usage(7)}},
        ],
        [said()],
        usage=usage(6),
        source="metadata",
        bare=True,
    ),
    Case(
        "one that lacks members does not replace the richer one",
        [
            update(usage=usage(9, total_output_tokens=4)),
            start(0, "thought"),
            stop(0, usage=usage(12)),
        ],
        [{"type": "thought"}],
        usage=usage(9, total_output_tokens=4),
        source="status",
    ),
    Case(
        "one with other members does not either: two are never mixed",
        [
            update(usage=usage(9, total_output_tokens=4)),
            update(usage=usage(12, total_input_tokens=8)),
        ],
        usage=usage(9, total_output_tokens=4),
        source="status",
    ),
    Case(
        "one with the same and more does",
        [update(usage=usage(9)), update(usage=usage(12, total_input_tokens=8))],
        usage=usage(12, total_input_tokens=8),
        source="status",
    ),
    Case(
        "the terminal one does, however poor it is",
        [created(), update(usage=usage(9, total_output_tokens=4)), completed(usage=usage(2))],
        usage=usage(2),
        source="terminal",
        bare=True,
    ),
    Case(
        "zero is a number",
        [created(), update(usage=usage(9)), completed(usage=usage(0))],
        usage=usage(0),
        source="terminal",
        bare=True,
    ),
    Case(
        "absent, null and {} are no report",
        [
            update(usage=usage(9)),
            update(usage=None),
            update(usage={}),
            {**update(), "metadata": {}},
            {**update(), "metadata": {"usage": {}}},
        ],
        usage=usage(9),
        source="status",
        unknown=[("interaction.status_update.usage", "usage")],
    ),
    Case(
        "members that no schema has are part of it",
        [created(), completed(usage=usage(9, novel_tokens=2))],
        usage=usage(9, novel_tokens=2),
        source="terminal",
        unknown=[("interaction.usage.novel_tokens", "novel_tokens")],
        bare=True,
    ),
    Case(
        "a member that does not fit does not break the terminal event",
        [created(), *mill(0), completed(usage={"total_tokens": "30", "total_input_tokens": 7})],
        [said()],
        usage={"total_tokens": "30", "total_input_tokens": 7},
        source="terminal",
        unknown=[("interaction.usage.total_tokens", "total_tokens")],
        bare=True,
    ),
    Case(
        "a completed that is not terminal is not the terminal report",
        [created(), completed("in_progress", usage=usage(1)), update(usage=usage(2))],
        usage=usage(2),
        source="status",
        issues=[("not_terminal", None)],
        outcome="truncated",
        raised=TruncatedStream,
        bare=True,
    ),
]

ALL = [*INDEX, *LIFECYCLE, *STARTS, *STOPS, *TERMINAL_STEPS, *UNKNOWN_EVENTS, *USAGE]


@pytest.mark.parametrize("case", ALL, ids=ids(ALL))
def test_rule(case: Case) -> None:
    for way, read in WAYS.items():
        assert (way, case.seen(read(case.bytes))) == (way, case.expected)


@pytest.mark.parametrize("case", ALL, ids=ids(ALL))
def test_every_way_comes_to_the_same(case: Case) -> None:
    first, *others = [read(case.bytes) for read in WAYS.values()]
    for other in others:
        assert other == first
    if first.raised is None:
        assert assemble([case.bytes]) == first.interaction
    else:
        with pytest.raises(first.raised):
            assemble([case.bytes])


@pytest.mark.parametrize("case", ALL, ids=ids(ALL))
def test_snapshots_change_nothing(case: Case) -> None:
    """Looking at it after each event leads to the same end."""
    expected = pull(case.bytes)
    assembler = Assembler()
    for event in events_of(case):
        assembler.apply(event)
        assembler.snapshot()
        assert len(assembler.report.issues) <= len(expected.issues)
    if expected.raised is None:
        assert assembler.finish() == expected.interaction
    assert assembler.report.outcome in (expected.outcome, "in_progress")
    assert [(i.kind, i.count) for i in assembler.report.issues] == [
        (i.kind, i.count) for i in expected.known.issues
    ]


def events_of(case: Case) -> list[Any]:
    from gemwire import iter_events

    return list(iter_events(case.bytes))


def test_every_event_has_a_handler() -> None:
    """An event that is new in the spec fails here until somebody decides about it."""
    union = set(get_args(models.InteractionSseEvent))
    assert set(Assembler.HANDLERS) == union | {models.UnknownInteractionSseEvent}
    names = {cls.__name__ for cls in union} - {"UnknownInteractionSseEvent"}
    assert names <= set(EVENTS.values())


def test_what_is_no_event_is_refused() -> None:
    for mistake in (None, "step.delta", {"event_type": "step.stop"}, models.TextDelta(text="")):
        with pytest.raises(TypeError, match="not an event"):
            Assembler().apply(mistake)


def test_last_event_id() -> None:
    """Of any event that has one; absent, null and "" are none."""
    events: list[Payload] = [created(), update(), *_dicts(mill(0)), completed()]
    for position, event in enumerate(events):
        marked = [*events]
        marked[position] = {**event, "event_id": f"e{position}"}
        for read in WAYS.values():
            assert read(stream(*marked)).last_event_id == f"e{position}"
    assert pull(stream(*events)).last_event_id is None
    astray = [
        {**event, "event_id": value} for event, value in zip(events, (7, None, ""), strict=False)
    ]
    assert pull(stream({**error(None), "event_id": "e1"}, *astray)).last_event_id == "e1"
    assert pull(stream({"event_type": "new", "event_id": "e2"}, *events)).last_event_id == "e2"


def _dicts(events: list[Payload | bytes]) -> list[Payload]:
    return [event for event in events if isinstance(event, dict)]


# ---- ArgumentsError goes after the other two, and only with outcomes that ask for a call

BROKEN_CALL = [start(0, "function_call", name="tide"), arguments(0, '{"port":'), stop(0)]


@pytest.mark.parametrize(
    "status",
    ["incomplete", "cancelled", "failed", "budget_exceeded", "requires_continuation", "new_status"],
)
def test_broken_arguments_of_an_answer_that_ended_early(status: str) -> None:
    """An issue; the answer does not ask for the call."""
    case = Case(
        "",
        [created(), *BROKEN_CALL, completed(status)],
        [{"type": "function_call", "name": "tide"}],
        issues=[("arguments", 0)],
        outcome=status,
        bare=True,
    )
    found = pull(case.bytes)
    assert found.outcome == status
    assert found.raised is None
    assert found.issues == [("arguments", 0)]
    assert found.steps == case.steps


def test_broken_arguments_and_an_error_or_a_cut() -> None:
    assert pull(stream(created(), *BROKEN_CALL)).raised is TruncatedStream
    assert pull(stream(created(), *BROKEN_CALL, error({"code": "x"}))).raised is ServerError


# ---- what the object can do beside apply()


def decoded(*payloads: Payload) -> list[Any]:
    return [decode_event(dumps(payload), payload["event_type"]) for payload in payloads]


def test_apply_all_is_apply_for_each() -> None:
    for case in ALL:
        one, other = Assembler(), Assembler()
        events = events_of(case)
        for event in events:
            one.apply(event)
        other.apply_all(events)
        assert one.snapshot() == other.snapshot()
        assert one.report.events == other.report.events == len(events)


def test_snapshots_are_detached_and_share_what_did_not_change() -> None:
    assembler = Assembler()
    events = decoded(
        created(),
        *_dicts(mill(0)),
        start(1, "function_call", name="tide", arguments={}),
        arguments(1, '{"a":1}'),
        stop(1),
        start(2, "model_output"),
        text(2, "A "),
    )
    for event in events:
        assembler.apply(event)
    first = assembler.snapshot()
    before = copy.deepcopy(first)
    for event in decoded(text(2, "mill"), start(3, "thought"), stop(2), stop(3), completed()):
        assembler.apply(event)
    second = assembler.snapshot()
    assert first == before
    assert isinstance(first.steps, list)
    assert isinstance(second.steps, list)
    assert second.steps[0] is first.steps[0]
    assert second.steps[1] is first.steps[1]
    assert second.steps[2] != first.steps[2]
    third = assembler.snapshot()
    assert isinstance(third.steps, list)
    assert all(a is b for a, b in zip(second.steps, third.steps, strict=True))
    assert third.steps is not second.steps, "a caller may change the list"


@pytest.mark.parametrize("case", [*ALL, *FOLDS], ids=ids([*ALL, *FOLDS]))
def test_events_and_snapshots_stay_as_they_were(case: Case) -> None:
    """Events may be shared between assemblers, and a snapshot is the caller's."""
    events = events_of(case)
    before = copy.deepcopy(events)
    one, other = Assembler(), Assembler()
    taken: list[tuple[Interaction, Interaction]] = []
    for event in events:
        one.apply(event)
        taken.append((one.snapshot(), copy.deepcopy(one.snapshot())))
    other.apply_all(events)
    assert one.snapshot() == other.snapshot()
    assert events == before
    for snapshot, as_it_was in taken:
        assert snapshot == as_it_was


def test_step() -> None:
    """By the index of its events, as it is now."""
    assembler = Assembler()
    with pytest.raises(IndexError, match="no step with index 0"):
        assembler.step(0)
    for event in decoded(start(5, "model_output"), text(5, "A ")):
        assembler.apply(event)
    assert to_dict(assembler.step(5)) == said("A ")
    for event in decoded(text(5, "mill"), stop(5)):
        assembler.apply(event)
    assert to_dict(assembler.step(5)) == said()
    assert assembler.step(5) is assembler.step(5)
    with pytest.raises(IndexError, match="no step with index 0"):
        assembler.step(0)


def test_step_at_its_stop_has_its_arguments() -> None:
    assembler = Assembler()
    call = start(0, "function_call", id="f1", name="tide", arguments={})
    seen = []
    for event in decoded(call, arguments(0, '{"a"'), arguments(0, ":1}"), stop(0)):
        assembler.apply(event)
        step = assembler.step(0)
        assert isinstance(step, models.FunctionCallStep)
        seen.append(step.arguments)
    assert seen == [UNSET, UNSET, UNSET, {"a": 1}]


def test_finish_may_be_called_again() -> None:
    assembler = Assembler()
    for event in decoded(created(), *_dicts(mill(0))):
        assembler.apply(event)
    for _ in range(2):
        with pytest.raises(TruncatedStream) as caught:
            assembler.finish()
        assert caught.value.report is assembler.report
        assert caught.value.interaction == assembler.snapshot()
    assert assembler.report.outcome == "truncated"


def test_an_assembler_without_events() -> None:
    assembler = Assembler()
    assert assembler.snapshot() == Interaction()
    with pytest.raises(TruncatedStream):
        assembler.finish()


def test_events_of_an_iterator_and_bytes_of_frames_agree() -> None:
    """A delta that carries more than its text takes the same way to the same end."""
    plain = answer(start(0, "model_output"), text(0, "A "), text(0, "mill"), stop(0))
    laden = answer(
        start(0, "model_output"),
        {**text(0, "A "), "event_id": "e1"},
        {**text(0, "mill"), "metadata": {}},
        stop(0),
    )
    assert assemble(plain) == assemble(laden)
    assert isinstance(decode_event(frame(text(0, "a")).split(b"data: ")[1]), StepDelta)


def test_a_delta_of_another_kind_keeps_its_step(subtests: pytest.Subtests) -> None:
    """Whatever comes for a step: the kind of the step never changes."""
    for kind in ("image", "thought_summary", "arguments_delta", "hologram", None):
        with subtests.test(kind=kind):
            found = pull(answer(start(0, "thought"), delta(0, kind, x=1), stop(0)))
            assert found.steps == [{"type": "thought"}]
