"""The replay server, over real sockets."""

from __future__ import annotations

import asyncio
import gc
import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from gemwire.replay import (
    BUNDLED,
    RECORDING_HEADER,
    Playback,
    Recording,
    ReplayServer,
    UnknownRecording,
)
from gemwire.replay.http import MAX_BODY_BYTES, MAX_HEAD_BYTES

from .replaying import client_of, error_of, exchange, python

STREAM = {"model": "gemini-3.6-flash", "input": "Why is the night dark?", "stream": True}
ASK = {**STREAM, "stream": False}
PATH = "/v1beta/interactions"

TEXT = Recording.load("text-with-thoughts")


@pytest.fixture(scope="module")
def server() -> Iterator[ReplayServer]:
    with ReplayServer() as server:
        yield server


@pytest.fixture(scope="module")
def client(server: ReplayServer) -> Iterator[httpx2.Client]:
    with client_of(server) as client:
        yield client


# ---- what is answered


@pytest.mark.parametrize("path", ["/v1beta/interactions", "/v1/interactions"])
def test_post_streams_the_recording(client: httpx2.Client, path: str) -> None:
    with client.stream("POST", path, json=STREAM) as response:
        assert response.status_code == 200
        assert response.headers["content-type"] == "text/event-stream"
        assert response.headers["transfer-encoding"] == "chunked"
        assert b"".join(response.iter_bytes()) == TEXT.stream


@pytest.mark.parametrize("body", [ASK, {"model": "m"}, {"agent": "a", "input": "Why?"}])
def test_post_without_stream_is_json(client: httpx2.Client, body: dict[str, object]) -> None:
    response = client.post(PATH, json=body)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json; charset=UTF-8"
    assert response.content == TEXT.body


@pytest.mark.parametrize("name", BUNDLED)
def test_a_header_selects_another_recording(client: httpx2.Client, name: str) -> None:
    recording = Recording.load(name)
    headers = {RECORDING_HEADER: name}
    assert client.post(PATH, json=STREAM, headers=headers).content == recording.stream
    answer = client.post(PATH, json=ASK, headers=headers)
    if recording.body is None:
        assert error_of(answer) == (501, "unimplemented")
    else:
        assert answer.content == recording.body


@pytest.mark.parametrize("name", BUNDLED)
def test_get_finds_the_recording_by_its_interaction_id(name: str) -> None:
    recording = Recording.load(name)
    path = f"{PATH}/{recording.interaction_id}"
    with ReplayServer() as server, client_of(server) as client:
        assert client.get(path, params={"stream": "true"}).content == recording.stream
        if recording.body is not None:
            assert client.get(path).content == recording.body


def test_a_recording_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "mine.sse"
    path.write_bytes(b'event: x\r\ndata: {"interaction":{"id":"v1_mine"}}\r\n\r\ndata: rest')
    path.with_suffix(".json").write_bytes(b'{"id":"v1_mine"}')
    with ReplayServer(path) as server, client_of(server) as client:
        assert client.get(f"{PATH}/v1_mine").json() == {"id": "v1_mine"}
        assert client.post(PATH, json=STREAM).content == path.read_bytes()
        for name, stream in ("mine", path.read_bytes()), ("cut", Recording.load("cut").stream):
            headers = {RECORDING_HEADER: name}
            assert client.post(PATH, json=STREAM, headers=headers).content == stream
    assert Recording.load(str(path)) == Recording.load(path)
    assert len([*Recording.load(path).frames()]) == 2


@pytest.mark.parametrize("stream", [b"", b"data: [DONE]\n\n", b"data: {\n\n", b'data: {"a":1}'])
def test_a_recording_without_an_interaction_id(stream: bytes) -> None:
    assert Recording("odd", stream).interaction_id == ""
    with ReplayServer(Recording("odd", stream)) as server, client_of(server) as client:
        assert client.post(PATH, json=STREAM).content == stream


@pytest.mark.parametrize("source", ["nothing", "", "cut.json", "missing.sse", Path(), Path("cut")])
def test_unknown_recordings(source: str | Path) -> None:
    with pytest.raises(UnknownRecording):
        ReplayServer(source)


