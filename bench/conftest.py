"""The fixture with which pytest-benchmark times one contestant of a case."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from functools import cache

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from .cases import CASES
from .contestants import Contestant
from .timing import settle

Time = Callable[[str, str], None]


@cache
def _contestant(case: str, name: str) -> Contestant:
    """The contestant, known to give the right answer."""
    contestant = CASES[case].contestants[name](CASES[case].stream())
    contestant.check()
    return contestant


@pytest.fixture
def time(benchmark: BenchmarkFixture) -> Iterator[Time]:
    """Time a contestant by the names of its case and its own; once for a slow one."""

    def timed(case: str, name: str) -> None:
        contestant = _contestant(case, name)
        settle()
        slow = "google" in name
        benchmark.group = CASES[case].title
        benchmark.pedantic(  # type: ignore[no-untyped-call]
            lambda run: run(),
            setup=lambda: ((contestant.prepare(),), {}),
            rounds=2 if slow else 30,
            warmup_rounds=0 if slow else 2,
        )
        benchmark.extra_info["events"] = contestant.events

    yield timed
    gc.unfreeze()
