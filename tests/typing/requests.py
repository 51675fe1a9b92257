"""What a type checker takes in a request: sequences of one kind, turns, pages, masks."""

from collections.abc import Iterator
from typing import Any, assert_type

from gemwire import FunctionResultStep, Interaction, Step, UserInputStep, history, operations
from gemwire.models import (
    CreateAgentInteraction,
    CreateModelInteraction,
    Function,
    FunctionCallStep,
    GoogleSearch,
    ListVoicesResponse,
    ListWebhooksResponse,
    ResponseFormatList,
    TextResponseFormat,
    Tool,
    Turn,
    Voice,
    Webhook,
)


def tools(functions: list[Function], both: list[Tool], modalities: list[str]) -> None:
    """A list of functions is no `list[Tool]`: lists that are only sent are sequences."""
    CreateModelInteraction(model="m", input="x", tools=functions)
    CreateModelInteraction(model="m", input="x", tools=both)
    CreateModelInteraction(model="m", input="x", tools=(Function(name="f"), GoogleSearch()))
    CreateModelInteraction(model="m", input="x", response_modalities=modalities)
    CreateModelInteraction(model="m", input="x", response_modalities="text")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    CreateModelInteraction(model="m", input="x", tools=[7])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    CreateAgentInteraction(agent="a", input="x", tools=functions)


def formats(texts: list[TextResponseFormat], named: ResponseFormatList) -> None:
    CreateModelInteraction(model="m", input="x", response_format=texts)
    CreateModelInteraction(model="m", input="x", response_format=named)


def steps(results: list[FunctionResultStep], answer: Interaction) -> None:
    CreateModelInteraction(model="m", input=results)
    turns: list[dict[str, str]] = [{"role": "user", "content": "Hi"}]
    assert_type(history(turns, answer, *results), list[Step])
    assert_type(history({"role": "user", "content": "Hi"}, Turn(role="model")), list[Step])
    assert_type(history(["Hi", UserInputStep()], results), list[Step])
    history(7)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def pages(webhooks: ListWebhooksResponse, voices: ListVoicesResponse) -> None:
    assert_type(iter(webhooks), Iterator[Webhook])
    for webhook in webhooks:
        assert_type(webhook, Webhook)
    assert_type(list(voices), list[Voice])
    assert_type(len(webhooks), int)


def webhook_calls(mask: list[str]) -> None:
    operations.rotate_signing_secret("w")
    operations.update_webhook("w", {}, update_mask=mask)
    operations.update_webhook("w", {}, update_mask="name,uri")


def arguments(call: FunctionCallStep) -> None:
    assert_type(call.parsed_arguments(), dict[str, Any])
