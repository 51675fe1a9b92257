"""Streams of the legacy generation: `content.*` events into the steps of today.

The streams are of our own writing, in the shapes that were captured. The rules, clause by clause,
are in test_legacy_deltas.py and test_legacy_lifecycle.py.
"""

from __future__ import annotations

import subprocess
import sys
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
from gemwire.assembly.content_events import HANDLERS
from gemwire.errors import DecodeError
from gemwire.wire.normalise import normalise

from .legacy_wire import (
    CALL,
    CITED,
    FOUR,
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
from .strategies import instances
from .wire import (
    WAYS,
    Payload,
    arguments,
    by_frames,
    completed,
    created,
    cut,
    dumps,
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

# ---- whole streams

SUMMARY: Payload = part("**Water levels**\n\nTen locks, two staircases.")

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
def test_snapshots_are_equal_and_go_round(case: Legacy) -> None:
    assembler = Assembler()
    assembler.apply_all(list(iter_events(case.bytes)))
    one, other = assembler.snapshot(), assembler.snapshot()
    assert one == other
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
    (today,) = normalise(event)
    assert today is not event if name.startswith("interaction.") else type(today) in HANDLERS
    assert to_dict(event) == payload
    for other in (None, "message", "step.delta", "brand.new"):
        assert decode_event(dumps(payload), other, strict=True) == event
    untyped = {key: value for key, value in payload.items() if key != "event_type"}
    assert decode_event(dumps(untyped), name) == event


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
        ("gemwire.warm_up()", True),
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
