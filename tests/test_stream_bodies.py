"""Bodies that are no event stream, text outside of the events, and events torn or damaged."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gemwire import (
    DONE,
    Interaction,
    InteractionStream,
    ServerError,
    TruncatedStream,
    Unknown,
    assemble,
    to_dict,
)

from .streams import BEGUN, FAILURE, HTML, LAST, MILL, ONE_LINE, READERS
from .wire import (
    answer,
    completed,
    created,
    cut,
    dumps,
    frame,
    pull,
    start,
    stop,
    stream,
    text,
    update,
)

# ---- bodies that are no event stream, and text outside of the events

PRETTY = json.dumps(FAILURE, indent=2)
LISTED = json.dumps([FAILURE], indent=2)
RPC = json.dumps(FAILURE["error"], indent=2)
FORMS = {"one line": ONE_LINE, "pretty": PRETTY, "a list": LISTED, "google.rpc": RPC}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("reader", READERS)
def test_error_body(form: str, reader: str) -> None:
    """An error answer that does not stream, whatever stands around it."""
    for before in (b"", b"\xef\xbb\xbf", b"\n \t", b"\xef\xbb\xbf\r\n"):
        for after in (b"", b"\n", b"\r\n\r\n"):
            found = READERS[reader](before + FORMS[form].encode() + after)
            assert (found.outcome, found.raised) == ("error", ServerError)
            assert found.error is not None
            assert (found.error.code, found.error.message, found.error.status) == (
                503,
                "No.",
                "UNAVAILABLE",
            )
            assert found.interaction == Interaction()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("reader", READERS)
def test_bare_error_after_the_frames(form: str, reader: str) -> None:
    bare = FORMS[form].encode()
    for after in (b"", b"\n", b"\n\n", b"\r\n", b"\n\n" + DONE):
        found = READERS[reader](BEGUN + bare + after)
        assert (found.outcome, found.raised) == ("error", ServerError)
        assert found.error is not None
        assert found.error.code == 503
        assert found.interaction.output_text == "A "
        assert found.known.stray == bare
        assert found.events == 3


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("reader", READERS)
def test_bare_error_between_frames(form: str, reader: str) -> None:
    bare, rest = FORMS[form].encode() + b"\n\n", stream(*MILL[2:], completed())
    found = READERS[reader](BEGUN + bare + stream(text(0, "mill"), done=False))
    assert (found.outcome, found.raised) == ("error", ServerError)
    assert found.interaction.output_text == "A mill"
    found = READERS[reader](BEGUN + bare + rest)
    assert (found.outcome, found.raised) == ("completed", None)
    assert found.error is not None
    assert found.error.code == 503
    assert found.interaction.output_text == "A mill"


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("reader", READERS)
def test_bare_error_before_the_frames(form: str, reader: str) -> None:
    bare = FORMS[form].encode() + b"\n\n"
    found = READERS[reader](bare + BEGUN)
    assert (found.outcome, found.raised, found.events) == ("error", ServerError, 3)
    for end in (b"\n", b"\r\n", b"\r"):
        data = answer(*MILL).replace(b"\n", end)
        found = READERS[reader](bare + data)
        assert (found.outcome, found.raised, found.events) == ("completed", None, 7)
        assert found.error is not None


def test_bare_error_without_a_blank_line_before_it() -> None:
    """Right below the data line it is part of that block; the event and the error both count."""
    frames = BEGUN.removesuffix(b"\n")
    found = pull(frames + ONE_LINE.encode())
    assert (found.outcome, found.events) == ("error", 3)
    assert found.interaction.output_text == "A "


def test_two_bare_errors() -> None:
    found = pull(BEGUN + ONE_LINE.encode() + b"\n\n" + LISTED.encode() + b"\n")
    assert found.outcome == "error"
    assert found.error is not None
    assert found.error.code == 503


ODD: dict[str, tuple[bytes, bool]] = {
    "nothing": (b"", False),
    "blank lines": (b"\n\n\r\n \n"[:3], False),
    "a byte order mark": (b"\xef\xbb\xbf", False),
    "half of one": (b"\xef\xbb", True),
    "HTML": (HTML, True),
    "text": (b"upstream connect error or disconnect\n", True),
    "a JSON string": (b'"No."', True),
    "a number": (b"503", True),
    "an empty object": (b"{}", True),
    "an empty list": (b"[]", True),
    "another object": (b'{"hello": "world"}', True),
    "an Interaction without a status": (b'{"id": "v1_a", "steps": []}', True),
    "an empty error": (b'{"error": {}}', True),
    "a cut object": (PRETTY.encode()[:-3], True),
    "a cut list": (LISTED.encode()[:-1], True),
    "JSON lines": (b'{"a": 1}\n{"b": 2}\n', True),
    "bytes that are no text": (bytes(range(128, 256)), True),
    "brackets without end": (b"[" * 5000, True),
    "braces without end": (b'{"a":' * 5000, True),
    "a comment": (b": keep-alive\n\n", False),
}


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("reader", READERS)
def test_odd_body(name: str, reader: str) -> None:
    """Neither an answer nor an error: cut, with the text for whoever has to find out."""
    data, stray = ODD[name]
    found = READERS[reader](data)
    assert (found.outcome, found.raised, found.error) == ("truncated", TruncatedStream, None)
    assert found.interaction == Interaction()
    assert found.events == 0
    assert bool(found.known.stray) == stray
    assert found.issues == [("stray", None)] * stray
    with pytest.raises(TruncatedStream):
        assemble(cut(data, 7))


def test_json_body() -> None:
    body = dumps({"id": "v1_a", "status": "completed", "steps": [], "novel": 1}).encode()
    reader = InteractionStream(cut(body, 3))
    assert list(reader) == []
    assert reader.get_final_interaction() == assemble(body)
    assert to_dict(reader.snapshot())["novel"] == 1
    assert [seen.path for seen in reader.report.unknown] == ["interaction.novel"]


# ---- an unterminated last event


@pytest.mark.parametrize("reader", READERS)
def test_unterminated_last_event(reader: str) -> None:
    """It counts if all of it is there; half of it does not, and is an issue."""
    whole = READERS[reader](LAST)
    for data in (LAST[:-1], LAST[:-2]):
        found = READERS[reader](data)
        assert found == whole
        assert found.outcome == "completed"
    for missing in range(3, 40):
        found = READERS[reader](LAST[:-missing])
        assert (found.outcome, found.raised) == ("truncated", TruncatedStream)
        assert found.issues == [("torn", None)]
        assert found.events == 6


def test_unterminated_last_event_is_yielded() -> None:
    assert list(InteractionStream(LAST[:-2]))[-1].event_type == "interaction.completed"
    assert list(InteractionStream(LAST[:-3]))[-1].event_type == "step.stop"


def test_unterminated_unknown_event_is_whole_too() -> None:
    data = BEGUN + frame({"event_type": "step.hologram", "n": 1})[:-2]
    reader = InteractionStream(data)
    last = list(reader)[-1]
    assert isinstance(last, Unknown)
    assert last.raw == {"event_type": "step.hologram", "n": 1}
    assert reader.report.issues == []
    assert [seen.tag for seen in reader.report.unknown] == ["step.hologram"]


def test_unterminated_terminator() -> None:
    data = stream(created(), update("cancelled"), done=False)
    for end in (DONE, DONE[:-1], DONE[:-2]):
        found = pull(data + end)
        assert (found.outcome, found.events) == ("cancelled", 2)
    assert pull(data + DONE[:-3]).outcome == "truncated"


def test_unterminated_event_and_stray_text() -> None:
    found = pull(BEGUN.removesuffix(b"\n\n") + b"\n" + LISTED.encode())
    assert (found.outcome, found.events) == ("error", 3)


# ---- the names of events

NAMES: dict[str, tuple[bytes, list[tuple[Any, ...]]]] = {
    "missing": (b"data: " + dumps(text(0, "A mill")).encode() + b"\n\n", []),
    "message": (frame(text(0, "A mill"), "message"), []),
    "another one that is known": (frame(text(0, "A mill"), "step.stop"), [("event_name", None)]),
    "another one that is not": (frame(text(0, "A mill"), "hologram"), [("event_name", None)]),
    "only the name": (
        b'event: step.delta\ndata: {"index":0,"delta":{"text":"A mill","type":"text"}}\n\n',
        [],
    ),
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("reader", READERS)
def test_name_of_an_event(name: str, reader: str) -> None:
    """The event_type in the payload counts, the name where that has none."""
    sent, issues = NAMES[name]
    found = READERS[reader](answer(start(0, "model_output"), sent, stop(0)))
    assert found.interaction.output_text == "A mill"
    assert found.issues == issues
    assert found.unknown == []


def test_a_frame_without_data_is_no_event() -> None:
    """Whatever its name."""
    for read in READERS.values():
        found = read(answer(*MILL, b"event: done\n\n", b"event: step.stop\n\n"))
        assert (found.outcome, found.events) == ("completed", 7)
        assert found.known.issues == []


def test_bad_utf8_is_an_issue() -> None:
    """U+FFFD in its place, in events of every kind."""
    sent = frame(text(0, "A ? mill")).replace(b"?", b"\xff")
    for read in READERS.values():
        found = read(answer(start(0, "model_output"), sent, stop(0)))
        assert found.interaction.output_text == "A \ufffd mill"
        assert found.issues == [("invalid_utf8", None)]
