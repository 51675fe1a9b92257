"""Streams of the legacy generation: `content.*` events into the steps of today.

The streams are of our own writing, in the shapes that were captured.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import UNSET

from gemwire import (
    Assembler,
    InteractionStream,
    TruncatedStream,
    Unknown,
    UnknownInteractionSseEvent,
    assemble,
    decode_event,
    decode_interaction,
    disassemble,
    encode,
    iter_events,
    models,
    to_dict,
)
from gemwire.errors import ArgumentsError, DecodeError
from gemwire.legacy import HANDLERS

from .strategies import instances
from .wire import (
    MODEL,
    WAYS,
    Case,
    Payload,
    arguments,
    by_frames,
    completed,
    created,
    cut,
    dumps,
    error,
    frame,
    ids,
    pull,
    push,
    start,
    stop,
    stream,
    text,
    update,
)

# ---- events


def begun(identity: str = "v1_a", **members: Any) -> Payload:
    interaction = {"id": identity, "status": "in_progress", "object": "interaction", "model": MODEL}
    return {"interaction": {**interaction, **members}, "event_type": "interaction.start"}


def complete(status: str = "completed", identity: str = "v1_a", **members: Any) -> Payload:
    interaction = {"id": identity, "status": status, "role": "model", "object": "interaction"}
    return {"interaction": {**interaction, **members}, "event_type": "interaction.complete"}


def opens(index: Any, kind: str, **members: Any) -> Payload:
    content = {**members, "type": kind}
    return {**at(index), "content": content, "event_type": "content.start"}


def brings(index: Any, kind: str | None, **members: Any) -> Payload:
    tag = {} if kind is None else {"type": kind}
    return {**at(index), "delta": {**members, **tag}, "event_type": "content.delta"}


def says(index: Any, piece: str) -> Payload:
    return brings(index, "text", text=piece)


def closes(index: Any) -> Payload:
    return {**at(index), "event_type": "content.stop"}


def at(index: Any) -> Payload:
    return {} if index is None else {"index": index}


def whole(index: int, kind: str, *deltas: Payload) -> list[Payload]:
    """A content from its bare start to its stop."""
    return [opens(index, kind), *deltas, closes(index)]


def part(words: str, **members: Any) -> Payload:
    return {"type": "text", "text": words, **members}


def output(*parts: Payload) -> Payload:
    return {"type": "model_output", "content": list(parts)}


@dataclass(frozen=True)
class Legacy(Case):
    """A case between the lifecycle events of the legacy generation."""

    @property
    def bytes(self) -> bytes:
        if self.bare:
            return stream(*self.events, done=self.done)
        return stream(begun(), update(), *self.events, complete(), done=self.done)


CITED: Payload = {
    "type": "url_citation",
    "start_index": 0,
    "end_index": 5,
    "url": "https://locks.example/five",
    "title": "locks.example",
}
UNTYPED: Payload = {"start_index": 0, "end_index": 5, "source": "locks.example"}
PNG: Payload = {"mime_type": "image/png", "data": "iVBORw0K"}
CALL: Payload = {"id": "k7", "name": "lock_level", "arguments": {"lock": "Foxton", "gate": 3}}
SUMMARY: Payload = part("**Water levels**\n\nTen locks, two staircases.")

# ---- whole streams

TEXT_WITH_THOUGHT: list[Payload] = [
    *whole(
        0,
        "thought",
        brings(0, "thought_summary", content=SUMMARY),
        brings(0, "thought_signature", signature=""),
        brings(0, "thought_signature", signature="c2lnLTE="),
    ),
    *whole(1, "text", says(1, "Ten locks "), says(1, "lift the boats — "), says(1, "75 ft.")),
]
TWO_TEXTS: list[Payload] = [
    *whole(
        0,
        "text",
        says(0, "Schleuse fünf"),
        brings(0, "text_annotation", annotations=[CITED]),
    ),
    *whole(
        1,
        "text",
        says(1, " und sechs"),
        brings(1, "text_annotation", annotations=[{**CITED, "start_index": 1}]),
    ),
]
FUNCTION_CALL: list[Payload] = [
    *whole(0, "thought", brings(0, "thought_signature", signature="c2lnLTI=")),
    opens(1, "function_call", id="k7"),
    brings(1, "function_call", **CALL),
    closes(1),
    opens(2, "function_call", id="k8"),
    brings(2, "function_call", id="k8", name="weather", arguments={}),
    closes(2),
]
IMAGE: list[Payload] = [
    *whole(0, "text", says(0, "The staircase:")),
    *whole(1, "image", brings(1, "image", **PNG)),
    *whole(2, "text", says(2, "Drawn from memory.")),
]
SEARCH: list[Payload] = [
    opens(0, "google_search_call", id="s1"),
    brings(0, "google_search_call", id="s1", arguments={"queries": ["foxton locks"]}),
    closes(0),
    opens(1, "google_search_result", call_id="s1", signature=""),
    brings(
        1,
        "google_search_result",
        call_id="s1",
        result=[{"search_suggestions": "<div>foxton</div>"}],
        is_error=False,
        signature="c2lnLTM=",
    ),
    closes(1),
    *whole(2, "text", says(2, "It has ten."), brings(2, "text_annotation", annotations=[CITED])),
]
MIXED: list[Payload] = [
    *TEXT_WITH_THOUGHT,
    opens(2, "image"),
    brings(2, "image", **PNG),
    closes(2),
    opens(3, "code_execution_call", id="c1"),
    brings(3, "code_execution_call", id="c1", arguments={"code": "10 * 7.5", "language": "python"}),
    closes(3),
    opens(4, "code_execution_result", call_id="c1"),
    brings(4, "code_execution_result", call_id="c1", result="75.0", is_error=False),
    closes(4),
    *whole(5, "text", says(5, "75 feet")),
    *whole(6, "text", says(6, ", in all.")),
]

WHOLE = [
    Legacy(
        "text with thought",
        TEXT_WITH_THOUGHT,
        [
            {"type": "thought", "signature": "c2lnLTE=", "summary": [SUMMARY]},
            output(part("Ten locks lift the boats — 75 ft.")),
        ],
    ),
    Legacy(
        "two texts with annotations",
        TWO_TEXTS,
        [
            output(
                part("Schleuse fünf", annotations=[CITED]),
                part(" und sechs", annotations=[{**CITED, "start_index": 1}]),
            )
        ],
    ),
    Legacy(
        "function calls",
        FUNCTION_CALL,
        [
            {"type": "thought", "signature": "c2lnLTI="},
            {"type": "function_call", **CALL},
            {"type": "function_call", "id": "k8", "name": "weather", "arguments": {}},
        ],
    ),
    Legacy(
        "image",
        IMAGE,
        [output(part("The staircase:"), {"type": "image", **PNG}, part("Drawn from memory."))],
    ),
    Legacy(
        "google search",
        SEARCH,
        [
            {"type": "google_search_call", "id": "s1", "arguments": {"queries": ["foxton locks"]}},
            {
                "type": "google_search_result",
                "call_id": "s1",
                "result": [{"search_suggestions": "<div>foxton</div>"}],
                "is_error": False,
                "signature": "c2lnLTM=",
            },
            output(part("It has ten.", annotations=[CITED])),
        ],
    ),
    Legacy(
        "mixed",
        MIXED,
        [
            {"type": "thought", "signature": "c2lnLTE=", "summary": [SUMMARY]},
            output(part("Ten locks lift the boats — 75 ft."), {"type": "image", **PNG}),
            {
                "type": "code_execution_call",
                "id": "c1",
                "arguments": {"code": "10 * 7.5", "language": "python"},
            },
            {
                "type": "code_execution_result",
                "call_id": "c1",
                "result": "75.0",
                "is_error": False,
            },
            output(part("75 feet"), part(", in all.")),
        ],
    ),
]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("case", WHOLE, ids=ids(WHOLE))
def test_whole_stream(case: Legacy, way: str) -> None:
    assert case.seen(WAYS[way](case.bytes)) == case.expected


@pytest.mark.parametrize("case", WHOLE, ids=ids(WHOLE))
def test_split_anywhere(case: Legacy) -> None:
    data = case.bytes
    expected = assemble(data)
    for place in range(1, len(data)):
        assert assemble([data[:place], data[place:]]) == expected


@pytest.mark.parametrize("case", WHOLE, ids=ids(WHOLE))
def test_cut_anywhere(case: Legacy) -> None:
    """A stream that was cut never looks finished, and has the beginning of the answer."""
    data = case.bytes
    end = data.index(b"event: interaction.complete")
    for place in range(0, end, 7):
        with pytest.raises(TruncatedStream) as raised:
            assemble(data[:place])
        assert raised.value.report is not None
        assert raised.value.report.outcome == "truncated"


@pytest.mark.parametrize("case", WHOLE, ids=ids(WHOLE))
def test_the_same_as_without_streaming(case: Legacy) -> None:
    """The twin without streaming: the contents as `outputs` of a body."""
    found = assemble(case.bytes)
    body = {**to_dict(found), "outputs": to_dict(found.outputs)}
    del body["steps"]
    assert decode_interaction(dumps(body)) == found


@pytest.mark.parametrize("case", WHOLE, ids=ids(WHOLE))
def test_checkpoint_after_each_event(case: Legacy) -> None:
    events = list(iter_events(case.bytes))
    expected = assemble(case.bytes)
    for place in range(len(events) + 1):
        before = Assembler()
        before.apply_all(events[:place])
        after = Assembler.restore(before.checkpoint())
        assert after.snapshot() == before.snapshot()
        after.apply_all(events[place:])
        assert after.finish() == expected


@pytest.mark.parametrize("replay", [False, True])
@pytest.mark.parametrize("case", WHOLE, ids=ids(WHOLE))
def test_the_server_begins_again_after_a_cut(case: Legacy, replay: bool) -> None:
    frames = by_frames(case.bytes)
    expected = assemble(frames)
    for count in range(4, len(frames) - 2):
        before = InteractionStream(frames[:count])
        list(before)
        after = InteractionStream(frames, resume=before.checkpoint(), replay=replay)
        assert after.get_final_interaction() == expected
        assert after.report.issues == []


@pytest.mark.parametrize("case", WHOLE, ids=ids(WHOLE))
def test_snapshots_share_what_did_not_change(case: Legacy) -> None:
    assembler = Assembler()
    assembler.apply_all(list(iter_events(case.bytes)))
    one, other = assembler.snapshot(), assembler.snapshot()
    assert all(a is b for a, b in zip(one.steps or (), other.steps or (), strict=True))
    assert assemble(disassemble_bytes(one)) == one


def disassemble_bytes(interaction: models.Interaction) -> bytes:
    return stream(*(to_dict(event) for event in disassemble(interaction)))


@pytest.mark.parametrize("case", WHOLE, ids=ids(WHOLE))
def test_text_stream(case: Legacy) -> None:
    reader = InteractionStream(cut(case.bytes, 50))
    pieces = list(reader.text_stream)
    parts = [p for step in case.steps or () for p in step.get("content", ())]
    assert "".join(pieces) == "".join(p.get("text", "") for p in parts)
    assert reader.report.outcome == "completed"


def test_text_that_a_start_brings_is_streamed() -> None:
    events = [opens(0, "text", text="Lock \ud83d"), says(0, "\udea2."), opens(1, "thought")]
    reader = InteractionStream(stream(begun(), *events, says(1, "no"), complete()))
    assert list(reader.text_stream) == ["Lock ", "\U0001f6a2."]


def test_until_the_stop_a_call_is_whole() -> None:
    """A whole call needs no stop: it came as one object."""
    assembler = Assembler()
    for payload in [begun(), *FUNCTION_CALL[3:5]]:
        assembler.apply(decode_event(dumps(payload)))
    assert to_dict(assembler.step(1)) == {"type": "function_call", **CALL}


def test_part_as_a_step() -> None:
    """`step()` gives what an index names: one content, as a step."""
    assembler = Assembler()
    for payload in [begun(), *IMAGE]:
        assembler.apply(decode_event(dumps(payload)))
    assert to_dict(assembler.step(1)) == output({"type": "image", **PNG})
    assert len(assembler.snapshot().steps or ()) == 1


# ---- the rules, clause by clause

RUNS = [
    Legacy(
        "contents of all kinds of media in a row are one output",
        [
            *whole(0, "text", says(0, "a")),
            *whole(1, "image", brings(1, "image", **PNG)),
            *whole(2, "document", brings(2, "document", uri="gs://b/plan.pdf")),
            *whole(3, "video", brings(3, "video", uri="gs://b/boat.mp4")),
            *whole(4, "audio", brings(4, "audio", mime_type="audio/l16", data="AAEC")),
        ],
        [
            output(
                part("a"),
                {"type": "image", **PNG},
                {"type": "document", "uri": "gs://b/plan.pdf"},
                {"type": "video", "uri": "gs://b/boat.mp4"},
                {"type": "audio", "mime_type": "audio/l16", "data": "AAEC"},
            )
        ],
    ),
    Legacy(
        "deltas go to their own content, whatever came in between",
        [
            opens(0, "text"),
            opens(1, "text"),
            says(0, "one"),
            says(1, "two"),
            says(0, " more"),
            brings(0, "text_annotation", annotations=[CITED]),
            says(1, " more"),
            closes(0),
            closes(1),
        ],
        [output(part("one more", annotations=[CITED]), part("two more"))],
    ),
    Legacy(
        "a thought ends a run",
        [*whole(0, "text", says(0, "a")), *whole(1, "thought"), *whole(2, "text", says(2, "b"))],
        [output(part("a")), {"type": "thought"}, output(part("b"))],
    ),
    Legacy(
        "a gap in the index does not end a run",
        [*whole(0, "text", says(0, "a")), *whole(4, "text", says(4, "b"))],
        [output(part("a"), part("b"))],
        issues=[("index_gap", None)],
    ),
    Legacy(
        "contents stand in the order of their index",
        [*whole(1, "text", says(1, "b")), *whole(0, "text", says(0, "a"))],
        [output(part("a"), part("b"))],
    ),
    Legacy(
        "a content that stays empty is an empty part",
        [*whole(0, "text"), *whole(1, "image")],
        [output(part(""), {"type": "image"})],
    ),
    Legacy(
        "a start that is full already",
        [
            opens(0, "text", text="Ten", annotations=[CITED]),
            says(0, " locks"),
            opens(1, "image", **PNG),
            closes(0),
            closes(1),
        ],
        [output(part("Ten locks", annotations=[CITED]), {"type": "image", **PNG})],
    ),
    Legacy(
        "a signature on a text stays with the output",
        [*whole(0, "text", says(0, "a"), brings(0, "thought_signature", signature="c2ln"))],
        [{**output(part("a")), "signature": "c2ln"}],
        unknown=[("interaction.steps[].signature", "signature")],
    ),
]

MEDIA = [
    Legacy(
        "a bare image is filled by its delta",
        [*whole(0, "image", brings(0, "image", **PNG))],
        [output({"type": "image", **PNG})],
    ),
    Legacy(
        "with what its start says beside",
        [opens(0, "image", mime_type="image/png"), brings(0, "image", data="AAEC"), closes(0)],
        [output({"type": "image", "mime_type": "image/png", "data": "AAEC"})],
    ),
    Legacy(
        "a second image is a second part",
        [*whole(0, "image", brings(0, "image", **PNG), brings(0, "image", data="AAEC"))],
        [output({"type": "image", **PNG}, {"type": "image", "data": "AAEC"})],
    ),
    Legacy(
        "an image that is there already is not filled",
        [opens(0, "image", **PNG), brings(0, "image", data="AAEC"), closes(0)],
        [output({"type": "image", **PNG}, {"type": "image", "data": "AAEC"})],
    ),
    Legacy(
        "another kind of media does not fill it",
        [*whole(0, "image", brings(0, "video", uri="gs://b/boat.mp4"))],
        [output({"type": "image"}, {"type": "video", "uri": "gs://b/boat.mp4"})],
    ),
    Legacy(
        "audio comes in pieces",
        [
            opens(0, "audio", rate=24000),
            *(brings(0, "audio", mime_type="audio/l16", data=data) for data in ("AAEC", "AwQF")),
            closes(0),
        ],
        [
            output(
                {
                    "type": "audio",
                    "mime_type": "audio/l16",
                    "data": "AAECAwQF",
                    "sample_rate": 24000,
                }
            )
        ],
    ),
    Legacy(
        "audio of two contents is not joined",
        [
            *whole(0, "audio", brings(0, "audio", data="AAEC")),
            *whole(1, "audio", brings(1, "audio", data="AwQF")),
        ],
        [output({"type": "audio", "data": "AAEC"}, {"type": "audio", "data": "AwQF"})],
    ),
    Legacy(
        "the older name of the sample rate",
        [*whole(0, "audio", brings(0, "audio", data="AAEC", rate=16000))],
        [output({"type": "audio", "data": "AAEC", "sample_rate": 16000})],
    ),
]

ANNOTATIONS = [
    Legacy(
        "on a delta of text",
        [
            opens(0, "text"),
            brings(0, "text", text="Locks", annotations=[CITED]),
            brings(0, "text", text=" lift"),
            closes(0),
        ],
        [output(part("Locks lift", annotations=[CITED]))],
    ),
    Legacy(
        "on a delta of text without text",
        [*whole(0, "text", says(0, "Locks"), brings(0, "text", annotations=[CITED]))],
        [output(part("Locks", annotations=[CITED]))],
    ),
    Legacy(
        "without a type they are kept as they are",
        [*whole(0, "text", brings(0, "text", text="Locks", annotations=[UNTYPED]))],
        [output(part("Locks", annotations=[UNTYPED]))],
        unknown=[("interaction.steps[].content[].annotations[]", None)],
    ),
    Legacy(
        "of both kinds",
        [*whole(0, "text", brings(0, "text", text="Locks", annotations=[CITED, UNTYPED]))],
        [output(part("Locks", annotations=[CITED, UNTYPED]))],
        unknown=[("interaction.steps[].content[].annotations[]", None)],
    ),
    Legacy(
        "under today's name",
        [*whole(0, "text", says(0, "L"), brings(0, "text_annotation_delta", annotations=[CITED]))],
        [output(part("L", annotations=[CITED]))],
    ),
    Legacy(
        "before the text",
        [*whole(0, "text", brings(0, "text_annotation", annotations=[CITED]), says(0, "Locks"))],
        [output(part("Locks", annotations=[CITED]))],
    ),
]

CALLS = [
    Legacy(
        "a second delta of a call is merged",
        [
            *whole(
                0,
                "function_call",
                brings(0, "function_call", id="k7", arguments={"lock": "Foxton"}),
                brings(0, "function_call", name="lock_level", arguments={"gate": 3}),
            )
        ],
        [{"type": "function_call", **CALL}],
    ),
    Legacy(
        "a call that its start brings",
        [opens(0, "function_call", **CALL), closes(0)],
        [{"type": "function_call", **CALL}],
    ),
    Legacy(
        "the id of the start stands",
        [opens(0, "function_call", id="k1"), brings(0, "function_call", **CALL), closes(0)],
        [{"type": "function_call", **CALL, "id": "k1"}],
    ),
    Legacy(
        "a call with a signature",
        [
            opens(0, "function_call", id="k7", signature=""),
            brings(0, "function_call", **CALL, signature="c2ln"),
            closes(0),
        ],
        [{"type": "function_call", **CALL, "signature": "c2ln"}],
    ),
    Legacy(
        "arguments as text, as today",
        [
            opens(0, "function_call", id="k7", name="lock_level"),
            brings(0, "arguments_delta", arguments='{"lock": '),
            brings(0, "arguments_delta", arguments='"Foxton", "gate": 3}'),
            closes(0),
        ],
        [{"type": "function_call", **CALL}],
    ),
    Legacy(
        "what no schema has is kept",
        [*whole(0, "function_call", brings(0, "function_call", **CALL, new={"a": 1}))],
        [{"type": "function_call", **CALL, "new": {"a": 1}}],
        unknown=[("interaction.steps[].new", "new")],
    ),
    Legacy(
        "a result with contents in an object becomes a list",
        [
            *whole(
                0,
                "mcp_server_tool_result",
                brings(
                    0,
                    "mcp_server_tool_result",
                    call_id="m1",
                    result={"items": ["a lock", {"type": "image", **PNG}]},
                ),
            )
        ],
        [
            {
                "type": "mcp_server_tool_result",
                "call_id": "m1",
                "result": [part("a lock"), {"type": "image", **PNG}],
            }
        ],
    ),
    Legacy(
        "a result that only looks like that stays",
        [
            *whole(
                0,
                "function_result",
                brings(0, "function_result", call_id="k7", result={"items": ["eggs", "milk"]}),
            )
        ],
        [{"type": "function_result", "call_id": "k7", "result": {"items": ["eggs", "milk"]}}],
    ),
    Legacy(
        "the older members of a search result",
        [
            *whole(
                0,
                "google_search_result",
                brings(
                    0,
                    "google_search_result",
                    result=[{"rendered_content": "<p>", "url": "u", "title": "t"}],
                ),
            )
        ],
        [
            {
                "type": "google_search_result",
                "result": [{"search_suggestions": "<p>", "url": "u", "title": "t"}],
            }
        ],
    ),
    Legacy(
        "hits of a file search",
        [
            *whole(
                0,
                "file_search_result",
                brings(0, "file_search_result", call_id="f", result=[{"title": "Locks"}]),
            )
        ],
        [{"type": "file_search_result", "call_id": "f", "result": [{"title": "Locks"}]}],
    ),
    Legacy(
        "a call that no schema has is a step",
        [
            opens(0, "tow_call", id="t1"),
            brings(0, "tow_call", rope="long"),
            closes(0),
            *whole(1, "text", says(1, "a")),
        ],
        [{"type": "tow_call", "id": "t1", "rope": "long"}, output(part("a"))],
        unknown=[
            ("content.start.content", "tow_call"),
            ("content.delta.delta", "tow_call"),
            ("interaction.steps[]", "tow_call"),
        ],
    ),
    Legacy(
        "media that no schema has is a part, filled by its delta",
        [
            *whole(0, "text", says(0, "a")),
            *whole(1, "hologram", brings(1, "hologram", beams=4)),
            *whole(2, "text", says(2, "b")),
        ],
        [output(part("a"), {"type": "hologram", "beams": 4}, part("b"))],
        unknown=[
            ("content.start.content", "hologram"),
            ("content.delta.delta", "hologram"),
            ("interaction.steps[].content[]", "hologram"),
        ],
    ),
]

ORDER = [
    Legacy(
        "a delta that nothing started",
        [says(0, "a"), closes(0), brings(1, "function_call", **CALL), closes(1)],
        [output(part("a")), {"type": "function_call", **CALL}],
        issues=[("start_missing", 0), ("start_missing", 1)],
    ),
    Legacy(
        "two of them are not glued",
        [says(0, "a"), says(1, "b")],
        [output(part("a"), part("b"))],
        issues=[
            ("start_missing", 0),
            ("start_missing", 1),
            ("never_stopped", 0),
            ("never_stopped", 1),
        ],
    ),
    Legacy(
        "a start that comes late",
        [says(0, "b"), opens(0, "text", text="a"), says(0, "c"), closes(0)],
        [output(part("abc"))],
        issues=[("start_missing", 0), ("start_late", 0)],
    ),
    Legacy(
        "a start of media that comes late",
        [
            brings(0, "image", data="AAEC"),
            opens(0, "image", mime_type="image/png"),
            closes(0),
            brings(1, "audio", data="AAEC"),
            opens(1, "audio", rate=8000),
            closes(1),
            brings(2, "image", data="AAEC"),
            opens(2, "text", text="a"),
            closes(2),
        ],
        [
            output(
                {"type": "image", "mime_type": "image/png", "data": "AAEC"},
                {"type": "audio", "data": "AAEC", "sample_rate": 8000},
                part("a"),
                {"type": "image", "data": "AAEC"},
            )
        ],
        issues=[
            ("start_missing", 0),
            ("start_late", 0),
            ("start_missing", 1),
            ("start_late", 1),
            ("start_missing", 2),
            ("start_late", 2),
        ],
    ),
    Legacy(
        "a delta after the stop",
        [*whole(0, "text", says(0, "a")), says(0, "b")],
        [output(part("ab"))],
        issues=[("after_stop", 0)],
    ),
    Legacy(
        "a second stop",
        [*whole(0, "text", says(0, "a")), closes(0)],
        [output(part("a"))],
        issues=[("after_stop", 0)],
    ),
    Legacy("a stop of nothing", [closes(3)], None, issues=[("stop_unopened", 3)]),
    Legacy(
        "no stop",
        [opens(0, "text"), says(0, "a")],
        [output(part("a"))],
        issues=[("never_stopped", 0)],
    ),
    Legacy(
        "the same start again",
        [opens(0, "text"), opens(0, "text"), says(0, "a"), closes(0)],
        [output(part("a"))],
        issues=[("start_again", 0)],
    ),
    Legacy(
        "another start of the same index",
        [opens(0, "text"), says(0, "a"), opens(0, "thought"), closes(0)],
        [output(part("a")), {"type": "thought"}],
        issues=[("start_other", 0), ("never_stopped", 0)],
    ),
    Legacy(
        "without an index, the content opened last",
        [opens(None, "text"), says(None, "a"), closes(None)],
        [output(part("a"))],
        issues=[("index_missing", 0, 3)],
    ),
    Legacy(
        "an index that is none",
        [opens(-1, "text"), says("0", "a")],
        None,
        unknown=[("event", "content.start"), ("event", "content.delta")],
    ),
    Legacy(
        "a delta that does not fit",
        [*whole(0, "thought", says(0, "a")), *whole(1, "text", brings(1, "function_call", **CALL))],
        [{"type": "thought"}, output(part(""))],
        issues=[("misplaced", 0), ("misplaced", 1)],
        unknown=[("content.delta.delta", "text"), ("content.delta.delta", "function_call")],
    ),
    Legacy(
        "a delta without a type",
        [*whole(0, "text", brings(0, None, text="a"), brings(0, None))],
        [output(part("a"))],
        unknown=[("content.delta.delta", None, 2)],
    ),
    Legacy(
        "a delta that nobody knows",
        [*whole(0, "text", says(0, "a"), brings(0, "sparkle", n=1), says(0, "b"))],
        [output(part("ab"))],
        unknown=[("content.delta.delta", "sparkle")],
    ),
    Legacy(
        "a text without text",
        [*whole(0, "text", brings(0, "text"), brings(0, "text", text=5))],
        [output(part(""))],
        unknown=[("content.delta.delta", "text", 2)],
    ),
    Legacy(
        "events that are empty",
        [
            {"index": 0, "event_type": "content.start"},
            {"index": 0, "event_type": "content.delta"},
            {"event_type": "interaction.start"},
            *whole(0, "text", says(0, "a")),
        ],
        [output(part("a"))],
    ),
    Legacy(
        "unknown members of events",
        [{**opens(0, "text"), "new": 1}, {**says(0, "a"), "new": 2}, {**closes(0), "new": 3}],
        [output(part("a"))],
        unknown=[
            ("content.start.new", "new"),
            ("content.delta.new", "new"),
            ("content.stop.new", "new"),
        ],
    ),
]

FOUR = [part("a"), part("b"), {"type": "thought", "signature": "c2ln"}, part("c")]
FOUR_STEPS = [output(part("a"), part("b")), FOUR[2], output(part("c"))]
A = whole(0, "text", says(0, "a"))

LIFECYCLE = [
    Legacy(
        "empty outputs are nothing",
        [begun(), *A, complete(outputs=[])],
        [output(part("a"))],
        bare=True,
        members={"outputs": None},
    ),
    Legacy("empty outputs of nothing", [begun(), complete(outputs=[])], None, bare=True),
    Legacy(
        "outputs that are more than came",
        [begun(), *A, complete(outputs=FOUR)],
        FOUR_STEPS,
        bare=True,
        members={"outputs": None},
    ),
    Legacy("outputs of a start", [begun(outputs=FOUR), complete()], FOUR_STEPS, bare=True),
    Legacy(
        "the same outputs again",
        [begun(), *A, complete(outputs=[part("a")])],
        [output(part("a"))],
        bare=True,
    ),
    Legacy(
        "two texts are more than one",
        [begun(), *A, complete(outputs=[part("a"), part("b")])],
        [output(part("a"), part("b"))],
        bare=True,
    ),
    Legacy(
        "other outputs, not more",
        [begun(), *A, complete(outputs=[part("b")])],
        [output(part("a"))],
        issues=[("steps_differ", None)],
        bare=True,
    ),
    Legacy(
        "outputs in an event of today",
        [created(), update(), completed(outputs=FOUR)],
        FOUR_STEPS,
        bare=True,
        members={"outputs": None},
    ),
    Legacy(
        "outputs beside steps",
        [created(), completed(steps=[output(part("a"))], outputs=FOUR)],
        [output(part("a"))],
        bare=True,
        members={"outputs": FOUR},
        unknown=[("interaction.outputs", "outputs")],
    ),
    Legacy(
        "outputs that are no list",
        [begun(), *A, complete(outputs={"a": 1})],
        [output(part("a"))],
        bare=True,
        members={"outputs": {"a": 1}},
        unknown=[("interaction.outputs", "outputs")],
    ),
    Legacy(
        "usage, role and object",
        [begun(), complete(usage={"total_reasoning_tokens": 7, "total_tokens": 9})],
        bare=True,
        usage={"total_tokens": 9, "total_thought_tokens": 7},
        source="terminal",
        members={"role": "model", "object": "interaction", "model": MODEL},
    ),
    Legacy(
        "usage of any event",
        [begun(), {**closes(0), "metadata": {"total_usage": {"total_tokens": 4}}}, complete()],
        bare=True,
        issues=[("stop_unopened", 0)],
        usage={"total_tokens": 4},
        source="metadata",
    ),
    Legacy(
        "turns in the input",
        [begun(input=[{"role": "user", "content": "Which?"}]), complete()],
        bare=True,
        members={"input": [{"type": "user_input", "content": [part("Which?")]}]},
    ),
    Legacy(
        "a status that is not terminal",
        [begun(), complete("in_progress")],
        bare=True,
        issues=[("not_terminal", None)],
        outcome="truncated",
        raised=TruncatedStream,
    ),
    Legacy(
        "events after the end",
        [begun(), complete(), says(0, "a")],
        [output(part("a"))],
        bare=True,
        issues=[("start_missing", 0)],
    ),
    Legacy(
        "started twice",
        [begun(), begun(), *A, complete()],
        [output(part("a"))],
        bare=True,
        issues=[("created_again", None)],
    ),
    Legacy(
        "begun anew",
        [begun(), *A[:2], begun(), *whole(0, "text", says(0, "ab")), complete()],
        [output(part("ab"))],
        bare=True,
        issues=[("created_again", None), ("restarted", 0)],
    ),
    Legacy(
        "a run that was cancelled",
        [begun(), update("cancelled")],
        bare=True,
        outcome="cancelled",
    ),
    Legacy(
        "no end",
        [begun(), *A],
        [output(part("a"))],
        bare=True,
        outcome="truncated",
        raised=TruncatedStream,
    ),
]

CASES = [*RUNS, *MEDIA, *ANNOTATIONS, *CALLS, *ORDER, *LIFECYCLE]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("case", CASES, ids=ids(CASES))
def test_rule(case: Legacy, way: str) -> None:
    assert case.seen(WAYS[way](case.bytes)) == case.expected


def test_error_in_the_stream() -> None:
    found = pull(stream(begun(), *A, error({"code": "not_found", "message": "gone"})))
    assert found.outcome == "error"
    assert found.steps == [output(part("a"))]


def test_broken_arguments() -> None:
    call = [
        opens(0, "function_call", id="k"),
        brings(0, "arguments_delta", arguments="{"),
        closes(0),
    ]
    found = pull(stream(begun(), *call, complete("requires_action")))
    assert found.raised is ArgumentsError
    assert found.issues == [("arguments", 0)]


def test_body_in_place_of_a_stream() -> None:
    body = {"id": "v1_a", "status": "completed", "object": "interaction", "outputs": FOUR}
    found = pull(dumps(body).encode())
    assert (found.outcome, found.steps, found.unknown) == ("completed", FOUR_STEPS, [])


# ---- both generations in one stream

BOTH = [
    Legacy(
        "contents within the lifecycle of today",
        [created(), update(), *IMAGE, completed()],
        WHOLE[3].steps,
        bare=True,
    ),
    Legacy(
        "steps within the lifecycle of old",
        [begun(), start(0, "model_output"), text(0, "a"), stop(0), complete()],
        [output(part("a"))],
        bare=True,
    ),
    Legacy(
        "a step beside contents is no part of their run",
        [
            created(),
            *whole(0, "text", says(0, "a")),
            *(start(1, "model_output"), text(1, "b"), stop(1)),
            *whole(2, "text", says(2, "c")),
            completed(),
        ],
        [output(part("a")), output(part("b")), output(part("c"))],
        bare=True,
    ),
    Legacy(
        "deltas of one generation for what the other started",
        [
            created(),
            opens(0, "text"),
            text(0, "a"),
            closes(0),
            start(1, "function_call", id="k7", name="lock_level", arguments={}),
            brings(1, "function_call", arguments=CALL["arguments"]),
            stop(1),
            opens(2, "function_call", id="k8", name="weather"),
            arguments(2, "{}"),
            stop(2),
            completed(),
        ],
        [
            output(part("a")),
            {"type": "function_call", **CALL},
            {"type": "function_call", "id": "k8", "name": "weather", "arguments": {}},
        ],
        bare=True,
    ),
]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("case", BOTH, ids=ids(BOTH))
def test_both_generations(case: Legacy, way: str) -> None:
    assert case.seen(WAYS[way](case.bytes)) == case.expected


EITHER = st.one_of(
    instances(models.LegacySseEvent, unknown=True, surrogates=True),
    instances(models.InteractionSseEvent, unknown=True, surrogates=True),
)


@settings(deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(EITHER, max_size=12))
def test_any_events_in_any_order(events: list[Any]) -> None:
    """Whatever comes, nothing is raised, and what comes of it is an Interaction."""
    sent = [frame(to_dict(event)) for event in events]
    found = push(sent)
    assert pull(b"".join(sent)).interaction == found.interaction
    assert decode_interaction(encode(found.interaction)) is not None
    assert isinstance(found.interaction.outputs, list)


# ---- events, decoded

SENT = [begun(), *MIXED, complete(usage={"total_tokens": 3}, outputs=FOUR)]


@pytest.mark.parametrize("payload", SENT, ids=lambda payload: payload["event_type"])
def test_event_is_typed_and_comes_back(payload: Payload) -> None:
    name = payload["event_type"]
    event = decode_event(dumps(payload), name, strict=True)
    assert type(event).__module__ == "gemwire.models.legacy"
    assert type(event) in HANDLERS
    assert to_dict(event) == payload
    for other in (None, "message", "step.delta", "brand.new"):
        assert decode_event(dumps(payload), other, strict=True) == event
    del payload["event_type"]
    assert decode_event(dumps(payload), name) == event


def test_what_no_schema_has_in_an_event() -> None:
    payload = {**brings(0, "hologram", beams=4), "new": 1}
    event: Any = decode_event(dumps(payload), "content.delta")
    assert isinstance(event, models.ContentDelta)
    assert isinstance(event.delta, models.UnknownContentDeltaData)
    assert event.delta.tag == "hologram"
    assert to_dict(event) == payload
    with pytest.raises(DecodeError):
        decode_event(dumps(payload), "content.delta", strict=True)
    for bad in ({**opens(0, "text"), "index": -1}, {**says(0, "a"), "index": "0"}):
        unknown = decode_event(dumps(bad), bad["event_type"])
        assert isinstance(unknown, UnknownInteractionSseEvent)
        assert isinstance(unknown, Unknown)


def test_untyped_annotations_have_a_model_of_their_own() -> None:
    payload = brings(0, "text", text="Locks", annotations=[UNTYPED])
    event: Any = decode_event(dumps(payload), "content.delta", strict=True)
    assert event.delta.annotations == [models.LegacyAnnotation(**UNTYPED)]
    typed: Any = decode_event(dumps(brings(0, "text_annotation", annotations=[CITED, UNTYPED])))
    kinds = [type(annotation) for annotation in typed.delta.annotations]
    assert kinds == [models.UrlCitation, models.UnknownAnnotation]
    none: Any = decode_event(dumps(brings(0, "text", annotations=[])))
    assert none.delta.annotations == []
    other: Any = decode_event(dumps(brings(0, "text", annotations=[{"type": "new"}])))
    assert other.delta.annotations[0].tag == "new"
    assert other.delta.text is UNSET


# ---- loaded when it is needed, and not before

TODAY = dumps({"id": "v1_a", "status": "completed", "steps": [output(part("a"))], "input": "b"})


@pytest.mark.parametrize(
    ("code", "loaded"),
    [
        (f"gemwire.assemble({stream(created(), start(0, 'model_output'), completed())!r})", False),
        (f"gemwire.decode_interaction({TODAY!r})", False),
        ("gemwire.warm_up()", False),
        ("gemwire.decode_event(b'{}', 'brand.new')", False),
        (f"gemwire.assemble({stream(begun(), complete())!r})", True),
        (f"gemwire.decode_interaction({dumps({'status': 'completed', 'outputs': []})!r})", True),
        ("from gemwire.models import Turn", True),
    ],
)
def test_is_loaded_when_it_is_needed(code: str, loaded: bool) -> None:
    script = f"import gemwire, sys\n{code}\nprint('gemwire.models.legacy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert done.stdout.decode().strip() == str(loaded)
