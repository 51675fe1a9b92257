"""What each kind of delta does to each kind of step: one row for each clause of the rules."""

from __future__ import annotations

import base64
from itertools import product
from typing import Any, get_args

import pytest
from msgspec import UNSET

from gemwire import (
    ArgumentsError,
    Interaction,
    assemble,
    decode,
    decode_event,
    decode_interaction,
    encode,
    models,
    to_dict,
)
from gemwire.assembler import Assembler
from gemwire.report import ISSUES
from gemwire.steps import BUILDERS, OPENS, builder_for

from .wire import (
    WAYS,
    Case,
    Payload,
    arguments,
    delta,
    dumps,
    ids,
    pull,
    signature,
    start,
    stop,
    stream,
    text,
)
from .wire import created as created_event

CITATION: Payload = {
    "type": "url_citation",
    "start_index": 0,
    "end_index": 6,
    "url": "https://tide.example/mills",
    "title": "tide.example",
}
PLACE: Payload = {"type": "place_citation", "start_index": 7, "end_index": 11, "name": "Eling"}
MILL: Payload = {"type": "text", "text": "A mill"}
PNG: Payload = {"type": "image", "mime_type": "image/png", "data": "iVBORw0K"}

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
            assert type(builder_for(0, cls(), Assembler().report)) is builder


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
            assert found.issues == [("misplaced", 0)]
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


# ---- the rules, clause by clause

CONTENT = [
    Case(
        "text goes on with the last part if that is text",
        [start(0, "model_output"), text(0, "A "), text(0, "mi"), text(0, "ll"), stop(0)],
        [{"type": "model_output", "content": [MILL]}],
    ),
    Case(
        "text goes on with the text of the start",
        [
            start(0, "model_output", content=[{"type": "text", "text": "A "}]),
            text(0, "mill"),
            stop(0),
        ],
        [{"type": "model_output", "content": [MILL]}],
    ),
    Case(
        "neighbouring texts of the start stay apart",
        [start(0, "model_output", content=[MILL, MILL]), text(0, "!"), stop(0)],
        [{"type": "model_output", "content": [MILL, {"type": "text", "text": "A mill!"}]}],
    ),
    Case(
        "media between texts",
        [
            start(0, "model_output"),
            text(0, "A mill"),
            delta(0, "image", mime_type="image/png", data="iVBORw0K"),
            text(0, "A "),
            text(0, "mill"),
            stop(0),
        ],
        [{"type": "model_output", "content": [MILL, PNG, MILL]}],
    ),
    Case(
        "each image is a part of its own",
        [
            start(0, "model_output"),
            delta(0, "image", mime_type="image/png", data="iVBORw0K"),
            delta(0, "image", mime_type="image/png", data="iVBORw0K"),
            stop(0),
        ],
        [{"type": "model_output", "content": [PNG, PNG]}],
    ),
    Case(
        "an empty text delta opens a part, as it was sent",
        [start(0, "model_output"), text(0, ""), stop(0)],
        [{"type": "model_output", "content": [{"type": "text", "text": ""}]}],
    ),
    Case(
        "an unknown delta does not end a run of text",
        [
            start(0, "model_output"),
            text(0, "A "),
            delta(0, "hologram", shape="wheel"),
            text(0, "mill"),
            stop(0),
        ],
        [{"type": "model_output", "content": [MILL]}],
        unknown=[("step.delta.delta", "hologram")],
    ),
    Case(
        "a delta whose members do not fit does not end one either",
        [
            start(0, "model_output"),
            text(0, "A "),
            delta(0, "text", text=5),
            text(0, "mill"),
            stop(0),
        ],
        [{"type": "model_output", "content": [MILL]}],
        unknown=[("step.delta.delta", "text")],
    ),
    Case(
        "nor does an empty delta",
        [start(0, "model_output"), text(0, "A "), delta(0, None), text(0, "mill"), stop(0)],
        [{"type": "model_output", "content": [MILL]}],
        unknown=[("step.delta.delta", None)],
    ),
    Case(
        "nor a delta that belongs elsewhere",
        [
            start(0, "model_output"),
            text(0, "A "),
            delta(0, "thought_summary", content=MILL),
            text(0, "mill"),
            stop(0),
        ],
        [{"type": "model_output", "content": [MILL]}],
        issues=[("misplaced", 0)],
        unknown=[("step.delta.delta", "thought_summary")],
    ),
    Case(
        "an unknown member of a text delta is counted and left out",
        [start(0, "model_output"), delta(0, "text", text="A mill", mood="calm"), stop(0)],
        [{"type": "model_output", "content": [MILL]}],
        unknown=[("step.delta.delta.mood", "mood")],
    ),
    Case(
        "an unknown member of a media delta stays with its part",
        [start(0, "model_output"), delta(0, "image", data="iVBORw0K", seed=7), stop(0)],
        [{"type": "model_output", "content": [{"type": "image", "data": "iVBORw0K", "seed": 7}]}],
        unknown=[("interaction.steps[].content[].seed", "seed")],
    ),
    Case(
        "unknown parts of the start stay",
        [
            start(0, "model_output", content=[{"type": "hologram", "n": 1}]),
            text(0, "A mill"),
            stop(0),
        ],
        [{"type": "model_output", "content": [{"type": "hologram", "n": 1}, MILL]}],
        unknown=[("interaction.steps[].content[]", "hologram")],
    ),
    Case(
        "a part of the start without a type but with a text is text",
        [start(0, "model_output", content=[{"text": "A "}]), text(0, "mill"), stop(0)],
        [{"type": "model_output", "content": [MILL]}],
    ),
    Case(
        "the error of a model_output stays",
        [start(0, "model_output", error={"code": 13, "message": "lost"}), stop(0)],
        [{"type": "model_output", "error": {"code": 13, "message": "lost"}}],
    ),
    Case(
        "user_input is filled likewise",
        [start(0, "user_input"), text(0, "A "), text(0, "mill"), stop(0)],
        [{"type": "user_input", "content": [MILL]}],
    ),
    Case(
        "a bare step stays bare",
        [start(0, "model_output"), stop(0), start(1, "thought"), stop(1)],
        [{"type": "model_output"}, {"type": "thought"}],
    ),
]

