"""A replay against what was held before it, and events that come again."""

from __future__ import annotations

from copy import copy
from itertools import groupby
from typing import Any, Final, NamedTuple, Self

from msgspec import UNSET
from msgspec.structs import replace

from ..assembly.answer import NO_TOKEN, Answer, Replayed
from ..assembly.contents import ContentPartBuilder
from ..assembly.interaction import InteractionBuilder
from ..codec.schema import fields
from ..codec.structs import WireStruct
from ..models import Interaction
from ..wire.normalise import normalise, without_leading_input
from .savepoints import Savepoints, event_id_of, sum_of

__all__ = ["PlacedStep", "Repetition", "conclude_replay", "placed_steps"]

CUT: Final = ("in_progress", "truncated", "error")
"""The outcomes of a stream that did not come to its end."""

GOOD: Final = ("completed", "requires_action")
"""The outcomes of an answer than which none is better."""


def conclude_replay(answer: Answer, savepoints: Savepoints) -> None:
    """Hold a replay against what was there: that should be its beginning.

    An answer that was complete is never lost: it stands unless the replay is the same or more. One
    that was not stands only if the replay was cut before it came as far.
    """
    held = answer.replayed
    if held is None:
        return
    answer.replayed = None
    new, old = answer.interactions[held.hop], held.current
    is_last = new is answer.current  # a replay may go on with further hops
    cut = is_last and answer.outcome in CUT
    shorter = is_last and is_shorter(new, old)
    difference = first_difference(old, new)
    if held.keep:
        other = held.outcome in GOOD and answer.outcome != held.outcome
        if is_last and not cut and not shorter and not other and difference is None:
            _fill_in(old, new)
            return
        told = difference or (answer.error.message if answer.error else answer.outcome)
        answer.findings.issue("held_stands", None, told)
        _stand(answer, savepoints, held)
        answer.error = held.error
    elif cut and shorter and (not old.ended or held.outcome == "requires_continuation"):
        _stand(answer, savepoints, held)
    else:
        if difference is not None:
            answer.findings.issue("replay_differs", None, difference)
        if new.interaction.id is UNSET and old.interaction.id is not UNSET:
            new.interaction = replace(new.interaction, id=old.interaction.id)


def _stand(answer: Answer, savepoints: Savepoints, held: Replayed) -> None:
    """What was held is the answer after all."""
    answer.adopt([*answer.interactions[: held.hop], held.current])
    savepoints.held.clear()
    if held.current.ended:
        answer.outcome = held.outcome
        answer.last_event_id, answer.token = held.last_event_id, held.token
    else:  # to go on from here there is only one way: from the start
        answer.last_event_id, answer.token = None, NO_TOKEN


def _fill_in(old: InteractionBuilder, new: InteractionBuilder) -> None:
    """What a complete answer said and its replay does not."""
    members = {
        name: getattr(old.interaction, name)
        for name in fields(Interaction)
        if getattr(new.interaction, name) is UNSET and name not in ("continuation_token", "steps")
    }
    new.interaction = replace(new.interaction, **members)
    new.raw_members = {**old.raw_members, **new.raw_members}
    ledger = copy(old.ledger)
    if new.ledger.source is not None:
        ledger.offer(new.ledger.usage, new.ledger.source)
    new.ledger = ledger


class PlacedStep(NamedTuple):
    """A step of one interaction, as far as it has come."""

    position: int
    step: Any
    is_finished: bool
    is_broken: bool
    """Whether it is a call whose arguments cannot be read."""


def placed_steps(held: InteractionBuilder) -> list[PlacedStep]:
    """The steps of an interaction, in their order."""
    if not held.order:  # a body, or nothing
        sent = held.interaction.steps or ()
        return [PlacedStep(at, step, held.ended, False) for at, step in enumerate(sent)]
    steps = held.steps()
    builders = [builder for _, builder in held.order]
    if not held.in_runs:
        return [
            PlacedStep(builder.position, step, builder.closed, builder.broken is not None)
            for builder, step in zip(builders, steps, strict=True)
        ]
    # Contents of the legacy generation: a run of them is one step, and ends with the next.
    found: list[PlacedStep] = []
    for in_run, alike in groupby(builders, lambda each: isinstance(each, ContentPartBuilder)):
        run = list(alike)
        for builder in run[-1:] if in_run else run:
            over = (held.ended or builder is not builders[-1]) if in_run else builder.closed
            at = len(found)
            found.append(PlacedStep(at, steps[at], over, builder.broken is not None))
    return found


def own_steps(held: InteractionBuilder) -> list[tuple[Any, bool]]:
    """The steps of an interaction, and whether each is complete.

    Those that begin it and are input are left out: a GET gives them back and a POST does not.
    """
    found = [(placed.step, placed.is_finished) for placed in placed_steps(held)]
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
    """Looks whether what comes after a restart, or after the end of a stream, came before.

    Then it is the answer to a resume request that nobody announced by `reopen()`: the server goes
    on behind the last event id, so the events since then are the first to come again.
    """

    __slots__ = ("_answer", "_head", "_savepoints", "expected")

    def __init__(self, answer: Answer, savepoints: Savepoints, expected: list[int]) -> None:
        self._answer = answer
        self._savepoints = savepoints
        self._head: list[int] | None = None  # what may come again
        self.expected = expected  # what has begun to come again and is yet to come

    @classmethod
    def after(
        cls, answer: Answer, savepoints: Savepoints, expected: list[int] | None = None
    ) -> Self | None:
        """One for what follows, if there is anything that might come again."""
        if not savepoints.held or answer.current.ended:
            return None
        return cls(answer, savepoints, expected or [])

    def takes(self, event: Any) -> bool | None:
        """True: it came again. False: something else came. None: not known yet."""
        if self.expected:
            if sum_of(event) != self.expected[0]:
                self.expected = []
                return False
            del self.expected[0]
            return None if self.expected else True
        held = self._savepoints.held.get("event")
        if held is not None:
            if held.event_id is not None and event_id_of(event) == held.event_id:
                return True
            if self._head is None:
                self._head = held.head()
            if self._head and sum_of(event) == self._head[0]:
                self.expected = self._head[1:]
                return None if self.expected else True
        for today in normalise(event):
            if today.event_type == "interaction.created":
                return self._drops_output(today.interaction)
            if today.event_type not in DECIDE_NOTHING:
                return False
        return None

    def _drops_output(self, created: Interaction) -> bool | None:
        """Whether it opens a hop that generates again what came after a token."""
        held = self._savepoints.held.get("token")
        if held is None or (created.id and created.id == self._answer.current.interaction.id):
            return None
        return held.answer.current.steps() != self._answer.current.steps()


DECIDE_NOTHING: Final = ("__unknown__", "error", "interaction.status_update")
"""What may stand before the events that come again."""
