"""The replay server: which request gets which recording, and the life of its sockets."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Final, Self

from gemwire.replay.faults import Fault
from gemwire.replay.http import (
    MAX_HEAD_BYTES,
    HTTPError,
    Request,
    Response,
    linger,
    read_request,
    send_response,
)
from gemwire.replay.interactions import Interactions, whole
from gemwire.replay.playback import Playback
from gemwire.replay.recording import BUNDLED, Recording
from gemwire.replay.routes import Asked, answer_to, understand

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

RECORDING_HEADER: Final = "X-Replay-Recording"
"""The request header that selects another recording for one request."""
FAULT_HEADER: Final = "X-Replay-Fault"
"""The request header that says what goes wrong with this stream: `cut=1234`; see `Fault`."""

_HOST = "127.0.0.1"
_JSON = "application/json; charset=UTF-8"


class ReplayServer:
    """Answers the interactions resource from recordings, and all others with as little as fits.

    As a context manager it runs in a thread of its own, as an asynchronous one in the running
    loop; either way it listens on 127.0.0.1 only, and leaving the block closes every connection,
    also those in use. After that it can be entered again.

    Creating an interaction gets the server's recording, or the one its `X-Replay-Recording` header
    names: as events if its body says `"stream": true`, else as the JSON that the same call answers
    without streaming; with `"store": false`, without an id. Run in the `background`, it is
    `in_progress` at first, and can be cancelled, also while its events are sent. A GET gets the
    recording with that interaction id, the input it was created with before its steps
    (`?stream=true` for events, without the input, those after `last_event_id`), unless it was
    deleted. What the spec does not allow, and what is not there,
    is answered in the API's error shape.

    Args:
        recording: The name of a bundled recording, the path of an `.sse` file, or a recording.
        port: By default a free one; see `url` once the server runs.
        chunk_size: Bytes in each chunk of a stream; by default a chunk is a frame.
        seed: Vary the chunk sizes at random, in the same way for every request.
        delay: Seconds between two chunks.
        polls: How many times a run in the background is seen `in_progress` before it has ended.
        faults: What goes wrong with streams, as `Fault` reads it (`"ids=2 cut=1234"`): one text for
            all of them, or one for each in turn, those after the last being whole. The request
            header `X-Replay-Fault` goes before it.

    Raises:
        UnknownRecording: There is no such recording.
        ValueError: A fault is none.

    """

    def __init__(
        self,
        recording: str | Path | Recording = "text-with-thoughts",
        *,
        port: int = 0,
        chunk_size: int | None = None,
        seed: int | None = None,
        delay: float = 0.0,
        polls: int = 2,
        faults: str | Sequence[str] = (),
    ) -> None:
        self._recording = (
            recording if isinstance(recording, Recording) else Recording.load(recording)
        )
        self._playback = Playback(chunk_size=chunk_size, seed=seed, delay=delay)
        self._interactions = Interactions(polls)
        always = isinstance(faults, str)
        self._always = Fault.parse(faults) if isinstance(faults, str) else Fault()
        self._faults = [] if always else list(map(Fault.parse, faults))
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
        asked = understand(request)
        match asked.operation:
            case "create_interaction":
                recording = self._selected(request, None)
                answer = self._interactions.create(recording, asked.body)
                if asked.body.stream is True:
                    stored = asked.body.store is not False
                    token = asked.body.continuation_token
                    return self._stream(request, recording, token, stored=stored)
                if asked.body.store is False:
                    recording = recording.unstored()
                return Response(200, _JSON, whole(recording) if answer is None else answer)
            case "get_interaction":
                recording = self._selected(request, asked.path["interactionsId"])
                return self._get(request, asked, recording)
            case "cancel_interaction":
                recording = self._selected(request, asked.path["interactionsId"])
                return Response(200, _JSON, self._interactions.cancel(recording))
            case "delete_interaction":
                self._interactions.delete(self._selected(request, asked.path["interactionsId"]))
                return Response(200, _JSON, b"")
            case _:
                return answer_to(asked, self.url + request.path)

    def _get(self, request: Request, asked: Asked, recording: Recording) -> Response:
        last = asked.query.get("last_event_id")
        if not asked.flag("stream"):
            if last:
                raise HTTPError(400, "invalid_request", "'last_event_id' needs 'stream'.")
            flag = asked.flag("include_input")
            return Response(200, _JSON, self._interactions.get(recording, include_input=flag))
        self._interactions.check_stream(recording)
        identity = asked.path["interactionsId"]
        return self._stream(request, recording, None, last[0] if last else None, identity)

    def _stream(
        self,
        request: Request,
        recording: Recording,
        token: object,
        last: str | None = None,
        identity: str | None = None,
        *,
        stored: bool = True,
    ) -> Response:
        id = recording.interaction_id
        try:
            fault = self._fault(request)
            recording = fault.shaped(recording, token or None, identity)
            if last is not None and not fault.replay:
                recording = recording.after(last)
        except (LookupError, ValueError) as error:
            raise HTTPError(400, "invalid_request", f"{error}.") from error
        chunks = self._playback.play(recording if stored else recording.unstored())
        if stored:
            chunks = self._interactions.watch(id, recording, chunks)
        return Response(200, "text/event-stream", fault.strike(chunks))

    def _fault(self, request: Request) -> Fault:
        asked = request.headers.get(FAULT_HEADER.lower())
        if asked is not None:
            return Fault.parse(asked)
        return self._faults.pop(0) if self._faults else self._always

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
            if recording.interaction_id in (interaction_id, interaction_id.partition(".")[0]):
                return recording
        raise HTTPError(404, "not_found", f"There is no interaction {interaction_id!r}.")


def _nothing_to_stop() -> None:
    pass
