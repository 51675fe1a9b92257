"""What differs between the schemas of two documents is told; what says the same is no difference.

A table of pairs of small documents with the entries that have to come.
"""

from __future__ import annotations

from typing import Any

import pytest

from codegen.compare import GROUPS, Entry, compared, plain_form
from codegen.document import Schema

REF = "#/components/schemas/"
STRING = {"type": "string"}


def ref(name: str) -> Schema:
    return {"$ref": REF + name}


def model(*required: str, **members: Any) -> Schema:
    return {"type": "object", "required": [*required], "properties": members}


def tagged(tag: str, **members: Any) -> Schema:
    return model("type", type={"type": "string", "const": tag}, **members)


def union(*names: str) -> Schema:
    return {"oneOf": [ref(name) for name in names], "discriminator": {"propertyName": "type"}}


BOAT = model("name", name=STRING, length={"type": "integer"})
OAR = tagged("oar", length={"type": "integer"})
SAIL = tagged("sail", area={"type": "number"})
GEAR = {"Oar": OAR, "Sail": SAIL, "Gear": union("Oar", "Sail")}


def document(schemas: Schema, paths: Schema | None = None) -> Schema:
    return {
        "openapi": "3.0.3",
        "paths": paths or {},
        "components": {"schemas": {"Boat": BOAT, **schemas}},
    }


def found(old: Schema, new: Schema) -> list[Entry]:
    return compared(plain_form(old), plain_form(new))


# ---- schemas