ANNOTATIONS = [
    Case(
        "annotations are appended to the last text",
        [
            start(0, "model_output"),
            text(0, "A mill"),
            delta(0, "text_annotation_delta", annotations=[CITATION]),
            delta(0, "text_annotation_delta", annotations=[PLACE, CITATION]),
            stop(0),
        ],
        [
            {
                "type": "model_output",
                "content": [{**MILL, "annotations": [CITATION, PLACE, CITATION]}],
            }
        ],
    ),
    Case(
        "media after the text is skipped over, and still ends the run of text",
        [
            start(0, "model_output"),
            text(0, "A mill"),
            delta(0, "image", mime_type="image/png", data="iVBORw0K"),
            delta(0, "text_annotation_delta", annotations=[CITATION]),
            text(0, "A mill"),
            stop(0),
        ],
        [{"type": "model_output", "content": [{**MILL, "annotations": [CITATION]}, PNG, MILL]}],
    ),
    Case(
        "the last of several texts",
        [
            start(0, "model_output"),
            text(0, "A mill"),
            delta(0, "image", mime_type="image/png", data="iVBORw0K"),
            text(0, "A mill"),
            delta(0, "text_annotation_delta", annotations=[CITATION]),
            stop(0),
        ],
        [{"type": "model_output", "content": [MILL, PNG, {**MILL, "annotations": [CITATION]}]}],
    ),
    Case(
        "text goes on after annotations",
        [
            start(0, "model_output"),
            text(0, "A "),
            delta(0, "text_annotation_delta", annotations=[CITATION]),
            text(0, "mill"),
            stop(0),
        ],
        [{"type": "model_output", "content": [{**MILL, "annotations": [CITATION]}]}],
    ),
    Case(
        "without any text an empty part is opened, and the next text goes into it",
        [
            start(0, "model_output"),
            delta(0, "text_annotation_delta", annotations=[CITATION]),
            text(0, "A mill"),
            stop(0),
        ],
        [{"type": "model_output", "content": [{**MILL, "annotations": [CITATION]}]}],
    ),
    Case(
        "with media alone the empty part comes after it",
        [
            start(0, "model_output"),
            delta(0, "image", mime_type="image/png", data="iVBORw0K"),
            delta(0, "text_annotation_delta", annotations=[CITATION]),
            stop(0),
        ],
        [
            {
                "type": "model_output",
                "content": [PNG, {"type": "text", "text": "", "annotations": [CITATION]}],
            }
        ],
    ),
    Case(
        "they go on after those of the start",
        [
            start(0, "model_output", content=[{**MILL, "annotations": [CITATION]}]),
            delta(0, "text_annotation_delta", annotations=[PLACE]),
            stop(0),
        ],
        [{"type": "model_output", "content": [{**MILL, "annotations": [CITATION, PLACE]}]}],
    ),
    Case(
        "offsets stay as sent, whatever they are",
        [
            start(0, "model_output"),
            text(0, "A mill"),
            delta(
                0,
                "text_annotation_delta",
                annotations=[{**CITATION, "start_index": 900, "end_index": 3}],
            ),
            stop(0),
        ],
        [
            {
                "type": "model_output",
                "content": [
                    {**MILL, "annotations": [{**CITATION, "start_index": 900, "end_index": 3}]}
                ],
            }
        ],
    ),
    Case(
        "an unknown annotation is kept as it is",
        [
            start(0, "model_output"),
            text(0, "A mill"),
            delta(0, "text_annotation_delta", annotations=[{"type": "footnote", "n": 1}, CITATION]),
            stop(0),
        ],
        [
            {
                "type": "model_output",
                "content": [{**MILL, "annotations": [{"type": "footnote", "n": 1}, CITATION]}],
            }
        ],
        unknown=[("interaction.steps[].content[].annotations[]", "footnote")],
    ),
    Case(
        "without the member nothing happens",
        [start(0, "model_output"), delta(0, "text_annotation_delta"), stop(0)],
        [{"type": "model_output"}],
    ),
]

