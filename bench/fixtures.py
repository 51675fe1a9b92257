"""Streams to measure with, and the answer that each of them must give.

**Invariant: `expected` is written down beside the events, never read back from them**, so that a
contestant which reads a stream wrongly cannot agree with it. Everything follows from the seed; the
tests run the generators with a small size, the benchmarks with the full one.

The shapes are those of recorded streams: `index, delta, event_type` in this order with the tag of
the delta last, no spaces, no escapes but those that JSON needs, `event: done` at the end.
"""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from gemwire.models import (
    FunctionCallStep,
    ImageContent,
    Interaction,
    ModalityTokens,
    ModelOutputStep,
    Step,
    TextContent,
    ThoughtStep,
    Usage,
)

__all__ = ["KIB", "MIB", "SEED", "Stream", "calls_stream", "image_stream", "text_stream"]

KIB: Final = 2**10
MIB: Final = 2**20
SEED: Final = 20_260_707

Payload = dict[str, Any]

_DONE: Final = b"event: done\ndata: [DONE]\n\n"
_MODEL: Final = "gemini-2.5-flash"
_CREATED: Final = "2026-07-07T13:33:35Z"
_UPDATED: Final = "2026-07-07T13:34:02Z"

_PLAIN = """
    the a of and to in is that it for as with on be at by this from or an are was not but which
    stream event token answer model river stone lantern harbour winter copper garden measure
    between because although through another without nothing together therefore, however, again.
    below: above; (perhaps) ten 4,000 3.14 x=1 `code` **bold**
"""
_WORDS: Final = _PLAIN.split()
# One word in thirty: characters of two, three and four bytes (they also decide how wide the decoded
# str is), and what JSON must escape. One delta in five is not ASCII, one in thirteen has an escape.
_OTHER: Final = ["naïve", "café", "Straße", "—", "→", "東京", "ответ", "🚀"]
_ESCAPED: Final = ['"quoted"', "line\n", "\n\n-"]


class Stream(NamedTuple):
    """One stream, in pieces as a transport gives them, and what it must come to."""

    chunks: list[bytes]
    """The bytes of the body, terminator included."""
    payloads: list[bytes]
    """The JSON of each event, already cut out; the terminator is none."""
    expected: Interaction
    """What the same call gives without streaming."""
    names: list[str]
    """The SSE event name of each payload."""


def text_stream(deltas: int = 4000, *, chunk: int | None = 64 * KIB, seed: int = SEED) -> Stream:
    """A thought with its signature, then one long text. `chunk=None`: one chunk for each event."""
    rng = random.Random(seed)
    signature = _signature(rng)
    pieces = list(_text_pieces(rng, deltas))
    events = [
        *_opening(rng),
        *_step(0, {"type": "thought"}, [{"signature": signature, "type": "thought_signature"}]),
        *_step(1, {"type": "model_output"}, [{"text": text, "type": "text"} for text in pieces]),
    ]
    steps: list[Step] = [
        ThoughtStep(signature=signature),
        ModelOutputStep(content=[TextContent(text="".join(pieces))]),
    ]
    return _stream(events, steps, "completed", chunk)


def calls_stream(calls: int = 40, *, chunk: int | None = 64 * KIB, seed: int = SEED) -> Stream:
    """Thoughts with a summary, each before a function call whose arguments come in fragments."""
    rng = random.Random(seed)
    events = _opening(rng)
    steps: list[Step] = []
    for number in range(calls):
        signature = _signature(rng)
        summary = ["".join(_text_pieces(rng, 4)) for _ in range(2)]
        deltas: list[Payload] = [
            {"content": {"text": text, "type": "text"}, "type": "thought_summary"}
            for text in summary
        ]
        deltas.append({"signature": signature, "type": "thought_signature"})
        events += _step(len(steps), {"type": "thought"}, deltas)
        steps.append(
            ThoughtStep(signature=signature, summary=[TextContent(text=text) for text in summary])
        )
        arguments = _arguments(rng)
        call = {"id": f"call{number:04}", "type": "function_call", "name": "write_report"}
        deltas = [
            {"arguments": part, "type": "arguments_delta"}
            for part in _parts(rng, json.dumps(arguments, ensure_ascii=False), 4, 48)
        ]
        events += _step(len(steps), {**call, "signature": "", "arguments": {}}, deltas)
        steps.append(FunctionCallStep(id=call["id"], name=call["name"], arguments=arguments))
    return _stream(events, steps, "requires_action", chunk)


