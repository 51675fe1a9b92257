"""A fresh interpreter that imports; the whole process is timed here, see `imports.py` for more."""

from __future__ import annotations

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from .imports import IMPORTS, import_cost


@pytest.mark.parametrize("name", IMPORTS)
def test_import(benchmark: BenchmarkFixture, name: str) -> None:
    benchmark.group = "import, whole process"
    cost = benchmark.pedantic(  # type: ignore[no-untyped-call]
        import_cost,
        args=(IMPORTS[name].statement,),
        rounds=2 if "google" in name else 5,
        warmup_rounds=1,
    )
    benchmark.extra_info["cpu_ns"] = cost.cpu
