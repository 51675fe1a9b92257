"""A slow reader of event streams, as WHATWG HTML section 9.2 has it, to compare the parser with."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple

import pytest

from gemwire.errors import LimitExceeded
from gemwire.sse import SSEMessage, SSEParser

BOM = b"\xef\xbb\xbf"
LINE_END = re.compile(rb"\r\n|\r|\n")
STRAY_LIMIT = 64 * 2**10
NO_LIMIT = 2**40

Message = tuple[str, bytes, str]


class Outcome(NamedTuple):
    """All that a stream comes to."""

    messages: list[Message]
    left: Message | None = None  # what close() gives
    last_event_id: str = ""
    retry_ms: int | None = None
    stray: bytes = b""
    refused: int | None = None  # the raw offset of the event that was too large


DELTA = b"event: step.delta\ndata: "

# ---- two ways to an outcome


def reference(stream: bytes, limit: int = NO_LIMIT) -> Outcome:
    """The standard, sentence by sentence, over a stream that is there as a whole."""
    messages: list[Message] = []
    stray: list[bytes] = []
    event, data, id_buffer, last_event_id = b"", list[bytes](), "", ""
    retry_ms: int | None = None
    for begin, line, ended, size in lines(stream):
        if size > limit:
            return reference(stream[:begin])._replace(refused=begin)
        if not line:
            last_event_id = id_buffer
            if data:
                messages.append((text(event) or "message", b"\n".join(data), id_buffer))
            elif b"{" in event:  # no rule of the standard: a line end was lost before the data
                stray.append(event)
            event, data = b"", []
            continue
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"event":
            event = value
        elif name == b"data":
            data.append(value)
        elif name == b"id":
            id_buffer = id_buffer if b"\0" in value else text(value)
        elif name == b"retry":
            if ended and re.fullmatch(rb"[0-9]{1,640}", value):
                retry_ms = int(value)
        elif name or b'"event_type"' in line:  # no comment, but data whose name was damaged
            stray.append(line)
    if not data and b"{" in event:
        stray.append(event)
    left = (text(event) or "message", b"\n".join(data), id_buffer) if data else None
    return Outcome(messages, left, last_event_id, retry_ms, b"\n".join(stray)[:STRAY_LIMIT])


def lines(stream: bytes) -> Iterator[tuple[int, bytes, bool, int]]:
    """Each line, where its block begins, whether it has an end, the size of the block with it."""
    at = begin = len(BOM) if stream.startswith(BOM) else 0
    size = 0
    while at < len(stream):
        end = LINE_END.search(stream, at)
        line = stream[at : end.start()] if end else stream[at:]
        at = end.end() if end else len(stream)
        if line:
            size += len(line) + bool(end)
        else:
            size, begin = 0, at
        yield begin, line, bool(end), size


def pending(stream: bytes) -> int:
    """How many bytes belong to the block that the stream leaves incomplete."""
    size = 0
    for *_, size in lines(stream):  # noqa: B007
        pass
    return size


def text(value: bytes) -> str:
    return value.decode("utf-8", "replace")


def plain(message: SSEMessage) -> Message:
    assert message.text == text(bytes(message.data))
    return message.event, bytes(message.data), message.id


def parse(chunks: Iterable[bytes], *, limit: int = NO_LIMIT, zero_copy: bool = False) -> Outcome:
    """What the parser makes of the chunks, with all that must hold besides."""
    parser = SSEParser(max_event_bytes=limit, zero_copy=zero_copy)
    messages: list[Message] = []
    left: SSEMessage | None = None
    refusal: LimitExceeded | None = None
    try:
        for chunk in chunks:
            messages += map(plain, parser.feed(chunk))
        left = parser.close()
        assert parser.close() is None
    except LimitExceeded as error:
        refusal = error
    if refusal is not None:
        assert refusal.size > refusal.limit == limit
        for more in (DELTA + b"x\n\n", b"data: x\n\n", b"", None):
            with pytest.raises(LimitExceeded) as caught:
                parser.close() if more is None else parser.feed(more)
            assert caught.value.offset == refusal.offset
    assert parser.pending_bytes == 0
    return Outcome(
        messages,
        None if left is None else plain(left),
        parser.last_event_id,
        parser.retry_ms,
        parser.stray,
        None if refusal is None else refusal.offset,
    )


def cuts(stream: bytes) -> Iterator[list[bytes]]:
    """The stream whole, byte by byte, and in two at every place."""
    yield [stream]
    yield [stream[at : at + 1] for at in range(len(stream))]
    for at in range(len(stream) + 1):
        yield [stream[:at], stream[at:]]


def cut_at(stream: bytes, places: Iterable[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(stream) + 1) for place in places), len(stream)]
    return [stream[start:stop] for start, stop in pairwise(edges)]
