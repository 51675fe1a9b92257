"""The OpenAPI document with the overlay laid over it: what the models are generated from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml

Schema = dict[str, Any]
Schemas = dict[str, Schema]

REF = "#/components/schemas/"


class StaleOverlay(Exception):
    """A correction that names something the spec does not have, or that changes nothing."""


def load(specs: list[Path], overlay: Path) -> Schema:
    """Read the documents as one and apply each correction of the overlay, in order.

    Each schema gets an `x-module`: its own, or that of its document. Raises `StaleOverlay` for a
    correction without a reason, without a target or without an effect, so that the overlay cannot
    outlive what it corrects.
    """
    merged: Schema = {}
    schemas: Schemas = {}
    for spec in specs:
        document = _local(yaml.safe_load(spec.read_text("utf-8")))
        for name, schema in document["components"]["schemas"].items():
            if name in schemas:
                raise ValueError(f"{spec.name} has a second schema {name}")
            schema.setdefault("x-module", document.get("x-module", "interactions"))
            schemas[name] = schema
        merged = merged or document
        merged["paths"] |= document["paths"]
    merged["components"]["schemas"] = schemas
    for entry in yaml.safe_load(overlay.read_text("utf-8"))["corrections"]:
        if not str(entry.get("reason") or "").strip():
            raise StaleOverlay(f"a correction without a reason: {entry}")
        for operation, target in entry.items():
            if operation != "reason":
                OPERATIONS[operation](schemas, target)
    return merged


def _local(node: Any) -> Any:
    """Make references to other documents local: all of them share one namespace."""
    if isinstance(node, dict):
        return {key: _local(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_local(item) for item in node]
    if isinstance(node, str) and ".yaml" + REF in node:
        return REF + node.partition(REF)[2]
    return node


def refers_to(schema: Schema) -> str | None:
    """The name of the schema that `$ref` names, if that is what this is."""
    ref = schema.get("$ref")
    return ref.removeprefix(REF) if ref else None


def alternatives(schema: Schema) -> list[Schema]:
    """The members of a union; `[]` for anything else."""
    found: list[Schema] = schema.get("oneOf") or schema.get("anyOf") or []
    return found


def tag_of(schema: Schema) -> tuple[str, str] | None:
    """The tag member and its value (`("type", "text")`), if the schema is a tagged object."""
    for name in ("type", "event_type"):
        const = schema.get("properties", {}).get(name, {}).get("const")
        if const is not None:
            return name, const
    return None


def _targets(schemas: Schemas, target: Schema) -> Iterator[tuple[str, Schema]]:
    """The object schemas that a correction names, by `schema`, `schemas` or `union`."""
    names = [target["schema"]] if "schema" in target else target.get("schemas", [])
    if "union" in target:
        names = [refers_to(member) for member in alternatives(schemas.get(target["union"], {}))]
    left_out = target.get("but", [])
    for name in [*names, *left_out] or [target.get("union")]:
        if name not in schemas or name not in names:
            raise StaleOverlay(f"no schema {name!r} in {target}")
        if name not in left_out:
            yield name, schemas[name]


def _optional(schemas: Schemas, target: Schema) -> None:
    """Members are no longer required: those named, or all but the tag."""
    freed: set[str] = set()
    for _, schema in _targets(schemas, target):
        tag = tag_of(schema)
        required = schema.get("required", [])
        keep = [name for name in required if tag and name == tag[0]]
        if "members" in target:
            keep = [name for name in required if name not in target["members"]]
        freed |= set(required) - set(keep)
        schema["required"] = keep
    if not freed or freed < set(target.get("members", [])):
        raise StaleOverlay(f"not required anyway: {target}")


def _add(schemas: Schemas, target: Schema) -> None:
    """Members that the wire has and the schema does not; added only where they are missing."""
    new: set[str] = set()
    for _, schema in _targets(schemas, target):
        properties = schema.setdefault("properties", {})
        new |= target["members"].keys() - properties.keys()
        for member, added in target["members"].items():
            properties.setdefault(member, added)
    if new < target["members"].keys():
        raise StaleOverlay(f"already there: {target}")


def _change(schemas: Schemas, target: Schema) -> None:
    """Keywords of existing members that are laid over what the spec has."""
    for name, schema in _targets(schemas, target):
        for member, change in target["members"].items():
            if member not in schema.get("properties", {}):
                raise StaleOverlay(f"no member {name}.{member}")
            old = schema["properties"][member]
            new = {k: v for k, v in old.items() if k == "description"} | change
            if "minimum" in change or "x-strict" in change:
                new = old | change
            if new == old:
                raise StaleOverlay(f"nothing changes in {name}.{member}")
            schema["properties"][member] = new


def _alias(schemas: Schemas, target: dict[str, str]) -> None:
    """A schema becomes another name of one that says more."""
    for name, other in target.items():
        if name not in schemas or other not in schemas:
            raise StaleOverlay(f"no schema {name!r} or {other!r}")
        if refers_to(schemas[name]) == other or name == other:
            raise StaleOverlay(f"{name} is {other} anyway")
        kept = {k: v for k, v in schemas[name].items() if k in ("description", "x-module")}
        schemas[name] = {"$ref": REF + other, **kept}


def _define(schemas: Schemas, target: dict[str, Schema | str]) -> None:
    """Schemas that the spec does not have (any more), or has under another name, which is given."""
    for name, schema in target.items():
        if name in schemas:
            raise StaleOverlay(f"{name} is there anyway")
        schemas[name] = {"x-module": "interactions", **_named(schemas, schema)}


def _named(schemas: Schemas, schema: Schema | str) -> Schema:
    if not isinstance(schema, str):
        return schema
    if schema not in schemas:
        raise StaleOverlay(f"no schema {schema!r}")
    module = schemas[schema]["x-module"]
    doc = f"Another name of `{schema}`."
    return {"$ref": REF + schema, "description": doc, "x-module": module}


def _extend(schemas: Schemas, target: Schema) -> None:
    """A tagged union has more members."""
    name, added = target["union"], target["members"]
    union = schemas.get(name, {})
    if "discriminator" not in union or not added:
        raise StaleOverlay(f"no tagged union or no members: {target}")
    known = {tag_of(schemas[ref]) for member in union["oneOf"] if (ref := refers_to(member))}
    for member in added:
        tag = tag_of(schemas.get(member, {}))
        if tag is None or tag[0] != union["discriminator"]["propertyName"]:
            raise ValueError(f"{member} has no tag that {name} is told apart by")
        if tag in known:
            raise StaleOverlay(f"{name} has {tag[1]!r} anyway")
        union["oneOf"].append({"$ref": REF + member})
        union["discriminator"].setdefault("mapping", {})[tag[1]] = REF + member
        known.add(tag)


OPERATIONS: dict[str, Callable[[Schemas, Any], None]] = {
    "optional": _optional,
    "add": _add,
    "change": _change,
    "alias": _alias,
    "define": _define,
    "extend": _extend,
}
