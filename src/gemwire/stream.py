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
from types import TracebackType
from typing import Any, Final, Self, TypeAlias

from msgspec import UNSET

from .assembler import DONE_DATA, Assembler
from .base import Unknown, read_json
from .codec import EVENT_DECODERS, Event, decode_event, decode_interaction, walk_event
from .errors import ApiError, DecodeError, GemwireError, LimitExceeded, TruncatedStream, error_info
from .models import Interaction, ModelOutputStep, Step, StepDelta, StepStart, TextContent, TextDelta
from .report import StreamReport
from .sse import SSEMessage, SSEParser
from .walk import REFUSED

__all__ = [
    "AsyncInteractionStream",
    "InteractionStream",
    "StreamCore",
    "aassemble",
    "aiter_events",
    "assemble",
    "iter_events",
]

Chunk: TypeAlias = bytes | bytearray | memoryview

MAX_EVENT_BYTES: Final = 64 * 2**20
_SPACE: Final = b" \t\r\n\xef\xbb\xbf"  # white space, and the bytes of a BOM
_IN_FRAME: Final = b"\ndata:"


class StreamCore:
    """A stream without its I/O: give it chunks, take events, say when it is over."""

    __slots__ = ("_apply", "_body", "_feed", "_limit", "_parser", "_started", "assembler", "strict")

    def __init__(self, *, strict: bool = False, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        self.assembler = Assembler()
        self.strict = strict
        self._limit = max_event_bytes
        self._parser = SSEParser(max_event_bytes=max_event_bytes)
        self._feed = self._parser.feed
        self._apply = self.assembler.apply
        self._started = False
        self._body: bytearray | None = None  # all bytes of a stream that began like JSON

    def feed(self, chunk: Chunk) -> list[SSEMessage]:
        """The messages that this chunk completes; raises LimitExceeded."""
        self.assembler.report.bytes += len(chunk)
        if self._started:
            return self._feed(chunk)
        return self._first(bytes(chunk))

    def take(self, message: SSEMessage) -> Event | None:
        """Decode a message and fold it; None for the terminator. Raises DecodeError if strict."""
        try:
            event = EVENT_DECODERS[message.event](message.data)
        except REFUSED:
            refused = self._refused(message)
            if refused is None:
                return None
            event = refused
        self._apply(event)
        return event  # type: ignore[no-any-return]

    def take_all(self, chunk: Chunk) -> None:
        """Decode and fold all that a chunk completes; the same as `feed` and `take`, but faster."""
        decoders = EVENT_DECODERS
        events: list[Any] = []
        try:
            for message in self.feed(chunk):
                try:
                    events.append(decoders[message.event](message.data))
                except REFUSED:
                    self.assembler.apply_all(events)
                    events.clear()
                    event = self._refused(message)
                    if event is not None:
                        events.append(event)
        finally:
            self.assembler.apply_all(events)

    def end(self) -> Event | None:
        """No more bytes: settle the outcome. Gives a last event that lacked only its blank line."""
        last: Event | None = None
        report = self.assembler.report
        if self._body is not None:
            self._end_of_body(bytes(self._body))
        else:
            last = self._last_event()
        report.stray = self._parser.stray
        if report.stray:
            self._read_stray(report.stray)
        self.assembler.settle()
        return last

    def _first(self, chunk: bytes) -> list[SSEMessage]:
        """Chunks until it is clear what this is: no event stream begins with a bracket."""
        if self._body is None:
            head = chunk.lstrip(_SPACE)
            if not head:
                return self._feed(chunk)
            if head[0] not in b"{[":
                self._started = True
                return self._feed(chunk)
            self._body = bytearray()
        body = self._body
        seam = max(0, len(body) - len(_IN_FRAME))
        body += chunk
        if body.find(_IN_FRAME, seam) >= 0:  # no JSON has that: there are frames after all
            self._started = True
            self._body = None
            return self._feed(bytes(body))
        if len(body) > self._limit:
            raise LimitExceeded(
                "a JSON body is too large", offset=0, limit=self._limit, size=len(body)
            )
        return []

    def _refused(self, message: SSEMessage) -> Event | None:
        """What the one-pass decoder does not take: the terminator, and all that is not to spec."""
        data = bytes(message.data)
        if data == DONE_DATA:
            self.assembler.done()
            return None
        if self.strict:
            return decode_event(data, message.event, strict=True)
        notes: list[str] = []
        event = walk_event(data, message.event, notes)
        report = self.assembler.report
        for note in notes:
            report.issue(note)
        name = event.tag if isinstance(event, Unknown) else event.event_type
        if message.event not in (name, "message"):
            report.issue("event_name", None, f"{message.event} / {name}")
        return event

    def _last_event(self) -> Event | None:
        """The unterminated last event, if all of it is there: half an event is none."""
        message = self._parser.close()
        if message is None or bytes(message.data) == DONE_DATA:
            return None
        event = decode_event(message.data, message.event)
        if isinstance(event, Unknown):
            self.assembler.report.issue("torn", None, message.text)
            return None
        self._apply(event)
        return event

    def _end_of_body(self, body: bytes) -> None:
        """Read a stream that was one JSON body: the server did not stream, or it failed."""
        try:
            interaction = decode_interaction(body.strip(_SPACE), strict=self.strict)
        except ApiError:
            self.assembler.take_error(read_json(body.strip(_SPACE)))
            return
        except DecodeError:
            if self.strict:
                raise
        else:
            if interaction.status is not UNSET:
                self.assembler.take_body(interaction)
                return
        self._feed(body)
        self._parser.close()  # all of it is stray

    def _read_stray(self, stray: bytes) -> None:
        """Text outside of the events: most often the server's last words, as bare JSON."""
        start = min((at for at in (stray.find(b"{"), stray.find(b"[")) if at >= 0), default=-1)
        payload = read_json(stray[start:]) if start >= 0 else None
        first = payload[0] if isinstance(payload, list) and payload else payload
        if isinstance(first, dict) and error_info(first) is not None and "error" in first:
            self.assembler.take_error(payload)
        else:
            self.assembler.report.issue("stray", None, stray.decode("utf-8", "replace"))


class _Stream:
    """What both kinds of streams offer that needs no waiting."""

    _core: StreamCore
    _failure: Exception | None = None  # what the caller's iterable raised

    @property
    def report(self) -> StreamReport:
        """What happened so far; complete once the stream is over."""
        return self._core.assembler.report

    def snapshot(self) -> Interaction:
        """The Interaction as of the last event that was yielded; see `Assembler.snapshot`."""
        return self._core.assembler.snapshot()

    def step(self, index: int) -> Step:
        """One step as of the last event that was yielded; see `Assembler.step`."""
        return self._core.assembler.step(index)  # type: ignore[no-any-return]

    def _failed(self, error: Exception) -> None:
        if not isinstance(error, GemwireError):
            self._failure = error
        self._core.assembler.settle()

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
        strict: raise DecodeError for events that are not to spec, in place of `Unknown…` objects.
        max_event_bytes: how large one event may be.

    Iterating yields the events as they were sent. It raises LimitExceeded, DecodeError if `strict`,
    and what the iterable itself raises; never for what the server said: see `report`.
    """

    def __init__(
        self,
        chunks: Iterable[Chunk] | Chunk,
        *,
        strict: bool = False,
        max_event_bytes: int = MAX_EVENT_BYTES,
    ) -> None:
        self._core = StreamCore(strict=strict, max_event_bytes=max_event_bytes)
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
        pieces = _Text(self._core.assembler)
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
        strict: bool = False,
        max_event_bytes: int = MAX_EVENT_BYTES,
    ) -> None:
        self._core = StreamCore(strict=strict, max_event_bytes=max_event_bytes)
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
        pieces = _Text(self._core.assembler)
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
        aclose = getattr(self._chunks, "aclose", None)
        if aclose is not None:
            await aclose()

    close = aclose


def _source(chunks: Iterable[Chunk] | Chunk) -> Iterable[Chunk]:
    """One bytes object is one chunk, not an iterable of ints."""
    if isinstance(chunks, bytes | bytearray | memoryview):
        return [bytes(chunks)]
    return chunks


class _Text:
    """Picks the text of the model's output out of the events."""

    def __init__(self, assembler: Assembler) -> None:
        self._assembler = assembler
        self._held = ""  # the high half of a surrogate pair that was cut apart

    def of(self, event: Event) -> str:
        """The text that an event brings, "" if none."""
        text = ""
        if isinstance(event, StepDelta):
            delta = event.delta
            if isinstance(delta, TextDelta):
                text = delta.text
            elif isinstance(delta, Unknown) and delta.tag is None:
                raw = delta.raw
                text = raw.get("text", "") if isinstance(raw, dict) else ""
            if not isinstance(text, str) or not text or not self._is_output(event.index):
                return ""
        elif isinstance(event, StepStart) and isinstance(event.step, ModelOutputStep):
            parts = event.step.content or ()
            text = "".join(part.text for part in parts if isinstance(part, TextContent))
        return self._paired(text) if (text and not text.isascii()) or self._held else text

    def rest(self) -> str:
        """A half that found no other half."""
        return "\ufffd" if self._held else ""

    def _is_output(self, index: Any) -> bool:
        return self._assembler.kind_at(index) is ModelOutputStep

    def _paired(self, text: str) -> str:
        text = self._held + text
        self._held = text[-1] if "\ud800" <= text[-1:] <= "\udbff" else ""
        if self._held:
            text = text[:-1]
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


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
    failure: Exception | None = None
    source = iter(_source(chunks))
    while True:
        try:
            chunk = next(source, None)
        except Exception as error:
            failure = error
            break
        if chunk is None:
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
    failure: Exception | None = None
    source = aiter(chunks)
    while True:
        try:
            chunk = await anext(source, None)
        except Exception as error:
            failure = error
            break
        if chunk is None:
            break
        core.take_all(chunk)
    return _final(core, failure)


def _final(core: StreamCore, failure: Exception | None) -> Interaction:
    if failure is None:
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
    feed = SSEParser(max_event_bytes=max_event_bytes).feed
    for chunk in _source(chunks):
        for message in feed(chunk):
            if message.data != DONE_DATA:
                yield decode_event(message.data, message.event, strict=strict)


async def aiter_events(
    chunks: AsyncIterable[Chunk],
    /,
    *,
    strict: bool = False,
    max_event_bytes: int = MAX_EVENT_BYTES,
) -> AsyncIterator[Event]:
    """The async twin of `iter_events`."""
    feed = SSEParser(max_event_bytes=max_event_bytes).feed
    async for chunk in chunks:
        for message in feed(chunk):
            if message.data != DONE_DATA:
                yield decode_event(message.data, message.event, strict=strict)
