"""Peak memory of reading a large image, by tracemalloc, which slows what it watches: never timed.

The chunks are there before the watch begins; what counts is what reading adds, the answer included.
"""

from __future__ import annotations

import gc
import tracemalloc
from typing import Final

from .cases import CASES
from .contestants import Contestant
from .timing import Result

__all__ = ["PEAK_GOAL", "memory", "peak_of"]

PEAK_GOAL: Final = 2.5
"""The most that assembling may take, in times of the payload."""


def peak_of(contestant: Contestant) -> int:
    """The most bytes that one run holds at a time, with what it returns."""
    run = contestant.prepare()
    gc.collect()
    tracemalloc.start()
    try:
        answer = run()
        peak = tracemalloc.get_traced_memory()[1]
        del answer
    finally:
        tracemalloc.stop()
    return peak


def memory() -> list[Result]:
    """Peaks of the contestants of the image case, in times of the image's payload."""
    case = CASES["image"]
    stream = case.stream()
    payload = max(map(len, stream.payloads))
    results: list[Result] = []
    for name, build in case.contestants.items():
        contestant = build(stream)
        contestant.check()
        peak = peak_of(contestant)
        results.append(
            Result(
                "16 MiB image, peak memory, ratio to the payload",
                name,
                "bytes",
                peak,
                peak,
                peak / payload,
                peak / payload,
                PEAK_GOAL if name == "gemwire.assemble" else None,
            )
        )
    return results
