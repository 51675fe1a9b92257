"""What goes into the next request: input, results of functions, and what was said before.

All of these make models; they go into the `input` of a request as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from msgspec import UNSET, UnsetType

from ..codec.encode import encode_finite, to_dict
from ..codec.structs import Unknown, WireStruct
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

if TYPE_CHECKING:
    from .. import models

    Said: TypeAlias = str | Step | models.Turn | Mapping[str, Any] | Interaction
    """What one side said, or both up to some point."""

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


def history(*turns: Said | Iterable[Said]) -> list[Step]:
    """What was said so far as the `input` of the next request, for calls that store nothing.

    The steps of an answer go back as they came, thoughts and signatures byte for byte, and so does
    what the spec does not know: the server refuses a conversation in which anything of that was
    changed. Only a call that was cut before its arguments were whole (they are UNSET) is left out.

    An answer often comes without the input it was given: that of a create call always, that of a
    GET in `requires_action`. So the input belongs before it::

        history("What is 6 times 7?", interaction, "And 8?")

    Args:
        turns: in order: a text of the user, a step such as `user_input()` and `function_result()`
            give, a turn (`{"role": "user", "content": "Hi"}`, or "model"), a list of these, or a
            whole answer. An answer that begins with the input needs no text before it; one that
            has it as `input` alone begins with that.

    Raises:
        ValueError: what the user said before an answer is missing, a turn cannot be read, or there
            is a result for a call that is left out.
        TypeError: a turn is none of these.

    """
    steps: list[Any] = []
    goes_on = False  # the answer before stopped in the middle, and this is the rest of it
    for turn in turns:
        if isinstance(turn, Interaction):
            answer = list(turn.steps or ())
            if _by_model(answer[:1]) and not goes_on and (not steps or _by_model(steps[-1:])):
                steps += _input_of(turn)
            steps += answer
        elif isinstance(turn, Iterable) and not isinstance(turn, str | Mapping):
            steps += [step for item in turn for step in _steps_of(item)]
        else:
            steps += _steps_of(turn)
        goes_on = isinstance(turn, Interaction) and turn.status == "requires_continuation"
    if _by_model(steps[:1]):
        raise ValueError(NO_INPUT)
    return _without_cut_calls(steps)


NO_INPUT: Final = (
    "what the user said is missing before an answer; give it first: "
    "history('What is 6 times 7?', interaction, ...)"
)

USER_STEPS: Final = (UserInputStep, FunctionResultStep, Unknown)
"""What may stand before an answer; what is newer than the spec may be of either side."""


def _by_model(steps: list[Any]) -> bool:
    """Whether there is a step, and it is one of an answer."""
    return any(not isinstance(step, USER_STEPS) for step in steps)


def _input_of(interaction: Interaction) -> list[Any]:
    """The steps of the member `input`, which a GET can be asked for."""
    given: Any = interaction.input
    if given is UNSET:
        raise ValueError(NO_INPUT)
    if isinstance(given, list) and all(isinstance(item, Step) for item in given):
        return list(given)
    return [user_input(*given) if isinstance(given, list) else user_input(given)]


def _steps_of(turn: Any) -> list[Any]:
    """The steps of a text, a step, or a turn of either side."""
    if isinstance(turn, str):
        return [user_input(turn)]
    if isinstance(turn, Mapping) or (isinstance(turn, WireStruct) and hasattr(turn, "role")):
        return _steps_of_role(turn)
    return [_checked(turn, Step, "Step")]


def _steps_of_role(turn: Any) -> list[Any]:
    from ..legacy.bodies import turn_steps  # brings the legacy models, which few need

    members: dict[str, Any] = to_dict(turn)
    if "role" not in members:
        raise TypeError(f"not a Step: {turn!r:.80}")
    content = members.get("content")
    if isinstance(content, dict):
        members["content"] = [content]
    steps = turn_steps(Unknown(encode_finite(members)))
    if not steps:
        raise ValueError(f"a turn has `role` ('user' or 'model') and `content`: {turn!r:.80}")
    return steps


def _without_cut_calls(steps: list[Any]) -> list[Any]:
    """The steps without calls whose arguments never came whole."""
    cut = {step.id for step in steps if _is_cut(step)} - {UNSET}
    for step in steps:
        if isinstance(step, FunctionResultStep) and step.call_id in cut:
            raise ValueError(f"a result for the call {step.call_id!r}, whose arguments were cut")
    return [step for step in steps if not _is_cut(step)]


def _is_cut(step: Any) -> bool:
    return isinstance(step, FunctionCallStep) and step.arguments is UNSET
