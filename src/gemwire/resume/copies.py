"""Copies of the state of an answer, to be gone back to."""

from __future__ import annotations

from copy import copy
from typing import Any, Final

from ..assembly.builder import StepBuilder
from ..assembly.contents import ContentPartBuilder
from ..assembly.interaction import InteractionBuilder
from ..assembly.parts import AudioPart, TextPart, UnknownPart
from ..assembly.report import Findings
from ..assembly.steps import ContentBuilder, ThoughtBuilder, ToolBuilder, UnknownBuilder
from ..codec.detached import detached

__all__ = ["copy_interactions"]

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
    new.refused = held.refused.copy()
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
