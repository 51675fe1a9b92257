"""JSON ↔ models, in one pass where the payload is what the spec says, by a second walk otherwise.

Nothing is lost either way: what the spec does not know is kept (`Unknown…`, `unknown_members`) and
`encode()` gives it back. Absent members are UNSET, which is neither null nor 0 nor "".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias, TypeVar, overload

import msgspec
from msgspec import UNSET

from . import models
from .base import FREE, BareInt64, Int64, Unknown, WireStruct, read_json
from .errors import ApiError, DecodeError, GemwireError, error_info, is_error
from .models import (
    Interaction,
    InteractionSseEvent,
    UnknownInteractionSseEvent,
)
from .models.tables import EVENTS, MODULES
from .walk import (
    REFUSED,
    Misfit,
    decoder,
    fields,
    known_items,
    known_values,
    read,
    split_object,
    struct,
)

__all__ = [
    "Event",
    "Found",
    "as_today",
    "decode",
    "decode_event",
    "decode_interaction",
    "encode",
    "is_legacy",
    "iter_unknown",
    "to_dict",
    "unknown_members",
    "warm_up",
]

Data: TypeAlias = bytes | bytearray | memoryview | str
T = TypeVar("T")

if TYPE_CHECKING:
    from .models import (
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
    """An event of either generation, as sent."""
else:
    Event = InteractionSseEvent  # the legacy ones are loaded with the first of them


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
        _refuse_unknown(found, refused, data, event)
    return found


def walk_event(data: Data, event: str | None, notes: list[str] | None = None) -> Event:
    """Decode by the second walk. `notes` takes what the event itself does not show: bad UTF-8."""
    text, repaired = _utf8(data)
    if repaired and notes is not None:
        notes.append("invalid_utf8")
    try:
        members = split_object(text)
    except Misfit as misfit:
        name = None if event in _NO_NAME else event
        return UnknownInteractionSseEvent(text, name, f"no JSON object: {misfit.reason}")
    tag: Any = None if event in _NO_NAME else event
    if "event_type" in members:
        tag = read_json(members["event_type"])
    if not isinstance(tag, str):
        return UnknownInteractionSseEvent(text, None, None if tag is None else "bad event_type")
    if tag not in EVENTS:
        return UnknownInteractionSseEvent(text, tag)
    try:
        return struct(_event_class(tag), members)  # type: ignore[return-value]
    except Misfit as misfit:
        return UnknownInteractionSseEvent(text, tag, str(misfit))


def decode_interaction(data: Data, /, *, strict: bool = False) -> Interaction:
    """Decode the body of a call that does not stream, of either generation.

    A body of the legacy generation comes in today's form: its `outputs` are `steps`, by the rules
    of `gemwire.legacy`. `decode(data, Interaction)` leaves it as it is.

    Raises:
        ApiError: the body is an error (`{"error": …}`, what stands there without that, or a list
            of such), whatever the HTTP status was; code and message as far as they could be read.
        DecodeError: it is no JSON object, or (`strict`) has any part that the spec does not know.

    """
    interaction: Interaction
    try:
        interaction, refused = _read(data, Interaction)
    except DecodeError:
        _raise_api_error(read_json(_utf8(data)[0]))
        raise
    of_old = interaction.steps is UNSET  # those with steps are held to the schema of today
    legacy = is_legacy(interaction)
    if legacy:
        from .legacy import modernised

        interaction = modernised(interaction)
    if interaction.extra_ is not UNSET and (
        interaction.status is UNSET  # or it is the "NOT_FOUND" of a bare google.rpc error
        or (interaction.object, interaction.id, interaction.steps) == (UNSET, UNSET, UNSET)
    ):
        _raise_api_error(to_dict(interaction))
    if strict and legacy and of_old:
        decode(data, models.LegacyInteraction, strict=True)
    elif strict and refused is not None:
        _refuse_unknown(interaction, refused, data)
    return interaction


def is_legacy(interaction: Interaction) -> bool:
    """Whether it has what only the legacy generation has: outputs, turns, results beside contents
    in the input, a name of old. It may also be newer than we are.
    """
    extra, sent, usage = interaction.extra_, interaction.input, interaction.usage
    return (
        (extra is not UNSET and "outputs" in extra.texts)
        or (usage is not UNSET and usage.total_reasoning_tokens is not UNSET)
        or isinstance(sent, Unknown)
        or (isinstance(sent, list) and any(isinstance(item, Unknown) for item in sent))
    )


def as_today(payload: Interaction) -> Interaction:
    """What a lifecycle event says, in today's form but for its outputs."""
    if is_legacy(payload):
        from .legacy import with_today

        return with_today(payload)
    return payload


