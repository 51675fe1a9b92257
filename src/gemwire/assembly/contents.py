"""The contents of the legacy generation that are parts of one output today.

`content.*` events have an index for each content. Neighbouring texts and media are one
`model_output` step, yet deltas and annotations belong to the content that their index names, and no
two texts may be glued: their offsets would be wrong. So each content has a builder of its own, and
the steps are put together from runs of such builders when somebody asks for them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from msgspec import UNSET
from msgspec.structs import replace

from .. import models as m
from ..codec.json import Misfit
from ..codec.structs import Unknown, WireStruct
from ..codec.unknown import unknown_members
from .builder import StepBuilder, with_member
from .parts import AudioPart, TextPart, UnknownPart, add_extra
from .report import Findings
from .steps import ContentBuilder, builder_for

__all__ = ["ContentPartBuilder", "builder_of_content", "joined"]


class ContentPartBuilder(ContentBuilder):
    """One content of text or media: the part that its start announced, and what follows it.

    It builds a `model_output` with that part alone.
    """

    __slots__ = ("bare", "run", "signed_part")

    def __init__(self, index: int, step: Any, findings: Findings) -> None:
        super().__init__(index, step, findings)
        self.bare = bool(self.parts) and is_bare(self.parts[0])  # its delta is yet to fill it
        self.run: tuple[list[Any], Any] | None = None  # what the run was last put together from
        self.signed_part = 0  # which part the signature came to

    @property
    def kind(self) -> str | None:
        """The kind of content, which is what deltas that no schema has go by."""
        first = self.parts[0] if self.parts else None
        if isinstance(first, UnknownPart):
            first = first.base
        return first.tag if isinstance(first, Unknown) else self.base.type

    def part(self, cls: type[WireStruct], delta: Any) -> Any:
        """What a media delta brings: in place of the start's part if that is bare."""
        part = super().part(cls, delta)
        if self.bare and len(self.parts) == 1 and type(self.parts[0]) is cls:
            part = self.merged(self.parts.pop(), part)
        self.bare = False
        return part

    def merge(self, delta: Unknown) -> None:
        """Take the members of a delta of the same kind, which no schema has."""
        first = self.parts[0] if self.parts else None
        if isinstance(first, Unknown):
            self.parts[0] = UnknownPart(first)
        elif not isinstance(first, UnknownPart):
            raise Misfit("no part of a kind that no schema has")
        self.merge_raw(self.parts[0].raw, delta.raw)

    def take_signature(self, texts: dict[str, bytes]) -> None:
        """It stays with the part: the next content may have another."""
        if texts.get("signature") == b'""':
            del texts["signature"]

    def sent_signature(self) -> Any:
        """That of the part which the next one goes to."""
        part = self.parts[-1] if self.parts else self.base
        if isinstance(part, TextPart | AudioPart | UnknownPart):
            part = part.base
        members: Any = part.raw if isinstance(part, Unknown) else unknown_members(part or self.base)
        return members.get("signature", UNSET) if isinstance(members, dict) else UNSET

    def sign(self, delta: m.ThoughtSignatureDelta) -> None:
        super().sign(delta)
        self.signed_part = max(0, len(self.parts) - 1)

    def assemble(self) -> Any:
        """A signature that came by itself is the part's as well."""
        step = super().assemble()
        if not self.signature or not self.parts:
            return step
        content = list(step.content)
        part = content[self.signed_part]
        if isinstance(part, Unknown):
            unknown = UnknownPart(part)
            unknown.raw["signature"] = self.signature
            part = unknown.build()
        else:
            part = with_member(part, "signature", self.signature)
        content[self.signed_part] = part
        return replace(step, content=content)

    def signed(self, step: Any) -> Any:
        return step if self.parts else super().signed(step)

    def started_late(self, step: Any) -> None:
        """The start announces the part that the deltas have begun."""
        held, self.parts = self.parts, []
        super().started_late(step)
        if held and self.parts:
            self.parts[-1:] = self.one(self.parts[-1], held.pop(0))
        self.parts += held
        self.find_text()

    def one(self, start: Any, part: Any) -> list[Any]:
        """The part of the start and that of the deltas: one where they are of a kind."""
        if isinstance(start, TextPart) and isinstance(part, TextPart):
            start.fragments += part.fragments
            start.annotations += part.annotations
            return [start]
        if is_bare(start):
            if isinstance(part, AudioPart) and isinstance(start, m.AudioContent):
                part.base = self.merged(start, part.base)
                return [part]
            if type(part) is type(start):
                return [self.merged(start, part)]
        return [start, part]


def is_bare(part: Any) -> bool:
    """Whether this is media that has only been announced."""
    return isinstance(part, WireStruct) and all(
        getattr(part, name, UNSET) is UNSET for name in ("data", "uri", "text")
    )


def builder_of_content(index: int, step: Any, findings: Findings) -> StepBuilder:
    """The builder of what a content is today."""
    build = ContentPartBuilder if isinstance(step, m.ModelOutputStep) else builder_for
    return build(index, step, findings)


def joined(builders: Iterable[StepBuilder]) -> Iterator[Any]:
    """The steps of the builders; contents in a row are one."""
    for content, run in groupby(builders, lambda builder: isinstance(builder, ContentPartBuilder)):
        if content:
            yield _output(list(run))
        else:
            yield from (builder.build() for builder in run)


def _output(run: list[Any]) -> Any:
    """The step of a run, the same object as before if nothing in it has changed."""
    first: ContentPartBuilder = run[0]
    steps = [builder.build() for builder in run]
    if len(steps) == 1:
        return steps[0]
    if first.run is None or list(map(id, first.run[0])) != list(map(id, steps)):
        content = [part for step in steps for part in step.content or ()]
        whole = replace(steps[0], content=content or UNSET)
        for step in steps[1:]:
            whole = add_extra(whole, {} if step.extra_ is UNSET else step.extra_.texts)
        first.run = (steps, whole)
    return first.run[1]
