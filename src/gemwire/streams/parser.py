"""Bytes → events → Interaction, pushed: the one set of rules for a whole stream.

The streams of this package are loops over `InteractionParser`. A stream is not finished until the
server said so, and what it said outside of the events counts too: a bare JSON error is an error, a
JSON body is the answer.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, Self

from ..assembler import Assembler, answer_of, grow, open_strings, read_on
from ..assembly.damage import doubt
from ..assembly.report import StreamReport
from ..assembly.verdict import OnDamage, raise_unless_usable
from ..codec.json import REFUSED
from ..codec.once import decoder
from ..codec.structs import Unknown
from ..models import (
    Interaction,
    ModelOutputStep,
    Step,
    StepDelta,
    TextDelta,
    UnknownInteractionSseEvent,
)
from ..sse import LONE_DELTA, SSEMessage
from ..wire.events import DONE_DATA, EVENT_DECODERS, decode_event, is_done, walk_event
from .body import Chunk, Head, frames_of, is_torn, read_body, read_stray
from .lane import DEL, Run
from .offsets import events_in, offsets_of

if TYPE_CHECKING:
    from ..wire.events import Event

__all__ = ["MANY_CHUNKS", "MAX_EVENT_BYTES", "SMALL_CHUNK", "TERMINATOR", "InteractionParser"]

MAX_EVENT_BYTES: Final = 64 * 2**20

TERMINATOR: Final = UnknownInteractionSseEvent(DONE_DATA)
"""The terminator, on its way to the fold; it is no event."""

MANY_CHUNKS: Final = 256
SMALL_CHUNK: Final = 4096
"""Where nobody looks at the events, as many chunks up to this size are read as one."""

_BATCH_LIMIT: Final = 2**20  # large deltas are not worth being copied together


class InteractionParser:
    """Push the chunks of a response in, take events, the verdict and the Interaction out.

        parser = InteractionParser()
        for chunk in response:
            for event in parser.feed(chunk): ...
        parser.close()
        parser.report.outcome

    Args:
        resume: what an earlier stream of the same answer assembled, or a checkpoint of it; what is
            fed is then the response to a request made with `report.resume`. To read on in the same
            stream, from `offset` of a file or a log, use `InteractionParser.restore`.
        replay: the server begins from the start, whatever was held; with `resume` it is compared.
        strict: raise DecodeError for events that are not to spec, in place of `Unknown…` objects.
        max_event_bytes: how large one event, or a body that is one JSON value, may be.

    Raises:
        CheckpointError: `resume` is bytes, and no checkpoint.

    A parser is for one stream, and for one thread at a time. What it hands out shares no list or
    dict with its state.
    """

    __slots__ = (
        "_answer",
        "_before",
        "_closed",
        "_decode_delta",
        "_decode_deltas",
        "_feed_frames",
        "_findings",
        "_frames",
        "_head",
        "_limit",
        "_located",
        "_strict",
        "assembler",
        "lone",
    )

    def __init__(
        self,
        *,
        resume: Assembler | bytes | None = None,
        replay: bool = False,
        strict: bool = False,
        max_event_bytes: int = MAX_EVENT_BYTES,
    ) -> None:
        if isinstance(resume, bytes | bytearray | memoryview):
            resume = Assembler.restore(bytes(resume))
        if resume is not None:
            resume.reopen(replay)
        self._set_up(resume or Assembler(), strict, max_event_bytes)

    @classmethod
    def restore(
        cls, data: bytes, /, *, strict: bool = False, max_event_bytes: int = MAX_EVENT_BYTES
    ) -> Self:
        """The parser that a checkpoint was taken of: feed it with the stream from `offset` on.

        Raises:
            CheckpointError: these are no bytes of a checkpoint, they were damaged, or another
                version of gemwire wrote them.
        """
        parser = cls.__new__(cls)
        parser._set_up(read_on(Assembler.restore(data)), strict, max_event_bytes)
        answer = parser._answer
        unread = answer.searched != answer.event_count  # else it was settled, and its text read
        if parser._before or (unread and answer.stray):
            parser._head = None  # it was frames, so that a bracket begins no body
            parser._frames.go_on(answer.stray if unread else b"")
        return parser

    def _set_up(self, assembler: Assembler, strict: bool, limit: int) -> None:
        self.assembler = assembler  # what the events are folded into; for the streams
        self._answer = answer_of(assembler)
        self._before = self._answer.byte_count  # bytes of the streams before
        self._strict = strict
        self._limit = limit
        self._frames = frames_of(limit)
        self._feed_frames = self._frames.feed_frames
        self.lone = self._frames.lone
        self._head: Head | None = Head(limit)  # until it is clear that there are frames
        self._decode_delta = EVENT_DECODERS["step.delta"]
        self._decode_deltas = decoder(StepDelta).decode_lines
        self._findings = self._answer.findings
        self._findings.unplaced.clear()
        self._located: tuple[Any, dict[int, int]] = None, {}  # a chunk, the offsets in it
        self._closed = False

    # ---- in

    def feed(self, chunk: Chunk, /) -> list[Event]:
        """Take the next bytes; return the events that they complete, already folded.

        The terminator (`[DONE]`) is no event.

        Raises:
            LimitExceeded: an event is too large. The call that finds out still returns the events
                before it; every later call raises.
            DecodeError: only if `strict`, for what is not to spec; what came before it is folded.
            RuntimeError: the parser is closed.

        Cost: linear in the bytes, however they are cut.
        """
        event: Any = self.lone(chunk)
        if event is None:
            return self._fold(self.messages(chunk))
        grow(self.assembler, event)
        return [event]

    def iter_feed(self, chunk: Chunk, /) -> Iterator[Event]:
        """The same, one by one: each event is folded when it is taken, so that `step()` and
        `snapshot()` are as of that event. All of it has to be taken before the next chunk.
        """
        event: Any = self.lone(chunk)
        if event is None:
            yield from self.taken(self.messages(chunk))
        else:
            grow(self.assembler, event)
            yield event

    def taken(self, messages: list[Any]) -> Generator[Any, bool | None]:
        """The events of messages, each folded when it is taken.

        To whom sends True, an ordinary delta of output may come as its text alone.
        """
        for message in messages:
            if type(message) is Run:
                yield from self._taken_run(message)
            elif (event := self.take(message)) is not TERMINATOR:
                yield event

    def _taken_run(self, run: Run) -> Generator[Any, bool | None]:
        """The same for the deltas of a run."""
        answer, shape, texts = self._answer, run.shape, run.strings
        strings = open_strings(self.assembler, shape.event)
        if strings is None:  # most often only the first needs more than to be appended
            (event,) = shape.events(texts[:1])
            self.assembler.apply(event)
            yield event
            texts = texts[1:]
            strings = open_strings(self.assembler, shape.event)
        index = shape.text_index
        if strings is None:
            for event in shape.events(texts):
                self.assembler.apply(event)
                yield event
        elif index is None:
            for text, event in zip(texts, shape.events(texts), strict=True):
                strings.append(text)
                answer.event_count += 1
                yield event
        else:
            output = type(answer.routes[index].base) is ModelOutputStep
            bare: bool | None = False
            for text in texts:
                strings.append(text)
                answer.event_count += 1
                if bare and output:
                    bare = yield text
                else:
                    bare = yield StepDelta(index=index, delta=TextDelta(text=text))

    def take(self, message: SSEMessage | bytes) -> Any:
        """Decode and fold one message; `TERMINATOR` is the terminator, which is no event."""
        event: Any
        if type(message) is bytes:
            try:
                event = self._decode_delta(message)
            except REFUSED:
                pass
            else:
                self.assembler.apply(event)
                return event
        event = self._decode(message)
        self.assembler.apply(event)
        if self._findings.unplaced:
            self._findings.place(self._before + self._offset_of(message))
        return event

    def absorb(self, chunks: Sequence[Chunk], /) -> None:
        """Take several chunks as if they were one, for those who do not look at the events."""
        self._frames.apart = False
        try:
            messages = self.messages(chunks[0] if len(chunks) == 1 else b"".join(chunks))
        finally:
            self._frames.apart = True
        self._fold(messages, wanted=False)

    def close(self) -> list[Event]:
        """Say that no more bytes come; settles the outcome. A second call returns nothing.

        Returns the last event, if all of it came and only its blank line is missing. Text outside
        of the events is read now: a bare JSON error, a JSON body.

        Raises:
            LimitExceeded: the last event is too large.
            DecodeError: only if `strict`.
        """
        if self._closed:
            return []
        self._closed = True
        try:
            return self._last_words()
        finally:
            self._count_bytes()
            self.assembler.settle()

    def finish(self, *, damaged: OnDamage = "raise") -> Interaction:
        """Close if need be, and return the Interaction; see `Assembler.finish`."""
        self.close()
        return self.assembler.finish(damaged=damaged)

    def hand_over(self, damaged: OnDamage = "raise") -> Interaction:
        """`finish()` for a parser that nobody asks again: what it gives away is its own state."""
        self.close()
        interaction = self._answer.build()
        raise_unless_usable(self._answer, interaction, damaged)
        return interaction

    # ---- out

    @property
    def report(self) -> StreamReport:
        """What happened so far, as a value; see `Assembler.report`."""
        self._count_bytes()
        return self.assembler.report

    @property
    def offset(self) -> int:
        """Bytes of the stream up to the end of the last complete event, whatever its line ends.

        What to read on from after a crash, together with a checkpoint of the same moment and
        `InteractionParser.restore`. A JSON body has no such place but its start. With `resume=` it
        counts on from the bytes of the responses before, as in one log that has them all.
        """
        body = self._head is not None and self._head.body is not None
        return self._before + (0 if body else self._frames.offset)

    def snapshot(self) -> Interaction:
        """The interaction as assembled so far; see `Assembler.snapshot`."""
        return self.assembler.snapshot()

    def step(self, index: int, /) -> Step:
        """One step as it is now, by the `index` of its events; see `Assembler.step`."""
        return self.assembler.step(index)

    def checkpoint(self) -> bytes:
        """The state as bytes; what was fed behind `offset` is not in it. See `restore`."""
        answer = self._answer
        read = answer.stray
        answer.byte_count = self.offset
        if not self._closed:
            answer.stray = self._frames.stray
        try:
            return self.assembler.checkpoint()
        finally:
            answer.stray = read
            self._count_bytes()

    # ---- how

    def messages(self, chunk: Chunk) -> list[Any]:
        """The messages that a chunk completes: see `Frames.feed_frames`."""
        if self._closed:
            raise RuntimeError("feed() after close(): a parser is for one stream")
        if self._head is None:
            return self._feed_frames(chunk)
        chunk, framed = self._head.feed(chunk)
        if framed:
            self._head = None
        return self._feed_frames(chunk) if chunk else []

    def _fold(self, messages: list[Any], wanted: bool = True) -> list[Event]:
        """Decode and fold them, deltas in a row at once; the events, if they are wanted."""
        if len(messages) == 1 and type(messages[0]) is not Run:
            event = self.take(messages[0])
            return [] if event is TERMINATOR else [event]
        events: list[Event] = []
        run: list[bytes] = []
        for message in messages:
            if type(message) is bytes:
                run.append(message)
                continue
            if run:
                self._fold_run(run, events)
                run = []
            if type(message) is Run:
                self._grow_by(message)
                if wanted:
                    events += message.events()
                continue
            event = self.take(message)
            if event is not TERMINATOR:
                events.append(event)
        if run:
            self._fold_run(run, events)
        return events

    def _grow_by(self, run: Run) -> None:
        """Fold the deltas of a run; only the first may need more than that it is appended."""
        strings = open_strings(self.assembler, run.shape.event)
        if strings is None:
            first, *rest = run.events()
            self.assembler.apply(first)
            strings = open_strings(self.assembler, run.shape.event)
            if strings is None:
                self.assembler.apply_all(rest)
                return
            strings += run.text.split(DEL)[1:]
            self._answer.event_count += len(rest)
        else:
            strings += run.strings
            self._answer.event_count += run.size

    def _fold_run(self, run: list[bytes], events: list[Event]) -> None:
        try:
            if len(run) > 1 and sum(map(len, run)) < _BATCH_LIMIT:
                found = self._decode_deltas(b"\n".join(run))
            else:
                found = list(map(self._decode_delta, run))
        except REFUSED:
            found = []
        if len(found) == len(run):  # a blank line is none
            self.assembler.apply_all(found)
            events += found
        else:
            events += map(self.take, run)

    def _offset_of(self, message: SSEMessage | bytes) -> int:
        """The byte of what was fed at which the event of a message begins."""
        frames = self._frames
        fed = frames.last_fed
        if fed[3] != frames.fed_bytes and type(message) is bytes:  # a chunk of its own: see `feed`
            return frames.fed_bytes - len(message) - len(LONE_DELTA)
        if self._located[0] is not fed:
            each = [id(one) for one in fed[4] for _ in range(events_in(one))]
            offsets = zip(each, offsets_of(frames, self._limit), strict=True)
            self._located = fed, dict(reversed(list(offsets)))  # of equal ones, the first
        return self._located[1][id(message)]

    def _decode(self, message: SSEMessage | bytes) -> Any:
        """The event of a message, `TERMINATOR` for the terminator. Raises DecodeError if strict."""
        if isinstance(message, bytes):
            message = SSEMessage("step.delta", message)
        try:
            return EVENT_DECODERS[message.event](message.data)
        except REFUSED:
            pass
        data = bytes(message.data)
        if is_done(data):
            return TERMINATOR
        if self._strict:
            return decode_event(data, message.event, strict=True)
        notes: list[str] = []
        event = walk_event(data, message.event, notes)
        findings = self._findings
        for note in notes:
            findings.issue(note)
            doubt(self._answer, event)
        name = event.tag if isinstance(event, Unknown) else event.event_type
        if message.event not in (name, "message"):
            findings.issue("event_name", None, f"{message.event} / {name}")
        return event

    def _last_words(self) -> list[Event]:
        """What is there when no more comes."""
        events: list[Event] = []
        body = None if self._head is None else self._head.body
        if body is None:
            events = self._last_event()
        elif not read_body(self._answer, bytes(body), strict=self._strict):
            assert self._head is not None
            self._head.body = None
            events = list(map(self.take, self._frames.feed(bytes(body))))  # what it lost
            self._frames.close()  # all else is stray
        elif self._findings.unplaced:
            self._findings.place(self._before)
        self._answer.stray = self._frames.stray
        if self._answer.stray:
            read_stray(self._answer, self._answer.stray)
        return events

    def _last_event(self) -> list[Event]:
        """The unterminated last event, if all of it is there: half an event is none."""
        message = self._frames.close()
        if message is None:
            return []
        if is_torn(message):
            self._findings.issue("torn", None, message.text)
            return []
        event = self.take(message)
        return [] if event is TERMINATOR else [event]

    def _count_bytes(self) -> None:
        held = 0 if self._head is None else len(self._head.body or b"")
        self._answer.byte_count = self._before + self._frames.fed_bytes + held
