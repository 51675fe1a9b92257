"""The event stream parser against the rules of WHATWG HTML section 9.2, however the bytes are cut.

Every input runs whole, byte by byte, cut in two everywhere and at random, with and without
`zero_copy`, and always has to come to what a slow reader makes of the whole stream.
"""

from __future__ import annotations

import copy
import gc
import re
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gemwire.errors import LimitExceeded
from gemwire.sse import DONE, SSEMessage, SSEParser, encode_sse

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
        elif name:
            stray.append(line)
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


# ---- the rules, one by one


def msg(data: bytes, event: str = "message", id: str = "") -> Message:
    return event, data, id


def out(
    *messages: Message,
    left: Message | None = None,
    last_event_id: str = "",
    retry_ms: int | None = None,
    stray: bytes = b"",
) -> Outcome:
    """The outcome; the last event id is that of the last message if none is given."""
    last_event_id = last_event_id or (messages[-1][2] if messages else "")
    return Outcome([*messages], left, last_event_id, retry_ms, stray)


X, Y, Z = msg(b"x"), msg(b"y"), msg(b"z")
DELTA = b"event: step.delta\ndata: "
SEPARATORS = "a\u2028b\u2029c\u0085d\x0be\x0cf\x1cg".encode()
ERROR = b'[{\n  "error": {\n    "code": 503\n  }\n}\n]'

