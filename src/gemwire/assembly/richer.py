"""Whether steps that came whole may stand in place of those that were streamed."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import dropwhile
from typing import Any, Final

from msgspec import UNSET

from ..codec.structs import Unknown, WireStruct, shown
from ..models import UserInputStep
from .builder import members_of

__all__ = ["size_of", "what_is_lost"]

ROOM: Final = 120
"""How many characters an issue shows of each of two values."""


def size_of(steps: Sequence[Any]) -> int:
    """How many steps these are, each part of content counted for itself."""
    return sum(len(getattr(step, "content", None) or ()) or 1 for step in steps)


def what_is_lost(streamed: Sequence[Any], whole: Sequence[Any]) -> str | None:
    """The first thing that was streamed and is not in the whole ones, to be read by people; None
    if they have all of it.

    Input that leads the whole ones may be more than was streamed.
    """
    kept = list(whole)
    if not (streamed and isinstance(streamed[0], UserInputStep)):
        kept = list(dropwhile(lambda step: isinstance(step, UserInputStep), kept))
    return _list_lost(streamed, kept, "steps")


def _plain(value: Any) -> Any:
    """A model as a dict of its members, which are as they are: a look at one costs no walk."""
    if isinstance(value, WireStruct):
        known = {"type": getattr(value, "type", None), **members_of(value)}
        return known if value.extra_ is UNSET else {**known, **value.extra_.values()}
    return value.raw if isinstance(value, Unknown) else value


def _lost(held: Any, whole: Any, path: str) -> str | None:
    """A text may be longer, a list have more items, an object more members; nothing may go."""
    held, whole = _plain(held), _plain(whole)
    if held is None or held == "" or held == {} or held == []:
        return None
    if isinstance(held, dict) and isinstance(whole, dict):
        for name, value in held.items():
            if (lost := _lost(value, whole.get(name), f"{path}.{name}")) is not None:
                return lost
        return None
    if isinstance(held, list) and isinstance(whole, list):
        return _list_lost(held, whole, path)
    if isinstance(held, str) and isinstance(whole, str) and path.endswith(".text"):
        same = whole.startswith(held)
    else:
        same = bool(held == whole)
    return None if same else f"{path}: {shown(held, ROOM)} / {shown(whole, ROOM)}"


def _list_lost(held: Sequence[Any], whole: Sequence[Any], path: str) -> str | None:
    if len(held) > len(whole):
        return f"{path}: {len(held)} / {len(whole)} items"
    pairs = enumerate(zip(held, whole, strict=False))
    found = (
        _call_lost(old, new, f"{path}[{at}]") or _lost(old, new, f"{path}[{at}]")
        for at, (old, new) in pairs
    )
    return next((lost for lost in found if lost is not None), None)


def _call_lost(held: Any, whole: Any, path: str) -> str | None:
    """A call may have been run or refused by now: its arguments do not change, and what could not
    be read is no call without arguments.
    """
    if path.count("[") > 1 or not str(getattr(held, "type", "")).endswith("_call"):
        return None
    old, new = (getattr(step, "arguments", UNSET) for step in (held, whole))
    if (old == new and old is not UNSET) or (old is UNSET and isinstance(new, dict) and new):
        return None
    return f"{path}.arguments: {shown(old, ROOM)} / {shown(new, ROOM)}"
