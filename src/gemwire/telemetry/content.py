"""Instructions, inputs, outputs and tools in the message forms of the OpenTelemetry conventions.

Only for `attributes(…, content=True)`: what people wrote and the model answered, as JSON texts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, TypeAlias, cast

from ..codec.encode import encode, to_dict
from ..errors import GemwireError
from ..models import Interaction
from ..redaction import redact

__all__ = ["content_attributes"]

Object: TypeAlias = dict[str, Any]

ROLES: Final = {"user_input": "user", "function_result": "tool"}
"""Kinds of steps whose role is not `assistant`."""
TURNS: Final = {"model": "assistant"}
"""Roles of the legacy generation that have another name."""
MEDIA: Final = frozenset({"image", "audio", "video", "document"})
OWN_MEMBERS: Final = frozenset({"call_id", "id", "signature"})
"""Members of a step that stand elsewhere in a part, or in none."""


def content_attributes(
    body: Mapping[str, Any], interaction: Interaction | None, *, reads: bool
) -> dict[str, str]:
    """The four attributes of content, as far as there is any; data of media is left out.

    Args:
        body: of the request, as plain data.
        interaction: what came of it.
        reads: whether it was only read: then the instructions and the tools are those that it
            says, and it has no input of its own.
    """
    answer = _plain(interaction)
    asked = answer if reads else _redacted(dict(body))
    steps = _objects(answer.get("steps"))
    while steps and steps[0].get("type") == "user_input":
        del steps[0]  # the input, which a read gives back
    parts = [part for step in steps for part in _step_parts(step)]
    found: dict[str, Any] = {
        "gen_ai.system_instructions": _texts(asked.get("system_instruction")),
        "gen_ai.input.messages": [] if reads else _messages(asked.get("input")),
        "gen_ai.output.messages": [{"role": "assistant", "parts": parts}] if parts else [],
        "gen_ai.tool.definitions": [_definition(tool) for tool in _objects(asked.get("tools"))],
    }
    return {name: encode(value).decode() for name, value in found.items() if value}


def _plain(interaction: Interaction | None) -> Object:
    try:
        return {} if interaction is None else _redacted(to_dict(interaction))
    except GemwireError:  # nested as deep as the interpreter's stack
        return {}


def _redacted(value: Object) -> Object:
    """Without the data of media, which no attribute is made for."""
    return redact(value)


def _objects(value: Any) -> list[Object]:
    """The objects of a list, or the one that stands in its place."""
    return [cast("Object", one) for one in _listed(value) if isinstance(one, dict)]


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _texts(value: Any) -> list[Object]:
    """Instructions: a text, or, in requests of other makers, contents."""
    return [part for part in _contents(value) if part["type"] == "text"]


def _messages(value: Any) -> list[Object]:
    """The input in any of its forms: a text, contents, steps, or turns of the legacy generation."""
    messages: list[Object] = []
    for role, parts in _spoken(value):
        if messages and messages[-1]["role"] == role:
            messages[-1]["parts"] += parts
        elif parts:
            messages.append({"role": role, "parts": parts})
    return messages


def _spoken(value: Any) -> Iterator[tuple[str, list[Object]]]:
    for one in _listed(value):
        if not isinstance(one, dict):
            yield "user", list(_contents(one))
            continue
        item = cast("Object", one)
        kind = item.get("type")
        if isinstance(role := item.get("role"), str) and kind in (None, "message"):
            yield TURNS.get(role, role), list(_contents(item.get("content")))
        elif _is_step(kind):
            yield ROLES.get(str(kind), "assistant"), list(_step_parts(item))
        else:
            yield "user", [_content_part(item)]


def _is_step(kind: Any) -> bool:
    named = ("user_input", "model_output", "thought")
    return isinstance(kind, str) and (kind in named or kind.endswith(("_call", "_result")))


def _contents(value: Any) -> Iterable[Object]:
    if isinstance(value, str):
        return [{"type": "text", "content": value}]
    if isinstance(value, list):
        return [part for one in _listed(value) for part in _contents(one)]
    return [_content_part(cast("Object", value))] if isinstance(value, dict) else []


def _content_part(part: Object) -> Object:
    kind = str(part.get("type", "text" if "text" in part else "unknown"))
    if kind == "text":
        return {"type": "text", "content": str(part.get("text", ""))}
    if kind not in MEDIA:
        return {"type": kind}
    made: Object = {"type": "blob", "modality": kind}
    uri = part.get("uri")
    if isinstance(uri, str) and uri and not uri.startswith("data:"):
        made = {"type": "uri", "modality": kind, "uri": uri}
    if isinstance(part.get("mime_type"), str):
        made["mime_type"] = part["mime_type"]
    return made


def _step_parts(step: Object) -> Iterable[Object]:
    kind = str(step.get("type", "unknown"))
    if kind in ("user_input", "model_output"):
        return _contents(step.get("content"))
    if kind == "thought":
        return _reasoning(step)
    if kind == "function_call":
        part = {"type": "tool_call", "id": step.get("id"), "name": step.get("name", "")}
        return [{**part, "arguments": step["arguments"]} if "arguments" in step else part]
    if kind == "function_result":
        response = step.get("result")
        return [{"type": "tool_call_response", "id": step.get("call_id"), "response": response}]
    members = {name: value for name, value in step.items() if name not in OWN_MEMBERS}
    if kind.endswith("_call"):
        tool = kind.removesuffix("_call")
        name = step.get("name")
        called = {"id": step.get("id"), "name": name if isinstance(name, str) else tool}
        return [{"type": "server_tool_call", **called, "server_tool_call": members}]
    if kind.endswith("_result"):
        told = {"id": step.get("call_id"), "server_tool_call_response": members}
        return [{"type": "server_tool_call_response", **told}]
    return [{"type": kind}]


def _reasoning(step: Object) -> list[Object]:
    """The summary of a thought; one without has nothing to be shown."""
    texts = [str(part["content"]) for part in _texts(step.get("summary"))]
    return [{"type": "reasoning", "content": "\n".join(texts)}] if texts else []


def _definition(tool: Object) -> Object:
    """Kind and name alone, as the conventions recommend."""
    kind = str(tool.get("type", "unknown"))
    name = tool.get("name")
    return {"type": kind, "name": name if isinstance(name, str) and name else kind}