# fmt: off
CASES: dict[str, tuple[bytes, Outcome]] = {
    # line ends
    "LF": (b"event: a\ndata: x\n\n", out(msg(b"x", "a"))),
    "CRLF": (b"event: a\r\ndata: x\r\n\r\n", out(msg(b"x", "a"))),
    "CR": (b"event: a\rdata: x\r\r", out(msg(b"x", "a"))),
    "mixed line ends": (b"event: a\rdata: x\r\ndata: y\n\r", out(msg(b"x\ny", "a"))),
    "a LF after a last CR": (b"data: x\r\n\rdata: y\r\r\ndata: z\n\n", out(X, Y, Z)),
    "LF CR is two line ends": (b"data: x\n\rdata: y\n\r", out(X, Y)),
    "other separators end no line": (b"data: " + SEPARATORS + b"\n\n", out(msg(SEPARATORS))),
    "many blank lines": (b"\n\n\ndata: x\n\n\n\n\ndata: y\n\n\n", out(X, Y)),
    "blank lines after the usual ones": (b"event: a\ndata: x\n\n\ndata: y\n\n",
                                         out(msg(b"x", "a"), Y)),
    "many blank lines in CRs": (b"\r\r\rdata: x\r\r\r", out(X)),
    # the byte order mark
    "a BOM at the start": (BOM + b"data: x\n\n", out(X)),
    "a BOM alone": (BOM, out()),
    "a BOM and a blank line": (BOM + b"\r\ndata: x\n\n", out(X)),
    "one BOM goes, not two": (BOM * 2 + b"data: x\n\n", out(stray=BOM + b"data: x")),
    "a BOM before a later line": (b"data: x\n" + BOM + b"data\n\n", out(X, stray=BOM + b"data")),
    "a BOM in the data": (b"data: " + BOM + b"x\n\n", out(msg(BOM + b"x"))),
    "half a BOM": (BOM[:2] + b"data: x\n\n", out(stray=BOM[:2] + b"data: x")),
    "half a BOM and the end": (BOM[:2], out(stray=BOM[:2])),
    # fields
    "no space after the colon": (b"event:a\ndata:x\n\n", out(msg(b"x", "a"))),
    "one space goes, not two": (b"event:  a\ndata:  x\n\n", out(msg(b" x", " a"))),
    "a tab stays": (b"data:\tx\n\n", out(msg(b"\tx"))),
    "spaces at the end stay": (b"event: a \ndata: x \n\n", out(msg(b"x ", "a "))),
    "colons in the value": (b"data: a:b: c\n\n", out(msg(b"a:b: c"))),
    "fields without a colon": (b"event\ndata\n\n", out(msg(b""))),
    "names are exact": (b"Data: x\ndata : x\n data: x\ndata_: x\n\n",
                        out(stray=b"Data: x\ndata : x\n data: x\ndata_: x")),
    "several data lines": (b"data: a\ndata\ndata:\ndata: b\n\n", out(msg(b"a\n\n\nb"))),
    "data lines around others": (b"data: a\nevent: e\n: c\ndata: b\n\n", out(msg(b"a\nb", "e"))),
    "the name after the data": (b"data: x\nevent: e\n\n", out(msg(b"x", "e"))),
    "the last name counts": (b"event: a\nevent: b\ndata: x\n\n", out(msg(b"x", "b"))),
    "a second name after the data": (b"event: a\ndata: x\nevent: b\n\n", out(msg(b"x", "b"))),
    "a name is for one event": (b"event: a\ndata: x\n\ndata: y\n\n", out(msg(b"x", "a"), Y)),
    "also if it has no data": (b"event: a\n\ndata: x\n\n", out(X)),
    "an empty name": (b"event: a\nevent:\ndata: x\n\n", out(X)),
    "an empty name in the usual shape": (b"event: \ndata: x\n\n", out(X)),
    "empty data in the usual shape": (b"event: a\ndata: \n\n", out(msg(b"", "a"))),
    "a name seen before, alone": (b"event: a\ndata: x\n\nevent: a\n\nevent: a\n\n\n",
                                  out(msg(b"x", "a"))),
    "data that looks like a frame": (b"event: a\ndata: event: b\ndata: data: x\n\n",
                                     out(msg(b"event: b\ndata: x", "a"))),
    "a run of deltas": ((DELTA + b"x\n\n") * 3, out(*[msg(b"x", "step.delta")] * 3)),
    "a run of deltas of other shapes": (
        DELTA + b"\n\n" + DELTA + b"x\ndata: y\n\n" + DELTA + b"x\nid: 1\n\n" + DELTA + b"z\n\n",
        out(msg(b"", "step.delta"), msg(b"x\ny", "step.delta"), msg(b"x", "step.delta", "1"),
            msg(b"z", "step.delta", "1"))),
    "a delta with an id": (DELTA + b"x\nid: 1\n\n", out(msg(b"x", "step.delta", "1"))),
    "a delta with CR": (DELTA + b"x\rdata: y\n\n", out(msg(b"x\ny", "step.delta"))),
    "NUL in name and data": (b"event: a\0\ndata: \0\n\n", out(msg(b"\0", "a\0"))),
    "comments": (b": a\n:\n:data: x\n\ndata: y\n: b\n\n", out(Y)),
    # ids
    "ids persist": (b"id: 1\ndata: x\n\ndata: y\n\nid: 2\ndata: z\n\n",
                    out(msg(b"x", id="1"), msg(b"y", id="1"), msg(b"z", id="2"))),
    "an id without data persists": (b"id: 1\n\ndata: x\n\n", out(msg(b"x", id="1"))),
    "an id without data counts": (b"id: 1\n\n", out(last_event_id="1")),
    "an empty id": (b"id: 1\ndata: x\n\nid\ndata: y\n\n", out(msg(b"x", id="1"), Y)),
    "an id with NUL": (b"id: 1\nid: 2\x003\ndata: x\n\n", out(msg(b"x", id="1"))),
    "an id after the usual lines": (b"event: a\ndata: x\nid: 1\n\n", out(msg(b"x", "a", "1"))),
    "an id before the usual lines": (b"id: 1\nevent: a\ndata: x\n\n", out(msg(b"x", "a", "1"))),
    "an id of an incomplete event": (b"id: 1\n\nid: 2\ndata: x",
                                     out(left=msg(b"x", id="2"), last_event_id="1")),
    # retry
    "retry": (b"retry: 1500\n\n", out(retry_ms=1500)),
    "retry with zeros": (b"retry:0010\n\n", out(retry_ms=10)),
    "retry takes digits only": (
        b"retry: -1\nretry: 1_0\nretry: 1.5\nretry: +1\nretry:  1\nretry\nretry: \nretry: 1 \n\n",
        out()),
    "retry takes ASCII digits only": ("retry: ٣\nretry: ²\n\n".encode(), out()),
    "the last good retry counts": (b"retry: 1\nretry: 2\nretry: x\n\n", out(retry_ms=2)),
    "retry in an incomplete event": (b"retry: 1500\n", out(retry_ms=1500)),
    "retry that may lack digits": (b"retry: 1\n\nretry: 15", out(retry_ms=1)),
    # bad UTF-8
    "bad UTF-8": (b"event: a\xff\nid: \xc3\ndata: \xe2\x82\n\n",
                  out(msg(b"\xe2\x82", "a\ufffd", "\ufffd"))),
    # the end
    "nothing": (b"", out()),
    "an incomplete event": (b"event: a\ndata: x\n", out(left=msg(b"x", "a"))),
    "an incomplete line": (b"event: a\ndata: x\ndata: y", out(left=msg(b"x\ny", "a"))),
    "an incomplete event without data": (b"data: x\n\nevent: a\n", out(X)),
    "an incomplete empty data line": (b"data", out(left=msg(b""))),
    "an incomplete field name": (b"data: x\n\ndat", out(X, stray=b"dat")),
    "an incomplete CRLF": (b"data: x\r\n\r", out(X)),
    # what is no field at all
    "bare JSON after the frames": (DONE + ERROR, out(msg(b"[DONE]", "done"), stray=ERROR)),
    "bare JSON between the frames": (b'data: x\n\n{"error":\r\n\r\n{}}\ndata: y\n\n',
                                     out(X, Y, stray=b'{"error":\n{}}')),
    "bare lines in an event": (b"data: x\nfoo\nbar: 1\n\n", out(X, stray=b"foo\nbar: 1")),
    # the examples of the standard
    "example: stock ticker": (b"data: YHOO\ndata: +2\ndata: 10\n\n", out(msg(b"YHOO\n+2\n10"))),
    "example: four blocks": (
        b": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third\n\n",
        out(msg(b"first event", id="1"), msg(b"second event"), msg(b" third"))),
    "example: empty data fires": (b"data\n\ndata\ndata\n\ndata:",
                                  out(msg(b""), msg(b"\n"), left=msg(b""))),
    "example: the space is optional": (b"data:test\n\ndata: test\n\n", out(*[msg(b"test")] * 2)),
    "example: named events": (b"event: add\ndata: 73\n\nevent: remove\ndata: 21\n\n",
                              out(msg(b"73", "add"), msg(b"21", "remove"))),
}
# fmt: on


