"""Copies of models that share no list and no dict with the original.

Models are frozen, but their lists and dicts are not. What the assembler takes in and what it hands
out goes through here, so that changing the one never changes the other.
"""

from __future__ import annotations

from types import UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

import msgspec
from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from .once import memo
from .structs import Int64, WireStruct

__all__ = ["detached"]

_FLAT: Final = frozenset({str, int, float, bool, bytes, type(None)})


@memo
def _holders(cls: type[WireStruct]) -> tuple[str, ...]:
    """The members that may hold a list, a dict or another model."""
    return tuple(
        field.name
        for field in msgspec.structs.fields(cls)
        if field.name != "extra_" and not _is_flat(field.type)
    )


def _is_flat(hint: Any) -> bool:
    """Whether no value of the type can be changed."""
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        return all(map(_is_flat, get_args(hint)))
    if origin is Annotated:
        return _is_flat(get_args(hint)[0])
    return origin is Literal or hint in _FLAT or hint is UnsetType or hint is Int64


def detached(value: Any, /) -> Any:
    """The value with lists and dicts of its own; what has none comes back as it is.

    Cost: the number of models, lists, dicts and their items; texts are shared.
    """
    if type(value) is list or type(value) is dict:
        return _container(value) if value else value.copy()
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
        for key, item in held.items() if type(held) is dict else enumerate(held):
            kind = type(item)
            if kind in _FLAT:
                continue
            if kind is list or kind is dict:
                held[key] = item.copy()  # the keys stay, so that going over them is safe
                waiting.append(held[key])
            elif isinstance(item, WireStruct):
                held[key] = detached(item)
    return whole
