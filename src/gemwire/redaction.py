"""Copies without long payloads, for logs and archives: media, signatures and texts as markers."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Any, Final, NamedTuple, TypeVar

import msgspec
from msgspec import UNSET
from msgspec.structs import replace

from .codec.encode import encode
from .codec.json import read_json
from .codec.schema import fields, known_values
from .codec.structs import Extra, Unknown, WireStruct, marker, media_kind
from .errors import GemwireError

__all__ = ["redact"]

T = TypeVar("T")

MEDIA: Final = frozenset(
    {"data", "bytes", "image_bytes", "imageBytes", "audio_bytes", "audioBytes", "b64_json", "blob"}
)
SIGNATURES: Final = frozenset({"signature", "thought_signature", "thoughtSignature"})
TEXTS: Final = frozenset(
    {
        *("arguments", "code", "content", "input", "partial_arguments", "queries", "query"),
        *("rendered_content", "result", "search_suggestions", "source_text", "summary", "text"),
        *("system_instruction", "title", "urls"),
    }
)
"""Which members are what, in models and in plain JSON alike."""

LONG: Final = 1000
"""Characters of a text, of whatever name, that is a payload."""
WHOLE: Final = 16 * LONG
"""Bytes of unknown JSON that is replaced as a whole, if it is still as long without its texts."""
DEEPEST: Final = 64
"""Levels of plain JSON; what lies deeper is replaced."""

_MARKER: Final = re.compile(r"<[^<>]{1,80} [0-9.]+ [kMG]?B sha256:[0-9a-f]{16}>")
_RUN: Final = re.compile(r"[A-Za-z0-9+/_=-]++")  # base64, of any alphabet
_DATA_URI: Final = re.compile(r"(?<=;base64,)[A-Za-z0-9+/_=-]++")


def redact(value: T, /, *, media: bool = True, signatures: bool = True, text: bool = False) -> T:
    """Copy a value with markers in place of long payloads: `<image/png 1.2 MB sha256:ab12…>`.

    Takes an Interaction, a step, a part, an event, an `Unknown…`, a `StreamReport`, and lists and
    dicts of them; gives the same type, which `encode()` takes. The value itself stays as it is, and
    the copy shares no list or dict with it. In what the spec does not know, members go by the same
    names, and whatever is very long is replaced too.

    A marker has the media type, the size of the media (of other texts: as UTF-8) and the first 16
    digits of the SHA-256 of the text as it was sent. It cannot be turned back.

    Args:
        value: what is to be written somewhere.
        media: replace all `data`, and texts of any name that are very long and not for people.
        signatures: replace all signatures.
        text: replace texts, code, arguments and results as well.

    """
    redacted: T = _Redaction(media, signatures, text).value(value, _Place())
    return redacted


class _Place(NamedTuple):
    """Where a value stands."""

    name: str = ""
    kind: str = "data"  # the media type beside it
    known: bool = True  # in a member that the spec has
    level: int = 0


class _Redaction(NamedTuple):
    """What is to be replaced, and the walk that does it."""

    media: bool
    signatures: bool
    text: bool

    def value(self, value: Any, at: _Place) -> Any:
        """Any value, without what is to go."""
        if isinstance(value, str):
            return self.string(value, at)
        if isinstance(value, bytes | bytearray):
            return self.bytes_(bytes(value), at)
        if isinstance(value, WireStruct):
            return self.model(value)
        if isinstance(value, Unknown):
            return self.unknown(value)
        if isinstance(value, msgspec.Struct):
            return self.record(value)
        if isinstance(value, dict | list | tuple):
            return self.container(value, at)
        if self.media and isinstance(value, int) and value.bit_length() > 4 * LONG:
            return _mark("number", hex(value))
        return value

    def container(self, value: Any, at: _Place) -> Any:
        """A list, a tuple or a dict, of models or of plain JSON."""
        if at.level >= DEEPEST:
            return _mark("json", _as_text(value))
        at = at._replace(level=at.level + 1)
        if not isinstance(value, dict):
            items = [self.value(item, at) for item in value]
            return items if isinstance(value, list) else tuple(items)
        if self.text and at.name in TEXTS:
            return (
                value.copy() if _is_redacted(value) else {REDACTED: _mark("json", _as_text(value))}
            )
        kind = media_kind(value)
        return {
            (self.short(name) if isinstance(name, str) else name): self.value(
                item, at._replace(name=str(name), kind=kind)
            )
            for name, item in value.items()
        }

    def string(self, value: str, at: _Place) -> str:
        """A text, by the name of its member and by its length."""
        if not value or _MARKER.fullmatch(value):
            return value
        for names, wanted, kind in (
            (MEDIA, self.media, at.kind),
            (SIGNATURES, self.signatures, "signature"),
            (TEXTS, self.text, "text"),
        ):
            if at.name in names:
                if wanted:
                    return _mark(kind, value, is_media=names is MEDIA)
                if names is not TEXTS:
                    return value
        if at.known and at.name == "text":
            return self.without_data(value, _DATA_URI)
        if at.known and (at.name in TEXTS or at.level):
            return self.without_data(value, _RUN)
        return self.short(value, 64 if self.text and not at.known else LONG)

    def short(self, value: str, most: int = LONG) -> str:
        """A name, a tag or the like; a marker for one that is a payload."""
        if len(value) <= most or not (self.media or self.text) or _MARKER.fullmatch(value):
            return value
        return _mark("text", value)

    def without_data(self, value: str, data: re.Pattern[str], most: int = LONG) -> str:
        """A text for people or programs, without the base64 inside that is longer."""
        if not self.media or len(value) <= most:
            return value
        return data.sub(lambda run: _mark("data", run[0]) if len(run[0]) > most else run[0], value)

    def model(self, value: WireStruct) -> WireStruct:
        """A model, its unknown members included."""
        kind = media_kind(value)
        changes: dict[str, Any] = {}
        for name, field in fields(type(value)).items():
            member = getattr(value, name)
            if member is not UNSET and not (
                isinstance(member, str)
                and known_values(field.hint) is not None
                and len(member) <= LONG
            ):
                changes[name] = self.value(member, _Place(name, kind))
        if value.extra_ is not UNSET:
            changes["extra_"] = Extra(
                {
                    self.short(name): self.json(text, _Place(name, kind, known=False))
                    for name, text in value.extra_.texts.items()
                }
            )
        return replace(value, **changes)

    def unknown(self, value: Unknown) -> Unknown:
        """An `Unknown…`, whose tag stays readable."""
        text = self.json(value.json, _Place(known=False))
        if _MARKER.fullmatch(text[1:-1].decode("utf-8", "replace")) and value.tag is not None:
            field = str(type(value).__struct_config__.tag_field)
            text = encode({field: self.short(value.tag), REDACTED: text[1:-1].decode()})
        tag, reason = (
            None if told is None else self.short(told) for told in (value.tag, value.reason)
        )
        return type(value)(text, tag, reason)

    def json(self, text: bytes, at: _Place) -> bytes:
        """The JSON text of something unknown; a text that needs no change stays exactly so."""
        value = read_json(text)
        whole = text.decode("utf-8", "replace")
        if value == whole:  # it is no JSON, or a very long number
            is_long = self.media and len(text) > LONG
            return encode(_mark("text", whole)) if self.text or is_long else bytes(text)
        new = self.value(value, at)
        return self.whole(bytes(text) if new == value else encode(new))

    def whole(self, text: bytes) -> bytes:
        """The text, or a marker for one that is still too long."""
        if len(text) <= WHOLE or not (self.media or self.text):
            return text
        return encode(_mark("json", text.decode("utf-8", "replace")))

    def record(self, value: msgspec.Struct) -> msgspec.Struct:
        """A report or what is in it, and any other Struct that holds models."""
        seen = str(getattr(value, "path", "")).rpartition(".")[2]  # the member that a sample is of
        changes: dict[str, Any] = {}
        for name in value.__struct_fields__:
            member = getattr(value, name)
            if name == "detail" and isinstance(member, str):
                changes[name] = self.detail(member)
            else:
                changes[name] = self.value(member, _Place(seen if name == "sample" else name))
        return replace(value, **changes)

    def detail(self, value: str) -> str:
        """What an issue says of its first one: often the beginning of a payload."""
        if self.text and value:
            return value if _MARKER.fullmatch(value) else _mark("text", value)
        return self.without_data(value, _RUN, 64)

    def bytes_(self, value: bytes, at: _Place) -> bytes:
        """The text of a report: JSON, perhaps cut off, or anything else that was sent."""
        whole = value.decode("utf-8", "replace")
        if not value or _MARKER.fullmatch(whole.strip('"')):
            return value
        if read_json(value) != whole:
            return self.json(value, at._replace(known=False))
        hidden = (at.name in MEDIA and self.media) or (at.name in SIGNATURES and self.signatures)
        if self.text or hidden:
            return _mark("text", whole).encode()
        new = self.short(self.without_data(whole, _RUN, 64))
        return value if new == whole else new.encode()


REDACTED: Final = "redacted"


def _is_redacted(value: dict[Any, Any]) -> bool:
    held = value.get(REDACTED)
    return len(value) == 1 and isinstance(held, str) and _MARKER.fullmatch(held) is not None


def _mark(kind: str, text: str, is_media: bool = False) -> str:
    sent = text.encode("utf-8", "surrogatepass")
    size = len(sent) * 3 // 4 - text[-2:].count("=") if is_media else len(sent)
    kind = re.sub(r"[<>]", "", kind)[:80] or "data"
    return marker(kind, max(size, 0), f" sha256:{sha256(sent).hexdigest()[:16]}")


def _as_text(value: Any) -> str:
    try:
        return encode(value).decode("utf-8", "replace")
    except (GemwireError, TypeError):
        return ""
