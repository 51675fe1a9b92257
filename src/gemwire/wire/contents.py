"""Steps, parts and deltas in older or looser forms → today's.

Each function gives back the same object where nothing is to be done. What only the step that is
held can decide takes its type; all else is decided by the value alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from msgspec import UNSET
from msgspec.structs import replace

from .. import models as m
from ..codec.encode import encode
from ..codec.json import Misfit, read_json, split_object
from ..codec.lenient import read, struct
from ..codec.once import memo
from ..codec.structs import Extra, Unknown, WireStruct

if TYPE_CHECKING:
    from ..models import legacy as old

__all__ = [
    "arguments_delta",
    "audio_delta",
    "call_with_arguments",
    "content_deltas",
    "content_step",
    "content_today",
    "delta_today",
    "step_today",
    "string_arguments",
    "string_content",
    "summary_delta",
    "untyped_parts",
    "whole_call",
    "without_leading_input",
]

_WITH_TEXT: Final = (None, m.ModelOutputStep, m.UserInputStep)
_PARTS: Final[dict[type, str]] = {
    m.ModelOutputStep: "content",
    m.ThoughtStep: "summary",
    m.UserInputStep: "content",
}
_MIME_TYPES: Final = {
    "application": "document",
    "audio": "audio",
    "image": "image",
    "text": "document",
    "video": "video",
}
_CONTENTS: Final[dict[str | None, type[WireStruct]]] = {
    "audio": m.AudioContent,
    "document": m.DocumentContent,
    "image": m.ImageContent,
    "text": m.TextContent,
    "video": m.VideoContent,
}
_MEDIA_DELTAS: Final[dict[str | None, type[WireStruct]]] = {
    "audio": m.AudioDelta,
    "document": m.DocumentDelta,
    "image": m.ImageDelta,
    "video": m.VideoDelta,
}
_CALLS: Final = (m.FunctionCallStep, m.McpServerToolCallStep)
"""Calls whose arguments are whatever their tool takes; those of other calls have a schema."""


# ---- parts of content
def content_today(content: Any) -> Any:
    """A part of content. One without `type`, as guides print them, is text if it has `text`, else
    what its `mime_type` says.
    """
    cls = _CONTENTS.get(_untyped_kind(content))
    if cls is None or content.raw.get("type") is not None:
        return content
    found = _struct(cls, content.json)
    return content if found is None else found[0]


def _untyped_kind(value: Any) -> str | None:
    """The kind of a part or a delta, by what is in it; None for one that has a type."""
    if not isinstance(value, Unknown) or value.tag is not None:
        return None
    raw = value.raw
    if not isinstance(raw, dict):
        return None
    if isinstance(raw.get("text"), str):
        return "text"
    mime_type = raw.get("mime_type")
    if not isinstance(mime_type, str):
        return None
    major, slash, _ = mime_type.strip().lower().partition("/")
    return _MIME_TYPES.get(major) if slash else None


def _part_of(text: bytes) -> Any:
    """The part that stands where a list of parts is due: a string or one object, else None."""
    if text[:1] == b'"':
        return m.TextContent(text=read_json(text))
    if text[:1] != b"{":
        return None
    try:
        return content_today(read(m.Content, text))
    except Misfit:
        return None


# ---- steps; None where a step is not in that form
def step_today(step: Any) -> Any:
    """A step as the fold takes it: parts as a list and with their types, arguments as an object.

    A member that can be read in no such way stays where it is, among the unknown ones.
    """
    for form in (untyped_parts, string_content, string_arguments):
        if (found := form(step)) is not None:
            return found[0]
    return step


def untyped_parts(step: Any) -> tuple[Any, ...] | None:
    """A step with parts that have no type."""
    name = _PARTS.get(type(step))
    if name is None or not (sent := getattr(step, name)):
        return None
    parts = list(map(content_today, sent))
    same = all(part is held for part, held in zip(parts, sent, strict=True))
    return None if same else (replace(step, **{name: parts}),)


def string_content(step: Any) -> tuple[Any, ...] | None:
    """A step with a string, or with one part, where a list of parts is due."""
    name = _PARTS.get(type(step))
    if name is None or step.extra_ is UNSET or getattr(step, name) is not UNSET:
        return None
    part = _part_of(step.extra_.texts.get(name, b""))
    if part is None:
        return None
    return (replace(step, **{name: [part]}, extra_=_without(step.extra_, name)),)


def string_arguments(step: Any) -> tuple[Any, ...] | None:
    """A call whose arguments are one JSON text, or are called `args`."""
    if not isinstance(step, _CALLS) or step.extra_ is UNSET:
        return None
    members = dict(step.extra_.texts)
    fragment = _take_arguments(members, bool(step.arguments))
    text = members.pop("arguments", b"")
    if isinstance(fragment, str):
        text = fragment.strip().encode("utf-8", "backslashreplace")
        if not text:  # a placeholder, as `{}` is
            return (replace(step, extra_=Extra(members) if members else UNSET),)
    if text[:1] != b"{":
        return None
    try:
        arguments = read(dict[str, Any], text)
    except Misfit:
        return None
    return (replace(step, arguments=arguments, extra_=Extra(members) if members else UNSET),)


def _take_arguments(members: dict[str, bytes], held: bool = False) -> str | None:
    """Take the JSON text that stands for arguments out of the members of a call, if there is one.

    Arguments that are an object under the name `args` get today's name, unless there are others
    (`held`).
    """
    for name in ("arguments", "args"):
        if members.get(name, b"")[:1] == b'"':
            text: str = read_json(members.pop(name))
            return text
    if not held and "arguments" not in members and members.get("args", b"")[:1] == b"{":
        members["arguments"] = members.pop("args")
    return None


def without_leading_input(steps: Iterable[Any]) -> list[Any]:
    """The steps of an answer: without the `user_input` steps that lead them.

    A read of a stored interaction has the input before the answer, and the answer to a
    continuation repeats it.
    """
    kept = list(steps)
    while kept and isinstance(kept[0], m.UserInputStep):
        del kept[0]
    return kept


# ---- deltas, by the value alone; None where a delta is not in that form
def audio_delta(delta: Any) -> tuple[Any, ...] | None:
    """Audio with the older name of its sample rate."""
    if not isinstance(delta, m.AudioDelta) or delta.rate is UNSET:
        return None
    rate = delta.rate if delta.sample_rate is UNSET else delta.sample_rate
    return (replace(delta, sample_rate=rate, rate=UNSET),)


def summary_delta(delta: Any) -> tuple[Any, ...] | None:
    """A `thought_summary` whose text stands beside its type, or has no type itself."""
    if not isinstance(delta, m.ThoughtSummaryDelta):
        return None
    if delta.content is not UNSET:
        content = content_today(delta.content)
        return None if content is delta.content else (replace(delta, content=content),)
    texts: Mapping[str, bytes] = {} if delta.extra_ is UNSET else delta.extra_.texts
    for name in ("content", "text"):
        if (text := texts.get(name, b""))[:1] == b'"':
            extra = _without(delta.extra_, name)
            return (replace(delta, content=m.TextContent(text=read_json(text)), extra_=extra),)
    return None


def arguments_delta(delta: Any) -> tuple[Any, ...] | None:
    """An `arguments_delta` under its older tag, `arguments`."""
    if not isinstance(delta, Unknown) or delta.tag != "arguments":
        return None
    return _struct(m.ArgumentsDelta, delta.json)


def call_with_arguments(delta: Any) -> tuple[Any, ...] | None:
    """A call whose arguments are fragments of JSON text, under `args` or `arguments`.

    The text becomes an `arguments_delta`; what else is known of the call comes before it.
    """
    if isinstance(delta, Unknown):
        tag: Any = delta.tag
    elif delta.extra_ is not UNSET:
        tag = delta.type
    else:
        return None
    cls = {call.type: call for call in _CALLS}.get(tag)
    if cls is None:
        return None
    try:
        members = split_object(encode(delta))
        del members["type"]
        before = "arguments" in members
        fragment = _take_arguments(members)
        if fragment is None and before == ("arguments" in members):
            return None
        found: list[Any] = []
        if members:
            # The folds know a function call as the step, the others by a delta of their own.
            whole = cls if cls is m.FunctionCallStep else m.McpServerToolCallDelta
            found.append(struct(whole, members))
    except Misfit:
        return None
    if fragment is not None:
        found.append(m.ArgumentsDelta(arguments=fragment))
    return tuple(found)


def whole_call(delta: Any) -> tuple[Any, ...] | None:
    """A delta that is a whole function call, as the legacy generation has it: the step it is."""
    tag = delta.tag if isinstance(delta, Unknown) else delta.type
    if tag != "function_call" or isinstance(delta, m.FunctionCallStep):
        return None
    return _struct(m.FunctionCallStep, encode(delta))


def _struct(cls: type[WireStruct], text: bytes) -> tuple[Any, ...] | None:
    try:
        return (struct(cls, split_object(text)),)
    except Misfit:
        return None


def _without(extra: Any, name: str) -> Any:
    """The unknown members but for one."""
    texts = {other: text for other, text in extra.texts.items() if other != name}
    return Extra(texts) if texts else UNSET


# ---- deltas, by the step that they come to
def delta_today(delta: Any, step: type | None) -> Any:
    """A delta without `type`, for a step of this type (None: there is none): text if it has `text`,
    else what its `mime_type` says.

    Only where the step takes text. On a call or a result such a delta is one of the step's own
    kind, which the fold merges; elsewhere it stays what it is.
    """
    if step not in _WITH_TEXT:
        return delta
    kind = _untyped_kind(delta)
    if kind == "text":
        return m.TextDelta(text=delta.raw["text"])
    cls = _MEDIA_DELTAS.get(kind)
    found = None if cls is None else _struct(cls, delta.json)
    if found is None:
        return delta
    return (audio_delta(found[0]) or found)[0]


# ---- the contents and deltas of the legacy generation
def content_step(content: Any) -> Any:
    """The content of a `content.start` as today's step: a part is an output with that part alone.

    Text that has none yet begins empty. Costs an encoding of the content.
    """
    from ..legacy.outputs import as_step, content_of
    from ..legacy.spellings import modernise
    from ..models import legacy as old

    if isinstance(content, old.LegacyTextContent) and content.text is UNSET:
        content = replace(content, text="")  # the deltas bring it
    return step_today(as_step(modernise(content_of(encode(content)))))


def content_deltas(delta: Any) -> Iterator[Any]:
    """The delta of a `content.delta` as today's, which may be several.

    Text and its annotations are apart today; a whole call comes as the step that it is.
    """
    return _legacy_deltas().get(type(delta), _other)(delta)


@memo
def _legacy_deltas() -> dict[type, Callable[[Any], Iterator[Any]]]:
    """The deltas that are others today."""
    from ..models import legacy as old

    return {old.LegacyTextAnnotationDelta: _annotations, old.LegacyTextDelta: _text}


def _text(delta: old.LegacyTextDelta) -> Iterator[Any]:
    from ..models import legacy as old

    if delta.text is not UNSET:
        yield m.TextDelta(text=delta.text, extra_=delta.extra_)
    elif delta.annotations is UNSET:
        yield old.UnknownContentDeltaData(encode(delta), "text", "no text")
    if delta.annotations is not UNSET:
        extra = delta.extra_ if delta.text is UNSET else UNSET
        yield from _annotations(
            old.LegacyTextAnnotationDelta(annotations=delta.annotations, extra_=extra)
        )


def _annotations(delta: old.LegacyTextAnnotationDelta) -> Iterator[Any]:
    """Annotations; those without a type are unknown to today's union, and kept by it."""
    annotations: Any = delta.annotations
    if annotations is not UNSET:
        annotations = read(list[m.Annotation], encode(annotations))
    yield m.TextAnnotationDelta(annotations=annotations, extra_=delta.extra_)


def _other(delta: Any) -> Iterator[Any]:
    """A delta that is the same today but for its form, or that only today's generation knows."""
    from ..legacy.spellings import modernise
    from ..models import legacy as old

    if isinstance(delta, old.UnknownContentDeltaData):
        try:
            today = read(m.StepDeltaData, delta.json)
        except Misfit:
            today = delta
        delta = delta if isinstance(today, Unknown) else today
    delta = modernise(delta)
    for form in (audio_delta, summary_delta, arguments_delta, call_with_arguments, whole_call):
        if (found := form(delta)) is not None:
            yield from found
            return
    yield delta
