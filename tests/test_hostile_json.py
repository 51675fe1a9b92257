"""JSON at its extremes, in any place of a stream: nested deep, numbers beyond all bounds."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from gemwire import (
    UNSET,
    ArgumentsError,
    Assembler,
    FunctionCallStep,
    GemwireError,
    InteractionStream,
    encode,
    iter_events,
)

from .test_hostile import survive
from .wire import answer, arguments, created, frame, pull, start, stop, stream, text

DEPTHS = (10, 100, 500, 900, 1000, 1100, 5000, 100_000)


def nested(depth: int, opening: str = '{"a":', closing: str = "}") -> str:
    return opening * depth + "1" + closing * depth


DEEP: dict[str, Callable[[str], bytes]] = {
    "an unknown event": lambda deep: answer(frame(f'{{"x":{deep}}}', "step.hologram")),
    "an unknown member": lambda deep: answer(
        frame(f'{{"index":0,"step":{{"type":"thought","x":{deep}}}}}', "step.start")
    ),
    "an unknown step": lambda deep: answer(
        frame(f'{{"index":0,"step":{{"type":"new","x":{deep}}}}}', "step.start"), stop(0)
    ),
    "an unknown step that is merged": lambda deep: answer(
        frame(f'{{"index":0,"step":{{"type":"new","x":{deep}}}}}', "step.start"),
        frame(f'{{"index":0,"delta":{{"type":"new","x":{deep}}}}}', "step.delta"),
        stop(0),
    ),
    "arguments as an object": lambda deep: answer(
        start(0, "function_call"),
        frame(
            f'{{"index":0,"delta":{{"type":"arguments_delta","arguments":{deep}}}}}', "step.delta"
        ),
        stop(0),
    ),
    "arguments as text": lambda deep: answer(
        start(0, "function_call"), arguments(0, deep[:9]), arguments(0, deep[9:]), stop(0)
    ),
    "arguments of an unknown step": lambda deep: answer(
        start(0, "loom_call"), arguments(0, deep), stop(0)
    ),
    "a result": lambda deep: answer(
        frame(f'{{"index":0,"step":{{"type":"function_result","result":{deep}}}}}', "step.start"),
        frame(f'{{"index":0,"delta":{{"type":"function_result","result":{deep}}}}}', "step.delta"),
        stop(0),
    ),
    "a result with more than the spec knows": lambda deep: answer(
        *(
            frame(
                f'{{"index":0,"{name}":{{"type":"function_result","x":1,"result":{deep}}}}}',
                f"step.{event}",
            )
            for event, name in (("start", "step"), ("delta", "delta"))
        ),
        stop(0),
    ),
    "a result between marks": lambda deep: answer(
        start(0, "function_result"),
        *(
            frame(
                f'{{"index":0,"event_id":"e{at}",'
                f'"delta":{{"type":"function_result","x":1,"result":{deep}}}}}',
                "step.delta",
            )
            for at in range(3)
        ),
        stop(0),
    ),
    "a whole call of the legacy generation": lambda deep: answer(
        frame(
            f'{{"index":0,"content":{{"type":"function_call","id":"c","x":1,"arguments":{deep}}}}}',
            "content.start",
        ),
        frame('{"index":0}', "content.stop"),
    ),
    "an output of the legacy generation": lambda deep: answer(
        frame(
            f'{{"interaction":{{"id":"v1_a","status":"completed","outputs":['
            f'{{"type":"function_call","id":"c","name":"n","arguments":{{"x":{deep}}}}}]}}}}',
            "interaction.complete",
        )
    ),
    "a delta that no schema has": lambda deep: answer(
        start(0, "function_result"),
        frame(f'{{"index":0,"delta":{{"type":"function_result","x":{deep}}}}}', "step.delta"),
        frame(f'{{"index":0,"delta":{{"type":"function_result","x":{deep}}}}}', "step.delta"),
        stop(0),
    ),
    "content of the legacy generation that no schema has": lambda deep: answer(
        frame(f'{{"index":0,"content":{{"type":"new","x":{deep}}}}}', "content.start"),
        frame(f'{{"index":0,"delta":{{"type":"new","x":{deep}}}}}', "content.delta"),
        frame('{"index":0}', "content.stop"),
    ),
    "a delta of a whole call": lambda deep: answer(
        frame('{"index":0,"content":{"type":"function_call"}}', "content.start"),
        frame(
            f'{{"index":0,"delta":{{"type":"function_call","id":"c","x":1,"arguments":{deep}}}}}',
            "content.delta",
        ),
        frame('{"index":0}', "content.stop"),
    ),
    "an error": lambda deep: stream(created(), frame(f'{{"error":{deep}}}', "error")),
    "a body": lambda deep: f'{{"status":"completed","x":{deep}}}'.encode(),
    "a body of an error": lambda deep: f'{{"error":{deep}}}'.encode(),
    "bare text after the frames": lambda deep: answer(text(0, "a")) + deep.encode(),
    "the terminal event": lambda deep: stream(
        created(),
        frame(f'{{"interaction":{{"status":"completed","x":{deep}}}}}', "interaction.completed"),
    ),
}


@pytest.mark.parametrize("place", DEEP)
@pytest.mark.parametrize("depth", DEPTHS)
def test_nested_deep(place: str, depth: int) -> None:
    for deep in (nested(depth), nested(depth, "[", "]"), '{"a":' * depth):
        data = DEEP[place](deep)
        found = pull(data)
        assert found.outcome
        with suppress(GemwireError):  # what is nested too deeply to encode
            encode(found.interaction)
        for event in iter_events(data):
            assert event.event_type


@pytest.mark.parametrize("place", DEEP)
def test_nested_nearly_too_deep(place: str) -> None:
    """Where the last frames of the interpreter's stack are used up by one call or another."""
    limit = sys.getrecursionlimit()
    for depth in (*range(300, 600, 60), *range(limit - 60, limit + 10)):
        assembler = Assembler()
        for event in iter_events(DEEP[place](nested(depth))):
            assembler.apply(event)  # never raises
        with suppress(GemwireError):
            encode(assembler.finish())
        with suppress(GemwireError):
            Assembler.restore(assembler.checkpoint())
        for _ in InteractionStream(DEEP[place](nested(depth))):
            pass  # nor does this


