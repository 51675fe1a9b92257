"""What a caller reads off an Interaction: its text, its media, the calls it waits for.

Mixed into the generated `Interaction`; the rules are those of the official client, so that the
answers agree.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from msgspec import UNSET

if TYPE_CHECKING:
    from .models import AudioContent, FunctionCallStep, ImageContent, LegacyContent


class InteractionMixin:
    """Read-only views of the steps; each is computed anew, in the size of the steps."""

    __slots__ = ()

    @property
    def output_text(self) -> str:
        """The text at the end of the answer, "" when there is none.

        Read from the last step backwards: the texts that end the answer, joined without a
        separator; thoughts in between are passed over, and so is what comes after the text. Any
        other step or part before it ends the run, as does a `user_input`.
        """
        texts: list[str] = []
        for step in reversed(_steps(self)):
            if step.type == "user_input":
                break
            if step.type == "thought" or (step.type == "model_output" and not step.content):
                continue
            if step.type != "model_output":
                if texts:
                    break
                continue
            for part in reversed(step.content):
                if part.type == "text":
                    texts.append(part.text)
                elif texts:
                    return "".join(reversed(texts))
        return "".join(reversed(texts))

    @property
    def output_images(self) -> list[ImageContent]:
        """All images after the last `user_input`, in order."""
        return [part for part in _output(self) if part.type == "image"]

    @property
    def output_audio(self) -> list[AudioContent]:
        """All parts of audio after the last `user_input`, in order."""
        return [part for part in _output(self) if part.type == "audio"]

    @property
    def function_calls(self) -> list[FunctionCallStep]:
        """The calls that nobody has answered: those without a `function_result` of their id.

        An agent answers calls of its own; those come with their results and are not among these.
        """
        steps = _steps(self)
        answered = {step.call_id for step in steps if step.type == "function_result"} - {UNSET}
        return [s for s in steps if s.type == "function_call" and s.id not in answered]

    @property
    def outputs(self) -> list[LegacyContent]:
        """The steps as the legacy generation has them; see `gemwire.legacy.to_outputs`."""
        from .legacy import to_outputs

        return to_outputs(_steps(self))


def _steps(interaction: Any) -> list[Any]:
    steps: list[Any] = interaction.steps or []
    return steps


def _output(interaction: Any) -> Iterator[Any]:
    """The parts of all `model_output` steps after the last `user_input`."""
    steps = _steps(interaction)
    inputs = [position for position, step in enumerate(steps) if step.type == "user_input"]
    for step in steps[inputs[-1] + 1 if inputs else 0 :]:
        if step.type == "model_output":
            yield from step.content or ()
