"""Any bytes in any chunks come to what a slow reader makes of the whole stream."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import example, given, settings
from hypothesis import strategies as st

from gemwire.sse import SSEMessage, SSEParser

from .sse_reference import BOM, DELTA, Message, cut_at, parse, pending, plain, reference

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
    parser = SSEParser()
    found: list[SSEMessage | bytes] = [
        message for chunk in chunks for message in parser.feed_frames(chunk)
    ]
    assert [
        ("step.delta", message) if isinstance(message, bytes) else plain(message)[:2]
        for message in found
    ] == [message[:2] for message in reference(b"".join(chunks)).messages]

    parser = SSEParser()
    for count in (2, 1):  # in a run, and alone
        found = [*parser.feed_frames((DELTA + b"x\n\n") * count)]
        assert found[-1] == b"x"
