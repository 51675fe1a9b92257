"""Whatever the older tables of the wire allow decodes as what they say it is.

The tables (facts gathered from released SDKs, see test_wire_table.py) are turned into payloads:
each schema with all its members, with the required ones alone, and with every alternative of a
member. Each must decode strictly, that is without anything unknown, and come back as it was.
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import pytest

from gemwire import decode, to_dict
from gemwire import models as m

ROOT = Path(__file__).parent.parent
WIRE = Path(os.environ.get("GEMWIRE_WIRE", ROOT / ".." / "shared" / "wire"))
TABLES = ["legacy-1.55", "legacy-1.75", "steps-2.0"]

if not all((WIRE / f"{name}.json").exists() for name in TABLES):
    pytest.skip(f"no tables of the wire in {WIRE} (see GEMWIRE_WIRE)", allow_module_level=True)

Json = dict[str, Any]
DOCUMENTS: dict[str, Json] = {
    name: json.loads((WIRE / f"{name}.json").read_text("utf-8"))["schemas"] for name in TABLES
}

SPEC: Json = json.loads((ROOT / "spec" / "legacy.openapi.json").read_text("utf-8"))
TABLE_NAMES: Json = tomllib.loads((ROOT / "spec" / "codegen.toml").read_text("utf-8"))[
    "table_names"
]
OF_OLD: dict[str, str] = {
    TABLE_NAMES.get(name, name): name for name in SPEC["components"]["schemas"]
}
"""Name in the tables → model, for the legacy generation."""

RENAMED = {
    "InteractionEvent": "InteractionStartEvent",  # one schema for both, in 1.55
    "Model": "ModelOption",
    "WebhookListResponse": "ListWebhooksResponse",
    "InteractionSSEEvent": "InteractionSseEvent",
}

INLINE = {
    # Parts of other schemas in 1.55, which have no model of their own: they are tried there.
    "FileSearchResultDeltaResult",
    "FunctionResultDeltaResult",
    "FunctionResultDeltaResultItems",
    "FunctionResultDeltaResultItemsItem",
    "MCPServerToolResultDeltaResult",
    "MCPServerToolResultDeltaResultItems",
    "MCPServerToolResultDeltaResultItemsItem",
}

MODELS = {name.lower(): name for name in m.__all__}


def model_of(table: str, name: str) -> Any:
    """The model of a schema: that of the legacy generation, or today's of the same name."""
    today = name == "Annotation" and table != "legacy-1.55"  # later ones have a type
    if table.startswith("legacy") and name in OF_OLD and not today:
        return getattr(m, OF_OLD[name])
    return getattr(m, MODELS[RENAMED.get(name, name).lower()])


# ---- payloads


def split(text: str) -> list[str]:
    """`a, union<b, c>` → [`a`, `union<b, c>`]"""
    found, depth, start = [], 0, 0
    for at, sign in enumerate(text + ","):
        depth += (sign in "<(") - (sign in ">)")
        if sign == "," and depth == 0:
            found.append(text[start:at].strip())
            start = at + 1
    return found


class Payloads:
    """What a table allows, as JSON values."""

    SCALARS: ClassVar[Json] = {
        "string": "text",
        "datetime": "2026-03-01T09:30:00.123456789Z",
        "integer": 7,
        "number": 0.5,
        "boolean": True,
        "any": {"free": [1, None]},
    }

    def __init__(self, schemas: Json) -> None:
        self.schemas = schemas

    def of(self, kind: str) -> list[Any]:
        """A value for each alternative of a type."""
        if kind in self.SCALARS:
            return [self.SCALARS[kind]]
        if found := re.fullmatch(r"(\w+)[<(](.*)[)>]", kind):
            shape, inside = found.groups()
            if shape == "enum":
                return [value if value != "*" else "brand-new" for value in inside.split("|")]
            if shape == "array":
                return [[value] for value in self.of(inside)]
            if shape == "map":
                return [{"key": value} for value in self.of(inside)]
            assert shape == "union"
            return [value for member in split(inside) for value in self.of(member)]
        return self.of_schema(kind.removeprefix("ref:"))

    @cache  # noqa: B019  (one for each table)
    def of_schema(self, name: str) -> list[Any]:
        schema = self.schemas[name]
        match schema["kind"]:
            case "object":
                return [self.whole(schema)]
            case "enum":
                return [*schema.get("values", ()), "brand-new"]
            case _:
                values = self.of(schema["type"])
                if name == "ThoughtSummaryContent" and "Turn" in self.schemas:
                    return list(map(plain_summary, values))
                return values

    def whole(self, schema: Json) -> Json:
        """An object with all its members."""
        return {
            field["name"]: field.get("const") or self.of(field["type"])[0]
            for field in schema["fields"]
            if not is_either_event(field)
        }

    def all(self, schema: Json) -> Iterator[Json]:
        """The object in every form: whole, bare, and with each alternative of each member."""
        whole = self.whole(schema)
        yield whole
        yield {f["name"]: whole[f["name"]] for f in schema["fields"] if f["required"]}
        for field in schema["fields"]:
            if "const" not in field and not is_either_event(field):
                for value in self.of(field["type"])[1:]:
                    yield {**whole, field["name"]: value}


