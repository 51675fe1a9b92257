"""What cannot be generated is refused with its place and a way out, and never in another way."""

from __future__ import annotations

import copy
import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytest.importorskip("datamodel_code_generator", reason="the extra `codegen` is not installed")

from codegen.__main__ import main
from codegen.notes import Refused
from codegen.overlay import StaleOverlay

from .generating import document, made

Json = dict[str, Any]
S: Json = {"type": "string"}


def ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def member(schema: Any) -> Json:
    """A document with this schema as a member."""
    return document({"A": {"type": "object", "properties": {"m": schema}}})


def answered(content: Json | None = None, **operation: Any) -> Json:
    """A document with one operation."""
    answer = {"description": "Done.", "content": content or {"application/json": {"schema": S}}}
    given = {"operationId": "readIt", "responses": {"200": answer}, **operation}
    return document(paths={"/v1/it": {"get": given}})


AT = "#/components/schemas/A/properties/m"
OPERATION = "#/paths/~1v1~1it/get"
CHANGE = "`change` in an overlay"
LEAVE_OUT = "`leave_out` in an overlay"
FURTHER = "as a further --spec"
RIGHT = "Put it right in the document"

# document, the place that is told, what is to be done
REFUSED: dict[str, tuple[Any, str, str]] = {
    **{
        word: (member({word: value}), f"{AT}/{word}", CHANGE)
        for word, value in {
            "not": S,
            "if": S,
            "patternProperties": {"^x": S},
            "prefixItems": [S],
            "$defs": {"x": S},
            "contains": S,
            "propertyNames": S,
            "dependentRequired": {"a": ["b"]},
            "unevaluatedProperties": False,
        }.items()
    },
    "no type of JSON": (member({"type": "file"}), f"{AT}/type", CHANGE),
    "nothing fits": (member(False), f"spec.json{AT}", RIGHT),
    "no schema": (member([]), f"spec.json{AT}", RIGHT),
    "a type that is no text": (member({"type": 1}), f"spec.json{AT}/type", RIGHT),
    "members in an array": (member({"properties": []}), f"spec.json{AT}/properties", RIGHT),
    "required as a flag": (member({"required": True}), f"spec.json{AT}/required", RIGHT),
    "half of a surrogate pair": (member({"title": "\ud800"}), f"spec.json{AT}/title", RIGHT),
    "a reference to nothing": (member(ref("B")), f"{AT}/$ref", FURTHER),
    "a reference to another kind": (member({"$ref": "#/info"}), f"{AT}/$ref", FURTHER),
    "a reference to another file": (member({"$ref": "other.json"}), f"{AT}/$ref", FURTHER),
    "itself": (document({"A": ref("A")}), "#/components/schemas/A", "`define` in an overlay"),
    "each other": (
        document({"A": ref("B"), "B": ref("A")}),
        "#/components/schemas/B",
        "`define` in an overlay",
    ),
    "a part of itself": (
        document({"A": {"allOf": [ref("A"), {"properties": {"x": S}}]}}),
        "#/components/schemas/A/allOf/0",
        CHANGE,
    ),
    "a way without an end": (
        document({f"A{at}": {"anyOf": [ref(f"A{at + 1}"), S]} for at in range(300)} | {"A300": S}),
        "#/components/schemas",
        "`alias` in an overlay",
    ),
    "allOf of a text": (member({"allOf": [{"enum": ["x"]}, S]}), f"{AT}/allOf/0", CHANGE),
    "a union with members of its own": (
        member({"properties": {"x": S}, "oneOf": [ref("A"), ref("A")]}),
        f"{AT}/oneOf",
        CHANGE.replace("`change`", "`add` and `change`"),
    ),
    "two tags of one schema": (
        document(
            {
                "A": {"type": "object", "properties": {"kind": S}},
                "U": {
                    "oneOf": [ref("A")],
                    "discriminator": {"propertyName": "kind", "mapping": {"a": "A", "b": "A"}},
                },
            }
        ),
        "#/components/schemas/U/discriminator/mapping/b",
        "`define` in an overlay",
    ),
    "a cookie": (
        answered(parameters=[{"name": "c", "in": "cookie", "schema": S}]),
        f"{OPERATION}/parameters (c)",
        LEAVE_OUT,
    ),
    "an object in the query": (
        answered(parameters=[{"name": "q", "in": "query", "schema": {"type": "object"}}]),
        f"{OPERATION}/parameters (q)",
        LEAVE_OUT,
    ),
    "a parameter that is nowhere": (
        answered(parameters=[{"$ref": "#/components/parameters/P"}]),
        f"{OPERATION}/parameters/0",
        LEAVE_OUT,
    ),
    "a parameter in the path that the path has not": (
        answered(parameters=[{"name": "id", "in": "path", "required": True, "schema": S}]),
        OPERATION,
        LEAVE_OUT,
    ),
    "a form": (
        answered(requestBody={"content": {"multipart/form-data": {"schema": S}}}),
        f"{OPERATION}/requestBody/content",
        LEAVE_OUT,
    ),
    "an answer that is a picture": (
        answered({"image/png": {"schema": S}}),
        f"{OPERATION}/responses/200/content",
        LEAVE_OUT,
    ),
    "no answer but errors": (
        answered(responses={"404": {"description": "Gone."}}),
        f"{OPERATION}/responses",
        LEAVE_OUT,
    ),
    "an answer that is nowhere": (
        answered({"application/json": {"schema": ref("B")}}),
        f"{OPERATION}/responses/200/content/application~1json/schema/$ref",
        FURTHER,
    ),
    "events that are nowhere": (
        answered({"text/event-stream": {"schema": ref("B")}}),
        f"{OPERATION}/responses/200/content/text~1event-stream/schema/$ref",
        FURTHER,
    ),
    "operations in an array": ({**document(), "paths": []}, "spec.json#/paths", RIGHT),
    "two operations of one name": (
        document(
            paths={
                path: {"get": {"operationId": "x", "responses": {"200": {"description": "."}}}}
                for path in ("/a", "/b")
            }
        ),
        "#/paths/~1b/get/operationId",
        LEAVE_OUT,
    ),
    "Swagger 2": ({"swagger": "2.0", "paths": {}}, "spec.json#/openapi", "Convert it to OpenAPI 3"),
    "OpenAPI 4": ({"openapi": "4.0.0"}, "spec.json#/openapi", "Convert it to OpenAPI 3"),
    "an array": ([], "spec.json#/openapi", "Convert it to OpenAPI 3"),
    "nothing": ("", "spec.json#/openapi", "Convert it to OpenAPI 3"),
    "no JSON": ('{"openapi": "3.0.3",', "spec.json: neither JSON nor YAML", "as published"),
    "no YAML": ("openapi: 3.0.3\n\tx: [", "spec.json: neither JSON nor YAML", "as published"),
    "no text": (b"openapi: \xff\xfe", "spec.json: neither JSON nor YAML", "as published"),
    "too deep to read": ("[" * 100_000, "spec.json", "as published"),
    "too deep": (
        member(json.loads('{"items":' * 150 + "{}" + "}" * 150)),
        "spec.json#/components/schemas/A/properties/m/items",
        RIGHT,
    ),
}


