"""What each kind of delta does to each kind of step; the rules in detail are in test_steps_*.py."""

from __future__ import annotations

from itertools import product
from typing import Any, get_args

import pytest

from gemwire import ArgumentsError, models
from gemwire.assembly.opening import OPENS
from gemwire.assembly.report import ISSUES, Findings
from gemwire.assembly.steps import BUILDERS, builder_for

from .test_steps_arguments import ARGUMENTS
from .test_steps_audio import AUDIO
from .test_steps_content import ANNOTATIONS, CONTENT
from .test_steps_thoughts import THOUGHTS
from .test_steps_tools import TOOLS, UNTYPED
from .wire import CITATION, MILL, PNG, WAYS, Case, Payload, delta, pull, signature, start, stop

# A payload for each kind of delta, and what it makes of the bare step that it belongs to.
# `start` holds what such a step has from its start on.
KINDS: dict[str, tuple[Payload, Payload, Payload]] = {
    "text": ({}, {"text": "A mill"}, {"content": [MILL]}),
    "text_annotation_delta": (
        {},
        {"annotations": [CITATION]},
        {"content": [{"type": "text", "text": "", "annotations": [CITATION]}]},
    ),
    "image": (
        {},
        {"mime_type": "image/png", "data": "iVBORw0K", "resolution": "high"},
        {"content": [{**PNG, "resolution": "high"}]},
    ),
    "document": (
        {},
        {"mime_type": "application/pdf", "uri": "gs://b/plan.pdf"},
        {
            "content": [
                {"type": "document", "mime_type": "application/pdf", "uri": "gs://b/plan.pdf"}
            ]
        },
    ),
    "video": (
        {},
        {"mime_type": "video/mp4", "uri": "gs://b/wheel.mp4", "resolution": "low"},
        {
            "content": [
                {
                    "type": "video",
                    "mime_type": "video/mp4",
                    "uri": "gs://b/wheel.mp4",
                    "resolution": "low",
                }
            ]
        },
    ),
    "audio": (
        {},
        {"mime_type": "audio/l16", "data": "AAEC", "rate": 24000, "channels": 1},
        {
            "content": [
                {
                    "type": "audio",
                    "mime_type": "audio/l16",
                    "data": "AAEC",
                    "sample_rate": 24000,
                    "channels": 1,
                }
            ]
        },
    ),
    "thought_summary": ({}, {"content": MILL}, {"summary": [MILL]}),
    "thought_signature": ({}, {"signature": "c2ln"}, {"signature": "c2ln"}),
    "arguments_delta": (
        {"id": "f1", "name": "tide", "arguments": {}},
        {"arguments": '{"port":"Rye"}'},
        {"id": "f1", "name": "tide", "arguments": {"port": "Rye"}},
    ),
    "function_result": (
        {"call_id": "f1"},
        {"name": "tide", "result": {"high": "04:12"}, "is_error": False},
        {"call_id": "f1", "name": "tide", "result": {"high": "04:12"}, "is_error": False},
    ),
    "google_search_call": (
        {"id": "g1", "signature": ""},
        {"arguments": {"queries": ["tide mill"]}, "signature": "c2ln"},
        {"id": "g1", "arguments": {"queries": ["tide mill"]}, "signature": "c2ln"},
    ),
    "google_search_result": (
        {"call_id": "g1", "signature": ""},
        {"result": [{"search_suggestions": "<p>mill</p>"}], "is_error": False},
        {"call_id": "g1", "result": [{"search_suggestions": "<p>mill</p>"}], "is_error": False},
    ),
    "google_maps_call": (
        {"id": "g2"},
        {"arguments": {"queries": ["mills near Rye"]}, "signature": "c2ln"},
        {"id": "g2", "arguments": {"queries": ["mills near Rye"]}, "signature": "c2ln"},
    ),
    "google_maps_result": (
        {"call_id": "g2"},
        {"result": [{"places": [{"name": "Eling", "place_id": "p1"}]}]},
        {"call_id": "g2", "result": [{"places": [{"name": "Eling", "place_id": "p1"}]}]},
    ),
    "url_context_call": (
        {"id": "u1"},
        {"arguments": {"urls": ["https://tide.example"]}},
        {"id": "u1", "arguments": {"urls": ["https://tide.example"]}},
    ),
    "url_context_result": (
        {"call_id": "u1"},
        {"result": [{"url": "https://tide.example", "status": "success"}], "is_error": False},
        {
            "call_id": "u1",
            "result": [{"url": "https://tide.example", "status": "success"}],
            "is_error": False,
        },
    ),
    "code_execution_call": (
        {"id": "x1"},
        {"arguments": {"language": "python", "code": "print(6 * 7)"}},
        {"id": "x1", "arguments": {"language": "python", "code": "print(6 * 7)"}},
    ),
    "code_execution_result": (
        {"call_id": "x1"},
        {"result": "42\n", "is_error": False},
        {"call_id": "x1", "result": "42\n", "is_error": False},
    ),
    "file_search_call": ({"id": "s1"}, {"signature": "c2ln"}, {"id": "s1", "signature": "c2ln"}),
    "file_search_result": (
        {"call_id": "s1"},
        {"result": [{"file": "mills.txt"}]},
        {"call_id": "s1", "result": [{"file": "mills.txt"}]},
    ),
    "mcp_server_tool_call": (
        {"id": "m1"},
        {"name": "level", "server_name": "gauge", "arguments": {"port": "Rye"}},
        {"id": "m1", "name": "level", "server_name": "gauge", "arguments": {"port": "Rye"}},
    ),
    "mcp_server_tool_result": (
        {"call_id": "m1"},
        {"name": "level", "server_name": "gauge", "result": [MILL]},
        {"call_id": "m1", "name": "level", "server_name": "gauge", "result": [MILL]},
    ),
    "processing_call": ({"id": "p1"}, {"signature": "c2ln"}, {"id": "p1", "signature": "c2ln"}),
    "processing_result": (
        {"call_id": "p1"},
        {"signature": "c2ln"},
        {"call_id": "p1", "signature": "c2ln"},
    ),
    "retrieval_call": (
        {"id": "r1"},
        {"arguments": {"queries": ["mill"]}, "retrieval_type": "vertex_ai_search"},
        {"id": "r1", "arguments": {"queries": ["mill"]}, "retrieval_type": "vertex_ai_search"},
    ),
    "retrieval_result": (
        {"call_id": "r1"},
        {"is_error": True},
        {"call_id": "r1", "is_error": True},
    ),
    "tool_call": (
        {"id": "t1"},
        {"name": "level", "server_name": "gauge", "arguments": {"port": "Rye"}},
        {"id": "t1", "name": "level", "server_name": "gauge", "arguments": {"port": "Rye"}},
    ),
    "tool_search_call": (
        {"id": "t1"},
        {"arguments": {"function_names": ["tide"]}},
        {"id": "t1", "arguments": {"function_names": ["tide"]}},
    ),
    "tool_search_result": (
        {"call_id": "t1"},
        {"result": [{"type": "function", "name": "tide", "description": "Times."}]},
        {
            "call_id": "t1",
            "result": [{"type": "function", "name": "tide", "description": "Times."}],
        },
    ),
}


