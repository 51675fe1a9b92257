"""Halves of a character that were sent apart find each other, or are replaced."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import UNSET

from gemwire import Assembler, decode, decode_event, encode, models

from .wire import WAYS, Case, Payload, created, delta, dumps, pull, start, stop, stream, text

HALVES: dict[str, tuple[list[str], str, list[tuple[Any, ...]]]] = {
    "a pair cut apart": (["wave \ud83c", "\udf0a!"], "wave \U0001f30a!", []),
    "with nothing before it": (["\ud83c", "\udf0a"], "\U0001f30a", []),
    "an empty piece between the halves": (["\ud83c", "", "\udf0a"], "\U0001f30a", []),
    "a high half alone": (["wave \ud83c", "!"], "wave \ufffd!", [("lone_surrogate", 0)]),
    "a low half alone": (["wave ", "\udf0a!"], "wave \ufffd!", [("lone_surrogate", 0)]),
    "a high half at the end": (["wave ", "\ud83c"], "wave \ufffd", [("lone_surrogate", 0)]),
    "a single piece": (["wave \ud83c"], "wave \ufffd", [("lone_surrogate", 0)]),
    "nothing else at all": (["\ud83c"], "\ufffd", [("lone_surrogate", 0)]),
    "the wrong way round": (["\udf0a", "\ud83c"], "\ufffd\ufffd", [("lone_surrogate", 0)]),
}


@pytest.mark.parametrize("name", HALVES)
@pytest.mark.parametrize("watched", [False, True], ids=["unseen", "with-snapshots"])
def test_surrogates(name: str, watched: bool) -> None:
    """Halves find each other, also where a snapshot is taken between them."""
    pieces, whole, issues = HALVES[name]
    case = Case(
        name,
        [start(0, "model_output"), *(text(0, piece) for piece in pieces), stop(0)],
        [{"type": "model_output", "content": [{"type": "text", "text": whole}]}],
        issues=issues,
    )
    if not watched:
        for read in WAYS.values():
            assert case.seen(read(case.bytes)) == case.expected
        return
    assembler = Assembler()
    for message in case.events:
        assert isinstance(message, dict)
        assembler.apply(decode(_json(message), models.InteractionSseEvent))
        seen = assembler.snapshot().output_text
        assert whole.startswith(seen.removesuffix("\ufffd"))
        seen.encode()
    assert assembler.snapshot().output_text == whole
    assert [(issue.kind, issue.index) for issue in assembler.report.issues] == issues


def _json(event: Payload) -> bytes:
    return dumps(event).encode()


def test_half_of_a_pair_before_an_image() -> None:
    """A part that was ended by another cannot wait for its other half."""
    events = [start(0, "model_output"), text(0, "wave \ud83c"), delta(0, "image", data="iVBORw0K")]
    found = pull(stream(created(), *events))
    assert found.interaction.steps is not UNSET
    assert found.plain["steps"][0]["content"][0]["text"] == "wave \ufffd"


def test_the_event_itself_keeps_what_was_sent() -> None:
    sent = _json(text(0, "wave \ud83c"))
    event = decode_event(sent, "step.delta")
    assert isinstance(event, models.StepDelta)
    assert isinstance(event.delta, models.TextDelta)
    assert event.delta.text == "wave \ud83c"
    assert b"\\ud83c" in encode(event)
