"""One builder for each kind of step: what a delta does to it, and the step as it is now.

A builder starts from the step as `step.start` sent it, collects what the deltas bring (fragments in
lists, joined once) and builds the immutable step. `FOLDS` is the table of what is done with which
delta; what is not in it for a kind of step does not fit that step. What all builders have in common
is in builder.py.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any, ClassVar, get_args

from msgspec import UNSET
from msgspec.structs import replace

from .. import models as m
from ..codec.detached import detached
from ..codec.encode import encode
from ..codec.json import Misfit, read_json, split_object
from ..codec.lenient import read, struct
from ..codec.schema import fields
from ..codec.structs import Unknown, WireStruct
from ..codec.surrogates import with_whole_pairs
from ..wire.normalise import content_today
from .builder import IDENTITY, NOTHING, StepBuilder, own
from .opening import OPENS
from .parts import AudioPart, TextPart, UnknownPart, add_extra, is_base64
from .report import SAMPLE_BYTES, Findings

__all__ = [
    "BUILDERS",
    "MEDIA",
    "ContentBuilder",
    "ThoughtBuilder",
    "ToolBuilder",
    "UnknownBuilder",
    "builder_for",
]

MEDIA: dict[type, type[WireStruct]] = {
    m.DocumentDelta: m.DocumentContent,
    m.ImageDelta: m.ImageContent,
    m.VideoDelta: m.VideoContent,
}
"""Deltas that bring a whole part of content."""


class ContentBuilder(StepBuilder):
    """`model_output` and `user_input`: parts of text and media, in order."""

    __slots__ = ("parts", "text_at")

    FOLDS: ClassVar[dict[type, str]] = {
        **StepBuilder.FOLDS,
        m.TextDelta: "text",
        m.TextAnnotationDelta: "annotate",
        m.AudioDelta: "audio",
        **dict.fromkeys(MEDIA, "media"),
    }

    def __init__(self, index: int, step: Any, findings: Findings) -> None:
        super().__init__(index, step, findings)
        sent = map(content_today, self.base.content or ())
        self.parts: list[Any] = [
            TextPart(part) if isinstance(part, m.TextContent) else part for part in sent
        ]
        self.find_text()

    def text(self, delta: m.TextDelta) -> None:
        last = self.parts[-1] if self.parts else None
        if not isinstance(last, TextPart):
            last = TextPart()
            self.parts.append(last)
        last.fragments.append(delta.text)
        self.point_at_text()

    def annotate(self, delta: m.TextAnnotationDelta) -> None:
        """Annotations belong to the last text, however much media came after it."""
        if delta.annotations is UNSET:
            return
        if self.text_at < 0:
            self.parts.append(TextPart())
            self.point_at_text()
        self.parts[self.text_at].annotations.extend(detached(delta.annotations))

    def media(self, delta: Any) -> None:
        self.parts.append(self.part(MEDIA[type(delta)], delta))
        self.text_part = None

    def part(self, cls: type[WireStruct], delta: Any) -> Any:
        """The part of content that a media delta brings: shared members, and unknown ones.

        A signature among them is the step's. The part may know what the delta does not.
        """
        known = fields(cls)
        values = {name: getattr(delta, name) for name in known.keys() & fields(type(delta)).keys()}
        texts = {} if delta.extra_ is UNSET else dict(delta.extra_.texts)
        self.take_signature(texts)
        for name in texts.keys() & known.keys():
            with suppress(Misfit):
                values[name] = read(known[name].hint, texts[name])
                del texts[name]
        return add_extra(cls(**values), texts)

    def take_signature(self, texts: dict[str, bytes]) -> None:
        """Take the step's signature out of the unknown members of a part."""
        if isinstance(signature := read_json(texts.get("signature", b"null")), str):
            self.sign(m.ThoughtSignatureDelta(signature=signature))
            del texts["signature"]

    def audio(self, delta: m.AudioDelta) -> None:
        piece = self.part(m.AudioContent, delta)
        last = self.parts[-1] if self.parts else None
        if isinstance(last, m.AudioContent) and last.uri is UNSET and is_base64(last.data):
            last = self.parts[-1] = AudioPart(last)  # it stood in the start
        self.text_part = None
        if piece.uri is not UNSET or not is_base64(piece.data):
            self.findings.issue("audio_data", self.index, str(piece.data or piece.uri)[:80])
            self.parts.append(piece)
        elif isinstance(last, AudioPart) and last.takes(piece):
            last.append(piece.data)
            last.base = add_extra(last.base, {} if piece.extra_ is UNSET else piece.extra_.texts)
        else:
            self.parts.append(AudioPart(piece))

    def started_late(self, step: Any) -> None:
        super().started_late(step)
        self.parts[:0] = ContentBuilder(self.index, step, self.findings).parts
        self.find_text()

    def assemble(self) -> Any:
        step = self.signed(self.base)
        if not self.parts:
            return step
        content: list[Any] = []
        last = self.parts[-1]
        for part in self.parts:
            if isinstance(part, TextPart):
                growing = part is last and not self.closed
                content.append(part.build(self.findings, self.index, growing))
            else:
                content.append(part.build() if isinstance(part, AudioPart | UnknownPart) else part)
        self.point_at_text()  # joining replaced the list of fragments
        return replace(step, content=content)

    def point_at_text(self) -> None:
        """Let the next text go on with the last part, if that is text and the step is open."""
        last = self.parts[-1] if self.parts else None
        self.text_part = None
        if isinstance(last, TextPart):
            self.text_part = None if self.closed else last.fragments
            self.text_at = len(self.parts) - 1

    def find_text(self) -> None:
        """Look for the last part of text among all parts."""
        texts = (at for at, part in enumerate(self.parts) if isinstance(part, TextPart))
        self.text_at = max(texts, default=-1)
        self.point_at_text()


