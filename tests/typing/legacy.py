"""What a type checker knows of the legacy generation."""

# pyright: reportUnnecessaryTypeIgnoreComment=true

from typing import Any, assert_type

from msgspec import UnsetType

from gemwire import Interaction, Step
from gemwire.legacy import Lost, from_outputs, to_outputs
from gemwire.models import (
    FunctionCallContent,
    ImageContent,
    LegacyContent,
    LegacyTextContent,
    ThoughtContent,
    Turn,
    TurnContent,
)


def both_ways(interaction: Interaction, plain: list[dict[str, Any]]) -> None:
    lost: list[Lost] = []
    assert_type(interaction.outputs, list[Any])  # `to_outputs` gives the same with its type
    assert_type(to_outputs(interaction, lost=lost), list[LegacyContent])
    assert_type(to_outputs(interaction.steps or []), list[LegacyContent])
    assert_type(from_outputs(interaction.outputs, lost=lost), list[Step])
    assert_type(from_outputs(plain), list[Step])
    assert_type(lost[0].kind, str)
    interaction.outputs = []  # type: ignore[misc]


def contents(content: LegacyContent) -> str:
    match content:
        case LegacyTextContent(text=str(text)):
            return text
        case ImageContent() | ThoughtContent():
            return content.type
        case FunctionCallContent(arguments=arguments):
            assert_type(arguments, dict[str, Any] | UnsetType)
            return content.name or ""
        case _:
            return content.type


def turn(turn: Turn) -> None:
    assert_type(turn.content, TurnContent | UnsetType)
    Turn(role="user", content=[LegacyTextContent(text="a")])
    Turn(role=1)  # type: ignore[arg-type]
