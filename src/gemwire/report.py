"""What happened on a stream: outcome, error, usage, and everything that was not as expected.

The assembler writes it while events come, so it can be read at any time; it is complete when the
stream is (`finish()`, or the end of the iteration).
"""

from __future__ import annotations

import builtins
from typing import Any, Final, Literal, TypeAlias

import msgspec
from msgspec import UNSET

from .base import Unknown, WireStruct, read_json
from .codec import encode, iter_unknown
from .errors import ErrorInfo
from .models import Usage

__all__ = ["Issue", "ResumePoint", "StreamReport", "UnknownSeen", "UsageSource"]

UsageSource: TypeAlias = Literal["terminal", "step", "status", "metadata"]
UnknownKind: TypeAlias = Literal["union", "member", "value"]
UnknownTable: TypeAlias = "dict[tuple[str, str | None], UnknownSeen]"

IN_PROGRESS: Final = frozenset({"in_progress", "queued"})
"""The statuses that are not terminal; every other one is, also one that is not known here."""

MAX_ENTRIES: Final = 1000
"""Entries kept of `unknown` and of `issues`; what is beyond is counted under `OVERFLOW`."""

OVERFLOW: Final = "(more)"
SAMPLE_BYTES: Final = 512


class Issue(msgspec.Struct):
    """A known deviation from the order or the form of the wire, and what was done about it."""

    kind: str
    """One of `ISSUES`."""
    index: int | None
    """The step it happened to."""
    detail: str
    """What the first one looked like: the text of broken arguments, two values that differ, …"""
    count: int = 1

    @property
    def meaning(self) -> str:
        """What the kind says, as a sentence."""
        return ISSUES.get(self.kind, self.kind)


ISSUES: Final[dict[str, str]] = {
    "after_end": "an event after the terminal one; it was folded all the same",
    "after_stop": "a delta or stop after the step's stop; it was folded all the same",
    "arguments": "tool arguments that are no JSON object; they stay unset",
    "audio_data": "audio that is no base64, or by reference; it is a part of its own",
    "audio_format": "audio whose format changed; a new part begins",
    "conflict": "a second value for a member; the later one stands",
    "created_again": "a second interaction.created with the same id; ignored",
    "event_id_repeated": "an event_id that was there before; the event was folded all the same",
    "event_name": "the SSE event name differs from event_type; event_type counts",
    "index_gap": "step indexes with a gap; the steps stand in order without a filler",
    "index_missing": "an event without an index; it counts for the step opened last",
    "invalid_utf8": "bytes that are no UTF-8; U+FFFD stands for them",
    "lone_surrogate": "half of a surrogate pair that found no other half; U+FFFD stands for it",
    "misplaced": "a delta that does not fit the kind of its step; it was left out",
    "never_stopped": "a step without a stop before the terminal event; it was closed by that",
    "no_data": "a frame with a name and no data, which is no event; left out",
    "not_terminal": "interaction.completed with a status that is not terminal",
    "replay_differs": "a replay that went another way than what was held; the replay stands",
    "restarted": "the server began the answer again; what had come before was dropped",
    "second_id": "an interaction.created with another id; its steps go on as a further hop",
    "signature_conflict": "a second, different signature for a step; the later one stands",
    "start_again": "a second start of a step that was the same; ignored",
    "start_late": "a start after deltas of the step; its members are laid under them",
    "start_missing": "a delta of a step that never started; the step was opened by it",
    "start_other": "a second, different start of a step; it is a new step after the last",
    "steps_differ": "a lifecycle event carries other steps than were streamed; those stand",
    "stop_unopened": "a stop of a step that was never opened; ignored",
    "stray": "text outside of the events; left out",
    "too_deep": "an event nested as deep as the interpreter's stack; a part of it was left out",
    "torn": "an event that was cut off; left out",
    OVERFLOW: f"issues beyond the first {MAX_ENTRIES}",
}
"""Every kind of issue, and what is done about it."""


class UnknownSeen(msgspec.Struct):
    """Something that the spec does not know, wherever in the stream it stood."""

    path: str
    """Where, without positions: `step.delta.delta`, `interaction.steps[].content[].mime_type`."""
    kind: UnknownKind
    """A member of a union, a member of an object, or a new value of an enum."""
    tag: str | None
    """The tag, the member's name or the value."""
    sample: bytes
    """The JSON text of the first one, its first 512 bytes."""
    count: int = 1


class ResumePoint(msgspec.Struct, frozen=True):
    """What to ask the server for, to get the rest of an answer that was cut.

    With a token: create the interaction again with `continuation_token` and, if `token_owner_id` is
    known, `previous_interaction_id`. Else get `interaction_id` with `stream=true` and
    `last_event_id` (from the start, where there is none).
    """

    interaction_id: str | None
    last_event_id: str | None = None
    continuation_token: str | None = None
    token_owner_id: str | None = None


