"""A process in which several threads make first use of gemwire at the same moment.

    python first_use.py JOB THREADS

Prints the digest of what a thread got, which is the same for all of them and for any number of
threads; ends with an exit code that is not 0 if it is not. Nothing of gemwire but its name is
touched before all threads are let go, except where the job says so.
"""

from __future__ import annotations

import hashlib
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from importlib.resources import files
from typing import Any

import gemwire

__all__ = ["JOBS"]

LEGACY = (
    b'{"interaction":{"id":"i1","status":"in_progress","object":"interaction","model":"m"},'
    b'"event_type":"interaction.start"}',
    b'{"index":0,"content":{"type":"text","text":""},"event_type":"content.start"}',
    b'{"index":0,"delta":{"type":"text","text":"hello"},"event_type":"content.delta"}',
    b'{"index":0,"event_type":"content.stop"}',
    b'{"index":1,"content":{"type":"function_call","id":"c","name":"tide","arguments":{"a":1}},'
    b'"event_type":"content.start"}',
    b'{"index":1,"event_type":"content.stop"}',
    b'{"interaction":{"id":"i1","status":"completed","object":"interaction","model":"m",'
    b'"usage":{"total_tokens":3}},"event_type":"interaction.complete"}',
)
DRIFTED = (
    b'{"interaction":{"id":"i1","status":"in_progress","mood":"new"},'
    b'"event_type":"interaction.created"}',
    b'{"index":0,"step":{"type":"hologram","depth":3},"event_type":"step.start"}',
    b'{"index":0,"delta":{"type":"slab","depth":4},"event_type":"step.delta"}',
    b'{"index":0,"event_type":"step.stop","usage":{"total_tokens":1,"light":2}}',
    b'{"index":1,"step":{"type":"model_output","tone":"warm","content":[{"type":"smell"}]},'
    b'"event_type":"step.start"}',
    b'{"index":1,"delta":{"type":"text","text":"\\ud83c","pitch":1},"event_type":"step.delta"}',
    b'{"index":1,"delta":{"type":"text_annotation_delta","annotations":[{"type":"footnote"}]},'
    b'"event_type":"step.delta"}',
    b'{"index":1,"event_type":"step.stop"}',
    b'{"weather":"fair","event_type":"interaction.weather"}',
    b'{"interaction":{"id":"i1","status":"completed","usage":{"total_tokens":"many"}},'
    b'"event_type":"interaction.completed"}',
)
LEGACY_BODY = (
    b'{"id":"i1","status":"completed","outputs":[{"type":"text","text":"hello"},'
    b'{"type":"thought","signature":"c2ln"},{"type":"hologram"},'
    b'{"type":"function_call","id":"c","name":"tide","arguments":{}}]}'
)


def framed(payloads: tuple[bytes, ...]) -> bytes:
    return b"".join(b"data: " + payload + b"\n\n" for payload in payloads) + gemwire.DONE


def bundled(ending: str) -> list[bytes]:
    folder = files("gemwire.replay").joinpath("recordings")
    found = sorted((each for each in folder.iterdir()), key=lambda each: each.name)
    return [each.read_bytes() for each in found if each.name.endswith(ending)]


def read(data: bytes, size: int = 1000) -> Iterator[Any]:
    """A stream, read in chunks."""
    stream = gemwire.InteractionStream(data[at : at + size] for at in range(0, len(data), size))
    stream.until_done()
    yield gemwire.encode(stream.snapshot())
    yield gemwire.encode(stream.report)


# ---- the jobs; `turn` says in which order a thread goes about it


def recordings(turn: int) -> Iterator[Any]:
    yield from in_turn([partial(listed, read, data) for data in bundled(".sse")], turn)


def legacy(turn: int) -> Iterator[Any]:
    yield from read(framed(LEGACY))


def drifted(turn: int) -> Iterator[Any]:
    yield from read(framed(DRIFTED))
    for payload in DRIFTED:
        try:
            yield gemwire.encode(gemwire.decode_event(payload, strict=True))
        except gemwire.DecodeError as error:
            yield str(error)


def bodies(turn: int) -> Iterator[Any]:
    texts = [*bundled(".json"), LEGACY_BODY]
    yield from in_turn([partial(interaction, body) for body in texts], turn)


def interaction(body: bytes) -> Any:
    try:
        found = gemwire.decode_interaction(body)
    except gemwire.GemwireError as error:
        return repr(error)
    return gemwire.encode(found), found.full_text, gemwire.encode(found.outputs)


def resources(turn: int) -> Iterator[Any]:
    names = sorted({each.response or "Empty" for each in gemwire.operations.OPERATIONS.values()})
    yield from in_turn([partial(resource, name) for name in names], turn)


def resource(name: str) -> list[Any]:
    """What an answer of this kind is read as, known and unknown."""
    told: list[Any] = [name]
    kind = getattr(gemwire.models, name)
    for text in (b"{}", b'{"novel":[1]}', b'{"webhooks":[{"id":"w"}],"voices":[{"novel":1}]}'):
        try:
            told.append(gemwire.encode(gemwire.decode(text, kind)))
        except gemwire.DecodeError as error:
            told.append(str(error))
    return told


