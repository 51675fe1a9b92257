"""What each event does to an answer: functions of the answer and the event, in today's form.

The rules are those of docs/assembly.md. What is older or looser was made today's before, by
`wire/normalise.py`; the `content.*` events of the legacy generation are in `content_events.py`.
"""

from __future__ import annotations

from typing import Any, Final

from msgspec import UNSET
from msgspec.structs import replace

from ..codec.encode import encode, to_dict
from ..codec.json import Misfit, split_object
from ..codec.lenient import struct
from ..codec.structs import Unknown
from ..models import (
    ArgumentsDelta,
    ErrorEvent,
    Interaction,
    InteractionCompletedEvent,
    InteractionCreatedEvent,
    InteractionStatusUpdate,
    StepDelta,
    StepStart,
    StepStop,
    TextAnnotationDelta,
    TextDelta,
    ThoughtSignatureDelta,
    ThoughtSummaryDelta,
    UnknownInteractionSseEvent,
)
from ..models.views import UNFINISHED, is_terminal
from ..wire.error_body import error_info, is_error
from ..wire.events import is_damaged, is_done
from ..wire.lifecycle import has_bad_status
from ..wire.normalise import delta_today
from .answer import NO_TOKEN, Answer
from .builder import Build, StepBuilder
from .damage import drop, take_damage
from .opening import opened_by
from .steps import builder_for
from .verdict import end, take_error

__all__ = ["HANDLERS", "fold_delta", "open_step", "stop_step", "take_common_members"]

# ---- lifecycle


def created(answer: Answer, event: InteractionCreatedEvent) -> None:
    """`interaction.created`: the answer begins, goes on as another interaction, or begins again."""
    take_common_members(answer, event)
    current, payload = answer.current, event.interaction
    held = current.interaction.id
    if current.ended and current.interaction.status == "requires_continuation":
        _next_hop(answer, event)  # whatever its id: there may be none, or the same again
    elif held is not UNSET and payload.id:
        if payload.id == held:
            answer.findings.issue("created_again", None, held)
            current.created_again = payload
            if current.ended:  # it begins again, and is to end anew
                answer.done_seen = False
                answer.outcome = "in_progress"
            return
        if not answer.token.value:
            answer.findings.issue("second_id", None, f"{held} / {payload.id}")
        cut = current.last is not None and not current.last.closed
        if not current.ended and (cut or not answer.token.value):
            take_damage(answer, encode(event))  # the one before was cut; this is another answer
        _next_hop(answer, event)
    elif (
        current.created
        and not current.ended
        and (current.order or (held is UNSET and not payload.id))
    ):
        answer.findings.issue("created_again")
        current.created_again = payload
        if held is not UNSET or not payload.id:
            return
    answer.done_seen = False
    if answer.current.ended:  # another answer begins after one that had ended
        answer.current.ended = False
        answer.outcome = "in_progress"
    answer.current.created = True
    answer.current.merge_payload(payload, "status")
    answer.current.reconcile(payload)
    answer.take_token(payload.continuation_token)


def _next_hop(answer: Answer, event: InteractionCreatedEvent) -> None:
    """The event that opens a hop belongs to that, and so does its id."""
    answer.next_hop()
    if event.event_id:
        answer.last_event_id = event.event_id
        answer.savepoints_due.append("event")


def status_update(answer: Answer, event: InteractionStatusUpdate) -> None:
    """`interaction.status_update`: status, id, token and usage are laid over what is held."""
    take_common_members(answer, event)
    answer.done_seen = False
    current = answer.current
    if current.ended:
        answer.findings.issue("after_end", None, event.status or "")
    else:
        _look_for_damage(answer, event, event.interaction_id)
    current.merge_payload(
        Interaction(
            id=event.interaction_id,
            status=UNSET if current.ended else event.status,
            continuation_token=event.continuation_token,
        ),
        "status",
    )
    current.offer(event.usage, "status")
    answer.take_token(event.continuation_token)


def _look_for_damage(answer: Answer, event: Any, identity: Any) -> None:
    """An event of another answer, or one whose status is none."""
    held = answer.current.interaction.id
    if (held and identity and identity != held) or has_bad_status(event):
        take_damage(answer, encode(event))


