"""The generator writes what it always wrote, what it wrote works, and the overlay cannot go stale.

The golden files are made anew by `GEMWIRE_UPDATE_GOLDEN=1 python -m pytest tests/test_codegen.py`;
look at the difference before you keep it.
"""

from __future__ import annotations

import ast
import importlib
import json
import os
import shutil
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

pytest.importorskip("datamodel_code_generator", reason="the extra `codegen` is not installed")
pytest.importorskip("ruff", reason="the extra `codegen` is not installed")

from codegen.__main__ import DOCUMENTS, SPEC, ruff_format
from codegen.arrange import names_in, unions
from codegen.generate import VIEWS, generate
from codegen.load import OPERATIONS, Schemas, StaleOverlay, load
from gemwire import DecodeError, Unknown, decode, encode, iter_unknown, unknown_members
from gemwire.codec.schema import shape
from gemwire.codec.structs import FREE, STRICT

ROOT = Path(__file__).parent.parent
GOLDEN = Path(__file__).parent / "codegen_golden"
INPUTS = [GOLDEN / "zoo.openapi.yaml", GOLDEN / "shop.openapi.yaml"]
PROPERTIES = {"Keeper": {"ended": "bool", "full_text": "str"}}
UPDATE = bool(os.environ.get("GEMWIRE_UPDATE_GOLDEN"))
FILES = ["__init__.py", "interactions.py", "shared.py", "shop.py", "tables.py"]


def generated(specs: list[Path] = INPUTS) -> dict[str, str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # notes on formats that datamodel-code-generator lacks
        return generate(specs, GOLDEN / "overlay.yaml", PROPERTIES)


@pytest.fixture(scope="module")
def sources() -> dict[str, str]:
    """The golden package, formatted."""
    return {name: ruff_format(source) for name, source in generated().items()}


# ---- the text


def test_files(sources: dict[str, str]) -> None:
    assert sorted(sources) == FILES


@pytest.mark.parametrize("name", FILES)
def test_golden(sources: dict[str, str], name: str) -> None:
    expected = GOLDEN / "expected" / f"{name}.txt"  # no .py: neither linted nor imported
    if UPDATE:
        expected.parent.mkdir(exist_ok=True)
        expected.write_text(sources[name], "utf-8")
    assert sources[name] == expected.read_text("utf-8")


@pytest.mark.parametrize("name", FILES)
def test_generated_code_pleases_the_linter(sources: dict[str, str], name: str) -> None:
    command = [sys.executable, "-m", "ruff", "check", "-q", "--stdin-filename"]
    command += [f"src/gemwire/models/{name}", "-"]
    done = subprocess.run(command, input=sources[name], capture_output=True, text=True, cwd=ROOT)
    assert (done.stdout, done.returncode) == ("", 0)


def test_the_same_each_time(sources: dict[str, str]) -> None:
    """Also in another process, where sets have another order."""
    script = (
        "import json, pathlib, sys; from tests.test_codegen import generated;"
        "json.dump(generated(), sys.stdout)"
    )
    other = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "7"},
    )
    assert json.loads(other.stdout) == generated()


def test_nothing_of_this_machine_is_in_the_text(sources: dict[str, str]) -> None:
    for source in sources.values():
        assert str(ROOT) not in source
        assert "datamodel" not in source
        assert ast.get_docstring(ast.parse(source))


def test_names_in() -> None:
    assert names_in('class A(B):\n    """C"""\n    x: D\n') >= {"A", "B", "D"}
    assert "C" not in names_in('class A(B):\n    """C"""\n    x: D\n')


def test_a_property_needs_its_function() -> None:
    with pytest.raises(ValueError, match="views has no documented function no_such_view"):
        generate(INPUTS, GOLDEN / "overlay.yaml", {"Keeper": {"no_such_view": "str"}})


# ---- the result, executed


