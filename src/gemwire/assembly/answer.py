"""The state of one answer: its interactions, what it can be continued with, and how it stands.

An answer is nearly always one interaction. One that ran into a limit of the server goes on as
another (a hop), so there is a list. Who folds the events is in `fold.py`; who decides how it ended,
in `verdict.py`; who goes back to an earlier state, in `gemwire.resume`.
"""

from __future__ import annotations

import zlib
from typing import Final, NamedTuple

from msgspec import UNSET

from ..models import Interaction
from ..models.views import UNFINISHED
from ..wire.error_body import ErrorInfo
from .continuation import join_continuations
from .interaction import InteractionBuilder
from .report import Findings, ResumePoint, StreamReport
from .usage import with_initial

__all__ = ["NO_TOKEN", "Answer", "Token"]

RESUMABLE: Final = (UNSET, "in_progress", "requires_continuation")
"""The statuses in which a token is worth something."""


class Token(NamedTuple):
    """A continuation token, and the id of the interaction that issued it (None if not stored)."""

    value: str | None
    owner: str | None


NO_TOKEN: Final = Token(None, None)


class Answer:
    """What was assembled so far, and what is known of it."""

    __slots__ = (
        "body",
        "byte_count",
        "current",
        "done_seen",
        "error",
        "event_count",
        "findings",
        "interactions",
        "last_event_id",
        "outcome",
        "replayed",
        "rollbacks",
        "routes",
        "savepoints_due",
        "searched",
        "stray",
        "token",
        "tokens_seen",
    )

    def __init__(self) -> None:
        self.findings = Findings()
        self.current = InteractionBuilder(self.findings)
        self.interactions = [self.current]
        self.routes = self.current.routes  # those of the current interaction, for the fast path
        self.outcome = "in_progress"
        self.error: ErrorInfo | None = None
        self.last_event_id: str | None = None  # of the current interaction
        self.token = NO_TOKEN
        self.tokens_seen: set[int] = set()  # sums of all tokens there were
        self.done_seen = False
        self.body = False  # the stream was one JSON body
        self.replayed: Replayed | None = None  # what was held when the server began again
        self.rollbacks = 0  # how often it went back to an earlier state
        # Kinds of savepoints that the event at hand asks for; NEW_HOP and RESTART end older ones.
        self.savepoints_due: list[str] = []
        self.event_count = 0
        self.byte_count = 0
        self.stray = b""
        self.searched = -1  # how many events there were when it was searched for unknown things

    # ---- what it is

    def build(self) -> Interaction:
        """The interaction as assembled so far; it shares lists with the state."""
        if len(self.interactions) == 1:
            return self.current.build()
        return join_continuations(interaction.build() for interaction in self.interactions)

    def report(self) -> StreamReport:
        """What happened so far, as a value."""
        usage = self.current.total_usage()
        several = len(self.interactions) > 1
        known: dict[str, None] = {}
        for interaction in self.interactions:
            if interaction.interaction.id:
                known[interaction.interaction.id] = None
        if (
            self.replayed is not None
            and not known
            and (held := self.replayed.current.interaction.id)
        ):
            known[held] = None
        return StreamReport(
            outcome=self.outcome,
            unfinished=self.body and self.outcome in UNFINISHED,
            damaged=sum(held.damaged for held in self.interactions),
            error=self.error,
            interaction_ids=list(known),
            last_event_id=self.last_event_id,
            usage=with_initial(usage.total, usage.first) if several else usage.total,
            usage_source=usage.poorer or (None if usage.lacking else "terminal"),
            resume=self.resume_point(),
            event_count=self.event_count,
            byte_count=self.byte_count,
            stray=self.stray,
            issues=self.findings.issues,
            unknown=self.findings.unknown,
        )

    def is_complete(self) -> bool:
        """Whether the server has said how it ended, and nothing follows."""
        ended = self.current.ended and self.outcome not in (
            "in_progress",
            "truncated",
            "error",
        )
        return ended and self.resume_point() is None

    def resume_point(self) -> ResumePoint | None:
        """Where it could go on, whatever cut it; None if it is over or has no name."""
        current = self.current
        token = self.token if current.interaction.status in RESUMABLE else NO_TOKEN
        identity = current.interaction.id or None
        if self.replayed is not None:
            if self.replayed.keep:
                return None  # whatever comes now
            identity = identity or self.replayed.current.interaction.id or None
        if self.outcome == "error" and (self.error is None or not self.error.is_mendable):
            return None
        if (current.ended and not token.value) or not (identity or token.value):
            return None
        return ResumePoint(identity, self.last_event_id, token.value, token.owner)

    # ---- how it goes on

    def take_token(self, token: object) -> None:
        """A token that is not empty can be resumed from; a repeated one keeps its owner."""
        if isinstance(token, str) and token and token != self.token.value:
            self.token = Token(token, self.current.interaction.id or None)
            self.tokens_seen.add(_sum_of(token))
            self.savepoints_due.append("token")

    def has_seen(self, token: str) -> bool:
        """Whether there was this token before."""
        return _sum_of(token) in self.tokens_seen

    def next_hop(self) -> None:
        """It goes on as another interaction."""
        self.current = InteractionBuilder(self.findings, self.current.total_usage())
        self.interactions.append(self.current)
        self.routes = self.current.routes
        self.done_seen = False
        self.outcome = "in_progress"
        self.last_event_id = None  # it belongs to the interaction before
        self.savepoints_due[:] = [NEW_HOP]

    def adopt(self, interactions: list[InteractionBuilder]) -> None:
        """Take over other interactions, whose issues are this answer's from now on."""
        self.interactions = interactions
        self.current = interactions[-1]
        self.routes = self.current.routes
        for interaction in interactions:
            interaction.report_to(self.findings)

    def reopen(self) -> None:
        """More bytes come after all, for an answer that was cut or had an error."""
        self.outcome = "in_progress"
        self.done_seen = False
        self.body = False

    def begin_again(self, created: Interaction | None = None, *, keep: bool = False) -> None:
        """The server begins the current interaction anew: take it as it comes, compare at the end.

        Args:
            created: what its `interaction.created` said, if that is over already.
            keep: what is held is complete, and stands unless the same or more comes.
        """
        if self.replayed is None:
            hop = len(self.interactions) - 1
            self.replayed = Replayed(
                self.current, hop, self.outcome, self.error, self.last_event_id, self.token, keep
            )
        self.rollbacks += 1
        self.current = InteractionBuilder(self.findings, self.current.before)
        self.interactions[-1] = self.current
        self.routes = self.current.routes
        self.token = NO_TOKEN
        self.last_event_id = None
        self.savepoints_due[:] = [RESTART]
        self.reopen()
        if created is not None:
            self.current.merge_payload(created, "status")
            self.take_token(created.continuation_token)


NEW_HOP: Final = "new hop"
RESTART: Final = "restart"


class Replayed(NamedTuple):
    """What was held when the server began again."""

    current: InteractionBuilder
    hop: int
    outcome: str
    error: ErrorInfo | None
    last_event_id: str | None
    token: Token
    keep: bool
    """Whether it is complete, so that nothing better can come."""


def _sum_of(token: str) -> int:
    return zlib.crc32(token.encode("utf-8", "surrogatepass"))
