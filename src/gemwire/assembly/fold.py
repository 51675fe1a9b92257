"""The one way in: events are folded into an answer here, the common ones without a call.

Nearly all events of a long stream are deltas of text for a step that is open. `fold_all` appends
those to their text and does no more; everything else is made today's and goes to its handler.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import UNSET

from ..models import ArgumentsDelta, StepDelta, StepStop, TextDelta
from ..wire.normalise import dialect_of, normalise
from .answer import Answer
from .builder import TOO_DEEP
from .events import HANDLERS, step_stop

__all__ = ["fold_all", "strings_of"]


def fold_all(answer: Answer, events: Iterator[Any]) -> None:
    """Fold all events, or those up to one after which a savepoint is due.

    What is nested as deep as the interpreter's stack is left out, with an issue.
    """
    due = answer.savepoints_due
    while True:
        try:
            routes = answer.routes
            for event in events:
                if (
                    type(event) is StepDelta  # nearly all events are
                    and event.index in routes
                    and event.metadata is UNSET
                    and event.extra_ is UNSET
                    and event.delta.extra_ is UNSET
                ):
                    delta: Any = event.delta
                    step = routes[event.index]
                    if type(delta) is TextDelta:  # and nearly all of them are text
                        if step.text_part is not None:
                            step.text_part.append(delta.text)
                            if not event.event_id:  # UNSET, most often
                                continue
                            answer.last_event_id = event.event_id
                            due.append("event")
                            return
                    elif (
                        (fold := step.plain_folds.get(type(delta))) is not None
                        and not step.closed
                        and event.event_id is UNSET
                    ):
                        fold(step, delta)
                        continue
                _fold(answer, event)
                if due:
                    return
                routes = answer.routes  # a new hop has its own
            return
        except TOO_DEEP as error:  # what the event brought until then stays
            answer.findings.issue("too_deep", None, str(error))
            if due:
                return


def strings_of(answer: Answer, event: Any) -> list[str] | None:
    """Where the strings of events like this one are only to be appended, as `fold_all` does; None
    if it does more.
    """
    step: Any = answer.routes.get(event.index)
    if step is None or step.closed:
        return None
    if event.delta.type == "text":
        return step.text_part  # type: ignore[no-any-return]
    plain = type(event.delta) is ArgumentsDelta and ArgumentsDelta in step.plain_folds
    return step.fragments if plain else None


def _fold(answer: Answer, event: Any) -> None:
    """Any event: in today's form, by its handler."""
    if type(event) is StepStop:  # it has but one form
        step_stop(answer, event)
        return
    forms = normalise(event)
    if (not forms or forms[0] is not event or type(event) not in HANDLERS) and (
        dialect := dialect_of(event)
    ) is not None:
        answer.findings.issue("dialect", None, dialect)
    for today in forms:
        handler = HANDLERS.get(type(today)) or _content_handlers()[type(today)]
        handler(answer, today)


def _content_handlers() -> dict[type, Any]:
    """The handlers of the legacy generation, loaded with its first event."""
    from .content_events import HANDLERS as OF_CONTENTS

    return OF_CONTENTS
