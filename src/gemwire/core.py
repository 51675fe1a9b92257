"""Bytes → messages → events → Interaction, without the waiting: what both kinds of streams do.

A stream is not finished until the server said so, and what it said outside of the events counts
too: a bare JSON error is an error, a JSON body is the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, Final, TypeAlias

from msgspec import UNSET

from .assembler import DONE_DATA, Assembler
from .base import Unknown, read_json
from .codec import EVENT_DECODERS, Event, decode_event, decode_interaction, walk_event
from .errors import ApiError, DecodeError, LimitExceeded, is_error
from .models import Interaction, ModelOutputStep, StepDelta, StepStart, TextContent
from .report import StreamReport
from .resume import Gate
from .sse import SSEMessage, SSEParser
from .steps import typed
from .walk import REFUSED, decoder

__all__ = ["MAX_EVENT_BYTES", "Chunk", "StreamCore", "TextPieces"]

Chunk: TypeAlias = bytes | bytearray | memoryview

MAX_EVENT_BYTES: Final = 64 * 2**20
BATCH_EVENTS: Final = 64
BATCH_BYTES: Final = 4096
BATCH_LIMIT: Final = 2**20
_SPACE: Final = b" \t\r\n\xef\xbb\xbf"  # white space, and the bytes of a BOM
_IN_FRAME: Final = (b"\ndata:", b"\rdata:")


class StreamCore:
    """A stream without its I/O: give it chunks, take events, say when it is over."""

    __slots__ = (
        "_batch",
        "_body",
        "_decode_delta",
        "_decode_deltas",
        "_fed",
        "_gate",
        "_limit",
        "_parser",
        "assembler",
        "feed",
        "strict",
    )

    feed: Callable[[Chunk], list[Any]]
    """The messages that a chunk completes, `step.delta` as its data alone. Raises LimitExceeded."""

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
        self.assembler = Assembler() if resume is None else resume
        self._gate = None if resume is None else Gate(self.assembler, replay)
        self._fed = self.assembler.report.bytes  # by the streams before
        self.strict = strict
        self._limit = max_event_bytes
        self._parser = SSEParser(max_event_bytes=max_event_bytes, _bare_deltas=True)
        self._decode_delta = EVENT_DECODERS["step.delta"]
        self._decode_deltas = decoder(StepDelta).decode_lines
        self._batch: list[bytes] = []  # deltas that are yet to be decoded and folded
        self._body: bytearray | None = None  # all bytes of a stream that began like JSON
        self.feed = (
            self._first
        )  # and the parser's own, as soon as it is clear that there are frames

    @property
    def report(self) -> StreamReport:
        """The assembler's report, with the count of bytes brought up to date."""
        report = self.assembler.report
        report.bytes = self._fed + self._parser.fed_bytes + len(self._body or b"")
        return report

    def take(self, message: SSEMessage | bytes) -> Event | None:
        """Decode a message and fold it; None for the terminator. Raises DecodeError if strict."""
        try:
            if type(message) is bytes:
                event = self._decode_delta(message)
            else:
                event = EVENT_DECODERS[message.event](message.data)  # type: ignore[union-attr]
        except REFUSED:
            refused = self._refused(message)
            if refused is None:
                return None
            event = refused
        if self._gate is None or self._gate.admit(event):
            self.assembler.apply(event)
        return event  # type: ignore[no-any-return]

    def take_all(self, chunk: Chunk) -> None:
        """Feed a chunk and take all its messages, for whoever does not look at the events.

        Deltas are collected and taken in batches; `flush()` or `end()` takes the rest of them.
        """
        batch = self._batch
        for message in self.feed(chunk):
            if type(message) is bytes:
                batch.append(message)
            else:
                self.flush()
                self.take(message)
        if len(batch) > BATCH_EVENTS or len(chunk) > BATCH_BYTES:
            self.flush()

    def flush(self) -> None:
        """Take the deltas that were collected."""
        batch = self._batch.copy()
        self._batch.clear()
        # One call for all of them keeps the decoder's code and tables in the cache: 0.35 µs in
        # place of 0.5 µs for each. Large ones are not worth being copied together.
        if len(batch) > 1 and sum(map(len, batch)) < BATCH_LIMIT:
            try:
                events = self._decode_deltas(b"\n".join(batch))
            except REFUSED:
                events = []
            if len(events) == len(batch):  # a blank line is none
                self.assembler.apply_all(events)
                return
        for data in batch:
            self.take(data)

    def end(self) -> Event | None:
        """No more bytes: settle the outcome. Gives a last event that lacked only its blank line."""
        self.flush()
        last: Event | None = None
        report = self.report
        if self._body is not None:
            self._end_of_body(bytes(self._body))
        else:
            last = self._last_event()
        if self._parser.empty_events:
            report.issue("no_data")
        report.stray = self._parser.stray
        if report.stray:
            self._read_stray(report.stray)
        self.assembler.settle()
        return last

    def _first(self, chunk: Chunk) -> list[Any]:
        """Chunks until it is clear what this is: no event stream begins with a bracket."""
        chunk = bytes(chunk)
        if self._body is None:
            head = chunk.lstrip(_SPACE)
            if not head:
                return self._parser.feed(chunk)
            if head[0] not in b"{[":
                return self._frames(chunk)
            self._body = bytearray()
        body = self._body
        seam = max(0, len(body) - len(_IN_FRAME[0]))
        body += chunk
        if any(body.find(line, seam) >= 0 for line in _IN_FRAME):  # no JSON has that
            self._body = None
            return self._frames(bytes(body))
        if len(body) > self._limit:
            raise LimitExceeded(
                "a JSON body is too large", offset=0, limit=self._limit, size=len(body)
            )
        return []

    def _frames(self, chunk: bytes) -> list[Any]:
        """It is an event stream: from now on chunks go straight to the parser."""
        self.feed = self._parser.feed
        return self.feed(chunk)

    def _refused(self, message: SSEMessage | bytes) -> Event | None:
        """What the one-pass decoder does not take: the terminator, and all that is not to spec."""
        if isinstance(message, bytes):
            message = SSEMessage("step.delta", message)
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
        if message is None:
            return None
        if bytes(message.data) == DONE_DATA:
            self.assembler.done()
            return None
        event = decode_event(message.data, message.event)
        if isinstance(event, Unknown) and not isinstance(event.raw, dict):
            self.assembler.report.issue("torn", None, message.text)
            return None
        if self._gate is None or self._gate.admit(event):
            self.assembler.apply(event)
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
        self._body = None
        self._parser.feed(body)
        self._parser.close()  # all of it is stray

    def _read_stray(self, stray: bytes) -> None:
        """Text outside of the events: most often the server's last words, as bare JSON."""
        text = stray.decode("utf-8", "replace")
        payload = next(filter(is_error, _json_in(text)), None)
        if payload is not None:
            self.assembler.take_error(payload)
        elif not any(name.startswith(text) for name in ("event", "data", "id", "retry")):
            self.assembler.report.issue("stray", None, text)  # and not the name of a cut line


