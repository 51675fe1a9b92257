"""`strict` refuses what is not to the spec, `max_event_bytes` what is too large."""

from __future__ import annotations

import pytest

from gemwire import (
    DONE,
    DecodeError,
    InteractionStream,
    LimitExceeded,
    ServerError,
    TruncatedStream,
    assemble,
    iter_events,
)

from .streams import DATA, LAST, MILL, NOT_TO_SPEC, ONE_LINE, SENT, WHOLE
from .wire import answer, completed, created, cut, dumps, frame, pull, start, stream, text

# ---- strict


@pytest.mark.parametrize("name", NOT_TO_SPEC)
def test_strict(name: str) -> None:
    """What came before is yielded; then DecodeError, with where and what."""
    data = stream(created(), start(0, "model_output"), NOT_TO_SPEC[name], completed())
    assert pull(data).outcome == "completed"
    for size in (len(data), 1):
        reader = InteractionStream(cut(data, size), strict=True)
        seen = [next(reader), next(reader)]
        assert [event.event_type for event in seen] == ["interaction.created", "step.start"]
        with pytest.raises(DecodeError) as caught:
            next(reader)
        assert caught.value.event in ("step.delta", "step.start", "step.hologram")
        assert caught.value.path.startswith("$")
        assert caught.value.data
        assert reader.report.outcome == "truncated"
        with pytest.raises(TruncatedStream):
            reader.get_final_interaction()
    for read in (
        lambda: assemble(data, strict=True),
        lambda: list(iter_events(data, strict=True)),
        lambda: InteractionStream(data, strict=True).get_final_interaction(),
    ):
        with pytest.raises(DecodeError):
            read()


def test_strict_takes_what_is_to_spec() -> None:
    assert assemble(DATA, strict=True) == WHOLE
    assert list(iter_events(DATA, strict=True)) == SENT
    assert pull(DATA, strict=True) == pull(DATA)
    new = answer(*MILL, service_tier="express")
    assert assemble(new, strict=True).service_tier == "express", "enums are open"


def test_strict_body() -> None:
    with pytest.raises(DecodeError):
        assemble(b'{"status": "completed", "novel": 1}', strict=True)
    with pytest.raises(ServerError):
        assemble(ONE_LINE.encode(), strict=True)


def test_strict_and_a_torn_event() -> None:
    with pytest.raises(TruncatedStream):
        assemble(LAST[:-5], strict=True)


# ---- limits


def test_limit() -> None:
    """Events before the large one are yielded; then LimitExceeded, with which and how large."""
    large = frame(text(0, "x" * 5000))
    head = stream(created(), start(0, "model_output"), done=False)
    data = head + large + DONE
    for size in (1, 100, len(data)):
        reader = InteractionStream(cut(data, size), max_event_bytes=1000)
        assert len([next(reader), next(reader)]) == 2
        with pytest.raises(LimitExceeded) as caught:
            list(reader)
        assert caught.value.limit == 1000
        assert caught.value.size > 1000
        assert caught.value.offset == len(head)
        assert reader.report.outcome == "truncated"
        for chunks in (cut(data, size), cut(head + large[:2000], size)):
            with pytest.raises(LimitExceeded):
                assemble(chunks, max_event_bytes=1000)
            with pytest.raises(LimitExceeded):
                list(iter_events(chunks, max_event_bytes=1000))
            with pytest.raises(LimitExceeded):
                InteractionStream(chunks, max_event_bytes=1000).get_final_interaction()
    assert len(list(InteractionStream(data, max_event_bytes=len(large)))) == 3


def test_limit_of_a_body() -> None:
    body = dumps({"status": "completed", "novel": "x" * 5000}).encode()
    for size in (100, len(body)):
        with pytest.raises(LimitExceeded) as caught:
            assemble(cut(body, size), max_event_bytes=1000)
        assert caught.value.size > caught.value.limit == 1000
    assert assemble(body, max_event_bytes=len(body)).status == "completed"