def operations(turn: int) -> Iterator[Any]:
    def create() -> Any:
        body = b'{"model":"m","input":"Hello","stream":true}'
        request = gemwire.operations.create_interaction(body)
        return request.body, request.streams, request.path

    def model() -> Any:
        body = gemwire.models.CreateModelInteraction(model="m", input="Hello", stream=True)
        return gemwire.operations.create_interaction(body).body

    def get() -> Any:
        request = gemwire.operations.get_interaction("i1")
        return gemwire.encode(request.decode_response(200, b'{"id":"i1","status":"completed"}'))

    def hooks() -> Any:
        answer = b'{"webhooks":[{"name":"w","uri":"u","novel":1}]}'
        return gemwire.encode(gemwire.operations.list_webhooks().decode_response(200, answer))

    def refused() -> Any:
        try:
            gemwire.operations.get_interaction("i1").decode_response(502, b"<h1>Bad</h1>")
        except gemwire.ApiError as error:
            return str(error)

    yield from in_turn([create, model, get, hooks, refused], turn)


def written(turn: int) -> Iterator[Any]:
    """Disassembled, encoded, framed, and read again."""
    for body in (*bundled(".json"), LEGACY_BODY):
        try:
            answer = gemwire.decode_interaction(body)
        except gemwire.GemwireError:
            continue
        frames = b"".join(map(gemwire.encode_sse, gemwire.disassemble(answer)))
        yield frames
        yield gemwire.encode(gemwire.assemble(frames))


def checkpoints(turn: int) -> Iterator[Any]:
    """Half a stream, its state as bytes, and the rest."""
    for data in (*bundled(".sse"), framed(LEGACY), framed(DRIFTED)):
        parser = gemwire.InteractionParser()
        parser.feed(data[: len(data) // 2])
        held, offset = parser.checkpoint(), parser.offset
        yield held
        parser = gemwire.InteractionParser.restore(held)
        parser.feed(data[offset:])
        parser.close()
        yield gemwire.encode(parser.snapshot())


def everything(turn: int) -> Iterator[Any]:
    jobs = (recordings, legacy, drifted, bodies, resources, operations, written, checkpoints)
    yield from in_turn([partial(listed, job, turn) for job in jobs], turn)


def warm_up(turn: int) -> Iterator[Any]:
    gemwire.warm_up()
    yield from legacy(turn)


def server(turn: int) -> Iterator[Any]:
    """The first requests of a threaded server; a thread is one of its clients."""
    import urllib.request

    yield urllib.request.urlopen(ADDRESS, timeout=60).read()


ADDRESS = ""


def serve() -> None:
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = b"\n".join(part for data in bundled(".sse") for part in read(data))
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        request_queue_size = 64

    global ADDRESS
    listening = Server(("127.0.0.1", 0), Handler)
    ADDRESS = f"http://127.0.0.1:{listening.server_port}/"
    threading.Thread(target=listening.serve_forever, daemon=True).start()


def listed(job: Callable[[Any], Iterator[Any]], argument: Any) -> list[Any]:
    return [*job(argument)]


def in_turn(tasks: list[Callable[[], Any]], turn: int) -> Iterator[Any]:
    """The results in the order of the tasks, which are done from another one on by each thread."""
    results: dict[int, Any] = {}
    for at in range(len(tasks)):
        number = (at + turn) % len(tasks)
        results[number] = tasks[number]()
    for number in range(len(tasks)):
        yield results[number]


JOBS: dict[str, tuple[Callable[[int], Iterator[Any]], Callable[[], Any] | None]] = {
    # what each thread does, and what is done before
    "recordings": (recordings, None),
    "recordings after warm_up": (recordings, gemwire.warm_up),
    "legacy": (legacy, None),
    "legacy after warm_up": (legacy, gemwire.warm_up),
    "drifted": (drifted, None),
    "drifted after warm_up": (drifted, gemwire.warm_up),
    "bodies": (bodies, None),
    "resources": (resources, None),
    "resources after warm_up": (resources, gemwire.warm_up),
    "operations": (operations, None),
    "written": (written, None),
    "checkpoints": (checkpoints, None),
    "warm_up": (warm_up, None),
    "everything": (everything, None),
    "server": (server, serve),
}


def main(name: str, threads: int) -> int:
    job, first = JOBS[name]
    built = count_decoders()
    if first is not None:
        first()
    gate = threading.Barrier(threads)
    results: dict[int, Any] = {}

    def work(turn: int) -> None:
        gate.wait()
        try:
            results[turn] = repr([*job(turn)])
        except BaseException as error:
            results[turn] = error
            raise

    sys.setswitchinterval(1e-6)
    running = [threading.Thread(target=work, args=(turn,)) for turn in range(threads)]
    for each in running:
        each.start()
    for each in running:
        each.join()
    sys.setswitchinterval(5e-3)
    again = repr([*job(0)])  # by one thread, with all built
    if any(result != again for result in results.values()):
        print("the threads do not agree", file=sys.stderr)
        return 2
    twice = {hint for hint in built if built.count(hint) > 1}
    if twice:
        print("built more than once:", twice, file=sys.stderr)
        return 3
    print(hashlib.sha256(again.encode()).hexdigest())
    return 0


def count_decoders() -> list[str]:
    """The types that decoders are built of, from now on."""
    import msgspec

    built: list[str] = []
    real: Any = msgspec.json.Decoder

    def counted(hint: Any, **options: Any) -> Any:
        built.append(f"{hint!r} {options}")
        return real(hint, **options)

    msgspec.json.Decoder = counted  # type: ignore[misc, assignment]
    return built


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
