"""The second walk: reads a payload that the one-pass decoder refused, member by member.

The decoder refuses what is newer than the spec (an unknown tag, an unknown member), what does not
fit it, and the few texts msgspec cannot read at all (lone surrogates, extreme numbers). This walk
follows the schema, never key names, over the JSON text: each value is given to the decoder of its
type again, and only what is refused there is taken apart one level deeper. Schemas are a few levels
deep and not recursive, so each byte is read a bounded number of times.

The rules: an unknown member is kept as it came. An optional member that does not fit stays UNSET
and is kept too. A required one makes the nearest member of an open union `Unknown…`, or, where
there is no such union around it, is a `Misfit`.
"""

from __future__ import annotations

import functools
import math
import operator
import types
from collections.abc import Mapping
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import UNSET, Raw, UnsetType

from .base import (
    STRICT,
    UNIONS,
    BareInt64,
    Extra,
    Int64,
    Shapes,
    Unknown,
    WireStruct,
    load_rare,
    memo,
    read_json,
)

__all__ = ["REFUSED", "Misfit", "decoder", "fields", "read", "shape", "split_object", "struct"]

REFUSED = (msgspec.DecodeError, UnicodeError, RecursionError)
"""What msgspec raises for bytes, or a `str`, that it does not take."""

_UNIONS = (Union, types.UnionType)
MAX_INT64_DIGITS = 20  # "-9223372036854775808", and all unsigned ones


class Misfit(Exception):
    """A value that does not fit its schema; `path` leads to it (`.index`, `.delta.text`)."""

    def __init__(self, reason: str, path: str = "") -> None:
        super().__init__(reason, path)
        self.reason = reason
        self.path = path

    def under(self, step: str) -> Misfit:
        """The same, seen from one level further out."""
        return Misfit(self.reason, step + self.path)

    def __str__(self) -> str:
        return f"{self.reason} at ${self.path}"


@memo
def decoder(hint: Any) -> msgspec.json.Decoder[Any]:
    """The one-pass decoder of a type, built once."""
    return msgspec.json.Decoder(hint)


class Field(NamedTuple):
    """One member of a Struct, as the walk needs it."""

    hint: Any
    required: bool


@memo
def fields(cls: type[WireStruct]) -> Mapping[str, Field]:
    """The members of a Struct by their name on the wire, in order; the side field is none."""
    hints = get_type_hints(cls, include_extras=True)
    strict = STRICT.get(cls, frozenset())
    return {
        field.encode_name: Field(hints[field.name], field.required or field.encode_name in strict)
        for field in msgspec.structs.fields(cls)
        if field.name != "extra_"
    }


class Shape(NamedTuple):
    """A type, sorted by what its JSON can be."""

    structs: dict[Any, type[WireStruct]]  # by tag; None for a Struct without one
    tag_field: str | None
    unknown: type[Unknown] | None  # set for an open union
    map: Any  # the type of a free object
    lists: list[Any]  # the item types of its arrays
    scalar: Any  # everything else, as one type


def _alternatives(hint: Any) -> list[Any]:
    if get_origin(hint) in _UNIONS:
        return [leaf for member in get_args(hint) for leaf in _alternatives(member)]
    if get_origin(hint) is Annotated and get_args(hint)[0] is Shapes:
        return [leaf for member in hint.__metadata__[0] for leaf in _alternatives(member)]
    return [] if hint is UnsetType else [hint]


@memo
def shape(hint: Any) -> Shape:
    """Sort the alternatives of a type, built once."""
    structs: dict[Any, type[WireStruct]] = {}
    tag_field = mapping = None
    lists: list[Any] = []
    scalars: list[Any] = []
    for leaf in _alternatives(hint):
        origin = get_origin(leaf)
        if isinstance(leaf, type) and issubclass(leaf, WireStruct):
            config = leaf.__struct_config__
            tag_field = config.tag_field
            structs[config.tag] = leaf
        elif origin is dict:
            mapping = leaf
        elif origin is list:
            lists.append(get_args(leaf)[0])
        else:
            scalars.append(leaf)
    unknown = UNIONS.get(functools.reduce(operator.or_, structs.values())) if structs else None
    scalar = functools.reduce(operator.or_, scalars) if scalars else None
    return Shape(structs, tag_field, unknown, mapping, lists, scalar)


