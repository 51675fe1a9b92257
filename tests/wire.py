"""Small helpers: events as plain dicts → bytes → what came of them, read in every way there is."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from msgspec import UNSET

from gemwire import (
    DONE,
    Assembler,
    AsyncInteractionStream,
    GemwireError,
    Interaction,
    InteractionParser,
    InteractionStream,
    SSEParser,
    StreamReport,
    assemble,
    decode_event,
    to_dict,
)
from gemwire.wire.error_body import ErrorInfo

Payload: TypeAlias = dict[str, Any]

IDENTITY = "v1_a"
MODEL = "gemini-3.6-flash"

# ---- events


def created(identity: str | None = IDENTITY, **members: Any) -> Payload:
    interaction = {"status": "in_progress", "object": "interaction", "model": MODEL, **members}
    if identity is not None:
        interaction = {"id": identity, **interaction}
    return {"interaction": interaction, "event_type": "interaction.created"}


def update(status: str = "in_progress", identity: str = IDENTITY, **members: Any) -> Payload:
    return {
        "interaction_id": identity,
        "status": status,
        **members,
        "event_type": "interaction.status_update",
    }


def completed(status: str = "completed", identity: str = IDENTITY, **members: Any) -> Payload:
    interaction = {"id": identity, "status": status, "object": "interaction", **members}
    return {"interaction": interaction, "event_type": "interaction.completed"}


def start(index: int | None, kind: str, **members: Any) -> Payload:
    step = {**members, "type": kind}
    return {**_at(index), "step": step, "event_type": "step.start"}


def delta(index: int | None, kind: str | None, **members: Any) -> Payload:
    """A delta; without a type if kind is None."""
    tag = {} if kind is None else {"type": kind}
    return {**_at(index), "delta": {**members, **tag}, "event_type": "step.delta"}


def text(index: int | None, piece: str) -> Payload:
    return delta(index, "text", text=piece)


def arguments(index: int | None, piece: Any) -> Payload:
    return delta(index, "arguments_delta", arguments=piece)


def signature(index: int | None, value: str) -> Payload:
    return delta(index, "thought_signature", signature=value)


def stop(index: int | None, **members: Any) -> Payload:
    return {**_at(index), **members, "event_type": "step.stop"}


def mill(index: int, piece: str = "A mill") -> list[Payload | bytes]:
    """A whole step of one text."""
    return [start(index, "model_output"), text(index, piece), stop(index)]


def error(payload: Any) -> Payload:
    return {"error": payload, "event_type": "error"}


def _at(index: int | None) -> Payload:
    return {} if index is None else {"index": index}


# ---- payloads that many tables have

CITATION: Payload = {
    "type": "url_citation",
    "start_index": 0,
    "end_index": 6,
    "url": "https://tide.example/mills",
    "title": "tide.example",
}
MILL: Payload = {"type": "text", "text": "A mill"}
PNG: Payload = {"type": "image", "mime_type": "image/png", "data": "iVBORw0K"}
CALL: Payload = {"type": "function_call", "id": "f1", "name": "tide"}
FAILURE: Payload = {"code": "gateway_timeout", "message": "Too late."}


def said(piece: str = "A mill") -> Payload:
    return {"type": "model_output", "content": [{"type": "text", "text": piece}]}


def usage(total: int, **members: Any) -> Payload:
    return {"total_tokens": total, **members}


# ---- bytes


def dumps(payload: Any) -> str:
    """JSON as the server writes it: raw UTF-8, no spaces. A lone surrogate can only be escaped."""
    written = json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
    return re.sub("[\ud800-\udfff]", lambda half: f"\\u{ord(half[0]):04x}", written)


def frame(payload: Payload | str, name: str | None = None) -> bytes:
    """One SSE frame, named by the event type if it has one; a string is the data as it is."""
    data = payload if isinstance(payload, str) else dumps(payload)
    if name is None and isinstance(payload, dict):
        name = payload.get("event_type")
    head = f"event: {name}\n" if name is not None else ""
    return f"{head}data: {data}\n\n".encode()


def stream(*events: Payload | bytes, done: bool = True) -> bytes:
    """The bytes of a response: a frame for each event; bytes stand as they are."""
    frames = [event if isinstance(event, bytes) else frame(event) for event in events]
    return b"".join(frames) + (DONE if done else b"")


def answer(*events: Payload | bytes, status: str = "completed", **members: Any) -> bytes:
    """A whole, well-formed response around the events of its steps."""
    return stream(created(), update(), *events, completed(status, **members))


def cut(data: bytes, size: int) -> list[bytes]:
    """The bytes in chunks of one size."""
    return [data[at : at + size] for at in range(0, len(data), size)]


def by_frames(data: bytes) -> list[bytes]:
    """The bytes cut after each blank line."""
    head, *rest = data.split(b"\n\n")
    chunks = [head]
    for block in rest:
        chunks[-1] += b"\n\n"
        chunks.append(block)
    return [chunk for chunk in chunks if chunk]


async def later(chunks: Iterable[bytes]) -> AsyncIterator[bytes]:
    """An async iterable of bytes that needs no event loop of any kind."""
    for chunk in chunks:
        yield chunk


# ---- what came of them


@dataclass(frozen=True)
class Verdict:
    """All that a reader is told of a stream, to be compared."""

    interaction: Interaction
    raised: type[GemwireError] | None
    report: StreamReport | None = field(compare=False)
    outcome: str
    error: ErrorInfo | None
    issues: list[tuple[Any, ...]]
    unknown: list[tuple[Any, ...]]
    usage: Any
    usage_source: str | None
    ids: list[str]
    last_event_id: str | None
    events: int

    @property
    def plain(self) -> Payload:
        """The interaction as plain data."""
        return to_dict(self.interaction)  # type: ignore[no-any-return]

    @property
    def steps(self) -> list[Payload] | None:
        return self.plain.get("steps")

    @property
    def known(self) -> StreamReport:
        assert self.report is not None
        return self.report


def verdict(
    finish: Callable[[], Interaction], source: InteractionStream | AsyncInteractionStream | Any
) -> Verdict:
    """Finish, and take down what came of it; `source` has the report."""
    raised: type[GemwireError] | None = None
    try:
        interaction = finish()
    except GemwireError as problem:
        held = getattr(problem, "interaction", None)
        interaction = held if held is not None else Interaction()
        raised = type(problem)
    report: StreamReport = source.report
    return Verdict(
        interaction,
        raised,
        report,
        report.outcome,
        report.error,
        [_counted(issue.kind, issue.index, count=issue.count) for issue in report.issues],
        [_counted(seen.path, seen.tag, count=seen.count) for seen in report.unknown],
        UNSET if report.usage is None else report.usage,
        report.usage_source,
        report.interaction_ids,
        report.last_event_id,
        report.event_count,
    )


def _counted(*entry: Any, count: int) -> tuple[Any, ...]:
    return entry if count == 1 else (*entry, count)


def pull(chunks: Iterable[bytes] | bytes, **options: Any) -> Verdict:
    """Through InteractionStream."""
    reader = InteractionStream(chunks, **options)
    return verdict(reader.get_final_interaction, reader)


def pull_async(chunks: Iterable[bytes], **options: Any) -> Verdict:
    """Through AsyncInteractionStream."""

    async def run() -> Verdict:
        reader = AsyncInteractionStream(later(chunks), **options)
        problem: GemwireError | None = None
        try:
            interaction = await reader.get_final_interaction()
        except GemwireError as caught:
            problem = caught

        def finish() -> Interaction:
            if problem is not None:
                raise problem
            return interaction

        return verdict(finish, reader)

    return asyncio.run(run())


def push(chunks: Iterable[bytes]) -> Verdict:
    """Parser, codec and assembler by hand, as a gateway does it."""
    parser, assembler = SSEParser(), Assembler()
    for chunk in chunks:
        for message in parser.feed(chunk):
            assembler.apply(decode_event(message.data, message.event))
    return verdict(assembler.finish, assembler)


def parse(chunks: Iterable[bytes], **options: Any) -> Verdict:
    """Through InteractionParser, chunk by chunk."""
    parser = InteractionParser(**options)
    for chunk in chunks:
        parser.feed(chunk)
    return verdict(parser.finish, parser)


WAYS: dict[str, Callable[[bytes], Verdict]] = {
    "whole": lambda data: pull(data),
    "byte by byte": lambda data: pull(cut(data, 1)),
    "frames": lambda data: pull(by_frames(data)),
    "async": lambda data: pull_async(cut(data, 97)),
    "parsed": lambda data: parse(cut(data, 61)),
    "parsed whole": lambda data: parse([data]),
    "pushed": lambda data: push(cut(data, 61)),
}
"""Every way to read a stream of whole frames; all must come to the same verdict."""


def assembled(chunks: Iterable[bytes] | bytes) -> Interaction | type[GemwireError]:
    """Through assemble(): the Interaction, or the kind of exception."""
    try:
        return assemble(chunks)
    except GemwireError as problem:
        return type(problem)


# ---- tables of cases


@dataclass(frozen=True)
class Case:
    """Events in, what should come of them out. Not stated means: nothing of the kind."""

    name: str
    events: Sequence[Payload | bytes]
    """What stands between `created` and `completed`; the whole stream if `bare`."""
    steps: list[Payload] | None = None
    issues: Sequence[tuple[Any, ...]] = ()
    """(kind, index), with the count if there was more than one."""
    unknown: Sequence[tuple[Any, ...]] = ()
    """(path, tag), with the count if there was more than one."""
    usage: Payload | None = None
    source: str | None = None
    outcome: str = "completed"
    raised: type[GemwireError] | None = None
    members: Payload = field(default_factory=dict)
    """Members of the Interaction; None means absent."""
    bare: bool = False
    done: bool = True

    @property
    def bytes(self) -> bytes:
        if self.bare:
            return stream(*self.events, done=self.done)
        return stream(created(), update(), *self.events, completed(), done=self.done)

    @property
    def expected(self) -> Payload:
        """What should be seen of it."""
        return {
            "steps": self.steps,
            "issues": list(self.issues),
            "unknown": list(self.unknown),
            "outcome": self.outcome,
            "raised": self.raised,
            "usage": self.usage,
            "reported": self.usage,
            "source": self.source,
            "members": self.members,
        }

    def seen(self, found: Verdict) -> Payload:
        """The same of a verdict."""
        plain = found.plain
        return {
            "steps": plain.get("steps"),
            "issues": found.issues,
            "unknown": found.unknown,
            "outcome": found.outcome,
            "raised": found.raised,
            "usage": plain.get("usage"),
            "reported": None if found.usage is UNSET else to_dict(found.usage),
            "source": found.usage_source,
            "members": {name: plain.get(name) for name in self.members},
        }


def ids(cases: Iterable[Case]) -> Iterator[str]:
    names = [case.name for case in cases]
    assert len(set(names)) == len(names)
    return iter(names)
