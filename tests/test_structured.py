"""Structured output: types of the caller to schemas, text to values, and every misfit an error."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import json
import pickle
import threading
from collections.abc import Callable
from datetime import date
from typing import Annotated, Any, Literal, NotRequired, TypedDict

import msgspec
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from gemwire import DecodeError, GemwireError, Interaction, ModelOutputStep, TextContent
from gemwire import models as m
from gemwire.structured import OutputError, json_schema, parse_json, parse_output


class Item(msgspec.Struct):
    """One line of a bill."""

    name: str
    price: Annotated[float, msgspec.Meta(ge=0, description="In euros.")]


class Bill(msgspec.Struct):
    items: list[Item]
    day: date | None = None


@dataclasses.dataclass
class Point:
    x: int
    y: int = 0


class Card(TypedDict):
    title: str
    at: NotRequired[Point]


class Tag(pydantic.BaseModel):
    label: str = pydantic.Field(min_length=2)


class Article(pydantic.BaseModel):
    title: str
    tags: list[Tag]


class Mixed(msgspec.Struct):
    tag: Tag
    others: list[Tag] = []


class Tree(msgspec.Struct):
    value: int
    children: list[Tree] = []


class Described(msgspec.Struct):
    at: Annotated[Point, msgspec.Meta(description="Where.")]


def said(*texts: str, status: Any = "completed") -> Interaction:
    parts: list[m.Content] = [TextContent(text=text) for text in texts]
    return Interaction(status=status, steps=[ModelOutputStep(content=parts)])


# ---- text to values

FITTING: list[tuple[Any, str, Any]] = [
    (
        Bill,
        '{"items":[{"name":"tea","price":2}],"day":"2026-10-03","more":1}',
        Bill([Item("tea", 2.0)], date(2026, 10, 3)),
    ),
    (Point, ' {"x":1}\n', Point(1)),
    (Card, '{"title":"a","at":{"x":1,"y":2}}', {"title": "a", "at": Point(1, 2)}),
    (Article, '{"title":"a","tags":[{"label":"bc"}]}', Article(title="a", tags=[Tag(label="bc")])),
    (list[Tag], '[{"label":"bc"}]', [Tag(label="bc")]),
    (Tag | None, "null", None),
    (Tag | Article, '{"title":"a","tags":[]}', Article(title="a", tags=[])),
    (
        Mixed,
        '{"tag":{"label":"ab"},"others":[{"label":"cd"}]}',
        Mixed(Tag(label="ab"), [Tag(label="cd")]),
    ),
    (Tree, '{"value":1,"children":[{"value":2}]}', Tree(1, [Tree(2)])),
    (Literal["yes", "no"], '"yes"', "yes"),
    (list[int], "[1,2]", [1, 2]),
    (int, "12345678901234567890123", 12345678901234567890123),
    (dict[str, Any], '{"a":null}', {"a": None}),
    (str, '"\\ud83d"', "�"),
    (str, '"\\ud83d\\ude80"', "🚀"),
]


@pytest.mark.parametrize(("type", "text", "value"), FITTING, ids=[str(row[0]) for row in FITTING])
def test_a_fitting_text_is_a_value(type: Any, text: str, value: Any) -> None:
    assert parse_output(said(text), type) == value
    assert parse_json(text.encode(), type) == value


def test_the_parts_at_the_end_are_one_text() -> None:
    assert parse_output(said('{"x":', "1}"), Point) == Point(1)


MISFITS: list[tuple[str, Any, str, str, str]] = [
    # (what, the type, the text, the path, a part of the reason)
    ("a wrong type", Bill, '{"items":[{"name":"a","price":"2"}]}', "$.items[0].price", "float"),
    ("a bound", Bill, '{"items":[{"name":"a","price":-2}]}', "$.items[0].price", ">= 0"),
    ("a missing member", Bill, '{"items":[{"name":"a"}]}', "$.items[0]", "price"),
    ("a date", Bill, '{"items":[],"day":"soon"}', "$.day", "date"),
    ("in a dataclass", Point, '{"x":1.5}', "$.x", "int"),
    ("in a TypedDict", Card, '{"title":"a","at":{}}', "$.at", "x"),
    (
        "in a pydantic model",
        Article,
        '{"title":"a","tags":[{"label":"ab"},{"label":"b"}]}',
        "$.tags[1].label",
        "at least 2",
    ),
    ("several", Article, "{}", "$.title", "and 1 more"),
    ("in a list of models", list[Tag], '[{"label":1}]', "$[0].label", "string"),
    ("in a model in a Struct", Mixed, '{"tag":{"label":"a"}}', "$.tag", "in it at $.label"),
    ("none of the literals", Literal["yes"], '"no"', "$", "no"),
    ("prose", Point, 'Here it is: {"x":1}', "$", "malformed"),
    ("a fence", Point, '```json\n{"x":1}\n```', "$", "malformed"),
    ("half of it", Point, '{"x":1', "$", "truncated"),
    ("half of it, pydantic", Article, '{"title":"a"', "$", "EOF"),
    ("two values", Point, '{"x":1}{"x":2}', "$", "malformed"),
    ("NaN", Point, '{"x":NaN}', "$", "malformed"),
    ("too deep", list[Any], "[" * 100_000, "$", "recursion"),
    ("too deep, pydantic", list[Tag], "[" * 100_000, "$", "recursion"),
]


@pytest.mark.parametrize(
    ("type", "text", "path", "reason"),
    [row[1:] for row in MISFITS],
    ids=[row[0] for row in MISFITS],
)
def test_a_misfit_has_the_text_and_the_path(type: Any, text: str, path: str, reason: str) -> None:
    with pytest.raises(OutputError) as caught:
        parse_output(said(text), type)
    error = caught.value
    assert (error.text, error.path, error.status) == (text, path, "completed")
    assert reason in str(error)
    assert "pydantic.dev" not in str(error)
    assert error.data == text.encode()[:512]
    for copied in (copy.copy(error), pickle.loads(pickle.dumps(error))):
        assert (copied.text, copied.path, str(copied)) == (error.text, error.path, str(error))


@pytest.mark.parametrize(
    "status",
    [
        *("incomplete", "in_progress", "queued", "failed", "cancelled", "budget_exceeded"),
        "requires_continuation",
    ],
)
def test_a_text_that_may_be_cut_is_none(status: Any) -> None:
    """12 is a number, also where 123 was meant."""
    with pytest.raises(OutputError, match=f"the answer is {status}") as caught:
        parse_output(said("12", status=status), int)
    assert (caught.value.text, caught.value.status) == ("12", status)


@pytest.mark.parametrize("status", ["completed", "requires_action", "well_done", UNSET])
def test_others_are_taken(status: Any) -> None:
    assert parse_output(said("12", status=status), int) == 12


@pytest.mark.parametrize("steps", [UNSET, [], [ModelOutputStep(content=[TextContent(text=" ")])]])
def test_no_text_is_an_error(steps: Any) -> None:
    with pytest.raises(OutputError, match="no text"):
        parse_output(Interaction(status="completed", steps=steps), Point)


@given(st.text(max_size=20), st.sampled_from([Bill, Article, Mixed, list[Tag], Card, int, str]))
def test_no_text_raises_anything_else(text: str, type: Any) -> None:
    with contextlib.suppress(GemwireError):
        parse_json(text, type)


def test_bytes_that_are_no_utf8() -> None:
    with pytest.raises(DecodeError):
        parse_json(b'"\xff"', str)


def test_what_nobody_knows_is_the_callers_mistake() -> None:
    class Strange:
        def __init__(self, a: int) -> None:
            self.a = a

    with pytest.raises(TypeError, match="Strange"):
        parse_output(said("1"), Strange)
    with pytest.raises(TypeError):
        json_schema(Strange)


def test_an_exception_of_a_validator_is_a_misfit() -> None:
    class Even(msgspec.Struct):
        n: int

        def __post_init__(self) -> None:
            if self.n % 2:
                raise ValueError("n is odd")

    with pytest.raises(OutputError, match="n is odd"):
        parse_output(said('{"n":1}'), Even)


def test_threads_may_meet_a_type_for_the_first_time() -> None:
    types = [msgspec.defstruct(f"T{i}", [("items", list[Item])]) for i in range(40)]
    failed: list[BaseException] = []
    ready = threading.Barrier(4)

    def work() -> None:
        ready.wait()
        try:
            for type in types:
                json_schema(type)
                assert parse_json('{"items":[{"name":"a","price":1}]}', type)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []


# ---- types to schemas

POINT = {
    "title": "Point",
    "type": "object",
    "properties": {"x": {"type": "integer"}, "y": {"type": "integer", "default": 0}},
    "required": ["x"],
}
TAG = {
    "title": "Tag",
    "type": "object",
    "properties": {"label": {"title": "Label", "type": "string", "minLength": 2}},
    "required": ["label"],
}

SCHEMAS: list[tuple[Any, dict[str, Any]]] = [
    (int, {"type": "integer"}),
    (Literal["yes", "no"], {"enum": ["no", "yes"]}),
    (Point, POINT),
    (Tag, TAG),
    (list[Tag], {"type": "array", "items": {"$ref": "#/$defs/Tag"}, "$defs": {"Tag": TAG}}),
    (
        Card,
        {
            "title": "Card",
            "type": "object",
            "properties": {"title": {"type": "string"}, "at": {"$ref": "#/$defs/Point"}},
            "required": ["title"],
            "$defs": {"Point": POINT},
        },
    ),
    (
        Described,
        {
            "title": "Described",
            "type": "object",
            "properties": {"at": {"description": "Where.", "anyOf": [{"$ref": "#/$defs/Point"}]}},
            "required": ["at"],
            "$defs": {"Point": POINT},
        },
    ),
]


@pytest.mark.parametrize(("type", "schema"), SCHEMAS, ids=[str(row[0]) for row in SCHEMAS])
def test_a_type_has_its_schema(type: Any, schema: dict[str, Any]) -> None:
    assert json_schema(type) == schema


def test_a_type_that_holds_itself_stays_among_the_definitions() -> None:
    schema = json_schema(Tree)
    assert schema["properties"]["children"]["items"] == {"$ref": "#/$defs/Tree"}
    assert schema["$defs"]["Tree"]["properties"] == schema["properties"]


class Inner(pydantic.BaseModel):
    article: Article


class Outer(msgspec.Struct):
    inner: Inner


@pytest.mark.parametrize("type", [Bill, Article, Mixed, Tree, Card, Inner, Outer, list[Inner]])
def test_each_reference_leads_to_a_definition_and_stands_alone(type: Any) -> None:
    schema = json_schema(type)
    assert "$ref" not in schema

    def look(value: Any, top: bool = True) -> None:
        if isinstance(value, dict):
            assert top or "$defs" not in value
            if "$ref" in value:
                assert list(value) == ["$ref"]
                assert value["$ref"].removeprefix("#/$defs/") in schema["$defs"]
            value = list(value.values())
        for item in value if isinstance(value, list) else ():
            look(item, False)

    look(schema)
    json.dumps(schema)


def test_two_types_of_one_name_are_refused() -> None:
    def other() -> Any:
        class Tag(pydantic.BaseModel):
            n: int

        class Holder(pydantic.BaseModel):
            tag: Tag

        return Holder

    type = msgspec.defstruct("Both", [("one", Article), ("two", other())])
    with pytest.raises(TypeError, match="two different types in the schema are called 'Tag'"):
        json_schema(type)


FORMATS: list[Callable[[], Any]] = [
    lambda: m.TextResponseFormat(mime_type="application/json", schema=json_schema(Bill)),
    lambda: {"type": "text", "mime_type": "application/json", "schema": json_schema(Article)},
]


@pytest.mark.parametrize("format", FORMATS)
def test_a_schema_goes_into_a_request(format: Callable[[], Any]) -> None:
    from gemwire.operations import create_interaction

    body = {"model": "gemini-3.6-flash", "input": "?", "response_format": format()}
    sent = json.loads(create_interaction(body).body or b"")
    assert sent["response_format"]["schema"]["type"] == "object"