THOUGHTS = [
    Case(
        "each summary is an item, never glued",
        [
            start(0, "thought"),
            delta(0, "thought_summary", content=MILL),
            delta(0, "thought_summary", content=MILL),
            stop(0),
        ],
        [{"type": "thought", "summary": [MILL, MILL]}],
    ),
    Case(
        "any content can be an item",
        [
            start(0, "thought"),
            delta(0, "thought_summary", content=PNG),
            delta(0, "thought_summary", content={"type": "hologram"}),
            stop(0),
        ],
        [{"type": "thought", "summary": [PNG, {"type": "hologram"}]}],
        unknown=[("interaction.steps[].summary[]", "hologram")],
    ),
    Case(
        "without content nothing happens",
        [start(0, "thought"), delta(0, "thought_summary"), stop(0)],
        [{"type": "thought"}],
    ),
    Case(
        "content without a type but with a text is text",
        [start(0, "thought"), delta(0, "thought_summary", content={"text": "A mill"}), stop(0)],
        [{"type": "thought", "summary": [MILL]}],
    ),
    Case(
        "so is an item of the start",
        [start(0, "thought", summary=[{"text": "A mill"}]), stop(0)],
        [{"type": "thought", "summary": [MILL]}],
    ),
    Case(
        "items go on after those of the start",
        [
            start(0, "thought", summary=[MILL], signature=""),
            delta(0, "thought_summary", content=PNG),
            signature(0, "c2ln"),
            stop(0),
        ],
        [{"type": "thought", "summary": [MILL, PNG], "signature": "c2ln"}],
    ),
    Case(
        "summaries and signatures in turn, as a 2.5 model sends them",
        [
            start(0, "thought"),
            delta(0, "thought_summary", content=MILL),
            signature(0, ""),
            delta(0, "thought_summary", content=MILL),
            signature(0, ""),
            signature(0, "c2ln"),
            stop(0),
        ],
        [{"type": "thought", "summary": [MILL, MILL], "signature": "c2ln"}],
    ),
    Case(
        "text on a thought does not fit",
        [start(0, "thought"), text(0, "A mill"), stop(0)],
        [{"type": "thought"}],
        issues=[("misplaced", 0)],
        unknown=[("step.delta.delta", "text")],
    ),
    Case(
        "a signature that is no string is kept nowhere, but seen",
        [start(0, "thought"), delta(0, "thought_signature", signature=5), stop(0)],
        [{"type": "thought"}],
        unknown=[("step.delta.delta.signature", "signature")],
    ),
]

CALL: Payload = {"type": "function_call", "id": "f1", "name": "tide"}
BEGUN = start(0, "function_call", id="f1", name="tide", arguments={})

ARGUMENTS = [
    Case(
        "fragments are joined and replace the placeholder",
        [
            BEGUN,
            arguments(0, '{"port":"R'),
            arguments(0, ""),
            arguments(0, 'ye","day":2'),
            arguments(0, "}"),
            stop(0),
        ],
        [{**CALL, "arguments": {"port": "Rye", "day": 2}}],
    ),
    Case(
        "the older name of the member",
        [
            BEGUN,
            delta(0, "arguments_delta", partial_arguments='{"port":'),
            delta(0, "arguments_delta", partial_arguments='"Rye"}'),
            stop(0),
        ],
        [{**CALL, "arguments": {"port": "Rye"}}],
    ),
    Case(
        "an object is taken whole",
        [BEGUN, arguments(0, {"port": "Rye"}), stop(0)],
        [{**CALL, "arguments": {"port": "Rye"}}],
    ),
    Case(
        "no fragment: as in the start",
        [start(0, "function_call", id="f1", name="tide", arguments={"port": "Rye"}), stop(0)],
        [{**CALL, "arguments": {"port": "Rye"}}],
    ),
    Case(
        "no fragment and nothing in the start: absent",
        [start(0, "function_call", id="f1", name="tide"), stop(0)],
        [CALL],
    ),
    Case(
        "an empty fragment: as in the start",
        [
            start(0, "function_call", id="f1", name="tide", arguments={"port": "Rye"}),
            arguments(0, ""),
            stop(0),
        ],
        [{**CALL, "arguments": {"port": "Rye"}}],
    ),
    Case(
        "blank fragments and nothing in the start: {}",
        [
            start(0, "function_call", id="f1", name="tide"),
            arguments(0, " \n"),
            arguments(0, "\t"),
            stop(0),
        ],
        [{**CALL, "arguments": {}}],
    ),
    Case(
        "fragments replace the arguments of the start, and are not merged into them",
        [
            start(0, "function_call", id="f1", name="tide", arguments={"port": "Rye"}),
            arguments(0, '{"day":2}'),
            stop(0),
        ],
        [{**CALL, "arguments": {"day": 2}}],
    ),
    Case(
        "blanks around the object",
        [BEGUN, arguments(0, ' {"port":"Rye"}\r\n'), stop(0)],
        [{**CALL, "arguments": {"port": "Rye"}}],
    ),
    Case(
        "numbers of any size survive",
        [
            BEGUN,
            arguments(0, '{"n":12345678901234567890123,"f":1e2,'),
            arguments(0, '"z":0}'),
            stop(0),
        ],
        [{**CALL, "arguments": {"n": 12345678901234567890123, "f": 100.0, "z": 0}}],
    ),
    Case(
        "an escape that was cut apart",
        [BEGUN, arguments(0, '{"s":"\\ud83c'), arguments(0, '\\udf0a"}'), stop(0)],
        [{**CALL, "arguments": {"s": "\U0001f30a"}}],
    ),
    Case(
        "a pair of surrogates that was cut apart",
        [BEGUN, arguments(0, '{"s":"\ud83c'), arguments(0, '\udf0a"}'), stop(0)],
        [{**CALL, "arguments": {"s": "\U0001f30a"}}],
    ),
    Case(
        "a step still open at the end is parsed then",
        [BEGUN, arguments(0, '{"port":"Rye"}')],
        [{**CALL, "arguments": {"port": "Rye"}}],
        issues=[("never_stopped", 0)],
    ),
    Case(
        "an unknown member of the delta is counted",
        [BEGUN, delta(0, "arguments_delta", arguments='{"a":1}', part=1), stop(0)],
        [{**CALL, "arguments": {"a": 1}}],
        unknown=[("step.delta.delta.part", "part")],
    ),
    Case(
        "on a call of another kind that has arguments",
        [
            start(0, "google_search_call", id="g1"),
            arguments(0, '{"queries":["tide'),
            arguments(0, ' mill"]}'),
            stop(0),
        ],
        [{"type": "google_search_call", "id": "g1", "arguments": {"queries": ["tide mill"]}}],
    ),
    Case(
        "on a kind of call that is in no schema",
        [
            start(0, "tool_call", id="t1", arguments={}),
            arguments(0, '{"port":'),
            arguments(0, '"Rye"}'),
            stop(0),
        ],
        [{"type": "tool_call", "id": "t1", "arguments": {"port": "Rye"}}],
        unknown=[("step.start.step", "tool_call"), ("interaction.steps[]", "tool_call")],
    ),
    Case(
        "blank ones leave what the start of such a call held",
        [start(0, "tool_call", arguments={"port": "Rye"}), arguments(0, " "), stop(0)],
        [{"type": "tool_call", "arguments": {"port": "Rye"}}],
        unknown=[("step.start.step", "tool_call"), ("interaction.steps[]", "tool_call")],
    ),
    Case(
        "and are {} where it held none",
        [start(0, "tool_call"), arguments(0, ""), stop(0)],
        [{"type": "tool_call", "arguments": {}}],
        unknown=[("step.start.step", "tool_call"), ("interaction.steps[]", "tool_call")],
    ),
]

