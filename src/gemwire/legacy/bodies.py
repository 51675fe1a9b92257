"""Bodies of the legacy generation in today's form."""

from __future__ import annotations

from typing import Any, Final

from msgspec import UNSET
from msgspec.structs import replace

from .. import models as m
from ..codec.json import read_json, split_array, split_object
from ..codec.structs import Extra, Unknown
from .outputs import PARTS, STEPS, Run, content_of, in_runs
from .spellings import modernise, with_spellings

__all__ = [
    "contents_in",
    "input_steps",
    "modernised",
    "outputs_of",
    "turn_steps",
    "with_today",
    "without_outputs",
]

ROLES: Final[dict[str, Run]] = {"user": m.UserInputStep, "model": m.ModelOutputStep}


# ---- whole interactions
def modernised(interaction: m.Interaction) -> m.Interaction:
    """A body of the legacy generation in today's form: steps, input and the names of members.

    Outputs beside steps stay what they are for today's schema, an unknown member.
    """
    interaction = with_today(interaction)
    outputs = None if interaction.steps else outputs_of(interaction)
    if outputs is None:
        return interaction
    return replace(
        interaction, steps=in_runs(outputs, m.ModelOutputStep), extra_=without_outputs(interaction)
    )


def with_today(interaction: m.Interaction) -> m.Interaction:
    """The Interaction with its input and usage in today's form."""
    changes: dict[str, Any] = {}
    sent = interaction.input
    if isinstance(sent, list):
        changes["input"] = input_steps(sent)
    elif isinstance(sent, Unknown) and (new := input_steps([sent])) != [sent]:
        changes["input"] = new  # one result, or one turn
    if interaction.usage is not UNSET:
        changes["usage"] = with_spellings(interaction.usage)
    return replace(interaction, **changes) if changes else interaction


def outputs_of(interaction: m.Interaction) -> list[Any] | None:
    """The contents of the member `outputs`, which today's schema does not know."""
    texts = {} if interaction.extra_ is UNSET else interaction.extra_.texts
    text = texts.get("outputs", b"")
    return contents_in(text) if text[:1] == b"[" else None


def without_outputs(interaction: m.Interaction) -> Any:
    """The unknown members but for the outputs."""
    assert isinstance(interaction.extra_, Extra)
    texts = {name: text for name, text in interaction.extra_.texts.items() if name != "outputs"}
    return Extra(texts) if texts else UNSET


def contents_in(text: bytes) -> list[Any]:
    """The contents of a JSON array, each as what it is today."""
    return [modernise(content_of(item)) for item in split_array(text)]


def input_steps(sent: list[Any]) -> list[Any]:
    """Input in today's form: turns as steps, and texts beside results as steps too.

    A turn of neither `user` nor `model` stays what it is.
    """
    unknown = [item for item in sent if isinstance(item, Unknown)]
    if any(item.tag in PARTS or item.tag in STEPS for item in unknown):  # of both kinds
        items = [content_of(i.json) if isinstance(i, Unknown) else i for i in sent]
        return in_runs(map(modernise, items), m.UserInputStep)
    return [step for item in sent for step in (turn_steps(item) or [modernise(item)])]


def turn_steps(item: Any) -> list[Any] | None:
    """The steps of a turn; None if it is none."""
    if not isinstance(item, Unknown) or item.tag is not None or not isinstance(item.raw, dict):
        return None
    members = split_object(item.json)
    role = read_json(members.pop("role", b"null"))
    text = members.pop("content", b"")
    if not isinstance(role, str) or role not in ROLES or members:
        return None
    if text[:1] == b'"':
        return [ROLES[role](content=[m.TextContent(text=read_json(text))])]
    return in_runs(contents_in(text), ROLES[role]) if text[:1] == b"[" else None