class ThoughtBuilder(StepBuilder):
    """`thought`: items of a summary, and the signature."""

    __slots__ = ("summary",)

    FOLDS: ClassVar[dict[type, str]] = {
        **StepBuilder.FOLDS,
        m.ThoughtSummaryDelta: "summarise",
    }

    def __init__(self, index: int, step: Any, findings: Findings) -> None:
        super().__init__(index, step, findings)
        self.summary: list[Any] = []

    def summarise(self, delta: m.ThoughtSummaryDelta) -> None:
        """Each delta is a whole item; they are not glued."""
        if delta.content is not UNSET:
            self.summary.append(content_today(delta.content))

    def assemble(self) -> Any:
        step = self.signed(self.base)
        summary = [*map(content_today, self.base.summary or ()), *self.summary]
        return replace(step, summary=summary) if summary else step


class ToolBuilder(StepBuilder):
    """All calls and results: the deltas of the step's own kind bring its members."""

    __slots__ = (
        "extra",
        "fragments",
        "grown",
        "lost",
        "lost_fragment",
        "members",
        "own_arguments",
    )

    @classmethod
    def table(cls, step: type) -> dict[type, str]:
        """Every kind of call and result has a delta of its own; not every one has arguments."""
        table = {**cls.FOLDS, **{delta: "merge" for delta, of in OPENS.items() if of is step}}
        table[step] = "merge"  # the legacy generation sends whole calls and results
        table.pop(m.ArgumentsDelta, None)
        if "arguments" in fields(step):
            table[m.ArgumentsDelta] = "arguments"
        return table

    def __init__(self, index: int, step: Any, findings: Findings) -> None:
        super().__init__(index, step, findings)
        self.members: dict[str, Any] = {}
        self.extra: dict[str, bytes] = {}  # members that the schema does not know
        self.grown: dict[str, Any] = {}  # those that came in several pieces, as values
        self.fragments: list[str | dict[str, Any]] = []
        self.own_arguments = False  # a delta of the step's own kind brought them, whole
        self.lost: str | None = None  # the first thing of it that could not be read
        self.lost_fragment = False  # whether that may be a part of the arguments

    def lose(self: Any, text: bytes, *, fragment: bool) -> None:
        if self.closed or not self.is_for_caller:
            return
        if self.lost is None or (fragment and not self.lost_fragment):
            self.lost = text[:SAMPLE_BYTES].decode("utf-8", "replace")
        self.lost_fragment |= fragment

    def arguments(self, delta: m.ArgumentsDelta) -> None:
        """A fragment of the arguments' JSON text, or the arguments as one object."""
        if type(delta.arguments) is str:  # nearly all are
            self.fragments.append(delta.arguments)
        elif delta.arguments is not UNSET:
            self.fragments.append(detached(delta.arguments))
        elif delta.partial_arguments is UNSET and delta.extra_ is not UNSET:
            said = any(text != b"null" for text in delta.extra_.texts.values())
            self.lose(encode(delta), fragment=said)
        if delta.partial_arguments is not UNSET:  # an older name
            self.fragments.append(detached(delta.partial_arguments))

    def merge(self, delta: Any) -> None:
        """Take the members of a delta of the step's own kind; it may be `Unknown`."""
        if isinstance(delta, Unknown) or delta.extra_ is not UNSET:
            # The step may know what this kind of delta does not: `call_id`, `search_type`.
            delta = struct(type(self.base), split_object(encode(delta)))
        known = fields(type(self.base))
        if self.is_for_caller and self.names_another(delta):
            self.lose(encode(delta), fragment=True)
            return
        for name in fields(type(delta)):
            value = getattr(delta, name)
            if value is UNSET:
                continue
            if name == "signature":
                self.sign(m.ThoughtSignatureDelta(signature=value))
            elif name in known:
                held = self.members[name] if name in self.members else own(getattr(self.base, name))
                if name not in IDENTITY or held in NOTHING:
                    self.members[name] = self.merged(held, value)
            else:
                self.merge_extra(name, encode(value))
        self.own_arguments |= isinstance(self.members.get("arguments"), WireStruct | dict)
        if delta.extra_ is not UNSET:
            if not self.own_arguments:  # they may stand in there, under another name
                self.lose(encode(delta), fragment="arguments" in delta.extra_.texts)
            for name, text in delta.extra_.texts.items():
                self.merge_extra(name, text)

    def names_another(self, delta: Any) -> bool:
        """Whether a delta is for another call than this one."""
        for member in ("id", "name"):
            mine = self.members.get(member, getattr(self.base, member))
            other = getattr(delta, member)
            if mine in NOTHING or other in NOTHING or mine == other:
                return False
        return True

    def merge_extra(self, name: str, text: bytes) -> None:
        """Take a member that the step's schema does not know, or whose value does not fit it."""
        value = read_json(text)
        if value is None and name in fields(type(self.base)):
            return
        held = self.grown.get(name, UNSET)
        if held is UNSET:
            sent = {} if self.base.extra_ is UNSET else self.base.extra_.texts
            old = self.extra.get(name, sent.get(name))
            held = UNSET if old is None else read_json(old)
        if held is UNSET:
            self.extra[name] = text
        elif name not in IDENTITY or held in NOTHING:
            self.grown[name] = self.merged(held, value)

    def touched(self) -> bool:
        return bool(self.fragments) or super().touched()

    def assemble(self) -> Any:
        self.broken = None
        step = self.signed(self.base)
        members = {name: own(value) for name, value in self.members.items()}
        unsure = self.fragments or self.lost is not None or not self.closed
        if unsure and "arguments" in fields(type(step)):
            members["arguments"] = self.read_arguments()
        if members:
            step = replace(step, **members)
        texts = {**self.extra, **{name: encode(value) for name, value in self.grown.items()}}
        if members.get("arguments") is UNSET:  # nor do they stand beside the members that are known
            texts.pop("arguments", None)
        return add_extra(step, texts)

    def read_arguments(self) -> Any:
        """The arguments; UNSET while the step is open, since half of a call is no call.

        A broken text gives UNSET and an issue with the text; so does anything that was dropped,
        unless it was no part of them and they came all the same.
        """
        held = self.members.get("arguments", self.base.arguments)
        if not self.closed:
            whole = self.own_arguments and not self.fragments and not self.lost_fragment
            return held if whole else UNSET
        if self.lost is not None and (
            self.lost_fragment or not (self.fragments or self.own_arguments or held)
        ):
            return self.refuse(self.lost)
        if len(self.fragments) == 1 and isinstance(self.fragments[0], dict):
            text = encode(self.fragments[0])
        else:
            text = join_arguments(self.fragments)
        if not text.strip():
            return held if held is not UNSET else self.as_arguments(b"{}")
        sayable, mended = with_whole_pairs(text.strip(b" \t\r\n"))
        try:
            arguments = self.as_arguments(sayable)
        except Misfit:
            return self.refuse(text.decode("utf-8", "replace"))
        if mended:
            self.findings.issue("lone_surrogate", self.index)
        return arguments

    def refuse(self: Any, raw: str) -> Any:
        """These are no arguments: `raw` was sent in their place."""
        self.broken = raw
        self.findings.issue("arguments", self.index, raw)
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

    __slots__ = ("changed", "fragments", "lost", "lost_fragment", "raw")

    FOLDS: ClassVar[dict[type, str]] = {
        **StepBuilder.FOLDS,
        m.ArgumentsDelta: "arguments",
    }

    arguments = ToolBuilder.arguments
    lose = ToolBuilder.lose
    refuse = ToolBuilder.refuse

    def __init__(self, index: int, step: Any, findings: Findings) -> None:
        super().__init__(index, step, findings)
        self.lost: str | None = None
        self.lost_fragment = False
        raw = step.raw
        self.raw: dict[str, Any] = raw if isinstance(raw, dict) else {}
        self.fragments: list[Any] = []
        self.changed = False

    def sent_signature(self) -> Any:
        value = self.raw.get("signature")
        return value if isinstance(value, str) else None

    def merge(self, delta: m.UnknownStepDeltaData) -> None:
        raw = delta.raw
        if isinstance(raw, dict) and isinstance(signature := raw.get("signature"), str):
            self.sign(m.ThoughtSignatureDelta(signature=signature))
            del raw["signature"]
        self.merge_raw(self.raw, raw)
        self.changed = True

    def touched(self) -> bool:
        changed = self.changed or self.lost is not None
        return changed or bool(self.fragments) or self.signature is not None

    def assemble(self) -> Any:
        self.broken = None
        open_call = self.is_call and not self.closed and "arguments" in self.raw
        if not (open_call or self.touched()):
            return self.base
        raw = self.raw
        if self.signature is not None:
            raw = {**raw, "signature": self.signature}
        if open_call or self.fragments or self.lost is not None:
            arguments = self.read_arguments()
            raw = {name: value for name, value in raw.items() if name != "arguments"}
            if arguments is not UNSET:
                raw["arguments"] = arguments
        return m.UnknownStep(encode(raw), self.base.tag, self.base.reason)

    def read_arguments(self) -> Any:
        """As for the calls that are known: UNSET while the step is open, and for a broken text."""
        if not self.closed:
            return UNSET
        held = self.raw.get("arguments", {})
        if self.lost is not None and (self.lost_fragment or not (self.fragments or held)):
            return self.refuse(self.lost)
        text = join_arguments(self.fragments)
        if not text.strip():
            return held
        try:
            return read(dict[str, Any], with_whole_pairs(text.strip(b" \t\r\n"))[0])
        except Misfit:
            return self.refuse(text.decode("utf-8", "replace"))


BUILDERS: dict[type, type[StepBuilder]] = {
    **dict.fromkeys(get_args(m.Step), ToolBuilder),
    m.ModelOutputStep: ContentBuilder,
    m.UserInputStep: ContentBuilder,
    m.ThoughtStep: ThoughtBuilder,
    m.UnknownStep: UnknownBuilder,
}
"""The builder of each kind of step."""


def builder_for(index: int, step: Any, findings: Findings) -> StepBuilder:
    """The builder of a step as sent."""
    return BUILDERS[type(step)](index, step, findings)
