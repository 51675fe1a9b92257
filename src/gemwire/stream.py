"""The three joined: chunks of bytes → messages → events → Interaction.

`InteractionStream` and its async twin differ in nothing but how they wait for bytes; what is done
with the bytes is in `StreamCore`. A stream is not finished until the server said so, and what it
said outside of the events counts too: a bare JSON error is an error, a JSON body is the answer.
"""

from __future__ import annotations

from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Generator,
    Iterable,
    Iterator,
)
from contextlib import suppress
from types import TracebackType
from typing import Self

from .assembler import DONE_DATA, Assembler
from .codec import Event, decode_event
from .core import MAX_EVENT_BYTES, Chunk, StreamCore, TextPieces
from .errors import GemwireError, TruncatedStream
from .models import Interaction, Step
from .report import StreamReport
from .sse import SSEParser

__all__ = [
    "AsyncInteractionStream",
    "InteractionStream",
    "aassemble",
    "aiter_events",
    "assemble",
    "iter_events",
]


class _Stream:
    """What both kinds of streams offer that needs no waiting."""

    _core: StreamCore
    _failure: Exception | None = None  # what the caller's iterable raised

    @property
    def report(self) -> StreamReport:
        """What happened so far; complete once the stream is over."""
        return self._core.report

    def snapshot(self) -> Interaction:
        """The Interaction as of the last event that was yielded; see `Assembler.snapshot`."""
        return self._core.assembler.snapshot()

    def step(self, index: int) -> Step:
        """One step as of the last event that was yielded; see `Assembler.step`."""
        return self._core.assembler.step(index)

    def _failed(self, error: Exception) -> None:
        if isinstance(error, GemwireError):
            self._core.assembler.settle()
        else:  # to the stream it is the end of the bytes
            self._failure = error
            with suppress(GemwireError):  # what was wrong with the bytes is not what broke it
                self._core.end()
            self._core.assembler.settle()

    def checkpoint(self) -> bytes:
        """The state as of the last event that was yielded, as bytes; see `Assembler.checkpoint`."""
        return self._core.assembler.checkpoint()

    def _finish(self) -> Interaction:
        try:
            return self._core.assembler.finish()
        except TruncatedStream as error:
            raise error from self._failure


class InteractionStream(_Stream):
    """A stream of an interaction, over any iterable of bytes.

        with InteractionStream(response.iter_bytes()) as stream:
            for event in stream:
                match event:
                    case StepDelta(delta=TextDelta(text=text)):
                        print(text, end="")
        interaction = stream.get_final_interaction()

    Args:
        chunks: the bytes of the response body, cut anywhere; or the whole as one bytes object. It
            is closed with the stream if it has a `close()`.
        resume: what an earlier stream of the same answer assembled, or a checkpoint of it; `chunks`
            is then the response to a request made with `report.resume`. See `gemwire.resume` for
            how it goes on. An event that brings nothing new is yielded all the same.
        replay: the server begins from the start, whatever was held; with `resume` it is compared.
        strict: raise DecodeError for events that are not to spec, in place of `Unknown…` objects.
        max_event_bytes: how large one event may be.

    Iterating yields the events as they were sent. It raises LimitExceeded, DecodeError if `strict`,
    and what the iterable itself raises; never for what the server said: see `report`.
    """

    def __init__(
        self,
        chunks: Iterable[Chunk] | Chunk,
        *,
        resume: Assembler | bytes | None = None,
        replay: bool = False,
        strict: bool = False,
        max_event_bytes: int = MAX_EVENT_BYTES,
    ) -> None:
        self._core = StreamCore(
            resume=resume, replay=replay, strict=strict, max_event_bytes=max_event_bytes
        )
        self._chunks = _source(chunks)
        self._events = self._run()

    def __iter__(self) -> Iterator[Event]:
        return self._events

    def __next__(self) -> Event:
        return next(self._events)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _run(self) -> Generator[Event]:
        core = self._core
        take = core.take
        try:
            for chunk in self._chunks:
                for message in core.feed(chunk):
                    event = take(message)
                    if event is not None:
                        yield event
            event = core.end()
            if event is not None:
                yield event
        except Exception as error:
            self._failed(error)
            raise

    @property
    def text_stream(self) -> Iterator[str]:
        """The text of the answer, piece by piece, from here on; consumes the stream."""
        pieces = TextPieces(self._core.assembler)
        for event in self:
            if text := pieces.of(event):
                yield text
        if text := pieces.rest():
            yield text

    def until_done(self) -> Self:
        """Read to the end, without looking at the events; returns the stream itself."""
        for _ in self:
            pass
        return self

    def get_final_interaction(self) -> Interaction:
        """Read to the end and return the Interaction; raises what `Assembler.finish` raises.

        An exception of the iterable becomes the cause of a `TruncatedStream`.
        """
        try:
            self.until_done()
        except GemwireError:
            raise
        except Exception as error:
            self._failure = error
        return self._finish()

    def get_final_text(self) -> str:
        """Read to the end and return `output_text`; raises what `get_final_interaction` raises."""
        return self.get_final_interaction().output_text

    def close(self) -> None:
        """Stop reading and close the source. The outcome is `truncated` unless it was decided."""
        self._events.close()
        self._core.assembler.settle()
        self._close_source()

    def _close_source(self) -> None:
        close = getattr(self._chunks, "close", None)
        if close is not None:
            close()


