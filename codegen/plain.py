"""The schemas of a published document, in the plain form that the models are written from.

A publication says the same thing in many ways: enums and objects stand inside of members, an open
enum is a string beside constants, a tag is told by a discriminator or not, several schemas are one.
Here each of these becomes one form: whatever needs a name in Python is a schema of its own, behind
the one it stood in, and an enum is `anyOf: [{enum: […]}, {type: string}]`, as a newer server knows
newer values. What the unions come to, when all schemas are there, is in `unions.py`.

Where a type cannot be as narrow as the document has it, it is wider, and a note says so. What has
no form at all is refused, with its place.
"""

from __future__ import annotations

from typing import Any, Final

from .document import (
    REF,
    Schema,
    Schemas,
    alternatives,
    enum_of,
    refers_to,
    tag_in,
    takes_null,
)
from .names import RESERVED, class_name, is_member, unused
from .notes import Notes, Refused, pointer

__all__ = ["plain"]

REFUSED_WORDS: Final = """
    $anchor $defs $dynamicRef contains dependentRequired dependentSchemas else if not
    patternProperties prefixItems propertyNames then unevaluatedItems unevaluatedProperties
    """.split()  # noqa: SIM905
UNCHECKED: Final = """
    exclusiveMaximum exclusiveMinimum maxItems maxLength maxProperties maximum minItems minLength
    minProperties minimum multipleOf pattern uniqueItems
    """.split()  # noqa: SIM905
KEPT: Final = ("description", "deprecated", "readOnly", "writeOnly", "x-module", "x-table-name")
ANYTHING: Final[Schema] = {"type": "object", "additionalProperties": True}
PYTHON_KINDS: Final[dict[type, str]] = {
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
}
INSTEAD: Final = "Put a simpler schema in its place with `change` in an overlay"


def plain(schemas: Schemas, tags: tuple[str, ...], notes: Notes) -> Schemas:
    """All schemas in plain form, but for the unions, which are `anyOf` of their parts.

    Args:
        schemas: as published, with names that Python takes.
        tags: names of members whose only value is a tag.
        notes: what is not as it stands there.

    Raises:
        Refused: a construct that has no form.
    """
    state = _Plain(schemas, tags, notes)
    for name, schema in schemas.items():
        state.define(name, schema, pointer("components", "schemas", name))
    return state.out


