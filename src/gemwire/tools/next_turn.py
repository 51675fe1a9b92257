"""The body of the request that goes on with an answer: results of functions, or a new turn."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, cast, overload

import msgspec
from msgspec import UNSET

from ..codec.decode import decode
from ..codec.encode import encode
from ..codec.json import read_json
from ..codec.structs import Unknown, WireStruct
from ..models import (
    CreateAgentInteraction,
    CreateModelInteraction,
    FunctionCallStep,
    FunctionResultStep,
    Interaction,
    Step,
    UserInputStep,
)
from ..models.views import is_terminal
from ..operations.input import history, user_input

if TYPE_CHECKING:
    from ..models import Content, Turn

__all__ = ["check_ended", "next_request"]

Body = TypeVar("Body", CreateModelInteraction, CreateAgentInteraction)


@overload
def next_request(
    body: Body,
    interaction: Interaction,
    results: Iterable[Step | str],
    /,
    *,
    stateful: bool | None = None,
) -> Body: ...


@overload
def next_request(
    body: Mapping[str, Any] | bytes,
    interaction: Interaction,
    results: Iterable[Step | str],
    /,
    *,
    stateful: bool | None = None,
) -> dict[str, Any]: ...


def next_request(
    body: Any,
    interaction: Interaction,
    results: Iterable[Step | str],
    /,
    *,
    stateful: bool | None = None,
) -> Any:
    """The body of the request that goes on with an answer: results of functions, or a new turn.

    All other members are those of the body before, because the server takes over the history
    alone: not the tools, not the instruction, not the settings. What goes in as input is

    - stateful: `results`, with `previous_interaction_id`; the environment, if the answer has one,
      is named by its id;
    - stateless: the input of the body before, the steps of the answer exactly as they came, with
      all signatures, and `results`. A call whose arguments never came whole is left out together
      with its result: the server would refuse it.

    Args:
        body: of the request that brought the answer, as a model, a mapping or bytes.
        interaction: the answer, read to its end.
        results: what `run_tools` gave; further steps, and texts of the user, may follow.
        stateful: by default, whether the server stored the answer: it has an id, and `store` is not
            false.

    Returns:
        A model of the same type, or a dict.

    Raises:
        ValueError: the answer has not ended, a pending call has no result, there is nothing to say,
            or the body lacks what this needs.
        TypeError: the body is none of these, or `results` has what is no step.
    """
    check_ended(interaction)
    members = _members(body)
    said = [user_input(step) if isinstance(step, str) else step for step in results]
    if stateful is None:
        stateful = bool(interaction.id) and members.get("store") is not False
    calls: Sequence[FunctionCallStep] = interaction.pending_function_calls
    cut = set() if stateful else {call.id for call in calls if call.arguments is UNSET}
    given = {step.call_id for step in said if isinstance(step, FunctionResultStep)}
    missing = [str(call.id) for call in calls if call.id not in given and call.id not in cut]
    if missing:
        raise ValueError(f"no result for the pending calls {', '.join(missing)}")
    if not said:
        raise ValueError("there is nothing to go on with: no results, and no new turn")
    changes: dict[str, Any] = {"continuation_token": UNSET}
    if stateful:
        if not interaction.id:
            raise ValueError("the answer has no id to go on from")
        changes |= {"input": history(said), "previous_interaction_id": interaction.id}
        if isinstance(interaction.environment_id, str) and interaction.environment_id:
            changes["environment"] = interaction.environment_id
    else:
        kept = [s for s in said if not (isinstance(s, FunctionResultStep) and s.call_id in cut)]
        changes["input"] = history(_turns(members.get("input")), _output(interaction), *kept)
    if isinstance(body, WireStruct):
        return msgspec.structs.replace(body, **changes)
    return {name: value for name, value in {**members, **changes}.items() if value is not UNSET}


def check_ended(interaction: Interaction) -> None:
    """Refuse an answer that goes on; raises ValueError."""
    status = interaction.status
    if status == "requires_continuation" or (status and not is_terminal(status)):
        raise ValueError(f"the answer is {status}: read it to its end first")


def _members(body: Any) -> dict[str, Any]:
    if isinstance(body, WireStruct):
        return {name: getattr(body, name) for name in body.__struct_fields__}
    if isinstance(body, bytes | bytearray | memoryview):
        body = read_json(bytes(body))
    if not isinstance(body, Mapping):
        raise TypeError(f"a body is a model, a mapping or the bytes of an object, not {body!r:.80}")
    return dict(body)


def _turns(given: Any) -> list[Step | Turn | str]:
    """The input of a body as `history` takes it."""
    if given is UNSET or given is None:
        return []
    answer = decode(encode({"status": "completed", "input": given}), Interaction)
    read: Any = answer.input
    if read is UNSET:
        raise ValueError("the input of the body cannot be read: give texts, parts, steps or turns")
    if isinstance(read, str):
        return [read]
    items = [_turn(item) for item in read] if isinstance(read, list) else [read]
    if any(isinstance(item, Step | Mapping) for item in items):
        return items
    return [user_input(*cast("list[Content]", items))] if items else []


def _turn(item: Any) -> Any:
    """The item; plain if it is of the older form, with a `role` in place of a type."""
    plain = item.raw if isinstance(item, Unknown) and item.tag is None else item
    return plain if isinstance(plain, Mapping) and "role" in plain else item


def _output(interaction: Interaction) -> Interaction:
    """The answer without the input that a GET has before it: the body has that, too."""
    steps = list(interaction.steps or ())
    while steps and isinstance(steps[0], UserInputStep):
        del steps[0]
    return msgspec.structs.replace(interaction, steps=steps, input=UNSET)