SCHEMAS: dict[str, tuple[Schema, Schema, list[tuple[str, ...]]]] = {
    "a model more": ({}, {"Oar": OAR}, [("schemas", "added", "Oar", "", "model, 2 members")]),
    "an enum less": (
        {"Flag": {"type": "string", "enum": ["red"]}},
        {},
        [("schemas", "removed", "Flag", "enum, 1 value", "")],
    ),
    "a union more": (
        {"Oar": OAR, "Sail": SAIL},
        GEAR,
        [("schemas", "added", "Gear", "", "tagged union, 2 tags")],
    ),
    "another name more": (
        {},
        {"Ship": ref("Boat")},
        [("schemas", "added", "Ship", "", "another name: Boat")],
    ),
    "an array more": (
        {},
        {"Fleet": {"type": "array", "items": ref("Boat")}},
        [("schemas", "added", "Fleet", "", "type: array of Boat")],
    ),
    "an enum that became a model": (
        {"Flag": {"type": "string", "enum": ["red", "blue"]}},
        {"Flag": model(colour=STRING)},
        [("schemas", "changed", "Flag", "enum, 2 values", "model, 1 member")],
    ),
    "a model without members": (
        {"Crew": model(a=STRING)},
        {"Crew": {"type": "object", "properties": {}}},
        [("schemas", "changed", "Crew", "model, 1 member", "type: object")],
    ),
    "another kind of type": (
        {"Fleet": {"type": "array", "items": ref("Boat")}},
        {"Fleet": {"type": "object", "additionalProperties": ref("Boat")}},
        [("schemas", "changed", "Fleet", "array of Boat", "object of Boat")],
    ),
    "another name of something else": (
        {**GEAR, "Tool": ref("Oar")},
        {**GEAR, "Tool": ref("Sail")},
        [("schemas", "changed", "Tool", "Oar", "Sail")],
    ),
    "a union told apart by a tag that no longer is": (
        GEAR,
        {**GEAR, "Gear": {"anyOf": [ref("Oar"), ref("Sail"), STRING]}},
        [("schemas", "changed", "Gear", "tagged union, 2 tags", "union, 3 parts")],
    ),
    "members": (
        {"Crew": model(a=STRING, b={"type": "integer"})},
        {"Crew": model("c", a=STRING, c={"type": "array", "items": ref("Boat")})},
        [
            ("members", "removed", "Crew.b", "integer", ""),
            ("members", "added", "Crew.c", "", "required array of Boat"),
        ],
    ),
    "types of members": (
        {"Crew": model(a=STRING, b={"type": "array", "items": STRING}, c=STRING, d={})},
        {
            "Crew": model(
                a={"type": "integer"},
                b={"type": "array", "items": {"anyOf": [STRING, ref("Boat")]}},
                c={"type": "string", "nullable": True},
                d={"type": "object", "additionalProperties": {"type": "number"}},
            )
        },
        [
            ("members", "changed", "Crew.a", "string", "integer"),
            ("members", "changed", "Crew.b", "array of string", "array of CrewBItem"),
            ("members", "changed", "Crew.c", "string", "null | string"),
            ("members", "changed", "Crew.d", "anything", "object of number"),
            ("schemas", "added", "CrewBItem", "", "union, 2 parts"),
        ],
    ),
    "a 64-bit integer": (
        {"Crew": model(a={"type": "integer"})},
        {"Crew": model(a={"type": "string", "format": "int64"})},
        [("members", "changed", "Crew.a", "integer", "string (int64)")],
    ),
    "a tag": (
        {"Oar": OAR},
        {"Oar": tagged("paddle", length={"type": "integer"})},
        [("members", "changed", "Oar.type", '"oar"', '"paddle"')],
    ),
    "further members": (
        {"Crew": model(a=STRING)},
        {"Crew": {**model(a=STRING), "additionalProperties": True}},
        [("members", "added", "Crew.*", "", "anything")],
    ),
    "required": (
        {"Crew": model("a", "b", a=STRING, b=STRING, c=STRING)},
        {"Crew": model("b", "c", a=STRING, b=STRING, c=STRING)},
        [("required", "removed", "Crew.a"), ("required", "added", "Crew.c")],
    ),
    "enum values": (
        {"Flag": {"type": "string", "enum": ["red", "blue"]}},
        {"Flag": {"type": "string", "enum": ["green", "red"]}},
        [
            ("enum values", "removed", "Flag", "blue", ""),
            ("enum values", "added", "Flag", "", "green"),
        ],
    ),
    "values of an enum in a member": (
        {"Crew": model(flag={"type": "string", "enum": ["red"]})},
        {"Crew": model(flag={"type": "string", "enum": ["red", "blue"]})},
        [("enum values", "added", "CrewFlag", "", "blue")],
    ),
    "tags": (
        {**GEAR, "Gear": union("Oar")},
        {**GEAR, "Gear": union("Sail")},
        [("tags", "removed", "Gear", "oar", ""), ("tags", "added", "Gear", "", "sail")],
    ),
    "a tag of a union in a union": (
        {**GEAR, "All": union("Gear")},
        {**GEAR, "Net": tagged("net"), "Gear": union("Oar", "Sail", "Net"), "All": union("Gear")},
        [
            ("schemas", "added", "Net", "", "model, 1 member"),
            ("tags", "added", "All", "", "net"),
            ("tags", "added", "Gear", "", "net"),
        ],
    ),
    "another schema of a tag": (
        {**GEAR, "Long": tagged("oar", inches=STRING)},
        {**GEAR, "Long": tagged("oar", inches=STRING), "Gear": union("Long", "Sail")},
        [("tags", "changed", "Gear 'oar'", "Oar", "Long")],
    ),
    "null in a union": (
        {**GEAR, "Crew": model(a=ref("Gear"))},
        {**GEAR, "Crew": model(a={"anyOf": [ref("Gear"), {"type": "null"}]})},
        [("members", "changed", "Crew.a", "Gear", "Gear | null")],
    ),
    "a part of a union": (
        {"Cargo": {"anyOf": [STRING, ref("Boat")]}},
        {"Cargo": {"anyOf": [ref("Boat"), {"type": "array", "items": STRING}]}},
        [
            ("tags", "removed", "Cargo", "string", ""),
            ("tags", "added", "Cargo", "", "array of string"),
        ],
    ),
    "a new name": (
        {"Crew": model(home=ref("Port")), "Port": model(town=STRING, berth=STRING)},
        {
            "Crew": model(home=ref("Harbour")),
            "Harbour": model(town=STRING, berth={"type": "integer"}),
        },
        [
            ("members", "changed", "Harbour.berth", "string", "integer"),
            ("schemas", "renamed", "Port", "", "Harbour"),
        ],
    ),
    "a new name of a member of a union": (
        GEAR,
        {"Oar": OAR, "Canvas": SAIL, "Gear": union("Oar", "Canvas")},
        [("schemas", "renamed", "Sail", "", "Canvas")],
    ),
    "something else in the place": (
        {"Crew": model(home=ref("Port")), "Port": model(town=STRING, berth=STRING)},
        {"Crew": model(home=ref("Bank")), "Bank": model(iban=STRING)},
        [
            ("members", "changed", "Crew.home", "Port", "Bank"),
            ("schemas", "added", "Bank", "", "model, 1 member"),
            ("schemas", "removed", "Port", "model, 2 members", ""),
        ],
    ),
}


def entries(rows: list[tuple[str, ...]]) -> list[Entry]:
    order = list(GROUPS)
    return sorted((Entry(*row) for row in rows), key=lambda e: (order.index(e.group), e[2:]))