BROKEN = ['{"port":', "[1,2]", '"text"', "7", "null", '{"a":1}{"b":2}', "{'a':1}", "}", "\ud83c"]

TOOLS = [
    Case(
        "members are merged, lists extended, objects one level deep",
        [
            start(0, "google_search_call", id="g1", arguments={"queries": ["tide"]}),
            delta(0, "google_search_call", arguments={"queries": ["mill"], "region": "uk"}),
            stop(0),
            start(1, "google_search_result", call_id="g1"),
            delta(1, "google_search_result", result=[{"search_suggestions": "a"}]),
            delta(1, "google_search_result", result=[{"search_suggestions": "b"}], is_error=False),
            stop(1),
            start(2, "mcp_server_tool_call", id="m1", arguments={"port": "Rye", "at": {"h": 1}}),
            delta(2, "mcp_server_tool_call", arguments={"day": 2, "at": {"m": 3}}, name="level"),
            stop(2),
        ],
        [
            {
                "type": "google_search_call",
                "id": "g1",
                "arguments": {"queries": ["mill"], "region": "uk"},
            },
            {
                "type": "google_search_result",
                "call_id": "g1",
                "result": [{"search_suggestions": "a"}, {"search_suggestions": "b"}],
                "is_error": False,
            },
            {
                "type": "mcp_server_tool_call",
                "id": "m1",
                "name": "level",
                "arguments": {"port": "Rye", "day": 2, "at": {"m": 3}},
            },
        ],
        unknown=[("interaction.steps[].arguments.region", "region")],
    ),
    Case(
        "id and call_id only fill a gap",
        [
            start(0, "function_result", call_id="f1"),
            delta(0, "function_result", call_id="f9", result="high"),
            stop(0),
            start(1, "function_result"),
            delta(1, "function_result", call_id="f2", result="low"),
            stop(1),
            start(2, "google_search_call", id=""),
            delta(2, "google_search_call", id="g1"),
            delta(2, "google_search_call", id="g2"),
            stop(2),
        ],
        [
            {"type": "function_result", "call_id": "f1", "result": "high"},
            {"type": "function_result", "call_id": "f2", "result": "low"},
            {"type": "google_search_call", "id": "g1"},
        ],
    ),
    Case(
        "null and empty strings never overwrite",
        [
            start(0, "mcp_server_tool_call", id="m1", name="level", server_name="gauge"),
            delta(0, "mcp_server_tool_call", name="", server_name=None, id=None),
            stop(0),
            start(1, "code_execution_call", arguments={"language": "python", "code": "1"}),
            delta(1, "code_execution_call", arguments={"language": "", "code": None}),
            stop(1),
        ],
        [
            {"type": "mcp_server_tool_call", "id": "m1", "name": "level", "server_name": "gauge"},
            {"type": "code_execution_call", "arguments": {"language": "python", "code": "1"}},
        ],
    ),
    Case(
        "another value for a scalar: the later one stands",
        [
            start(0, "mcp_server_tool_call", name="level"),
            delta(0, "mcp_server_tool_call", name="height"),
            stop(0),
            start(1, "code_execution_result"),
            delta(1, "code_execution_result", result="4", is_error=True),
            delta(1, "code_execution_result", result="42", is_error=False),
            stop(1),
        ],
        [
            {"type": "mcp_server_tool_call", "name": "height"},
            {"type": "code_execution_result", "result": "42", "is_error": False},
        ],
        issues=[("conflict", 0), ("conflict", 1, 2)],
    ),
    Case(
        "the same value again is no conflict",
        [
            start(0, "mcp_server_tool_call", name="level"),
            delta(0, "mcp_server_tool_call", name="level"),
            stop(0),
        ],
        [{"type": "mcp_server_tool_call", "name": "level"}],
    ),
    Case(
        "members that the step knows and its delta does not",
        [
            start(0, "retrieval_call"),
            delta(0, "retrieval_call", id="r1"),
            stop(0),
            start(1, "google_search_call"),
            delta(1, "google_search_call", search_type="web_search"),
            stop(1),
        ],
        [
            {"type": "retrieval_call", "id": "r1"},
            {"type": "google_search_call", "search_type": "web_search"},
        ],
    ),
    Case(
        "members that neither knows",
        [
            start(0, "google_search_call", cost=1),
            delta(0, "google_search_call", depth=2, note=None),
            stop(0),
        ],
        [{"type": "google_search_call", "cost": 1, "depth": 2, "note": None}],
        unknown=[
            ("interaction.steps[].cost", "cost"),
            ("interaction.steps[].depth", "depth"),
            ("interaction.steps[].note", "note"),
        ],
    ),
    Case(
        "the same rules hold for those",
        [
            start(0, "google_search_call", cost=1, tags=["a"], note="n", where={"x": 1, "y": 1}),
            delta(0, "google_search_call", cost=2, tags=["b"], note=None, where={"x": 2, "y": ""}),
            stop(0),
        ],
        [
            {
                "type": "google_search_call",
                "cost": 2,
                "tags": ["a", "b"],
                "note": "n",
                "where": {"x": 2, "y": 1},
            }
        ],
        issues=[("conflict", 0)],
        unknown=[
            (f"interaction.steps[].{name}", name) for name in ("cost", "tags", "note", "where")
        ],
    ),
    Case(
        "a delta of the step's own kind that the spec has no delta for",
        [
            start(0, "function_call", id="f1", arguments={}),
            delta(0, "function_call", id="f9", name="tide", arguments={"port": "Rye"}),
            stop(0),
        ],
        [{**CALL, "arguments": {"port": "Rye"}}],
        unknown=[("step.delta.delta", "function_call")],
    ),
    Case(
        "a kind of step that is in no schema",
        [
            start(0, "tool_call", id="t1", tags=["a"], where={"port": "Rye", "x": 1}),
            delta(0, "tool_call", id="t9", tags=["b"], where={"x": 2}, name="level"),
            delta(0, "tool_call", name="height", note=None, server=""),
            delta(0, "tool_call", name="", server="gauge"),
            signature(0, "c2ln"),
            stop(0),
        ],
        [
            {
                "type": "tool_call",
                "id": "t1",
                "tags": ["a", "b"],
                "where": {"port": "Rye", "x": 2},
                "name": "height",
                "note": None,
                "server": "gauge",
                "signature": "c2ln",
            }
        ],
        issues=[("conflict", 0)],
        unknown=[
            ("step.start.step", "tool_call"),
            ("step.delta.delta", "tool_call", 3),
            ("interaction.steps[]", "tool_call"),
        ],
    ),
    Case(
        "signatures in the deltas of such a step",
        [
            start(0, "tool_call", signature=""),
            delta(0, "tool_call", signature="one"),
            delta(0, "tool_call", signature=""),
            delta(0, "tool_call", signature="two"),
            stop(0),
        ],
        [{"type": "tool_call", "signature": "two"}],
        issues=[("signature_conflict", 0)],
        unknown=[
            ("step.start.step", "tool_call"),
            ("step.delta.delta", "tool_call", 3),
            ("interaction.steps[]", "tool_call"),
        ],
    ),
    Case(
        "a result on the call, a call on the result",
        [
            start(0, "google_search_call", id="g1"),
            delta(0, "google_search_result", result=[{"search_suggestions": "a"}]),
            stop(0),
            start(1, "google_search_result", call_id="g1"),
            delta(1, "google_search_call", arguments={"queries": ["mill"]}),
            stop(1),
        ],
        [
            {"type": "google_search_call", "id": "g1"},
            {"type": "google_search_result", "call_id": "g1"},
        ],
        issues=[("misplaced", 0), ("misplaced", 1)],
        unknown=[
            ("step.delta.delta", "google_search_result"),
            ("step.delta.delta", "google_search_call"),
        ],
    ),
]

