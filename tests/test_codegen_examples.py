"""The examples of the published document are what its own schemas say, or the document is wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("datamodel_code_generator", reason="the extra `codegen` is not installed")

from codegen.document import refers_to
from gemwire import DecodeError, iter_unknown

from .generating import made, round_trip
from .test_codegen_requests import PUBLISHED

INTERACTIONS = "/{api_version}/interactions"
AGENTS = "/{api_version}/agents"
NO_STEPS = "required, but missing (at $.{}steps)"  # the schema requires them of all
OLD_AGENT = "member $.display_name, member $.object, member $.created, member $.updated"

# The place of an example that its schema does not describe, and what it has.
WRONG: dict[str, str] = {
    # `text` is required of a text.
    "ContentStart: content_start": "union $.content",
    # An array of such objects, in the schema.
    "EnvironmentConfig: proxy_credentials": "member $.network.allowlist[0].transform",
    # Arguments and results of tools with members that their schemas do not have.
    "GoogleMapsCallStep: google_maps_call": (
        "member $.arguments.latitude, member $.arguments.longitude"
    ),
    "GoogleMapsResultStep: google_maps_result": (
        "member $.result[0].place_id, member $.result[0].name, member $.result[0].rating"
    ),
    "GoogleSearchCallStep: google_search_call": "member $.arguments.query",
    "GoogleSearchResultStep: google_search_result": (
        "member $.result[0].title, member $.result[0].url, member $.result[0].snippet"
    ),
    "UrlContextResultStep: url_context_result": (
        "member $.result[0].title, member $.result[0].snippet"
    ),
    # `object` is no member of an interaction any more.
    "Interaction: example": "member $.object",
    **{
        f"post {INTERACTIONS} 200: {name}": "member $.object"
        for name in (
            "simple",
            "multi_turn",
            "multimodal_image",
            "function_calling",
            "deep_research",
        )
    },
    f"get {INTERACTIONS}/{{id}} 200: get": "member $.object",
    f"post {INTERACTIONS}/{{id}}/cancel 200: cancel": NO_STEPS.format(""),
    "InteractionCreatedEvent: interaction_created": NO_STEPS.format("interaction."),
    "InteractionCompletedEvent: interaction_completed": NO_STEPS.format("interaction."),
    # Of an older form of agents.
    f"post {AGENTS} default: create": OLD_AGENT,
    f"get {AGENTS}/{{id}} default: get": OLD_AGENT,
    f"get {AGENTS} default: list": "member $.object, member $.data",
}


def examples(node: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """The examples of a schema or of a form of a body, each with its name.

    In the document they are values, or objects with a `value` by name, or arrays of those.
    """
    if "example" in node:
        yield "example", node["example"]
    given = node.get("examples", [])
    for named in given if isinstance(given, list) else [given]:
        for name, example in named.items():
            yield name, example["value"]


def all_examples(document: dict[str, Any]) -> Iterator[tuple[str, str | None, Any]]:
    """Place, schema and value of each."""
    for name, schema in document["components"]["schemas"].items():
        for last, value in examples(schema):
            yield f"{name}: {last}", name, value
    for path, item in document["paths"].items():
        for method, operation in item.items():
            answers = operation.get("responses", {}) if isinstance(operation, dict) else {}
            for status, answer in answers.items():
                for form in answer.get("content", {}).values():
                    for last, value in examples(form):
                        place = f"{method} {path} {status}: {last}"
                        yield place, refers_to(form["schema"]), value


def misfits_of(kind: Any, value: Any) -> str:
    """What of an example does not fit its schema; "" if all of it does, and comes back."""
    try:
        found = list(iter_unknown(round_trip(kind, value, strict=False)))
        if not found:
            round_trip(kind, value)
    except DecodeError as error:
        return str(error)
    return ", ".join(f"{each.kind} {each.path}" for each in found)


@pytest.mark.skipif(not PUBLISHED.exists(), reason="no published document at hand")
def test_every_example(tmp_path: Path) -> None:
    document = json.loads(PUBLISHED.read_text("utf-8"))
    found = list(all_examples(document))
    text = PUBLISHED.read_text("utf-8")
    assert len(found) >= text.count('"example":') + text.count('"examples":')
    wrong: dict[str, str] = {}
    with made(document, tmp_path) as (models, _):
        for place, name, value in found:
            kind = getattr(models, name) if name else dict[str, Any]
            if misfits := misfits_of(kind, value):
                wrong[place] = misfits
    assert wrong == WRONG
