"""What every generated model stands on: the Struct base and the objects for what is unknown.

The Structs forbid unknown members and no JSON fits an `Unknown…`, because that costs nothing:
msgspec refuses a payload that is newer than the spec, and the second pass in `lenient.py` reads it.
What that pass keeps is held here: `Extra` for members, `Unknown` for whole union members.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias

import msgspec
from msgspec import UNSET, UnsetType

from .json import read_json

__all__ = [
    "FREE",
    "STRICT",
    "BareInt64",
    "Extra",
    "Int64",
    "KeptText",
    "Shapes",
    "Unknown",
    "WireStruct",
    "as_int64",
]


class Extra:
    """The members of one JSON object that its schema does not know, as the JSON text they came in.

    No JSON decodes to it: the side field of `WireStruct` cannot be filled from the wire, whatever
    a member is called. msgspec cannot encode it either, which tells `encode()` to look closer.
    """

    __slots__ = ("texts",)

    def __init__(self, texts: dict[str, bytes]) -> None:
        self.texts = texts

    def values(self) -> dict[str, Any]:
        """The members as plain values, read anew at each call."""
        return {name: read_json(text) for name, text in self.texts.items()}

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Extra):
            return NotImplemented
        return self.texts == other.texts or self.values() == other.values()

    __hash__ = None  # type: ignore[assignment]  # like the Structs: equal by value

    def __repr__(self) -> str:
        return f"Extra({self.texts!r})"


class WireStruct(
    msgspec.Struct,
    frozen=True,
    gc=False,
    kw_only=True,
    forbid_unknown_fields=True,
    repr_omit_defaults=True,
):
    """Base of all models: immutable, compared by value, edited with `msgspec.structs.replace`.

    An absent optional member is `UNSET`. Members that the schema does not know, and those whose
    value did not fit it, are in `gemwire.unknown_members(model)`.
    """

    extra_: Extra | UnsetType = UNSET

    __hash__ = None  # type: ignore[assignment]  # the members are lists and dicts


if TYPE_CHECKING:
    KeptText: TypeAlias = bytes
else:

    class KeptText(bytes):
        """The JSON text of an `Unknown…`; for the type checker it is `bytes`.

        msgspec decodes nothing to it, so that no payload can pose as an `Unknown…`, and does not
        encode it, so that `encode()` gives the text itself back.
        """

        __slots__ = ()


class Unknown(msgspec.Struct, frozen=True, gc=False, eq=False, tag_field="type", tag="__unknown__"):
    """A member of a tagged union that the spec does not know, or one that did not fit its schema.

    `json` is the exact text; `encode()` gives it back. `tag` is what stood under the union's tag
    (`None` when it was missing or no string), `reason` says why a known tag did not fit (`None`
    for an unknown one). Compared by tag and JSON value.

    It is a Struct, because msgspec takes nothing else beside Structs in a union: so the unions are
    the same for the decoder, for `isinstance` and for type checkers.
    """

    # Subclasses for events have `event_type` in its place.
    type: ClassVar[Literal["__unknown__"]] = "__unknown__"
    # As for a model that has none: there are no members that could be unknown.
    extra_: ClassVar[UnsetType] = UNSET

    json: KeptText
    tag: str | None = None
    reason: str | None = None

    def __post_init__(self) -> None:
        if type(self.json) is not KeptText:
            msgspec.structs.force_setattr(self, "json", KeptText(self.json))

    @property
    def raw(self) -> Any:
        """The value, read from `json` at each access; the text as `str` where it is no JSON."""
        return read_json(self.json)

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        assert isinstance(other, Unknown)
        return self.tag == other.tag and (self.json == other.json or self.raw == other.raw)

    def __ne__(self, other: object) -> bool:
        return not self == other  # msgspec's own compares by identity

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        shown = self.json if len(self.json) <= 80 else self.json[:77] + b"..."
        reason = f", reason={self.reason!r}" if self.reason else ""
        return f"{type(self).__name__}(tag={self.tag!r}, json={shown!r}{reason})"


if TYPE_CHECKING:
    Int64: TypeAlias = int
else:

    class Int64(int):
        """An integer that travels as a string of digits, as all 64-bit ones of Google's JSON do.

        For the type checker it is `int`. Nothing decodes to it in one pass and msgspec does not
        encode it, so that the second pass and `encode()` see to the string.
        """

        __slots__ = ()


class BareInt64(Int64):
    """One that came as a number, and goes back as one."""

    __slots__ = ()


def as_int64(value: WireStruct, *names: str) -> None:
    """Let members that were given as plain ints encode as strings; for `__post_init__`."""
    for name in names:
        member = getattr(value, name)
        if type(member) is int:
            msgspec.structs.force_setattr(value, name, Int64(member))


# Filled by the generated modules as they are imported, so that none has to be for the others' sake.
STRICT: dict[type[WireStruct], frozenset[str]] = {}
"""Optional members that must not be passed over when they do not fit."""


FREE: set[type[WireStruct]] = set()
"""Structs whose schema allows any further member, so that none of them is unknown."""


class Shapes:
    """Stands at run time for a union that msgspec cannot express (several arrays, or Structs
    beside free objects). Nothing decodes to it, so the second pass picks the shape; the type
    checker sees the union, its arrays as one sequence.
    """