@pytest.fixture(scope="module")
def zoo(sources: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    """The golden package as it was written, imported, beside stand-ins for what it stands on."""
    root = tmp_path_factory.mktemp("golden")
    package = root / "zoo_package"
    (package / "models").mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "codec").mkdir()
    (package / "codec" / "structs.py").write_text("from gemwire.codec.structs import *\n")
    (package / "models" / "views.py").write_text("from gemwire.models.views import *\n")
    shutil.copy(VIEWS.with_name("lazy.py"), package / "models")
    for name, source in sources.items():
        (package / "models" / name).write_text(source, "utf-8")
    tables: list[Any] = [STRICT, FREE]
    before = [table.copy() for table in tables]
    sys.path.insert(0, str(root))
    try:
        yield importlib.import_module("zoo_package.models")
    finally:
        sys.path.remove(str(root))
        for name in [name for name in sys.modules if name.startswith("zoo_package")]:
            del sys.modules[name]
        for table, old in zip(tables, before, strict=True):
            table.clear()
            table.update(old)


def round_trip(type_: Any, payload: Any, *, strict: bool = True) -> Any:
    value = decode(json.dumps(payload).encode(), type_, strict=strict)
    assert json.loads(encode(value)) == payload
    return value


def test_tagged_union_is_open(zoo: ModuleType) -> None:
    cat = round_trip(zoo.Animal, {"type": "cat", "name": "Tom", "mood": "calm"})
    assert type(cat) is zoo.Cat
    assert cat.type == "cat"
    fox = round_trip(zoo.Animal, {"type": "fox", "mood": "hungry"})  # from the overlay
    assert type(fox) is zoo.Fox
    bird = round_trip(zoo.Animal, {"type": "bird", "wings": 2}, strict=False)
    assert type(bird) is zoo.UnknownAnimal
    assert isinstance(bird, Unknown)
    assert (bird.type, bird.tag) == ("__unknown__", "bird")
    nameless = round_trip(zoo.Animal, {"type": "dog"}, strict=False)
    assert (type(nameless), nameless.tag) == (zoo.UnknownAnimal, "dog")


def test_enum_is_open(zoo: ModuleType) -> None:
    keeper = round_trip(zoo.Keeper, {"name": "Ann", "moods": ["calm", "jolly"]})
    assert [found.path for found in iter_unknown(keeper)] == ["$.moods[1]"]


@pytest.mark.parametrize(
    ("meal", "kinds"),
    [
        ("hay", None),
        ([{"type": "cat"}], ["Cat"]),
        ([{"type": "dish", "grams": 7}, {"type": "dish", "grams": "7 g"}], ["Dish", "Dish"]),
        ([{"type": "bird"}, {"type": "cat"}], ["UnknownAnimal", "Cat"]),
    ],
)
def test_union_of_shapes(zoo: ModuleType, meal: Any, kinds: list[str] | None) -> None:
    found = round_trip(zoo.Keeper, {"name": "Ann", "meal": meal}, strict=False).meal
    if kinds is None:
        assert found == meal
    else:
        assert [type(item).__name__ for item in found] == kinds


def test_struct_beside_a_free_object(zoo: ModuleType) -> None:
    keeper = round_trip(zoo.Keeper, {"name": "Ann", "toy": {"type": "ball", "size": 70}})
    assert type(keeper.toy) is zoo.Ball
    keeper = round_trip(zoo.Keeper, {"name": "Ann", "toy": {"colour": "red"}})
    assert keeper.toy == {"colour": "red"}
    keeper = round_trip(zoo.Keeper, {"name": "Ann", "toys": [{"type": "ball"}, {}]})
    assert keeper.toys == [zoo.Ball(), {}]


def test_members(zoo: ModuleType) -> None:
    payload = {
        "name": "Ann",
        "notes": {"a": [1]},
        "steps_walked": "9007199254740993",
        "since": "2026-11-20T10:00:00.123456789Z",
        "weights": {"Tom": 4.5},
        "rank": "chief",
        "anything": None,
    }
    keeper = round_trip(zoo.Keeper, payload)
    assert keeper.steps_walked == 9007199254740993
    assert keeper.since == payload["since"]
    assert keeper.anything is None
    extras = round_trip(zoo.Extras, {"type": "extras", "more": 1})
    assert unknown_members(extras) == {"more": 1}
    with pytest.raises(DecodeError):
        decode(b"{}", zoo.Keeper)