@pytest.mark.parametrize("zero_copy", [False, True])
@pytest.mark.parametrize(("stream", "outcome"), CASES.values(), ids=CASES.keys())
def test_rule(stream: bytes, outcome: Outcome, zero_copy: bool) -> None:
    assert reference(stream) == outcome
    for chunks in cuts(stream):
        assert parse(chunks, zero_copy=zero_copy) == outcome, chunks


@pytest.mark.parametrize("zero_copy", [False, True])
def test_the_rules_hold_for_a_parser_that_has_seen_the_names(zero_copy: bool) -> None:
    seen = b"event: a\ndata: p\n\n"
    for stream, _ in CASES.values():
        expected = reference(seen + stream)
        for chunks in cuts(stream):
            assert parse([seen, *chunks], zero_copy=zero_copy) == expected, chunks


# ---- any bytes, any cuts

# fmt: off
TOKENS = [
    b"\n", b"\r", b"\r\n", b"\n\n", b":", b" ", b": ", b"\0", b"1", b"a", b"{", b"\xff",
    *(BOM[at : at + 1] for at in range(3)), BOM, b"\xe2\x80\xa8", b"\x0b\x0c",
    b"data", b"event", b"id", b"retry", b"data: ", b"event: ", b"id: 7\n", b"retry: 5\n",
    b"event: a\ndata: ", b"\n\nevent: a\ndata: x\n\n", b"\n\n" + DELTA, DELTA + b"{}\n\n",
]
# fmt: on
# Chunks that end with a token, as those of a server do; the first may make the parser warm.
pieces = st.lists(st.sampled_from(TOKENS), max_size=12).map(b"".join)
warm = st.just(b"event: a\ndata: x\n\n" * 2)
chunked = st.builds(
    lambda first, rest: [*first, *rest], st.lists(warm, max_size=1), st.lists(pieces)
)
places = st.lists(st.integers(0, 10**6), max_size=12)


