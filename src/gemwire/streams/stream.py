"""A stream over any iterable of bytes: a loop over `InteractionParser`, and what is read from it.

The async twin is in `async_stream.py`; what is done with the bytes, in `parser.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import suppress
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from ..assembler import Assembler, grow
from ..assembly.report import StreamReport
from ..assembly.verdict import OnDamage
from ..errors import GemwireError, TruncatedStream
from ..models import Interaction, Step
from ..sse import SSEMessage, SSEParser
from ..wire.events import decode_event, is_done
from .body import Chunk, frames_of, is_torn
from .finished import FinishedSteps
from .lane import Frames, Run
from .parser import (
    MANY_CHUNKS,
    MAX_EVENT_BYTES,
    SMALL_CHUNK,
    InteractionParser,
)
from .source import Source, checked, is_mistake
from .text import TextPieces

if TYPE_CHECKING:
    from ..wire.events import Event

__all__ = ["InteractionStream", "assemble", "iter_events"]


class InteractionStream:
    """A stream of an interaction, over any iterable of bytes.

        with InteractionStream(response.iter_bytes()) as stream:
            for event in stream:
                match event:
                    case StepDelta(delta=TextDelta(text=text)):
                        print(text, end="")
        interaction = stream.get_final_interaction()

    Args:
        chunks: the bytes of the response body, cut anywhere; or the whole as one bytes object. If
            it has a `close()`, that is called at its end, when an exception leaves, and with the
            stream.
        resume: what an earlier stream of the same answer assembled, or a checkpoint of it; `chunks`
            is then the response to a request made with `report.resume`. See docs/resume.md for how
            it goes on. An event that brings nothing new is yielded all the same.
        replay: the server begins from the start, whatever was held; with `resume` it is compared.
        strict: raise DecodeError for events that are not to spec, in place of `Unknown…` objects.
        max_event_bytes: how large one event may be.

    Raises:
        TypeError: `chunks` is no iterable of bytes; where only a chunk shows it, when that comes.

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
        self._source = Source(chunks)
        self._parser = InteractionParser(
            resume=resume, replay=replay, strict=strict, max_event_bytes=max_event_bytes
        )
        self._failure: Exception | None = None  # what the caller's iterable raised
        self._events = self._run()

    # ---- read

    def __iter__(self) -> Iterator[Event]:
        return self._events

    def __next__(self) -> Event:
        return next(self._events)

    @property
    def text_stream(self) -> Iterator[str]:
        """The text of the answer, piece by piece, from here on; consumes the stream.

        What a reopening repeats is given once. Joined, it is the `full_text` of the answer.
        """
        pieces = TextPieces(self._parser.assembler)
        item: Any = next(self._events, None)
        with suppress(StopIteration):
            while item is not None:
                if text := pieces.more(item) if type(item) is str else pieces.of(item):
                    yield text
                item = self._events.send(True)  # the text alone will do, see `taken`
        if text := pieces.rest():
            yield text

    def finished_steps(self) -> Iterator[Step]:
        """Each step of the answer when it has stopped, from here on, to act on it; consumes the
        stream.

        Exactly once, over all reopenings, rollbacks and hops. Never a call whose arguments are
        missing or broken: those are in the report, and `get_final_interaction()` raises. Input that
        leads the answer is left out.
        """
        finished = FinishedSteps(self._parser.assembler)
        for event in self:
            yield from finished.after(event)
        yield from finished.rest()

    def until_done(self) -> Self:
        """Read to the end, without looking at the events; returns the stream itself."""
        for _ in self:
            pass
        return self

    def get_final_interaction(self, *, damaged: OnDamage = "raise") -> Interaction:
        """Read to the end and return the Interaction; raises what `Assembler.finish` raises.

        An exception of the iterable becomes the cause of a `TruncatedStream`; but what is a mistake
        of the caller's program (TypeError, ValueError of a closed file) goes through as it is.

        Args:
            damaged: "keep" returns the answer though a part of the stream could not be read;
                "raise" raises DamagedStream.
        """
        try:
            self.until_done()
        except GemwireError:
            raise
        except Exception as error:
            self._failure = error
        return final_of(partial(self._parser.finish, damaged=damaged), self._failure)

    def get_final_text(self, *, damaged: OnDamage = "raise") -> str:
        """Read to the end and return `full_text`, which is what `text_stream` joins to; raises what
        `get_final_interaction` raises. `output_text` of the Interaction is the official client's
        rule: the text at the end of the answer.
        """
        return self.get_final_interaction(damaged=damaged).full_text

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

    def close(self) -> None:
        """Stop reading and close the source. The outcome is `truncated` unless it was decided."""
        try:
            self._stop()
        finally:
            self._source.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is not None:  # that is what leaves, whatever closing raises
            self._source.abandon()
        self.close()

    def _stop(self) -> None:
        self._events.close()
        self._parser.assembler.settle()

    def _run(self) -> Generator[Event, bool | None]:
        parser = self._parser
        lone, assembler = parser.lone, parser.assembler
        try:
            for chunk in self._source:
                if (event := lone(chunk)) is not None:  # `iter_feed`, without its generator
                    grow(assembler, event)
                    yield event
                    continue
                if type(chunk) is not bytes:
                    checked(chunk)
                yield from parser.taken(parser.messages(chunk))
            for event in parser.close():  # a list has no `send`
                yield event
        except Exception as error:
            self._failure = end_of_bytes(parser, error)
            raise
        finally:
            self._source.abandon()


