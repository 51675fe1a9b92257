"""What comes of events in the forms of gateways and of the live socket, in every way of reading.

What each form is read as, by itself, is in test_normalise.py; here the answer and the verdict.
"""

from __future__ import annotations

from typing import Any

import pytest

from gemwire import InteractionStream, ServerError, TruncatedStream, decode_event, to_dict

from .wire import (
    CALL,
    FAILURE,
    IDENTITY,
    WAYS,
    Case,
    Payload,
    arguments,
    completed,
    created,
    delta,
    error,
    ids,
    mill,
    said,
    start,
    stop,
    text,
    update,
    usage,
)

ONE = ("dialect", None)
TWO = ("dialect", None, 2)
RYE = {**CALL, "arguments": {"port": "Rye"}}
WHY: Payload = {"code": "c", "message": "Why."}


def flat(kind: str, **members: Any) -> Payload:
    """An event whose members stand beside its type."""
    return {**members, "event_type": kind}


LIFECYCLE = [
    Case(
        "flat: created and completed",
        [
            flat("interaction.created", id="it_9", status="in_progress"),
            *mill(0),
            flat("interaction.completed", id="it_9", status="completed", usage=usage(13)),
        ],
        [said()],
        [TWO],
        usage=usage(13),
        source="terminal",
        members={"id": "it_9", "status": "completed"},
        bare=True,
    ),
    Case(
        "flat: without a status, it is completed",
        [created(), *mill(0), flat("interaction.completed")],
        [said()],
        [ONE],
        bare=True,
    ),
    Case(
        "flat: without a status, an end that was told before stands",
        [created(), update("failed"), flat("interaction.completed")],
        issues=[ONE],
        outcome="failed",
        bare=True,
    ),
    Case(
        "flat: of the legacy generation",
        [
            flat("interaction.start", id="it_9", status="in_progress"),
            flat("content.start", index=0, content={"type": "text", "text": ""}),
            flat("content.delta", index=0, delta={"type": "text", "text": "A mill"}),
            flat("content.stop", index=0),
            flat(
                "interaction.complete",
                id="it_9",
                status="completed",
                outputs=[{"type": "text", "text": "A mill"}],
            ),
        ],
        [said()],
        [TWO],
        members={"id": "it_9", "status": "completed"},
        bare=True,
    ),
    Case(
        "members beside the interaction",
        [
            {**created(None), "id": "it_9"},
            *mill(0),
            {**completed(identity="it_9"), "usage": usage(3)},
        ],
        [said()],
        [TWO],
        usage=usage(3),
        source="terminal",
        members={"id": "it_9"},
        bare=True,
    ),
    Case(
        "a status that is an object: failed",
        [created(), flat("interaction.completed", status={"code": 13, "message": "No."})],
        issues=[ONE],
        outcome="failed",
        members={"errors": [{"code": 13, "message": "No."}]},
        bare=True,
    ),
    Case(
        "a status that is an object without a code: completed",
        [created(), *mill(0), flat("interaction.completed", status={})],
        [said()],
        [ONE],
        bare=True,
    ),
    Case(
        "a status update with its members in an interaction",
        [
            created(),
            flat("interaction.status_update", interaction={"id": IDENTITY, "status": "cancelled"}),
        ],
        issues=[ONE],
        outcome="cancelled",
        members={"status": "cancelled"},
        bare=True,
    ),
    Case(
        "an error with the interaction that failed",
        [created(), {**error(FAILURE), "interaction": {"id": IDENTITY, "status": "failed"}}],
        issues=[ONE],
        outcome="error",
        raised=ServerError,
        members={"status": "failed"},
        bare=True,
    ),
]

NAMED = {
    "budget_exceeded": "budget_exceeded",
    "canceled": "cancelled",
    "cancelled": "cancelled",
    "error": "failed",
    "failed": "failed",
    "incomplete": "incomplete",
    "requires_action": "requires_action",
    "requires_continuation": "requires_continuation",
}

