"""What every generated model stands on: the Struct base and the objects for what is unknown.

The Structs forbid unknown members and no JSON fits an `Unknown…`, because that costs nothing:
msgspec refuses a payload that is newer than the spec, and the second pass in `lenient.py` reads it.
What that pass keeps is held here: `Extra` for members, `Unknown` for whole union members.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, TypeAlias

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
    "marker",
    "media_kind",
    "shown",
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
        return shown(self)


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

    The `repr` is for people: it has some 4,000 characters at most, with marks for media and for
    what is cut.
    """

    extra_: Extra | UnsetType = UNSET

    __hash__ = None  # type: ignore[assignment]  # the members are lists and dicts

    def __repr__(self) -> str:
        return shown(self)


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
        text = self.json if len(self.json) <= 80 else self.json[:77] + b"..."
        reason = f", reason={shown(self.reason, REASON_SHOWN)}" if self.reason else ""
        tag = shown(self.tag, REASON_SHOWN)
        return f"{type(self).__name__}(tag={tag}, json={bytes(text)!r}{reason})"


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


# ---- how values are shown

SHOWN: Final = 3500
"""About as many characters has a `repr` at most."""
TEXT_SHOWN: Final = 120
REASON_SHOWN: Final = 200
BYTES_SHOWN: Final = 80
ITEMS_SHOWN: Final = 20
LEAST: Final = 48
"""Where less room is left, nothing more is shown."""
OPAQUE: Final = {"data": "data", "signature": "signature"}
"""Members whose text nobody reads, and what they are called where there is no media type."""


def shown(value: Any, room: int = SHOWN) -> str:
    """A `repr` of about so many characters at most.

    Cost: that of what is shown, however large or deep the value is: each level has three quarters
    of the room that is left.
    """
    if room < LEAST:
        return "…"
    for kind, show in _SHOW:
        if isinstance(value, kind):
            return show(value, room)
    return _cut(repr(value), room)


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else text[:room] + "…"


def _show_text(value: str, room: int) -> str:
    if len(value) <= TEXT_SHOWN:
        return _cut(repr(value), room)
    return f"{_cut(repr(value[:TEXT_SHOWN]), room)}… ({len(value) - TEXT_SHOWN} more)"


def _show_bytes(value: bytes, room: int) -> str:
    if len(value) <= BYTES_SHOWN:
        return _cut(repr(bytes(value)), room)
    text = _cut(repr(bytes(value[:BYTES_SHOWN])), room)
    return f"{text}… ({len(value) - BYTES_SHOWN} more)"


def _show_int(value: int, room: int) -> str:
    bits = value.bit_length()
    return repr(value) if bits <= LEAST * 3 else f"<int of {bits} bits>"


def _show_list(value: list[Any], room: int) -> str:
    return _joined("[", (("", item) for item in value), "]", len(value), room)


def _show_tuple(value: tuple[Any, ...], room: int) -> str:
    return _joined("(", (("", item) for item in value), ")", len(value), room)


def _show_dict(value: dict[Any, Any], room: int) -> str:
    items = ((f"{shown(name, REASON_SHOWN)}: ", item) for name, item in value.items())
    return _joined("{", items, "}", len(value), room)


def _show_extra(value: Extra, room: int) -> str:
    return f"Extra({shown(value.texts, room)})"


def _show_struct(value: WireStruct, room: int) -> str:
    members = [(name, getattr(value, name)) for name in value.__struct_fields__]
    held = [(name, member) for name, member in members if member is not UNSET]
    items = ((f"{name}=", _marked(value, name, member)) for name, member in held)
    return _joined(f"{type(value).__name__}(", items, ")", len(held), room, len(held))


def _joined(
    opening: str,
    items: Iterable[tuple[str, Any]],
    closing: str,
    count: int,
    room: int,
    most: int = ITEMS_SHOWN,
) -> str:
    """Items as far as there is room, and how many more there are."""
    parts: list[str] = []
    left = room - len(opening)
    for name, item in islice(items, most):
        if left < LEAST:
            break
        parts.append(name + shown(item, left * 3 // 4))
        left -= len(parts[-1]) + 2
    if len(parts) < count:
        parts.append(f"… ({count - len(parts)} more)")
    return opening + ", ".join(parts) + closing


class _Mark(str):
    """Shown as it is, without quotes."""

    __slots__ = ()


def _marked(value: WireStruct, name: str, member: Any) -> Any:
    """The member, or what stands for it where it is a long text that nobody reads."""
    if name not in OPAQUE or not isinstance(member, str) or len(member) <= TEXT_SHOWN:
        return member
    if name == "data":
        return _Mark(marker(media_kind(value), len(member) * 3 // 4))
    return _Mark(marker(OPAQUE[name], len(member)))


_SHOW: Final[tuple[tuple[type, Callable[[Any, int], str]], ...]] = (
    (WireStruct, _show_struct),
    (Extra, _show_extra),
    (_Mark, lambda value, _: str(value)),
    (str, _show_text),
    (bytes, _show_bytes),
    (int, _show_int),
    (dict, _show_dict),
    (list, _show_list),
    (tuple, _show_tuple),
)


def marker(kind: str, size: int, more: str = "") -> str:
    """What stands for a payload: `<image/png 1.2 MB>`."""
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size >= factor:
            return f"<{kind} {size / factor:.1f} {unit}{more}>"
    return f"<{kind} {size} B{more}>"


def media_kind(value: Any) -> str:
    """The media type that a part has beside its data, else its tag, else `data`."""
    for name in ("mime_type", "mimeType", "type"):
        kind = value.get(name) if isinstance(value, dict) else getattr(value, name, None)
        if isinstance(kind, str) and 0 < len(kind) <= 80 and kind.isprintable():
            return kind
    return OPAQUE["data"]
