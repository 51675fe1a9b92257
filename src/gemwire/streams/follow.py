"""Following an answer to its end: reopening a stream that was cut, for as long as that helps.

The transport stays with the caller, who gives a function that opens the response: first with None,
then with the `ResumePoint` to go on from.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Generator, Iterable
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, TypeAlias

from ..assembler import Assembler
from ..assembly.report import ResumePoint
from ..codec.encode import encode
from ..errors import ApiError, GemwireError
from ..wire.error_body import is_mendable
from .async_stream import AsyncInteractionStream
from .body import Chunk
from .parser import MAX_EVENT_BYTES, InteractionParser
from .stream import InteractionStream, end_of_bytes

if TYPE_CHECKING:
    from ..wire.events import Event

__all__ = ["AsyncFollowedStream", "FollowedStream", "afollow", "follow"]

Open: TypeAlias = Callable[[ResumePoint | None], Iterable[Chunk]]
AsyncOpen: TypeAlias = Callable[
    [ResumePoint | None], AsyncIterable[Chunk] | Awaitable[AsyncIterable[Chunk]]
]


def follow(
    open_stream: Open,
    /,
    *,
    resume: Assembler | bytes | None = None,
    attempts: int = 3,
    delay: float = 0.5,
    max_delay: float = 8.0,
    sleep: Callable[[float], object] | None = None,
    strict: bool = False,
    max_event_bytes: int = MAX_EVENT_BYTES,
) -> FollowedStream:
    """Follow an answer to its end, over as many responses as that takes.

        def open_stream(point):
            response = client.send(request_for(point), stream=True)
            return response.iter_bytes()

        with follow(open_stream) as stream:
            for event in stream: ...
        interaction = stream.get_final_interaction()

    Args:
        open_stream: opens the response to `None` (the first request) or a `ResumePoint`, and gives
            its bytes. What it returns is closed, if it has a `close()`, on every path. An exception
            counts as a cut, but for an `ApiError` that another try cannot mend: that goes through.
        resume: what an earlier stream of the same answer assembled, or a checkpoint of it, after a
            crash for instance: the first response opened is then the one to its `report.resume`.
            Nothing is opened for an answer that is complete.
        attempts: how many reopenings in a row may bring nothing new. After the last one the
            exception of the transport goes through, if there was one.
        delay, max_delay: seconds before a reopening; doubled with each one that brought nothing.
            An `ApiError` with `retry_after` asks for as much at least. The next hop of an answer
            (`requires_continuation`) is opened at once.
        sleep: waits that long; `time.sleep` if None.
        strict, max_event_bytes: as for `InteractionStream`.

    Returns:
        A stream with all that `InteractionStream` offers. Its events are those of all responses in
        turn; what a response repeats is yielded again and folded once.
    """
    if sleep is None:
        import time

        sleep = time.sleep
    plan = Plan(resume, attempts, delay, max_delay, strict, max_event_bytes)
    return FollowedStream(open_stream, plan, sleep)


def afollow(
    open_stream: AsyncOpen,
    /,
    *,
    resume: Assembler | bytes | None = None,
    attempts: int = 3,
    delay: float = 0.5,
    max_delay: float = 8.0,
    sleep: Callable[[float], Awaitable[object]] | None = None,
    strict: bool = False,
    max_event_bytes: int = MAX_EVENT_BYTES,
) -> AsyncFollowedStream:
    """The async twin of `follow`; `open_stream` may be a coroutine, `sleep` is `asyncio.sleep`."""
    if sleep is None:
        import asyncio

        sleep = asyncio.sleep
    plan = Plan(resume, attempts, delay, max_delay, strict, max_event_bytes)
    return AsyncFollowedStream(open_stream, plan, sleep)


class Plan:
    """What both kinds of followed streams decide: whether to go on, from where, and when."""

    def __init__(
        self,
        resume: Assembler | bytes | None,
        attempts: int,
        delay: float,
        max_delay: float,
        strict: bool,
        max_event_bytes: int,
    ) -> None:
        self._attempts = attempts
        self._delay = delay
        self._max_delay = max_delay
        self._strict = strict
        self._max_event_bytes = max_event_bytes
        if isinstance(resume, bytes | bytearray | memoryview):
            resume = Assembler.restore(bytes(resume))
        self._assembler = resume
        self._first: ResumePoint | None = None
        self.wanted = True  # whether anything is to be opened at all
        if resume is not None:
            report = resume.report
            self._first = report.resume
            self.wanted = self._first is not None or (
                not resume.snapshot().steps and not report.interaction_ids
            )
        self._furthest: tuple[int, int, int] = (0, 0, 0)
        self._vain = 0
        self._asked_with: str | None = None  # the token of the hop at hand

    def parser(self) -> InteractionParser:
        """The parser of the next response, which goes on with what is assembled; of nothing more,
        if nothing is to be opened.
        """
        if self._assembler is not None and not self.wanted:
            return InteractionParser.restore(self._assembler.checkpoint())
        parser = InteractionParser(
            resume=self._assembler, strict=self._strict, max_event_bytes=self._max_event_bytes
        )
        self._assembler = parser.assembler
        return parser

    def first(self) -> ResumePoint | None:
        """What to open first."""
        self._asked_with = None if self._first is None else self._first.continuation_token
        return self._first

    def next(self, failure: Exception | None) -> tuple[ResumePoint | None, float] | None:
        """What to open next and after how many seconds; None if this is the end."""
        assembler = self._assembler
        assert assembler is not None
        report = assembler.report
        if failure is not None and not _worth_another_try(failure):
            return None
        point = report.resume
        if report.outcome == "requires_continuation":
            if point is None or point.continuation_token == self._asked_with:
                return None  # it does not get on
            self._vain = 0
            self._asked_with = point.continuation_token
            return point, 0.0
        if report.outcome == "error":
            if report.error is None or not report.error.is_mendable:
                return None
        elif report.outcome != "truncated":
            return None
        steps = assembler.snapshot().steps or []
        if point is None and steps:
            return None  # it has no name; asking anew would be another answer
        reached = (len(report.interaction_ids), len(steps), len(encode(steps[-1])) if steps else 0)
        if reached > self._furthest:
            self._furthest = reached
            self._vain = 0
        if self._vain >= self._attempts:
            return None
        seconds = min(self._delay * 2**self._vain, self._max_delay)
        self._vain += 1
        if isinstance(failure, ApiError) and failure.retry_after is not None:
            seconds = max(seconds, failure.retry_after)
        self._asked_with = None if point is None else point.continuation_token
        return point, seconds


def _worth_another_try(error: Exception) -> bool:
    """Whether an exception of the caller's function or iterable counts as a cut."""
    if isinstance(error, ApiError):
        return is_mendable(error.code) or is_mendable(error.http_status)
    return not isinstance(error, GemwireError)


