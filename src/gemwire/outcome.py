"""The verdict on an answer: what it comes to, and how it ended.

A stream is not finished until the server said so; nothing that was assembled is lost when it did
not. The rules are those of docs/assembly.md, "Outcome".
"""

from __future__ import annotations

from typing import Any

from msgspec import UNSET
from msgspec.structs import replace

from .codec import to_dict
from .continuation import join_continuations
from .errors import ArgumentsError, ErrorInfo, ServerError, TruncatedStream, error_info
from .marks import NO_TOKEN
from .models import Interaction, ModelOutputStep
from .report import IN_PROGRESS
from .resume import Resumable

__all__ = ["Decided"]


class Decided(Resumable):
    """The part of the assembler that decides the outcome."""

    __slots__ = ("_searched",)

    def __init__(self) -> None:
        super().__init__()
        self._searched = -1  # how many events there were when it was searched for unknown things

    def snapshot(self) -> Interaction:
        """The interaction as assembled so far, detached from what comes later.

        Steps that did not change are shared with earlier snapshots. Cost: the bytes of the parts
        that are still open, and the number of steps.
        """
        if self.body is not None:
            return self.body
        if len(self.hops) == 1:
            return self.hop.build()
        return join_continuations(hop.build() for hop in self.hops)

    def finish(self) -> Interaction:
        """Say that no more bytes come, and return the Interaction.

        Returns it for every status that the server ended with, `failed` and `incomplete` included:
        look at `status`. May be called again.

        Raises:
            ServerError: the server sent an error and nothing after it.
            TruncatedStream: the stream stopped before its end.
            ArgumentsError: the answer asks for a call whose arguments are no JSON object (status
                `completed` or `requires_action`).
            All of them have `.interaction`, what was assembled, and `.report`.
        """
        self.settle()
        report = self.report
        interaction = self.snapshot()
        if report.outcome == "error":
            error = report.error or ErrorInfo(None, "", None, None, None)
            raise ServerError(
                error.message,
                code=error.code,
                status=error.status,
                details=error.details,
                interaction=interaction,
                report=report,
            )
        if report.outcome == "truncated":
            raise TruncatedStream(
                "the stream stopped before its end", interaction=interaction, report=report
            )
        if report.outcome in ("completed", "requires_action"):
            for builder in (builder for hop in self.hops for _, builder in hop.order):
                if builder.broken is not None:
                    raise ArgumentsError(
                        "the arguments of a call are no JSON object",
                        index=builder.index,
                        raw=builder.broken,
                        interaction=interaction,
                        report=report,
                    )
        return interaction

    def settle(self) -> None:
        """Decide the outcome, now that nothing more comes; later calls change nothing."""
        report, hop = self.report, self.hop
        if self.body is not None:
            return
        if report.outcome == "in_progress":
            status = hop.interaction.status
            # A cancelled background run ends with a status update and the terminator alone.
            if self.done_seen and status is not UNSET and status not in IN_PROGRESS:
                self._end(status)
            else:
                report.outcome = "truncated"
        if self.replayed is not None:
            self.compare(self.replayed)
        if self._searched != report.events:  # one walk finds what is new in it, however it ended
            self._searched = report.events
            report.search("interaction", self.snapshot())
        self.where_to_resume()

    def take_body(self, interaction: Interaction) -> None:
        """The stream was one JSON body: take it as it is, with the status it has."""
        report, hop = self.report, self.hop
        self.body = interaction
        hop.interaction = replace(interaction, extra_=UNSET)
        hop.texts = {} if interaction.extra_ is UNSET else dict(interaction.extra_.texts)
        if interaction.id and interaction.id not in report.interaction_ids:
            report.interaction_ids.append(interaction.id)
        hop.offer(interaction.usage, "terminal")
        report.outcome = interaction.status or "completed"
        hop.ended = report.outcome not in IN_PROGRESS
        self.take_token(interaction.continuation_token)
        self.place_marks()
        self.where_to_resume()
        self._failure(interaction)
        report.search("interaction", interaction)

    def take_error(self, payload: Any) -> None:
        """An error that did not come as an event: bare JSON between or after the frames."""
        info = error_info(payload)
        if info is not None:
            self._error(info)

    # ---- how it ended

    def _end(self, status: str) -> None:
        """The server has said how it ended."""
        report, hop = self.report, self.hop
        if hop.ended:
            report.issue("after_end")
        else:
            hop.ended = True
            self._failure(hop.interaction)
        report.outcome = status

    def _reopen(self) -> None:
        """Another answer begins after one that had ended: that is not complete yet."""
        self.done_seen = False
        if self.hop.ended:
            self.hop.ended = False
            self.report.outcome = "in_progress"

    def _failure(self, interaction: Interaction) -> None:
        """Why an interaction failed or is incomplete, where it says so itself."""
        if interaction.status not in ("failed", "incomplete") or self.report.error is not None:
            return
        found: Any = interaction.errors[0] if interaction.errors else None
        if found is None:
            steps = interaction.steps or [builder.build() for _, builder in self.hop.order]
            for step in reversed(steps):
                if isinstance(step, ModelOutputStep) and step.error is not UNSET:
                    found = step.error
                    break
        if found is not None:
            self.report.error = error_info(to_dict(found))

    def _error(self, info: ErrorInfo) -> None:
        if self.hop.ended:
            self.report.issue("after_end", None, info.message)
            self.report.error = self.report.error or info
            return
        self.token = NO_TOKEN  # an error takes it back
        self.report.error = info
        self.report.outcome = "error"
