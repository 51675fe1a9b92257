"""Copies of models that share no list and no dict with the original.

Models are frozen, but their lists and dicts are not. What the assembler takes in and what it hands
out goes through here, so that changing the one never changes the other.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
from msgspec import UNSET
from msgspec.structs import replace

from .once import memo
from .structs import WireStruct

__all__ = ["detached"]

_FLAT: Final = (str, int, float, bool, bytes, type(None))


@memo
def _holders(cls: type[WireStruct]) -> tuple[str, ...]:
    """The members that may hold a list, a dict or another model."""
    return tuple(
        field.name
        for field in msgspec.structs.fields(cls)
        if field.name != "extra_" and field.type not in _FLAT
    )


def detached(value: Any, /) -> Any:
    """The value with lists and dicts of its own; what has none comes back as it is.

    Cost: the number of models, lists, dicts and their items; texts are shared.
    """
    if type(value) is list or type(value) is dict:
        return _container(value)
    if not isinstance(value, WireStruct):
        return value
    changes = {}
    for name in _holders(type(value)):
        member = getattr(value, name)
        kind = type(member)
        if kind is str or member is UNSET:
            continue
        new = detached(member)
        if new is not member:
            changes[name] = new
    return replace(value, **changes) if changes else value


def _container(value: Any) -> Any:
    """Without recursion: plain JSON may be nested as deep as the interpreter's stack."""
    whole = value.copy()
    waiting = [whole]
    while waiting:
        held = waiting.pop()
        for key, item in [*(held.items() if type(held) is dict else enumerate(held))]:
            kind = type(item)
            if kind is str:
                continue
            if kind is list or kind is dict:
                held[key] = item.copy()
                waiting.append(held[key])
            elif isinstance(item, WireStruct):
                held[key] = detached(item)
    return whole
