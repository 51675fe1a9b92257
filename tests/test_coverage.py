"""docs/coverage.md has a row for everything that the API reference names, and its tests exist."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from gemwire import models, operations
from tests.strategies import STRUCTS

ROOT = Path(__file__).resolve().parent.parent
WIRE = Path(os.environ.get("GEMWIRE_WIRE", ROOT.parent / "shared" / "wire"))
PAGE = (ROOT / "docs" / "coverage.md").read_text("utf-8")
SCHEMAS = re.findall(r"^\| (\w+)(?: \(([\w.]+)\))? \| `(\w+)` \| ([^|]+) \| (.+) \|$", PAGE, re.M)
OPERATIONS = re.findall(r"^\| (\w+) \| `(\w+)` \| `(tests/\w+\.py)` \|$", PAGE, re.M)


def test_each_row_names_what_is_there() -> None:
    assert len(SCHEMAS) > 353
    assert len(OPERATIONS) == 40
    for name, _, _, kind, test in SCHEMAS:
        assert hasattr(models, name)
        assert (kind == "model") == (f"[{name}]" in test)
        assert (kind == "model" or kind.startswith("another name")) or name not in STRUCTS
        assert kind != "model" or name in STRUCTS
    for _, function, test in OPERATIONS:
        assert callable(getattr(operations, function))
        assert (ROOT / test).exists()


@pytest.mark.skipif(not WIRE.exists(), reason="no facts of the wire at hand (see GEMWIRE_WIRE)")
def test_everything_that_the_reference_names_has_a_row() -> None:
    """Spellings differ between pages: one of those that a row of the table gives must be there."""
    facts = (WIRE / "coverage.md").read_text("utf-8")
    table = facts.partition("## Table")[2]
    named = [row.split("|")[1] for row in table.splitlines() if row.startswith("| ")]
    cells = [cell for cell in named if not cell.startswith((" schema", "---"))]
    spellings = [re.findall(r"\w+", cell) for cell in cells]
    have = {name for name, *_ in SCHEMAS} | {other for _, other, *_ in SCHEMAS}
    assert len(spellings) > 100
    assert [row for row in spellings if not have & set(row)] == []

    paragraph = facts.partition("## Operations named in the pages")[2].partition("\n## ")[0]
    identifiers = {identifier for identifier, *_ in OPERATIONS}
    found = set(re.findall(r"\w+(?:Webhooks?|Interaction|InteractionById|Secret)\b", paragraph))
    assert len(found) >= 11
    assert found <= identifiers
