"""Following an answer to its end: reopening a stream that was cut, for as long as that helps.

The transport stays with the caller, who gives a function that opens the response: first with None,
then with the `ResumePoint` to go on from.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Generator, Iterable
from contextlib import aclosing
from typing import TYPE_CHECKING, Final, TypeAlias

from ..assembler import Assembler
from ..assembly.report import ResumePoint, StreamReport
from ..codec.encode import encode
from ..errors import ApiError, GemwireError
from ..models.views import UNFINISHED
from ..wire.error_body import ErrorInfo, is_mendable
from .async_stream import AsyncInteractionStream
from .body import Chunk
from .parser import MAX_EVENT_BYTES, InteractionParser
from .source import AsyncSource, Source, is_mistake
from .stream import InteractionStream, end_of_bytes

if TYPE_CHECKING:
    from ..wire.events import Event

__all__ = [
    "HTTP_LIBRARIES",
    "USAGE_ERRORS",
    "AsyncFollowedStream",
    "FollowedStream",
    "afollow",
    "follow",
    "may_be_mended",
]

Open: TypeAlias = Callable[[ResumePoint | None], Iterable[Chunk] | Chunk]
AsyncChunks: TypeAlias = AsyncIterable[Chunk] | Iterable[Chunk] | Chunk
AsyncOpen: TypeAlias = Callable[[ResumePoint | None], AsyncChunks | Awaitable[AsyncChunks]]
Retry: TypeAlias = Callable[[Exception], bool]

# ---- which exceptions another try may mend

HTTP_LIBRARIES: Final = frozenset(
    {
        *("aiohttp", "anyio", "botocore", "h11", "h2", "httpcore", "httpcore2", "httpx", "httpx2"),
        *("requests", "urllib3"),
    }
)
"""Modules whose exceptions are those of a transport, but for their `USAGE_ERRORS`."""

USAGE_ERRORS: Final = frozenset(
    {
        *("ClosedPoolError", "ClosedResourceError", "CookieConflict", "InvalidHeader"),
        *("InvalidURL", "LocalProtocolError", "LocationValueError", "NonHttpUrlClientError"),
        *("NoCredentialsError", "ParamValidationError", "TooManyRedirects"),
        *("UnrewindableBodyError", "UnsupportedProtocol", "URLRequired"),
    }
)
"""Classes in `HTTP_LIBRARIES`, by name, that say that the request itself is wrong."""

WAITING: Final = UNFINISHED
"""The outcomes of a body that says that its interaction goes on."""

_STATUS_MEMBERS: Final = ("status_code", "status", "code")
_NOT_FOUND: Final = frozenset({404, "not_found", "NOT_FOUND"})


def may_be_mended(error: Exception) -> bool:
    """Whether `follow` asks again after an exception of the caller's function or iterable, if it is
    not given a `retry`.

    | exception | asks again |
    |---|---|
    | `ApiError` | code or HTTP status 408, 409, 429, 5xx, or a name of such |
    | any other one of gemwire | no |
    | one with an HTTP status of 400 and more, or whose `response` has one | as for `ApiError` |
    | `source.MISTAKES`: TypeError, NameError, ValueError, … | no |
    | `USAGE_ERRORS` of `HTTP_LIBRARIES` | no |
    | OSError, EOFError, the rest of `HTTP_LIBRARIES`, what is not known | yes |
    """
    if isinstance(error, ApiError):
        return is_mendable(error.code) or is_mendable(error.http_status)
    if isinstance(error, GemwireError):
        return False
    status = _http_status(error)
    if status is not None:
        return is_mendable(status)
    return not is_mistake(error) and not _is_usage_error(error)


def _http_status(error: Exception) -> int | None:
    """The HTTP status that an exception of any library tells, if it is one of an error."""
    for holder in (error, getattr(error, "response", None)):
        for name in _STATUS_MEMBERS:
            status = getattr(holder, name, None)
            if isinstance(status, int) and 400 <= status < 600:
                return status
    return None


def _is_usage_error(error: Exception) -> bool:
    return any(
        cls.__name__ in USAGE_ERRORS and cls.__module__.partition(".")[0] in HTTP_LIBRARIES
        for cls in type(error).__mro__
    )


def _is_not_found(error: Exception | ErrorInfo | None) -> bool:
    """Whether there is no such interaction, or not yet."""
    if isinstance(error, ApiError):
        return not _NOT_FOUND.isdisjoint({error.http_status, error.code, error.status})
    if isinstance(error, ErrorInfo):
        return not _NOT_FOUND.isdisjoint({error.code, error.status})
    return error is not None and _http_status(error) == 404


# ---- what a caller uses


def follow(
    open_stream: Open,
    /,
    *,
    resume: Assembler | bytes | None = None,
    attempts: int = 3,
    delay: float = 0.5,
    max_delay: float = 8.0,
    retry: Retry | None = None,
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
            its bytes. What it returns is closed, if it has a `close()`, on every path.
        resume: what an earlier stream of the same answer assembled, or a checkpoint of it, after a
            crash for instance: the first response opened is then the one to its `report.resume`.
            Nothing is opened for an answer that is complete.
        attempts: how many reopenings in a row may bring nothing new. After the last one the
            exception of the transport goes through, if there was one. A body that says that the run
            goes on (`in_progress`, `queued`) is something new: it is asked for until it has ended.
        delay, max_delay: seconds before a reopening; doubled with each one that brought nothing.
            An error with `retry_after` asks for as much at least. The next hop of an answer
            (`requires_continuation`) is opened at once.
        retry: says whether an exception of `open_stream`, or of the iterable, counts as a cut,
            after which it is asked again; any other one goes through at once. None is the table of
            `may_be_mended`: mistakes in a program never count, nor does an HTTP status that another
            try cannot mend; but a 404 for an interaction whose id is known does, since a run may be
            there a moment later. It is not asked about LimitExceeded and DecodeError.
        sleep: waits that long; `time.sleep` if None.
        strict, max_event_bytes: as for `InteractionStream`.

    Returns:
        A stream with all that `InteractionStream` offers. Its events are those of all responses in
        turn; what a response repeats is yielded again and folded once.
    """
    if sleep is None:
        import time

        sleep = time.sleep
    plan = Plan(resume, attempts, delay, max_delay, retry, strict, max_event_bytes)
    return FollowedStream(open_stream, plan, sleep)


