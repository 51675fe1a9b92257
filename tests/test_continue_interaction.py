"""The request that goes on with an answer, by the rules of the official client."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from gemwire import ResumePoint
from gemwire.models import CreateModelInteraction
from gemwire.operations import continue_interaction, create_interaction

BODY: dict[str, Any] = {"model": "m", "input": "q", "stream": True, "news": 1}
HOP = ResumePoint("v1_b", "e1", "t", "v1_a")

CASES: dict[str, tuple[Mapping[str, Any], ResumePoint, dict[str, Any] | str]] = {
    "stored": (
        BODY,
        HOP,
        {
            "model": "m",
            "stream": True,
            "news": 1,
            "continuation_token": "t",
            "previous_interaction_id": "v1_a",
        },
    ),
    "stored, with a previous one": (
        {**BODY, "previous_interaction_id": "v1_0"},
        HOP,
        {
            "model": "m",
            "stream": True,
            "news": 1,
            "continuation_token": "t",
            "previous_interaction_id": "v1_a",
        },
    ),
    "not stored": (
        {**BODY, "store": False},
        ResumePoint(None, None, "t", None),
        {**BODY, "store": False, "continuation_token": "t"},
    ),
    "not stored, whatever the ids say": (
        {**BODY, "store": False},
        HOP,
        {**BODY, "store": False, "continuation_token": "t"},
    ),
    "the caller's own token": (
        {**BODY, "continuation_token": "t"},
        HOP,
        {**BODY, "continuation_token": "t"},
    ),
    "another token than the caller's": (
        {"model": "m", "input": "q", "continuation_token": "s"},
        HOP,
        {"model": "m", "continuation_token": "t", "previous_interaction_id": "v1_a"},
    ),
    "no token": (
        BODY,
        ResumePoint("v1_b", "e1"),
        "/v1beta/interactions/v1_b?last_event_id=e1&stream=true",
    ),
    "no event either": (BODY, ResumePoint("v1_b"), "/v1beta/interactions/v1_b?stream=true"),
    "no stream": (
        {"model": "m", "input": "q"},
        ResumePoint("v1_b", "e"),
        "/v1beta/interactions/v1_b",
    ),
    "background": (
        {**BODY, "background": True},
        HOP,
        "/v1beta/interactions/v1_b?last_event_id=e1&stream=true",
    ),
    "agent": (
        {"agent": "a", "input": "q"},
        HOP,
        "/v1beta/interactions/v1_b",
    ),
    "agent_config": ({"agent_config": {}, "input": "q"}, HOP, "/v1beta/interactions/v1_b"),
}


@pytest.mark.parametrize("form", ["mapping", "bytes", "model"])
@pytest.mark.parametrize("name", CASES)
def test_next_request(name: str, form: str) -> None:
    members, point, expected = CASES[name]
    body: Any = members
    if form == "bytes":
        body = json.dumps(members).encode()
    elif form == "model":
        from gemwire import decode

        if "model" not in members:
            pytest.skip("a body of an agent")
        body = decode(json.dumps(members), CreateModelInteraction)
    before = json.dumps(members)
    request = continue_interaction(body, point)
    assert json.dumps(members) == before
    if isinstance(expected, str):
        assert (request.method, request.url(""), request.body) == ("GET", expected, None)
    else:
        assert request.method == "POST"
        assert json.loads(request.body or b"") == expected
        assert request.headers == create_interaction(BODY | expected).headers or not expected.get(
            "stream"
        )
    assert request.streams is (members.get("stream") is True)


@pytest.mark.parametrize("point", [ResumePoint(None), ResumePoint("", "e")])
def test_nothing_to_go_on_with(point: ResumePoint) -> None:
    with pytest.raises(ValueError, match="cannot go on"):
        continue_interaction(BODY, point)


def test_an_agent_without_an_id() -> None:
    with pytest.raises(ValueError, match="cannot go on"):
        continue_interaction({"agent": "a"}, ResumePoint(None, None, "t"))


@pytest.mark.parametrize("body", [b"[]", b"", b"1", [("a", 1)], 7])
def test_a_body_is_an_object(body: Any) -> None:
    with pytest.raises(TypeError):
        continue_interaction(body, HOP)


def test_where_it_is_sent() -> None:
    request = continue_interaction(BODY, HOP, api_version="v1", parent="projects/p/locations/l")
    assert request.path == "/v1/projects/p/locations/l/interactions"
