"""Going on with an answer that was cut: hops, marks, rollback, replay.

How a stream goes on that was opened with `report.resume`:

- `interaction.created` of another id: the next hop. Output after a continuation token is generated
  again there, so the state goes back to the token's mark first.
- `step.start` of an index that was started before the resume point: the server begins again. What
  comes is the new truth; what was held is compared with it at the end.
- anything else: the state goes back to the mark of `last_event_id`, and on from there. The event
  with that id itself is skipped.
- `created` and `status_update` of the same interaction change nothing before that.
"""

from __future__ import annotations

from typing import Any

from msgspec import UNSET
from msgspec.structs import replace

from .hop import Hop
from .marks import NO_TOKEN, Mark, Token, first_difference, is_longer
from .report import ResumePoint, StreamReport
from .state import copy_state

__all__ = ["Gate", "Resumable"]

RESUMABLE = (UNSET, "in_progress", "requires_continuation")
"""The statuses in which a token is worth something."""


class Resumable:
    """The part of the assembler that goes on after a cut: its hops and what it can go back to."""

    __slots__ = (
        "done_seen",
        "due",
        "hop",
        "hops",
        "marks",
        "replayed",
        "report",
        "routes",
        "token",
    )

    report: StreamReport
    """What happened so far."""

    def __init__(self) -> None:
        self.report = StreamReport()
        self.hop = Hop(self.report)
        self.hops = [self.hop]
        self.routes = self.hop.routes
        self.token = NO_TOKEN
        self.marks: dict[str, Mark] | None = {}  # None: this is the state of a mark itself
        self.due: list[str] = []  # kinds of marks that the event at hand asks for
        self.replayed: Hop | None = None  # what was held when the server began again
        self.done_seen = False

    def take_token(self, token: object) -> None:
        """A token that is not empty can be resumed from; a repeated one keeps its owner."""
        if isinstance(token, str) and token and token != self.token.value:
            self.token = Token(token, self.hop.interaction.id or None)
            if self.marks is not None:
                self.due.append("token")

    def next_hop(self) -> None:
        """The answer goes on as another interaction."""
        self.hop = Hop(self.report, [hop.ledger for hop in self.hops])
        self.hops.append(self.hop)
        self.routes = self.hop.routes
        self.done_seen = False
        self.report.outcome = "in_progress"
        self.report.last_event_id = None  # it belongs to the interaction before
        if self.marks:
            self.marks.pop("event", None)

    def place_marks(self) -> None:
        """Remember the state as it is now, right after the event that asked for it."""
        for kind in self.due:
            mark = self.mark(kind)
            if mark is None:
                self.set_mark(kind)
            else:
                mark.advance(self.token)
        self.due.clear()

    def set_mark(self, kind: str) -> None:
        """Remember the state as it is, as the first of its kind."""
        assert self.marks is not None
        shadow = type(self)()
        shadow.marks = None
        shadow.adopt(copy_state(self.hops, shadow.report))
        shadow.report.last_event_id = self.report.last_event_id
        self.marks[kind] = Mark(shadow, self.report.last_event_id, self.token)

    def mark(self, kind: str) -> Mark | None:
        """The latest mark of a kind, `event` or `token`."""
        return (self.marks or {}).get(kind)

    def adopt(self, hops: list[Hop]) -> None:
        """Take over a state, whose issues are this assembler's from now on."""
        self.hops = hops
        self.hop = hops[-1]
        self.routes = self.hop.routes
        for hop in hops:
            hop.report = self.report
            for _, builder in hop.order:
                builder.report = self.report

    def roll_back(self, kind: str) -> None:
        """Go back to the state at the latest mark of a kind; what came later is forgotten."""
        assert self.marks is not None
        mark = self.marks[kind]
        for other in [k for k, m in self.marks.items() if len(m.log) < len(mark.log)]:
            del self.marks[other]
        for earlier in self.marks.values():
            if earlier is not mark and mark.log:
                del earlier.log[-len(mark.log) :]
        mark.log.clear()
        self.adopt(copy_state(mark.assembler.hops, self.report))
        self.token = mark.token
        self.report.last_event_id = mark.event_id
        self.reopen()

    def reopen(self) -> None:
        """More bytes come after all, for an answer that was cut or had an error."""
        self.report.outcome = "in_progress"
        self.hop.account()
        self.done_seen = False

    def begin_replay(self) -> None:
        """The server begins the current hop again: take it anew, and compare at the end."""
        self.replayed = self.hop
        self.hops[-1] = self.hop = Hop(self.report, self.hop.before)
        self.hop.interaction = replace(self.replayed.interaction, steps=UNSET, usage=UNSET)
        self.routes = self.hop.routes
        self.marks = {}
        self.due.clear()
        self.reopen()

    def compare(self, held: Hop) -> None:
        """What was held before a replay should be the beginning of what came now."""
        self.replayed = None
        difference = first_difference(held, self.hop)
        if difference is not None:
            self.report.issue("replay_differs", None, difference)
        elif self.report.outcome in ("truncated", "error") and is_longer(held, self.hop):
            self.adopt([*self.hops[:-1], held])  # it was cut before it came as far
            self.hop.account()

    def where_to_resume(self) -> None:
        """Say what to ask the server for, now that no more bytes come."""
        self.report.resume = None if self.report.outcome == "error" else self.resume_point()

    def resume_point(self) -> ResumePoint | None:
        """Where the answer could go on, whatever cut it; None if it is over or has no name."""
        status = self.hop.interaction.status
        token = self.token if status in RESUMABLE else NO_TOKEN
        identity = self.hop.interaction.id or None
        if (self.hop.ended and not token.value) or not (identity or token.value):
            return None
        return ResumePoint(identity, self.report.last_event_id, token.value, token.owner)


class Gate:
    """Decides how a resumed stream goes on; `admit` says whether an event is to be folded."""

    __slots__ = ("assembler", "replay", "undecided")

    def __init__(self, assembler: Any, replay: bool) -> None:
        self.assembler = assembler
        self.undecided = not replay
        assembler.reopen()
        if replay:
            assembler.begin_replay()

    def admit(self, event: Any) -> bool:
        """Take the next event; False if it brings nothing that is not held."""
        if not self.undecided:
            return True
        assembler = self.assembler
        kind = getattr(event, "event_type", "")
        if kind == "interaction.status_update":
            return False
        if kind in ("interaction.created", "interaction.start"):
            identity = event.interaction.id
            if not identity or identity == assembler.hop.interaction.id:
                return False
            self.undecided = False
            if assembler.mark("token") is not None and not assembler.hop.ended:
                assembler.roll_back("token")
            return True  # the assembler opens the next hop
        self.undecided = False
        mark = assembler.mark("event")
        started = (assembler.hop if mark is None else mark.assembler.hop).routes
        if kind in ("step.start", "content.start") and event.index in started:
            assembler.begin_replay()
            return True
        if mark is not None:
            assembler.roll_back("event")
            event_id = getattr(event, "event_id", UNSET)
            return bool(event_id is UNSET or event_id != mark.event_id)
        return True
