"""The speed lane: with it and without it, everything that can be seen of a stream is equal."""

from __future__ import annotations

import random
from collections.abc import Callable, Generator
from contextlib import contextmanager, nullcontext
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gemwire import (
    GemwireError,
    InteractionParser,
    InteractionStream,
    StepDelta,
    StreamError,
    TextDelta,
    assemble,
    encode,
    iter_events,
)
from gemwire.sse import SSEParser
from gemwire.streams import lane
from gemwire.streams.lane import Frames, Run, learn

from .sse_reference import cut_at
from .test_ways import FAULTS, SMALL, STREAMS
from .wire import completed, created, cut, frame, start, stop, stream, text

Chunks = list[bytes]


@contextmanager
def without_lane() -> Generator[None]:
    """Nothing is recognised, and the framing is that of `SSEParser`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lane, "learn", lambda name, data: None)
        patch.setattr(Frames, "_cut", vars(SSEParser)["_cut"])
        patch.setattr(Frames, "feed_frames", SSEParser.feed_frames)
        yield


# ---- all that can be seen


def settled(parser: InteractionParser) -> list[Any]:
    seen: list[Any] = [parser.report, encode(parser.snapshot()), parser.offset]
    try:
        seen.append(parser.close())
        seen.append(encode(parser.finish()))
    except StreamError as error:
        seen += [type(error), str(error), error.report, encode(error.interaction)]
    return [*seen, parser.report, parser.report.issues, parser.report.unknown, parser.checkpoint()]


def fed(chunks: Chunks, **options: Any) -> list[Any]:
    parser = InteractionParser(**options)
    seen: list[Any] = []
    for chunk in chunks:
        seen.append(parser.feed(chunk))
        seen.append((parser.offset, parser.report.event_count))
    return [*seen, parser.checkpoint(), *settled(parser)]


def fed_one_by_one(chunks: Chunks, **options: Any) -> list[Any]:
    parser = InteractionParser(**options)
    seen: list[Any] = []
    for chunk in chunks:
        for number, event in enumerate(parser.iter_feed(chunk)):
            seen.append((event, parser.report.event_count))
            if number % 7 == 3:
                seen.append(encode(parser.snapshot()))
    return seen + settled(parser)


def absorbed(chunks: Chunks, **options: Any) -> list[Any]:
    parser = InteractionParser(**options)
    for at in range(0, len(chunks), 3):
        parser.absorb(chunks[at : at + 3])
    return settled(parser)[:-1]  # a checkpoint may hold the same text in fewer pieces


def iterated(chunks: Chunks, **options: Any) -> list[Any]:
    source = InteractionStream(chunks, **options)
    return [*source, source.report, encode(source.snapshot()), source.checkpoint()]


def texts(chunks: Chunks, **options: Any) -> list[Any]:
    """Pieces of text and events by turns, as each leaves the stream where it is."""
    source = InteractionStream(chunks, **options)
    seen: list[Any] = []
    pieces = source.text_stream
    for number, piece in enumerate(pieces):
        seen.append((piece, source.report.event_count))
        if number % 5 == 4 and (event := next(source, None)) is not None:
            seen.append(event)
    return [*seen, source.report, encode(source.snapshot())]


def plain(chunks: Chunks, **options: Any) -> list[Any]:
    return list(iter_events(chunks, **options))


def assembled(chunks: Chunks, **options: Any) -> list[Any]:
    try:
        return [encode(assemble(chunks, **options))]
    except StreamError as error:
        return [type(error), error.report, encode(error.interaction)]


WAYS: tuple[Callable[..., list[Any]], ...] = (
    fed,
    fed_one_by_one,
    absorbed,
    iterated,
    texts,
    plain,
    assembled,
)


def outcome(
    way: Callable[..., list[Any]], chunks: Chunks, options: Any, lane_on: bool
) -> list[Any]:
    with nullcontext() if lane_on else without_lane():
        try:
            return way(chunks, **options)
        except GemwireError as error:
            return [type(error), str(error), vars(error)]


def assert_equal(chunks: Chunks, ways: Any = WAYS, **options: Any) -> None:
    for way in ways:
        on, off = (outcome(way, chunks, options, lane_on) for lane_on in (True, False))
        assert on == off, way.__name__


# ---- recordings, captures, cases


@pytest.mark.parametrize("name", SMALL)
def test_streams(name: str) -> None:
    data = STREAMS[name]
    for chunks in ([data], cut(data, 313), cut(data.replace(b"\n", b"\r\n"), 4096), each(data)):
        assert_equal(chunks)


@pytest.mark.parametrize("name", sorted(STREAMS.keys() - SMALL.keys()))
def test_large_streams(name: str) -> None:
    for chunks in ([STREAMS[name]], cut(STREAMS[name], 4096)):
        assert_equal(chunks, (fed, absorbed, plain))


def each(data: bytes) -> Chunks:
    """A chunk for each event."""
    return [frame + b"\n\n" for frame in data.split(b"\n\n")]


@given(
    st.sampled_from(sorted(SMALL)),
    st.sampled_from(sorted(FAULTS)),
    st.integers(0, 2**20),
    st.integers(0, 2**20),
    st.lists(st.integers(0, 2**20), max_size=4),
)
@settings(max_examples=60, deadline=None)
def test_with_a_fault(name: str, fault: str, at: int, seed: int, places: list[int]) -> None:
    data = SMALL[name]
    data = FAULTS[fault](data, at % (len(data) + 1), random.Random(seed))
    assert_equal(cut_at(data, places))
    assert_equal(each(data))


# ---- frames that were made to fool it

TEXT = b'{"index":0,"delta":{"text":"', b'","type":"text"},"event_type":"step.delta"}'
ARGUMENTS = (
    b'{"index":1,"delta":{"arguments":"',
    b'","type":"arguments_delta"},"event_type":"step.delta"}',
)
AROUND: list[tuple[bytes, bytes]] = [
    TEXT,
    ARGUMENTS,
    (b'{"index":2,"delta":{"signature":"', b'","type":"thought_signature"}}'),
    (b'{"index":2,"delta":{"content":{"text":"', b'","type":"text"},"type":"thought_summary"}}'),
    (b'{"index":0,"delta":{"mime_type":"audio/pcm","data":"', b'","type":"audio"}}'),
    # the members in another order, and with blanks
    (b'{"delta":{"type":"text","text":"', b'"},"index":0,"event_type":"step.delta"}'),
    (b'{ "index": 0, "delta": { "text" : "', b'", "type": "text" } }'),
    (
        b'{"index":1,"event_type":"step.delta","delta":{"type":"arguments_delta","arguments":"',
        b'"}}',
    ),
    # other indexes, and what is no index
    *((b'{"index":%b,"delta":{"text":"' % index, TEXT[1]) for index in (b"1", b"3", b"03", b"-1")),
    (b'{"index":0.0,"delta":{"text":"', TEXT[1]),
    (b'{"index":"0","delta":{"text":"', TEXT[1]),
    (b'{"delta":{"text":"', TEXT[1]),
    # members that come again
    (TEXT[0], b'","text":"again","type":"text"}}'),
    (TEXT[0], b'","type":"text"},"delta":{"text":"again","type":"text"}}'),
    (TEXT[0], b'","type":"text"},"index":3}'),
    (b'{"index":0,"delta":{"text":"before","text":"', TEXT[1]),
    (b'{"index":3,"index":0,"delta":{"text":"', TEXT[1]),
    # what is not as simple as that
    (TEXT[0], b'","type":"text"},"event_id":"e7","event_type":"step.delta"}'),
    (TEXT[0], b'","type":"text","new":1},"event_type":"step.delta"}'),
    (TEXT[0], b'","type":"text"},"event_type":"step.stop"}'),
    (TEXT[0], b'","type":"new_kind"},"event_type":"step.delta"}'),
    (b'{"index":0,"delta":{"other":"', TEXT[1]),
    (b'{"index":0,"delta":{"text":"a","type":"', b'"},"event_type":"step.delta"}'),
    (b'{"index":0,"delta":{"te', b'xt":"a","type":"text"},"event_type":"step.delta"}'),
    (b'{"index":0,"delta":{"text":', b',"type":"text"},"event_type":"step.delta"}'),
    (b'{"index":0,"delta":{"text":"\\', TEXT[1]),
    (b'{"index":0,"delta":{"text":"\\ud83d', TEXT[1]),
    (b"", b""),
]
NAMES = [b"step.delta"] * 8 + [b"content.delta", b"message", b"step.stop", b"new.event"]
MIDDLES = [
    b"", b"plain ", b"a", b"_", b"}", b":", "é→東🚀".encode(), b"\\n", b'\\"', b"\\\\", b"\\/",
    b"\\u00e9", b"\\ud83d\\ude00", b"\x7f", b"\\u007f", b"\\u007F", b'{\\"a\\":', b"AAAA",
    b"\\ud83d", b"\\ude00", b"\\", b"\\u", b"\\u12", b"34", b"\\x", b'"', b'","', b'"a":"b"',
    b"\xc3", b"\xa9", b"\xf0\x9f", b"\x9a\x80", b"\xed\xa0\x80", b"\xff", b"\0", b"\x01", b"\t",
    b"\n", b"\r", b"\r\n", b"\ndata: ", b"\n\n", b"\nid: 3\n", b": \n", b"\xef\xbb\xbf",
    TEXT[1], TEXT[0], TEXT[1] + b"\n\nevent: step.delta\ndata: " + TEXT[0],
    b'","type":"text"},"index":1,"x":{"y":"',
]  # fmt: skip
JUNK = [
    b": comment\n\n", b"\n", b"data: x\n\n", b"event: done\ndata: [DONE]\n\n", b"id: 4\n\n",
    b'{"error":{"code":503,"message":"No."}}\n', b"event: step.delta\n\n", b"hello\n\n",
    b'event: step.stop\ndata: {"index":0,"event_type":"step.stop"}\n\n',
    b'event: step.start\ndata: {"index":3,"step":{"type":"model_output"}}\n\n',
]  # fmt: skip
OPENING = stream(
    created(),
    start(0, "model_output"),
    start(1, "function_call", id="f1", name="tide", arguments={}),
    start(2, "thought"),
    done=False,
)
ENDING = stream(stop(0), stop(1), stop(2), completed())


def hostile(rng: random.Random, runs: int) -> bytes:
    """Runs of frames, most of them in order, in which something may be that breaks the run."""
    found = [OPENING]
    for _ in range(runs):
        head, tail = rng.choice(AROUND[: rng.choice((2, 8, len(AROUND)))])
        name = rng.choice(NAMES)
        harmless = rng.choice((2, 8, 17))
        for _ in range(rng.choice((1, 2, 5, 12))):
            worst = len(MIDDLES) if rng.random() < 0.05 else harmless
            middle = b"".join(rng.choice(MIDDLES[:worst]) for _ in range(rng.randrange(4)))
            found.append(b"event: %b\ndata: %b%b%b\n\n" % (name, head, middle, tail))
        if rng.random() < 0.1:
            found.append(rng.choice(JUNK))
    return b"".join([*found, ENDING])


@given(st.integers(0, 2**32), st.lists(st.integers(0, 2**20), max_size=5), st.booleans())
@settings(max_examples=60, deadline=None)
def test_hostile_frames(seed: int, places: list[int], strict: bool) -> None:
    data = hostile(random.Random(seed), 8)
    for chunks in ([data], cut_at(data, places), each(data)):
        assert_equal(chunks, strict=strict)


@given(st.integers(0, 2**32), st.integers(60, 260))
@settings(max_examples=40, deadline=None)
def test_limits(seed: int, limit: int) -> None:
    data = hostile(random.Random(seed), 4)
    for chunks in ([data], cut(data, 777), each(data)):
        assert_equal(chunks, (fed, absorbed, iterated, plain), max_event_bytes=limit)


@pytest.mark.slow
def test_a_million_hostile_frames() -> None:
    frames, seed = 0, 0
    while frames < 1_000_000:
        rng = random.Random(seed)
        data = hostile(rng, 400)
        size = rng.choice((97, 1500, 4096, 2**16, 2**20))
        assert_equal(cut(data, size), (fed, absorbed, plain))
        frames += data.count(b"\n\n")
        seed += 1


# ---- that there is a lane at all


def runs_in(data: bytes) -> list[int]:
    """How many frames were read at once."""
    frames = Frames(max_event_bytes=2**20)
    return [message.size for message in frames.feed_frames(data) if type(message) is Run]


def data_frames(around: tuple[bytes, bytes], count: int, name: bytes = b"step.delta") -> bytes:
    return b"".join(
        b"event: %b\ndata: %bpiece %d %b%b\n\n" % (name, around[0], n, b'\\"', around[1])
        for n in range(count)
    )


@pytest.mark.parametrize("around", AROUND[:8])
def test_one_string_that_varies_is_a_run(around: tuple[bytes, bytes]) -> None:
    assert runs_in(data_frames(around, 40)) == [39]  # the first was learned from


def test_the_legacy_generation_has_runs() -> None:
    assert runs_in(data_frames(TEXT, 40, b"content.delta").replace(b"step.d", b"content.d")) == [39]


def test_another_index_is_no_other_kind() -> None:
    one, two = data_frames(TEXT, 10), data_frames((b'{"index":12,"delta":{"text":"', TEXT[1]), 10)
    assert runs_in(one + two + one) == [9, 10, 10]


def test_events_of_a_chunk_each() -> None:
    frames = Frames(max_event_bytes=2**20)
    chunks = each(data_frames(TEXT, 4))[:4]
    assert frames.lone(chunks[0]) is None
    frames.feed_frames(OPENING)
    frames.feed_frames(chunks[0])
    assert frames.lone(chunks[1]) == StepDelta(index=0, delta=TextDelta(text='piece 1 "'))
    assert frames.lone(chunks[2][:-1]) is None
    assert frames.lone(chunks[2] + chunks[3]) is None
    assert frames.fed_bytes == len(OPENING) + len(chunks[0]) + len(chunks[1])


@pytest.mark.parametrize("around", AROUND[8:])
def test_what_is_learned_is_what_only_differs_in_a_string(around: tuple[bytes, bytes]) -> None:
    """Whatever was learned, another string in its place gives what decoding it gives."""
    head, tail = around
    kind = learn(b"event: step.delta", b"data: %bfirst%b" % around)
    line = b"data: %bother%b" % (head, tail)
    run = kind and (shape := kind.shape_of(line)) and shape.run([line], True)
    if run:
        assert run.events() == list(iter_events(b"event: step.delta\n%b\n\n" % line))


def test_nothing_long_is_held() -> None:
    around = (b"{" + b" " * 2000 + TEXT[0][1:], TEXT[1])
    assert learn(b"event: step.delta", b"data: %bfirst%b" % around) is None


def test_a_closed_step_is_told_as_before() -> None:
    late = data_frames(TEXT, 20)
    data = OPENING + late + frame(stop(0)) + late + frame(text(0, "more")) + ENDING
    assert_equal([data])
    assert_equal(each(data))
    parser = InteractionParser()
    parser.feed(data)
    assert ("after_stop", 22) in [(one.kind, one.count) for one in parser.report.issues]