def completed(answer: Answer, event: InteractionCompletedEvent) -> None:
    """`interaction.completed`: the last word on everything but the steps."""
    take_common_members(answer, event)
    current, payload = answer.current, event.interaction
    if payload.status in UNFINISHED and payload.status != "idle":  # said here, that is an end
        current.merge_payload(payload, "status")
        answer.findings.issue("not_terminal", None, str(payload.status))
        return
    told = current.interaction.status
    if not current.ended:
        _look_for_damage(answer, event, payload.id)
    if has_bad_status(payload) or "\ufffd" in (payload.status or ""):
        take_damage(answer, encode(event))  # whatever it was, it does not say how it ended
        current.merge_payload(replace(payload, status=UNSET), "status")
        return
    status: Any = payload.status or (told if is_terminal(told) else "completed")
    if not payload.continuation_token:  # this one is authoritative: there is none any more
        answer.token = NO_TOKEN
        current.interaction = replace(current.interaction, continuation_token=UNSET)
    current.merge_payload(replace(payload, status=status), "terminal")
    current.close()
    answer.current.reconcile(payload)
    answer.take_token(payload.continuation_token)
    end(answer, status)


# ---- steps


def step_start(answer: Answer, event: StepStart) -> None:
    """`step.start`"""
    take_common_members(answer, event)
    if isinstance(event.step, Unknown):
        answer.findings.saw_unknown("step.start.step", "union", event.step.tag, event.step)
    open_step(answer, event.index, event.step, builder_for)


def open_step(answer: Answer, index: Any, step: Any, build: Build) -> None:
    """Open a step, as it was sent; `build` makes its builder."""
    current, findings = answer.current, answer.findings
    if not isinstance(index, int):
        index = current.highest + 1
        findings.issue("index_missing", index)
    held = current.routes.get(index)
    again = current.created_again
    anew = current.ended and answer.outcome == "in_progress"  # it began behind its end
    if again is not None and (held is not None or anew):
        findings.issue("restarted", index)
        answer.begin_again(again)
        current = answer.current
        held = None
    if current.ended:
        findings.issue("after_end", index)
    go_on(answer)
    if held is None:
        current.add(index, build(index, step, findings), index)
    elif not held.started and type(step) is type(held.base):
        held.started_late(step)
        held.built = None
        findings.issue("start_late", index)
    elif step == held.base and not held.touched():
        findings.issue("start_again", index)
    elif held.is_call and not held.closed:  # no call appears that the model did not make
        findings.issue("start_again", index, encode(step).decode())
        begun = bool(getattr(step, "arguments", UNSET) or getattr(held, "fragments", ()))
        held.lose(encode(step), fragment=begun)
    else:
        findings.issue("start_again", index)
        current.add(current.highest + 1, build(index, step, findings), index)


def go_on(answer: Answer) -> None:
    """More comes: behind a terminator, that is to end anew."""
    if answer.done_seen:
        answer.done_seen = answer.current.ended = False
        answer.outcome = "in_progress"


def step_delta(answer: Answer, event: StepDelta) -> None:
    """A `step.delta` that is not of the ordinary kind, or not where it belongs; see `fold.py`."""
    take_common_members(answer, event)
    fold_delta(answer, event.index, event.delta, builder_for, "step.delta.delta")


def fold_delta(answer: Answer, index: Any, delta: Any, build: Build, where: str) -> None:
    """Fold a delta into its step; `where` it stood, for the report."""
    current, findings = answer.current, answer.findings
    step = _routed(answer, index)
    if isinstance(delta, Unknown):
        findings.saw_unknown(where, "union", delta.tag, delta)
        delta = delta_today(delta, None if step is None else type(step.base))
    if step is None:
        opened = opened_by(delta)
        if opened is None:
            return
        index = index if isinstance(index, int) else current.highest + 1
        findings.issue("start_missing", index)
        go_on(answer)
        step = build(index, opened, findings)
        step.started = False
        current.add(index, step, index)
    if step.closed:
        kind = "after_end" if current.ended else "after_stop"
        findings.issue(kind, step.index, encode(delta).decode())
        go_on(answer)
        if step.is_call and type(delta) is not ThoughtSignatureDelta:
            return  # it may have been run already
        step.built = None
    if isinstance(delta, Unknown):
        _fold_unknown(answer, step, delta)
        return
    fold = step.folds.get(type(delta))
    if fold is None:
        findings.issue("misplaced", step.index, delta.type)
        findings.saw_unknown(where, "union", delta.type, delta)
        step.lose(encode(delta), fragment=False)
        return
    fold(step, delta)
    if delta.extra_ is not UNSET and type(delta) in PASSING:
        findings.saw_extra(where, delta)
        signature = delta.extra_.values().get("signature")
        if isinstance(signature, str):
            step.sign(ThoughtSignatureDelta(signature=signature))


