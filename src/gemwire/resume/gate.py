"""How a stream goes on that was opened with `report.resume`; nothing is decided before its first
event that says something:

- `interaction.created` of another id, or of the same one after `requires_continuation`: the next
  hop. Output after a continuation token is generated again there, so the state goes back to the
  token's savepoint first.
- `step.start` of an index that was started before the resume point: the server begins again. What
  comes is held against what was there, at the end.
- any other event of a step, the terminal one, or one with an `event_id`: the state goes back to the
  savepoint of `last_event_id`, and on from there. The event with that id itself is skipped.
- `created` and `status_update` of the same interaction change nothing before that, but for a token
  that was not there before; neither do errors and unknown events, which decide nothing.

An answer that is complete cannot be gone on with: whatever comes is taken for a replay.
"""

from __future__ import annotations

from typing import Any, Final, Self

from ..assembly.answer import Answer
from ..models import Interaction
from ..wire.normalise import normalise
from .comparison import conclude_replay
from .savepoints import Savepoints, event_id_of

__all__ = ["Gate"]

STARTS: Final = frozenset({"step.start", "content.start"})
UNDECIDED: Final = frozenset({"__unknown__", "error"})


class Gate:
    """Decides how a resumed stream goes on; `admit` says whether an event is to be folded."""

    __slots__ = ("_answer", "_savepoints", "created", "token", "undecided")

    def __init__(self, answer: Answer, savepoints: Savepoints) -> None:
        self._answer = answer
        self._savepoints = savepoints
        self.created: Interaction | None = None  # what came of the same interaction
        self.token: str | None = None  # one that was not there before
        self.undecided = True

    @classmethod
    def of_response(cls, answer: Answer, savepoints: Savepoints, replay: bool) -> Self:
        """The gate for the response to a resume request, or for a replay."""
        gate = cls(answer, savepoints)
        kept = answer.replayed is not None and answer.replayed.keep
        if replay or kept or answer.is_complete():
            gate.undecided = False
            gate._begin_again()
        else:
            answer.reopen()
        return gate

    def admit(self, event: Any) -> bool:
        """Take the next event; False if it brings nothing that is not held."""
        if not self.undecided:
            return True
        passed = True
        event_id = event_id_of(event)
        for today in normalise(event):  # nearly always one
            kind = today.event_type
            if kind == "interaction.status_update":
                self._take_token(today.continuation_token)
                passed = False
            elif kind == "interaction.created":
                if self._opens_hop(today.interaction):
                    return True
                passed = False
            elif event_id is not None or kind not in UNDECIDED:
                return self._go_on(today, event_id)
        return passed

    def _go_on(self, event: Any, event_id: str | None) -> bool:
        """The same interaction, from the start or behind the last event id."""
        answer, savepoints = self._answer, self._savepoints
        self.undecided = False
        held = savepoints.held.get("event")
        repeated = held is not None and event_id == held.event_id
        started = (answer if held is None else held.answer).current.routes
        if not repeated and event.event_type in STARTS and event.index in started:
            self._begin_again(self.created or Interaction(id=answer.current.interaction.id))
            return True
        if held is not None:
            savepoints.roll_back(answer, "event")
            if self.token is not None:
                answer.take_token(self.token)
                savepoints.place(answer)
        return not repeated

    def _begin_again(self, created: Interaction | None = None) -> None:
        answer, savepoints = self._answer, self._savepoints
        conclude_replay(answer, savepoints)  # one that was cut before it came to its end
        answer.begin_again(created, keep=answer.is_complete())
        savepoints.place(answer)

    def _opens_hop(self, created: Interaction) -> bool:
        """Whether it is the next hop, or the same interaction, which decides nothing."""
        answer, savepoints = self._answer, self._savepoints
        held = answer.current.interaction.id
        hop_ended = (
            answer.current.ended and answer.current.interaction.status == "requires_continuation"
        )
        # With `store: false` none has an id; it can only have been asked for with the token.
        another = created.id != held if created.id else not held and answer.token.value
        if not another and not hop_ended:
            self.created = created
            self._take_token(created.continuation_token)
            return False
        self.undecided = False
        if not answer.current.ended:
            if "token" in savepoints.held:
                savepoints.roll_back(answer, "token")
            if answer.token.value:
                answer.next_hop()
                savepoints.place(answer)
        return True  # the fold opens the next hop, if it is not there yet

    def _take_token(self, token: object) -> None:
        """One that comes anew is what to go on with; one that is repeated is older than that."""
        answer = self._answer
        if isinstance(token, str) and token and not answer.has_seen(token):
            self.token = token
            answer.take_token(token)
            answer.savepoints_due.clear()
            self._savepoints.hold_token(answer)
