"""Server-sent events: bytes in, `SSEMessage` out, and back.

The rules are those of WHATWG HTML section 9.2 "Server-sent events". The parser is push style and
does no I/O: give `feed()` the chunks as they come, cut anywhere, then call `close()`.

**Invariant: messages, `stray`, `last_event_id`, `retry_ms` and every refusal depend on the bytes
alone, never on how they were cut into chunks, and the work is linear in the bytes.**

How it gets there. A chunk that contains CR has its line ends turned into LF, all at once, so that
everything behind `feed()` knows one line end and an event ends at the first `\\n\\n`. Events that
lie whole within a chunk are cut straight out of it. The rest of the chunk, an event that is not
complete yet, is appended to one buffer which is never searched again: no `\\n\\n` can be inside it,
so the end of its event is in the next chunk or across the seam.
"""

from __future__ import annotations

from io import BytesIO
from typing import Final, Protocol

import msgspec

from .errors import LimitExceeded

__all__ = ["DONE", "SSEMessage", "SSEParser", "encode_sse"]

DONE: Final = b"event: done\ndata: [DONE]\n\n"
"""The frame that ends every stream of the API. Its data is not JSON."""

_BOM = b"\xef\xbb\xbf"
_LF, _CR = 10, 13  # `10 in chunk` is a bare memchr; `b"\n" in chunk` costs 250 ns more (3.11)

# What stands before the next chunk. Anything but _READY is rare and handled in _enter().
_READY, _START, _AFTER_CR, _CLOSED, _REFUSED = range(5)

# int() may refuse a longer number (sys.set_int_max_str_digits), and no delay needs one.
_MAX_RETRY_DIGITS = 640
_MAX_STRAY_BYTES = 64 * 2**10
# The server knows about twenty event names; the bounds are for one that makes them up.
_MAX_NAMES, _MAX_NAME_BYTES = 64, 128


class SSEMessage(msgspec.Struct, frozen=True, gc=False):
    """One server-sent event.

    Attributes:
        event: the name, `"message"` when the event has none.
        data: the raw bytes of its `data` lines, joined by LF. A `memoryview` only comes from a
            parser with `zero_copy=True`; it keeps the bytes alive that it was cut from.
        id: the last event id as of this event; ids persist until the next `id` line.

    """

    event: str = "message"
    data: bytes | memoryview = b""
    id: str = ""

    @property
    def text(self) -> str:
        """`data` as text; bad UTF-8 becomes U+FFFD, as the standard says."""
        return str(self.data, "utf-8", "replace")


