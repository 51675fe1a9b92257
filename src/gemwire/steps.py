"""One builder for each kind of step: what a delta does to it, and the step as it is now.

A builder starts from the step as `step.start` sent it, collects what the deltas bring (fragments in
lists, joined once) and builds the immutable step. `FOLDS` is the table of what is done with which
delta; what is not in it for a kind of step does not fit that step.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, TypeAlias, get_args

from msgspec import UNSET
from msgspec.structs import replace

from . import models as m
from .base import Unknown, WireStruct, memo, read_json
from .codec import encode
from .parts import AudioPart, TextPart, add_extra, is_base64
from .report import StreamReport
from .walk import Misfit, fields, read, split_object, struct

__all__ = ["BUILDERS", "OPENS", "StepBuilder", "builder_for", "opened_by"]

Fold: TypeAlias = Callable[[Any, Any], None]

OPENS: dict[type, type[WireStruct]] = {
    m.ArgumentsDelta: m.FunctionCallStep,
    m.AudioDelta: m.ModelOutputStep,
    m.CodeExecutionCallDelta: m.CodeExecutionCallStep,
    m.CodeExecutionResultDelta: m.CodeExecutionResultStep,
    m.DocumentDelta: m.ModelOutputStep,
    m.FileSearchCallDelta: m.FileSearchCallStep,
    m.FileSearchResultDelta: m.FileSearchResultStep,
    m.FunctionResultDelta: m.FunctionResultStep,
    m.GoogleMapsCallDelta: m.GoogleMapsCallStep,
    m.GoogleMapsResultDelta: m.GoogleMapsResultStep,
    m.GoogleSearchCallDelta: m.GoogleSearchCallStep,
    m.GoogleSearchResultDelta: m.GoogleSearchResultStep,
    m.ImageDelta: m.ModelOutputStep,
    m.McpServerToolCallDelta: m.McpServerToolCallStep,
    m.McpServerToolResultDelta: m.McpServerToolResultStep,
    m.ProcessingCallDelta: m.ProcessingCallStep,
    m.ProcessingResultDelta: m.ProcessingResultStep,
    m.RetrievalCallDelta: m.RetrievalCallStep,
    m.RetrievalResultDelta: m.RetrievalResultStep,
    m.TextAnnotationDelta: m.ModelOutputStep,
    m.TextDelta: m.ModelOutputStep,
    m.ThoughtSignatureDelta: m.ThoughtStep,
    m.ThoughtSummaryDelta: m.ThoughtStep,
    m.ToolSearchCallDelta: m.ToolSearchCallStep,
    m.ToolSearchResultDelta: m.ToolSearchResultStep,
    m.UrlContextCallDelta: m.UrlContextCallStep,
    m.UrlContextResultDelta: m.UrlContextResultStep,
    m.VideoDelta: m.ModelOutputStep,
}
"""Every kind of delta, and the step that it belongs to when that was never started."""

MEDIA: dict[type, type[WireStruct]] = {
    m.DocumentDelta: m.DocumentContent,
    m.ImageDelta: m.ImageContent,
    m.VideoDelta: m.VideoContent,
}
"""Deltas that bring a whole part of content."""

STEP_BY_TAG: dict[str, type[WireStruct]] = {cls.type: cls for cls in get_args(m.Step)}


class StepBuilder:
    """What all kinds of steps have: the step as sent, a signature, and whether it was stopped."""

    __slots__ = (
        "base",
        "broken",
        "built",
        "closed",
        "folds",
        "index",
        "report",
        "signature",
        "started",
        "text_part",
    )

    FOLDS: ClassVar[dict[type, str]] = {m.ThoughtSignatureDelta: "sign"}
    """Kind of delta → name of the method that folds it."""

    def __init__(self, index: int, step: Any, report: StreamReport) -> None:
        self.index = index
        self.report = report
        self.base = step
        self.signature: str | None = None
        self.built: Any = None  # the finished step, once closed
        self.closed = False
        self.started = True  # False while only deltas have come
        self.broken: str | None = None  # arguments that could not be read
        self.folds = folds(type(self), type(step))
        # The fragments of the last part, where that is text: most deltas go straight there.
        self.text_part: list[str] | None = None

    def sign(self, delta: m.ThoughtSignatureDelta) -> None:
        """Take a signature: the last non-empty one stands."""
        signature = delta.signature
        if not isinstance(signature, str):
            return
        if signature and self.signature and signature != self.signature:
            self.report.issue("signature_conflict", self.index, f"{self.signature} / {signature}")
        self.signature = signature or self.signature or ""

    def merge(self, delta: Any) -> None:
        """Take a delta of the step's own kind; raises Misfit for a step that has no such."""
        raise Misfit("the step takes no delta of its own kind")

    def started_late(self, step: Any) -> None:
        """Lay the members of a start under what its deltas brought."""
        self.base = step
        self.started = True

    def touched(self) -> bool:
        """Whether anything but the start has come."""
        untouched = type(self)(self.index, self.base, self.report)
        untouched.closed = self.closed
        return bool(self.build() != untouched.build())

    def close(self) -> None:
        """The step is complete: by its stop, or by the terminal event."""
        self.closed = True
        self.built = None

    def build(self) -> Any:
        """The step as it is now; the same object each time once it is closed."""
        if self.built is not None:
            return self.built
        step = self.assemble()
        if self.closed:
            self.built = step
        return step

    def assemble(self) -> Any:
        """Put the step together from what is held."""
        return self.signed(self.base)

    def signed(self, step: Any) -> Any:
        """The step with its signature; a placeholder ("" in the start) that nothing filled goes."""
        if isinstance(step, Unknown):
            return step
        if self.signature is not None:
            return with_member(step, "signature", self.signature)
        if getattr(step, "signature", UNSET) == "":
            return replace(step, signature=UNSET)
        return step


