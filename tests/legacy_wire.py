"""Small helpers for the legacy generation: its events as plain dicts, and cases of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .wire import MODEL, Case, Payload, stream, update

# ---- events


def begun(identity: str = "v1_a", **members: Any) -> Payload:
    interaction = {"id": identity, "status": "in_progress", "object": "interaction", "model": MODEL}
    return {"interaction": {**interaction, **members}, "event_type": "interaction.start"}


def complete(status: str = "completed", identity: str = "v1_a", **members: Any) -> Payload:
    interaction = {"id": identity, "status": status, "role": "model", "object": "interaction"}
    return {"interaction": {**interaction, **members}, "event_type": "interaction.complete"}


def opens(index: Any, kind: str, **members: Any) -> Payload:
    content = {**members, "type": kind}
    return {**at(index), "content": content, "event_type": "content.start"}


def brings(index: Any, kind: str | None, **members: Any) -> Payload:
    tag = {} if kind is None else {"type": kind}
    return {**at(index), "delta": {**members, **tag}, "event_type": "content.delta"}


def says(index: Any, piece: str) -> Payload:
    return brings(index, "text", text=piece)


def closes(index: Any) -> Payload:
    return {**at(index), "event_type": "content.stop"}


def at(index: Any) -> Payload:
    return {} if index is None else {"index": index}


def whole(index: int, kind: str, *deltas: Payload) -> list[Payload]:
    """A content from its bare start to its stop."""
    return [opens(index, kind), *deltas, closes(index)]


def part(words: str, **members: Any) -> Payload:
    return {"type": "text", "text": words, **members}


def output(*parts: Payload) -> Payload:
    return {"type": "model_output", "content": list(parts)}


@dataclass(frozen=True)
class Legacy(Case):
    """A case between the lifecycle events of the legacy generation."""

    @property
    def bytes(self) -> bytes:
        if self.bare:
            return stream(*self.events, done=self.done)
        return stream(begun(), update(), *self.events, complete(), done=self.done)


CITED: Payload = {
    "type": "url_citation",
    "start_index": 0,
    "end_index": 5,
    "url": "https://locks.example/five",
    "title": "locks.example",
}
UNTYPED: Payload = {"start_index": 0, "end_index": 5, "source": "locks.example"}
PNG: Payload = {"mime_type": "image/png", "data": "iVBORw0K"}
CALL: Payload = {"id": "k7", "name": "lock_level", "arguments": {"lock": "Foxton", "gate": 3}}

FOUR = [part("a"), part("b"), {"type": "thought", "signature": "c2ln"}, part("c")]
FOUR_STEPS = [output(part("a"), part("b")), FOUR[2], output(part("c"))]
