"""Every older, untyped or gateway form of an event → today's: the one stage before the fold.

`decode_event` gives events as they were sent, and so do streams; what folds them sees none but
those of today. What is read otherwise than it stands is in the table of `forms.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias, get_args

from msgspec import UNSET
from msgspec.structs import replace

from .. import models as m
from ..codec.encode import encode
from ..codec.structs import Unknown, WireStruct
from ..models.tables import EVENTS
from .contents import (
    content_deltas,
    content_step,
    content_today,
    delta_today,
    step_today,
    without_leading_input,
)
from .events import walk_event
from .forms import FORMS, Form
from .lifecycle import from_live, payload_today

__all__ = [
    "FORMS",
    "Form",
    "content_deltas",
    "content_step",
    "content_today",
    "delta_today",
    "dialect_of",
    "normalise",
    "payload_today",
    "step_today",
    "without_leading_input",
]


def _by_tag(what: str) -> dict[str | None, tuple[Form, ...]]:
    forms = [form for form in FORMS if form.what == what and form.read is not None]
    tags = {tag: None for form in forms for tag in form.on}
    return {tag: tuple(form for form in forms if tag in form.on) for tag in tags}


_EVENT_FORMS: Final = _by_tag("event")
_DELTA_FORMS: Final = _by_tag("delta")
_STEP_FORMS: Final = _by_tag("step")
_PLAIN_DELTAS: Final = frozenset(
    delta
    for delta in get_args(m.StepDeltaData)
    if delta.type not in _DELTA_FORMS and not issubclass(delta, Unknown)
)
_NO_FORMS: Final[tuple[Form, ...]] = ()

_Formed: TypeAlias = tuple[Form | None, tuple[Any, ...]]
"""The form of an event, None for today's, and the events that it stands for."""


def normalise(event: Any, /) -> tuple[Any, ...]:
    """The events of today that an event stands for; the event itself, alone, if it is one.

    `content.start`, `content.delta` and `content.stop` come as they are: their indexes name
    contents, which only the state can place. `content_step` and `content_deltas` read what is in
    them. Where one event becomes several, the last of them has its id and its metadata.

    Raises:
        TypeError: it is no event of the Interactions API.

    Cost: one look-up for what is today's; else the size of the event.

    """
    if type(event) is m.StepDelta and type(event.delta) in _PLAIN_DELTAS:  # nearly all are
        return (event,)
    return (_READERS.get(type(event)) or _reader_of(event))(event)[1]


def dialect_of(event: Any, /) -> str | None:
    """The name of the form in `FORMS` that an event has, if no version of the API writes it.

    Costs what `normalise` costs.
    """
    form = (_READERS.get(type(event)) or _reader_of(event))(event)[0]
    if event.event_type == "content.delta" and event.delta is not UNSET:
        form = _read(_DELTA_FORMS, event.delta)[0]
    return form.name if form is not None and form.dialect else None


def _reader_of(event: Any) -> Callable[[Any], _Formed]:
    """What reads an event of the legacy generation or of the live socket, whose models are loaded
    only with the first of them; known by its type from then on.
    """
    kind = getattr(event, "event_type", None)
    if isinstance(event, Unknown) and kind is not None:
        return _unknown
    if isinstance(event, WireStruct):
        if kind in EVENTS and isinstance(event, getattr(m, EVENTS[kind])):
            return _READERS.setdefault(type(event), _lifecycle if kind in _EVENT_FORMS else _same)
        if isinstance(event, get_args(m.ServerEvent)):
            return _READERS.setdefault(type(event), _live)
    raise TypeError(f"not an event of the Interactions API: {event!r}")


def _same(event: Any) -> _Formed:
    return None, (event,)


def _lifecycle(event: Any) -> _Formed:
    return _first(_EVENT_FORMS[event.event_type], event)


def _live(event: Any) -> _Formed:
    """An event that only the live socket has; with an `interaction` it has the form of a stream."""
    known = walk_event(encode(event), event.event_type) if event.event_type in EVENTS else event
    if isinstance(known, Unknown) or type(known) is type(event):
        return None, from_live(event)
    return None, normalise(known)


def _start(event: m.StepStart) -> _Formed:
    form, (step,) = _read(_STEP_FORMS, event.step)
    return form, (event if form is None else replace(event, step=step),)


def _delta(event: m.StepDelta) -> _Formed:
    form, deltas = _read(_DELTA_FORMS, event.delta)
    if form is None:
        return None, (event,)
    first: list[Any] = [m.StepDelta(index=event.index, delta=delta) for delta in deltas[:-1]]
    return form, (*first, replace(event, delta=deltas[-1]))


def _unknown(event: Any) -> _Formed:
    if event.reason is None and event.tag in EVENTS:  # the union of the other generation read it
        known = walk_event(event.json, event.tag)
        return (_READERS.get(type(known)) or _reader_of(known))(known)
    if type(event) is not m.UnknownInteractionSseEvent:
        event = m.UnknownInteractionSseEvent(event.json, event.tag, event.reason)
    form, found = _first(_EVENT_FORMS.get(event.tag, _NO_FORMS), event)
    if event.tag is None and form is not None:  # several; a message in a message stays unknown
        found = tuple(today for each in found for today in _of_frame(each))
    return form, found


def _of_frame(event: Any) -> tuple[Any, ...]:
    nameless = isinstance(event, Unknown) and event.tag is None
    return (event,) if nameless else normalise(event)


def _read(forms: dict[str | None, tuple[Form, ...]], value: Any) -> _Formed:
    """A step or a delta, by its tag."""
    tag = value.tag if isinstance(value, Unknown) else value.type
    return _first(forms.get(tag, _NO_FORMS), value)


def _first(forms: tuple[Form, ...], value: Any) -> _Formed:
    """The first of the forms that the value has, and what it is read as."""
    for form in forms:
        assert form.read is not None
        if (found := form.read(value)) is not None:
            return form, found
    return None, (value,)


_READERS: Final[dict[type, Callable[[Any], _Formed]]] = {
    m.ErrorEvent: _lifecycle,
    m.InteractionCompletedEvent: _lifecycle,
    m.InteractionCreatedEvent: _lifecycle,
    m.InteractionStatusUpdate: _lifecycle,
    m.StepDelta: _delta,
    m.StepStart: _start,
    m.StepStop: _same,
    m.UnknownInteractionSseEvent: _unknown,
}
"""What reads each type of event."""
