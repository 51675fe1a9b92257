"""First use from several threads at once, each time in a fresh process: no crash, no other result.

msgspec must not build decoders that share a Struct in two threads; see codec/once.py. Without the
lock there most of these programs end with a segmentation fault.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest

from gemwire.codec import once

HEAD = """
import sys, threading
sys.setswitchinterval(1e-5)
import gemwire
from gemwire import operations
from gemwire.replay import BUNDLED, Recording

def at_once(work, threads=8):
    barrier, results, errors = threading.Barrier(threads), [None] * threads, []

    def run(number):
        barrier.wait()
        try:
            results[number] = work(number)
        except BaseException as error:
            errors.append(repr(error))

    started = [threading.Thread(target=run, args=(n,)) for n in range(threads)]
    for thread in started:
        thread.start()
    for thread in started:
        thread.join()
    assert not errors, errors[:3]
    alone = [work(number) for number in range(threads)]
    assert results == alone, "another result than alone"

def read(data):
    stream = gemwire.InteractionStream([data]).until_done()
    return stream.report.outcome, gemwire.encode(stream.snapshot())

LEGACY = b"".join(
    b"event: " + name + b"\\ndata: " + data + b"\\n\\n"
    for name, data in (
        (b"interaction.start", b'{"interaction":{"id":"i","status":"in_progress"},'
         b'"event_type":"interaction.start"}'),
        (b"content.start", b'{"index":0,"content":{"type":"text"},"event_type":"content.start"}'),
        (b"content.delta", b'{"index":0,"delta":{"type":"text","text":"a"},'
         b'"event_type":"content.delta"}'),
        (b"content.stop", b'{"index":0,"event_type":"content.stop"}'),
        (b"interaction.complete", b'{"interaction":{"id":"i","status":"completed"},'
         b'"event_type":"interaction.complete"}'),
    )
)
NEWER = (
    b'data: {"event_type":"interaction.created","new":1,"interaction":{"id":"i","new":[2]}}\\n\\n'
    b'data: {"event_type":"step.start","index":0,"step":{"type":"hologram","new":1}}\\n\\n'
    b'data: {"event_type":"step.start","index":1,"step":{"type":"model_output","content":'
    b'[{"type":"text","text":"a","new":1},{"type":"smell"}]}}\\n\\n'
    b'data: {"event_type":"step.delta","index":1,"new":1,"delta":{"type":"text",'
    b'"text":"\\\\ud83c"}}\\n\\n'
    b'data: {"event_type":"interaction.completed","interaction":{"id":"i","status":"done",'
    b'"usage":{"total_tokens":"7","new":1}}}\\n\\n'
)
"""

PROGRAMS = {
    "recordings": """
names = sorted(BUNDLED)
at_once(lambda n: [read(Recording.load(name).stream) for name in names[n % 3:] + names[:n % 3]])
""",
    "legacy after warm_up": """
gemwire.warm_up()
at_once(lambda n: [read(LEGACY) for _ in range(3)])
""",
    "newer than the spec": "at_once(lambda n: read(NEWER))\n",
    "newer than the spec, after warm_up": "gemwire.warm_up()\nat_once(lambda n: read(NEWER))\n",
    "all kinds at once": """
data = [LEGACY, NEWER, *(Recording.load(name).stream for name in sorted(BUNDLED))]
at_once(lambda n: read(data[n]))
""",
    "bodies": """
body = Recording.load("search").body
at_once(lambda n: gemwire.encode(gemwire.decode_interaction(body)))
""",
    "other resources": """
kinds = "ListWebhooksResponse ListAgentsResponse Trigger Voice Credential Environment".split()
def decoded(n):
    found = []
    for kind in kinds[n % 6:] + kinds[:n % 6]:
        try:
            model = getattr(gemwire.models, kind)
            found.append(gemwire.encode(gemwire.decode(b'{"new":1}', model)))
        except gemwire.DecodeError as error:
            found.append(str(error))
    return found
at_once(decoded)
""",
    "requests": """
def request(n):
    made = operations.create_interaction({"model": "m", "input": "x", "stream": True})
    return made.body, made.path, operations.list_webhooks().path
at_once(request)
""",
    "there and back": """
search = Recording.load("search").stream
def work(n):
    answer = gemwire.assemble(search)
    events = list(gemwire.disassemble(answer))
    assembler = gemwire.Assembler()
    assembler.apply_all(events)
    again = gemwire.Assembler.restore(assembler.checkpoint())
    return again.finish() == answer, [gemwire.encode_sse(event) for event in events]
at_once(work)
""",
}


def run(program: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", HEAD + program], capture_output=True, text=True, timeout=120
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", ["recordings", "newer than the spec"])
def test_first_use(name: str) -> None:
    run(PROGRAMS[name])


@pytest.mark.slow
@pytest.mark.parametrize("name", PROGRAMS)
def test_first_use_twenty_times(name: str) -> None:
    for _ in range(20):
        run(PROGRAMS[name])


def test_nothing_is_built_twice() -> None:
    """Eight threads that ask for one thing at once get one thing."""
    calls: list[int] = []
    entered = threading.Barrier(8)

    @once.memo
    def build(key: int) -> list[int]:
        calls.append(key)
        return [key]

    def ask(number: int) -> Any:
        entered.wait()
        return [build(number % 2) for _ in range(100)]

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(ask, range(8)))
    assert sorted(calls) == [0, 1]
    for number, values in enumerate(found):
        assert all(value is found[number % 2][0] for value in values)


def test_one_decoder_for_each_type() -> None:
    class Own(msgspec.Struct):
        a: int

    with ThreadPoolExecutor(8) as pool:
        found = set(map(id, pool.map(lambda _: once.decoder(Own), range(64))))
    assert len(found) == 1
