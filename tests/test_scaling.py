"""Time and memory grow with the size of the stream, not with its square.

Each measurement is compared with itself at a quarter of the size: linear work takes four times as
long, quadratic work sixteen times.
"""

from __future__ import annotations

import base64
import gc
import time
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from msgspec import UNSET

from gemwire import (
    Assembler,
    Interaction,
    InteractionCompletedEvent,
    InteractionCreatedEvent,
    InteractionStream,
    StepDelta,
    StepStart,
    StepStop,
    assemble,
    models,
)
from gemwire.assembly.report import MAX_ENTRIES

from .legacy_wire import complete
from .wire import (
    answer,
    arguments,
    completed,
    created,
    cut,
    delta,
    frame,
    start,
    stop,
    stream,
    text,
    update,
)

FACTOR = 8.0
"""Four times the work may take so much longer."""


def seconds(work: Callable[[], object]) -> float:
    """How long it takes the processor, without pauses of the collector."""
    gc.disable()
    try:
        begin = time.process_time()
        work()
        return time.process_time() - begin
    finally:
        gc.enable()


def assert_linear(work: Callable[[int], Callable[[], object]], size: int) -> None:
    """`work(n)` prepares something that must take about four times as long for four times n."""
    part, whole = work(size // 4), work(size)
    short = long = float("inf")
    for _ in range(5):  # a busy machine gets further chances, a quadratic algorithm has none
        short, long = min(short, seconds(part)), min(long, seconds(whole))
        if long < FACTOR * short:
            return
    raise AssertionError(f"four times the size took {long / short:.1f} times as long")


def ready(events: Iterable[Any]) -> Callable[[], object]:
    """Apply events, one by one, to a new assembler."""
    listed = list(events)

    def run() -> Assembler:
        assembler = Assembler()
        for event in listed:
            assembler.apply(event)
        return assembler

    return run


def reading(*pieces: Any) -> Callable[[], object]:
    """Assemble bytes in 64 KiB chunks."""
    chunks = cut(answer(*pieces), 64 * 1024)
    return lambda: assemble(chunks, damaged="keep")


def texts(index: int, count: int) -> Iterator[Any]:
    yield StepStart(index=index, step=models.ModelOutputStep())
    for _ in range(count):
        yield StepDelta(index=index, delta=models.TextDelta(text="ten letters"))
    yield StepStop(index=index)


# ---- snapshots


def test_a_snapshot_after_each_of_many_deltas() -> None:
    """10,000 deltas in 200 steps: what is closed costs a copy of its list, not its text."""

    def work(deltas: int) -> Callable[[], object]:
        steps = 200
        events = [event for index in range(steps) for event in texts(index, deltas // steps)]

        def run() -> None:
            assembler = Assembler()
            for event in events:
                assembler.apply(event)
                assembler.snapshot()

        return run

    # The number of steps stays: a snapshot costs a bit for each.
    assert_linear(work, 10_000)


def test_a_snapshot_of_many_steps_costs_little() -> None:
    assembler = Assembler()
    events = [event for index in range(1000) for event in texts(index, 10)]
    for event in events:
        assembler.apply(event)
    taken = min(seconds(assembler.snapshot) for _ in range(5))
    assert taken < seconds(ready(events)) / 4


def test_snapshots_are_apart() -> None:
    assembler = Assembler()
    for index in range(100):
        for event in texts(index, 3):
            assembler.apply(event)
    assembler.apply(StepStart(index=100, step=models.ModelOutputStep()))
    first = assembler.snapshot()
    assembler.apply(StepDelta(index=100, delta=models.TextDelta(text="more")))
    second = assembler.snapshot()
    assert isinstance(first.steps, list)
    assert isinstance(second.steps, list)
    assert first.steps[:100] == second.steps[:100]
    assert first.steps[100] == models.ModelOutputStep()
    assert first.steps is not second.steps
    first.steps.clear()
    assert len(assembler.snapshot().steps or ()) == 101


def test_snapshots_of_one_long_text() -> None:
    """Each costs the bytes of the open part: a hundred of them, a hundred times its length."""

    def work(deltas: int) -> Callable[[], object]:
        events = list(texts(0, deltas))

        def run() -> None:
            assembler = Assembler()
            for at, event in enumerate(events):
                assembler.apply(event)
                if at % (deltas // 20) == 0:
                    assembler.snapshot()

        return run

    assert_linear(work, 100_000)


# ---- fragments


def test_many_text_deltas_in_one_step() -> None:
    assert_linear(lambda count: ready(texts(0, count)), 100_000)


def test_many_text_deltas_as_bytes() -> None:
    data = stream(
        created(),
        start(0, "model_output"),
        frame(text(0, "ten letters")) * 100_000,
        stop(0),
        completed(),
    )
    begin = time.process_time()
    found = assemble(cut(data, 64 * 1024))
    assert time.process_time() - begin < 5
    assert len(found.output_text) == 1_100_000


def test_many_fragments_of_arguments() -> None:
    def work(count: int) -> Callable[[], object]:
        pieces = ['{"text":"', *["x" * 10] * count, '"}']
        deltas = [models.ArgumentsDelta(arguments=piece) for piece in pieces]
        return ready(
            [
                StepStart(index=0, step=models.FunctionCallStep(name="tide")),
                *(StepDelta(index=0, delta=part) for part in deltas),
                StepStop(index=0),
            ]
        )

    assert_linear(work, 50_000)
    call = work(50_000)()
    assert isinstance(call, Assembler)
    step = call.step(0)
    assert isinstance(step, models.FunctionCallStep)
    assert len(step.arguments["text"]) == 500_000  # type: ignore[index]


def test_many_pieces_of_audio() -> None:
    piece = base64.b64encode(bytes(1920)).decode()

    def work(count: int) -> Callable[[], object]:
        part = models.AudioDelta(data=piece, mime_type="audio/l16", rate=24000)
        return ready(
            [
                StepStart(index=0, step=models.ModelOutputStep()),
                *(StepDelta(index=0, delta=part) for _ in range(count)),
                StepStop(index=0),
            ]
        )

    assert_linear(work, 4000)


def test_many_pieces_of_text_that_is_not_ascii() -> None:
    def work(count: int) -> Callable[[], object]:
        sent = [text(0, "– wave \ud83c"), text(0, "\udf0a ")] * (count // 2)
        return reading(start(0, "model_output"), *sent, stop(0))

    assert_linear(work, 2000)


opened: Any = {"content": {"type": "text", "text": "a"}, "event_type": "content.start"}

MANY: dict[str, Callable[[int], list[Any]]] = {
    "annotations": lambda n: [
        start(0, "model_output"),
        *[delta(0, "text_annotation_delta", annotations=[{"type": "url_citation"}])] * n,
    ],
    "images": lambda n: [start(0, "model_output"), *[delta(0, "image", data="AAAA")] * n],
    "thought summaries": lambda n: [
        start(0, "thought"),
        *[delta(0, "thought_summary", content={"type": "text", "text": "a"})] * n,
    ],
    "unknown events": lambda n: [{"event_type": f"new.{i}"} for i in range(n)],
    "unknown deltas": lambda n: [start(0, "thought"), *[delta(0, "new", x=1)] * n],
    "misplaced deltas": lambda n: [start(0, "thought"), *[text(0, "a")] * n],
    "starts without an index": lambda n: [start(None, "thought")] * n,
    "starts of one index": lambda n: [start(0, "thought"), start(0, "model_output")] * (n // 2),
    "equal starts": lambda n: [start(0, "thought")] * n,
    "steps in reverse": lambda n: [start(i, "thought") for i in range(n, 0, -1)],
    "steps far apart": lambda n: [start(i * 10**9, "thought") for i in range(n)],
    "stops without a step": lambda n: [stop(i) for i in range(n)],
    "terminal events": lambda n: [
        *(start(i, "thought") for i in range(n)),
        *[completed("failed")] * n,
    ],
    "terminal events with a step": lambda n: [
        *(start(i, "thought") for i in range(n)),
        *[completed("failed", steps=[{"type": "thought"}])] * n,
    ],
    "terminal events with a step, after contents": lambda n: [
        *({**opened, "index": i} for i in range(n)),
        *[completed("failed", steps=[{"type": "thought"}, {"type": "thought"}])] * n,
    ],
    "terminal events with a step, after many runs of contents": lambda n: [
        *({**opened, "index": i} if i % 2 else start(i, "thought") for i in range(n)),
        *[completed("failed", steps=[{"type": "thought"}])] * n,
    ],
    "terminal events with an output, after steps": lambda n: [
        *(start(i, "thought") for i in range(n)),
        *[complete(outputs=[{"type": "text", "text": "a"}])] * n,
    ],
    "terminal events with an output": lambda n: [
        *({**opened, "index": i} for i in range(n)),
        *[complete(outputs=[{"type": "text", "text": "a"}])] * n,
    ],
    "terminal events, each after another step": lambda n: [
        event for i in range(n) for event in (start(i, "thought"), completed("failed"))
    ],
    "terminal events, each with a new member": lambda n: [
        completed("failed", "v1_a", **{f"m{i}": str(i)}) for i in range(n)
    ],
    "annotations after images": lambda n: [
        start(0, "model_output"),
        text(0, "a"),
        *[delta(0, "image", data="AAAA")] * n,
        *[delta(0, "text_annotation_delta", annotations=[{"type": "url_citation"}])] * n,
    ],
    "pieces of content that no schema has": lambda n: [
        {"index": 0, "content": {"type": "new", "text": "x" * n}, "event_type": "content.start"},
        *[{"index": 0, "delta": {"type": "new", "y": [1]}, "event_type": "content.delta"}] * n,
    ],
    "pieces of a member that no schema has": lambda n: [
        start(0, "function_result"),
        *[delta(0, "function_result", hits=[{"a": 1}])] * n,
    ],
    "errors": lambda n: [
        *(start(i, "thought", new=1) for i in range(n)),
        *[{"error": {"code": 1}, "event_type": "error"}] * n,
    ],
    "event ids": lambda n: [
        start(0, "model_output"),
        *({**text(0, "some text"), "event_id": f"e{i}"} for i in range(n)),
    ],
    "event ids, far apart": lambda n: [
        start(0, "model_output"),
        *({**text(0, "text"), **({} if i % 100 else {"event_id": f"e{i}"})} for i in range(n)),
    ],
    "event ids that are repeated": lambda n: [
        {**start(i, "thought"), "event_id": "e"} for i in range(n)
    ],
    "tokens": lambda n: [update(continuation_token=f"t{i}") for i in range(n)],
    "hops": lambda n: [created(f"v1_{i}", usage={"total_tokens": i}) for i in range(n)],
    "tokens, and hops": lambda n: [
        created(f"v1_{i}", continuation_token=f"t{i}", usage={"total_tokens": 1}) for i in range(n)
    ],
    "other starts of an open call, with many members": lambda n: [
        start(0, "function_call", id="k", name="f", arguments={"a": 1}),
        *(delta(0, "function_call", **{f"m{i}": 1}) for i in range(n // 2)),
        *(start(0, "function_call", id=f"k{i}", name="f") for i in range(n // 2)),
    ],
    "terminal events that differ in a large object": lambda n: [
        start(0, "function_call", id="k", arguments={f"m{i}": 1 for i in range(n)}),
        stop(0),
        *[completed("failed", steps=[{"type": "function_call", "arguments": "x"}])] * n,
    ],
    "second starts of the interaction": lambda n: [created()] * n,
    "restarts": lambda n: [created(), start(0, "thought")] * (n // 2),
    "texts after the stop": lambda n: [
        start(0, "model_output"),
        text(0, "x" * n),
        stop(0),
        *[text(0, "x")] * n,
    ],
}


@pytest.mark.parametrize("what", MANY)
def test_many(what: str) -> None:
    """What a server should not do so often must not become a way to stop the reader."""
    assert_linear(lambda count: reading(*MANY[what](count)), 3000)


@pytest.mark.parametrize(
    "what", ["function_result", "google_search_result", "tool_result", "mcp_server_tool_call"]
)
def test_many_deltas_that_are_merged(what: str) -> None:
    """Lists and objects that grow by each of many deltas."""
    brought: dict[str, Any] = {"result": [{"type": "text", "text": "a"}]}
    if what == "google_search_result":
        brought = {"result": [{"search_suggestions": "a"}]}

    def work(count: int) -> Callable[[], object]:
        if what == "mcp_server_tool_call":
            deltas = [delta(0, what, arguments={f"n{i}": 1}) for i in range(count)]
        else:
            deltas = [delta(0, what, **brought)] * count
        return reading(start(0, what), *deltas, stop(0))

    assert_linear(work, 3000)


def test_many_cuts_of_a_stream_with_ids() -> None:
    """Going back costs what is held: twice the steps, four times for twice the cuts."""

    def work(count: int) -> Callable[[], object]:
        events = [{**start(i, "thought"), "event_id": f"e{i}"} for i in range(count)]
        head, rest = stream(created(), *events, done=False), stream(text(0, "a"), done=False)

        def run() -> None:
            reader = InteractionStream(head).until_done()
            for _ in range(20):
                reader = InteractionStream(rest, resume=reader.checkpoint()).until_done()

        return run

    assert_linear(work, 1000)


def test_report_does_not_grow_without_bound() -> None:
    names = [{"event_type": f"new.{i}", "event_id": f"e{i}"} for i in range(5000)]
    reader = InteractionStream(answer(*names)).until_done()
    assert len(reader.report.unknown) == MAX_ENTRIES + 1


# ---- memory


def image_stream(size: int, chunk: int) -> Iterator[bytes]:
    """An answer with one image of that many bytes of base64, made as it is read."""
    head = stream(created(), start(0, "model_output"), done=False)
    yield head
    yield b'event: step.delta\ndata: {"index":0,"delta":{"mime_type":"image/png","data":"'
    piece = b"iVBORw0K" * (chunk // 8)
    for _ in range(size // chunk):
        yield bytes(bytearray(piece))  # a new one each time, as from a socket
    yield b'","type":"image"},"event_type":"step.delta"}\n\n'
    yield stream(stop(0), completed())


def test_memory_of_a_large_image() -> None:
    """16 MiB in 16 KiB chunks: at most 2.5 times the payload, at its peak."""
    size = 16 * 2**20
    assemble(image_stream(2**16, 2**14))  # builds what is built at first use
    tracemalloc.start()
    try:
        found = assemble(image_stream(size, 2**14))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    (image,) = found.output_images
    assert image.data is not UNSET
    assert len(image.data) == size
    assert peak <= 2.5 * size


def test_memory_of_many_texts_is_that_of_the_text() -> None:
    """Fragments are given up when their step is closed."""
    events: list[Any] = [
        InteractionCreatedEvent(interaction=Interaction()),
        *(StepStart(index=i, step=models.ModelOutputStep()) for i in range(10)),
    ]
    tracemalloc.start()
    try:
        assembler = Assembler()
        for event in events:
            assembler.apply(event)
        for index in range(10):
            for _ in range(10_000):
                part = models.TextDelta(text="x" * 10)
                assembler.apply(StepDelta(index=index, delta=part))
            assembler.apply(StepStop(index=index))
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assembler.apply(InteractionCompletedEvent(interaction=Interaction(status="completed")))
    assert assembler.finish().output_text == "x" * 1_000_000
    assert held < 2_000_000


@pytest.mark.slow
def test_fifty_thousand_fragments_as_bytes() -> None:
    pieces = [arguments(0, "x" * 10) for _ in range(50_000)]
    begun = start(0, "function_call", name="f")
    call = [begun, arguments(0, '{"a":"'), *pieces, arguments(0, '"}'), stop(0)]
    begin = time.process_time()
    found = assemble(cut(answer(*call), 1000))
    assert time.process_time() - begin < 10
    assert len(found.function_calls[0].arguments["a"]) == 500_000  # type: ignore[index]
