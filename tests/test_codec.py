"""Every payload decodes to something, and encodes back to the JSON that it was.

The tables hold one payload for each rule; hypothesis does the same with whatever fits the models,
with what nearly fits them, and with any bytes at all.
"""

from __future__ import annotations

import contextlib
import copy
import json
import pickle
import re
import sys
import time
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import UNSET

from gemwire import (
    ApiError,
    DecodeError,
    GemwireError,
    Unknown,
    decode,
    decode_event,
    decode_interaction,
    encode,
    iter_unknown,
    to_dict,
    unknown_members,
)
from gemwire import models as m
from gemwire.base import UNIONS, WireStruct
from gemwire.codec import EVENT_DECODERS, Event
from tests.strategies import (
    EVENTS,
    STRUCTS,
    instances,
    interactions,
    json_texts,
    json_values,
    mutated,
)

QUICK = settings(deadline=None, suppress_health_check=list(HealthCheck))


def compact(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def exactly(value: Any) -> str:
    """A value as text in which 1, 1.0 and true differ, and the order of members does not count."""
    return json.dumps(value, sort_keys=True)


def assert_encodes_to(value: Any, payload: Any) -> None:
    """The value gives the payload back, by `encode` and by `to_dict`."""
    assert exactly(json.loads(encode(value))) == exactly(payload)
    assert exactly(to_dict(value)) == exactly(payload)


# ---- what the spec knows: one pass

TEXT = {"type": "text", "text": "naïve 🎉"}
FITTING: dict[str, Any] = {
    "interaction.created": {"interaction": {"id": "v1_a", "status": "in_progress"}},
    "interaction.status_update": {"interaction_id": "v1_a", "status": "queued", "event_id": "e1"},
    "step.start": {"index": 0, "step": {"type": "model_output", "content": [TEXT]}},
    "step.delta": {"index": 0, "delta": TEXT, "metadata": {"total_usage": {"total_tokens": 0}}},
    "step.stop": {"index": 0, "usage": {"total_tokens": 9}, "step_usage": {}},
    "interaction.completed": {
        "interaction": {
            "id": "v1_a",
            "status": "completed",
            "steps": [
                {"type": "thought", "signature": "c2ln", "summary": [TEXT]},
                {"type": "function_call", "id": "f1", "name": "f", "arguments": {"n": [1, 1.0]}},
                {"type": "function_result", "call_id": "f1", "result": {"ok": True}},
            ],
            "usage": {"total_tokens": 30, "grounding_tool_count": []},
        }
    },
    "error": {"error": {"code": "internal", "message": ""}},
    # The legacy generation.
    "interaction.start": {"interaction": {"id": "v1_a", "status": "in_progress"}},
    "content.start": {"index": 0, "content": {"type": "text", "text": ""}},
    "content.delta": {"index": 0, "delta": TEXT},
    "content.stop": {"index": 0},
    "interaction.complete": {
        "interaction": {"status": "completed", "role": "model", "usage": {"total_tokens": 9}}
    },
}


def test_every_event_kind_has_a_payload_here() -> None:
    assert FITTING.keys() == EVENTS.keys()


@pytest.mark.parametrize("name", FITTING)
def test_event_that_fits(name: str) -> None:
    payload = {**FITTING[name], "event_type": name}
    event = decode_event(compact(payload), name, strict=True)
    assert type(event) is EVENTS[name]
    assert event.event_type == name
    assert_encodes_to(event, payload)
    assert list(iter_unknown(event)) == []


@pytest.mark.parametrize("name", FITTING)
@pytest.mark.parametrize("given_name", [None, "", "message", *FITTING, "brand.new"])
def test_event_type_decides_whatever_the_name(name: str, given_name: str | None) -> None:
    payload = {"event_type": name, **FITTING[name]}
    event = decode_event(compact(payload), given_name)
    assert type(event) is EVENTS[name]
    assert_encodes_to(event, payload)


@pytest.mark.parametrize("name", FITTING)
def test_name_serves_where_event_type_is_missing(name: str) -> None:
    event = decode_event(compact(FITTING[name]), name, strict=True)
    assert_encodes_to(event, {**FITTING[name], "event_type": name})


@pytest.mark.parametrize("name", [None, "", "message"])
def test_no_name_at_all(name: str | None) -> None:
    event = decode_event(b'{"index": 0}', name)
    assert isinstance(event, m.UnknownInteractionSseEvent)
    assert event == m.UnknownInteractionSseEvent(b'{"index": 0}')
    assert (event.tag, event.reason) == (None, None)


@pytest.mark.parametrize("event_type", [7, None, True, [], {"step.stop": 1}])
def test_event_type_that_is_no_string(event_type: Any) -> None:
    payload = {"event_type": event_type, "index": 0}
    event = decode_event(compact(payload), "step.stop")
    assert isinstance(event, m.UnknownInteractionSseEvent)
    assert event.tag is None
    assert_encodes_to(event, payload)


def test_names_from_the_wire_are_not_kept() -> None:
    for number in range(10):
        decode_event(b"{}", f"flood.{number}")
    assert EVENT_DECODERS.keys() <= {None, "", "message", *EVENTS}


@pytest.mark.parametrize("convert", [bytes, bytearray, memoryview, bytes.decode])
@pytest.mark.parametrize("members", [{}, {"new": "é"}])
def test_kinds_of_input(convert: Any, members: dict[str, Any]) -> None:
    payload = {"event_type": "step.stop", "index": 3, **members}
    event = decode_event(convert(compact(payload)), "step.stop")
    assert isinstance(event, m.StepStop)
    assert_encodes_to(event, payload)
    body = {"status": "completed", **members}
    assert_encodes_to(decode_interaction(convert(compact(body))), body)


# ---- absent, null, 0 and "" stay apart


@pytest.mark.parametrize(
    ("members", "member"),
    [({}, UNSET), ({"id": None}, UNSET), ({"id": ""}, ""), ({"id": "0"}, "0")],
)
def test_string_absent_null_empty(members: dict[str, Any], member: Any) -> None:
    body = {"status": "completed", **members}
    interaction = decode_interaction(compact(body))
    assert interaction.id == member
    assert unknown_members(interaction) == {n: v for n, v in members.items() if v is None}
    assert_encodes_to(interaction, body)


@pytest.mark.parametrize(
    ("members", "member"),
    [({}, UNSET), ({"total_tokens": None}, UNSET), ({"total_tokens": 0}, 0)],
)
def test_number_absent_null_zero(members: dict[str, Any], member: Any) -> None:
    usage = decode(compact(members), m.Usage)
    assert usage.total_tokens == member
    assert_encodes_to(usage, members)


@pytest.mark.parametrize("value", [{}, {"a": None}, {"a": {}}, {"a": 0}, {"a": ""}, {"a": []}])
def test_free_objects_keep_everything(value: Any) -> None:
    step = {"type": "function_call", "arguments": value}
    assert_encodes_to(decode(compact(step), m.Step, strict=True), step)


def test_any_may_be_null() -> None:
    tool = decode(b'{"type":"function","parameters":null}', m.Tool, strict=True)
    assert isinstance(tool, m.Function)
    assert tool.parameters is None
    assert encode(tool) == b'{"type":"function","parameters":null}'


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
        ({"status": "completed", "model": "gemini-9"}, "$.model", "gemini-9"),
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
        (m.RagRetrievalConfig, {"ranking": {"ranking_config": "other"}}),
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


# ---- texts that msgspec does not take

NOT_OBJECTS = [
    *(b"", b" ", b"\n", b"null", b"true", b"7", b"1e400", b'"text"', b"[]", b'[{"index":0}]'),
    *(b"{", b"}", b'{"index":0', b'{"index":0}}', b'{"index":0}{}', b"[DONE]", b"{'a':1}", b"<p>"),
    *(b'{"index":0,}', b'{"a":NaN}', b'{"a":01}', b'{"a":"\n"}', b"\xef\xbb\xbf{}", b"\x00"),
    b"\xff",
    # These have an escape, which opens the way to the standard library.
    *(rb'["\u0041"]', rb'"\ud83c', rb'"\u00', rb'"]\ud83c', rb'{"a":"\ud83c"', rb'{"a":"\ud83c"}]'),
    *(rb'{"a":NaN,"b":"\ud83c"}', rb'{"a":Infinity,"b":"\u0041"}'),
    *(rb'{"a":"\q"}', rb'{"a":"\u12"}'),
]  # fmt: skip


@pytest.mark.parametrize("text", NOT_OBJECTS)
@pytest.mark.parametrize("name", [None, "step.stop", "new"])
def test_text_that_is_no_object(text: bytes, name: str | None) -> None:
    event = decode_event(text, name)
    assert isinstance(event, m.UnknownInteractionSseEvent)
    assert event.tag == name
    if text.isascii():
        assert encode(event) == event.json == text
    with pytest.raises(DecodeError) as caught:
        decode_event(text, name, strict=True)
    assert (caught.value.event, caught.value.data) == (name, text)
    for strict in (False, True):
        with pytest.raises(DecodeError):
            decode_interaction(text, strict=strict)
        with pytest.raises(DecodeError):
            decode(text, m.Interaction, strict=strict)


@pytest.mark.parametrize(
    ("opening", "closing"),
    [(b"[", b"]"), (b'{"a":', b"}"), (b'[{"type":', b"}]"), (b'{"\\ud83c":', b"}")],
)
@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"", b""),
        (b'{"event_type":"step.stop","new":', b"}"),
        (b'{"event_type":"step.stop","event_id":"\\ud83c","new":', b"}"),
        (b'{"event_type":"step.start","step":{"type":"function_call","arguments":{"a":', b"}}}"),
        (b'{"event_type":"step.start","step":{"type":"hologram","a":', b"}}"),
    ],
)
def test_deep_nesting(before: bytes, after: bytes, opening: bytes, closing: bytes) -> None:
    for depth in (150, 20_000, 100_000):
        text = before + opening * depth + b"1" + closing * depth + after
        event = decode_event(text, "step.stop")
        back = encode(event)
        if depth == 150 and before:
            assert json.loads(back) == json.loads(text)
        elif depth > 150:
            assert back == text
        assert isinstance(repr(event), str)
        assert len(list(iter_unknown(event))) <= 2
        if depth > 150:
            with pytest.raises(DecodeError):
                decode(text, m.Content)


