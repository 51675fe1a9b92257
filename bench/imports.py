"""What importing costs: each time in a process of its own, measured inside it.

The bare interpreter has started by then, so that its start is in none of the numbers. Processor
time is compared, for another process on the machine adds to wall time alone.
"""

from __future__ import annotations

import subprocess
import sys
from typing import Final, NamedTuple

from .timing import Result, compare

__all__ = ["IMPORTS", "import_cost", "imports"]

IMPORTS: Final = {
    "import msgspec": 1,
    "import gemwire": 1,
    "import gemwire; gemwire.decode_event": 1,
    "import pydantic; pydantic.BaseModel": 1,
    "import google.genai": 3,
}
"""Statement → in every how many rounds it runs."""

GOALS: Final = {"import gemwire": 2.0}

_CHILD: Final = """
import time
wall, cpu = time.perf_counter_ns(), time.process_time_ns()
{}
print(time.process_time_ns() - cpu, time.perf_counter_ns() - wall)
"""


class Cost(NamedTuple):
    """Nanoseconds."""

    cpu: int
    wall: int


def import_cost(statement: str) -> Cost:
    """Run a statement in a fresh interpreter, without the user's environment."""
    command = [sys.executable, "-I", "-W", "ignore", "-c", _CHILD.format(statement)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return Cost(*map(int, done.stdout.split()))


def imports(rounds: int = 15) -> list[Result]:
    """Processor time and wall time of each import, next to those of msgspec."""
    for statement in IMPORTS:
        import_cost(statement)  # so that the byte code is there
    costs = [
        {
            statement: import_cost(statement)
            for statement, every in IMPORTS.items()
            if number % every == 0
        }
        for number in range(rounds)
    ]
    cpu = [{name: cost.cpu for name, cost in values.items()} for values in costs]
    wall = [{name: cost.wall for name, cost in values.items()} for values in costs]
    return [
        *compare("import, processor time", cpu, "import", GOALS, "import msgspec"),
        *compare("import, wall time", wall, "import", {}, "import msgspec"),
    ]
