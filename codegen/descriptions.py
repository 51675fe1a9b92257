"""Our own words for schemas, members and operations, which no publication overwrites.

The file has two parts, `schemas` and `operations`. In each, what is described stands under its name
with its members or parameters below; what stands under `.` is said of the whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml

from .document import Schema, refers_to, schemas_of

__all__ = ["WHOLE", "describe", "described", "read_descriptions", "wanted"]

WHOLE: Final = "."

Texts = dict[str, dict[str, str]]


def read_descriptions(path: Path) -> dict[str, Texts]:
    """The file: `schemas` and `operations`."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    found: Any = yaml.load(path.read_text("utf-8"), loader)
    return {"schemas": found.get("schemas") or {}, "operations": found.get("operations") or {}}


def describe(document: Schema, path: Path) -> None:
    """Lay the descriptions of a file over those of a plain document, in place."""
    texts = read_descriptions(path)
    for name, schema in schemas_of(document).items():
        given = texts["schemas"].get(name, {})
        if WHOLE in given:
            schema["description"] = given[WHOLE]
        for member, keywords in schema.get("properties", {}).items():
            if member in given:
                keywords["description"] = given[member]
    for operation in _operations(document):
        given = texts["operations"].get(operation["operationId"], {})
        operation["summary"] = given.get(WHOLE, operation["summary"])
        for parameter in operation["parameters"]:
            if parameter["name"] in given:
                parameter["description"] = given[parameter["name"]]


def wanted(document: Schema, version: str | None = None) -> Iterator[tuple[str, str, str]]:
    """What a plain document has to describe: the part, the name, and the member or `.`."""
    for name, schema in schemas_of(document).items():
        if refers_to(schema) is None:
            yield "schemas", name, WHOLE
        for member, keywords in schema.get("properties", {}).items():
            if "const" not in keywords:
                yield "schemas", name, member
    for operation in _operations(document):
        yield "operations", operation["operationId"], WHOLE
        for parameter in operation["parameters"]:
            if parameter["name"] != version:
                yield "operations", operation["operationId"], parameter["name"]


def described(document: Schema, path: Path, version: str | None) -> tuple[list[str], list[str]]:
    """What of a plain document has no description, and which descriptions are of nothing."""
    texts = read_descriptions(path)
    places = list(wanted(document, version))
    missing = [
        f"{part}.{name}.{member}"
        for part, name, member in places
        if not texts[part].get(name, {}).get(member)
    ]
    orphaned = [
        f"{part}.{name}.{member}"
        for part, names in texts.items()
        for name, members in names.items()
        for member in members
        if (part, name, member) not in set(places)
    ]
    return missing, orphaned


def _operations(document: Schema) -> Iterator[Schema]:
    for item in document["paths"].values():
        yield from item.values()
