"""Which operation a request asks for, and whether it is one that the spec allows.

Read from the table that `gemwire.operations` makes its requests from, and from the models: what
they know is allowed, nothing else is, but for new values of enums. What is not allowed raises
`HTTPError`, in the way the API refuses it.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, get_args, get_origin
from urllib.parse import unquote

from gemwire import DecodeError, decode, models
from gemwire.codec.json import Misfit, split_object
from gemwire.codec.schema import fields, shape
from gemwire.codec.structs import Int64
from gemwire.operations import OPERATIONS
from gemwire.replay.http import HTTPError, Response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gemwire.operations import Operation
    from gemwire.replay.http import Request

_ROOT: Final = "(?:v1|v1beta)(?:/projects/[^/]+/locations/[^/]+)?"
_OF_ALL: Final = frozenset({"alt", "key"})
"""Parameters that every operation takes and no document lists."""
_FORMS: Final = {
    "boolean": ("true or false", re.compile("true|false")),
    "integer": ("an integer", re.compile("-?[0-9]{1,19}")),
}


@dataclass(frozen=True)
class Asked:
    """A request that the spec allows.

    Args:
        operation: The name of its function in `gemwire.operations`.
        path: The parameters in the path, decoded.
        query: Those in the query.
        body: The model; None if the operation has no body or it was left out.

    """

    operation: str
    path: Mapping[str, str]
    query: Mapping[str, list[str]]
    body: Any

    def flag(self, name: str) -> bool:
        """Whether a boolean of the query is there and true."""
        return self.query.get(name) == ["true"]


def understand(request: Request) -> Asked:
    """Find what a request asks for.

    Raises:
        HTTPError: 404 for an unknown path, 405 for another method, 400 for what does not fit.

    """
    found = {name: m for name in OPERATIONS if (m := pattern(name).fullmatch(request.path))}
    if not found:
        raise HTTPError(404, "not_found", f"There is nothing at {unquote(request.path)}.")
    by_method = {OPERATIONS[name].method: name for name in found}
    if request.method not in by_method:
        allowed = ", ".join(by_method)
        message = f"{request.method} is not possible here, only {allowed}."
        raise HTTPError(405, "method_not_allowed", message, {"Allow": allowed})
    name = by_method[request.method]
    operation = OPERATIONS[name]
    _check_query(operation, request.query)
    _check_headers(operation, request.headers)
    path = {key: unquote(value) for key, value in found[name].groupdict().items()}
    return Asked(name, path, request.query, _body(operation, request.body))


@cache
def pattern(name: str) -> re.Pattern[str]:
    """The template of an operation's path as an expression over the encoded path."""
    operation = OPERATIONS[name]
    first, *rest = re.split(r"\{(\w+)\}", operation.path)
    expression = re.escape(first)
    for parameter, text in zip(rest[::2], rest[1::2], strict=True):
        value = ".*" if parameter in operation.slashes else "[^/:]+"
        group = _ROOT if parameter == "api_version" else f"(?P<{parameter}>{value})"
        expression += group + re.escape(text)
    return re.compile(expression)


def _check(name: str, kind: str, value: str) -> None:
    what, form = _FORMS.get(kind, ("", None))
    if form is not None and not form.fullmatch(value):
        raise HTTPError(400, "invalid_request", f"{name!r} is not {what}.")


def _check_query(operation: Operation, query: Mapping[str, list[str]]) -> None:
    for name, values in query.items():
        kind = operation.query.get(name)
        if kind is None and name not in _OF_ALL:
            raise HTTPError(400, "parameter_unknown", f"There is no parameter {name!r}.")
        if kind != "array" and len(values) > 1:
            raise HTTPError(400, "invalid_request", f"{name!r} is there more than once.")
        _check(name, kind or "string", values[-1])


def _check_headers(operation: Operation, headers: Mapping[str, str]) -> None:
    for name, kind in {**operation.headers, **dict.fromkeys(operation.constants, "string")}.items():
        value = headers.get(name.lower())
        if value is None:
            raise HTTPError(400, "invalid_request", f"The header {name} is missing.")
        _check(name, kind, value)
        if value.lower() != operation.constants.get(name, value).lower():
            raise HTTPError(400, "invalid_request", f"{name} cannot be {value!r} here.")


def _body(operation: Operation, text: bytes) -> Any:
    if not operation.body or (not text and not operation.body_required):
        return None  # what comes with an operation that has no body is not looked at
    try:
        return decode(text, _choose(operation, split_object(text)), strict=True)
    except Misfit as misfit:
        message = f"The body is not a JSON object: {misfit.reason}."
        raise HTTPError(400, "invalid_request", message) from misfit
    except DecodeError as error:
        raise HTTPError(400, "invalid_request", f"The body does not fit: {error}.") from error


def _choose(operation: Operation, members: Mapping[str, bytes]) -> Any:
    """The model of which the body has all required members; else the first."""
    candidates = [getattr(models, name) for name in operation.body]
    if len(candidates) > 1:
        for candidate in candidates:
            if all(name in members for name, f in fields(candidate).items() if f.required):
                return candidate
    return candidates[0]


def answer_to(asked: Asked, url: str) -> Response:
    """As little as the operation can answer."""
    operation = OPERATIONS[asked.operation]
    headers = {operation.response_header: f"{url}?upload_id=1"} if operation.response_header else {}
    body = b""
    if operation.response is not None:
        body = json.dumps(smallest(getattr(models, operation.response))).encode()
    return Response(200, "application/json; charset=UTF-8", body, headers)


def smallest(hint: Any) -> Any:
    """The least value that fits a type, as plain data: empty, but for what is required."""
    kinds = shape(hint)
    for tag, cls in kinds.structs.items():
        value = {name: smallest(f.hint) for name, f in fields(cls).items() if f.required}
        return value if kinds.tag_field is None else {kinds.tag_field: tag, **value}
    if kinds.map is not None:
        return {}
    if kinds.lists:
        return []
    return _scalar(kinds.scalar)


def _scalar(hint: Any) -> Any:
    if hint is Int64:
        return "0"
    if get_origin(hint) is Literal:
        return get_args(hint)[0]
    if isinstance(hint, type):
        return None if hint is type(None) else hint()
    if get_origin(hint) is Annotated or get_args(hint):
        return _scalar(get_args(hint)[0])
    return None  # Any
