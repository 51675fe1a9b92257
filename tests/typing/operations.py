"""What a type checker knows of requests, their answers, the views of these and the helpers."""

from typing import Any, assert_type

from gemwire import (
    AudioContent,
    DocumentContent,
    FunctionCallStep,
    FunctionResultStep,
    ImageContent,
    Interaction,
    Request,
    Step,
    TextContent,
    ThoughtStep,
    UserInputStep,
    VideoContent,
    function_result,
    history,
    image_content,
    is_terminal,
    operations,
    user_input,
)
from gemwire.models import CreateModelInteraction, ListWebhooksResponse, Webhook


def requests(body: CreateModelInteraction, page: ListWebhooksResponse) -> None:
    assert_type(operations.create_interaction(body), Request[Interaction])
    operations.create_interaction({"model": "m", "newer": 1}, parent="projects/p/locations/l")
    operations.create_interaction(b"{}", api_version="v1")
    operations.create_interaction("{}")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    operations.get_interaction(interaction_id="i")  # type: ignore  # pyright: ignore
    operations.list_voices(accent=["a", "b"], page_token=page.next_page_token)
    operations.list_webhooks(page_size="7")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def answers(headers: dict[str, str]) -> None:
    assert_type(operations.get_webhook("w").decode_response(200, b"{}"), Webhook)
    assert_type(operations.delete_webhook("w").decode_response(200, b"{}", headers), dict[str, Any])
    upload = operations.start_environment_file_upload("e", "f", content_length=1, content_type="c")
    assert_type(upload, Request[str])
    nothing: Request[None] = operations.delete_interaction("i")
    wider: Request[Interaction | None] = operations.get_interaction("i")
    assert_type(nothing.body or wider.body, bytes | None)


def views(interaction: Interaction) -> None:
    assert_type(interaction.output_text + interaction.full_text, str)
    assert_type(interaction.output_images, list[ImageContent])
    assert_type(interaction.output_audio, list[AudioContent])
    assert_type(interaction.output_videos, list[VideoContent])
    assert_type(interaction.output_documents, list[DocumentContent])
    assert_type(interaction.thoughts, list[ThoughtStep])
    assert_type(interaction.function_calls, list[FunctionCallStep])
    assert_type(interaction.pending_function_calls, list[FunctionCallStep])
    assert_type(interaction.ended or is_terminal(interaction.status), bool)


def narrowed(value: object) -> None:
    """A union of the models is the same for `isinstance` and for the checker."""
    if isinstance(value, Step):
        assert_type(value, Step)


def helpers(call: FunctionCallStep, interaction: Interaction) -> None:
    assert_type(user_input("a", image_content(b"GIF89a")), UserInputStep)
    assert_type(image_content("a.png", mime_type="image/png"), ImageContent)
    assert_type(function_result(call, {"a": 1}, is_error=False), FunctionResultStep)
    turns = history("a", interaction, user_input("b"), interaction.steps or ())
    assert_type(turns, list[Step])
    CreateModelInteraction(model="m", input=turns)
    CreateModelInteraction(model="m", input=[user_input("a")])
    CreateModelInteraction(model="m", input=[function_result(call, "x"), user_input("a")])
    CreateModelInteraction(model="m", input=[TextContent(text="x"), image_content("a.png")])
    CreateModelInteraction(model="m", input=[7])  # type: ignore  # pyright: ignore
