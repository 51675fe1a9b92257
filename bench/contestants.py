"""The ways to read a stream, and the check that each gives the right answer.

A contestant is checked once before it is timed, against the fixture and not against another
contestant. `(a)` is the yardstick of the goals: msgspec decoding the payloads, already cut out of
the stream, with one decoder of the tagged union of all events, its answers thrown away.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import msgspec

import gemwire
from gemwire.models import InteractionSseEvent

from .fixtures import KIB, Stream, text_stream
from .peers import GoogleClient, httpx_sse_events

__all__ = [
    "Build",
    "Contestant",
    "Timed",
    "gemwire_assemble",
    "gemwire_decoding",
    "gemwire_events",
    "gemwire_framing",
    "gemwire_parser",
    "gemwire_pushed",
    "gemwire_stream",
    "google_genai",
    "httpx_sse_and_pydantic",
    "httpx_sse_framing",
    "msgspec_alone",
    "msgspec_joined",
    "pydantic_decoding",
]

DONE: Final = b"[DONE]"

Timed = Callable[[], object]


@dataclass(frozen=True)
class Contestant:
    """One way to do the work of a case."""

    prepare: Callable[[], Timed]
    """What is not timed, before each run; gives what is."""
    check: Callable[[], None]
    """Raises AssertionError unless the answer is right."""
    events: int
    """How many events one run reads."""


Build = Callable[[Stream], Contestant]


def _simple(run: Timed, check: Callable[[], None], events: int) -> Contestant:
    return Contestant(lambda: run, check, events)


def _drain(events: Iterable[object]) -> None:
    for _ in events:
        pass


def _values(payloads: Iterable[bytes]) -> list[Any]:
    return [msgspec.json.decode(payload) for payload in payloads]


# ---- the yardsticks


@cache
def _union() -> Callable[[bytes | memoryview], Any]:
    hint: Any = InteractionSseEvent  # at run time the plain union, which msgspec can decode
    return msgspec.json.Decoder[Any](hint).decode


def msgspec_alone(stream: Stream) -> Contestant:
    payloads, decode = stream.payloads, _union()

    def run() -> None:
        for payload in payloads:
            decode(payload)

    def check() -> None:
        assert [msgspec.to_builtins(decode(payload)) for payload in payloads] == _values(payloads)

    return _simple(run, check, len(payloads))


def msgspec_joined(stream: Stream) -> Contestant:
    """Join all chunks, decode views of the payloads, whose places are known beforehand."""
    chunks, decode = stream.chunks, _union()
    spans: list[tuple[int, int]] = []
    end = 0
    for name, payload in zip(stream.names, stream.payloads, strict=True):
        start = end + len(f"event: {name}\ndata: ")
        end = start + len(payload)
        spans.append((start, end))
        end += 2

    def run() -> list[Any]:  # kept, like the answers of the others, for the peak of memory
        body = memoryview(b"".join(chunks))
        return [decode(body[start:end]) for start, end in spans]

    def check() -> None:
        assert [msgspec.to_builtins(event) for event in run()] == _values(stream.payloads)

    return _simple(run, check, len(spans))


# ---- framing and decoding alone


def gemwire_framing(stream: Stream) -> Contestant:
    chunks = stream.chunks

    def run() -> None:
        feed = gemwire.SSEParser().feed
        for chunk in chunks:
            feed(chunk)

    def check() -> None:
        feed = gemwire.SSEParser().feed
        found = [(message.event, message.data) for chunk in chunks for message in feed(chunk)]
        assert found == [*zip(stream.names, stream.payloads, strict=True), ("done", DONE)]

    return _simple(run, check, len(stream.payloads))


def httpx_sse_framing(stream: Stream) -> Contestant:
    chunks = stream.chunks

    def check() -> None:
        found = [(event.event, event.data.encode()) for event in httpx_sse_events(chunks)]
        assert found == [*zip(stream.names, stream.payloads, strict=True), ("done", DONE)]

    return _simple(lambda: _drain(httpx_sse_events(chunks)), check, len(stream.payloads))


def gemwire_decoding(stream: Stream) -> Contestant:
    pairs = list(zip(stream.payloads, stream.names, strict=True))
    decode = gemwire.decode_event

    def run() -> None:
        for payload, name in pairs:
            decode(payload, name)

    def check() -> None:
        found = [gemwire.to_dict(decode(payload, name)) for payload, name in pairs]
        assert found == _values(stream.payloads)

    return _simple(run, check, len(pairs))


def pydantic_decoding(stream: Stream) -> Contestant:
    from .pydantic_models import EVENT

    payloads, decode = stream.payloads, EVENT.validate_json

    def run() -> None:
        for payload in payloads:
            decode(payload)

    def check() -> None:
        found = [decode(payload).model_dump(exclude_unset=True) for payload in payloads]
        assert found == _values(payloads)

    return _simple(run, check, len(payloads))


# ---- the whole way


def _whole(read: Callable[[list[bytes]], gemwire.Interaction]) -> Build:
    def build(stream: Stream) -> Contestant:
        chunks = stream.chunks

        def check() -> None:
            assert read(chunks) == stream.expected

        return _simple(lambda: read(chunks), check, len(stream.payloads))

    return build


def _iterate(chunks: list[bytes]) -> gemwire.Interaction:
    stream = gemwire.InteractionStream(chunks)
    _drain(stream)
    return stream.get_final_interaction()


def gemwire_events(stream: Stream) -> Contestant:
    """Up to the typed events, as the peers: nothing is assembled."""
    chunks = stream.chunks

    def check() -> None:
        found = [gemwire.to_dict(event) for event in gemwire.iter_events(chunks)]
        assert found == _values(stream.payloads)

    return _simple(lambda: _drain(gemwire.iter_events(chunks)), check, len(stream.payloads))


def _push(chunks: list[bytes]) -> gemwire.Interaction:
    parser, assembler, decode = gemwire.SSEParser(), gemwire.Assembler(), gemwire.decode_event
    for chunk in chunks:
        for message in parser.feed(chunk):
            if message.data != DONE:
                assembler.apply(decode(message.data, message.event))
    parser.close()
    return assembler.finish()


def _parse(chunks: list[bytes]) -> gemwire.Interaction:
    parser = gemwire.InteractionParser()
    for chunk in chunks:
        parser.feed(chunk)
    return parser.finish()


def httpx_sse_and_pydantic(stream: Stream) -> Contestant:
    """Up to the typed events; nothing is assembled."""
    from .pydantic_models import EVENT

    chunks, decode = stream.chunks, EVENT.validate_json

    def events() -> Iterator[Any]:
        for event in httpx_sse_events(chunks):
            if event.data != "[DONE]":
                yield decode(event.data)

    def check() -> None:
        found = [event.model_dump(exclude_unset=True) for event in events()]
        assert found == _values(stream.payloads)

    return _simple(lambda: _drain(events()), check, len(stream.payloads))


gemwire_assemble = _whole(gemwire.assemble)
gemwire_stream = _whole(_iterate)
gemwire_parser = _whole(_parse)
gemwire_pushed = _whole(_push)


def google_genai(stream: Stream) -> Contestant:
    """Up to the typed events, without the request; a short stream, for it takes ~1 ms for each."""
    whole = len(stream.chunks) < len(stream.payloads)
    short = text_stream(200, chunk=64 * KIB if whole else None)
    client = GoogleClient()

    def prepare() -> Timed:
        events = client.stream(short.chunks)
        return lambda: _drain(events)

    def check() -> None:
        found = [
            event.model_dump(mode="json", exclude_unset=True)
            for event in client.stream(short.chunks)
        ]
        assert found == _values(short.payloads)

    return Contestant(prepare, check, len(short.payloads))
