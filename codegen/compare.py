"""What differs between two documents in plain form, entry by entry.

What says the same on the wire in two ways is no difference: a type that stands in its place, or
behind a name. A schema that only has another name is found by the places it stands in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from .alike import Names, about, facts, kind_of, short, tags_of
from .document import Schema, merged, renamed, schemas_of, tag_members
from .notes import Notes
from .paths import plain_paths
from .plain import plain
from .reduce import reduced

__all__ = ["CHANGES", "GROUPS", "Entry", "compared", "plain_form"]

GROUPS: Final = {
    "schemas": "what has a name",
    "members": "of schemas that both have",
    "required": "members that became required (+), or no longer are (-)",
    "enum values": "of enums that both have",
    "tags": "members of unions, by their tag; the parts of other unions",
    "operations": "by operationId",
    "parameters": "of operations that both have",
}
"""What is compared, in the order in which it is shown."""
CHANGES: Final = {"added": "+", "removed": "-", "changed": "~", "renamed": "="}


class Entry(NamedTuple):
    """One difference."""

    group: str
    change: str
    place: str
    old: str = ""
    new: str = ""


def plain_form(document: Schema) -> Schema:
    """One document, published or reduced, as what is compared: before anything is made wider.

    Raises:
        Refused: a construct that has no form.
    """
    notes = Notes()
    whole = merged([("", reduced(document))])
    renamed(whole, notes)
    paths = plain_paths(whole, notes)
    schemas = schemas_of(whole)
    return {
        "paths": paths,
        "components": {"schemas": plain(schemas, tag_members(schemas), notes)},
    }


def compared(old: Schema, new: Schema) -> list[Entry]:
    """All differences of two documents in plain form, by group and place."""
    names = Names(schemas_of(old), schemas_of(new))
    operations = list(_pairs_of_operations(_operations(old), _operations(new)))
    for _, (one, other) in operations:
        if one and other:
            names.align_all(_types_of(one), _types_of(other))
    names.settle()
    found = [*_schemas(names), *_all_operations(names, operations)]
    order = list(GROUPS)
    return sorted(set(found), key=lambda e: (order.index(e.group), e.place, e.old, e.new))


# ---- schemas


def _schemas(names: Names) -> Iterator[Entry]:
    old, new = names.old, names.new
    for name in new.keys() - names.taken:
        yield Entry("schemas", "added", name, "", about(new, name))
    for name in old.keys() - names.of.keys():
        yield Entry("schemas", "removed", name, about(old, name), "")
    for name, other in names.of.items():
        if name != other:
            yield Entry("schemas", "renamed", name, "", other)
        kinds = kind_of(old, name), kind_of(new, other)
        if kinds[0] == kinds[1]:
            yield from COMPARE[kinds[0]](names, name, other)
        elif "model" in kinds or not names.same(old[name], new[other]):
            yield Entry("schemas", "changed", other, about(old, name), about(new, other))


def _model(names: Names, name: str, other: str) -> Iterator[Entry]:
    one, two = names.old[name], names.new[other]
    further: Schema = {"*": {"type": "anything"}}
    mine = one["properties"] | (further if one.get("additionalProperties") else {})
    theirs = two["properties"] | (further if two.get("additionalProperties") else {})
    for member in theirs.keys() - mine.keys():
        word = "required " if member in two["required"] else ""
        text = word + short(theirs[member], {})
        yield Entry("members", "added", f"{other}.{member}", "", text)
    for member in mine.keys() - theirs.keys():
        yield Entry("members", "removed", f"{other}.{member}", names.short(mine[member]), "")
    for member in mine.keys() & theirs.keys():
        place = f"{other}.{member}"
        if not names.same(mine[member], theirs[member]):
            texts = names.short(mine[member]), short(theirs[member], {})
            yield Entry("members", "changed", place, *texts)
        required = member in one["required"], member in two["required"]
        if required[0] != required[1]:
            yield Entry("required", "added" if required[1] else "removed", place)


def _parts(group: str, place: str, mine: set[str], theirs: set[str]) -> Iterator[Entry]:
    for value in theirs - mine:
        yield Entry(group, "added", place, "", value)
    for value in mine - theirs:
        yield Entry(group, "removed", place, value, "")


def _enum(names: Names, name: str, other: str) -> Iterator[Entry]:
    mine, theirs = facts(names.old, name, {}), facts(names.new, other, {})
    yield from _parts("enum values", other, mine, theirs)


def _tagged(names: Names, name: str, other: str) -> Iterator[Entry]:
    mine, theirs = tags_of(names.old, name), tags_of(names.new, other)
    yield from _parts("tags", other, set(mine), set(theirs))
    for tag in mine.keys() & theirs.keys():
        held = names.of.get(mine[tag], mine[tag])
        if held != theirs[tag]:
            yield Entry("tags", "changed", f"{other} {tag!r}", held, theirs[tag])


def _union(names: Names, name: str, other: str) -> Iterator[Entry]:
    if not names.same(names.old[name], names.new[other]):
        mine, theirs = facts(names.old, name, names.of), facts(names.new, other, {})
        yield from _parts("tags", other, mine, theirs)


def _type(names: Names, name: str, other: str) -> Iterator[Entry]:
    one, two = names.old[name], names.new[other]
    if not names.same(one, two):
        yield Entry("schemas", "changed", other, names.short(one), short(two, {}))


COMPARE: Final = {
    "model": _model,
    "enum": _enum,
    "tagged union": _tagged,
    "union": _union,
    "another name": _type,
    "type": _type,
}


# ---- operations


def _operations(document: Schema) -> dict[str, Schema]:
    """The operations by their id, each with its method and path."""
    return {
        operation["operationId"]: {**operation, "at": f"{method.upper()} {path}"}
        for path, item in document["paths"].items()
        for method, operation in item.items()
    }


def _pairs_of_operations(
    old: dict[str, Schema], new: dict[str, Schema]
) -> Iterator[tuple[str, tuple[Schema | None, Schema | None]]]:
    """Both forms of each operation; one without its id in the other is known by its path."""
    gone = [operation for name, operation in old.items() if name not in new]
    for name, operation in new.items():
        found = old.get(name)
        if found is None:
            found = next((op for op in gone if _on_wire(op) == _on_wire(operation)), None)
            gone = [op for op in gone if op is not found]
        yield name, (found, operation)
    for operation in gone:
        yield operation["operationId"], (operation, None)


def _on_wire(operation: Schema) -> str:
    """Method and path without the names of its parameters, which are not sent."""
    return re.sub("{[^}]*}", "{}", operation["at"])


def _types_of(operation: Schema) -> list[Schema]:
    """The types that it sends and answers."""
    return [schema for _, schema in _bodies(operation)]


def _bodies(operation: Schema) -> Iterator[tuple[str, Schema]]:
    for form in operation.get("requestBody", {}).get("content", {}).values():
        yield "body", form["schema"]
    for kind, form in operation["responses"]["200"]["content"].items():
        schema = form.get("schema")
        word = "events" if "event-stream" in kind else "answer"
        yield word, schema if isinstance(schema, dict) else {}


def _all_operations(
    names: Names, operations: list[tuple[str, tuple[Schema | None, Schema | None]]]
) -> Iterator[Entry]:
    for name, (one, two) in operations:
        if one is None or two is None:
            found = one or two or {}
            texts = ("", found["at"]) if one is None else (found["at"], "")
            yield Entry("operations", "added" if one is None else "removed", name, *texts)
            continue
        if one["operationId"] != name:
            yield Entry("operations", "renamed", one["operationId"], "", name)
        yield from _operation(names, name, one, two)
        yield from _parameters(name, one, two)


def _operation(names: Names, name: str, one: Schema, two: Schema) -> Iterator[Entry]:
    if one["at"] != two["at"]:
        yield Entry("operations", "changed", name, one["at"], two["at"])
    mine, theirs = dict(_bodies(one)), dict(_bodies(two))
    for word in dict.fromkeys([*mine, *theirs]):
        held, new = mine.get(word), theirs.get(word)
        if held is None or new is None or not names.same(held, new):
            texts = (
                "" if held is None else names.short(held),
                "" if new is None else short(new, {}),
            )
            change = "added" if held is None else "removed" if new is None else "changed"
            yield Entry("operations", change, f"{name} {word}", *texts)
    needed = [op.get("requestBody", {}).get("required", False) for op in (one, two)]
    if "body" in mine and "body" in theirs and needed[0] != needed[1]:
        texts = ("optional", "required") if needed[1] else ("required", "optional")
        yield Entry("operations", "changed", f"{name} body", *texts)
    headers = [set(op["responses"]["200"].get("headers", {})) for op in (one, two)]
    yield from _parts("operations", f"{name} header", headers[0], headers[1])


def _parameters(name: str, one: Schema, two: Schema) -> Iterator[Entry]:
    mine, theirs = _by_place(one), _by_place(two)
    for key in mine.keys() | theirs.keys():
        held, new = mine.get(key), theirs.get(key)
        place = f"{name} {(new or held or {})['name']}"
        if held is None or new is None:
            texts = ("", _parameter(new)) if held is None else (_parameter(held), "")
            yield Entry("parameters", "added" if held is None else "removed", place, *texts)
        elif _parameter(held) != _parameter(new):
            yield Entry("parameters", "changed", place, _parameter(held), _parameter(new))


def _by_place(operation: Schema) -> dict[tuple[str, str], Schema]:
    """The parameters by their name; those in the path by their place in it, as no name is sent."""
    order = re.findall(r"{([^}]*)}", operation["at"])
    return {
        (p["in"], str(order.index(p["name"])) if p["in"] == "path" else p["name"]): p
        for p in operation["parameters"]
    }


def _parameter(given: Schema | None) -> str:
    """A parameter in a few words."""
    given = given or {}
    word = "required " if given["required"] and given["in"] != "path" else ""
    return f"{word}{given['in']} {short(given['schema'], {})}"
