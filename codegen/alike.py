"""What the types of a plain document say, and which schemas of two documents are the same one."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from difflib import SequenceMatcher
from typing import Final

from .document import Schema, Schemas, alternatives, enum_of, refers_to, takes_null

__all__ = ["Names", "about", "facts", "kind_of", "short", "tags_of"]

DEEPEST: Final = 5
"""How many names one behind the other are looked behind; they may lead to themselves."""
SIZES: Final = {"model": "member", "enum": "value", "tagged union": "tag", "union": "part"}


# ---- what a type says


def _text(behind: Schemas, schema: Schema, names: Mapping[str, str]) -> str:
    """A type as text.

    Args:
        behind: schemas that are shown as what they are, and not by their name.
        schema: the type.
        names: what schemas are called in the other document.
    """
    return " | ".join(sorted(_options(behind, schema, names, DEEPEST)))


def _options(behind: Schemas, schema: Schema, names: Mapping[str, str], depth: int) -> set[str]:
    """What stands between the `|` of a type."""

    def inside(part: Schema) -> str:
        options = sorted(_options(behind, part, names, depth))
        return options[0] if len(options) == 1 else f"({' | '.join(options)})"

    if name := refers_to(schema):
        if name in behind and depth:
            return _options(behind, behind[name], names, depth - 1)
        return {names.get(name, name)}
    if "const" in schema or "enum" in schema:
        return {json.dumps(value) for value in schema.get("enum", [schema.get("const")])}
    if parts := alternatives(schema):
        found = {"null"} if takes_null(schema) else set[str]()
        return found.union(*(_options(behind, part, names, depth) for part in parts))
    kind = schema.get("type", "anything")
    if kind == "array":
        return {f"array of {inside(schema.get('items', {}))}"}
    if kind == "object" and isinstance(more := schema.get("additionalProperties"), dict):
        return {f"object of {inside(more)}"}
    return {f"{kind} ({schema['format']})" if "format" in schema else str(kind)}


def short(schema: Schema, names: Mapping[str, str]) -> str:
    """A type as text, with the names that it has in the document."""
    return _text({}, schema, names)


def tags_of(schemas: Schemas, name: str) -> dict[str, str]:
    """The tags of a union of objects that one member tells apart, and their schemas; `{}` for
    anything else.
    """
    found: dict[str, str] = {}
    kinds: set[str] = set()
    for leaf in _leaves(schemas, schemas.get(name, {}), set()):
        members = schemas[leaf].get("properties", {}) if leaf in schemas else {}
        # In plain form no other member is a constant.
        tag = next(((m, k["const"]) for m, k in members.items() if "const" in k), None)
        if tag is None or leaf is None:
            return {}
        kinds.add(tag[0])
        found[tag[1]] = leaf
    return found if len(kinds) == 1 else {}


def _leaves(schemas: Schemas, schema: Schema, seen: set[str]) -> Iterator[str | None]:
    """The objects of a union, those of unions in it too; None for anything else."""
    for part in alternatives(schema):
        name = refers_to(part)
        target = part if name is None else schemas.get(name, {})
        if name is not None and "properties" in target:
            yield name
        elif name in seen or part == {"type": "null"}:
            continue
        elif alternatives(target) or refers_to(target):
            seen |= {name} if name else set()
            yield from _leaves(
                schemas, target if alternatives(target) else {"anyOf": [target]}, seen
            )
        else:
            yield None


def kind_of(schemas: Schemas, name: str) -> str:
    """What a schema is."""
    schema = schemas[name]
    if "properties" in schema:
        return "model"
    if enum_of(schema) is not None:
        return "enum"
    if alternatives(schema):
        return "tagged union" if tags_of(schemas, name) else "union"
    return "another name" if refers_to(schema) else "type"


def _scalars(schemas: Schemas) -> Schemas:
    """Other names, and names of scalars, arrays and free objects."""
    return {n: s for n, s in schemas.items() if not alternatives(s) and "properties" not in s}


def _classless(schemas: Schemas) -> Schemas:
    """Those that have no class in Python."""
    return {n: s for n, s in schemas.items() if "properties" not in s}


def facts(schemas: Schemas, name: str, names: Mapping[str, str]) -> set[str]:
    """What there is of it to compare: members, values, tags, parts."""
    schema = schemas[name]
    kind = kind_of(schemas, name)
    if kind == "model":
        return set(schema["properties"])
    if kind == "enum":
        return set(enum_of(schema) or ())
    if kind == "tagged union":
        return set(tags_of(schemas, name))
    behind = _scalars(schemas)
    return {_text(behind, part, names) for part in alternatives(schema) or [schema]}


def about(schemas: Schemas, name: str) -> str:
    """A schema in a few words."""
    kind = kind_of(schemas, name)
    if kind not in SIZES:
        return f"{kind}: {short(schemas[name], {})}"
    size = len(facts(schemas, name, {}))
    return f"{kind}, {size} {SIZES[kind]}{'s' * (size != 1)}"


# ---- which schemas are the same


class Names:
    """Which schema of the new document is which of the old one."""

    def __init__(self, old: Schemas, new: Schemas) -> None:
        self.old = old
        self.new = new
        # What is looked behind where the names of two types differ. Unions only at last: two that
        # grew are the same type all the same.
        self.behind = [(_scalars(old), _scalars(new)), (_classless(old), _classless(new))]
        self.of = {name: name for name in old if name in new}
        self.waiting = sorted(self.of)
        self.taken = set(self.of)

    def settle(self) -> None:
        """Follow all pairs into what they have in common, until no further one is found."""
        while self.waiting:
            name = self.waiting.pop(0)
            one, other = self.old[name], self.new[self.of[name]]
            if "properties" in one and "properties" in other:
                for member in sorted(one["properties"].keys() & other["properties"].keys()):
                    self.align(one["properties"][member], other["properties"][member])
            mine, theirs = tags_of(self.old, name), tags_of(self.new, self.of[name])
            for tag in sorted(mine.keys() & theirs.keys()):
                self.pair(mine[tag], theirs[tag])
            if "properties" not in one and "properties" not in other:
                self.align(one, other)

    def align(self, old: Schema, new: Schema) -> None:
        """Two types that stand in the same place."""
        one, other = refers_to(old), refers_to(new)
        if one and other:
            self.pair(one, other)
        elif alternatives(old) or alternatives(new):
            mine, theirs = alternatives(old) or [old], alternatives(new) or [new]
            self.align_all(mine, theirs)
        else:
            for word in ("items", "additionalProperties"):
                if isinstance(old.get(word), dict) and isinstance(new.get(word), dict):
                    self.align(old[word], new[word])

    def align_all(self, old: list[Schema], new: list[Schema]) -> None:
        """The parts of two unions: the two that are most alike, and so on."""
        pairs = [(self.likeness(a, b), i, j) for i, a in enumerate(old) for j, b in enumerate(new)]
        done: tuple[set[int], set[int]] = set(), set()
        for likeness, i, j in sorted(pairs, key=lambda pair: (-pair[0], pair[1:])):
            if likeness and i not in done[0] and j not in done[1]:
                done[0].add(i)
                done[1].add(j)
                self.align(old[i], new[j])

    def likeness(self, old: Schema, new: Schema) -> float:
        one, other = refers_to(old), refers_to(new)
        if one and other:
            return 3 if self.of.get(one) == other else self.name_likeness(one, other)
        return float(not one and not other and old.get("type") == new.get("type"))

    def pair(self, old: str, new: str) -> None:
        if self.name_likeness(old, new):
            self.of[old] = new
            self.taken.add(new)
            self.waiting.append(old)

    def name_likeness(self, old: str, new: str) -> float:
        """How alike are what a name that is gone and one that is there now stand for; 0 if they
        cannot be the same. Of a name that both have, all must be the same.
        """
        if old in self.of or old not in self.old or new not in self.new:
            return 0
        if kind_of(self.old, old) != kind_of(self.new, new):
            return 0
        mine, theirs = facts(self.old, old, self.of), facts(self.new, new, {})
        shared = len(mine & theirs)
        if (new in self.taken and mine != theirs) or 2 * shared < min(len(mine), len(theirs)):
            return 0
        return shared / len(mine | theirs) + SequenceMatcher(None, old, new).ratio()

    def same(self, old: Schema, new: Schema) -> bool:
        """Whether two types say the same, whatever stands behind a name."""
        return self.short(old) == short(new, {}) or any(
            _text(mine, old, self.of) == _text(theirs, new, {}) for mine, theirs in self.behind
        )

    def short(self, old: Schema) -> str:
        return short(old, self.of)