def read(hint: Any, text: bytes) -> Any:
    """Read JSON text as a type; raises `Misfit`."""
    try:
        return decoder(hint).decode(text)
    except REFUSED as error:
        refused = error
    alternatives = shape(hint)
    first = text[:1]
    if alternatives.scalar is Int64:
        digits = text.strip(b'"')
        if digits.removeprefix(b"-").isdigit() and len(digits) <= MAX_INT64_DIGITS:
            number = BareInt64(digits) if digits == text else Int64(digits)
            if b"%d" % number == digits:  # else it would not come back as it was
                return number
    if first == b"{" and alternatives.structs:
        return _object(alternatives, text)
    if first == b"{" and alternatives.map is not None:
        item = get_args(alternatives.map)[1]
        if item is not Any:
            return {
                name: _inside(f".{name}", item, value) for name, value in split_object(text).items()
            }
    elif first == b"[" and alternatives.lists:
        items = split_array(text)
        item = _item_type(alternatives.lists, items)
        return [_inside(f"[{at}]", item, value) for at, value in enumerate(items)]
    elif alternatives.scalar not in (None, Int64, hint):
        return read(alternatives.scalar, text)  # the union may be one that msgspec cannot express
    return _rare(hint, text, refused)


def _object(alternatives: Shape, text: bytes) -> Any:
    """An object where the schema has Structs, perhaps beside a free object."""
    members = split_object(text)
    tag: Any = None
    if alternatives.tag_field in members:
        tag = read_json(members[alternatives.tag_field])
    known = isinstance(tag, str) and tag in alternatives.structs
    if alternatives.tag_field is None and alternatives.map is not None:
        known = True  # it is tried first
    if not known and alternatives.unknown is None and alternatives.map is None:
        # No union to be a new member of. A Struct's own tag may be left out, never be another.
        if alternatives.tag_field in members or len(alternatives.structs) > 1:
            raise Misfit(f"unexpected tag {tag!r}", f".{alternatives.tag_field}")
        return struct(next(iter(alternatives.structs.values())), members)
    reason = None
    if known:
        try:
            return struct(alternatives.structs[tag], members)
        except Misfit as misfit:
            if alternatives.unknown is None and alternatives.map is None:
                raise
            reason = str(misfit)
    if alternatives.unknown is None:
        return read(alternatives.map, text)
    return alternatives.unknown(_kept(text), tag if isinstance(tag, str) else None, reason)


def _inside(step: str, hint: Any, text: bytes) -> Any:
    """Read what stands in an array or a free object. One that fits no open union, because it is no
    object, does not take the others with it.
    """
    try:
        return read(hint, text)
    except Misfit as misfit:
        unknown = shape(hint).unknown
        if unknown is None:
            raise misfit.under(step) from None
        return unknown(_kept(text), None, str(misfit))


def _kept(text: bytes) -> bytes:
    """Text that is to be given back as it is; raises `Misfit` if it is no JSON.

    It was split off by msgspec, which looks at everything in a skipped value but the escapes.
    """
    if b"\\" in text:
        try:
            decoder(Any).decode(text)
        except REFUSED as error:
            try:
                load_rare(text)
            except (ValueError, RecursionError):
                raise Misfit(_reason(error)) from error
    return bytes(text)


def struct(cls: type[WireStruct], members: Mapping[str, bytes]) -> WireStruct:
    """Build a Struct from the texts of its members; raises `Misfit`."""
    plan = fields(cls)
    values: dict[str, Any] = {}
    extra: dict[str, bytes] = {}
    for name, text in members.items():
        field = plan.get(name)
        if field is None:
            if name != cls.__struct_config__.tag_field:
                extra[name] = _kept(text)
            continue
        try:
            values[name] = read(field.hint, text)
        except Misfit as misfit:
            if field.required:
                raise misfit.under("." + name) from None
            extra[name] = _kept(text)
    for name, field in plan.items():
        if field.required and name not in values and name not in STRICT.get(cls, ()):
            raise Misfit("required, but missing", "." + name)
    return cls(**values, extra_=Extra(extra) if extra else UNSET)


