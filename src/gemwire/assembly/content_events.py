"""What the `content.*` events of the legacy generation do to an answer.

Their indexes name contents, not steps: each content has a builder of its own (`contents.py`), and
runs of them are put together as steps when somebody asks. Their contents and deltas are made
today's by `wire/normalise.py`. Loaded with the first such event.
"""

from __future__ import annotations

from typing import Any, Final

from msgspec import UNSET

from ..codec.structs import Unknown
from ..models import legacy as old
from ..wire.normalise import content_deltas, content_step
from .answer import Answer
from .contents import builder_of_content
from .events import fold_delta, open_step, stop_step, take_common_members

__all__ = ["HANDLERS"]


def content_start(answer: Answer, event: old.ContentStart) -> None:
    """`content.start`: opens the step or part that the content is today."""
    take_common_members(answer, event)
    content: Any = event.content
    if content is UNSET:
        return
    if isinstance(content, Unknown):
        answer.findings.saw_unknown("content.start.content", "union", content.tag, content)
    open_step(answer, event.index, content_step(content), builder_of_content)


def content_delta(answer: Answer, event: old.ContentDelta) -> None:
    """`content.delta`: one delta or several, as today has them."""
    take_common_members(answer, event)
    if event.delta is not UNSET:
        for delta in content_deltas(event.delta):
            fold_delta(answer, event.index, delta, builder_of_content, "content.delta.delta")


def content_stop(answer: Answer, event: old.ContentStop) -> None:
    """`content.stop`"""
    take_common_members(answer, event)
    stop_step(answer, event.index)


HANDLERS: Final[dict[type, Any]] = {
    old.ContentStart: content_start,
    old.ContentDelta: content_delta,
    old.ContentStop: content_stop,
}
"""What is done with each kind of event."""
