"""The async twins of what is in `stream.py`: they differ in nothing but how they wait for bytes."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator
from types import TracebackType
from typing import TYPE_CHECKING, Self

from ..assembler import Assembler
from ..assembly.report import StreamReport
from ..errors import GemwireError
from ..models import Interaction, Step
from ..sse import SSEParser
from ..wire.events import DONE_DATA, decode_event
from .body import Chunk
from .finished import FinishedSteps
from .parser import MAX_EVENT_BYTES, TERMINATOR, InteractionParser
from .stream import end_of_bytes, final_of, last_event
from .text import TextPieces

if TYPE_CHECKING:
    from ..wire.events import Event

__all__ = ["AsyncInteractionStream", "aassemble", "aiter_events"]


class AsyncInteractionStream:
    """The async twin of `InteractionStream`: over an async iterable of bytes, `async for` events.

    Everything that reads is awaited: `until_done()`, `get_final_interaction()`, `aclose()`.
    """

    def __init__(
        self,
        chunks: AsyncIterable[Chunk],
        *,
        resume: Assembler | bytes | None = None,
        replay: bool = False,
        strict: bool = False,
        max_event_bytes: int = MAX_EVENT_BYTES,
    ) -> None:
        self._parser = InteractionParser(
            resume=resume, replay=replay, strict=strict, max_event_bytes=max_event_bytes
        )
        self._chunks = chunks
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

    async def get_final_interaction(self) -> Interaction:
        """Read to the end and return the Interaction; raises what `Assembler.finish` raises.

        An exception of the iterable becomes the cause of a `TruncatedStream`.
        """
        try:
            await self.until_done()
        except GemwireError:
            raise
        except Exception as error:
            self._failure = error
        return final_of(self._parser.finish, self._failure)

    async def get_final_text(self) -> str:
        """Read to the end and return `full_text`; see `InteractionStream.get_final_text`."""
        return (await self.get_final_interaction()).full_text

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
            await self._close_source()

    close = aclose

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def _run(self) -> AsyncGenerator[Event]:
        parser = self._parser
        take = parser.take
        try:
            async for chunk in self._chunks:
                for message in parser.messages(chunk):
                    event = take(message)
                    if event is not TERMINATOR:
                        yield event
            for event in parser.close():
                yield event
        except Exception as error:
            self._failure = end_of_bytes(parser, error)
            raise

    async def _close_source(self) -> None:
        aclose = getattr(self._chunks, "aclose", None)
        if aclose is not None:
            await aclose()


async def aassemble(
    chunks: AsyncIterable[Chunk],
    /,
    *,
    strict: bool = False,
    max_event_bytes: int = MAX_EVENT_BYTES,
) -> Interaction:
    """The async twin of `assemble`."""
    parser = InteractionParser(strict=strict, max_event_bytes=max_event_bytes)
    absorb = parser.absorb
    source = aiter(chunks)
    failure: Exception | None = None
    while True:
        try:
            chunk = await anext(source)
        except StopAsyncIteration:
            break
        except GemwireError:
            raise
        except Exception as error:
            failure = error
            break
        absorb(chunk)
    return final_of(parser.hand_over, failure)


async def aiter_events(
    chunks: AsyncIterable[Chunk],
    /,
    *,
    strict: bool = False,
    max_event_bytes: int = MAX_EVENT_BYTES,
) -> AsyncIterator[Event]:
    """The async twin of `iter_events`."""
    frames = SSEParser(max_event_bytes=max_event_bytes)
    async for chunk in chunks:
        for message in frames.feed(chunk):
            if message.data != DONE_DATA:
                yield decode_event(message.data, message.event, strict=strict)
    for event in last_event(frames, strict):
        yield event
