"""Text of the model ↔ types of the caller: JSON Schema for the request, values from the answer."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any, Final, Protocol, TypeVar, get_args, overload

import msgspec
from msgspec import UnsetType

from .codec.decode import decode_error
from .codec.json import REFUSED
from .codec.once import BUILDING, memo
from .codec.surrogates import with_whole_pairs
from .errors import DecodeError, OutputError

__all__ = ["OutputError", "json_schema", "parse_json", "parse_output"]

T = TypeVar("T")

NOT_WHOLE: Final = frozenset(
    {
        *("queued", "in_progress", "idle", "requires_continuation"),
        *("incomplete", "budget_exceeded", "cancelled", "failed"),
    }
)
"""The statuses of an answer whose text may lack its end; a cut number would still be a number."""


class _Answer(Protocol):
    """What is needed of an `Interaction`."""

    @property
    def status(self) -> str | UnsetType: ...

    @property
    def output_text(self) -> str: ...


@overload
def parse_output(interaction: _Answer, type: type[T], /) -> T: ...


@overload
def parse_output(interaction: _Answer, type: Any, /) -> Any: ...


def parse_output(interaction: _Answer, type: Any, /) -> Any:
    """Read the `output_text` of an answer as a type of your own.

    Nothing is repaired: what is no JSON, or does not fit, is an error that has the text.

    Args:
        interaction: the answer to a request whose `response_format` asked for JSON.
        type: a msgspec Struct, a dataclass, a TypedDict, a pydantic model, or anything else that
            msgspec decodes, such as `list[Item]` or `Literal["yes", "no"]`.

    Raises:
        OutputError: the answer has not ended well, so that its text may be cut; there is no text;
            it is no JSON; or it does not fit.
        TypeError: neither msgspec nor pydantic knows the type.
    """
    text = interaction.output_text
    status = interaction.status if isinstance(interaction.status, str) else None
    if status in NOT_WHOLE:
        raise OutputError(f"the answer is {status}: no whole text", text=text, status=status)
    if not text.strip():
        raise OutputError(f"the answer has no text (status {status})", text=text, status=status)
    try:
        return parse_json(text, type)
    except DecodeError as error:
        raise OutputError(error.args[0], path=error.path, text=text, status=status) from error


@overload
def parse_json(text: str | bytes, type: type[T], /) -> T: ...


@overload
def parse_json(text: str | bytes, type: Any, /) -> Any: ...


def parse_json(text: str | bytes, type: Any, /) -> Any:
    """Read JSON as a type of your own, of the kinds that `parse_output` knows.

    Half of a surrogate pair becomes U+FFFD, as in the arguments of calls.

    Raises:
        DecodeError: it is no JSON, or does not fit; `path` says where.
        TypeError: neither msgspec nor pydantic knows the type.
    """
    sent = text.encode("utf-8", "backslashreplace") if isinstance(text, str) else text
    data = with_whole_pairs(sent)[0]
    decode: Callable[[bytes], Any]
    decode = _adapter(type).validate_json if _is_pydantic(type) else _decoder(type).decode
    try:
        return decode(data)
    except NotImplementedError as error:
        raise TypeError(f"msgspec cannot decode JSON as {type!r}") from error
    except REFUSED as error:
        raise decode_error(error, sent) from error
    except ValueError as error:
        reason, path = _told_by_pydantic(error)
        raise DecodeError(reason, path=path, data=sent) from error


def json_schema(type: Any, /) -> dict[str, Any]:
    """The JSON Schema of a type, for a `response_format` or the parameters of a function.

    It is in the form that the API takes: the type itself stands at the top, other types are in
    `$defs`, and no `$ref` has other members beside it. Which keywords a model obeys, the API says.

    Args:
        type: as in `parse_output`.

    Raises:
        TypeError: there is no schema for it, or two types in it have the same name.
    """
    with BUILDING:
        if _is_pydantic(type):
            schema: dict[str, Any] = _adapter(type).json_schema()
        else:
            schema = msgspec.json.schema(type, schema_hook=_nested_schema)
    definitions: dict[str, Any] = {}
    schema = _plain_refs(schema, definitions)
    top = str(schema.get("$ref", "")).removeprefix(_DEFS)
    if top in definitions:
        schema = definitions[top]
        if f"{_DEFS}{top}" not in _refs(definitions):  # nothing inside leads back to it
            del definitions[top]
    return {**schema, "$defs": definitions} if definitions else dict(schema)


# ---- msgspec


@memo
def _decoder(type: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(type, dec_hook=_from_plain)


def _from_plain(type: Any, value: Any) -> Any:
    """A pydantic model inside of something that msgspec decodes."""
    if not _is_pydantic(type):
        raise NotImplementedError(type)
    try:
        return _adapter(type).validate_python(value)
    except ValueError as error:
        reason, path = _told_by_pydantic(error)
        raise ValueError(reason if path == "$" else f"{reason}, in it at {path}") from error


def _nested_schema(type: Any) -> dict[str, Any]:
    if not _is_pydantic(type):
        raise NotImplementedError(type)
    schema: dict[str, Any] = _adapter(type).json_schema()
    return schema


# ---- pydantic, which whoever has such a type has loaded already


def _is_pydantic(type: Any) -> bool:
    return hasattr(type, "__pydantic_validator__") or any(map(_is_pydantic, get_args(type)))


@memo
def _adapter(type: Any) -> Any:
    return sys.modules["pydantic"].TypeAdapter(type)


def _told_by_pydantic(error: ValueError) -> tuple[str, str]:
    """The reason and the JSON path of the first thing that does not fit."""
    errors: Any = getattr(error, "errors", list)()
    if not errors:
        return str(error), "$"
    first, *others = errors
    path = "".join(f"[{at}]" if isinstance(at, int) else f".{at}" for at in first["loc"])
    more = f", and {len(others)} more" if others else ""
    return f"{first['msg']}{more}", "$" + path


# ---- schemas

_DEFS: Final = "#/$defs/"
_ONE: Final = frozenset({"items", "additionalProperties", "contains", "not", "propertyNames"})
_LISTS: Final = frozenset({"anyOf", "oneOf", "allOf", "prefixItems"})
_MAPS: Final = frozenset({"properties", "patternProperties"})
"""Members of a schema that are a schema, a list of them, and schemas by name."""


def _plain_refs(schema: Any, definitions: dict[str, Any]) -> Any:
    """The schema with its own `$defs` put among the definitions, and each `$ref` alone.

    `definitions` takes those of all levels: pydantic's are inside of its own part.
    """
    if not isinstance(schema, dict):
        return schema  # true and false are schemas
    plain: dict[str, Any] = {}
    for name, value in schema.items():
        if name == "$defs":
            for title, inner in value.items():
                whole = _plain_refs(inner, definitions)
                if definitions.setdefault(title, whole) != whole:
                    raise TypeError(f"two different types in the schema are called {title!r}")
        elif name in _ONE:
            plain[name] = _plain_refs(value, definitions)
        elif name in _LISTS:
            plain[name] = [_plain_refs(item, definitions) for item in value]
        elif name in _MAPS:
            plain[name] = {key: _plain_refs(item, definitions) for key, item in value.items()}
        else:
            plain[name] = value
    if "$ref" in plain and len(plain) > 1 and "anyOf" not in plain:
        plain["anyOf"] = [{"$ref": plain.pop("$ref")}]
    return plain


def _refs(value: Any) -> Iterator[str]:
    """Every `$ref` in it."""
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _refs(item)
