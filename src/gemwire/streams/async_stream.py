"""The async twins of what is in `stream.py`: they differ in nothing but how they wait for bytes."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Iterable
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Self

from ..assembler import Assembler, grow
from ..assembly.report import StreamReport
from ..assembly.verdict import OnDamage
from ..errors import GemwireError
from ..models import Interaction, Step
from .body import Chunk, frames_of
from .finished import FinishedSteps
from .lane import Frames, Run
from .parser import MANY_CHUNKS, MAX_EVENT_BYTES, SMALL_CHUNK, InteractionParser
from .source import AsyncSource, checked
from .stream import cut_of, end_of_bytes, event_of, final_of, last_event
from .text import TextPieces

if TYPE_CHECKING:
    from ..wire.events import Event

__all__ = ["AsyncInteractionStream", "aassemble", "aiter_events"]


class AsyncInteractionStream:
    """The async twin of `InteractionStream`: over an async iterable of bytes, `async for` events.

    It takes what the twin takes too: one bytes object, or a plain iterable of bytes, which it reads
    without waiting. What has an `aclose()` or `close()` is closed as there.
    Everything that reads is awaited: `until_done()`, `get_final_interaction()`, `aclose()`.
    """

    def __init__(
        self,
        chunks: AsyncIterable[Chunk] | Iterable[Chunk] | Chunk,
        *,
        resume: Assembler | bytes | None = None,
        replay: bool = False,
        strict: bool = False,
        max_event_bytes: int = MAX_EVENT_BYTES,
    ) -> None:
        self._source = AsyncSource(chunks)
        self._parser = InteractionParser(
            resume=resume, replay=replay, strict=strict, max_event_bytes=max_event_bytes
        )
        self._failure: Exception | None = None  # what the caller's iterable raised
        self._events = self._run()

    # ---- read

    def __aiter__(self) -> AsyncIterator[Event]:
        return self._events

    async def __anext__(self) -> Event:
        return await anext(self._events)

    @property
    async def text_stream(self) -> AsyncIterator[str]:
        """The text of the answer, piece by piece; see `InteractionStream.text_stream`."""
        pieces = TextPieces(self._parser.assembler)
        async for event in self:
            if text := pieces.of(event):
                yield text
        if text := pieces.rest():
            yield text

    async def finished_steps(self) -> AsyncIterator[Step]:
        """Each step when it has stopped; see `InteractionStream.finished_steps`."""
        finished = FinishedSteps(self._parser.assembler)
        async for event in self:
            for step in finished.after(event):
                yield step
        for step in finished.rest():
            yield step

    async def until_done(self) -> Self:
        """Read to the end, without looking at the events; returns the stream itself."""
        async for _ in self:
            pass
        return self

    async def get_final_interaction(self, *, damaged: OnDamage = "raise") -> Interaction:
        """Read to the end and return the Interaction; see `InteractionStream`."""
        try:
            await self.until_done()
        except GemwireError:
            raise
        except Exception as error:
            self._failure = error
        return final_of(partial(self._parser.finish, damaged=damaged), self._failure)

    async def get_final_text(self, *, damaged: OnDamage = "raise") -> str:
        """Read to the end and return `full_text`; see `InteractionStream.get_final_text`."""
        return (await self.get_final_interaction(damaged=damaged)).full_text

    # ---- as of the last event that was yielded

    @property
    def report(self) -> StreamReport:
        """What happened so far, as a value; complete once the stream is over."""
        return self._parser.report

    def snapshot(self) -> Interaction:
        """The Interaction as of the last event that was yielded; see `Assembler.snapshot`."""
        return self._parser.snapshot()

    def step(self, index: int) -> Step:
        """One step as of the last event that was yielded; see `Assembler.step`."""
        return self._parser.step(index)

    def checkpoint(self) -> bytes:
        """The state as of the last event that was yielded, as bytes; see `Assembler.checkpoint`."""
        return self._parser.checkpoint()

    # ---- over

    async def aclose(self) -> None:
        """Stop reading and close the source. The outcome is `truncated` unless it was decided."""
        try:
            await self._events.aclose()
            self._parser.assembler.settle()
        finally:
            await self._source.aclose()

    close = aclose

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is not None:
            await self._source.abandon()
        await self.aclose()

    async def _run(self) -> AsyncGenerator[Event]:
        parser = self._parser
        lone, assembler = parser.lone, parser.assembler
        try:
            async for chunk in self._source:
                if (event := lone(chunk)) is not None:
                    grow(assembler, event)
                    yield event
                    continue
                if type(chunk) is not bytes:
                    checked(chunk)
                for event in parser.taken(parser.messages(chunk)):
                    yield event
            for event in parser.close():
                yield event
        except Exception as error:
            self._failure = end_of_bytes(parser, error)
            raise
        finally:
            await self._source.abandon()


async def aassemble(
    chunks: AsyncIterable[Chunk] | Iterable[Chunk] | Chunk,
    /,
    *,
    strict: bool = False,
    max_event_bytes: int = MAX_EVENT_BYTES,
    damaged: OnDamage = "raise",
) -> Interaction:
    """The async twin of `assemble`; it takes a plain iterable and one bytes object too."""
    source = AsyncSource(chunks)
    parser = InteractionParser(strict=strict, max_event_bytes=max_event_bytes)
    unread: list[bytes] = []
    failure: Exception | None = None
    try:
        async for chunk in source:
            unread.append(chunk if type(chunk) is bytes else bytes(checked(chunk)))
            if len(unread) == MANY_CHUNKS or len(chunk) > SMALL_CHUNK:
                parser.absorb(unread)
                unread.clear()
    except Exception as error:
        failure = cut_of(error)
    finally:
        await source.abandon()
    parser.absorb(unread)
    return final_of(partial(parser.hand_over, damaged=damaged), failure)


def aiter_events(
    chunks: AsyncIterable[Chunk] | Iterable[Chunk] | Chunk,
    /,
    *,
    strict: bool = False,
    max_event_bytes: int = MAX_EVENT_BYTES,
) -> AsyncIterator[Event]:
    """The async twin of `iter_events`; it takes a plain iterable and one bytes object too."""
    return _events_of(AsyncSource(chunks), frames_of(max_event_bytes), strict)


async def _events_of(source: AsyncSource, frames: Frames, strict: bool) -> AsyncIterator[Event]:
    lone = frames.lone
    try:
        async for chunk in source:
            if (event := lone(chunk)) is not None:
                yield event
                continue
            for message in frames.feed_frames(checked(chunk)):
                if type(message) is Run:
                    for event in message.events():
                        yield event
                elif (event := event_of(message, strict)) is not None:
                    yield event
        for event in last_event(frames, strict):
            yield event
    finally:
        await source.abandon()
