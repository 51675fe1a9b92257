"""Where in the stream an event begins: found again for the few that somebody must look at.

The parser of frames keeps no place for each event, as that would cost every stream. It remembers
the last chunk that it read, and this walks the lines of that chunk once more.
"""

from __future__ import annotations

import re
from typing import Any

from ..sse import SSEParser
from .body import frames_of
from .lane import Run

__all__ = ["events_in", "offsets_of"]

_LINE = re.compile(rb"[^\r\n]*(?:\r\n|\r|\n)")


def offsets_of(frames: SSEParser, limit: int) -> list[int]:
    """For each event of the last chunk, the byte of the stream where its block of lines begins.

    Cost: that of reading the chunk again, line by line.
    """
    raw, began, line_ended, end, messages = frames.last_fed
    count = sum(map(events_in, messages))
    start = end - len(raw)
    scratch = frames_of(limit)
    scratch.go_on(b"")
    continued = began >= 0  # the lines are those of a block that earlier chunks began
    offsets: list[int] = []
    block = -1
    for line in _LINE.finditer(raw):
        blank = not line[0].strip(b"\r\n") and (line_ended or not continued or line.start() > 0)
        if continued:
            continued = not blank
            continue
        if block < 0 and not blank:
            block = start + line.start()
        offsets += [block] * len(scratch.feed(line[0]))
        if blank:
            block = -1
        if len(offsets) >= count:
            break  # and so no event that is too large is met
    return [began] * (count - len(offsets)) + offsets


def events_in(message: Any) -> int:
    """How many events a message brings."""
    return message.size if type(message) is Run else 1
