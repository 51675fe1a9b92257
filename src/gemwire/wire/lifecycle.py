"""The events that begin and end an interaction, in the forms of gateways and of older servers.

Their members may stand beside `event_type` instead of in `interaction`; the end may have an event
of its own for each status, and a status may be a google.rpc object. Each function gives the events
of today, or None where an event is not in that form.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from msgspec import UNSET
from msgspec.structs import replace

from .. import models as m
from ..codec.encode import encode, to_dict
from ..codec.json import Misfit, read_json, split_array, split_object
from ..codec.lenient import read, struct
from ..codec.schema import fields
from ..codec.structs import Extra, Unknown
from ..models import Interaction
from .contents import step_today
from .error_body import error_info

__all__ = [
    "ENDS",
    "beside_error",
    "beside_interaction",
    "connection",
    "flat",
    "from_live",
    "has_bad_status",
    "has_legacy_form",
    "lifecycle_of_legacy",
    "named_end",
    "nested_update",
    "payload_today",
    "with_payload_today",
]

Events = tuple[Any, ...] | None

ENDS: Final[dict[str, str]] = {
    "interaction.budget_exceeded": "budget_exceeded",
    "interaction.canceled": "cancelled",
    "interaction.cancelled": "cancelled",
    "interaction.error": "failed",
    "interaction.failed": "failed",
    "interaction.incomplete": "incomplete",
    "interaction.requires_action": "requires_action",
    "interaction.requires_continuation": "requires_continuation",
}
"""Events that are named for how the run ended, and the status that this is."""

_TODAY: Final[dict[str, Any]] = {
    "interaction.complete": m.InteractionCompletedEvent,
    "interaction.completed": m.InteractionCompletedEvent,
    "interaction.created": m.InteractionCreatedEvent,
    "interaction.start": m.InteractionCreatedEvent,
}
_OPEN: Final = ("in_progress", "queued", "completed")
_ENVELOPE: Final[tuple[str, ...]] = ("event_id", "metadata")
_OTHER_NAMES: Final = frozenset({"error", "interaction_id", "outputs"})
_SPREAD: Final = ("code", "message", "details", "detail")
"""The members of an error that stands there without an `error` around it."""
_TOLD: Final = ("code", "message", "detail")
_BAD_ENDS: Final = ("budget_exceeded", "cancelled", "failed", "incomplete")


# ---- what an interaction is, in its own members or in those of an event
def has_legacy_form(interaction: Interaction) -> bool:
    """Whether it has what only the legacy generation has: outputs, turns, results beside contents
    in the input, an older name. It may also be newer than we are.
    """
    extra, sent, usage = interaction.extra_, interaction.input, interaction.usage
    return (
        (extra is not UNSET and "outputs" in extra.texts)
        or (usage is not UNSET and usage.total_reasoning_tokens is not UNSET)
        or isinstance(sent, Unknown)
        or (isinstance(sent, list) and any(isinstance(item, Unknown) for item in sent))
    )


def payload_today(payload: Interaction) -> Interaction:
    """What a lifecycle event says of its interaction, in today's form; the same object if it is.

    `outputs` stay an unknown member: whether they count is decided by what was streamed.
    """
    if has_legacy_form(payload):
        from ..legacy.bodies import with_today

        payload = with_today(payload)
    if payload.steps:
        steps = list(map(step_today, payload.steps))
        if any(step is not sent for step, sent in zip(steps, payload.steps, strict=True)):
            payload = replace(payload, steps=steps)
    return _with_errors(payload)


def _with_errors(payload: Interaction) -> Interaction:
    """An interaction whose reason stands in `error`, with that in `errors`."""
    if payload.errors or payload.extra_ is UNSET or "error" not in payload.extra_.texts:
        return payload
    rest = dict(payload.extra_.texts)
    if "errors" in rest or (text := _errors(rest.pop("error"))) is None:
        return payload
    try:
        errors = read(list[m.Error], text)
    except Misfit:
        return payload
    return replace(payload, errors=errors, extra_=Extra(rest) if rest else UNSET)


def has_bad_status(interaction: Any) -> bool:
    """Whether a status is there and is no text, so that it says nothing."""
    if getattr(interaction, "status", UNSET) is not UNSET or interaction.extra_ is UNSET:
        return False
    return bool(interaction.extra_.texts.get("status", b"null") != b"null")


def _interaction(members: Mapping[str, bytes]) -> Interaction:
    """The interaction that the members of an event tell of; raises `Misfit`."""
    texts = dict(members)
    if "id" not in texts and "interaction_id" in texts:
        texts["id"] = texts.pop("interaction_id")
    if (text := texts.get("status", b""))[:1] == b"{" and (failed := _failed(text)) is not None:
        texts["status"] = b'"failed"' if failed else b'"completed"'
        if failed:
            texts.setdefault("errors", b"[" + text + b"]")
    return payload_today(struct(Interaction, texts))  # type: ignore[arg-type]


def _errors(text: bytes) -> bytes | None:
    """An error, or several, as the text of a list of them; None if it says nothing."""
    if text[:1] == b"[":
        parts = [part for item in split_array(text) if (part := _errors(item)) is not None]
        return b"[" + b",".join(part[1:-1] for part in parts) + b"]" if parts else None
    if text[:1] == b'"' and text != b'""':
        return b'[{"message":' + text + b"}]"
    return b"[" + text + b"]" if text[:1] == b"{" and text != b"{}" else None


def _failed(text: bytes) -> bool | None:
    """Whether a status that is a google.rpc object tells of a failure; None if it is no such.

    JSON leaves out a code of 0, which is success.
    """
    status = read_json(text)
    if not isinstance(status, dict) or (status and not status.keys() & fields(m.Status).keys()):
        return None
    code = status.get("code")
    return bool(status.get("message")) if code is None else code not in (0, "0", "OK")


def _envelope(members: Mapping[str, bytes]) -> dict[str, Any]:
    """What any event may carry, as arguments for the event of today."""
    carried = {name: members[name] for name in _ENVELOPE if name in members}
    found: Any = struct(m.StepStop, carried)
    return {"event_id": found.event_id, "metadata": found.metadata, "extra_": found.extra_}


def _split(event: Any) -> tuple[dict[str, bytes], dict[str, bytes], bool] | None:
    """The members of an unknown event beside its `interaction`, those in there, and whether there
    is one. None if the event is no object, or `interaction` is something else.
    """
    try:
        beside = split_object(event.json)
        inside = beside.pop("interaction", b"null")
        if inside == b"null":
            return beside, {}, False
        return beside, split_object(inside), True
    except Misfit:
        return None


def _own(members: Mapping[str, bytes]) -> dict[str, bytes]:
    """The members of an event that are not those of every event."""
    return {n: t for n, t in members.items() if n != "event_type" and n not in _ENVELOPE}


# ---- lifecycle events
def flat(event: Any) -> Events:
    """A lifecycle event that has no `interaction`: its members stand beside `event_type`.

    An end that states no status has none here either: the assembler knows what was told before.
    Members of which none is an interaction's say nothing; one may be a damaged `interaction`.
    """
    if isinstance(event, Unknown):
        split = _split(event)
        if split is None or split[2]:
            return None
        members = split[0]
        envelope, own = members, _own(members)
        tag: str = event.tag or ""
    else:
        if event.event_type not in ("interaction.start", "interaction.complete"):
            return None  # today's have an `interaction`
        if event.interaction is not UNSET or event.extra_ is UNSET:
            return None
        envelope, own, tag = {}, event.extra_.texts, event.event_type
    if own and not own.keys() & (fields(Interaction).keys() | _OTHER_NAMES):
        return None
    try:
        interaction = _interaction(own)
        carried = _envelope(envelope) if isinstance(event, Unknown) else _carried(event, UNSET)
    except Misfit:
        return None
    return (_TODAY[tag](interaction=interaction, **carried),)


def from_live(event: Any) -> tuple[Any, ...]:
    """An event of the live socket that streams do not have: as it would be read without
    `interaction`, but that every member may be absent.

    """
    tag = event.event_type
    sent = m.UnknownInteractionSseEvent(encode(event), tag)
    if tag not in _TODAY:
        return (named_end if tag in ENDS else connection)(sent) or (sent,)
    members = split_object(sent.json)
    try:
        interaction = _interaction(_own(members))
        return (_TODAY[tag](interaction=interaction, **_envelope(members)),)
    except Misfit:
        return (sent,)


def connection(event: Any) -> Events:
    """An event of the connection, which says nothing of the answer but what any event may carry:
    a status update without a status.
    """
    try:
        return (struct(m.InteractionStatusUpdate, split_object(event.json)),)
    except Misfit:
        return None


def _carried(event: Any, extra: Any) -> dict[str, Any]:
    return {"event_id": event.event_id, "metadata": event.metadata, "extra_": extra}


def beside_interaction(event: Any) -> Events:
    """A lifecycle event with members of its interaction beside it: they count where it has none."""
    if isinstance(event, Unknown) or event.interaction is UNSET or event.extra_ is UNSET:
        return None
    beside = event.extra_.texts
    names = beside.keys() & (fields(Interaction).keys() | _OTHER_NAMES)
    if event.interaction.status in _BAD_ENDS:
        names |= beside.keys() & set(_SPREAD)
    if not names:
        return None
    try:
        inside = split_object(encode(event.interaction))
        taken = {name: beside[name] for name in names if name not in inside}
        if "id" in inside:
            taken.pop("interaction_id", None)
        interaction = _interaction({**inside, **taken})
    except Misfit:
        return None
    rest = {name: text for name, text in beside.items() if name not in names}
    carried = _carried(event, Extra(rest) if rest else UNSET)
    return (_TODAY[event.event_type](interaction=interaction, **carried),)


def lifecycle_of_legacy(event: Any) -> Events:
    """`interaction.start` and `interaction.complete`, as today's `created` and `completed`."""
    if isinstance(event, Unknown):
        return None
    members = {} if event.interaction is UNSET else split_object(encode(event.interaction))
    interaction: Any = struct(Interaction, members)
    today = _TODAY[event.event_type]
    return (today(interaction=payload_today(interaction), **_carried(event, event.extra_)),)


