"""Which step an event belongs to, by index, start and stop: one row for each clause."""

from __future__ import annotations

from typing import Any

import pytest

from .wire import (
    WAYS,
    Case,
    arguments,
    completed,
    created,
    ids,
    mill,
    said,
    signature,
    start,
    stop,
    text,
    update,
    usage,
)

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
        issues=[("start_again", 0)],
    ),
    Case(
        "a second start that differs: likewise",
        [start(0, "thought"), start(0, "model_output"), text(0, "A mill"), stop(0)],
        [{"type": "thought"}, said()],
        issues=[("start_again", 0), ("never_stopped", 0)],
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
        issues=[("start_missing", 0), ("start_again", 0), ("never_stopped", 0)],
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

RULES = [*INDEX, *STARTS, *STOPS]


@pytest.mark.parametrize("case", RULES, ids=ids(RULES))
def test_rule(case: Case) -> None:
    for way, read in WAYS.items():
        assert (way, case.seen(read(case.bytes))) == (way, case.expected)