def with_member(step: Any, name: str, value: Any) -> Any:
    """The step with a member set, which is an unknown one where its schema lacks it."""
    if name in fields(type(step)):
        return replace(step, **{name: value})
    return add_extra(step, {name: encode(value)})


class ContentBuilder(StepBuilder):
    """`model_output` and `user_input`: parts of text and media, in order."""

    __slots__ = ("parts",)

    FOLDS: ClassVar[dict[type, str]] = {
        **StepBuilder.FOLDS,
        m.TextDelta: "text",
        m.TextAnnotationDelta: "annotate",
        m.AudioDelta: "audio",
        **dict.fromkeys(MEDIA, "media"),
    }

    def __init__(self, index: int, step: Any, report: StreamReport) -> None:
        super().__init__(index, step, report)
        self.parts: list[Any] = [
            TextPart(part) if isinstance(part, m.TextContent) else part
            for part in step.content or ()
        ]
        self.point_at_text()

    def text(self, delta: m.TextDelta) -> None:
        fragments = self.text_part
        if fragments is None:
            part = TextPart()
            self.parts.append(part)
            fragments = self.text_part = part.fragments
        fragments.append(delta.text)

    def annotate(self, delta: m.TextAnnotationDelta) -> None:
        """Annotations belong to the last text, however much media came after it."""
        if delta.annotations is UNSET:
            return
        part = next((p for p in reversed(self.parts) if isinstance(p, TextPart)), None)
        if part is None:
            part = TextPart()
            self.parts.append(part)
            self.text_part = part.fragments
        part.annotations.extend(delta.annotations)

    def media(self, delta: Any) -> None:
        self.parts.append(_content(MEDIA[type(delta)], delta))
        self.text_part = None

    def audio(self, delta: m.AudioDelta) -> None:
        piece = _content(m.AudioContent, delta)
        if piece.sample_rate is UNSET:
            piece = replace(piece, sample_rate=delta.rate)
        last = self.parts[-1] if self.parts else None
        if isinstance(last, m.AudioContent) and last.uri is UNSET and is_base64(last.data):
            last = self.parts[-1] = AudioPart(last)  # it stood in the start
        self.text_part = None
        if piece.uri is not UNSET or not is_base64(piece.data):
            self.report.issue("audio_data", self.index, str(piece.data or piece.uri)[:80])
            self.parts.append(piece)
        elif isinstance(last, AudioPart) and last.takes(piece):
            last.append(piece.data)
            last.base = add_extra(last.base, {} if piece.extra_ is UNSET else piece.extra_.texts)
        else:
            if isinstance(last, AudioPart):
                self.report.issue("audio_format", self.index)
            self.parts.append(AudioPart(piece))

    def started_late(self, step: Any) -> None:
        super().started_late(step)
        held = ContentBuilder(self.index, step, self.report).parts
        if held:
            self.parts[:0] = held

    def assemble(self) -> Any:
        step = self.signed(self.base)
        if not self.parts:
            return step
        content = [
            part.build(self.report, self.index) if isinstance(part, TextPart | AudioPart) else part
            for part in self.parts
        ]
        self.point_at_text()  # joining replaced the list of fragments
        return replace(step, content=content)

    def point_at_text(self) -> None:
        """Let the next text go on with the last part, if that is text."""
        last = self.parts[-1] if self.parts else None
        self.text_part = last.fragments if isinstance(last, TextPart) else None


