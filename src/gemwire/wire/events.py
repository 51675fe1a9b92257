"""The payload of an SSE message → a typed event, of either generation."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeAlias, get_args

import msgspec
from msgspec import Raw

from .. import models
from ..codec.decode import Data, mended, refuse_unknown
from ..codec.json import REFUSED, Misfit, read_json, split_array, split_object
from ..codec.lenient import struct
from ..codec.once import decoder, memo
from ..codec.schema import fields, known_items, known_values, shape
from ..codec.structs import WireStruct
from ..models import Interaction, InteractionSseEvent, UnknownInteractionSseEvent
from ..models.tables import EVENTS, MODULES
from .lifecycle import ENDS

if TYPE_CHECKING:
    from ..models import (
        ContentDelta,
        ContentStart,
        ContentStop,
        InteractionCompleteEvent,
        InteractionStartEvent,
    )

    Event: TypeAlias = (
        InteractionSseEvent
        | ContentDelta
        | ContentStart
        | ContentStop
        | InteractionCompleteEvent
        | InteractionStartEvent
    )
    """An event of either generation, as sent. Asking for it at run time loads the legacy models."""

__all__ = ["DONE_DATA", "EVENT_DECODERS", "Event", "decode_event", "walk_event", "warm_up"]

DONE_DATA: Final = b"[DONE]"
"""The data of the terminator, whatever its name; it is no event."""


NO_OBJECT: Final = "no JSON object"
OTHER_NAME: Final = "the event_type is not known, and the event is named "
"""How the reasons begin for which an event of this wire counts as damaged."""


def is_done(data: Data) -> bool:
    """Whether the data of a message is the terminator; some write blanks around it."""
    return (
        bytes(data).strip() == DONE_DATA if not isinstance(data, str) else data.strip() == "[DONE]"
    )


def is_damaged(event: Any) -> bool:
    """Whether an event that could not be read is one of this wire, and damaged: no JSON object, or
    of a type that is not known where the name is. Other text is none of ours.
    """
    reason = event.reason or ""
    if reason.startswith(OTHER_NAME):
        return True
    text = event.json
    if not reason.startswith(NO_OBJECT):
        return False
    if event.tag == "error" and (text[:1] != b"{" or not isinstance(event.raw, str)):
        return False  # a list of errors, or the text of one
    if b'"event_type"' in text or b'_delta"' in text:
        return True
    if event.tag is None:
        return bool(text.lstrip()[:1] == b"{")
    return event.tag in EVENTS or str(event.tag).startswith(("step.", "content.", "interaction."))


def __getattr__(name: str) -> Any:
    """`Event`, which needs the legacy models, when somebody asks for it."""
    if name != "Event":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return _any_event()


@memo
def _any_event() -> Any:
    event: Any = InteractionSseEvent
    for legacy in EVENTS.values():
        if legacy in MODULES:
            event = event | getattr(models, legacy)
    return event


def _event_class(name: str) -> type[WireStruct]:
    """The Struct of an event, whose module is imported when the first such event comes."""
    cls: type[WireStruct] = getattr(models, EVENTS[name])
    return cls


class _EventDecoders(dict[str | None, Callable[[Data], Any]]):
    """SSE event name → the decode method for its payload, built at first use.

    A decoder of one Struct accepts a payload without its tag, rejects another tag, and does not
    have to look for the tag first, which stands last on this wire. Names that are not known are
    never stored: they come from the wire, and there is no end of them.
    """

    def __missing__(self, name: str | None) -> Callable[[Data], Any]:
        if name in EVENTS:
            self[name] = decoder(_event_class(name)).decode
        elif name in _NO_NAME:  # the tag must be looked for
            self[name] = decoder(InteractionSseEvent).decode
        else:
            return _unknown_name
        return self[name]


_NO_NAME = (None, "", "message")  # "message" is what the framing calls an event without a name


def _unknown_name(data: Data) -> Any:
    raise msgspec.ValidationError("unknown event name")


EVENT_DECODERS = _EventDecoders()


def decode_event(data: Data, /, event: str | None = None, *, strict: bool = False) -> Event:
    """Decode the payload of one SSE message, of either generation.

    Args:
        data: the JSON text, UTF-8.
        event: the SSE event name. With it the payload is read in one pass. The `event_type` in the
            payload wins where the two differ, and the name serves where the payload has none.
        strict: raise for whatever would be kept as unknown; only new values of enums pass.

    Returns:
        The typed event. An unknown event, a known one whose required members do not fit, and text
        that is no JSON object come as `UnknownInteractionSseEvent`; unknown things further inside
        are `Unknown…` objects and `unknown_members` there.

    Raises:
        DecodeError: only if `strict`.

    Cost: one pass over the payload; several where it has unknown parts.

    """
    try:
        return EVENT_DECODERS[event](data)  # type: ignore[no-any-return]
    except REFUSED as error:
        refused = error
    found = walk_event(data, event)
    if strict:
        refuse_unknown(found, refused, data, event)
    return found


def walk_event(data: Data, event: str | None, notes: list[str] | None = None) -> Event:
    """Decode by the second walk.

    `notes` takes what the event itself does not show: kinds of issues, for what was mended in it.
    """
    text, repairs = mended(data)
    if notes is not None:
        notes += repairs
    try:
        members = split_object(text)
    except Misfit as misfit:
        name = None if event in _NO_NAME else event
        return UnknownInteractionSseEvent(text, name, f"{NO_OBJECT}: {misfit.reason}")
    tag: Any = None if event in _NO_NAME else event
    if "event_type" in members:
        tag = read_json(members["event_type"])
    if not isinstance(tag, str):
        return UnknownInteractionSseEvent(text, None, None if tag is None else "bad event_type")
    if tag not in EVENTS:
        damaged = event in EVENTS and tag not in ENDS
        return UnknownInteractionSseEvent(text, tag, f"{OTHER_NAME}{event}" if damaged else None)
    try:
        return struct(_event_class(tag), members)  # type: ignore[return-value]
    except Misfit as misfit:
        return UnknownInteractionSseEvent(text, tag, str(misfit))


def frame_items(text: bytes) -> list[bytes] | None:
    """The texts of the events in a message that holds several, `{"events": [ … ]}`; else None."""
    if b'"events"' not in text:
        return None
    try:
        return split_array(split_object(text).get("events", b""))
    except Misfit:
        return None


def warm_up() -> None:
    """Build all that reading events and Interactions needs now, not with the first of them.

    For servers, before they take requests. It covers both generations, and what is read a second
    time because it is newer than the spec; what the bodies of other resources need is built when
    the first of them comes. Takes some 50 ms, once.
    """
    for name in (*EVENTS, None):
        EVENT_DECODERS[name]
    waiting: list[Any] = [__getattr__("Event"), Interaction, models.LegacyInteraction, Any]
    waiting += [models.ServerEvent]
    waiting += [dict[str, Raw], list[Raw], list[models.LegacyContent]]  # the last for `outputs`
    seen: set[Any] = set()
    while waiting:
        hint = waiting.pop()
        if hint in seen:
            continue
        seen.add(hint)
        decoder(hint)
        known_values(hint)
        known_items(hint)
        alternatives = shape(hint)
        waiting += alternatives.lists
        waiting += () if alternatives.scalar is None else (alternatives.scalar,)
        waiting += () if alternatives.map is None else get_args(alternatives.map)[1:]
        for cls in alternatives.structs.values():
            waiting += [field.hint for field in fields(cls).values()]
