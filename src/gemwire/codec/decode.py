"""JSON → any type of the models: one pass where it is to spec, the second pass otherwise.

The second pass costs several times the first and is the exception, so the order of the two is: try,
and look closer only at what was refused. What it kept as unknown makes `strict` raise.
"""

from __future__ import annotations

from typing import Any, TypeAlias, TypeVar, overload

from ..errors import DecodeError
from .json import REFUSED, Misfit, without_nan
from .lenient import read
from .once import decoder
from .unknown import not_to_spec

__all__ = [
    "Data",
    "as_utf8",
    "decode",
    "decode_error",
    "mended",
    "read_leniently",
    "refuse_unknown",
]

Data: TypeAlias = bytes | bytearray | memoryview | str
"""JSON text, as bytes of UTF-8 or as `str`."""

T = TypeVar("T")


@overload
def decode(data: Data, type: type[T], /, *, strict: bool = False) -> T: ...


@overload
def decode(data: Data, type: Any, /, *, strict: bool = False) -> Any: ...


def decode(data: Data, type: Any, /, *, strict: bool = False) -> Any:
    """Decode JSON as any type of `gemwire.models`, a union or a list of them.

    Raises:
        DecodeError: the value does not fit the type (an object always fits an open union, as
            `Unknown…`), or, if `strict`, has any part that the spec does not know.

    """
    value, refused = read_leniently(data, type)
    if strict and refused is not None:
        refuse_unknown(value, refused, data)
    return value


def read_leniently(data: Data, type: Any) -> tuple[Any, Exception | None]:
    """The value, and what the one-pass decoder had against it; raises DecodeError."""
    try:
        return decoder(type).decode(data), None
    except REFUSED as error:
        refused = error
    text = as_utf8(data)[0]
    try:
        return read(type, text.strip(b" \t\r\n")), refused
    except Misfit as misfit:
        raise decode_error(misfit, data) from misfit


def refuse_unknown(value: Any, refused: Exception, data: Data, event: str | None = None) -> None:
    """Raise if the second pass had to keep anything as unknown, or to mend the text.

    It need not have: there are unions and texts that fit the spec and that msgspec cannot read.
    """
    found = next((found for found in not_to_spec(value) if found.kind != "value"), None)
    if found is None and not mended(data)[1]:
        return
    error = decode_error(refused, data, event)
    if found is not None and any(private in str(refused) for private in ("`Shapes`", "`Int64`")):
        # That was not what is wrong.
        error = DecodeError("not in the spec", path=found.path, event=event, data=error.data)
    raise error from refused


def as_utf8(data: Data) -> tuple[bytes, bool]:
    """The text as `mended` gives it, and whether U+FFFD had to stand in for something."""
    text, notes = mended(data)
    return text, "invalid_utf8" in notes


def mended(data: Data) -> tuple[bytes, list[str]]:
    """The text as valid UTF-8 without numbers that are none, and what had to be done for that.

    `invalid_utf8`: U+FFFD stands for bytes. `no_number`: strings stand for NaN and the infinite.
    """
    notes: list[str] = []
    if isinstance(data, str):
        text = data.encode("utf-8", "backslashreplace")  # a lone surrogate as its escape
    else:
        text = bytes(data)
        try:
            text.decode()
        except UnicodeDecodeError:
            text = text.decode("utf-8", "replace").encode()
            notes.append("invalid_utf8")
    finite = without_nan(text)
    if finite != text:
        notes.append("no_number")
    return finite, notes


def decode_error(error: Exception, data: Data, event: str | None = None) -> DecodeError:
    """The exception for callers, from a `Misfit` or from what msgspec raised."""
    if isinstance(error, Misfit):
        reason, path = error.reason, "$" + error.path
    else:
        reason, _, path = str(error).partition(" - at ")
        reason, path = reason or "nested too deeply", path.strip("`") or "$"
    start = data[:512]
    return DecodeError(
        reason,
        path=path,
        event=event,
        data=start.encode("utf-8", "replace") if isinstance(start, str) else bytes(start),
    )
