"""What is timed: every case, with its stream, its contestants and its goals."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Final

from .contestants import (
    Build,
    gemwire_assemble,
    gemwire_decoding,
    gemwire_events,
    gemwire_framing,
    gemwire_parser,
    gemwire_pushed,
    gemwire_stream,
    google_genai,
    httpx_sse_and_pydantic,
    httpx_sse_framing,
    msgspec_alone,
    msgspec_joined,
    pydantic_decoding,
)
from .fixtures import KIB, MIB, Stream, calls_stream, image_stream, text_stream

__all__ = ["CALLS", "CASES", "DECODING", "FRAMING", "IMAGE", "WHOLE_WAY", "Case"]

MSGSPEC: Final = "(a) msgspec"


@dataclass(frozen=True)
class Case:
    """One stream, read by several contestants, the yardstick first."""

    title: str
    stream: Callable[[], Stream]
    contestants: Mapping[str, Build]
    goals: Mapping[str, float] = field(default_factory=dict)
    """Contestant → the most it may take, in times of the yardstick."""
    unit: str = "event"
    """What a time is given for: each event, or the whole stream."""


FRAMING: Final[dict[str, Build]] = {
    MSGSPEC: msgspec_alone,
    "gemwire.SSEParser": gemwire_framing,
    "httpx-sse": httpx_sse_framing,
}
DECODING: Final[dict[str, Build]] = {
    MSGSPEC: msgspec_alone,
    "gemwire.decode_event": gemwire_decoding,
    "pydantic": pydantic_decoding,
}
GEMWIRE: Final[dict[str, Build]] = {
    "gemwire.assemble": gemwire_assemble,
    "gemwire.InteractionStream": gemwire_stream,
    "gemwire.InteractionParser": gemwire_parser,
    "gemwire, by hand": gemwire_pushed,
    "gemwire.iter_events": gemwire_events,
}
WHOLE_WAY: Final[dict[str, Build]] = {
    MSGSPEC: msgspec_alone,
    **GEMWIRE,
    "(b) httpx-sse + pydantic": httpx_sse_and_pydantic,
    "(c) google-genai, 200 deltas": google_genai,
}
CALLS: Final[dict[str, Build]] = {MSGSPEC: msgspec_alone, **GEMWIRE}
IMAGE: Final[dict[str, Build]] = {
    "join once + msgspec": msgspec_joined,
    "gemwire.assemble": gemwire_assemble,
    "(b) httpx-sse + pydantic": httpx_sse_and_pydantic,
}


@cache
def _text(chunk: int | None) -> Stream:
    return text_stream(chunk=chunk)


@cache
def _calls(chunk: int | None) -> Stream:
    return calls_stream(chunk=chunk)


@cache
def _image() -> Stream:
    return image_stream(16 * MIB, chunk=16 * KIB)


CASES: Final[dict[str, Case]] = {
    "framing-64k": Case("framing, 64 KiB chunks", lambda: _text(64 * KIB), FRAMING),
    "framing-each": Case("framing, a chunk for each event", lambda: _text(None), FRAMING),
    "decoding": Case("decoding", lambda: _text(64 * KIB), DECODING),
    "whole-64k": Case(
        "whole way, 64 KiB chunks",
        lambda: _text(64 * KIB),
        WHOLE_WAY,
        {"gemwire.assemble": 2.0},
    ),
    "whole-each": Case(
        "whole way, a chunk for each event",
        lambda: _text(None),
        WHOLE_WAY,
        {"gemwire.assemble": 3.0},
    ),
    "calls-64k": Case("function calls, 64 KiB chunks", lambda: _calls(64 * KIB), CALLS),
    "calls-each": Case("function calls, a chunk for each event", lambda: _calls(None), CALLS),
    "image": Case(
        "16 MiB image, 16 KiB chunks", _image, IMAGE, {"gemwire.assemble": 3.0}, unit="stream"
    ),
}
"""Every case by its short name."""
