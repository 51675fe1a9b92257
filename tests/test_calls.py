"""A call never runs with arguments that nobody sent."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import UNSET

from gemwire import ArgumentsError, Assembler, TruncatedStream, assemble, decode_interaction

from .wire import WAYS, arguments, completed, created, delta, dumps, start, stop, stream, text

WHOLE = '{"under":"/data/x"}'
BEGUN = start(0, "function_call", id="k7", name="delete_files", arguments={})
END = completed("requires_action")


def broken(data: str) -> bytes:
    return b"event: step.delta\ndata: " + data.encode() + b"\n\n"


CUT = dumps(arguments(0, WHOLE))[:40]

DROPPED: dict[str, tuple[Any, ...]] = {
    "a frame that is no JSON": (broken(CUT),),
    "a fragment between others, which are JSON without it": (
        arguments(0, '{"under":"/data'),
        broken(dumps(arguments(0, "/x"))[:-1]),
        arguments(0, '"}'),
    ),
    "an unknown kind of delta": (delta(0, "arguments_chunk_delta", arguments=WHOLE),),
    "an unknown kind of delta among fragments": (
        arguments(0, '{"under":"/data'),
        delta(0, "arguments_chunk_delta", arguments="/x"),
        arguments(0, '"}'),
    ),
    "arguments that are a list": (delta(0, "arguments_delta", arguments=[WHOLE]),),
    "arguments that are null": (delta(0, "arguments_delta", arguments=None),),
    "arguments under another name": (delta(0, "arguments_delta", arguments_json=WHOLE),),
    "an index that is a text": ({**arguments(0, WHOLE), "index": "0"},),
    "an index that is null": ({**arguments(0, WHOLE), "index": None},),
    "a delta of its own kind with another member": (delta(0, "function_call", payload=WHOLE),),
    "another start with arguments": (
        start(0, "function_call", id="k8", name="list_files", arguments={"a": 1}),
    ),
    "a new event for this step": (
        {"event_type": "step.arguments", "index": 0, "arguments": WHOLE},
    ),
    "a delta of another kind, and no arguments": (text(0, "x"),),
    "another start between fragments": (
        arguments(0, '{"under":'),
        start(0, "function_call", id="k8", name="other"),
        arguments(0, '"/"}'),
    ),
    "a whole delta of another call": (
        delta(0, "function_call", id="k8", name="other", arguments={"a": 1}),
    ),
    "a delta glued to an event that was cut": (
        b'event: interaction.status_update\ndata: {"inter'
        + b"event: step.delta\ndata: "
        + dumps(arguments(0, WHOLE)).encode()
        + b"\n\n",
    ),
    "the end of a fragment, without a name": (
        b'data: "delta":{"type":"arguments_delta","arguments":"{}"}}\n\n',
    ),
    "a cut event whose name was damaged too": (
        b'event: step.dxlta\ndata: {"index":0,"delta":{"type":"argum\n\n',
    ),
}


@pytest.mark.parametrize("name", DROPPED)
@pytest.mark.parametrize("status", ["requires_action", "completed"])
def test_dropped(name: str, status: str) -> None:
    data = stream(created(), BEGUN, *DROPPED[name], stop(0), completed(status))
    for way, read in WAYS.items():
        found = read(data)
        assert (way, found.raised) == (way, ArgumentsError)
        (call,) = found.interaction.function_calls
        assert call.arguments is UNSET
        (issue,) = [issue for issue in found.known.issues if issue.kind == "arguments"]
        assert issue.index == 0
        assert issue.detail


LOST_LINES = {
    "no data at all": b"event: step.delta\n\n",
    "another name of its line": b"event: step.delta\ndat: ",
    "its line is a comment": b"event: step.delta\n: ",
    "its line is an id": b"event: step.delta\nid: ",
    "its line is a retry": b"event: step.delta\nretry: ",
    "the line end before it is lost": b"event: step.deltadata: ",
}


@pytest.mark.parametrize("name", LOST_LINES)
def test_lost_in_the_framing(name: str) -> None:
    """Where no reader of events looks; so an assembler that is given events alone is not told."""
    head = LOST_LINES[name]
    if not head.endswith(b"\n\n"):
        head += dumps(arguments(0, ',"b":2')).encode() + b"\n\n"
    for pieces in ([head], [arguments(0, '{"a":1'), head, arguments(0, "}")]):
        for way, read in WAYS.items():
            if way != "pushed":
                found = read(stream(created(), BEGUN, *pieces, stop(0), END))
                assert (way, found.raised) == (way, ArgumentsError)
                assert found.interaction.function_calls[0].arguments is UNSET
                assert found.known.damaged == 1


def test_bytes_that_are_no_text_in_a_fragment() -> None:
    data = stream(created(), BEGUN, arguments(0, '{"to":"Zur"}'), stop(0), END)
    for way, read in WAYS.items():
        if way != "pushed":
            assert read(data.replace(b"Zur", b"\xffur")).raised is ArgumentsError


@pytest.mark.parametrize("name", DROPPED)
def test_dropped_when_it_is_cut(name: str) -> None:
    for events in ([BEGUN, *DROPPED[name]], [BEGUN, *DROPPED[name], stop(0)]):
        with pytest.raises(TruncatedStream) as caught:
            assemble(stream(created(), *events, done=False))
        assert caught.value.interaction is not None
        (call,) = caught.value.interaction.function_calls
        with pytest.raises(ArgumentsError):
            call.parsed_arguments()


KEPT: dict[str, tuple[Any, ...]] = {
    "nothing else": (arguments(0, WHOLE),),
    "a delta of another kind": (text(0, "x"), arguments(0, WHOLE)),
    "another start without arguments": (
        start(0, "function_call", id="k8", name="other"),
        arguments(0, WHOLE),
    ),
    "a delta of its own kind, as a gateway writes it": (delta(0, "function_call", args=WHOLE),),
    "the older spelling": (delta(0, "arguments", partial_arguments=WHOLE),),
    "fragments after the stop": (arguments(0, WHOLE), stop(0), arguments(0, "late")),
    "damage after the stop": (arguments(0, WHOLE), stop(0), broken(CUT)),
    "a step that never started": (arguments(9, "wrong"), stop(9), arguments(0, WHOLE)),
    "a step whose index is none": (
        {**start(0, "function_call", name="wrong"), "index": "0"},
        {**arguments(0, "wrong"), "index": "0"},
        arguments(0, WHOLE),
    ),
}


@pytest.mark.parametrize("name", KEPT)
def test_kept(name: str) -> None:
    """What came whole stands, whatever else there was."""
    events = [*KEPT[name]]
    if stop(0) not in events:
        events.append(stop(0))
    for read in WAYS.values():
        found = read(stream(created(), BEGUN, *events, END))
        assert found.raised is not ArgumentsError
        (call,) = found.interaction.function_calls
        assert (call.id, call.name) == ("k7", "delete_files")
        assert call.parsed_arguments() == {"under": "/data/x"}


NOBODY_RUNS = {
    "a step that no schema has": start(0, "hologram"),
    "the result of a new tool": start(0, "warp_result"),
    "a search of the server": start(0, "google_search_call", id="s"),
    "text": start(0, "model_output"),
}


@pytest.mark.parametrize("name", NOBODY_RUNS)
def test_what_nobody_runs_refuses_nothing(name: str) -> None:
    """What is newer than we are is fine."""
    new = delta(0, "hologram_delta", hue=1)
    for read in WAYS.values():
        found = read(stream(created(), NOBODY_RUNS[name], new, stop(0), completed()))
        assert (found.raised, found.outcome) == (None, "completed")


def test_nothing_was_sent_and_nothing_dropped() -> None:
    interaction = assemble(stream(created(), BEGUN, stop(0), END))
    assert interaction.function_calls[0].parsed_arguments() == {}


def test_a_call_is_the_same_at_its_stop_and_at_the_end() -> None:
    assembler = Assembler()
    seen = []
    from gemwire import decode_event

    for event in (created(), BEGUN, arguments(0, WHOLE), stop(0), arguments(0, "late"), END):
        assembler.apply(decode_event(dumps(event)))
        if event == stop(0) or event is END:
            seen.append(assembler.step(0))
    assert seen[0] == seen[1] == assembler.finish().function_calls[0]
    assert [(issue.kind, issue.index) for issue in assembler.report.issues] == [("after_stop", 0)]


def test_the_error_names_the_call() -> None:
    thought = [start(0, "thought"), stop(0)]
    call = start(5, "function_call", id="k7", name="delete_files", arguments={})
    with pytest.raises(ArgumentsError) as caught:
        assemble(stream(created(), *thought, call, arguments(5, "oops"), stop(5), END))
    error = caught.value
    assert (error.position, error.index, error.call_id) == (1, 5, "k7")
    assert (error.name, error.raw) == ("delete_files", "oops")
    for told in ("delete_files", "k7", "oops"):
        assert told in str(error)


def test_parsed_arguments() -> None:
    """Of a body too: what is no object must not pass for a call without arguments."""
    call = {"type": "function_call", "id": "k7", "name": "f"}
    for given in ({}, {"arguments": None}, {"arguments": "{"}, {"arguments": [1]}):
        body = dumps({"status": "requires_action", "steps": [{**call, **given}]})
        (found,) = decode_interaction(body).function_calls
        with pytest.raises(ArgumentsError) as caught:
            found.parsed_arguments()
        assert (caught.value.call_id, caught.value.name) == ("k7", "f")
    body = dumps({"status": "requires_action", "steps": [{**call, "arguments": {"a": [1]}}]})
    (found,) = decode_interaction(body).function_calls
    own = found.parsed_arguments()
    own["a"].append(2)
    assert found.arguments == {"a": [1]}


@pytest.mark.parametrize("half", ["\\ud800x", "x\\udc00", "\\ud83d\\ud83d\\ude00"])
def test_halves_of_surrogate_pairs(half: str) -> None:
    """They become U+FFFD, so that the next request can be written; a pair that is whole stays."""
    sent = f'{{"job":"{half}"}}'
    data = stream(created(), BEGUN, arguments(0, sent[:12]), arguments(0, sent[12:]), stop(0), END)
    for read in WAYS.values():
        found = read(data)
        assert ("lone_surrogate", 0) in found.issues
        (call,) = found.interaction.function_calls
        assert "\ufffd" in call.parsed_arguments()["job"]
        call.parsed_arguments()["job"].encode()
    step = f'{{"type":"function_call","name":"f","arguments":{sent}}}'
    body = decode_interaction(f'{{"status":"requires_action","steps":[{step}]}}')
    assert body.function_calls[0].parsed_arguments() == call.parsed_arguments()
