"""The second pass: reads a payload that the one-pass decoder refused, member by member.

The decoder refuses what is newer than the spec (an unknown tag, an unknown member), what does not
fit it, and the few texts msgspec cannot read at all (lone surrogates, extreme numbers). This pass
follows the schema, never key names, over the JSON text: each value is given to the decoder of its
type again, and only what is refused there is taken apart one level deeper. Schemas are a few levels
deep and not recursive, so each byte is read a bounded number of times.

The rules: an unknown member is kept as it came. An optional member that does not fit stays UNSET
and is kept too. A required one makes the nearest member of an open union `Unknown…`, or, where
there is no such union around it, is a `Misfit`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

import msgspec
from msgspec import UNSET

from .json import (
    REFUSED,
    Misfit,
    finite_float,
    load_rare,
    read_json,
    reason_of,
    split_array,
    split_object,
)
from .once import BUILDING, decoder
from .schema import Shape, fields, shape
from .structs import STRICT, BareInt64, Extra, Int64, WireStruct

__all__ = ["kept_text", "read", "struct"]

MAX_INT64_DIGITS = 20  # "-9223372036854775808", and all unsigned ones


def read(hint: Any, text: bytes) -> Any:
    """Read JSON text as a type; raises `Misfit`."""
    try:
        return decoder(hint).decode(text)
    except REFUSED as error:
        refused = error
    alternatives = shape(hint)
    first = text[:1]
    if Int64 in (get_args(alternatives.scalar) or (alternatives.scalar,)):
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
    if None in alternatives.structs and alternatives.tag_field not in members:
        known, tag = True, None  # the one without a tag is tried first
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
    return alternatives.unknown(kept_text(text), tag if isinstance(tag, str) else None, reason)


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
        return unknown(kept_text(text), None, str(misfit))


def kept_text(text: bytes) -> bytes:
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
                raise Misfit(reason_of(error)) from error
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
                extra[name] = kept_text(text)
            continue
        try:
            values[field.name] = read(field.hint, text)
        except Misfit as misfit:
            if field.required:
                raise misfit.under("." + name) from None
            extra[name] = kept_text(text)
    for name, field in plan.items():
        if field.required and field.name not in values and name not in STRICT.get(cls, ()):
            raise Misfit("required, but missing", "." + name)
    return cls(**values, extra_=Extra(extra) if extra else UNSET)


def _item_type(candidates: list[Any], items: list[bytes]) -> Any:
    """Which of several arrays this is: the one that knows the tag of the first tagged item. Objects
    of which none has a tag are items of the one that has no tags, if there is such a one.
    """
    if len(candidates) > 1:
        untagged = bool(items)
        for item in items:
            members = split_object(item) if item[:1] == b"{" else {}
            untagged &= item[:1] == b"{"
            for candidate in candidates:
                alternatives = shape(candidate)
                untagged &= alternatives.tag_field not in members
                tag = read_json(members.get(alternatives.tag_field or "", b"null"))
                if isinstance(tag, str) and tag in alternatives.structs:
                    return candidate
        if untagged:
            plain = (each for each in candidates if shape(each).structs.keys() == {None})
            return next(plain, candidates[0])
    return candidates[0]


def _rare(hint: Any, text: bytes, refused: Exception) -> Any:
    """What msgspec cannot read though it fits: strings with a lone surrogate."""
    if b"\\u" in text and isinstance(refused, msgspec.DecodeError):
        try:
            value = load_rare(text, finite_float)
            with BUILDING:
                return msgspec.convert(value, hint)
        except msgspec.ValidationError as error:
            refused = error
        except (ValueError, RecursionError):
            pass
    raise Misfit(reason_of(refused)) from refused
