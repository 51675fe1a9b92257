"""What could not be read, and what is not to be trusted for it.

An event of this wire that is no JSON is damage: it is counted, told, and makes the answer one that
may lack a piece. Where what was dropped may have belonged to a call that is open, the call has no
arguments: those that are left may be JSON and yet not what was sent.
"""

from __future__ import annotations

import zlib
from typing import Any, Final

from ..codec.encode import encode
from ..codec.json import Misfit, read_json, split_object
from ..codec.structs import Unknown
from ..wire.events import is_damaged
from .answer import Answer

__all__ = ["doubt", "doubt_all", "drop", "take_damage"]

DELTAS: Final = ("content.delta", "step.delta")
STARTS: Final = ("content.start", "step.start")


def take_damage(answer: Answer, sample: bytes, index: int | None = None) -> None:
    """Count something of this wire that could not be read."""
    answer.current.damaged += 1
    text = sample.decode("utf-8", "replace")
    answer.findings.issue("damaged", index, text)


def drop(answer: Answer, event: Unknown) -> None:
    """An event that could not be read: was it damaged, and which open call may it belong to?"""
    text = event.json
    if is_damaged(event):
        take_damage(answer, text, _last_open(answer))
        if not (event.tag or "").startswith("interaction.") or b'"delta"' in text:
            doubt_all(answer, text)
        return
    answer.findings.saw_unknown("event", "union", event.tag, event)
    try:
        index = split_object(text).get("index")
    except Misfit:
        return  # text that is no event of this wire
    step = None if index is None else answer.routes.get(_plain(read_json(index)))
    if step is not None:
        step.lose(text, fragment=event.tag in DELTAS)
    elif event.reason is None or index is None:
        pass  # a new kind of event, which names no step
    elif event.tag in STARTS:
        answer.current.refused.add(zlib.crc32(index))  # what follows with it belongs to that
    elif event.tag in DELTAS and zlib.crc32(index) not in answer.current.refused:
        doubt_all(answer, text)


def doubt(answer: Answer, event: Any) -> None:
    """What an event says for a call had to be mended: it is not what was sent."""
    step = answer.routes.get(getattr(event, "index", None))
    if step is not None:
        step.lose(encode(event), fragment=True)


def _plain(index: Any) -> Any:
    """An index as the steps have it: neither 0.0 nor true is one."""
    return index if type(index) is int else None


def doubt_all(answer: Answer, text: bytes) -> None:
    """Something was dropped that may have belonged to any call that is open."""
    current = answer.current
    for builder in current.open[current.doubted :]:
        builder.lose(text, fragment=True)
    current.doubted = len(current.open)


def _last_open(answer: Answer) -> int | None:
    """The index of the step that was opened last, if it is open."""
    last = answer.current.last
    return None if last is None or last.closed else last.index