def refusal(
    folder: Path, capsys: pytest.CaptureFixture[str], spec: Any, overlay: Any = None
) -> str:
    """The one line that is written to stderr when a package of the document is asked for."""
    files = {"spec.json": spec} | ({"overlay.yaml": overlay} if overlay is not None else {})
    for name, content in files.items():
        if not isinstance(content, str | bytes):
            content = json.dumps(content)
        data = content if isinstance(content, bytes) else content.encode()
        (folder / name).write_bytes(data)
    command = ["--spec", str(folder / "spec.json"), "--out", str(folder), "--package", "made"]
    if overlay is not None:
        command += ["--overlay", str(folder / "overlay.yaml")]
    assert main(command) == 1
    assert not (folder / "made").exists()
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert err.endswith("\n")
    return err


SLOW = {"a way without an end"}


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[pytest.mark.slow] * (n in SLOW)) for n in REFUSED]
)
def test_refused(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec, place, do = REFUSED[name]
    line = refusal(tmp_path, capsys, spec)
    assert line.startswith(f"Refused: {place}"), line
    assert line[len(f"Refused: {place}")] in ":/", line
    assert do in line


STALE: dict[str, tuple[Any, str]] = {
    "no YAML": ("a: [", "Refused: overlay.yaml: neither JSON nor YAML"),
    "an array": ([], "Refused: overlay.yaml#: "),
    "no corrections": ({"corrections": {}}, "Refused: overlay.yaml#/corrections: "),
    "no object": ({"corrections": ["x"]}, "Refused: overlay.yaml#/corrections/0: "),
    "no text": (
        {"corrections": [{"reason": "x", "optional": {"schema": 1}}]},
        "Refused: overlay.yaml#/corrections/0/optional/schema: ",
    ),
    "no members": (
        {"corrections": [{"reason": "x", "add": {"schema": "A"}}]},
        "StaleOverlay: already there: ",
    ),
    "no union": ({"corrections": [{"reason": "x", "extend": {}}]}, "StaleOverlay: no tagged union"),
    "no tag": (
        {"corrections": [{"reason": "x", "extend": {"union": "U", "members": ["A"]}}]},
        "StaleOverlay: A has no tag that U is told apart by",
    ),
    "no operation": ({"corrections": [{"reason": "x", "operation": {}}]}, "StaleOverlay: no oper"),
    "no such correction": ({"corrections": [{"reason": "x", "y": 1}]}, "StaleOverlay: 'y' is none"),
    "of another kind": (
        {"corrections": [{"reason": "x", "define": {"Z": {"type": 1}}}]},
        "Refused: overlay.yaml#/corrections/0/define/Z/type: ",
    ),
}


@pytest.mark.parametrize("name", STALE)
def test_overlay_refused(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    overlay, wanted = STALE[name]
    union = {"oneOf": [], "discriminator": {"propertyName": "type"}}
    spec = document({"A": {"type": "object", "properties": {"m": S}}, "U": union})
    assert refusal(tmp_path, capsys, spec, overlay).startswith(wanted)


def test_a_file_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["--spec", str(tmp_path / "no.json"), "--out", str(tmp_path), "--package", "made"]
    assert main(command) == 1
    assert "no.json" in capsys.readouterr().err


# ---- broken anywhere

GOOD = document(
    {
        "Cat": {
            "type": "object",
            "required": ["type", "name", "lost"],
            "properties": {
                "type": {"const": "cat"},
                "name": {"type": "string", "description": 'A "name".'},
                "mood": {"title": "Mood", "enum": ["a", "b"]},
                "x-id": {"type": "string", "format": "int64"},
            },
        },
        "Dog": {
            "type": "object",
            "properties": {
                "type": {"type": "string", "enum": ["dog"]},
                "age": {"type": "integer", "minimum": 1},
                "friends": {"type": "array", "items": ref("Animal")},
                "others": {"type": "object", "additionalProperties": ref("Cat")},
            },
        },
        "Animal": {
            "oneOf": [ref("Cat"), ref("Dog")],
            "discriminator": {"propertyName": "type", "mapping": {"cat": "Cat"}},
        },
        "Open": {"anyOf": [S, {"const": "x", "x-stainless-const": True}]},
        "All": {
            "allOf": [ref("Base"), {"properties": {"z": {"type": ["string", "null"]}}}],
            "additionalProperties": {"description": "Any."},
        },
        "Base": {
            "type": "object",
            "nullable": True,
            "properties": {"b": {"type": "boolean", "nullable": True}, "mix": ref("Mix")},
        },
        "Mix": {
            "anyOf": [
                S,
                {"type": "array", "items": ref("Animal")},
                {"type": "array", "items": {"type": "integer"}},
                {"type": "object", "properties": {"k": {"type": "number"}}},
            ]
        },
        "free.name": {"type": "object", "additionalProperties": True},
    },
    {
        "/v1/{id}/things?model": {
            "parameters": [{"$ref": "#/components/parameters/Id"}],
            "post": {
                "operationId": "makeThing",
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": ref("Dog")}},
                },
                "responses": {
                    "200": {
                        "content": {
                            "application/json": {"schema": ref("All")},
                            "text/event-stream": {"schema": ref("Animal")},
                        }
                    },
                    "default": {"$ref": "#/components/responses/Error"},
                },
            },
        },
        "/v1/things": {
            "get": {
                "parameters": [{"name": "kind", "in": "query", "schema": ref("Open")}],
                "responses": {
                    "default": {
                        "content": {
                            "application/json": {"schema": {"type": "array", "items": ref("Cat")}}
                        }
                    }
                },
            }
        },
    },
    parameters={"Id": {"name": "id", "in": "path", "required": True, "schema": S}},
    responses={"Error": {"content": {"application/json": {"schema": ref("Base")}}}},
)
VALUES: list[Any] = [
    *(None, True, False, 0, -1, 1.5, "", "x", "a b", 'a"b', "object", "string", "#/nope"),
    *([], {}, ["x"], [1], [None], [{}], [[]], {"a": 1}, {"": {}}, S, ref("Dog"), {"$ref": 1}),
    *({"enum": []}, {"enum": [1]}, {"type": "array"}, {"allOf": []}, {"allOf": [{}]}),
    *({"oneOf": [{}]}, {"const": None}, {"type": ["null"]}, {"type": []}, {"not": {}}),
]
WORDS = """
    type $ref oneOf anyOf allOf properties items enum const required additionalProperties format
    discriminator mapping nullable title description in name schema content responses parameters
    class _x 3d a-b minimum next_page_token deprecated $defs extra_ default requestBody
    """.split()  # noqa: SIM905


def steps_of(node: Any, steps: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to every node below this one."""
    keys = node if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()
    return [way for key in keys for way in ((*steps, key), *steps_of(node[key], (*steps, key)))]


def at(node: Any, steps: tuple[Any, ...]) -> Any:
    for step in steps:
        node = node[step]
    return node


def broken(chance: random.Random) -> Json:
    """The good document with one to three of its nodes replaced, renamed, moved or gone."""
    found = copy.deepcopy(GOOD)
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        ways = steps_of(found)
        *above, last = chance.choice(ways)
        parent = at(found, tuple(above))
        kind = chance.choice(("gone", "value", "value", "word", "moved", "renamed"))
        if kind == "gone":
            del parent[last]
        elif kind == "value":
            parent[last] = copy.deepcopy(chance.choice(VALUES))
        elif kind == "moved":
            parent[last] = copy.deepcopy(at(found, chance.choice(ways)))
        elif kind == "word" and isinstance(parent[last], dict):
            parent[last][chance.choice(WORDS)] = copy.deepcopy(chance.choice(VALUES))
        elif isinstance(parent, dict):
            parent[chance.choice(WORDS)] = parent.pop(last)
    return found


def generates_or_is_refused(seed: int, factory: pytest.TempPathFactory) -> None:
    refused: Exception | None = None
    try:
        with made(broken(random.Random(seed)), factory.mktemp("broken")):
            pass
    except (Refused, StaleOverlay) as error:
        refused = error
    assert refused is None or "#/" in str(refused)


SEEDS = st.integers(min_value=0, max_value=2**32)
UNHURRIED = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@settings(max_examples=60, deadline=None, suppress_health_check=UNHURRIED)
@given(SEEDS)
def test_a_broken_document(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    generates_or_is_refused(seed, tmp_path_factory)


@pytest.mark.slow
@settings(max_examples=3000, deadline=None, suppress_health_check=UNHURRIED)
@given(SEEDS)
def test_many_broken_documents(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    generates_or_is_refused(seed, tmp_path_factory)
