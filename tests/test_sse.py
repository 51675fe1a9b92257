"""The event stream parser against the rules of WHATWG HTML section 9.2, however the bytes are cut.

Every input runs whole, byte by byte, cut in two everywhere and at random, with and without
`zero_copy`, and must always come to what a slow reader of the whole stream says.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gemwire.errors import LimitExceeded
from gemwire.sse import DONE, SSEMessage, SSEParser, encode_sse

BOM = b"\xef\xbb\xbf"
LINE_END = re.compile(rb"\r\n|\r|\n")
STRAY_LIMIT = 64 * 2**10

Message = tuple[str, bytes, str]


class Outcome(NamedTuple):
    """All that a stream comes to, after `close()`."""

    messages: list[Message]
    left: Message | None = None  # what close() gives
    last_event_id: str = ""
    retry_ms: int | None = None
    stray: bytes = b""
    refused: int | None = None  # where the event begins that was too large


def reference(stream: bytes, limit: int = 2**40) -> Outcome:
    """The standard, word for word, over a stream that is there as a whole."""
    messages: list[Message] = []
    stray: list[bytes] = []
    event, data, id_buffer, last_event_id = b"", list[bytes](), "", ""
    retry_ms: int | None = None
    at = began = len(BOM) if stream.startswith(BOM) else 0
    size = 0
    while at < len(stream):
        end = LINE_END.search(stream, at)
        line = stream[at : end.start()] if end else stream[at:]
        if end and not line:
            last_event_id = id_buffer
            if data:
                name = event.decode("utf-8", "replace") or "message"
                messages.append((name, b"\n".join(data), id_buffer))
            event, data, size, began = b"", [], 0, end.end()
        else:
            size += len(line) + bool(end)
            if size > limit:
                stray_text = _visible_stray(stream[:began], stray)
                return Outcome(messages, None, last_event_id, retry_ms, stray_text, began)
            name_, colon, value = line.partition(b":")
            value = value.removeprefix(b" ")
            if name_ == b"event":
                event = value
            elif name_ == b"data":
                data.append(value)
            elif name_ == b"id":
                if b"\0" not in value:
                    id_buffer = value.decode("utf-8", "replace")
            elif name_ == b"retry":
                if end and re.fullmatch(rb"[0-9]{1,640}", value):
                    retry_ms = int(value)
            elif not (colon and not name_):
                stray.append(line)
        at = end.end() if end else len(stream)
    left = (event.decode("utf-8", "replace") or "message", b"\n".join(data), id_buffer)
    stray_text = b"\n".join(stray)[:STRAY_LIMIT]
    return Outcome(messages, left if data else None, last_event_id, retry_ms, stray_text)


def _visible_stray(before: bytes, stray: list[bytes]) -> bytes:
    """The stray lines of the blocks before the refused one, whose own lines are not looked at."""
    return reference(before).stray if stray else b""
