"""Summaries and signatures become a thought: one row for each clause."""

from __future__ import annotations

import pytest

from .wire import MILL, PNG, WAYS, Case, delta, ids, signature, start, stop, text

THOUGHTS = [
    Case(
        "each summary is an item, never glued",
        [
            start(0, "thought"),
            delta(0, "thought_summary", content=MILL),
            delta(0, "thought_summary", content=MILL),
            stop(0),
        ],
        [{"type": "thought", "summary": [MILL, MILL]}],
    ),
    Case(
        "any content can be an item",
        [
            start(0, "thought"),
            delta(0, "thought_summary", content=PNG),
            delta(0, "thought_summary", content={"type": "hologram"}),
            stop(0),
        ],
        [{"type": "thought", "summary": [PNG, {"type": "hologram"}]}],
        unknown=[("interaction.steps[].summary[]", "hologram")],
    ),
    Case(
        "without content nothing happens",
        [start(0, "thought"), delta(0, "thought_summary"), stop(0)],
        [{"type": "thought"}],
    ),
    Case(
        "content without a type but with a text is text",
        [start(0, "thought"), delta(0, "thought_summary", content={"text": "A mill"}), stop(0)],
        [{"type": "thought", "summary": [MILL]}],
    ),
    Case(
        "so is an item of the start",
        [start(0, "thought", summary=[{"text": "A mill"}]), stop(0)],
        [{"type": "thought", "summary": [MILL]}],
    ),
    Case(
        "items go on after those of the start",
        [
            start(0, "thought", summary=[MILL], signature=""),
            delta(0, "thought_summary", content=PNG),
            signature(0, "c2ln"),
            stop(0),
        ],
        [{"type": "thought", "summary": [MILL, PNG], "signature": "c2ln"}],
    ),
    Case(
        "summaries and signatures in turn, as a 2.5 model sends them",
        [
            start(0, "thought"),
            delta(0, "thought_summary", content=MILL),
            signature(0, ""),
            delta(0, "thought_summary", content=MILL),
            signature(0, ""),
            signature(0, "c2ln"),
            stop(0),
        ],
        [{"type": "thought", "summary": [MILL, MILL], "signature": "c2ln"}],
    ),
    Case(
        "an item of the summary that is no object",
        [start(0, "thought", summary=[None, "x"]), stop(0)],
        [{"type": "thought", "summary": [None, "x"]}],
        unknown=[("interaction.steps[].summary[]", None, 2)],
    ),
    Case(
        "text on a thought does not fit",
        [start(0, "thought"), text(0, "A mill"), stop(0)],
        [{"type": "thought"}],
        issues=[("misplaced", 0)],
        unknown=[("step.delta.delta", "text")],
    ),
    Case(
        "a signature that is no string is kept nowhere, but seen",
        [start(0, "thought"), delta(0, "thought_signature", signature=5), stop(0)],
        [{"type": "thought"}],
        unknown=[("step.delta.delta.signature", "signature")],
    ),
]


@pytest.mark.parametrize("case", THOUGHTS, ids=ids(THOUGHTS))
def test_rule(case: Case) -> None:
    for way, read in WAYS.items():
        assert (way, case.seen(read(case.bytes))) == (way, case.expected)