UNTYPED = [
    Case(
        "{} is unknown and nothing else",
        [start(0, "model_output"), delta(0, None), stop(0)],
        [{"type": "model_output"}],
        unknown=[("step.delta.delta", None)],
    ),
    Case(
        "a text is text",
        [start(0, "model_output"), text(0, "A "), delta(0, None, text="mill"), stop(0)],
        [{"type": "model_output", "content": [MILL]}],
        unknown=[("step.delta.delta", None)],
    ),
    Case(
        "a text that is none is not",
        [start(0, "model_output"), text(0, "A mill"), delta(0, None, text=7), stop(0)],
        [{"type": "model_output", "content": [MILL]}],
        unknown=[("step.delta.delta", None)],
    ),
    Case(
        "a text on a thought does not fit",
        [start(0, "thought"), delta(0, None, text="A mill"), stop(0)],
        [{"type": "thought"}],
        issues=[("misplaced", 0)],
        unknown=[("step.delta.delta", None)],
    ),
    Case(
        "on a call or a result it is of the step's own kind",
        [
            start(0, "code_execution_call", id="x1"),
            delta(0, None, arguments={"code": "6 * 7"}),
            stop(0),
            start(1, "code_execution_result", call_id="x1"),
            delta(1, None, result="42", is_error=False),
            stop(1),
            start(2, "tool_call"),
            delta(2, None, name="level"),
            stop(2),
        ],
        [
            {"type": "code_execution_call", "id": "x1", "arguments": {"code": "6 * 7"}},
            {"type": "code_execution_result", "call_id": "x1", "result": "42", "is_error": False},
            {"type": "tool_call", "name": "level"},
        ],
        unknown=[
            ("step.delta.delta", None, 3),
            ("step.start.step", "tool_call"),
            ("interaction.steps[]", "tool_call"),
        ],
    ),
    Case(
        "on other steps nothing happens",
        [start(0, "thought"), delta(0, None, summary=[MILL]), stop(0)],
        [{"type": "thought"}],
        unknown=[("step.delta.delta", None)],
    ),
    Case(
        "a text without a step opens a model_output",
        [delta(0, None, text="A mill"), stop(0)],
        [{"type": "model_output", "content": [MILL]}],
        issues=[("start_missing", 0)],
        unknown=[("step.delta.delta", None)],
    ),
    Case("{} without a step opens nothing", [delta(0, None)], unknown=[("step.delta.delta", None)]),
    Case(
        "an unknown tag without a step opens nothing",
        [delta(0, "hologram"), delta(1, "thought"), delta(2, "tool_call", id="t1")],
        unknown=[
            ("step.delta.delta", "hologram"),
            ("step.delta.delta", "thought"),
            ("step.delta.delta", "tool_call"),
        ],
    ),
    Case(
        "the tag of a call without a step opens it, also without a delta in the spec",
        [delta(0, "function_call", id="f1", name="tide", arguments={"port": "Rye"}), stop(0)],
        [{**CALL, "arguments": {"port": "Rye"}}],
        issues=[("start_missing", 0)],
        unknown=[("step.delta.delta", "function_call")],
    ),
]

