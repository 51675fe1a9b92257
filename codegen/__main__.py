"""`python -m codegen` writes what comes from spec/, `--check` fails if that is stale."""

from __future__ import annotations

import argparse
import difflib
import subprocess
import sys
import warnings
from pathlib import Path

from .coverage import generate_coverage
from .generate import generate
from .load import load
from .operations import generate_operations

ROOT = Path(__file__).resolve().parent.parent
SPEC = ROOT / "spec"
DOCUMENTS = ("interactions.openapi.yaml", "resources.openapi.yaml", "legacy.openapi.yaml")
PACKAGE = ROOT / "src" / "gemwire"
MODELS = PACKAGE / "models"
BY_HAND = {"src/gemwire/models/lazy.py", "src/gemwire/models/views.py"}


def ruff_format(source: str) -> str:
    """Format with the project's own settings."""
    command = [sys.executable, "-m", "ruff", "format", "--stdin-filename", "models.py", "-"]
    done = subprocess.run(command, input=source, capture_output=True, text=True, cwd=ROOT)
    if done.returncode:
        raise SystemExit(done.stderr)
    return done.stdout


def main(argv: list[str] | None = None) -> int:
    """Generate or check; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m codegen", description=__doc__)
    parser.add_argument("--check", action="store_true", help="show what is stale, write nothing")
    check = parser.parse_args(argv).check

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the generator's notes on formats it does not know
        models = generate([SPEC / name for name in DOCUMENTS], SPEC / "overlay.yaml")
    files = {f"src/gemwire/models/{name}": source for name, source in models.items()}
    document = load([SPEC / name for name in DOCUMENTS], SPEC / "overlay.yaml")
    files["src/gemwire/operations/generated.py"] = generate_operations(document)
    files["docs/coverage.md"] = generate_coverage(document)
    stale = {str(path.relative_to(ROOT)) for path in MODELS.glob("*.py")}
    stale -= BY_HAND | files.keys()
    MODELS.mkdir(exist_ok=True)
    for name, source in files.items():
        path = ROOT / name
        new = ruff_format(source) if path.suffix == ".py" else source
        old = path.read_text("utf-8") if path.exists() else ""
        if new == old:
            continue
        stale.add(name)
        if check:
            sys.stdout.writelines(
                difflib.unified_diff(
                    old.splitlines(True), new.splitlines(True), f"{name} (committed)", name
                )
            )
        else:
            path.write_text(new, "utf-8")
    if not stale:
        print("what is generated is up to date")
    elif check:
        print(f"stale: {', '.join(sorted(stale))} (run `make codegen`)")
        return 1
    else:
        print(f"wrote {', '.join(sorted(stale))}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
