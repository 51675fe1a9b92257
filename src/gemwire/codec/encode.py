"""Models → JSON: what was decoded encodes to the same JSON, unknown things included.

The bare encoder of msgspec is tried first. It refuses what holds unknown members, an `Unknown…` or
an `Int64`, because their text is in classes that it does not know; only that is written by schema.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import UNSET

from ..errors import GemwireError
from .json import read_json
from .schema import fields
from .structs import BareInt64, Int64, Unknown, WireStruct

__all__ = ["encode", "encode_finite", "to_dict"]


def encode(value: Any, /) -> bytes:
    """Encode a model, or lists and dicts of models, as JSON.

    UNSET is omitted; `Unknown…` objects give their text back and unknown members are merged in, so
    that what was decoded encodes to the same JSON. Members come in the order of the spec. NaN and
    the infinite numbers, which JSON lacks, become null; what makes a request refuses them.

    Raises:
        TypeError: the value holds something that JSON has no form for.
        GemwireError: it is nested too deeply.

    """
    try:
        return msgspec.json.encode(value)
    except (TypeError, UnicodeEncodeError):
        pass
    except RecursionError as error:
        raise GemwireError("nested too deeply to encode") from error
    try:
        return _text(value)
    except RecursionError as error:
        raise GemwireError("nested too deeply to encode") from error


def encode_finite(value: Any) -> bytes:
    """Encode what is to be sent; raises ValueError for a float that would become null."""
    text = encode(value)
    waiting = [value] if b"null" in text else []
    while waiting:
        part = waiting.pop()
        if isinstance(part, WireStruct):
            waiting += [getattr(part, name) for name in part.__struct_fields__]
        elif isinstance(part, Mapping):
            waiting += part.values()
        elif isinstance(part, list | tuple | set | frozenset):
            waiting += part
        elif isinstance(part, float) and not math.isfinite(part):
            raise ValueError(f"JSON has no form for {part}")
    return text


def _text(value: Any, outermost: bool = True) -> bytes:
    """Encode by schema, with what only the side fields and the `Unknown…` objects hold.

    `outermost` of the lists and dicts inside one another: it is tried as plain data, which may be
    nested far deeper than this function can go.
    """
    if isinstance(value, WireStruct):
        parts: dict[str, bytes] = {}
        config = value.__struct_config__
        if config.tag_field is not None:
            parts[config.tag_field] = msgspec.json.encode(config.tag)
        for name, field in fields(type(value)).items():
            member = getattr(value, field.name)
            if member is not UNSET:
                parts[name] = _text(member)
        if value.extra_ is not UNSET:
            parts = {**value.extra_.texts, **parts} if parts else value.extra_.texts
        return b"{" + b",".join(_text(name) + b":" + part for name, part in parts.items()) + b"}"
    if isinstance(value, Unknown):
        return bytes(value.json)
    if isinstance(value, dict | list | tuple):
        if outermost:
            try:
                return msgspec.json.encode(value)
            except (TypeError, UnicodeEncodeError):
                pass
        if isinstance(value, dict):
            pairs = [
                _key(name) + b":" + _text(member, False)
                for name, member in value.items()
                if member is not UNSET
            ]
            return b"{" + b",".join(pairs) + b"}"
        return b"[" + b",".join([_text(item, False) for item in value]) + b"]"
    if isinstance(value, msgspec.Struct):
        return _foreign(value)
    if isinstance(value, Int64):
        return b"%d" % value if isinstance(value, BareInt64) else b'"%d"' % value
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:  # a lone surrogate, which only an escape can carry
        import json

        return json.dumps(value).encode()


def _foreign(value: msgspec.Struct) -> bytes:
    """A Struct that is none of ours, and holds some: member by member, as msgspec writes it."""
    config = value.__struct_config__
    tag = None if config.tag_field is None else msgspec.json.encode(config.tag)
    members = [(field, getattr(value, field.name)) for field in msgspec.structs.fields(value)]
    if config.array_like:
        items = [] if tag is None else [tag]
        return b"[" + b",".join([*items, *(_text(member) for _, member in members)]) + b"]"
    parts = {} if tag is None else {str(config.tag_field): tag}
    for field, member in members:
        if member is not UNSET and not (config.omit_defaults and _is_default(field, member)):
            parts[field.encode_name] = _text(member)
    return b"{" + b",".join(_text(name) + b":" + part for name, part in parts.items()) + b"}"


def _is_default(field: msgspec.structs.FieldInfo, member: Any) -> bool:
    """What msgspec leaves out: the very default, and a list, dict or set that is made empty."""
    factory = field.default_factory
    made_empty = factory is list or factory is dict or factory is set
    return member is field.default or (made_empty and type(member) is factory and not member)


def _key(name: Any) -> bytes:
    """The name of a member; what is no `str` as the bare encoder writes it (`1` as `"1"`)."""
    if isinstance(name, str):
        return _text(name)
    return msgspec.json.encode({name: 0})[1:-3]


def to_dict(value: Any, /) -> Any:
    """The model as plain data: what reading the text of `encode(value)` gives."""
    return read_json(encode(value))
