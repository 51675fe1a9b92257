"""What the event stream parser refuses or does not hold, and what the rest costs."""

from __future__ import annotations

import gc
import time
import tracemalloc
from collections.abc import Callable

import pytest

from gemwire.errors import LimitExceeded
from gemwire.sse import SSEParser

from .sse_reference import BOM, DELTA, STRAY_LIMIT, cut_at, cuts, parse, reference

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


@pytest.mark.parametrize("zero_copy", [False, pytest.param(True, marks=pytest.mark.slow)])
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