def test_nesting_near_the_limit() -> None:
    limit = sys.getrecursionlimit()
    for depth in range(limit - 100, limit + 20, 7):
        text = b'{"type":"function","parameters":' + b"[" * depth + b"]" * depth + b"}"
        with contextlib.suppress(GemwireError):
            tool = decode(text, m.Tool)
            assert len(list(iter_unknown(tool))) <= 1
            assert encode(tool) == text


def test_encoding_what_is_nested_too_deeply() -> None:
    value: Any = m.UnknownStep(b"{}")
    for _ in range(100_000):
        value = [value]
    with pytest.raises(GemwireError, match="nested too deeply"):
        encode(value)
    while value:  # taken apart by hand: freeing it in one go would recurse as deeply
        value = value.pop() if isinstance(value, list) else None


def test_bad_utf8_becomes_replacement_characters() -> None:
    event = decode_event(b'{"event_type":"step.delta","delta":{"type":"text","text":"a\xffb"}}')
    assert isinstance(event, m.StepDelta)
    assert event.delta == m.TextDelta(text="a�b")
    hidden = decode_event(b'{"event_type":"step.stop","n\xe9w":"\xed\xa0\x80","event_id":"e"}')
    assert unknown_members(hidden) == {"n�w": "�" * 3}
    interaction = decode_interaction(b'{"status":"completed","id":"\xc3"}')
    assert interaction.id == "�"
    for text in (b'{"event_type":"step.stop","event_id":"\xff"}', b"\xff{"):
        with pytest.raises(DecodeError):
            decode_event(text, strict=True)


