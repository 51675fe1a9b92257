"""The streams that the benchmarks time are right: gemwire reads them to what they must come to."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from bench.fixtures import KIB, Stream, calls_stream, image_stream, text_stream
from gemwire import StepDelta, TextDelta, assemble, decode_event, encode

Make = Callable[..., Stream]

SMALL: list[Any] = [
    pytest.param(text_stream, 120, id="text"),
    pytest.param(calls_stream, 4, id="calls"),
    pytest.param(image_stream, 40 * KIB, id="image"),
]


@pytest.mark.parametrize("chunk", [64 * KIB, 16 * KIB, 7, None])
@pytest.mark.parametrize(("make", "size"), SMALL)
def test_a_stream_comes_to_what_it_must(make: Make, size: int, chunk: int | None) -> None:
    stream = make(size, chunk=chunk, seed=1)
    assert assemble(stream.chunks) == stream.expected


@pytest.mark.parametrize(("make", "size"), SMALL)
def test_payloads_are_those_of_the_chunks_and_decode_in_full(make: Make, size: int) -> None:
    stream = make(size, chunk=None, seed=1)
    *frames, done = stream.chunks
    assert done == b"event: done\ndata: [DONE]\n\n"
    for frame, name, payload in zip(frames, stream.names, stream.payloads, strict=True):
        assert frame == b"event: %b\ndata: %b\n\n" % (name.encode(), payload)
        event = decode_event(payload, name, strict=True)  # strict: nothing in it is unknown
        assert event.event_type == name
        assert json.loads(encode(event)) == json.loads(payload)
        assert list(json.loads(payload))[-1] == "event_type"


@pytest.mark.parametrize(("make", "size"), SMALL)
def test_all_follows_from_the_seed(make: Make, size: int) -> None:
    assert make(size, seed=1) == make(size, seed=1)
    assert make(size, seed=1).payloads != make(size, seed=2).payloads


@pytest.mark.parametrize(("make", "size"), SMALL)
def test_cutting_changes_no_byte(make: Make, size: int) -> None:
    whole = b"".join(make(size, chunk=None, seed=1).chunks)
    cut = make(size, chunk=16 * KIB, seed=1).chunks
    assert b"".join(cut) == whole
    assert {len(chunk) for chunk in cut[:-1]} <= {16 * KIB}


def test_text_deltas_are_ordinary() -> None:
    stream = text_stream(1000, seed=1)
    texts: list[str] = []
    for name, payload in zip(stream.names, stream.payloads, strict=True):
        event = decode_event(payload, name)
        if isinstance(event, StepDelta) and isinstance(event.delta, TextDelta):
            texts.append(event.delta.text)
    assert len(texts) == 1000
    assert all(2 <= len(text) <= 120 for text in texts)
    assert 0.1 < sum(not text.isascii() for text in texts) / len(texts) < 0.4
    assert any('"' in text or "\n" in text for text in texts)


def test_the_image_has_the_size_asked_for() -> None:
    stream = image_stream(40 * KIB, seed=1)
    assert 40 * KIB <= max(map(len, stream.payloads)) < 40 * KIB + 200