def each_way(chunks: list[bytes], places: list[int]) -> Iterator[list[bytes]]:
    stream = b"".join(chunks)
    yield chunks
    yield [stream]
    yield cut_at(stream, places)
    yield [stream[at : at + 1] for at in range(len(stream))]


@settings(max_examples=200, deadline=None)
@given(chunks=chunked, places=places, zero_copy=st.booleans())
def test_any_bytes_in_any_chunks(chunks: list[bytes], places: list[int], zero_copy: bool) -> None:
    expected = reference(b"".join(chunks))
    for cut in each_way(chunks, places):
        assert parse(cut, zero_copy=zero_copy) == expected


@settings(max_examples=200, deadline=None)
@given(chunks=chunked, places=places, limit=st.integers(1, 60), zero_copy=st.booleans())
@example([BOM[:2]], [], 1, False)
@example([b"event: a\r\ndata: x\r\n\r\ndata: 123456789\n\n"], [5, 9, 17], 17, False)
def test_a_limit_refuses_the_same_event_in_any_chunks(
    chunks: list[bytes], places: list[int], limit: int, zero_copy: bool
) -> None:
    expected = reference(b"".join(chunks), limit)
    for cut in each_way(chunks, places):
        assert parse(cut, limit=limit, zero_copy=zero_copy) == expected


@settings(max_examples=100, deadline=None)
@given(chunks=chunked)
def test_the_call_that_completes_an_event_delivers_it(chunks: list[bytes]) -> None:
    for cut in each_way(chunks, []):
        parser = SSEParser()
        messages: list[Message] = []
        fed = b""
        for chunk in cut[:60]:
            messages += map(plain, parser.feed(chunk))
            fed += chunk
            so_far = reference(fed)
            assert (messages, parser.last_event_id) == (so_far.messages, so_far.last_event_id)
            assert parser.pending_bytes == pending(fed)
            assert parser.fed_bytes == len(fed)


@settings(max_examples=100, deadline=None)
@given(chunks=chunked)
def test_bare_deltas_are_the_data_of_step_delta(chunks: list[bytes]) -> None:
    parser = SSEParser(_bare_deltas=True)
    found: list[SSEMessage | bytes] = [
        message for chunk in chunks for message in parser.feed(chunk)
    ]
    assert [
        ("step.delta", message) if isinstance(message, bytes) else plain(message)[:2]
        for message in found
    ] == [message[:2] for message in reference(b"".join(chunks)).messages]

    parser = SSEParser(_bare_deltas=True)
    for count in (2, 1):  # in a run, and alone
        found = [*parser.feed((DELTA + b"x\n\n") * count)]
        assert found[-1] == b"x"


# ---- limits


@pytest.mark.parametrize("line_end", [b"\n", b"\r", b"\r\n"])
def test_the_limit_counts_lines_with_one_byte_for_each_end(line_end: bytes) -> None:
    block = line_end.join([b"event: a", b"data: xyz", b"", b""])
    for before in (b"", line_end * 5, BOM, block):
        for chunks in cuts(before + block + block):
            assert parse(chunks, limit=19).refused is None
            assert parse(chunks, limit=18).refused == (0 if before == block else len(before))


def test_a_refusal_comes_after_the_events_before_it() -> None:
    parser = SSEParser(max_event_bytes=20)
    messages = parser.feed(b"data: a\n\ndata: b\n\n" + b"data: " + b"x" * 50 + b"\n\ndata: c\n\n")
    assert [message.text for message in messages] == ["a", "b"]
    with pytest.raises(LimitExceeded) as caught:
        parser.feed(b"data: d\n\n")
    assert (caught.value.offset, caught.value.limit, caught.value.size) == (18, 20, 57)
    with pytest.raises(LimitExceeded):
        parser.close()


@pytest.mark.parametrize("before", [0, 1, 2])
@pytest.mark.parametrize("large", [b"x" * 31, DELTA + b"x" * 31 + b"\n\n"])
def test_a_refusal_is_final_for_a_parser_in_full_swing(before: int, large: bytes) -> None:
    parser = SSEParser(max_event_bytes=30)
    ordinary, delta = b"event: a\ndata: x\n\n", DELTA + b"x\n\n"
    assert len(parser.feed(ordinary * 2)) == 2
    assert len(parser.feed(delta)) == 1
    assert len(parser.feed(ordinary * before + large)) == before
    for chunk in (delta, ordinary):
        with pytest.raises(LimitExceeded):
            parser.feed(chunk)


