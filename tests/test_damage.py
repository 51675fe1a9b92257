"""What could not be read is told apart from what is new, in every way of reading."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from gemwire import (
    DONE,
    Assembler,
    DamagedStream,
    InteractionParser,
    InteractionStream,
    StreamReport,
    TruncatedStream,
    assemble,
    iter_events,
)

from .wire import (
    WAYS,
    Case,
    completed,
    created,
    cut,
    dumps,
    ids,
    mill,
    pull,
    said,
    start,
    stop,
    stream,
    text,
    update,
)

BEGUN = start(0, "model_output")
NOT = dumps(text(0, "not ")).encode()


def frame(data: bytes, name: bytes = b"step.delta") -> bytes:
    return b"event: " + name + b"\ndata: " + data + b"\n\n"


def around(*damaged: Any) -> list[Any]:
    return [BEGUN, text(0, "Pay "), *damaged, text(0, "the bill."), stop(0)]


PAID = [said("Pay the bill.")]

DAMAGED = [
    Case(
        what,
        around(*pieces),
        PAID,
        issues=[("damaged", 0)],
        raised=DamagedStream,
    )
    for what, pieces in {
        "an event that was cut": [frame(NOT[:30])],
        "two glued into one": [frame(NOT + NOT)],
        "the blank line between two was lost": [frame(NOT + b"\ndata: " + NOT)],
        "a byte that was changed": [frame(NOT.replace(b'"index"', b'"index'))],
        "a value that is no object": [frame(b"[1]")],
        "no name, but it is one of ours": [b"data: " + NOT[:-1] + b"\n\n"],
        "another name, but it is one of ours": [frame(NOT[:-1], b"message_delta")],
    }.items()
] + [
    Case(
        "split by a blank line",
        around(b"event: step.delta\ndata: " + NOT[:20] + b"\n\ndata: " + NOT[20:] + b"\n\n"),
        PAID,
        issues=[("damaged", 0, 2)],
        raised=DamagedStream,
    ),
]


@pytest.mark.parametrize("case", DAMAGED, ids=ids(DAMAGED))
def test_damaged(case: Case) -> None:
    for way, read in WAYS.items():
        assert (way, case.seen(read(case.bytes))) == (way, case.expected)


ENDS = {"LF": b"\n", "CRLF": b"\r\n", "CR": b"\r"}


@pytest.mark.parametrize("ends", ENDS)
@pytest.mark.parametrize("case", DAMAGED, ids=ids(DAMAGED))
def test_where_it_is(case: Case, ends: str) -> None:
    """The byte of the stream at which the event begins, however it is cut and read."""
    before = b"\xef\xbb\xbf: hello\n\n" + stream(created(), *around()[:2], done=False)
    data = before + b": so far\n" + case.bytes[case.bytes.index(b'"Pay "') :].partition(b"\n\n")[2]
    before, data = (text.replace(b"\n", ENDS[ends]) for text in (before, data))
    for cut_at in range(0, len(data), 1 if ends == "LF" else 7):
        chunks = [data[:cut_at], data[cut_at:]]
        parser = InteractionParser()
        for chunk in chunks:
            parser.feed(chunk)
        parser.close()
        assert [issue.offset for issue in parser.report.issues] == [len(before)]
    assert [issue.offset for issue in whole(data).issues] == [len(before)]
    with pytest.raises(DamagedStream, match=rf"could not be read \(at byte {len(before)}\)"):
        assemble(cut(data, 5))


def whole(data: bytes) -> StreamReport:
    with pytest.raises(DamagedStream) as caught:
        assemble(cut(data, 5))
    return caught.value.report


def test_the_first_of_those_of_a_step() -> None:
    bad = frame(b"!" + NOT)
    data = stream(created(), *around(bad, text(0, "x"), bad, bad), completed())
    (issue,) = whole(data).issues
    assert (issue.count, issue.offset) == (3, data.index(bad))
    assert data[issue.offset or 0 :].startswith(bad)


def test_where_it_is_in_the_last_event() -> None:
    bad = b'event: interaction.completed\ndata: {"event_type":"interaction.completed","status":[]}'
    data = stream(created(), *around(), done=False) + bad
    for size in (1, 50, len(data)):
        parser = InteractionParser()
        for chunk in cut(data, size):
            parser.feed(chunk)
        parser.close()
        assert [(i.kind, i.offset) for i in parser.report.issues if i.kind == "damaged"] == [
            ("damaged", data.index(bad))
        ]


def test_where_it_is_after_a_resume_or_a_crash() -> None:
    """It counts on from the bytes that were read before."""
    bad = frame(NOT[:30])
    frames = [stream(created(), done=False), *(stream(e, done=False) for e in around()[:2]), bad]
    first, second = b"".join(frames[:2]), b"".join(frames[2:])
    parser = InteractionParser()
    parser.feed(first)
    restored = InteractionParser.restore(parser.checkpoint())
    resumed = InteractionParser(resume=parser.checkpoint())
    for other in restored, resumed:
        other.feed(second)
        assert [issue.offset for issue in other.report.issues][-1:] == [len(first + frames[2])]
        again = InteractionParser.restore(other.checkpoint())
        assert again.report == other.report


def test_an_event_that_was_pushed_has_no_place() -> None:
    assembler = Assembler()
    for event in iter_events(stream(created(), *around(frame(NOT[:30])), completed())):
        assembler.apply(event)
    with pytest.raises(DamagedStream, match="could not be read, so") as caught:
        assembler.finish()
    assert [issue.offset for issue in caught.value.report.issues] == [None]


def test_a_body_begins_where_it_begins() -> None:
    parser = InteractionParser()
    parser.feed(b'{"id":"i","status":"comp\xffleted","steps":[]}')
    parser.close()
    assert [(i.kind, i.offset) for i in parser.report.issues if i.kind == "damaged"] == [
        ("damaged", 0)
    ]


def test_an_unknown_event_type_under_a_known_name() -> None:
    data = stream(created(), *around(frame(NOT.replace(b"step.delta", b"step.dxlta"))), completed())
    for read in WAYS.values():
        assert (read(data).raised, read(data).known.damaged) == (DamagedStream, 1)


def test_the_name_of_a_data_line() -> None:
    """What no reader of events sees; so one who pushes events into an assembler is not told."""
    data = stream(created(), *around(b"event: step.delta\ndbta: " + NOT + b"\n\n"), completed())
    for way, read in WAYS.items():
        if way != "pushed":
            assert (read(data).raised, read(data).known.damaged) == (DamagedStream, 1)


NOVEL = {
    "text of nobody": b"data: ping\n\n",
    "a comment": b": keep-alive\n\n",
    "an event of another wire": b"event: ping\ndata: not json\n\n",
    "an event of another wire that is JSON": b'event: ping\ndata: {"time": 1}\n\n',
    "a new kind of event": frame(b'{"event_type":"step.paused","index":7}', b"step.paused"),
    "an empty event of another wire": b"event: ping\ndata:\n\n",
}


@pytest.mark.parametrize("name", NOVEL)
def test_what_is_none_of_ours_is_no_damage(name: str) -> None:
    data = stream(created(), *around(NOVEL[name]), completed())
    for read in WAYS.values():
        found = read(data)
        assert (found.raised, found.known.damaged, found.known.intact) == (None, 0, True)
        assert found.steps == PAID


def test_it_can_be_kept() -> None:
    data = stream(created(), *around(frame(NOT[:30])), completed())
    with pytest.raises(DamagedStream, match="an event of the stream could not be read") as caught:
        assemble(data)
    assert caught.value.interaction is not None
    assert caught.value.interaction.full_text == "Pay the bill."
    assert (caught.value.damaged, caught.value.report.intact) == (1, False)
    assert caught.value.report.outcome == "completed"
    assert assemble(data, damaged="keep").full_text == "Pay the bill."
    source = InteractionStream(data)
    assert len(list(source)) == 7
    assert source.get_final_interaction(damaged="keep").full_text == "Pay the bill."
    parser = InteractionParser()
    parser.feed(data)
    assert parser.finish(damaged="keep").full_text == "Pay the bill."


def test_a_cut_goes_before_damage() -> None:
    with pytest.raises(TruncatedStream) as caught:
        assemble(stream(created(), *around(frame(NOT[:30])), done=False))
    assert caught.value.report.damaged == 1


@pytest.mark.parametrize("at", range(9))
def test_a_checkpoint_knows(at: int) -> None:
    """Whether before or behind it: nothing is forgotten on the way to another process."""
    pieces = [created(), *around(frame(NOT[:30])), completed()]
    frames = [piece if isinstance(piece, bytes) else stream(piece, done=False) for piece in pieces]
    parser = InteractionParser()
    for piece in frames[:at]:
        parser.feed(piece)
    again = InteractionParser.restore(parser.checkpoint())
    for piece in frames[at:]:
        again.feed(piece)
    with pytest.raises(DamagedStream):
        again.finish()
    assert again.report.damaged == 1


def test_a_replay_mends_it() -> None:
    """The server sends it again from the start: what was damaged then is whole now."""
    assembler = Assembler()
    broken = InteractionStream(
        stream(created(), *around(frame(NOT[:30])), done=False), resume=assembler
    ).until_done()
    assert broken.report.damaged == 1
    whole = stream(created(), *around(), completed())
    again = InteractionStream(whole, resume=broken.checkpoint(), replay=True)
    assert again.get_final_interaction().full_text == "Pay the bill."
    assert again.report.intact


# ---- ends that are none

BAD_STATUS: dict[str, Any] = {
    "a number": 7,
    "a list": ["failed"],
    "an object": {"state": "failed"},
    "true": True,
    "bytes that are no UTF-8": "compl\udcffted",
}


@pytest.mark.parametrize("name", BAD_STATUS)
def test_a_status_that_is_none_is_no_end(name: str) -> None:
    end = dumps(completed(status=BAD_STATUS[name])).encode().replace(b"\\udcff", b"\xff")
    data = stream(created(), *mill(0)).removesuffix(DONE) + frame(end, b"interaction.completed")
    for read in WAYS.values():
        found = read(data)
        assert (found.outcome, found.raised) == ("truncated", TruncatedStream)
        assert found.known.damaged == 1
        assert found.steps == [said()]


def bare(kind: str, **members: Any) -> dict[str, Any]:
    return {**members, "event_type": kind}


AGAIN: dict[str, tuple[Iterable[Any], str, int]] = {
    "another answer behind one that was cut": (
        [created(), BEGUN, text(0, "A"), created("v1_b"), *mill(0), completed(identity="v1_b")],
        "completed",
        1,
    ),
    "another answer that has no id": (
        [created(), BEGUN, text(0, "A"), created(None), *mill(0), completed(identity="v1_a")],
        "completed",
        0,  # it began again
    ),
    "the end of another answer": (
        [created(), BEGUN, text(0, "A"), *mill(1), completed(identity="v1_b")],
        "completed",
        1,
    ),
    "a status of another answer": (
        [created(), BEGUN, update("x", "v1_b"), completed(identity="v1_b")],
        "completed",
        1,
    ),
    "the same id again after the end, and nothing more": (
        [created(), *mill(0), completed(), DONE, created()],
        "truncated",
        0,
    ),
    "a text behind the terminator": (
        [created(), *mill(0), completed(), DONE, text(0, " and half")],
        "truncated",
        0,
    ),
    "another answer behind one that had ended": (
        [created(), *mill(0), completed(), created("v1_b"), *mill(0), completed(identity="v1_b")],
        "completed",
        0,
    ),
    "the same id again after the end, and a cut": (
        [created(), *mill(0), completed(), created(), *mill(1)],
        "truncated",
        0,
    ),
    "steps behind the terminator, and a cut": (
        [created(), *mill(0), completed(), DONE, *mill(1)],
        "truncated",
        0,
    ),
    "steps behind the terminator of a cancelled run, and a cut": (
        [
            created(),
            bare("interaction.status_update", interaction_id="v1_a", status="cancelled"),
            DONE,
            *mill(0),
        ],
        "truncated",
        0,
    ),
    "an end without an interaction, after a status": (
        [
            created(),
            bare("interaction.status_update", interaction_id="v1_a", status="failed"),
            bare("interaction.completed"),
        ],
        "failed",
        0,
    ),
}


@pytest.mark.parametrize("name", AGAIN)
def test_no_false_end(name: str) -> None:
    events, outcome, damaged = AGAIN[name]
    data = stream(*events, done=False)
    for way, read in WAYS.items():
        found = read(data)
        assert (way, found.outcome, found.known.damaged) == (way, outcome, damaged)


def test_a_blank_behind_the_terminator() -> None:
    data = stream(
        created(),
        bare("interaction.status_update", interaction_id="v1_a", status="cancelled"),
        done=False,
    )
    for done in (b"data: [DONE] \n\n", b"data:  [DONE]\n\n", b"event: done\ndata: [DONE]\t\n\n"):
        for read in WAYS.values():
            assert read(data + done).outcome == "cancelled"
            assert read(data).outcome == "truncated"


def test_a_body_whose_status_was_damaged() -> None:
    found = pull(b'{"id":"v1_a","status":"compl\xffted","steps":[]}')
    assert (found.outcome, found.raised) == ("truncated", TruncatedStream)
    assert found.known.damaged == 1


def test_a_body_that_goes_on() -> None:
    found = pull(b'{"id":"v1_a","status":"in_progress"}')
    assert (found.raised, found.outcome, found.known.unfinished) == (None, "in_progress", True)
    assert found.known.resume is not None
    assert not pull(b'{"id":"v1_a","status":"completed"}').known.unfinished
