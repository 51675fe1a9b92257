"""Going on by hand: `Assembler.reopen()`, and what is told where it was forgotten."""

from __future__ import annotations

import pytest

from gemwire import (
    Assembler,
    Event,
    InteractionParser,
    InteractionStream,
    ResumePoint,
    StreamReport,
    iter_events,
)
from gemwire.replay import BUNDLED, Recording

from .answers import cut_at, finished, hop, long_answer, servers, uncut, whole, with_ids
from .wire import (
    Payload,
    completed,
    created,
    delta,
    dumps,
    error,
    frame,
    start,
    stop,
    stream,
    text,
    update,
)


def kinds(report: StreamReport) -> list[str]:
    return [issue.kind for issue in report.issues]


def pushed(assembler: Assembler, data: bytes) -> Assembler:
    for event in iter_events(data):
        assembler.apply(event)
    return assembler


def held_at(events: list[Event], at: int) -> bytes:
    """The checkpoint of a process that was killed after so many events."""
    assembler = Assembler()
    assembler.apply_all(events[:at])
    return assembler.checkpoint()


def point_of(assembler: Assembler | InteractionParser) -> ResumePoint:
    point = assembler.report.resume
    assert point is not None
    return point


# ---- by hand as by the streams


@pytest.mark.parametrize("every", [1, 2, 3, 5])
@pytest.mark.parametrize("way", servers([]))
def test_it_comes_to_what_the_stream_comes_to(way: str, every: int) -> None:
    payloads = with_ids(long_answer(), every)
    events = list(iter_events(whole(payloads)))
    serve, expected = servers(payloads)[way], uncut(payloads)
    for at in range(1, len(events)):
        packed = held_at(events, at)
        by_hand = Assembler.restore(packed)
        response = serve(point_of(by_hand))
        by_hand.reopen()
        pushed(by_hand, response)
        assert by_hand.finish() == expected, at
        assert "repeated" not in kinds(by_hand.report)
        by_stream = InteractionStream(response, resume=packed)
        assert by_stream.get_final_interaction() == expected
        assert kinds(by_stream.report) == kinds(by_hand.report)


def test_the_next_hop() -> None:
    first = hop("v1_a", "one ", status="requires_continuation", continuation_token="t")
    second = hop("v1_b", "two")
    for events, size in ((first, len(first)), ([*first[:-1], update(continuation_token="t")], 6)):
        assembler = pushed(Assembler(), stream(*events[:size], done=False))
        again = Assembler.restore(assembler.checkpoint())
        again.reopen()
        pushed(again, stream(*second))
        assert again.finish().full_text == "one two"
        assert kinds(again.report) == []


def test_a_replay() -> None:
    data = whole(long_answer())
    events = list(iter_events(data))
    for at in range(1, len(events), 3):
        assembler = Assembler.restore(held_at(events, at))
        assembler.reopen(replay=True)
        pushed(assembler, data)
        assert assembler.finish() == uncut(long_answer())
        assert kinds(assembler.report) == []


@pytest.mark.parametrize("name", BUNDLED)
def test_where_to_go_on_is_known_at_any_time(name: str) -> None:
    """While it runs, after a restart, and when it is over: the same place."""
    data = Recording.load(name).stream
    reader = InteractionStream(data)
    for _ in reader:
        running = reader.report.resume
        again = Assembler.restore(reader.checkpoint())
        assert again.report.resume == running
        again.settle()
        assert again.report.resume == running
    if reader.report.outcome in ("completed", "requires_action"):
        assert reader.report.resume is None


def test_a_point_that_was_asked_for_is_the_one_that_is_gone_on_from() -> None:
    """Also in the middle of a replay that has not come as far as what was held."""
    payloads = with_ids(long_answer(), 2)
    data = whole(payloads)
    held = InteractionStream(data[:2500]).until_done()
    for at in range(300, 2400, 137):
        parser = InteractionParser(resume=held.checkpoint(), replay=True)
        parser.feed(data[:at])
        packed = parser.checkpoint()
        point = point_of(Assembler.restore(packed))
        for way in servers([]):
            response = servers(payloads)[way](point)
            assert finished(response, packed)[0] == uncut(payloads), (at, way)


