"""What goes into the next request: input, results of functions, and what was said before.

All of these make models; they go into the `input` of a request as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec import UNSET, UnsetType

from ..codec.encode import encode_finite
from ..codec.structs import Unknown
from ..models import (
    Content,
    FunctionCallStep,
    FunctionResultStep,
    FunctionResultSubcontent,
    Interaction,
    Step,
    TextContent,
    UserInputStep,
)

__all__ = ["function_result", "history", "user_input"]


def user_input(*content: str | Content) -> UserInputStep:
    """One turn of the user: texts, and parts of any kind, in order.

    Raises:
        ValueError: there is no content.
        TypeError: a part is neither a text nor a part.

    """
    if not content:
        raise ValueError("a turn of the user needs content")
    return UserInputStep(
        content=[
            TextContent(text=part) if isinstance(part, str) else _checked(part, Content, "Content")
            for part in content
        ]
    )


def _checked(value: Any, union: Any, name: str) -> Any:
    """The value, if it is a member of the union or what may be a newer one."""
    if isinstance(value, union | Unknown):
        return value
    raise TypeError(f"not a {name}: {value!r:.80}")


def function_result(
    call: FunctionCallStep,
    result: str | Mapping[str, Any] | FunctionResultSubcontent | Sequence[FunctionResultSubcontent],
    /,
    *,
    is_error: bool | UnsetType = UNSET,
) -> FunctionResultStep:
    """The answer to a call of `interaction.pending_function_calls`, which it names by id.

    Args:
        call: the call as it came.
        result: a text, an object, or content parts. Any other value has no place on the wire:
            give it as a member of an object.
        is_error: whether the function failed; then the result says why.

    Raises:
        ValueError: the call has no id, or the object has a number that is not finite.
        TypeError: the result is none of these, or the object holds what JSON has no form for.

    """
    if not call.id:
        raise ValueError(f"the call of {call.name!r} has no id that a result could name")
    value: Any = result
    if isinstance(value, Mapping):
        value = dict(value)
        encode_finite(value)
    elif isinstance(value, FunctionResultSubcontent | Unknown):
        value = [value]
    elif not isinstance(value, str):
        parts = isinstance(value, list | tuple)
        if not parts or not all(isinstance(p, FunctionResultSubcontent | Unknown) for p in value):
            raise TypeError(
                "the result of a function is a text, an object or a list of content parts; "
                f"give others as a member: {{'result': {value!r:.40}}}"
            )
        value = list(value)
    return FunctionResultStep(call_id=call.id, name=call.name, result=value, is_error=is_error)


def history(*turns: str | Step | Interaction | Iterable[Step]) -> list[Step]:
    """What was said so far as the `input` of the next request, for calls that store nothing.

    The steps of an answer go back as they came, thoughts and signatures byte for byte, and so does
    what the spec does not know: the server refuses a conversation in which anything of that was
    changed. A create call answers without the input it was given, so that belongs between::

        history("What is 6 times 7?", interaction, "And 8?")

    Args:
        turns: in order: a text, a step such as `user_input()` and `function_result()` give, steps,
            or a whole answer. The answer to a GET begins with the input, so that no text belongs
            before it.

    Raises:
        TypeError: a turn is none of these.

    """
    steps: list[Step] = []
    for turn in turns:
        if isinstance(turn, str):
            steps.append(user_input(turn))
        elif isinstance(turn, Interaction):
            steps.extend(turn.steps or ())
        elif isinstance(turn, Iterable) and not isinstance(turn, Mapping):
            steps.extend(_checked(step, Step, "Step") for step in turn)
        else:
            steps.append(_checked(turn, Step, "Step"))
    return steps
