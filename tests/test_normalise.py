"""Every older, untyped or gateway form is made today's in one place, and its table is shown."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import pytest

import gemwire
from gemwire import Interaction, decode, decode_event, encode
from gemwire import models as m
from gemwire.models import legacy as old
from gemwire.wire.normalise import (
    FORMS,
    content_deltas,
    content_step,
    content_today,
    delta_today,
    dialect_of,
    normalise,
    payload_today,
    step_today,
    without_leading_input,
)

DOCS = Path(__file__).parent.parent / "docs"
USAGE = {"total_tokens": 5}
ENVELOPE = {"event_id": "e7", "metadata": {"total_usage": {"total_tokens": 4}}}
TEXT = {"type": "text", "text": "Hi"}
OUTPUT = {"type": "model_output", "content": [TEXT]}

Json = dict[str, Any]


def sent(event_type: str, **members: Any) -> Json:
    return {**members, "event_type": event_type}


def created(**members: Any) -> Json:
    return sent("interaction.created", interaction=members)


def completed(**members: Any) -> Json:
    return sent("interaction.completed", interaction=members)


def updated(**members: Any) -> Json:
    return sent("interaction.status_update", **members)


def delta(**members: Any) -> Json:
    return sent("step.delta", index=0, delta=members)


def start(**members: Any) -> Json:
    return sent("step.start", index=0, step=members)


def event_of(value: Json) -> Any:
    return decode_event(json.dumps(value))


PLACES: list[tuple[str, Json]] = [
    ("flat", {"interaction_id": "i", "usage": USAGE}),
    ("nested", {"interaction": {"id": "i", "usage": USAGE, "status": "in_progress"}}),
]

ROWS: list[tuple[str, Json, list[Json], str | None]] = [
    # ---- members beside `event_type`
    (
        "LiteLLM: created",
        sent("interaction.created", id="i", status="in_progress", model="m", **ENVELOPE),
        [{**created(id="i", status="in_progress", model="m"), **ENVELOPE}],
        "flat_lifecycle",
    ),
    (
        "LiteLLM: completed",
        sent("interaction.completed", id="i", status="completed", steps=[OUTPUT], usage=USAGE),
        [completed(id="i", status="completed", steps=[OUTPUT], usage=USAGE)],
        "flat_lifecycle",
    ),
    (
        "LiteLLM: the legacy half",
        sent("interaction.start", id="i", status="in_progress", **ENVELOPE),
        [{**created(id="i", status="in_progress"), **ENVELOPE}],
        "flat_lifecycle",
    ),
    (
        "LiteLLM: the legacy end, which failed",
        sent("interaction.complete", id="i", status="failed", outputs=[TEXT]),
        [completed(id="i", status="failed", outputs=[TEXT])],
        "flat_lifecycle",
    ),
    (
        "the live socket: created",
        sent("interaction.created", interaction_id="i"),
        [created(id="i")],
        "flat_lifecycle",
    ),
    (
        "the live socket: completed",
        sent("interaction.completed", usage=USAGE),
        [completed(usage=USAGE)],
        "flat_lifecycle",
    ),
    (
        "the live socket: a status that is an object",
        sent("interaction.completed", status={"code": 13, "message": "internal"}),
        [completed(status="failed", errors=[{"code": 13, "message": "internal"}])],
        "flat_lifecycle",
    ),
    (
        "a status object that says that all is well",
        sent("interaction.completed", status={"code": 0}, usage=USAGE),
        [completed(status="completed", usage=USAGE)],
        "flat_lifecycle",
    ),
    (
        "a message without a code is no success",
        sent("interaction.completed", status={"message": "internal"}),
        [completed(status="failed", errors=[{"message": "internal"}])],
        "flat_lifecycle",
    ),
    (
        "details alone are no failure",
        sent("interaction.completed", status={"details": []}),
        [completed(status="completed")],
        "flat_lifecycle",
    ),
    (
        "the live socket: connected",
        sent("interaction.connected", interaction_id="i", **ENVELOPE),
        [updated(interaction_id="i", **ENVELOPE)],
        "connection",
    ),
    (
        "the live socket: another connection is needed",
        sent("reconnection_required"),
        [updated()],
        "connection",
    ),
    (
        "a status object inside",
        completed(id="i", status={"code": 13, "message": "internal"}),
        [completed(id="i", status="failed", errors=[{"code": 13, "message": "internal"}])],
        None,
    ),
    (
        "a status that is none is kept as it is",
        sent("interaction.completed", id="i", status={"state": "failed"}),
        [completed(id="i", status={"state": "failed"})],
        "flat_lifecycle",
    ),
    (
        "an error beside the status",
        sent("interaction.completed", status="failed", error={"code": "x", "message": "no"}),
        [completed(status="failed", errors=[{"code": "x", "message": "no"}])],
        "flat_lifecycle",
    ),
    (
        "an end of which nothing is said",
        sent("interaction.completed"),
        [completed()],
        "flat_lifecycle",
    ),
    (
        "a null for an interaction",
        sent("interaction.completed", interaction=None, status="failed"),
        [completed(status="failed")],
        "flat_lifecycle",
    ),
    (
        "members beside an interaction",
        sent("interaction.completed", interaction={"id": "i"}, status="failed", new=1, **ENVELOPE),
        [{**completed(id="i", status="failed"), "new": 1, **ENVELOPE}],
        "beside_interaction",
    ),
    (
        "members beside it that it has itself",
        sent("interaction.complete", interaction={"id": "i", "status": "failed"}, status="x"),
        [completed(id="i", status="failed")],
        "beside_interaction",
    ),
    # ---- the legacy generation
    (
        "the legacy start",
        sent("interaction.start", interaction={"id": "i", "role": "model"}, **ENVELOPE),
        [{**created(id="i", role="model"), **ENVELOPE}],
        None,
    ),
    (
        "the legacy end",
        sent("interaction.complete", interaction={"usage": {"total_reasoning_tokens": 7}}, new=1),
        [{**completed(usage={"total_thought_tokens": 7}), "new": 1}],
        None,
    ),
    ("a legacy start with nothing in it", sent("interaction.start"), [created()], None),
    (
        "turns in an event of today",
        created(input=[{"role": "user", "content": "Hi"}]),
        [created(input=[{"type": "user_input", "content": [TEXT]}])],
        None,
    ),
    # ---- ends with a name
    *(
        (
            f"{name}, {where}",
            sent(f"interaction.{name}", **members),
            [completed(id="i", status=status, usage=USAGE)],
            "named_end",
        )
        for name, status in [
            ("failed", "failed"),
            ("error", "failed"),
            ("cancelled", "cancelled"),
            ("canceled", "cancelled"),
            ("incomplete", "incomplete"),
            ("requires_action", "requires_action"),
            ("requires_continuation", "requires_continuation"),
            ("budget_exceeded", "budget_exceeded"),
        ]
        for where, members in PLACES
    ),
    (
        "a failure with its reason",
        sent("interaction.failed", id="i", error={"code": 529, "message": "busy"}, **ENVELOPE),
        [
            updated(interaction_id="i", status="failed"),
            sent("error", error={"code": 529, "message": "busy"}, **ENVELOPE),
        ],
        "named_end",
    ),
    (
        "a reason inside",
        sent("interaction.failed", interaction={"id": "i", "errors": [{"message": "busy"}]}),
        [
            updated(interaction_id="i", status="failed"),
            sent("error", error={"message": "busy"}),
        ],
        "named_end",
    ),
    (
        "a reason that is a text",
        sent("interaction.error", error="busy"),
        [updated(status="failed"), sent("error", error={"message": "busy"})],
        "named_end",
    ),
    (
        "a reason that is spread out",
        sent("interaction.failed", code=529, message="busy"),
        [updated(status="failed"), sent("error", code=529, message="busy")],
        "named_end",
    ),
    (
        "a failure with steps",
        sent("interaction.failed", interaction={"steps": [OUTPUT]}, error={"message": "busy"}),
        [completed(status="failed", errors=[{"message": "busy"}], steps=[OUTPUT])],
        "named_end",
    ),
    (
        "another end inside",
        sent("interaction.failed", status="cancelled"),
        [completed(status="cancelled")],
        "named_end",
    ),
    # ---- an interaction where none is due
    (
        "a nested status",
        updated(interaction={"id": "i", "status": "cancelled"}, **ENVELOPE),
        [updated(interaction_id="i", status="cancelled", **ENVELOPE)],
        "nested_status",
    ),
    (
        "an error with its interaction",
        sent("error", error={"code": "x"}, interaction={"id": "i", "status": "failed"}, **ENVELOPE),
        [
            updated(interaction_id="i", status="failed"),
            sent("error", error={"code": "x"}, **ENVELOPE),
        ],
        "error_with_interaction",
    ),
    # ---- frames
    (
        "a frame",
        {
            "events": [
                sent("interaction.created", interaction_id="i"),
                delta(**TEXT),
                {"events": []},
            ]
        },
        [created(id="i"), delta(**TEXT), {"events": []}],
        "frame",
    ),
    # ---- deltas
    (
        "arguments in pieces",
        {**delta(type="function_call", args='{"port":'), "event_id": "e"},
        [{**delta(type="arguments_delta", arguments='{"port":'), "event_id": "e"}],
        "call_arguments",
    ),
    (
        "arguments in pieces, with what else is known",
        {**delta(type="function_call", id="c", name="tide", arguments='{"port":'), **ENVELOPE},
        [
            delta(type="function_call", id="c", name="tide"),
            {**delta(type="arguments_delta", arguments='{"port":'), **ENVELOPE},
        ],
        "call_arguments",
    ),
    (
        "an object under the other name",
        delta(type="function_call", args={"port": "Rye"}),
        [delta(type="function_call", arguments={"port": "Rye"})],
        "call_arguments",
    ),
    (
        "a call to a server",
        delta(type="mcp_server_tool_call", id="c", arguments="{}"),
        [
            delta(type="mcp_server_tool_call", id="c"),
            delta(type="arguments_delta", arguments="{}"),
        ],
        "call_arguments",
    ),
    (
        "a whole call",
        delta(type="function_call", id="c", arguments={"port": "Rye"}),
        [delta(type="function_call", id="c", arguments={"port": "Rye"})],
        None,
    ),
    *(
        (
            f"arguments: {name}",
            delta(type="arguments", **{name: "{}"}),
            [delta(type="arguments_delta", **{name: "{}"})],
            "arguments_type",
        )
        for name in ("arguments", "partial_arguments")
    ),
    *(
        (
            f"a summary with {'/'.join(members)} {type(*members.values()).__name__}",
            delta(type="thought_summary", **members),
            [delta(type="thought_summary", content=TEXT)],
            "summary_text",
        )
        for members in ({"text": "Hi"}, {"content": "Hi"}, {"content": {"text": "Hi"}})
    ),
    (
        "the rate of audio",
        delta(type="audio", data="AAEC", rate=8000),
        [delta(type="audio", data="AAEC", sample_rate=8000)],
        None,
    ),
    # ---- steps
    (
        "a string for content",
        start(type="model_output", content="Hi"),
        [start(**OUTPUT)],
        "string_content",
    ),
    (
        "a string for a summary",
        start(type="thought", summary="Hi", signature="c2ln"),
        [start(type="thought", summary=[TEXT], signature="c2ln")],
        "string_content",
    ),
    (
        "one part for content",
        start(type="model_output", content={"text": "Hi"}),
        [start(**OUTPUT)],
        "string_content",
    ),
    (
        "parts without a type",
        start(type="model_output", content=[{"text": "Hi"}, TEXT]),
        [start(type="model_output", content=[TEXT, TEXT])],
        None,
    ),
    (
        "text for arguments",
        start(type="function_call", id="c", arguments='{"port": "Rye"}'),
        [start(type="function_call", id="c", arguments={"port": "Rye"})],
        "string_arguments",
    ),
    (
        "empty text for arguments",
        start(type="function_call", id="c", arguments="", new=1),
        [start(type="function_call", id="c", new=1)],
        "string_arguments",
    ),
    (
        "steps in a lifecycle event",
        completed(steps=[{"type": "model_output", "content": "Hi"}]),
        [completed(steps=[OUTPUT])],
        None,
    ),
]


@pytest.mark.parametrize(
    ("value", "want", "dialect"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS]
)
def test_forms(value: Json, want: list[Json], dialect: str | None) -> None:
    event = event_of(value)
    today = normalise(event)
    assert [json.loads(encode(each)) for each in today] == want
    legacy = set(get_args(old.LegacySseEvent)) - set(get_args(m.InteractionSseEvent))
    assert not {type(each) for each in today} & legacy
    assert dialect_of(event) == dialect
    assert encode(event) == encode(event_of(value))  # it is not touched
    for each in today:
        assert dialect == "frame" or normalise(each) == (each,)


def test_every_form_is_tried() -> None:
    names = {row[3] for row in ROWS}
    assert {form.name for form in FORMS if form.dialect} <= names
    assert len({form.name for form in FORMS}) == len(FORMS)


@pytest.mark.parametrize(
    "value",
    [
        created(id="i", status="in_progress"),
        completed(id="i", status="completed", usage=USAGE, steps=[OUTPUT]),
        updated(interaction_id="i", status="cancelled"),
        start(**OUTPUT),
        start(type="function_call", id="c", arguments={}),
        start(type="function_call", id="c", arguments='{"port":'),  # half of them
        start(type="thought", summary=[]),
        start(type="sparkle", content="Hi"),
        start(type="model_output", content=5),
        delta(**TEXT),
        delta(text="Hi"),
        delta(),
        delta(type="thought_summary", content=TEXT),
        delta(type="thought_summary", text=5),
        delta(type="audio", data="AAEC"),
        delta(type="sparkle", text="Hi"),
        delta(type="arguments_delta", arguments="{"),
        sent("step.stop", index=0),
        sent("error", error={"message": "no"}),
        sent("error", interaction="i"),
        sent("interaction.completed", interaction="i", status="completed"),
        sent("interaction.completed", interactiom={"id": "i", "status": "failed"}),
        sent("interaction.in_progress", id="i"),
        sent("content.start", index=0, content={"type": "text"}),
        sent("content.delta", index=0, delta={"type": "text", "text": "Hi"}),
        sent("content.stop", index=0, delta={"type": "text", "text": "Hi"}),
        sent("step.stop", index=-1),
        {"events": 5},
        {"error": {"message": "no"}},
    ],
    ids=json.dumps,
)
def test_what_is_todays_stays_what_it_is(value: Json) -> None:
    event = event_of(value)
    (same,) = normalise(event)
    assert same is event
    assert dialect_of(event) is None


@pytest.mark.parametrize("data", [b"[DONE]", b"ping", b"", b"5", b"[]", b'{"events": [', b"\xff"])
def test_text_that_is_no_event(data: bytes) -> None:
    event = decode_event(data)
    assert normalise(event) == (event,)


@pytest.mark.parametrize(
    "value",
    [None, 5, "text", {}, [], m.TextDelta(text="Hi"), m.UnknownStep(b"{}"), m.Interaction()],
    ids=repr,
)
def test_what_is_no_event(value: Any) -> None:
    with pytest.raises(TypeError, match=r"^not an event of the Interactions API: "):
        normalise(value)
    with pytest.raises(TypeError, match=r"^not an event of the Interactions API: "):
        dialect_of(value)


def test_a_frame_in_a_frame_is_left_alone() -> None:
    deep = b'{"events":' * 400 + b"[]" + b"}" * 400
    for data in (deep, b'{"events":[' * 50 + b"]}" * 50, b'{"events":[' * 5000 + b"]}" * 5000):
        assert len(normalise(decode_event(data))) <= 1


def test_events_read_by_the_union_of_the_other_generation() -> None:
    stop = decode(b'{"event_type": "step.stop", "index": 3}', old.LegacySseEvent)
    assert type(stop) is old.UnknownLegacySseEvent
    assert normalise(stop) == (m.StepStop(index=3),)
    legacy = decode(b'{"event_type": "content.stop", "index": 3}', m.InteractionSseEvent)
    assert type(legacy) is m.UnknownInteractionSseEvent
    assert normalise(legacy) == (m.ContentStop(index=3),)
    new = decode(b'{"event_type": "new"}', old.LegacySseEvent)
    assert normalise(new) == (m.UnknownInteractionSseEvent(b'{"event_type": "new"}', "new"),)
    flat = decode(b'{"event_type": "interaction.failed"}', old.LegacySseEvent)
    assert normalise(flat) == (
        m.InteractionCompletedEvent(interaction=Interaction(status="failed")),
    )


LEGACY_DELTAS: list[tuple[Json, list[Json]]] = [
    ({"type": "text", "text": "Hi"}, [TEXT]),
    (
        {"type": "text", "text": "Hi", "annotations": [{"type": "url_citation", "url": "u"}]},
        [
            TEXT,
            {
                "type": "text_annotation_delta",
                "annotations": [{"type": "url_citation", "url": "u"}],
            },
        ],
    ),
    (
        {"type": "text_annotation", "annotations": [{"start_index": 1}]},
        [{"type": "text_annotation_delta", "annotations": [{"start_index": 1}]}],
    ),
    ({"type": "function_call", "id": "c"}, [{"type": "function_call", "id": "c"}]),
    (
        {"type": "function_call", "id": "c", "args": '{"port":'},
        [
            {"type": "function_call", "id": "c"},
            {"type": "arguments_delta", "arguments": '{"port":'},
        ],
    ),
    (
        {"type": "arguments_delta", "arguments": "{"},
        [{"type": "arguments_delta", "arguments": "{"}],
    ),
    ({"type": "arguments", "arguments": "{"}, [{"type": "arguments_delta", "arguments": "{"}]),
    ({"type": "thought_summary", "text": "Hi"}, [{"type": "thought_summary", "content": TEXT}]),
    (
        {"type": "audio", "data": "AAEC", "rate": 8000},
        [{"type": "audio", "data": "AAEC", "sample_rate": 8000}],
    ),
    (
        {"type": "google_search_result", "result": [{"rendered_content": "x"}]},
        [{"type": "google_search_result", "result": [{"search_suggestions": "x"}]}],
    ),
    (
        {"type": "function_result", "result": {"items": ["a", {"type": "text", "text": "b"}]}},
        [
            {
                "type": "function_result",
                "result": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}],
            }
        ],
    ),
    ({"type": "sparkle", "n": 1}, [{"type": "sparkle", "n": 1}]),
    ({"text": "Hi"}, [{"text": "Hi"}]),
    ({"type": "text"}, [{"type": "text"}]),
]


@pytest.mark.parametrize(("value", "want"), LEGACY_DELTAS, ids=lambda value: json.dumps(value)[:40])
def test_deltas_of_the_legacy_generation(value: Json, want: list[Json]) -> None:
    event = event_of(sent("content.delta", index=0, delta=value))
    assert normalise(event) == (event,)
    assert [json.loads(encode(each)) for each in content_deltas(event.delta)] == want
    dialect = dialect_of(event_of(delta(**value)))
    assert dialect_of(event) == dialect  # the same gateways write both generations


@pytest.mark.parametrize(
    ("value", "want"),
    [
        ({"type": "text"}, {"type": "model_output", "content": [{"type": "text", "text": ""}]}),
        ({"type": "image"}, {"type": "model_output", "content": [{"type": "image"}]}),
        ({"text": "Hi"}, OUTPUT),
        ({"type": "thought", "signature": "c2ln"}, {"type": "thought", "signature": "c2ln"}),
        (
            {"type": "audio", "rate": 8000},
            {"type": "model_output", "content": [{"type": "audio", "sample_rate": 8000}]},
        ),
        (
            {"type": "function_call", "id": "c", "args": {"port": "Rye"}},
            {"type": "function_call", "id": "c", "arguments": {"port": "Rye"}},
        ),
        ({"type": "new_call", "id": "c"}, {"type": "new_call", "id": "c"}),
    ],
    ids=lambda value: json.dumps(value)[:40],
)
def test_contents_of_the_legacy_generation(value: Json, want: Json) -> None:
    event = event_of(sent("content.start", index=0, content=value))
    step = content_step(event.content)
    assert json.loads(encode(step)) == want
    assert isinstance(step, get_args(m.Step)) or type(step) is m.UnknownStep


def test_a_delta_without_a_type_goes_by_its_step() -> None:
    text = m.UnknownStepDeltaData(b'{"text": "Hi"}')
    for taking in (None, m.ModelOutputStep, m.UserInputStep):
        assert delta_today(text, taking) == m.TextDelta(text="Hi")
    for step in (m.ThoughtStep, m.FunctionCallStep, m.FunctionResultStep, m.UnknownStep):
        assert delta_today(text, step) is text
    for other in (
        m.UnknownStepDeltaData(b"{}"),
        m.UnknownStepDeltaData(b'{"text": 5}'),
        m.UnknownStepDeltaData(b'{"type": "sparkle", "text": "Hi"}', "sparkle"),
        m.TextDelta(text="Hi"),
    ):
        assert delta_today(other, m.ModelOutputStep) is other


def test_parts_and_steps_alone() -> None:
    assert content_today(m.UnknownContent(b'{"text": "Hi"}')) == m.TextContent(text="Hi")
    for part in (m.TextContent(text="Hi"), m.UnknownContent(b'{"type": 5, "text": "Hi"}')):
        assert content_today(part) is part
    step = decode(b'{"type": "model_output", "content": "Hi"}', m.Step)
    assert step_today(step) == m.ModelOutputStep(content=[m.TextContent(text="Hi")])
    assert json.loads(encode(step)) == {"type": "model_output", "content": "Hi"}


def test_payloads_and_leading_input() -> None:
    payload = Interaction(id="i", steps=[m.ModelOutputStep()])
    assert payload_today(payload) is payload
    steps: list[Any] = [m.UserInputStep(), m.UserInputStep(), m.ThoughtStep(), m.UserInputStep()]
    assert without_leading_input(steps) == steps[2:]
    assert without_leading_input(steps[:2]) == []


def test_the_legacy_models_are_loaded_with_the_first_of_their_events() -> None:
    code = """