def test_an_error_that_may_pass() -> None:
    events = with_ids(long_answer()[:15], 2)
    busy = stream(*events, error({"code": 503, "message": "No."}), done=False)
    assembler = pushed(Assembler(), busy)
    assert assembler.report.resume == ResumePoint("v1_a", "e14")
    gone = stream(*events, error({"code": 404, "message": "No."}), done=False)
    assert pushed(Assembler(), gone).report.resume is None


# ---- a token that comes before anything is decided

HEAD: list[Payload] = [
    created(continuation_token="t1"),
    {**update(), "event_id": "e1"},
    start(0, "model_output"),
    text(0, "kept "),
    {**text(0, "too "), "event_id": "e4"},
    text(0, "comes again"),
]


@pytest.mark.parametrize(
    "front", [update(continuation_token="t2"), created(continuation_token="t2")]
)
def test_a_newer_token_counts(front: Payload) -> None:
    """What came since the last id comes again after it, or is generated again with it."""
    held = cut_at(stream(*HEAD, done=False), 10**6)
    held = cut_at(stream(front, done=False), 10**6, held)
    assert held.snapshot().full_text == "kept too comes again"
    assert point_of(held) == ResumePoint("v1_a", "e4", "t2", "v1_a")
    rest = [text(0, "comes again"), text(0, "!"), stop(0), completed()]
    kept = held.checkpoint()
    assert finished(stream(front, *rest), kept)[0].full_text == "kept too comes again!"
    assert finished(stream(*hop("v1_b", "anew")), kept)[0].full_text == "kept too anew"


def test_an_older_token_that_is_repeated_does_not() -> None:
    newer = [*HEAD, update(continuation_token="t2"), text(0, "!")]
    held = cut_at(stream(*newer, done=False), 10**6)
    held = cut_at(stream(HEAD[0], HEAD[1], done=False), 10**6, held)
    assert point_of(held).continuation_token == "t2"


# ---- without `reopen()`


@pytest.mark.parametrize("settled", [False, True])
@pytest.mark.parametrize("every", [2, 3, 5, 9])
@pytest.mark.parametrize("way", servers([]))
def test_what_comes_twice_is_told(way: str, every: int, settled: bool) -> None:
    """By the answer to a resume request that was not announced, wherever the cut was."""
    payloads = with_ids(long_answer(), every)
    events = list(iter_events(whole(payloads)))
    serve, expected = servers(payloads)[way], uncut(payloads)
    for at in range(2, len(events)):
        assembler = Assembler.restore(held_at(events, at))
        if settled:
            assembler = Assembler()
            assembler.apply_all(events[:at])
            assembler.settle()
        pushed(assembler, serve(point_of(assembler)))
        assembler.settle()
        assert assembler.snapshot() == expected or kinds(assembler.report), at


def test_one_that_is_cut_again_is_told() -> None:
    """Before all that is held has come again."""
    head = [created(), {**update(), "event_id": "e"}, start(0, "model_output")]
    pieces = [text(0, piece) for piece in ("a", "b", "c")]
    for again in (1, 2, 3):
        assembler = Assembler.restore(
            pushed(Assembler(), stream(*head, *pieces[:3], done=False)).checkpoint()
        )
        pushed(assembler, stream(*[head[2], *pieces][:again], done=False))
        assembler = Assembler.restore(assembler.checkpoint())
        assembler.settle()
        assert "repeated" in kinds(assembler.report), again


def test_a_large_part_that_comes_again_is_told() -> None:
    """However much came since the last id."""
    head = [created(), {**start(0, "model_output"), "event_id": "e"}]
    pieces = [text(0, f"{at} ") for at in range(300)]
    assembler = pushed(Assembler(), stream(*head, *pieces, done=False))
    again = Assembler.restore(assembler.checkpoint())
    pushed(again, stream(update(), {"event_type": "heartbeat"}, *pieces, completed()))
    assert "repeated" in kinds(again.report)