# ---- what is refused


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/", 404, "not_found"),
        ("POST", "/v2/interactions", 404, "not_found"),
        ("POST", "/v1beta/interactions/", 404, "not_found"),
        ("POST", "/v1beta/models", 404, "not_found"),
        ("GET", "/v1beta/interactions/a/b", 404, "not_found"),
        ("GET", "/v1beta/interactions/v1_nobody", 404, "not_found"),
        ("GET", "/v1beta/interactions", 405, "method_not_allowed"),
        ("PUT", "/v1beta/interactions/v1_x", 405, "method_not_allowed"),
        ("POST", "/v1beta/interactions/v1_x", 405, "method_not_allowed"),
    ],
)
def test_unknown_paths_and_methods(
    client: httpx2.Client, method: str, path: str, status: int, code: str
) -> None:
    response = client.request(method, path)
    assert error_of(response) == (status, code)
    if status == 405:
        assert response.headers["allow"] == ("POST" if path == PATH else "GET, DELETE")


def test_unknown_recording_header(client: httpx2.Client) -> None:
    for name in ("nothing", "../recordings/cut", "cut.sse", ""):
        response = client.post(PATH, json=STREAM, headers={RECORDING_HEADER: name})
        assert error_of(response) == (404, "not_found")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'"text"',
        b'{"stream":"yes"}',
        b'{"stream":null}',
        b"\xff{",
        b"[" * 100_000,
    ],
)
def test_malformed_bodies(client: httpx2.Client, body: bytes) -> None:
    assert error_of(client.post(PATH, content=body)) == (400, "invalid_request")


def test_malformed_query(client: httpx2.Client) -> None:
    path = f"{PATH}/{TEXT.interaction_id}"
    assert error_of(client.get(path, params={"stream": "1"})) == (400, "invalid_request")


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"hello\r\n\r\n", 400),
        (b"POST /v1beta/interactions HTTP/1.0\r\n\r\n", 400),
        (b"POST /v1beta/interactions HTTP/2\r\n\r\n", 400),
        (b"POST http://[ HTTP/1.1\r\n\r\n", 400),
        (b"POST //[ HTTP/1.1\r\n\r\n", 400),
        (b"POST /v1beta/interactions HTTP/1.1\r\nno colon\r\n\r\n", 400),
        (b"POST /v1beta/interactions HTTP/1.1\r\nspace : x\r\n\r\n", 400),
        (b"POST /v1beta/interactions HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST /v1beta/interactions HTTP/1.1\r\nContent-Length: 9\r\n\r\n{}", 400),
        (b"POST /v1beta/interactions HTTP/1.1\r\nContent-Le", 400),
        (b"POST /v1beta/interactions HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 411),
        (
            b"POST /v1beta/interactions HTTP/1.1\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n",
            413,
        ),
        (b"POST / HTTP/1.1\r\nX: " + b"x" * MAX_HEAD_BYTES + b"\r\n\r\n", 431),
    ],
    ids=lambda value: value[:60] if isinstance(value, bytes) else None,
)
def test_malformed_requests(server: ReplayServer, request_bytes: bytes, status: int) -> None:
    head, _, body = exchange(server, request_bytes).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status)
    assert b"\r\nConnection: close" in head
    assert json.loads(body)["error"]["code"] == "invalid_request"


@pytest.mark.parametrize("request_bytes", [b"", b"\r\n"])
def test_no_request_at_all(server: ReplayServer, request_bytes: bytes) -> None:
    assert exchange(server, request_bytes) == b""


def test_a_large_body_is_read_and_a_larger_one_refused(client: httpx2.Client) -> None:
    filler = b'{"model":"m","input":"%b"}'
    body = filler % (b"x" * (2**20))
    assert client.post(PATH, content=body).content == TEXT.body
    body = filler % (b"x" * MAX_BODY_BYTES)
    assert error_of(client.post(PATH, content=body)) == (413, "invalid_request")


def test_a_connection_serves_many_requests(server: ReplayServer) -> None:
    once = b"GET /%d HTTP/1.1\r\nHost: x\r\n\r\n"
    last = b"HEAD /3 HTTP/1.1\r\nHost: x\r\n\r\n"
    answers = exchange(server, once % 1 + once % 2 + last + once % 4)
    assert answers.count(b"HTTP/1.1 404") == 3
    assert answers.count(b"Connection: close") == 1


# ---- how it is cut and paced


