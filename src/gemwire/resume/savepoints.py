"""Savepoints: states that a resumed stream may go back to.

A server resumes behind an event that had an `event_id`, or generates anew what came after a
continuation token. Few events have either, so what was folded since must be forgotten, and nothing
but the state itself can tell a repeated fragment from a new one.

A savepoint is a standing copy of the answer, with the events since then in a list, as they were
sent. The next savepoint of its kind moves the copy up by those events. So it costs what the events
since the last one cost, and a stream without ids and tokens, which most are, pays nothing. When
more events have come than had come before it, the list goes: the next savepoint then copies the
state, which costs no more than those did.

A savepoint that comes out of a checkpoint has no list, only sums of the first events since then: by
them it is seen that those come again.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any, Final

from ..assembly.answer import NEW_HOP, RESTART, Answer, Token
from ..assembly.fold import fold_all
from ..codec.encode import encode
from ..codec.structs import Unknown
from ..errors import GemwireError
from .copies import copy_interactions

__all__ = ["Savepoint", "Savepoints", "event_id_of", "sum_of"]

MIN_ROOM: Final = 64
HEAD: Final = 64
"""How many events since a savepoint are known by their sums."""


class Savepoint:
    """A state to go back to."""

    __slots__ = ("_head", "answer", "event_id", "generation", "log", "room", "token")

    def __init__(
        self, answer: Answer, event_id: str | None, token: Token, generation: int, room: int
    ) -> None:
        self.answer = answer  # one that stands still
        self.event_id = event_id
        self.token = token
        self.generation = generation  # savepoints of one event have the same, later ones a higher
        self.log: list[Any] | None = []  # the events since then; None if they were too many
        self.room = max(MIN_ROOM, room)  # how many that is
        self._head: list[int] = []  # the sums of the first of them, if there is no log

    def note(self, event: Any) -> None:
        """Something came after it."""
        if self.log is None:
            if len(self._head) < HEAD:
                self._head.append(sum_of(event))
            return
        self.log.append(event)
        if len(self.log) > self.room:
            self.drop_log(self.head())

    def head(self) -> list[int]:
        """The sums of the first events since then."""
        return self._head.copy() if self.log is None else list(map(sum_of, self.log[:HEAD]))

    def drop_log(self, head: list[int]) -> None:
        """Forget the events, but for the sums of the first of them."""
        self.log = None
        self._head = head


class Savepoints:
    """The latest savepoint of each kind, `event` and `token`."""

    __slots__ = ("generation", "held")

    def __init__(self) -> None:
        self.held: dict[str, Savepoint] = {}
        self.generation = 0

    def noted(self, events: Iterator[Any]) -> Iterator[Any]:
        """The events, each noted by all savepoints as it is taken."""
        for event in events:
            for savepoint in self.held.values():
                savepoint.note(event)
            yield event

    def place(self, answer: Answer) -> None:
        """Remember the state as it is now, right after the event that asked for it."""
        self.generation += 1
        for kind in answer.savepoints_due:
            if kind == NEW_HOP:  # an event id belongs to the interaction before
                self.held.pop("event", None)
            elif kind == RESTART:
                self.held.clear()
            else:
                self.held[kind] = self._moved_up(self.held.get(kind), answer)
        answer.savepoints_due.clear()

    def _moved_up(self, held: Savepoint | None, answer: Answer) -> Savepoint:
        if held is None or held.log is None:
            still = standing_copy(answer)
        else:
            still = held.answer
            fold_still(still, held.log)
        return Savepoint(
            still, answer.last_event_id, answer.token, self.generation, answer.event_count
        )

    def hold_token(self, answer: Answer) -> None:
        """Remember the savepoint of the latest event as that of a token, which came right after it:
        what is held beyond comes again.
        """
        held = self.held.get("event")
        self.generation += 1
        still = standing_copy(answer if held is None else held.answer)
        event_id = answer.last_event_id if held is None else held.event_id
        self.held["token"] = Savepoint(
            still, event_id, answer.token, self.generation, answer.event_count
        )

    def roll_back(self, answer: Answer, kind: str) -> None:
        """Go back to the latest savepoint of a kind; what came later is forgotten."""
        target = self.held[kind]
        for other in [n for n, s in self.held.items() if s.generation > target.generation]:
            del self.held[other]
        since = len(target.log or ())
        for savepoint in self.held.values():
            if savepoint is not target and savepoint.log:
                del savepoint.log[len(savepoint.log) - since :]
        target.log = []
        answer.rollbacks += 1
        answer.adopt(copy_interactions(target.answer.interactions, answer.findings))
        answer.token = target.token
        answer.last_event_id = target.event_id
        answer.reopen()


def standing_copy(answer: Answer) -> Answer:
    """An answer with the same interactions, to stand still."""
    still = Answer()
    still.adopt(copy_interactions(answer.interactions, still.findings))
    return still


def fold_still(still: Answer, events: list[Any]) -> None:
    """Move a standing copy up; it has no savepoints of its own."""
    rest = iter(events)
    while True:
        fold_all(still, rest)
        if not still.savepoints_due:
            return
        still.savepoints_due.clear()


def event_id_of(event: Any) -> str | None:
    """The id of an event, known or not; None for an empty one."""
    if not isinstance(event, Unknown):
        return event.event_id or None
    raw = event.raw
    found = raw.get("event_id") if isinstance(raw, dict) else None
    return found if isinstance(found, str) and found else None


def sum_of(event: Any) -> int:
    """What tells an event from nearly all others, in every process the same."""
    try:
        return zlib.crc32(encode(event))
    except GemwireError:  # nested too deeply
        return 0
