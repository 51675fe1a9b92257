"""The async twins: what test_stream*.py say, over async iterables, in any event loop or in none."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Coroutine, Iterable
from typing import Any, TypeVar

import pytest

from gemwire import (
    Assembler,
    AsyncInteractionStream,
    DecodeError,
    Interaction,
    LimitExceeded,
    ServerError,
    TruncatedStream,
    aassemble,
    aiter_events,
    assemble,
)

from .streams import (
    BEGUN,
    DATA,
    EVENTS,
    HTML,
    LAST,
    MILL,
    NOT_TO_SPEC,
    ONE_LINE,
    SENT,
    SIZES,
    TEXTS,
    WHOLE,
    Broken,
)
from .wire import answer, by_frames, completed, created, cut, error, later, start, stream

T = TypeVar("T")


class Source:
    """An async iterable of chunks that counts how often it is closed, and may break."""

    def __init__(self, chunks: Iterable[bytes], breaks: BaseException | None = None) -> None:
        self.chunks = iter(chunks)
        self.breaks = breaks
        self.closed = 0
        self.taken = 0

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        try:
            chunk = next(self.chunks)
        except StopIteration:
            raise self.breaks or StopAsyncIteration from None
        self.taken += 1
        return chunk

    async def aclose(self) -> None:
        self.closed += 1


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run what never waits for anything without an event loop: it must not need one."""
    try:
        coroutine.send(None)
    except StopIteration as finished:
        return finished.value  # type: ignore[no-any-return]
    raise AssertionError("it waited for something")


async def collect(source: AsyncIterable[T]) -> list[T]:
    return [item async for item in source]


@pytest.mark.parametrize("size", SIZES)
def test_events_are_yielded_as_sent(size: int) -> None:
    assert run(collect(AsyncInteractionStream(later(cut(DATA, size))))) == SENT
    assert run(collect(aiter_events(later(cut(DATA, size))))) == SENT
    assert run(aassemble(later(cut(DATA, size)))) == WHOLE


@pytest.mark.parametrize("size", SIZES)
def test_state_is_that_of_the_event_just_yielded(size: int) -> None:
    async def main() -> None:
        assembler = Assembler()
        reader = AsyncInteractionStream(later(cut(DATA, size)))
        async for event in reader:
            assembler.apply(event)
            assert reader.snapshot() == assembler.snapshot()
            assert reader.report.event_count == assembler.report.event_count
        assert reader.step(1) == assembler.step(1)

    run(main())


def test_every_public_method() -> None:
    async def main() -> None:
        async with AsyncInteractionStream(later(by_frames(DATA))) as reader:
            assert await anext(reader) == SENT[0]
            async for event in reader:
                assert event == SENT[1]
                break
            assert await reader.until_done() is reader
            assert await reader.get_final_interaction() == WHOLE
            assert await reader.get_final_interaction() == WHOLE
            assert await reader.get_final_text() == "A mill – by the sea"
            assert reader.snapshot() == WHOLE
            assert reader.report.outcome == "requires_action"
            assert reader.report.byte_count == len(DATA)
            assert reader.step(2).type == "function_call"
            with pytest.raises(StopAsyncIteration):
                await anext(reader)
        await reader.close()

    run(main())


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("size", [1, 10_000])
def test_text_stream(name: str, size: int) -> None:
    events, pieces = TEXTS[name]
    reader = AsyncInteractionStream(later(cut(answer(*events), size)))
    assert run(collect(reader.text_stream)) == pieces
    assert run(reader.get_final_text()) == "".join(pieces)


def test_kinds_of_chunks() -> None:
    async def chunks() -> AsyncIterator[Any]:
        for position, chunk in enumerate(cut(DATA, 50)):
            yield (bytes, bytearray, memoryview)[position % 3](chunk)

    assert run(AsyncInteractionStream(chunks()).get_final_interaction()) == WHOLE
    assert run(aassemble(chunks())) == WHOLE


