"""The state of an answer as a value: copied to be gone back to, packed to be carried elsewhere.

What is written is in `form.py`, as Structs; here is how each class of the state becomes one of them
and comes back. Nothing is found by looking at the classes: an attribute that is new must be named
here, or it is not in a checkpoint.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import copy
from typing import Any, Final

from msgspec import UNSET, Raw
from msgspec.structs import replace

from .. import models
from ..assembly.builder import StepBuilder
from ..assembly.contents import ContentPartBuilder
from ..assembly.interaction import InteractionBuilder
from ..assembly.parts import AudioPart, TextPart, UnknownPart
from ..assembly.report import Findings
from ..assembly.steps import ContentBuilder, ThoughtBuilder, ToolBuilder, UnknownBuilder
from ..assembly.usage import UsageBefore, UsageLedger
from ..codec.decode import decode
from ..codec.detached import detached
from ..codec.encode import encode
from ..codec.json import read_json
from ..codec.structs import Unknown, WireStruct
from ..errors import CheckpointError
from .form import (
    ABSENT,
    PackedInteraction,
    PackedPart,
    PackedStep,
    PackedUsage,
    Pairs,
    Value,
    as_raw,
    of_raw,
)

__all__ = [
    "copy_interactions",
    "pack_interaction",
    "pack_text",
    "unpack_interaction",
    "unpack_text",
]

# ---- copies

OWNED: Final[dict[type, tuple[str, ...]]] = {
    ContentBuilder: ("parts",),
    ContentPartBuilder: ("parts",),
    ThoughtBuilder: ("summary",),
    ToolBuilder: ("members", "extra", "grown", "fragments"),
    UnknownBuilder: ("raw", "fragments"),
}
"""What a builder changes in place; all else is replaced when it changes, and may be shared."""


def copy_interactions(
    interactions: list[InteractionBuilder], findings: Findings
) -> list[InteractionBuilder]:
    """Copies that share nothing but models; their issues go to `findings`.

    Cost: the number of fragments and steps, not their bytes.
    """
    return [_copy_interaction(held, findings) for held in interactions]


def _copy_interaction(held: InteractionBuilder, findings: Findings) -> InteractionBuilder:
    new = copy(held)
    copies = {id(builder): _copy_builder(builder, findings) for _, builder in held.order}
    new.findings = findings
    new.raw_members = held.raw_members.copy()
    new.ledger = copy(held.ledger)
    new.order = [(position, copies[id(builder)]) for position, builder in held.order]
    new.routes = {index: copies[id(builder)] for index, builder in held.routes.items()}
    new.open = [copies[id(builder)] for builder in held.open]
    new.last = None if held.last is None else copies[id(held.last)]
    new.positions = held.positions.copy()
    return new


def _copy_builder(held: StepBuilder, findings: Findings) -> StepBuilder:
    new: Any = copy(held)
    new.findings = findings
    for name in OWNED[type(held)]:
        setattr(new, name, _copy_owned(getattr(held, name)))
    if isinstance(new, ContentBuilder):
        new.point_at_text()
    return new  # type: ignore[no-any-return]


def _copy_owned(value: Any) -> Any:
    if isinstance(value, dict):
        return detached(value)
    return [_copy_part(item) for item in value]


def _copy_part(part: Any) -> Any:
    if isinstance(part, TextPart):
        new = copy(part)
        new.fragments, new.annotations = part.fragments.copy(), part.annotations.copy()
        return new
    if isinstance(part, AudioPart):
        audio = copy(part)
        audio.pieces = part.pieces.copy()
        return audio
    if isinstance(part, UnknownPart):
        unknown = copy(part)
        unknown.raw = detached(part.raw)
        return unknown
    return part  # a model, or a fragment


# ---- single values


def pack_text(text: str | None) -> Raw:
    """A text as JSON, half a surrogate as its escape, which msgspec would refuse as a `str`."""
    return ABSENT if text is None else as_raw(encode(text))


def unpack_text(text: Raw) -> Any:
    """The inverse of `pack_text`."""
    return read_json(of_raw(text)) if of_raw(text) else None


def _pack(value: Any) -> Value:
    """A model, a list that may hold models, or plain data."""
    if isinstance(value, Unknown):
        cls = type(value).__name__
        return Value(
            model=cls, json=as_raw(value.json), tag=pack_text(value.tag), reason=value.reason
        )
    if isinstance(value, WireStruct):
        return Value(model=type(value).__name__, json=as_raw(encode(value)))
    if isinstance(value, list) and any(isinstance(item, WireStruct | Unknown) for item in value):
        return Value(items=[_pack(item) for item in value])
    return Value() if value is UNSET else Value(json=as_raw(encode(value)))


def _unpack(value: Value) -> Any:
    if value.items is not None:
        return [_unpack(item) for item in value.items]
    text = of_raw(value.json)
    if not text:
        return UNSET
    if value.model is None:
        return read_json(text)
    cls = getattr(models, value.model, None)
    if isinstance(cls, type) and issubclass(cls, Unknown):
        return cls(text, unpack_text(value.tag), value.reason)
    if isinstance(cls, type) and issubclass(cls, WireStruct):
        return decode(text, cls)
    raise CheckpointError(f"the checkpoint has a model of unknown kind {value.model!r}")


def _pack_each(values: list[Any]) -> list[Value]:
    return [_pack(value) for value in values]


def _unpack_each(values: list[Value]) -> list[Any]:
    return [_unpack(value) for value in values]


def _pairs(members: Mapping[str, bytes]) -> Pairs:
    return [(as_raw(encode(name)), as_raw(text)) for name, text in members.items()]


def _unpaired(pairs: Pairs) -> Iterator[tuple[str, bytes]]:
    for name, text in pairs:
        yield read_json(of_raw(name)), of_raw(text)


# ---- parts


def _pack_part(part: Any) -> PackedPart:
    if isinstance(part, TextPart):
        base = None if part.base is None else _pack(replace(part.base, text=""))
        text = pack_text("".join(part.fragments))
        return PackedPart("text", base, text=text, annotations=_pack_each(part.annotations))
    if isinstance(part, AudioPart):
        base = _pack(replace(part.base, data=UNSET))  # it is the first of the pieces
        return PackedPart("audio", base, pieces=part.pieces)
    if isinstance(part, UnknownPart):
        return PackedPart("unknown", _pack(part.base), raw=as_raw(encode(part.raw)))
    return PackedPart("whole", _pack(part))


def _unpack_part(packed: PackedPart) -> Any:
    base: Any = None if packed.base is None else _unpack(packed.base)
    if packed.kind == "text":
        text = TextPart(base)
        text.fragments = [unpack_text(packed.text)]
        text.annotations = _unpack_each(packed.annotations)
        return text
    if packed.kind == "audio":
        audio = AudioPart(replace(base, data=packed.pieces[0]))
        audio.pieces = list(packed.pieces)
        return audio
    if packed.kind == "unknown":
        unknown = UnknownPart(base)
        unknown.raw = read_json(of_raw(packed.raw) or b"{}")
        return unknown
    return base


# ---- steps: what is particular to each builder


def _pack_content(builder: ContentBuilder, packed: PackedStep) -> None:
    packed.parts = [_pack_part(part) for part in builder.parts]


def _unpack_content(builder: ContentBuilder, packed: PackedStep) -> None:
    builder.parts = [_unpack_part(part) for part in packed.parts]
    builder.find_text()


def _pack_content_part(builder: ContentPartBuilder, packed: PackedStep) -> None:
    _pack_content(builder, packed)
    packed.bare, packed.signed_part = builder.bare, builder.signed_part


def _unpack_content_part(builder: ContentPartBuilder, packed: PackedStep) -> None:
    _unpack_content(builder, packed)
    builder.bare, builder.signed_part = packed.bare, packed.signed_part


def _pack_thought(builder: ThoughtBuilder, packed: PackedStep) -> None:
    packed.summary = _pack_each(builder.summary)


def _unpack_thought(builder: ThoughtBuilder, packed: PackedStep) -> None:
    builder.summary = _unpack_each(packed.summary)


def _pack_tool(builder: ToolBuilder, packed: PackedStep) -> None:
    packed.members = {name: _pack(value) for name, value in builder.members.items()}
    packed.extra = _pairs(builder.extra)
    packed.grown = _pairs({name: encode(value) for name, value in builder.grown.items()})
    packed.fragments = _pack_fragments(builder.fragments)
    packed.own_arguments = builder.own_arguments


def _unpack_tool(builder: ToolBuilder, packed: PackedStep) -> None:
    builder.members = {name: _unpack(value) for name, value in packed.members.items()}
    builder.extra = dict(_unpaired(packed.extra))
    builder.grown = {name: read_json(text) for name, text in _unpaired(packed.grown)}
    builder.fragments = [read_json(of_raw(fragment)) for fragment in packed.fragments]
    builder.own_arguments = packed.own_arguments


def _pack_unknown(builder: UnknownBuilder, packed: PackedStep) -> None:
    packed.raw = as_raw(encode(builder.raw))
    packed.fragments = _pack_fragments(builder.fragments)
    packed.changed = builder.changed


def _unpack_unknown(builder: UnknownBuilder, packed: PackedStep) -> None:
    builder.raw = read_json(of_raw(packed.raw) or b"{}")
    builder.fragments = [read_json(of_raw(fragment)) for fragment in packed.fragments]
    builder.changed = packed.changed


def _pack_fragments(fragments: list[Any]) -> list[Raw]:
    """Fragments of one text as one: a fragment of a few letters is not worth its quotes."""
    if all(isinstance(fragment, str) for fragment in fragments) and fragments:
        fragments = ["".join(fragments)]
    return [as_raw(encode(fragment)) for fragment in fragments]


KINDS: Final[dict[str, tuple[type[StepBuilder], Any, Any]]] = {
    "content": (ContentBuilder, _pack_content, _unpack_content),
    "content_part": (ContentPartBuilder, _pack_content_part, _unpack_content_part),
    "thought": (ThoughtBuilder, _pack_thought, _unpack_thought),
    "tool": (ToolBuilder, _pack_tool, _unpack_tool),
    "unknown": (UnknownBuilder, _pack_unknown, _unpack_unknown),
}
"""The name of each builder in a checkpoint, and what packs and unpacks its own part."""

_NAMES: Final = {builder: name for name, (builder, _, _) in KINDS.items()}


def _pack_step(position: int, builder: StepBuilder) -> PackedStep:
    kind = _NAMES[type(builder)]
    packed = PackedStep(
        kind,
        position,
        builder.index,
        _pack(builder.base),
        signature=pack_text(builder.signature),
        closed=builder.closed,
        started=builder.started,
        broken=pack_text(builder.broken),
    )
    KINDS[kind][1](builder, packed)
    return packed


def _unpack_step(packed: PackedStep, findings: Findings) -> StepBuilder:
    if packed.kind not in KINDS:
        raise CheckpointError(f"the checkpoint has a step of unknown kind {packed.kind!r}")
    cls, _, unpack = KINDS[packed.kind]
    builder = cls(packed.index, _unpack(packed.base), findings)
    builder.signature = unpack_text(packed.signature)
    builder.started = packed.started
    builder.broken = unpack_text(packed.broken)
    builder.closed = packed.closed
    unpack(builder, packed)
    return builder


# ---- interactions


def pack_interaction(held: InteractionBuilder) -> PackedInteraction:
    """One interaction of the answer."""
    place = {id(builder): at for at, (_, builder) in enumerate(held.order)}
    again = held.created_again
    return PackedInteraction(
        interaction=_pack(held.interaction),
        raw_members=_pairs(held.raw_members),
        usage=_pack_usage(held.ledger),
        before=None if held.before is None else _pack_before(held.before),
        steps=[_pack_step(position, builder) for position, builder in held.order],
        routes=[(index, place[id(builder)]) for index, builder in held.routes.items()],
        last=None if held.last is None else place[id(held.last)],
        created=held.created,
        created_again=None if again is None else _pack(again),
        closed=held.closed,
        ended=held.ended,
    )


def unpack_interaction(packed: PackedInteraction, findings: Findings) -> InteractionBuilder:
    """The inverse of `pack_interaction`."""
    before = None if packed.before is None else _unpack_before(packed.before)
    new = InteractionBuilder(findings, before)
    for step in packed.steps:
        new.add(step.position, _unpack_step(step, findings), step.index)
    builders = [builder for _, builder in new.order]
    new.routes.clear()
    new.routes.update({index: builders[at] for index, at in packed.routes})
    new.open = [builder for builder in builders if not builder.closed]
    new.last = None if packed.last is None else builders[packed.last]
    new.interaction = _unpack(packed.interaction)
    if not isinstance(new.interaction, models.Interaction):
        raise CheckpointError("the checkpoint has something else in place of an interaction")
    new.raw_members = dict(_unpaired(packed.raw_members))
    new.ledger = _unpack_usage(packed.usage)
    new.created = packed.created
    new.created_again = None if packed.created_again is None else _unpack(packed.created_again)
    new.closed = packed.closed
    new.ended = packed.ended
    return new


def _pack_usage(ledger: UsageLedger) -> PackedUsage | None:
    if ledger.usage is None:
        return None
    return PackedUsage(_pack(ledger.usage), source=ledger.source)


def _unpack_usage(packed: PackedUsage | None) -> UsageLedger:
    ledger = UsageLedger()
    if packed is not None and packed.total is not None:
        ledger.usage, ledger.source = _unpack(packed.total), packed.source
    return ledger


def _pack_before(before: UsageBefore) -> PackedUsage:
    return PackedUsage(
        None if before.total is None else _pack(before.total),
        None if before.first is None else _pack(before.first),
        before.poorer,
        before.lacking,
    )


def _unpack_before(packed: PackedUsage) -> UsageBefore:
    return UsageBefore(
        None if packed.total is None else _unpack(packed.total),
        None if packed.first is None else _unpack(packed.first),
        packed.source,
        packed.lacking,
    )
