"""Checkpoints: an assembler's state as bytes, versioned, checked, without pickle.

One line that says what this is, with the version and a CRC-32 of the rest; then one JSON object.
With marks it has the state of the oldest one and the events from there on, texts in them joined; or
each state, where a mark does not have its events any more. So a checkpoint is about as large as
what was assembled.
"""

from __future__ import annotations

import zlib
from typing import Any, Final

from msgspec.structs import asdict

from .assembler import Assembler
from .base import read_json
from .codec import decode_event, encode
from .errors import CheckpointError, ErrorInfo, GemwireError
from .marks import NO_TOKEN, Mark, Token, joined
from .models import Interaction
from .report import Issue, ResumePoint, StreamReport, UnknownSeen
from .resume import Resumable
from .state import pack, unpack

__all__ = ["read_checkpoint", "write_checkpoint"]

MAGIC: Final = b"gemwire checkpoint "
VERSION: Final = b"1"
REPORTED: Final = ("outcome", "interaction_ids", "last_event_id", "events", "bytes")


def write_checkpoint(assembler: Assembler) -> bytes:
    """See `Assembler.checkpoint`."""
    try:
        body = encode(_state(assembler))
    except RecursionError as error:
        raise GemwireError("nested too deeply to encode") from error
    return b"%b%b %08x\n" % (MAGIC, VERSION, zlib.crc32(body)) + body


def _state(assembler: Assembler) -> dict[str, Any]:
    """The state as plain data."""
    report = assembler.report
    return {
        "points": _points(assembler),
        "token": assembler.token,
        "placed": assembler.placed,
        "done_seen": assembler.done_seen,
        "replayed": pack(assembler.replayed),
        "body": pack(assembler.body),
        "report": {
            **{name: getattr(report, name) for name in REPORTED},
            "error": report.error,
            "stray": report.stray.hex(),
            "resume": None if report.resume is None else asdict(report.resume),
            "issues": [asdict(issue) for issue in report.issues],
            "unknown": [[u.path, u.kind, u.tag, u.sample.hex(), u.count] for u in report.unknown],
        },
    }


def _points(assembler: Assembler) -> list[dict[str, Any]]:
    """The marks, oldest first, and the present: each as a state, or as events since the last."""
    marks = sorted((assembler.marks or {}).items(), key=lambda named: named[1].at)
    points: list[dict[str, Any]] = []
    log: list[Any] | None = None
    for kind, mark in marks:
        point = _point(mark.assembler, log, len(mark.log or ()))
        points.append({**point, "kind": kind, "id": mark.event_id, "token": mark.token})
        points[-1]["at"] = mark.at
        log = mark.log
    points.append(_point(assembler, log, 0))
    return points


def _point(assembler: Resumable, log: list[Any] | None, rest: int) -> dict[str, Any]:
    if log is None:
        return {"hops": pack(assembler.hops)}
    events = joined(log[: len(log) - rest])
    return {"events": [encode(event).decode("utf-8", "replace") for event in events]}


def read_checkpoint(data: bytes) -> Assembler:
    """See `Assembler.restore`."""
    head, _, body = bytes(data).partition(b"\n")
    if not head.startswith(MAGIC):
        raise CheckpointError("these bytes are no checkpoint")
    version, _, check = head.removeprefix(MAGIC).partition(b" ")
    if version != VERSION:
        raise CheckpointError(f"a checkpoint of version {version[:20]!r}, this reads {VERSION!r}")
    if check != b"%08x" % zlib.crc32(body):
        raise CheckpointError("the checkpoint is damaged")
    try:
        return _restored(read_json(body))
    except CheckpointError:
        raise
    except Exception as error:
        raise CheckpointError(f"the checkpoint cannot be read: {error}") from error


def _restored(state: dict[str, Any]) -> Assembler:
    assembler = Assembler()
    assembler.marks = None  # until its state is that of the present
    marks: dict[str, Mark] = {}
    if not state["points"]:
        raise CheckpointError("the checkpoint has no state")
    for point in state["points"]:
        if "hops" in point:
            assembler.adopt(unpack(point["hops"], assembler.report))
            for mark in marks.values():
                mark.log = None
        else:
            events = [decode_event(text) for text in point["events"]]
            assembler.apply_all(events)
            for mark in marks.values():
                if mark.log is not None:
                    mark.log += events
        if "kind" in point:
            total = state["report"]["events"]
            token = Token(*point["token"])
            marks[point["kind"]] = Mark(assembler.shadow(), point["id"], token, point["at"], total)
    assembler.marks = marks
    assembler.due.clear()
    assembler.token = Token(*state["token"]) if state["token"] else NO_TOKEN
    assembler.placed = state["placed"]
    assembler.done_seen = state["done_seen"]
    replayed = unpack(state["replayed"], assembler.report)
    assembler.replayed = replayed
    body = unpack(state["body"], assembler.report)
    if body is not None:
        assert isinstance(body, Interaction)
        assembler.body = body
    for hop in (*assembler.hops, *([replayed] if replayed is not None else ())):
        hop.steps()  # so that what is wrong with a closed one is not found again
    assembler.hop.account()
    _fill(assembler.report, state["report"])
    return assembler


def _fill(report: StreamReport, saved: dict[str, Any]) -> None:
    for name in REPORTED:
        setattr(report, name, saved[name])
    report.stray = bytes.fromhex(saved["stray"])
    report.resume = None if saved["resume"] is None else ResumePoint(**saved["resume"])
    report.error = None if saved["error"] is None else ErrorInfo(*saved["error"])
    report.replace_entries(
        [Issue(**issue) for issue in saved["issues"]],
        [UnknownSeen(p, k, t, bytes.fromhex(s), n) for p, k, t, s, n in saved["unknown"]],
    )
