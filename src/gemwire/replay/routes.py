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
from types import UnionType
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Final,
    Literal,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)
from urllib.parse import unquote

from msgspec import Struct
from msgspec.structs import fields

from gemwire import DecodeError, Unknown, UnsetType, decode, models
from gemwire.operations import OPERATIONS
from gemwire.replay.http import HTTPError, Response

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

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
        members = decode(text, dict[str, Any])
    except DecodeError as error:
        message = f"The body is not a JSON object: {error}."
        raise HTTPError(400, "invalid_request", message) from error
    try:
        return decode(text, _choose(operation, members), strict=True)
    except DecodeError as error:
        raise HTTPError(400, "invalid_request", f"The body does not fit: {error}.") from error


def _choose(operation: Operation, members: Mapping[str, Any]) -> Any:
    """The model of which the body has all required members; else the first."""
    candidates = [getattr(models, name) for name in operation.body]
    if len(candidates) > 1:
        for candidate in candidates:
            if all(f.encode_name in members for f in fields(candidate) if f.required):
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
    leaves = list(_leaves(hint))
    for leaf in leaves:
        if isinstance(leaf, type) and issubclass(leaf, Struct) and not issubclass(leaf, Unknown):
            return _smallest_of(leaf)
    for origin in (dict, list):
        if any(get_origin(leaf) is origin for leaf in leaves):
            return origin()
    return _scalar(leaves[0])


def _leaves(hint: Any) -> Iterator[Any]:
    """The alternatives of a type; of a union that msgspec cannot express, they are metadata."""
    if get_origin(hint) in (Union, UnionType):
        for member in get_args(hint):
            yield from _leaves(member)
    elif get_origin(hint) is Annotated and isinstance(get_args(hint)[1], tuple):
        for member in get_args(hint)[1]:
            yield from _leaves(member)
    elif get_origin(hint) is Annotated:
        yield from _leaves(get_args(hint)[0])
    elif hint is not UnsetType:
        yield hint


def _smallest_of(cls: type[Struct]) -> dict[str, Any]:
    hints = get_type_hints(cls, include_extras=True)
    config = cls.__struct_config__
    value = {} if config.tag_field is None else {config.tag_field: config.tag}
    return value | {
        field.encode_name: smallest(hints[field.name]) for field in fields(cls) if field.required
    }


def _scalar(hint: Any) -> Any:
    if get_origin(hint) is Literal:
        return get_args(hint)[0]
    if not isinstance(hint, type):
        return None  # Any
    if issubclass(hint, int) and hint not in (int, bool):
        return "0"  # 64 bits, which travel as a string
    return None if hint is type(None) else hint()
