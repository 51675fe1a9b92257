"""How a stream goes on that was opened with `report.resume`; nothing is decided before its first
event that says something:

- `interaction.created` of another id: the next hop. Output after a continuation token is generated
  again there, so the state goes back to the token's savepoint first.
- `step.start` of an index that was started before the resume point: the server begins again. What
  comes is held against what was there, at the end.
- any other event of a step, the terminal one, or one with an `event_id`: the state goes back to the
  savepoint of `last_event_id`, and on from there. The event with that id itself is skipped.
- `created` and `status_update` of the same interaction change nothing before that, but for a newer
  token; neither do errors and unknown events, which decide nothing.

An answer that is complete cannot be gone on with: whatever comes is taken for a replay.
"""

from __future__ import annotations

from typing import Any, Final

from ..assembly.answer import Answer
from ..codec.structs import Unknown
from ..models import Interaction
from ..wire.normalise import normalise
from .savepoints import Savepoints

__all__ = ["Gate"]

STARTS: Final = frozenset({"step.start", "content.start"})
UNDECIDED: Final = frozenset({"__unknown__", "error"})


class Gate:
    """Decides how a resumed stream goes on; `admit` says whether an event is to be folded."""

    __slots__ = ("_answer", "_created", "_savepoints", "undecided")

    def __init__(self, answer: Answer, savepoints: Savepoints, replay: bool) -> None:
        self._answer = answer
        self._savepoints = savepoints
        self._created: Interaction | None = None
        keep = answer.is_complete()
        replay = replay or keep
        self.undecided = not replay
        if replay:
            answer.begin_again(keep=keep)
            savepoints.place(answer)
        else:
            answer.reopen()

    def admit(self, event: Any) -> bool:
        """Take the next event; False if it brings nothing that is not held."""
        if not self.undecided:
            return True
        answer, savepoints = self._answer, self._savepoints
        if event_id_of(event) is None and event.event_type in UNDECIDED:
            forms = normalise(event)
            if len(forms) != 1 or forms[0].event_type in UNDECIDED:
                return True
        today = normalise(event)[0]
        kind = today.event_type
        if kind == "interaction.status_update":
            return False
        if kind == "interaction.created":
            return self._admit_created(today.interaction)
        event_id = event_id_of(event)
        self.undecided = False
        held = savepoints.held.get("event")
        repeated = held is not None and event_id == held.event_id
        started = (answer if held is None else held.answer).current.routes
        if not repeated and kind in STARTS and today.index in started:
            created = self._created or Interaction(id=answer.current.interaction.id)
            answer.begin_again(created)
            savepoints.place(answer)
            return True
        if held is not None:
            savepoints.roll_back(answer, "event")
        return not repeated

    def _admit_created(self, created: Interaction) -> bool:
        """The same interaction, or the next hop."""
        answer, savepoints = self._answer, self._savepoints
        held = answer.current.interaction.id
        hop_ended = (
            answer.current.ended and answer.current.interaction.status == "requires_continuation"
        )
        # With `store: false` none has an id; it can only have been asked for with the token.
        another = created.id != held if created.id else not held and answer.token.value
        if not another and not hop_ended:
            self._created = created
            return False
        self.undecided = False
        if not answer.current.ended:
            if "token" in savepoints.held:
                savepoints.roll_back(answer, "token")
            if answer.token.value:
                answer.next_hop()
                savepoints.place(answer)
        return True  # the fold opens the next hop, if it is not there yet


def event_id_of(event: Any) -> str | None:
    """The id of an event, known or not; None for an empty one."""
    if not isinstance(event, Unknown):
        return event.event_id or None
    raw = event.raw
    found = raw.get("event_id") if isinstance(raw, dict) else None
    return found if isinstance(found, str) and found else None
