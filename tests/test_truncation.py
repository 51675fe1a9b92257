"""What a stream was that was cut, or that was none at all: the message says it."""

from __future__ import annotations

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gemwire import Assembler, InteractionParser
from gemwire.assembler import answer_of
from gemwire.assembly.truncation import cut_message

from .streams import HTML
from .wire import answer, created, delta, frame, mill, start, stop, stream, text

WHOLE = answer(*mill(0))
CHUNK = b'data: {"id":"c","object":"chat.completion.chunk","choices":[]}\n\n'
CLAUDE = b'event: message_start\ndata: {"type":"message_start","message":{}}\n\n'
PREFIX = "the stream stopped before its end: "


def told(data: bytes, size: int = 2**20) -> str:
    """The message for a stream, in pieces of a size."""
    parser = InteractionParser()
    for at in range(0, len(data), size):
        parser.feed(data[at : at + size])
    parser.close()
    message = cut_message(answer_of(parser.assembler))
    assert message.startswith(PREFIX)
    assert len(message) <= 300
    assert message.isprintable()
    return message.removeprefix(PREFIX)


ROWS: list[tuple[str, bytes, list[str], list[str]]] = [
    # ---- how far it came
    ("nothing", b"", ["no bytes at all"], ["event,", "resumed"]),
    (
        "a step is open",
        stream(created(), *mill(0), start(1, "thought"), done=False),
        ["5 events", "bytes", "step 1 (thought) is open", "it can be resumed"],
        [],
    ),
    (
        "one of several is open",
        stream(created(), start(0, "thought"), start(1, "function_call"), stop(1), done=False),
        ["step 0 (thought) is open"],
        ["step 1"],
    ),
    ("between steps", stream(created(), *mill(0), done=False), ["4 events"], ["is open"]),
    ("no id", stream(start(0, "x"), done=False), ["1 event,", "cannot be resumed"], ["report."]),
    ("a step of a long kind", stream(start(0, "x" * 999), done=False), ["(" + "x" * 39], []),
    ("a page after events", stream(created(), done=False) + HTML, ["1 event", "502: Bad"], []),
    # ---- what it was instead
    ("only comments", b": a\n\n\n", ["no event, 6 bytes", "blank lines, comments"], ["no bytes"]),
    ("a page", HTML, ["no event", "an HTML page, 502: Bad Gateway"], []),
    ("a page without a title", b"<!DOCTYPE html><body><h1>Oh</h1>", ["an HTML page, Oh"], []),
    ("a bare page", b"<html></html>", ["an HTML page"], ["page,"]),
    ("XML", b"<?xml version='1.0'?><Error/>", ["markup: <?xml"], ["HTML"]),
    ("gzip", gzip.compress(WHOLE, mtime=0), ["gzip"], []),
    ("gzip of now", gzip.compress(WHOLE), ["gzip"], []),
    ("UTF-16", WHOLE.decode().encode("utf-16"), ["UTF-16"], []),
    ("UTF-16, little", WHOLE.decode().encode("utf-16-le"), ["UTF-16"], []),
    ("UTF-16, big", WHOLE.decode().encode("utf-16-be"), ["UTF-16"], []),
    ("UTF-16 of JSON", b"{\0}\0", ["UTF-16"], []),
    ("text", b"upstream connect error\nmore\n", ["it began with upstream connect error"], ["more"]),
    ("control characters", b"a\x1b[31mb", ["it began with a\ufffd[31mb"], []),
    ("another object", b'{"hello": "world"}', ["no interaction", '"hello": "world"'], []),
    ("a reason that is none of ours", b'{"detail":"Overloaded"}', ["Overloaded"], []),
    ("a long list", b"[" + b"1," * 5000 + b"1]", ["JSON that is no interaction"], []),
    ("lines of JSON", b'{"a": 1}\n{"b": 2}\n', ["lines of JSON", '{"a": 1}'], []),
    ("JSON that was cut", b'{"id": "v1_a", "steps": [', ["JSON that is not whole"], []),
    ("brackets", b"[" * 5000, ["JSON that is not whole"], []),
    # ---- events of others
    ("OpenAI", CHUNK * 3 + b"data: [DONE]\n\n", ["3 events", "another API", "OpenAI"], []),
    ("Anthropic", CLAUDE, ["1 event,", "Anthropic"], []),
    ("unknown", frame({"a": 1}), ["none of them is of this API", '{"a":1}'], []),
    ("some are ours", stream(created(), done=False) + CHUNK, ["2 events"], ["API"]),
]


@pytest.mark.parametrize(("data", "parts", "absent"), [row[1:] for row in ROWS], ids=[
    row[0] for row in ROWS
])  # fmt: skip
def test_what_is_said(data: bytes, parts: list[str], absent: list[str]) -> None:
    message = told(data)
    assert message == told(data, 1) == told(data, 7)
    for part in parts:
        assert part in message
    for part in absent:
        assert part not in message


def test_an_assembler_knows_no_bytes() -> None:
    assembler = Assembler()
    assembler.settle()
    assert cut_message(answer_of(assembler)) == PREFIX + "no bytes at all"
    from gemwire import decode_event

    assembler = Assembler()
    assembler.apply(decode_event(frame(text(0, "A")).splitlines()[1][6:]))
    assembler.settle()
    assert "1 event; step 0 (model_output) is open" in cut_message(answer_of(assembler))


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode), st.integers(0, 2))
def test_whatever_comes(data: bytes, before: int) -> None:
    told(stream(created(), delta(0, "text", text="A"), done=False)[: before * 70] + data)
