"""The generated models are what the tables of the wire say, but for what the overlay explains.

The tables are facts gathered from the released SDKs, and are not part of the repository: the test
runs where GEMWIRE_WIRE names their folder (default: ../shared/wire). The differences that the
overlay makes are worked out from the overlay itself, so that none can be made beside it.
"""

from __future__ import annotations

import functools
import json
import operator
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pytest
import yaml

from gemwire import models as m
from gemwire.codec.schema import fields, known_values, shape
from gemwire.codec.structs import FREE, STRICT, WireStruct
from tests.strategies import UNIONS

ROOT = Path(__file__).parent.parent
TABLE = Path(os.environ.get("GEMWIRE_WIRE", ROOT / ".." / "shared" / "wire")) / "current-3.6.json"
OVERLAY = ROOT / "spec" / "overlay.yaml"

if not TABLE.exists():
    pytest.skip(f"no table of the wire at {TABLE} (see GEMWIRE_WIRE)", allow_module_level=True)

Json = dict[str, Any]
DOCUMENT: Json = json.loads(TABLE.read_text("utf-8"))
ERROR_BODIES = set(DOCUMENT["error_bodies"])  # one for each operation and status, all alike
NAMES = {key: schema.get("spec_name", key) for key, schema in DOCUMENT["schemas"].items()}
# All our models share one namespace, in which a name stands for one schema.
NAMES |= {
    "VoiceInput": "VoiceInput",  # what is sent; `Voice` comes back
    "credentials.Status": "CredentialStatus",
    "credentials.Type": "CredentialType",
    "environments.Status": "EnvironmentStatus",
    "environments.Type": "EnvironmentFileType",
}

SCALARS = {
    "string": "str",
    "bytes": "str",  # base64, kept as the text it is
    "datetime": "str",  # Google writes more digits than a datetime holds
    "integer": "int",
    "number": "float",
    "boolean": "bool",
    "any": "Any",
}


def refs(value: Json | list[Json]) -> set[str]:
    """The keys of the schemas that a part of the table refers to."""
    return set(re.findall(r"ref:([\w.]+)", json.dumps(value)))


def reachable() -> Json:
    """The schemas of the table that an operation of any resource, or the live socket, sends or
    receives, by name.
    """
    found: set[str] = set()
    waiting = refs(DOCUMENT["operations"]) | refs(DOCUMENT["transport"]["websocket"])
    while waiting:
        key = waiting.pop()
        if key not in found and key not in ERROR_BODIES:
            found.add(key)
            waiting |= refs(DOCUMENT["schemas"][key])
    body = {"kind": "object", "fields": next(iter(DOCUMENT["error_bodies"].values()))}
    schemas = {NAMES[key]: DOCUMENT["schemas"][key] for key in sorted(found)}
    assert len(schemas) == len(found), "two schemas of one name"
    return {**schemas, "ErrorBody": body}


def python_type(text: str) -> str:
    """A type of the table as our annotation: `array<ref:Content>` → `list[Content]`."""
    if text.startswith("ref:"):
        return str(NAMES[text.removeprefix("ref:")])
    if found := re.fullmatch(r"array<(.*)>", text):
        return f"list[{python_type(found[1])}]"
    if found := re.fullmatch(r"map<(.*)>", text):
        return f"dict[str, {python_type(found[1])}]"
    return SCALARS[text]