@pytest.mark.parametrize(
    "playback",
    [
        {},
        {"chunk_size": 1},
        {"chunk_size": 7},
        {"chunk_size": 10**6},
        {"seed": 1},
        {"seed": 2, "chunk_size": 3},
    ],
)
@pytest.mark.parametrize("name", ["search", "cut"])
def test_chunking_changes_no_byte(name: str, playback: dict[str, Any]) -> None:
    recording = Recording.load(name)
    chunks = [*Playback(**playback).chunks(recording)]
    assert all(chunks)
    assert b"".join(chunks) == recording.stream
    with ReplayServer(name, **playback) as server, client_of(server) as client:
        assert client.post(PATH, json=STREAM).content == recording.stream


def test_what_the_chunks_are() -> None:
    assert all(chunk.endswith(b"\n\n") for chunk in Playback().chunks(TEXT))
    assert {len(chunk) for chunk in Playback(chunk_size=1).chunks(TEXT)} == {1}
    cuts = [[*Playback(seed=seed, chunk_size=9).chunks(TEXT)] for seed in (1, 1, 2)]
    assert cuts[0] == cuts[1] != cuts[2]
    assert {len(chunk) for chunk in cuts[0]} == set(range(1, 10))


def test_chunks_are_sent_as_they_are(server: ReplayServer) -> None:
    """What is on the socket: one HTTP chunk for each frame."""
    body = json.dumps(STREAM).encode()
    request = b"POST /v1beta/interactions HTTP/1.1\r\nContent-Length: %d\r\n\r\n%b"
    _, _, sent = exchange(server, request % (len(body), body)).partition(b"\r\n\r\n")
    frames = [b"%x\r\n%b\r\n" % (len(frame), frame) for frame in TEXT.frames()]
    assert sent == b"".join([*frames, b"0\r\n\r\n"])


def test_delay() -> None:
    frames = [*TEXT.frames()][:5]
    recording = Recording("short", b"".join(frames))
    with (
        ReplayServer(recording, delay=0.02) as server,
        client_of(server) as client,
        client.stream("POST", PATH, json=STREAM) as response,
    ):
        start = time.perf_counter()
        arrived = [*response.iter_bytes()]
        assert arrived == frames, "each comes alone"
        assert time.perf_counter() - start >= 0.06


@pytest.mark.parametrize(
    "options",
    [{"chunk_size": 0}, {"chunk_size": -1}, {"delay": -1.0}, {"delay": float("nan")}],
)
def test_impossible_playbacks(options: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(options))):
        ReplayServer(**options)  # type: ignore[arg-type]


# ---- its life


def test_two_servers_at_once() -> None:
    with (
        ReplayServer("cut", chunk_size=50) as one,
        ReplayServer("image") as two,
        client_of(one) as first,
        client_of(two) as second,
        first.stream("POST", PATH, json=STREAM) as a,
        second.stream("POST", PATH, json=STREAM) as b,
    ):
        assert one.port != two.port
        assert b.read() == Recording.load("image").stream
        assert a.read() == Recording.load("cut").stream


def test_concurrent_requests(server: ReplayServer) -> None:
    async def main() -> None:
        async with httpx2.AsyncClient(base_url=server.url, trust_env=False, verify=False) as client:
            responses = await asyncio.gather(
                *(client.post(PATH, json=STREAM, headers={RECORDING_HEADER: n}) for n in BUNDLED)
            )
        assert [r.content for r in responses] == [Recording.load(n).stream for n in BUNDLED]

    asyncio.run(main())


def test_within_asyncio() -> None:
    async def main() -> None:
        async with (
            ReplayServer("function-calls", chunk_size=64, delay=0.0001) as server,
            httpx2.AsyncClient(base_url=server.url, trust_env=False, verify=False) as client,
            client.stream("POST", PATH, json=STREAM) as response,
        ):
            chunks = [chunk async for chunk in response.aiter_bytes()]
            assert b"".join(chunks) == Recording.load("function-calls").stream

    asyncio.run(main())