def _raise_api_error(body: Any) -> None:
    """Raise `ApiError` if the body says that something went wrong."""
    if is_error(body) and (found := error_info(body)) is not None:
        raise ApiError(found.message, code=found.code, status=found.status, details=found.details)


@overload
def decode(data: Data, type: type[T], /, *, strict: bool = False) -> T: ...
@overload
def decode(data: Data, type: Any, /, *, strict: bool = False) -> Any: ...
def decode(data: Data, type: Any, /, *, strict: bool = False) -> Any:
    """Decode JSON as any type of `gemwire.models`, a union or a list of them.

    Raises:
        DecodeError: the value does not fit the type (an object always fits an open union, as
            `Unknown…`), or, if `strict`, has any part that the spec does not know.

    """
    value, refused = _read(data, type)
    if strict and refused is not None:
        _refuse_unknown(value, refused, data)
    return value


def _read(data: Data, type: Any) -> tuple[Any, Exception | None]:
    """The value, and what the one-pass decoder had against it; raises DecodeError."""
    try:
        return decoder(type).decode(data), None
    except REFUSED as error:
        refused = error
    text = _utf8(data)[0]
    try:
        return read(type, text.strip(b" \t\r\n")), refused
    except Misfit as misfit:
        raise _decode_error(misfit, data) from misfit


def _refuse_unknown(value: Any, refused: Exception, data: Data, event: str | None = None) -> None:
    """Raise if the second walk had to keep anything as unknown, or to mend the text.

    It need not have: there are unions and texts that fit the spec and that msgspec cannot read.
    """
    found = next((found for found in iter_unknown(value) if found.kind != "value"), None)
    if found is None and not _utf8(data)[1]:
        return
    error = _decode_error(refused, data, event)
    if found is not None and any(private in str(refused) for private in ("`Shapes`", "`Int64`")):
        # That was not what is wrong.
        error = DecodeError("not in the spec", path=found.path, event=event, data=error.data)
    raise error from refused


def _utf8(data: Data) -> tuple[bytes, bool]:
    """The text as valid UTF-8, and whether U+FFFD had to stand in for something."""
    if isinstance(data, str):
        return data.encode("utf-8", "backslashreplace"), False  # a lone surrogate as its escape
    text = bytes(data)
    try:
        text.decode()
    except UnicodeDecodeError:
        return text.decode("utf-8", "replace").encode(), True
    return text, False


def _decode_error(error: Exception, data: Data, event: str | None = None) -> DecodeError:
    if isinstance(error, Misfit):
        reason, path = error.reason, "$" + error.path
    else:
        reason, _, path = str(error).partition(" - at ")
        reason, path = reason or "nested too deeply", path.strip("`") or "$"
    start = data[:512]
    return DecodeError(
        reason,
        path=path,
        event=event,
        data=start.encode("utf-8", "replace") if isinstance(start, str) else bytes(start),
    )


def encode(value: Any, /) -> bytes:
    """Encode a model, or lists and dicts of models, as JSON.

    UNSET is omitted; `Unknown…` objects give their text back and unknown members are merged in, so
    that what was decoded encodes to the same JSON. Members come in the order of the spec. NaN and
    the infinite numbers, which JSON lacks, become null; what makes a request refuses them.

    Raises:
        TypeError: the value holds something that JSON has no form for.
        GemwireError: it is nested too deeply.

    """
    try:
        return msgspec.json.encode(value)
    except (TypeError, UnicodeEncodeError):
        pass
    except RecursionError as error:
        raise GemwireError("nested too deeply to encode") from error
    try:
        return _text(value)
    except RecursionError as error:
        raise GemwireError("nested too deeply to encode") from error


def encode_finite(value: Any) -> bytes:
    """The same for what is to be sent; raises ValueError for a float that would become null."""
    text = encode(value)
    waiting = [value] if b"null" in text else []
    while waiting:
        part = waiting.pop()
        if isinstance(part, WireStruct):
            waiting += [getattr(part, name) for name in part.__struct_fields__]
        elif isinstance(part, Mapping):
            waiting += part.values()
        elif isinstance(part, list | tuple | set | frozenset):
            waiting += part
        elif isinstance(part, float) and not math.isfinite(part):
            raise ValueError(f"JSON has no form for {part}")
    return text


