"""What legacy contents become by their deltas: one row for each clause."""

from __future__ import annotations

import pytest

from gemwire.errors import ArgumentsError

from .legacy_wire import (
    CALL,
    CITED,
    PNG,
    UNTYPED,
    Legacy,
    begun,
    brings,
    closes,
    complete,
    opens,
    output,
    part,
    says,
    whole,
)
from .wire import WAYS, ids, pull, stream

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
        "a signature on a text stays with the text",
        [*whole(0, "text", says(0, "a"), brings(0, "thought_signature", signature="c2ln"))],
        [output({**part("a"), "signature": "c2ln"})],
        unknown=[("interaction.steps[].content[].signature", "signature")],
    ),
    Legacy(
        "the last signature that is not empty stands",
        [
            opens(0, "text", text="a", signature="one"),
            brings(0, "thought_signature", signature=""),
            closes(0),
            opens(1, "text", text="b", signature="one"),
            brings(1, "thought_signature", signature="two"),
            closes(1),
            opens(2, "audio"),
            brings(2, "audio", mime_type="audio/l16", data="AAEC", signature="one"),
            brings(2, "audio", mime_type="audio/l16", data="AAEC", signature=""),
            closes(2),
            opens(3, "text"),
            says(3, "c"),
            brings(3, "thought_signature", signature="one"),
            brings(3, "image", **PNG, signature="two"),
            closes(3),
        ],
        [
            output(
                {**part("a"), "signature": "one"},
                {**part("b"), "signature": "two"},
                {
                    "type": "audio",
                    "mime_type": "audio/l16",
                    "data": "AAECAAEC",
                    "signature": "one",
                },
                {**part("c"), "signature": "one"},
                {"type": "image", **PNG, "signature": "two"},
            )
        ],
        issues=[("signature_conflict", 1)],
        unknown=[("interaction.steps[].content[].signature", "signature", 5)],
    ),
    Legacy(
        "a delta of the output's own name is none of a text",
        [
            opens(0, "text", text="a"),
            brings(0, "model_output", x=1),
            brings(1, "text_annotation"),
            brings(1, "model_output", x=1),
        ],
        [output(part("a"))],
        issues=[
            ("misplaced", 0),
            ("start_missing", 1),
            ("misplaced", 1),
            ("never_stopped", 0),
            ("never_stopped", 1),
        ],
        unknown=[("content.delta.delta", "model_output", 2)],
    ),
    Legacy(
        "each content has its own signature",
        [
            *whole(0, "text", says(0, "a"), brings(0, "thought_signature", signature="one")),
            *whole(1, "image", brings(1, "image", **PNG, signature="two")),
            *whole(2, "hologram", brings(2, "thought_signature", signature="three")),
        ],
        [
            output(
                {**part("a"), "signature": "one"},
                {"type": "image", **PNG, "signature": "two"},
                {"type": "hologram", "signature": "three"},
            )
        ],
        unknown=[
            ("content.start.content", "hologram"),
            ("interaction.steps[].content[].signature", "signature", 2),
            ("interaction.steps[].content[]", "hologram"),
        ],
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

CALLS += [
    Legacy(
        "its further deltas are merged as those of a step are",
        [
            opens(0, "hologram", beams=[1], name="a", id="h"),
            brings(0, "hologram", beams=[2], name="b", id="i", size={"x": 1}),
            brings(0, "hologram", beams=[3], name="", size={"y": 2}),
            closes(0),
        ],
        [
            output(
                {
                    "type": "hologram",
                    "beams": [1, 2, 3],
                    "name": "b",
                    "id": "h",
                    "size": {"x": 1, "y": 2},
                }
            )
        ],
        issues=[("conflict", 0)],
        unknown=[
            ("content.start.content", "hologram"),
            ("content.delta.delta", "hologram", 2),
            ("interaction.steps[].content[]", "hologram"),
        ],
    ),
    Legacy(
        "what no schema has beside annotations is seen",
        [
            opens(0, "text", text="a"),
            brings(0, "text", annotations=[CITED], mood="calm"),
            closes(0),
        ],
        [output({**part("a"), "annotations": [CITED]})],
        unknown=[("content.delta.delta.mood", "mood")],
    ),
]

CASES = [*RUNS, *MEDIA, *ANNOTATIONS, *CALLS]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("case", CASES, ids=ids(CASES))
def test_rule(case: Legacy, way: str) -> None:
    assert case.seen(WAYS[way](case.bytes)) == case.expected


def test_broken_arguments() -> None:
    call = [
        opens(0, "function_call", id="k"),
        brings(0, "arguments_delta", arguments="{"),
        closes(0),
    ]
    found = pull(stream(begun(), *call, complete("requires_action")))
    assert found.raised is ArgumentsError
    assert found.issues == [("arguments", 0)]
