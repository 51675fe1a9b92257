"""What the builders of all kinds of steps have in common; see steps.py for the kinds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Final, TypeAlias, get_args

from msgspec import UNSET
from msgspec.structs import replace

from .. import models as m
from ..codec.detached import detached
from ..codec.encode import encode
from ..codec.json import Misfit
from ..codec.once import memo
from ..codec.schema import fields
from ..codec.structs import Unknown, WireStruct
from ..errors import GemwireError
from .parts import add_extra
from .report import Findings

__all__ = [
    "IDENTITY",
    "NOTHING",
    "TOO_DEEP",
    "Build",
    "StepBuilder",
    "folds",
    "lay_over",
    "members_of",
    "own",
    "with_member",
    "worthy_extras",
]

Fold: TypeAlias = Callable[[Any, Any], None]
Build: TypeAlias = "Callable[[int, Any, Findings], StepBuilder]"


@memo
def folds(builder: type[StepBuilder], step: type) -> dict[type, Fold]:
    """Kind of delta → function that folds it, for one kind of step."""
    return {delta: getattr(builder, name) for delta, name in builder.table(step).items()}


@memo
def plain_folds(builder: type[StepBuilder], step: type) -> dict[type, Fold]:
    """The same without deltas that may be in an older form though none of their members is unknown:
    what `fold_all` folds without asking `normalise`.
    """
    formed = (m.AudioDelta, m.FunctionCallStep)
    return {delta: fold for delta, fold in folds(builder, step).items() if delta not in formed}


class StepBuilder:
    """What all kinds of steps have: the step as sent, a signature, and whether it was stopped."""

    __slots__ = (
        "base",
        "broken",
        "built",
        "closed",
        "findings",
        "folds",
        "index",
        "plain_folds",
        "position",
        "signature",
        "started",
        "text_part",
    )

    FOLDS: ClassVar[dict[type, str]] = {m.ThoughtSignatureDelta: "sign"}
    """Kind of delta → name of the method that folds it."""

    @classmethod
    def table(cls, step: type) -> dict[type, str]:
        """What is done with which delta, for one kind of step."""
        return cls.FOLDS

    def __init__(self, index: int, step: Any, findings: Findings) -> None:
        self.index = index
        self.position = index  # among the steps; another one if the index was taken
        self.findings = findings
        self.base = detached(step)
        self.signature: str | None = None
        self.built: Any = None  # the finished step, once closed
        self.closed = False
        self.started = True  # False while only deltas have come
        self.broken: str | None = None  # arguments that could not be read
        self.folds = folds(type(self), type(step))
        self.plain_folds = plain_folds(type(self), type(step))
        # The fragments of the last part, where that is text and the step open: most deltas go
        # straight there.
        self.text_part: list[str] | None = None

    @property
    def kind(self) -> str | None:
        """The wire's name for this kind of step."""
        return self.base.tag if isinstance(self.base, Unknown) else self.base.type

    @property
    def is_call(self) -> bool:
        """Whether it asks for something to be run, so that half of it is nothing."""
        return str(self.kind).endswith("_call")

    @property
    def is_for_caller(self) -> bool:
        """Whether whoever reads the answer is to run it: the server runs its own tools itself."""
        return self.is_call and not isinstance(self.base, SERVER_CALLS)

    def lose(self, text: bytes, *, fragment: bool) -> None:
        """Something of this step could not be read; `fragment` if it may be one of its arguments.
        Only calls that are to be run need to know.
        """

    def sign(self, delta: m.ThoughtSignatureDelta) -> None:
        """Take a signature: the last non-empty one stands."""
        signature = delta.signature
        if not isinstance(signature, str):
            return
        held = self.signature or self.sent_signature() or ""
        if signature and held and signature != held:
            self.findings.issue("signature_conflict", self.index, f"{held} / {signature}")
        self.signature = signature or held

    def sent_signature(self) -> Any:
        """The signature in the start."""
        return getattr(self.base, "signature", UNSET)

    def merge(self, delta: Any) -> None:
        """Take a delta of the step's own kind; raises Misfit for a step that has no such."""
        raise Misfit("the step takes no delta of its own kind")

    def merged(self, held: Any, new: Any) -> Any:
        """One member: objects one level deep, lists extended, nothing overwritten by nothing.

        A list or dict that is held is changed in place, since many deltas may bring a bit each.
        """
        if held is UNSET or held is None:
            return own(new)
        if new is None or new == "":
            return held
        if isinstance(held, list) and isinstance(new, list):
            held.extend(new)
            return held
        if isinstance(held, dict) and isinstance(new, dict):
            lay_over(held, new)
            return held
        if isinstance(held, WireStruct) and type(held) is type(new):
            members = members_of(held)
            lay_over(members, members_of(new))
            whole = type(held)(**members, extra_=held.extra_)
            return add_extra(whole, texts) if (texts := worthy_extras(held, new)) else whole
        if held not in ("", new):
            self.findings.issue("conflict", self.index, f"{held!r} / {new!r}")
        return own(new)

    def merge_raw(self, held: dict[str, Any], new: Any) -> None:
        """Take the members of a JSON object of a kind that no schema has; raises Misfit."""
        if not isinstance(new, dict):  # what was an object a moment ago is nested too deeply here
            raise Misfit("nested too deeply")
        for name, value in new.items():
            old = held.get(name, UNSET)
            if name != "type" and (name not in IDENTITY or old in NOTHING):
                held[name] = self.merged(old, value)

    def started_late(self, step: Any) -> None:
        """Lay the members of a start under what its deltas brought."""
        self.base = detached(step)
        self.started = True

    def touched(self) -> bool:
        """Whether anything but the start has come."""
        untouched = type(self)(self.index, self.base, self.findings)
        untouched.closed = self.closed
        return bool(self.build() != untouched.build())

    def close(self) -> None:
        """The step is complete: by its stop, or by the terminal event."""
        self.closed = True
        self.built = self.text_part = None

    def build(self) -> Any:
        """The step as it is now; the same object each time once it is closed."""
        if self.built is not None:
            return self.built
        try:
            step = self.assemble()
        except TOO_DEEP as error:
            self.findings.issue("too_deep", self.index, str(error))
            step = self.base
            if hasattr(step, "arguments"):  # what it has may be a placeholder
                step = replace(step, arguments=UNSET)
                self.broken = str(error)
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


