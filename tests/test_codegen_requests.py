"""What codegen does for requests and pages, and under which names the models stand."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, get_type_hints

import pytest

pytest.importorskip("datamodel_code_generator", reason="the extra `codegen` is not installed")

from codegen.__main__ import CONFIG
from codegen.arrange import with_sequences
from codegen.config import load_config
from codegen.generate import only_sent
from codegen.load import load
from codegen.notes import Notes
from gemwire import decode, encode
from gemwire import models as m

PUBLISHED = (
    Path(os.environ.get("GEMWIRE_WIRE", Path(__file__).parents[2] / "shared" / "wire")).parent
    / "spec"
    / "published-2026-05.openapi.json"
)

SCHEMAS: dict[str, Any] = {
    "A": {"properties": {}},
    "U": {"discriminator": {}, "oneOf": []},
    "E": {"anyOf": [{"enum": ["x"]}, {"type": "string"}]},
}


@pytest.mark.parametrize(
    ("member", "written"),
    [
        ("a: list[A]", "a: Sequence[A]"),
        ("u: list[U] | UnsetType = UNSET", "u: Sequence[U] | UnsetType = UNSET"),
        ("e: list[E]", "e: list[E]"),
        ("s: list[str]", "s: list[str]"),
        ("d: list[dict[str, Any]]", "d: list[dict[str, Any]]"),
    ],
)
def test_lists_that_are_only_sent(member: str, written: str) -> None:
    """A text is a sequence of texts: lists of them stay."""
    assert with_sequences(member, SCHEMAS) == written


def test_what_is_only_sent() -> None:
    sent = only_sent(load(load_config(CONFIG)[0], Notes()))
    assert {"CreateModelInteraction", "CreateAgentInteraction", "WebhookInput"} <= sent
    assert sent.isdisjoint({"Agent", "Interaction", "Tool", "UserInputStep", "Webhook"})


def test_at_run_time_they_are_lists() -> None:
    assert get_type_hints(m.CreateModelInteraction)["tools"].__args__[0] == list[m.Tool]
    body = b'{"model":"m","tools":[{"type":"function","name":"f"}]}'
    decoded = decode(body, m.CreateModelInteraction)
    assert decoded.tools == [m.Function(name="f")]
    assert encode(m.CreateModelInteraction(model="m", tools=(m.Function(name="f"),))) == body


NAMES = {
    "CodeExecutionCallStepArguments": m.CodeExecutionCallArguments,
    "CreateAgentInteractionParams": m.CreateAgentInteraction,
    "CreateModelInteractionParams": m.CreateModelInteraction,
    "GoogleMapsCallStepArguments": m.GoogleMapsCallArguments,
    "GoogleMapsResultItem": m.GoogleMapsResult,
    "GoogleSearchCallStepArguments": m.GoogleSearchCallArguments,
    "GoogleSearchResultItem": m.GoogleSearchResult,
    "PingWebhookResponse": m.WebhookPingResponse,
    "Places": m.GoogleMapsResultPlaces,
    "ResponseFormatList": list[m.ResponseFormat],
    "RotateSigningSecretResponse": m.WebhookRotateSigningSecretResponse,
    "UrlContextCallStepArguments": m.UrlContextCallArguments,
    "UrlContextResultItem": m.UrlContextResult,
}


@pytest.mark.parametrize("name", NAMES)
def test_the_published_spelling_is_a_name_too(name: str) -> None:
    assert getattr(m, name) == NAMES[name]
    assert name in m.__all__


@pytest.mark.skipif(not PUBLISHED.exists(), reason="no published document at hand")
def test_every_published_name_can_be_imported() -> None:
    document = json.loads(PUBLISHED.read_text("utf-8"))
    names = document["components"]["schemas"]
    assert len(names) > 100
    assert [name for name in names if not hasattr(m, name)] == []
