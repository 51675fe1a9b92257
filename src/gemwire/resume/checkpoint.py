"""Checkpoints: an answer and its savepoints as bytes, versioned, checked, without pickle.

One line that says what this is, with the version and a CRC-32 of the rest; then one JSON object in
the form of `form.py`. With savepoints it has the state of the oldest one and the events from there
on, texts in them joined; or each state, where a savepoint does not have its events any more. So a
checkpoint is about as large as what was assembled.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from itertools import groupby
from typing import Any, Final

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from ..assembly.answer import Answer, Replayed, Token
from ..codec.encode import encode
from ..codec.json import read_json
from ..codec.once import decoder
from ..codec.structs import Unknown
from ..errors import CheckpointError, GemwireError
from ..models import ArgumentsDelta, StepDelta, TextDelta, UnknownInteractionSseEvent
from ..wire.error_body import ErrorInfo
from ..wire.events import decode_event
from .form import (
    ABSENT,
    VERSION,
    PackedAnswer,
    PackedReplayed,
    PackedSavepoint,
    PackedToken,
    as_raw,
    of_raw,
)
from .savepoints import Savepoint, Savepoints, fold_still, standing_copy
from .state import pack_interaction, pack_text, unpack_interaction, unpack_text

__all__ = ["read_checkpoint", "write_checkpoint"]

MAGIC: Final = b"gemwire checkpoint "


def write_checkpoint(answer: Answer, savepoints: Savepoints) -> bytes:
    """See `Assembler.checkpoint`."""
    try:
        body = msgspec.json.encode(_packed(answer, savepoints))
    except RecursionError as error:
        raise GemwireError("nested too deeply to encode") from error
    return b"%b%d %08x\n" % (MAGIC, VERSION, zlib.crc32(body)) + body


def read_checkpoint(data: bytes) -> tuple[Answer, Savepoints]:
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


def _packed(answer: Answer, savepoints: Savepoints) -> PackedAnswer:
    return PackedAnswer(
        states=_states(answer, savepoints),
        outcome=as_raw(encode(answer.outcome)),
        error=_pack_error(answer.error),
        last_event_id=pack_text(answer.last_event_id),
        token=_pack_token(answer.token),
        done_seen=answer.done_seen,
        body=answer.body,
        rollbacks=answer.rollbacks,
        replayed=None if answer.replayed is None else _pack_replayed(answer.replayed),
        generation=savepoints.generation,
        event_count=answer.event_count,
        byte_count=answer.byte_count,
        stray=answer.stray,
        issues=answer.findings.issues,
        unknown=answer.findings.unknown,
        searched=answer.searched,
    )


def _states(answer: Answer, savepoints: Savepoints) -> list[PackedSavepoint]:
    """The savepoints, oldest first, and the present: each as a state, or as events since then."""
    states: list[PackedSavepoint] = []
    log: list[Any] | None = None
    for kind, held in sorted(savepoints.held.items(), key=lambda named: named[1].generation):
        state = _state(held.answer, log, len(held.log or ()))
        state.kind = kind
        state.event_id = pack_text(held.event_id)
        state.token = _pack_token(held.token)
        state.generation = held.generation
        state.room = held.room
        states.append(state)
        log = held.log
    states.append(_state(answer, log, 0))
    return states


def _state(answer: Answer, log: list[Any] | None, rest: int) -> PackedSavepoint:
    if log is None:
        return PackedSavepoint(interactions=list(map(pack_interaction, answer.interactions)))
    return PackedSavepoint(events=list(map(_pack_event, joined(log[: len(log) - rest]))))


def _pack_event(event: Any) -> tuple[str | None, Raw]:
    if isinstance(event, Unknown):  # its text need not be JSON
        return event.tag or "", as_raw(encode(event.json.decode("utf-8", "replace")))
    return None, as_raw(encode(event))


def _unpack_event(packed: tuple[str | None, Raw]) -> Any:
    tag, text = packed[0], of_raw(packed[1])
    if tag is None:
        return decode_event(text)
    data = read_json(text).encode()
    event = decode_event(data, tag or None)
    return event if isinstance(event, Unknown) else UnknownInteractionSseEvent(data, tag or None)


def joined(events: Iterable[Any]) -> list[Any]:
    """The events, with runs of fragments of one text as one event: what came of them is the same.

    A fragment of a few letters is a hundred bytes of JSON.
    """
    result: list[Any] = []
    for key, alike in groupby(events, _run_of):
        run = list(alike)
        if key is not None and len(run) > 1:
            name, _ = key
            whole = "".join(getattr(event.delta, name) for event in run)
            run = [replace(run[0], delta=replace(run[0].delta, **{name: whole}))]
        result += run
    return result


def _run_of(event: Any) -> tuple[str, Any] | None:
    """The member with the fragment, and the step, of a delta that brings that and nothing else."""
    if type(event) is not StepDelta:
        return None
    delta: Any = event.delta
    bare: Any = None
    name = "text"
    if type(delta) is TextDelta:
        bare = TextDelta(text=delta.text)
    elif type(delta) is ArgumentsDelta and isinstance(delta.arguments, str):
        bare, name = ArgumentsDelta(arguments=delta.arguments), "arguments"
    if bare is None or event != StepDelta(index=event.index, delta=bare):
        return None
    return name, event.index


def _pack_token(token: Token) -> PackedToken:
    return PackedToken(pack_text(token.value), pack_text(token.owner))


def _pack_error(error: ErrorInfo | None) -> Raw:
    if error is None:
        return ABSENT
    return as_raw(encode([error.code, error.message, error.status, error.details, error.raw]))


def _pack_replayed(held: Replayed) -> PackedReplayed:
    return PackedReplayed(
        pack_interaction(held.current),
        held.outcome,
        _pack_error(held.error),
        pack_text(held.last_event_id),
        _pack_token(held.token),
        held.keep,
    )


# ---- and back


def _restored(packed: PackedAnswer) -> tuple[Answer, Savepoints]:
    answer, savepoints = Answer(), Savepoints()
    if not packed.states:
        raise CheckpointError("the checkpoint has no state")
    for state in packed.states:
        _take_state(answer, savepoints, state)
    answer.outcome = unpack_text(packed.outcome)
    answer.error = _unpack_error(packed.error)
    answer.last_event_id = unpack_text(packed.last_event_id)
    answer.token = _unpack_token(packed.token)
    answer.done_seen = packed.done_seen
    answer.body = packed.body
    answer.rollbacks = packed.rollbacks
    answer.replayed = None if packed.replayed is None else _unpack_replayed(packed.replayed, answer)
    savepoints.generation = packed.generation
    answer.event_count = packed.event_count
    answer.byte_count = packed.byte_count
    answer.stray = packed.stray
    held = [*answer.interactions]
    if answer.replayed is not None:
        held.append(answer.replayed.current)
    for interaction in held:
        interaction.steps()  # so that what is wrong with a closed one is not found again
    answer.findings.restore(packed.issues, packed.unknown)
    answer.searched = packed.searched
    return answer, savepoints


def _take_state(answer: Answer, savepoints: Savepoints, state: PackedSavepoint) -> None:
    if state.interactions is None and state.events is None:
        raise CheckpointError("the checkpoint has a state without content")
    if state.interactions is not None:
        answer.adopt([unpack_interaction(held, answer.findings) for held in state.interactions])
        for savepoint in savepoints.held.values():
            savepoint.log = None
    else:
        events = list(map(_unpack_event, state.events or ()))
        fold_still(answer, events)
        for savepoint in savepoints.held.values():
            if savepoint.log is not None:
                savepoint.log += events
    if state.kind is not None:
        still = standing_copy(answer)
        savepoints.held[state.kind] = Savepoint(
            still,
            unpack_text(state.event_id),
            _unpack_token(state.token),
            state.generation,
            state.room,
        )


def _unpack_token(packed: PackedToken) -> Token:
    return Token(unpack_text(packed.value), unpack_text(packed.owner))


def _unpack_error(packed: Raw) -> ErrorInfo | None:
    return ErrorInfo(*read_json(of_raw(packed))) if of_raw(packed) else None


def _unpack_replayed(packed: PackedReplayed, answer: Answer) -> Replayed:
    return Replayed(
        unpack_interaction(packed.current, answer.findings),
        packed.outcome,
        _unpack_error(packed.error),
        unpack_text(packed.last_event_id),
        _unpack_token(packed.token),
        packed.keep,
    )
