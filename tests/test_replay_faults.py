"""Faults over real sockets: what the server does on purpose, and what follow() makes of it."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import aiohttp
import httpx2
import pytest

from gemwire import (
    ApiError,
    Interaction,
    InteractionStream,
    ResumePoint,
    ServerError,
    StreamReport,
    TruncatedStream,
    afollow,
    assemble,
    follow,
)
from gemwire.operations import continue_interaction, create_interaction
from gemwire.replay import FAULT_HEADER, Fault, Recording, ReplayServer

BODY = {"model": "m", "input": "q", "stream": True}
FINISHED = ["text-with-thoughts", "function-calls", "search", "image", "audio"]


@pytest.fixture(autouse=True)
def _direct(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def size_of(name: str) -> int:
    return len(Recording.load(name).stream)


def right(name: str) -> Interaction:
    return assemble(Recording.load(name).stream)


def through_httpx2(
    server: ReplayServer, headers: dict[str, str] | None = None, **options: Any
) -> tuple[Interaction, StreamReport, int]:
    opened = 0
    closed = 0

    with httpx2.Client(timeout=5) as client:

        def open_stream(point: ResumePoint | None) -> Iterator[bytes]:
            nonlocal opened, closed
            opened += 1
            request = (
                create_interaction(BODY) if point is None else continue_interaction(BODY, point)
            )
            sent = {**request.headers, **(headers or {})}
            try:
                with client.stream(
                    request.method, request.url(server.url), headers=sent, content=request.body
                ) as response:
                    if response.status_code != 200:
                        request.decode_response(response.status_code, response.read())
                    yield from response.iter_bytes()
            finally:
                closed += 1

        with follow(open_stream, sleep=lambda _: None, **options) as stream:
            try:
                found = stream.get_final_interaction()
            finally:
                assert closed == opened
    return found, stream.report, opened


def through_aiohttp(
    server: ReplayServer, headers: dict[str, str] | None = None, **options: Any
) -> tuple[Interaction, StreamReport, int]:
    opened = 0
    closed = 0

    async def no_sleep(_: float) -> None: ...

    async def run() -> tuple[Interaction, StreamReport, int]:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(sock_read=5)) as session:

            async def open_stream(point: ResumePoint | None) -> AsyncIterator[bytes]:
                nonlocal opened, closed
                opened += 1
                request = (
                    create_interaction(BODY) if point is None else continue_interaction(BODY, point)
                )
                sent = {**request.headers, **(headers or {})}
                try:
                    async with session.request(
                        request.method, request.url(server.url), headers=sent, data=request.body
                    ) as response:
                        if response.status != 200:
                            request.decode_response(response.status, await response.read())
                        async for chunk in response.content.iter_any():
                            yield chunk
                finally:
                    closed += 1

            async with afollow(open_stream, sleep=no_sleep, **options) as stream:
                found = await stream.get_final_interaction()
            assert closed == opened
        return found, stream.report, opened

    return asyncio.run(run())


CLIENTS = {"httpx2": through_httpx2, "aiohttp": through_aiohttp}


@pytest.fixture(params=CLIENTS)
def through(request: pytest.FixtureRequest) -> Any:
    return CLIENTS[request.param]


# ---- five cuts in a row


@pytest.mark.parametrize("kind", ["cut", "end"])
@pytest.mark.parametrize("ids", ["", "ids=2", "ids=3 replay"])
@pytest.mark.parametrize("name", FINISHED)
def test_five_cuts_at_random_bytes(name: str, ids: str, kind: str, through: Any) -> None:
    rng = random.Random(f"{name} {ids} {kind}")
    faults = [f"{ids} {kind}={rng.randrange(size_of(name) - 400)}" for _ in range(5)]
    with ReplayServer(name, chunk_size=700, faults=[*faults, ids]) as server:
        found, report, opened = through(server, attempts=9)
    assert found == right(name)
    assert opened <= 6
    assert report.resume is None


@pytest.mark.parametrize("hops", [2, 3])
@pytest.mark.parametrize("name", FINISHED)
def test_hops(name: str, hops: int, through: Any) -> None:
    with ReplayServer(name, faults=f"hops={hops}") as server:
        found, report, opened = through(server)
    assert found == right(name)
    assert opened == hops
    assert report.interaction_ids[-1] == found.id
    assert len(report.interaction_ids) == hops


def test_hops_that_are_cut(through: Any) -> None:
    faults = ["hops=2 cut=900", "hops=2", "hops=2 cut=1200", "hops=2"]
    with ReplayServer(faults=faults) as server:
        found, _, opened = through(server)
    assert found == right("text-with-thoughts")
    assert opened == 4


def test_a_503_in_the_stream(through: Any) -> None:
    with ReplayServer(faults=["ids=2 error=2000", "ids=2 error=900", "ids=2"]) as server:
        found, report, opened = through(server)
    assert found == right("text-with-thoughts")
    assert report.error is not None
    assert (report.error.code, report.error.status) == (503, "UNAVAILABLE")
    assert (report.outcome, opened) == ("completed", 3)


def test_a_server_that_never_gets_further(through: Any) -> None:
    with ReplayServer(faults="end=3000") as server, pytest.raises(TruncatedStream) as caught:
        through(server, attempts=2)
    assert caught.value.interaction is not None
    assert caught.value.report.resume is not None


def test_what_is_gone_is_asked_for_within_a_limit() -> None:
    """An agent that cannot be resumed answers 404, and so does one that is only late."""
    with ReplayServer(faults=["end=2000"]) as server:
        asked: list[str] = []

        def open_stream(point: ResumePoint | None) -> Iterator[bytes]:
            request = (
                create_interaction(BODY) if point is None else continue_interaction(BODY, point)
            )
            if point is not None:
                httpx2.delete(server.url + request.path)
            asked.append(request.method)
            with httpx2.stream(
                request.method,
                request.url(server.url),
                headers=dict(request.headers),
                content=request.body,
            ) as response:
                if response.status_code != 200:
                    request.decode_response(response.status_code, response.read())
                yield from response.iter_bytes()

        with (
            follow(open_stream, attempts=2, sleep=lambda _: None) as stream,
            pytest.raises(ApiError, match="no interaction"),
        ):
            stream.get_final_interaction()
    assert asked == ["POST", "GET", "GET"]  # it may not be there yet
    assert stream.report.outcome == "truncated"
    assert stream.snapshot().steps


# ---- one fault at a time


def read(server: ReplayServer, fault: str, **query: str) -> tuple[bytes, Exception | None]:
    """The bytes that come, and what the client says at their end."""
    identity = Recording.load("text-with-thoughts").interaction_id
    data = b""
    try:
        with httpx2.stream(
            "GET",
            f"{server.url}/v1beta/interactions/{identity}",
            params={"stream": "true", **query},
            headers={FAULT_HEADER: fault},
            timeout=0.5,
        ) as response:
            assert response.status_code == 200
            for chunk in response.iter_bytes():
                data += chunk
    except httpx2.HTTPError as error:
        return data, error
    return data, None


@pytest.fixture(scope="module")
def server() -> Iterator[ReplayServer]:
    with ReplayServer("text-with-thoughts", chunk_size=100) as server:
        yield server


STREAM = Recording.load("text-with-thoughts").stream


@pytest.mark.parametrize("size", [0, 1, 99, 100, 101, 1234, len(STREAM), len(STREAM) + 1])
def test_where_it_strikes(server: ReplayServer, size: int) -> None:
    data, problem = read(server, f"cut={size}")
    assert data == STREAM[:size]
    assert (problem is None) is (size > len(STREAM))
    assert read(server, f"end={size}") == (STREAM[:size], None)


def test_stall(server: ReplayServer) -> None:
    data, problem = read(server, "stall=250")
    assert data == STREAM[:250]
    assert isinstance(problem, httpx2.ReadTimeout)


def test_stalled_connections_end_with_the_server() -> None:
    def ask() -> None:
        with pytest.raises(httpx2.HTTPError):
            httpx2.post(f"{url}/v1beta/interactions", json=BODY, timeout=5)

    with ReplayServer(faults="stall=250") as server:
        url = server.url
        thread = threading.Thread(target=ask)
        thread.start()
        threading.Event().wait(0.2)
    thread.join(5)
    assert not thread.is_alive()


def test_bare_503(server: ReplayServer) -> None:
    data, problem = read(server, "error=250")
    assert problem is None
    with pytest.raises(ServerError) as caught:
        InteractionStream(data).get_final_interaction()
    assert (caught.value.code, caught.value.status) == (503, "UNAVAILABLE")


def test_ids_and_replay(server: ReplayServer) -> None:
    whole, _ = read(server, "ids=2")
    assert whole.count(b'"event_id":"e') == 17
    rest, _ = read(server, "ids=2", last_event_id="e4")
    assert whole.endswith(rest)
    assert rest.count(b'"event_id":"e') == 14
    assert read(server, "ids=2 replay", last_event_id="e4") == (whole, None)


@pytest.mark.parametrize(
    "fault", ["cut", "cut=", "cut=-1", "cut=x", "cut=1 cut=2", "burn=1", "replay=1"]
)
def test_what_is_no_fault(server: ReplayServer, fault: str) -> None:
    with pytest.raises(ValueError, match="is no fault"):
        Fault.parse(fault)
    with pytest.raises(ValueError, match="is no fault"):
        ReplayServer(faults=fault)
    answer = httpx2.post(
        f"{server.url}/v1beta/interactions", json=BODY, headers={FAULT_HEADER: fault}
    )
    assert answer.status_code == 400
    assert "is no fault" in answer.json()["error"]["message"]


@pytest.mark.parametrize("token", ["x", "hop-0", "hop-2", "hop-"])
def test_a_token_that_leads_nowhere(server: ReplayServer, token: str) -> None:
    answer = httpx2.post(
        f"{server.url}/v1beta/interactions",
        json={**BODY, "continuation_token": token},
        headers={FAULT_HEADER: "hops=2"},
    )
    assert answer.status_code == 400


def test_the_header_goes_before_the_option() -> None:
    with ReplayServer(faults="end=100") as server:
        assert read(server, "")[0] == STREAM
