"""As much of HTTP/1.1 as a replay server needs, over asyncio streams.

A request is read whole (a body only with `Content-Length`), a response is sent either whole or
chunked as its body comes. Connections stay open between requests. What a client gets wrong
raises `HTTPError`, which is a response in the error shape of the API.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

MAX_HEAD_BYTES: Final = 64 * 2**10
MAX_BODY_BYTES: Final = 32 * 2**20
"""Room for a request with a few images in it; the API itself takes 100 MB."""

_LINGER_SECONDS = 1.0


@dataclass(frozen=True)
class Request:
    """One request, complete.

    Args:
        method: In upper case, as sent.
        path: As sent, still percent-encoded; without the query.
        query: The values of each parameter, decoded.
        headers: Names in lower case; the last value of each.
        body: The whole body.
        keep_alive: Whether the client goes on with this connection.

    """

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes
    keep_alive: bool


@dataclass(frozen=True)
class Response:
    """One response. A body of bytes is sent whole, a generator chunk by chunk."""

    status: int
    content_type: str
    body: bytes | AsyncGenerator[bytes, None]
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


class HTTPError(Exception):
    """A request that is answered with an error body, in the shape the API uses."""

    def __init__(
        self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.response = Response(
            status,
            "application/json; charset=UTF-8",
            json.dumps(
                {"error": {"message": message, "code": code}},
                ensure_ascii=False,
                separators=(",", ":"),
            ).encode(),
            headers or {},
        )


async def read_request(reader: asyncio.StreamReader) -> Request | None:
    """Read the next request of a connection; None when the client has closed it.

    Raises:
        HTTPError: The bytes are no request this server understands. The connection is not usable
            after it, since nobody knows where the next request begins.
        ConnectionError: The connection broke.

    """
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if not error.partial.strip():
            return None
        raise _bad_request("The request ends before its headers do.") from error
    except asyncio.LimitOverrunError as error:
        message = f"The headers are longer than {MAX_HEAD_BYTES} bytes."
        raise HTTPError(431, "invalid_request", message) from error
    request_line, *header_lines = head.decode("latin-1").strip("\r\n").split("\r\n")
    match request_line.split(" "):
        case [method, target, "HTTP/1.1"] if target.startswith("/"):
            pass
        case _:
            raise _bad_request("The request line is not that of an HTTP/1.1 request.")
    try:
        url = urlsplit(target)
    except ValueError as error:
        raise _bad_request("The request target is not a valid path.") from error
    headers = _parse_headers(header_lines)
    return Request(
        method=method,
        path=url.path,
        query=parse_qs(url.query, keep_blank_values=True),
        headers=headers,
        body=await _read_body(reader, headers),
        # The answer to HEAD would have no body, which is too much trouble for a 405.
        keep_alive="close" not in headers.get("connection", "").lower() and method != "HEAD",
    )


async def send_response(
    writer: asyncio.StreamWriter, response: Response, *, keep_alive: bool
) -> None:
    """Send a response, waiting whenever the client reads more slowly than the body comes.

    Raises:
        ConnectionError: The client has gone away.

    """
    whole = response.body if isinstance(response.body, bytes) else None
    lines = [
        f"HTTP/1.1 {response.status} {HTTPStatus(response.status).phrase}",
        f"Content-Type: {response.content_type}",
        "Transfer-Encoding: chunked" if whole is None else f"Content-Length: {len(whole)}",
        *(f"{name}: {value}" for name, value in response.headers.items()),
        f"Connection: {'keep-alive' if keep_alive else 'close'}",
    ]
    writer.write("\r\n".join([*lines, "", ""]).encode("latin-1"))
    if isinstance(response.body, bytes):
        writer.write(response.body)
    else:
        async with aclosing(response.body) as chunks:
            async for chunk in chunks:
                # An empty chunk would end the body.
                if chunk:
                    writer.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
                    await writer.drain()
        writer.write(b"0\r\n\r\n")
    await writer.drain()


async def linger(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Say that no more is sent, and swallow what the client is still sending, for a moment.

    A socket that is closed with unread input resets the connection, and a reset may destroy the
    response on its way to the client.
    """
    try:
        writer.write_eof()
        async with asyncio.timeout(_LINGER_SECONDS):
            while await reader.read(2**16):
                pass
    except (TimeoutError, OSError):
        pass


def _parse_headers(lines: list[str]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip():
            raise _bad_request(f"{line[:80]!r} is not a header.")
        headers[name.lower()] = value.strip()
    return headers


async def _read_body(reader: asyncio.StreamReader, headers: Mapping[str, str]) -> bytes:
    if "transfer-encoding" in headers:
        raise HTTPError(411, "invalid_request", "The body needs a Content-Length.")
    length = headers.get("content-length", "0")
    if not (length.isascii() and length.isdigit()):
        raise _bad_request(f"{length[:80]!r} is not a Content-Length.")
    if len(length) > 20 or int(length) > MAX_BODY_BYTES:
        message = f"The body is longer than {MAX_BODY_BYTES} bytes."
        raise HTTPError(413, "invalid_request", message)
    try:
        return await reader.readexactly(int(length))
    except asyncio.IncompleteReadError as error:
        raise _bad_request("The body is shorter than its Content-Length.") from error


def _bad_request(message: str) -> HTTPError:
    return HTTPError(400, "invalid_request", message)
