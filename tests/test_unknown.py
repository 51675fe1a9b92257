"""What the spec does not know is visible, is an object of its own, and goes back unchanged."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable
from functools import partial
from typing import Any, get_args

import msgspec
import pytest
from msgspec import UNSET

import gemwire
from gemwire import (
    DecodeError,
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
from gemwire.codec.schema import fields, shape
from gemwire.codec.structs import Extra, Int64, Shapes
from gemwire.codec.unknown import Found
from tests.strategies import EVENTS, STRUCTS, UNIONS


def compact(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


# ---- every place where a union stands

Wrap = Callable[[Any], dict[str, Any]]
Pick = Callable[[Any], Any]


def start(step: Any) -> dict[str, Any]:
    return {"event_type": "step.start", "step": step}


def delta(data: Any) -> dict[str, Any]:
    return {"event_type": "step.delta", "delta": data}


def created(**members: Any) -> dict[str, Any]:
    return {"event_type": "interaction.created", "interaction": members}


PLACES: dict[str, tuple[type[Unknown], str, Wrap, Pick]] = {
    # name: (what becomes of it, its path, how the payload has it, where the event has it)
    "step": (m.UnknownStep, "$.step", start, lambda event: event.step),
    "steps": (
        m.UnknownStep,
        "$.interaction.steps[0]",
        lambda step: created(steps=[step]),
        lambda event: event.interaction.steps[0],
    ),
    "delta": (m.UnknownStepDeltaData, "$.delta", delta, lambda event: event.delta),
    "content of a step": (
        m.UnknownContent,
        "$.step.content[0]",
        lambda part: start({"type": "model_output", "content": [part]}),
        lambda event: event.step.content[0],
    ),
    "content of a summary": (
        m.UnknownContent,
        "$.delta.content",
        lambda part: delta({"type": "thought_summary", "content": part}),
        lambda event: event.delta.content,
    ),
    "annotation": (
        m.UnknownAnnotation,
        "$.step.content[0].annotations[0]",
        lambda note: start(
            {
                "type": "user_input",
                "content": [{"type": "text", "text": "a", "annotations": [note]}],
            }
        ),
        lambda event: event.step.content[0].annotations[0],
    ),
    "annotation of a delta": (
        m.UnknownAnnotation,
        "$.delta.annotations[0]",
        lambda note: delta({"type": "text_annotation_delta", "annotations": [note]}),
        lambda event: event.delta.annotations[0],
    ),
    "tool": (
        m.UnknownTool,
        "$.interaction.tools[0]",
        lambda tool: created(tools=[tool]),
        lambda event: event.interaction.tools[0],
    ),
    "result": (
        m.UnknownFunctionResultSubcontent,
        "$.step.result[0]",
        lambda part: start({"type": "function_result", "result": [part]}),
        lambda event: event.step.result[0],
    ),
    "agent config": (
        m.UnknownInteractionAgentConfig,
        "$.interaction.agent_config",
        lambda config: created(agent_config=config),
        lambda event: event.interaction.agent_config,
    ),
    "transcription mode": (
        m.UnknownTranscriptionMode,
        "$.interaction.generation_config.transcription_config.mode",
        lambda mode: created(generation_config={"transcription_config": {"mode": mode}}),
        lambda event: event.interaction.generation_config.transcription_config.mode,
    ),
}

NEW: list[tuple[Any, str | None]] = [
    # (JSON, its tag)
    ({"type": "hologram", "x": [1, 1.5, None, {"type": "text"}]}, "hologram"),
    ({"x": "é", "type": "größe"}, "größe"),
    ({"type": ""}, ""),
    ({"type": "Text", "text": "a"}, "Text"),
    ({"type": "__unknown__"}, "__unknown__"),
    ({}, None),
    ({"text": "a", "Type": "text"}, None),
    ({"type": None}, None),
    ({"type": 7}, None),
    ({"type": ["text"]}, None),
    ({"type": {"type": "text"}}, None),
]


def test_there_is_a_place_for_each_open_union() -> None:
    placed = {cls for cls, *_ in PLACES.values()}
    open_ = {cls for _, cls in UNIONS.values() if cls.__module__ == "gemwire.models.interactions"}
    assert placed | {m.UnknownInteractionSseEvent} == open_


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(("value", "tag"), NEW, ids=[json.dumps(value) for value, _ in NEW])
def test_new_kind(place: str, value: Any, tag: str | None) -> None:
    cls, path, wrap, pick = PLACES[place]
    payload = wrap(value)
    event = decode_event(compact(payload), payload["event_type"])
    found = pick(event)
    assert type(found) is cls
    assert isinstance(found, gemwire.Unknown)
    assert (found.type, found.tag, found.reason) == ("__unknown__", tag, None)
    assert found.json == compact(value)
    assert found.raw == value
    assert list(iter_unknown(event)) == [Found(path, "union", tag, found)]
    assert to_dict(event) == payload
    with pytest.raises(DecodeError):
        decode_event(compact(payload), payload["event_type"], strict=True)


MISFITS: list[tuple[str, Any, str]] = [
    # (place, JSON, reason)
    ("delta", {"type": "text"}, "required, but missing at $.text"),
    ("delta", {"type": "text", "text": None}, "Expected `str`, got `null` at $.text"),
    ("content of a step", {"type": "text", "text": 7}, "Expected `str`, got `int` at $.text"),
    ("content of a summary", {"type": "text"}, "required, but missing at $.text"),
    ("result", {"type": "text", "txt": "a"}, "required, but missing at $.text"),
]


@pytest.mark.parametrize(("place", "value", "reason"), MISFITS)
def test_known_kind_that_does_not_fit(place: str, value: Any, reason: str) -> None:
    cls, path, wrap, pick = PLACES[place]
    payload = wrap(value)
    event = decode_event(compact(payload))
    found = pick(event)
    assert type(found) is cls
    assert (found.type, found.tag, found.reason) == ("__unknown__", "text", reason)
    assert found.json == compact(value)
    assert [item.path for item in iter_unknown(event)] == [path]
    assert to_dict(event) == payload


@pytest.mark.parametrize(
    ("payload", "tag"),
    [
        ({"event_type": "step.paused", "index": 0, "step": {"type": "text"}}, "step.paused"),
        ({"index": 0, "event_type": ""}, ""),
        ({"event_type": "Step.Stop", "index": 0}, "Step.Stop"),
        ({"event_type": "__unknown__"}, "__unknown__"),
    ],
)
def test_new_kind_of_event(payload: dict[str, Any], tag: str) -> None:
    text = json.dumps(payload, indent=2).encode()
    for name in (None, tag, "step.stop", "other"):
        event = decode_event(text, name)
        assert type(event) is m.UnknownInteractionSseEvent
        assert (event.event_type, event.tag) == ("__unknown__", tag)
        other = "the event_type is not known, and the event is named step.stop"  # so it is damaged
        assert event.reason == (other if name == "step.stop" else None)
        assert encode(event) == event.json == text
        assert list(iter_unknown(event)) == [Found("$", "union", tag, event)]
        assert unknown_members(event) == {}


def test_exact_text_is_kept() -> None:
    odd = '{ "type" :\t"holo\\u0067ram","n":1.50e+2 , "d":1,"d":2, "s":"\\u00e9é\\/" }'
    event = decode_event(f'{{"event_type":"step.delta","delta": {odd} }}')
    assert isinstance(event, m.StepDelta)
    assert isinstance(event.delta, m.UnknownStepDeltaData)
    assert event.delta.tag == "hologram"
    assert event.delta.json == odd.encode()
    assert odd.encode() in encode(event)


# ---- the objects


def test_type_and_event_type_are_on_every_class() -> None:
    for _, cls in UNIONS.values():
        assert cls.type == "__unknown__"
    assert m.UnknownInteractionSseEvent.event_type == "__unknown__"
    for name, event in EVENTS.items():
        assert event.event_type == name  # type: ignore[attr-defined]
    for union, _ in UNIONS.values():
        for member in get_args(union):
            config = member.__struct_config__
            assert getattr(member, config.tag_field) == config.tag


def test_unknown_compares_by_tag_and_value() -> None:
    one = m.UnknownStep(b'{"type":"x","a":1}', "x")
    assert one == m.UnknownStep(b'{ "a": 1, "type": "x" }', "x", "another reason")
    assert one != m.UnknownStep(b'{"type":"x","a":2}', "x")
    assert one != m.UnknownStep(b'{"type":"x","a":1}', None)
    assert one != m.UnknownContent(b'{"type":"x","a":1}', "x")
    assert one != {"type": "x", "a": 1}
    assert m.UnknownStep(b"not json") == m.UnknownStep(b"not json")
    with pytest.raises(TypeError):
        hash(one)


def test_extra_compares_by_value() -> None:
    one = decode(b'{"total_tokens":1,"a":[1],"b":2}', m.Usage)
    assert one == decode(b'{"b": 2, "total_tokens": 1, "a": [ 1 ]}', m.Usage)
    assert one != decode(b'{"total_tokens":1,"a":[2],"b":2}', m.Usage)
    assert one != decode(b'{"total_tokens":1}', m.Usage)
    assert one.extra_ != {"a": [1], "b": 2}


def test_raw_is_read_anew_each_time() -> None:
    unknown = m.UnknownStep(b'{"a":[]}')
    unknown.raw["a"].append(1)
    assert unknown.raw == {"a": []}
    assert m.UnknownStep(b"[DONE").raw == "[DONE"
    assert m.UnknownStep(b"\xff").raw == "�"
    usage = decode(b'{"new":[]}', m.Usage)
    unknown_members(usage)["new"].append(1)
    assert unknown_members(usage) == {"new": []}


def test_repr_shows_what_is_needed() -> None:
    assert repr(m.UnknownStep(b"{}")) == "UnknownStep(tag=None, json=b'{}')"
    long = m.UnknownStep(b"x" * 1000, "x", "does not fit")
    assert repr(long).endswith("...', reason='does not fit')")
    assert len(repr(long)) < 150
    usage = decode(b'{"total_tokens":1,"new":[]}', m.Usage)
    assert repr(usage) == "Usage(extra_=Extra({'new': b'[]'}), total_tokens=1)"


WITH_UNKNOWNS = {
    "event": decode_event(b'{"event_type":"later","a":"\\ud83c"}'),
    "unknown": m.UnknownStep(b'{"type":"x"}', "x", "reason"),
    "members": decode_interaction(b'{"status":"completed","new":[1],"usage":{"total_tokens":"3"}}'),
    "nested": decode_event(
        b'{"event_type":"step.start","step":{"type":"model_output","new":1,"content":'
        b'[{"type":"x"},{"type":"text"},{"type":"text","text":"a","annotations":[{}]}]}}'
    ),
    "extra": Extra({"a": b"[1]"}),
}


def pickled(protocol: int, value: Any) -> Any:
    return pickle.loads(pickle.dumps(value, protocol))


COPIERS: dict[str, Callable[[Any], Any]] = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    **{
        f"pickle {protocol}": partial(pickled, protocol)
        for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1)
    },
}


@pytest.mark.parametrize("how", COPIERS)
@pytest.mark.parametrize("name", WITH_UNKNOWNS)
def test_copies_are_equal(name: str, how: str) -> None:
    value: Any = WITH_UNKNOWNS[name]
    other = COPIERS[how](value)
    assert type(other) is type(value)
    assert other == value
    assert repr(other) == repr(value)
    if not isinstance(value, Extra):
        assert encode(other) == encode(value)


# ---- the Structs


def test_structs_are_frozen_keyword_only_and_unhashable() -> None:
    cls: Any = m.TextDelta
    text = cls(text="a")
    with pytest.raises(AttributeError):
        text.text = "b"
    with pytest.raises(TypeError):
        cls("a")
    with pytest.raises(TypeError):
        hash(text)
    assert text == m.TextDelta(text="a")
    assert text != m.TextContent(text="a")
    assert msgspec.structs.replace(text, text="b") == m.TextDelta(text="b")


@pytest.mark.parametrize(
    "name", ["extra_", "_extra", "extra", "Extra", "texts", "__slots__", "__class__", "unset", ""]
)
@pytest.mark.parametrize("value", [{}, {"a": "b"}, {"texts": {"a": "b"}}, [], "a", None, 1])
def test_no_name_on_the_wire_reaches_the_side_field(name: str, value: Any) -> None:
    """Whatever a member is called, it is one unknown member, and nothing else."""
    payload = {"type": "thought", name: value}
    step: Any = decode(compact(payload), m.Step)
    assert type(step) is m.ThoughtStep
    assert isinstance(step.extra_, Extra)
    assert unknown_members(step) == {name: value}
    assert to_dict(step) == payload
    free = {"type": "dynamic", name: value}
    assert to_dict(decode(compact(free), m.InteractionAgentConfig)) == free


def test_nothing_decodes_to_the_private_classes() -> None:
    for private in (Extra, Shapes, Int64):
        for text in (b"{}", b'{"texts":{}}', b"[]", b"null", b'""', b"1"):
            with pytest.raises(msgspec.ValidationError):
                msgspec.json.decode(text, type=private)


def test_the_side_field_is_no_member() -> None:
    for cls in EVENTS.values():
        assert "extra_" not in fields(cls)
        assert "extra_" in cls.__struct_fields__


# ---- finding


def test_iter_unknown_walks_in_order() -> None:
    body = {
        "status": "paused",
        "tools": [{"type": "x"}, {"type": "google_search", "search_types": ["web_search", "y"]}],
        "steps": [
            {"type": "function_call", "arguments": {"type": "x", "deep": [{"type": "y"}]}},
            {"type": "model_output", "content": [{"type": "text"}, {"type": "image", "new": None}]},
            {"type": "later"},
        ],
        "environment": {"type": "remote", "env": {"A": {"value": "b", "new": 1}}},
        "usage": {"total_tokens": "3", "grounding_tool_count": [{"type": "z"}]},
        "labels": {"status": "x"},
        "new": {"type": "later"},
    }
    interaction = decode_interaction(compact(body))
    found = list(iter_unknown(interaction))
    assert [(item.path, item.kind, item.tag) for item in found] == [
        ("$.environment.env.A.new", "member", "new"),
        ("$.status", "value", "paused"),
        ("$.steps[1].content[0]", "union", "text"),
        ("$.steps[1].content[1].new", "member", "new"),
        ("$.steps[2]", "union", "later"),
        ("$.tools[0]", "union", "x"),
        ("$.tools[1].search_types[1]", "value", "y"),
        ("$.usage.grounding_tool_count[0].type", "value", "z"),
        ("$.usage.total_tokens", "member", "total_tokens"),
        ("$.new", "member", "new"),
    ]
    assert [item.sample for item in found if item.kind != "union"] == [
        *(1, "paused", None, "y", "z", "3", {"type": "later"})
    ]
    assert to_dict(interaction) == body


def test_iter_unknown_takes_lists_and_plain_values() -> None:
    unknown = m.UnknownStep(b"{}")
    assert [item.path for item in iter_unknown([m.ThoughtStep(), unknown])] == ["$[1]"]
    assert [item.path for item in iter_unknown({"a": unknown})] == ["$.a"]
    nothing: Any
    for nothing in (None, UNSET, 1, "a", [], {}, [[unknown]], m.ThoughtStep()):
        assert list(iter_unknown(nothing)) == []


def test_free_members_are_not_unknown() -> None:
    """The schema of a dynamic agent allows any member: they are kept, and nothing is reported."""
    config = {"type": "dynamic", "model": "m", "depth": 3}
    interaction = decode_interaction(compact({"status": "queued", "agent_config": config}))
    assert isinstance(interaction.agent_config, m.DynamicAgentConfig)
    assert unknown_members(interaction.agent_config) == {"model": "m", "depth": 3}
    assert list(iter_unknown(interaction)) == []
    assert to_dict(interaction)["agent_config"] == config


def test_every_union_of_structs_has_an_unknown_class() -> None:
    """Where several tagged Structs can stand, a new one must have a place: as `Unknown…`, or as a
    free object.
    """
    for cls in STRUCTS.values():
        for name, field in fields(cls).items():
            hints = [field.hint, *shape(field.hint).lists]
            for kinds in map(shape, hints):
                if len(kinds.structs) > 1:
                    assert kinds.unknown is not None or kinds.map is not None, (cls, name)