def test_closing_while_clients_are_connected() -> None:
    """One has sent nothing, one is idle after an answer, one waits in the middle of a stream."""
    with ReplayServer(delay=60) as server:
        silent = socket.create_connection(("127.0.0.1", server.port), timeout=5)
        client = httpx2.Client(base_url=server.url, trust_env=False, verify=False)
        client.post(PATH, json=ASK)
        streaming = client.send(client.build_request("POST", PATH, json=STREAM), stream=True)
        chunks = streaming.iter_bytes()
        assert next(chunks) == next(TEXT.frames())
        start = time.perf_counter()
    assert time.perf_counter() - start < 1
    with silent:
        assert silent.recv(1) == b""
    with pytest.raises(httpx2.TransportError):
        next(chunks)
    with pytest.raises(httpx2.ConnectError):
        client.post(PATH, json=ASK)
    client.close()


def test_closing_while_clients_are_being_accepted(caplog: pytest.LogCaptureFixture) -> None:
    """asyncio itself fails in this moment; a socket it leaves open would fail this test too."""
    for _ in range(20):
        with ReplayServer() as server:
            clients = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(2)]
        for client in clients:
            client.close()
    gc.collect()
    assert not caplog.records


def test_closing_within_asyncio_while_a_client_is_connected() -> None:
    async def main() -> None:
        async with ReplayServer(delay=60) as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(b"GET /x HTTP/1.1\r\n\r\n")
            assert await reader.readline() == b"HTTP/1.1 404 Not Found\r\n"
        writer.close()

    asyncio.run(main())


def test_closing_while_a_client_does_not_read() -> None:
    endless = Recording("large", b"data: " + b"x" * (32 * 2**20) + b"\n\n")
    with ReplayServer(endless) as server:
        connection = socket.create_connection(("127.0.0.1", server.port))
        connection.sendall(b"GET /v1/interactions/x?stream=true HTTP/1.1\r\n")
        connection.sendall(f"{RECORDING_HEADER}: large\r\n\r\n".encode())
        connection.recv(100)
    connection.close()


def test_a_client_that_leaves(server: ReplayServer) -> None:
    with ReplayServer(chunk_size=10, delay=0.001) as slow, client_of(slow) as client:
        for _ in range(3):
            with client.stream("POST", PATH, json=STREAM) as response:
                next(response.iter_bytes())
        with socket.create_connection(("127.0.0.1", slow.port)) as connection:
            connection.sendall(b"POST /v1beta/inter")
        time.sleep(0.02)
        assert client.post(PATH, json=ASK).content == TEXT.body


def test_it_can_be_entered_again_but_not_twice() -> None:
    server = ReplayServer()
    threads = threading.active_count()
    for _ in range(2):
        with pytest.raises(RuntimeError, match="does not run"):
            _ = server.url
        with server:
            with pytest.raises(RuntimeError, match="runs already"):
                server.__enter__()
            with client_of(server) as client:
                assert client.post(PATH, json=ASK).content == TEXT.body
    assert threading.active_count() == threads


def test_a_port_that_is_taken(server: ReplayServer) -> None:
    threads = threading.active_count()
    with pytest.raises(OSError, match="address"), ReplayServer(port=server.port):
        pass
    assert threading.active_count() == threads


# ---- the command


def test_the_command_lists_the_recordings() -> None:
    with python("-m", "gemwire.replay", "--list") as process:
        out, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (0, "")
    assert [line.split()[0] for line in out.splitlines()] == [*BUNDLED]


def test_the_command_serves_until_interrupted() -> None:
    with python("-m", "gemwire.replay", "--recording", "search", "--seed", "4") as process:
        assert process.stdout is not None
        url = process.stdout.readline().split(" on ")[1].split()[0]
        answer = httpx2.post(url + PATH, json=STREAM, trust_env=False, verify=False)
        assert answer.content == Recording.load("search").stream
        process.send_signal(2)
        _, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (0, "")


@pytest.mark.parametrize("arguments", [["--recording", "nothing"], ["--chunk-size", "0"]])
def test_the_command_refuses_nonsense(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    from gemwire.replay.__main__ import main

    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert "error: " in capsys.readouterr().err


def test_the_command_says_that_a_port_is_taken(
    server: ReplayServer, capsys: pytest.CaptureFixture[str]
) -> None:
    from gemwire.replay.__main__ import main

    assert main(["--port", str(server.port)]) == 1
    assert "cannot listen" in capsys.readouterr().err


def test_gemwire_does_not_import_it() -> None:
    code = "import gemwire, sys; sys.exit('gemwire.replay' in sys.modules)"
    with python("-c", code) as process:
        assert process.wait(timeout=20) == 0