HALVES = [r"\ud83c", r"\udf89 alone", r"\ud83c\ud83c", r"x\udf89\ud83cx", r"\ud83c\n\u00e9\\"]


@pytest.mark.parametrize("half", HALVES)
@pytest.mark.parametrize(
    "frame",
    [
        '{"event_type":"step.delta","index":0,"delta":{"type":"text","text":"%s"}}',
        '{"event_type":"step.delta","index":0,"delta":{"type":"text","text":"a","new":"%s"}}',
        '{"event_type":"step.delta","index":0,"delta":{"type":"hologram","text":"%s"}}',
        '{"event_type":"step.delta","index":0,"delta":{"type":"%s"}}',
        '{"event_type":"step.delta", "index" : 0, "delta":{ "type" : "text" , "text" : "%s" } }',
        ' {"event_type":"step.stop","%s":1}',
        '{"event_type":"step.stop","event_id":"%s","index":-1}',
        '{"event_type":"%s","index":0}',
        '{"event_type":"error","error":{"code":"%s","message":"m","details":["%s",1e3,{}]}}',
        '{"event_type":"step.start","step":{"type":"function_call","arguments":{"%s":["%s"]}}}',
        '{"event_type":"step.start","step":{"type":"function_result","result":"%s"}}',
        '{"event_type":"step.start","step":{"type":"user_input","content":[{"type":"text",'
        '"text":"%s","annotations":[{"type":"url_citation","title":"%s","start_index":1}]}]}}',
        '{"event_type":"interaction.created","interaction":{"labels":{"%s":"%s"},"status":"%s"}}',
    ],
)
def test_lone_surrogates_are_kept(frame: str, half: str) -> None:
    text = frame.replace("%s", half).encode()
    event = decode_event(text, "step.delta")
    payload = json.loads(text)
    assert_encodes_to(event, payload)
    if payload["event_type"] in EVENTS and payload.get("index") != -1:
        assert type(event) is EVENTS[payload["event_type"]]
    raw = re.sub(r"\\u(d[0-9a-f]{3})", lambda found: chr(int(found[1], 16)), text.decode())
    assert event == decode_event(raw, "step.delta")  # a str may have them unescaped
    if next((found for found in iter_unknown(event) if found.kind != "value"), None) is None:
        assert decode_event(text, "step.delta", strict=True) == event


