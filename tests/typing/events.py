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
