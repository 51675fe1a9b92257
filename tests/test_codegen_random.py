"""Documents at random, in the idioms of published ones: what is generated reads what they allow.

Each schema is drawn together with values of it, which have to decode strictly and come back.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytest.importorskip("datamodel_code_generator", reason="the extra `codegen` is not installed")

from .generating import document, made, round_trip

Json: TypeAlias = dict[str, Any]
Drawn: TypeAlias = tuple[Json, list[Any]]
"""A schema, and one or more values of it."""

NAMES = """
    a b name kind class list x-id x_id x.id 3d _private $ref2 json extra_ self None index
    größe Item item
    """.split()  # noqa: SIM905
SCHEMAS = "Thing thing a.b x-y list Any Unknown UnknownThing Event str Größe Int64 V1 v1".split()  # noqa: SIM905
TAGS = ("cat", "dog", "a.b", "A B", 'quo"te', "it's", "pipe | x", "ü", "3")
WORDS = ("", "x", "auto", 'quo"te', "it's", "a | b", "back\\slash", "new\nline", "[x]", "ü")
TEXTS = ("", "A text.", 'Says "no"', '"""', "back\\", "\\N{x}", "{{ x }} {% y %}", "a\n\nb", "\x07")
KINDS = ("object", "array", "map", "enum", "scalar", "ref", "tagged", "mixed", "allOf")


class Document:
    """What is drawn so far: the schemas with a name, each with its values."""

    def __init__(self, draw: Callable[..., Any]) -> None:
        self.draw = draw
        self.named: dict[str, Drawn] = {}

    def one_of(self, *values: Any) -> Any:
        return self.draw(st.sampled_from(values))

    def some(self, values: tuple[str, ...] | list[str], most: int = 4) -> list[str]:
        found: list[str] = self.draw(
            st.lists(st.sampled_from(values), min_size=1, max_size=most, unique=True)
        )
        return found

    def schema(self, depth: int, kinds: tuple[str, ...] = KINDS) -> Drawn:
        kind = self.one_of(*(kinds if depth else ("enum", "scalar", "ref")))
        schema, values = getattr(self, f"a_{kind}")(depth - 1)
        said = {"description": self.one_of(*TEXTS)} if self.draw(st.booleans()) else {}
        return {**said, **schema}, values

    def add(self, drawn: Drawn) -> str:
        """Give a schema a name; returns it."""
        free = [name for name in SCHEMAS if name not in self.named]
        name = self.one_of(*free) if free else f"More{len(self.named)}"
        self.named[name] = drawn
        return name

    # ---- the idioms

    def a_scalar(self, depth: int) -> Drawn:
        drawn: Drawn = self.one_of(
            ({"type": "string"}, ["", "x", 'ü"\\']),
            ({"type": "string", "format": "byte"}, ["YQ=="]),
            ({"type": "string", "format": "date-time"}, ["2026-01-01T00:00:00.123456789Z", "x"]),
            ({"type": "string", "format": "uri", "pattern": "^x", "minLength": 1}, ["x:"]),
            ({"type": "integer", "minimum": 0}, [0, 7, 2**53]),
            ({"type": "integer", "format": "int64"}, [-1]),
            ({"type": "number", "format": "double"}, [0, 1.5]),
            ({"type": "boolean", "default": False}, [True]),
            ({"type": "integer", "enum": [1, 2]}, [1]),
            ({}, [None, 1, "x", [1, {}]]),
            ({"type": ["string", "integer"]}, ["x", 1]),
            ({"type": "object"}, [{}, {"x": [1]}]),
        )
        if drawn[0] and self.draw(st.booleans()):
            return self.nullable(*drawn)
        int64: Drawn = ({"type": "string", "format": "int64"}, ["7", "-9"])
        return int64 if self.draw(st.booleans()) else drawn

    def nullable(self, schema: Json, values: list[Any]) -> Drawn:
        form = self.one_of("nullable", "list", "anyOf")
        if form == "list" and isinstance(schema.get("type"), str):
            return {**schema, "type": [schema["type"], "null"]}, [*values, None]
        if form == "anyOf":
            return {"anyOf": [schema, {"type": "null"}]}, [*values, None]
        return {**schema, "nullable": True}, [*values, None]

    def a_enum(self, depth: int) -> Drawn:
        words = self.some(WORDS)
        closed = {"type": "string", "enum": words}
        consts = [{"const": word, "x-stainless-const": True} for word in words]
        schema = self.one_of(
            closed,
            {**closed, "title": "Mood"},
            {"enum": [*words, None], "nullable": True},
            {"anyOf": [{"type": "string"}, *consts], "x-stainless-nominal": False},
            {"oneOf": consts},
            consts[0],
        )
        return schema, words if "const" not in schema else words[:1]

    def a_ref(self, depth: int) -> Drawn:
        if not self.named:
            return self.a_scalar(depth)
        name = self.one_of(*self.named)
        schema = {"$ref": f"#/components/schemas/{name}"}
        values = self.named[name][1]
        form = self.one_of("plain", "allOf", "oneOf")
        return (schema if form == "plain" else {form: [schema], "title": "Ref"}), values

    def a_array(self, depth: int) -> Drawn:
        items, values = self.schema(depth)
        return {"type": "array", "items": items, "maxItems": 9}, [[], values]

    def a_map(self, depth: int) -> Drawn:
        items, values = self.schema(depth)
        schema = {"type": "object", "additionalProperties": items}
        return schema, [{}, {f"k {at}": value for at, value in enumerate(values)}]

    def a_object(self, depth: int, tag: tuple[str, str] | None = None) -> Drawn:
        members = {name: self.schema(depth) for name in self.some(NAMES)}
        required = [name for name in members if self.draw(st.booleans())]
        base: Json = {}
        if tag:
            self_told = self.one_of({"const": tag[1]}, {"type": "string", "enum": [tag[1]]})
            members[tag[0]] = self_told, [tag[1]]
            required = [name for name in required if name != tag[0]]
            required += [tag[0]] if self.draw(st.booleans()) else []
            base = {tag[0]: tag[1]}
        schema = {
            "type": "object",
            "required": required,
            "properties": {name: drawn[0] for name, drawn in members.items()},
        }
        if tag is None:
            schema |= self.one_of({}, {"title": "Part"}, {"title": "a part"})
        schema |= self.one_of({}, {"additionalProperties": {"description": "More."}})
        full = [
            {name: drawn[1][turn % len(drawn[1])] for name, drawn in members.items()}
            for turn in (0, 1)
        ]
        least = base | {name: members[name][1][0] for name in required}
        more = full[0] | {"further": 1} if "additionalProperties" in schema else full[0]
        return schema, [least, more, full[1]]

    def a_allOf(self, depth: int) -> Drawn:  # its name in a document
        first, some = self.a_object(depth)
        second, others = self.a_object(depth)
        for schema, values in ((first, some), (second, others)):
            schema.pop("additionalProperties", None)
            for value in values:
                value.pop("further", None)
        known = second["properties"].keys() - first["properties"].keys()
        second["properties"] = {name: second["properties"][name] for name in sorted(known)}
        second["required"] = [name for name in second["required"] if name in known]
        others = [{name: v for name, v in value.items() if name in known} for value in others]
        ref = {"$ref": f"#/components/schemas/{self.add((first, some))}"}
        values = [a | b for a, b in zip(some, others, strict=True)]
        return {"allOf": [ref, second] if known else [ref]}, values

    def a_tagged(self, depth: int) -> Drawn:
        """A union of objects that a tag tells; nothing else in it has that member."""
        member = self.one_of("type", "event_type", "tag kind", "@type")
        parts, values = [], []
        for tag in self.some(TAGS, 3):
            schema, found = self.a_object(depth, (member, tag))
            values += found
            inline = self.draw(st.booleans())
            ref = (
                schema if inline else {"$ref": f"#/components/schemas/{self.add((schema, found))}"}
            )
            parts.append(ref)
        told = {"discriminator": {"propertyName": member}}
        told = self.one_of({}, told) if member in ("type", "event_type") else told
        return {self.one_of("oneOf", "anyOf"): parts, **told}, values

    def a_mixed(self, depth: int) -> Drawn:
        """A union of whatever there is."""
        drawn = [self.schema(depth) for _ in range(self.one_of(1, 2, 3))]
        drawn.append(({"type": "string"}, ["x"]))
        return {"anyOf": [schema for schema, _ in drawn]}, [
            v for _, values in drawn for v in values
        ]