def test_corrections_are_in_force(zoo: ModuleType) -> None:
    assert zoo.Pet is zoo.Cat
    round_trip(zoo.ZooEvent, {"event_type": "zoo.opened", "weather": "rain"})
    fed = {"event_type": "zoo.fed", "animal": {"type": "cat"}}
    round_trip(zoo.ZooEvent, fed)
    round_trip(zoo.ZooEvent, {**fed, "index": 0})
    for index in (-1, "0", None):
        event = round_trip(zoo.ZooEvent, {**fed, "index": index}, strict=False)
        assert type(event) is zoo.UnknownZooEvent
        assert event.event_type == "__unknown__"


def test_other_modules_are_loaded_when_asked_for(zoo: ModuleType) -> None:
    module = f"{zoo.__name__}.shop"
    sys.modules.pop(module, None)
    assert "Ticket" in zoo.__all__
    assert "Ticket" in dir(zoo)
    ticket = round_trip(
        zoo.Ticket, {"price": 5, "guide": {"name": "Ann"}, "animal": {"type": "cat"}}
    )
    assert module in sys.modules
    assert type(ticket.guide) is zoo.Keeper
    assert zoo.Nothing == dict[str, Any]
    with pytest.raises(AttributeError, match="Elephant"):
        zoo.Elephant  # noqa: B018


def test_tables(zoo: ModuleType) -> None:
    tables = importlib.import_module(f"{zoo.__name__}.tables")
    assert tables.EVENTS == {"zoo.opened": "Opened", "zoo.fed": "Fed"}
    assert tables.MODULES == {"Nothing": "shared", "Ticket": "shop"}
    assert STRICT[zoo.Fed] == {"index"}
    assert zoo.Extras in FREE
    assert shape(zoo.Animal).unknown is zoo.UnknownAnimal
    assert shape(zoo.ZooEvent).unknown is zoo.UnknownZooEvent


# ---- the overlay, operation by operation

BASE: dict[str, Any] = {
    "U": {
        "oneOf": [{"$ref": "#/components/schemas/A"}, {"$ref": "#/components/schemas/B"}],
        "discriminator": {"propertyName": "type"},
    },
    "A": {
        "type": "object",
        "required": ["type", "x", "y"],
        "properties": {
            "type": {"type": "string", "const": "a"},
            "x": {"type": "string", "description": "The x."},
            "y": {"type": "integer", "description": "The y."},
        },
    },
    "B": {
        "type": "object",
        "required": ["type", "x"],
        "properties": {"type": {"type": "string", "const": "b"}, "x": {"type": "string"}},
    },
    "C": {"type": "object", "description": "A C.", "properties": {"x": {"type": "string"}}},
}


def corrected(folder: Path, *corrections: dict[str, Any]) -> Schemas:
    """The schemas of BASE after the corrections."""
    document = {"openapi": "3.1.0", "paths": {}, "components": {"schemas": BASE}}
    (folder / "spec.yaml").write_text(yaml.safe_dump(document, sort_keys=False))
    overlay = {"corrections": [{"reason": "because", **entry} for entry in corrections]}
    (folder / "overlay.yaml").write_text(yaml.safe_dump(overlay, sort_keys=False))
    schemas: Schemas = load([folder / "spec.yaml"], folder / "overlay.yaml")["components"][
        "schemas"
    ]
    return schemas


def test_optional(tmp_path: Path) -> None:
    schemas = corrected(tmp_path, {"optional": {"union": "U"}})
    assert [schemas[name]["required"] for name in "AB"] == [["type"], ["type"]]
    schemas = corrected(tmp_path, {"optional": {"union": "U", "but": ["A"]}})
    assert [schemas[name]["required"] for name in "AB"] == [["type", "x", "y"], ["type"]]
    schemas = corrected(tmp_path, {"optional": {"schema": "A", "members": ["y"]}})
    assert schemas["A"]["required"] == ["type", "x"]
    schemas = corrected(tmp_path, {"optional": {"schemas": ["A", "B"], "members": ["x", "y"]}})
    assert [schemas[name]["required"] for name in "AB"] == [["type"], ["type"]]


