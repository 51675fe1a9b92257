"""Server-sent events: bytes in, `SSEMessage` out, and back.

The rules are those of WHATWG HTML section 9.2, "Server-sent events". The parser is push style and
does no I/O: give `feed()` the chunks as they come, cut anywhere, then call `close()`.

**Invariant: messages, `stray`, `last_event_id`, `retry_ms` and refusals depend on the bytes alone,
never on how they were cut into chunks, and the work is linear in the bytes.**

How: line ends with CR become LF, a chunk at once, so that a block of lines ends at `\\n\\n`. Blocks
that lie whole in a chunk are cut straight out of it. An incomplete one goes to a buffer that is
never searched: its end is in a later chunk or across the seam.
"""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

import msgspec

from .errors import LimitExceeded

if TYPE_CHECKING:
    from .codec.structs import Unknown, WireStruct

__all__ = ["DONE", "SSEMessage", "SSEParser", "encode_sse"]

DONE: Final = b"event: done\ndata: [DONE]\n\n"
"""The frame that ends every stream of the API. Its data is not JSON."""

_BOM = b"\xef\xbb\xbf"
_LF, _CR, _SPACE = b"\n\r "  # ints: `10 in chunk` is one memchr, `b"\n" in chunk` 0.25 µs slower
_DELTA = b"event: step.delta\ndata: "  # how nearly every event of a long stream begins
_NEXT_DELTA = b"\n\n" + _DELTA
LONE_DELTA: Final = _DELTA + b"\n\n"  # what `feed_frames` takes away around the data
# What precedes the next chunk. All but _READY are rare; _enter() deals with them.
_READY, _START, _AFTER_CR, _CLOSED, _REFUSED = range(5)
_MAX_STRAY = 64 * 2**10  # bytes
_MAX_RETRY_DIGITS = 640  # int() may refuse a longer number: sys.set_int_max_str_digits()
_MAX_NAMES, _MAX_NAME_BYTES = 64, 128  # the server has some twenty; this is for one that invents


class SSEMessage(msgspec.Struct, frozen=True, gc=False):
    """One server-sent event.

    Attributes:
        event: its name, or `"message"`.
        data: the raw bytes of its `data` lines, joined by LF. A `memoryview` comes only from a
            parser with `zero_copy=True`, and keeps the whole `bytes` alive that it looks into.
        id: the last event id as of this event. An id persists until another replaces it.
    """

    event: str = "message"
    data: bytes | memoryview = b""
    id: str = ""

    @property
    def text(self) -> str:
        """`data` as text, with U+FFFD for bad UTF-8. Decoded anew at each access."""
        return str(self.data, "utf-8", "replace")