ENDS = [
    *(
        Case(
            f"an end by its name, flat: {name}",
            [created(), *mill(0), flat(f"interaction.{name}", id=IDENTITY, usage=usage(4))],
            [said()],
            [ONE],
            usage=usage(4),
            source="terminal",
            outcome=status,
            members={"status": status, "errors": None},
            bare=True,
        )
        for name, status in NAMED.items()
    ),
    *(
        Case(
            f"an end by its name, with its reason: {name}",
            [created(), *mill(0), flat(f"interaction.{name}", interaction={"error": WHY})],
            [said()],
            [ONE],
            outcome="error" if status == "failed" else status,
            raised=ServerError if status == "failed" else None,
            members={"status": status, "errors": None if status == "failed" else [WHY]},
            bare=True,
        )
        for name, status in NAMED.items()
    ),
    Case(
        "the name says one end, the status another: the status",
        [created(), flat("interaction.failed", status="budget_exceeded")],
        issues=[ONE],
        outcome="budget_exceeded",
        bare=True,
    ),
    Case(
        "a name that is no end",
        [created(), flat("interaction.in_progress", id=IDENTITY)],
        unknown=[("event", "interaction.in_progress")],
        outcome="truncated",
        raised=TruncatedStream,
        bare=True,
    ),
    Case(
        "an end by its name that is no object",
        [created(), b"event: interaction.failed\ndata: 5\n\n"],
        issues=[("damaged", None)],
        outcome="truncated",
        raised=TruncatedStream,
        bare=True,
    ),
]

CONNECTION = [
    Case(
        f"of the connection, no end: {kind}",
        [created(), *mill(0), flat(kind), update("in_progress")],
        [said()],
        [ONE],
        outcome="truncated",
        raised=TruncatedStream,
        members={"id": IDENTITY},
        bare=True,
    )
    for kind in ("interaction.connected", "reconnection_required")
]

FRAMES = [
    Case(
        "several events in one message",
        [{"events": [created(), *mill(0), completed()]}],
        [said()],
        [ONE],
        members={"id": IDENTITY, "status": "completed"},
        bare=True,
    ),
    Case("no event in a message", [{"events": []}, *mill(0)], [said()], [ONE]),
    Case(
        "what is no event among them, and a message in a message",
        [{"events": [{"events": mill(0)}, 5, *mill(1)]}],
        [said()],
        [("dialect", None), ("index_gap", None)],
        unknown=[("event", None, 2)],
    ),
    Case("no list", [{"events": 5}, *mill(0)], [said()], unknown=[("event", None)]),
    Case(
        "usage and id of the events in it count",
        [{"events": [start(0, "thought"), stop(0, usage=usage(7), event_id="e1")]}],
        [{"type": "thought"}],
        [ONE],
        usage=usage(7),
        source="step",
    ),
]

IDLE = [
    Case(
        "idle in a status update is no end",
        [created(), update("idle")],
        outcome="truncated",
        raised=TruncatedStream,
        bare=True,
    ),
    Case(
        "idle in the terminal event is one",
        [created(), *mill(0), completed("idle")],
        [said()],
        outcome="idle",
        bare=True,
    ),
]

CONTENTS = [
    Case(
        "a string as content",
        [start(0, "model_output", content="A "), text(0, "mill"), stop(0)],
        [said()],
        [ONE],
    ),
    Case(
        "one part as content",
        [
            start(0, "model_output", content={"type": "text", "text": "A "}),
            text(0, "mill"),
            stop(0),
        ],
        [said()],
        [ONE],
    ),
    Case(
        "a part without a type, as guides have it, is no dialect",
        [start(0, "model_output", content=[{"text": "A "}]), text(0, "mill"), stop(0)],
        [said()],
    ),
    Case(
        "a summary that is text",
        [
            start(0, "thought", summary="a"),
            delta(0, "thought_summary", text="b"),
            delta(0, "thought_summary", content="c"),
            stop(0),
        ],
        [{"type": "thought", "summary": [{"type": "text", "text": piece} for piece in "abc"]}],
        [("dialect", None, 3)],
    ),
]

