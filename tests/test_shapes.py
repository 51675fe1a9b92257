"""Unions with several JSON shapes: each value has the type of its shape, and comes back."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import msgspec
import pytest
from msgspec import UNSET

from gemwire import DecodeError, decode, encode, iter_unknown, to_dict, unknown_members
from gemwire import models as m

from .payloads import assert_encodes_to, compact

# ---- unions with several JSON shapes

ONE_TEXT = {"type": "text", "text": "a"}
CALL = {"type": "function_call", "name": "f"}
PARTS = [ONE_TEXT, {"type": "image", "uri": "gs://a"}]
FORMAT = {"type": "text", "mime_type": "application/json", "schema": {"type": "object"}}
ENTRY = {"domain": "*.example.com"}

SHAPES: list[tuple[Any, Any, Any]] = [
    # (type, JSON, type of what comes of it, or of its items)
    (m.InteractionsInput, "hi", str),
    (m.InteractionsInput, "", str),
    (m.InteractionsInput, ONE_TEXT, m.TextContent),
    (m.InteractionsInput, PARTS, [m.TextContent, m.ImageContent]),
    (m.InteractionsInput, [CALL], [m.FunctionCallStep]),
    (m.InteractionsInput, [{"type": "user_input", "content": PARTS}, CALL],
     [m.UserInputStep, m.FunctionCallStep]),
    (m.InteractionsInput, [{"type": "hologram"}, ONE_TEXT], [m.UnknownContent, m.TextContent]),
    (m.InteractionsInput, [{"type": "hologram"}, CALL], [m.UnknownStep, m.FunctionCallStep]),
    (m.InteractionsInput, [{"type": "text"}, ONE_TEXT], [m.UnknownContent, m.TextContent]),
    (m.InteractionsInput, [{"role": "user", "content": "hi"}], [m.UnknownStep]),
    (m.InteractionsInput, {"type": "hologram"}, m.UnknownContent),
    (m.InteractionsInput, [], []),
    (m.CodeExecutionResultStepResult, "out", str),
    (m.CodeExecutionResultStepResult, PARTS, [m.TextContent, m.ImageContent]),
    (m.FunctionResultStepResultUnion, "out", str),
    (m.FunctionResultStepResultUnion, ONE_TEXT, dict),
    (m.FunctionResultStepResultUnion, {"items": [ONE_TEXT]}, dict),
    (m.FunctionResultStepResultUnion, [ONE_TEXT, {"type": "function"}],
     [m.TextContent, m.Function]),
    (m.FunctionResultStepResultUnion, [ONE_TEXT, {"type": "x"}, 1],
     [m.TextContent, m.UnknownFunctionResultSubcontent, m.UnknownFunctionResultSubcontent]),
    (m.McpServerToolResultDeltaResultUnion, {}, dict),
    (m.ResponseFormat, FORMAT, m.TextResponseFormat),
    (m.ResponseFormat, {"type": "video", "new": 1}, m.VideoResponseFormat),
    (m.ResponseFormat, {"type": "object", "properties": {}}, dict),
    (m.ResponseFormat, {}, dict),
    (m.InteractionResponseFormat, FORMAT, m.TextResponseFormat),
    (m.InteractionResponseFormat, [FORMAT, {"type": "audio"}, {"a": 1}],
     [m.TextResponseFormat, m.AudioResponseFormat, dict]),
    (m.ToolChoice, "any", str),
    (m.ToolChoice, "brand_new", str),
    (m.ToolChoice, {"allowed_tools": {"mode": "any", "tools": ["f"]}}, m.ToolChoiceConfig),
    (m.SpeechConfigUnion, [{"voice": "Kore"}], [m.SpeechConfig]),
    (m.SpeechConfigUnion, {"speakers": [{"voice": "Kore", "speaker": "A"}]}, m.SpeakerConfig),
    (m.SpeechConfigUnion, [], []),
    (m.TranscriptionConfigMode, "smart", str),
    (m.TranscriptionConfigMode, {"type": "smart", "source_text": "t"}, m.SmartTranscriptionMode),
    (m.TranscriptionConfigMode, {"type": "verbatim"}, m.VerbatimTranscriptionMode),
    (m.TranscriptionConfigMode, {"type": "brief"}, m.UnknownTranscriptionMode),
    (m.InteractionEnvironment, "remote", str),
    (m.InteractionEnvironment, {"type": "remote", "env": {"A": "b", "C": {"value": "d"}}},
     m.EnvironmentConfig),
    (m.Env, "b", str),
    (m.Env, {"credential": "c"}, m.EnvVar),
    (m.Network, "disabled", str),
    (m.Network, {"allowlist": [ENTRY]}, m.EnvironmentNetworkEgressAllowlist),
    (m.Network, {"allowlist": "disabled"}, m.EnvironmentNetworkEgressAllowlist),
    (m.Allowlist, [ENTRY, {**ENTRY, "transform": [{"h": "v"}]}], [m.AllowlistEntry] * 2),
    (m.Transform, {"h": "v"}, dict),
    (m.Transform, [{"h": "v"}, {}], [dict, dict]),
    (m.Processing, "agentic", str),
    (m.Processing, {"type": "static", "fps": 1.5}, m.StaticMediaProcessing),
    (m.AudioProcessing, {"type": "static", "start_offset": "1.5s"}, m.AudioStaticMediaProcessing),
    (m.DocumentProcessing, {"type": "static", "page_options": {"content_layers": ["page_text"]}},
     m.DocumentStaticMediaProcessing),
    (str | int, "invalid_request", str),
    (str | int, 14, int),
]  # fmt: skip


def the_long_way(payload: Any) -> Any:
    """The same with a new member in its first object, which only the standard library can read."""
    if isinstance(payload, dict):
        return {"zz": "\ud83c", **payload}
    if isinstance(payload, list):
        return [the_long_way(item) for item in payload[:1]] + payload[1:]
    return payload


@pytest.mark.parametrize(("type_", "payload", "expected"), SHAPES)
def test_union_of_shapes(type_: Any, payload: Any, expected: Any) -> None:
    for sent in (payload, the_long_way(payload)):
        text = json.dumps(sent).encode()
        for value in (decode(text, type_), decode(b"\n" + text + b" ", type_)):
            found = [type(v) for v in value] if isinstance(value, list) else type(value)
            assert found == expected
            assert_encodes_to(value, sent)


@pytest.mark.parametrize(
    ("type_", "payload"),
    [
        (m.InteractionsInput, 7),
        (m.InteractionsInput, None),
        (m.Transform, [{"h": 1}]),
        (m.SpeechConfigUnion, "Kore"),
        (m.Allowlist, [{"no": "domain"}]),
        (m.Network, ["disabled"]),
        (m.Processing, {"type": "agentic"}),
        (m.FunctionResultStepResultUnion, None),
        (m.InteractionResponseFormat, "json"),
    ],
)
def test_shape_that_a_union_does_not_have(type_: Any, payload: Any) -> None:
    with pytest.raises(DecodeError):
        decode(compact(payload), type_)


def test_requests_hold_every_shape() -> None:
    body = {
        "model": "gemini-3.6-flash",
        "input": "hi",
        "stream": True,
        "response_format": [FORMAT, {"a": 1}],
        "environment": {"type": "remote", "network": {"allowlist": [ENTRY]}},
        "generation_config": {
            "tool_choice": {"allowed_tools": {"tools": ["f"]}},
            "speech_config": [{"voice": "Kore"}],
            "transcription_config": {"mode": {"type": "verbatim"}},
        },
        "tools": [{"type": "function", "name": "f", "parameters": {"type": "object"}}],
    }
    request = decode(compact(body), m.CreateModelInteraction)
    assert request.input == "hi"
    assert unknown_members(request) == {}
    assert list(iter_unknown(request)) == []
    assert_encodes_to(request, body)


@pytest.mark.parametrize("count", ["0", "-1", "9007199254740993", 9007199254740993, 0, str(2**64)])
def test_64_bit_integer_as_text_or_number(count: Any) -> None:
    config = {"type": "antigravity", "max_total_tokens": count}
    value = decode(compact(config), m.InteractionAgentConfig, strict=True)
    assert isinstance(value, m.AntigravityAgentConfig)
    assert value.max_total_tokens == int(count)
    assert isinstance(value.max_total_tokens, int)
    assert_encodes_to(value, config)
    for other in (copy.deepcopy(value), pickle.loads(pickle.dumps(value))):
        assert_encodes_to(other, config)


@pytest.mark.parametrize("count", ["007", "-0", "+5", " 5", "5.0", "", "x", "9" * 30, 5.5, 10**30])
def test_text_that_is_no_64_bit_integer_is_kept(count: Any) -> None:
    config = {"type": "antigravity", "max_total_tokens": count}
    value = decode(compact(config), m.InteractionAgentConfig)
    assert isinstance(value, m.AntigravityAgentConfig)
    assert value.max_total_tokens is UNSET
    assert unknown_members(value) == {"max_total_tokens": count}
    assert_encodes_to(value, config)


def test_64_bit_integer_of_the_caller_is_sent_as_text() -> None:
    config = m.AntigravityAgentConfig(max_total_tokens=2**40)
    assert encode(config) == b'{"type":"antigravity","max_total_tokens":"1099511627776"}'
    changed = msgspec.structs.replace(config, max_total_tokens=5)
    assert to_dict(changed) == {"type": "antigravity", "max_total_tokens": "5"}


@pytest.mark.parametrize("type_", [m.CreateAgentInteraction, m.Interaction])
@pytest.mark.parametrize(
    ("config", "model"),
    [
        (
            {"type": "code-mender", "find_request": {"mode": "scan"}, "session_id": "s"},
            m.CodeMenderAgentConfig,
        ),
        (
            {"type": "code-mender", "fix_request": {"finding_id": "f"}},
            m.CodeMenderAgentConfig,
        ),
        (
            {
                "type": "find_request",
                "description": "overflows",
                "mode": "verify",
                "source_files": [{"path": "a.c", "content": "int a[1];"}],
                "session_id": "s",
                "session_config": {"mode": "scan", "max_rounds": 3},
            },
            m.FindRequestAgentConfig,
        ),
        (
            {"type": "fix_request", "finding_id": "f", "session_id": "s", "session_config": {}},
            m.FixRequestAgentConfig,
        ),
    ],
)
def test_code_mender_of_today_and_of_june(type_: Any, config: Any, model: type) -> None:
    """A request by itself has a tag, and the same one inside `code-mender` has none."""
    body = {"agent": "code-mender", "input": "Look.", "agent_config": config}
    if type_ is m.Interaction:
        body = {"id": "v1_a", "status": "completed", "agent_config": config}
    value = decode(compact(body), type_, strict=True)
    assert type(value.agent_config) is model
    assert_encodes_to(value, body)
