"""The verdict on an answer: what it comes to, and how it ended.

A stream is not finished until the server said so; nothing that was assembled is lost when it did
not. The rules are those of docs/assembly.md, "Outcome".
"""

from __future__ import annotations

from typing import Any

from msgspec import UNSET

from ..codec.encode import to_dict
from ..errors import ArgumentsError, ServerError, TruncatedStream
from ..models import Interaction, ModelOutputStep
from ..models.views import UNFINISHED
from ..wire.error_body import ErrorInfo, error_info
from .answer import NO_TOKEN, Answer

__all__ = [
    "decide",
    "end",
    "raise_unless_usable",
    "search_unknown",
    "take_body",
    "take_error",
]


def end(answer: Answer, status: str) -> None:
    """The server has said how it ended."""
    current = answer.current
    if current.ended:
        answer.findings.issue("after_end")
    else:
        current.ended = True
        _take_failure(answer, current.interaction)
    answer.outcome = status


def take_error(answer: Answer, info: ErrorInfo) -> None:
    """The server says that something went wrong, in an event or outside of them."""
    if answer.current.ended:
        answer.findings.issue("after_end", None, info.message)
        answer.error = answer.error or info
        return
    answer.token = NO_TOKEN  # an error takes it back
    answer.error = info
    answer.outcome = "error"


def take_body(answer: Answer, interaction: Interaction) -> None:
    """The stream was one JSON body: take it as it is, with the status it has."""
    if answer.current.order:  # it is the response to a resume request, and has all of it
        answer.begin_again()
    current = answer.current
    answer.body = True
    current.take_body(interaction)
    answer.outcome = interaction.status or "completed"
    current.ended = answer.outcome not in UNFINISHED
    answer.take_token(interaction.continuation_token)
    _take_failure(answer, interaction)


def _take_failure(answer: Answer, interaction: Interaction) -> None:
    """Why an interaction failed or is incomplete, where it says so itself."""
    if interaction.status not in ("failed", "incomplete") or answer.error is not None:
        return
    found: Any = interaction.errors[0] if interaction.errors else None
    if found is None:
        steps = interaction.steps or [builder.build() for _, builder in answer.current.order]
        for step in reversed(steps):
            if isinstance(step, ModelOutputStep) and step.error is not UNSET:
                found = step.error
                break
    if found is not None:
        answer.error = error_info(to_dict(found))


def decide(answer: Answer) -> None:
    """Decide the outcome, now that nothing more comes; later calls change nothing."""
    if answer.outcome == "in_progress" and not answer.body:
        status = answer.current.interaction.status
        # A cancelled background run ends with a status update and the terminator alone.
        if answer.done_seen and status is not UNSET and status not in UNFINISHED:
            end(answer, status)
        else:
            answer.outcome = "truncated"


def search_unknown(answer: Answer) -> None:
    """Find what the spec does not know in what was assembled."""
    if answer.searched != answer.event_count:  # one walk finds what is new in it, however it ended
        answer.searched = answer.event_count
        answer.findings.search("interaction", answer.build())


def raise_unless_usable(answer: Answer, interaction: Interaction) -> None:
    """Raise what `Assembler.finish` raises, for a settled answer and what was built of it."""
    if answer.outcome == "error":
        error = answer.error or ErrorInfo(None, "", None, None, None)
        raise ServerError(
            error.message,
            code=error.code,
            status=error.status,
            details=error.details,
            interaction=interaction,
            report=answer.report(),
        )
    if answer.outcome == "truncated":
        raise TruncatedStream(
            "the stream stopped before its end", interaction=interaction, report=answer.report()
        )
    if answer.outcome in ("completed", "requires_action"):
        for builder in (b for held in answer.interactions for _, b in held.order):
            if builder.broken is not None:
                raise ArgumentsError(
                    "the arguments of a call are no JSON object",
                    index=builder.index,
                    raw=builder.broken,
                    interaction=interaction,
                    report=answer.report(),
                )
