"""What the spec does not know, in a model or anywhere below it.

Three things can be new: a member of a union (an `Unknown…` object), a member of an object (kept
beside the known ones), and a value of an enum. A program can go on with all of them and may want to
know of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from msgspec import UNSET

from .json import read_json
from .once import memo
from .schema import alternatives, fields, known_items, known_values
from .structs import FREE, Int64, Unknown, WireStruct

__all__ = ["Found", "iter_unknown", "not_to_spec", "unknown_members", "unknown_texts"]


def unknown_members(value: WireStruct | Unknown, /) -> dict[str, Any]:
    """The members of this one model that its schema does not know or that did not fit, by name.

    An `Unknown…` has no schema, and so none of them; all of it is in its `raw`. A null in a member
    that the schema knows is as good as none: it is not among them, though `encode()` gives it back.
    """
    return {name: read_json(text) for name, text in unknown_texts(value).items()}


def unknown_texts(value: WireStruct | Unknown, /) -> Mapping[str, bytes]:
    """The JSON texts of `unknown_members(value)`."""
    if isinstance(value, Unknown) or value.extra_ is UNSET:
        return {}
    known = fields(type(value))
    return {
        name: text
        for name, text in value.extra_.texts.items()
        if text != b"null" or name not in known
    }


class Found(NamedTuple):
    """One thing that the spec does not know."""

    path: str
    """Where it stands, from the value that was searched: `$.steps[1].content[0].mime_type`."""
    kind: Literal["union", "member", "value"]
    """A member of a union (its tag is new or it does not fit), a member of an object, a new value
    of an enum."""
    tag: str | None
    """The tag, the member's name or the value."""
    sample: Any
    """The `Unknown…` object, or the value."""


Values: TypeAlias = frozenset[str] | None


@memo
def _open_members(cls: type[WireStruct]) -> list[tuple[str, str, Values, Values]]:
    """The members that may hold anything unknown, by their names on the wire and in Python; the
    known values of each and of its items.
    """
    return [
        (name, field.name, known_values(field.hint), known_items(field.hint))
        for name, field in fields(cls).items()
        if not all(leaf in _PLAIN for leaf in alternatives(field.hint))
    ]


_PLAIN: Final = frozenset({str, int, float, bool, bytes, Int64, type(None)})


def iter_unknown(value: Any, /) -> Iterator[Found]:
    """Find everything in a model that the spec does not know, in order; walks the whole value."""
    return _found(value, "$", unknown_texts)


def not_to_spec(value: Any) -> Iterator[Found]:
    """The same, and nulls in members that the spec knows but that cannot be null."""
    return _found(value, "$", _all_texts)


Texts: TypeAlias = Callable[[WireStruct], Mapping[str, bytes]]
"""Which of the kept members of a model count."""


def _all_texts(value: WireStruct) -> Mapping[str, bytes]:
    return {} if value.extra_ is UNSET else value.extra_.texts


def _found(value: Any, path: str, texts: Texts) -> Iterator[Found]:
    if isinstance(value, Unknown):
        yield Found(path, "union", value.tag, value)
    elif isinstance(value, WireStruct):
        yield from _in_members(value, path, texts)
        if value.extra_ is not UNSET and type(value) not in FREE:
            for name, text in texts(value).items():
                yield Found(f"{path}.{name}", "member", name, read_json(text))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            if isinstance(item, WireStruct | Unknown):  # plain data may be nested very deeply
                yield from _found(item, f"{path}[{index}]", texts)
    elif isinstance(value, dict):
        for name, item in value.items():
            if isinstance(item, WireStruct | Unknown):
                yield from _found(item, f"{path}.{name}", texts)


def _in_members(value: WireStruct, path: str, texts: Texts) -> Iterator[Found]:
    """What is unknown in the members that the schema knows."""
    for name, attribute, values, items in _open_members(type(value)):
        member = getattr(value, attribute)
        if member is UNSET:
            continue
        if isinstance(member, str):
            if values is not None and member not in values:
                yield Found(f"{path}.{name}", "value", member, member)
            continue
        known = items if isinstance(member, list) else None
        if known is None:
            yield from _found(member, f"{path}.{name}", texts)
            continue
        for index, item in enumerate(member):
            if isinstance(item, str) and item not in known:
                yield Found(f"{path}.{name}[{index}]", "value", item, item)
