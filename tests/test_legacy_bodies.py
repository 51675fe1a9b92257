"""Bodies of the legacy generation: their outputs, turns and usage become those of today."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import UNSET

from gemwire import Interaction, Unknown, decode, decode_interaction, encode, models, to_dict
from gemwire.errors import ApiError, DecodeError

from .legacy_contents import ALONE, PNG, THOUGHT, A, B
from .legacy_wire import begun, complete, output, part
from .wire import Payload, completed, created, dumps, pull, stream

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
    untyped = {"start_index": 0, "end_index": 1, "source": "a"}
    cited = {**A, "annotations": [untyped]}
    body["outputs"] = [cited]
    assert to_dict(decode_interaction(dumps(body), strict=True).steps) == [output(cited)]


@pytest.mark.parametrize("steps", [[], [output(A)]])
def test_strict_beside_steps(steps: list[Any]) -> None:
    """What has steps is held to the schema of today."""
    body = {**STARTED, "steps": steps, "usage": {"total_reasoning_tokens": 1}}
    assert to_dict(decode_interaction(dumps(body), strict=True).steps) == steps
    with pytest.raises(DecodeError, match=r"input\[0\]"):
        decode_interaction(dumps({**body, "input": [{"type": "hologram"}]}), strict=True)


RESULT: dict[str, Any] = {"type": "function_result", "call_id": "c", "result": "r"}
INPUTS: dict[str, tuple[Any, Any]] = {
    "a result beside contents": ([A, RESULT], [{"type": "user_input", "content": [A]}, RESULT]),
    "a turn": ([{"role": "user", "content": "a"}], [{"type": "user_input", "content": [A]}]),
    "one result": (RESULT, [RESULT]),
    "contents among the steps of today": (
        [{"type": "user_input", "content": [A]}, output(B), A],
        [
            {"type": "user_input", "content": [A]},
            output(B),
            {"type": "user_input", "content": [A]},
        ],
    ),
    "newer than we are": ([{"type": "hologram"}], [{"type": "hologram"}]),
    "one that is newer than we are": ({"type": "hologram"}, {"type": "hologram"}),
}


@pytest.mark.parametrize("name", INPUTS)
def test_input_without_outputs(name: str) -> None:
    """The input alone tells the generation, in a body and in the events of either one."""
    sent, expected = INPUTS[name]
    running = {"id": "v1_a", "status": "in_progress", "input": sent}
    assert to_dict(decode_interaction(dumps(running)).input) == expected
    for event in ("interaction.created", "interaction.start"):
        found = pull(stream({"interaction": running, "event_type": event}, complete()))
        assert to_dict(found.interaction.input) == expected


def test_older_names_in_the_events_of_today() -> None:
    usage = {"total_tokens": 3, "total_reasoning_tokens": 2}
    found = pull(stream(created(), completed(usage=usage)))
    assert found.plain["usage"] == {"total_tokens": 3, "total_thought_tokens": 2}


@pytest.mark.parametrize("outputs", [["str"], [None], [7, A]])
def test_outputs_that_are_no_objects(outputs: list[Any]) -> None:
    found = pull(stream(begun(), complete(outputs=outputs)))
    assert found.raised is None
    assert found.steps == [output(*outputs)]


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