class _Plain:
    def __init__(self, schemas: Schemas, tags: tuple[str, ...], notes: Notes) -> None:
        self.schemas = schemas
        self.tags = tags
        self.notes = notes
        self.out: Schemas = {}
        self.resolving: list[str] = []
        # Inline schemas whose parts are being looked at, by identity: an `allOf` can have one in
        # itself. The documents hold them, so that no identity is given twice.
        self.inside: dict[int, str] = {}

    # ---- a schema with a name

    def define(self, name: str, schema: Any, place: str) -> None:
        self.out[name] = {}  # before those inside of it
        schema = self.checked(schema, place)
        kept = {k: v for k, v in schema.items() if k in KEPT}
        self.out[name] = {**self.definition(name, schema, place), **kept}

    def definition(self, name: str, schema: Schema, place: str) -> Schema:
        if schema.get("properties"):
            return self.members(name, schema, place)
        if (values := enum_of(schema)) is not None:
            return _open_enum(values)
        if alternatives(schema):
            return self.union(name, schema, place)
        return self.typed(schema, name, place)

    def members(self, name: str, schema: Schema, place: str) -> Schema:
        """An object with members, which becomes a Struct."""
        self.refuse_union(schema, place)
        tag = tag_in(schema, tuple(filter(is_member, self.tags)))
        properties: Schemas = {}
        more = schema.get("additionalProperties")
        for member, given in schema["properties"].items():
            at = place + pointer("properties", member)[1:]
            if not is_member(member):
                self.notes.add("loosened", at, "kept as it comes: msgspec calls no member that")
                more = True
                continue
            if tag and member == tag[0]:
                found: Schema = {"type": "string", "const": tag[1]}
            else:
                found = self.inline(given, name + class_name(member), at)
            given = given if isinstance(given, dict) else {}
            words = ("description", "x-strict") + (("minimum",) if "x-strict" in given else ())
            properties[member] = {**found, **{k: given[k] for k in words if k in given}}
        for member in schema.get("required", ()):
            if member not in schema["properties"]:
                self.notes.add("left out", f"{place}/required", f"`{member}`, which is no property")
        required = [member for member in schema.get("required", ()) if member in properties]
        if tag and tag[0] not in required:
            required.insert(0, tag[0])  # what it is always has
        found = {"type": "object", "required": required, "properties": properties}
        if not properties:
            return ANYTHING
        if more not in (None, False):
            found["additionalProperties"] = True
            if isinstance(more, dict) and more.keys() - {"description"}:
                text = "further members are kept as they come, of whatever type"
                self.notes.add("loosened", f"{place}/additionalProperties", text)
        return found

    def refuse_union(self, schema: Schema, place: str) -> None:
        """`anyOf: [{required: [a]}, {required: [b]}]` beside members is all that passes."""
        for word in ("oneOf", "anyOf"):
            if any(part.keys() - {"required", "title"} for part in schema.get(word, ())):
                raise Refused(
                    f"{place}/{word}",
                    "a union of objects that has members of its own",
                    "Give each of its objects all of them, with `add` and `change` in an overlay",
                )
            if schema.get(word):
                self.notes.add("loosened", f"{place}/{word}", "which are required is not checked")

    def union(self, name: str, schema: Schema, place: str) -> Schema:
        """A union, as its parts; the texts of an enum among them are one part."""
        word = "oneOf" if schema.get("oneOf") else "anyOf"
        values: list[str] = []
        parts: list[Schema] = []
        for at, member in enumerate(schema[word]):
            where = f"{place}/{word}/{at}"
            texts = enum_of(member) if isinstance(member, dict) else None
            if texts is not None:
                values += texts
            elif not (isinstance(member, dict) and member.get("type") == "null"):
                part_name = self.part_name(name, self.checked(member, where), at)
                parts.append(self.inline(member, part_name, where))
        if values:
            parts = [part for part in parts if part != {"type": "string"}]
            enum = self.named({"enum": values}, name + "Enum", f"{place}/{word}")
            parts.append({"$ref": REF + enum})
        parts = [part for at, part in enumerate(parts) if part not in parts[:at]]
        if not all(parts):
            return {}  # one of them is anything
        found: Schema = parts[0] if len(parts) == 1 else {"anyOf": parts}
        if "discriminator" in schema:
            found = {"anyOf": parts, "discriminator": schema["discriminator"]}
        return found

    def part_name(self, name: str, member: Schema, at: int) -> str:
        tag = tag_in(member, self.tags)
        return name + (class_name(tag[1]) if tag else f"Option{at + 1}")

    # ---- a schema in a place where a type stands

    def inline(self, schema: Any, name: str, place: str) -> Schema:
        """The plain form of a schema that has no name; what needs one gets this one."""
        if (outer := self.inside.get(id(schema))) is not None:
            return {"$ref": REF + outer}
        given, schema = schema, self.checked(schema, place)
        members = [m for m in alternatives(schema) if m.get("type") != "null"]
        if len(members) == 1 and not schema.get("properties"):
            found = self.inline(members[0], name, f"{place}/0")
        elif members and all(map(_is_simple, members)):
            found = {"anyOf": [self.typed(member, name, place) for member in members]}
        elif "const" in schema and (values := enum_of(schema)) is not None:
            found = _open_enum(values)
        elif schema.get("properties") or members or enum_of(schema) is not None:
            bare = {k: v for k, v in schema.items() if k != "nullable"}
            found = {"$ref": REF + self.named(bare, name, place, given)}
        else:
            return self.typed(schema, name, place)
        return _nullable(found) if takes_null(schema) else found

    def named(self, schema: Schema, name: str, place: str, given: object = None) -> str:
        """The name of the schema that an inline one becomes; that of one alike, if there is one."""
        title = schema.get("title")
        if isinstance(title, str) and title.isidentifier() and title[0].isupper():
            name = title
        taken = self.out.keys() | self.schemas.keys()
        taken |= {f"Unknown{each}" for each in taken} | {e.removeprefix("Unknown") for e in taken}
        fresh = unused(name, RESERVED | taken)
        self.inside[id(given)] = fresh
        self.define(fresh, schema, place)
        self.inside.pop(id(given), None)
        alike = (unused(name, RESERVED), *(f"{name}{number}" for number in range(2, 10)))
        for other in alike:
            if other != fresh and self.out.get(other) == self.out[fresh]:
                del self.out[fresh]
                return other
        self.notes.add("named", place, f"`{fresh}`")
        return fresh

    def typed(self, schema: Schema, name: str, place: str) -> Schema:
        """What has no parts that need a name."""
        if (target := schema.get("$ref")) is not None:
            name = self.target(target, place)
            found: Schema = {"$ref": REF + name}
            null = schema.get("nullable") or takes_null(self.schemas[name])
            return _nullable(found) if null else found
        kinds = schema.get("type")
        kinds = kinds if isinstance(kinds, list) else [kinds] if kinds else []
        null = bool(schema.get("nullable")) or "null" in kinds
        kinds = [kind for kind in kinds if kind != "null"]
        if len(kinds) > 1:
            parts = [{**schema, "type": kind, "nullable": False} for kind in kinds]
            return self.inline({"anyOf": parts, "nullable": null}, name, place)
        kind = kinds[0] if kinds else _kind_of(schema)
        if kind is None and schema.get("type") in ("null", ["null"]):
            return {"type": "null"}
        found = self.of_kind(kind, schema, name, place)
        return _nullable(found) if null else found

    def of_kind(self, kind: str | None, schema: Schema, name: str, place: str) -> Schema:
        if kind == "array":
            items = self.inline(schema.get("items", {}), name + "Item", f"{place}/items")
            return {"type": "array", "items": items}
        if kind == "object":
            more = schema.get("additionalProperties")
            if not isinstance(more, dict):
                return ANYTHING
            values = self.inline(more, name + "Value", f"{place}/additionalProperties")
            return {"type": "object", "additionalProperties": values or True}
        for word in ("const", "enum"):
            if word in schema:
                self.notes.add("loosened", f"{place}/{word}", f"any {kind or 'value'}")
        if kind == "string" and schema.get("format") == "int64":
            return {"type": "string", "format": "int64"}
        if kind in PYTHON_KINDS.values():
            return {"type": kind}
        if kind is None:
            return {}
        raise Refused(f"{place}/type", f"{kind!r} is no type of JSON", INSTEAD)

    # ---- what is written in more than one way

    def checked(self, schema: Any, place: str) -> Schema:
        """The schema as an object without `allOf`; refuses what has no form."""
        if schema is True:
            return {}
        if not isinstance(schema, dict):
            raise Refused(place, f"no schema, but {schema!r}", INSTEAD)
        for word in REFUSED_WORDS:
            if word in schema:
                raise Refused(f"{place}/{word}", f"`{word}` has no form in msgspec", INSTEAD)
        for word in UNCHECKED:
            if word in schema and "x-strict" not in schema:
                self.notes.add("loosened", f"{place}/{word}", "not checked")
        return self.merged(schema, place) if schema.get("allOf") else schema

    def merged(self, schema: Schema, place: str) -> Schema:
        """`allOf` as one schema: the members of all of them."""
        own = {k: v for k, v in schema.items() if k != "allOf"}
        parts = list(schema["allOf"])
        if own.keys() & {"properties", "required", "additionalProperties"}:
            parts.append(own)
        if len(parts) == 1:
            return {**self.checked(parts[0], f"{place}/allOf/0"), **own}
        found: Schema = {"type": "object", "properties": {}, "required": []}
        for at, part in enumerate(parts):
            where = f"{place}/allOf/{at}"
            part = self.resolved(self.checked(part, where), where)
            if alternatives(part) or enum_of(part) is not None or part.get("type") == "array":
                raise Refused(where, "`allOf` with what is no object", INSTEAD)
            found["properties"] |= part.get("properties", {})
            found["required"] += [m for m in part.get("required", ()) if m not in found["required"]]
            found |= {k: v for k, v in part.items() if k == "additionalProperties"}
        return {**found, **{k: v for k, v in own.items() if k in KEPT}}

    def resolved(self, schema: Schema, place: str) -> Schema:
        """What a reference refers to, as published."""
        if "$ref" not in schema:
            return schema
        name = self.target(schema["$ref"], place)
        if name in self.resolving:
            raise Refused(place, f"{name} has itself as a part", INSTEAD)
        self.resolving.append(name)
        there = pointer("components", "schemas", name)
        found = self.resolved(self.checked(self.schemas[name], there), there)
        self.resolving.pop()
        return found

    def target(self, ref: Any, place: str) -> str:
        name = refers_to({"$ref": ref})
        if name is None or name not in self.schemas:
            raise Refused(
                f"{place}/$ref",
                f"{ref!r} is no schema of these documents",
                "Give the document that has it as a further --spec, or `define` it in an overlay",
            )
        return name


def _is_simple(schema: Schema) -> bool:
    """A scalar, or an object of anything."""
    return schema.get("type") in (*PYTHON_KINDS.values(), "object") and not (
        schema.keys() - {"type", "title", "description", "additionalProperties"}
        or isinstance(schema.get("additionalProperties"), dict)
    )


def _open_enum(values: list[str]) -> Schema:
    return {"anyOf": [{"enum": list(dict.fromkeys(values))}, {"type": "string"}]}


def _nullable(schema: Schema) -> Schema:
    if not schema or takes_null(schema):
        return schema
    parts = schema["anyOf"] if schema.keys() == {"anyOf"} else [schema]
    return {"anyOf": [*parts, {"type": "null"}]}


def _kind_of(schema: Schema) -> str | None:
    """The type of a schema that does not say it."""
    if "items" in schema:
        return "array"
    if "additionalProperties" in schema:
        return "object"
    values = [schema["const"]] if "const" in schema else schema.get("enum") or [None]
    kinds = {PYTHON_KINDS.get(type(value)) for value in values}
    return kinds.pop() if len(kinds) == 1 else None
