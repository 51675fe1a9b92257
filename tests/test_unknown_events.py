"""Events that are in no schema, or are not as it says, are counted: one row for each clause."""

from __future__ import annotations

import pytest

from gemwire import DONE, DamagedStream

from .wire import WAYS, Case, ids, mill, said, start, stop, usage

UNKNOWN_EVENTS = [
    Case(
        "a name from the documentation that no schema has",
        [
            {"interaction": {"status": "in_progress"}, "event_type": "interaction.in_progress"},
            *mill(0),
        ],
        [said()],
        unknown=[("event", "interaction.in_progress")],
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
        "unknown members further inside",
        [
            {**start(0, "thought"), "metadata": {"trace": "x"}},
            stop(0, step_usage={"total_tokens": 1, "total_beams": 2}),
        ],
        [{"type": "thought"}],
        unknown=[
            ("step.start.metadata.trace", "trace"),
            ("step.stop.step_usage.total_beams", "total_beams"),
        ],
    ),
    Case(
        "an event of another wire that is no JSON",
        [b"event: ping\ndata: oops\n\n", b"data: ping\n\n", b"data: [1]\n\n"],
        unknown=[("event", "ping"), ("event", None, 2)],
    ),
    Case(
        "one of this wire that is no JSON object is damaged",
        [b"event: step.delta\ndata: [1]\n\n", b"event: step.delta\ndata: oops\n\n"],
        issues=[("damaged", None, 2)],
        raised=DamagedStream,
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


@pytest.mark.parametrize("case", UNKNOWN_EVENTS, ids=ids(UNKNOWN_EVENTS))
def test_rule(case: Case) -> None:
    for way, read in WAYS.items():
        assert (way, case.seen(read(case.bytes))) == (way, case.expected)