def image_stream(size: int = 16 * MIB, *, chunk: int | None = 16 * KIB, seed: int = SEED) -> Stream:
    """One image in a single event, `size` bytes of base64."""
    rng = random.Random(seed)
    data = base64.b64encode(rng.randbytes(size // 4 * 3)).decode()
    image = {"mime_type": "image/png", "data": data, "type": "image"}
    events = [*_opening(rng), *_step(0, {"type": "model_output"}, [image])]
    content = ImageContent(mime_type="image/png", data=data)
    return _stream(events, [ModelOutputStep(content=[content])], "completed", chunk)


# ---- events


def _opening(rng: random.Random) -> list[Payload]:
    ident = "v1_" + base64.urlsafe_b64encode(rng.randbytes(48)).decode()
    opened = {"id": ident, "status": "in_progress", "object": "interaction", "model": _MODEL}
    return [
        {"interaction": opened, "event_type": "interaction.created"},
        {
            "interaction_id": ident,
            "status": "in_progress",
            "event_type": "interaction.status_update",
        },
    ]


def _step(index: int, step: Payload, deltas: list[Payload]) -> Iterator[Payload]:
    yield {"index": index, "step": step, "event_type": "step.start"}
    for delta in deltas:
        yield {"index": index, "delta": delta, "event_type": "step.delta"}
    yield {"index": index, "event_type": "step.stop"}


def _stream(events: list[Payload], steps: list[Step], status: str, chunk: int | None) -> Stream:
    """Close the interaction, and cut its bytes into chunks."""
    ident = events[0]["interaction"]["id"]
    output = len(events)
    closed = {
        "id": ident,
        "status": status,
        "usage": {
            "total_tokens": output + 28,
            "total_input_tokens": 16,
            "input_tokens_by_modality": [{"modality": "text", "tokens": 16}],
            "total_cached_tokens": 0,
            "total_output_tokens": output,
            "total_tool_use_tokens": 0,
            "total_thought_tokens": 12,
        },
        "created": _CREATED,
        "updated": _UPDATED,
        "service_tier": "standard",
        "object": "interaction",
        "model": _MODEL,
    }
    events.append({"interaction": closed, "event_type": "interaction.completed"})
    expected = Interaction(
        id=ident,
        status=status,
        usage=Usage(
            total_tokens=output + 28,
            total_input_tokens=16,
            input_tokens_by_modality=[ModalityTokens(modality="text", tokens=16)],
            total_cached_tokens=0,
            total_output_tokens=output,
            total_tool_use_tokens=0,
            total_thought_tokens=12,
        ),
        created=_CREATED,
        updated=_UPDATED,
        service_tier="standard",
        object="interaction",
        model=_MODEL,
        steps=steps,
    )
    names = [event["event_type"] for event in events]
    payloads = [
        json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode() for event in events
    ]
    frames = [
        b"event: %b\ndata: %b\n\n" % (name.encode(), payload)
        for name, payload in zip(names, payloads, strict=True)
    ]
    frames.append(_DONE)
    if chunk is not None:
        body = b"".join(frames)
        frames = [body[start : start + chunk] for start in range(0, len(body), chunk)]
    return Stream(frames, payloads, expected, names)


# ---- what stands in them


def _text_pieces(rng: random.Random, count: int) -> Iterator[str]:
    """`count` pieces of running text, 2 to 120 characters, most of them short."""
    pending, rare = "", [*_OTHER, *_ESCAPED]
    for _ in range(count):
        size = round(rng.triangular(2, 120, 24))
        while len(pending) < size:
            pending += rng.choice(rare if rng.random() < 1 / 30 else _WORDS) + " "
        yield pending[:size]
        pending = pending[size:]


def _arguments(rng: random.Random) -> Payload:
    return {
        "title": "".join(_text_pieces(rng, 1)),
        "sections": [
            {"heading": "".join(_text_pieces(rng, 1)), "body": "".join(_text_pieces(rng, 3))}
            for _ in range(rng.randint(2, 5))
        ],
        "draft": rng.random() < 0.5,
        "weight": rng.randint(-1000, 1000) / 8,
        "reviewer": None,
    }


def _parts(rng: random.Random, text: str, low: int, high: int) -> Iterator[str]:
    while text:
        size = rng.randint(low, high)
        yield text[:size]
        text = text[size:]


def _signature(rng: random.Random) -> str:
    return base64.b64encode(rng.randbytes(rng.randint(96, 480))).decode()
