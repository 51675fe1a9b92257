"""A call, described: what is to be sent, and how to read what comes back. Nothing is sent here.

`gemwire.operations` has a function for each operation of the API that makes a `Request`; the base
URL, the key and the sending stay with the caller. No value that goes into a `Request` can leave
its place: an id stays one segment of the path, a value of the query stays one value, and a header
stays one line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Generic, TypeAlias, TypeVar, cast
from urllib.parse import quote

from msgspec import UNSET, Struct, UnsetType

from ..codec.decode import decode
from ..codec.json import read_json
from ..errors import ApiError, DecodeError
from ..wire.bodies import decode_interaction
from ..wire.error_body import is_error
from .body import encoded, model_in
from .response import Headers, api_error, beside_schema, header_value, without_bom

__all__ = ["Operation", "Request", "Value"]

MODELS: Final = "gemwire.models"

Value: TypeAlias = str | int | float | bool | Sequence[str] | UnsetType | None
"""The value of a parameter; None and UNSET leave it out."""

T = TypeVar("T", covariant=True)


class Request(Struct, Generic[T], frozen=True, kw_only=True):
    """One call, complete but for the base URL and the key; `T` is what it answers.

    Send `method`, `url(base_url)`, `headers` and `body` with any client. If it `streams`, give
    the chunks of the answer to `InteractionStream` when its status is 200; everything else goes to
    `decode_response`.
    """

    method: str
    path: str
    """Percent-encoded, from the `/` after the host."""
    query: tuple[tuple[str, str], ...] = ()
    """Names and values, not encoded; a name that has several values is there several times."""
    headers: Mapping[str, str]
    body: bytes | None = None
    streams: bool = False
    """Whether the answer comes as events, if all goes well."""
    response: str | None = None
    """The name of the model that the answer's body is; None if it has none."""
    response_header: str | None = None
    """The header that is the answer, if one is."""
    package: str = MODELS
    """Where the models are; another one is of another API."""

    def __repr__(self) -> str:
        size = "" if self.body is None else f", {len(self.body)} bytes"
        return f"<Request {self.method} {self.url('')}{size}>"

    def url(self, base_url: str, /) -> str:
        """The whole URL, the query included.

        Args:
            base_url: scheme and host, and the path of a proxy if there is one; a `/` at its end
                does not matter.

        Raises:
            ValueError: the base URL has a query or a fragment.

        """
        if "?" in base_url or "#" in base_url:
            raise ValueError(f"no query and no fragment can stand in a base URL: {base_url!r}")
        query = "&".join(f"{_quote(name)}={_quote(value)}" for name, value in self.query)
        return base_url.rstrip("/") + self.path + ("?" + query if query else "")

    @property
    def response_type(self) -> Any:
        """The type of the answer, whose module is imported now; None if there is no answer."""
        if self.response_header is not None:
            return str
        return None if self.response is None else model_in(self.package, self.response)

    def decode_response(
        self,
        status: int,
        body: bytes | bytearray | memoryview | str = b"",
        headers: Headers | None = None,
    ) -> T:
        """Read the whole answer.

        Args:
            status: of HTTP.
            body: all of it, decompressed.
            headers: names in any case; wanted for `Retry-After`, and for operations that answer in
                a header.

        Returns:
            The answer, of the type the operation has; None where it has none. If the request
            `streams`, an answer that came as JSON all the same is read too, events are not.

        Raises:
            ApiError: the status is none of 2xx, or the body is an error in spite of it.
            DecodeError: the answer is not what the operation answers.

        """
        if not 200 <= status < 300:
            raise api_error(status, body, headers)
        data = without_bom(body)
        try:
            value = self._read(data, headers)
        except ApiError:
            raise api_error(status, data, headers) from None
        except DecodeError:
            if is_error(read_json(data)):
                raise api_error(status, data, headers) from None
            raise
        if not self._is_interaction and is_error(beside_schema(value)):
            raise api_error(status, data, headers)
        return cast("T", value if self.response_type is not None else None)

    @property
    def _is_interaction(self) -> bool:
        return self.response == "Interaction" and self.package == MODELS

    def _read(self, body: bytes, headers: Headers | None) -> Any:
        """The answer; or, where there should be none, whatever came in its place."""
        if self.response_header is not None:
            value = header_value(headers, self.response_header)
            if value is None:
                raise DecodeError(f"the answer has no header {self.response_header}", data=body)
            return value
        if self._is_interaction:
            return decode_interaction(body)
        kind = self.response_type
        if not body.strip() and kind in (None, dict[str, Any]):
            return {}  # an object without members, which need not be written
        return decode(body, Any if kind is None else kind)