def test_add(tmp_path: Path) -> None:
    new = {"x": {"type": "integer"}, "z": {"type": "boolean"}}
    schemas = corrected(tmp_path, {"add": {"schemas": ["A", "C"], "members": {"z": new["z"]}}})
    assert list(schemas["A"]["properties"]) == ["type", "x", "y", "z"]
    assert list(schemas["C"]["properties"]) == ["x", "z"]
    schemas = corrected(tmp_path, {"add": {"union": "U", "members": {"y": {"type": "number"}}}})
    assert schemas["A"]["properties"]["y"]["type"] == "integer"  # it was there
    assert schemas["B"]["properties"]["y"]["type"] == "number"


def test_change(tmp_path: Path) -> None:
    wider = {"anyOf": [{"type": "string"}, {"type": "integer"}]}
    schemas = corrected(tmp_path, {"change": {"schema": "A", "members": {"x": wider}}})
    assert schemas["A"]["properties"]["x"] == {"description": "The x.", **wider}
    bound = {"minimum": 0, "x-strict": True}
    schemas = corrected(tmp_path, {"change": {"schema": "A", "members": {"y": bound}}})
    assert schemas["A"]["properties"]["y"] == {**BASE["A"]["properties"]["y"], **bound}


def test_alias(tmp_path: Path) -> None:
    schemas = corrected(tmp_path, {"alias": {"C": "A"}})
    assert schemas["C"] == {
        "$ref": "#/components/schemas/A",
        "description": "A C.",
        "x-module": "interactions",
    }


def tagged(name: str, value: str) -> dict[str, Any]:
    """A schema whose tag is the member `name`."""
    return {"type": "object", "properties": {name: {"type": "string", "const": value}}}


ADDED: dict[str, Any] = {"D": tagged("type", "d"), "E": tagged("type", "e")}


def test_define(tmp_path: Path) -> None:
    schemas = corrected(tmp_path, {"define": {**ADDED, "F": {"x-module": "f"}}})
    assert schemas["E"] == {**ADDED["E"], "x-module": "interactions"}
    assert schemas["F"] == {"x-module": "f"}
    assert corrected(tmp_path, {"define": {"D": "A"}})["D"] == {
        "$ref": "#/components/schemas/A",
        "description": "Another name of `A`.",
        "x-module": "interactions",
    }


def test_extend(tmp_path: Path) -> None:
    schemas = corrected(
        tmp_path, {"define": ADDED}, {"extend": {"union": "U", "members": ["D", "E"]}}
    )
    refs = [member["$ref"].rpartition("/")[2] for member in schemas["U"]["oneOf"]]
    assert refs == ["A", "B", "D", "E"]
    assert schemas["U"]["discriminator"]["mapping"] == {
        "d": "#/components/schemas/D",
        "e": "#/components/schemas/E",
    }


@pytest.mark.parametrize("schema", [{"type": "object"}, tagged("event_type", "d")], ids=json.dumps)
def test_extend_with_what_cannot_be_told_apart(tmp_path: Path, schema: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="D has no tag that U is told apart by"):
        corrected(tmp_path, {"define": {"D": schema}}, {"extend": {"union": "U", "members": ["D"]}})


def test_corrections_build_on_each_other(tmp_path: Path) -> None:
    schemas = corrected(
        tmp_path,
        {"add": {"schema": "B", "members": {"y": {"type": "integer"}}}},
        {"change": {"schemas": ["A", "B"], "members": {"y": {"minimum": 1}}}},
    )
    assert [schemas[name]["properties"]["y"]["minimum"] for name in "AB"] == [1, 1]


