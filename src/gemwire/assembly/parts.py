"""Parts of content that grow: text and audio arrive in pieces, which are joined once."""

from __future__ import annotations

import binascii
from collections.abc import Mapping
from typing import Any

from msgspec import UNSET
from msgspec.structs import replace

from .. import models as m
from ..codec.encode import encode
from ..codec.json import Misfit
from ..codec.structs import Extra, Unknown
from .report import Findings

__all__ = ["AudioPart", "TextPart", "UnknownPart", "add_extra", "is_base64"]


def add_extra(value: Any, texts: Mapping[str, bytes]) -> Any:
    """The model with further unknown members."""
    if not texts:
        return value
    held = {} if value.extra_ is UNSET else value.extra_.texts
    return replace(value, extra_=Extra({**held, **texts}))


class TextPart:
    """A part of text that may grow: fragments and annotations."""

    __slots__ = ("annotations", "base", "fragments")

    def __init__(self, base: m.TextContent | None = None) -> None:
        self.base = base
        self.fragments: list[str] = [] if base is None else [base.text]
        self.annotations: list[Any] = []

    def build(self, findings: Findings, index: int, growing: bool) -> m.TextContent:
        """The part as it is now; `growing` if more text may come."""
        fragments = self.fragments
        text = "".join(fragments)
        halves = has_half(fragments)
        if len(fragments) > 1:
            fragments[:] = [text]  # in its place: `strings_of` gives the list away
        base = self.base
        held: Any = UNSET if base is None else base.annotations
        annotations: Any = [*(held or ()), *self.annotations] if self.annotations else held
        if base is not None and text is base.text:
            return base if annotations is held else replace(base, annotations=annotations)
        if not text.isascii() and halves:
            text = self.paired(text, findings, index, growing)
        if base is None:
            return m.TextContent(text=text, annotations=annotations)
        return replace(base, text=text, annotations=annotations)

    def paired(self, text: str, findings: Findings, index: int, growing: bool) -> str:
        """The text with halves of surrogate pairs made whole, where they were cut apart.

        A high half at the end waits for the other one, as long as the text grows.
        """
        half = text[-1] if growing and "\ud800" <= text[-1] <= "\udbff" else ""
        utf16 = text.removesuffix(half).encode("utf-16-le", "surrogatepass")
        text = utf16.decode("utf-16-le", "replace")
        if text.encode("utf-16-le") != utf16:
            findings.issue("lone_surrogate", index)
        self.fragments[:] = [text, half] if half else [text]
        return text


class AudioPart:
    """A part of audio that arrives in pieces of base64."""

    __slots__ = ("base", "pieces")

    def __init__(self, base: m.AudioContent) -> None:
        self.base = base
        self.pieces: list[Any] = [base.data]

    def takes(self, piece: m.AudioContent) -> bool:
        """Whether the piece has the same format, as far as it says."""
        return all(
            getattr(piece, name) in (UNSET, getattr(self.base, name))
            for name in ("mime_type", "sample_rate", "channels")
        )

    def append(self, data: str) -> None:
        self.pieces.append(data)

    def build(self) -> m.AudioContent:
        """The part as it is now."""
        if len(self.pieces) > 1:
            # Base64 of whole triples can be joined as text; anything else is joined as bytes.
            if all(map(is_aligned, self.pieces[:-1])):
                joined = "".join(self.pieces)
            else:
                decoded = b"".join(map(_base64, self.pieces))
                joined = binascii.b2a_base64(decoded, newline=False).decode()
            self.pieces = [joined]
            self.base = replace(self.base, data=joined)
        return self.base


class UnknownPart:
    """A part of a kind that no schema has, to take further members; raises Misfit if it cannot."""

    __slots__ = ("base", "raw")

    def __init__(self, base: Unknown) -> None:
        raw = base.raw
        if not isinstance(raw, dict):
            raise Misfit("no object, or one that is nested too deeply")
        self.base = base
        self.raw: dict[str, Any] = raw

    def build(self) -> m.UnknownContent:
        """The part as it is now."""
        return m.UnknownContent(encode(self.raw), self.base.tag, self.base.reason)


def has_half(fragments: list[str]) -> bool:
    """Whether half of a surrogate pair is in one of the texts: it cannot be written as UTF-8."""
    try:
        for fragment in fragments:  # one by one: a large copy costs most by the memory it takes
            if not fragment.isascii():
                fragment.encode()
    except UnicodeEncodeError:
        return True
    return False


def is_aligned(data: str) -> bool:
    return len(data) % 4 == 0 and not data.endswith("=")


def _base64(data: str) -> bytes:
    """Decode strictly, but for padding that was left out; raises ValueError."""
    return binascii.a2b_base64(data + "=" * (-len(data) % 4), strict_mode=True)


def is_base64(data: object) -> bool:
    """Whether this is base64, of no bytes at all too."""
    if not isinstance(data, str):
        return False
    try:
        _base64(data)
    except ValueError:
        return False
    return True