def test_output_after_a_token_that_is_generated_again_is_told() -> None:
    head = [created(), start(0, "model_output"), text(0, "kept "), update(continuation_token="t")]
    for more, told in (([text(0, "dropped")], True), ([], False)):
        assembler = pushed(Assembler(), stream(*head, *more, done=False))
        again = Assembler.restore(assembler.checkpoint())
        pushed(again, stream(*hop("v1_b", "anew")))
        assert ("repeated" in kinds(again.report)) is told


def test_what_goes_on_is_no_repetition() -> None:
    payloads = with_ids(
        [
            created(),
            start(0, "model_output"),
            *(text(0, f"{at} ") for at in range(200)),
            stop(0),
            completed(),
        ],
        7,
    )
    events = list(iter_events(stream(*payloads)))
    for at in range(0, len(events), 5):
        assembler = Assembler.restore(held_at(events, at))
        assembler.apply_all(events[at:])
        assert assembler.finish().full_text == uncut(payloads).full_text
        assert assembler.report.issues == []


# ---- a response that is no stream


def body_of(status: str, words: str) -> bytes:
    step = {"type": "model_output", "content": [{"type": "text", "text": words}]}
    return dumps({"id": "v1_a", "status": status, "steps": [step]}).encode()


def test_a_body_in_place_of_the_rest() -> None:
    """The server did not stream: that is all of the answer."""
    held = cut_at(stream(created(), start(0, "model_output"), text(0, "all"), done=False), 10**6)
    found, report = finished(body_of("completed", "all of it"), held.checkpoint())
    assert found.full_text == "all of it"
    assert (report.outcome, report.issues) == ("completed", [])


def test_a_body_that_is_not_as_far() -> None:
    held = cut_at(stream(created(), start(0, "model_output"), text(0, "all of"), done=False), 999)
    again = InteractionStream(body_of("in_progress", "all"), resume=held.checkpoint()).until_done()
    assert again.snapshot().full_text == "all of"
    assert again.report.resume == ResumePoint("v1_a")


def test_frames_of_several_events() -> None:
    """The form of a gateway decides as its events do."""
    payloads = long_answer()
    held = cut_at(whole(payloads), 1500)
    many = frame({"events": payloads})
    assert finished(many, held)[0] == uncut(payloads)


# ---- a complete answer


def test_further_hops_take_nothing_from_a_complete_answer() -> None:
    first = hop("v1_a", "a", status="requires_continuation", continuation_token="t")
    whole_answer = stream(*first, *hop("v1_b", "b"))
    kept = InteractionStream(whole_answer).until_done().checkpoint()
    for more in (
        whole_answer,
        stream(*first),
        stream(*hop("v1_b", "b"), *hop("v1_c", "c")),
        stream(*hop("v1_c", "c")),
    ):
        for replay in (False, True):
            again = InteractionStream(more, resume=kept, replay=replay).until_done()
            assert again.snapshot().full_text == "ab"
            assert again.report.interaction_ids == ["v1_a", "v1_b"]
            assert again.report.outcome == "completed"


@pytest.mark.parametrize("status", ["failed", "incomplete", "cancelled", "requires_continuation"])
def test_a_worse_end_takes_nothing_from_a_complete_answer(status: str) -> None:
    kept = InteractionStream(stream(*hop("v1_a", "a"))).until_done().checkpoint()
    again = InteractionStream(stream(*hop("v1_a", "a", status=status)), resume=kept).until_done()
    assert again.report.outcome == "completed"
    assert kinds(again.report) == ["held_stands"]


def test_what_a_replay_does_not_say_stays() -> None:
    data = stream(*hop("v1_a", "a", usage={"total_tokens": 5}, environment_id="env", news=1))
    first = InteractionStream(data).until_done()
    again = InteractionStream(stream(*hop("v1_a", "a")), resume=first.checkpoint()).until_done()
    assert again.snapshot() == first.snapshot()
    assert again.report.usage == first.report.usage
    assert kinds(again.report) == []


def test_another_answer_that_is_cut_takes_nothing() -> None:
    """From one that was not complete either."""
    held = cut_at(whole(long_answer()), 2500)
    snapshot = held.snapshot()
    again = cut_at(
        stream(created("v1_z"), delta(0, "text", text="?"), done=False), 999, held, replay=True
    )
    assert again.snapshot() == snapshot
