"""finished_steps(): each step when it has stopped, once, whatever comes again."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from gemwire import (
    DONE,
    Assembler,
    AsyncInteractionStream,
    FunctionCallStep,
    InteractionStream,
    ResumePoint,
    StepStop,
    UnknownStep,
    UserInputStep,
    afollow,
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


@pytest.mark.parametrize("every", [1, 2, 3, 5, 10**6])
@pytest.mark.parametrize("way", servers([]))
def test_once_over_a_cut_after_every_event(way: str, every: int) -> None:
    """Two cuts, the first one anywhere; the async twin gives the same."""
    events = with_ids(long_answer(), every)
    serve, final = servers(events)[way], own(uncut(events).steps)

    def opener(at: int) -> Any:
        asked: list[ResumePoint] = []

        def open_stream(point: ResumePoint | None) -> list[bytes]:
            if point is None:
                return [whole(events[:at]).removesuffix(DONE)]
            asked.append(point)
            response = serve(point)
            return [response[: len(response) // 2] if len(asked) == 1 else response]

        return open_stream

    async def given(at: int) -> list[Any]:
        open_stream = opener(at)
        async with afollow(lambda point: later(open_stream(point)), delay=0) as reader:
            return [step async for step in reader.finished_steps()]

    for at in range(1, len(events)):
        with follow(opener(at), delay=0) as reader:
            found = list(reader.finished_steps())
            assert found == final, at
        assert asyncio.run(given(at)) == found


@pytest.mark.parametrize("way", servers([]))
def test_once_over_a_crash(way: str) -> None:
    """What was acted on before the checkpoint is not given again by the next process."""
    events = with_ids(long_answer(), 3)
    data, serve, final = whole(events), servers(events)[way], own(uncut(events).steps)
    for at in range(200, len(data) - 200, 97):
        first = InteractionStream(data[:at])
        acted, kept = [], first.checkpoint()
        for step in first.finished_steps():
            acted.append(step)
            kept = first.checkpoint()
        before = len(acted)

        def open_stream(point: ResumePoint | None) -> list[bytes]:
            assert point is not None
            return [serve(point)]

        if Assembler.restore(kept).report.resume is None:
            continue  # killed before anything had come
        with follow(open_stream, resume=kept, delay=0) as second:
            acted += second.finished_steps()
        assert acted == final, (at, before)


def test_from_here_on() -> None:
    """In the middle of a stream, as `text_stream`: those that finish from here on."""
    reader = InteractionStream(answer(*mill(0), *mill(1), *mill(2)))
    for event in reader:
        if event.event_type == "step.stop":
            break
    assert list(reader.finished_steps()) == own(reader.snapshot().steps)[1:]


def test_input_in_front_is_not_given() -> None:
    """A read has it and the create had not: the places of the others do not change by it."""
    data = whole(long_answer())
    moved = [
        {**event, "index": event["index"] + 1} if "index" in event else event
        for event in long_answer()[2:]
    ]
    asked = [start(0, "user_input", content=[{"type": "text", "text": "Why?"}]), stop(0)]
    timeline = whole([*long_answer()[:2], *asked, *moved])
    final = own(uncut(long_answer()).steps)
    for at in range(600, len(data) - 300, 131):
        script = [data[:at], timeline]

        def open_stream(_: ResumePoint | None, script: list[bytes] = script) -> list[bytes]:
            return [script.pop(0)]

        with follow(open_stream, delay=0) as reader:
            assert list(reader.finished_steps()) == final, at


def test_a_hop_that_is_generated_again() -> None:
    """What was given and then dropped with the hop is not in the answer; what came for it is."""
    first = hop("v1_a", "one", status="requires_continuation", continuation_token="t")
    dropped, again = stream(*hop("v1_b", "two", "three")[:-1], done=False), hop("v1_c", "other")
    script = [stream(*first), dropped, stream(*again)]
    with follow(lambda _: [script.pop(0)], delay=0) as reader:
        given: list[Any] = list(reader.finished_steps())
    final = own(reader.snapshot().steps)
    assert [step.content[0].text for step in final] == ["one", "other"]
    assert [step.content[0].text for step in given] == ["one", "twothree"]


def test_no_call_of_an_unknown_kind_without_its_arguments() -> None:
    broken = [start(0, "loom_call", id="a"), arguments(0, '{"x":'), stop(0)]
    good = [start(1, "loom_call", id="b"), arguments(1, '{"x":1}'), stop(1)]
    given = list(InteractionStream(answer(*broken, *good)).finished_steps())
    assert [step.raw["id"] for step in given if isinstance(step, UnknownStep)] == ["b"]


def test_a_step_between_contents_of_the_legacy_generation() -> None:
    """It is given when it has stopped, not when the next one begins."""

    def content(index: int, kind: str, **members: Any) -> dict[str, Any]:
        return {
            "index": index,
            "content": {"type": kind, **members},
            "event_type": "content.start",
        }

    def end(index: int) -> dict[str, Any]:
        return {"index": index, "event_type": "content.stop"}

    events = [
        *(content(0, "text", text="a"), end(0)),
        content(1, "function_call", id="c", name="f", arguments={"x": 1}),
        *(content(2, "text", text="b"), end(2)),
        end(1),
    ]
    reader = InteractionStream(stream(created(), *events, completed()))
    seen = [(step.type, reader.report.event_count) for step in reader.finished_steps()]
    assert seen == [("model_output", 4), ("function_call", 7), ("model_output", 8)]