def _text(value: Any, outermost: bool = True) -> bytes:
    """Encode by schema, with what only the side fields and the `Unknown…` objects hold.

    `outermost` of the lists and dicts inside one another: it is tried as plain data, which may be
    nested far deeper than this walk can go.
    """
    if isinstance(value, WireStruct):
        parts: dict[str, bytes] = {}
        config = value.__struct_config__
        if config.tag_field is not None:
            parts[config.tag_field] = msgspec.json.encode(config.tag)
        for name in fields(type(value)):
            member = getattr(value, name)
            if member is not UNSET:
                parts[name] = _text(member)
        if value.extra_ is not UNSET:
            parts = {**value.extra_.texts, **parts} if parts else value.extra_.texts
        return b"{" + b",".join(_text(name) + b":" + part for name, part in parts.items()) + b"}"
    if isinstance(value, Unknown):
        return value.json
    if isinstance(value, dict | list | tuple):
        if outermost:
            try:
                return msgspec.json.encode(value)
            except (TypeError, UnicodeEncodeError):
                pass
        if isinstance(value, dict):
            pairs = [
                _key(name) + b":" + _text(member, False)
                for name, member in value.items()
                if member is not UNSET
            ]
            return b"{" + b",".join(pairs) + b"}"
        return b"[" + b",".join([_text(item, False) for item in value]) + b"]"
    if isinstance(value, Int64):
        return b"%d" % value if isinstance(value, BareInt64) else b'"%d"' % value
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:  # a lone surrogate, which only an escape can carry
        import json

        return json.dumps(value).encode()


def _key(name: Any) -> bytes:
    """The name of a member; what is no `str` as the bare encoder writes it (`1` as `"1"`)."""
    if isinstance(name, str):
        return _text(name)
    return msgspec.json.encode({name: 0})[1:-3]


def to_dict(value: Any, /) -> Any:
    """The model as plain data: what reading the text of `encode(value)` gives."""
    return read_json(encode(value))


def unknown_members(value: WireStruct | Unknown, /) -> dict[str, Any]:
    """The members of this one model that its schema does not know or that did not fit, by name.

    An `Unknown…` has no schema, and so none of them; all of it is in its `raw`.
    """
    if isinstance(value, Unknown) or value.extra_ is UNSET:
        return {}
    return value.extra_.values()


class Found(NamedTuple):
    """One thing that the spec does not know."""

    path: str
    """Where it stands, from the value that was searched: `$.steps[1].content[0].mime_type`."""
    kind: Literal["union", "member", "value"]
    """A member of a union (its tag is new or it does not fit), a member of an object, a new value
    of an enum."""
    tag: str | None
    """The tag, the member's name or the value."""
    sample: Any
    """The `Unknown…` object, or the value."""


def iter_unknown(value: Any, /) -> Iterator[Found]:
    """Find everything in a model that the spec does not know, in order; walks the whole value."""
    return _found(value, "$")


def _found(value: Any, path: str) -> Iterator[Found]:
    if isinstance(value, Unknown):
        yield Found(path, "union", value.tag, value)
    elif isinstance(value, WireStruct):
        for name, field in fields(type(value)).items():
            member = getattr(value, name)
            if member is UNSET:
                continue
            if isinstance(member, str):
                known = known_values(field.hint)
                if known is not None and member not in known:
                    yield Found(f"{path}.{name}", "value", member, member)
                continue
            known = known_items(field.hint) if isinstance(member, list) else None
            if known is None:
                yield from _found(member, f"{path}.{name}")
                continue
            for index, item in enumerate(member):
                if isinstance(item, str) and item not in known:
                    yield Found(f"{path}.{name}[{index}]", "value", item, item)
        if value.extra_ is not UNSET and type(value) not in FREE:
            for name, member in value.extra_.values().items():
                yield Found(f"{path}.{name}", "member", name, member)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            if isinstance(item, WireStruct | Unknown):  # plain data may be nested very deeply
                yield from _found(item, f"{path}[{index}]")
    elif isinstance(value, dict):
        for name, item in value.items():
            if isinstance(item, WireStruct | Unknown):
                yield from _found(item, f"{path}.{name}")


def warm_up() -> None:
    """Build the decoders of today's events and of `Interaction` now, not with the first message.

    For servers, before they take requests; takes some tens of milliseconds, once. What the legacy
    generation needs is still loaded with its first event.
    """
    for name in (*(name for name in EVENTS if EVENTS[name] not in MODULES), None):
        EVENT_DECODERS[name]
    decoder(Interaction)
