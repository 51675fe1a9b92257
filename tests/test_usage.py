"""Which report of usage stands, of all that a stream brings: one row for each clause."""

from __future__ import annotations

import pytest

from gemwire import TruncatedStream

from .wire import WAYS, Case, completed, created, ids, mill, said, start, stop, text, update, usage

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


@pytest.mark.parametrize("case", USAGE, ids=ids(USAGE))
def test_rule(case: Case) -> None:
    for way, read in WAYS.items():
        assert (way, case.seen(read(case.bytes))) == (way, case.expected)
