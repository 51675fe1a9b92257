"""Names of Python for what a document calls by any text."""

from __future__ import annotations

import keyword
import re
import unicodedata
from collections.abc import Collection

__all__ = ["RESERVED", "class_name", "is_member", "member_name", "unused"]

RESERVED = frozenset(
    """
    Annotated Any ClassVar EVENTS FREE False Final Int64 Iterator Literal MODULES Mapping Meta None
    OPERATIONS Operation Request STRICT Sequence Shapes TYPE_CHECKING True TypeAlias UNSET Unknown
    UnsetType WireStruct as_int64 views
    """.split()  # noqa: SIM905  # as a list it is a column of thirty lines
)
"""What the generated modules use themselves."""

# What annotations and decorators in a class are read with, and the side field of all models; with
# `field`, which datamodel-code-generator keeps for itself.
_NO_MEMBERS = frozenset("bool dict extra_ field float int list property str".split())  # noqa: SIM905


def class_name(text: str) -> str:
    """`error_info`, `error.info` → `ErrorInfo`; what begins with a capital stays as it is."""
    if text == _python_letters(text) and text.isidentifier() and text[0].isupper():
        return text
    words = re.split(r"\W+|_", _python_letters(text))
    name = "".join(word[:1].upper() + word[1:] for word in words)
    return name if name.isidentifier() else f"Schema{name}"


def is_member(text: str) -> bool:
    """Whether a member of a Struct can be called that on the wire."""
    return text != "extra_" and not re.search(r'["\\\x00-\x1f]', text)


def member_name(text: str, taken: Collection[str] = ()) -> str:
    """An identifier for a member, in the case that it has: `x-id` → `x_id`, `from` → `from_`."""
    name = re.sub(r"\W", "_", _python_letters(text)).strip("_")
    if not name.isidentifier():
        name = f"field_{name}".strip("_")
    if keyword.iskeyword(name) or name in RESERVED | _NO_MEMBERS or name in taken:
        name += "_"
    return unused(name, taken)


def _python_letters(text: str) -> str:
    """The text as Python itself reads it; a space for what no identifier can have."""
    text = unicodedata.normalize("NFKC", text)
    return "".join(letter if f"a{letter}".isidentifier() else " " for letter in text)


def unused(name: str, taken: Collection[str]) -> str:
    """The name, with a number behind it if it is taken."""
    found, count = name, 1
    while found in taken:
        count += 1
        found = f"{name}{count}"
    return found
