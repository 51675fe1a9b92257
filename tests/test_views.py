"""The answer read off the steps: its text, its media, and the calls that wait for a result."""

from __future__ import annotations

import pytest

from gemwire import Interaction, decode_interaction, to_dict

from .test_steps_audio import part
from .wire import PNG, Payload, dumps


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