CALLS = [
    Case(
        "arguments in pieces, as args of a function call",
        [
            start(0, "function_call", id="f1"),
            delta(0, "function_call", name="tide", args='{"port":'),
            delta(0, "function_call", args='"Rye"}'),
            stop(0),
        ],
        [RYE],
        [TWO],
    ),
    Case(
        "without a start",
        [delta(0, "function_call", id="f1", name="tide", args='{"port":"Rye"}'), stop(0)],
        [RYE],
        [ONE, ("start_missing", 0)],
    ),
    *(
        Case(
            f"arguments of a delta as {name}, {'text' if isinstance(sent, str) else 'an object'}",
            [
                start(0, "function_call", id="f1"),
                delta(0, "function_call", name="tide", **{name: sent}),
                stop(0),
            ],
            [RYE],
            [ONE],
        )
        for name, sent in (
            ("args", '{"port":"Rye"}'),
            ("args", {"port": "Rye"}),
            ("arguments", '{"port":"Rye"}'),
        )
    ),
    *(
        Case(
            f"arguments of a start as {name}, {'text' if isinstance(sent, str) else 'an object'}",
            [start(0, "function_call", id="f1", name="tide", **{name: sent}), stop(0)],
            [RYE],
            [ONE],
        )
        for name, sent in (
            ("args", '{"port":"Rye"}'),
            ("args", {"port": "Rye"}),
            ("arguments", '{"port":"Rye"}'),
        )
    ),
    Case(
        "an empty text in the start is a placeholder",
        [
            start(0, "function_call", id="f1", name="tide", arguments=""),
            arguments(0, '{"port":"Rye"}'),
            stop(0),
        ],
        [RYE],
        [ONE],
    ),
    Case(
        "an older tag",
        [
            start(0, "function_call", id="f1", name="tide"),
            delta(0, "arguments", arguments='{"port":'),
            delta(0, "arguments", partial_arguments='"Rye"}'),
            stop(0),
        ],
        [RYE],
        [TWO],
    ),
    Case(
        "of a tool on another server",
        [
            start(0, "mcp_server_tool_call", id="f1", name="tide"),
            delta(0, "mcp_server_tool_call", args='{"port":"Rye"}'),
            stop(0),
        ],
        [{**RYE, "type": "mcp_server_tool_call"}],
        [ONE],
    ),
]

ALL = [*LIFECYCLE, *ENDS, *CONNECTION, *FRAMES, *IDLE, *CONTENTS, *CALLS]


@pytest.mark.parametrize("case", ALL, ids=ids(ALL))
def test_rule(case: Case) -> None:
    for way, read in WAYS.items():
        assert (way, case.seen(read(case.bytes))) == (way, case.expected)


@pytest.mark.parametrize("case", ALL, ids=ids(ALL))
def test_text_and_steps_as_they_come(case: Case) -> None:
    reader = InteractionStream(case.bytes)
    assert "".join(reader.text_stream) == reader.snapshot().full_text
    finished = [to_dict(step) for step in InteractionStream(case.bytes).finished_steps()]
    assert finished == (case.steps or [])


@pytest.mark.parametrize("case", ALL, ids=ids(ALL))
def test_events_are_yielded_as_they_were_sent(case: Case) -> None:
    for sent, event in zip(case.bytes.split(b"\n\n"), InteractionStream(case.bytes), strict=False):
        head, _, data = sent.partition(b"data: ")
        assert event == decode_event(data, head.removeprefix(b"event: ").strip().decode() or None)


def test_the_issue_names_the_form() -> None:
    events = [flat("interaction.failed"), {"events": []}, start(0, "model_output", content="A")]
    for event, name in zip(events, ("named_end", "frame", "string_content"), strict=True):
        (issue,) = InteractionStream(Case("", [event]).bytes).until_done().report.issues[:1]
        assert (issue.kind, issue.detail) == ("dialect", name)
