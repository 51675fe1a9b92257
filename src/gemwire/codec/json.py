"""Untyped JSON, and what msgspec refuses of it though it is JSON.

msgspec reads nearly everything. What it refuses though it is JSON, and servers have sent it, are
lone surrogates (`"\\ud83c"`), floats beyond a double and ints of thousands of digits. For those
the standard library steps in, imported when the first such text comes. `NaN` and `Infinity`, which
are no JSON though many write them, are read as the strings that proto3 has for them. A value that
none of this can read comes back as its text.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any, Final

import msgspec
from msgspec import Raw

from .once import decoder

__all__ = [
    "REFUSED",
    "Misfit",
    "finite_float",
    "load_rare",
    "read_json",
    "reason_of",
    "split_array",
    "split_object",
    "without_nan",
]

REFUSED = (msgspec.DecodeError, UnicodeError, RecursionError)
"""What msgspec raises for bytes, or a `str`, that it does not take."""


class Misfit(Exception):
    """A value that does not fit its schema; `path` leads to it (`.index`, `.delta.text`)."""

    def __init__(self, reason: str, path: str = "") -> None:
        super().__init__(reason, path)
        self.reason = reason
        self.path = path

    def under(self, step: str) -> Misfit:
        """This misfit, as it is seen from one level further out."""
        return Misfit(self.reason, step + self.path)

    def __str__(self) -> str:
        return f"{self.reason} at ${self.path}"


def read_json(text: bytes, /) -> Any:
    """Read untyped JSON as plain Python values, ints of any size included.

    msgspec reads what it can, `load_rare` the rest. What neither can read comes back as the text
    itself (`str`), so that nothing is lost. Numbers that are none are strings: see `without_nan`.
    """
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    try:
        return load_rare(without_nan(text))
    except (ValueError, RecursionError):
        return text.decode("utf-8", "replace")


def load_rare(text: bytes, /, read_float: Callable[[str], float] = float) -> Any:
    """Read what msgspec refuses though it is JSON, by the standard library.

    These are lone surrogates (`"\\ud83c"`), floats beyond a double (`1e400`, which comes as
    infinity) and ints of more digits than Python converts (which come as `str`). Raises ValueError
    for text that is no JSON, and RecursionError.
    """
    import json  # only here: importing it costs more than most users' whole first event

    return json.loads(
        text.decode("utf-8", "replace"),
        parse_int=_int,
        parse_float=read_float,
        parse_constant=_no_constant,
    )


def _int(digits: str) -> int | str:
    try:
        return int(digits)
    except ValueError:  # longer than sys.get_int_max_str_digits()
        return digits


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


_NO_NUMBER: Final = re.compile(
    # a string to its end, or to that of the text; else a constant that is no name of a member
    rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)|(-?Infinity|NaN)(?![ \t\r\n]*+:)',
    re.DOTALL,
)


def without_nan(text: bytes) -> bytes:
    """The text with `"NaN"`, `"Infinity"` and `"-Infinity"`, as JSON of proto3 has them, for the
    bare constants that Python's writer and others put there. Text that is no JSON then either comes
    back as it is.

    Cost: one pass over a text that has such a word at all.
    """
    if b"NaN" not in text and b"Infinity" not in text:
        return text
    mended = _NO_NUMBER.sub(_quoted, text)
    return mended if mended == text or _is_json(mended) else text


def _is_json(text: bytes) -> bool:
    try:
        decoder(Raw).decode(text)
    except REFUSED:
        if b"\\u" not in text:
            return False
        try:
            load_rare(text)
        except (ValueError, RecursionError):
            return False
    return True


def _quoted(found: re.Match[bytes]) -> bytes:
    return found[0] if found[1] is None else b'"%b"' % found[1]


def finite_float(digits: str) -> float:
    """Read a float; raises ValueError for one that would become infinite."""
    value = float(digits)
    if math.isinf(value):
        raise ValueError("a number that no double can hold")
    return value


def reason_of(refused: Exception) -> str:
    """What msgspec had against a text, without the place."""
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
        raise Misfit(reason_of(refused)) from refused
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
            raise Misfit(reason_of(refused)) from refused
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
        raise Misfit(reason_of(refused)) from refused
    return parts
