"""What of a document nobody has decided on: members of unions, and operations, without a rule.

Which unions these are and which tables hold the rules is in `spec/decisions.toml`. The tables are
read as source, so that a rule can be missing before the models of a new publication are there.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import takewhile
from pathlib import Path
from typing import Any

from .alike import tags_of
from .config import Config
from .document import Schema, schemas_of
from .operations import functions

__all__ = ["Decision", "Undecided", "load_decisions", "undecided"]


@dataclass(frozen=True)
class Decision:
    """One kind of thing that somebody has to decide on."""

    what: str
    """What it is called."""
    tables: list[str]
    """Where the rules stand: `file.py:TABLE`, or a page with a table; the first is for new ones."""
    row: str
    """What to add there, with `{schema}`, `{tag}` or `{function}`."""
    how: str
    """What is to be decided, with the same names."""
    union: str | None = None
    """The union whose members they are; None for operations."""
    tags: str = ".*"
    """Which of its members: a regular expression for the whole tag."""


@dataclass(frozen=True)
class Undecided:
    """One thing that has no rule."""

    what: str
    name: str
    do: str
    """Which row to add to which table, and the line in which that ends."""
    how: str = ""

    def __str__(self) -> str:
        how = f" ({self.how})" if self.how else ""
        return f"{self.what} `{self.name}` has no rule: {self.do}{how}"


def load_decisions(path: Path) -> list[Decision]:
    """Read the file."""
    rows: list[dict[str, Any]] = tomllib.loads(path.read_text("utf-8"))["decide"]
    return [Decision(**row) for row in rows]


def undecided(
    document: Schema, decisions: list[Decision], config: Config, root: Path
) -> list[Undecided]:
    """What of a document in plain form has no rule.

    Args:
        document: all of it; a union that it does not have is undecided as well.
        decisions: what there is to decide.
        config: how functions of operations are named.
        root: the folder that the tables are in.

    Raises:
        LookupError: there is no such table.
    """
    found: list[Undecided] = []
    for decision in decisions:
        tables = [read_table(root, place) for place in decision.tables]
        known = {name for names, _ in tables for name in names}
        file, _, table = decision.tables[0].partition(":")
        where = f"{table or 'the table'} in {file}:{tables[0][1]}"
        for name, rule in _of_kind(document, decision, config):
            if known.isdisjoint(rule.values()):
                row = decision.row.format_map(rule)
                row = row if row.startswith("`") else f"`{row}`"
                how = decision.how.format_map(rule)
                found.append(Undecided(decision.what, name, f"add {row} to {where}", how))
    unions = dict.fromkeys(decision.union for decision in decisions if decision.union)
    do = "say in spec/decisions.toml which union has its members now"
    gone = [union for union in unions if union not in schemas_of(document)]
    return found + [Undecided("union", union, do) for union in gone]


def _of_kind(
    document: Schema, decision: Decision, config: Config
) -> Iterator[tuple[str, dict[str, str]]]:
    """What there is of this kind: its name on the wire, and the names it can have in a table."""
    if decision.union is None:
        for identifier, function in functions(document, config):
            yield identifier, {"function": function}
    for tag, schema in tags_of(schemas_of(document), decision.union or "").items():
        if re.fullmatch(decision.tags, tag):
            yield tag, {"tag": tag, "schema": schema}


def read_table(root: Path, place: str) -> tuple[frozenset[str], int]:
    """The names and texts that stand in a table, and the line in which it ends.

    Raises:
        LookupError: there is no such table.
    """
    file, _, table = place.partition(":")
    text = (root / file).read_text("utf-8")
    found = _in_source(text, table) if table else _in_page(text)
    if found is None:
        raise LookupError(f"no table {table} in {file}")
    return found


@cache
def _in_source(text: str, table: str) -> tuple[frozenset[str], int] | None:
    """Of what is assigned to the name of the table."""
    for node in ast.parse(text).body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if any(isinstance(target, ast.Name) and target.id == table for target in targets):
            return frozenset(_names_in(node)), node.end_lineno or node.lineno
    return None


def _in_page(text: str) -> tuple[frozenset[str], int] | None:
    """Of the first table of a page."""
    lines = text.splitlines()
    start = next((at for at, line in enumerate(lines) if line.startswith("|")), None)
    if start is None:
        return None
    rows = [*takewhile(lambda line: line.startswith("|"), lines[start:])]
    return frozenset(re.findall(r"`(\w+)`", "\n".join(rows))), start + len(rows)


def _names_in(node: ast.AST) -> Iterator[str]:
    for part in ast.walk(node):
        if isinstance(part, ast.Attribute):
            yield part.attr
        elif isinstance(part, ast.Name):
            yield part.id
        elif isinstance(part, ast.Constant) and isinstance(part.value, str):
            yield part.value
