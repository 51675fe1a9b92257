"""`finished_steps()`: each step once, when it has stopped, whatever comes again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from gemwire import (
    ArgumentsError,
    AsyncInteractionStream,
    InteractionStream,
    ResumePoint,
    Step,
    afollow,
    assemble,
    follow,
    to_dict,
)
from gemwire.replay import BUNDLED, Recording

from .answers import hop, long_answer, servers, uncut, whole, with_ids
from .wire import (
    MILL,
    Payload,
    answer,
    arguments,
    by_frames,
    completed,
    created,
    cut,
    dumps,
    later,
    mill,
    said,
    start,
    stop,
    stream,
    text,
    update,
)


def finished(data: bytes, size: int = 0) -> list[Any]:
    chunks = cut(data, size) if size else [data]
    return [to_dict(step) for step in InteractionStream(chunks).finished_steps()]


def finished_async(data: bytes) -> list[Any]:
    async def run() -> list[Any]:
        reader = AsyncInteractionStream(later(cut(data, 50)))
        return [to_dict(step) async for step in reader.finished_steps()]

    return asyncio.run(run())


CALL_STEP: Payload = {"type": "function_call", "id": "f1", "name": "tide"}
BROKEN = [start(1, "function_call", id="f1", name="tide"), arguments(1, '{"po'), stop(1)]
WHOLE_CALL = [
    start(0, "function_call", id="f1", name="tide", arguments={}),
    arguments(0, '{"port":"Rye"}'),
    stop(0),
]

STEPS: dict[str, tuple[bytes, list[Payload]]] = {
    "in order": (answer(*mill(0, "a"), *mill(1, "b")), [said("a"), said("b")]),
    "without a stop, at the end": (answer(*mill(0, "a")[:2]), [said("a")]),
    "never one that was cut": (stream(created(), *mill(0, "a"), *mill(1, "b")[:2]), [said("a")]),
    "a call with its arguments": (
        answer(*WHOLE_CALL),
        [{**CALL_STEP, "arguments": {"port": "Rye"}}],
    ),
    "no call whose arguments are broken": (answer(*mill(0, "a"), *BROKEN), [said("a")]),
    "no call without arguments": (
        answer(start(0, "function_call", id="f1", name="tide"), stop(0), *mill(1, "a")),
        [said("a")],
    ),
    "not the input that leads": (
        answer(start(0, "user_input", content=[MILL]), stop(0), *mill(1, "a")),
        [said("a")],
    ),
    "a stop that came twice": (answer(*mill(0, "a"), stop(0)), [said("a")]),
    "a start that came twice": (
        answer(start(0, "model_output"), *mill(0, "a")),
        [said("a")],
    ),
    "a second start of an index": (answer(*mill(0, "a"), *mill(0, "b")), [said("a"), said("b")]),
    "steps of the terminal event": (
        stream(created(), completed(steps=[said("a"), said("b")])),
        [said("a"), said("b")],
    ),
    "without an index": (
        answer(start(None, "model_output"), text(None, "a"), stop(None)),
        [said("a")],
    ),
    "of a body": (
        dumps({"id": "v1_a", "status": "completed", "steps": [said("a")]}).encode(),
        [said("a")],
    ),
    "none of a body that goes on": (
        dumps({"id": "v1_a", "status": "in_progress", "steps": [said("a")]}).encode(),
        [],
    ),
    "of two hops": (
        stream(
            *hop("v1_a", "a", status="requires_continuation", continuation_token="t1"),
            *hop("v1_b", "b"),
        ),
        [said("a"), said("b")],
    ),
    "of an answer that begins again": (
        stream(
            created(), *mill(0, "a"), *mill(1, "b")[:2], created(), *mill(0, "a"), *mill(1, "b"),
            completed(),
        ),
        [said("a"), said("b")],
    ),
    "of the legacy generation: a run is one step": (
        stream(
            {"interaction": {"id": "v1_a"}, "event_type": "interaction.start"},
            {"event_type": "content.start", "index": 0, "content": {"type": "text", "text": "a"}},
            {"event_type": "content.stop", "index": 0},
            {"event_type": "content.start", "index": 1, "content": {"type": "text", "text": "b"}},
            {"event_type": "content.stop", "index": 1},
            {"event_type": "content.start", "index": 2, "content": {"type": "thought"}},
            {"event_type": "content.stop", "index": 2},
            {
                "interaction": {"id": "v1_a", "status": "completed"},
                "event_type": "interaction.complete",
            },
        ),
        [
            {"type": "model_output", "content": [said("a")["content"][0], said("b")["content"][0]]},
            {"type": "thought"},
        ],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", STEPS)
def test_each_step_once(name: str) -> None:
    data, steps = STEPS[name]
    for size in (0, 1, 97):
        assert finished(data, size) == steps
    assert finished_async(data) == steps


def test_a_step_comes_with_the_event_that_ends_it() -> None:
    data = answer(*mill(0, "a"), start(1, "thought"), stop(1), *mill(2, "b"))
    reader = InteractionStream(by_frames(data))
    seen = [(step.type, reader.report.event_count) for step in reader.finished_steps()]
    assert seen == [("model_output", 5), ("thought", 7), ("model_output", 10)]


def test_a_broken_call_is_in_the_report_and_raised() -> None:
    reader = InteractionStream(answer(start(0, "thought"), *BROKEN))
    assert [step.type for step in reader.finished_steps()] == ["thought"]
    assert ("arguments", 1) in [(issue.kind, issue.index) for issue in reader.report.issues]
    with pytest.raises(ArgumentsError):
        reader.get_final_interaction()


def test_they_are_the_callers() -> None:
    reader = InteractionStream(answer(*WHOLE_CALL, *mill(1, "a")))
    for step in reader.finished_steps():
        getattr(step, "arguments", {}).clear()
        getattr(step, "content", []).clear()
    assert to_dict(reader.get_final_interaction())["steps"] == [
        {**CALL_STEP, "arguments": {"port": "Rye"}},
        said("a"),
    ]


@pytest.mark.parametrize("name", BUNDLED)
def test_those_of_a_recording_are_those_of_its_answer(name: str) -> None:
    recording = Recording.load(name)
    reader = InteractionStream(recording.frames())
    steps = [to_dict(step) for step in reader.finished_steps()]
    if reader.report.outcome in ("error", "truncated"):
        held = to_dict(reader.snapshot())["steps"]
        assert steps == held[: len(steps)]
    else:
        assert steps == to_dict(reader.get_final_interaction())["steps"]


# ---- over cuts

EVENTS = with_ids(long_answer(), 2)
DATA = whole(EVENTS)
SERVERS = servers(EVENTS)
CUTS = range(0, len(DATA), 61)


def opener(
    data: bytes, at: int, serve: Callable[[ResumePoint], bytes]
) -> Callable[[ResumePoint | None], list[bytes]]:
    """A stream that is cut there; then what the server says, the whole if nothing had come."""
    first = iter([data[:at]])

    def opened(point: ResumePoint | None) -> list[bytes]:
        rest = data if point is None else serve(point)
        return cut(next(first, rest), 100)

    return opened


@pytest.mark.parametrize("server", SERVERS)
def test_once_over_all_reopenings(server: str) -> None:
    expected = to_dict(uncut(EVENTS))["steps"]
    for at in CUTS:
        steps: list[Step] = []
        with follow(opener(DATA, at, SERVERS[server]), sleep=lambda _: None) as reader:
            steps += reader.finished_steps()
            assert list(map(to_dict, steps)) == expected, at
            assert reader.get_final_interaction() == assemble(DATA)


@pytest.mark.parametrize("server", SERVERS)
def test_once_over_all_reopenings_async(server: str) -> None:
    async def nap(_: float) -> None:
        return None

    async def run(at: int) -> list[Any]:
        sync = opener(DATA, at, SERVERS[server])
        async with afollow(lambda point: later(sync(point)), sleep=nap) as reader:
            return [to_dict(step) async for step in reader.finished_steps()]

    expected = to_dict(uncut(EVENTS))["steps"]
    for at in CUTS[::5]:
        assert asyncio.run(run(at)) == expected, at


def test_once_over_hops_and_cuts() -> None:
    first = hop("v1_a", "a", "b", status="requires_continuation", continuation_token="t1")
    second = hop("v1_b", "c")
    data = whole(first)

    def serve(point: ResumePoint) -> bytes:
        return whole(second) if point.continuation_token else data

    for at in range(0, len(data), 41):
        with follow(opener(data, at, serve), sleep=lambda _: None) as reader:
            steps = [to_dict(step) for step in reader.finished_steps()]
        assert steps == [said("ab"), said("c")], at


def test_an_update_between_changes_nothing() -> None:
    data = answer(*mill(0, "a"), update(), update("queued"), *mill(1, "b"))
    assert finished(data) == [said("a"), said("b")]