class SSEParser:
    """Incremental parser of one event stream.

    Args:
        max_event_bytes: the most bytes that one event may have: all lines since the last blank
            line, one byte for each line end. Events with media of several MB are ordinary.
        zero_copy: give `data` that stands on one line as a `memoryview`, into the chunk or, for
            an event that came in several chunks, into one joined `bytes`. It pays for media, from
            some 256 KiB; the many small events of a stream are faster as `bytes`.

    Attributes:
        last_event_id: that of the last complete block of lines, `""` when there was none: what to
            send as `Last-Event-ID` on reconnecting.
        fed_bytes: how many bytes were fed.

    For one stream, and one thread at a time. Its attributes change when a blank line ends a block.
    """

    def __init__(self, *, max_event_bytes: int = 64 * 2**20, zero_copy: bool = False) -> None:
        if max_event_bytes < 1:
            raise ValueError(f"max_event_bytes must be at least 1, not {max_event_bytes}")
        self.last_event_id = ""
        self._retry_ms: int | None = None
        self._limit = max_event_bytes
        self._zero_copy = zero_copy
        self._source = memoryview if zero_copy else bytes  # what to slice; bytes(b) is b itself
        self._state = _START
        self._idle = False  # nothing is held, and the next chunk is read as it is
        self._refusal: LimitExceeded | None = None
        self.fed_bytes = 0
        self._start = b""  # what may yet become a BOM
        # The incomplete block, without LF at its start. A BytesIO gives its bytes without a copy.
        self._held = BytesIO()
        self._held_size = 0
        self._line_ended = False  # the last byte held is LF
        self._began = 0  # the raw offset of the first byte held
        self._stray = bytearray()
        # Blocks of which it is true lost an event, and are messages; for the streams.
        self.has_lost: Callable[[bytes, bytes, bool], bool] | None = None
        # The last chunk but for lone deltas; see `streams/offsets.py`.
        self.last_fed: tuple[bytes, int, bool, int, list[Any]] = (b"", -1, False, 0, [])
        self._names: dict[bytes, str] = {}  # b"event: NAME" -> "NAME", decoded and hashed once

    @property
    def pending_bytes(self) -> int:
        """How many bytes of an incomplete event are held."""
        return len(self._start) + self._held_size

    @property
    def offset(self) -> int:
        """Bytes fed up to the end of the last complete event: where another parser can go on."""
        return self._began if self._held_size else self.fed_bytes - len(self._start)

    @property
    def retry_ms(self) -> int | None:
        """The reconnection time that the server asked for, in milliseconds; it counts from the end
        of its line. Cost: one pass over what is held of an event.
        """
        for line in reversed(self._held.getvalue().split(b"\n")[:-1]):
            digits = line[6:].removeprefix(b" ") if line.startswith(b"retry:") else b""
            if digits.isdigit() and len(digits) <= _MAX_RETRY_DIGITS:
                return int(digits)
        return self._retry_ms

    @property
    def stray(self) -> bytes:
        """The lines that are no SSE field, comment or blank, joined by LF; the first 64 KiB. The
        standard ignores them, but the server prints some errors as bare JSON between its frames.
        """
        return bytes(self._stray)

    def go_on(self, stray: bytes) -> None:
        """Be the parser of a stream from `offset` on, where another one found this `stray` text."""
        self._state = _READY  # a BOM is none there
        self._stray += stray

    def feed(self, chunk: bytes | bytearray | memoryview, /) -> list[SSEMessage]:
        """Take the next bytes of the stream, return the events that they complete, in order.

        A `bytearray` or `memoryview` is copied first, so its buffer may be reused at once.

        Raises:
            LimitExceeded: an event has more than `max_event_bytes`. The call that finds out still
                returns the events before it; every later call raises.
            RuntimeError: the parser is closed.

        Cost: linear in the bytes, however they are cut.
        """
        if self._idle and chunk[:24] == _DELTA:
            # The commonest chunk of all by far: one delta, as the server flushes them.
            data = chunk[24:-2]
            whole = chunk[-1] == _LF == chunk[-2] and len(chunk) <= self._limit
            if whole and type(data) is bytes and _LF not in data and _CR not in data:
                self.fed_bytes += len(chunk)
                return [SSEMessage("step.delta", data, self.last_event_id)]
        return self._feed(chunk, False)

    def feed_frames(self, chunk: bytes | bytearray | memoryview, /) -> list[SSEMessage | bytes]:
        """The same, but `step.delta` may come as its data alone: saves a tenth of the whole way."""
        if self._idle and chunk[:24] == _DELTA:  # again, as a call more would be half of the cost
            data = chunk[24:-2]
            whole = chunk[-1] == _LF == chunk[-2] and len(chunk) <= self._limit
            if whole and type(data) is bytes and _LF not in data and _CR not in data:
                self.fed_bytes += len(chunk)
                return [data]
        return self._feed(chunk, True)

    def _feed(self, chunk: bytes | bytearray | memoryview, bare: bool) -> list[Any]:
        """Any chunk; `bare` as in `feed_frames`."""
        if type(chunk) is not bytes:
            chunk = bytes(memoryview(chunk))
        self.fed_bytes += len(chunk)
        if self._state != _READY:
            chunk = self._enter(chunk)
        raw = chunk
        messages: list[Any] = []
        began = self._began if self._held_size else -1
        self.last_fed = raw, began, self._line_ended, self.fed_bytes, messages
        if _CR in chunk:
            if chunk[-1] == _CR:
                self._state = _AFTER_CR
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        if self._held_size + len(chunk) > self._limit:
            chunk = self._within_limit(chunk, raw)

        rest = chunk
        if self._held_size:
            rest = self._resume(chunk, messages)
        elif not self._zero_copy and (message := self._single(chunk)) is not None:
            self._idle = self._state == _READY
            messages.append(message)
            return messages
        if (stop := rest.rfind(b"\n\n")) >= 0:
            rest = self._cut(rest, stop, messages, bare)
        if rest and (rest := rest.lstrip(b"\n")):  # blank lines before a block are no part of it
            self._began = self._offset(raw, chunk, len(chunk) - len(rest))
            self._hold(rest)
        self._idle = not self._held_size and self._state == _READY and not self._zero_copy
        return messages

    def close(self) -> SSEMessage | None:
        """End the stream. Return what it holds of an event that no blank line completed.

        The standard drops such an event; here the caller decides. `None` when there is no data. A
        last line without a line end counts as a line, save for `retry`, which may lack digits.
        `last_event_id` stays that of the last complete block: to reconnect there loses nothing.
        A second call returns `None`. Raises `LimitExceeded` as `feed()` does.
        """
        if self._state == _CLOSED:
            return None
        self._idle = False
        start, self._start = self._start, b""
        self._hold(self._within_limit(start, start))  # that was no BOM
        self._enter(b"")
        self._state = _CLOSED
        block = self._release()
        last_line = block.rfind(b"\n") + 1
        stop = last_line if block.startswith(b"retry:", last_line) else len(block)
        last_event_id = self.last_event_id
        messages: list[SSEMessage] = []
        self.last_fed = block, self._began, False, self.fed_bytes, messages
        self._parse(block, 0, stop, messages)
        self.last_event_id = last_event_id
        return messages[0] if messages else None

    def _enter(self, chunk: bytes) -> bytes:
        """Return what chunk is worth after the rare state that precedes it: see _READY."""
        if self._refusal is not None:
            raise self._refusal.with_traceback(None)
        if self._state == _CLOSED:
            raise RuntimeError("feed() after close(): a parser is for one stream")
        if not chunk:
            return chunk
        if self._state == _AFTER_CR:
            self._state = _READY
            return chunk.removeprefix(b"\n")
        chunk, self._start = self._start + chunk, b""
        if len(chunk) < len(_BOM) and _BOM.startswith(chunk):
            self._start = chunk
            return b""
        self._state = _READY
        return chunk.removeprefix(_BOM)

    def _hold(self, text: bytes) -> None:
        if text:
            self._held.write(text)
            self._held_size += len(text)
            self._line_ended = text[-1] == _LF

    def _release(self) -> bytes:
        block = self._held.getvalue()
        self._held = BytesIO()
        self._held_size = 0
        return block

    def _within_limit(self, chunk: bytes, raw: bytes) -> bytes:
        """Return the part of chunk before the first event that is too large; refuse that one."""
        start, held = 0, self._held_size
        if held and self._line_ended and chunk.startswith(b"\n"):
            start, held = 1, 0  # what is held ends here, and was not too large
        while start < len(chunk):
            if not held and chunk[start] == _LF:
                start += 1
                continue
            stop = chunk.find(b"\n\n", start) + 1 or len(chunk)
            if (size := held + stop - start) > self._limit:
                self._state = _REFUSED
                self._refusal = LimitExceeded(
                    "an event is larger than max_event_bytes",
                    offset=self._began if held else self._offset(raw, chunk, start),
                    limit=self._limit,
                    size=size,
                )
                if held:
                    self._release()
                return chunk[:start]
            start, held = stop + 1, 0
        return chunk

    def _offset(self, raw: bytes, chunk: bytes, at: int) -> int:
        """Return the raw offset in the stream of chunk[at], where chunk is raw with LFs alone."""
        if raw is not chunk:
            seen = 0
            while pairs := raw.count(b"\r\n", seen, at + 1):  # those whose CR is in raw[seen:at]
                seen, at = at, at + pairs
        return self.fed_bytes - len(raw) + at

    # Nearly every block is `event: NAME` LF `data: JSON`: that shape has ways of its own, the rest
    # goes to _parse. For 115 bytes, CPython 3.11: feed() 0.4 µs for a lone step.delta, 0.9 µs by
    # _single; _cut 0.25 µs in a run of step.delta, or 0.45 µs; _event 1.2 µs; _parse 2 µs.

    def _single(self, chunk: bytes) -> SSEMessage | None:
        """Return the event if chunk is an ordinary one and no more, as most reads are."""
        head, _, rest = chunk.partition(b"\ndata: ")
        if name := self._names.get(head):
            lines = rest.split(b"\n", 3)
            if len(lines) == 3 and not lines[1] and not lines[2]:
                return SSEMessage(name, lines[0], self.last_event_id)
        return None

    def _resume(self, chunk: bytes, messages: list[SSEMessage]) -> bytes:
        """Append the event that earlier chunks began, if chunk ends it; return what follows."""
        if self._line_ended and chunk.startswith(b"\n"):
            stop, start = 0, 1  # the blank line lies across the seam
        else:
            stop = chunk.find(b"\n\n") if _LF in chunk else -1  # one byte is found far faster
            start = stop + 2
        if stop < 0:
            self._hold(chunk)
            return b""
        self._held.write(chunk[:stop])
        block = self._release()
        self._event(block, 0, len(block), messages)
        return chunk[start:]

    def _cut(self, text: bytes, stop: int, messages: list[Any], bare: bool) -> bytes:
        """Append the events of text[:stop], blocks with a blank line between; return the rest."""
        if self._zero_copy:
            start = 0
            while (end := text.find(b"\n\n", start, stop)) >= 0:
                self._event(text, start, end, messages)
                start = end + 2
            self._event(text, start, stop, messages)
            return text[stop + 2 :]
        names, last_event_id, append = self._names, self.last_event_id, messages.append
        begin = b""  # of the run; split() took it away from all but the first
        for run in text[:stop].split(_NEXT_DELTA):
            if begin and _LF not in run:
                append(run if bare else SSEMessage("step.delta", run, last_event_id))
                continue
            for block in (begin + run).split(b"\n\n"):
                head, _, data = block.partition(b"\ndata: ")
                if data and _LF not in data and (name := names.get(head) or self._name(head)):
                    append(SSEMessage(name, data, last_event_id))
                elif block:
                    del data  # of a large event there are never more than two copies
                    self._parse(block, 0, len(block), messages)
                    last_event_id = self.last_event_id
            begin = _DELTA
        return text[stop + 2 :]

    def _event(self, text: bytes, start: int, stop: int, messages: list[SSEMessage]) -> None:
        """Append the event of the block text[start:stop], which is left in its place."""
        at = text.find(b"\ndata: ", start, stop)
        alike = at >= 0 and text.find(b"\n", at + 1, stop) < 0
        if alike and (name := self._names.get(head := text[start:at]) or self._name(head)):
            data = self._source(text)[at + 7 : stop]
            messages.append(SSEMessage(name, data, self.last_event_id))
        else:
            self._parse(text, start, stop, messages)

    def _name(self, head: bytes) -> str | None:
        """Return the event name if head is one line `event: NAME` and no more."""
        if not head.startswith(b"event: ") or _LF in head:
            return None
        name = str(head[7:], "utf-8", "replace") or "message"
        if len(self._names) < _MAX_NAMES and len(head) <= _MAX_NAME_BYTES:
            self._names[head] = name
        return name

    def _parse(self, text: bytes, start: int, stop: int, messages: list[SSEMessage]) -> None:
        """Append the event of the block text[start:stop], by all the rules of the standard."""
        find = text.find  # in place: a list of the lines would cost 40 bytes for each
        begin, event = start, b""
        first, last = -1, -1  # where the first data line is
        joined: BytesIO | None = None  # all data lines, if there are several
        while start < stop:
            if (end := find(b"\n", start, stop)) < 0:
                end = stop
            if (colon := find(b":", start, end)) < 0:
                at = colon = end  # all of the line is the name, the value is empty
            elif (at := colon + 1) < end and text[at] == _SPACE:
                at += 1
            field = text[start:colon]
            if field == b"data":
                if first < 0:
                    first, last = at, end
                else:
                    view = memoryview(text)
                    if joined is None:
                        joined = BytesIO()
                        joined.write(view[first:last])
                    joined.writelines((b"\n", view[at:end]))
            elif field == b"event":
                event = text[at:end]
            elif field == b"id":
                if find(b"\0", at, end) < 0:
                    self.last_event_id = str(text[at:end], "utf-8", "replace")
            elif field == b"retry":
                if end - at <= _MAX_RETRY_DIGITS and (digits := text[at:end]).isdigit():
                    self._retry_ms = int(digits)
            elif field or find(b'"event_type"', start, end) >= 0:  # else a comment, or blank
                self._add_stray(text, start, end)
            start = end + 1
        name = str(event, "utf-8", "replace") or "message"
        if first >= 0:
            data = joined.getvalue() if joined else self._source(text)[first:last]
            messages.append(SSEMessage(name, data, self.last_event_id))
        elif b"{" in event:  # the line end before the data was lost
            self._add_stray(event, 0, len(event))
        lost = None if self._state == _CLOSED else self.has_lost
        if lost is not None and lost(block := text[begin:stop].strip(b"\n"), event, first >= 0):
            messages.append(SSEMessage(name, block, self.last_event_id))

    def _add_stray(self, text: bytes, start: int, end: int) -> None:
        if len(self._stray) < _MAX_STRAY:
            self._stray += b"\n" if self._stray else b""
            self._stray += text[start : min(end, start + _MAX_STRAY)]
            del self._stray[_MAX_STRAY:]


