"""Checkpoints: an answer and its savepoints as bytes, versioned, checked, without pickle.

One line that says what this is, with the version and a CRC-32 of the rest; then one JSON object in
the form of `form.py`: the present state, the savepoints, and what they have in common.
"""

from __future__ import annotations

import zlib
from typing import Any, Final, NamedTuple

import msgspec

from ..assembly.answer import Answer, Replayed, Token
from ..codec.once import decoder
from ..errors import CheckpointError, GemwireError
from ..wire.error_body import ErrorInfo
from .form import (
    VERSION,
    PackedAnswer,
    PackedGate,
    PackedInteraction,
    PackedReplayed,
    PackedSavepoint,
    PackedToken,
    Value,
)
from .gate import Gate
from .savepoints import Savepoint, Savepoints
from .shared import Given, Shared
from .state import (
    pack,
    pack_interaction,
    pack_optional,
    unpack,
    unpack_interaction,
    unpack_optional,
)

__all__ = ["Held", "read_checkpoint", "write_checkpoint"]

MAGIC: Final = b"gemwire checkpoint "


class Held(NamedTuple):
    """All that an `Assembler` holds."""

    answer: Answer
    savepoints: Savepoints
    gate: Gate | None
    expected: list[int]
    """Sums of the events that would be a repetition which has begun."""


def write_checkpoint(held: Held) -> bytes:
    """See `Assembler.checkpoint`."""
    try:
        body = msgspec.json.encode(_packed(held))
    except RecursionError as error:
        raise GemwireError("nested too deeply to encode") from error
    return b"%b%d %08x\n" % (MAGIC, VERSION, zlib.crc32(body)) + body


def read_checkpoint(data: bytes) -> Held:
    """See `Assembler.restore`."""
    head, _, body = bytes(data).partition(b"\n")
    if not head.startswith(MAGIC):
        raise CheckpointError("these bytes are no checkpoint")
    version, _, check = head.removeprefix(MAGIC).partition(b" ")
    if version != b"%d" % VERSION:
        told = version[:20].decode("ascii", "replace")
        raise CheckpointError(f"a checkpoint of version {told}; this gemwire reads {VERSION}")
    if check != b"%08x" % zlib.crc32(body):
        raise CheckpointError("the checkpoint is damaged")
    try:
        return _restored(decoder(PackedAnswer).decode(body))
    except CheckpointError:
        raise
    except Exception as error:
        raise CheckpointError(f"the checkpoint cannot be read: {error}") from error


# ---- there


def _packed(held: Held) -> PackedAnswer:
    answer, savepoints, gate, expected = held
    shared = Shared(several=bool(savepoints.held or answer.replayed))
    oldest_first = sorted(savepoints.held.items(), key=lambda named: named[1].generation)
    states = [_pack_savepoint(shared, kind, savepoint) for kind, savepoint in oldest_first]
    replayed = None if answer.replayed is None else _pack_replayed(shared, answer.replayed)
    packed = PackedAnswer(
        interactions=_pack_interactions(shared, answer),
        outcome=pack(shared, answer.outcome),
        error=_pack_error(shared, answer.error),
        last_event_id=pack_optional(shared, answer.last_event_id),
        token=_pack_token(shared, answer.token),
        tokens_seen=sorted(answer.tokens_seen),
        done_seen=answer.done_seen,
        body=answer.body,
        rollbacks=answer.rollbacks,
        savepoints=states,
        generation=savepoints.generation,
        replayed=replayed,
        gate=_pack_gate(shared, gate) if gate is not None and gate.undecided else None,
        expected=expected,
        event_count=answer.event_count,
        byte_count=answer.byte_count,
        stray=answer.stray,
        issues=answer.findings.issues,
        unknown=answer.findings.in_events,
        found=answer.findings.in_answer,
        searched=answer.searched,
    )
    packed.texts, packed.values, packed.steps = shared.raw_texts(), shared.values, shared.steps
    return packed


def _pack_interactions(shared: Shared, answer: Answer) -> list[PackedInteraction]:
    return [pack_interaction(shared, held, hop) for hop, held in enumerate(answer.interactions)]