def _json_in(text: str) -> Iterator[Any]:
    """The JSON values that a line begins with; what stands before the first one does not matter."""
    from json import JSONDecoder  # rare

    decode = JSONDecoder().raw_decode
    starts = {at for at in (text.find("{"), text.find("[")) if at >= 0}
    starts = {min(starts)} if starts else set()
    starts |= {at + 1 for at in range(len(text)) if text[at : at + 2] in ("\n{", "\n[")}
    end = 0
    for start in sorted(starts):
        if start >= end:
            with suppress(ValueError, RecursionError):
                payload, end = decode(text, start)
                yield payload


def _output_of(interaction: Interaction) -> str:
    """All text of the model's output."""
    outputs = [step for step in interaction.steps or () if isinstance(step, ModelOutputStep)]
    parts = [part for step in outputs for part in step.content or ()]
    return "".join(part.text for part in parts if isinstance(part, TextContent))


class TextPieces:
    """Picks the text of the model's output out of the events; what comes again, only once."""

    def __init__(self, assembler: Assembler) -> None:
        self._assembler = assembler
        self._held = ""  # the high half of a surrogate pair that was cut apart
        self._returns = assembler.returns
        # Characters of output: how many were given away, and where the events are now.
        self._given = self._place = len(_output_of(assembler.snapshot()))

    def of(self, event: Event) -> str:
        """The text that an event brings, "" if none or if it was there before."""
        text = self._brought(event)
        assembler = self._assembler
        if assembler.returns != self._returns:  # the state went back, and the event is in it
            self._returns = assembler.returns
            whole = _output_of(assembler.snapshot())
            self._place = len(whole)
            text = whole[self._given :]
        else:
            repeated = self._given - self._place
            self._place += len(text)
            text = text[repeated:] if repeated > 0 else text
        self._given = max(self._given, self._place)
        return text

    def _brought(self, event: Event) -> str:
        text: Any = ""
        if event.event_type == "step.delta" or event.event_type == "content.delta":
            delta = event.delta
            if isinstance(delta, Unknown) and delta.tag is None:
                raw = delta.raw
                text = raw.get("text", "") if isinstance(raw, dict) else ""
            else:
                text = getattr(delta, "text", "")
            if not isinstance(text, str) or not text or not self._is_output(event.index):
                return ""
        elif isinstance(event, StepStart) and isinstance(event.step, ModelOutputStep):
            if not self._assembler.took(event):
                return ""
            parts = map(typed, event.step.content or ())
            text = "".join(part.text for part in parts if isinstance(part, TextContent))
        elif event.event_type == "content.start":
            text = getattr(event.content, "text", "") or ""
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
