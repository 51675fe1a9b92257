"""Going on with an answer that was cut: hops, marks, rollback, replay.

How a stream goes on that was opened with `report.resume`:

- `interaction.created` of another id: the next hop. Output after a continuation token is generated
  again there, so the state goes back to the token's mark first.
- `step.start` of an index that was started before the resume point: the server begins again. What
  comes is the new truth; what was held is compared with it at the end.
- any other event of a step, the terminal one, or one with an `event_id`: the state goes back to the
  mark of `last_event_id`, and on from there. The event with that id itself is skipped.
- `created` and `status_update` of the same interaction change nothing before that; neither do
  errors and unknown events, which decide nothing.
"""

from __future__ import annotations

from typing import Any, Final

from msgspec import UNSET
from msgspec.structs import replace

from .base import Unknown
from .codec import as_today
from .hop import Hop
from .marks import NO_TOKEN, Mark, Token, first_difference, is_longer
from .models import Interaction
from .report import ResumePoint, StreamReport
from .state import copy_state

__all__ = ["Gate", "Resumable"]

RESUMABLE: Final = (UNSET, "in_progress", "requires_continuation")
"""The statuses in which a token is worth something."""

STARTS: Final = frozenset({"step.start", "content.start"})
UNDECIDED: Final = frozenset({"__unknown__", "error"})


class Resumable:
    """The part of the assembler that goes on after a cut: its hops and what it can go back to."""

    __slots__ = (
        "body",
        "done_seen",
        "due",
        "hop",
        "hops",
        "marks",
        "placed",
        "replayed",
        "report",
        "returns",
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
        self.placed = 0  # how often marks were placed
        self.replayed: Hop | None = None  # what was held when the server began again
        self.done_seen = False
        self.returns = 0  # how often it went back to an earlier state
        self.body: Interaction | None = None  # the stream was one JSON body

    def take_token(self, token: object) -> None:
        """A token that is not empty can be resumed from; a repeated one keeps its owner."""
        if isinstance(token, str) and token and token != self.token.value:
            self.token = Token(token, self.hop.interaction.id or None)
            if self.marks is not None:
                self.due.append("token")

    def next_hop(self) -> None:
        """The answer goes on as another interaction."""
        self.hop = Hop(self.report, self.hop.total())
        self.hops.append(self.hop)
        self.routes = self.hop.routes
        self.done_seen = False
        self.report.outcome = "in_progress"
        self.report.last_event_id = None  # it belongs to the interaction before
        if self.marks:
            self.marks.pop("event", None)

    # ---- marks

    def mark(self, kind: str) -> Mark | None:
        """The latest mark of a kind, `event` or `token`."""
        return (self.marks or {}).get(kind)

    def place_marks(self) -> None:
        """Remember the state as it is now, right after the event that asked for it."""
        assert self.marks is not None
        self.placed += 1
        for kind in self.due:
            held = self.marks.get(kind)
            if held is None or held.log is None:
                shadow = self.shadow()
            else:
                shadow = held.assembler
                shadow.apply_all(held.log)
            self.marks[kind] = self.marked(shadow, self.token)
        self.due.clear()

    def marked(self, shadow: Resumable, token: Token) -> Mark:
        """A mark at the present."""
        report = self.report
        return Mark(shadow, report.last_event_id, token, self.placed, report.events)

    def shadow(self) -> Resumable:
        """An assembler with the same steps, to stand still; it has no marks of its own."""
        shadow = type(self)()
        shadow.marks = None
        shadow.adopt(copy_state(self.hops, shadow.report))
        return shadow

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
        for other in [name for name, held in self.marks.items() if held.at > mark.at]:
            del self.marks[other]
        since = len(mark.log or ())
        for held in self.marks.values():
            if held is not mark and held.log:
                del held.log[len(held.log) - since :]
        mark.log = []
        self.returns += 1
        self.adopt(copy_state(mark.assembler.hops, self.report))
        self.token = mark.token
        self.report.last_event_id = mark.event_id
        self.reopen()

    def reopen(self) -> None:
        """More bytes come after all, for an answer that was cut or had an error."""
        self.report.outcome = "in_progress"
        self.report.resume = None
        self.hop.account()
        self.done_seen = False
        self.body = None

    # ---- replay

    def begin_replay(self, created: Interaction | None = None) -> None:
        """The server begins the current hop again: take it anew, and compare at the end.

        Args:
            created: what its `interaction.created` said, if that is over already.
        """
        held = self.replayed = self.hop
        self.returns += 1
        self.hops[-1] = self.hop = Hop(self.report, held.before)
        self.routes = self.hop.routes
        self.token = NO_TOKEN
        self.report.last_event_id = None
        if self.marks is not None:
            self.marks = {}
            self.due.clear()
        self.reopen()
        if created is not None:
            self.hop.lay(created, "status")
            self.take_token(created.continuation_token)

    def compare(self, held: Hop) -> None:
        """What was held before a replay should be the beginning of what came now."""
        self.replayed = None
        new = self.hop
        difference = first_difference(held, new)
        if difference is not None:
            self.report.issue("replay_differs", None, difference)
        elif self.report.outcome in ("truncated", "error") and is_longer(held, new):
            # It was cut before it came as far. To go on from here there is only one way: again.
            self.adopt([*self.hops[:-1], held])
            self.marks = {}
            self.token = NO_TOKEN
            self.report.last_event_id = None
            held.account()
            return
        if new.interaction.id is UNSET and held.interaction.id is not UNSET:
            new.interaction = replace(new.interaction, id=held.interaction.id)

    # ---- where to go on

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

    __slots__ = ("assembler", "created", "undecided")

    def __init__(self, assembler: Any, replay: bool) -> None:
        self.assembler = assembler
        self.undecided = not replay
        self.created: Interaction | None = None
        assembler.reopen()
        if replay:
            assembler.begin_replay()

    def admit(self, event: Any) -> bool:
        """Take the next event; False if it brings nothing that is not held."""
        if not self.undecided:
            return True
        assembler = self.assembler
        kind = event.event_type
        if kind == "interaction.status_update":
            return False
        if kind == "interaction.created":
            return self.admit_created(event.interaction)
        if kind == "interaction.start":
            from .legacy import payload_of

            return self.admit_created(payload_of(event))
        event_id = event_id_of(event)
        if kind in UNDECIDED and event_id is None:
            return True
        self.undecided = False
        mark = assembler.mark("event")
        repeated = mark is not None and event_id == mark.event_id
        started = (assembler.hop if mark is None else mark.assembler.hop).routes
        if not repeated and kind in STARTS and event.index in started:
            held = assembler.hop.interaction
            assembler.begin_replay(self.created or Interaction(id=held.id))
            return True
        if mark is not None:
            assembler.roll_back("event")
        return not repeated

    def admit_created(self, created: Interaction) -> bool:
        """The same interaction, or the next hop."""
        assembler = self.assembler
        held = assembler.hop.interaction.id
        # With `store: false` none has an id; it can only have been asked for with the token.
        another = created.id != held if created.id else not held and assembler.token.value
        if not another:
            self.created = as_today(created)
            return False
        self.undecided = False
        if not assembler.hop.ended:
            if assembler.mark("token") is not None:
                assembler.roll_back("token")
            if assembler.token.value:
                assembler.next_hop()
        return True  # the assembler opens the next hop, if it is not there yet


def event_id_of(event: Any) -> str | None:
    """The id of an event, known or not; None for an empty one."""
    if not isinstance(event, Unknown):
        return event.event_id or None
    raw = event.raw
    found = raw.get("event_id") if isinstance(raw, dict) else None
    return found if isinstance(found, str) and found else None
