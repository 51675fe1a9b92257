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

_FIRST: Final = """import gemwire
gemwire.decode_event(b'{"index":0,"delta":{"text":"a","type":"text"}}', "step.delta")"""


class Import(NamedTuple):
    """Something to import, and in every how many rounds."""

    statement: str
    every: int = 1


IMPORTS: Final = {
    "import msgspec": Import("import msgspec"),
    "import gemwire": Import("import gemwire"),
    "gemwire.decode_event, not called": Import("import gemwire; gemwire.decode_event"),
    "gemwire, first delta decoded": Import(_FIRST),
    "pydantic.BaseModel": Import("import pydantic; pydantic.BaseModel"),
    "import google.genai": Import("import google.genai", every=3),
}
"""What is imported, the yardstick first. gemwire loads its modules when a name is first used, so
the lines after the first are what a program pays that uses it."""

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


def imports(rounds: int = 12) -> list[Result]:
    """Processor time and wall time of each import, next to those of msgspec."""
    for one in IMPORTS.values():
        import_cost(one.statement)  # so that the byte code is there
    costs = [
        {
            name: import_cost(one.statement)
            for name, one in IMPORTS.items()
            if number % one.every == 0
        }
        for number in range(rounds)
    ]
    cpu = [{name: cost.cpu for name, cost in values.items()} for values in costs]
    wall = [{name: cost.wall for name, cost in values.items()} for values in costs]
    return [
        *compare("import, processor time", list(IMPORTS), cpu, "import", GOALS),
        *compare("import, wall time", list(IMPORTS), wall, "import", {}),
    ]
