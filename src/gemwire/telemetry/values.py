"""What a span takes: values of a few types, and names that a server cannot make up at will."""

from __future__ import annotations

import re
from typing import Any, Final, TypeAlias, cast

__all__ = ["OTHER", "Attribute", "as_attribute", "first_name", "name_of", "value_of"]

Attribute: TypeAlias = str | bool | int | float | list[str]

OTHER: Final = "_OTHER"
"""What the conventions say for an error that has no name."""

INT64: Final = range(-(2**63), 2**63)
_IDENTIFIER: Final = re.compile(r"[A-Za-z0-9_.:-]{1,64}")


def value_of(kind: type, value: Any) -> Any:
    """The value, if it is of this kind: str, int, float (also a whole number) or a list of texts;
    else None.
    """
    if isinstance(value, bool):
        return None
    if kind is float and isinstance(value, int) and value in INT64:
        return float(value)
    if kind is list:
        listed: list[Any] = value if isinstance(value, list) else []
        return [text for text in listed if isinstance(text, str)] or None
    if not isinstance(value, kind) or (kind is int and value not in INT64):
        return None
    return value


def first_name(*candidates: Any) -> str | None:
    """The first that can be the name of an error; numbers are written out."""
    for candidate in candidates:
        text = str(candidate) if isinstance(candidate, int) else candidate
        if isinstance(text, str) and _IDENTIFIER.fullmatch(text):
            return text
    return None


def name_of(text: str) -> str:
    """A text of the server's as a name: `_OTHER` if it does not look like one."""
    return first_name(text) or OTHER


def as_attribute(value: Any) -> Attribute:
    """The value with U+FFFD for halves of surrogate pairs, which no exporter can write."""
    if isinstance(value, str):
        return _sayable(value)
    if isinstance(value, list):
        return [_sayable(text) for text in cast("list[str]", value)]
    return cast("Attribute", value)


def _sayable(text: str) -> str:
    if text.isascii():
        return str(text)
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
