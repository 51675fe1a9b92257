"""A server in a few lines: an answer with event ids here and there, and how it goes on after a cut.

Everything is bytes, as a real server sends them; what comes of them is compared with the answer
that was never cut.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from gemwire import (
    DONE,
    Assembler,
    Interaction,
    InteractionStream,
    ResumePoint,
    StreamReport,
    assemble,
)

from .wire import (
    Payload,
    arguments,
    completed,
    created,
    delta,
    frame,
    signature,
    start,
    stop,
    text,
    update,
)

Serve: TypeAlias = Callable[[ResumePoint], bytes]

SEARCHED = {"queries": ["sky"]}


def summary(index: int, words: str) -> Payload:
    return delta(index, "thought_summary", content={"type": "text", "text": words})


def long_answer() -> list[Payload]:
    """Every kind of growth there is, without ids."""
    return [
        created(),
        update(),
        start(0, "thought"),
        summary(0, "**One**"),
        summary(0, "**Two**"),
        summary(0, "**Two**"),  # the same again, and not a repetition
        signature(0, "c2lnbg=="),
        stop(0),
        start(1, "google_search_call", id="s1", signature=""),
        delta(1, "google_search_call", arguments=SEARCHED),
        stop(1),
        start(2, "model_output"),
        text(2, "na"),
        text(2, "na"),
        text(2, "na "),
        text(2, "bátman"),
        delta(2, "text_annotation_delta", annotations=[{"type": "url_citation", "url": "u"}]),
        delta(2, "image", data="aW1n", mime_type="image/png"),
        delta(2, "audio", data="AAAA", mime_type="audio/l16"),
        delta(2, "audio", data="AAAB", mime_type="audio/l16"),
        stop(2),
        start(3, "function_call", id="c1", name="f", arguments={}),
        arguments(3, '{"a":'),
        arguments(3, "[1,1,"),
        arguments(3, "1]}"),
        stop(3, usage={"total_tokens": 4}),
        completed("requires_action", usage={"total_tokens": 9, "total_input_tokens": 3}),
    ]


def with_ids(events: list[Payload], every: int, first: int = 0) -> list[Payload]:
    """The events, with an `event_id` on one of so many."""
    return [
        {**event, "event_id": f"e{at}"} if at % every == first % every else event
        for at, event in enumerate(events)
    ]


def whole(events: list[Payload]) -> bytes:
    return b"".join(map(frame, events)) + DONE


def after(events: list[Payload], event_id: str | None, *, repeated: bool = False) -> list[Payload]:
    """The events after the one with that id; that one too if `repeated`."""
    if event_id is None:
        return events
    at = next(at for at, event in enumerate(events) if event.get("event_id") == event_id)
    return events[at if repeated else at + 1 :]


def servers(events: list[Payload]) -> dict[str, Serve]:
    """The ways in which a server may go on."""
    return {
        "after the id": lambda point: whole(after(events, point.last_event_id)),
        "with created and status in front": lambda point: whole(
            [*events[:2], *after(events[2:], point.last_event_id)]
            if point.last_event_id not in ("e0", "e1", None)
            else events
        ),
        "from the start": lambda point: whole(events),
        "the event itself again": lambda point: whole(
            after(events, point.last_event_id, repeated=True)
        ),
        "with a heartbeat in front": lambda point: (
            frame({"event_type": "heartbeat"}) + whole(after(events, point.last_event_id))
        ),
    }


def uncut(events: list[Payload]) -> Interaction:
    return assemble(whole(events))


def hop(identity: str, *words: str, status: str = "completed", **members: Any) -> list[Payload]:
    """One hop: a text in pieces."""
    return [
        created(identity),
        update(identity=identity),
        start(0, "model_output"),
        *(text(0, word) for word in words),
        stop(0),
        completed(status, identity, **members),
    ]


def cut_at(data: bytes, at: int, held: Assembler | None = None, **options: Any) -> Assembler:
    """Read the beginning of a response, as the continuation of what is held."""
    reader = InteractionStream(data[:at], resume=held, **options)
    reader.until_done()
    return reader._parser.assembler


def finished(
    data: bytes, held: Assembler | bytes, **options: Any
) -> tuple[Interaction, StreamReport]:
    reader = InteractionStream(data, resume=held, **options)
    return reader.get_final_interaction(), reader.report