def test_pair_of_escapes_is_one_character() -> None:
    event = decode_event(
        rb'{"delta":{"type":"text","text":"\ud83c\udf89"}}', "step.delta", strict=True
    )
    assert isinstance(event, m.StepDelta)
    assert event.delta == m.TextDelta(text="🎉")


NUMBERS = [
    "0",
    "-0",
    "-0.0",
    "1E5",
    "18446744073709551616",
    "9" * 400,
    "1.5e-320",
    "1e400",
    "9" * 6000,
]


@pytest.mark.parametrize("number", NUMBERS, ids=lambda text: text[:12])
@pytest.mark.parametrize("half", ["", r"\ud83c"])
def test_extreme_numbers_lose_nothing(number: str, half: str) -> None:
    """No digit is lost, in a known member or an unknown one, beside a lone surrogate or not."""
    for frame in (
        '{"type":"function_call","arguments":{"n":%s,"s":"%s"}}',
        '{"type":"function_call","new":[%s,"%s"]}',
        '{"type":"hologram","n":%s,"s":"%s"}',
        '{"type":"google_maps_result","result":[{"places":[{"new":%s,"url":"%s"}]}]}',
    ):
        text = frame % (number, half)
        step = decode(text, m.Step)
        back = encode(step).decode()
        if len(number) > 4300 or number == "1e400":
            assert number in back
        else:
            assert exactly(json.loads(back)) == exactly(json.loads(text))
        assert isinstance(to_dict(step), dict)
    usage = decode(f'{{"total_tokens":{number}}}', m.Usage)
    assert json.loads(encode(usage), parse_int=str, parse_float=str) == {
        "total_tokens": "0" if number == "-0" else number
    }