class FollowedStream(InteractionStream):
    """An answer over as many responses as it takes; see `follow`."""

    def __init__(self, open_stream: Open, plan: Plan, sleep: Callable[[float], object]) -> None:
        self._open = open_stream
        self._plan = plan
        self._sleep = sleep
        self._parser = plan.parser()
        self._failure = None
        self._chunks: Iterable[Chunk] = ()
        self._events = self._run()

    def _opened(self, point: ResumePoint | None) -> Iterable[Chunk]:
        try:
            return self._open(point)
        except Exception as error:
            self._failure = end_of_bytes(self._parser, error)
            raise

    def _run(self) -> Generator[Event]:
        point = self._plan.first()
        while self._plan.wanted:
            failure: Exception | None = None
            try:
                self._chunks = self._opened(point)
                yield from super()._run()
            except Exception as error:
                failure = error
            finally:
                self._close_source()
                self._chunks = ()
            following = self._plan.next(failure)
            if following is None:
                if failure is not None:
                    raise failure
                return
            point, seconds = following
            if seconds:
                self._sleep(seconds)
            self._failure = None
            self._parser = self._plan.parser()


class AsyncFollowedStream(AsyncInteractionStream):
    """The async twin of `FollowedStream`; see `afollow`."""

    def __init__(
        self, open_stream: AsyncOpen, plan: Plan, sleep: Callable[[float], Awaitable[object]]
    ) -> None:
        self._open = open_stream
        self._plan = plan
        self._sleep = sleep
        self._parser = plan.parser()
        self._failure = None
        self._chunks: Any = None
        self._events = self._run()

    async def _opened(self, point: ResumePoint | None) -> AsyncIterable[Chunk]:
        try:
            opened = self._open(point)
            return await opened if inspect.isawaitable(opened) else opened
        except Exception as error:
            self._failure = end_of_bytes(self._parser, error)
            raise

    async def _run(self) -> AsyncGenerator[Event]:
        point = self._plan.first()
        while self._plan.wanted:
            failure: Exception | None = None
            try:
                self._chunks = await self._opened(point)
                async with aclosing(super()._run()) as events:
                    async for event in events:
                        yield event
            except Exception as error:
                failure = error
            finally:
                await self._close_source()
                self._chunks = None
            following = self._plan.next(failure)
            if following is None:
                if failure is not None:
                    raise failure
                return
            point, seconds = following
            if seconds:
                await self._sleep(seconds)
            self._failure = None
            self._parser = self._plan.parser()
