"""An answer over as many responses as it takes, with transports that fail in every way."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from gemwire import (
    ApiError,
    Event,
    Interaction,
    LimitExceeded,
    ResumePoint,
    ServerError,
    StreamReport,
    TruncatedStream,
    afollow,
    follow,
)

from .answers import after, hop, long_answer, servers, uncut, whole, with_ids
from .streams import HTML
from .wire import MILL, Payload, created, dumps, error, frame, start, stop, stream, text, update

EVENTS = with_ids(long_answer(), 2)
DATA = whole(EVENTS)
BARE = b'[{"error":{"code":503,"message":"No.","status":"UNAVAILABLE"}}]'


class Broken(Exception):
    """What a transport raises."""


class Response:
    """A response that knows whether it was closed."""

    def __init__(self, data: bytes, broken: bool = False) -> None:
        self.data = data
        self.broken = broken
        self.closed = 0

    def __iter__(self) -> Iterator[bytes]:
        for at in range(0, len(self.data), 100):
            yield self.data[at : at + 100]
        if self.broken:
            raise Broken

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self:
            yield chunk

    def close(self) -> None:
        self.closed += 1

    async def aclose(self) -> None:
        self.closed += 1


class Transport:
    """Gives what a script says, one entry for each opening."""

    def __init__(self, *script: Any) -> None:
        self.script = list(script)
        self.points: list[ResumePoint | None] = []
        self.delays: list[float] = []
        self.responses: list[Response] = []

    def __call__(self, point: ResumePoint | None) -> Response:
        self.points.append(point)
        entry = self.script.pop(0) if self.script else b""
        if callable(entry):
            entry = entry(point)
        if isinstance(entry, Exception):
            raise entry
        response = entry if isinstance(entry, Response) else Response(entry)
        self.responses.append(response)
        return response

    def sleep(self, seconds: float) -> None:
        self.delays.append(seconds)

    async def later(self, seconds: float) -> None:
        self.delays.append(seconds)

    def closed(self) -> bool:
        return all(response.closed == 1 for response in self.responses)


Run = Callable[..., tuple[Interaction, StreamReport]]


def run_sync(transport: Transport, **options: Any) -> tuple[Interaction, StreamReport]:
    with follow(transport, sleep=transport.sleep, **options) as stream:
        return stream.get_final_interaction(), stream.report


def run_async(transport: Transport, **options: Any) -> tuple[Interaction, StreamReport]:
    async def run() -> tuple[Interaction, StreamReport]:
        async with afollow(transport, sleep=transport.later, **options) as stream:
            return await stream.get_final_interaction(), stream.report

    return asyncio.run(run())


def run_coroutine(transport: Transport, **options: Any) -> tuple[Interaction, StreamReport]:
    async def opened(point: ResumePoint | None) -> Response:
        return transport(point)

    async def run() -> tuple[Interaction, StreamReport]:
        stream = afollow(opened, sleep=transport.later, **options)
        async with stream:
            return await stream.get_final_interaction(), stream.report

    return asyncio.run(run())


@pytest.fixture(params=[run_sync, run_async, run_coroutine], ids=["sync", "async", "coroutine"])
def run(request: pytest.FixtureRequest) -> Run:
    found: Run = request.param
    return found


def rest(point: ResumePoint) -> bytes:
    return whole(after(EVENTS, point.last_event_id))


def cut(size: int) -> Callable[[ResumePoint | None], bytes]:
    return lambda point: (DATA if point is None else rest(point))[:size]


# ---- it goes on


def test_one_response_is_enough(run: Run) -> None:
    transport = Transport(DATA)
    found, report = run(transport)
    assert found == uncut(EVENTS)
    assert report.outcome == "requires_action"
    assert (transport.points, transport.delays) == ([None], [])
    assert transport.closed()


def test_cuts(run: Run) -> None:
    transport = Transport(*[cut(900)] * 4, cut(10**6))
    found, report = run(transport)
    assert found == uncut(EVENTS)
    assert transport.points[0] is None
    assert all(point is not None and point.interaction_id for point in transport.points[1:])
    assert report.resume is None
    assert transport.closed()


def test_five_cuts_at_random_bytes(run: Run) -> None:
    for seed in range(10):
        rng = random.Random(seed)
        script = [cut(rng.randrange(200, 2000)) for _ in range(5)]
        transport = Transport(*script, cut(10**6))
        assert run(transport, attempts=9)[0] == uncut(EVENTS)
        assert transport.closed()


def test_a_transport_that_raises(run: Run) -> None:
    transport = Transport(Response(DATA[:900], broken=True), Broken(), rest)
    assert run(transport)[0] == uncut(EVENTS)
    assert transport.closed()


@pytest.mark.parametrize("bad", [BARE, frame(error({"code": "service_unavailable"}))])
def test_an_error_that_another_try_mends(run: Run, bad: bytes) -> None:
    transport = Transport(DATA[: DATA.index(b"\n\n", 900) + 2] + bad, bad, rest)
    found, report = run(transport)
    assert found == uncut(EVENTS)
    assert report.error is not None
    assert transport.closed()


def test_hops_follow_each_other_at_once(run: Run) -> None:
    token = {"status": "requires_continuation"}
    transport = Transport(
        stream(*hop("v1_a", "a", continuation_token="t", **token)),
        stream(*hop("v1_b", "b", continuation_token="u", **token)),
        stream(*hop("v1_c", "c")),
    )
    found, report = run(transport)
    assert len(found.steps or ()) == 3
    assert report.interaction_ids == ["v1_a", "v1_b", "v1_c"]
    assert transport.points[1:] == [
        ResumePoint("v1_a", None, "t", "v1_a"),
        ResumePoint("v1_b", None, "u", "v1_b"),
    ]
    assert transport.delays == []
    assert transport.closed()


@pytest.mark.parametrize("bad", [Broken(), b"", ApiError("", http_status=503)])
def test_a_second_hop_that_does_not_open_at_once(run: Run, bad: Any) -> None:
    token = {"status": "requires_continuation", "continuation_token": "t"}
    first = stream(*hop("v1_a", "a", **token))
    transport = Transport(first, bad, bad, stream(*hop("v1_b", "b")))
    assert run(transport)[0].full_text == "ab"
    assert transport.delays == [0.5, 1.0]
    with pytest.raises(Broken):
        follow(Transport(first, *[Broken()] * 9), sleep=transport.sleep).until_done()


def body(status: str, **members: Any) -> bytes:
    return dumps({"id": "v1_a", "status": status, "object": "interaction", **members}).encode()


DONE_BODY = body("completed", steps=[{"type": "model_output", "content": [MILL]}])


@pytest.mark.parametrize("status", ["in_progress", "queued"])
@pytest.mark.parametrize("steps", [[], [{"type": "model_output", "content": [MILL]}]])
def test_a_run_that_is_not_streamed_is_asked_for_until_it_has_ended(
    run: Run, status: str, steps: list[Any]
) -> None:
    waiting = body(status, steps=steps)
    transport = Transport(*[waiting] * 30, DONE_BODY)
    found, report = run(transport, attempts=2, delay=1, max_delay=8)
    assert (found.status, report.outcome) == ("completed", "completed")
    assert found.output_text == "A mill"
    assert transport.points[0] is None
    assert {point and point.interaction_id for point in transport.points[1:]} == {"v1_a"}
    assert transport.delays == [1, 2, 4, *[8] * 27]
    assert transport.closed()


@pytest.mark.parametrize("bad", [Broken(), b"", HTML, ApiError("", http_status=404), BARE])
def test_trouble_while_waiting_for_a_run(run: Run, bad: Any) -> None:
    waiting = body("in_progress")
    transport = Transport(waiting, bad, bad, waiting, waiting, bad, bad, DONE_BODY)
    assert run(transport, attempts=2, delay=1)[0].status == "completed"
    assert transport.delays == [1, 1, 2, 1, 2, 1, 2]
    transport = Transport(waiting, *[bad] * 9)
    with contextlib.suppress(Exception):
        run(transport, attempts=2)
    assert len(transport.points) == 4


def test_a_run_without_a_name_is_not_asked_for_again(run: Run) -> None:
    transport = Transport(dumps({"status": "in_progress"}).encode(), DONE_BODY)
    with contextlib.suppress(TruncatedStream):
        run(transport)
    assert transport.points == [None]


def test_a_cut_in_the_second_hop(run: Run) -> None:
    first = stream(*hop("v1_a", "a", status="requires_continuation", continuation_token="t"))
    second = stream(*hop("v1_b", "b", "c"))
    at = second.index(b'"c"') + 20
    transport = Transport(first, second[:at], second.replace(b"v1_b", b"v1_c"))
    found, _ = run(transport)
    assert found.output_text == "abc"
    assert [point and point.continuation_token for point in transport.points] == [None, "t", "t"]


# ---- it stops


def test_no_progress(run: Run) -> None:
    transport = Transport(DATA[:900], *[b""] * 9)
    with pytest.raises(TruncatedStream) as caught:
        run(transport, attempts=3)
    assert caught.value.report.resume is not None
    assert caught.value.interaction == run_partial(900)
    assert len(transport.points) == 4
    assert transport.closed()


def run_partial(size: int) -> Interaction | None:
    with pytest.raises(TruncatedStream) as caught:
        run_sync(Transport(DATA[:size]), attempts=0)
    return caught.value.interaction


def test_delays_double_and_start_again(run: Run) -> None:
    transport = Transport(cut(900), b"", b"", b"", cut(2000), b"", b"", b"", b"", b"", b"", b"")
    with pytest.raises(TruncatedStream):
        run(transport, attempts=5, delay=1.0, max_delay=6.0)
    assert transport.delays == [1, 2, 4, 6, 1, 2, 4, 6, 6]


def test_the_server_may_ask_for_more_time(run: Run) -> None:
    busy = ApiError("Busy.", http_status=429, retry_after=30.0)
    transport = Transport(busy, ApiError("Busy.", http_status=503), DATA)
    run(transport)
    assert transport.delays == [30.0, 1.0]
    details = [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "12s"}]
    transport = Transport(frame(error({"code": 429, "details": details})), b"", DATA)
    run(transport)
    assert transport.delays[:1] == [12.0]


def test_a_cut_that_never_moves(run: Run) -> None:
    """The server starts over each time and is cut at the same place."""
    transport = Transport(*[DATA[:1500]] * 20)
    with pytest.raises(TruncatedStream):
        run(transport, attempts=3)
    assert len(transport.points) == 4


GONE: list[Any] = [
    ApiError("No such interaction.", http_status=404),
    ApiError("No such interaction.", code="not_found"),
    ApiError("No such interaction.", code=404, status="NOT_FOUND"),
    b'{"error":{"code":404,"message":"No such interaction.","status":"NOT_FOUND"}}',
    frame(error({"code": "not_found"})),
]


@pytest.mark.parametrize("gone", GONE)
def test_an_agent_that_cannot_be_resumed(run: Run, gone: Any) -> None:
    """It is asked for as often as for any other reason: a run may be there a moment later."""
    transport = Transport(DATA[:900], *[gone] * 9)
    with pytest.raises((ApiError, ServerError)) as caught:
        run(transport, attempts=3)
    assert caught.value is gone or not isinstance(gone, Exception)
    assert len(transport.points) == 4
    assert transport.points[1:] == [transport.points[1]] * 3
    assert transport.delays == [0.5, 1, 2]
    assert transport.closed()


@pytest.mark.parametrize("gone", GONE)
def test_a_run_that_is_there_a_moment_later(run: Run, gone: Any) -> None:
    transport = Transport(cut(900), gone, gone, cut(1800), gone, rest)
    found, _ = run(transport, attempts=3)
    assert found == uncut(EVENTS)
    assert transport.points[-1] == transport.points[-2] != transport.points[1]


@pytest.mark.parametrize("gone", GONE)
def test_not_found_at_first(run: Run, gone: Any) -> None:
    transport = Transport(gone, DATA)
    with pytest.raises((ApiError, ServerError)):
        run(transport)
    assert transport.points == [None]


@pytest.mark.parametrize("code", ["invalid_request", "content_blocked", 400, 403, 404])
def test_an_error_that_nothing_mends(run: Run, code: Any) -> None:
    transport = Transport(DATA[:900] + b"\n\n" + frame(error({"code": code})), DATA)
    with pytest.raises(ServerError):
        run(transport)
    assert len(transport.points) == 1
    assert transport.closed()


def test_nothing_stored_is_not_asked_for_again_after_output(run: Run) -> None:
    head = [created(identity=""), update(identity="")]
    begun = stream(*head, start(0, "model_output"), text(0, "a"), done=False)
    transport = Transport(begun, DATA)
    with pytest.raises(TruncatedStream):
        run(transport)
    assert transport.points == [None]
    transport = Transport(b"", stream(*head, done=False), stream(*hop("", "b")))
    assert run(transport)[0].output_text == "b"  # before it, nothing is lost
    assert transport.points == [None, None, None]


def test_a_token_that_does_not_get_on(run: Run) -> None:
    token = {"status": "requires_continuation", "continuation_token": "t"}
    transport = Transport(*(stream(*hop(f"v1_{n}", "a", **token)) for n in range(9)))
    found, report = run(transport)
    assert report.outcome == found.status == "requires_continuation"
    assert len(transport.points) == 2


@pytest.mark.parametrize("status", ["completed", "failed", "incomplete", "cancelled", "resting"])
def test_every_terminal_status_is_the_end(run: Run, status: str) -> None:
    transport = Transport(stream(*hop("v1_a", "a", status=status)))
    assert run(transport)[1].outcome == status
    assert len(transport.points) == 1


def test_a_limit_is_no_cut(run: Run) -> None:
    transport = Transport(DATA)
    with pytest.raises(LimitExceeded):
        run(transport, max_event_bytes=50)
    assert len(transport.points) == 1
    assert transport.closed()


def test_the_last_exception_of_the_transport_goes_through() -> None:
    transport = Transport(*[Broken()] * 9)
    with pytest.raises(Broken):
        for _ in follow(transport, sleep=transport.sleep, attempts=2):
            pass
    assert len(transport.points) == 3
    transport = Transport(*[Response(DATA[:900], broken=True)] * 9)
    with pytest.raises(TruncatedStream) as caught:
        run_sync(transport, attempts=0)
    assert isinstance(caught.value.__cause__, Broken)


# ---- closing


def test_leaving_early_closes() -> None:
    transport = Transport(DATA)
    with follow(transport, sleep=transport.sleep) as reader:
        next(reader)
    assert transport.closed()
    assert reader.report.outcome == "truncated"
    assert list(reader) == []


def test_leaving_early_closes_async() -> None:
    transport = Transport(DATA[:900], rest)

    async def run() -> None:
        async with afollow(transport, sleep=transport.later) as reader:
            async for _ in reader:
                if len(transport.points) == 2:
                    break

    asyncio.run(run())
    assert len(transport.responses) == 2
    assert transport.closed()


def test_being_cancelled_closes() -> None:
    transport = Transport(DATA[:900])

    async def forever(seconds: float) -> None:
        await asyncio.sleep(3600)

    async def run() -> None:
        async with afollow(transport, sleep=forever) as reader:
            await reader.until_done()

    async def cancelled() -> None:
        task = asyncio.create_task(run())
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())
    assert transport.closed()


def test_events_are_those_of_all_responses() -> None:
    transport = Transport(cut(900), cut(10**6))
    with follow(transport, sleep=transport.sleep) as reader:
        seen: list[Event] = list(reader)
    assert len(seen) > len(EVENTS) - 2
    assert reader.get_final_interaction() == uncut(EVENTS)


def test_the_sleep_of_the_standard_library(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("time.sleep", slept.append)
    transport = Transport(cut(900), cut(10**6))
    assert follow(transport).get_final_interaction() == uncut(EVENTS)
    assert slept == [0.5]

    async def later(seconds: float) -> None:
        slept.append(seconds)

    async def run() -> Interaction:
        monkeypatch.setattr("asyncio.sleep", later)
        return await afollow(Transport(cut(900), cut(10**6))).get_final_interaction()

    assert asyncio.run(run()) == uncut(EVENTS)
    assert slept == [0.5, 0.5]


def test_a_checkpoint_on_the_way() -> None:
    transport = Transport(cut(900), cut(900), cut(10**6))
    with follow(transport, sleep=transport.sleep) as reader:
        for _ in reader:
            if len(transport.points) == 2:
                break
        packed = reader.checkpoint()
    with follow(Transport(lambda _: rest(point_after(packed))), sleep=transport.sleep) as reader:
        assert reader.get_final_interaction().status == "requires_action"


def point_after(packed: bytes) -> ResumePoint:
    from gemwire import Assembler

    point = Assembler.restore(packed).report.resume
    assert point is not None
    return point


def test_stops_are_not_needed() -> None:
    transport = Transport(stream(created(), stop(0), done=False), stream(*hop("v1_a", "a")))
    assert run_sync(transport)[0].output_text == "a"


@pytest.mark.parametrize("way", servers([]))
def test_text_comes_once(way: str) -> None:
    """However much is repeated; the events themselves are yielded as often as they come."""

    def check(events: list[Payload], at: int) -> None:
        serve = servers(events)[way]
        transport = Transport(whole(events)[:at], lambda point: serve(point)[: at // 2], serve)
        with follow(transport, sleep=transport.sleep) as reader:
            assert "".join(reader.text_stream) == "nanana bátman"
        assert reader.get_final_interaction() == uncut(events)

    for events in (EVENTS, with_ids(long_answer(), 10**6), with_ids(long_answer(), 3)):
        data = whole(events)
        for at in range(data.index(b'"na"'), data.index(b"interaction.completed"), 67):
            check(events, at)


# ---- after a crash


@pytest.mark.parametrize("way", servers([]))
@pytest.mark.parametrize("every", [1, 2, 3, 10**6])
def test_a_checkpoint_after_every_event(run: Run, way: str, every: int) -> None:
    """Taken before and after a cut; another process goes on from each."""
    events = with_ids(long_answer(), every)
    data, serve, expected = whole(events), servers(events)[way], uncut(events)
    transport = Transport(data[:1300], lambda point: serve(point)[:1500], serve)
    with follow(transport, sleep=transport.sleep) as reader:
        kept = [reader.checkpoint() for _ in reader]
    assert reader.get_final_interaction() == expected
    for at, packed in enumerate(kept[:-1]):
        transport = Transport(serve, serve)
        found, report = run(transport, resume=packed)
        assert found == expected, at
        assert transport.points[0] == point_after(packed)
        assert "repeated" not in [issue.kind for issue in report.issues]


def test_a_complete_answer_opens_nothing(run: Run) -> None:
    kept = bytes(follow(Transport(DATA)).until_done().checkpoint())
    transport = Transport()
    found, report = run(transport, resume=kept)
    assert transport.points == []
    assert found == uncut(EVENTS)
    assert report.issues == []
    reader = follow(transport, resume=kept)
    assert reader.report.outcome == "requires_action"
    assert reader.report.resume is None
    assert list(reader.text_stream) == []
    assert list(follow(transport, resume=kept).finished_steps()) == []


def test_what_cannot_be_gone_on_with_opens_nothing(run: Run) -> None:
    """It has no name, so asking anew would be another answer."""
    begun = stream(created(identity=""), start(0, "model_output"), text(0, "a"), done=False)
    kept = follow(Transport(begun), attempts=0).until_done().checkpoint()
    transport = Transport(DATA)
    with pytest.raises(TruncatedStream):
        run(transport, resume=kept)
    assert transport.points == []


def test_a_hop_that_is_gone_on_with_after_a_crash(run: Run) -> None:
    token = {"status": "requires_continuation", "continuation_token": "t"}
    kept = (
        follow(Transport(stream(*hop("v1_a", "a", **token))), attempts=0).until_done().checkpoint()
    )
    transport = Transport(stream(*hop("v1_b", "b")))
    found, report = run(transport, resume=kept)
    assert found.full_text == "ab"
    assert transport.points == [ResumePoint("v1_a", None, "t", "v1_a")]
    assert report.interaction_ids == ["v1_a", "v1_b"]