class Operation(Struct, frozen=True, kw_only=True):
    """One operation of the API as the spec has it; `gemwire.operations.OPERATIONS` has them all."""

    id: str
    """The `operationId`."""
    method: str
    path: str
    """The template, with the spec's names: `/{api_version}/webhooks/{id}:ping`."""
    slashes: tuple[str, ...] = ()
    """Parameters of the path that are paths themselves: their slashes stay."""
    query: Mapping[str, str] = {}
    """Parameters of the query and the JSON type of each: string, integer, boolean or array."""
    joined: tuple[str, ...] = ()
    """Parameters of the query that are one text; several values are joined with commas."""
    headers: Mapping[str, str] = {}
    """Parameters that are headers, all of them required, likewise."""
    constants: Mapping[str, str] = {}
    """Headers that are always the same."""
    body: tuple[str, ...] = ()
    """The models of which the body is one; empty if there is no body."""
    body_required: bool = False
    body_may_be_empty: bool = False
    """Whether a body that is not given goes out as `{}`."""
    response: str | None = None
    response_header: str | None = None
    streams: bool = False
    """Whether it can answer with events; the member or parameter `stream` says if it does."""
    package: str = MODELS
    """Where the models are."""

    def request(
        self,
        path: Mapping[str, str],
        /,
        *,
        query: Mapping[str, Value] = {},  # never changed
        headers: Mapping[str, str | int] = {},
        body: Any = None,
        api_version: str | None = None,
        parent: str | UnsetType | None = None,
    ) -> Request[Any]:
        """Describe one call; the functions of `gemwire.operations` are the typed form of this.

        Raises:
            ValueError: a value cannot stand where it is to stand; a number is not finite, which
                JSON has no form for.
            TypeError: a value is of another type; the body is missing, or no object.

        """
        places = {
            name: _segments(name, value) if name in self.slashes else _segment(name, value)
            for name, value in path.items()
        }
        root = "" if api_version is None else _segment("api_version", api_version)
        if parent:
            root += "/" + _segments("parent", parent)
        data, wanted = None, False
        if body is None or body is UNSET:
            body = {} if self.body_may_be_empty else None
        if body is not None:
            data, wanted = encoded(body, self.body, self.package)
        elif self.body_required:
            raise TypeError(f"{self.id} needs a body")
        streams = self.streams and (wanted or query.get("stream") is True)
        sent = {"Accept": "text/event-stream" if streams else "application/json"}
        if data is not None:
            sent["Content-Type"] = "application/json"
        sent |= self.constants
        for name, value in headers.items():
            sent[name] = _line(name, value)
        return Request(
            method=self.method,
            path=self.path.format(**{"api_version": root, **places}),
            query=tuple((n, text) for n, value in query.items() for text in self._texts(n, value)),
            headers=sent,
            body=data,
            streams=streams,
            response=self.response,
            response_header=self.response_header,
            package=self.package,
        )

    def _texts(self, name: str, value: Value) -> list[str]:
        """The values of a parameter of the query, as they are written there."""
        texts = _texts(name, value)
        return [",".join(texts)] if name in self.joined and texts else texts


# ---- what is sent
def _quote(text: str) -> str:
    return quote(text, safe="")


def _segment(name: str, value: str) -> str:
    """One segment of a path. Dots alone cannot be told apart from a step by any encoding."""
    if _plain(name, value) in ("", ".", ".."):
        raise ValueError(f"{name} cannot be {value!r}: it has to be one segment of a path")
    return _quote(value)


def _segments(name: str, value: str) -> str:
    """A path of its own; nothing for the root of them all."""
    parts = _plain(name, value).split("/") if value != "" else []
    if not {"", ".", ".."}.isdisjoint(parts):
        raise ValueError(f"{name} has a segment that is empty, '.' or '..': {value!r}")
    return "/".join(map(_quote, parts))


def _plain(name: str, value: Any) -> str:
    """The text itself, also of a member of an enum; checked to be one that can be sent."""
    if not isinstance(value, str):
        raise TypeError(f"{name} has to be a str, not {type(value).__name__}")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{name} has half of a surrogate pair: {value!r}") from None
    return str.__str__(value)


def _line(name: str, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise TypeError(f"{name} has to be a str or an int, not {type(value).__name__}")
    text = str.__str__(value) if isinstance(value, str) else str(int(value))
    printable = text.isascii() and text.isprintable() and text.strip() == text != ""
    if not printable or (isinstance(value, int) and value < 0):
        raise ValueError(f"{name} cannot be sent in a header: {value!r}")
    return text


def _texts(name: str, value: Value) -> list[str]:
    """The values of a parameter of the query, as they are written there."""
    if value is None or isinstance(value, UnsetType):
        return []
    if isinstance(value, bool):
        return ["true" if value else "false"]
    if isinstance(value, str):
        return [_plain(name, value)]
    if isinstance(value, int):
        return [str(int(value))]
    if isinstance(value, float):
        return [repr(value)]
    return [_plain(name, item) for item in value]