class SSEParser:
    """Incremental parser of one event stream.

    Args:
        max_event_bytes: the most bytes that one event may have: all lines since the last blank
            line, one byte for each line end, the blank line not counted. It bounds what the parser
            holds. The default leaves room for media: the largest single events seen are 5 MB.
        zero_copy: give `data` that stands on one line as a `memoryview` into the chunk (or, for an
            event that came in several, into one joined `bytes`). A view keeps its chunk alive.
            It pays from some 256 KiB of data; below that, plain `bytes` are as fast or faster.

    Attributes:
        last_event_id: what to send as `Last-Event-ID` on reconnecting; `""` when there was none.
        retry_ms: the reconnection time that the server asked for, in milliseconds.

    A parser is for one stream and for one thread at a time. The attributes, `stray` too, are
    brought up to date whenever an event block ends, and by `close()`.

    """

    __slots__ = (
        "_began",
        "_fed",
        "_held",
        "_held_size",
        "_limit",
        "_line_ended",
        "_names",
        "_refusal",
        "_start",
        "_state",
        "_stray",
        "_zero_copy",
        "last_event_id",
        "retry_ms",
    )

    def __init__(self, *, max_event_bytes: int = 64 * 2**20, zero_copy: bool = False) -> None:
        if max_event_bytes < 1:
            raise ValueError("max_event_bytes must be at least 1")
        self.last_event_id = ""
        self.retry_ms: int | None = None
        self._limit = max_event_bytes
        self._zero_copy = zero_copy
        self._state = _START
        self._start = b""  # bytes that may yet turn out to be a BOM
        self._fed = 0
        # The incomplete event. A BytesIO, because it gives its bytes away without copying them.
        self._held = BytesIO()
        self._held_size = 0
        self._line_ended = False  # the last byte held is LF
        self._began = 0  # the raw offset of the first byte held
        self._refusal = (0, 0)  # offset and size of the event that was too large
        self._stray = bytearray()
        self._names: dict[bytes, str] = {}  # b"event: NAME" -> "NAME", one str for each name

    @property
    def pending_bytes(self) -> int:
        """How many bytes of an incomplete event are held."""
        return len(self._start) + self._held_size

    @property
    def stray(self) -> bytes:
        """The lines that are no SSE field, joined by LF, the first 64 KiB of them.

        The standard ignores such lines, but the server prints some errors as bare JSON between or
        after the frames. A line counts when the block it stands in has ended, or at `close()`.
        """
        return bytes(self._stray)

    def feed(self, chunk: bytes | bytearray | memoryview, /) -> list[SSEMessage]:
        """Take the next bytes of the stream and return the events that they complete, in order.

        Chunks other than `bytes` are copied first, so their buffer may be reused at once. What
        follows the last complete event is held until its rest comes.

        Raises:
            LimitExceeded: an event is larger than `max_event_bytes`. It is raised by the call
                after the one that found out, which returns the events before, and by all later.
            RuntimeError: the parser is closed.

        Cost: linear in the bytes, however they are cut.

        """
        if type(chunk) is not bytes:
            chunk = bytes(memoryview(chunk))
        self._fed += len(chunk)
        if self._state != _READY:
            chunk = self._enter(chunk)
        if not chunk:
            return []
        raw = chunk
        if _CR in chunk:
            if chunk[-1] == _CR:
                self._state = _AFTER_CR
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        if self._held_size + len(chunk) > self._limit:
            chunk = self._within_limit(chunk, raw)

        messages: list[SSEMessage] = []
        start = 0
        if self._held_size:
            if self._line_ended and chunk.startswith(b"\n"):
                stop, start = 0, 1
            else:
                # The most of a large event is one line: look for any LF at all first.
                stop = chunk.find(b"\n\n") if _LF in chunk else -1
                start = stop + 2
            if stop < 0:
                self._hold(chunk)
                return messages
            self._held.write(chunk[:stop])
            block = self._release()
            self._cut(block, 0, len(block), messages)
            del block
        stop = chunk.rfind(b"\n\n", start)
        if stop >= 0:
            self._cut(chunk, start, stop, messages)
            start = stop + 2
        if start < len(chunk):
            tail = chunk[start:].lstrip(b"\n")  # blank lines before an event are not part of it
            if tail:
                start = len(chunk) - len(tail)
                if raw is not chunk:
                    start = _raw_length(raw, start)
                self._began = self._fed - len(raw) + start
                self._hold(tail)
        return messages

    def close(self) -> SSEMessage | None:
        """End the stream. Return what an event holds that no blank line has completed.

        The standard drops such an event; here the caller decides. A last line without a line end
        counts as a line, save for a `retry` that may lack digits. `None` when there is no data.
        `last_event_id` stays that of the last complete event: reconnecting from there loses
        nothing. A second call returns `None`.

        Raises:
            LimitExceeded: as `feed()` does.

        """
        if self._state == _CLOSED:
            return None
        if self._state == _REFUSED:
            self._enter(b"")
        self._state = _CLOSED
        self._hold(self._start)
        self._start = b""
        block = self._release()
        stop = len(block)
        last = block.rfind(b"\n") + 1
        if block.startswith(b"retry:", last):
            stop = last
        last_event_id = self.last_event_id
        message = self._parse(block, 0, stop)
        self.last_event_id = last_event_id
        return message

    def _enter(self, chunk: bytes) -> bytes:
        """What is left of chunk after the rare state before it: see _READY."""
        if self._state == _REFUSED:
            offset, size = self._refusal
            raise LimitExceeded(
                "an event is too large", offset=offset, limit=self._limit, size=size
            )
        if self._state == _CLOSED:
            raise RuntimeError("feed() after close(): a parser is for one stream")
        if not chunk:
            return chunk
        if self._state == _AFTER_CR:
            self._state = _READY
            return chunk.removeprefix(b"\n")
        chunk = self._start + chunk
        if len(chunk) < len(_BOM) and _BOM.startswith(chunk):
            self._start = chunk
            return b""
        self._state = _READY
        self._start = b""
        return chunk.removeprefix(_BOM)

    def _hold(self, text: bytes) -> None:
        if text:
            self._held.write(text)
            self._held_size += len(text)
            self._line_ended = text[-1] == _LF

    def _release(self) -> bytes:
        """The bytes held, which leave the parser without being copied."""
        block = self._held.getvalue()
        self._held = BytesIO()
        self._held_size = 0
        return block

    def _within_limit(self, chunk: bytes, raw: bytes) -> bytes:
        """The part of chunk before the first event that is too large, which is refused."""
        start, held = 0, self._held_size
        if held and self._line_ended and chunk.startswith(b"\n"):
            start, held = 1, 0  # the event that ends here was within the limit so far
        while start < len(chunk):
            if not held and chunk[start] == _LF:
                start += 1
                continue
            stop = chunk.find(b"\n\n", start)
            size = held + (stop + 1 if stop >= 0 else len(chunk)) - start
            if size > self._limit:
                offset = self._began if held else self._fed - len(raw) + _raw_length(raw, start)
                if held:
                    self._release()
                self._refusal = (offset, size)
                self._state = _REFUSED
                return chunk[:start]
            if stop < 0:
                break
            start, held = stop + 2, 0
        return chunk

    def _cut(self, text: bytes, start: int, stop: int, messages: list[SSEMessage]) -> None:
        """Append the events of text[start:stop]: blocks with a blank line between them."""
        if self._zero_copy:
            self._cut_views(text, start, stop, messages)
            return
        # Nearly every block is `event: NAME` LF `data: JSON`, and is cut by one partition().
        # Measured per event of 115 bytes: this loop 0 ns, a compiled regex 0.
        names, last_event_id, append = self._names, self.last_event_id, messages.append
        for block in text[start:stop].split(b"\n\n"):
            head, _, data = block.partition(b"\ndata: ")
            if data and _LF not in data and (event := names.get(head) or self._name(head)):
                append(SSEMessage(event, data, last_event_id))
            else:
                message = self._parse(block, 0, len(block))
                last_event_id = self.last_event_id
                if message is not None:
                    append(message)

    def _cut_views(self, text: bytes, start: int, stop: int, messages: list[SSEMessage]) -> None:
        """The same, with views into text instead of copies."""
        names, view = self._names, memoryview(text)
        while start < stop:
            end = text.find(b"\n\n", start, stop)
            if end < 0:
                end = stop
            at = text.find(b"\ndata: ", start, end)
            head = text[start:at] if at >= 0 else b""
            at += 7
            if text.find(b"\n", at, end) < 0 and (event := names.get(head) or self._name(head)):
                messages.append(SSEMessage(event, view[at:end], self.last_event_id))
            elif (message := self._parse(text, start, end)) is not None:
                messages.append(message)
            start = end + 2

    def _name(self, head: bytes) -> str | None:
        """The event name, if head is one line `event: NAME` and nothing else."""
        if not head.startswith(b"event: ") or _LF in head:
            return None
        name = str(head[7:], "utf-8", "replace") or "message"
        if len(self._names) < _MAX_NAMES and len(head) < _MAX_NAME_BYTES:
            self._names[head] = name
        return name

    def _parse(self, text: bytes, start: int, stop: int) -> SSEMessage | None:
        """The event of one block of any shape, line by line as the standard has it."""
        view = memoryview(text)
        event = b""
        data: memoryview | None = None
        joined: BytesIO | None = None  # several data lines; a list would cost 40 bytes for each
        while start < stop:
            end = text.find(b"\n", start, stop)
            if end < 0:
                end = stop
            colon = text.find(b":", start, end)
            if colon < 0:
                colon = at = end
            else:
                at = colon + 2 if text.startswith(b" ", colon + 1) else colon + 1
            field = text[start : min(colon, start + 6)]  # no field name has six letters
            if field == b"data":
                if data is None:
                    data = view[at:end]
                else:
                    if joined is None:
                        joined = BytesIO()
                        joined.write(data)
                    joined.write(b"\n")
                    joined.write(view[at:end])
            elif field == b"event":
                event = text[at:end]
            elif field == b"id":
                if text.find(b"\0", at, end) < 0:
                    self.last_event_id = str(text[at:end], "utf-8", "replace")
            elif field == b"retry":
                if end - at <= _MAX_RETRY_DIGITS and (digits := text[at:end]).isdigit():
                    self.retry_ms = int(digits)
            elif field and (room := _MAX_STRAY_BYTES - len(self._stray)) > 0:
                if self._stray:
                    self._stray += b"\n"
                self._stray += view[start : min(end, start + room)]
                del self._stray[_MAX_STRAY_BYTES:]
            start = end + 1
        if data is None:
            return None
        return SSEMessage(
            str(event, "utf-8", "replace") or "message",
            joined.getvalue() if joined else data if self._zero_copy else bytes(data),
            self.last_event_id,
        )


