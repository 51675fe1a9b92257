"""What a caller reads off an Interaction: its text, its media, its calls, whether it has ended.

Each function of one `interaction` is a read-only property of the generated `Interaction`, with this
docstring (the table is in the generator). They go by the tags of the steps and know no model, so
that the models can stand on them. Each is computed anew, in the size of the steps.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import GenericAlias
from typing import Any, Final, cast

from msgspec import UNSET, UnsetType

from ..codec.detached import detached
from ..codec.encode import encode
from ..codec.json import read_json
from ..codec.lenient import read
from ..errors import ArgumentsError
from .lazy import load

__all__ = [
    "UNFINISHED",
    "content_of",
    "ended",
    "full_text",
    "function_calls",
    "is_terminal",
    "legacy_contents",
    "output_audio",
    "output_documents",
    "output_images",
    "output_text",
    "output_videos",
    "outputs",
    "parsed_arguments",
    "pending_function_calls",
    "thoughts",
]

UNFINISHED: Final = frozenset({"idle", "in_progress", "queued"})
"""The statuses after which more may come; every other one is an end, one that is not known here
too. `idle` is among them because nothing says that it is an end."""


def is_terminal(status: str | UnsetType | None, /) -> bool:
    """Whether a status is an end: any text but `in_progress`, `queued` and `idle`.

    A status that is newer than gemwire counts as an end, an absent one (UNSET or None) does not.
    """
    return isinstance(status, str) and status not in UNFINISHED


# ---- the properties of an Interaction
def ended(interaction: Any, /) -> bool:
    """Whether its status is an end, as `gemwire.is_terminal` says; a good one or not."""
    return is_terminal(interaction.status)


def output_text(interaction: Any, /) -> str:
    """The text that ends the answer, by the rule of the official client; "" when there is none.

    Read from the last step backwards: the texts at the end, joined without a separator. Thoughts in
    between are passed over, and so is what comes after the text. Any other step or part before it
    ends the run, as does a `user_input`. So text before a tool call or before an image is not in
    here: `full_text` has all of it.
    """
    texts: list[str] = []
    for step in reversed(_steps(interaction)):
        if step.type == "user_input":
            break
        if step.type == "thought":
            continue
        if step.type != "model_output":
            if texts:
                break
            continue
        for part in reversed(content_of(step)):
            if part.type == "text":
                texts.append(part.text)
            elif texts:
                return "".join(reversed(texts))
    return "".join(reversed(texts))


def full_text(interaction: Any, /) -> str:
    """The text of all `model_output` steps, joined without a separator; "" when there is none.

    It is what the texts of a stream (`text_stream`) join to. `output_text` is the end of it alone:
    what comes after the last tool call, image or input.
    """
    return "".join(
        part.text
        for step in _steps(interaction)
        if step.type == "model_output"
        for part in content_of(step)
        if part.type == "text"
    )


def output_images(interaction: Any, /) -> list[Any]:
    """All images after the last `user_input`, in order."""
    return [part for part in _output(interaction) if part.type == "image"]


def output_audio(interaction: Any, /) -> list[Any]:
    """All parts of audio after the last `user_input`, in order."""
    return [part for part in _output(interaction) if part.type == "audio"]


def output_videos(interaction: Any, /) -> list[Any]:
    """All videos after the last `user_input`, in order."""
    return [part for part in _output(interaction) if part.type == "video"]


def output_documents(interaction: Any, /) -> list[Any]:
    """All documents after the last `user_input`, in order."""
    return [part for part in _output(interaction) if part.type == "document"]


def thoughts(interaction: Any, /) -> list[Any]:
    """All `thought` steps, in order, with their summaries and signatures."""
    return _of_type(interaction, "thought")


def function_calls(interaction: Any, /) -> list[Any]:
    """All `function_call` steps, in order, those that have their result too.

    `pending_function_calls` are those that wait for one. A step without a name is left out: it is
    made of fragments that belong to no call, and nothing can be run for it.
    """
    return [call for call in _of_type(interaction, "function_call") if call.name is not UNSET]


def pending_function_calls(interaction: Any, /) -> list[Any]:
    """The calls that nobody has answered: those without a `function_result` of their id.

    An agent answers calls of its own; those come with their results and are not among these.
    """
    results = _of_type(interaction, "function_result")
    answered = {result.call_id for result in results} - {UNSET}
    return [call for call in function_calls(interaction) if call.id not in answered]


def outputs(interaction: Any, /) -> list[Any]:
    """The steps as the legacy generation has them: one list of contents, without the input.

    `gemwire.legacy.to_outputs` gives the same, typed, and says what is lost.
    """
    return legacy_contents(_steps(interaction))


# ---- the method of a call
def parsed_arguments(call: Any, /) -> dict[str, Any]:
    """The arguments to run the call with, as a dict of its own.

    Raises ArgumentsError if they never came whole or are no JSON object: `call.arguments` is UNSET
    then, which must not pass for a call without arguments.
    """
    arguments = call.arguments
    if isinstance(arguments, dict):
        return cast("dict[str, Any]", detached(arguments))
    raise ArgumentsError("the call has no arguments that could be read", **_identity(call))


def _identity(call: Any) -> dict[str, Any]:
    raw = b"" if call.extra_ is UNSET else call.extra_.texts.get("arguments", b"")
    told = {"call_id": call.id, "name": call.name, "raw": raw.decode("utf-8", "replace")}
    return {name: value for name, value in told.items() if value is not UNSET}


# ---- what these and others stand on
def content_of(step: Any, /) -> list[Any]:
    """The parts of an output or an input, or of the summary of a thought; none for other steps.

    Some gateways send a bare text in place of the list. It does not fit the schema and so is among
    the unknown members of the step, from where `encode()` gives it back; here it is one text part.
    """
    name = _PARTS.get(step.type)
    if name is None:
        return []
    parts = getattr(step, name)
    if parts is not UNSET:
        return parts or []
    bare = b"" if step.extra_ is UNSET else step.extra_.texts.get(name, b"")
    if not bare.startswith(b'"'):
        return []
    return [load("TextContent")(text=read_json(bare))]


_PARTS: Final = {"model_output": "content", "thought": "summary", "user_input": "content"}
"""The member that has the parts, by the kind of step."""


def legacy_contents(steps: list[Any], /) -> list[Any]:
    """The contents that a legacy answer has in place of the steps."""
    contents: list[Any] = []
    for step in steps:
        if step.type == "model_output":
            contents += content_of(step)
        elif step.type != "user_input":
            contents.append(step)
    found: list[Any] = read(GenericAlias(list, (load("LegacyContent"),)), encode(contents))
    return found


def _steps(interaction: Any) -> list[Any]:
    return interaction.steps or []


def _of_type(interaction: Any, tag: str) -> list[Any]:
    return [step for step in _steps(interaction) if step.type == tag]


def _output(interaction: Any) -> Iterator[Any]:
    """The parts of all `model_output` steps after the last `user_input`."""
    steps = _steps(interaction)
    inputs = [position for position, step in enumerate(steps) if step.type == "user_input"]
    for step in steps[inputs[-1] + 1 if inputs else 0 :]:
        if step.type == "model_output":
            yield from content_of(step)
