"""Settling: reading an answer until it has ended, and what a later read adds to what is held."""

from __future__ import annotations

import asyncio
import copy
import pickle
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest
from msgspec import UNSET

from gemwire import (
    ApiError,
    DecodeError,
    GemwireError,
    Interaction,
    InteractionStream,
    StreamReport,
    Usage,
    assemble,
    decode_interaction,
    encode,
    follow,
    is_terminal,
    join_continuations,
)
from gemwire.polling import PollTimeout, apoll, poll, settled, usage_owed
from gemwire.replay import Recording, ReplayServer

from .wire import Payload, completed, created, dumps, error, said, start, stop, stream, text, update

EXAMPLE: Final = Path(__file__).parent.parent / "examples" / "polling.py"
USAGE: Payload = {"total_input_tokens": 3, "total_output_tokens": 2, "total_tokens": 5}
QUESTION: Payload = {"type": "user_input", "content": [{"type": "text", "text": "What is that?"}]}


def read(status: str = "completed", **members: Any) -> Interaction:
    """What a GET gives."""
    body = {"id": "v1_a", "object": "interaction", "status": status, **members}
    return decode_interaction(dumps(body))


class Server:
    """Gives what a script says, one entry for each read, the last one again and again; and a clock
    that only `sleep` moves.
    """

    def __init__(self, *script: Any, takes: float = 0.0) -> None:
        self.script = list(script)
        self.takes = takes  # seconds for each read
        self.delays: list[float] = []
        self.reads = 0
        self.now = 1000.0

    def fetch(self) -> Any:
        self.reads += 1
        self.now += self.takes
        entry = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(entry, BaseException):
            raise entry
        return entry

    async def afetch(self) -> Any:
        return self.fetch()

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.delays.append(seconds)
        self.now += seconds

    async def asleep(self, seconds: float) -> None:
        self.sleep(seconds)

    def clock(self) -> float:
        return self.now


def run_sync(server: Server, held: Interaction | None = None, **options: Any) -> Interaction:
    return poll(server.fetch, held, sleep=server.sleep, clock=server.clock, **options)


def run_async(server: Server, held: Interaction | None = None, **options: Any) -> Interaction:
    return asyncio.run(
        apoll(server.afetch, held, sleep=server.asleep, clock=server.clock, **options)
    )


Run = Callable[..., Interaction]


@pytest.fixture(params=[run_sync, run_async], ids=["sync", "async"])
def run(request: pytest.FixtureRequest) -> Run:
    found: Run = request.param
    return found


# ---- which status is an end

STATUSES: Final = {
    "queued": False,
    "in_progress": False,
    "idle": False,
    "requires_action": True,
    "requires_continuation": True,
    "completed": True,
    "incomplete": True,
    "failed": True,
    "cancelled": True,
    "budget_exceeded": True,
    "a_status_of_2027": True,
}


@pytest.mark.parametrize(("status", "ends"), STATUSES.items(), ids=STATUSES)
def test_which_status_is_an_end(run: Run, status: str, ends: bool) -> None:
    assert is_terminal(status) is ends
    assert read(status).ended is ends
    server = Server(read(status), read("completed", usage=USAGE))
    assert run(server).status == (status if ends else "completed")
    assert server.reads == (1 if ends else 2)


# ---- when it reads


def test_the_first_read_is_made_at_once_and_the_others_as_the_guides_do(run: Run) -> None:
    server = Server(*[read("in_progress")] * 8, read())
    run(server)
    assert server.delays[0] == 5.0
    assert server.delays == sorted(server.delays)
    assert server.delays[-1] == 10.0
    assert len(server.delays) == 8


def test_what_is_held_is_waited_for_first(run: Run) -> None:
    server = Server(read())
    assert run(server, read("queued")).status == "completed"
    assert server.delays == [5.0]


def test_nothing_is_read_of_what_has_ended(run: Run) -> None:
    held = read("requires_action", usage=USAGE)
    server = Server(AssertionError("not to be read"))
    assert run(server, held) is held
    assert (server.reads, server.delays) == (0, [])


@pytest.mark.parametrize("form", [bytes, bytearray, memoryview, None], ids=str)
def test_a_read_is_an_interaction_or_the_bytes_of_one(run: Run, form: Any) -> None:
    answer = read(usage=USAGE)
    server = Server(answer if form is None else form(encode(answer)))
    assert run(server) == answer


def test_delays_are_the_callers(run: Run) -> None:
    server = Server(*[read("in_progress")] * 3, read())
    run(server, delay=2.0, max_delay=2.0)
    assert server.delays == [2.0] * 3


