"""The hops of one answer as one Interaction.

An answer that ran into a limit of the server ends with `requires_continuation`; the next call goes
on with it as an interaction of its own, with its own steps and its own usage. The rules are those
of the official client; where it loses something, it is said here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import UNSET
from msgspec.structs import replace

from .base import Extra, read_json
from .codec import encode
from .models import Interaction, Usage, UserInputStep
from .walk import fields

__all__ = ["join_continuations", "sum_usage"]

FROM_THE_FIRST = ("created", "input", "previous_interaction_id")
"""Members that say how the answer began; all others are those of the last hop."""

MERGED_BY = {
    "cached_tokens_by_modality": ("modality", "tokens"),
    "grounding_tool_count": ("type", "count"),
    "input_tokens_by_modality": ("modality", "tokens"),
    "output_tokens_by_modality": ("modality", "tokens"),
    "tool_use_tokens_by_modality": ("modality", "tokens"),
}
"""Lists of counts in `Usage`: what tells their entries apart, and what is counted."""


def join_continuations(interactions: Iterable[Interaction], /) -> Interaction:
    """Join the hops of one answer, in order; one alone is returned as it is.

    Steps are concatenated, without the `user_input` that later hops repeat at their beginning;
    nothing is glued across the seam. `usage` is summed, `created`, `input` and
    `previous_interaction_id` are the first hop's, everything else is the last one's. A last hop
    without steps does not cost those of the others (the official client loses them).

    Raises:
        ValueError: there is no interaction.

    Cost: the number of steps.
    """
    hops = list(interactions)
    if not hops:
        raise ValueError("no interactions to join")
    if len(hops) == 1:
        return hops[0]
    steps: list[Any] = list(hops[0].steps or ())
    for hop in hops[1:]:
        own = list(hop.steps or ())
        while own and isinstance(own[0], UserInputStep):
            del own[0]
        steps.extend(own)
    changes: dict[str, Any] = {name: getattr(hops[0], name) for name in FROM_THE_FIRST}
    changes["steps"] = steps if any(hop.steps is not UNSET for hop in hops) else UNSET
    usage = sum_usage([hop.usage for hop in hops])
    changes["usage"] = UNSET if usage is None else usage
    return replace(hops[-1], **changes)


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
    counts entry by entry; everything else is the last one's.
    """
    if held is None or new is None:
        return new if held is None else held
    total: dict[str, Any] = {}
    for usage in (held, new):
        for name in fields(Usage):
            value = getattr(usage, name)
            if value is not UNSET:
                total[name] = _added(name, total.get(name, UNSET), value)
    extra = {} if held.extra_ is UNSET else dict(held.extra_.texts)
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
