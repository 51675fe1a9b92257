"""What every generated model stands on: the Struct base and the objects for what is unknown.

The decoder's unions are closed and its Structs forbid unknown members, because that costs nothing
(msgspec then refuses a payload that is newer than we are, and the second walk in `codec.py` reads
it). What the walk keeps is held here: `Extra` for members, `Unknown` for whole union members.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Literal, ParamSpec, TypeAlias, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

__all__ = [
    "FREE",
    "STRICT",
    "UNIONS",
    "BareInt64",
    "Extra",
    "Int64",
    "Shapes",
    "Unknown",
    "WireStruct",
    "as_int64",
    "load_rare",
    "memo",
    "read_json",
]


P = ParamSpec("P")
T = TypeVar("T")


def memo(function: Callable[P, T]) -> Callable[P, T]:
    """`functools.cache` that keeps the signature; for what is computed once for each type."""
    return functools.cache(function)  # type: ignore[return-value]


def read_json(text: bytes, /) -> Any:
    """Read untyped JSON as plain Python values, ints of any size included.

    msgspec reads what it can, `load_rare` the rest. What neither can read comes back as the text
    itself (`str`), so that nothing is lost.
    """
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    try:
        return load_rare(text)
    except (ValueError, RecursionError):
        return text.decode("utf-8", "replace")


def load_rare(text: bytes, /, read_float: Callable[[str], float] = float) -> Any:
    """Read what msgspec refuses though it is JSON, by the standard library.

    These are lone surrogates (`"\\ud83c"`), floats beyond a double (`1e400`, which comes as
    infinity) and ints of more digits than Python converts (which come as `str`). Raises ValueError
    for text that is no JSON, and RecursionError.
    """
    import json  # only here: importing it costs more than most users' whole first event

    return json.loads(
        text.decode("utf-8", "replace"),
        parse_int=_int,
        parse_float=read_float,
        parse_constant=_no_constant,
    )


def _int(digits: str) -> int | str:
    try:
        return int(digits)
    except ValueError:  # longer than sys.get_int_max_str_digits()
        return digits


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


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


class Unknown:
    """A member of a tagged union that the spec does not know, or one that did not fit its schema.

    `json` is the exact text; `encode()` gives it back. `tag` is what stood under the union's tag
    (`None` when it was missing or no string), `reason` says why a known tag did not fit (`None`
    for an unknown one). Compared by tag and JSON value.
    """

    __slots__ = ("json", "reason", "tag")

    # Subclasses for events have `event_type` in its place.
    type: ClassVar[Literal["__unknown__"]] = "__unknown__"
    # As for a model that has none: there are no members that could be unknown.
    extra_: ClassVar[UnsetType] = UNSET

    json: bytes
    tag: str | None
    reason: str | None

    def __init__(self, json: bytes, tag: str | None = None, reason: str | None = None) -> None:
        self.json = json
        self.tag = tag
        self.reason = reason

    @property
    def raw(self) -> Any:
        """The value, read from `json` at each access; the text as `str` where it is no JSON."""
        return read_json(self.json)

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        assert isinstance(other, Unknown)
        return self.tag == other.tag and (self.json == other.json or self.raw == other.raw)

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
        encode it, so that the second walk and `encode()` see to the string.
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
UNIONS: dict[Any, type[Unknown]] = {}
"""The `Unknown` class of each open union, by the union as it stands at run time."""
STRICT: dict[type[WireStruct], frozenset[str]] = {}
"""Optional members that must not be passed over when they do not fit."""
FREE: set[type[WireStruct]] = set()
"""Structs whose schema allows any further member, so that none of them is unknown."""


class Shapes:
    """Stands at run time for a union that msgspec cannot express (several arrays, or Structs
    beside free objects). Nothing decodes to it, so the second walk picks the shape; the type
    checker sees the union, its arrays as one sequence.
    """