def with_payload_today(event: Any) -> Events:
    """A lifecycle event of today whose interaction has older forms in it."""
    if isinstance(event, Unknown):
        return None
    sent = event.interaction
    interaction = payload_today(sent)
    if interaction.status is UNSET and interaction.extra_ is not UNSET:
        text = interaction.extra_.texts.get("status", b"")
        if text[:1] == b"{" and _failed(text) is not None:
            interaction = _interaction(split_object(encode(interaction)))
    return None if interaction is sent else (replace(event, interaction=interaction),)


def named_end(event: Any) -> Events:
    """An end that is told by an event named for it (`interaction.failed`), flat or nested.

    The status is the one of the name, unless another one stands there that is an end too. A failure
    that gives its reason comes as a status and an error event, which is what a failing stream has
    today, unless there are steps in it, which only the event of the end can bring.
    """
    split = _split(event)
    if split is None:
        return None
    beside, inside, _ = split
    members = {**_own(beside), **inside}
    reason = _reason(beside) or _reason(inside)
    if members.get("status", b"")[:1] != b'"':  # it is the reason, or says nothing
        members.pop("status", None)
    try:
        if "error" not in reason:  # it is spread out among the members
            members = {name: text for name, text in members.items() if name not in reason}
        interaction = _interaction(members)
        status = interaction.status
        if status is UNSET or status in _OPEN:
            status = ENDS[event.tag]
        if status != "failed" or not reason or interaction.steps or "outputs" in members:
            errors = interaction.errors
            if not errors and reason:
                errors = [_error(reason)]
            interaction = replace(interaction, status=status, errors=errors)
            return (m.InteractionCompletedEvent(interaction=interaction, **_envelope(beside)),)
        told = {**reason, **{name: beside[name] for name in _ENVELOPE if name in beside}}
        return (_status_of(interaction, status), struct(m.ErrorEvent, told))
    except Misfit:
        return None


