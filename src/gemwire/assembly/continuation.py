"""The hops of one answer as one Interaction.

An answer that ran into a limit of the server ends with `requires_continuation`; the next call goes
on with it as an interaction of its own, with its own steps and its own usage. The rules are those
of the official client; where it loses something, it is said here.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msgspec import UNSET
from msgspec.structs import replace

from ..models import Interaction
from ..wire.normalise import without_leading_input
from .usage import sum_usage

FROM_THE_FIRST = ("created", "input", "previous_interaction_id")
"""Members that say how the answer began; all others are those of the last hop."""


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
        steps.extend(without_leading_input(list(hop.steps or ())))
    changes: dict[str, Any] = {name: getattr(hops[0], name) for name in FROM_THE_FIRST}
    changes["steps"] = steps if any(hop.steps is not UNSET for hop in hops) else UNSET
    usage = sum_usage([hop.usage for hop in hops])
    changes["usage"] = UNSET if usage is None else usage
    return replace(hops[-1], **changes)
