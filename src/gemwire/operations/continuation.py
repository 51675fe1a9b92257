"""The request that goes on with an answer: its next hop, or the rest of its stream."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from msgspec import UNSET, UnsetType

from ..codec.encode import to_dict
from ..codec.json import read_json
from ..codec.structs import WireStruct
from ..models import CreateAgentInteraction, CreateModelInteraction, Interaction
from .generated import create_interaction, get_interaction
from .request import Request

if TYPE_CHECKING:
    from ..assembly.report import ResumePoint

__all__ = ["continue_interaction"]

SERVER_SIDE = ("background", "agent", "agent_config")
"""Requests that have one of these are continued by the server itself."""


def continue_interaction(
    body: CreateModelInteraction | CreateAgentInteraction | Mapping[str, Any] | bytes,
    resume_point: ResumePoint,
    /,
    *,
    api_version: str = "v1beta",
    parent: str | UnsetType | None = None,
) -> Request[Interaction]:
    """Go on where an answer stopped; `resume_point` is `report.resume`.

    With a token, the next hop is created: the same body with `continuation_token`, and, where the
    answer is stored, `previous_interaction_id` in place of `input`. A token that was in the body
    already leaves it as it was. Without a token, and for `background` and agents, which the server
    continues itself, the interaction is read by its id; as a stream, after `last_event_id`, if the
    body asks for one.

    Args:
        body: The body of the first request.
        resume_point: Where to go on.
        api_version: Version of the API: `v1beta` or `v1`.
        parent: On Vertex AI: whose resources, as `projects/{project}/locations/{location}`.

    Raises:
        ValueError: the resume point has nothing that this request could go on with.
        TypeError: the body is no object.
    """
    members = _members(body)
    token = resume_point.continuation_token
    if token and not any(members.get(name) not in (None, False, UNSET) for name in SERVER_SIDE):
        if members.get("continuation_token") != token:
            members["continuation_token"] = token
            if resume_point.token_owner_id and members.get("store") is not False:
                members.pop("input", None)
                members["previous_interaction_id"] = resume_point.token_owner_id
        return create_interaction(members, api_version=api_version, parent=parent)
    if not resume_point.interaction_id:
        raise ValueError("no continuation token that may be used, and no id: it cannot go on")
    stream = members.get("stream") is True
    return get_interaction(
        resume_point.interaction_id,
        stream=stream or None,
        last_event_id=resume_point.last_event_id if stream else None,
        api_version=api_version,
        parent=parent,
    )


def _members(body: Any) -> dict[str, Any]:
    """The body as plain data, with members that no schema knows."""
    if isinstance(body, WireStruct):
        body = to_dict(body)
    elif isinstance(body, bytes | bytearray | memoryview):
        body = read_json(bytes(body))
    if not isinstance(body, Mapping):
        raise TypeError(f"a body is a model, a mapping or the bytes of an object, not {body!r:.80}")
    return dict(body)
