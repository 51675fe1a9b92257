"""Marks: states that a resumed stream may go back to, and what a replay is compared with.

A server resumes behind an event that had an `event_id`, or generates anew what came after a
continuation token. Few events have either, so what was folded since must be forgotten, and nothing
but the state itself can tell a repeated fragment from a new one.

A mark is a second assembler that stands still, with the events since then in a list. The next mark
moves it up by those events. So a mark costs what the events since the last one cost, and a stream
without ids and tokens, which most are, pays nothing. When more events have come than had come
before it, the list goes: the next mark then copies the state, which costs no more than those did.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from msgspec import UNSET
from msgspec.structs import replace

from .base import WireStruct
from .models import ArgumentsDelta, StepDelta, TextDelta, UserInputStep
from .runs import PartBuilder
from .walk import fields

if TYPE_CHECKING:
    from .hop import Hop

__all__ = ["NO_TOKEN", "Mark", "Token", "first_difference", "is_longer", "joined"]

MIN_ROOM: Final = 64


class Token(NamedTuple):
    """A continuation token, and the id of the interaction that issued it (None if not stored)."""

    value: str | None
    owner: str | None


NO_TOKEN: Final = Token(None, None)


class Mark:
    """A state to go back to."""

    __slots__ = ("assembler", "at", "event_id", "log", "room", "token")

    def __init__(
        self, assembler: Any, event_id: str | None, token: Token, at: int, events: int
    ) -> None:
        self.assembler = assembler  # one that stands still
        self.event_id = event_id
        self.token = token
        self.at = at  # marks of one event have the same number, those of a later one a higher
        self.log: list[Any] | None = []  # the events since then; None if they were too many
        self.room = max(MIN_ROOM, events)  # how many that is

    def note(self, event: Any) -> None:
        """Something came after it."""
        if self.log is not None:
            self.log.append(event)
            if len(self.log) > self.room:
                self.log = None


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


def own_steps(hop: Hop) -> list[tuple[Any, bool]]:
    """The steps of a hop, and whether each is complete.

    Those that begin it and are input are left out: a GET gives them back and a POST does not.
    """
    steps = hop.steps()
    complete = [
        hop.ended if isinstance(builder, PartBuilder) else builder.closed
        for _, builder in hop.order
    ]
    if len(complete) != len(steps):  # some have several builders, and all but the last are over
        complete = [True] * (len(steps) - 1) + [hop.ended]
    found = list(zip(steps, complete, strict=True))
    while found and isinstance(found[0][0], UserInputStep):
        del found[0]
    return found


def first_difference(held: Hop, new: Hop) -> str | None:
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


def is_longer(held: Hop, new: Hop) -> bool:
    """Whether the one held got further, and was not at its end either."""
    if held.ended:
        return False
    before, after = own_steps(held), own_steps(new)
    if len(before) != len(after):
        return len(before) > len(after)
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