@pytest.mark.parametrize("depth", [330, 500, 800])
def test_nested_deep_is_not_lost(depth: int) -> None:
    """What the decoder takes can be folded and encoded, with unknown members beside it."""
    for place in ("a result with more than the spec knows", "a result between marks"):
        found = pull(DEEP[place](nested(depth)))
        assert "too_deep" not in {issue.kind for issue in found.known.issues}
        step = json.loads(encode(found.interaction))["steps"][0]
        assert step["x"] == 1
        assert step["result"] == json.loads(nested(depth))


NUMBERS = ["1e400", "-1e400", "9" * 5000, "-0", "0.1e-400", "1E5", "12345678901234567890123", "NaN"]


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("place", DEEP)
def test_numbers_beyond_bounds(place: str, number: str) -> None:
    for value in (number, f'{{"n":{number}}}', f"[{number}]"):
        survive(DEEP[place](value))


@pytest.mark.parametrize("index", ["9" * 30, "9" * 5000, "1e3", "1e400", "18446744073709551616"])
def test_indexes_beyond_bounds(index: str) -> None:
    sent = [
        frame(f'{{"index":{index},"step":{{"type":"thought"}}}}', "step.start"),
        frame(f'{{"index":{index},"delta":{{"type":"text","text":"a"}}}}', "step.delta"),
        frame(f'{{"index":{index}}}', "step.stop"),
    ]
    survive(answer(*sent))


def test_names_of_members_from_hell() -> None:
    for name in ("extra_", "__class__", "", "a.b[0]", "\ud83c", "$", "[", "\x00", "texts"):
        member: dict[str, Any] = {name: 1}
        events = [start(0, "thought", **member), {**text(0, "a"), **member}, stop(0, **member)]
        found = survive(answer(*events, **member))
        told = name.replace("\ud83c", "\ufffd")  # a report can be written anywhere
        assert [seen[1] for seen in found.unknown if seen[1] != "text"] == [told] * 4


def test_arguments_that_are_nested_too_deeply_are_none() -> None:
    """What stood in the start must not pass for the arguments of a finished call."""
    limit = sys.getrecursionlimit()
    seen = set()
    for depth in range(limit - 100, limit):
        assembler = Assembler()
        for event in iter_events(DEEP["arguments as an object"](nested(depth))):
            assembler.apply(event)
        step = assembler.step(0)
        assert isinstance(step, FunctionCallStep)
        kinds = {issue.kind for issue in assembler.report.issues}
        seen |= kinds
        if "too_deep" in kinds:
            assert step.arguments is UNSET
            with pytest.raises(ArgumentsError):
                assembler.finish()
    assert "too_deep" in seen
