"""A stream that is no event stream: one JSON body, a bare error, the page of a proxy.

The server does not always stream when it was asked to, and prints some errors as bare JSON before,
between or after its frames.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final

from msgspec import UNSET

from ..assembly.answer import Answer
from ..assembly.verdict import take_body, take_error
from ..codec.json import read_json
from ..codec.structs import Unknown
from ..errors import ApiError, DecodeError, LimitExceeded
from ..sse import SSEMessage
from ..wire.bodies import decode_interaction
from ..wire.error_body import error_info, is_error
from ..wire.events import decode_event, is_done
from .lane import Chunk, Frames

__all__ = ["Chunk", "Head", "frames_of", "is_torn", "read_body", "read_stray"]

_SPACE: Final = b" \t\r\n\xef\xbb\xbf"  # white space, and the bytes of a BOM
_IN_FRAME: Final = (b"\ndata:", b"\rdata:")


_DELTAS: Final = (b"step.d", b"content.d")  # what nothing else tells the loss of


def has_lost(block: bytes, event: bytes, has_data: bool) -> bool:
    """Whether a block of lines lost an event: its data stand where no reader looks, or nowhere."""
    if not has_data and (event.startswith(_DELTAS) or b"{" in event):
        return True
    lines = block.split(b"\n") if b'"event_type"' in block else []
    return any(b'"event_type"' in line and not line.startswith(b"data:") for line in lines)


def frames_of(limit: int) -> Frames:
    """A parser of frames that gives what a block lost as a message, so that it can be told."""
    frames = Frames(max_event_bytes=limit)
    frames.has_lost = has_lost
    return frames


class Head:
    """Holds the first bytes of a stream back until it is clear what it is.

    No event stream begins with a bracket, so what does is held as a body, as long as no line of it
    is one of a frame.
    """

    __slots__ = ("_limit", "body")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.body: bytearray | None = None  # all bytes, if it looks like JSON

    def feed(self, chunk: Chunk) -> tuple[bytes, bool]:
        """What is to be framed of the bytes so far, and whether it is clear that there are frames.

        Raises:
            LimitExceeded: the body is larger than one event may be.
        """
        chunk = bytes(chunk)
        if self.body is None:
            head = chunk.lstrip(_SPACE)
            if not head:
                return chunk, False
            if head[0] not in b"{[":
                return chunk, True
            self.body = bytearray()
        body = self.body
        seam = max(0, len(body) - len(_IN_FRAME[0]))
        body += chunk
        if any(body.find(line, seam) >= 0 for line in _IN_FRAME):  # no JSON has that
            self.body = None
            return bytes(body), True
        if len(body) > self._limit:
            raise LimitExceeded(
                "a JSON body is too large", offset=0, limit=self._limit, size=len(body)
            )
        return b"", False


def read_body(answer: Answer, body: bytes, *, strict: bool) -> bool:
    """Take a stream that was one JSON body: the server did not stream, or it failed.

    Returns whether it was one; anything else is stray text. Raises DecodeError if `strict`.
    """
    body = body.strip(_SPACE)
    try:
        interaction = decode_interaction(body, strict=strict)
    except ApiError:
        _take_error(answer, read_json(body))
        return True
    except DecodeError:
        if strict:
            raise
        return False
    if interaction.status is UNSET:
        return False
    take_body(answer, interaction)
    return True


def read_stray(answer: Answer, stray: bytes) -> None:
    """Text outside of the events: most often the server's last words, as bare JSON."""
    text = stray.decode("utf-8", "replace")
    payload = next(filter(is_error, _json_in(text)), None)
    if payload is not None:
        _take_error(answer, payload)
    elif not any(name.startswith(text) for name in ("event", "data", "id", "retry")):
        answer.findings.issue("stray", None, text)  # and not the name of a cut line


def _take_error(answer: Answer, payload: Any) -> None:
    info = error_info(payload)
    if info is not None:
        take_error(answer, info)


def _json_in(text: str) -> Iterator[Any]:
    """The JSON values that a line begins with; what stands before the first one does not matter."""
    from json import JSONDecoder  # rare

    decode = JSONDecoder().raw_decode
    starts = {at for at in (text.find("{"), text.find("[")) if at >= 0}
    starts = {min(starts)} if starts else set()
    starts |= {at + 1 for at in range(len(text)) if text[at : at + 2] in ("\n{", "\n[")}
    end = 0
    for start in sorted(starts):
        if start >= end:
            with suppress(ValueError, RecursionError):
                payload, end = decode(text, start)
                yield payload


def is_torn(message: SSEMessage) -> bool:
    """Whether the last message, which no blank line completes, was cut off: no JSON object."""
    event = decode_event(message.data, message.event)
    return (
        isinstance(event, Unknown) and not is_done(message.data) and not isinstance(event.raw, dict)
    )