def _content(cls: type[WireStruct], delta: Any) -> Any:
    """The part of content that a media delta brings: shared members, and unknown ones."""
    names = fields(cls).keys() & fields(type(delta)).keys()
    return cls(**{name: getattr(delta, name) for name in names}, extra_=delta.extra_)


class ThoughtBuilder(StepBuilder):
    """`thought`: items of a summary, and the signature."""

    __slots__ = ("summary",)

    FOLDS: ClassVar[dict[type, str]] = {
        **StepBuilder.FOLDS,
        m.ThoughtSummaryDelta: "summarise",
    }

    def __init__(self, index: int, step: Any, report: StreamReport) -> None:
        super().__init__(index, step, report)
        self.summary: list[Any] = []

    def summarise(self, delta: m.ThoughtSummaryDelta) -> None:
        """Each delta is a whole item; they are not glued."""
        content: Any = delta.content
        if content is UNSET:
            return
        if isinstance(content, Unknown) and content.tag is None:
            content = untyped_text(content) or content
        self.summary.append(content)

    def assemble(self) -> Any:
        step = self.signed(self.base)
        if not self.summary:
            return step
        return replace(step, summary=[*(self.base.summary or ()), *self.summary])


def untyped_text(content: Unknown) -> m.TextContent | None:
    """A part without `type` but with `text`, as the guide's samples print them, is text."""
    raw = content.raw
    if isinstance(raw, dict) and "type" not in raw and isinstance(raw.get("text"), str):
        try:
            part = struct(m.TextContent, split_object(content.json))
        except Misfit:
            return None
        assert isinstance(part, m.TextContent)
        return part
    return None


class ToolBuilder(StepBuilder):
    """All calls and results: the deltas of the step's own kind bring its members."""

    __slots__ = ("extra", "fragments", "members", "own_arguments")

    def __init__(self, index: int, step: Any, report: StreamReport) -> None:
        super().__init__(index, step, report)
        self.members: dict[str, Any] = {}
        self.extra: dict[str, bytes] = {}
        self.fragments: list[str | dict[str, Any]] = []
        self.own_arguments = False  # a delta of the step's own kind brought them, whole

    def arguments(self, delta: m.ArgumentsDelta) -> None:
        """A fragment of the arguments' JSON text, or the arguments as one object."""
        for fragment in (delta.arguments, delta.partial_arguments):
            if fragment is not UNSET:
                self.fragments.append(fragment)

    def merge(self, delta: Any) -> None:
        """Take the members of a delta of the step's own kind; it may be `Unknown`."""
        if isinstance(delta, Unknown):
            delta = struct(type(self.base), split_object(delta.json))
        new = {name: getattr(delta, name) for name in fields(type(delta))}
        signature = new.pop("signature", UNSET)
        if isinstance(signature, str):
            self.sign(m.ThoughtSignatureDelta(signature=signature))
        self.own_arguments |= isinstance(new.get("arguments"), WireStruct | dict)
        known = fields(type(self.base))
        for name, value in new.items():
            if value is UNSET:
                continue
            if name not in known:
                self.extra[name] = encode(value)
                continue
            held = self.members.get(name, getattr(self.base, name))
            if name in ("id", "call_id") and held not in (UNSET, None, ""):
                continue
            self.members[name] = self.merged(held, value)
        if delta.extra_ is not UNSET:
            texts = delta.extra_.texts
            self.extra.update({n: t for n, t in texts.items() if t not in (b"null", b'""')})

    def merged(self, held: Any, new: Any) -> Any:
        """One member: objects one level deep, lists extended, nothing overwritten by nothing."""
        if held is UNSET or held is None:
            return new
        if new is None or new == "":
            return held
        if isinstance(held, list) and isinstance(new, list):
            return [*held, *new]
        if isinstance(held, dict) and isinstance(new, dict):
            return held | new
        if isinstance(held, WireStruct) and type(held) is type(new):
            changes = {name: getattr(new, name) for name in fields(type(new))}
            whole = replace(held, **{n: v for n, v in changes.items() if v is not UNSET})
            return add_extra(whole, {} if new.extra_ is UNSET else new.extra_.texts)
        if held not in ("", new):
            self.report.issue("conflict", self.index, f"{held!r} / {new!r}")
        return new

    def touched(self) -> bool:
        return bool(self.fragments) or super().touched()

    def assemble(self) -> Any:
        step = self.signed(self.base)
        members = self.members
        if "arguments" in fields(type(step)) and (self.fragments or not self.closed):
            members = {**members, "arguments": self.read_arguments()}
        if members:
            step = replace(step, **members)
        return add_extra(step, self.extra)

    def read_arguments(self) -> Any:
        """The arguments; UNSET while the step is open, since half of a call is no call.

        A broken text gives UNSET and an issue with the text.
        """
        held = self.members.get("arguments", self.base.arguments)
        if not self.closed:
            return held if self.own_arguments and not self.fragments else UNSET
        if len(self.fragments) == 1 and isinstance(self.fragments[0], dict):
            text = encode(self.fragments[0])
        else:
            text = join_arguments(self.fragments)
        if not text.strip():
            return held if held is not UNSET else self.as_arguments(b"{}")
        try:
            return self.as_arguments(text.strip(b" \t\r\n"))
        except Misfit:
            self.broken = text.decode("utf-8", "replace")
            self.report.issue("arguments", self.index, self.broken)
            return UNSET

    def as_arguments(self, text: bytes) -> Any:
        """Read the text as the arguments of this kind of step; raises Misfit."""
        if text[:1] != b"{":
            raise Misfit("no object")
        return read(fields(type(self.base))["arguments"].hint, text)


