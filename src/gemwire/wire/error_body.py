"""Errors of every form that the wire has, read as one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

import msgspec
from msgspec import UNSET

from ..codec.encode import to_dict
from ..codec.json import read_json
from ..codec.structs import shown
from ..models import Interaction

__all__ = ["ErrorInfo", "error_info", "is_error", "is_mendable", "retry_delay", "told_error"]


class ErrorInfo(msgspec.Struct, frozen=True):
    """What an error says of itself, whatever form it has."""

    code: str | int | None
    """A name from the API itself (`"too_many_requests"`), a number from the gateways before it."""
    message: str
    status: str | None
    """The google.rpc name that comes with a number (`"UNAVAILABLE"`)."""
    details: list[Any] | None
    raw: Any
    """The payload as plain data."""

    def __repr__(self) -> str:
        members = {name: shown(getattr(self, name), 500) for name in self.__struct_fields__}
        return f"ErrorInfo({', '.join(f'{name}={text}' for name, text in members.items())})"

    @property
    def is_mendable(self) -> bool:
        """Whether asking again may be of use: no code, or one of a passing trouble."""
        return self.code is None or is_mendable(self.code)

    @property
    def retry_after(self) -> float | None:
        """How long to wait, in seconds, from a `google.rpc.RetryInfo` among the details."""
        return retry_delay(self.details)


MENDABLE_NUMBERS: Final = frozenset({408, 409, 429, *range(500, 600)})
MENDABLE_NAMES: Final = frozenset(
    {
        "aborted",
        "api_error",
        "deadline_exceeded",
        "gateway_timeout",
        "rate_limit_exceeded",
        "service_unavailable",
        "too_many_requests",
    }
)
"""Errors that another try may mend; with any other one, asking again is of no use."""


def is_mendable(code: str | int | None) -> bool:
    """Whether another try may mend an error of this code."""
    return code in MENDABLE_NUMBERS or code in MENDABLE_NAMES


# ---- what an error says
def error_info(payload: Any) -> ErrorInfo | None:
    """Read an error in any of the forms that the wire has; None if it says nothing at all.

    `{"error": {"code", "message"}}`, the google.rpc form `{"code", "message", "status", "details"}`
    bare or below `error`, `errors`, `status` or `detail`, a list of any of them, the form of OAuth
    (`{"error", "error_description"}`), that of FastAPI (`{"detail"}`: a text, or a list of
    `{"loc", "msg"}`), or a string.
    """
    return _read(_first(payload), payload, _DEEPEST)


def is_error(value: Any) -> bool:
    """Whether a body is an error where something else should be: `{"error": …}`, `{"errors": […]}`,
    or what stands in there by itself, or a list of such.

    `{"detail": …}` and `{"message": …}` are errors only where something else says so.
    """
    first = _first(value)
    if not isinstance(first, dict):
        return False
    told = first.get("error") or _is_listed(first.get("errors")) or first.keys() >= _RPC
    return bool(told) and error_info(first) is not None


def told_error(interaction: Interaction) -> ErrorInfo | None:
    """Why an interaction went wrong, where it says so: in `errors`, or in `error`, which is no
    member of today's; `detail` and `message` count in one that did not succeed.
    """
    if interaction.errors and (found := error_info(to_dict(interaction.errors[0]))) is not None:
        return found
    texts = {} if interaction.extra_ is UNSET else interaction.extra_.texts
    for name in ("errors", "error"):
        if name in texts and (value := read_json(texts[name])):
            found = error_info(value) or error_info({"error": value})
            if found is not None:
                return found
    if interaction.status not in _BAD_ENDS:
        return None
    return error_info({name: read_json(texts[name]) for name in _BARE if name in texts})


_PLACES: Final = ("error", "errors", "status", "detail")
"""Where the error itself may stand."""
_DEEPEST: Final = 4
"""How many of these places may lie in each other."""
_RPC: Final = {"code", "message"}
_BARE: Final = ("code", "message", "details", "detail")
_BAD_ENDS: Final = ("budget_exceeded", "cancelled", "failed", "incomplete")
_NOT_THE_ERROR: Final = frozenset({"error", "event_id", "event_type", "metadata"})
_MESSAGES: Final = ("message", "msg", "error_description", "detail")
"""Members that have the text of an error, the first one that is a text."""


def _first(value: Any) -> Any:
    while isinstance(value, list) and value:
        value = value[0]
    return value


def _read(value: Any, payload: Any, depth: int) -> ErrorInfo | None:
    if isinstance(value, str):
        return ErrorInfo(None, value, None, None, payload) if value else None
    if not isinstance(value, dict):
        return None
    for name in _PLACES if depth else ():
        if (found := _below(value, name, payload, depth)) is not None:
            return found
    if any(_says(name, member) for name, member in value.items()):
        return _plain(value, payload)
    inside = _first(value.get("error"))
    if inside and not isinstance(inside, dict | str):  # a number: it says that there is one
        return ErrorInfo(None, "", None, None, payload)
    return None


def _below(outside: dict[str, Any], name: str, payload: Any, depth: int) -> ErrorInfo | None:
    """The error in one of the places where it may stand."""
    listed = outside.get(name)
    value = _first(listed)
    if isinstance(value, dict):
        if name == "detail" and isinstance(listed, list):  # of FastAPI, one for each input
            return ErrorInfo(None, _text(outside), None, listed, payload)
        return _read(value, payload, depth - 1)
    if name not in ("error", "errors") or not isinstance(value, str) or not value:
        return None
    if isinstance(told := outside.get("error_description"), str):  # as OAuth has it
        return ErrorInfo(value, told, None, None, payload)
    beside = _text(outside)
    message = value if beside in ("", value) else f"{value}: {beside}"
    return msgspec.structs.replace(_plain(outside, payload), message=message)


def _plain(value: dict[str, Any], payload: Any) -> ErrorInfo:
    """The members of an error itself."""
    code, status, details = map(value.get, ("code", "status", "details"))
    return ErrorInfo(
        code if isinstance(code, str | int) and not isinstance(code, bool) else None,
        _text(value),
        status if isinstance(status, str) else None,
        details if isinstance(details, list) else None,
        payload,
    )


def _text(value: dict[str, Any]) -> str:
    """The text of an error."""
    for name in _MESSAGES:
        told = value.get(name)
        if isinstance(told, str) and told:
            return told
    told = value.get("detail")
    return "; ".join(filter(None, map(_item, told))) if isinstance(told, list) else ""


def _item(item: Any) -> str:
    """One of a list of errors, with the place it is about."""
    if not isinstance(item, dict):
        return item if isinstance(item, str) else ""
    place, told = item.get("loc"), item.get("msg", item.get("message"))
    names = place if isinstance(place, list) else ()
    where = ".".join(str(name) for name in names if isinstance(name, str | int))
    return ": ".join(filter(None, (where, told if isinstance(told, str) else "")))


def _says(name: str, member: Any) -> bool:
    """Whether a member of an error says anything."""
    return name not in _NOT_THE_ERROR and member is not None


def _is_listed(errors: Any) -> bool:
    """Whether it is a list of errors, and not of anything else that has this name."""
    first = _first(errors)
    return isinstance(errors, list) and (
        (isinstance(first, dict) and bool(first.keys() & {*_MESSAGES, "code", "error"}))
        or (isinstance(first, str) and bool(first))
    )


# ---- when to ask again
_NUMBER: Final = re.compile(r"[0-9]{1,15}(\.[0-9]{1,15})?")


def retry_delay(details: Iterable[Any] | None) -> float | None:
    """What a `google.rpc.RetryInfo` says, in seconds: `{"retryDelay": "34.5s"}`, or the same as
    `{"seconds": 34, "nanos": 500000000}`.
    """
    for detail in details or ():
        if isinstance(detail, dict):
            found = _duration(detail.get("retryDelay", detail.get("retry_delay")))
            if found is not None:
                return found
    return None


def _duration(value: Any) -> float | None:
    if isinstance(value, str):
        return _number(value.removesuffix("s"))
    if not isinstance(value, dict) or not value.keys() & {"seconds", "nanos"}:
        return None
    seconds, nanos = (_number(value.get(name, 0)) for name in ("seconds", "nanos"))
    return None if seconds is None or nanos is None else seconds + nanos / 1e9


def _number(value: Any) -> float | None:
    text = str(value) if isinstance(value, str | int | float) else ""
    return float(text) if _NUMBER.fullmatch(text) else None
