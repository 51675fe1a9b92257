"""What type checkers know of gemwire: the files in tests/typing, under mypy and pyright."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent
FILES = sorted((ROOT / "tests" / "typing").glob("*.py"))

CHECKERS = {
    "mypy": ["--strict", "--warn-unreachable", "--no-error-summary", "--hide-error-context"],
    "pyright": [],
}

WRONG = """\
from typing import assert_type

from gemwire import Event, StepDelta, decode_event

def narrowed(event: Event) -> None:
    if event.event_type == "step.stop":
        assert_type(event, StepDelta)

assert_type(decode_event(b""), bytes)
"""


def check(checker: str, *files: Path) -> tuple[int, str]:
    """Run a checker with the project's settings; skips where it is not installed."""
    if importlib.util.find_spec(checker) is None:
        pytest.skip(f"{checker} is not installed (the extra `check`)")
    command = [sys.executable, "-m", checker, *CHECKERS[checker], *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("checker", CHECKERS)
def test_files_are_as_they_say(checker: str) -> None:
    assert FILES
    code, output = check(checker, *FILES)
    assert code == 0, output


@pytest.mark.parametrize("checker", CHECKERS)
def test_the_checker_finds_what_is_wrong(checker: str, tmp_path: Path) -> None:
    """The test of the test: it sees our types at all, and `assert_type` is no comment."""
    path = tmp_path / "wrong.py"
    path.write_text(WRONG)
    code, output = check(checker, path)
    assert code == 1
    assert set(re.findall(r"wrong\.py:(\d+).*error", output)) == {"7", "9"}, output
