"""Input and results go into a request as the server wants them; history goes unchanged."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import UNSET

from gemwire import (
    FunctionCallStep,
    FunctionResultStep,
    ImageContent,
    Interaction,
    TextContent,
    UserInputStep,
    assemble,
    decode,
    decode_interaction,
    encode,
    function_result,
    history,
    to_dict,
    user_input,
)
from gemwire import models as m
from gemwire.operations import create_interaction
from gemwire.replay import BUNDLED, Recording

# ---- turns


def test_user_input() -> None:
    image = ImageContent(uri="gs://b/i.png")
    assert user_input("Look:", image, "And?") == UserInputStep(
        content=[TextContent(text="Look:"), image, TextContent(text="And?")]
    )
    assert encode(user_input("")) == (
        b'{"type":"user_input","content":[{"type":"text","text":""}]}'
    )
    with pytest.raises(ValueError, match="needs content"):
        user_input()


@pytest.mark.parametrize(
    "part", [["a", "b"], None, b"GIF89a", {"type": "text"}, 7, Interaction(), m.ThoughtStep()]
)
def test_what_is_no_content(part: Any) -> None:
    with pytest.raises(TypeError, match="not a Content: "):
        user_input("a", part)


def test_content_that_is_newer() -> None:
    part = decode(b'{"type":"hologram","beams":4}', m.Content)
    assert user_input(part).content == [part]


CALL = FunctionCallStep(id="c1", name="weather", arguments={"city": "Ulm"})


@pytest.mark.parametrize(
    ("result", "sent"),
    [
        ("sunny", "sunny"),
        ("", ""),
        ({"sky": {"clouds": 0}}, {"sky": {"clouds": 0}}),
        ({}, {}),
        (TextContent(text="a"), [{"type": "text", "text": "a"}]),
        ([TextContent(text="a"), ImageContent(uri="u")], None),
        ((TextContent(text="a"),), [{"type": "text", "text": "a"}]),
        ([], []),
    ],
)
def test_function_result(result: Any, sent: Any) -> None:
    step = function_result(CALL, result)
    plain = to_dict(step)
    assert (plain["type"], plain["call_id"], plain["name"]) == ("function_result", "c1", "weather")
    assert "is_error" not in plain
    assert plain["result"] == (to_dict(result) if sent is None else sent)
    assert decode(encode(step), FunctionResultStep, strict=True) == step


def test_a_failed_function() -> None:
    assert function_result(CALL, "no network", is_error=True).is_error is True
    assert function_result(CALL, "sunny", is_error=False).is_error is False


@pytest.mark.parametrize(
    "result",
    [
        *(None, 7, 1.5, True, b"text", [1], ["a"], [{"a": 1}], {1}),
        *(Interaction(), [Interaction()], m.ThoughtStep(), CALL),
    ],
)
def test_results_that_the_wire_has_no_form_for(result: Any) -> None:
    with pytest.raises(TypeError, match="as a member"):
        function_result(CALL, result)


def test_numbers_that_json_lacks() -> None:
    """They would reach the model as null."""
    with pytest.raises(ValueError, match="JSON has no form for nan"):
        function_result(CALL, {"result": [float("nan")]})
    with pytest.raises(TypeError):
        function_result(CALL, {"result": object()})


@pytest.mark.parametrize("identity", [UNSET, ""])
def test_a_call_without_an_id(identity: Any) -> None:
    with pytest.raises(ValueError, match="'f' has no id"):
        function_result(FunctionCallStep(id=identity, name="f"), "x")


# ---- history


@pytest.mark.parametrize("name", [name for name in BUNDLED if Recording.load(name).body])
def test_what_was_assembled_goes_back_as_it_came(name: str) -> None:
    """From the bytes of a stream to the bytes of the next request; the twin says what belongs."""
    recording = Recording.load(name)
    interaction = assemble(recording.stream)
    turns = history("Go on.", interaction, user_input("And?"))
    body = create_interaction({"model": "m", "store": False, "input": turns}).body
    assert body is not None
    sent = json.loads(body)["input"]
    assert sent[0] == to_dict(user_input("Go on."))
    assert sent[1:-1] == json.loads(recording.body or b"")["steps"]
    again = history("Go on.", decode_interaction(recording.body or b""))
    assert again[1:] == list(interaction.steps or ())


def test_signatures_and_unknown_parts_are_untouched() -> None:
    steps = [
        {"type": "thought", "signature": "A==\n =", "summary": [], "new": {"a": [1.0]}},
        {"type": "hologram", "signature": "s", "data": 1e2},
        {"type": "function_call", "id": "c1", "name": "f", "arguments": {}, "signature": "t"},
    ]
    interaction = decode_interaction(json.dumps({"id": "i", "status": "completed", "steps": steps}))
    call = interaction.function_calls[0]
    turns = history("q", interaction, function_result(call, "x"))
    typed = m.CreateModelInteraction(model="m", input=turns)
    for body in (create_interaction(typed).body, create_interaction({"input": turns}).body):
        assert body is not None
        assert json.loads(body)["input"][1:4] == steps
        assert b"1e2" in body or b"100.0" in body


def test_history_of_all_kinds_of_turns() -> None:
    step = user_input("b")
    assert history() == []
    assert history(Interaction()) == []
    assert history("a", step, [step, step], Interaction(steps=[step]), iter((step,))) == [
        user_input("a"),
        *[step] * 5,
    ]


@pytest.mark.parametrize(
    "turn", [{"type": "user_input", "content": []}, 7, None, b"a", TextContent(text="a"), [["a"]]]
)
def test_what_is_no_turn(turn: Any) -> None:
    with pytest.raises(TypeError, match="not a Step: "):
        history("a", turn)


HELLO: list[Any] = [{"role": "user", "content": "Hi"}, {"role": "model", "content": "Hello!"}]
HELLO_STEPS: list[Any] = [user_input("Hi"), m.ModelOutputStep(content=[TextContent(text="Hello!")])]


@pytest.mark.parametrize(
    ("turns", "steps"),
    [
        (HELLO, HELLO_STEPS),
        ([HELLO], HELLO_STEPS),
        ([["Hi", HELLO[1]]], HELLO_STEPS),
        ([m.Turn(**turn) for turn in HELLO], HELLO_STEPS),
        ([[m.Turn(**turn) for turn in HELLO]], HELLO_STEPS),
        ([{"role": "user", "content": [{"type": "text", "text": "Hi"}]}], HELLO_STEPS[:1]),
        ([{"role": "user", "content": [TextContent(text="Hi")]}], HELLO_STEPS[:1]),
        ([{"role": "user", "content": TextContent(text="Hi")}], HELLO_STEPS[:1]),
        (
            ["Hi", {"role": "model", "content": [{"type": "function_call", "id": "c", "name": "f",
                                                  "arguments": {}}]}],
            [user_input("Hi"), FunctionCallStep(id="c", name="f", arguments={})],
        ),
    ],
)  # fmt: skip
def test_turns_as_steps(turns: list[Any], steps: list[Any]) -> None:
    assert history(*turns) == steps


@pytest.mark.parametrize(
    "turn",
    [
        {"role": "user"},
        {"role": "user", "content": 7},
        {"role": "user", "content": []},
        {"role": "system", "content": "a"},
        {"role": "user", "content": "a", "newer": 1},
        m.Turn(role="user"),
    ],
)
def test_turns_that_cannot_be_read(turn: Any) -> None:
    with pytest.raises(ValueError, match="a turn has `role`"):
        history(turn)


ANSWER = decode_interaction(
    b'{"id":"a","status":"requires_action","steps":[{"type":"thought","signature":"s"},'
    b'{"type":"function_call","id":"c1","name":"weather","arguments":{"city":"Ulm"}}]}'
)
RESULT = function_result(CALL, "sunny")
WHOLE = Interaction(steps=HELLO_STEPS, status="completed")  # as a GET gives it


@pytest.mark.parametrize(
    "turns",
    [
        [ANSWER, RESULT],
        [[*(ANSWER.steps or ())], RESULT],
        [WHOLE, ANSWER, RESULT],
        ["Hi", ANSWER, ANSWER],
        [HELLO[1]],
    ],
)
def test_what_the_user_said_is_asked_for(turns: list[Any]) -> None:
    """A GET in `requires_action` does not bring it, whatever it is asked for."""
    with pytest.raises(ValueError, match="what the user said is missing"):
        history(*turns)


def with_input(given: Any) -> Interaction:
    return Interaction(input=given, steps=ANSWER.steps, status="requires_action")


@pytest.mark.parametrize(
    ("turns", "asked"),
    [
        (["Hi", ANSWER], user_input("Hi")),
        ([with_input("Hi")], user_input("Hi")),
        ([with_input(TextContent(text="Hi"))], user_input("Hi")),
        ([with_input([TextContent(text="Hi"), TextContent(text="!")])], user_input("Hi", "!")),
        ([with_input([user_input("Hi")])], user_input("Hi")),
        (["Hi", with_input("no, not this")], user_input("Hi")),
        ([RESULT, ANSWER], RESULT),
    ],
)
def test_what_the_user_said_is_there(turns: list[Any], asked: Any) -> None:
    assert history(*turns, RESULT) == [asked, *(ANSWER.steps or ()), RESULT]


def test_an_answer_in_several_hops() -> None:
    hop = Interaction(steps=HELLO_STEPS[1:], status="requires_continuation")
    assert history("Hi", hop, ANSWER) == [*HELLO_STEPS, *(ANSWER.steps or ())]


def test_a_call_that_was_cut() -> None:
    """It is left out; a result for it has nothing to answer."""
    cut = FunctionCallStep(id="c2", name="weather")
    torn = Interaction(steps=[m.ThoughtStep(signature="s"), cut, CALL])
    assert history("q", torn) == [user_input("q"), m.ThoughtStep(signature="s"), CALL]
    with pytest.raises(ValueError, match="'c2', whose arguments were cut"):
        history("q", torn, function_result(cut, "x"))
