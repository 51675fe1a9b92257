"""InteractionStream, assemble, iter_events: what they yield and say, event by event.

What they raise, and when they close, is in test_stream_closing.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from gemwire import (
    DONE,
    Assembler,
    InteractionStream,
    TruncatedStream,
    Unknown,
    assemble,
    iter_events,
    to_dict,
)

from .streams import BEGUN, DATA, MILL, SENT, SIZES, TEXTS, WHOLE, Broken, Source
from .wire import answer, by_frames, completed, created, cut, error, start, stream, text

# ---- iterating


@pytest.mark.parametrize("size", SIZES)
def test_events_are_yielded_as_sent(size: int) -> None:
    assert list(InteractionStream(cut(DATA, size))) == SENT
    assert list(iter_events(cut(DATA, size))) == SENT


@pytest.mark.parametrize("size", SIZES)
def test_state_is_that_of_the_event_just_yielded(size: int) -> None:
    """Also where one chunk brought them all: what has not been yielded has not happened."""
    assembler = Assembler()
    reader = InteractionStream(cut(DATA, size))
    for event, expected in zip(reader, SENT, strict=True):
        assert event == expected
        assembler.apply(event)
        assert reader.snapshot() == assembler.snapshot()
        assert reader.report.event_count == assembler.report.event_count
    assert reader.step(1) == assembler.step(1)


def test_act_on_a_call_at_its_stop() -> None:
    reader = InteractionStream(DATA)
    calls = [
        to_dict(reader.step(event.index))
        for event in reader
        if event.event_type == "step.stop" and isinstance(event.index, int)
    ]
    assert calls[2] == {
        "type": "function_call",
        "id": "f1",
        "name": "tide",
        "arguments": {"port": "Rye"},
    }


def test_events_come_with_the_chunk_that_completes_them() -> None:
    source = Source(by_frames(DATA))
    reader = InteractionStream(source)
    for position, _ in enumerate(reader, 1):
        assert source.taken == position


def test_next_and_for_go_on_with_each_other() -> None:
    reader = InteractionStream(DATA)
    assert next(reader) == SENT[0]
    for event in reader:
        assert event == SENT[1]
        break
    assert next(reader) == SENT[2]
    assert list(reader) == SENT[3:]
    with pytest.raises(StopIteration):
        next(reader)


def test_until_done_is_the_stream_itself() -> None:
    reader = InteractionStream(DATA)
    assert reader.until_done() is reader
    assert reader.report.outcome == "requires_action"
    assert reader.until_done().snapshot() == WHOLE


def test_get_final_interaction() -> None:
    for reader in (InteractionStream(DATA), InteractionStream(cut(DATA, 5))):
        assert reader.get_final_interaction() == WHOLE
        assert reader.get_final_interaction() == WHOLE, "it may be asked for again"
    reader = InteractionStream(DATA)
    next(reader)
    assert reader.get_final_interaction() == WHOLE


def test_get_final_text() -> None:
    assert InteractionStream(DATA).get_final_text() == "A mill – by the sea"
    with pytest.raises(TruncatedStream):
        InteractionStream(DATA[:400]).get_final_text()


def test_done_may_be_followed_by_more() -> None:
    data = stream(created(), DONE, start(0, "model_output"), DONE, text(0, "A mill"), completed())
    reader = InteractionStream(data)
    assert [event.event_type for event in reader] == [
        "interaction.created",
        "step.start",
        "step.delta",
        "interaction.completed",
    ]
    assert reader.get_final_interaction().output_text == "A mill"
    assert assemble(data).output_text == "A mill"
    assert len(list(iter_events(data))) == 4


# ---- chunks of any kind


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_kinds_of_chunks(kind: Callable[[bytes], Any]) -> None:
    whole, pieces = kind(DATA), [kind(chunk) for chunk in cut(DATA, 11)]
    for chunks in (whole, pieces, iter(pieces), [kind(b""), whole, kind(b"")]):
        assert InteractionStream(chunks).get_final_interaction() == WHOLE
    for chunks in (whole, pieces, [kind(b""), whole]):
        assert assemble(chunks) == WHOLE
        assert list(iter_events(chunks)) == SENT


def test_a_buffer_may_be_used_again() -> None:
    def reused() -> Iterator[bytearray]:
        buffer = bytearray(64)
        for chunk in cut(DATA, 64):
            buffer[:] = chunk
            yield buffer
            buffer[:] = b"?" * 64

    assert InteractionStream(reused()).get_final_interaction() == WHOLE
    assert assemble(reused()) == WHOLE


def test_report_counts_bytes_as_they_come() -> None:
    reader = InteractionStream(cut(DATA, 100))
    next(reader)
    assert 0 < reader.report.byte_count < len(DATA)
    assert reader.report.byte_count % 100 == 0
    assert reader.until_done().report.byte_count == len(DATA)


# ---- text_stream


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("size", [1, 10_000])
def test_text_stream(name: str, size: int) -> None:
    events, pieces = TEXTS[name]
    reader = InteractionStream(cut(answer(*events), size))
    assert list(reader.text_stream) == pieces
    assert reader.get_final_interaction().output_text == "".join(pieces)


def test_text_stream_goes_on_from_here() -> None:
    reader = InteractionStream(answer(*MILL))
    for event in reader:
        if event.event_type == "step.delta":
            break
    assert list(reader.text_stream) == ["mill"]
    assert list(reader.text_stream) == []
    assert reader.get_final_text() == "A mill"


def test_text_stream_shows_the_state_too() -> None:
    reader = InteractionStream(answer(*MILL))
    assert [(piece, reader.snapshot().output_text) for piece in reader.text_stream] == [
        ("A ", "A "),
        ("mill", "A mill"),
    ]


# ---- iter_events


def test_iter_events_gives_no_verdict() -> None:
    assert list(iter_events(b"")) == []
    assert list(iter_events(BEGUN)) == list(InteractionStream(BEGUN))
    assert len(list(iter_events(stream(created(), error({"code": 1}))))) == 2


def test_iter_events_lets_exceptions_through() -> None:
    problem = Broken()
    reader = iter_events(Source(by_frames(DATA), problem))
    seen: list[Any] = []
    with pytest.raises(Broken) as caught:
        seen.extend(reader)
    assert seen == SENT
    assert caught.value is problem


def test_iter_events_keeps_what_is_unknown() -> None:
    data = stream({"event_type": "hologram"}, b"event: step.delta\ndata: oops\n\n")
    seen = list(iter_events(data))
    assert all(isinstance(event, Unknown) for event in seen)
    assert len(seen) == 2