def afollow(
    open_stream: AsyncOpen,
    /,
    *,
    resume: Assembler | bytes | None = None,
    attempts: int = 3,
    delay: float = 0.5,
    max_delay: float = 8.0,
    retry: Retry | None = None,
    sleep: Callable[[float], Awaitable[object]] | None = None,
    strict: bool = False,
    max_event_bytes: int = MAX_EVENT_BYTES,
) -> AsyncFollowedStream:
    """The async twin of `follow`; `open_stream` may be a coroutine, `sleep` is `asyncio.sleep`.

    What it opens may be whatever `AsyncInteractionStream` takes. `retry` is no coroutine.
    """
    if sleep is None:
        import asyncio

        sleep = asyncio.sleep
    plan = Plan(resume, attempts, delay, max_delay, retry, strict, max_event_bytes)
    return AsyncFollowedStream(open_stream, plan, sleep)


class Plan:
    """What both kinds of followed streams decide: whether to go on, from where, and when."""

    def __init__(
        self,
        resume: Assembler | bytes | None,
        attempts: int,
        delay: float,
        max_delay: float,
        retry: Retry | None,
        strict: bool,
        max_event_bytes: int,
    ) -> None:
        self._attempts = attempts
        self._delay = delay
        self._max_delay = max_delay
        self._retry = retry
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
        self._vain = 0  # reopenings in a row that brought nothing
        self._polls = 0  # responses in a row that said that it is not finished yet
        self._asked: ResumePoint | None = None  # what the response at hand was opened with
        self._before = 0  # bytes of the responses before it

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
        self._before = parser.report.byte_count
        return parser

    def first(self) -> ResumePoint | None:
        """What to open first."""
        self._asked = self._first
        return self._first

    def next(self, failure: Exception | None) -> tuple[ResumePoint | None, float] | None:
        """What to open next and after how many seconds; None if this is the end."""
        assert self._assembler is not None
        report = self._assembler.report
        if failure is not None and not self._counts_as_cut(failure):
            return None
        point = report.resume
        said = failure is None and report.byte_count > self._before and not report.stray
        if point is not None and report.outcome == "requires_continuation":
            if self._asked is None or point.continuation_token != self._asked.continuation_token:
                self._vain = 0
                return self._ask(point, 0.0)
            if said:
                return None  # it does not get on
        if point is not None and report.outcome in WAITING and said:
            self._vain = 0
            self._polls += 1
            return self._ask(point, self._backoff(self._polls - 1))
        self._polls = 0
        if report.outcome == "error" and self._was_not_found(report.error):
            point = self._asked
        elif not self._can_go_on(report, failure):
            return None
        self._note_progress(report)
        if self._vain >= self._attempts:
            return None
        seconds = max(self._backoff(self._vain), _wanted(failure, report))
        self._vain += 1
        return self._ask(point, seconds)

    def _ask(self, point: ResumePoint | None, seconds: float) -> tuple[ResumePoint | None, float]:
        self._asked = point
        return point, seconds

    def _backoff(self, times: int) -> float:
        return float(min(self._delay * 2 ** min(times, 60), self._max_delay))

    def _counts_as_cut(self, failure: Exception) -> bool:
        if isinstance(failure, GemwireError) and not isinstance(failure, ApiError):
            return False
        if self._retry is not None:
            return self._retry(failure)
        return may_be_mended(failure) or self._was_not_found(failure)

    def _was_not_found(self, error: Exception | ErrorInfo | None) -> bool:
        """Whether an interaction that there is was asked for too early."""
        return self._asked is not None and _is_not_found(error)

    def _can_go_on(self, report: StreamReport, failure: Exception | None) -> bool:
        """Whether there is a way to go on after a cut, or after an error that may pass."""
        if report.outcome == "error":
            if report.error is None or not report.error.is_mendable:
                return False
        elif report.outcome != "truncated":  # it was a response before this one that said so
            return report.resume is not None and (
                report.outcome in WAITING or report.outcome == "requires_continuation"
            )
        if report.resume is not None:
            return True
        assert self._assembler is not None
        if self._assembler.snapshot().steps:
            return False  # it has no name; asking anew would be another answer
        return not _is_page(report, failure)

    def _note_progress(self, report: StreamReport) -> None:
        assert self._assembler is not None
        steps = self._assembler.snapshot().steps or []
        reached = (len(report.interaction_ids), len(steps), len(encode(steps[-1])) if steps else 0)
        if reached > self._furthest:
            self._furthest = reached
            self._vain = 0


