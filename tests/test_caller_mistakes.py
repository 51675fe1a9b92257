"""The caller's mistakes are raised at once, as what they are: no cuts, no reason to ask again."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from gemwire import (
    DONE,
    ApiError,
    AsyncInteractionStream,
    DecodeError,
    Interaction,
    InteractionStream,
    LimitExceeded,
    TruncatedStream,
    aassemble,
    afollow,
    aiter_events,
    assemble,
    follow,
    iter_events,
)
from gemwire.errors import DamagedStream
from gemwire.streams.follow import may_be_mended

from .streams import BEGUN, DATA, HTML, SENT, WHOLE, Broken
from .wire import by_frames, cut

Read = Callable[..., Any]

# ---- every way to read


async def _text(chunks: Any, **options: Any) -> None:
    stream = AsyncInteractionStream(chunks, **options)
    async for _ in stream.text_stream:
        pass


async def _events(chunks: Any, **options: Any) -> list[Any]:
    return [event async for event in aiter_events(chunks, **options)]


async def _final(chunks: Any, **options: Any) -> Any:
    return await AsyncInteractionStream(chunks, **options).get_final_interaction()


async def _followed(chunks: Any, **options: Any) -> Any:
    stream = afollow(lambda point: chunks, sleep=_never, **options)
    return await stream.get_final_interaction()


async def _never(seconds: float) -> None:
    raise AssertionError("it asked again")


def _not_again(seconds: float) -> None:
    raise AssertionError("it asked again")


SYNC: dict[str, Read] = {
    "final": lambda chunks, **o: InteractionStream(chunks, **o).get_final_interaction(),
    "events": lambda chunks, **o: list(InteractionStream(chunks, **o)),
    "text": lambda chunks, **o: list(InteractionStream(chunks, **o).text_stream),
    "assemble": assemble,
    "iter_events": lambda chunks, **o: list(iter_events(chunks, **o)),
    "follow": lambda chunks, **o: follow(
        lambda point: chunks, sleep=_not_again, **o
    ).get_final_interaction(),
}
ASYNC: dict[str, Read] = {
    "afinal": lambda chunks, **o: asyncio.run(_final(chunks, **o)),
    "atext": lambda chunks, **o: asyncio.run(_text(chunks, **o)),
    "aassemble": lambda chunks, **o: asyncio.run(aassemble(chunks, **o)),
    "aiter_events": lambda chunks, **o: asyncio.run(_events(chunks, **o)),
    "afollow": lambda chunks, **o: asyncio.run(_followed(chunks, **o)),
}
READS = {**SYNC, **ASYNC}


class Closing:
    """An iterable of either kind that gives what it is told, and knows whether it was closed."""

    def __init__(self, *chunks: Any) -> None:
        self.chunks = chunks
        self.closed = 0

    def __iter__(self) -> Iterator[Any]:
        for chunk in self.chunks:
            if isinstance(chunk, BaseException):
                raise chunk
            yield chunk

    async def __aiter__(self) -> AsyncIterator[Any]:
        for chunk in self:
            yield chunk

    def close(self) -> None:
        self.closed += 1


async def waiting() -> bytes:
    return b""


async def later() -> AsyncIterator[bytes]:
    yield DATA


class Response:
    """Like that of an HTTP library: to be asked for its bytes."""

    def iter_bytes(self) -> list[bytes]:
        return [DATA]


# ---- no source at all

NO_SOURCE: dict[str, tuple[Callable[[], Any], str]] = {
    "str": (lambda: "data: x\n\n", "not str: encode it"),
    "int": (lambda: 7, "iterable of bytes, not int"),
    "None": (lambda: None, "iterable of bytes, not NoneType"),
    "coroutine": (waiting, "not coroutine: await it first"),
    "response": (Response, r"not Response: give the bytes of the response: iter_bytes\(\)"),
    "function": (lambda: waiting, "not function: call it"),
}


@pytest.mark.parametrize("read", READS)
@pytest.mark.parametrize("name", NO_SOURCE)
def test_what_is_no_source(read: str, name: str) -> None:
    make, message = NO_SOURCE[name]
    if (name, read) == ("coroutine", "afollow"):
        return  # that one awaits it
    with pytest.raises(TypeError, match=message):
        READS[read](make())


@pytest.mark.parametrize("read", SYNC)
def test_an_async_iterable_in_a_sync_stream(read: str) -> None:
    with pytest.raises(TypeError, match="AsyncInteractionStream"):
        SYNC[read](later())


@pytest.mark.parametrize(
    "take", [InteractionStream, AsyncInteractionStream, iter_events, aiter_events]
)
def test_it_is_seen_at_the_call(take: Callable[[Any], Any]) -> None:
    with pytest.raises(TypeError, match="encode it"):
        take("text")


def test_a_future_is_no_iterable() -> None:
    async def main() -> None:
        future: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        for take in (assemble, AsyncInteractionStream):
            with pytest.raises(TypeError, match="await it first"):
                take(future)

    asyncio.run(main())


def test_open_stream_is_a_coroutine_in_follow() -> None:
    async def opened(point: Any) -> bytes:
        return DATA

    with pytest.raises(TypeError, match="afollow"):
        follow(opened).until_done()  # type: ignore[arg-type]
    assert asyncio.run(afollow(opened).get_final_interaction()) == WHOLE


# ---- a wrong chunk, an iterable that is misused

BAD_CHUNKS: dict[str, tuple[Any, str]] = {
    "str": ("data: x\n\n", "not str: read the response as bytes"),
    "empty str": ("", "not str"),
    "int": (7, "not int"),
    "None": (None, "not NoneType"),
    "list": ([b"data"], "not list"),
}


@pytest.mark.parametrize("read", READS)
@pytest.mark.parametrize("before", [(), (BEGUN,)], ids=["first", "later"])
@pytest.mark.parametrize("name", BAD_CHUNKS)
def test_a_chunk_that_is_no_bytes(read: str, name: str, before: tuple[bytes, ...]) -> None:
    chunk, message = BAD_CHUNKS[name]
    source = Closing(*before, chunk)
    with pytest.raises(TypeError, match=message):
        READS[read](source)
    assert source.closed == 1


MISTAKES = [NameError, TypeError, AttributeError, KeyError, IndexError, AssertionError, ValueError]
MISTAKES += [ZeroDivisionError, RuntimeError, NotImplementedError, ImportError, FileNotFoundError]


@pytest.mark.parametrize("read", READS)
@pytest.mark.parametrize("kind", MISTAKES)
def test_a_mistake_in_the_iterable(read: str, kind: type[Exception]) -> None:
    problem = kind("mine")
    for before in ((), (BEGUN,)):
        source = Closing(*before, problem)
        with pytest.raises(kind) as caught:
            READS[read](source)
        assert caught.value is problem
        assert source.closed == 1


@pytest.mark.parametrize("read", READS)
def test_a_closed_file(read: str) -> None:
    file = io.BytesIO(DATA)
    file.close()
    with pytest.raises(ValueError, match="closed file"):
        READS[read](file)


def test_it_stays_a_mistake_for_who_asks_again() -> None:
    stream = InteractionStream([BEGUN, "text"])  # type: ignore[list-item]
    for _ in range(2):
        with pytest.raises(TypeError):
            stream.get_final_interaction()
    assert stream.report.outcome == "truncated"
    assert stream.snapshot().output_text == "A "


# ---- what the async twins take


@pytest.mark.parametrize(
    "make",
    [
        lambda: DATA,
        lambda: bytearray(DATA),
        lambda: memoryview(DATA),
        lambda: cut(DATA, 50),
        lambda: iter(by_frames(DATA)),
        lambda: io.BytesIO(DATA),
        later,
    ],
)
def test_sources_of_the_async_twins(make: Callable[[], Any]) -> None:
    assert ASYNC["afinal"](make()) == WHOLE
    assert ASYNC["aassemble"](make()) == WHOLE
    assert ASYNC["afollow"](make()) == WHOLE
    assert ASYNC["aiter_events"](make()) == SENT


# ---- closing

ENDS: dict[str, tuple[tuple[Any, ...], dict[str, Any], type[BaseException] | None]] = {
    "done": ((DATA,), {}, None),
    "a limit": ((BEGUN, b"data: " + b"x" * 5000), {"max_event_bytes": 1000}, LimitExceeded),
    "strict": ((BEGUN, b"event: step.warp\ndata: {}\n\n"), {"strict": True}, DecodeError),
    "a bug": ((BEGUN, KeyError()), {}, KeyError),
    "an error of ours": ((BEGUN, ApiError("no", code=400)), {}, ApiError),
    "an interrupt": ((BEGUN, KeyboardInterrupt()), {}, KeyboardInterrupt),
}


@pytest.mark.parametrize("read", READS)
@pytest.mark.parametrize("name", ENDS)
def test_the_source_is_closed(read: str, name: str) -> None:
    chunks, options, raised = ENDS[name]
    source = Closing(*chunks)
    if raised is None:
        READS[read](source, **options)
    else:
        with pytest.raises(raised):
            READS[read](source, **options)
    assert source.closed == 1


@pytest.mark.parametrize("read", READS)
@pytest.mark.parametrize("name", ENDS)
def test_closing_hides_nothing(read: str, name: str) -> None:
    class Stuck(Closing):
        def close(self) -> None:
            raise OSError("cannot be closed")

    chunks, options, raised = ENDS[name]
    source = Stuck(*chunks)
    if raised is None:
        READS[read](source, **options)
    else:
        with pytest.raises(raised):
            READS[read](source, **options)


@pytest.mark.parametrize("read", READS)
def test_a_generator_is_closed(read: str) -> None:
    ended = []

    def chunks() -> Iterator[bytes]:
        try:
            yield BEGUN
            yield b"data: " + b"x" * 5000
        finally:
            ended.append(True)

    held = chunks()
    with pytest.raises(LimitExceeded):
        READS[read](held, max_event_bytes=1000)
    assert ended == [True]


def test_the_iterator_of_an_async_iterable_is_closed() -> None:
    ended = []

    class Body:
        async def __aiter__(self) -> AsyncIterator[bytes]:
            try:
                for chunk in by_frames(DATA):
                    yield chunk
            finally:
                ended.append(True)

    async def main() -> None:
        async with AsyncInteractionStream(Body()) as stream:
            await anext(stream)
            assert ended == []
        assert ended == [True]

    asyncio.run(main())


# ---- follow


def opened(problem: Any, **options: Any) -> tuple[int, BaseException]:
    """How often it was opened, and what was raised in the end."""
    points: list[Any] = []

    def open_stream(point: Any) -> bytes:
        points.append(point)
        if isinstance(problem, BaseException):
            raise problem
        return bytes(problem)

    with pytest.raises(Exception) as caught:  # noqa: PT011
        follow(open_stream, sleep=lambda _: None, **options).get_final_interaction()
    return len(points), caught.value


@pytest.mark.parametrize("kind", MISTAKES)
def test_a_mistake_in_open_stream(kind: type[Exception]) -> None:
    problem = kind("mine")
    assert opened(problem) == (1, problem)


def of_library(module: str, name: str, *bases: type[Exception]) -> Exception:
    """An exception such as this library raises."""
    problem: Exception = type(name, bases or (Exception,), {"__module__": module})("mine")
    return problem


def with_status(status: int, *, inside: bool = False) -> Exception:
    problem: Any = of_library("httpx2", "HTTPStatusError")
    if inside:
        problem.response = of_library("httpx2", "Response")
        problem.response.status_code = status
    else:
        problem.status = status
    return problem  # type: ignore[no-any-return]


TABLE: list[tuple[Exception, bool]] = [
    (OSError(), True),
    (ConnectionResetError(), True),
    (TimeoutError(), True),
    (EOFError(), True),
    (asyncio.IncompleteReadError(b"", 1), True),
    (Broken(), True),
    (of_library("httpx2", "ReadError"), True),
    (of_library("aiohttp.client_exceptions", "ClientPayloadError"), True),
    (of_library("requests.exceptions", "ChunkedEncodingError", OSError), True),
    (of_library("httpx2", "StreamConsumed", RuntimeError), False),
    (of_library("httpx2", "InvalidURL"), False),
    (of_library("requests.exceptions", "MissingSchema", OSError, ValueError), False),
    (of_library("h11._util", "LocalProtocolError"), False),
    (of_library("elsewhere", "InvalidURL"), True),
    (with_status(503), True),
    (with_status(429, inside=True), True),
    (with_status(401), False),
    (with_status(400, inside=True), False),
    (ApiError("", http_status=503), True),
    (ApiError("", code="too_many_requests"), True),
    (ApiError("", http_status=404), False),
    (ApiError("", code="invalid_request", http_status=400), False),
    (LimitExceeded("", offset=0, limit=1, size=2), False),
    *((kind("mine"), False) for kind in MISTAKES),
]


@pytest.mark.parametrize(("problem", "again"), TABLE, ids=lambda value: repr(value)[:40])
def test_the_table(problem: Exception, again: bool) -> None:
    assert may_be_mended(problem) is again
    assert opened(problem, attempts=2)[0] == (3 if again else 1)


def test_retry_of_ones_own() -> None:
    seen: list[Exception] = []

    def retry(error: Exception) -> bool:
        seen.append(error)
        return isinstance(error, KeyError)

    problem = KeyError("mine")
    assert opened(problem, attempts=2, retry=retry) == (3, problem)
    assert seen == [problem] * 3
    assert opened(OSError(), retry=retry)[0] == 1
    assert opened(ApiError("", http_status=503), retry=retry)[0] == 1
    assert opened(LimitExceeded("", offset=0, limit=1, size=2), retry=retry)[0] == 1
    assert len(seen) == 5, "our own are not asked about"


def test_retry_of_ones_own_for_an_iterable() -> None:
    assert opened(b"", attempts=0)[0] == 1
    sources = [Closing(BEGUN, KeyError()), Closing(DATA)]
    stream = follow(lambda _: sources.pop(0), sleep=lambda _: None, retry=lambda _: True)
    assert stream.get_final_interaction() == WHOLE


@pytest.mark.parametrize("page", [HTML, b"<html>502 Bad Gateway</html>", b"upstream timed out\n"])
def test_a_page_is_not_asked_for_again(page: bytes) -> None:
    count, problem = opened(page)
    assert count == 1
    assert isinstance(problem, TruncatedStream)
    assert page.startswith(problem.report.stray[:6])


@pytest.mark.parametrize("data", [b"", b"\n", b": ping\n\n", b"even", b"event: interaction.cre"])
def test_a_cut_before_the_first_event_is_asked_for_again(data: bytes) -> None:
    assert opened(data, attempts=2)[0] == 3


CUT_PAGES: list[tuple[bytes, int]] = [(HTML, 1), (b'{"id": "v1_a", "status": "comp', 3)]


@pytest.mark.parametrize(("data", "count"), CUT_PAGES)
def test_a_page_or_a_body_that_is_cut(data: bytes, count: int) -> None:
    opens: list[Any] = []

    def open_stream(point: Any) -> Closing:
        opens.append(point)
        return Closing(data, ConnectionResetError())

    with pytest.raises(ConnectionResetError):
        follow(open_stream, sleep=lambda _: None, attempts=2).until_done()
    assert opens == [None] * count


# ---- what every way takes

LAST_EVENTS: list[tuple[bytes, dict[str, Any], type[Exception] | None]] = [
    (b'event: step.warp\ndata: {"event_type":"step.warp"}\n', {"strict": True}, DecodeError),
    (b'event: step.warp\ndata: {"event_type":"step.warp"}\n', {}, None),
    (b"data: [DONE] \n", {"strict": True}, None),
    (b"data:  [DONE]\n\n", {"strict": True}, None),
    (b"data: [DONE]\t\n\n", {}, None),
]


@pytest.mark.parametrize("read", READS)
@pytest.mark.parametrize(("data", "options", "raised"), LAST_EVENTS)
def test_the_last_event(
    read: str, data: bytes, options: dict[str, Any], raised: type[Exception] | None
) -> None:
    data = DATA.removesuffix(DONE) + data
    if raised is None:
        found = READS[read](data, **options)
        if "events" in read and b"DONE" in data:
            assert found == SENT
    else:
        with pytest.raises(raised):
            READS[read](data, **options)


async def _text_of(**options: Any) -> str:
    return await AsyncInteractionStream(DAMAGED).get_final_text(**options)


async def _final_of(**options: Any) -> Interaction:
    return await AsyncInteractionStream(DAMAGED).get_final_interaction(**options)


DAMAGED = DATA.replace(b'"mill', b"mill")
KEEPING: dict[str, Read] = {
    "assemble": lambda **o: assemble(DAMAGED, **o).full_text,
    "final": lambda **o: InteractionStream(DAMAGED).get_final_interaction(**o).full_text,
    "text": lambda **o: InteractionStream(DAMAGED).get_final_text(**o),
    "follow": lambda **o: follow(lambda _: DAMAGED).get_final_text(**o),
    "aassemble": lambda **o: asyncio.run(aassemble(DAMAGED, **o)).full_text,
    "afinal": lambda **o: asyncio.run(_final_of(**o)).full_text,
    "atext": lambda **o: asyncio.run(_text_of(**o)),
}


@pytest.mark.parametrize("read", KEEPING)
def test_what_is_done_with_a_damaged_answer(read: str) -> None:
    for options in ({}, {"damaged": "raise"}):
        with pytest.raises(DamagedStream):
            KEEPING[read](**options)
    assert KEEPING[read](damaged="keep") == "A by the sea"
