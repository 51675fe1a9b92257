"""What a type checker knows of an event, by `event_type` and by class."""

# pyright: reportUnnecessaryTypeIgnoreComment=true

from typing import Literal, assert_never, assert_type

from msgspec import UnsetType

from gemwire import (
    ErrorEvent,
    Event,
    Interaction,
    InteractionCompletedEvent,
    InteractionCreatedEvent,
    InteractionStatusUpdate,
    StepDelta,
    StepDeltaData,
    StepStart,
    StepStop,
    Unknown,
    UnknownInteractionSseEvent,
)
from gemwire.models import (
    ContentDelta,
    ContentDeltaData,
    ContentStart,
    ContentStop,
    InteractionCompleteEvent,
    InteractionStartEvent,
    LegacyContent,
    LegacyInteraction,
    LegacyTextDelta,
)


def by_if(event: Event) -> None:
    if event.event_type == "step.delta":
        assert_type(event, StepDelta)
        assert_type(event.delta, StepDeltaData)
        assert_type(event.index, int | UnsetType)
    elif event.event_type == "step.start":
        assert_type(event, StepStart)
    elif event.event_type == "step.stop":
        assert_type(event, StepStop)
    elif event.event_type == "interaction.created":
        assert_type(event, InteractionCreatedEvent)
        assert_type(event.interaction, Interaction)
    elif event.event_type == "interaction.completed":
        assert_type(event, InteractionCompletedEvent)
    elif event.event_type == "interaction.status_update":
        assert_type(event, InteractionStatusUpdate)
    elif event.event_type == "error":
        assert_type(event, ErrorEvent)
    elif event.event_type == "content.start":
        assert_type(event, ContentStart)
        assert_type(event.content, LegacyContent | UnsetType)
    elif event.event_type == "content.delta":
        assert_type(event, ContentDelta)
        assert_type(event.delta, ContentDeltaData | UnsetType)
        assert_type(event.index, int | UnsetType)
    elif event.event_type == "content.stop":
        assert_type(event, ContentStop)
    elif event.event_type == "interaction.start":
        assert_type(event, InteractionStartEvent)
        assert_type(event.interaction, LegacyInteraction | UnsetType)
    elif event.event_type == "interaction.complete":
        assert_type(event, InteractionCompleteEvent)
    elif event.event_type == "__unknown__":
        assert_type(event, UnknownInteractionSseEvent)
        assert_type(event.tag, str | None)
        assert_type(event.json, bytes)
        assert_type(event.reason, str | None)
    else:
        assert_never(event)


def by_match_on_the_tag(event: Event) -> str:
    match event.event_type:
        case "step.delta":
            assert_type(event.event_type, Literal["step.delta"])
            return event.delta.type
        case "step.start":
            return event.step.type
        case "error" | "step.stop":
            assert_type(event, ErrorEvent | StepStop)
            return "over"
        case "interaction.created" | "interaction.completed":
            return event.interaction.output_text
        case "interaction.status_update":
            return event.status or ""
        case "content.start" | "content.delta" | "content.stop":
            assert_type(event, ContentStart | ContentDelta | ContentStop)
            return "legacy"
        case "interaction.start" | "interaction.complete":
            return "legacy too"
        case "__unknown__":
            return event.tag or ""


def by_match_on_the_class(event: Event) -> str:
    match event:
        case StepDelta(delta=delta):
            assert_type(delta, StepDeltaData)
            return delta.type
        case StepStart(step=step, index=int(index)):
            return f"{index} {step.type}"
        case StepStart() | StepStop():
            return ""
        case InteractionCreatedEvent() | InteractionCompletedEvent():
            return str(event.interaction.status)
        case InteractionStatusUpdate() | ErrorEvent():
            return ""
        case ContentDelta(delta=LegacyTextDelta(text=str(text))):
            assert_type(text, str)
            return text
        case ContentStart() | ContentDelta() | ContentStop():
            return ""
        case InteractionStartEvent() | InteractionCompleteEvent():
            return ""
        case Unknown():
            assert_type(event, UnknownInteractionSseEvent)
            return event.json.decode()
        case _:
            assert_never(event)


def misuse(event: Event) -> None:
    print(event.delta)  # type: ignore[union-attr]
    if event.event_type != "__unknown__":
        print(event.tag)  # type: ignore[union-attr]
    if event.event_type == "step.stop":
        event.index = 1  # type: ignore[misc]