def encode_sse(message: SSEMessage | WireStruct | Unknown, /) -> bytes:
    """Write one event as the frame that reads back as the same event.

    An `SSEMessage` gets a `data` line for each line of its data, an `event` line unless the name
    is `"message"` (or empty, which a reader takes for the same) and an `id` line unless the id is
    empty. As ids persist, a message without one is read back with the id of the one before it.

    A typed event is named by its `event_type`, an unknown one by the wire's tag. Its data is what
    `gemwire.encode()` writes; a CR in it can only be white space, and becomes LF.

    Raises ValueError for CR, LF or NUL in the name or id, or CR in the data of a message: the
    framing cannot carry them.
    """
    if isinstance(message, SSEMessage):
        name, last_event_id = message.event, message.id
        if _CR in (data := bytes(message.data)):
            raise ValueError("data with CR cannot be framed: a reader takes CR for a line end")
    else:
        from .codec.encode import encode  # whoever frames bytes alone loads no codec

        name, last_event_id = getattr(message, "event_type", ""), ""
        if name == "__unknown__":
            name = getattr(message, "tag", None) or "message"
        data = encode(message).replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    frame = b"data: " + data.replace(b"\n", b"\ndata: ") + b"\n\n"
    if last_event_id:
        frame = b"id: " + _one_line(last_event_id) + frame
    if name not in ("", "message"):
        frame = b"event: " + _one_line(name) + frame
    return frame


def _one_line(text: str) -> bytes:
    if any(character in text for character in "\r\n\0"):
        raise ValueError(f"CR, LF and NUL cannot stand in an event name or id: {text!r}")
    return text.encode() + b"\n"