ALL = [*CONTENT, *ANNOTATIONS, *THOUGHTS, *ARGUMENTS, *TOOLS, *UNTYPED]


@pytest.mark.parametrize("case", ALL, ids=ids(ALL))
def test_rule(case: Case) -> None:
    for way, read in WAYS.items():
        assert (way, case.seen(read(case.bytes))) == (way, case.expected)


@pytest.mark.parametrize("raw", BROKEN)
def test_arguments_that_are_no_object(raw: str) -> None:
    """UNSET, an issue with index and text; an exception only where the answer asks for the call."""
    events = [
        start(0, "thought"),
        stop(0),
        start(1, "function_call", name="tide", arguments={"a": 1}),
    ]
    events += [arguments(1, piece) for piece in (raw[:2], raw[2:])] + [stop(1)]
    found = pull(Case("", events).bytes)
    shown = raw.encode("utf-8", "backslashreplace").decode()
    assert found.raised is ArgumentsError
    assert found.steps == [{"type": "thought"}, {"type": "function_call", "name": "tide"}]
    (issue,) = found.known.issues
    assert (issue.kind, issue.index, issue.detail, issue.count) == ("arguments", 1, shown, 1)
    assembler = Assembler()
    for event in events:
        assembler.apply(decode(_json(event), models.InteractionSseEvent))
    step = assembler.step(1)
    assert isinstance(step, models.FunctionCallStep)
    assert step.arguments is UNSET


def test_arguments_error_names_the_call() -> None:
    events = [start(4, "function_call", name="tide"), arguments(4, '{"port":'), stop(4)]
    with pytest.raises(ArgumentsError) as caught:
        assemble(Case("", events).bytes)
    assert (caught.value.index, caught.value.raw) == (4, '{"port":')
    assert caught.value.report.outcome == "completed"
    assert caught.value.interaction is not None
    assert caught.value.interaction.status == "completed"


def _json(event: Payload) -> bytes:
    return dumps(event).encode()


def test_arguments_of_an_open_step_are_unset() -> None:
    """Half of a call must not be mistaken for a call, whatever the start held."""
    whole = start(0, "function_call", id="f1", name="tide", arguments={"port": "Rye"})
    for events in ([BEGUN], [BEGUN, arguments(0, '{"port":"Rye"}')], [whole]):
        found = pull(stream(created_event(), *events))
        assert found.outcome == "truncated"
        assert found.steps == [CALL]


def test_arguments_repaired_after_the_stop() -> None:
    """A fragment after the stop is folded all the same: what is whole then is no error."""
    events = [BEGUN, arguments(0, '{"port":'), stop(0), arguments(0, '"Rye"}')]
    found = pull(Case("", events).bytes)
    assert found.steps == [{**CALL, "arguments": {"port": "Rye"}}]
    assert found.raised is None
    assert found.issues == [("arguments", 0), ("after_stop", 0)]


# ---- audio


def audio(data: str, **members: Any) -> Payload:
    return delta(0, "audio", **{"mime_type": "audio/l16", "data": data, **members})


def part(data: str, **members: Any) -> Payload:
    return {"type": "audio", "mime_type": "audio/l16", "data": data, **members}


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