def test_what_is_too_large_is_not_held() -> None:
    parser = SSEParser(max_event_bytes=1000)
    assert parser.feed(b"data: " + b"x" * 900) == []
    assert parser.pending_bytes == 906
    assert parser.feed(b"x" * 900) == []
    assert parser.pending_bytes == 0


def test_a_limit_is_positive() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        SSEParser(max_event_bytes=0)


def test_stray_keeps_the_first_64_kib() -> None:
    for size in (100, 7281, 65535, 65536, 65537):
        stream = b"%b\ndata: a\n\n" % (b"x" * size) * (70_000 // size + 2)
        expected = reference(stream)
        assert len(expected.stray) == STRAY_LIMIT
        assert parse([stream]) == expected
        assert parse(cut_at(stream, range(0, len(stream), 4099))) == expected


def test_numbers_that_int_refuses() -> None:
    assert parse([b"retry: " + b"9" * 640 + b"\n\n"]).retry_ms == 10**640 - 1
    assert parse([b"retry: 7\nretry: " + b"9" * 641 + b"\n\n"]).retry_ms == 7
    assert parse([b"retry: " + b"9" * 5000 + b"\n\n"]).retry_ms is None


# ---- chunks and views


def test_buffers_may_be_reused() -> None:
    for zero_copy in (False, True):
        parser = SSEParser(zero_copy=zero_copy)
        buffer = bytearray(b"event: a\ndata: xyz\n\ndata: hel")
        first = parser.feed(buffer)
        buffer[:] = b"#" * len(buffer)
        second = parser.feed(memoryview(b"-l-o-\n-\n-")[1::2])
        assert [plain(message) for message in first + second] == [
            ("a", b"xyz", ""), ("message", b"hello", "")]  # fmt: skip
    for chunk in (bytearray(DELTA + b"x\n\n"), memoryview(DELTA + b"x\n\n")):
        parser = SSEParser()
        parser.feed(b"event: a\ndata: x\n\n")
        (message,) = parser.feed(chunk)
        assert message.data == b"x"
        assert type(message.data) is bytes


def test_a_chunk_that_looks_whole_may_be_the_rest_of_an_event() -> None:
    parser = SSEParser()
    assert len(parser.feed((DELTA + b"x\n\n") * 2)) == 2
    assert parser.feed(b"data: 1\n") == []
    assert parser.feed(DELTA + b"2\n\n") == [SSEMessage("step.delta", b"1\n2")]


@pytest.mark.parametrize("chunk", ["data: x\n\n", 5, None, [1]])
def test_only_bytes_are_chunks(chunk: object) -> None:
    with pytest.raises(TypeError):
        SSEParser().feed(chunk)  # type: ignore[arg-type]


def test_bytes_by_default() -> None:
    parser = SSEParser()
    for chunk in (b"event: a\ndata: x\n\n", b"event: a\ndata: x\n\n" * 2, b"data: y\n", b"\n"):
        assert all(type(message.data) is bytes for message in parser.feed(chunk))


def test_zero_copy_looks_into_the_chunk() -> None:
    chunk = b"event: a\ndata: xyz\n\ndata: 1\ndata: 2\n\nid: 1\ndata: abc\n\nevent: a\nda"
    parser = SSEParser(zero_copy=True)
    one, two, three = parser.feed(chunk)
    assert isinstance(one.data, memoryview)
    assert isinstance(three.data, memoryview)
    assert one.data.obj is three.data.obj is chunk
    assert one.data.readonly
    assert two == SSEMessage("message", b"1\n2")  # joined lines are new bytes

    (four,) = parser.feed(b"ta: held\n\n")
    for head in (b"event: a\ndata: ", DELTA):
        (five,) = parser.feed(head + b"5\n\n")
        assert isinstance(five.data, memoryview)
    parser.feed(b"data: " + b"x" * 10_000)  # the buffer goes on growing under no view
    assert isinstance(four.data, memoryview)
    assert isinstance(four.data.obj, bytes)
    assert [plain(message)[1] for message in (one, three, four)] == [b"xyz", b"abc", b"held"]
    assert one == SSEMessage("a", b"xyz")
    left = parser.close()
    assert left is not None
    assert isinstance(left.data, memoryview)


def test_a_name_is_one_object() -> None:
    parser = SSEParser()
    frame = b"event: interaction.created\ndata: {}\n\n"
    names = [message.event for _ in range(3) for message in parser.feed(frame * 3)]
    names += [message.event for message in parser.feed(frame)]
    assert len(names) == 10
    assert len({id(name) for name in names}) == 1


# ---- the life of a parser


def test_a_closed_parser() -> None:
    for before, left in ((b"data: x\n\ndata: y", SSEMessage("message", b"y")), (b"\n", None)):
        parser = SSEParser()
        parser.feed(before)
        assert parser.close() == left
        assert parser.close() is None
        assert parser.pending_bytes == 0
        for chunk in (b"data: z\n\n", DELTA + b"z\n\n", b""):
            with pytest.raises(RuntimeError, match="close"):
                parser.feed(chunk)


def test_a_new_parser() -> None:
    parser = SSEParser()
    assert (parser.last_event_id, parser.retry_ms, parser.pending_bytes) == ("", None, 0)
    assert parser.stray == b""
    assert parser.feed(b"") == []
    assert parser.feed(BOM[:1]) == []
    assert parser.pending_bytes == 1
    assert parser.close() is None
    assert parser.stray == BOM[:1]


def test_a_message() -> None:
    message = SSEMessage("a", b"caf\xc3\xa9 \xff", "1")
    assert message.text == "café \ufffd"
    assert SSEMessage(data=b"x") == SSEMessage("message", b"x", "")
    assert message == copy.deepcopy(message)
    with pytest.raises(AttributeError):
        message.event = "b"  # type: ignore[misc]


def test_the_import_is_cheap() -> None:
    heavy = ("asyncio", "json", "gemwire.models", "gemwire.codec")
    code = f"import sys, gemwire.sse; print([name for name in {heavy} if name in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


# ---- cost


def line_in_pieces(size: int, piece: int) -> list[bytes]:
    line = b"data: " + b"x" * size + b"\n\n"
    return [line[at : at + piece] for at in range(0, len(line), piece)]


COSTS: dict[str, tuple[int, Callable[[int], list[bytes]]]] = {
    "one line in 1 KiB chunks": (16 * 2**20, lambda n: line_in_pieces(n, 1024)),
    "one line in single bytes": (60_000, lambda n: line_in_pieces(n, 1)),
    "data lines in one chunk": (50_000, lambda n: [b"data: x\n" * n + b"\n"]),
    "data lines in 16 byte chunks": (50_000, lambda n: [b"data: x\ndata: yy\n"] * (n // 2)),
    "data lines in CRLF": (50_000, lambda n: cut_at(b"data: x\r\n" * n, range(0, 9 * n, 1000))),
    "lines without a colon": (50_000, lambda n: [b"stray\n" * n]),
    "blank lines": (200_000, lambda n: [b"\n" * n]),
    "events in one chunk": (50_000, lambda n: [b"event: a\ndata: x\n\n" * n]),
    "other events in one chunk": (30_000, lambda n: [b": x\n\ndata: x\nid: 1\n\n" * (n // 2)]),
    "events of many names": (50_000, lambda n: [b"event: %d\ndata: x\n\n" % i for i in range(n)]),
    "deltas and others in turn": (
        30_000, lambda n: [b"event: step.delta\ndata: x\n\nevent: a\ndata: x\n\n" * (n // 2)]),
}  # fmt: skip


@pytest.mark.parametrize("zero_copy", [False, True])
@pytest.mark.parametrize(("size", "build"), COSTS.values(), ids=COSTS.keys())
def test_the_cost_is_linear(
    size: int, build: Callable[[int], list[bytes]], zero_copy: bool
) -> None:
    def cost(chunks: list[bytes]) -> float:
        parser = SSEParser(zero_copy=zero_copy)
        gc.collect()
        gc.disable()  # its passes over all that other tests left alive are not the parser's cost
        try:
            start = time.process_time()
            for chunk in chunks:
                parser.feed(chunk)
            parser.close()
            return time.process_time() - start
        finally:
            gc.enable()

    # Four times the bytes: linear is 4, quadratic 16. The floor is for what is too fast to time;
    # another try is for a machine that is busy.
    small, large = build(size // 4), build(size)
    assert any(cost(large) < 8 * max(cost(small), 0.001) for _ in range(3))


def peak(chunks: list[bytes], *, zero_copy: bool = False) -> int:
    """The most bytes that the parser had allocated, its messages included."""
    parser = SSEParser(zero_copy=zero_copy)
    tracemalloc.start()
    try:
        kept = [message for chunk in chunks for message in parser.feed(chunk)]
        del kept
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("more", [b"", b"\nid: 1", b"\ndata: y"], ids=["usual", "id", "lines"])
@pytest.mark.parametrize("size", [16 * 2**10, 2**30])
def test_a_large_event_is_in_memory_twice_at_most(size: int, more: bytes) -> None:
    stream = DELTA + b"x" * (16 * 2**20) + more + b"\n\n"
    chunks = [stream[at : at + size] for at in range(0, len(stream), size)]
    assert peak(chunks) < 2.15 * len(stream)
    if b"data" not in more:
        assert peak(chunks, zero_copy=True) < 1.15 * len(stream)


def test_little_is_held_of_many_small_chunks() -> None:
    assert peak([b"ab"] * 100_000) < 300_000


def test_made_up_names_are_not_kept() -> None:
    frames = [b"event: %d\ndata: x\n\n" % number * 2 for number in range(3000)]
    frames.insert(0, b"event: " + b"long" * 10**5 + b"\ndata: x\n\n" * 2)
    parser = SSEParser()
    tracemalloc.start()
    try:
        for frame in frames:
            parser.feed(frame)
        assert tracemalloc.get_traced_memory()[0] < 50_000
    finally:
        tracemalloc.stop()


# ---- writing

names = st.text(st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"]), max_size=8)
messages = st.builds(
    SSEMessage,
    event=names.filter(bool) | st.just("message"),
    data=st.binary(max_size=30).map(lambda data: data.replace(b"\r", b"\n")),
    id=names,
)


@settings(deadline=None)
@given(message=messages)
@example(SSEMessage("message", b""))
@example(SSEMessage(" a: b ", b" \n\n x\n", " 1 "))
@example(SSEMessage("\ufeffa", b"\xef\xbb\xbf", "\ufeff"))
def test_a_frame_reads_back_as_the_same_message(message: SSEMessage) -> None:
    frame = encode_sse(message)
    assert parse([frame]).messages == [plain(message)]
    for other in (SSEMessage(message.event, memoryview(message.data), message.id), message):
        assert encode_sse(other) == frame
    assert parse([frame * 2]).messages == [plain(message)] * 2


def test_frames() -> None:
    assert encode_sse(SSEMessage("done", b"[DONE]")) == DONE
    assert encode_sse(SSEMessage("message", b"x")) == b"data: x\n\n"
    assert encode_sse(SSEMessage("", b"x")) == b"data: x\n\n"
    assert encode_sse(SSEMessage("a", b"x\n", "1")) == b"event: a\nid: 1\ndata: x\ndata: \n\n"


@pytest.mark.parametrize("bad", ["a\r", "\na", "a\0b", "\ud83c"])
def test_what_no_frame_can_carry(bad: str) -> None:
    for message in (SSEMessage(bad, b"x"), SSEMessage("a", b"x", bad), SSEMessage("a", b"x\ry")):
        with pytest.raises(ValueError, match=r"CR|surrogates"):
            encode_sse(message)


def test_a_typed_event() -> None:
    from gemwire.codec import decode_event

    for name, data in (
        ("step.stop", b'{"index":0,"event_type":"step.stop"}'),
        ("step.news", b'{"index":0,"event_type":"step.news"}'),
        ("step.news", b'{\r\n"index": 0,\r"event_type": "step.news"}'),  # no frame can carry CR
    ):
        (message,) = SSEParser().feed(encode_sse(decode_event(data)))
        assert message.event == name
        assert decode_event(message.data) == decode_event(data.replace(b"\r", b"\n"))
