"""Checkpoints: an assembler's state as bytes, versioned, checked, without pickle.

One line that says what this is, with the version and a CRC-32 of the rest; then one JSON object.
With marks, the state is that of the oldest mark and the events since then, which bring back the
state and the later mark: so a checkpoint is about as large as what was assembled.
"""

from __future__ import annotations

import zlib
from typing import Any, Final

import msgspec

from .assembler import Assembler
from .codec import decode_event, encode
from .errors import CheckpointError, ErrorInfo
from .marks import Token
from .report import Issue, StreamReport, UnknownSeen
from .state import pack, unpack

__all__ = ["read_checkpoint", "write_checkpoint"]

MAGIC: Final = b"gemwire checkpoint 1 "
REPORTED = ("outcome", "interaction_ids", "last_event_id", "events", "bytes")


def write_checkpoint(assembler: Assembler) -> bytes:
    """See `Assembler.checkpoint`."""
    report = assembler.report
    kinds = {kind: mark for kind in ("event", "token") if (mark := assembler.mark(kind))}
    base = max(kinds.values(), key=lambda mark: len(mark.log), default=None)
    state = {
        "hops": pack(base.assembler.hops if base else assembler.hops),
        "base": None if base is None else [base.event_id, base.token],
        "kinds": [k for k, mark in kinds.items() if base and len(mark.log) == len(base.log)],
        "log": [encode(event).decode("utf-8", "replace") for event in (base.log if base else ())],
        "token": assembler.token,
        "report": {
            **{name: getattr(report, name) for name in REPORTED},
            "error": report.error,
            "issues": report.issues,
            "unknown": [[u.path, u.kind, u.tag, u.sample.hex(), u.count] for u in report.unknown],
        },
    }
    body = encode(state)
    return MAGIC + b"%08x\n" % zlib.crc32(body) + body


def read_checkpoint(data: bytes) -> Assembler:
    """See `Assembler.restore`."""
    head, _, body = bytes(data).partition(b"\n")
    if not head.startswith(MAGIC[:-2]):
        raise CheckpointError("these bytes are no checkpoint")
    if head != MAGIC + b"%08x" % zlib.crc32(body):
        raise CheckpointError("the checkpoint is damaged, or of another version")
    try:
        return _restored(msgspec.json.decode(body))
    except CheckpointError:
        raise
    except Exception as error:
        raise CheckpointError(f"the checkpoint cannot be read: {error}") from error


def _restored(state: dict[str, Any]) -> Assembler:
    assembler = Assembler()
    assembler.adopt(unpack(state["hops"], StreamReport()))
    if state["base"] is not None:
        event_id, token = state["base"]
        assembler.token = Token(*token)
        assembler.report.last_event_id = event_id
        for kind in state["kinds"]:
            assembler.set_mark(kind)
        assembler.apply_all([decode_event(text) for text in state["log"]])
    assembler.token = Token(*state["token"])
    assembler.hop.account()
    _fill(assembler.report, state["report"])
    return assembler


def _fill(report: StreamReport, saved: dict[str, Any]) -> None:
    for name in REPORTED:
        setattr(report, name, saved[name])
    report.error = None if saved["error"] is None else ErrorInfo(*saved["error"])
    report.replace_entries(
        [Issue(**issue) for issue in saved["issues"]],
        [UnknownSeen(p, k, t, bytes.fromhex(s), n) for p, k, t, s, n in saved["unknown"]],
    )
