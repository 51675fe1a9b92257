"""OpenAPI documents: read, made one, and what the schemas in them say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

from .names import RESERVED, class_name, unused
from .notes import Notes, Refused, pointer
from .shape import METHODS, shaped
from .text import read_text

__all__ = [
    "METHODS",
    "REF",
    "TAGS",
    "Schema",
    "Schemas",
    "alternatives",
    "enum_of",
    "merged",
    "read",
    "refers_to",
    "renamed",
    "schemas_of",
    "tag_in",
    "tag_members",
    "takes_null",
]

Schema = dict[str, Any]
Schemas = dict[str, Schema]

REF: Final = "#/components/schemas/"
TAGS: Final = ("type", "event_type")
"""Members whose only value is a tag, also where no discriminator says so."""


def read(path: Path) -> Schema:
    """One document, JSON or YAML.

    Raises:
        Refused: it is none of OpenAPI 3.
    """
    document = read_text(path)
    if not isinstance(document, dict) or not str(document.get("openapi", "")).startswith("3."):
        raise Refused(f"{path.name}#/openapi", "no OpenAPI 3 document", "Convert it to OpenAPI 3")
    found: Schema = shaped(document, path.name)
    return found


def merged(documents: Iterable[tuple[str, Schema]]) -> Schema:
    """Several documents, each with its name, as one; references between them become local.

    Raises:
        Refused: two of them have a schema or an operation of one name.
    """
    found: Schema = {"openapi": "3.1.0", "paths": {}, "components": {"schemas": {}}}
    for name, document in documents:
        document = _local(document)
        for kind, parts in document.get("components", {}).items():
            held = found["components"].setdefault(kind, {})
            for part, value in parts.items() if isinstance(parts, dict) else ():
                if part in held and held[part] != value:
                    place = name + pointer("components", kind, part)
                    raise Refused(place, "a second one of this name", "Leave one of them out")
                held[part] = value
        for path, item in (document.get("paths") or {}).items():
            there = found["paths"].setdefault(path, {})
            for method, operation in item.items():
                if there.get(method, operation) != operation:
                    place = name + pointer("paths", path, method)
                    raise Refused(place, "a second one of this path", "Leave one of them out")
                there[method] = operation
    return found


def _local(node: Any) -> Any:
    """References to other files made local: all documents share one namespace."""
    if isinstance(node, dict):
        return {
            key: _local_ref(value) if key == "$ref" else _local(value)
            for key, value in node.items()
        }
    return [_local(item) for item in node] if isinstance(node, list) else node


def _local_ref(ref: Any) -> Any:
    return "#" + ref.partition("#")[2] if isinstance(ref, str) and "#" in ref else _local(ref)


# ---- what a schema says


def schemas_of(document: Schema) -> Schemas:
    """All schemas of a document."""
    found: Schemas = document["components"]["schemas"]
    return found


def refers_to(schema: Schema) -> str | None:
    """The name of the schema that `$ref` names, if that is what this is."""
    ref = schema.get("$ref")
    if not isinstance(ref, str):
        return None
    return unquote(ref.removeprefix(REF)).replace("~1", "/").replace("~0", "~")


def alternatives(schema: Schema) -> list[Schema]:
    """The members of a union; `[]` for anything else."""
    found: list[Schema] = schema.get("oneOf") or schema.get("anyOf") or []
    return found


def enum_of(schema: Schema) -> list[str] | None:
    """The values of an enum of texts, however it is written; None for anything else."""
    if schema.get("properties"):
        return None
    if isinstance(schema.get("enum"), list):
        given = [value for value in schema["enum"] if value is not None]
        return given if given and all(isinstance(v, str) for v in given) else None
    if "const" in schema:
        return [schema["const"]] if isinstance(schema["const"], str) else None
    found: list[str] = []
    for part in alternatives(schema):
        values = enum_of(part)
        if values is not None:
            found += values
        elif part.get("type") not in ("string", "null") or part.get("format") == "int64":
            return None
    return found or None


def takes_null(schema: Schema) -> bool:
    """Whether null is a value of it."""
    kinds = schema.get("type")
    return (
        bool(schema.get("nullable"))
        or kinds == "null"
        or (isinstance(kinds, list) and "null" in kinds)
        or any(part.get("type") == "null" for part in alternatives(schema))
        or (isinstance(schema.get("enum"), list) and None in schema["enum"])
    )


def tag_in(schema: Schema, members: Iterable[str] = TAGS) -> tuple[str, str] | None:
    """The tag member and its value (`("type", "text")`), if the schema is a tagged object."""
    properties = schema.get("properties") or {}
    for name in members:
        keywords = properties.get(name)
        if isinstance(keywords, dict) and "$ref" not in keywords:
            values = [keywords["const"]] if "const" in keywords else keywords.get("enum") or []
            if len(values) == 1 and isinstance(values[0], str):
                return name, values[0]
    return None


def tag_members(schemas: Schemas) -> tuple[str, ...]:
    """The members that are tags: those of all discriminators, and `TAGS`."""
    found = {
        node["discriminator"].get("propertyName")
        for node in _objects(list(schemas.values()))
        if isinstance(node.get("discriminator"), dict)
    }
    return (*sorted(name for name in found if isinstance(name, str) and name not in TAGS), *TAGS)


def _objects(node: Any) -> Iterator[Schema]:
    """Every JSON object in it."""
    if isinstance(node, dict):
        yield node
        node = list(node.values())
    for item in node if isinstance(node, list) else ():
        yield from _objects(item)


# ---- one way to say a thing


def renamed(document: Schema, notes: Notes) -> None:
    """Give each schema a name that a class can have, and each tag that only a mapping tells a
    constant; in place.
    """
    schemas = schemas_of(document)
    names: dict[str, str] = {}
    for name in sorted(schemas, key=lambda each: each.startswith("Unknown")):
        unions = [new for old, new in names.items() if alternatives(schemas[old])]
        others = (schemas.keys() - {name}) | {f"Unknown{union}" for union in unions}
        names[name] = new = unused(class_name(name), RESERVED | set(names.values()) | others)
        if new != name:
            notes.add("renamed", pointer("components", "schemas", name), f"`{name}` → `{new}`")
    for node in _objects(document):
        target = refers_to(node)
        if target in names and str(node["$ref"]).startswith(REF):
            node["$ref"] = REF + names[target]
        discriminator = node.get("discriminator")
        if isinstance(discriminator, dict) and discriminator.get("mapping"):
            for tag, ref in discriminator["mapping"].items():
                target = refers_to({"$ref": ref}) or ""
                discriminator["mapping"][tag] = REF + names.get(target, target)
    document["components"]["schemas"] = {names[name]: schema for name, schema in schemas.items()}
    for name, schema in list(schemas_of(document).items()):
        for node in _objects(schema):
            if isinstance(node.get("discriminator"), dict):
                _tag_by_mapping(schemas_of(document), node["discriminator"], name)


def _tag_by_mapping(schemas: Schemas, discriminator: Schema, union: str) -> None:
    member = discriminator.get("propertyName")
    for tag, ref in (discriminator.get("mapping") or {}).items():
        schema = schemas.get(refers_to({"$ref": ref}) or "", {})
        if not isinstance(schema.get("properties"), dict) or not isinstance(member, str):
            continue
        held = tag_in(schema, (member,))
        if held is not None and held[1] != tag:
            place = pointer("components", "schemas", union, "discriminator", "mapping", tag)
            what = f"{refers_to({'$ref': ref})} has the tag {held[1]!r} already"
            raise Refused(
                place, what, "Give each tag a schema of its own with `define` in an overlay"
            )
        schema["properties"][member] = {"type": "string", "const": tag}
