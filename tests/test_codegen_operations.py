"""The names and the limits of what codegen writes for the operations; the text is in src."""

from __future__ import annotations

from typing import Any

import pytest

from codegen.config import Config
from codegen.notes import Notes, Refused
from codegen.operations import generate_operations, snake_case
from codegen.paths import plain_paths

Json = dict[str, Any]
CONFIG = Config(version="api_version", version_default="v1beta", parent=True, dropped=("_by_id",))


def document(operation_id: str = "getThingById", **members: Any) -> Json:
    responses = {"200": {"description": "Done."}}
    operation = {"operationId": operation_id, "summary": "Read.", "responses": responses, **members}
    path = {"get": operation, "parameters": [in_path("api_version"), in_path("id")]}
    return {
        "paths": {"/{api_version}/things/{id}": path},
        "components": {"schemas": {}},
    }


def in_path(name: str) -> Json:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def written(given: Json) -> str:
    return generate_operations({**given, "paths": plain_paths(given, Notes())}, CONFIG)


@pytest.mark.parametrize(
    ("operation_id", "name"),
    [
        ("getInteractionById", "get_interaction"),
        ("CreateWebhook", "create_webhook"),
        ("listAPIKeys", "list_apikeys"),
        ("ListTriggerExecutions", "list_trigger_executions"),
    ],
)
def test_names(operation_id: str, name: str) -> None:
    assert snake_case(operation_id, CONFIG.dropped) == name
    assert f"def {name}(thing_id: str, /, *, api_version" in written(document(operation_id))


def test_the_generator_refuses_what_it_cannot_write() -> None:
    for schema in ({"type": "object"}, {"type": "array", "items": {"type": "integer"}}):
        given = {"name": "x", "in": "query", "schema": schema, "description": "X."}
        with pytest.raises(Refused, match=r"get/parameters \(x\): no way to send (object|array)"):
            written(document(parameters=[given]))
    twice = document()
    twice["paths"]["/{api_version}/other/{id}"] = twice["paths"]["/{api_version}/things/{id}"]
    with pytest.raises(Refused, match="two operations have this name"):
        written(twice)
    alike = document()
    other = document("GetThing")["paths"]["/{api_version}/things/{id}"]
    alike["paths"]["/{api_version}/other/{id}"] = other
    with pytest.raises(Refused, match="are both `get_thing` in Python"):
        written(alike)