AUDIO: dict[str, tuple[list[Payload], list[Payload], list[tuple[Any, ...]]]] = {
    "pieces of whole triples are joined": (
        [audio("AAEC"), audio("AwQF"), audio("BgcI")],
        [part("AAECAwQFBgcI")],
        [],
    ),
    "pieces with padding are joined as bytes": (
        [audio(b64(b"\0\1")), audio(b64(b"\2\3\4\5")), audio(b64(b"\6"))],
        [part(b64(bytes(range(7))))],
        [],
    ),
    "pieces that lack their padding": (
        [audio(b64(b"\0\1").rstrip("=")), audio(b64(b"\2").rstrip("="))],
        [part(b64(bytes(range(3))))],
        [],
    ),
    "rate counts as sample_rate": (
        [audio("AAEC", rate=24000), audio("AwQF", sample_rate=24000)],
        [part("AAECAwQF", sample_rate=24000)],
        [],
    ),
    "sample_rate before rate": (
        [audio("AAEC", rate=1, sample_rate=24000), audio("AwQF", sample_rate=24000)],
        [part("AAECAwQF", sample_rate=24000)],
        [],
    ),
    "what a piece lacks is inherited": (
        [
            audio("AAEC", sample_rate=24000, channels=1),
            delta(0, "audio", data="AwQF"),
            audio("BgcI", channels=1),
        ],
        [part("AAECAwQFBgcI", sample_rate=24000, channels=1)],
        [],
    ),
    "another mime type begins a part": (
        [audio("AAEC"), audio("AwQF", mime_type="audio/wav"), audio("BgcI", mime_type="audio/wav")],
        [part("AAEC"), part("AwQFBgcI", mime_type="audio/wav")],
        [("audio_format", 0)],
    ),
    "another sample rate begins a part": (
        [audio("AAEC", rate=24000), audio("AwQF", rate=16000)],
        [part("AAEC", sample_rate=24000), part("AwQF", sample_rate=16000)],
        [("audio_format", 0)],
    ),
    "another number of channels begins a part": (
        [audio("AAEC", channels=1), audio("AwQF", channels=2)],
        [part("AAEC", channels=1), part("AwQF", channels=2)],
        [("audio_format", 0)],
    ),
    "text between ends the run": (
        [audio("AAEC"), text(0, "A mill"), audio("AwQF")],
        [part("AAEC"), MILL, part("AwQF")],
        [],
    ),
    "a piece by reference is a part of its own": (
        [
            audio("AAEC"),
            delta(0, "audio", mime_type="audio/l16", uri="gs://b/a"),
            audio("AwQF"),
            audio("BgcI"),
        ],
        [
            part("AAEC"),
            {"type": "audio", "mime_type": "audio/l16", "uri": "gs://b/a"},
            part("AwQFBgcI"),
        ],
        [("audio_data", 0)],
    ),
    "a piece that is no base64 is a part of its own": (
        [audio("AAEC"), audio("?!"), audio("A"), audio("né"), audio("AwQF"), audio("BgcI")],
        [part("AAEC"), part("?!"), part("A"), part("né"), part("AwQFBgcI")],
        [("audio_data", 0, 3)],
    ),
    "an empty piece changes nothing": (
        [audio("AAEC"), audio(""), audio("AwQF")],
        [part("AAECAwQF")],
        [],
    ),
    "a piece without data is a part of its own": (
        [audio("AAEC"), delta(0, "audio"), audio("AwQF")],
        [part("AAEC"), {"type": "audio"}, part("AwQF")],
        [("audio_data", 0)],
    ),
}


@pytest.mark.parametrize("name", AUDIO)
def test_audio(name: str) -> None:
    events, content, issues = AUDIO[name]
    case = Case(
        name,
        [start(0, "model_output"), *events, stop(0)],
        [{"type": "model_output", "content": content}],
        issues=issues,
    )
    for way, read in WAYS.items():
        assert (way, case.seen(read(case.bytes))) == (way, case.expected)


def test_audio_goes_on_with_that_of_the_start() -> None:
    case = Case(
        "",
        [start(0, "model_output", content=[part("AAE=")]), audio("AgME"), stop(0)],
        [{"type": "model_output", "content": [part("AAECAwQ=")]}],
    )
    assert case.seen(pull(case.bytes)) == case.expected


def test_audio_of_each_size_comes_out_as_it_went_in() -> None:
    """However bytes are cut before base64: joined, they are the same bytes."""
    data = bytes(range(256)) * 3
    for size in (1, 2, 3, 4, 5, 7, 100):
        pieces = [data[at : at + size] for at in range(0, len(data), size)]
        events = [start(0, "model_output"), *(audio(b64(piece)) for piece in pieces), stop(0)]
        found = pull(Case("", events).bytes)
        assert found.interaction.output_audio[0].data == b64(data)


# ---- surrogates


HALVES: dict[str, tuple[list[str], str, list[tuple[Any, ...]]]] = {
    "a pair cut apart": (["wave \ud83c", "\udf0a!"], "wave \U0001f30a!", []),
    "with nothing before it": (["\ud83c", "\udf0a"], "\U0001f30a", []),
    "an empty piece between the halves": (["\ud83c", "", "\udf0a"], "\U0001f30a", []),
    "a high half alone": (["wave \ud83c", "!"], "wave \ufffd!", [("lone_surrogate", 0)]),
    "a low half alone": (["wave ", "\udf0a!"], "wave \ufffd!", [("lone_surrogate", 0)]),
    "a high half at the end": (["wave ", "\ud83c"], "wave \ufffd", [("lone_surrogate", 0)]),
    "a single piece": (["wave \ud83c"], "wave \ufffd", [("lone_surrogate", 0)]),
    "nothing else at all": (["\ud83c"], "\ufffd", [("lone_surrogate", 0)]),
    "the wrong way round": (["\udf0a", "\ud83c"], "\ufffd\ufffd", [("lone_surrogate", 0)]),
}