def end_of_bytes(parser: InteractionParser, error: Exception) -> Exception | None:
    """What a stream that raised comes to; gives the exception back if it is the caller's.

    To the stream that is the end of the bytes; one of ours is about them, and settles it.
    """
    if isinstance(error, GemwireError):
        parser.assembler.settle()
        return None
    with suppress(GemwireError):  # what was wrong with the bytes is not what broke it
        parser.close()
    return error


def final_of(finish: Callable[[], Interaction], failure: Exception | None) -> Interaction:
    """The Interaction of a stream that is over; raises what `Assembler.finish` raises, and the
    failure itself if it is a mistake of the caller.
    """
    if failure is not None and is_mistake(failure):
        raise failure
    try:
        return finish()
    except TruncatedStream as error:
        raise error from failure


def assemble(
    chunks: Iterable[Chunk] | Chunk,
    /,
    *,
    strict: bool = False,
    max_event_bytes: int = MAX_EVENT_BYTES,
    damaged: OnDamage = "raise",
) -> Interaction:
    """Read a whole stream and return the Interaction that the same call gives without streaming.

    Args:
        chunks: any iterable of bytes, or one bytes object; closed if it has a `close()`.
        strict, max_event_bytes: as for `InteractionStream`.
        damaged: "keep" returns the answer though a part of the stream could not be read; "raise"
            raises DamagedStream.

    Raises:
        TruncatedStream: it ended, or its iterable raised, before the server had finished.
        ServerError: the server sent an error, as an event or as bare JSON.
        ArgumentsError: the arguments of a call are no JSON object.
        DamagedStream: a part of it could not be read.
        LimitExceeded: an event is larger than `max_event_bytes`.
        DecodeError: only if `strict`, for what is not to spec.
        TypeError: `chunks` is no iterable of bytes. What else is a mistake of the program, such as
            the ValueError of a closed file, goes through as well.
    """
    source = Source(chunks)
    parser = InteractionParser(strict=strict, max_event_bytes=max_event_bytes)
    unread: list[bytes] = []
    failure: Exception | None = None
    try:
        for chunk in source:
            unread.append(chunk if type(chunk) is bytes else bytes(checked(chunk)))
            if len(unread) == MANY_CHUNKS or len(chunk) > SMALL_CHUNK:
                parser.absorb(unread)
                unread.clear()
    except Exception as error:
        failure = cut_of(error)
    finally:
        source.abandon()
    parser.absorb(unread)
    return final_of(partial(parser.hand_over, damaged=damaged), failure)


def cut_of(error: Exception) -> Exception:
    """The exception of an iterable, if it counts as a cut; any other one is raised."""
    if isinstance(error, GemwireError) or is_mistake(error):
        raise error
    return error


def iter_events(
    chunks: Iterable[Chunk] | Chunk,
    /,
    *,
    strict: bool = False,
    max_event_bytes: int = MAX_EVENT_BYTES,
) -> Iterator[Event]:
    """The typed events of a stream, and nothing else; the last one too if all of it came.

    Nothing is assembled and there is no verdict: whoever must know whether the stream was complete
    uses `InteractionStream`. Raises LimitExceeded, DecodeError if `strict`, TypeError if `chunks`
    is no iterable of bytes, and what that raises itself. It is closed if it has a `close()`.
    """
    return _events_of(Source(chunks), frames_of(max_event_bytes), strict)


def _events_of(source: Source, frames: Frames, strict: bool) -> Iterator[Event]:
    lone = frames.lone
    try:
        for chunk in source:
            if (event := lone(chunk)) is not None:
                yield event
                continue
            for message in frames.feed_frames(checked(chunk)):
                if type(message) is Run:
                    yield from message.events()
                elif (event := event_of(message, strict)) is not None:
                    yield event
        yield from last_event(frames, strict)
    finally:
        source.abandon()


def event_of(message: SSEMessage | bytes, strict: bool) -> Event | None:
    """The event of a message; None for the terminator."""
    if isinstance(message, bytes):
        if message[:1] == b"{":  # nearly all are
            return decode_event(message, "step.delta", strict=strict)
        message = SSEMessage("step.delta", message)
    if is_done(message.data):
        return None
    return decode_event(message.data, message.event, strict=strict)


def last_event(frames: SSEParser, strict: bool) -> Iterator[Event]:
    """What an unterminated last event holds, if all of it is there; raises LimitExceeded."""
    message = frames.close()
    if message is not None and not is_done(message.data) and not is_torn(message):
        yield decode_event(message.data, message.event, strict=strict)
