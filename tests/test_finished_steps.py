"""finished_steps(): each step when it has stopped, once, whatever comes again."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from gemwire import (
    AsyncInteractionStream,
    FunctionCallStep,
    InteractionStream,
    ResumePoint,
    StepStop,
    UserInputStep,
    follow,
)
from gemwire.replay import BUNDLED, Recording

from .answers import after, hop, long_answer, servers, uncut, whole, with_ids
from .test_legacy import WHOLE as LEGACY
from .wire import answer, arguments, completed, created, cut, later, mill, start, stop, stream

STREAMS = {
    **{name: Recording.load(name).stream for name in BUNDLED},
    **{f"body of {name}": body for name in BUNDLED if (body := Recording.load(name).body)},
    **{f"legacy: {case.name}": case.bytes for case in LEGACY},
    "long": whole(long_answer()),
}


def own(steps: Any) -> list[Any]:
    """The steps of an answer without input that leads it, and without half calls."""
    found = list(steps or ())
    while found and isinstance(found[0], UserInputStep):
        del found[0]
    return found


@pytest.mark.parametrize("name", STREAMS)
def test_they_are_those_of_the_answer(name: str) -> None:
    data = STREAMS[name]
    for chunks in ([data], cut(data, 50)):
        reader = InteractionStream(chunks)
        given = list(reader.finished_steps())
        final = own(reader.snapshot().steps)
        if reader.report.outcome in ("truncated", "error"):
            assert given == final[: len(given)]
            assert len(final) - len(given) <= 1, "but for the open one"
        else:
            assert given == final


@pytest.mark.parametrize("name", STREAMS)
def test_the_async_twin_gives_the_same(name: str) -> None:
    async def run() -> list[Any]:
        reader = AsyncInteractionStream(later(cut(STREAMS[name], 50)))
        return [step async for step in reader.finished_steps()]

    assert asyncio.run(run()) == list(InteractionStream(STREAMS[name]).finished_steps())


def test_each_comes_right_after_its_stop() -> None:
    data = Recording.load("function-calls").stream
    events = list(InteractionStream(data))
    reader = InteractionStream(data)
    seen = [reader.report.event_count for _ in reader.finished_steps()]
    assert seen == [at for at, event in enumerate(events, 1) if isinstance(event, StepStop)]


@pytest.mark.parametrize("every", [0, 2, 5])
@pytest.mark.parametrize("way", ["after the id", "from the start"])
def test_once_over_all_cuts(way: str, every: int) -> None:
    """Whether the server goes on or begins again, wherever it was cut."""
    events = with_ids(long_answer(), every) if every else long_answer()
    data, serve = whole(events), servers(events)["from the start" if not every else way]
    final = own(uncut(events).steps)
    for at in range(200, len(data) - 200, 67):

        def open_stream(point: ResumePoint | None, at: int = at) -> Iterator[bytes]:
            yield data[:at] if point is None else serve(point)

        with follow(open_stream, delay=0) as reader:
            assert list(reader.finished_steps()) == final, at


def test_once_over_several_cuts_and_hops() -> None:
    first = with_ids(hop("v1_a", "a", "b", status="requires_continuation"), 2)
    first[-1]["interaction"]["continuation_token"] = "t"
    second = with_ids(hop("v1_b", "c", "d"), 1)

    def open_stream(point: ResumePoint | None) -> list[bytes]:
        if point is None:
            return [whole(first)[:700]]
        if point.interaction_id == "v1_b":
            return [whole(after(second, point.last_event_id))]
        if point.continuation_token:
            return [whole(second)[:700]]
        return [whole(after(first, point.last_event_id))]

    with follow(open_stream, delay=0) as reader:
        given = list(reader.finished_steps())
    assert given == own(reader.get_final_interaction().steps)
    assert len(given) == 2


def test_no_call_without_its_arguments() -> None:
    data = answer(
        *mill(0),
        start(1, "function_call", id="f1", name="broken", arguments={}),
        arguments(1, '{"a":'),
        stop(1),
        start(2, "function_call", id="f2", name="missing"),
        stop(2),
        start(3, "function_call", id="f3", name="whole", arguments={}),
        arguments(3, '{"a":1}'),
        stop(3),
        start(4, "google_search_call", id="s1"),
        stop(4),
    )
    reader = InteractionStream(data)
    given = list(reader.finished_steps())
    calls = [step.id for step in given if isinstance(step, FunctionCallStep)]
    assert calls == ["f3"]
    assert [step.type for step in given] == ["model_output", "function_call", "google_search_call"]


def test_an_open_step_is_not_finished() -> None:
    data = stream(created(), *mill(0), start(1, "thought"), done=False)
    assert len(list(InteractionStream(data).finished_steps())) == 1
    ended = stream(created(), *mill(0), start(1, "thought"), completed())
    assert len(list(InteractionStream(ended).finished_steps())) == 2, "the end closes it"


def test_going_on_from_a_checkpoint() -> None:
    """`follow(resume=…)` asks for the rest first, and for nothing where the answer is complete."""
    events = with_ids(long_answer(), 2)
    data, serve = whole(events), servers(events)["after the id"]
    for at in range(200, len(data) - 200, 131):
        kept = InteractionStream(data[:at]).until_done().checkpoint()
        asked: list[ResumePoint | None] = []

        def open_stream(
            point: ResumePoint | None, asked: list[ResumePoint | None] = asked
        ) -> Iterator[bytes]:
            asked.append(point)
            assert point is not None
            yield serve(point)

        with follow(open_stream, resume=kept, delay=0) as reader:
            assert reader.get_final_interaction() == uncut(events)
            assert len(asked) == 1
            done = reader.checkpoint()
        with follow(open_stream, resume=done, delay=0) as again:
            assert again.get_final_interaction() == uncut(events)
            assert len(asked) == 1, "nothing is asked for"