def _raw_length(raw: bytes, size: int) -> int:
    """How many bytes of raw became the first `size` bytes when its CRLFs turned into LFs."""
    seen, end = 0, size
    while pairs := raw.count(b"\r\n", seen, end + 1):  # those whose CR is in raw[seen:end]
        seen, end = end, end + pairs
    return end


class _TypedEvent(Protocol):
    @property
    def event_type(self) -> str: ...


def encode_sse(message: SSEMessage | _TypedEvent, /) -> bytes:
    """Write one event as a frame that parses back to it.

    An `SSEMessage` gets one `data` line for each LF of its data plus one, an `event` line unless
    the name is `"message"` (or empty, which means the same), and an `id` line unless the id is
    empty. Since ids persist, a message without one takes the id of the message before it when it
    is read back.

    A typed event is named by its `event_type` (an unknown one by its wire tag) and its data is
    what `gemwire.encode()` writes.

    Raises:
        ValueError: CR, LF or NUL in the name or the id, or CR in the data: no frame can carry
            them. (In the JSON of a typed event a CR can only be white space; it becomes LF.)

    """
    if isinstance(message, SSEMessage):
        event, data, ident = message.event, bytes(message.data), message.id
        if _CR in data:
            raise ValueError("data with CR cannot be framed: SSE takes it for a line end")
    else:
        from .codec import encode  # what frames bytes alone need not load the models

        event, ident = message.event_type, ""
        if event == "__unknown__":
            event = getattr(message, "tag", None) or "message"
        data = encode(message).replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    lines: list[bytes] = []
    if event and event != "message":
        lines.append(b"event: " + _one_line(event))
    if ident:
        lines.append(b"id: " + _one_line(ident))
    lines.append(b"data: " + data.replace(b"\n", b"\ndata: "))
    return b"\n".join(lines) + b"\n\n"


def _one_line(text: str) -> bytes:
    if any(character in text for character in "\r\n\0"):
        raise ValueError(f"CR, LF and NUL cannot stand in an event name or id: {text!r}")
    return text.encode()
