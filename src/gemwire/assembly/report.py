"""What happened on a stream: outcome, error, usage, and everything that was not as expected.

`StreamReport` is what callers see: a value, as of the moment it was asked for. `Findings` is what
the assembly writes while events come.
"""

from __future__ import annotations

from typing import Any, Final, Literal, TypeAlias

import msgspec

from ..codec.encode import encode
from ..codec.json import read_json
from ..codec.structs import Unknown, WireStruct
from ..codec.unknown import iter_unknown, unknown_texts
from ..models import Usage
from ..wire.error_body import ErrorInfo
from .usage import UsageSource, may_owe

__all__ = [
    "ISSUES",
    "MAX_ENTRIES",
    "OVERFLOW",
    "SAMPLE_BYTES",
    "Findings",
    "Issue",
    "ResumePoint",
    "StreamReport",
    "UnknownSeen",
]

UnknownKind: TypeAlias = Literal["union", "member", "value"]

MAX_ENTRIES: Final = 1000
"""Entries kept of `unknown` and of `issues`; what is beyond is counted under `OVERFLOW`."""

OVERFLOW: Final = "(more)"
SAMPLE_BYTES: Final = 512


class Issue(msgspec.Struct, frozen=True):
    """A known deviation from the order or the form of the wire, and what was done about it."""

    kind: str
    """One of `ISSUES`."""
    index: int | None
    """The step it happened to."""
    detail: str
    """What the first one looked like: the text of broken arguments, two values that differ, …"""
    count: int = 1
    offset: int | None = None
    """Of `damaged`: the byte of the stream at which the first such event begins. None if only
    events were pushed. With `resume=` it counts on from the responses before."""

    @property
    def meaning(self) -> str:
        """What the kind says, as a sentence."""
        return ISSUES.get(self.kind, self.kind)


ISSUES: Final[dict[str, str]] = {
    "after_end": "an event after the terminal one; folded all the same, unless it is for a call",
    "after_stop": "a delta or stop after the step's stop; folded, unless the step is a call",
    "arguments": "tool arguments that are no JSON object; they stay unset",
    "audio_data": "audio that is no base64, or by reference; it is a part of its own",
    "conflict": "a second value for a member; the later one stands",
    "created_again": "a second interaction.created with the same id; ignored",
    "damaged": "an event of this wire that could not be read; a piece of the answer may be missing",
    "dialect": "an event in the form of a gateway, or of the live socket in a stream; it was read",
    "event_name": "the SSE event name differs from event_type; event_type counts",
    "held_stands": "the answer was complete already; what came on a replay or resume is left out",
    "index_gap": "step indexes with a gap; the steps stand in order without a filler",
    "index_missing": "an event without an index; it counts for the step opened last",
    "invalid_utf8": "bytes that are no UTF-8; U+FFFD stands for them",
    "lone_surrogate": "half of a surrogate pair that found no other half; U+FFFD stands for it",
    "misplaced": "a delta that does not fit the kind of its step; it was left out",
    "never_stopped": "a step without a stop before the terminal event; it was closed by that",
    "not_terminal": "interaction.completed with a status that is not terminal",
    "no_number": "NaN or infinity, which no JSON has; the member is kept as unknown",
    "repeated": "an event of the same answer came again without `reopen()`; it was folded twice",
    "replay_differs": "a replay that went another way than what was held; the replay stands",
    "restarted": "the server began the answer again; what had come before was dropped",
    "second_id": "an interaction.created with another id; its steps go on as a further hop",
    "signature_conflict": "a second, different signature for a step; the later one stands",
    "start_again": "a second start of a step: ignored if it was the same and nothing came since, "
    "or if the step is an open call; else it is a new step after the last",
    "start_late": "a start after deltas of the step; its members are laid under them",
    "start_missing": "a delta of a step that never started; the step was opened by it",
    "steps_differ": "a lifecycle event carries other steps than were streamed; those stand",
    "stop_unopened": "a stop of a step that was never opened; ignored",
    "stray": "text outside of the events; left out",
    "too_deep": "an event nested as deep as the interpreter's stack; a part of it was left out",
    "torn": "an event that was cut off; left out",
    OVERFLOW: f"issues beyond the first {MAX_ENTRIES}",
}
"""Every kind of issue, and what is done about it."""


