"""The form of a checkpoint, as Structs: what is written, under which names.

Whoever changes anything here raises `VERSION`; a test with a golden file says so. Models are in it
as the JSON that `encode()` gives, not as text inside of text, so that a checkpoint is about as
large as what was assembled.
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
    "PackedInteraction",
    "PackedPart",
    "PackedReplayed",
    "PackedSavepoint",
    "PackedStep",
    "PackedToken",
    "PackedUsage",
    "Pairs",
    "Value",
    "as_raw",
    "of_raw",
]

VERSION: Final = 2
"""1 was written by developments before 0.1.0, in several forms."""

ABSENT: Final = Raw()
"""No text at all. (`Raw | None` is no type that msgspec decodes.)"""

Pairs: TypeAlias = list[tuple[Raw, Raw]]
"""Names and values of members as JSON; half a surrogate pair in a name cannot be a `str`."""


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


class PackedToken(msgspec.Struct, omit_defaults=True, frozen=True):
    """A continuation token and who issued it."""

    value: Raw = ABSENT
    owner: Raw = ABSENT


class Value(msgspec.Struct, omit_defaults=True):
    """A model (its class and JSON), a list that holds models, or plain JSON; UNSET if empty."""

    model: str | None = None
    json: Raw = ABSENT
    tag: Raw = ABSENT
    reason: str | None = None
    items: list[Value] | None = None


class PackedPart(msgspec.Struct, omit_defaults=True):
    """A part of content that may grow, or a whole one."""

    kind: Literal["text", "audio", "unknown", "whole"]
    base: Value | None = None
    text: Raw = ABSENT
    annotations: list[Value] = []
    pieces: list[str] = []
    raw: Raw = ABSENT


class PackedStep(msgspec.Struct, omit_defaults=True):
    """The builder of a step."""

    kind: str
    position: int
    index: int
    base: Value
    signature: Raw = ABSENT
    closed: bool = False
    started: bool = True
    broken: Raw = ABSENT
    # content and content_part
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
    # tool and unknown
    fragments: list[Raw] = []
    # unknown
    raw: Raw = ABSENT
    changed: bool = False


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
    steps: list[PackedStep] = []
    routes: list[tuple[int, int]] = []
    """Index of events and place in `steps`."""
    last: int | None = None
    created: bool = False
    created_again: Value | None = None
    closed: int = 0
    ended: bool = False


class PackedSavepoint(msgspec.Struct, omit_defaults=True):
    """A state to go back to, or (without a kind) the present one.

    Either the interactions, or the events since the savepoint before, which stands first.
    """

    kind: str | None = None
    event_id: Raw = ABSENT
    token: PackedToken = PackedToken()
    generation: int = 0
    room: int = 0
    interactions: list[PackedInteraction] | None = None
    events: list[tuple[str | None, Raw]] | None = None
    """The class of what is no JSON event, if it is none, and the JSON."""


class PackedReplayed(msgspec.Struct, omit_defaults=True):
    """What was held when the server began again."""

    current: PackedInteraction
    outcome: str
    error: Raw = ABSENT
    last_event_id: Raw = ABSENT
    token: PackedToken = PackedToken()
    keep: bool = False


class PackedAnswer(msgspec.Struct, omit_defaults=True):
    """All of it."""

    states: list[PackedSavepoint]
    """The savepoints, oldest first, and the present."""
    outcome: Raw
    error: Raw = ABSENT
    last_event_id: Raw = ABSENT
    token: PackedToken = PackedToken()
    done_seen: bool = False
    body: bool = False
    rollbacks: int = 0
    replayed: PackedReplayed | None = None
    generation: int = 0
    event_count: int = 0
    byte_count: int = 0
    stray: bytes = b""
    issues: list[Issue] = []
    unknown: list[UnknownSeen] = []
    searched: int = -1
