"""`outputs` ↔ steps: bodies of the legacy generation, and the view of old on any answer."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import UNSET

from gemwire import (
    Interaction,
    Unknown,
    decode,
    decode_interaction,
    encode,
    models,
    to_dict,
    unknown_members,
)
from gemwire.errors import ApiError, DecodeError
from gemwire.legacy import LOST, Lost, from_outputs, to_outputs

from .strategies import instances
from .wire import Payload, dumps


def part(words: str, **members: Any) -> Payload:
    return {"type": "text", "text": words, **members}


def output(*parts: Payload) -> Payload:
    return {"type": "model_output", "content": list(parts)}


def steps(*plain: Payload) -> list[models.Step]:
    return decode(dumps(list(plain)), list[models.Step])


A, B = part("a"), part("b")
PNG: Payload = {"type": "image", "mime_type": "image/png", "data": "iVBORw0K"}
WAV: Payload = {"type": "audio", "mime_type": "audio/wav", "data": "AAEC", "sample_rate": 8000}
PDF: Payload = {"type": "document", "uri": "gs://b/plan.pdf"}
MP4: Payload = {"type": "video", "uri": "gs://b/boat.mp4", "resolution": "low"}
THOUGHT: Payload = {"type": "thought", "signature": "c2ln", "summary": [A, PNG]}
UNTYPED: Payload = {"start_index": 0, "end_index": 1, "source": "locks.example"}
CITED: Payload = {
    "type": "url_citation",
    "start_index": 0,
    "end_index": 1,
    "url": "https://l.example",
}

# Every kind of content that is a step of its own, with all its members.
ALONE: dict[str, Payload] = {
    "thought": THOUGHT,
    "function_call": {"id": "k", "name": "f", "arguments": {"n": 1}, "signature": "c2ln"},
    "function_result": {
        "call_id": "k",
        "name": "f",
        "result": [A, PNG],
        "is_error": True,
        "signature": "c2ln",
    },
    "code_execution_call": {
        "id": "k",
        "arguments": {"code": "1", "language": "python"},
        "signature": "c2ln",
    },
    "code_execution_result": {
        "call_id": "k",
        "result": "1",
        "is_error": False,
        "signature": "c2ln",
    },
    "url_context_call": {"id": "k", "arguments": {"urls": ["u"]}, "signature": "c2ln"},
    "url_context_result": {
        "call_id": "k",
        "result": [{"url": "u", "status": "paywall"}],
        "is_error": False,
        "signature": "c2ln",
    },
    "google_search_call": {
        "id": "k",
        "arguments": {"queries": ["q"]},
        "search_type": "web_search",
        "signature": "c2ln",
    },
    "google_search_result": {
        "call_id": "k",
        "result": [{"search_suggestions": "<p>", "url": "u", "title": "t"}],
        "is_error": False,
        "signature": "c2ln",
    },
    "mcp_server_tool_call": {
        "id": "k",
        "name": "f",
        "server_name": "s",
        "arguments": {"n": 1},
        "signature": "c2ln",
    },
    "mcp_server_tool_result": {
        "call_id": "k",
        "name": "f",
        "server_name": "s",
        "result": {"any": "thing"},
        "signature": "c2ln",
    },
    "file_search_call": {"id": "k", "signature": "c2ln"},
    "file_search_result": {
        "call_id": "k",
        "result": [{"title": "t", "text": "x", "file_search_store": "s"}],
        "signature": "c2ln",
    },
    "google_maps_call": {"id": "k", "arguments": {"queries": ["q"]}, "signature": "c2ln"},
    "google_maps_result": {
        "call_id": "k",
        "result": [{"places": [{"name": "Foxton"}], "widget_context_token": "w"}],
        "signature": "c2ln",
    },
}

# name: (outputs, steps)
SAID: dict[str, tuple[list[Payload], list[Payload]]] = {
    "nothing": ([], []),
    "one text": ([A], [output(A)]),
    "media in a row": ([A, PNG, WAV, PDF, MP4, B], [output(A, PNG, WAV, PDF, MP4, B)]),
    "a thought between": ([A, THOUGHT, B, B], [output(A), THOUGHT, output(B, B)]),
    "two thoughts": ([THOUGHT, THOUGHT], [THOUGHT, THOUGHT]),
    "annotations of today": (
        [part("a", annotations=[CITED])],
        [output(part("a", annotations=[CITED]))],
    ),
    "annotations without a type": (
        [part("a", annotations=[UNTYPED])],
        [output(part("a", annotations=[UNTYPED]))],
    ),
    "media of a kind to come": (
        [A, {"type": "hologram", "beams": 4}, B],
        [output(A, {"type": "hologram", "beams": 4}, B)],
    ),
    "a call of a kind to come": (
        [A, {"type": "tow_call", "id": "t"}, {"type": "tow_result", "call_id": "t"}],
        [output(A), {"type": "tow_call", "id": "t"}, {"type": "tow_result", "call_id": "t"}],
    ),
    "without a type": ([A, {"text": "a"}, {}], [output(A, {"text": "a"}, {})]),
    "a text without text": ([{"type": "text"}], [output({"type": "text"})]),
    "unknown members": (
        [part("a", new=[1]), {**THOUGHT, "new": {"b": 2}}],
        [output(part("a", new=[1])), {**THOUGHT, "new": {"b": 2}}],
    ),
    "a bare object for a result": (
        [{"type": "google_search_result", "result": {"url": "u"}}],
        [{"type": "google_search_result", "result": {"url": "u"}}],
    ),
    "a result that looks like contents": (
        [{"type": "function_result", "result": {"items": ["eggs"]}}],
        [{"type": "function_result", "result": {"items": ["eggs"]}}],
    ),
    "the names of today's containers": (
        [{"type": "model_output", "content": [A]}, {"type": "user_input", "content": [B]}],
        [output({"type": "model_output", "content": [A]}, {"type": "user_input", "content": [B]})],
    ),
    **{
        kind: ([{**members, "type": kind}], [{**members, "type": kind}])
        for kind, members in ALONE.items()
    },
}


@pytest.mark.parametrize("name", SAID)
def test_both_ways(name: str) -> None:
    outputs, expected = SAID[name]
    lost: list[Lost] = []
    found = from_outputs(outputs, lost=lost)
    assert to_dict(found) == expected
    typed = decode(dumps(outputs), list[models.LegacyContent])
    assert from_outputs(typed) == found
    assert to_outputs(found, lost=lost) == typed
    assert to_dict(to_outputs(found)) == outputs
    assert {kind for _, kind in lost} <= {"foreign"}
    assert Interaction(steps=found).outputs == typed
    body = {"status": "completed", "outputs": outputs}
    interaction = decode_interaction(dumps(body))
    assert interaction.steps == found
    assert unknown_members(interaction) == {}
    assert interaction.outputs == typed


def test_outputs_are_typed() -> None:
    found = to_outputs(
        steps(output(A), THOUGHT, {"type": "function_call", **ALONE["function_call"]})
    )
    kinds = [type(content) for content in found]
    assert kinds == [models.LegacyTextContent, models.ThoughtContent, models.FunctionCallContent]
    assert found[0] == models.LegacyTextContent(text="a")
    annotated = to_outputs(steps(output(part("a", annotations=[UNTYPED]))))
    assert annotated == [
        models.LegacyTextContent(text="a", annotations=[models.LegacyAnnotation(**UNTYPED)])
    ]


def test_no_steps_are_no_outputs() -> None:
    assert Interaction().outputs == to_outputs(Interaction()) == to_outputs([]) == []


# ---- what cannot be said

# name: (outputs, steps, kind of loss)
OLDER: dict[str, tuple[Payload, Payload, str]] = {
    "rate": (
        {"type": "audio", "data": "AAEC", "rate": 8000},
        output({"type": "audio", "data": "AAEC", "sample_rate": 8000}),
        "spelling",
    ),
    "rendered_content": (
        {"type": "google_search_result", "result": [{"rendered_content": "<p>", "title": "t"}]},
        {"type": "google_search_result", "result": [{"search_suggestions": "<p>", "title": "t"}]},
        "spelling",
    ),
    "items": (
        {"type": "function_result", "call_id": "k", "result": {"items": ["a", PNG]}},
        {"type": "function_result", "call_id": "k", "result": [A, PNG]},
        "items",
    ),
    "items of MCP": (
        {"type": "mcp_server_tool_result", "result": {"items": [PNG]}},
        {"type": "mcp_server_tool_result", "result": [PNG]},
        "items",
    ),
}


@pytest.mark.parametrize("name", OLDER)
def test_older_spelling(name: str) -> None:
    content, expected, kind = OLDER[name]
    lost: list[Lost] = []
    found = from_outputs([A, content], lost=lost)
    whole = [output(A, *expected["content"])] if "content" in expected else [output(A), expected]
    assert to_dict(found) == whole
    assert lost == [Lost("$.outputs[1]", kind)]
    assert from_outputs(to_outputs(found)) == found
    place = "$.steps[0].content[1]" if "content" in expected else "$.steps[1]"
    kept = decode(
        dumps([output(A, content)] if "content" in expected else [output(A), content]),
        list[models.Step],
    )
    lost.clear()
    assert to_dict(to_outputs(kept, lost=lost)) == [A, content]
    assert lost == [Lost(place, kind)]


def test_both_names_of_a_member_are_kept() -> None:
    content = {**WAV, "rate": 1}
    assert to_dict(from_outputs([content])) == [output(content)]


WORD: Payload = {"type": "word_info", "word": "a"}
SPEECH: Payload = {"type": "speech_metadata"}

# name: (steps, outputs, losses)
UNSAID: dict[str, tuple[list[Payload], list[Payload], list[tuple[str, str]]]] = {
    "input": (
        [{"type": "user_input", "content": [A]}, output(B)],
        [B],
        [("$.steps[0]", "user_input")],
    ),
    "border": ([output(A), output(B)], [A, B], [("$.steps[1]", "border")]),
    "border beyond what is left out": (
        [output(A), {"type": "user_input"}, output(B)],
        [A, B],
        [("$.steps[1]", "user_input"), ("$.steps[2]", "border")],
    ),
    "empty": (
        [output(), {"type": "model_output"}, THOUGHT],
        [THOUGHT],
        [("$.steps[0]", "empty"), ("$.steps[1]", "empty")],
    ),
    "error": (
        [{**output(A), "error": {"message": "no"}, "new": 1}],
        [A],
        [("$.steps[0].error", "member"), ("$.steps[0].new", "member")],
    ),
    "a step that no schema has": (
        [{"type": "pause", "n": 1}],
        [{"type": "pause", "n": 1}],
        [("$.steps[0]", "place"), ("$.steps[0]", "foreign")],
    ),
    "a part that is named like a step": (
        [output({"type": "thought"})],
        [{"type": "thought"}],
        [("$.steps[0].content[0]", "place")],
    ),
    "kinds of today": (
        [{"type": "retrieval_call", "id": "r"}, {"type": "tool_search_result", "call_id": "r"}],
        [{"type": "retrieval_call", "id": "r"}, {"type": "tool_search_result", "call_id": "r"}],
        [("$.steps[0]", "foreign"), ("$.steps[1]", "foreign")],
    ),
    "annotations of today": (
        [output(part("a", annotations=[CITED, WORD, SPEECH]))],
        [part("a", annotations=[CITED, WORD, SPEECH])],
        [
            ("$.steps[0].content[0].annotations[1]", "foreign"),
            ("$.steps[0].content[0].annotations[2]", "foreign"),
        ],
    ),
    "the result of code as parts": (
        [{"type": "code_execution_result", "result": [A]}],
        [{"type": "code_execution_result", "result": [A]}],
        [("$.steps[0].result", "foreign")],
    ),
}


@pytest.mark.parametrize("name", UNSAID)
def test_what_outputs_cannot_say(name: str) -> None:
    plain, expected, unsaid = UNSAID[name]
    lost: list[Lost] = []
    held = steps(*plain)
    found = to_outputs(held, lost=lost)
    assert to_dict(found) == expected
    assert lost == unsaid
    assert to_outputs(held) == found
    gone = {kind for _, kind in unsaid} - {"foreign"}
    assert (from_outputs(found) == held) is not bool(gone)


@pytest.mark.parametrize(
    ("status", "foreign"),
    [("completed", False), ("incomplete", False), ("queued", True), ("budget_exceeded", True),
     ("requires_continuation", True)],
)  # fmt: skip
def test_statuses(status: str, foreign: bool) -> None:
    lost: list[Lost] = []
    to_outputs(Interaction(status=status), lost=lost)
    assert lost == ([Lost("$.status", "foreign")] if foreign else [])


def test_kinds_of_loss_are_told_and_tested() -> None:
    told = {kind for _, _, losses in UNSAID.values() for _, kind in losses}
    assert told | {kind for _, _, kind in OLDER.values()} == LOST.keys()


# ---- the guarantees

QUICK = settings(deadline=None, max_examples=200, suppress_health_check=list(HealthCheck))
CONTENTS = st.lists(instances(models.LegacyContent, unknown=True, surrogates=True), max_size=4)
STEPS = st.lists(instances(models.Step, unknown=True, surrogates=True), max_size=4)


@settings(QUICK)
@given(CONTENTS)
def test_outputs_come_back(outputs: list[Any]) -> None:
    """The outputs of the steps of outputs are the same, wherever nothing was lost."""
    lost: list[Lost] = []
    found = from_outputs(outputs, lost=lost)
    again = to_outputs(found)
    assert (again == outputs) is not bool(lost)
    assert from_outputs(again) == found, "today's spelling stays"


@settings(QUICK)
@given(STEPS)
def test_steps_come_back(held: list[Any]) -> None:
    """The steps of the outputs of steps are the same exactly where nothing was lost."""
    lost: list[Lost] = []
    outputs = to_outputs(held, lost=lost)
    gone = {kind for _, kind in lost} - {"foreign"}
    assert (from_outputs(outputs) == held) is not bool(gone)
    assert to_outputs(from_outputs(outputs)) == outputs or "spelling" in gone or "items" in gone


@settings(QUICK)
@given(CONTENTS)
def test_bodies_come_back(outputs: list[Any]) -> None:
    body = b'{"status":"completed","outputs":' + encode(outputs) + b"}"
    interaction = decode_interaction(body)
    assert interaction.steps == from_outputs(outputs)
    assert decode_interaction(encode(interaction)) == interaction


# ---- bodies

STARTED: Payload = {"id": "v1_a", "status": "completed", "object": "interaction", "role": "model"}

BODIES: dict[str, tuple[Payload, Payload]] = {
    "no outputs": ({}, {}),
    "empty outputs": ({"outputs": []}, {"steps": []}),
    "outputs": ({"outputs": [A, THOUGHT]}, {"steps": [output(A), THOUGHT]}),
    "outputs beside steps": (
        {"outputs": [A], "steps": [output(B)]},
        {"outputs": [A], "steps": [output(B)]},
    ),
    "outputs beside no steps": ({"outputs": [A], "steps": []}, {"steps": [output(A)]}),
    "outputs that are null": ({"outputs": None}, {"outputs": None}),
    "outputs that are no list": ({"outputs": {"a": 1}}, {"outputs": {"a": 1}}),
    "outputs with things that are none": (
        {"outputs": [A, 5, None, "b", [A]]},
        {"steps": [output(A, 5, None, "b", [A])]},  # type: ignore[arg-type]
    ),
    "usage": (
        {"usage": {"total_reasoning_tokens": 7, "total_tokens": 9}},
        {"usage": {"total_thought_tokens": 7, "total_tokens": 9}},
    ),
    "usage under both names": (
        {"usage": {"total_reasoning_tokens": 7, "total_thought_tokens": 7}},
        {"usage": {"total_reasoning_tokens": 7, "total_thought_tokens": 7}},
    ),
    "unknown members": ({"outputs": [A], "new": 1}, {"steps": [output(A)], "new": 1}),
    "a turn": (
        {"outputs": [], "input": [{"role": "user", "content": "Which lock?"}]},
        {"steps": [], "input": [{"type": "user_input", "content": [part("Which lock?")]}]},
    ),
    "turns of both sides": (
        {
            "input": [
                {"role": "user", "content": [A, PNG]},
                {"role": "model", "content": [THOUGHT, A, B]},
                {"role": "user", "content": [{"type": "function_result", "result": "c"}, A]},
            ]
        },
        {
            "input": [
                {"type": "user_input", "content": [A, PNG]},
                THOUGHT,
                output(A, B),
                {"type": "function_result", "result": "c"},
                {"type": "user_input", "content": [A]},
            ]
        },
    ),
    "a turn of nothing": (
        {"input": [{"role": "user", "content": []}]},
        {"input": [{"role": "user", "content": []}]},
    ),
    "turns that are none": (
        {
            "input": [
                {"role": "judge", "content": "a"},
                {"role": "user"},
                {"role": "user", "content": 5},
                {"role": "user", "content": "a", "new": 1},
                {"role": ["user"], "content": "a"},
                {"role": "user", "content": "a"},
            ]
        },
        {
            "input": [
                {"role": "judge", "content": "a"},
                {"role": "user"},
                {"role": "user", "content": 5},
                {"role": "user", "content": "a", "new": 1},
                {"role": ["user"], "content": "a"},
                {"type": "user_input", "content": [A]},
            ]
        },
    ),
    "contents and results in one input": (
        {"outputs": [], "input": [A, {"type": "function_result", "result": "c"}, B]},
        {
            "steps": [],
            "input": [
                {"type": "user_input", "content": [A]},
                {"type": "function_result", "result": "c"},
                {"type": "user_input", "content": [B]},
            ],
        },
    ),
    "an input of today": ({"outputs": [], "input": [A, PNG]}, {"steps": [], "input": [A, PNG]}),
    "an input of steps": (
        {"outputs": [], "input": [THOUGHT, output(A)]},
        {"steps": [], "input": [THOUGHT, output(A)]},
    ),
}


@pytest.mark.parametrize("name", BODIES)
def test_body(name: str) -> None:
    members, expected = BODIES[name]
    body = {**STARTED, **members}
    interaction = decode_interaction(dumps(body))
    assert to_dict(interaction) == {**STARTED, **expected}
    assert decode_interaction(encode(interaction)) == interaction
    assert to_dict(decode(dumps(body), Interaction)) == body, "this one leaves it as it is"
    event = {"interaction": body, "event_type": "interaction.complete"}
    assert to_dict(decode(dumps(event), models.InteractionCompleteEvent)) == event


def test_strict() -> None:
    body = {**STARTED, "outputs": [A, THOUGHT], "input": [{"role": "user", "content": [A]}]}
    interaction = decode_interaction(dumps(body), strict=True)
    assert to_dict(interaction.steps) == [output(A), THOUGHT]
    for bad in ({"new": 1}, {"outputs": [{"type": "hologram"}]}, {"outputs": 5}):
        with pytest.raises(DecodeError):
            decode_interaction(dumps({**body, **bad}), strict=True)


def test_bodies_that_are_errors() -> None:
    with pytest.raises(ApiError):
        decode_interaction(
            dumps({"error": {"code": "not_found", "message": "gone"}, "outputs": []})
        )


def test_views_of_a_legacy_body() -> None:
    call = {"type": "function_call", **ALONE["function_call"]}
    outputs = [THOUGHT, A, PNG, call, part("b")]
    interaction = decode_interaction(dumps({**STARTED, "outputs": outputs}))
    assert interaction.output_text == "b"
    assert to_dict(interaction.output_images) == [PNG]
    assert to_dict(interaction.function_calls) == [call]
    assert to_dict(interaction.outputs) == outputs
    assert interaction.role == "model"


def test_extreme_texts() -> None:
    """What only the standard library reads comes through as well."""
    body = (
        '{"status":"completed","outputs":[{"type":"text","text":"\\ud83d"},{"type":"function_call",'
    )
    body += '"arguments":{"n":123456789012345678901234567890}}]}'
    interaction = decode_interaction(body)
    said, call = interaction.steps or []
    assert to_dict(said) == output(part("\ud83d"))
    assert json.loads(encode(call))["arguments"] == {"n": 123456789012345678901234567890}
    assert not isinstance(call, Unknown)
    assert to_dict(interaction.outputs)[1]["type"] == "function_call"


def test_turns_have_a_model() -> None:
    sent = [{"role": "user", "content": [A]}, {"role": "model", "content": "b"}]
    body = {"model": "gemini-3-flash-preview", "input": sent, "stream": True}
    request: Any = decode(dumps(body), models.LegacyCreateModelInteraction, strict=True)
    assert request.input == [
        models.Turn(role="user", content=[models.LegacyTextContent(text="a")]),
        models.Turn(role="model", content="b"),
    ]
    assert to_dict(request) == body
    for other in ("a", A, [A, THOUGHT], [{"type": "function_result", "result": "c"}]):
        body["input"] = other
        request = decode(dumps(body), models.LegacyCreateModelInteraction, strict=True)
        assert to_dict(request) == body
        assert request.input is not UNSET
