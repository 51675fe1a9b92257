"""Streams to read with what comes of them, and iterables that break."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator

from gemwire import DONE, assemble, decode_event

from .wire import MILL as PART
from .wire import (
    WAYS,
    Payload,
    Verdict,
    answer,
    arguments,
    completed,
    created,
    delta,
    dumps,
    signature,
    start,
    stop,
    stream,
    text,
    update,
)

# ---- a whole one

EVENTS: list[Payload] = [
    created(),
    update(),
    start(0, "thought"),
    signature(0, "c2ln"),
    stop(0),
    start(1, "model_output"),
    text(1, "A "),
    text(1, "mill – "),
    text(1, "by the sea"),
    stop(1),
    start(2, "function_call", id="f1", name="tide", arguments={}),
    arguments(2, '{"port":'),
    arguments(2, '"Rye"}'),
    stop(2),
    completed("requires_action"),
]
DATA = stream(*EVENTS)
SENT = [decode_event(dumps(event), event["event_type"]) for event in EVENTS]
WHOLE = assemble(DATA)
SIZES = (1, 2, 17, 1000, len(DATA))

READERS: dict[str, Callable[[bytes], Verdict]] = {
    name: read for name, read in WAYS.items() if name != "pushed"
}
"""The ways that look at the bytes outside of the events too."""

# ---- texts

MILL: list[Payload] = [start(0, "model_output"), text(0, "A "), text(0, "mill"), stop(0)]

TEXTS: dict[str, tuple[list[Payload], list[str]]] = {
    "piece by piece": (MILL, ["A ", "mill"]),
    "of every step": (
        [*MILL, start(1, "thought"), stop(1), start(2, "model_output"), text(2, "!"), stop(2)],
        ["A ", "mill", "!"],
    ),
    "of the start, too": (
        [
            start(0, "model_output", content=[{"type": "text", "text": "A "}]),
            text(0, "mill"),
            stop(0),
        ],
        ["A ", "mill"],
    ),
    "of a start that is repeated": (
        [
            *[start(0, "model_output", content=[{"type": "text", "text": "A "}])] * 2,
            text(0, "mill"),
            stop(0),
        ],
        ["A ", "mill"],
    ),
    "of a start with several parts": (
        [
            start(0, "model_output", content=[{"type": "text", "text": "A "}, {"text": "mill"}]),
            stop(0),
        ],
        ["A mill"],
    ),
    "of a start with a part that has no type": (
        [start(0, "model_output", content=[{"text": "A "}]), text(0, "mill"), stop(0)],
        ["A ", "mill"],
    ),
    "of a start with a string": (
        [*[start(0, "model_output", content="A ")] * 2, text(0, "mill"), stop(0)],
        ["A ", "mill"],
    ),
    "of a start that comes late": (
        [text(0, "A "), start(0, "model_output"), text(0, "mill"), stop(0)],
        ["A ", "mill"],
    ),
    "of several events in one message": ([{"events": MILL[:2]}, *MILL[2:]], ["A ", "mill"]),
    "of a content that is started twice": (
        [
            *[{"event_type": "content.start", "index": 0, "content": PART}] * 2,
            {"event_type": "content.delta", "index": 0, "delta": {"type": "text", "text": "!"}},
            {"event_type": "content.stop", "index": 0},
        ],
        ["A mill", "!"],
    ),
    "without a type": ([start(0, "model_output"), delta(0, None, text="A mill")], ["A mill"]),
    "without an index": ([start(0, "model_output"), text(None, "A mill")], ["A mill"]),
    "without a start": ([text(0, "A mill")], ["A mill"]),
    "not of thoughts": (
        [
            start(0, "thought"),
            delta(0, "thought_summary", content={"type": "text", "text": "Hm."}),
            text(0, "astray"),
            delta(0, None, text="astray"),
            stop(0),
        ],
        [],
    ),
    "not of what the user said": ([start(0, "user_input"), text(0, "Why?"), stop(0)], []),
    "not of what does not fit": ([start(0, "model_output"), delta(0, "text", text=5)], []),
    "empty pieces are none": ([start(0, "model_output"), text(0, ""), text(0, "a")], ["a"]),
    "a pair cut apart": (
        [start(0, "model_output"), text(0, "wave \ud83c"), text(0, "\udf0a!"), stop(0)],
        ["wave ", "\U0001f30a!"],
    ),
    "a pair with an empty piece between": (
        [start(0, "model_output"), text(0, "\ud83c"), text(0, ""), text(0, "\udf0a"), stop(0)],
        ["\U0001f30a"],
    ),
    "a high half alone": (
        [start(0, "model_output"), text(0, "wave \ud83c"), text(0, "!"), stop(0)],
        ["wave ", "\ufffd!"],
    ),
    "a high half at the end": (
        [start(0, "model_output"), text(0, "wave \ud83c"), stop(0)],
        ["wave ", "\ufffd"],
    ),
    "a low half alone": ([start(0, "model_output"), text(0, "\udf0a"), stop(0)], ["\ufffd"]),
}

# ---- what is cut, bare or not to the spec

FAILURE = {"error": {"code": 503, "message": "No.", "status": "UNAVAILABLE"}}
ONE_LINE = json.dumps(FAILURE)
BEGUN = stream(created(), *MILL[:2], done=False)
HTML = b"<html>\n<head><title>502: Bad Gateway</title></head>\n<body>data: none</body>\n</html>\n"
LAST = answer(*MILL).removesuffix(DONE)

NOT_TO_SPEC: dict[str, Payload | bytes] = {
    "an unknown event": {"event_type": "step.hologram"},
    "an unknown delta": delta(0, "hologram"),
    "an unknown step": start(1, "hologram"),
    "an unknown member": {**text(0, "A mill"), "novel": 1},
    "a member that does not fit": {**text(0, "A mill"), "index": "0"},
    "no JSON": b"event: step.delta\ndata: oops\n\n",
    "no object": b"event: step.delta\ndata: []\n\n",
    "nested without end": b"event: step.delta\ndata: " + b"[" * 5000 + b"\n\n",
    "bad UTF-8": b'event: step.delta\ndata: {"index":0,"delta":{"type":"text","text":"\xff"}}\n\n',
}

# ---- iterables


class Source:
    """An iterable of chunks that counts how often it is closed, and may break."""

    def __init__(self, chunks: Iterable[bytes], breaks: BaseException | None = None) -> None:
        self.chunks = iter(chunks)
        self.breaks = breaks
        self.closed = 0
        self.taken = 0

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            chunk = next(self.chunks)
        except StopIteration:
            if self.breaks is not None:
                raise self.breaks from None
            raise
        self.taken += 1
        return chunk

    def close(self) -> None:
        self.closed += 1


class Broken(Exception):
    """What the caller's own iterable raises."""