def owner(kind: str) -> str:
    """The kind of step that a kind of delta belongs to."""
    return str(OPENS[next(cls for cls in OPENS if cls.type == kind)].type)  # type: ignore[attr-defined]


DELTAS = {
    cls.type: cls
    for cls in get_args(models.StepDeltaData)
    if cls is not models.UnknownStepDeltaData
}
STEPS = {cls.type: cls for cls in get_args(models.Step) if cls is not models.UnknownStep}


def test_every_kind_of_delta_opens_a_step() -> None:
    """A kind of delta that is new in the spec fails here until somebody decides about it."""
    assert set(OPENS) == set(DELTAS.values())
    assert set(OPENS.values()) < set(STEPS.values())
    assert set(KINDS) == set(DELTAS)


def test_every_kind_of_step_has_a_builder() -> None:
    """A kind of step that is new in the spec fails here until somebody decides about it."""
    assert set(BUILDERS) == {*STEPS.values(), models.UnknownStep}
    for cls, builder in BUILDERS.items():
        if cls is not models.UnknownStep:
            assert type(builder_for(0, cls(), Findings())) is builder


def test_every_member_of_a_delta_is_taken() -> None:
    """Whatever a delta of the spec can bring, the step can hold."""
    for kind, (_, payload, _) in KINDS.items():
        assert not set(payload) - set(DELTAS[kind].__struct_fields__), kind


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("started", [True, False], ids=["started", "never-started"])
def test_each_delta_on_its_own_step(kind: str, started: bool) -> None:
    base, payload, expected = KINDS[kind]
    tag = owner(kind)
    if not started:
        expected = {name: value for name, value in expected.items() if name not in base}
        if kind == "arguments_delta":
            expected["arguments"] = {"port": "Rye"}
        if "signature" in payload:
            expected["signature"] = payload["signature"]
    events = [delta(0, kind, **payload), stop(0)]
    if started:
        events.insert(0, start(0, tag, **base))
    case = Case(
        kind,
        events,
        steps=[{"type": tag, **expected}],
        issues=[] if started else [("start_missing", 0)],
    )
    for read in WAYS.values():
        assert case.seen(read(case.bytes)) == case.expected


