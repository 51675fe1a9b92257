"""What a type checker knows of steps, content and annotations."""

# pyright: reportUnnecessaryTypeIgnoreComment=true

from typing import Any, Literal, assert_never, assert_type

from msgspec import UnsetType

from gemwire import (
    Annotation,
    AudioContent,
    Content,
    DocumentContent,
    FunctionCallStep,
    FunctionResultStep,
    ImageContent,
    Interaction,
    ModelOutputStep,
    Step,
    TextContent,
    ThoughtStep,
    UnknownAnnotation,
    UnknownContent,
    UnknownStep,
    UrlCitation,
    UserInputStep,
    VideoContent,
)
from gemwire.models import FunctionResultSubcontent, Tool, UnknownTool


def by_if(step: Step) -> None:
    if step.type == "model_output":
        assert_type(step, ModelOutputStep)
        assert_type(step.content, list[Content] | UnsetType)
        for part in step.content or ():
            assert_type(part, Content)
    elif step.type == "thought":
        assert_type(step, ThoughtStep)
        assert_type(step.signature, str | UnsetType)
        for item in step.summary or ():
            assert_type(item, Content)
    elif step.type == "function_call":
        assert_type(step, FunctionCallStep)
        assert_type(step.arguments, dict[str, Any] | UnsetType)
    elif step.type == "function_result":
        assert_type(step, FunctionResultStep)
        assert_type(step.result, dict[str, Any] | list[FunctionResultSubcontent] | str | UnsetType)
    elif step.type == "__unknown__":
        assert_type(step, UnknownStep)
        assert_type(step.raw, Any)


def by_match(step: Step) -> str:
    match step.type:
        case "user_input" | "model_output":
            assert_type(step, UserInputStep | ModelOutputStep)
            return "".join(part.text for part in step.content or () if part.type == "text")
        case "function_call":
            return step.name or ""
        case "__unknown__":
            return step.tag or ""
        case _:
            return step.type


def every_kind_of_content(part: Content) -> str:
    match part:
        case TextContent(text=text):
            assert_type(text, str)
            return text
        case ImageContent() | AudioContent() | VideoContent() | DocumentContent():
            return part.data or part.uri or ""
        case UnknownContent(tag=tag):
            return tag or ""
        case _:
            assert_never(part)


def annotations(part: TextContent) -> None:
    for note in part.annotations or ():
        assert_type(note, Annotation)
        if note.type == "url_citation":
            assert_type(note, UrlCitation)
            assert_type(note.end_index, int | UnsetType)
        elif note.type == "__unknown__":
            assert_type(note, UnknownAnnotation)


def optional_members(interaction: Interaction) -> None:
    for step in interaction.steps or ():
        assert_type(step, Step)
    for tool in interaction.tools or []:
        assert_type(tool, Tool)
        if isinstance(tool, UnknownTool):
            assert_type(tool.type, Literal["__unknown__"])
    total = interaction.usage.total_tokens if interaction.usage else 0
    assert_type(total, int | UnsetType)
    assert_type(interaction.output_text, str)
    assert_type(interaction.output_images, list[ImageContent])
    assert_type(interaction.output_audio, list[AudioContent])
    assert_type(interaction.function_calls, list[FunctionCallStep])


def building() -> None:
    step = ModelOutputStep(content=[TextContent(text="a"), UnknownContent(b"{}")])
    assert_type(step.type, Literal["model_output"])
    Interaction(status="completed", steps=[step, UnknownStep(b"{}", "later")])
    Interaction(status="a status of next year")
    Interaction("completed")  # type: ignore[call-arg, arg-type, unused-ignore]
    TextContent()  # type: ignore[call-arg]
    TextContent(text=1)  # type: ignore[arg-type]
    ModelOutputStep(content=[ThoughtStep()])  # type: ignore[list-item]


def misuse(interaction: Interaction, step: Step) -> None:
    for _ in interaction.steps:  # type: ignore[union-attr]
        pass
    print(step.content)  # type: ignore[union-attr]
    interaction.id = "x"  # type: ignore[misc]
