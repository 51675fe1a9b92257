"""The verdict on an answer: what it comes to, and how it ended.

A stream is not finished until the server said so; nothing that was assembled is lost when it did
not. The rules are those of docs/assembly.md, "Outcome".
"""

from __future__ import annotations

from typing import Any, Literal, NoReturn, TypeAlias

from msgspec import UNSET
from msgspec.structs import replace

from ..codec.encode import to_dict
from ..codec.structs import Extra, Unknown
from ..errors import ArgumentsError, DamagedStream, ServerError, TruncatedStream
from ..models import Interaction, ModelOutputStep
from ..models.views import UNFINISHED
from ..wire.error_body import ErrorInfo, error_info, told_error
from .answer import NO_TOKEN, Answer
from .builder import StepBuilder
from .damage import take_damage
from .report import StreamReport
from .truncation import cut_message

__all__ = [
    "OnDamage",
    "decide",
    "end",
    "raise_unless_usable",
    "search_unknown",
    "take_body",
    "take_error",
]

OnDamage: TypeAlias = Literal["raise", "keep"]
"""What is done with an answer of which a part could not be read."""


def end(answer: Answer, status: str) -> None:
    """The server has said how it ended."""
    current = answer.current
    if current.ended:
        answer.findings.issue("after_end")
    else:
        current.ended = True
        members = current.raw_members
        extra: Any = Extra(members.copy()) if members else UNSET
        _take_failure(answer, replace(current.interaction, extra_=extra))
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
    if "\ufffd" in answer.outcome:  # whatever it was, it does not say how it ended
        take_damage(answer, answer.outcome.encode())
        answer.outcome = "truncated"
        return
    current.ended = answer.outcome not in UNFINISHED
    answer.take_token(interaction.continuation_token)
    _take_failure(answer, interaction)


def _take_failure(answer: Answer, interaction: Interaction) -> None:
    """What an interaction says itself of an error, whatever its status."""
    if answer.error is None:
        answer.error = told_error(interaction)
    if answer.error is not None or interaction.status not in ("failed", "incomplete"):
        return
    steps = interaction.steps or [builder.build() for _, builder in answer.current.order]
    for step in reversed(steps):
        if isinstance(step, ModelOutputStep) and step.error is not UNSET:
            answer.error = error_info(to_dict(step.error))
            return


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


def raise_unless_usable(
    answer: Answer, interaction: Interaction, damaged: OnDamage = "raise"
) -> None:
    """Raise what `Assembler.finish` raises, for a settled answer and what was built of it."""
    if answer.outcome == "error":
        error = answer.error or ErrorInfo(None, "", None, None, None)
        raise ServerError(
            error.message,
            code=error.code,
            status=error.status,
            details=error.details,
            retry_after=error.retry_after,
            interaction=interaction,
            report=answer.report(),
        )
    if answer.outcome == "truncated":
        raise TruncatedStream(cut_message(answer), interaction=interaction, report=answer.report())
    if answer.outcome in ("completed", "requires_action"):
        for builder in (b for held in answer.interactions for _, b in held.order):
            if builder.broken is not None and _is_call(builder):
                _raise_for_call(answer, interaction, builder)
    if damaged == "raise" and (report := answer.report()).damaged:
        raise DamagedStream(_told_damage(report), interaction=interaction, report=report)


def _told_damage(report: StreamReport) -> str:
    events = "an event" if report.damaged == 1 else f"{report.damaged} events"
    offsets = [issue.offset for issue in report.issues if issue.offset is not None]
    place = f" (at byte {min(offsets)})" if offsets else ""
    return f"{events} of the stream could not be read{place}, so the answer may lack a piece"


def _is_call(builder: StepBuilder) -> bool:
    """Whether somebody could run it: fragments of a step that never started have no name."""
    return builder.started or getattr(builder.build(), "name", UNSET) is not UNSET


def _raise_for_call(answer: Answer, interaction: Interaction, builder: StepBuilder) -> NoReturn:
    step = builder.build()
    places = (at for at, held in enumerate(interaction.steps or ()) if held == step)
    members = step.raw if isinstance(step, Unknown) else to_dict(step)
    members = members if isinstance(members, dict) else {}
    raise ArgumentsError(
        "the arguments of a call are no JSON object, or not all of them came",
        interaction=interaction,
        report=answer.report(),
        position=next(places, None),
        index=builder.index,
        call_id=members.get("id"),
        name=members.get("name"),
        raw=builder.broken or "",
    )
