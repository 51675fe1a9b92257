"""The live socket: its messages decoded, folded as streams are, and what a client sends over it."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gemwire import (
    Assembler,
    DecodeError,
    GemwireError,
    Interaction,
    ResumePoint,
    ServerError,
    StreamReport,
    TruncatedStream,
    decode,
    decode_event,
    decode_live_event,
    encode,
    to_dict,
)
from gemwire import models as m
from gemwire.assembly.events import HANDLERS
from gemwire.codec.schema import shape
from gemwire.models.tables import EVENTS
from gemwire.wire.normalise import dialect_of, normalise

from .strategies import instances, json_texts, mutated

Payload = dict[str, Any]


def live(kind: str, **members: Any) -> Payload:
    return {**members, "event_type": kind}


def dumps(value: Any) -> bytes:
    return json.dumps(value).encode()


CREATED = live("interaction.created", interaction_id="int_7")
STEPS = [
    live("step.start", index=0, step={"type": "model_output"}),
    live("step.delta", index=0, delta={"type": "text", "text": "Low"}),
    live("step.delta", index=0, delta={"type": "text", "text": " tide"}),
    live("step.stop", index=0),
]
USAGE = {"total_tokens": 5}
COMPLETED = live("interaction.completed", usage=USAGE, created="c", updated="u")
SAID = [{"type": "model_output", "content": [{"type": "text", "text": "Low tide"}]}]
INTERNAL = {"code": 13, "message": "internal"}


def folded(messages: Iterable[bytes]) -> Assembler:
    assembler = Assembler()
    for message in messages:
        for event in decode_live_event(message):
            assembler.apply(event)
    assembler.settle()
    return assembler


# ---- messages

ONE = [
    (CREATED, m.LiveInteractionCreatedEvent(interaction_id="int_7")),
    (
        COMPLETED,
        m.LiveInteractionCompletedEvent(usage=m.Usage(total_tokens=5), created="c", updated="u"),
    ),
    (
        live("interaction.completed", status=INTERNAL),
        m.LiveInteractionCompletedEvent(status=m.Status(code=13, message="internal")),
    ),
    (live("interaction.cancelled"), m.InteractionCancelledEvent()),
    (live("interaction.canceled"), m.InteractionCanceledEvent()),
    (live("interaction.connected"), m.InteractionConnectedEvent()),
    (live("reconnection_required"), m.ReconnectionRequiredEvent()),
    (live("step.stop", index=0), m.StepStop(index=0)),
    (live("error", error={"message": "no"}), m.ErrorEvent(error=m.Error(message="no"))),
]


@pytest.mark.parametrize(("sent", "event"), ONE, ids=[str(sent["event_type"]) for sent, _ in ONE])
def test_one_event(sent: Payload, event: Any) -> None:
    text = dumps(sent)
    for data in (text, text.decode(), bytearray(text), memoryview(text), b" \r\n" + text + b"\n"):
        assert decode_live_event(data, strict=True) == [event]
    assert json.loads(encode(event)) == sent


def test_several_events() -> None:
    everything = [CREATED, *STEPS, COMPLETED]
    apart = [event for sent in everything for event in decode_live_event(dumps(sent))]
    assert decode_live_event(dumps({"events": everything}), strict=True) == apart
    assert [json.loads(encode(event)) for event in apart] == everything
    assert decode_live_event(b'{"events": []}', strict=True) == []


UNKNOWN = [
    ("a new event", b'{"event_type": "hologram"}', "hologram"),
    ("an event of streams", dumps(live("interaction.status_update", status="failed")), None),
    ("no type", b'{"index": 0}', None),
    ("a type that is no text", b'{"event_type": 5}', None),
    ("a required member that does not fit", b'{"event_type":"step.delta","delta":5}', "step.delta"),
    ("no list of events", b'{"events": 5}', None),
    ("no object", b"5", None),
    ("null", b"null", None),
    ("a list", b'[{"event_type": "interaction.connected"}]', None),
    ("half an event", b'{"event_type": "interaction.comp', None),
    ("a text", b"ping", None),
    ("nothing", b"", None),
    ("no UTF-8", b"\xff\xfe", None),
]


@pytest.mark.parametrize(("data", "tag"), [row[1:] for row in UNKNOWN], ids=[r[0] for r in UNKNOWN])
def test_what_is_not_known(data: bytes, tag: str | None) -> None:
    (event,) = decode_live_event(data)
    assert isinstance(event, m.UnknownServerEvent)
    assert event.tag in (tag, "interaction.status_update")
    with pytest.raises(DecodeError):
        decode_live_event(data, strict=True)
    assembler = Assembler()
    assembler.apply(event)  # and is never the reason that something raises
    assert assembler.report.event_count == 1


def test_what_is_not_known_among_several() -> None:
    """One that cannot be read does not take the others with it; a message in a message is none."""
    nested = {"events": [CREATED]}
    found = decode_live_event(dumps({"events": [CREATED, 5, nested, live("new"), COMPLETED]}))
    kinds = ["LiveInteractionCreatedEvent", *["UnknownServerEvent"] * 3]
    assert [type(event).__name__ for event in found] == [*kinds, "LiveInteractionCompletedEvent"]
    with pytest.raises(DecodeError):
        decode_live_event(dumps({"events": [CREATED, 5]}), strict=True)


def test_members_that_are_not_known_are_kept() -> None:
    sent = {**COMPLETED, "status": 5, "mood": [1], "usage": {"total_tokens": 1, "new": 2}}
    (event,) = decode_live_event(dumps(sent))
    assert isinstance(event, m.LiveInteractionCompletedEvent)
    assert json.loads(encode(event)) == sent
    with pytest.raises(DecodeError):
        decode_live_event(dumps(sent), strict=True)


def test_deep_nesting_is_no_crash() -> None:
    deep = b'{"events":' * 5000 + b"[]" + b"}" * 5000
    for data in (deep, b"[" * 100_000, b'{"event_type":"new","x":' + b"[" * 5000):
        folded([data])


# ---- what comes of them

ENDS: list[tuple[Payload, str, Payload]] = [
    (COMPLETED, "completed", {"usage": USAGE, "created": "c", "updated": "u"}),
    (live("interaction.completed"), "completed", {}),
    (live("interaction.completed", mood="new"), "completed", {"mood": "new"}),
    (live("interaction.completed", status={}), "completed", {}),
    (live("interaction.completed", status={"code": 0}), "completed", {}),
    (live("interaction.completed", status={"details": []}), "completed", {}),
    (live("interaction.completed", status=INTERNAL), "failed", {"errors": [INTERNAL]}),
    (live("interaction.completed", status="incomplete"), "incomplete", {}),
    (live("interaction.cancelled", usage=USAGE), "cancelled", {"usage": USAGE}),
    (live("interaction.canceled", usage=USAGE), "cancelled", {"usage": USAGE}),
    (
        live("interaction.completed", interaction={"id": "int_7", "status": "incomplete"}),
        "incomplete",
        {},
    ),
    (live("interaction.failed", id="int_7"), "failed", {}),
]


@pytest.mark.parametrize(
    ("end", "outcome", "members"), ENDS, ids=[dumps(e[0]).decode() for e in ENDS]
)
def test_ends(end: Payload, outcome: str, members: Payload) -> None:
    assembler = folded(map(dumps, [CREATED, *STEPS, end]))
    report = assembler.report
    want = {"id": "int_7", "status": outcome, "steps": SAID, **members}
    assert to_dict(assembler.finish()) == want
    assert (report.outcome, report.interaction_id, report.resume) == (outcome, "int_7", None)
    assert report.usage == (m.Usage(total_tokens=5) if "usage" in members else None)
    assert report.usage_source == ("terminal" if "usage" in members else None)
    dialect = [issue.kind for issue in report.issues]
    assert dialect == (["dialect"] if end["event_type"] == "interaction.failed" else [])


def test_a_failure_says_why() -> None:
    """The code and the message of the status; the answer is given, as for any other that failed."""
    report = folded(map(dumps, [CREATED, live("interaction.completed", status=INTERNAL)])).report
    assert report.error is not None
    assert (report.error.code, report.error.message) == (13, "internal")


def test_an_error_event_is_an_error() -> None:
    for error in (
        live("error", error={"code": "x", "message": "no"}),
        {"error": {"message": "no"}},
    ):
        assembler = folded(map(dumps, [CREATED, *STEPS, error]))
        assert assembler.report.outcome == "error"
        with pytest.raises(ServerError, match="no"):
            assembler.finish()


@pytest.mark.parametrize("last", [[], [live("reconnection_required")]], ids=["cut", "told"])
def test_a_connection_that_ends_is_no_end_of_the_answer(last: list[Payload]) -> None:
    assembler = folded(map(dumps, [CREATED, *STEPS, *last]))
    assert assembler.report.outcome == "truncated"
    assert assembler.report.resume == ResumePoint("int_7")
    assert not assembler.report.unknown
    assert not assembler.report.issues
    with pytest.raises(TruncatedStream):
        assembler.finish()


@pytest.mark.parametrize("again", [[], [CREATED, *STEPS[:2]]], ids=["on from there", "anew"])
def test_going_on_over_a_new_connection(again: list[Payload]) -> None:
    assembler = folded(map(dumps, [CREATED, *STEPS[:2], live("reconnection_required")]))
    assembler.reopen()
    for sent in [live("interaction.connected"), *again, *STEPS[2:], COMPLETED]:
        for event in decode_live_event(dumps(sent)):
            assembler.apply(event)
    assert to_dict(assembler.finish())["steps"] == SAID
    assert assembler.report.outcome == "completed"


def test_connected_tells_the_id_if_it_has_one() -> None:
    connected = live("interaction.connected", interaction_id="int_7", event_id="e1", new=1)
    report = folded([dumps(connected)]).report
    assert (report.interaction_id, report.last_event_id) == ("int_7", "e1")
    assert [seen.tag for seen in report.unknown] == ["new"]


def test_an_event_of_another_generation_counts() -> None:
    update = live("interaction.status_update", interaction_id="int_7", usage=USAGE)
    assert folded(map(dumps, [CREATED, update])).report.usage == m.Usage(total_tokens=5)


def test_a_damaged_message_is_damage() -> None:
    report = folded([dumps(CREATED), b'{"event_type":"step.del', dumps(COMPLETED)]).report
    assert (report.outcome, report.damaged) == ("completed", 1)


@pytest.mark.parametrize("cls", list(shape(m.ClientEvent).structs.values()), ids=repr)
def test_what_a_client_sends_is_no_event_of_an_answer(cls: Any) -> None:
    """`interaction.complete` is the end of an answer in the legacy generation."""
    with pytest.raises(TypeError, match="not an event of the Interactions API"):
        Assembler().apply(cls())


# ---- one rule, not two


def verdict(assembler: Assembler) -> tuple[Interaction, str, StreamReport]:
    """What came of it, but for what says in which form it came, and that an event comes again:
    equal ones, as these may be, are told from a repetition only without a checkpoint in between.
    """
    try:
        assembler.finish()
        raised = ""
    except GemwireError as error:
        raised = f"{type(error).__name__}: {error}"
    report = to_dict(assembler.report)
    beside = ("dialect", "repeated")
    report["issues"] = [issue for issue in report["issues"] if issue["kind"] not in beside]
    return assembler.snapshot(), raised, report


def pushed(events: Iterable[Any]) -> Assembler:
    assembler = Assembler()
    for event in events:
        assembler.apply(event)
    return assembler


KNOWN = st.lists(instances(m.ServerEvent), max_size=8)
ANY = st.lists(instances(m.ServerEvent, unknown=True, surrogates=True), max_size=8)


@given(KNOWN)
@settings(max_examples=60, deadline=None)
def test_as_if_it_had_been_a_stream(events: list[Any]) -> None:
    texts = list(map(encode, events))
    assert verdict(pushed(events)) == verdict(pushed(map(decode_event, texts)))


@given(ANY, st.data())
@settings(max_examples=60, deadline=None)
def test_every_way_of_taking_them_in_agrees(events: list[Any], data: st.DataObject) -> None:
    """One by one, in messages of several, at once, and with a checkpoint in between."""
    texts = list(map(encode, events))
    apart = [event for text in texts for event in decode_live_event(text)]
    want = verdict(pushed(apart))
    cut = data.draw(st.integers(0, len(texts)))
    messages = [b'{"events":[' + b",".join(part) + b"]}" for part in (texts[:cut], texts[cut:])]
    together = [event for message in messages for event in decode_live_event(message)]
    assert verdict(pushed(together)) == want

    at_once = Assembler()
    at_once.apply_all(apart)
    assert verdict(at_once) == want

    first = pushed(apart[:cut])
    restored = Assembler.restore(first.checkpoint())
    assert restored.snapshot() == first.snapshot()
    for assembler in (first, restored):
        for event in apart[cut:]:
            assembler.apply(event)
        assert verdict(assembler) == want


@given(instances(m.ServerEvent, unknown=True, surrogates=True))
@settings(max_examples=60, deadline=None)
def test_they_are_read_as_events_of_today(event: Any) -> None:
    assert dialect_of(event) is None or isinstance(event, m.UnknownServerEvent)
    for today in normalise(event):
        assert type(today) in HANDLERS
        assert normalise(today) == (today,)


@given(
    st.binary(max_size=40)
    | json_texts(surrogates=True)
    | mutated(instances(m.ServerEvent).map(to_dict)).map(dumps)
    | mutated(
        st.lists(instances(m.ServerEvent), max_size=3).map(lambda e: {"events": [*map(to_dict, e)]})
    ).map(dumps)
)
@settings(max_examples=150, deadline=None)
def test_nothing_but_our_errors_comes_out(data: bytes) -> None:
    assembler = Assembler()
    for event in decode_live_event(data):
        assembler.apply(event)
    assembler.snapshot()
    Assembler.restore(assembler.checkpoint())
    with contextlib.suppress(GemwireError):
        assembler.finish()
    with contextlib.suppress(DecodeError):
        decode_live_event(data, strict=True)


# ---- models


def test_the_table_of_events_is_that_of_streams() -> None:
    """Of what only the live socket has, nothing is taken for an event of a stream."""
    own = {cls.__name__ for cls in shape(m.ServerEvent).structs.values()} - set(EVENTS.values())
    assert own & set(EVENTS.values()) == set()
    assert EVENTS["interaction.created"] == "InteractionCreatedEvent"
    assert EVENTS["interaction.complete"] == "InteractionCompleteEvent"
    assert own == {type(event).__name__ for _, event in ONE[:7]}
    assert not {"input", "world_setup", "interaction.connected"} & EVENTS.keys()


CLIENT: Sequence[tuple[Any, Payload]] = [
    (
        m.CreateInteractionEvent(model="gemini-3.6-flash", store=False, tools=[m.GoogleSearch()]),
        live(
            "interaction.create",
            model="gemini-3.6-flash",
            store=False,
            tools=[{"type": "google_search"}],
        ),
    ),
    (
        m.ConnectInteractionEvent(id="int_7", background=True),
        live("interaction.connect", id="int_7", background=True),
    ),
    (
        m.InputEvent(content=[m.TextContent(text="Hi")]),
        live("input", content=[{"type": "text", "text": "Hi"}]),
    ),
    (m.CompleteInteractionEvent(), live("interaction.complete")),
    (m.CancelInteractionEvent(), live("interaction.cancel")),
    (m.DisconnectEvent(), live("interaction.disconnect")),
    (
        m.WorldSetupEvent(world_prompt="A harbour", reference_image=m.WorldReferenceImage(uri="u")),
        live("world_setup", world_prompt="A harbour", reference_image={"uri": "u"}),
    ),
    (
        m.WorldSetupEvent(world_prompt=m.WorldPromptContent(text="A harbour")),
        live("world_setup", world_prompt={"text": "A harbour"}),
    ),
    (
        m.UserActionInput(action="key_down", input="space"),
        live("user_action", action="key_down", input="space"),
    ),
]


@pytest.mark.parametrize(("event", "sent"), CLIENT, ids=[str(s["event_type"]) for _, s in CLIENT])
def test_what_a_client_sends(event: Any, sent: Payload) -> None:
    assert json.loads(encode(event)) == sent
    assert decode(dumps(sent), m.ClientEvent, strict=True) == event
    assert decode(dumps(sent), m.ClientEventBatch, strict=True) == event


def test_what_a_client_sends_at_once() -> None:
    batch = m.ClientEventList(events=[event for event, _ in CLIENT])
    assert json.loads(encode(batch)) == {"events": [sent for _, sent in CLIENT]}
    assert decode(encode(batch), m.ClientEventBatch, strict=True) == batch


def test_streams_do_not_load_what_is_live() -> None:
    code = (
        "import sys, gemwire\n"
        "a = gemwire.Assembler()\n"
        'a.apply(gemwire.decode_event(b\'{"event_type": "step.stop", "index": 0}\'))\n'
        "print('gemwire.models.live' in sys.modules)\n"
        "gemwire.decode_live_event(b'{}')\n"
        "print('gemwire.models.live' in sys.modules)"
    )
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]