def join_arguments(fragments: list[Any]) -> bytes:
    """The text of the arguments; an object among the fragments stands for its own text."""
    parts = [f if isinstance(f, str) else encode(f).decode() for f in fragments]
    return "".join(parts).encode("utf-8", "backslashreplace")


class UnknownBuilder(StepBuilder):
    """A kind of step that is in no schema: deltas of the same tag are merged into its JSON."""

    __slots__ = ("fragments", "merged", "raw")

    FOLDS: ClassVar[dict[type, str]] = {
        **StepBuilder.FOLDS,
        m.ArgumentsDelta: "arguments",
    }

    arguments = ToolBuilder.arguments

    def __init__(self, index: int, step: Any, report: StreamReport) -> None:
        super().__init__(index, step, report)
        raw = step.raw
        self.raw: dict[str, Any] = raw if isinstance(raw, dict) else {}
        self.fragments: list[Any] = []
        self.merged = False

    def merge(self, delta: m.UnknownStepDeltaData) -> None:
        for name, value in dict(delta.raw).items():
            held = self.raw.get(name)
            if name == "type" or (name in ("id", "call_id") and held):
                continue
            if value is None or value == "":
                self.raw.setdefault(name, value)
            elif isinstance(held, list) and isinstance(value, list):
                self.raw[name] = [*held, *value]
            elif isinstance(held, dict) and isinstance(value, dict):
                self.raw[name] = held | value
            else:
                if held not in (None, "", value):
                    self.report.issue("conflict", self.index, f"{held!r} / {value!r}")
                self.raw[name] = value
        self.merged = True

    def touched(self) -> bool:
        return self.merged or bool(self.fragments) or self.signature is not None

    def assemble(self) -> Any:
        if not self.touched():
            return self.base
        raw = self.raw
        if self.signature is not None:
            raw = {**raw, "signature": self.signature}
        if self.fragments:
            raw = {name: value for name, value in raw.items() if name != "arguments"}
            text = join_arguments(self.fragments)
            if self.closed and text.strip():
                value = read_json(text)
                if isinstance(value, dict):
                    raw["arguments"] = value
                else:
                    self.broken = text.decode("utf-8", "replace")
                    self.report.issue("arguments", self.index, self.broken)
        return m.UnknownStep(encode(raw), self.base.tag, self.base.reason)


BUILDERS: dict[type, type[StepBuilder]] = {
    **dict.fromkeys(get_args(m.Step), ToolBuilder),
    m.ModelOutputStep: ContentBuilder,
    m.UserInputStep: ContentBuilder,
    m.ThoughtStep: ThoughtBuilder,
    m.UnknownStep: UnknownBuilder,
}
"""The builder of each kind of step."""


@memo
def folds(builder: type[StepBuilder], step: type) -> dict[type, Fold]:
    """Kind of delta → function that folds it, for one kind of step."""
    table = dict(builder.FOLDS)
    if builder is ToolBuilder:
        table.update((delta, "merge") for delta, own in OPENS.items() if own is step)
        table.pop(m.ArgumentsDelta, None)
        if "arguments" in fields(step):
            table[m.ArgumentsDelta] = "arguments"
    return {delta: getattr(builder, name) for delta, name in table.items()}


def builder_for(index: int, step: Any, report: StreamReport) -> StepBuilder:
    """The builder of a step as sent."""
    return BUILDERS[type(step)](index, step, report)


def opened_by(delta: Any) -> Any:
    """The empty step that a delta without a start belongs to; None if that cannot be told."""
    cls = OPENS.get(type(delta))
    if cls is None and isinstance(delta, Unknown):
        cls = STEP_BY_TAG.get(delta.tag or "")
    return None if cls is None else cls()