STALE: list[dict[str, Any]] = [
    {"optional": {"schema": "A", "members": ["z"]}},
    {"optional": {"schema": "A", "members": ["x", "z"]}},
    {"optional": {"schema": "C"}},
    {"optional": {"schema": "Z"}},
    {"optional": {"union": "Z"}},
    {"optional": {"union": "C"}},
    {"optional": {"union": "U", "but": ["Z"]}},
    {"optional": {"union": "U", "but": ["C"]}},
    {"optional": {"schemas": []}},
    {"add": {"schema": "A", "members": {"x": {"type": "string"}}}},
    {"add": {"schema": "A", "members": {"x": {"type": "string"}, "z": {"type": "string"}}}},
    {"add": {"schemas": ["A", "Z"], "members": {"z": {"type": "string"}}}},
    {"change": {"schema": "A", "members": {"z": {"type": "string"}}}},
    {"change": {"schema": "A", "members": {"x": {"type": "string"}}}},
    {"change": {"schemas": ["A", "B"], "members": {"y": {"minimum": 0}}}},
    {"change": {"schema": "Z", "members": {"x": {"type": "string"}}}},
    {"alias": {"Z": "A"}},
    {"alias": {"A": "Z"}},
    {"alias": {"A": "A"}},
    {"define": {"A": tagged("type", "d")}},
    {"define": {"A": "B"}},
    {"define": {"D": "Z"}},
    {"extend": {"union": "Z", "members": ["A"]}},
    {"extend": {"union": "C", "members": ["A"]}},
    {"extend": {"union": "U", "members": ["B"]}},
    {"extend": {"union": "U", "members": []}},
]


@pytest.mark.parametrize("correction", STALE, ids=json.dumps)
def test_useless_correction(tmp_path: Path, correction: dict[str, Any]) -> None:
    with pytest.raises(StaleOverlay):
        corrected(tmp_path, correction)


@pytest.mark.parametrize(
    "correction",
    [
        {"optional": {"schema": "A"}},
        {"add": {"schema": "A", "members": {"z": {"type": "string"}}}},
        {"change": {"schema": "A", "members": {"y": {"minimum": 0}}}},
        {"alias": {"C": "A"}},
        {"define": {"D": tagged("type", "d")}},
        {"define": {"D": "A"}},
    ],
    ids=json.dumps,
)
def test_correction_made_twice(tmp_path: Path, correction: dict[str, Any]) -> None:
    corrected(tmp_path, correction)
    with pytest.raises(StaleOverlay):
        corrected(tmp_path, correction, correction)


@pytest.mark.parametrize("reason", ["", " ", None])
def test_correction_without_a_reason(tmp_path: Path, reason: Any) -> None:
    with pytest.raises(StaleOverlay, match="reason"):
        corrected(tmp_path, {"optional": {"schema": "A"}, "reason": reason})


def test_two_schemas_of_one_name(tmp_path: Path) -> None:
    corrected(tmp_path, {"alias": {"C": "A"}})
    spec = tmp_path / "spec.yaml"
    with pytest.raises(ValueError, match="second schema U"):
        load([spec, spec], tmp_path / "overlay.yaml")


def test_two_open_unions_of_the_same_members() -> None:
    """At run time they would be one, and what is unknown in it can have one class only."""
    with pytest.raises(ValueError, match="U and V are the same union"):
        unions({**BASE, "V": {**BASE["U"], "oneOf": BASE["U"]["oneOf"][::-1]}})


def test_recursive_schemas(tmp_path: Path) -> None:
    """The second walk reads each byte a bounded number of times because there are none."""
    text = (GOLDEN / "zoo.openapi.yaml").read_text("utf-8")
    text = text.replace("schemas/Ball'}\n    Dish", "schemas/Animal'}\n    Dish")
    (tmp_path / "zoo.yaml").write_text(text)
    with pytest.raises(ValueError, match="Animal is recursive"):
        generated(specs=[tmp_path / "zoo.yaml"])


# ---- the project's own spec


def test_every_correction_has_a_reason_and_one_operation() -> None:
    corrections = yaml.safe_load((SPEC / "overlay.yaml").read_text("utf-8"))["corrections"]
    assert corrections
    for entry in corrections:
        assert len(entry["reason"]) > 20, entry
        assert len(entry) == 2, entry
        assert entry.keys() - {"reason"} <= OPERATIONS.keys(), entry


def test_every_schema_and_member_of_the_spec_is_described() -> None:
    document = load([SPEC / name for name in DOCUMENTS], SPEC / "overlay.yaml")
    for name, schema in document["components"]["schemas"].items():
        assert schema.get("description"), name
        for member, keywords in schema.get("properties", {}).items():
            assert keywords.get("description") or "const" in keywords, f"{name}.{member}"


@pytest.mark.slow
def test_the_committed_models_are_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "codegen", "--check"], capture_output=True, text=True, cwd=ROOT
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