PASSING: Final = frozenset(
    {ArgumentsDelta, TextAnnotationDelta, TextDelta, ThoughtSignatureDelta, ThoughtSummaryDelta}
)
"""Deltas whose unknown members do not become part of the step, and would not be found there."""


def _fold_unknown(answer: Answer, step: StepBuilder, delta: Unknown) -> None:
    """Merge a delta of the step's own kind that no schema has, or that has no type at all."""
    kind = step.kind
    own = delta.tag == kind or (delta.tag is None and str(kind).endswith(("_call", "_result")))
    raw = delta.raw
    if own and isinstance(raw, dict):
        try:
            step.merge(delta)
            return
        except Misfit as misfit:
            answer.findings.issue("misplaced", step.index, str(misfit))
    step.lose(delta.json, fragment=True)
    if not own and delta.tag is None and isinstance(raw, dict) and isinstance(raw.get("text"), str):
        answer.findings.issue("misplaced", step.index, "text")


def step_stop(answer: Answer, event: StepStop) -> None:
    """`step.stop`"""
    take_common_members(answer, event)
    answer.current.offer(event.usage, "step")
    if event.step_usage is not UNSET:
        answer.findings.saw_extra("step.stop.step_usage", event.step_usage)
    stop_step(answer, event.index)


def stop_step(answer: Answer, index: Any) -> None:
    """Close a step."""
    step = _routed(answer, index)
    if step is None:
        answer.findings.issue("stop_unopened", index if isinstance(index, int) else None)
    elif step.closed:
        ended = answer.current.ended
        answer.findings.issue("after_end" if ended else "after_stop", step.index)
    else:
        step.close()
        step.build()  # join and parse now: the fragments can go


def _routed(answer: Answer, index: object) -> StepBuilder | None:
    """The step that an event belongs to; the one opened last if the event does not say."""
    if index is UNSET:
        step = answer.current.last
        answer.findings.issue("index_missing", None if step is None else step.index)
        return step
    return answer.routes.get(index)


# ---- the rest


def error(answer: Answer, event: ErrorEvent) -> None:
    """`error`; one that says nothing is noise."""
    take_common_members(answer, event)
    info = error_info(to_dict(event))
    if info is not None:
        take_error(answer, info)


def unknown_event(answer: Answer, event: UnknownInteractionSseEvent) -> None:
    """An event of no known kind, or the terminator: it says nothing of success."""
    if is_done(event.json):
        answer.event_count -= 1  # it is no event
        answer.done_seen = True
        return
    # A frame that has neither a name nor a type may be an error all the same.
    raw = event.raw
    if event.tag == "error" or (event.tag is None and is_error(raw)):
        info = error_info(raw)
        if info is not None and not is_damaged(event):
            answer.findings.saw_unknown("event", "union", event.tag, event)
            take_error(answer, info)
            return
    drop(answer, event)
    try:
        members = split_object(event.json)
        carried: dict[str, bytes] = {n: members[n] for n in CARRIED if n in members}
        take_common_members(answer, replace(struct(StepStop, carried), extra_=UNSET), "event")
    except Misfit:
        pass  # no object, so it carries nothing


CARRIED: Final = ("event_id", "metadata")
"""What any event may carry."""


def take_common_members(answer: Answer, event: Any, kind: str | None = None) -> None:
    """What any event may carry; `kind` of event, for the report."""
    if event.event_id is not UNSET and event.event_id:
        answer.last_event_id = event.event_id
        answer.savepoints_due.append("event")
    if event.metadata is not UNSET:
        answer.current.offer(event.metadata.total_usage, "metadata")
        answer.current.offer(event.metadata.usage, "metadata")
        answer.findings.saw_extra(f"{kind or event.event_type}.metadata", event.metadata)
    if event.extra_ is not UNSET:
        answer.findings.saw_extra(event.event_type, event)


HANDLERS: Final[dict[type, Any]] = {
    InteractionCreatedEvent: created,
    InteractionStatusUpdate: status_update,
    InteractionCompletedEvent: completed,
    StepStart: step_start,
    StepDelta: step_delta,
    StepStop: step_stop,
    ErrorEvent: error,
    UnknownInteractionSseEvent: unknown_event,
}
"""What is done with each kind of event."""