FITTING = {
    "text": {"model_output", "user_input"},
    "text_annotation_delta": {"model_output", "user_input"},
    "image": {"model_output", "user_input"},
    "document": {"model_output", "user_input"},
    "video": {"model_output", "user_input"},
    "audio": {"model_output", "user_input"},
    "thought_summary": {"thought"},
    "thought_signature": set(STEPS),
    "arguments_delta": {
        "code_execution_call",
        "function_call",
        "google_maps_call",
        "google_search_call",
        "mcp_server_tool_call",
        "retrieval_call",
        "tool_call",
        "tool_search_call",
        "url_context_call",
    },
}
"""Where a kind of delta fits; all others only fit the step of their own kind."""

NEW_THERE = {
    ("interaction.steps[].signature", "signature"),
    ("interaction.steps[].arguments.port", "port"),
}
"""What the payloads of `KINDS` bring to a step whose schema does not have it."""


@pytest.mark.parametrize("kind", KINDS)
def test_each_delta_on_each_other_step(kind: str) -> None:
    """What does not fit its step is an issue, counted as unknown, and leaves the step unchanged."""
    _, payload, _ = KINDS[kind]
    for tag in STEPS:
        found = pull(Case("", [start(0, tag), delta(0, kind, **payload), stop(0)]).bytes)
        if tag in FITTING.get(kind, {kind}):
            assert found.issues == []
            assert set(found.unknown) <= NEW_THERE
            assert found.steps != [{"type": tag}]
        else:
            unsure = [("arguments", 0)] if tag == "function_call" else []
            assert found.issues == [("misplaced", 0), *unsure]
            assert found.unknown == [("step.delta.delta", kind)]
            assert found.steps == [{"type": tag}]


@pytest.mark.parametrize("tag", STEPS)
def test_signature_on_every_kind_of_step(tag: str) -> None:
    """The last one that is not empty stands; "" in the start is a placeholder."""

    def sign(*deltas: str, **members: Any) -> Any:
        events = [start(0, tag, **members), *(signature(0, value) for value in deltas), stop(0)]
        found = pull(Case("", events).bytes)
        assert found.steps is not None
        return found.steps[0].get("signature"), [kind for kind, _ in found.issues]

    assert sign("one") == ("one", [])
    assert sign("", "one", "") == ("one", [])
    assert sign("one", "one") == ("one", [])
    assert sign("one", "two") == ("two", ["signature_conflict"])
    if hasattr(STEPS[tag], "signature"):
        assert sign(signature="") == (None, [])
        assert sign("one", signature="") == ("one", [])
        assert sign(signature="one") == ("one", [])
        assert sign("", signature="one") == ("one", [])
        assert sign("two", signature="one") == ("two", ["signature_conflict"])


def with_signature(kind: str) -> tuple[Payload, Payload]:
    """A delta of a kind with a signature, known there or not, and the step that comes of it."""
    base, payload, expected = KINDS[kind]
    events = [
        start(0, owner(kind), **base),
        delta(0, kind, **{**payload, "signature": "c2ln"}),
        stop(0),
    ]
    found = pull(Case("", events).bytes)
    assert found.steps is not None
    return found.steps[0], {"type": owner(kind), **expected, "signature": "c2ln"}


@pytest.mark.parametrize("kind", KINDS)
def test_signature_on_every_kind_of_delta(kind: str) -> None:
    found, expected = with_signature(kind)
    assert found == expected


def test_every_pair_of_deltas_is_taken_without_an_exception() -> None:
    """Any two kinds, after one another on any step of either kind: never an exception."""
    for (first, one), (second, two) in product(KINDS.items(), repeat=2):
        events = [start(0, owner(first)), delta(0, first, **one[1]), delta(0, second, **two[1])]
        found = pull(Case("", events).bytes)
        both = first == second == "arguments_delta"  # two objects, one after the other, are none
        assert found.raised is (ArgumentsError if both else None)
        assert ("never_stopped", 0) in found.issues


# ---- the tables of all rules

ALL = [*CONTENT, *ANNOTATIONS, *THOUGHTS, *ARGUMENTS, *TOOLS, *UNTYPED]


def test_issues_of_the_tables_have_a_meaning() -> None:
    tables = [case.issues for case in ALL] + [issues for _, _, issues in AUDIO.values()]
    assert {entry[0] for issues in tables for entry in issues} <= set(ISSUES)
