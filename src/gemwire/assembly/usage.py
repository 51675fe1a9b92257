"""Usage: the ledger of one interaction, and the sum over several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from ..codec.encode import encode
from ..codec.json import read_json
from ..codec.schema import fields
from ..codec.structs import Extra
from ..models import Usage
from ..models.views import is_terminal

UsageSource: TypeAlias = Literal["terminal", "step", "status", "metadata"]
"""Which event a report of usage came with; only that of the terminal one is what is billed."""


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


NEVER_OWED: Final = frozenset({"cancelled", "error", "failed", "truncated"})
"""Outcomes that need not come with usage, however long one waits; a cut is to be resumed."""


def may_owe(outcome: str | UnsetType) -> bool:
    """Whether an answer with this outcome is to have usage: it is owed where there is none."""
    return is_terminal(outcome) and outcome not in NEVER_OWED


def _members(usage: Usage) -> set[str]:
    """The names that a usage report has a value for, unknown ones included."""
    names = {name for name in usage.__struct_fields__ if getattr(usage, name) is not UNSET}
    names.discard("extra_")
    if usage.extra_ is not UNSET:
        names.update(usage.extra_.texts)
    return names


class UsageBefore(NamedTuple):
    """The usage of the hops before one."""

    total: Usage | None
    first: Usage | None
    """That of the first of them alone."""
    poorer: UsageSource | None
    """The latest source that is no terminal event."""
    lacking: bool
    """Whether one of them had none."""


MERGED_BY = {
    "cached_tokens_by_modality": ("modality", "tokens"),
    "grounding_tool_count": ("type", "count"),
    "input_tokens_by_modality": ("modality", "tokens"),
    "output_tokens_by_modality": ("modality", "tokens"),
    "tool_use_tokens_by_modality": ("modality", "tokens"),
}
"""Lists of counts in `Usage`: what tells their entries apart, and what is counted."""


def sum_usage(usages: Sequence[Any]) -> Usage | None:
    """The usage of several hops together; None if none has any."""
    present = [usage if isinstance(usage, Usage) else None for usage in usages]
    total: Usage | None = None
    for usage in present:
        total = add_usage(total, usage)
    return total if len(present) < 2 else with_initial(total, present[0])


def add_usage(held: Usage | None, new: Usage | None) -> Usage | None:
    """Add up two reports, save for `initial_input_tokens`; None if there is neither.

    Integers are summed over the hops that have them, members that no schema knows too, and lists of
    counts entry by entry; everything else is the last one's, and absent if that one has none.
    """
    if held is None or new is None:
        return new if held is None else held
    total: dict[str, Any] = {}
    for name in fields(Usage):
        value = _added(name, getattr(held, name), getattr(new, name))
        if value is not UNSET:
            total[name] = value
    before = {} if held.extra_ is UNSET else held.extra_.texts
    extra = {name: text for name, text in before.items() if _is_int(read_json(text))}
    for name, text in ({} if new.extra_ is UNSET else new.extra_.texts).items():
        one, two = read_json(extra.get(name, b"null")), read_json(text)
        extra[name] = encode(one + two) if _is_int(one) and _is_int(two) else text
    unknown = {name: text for name, text in extra.items() if name not in total}
    return Usage(**total, extra_=Extra(unknown) if unknown else UNSET)


def with_initial(total: Usage | None, first: Usage | None) -> Usage | None:
    """The sum, with what the first hop was given: each later one counts output as its input."""
    if total is None:
        return None
    initial: Any = UNSET
    if first is not None:
        initial = first.initial_input_tokens
        initial = first.total_input_tokens if initial is UNSET else initial
    return replace(total, initial_input_tokens=initial)


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _added(name: str, held: Any, new: Any) -> Any:
    if new is UNSET:
        return held if _is_int(held) or name in MERGED_BY else UNSET
    if _is_int(held) and _is_int(new):
        return held + new
    if name in MERGED_BY and isinstance(held, list) and isinstance(new, list):
        return _merged(held, new, *MERGED_BY[name])
    return new


def _merged(held: list[Any], new: list[Any], key: str, count: str) -> list[Any]:
    """Add the counts of entries that are of one kind."""
    merged = list(held)
    places = {getattr(entry, key): place for place, entry in enumerate(merged)}
    for entry in new:
        place = places.setdefault(getattr(entry, key), len(merged))
        if place == len(merged):
            merged.append(entry)
            continue
        values = (getattr(merged[place], count), getattr(entry, count))
        numbers = [value for value in values if value is not UNSET]
        if numbers:
            merged[place] = replace(merged[place], **{count: sum(numbers)})
    return merged
