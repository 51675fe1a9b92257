"""Each example streams an answer with its client, fails loudly, and closes what it opened."""

from __future__ import annotations

import contextlib
import gc
import runpy
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gemwire import ApiError, ServerError, TruncatedStream, afollow, assemble, follow
from gemwire.replay import Recording, ReplayServer

OTHERS = {"function_calling", "polling", "structured_output"}
"""Those that do not stream an answer; each is run by the tests of what it shows."""
EXAMPLES = sorted(
    path
    for path in (Path(__file__).parent.parent / "examples").glob("*.py")
    if path.stem not in OTHERS
)
PAIRS = [pytest.param(path, id=path.stem) for path in EXAMPLES]


def run(
    path: Path, base_url: str, monkeypatch: pytest.MonkeyPatch, **instead: Callable[..., None]
) -> None:
    monkeypatch.setenv("GEMINI_BASE_URL", base_url)
    monkeypatch.setenv("GEMINI_API_KEY", "no-key")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(sys, "argv", [str(path), "Why", "is", "that?"])
    functions: list[Any] = [follow, afollow]
    for function in functions:  # the tests need not wait
        monkeypatch.setitem(function.__kwdefaults__, "delay", 0.001)
    runpy.run_path(str(path), init_globals=instead, run_name="__main__")


def connections_to(server: ReplayServer) -> list[socket.socket]:
    """What is still open."""
    found: list[socket.socket] = []
    for thing in gc.get_objects():
        if isinstance(thing, socket.socket) and thing.family == socket.AF_INET:
            with contextlib.suppress(OSError):  # closed, or one that listens
                if thing.getpeername()[1] == server.port:
                    found.append(thing)
    return found


@pytest.fixture(scope="module")
def server() -> Iterator[ReplayServer]:
    with ReplayServer(chunk_size=333) as server:
        yield server


def test_there_is_one_for_each_client() -> None:
    assert [path.stem for path in EXAMPLES] == [
        "aiohttp_stream",
        "follow_aiohttp",
        "follow_httpx2",
        "httpx2_async",
        "httpx2_sync",
        "requests_stream",
        "telemetry",
        "urllib3_stream",
    ]


@pytest.mark.parametrize("path", PAIRS)
def test_it_streams(
    path: Path,
    server: ReplayServer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run(path, server.url, monkeypatch)
    answer = assemble(Recording.load("text-with-thoughts").stream)
    assert capsys.readouterr().out == f"{answer.output_text}\ncompleted, 2 steps\n"


@pytest.mark.parametrize("path", PAIRS)
def test_an_error_answer_is_an_error(
    path: Path, server: ReplayServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ApiError, match="There is nothing at") as caught:
        run(path, server.url + "/elsewhere/", monkeypatch)
    assert (caught.value.http_status, caught.value.code) == (404, "not_found")


@pytest.mark.parametrize("path", PAIRS)
@pytest.mark.parametrize(
    ("name", "error"), [("cut", TruncatedStream), ("error-event", ServerError)]
)
def test_a_failed_stream_is_an_error(
    path: Path, name: str, error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    with ReplayServer(name) as server, pytest.raises(error):
        run(path, server.url, monkeypatch)


@pytest.mark.parametrize("path", PAIRS)
def test_nothing_stays_open_when_the_reader_fails(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the middle of an answer, so that no client can keep the connection for later."""

    def broken_pipe(*_: object, **__: object) -> None:
        raise BrokenPipeError

    with ReplayServer(delay=0.01) as server:
        with pytest.raises(BrokenPipeError) as caught:
            run(path, server.url, monkeypatch, print=broken_pipe)
        assert connections_to(server) == []
    assert caught.traceback, "kept until here, so that nothing was closed by being forgotten"


def test_connections_are_found() -> None:
    """The test of the test."""
    with ReplayServer() as server:
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            assert connections_to(server) == [connection]
        assert connections_to(server) == []
