"""Steps that came whole stand in place of the streamed ones only where nothing is lost by them."""

from __future__ import annotations

from typing import Any

import pytest

from gemwire import ArgumentsError
from gemwire.assembly.richer import what_is_lost

from .wire import WAYS, arguments, completed, created, said, signature, start, stop, stream, text

CALL = {"type": "function_call", "id": "k", "name": "f"}
STREAMED = [
    start(0, "thought"),
    signature(0, "c2ln"),
    stop(0),
    start(1, "function_call", id="k", name="f", arguments={}),
    arguments(1, '{"a":1}'),
    stop(1),
]
WHOLE: list[dict[str, Any]] = [
    {"type": "thought", "signature": "c2ln"},
    {**CALL, "arguments": {"a": 1}},
]
INPUT: dict[str, Any] = {"type": "user_input", "content": [{"type": "text", "text": "Go."}]}

POORER: dict[str, list[dict[str, Any]]] = {
    "without the signature": [INPUT, {"type": "thought"}, WHOLE[1]],
    "without the arguments": [INPUT, WHOLE[0], {**CALL, "arguments": {}}],
    "with other arguments": [INPUT, WHOLE[0], {**CALL, "arguments": {"a": 2}}],
    "with more in its arguments": [INPUT, WHOLE[0], {**CALL, "arguments": {"a": 1, "b": 2}}],
    "with fewer steps": [WHOLE[0]],
    "in another order": [INPUT, WHOLE[1], WHOLE[0]],
    "with steps of another kind": [INPUT, said("a"), said("b"), said("c")],
}


@pytest.mark.parametrize("name", POORER)
def test_poorer(name: str) -> None:
    """More in number is not richer; the difference can be read in the issue."""
    for read in WAYS.values():
        found = read(stream(created(), *STREAMED, completed(steps=POORER[name])))
        assert found.steps == WHOLE
        (issue,) = [issue for issue in found.known.issues if issue.kind == "steps_differ"]
        assert " / " in issue.detail


RICHER: dict[str, list[dict[str, Any]]] = {
    "with the input": [INPUT, *WHOLE],
    "with a step more": [*WHOLE, said("a")],
    "with a member more": [{**WHOLE[0], "summary": [{"type": "text", "text": "Hm."}]}, WHOLE[1]],
}


@pytest.mark.parametrize("name", RICHER)
def test_richer(name: str) -> None:
    for read in WAYS.values():
        found = read(stream(created(), *STREAMED, completed(steps=RICHER[name])))
        assert found.steps == RICHER[name]
        assert found.issues == []


def test_a_longer_text() -> None:
    """A text may go on; it may not become another."""
    streamed = [start(0, "model_output"), text(0, "Pay "), stop(0)]
    for whole, expected in (("Pay the bill.", "Pay the bill."), ("Do not pay.", "Pay ")):
        found = WAYS["whole"](stream(created(), *streamed, completed(steps=[said(whole)])))
        assert found.steps == [said(expected)]


def test_a_call_that_was_refused_is_no_call_without_arguments() -> None:
    begun = [start(0, "function_call", id="k", name="f", arguments={}), arguments(0, '{"a":')]
    for whole in (CALL, {**CALL, "arguments": {}}):
        data = stream(created(), *begun, stop(0), completed(steps=[whole, said("a")]))
        assert WAYS["whole"](data).raised is ArgumentsError
    data = stream(created(), *begun, stop(0), completed(steps=[WHOLE[1]]))
    assert WAYS["whole"](data).steps == [WHOLE[1]]  # the server says them after all


def test_nothing_is_lost_by_the_same() -> None:
    assert what_is_lost([], []) is None
