"""`python -m bench.ratios`: the table of what gemwire costs beside its yardstick and its peers."""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import platform
import sys
from pathlib import Path
from typing import Any, Final

from .cases import CASES
from .imports import imports
from .memory import memory
from .timing import Result, race

__all__ = ["environment", "main", "measure", "table", "written_into"]

BEGIN: Final = "<!-- measured: begin (written by `python -m bench.ratios --write`) -->"
END: Final = "<!-- measured: end -->"
PEERS: Final = ("msgspec", "pydantic", "httpx-sse", "google-genai")


def measure(cases: list[str], seconds: float) -> list[Result]:
    """Run the cases asked for, `seconds` each, and say so on stderr."""
    results: list[Result] = []
    for name in cases:
        print(f"{name} …", file=sys.stderr)
        if name == "memory":
            results += memory()
        elif name == "import":
            results += imports()
        else:
            results += race(CASES[name], seconds=seconds)
    return results


def environment() -> dict[str, str]:
    """What the numbers depend on beside the code."""
    found = {"python": f"{platform.python_implementation()} {platform.python_version()}"}
    for name in PEERS:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "not installed"
    found["cpu"] = _cpu()
    found["system"] = platform.system()
    return found


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def table(results: list[Result], versions: dict[str, str], tolerance: float = 0.0) -> str:
    """One Markdown table, with what it was measured on above it."""
    lines = [
        ", ".join(
            value if name in ("python", "cpu", "system") else f"{name} {value}"
            for name, value in versions.items()
        )
        + ".",
        "",
        "| case | contestant | least | median | ratio | ratio of the least | goal | |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | --- |",
    ]
    case = ""
    for one in results:
        goal = mark = ""
        if one.goal is not None:
            goal, mark = f"{one.goal:.1f}", "**missed**" if one.misses(tolerance) else "met"
        lines.append(
            f"| {one.case if one.case != case else ''} | {one.contestant} "
            f"| {_amount(one.least, one.unit)} | {_amount(one.middle, one.unit)} "
            f"| {_ratio(one.ratio)} | {_ratio(one.ratio_of_least)} | {goal} | {mark} |"
        )
        case = one.case
    return "\n".join(lines) + "\n"


def _amount(value: float, unit: str) -> str:
    if unit == "bytes":
        return f"{value / 2**20:.1f} MiB"
    return f"{value:,.0f} ns" if unit == "event" else f"{value / 1e6:.1f} ms"


def _ratio(value: float) -> str:
    return f"{value:.2f}" if value < 100 else f"{value:,.0f}"


def written_into(text: str, measured: str) -> str:
    """The document with the part between the two markers replaced."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the document lacks the markers {BEGIN} and {END}")
    return f"{before}{begin}\n\n{measured}\n{end}{after}"


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, write; 1 if a goal is missed and `--check` was given."""
    every = [*CASES, "memory", "import"]
    parser = argparse.ArgumentParser(prog="python -m bench.ratios", description=__doc__)
    parser.add_argument("cases", nargs="*", metavar="case", help=f"default: all of {every}")
    parser.add_argument("--seconds", type=float, default=2.5, help="for each case (2.5)")
    parser.add_argument("--check", action="store_true", help="exit with 1 if a goal is missed")
    parser.add_argument(
        "--tolerance", type=float, default=0.0, help="share by which a goal may be missed (0)"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there too")
    parser.add_argument(
        "--write", type=Path, metavar="FILE", help="put the table between the markers of FILE"
    )
    options = parser.parse_args(arguments)
    cases: list[str] = options.cases or every
    if unknown := set(cases) - set(every):
        parser.error(f"no such case: {', '.join(sorted(unknown))}; there are {', '.join(every)}")
    if options.write:
        written_into(options.write.read_text(encoding="utf-8"), "")  # fail now, not afterwards

    results, versions = measure(cases, options.seconds), environment()
    measured = table(results, versions, options.tolerance)
    print(measured)
    if options.json:
        content: dict[str, Any] = {
            "environment": versions,
            "results": [one._asdict() for one in results],
        }
        options.json.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    if options.write:
        text = written_into(options.write.read_text(encoding="utf-8"), measured)
        options.write.write_text(text, encoding="utf-8")
    missed = [one for one in results if one.misses(options.tolerance)]
    for one in missed:
        print(f"missed: {one.case}: {one.contestant} {one.ratio:.2f} > {one.goal}", file=sys.stderr)
    return 1 if missed and options.check else 0


if __name__ == "__main__":
    sys.exit(main())
