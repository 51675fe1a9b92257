"""The form of a checkpoint, as Structs: what is written, under which names.

Whoever changes anything here raises `VERSION`; a test with a golden file says so. Models are in it
as the JSON that `encode()` gives, not as text inside of text. A checkpoint has several states of
one answer, which have most of their content in common: that stands once, in `texts`, `values` and
`steps` of the whole, and the states name it. So a checkpoint is about as large as the answer.
"""

from __future__ import annotations

import re
from typing import Final, Literal, TypeAlias

import msgspec
from msgspec import Raw

from ..assembly.report import Issue, UnknownSeen
from ..assembly.usage import UsageSource

__all__ = [
    "ABSENT",
    "VERSION",
    "PackedAnswer",
    "PackedGate",
    "PackedInteraction",
    "PackedPart",
    "PackedReplayed",
    "PackedSavepoint",
    "PackedStep",
    "PackedToken",
    "PackedUsage",
    "Pairs",
    "Text",
    "Value",
    "as_raw",
    "of_raw",
]

VERSION: Final = 4
"""Those before were written by developments before 0.1.0, in several forms."""

ABSENT: Final = Raw()
"""No text at all. (`Raw | None` is no type that msgspec decodes.)"""

Text: TypeAlias = tuple[int, int]
"""A text that may grow: its place in `texts` of the whole, and how many characters of that."""


_SURROGATE: Final = rb"[dD][89a-fA-F][0-9a-fA-F]{2}"
_HIDE: Final = re.compile(rb"\\(?:u(0000|" + _SURROGATE + rb")|.)", re.DOTALL)
_SHOW: Final = re.compile(rb"\\(?:u0000(z|" + _SURROGATE + rb")|.)", re.DOTALL)


def as_raw(text: bytes) -> Raw:
    """JSON text as a part of a checkpoint. msgspec refuses a document with half a surrogate pair
    anywhere in it, so the escapes of such stand behind one of NUL.
    """
    return Raw(_HIDE.sub(_hidden, text) if b"\\u" in text else text)


def of_raw(raw: Raw) -> bytes:
    """The text again."""
    text = bytes(raw)
    return _SHOW.sub(_shown, text) if b"\\u0000" in text else text


def _hidden(escape: re.Match[bytes]) -> bytes:
    digits = escape[1]
    if digits is None:
        return escape[0]
    return rb"\u0000z" if digits == b"0000" else rb"\u0000" + digits


def _shown(escape: re.Match[bytes]) -> bytes:
    digits = escape[1]
    if digits is None:
        return escape[0]
    return rb"\u0000" if digits == b"z" else rb"\u" + digits


_VALUE: Final = {
    "model": "m",
    "json": "j",
    "shared": "s",
    "members": "o",
    "items": "l",
    "tag": "t",
    "reason": "r",
}
_PART: Final = {"kind": "k", "base": "b", "text": "t", "annotations": "a"}
_STEP: Final = {"kind": "k", "index": "i", "base": "b", "closed": "c", "parts": "p"}


class Value(msgspec.Struct, omit_defaults=True, rename=_VALUE):
    """A model (its class and JSON), a list that holds models, or plain JSON; UNSET if empty."""

    model: str | None = None
    json: Raw = ABSENT
    shared: int | None = None
    """The place of the JSON in `values` of the whole, if it is not short."""
    members: Pairs | None = None
    """Those of a large object, in place of its JSON."""
    items: list[Value] | None = None
    tag: Raw = ABSENT
    reason: Raw = ABSENT


Pairs: TypeAlias = list[tuple[Raw, Value]]
"""Names and values of members; half a surrogate pair in a name cannot be a `str`."""


class PackedToken(msgspec.Struct, omit_defaults=True, frozen=True):
    """A continuation token and who issued it."""

    value: Value | None = None
    owner: Value | None = None


class PackedPart(msgspec.Struct, omit_defaults=True, rename=_PART):
    """A part of content that may grow, or a whole one."""

    kind: Literal["text", "audio", "unknown", "whole"] = "text"
    base: Value | None = None
    text: Text | None = None
    """Of text, or the base64 of audio."""
    fragments: list[Value] = []
    """In place of a text that has halves of surrogate pairs."""
    annotations: list[Value] = []
    raw: Value | None = None


