"""A stream that goes on after a cut comes to what the uncut one comes to, wherever it was cut."""

from __future__ import annotations

import random

import pytest

from gemwire import (
    Assembler,
    AsyncInteractionStream,
    Interaction,
    InteractionStream,
    ResumePoint,
    StreamReport,
    TruncatedStream,
    UserInputStep,
    assemble,
    to_dict,
    user_input,
)
from gemwire.replay import BUNDLED, Recording

from .answers import cut_at, finished, hop, long_answer, servers, uncut, whole, with_ids
from .wire import (
    Payload,
    completed,
    created,
    error,
    frame,
    later,
    start,
    stop,
    stream,
    text,
    update,
)


def kinds(report: StreamReport) -> list[str]:
    return [issue.kind for issue in report.issues]


def point_of(assembler: Assembler) -> ResumePoint:
    assert assembler.report.resume is not None
    return assembler.report.resume


IDS = {"half": (2, 0), "the other half": (2, 1), "one in five": (5, 3), "all": (1, 0)}


# ---- one cut, at every event and at every byte


@pytest.mark.parametrize("way", servers([]))
@pytest.mark.parametrize("ids", IDS)
def test_one_cut_after_every_event(ids: str, way: str) -> None:
    events = with_ids(long_answer(), *IDS[ids])
    expected, serve = uncut(events), servers(events)[way]
    data = whole(events)
    ends = [at + 2 for at in range(len(data)) if data[at : at + 2] == b"\n\n"]
    assert len(ends) == len(events) + 1
    for end in ends[: len(events) - 1]:
        held = cut_at(data, end)
        found, report = finished(serve(point_of(held)), held)
        assert found == expected, f"{end} {to_dict(found)}"
        assert (report.outcome, report.resume) == ("requires_action", None)
        assert "replay_differs" not in kinds(report)


@pytest.mark.parametrize("way", servers([]))
def test_one_cut_at_every_byte(way: str) -> None:
    events = with_ids(long_answer(), 2)
    expected, serve = uncut(events), servers(events)[way]
    data = whole(events)
    last = data.index(b"event: interaction.completed")
    for at in range(data.index(b"\n\n") + 2, last, 7 if way != "from the start" else 29):
        held = cut_at(data, at)
        assert finished(serve(point_of(held)), held)[0] == expected, at


@pytest.mark.parametrize("way", servers([]))
@pytest.mark.parametrize("cuts", [2, 5])
def test_several_cuts_in_a_row(cuts: int, way: str) -> None:
    rng = random.Random(f"{cuts} {way}")
    for _ in range(20):
        events = with_ids(long_answer(), rng.choice([1, 2, 3]), rng.randrange(3))
        expected, serve = uncut(events), servers(events)[way]
        data = whole(events)
        held = cut_at(data, rng.randrange(data.index(b"\n\n") + 2, len(data) - 700))
        for _ in range(cuts - 1):
            more = serve(point_of(held))
            if (again := rng.random()) < 0.3:
                held = Assembler.restore(held.checkpoint())
            held = cut_at(more, rng.randrange(int(len(more) * 0.9)), held)
            if held.report.resume is None:
                break
            assert again < 1
        if held.report.resume is not None:
            assert finished(serve(point_of(held)), held)[0] == expected


def test_async_streams_resume_alike() -> None:
    import asyncio

    events = with_ids(long_answer(), 2)
    data = whole(events)

    async def run() -> Interaction:
        first = AsyncInteractionStream(later([data[:1200]]))
        with pytest.raises(TruncatedStream):
            await first.get_final_interaction()
        assert first.report.resume is not None
        rest = servers(events)["after the id"](first.report.resume)
        return await AsyncInteractionStream(
            later([rest]), resume=first.checkpoint()
        ).get_final_interaction()

    assert asyncio.run(run()) == uncut(events)


