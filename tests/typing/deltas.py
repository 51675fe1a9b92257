"""What a type checker knows of the data of a delta."""

from typing import Any, assert_type

from msgspec import UnsetType

from gemwire import (
    ArgumentsDelta,
    AudioDelta,
    Content,
    ImageDelta,
    StepDelta,
    StepDeltaData,
    TextAnnotationDelta,
    TextDelta,
    ThoughtSignatureDelta,
    ThoughtSummaryDelta,
    UnknownStepDeltaData,
)
from gemwire.models import GoogleSearchResultDelta


def by_if(delta: StepDeltaData) -> None:
    if delta.type == "text":
        assert_type(delta, TextDelta)
        assert_type(delta.text, str)
    elif delta.type == "arguments_delta":
        assert_type(delta, ArgumentsDelta)
        assert_type(delta.arguments, str | dict[str, Any] | UnsetType)
    elif delta.type == "thought_summary":
        assert_type(delta, ThoughtSummaryDelta)
        assert_type(delta.content, Content | UnsetType)
    elif delta.type == "thought_signature":
        assert_type(delta, ThoughtSignatureDelta)
    elif delta.type == "text_annotation_delta":
        assert_type(delta, TextAnnotationDelta)
    elif delta.type == "google_search_result":
        assert_type(delta, GoogleSearchResultDelta)
    elif delta.type == "__unknown__":
        assert_type(delta, UnknownStepDeltaData)
        assert_type(delta.json, bytes)


def by_match(event: StepDelta) -> str:
    match event.delta:
        case TextDelta(text=text):
            return text
        case ImageDelta() | AudioDelta() as media:
            assert_type(media, ImageDelta | AudioDelta)
            return media.mime_type or ""
        case UnknownStepDeltaData(tag=tag):
            return tag or ""
        case other:
            return other.type


def by_match_on_the_tag(delta: StepDeltaData) -> str:
    match delta.type:
        case "text":
            return delta.text
        case "image" | "audio":
            assert_type(delta, ImageDelta | AudioDelta)
            return delta.data or ""
        case "__unknown__":
            return delta.tag or ""
        case _:
            return ""