# ---- the iterable raises


@pytest.mark.parametrize("size", [50, 10_000])
def test_iterable_that_raises(size: int) -> None:
    data, problem = stream(*EVENTS[:8], done=False), Broken("reset by peer")

    async def main() -> None:
        reader = AsyncInteractionStream(Source(cut(data, size), problem))
        seen = []

        async def read_on() -> None:
            async for event in reader:
                seen.append(event)  # noqa: PERF401

        with pytest.raises(Broken) as caught:
            await read_on()
        assert seen == SENT[:8]
        assert caught.value is problem
        assert reader.report.outcome == "truncated"
        with pytest.raises(TruncatedStream) as cut_short:
            await reader.get_final_interaction()
        assert cut_short.value.__cause__ is problem

        reads: list[Callable[[Source], Awaitable[Any]]] = [
            aassemble,
            lambda source: AsyncInteractionStream(source).get_final_interaction(),
            lambda source: AsyncInteractionStream(source).get_final_text(),
        ]
        for read in reads:
            with pytest.raises(TruncatedStream) as cut_short:
                await read(Source(cut(data, size), problem))
            assert cut_short.value.__cause__ is problem
            assert cut_short.value.interaction is not None
            assert cut_short.value.interaction.output_text == "A mill – "

    run(main())


def test_iterable_that_raises_after_the_end() -> None:
    assert run(aassemble(Source([DATA], Broken()))) == WHOLE
    reader = AsyncInteractionStream(Source([DATA], Broken()))
    assert run(reader.get_final_interaction()) == WHOLE
    failed = stream(created(), error({"code": 503}))
    with pytest.raises(ServerError):
        run(aassemble(Source([failed], Broken())))


def test_cancellation_goes_through() -> None:
    """A cancelled task is no truncated stream."""

    async def never() -> AsyncIterator[bytes]:
        yield BEGUN
        await asyncio.sleep(3600)

    async def main(read: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        task = asyncio.create_task(read())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main(lambda: aassemble(never())))
    reader = AsyncInteractionStream(never())
    asyncio.run(main(reader.get_final_interaction))
    assert reader.report.outcome in ("in_progress", "truncated")
    assert reader.snapshot().output_text == "A "


# ---- closing


def test_close_at_the_end() -> None:
    async def main() -> None:
        source = Source(cut(DATA, 50))
        async with AsyncInteractionStream(source) as reader:
            assert await reader.get_final_interaction() == WHOLE
            assert source.closed == 1  # whether there is a `with` or not
        assert source.closed == 1
        assert reader.report.outcome == "requires_action"

    run(main())


def test_close_after_an_early_break() -> None:
    async def main() -> None:
        source = Source(by_frames(DATA))
        async with AsyncInteractionStream(source) as reader:
            async for event in reader:
                if event.event_type == "step.delta":
                    break
        assert source.closed == 1
        assert source.taken == 4
        assert reader.report.outcome == "truncated"
        assert await collect(reader) == []
        with pytest.raises(TruncatedStream):
            await reader.get_final_interaction()

    run(main())


def test_close_on_an_exception() -> None:
    async def act(source: Source) -> None:
        async with AsyncInteractionStream(source) as reader:
            async for _ in reader:
                raise Broken

    async def read_on(source: Source) -> None:
        async with AsyncInteractionStream(source) as reader:
            await reader.until_done()

    async def main() -> None:
        source = Source(by_frames(DATA))
        with pytest.raises(Broken):
            await act(source)
        breaking = Source(by_frames(DATA)[:3], Broken())
        with pytest.raises(Broken):
            await read_on(breaking)
        assert source.closed == breaking.closed == 1

    run(main())