def test_no_delay_at_all_ends_all_the_same(run: Run) -> None:
    server = Server(read("in_progress"), takes=1.0)
    with pytest.raises(PollTimeout):
        run(server, delay=0.0, max_delay=0.0, timeout=20)
    assert server.reads == 20


# ---- the limit


def test_the_last_read_is_made_when_the_time_is_over(run: Run) -> None:
    server = Server(read("in_progress", model="m"))
    with pytest.raises(PollTimeout, match="no end within 12 seconds") as caught:
        run(server, timeout=12.0)
    assert server.delays == [5.0, 6.0, 1.0]
    assert server.reads == 4
    assert caught.value.interaction == read("in_progress", model="m")


@pytest.mark.parametrize("timeout", [0.0, -1.0])
def test_no_time_is_one_read_or_none(run: Run, timeout: float) -> None:
    server = Server(read("in_progress"))
    with pytest.raises(PollTimeout):
        run(server, timeout=timeout)
    assert server.reads == 1
    with pytest.raises(PollTimeout) as caught:
        run(server, read("queued"), timeout=timeout)
    assert server.reads == 1
    assert caught.value.interaction == read("queued")
    assert run(Server(read()), timeout=timeout) == read()


def test_the_timeout_is_an_error_of_every_kind_that_it_is() -> None:
    raised = PollTimeout("no end", interaction=read("queued"))
    assert isinstance(raised, GemwireError)
    assert isinstance(raised, TimeoutError)
    for again in (pickle.loads(pickle.dumps(raised)), copy.copy(raised)):
        assert (str(again), again.interaction) == ("no end", read("queued"))


# ---- reads that fail

NOT_FOUND = ApiError("No such interaction.", code="not_found", http_status=404)
BUSY = ApiError("Later.", http_status=429, retry_after=30.0)


def test_failures_that_pass(run: Run) -> None:
    server = Server(NOT_FOUND, ConnectionResetError(), BUSY, read("queued"), NOT_FOUND, read())
    assert run(server).status == "completed"
    assert server.delays[2] == 30.0
    assert max(server.delays[:2] + server.delays[3:]) <= 10.0


def test_only_so_many_in_a_row(run: Run) -> None:
    server = Server(NOT_FOUND)
    with pytest.raises(ApiError) as caught:
        run(server)
    assert caught.value is NOT_FOUND
    assert server.reads == 5
    patient = Server(*[NOT_FOUND] * 7, read())
    assert run(patient, attempts=8).status == "completed"


def test_failures_count_against_the_time(run: Run) -> None:
    server = Server(BUSY)
    with pytest.raises(PollTimeout) as caught:
        run(server, timeout=40.0, attempts=100)
    assert server.delays == [30.0, 10.0]
    assert caught.value.interaction is None


@pytest.mark.parametrize(
    "raised",
    [
        ApiError("No.", code="permission_denied", http_status=403),
        KeyError("a mistake"),
        StopIteration("a mistake"),
        b'{"error":{"code":"invalid_request","message":"No."}}',
        b"<html>No.</html>",
        b"{}",
        b"[]",
        b"",
        b"[" * 100_000,
        "text",
        None,
    ],
    ids=lambda raised: repr(raised)[:30],
)
def test_what_no_later_read_mends(run: Run, raised: Any) -> None:
    server = Server(raised, read())
    with pytest.raises(Exception) as caught:  # noqa: PT011 - which one, is said below
        run(server)
    assert server.reads == 1
    if isinstance(raised, bytes):
        assert isinstance(caught.value, ApiError | DecodeError)
    elif not isinstance(raised, Exception):
        assert isinstance(caught.value, TypeError)


def test_the_caller_may_say_what_is_tried_again(run: Run) -> None:
    server = Server(KeyError("pool"), read())
    assert run(server, retry=lambda raised: isinstance(raised, KeyError)).status == "completed"
    with pytest.raises(ApiError):
        run(Server(NOT_FOUND, read()), retry=lambda raised: False)


def test_another_interaction_is_not_the_answer(run: Run) -> None:
    with pytest.raises(DecodeError, match="another interaction"):
        run(Server(read(id="v1_b")), read("in_progress"))


@pytest.mark.parametrize("stop_with", [KeyboardInterrupt, asyncio.CancelledError, GeneratorExit])
def test_an_interrupt_goes_through(stop_with: type[BaseException]) -> None:
    with pytest.raises(stop_with):
        run_sync(Server(stop_with()))


def test_it_can_be_cancelled() -> None:
    async def cancelled() -> None:
        task = asyncio.create_task(apoll(Server(read("in_progress")).afetch, delay=60))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(cancelled())