def plain_summary(content: Json) -> Json:
    """The one difference: an annotation without a type, in the summary of a thought, is unknown.

    Summaries are of the same model today, annotations have a type there, and none was ever seen.
    """
    return {name: value for name, value in content.items() if name != "annotations"}


def is_either_event(field: Json) -> bool:
    """Whether a member tells two events apart that are one schema in 1.55."""
    return bool(field["name"] == "event_type" and "const" not in field)


CASES = [
    pytest.param(table, name, id=f"{table}-{name}")
    for table, schemas in DOCUMENTS.items()
    for name, schema in schemas.items()
    if schema["kind"] != "enum" and "." not in name and name not in INLINE
]


@pytest.mark.parametrize(("table", "name"), CASES)
def test_schema_decodes(table: str, name: str) -> None:
    payloads, schema = Payloads(DOCUMENTS[table]), DOCUMENTS[table][name]
    model = model_of(table, name)
    values = payloads.all(schema) if schema["kind"] == "object" else iter(payloads.of_schema(name))
    for value in values:
        if name == "InteractionSSEEvent" and "event_type" not in value:
            continue  # the one that is two, without its name
        decoded = decode(json.dumps(value), model, strict=True)
        assert without_tags(to_dict(decoded), value) == value


def without_tags(written: Any, sent: Any) -> Any:
    """What is written, without the tags that need not be sent where there is no choice."""
    if isinstance(written, dict) and isinstance(sent, dict):
        return {
            name: without_tags(value, sent.get(name))
            for name, value in written.items()
            if name in sent or name not in ("type", "event_type")
        }
    if isinstance(written, list) and isinstance(sent, list):
        return [without_tags(one, other) for one, other in zip(written, sent, strict=True)]
    return written


def test_nothing_is_left_out() -> None:
    """Every schema of the legacy generation is in a table, and the parts are parts."""
    names = {name for table in TABLES[:2] for name in DOCUMENTS[table]}
    new = {"LegacyAnnotations", "TurnContent"}  # alternatives of a member, which need a name here
    between = {"StreamMetadata"}  # of the tables 2.8 to 2.12, the last of the older spellings
    assert OF_OLD.keys() - names == new | between
    assert DOCUMENTS["legacy-1.55"].keys() >= INLINE
    for name in INLINE:
        assert any(
            f"ref:{name}" in json.dumps(schema)
            for other, schema in DOCUMENTS["legacy-1.55"].items()
            if other != name
        )


def test_payloads_have_all_alternatives() -> None:
    """The test of the test."""
    found = Payloads(
        {
            "A": {
                "kind": "object",
                "fields": [
                    {"name": "type", "type": "string", "required": True, "const": "a"},
                    {"name": "x", "type": "union<string, array<enum(p|q)>>", "required": False},
                ],
            }
        }
    )
    assert list(found.all(found.schemas["A"])) == [
        {"type": "a", "x": "text"},
        {"type": "a"},
        {"type": "a", "x": ["p"]},
        {"type": "a", "x": ["q"]},
    ]
    assert split("a, union<b, c>, map<d>") == ["a", "union<b, c>", "map<d>"]
