"""Every idiom of published documents: what is generated imports, and its samples come back.

Those of schemas are in codegen_golden/idioms.yaml; the samples there are decoded strictly and
encoded again. What is newer than the document, names and operations are here.
"""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

pytest.importorskip("datamodel_code_generator", reason="the extra `codegen` is not installed")

from codegen.document import read
from codegen.text import read_text
from gemwire import DecodeError, Unknown, decode, encode, iter_unknown, unknown_members
from gemwire.operations.request import Request

from .generating import document, made, round_trip

Json = dict[str, Any]

S: Json = {"type": "string"}
I: Json = {"type": "integer"}  # noqa: E741
NULL: Json = {"type": "null"}


def R(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def K(member: str, tag: str, **members: Any) -> Json:
    """An object with a tag."""
    properties = {member: {"type": "string", "const": tag}, **members}
    return {"type": "object", "required": [member], "properties": properties}


def T(tag: str, **members: Any) -> Json:
    """An object that its `type` tells, as an enum of one."""
    properties = {"type": {"type": "string", "enum": [tag]}, **members}
    return {"type": "object", "required": ["type"], "properties": properties}


def obj(**members: Any) -> Json:
    return {"type": "object", "properties": members}


def L(items: Any) -> Json:
    return {"type": "array", "items": items}


def U(*parts: Any, **words: Any) -> Json:
    return {"oneOf": list(parts), **words}


CASES = {
    each["case"]: (each["schemas"], each["type"], each["samples"])
    for each in read_text(Path(__file__).parent / "codegen_golden" / "idioms.yaml")
}


@pytest.mark.parametrize("name", CASES)
def test_samples(name: str, tmp_path: Path) -> None:
    schemas, type_name, samples = CASES[name]
    with made(document(schemas), tmp_path) as (models, _):
        for sample in samples:
            round_trip(getattr(models, type_name), sample)


# ---- what no document knows yet is kept

ANIMALS: Json = {
    "Cat": T("cat", mood={"enum": ["calm"]}, others=L(R("Animal")), last=R("Maybe")),
    "Dog": T("dog"),
    "Animal": U(R("Cat"), R("Dog")),
    "Maybe": U(R("Dog"), T("fish"), nullable=True),
}
NEWER: dict[str, tuple[str, Any, list[str]]] = {
    "a tag": ("Animal", {"type": "bird", "wings": 2}, ["$"]),
    "a tag in a union that can be null": (
        "Cat",
        {"type": "cat", "last": {"type": "x"}},
        ["$.last"],
    ),
    "a member": ("Animal", {"type": "dog", "new": [1]}, ["$.new"]),
    "a value of an enum": ("Cat", {"type": "cat", "mood": "jolly"}, ["$.mood"]),
    "a member that does not fit": ("Cat", {"type": "cat", "mood": 1}, ["$.mood"]),
}


@pytest.mark.parametrize("name", NEWER)
def test_newer_than_the_document(name: str, tmp_path: Path) -> None:
    type_name, sample, paths = NEWER[name]
    with made(document(ANIMALS), tmp_path) as (models, _):
        value = round_trip(getattr(models, type_name), sample, strict=False)
        assert [found.path for found in iter_unknown(value)] == paths
        if name != "a value of an enum":
            with pytest.raises(DecodeError):
                round_trip(getattr(models, type_name), sample)


@pytest.mark.parametrize("member", ["type", "event_type", "kind", "@type", "list", "class", "A-B"])
def test_any_member_can_be_the_tag(member: str, tmp_path: Path) -> None:
    schemas = {"A": K(member, "a", list=L(S)), "B": K(member, 'b | "c" ü')}
    if member == "list":
        del schemas["A"]["properties"]["list"]
        schemas["A"]["properties"]["list"] = {"const": "a"}
    schemas["U"] = U(R("A"), R("B"), discriminator={"propertyName": member})
    with made(document(schemas), tmp_path) as (models, _):
        assert type(round_trip(models.U, {member: "a"})) is models.A
        assert type(round_trip(models.U, {member: 'b | "c" ü'})) is models.B
        newer = round_trip(models.U, {member: "c", "x": 1}, strict=False)
        assert isinstance(newer, Unknown)
        assert newer.tag == "c"


# ---- what things are called


def names_of(schemas: Json, folder: Path) -> set[str]:
    with made(document(schemas), folder) as (models, _):
        return set(models.__all__)


@pytest.mark.parametrize(
    ("schemas", "names"),
    [
        ({"A": obj(b=obj(c=S))}, {"A", "AB"}),
        ({"A": obj(b={**obj(c=S), "title": "Thing"})}, {"A", "Thing"}),
        ({"A": obj(b={"enum": ["x"], "title": "a thing"})}, {"A", "AB"}),
        ({"A": obj(b=L(obj(c=S)))}, {"A", "ABItem"}),
        ({"A": obj(b={"type": "object", "additionalProperties": obj(c=S)})}, {"A", "ABValue"}),
        ({"A": U(T("x"), T("y"))}, {"A", "AX", "AY", "UnknownA"}),
        (
            {"A": U(T("x"), T("y")), "UnknownA": obj(b=S)},
            {"A", "AX", "AY", "UnknownA", "UnknownA2"},
        ),
        ({"a.b": obj(c=S), "x-y": obj(c=S), "list": obj(c=S)}, {"AB", "XY", "List"}),
        ({"Any": obj(c=S), "Unknown": obj(c=S)}, {"Any2", "Unknown2"}),
        ({"foo": obj(c=S), "Foo": obj(c=S)}, {"Foo", "Foo2"}),
        ({"A": obj(b={"enum": ["x"]}), "AB": obj(c=S)}, {"A", "AB", "AB2"}),
    ],
    ids=str,
)
def test_names(schemas: Json, names: set[str], tmp_path: Path) -> None:
    assert names_of(schemas, tmp_path) == names


def test_every_change_is_told(tmp_path: Path) -> None:
    schemas = {
        "a-b": obj(**{"class": S, "n": {"type": "integer", "minimum": 1}, "e": {"enum": ["x"]}}),
        "Same": U(T("x"), T("y")),
        "Other": R("Same"),
        "Loop": obj(again=R("Loop")),
        "Odd": obj(extra_=S, x=S),
    }
    with made(document(schemas), tmp_path) as (_, notes):
        told = {
            (note.kind, note.place.removeprefix("#/components/schemas/")) for note in notes.found
        }
    assert told >= {
        ("renamed", "a-b"),
        ("renamed", "AB/properties/class"),
        ("loosened", "AB/properties/n/minimum"),
        ("named", "AB/properties/e"),
        ("loosened", "Loop/properties/again"),
        ("loosened", "Odd/properties/extra_"),
    }


@pytest.mark.parametrize("name", ["extra_", 'a"b', "a\\b", "a\nb"])
def test_members_that_msgspec_cannot_have(name: str, tmp_path: Path) -> None:
    with made(document({"A": obj(x=S, **{name: I})}), tmp_path) as (models, _):
        value = round_trip(models.A, {"x": "y", name: 1})
        assert unknown_members(value) == {name: 1}
    assert isinstance(models, ModuleType)


# ---- operations

ANSWER: Json = {"content": {"application/json": {"schema": R("A")}}}
PARTS: Json = {
    "parameters": {"Id": {"name": "id", "in": "path", "required": True, "schema": S}},
    "requestBodies": {
        "Body": {"required": True, "content": {"application/json": {"schema": R("A")}}}
    },
    "responses": {"Done": {"description": "Done.", **ANSWER}},
    "headers": {"Where": {"schema": S}},
}


def request_of(
    operation: Json, folder: Path, *arguments: Any, path: str = "/v1/as/{id}", **named: Any
) -> Request[Any]:
    """What the function of one operation gives."""
    item = {"parameters": [{"$ref": "#/components/parameters/Id"}], "post": operation}
    if "{id}" not in path:
        del item["parameters"]
    operation.setdefault("operationId", "doIt")
    operation.setdefault("responses", {"200": ANSWER})
    given = document({"A": obj(x=S), "Mode": {"anyOf": [S, {"const": "a"}]}}, {path: item}, **PARTS)
    with made(given, folder) as (models, _):
        operations = __import__(f"{models.__name__}.operations", fromlist=["*"])
        (name,) = operations.OPERATIONS
        request: Request[Any] = getattr(operations, name)(*arguments, **named)
        if request.response is not None:
            answer = request.decode_response(200, b'{"x":"y"}')
            assert json.loads(encode(answer)) == {"x": "y"}
        return request


def test_parameters_of_a_path_that_stands_twice(tmp_path: Path) -> None:
    request = request_of({}, tmp_path, "an id", path="/v1/as/{id}?model")
    assert (request.method, request.path, request.response) == ("POST", "/v1/as/an%20id", "A")


@pytest.mark.parametrize(
    ("operation", "response"),
    [
        ({"responses": {"default": ANSWER}}, "A"),
        ({"responses": {"404": {}, "default": ANSWER}}, "A"),
        ({"responses": {"201": {"$ref": "#/components/responses/Done"}}}, "A"),
        ({"responses": {"204": {"description": "Done."}, "default": ANSWER}}, None),
        (
            {"responses": {"200": {"content": {"application/json": {"schema": obj(x=S)}}}}},
            "DoItResponse",
        ),
        ({"operationId": None}, "A"),
        ({"summary": 'A "quote", """ and \\ and \x00.', "description": "More."}, "A"),
    ],
    ids=str,
)
def test_answers(operation: Json, response: str | None, tmp_path: Path) -> None:
    assert request_of(dict(operation), tmp_path, "1").response == response


@pytest.mark.parametrize(
    "body",
    [
        {"$ref": "#/components/requestBodies/Body"},
        {"required": True, "content": {"application/json": {"schema": obj(x=S)}}},
        {"required": True, "content": {"application/json": {"schema": U(R("A"), R("A"))}}},
        {"required": True, "content": {"application/json": {"schema": U(T("a"), T("b"))}}},
    ],
    ids=str,
)
def test_bodies(body: Json, tmp_path: Path) -> None:
    request = request_of({"requestBody": body}, tmp_path, "1", {"x": "y"})
    assert request.body == b'{"x":"y"}'


@pytest.mark.parametrize(
    ("schema", "value", "sent"),
    [
        (S, "a b", "a b"),
        (I, 5, "5"),
        ({"type": ["boolean", "null"]}, True, "true"),
        ({"anyOf": [I, NULL]}, 5, "5"),
        (R("Mode"), "a", "a"),
        ({"enum": ["x"]}, "x", "x"),
    ],
    ids=str,
)
@pytest.mark.parametrize("name", ["page-size", "class", "body", "list", "filter.x"])
def test_query(name: str, schema: Json, value: Any, sent: str, tmp_path: Path) -> None:
    python = {"page-size": "page_size", "filter.x": "filter_x"}.get(name, f"{name}_")
    python = {"body": "body2"}.get(name, python)
    operation = {"parameters": [{"name": name, "in": "query", "schema": schema}]}
    assert request_of(operation, tmp_path, "1", **{python: value}).query == ((name, sent),)


def test_yaml_as_openapi_has_it(tmp_path: Path) -> None:
    """No `no` is a flag, `16:9` is no number, a day is a text, and a status is a name."""
    text = """
        openapi: 3.1.0
        paths:
          x-note: 5
          /a: {get: {responses: {200: {description: Done., content: null}}}}
        components:
          schemas:
            A:
              description:
              properties:
                on: {enum: [no, on, 16:9, 2020-01-01, "1"]}
        """
    (tmp_path / "a.yaml").write_text("\ufeff" + text, "utf-8")
    found = read(tmp_path / "a.yaml")
    assert found["paths"] == {"/a": {"get": {"responses": {"200": {"description": "Done."}}}}}
    enum = ["no", "on", "16:9", "2020-01-01", "1"]
    assert found["components"]["schemas"] == {"A": {"properties": {"on": {"enum": enum}}}}
    with made(found, tmp_path) as (models, _):
        assert decode(b'{"on":"16:9"}', models.A, strict=True).on == "16:9"