def _item_type(candidates: list[Any], items: list[bytes]) -> Any:
    """Which of several arrays this is: the one that knows the tag of the first tagged item. Objects
    of which none has a tag are items of the one that has no tags, if there is such a one.
    """
    if len(candidates) > 1:
        untagged = bool(items)
        for item in items:
            members = split_object(item) if item[:1] == b"{" else {"type": b"null"}
            untagged &= "type" not in members
            tag = read_json(members.get("type", b"null"))
            for candidate in candidates:
                if isinstance(tag, str) and tag in shape(candidate).structs:
                    return candidate
        if untagged:
            plain = (each for each in candidates if shape(each).structs.keys() == {None})
            return next(plain, candidates[0])
    return candidates[0]


def _rare(hint: Any, text: bytes, refused: Exception) -> Any:
    """What msgspec cannot read though it fits: strings with a lone surrogate."""
    if b"\\u" in text and isinstance(refused, msgspec.DecodeError):
        try:
            return msgspec.convert(load_rare(text, _finite), hint)
        except msgspec.ValidationError as error:
            refused = error
        except (ValueError, RecursionError):
            pass
    raise Misfit(_reason(refused)) from refused


def _finite(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise ValueError("a number that no double can hold")
    return value


def _reason(refused: Exception) -> str:
    return str(refused).partition(" - at ")[0] or "nested too deeply"


def split_object(text: bytes) -> dict[str, bytes]:
    """The members of a JSON object as text, the last of equal names; raises `Misfit`."""
    try:
        raw = decoder(dict[str, Raw]).decode(text)
        return {name: bytes(value) for name, value in raw.items()}
    except REFUSED as error:
        return dict(_split(text, "{", error))


def split_array(text: bytes) -> list[bytes]:
    """The items of a JSON array as text; raises `Misfit`."""
    try:
        return [bytes(value) for value in decoder(list[Raw]).decode(text)]
    except REFUSED as error:
        return [value for _, value in _split(text, "[", error)]


def _split(text: bytes, opening: str, refused: Exception) -> list[tuple[str, bytes]]:
    """Split by the standard library what msgspec refuses for its lone surrogates."""
    if b"\\u" not in text or not isinstance(refused, msgspec.DecodeError):
        raise Misfit(_reason(refused)) from refused
    from json import JSONDecoder
    from json.decoder import WHITESPACE, scanstring  # type: ignore[attr-defined]

    source = text.decode("utf-8", "replace")
    scan = JSONDecoder(parse_int=str, parse_float=str).raw_decode  # only the ends are wanted
    parts: list[tuple[str, bytes]] = []

    def skip(at: int) -> int:
        return int(WHITESPACE.match(source, at).end())

    try:
        load_rare(text)  # the whole must be JSON, before a part of it is believed
        at = skip(0)
        if source[at] != opening:
            raise Misfit(_reason(refused)) from refused
        at = skip(at + 1)
        while source[at] not in "]}":
            name = ""
            if opening == "{":
                name, at = scanstring(source, at + 1)
                at = skip(skip(at) + 1)
            _, end = scan(source, at)
            parts.append((name, source[at:end].encode()))
            at = skip(end)
            if source[at] == ",":
                at = skip(at + 1)
    except (ValueError, RecursionError):
        raise Misfit(_reason(refused)) from refused
    return parts


@memo
def known_values(hint: Any) -> frozenset[str] | None:
    """The values of an open enum (`Literal[…] | str`, perhaps beside objects and arrays), or None
    where the type has none.
    """
    leaves = [leaf for leaf in _alternatives(hint) if get_origin(leaf) is Literal]
    return frozenset(value for leaf in leaves for value in get_args(leaf)) or None


@memo
def known_items(hint: Any) -> frozenset[str] | None:
    """The same for the items of the arrays that the type allows."""
    values: set[str] = set()
    for item in shape(hint).lists:
        values |= known_values(item) or set()
    return frozenset(values) or None