@pytest.mark.parametrize(
    ("text", "same_as"),
    [
        (
            b'{"event_type":"step.stop","index":0,"index":1}',
            {"event_type": "step.stop", "index": 1},
        ),
        (
            b'{"event_type":"step.stop","index":-1,"index":1}',
            {"event_type": "step.stop", "index": 1},
        ),
        (b'{"event_type":"step.stop","new":0,"new":1}', {"event_type": "step.stop", "new": 1}),
        (b'{"event_type":"step.start","event_type":"step.stop"}', {"event_type": "step.stop"}),
        (
            b'{"event_type":"step.delta","delta":{"type":"text","text":"a","type":"image"}}',
            {"event_type": "step.delta", "delta": {"type": "image", "text": "a"}},
        ),
    ],
)
def test_the_last_of_equal_names_counts(text: bytes, same_as: dict[str, Any]) -> None:
    for name in (None, "step.stop"):
        event = decode_event(text, name)
        assert not isinstance(event, Unknown)
        assert_encodes_to(event, same_as)


def test_an_array_with_an_item_that_is_no_object_keeps_the_others() -> None:
    body: Any = {
        "status": "completed",
        "steps": [{"type": "thought"}, None, 7, [], {"type": "thought"}],
    }
    steps = decode_interaction(compact(body)).steps or []
    assert [type(step) for step in steps] == [m.ThoughtStep, *[m.UnknownStep] * 3, m.ThoughtStep]
    assert [step.raw for step in steps if isinstance(step, Unknown)] == [None, 7, []]
    assert_encodes_to(decode_interaction(compact(body)), body)


@pytest.mark.parametrize(
    "step",
    [
        '{"type":"model_output","new":1,"content":[{"type":"text","text":"a","new":[1]}]}',
        '{"type":"thought","signature":"\\ud83c"}',
        '{"type":"hologram","s":"\\n"}',
        "7",
    ],
)
def test_the_second_walk_is_linear(step: str) -> None:
    def seconds(count: int) -> float:
        text = f'{{"steps":[{",".join([step] * count)}]}}'.encode()
        start = time.process_time()
        encode(decode_interaction(text))
        return time.process_time() - start

    small = min(seconds(100) for _ in range(3))
    assert min(seconds(1600) for _ in range(2)) < 16 * 4 * small


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


# ---- error bodies

ERROR = {"code": "invalid_request", "message": "no such model"}
RPC = {"code": 503, "message": "overloaded", "status": "UNAVAILABLE", "details": [{"@type": "t"}]}


@pytest.mark.parametrize(
    ("body", "code", "message", "status", "details"),
    [
        ({"error": ERROR}, "invalid_request", "no such model", None, None),
        ({"error": RPC}, 503, "overloaded", "UNAVAILABLE", [{"@type": "t"}]),
        ([{"error": RPC}], 503, "overloaded", "UNAVAILABLE", [{"@type": "t"}]),
        ([{"error": ERROR}, {"error": RPC}], "invalid_request", "no such model", None, None),
        (RPC, 503, "overloaded", "UNAVAILABLE", [{"@type": "t"}]),
        ([RPC], 503, "overloaded", "UNAVAILABLE", [{"@type": "t"}]),
        (ERROR, "invalid_request", "no such model", None, None),
        ({"error": {"code": 404}}, 404, "", None, None),
        ({"error": {"message": "m"}, "new": 1}, None, "m", None, None),
        ({"error": {"code": [], "message": 5, "status": {}}}, None, "", None, None),
        ({"error": "boom"}, None, "boom", None, None),
    ],
)
@pytest.mark.parametrize("strict", [False, True])
def test_error_body(
    body: Any, code: Any, message: str, status: str | None, details: Any, strict: bool
) -> None:
    with pytest.raises(ApiError) as caught:
        decode_interaction(compact(body), strict=strict)
    error = caught.value
    assert (error.code, error.message, error.status) == (code, message, status)
    assert error.details == details


NO_ERRORS: list[dict[str, Any]] = [
    {"id": "v1_a", "status": "failed", "object": "interaction", "error": ERROR},
    {"status": "failed", "steps": [], "error": ERROR},
    {"status": "failed", "errors": [ERROR, RPC]},
    {"status": "completed", "code": 1},
    {"error": None},
    {"error": {}},
    {},
]


@pytest.mark.parametrize("body", NO_ERRORS)
def test_body_that_is_no_error(body: dict[str, Any]) -> None:
    assert_encodes_to(decode_interaction(compact(body)), body)