def _reason(members: Mapping[str, bytes]) -> dict[str, bytes]:
    """Why a run failed, as members of an error event; none if it is not said."""
    for name in ("error", "errors"):
        if (errors := _errors(members.get(name, b"null"))) is not None:
            return {"error": split_array(errors)[0]}
    if (status := members.get("status", b""))[:1] == b"{" and _failed(status):
        return {"error": status}
    found = {name: members[name] for name in _SPREAD if name in members}
    return found if any(found.get(name, b"null") != b"null" for name in _TOLD) else {}


def _error(reason: Mapping[str, bytes]) -> m.Error:
    text = reason.get("error")
    error = struct(m.Error, reason if text is None else split_object(text))
    assert isinstance(error, m.Error)
    return error


def _status_of(interaction: Interaction, status: Any) -> m.InteractionStatusUpdate:
    return m.InteractionStatusUpdate(
        interaction_id=interaction.id,
        status=status,
        usage=interaction.usage,
        continuation_token=interaction.continuation_token,
    )


# ---- an interaction in events that have none today
def _take_inside(event: Any) -> tuple[dict[str, bytes], Any]:
    """The members of the interaction among the unknown members of an event, and the others."""
    texts = {} if event.extra_ is UNSET else dict(event.extra_.texts)
    try:
        inside = split_object(texts.pop("interaction"))
    except (KeyError, Misfit):
        return {}, event.extra_
    return inside, Extra(texts) if texts else UNSET


def nested_update(event: Any) -> Events:
    """A status update whose members stand in an `interaction`, or that says why the run failed.

    The reason comes as an error event after it.
    """
    if isinstance(event, Unknown) or event.extra_ is UNSET:
        return None
    inside, extra = _take_inside(event)
    try:
        interaction = _interaction(inside)
    except Misfit:
        return None
    told = _status_of(interaction, interaction.status)
    names = ("interaction_id", "status", "usage", "continuation_token")
    gaps = {name: getattr(told, name) for name in names if getattr(event, name) is UNSET}
    update = replace(event, **gaps, extra_=extra)
    reason = {} if extra is UNSET else _reason(extra.texts)
    reason = reason or _reason(inside)
    if update.status != "failed" or not reason:
        return (update,) if inside else None
    error = replace(struct(m.ErrorEvent, reason), event_id=event.event_id, metadata=event.metadata)
    return (replace(update, event_id=UNSET, metadata=UNSET), error)


def beside_error(event: Any) -> Events:
    """An error event with the interaction that failed beside the error: its id and status count,
    and its reason where the event itself gives none.
    """
    if isinstance(event, Unknown):
        return None
    inside, extra = _take_inside(event)
    if not inside:
        return None
    event = replace(event, extra_=extra)
    try:
        interaction = _interaction(inside)
        reason = {} if error_info(to_dict(event)) is not None else _reason(inside)
        if reason:
            event = replace(event, error=_error(reason))
    except Misfit:
        return None
    return (_status_of(interaction, interaction.status), event)
