"""The request: which operation it is, and what it asks for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, TypeAlias, cast
from urllib.parse import unquote, urlsplit

from msgspec import Struct

from ..codec.decode import decode
from ..codec.encode import encode, to_dict
from ..errors import GemwireError
from ..operations.request import Request
from .values import value_of

__all__ = ["Body", "Call", "provider_of", "request_attributes", "server_attributes"]

Body: TypeAlias = Struct | Mapping[str, Any] | bytes

BODY: Final[dict[str, tuple[str, type]]] = {
    "model": ("gen_ai.request.model", str),
    "agent": ("gen_ai.agent.id", str),
    "previous_interaction_id": ("gen_ai.request.previous_response.id", str),
}
GENERATION: Final[dict[str, tuple[str, type]]] = {
    "max_output_tokens": ("gen_ai.request.max_tokens", int),
    "temperature": ("gen_ai.request.temperature", float),
    "top_p": ("gen_ai.request.top_p", float),
    "top_k": ("gen_ai.request.top_k", int),
    "seed": ("gen_ai.request.seed", int),
    "frequency_penalty": ("gen_ai.request.frequency_penalty", float),
    "presence_penalty": ("gen_ai.request.presence_penalty", float),
    "stop_sequences": ("gen_ai.request.stop_sequences", list),
    "thinking_level": ("gen_ai.request.reasoning.level", str),
}
"""Members of the body and of its `generation_config`, some of which only gateways know, and the
name and the type of the attribute."""

OUTPUT_TYPES: Final = {"audio": "speech"}
"""Kind of output → `gen_ai.output.type`, where the conventions have another name for it."""

PORTS: Final = {"http": 80, "https": 443}

_READ: Final = re.compile(r".*/interactions/([^/:]+)")


class Call:
    """What is to be known of a request."""

    def __init__(self, request: Request[Any] | Body | None) -> None:
        self.identity: str | None = None
        """Of the interaction that is read."""
        self.cursor: str | None = None
        """The event after which a stream is to go on."""
        self.vertex = False
        body: Any = request
        if isinstance(request, Request):
            body = request.body
            self.vertex = "/projects/" in request.path
            read = _READ.fullmatch(request.path) if request.method == "GET" else None
            if read is not None:
                self.identity = unquote(read[1])
                self.cursor = dict(request.query).get("last_event_id") if request.streams else None
            elif request.method != "POST" or not request.path.endswith("/interactions"):
                raise ValueError(f"the conventions have no operation for {request!r}")
        self.reads = self.identity is not None
        self.body = {} if self.reads else _members(body)
        self.streams = (
            request.streams if isinstance(request, Request) else self.body.get("stream") is True
        )

    @property
    def operation(self) -> str:
        """`gen_ai.operation.name`."""
        if self.reads:
            return "fetch_response"
        is_agent = self.body.get("agent") or self.body.get("agent_config")
        return "invoke_agent" if is_agent else "generate_content"


def _members(body: Any) -> dict[str, Any]:
    """The body as plain data; nothing of one that cannot be read."""
    try:
        if isinstance(body, bytes | bytearray | memoryview):
            return _object(decode(bytes(body), Any))
        if isinstance(body, Struct):
            return _object(to_dict(body))
        if isinstance(body, Mapping):
            return _object(decode(encode(dict(cast("Mapping[str, Any]", body))), Any))
    except (GemwireError, TypeError, ValueError):
        pass
    return {}


def _object(value: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def request_attributes(call: Call) -> dict[str, Any]:
    """What the body of a request that creates an interaction asks for."""
    return {
        **_named(BODY, call.body),
        **_named(GENERATION, _object(call.body.get("generation_config"))),
        "gen_ai.request.stream": call.streams or None,
        "gen_ai.output.type": _output_type(call.body),
    }


def _named(table: Mapping[str, tuple[str, type]], members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value_of(kind, members.get(member)) for member, (name, kind) in table.items()}


def _output_type(body: Mapping[str, Any]) -> str | None:
    """The one kind of output that is asked for; None if there are several, or none is named."""
    asked = body.get("response_format")
    formats: list[Any] = asked if isinstance(asked, list) else [asked]
    kinds = {_kind_of(_object(one)) for one in formats}
    kinds.update(value_of(list, body.get("response_modalities")) or ())
    if body.get("response_mime_type") == "application/json":
        kinds = {"json"}
    kinds.discard(None)
    kind = str(kinds.pop()).lower() if len(kinds) == 1 else None
    return None if kind is None else OUTPUT_TYPES.get(kind, kind)


def _kind_of(one: Mapping[str, Any]) -> str | None:
    kind: str | None = value_of(str, one.get("type"))
    return "json" if kind == "text" and one.get("mime_type") == "application/json" else kind


def provider_of(call: Call, base_url: str | None) -> str:
    """`gen_ai.provider.name`, by where the request goes."""
    host = server_attributes(base_url).get("server.address", "")
    return "gcp.vertex_ai" if call.vertex or "aiplatform" in host else "gcp.gemini"


def server_attributes(base_url: str | None) -> dict[str, Any]:
    """`server.address` and `server.port`; nothing for a URL that has no host."""
    try:
        parts = urlsplit(base_url or "")
        port = parts.port or PORTS.get(parts.scheme)
    except ValueError:
        return {}
    host = parts.hostname
    return {"server.address": host, "server.port": port} if host and port else {}