SERVER_CALLS: Final = tuple(
    step
    for step in get_args(m.Step)
    if step.type.endswith("_call") and step.type != "function_call"
)
"""Calls of the tools that the server has."""

TOO_DEEP = (RecursionError, GemwireError, Misfit)
"""What folding raises for a JSON that is nested as deep as the interpreter's stack, and for nothing
else: what it folds was decoded.
"""

NOTHING = (UNSET, None, "")
"""What never overwrites anything."""

IDENTITY = ("id", "call_id")
"""Members that a delta only fills where they are missing."""


def own(value: Any) -> Any:
    """The value, as one that may be changed: events and snapshots keep theirs."""
    return detached(value)


def lay_over(held: dict[str, Any], new: dict[str, Any]) -> None:
    """Take in the members of `new`, save for null and "" where something was held."""
    held.update((n, v) for n, v in new.items() if n not in held or v not in NOTHING)


def members_of(value: WireStruct) -> dict[str, Any]:
    """The members that are present, unknown ones apart."""
    present = {name: getattr(value, name) for name in fields(type(value))}
    return {name: member for name, member in present.items() if member is not UNSET}


def worthy_extras(held: WireStruct, new: WireStruct) -> dict[str, bytes]:
    """The unknown members of `new` that may be laid over `held`."""
    if new.extra_ is UNSET:
        return {}
    present = members_of(held).keys() | ({} if held.extra_ is UNSET else held.extra_.texts).keys()
    texts = new.extra_.texts.items()
    return {n: t for n, t in texts if n not in present or t not in (b"null", b'""')}


def with_member(step: Any, name: str, value: Any) -> Any:
    """The step with a member set, which is an unknown one where its schema lacks it."""
    if name in fields(type(step)):
        return replace(step, **{name: value})
    return add_extra(step, {name: encode(value)})