@pytest.mark.parametrize("name", BUNDLED)
def test_a_bundled_stream_that_starts_over(name: str) -> None:
    data = Recording.load(name).stream
    expected = cut_at(data, len(data))
    for at in range(200, len(data), max(97, len(data) // 40)):
        held = cut_at(data, at)
        if held.report.resume is None:
            continue
        again = cut_at(data, len(data), held)
        assert again.snapshot() == expected.snapshot(), at
        assert again.report.outcome == expected.report.outcome


# ---- one rule at a time


def test_events_that_bring_nothing_are_yielded_all_the_same() -> None:
    events = with_ids(long_answer(), 2)
    held = cut_at(whole(events), 900)
    serve = servers(events)["with created and status in front"]
    reader = InteractionStream(serve(point_of(held)), resume=held)
    assert [event.event_type for event in reader][:2] == [
        "interaction.created",
        "interaction.status_update",
    ]


def test_nothing_is_lost_when_the_resumed_stream_brings_nothing() -> None:
    """Neither an empty response, nor noise, nor an error takes anything away."""
    data = whole(with_ids(long_answer(), 5))
    held = cut_at(data, 1500)
    snapshot, point = held.snapshot(), point_of(held)
    for more in (b"", stream(created(), update()), frame({"event_type": "new"}), frame(error({}))):
        cut_at(more, len(more), held)
        assert held.snapshot() == snapshot
        assert held.report.outcome == "truncated"
        assert held.report.resume == point
    bad = frame(error({"code": 503, "message": "No."}))
    cut_at(bad, len(bad), held)
    assert held.snapshot() == snapshot
    assert (held.report.outcome, held.report.resume) == ("error", point), "it can be mended"
    bad = frame(error({"code": 404, "message": "No."}))
    cut_at(bad, len(bad), held)
    assert held.snapshot() == snapshot
    assert (held.report.outcome, held.report.resume) == ("error", None)


def test_an_unknown_event_may_have_the_id() -> None:
    newer = {"event_type": "step.new", "event_id": "n1"}
    head = [created(), start(0, "model_output"), text(0, "a"), newer, text(0, "b")]
    rest = [newer, text(0, "b"), stop(0), completed()]
    held = cut_at(stream(*head, done=False), 10**6)
    assert point_of(held).last_event_id == "n1"
    for more in (rest, rest[1:]):
        again = Assembler.restore(held.checkpoint())
        assert finished(stream(*more), again)[0].output_text == "ab"


def test_hops_may_have_one_id() -> None:
    """In one stream, and on a resume: what `requires_continuation` ended goes on."""
    first = hop("v1_a", "a", status="requires_continuation", continuation_token="t")
    second = hop("v1_a", "b", usage={"total_tokens": 2})
    together = assemble(stream(*first, *second))
    assert together.full_text == "ab"
    held = cut_at(stream(*first), 10**6)
    assert finished(stream(*second), held)[0] == together


def test_without_ids_it_goes_on_from_the_end() -> None:
    held = cut_at(stream(created(), start(0, "model_output"), text(0, "a"), done=False), 10**6)
    found, _ = finished(stream(text(0, "b"), stop(0), completed()), held)
    assert found.output_text == "ab"


def test_an_event_id_that_was_there_before_is_no_reason_to_skip() -> None:
    piece = {**text(0, "a"), "event_id": "e1"}
    reader = InteractionStream(stream(created(), start(0, "model_output"), piece, piece))
    reader.until_done()
    assert reader.report.issues == []
    assert reader.snapshot().output_text == "aa"


def test_last_event_id_belongs_to_its_hop() -> None:
    first = hop("v1_a", "a", status="requires_continuation", continuation_token="t")
    first[3]["event_id"] = "e1"
    held = cut_at(stream(*first, created("v1_b"), done=False), 10**6)
    assert point_of(held) == ResumePoint("v1_b", None, "t", "v1_a")


# ---- hops


def test_output_after_a_token_is_generated_again() -> None:
    head = [
        created(),
        start(0, "model_output"),
        text(0, "kept "),
        stop(0),
        update(continuation_token="t", usage={"total_tokens": 5}),
        start(1, "model_output"),
        text(1, "dropped"),
    ]
    held = cut_at(stream(*head, done=False), 10**6)
    assert held.snapshot().output_text == "kept dropped"
    assert point_of(held) == ResumePoint("v1_a", None, "t", "v1_a")
    for restored in (Assembler.restore(held.checkpoint()), held):
        again = hop("v1_b", "made ", "again", usage={"total_tokens": 3})
        found, report = finished(stream(*again), restored)
        assert found.output_text == "kept made again"
        assert report.interaction_ids == ["v1_a", "v1_b"]
        assert report.usage is not None
        assert report.usage.total_tokens == 8
        assert report.usage_source == "status"


def test_output_after_a_token_with_store_false() -> None:
    head = [
        created(identity=""),
        start(0, "model_output"),
        text(0, "kept "),
        stop(0),
        update(identity="", continuation_token="t"),
        start(1, "model_output"),
        text(1, "dropped"),
    ]
    held = cut_at(stream(*head, done=False), 10**6)
    again = stream(*hop("", "made again"))
    found, report = finished(again, held)
    assert found.output_text == "kept made again"
    assert report.interaction_ids == []


def test_each_cut_of_the_next_hop_goes_back_to_the_token() -> None:
    first = hop("v1_a", "one ", status="requires_continuation", continuation_token="t")
    held = cut_at(stream(*first), 10**6)
    for number in range(4):
        second = stream(*hop(f"v1_b{number}", "two ", "three"))
        held = cut_at(second, second.index(b"three") + number * 30, held)
        assert point_of(held).continuation_token == "t"
        assert point_of(held).token_owner_id == "v1_a"
    found, report = finished(stream(*hop("v1_c", "two ", "three")), held)
    assert found.output_text == "one two three"
    assert len(found.steps or ()) == 2
    assert report.outcome == "completed"


def test_hops_in_one_stream() -> None:
    """An intermediate `requires_continuation`, then the next one; nothing is glued or dropped."""
    one = hop("v1_a", "a", status="requires_continuation", continuation_token="t",
              usage={"total_tokens": 2, "total_input_tokens": 1}, created="then")  # fmt: skip
    two = hop("v1_b", "b", usage={"total_tokens": 3, "total_input_tokens": 2}, created="later")
    two[2:2] = [start(0, "user_input", content=[{"type": "text", "text": "q"}]), stop(0)]
    for event in two[4:-1]:
        event["index"] = 1
    reader = InteractionStream(stream(*one, *two))
    found = reader.get_final_interaction()
    assert not any(isinstance(step, UserInputStep) for step in found.steps or ())
    assert [to_dict(step)["content"][0]["text"] for step in found.steps or ()] == ["a", "b"]
    assert found.id == "v1_b"
    assert found.created == "then"
    assert to_dict(found)["usage"] == {
        "total_tokens": 5,
        "total_input_tokens": 3,
        "initial_input_tokens": 1,
    }
    assert reader.report.usage_source == "terminal"
    assert reader.report.interaction_ids == ["v1_a", "v1_b"]
    assert reader.report.issues == []


# ---- replay


def timeline() -> list[Payload]:
    """The answer as GET gives it: with the input in front, so that all indexes are higher."""
    head, rest = long_answer()[:2], long_answer()[2:]
    moved = [
        {**event, "index": event["index"] + 1} if "index" in event else event for event in rest
    ]
    asked = start(0, "user_input", content=[{"type": "text", "text": "Why?"}])
    return [*head, asked, stop(0), *moved]


@pytest.mark.parametrize("explicit", [True, False])
def test_a_timeline_with_the_input_in_front(explicit: bool) -> None:
    data = whole(long_answer())
    expected = uncut(timeline())
    for at in range(700, len(data) - 400, 61):
        held = cut_at(data, at)
        found, report = finished(whole(timeline()), held, replay=explicit)
        assert found == expected
        assert isinstance((found.steps or [])[0], UserInputStep)
        assert set(kinds(report)) <= {"torn"}


def test_a_replay_that_differs() -> None:
    head = [created(), start(0, "model_output"), text(0, "one"), stop(0)]
    held = cut_at(stream(*head, start(1, "thought"), done=False), 10**6)
    new = [created(), start(0, "model_output"), text(0, "other"), stop(0), completed()]
    found, report = finished(stream(*new), held, replay=True)
    assert found.output_text == "other"
    assert kinds(report) == ["replay_differs"]
    assert "step 0" in report.issues[0].detail


@pytest.mark.parametrize("words", ["on", "one"])
def test_a_finished_step_that_came_shorter_differs(words: str) -> None:
    held = cut_at(
        stream(created(), start(0, "model_output"), text(0, "one"), stop(0), done=False), 999
    )
    new = [created(), start(0, "model_output"), text(0, words), stop(0), completed()]
    found, report = finished(stream(*new), held, replay=True)
    assert found.output_text == words
    assert ("replay_differs" in kinds(report)) is (words == "on")


def test_a_replay_of_another_interaction_differs() -> None:
    held = cut_at(stream(created(), done=False), 999)
    found, report = finished(stream(*hop("v1_b", "b")), held, replay=True)
    assert (found.id, found.output_text) == ("v1_b", "b")
    assert kinds(report) == ["replay_differs"]


def test_a_replay_that_lacks_a_step_differs() -> None:
    head = [created(), *hop("v1_a", "a")[2:5], start(1, "thought"), stop(1)]
    held = cut_at(stream(*head, done=False), 999)
    found, report = finished(stream(*hop("v1_a", "a")), held, replay=True)
    assert len(found.steps or ()) == 1
    assert kinds(report) == ["replay_differs"]


def test_a_replay_that_is_cut_earlier_loses_nothing() -> None:
    data = whole(with_ids(long_answer(), 2))
    held = cut_at(data, 2000)
    snapshot = held.snapshot()
    held = cut_at(data, 1000, held, replay=True)
    assert held.snapshot() == snapshot
    assert held.report.outcome == "truncated"
    assert held.report.resume == ResumePoint("v1_a")  # from the start, for all marks are gone
    assert finished(data, held)[0] == uncut(with_ids(long_answer(), 2))


def test_a_replay_that_is_cut_is_not_complete() -> None:
    """What was complete is not lost to it."""
    held = cut_at(stream(*hop("v1_a", "a")), 10**6)
    assert held.report.outcome == "completed"
    again = cut_at(stream(created(), start(0, "model_output")), 10**6, held, replay=True)
    assert (again.report.outcome, kinds(again.report)) == ("completed", ["held_stands"])
    assert again.report.resume is None
    assert again.finish().output_text == "a"


@pytest.mark.parametrize("replay", [False, True])
@pytest.mark.parametrize(
    "more",
    [
        b"",
        b"<html>502</html>",
        b'{"error":{"code":404,"message":"gone"}}',
        b'data: {"error":{"code":503,"message":"busy"},"event_type":"error"}\n\n',
        stream(created()),
        stream(*hop("v1_a", "a")[:3]),
        stream(*hop("v1_a", "a")[:3], completed()),
        stream(*hop("v1_b", "another")),
    ],
)
def test_a_complete_answer_is_never_lost(more: bytes, replay: bool) -> None:
    """Whatever comes on a replay or a resume leaves it complete, with an issue."""
    reader = InteractionStream(stream(*hop("v1_a", "a", "b", usage={"total_tokens": 3})))
    kept, whole_answer = reader.until_done().checkpoint(), reader.get_final_interaction()
    again = InteractionStream(more, resume=kept, replay=replay)
    assert again.get_final_interaction() == whole_answer
    assert (again.report.outcome, again.report.resume) == ("completed", None)
    assert "held_stands" in kinds(again.report)
    assert again.report.error is None
    assert again.report.usage == reader.report.usage


@pytest.mark.parametrize("replay", [False, True])
def test_a_complete_answer_that_comes_again_is_the_same(replay: bool) -> None:
    data = stream(*hop("v1_a", "a", "b"))
    kept = InteractionStream(data).until_done().checkpoint()
    again = InteractionStream(data, resume=kept, replay=replay)
    assert again.get_final_interaction() == assemble(data)
    assert kinds(again.report) == []


def test_a_replay_may_begin_without_created() -> None:
    held = cut_at(stream(*hop("v1_a", "a")[:-2], done=False), 10**6)
    found, report = finished(stream(*hop("v1_a", "a", "b")[2:]), held)
    assert (found.id, found.output_text) == ("v1_a", "ab")
    assert report.interaction_ids == ["v1_a"]


def test_the_legacy_generation_resumes_alike() -> None:
    """Contents are parts of a step there, and no two texts may be glued."""
    head = created()["interaction"]
    events = with_ids(
        [
            {"interaction": head, "event_type": "interaction.start"},
            update(),
            *(
                {"index": at, "content": {"type": "text"}, "event_type": "content.start"}
                if piece is None
                else {"index": at, "event_type": "content.stop"}
                if not piece
                else {
                    "index": at,
                    "delta": {"type": "text", "text": piece},
                    "event_type": "content.delta",
                }
                for at in range(3)
                for piece in (None, "na", "na", "na ", f"{at}", "")
            ),
            {**completed(), "event_type": "interaction.complete"},
        ],
        2,
    )
    expected = uncut(events)
    data = whole(events)
    for way, serve in servers(events).items():
        for at in range(data.index(b"\n\n") + 2, data.index(b"interaction.complete") - 7, 53):
            held = Assembler.restore(cut_at(data, at).checkpoint())
            found, report = finished(serve(point_of(held)), held)
            assert found == expected, (way, at)
            assert "replay_differs" not in kinds(report)
    plain = whole([{n: v for n, v in event.items() if n != "event_id"} for event in events])
    for at in range(data.index(b"\n\n") + 2, len(plain) - 400, 53):
        assert finished(plain, cut_at(plain, at))[0] == uncut(events)


@pytest.mark.parametrize("event", ["interaction.created", "interaction.start"])
def test_input_of_old_after_a_restart(event: str) -> None:
    """It is made today's, whether the stream was cut or not."""
    opening = created(input=[{"role": "user", "content": "a"}])
    opening["event_type"] = event
    head = stream(opening, start(0, "model_output"), text(0, "A"), done=False)
    again = stream(opening, start(0, "model_output"), text(0, "A mill"), stop(0), completed())
    reader = InteractionStream(head).until_done()
    found = InteractionStream(again, resume=reader.checkpoint()).get_final_interaction()
    assert found == assemble(again)
    assert found.input == [user_input("a")]
