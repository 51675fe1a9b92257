"""The members of a Struct and the shapes of a type, as the second pass needs them.

All of it is read off the annotations of the generated classes, once for each type, and kept. It
answers what msgspec's decoder knows inside and does not tell: which members are required, which
Structs, arrays and scalars a union has, which values an enum names.
"""

from __future__ import annotations

import functools
import operator
import types
from collections.abc import Mapping
from typing import (
    Annotated,
    Any,
    Final,
    Literal,
    NamedTuple,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

import msgspec
from msgspec import UnsetType

from .once import memo
from .structs import STRICT, Shapes, Unknown, WireStruct

__all__ = [
    "IDS",
    "Field",
    "Shape",
    "alternatives",
    "fields",
    "known_items",
    "known_values",
    "shape",
]

_UNIONS = (Union, types.UnionType)

IDS: Final[dict[str, Any]] = {"AgentOption": str, "ModelOption": str}
"""Enums of ids, by the names of their types. New models and agents come all the time, so that a new
id is no news about the wire: such a member is a plain `str` here.
"""


class Field(NamedTuple):
    """One member of a Struct, as the second pass needs it."""

    name: str  # in Python
    hint: Any
    required: bool


@memo
def fields(cls: type[WireStruct]) -> Mapping[str, Field]:
    """The members of a Struct by their name on the wire, in order; the side field is none."""
    hints = get_type_hints(cls, localns=dict(IDS), include_extras=True)
    strict = STRICT.get(cls, frozenset())
    return {
        field.encode_name: Field(
            field.name, hints[field.name], field.required or field.encode_name in strict
        )
        for field in msgspec.structs.fields(cls)
        if field.name != "extra_"
    }


class Shape(NamedTuple):
    """A type, sorted by what its JSON can be."""

    structs: dict[Any, type[WireStruct]]  # the models, by tag; None for a Struct without one
    tag_field: str | None
    unknown: type[Unknown] | None  # set for an open union
    map: Any  # the type of a free object
    lists: list[Any]  # the item types of its arrays
    scalar: Any  # everything else, as one type


def alternatives(hint: Any) -> list[Any]:
    """The types that a value may have, unions in unions and `Shapes` taken apart."""
    if get_origin(hint) in _UNIONS:
        return [leaf for member in get_args(hint) for leaf in alternatives(member)]
    if get_origin(hint) is Annotated and get_args(hint)[0] is Shapes:
        return [leaf for member in hint.__metadata__[0] for leaf in alternatives(member)]
    return [] if hint is UnsetType else [hint]


@memo
def shape(hint: Any) -> Shape:
    """Sort the alternatives of a type, built once."""
    structs: dict[Any, type[WireStruct]] = {}
    tag_field = mapping = unknown = None
    lists: list[Any] = []
    scalars: list[Any] = []
    for leaf in alternatives(hint):
        origin = get_origin(leaf)
        if isinstance(leaf, type) and issubclass(leaf, WireStruct):
            config = leaf.__struct_config__
            tag_field = config.tag_field or tag_field
            structs[config.tag] = leaf
        elif isinstance(leaf, type) and issubclass(leaf, Unknown):
            unknown = leaf
        elif origin is dict:
            mapping = leaf
        elif origin is list:
            lists.append(get_args(leaf)[0])
        else:
            scalars.append(leaf)
    scalar = functools.reduce(operator.or_, scalars) if scalars else None
    return Shape(structs, tag_field, unknown, mapping, lists, scalar)


@memo
def known_values(hint: Any) -> frozenset[str] | None:
    """The values of an open enum (`Literal[…] | str`, perhaps beside objects and arrays), or None
    where the type has none.
    """
    leaves = [leaf for leaf in alternatives(hint) if get_origin(leaf) is Literal]
    return frozenset(value for leaf in leaves for value in get_args(leaf)) or None


@memo
def known_items(hint: Any) -> frozenset[str] | None:
    """The values of the open enum that is the item of an array which the type allows, or None."""
    values: set[str] = set()
    for item in shape(hint).lists:
        values |= known_values(item) or set()
    return frozenset(values) or None
