"""Faults at every byte: what is damaged on its way never passes for something else.

Each stream is cut after every byte; each of its events is dropped, sent twice and swapped with the
next; each of its bytes is changed. The fast run takes a sample. What is expected is worked out here
from the plain bytes: which frames are still as they were, and which steps they belong to.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any, NamedTuple

import pytest

from gemwire.replay import BUNDLED, Recording

from . import test_corpus as corpus
from .wire import Payload, Verdict, pull

CORPUS = corpus.STREAMS
EVERY_BYTE = bool(os.environ.get("GEMWIRE_EVERY_BYTE"))
"""Try every byte of every stream, which takes some twenty minutes."""

LONG = 16 * 2**10  # bytes
CAPTURED = 800
"""How many bytes of a captured stream are tried; those that we ship are tried at every byte."""


class Subject(NamedTuple):
    """A stream, and what it comes to when nothing happens to it."""

    data: bytes
    blocks: list[bytes]
    """Its frames, each with its blank line."""
    right: Verdict

    @property
    def last_word(self) -> int | None:
        """Which block decides the outcome; None where the stream itself is cut."""
        for at, block in enumerate(self.blocks):
            event = parsed(block)
            if isinstance(event, dict) and event.get("event_type") in (
                "interaction.completed",
                "error",
            ):
                return at
        return len(self.blocks) - 1 if self.right.outcome == "error" else None


@cache
def subject(name: str) -> Subject:
    data = corpus.stream_of(name) if name in CORPUS else Recording.load(name).stream
    return Subject(data, blocks_of(data), pull(data))


def blocks_of(data: bytes) -> list[bytes]:
    """Cut after each blank line, with LFs alone."""
    parts = data.split(b"\n\n")
    return [part + b"\n\n" for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])


def parsed(block: bytes) -> Any:
    """The JSON of a frame; None if it is none."""
    lines = [line for line in block.split(b"\n") if line.startswith(b"data:")]
    text = b"\n".join(line[5:].removeprefix(b" ") for line in lines)
    try:
        return json.loads(text.decode("utf-8", "replace"))
    except ValueError:
        return None


def index_of(event: Any) -> int | None:
    index = event.get("index") if isinstance(event, dict) else None
    return index if isinstance(index, int) and index >= 0 else None


def touched_by(blocks: Sequence[bytes], opened: int) -> set[int]:
    """The steps that these frames may be about; without an index, the one opened last."""
    found: set[int] = set()
    for block in blocks:
        event = parsed(block)
        index = index_of(event)
        found.add(opened if index is None else index)
        found.add(opened + 1)
    return found


def is_prefix(part: Any, whole: Any) -> bool:
    """Whether a value may have grown to another."""
    if isinstance(part, dict) and isinstance(whole, dict):
        return all(name in whole and is_prefix(part[name], whole[name]) for name in part)
    if isinstance(part, list) and isinstance(whole, list):
        return len(part) <= len(whole) and all(map(is_prefix, part, whole))
    if isinstance(part, str) and isinstance(whole, str):
        return whole.startswith(part)
    return bool(part == whole)


def stand_among(expected: list[Payload], found: list[Payload]) -> bool:
    """Whether these steps are there, in this order, whatever stands between them."""
    rest = iter(found)
    return all(any(step == other for other in rest) for step in expected)


def others(right: Verdict, touched: set[int]) -> list[Payload]:
    """The steps that nothing happened to; in these streams, index is position."""
    return [step for at, step in enumerate(right.steps or []) if at not in touched]


def sampled(positions: Sequence[int], most: int) -> list[int]:
    stride = max(1, len(positions) // most)
    return [*positions[::stride], *positions[-3:]]


# ---- cut after every byte


def check_cut(name: str, at: int) -> None:
    data, blocks, right = subject(name)
    found = pull(data[:at])
    last = subject(name).last_word
    if last is None:
        whole = False
    else:
        before = sum(map(len, blocks[:last]))
        text = blocks[last].rstrip(b"\n")
        whole = at >= before + len(text) if text.endswith((b"}", b"]")) else at >= len(data)
    if right.outcome == "error" and not whole and last == len(blocks) - 1:
        whole = parsed(b"data: " + data[:at].rpartition(b"\n\n")[2].strip()) is not None
    assert found.outcome == (right.outcome if whole else "truncated"), at
    assert is_prefix(found.steps or [], right.steps or []), at
    if not whole:
        assert (found.known.resume is None) == (not found.ids)


def cuts(name: str, most: int) -> list[int]:
    if EVERY_BYTE:
        return list(range(len(subject(name).data)))
    return sampled(range(len(subject(name).data)), most)


# ---- whole events


class Fault(NamedTuple):
    """One fault: the frames as they arrive, and which of the original ones it concerns."""

    kind: str
    at: int
    blocks: list[bytes]
    hurt: list[bytes]


def faults(blocks: list[bytes]) -> Iterator[Fault]:
    for at, block in enumerate(blocks):
        yield Fault("drop", at, blocks[:at] + blocks[at + 1 :], [block])
        yield Fault("duplicate", at, [*blocks[: at + 1], *blocks[at:]], [block])
        if at + 1 < len(blocks):
            one, two = blocks[at : at + 2]
            yield Fault("swap", at, [*blocks[:at], two, one, *blocks[at + 2 :]], [one, two])


def visible(fault: Fault, right: Verdict) -> set[str]:
    """The issues of which one must be reported; empty where nothing can be seen."""
    events = [parsed(block) or {} for block in fault.hurt]
    kinds = [event.get("event_type", "") for event in events]
    first = kinds[0]
    if fault.kind == "drop":
        return {
            "step.start": {"start_missing", "stop_unopened"},
            "step.stop": {"never_stopped"}
            if right.outcome not in ("truncated", "error")
            else set(),
        }.get(first, set())
    if fault.kind == "duplicate":
        return {
            "interaction.created": {"created_again"},
            "step.start": {"start_again"},
            "step.stop": {"after_stop"},
            "interaction.completed": {"after_end"},
        }.get(first, set())
    same = index_of(events[0]) is not None and index_of(events[0]) == index_of(events[1])
    if same and kinds == ["step.start", "step.delta"]:
        return {"start_missing", "start_late", "start_again"}
    if same and kinds == ["step.start", "step.stop"]:
        return {"stop_unopened"}
    if same and kinds == ["step.delta", "step.stop"]:
        return {"after_stop"}
    if kinds == ["step.stop", "interaction.completed"]:
        return {"after_end", "never_stopped"}
    return set()


def check_fault(name: str, fault: Fault) -> None:
    _, _, right = subject(name)
    found = pull(b"".join(fault.blocks))
    last = subject(name).last_word
    lost = fault.kind == "drop" and fault.at == last
    if not lost:
        assert found.outcome == right.outcome
    elif right.outcome != "error":
        assert found.outcome == "truncated"
    touched = {at for event in map(parsed, fault.hurt) if (at := index_of(event)) is not None}
    assert stand_among(others(right, touched), found.steps or [])
    seen = {issue[0] for issue in found.issues}
    expected = visible(fault, right)
    assert not expected or expected & seen, (fault.kind, fault.at, found.issues)


# ---- bytes


CHANGES: dict[str, Callable[[int], int]] = {
    "another character": lambda byte: byte ^ 1,
    "no UTF-8": lambda byte: 0xFF,
    "a line end": lambda byte: 0x0A,
}


def check_byte(name: str, at: int, change: str) -> None:
    data, blocks, right = subject(name)
    new = CHANGES[change](data[at])
    if new == data[at]:
        return
    damaged = data[:at] + bytes([new]) + data[at + 1 :]
    now = blocks_of(damaged)
    head = 0
    while head < min(len(blocks), len(now)) and blocks[head] == now[head]:
        head += 1
    tail = 0
    while tail < min(len(blocks), len(now)) - head and blocks[-1 - tail] == now[-1 - tail]:
        tail += 1
    before, after = blocks[head : len(blocks) - tail], now[head : len(now) - tail]
    found = pull(damaged)
    where = (at, change, found.outcome)

    last = subject(name).last_word
    if last is not None and not head <= last < len(blocks) - tail:
        assert found.outcome == right.outcome, where
    elif found.outcome == right.outcome != "truncated" and right.outcome != "error":
        # What is left of the terminal event is a terminal event.
        left = [event for event in map(parsed, after) if isinstance(event, dict)]
        assert any("interaction" in event for event in left), where
    elif found.outcome == "completed":
        left = [event for event in map(parsed, after) if isinstance(event, dict)]
        assert any(event.get("event_type") == "interaction.completed" for event in left), where

    opened = -1
    for block in blocks[:head]:
        event = parsed(block)
        if isinstance(event, dict) and event.get("event_type") == "step.start":
            opened = event["index"]
    touched = touched_by([*before, *after], opened)
    assert stand_among(others(right, touched), found.steps or []), where

    report = found.known
    for block in after:
        dead = parsed(block) is None and block.strip() and b"[DONE]" not in block
        if dead and b"data" in block:
            seen = report.unknown or report.issues or report.stray
            assert seen or found.outcome in ("truncated", "error"), where
    if readable(after) < readable(before):  # an event is gone: that is never a success
        assert found.raised is not None or found.outcome not in GOOD, where


GOOD = ("completed", "requires_action")


def readable(blocks: Sequence[bytes]) -> int:
    """How many of the frames are events."""
    return sum(isinstance(parsed(block), dict) for block in blocks)


# ---- the runs


@pytest.mark.parametrize("name", BUNDLED)
def test_cut(name: str) -> None:
    for at in cuts(name, 150):
        check_cut(name, at)


@pytest.mark.parametrize("name", BUNDLED)
def test_events(name: str) -> None:
    for fault in faults(subject(name).blocks):
        check_fault(name, fault)


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("name", BUNDLED)
def test_bytes(name: str, change: str) -> None:
    for at in cuts(name, 80):
        check_byte(name, at, change)


@pytest.mark.slow
@pytest.mark.parametrize("name", BUNDLED)
def test_cut_after_every_byte(name: str) -> None:
    size = len(subject(name).data)
    for at in cuts(name, size if size < LONG else 1000):
        check_cut(name, at)


@pytest.mark.slow
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("name", BUNDLED)
def test_every_byte(name: str, change: str) -> None:
    """All of them, but for the long recording of audio, which is one kind of event all over."""
    size = len(subject(name).data)
    for at in cuts(name, size if size < LONG else 1000):
        check_byte(name, at, change)


@pytest.mark.slow
@pytest.mark.skipif(not CORPUS, reason="no corpus of captured streams at hand")
@pytest.mark.parametrize("name", CORPUS)
def test_captured_streams(name: str) -> None:
    for at in cuts(name, CAPTURED):
        check_cut(name, at)
    for fault in faults(subject(name).blocks):
        check_fault(name, fault)
    for change in CHANGES:
        for at in cuts(name, CAPTURED):
            check_byte(name, at, change)
