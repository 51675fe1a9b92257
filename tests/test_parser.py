"""InteractionParser: pushed by hand, and going on from an offset after a crash."""

from __future__ import annotations

import pytest

from gemwire import (
    DecodeError,
    Interaction,
    InteractionParser,
    LimitExceeded,
    SSEParser,
    StepDelta,
    StreamError,
    TruncatedStream,
    assemble,
    to_dict,
)
from gemwire.replay import Recording

from .wire import (
    answer,
    arguments,
    completed,
    created,
    cut,
    delta,
    frame,
    mill,
    said,
    start,
    stop,
    stream,
    text,
)

DATA = stream(
    created(),
    *mill(0),
    start(1, "function_call", id="f1", name="tide", arguments={}),
    {**arguments(1, '{"port":'), "event_id": "e1"},
    arguments(1, '"Rye"}'),
    stop(1),
    {"interaction": {"id": "v1_a", "status": "completed"}, "event_type": "interaction.completed"},
)

FORMS: dict[str, bytes] = {
    "LF": DATA,
    "CRLF": DATA.replace(b"\n", b"\r\n"),
    "CR": DATA.replace(b"\n", b"\r"),
    "BOM": b"\xef\xbb\xbf" + DATA,
    "comments": DATA.replace(b"event:", b": keepalive\nevent:"),
    "more blank lines": DATA.replace(b"\n\n", b"\n\n\n\n"),
    "stray": DATA.replace(b"event: step.stop", b"hello\nevent: step.stop"),
    "a bare error in between": DATA.replace(
        b"event: step.stop", b'{"error":{"message":"No."}}\n' * 2 + b"event: step.stop"
    ),
    "a line with a bracket first": DATA.replace(
        b"event: step.stop", b'{"id":"v1_b","status":"completed"}\nevent: step.stop'
    ),
    "a body behind it": DATA + b'{"id": "v1_b", "status": "completed", "steps": []}',
    "a BOM in between": DATA.replace(b"event: step.stop", b"\xef\xbb\xbfevent: step.stop"),
    "ids": DATA.replace(b"event: step.stop", b"id: 7\nevent: step.stop"),
    "broken arguments": DATA.replace(b"Rye", b"\\\\"),
    "arguments that never end": stream(
        created(),
        start(0, "function_call", id="f1", name="tide"),
        arguments(0, '{"port":'),
        stop(0),
        completed("requires_action"),
    ),
    "arguments after the stop": stream(
        created(),
        start(0, "function_call", id="f1", name="tide", arguments={}),
        stop(0),
        arguments(0, "late"),
        text(7, "astray"),
        {"event_type": "step.warp"},
        completed("requires_action"),
    ),
    "no blank line at the end": DATA.removesuffix(b"event: done\ndata: [DONE]\n\n").rstrip(b"\n"),
    "a JSON body": b'{"id": "v1_a", "status": "completed", "steps": [{"type": "thought"}]}',
}


def test_events_come_folded() -> None:
    parser = InteractionParser()
    seen = []
    for chunk in cut(answer(*mill(0)), 100):
        for event in parser.feed(chunk):
            seen.append(event)
            if isinstance(event, StepDelta):
                assert to_dict(parser.step(0))["type"] == "model_output"
        assert parser.report.outcome in ("in_progress", "completed")
        assert parser.report.event_count == len(seen)
    assert parser.close() == []
    assert parser.close() == [], "again"
    assert [to_dict(step) for step in parser.snapshot().steps or ()] == [said()]
    assert parser.finish() == assemble(answer(*mill(0)))
    with pytest.raises(RuntimeError, match="after close"):
        parser.feed(b"data: x\n\n")


def test_one_by_one_the_state_is_that_of_each_event() -> None:
    parser = InteractionParser()
    lengths = [len(parser.snapshot().full_text) for _ in parser.iter_feed(answer(*mill(0)))]
    assert lengths == sorted(lengths)
    assert set(lengths) == {0, len("A mill")}


def test_close_gives_the_last_event() -> None:
    parser = InteractionParser()
    parser.feed(stream(created(), *mill(0), completed(), done=False).rstrip(b"\n"))
    assert parser.report.outcome == "in_progress"
    (last,) = parser.close()
    assert last.event_type == "interaction.completed"
    assert parser.report.outcome == "completed"


def test_what_stands_outside_of_the_events() -> None:
    error = b'{"error": {"code": 503, "message": "No."}}'
    for data, outcome in ((error, "error"), (stream(created(), done=False) + error, "error")):
        parser = InteractionParser()
        parser.feed(data)
        assert parser.report.outcome == "in_progress"
        parser.close()
        assert (parser.report.outcome, parser.report.error is None) == (outcome, False)


def test_nothing_at_all() -> None:
    parser = InteractionParser()
    with pytest.raises(TruncatedStream) as caught:
        parser.finish()
    assert caught.value.interaction == parser.snapshot() == Interaction()
    assert parser.offset == 0


