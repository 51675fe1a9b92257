"""Any bytes give events and a verdict, or a GemwireError; never another exception, never a stream
that looks complete and is not.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gemwire import (
    Assembler,
    GemwireError,
    Interaction,
    InteractionStream,
    assemble,
    decode_event,
    encode,
    encode_sse,
    iter_events,
    models,
    to_dict,
)

from .strategies import instances, json_texts
from .test_assembler import ALL as LIFECYCLES
from .test_steps import ALL as FOLDS
from .wire import (
    Verdict,
    answer,
    by_frames,
    created,
    cut,
    dumps,
    frame,
    pull,
    pull_async,
    push,
    start,
    stop,
    stream,
    text,
)

RECORDINGS = {
    path.name.removesuffix(".sse"): path.read_bytes()
    for path in (files("gemwire.replay") / "recordings").iterdir()
    if path.name.endswith(".sse")
}
SMALL = [name for name, data in RECORDINGS.items() if len(data) < 10_000]
TINY = [name for name, data in RECORDINGS.items() if len(data) < 3_000]


def survive(data: bytes, size: int = 64) -> Verdict:
    """Read the bytes in every way: no exception but ours, one verdict, and all can be used."""
    found = pull(cut(data, size))
    assert pull(data) == found
    try:
        whole: Any = assemble(cut(data, size))
    except GemwireError as problem:
        whole = type(problem)
    assert whole == (found.raised or found.interaction)
    seen = list(InteractionStream(data))
    assert len(seen) == found.events
    events = list(iter_events(data))
    assert seen[: len(events)] == events
    for event in seen:
        encode(event)
    pushed = push(cut(data, size))
    assert pushed.events <= found.events
    assert isinstance(found.interaction, Interaction)
    assert isinstance(to_dict(found.interaction), dict)
    assert found.interaction.output_text.encode() is not None
    assert repr(found.known)
    assert all(issue.meaning != issue.kind for issue in found.known.issues)
    return found


# ---- bytes of any kind


@given(st.binary(max_size=300), st.integers(1, 50))
@example(b"\xef\xbb\xbf", 1)
@example(b"{", 1)
@example(b"data: [DONE]\n\n", 3)
@example(b"\r\n\r\r\n\n", 1)
def test_any_bytes(data: bytes, size: int) -> None:
    assert survive(data, size).raised is not None


TOKENS = [
    *(b"event: %s\n" % name for name in (b"step.start", b"step.delta", b"interaction.completed")),
    b"event: error\n",
    b"data: ",
    b"data: {}\n\n",
    b"data: null\n\n",
    b"data: [DONE]\n\n",
    b"id: 7\n",
    b": comment\n",
    b"\n",
    b"\r",
    b"\r\n",
    b"\xef\xbb\xbf",
    b"\x00",
    b"\xff",
    b'"',
    b"\\",
    b"\\ud83c",
    b"[",
    b"{",
    b"}",
    b"]",
    b'{"index":0,"step":{"type":"model_output"}}\n\n',
    b'{"index":0,"step":{"type":"function_call"}}\n\n',
    b'{"index":0,"delta":{"type":"text","text":"a"}}\n\n',
    b'{"interaction":{"status":"completed"}}\n\n',
    b'{"error":{"code":1}}',
    b"1e999",
    b"9" * 30,
]


@given(st.lists(st.sampled_from(TOKENS), max_size=30), st.integers(1, 50))
def test_tokens_in_any_order(tokens: list[bytes], size: int) -> None:
    survive(b"".join(tokens), size)


# ---- recordings, spoiled


@st.composite
def spoiled(draw: st.DrawFn, names: list[str] = SMALL) -> bytes:
    """A recording with frames dropped, doubled and swapped, and bytes changed, cut and put in."""
    frames = by_frames(RECORDINGS[draw(st.sampled_from(names))])
    for _ in range(draw(st.integers(0, 4))):
        at, to = (draw(st.integers(0, len(frames) - 1)) for _ in range(2))
        match draw(st.sampled_from(["drop", "double", "swap", "move"])):
            case "drop" if len(frames) > 1:
                del frames[at]
            case "double":
                frames.insert(to, frames[at])
            case "swap":
                frames[at], frames[to] = frames[to], frames[at]
            case _:
                frames.insert(to, frames.pop(at))
    data = bytearray(b"".join(frames))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(data)))
        match draw(st.sampled_from(["flip", "cut", "drop", "put", "double"])):
            case "flip" if at < len(data):
                data[at] ^= 1 << draw(st.integers(0, 7))
            case "cut":
                del data[at:]
            case "drop":
                del data[at : at + draw(st.integers(1, 40))]
            case "double":
                data[at:at] = data[at : at + draw(st.integers(1, 200))]
            case _:
                data[at:at] = draw(st.sampled_from(TOKENS) | st.binary(max_size=5))
    return bytes(data)


@given(spoiled(), st.integers(1, 3000))
@settings(max_examples=60)
def test_spoiled_recordings(data: bytes, size: int) -> None:
    survive(data, size)


@pytest.mark.slow
@given(spoiled(list(RECORDINGS)), st.integers(1, 3000))
@settings(max_examples=400, deadline=None)
def test_spoiled_recordings_at_length(data: bytes, size: int) -> None:
    survive(data, size)


@given(spoiled(), st.integers(1, 3000))
@settings(max_examples=20)
def test_async_is_the_same(data: bytes, size: int) -> None:
    assert pull_async(cut(data, size)) == pull(cut(data, size))


# ---- events of any kind, in any order

EVENTS = instances(models.InteractionSseEvent, unknown=True, surrogates=True)


@given(st.lists(EVENTS, max_size=12))
@settings(max_examples=40)
def test_any_events(events: list[Any]) -> None:
    """What is true of the objects is true of their bytes."""
    direct = Assembler()
    for event in events:
        direct.apply(event)
        direct.snapshot()
    data = b"".join(map(encode_sse, events))
    assert direct.snapshot() == push([data]).interaction
    survive(data)


@pytest.mark.slow
@given(st.lists(EVENTS, max_size=40))
@settings(max_examples=300, deadline=None)
def test_any_events_at_length(events: list[Any]) -> None:
    direct = Assembler()
    for event in events:
        direct.apply(event)
        direct.snapshot()
    survive(b"".join(map(encode_sse, events)))


CASES = [event for case in [*LIFECYCLES, *FOLDS] for event in case.events]
PIECES: list[bytes] = list(
    dict.fromkeys(event if isinstance(event, bytes) else frame(event) for event in CASES)
)


@given(st.lists(st.sampled_from(PIECES), max_size=15))
@settings(max_examples=60)
def test_the_events_of_all_rules_in_any_order(pieces: list[bytes]) -> None:
    survive(b"".join(pieces))
    survive(stream(created()) + b"".join(pieces), 7)


@given(st.sampled_from(sorted(models.__all__)), json_texts(surrogates=True))
def test_any_payload_under_any_name(name: str, payload: bytes) -> None:
    data = b"".join(b"data: %s\n" % line for line in payload.split(b"\n"))
    for event in ("step.delta", "step.start", "interaction.completed", "error", name):
        survive(b"event: %s\n%s\n" % (event.encode(), data))


# ---- a cut never looks complete, and what it left is the beginning of the right answer


@cache
def ends(name: str) -> int:
    """Up to which byte a recording must be there to have an end: that of its last JSON."""
    data = RECORDINGS[name]
    if name == "bare-error":
        return len(data.rstrip())
    if name == "cut":
        return len(data) + 1
    event = b"interaction.completed" if b"event: interaction.completed" in data else b"error"
    place = data.index(b"event: " + event)
    return data.index(b"\n\n", place)


def begins(part: Any, whole: Any) -> bool:
    """Whether this is a beginning of that: texts and lists are shorter or equal."""
    if isinstance(part, dict) and isinstance(whole, dict):
        return all(name in whole and begins(value, whole[name]) for name, value in part.items())
    if isinstance(part, list) and isinstance(whole, list):
        return len(part) <= len(whole) and all(map(begins, part, whole))
    if isinstance(part, str) and isinstance(whole, str):
        return whole.startswith(part)
    return type(part) is type(whole) and part == whole


def check_cut(name: str, size: int, whole: Verdict) -> None:
    data = RECORDINGS[name][:size]
    found = pull(data)
    if size < ends(name):
        assert found.outcome == "truncated", size
        assert found.raised is not None
        assert found.error is None
    else:
        assert found.outcome == whole.outcome
        assert found.interaction == whole.interaction
    assert begins(found.plain.get("steps", []), whole.plain.get("steps", [])), size


def places(name: str, every: int) -> Iterator[int]:
    """Places to cut at: all, or every so many and those around the ends of frames."""
    size = len(RECORDINGS[name])
    if every == 1:
        yield from range(size + 1)
        return
    yield from range(0, size + 1, every)
    at = 0
    for block in by_frames(RECORDINGS[name]):
        at += len(block)
        yield from (place for place in range(at - 3, at + 2) if 0 <= place <= size)


@pytest.mark.parametrize("name", RECORDINGS)
def test_cut(name: str) -> None:
    """After each byte of the small ones, and after many of the others."""
    whole = pull(RECORDINGS[name])
    for size in places(name, 1 if name in TINY else len(RECORDINGS[name]) // 150):
        check_cut(name, size, whole)


@pytest.mark.slow
@pytest.mark.parametrize("name", RECORDINGS)
def test_cut_after_every_byte(name: str) -> None:
    whole = pull(RECORDINGS[name])
    for size in places(name, 1):
        check_cut(name, size, whole)


@given(st.data())
@settings(max_examples=40)
def test_spoiled_never_completes_by_itself(data: st.DataObject) -> None:
    """Without the terminal frame no spoiling of the rest makes an answer of it."""
    name = data.draw(st.sampled_from([n for n in SMALL if n not in ("cut", "error-event")]))
    frames = [
        block for block in by_frames(RECORDINGS[name]) if b"interaction.completed" not in block
    ]
    order = data.draw(st.permutations(range(len(frames))))
    found = pull(b"".join(frames[place] for place in order))
    assert found.outcome in ("truncated", "error")


@given(st.integers(0, 2000), st.sampled_from(TINY))
def test_events_before_a_cut_are_those_before(size: int, name: str) -> None:
    whole = list(InteractionStream(RECORDINGS[name]))
    seen = list(InteractionStream(RECORDINGS[name][:size]))
    assert seen == whole[: len(seen)]


def test_a_message_is_read_the_same_way_alone_and_in_company() -> None:
    """What is read in one go must not be read otherwise than one by one."""
    odd = [
        "",
        " ",
        "{}",
        "oops",
        '{"index":0,"delta":{"type":"text","text":"a"}}{"index":0}',
        '{"index":0,"delta":{"type":"text","text":"a"}} ',
        '{"index":0,"delta":{"type":"text","text":"\\n"}}',
        '{"index":0,"delta":{"type":"text","text":"b"},"event_type":"step.stop"}',
        "[DONE]",
        '{"index":0}\ndata: {"index":0}',
        '{"index":0,\ndata: "delta":{"type":"text","text":"c"}}',
    ]
    plain = frame(text(0, "x"))
    for payload in odd:
        block = f"event: step.delta\ndata: {payload}\n\n".encode()
        data = answer(start(0, "model_output"), plain, block, plain, plain, block, block, stop(0))
        expected = push([data])
        found = survive(data, 5)
        assert found.interaction == expected.interaction
        assert found.unknown == expected.unknown
        assert assemble([data, b""], damaged="keep") == expected.interaction


def test_decode_event_takes_any_name() -> None:
    for name in (None, "", "message", "step.delta", "\ud83c", "x" * 10_000, "\n"):
        event = decode_event(dumps(text(0, "a")), name)
        assert to_dict(event) == text(0, "a")
