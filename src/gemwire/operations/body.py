"""The body of a request: what was given, as the bytes to send.

A `None` says that a member is not given, as in the official clients, and is left out: of the body
itself, and of each object in it whose schema is a model. In objects that may hold anything, such as
a JSON schema or the arguments of a call, `None` is a value and goes out as `null`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from importlib import import_module
from operator import or_
from typing import Any, Final

import msgspec
from msgspec import UNSET, Struct
from msgspec.structs import replace

from .. import models
from ..codec.encode import encode_finite
from ..codec.json import read_json
from ..codec.once import decoder
from ..codec.schema import fields, shape
from ..codec.structs import WireStruct
from ..errors import GemwireError

__all__ = ["encoded", "model_in", "without_none"]

TAGGED: Final[dict[type, type[WireStruct]]] = {
    models.FindRequest: models.FindRequestAgentConfig,
    models.FixRequest: models.FixRequestAgentConfig,
}
"""Models without a tag, and those that say the same with one, as `agent_config` needs it."""


class _Streams(Struct):
    stream: Any = False


def encoded(body: Any, names: tuple[str, ...], package: str) -> tuple[bytes, bool]:
    """The body as bytes, and whether it asks for events; `names` are the models it may be of, which
    the package has.
    """
    if isinstance(body, bytes | bytearray | memoryview):
        data = bytes(body)
        try:
            return data, decoder(_Streams).decode(data).stream is True
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            value = read_json(data)  # only the server can say whether it is as wrong as it looks
            return data, isinstance(value, dict) and value.get("stream") is True
    if isinstance(body, Mapping):
        given = _tagged(dict(body))
        return _text(given, names, package), given.get("stream") is True
    if isinstance(body, WireStruct):
        config = getattr(body, "agent_config", UNSET)
        if type(config) in TAGGED:
            body = replace(body, agent_config=_with_tag(config))
        return _text(body, names, package), getattr(body, "stream", False) is True
    if isinstance(body, list | tuple) and any(shape(k).lists for k in _kinds(names, package)):
        return _text(body, names, package), False
    raise TypeError(f"a body is a model, a mapping or bytes, not {type(body).__name__}")


def _tagged(body: dict[str, Any]) -> dict[str, Any]:
    config = body.get("agent_config")
    return {**body, "agent_config": _with_tag(config)} if type(config) in TAGGED else body


def _with_tag(config: Any) -> Any:
    members = {name: getattr(config, name) for name in config.__struct_fields__}
    return TAGGED[type(config)](**members)


def _text(body: Any, names: tuple[str, ...], package: str) -> bytes:
    """The body encoded, without `None`; looked through only if there may be one."""
    text = encode_finite(body)
    if b"null" not in text:
        return text
    try:
        given = without_none(body, _kind_of(body, _kinds(names, package)))
    except RecursionError as error:
        raise GemwireError("nested too deeply to encode") from error
    if isinstance(given, dict):
        given = {name: value for name, value in given.items() if value is not None}
    return text if given is body else encode_finite(given)


def _kinds(names: tuple[str, ...], package: str) -> list[Any]:
    return [model_in(package, name) for name in names]


def model_in(package: str, name: str) -> Any:
    """A model by its name: of `gemwire.models`, or of a package that was generated for another
    API.
    """
    return getattr(import_module(package), name)


def _kind_of(body: Any, kinds: list[Any]) -> Any:
    """The model that plain data is to be: the first whose required members are there."""
    if len(kinds) == 1 or isinstance(body, WireStruct):
        return kinds[0]
    for kind in kinds:
        if all(name in body for name, field in fields(kind).items() if field.required):
            return kind
    return kinds[0]


def without_none(value: Any, hint: Any) -> Any:
    """The value without the `None` members of models; the same object if there is none.

    Args:
        value: models, or plain data in their place.
        hint: the type that it has by the schema, `Any` where there is none.

    """
    if isinstance(value, WireStruct):
        plan = fields(type(value))
        held = {field.name: getattr(value, field.name) for field in plan.values()}
        new = {field.name: _member(held[field.name], field.hint) for field in plan.values()}
        changed = {name: member for name, member in new.items() if member is not held[name]}
        return replace(value, **changed) if changed else value
    if isinstance(value, dict):
        model = _model_of(value, hint)
        hints = {} if model is None else {n: field.hint for n, field in fields(model).items()}
        kept = value if model is None else {n: v for n, v in value.items() if v is not None}
        found = {n: without_none(v, hints.get(n, Any)) for n, v in kept.items()}
        same = len(found) == len(value) and all(found[n] is v for n, v in value.items())
        return value if same else found
    if isinstance(value, list | tuple):
        lists = shape(hint).lists
        item = reduce(or_, lists) if lists else Any
        items = [without_none(each, item) for each in value]
        return value if all(map(_is, items, value)) else items
    return value


def _member(value: Any, hint: Any) -> Any:
    return UNSET if value is None else without_none(value, hint)


def _is(one: Any, other: Any) -> bool:
    return one is other


def _model_of(value: dict[str, Any], hint: Any) -> type[WireStruct] | None:
    """The model in whose place plain data stands; None where any object may stand."""
    found = shape(hint)
    tag = value.get(found.tag_field) if found.tag_field else None
    if isinstance(tag, str):
        return found.structs.get(tag)
    return None if found.map is not None else found.structs.get(None)