class UnknownSeen(msgspec.Struct, frozen=True):
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


class StreamReport(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict on a stream, as of the moment it was asked for.

    A value: it does not change when more events come, compares, and `to_dict()` and `encode()` take
    it.
    """

    outcome: str = "in_progress"
    """`in_progress` while bytes may come. Then the status of the terminal event as sent
    (`completed`, `requires_action`, `incomplete`, …, also one that is not known here), or `error`,
    or `truncated`. A stream is never `completed` unless the server said so.
    """
    unfinished: bool = False
    """The bytes are over and the run is not: a JSON body whose status is no end (`in_progress`,
    `queued`), which `outcome` has. It is to be asked for again, with `resume`."""
    damaged: int = 0
    """Events of this wire that could not be read: no JSON, or an end whose status is none. Text
    that is no event of this wire does not count."""
    error: ErrorInfo | None = None
    """The error event, or the error of a failed interaction; stays when the stream recovers."""
    interaction_ids: list[str] = []
    """The id of each hop, in order, each once; empty for `store: false`."""
    last_event_id: str | None = None
    """The `event_id` of the latest event of this hop that had one."""
    usage: Usage | None = None
    """The best report of tokens so far, taken whole; None while there is none."""
    usage_source: UsageSource | None = None
    """Where `usage` comes from; only `terminal` is what the server bills."""
    resume: ResumePoint | None = None
    """Where to go on if nothing more came: right at any time. None when there is nothing to go on
    with, or nothing left to ask for.
    """
    event_count: int = 0
    """Events taken in, unknown ones included."""
    byte_count: int = 0
    """Bytes of the stream, as far as they went through a parser or stream of this package."""
    stray: bytes = b""
    """Text outside of the events, the first 64 KiB."""
    issues: list[Issue] = []
    """What was not in order, one entry for each kind and step, in order of appearance."""
    unknown: list[UnknownSeen] = []
    """What the spec does not know, one entry for each place and tag."""

    @property
    def intact(self) -> bool:
        """Whether everything of this wire that came could be read; it says nothing of the end."""
        return self.damaged == 0

    @property
    def usage_owed(self) -> bool:
        """Whether it ended without its final counts, and a later read may have them.

        The server may add the usage to the stored interaction seconds after the end. False while it
        is not over, for an answer without an id, which cannot be read, and for one that `failed` or
        was `cancelled`, which need not have any.
        """
        stored = bool(self.interaction_ids)
        return stored and self.usage_source != "terminal" and may_owe(self.outcome)

    @property
    def interaction_id(self) -> str | None:
        """The id of the interaction, of its latest hop; None for `store: false`."""
        return self.interaction_ids[-1] if self.interaction_ids else None

    def __repr__(self) -> str:
        return (
            f"StreamReport(outcome={self.outcome!r}, interaction_id={self.interaction_id!r}, "
            f"event_count={self.event_count}, byte_count={self.byte_count}, "
            f"damaged={self.damaged}, "
            f"issues={len(self.issues)}, unknown={len(self.unknown)})"
        )


class _Entry:
    """One line of findings, and how often it was found."""

    __slots__ = ("count", "offset", "sample")

    def __init__(self, sample: Any, count: int = 1, offset: int | None = None) -> None:
        self.sample = sample
        self.count = count
        self.offset = offset


UnknownTable: TypeAlias = dict[tuple[str, UnknownKind, str | None], _Entry]


class Findings:
    """Issues and unknown things, counted as they come."""

    __slots__ = ("_found", "_issues", "_unknown", "unplaced")

    def __init__(self) -> None:
        self.unplaced: list[_Entry] = []  # damage of which no offset was said yet
        self._issues: dict[tuple[str, int | None], _Entry] = {}
        self._unknown: UnknownTable = {}  # in the events
        self._found: UnknownTable = {}  # in what came of them

    @property
    def issues(self) -> list[Issue]:
        """The issues so far."""
        return [
            Issue(*key, held.sample, held.count, held.offset) for key, held in self._issues.items()
        ]

    @property
    def unknown(self) -> list[UnknownSeen]:
        """The unknown things so far."""
        return self.in_events + self.in_answer

    @property
    def in_events(self) -> list[UnknownSeen]:
        """Those of the events themselves."""
        return _seen(self._unknown)

    @property
    def in_answer(self) -> list[UnknownSeen]:
        """Those that the last search found in what came of them."""
        return _seen(self._found)

    def issue(self, kind: str, index: int | None = None, detail: str = "") -> None:
        """Count an issue."""
        key = kind, index
        detail = detail[:SAMPLE_BYTES]
        if key not in self._issues and len(self._issues) >= MAX_ENTRIES:
            key = OVERFLOW, None
        held = self._issues.get(key)
        if held is not None:
            held.count += 1
            return
        self._issues[key] = held = _Entry(_sayable(detail))
        if kind == "damaged":
            self.unplaced.append(held)

    def place(self, offset: int) -> None:
        """Say where in the stream the damage is that was found last."""
        for held in self.unplaced:
            held.offset = offset
        self.unplaced.clear()

    def saw_unknown(self, path: str, kind: UnknownKind, tag: str | None, sample: Any) -> None:
        """Count something unknown in an event; `sample` is the value itself."""
        self._count(self._unknown, path, kind, tag, sample)

    def saw_extra(self, path: str, value: WireStruct) -> None:
        """Count the unknown members of one model."""
        for name, text in unknown_texts(value).items():
            self.saw_unknown(f"{path}.{name}", "member", name, read_json(text))

    def search(self, path: str, value: Any) -> None:
        """Count everything unknown in the answer, anew; walks the whole of it."""
        self._found = {}
        for found in iter_unknown(value):
            where = path + _general(found.path)
            self._count(self._found, where, found.kind, found.tag, found.sample)

    def _count(
        self, table: UnknownTable, path: str, kind: UnknownKind, tag: str | None, sample: Any
    ) -> None:
        key = _sayable(path), kind, tag if tag is None else _sayable(tag)
        if key not in table and len(self._unknown) + len(self._found) >= MAX_ENTRIES:
            key = OVERFLOW, kind, None
        held = table.get(key)
        if held is None:
            text = sample.json if isinstance(sample, Unknown) else encode(sample)
            table[key] = _Entry(text[:SAMPLE_BYTES])
        else:
            held.count += 1

    def restore(
        self, issues: list[Issue], in_events: list[UnknownSeen], in_answer: list[UnknownSeen]
    ) -> None:
        """Have these entries and no others."""
        self._issues = {
            (issue.kind, issue.index): _Entry(issue.detail, issue.count, issue.offset)
            for issue in issues
        }
        self._unknown = _table(in_events)
        self._found = _table(in_answer)


def _table(entries: list[UnknownSeen]) -> UnknownTable:
    return {(seen.path, seen.kind, seen.tag): _Entry(seen.sample, seen.count) for seen in entries}


def _seen(table: UnknownTable) -> list[UnknownSeen]:
    return [UnknownSeen(*key, held.sample, held.count) for key, held in table.items()]


def _sayable(text: str) -> str:
    """The text with U+FFFD for halves of surrogate pairs, so that a report can be written."""
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _general(path: str) -> str:
    """`$.steps[3].content[0]` → `.steps[].content[]`."""
    head, *rest = path[1:].split("[")
    return head + "".join("[]" + part.partition("]")[2] for part in rest)
