"""The replay server: which request gets which recording, and the life of its sockets."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Final, Self

from gemwire.replay.http import (
    MAX_HEAD_BYTES,
    HTTPError,
    Request,
    Response,
    linger,
    read_request,
    send_response,
)
from gemwire.replay.playback import Playback
from gemwire.replay.recording import BUNDLED, Recording

if TYPE_CHECKING:
    from pathlib import Path

RECORDING_HEADER: Final = "X-Replay-Recording"
"""The request header that selects another recording for one request."""

_HOST = "127.0.0.1"
_PATH = re.compile(r"/(?:v1|v1beta)/interactions(?:/(?P<id>[^/]+))?")


class ReplayServer:
    """Answers `POST /v1beta/interactions` and `GET /v1beta/interactions/{id}` from recordings.

    As a context manager it runs in a thread of its own, as an asynchronous one in the running
    loop; either way it listens on 127.0.0.1 only, and leaving the block closes every connection,
    also those in use. After that it can be entered again.

    A POST gets the server's recording, or the one its `X-Replay-Recording` header names: as
    events if its body says `"stream": true`, else as the JSON that the same call answers without
    streaming. A GET gets the recording with that interaction id (`?stream=true` for events). What
    is not there is answered in the API's error shape.

    Args:
        recording: The name of a bundled recording, the path of an `.sse` file, or a recording.
        port: By default a free one; see `url` once the server runs.
        chunk_size: Bytes in each chunk of a stream; by default a chunk is a frame.
        seed: Vary the chunk sizes at random, in the same way for every request.
        delay: Seconds between two chunks.

    Raises:
        UnknownRecording: There is no such recording.

    """

    def __init__(
        self,
        recording: str | Path | Recording = "text-with-thoughts",
        *,
        port: int = 0,
        chunk_size: int | None = None,
        seed: int | None = None,
        delay: float = 0.0,
    ) -> None:
        self._recording = (
            recording if isinstance(recording, Recording) else Recording.load(recording)
        )
        self._playback = Playback(chunk_size=chunk_size, seed=seed, delay=delay)
        self._wanted_port = port
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self._stop_thread = _nothing_to_stop

    @property
    def port(self) -> int:
        """The port it listens on.

        Raises:
            RuntimeError: The server does not run.

        """
        if self._server is None:
            raise RuntimeError("the replay server does not run; use it in a with block")
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    @property
    def url(self) -> str:
        """The base URL, without a path: `http://127.0.0.1:49152`.

        Raises:
            RuntimeError: The server does not run.

        """
        return f"http://{_HOST}:{self.port}"

    # ---- its life

    async def __aenter__(self) -> Self:
        """Listen, in the running loop.

        Raises:
            OSError: The port is taken.
            RuntimeError: The server runs already.

        """
        if self._server is not None:
            raise RuntimeError("the replay server runs already")
        self._server = await asyncio.start_server(
            self._connected, _HOST, self._wanted_port, limit=MAX_HEAD_BYTES
        )
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Stop listening and end every connection."""
        if self._server is None:
            return
        await self._stop_accepting(self._server)
        while self._connections:
            for task in self._connections:
                task.cancel()
            await asyncio.wait(self._connections)
        await self._server.wait_closed()
        self._server = None

    @staticmethod
    async def _stop_accepting(server: asyncio.Server) -> None:
        """Close the listening socket, but not between the steps of accepting a connection.

        asyncio accepts in three rounds of its loop: accept, make the transport, call us. If the
        server is closed before the second, that fails and leaves the socket open (CPython issue
        109564). So the first is stopped, and the others get their rounds.
        """
        with contextlib.suppress(NotImplementedError):  # the default loop of Windows
            asyncio.get_running_loop().remove_reader(server.sockets[0].fileno())
        for _ in range(3):
            await asyncio.sleep(0)
        server.close()

    def __enter__(self) -> Self:
        """Listen, in a thread of its own. Raises what entering it in asyncio raises."""
        started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()

        async def serve() -> None:
            stop = asyncio.Event()
            try:
                await self.__aenter__()
            except BaseException as error:
                started.set_exception(error)
                return
            started.set_result((asyncio.get_running_loop(), stop))
            await stop.wait()
            await self.__aexit__()

        thread = threading.Thread(
            target=lambda: asyncio.run(serve()), name="gemwire-replay", daemon=True
        )
        thread.start()
        try:
            loop, stop = started.result()
        except BaseException:
            thread.join()
            raise

        def stop_thread() -> None:
            loop.call_soon_threadsafe(stop.set)
            thread.join()

        self._stop_thread = stop_thread
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Stop listening, end every connection, and wait for the thread."""
        stop_thread, self._stop_thread = self._stop_thread, _nothing_to_stop
        stop_thread()

    # ---- its connections

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        def ended(task: asyncio.Task[None]) -> None:
            self._connections.discard(task)
            # Not close(), which would wait for a client that no longer reads; and here, because
            # a task that is cancelled before its first step runs no `finally`.
            writer.transport.abort()

        # asyncio would make a task of a coroutine function too, but keep it to itself.
        task = asyncio.create_task(self._converse(reader, writer))
        self._connections.add(task)
        task.add_done_callback(ended)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._exchange(reader, writer):
                pass
            writer.close()
            await writer.wait_closed()
        except ConnectionError:
            pass  # The client has gone away, which is its right.

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Serve one request; false when the connection ends with it."""
        try:
            request = await read_request(reader)
            if request is None:
                return False
        except HTTPError as error:
            await send_response(writer, error.response, keep_alive=False)
            await linger(reader, writer)
            return False
        try:
            response = self._respond(request)
        except HTTPError as error:
            response = error.response
        await send_response(writer, response, keep_alive=request.keep_alive)
        return request.keep_alive

    # ---- its answers

    def _respond(self, request: Request) -> Response:
        path = _PATH.fullmatch(request.path)
        if path is None:
            raise HTTPError(404, "not_found", f"There is nothing at {request.path}.")
        allowed = "POST" if path["id"] is None else "GET"
        if request.method != allowed:
            message = f"{request.method} is not possible here, only {allowed}."
            raise HTTPError(405, "method_not_allowed", message, {"Allow": allowed})
        recording = self._selected(request, path["id"])
        streamed = _streamed_post(request) if path["id"] is None else _streamed_get(request)
        if streamed:
            return Response(200, "text/event-stream", self._playback.play(recording))
        if recording.body is None:
            message = f"The recording {recording.name!r} has no answer without streaming."
            raise HTTPError(501, "unimplemented", message)
        return Response(200, "application/json; charset=UTF-8", recording.body)

    def _selected(self, request: Request, interaction_id: str | None) -> Recording:
        name = request.headers.get(RECORDING_HEADER.lower())
        if name is not None:
            # By name only: a header must not make the server read files.
            if name == self._recording.name:
                return self._recording
            if name not in BUNDLED:
                raise HTTPError(404, "not_found", f"There is no recording named {name!r}.")
            return Recording.load(name)
        if interaction_id is None:
            return self._recording
        for recording in (self._recording, *map(Recording.load, BUNDLED)):
            if recording.interaction_id == interaction_id:
                return recording
        raise HTTPError(404, "not_found", f"There is no interaction {interaction_id!r}.")


def _streamed_post(request: Request) -> bool:
    try:
        body: Any = json.loads(request.body)
    except (ValueError, RecursionError) as error:
        raise HTTPError(400, "invalid_request", "The body is not JSON.") from error
    match body:
        case {"stream": bool(stream)}:
            return stream
        case {"stream": _}:
            raise HTTPError(400, "invalid_request", "'stream' is neither true nor false.")
        case {}:
            return False
        case _:
            raise HTTPError(400, "invalid_request", "The body is not a JSON object.")


def _streamed_get(request: Request) -> bool:
    match request.query.get("stream", "false"):
        case "true":
            return True
        case "false":
            return False
        case _:
            raise HTTPError(400, "invalid_request", "'stream' is neither true nor false.")


def _nothing_to_stop() -> None:
    pass
