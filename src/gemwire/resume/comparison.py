"""A replay against what was held before it, and events that come again."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET
from msgspec.structs import replace

from ..assembly.answer import NO_TOKEN, Answer
from ..assembly.contents import ContentPartBuilder
from ..assembly.interaction import InteractionBuilder
from ..codec.schema import fields
from ..codec.structs import WireStruct
from ..wire.normalise import without_leading_input
from .savepoints import Savepoints

__all__ = ["Repetition", "conclude_replay"]


def conclude_replay(answer: Answer, savepoints: Savepoints) -> None:
    """Hold a replay against what was there: that should be its beginning.

    An answer that was complete is never lost: it stands unless the replay is the same or more. One
    that was not stands only if the replay was cut before it came as far.
    """
    held = answer.replayed
    if held is None:
        return
    answer.replayed = None
    new, old = answer.current, held.current
    cut = answer.outcome in ("truncated", "error")
    difference = first_difference(old, new)
    if held.keep:
        if not cut and difference is None and not is_shorter(new, old):
            _keep_identity(old, new)
            return
        told = difference or (answer.error.message if answer.error else answer.outcome)
        answer.findings.issue("held_stands", None, told)
        answer.outcome, answer.error = held.outcome, held.error
    elif difference is not None:
        answer.findings.issue("replay_differs", None, difference)
        _keep_identity(old, new)
        return
    elif not cut or old.ended or not is_shorter(new, old):
        _keep_identity(old, new)
        return
    # It was cut before it came as far. To go on from here there is only one way: again.
    answer.adopt([*answer.interactions[:-1], old])
    savepoints.held.clear()
    complete = held.keep
    answer.last_event_id = held.last_event_id if complete else None
    answer.token = held.token if complete else NO_TOKEN


def _keep_identity(old: InteractionBuilder, new: InteractionBuilder) -> None:
    if new.interaction.id is UNSET and old.interaction.id is not UNSET:
        new.interaction = replace(new.interaction, id=old.interaction.id)


def own_steps(held: InteractionBuilder) -> list[tuple[Any, bool]]:
    """The steps of an interaction, and whether each is complete.

    Those that begin it and are input are left out: a GET gives them back and a POST does not.
    """
    if not held.order:  # a body, or nothing
        found = [(step, held.ended) for step in held.interaction.steps or ()]
    else:
        steps = held.steps()
        complete = [
            held.ended if isinstance(builder, ContentPartBuilder) else builder.closed
            for _, builder in held.order
        ]
        if len(complete) != len(steps):  # some have several builders, and all but the last are over
            complete = [True] * (len(steps) - 1) + [held.ended]
        found = list(zip(steps, complete, strict=True))
    own = without_leading_input([step for step, _ in found])
    return found[len(found) - len(own) :]


def first_difference(held: InteractionBuilder, new: InteractionBuilder) -> str | None:
    """Where a replay goes another way than what was held; None if it only goes further or less."""
    identity, another = held.interaction.id, new.interaction.id
    if identity and another and identity != another:
        return f"id: {identity} / {another}"
    before, after = own_steps(held), own_steps(new)
    for at, ((old, was_closed), (now, is_closed)) in enumerate(zip(before, after, strict=False)):
        further = not was_closed and begins(old, now)
        less = not is_closed and begins(now, old)
        if old != now and not further and not less:
            return f"step {at}: {old!r} / {now!r}"
    if new.ended and len(after) < len(before):
        return f"step {len(after)}: {before[len(after)][0]!r} / none"
    return None


def is_shorter(new: InteractionBuilder, held: InteractionBuilder) -> bool:
    """Whether what is held got further."""
    before, after = own_steps(held), own_steps(new)
    if len(before) != len(after):
        return len(before) > len(after)
    if held.ended != new.ended:
        return held.ended
    if not before or before[-1] == after[-1]:
        return False
    (old, was_closed), (now, is_closed) = before[-1], after[-1]
    return was_closed if old == now else not is_closed and begins(now, old)


def begins(old: Any, now: Any) -> bool:
    """Whether one value is an earlier state of the other."""
    if old is UNSET or old == now:
        return True
    if isinstance(old, WireStruct) and type(old) is type(now):
        return all(begins(getattr(old, n), getattr(now, n)) for n in fields(type(old)))
    if isinstance(old, list) and isinstance(now, list):
        return len(old) <= len(now) and all(map(begins, old, now))
    return isinstance(old, str) and isinstance(now, str) and now.startswith(old)


class Repetition:
    """Looks whether the first events after a restart are those that came last before it.

    Then they are the answer to a resume request that nobody announced by `reopen()`.
    """

    __slots__ = ("_at", "_log")

    def __init__(self, log: list[Any]) -> None:
        self._log = log
        self._at = 0

    def takes(self, event: Any) -> bool | None:
        """True: all of them came again. False: something else came. None: not known yet."""
        if self._at == len(self._log) or event != self._log[self._at]:
            return False
        self._at += 1
        return True if self._at == len(self._log) else None
