"""Corrections of a document: what the wire has and the publication does not.

Each correction has a reason, and none may outlive what it corrects: one without a target or without
an effect is stale, and stops the generator.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from .document import (
    METHODS,
    REF,
    Schema,
    Schemas,
    alternatives,
    refers_to,
    schemas_of,
    tag_in,
    tag_members,
)
from .shape import shaped

__all__ = ["OPERATIONS", "StaleOverlay", "apply", "operations"]


class StaleOverlay(ValueError):
    """A correction that names something the spec does not have, or that changes nothing."""


def apply(document: Schema, overlay: Any, name: str = "overlay") -> None:
    """Apply each correction of an overlay, in order.

    Args:
        document: what is corrected, in place.
        overlay: what stands in its file.
        name: of the file.

    Raises:
        Refused: a correction is not of the form that it has to have.
        StaleOverlay: one has no reason, no target or no effect.
    """
    for entry in shaped(overlay, name, "overlay").get("corrections", ()):
        if not str(entry.get("reason") or "").strip():
            raise StaleOverlay(f"a correction without a reason: {entry}")
        for operation, target in entry.items():
            if operation == "reason":
                continue
            if operation not in OPERATIONS:
                raise StaleOverlay(f"{operation!r} is none of {', '.join(OPERATIONS)}")
            OPERATIONS[operation](document, target)


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


def _optional(document: Schema, target: Schema) -> None:
    """Members are no longer required: those named, or all but the tag."""
    schemas = schemas_of(document)
    tags = tag_members(schemas)
    freed: set[str] = set()
    for _, schema in _targets(schemas, target):
        tag = tag_in(schema, tags)
        required = schema.get("required", [])
        keep = [name for name in required if tag and name == tag[0]]
        if "members" in target:
            keep = [name for name in required if name not in target["members"]]
        freed |= set(required) - set(keep)
        schema["required"] = keep
    if not freed or freed < set(target.get("members", [])):
        raise StaleOverlay(f"not required anyway: {target}")


def _add(document: Schema, target: Schema) -> None:
    """Members that the wire has and the schema does not; added only where they are missing."""
    schemas = schemas_of(document)
    new: set[str] = set()
    members = target.get("members", {})
    for _, schema in _targets(schemas, target):
        properties = schema.setdefault("properties", {})
        new |= members.keys() - properties.keys()
        for member, added in members.items():
            properties.setdefault(member, added)
    if not new or new < members.keys():
        raise StaleOverlay(f"already there: {target}")


def _change(document: Schema, target: Schema) -> None:
    """Keywords of existing members that are laid over what the spec has."""
    schemas = schemas_of(document)
    if not target.get("members"):
        raise StaleOverlay(f"no members: {target}")
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


def _alias(document: Schema, target: dict[str, str]) -> None:
    """A schema becomes another name of one that says more."""
    schemas = schemas_of(document)
    for name, other in target.items():
        if name not in schemas or other not in schemas:
            raise StaleOverlay(f"no schema {name!r} or {other!r}")
        if refers_to(schemas[name]) == other or name == other:
            raise StaleOverlay(f"{name} is {other} anyway")
        kept = {k: v for k, v in schemas[name].items() if k == "description"}
        schemas[name] = {"$ref": REF + other, **kept}


def _define(document: Schema, target: dict[str, Schema | str]) -> None:
    """Schemas that the spec does not have (any more), or has under another name, which is given."""
    schemas = schemas_of(document)
    for name, schema in target.items():
        if name in schemas:
            raise StaleOverlay(f"{name} is there anyway")
        schemas[name] = _named(schemas, schema)


def _named(schemas: Schemas, schema: Schema | str) -> Schema:
    if not isinstance(schema, str):
        return schema
    if schema not in schemas:
        raise StaleOverlay(f"no schema {schema!r}")
    return {"$ref": REF + schema, "description": f"Another name of `{schema}`."}


def _extend(document: Schema, target: Schema) -> None:
    """A tagged union has more members."""
    schemas = schemas_of(document)
    name, added = target.get("union", ""), target.get("members")
    union = schemas.get(name, {})
    if "discriminator" not in union or not added:
        raise StaleOverlay(f"no tagged union or no members: {target}")
    tags = (union["discriminator"].get("propertyName"),)
    parts = union.setdefault("anyOf" if union.get("anyOf") else "oneOf", [])
    known = {tag_in(schemas.get(refers_to(part) or "", {}), tags) for part in parts}
    for member in added:
        tag = tag_in(schemas.get(member, {}), tags)
        if tag is None:
            raise StaleOverlay(f"{member} has no tag that {name} is told apart by")
        if tag in known:
            raise StaleOverlay(f"{name} has {tag[1]!r} anyway")
        parts.append({"$ref": REF + member})
        union["discriminator"].setdefault("mapping", {})[tag[1]] = REF + member
        known.add(tag)


def operations(document: Schema) -> dict[str, list[tuple[str, str, Schema]]]:
    """Path, method and operation, by `operationId`; one that stands under several paths is several
    times there.
    """
    found: dict[str, list[tuple[str, str, Schema]]] = {}
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                identifier = item[method].get("operationId", f"{method} {path}")
                found.setdefault(identifier, []).append((path, method, item[method]))
    return found


def _operation(document: Schema, target: Schema) -> None:
    """What an operation answers (`streams`: the union of its events), and how its parameters and
    its body are sent (`parameters`: keywords by name; `body`: keywords).
    """
    known = operations(document)
    for identifier in target.get("ids") or [target.get("id")]:
        if identifier not in known:
            raise StaleOverlay(f"no operation {identifier!r}")
        for _, _, operation in known[identifier]:
            before = repr(operation)
            if "streams" in target:
                answers = operation.get("responses", {}).items()
                answer = next((a for status, a in answers if status[:1] in ("2", "d")), None)
                if answer is None:
                    raise StaleOverlay(f"{identifier} has no answer")
                events = {"schema": {"$ref": REF + target["streams"]}}
                answer.setdefault("content", {})["text/event-stream"] = events
            for given in operation.get("parameters", ()):
                given |= target.get("parameters", {}).get(given.get("name"), {})
            if "body" in target:
                operation["requestBody"] = operation.get("requestBody", {}) | target["body"]
            if repr(operation) == before:
                raise StaleOverlay(f"nothing changes in {identifier}")


def _leave_out(document: Schema, target: Schema) -> None:
    """Operations and schemas that nothing is to be generated for."""
    known = operations(document)
    for identifier in target.get("operations", ()):
        if identifier not in known:
            raise StaleOverlay(f"no operation {identifier!r}")
        for path, method, _ in known[identifier]:
            del document["paths"][path][method]
    for name in target.get("schemas", ()):
        if name not in schemas_of(document):
            raise StaleOverlay(f"no schema {name!r}")
        del schemas_of(document)[name]


OPERATIONS: Final[dict[str, Callable[[Schema, Any], None]]] = {
    "optional": _optional,
    "add": _add,
    "change": _change,
    "alias": _alias,
    "define": _define,
    "extend": _extend,
    "operation": _operation,
    "leave_out": _leave_out,
}