class PackedStep(msgspec.Struct, omit_defaults=True, rename=_STEP):
    """The builder of a step."""

    index: int
    base: Value
    kind: str | None = None
    """The builder, if that is not the one of the step's class."""
    position: int | None = None
    """Among the steps, if that is not the index."""
    signature: Value | None = None
    closed: bool = False
    stale: bool = False
    """It is closed, yet something came since it was built."""
    replaced: bool = False
    """It was taken from a body or from the terminal event, and stands as it is."""
    late: bool = False
    """Only deltas have come, and no start."""
    # content and content_part
    sent_parts: int = 0
    """How many of the start's parts stand at the beginning, unchanged."""
    parts: list[PackedPart] = []
    bare: bool = False
    signed_part: int = 0
    # thought
    summary: list[Value] = []
    # tool
    members: dict[str, Value] = {}
    extra: Pairs = []
    grown: Pairs = []
    own_arguments: bool = False
    lost: Value | None = None
    """What of it could not be read."""
    lost_fragment: bool = False
    # tool and unknown
    text: Text | None = None
    """Of the arguments."""
    fragments: list[Value] = []
    """In place of a text that has halves of surrogate pairs, or objects among its fragments."""
    # unknown
    raw: Value | None = None


class PackedUsage(msgspec.Struct, omit_defaults=True):
    """The usage of an interaction, or of those before it."""

    total: Value | None = None
    first: Value | None = None
    source: UsageSource | None = None
    lacking: bool = False


class PackedInteraction(msgspec.Struct, omit_defaults=True):
    """One interaction of the answer."""

    interaction: Value
    raw_members: Pairs = []
    usage: PackedUsage | None = None
    before: PackedUsage | None = None
    steps: list[int] = []
    """Their places in `steps` of the whole."""
    routes: list[tuple[int, int]] | None = None
    """Index of events and place among the steps, if not each step has its own index."""
    last: int | None = None
    """The step opened last, if that is not the last one."""
    created: bool = False
    created_again: Value | None = None
    closed: int = 0
    ended: bool = False
    damaged: int = 0
    refused: list[int] = []
    """Sums of what stood as the index of steps that have none."""


class PackedSavepoint(msgspec.Struct, omit_defaults=True):
    """A state to go back to."""

    kind: str
    interactions: list[PackedInteraction]
    event_id: Value | None = None
    token: PackedToken = PackedToken()
    generation: int = 0
    head: list[int] = []
    """Sums of the first events since then."""


class PackedReplayed(msgspec.Struct, omit_defaults=True):
    """What was held when the server began again."""

    current: PackedInteraction
    hop: int
    outcome: Value
    error: Value | None = None
    last_event_id: Value | None = None
    token: PackedToken = PackedToken()
    keep: bool = False


class PackedGate(msgspec.Struct, omit_defaults=True):
    """A stream that was reopened and has not shown yet how it goes on."""

    created: Value | None = None
    token: Value | None = None


class PackedAnswer(msgspec.Struct, omit_defaults=True):
    """All of it."""

    interactions: list[PackedInteraction]
    outcome: Value
    error: Value | None = None
    last_event_id: Value | None = None
    token: PackedToken = PackedToken()
    tokens_seen: list[int] = []
    done_seen: bool = False
    body: bool = False
    rollbacks: int = 0
    savepoints: list[PackedSavepoint] = []
    """Oldest first."""
    generation: int = 0
    replayed: PackedReplayed | None = None
    gate: PackedGate | None = None
    expected: list[int] = []
    """Sums of the events that would be a repetition which has begun."""
    event_count: int = 0
    byte_count: int = 0
    stray: bytes = b""
    issues: list[Issue] = []
    unknown: list[UnknownSeen] = []
    """In the events."""
    found: list[UnknownSeen] = []
    """In what came of them."""
    searched: int = -1
    texts: list[Raw] = []
    values: list[Raw] = []
    steps: list[PackedStep] = []
