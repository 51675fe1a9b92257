"""What is not as the spec has it: kept where it can be, refused where it cannot or by `strict`."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import UNSET

from gemwire import (
    DecodeError,
    Unknown,
    decode,
    decode_event,
    decode_interaction,
    encode,
    iter_unknown,
    unknown_members,
)
from gemwire import models as m

from .payloads import FITTING, TEXT, assert_encodes_to, compact

# ---- what the spec does not know

DEEP_STEP: dict[str, Any] = {
    "type": "model_output",
    "content": [
        {
            **TEXT,
            "annotations": [
                {
                    "type": "place_citation",
                    "review_snippets": [{"title": "t", "new": {"type": "text"}}],
                    "new": [None],
                }
            ],
            "new": 1,
        }
    ],
    "error": {"code": 3, "new": 1.5},
    "new": "",
}


def test_unknown_members_at_every_depth() -> None:
    payload = {"event_type": "step.start", "step": DEEP_STEP, "new": None}
    event = decode_event(compact(payload), "step.start")
    assert_encodes_to(event, payload)
    assert [(found.path, found.sample) for found in iter_unknown(event)] == [
        ("$.step.content[0].annotations[0].review_snippets[0].new", {"type": "text"}),
        ("$.step.content[0].annotations[0].new", [None]),
        ("$.step.content[0].new", 1),
        ("$.step.error.new", 1.5),
        ("$.step.new", ""),
        ("$.new", None),
    ]
    assert {found.kind for found in iter_unknown(event)} == {"member"}


@pytest.mark.parametrize(
    ("payload", "where", "value"),
    [
        ({"status": "paused"}, "$.status", "paused"),
        ({"status": ""}, "$.status", ""),
        ({"response_modalities": ["text", "smell"]}, "$.response_modalities[1]", "smell"),
        (
            {"generation_config": {"tool_choice": "maybe"}},
            "$.generation_config.tool_choice",
            "maybe",
        ),
        (
            {"steps": [{"type": "user_input", "content": [{"type": "image", "mime_type": "x/y"}]}]},
            "$.steps[0].content[0].mime_type",
            "x/y",
        ),
        (
            {"tools": [{"type": "google_search", "search_types": ["odour_search"]}]},
            "$.tools[0].search_types[0]",
            "odour_search",
        ),
        (
            {"environment": {"type": "remote", "network": {"allowlist": "enabled"}}},
            "$.environment.network.allowlist",
            "enabled",
        ),
    ],
)
def test_new_value_of_an_enum(payload: dict[str, Any], where: str, value: str) -> None:
    interaction = decode_interaction(compact(payload), strict=True)
    assert_encodes_to(interaction, payload)
    assert [tuple(found) for found in iter_unknown(interaction)] == [(where, "value", value, value)]


@pytest.mark.parametrize(
    ("type_", "payload"),
    [
        (m.Usage, {"total_tokens": "30", "total_input_tokens": 7}),
        (m.Usage, {"total_tokens": 30.5}),
        (m.Usage, {"grounding_tool_count": {}}),
        (m.Interaction, {"status": "completed", "steps": "none"}),
        (m.Interaction, {"status": 200}),
        (m.Interaction, {"status": "completed", "usage": [1]}),
        (m.Interaction, {"status": "completed", "safety_settings": [{"threshold": "off"}]}),
        (m.FunctionCallStep, {"type": "function_call", "arguments": "{}"}),
        (m.FunctionCallStep, {"type": "function_call", "arguments": [1]}),
        (m.GenerationConfig, {"temperature": "hot", "seed": True}),
        (m.McpServer, {"type": "mcp_server", "headers": {"a": "b", "c": 1}}),
        (m.AllowlistEntry, {"domain": "*", "transform": [{"a": 1}]}),
        (m.EnvironmentConfig, {"type": "remote", "env": {"A": 1}}),
        (m.RagRetrievalConfig, {"ranking": {"ranking_config": 7}}),
        (m.VideoContent, {"type": "video", "processing": {"type": "agentic"}}),
        (m.VideoContent, {"type": "video", "processing": {"type": None}}),
        (m.VideoContent, {"type": "video", "processing": {"type": 7}}),
    ],
)
def test_optional_member_that_does_not_fit_is_kept(type_: Any, payload: dict[str, Any]) -> None:
    value = decode(compact(payload), type_)
    kept = unknown_members(value)
    assert kept
    for name, member in payload.items():
        if name in kept:
            assert getattr(value, name) is UNSET
            assert kept[name] == member
        else:
            assert getattr(value, name) == member
    assert_encodes_to(value, payload)


def test_one_misfit_deep_inside_spoils_only_its_own_member() -> None:
    body = {
        "id": "v1_a",
        "status": "completed",
        "steps": [{"type": "model_output", "content": [TEXT]}],
        "usage": {"total_tokens": "30", "total_input_tokens": 9},
    }
    interaction = decode_interaction(compact(body))
    assert interaction.output_text == TEXT["text"]
    assert isinstance(interaction.usage, m.Usage)
    assert interaction.usage.total_tokens is UNSET
    assert interaction.usage.total_input_tokens == 9
    assert [found.path for found in iter_unknown(interaction)] == ["$.usage.total_tokens"]
    assert_encodes_to(interaction, body)


@pytest.mark.parametrize("event", ["step.start", "step.delta", "step.stop"])
@pytest.mark.parametrize("index", [-1, "0", "", 0.0, 1.5, 1e300, True, None, [], {}, [0]])
def test_bad_index_makes_the_event_unknown(event: str, index: Any) -> None:
    payload = {**FITTING[event], "event_type": event, "index": index}
    found = decode_event(compact(payload), event)
    assert isinstance(found, m.UnknownInteractionSseEvent)
    assert found.tag == event
    assert found.reason is not None
    assert found.reason.endswith("at $.index")
    assert found.json == compact(payload)
    with pytest.raises(DecodeError) as caught:
        decode_event(compact(payload), event, strict=True)
    assert caught.value.path == "$.index"


@pytest.mark.parametrize("event", ["step.start", "step.delta", "step.stop"])
@pytest.mark.parametrize("index", [0, 2**31, 2**64, 10**30])
def test_good_index(event: str, index: int) -> None:
    payload = {**FITTING[event], "event_type": event, "index": index}
    found = decode_event(compact(payload), event, strict=True)
    assert not isinstance(found, Unknown)
    assert_encodes_to(found, payload)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        ({"event_type": "step.start", "index": 0}, "required, but missing at $.step"),
        ({"event_type": "step.start", "step": None}, "Expected `object`, got `null` at $.step"),
        ({"event_type": "step.start", "step": [1]}, "Expected `object`, got `array` at $.step"),
        ({"event_type": "step.delta", "delta": "text"}, "Expected `object`, got `str` at $.delta"),
        ({"event_type": "interaction.completed"}, "required, but missing at $.interaction"),
        (
            {"event_type": "interaction.created", "interaction": 1},
            "Expected `object`, got `int` at $.interaction",
        ),
    ],
)
def test_event_whose_required_member_does_not_fit(payload: dict[str, Any], reason: str) -> None:
    event = decode_event(compact(payload), payload["event_type"])
    assert isinstance(event, m.UnknownInteractionSseEvent)
    assert (event.tag, event.reason) == (payload["event_type"], reason)
    assert encode(event) == compact(payload)


@pytest.mark.parametrize(
    ("type_", "payload", "path"),
    [
        (m.SafetySetting, {"threshold": "off"}, "$.type"),
        (m.SafetySetting, {"threshold": "off", "type": 1}, "$.type"),
        (list[m.SafetySetting], [{"threshold": "off", "type": "x"}, {}], "$[1].threshold"),
        (m.ErrorBody, {"error": None}, "$.error"),
        (m.TextDelta, {"type": "text"}, "$.text"),
        (m.TextDelta, {"type": "image", "text": ""}, "$.type"),
        (m.TextDelta, {"type": None, "text": ""}, "$.type"),
        (m.StepStop, {"index": -1}, "$.index"),
        (m.CreateModelInteraction, {"input": "hi"}, "$.model"),
    ],
)
def test_required_member_without_a_union_around_it(type_: Any, payload: Any, path: str) -> None:
    with pytest.raises(DecodeError) as caught:
        decode(compact(payload), type_)
    assert caught.value.path == path
    assert caught.value.data == compact(payload)


# ---- strict


@pytest.mark.parametrize(
    ("payload", "path"),
    [
        ({"event_type": "step.delta", "delta": {"type": "text"}}, "$.delta"),
        ({"event_type": "step.delta", "delta": {"type": "text", "text": "", "x": 1}}, "$.delta"),
        ({"event_type": "step.delta", "delta": {"type": "text", "text": 1}}, "$.delta.text"),
        ({"event_type": "step.delta", "delta": {"type": "hologram"}}, "$.delta.type"),
        ({"event_type": "step.delta", "delta": {}}, "$.delta"),
        ({"event_type": "step.delta", "delta": TEXT, "new": 1}, "$"),
        ({"event_type": "step.stop", "delta": TEXT}, "$.event_type"),
        ({"event_type": "step.delta", "delta": TEXT, "index": None}, "$.index"),
    ],
)
def test_strict_refuses_what_is_not_in_the_spec(payload: dict[str, Any], path: str) -> None:
    text = compact(payload)
    with pytest.raises(DecodeError) as caught:
        decode_event(text, "step.delta", strict=True)
    error = caught.value
    assert (error.path, error.event, error.data) == (path, "step.delta", text)
    assert path in str(error)
    assert "step.delta" in str(error)


def test_strict_names_what_is_wrong_and_not_what_msgspec_cannot_read() -> None:
    payload = {"interaction": {"input": [TEXT], "id": None}}
    with pytest.raises(DecodeError) as caught:
        decode_event(compact(payload), "interaction.created", strict=True)
    assert caught.value.path == "$.interaction.id"


@pytest.mark.parametrize("convert", [bytes, bytearray, memoryview, bytes.decode])
def test_decode_error_holds_the_start_of_the_data(convert: Any) -> None:
    text = b'{"event_type":"step.stop","new":"' + "é".encode() * 1000 + b'"}'
    with pytest.raises(DecodeError) as caught:
        decode_event(convert(text), "step.stop", strict=True)
    data = caught.value.data
    assert isinstance(data, bytes)
    assert 500 < len(data) <= 512
    assert text.startswith(data)


@pytest.mark.parametrize(
    "body",
    [
        {"status": "completed", "input": [TEXT], "response_format": {"type": "text"}},
        {"status": "completed", "agent_config": {"type": "dynamic", "depth": 3}},
        {"status": "completed", "input": "hi", "labels": {"lone": "\ud83c"}},
    ],
)
def test_strict_takes_all_that_the_spec_allows(body: dict[str, Any]) -> None:
    """Also what the decoder of one pass cannot read."""
    text = json.dumps(body).encode()
    interaction = decode_interaction(text, strict=True)
    assert_encodes_to(interaction, body)
    event = decode_event(b'{"interaction":%b}' % text, "interaction.created", strict=True)
    assert event == m.InteractionCreatedEvent(interaction=interaction)


def test_strict_decode_and_decode_interaction() -> None:
    for text in (b'{"status":"completed","new":1}', b'{"steps":[{"type":"hologram"}]}'):
        with pytest.raises(DecodeError):
            decode(text, m.Interaction, strict=True)
        with pytest.raises(DecodeError):
            decode_interaction(text, strict=True)