import sys
from gemwire.wire.normalise import normalise
from gemwire.wire.events import decode_event
for data in (
    b'{"event_type": "interaction.completed", "interaction": {"id": "i"}}',
    b'{"event_type": "interaction.failed", "error": {"code": 5}}',
    b'{"event_type": "step.delta", "index": 0, "delta": {"type": "audio", "rate": 5}}',
    b'{"event_type": "step.delta", "index": 0, "delta": {"type": "function_call", "args": "{"}}',
    b'{"event_type": "step.start", "index": 0, "step": {"type": "model_output", "content": "a"}}',
    b'{"events": []}',
):
    normalise(decode_event(data))
print([name for name in sys.modules if "gemwire" in name and "legacy" in name])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_one_name_for_the_events_of_both_generations() -> None:
    for data in (
        b'{"event_type": "content.stop", "index": 3}',
        b'{"event_type": "step.stop", "index": 3}',
        b'{"event_type": "new"}',
    ):
        event = decode(data, gemwire.Event)
        assert event == decode_event(data)
        assert isinstance(event, gemwire.Event)
    assert not isinstance(m.TextDelta(text="Hi"), gemwire.Event)


HEADS = {"legacy": "| older | today | until |", "assembly": "| looser | read as | seen |"}


def table(page: str) -> str:
    """The rows of a page, as it shows them."""
    rows = [HEADS[page], "|---|---|---|"]
    for form in FORMS:
        if form.page == page:
            what = "delta " if form.what == "delta" and form.older.startswith("`") else ""
            rows.append(f"| {what}{form.older} | {form.today} | {form.seen} |")
    return "\n".join(rows)


@pytest.mark.parametrize("page", HEADS)
def test_the_table_is_in_the_documentation(page: str) -> None:
    """On failure: put the table that is printed between the two comments."""
    text = (DOCS / f"{page}.md").read_text("utf-8")
    shown = text.partition(f"<!-- forms: {page} -->\n")[2].partition("\n<!-- end of forms -->")[0]
    assert shown == table(page), f"docs/{page}.md lacks\n\n{table(page)}\n"
