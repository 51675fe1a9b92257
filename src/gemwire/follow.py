"""Following an answer to its end: reopening a stream that was cut, for as long as that helps.

The transport stays with the caller, who gives a function that opens the response: first with None,
then with the `ResumePoint` to go on from.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Generator, Iterable
from typing import Any, Final, TypeAlias

from .assembler import Assembler
from .codec import Event, encode
from .core import MAX_EVENT_BYTES, Chunk, StreamCore
from .errors import ApiError, GemwireError
from .report import ResumePoint
from .stream import AsyncInteractionStream, InteractionStream

__all__ = ["AsyncFollowedStream", "FollowedStream", "afollow", "follow"]

Open: TypeAlias = Callable[[ResumePoint | None], Iterable[Chunk]]
AsyncOpen: TypeAlias = Callable[
    [ResumePoint | None], AsyncIterable[Chunk] | Awaitable[AsyncIterable[Chunk]]
]

MENDABLE_NUMBERS: Final = frozenset({408, 409, 429, *range(500, 600)})
MENDABLE_NAMES: Final = frozenset(
    {
        "aborted",
        "api_error",
        "deadline_exceeded",
        "gateway_timeout",
        "rate_limit_exceeded",
        "service_unavailable",
        "too_many_requests",
    }
)
"""Errors that another try may mend; with any other one, asking again is of no use."""


def follow(
    open_stream: Open,
    /,
    *,
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
        attempts: how many reopenings in a row may bring nothing new.
        delay, max_delay: seconds before a reopening; doubled with each one that brought nothing.
        sleep: waits that long; `time.sleep` if None.
        strict, max_event_bytes: as for `InteractionStream`.

    Returns:
        A stream with all that `InteractionStream` offers. Its events are those of all responses in
        turn; what a response repeats is yielded again and folded once.
    """
    if sleep is None:
        import time

        sleep = time.sleep
    plan = Plan(attempts, delay, max_delay, strict, max_event_bytes)
    return FollowedStream(open_stream, plan, sleep)


def afollow(
    open_stream: AsyncOpen,
    /,
    *,
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
    plan = Plan(attempts, delay, max_delay, strict, max_event_bytes)
    return AsyncFollowedStream(open_stream, plan, sleep)


class Plan:
    """What both kinds of followed streams decide: whether to go on, from where, and when."""

    def __init__(
        self, attempts: int, delay: float, max_delay: float, strict: bool, max_event_bytes: int
    ) -> None:
        self.assembler = Assembler()
        self._attempts = attempts
        self._delay = delay
        self._max_delay = max_delay
        self._strict = strict
        self._max_event_bytes = max_event_bytes
        self._furthest: tuple[int, int, int] = (0, 0, 0)
        self._vain = 0
        self._opened = False

    def core(self) -> StreamCore:
        """The core of the next response, which goes on with what is assembled."""
        resume = self.assembler if self._opened else None
        core = StreamCore(resume=resume, strict=self._strict, max_event_bytes=self._max_event_bytes)
        if not self._opened:
            self.assembler = core.assembler
        self._opened = True
        return core

    def failed(self, error: Exception) -> bool:
        """Whether an exception of the caller's function or iterable counts as a cut."""
        if isinstance(error, ApiError):
            return _mendable(error.code) or _mendable(error.http_status)
        return not isinstance(error, GemwireError)

    def next(self) -> tuple[ResumePoint | None, float] | None:
        """What to open next and after how many seconds; None if this is the end."""
        assembler = self.assembler
        report = assembler.report
        if report.outcome == "error":
            error = report.error
            if error is None or not (_mendable(error.code) or error.code is None):
                return None
        elif report.outcome != "truncated":
            return None
        point = assembler.resume_point()
        if point is None and report.events:
            return None  # it has no name; asking anew would be another answer
        steps = assembler.snapshot().steps or []
        reached = (len(assembler.hops), len(steps), len(encode(steps[-1])) if steps else 0)
        if reached > self._furthest:
            self._furthest = reached
            self._vain = 0
        if self._vain >= self._attempts:
            return None
        seconds = min(self._delay * 2**self._vain, self._max_delay)
        self._vain += 1
        return point, seconds


def _mendable(code: str | int | None) -> bool:
    return code in MENDABLE_NUMBERS or code in MENDABLE_NAMES


class FollowedStream(InteractionStream):
    """An answer over as many responses as it takes; see `follow`."""

    def __init__(self, open_stream: Open, plan: Plan, sleep: Callable[[float], object]) -> None:
        self._open = open_stream
        self._plan = plan
        self._sleep = sleep
        self._core = plan.core()
        self._chunks: Iterable[Chunk] = ()
        self._events = self._run()

    def _run(self) -> Generator[Event]:
        plan = self._plan
        point: ResumePoint | None = None
        while True:
            self._failure = None
            try:
                self._chunks = self._open(point)
                yield from super()._run()
            except Exception as error:
                if not plan.failed(error):
                    raise
                self._failed(error)
            finally:
                self._close_source()
            following = plan.next()
            if following is None:
                return
            point, seconds = following
            self._sleep(seconds)
            self._core = plan.core()


class AsyncFollowedStream(AsyncInteractionStream):
    """The async twin of `FollowedStream`; see `afollow`."""

    def __init__(
        self, open_stream: AsyncOpen, plan: Plan, sleep: Callable[[float], Awaitable[object]]
    ) -> None:
        self._open = open_stream
        self._plan = plan
        self._sleep = sleep
        self._core = plan.core()
        self._chunks: Any = None
        self._events = self._run()

    async def _run(self) -> AsyncGenerator[Event]:
        plan = self._plan
        point: ResumePoint | None = None
        while True:
            self._failure = None
            try:
                opened = self._open(point)
                self._chunks = await opened if inspect.isawaitable(opened) else opened
                async for event in super()._run():
                    yield event
            except Exception as error:
                if not plan.failed(error):
                    raise
                self._failed(error)
            finally:
                await self._close_source()
            following = plan.next()
            if following is None:
                return
            point, seconds = following
            await self._sleep(seconds)
            self._core = plan.core()