def schema_type(schema: Json) -> str:
    """A schema of the overlay, which is OpenAPI, as our annotation."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        return " | ".join(map(schema_type, schema["anyOf"]))
    if schema.get("type") == "array":
        return f"list[{schema_type(schema['items'])}]"
    if schema.get("type") == "object":
        return "dict[str, Any]"
    if "minimum" in schema:
        return f"Annotated[int, Meta(ge={schema['minimum']})]"
    return SCALARS[schema.get("type", "any")]


OPEN_UNIONS = {union: name for name, (union, _) in UNIONS.items()}


# ---- what the table says, and what the models are, in the same words

Facts = dict[str, str]
"""Place (`StepDelta.index`) → what stands there."""


def table_facts(name: str, schema: Json) -> Iterator[tuple[str, str]]:
    if schema["kind"] == "alias":
        yield name, f"= {python_type(schema['type'])}"
    elif schema["kind"] == "enum":
        for value in schema["values"]:
            yield f"{name} = {value!r}", "value"
        yield name, "open enum"  # whether the table calls it open or not: values come all the time
    elif schema["kind"] == "union":
        for member in schema["members"]:
            yield f"{name} | {python_type(member)}", "alternative"
        if schema.get("discriminator"):
            by = schema["discriminator"]
            for tag, member in by["mapping"].items():
                yield f"{name} | {NAMES[member]}", f"{by['property']} {tag!r}"
            yield name, "open union"  # here too
    elif not schema["fields"]:
        yield name, "= dict[str, Any]"
    else:
        yield name, "free object" if schema.get("additional") else "object"
        for member in schema["fields"]:
            place = f"{name}.{member['name']}"
            if member.get("const") is None:
                type_ = "Int64" if member.get("string_encoded") else python_type(member["type"])
                yield place, f"{type_}{', required' if member['required'] else ''}"
            elif member["name"] in ("type", "event_type"):
                yield place, f"tag {member['const']!r}"
            else:
                yield place, f"Literal[{member['const']!r}] | str, required"  # as open as an enum


def model_facts(name: str, schema: Json) -> Iterator[tuple[str, str]]:
    """What the model of the same name is. Types that have no name at run time (the aliases) are
    compared with what the table's words mean there.
    """
    model: Any = getattr(m, name, None)
    if model is None:
        return
    other = name
    if isinstance(model, type):
        other = model.__name__
    elif schema["kind"] == "union" and model in OPEN_UNIONS:
        other = OPEN_UNIONS[model]
    if other != name:
        yield name, f"= {other}"
    elif isinstance(model, type) and issubclass(model, WireStruct):
        yield name, "free object" if model in FREE else "object"
        config = model.__struct_config__
        if config.tag_field is not None:
            yield f"{name}.{config.tag_field}", f"tag {config.tag!r}"
        for member, field in fields(model).items():
            type_ = model.__annotations__[member].replace(" | UnsetType", "")
            type_ = type_.replace("Sequence[", "list[")  # what a request takes, is sent as a list
            strict = member in STRICT.get(model, ())
            required = ", required" if field.required and not strict else ""
            yield f"{name}.{member}", f"{type_}{required}{', strict' if strict else ''}"
    elif schema["kind"] == "alias" and model == NAMESPACE.get(python_type(schema["type"])):
        yield name, f"= {python_type(schema['type'])}"
    elif schema["kind"] == "enum":
        known = known_values(model)
        for value in sorted(known or (), key=schema["values"].index if known else None):
            yield f"{name} = {value!r}", "value"
        scalar = shape(model).scalar
        literal = get_origin(scalar) is Literal
        yield name, "enum" if literal else "open enum"
        assert literal or str in get_args(scalar)
    elif schema["kind"] == "union" and schema.get("discriminator"):
        for tag, cls in shape(model).structs.items():
            yield f"{name} | {cls.__name__}", f"{cls.__struct_config__.tag_field} {tag!r}"
        yield name, "open union" if model in OPEN_UNIONS else "union"
    elif schema["kind"] == "union":
        words = [python_type(member) for member in schema["members"]]
        meant = functools.reduce(operator.or_, [eval(word, NAMESPACE) for word in words])
        if alternatives(meant) == alternatives(model):
            for word in words:
                yield f"{name} | {word}", "alternative"
        else:
            yield name, f"= {model}"
    else:
        yield name, f"= {model}".replace("typing.", "")


NAMESPACE = {name: getattr(m, name) for name in m.__all__} | {"Any": Any}


def alternatives(hint: Any) -> Any:
    """A union in a form that does not depend on the order of its members."""
    kinds = shape(hint)
    return kinds._replace(lists=sorted(map(str, kinds.lists)))


def differences(table: Facts, models: Facts) -> set[str]:
    found = set()
    for place in table.keys() | models.keys():
        old, new = table.get(place), models.get(place)
        if old is None:
            found.add(f"{place}: {new} (added)")
        elif new is None:
            found.add(f"{place}: {old} (missing)")
        elif old != new:
            found.add(f"{place}: {old} → {new}")
    return found


# ---- what the overlay explains


def targets(schemas: Json, target: Json) -> list[str]:
    """The schemas that a correction names."""
    names: list[str] = target.get("schemas", [])
    if "schema" in target:
        names = [target["schema"]]
    if "union" in target:
        names = [
            NAMES[name] for name in schemas[target["union"]]["discriminator"]["mapping"].values()
        ]
    return [name for name in names if name not in target.get("but", [])]


def corrected(schemas: Json, facts: Facts) -> Facts:
    """The facts of the table after the corrections of the overlay."""
    facts = dict(facts)

    def edit(place: str, change: Callable[[str], str]) -> None:
        facts[place] = change(facts[place])

    def optional(target: Json) -> None:
        for name in targets(schemas, target):
            for place in [place for place in facts if place.startswith(f"{name}.")]:
                if place.partition(".")[2] in target.get("members", [place.partition(".")[2]]):
                    edit(place, lambda fact: fact.replace(", required", ""))

    def add(target: Json) -> None:
        for name in targets(schemas, target):
            for member, schema in target["members"].items():
                facts.setdefault(f"{name}.{member}", schema_type(schema))

    def change(target: Json) -> None:
        for name in targets(schemas, target):
            if not any(place.startswith(f"{name}.") for place in facts):
                assert name.startswith(
                    "Content"
                )  # of the legacy generation, which has no table here
                continue
            for member, schema in target["members"].items():
                strict = ", strict" if schema.get("x-strict") else ""
                required = ", required" if ", required" in facts[f"{name}.{member}"] else ""
                facts[f"{name}.{member}"] = f"{schema_type(schema)}{required}{strict}"

    def alias(target: Json) -> None:
        for name, other in target.items():
            for place in [p for p in facts if re.split(r"[. ]", p)[0] == name]:
                del facts[place]
            facts[name] = f"= {other}"

    def extend(target: Json) -> None:
        for name in target["members"]:
            config = getattr(m, name).__struct_config__
            facts[f"{target['union']} | {name}"] = f"{config.tag_field} {config.tag!r}"

    operations: dict[str, Callable[[Json], None]] = {
        "operation": lambda target: None,  # tests/test_operations.py
        "optional": optional,
        "add": add,
        "change": change,
        "alias": alias,
        "define": lambda target: None,  # what the table does not have
        "extend": extend,
    }
    for correction in yaml.safe_load(OVERLAY.read_text("utf-8"))["corrections"]:
        for operation, target in correction.items():
            if operation != "reason":
                operations[operation](target)
    return facts


# ---- the tests

SCHEMAS = reachable()


def test_models_are_what_the_table_and_the_overlay_say() -> None:
    table = {k: v for name, schema in SCHEMAS.items() for k, v in table_facts(name, schema)}
    models = {k: v for name, schema in SCHEMAS.items() for k, v in model_facts(name, schema)}
    made = differences(table, models)
    explained = differences(table, corrected(SCHEMAS, table))
    problems = [f"not explained by the overlay: {line}" for line in sorted(made - explained)]
    problems += [f"in the overlay, not in the models: {line}" for line in sorted(explained - made)]
    assert not problems, "\n" + "\n".join(problems)
    assert made, "the overlay is not empty"
    assert len(SCHEMAS) > 300


def test_differences_are_found() -> None:
    """The test of the test."""
    table = {"A": "object", "A.x": "str, required", "A.y": "int", "B = 'b'": "value"}
    models = {"A": "object", "A.x": "str", "A.z": "Any", "B = 'b'": "value", "B = 'c'": "value"}
    assert differences(table, models) == {
        "A.x: str, required → str",
        "A.y: int (missing)",
        "A.z: Any (added)",
        "B = 'c': value (added)",
    }


def test_operations_of_the_table_are_known() -> None:
    """The models of all resources are there, so what is compared is everything."""
    sent = {NAMES[key] for key in refs(DOCUMENT["operations"]) - ERROR_BODIES}
    assert sent <= set(m.__all__)
