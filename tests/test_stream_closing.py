"""An iterable that raises, a reader that stops early: what is raised, and when it is closed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from gemwire import (
    ApiError,
    Assembler,
    Interaction,
    InteractionStream,
    ServerError,
    TruncatedStream,
    aassemble,
    assemble,
)

from .streams import BEGUN, DATA, EVENTS, HTML, ONE_LINE, SENT, WHOLE, Broken, Source
from .wire import by_frames, created, cut, error, later, stream

# ---- the iterable raises


@pytest.mark.parametrize("size", [50, 10_000])
def test_iterable_that_raises(size: int) -> None:
    """Iterating lets it through as it is; whoever asks for the answer hears that it was cut."""
    data, problem = stream(*EVENTS[:8], done=False), Broken("reset by peer")
    source = Source(cut(data, size), problem)
    reader = InteractionStream(source)
    seen: list[Any] = []
    with pytest.raises(Broken) as caught:
        seen.extend(reader)
    assert seen == SENT[:8]
    assert caught.value is problem
    assert reader.report.outcome == "truncated"
    assert reader.report.event_count == 8
    with pytest.raises(TruncatedStream) as cut_short:
        reader.get_final_interaction()
    assert cut_short.value.__cause__ is problem
    assert cut_short.value.report == reader.report

    for read in (
        lambda: InteractionStream(Source(cut(data, size), problem)).get_final_interaction(),
        lambda: InteractionStream(Source(cut(data, size), problem)).get_final_text(),
        lambda: assemble(Source(cut(data, size), problem)),
    ):
        with pytest.raises(TruncatedStream) as cut_short:
            read()
        assert cut_short.value.__cause__ is problem
        assert cut_short.value.interaction is not None
        assert cut_short.value.interaction.output_text == "A mill – ", "all that came is there"


def test_iterable_that_raises_after_the_end() -> None:
    """What had ended is returned."""
    problem = Broken("reset by peer")
    assert InteractionStream(Source([DATA], problem)).get_final_interaction() == WHOLE
    assert assemble(Source([DATA], problem)) == WHOLE
    reader = InteractionStream(Source([DATA], problem))
    with pytest.raises(Broken):
        reader.until_done()
    assert reader.report.outcome == "requires_action"
    assert reader.get_final_interaction() == WHOLE


def test_iterable_that_raises_after_an_error() -> None:
    data = stream(created(), error({"code": 503}), done=False)
    with pytest.raises(ServerError):
        assemble(Source([data], Broken()))
    with pytest.raises(ServerError):
        InteractionStream(Source([data], Broken())).get_final_interaction()


def test_iterable_that_raises_within_an_event_that_is_too_large() -> None:
    """What it raised still goes through, not what else was wrong."""
    problem = Broken()
    source = Source([BEGUN, b"data: " + b"x" * 5000], problem)
    reader = InteractionStream(source, max_event_bytes=1000)
    with pytest.raises(Broken) as caught:
        reader.until_done()
    assert caught.value is problem
    assert reader.report.outcome == "truncated"


def test_iterable_that_raises_after_bare_text() -> None:
    """What the server said before the cut is not lost."""
    for bare, outcome in ((ONE_LINE, "error"), (ONE_LINE[:-5], "truncated"), (HTML, "truncated")):
        text = bare if isinstance(bare, bytes) else bare.encode()
        for data in (BEGUN + text, text):
            reader = InteractionStream(Source([data], Broken()))
            with pytest.raises(Broken):
                reader.until_done()
            assert reader.report.outcome == outcome
            if outcome == "truncated":
                assert reader.report.stray.startswith(text[:20])


def test_iterable_that_raises_at_once() -> None:
    class Hopeless:
        def __iter__(self) -> Iterator[bytes]:
            raise Broken

    reads: list[Callable[[], Interaction]] = [
        lambda: assemble(Source([], Broken())),
        lambda: InteractionStream(Source([], Broken())).get_final_interaction(),
        lambda: InteractionStream(Hopeless()).get_final_interaction(),
    ]
    for read in reads:
        with pytest.raises(TruncatedStream) as caught:
            read()
        assert isinstance(caught.value.__cause__, Broken)
        assert caught.value.interaction == Interaction()


def test_what_the_source_says_of_itself_goes_through() -> None:
    """A request that failed is no stream that was cut."""

    def refused() -> Iterator[bytes]:
        yield DATA[:50]
        raise ApiError("no", code=404)

    with pytest.raises(ApiError):
        assemble(refused())
    with pytest.raises(ApiError):
        asyncio.run(aassemble(later(refused())))


def test_what_is_no_iterable() -> None:
    with pytest.raises(TypeError, match="iterable"):
        assemble(7)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="must be bytes, not str"):
        assemble(["text"])  # type: ignore[list-item]


def test_our_own_failures_are_no_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug in here must not look like a server that stopped."""

    def broken(*args: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Assembler, "apply_all", broken)
    with pytest.raises(ZeroDivisionError):
        assemble(DATA)
    with pytest.raises(ZeroDivisionError):
        asyncio.run(aassemble(later([DATA])))


