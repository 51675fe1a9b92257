"""A message of the live socket → the typed events in it."""

from __future__ import annotations

from ..codec.decode import Data, mended, refuse_unknown
from ..codec.json import REFUSED, Misfit
from ..codec.lenient import read
from ..codec.once import decoder
from ..models.live import ServerEvent, UnknownServerEvent
from .events import NO_OBJECT, frame_items

__all__ = ["decode_live_event"]


def decode_live_event(data: Data, /, *, strict: bool = False) -> list[ServerEvent]:
    """Decode one message that the server sent on the live socket, text or binary.

    Args:
        data: the JSON text: one event, or `{"events": [ … ]}`.
        strict: raise for whatever would be kept as unknown; only new values of enums pass.

    Returns:
        The events of the message, in order; none for an empty list. An unknown event, a known one
        whose required members do not fit, and text that is no JSON object come as
        `UnknownServerEvent`.

    Raises:
        DecodeError: only if `strict`.

    Cost: one pass over the message; several where it has unknown parts or holds several events.

    """
    try:
        return [decoder(ServerEvent).decode(data)]
    except REFUSED as error:
        refused = error
    event = _read(mended(data)[0])
    if isinstance(event, UnknownServerEvent) and event.tag is None:
        items = frame_items(event.json)
        if items is not None:
            return [_one(item, strict) for item in items]
    if strict:
        refuse_unknown(event, refused, data)
    return [event]


def _one(text: bytes, strict: bool) -> ServerEvent:
    """One event; a message in a message is none."""
    try:
        return decoder(ServerEvent).decode(text)  # type: ignore[no-any-return]
    except REFUSED as error:
        event = _read(text)
        if strict:
            refuse_unknown(event, error, text)
        return event


def _read(text: bytes) -> ServerEvent:
    """One event, by the second pass."""
    text = text.strip(b" \t\r\n")
    try:
        return read(ServerEvent, text)  # type: ignore[no-any-return]
    except Misfit as misfit:
        return UnknownServerEvent(text, None, f"{NO_OBJECT}: {misfit.reason}")
