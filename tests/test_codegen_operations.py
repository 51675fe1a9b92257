"""The names and the limits of what codegen writes for the operations; the text is in src."""

from __future__ import annotations

from typing import Any

import pytest

from codegen.operations import generate_operations, snake_case

Json = dict[str, Any]


def document(operation_id: str = "getThingById", **members: Any) -> Json:
    responses = {"200": {"description": "Done."}}
    operation = {"operationId": operation_id, "summary": "Read.", "responses": responses, **members}
    return {"paths": {"/{api_version}/things/{id}": {"get": operation}}}


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
    assert snake_case(operation_id) == name
    assert f"def {name}(*, api_version" in generate_operations(document(operation_id))


def test_the_generator_refuses_what_it_cannot_write() -> None:
    for schema in ({"type": "object"}, {"type": "array", "items": {"type": "integer"}}):
        given = {"name": "x", "in": "query", "schema": schema, "description": "X."}
        with pytest.raises(ValueError, match="no way to send x of getThingById"):
            generate_operations(document(parameters=[given]))
    twice = document()
    twice["paths"]["/other"] = twice["paths"]["/{api_version}/things/{id}"]
    with pytest.raises(ValueError, match="two operations of one name"):
        generate_operations(twice)