@pytest.mark.parametrize("method", ["aclose", "close"])
def test_close_before_anything_and_twice(method: str) -> None:
    async def main() -> None:
        source = Source(by_frames(DATA))
        reader = AsyncInteractionStream(source)
        await getattr(reader, method)()
        assert (source.closed, source.taken) == (1, 0)
        assert reader.report.outcome == "truncated"
        assert await collect(reader) == []
        await getattr(reader, method)()

    run(main())


def test_close_closes_an_async_generator() -> None:
    ended = []

    async def chunks() -> AsyncIterator[bytes]:
        try:
            for chunk in by_frames(DATA):
                yield chunk
        finally:
            ended.append(True)

    async def main() -> None:
        ended.clear()
        async with AsyncInteractionStream(chunks()) as reader:
            await anext(reader)
            assert ended == []
        assert ended == [True]

    run(main())
    asyncio.run(main())


def test_close_of_what_cannot_be_closed() -> None:
    class Plain:
        def __aiter__(self) -> AsyncIterator[bytes]:
            return Source([DATA])

    async def main() -> None:
        async with AsyncInteractionStream(Plain()) as reader:
            await anext(reader)

    run(main())


def test_the_source_is_not_closed_under_a_reader_that_goes_on() -> None:
    async def main() -> None:
        source = Source(by_frames(DATA))
        reader = AsyncInteractionStream(source)
        async for _ in reader:
            break
        texts = reader.text_stream
        async for _ in texts:
            break
        assert source.closed == 0
        assert await reader.get_final_interaction() == WHOLE

    run(main())


# ---- the rest is shared with the sync twin: a sample of each


@pytest.mark.parametrize("name", NOT_TO_SPEC)
def test_strict(name: str) -> None:
    data = stream(created(), start(0, "model_output"), NOT_TO_SPEC[name], completed())

    async def main() -> None:
        reader = AsyncInteractionStream(later([data]), strict=True)
        assert [await anext(reader), await anext(reader)] == [SENT[0], BARE_START]
        with pytest.raises(DecodeError):
            await anext(reader)
        with pytest.raises(DecodeError):
            await aassemble(later([data]), strict=True)
        with pytest.raises(DecodeError):
            await collect(aiter_events(later([data]), strict=True))

    run(main())


BARE_START = run(collect(aiter_events(later([stream(start(0, "model_output"))]))))[0]


def test_limit() -> None:
    data = BEGUN + b"data: " + b"x" * 5000

    async def main() -> None:
        reads: list[Callable[[], Awaitable[Any]]] = [
            lambda: aassemble(later([data]), max_event_bytes=1000),
            lambda: collect(aiter_events(later([data]), max_event_bytes=1000)),
            AsyncInteractionStream(later([data]), max_event_bytes=1000).until_done,
        ]
        for read in reads:
            with pytest.raises(LimitExceeded):
                await read()

    run(main())


@pytest.mark.parametrize("data", [b"", HTML, ONE_LINE.encode(), BEGUN, LAST[:-1], LAST[:-9], DATA])
def test_same_as_the_sync_twin(data: bytes) -> None:
    async def main() -> Interaction | type[Exception]:
        try:
            return await aassemble(later(cut(data, 13)))
        except (TruncatedStream, ServerError) as problem:
            return type(problem)

    expected: Interaction | type[Exception]
    try:
        expected = assemble(data)
    except (TruncatedStream, ServerError) as problem:
        expected = type(problem)
    assert run(main()) == asyncio.run(main()) == expected


def test_two_streams_at_once() -> None:
    """Each has a state of its own."""

    async def slowly(chunks: Iterable[bytes]) -> AsyncIterator[bytes]:
        for chunk in chunks:
            await asyncio.sleep(0)
            yield chunk

    async def main() -> None:
        first, second = await asyncio.gather(
            aassemble(slowly(cut(DATA, 40))), aassemble(slowly(cut(answer(*MILL), 7)))
        )
        assert first == WHOLE
        assert second.output_text == "A mill"

    asyncio.run(main())