# ---- usage that comes late


@pytest.mark.parametrize("status", ["completed", "requires_action", "incomplete"])
def test_usage_that_comes_late(run: Run, status: str) -> None:
    server = Server(read(status), read(status, usage={}), read(status, usage=USAGE))
    held = read(status, steps=[said()])
    assert usage_owed(held)
    interaction = run(server, held, usage_timeout=60)
    assert interaction.usage == Usage(**USAGE)
    assert interaction.steps == held.steps
    assert server.reads == 3
    assert not usage_owed(interaction)


def test_usage_is_not_waited_for_unless_asked(run: Run) -> None:
    server = Server(read())
    held = read()
    assert run(server, held) is held
    assert server.reads == 0


@pytest.mark.parametrize(
    "worse",
    [read(), read("in_progress"), NOT_FOUND, ApiError("No.", http_status=403), read(id="v1_b")],
    ids=["without", "lagging", "gone", "refused", "another"],
)
def test_a_complete_answer_is_not_lost_for_its_usage(run: Run, worse: Any) -> None:
    held = read(steps=[said()])
    assert run(Server(worse), held, usage_timeout=20) == held
    assert run(Server(b"<html>"), held, usage_timeout=20) == held
    with pytest.raises(KeyError):
        run(Server(KeyError("a mistake")), held, usage_timeout=20)


def test_the_time_for_usage_begins_at_the_end(run: Run) -> None:
    server = Server(read("in_progress"), read(), takes=1.0)
    assert run(server, timeout=100, usage_timeout=8.0) == read()
    assert server.delays == [5.0, 6.0, 1.0]  # and one second for each read


OWED: Final = {
    "completed": True,
    "requires_action": True,
    "incomplete": True,
    "budget_exceeded": True,
    "requires_continuation": True,
    "a_status_of_2027": True,
    "failed": False,
    "cancelled": False,
    "in_progress": False,
    "queued": False,
}


@pytest.mark.parametrize(("status", "owed"), OWED.items(), ids=OWED)
def test_whether_usage_is_owed(status: str, owed: bool) -> None:
    assert usage_owed(read(status)) is owed
    assert usage_owed(read(status, usage={})) is owed
    assert not usage_owed(read(status, usage={"total_tokens": 0}))
    assert not usage_owed(read(status, id=""))
    report = InteractionStream([encode(read(status))]).until_done().report
    assert report.usage_owed is owed
    whole = InteractionStream([encode(read(status, usage=USAGE))]).until_done().report
    assert not whole.usage_owed


def streamed(*events: Payload) -> tuple[Interaction, StreamReport]:
    done = InteractionStream([stream(*events)]).until_done()
    return done.snapshot(), done.report


BEGUN: list[Payload] = [created(), start(0, "model_output"), text(0, "A mi")]
WHOLE: list[Payload] = [*BEGUN, text(0, "ll"), stop(0)]


@pytest.mark.parametrize(
    ("events", "owed"),
    [
        ([*WHOLE, completed()], True),
        ([*WHOLE, completed(usage=USAGE)], False),
        ([*WHOLE[:-1], stop(0, usage=USAGE), completed()], True),
        ([*WHOLE, update(usage=USAGE), completed()], True),
        ([*WHOLE, completed("failed")], False),
        (BEGUN, False),
        ([*BEGUN, error({"code": "unavailable", "message": "No."})], False),
        ([created(None), *WHOLE[1:], completed(identity="")], False),
        ([], False),
    ],
    ids=["none", "all", "of a step", "of an update", "failed", "cut", "error", "no id", "empty"],
)
def test_a_report_says_that_usage_is_owed(events: list[Payload], owed: bool) -> None:
    assert streamed(*events)[1].usage_owed is owed


# ---- what a later read adds


def test_a_later_read_brings_the_usage() -> None:
    interaction, report = streamed(*WHOLE, completed())
    later = read(steps=[QUESTION, said("Another.")], usage=USAGE, service_tier="standard")
    both = settled(interaction, later)
    assert both.usage == Usage(**USAGE)
    assert both.service_tier == "standard"
    assert both.steps == interaction.steps
    told = settled(report, later)
    assert (told.usage, told.usage_source, told.usage_owed) == (both.usage, "terminal", False)
    assert (told.outcome, told.event_count, told.byte_count) == (
        "completed",
        report.event_count,
        report.byte_count,
    )


def test_a_report_with_counts_that_are_not_final_takes_those_of_the_read() -> None:
    _, report = streamed(*WHOLE[:-1], stop(0, usage={"total_tokens": 4}), completed())
    assert report.usage_source == "step"
    told = settled(report, read(usage=USAGE))
    assert told.usage == Usage(**USAGE)
    assert not told.usage_owed