def _is_page(report: StreamReport, failure: Exception | None) -> bool:
    """Whether all that came is text that is no event stream, and would come again: the page of a
    proxy. A JSON body whose transport broke is none.
    """
    if report.event_count or not any(issue.kind == "stray" for issue in report.issues):
        return False
    return failure is None or report.stray.lstrip()[:1] not in (b"{", b"[")


def _wanted(failure: Exception | None, report: StreamReport) -> float:
    """How long the server asks to wait."""
    error = report.error if failure is None and report.outcome == "error" else failure
    return (error.retry_after or 0.0) if isinstance(error, ApiError | ErrorInfo) else 0.0


class FollowedStream(InteractionStream):
    """An answer over as many responses as it takes; see `follow`."""

    def __init__(self, open_stream: Open, plan: Plan, sleep: Callable[[float], object]) -> None:
        self._open = open_stream
        self._plan = plan
        self._sleep = sleep
        self._parser = plan.parser()
        self._failure = None
        self._source = Source(())
        self._events = self._run()

    def _opened(self, point: ResumePoint | None) -> Source:
        try:
            return Source(self._open(point))
        except Exception as error:
            self._failure = end_of_bytes(self._parser, error)
            raise

    def _run(self) -> Generator[Event, bool | None]:
        point = self._plan.first()
        while self._plan.wanted:
            failure: Exception | None = None
            try:
                self._source = self._opened(point)
                yield from super()._run()
            except Exception as error:
                failure = error
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
        self._source = AsyncSource(())
        self._events = self._run()

    async def _opened(self, point: ResumePoint | None) -> AsyncSource:
        try:
            opened = self._open(point)
            return AsyncSource(await opened if inspect.isawaitable(opened) else opened)
        except Exception as error:
            self._failure = end_of_bytes(self._parser, error)
            raise

    async def _run(self) -> AsyncGenerator[Event]:
        point = self._plan.first()
        while self._plan.wanted:
            failure: Exception | None = None
            try:
                self._source = await self._opened(point)
                async with aclosing(super()._run()) as events:
                    async for event in events:
                        yield event
            except Exception as error:
                failure = error
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
