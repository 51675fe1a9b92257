"""What an error answer says, whoever wrote it: the API, a gateway, a proxy."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from ..codec.json import read_json
from ..codec.once import memo
from ..codec.schema import fields
from ..codec.structs import WireStruct
from ..codec.unknown import unknown_members
from ..errors import ApiError
from ..wire.error_body import error_info, retry_delay

__all__ = ["Headers", "api_error", "beside_schema", "header_value", "without_bom"]

Headers: TypeAlias = Mapping[str, Any] | Iterable[tuple[str | bytes, str | bytes]]
"""The headers of an answer, in the form that the HTTP client has them."""

_SHOWN = 512  # characters of a body of no known form, in the message of an error

_READ = 8192  # how much of such a body is looked at


def api_error(
    status: int,
    body: bytes | bytearray | memoryview | str = b"",
    headers: Headers | None = None,
) -> ApiError:
    """Whatever an error answer says, whoever wrote it: the API, a gateway, a proxy.

    Read are the error shapes of the API, of google.rpc, OAuth and FastAPI, lists of them, and of
    any other text, JSON, HTML or not, its beginning. `retry_after` is the header, in seconds, or
    what a `google.rpc.RetryInfo` among the details says. A date is counted from the answer's own
    `Date`, and without that it is no number: gemwire has no clock.
    """
    data = without_bom(body)
    value = read_json(data)
    found = error_info(value)
    details = found.details if found is not None else None
    wait = _seconds(header_value(headers, "Retry-After"), header_value(headers, "Date"))
    if found is None:
        return ApiError("", retry_after=wait, http_status=status)
    message = found.message
    if (found.code, found.status) == (None, None) and message in ("", value):
        # A text, or JSON of a form that is not known.
        message = _told(value if isinstance(value, str) else data.decode("utf-8", "replace"))
    return ApiError(
        message,
        code=found.code,
        status=found.status,
        details=details,
        retry_after=retry_delay(details) if wait is None else wait,
        http_status=status,
    )


def without_bom(body: bytes | bytearray | memoryview | str) -> bytes:
    """The bytes, without the mark of their order that some proxies put before them."""
    data = body.encode("utf-8", "backslashreplace") if isinstance(body, str) else bytes(body)
    return data.removeprefix(b"\xef\xbb\xbf")


def beside_schema(value: Any) -> Any:
    """What of an answer its schema has no member for; all of it where it has no schema."""
    if not isinstance(value, WireStruct):
        return value
    return {n: v for n, v in unknown_members(value).items() if n not in fields(type(value))}


def header_value(headers: Headers | None, wanted: str) -> str | None:
    """The value of the first header of this name, in any case."""
    source: Any = headers
    if hasattr(source, "items"):  # not all classes of headers are mappings
        source = source.items()
    for name, value in source or ():
        if _text(name).lower() == wanted.lower():
            return _text(value).strip()
    return None


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _told(text: str) -> str:
    """The gist of a text: the title or heading of a page, else the beginning of what it says."""
    text = text[:_READ]
    if text.lstrip().startswith("<"):
        page = _pattern(r"<!--.*?(?:-->|\Z)|<(script|style)\b.*?(?:</\1[^>]*>|\Z)").sub(" ", text)
        headings = (
            _pattern(rf"<{tag}\b[^<>]*>(.*?)(?:</{tag}\b|\Z)").search(page)
            for tag in ("title", "h1")
        )
        places = (*(found[1] for found in headings if found), page, text)
        text = next(filter(None, map(_without_tags, places)), text)
    text = " ".join(text.split())
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


@memo
def _pattern(expression: str) -> re.Pattern[str]:
    return re.compile(expression, re.IGNORECASE | re.DOTALL)


def _without_tags(text: str) -> str:
    from html import unescape  # rare

    return unescape(re.sub(r"<[^<>]*>", " ", text)).strip()


_NUMBER = re.compile(r"[0-9]{1,15}(\.[0-9]{1,15})?")


def _seconds(retry_after: str | None, date: str | None) -> float | None:
    """How long `Retry-After` says to wait."""
    if retry_after is None:
        return None
    first = retry_after.partition(",")[0]  # of several, which clients join
    if _NUMBER.fullmatch(first):
        return float(first)
    then, now = _instant(retry_after), _instant(date)
    return None if then is None or now is None else max(0.0, then - now)


def _instant(date: str | None) -> float | None:
    if date is None:
        return None
    from datetime import UTC
    from email.utils import parsedate_to_datetime  # rare, and heavy

    try:
        found = parsedate_to_datetime(date)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None
