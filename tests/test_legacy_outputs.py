"""`outputs` ↔ steps: what each can say, what is lost, and what comes back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gemwire import (
    Interaction,
    decode,
    decode_interaction,
    encode,
    models,
    to_dict,
    unknown_members,
)
from gemwire.codec.surrogates import with_whole_pairs
from gemwire.legacy import LOST, Lost, from_outputs, to_outputs

from .legacy_contents import ALONE, MP4, PDF, PNG, THOUGHT, WAV, A, B
from .legacy_wire import output, part
from .strategies import instances
from .wire import Payload, dumps


def steps(*plain: Payload) -> list[models.Step]:
    return decode(dumps(list(plain)), list[models.Step])


UNTYPED: Payload = {"start_index": 0, "end_index": 1, "source": "locks.example"}
CITED: Payload = {
    "type": "url_citation",
    "start_index": 0,
    "end_index": 1,
    "url": "https://l.example",
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
    expected = from_outputs(outputs)
    assert interaction.steps == expected or with_whole_pairs(body)[1]
    # The arguments of a call are made such that they can be sent; all else is as it was.
    found, sent = (with_whole_pairs(encode(steps))[0] for steps in (interaction.steps, expected))
    assert json.loads(found) == json.loads(sent)
    assert decode_interaction(encode(interaction)) == interaction