def _pack_savepoint(shared: Shared, kind: str, savepoint: Savepoint) -> PackedSavepoint:
    return PackedSavepoint(
        kind,
        _pack_interactions(shared, savepoint.answer),
        pack_optional(shared, savepoint.event_id),
        _pack_token(shared, savepoint.token),
        savepoint.generation,
        savepoint.head(),
    )


def _pack_replayed(shared: Shared, held: Replayed) -> PackedReplayed:
    return PackedReplayed(
        pack_interaction(shared, held.current, held.hop),
        held.hop,
        pack(shared, held.outcome),
        _pack_error(shared, held.error),
        pack_optional(shared, held.last_event_id),
        _pack_token(shared, held.token),
        held.keep,
    )


def _pack_gate(shared: Shared, gate: Gate) -> PackedGate:
    created = None if gate.created is None else pack(shared, gate.created, split=True)
    return PackedGate(created, pack_optional(shared, gate.token))


def _pack_token(shared: Shared, token: Token) -> PackedToken:
    return PackedToken(pack_optional(shared, token.value), pack_optional(shared, token.owner))


def _pack_error(shared: Shared, error: ErrorInfo | None) -> Value | None:
    if error is None:
        return None
    return pack(shared, [error.code, error.message, error.status, error.details, error.raw])


# ---- and back


def _restored(packed: PackedAnswer) -> Held:
    given = Given(packed.texts, packed.values, packed.steps)
    answer, savepoints = Answer(), Savepoints()
    if not packed.interactions:
        raise CheckpointError("the checkpoint has no state")
    answer.adopt([unpack_interaction(given, one, answer.findings) for one in packed.interactions])
    answer.outcome = unpack(given, packed.outcome)
    answer.error = _unpack_error(given, packed.error)
    answer.last_event_id = unpack_optional(given, packed.last_event_id)
    answer.token = _unpack_token(given, packed.token)
    answer.tokens_seen = set(packed.tokens_seen)
    answer.done_seen = packed.done_seen
    answer.body = packed.body
    answer.rollbacks = packed.rollbacks
    if packed.replayed is not None:
        answer.replayed = _unpack_replayed(given, packed.replayed, answer)
    for state in packed.savepoints:
        savepoints.held[state.kind] = _unpack_savepoint(given, state, packed.event_count)
    savepoints.generation = packed.generation
    answer.event_count = packed.event_count
    answer.byte_count = packed.byte_count
    answer.stray = packed.stray
    # What was wrong with the steps that are complete was found again a moment ago.
    answer.findings.restore(packed.issues, packed.unknown, packed.found)
    answer.searched = packed.searched
    gate = None
    if packed.gate is not None:
        gate = Gate(answer, savepoints)
        gate.created = unpack_optional(given, packed.gate.created)
        gate.token = unpack_optional(given, packed.gate.token)
    return Held(answer, savepoints, gate, packed.expected)


def _unpack_savepoint(given: Given, packed: PackedSavepoint, room: int) -> Savepoint:
    if not packed.interactions:
        raise CheckpointError("the checkpoint has a savepoint without a state")
    still = Answer()
    still.adopt([unpack_interaction(given, one, still.findings) for one in packed.interactions])
    token = _unpack_token(given, packed.token)
    event_id = unpack_optional(given, packed.event_id)
    savepoint = Savepoint(still, event_id, token, packed.generation, room)
    savepoint.drop_log(packed.head)
    return savepoint


def _unpack_replayed(given: Given, packed: PackedReplayed, answer: Answer) -> Replayed:
    if packed.hop >= len(answer.interactions):
        raise CheckpointError("the checkpoint has a replay of nothing")
    return Replayed(
        unpack_interaction(given, packed.current, answer.findings),
        packed.hop,
        unpack(given, packed.outcome),
        _unpack_error(given, packed.error),
        unpack_optional(given, packed.last_event_id),
        _unpack_token(given, packed.token),
        packed.keep,
    )


def _unpack_token(given: Given, packed: PackedToken) -> Token:
    return Token(unpack_optional(given, packed.value), unpack_optional(given, packed.owner))


def _unpack_error(given: Given, packed: Value | None) -> ErrorInfo | None:
    error: Any = unpack_optional(given, packed)
    return None if error is None else ErrorInfo(*error)