@pytest.mark.parametrize("name", SCHEMAS)
def test_schemas(name: str) -> None:
    old, new, expected = SCHEMAS[name]
    assert found(document(old), document(new)) == entries(expected)


OPPOSITE = {"added": "removed", "removed": "added", "changed": "changed"}


@pytest.mark.parametrize("name", [name for name in SCHEMAS if "new name" not in name])
def test_the_way_back_is_the_opposite(name: str) -> None:
    old, new, _ = SCHEMAS[name]
    there, back = found(document(old), document(new)), found(document(new), document(old))
    opposite = {Entry(e.group, OPPOSITE[e.change], e.place, e.new, e.old) for e in there}
    without_word = {e._replace(old=e.old.removeprefix("required ")) for e in opposite}
    assert {e._replace(new=e.new.removeprefix("required ")) for e in back} == without_word


# ---- what says the same

SAME: dict[str, tuple[Schema, Schema]] = {
    "an open enum": (
        {"Flag": {"anyOf": [STRING, {"const": "red"}, {"const": "blue"}]}},
        {"Flag": {"type": "string", "enum": ["blue", "red"]}},
    ),
    "const and enum": (
        {"Oar": tagged("oar")},
        {"Oar": model("type", type={"type": "string", "enum": ["oar"]})},
    ),
    "null": (
        {"Crew": model(a={"type": "string", "nullable": True})},
        {"Crew": model(a={"type": ["string", "null"]})},
    ),
    "the order of everything": (
        GEAR,
        {
            "Gear": union("Sail", "Oar"),
            "Sail": SAIL,
            "Oar": {**OAR, "properties": dict(reversed(OAR["properties"].items()))},
        },
    ),
    "oneOf and anyOf": (
        GEAR,
        {**GEAR, "Gear": {"anyOf": [ref("Oar"), ref("Sail")]}},
    ),
    "a mapping": (
        GEAR,
        {
            **GEAR,
            "Gear": {
                **union("Oar", "Sail"),
                "discriminator": {
                    "propertyName": "type",
                    "mapping": {"oar": REF + "Oar", "sail": REF + "Sail"},
                },
            },
        },
    ),
    "allOf": (
        {"Crew": model("a", a=STRING, b=STRING)},
        {"Crew": {"allOf": [model("a", a=STRING), model(b=STRING)]}},
    ),
    "prose": (
        {"Crew": model(a=STRING)},
        {"Crew": {**model(a={**STRING, "description": "Text.", "example": "x"}), "title": "T"}},
    ),
    "a union of one": (
        {"Crew": model(a=ref("Boat"))},
        {"Crew": model(a={"anyOf": [ref("Boat")]})},
    ),
}


@pytest.mark.parametrize("name", SAME)
def test_idioms(name: str) -> None:
    old, new = SAME[name]
    assert found(document(old), document(new)) == []
    assert found(document(new), document(old)) == []


NAMED: dict[str, tuple[Schema, Schema, str]] = {
    "an array behind a name": (
        {"Crew": model(a={"type": "array", "items": ref("Boat")})},
        {"Crew": model(a=ref("Fleet")), "Fleet": {"type": "array", "items": ref("Boat")}},
        "Fleet",
    ),
    "a text behind a name": (
        {"Crew": model(a=STRING)},
        {"Crew": model(a=ref("Name")), "Name": STRING},
        "Name",
    ),
    "another name of a model": (
        {"Crew": model(a=ref("Boat"))},
        {"Crew": model(a=ref("Ship")), "Ship": ref("Boat")},
        "Ship",
    ),
}


@pytest.mark.parametrize("name", NAMED)
def test_a_type_behind_a_name_is_the_same_type(name: str) -> None:
    old, new, added = NAMED[name]
    assert [e[:3] for e in found(document(old), document(new))] == [("schemas", "added", added)]


def test_a_schema_that_has_itself_inside() -> None:
    tree = {"Tree": model(parts={"type": "array", "items": ref("Tree")})}
    leaf = {"Any": {"anyOf": [STRING, {"type": "array", "items": ref("Any")}, ref("Tree")]}}
    same = {"Loop": ref("Back"), "Back": {"anyOf": [ref("Loop"), STRING]}}
    for schemas in (tree, {**tree, **leaf}, same):
        assert found(document(schemas), document(schemas)) == []
    grown = {"Tree": model(parts={"type": "array", "items": ref("Tree")}, a=STRING), **leaf}
    assert found(document({**tree, **leaf}), document(grown)) == [
        Entry("members", "added", "Tree.a", "", "string")
    ]