@st.composite
def documents(draw: Callable[..., Any]) -> dict[str, Drawn]:
    found = Document(draw)
    for _ in range(6):
        found.add(found.schema(3))
    return found.named


def values_come_back(named: dict[str, Drawn], factory: pytest.TempPathFactory) -> None:
    given = document({name: schema for name, (schema, _) in named.items()})
    with made(given, factory.mktemp("random")) as (models, notes):
        renamed = {
            note.place.removeprefix("#/components/schemas/"): note.text.split("`")[3]
            for note in notes.found
            if note.kind == "renamed"
        }
        for name, (_, values) in named.items():
            # That it can be null is said where it is referred to.
            for value in (value for value in values if value is not None):
                round_trip(getattr(models, renamed.get(name, name)), value)


UNHURRIED = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example]


@settings(max_examples=16, derandomize=True, deadline=None, suppress_health_check=UNHURRIED)
@given(documents())
def test_values_of_a_random_document(
    tmp_path_factory: pytest.TempPathFactory, named: dict[str, Drawn]
) -> None:
    values_come_back(named, tmp_path_factory)


@pytest.mark.slow
@settings(max_examples=1000, deadline=None, suppress_health_check=UNHURRIED)
@given(documents())
def test_values_of_many_random_documents(
    tmp_path_factory: pytest.TempPathFactory, named: dict[str, Drawn]
) -> None:
    values_come_back(named, tmp_path_factory)
