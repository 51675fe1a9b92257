"""One set of rules: for any bytes, cut anywhere, every way to read a stream comes to the same."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gemwire
from gemwire import (
    AsyncInteractionStream,
    GemwireError,
    InteractionParser,
    InteractionStream,
    StreamError,
    aassemble,
    aiter_events,
    assemble,
    encode,
    iter_events,
)
from gemwire.replay import BUNDLED, Recording

from .sse_reference import cut_at
from .test_legacy import WHOLE as LEGACY
from .wire import cut, later

ROOT = Path(__file__).parent.parent
CORPUS = Path(os.environ.get("GEMWIRE_CORPUS") or ROOT / "../shared/corpus").resolve()

STREAMS: dict[str, bytes] = {
    **{name: Recording.load(name).stream for name in BUNDLED},
    **{f"body of {name}": body for name in BUNDLED if (body := Recording.load(name).body)},
    **{f"legacy: {case.name}": case.bytes for case in LEGACY},
    **{path.name: path.read_bytes() for path in sorted(CORPUS.glob("streams/**/*.sse"))},
    **{path.parent.name: path.read_bytes() for path in sorted(CORPUS.glob("../cases/*/input.bin"))},
}
SMALL = {name: data for name, data in STREAMS.items() if len(data) < 40_000}

Chunks = list[bytes]


def told(finish: Callable[[], Any], source: Any) -> dict[str, Any]:
    """All that can be seen of a stream that is over."""
    raised: StreamError | None = None
    try:
        interaction = finish()
    except StreamError as error:
        raised, interaction = error, error.interaction
    report = source.report
    assert raised is None or raised.report == report
    return {
        "raised": None if raised is None else type(raised).__name__,
        "interaction": encode(interaction),
        "snapshot": encode(source.snapshot()),
        "report": report,
        "bytes": report.byte_count,
    }


def fed(chunks: Chunks) -> tuple[dict[str, Any], list[Any]]:
    parser = InteractionParser()
    events = [event for chunk in chunks for event in parser.feed(chunk)] + parser.close()
    return told(parser.finish, parser), events


def fed_one_by_one(chunks: Chunks) -> tuple[dict[str, Any], list[Any]]:
    parser = InteractionParser()
    events = [event for chunk in chunks for event in parser.iter_feed(chunk)] + parser.close()
    return told(parser.finish, parser), events


def absorbed(chunks: Chunks) -> tuple[dict[str, Any], None]:
    parser = InteractionParser()
    for at in range(0, len(chunks), 3):
        parser.absorb([*chunks[at : at + 3]])
    return told(parser.finish, parser), None


def iterated(chunks: Chunks) -> tuple[dict[str, Any], list[Any]]:
    stream = InteractionStream(chunks)
    events = list(stream)
    return told(stream.get_final_interaction, stream), events


def texts(chunks: Chunks) -> tuple[dict[str, Any], None]:
    stream = InteractionStream(chunks)
    text = "".join(stream.text_stream)
    found = told(stream.get_final_interaction, stream)
    in_order = not {"index_gap", "restarted", "start_again", "start_late"} & {
        issue.kind for issue in found["report"].issues
    }
    if in_order and is_in_order(chunks):
        assert text == stream.snapshot().full_text
    return found, None


def is_in_order(chunks: Chunks) -> bool:
    """Whether text comes in the order in which the answer has it, so that it can be streamed so."""
    parser = InteractionParser()
    seen = ""
    for chunk in chunks:
        for _ in parser.iter_feed(chunk):
            text = parser.snapshot().full_text
            if not text.startswith(seen.rstrip("\ufffd")):
                return False
            seen = text
    parser.close()
    return parser.snapshot().full_text.startswith(seen.rstrip("\ufffd"))


def iterated_async(chunks: Chunks) -> tuple[dict[str, Any], list[Any]]:
    async def run() -> tuple[dict[str, Any], list[Any]]:
        stream = AsyncInteractionStream(later(chunks))
        events = [event async for event in stream]
        raised: StreamError | None = None
        try:
            answer = await stream.get_final_interaction()
        except StreamError as error:
            raised = error

        def finish() -> Any:
            if raised is not None:
                raise raised
            return answer

        return told(finish, stream), events

    return asyncio.run(run())


WAYS: dict[str, Callable[[Chunks], tuple[dict[str, Any], list[Any] | None]]] = {
    "feed": fed,
    "iter_feed": fed_one_by_one,
    "absorb": absorbed,
    "iterated": iterated,
    "text_stream": texts,
    "async": iterated_async,
}


def whole(chunks: Chunks, read: Callable[[Chunks], Any]) -> tuple[str | None, bytes, Any]:
    try:
        return None, encode(read(chunks)), None
    except StreamError as error:
        return type(error).__name__, encode(error.interaction), error.report


def events_of(chunks: Chunks) -> tuple[list[Any], list[Any]]:
    async def run() -> list[Any]:
        return [event async for event in aiter_events(later(chunks))]

    return list(iter_events(chunks)), asyncio.run(run())


def check(data: bytes, *cuts: Chunks) -> None:
    """Every way over every cut against the bytes as one chunk."""
    expected, events = iterated([data])
    plain = list(iter_events([data]))
    if data.lstrip(b" \t\r\n\xef\xbb\xbf")[:1] not in (b"{", b"["):
        assert plain == events
    for chunks in cuts:
        for name, read in WAYS.items():
            found, seen = read(chunks)
            assert found == expected, name
            assert seen is None or seen == events, name
        for way in (assemble, lambda chunks: asyncio.run(aassemble(later(chunks)))):
            raised, answer, report = whole(chunks, way)
            assert (raised, answer) == (expected["raised"], expected["interaction"])
            assert report is None or report == expected["report"]
        assert events_of(chunks) == (plain, plain)


@pytest.mark.parametrize("name", STREAMS)
def test_as_it_came(name: str) -> None:
    data = STREAMS[name]
    size = 1 if len(data) < 3000 else 97
    check(data, cut(data, size), cut(data, 4096), [data])


# ---- with faults


def _change(data: bytes, at: int, rng: random.Random) -> bytes:
    return data[:at] + bytes([rng.randrange(256)]) + data[at + 1 :]


def _frames(data: bytes) -> list[bytes]:
    return [frame + b"\n\n" for frame in data.split(b"\n\n")]


def _drop(data: bytes, at: int, rng: random.Random) -> bytes:
    frames = _frames(data)
    del frames[at % len(frames)]
    return b"".join(frames)


def _double(data: bytes, at: int, rng: random.Random) -> bytes:
    frames = _frames(data)
    frames.insert(rng.randrange(len(frames)), frames[at % len(frames)])
    return b"".join(frames)


def _swap(data: bytes, at: int, rng: random.Random) -> bytes:
    frames = _frames(data)
    one, other = at % len(frames), rng.randrange(len(frames))
    frames[one], frames[other] = frames[other], frames[one]
    return b"".join(frames)


JUNK = (
    b'{"error":{"code":503,"message":"No."}}\n',
    b"<html>502</html>\n\n",
    b": comment\n",
    b"data: [DONE]\n\n",
    b"data: ping\n\n",
    b"event: done\n\n",
    b"id: 7\n\n",
    b'data: {"event_type":"interaction.failed","message":"x"}\n\n',
    b'data: {"events":[{"event_type":"heartbeat"}]}\n\n',
    b"\xff\xfe\x00",
)

FAULTS: dict[str, Callable[[bytes, int, random.Random], bytes]] = {
    "cut": lambda data, at, rng: data[:at],
    "a byte": _change,
    "a frame less": _drop,
    "a frame twice": _double,
    "two frames swapped": _swap,
    "junk": lambda data, at, rng: data[:at] + rng.choice(JUNK) + data[at:],
    "CRLF": lambda data, at, rng: data[:at].replace(b"\n", b"\r\n") + data[at:],
    "CR": lambda data, at, rng: data.replace(b"\n", b"\r"),
    "another behind it": lambda data, at, rng: (
        data[:at] + b"\n\n" + rng.choice(list(SMALL.values()))
    ),
}


def _broken(name: str, fault: str, at: int, seed: int) -> Iterator[bytes]:
    data = SMALL[name]
    yield FAULTS[fault](data, at % (len(data) + 1), random.Random(seed))


CASES = (
    st.sampled_from(sorted(SMALL)),
    st.sampled_from(sorted(FAULTS)),
    st.integers(0, 2**20),
    st.integers(0, 2**20),
    st.lists(st.integers(0, 2**20), max_size=6),
)


def check_fault(name: str, fault: str, at: int, seed: int, places: list[int]) -> None:
    for data in _broken(name, fault, at, seed):
        check(data, cut_at(data, places), cut(data, 61))


@given(*CASES)
@settings(max_examples=60, deadline=None)
def test_with_a_fault(name: str, fault: str, at: int, seed: int, places: list[int]) -> None:
    check_fault(name, fault, at, seed, places)


@pytest.mark.slow
@given(*CASES)
@settings(max_examples=1500, deadline=None)
def test_with_more_faults(name: str, fault: str, at: int, seed: int, places: list[int]) -> None:
    check_fault(name, fault, at, seed, places)


def test_a_limit_is_the_same_for_all() -> None:
    data = Recording.load("search").stream
    limit = 400
    for read in (
        lambda: list(InteractionStream(cut(data, 50), max_event_bytes=limit)),
        lambda: assemble(data, max_event_bytes=limit),
        lambda: list(iter_events(cut(data, 7), max_event_bytes=limit)),
    ):
        with pytest.raises(gemwire.LimitExceeded) as caught:
            read()
        assert isinstance(caught.value, GemwireError)
        assert caught.value.limit == limit