def test_what_is_no_exception_goes_through() -> None:
    """KeyboardInterrupt and its like are no truncated stream."""
    reads: list[Callable[[Source], Any]] = [
        assemble,
        lambda source: InteractionStream(source).get_final_interaction(),
        lambda source: list(InteractionStream(source)),
    ]
    for read in reads:
        with pytest.raises(KeyboardInterrupt):
            read(Source([DATA], KeyboardInterrupt()))


# ---- closing


def test_close_at_the_end() -> None:
    source = Source(cut(DATA, 50))
    with InteractionStream(source) as reader:
        assert reader.get_final_interaction() == WHOLE
        assert source.closed == 1  # whether there is a `with` or not
    assert source.closed == 1
    assert reader.report.outcome == "requires_action"


def test_close_after_an_early_break() -> None:
    source = Source(by_frames(DATA))
    with InteractionStream(source) as reader:
        for event in reader:
            if event.event_type == "step.delta":
                break
    assert source.closed == 1
    assert source.taken == 4
    assert reader.report.outcome == "truncated"
    assert list(reader) == []
    with pytest.raises(TruncatedStream) as caught:
        reader.get_final_interaction()
    assert caught.value.__cause__ is None


def test_close_on_an_exception() -> None:
    def act(source: Source) -> None:
        with InteractionStream(source) as reader:
            for _ in reader:
                raise Broken

    source = Source(by_frames(DATA))
    with pytest.raises(Broken):
        act(source)
    assert source.closed == 1


def test_close_when_the_source_raises() -> None:
    source = Source(by_frames(DATA)[:3], Broken())
    with pytest.raises(Broken), InteractionStream(source) as reader:
        reader.until_done()
    assert source.closed == 1
    assert reader.report.outcome == "truncated"


def test_close_before_anything() -> None:
    source = Source(by_frames(DATA))
    reader = InteractionStream(source)
    reader.close()
    assert (source.closed, source.taken) == (1, 0)
    assert reader.report.outcome == "truncated"
    assert list(reader) == []


def test_close_after_the_end_of_the_answer_keeps_its_outcome() -> None:
    """Whoever stops at the terminal event, before the terminator, has a whole answer."""
    with InteractionStream(by_frames(DATA)) as reader:
        for event in reader:
            if event.event_type == "interaction.completed":
                break
    assert reader.report.outcome == "requires_action"
    assert reader.get_final_interaction() == WHOLE


def test_close_closes_a_generator() -> None:
    ended = []

    def chunks() -> Iterator[bytes]:
        try:
            yield from by_frames(DATA)
        finally:
            ended.append(True)

    with InteractionStream(chunks()) as reader:
        next(reader)
        assert ended == []
    assert ended == [True]


def test_close_of_what_cannot_be_closed() -> None:
    with InteractionStream(by_frames(DATA)) as reader:
        next(reader)
    with InteractionStream(DATA) as reader:
        next(reader)
    reader.close()


def test_close_twice() -> None:
    source = Source(by_frames(DATA))
    reader = InteractionStream(source)
    next(reader)
    reader.close()
    reader.close()
    assert source.closed >= 1


def test_the_source_is_not_closed_under_a_reader_that_goes_on() -> None:
    source = Source(by_frames(DATA))
    reader = InteractionStream(source)
    for _ in reader:
        break
    for _ in reader.text_stream:
        break
    assert source.closed == 0
    assert reader.get_final_interaction() == WHOLE