def test_counts_of_the_end_stand() -> None:
    interaction, report = streamed(*WHOLE, completed(usage=USAGE))
    later = read(usage={"total_tokens": 99})
    assert settled(interaction, later).usage == interaction.usage
    assert settled(report, later) == report


@pytest.mark.parametrize(
    "events",
    [BEGUN, [*BEGUN, error({"code": "unavailable", "message": "No."})]],
    ids=["cut", "error"],
)
def test_what_had_not_ended_is_replaced(events: list[Payload]) -> None:
    interaction, report = streamed(*events)
    later = read(steps=[QUESTION, said()], usage=USAGE)
    both = settled(interaction, later)
    assert (both.status, both.steps, both.model) == ("completed", later.steps, interaction.model)
    told = settled(report, later)
    assert (told.outcome, told.resume, told.usage_owed) == ("completed", None, False)


def test_a_body_that_waits_becomes_the_answer() -> None:
    held = InteractionStream([encode(read("in_progress"))]).until_done()
    assert held.report.unfinished
    told = settled(held.report, read("failed", errors=[{"code": "api_error", "message": "No."}]))
    assert (told.outcome, told.unfinished, told.resume) == ("failed", False, None)
    assert told.error is not None
    assert told.error.code == "api_error"


def test_a_read_that_lags_says_nothing_new() -> None:
    interaction, report = streamed(*WHOLE, completed())
    lagging = read("in_progress", usage={"total_tokens": 1})
    assert settled(interaction, lagging) is interaction
    assert settled(report, lagging) is report
    assert settled(report) is report
    assert settled(interaction) is interaction


def test_neither_has_ended() -> None:
    both = settled(read("queued", model="m"), read("in_progress"))
    assert (both.status, both.model) == ("in_progress", "m")


@pytest.mark.parametrize("kind", [0, 1], ids=["interaction", "report"])
def test_two_answers_are_never_one(kind: int) -> None:
    held: Any = streamed(*WHOLE, completed())[kind]
    with pytest.raises(DecodeError, match="another interaction"):
        settled(held, read(id="v1_b", usage=USAGE))
    assert settled(held, read(id="", usage=USAGE)).usage == Usage(**USAGE)


def test_hops_are_settled_together() -> None:
    first = [created("v1_a"), *WHOLE[1:], completed("requires_continuation", "v1_a")]
    first[-1]["interaction"]["continuation_token"] = "t"
    second = [created("v1_b"), *WHOLE[1:], completed(identity="v1_b")]
    interaction, report = streamed(*first, *second)
    assert report.interaction_ids == ["v1_a", "v1_b"]
    assert report.usage_owed
    reads = [read("requires_continuation", usage=USAGE), read(id="v1_b", usage=USAGE)]
    summed = join_continuations(reads).usage
    assert settled(report, *reads).usage == summed
    assert settled(interaction, *reads).usage == summed
    with pytest.raises(DecodeError):  # the last one alone has not all of it
        settled(report, reads[1])


def test_a_token_that_an_end_took_back_does_not_return() -> None:
    interaction, _ = streamed(*WHOLE, completed())
    both = settled(interaction, read(continuation_token="old", usage=USAGE))
    assert both.continuation_token is UNSET


# ---- with streams that are followed


def test_follow_then_usage() -> None:
    bodies = iter([encode(read("queued")), encode(read("in_progress")), encode(read())])
    waits: list[float] = []
    followed = follow(lambda point: next(bodies), delay=5, max_delay=10, sleep=waits.append)
    with followed as run:
        interaction, report = run.get_final_interaction(), run.report
    assert waits == [5.0, 10.0]
    assert report.usage_owed
    server = Server(read(), read(usage=USAGE))
    later = poll(
        server.fetch, interaction, usage_timeout=30, sleep=server.sleep, clock=server.clock
    )
    assert settled(report, later).usage == later.usage == Usage(**USAGE)


def test_the_example_reads_a_run_to_its_end(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    function: Any = poll
    monkeypatch.setitem(function.__kwdefaults__, "delay", 0.001)
    with ReplayServer("text-with-thoughts", polls=3) as server:
        monkeypatch.setenv("GEMINI_BASE_URL", server.url)
        runpy.run_path(str(EXAMPLE), run_name="__main__")
    answer = assemble(Recording.load("text-with-thoughts").stream)
    assert capsys.readouterr().out == f"{answer.output_text}\ncompleted, usage known\n"
