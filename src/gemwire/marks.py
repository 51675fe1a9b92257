"""Marks: states that a resumed stream may go back to, and what a replay is compared with.

A server resumes behind an event that had an `event_id`, or generates anew what came after a
continuation token. Few events have either, so what was folded since must be forgotten, and nothing
but the state itself can tell a repeated fragment from a new one.

A mark is a second assembler that stands still, with the events since then in a list. The next mark
moves it up by those events. So a mark costs what the events since the last one cost, and a stream
without ids and tokens, which most are, pays nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from msgspec import UNSET

from .base import WireStruct
from .models import TextContent, UserInputStep
from .walk import fields

if TYPE_CHECKING:
    from .hop import Hop

__all__ = ["NO_TOKEN", "Mark", "Token", "first_difference", "is_longer"]


class Token(NamedTuple):
    """A continuation token, and the id of the interaction that issued it (None if not stored)."""

    value: str | None
    owner: str | None


NO_TOKEN: Final = Token(None, None)


class Mark:
    """A state to go back to."""

    __slots__ = ("assembler", "event_id", "log", "token")

    def __init__(self, assembler: Any, event_id: str | None, token: Token) -> None:
        self.assembler = assembler  # one that stands still
        self.event_id = event_id
        self.token = token
        self.log: list[Any] = []  # the events since then

    def advance(self, token: Token) -> None:
        """Move up to the present; the last event of the log is the one that asked for it."""
        self.assembler.apply_all(self.log)
        self.log.clear()
        self.event_id = self.assembler.report.last_event_id
        self.token = token


def own_steps(hop: Hop) -> list[Any]:
    """The steps of a hop without the input, which a GET gives back and a POST does not."""
    steps = hop.steps()
    while steps and isinstance(steps[0], UserInputStep):
        del steps[0]
    return steps


def first_difference(held: Hop, new: Hop) -> str | None:
    """Where a replay goes another way than what was held; None if it only goes further or less."""
    for at, (old, now) in enumerate(zip(own_steps(held), own_steps(new), strict=False)):
        if old != now and not begins(old, now) and not begins(now, old):
            return f"step {at}: {old!r} / {now!r}"
    return None


def is_longer(held: Hop, new: Hop) -> bool:
    """Whether the one held got further, and was not at its end either."""
    if held.ended:
        return False
    old, now = own_steps(held), own_steps(new)
    if len(old) != len(now):
        return len(old) > len(now)
    return bool(old) and old[-1] != now[-1] and begins(now[-1], old[-1])


def begins(old: Any, now: Any) -> bool:
    """Whether one value is an earlier state of the other."""
    if old is UNSET or old == now:
        return True
    if isinstance(old, TextContent) and isinstance(now, TextContent):
        return now.text.startswith(old.text) and begins(old.annotations, now.annotations)
    if isinstance(old, WireStruct) and type(old) is type(now):
        return all(begins(getattr(old, n), getattr(now, n)) for n in fields(type(old)))
    if isinstance(old, list) and isinstance(now, list):
        return len(old) <= len(now) and all(map(begins, old, now))
    return isinstance(old, str) and isinstance(now, str) and now.startswith(old)