def raised_by(parser: InteractionParser) -> type[StreamError] | None:
    """What kind of exception the end of a stream raises."""
    try:
        parser.finish()
    except StreamError as error:
        return type(error)
    return None


@pytest.mark.parametrize("name", FORMS)
def test_going_on_from_the_offset(name: str) -> None:
    """After a crash anywhere: what was folded is in the checkpoint, what follows is read again."""
    data = FORMS[name]
    uncut = InteractionParser()
    uncut.feed(data)
    uncut.close()
    for at in range(len(data) + 1):
        first = InteractionParser()
        first.feed(data[:at])
        kept, offset = first.checkpoint(), first.offset
        assert offset <= at
        assert first.report.byte_count == at, "a checkpoint changes nothing"
        second = InteractionParser.restore(kept)
        assert second.offset == offset
        second.feed(data[offset:])
        second.close()
        assert second.snapshot() == uncut.snapshot(), at
        assert raised_by(second) is raised_by(uncut), at
        found, expected = to_dict(second.report), to_dict(uncut.report)
        for report in (found, expected):  # a checkpoint may find sooner what is wrong with a step
            report["issues"].sort(key=lambda issue: (issue["kind"], issue["index"] or 0))
        assert found == expected, at


def test_a_checkpoint_of_a_closed_one_has_its_text_read() -> None:
    data = stream(created(), done=False) + b"oops\n\n" + b"event: done"
    closed = InteractionParser()
    closed.feed(data)
    closed.close()
    again = InteractionParser.restore(closed.checkpoint())
    again.close()
    assert again.report.issues == closed.report.issues


def test_what_is_unknown_is_told_once_after_going_on() -> None:
    events = [
        {**created(), "event_id": "e0"},
        {**start(0, "hologram"), "event_id": "e1"},
        stop(0),
        completed(),
    ]
    cut_off = InteractionParser()
    cut_off.feed(stream(*events[:2], done=False))
    cut_off.close()
    uncut = InteractionParser()
    uncut.feed(stream(*events))
    uncut.close()
    for held in (cut_off.checkpoint(), cut_off.assembler):
        parser = InteractionParser(resume=held)
        parser.feed(stream(*events[2:]))
        parser.close()
        assert parser.report.unknown == uncut.report.unknown


@pytest.mark.parametrize("name", [form for form in FORMS if form != "a BOM in between"])
def test_offset_of_the_framing(name: str) -> None:
    data = FORMS[name]
    whole = SSEParser()
    messages = [(message.event, message.data) for message in whole.feed(data)]
    for at in range(len(data) + 1):
        parser = SSEParser()
        head = parser.feed(data[:at])
        rest = SSEParser().feed(data[parser.offset :])
        assert [(message.event, message.data) for message in [*head, *rest]] == messages, at


def test_too_large() -> None:
    data = stream(created(), *mill(0), delta(1, "image", data="A" * 5000))
    parser = InteractionParser(max_event_bytes=1000)
    assert len(parser.feed(data)) == 4, "those before it"
    for _ in range(2):
        with pytest.raises(LimitExceeded):
            parser.feed(b"data: x\n\n")
    with pytest.raises(LimitExceeded):
        parser.close()
    assert parser.report.outcome == "truncated"
    assert parser.snapshot().full_text


def test_strict() -> None:
    data = answer(*mill(0), {"event_type": "step.warp"})
    for pieces in ([data], cut(data, 1)):
        parser = InteractionParser(strict=True)

        def feed_all(parser: InteractionParser = parser, pieces: list[bytes] = pieces) -> None:
            for piece in pieces:
                parser.feed(piece)

        with pytest.raises(DecodeError):
            feed_all()
        assert parser.snapshot().full_text, "what came before it is there"
    last = InteractionParser(strict=True)
    last.feed(frame({"event_type": "step.warp"})[:-1])
    with pytest.raises(DecodeError):
        last.close()


@pytest.mark.parametrize("many", [0, 1, 2, 7])
def test_absorbed_is_folded(many: int) -> None:
    data = Recording.load("text-with-thoughts").stream
    parser = InteractionParser()
    for chunk in cut(data, 300):
        parser.absorb([*cut(chunk, -(-len(chunk) // many))] if many else [chunk, b""])
        other = InteractionParser()
        other.feed(data[: parser.report.byte_count])
        assert parser.snapshot() == other.snapshot()
        assert parser.report == other.report


def test_text_in_pieces_of_any_size() -> None:
    data = answer(start(0, "model_output"), *(text(0, f"{n} ") for n in range(200)), stop(0))
    expected = assemble(data)
    for size in (1, 7, 1000, len(data)):
        parser = InteractionParser()
        for chunk in cut(data, size):
            parser.feed(chunk)
        assert parser.finish() == expected
