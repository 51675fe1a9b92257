"""What is read off an Interaction: its text, its media, its calls, whether it has ended."""

from __future__ import annotations

import pytest

import gemwire
from gemwire import (
    UNSET,
    Content,
    FunctionCallStep,
    Interaction,
    ModelOutputStep,
    TextContent,
    ThoughtStep,
    decode_interaction,
    encode,
    is_terminal,
    to_dict,
)
from gemwire import models as m
from gemwire.legacy import to_outputs
from gemwire.models.views import UNFINISHED, content_of

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


FULL_TEXT: list[tuple[list[Payload], str]] = [
    ([], ""),
    ([output(T1), SEARCH, output(T2)], "ab"),
    ([output(T1, PNG, T2), THOUGHT], "ab"),
    ([output(T1), ASKED, output(T2)], "ab"),
    ([ASKED, {"type": "thought", "summary": [T1]}, {"type": "hologram", "content": [T1]}], ""),
    ([{"type": "model_output"}, output(T1, {"type": "hologram"})], "a"),
]


@pytest.mark.parametrize(("steps", "expected"), FULL_TEXT)
def test_full_text(steps: list[Payload], expected: str) -> None:
    assert answer_of(*steps).full_text == expected
    assert Interaction().full_text == ""


def test_output_media() -> None:
    """All of them after the last user_input; tools and thoughts do not stop it."""
    sound, video, document = (
        {"type": kind, "mime_type": mime_type, "data": "AAEC"}
        for kind, mime_type in (
            ("audio", "audio/wav"),
            ("video", "video/mp4"),
            ("document", "application/pdf"),
        )
    )
    found = answer_of(
        output(PNG, video),
        ASKED,
        output(T1, PNG, document),
        SEARCH,
        THOUGHT,
        output(sound, {**PNG, "data": "AAAA"}, video),
    )
    assert [image.data for image in found.output_images] == ["iVBORw0K", "AAAA"]
    assert to_dict(found.output_audio) == [sound]
    assert to_dict(found.output_videos) == [video]
    assert to_dict(found.output_documents) == [document]
    for none in (answer_of(), Interaction()):
        assert [*none.output_images, *none.output_audio] == []
        assert [*none.output_videos, *none.output_documents] == []


def test_thoughts() -> None:
    found = answer_of(THOUGHT, output(T1), ASKED, {**THOUGHT, "signature": "Yg=="})
    assert [thought.signature for thought in found.thoughts] == ["c2ln", "Yg=="]
    assert Interaction().thoughts == []


def test_function_calls() -> None:
    """All of them, and those that have no result yet."""
    calls = [{"type": "function_call", "id": name, "name": "tide"} for name in "abc"]
    result = {"type": "function_result", "call_id": "b", "result": "high"}
    for steps, pending in (
        (calls, ["a", "b", "c"]),
        ([*calls, result], ["a", "c"]),
        ([calls[1], result, calls[0], calls[2]], ["a", "c"]),
    ):
        found = answer_of(*steps)
        assert {call.id for call in found.function_calls} == {"a", "b", "c"}
        assert [call.id for call in found.pending_function_calls] == pending
    assert Interaction().function_calls == Interaction().pending_function_calls == []


def test_a_result_without_an_id_answers_no_call_without_an_id() -> None:
    astray = {"type": "function_result", "result": "high"}
    found = answer_of({"type": "function_call", "name": "tide"}, astray)
    assert found.pending_function_calls == [FunctionCallStep(name="tide")]


# ---- whether it has ended


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("completed", True),
        ("failed", True),
        ("requires_action", True),
        ("requires_continuation", True),
        ("of_next_year", True),
        ("in_progress", False),
        ("queued", False),
        ("idle", False),
        (UNSET, False),
    ],
)
def test_ended(status: str | gemwire.UnsetType, expected: bool) -> None:
    assert Interaction(status=status).ended is is_terminal(status) is expected
    assert (status in UNFINISHED) is (not expected and status is not UNSET)


def test_no_status_is_no_end() -> None:
    assert not Interaction().ended
    assert not is_terminal(None)


# ---- the legacy view


def test_outputs_are_those_of_the_legacy_module() -> None:
    found = answer_of(ASKED, THOUGHT, output(T1, PNG), SEARCH, output(T2), {"type": "hologram"})
    assert found.outputs == to_outputs(found)
    assert [to_dict(content) for content in found.outputs] == [
        THOUGHT,
        T1,
        PNG,
        SEARCH,
        T2,
        {"type": "hologram"},
    ]
    assert Interaction().outputs == []


# ---- a bare text in place of parts


def test_text_in_place_of_content() -> None:
    """It counts as one part of text, and `encode()` gives it back as it came."""
    steps = [
        {"type": "thought", "summary": "Plan.", "signature": "c2ln"},
        {"type": "model_output", "content": "Yes"},
        {"type": "model_output", "content": "\ud83c."},
    ]
    found = answer_of(*steps)
    assert to_dict(found)["steps"] == steps
    assert b'"content":"Yes"' in encode(found)
    assert found.output_text == found.full_text == "Yes\ud83c."
    assert [content_of(step) for step in found.steps or ()] == [
        [TextContent(text="Plan.")],
        [TextContent(text="Yes")],
        [TextContent(text="\ud83c.")],
    ]
    assert found.outputs[1:] == [
        m.LegacyTextContent(text="Yes"),
        m.LegacyTextContent(text="\ud83c."),
    ]


def test_content_of() -> None:
    given: list[Content] = [TextContent(text="a")]
    assert content_of(ModelOutputStep(content=given)) is given
    assert content_of(ThoughtStep()) == []
    for step in (
        {"type": "model_output", "content": 7},
        {"type": "model_output", "content": None},
        {"type": "google_search_call", "content": "a"},
        {"type": "hologram", "content": "a"},
    ):
        assert content_of((answer_of(step).steps or [])[0]) == []
