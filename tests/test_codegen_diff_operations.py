"""What differs between the operations of two documents, and what whole documents differ in."""

from __future__ import annotations

import os
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from codegen.compare import CHANGES, GROUPS, Entry, compared, plain_form
from codegen.document import METHODS, Schema, read
from codegen.reduce import reduced, written

from .test_codegen_diff import BOAT, GEAR, SCHEMAS, STRING, document, entries, found, model, ref

ROOT = Path(__file__).parent.parent
HISTORY = ROOT / "spec" / "history" / "2026-05.openapi.json"
PUBLISHED = (
    Path(os.environ.get("GEMWIRE_PUBLISHED", ROOT / ".." / "shared" / "spec"))
    / "published-2026-05.openapi.json"
)


def operation(identifier: str, **more: Any) -> Schema:
    answer = {"content": {"application/json": {"schema": ref("Boat")}}}
    return {"operationId": identifier, "responses": {"200": answer}, **more}


def query(name: str, kind: str = "string", required: bool = False) -> Schema:
    return {"name": name, "in": "query", "required": required, "schema": {"type": kind}}


def in_path(name: str) -> Schema:
    return {"name": name, "in": "path", "required": True, "schema": STRING}


def body(schema: Schema, required: bool = True) -> Schema:
    return {"required": required, "content": {"application/json": {"schema": schema}}}


# ---- operations

GET = {"/boats": {"get": operation("ListBoats", parameters=[query("size", "integer")])}}
POST = {"/boats": {"post": operation("CreateBoat", requestBody=body(ref("Boat")))}}


def get_boat(name: str, identifier: str = "GetBoat") -> Schema:
    return {f"/boats/{{{name}}}": {"get": operation(identifier, parameters=[in_path(name)])}}


def answers(content: Schema, headers: Schema | None = None) -> Schema:
    answer = {"content": content, **({"headers": headers} if headers else {})}
    return {"/boats": {"get": {"operationId": "ListBoats", "responses": {"200": answer}}}}


def boats(*parameters: Schema) -> Schema:
    return {"/boats": {"get": operation("ListBoats", parameters=list(parameters))}}


JSON = {"application/json": {"schema": ref("Boat")}}
EVENTS = {"text/event-stream": {"schema": ref("Gear")}}