class StreamReport:
    """The verdict on a stream.

    `outcome` is `in_progress` while bytes may come. Then it is the status of the terminal event as
    sent (`completed`, `requires_action`, `incomplete`, …, also one that is not known here), or
    `error`, or `truncated`. A stream is never `completed` unless the server said so.
    """

    __slots__ = (
        "_found",
        "_issues",
        "_unknown",
        "bytes",
        "error",
        "events",
        "interaction_ids",
        "last_event_id",
        "outcome",
        "resume",
        "stray",
        "usage",
        "usage_source",
    )

    outcome: str
    error: ErrorInfo | None
    """The error event, or the error of a failed interaction; stays when the stream recovers."""
    interaction_ids: list[str]
    """The id of each hop, in order, each once; empty for `store: false`."""
    last_event_id: str | None
    """The `event_id` of the latest event that had one."""
    usage: Usage | None
    """The best report of tokens so far, taken whole; None while there is none."""
    usage_source: UsageSource | None
    """Where `usage` comes from; only `terminal` is what the server bills."""
    resume: ResumePoint | None
    """Where to go on, once the stream is over; None when there is nothing to go on with."""
    events: int
    """Events taken in, unknown ones included."""
    bytes: int
    """Bytes of the stream, as far as the assembler was fed by a stream of this package."""
    stray: builtins.bytes
    """Text outside of the events, the first 64 KiB."""

    def __init__(self) -> None:
        self.outcome = "in_progress"
        self.error = None
        self.interaction_ids = []
        self.last_event_id = None
        self.usage = None
        self.usage_source = None
        self.resume = None
        self.events = 0
        self.bytes = 0
        self.stray = b""
        self._issues: dict[tuple[str, int | None], Issue] = {}
        self._unknown: UnknownTable = {}  # in the events
        self._found: UnknownTable = {}  # in what came of them

    @property
    def interaction_id(self) -> str | None:
        """The id of the interaction, of its latest hop; None for `store: false`."""
        return self.interaction_ids[-1] if self.interaction_ids else None

    @property
    def issues(self) -> list[Issue]:
        """What was not in order, one entry for each kind and step, in order of appearance."""
        return list(self._issues.values())

    @property
    def unknown(self) -> list[UnknownSeen]:
        """What the spec does not know, one entry for each place and tag."""
        return [*self._unknown.values(), *self._found.values()]

    def issue(self, kind: str, index: int | None = None, detail: str = "") -> None:
        """Count an issue."""
        held = self._issues.get((kind, index))
        if held is None and len(self._issues) >= MAX_ENTRIES:
            kind, index = OVERFLOW, None
            held = self._issues.get((kind, index))
        if held is None:
            self._issues[kind, index] = Issue(kind, index, detail[:SAMPLE_BYTES])
        else:
            held.count += 1

    def saw_unknown(self, path: str, kind: UnknownKind, tag: str | None, sample: Any) -> None:
        """Count something unknown in an event; `sample` is the value itself."""
        self._count(self._unknown, path, kind, tag, sample)

    def _count(
        self, table: UnknownTable, path: str, kind: UnknownKind, tag: str | None, sample: Any
    ) -> None:
        held = table.get((path, tag))
        if held is None and len(self._unknown) + len(self._found) >= MAX_ENTRIES:
            path, tag = OVERFLOW, None
            held = table.get((path, tag))
        if held is None:
            text: builtins.bytes = sample.json if isinstance(sample, Unknown) else encode(sample)
            table[path, tag] = UnknownSeen(path, kind, tag, text[:SAMPLE_BYTES])
        else:
            held.count += 1

    def saw_extra(self, path: str, value: WireStruct) -> None:
        """Count the unknown members of one model."""
        if value.extra_ is not UNSET:
            for name, text in value.extra_.texts.items():
                self.saw_unknown(f"{path}.{name}", "member", name, read_json(text))

    def search(self, path: str, value: Any) -> None:
        """Count everything unknown in the answer, anew; walks the whole of it."""
        self._found = {}
        for found in iter_unknown(value):
            where = path + _general(found.path)
            self._count(self._found, where, found.kind, found.tag, found.sample)

    def replace_entries(self, issues: list[Issue], unknown: list[UnknownSeen]) -> None:
        """Have these entries and no others; for a checkpoint."""
        self._issues = {(issue.kind, issue.index): issue for issue in issues}
        self._unknown = {(seen.path, seen.tag): seen for seen in unknown}

    def __repr__(self) -> str:
        return (
            f"StreamReport(outcome={self.outcome!r}, interaction_id={self.interaction_id!r}, "
            f"events={self.events}, bytes={self.bytes}, issues={len(self._issues)}, "
            f"unknown={len(self.unknown)})"
        )


def _general(path: str) -> str:
    """`$.steps[3].content[0]` → `.steps[].content[]`."""
    head, *rest = path[1:].split("[")
    return head + "".join("[]" + part.partition("]")[2] for part in rest)


class UsageLedger:
    """The usage of one hop: each report is taken whole, the best one is kept.

    The terminal event's counts above all, else the latest that does not lack a member the held one
    has (a late report can be poorer). Absent, null and {} are no report; 0 is a number.
    """

    __slots__ = ("source", "usage")

    def __init__(self) -> None:
        self.usage: Usage | None = None
        self.source: UsageSource | None = None

    def offer(self, usage: object, source: UsageSource) -> None:
        """Take a report if it is the better one."""
        if not isinstance(usage, Usage):
            return
        members = _members(usage)
        if not members:
            return
        poorer = self.usage is not None and not members >= _members(self.usage)
        if source != "terminal" and (self.source == "terminal" or poorer):
            return
        self.usage = usage
        self.source = source


def _members(usage: Usage) -> set[str]:
    """The names that a usage report has a value for, unknown ones included."""
    names = {name for name in usage.__struct_fields__ if getattr(usage, name) is not UNSET}
    names.discard("extra_")
    if usage.extra_ is not UNSET:
        names.update(usage.extra_.texts)
    return names
