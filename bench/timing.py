"""Times contestants against each other, on a machine that is neither steady nor idle.

**Invariant: what is compared was run side by side.** Contestants take turns, shuffled in each
round, and every ratio is taken within a round: a clock that halves its speed between two rounds
changes both sides of it. The median of these ratios is what goals are held against.

Times are processor time of the thread. In wall time a neighbour that takes the core away for 4 ms
makes a run of 3 ms look like one of 7, and it may do so to the same contestant each round.
"""

from __future__ import annotations

import gc
import random
from collections.abc import Mapping, Sequence
from statistics import median
from time import thread_time_ns
from typing import NamedTuple

from .cases import Case
from .contestants import Contestant

__all__ = ["Result", "compare", "race", "settle"]


class Result(NamedTuple):
    """One line of the table."""

    case: str
    contestant: str
    unit: str
    """What the times are for: an event, a stream, an import; bytes for memory."""
    least: float
    """The least of all rounds, in nanoseconds (or bytes) for each unit."""
    middle: float
    """The median of the rounds."""
    ratio: float
    """To the yardstick: the median of the ratios of each round."""
    ratio_of_least: float
    """To the yardstick: the least against the least."""
    goal: float | None = None

    def misses(self, tolerance: float = 0.0) -> bool:
        """Whether the goal is missed by more than a share of it."""
        return self.goal is not None and self.ratio > self.goal * (1 + tolerance)


def settle() -> None:
    """Take what is alive out of the collector's sight; it stays enabled for what is timed."""
    gc.collect()
    gc.freeze()


def compare(
    case: str,
    names: Sequence[str],
    rounds: Sequence[Mapping[str, float]],
    unit: str,
    goals: Mapping[str, float],
) -> list[Result]:
    """The results of rounds; each has a value for the first name, the yardstick, and for some."""
    yardstick = names[0]
    least_of_all = min(values[yardstick] for values in rounds)
    results: list[Result] = []
    for name in names:
        own = [values for values in rounds if name in values]
        least = min(values[name] for values in own)
        results.append(
            Result(
                case=case,
                contestant=name,
                unit=unit,
                least=least,
                middle=median(values[name] for values in own),
                ratio=median(values[name] / values[yardstick] for values in own),
                ratio_of_least=least / least_of_all,
                goal=goals.get(name),
            )
        )
    return results


def race(case: Case, *, seconds: float = 2.5, rounds: int | None = None) -> list[Result]:
    """Check every contestant, then let them take turns for about `seconds`.

    A contestant that takes more than 20 times as long as the yardstick runs less often, so that it
    takes no more than a third of the time; it still runs next to the yardstick.
    """
    stream = case.stream()
    contestants = {name: build(stream) for name, build in case.contestants.items()}
    for contestant in contestants.values():
        contestant.check()
    settle()
    try:
        return _race(case, contestants, seconds, rounds)
    finally:
        gc.unfreeze()


def _race(
    case: Case, contestants: Mapping[str, Contestant], seconds: float, rounds: int | None
) -> list[Result]:
    names = list(contestants)
    cost = {name: min(_once(one) for _ in range(2)) / 1e9 for name, one in contestants.items()}
    slow = [name for name in names if cost[name] > 20 * cost[names[0]]]
    share = seconds / 3 if slow else 0.0
    rounds = rounds or max(
        10, round((seconds - share) / sum(cost[name] for name in names if name not in slow))
    )
    every = {name: max(1, round(rounds * cost[name] * len(slow) / share)) for name in slow}

    timed: list[dict[str, float]] = []
    order, rng = list(names), random.Random(rounds)
    for number in range(rounds):
        rng.shuffle(order)  # so that none has always the same one before it
        values: dict[str, float] = {}
        for name in order:
            if number % every.get(name, 1) == 0:
                units = contestants[name].events if case.unit == "event" else 1
                values[name] = _once(contestants[name]) / units
        timed.append(values)
    return compare(case.title, names, timed, case.unit, case.goals)


def _once(contestant: Contestant) -> int:
    run = contestant.prepare()
    start = thread_time_ns()
    run()
    return thread_time_ns() - start