OPERATIONS: dict[str, tuple[Schema, Schema, list[tuple[str, ...]]]] = {
    "one more": ({}, GET, [("operations", "added", "ListBoats", "", "GET /boats")]),
    "one less": (POST, {}, [("operations", "removed", "CreateBoat", "POST /boats", "")]),
    "another path": (
        GET,
        {"/ships": GET["/boats"]},
        [("operations", "changed", "ListBoats", "GET /boats", "GET /ships")],
    ),
    "another method": (
        GET,
        {"/boats": {"put": GET["/boats"]["get"]}},
        [("operations", "changed", "ListBoats", "GET /boats", "PUT /boats")],
    ),
    "another name in the path, which is not sent": (
        get_boat("id"),
        get_boat("boatsId"),
        [("operations", "changed", "GetBoat", "GET /boats/{id}", "GET /boats/{boatsId}")],
    ),
    "another id": (
        get_boat("id"),
        get_boat("id", "FetchBoat"),
        [("operations", "renamed", "GetBoat", "", "FetchBoat")],
    ),
    "another body": (
        POST,
        {"/boats": {"post": operation("CreateBoat", requestBody=body(ref("Gear")))}},
        [("operations", "changed", "CreateBoat body", "Boat", "Gear")],
    ),
    "an optional body": (
        POST,
        {"/boats": {"post": operation("CreateBoat", requestBody=body(ref("Boat"), False))}},
        [("operations", "changed", "CreateBoat body", "required", "optional")],
    ),
    "no body": (
        POST,
        {"/boats": {"post": operation("CreateBoat")}},
        [("operations", "removed", "CreateBoat body", "Boat", "")],
    ),
    "another answer": (
        answers(JSON),
        answers({"application/json": {"schema": ref("Oar")}}),
        [("operations", "changed", "ListBoats answer", "Boat", "Oar")],
    ),
    "events": (
        answers(JSON),
        answers({**JSON, **EVENTS}),
        [("operations", "added", "ListBoats events", "", "Gear")],
    ),
    "a header": (
        answers({}),
        answers({}, {"X-Boat": {"schema": STRING}}),
        [("operations", "added", "ListBoats header", "", "X-Boat")],
    ),
    "parameters": (
        boats(query("size", "integer")),
        boats(query("page"), {**query("X-Flag", "string", True), "in": "header"}),
        [
            ("parameters", "removed", "ListBoats size", "query integer", ""),
            ("parameters", "added", "ListBoats page", "", "query string"),
            ("parameters", "added", "ListBoats X-Flag", "", "required header string"),
        ],
    ),
    "the type of a parameter": (
        boats(query("size", "integer"), query("page")),
        boats(query("size", "string"), query("page", "string", True)),
        [
            ("parameters", "changed", "ListBoats size", "query integer", "query string"),
            ("parameters", "changed", "ListBoats page", "query string", "required query string"),
        ],
    ),
    "parameters of the path": (
        boats(query("size")),
        {"/boats": {"parameters": [query("size")], "get": operation("ListBoats")}},
        [],
    ),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_operations(name: str) -> None:
    old, new, expected = OPERATIONS[name]
    assert found(document(GEAR, old), document(GEAR, new)) == entries(expected)


def test_what_an_operation_takes_is_found_under_its_new_name() -> None:
    older = {"/boats": {"post": operation("CreateBoat", requestBody=body(ref("BoatParams")))}}
    newer = {"/boats": {"post": operation("CreateBoat", requestBody=body(ref("NewBoat")))}}
    assert found(document({"BoatParams": BOAT}, older), document({"NewBoat": BOAT}, newer)) == [
        Entry("schemas", "renamed", "BoatParams", "", "NewBoat")
    ]


def test_of_several_new_names_the_most_alike_is_taken() -> None:
    def creating(*names: str) -> Schema:
        schema = {"oneOf": [ref(name) for name in names]}
        return {"/boats": {"post": operation("CreateBoat", requestBody=body(schema))}}

    one, two = model(a=STRING, b=STRING, c=STRING), model(a=STRING, b=STRING, d=STRING)
    old = document({"XParams": one, "YParams": two}, creating("XParams", "YParams"))
    new = document({"Y": two, "X": one}, creating("Y", "X"))
    assert found(old, new) == [
        Entry("schemas", "renamed", "XParams", "", "X"),
        Entry("schemas", "renamed", "YParams", "", "Y"),
    ]


def test_every_kind_of_change_is_in_the_tables() -> None:
    """Of every group, all changes that the group can have."""
    rows = [row for table in (SCHEMAS, OPERATIONS) for _, _, rows in table.values() for row in rows]
    kinds = {row[:2] for row in rows}
    assert kinds == {
        *((group, change) for group in GROUPS for change in ("added", "removed")),
        *((group, "changed") for group in GROUPS if group not in ("required", "enum values")),
        ("schemas", "renamed"),
        ("operations", "renamed"),
    }
    assert {change for _, change in kinds} == CHANGES.keys()


# ---- whole documents


def shuffled(node: Any, rng: random.Random) -> Any:
    """The same document, with everything in another order that has none of its own."""
    if isinstance(node, dict):
        items = [(key, shuffled(value, rng)) for key, value in node.items()]
        rng.shuffle(items)
        return dict(items)
    if isinstance(node, list):
        items = [shuffled(item, rng) for item in node]
        rng.shuffle(items)
        return items
    return node


@pytest.mark.parametrize("seed", range(3))
def test_a_document_does_not_differ_from_itself(seed: int) -> None:
    held = read(HISTORY)
    assert found(held, held) == []
    # What has no name is named after its place in a union.
    for entry in found(held, shuffled(held, random.Random(seed))):
        assert entry.change == "renamed"
        assert re.fullmatch(r"\w+Option\d", entry.place)


@pytest.mark.skipif(not PUBLISHED.exists(), reason="no published document (see GEMWIRE_PUBLISHED)")
def test_what_is_reduced_says_all_that_is_compared() -> None:
    published = read(PUBLISHED)
    assert found(published, reduced(published)) == []
    assert found(reduced(published), published) == []
    assert found(published, read(HISTORY)) == []


def test_the_history_is_reduced() -> None:
    assert written(reduced(read(HISTORY))) == HISTORY.read_text("utf-8")


def facts(node: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The places of all facts that can be taken away by themselves."""
    if isinstance(node, list):
        for at, item in enumerate(node):
            yield from facts(item, (*place, at))
    if not isinstance(node, dict):
        return
    for key, value in node.items():
        here = (*place, key)
        if key == "default" or "?" in key:
            continue  # what an error has is in no model; a path for one kind of body says it twice
        if place[-1:] == ("properties",):  # the name of a member, whatever it is
            yield here
            yield from facts(value, here)
            continue
        if key in METHODS:
            yield here
        if key in ("enum", "oneOf", "anyOf") and len(value) > 2:
            # An enum is open in any case.
            yield from ((*here, at) for at, each in enumerate(value) if each != STRING)
        if key == "parameters" and isinstance(value, list):
            yield from ((*here, at) for at, each in enumerate(value) if each.get("in") == "query")
        if key == "required" and isinstance(value, list):
            # A tag is always required.
            properties = node["properties"]
            yield from ((*here, at) for at, n in enumerate(value) if "const" not in properties[n])
        yield from facts(value, here)


def without(node: Any, place: tuple[Any, ...]) -> Any:
    """The document without one fact."""
    key, *rest = place
    if rest:
        changed = {key: without(node[key], tuple(rest))}
        if isinstance(node, dict):
            node = {**node, **changed}
            if key == "properties" and len(rest) == 1:
                node["required"] = [n for n in node.get("required", ()) if n != rest[0]]
            return node
        return [changed.get(at, item) for at, item in enumerate(node)]
    if isinstance(node, dict):
        return {name: value for name, value in node.items() if name != key}
    return [item for at, item in enumerate(node) if at != key]


MAY = read(HISTORY)
FACTS = [*facts(MAY)]


@pytest.mark.parametrize("seed", range(2))
def test_no_fact_is_lost(seed: int) -> None:
    """Whatever is taken away of a document is a difference, and one more on the way back."""
    held = plain_form(MAY)
    assert len(FACTS) > 800
    for place in random.Random(seed).sample(FACTS, 12):
        less = plain_form(without(MAY, place))
        there, back = compared(held, less), compared(less, held)
        assert there, place
        assert back, place