# ---- unions with several JSON shapes

WHOLE_TEXT = m.TextContent(text="a")
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


# ---- encoding


def test_members_come_in_the_order_of_the_spec() -> None:
    event = decode_event(
        b'{"index":0,"event_type":"step.delta","delta":{"text":"a","type":"text"}}'
    )
    assert (
        encode(event) == b'{"event_type":"step.delta","delta":{"type":"text","text":"a"},"index":0}'
    )


def test_edited_models_keep_what_was_unknown() -> None:
    step = decode(b'{"type":"thought","signature":"a","new":1}', m.Step)
    edited = msgspec.structs.replace(step, signature="b")
    assert to_dict(edited) == {"type": "thought", "signature": "b", "new": 1}


def test_set_member_wins_over_the_misfit_it_replaces() -> None:
    usage = decode(b'{"total_tokens":"30","new":1}', m.Usage)
    assert to_dict(msgspec.structs.replace(usage, total_tokens=30)) == {
        "total_tokens": 30,
        "new": 1,
    }


def test_encode_collections() -> None:
    unknown = m.UnknownStep(b'{"type": "x"}')
    assert encode([]) == b"[]"
    assert encode([m.TextDelta(text="a"), {"a": m.StepStop(index=0)}]) == (
        b'[{"type":"text","text":"a"},{"a":{"event_type":"step.stop","index":0}}]'
    )
    assert encode((unknown, {"k": [unknown], 7: unknown}, None)) == (
        b'[{"type": "x"},{"k":[{"type": "x"}],"7":{"type": "x"}},null]'
    )
    assert encode({"\ud83c": "\udf89"}) == rb'{"\ud83c":"\udf89"}'
    assert to_dict([unknown]) == [{"type": "x"}]


@pytest.mark.parametrize(
    "foreign",
    [object(), {1, object()}, [object()], {"a": object()}, {(1, 2): m.UnknownStep(b"{}")}, print],
)
def test_encode_refuses_foreign_objects(foreign: Any) -> None:
    with pytest.raises(TypeError):
        encode(foreign)
    with pytest.raises(TypeError):
        to_dict({"a": m.UnknownStep(b"{}"), "b": foreign})
    with pytest.raises(TypeError):
        encode(m.FunctionCallStep(arguments={"a": object()}))


# ---- whatever fits the models


def assert_round_trip(value: Any, type_: Any) -> None:
    text = encode(value)
    back = decode(text, type_)
    assert back == value
    assert encode(back) == text
    assert exactly(to_dict(value)) == exactly(json.loads(text))


@pytest.mark.parametrize("cls", STRUCTS.values(), ids=STRUCTS)
@settings(QUICK, max_examples=5)
@given(st.data())
def test_every_model_comes_back(cls: type[WireStruct], data: st.DataObject) -> None:
    unknown = data.draw(st.booleans())
    assert_round_trip(data.draw(instances(cls, unknown=unknown, surrogates=unknown)), cls)


@pytest.mark.slow
@pytest.mark.parametrize("unknown", [False, True])
@pytest.mark.parametrize("cls", STRUCTS.values(), ids=STRUCTS)
@settings(QUICK, max_examples=15)
@given(st.data())
def test_every_model_comes_back_at_length(
    cls: type[WireStruct], unknown: bool, data: st.DataObject
) -> None:
    assert_round_trip(data.draw(instances(cls, unknown=unknown, surrogates=unknown)), cls)


@pytest.mark.parametrize("union", UNIONS, ids=[cls.__name__ for cls in UNIONS.values()])
@settings(QUICK, max_examples=20)
@given(st.data())
def test_every_open_union_comes_back(union: Any, data: st.DataObject) -> None:
    assert_round_trip(data.draw(instances(union, unknown=True, surrogates=True)), union)


@settings(QUICK, max_examples=60)
@given(instances(Event))
def test_valid_events_take_one_pass(event: Any) -> None:
    assert decode_event(encode(event), event.event_type, strict=True) == event


