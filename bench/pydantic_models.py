"""The same wire as pydantic models, as a careful user would write them by hand.

Unions are discriminated, which is pydantic's fast way, and members that are not declared are
ignored, which is its default. Every kind of event is here; of the steps, deltas and contents the
kinds that the fixtures have and the common ones beside them (pydantic looks a tag up in a table,
so the kinds left out would not change its time). Nothing is kept of what is unknown, and an
unknown tag is an error: less than gemwire does.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, Field, TypeAdapter

__all__ = ["EVENT"]


class UrlCitation(BaseModel):
    type: Literal["url_citation"]
    start_index: int | None = None
    end_index: int | None = None
    url: str | None = None
    title: str | None = None


class TextContent(BaseModel):
    type: Literal["text"]
    text: str
    annotations: list[UrlCitation] | None = None


class MediaContent(BaseModel):
    type: Literal["image", "audio", "video", "document"]
    data: str | None = None
    uri: str | None = None
    mime_type: str | None = None


Content: TypeAlias = Annotated[TextContent | MediaContent, Field(discriminator="type")]


class ThoughtStep(BaseModel):
    type: Literal["thought"]
    signature: str | None = None
    summary: list[Content] | None = None


class ModelOutputStep(BaseModel):
    type: Literal["model_output"]
    content: list[Content] | None = None


class UserInputStep(BaseModel):
    type: Literal["user_input"]
    content: list[Content] | None = None


class FunctionCallStep(BaseModel):
    type: Literal["function_call"]
    id: str | None = None
    name: str | None = None
    arguments: dict[str, Any] | None = None
    signature: str | None = None


class FunctionResultStep(BaseModel):
    type: Literal["function_result"]
    call_id: str | None = None
    name: str | None = None
    result: Any = None
    is_error: bool | None = None


Step: TypeAlias = Annotated[
    ThoughtStep | ModelOutputStep | UserInputStep | FunctionCallStep | FunctionResultStep,
    Field(discriminator="type"),
]


class TextDelta(BaseModel):
    type: Literal["text"]
    text: str


class TextAnnotationDelta(BaseModel):
    type: Literal["text_annotation_delta"]
    annotations: list[UrlCitation] | None = None


class ThoughtSummaryDelta(BaseModel):
    type: Literal["thought_summary"]
    content: Content | None = None


class ThoughtSignatureDelta(BaseModel):
    type: Literal["thought_signature"]
    signature: str | None = None


class ArgumentsDelta(BaseModel):
    type: Literal["arguments_delta"]
    arguments: str | None = None


class ImageDelta(BaseModel):
    type: Literal["image"]
    data: str | None = None
    uri: str | None = None
    mime_type: str | None = None
    resolution: str | None = None


class AudioDelta(BaseModel):
    type: Literal["audio"]
    data: str | None = None
    uri: str | None = None
    mime_type: str | None = None
    sample_rate: int | None = None
    channels: int | None = None


class VideoDelta(BaseModel):
    type: Literal["video"]
    data: str | None = None
    uri: str | None = None
    mime_type: str | None = None


class DocumentDelta(BaseModel):
    type: Literal["document"]
    data: str | None = None
    uri: str | None = None
    mime_type: str | None = None


Delta: TypeAlias = Annotated[
    TextDelta
    | TextAnnotationDelta
    | ThoughtSummaryDelta
    | ThoughtSignatureDelta
    | ArgumentsDelta
    | ImageDelta
    | AudioDelta
    | VideoDelta
    | DocumentDelta,
    Field(discriminator="type"),
]


class ModalityTokens(BaseModel):
    modality: str | None = None
    tokens: int | None = None


class Usage(BaseModel):
    total_tokens: int | None = None
    total_input_tokens: int | None = None
    total_cached_tokens: int | None = None
    total_output_tokens: int | None = None
    total_tool_use_tokens: int | None = None
    total_thought_tokens: int | None = None
    input_tokens_by_modality: list[ModalityTokens] | None = None
    output_tokens_by_modality: list[ModalityTokens] | None = None


class Interaction(BaseModel):
    id: str | None = None
    status: str | None = None
    object: str | None = None
    model: str | None = None
    agent: str | None = None
    created: str | None = None
    updated: str | None = None
    service_tier: str | None = None
    steps: list[Step] | None = None
    usage: Usage | None = None


class InteractionCreated(BaseModel):
    event_type: Literal["interaction.created"]
    interaction: Interaction
    event_id: str | None = None


class InteractionCompleted(BaseModel):
    event_type: Literal["interaction.completed"]
    interaction: Interaction
    event_id: str | None = None


class StatusUpdate(BaseModel):
    event_type: Literal["interaction.status_update"]
    interaction_id: str | None = None
    status: str | None = None
    event_id: str | None = None


class StepStart(BaseModel):
    event_type: Literal["step.start"]
    index: int
    step: Step
    event_id: str | None = None


class StepDelta(BaseModel):
    event_type: Literal["step.delta"]
    index: int
    delta: Delta
    event_id: str | None = None
    metadata: dict[str, Any] | None = None


class StepStop(BaseModel):
    event_type: Literal["step.stop"]
    index: int
    usage: Usage | None = None
    event_id: str | None = None


class ErrorEvent(BaseModel):
    event_type: Literal["error"]
    error: dict[str, Any] | None = None
    event_id: str | None = None


Event: TypeAlias = Annotated[
    InteractionCreated
    | InteractionCompleted
    | StatusUpdate
    | StepStart
    | StepDelta
    | StepStop
    | ErrorEvent,
    Field(discriminator="event_type"),
]

EVENT: TypeAdapter[Any] = TypeAdapter(Event)
"""Reads any event: `EVENT.validate_json(payload)`."""
