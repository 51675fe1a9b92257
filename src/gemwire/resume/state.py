"""The state of an answer as a value, to be carried elsewhere.

What is written is in `form.py`, as Structs; here is how each class of the state becomes one of them
and comes back. Nothing is found by looking at the classes: an attribute that is new must be named
here, or it is not in a checkpoint.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import Any, Final

from msgspec import UNSET, Raw
from msgspec.structs import replace

from .. import models
from ..assembly.builder import StepBuilder
from ..assembly.contents import ContentPartBuilder
from ..assembly.interaction import InteractionBuilder
from ..assembly.parts import AudioPart, TextPart, UnknownPart
from ..assembly.report import Findings
from ..assembly.steps import (
    BUILDERS,
    ContentBuilder,
    ThoughtBuilder,
    ToolBuilder,
    UnknownBuilder,
)
from ..assembly.usage import UsageBefore, UsageLedger
from ..codec.decode import decode
from ..codec.encode import encode
from ..codec.json import read_json, split_object
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
from .shared import Given, Shared

__all__ = [
    "pack",
    "pack_interaction",
    "pack_optional",
    "unpack",
    "unpack_interaction",
    "unpack_optional",
]

LARGE: Final = 256
"""A model whose JSON is longer is written member by member: few of them differ between states."""

# ---- single values


def pack(shared: Shared, value: Any, *, split: bool = False) -> Value:
    """A model, a list that may hold models, or plain data."""
    if isinstance(value, Unknown):
        return _packed(shared, value.json, type(value).__name__, value.tag, value.reason)
    if isinstance(value, WireStruct):
        cls, json = type(value).__name__, encode(value)
        if split and len(json) > LARGE:
            return Value(model=cls, members=_pairs(shared, split_object(json)))
        return _packed(shared, json, cls)
    if isinstance(value, list) and any(isinstance(item, WireStruct | Unknown) for item in value):
        return Value(items=_pack_each(shared, value))
    return Value() if value is UNSET else _packed(shared, encode(value))


def _packed(
    shared: Shared,
    json: bytes,
    model: str | None = None,
    tag: str | None = None,
    reason: str | None = None,
) -> Value:
    told, place = shared.value(json)
    return Value(model, told, place, tag=_short(tag), reason=_short(reason))


def _short(text: str | None) -> Raw:
    return ABSENT if text is None else as_raw(encode(text))


def _unshort(text: Raw) -> Any:
    return read_json(of_raw(text)) if bytes(text) else None


def unpack(given: Given, value: Value) -> Any:
    """The inverse of `pack`."""
    if value.items is not None:
        return _unpack_each(given, value.items)
    if value.members is not None:
        pairs = [of_raw(n) + b":" + given.value(v.json, v.shared) for n, v in value.members]
        text = b"{" + b",".join(pairs) + b"}"
    else:
        text = given.value(value.json, value.shared)
    if not text:
        return UNSET
    if value.model is None:
        return read_json(text)
    cls = getattr(models, value.model, None)
    if isinstance(cls, type) and issubclass(cls, Unknown):
        return cls(text, _unshort(value.tag), _unshort(value.reason))
    if isinstance(cls, type) and issubclass(cls, WireStruct):
        return decode(text, cls)
    raise CheckpointError(f"the checkpoint has a model of unknown kind {value.model!r}")


def pack_optional(shared: Shared, value: Any) -> Value | None:
    """The same for what may be None."""
    return None if value is None else pack(shared, value)


def unpack_optional(given: Given, value: Value | None) -> Any:
    """The inverse of `pack_optional`."""
    return None if value is None else unpack(given, value)


def _pack_each(shared: Shared, values: list[Any]) -> list[Value]:
    return [pack(shared, value) for value in values]


def _unpack_each(given: Given, values: list[Value]) -> list[Any]:
    return [unpack(given, value) for value in values]


def _pairs(shared: Shared, members: Mapping[str, bytes]) -> Pairs:
    return [(as_raw(encode(name)), _packed(shared, text)) for name, text in members.items()]


def _unpaired(given: Given, pairs: Pairs) -> Iterator[tuple[str, bytes]]:
    for name, value in pairs:
        yield read_json(of_raw(name)), given.value(value.json, value.shared)


def _joined(fragments: list[Any]) -> str | None:
    """The fragments as one text, if they are one that can be carried as such.

    Two halves of a surrogate pair would be a whole one after that.
    """
    if not all(isinstance(fragment, str) for fragment in fragments):
        return None
    text = "".join(fragments)
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            return None
    return text


# ---- parts


def _pack_part(shared: Shared, part: Any, owner: Hashable) -> PackedPart:
    if isinstance(part, TextPart):
        packed = PackedPart(annotations=_pack_each(shared, part.annotations))
        if part.base is not None:
            packed.base = pack(shared, replace(part.base, text=""))
        text = _joined(part.fragments)
        if text is None:
            packed.fragments = _pack_each(shared, part.fragments)
        else:
            packed.text = shared.text(owner, text)
        return packed
    if isinstance(part, AudioPart):
        audio: Any = part.build()  # what its pieces are together
        base = pack(shared, replace(audio, data=UNSET))
        return PackedPart("audio", base, shared.text(owner, audio.data))
    if isinstance(part, UnknownPart):
        return PackedPart("unknown", pack(shared, part.base), raw=pack(shared, part.raw))
    return PackedPart("whole", pack(shared, part))


def _unpack_part(given: Given, packed: PackedPart) -> Any:
    base: Any = unpack_optional(given, packed.base)
    if packed.kind == "text":
        text = TextPart(base)
        text.fragments = _unpack_text(given, packed)
        text.annotations = _unpack_each(given, packed.annotations)
        return text
    if packed.kind == "audio":
        return AudioPart(replace(base, data="".join(_unpack_text(given, packed))))
    if packed.kind == "unknown":
        unknown = UnknownPart(base)
        unknown.raw = unpack_optional(given, packed.raw)
        return unknown
    return base


def _unpack_text(given: Given, packed: PackedPart | PackedStep) -> list[Any]:
    if packed.text is not None:
        return [given.text(packed.text)]
    return _unpack_each(given, packed.fragments)


# ---- steps: what is particular to each builder


def _pack_content(
    shared: Shared, builder: ContentBuilder, packed: PackedStep, owner: Hashable
) -> None:
    parts = builder.parts
    base: Any = builder.base
    sent = type(builder)(builder.index, base, Findings()).parts if base.content else []
    at = 0
    while at < min(len(parts), len(sent)) and _is_same(parts[at], sent[at]):
        at += 1
    packed.sent_parts = at
    packed.parts = [
        _pack_part(shared, part, (owner, place)) for place, part in enumerate(parts) if place >= at
    ]


def _is_same(part: Any, sent: Any) -> bool:
    """Whether a part is still as the start had it."""
    if isinstance(part, TextPart) and isinstance(sent, TextPart):
        return (
            part.base == sent.base
            and not part.annotations
            and "".join(part.fragments) == "".join(sent.fragments)
        )
    return bool(part == sent)


def _unpack_content(given: Given, builder: ContentBuilder, packed: PackedStep) -> None:
    builder.parts[packed.sent_parts :] = [_unpack_part(given, part) for part in packed.parts]
    builder.find_text()


def _pack_content_part(
    shared: Shared, builder: ContentPartBuilder, packed: PackedStep, owner: Hashable
) -> None:
    _pack_content(shared, builder, packed, owner)
    packed.bare, packed.signed_part = builder.bare, builder.signed_part


def _unpack_content_part(given: Given, builder: ContentPartBuilder, packed: PackedStep) -> None:
    _unpack_content(given, builder, packed)
    builder.bare, builder.signed_part = packed.bare, packed.signed_part


def _pack_thought(
    shared: Shared, builder: ThoughtBuilder, packed: PackedStep, owner: Hashable
) -> None:
    packed.summary = _pack_each(shared, builder.summary)


def _unpack_thought(given: Given, builder: ThoughtBuilder, packed: PackedStep) -> None:
    builder.summary = _unpack_each(given, packed.summary)


def _pack_tool(shared: Shared, builder: ToolBuilder, packed: PackedStep, owner: Hashable) -> None:
    packed.members = {name: pack(shared, value) for name, value in builder.members.items()}
    packed.extra = _pairs(shared, builder.extra)
    packed.grown = _pairs(shared, {name: encode(value) for name, value in builder.grown.items()})
    packed.own_arguments = builder.own_arguments
    _pack_fragments(shared, builder, packed, owner)


def _unpack_tool(given: Given, builder: ToolBuilder, packed: PackedStep) -> None:
    builder.members = {name: unpack(given, value) for name, value in packed.members.items()}
    builder.extra = dict(_unpaired(given, packed.extra))
    builder.grown = {name: read_json(text) for name, text in _unpaired(given, packed.grown)}
    builder.own_arguments = packed.own_arguments
    _unpack_fragments(given, builder, packed)


def _pack_unknown(
    shared: Shared, builder: UnknownBuilder, packed: PackedStep, owner: Hashable
) -> None:
    if builder.changed:
        packed.raw = pack(shared, builder.raw)
    _pack_fragments(shared, builder, packed, owner)


def _unpack_unknown(given: Given, builder: UnknownBuilder, packed: PackedStep) -> None:
    builder.changed = packed.raw is not None
    if packed.raw is not None:
        builder.raw = unpack(given, packed.raw)
    _unpack_fragments(given, builder, packed)


def _pack_fragments(
    shared: Shared, builder: ToolBuilder | UnknownBuilder, packed: PackedStep, owner: Hashable
) -> None:
    packed.lost = pack_optional(shared, builder.lost)
    packed.lost_fragment = builder.lost_fragment
    text = _joined(builder.fragments)
    if text is None:
        packed.fragments = _pack_each(shared, builder.fragments)
    elif builder.fragments:
        packed.text = shared.text(owner, text)


def _unpack_fragments(
    given: Given, builder: ToolBuilder | UnknownBuilder, packed: PackedStep
) -> None:
    builder.lost = unpack_optional(given, packed.lost)
    builder.lost_fragment = packed.lost_fragment
    builder.fragments = _unpack_text(given, packed)


PARTICULAR: Final[dict[type[StepBuilder], tuple[Callable[..., None], Callable[..., None]]]] = {
    ContentBuilder: (_pack_content, _unpack_content),
    ContentPartBuilder: (_pack_content_part, _unpack_content_part),
    ThoughtBuilder: (_pack_thought, _unpack_thought),
    ToolBuilder: (_pack_tool, _unpack_tool),
    UnknownBuilder: (_pack_unknown, _unpack_unknown),
}
"""What packs and unpacks the part of a builder that others do not have."""

CONTENT_PART: Final = "content_part"
"""The kind of the one builder that is not the only one for its class of step."""


def _pack_step(shared: Shared, builder: StepBuilder, owner: Hashable) -> PackedStep:
    packed = PackedStep(
        builder.index,
        pack(shared, builder.base),
        CONTENT_PART if isinstance(builder, ContentPartBuilder) else None,
        None if builder.position == builder.index else builder.position,
        pack_optional(shared, builder.signature),
        builder.closed,
        stale=builder.closed and builder.built is None,
        replaced=builder.built == builder.base and builder.broken is None,
        late=not builder.started,
    )
    PARTICULAR[type(builder)][0](shared, builder, packed, owner)
    return packed


def _unpack_step(given: Given, packed: PackedStep, findings: Findings) -> StepBuilder:
    base = unpack(given, packed.base)
    cls = BUILDERS.get(type(base))
    if packed.kind == CONTENT_PART and cls is ContentBuilder:
        cls = ContentPartBuilder
    elif cls is None or packed.kind is not None:
        raise CheckpointError("the checkpoint has something else in place of a step")
    builder = cls(packed.index, base, findings)
    builder.signature = unpack_optional(given, packed.signature)
    builder.started = not packed.late
    builder.closed = packed.closed
    PARTICULAR[cls][1](given, builder, packed)
    if packed.replaced:
        builder.built = builder.base
    elif packed.closed and not packed.stale:
        builder.build()
    return builder


# ---- interactions


def pack_interaction(shared: Shared, held: InteractionBuilder, hop: int) -> PackedInteraction:
    """One interaction of the answer, in place `hop`; what is unfinished in it is not touched."""
    builders = [builder for _, builder in sorted(held.order, key=lambda placed: placed[0])]
    place = {id(builder): at for at, builder in enumerate(builders)}
    steps = [
        shared.step(_pack_step(shared, builder, (hop, at))) for at, builder in enumerate(builders)
    ]
    routes = {index: place[id(builder)] for index, builder in held.routes.items()}
    usual = {builder.index: at for at, builder in enumerate(builders)}
    last = None if held.last is None else place[id(held.last)]
    again = held.created_again
    return PackedInteraction(
        interaction=pack(shared, held.interaction, split=True),
        raw_members=_pairs(shared, held.raw_members),
        usage=_pack_usage(shared, held.ledger),
        before=None if held.before is None else _pack_before(shared, held.before),
        steps=steps,
        routes=None if routes == usual else sorted(routes.items()),
        last=None if last == len(steps) - 1 else last,
        created=held.created,
        created_again=None if again is None else pack(shared, again, split=True),
        closed=held.closed,
        ended=held.ended,
        damaged=held.damaged,
        refused=sorted(held.refused),
    )


def unpack_interaction(
    given: Given, packed: PackedInteraction, findings: Findings
) -> InteractionBuilder:
    """The inverse of `pack_interaction`."""
    before = None if packed.before is None else _unpack_before(given, packed.before)
    new = InteractionBuilder(findings, before)
    for at in packed.steps:
        step = given.steps[at]
        builder = _unpack_step(given, step, findings)
        new.add(step.index if step.position is None else step.position, builder, step.index)
    builders = [builder for _, builder in new.order]
    if packed.routes is not None:
        new.routes.clear()
        new.routes.update({index: builders[at] for index, at in packed.routes})
    new.open = [builder for builder in builders if not builder.closed]
    if packed.last is not None:
        new.last = builders[packed.last]
    new.interaction = unpack(given, packed.interaction)
    if not isinstance(new.interaction, models.Interaction):
        raise CheckpointError("the checkpoint has something else in place of an interaction")
    new.raw_members = dict(_unpaired(given, packed.raw_members))
    new.ledger = _unpack_usage(given, packed.usage)
    new.created = packed.created
    new.created_again = unpack_optional(given, packed.created_again)
    new.closed = packed.closed
    new.ended = packed.ended
    new.damaged = packed.damaged
    new.refused = set(packed.refused)
    return new


def _pack_usage(shared: Shared, ledger: UsageLedger) -> PackedUsage | None:
    if ledger.usage is None:
        return None
    return PackedUsage(pack(shared, ledger.usage), source=ledger.source)


def _unpack_usage(given: Given, packed: PackedUsage | None) -> UsageLedger:
    ledger = UsageLedger()
    if packed is not None and packed.total is not None:
        ledger.usage, ledger.source = unpack(given, packed.total), packed.source
    return ledger


def _pack_before(shared: Shared, before: UsageBefore) -> PackedUsage:
    return PackedUsage(
        pack_optional(shared, before.total),
        pack_optional(shared, before.first),
        before.poorer,
        before.lacking,
    )


def _unpack_before(given: Given, packed: PackedUsage) -> UsageBefore:
    return UsageBefore(
        unpack_optional(given, packed.total),
        unpack_optional(given, packed.first),
        packed.source,
        packed.lacking,
    )
