"""The way back: an Interaction as the events of a stream, which assemble to the same again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET
from msgspec.structs import replace

from gemwire import (
    DONE,
    Assembler,
    Interaction,
    TruncatedStream,
    assemble,
    decode,
    decode_interaction,
    disassemble,
    encode,
    encode_sse,
    models,
    to_dict,
)
from gemwire.models.views import UNFINISHED

from .strategies import interactions
from .wire import Payload, Verdict, cut, dumps, pull, push

RECORDINGS = files("gemwire.replay") / "recordings"
NAMES = sorted(
    path.name.removesuffix(".json") for path in RECORDINGS.iterdir() if path.name.endswith(".json")
)
STREAMS = sorted(
    path.name.removesuffix(".sse") for path in RECORDINGS.iterdir() if path.name.endswith(".sse")
)


def streamed(interaction: Interaction) -> bytes:
    """What a server would have sent for it."""
    return b"".join(map(encode_sse, disassemble(interaction))) + DONE


def chunked(data: bytes, cuts: list[int]) -> Iterator[bytes]:
    """The bytes, cut at places given as numbers of any size."""
    places = sorted({place % (len(data) + 1) for place in cuts})
    for begin, end in zip([0, *places], [*places, len(data)], strict=True):
        yield data[begin:end]


def untyped_texts(value: Any) -> bool:
    """Whether there is content without a type but with a text, which comes back as text."""
    if isinstance(value, dict):
        if isinstance(value.get("text"), str) and "type" not in value:
            return True
        return any(map(untyped_texts, value.values()))
    return isinstance(value, list) and any(map(untyped_texts, value))


# ---- any interaction

PLACES = st.lists(st.integers(0, 2**16), max_size=6)


@given(interactions(), PLACES)
def test_there_and_back(interaction: Interaction, cuts: list[int]) -> None:
    data = streamed(interaction)
    again = assemble(chunked(data, cuts))
    assert again == interaction
    assert encode(again) == encode(interaction)


@given(interactions(unknown=True), PLACES)
def test_there_and_back_with_what_no_spec_knows(interaction: Interaction, cuts: list[int]) -> None:
    data = streamed(interaction)
    again = assemble(chunked(data, cuts))
    if not untyped_texts(to_dict(interaction)):
        assert again == interaction
        assert to_dict(again) == to_dict(interaction)


@given(interactions(unknown=True), st.sampled_from([UNSET, "", *sorted(UNFINISHED)]))
@settings(max_examples=30)
def test_without_a_terminal_status_there_is_no_end(interaction: Interaction, status: Any) -> None:
    """Its events end without a terminal one; what they bring is all there."""
    events = list(disassemble(replace(interaction, status=status)))
    assert all(event.event_type != "interaction.completed" for event in events)
    with pytest.raises(TruncatedStream) as caught:
        assemble(b"".join(map(encode_sse, events)))
    assert caught.value.report.outcome == "truncated"
    assert caught.value.interaction is not None
    assert len(caught.value.interaction.steps or ()) == len(interaction.steps or ())


@given(interactions(unknown=True))
@settings(max_examples=50)
def test_events_are_those_of_a_server(interaction: Interaction) -> None:
    """Steps in order, each with start and stop, and nothing that the report would find odd."""
    events = list(disassemble(interaction))
    assembler = Assembler()
    for event in events:
        assembler.apply(event)
    odd = {issue.kind for issue in assembler.report.issues}
    assert odd <= {"audio_data"}, "a part of audio without any data is sent as it is"
    indexes = [e.index for e in events if isinstance(e, models.StepStart | models.StepStop)]
    count = len(interaction.steps or ())
    assert indexes == [index for index in range(count) for _ in range(2)]
    assert [event.event_type for event in events[:2]] == [
        "interaction.created",
        "interaction.status_update",
    ]


@given(interactions(unknown=True))
@settings(max_examples=50)
def test_the_bytes_say_the_same_as_the_events(interaction: Interaction) -> None:
    events = list(disassemble(interaction))
    direct = Assembler()
    direct.apply_all(events)
    found = push([b"".join(map(encode_sse, events))])
    if not untyped_texts(to_dict(interaction)):
        assert found.interaction == direct.snapshot() == interaction


# ---- what deltas cannot bring

TEXT: Payload = {"type": "text", "text": "a"}
AUDIO: Payload = {"type": "audio", "mime_type": "audio/l16", "data": "AAEC"}
IMAGE: Payload = {"type": "image", "mime_type": "image/png", "data": "AAEC"}

STEPS: dict[str, list[Payload]] = {
    "neighbouring texts": [{"type": "model_output", "content": [TEXT, TEXT, IMAGE, TEXT]}],
    "neighbouring texts after others": [{"type": "model_output", "content": [IMAGE, TEXT, TEXT]}],
    "empty texts": [{"type": "model_output", "content": [{**TEXT, "text": ""}]}],
    "empty annotations": [{"type": "model_output", "content": [{**TEXT, "annotations": []}]}],
    "neighbouring audio of one format": [{"type": "model_output", "content": [AUDIO, AUDIO]}],
    "audio with the older name of its rate": [
        {"type": "model_output", "content": [{**AUDIO, "rate": 24000}]}
    ],
    "audio by reference": [{"type": "model_output", "content": [{"type": "audio", "uri": "gs:a"}]}],
    "audio that is no base64": [{"type": "model_output", "content": [{**AUDIO, "data": "?"}]}],
    "media without anything": [{"type": "model_output", "content": [{"type": "image"}]}],
    "unknown members of media": [{"type": "model_output", "content": [{**IMAGE, "seed": 1}, TEXT]}],
    "a signature among them": [{"type": "model_output", "content": [{**IMAGE, "signature": "s"}]}],
    "empty content": [{"type": "model_output", "content": []}],
    "no content": [{"type": "model_output"}],
    "an error": [{"type": "model_output", "error": {"code": 1}, "content": [TEXT]}],
    "unknown content": [{"type": "model_output", "content": [TEXT, {"type": "new"}, TEXT]}],
    "an empty signature": [
        {"type": "thought", "signature": ""},
        {"type": "function_call", "id": "a", "name": "b", "arguments": {}, "signature": ""},
        {"type": "google_search_result", "call_id": "a", "result": [], "signature": ""},
    ],
    "an empty summary": [{"type": "thought", "summary": []}],
    "an unknown item of a summary": [{"type": "thought", "summary": [TEXT, {"type": "new"}, TEXT]}],
    "arguments of every kind": [
        {"type": "function_call", "id": "a", "name": "b", "arguments": {"é": [1, {"x": None}]}},
        {"type": "function_call", "id": "a", "name": "b"},
        {"type": "function_call", "arguments": {"n": 12345678901234567890123, "u": "\\ud83c"}},
        {"type": "mcp_server_tool_call", "arguments": {}},
        {"type": "google_search_call", "arguments": {"queries": []}},
        {"type": "code_execution_call", "arguments": {}},
    ],
    "results of every kind": [
        {"type": "function_result", "call_id": "a", "result": {"x": 1}},
        {"type": "function_result", "call_id": "a", "result": "x"},
        {"type": "function_result", "call_id": "a", "result": [TEXT]},
        {"type": "code_execution_result", "result": "42"},
        {"type": "code_execution_result", "result": [TEXT, IMAGE]},
        {"type": "file_search_result", "result": [{"a": 1}]},
    ],
    "unknown steps": [{"type": "new", "signature": ""}, {"n": 1}, {"type": 7}],
    "no steps": [],
}


@pytest.mark.parametrize("name", STEPS)
@pytest.mark.parametrize("status", ["completed", "incomplete", "new_status"])
def test_what_deltas_cannot_bring(name: str, status: str) -> None:
    body = {"id": "v1_a", "status": status, "steps": STEPS[name]}
    interaction = decode_interaction(dumps(body))
    for data in (streamed(interaction), streamed(interaction).removesuffix(DONE)):
        again = assemble(cut(data, 10))
        assert again == interaction
        assert to_dict(again) == body


def test_the_exceptions() -> None:
    """An empty id means no id; a part without a type but with a text is text."""
    assert assemble(streamed(Interaction(id="", status="completed"))).id is UNSET
    body = {"status": "completed", "steps": [{"type": "model_output", "content": [{"text": "a"}]}]}
    again = assemble(streamed(decode_interaction(json.dumps(body))))
    assert to_dict(again)["steps"][0]["content"] == [TEXT]


@pytest.mark.parametrize("usage", [{}, {"total_tokens": 0}, {"total_tokens": 3, "new": 1}])
def test_usage_comes_back_as_it_is(usage: Payload) -> None:
    interaction = Interaction(status="completed", usage=decode(dumps(usage), models.Usage))
    assert assemble(streamed(interaction)) == interaction


def test_absent_null_and_empty_stay_apart() -> None:
    for members in ({}, {"model": ""}, {"model": None}, {"updated": None, "steps": None}):
        body = {"status": "completed", **members}
        assert to_dict(assemble(streamed(decode_interaction(dumps(body))))) == body


def test_it_is_lazy() -> None:
    events = disassemble(Interaction(status="completed"))
    assert next(iter(events)).event_type == "interaction.created"


# ---- the bundled recordings and their twins

NOT_STREAMED = {"search_type", "raw_prompt_token"}
"""Members that only bodies have."""


def stripped(value: Any) -> Any:
    """Without what only bodies have."""
    if isinstance(value, dict):
        return {n: stripped(v) for n, v in value.items() if n not in NOT_STREAMED}
    return [stripped(item) for item in value] if isinstance(value, list) else value


def recording(name: str, suffix: str) -> bytes:
    return (RECORDINGS / f"{name}{suffix}").read_bytes()


@pytest.mark.parametrize("name", NAMES)
def test_recording_equals_its_twin(name: str) -> None:
    """Streamed equals not streamed."""
    found = pull(recording(name, ".sse"))
    body = json.loads(recording(name, ".json"))
    assert stripped(found.plain) == stripped(body)
    assert stripped(to_dict(decode_interaction(recording(name, ".json")))) == stripped(body)
    assert (found.issues, found.unknown, found.raised) == ([], [], None)
    assert found.outcome == body["status"]
    assert found.usage_source == "terminal"


@pytest.mark.parametrize("name", NAMES)
def test_body_of_a_recording_there_and_back(name: str) -> None:
    interaction = decode_interaction(recording(name, ".json"))
    assert assemble(streamed(interaction)) == interaction


@pytest.mark.parametrize("name", STREAMS)
def test_recording_byte_by_byte(name: str) -> None:
    data = recording(name, ".sse")
    assert pull(cut(data, 1)) == pull(data)


def in_two(data: bytes, places: range, whole: Verdict) -> None:
    for place in places:
        assert pull([data[:place], data[place:]]) == whole


@pytest.mark.parametrize("name", STREAMS)
def test_recording_in_two(name: str) -> None:
    """At places all over it, and at each one around the ends of some frames."""
    data = recording(name, ".sse")
    whole = pull(data)
    in_two(data, range(0, len(data) + 1, max(1, len(data) // 100)), whole)
    ends = [at for at in range(len(data)) if data.startswith(b"\n\n", at)]
    for end in ends[:: max(1, len(ends) // 8)]:
        in_two(data, range(max(0, end - 3), min(len(data), end + 15)), whole)


@pytest.mark.slow
@pytest.mark.parametrize("name", STREAMS)
def test_recording_in_two_at_every_place(name: str) -> None:
    data = recording(name, ".sse")
    in_two(data, range(len(data) + 1), pull(data))


@pytest.mark.slow
@settings(max_examples=400, deadline=None)
@given(interactions(unknown=True, surrogates=False, max_steps=8), PLACES)
def test_there_and_back_at_length(interaction: Interaction, cuts: list[int]) -> None:
    again = assemble(chunked(streamed(interaction), cuts))
    if not untyped_texts(to_dict(interaction)):
        assert again == interaction
