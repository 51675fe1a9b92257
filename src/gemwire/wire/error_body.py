"""Errors of every form that the wire has, read as one."""

from __future__ import annotations

from typing import Any, Final

import msgspec

__all__ = ["ErrorInfo", "error_info", "is_error", "is_mendable"]


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

    @property
    def is_mendable(self) -> bool:
        """Whether asking again may be of use: no code, or one of a passing trouble."""
        return self.code is None or is_mendable(self.code)


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


def error_info(payload: Any) -> ErrorInfo | None:
    """Read an error in any of the forms that the wire has; None if it says nothing at all.

    `{"error": {"code", "message"}}`, the google.rpc form `{"code", "message", "status", "details"}`
    bare or below `error`, a list of either, the form of OAuth (`{"error", "error_description"}`),
    or a string.
    """
    value = _first(payload)
    inside = isinstance(value, dict) and value.get("error") is not None
    if inside:
        outside, value = value, _first(value["error"])
        told = outside.get("error_description")
        if isinstance(value, str) and isinstance(told, str):  # as OAuth has it
            return ErrorInfo(value or None, told, None, None, payload)
    if isinstance(value, str):
        return ErrorInfo(None, value, None, None, payload) if value else None
    if inside and value and not isinstance(value, dict):  # a number: it says that there is one
        return ErrorInfo(None, "", None, None, payload)
    if not isinstance(value, dict):
        return None
    if all(member is None for name, member in value.items() if name not in _NOT_THE_ERROR):
        return None
    code, message, status, details = map(value.get, ("code", "message", "status", "details"))
    return ErrorInfo(
        code if isinstance(code, str | int) and not isinstance(code, bool) else None,
        message if isinstance(message, str) else "",
        status if isinstance(status, str) else None,
        details if isinstance(details, list) else None,
        payload,
    )


def is_error(value: Any) -> bool:
    """Whether a body is an error where something else should be: `{"error": …}`, or what stands in
    there by itself, or a list of such.
    """
    first = _first(value)
    if not isinstance(first, dict) or not (first.get("error") or first.keys() >= _RPC):
        return False
    return error_info(first) is not None


_RPC = {"code", "message"}


def _first(value: Any) -> Any:
    while isinstance(value, list) and value:
        value = value[0]
    return value


_NOT_THE_ERROR = frozenset({"error", "event_id", "event_type", "metadata"})
