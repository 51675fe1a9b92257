"""What a new publication changes, as a table or as JSON: `python -m codegen.diff OLD NEW`.

Both are OpenAPI documents, published or reduced. What is compared is what they say of the wire, not
how they say it. With an overlay also which of its corrections no longer apply; with a file of
decisions also what somebody has to decide on.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any, Final

import yaml

from .compare import CHANGES, GROUPS, Entry, compared, plain_form
from .config import Config, load_config
from .decisions import load_decisions, undecided
from .document import Schema, merged, read
from .notes import Refused
from .overlay import StaleOverlay, apply
from .text import read_text

__all__ = ["as_json", "as_table", "differences", "main"]

ROOT: Final = Path(__file__).resolve().parent.parent
CONFIG: Final = ROOT / "spec" / "codegen.toml"

OVERLAY: Final = "overlay"
DECIDE: Final = "to decide"
ALL_GROUPS: Final = {
    **GROUPS,
    OVERLAY: "corrections that no longer apply (-), or that did not and do now (+)",
    DECIDE: "what has no rule in the new document",
}
WIDEST: Final = 80
"""Characters of the first column; what is longer is cut, and whole in the JSON."""


def differences(
    old: Path, new: Path, overlay: Path | None = None, decisions: Path | None = None
) -> list[Entry]:
    """All differences, by group and place.

    Args:
        old: an OpenAPI document, published or reduced.
        new: another one.
        overlay: corrections, as they are laid over either.
        decisions: what there is to decide.

    Raises:
        Refused: one of the documents, or the overlay, cannot be read; the message names its file.
    """
    sides = [_Side(path, overlay) for path in (old, new)]
    found = compared(sides[0].plain, sides[1].plain)
    found += _corrections(overlay, sides[0].stale, sides[1].stale)
    if decisions is None:
        return found
    config = load_config(CONFIG)[1] if CONFIG.exists() else Config()
    mine, theirs = (
        undecided(side.corrected, load_decisions(decisions), config, ROOT) for side in sides
    )
    gone = {each for each in mine if each.what == "union"}  # an older document had none either
    for each in theirs:
        if each not in gone:
            found.append(Entry(DECIDE, "added", f"{each.what} {each.name}", "", each.do))
    return found


class _Side:
    """One document, as it is and corrected."""

    def __init__(self, path: Path, overlay: Path | None) -> None:
        document = merged([(path.name, read(path))])
        self.stale, corrected = _corrected(document, overlay)
        forms: list[Schema] = []
        refusals: list[Refused] = []
        for each in (document, corrected) if overlay else (document,):
            try:
                forms.append(plain_form(each))
            except Refused as refused:
                refusals.append(Refused(f"{path}{refused.place}", refused.what, refused.do))
        if not forms:
            raise refusals[0]
        # Corrections can make a document readable, and one can name what an older one has not.
        self.plain, self.corrected = forms[0], forms[-1]


def _corrected(document: Schema, overlay: Path | None) -> tuple[dict[int, str], Schema]:
    """Which corrections do not apply and why, and the document with all others."""
    stale: dict[int, str] = {}
    for number, correction in enumerate(_entries(overlay)):
        trial = deepcopy(document)
        try:
            apply(trial, {"corrections": [deepcopy(correction)]}, str(overlay))
        except StaleOverlay as error:
            stale[number] = str(error).partition("{")[0].removesuffix(" in ").rstrip(": ")
        else:
            document = trial
    return stale, document


def _entries(overlay: Path | None) -> list[Schema]:
    given: Any = read_text(overlay) if overlay else {}
    found: Any = given.get("corrections", []) if isinstance(given, dict) else None
    if not isinstance(found, list):
        raise Refused(f"{overlay}#/corrections", "no list", "Write one correction below the other")
    return found


def _corrections(overlay: Path | None, old: dict[int, str], new: dict[int, str]) -> Iterator[Entry]:
    """The corrections that apply to one of the documents alone, with their lines."""
    if overlay is None or not _entries(overlay):
        return
    root: Any = yaml.compose(overlay.read_text("utf-8-sig"), yaml.SafeLoader)
    marks: Any = next(v.value for k, v in root.value if k.value == "corrections")
    for number, correction in enumerate(_entries(overlay)):
        if (number in old) != (number in new):
            line = marks[number].start_mark.line + 1
            place = f"{overlay.name}:{line} {_named(correction)}"
            if number in new:
                yield Entry(OVERLAY, "removed", place, "applies", new[number])
            else:
                yield Entry(OVERLAY, "added", place, old[number], "applies")


def _named(correction: Schema) -> str:
    """A correction in a few words: what it does, to what."""
    operation = next((word for word in correction if word != "reason"), "")
    target: Any = correction.get(operation)
    if not isinstance(target, dict):
        return operation
    words = ("schema", "schemas", "union", "id", "ids", "operations")
    named = [target[word] for word in words if word in target] or [list(target)]
    texts = [each if isinstance(each, str) else ", ".join(map(str, each)) for each in named]
    members = target.get("members", ())
    return f"{operation} {' '.join(texts)}" + (f": {', '.join(members)}" if members else "")


# ---- what is printed


def counts(entries: Iterable[Entry]) -> dict[str, dict[str, int]]:
    """How many of each change there are, by group."""
    found = Counter((entry.group, entry.change) for entry in entries)
    return {group: {change: found[group, change] for change in CHANGES} for group in ALL_GROUPS}


def as_table(old: str, new: str, entries: list[Entry]) -> str:
    """The differences as text: how many there are, and each of them in a row."""
    if not entries:
        return f"{old} → {new}: no difference\n"
    lines = [f"{old} → {new}", ""]
    lines.append(f"{'':12}" + "".join(f"{change:>9}" for change in CHANGES))
    for group, numbers in counts(entries).items():
        if any(numbers.values()):
            lines.append(
                f"{group:12}" + "".join(f"{n or '':>9}" for n in numbers.values()).rstrip()
            )
    for group, meaning in ALL_GROUPS.items():
        rows = [entry for entry in entries if entry.group == group]
        if rows:
            width = min(max(len(row.place) for row in rows), WIDEST)
            lines += ["", f"{group}: {meaning}"]
            lines += [_row(row, width) for row in rows]
    return "\n".join(lines) + "\n"


def _row(entry: Entry, width: int) -> str:
    text = " → ".join(text for text in (entry.old, entry.new) if text)
    text = f"now {text}" if entry.change == "renamed" else text
    place = entry.place if len(entry.place) <= width else entry.place[: width - 1] + "…"
    return f"  {CHANGES[entry.change]} {place:{width}}  {text}".rstrip()


def as_json(old: str, new: str, entries: list[Entry]) -> str:
    """The differences as JSON: `old`, `new`, `counts`, and `changes` as objects."""
    found = {
        "old": old,
        "new": new,
        "counts": counts(entries),
        "changes": [entry._asdict() for entry in entries],
    }
    return json.dumps(found, indent=1, ensure_ascii=False) + "\n"


def main(argv: list[str] | None = None) -> int:
    """Print the differences of two documents; 1 if one of them cannot be read."""
    parser = argparse.ArgumentParser(prog="python -m codegen.diff", description=__doc__)
    parser.add_argument("old", type=Path, metavar="OLD", help="an OpenAPI 3 document")
    parser.add_argument("new", type=Path, metavar="NEW", help="a newer one")
    parser.add_argument("--overlay", type=Path, metavar="FILE", help="the corrections of either")
    parser.add_argument("--decisions", type=Path, metavar="FILE", help="what there is to decide")
    parser.add_argument("--json", action="store_true", help="print JSON in place of a table")
    given = parser.parse_args(argv)
    try:
        entries = differences(given.old, given.new, given.overlay, given.decisions)
    except (Refused, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    write = as_json if given.json else as_table
    sys.stdout.write(write(str(given.old), str(given.new), entries))
    return 0


if __name__ == "__main__":
    sys.exit(main())