@pytest.mark.parametrize("name", HALVES)
@pytest.mark.parametrize("watched", [False, True], ids=["unseen", "with-snapshots"])
def test_surrogates(name: str, watched: bool) -> None:
    """Halves find each other, also where a snapshot is taken between them."""
    pieces, whole, issues = HALVES[name]
    case = Case(
        name,
        [start(0, "model_output"), *(text(0, piece) for piece in pieces), stop(0)],
        [{"type": "model_output", "content": [{"type": "text", "text": whole}]}],
        issues=issues,
    )
    if not watched:
        for read in WAYS.values():
            assert case.seen(read(case.bytes)) == case.expected
        return
    assembler = Assembler()
    for message in case.events:
        assert isinstance(message, dict)
        assembler.apply(decode(_json(message), models.InteractionSseEvent))
        seen = assembler.snapshot().output_text
        assert whole.startswith(seen.removesuffix("\ufffd"))
        seen.encode()
    assert assembler.snapshot().output_text == whole
    assert [(issue.kind, issue.index) for issue in assembler.report.issues] == issues


def test_half_of_a_pair_before_an_image() -> None:
    """A part that was ended by another cannot wait for its other half."""
    events = [start(0, "model_output"), text(0, "wave \ud83c"), delta(0, "image", data="iVBORw0K")]
    found = pull(stream(created_event(), *events))
    assert found.interaction.steps is not UNSET
    assert found.plain["steps"][0]["content"][0]["text"] == "wave \ufffd"


def test_the_event_itself_keeps_what_was_sent() -> None:
    sent = _json(text(0, "wave \ud83c"))
    event = decode_event(sent, "step.delta")
    assert isinstance(event, models.StepDelta)
    assert isinstance(event.delta, models.TextDelta)
    assert event.delta.text == "wave \ud83c"
    assert b"\\ud83c" in encode(event)


# ---- the answer read off the steps


def answer_of(*steps: Payload) -> Interaction:
    return decode_interaction(dumps({"status": "completed", "steps": list(steps)}))


def output(*parts: Payload) -> Payload:
    return {"type": "model_output", "content": list(parts)}


T1, T2, T3 = ({"type": "text", "text": letter} for letter in "abc")
THOUGHT: Payload = {"type": "thought", "signature": "c2ln"}
SEARCH: Payload = {"type": "google_search_call", "id": "g1"}
ASKED: Payload = {"type": "user_input", "content": [T1]}

OUTPUT_TEXT: list[tuple[list[Payload], str]] = [
    ([], ""),
    ([output()], ""),
    ([output(T1, T2)], "ab"),
    ([output(T1), output(T2)], "ab"),
    ([output(T1, PNG)], "a"),
    ([output(T1, PNG, T2)], "b"),
    ([output(T1), THOUGHT, output(T2)], "ab"),
    ([output(T1), SEARCH, output(T2)], "b"),
    ([output(T1), SEARCH], "a"),
    ([output(T1), THOUGHT], "a"),
    ([output(T1), output(PNG)], "a"),
    ([output(T1), {"type": "model_output"}, output(T2)], "ab"),
    ([output(T1), output(PNG), output(T2)], "b"),
    ([output(T1), {"type": "hologram"}, output(T2)], "b"),
    ([output(T1, {"type": "hologram"}, T2)], "b"),
    ([ASKED], ""),
    ([output(T1), ASKED], ""),
    ([output(T1), ASKED, output(T2, T3)], "bc"),
]


@pytest.mark.parametrize(("steps", "expected"), OUTPUT_TEXT)
def test_output_text(steps: list[Payload], expected: str) -> None:
    assert answer_of(*steps).output_text == expected
    assert Interaction().output_text == ""


def test_output_media() -> None:
    """All of them after the last user_input; tools and thoughts do not stop it."""
    sound = part("AAEC")
    found = answer_of(
        output(PNG), ASKED, output(T1, PNG), SEARCH, THOUGHT, output(sound, {**PNG, "data": "AAAA"})
    )
    assert [image.data for image in found.output_images] == ["iVBORw0K", "AAAA"]
    assert [to_dict(item) for item in found.output_audio] == [sound]
    assert [*answer_of().output_images, *Interaction().output_audio] == []


def test_function_calls_without_a_result() -> None:
    calls = [{"type": "function_call", "id": name, "name": "tide"} for name in "abc"]
    result = {"type": "function_result", "call_id": "b", "result": "high"}
    assert [call.id for call in answer_of(*calls).function_calls] == ["a", "b", "c"]
    assert [call.id for call in answer_of(*calls, result).function_calls] == ["a", "c"]
    assert [call.id for call in answer_of(calls[1], result, calls[0]).function_calls] == ["a"]
    nameless = {"type": "function_call", "name": "tide"}
    astray = {"type": "function_result", "result": "high"}
    assert len(answer_of(nameless, astray).function_calls) == 1, "no id is no match for no id"


def test_issues_of_the_tables_have_a_meaning() -> None:
    tables = [case.issues for case in ALL] + [issues for _, _, issues in AUDIO.values()]
    assert {entry[0] for issues in tables for entry in issues} <= set(ISSUES)


def test_every_pair_of_deltas_is_taken_without_an_exception() -> None:
    """Any two kinds, after one another on any step of either kind: never an exception."""
    for (first, one), (second, two) in product(KINDS.items(), repeat=2):
        events = [start(0, owner(first)), delta(0, first, **one[1]), delta(0, second, **two[1])]
        found = pull(Case("", events).bytes)
        both = first == second == "arguments_delta"  # two objects, one after the other, are none
        assert found.raised is (ArgumentsError if both else None)
        assert ("never_stopped", 0) in found.issues
