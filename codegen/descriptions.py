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

__all__ = ["WHOLE", "describe", "described", "read_descriptions"]

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
        if (other := refers_to(schema)) is not None:
            schema["description"] = f"Another name of `{other}`."
        elif WHOLE in given:
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


def described(document: Schema, path: Path, version: str | None) -> tuple[list[str], list[str]]:
    """What of a document has no description, and which descriptions of the file are of nothing.

    Args:
        document: in plain form, with the descriptions.
        path: the file.
        version: the parameter of each path that needs none.
    """
    places = dict(_places(document, version))
    texts = read_descriptions(path)
    missing = [place for place, text in places.items() if not text]
    orphaned = [
        place
        for part, names in texts.items()
        for name, members in names.items()
        for member in members
        if (place := f"{part}.{name}.{member}") not in places
    ]
    return missing, orphaned


def _places(document: Schema, version: str | None) -> Iterator[tuple[str, str]]:
    """Everything that is to be described, and what is said of it."""
    for name, schema in schemas_of(document).items():
        if refers_to(schema) is None:
            yield f"schemas.{name}.{WHOLE}", schema.get("description", "")
        for member, keywords in schema.get("properties", {}).items():
            if "const" not in keywords:
                yield f"schemas.{name}.{member}", keywords.get("description", "")
    for operation in _operations(document):
        name = operation["operationId"]
        yield f"operations.{name}.{WHOLE}", operation["summary"]
        for parameter in operation["parameters"]:
            if parameter["name"] != version:
                yield f"operations.{name}.{parameter['name']}", parameter["description"]


def _operations(document: Schema) -> Iterator[Schema]:
    for item in document["paths"].values():
        yield from item.values()