@settings(QUICK, max_examples=40)
@given(interactions(unknown=True, surrogates=True))
def test_interactions_come_back(interaction: m.Interaction) -> None:
    assert decode_interaction(encode(interaction)) == interaction


# ---- whatever does not


def same_json(found: Any, sent: Any) -> bool:
    """Whether it is the same value, but for a tag that was left out, and is put in, where only one
    thing was possible; and for an int where the schema has a float.
    """
    if isinstance(sent, dict):
        return (
            isinstance(found, dict)
            and found.keys() >= sent.keys()
            and found.keys() - sent.keys() <= {"type", "event_type"}
            and all(same_json(found[name], member) for name, member in sent.items())
        )
    if isinstance(sent, list):
        return (
            isinstance(found, list) and len(found) == len(sent) and all(map(same_json, found, sent))
        )
    if isinstance(found, float) and type(sent) is int:
        return found == float(sent)
    return type(found) is type(sent) and bool(found == sent)


def assert_survives(text: bytes, name: str | None) -> None:
    """Only our own errors come out, and an object with valid UTF-8 encodes back to itself."""
    try:
        sent = json.loads(text.decode(), parse_constant=lambda constant: 1 / 0)
    except (ValueError, ZeroDivisionError):
        sent = None
    event = decode_event(text, name)
    back = encode(event)
    if isinstance(sent, dict):
        assert same_json(json.loads(back), sent), (event, back)
    else:
        assert isinstance(event, Unknown) or not is_utf8(text)
    for found in iter_unknown(event):
        repr(found)
    to_dict(event)
    try:
        interaction = decode(text, m.Interaction)
    except DecodeError:
        assert not isinstance(sent, dict)
    else:
        if isinstance(sent, dict):
            assert same_json(json.loads(encode(interaction)), sent), interaction
    with contextlib.suppress(DecodeError, ApiError):
        to_dict(decode_interaction(text))
    for function in (decode_event, decode_interaction):
        with contextlib.suppress(DecodeError, ApiError):
            function(text, strict=True)


def is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


NAMES = st.sampled_from([None, "message", "brand.new", *EVENTS])
PLAIN_EVENTS = instances(Event, unknown=True, surrogates=True).map(to_dict)
PLAIN_INTERACTIONS = interactions(unknown=True, surrogates=True).map(to_dict)
DAMAGE = [
    b"",
    b"\\",
    b'"',
    rb"\u",
    rb"\ud83c",
    b"\xff",
    b"{",
    b"]",
    b"1e999",
    b"null",
    b"\x00",
    b" ",
]


@st.composite
def damaged(draw: st.DrawFn, texts: st.SearchStrategy[bytes]) -> bytes:
    """Valid JSON with some bytes taken out and others put in."""
    text = draw(texts)
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(text)))
        gap = draw(st.sampled_from([0, 0, 1, 7]))
        text = text[:start] + draw(st.sampled_from(DAMAGE)) + text[start + gap :]
    return text


ANY_TEXT = {
    "bytes": st.binary(max_size=40),
    "json": json_texts(surrogates=True),
    "objects": json_texts(
        st.dictionaries(
            st.sampled_from(["event_type", "index", "step", "delta", "type", "error", "id"]),
            st.sampled_from([*EVENTS, *FITTING.values(), "text", -1])
            | json_values(surrogates=True),
        )
    ),
    "mutated events": json_texts(mutated(PLAIN_EVENTS)),
    "mutated interactions": json_texts(mutated(PLAIN_INTERACTIONS)),
    "damaged events": damaged(json_texts(PLAIN_EVENTS)),
}


@pytest.mark.parametrize("kind", ANY_TEXT)
@settings(QUICK, max_examples=100)
@given(st.data())
def test_any_text_survives(kind: str, data: st.DataObject) -> None:
    assert_survives(data.draw(ANY_TEXT[kind]), data.draw(NAMES))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ANY_TEXT)
@settings(QUICK, max_examples=400)
@given(st.data())
def test_any_text_survives_at_length(kind: str, data: st.DataObject) -> None:
    assert_survives(data.draw(ANY_TEXT[kind]), data.draw(NAMES))
