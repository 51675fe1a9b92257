"""The event stream parser against the rules of WHATWG HTML section 9.2, however the bytes are cut.

Every input runs whole, byte by byte, cut in two everywhere, with and without `zero_copy`, and
always has to come to what a slow reader makes of the whole stream.
"""

from __future__ import annotations

import copy
import subprocess
import sys

import pytest

from gemwire.sse import DONE, SSEMessage, SSEParser

from .sse_reference import BOM, DELTA, Message, Outcome, cuts, parse, plain, reference

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


@pytest.mark.parametrize("zero_copy", [False, True])
@pytest.mark.parametrize("stream", [stream for stream, _ in CASES.values()], ids=CASES.keys())
def test_retry_counts_as_soon_as_its_line_ends(stream: bytes, zero_copy: bool) -> None:
    """After every byte, and whatever came in one piece before it."""
    for first in {0, 1, len(stream) // 2}:
        parser = SSEParser(zero_copy=zero_copy)
        parser.feed(stream[:first])
        for at in range(first, len(stream)):
            parser.feed(stream[at : at + 1])
            assert parser.retry_ms == reference(stream[: at + 1]).retry_ms


RETRY_LINES: dict[str, tuple[bytes, int | None]] = {
    "a space": (b"retry: 5000", 5000),
    "no space": (b"retry:5000", 5000),
    "two spaces": (b"retry:  5000", None),
    "no digits": (b"retry: soon", None),
    "no value": (b"retry", None),
    "the longest": (b"retry: " + b"0" * 639 + b"7", 7),
    "too long": (b"retry: " + b"0" * 640 + b"7", None),
    "far too long": (b"retry: " + b"7" * 2000, None),
    "another field": (b"xretry: 5000", None),
    "in data": (b"data: retry: 5000", None),
}


@pytest.mark.parametrize("before", [b"", b"data: x\n\n", b"event: a\n", b"data: x\r\n: c\r\n"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"], ids=["LF", "CRLF", "CR"])
@pytest.mark.parametrize(("line", "retry"), RETRY_LINES.values(), ids=RETRY_LINES.keys())
def test_retry_in_a_block_without_end(
    line: bytes, retry: int | None, end: bytes, before: bytes
) -> None:
    stream = before + line + end
    pieces = [[stream], [stream[i : i + 1] for i in range(len(stream))]]
    pieces += [[stream[:at], stream[at:]] for at in range(min(len(stream), 40))]
    for chunks in pieces:
        parser = SSEParser()
        for chunk in chunks:
            parser.feed(chunk)
        assert parser.retry_ms == retry, chunks
        parser.feed(b"data: y")  # and it stays
        assert parser.retry_ms == retry
        parser.close()
        assert parser.retry_ms == retry


def test_retry_of_several_lines_and_blocks() -> None:
    parser = SSEParser()
    parser.feed(b"retry: 1\nretry: 2\nretry: x\nretry: 3\nretry: 4")
    assert parser.retry_ms == 3
    parser.feed(b"0\n")
    assert parser.retry_ms == 40
    parser.feed(b"data: x\n\nid: 7\n")
    assert (parser.retry_ms, parser.last_event_id) == (40, "")
    parser.feed(b"retry: 5\n")
    assert (parser.retry_ms, parser.last_event_id) == (5, "")


def test_retry_of_a_refused_event_does_not_count() -> None:
    """Whether it came in the piece that was too much or before it."""
    stream = b"retry: 1\n\nretry: 2\n" + b"data: x\n" * 9
    for chunks in cuts(stream):
        assert parse(chunks, limit=40) == reference(stream, 40)
        assert parse(chunks, limit=40).retry_ms == 1


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