class AsyncInteractionStream(_Stream):
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
        self._core = StreamCore(
            resume=resume, replay=replay, strict=strict, max_event_bytes=max_event_bytes
        )
        self._chunks = chunks
        self._events = self._run()

    def __aiter__(self) -> AsyncIterator[Event]:
        return self._events

    async def __anext__(self) -> Event:
        return await anext(self._events)

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
        core = self._core
        take = core.take
        try:
            async for chunk in self._chunks:
                for message in core.feed(chunk):
                    event = take(message)
                    if event is not None:
                        yield event
            event = core.end()
            if event is not None:
                yield event
        except Exception as error:
            self._failed(error)
            raise

    @property
    async def text_stream(self) -> AsyncIterator[str]:
        """The text of the answer, piece by piece, from here on; consumes the stream."""
        pieces = TextPieces(self._core.assembler)
        async for event in self:
            if text := pieces.of(event):
                yield text
        if text := pieces.rest():
            yield text

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
        return self._finish()

    async def get_final_text(self) -> str:
        """Read to the end and return `output_text`; raises what `get_final_interaction` raises."""
        return (await self.get_final_interaction()).output_text

    async def aclose(self) -> None:
        """Stop reading and close the source. The outcome is `truncated` unless it was decided."""
        await self._events.aclose()
        self._core.assembler.settle()
        await self._close_source()

    async def _close_source(self) -> None:
        aclose = getattr(self._chunks, "aclose", None)
        if aclose is not None:
            await aclose()

    close = aclose


def _source(chunks: Iterable[Chunk] | Chunk) -> Iterable[Chunk]:
    """One bytes object is one chunk, not an iterable of ints."""
    if isinstance(chunks, bytes | bytearray | memoryview):
        return [bytes(chunks)]
    return chunks


def assemble(
    chunks: Iterable[Chunk] | Chunk,
    /,
    *,
    strict: bool = False,
    max_event_bytes: int = MAX_EVENT_BYTES,
) -> Interaction:
    """Read a whole stream and return the Interaction that the same call gives without streaming.

    Raises:
        TruncatedStream: it ended, or its iterable raised, before the server had finished.
        ServerError: the server sent an error, as an event or as bare JSON.
        ArgumentsError: the arguments of a call are no JSON object.
        LimitExceeded: an event is larger than `max_event_bytes`.
        DecodeError: only if `strict`, for what is not to spec.
    """
    core = StreamCore(strict=strict, max_event_bytes=max_event_bytes)
    source = iter(_source(chunks))
    failure: Exception | None = None
    while True:  # only what the iterable raises is a cut, not what is raised in here
        try:
            chunk = next(source)
        except StopIteration:
            break
        except GemwireError:
            raise
        except Exception as error:
            failure = error
            break
        core.take_all(chunk)
    return _final(core, failure)


async def aassemble(
    chunks: AsyncIterable[Chunk],
    /,
    *,
    strict: bool = False,
    max_event_bytes: int = MAX_EVENT_BYTES,
) -> Interaction:
    """The async twin of `assemble`."""
    core = StreamCore(strict=strict, max_event_bytes=max_event_bytes)
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
        core.take_all(chunk)
    return _final(core, failure)


def _final(core: StreamCore, failure: Exception | None) -> Interaction:
    core.end()
    try:
        return core.assembler.finish()
    except TruncatedStream as error:
        raise error from failure


def iter_events(
    chunks: Iterable[Chunk] | Chunk,
    /,
    *,
    strict: bool = False,
    max_event_bytes: int = MAX_EVENT_BYTES,
) -> Iterator[Event]:
    """The typed events of a stream, and nothing else.

    Nothing is assembled and there is no verdict: whoever must know whether the stream was complete
    uses `InteractionStream`. Raises LimitExceeded, and DecodeError if `strict`.
    """
    parser = SSEParser(max_event_bytes=max_event_bytes)
    for chunk in _source(chunks):
        for message in parser.feed(chunk):
            if message.data != DONE_DATA:
                yield decode_event(message.data, message.event, strict=strict)
    parser.close()  # raises LimitExceeded if the last event was too large


async def aiter_events(
    chunks: AsyncIterable[Chunk],
    /,
    *,
    strict: bool = False,
    max_event_bytes: int = MAX_EVENT_BYTES,
) -> AsyncIterator[Event]:
    """The async twin of `iter_events`."""
    parser = SSEParser(max_event_bytes=max_event_bytes)
    async for chunk in chunks:
        for message in parser.feed(chunk):
            if message.data != DONE_DATA:
                yield decode_event(message.data, message.event, strict=strict)
    parser.close()  # raises LimitExceeded if the last event was too large
