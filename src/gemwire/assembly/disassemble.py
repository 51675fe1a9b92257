"""Interaction → events: the inverse of the assembler, for tests, replays and gateways."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from msgspec import UNSET
from msgspec.structs import replace

from ..codec.encode import encode
from ..codec.schema import fields
from ..codec.structs import Unknown, WireStruct
from ..models import (
    ArgumentsDelta,
    AudioContent,
    AudioDelta,
    Interaction,
    InteractionCompletedEvent,
    InteractionCreatedEvent,
    InteractionStatusUpdate,
    ModelOutputStep,
    StepDelta,
    StepStart,
    StepStop,
    TextAnnotationDelta,
    TextContent,
    TextDelta,
    ThoughtSignatureDelta,
    ThoughtStep,
    ThoughtSummaryDelta,
    UserInputStep,
)
from ..models.views import UNFINISHED
from .opening import OPENS
from .steps import MEDIA

if TYPE_CHECKING:
    from ..wire.events import Event

__all__ = ["disassemble"]

_MEDIA_DELTAS = {content: delta for delta, content in MEDIA.items()} | {AudioContent: AudioDelta}
_OWN_DELTAS = {step: delta for delta, step in OPENS.items() if delta.type == step.type}  # type: ignore[attr-defined]


def disassemble(interaction: Interaction, /) -> Iterator[Event]:
    """The events that a server would have sent for this Interaction.

    For a terminal status, assembling them gives an equal Interaction, with two exceptions:
    `id: ""`, which means no id, comes back absent, and content without a type but with a `text`
    comes back as text. Without a terminal status the events end without a terminal one. What
    deltas cannot bring (neighbouring texts, parts with unknown members, …) stands in `step.start`.
    """
    identity = {
        name: value
        for name in ("id", "object", "model", "agent")
        if (value := getattr(interaction, name)) is not UNSET
    }
    yield InteractionCreatedEvent(interaction=Interaction(status="in_progress", **identity))
    yield InteractionStatusUpdate(interaction_id=interaction.id or "", status="in_progress")
    for index, step in enumerate(interaction.steps or ()):
        start, deltas = _split(step)
        yield StepStart(index=index, step=start)
        for delta in deltas:
            yield StepDelta(index=index, delta=delta)
        yield StepStop(index=index)
    if interaction.status and interaction.status not in UNFINISHED:
        rest = interaction if interaction.steps == [] else replace(interaction, steps=UNSET)
        yield InteractionCompletedEvent(interaction=rest)


def _split(step: Any) -> tuple[Any, list[Any]]:
    """A step as its start and the deltas that bring the rest."""
    if isinstance(step, Unknown):
        return step, []
    deltas: list[Any] = []
    if isinstance(step, ModelOutputStep | UserInputStep):
        content = step.content or []
        kept = _kept_content(content)
        for part in content[kept:]:
            deltas.extend(_content_deltas(part))
        if deltas:
            step = replace(step, content=content[:kept] or UNSET)
    elif isinstance(step, ThoughtStep):
        summary = step.summary or []
        unknown = [at for at, item in enumerate(summary) if isinstance(item, Unknown)]
        kept = unknown[-1] + 1 if unknown else 0
        deltas.extend(ThoughtSummaryDelta(content=item) for item in summary[kept:])
        if deltas:
            step = replace(step, summary=summary[:kept] or UNSET)
    else:
        step, deltas = _split_tool(step)
    signature = getattr(step, "signature", UNSET)
    if signature == "" or (isinstance(step, ThoughtStep) and signature is not UNSET):
        # An empty one in the start would be a placeholder.
        deltas.append(ThoughtSignatureDelta(signature=signature))
        step = replace(step, signature=UNSET)
    return step, deltas


def _kept_content(content: list[Any]) -> int:
    """How many parts must stand in the start: up to the last one that no delta can bring."""
    kept = 0
    for position, part in enumerate(content):
        before = content[position - 1] if position else None
        if not _can_be_delta(part, before):
            kept = position + 1
    return kept


def _can_be_delta(part: Any, before: Any) -> bool:
    """Whether deltas bring this part as it is, after that one."""
    if isinstance(part, Unknown) or part.extra_ is not UNSET:
        return False
    if isinstance(part, TextContent):
        return not isinstance(before, TextContent) and part.annotations != []
    if isinstance(part, AudioContent):
        if isinstance(before, AudioContent):
            return False  # it might be taken for more of the same
        if part.rate is not UNSET:
            return False  # it would come back as `sample_rate`
    known = fields(_MEDIA_DELTAS[type(part)])
    return all(getattr(part, name) is UNSET for name in fields(type(part)) if name not in known)


def _content_deltas(part: Any) -> Iterator[Any]:
    if isinstance(part, TextContent):
        yield TextDelta(text=part.text)
        if part.annotations:
            yield TextAnnotationDelta(annotations=part.annotations)
    else:
        cls = _MEDIA_DELTAS[type(part)]
        names = fields(cls).keys() & fields(type(part)).keys()
        yield cls(**{name: getattr(part, name) for name in names})


def _split_tool(step: Any) -> tuple[Any, list[Any]]:
    """A call or a result: its own delta brings what is not empty, the start what identifies it."""
    if step.type == "function_call":
        if not step.arguments:
            return step, []
        text = encode(step.arguments).decode()
        half = len(text) // 2
        deltas = [ArgumentsDelta(arguments=piece) for piece in (text[:half], text[half:])]
        return replace(step, arguments={}), deltas
    cls = _OWN_DELTAS.get(type(step))
    if cls is None:
        return step, []
    brought = {
        name: value
        for name in ("arguments", "result")
        if name in fields(cls)
        and name in fields(type(step))
        and (isinstance(value := getattr(step, name, UNSET), WireStruct | dict | list) and value)
        and _fits(cls, name, value)
    }
    if not brought:
        return step, []
    return replace(step, **dict.fromkeys(brought, UNSET)), [cls(**brought)]


def _fits(cls: type[WireStruct], name: str, value: Any) -> bool:
    """Whether the delta can hold what the step holds; the result of code is text there only."""
    return not (
        name == "result" and isinstance(value, list) and cls.__name__.startswith("CodeExec")
    )
