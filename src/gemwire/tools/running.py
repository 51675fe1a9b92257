"""Functions of the caller: their declarations, and running those that an answer calls."""

from __future__ import annotations

import contextvars
import functools
import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NamedTuple, TypeAlias, TypeVar, cast, overload

import msgspec
from msgspec import UNSET

from ..codec.encode import encode, to_dict
from ..codec.structs import Unknown, WireStruct
from ..errors import ArgumentsError, DecodeError
from ..models import (
    Function,
    FunctionCallStep,
    FunctionResultStep,
    FunctionResultSubcontent,
    Interaction,
)
from ..operations.input import function_result
from ..structured import json_schema
from .next_turn import check_ended
from .signatures import convert, described, signature_of

__all__ = [
    "UnknownFunction",
    "arun_tools",
    "decode_arguments",
    "error_result",
    "function_declaration",
    "run_tools",
]

T = TypeVar("T")

Functions: TypeAlias = Mapping[str, Callable[..., Any]] | Iterable[Callable[..., Any]]
"""Functions by the names that the model knows, or those whose own names it knows."""

OnError: TypeAlias = Callable[[FunctionCallStep, Exception], Any]
"""What is told to the model of a call that failed; None for the usual text."""

LONGEST: Final = 2000
"""Characters of an error that are told to the model."""


# ---- what to declare


def function_declaration(
    function: Callable[..., Any],
    /,
    *,
    name: str | None = None,
    description: str | None = None,
) -> Function:
    """Describe a function for the `tools` of a request.

    The schema is made of the annotations, the descriptions of the docstring (`Args:` or
    `:param name:`) or of `Annotated[…, msgspec.Meta(description=…)]`. A function whose only
    parameter is positional (`def search(query: Query, /)`) takes the arguments as one object, so
    that the schema is that of its type. The same goes for a type in place of a function.

    Args:
        function: a function, sync or async, or a Struct, dataclass, TypedDict or pydantic model.
        name: in place of the function's own.
        description: in place of the docstring.

    Raises:
        TypeError: there is no JSON Schema for an annotation.
        ValueError: it has no name.
    """
    name = name or getattr(function, "__name__", "")
    if not name:
        raise ValueError(f"a name is needed for {function!r:.80}")
    if _is_type(function):
        schema = json_schema(function)
        text = schema.pop("description", "")
        schema.pop("title", None)
        parameters: dict[str, Any] | None = schema
    else:
        told = described(inspect.getdoc(function))
        parameters, text = signature_of(function).schema(told.parameters), told.text
    return Function(
        name=name,
        description=description or text or UNSET,
        parameters=UNSET if parameters is None else parameters,
    )


def _is_type(value: Any) -> bool:
    """Whether it is a type with members, rather than a function."""
    return isinstance(value, type) and (
        issubclass(value, msgspec.Struct | dict)
        or any(
            hasattr(value, mark)
            for mark in ("__dataclass_fields__", "__attrs_attrs__", "__pydantic_validator__")
        )
    )


# ---- what to run


@overload
def decode_arguments(call: FunctionCallStep, type: type[T], /) -> T: ...


@overload
def decode_arguments(call: FunctionCallStep, type: Any, /) -> Any: ...


def decode_arguments(call: FunctionCallStep, type: Any, /) -> Any:
    """The arguments of a call as a type of your own; `error_result` tells the model if that fails.

    Args:
        call: the call as it came.
        type: a Struct, a dataclass, a TypedDict, a pydantic model, or what else msgspec decodes.

    Raises:
        ArgumentsError: the arguments never came whole, or do not fit the type.
        TypeError: neither msgspec nor pydantic knows the type.
    """
    try:
        return convert(call.parsed_arguments(), type)
    except DecodeError as error:
        raise _misfit(call, error) from error


def _misfit(call: FunctionCallStep, error: DecodeError) -> ArgumentsError:
    return ArgumentsError(
        f"the arguments do not fit: {error.args[0]} (at {error.path})",
        call_id=None if call.id is UNSET else call.id,
        name=None if call.name is UNSET else call.name,
        raw=encode(call.arguments).decode(),
    )


def error_result(call: FunctionCallStep, error: Exception | str, /) -> FunctionResultStep:
    """The answer to a call that failed: what went wrong, as a text for the model.

    Raises:
        ValueError: the call has no id.
    """
    if isinstance(error, ArgumentsError | UnknownFunction):
        error = str(error.args[0])  # what the model sent, it knows
    elif isinstance(error, Exception):
        error = f"{type(error).__name__}: {error}"
    return function_result(call, error[:LONGEST], is_error=True)


class UnknownFunction(LookupError):
    """The model calls what nobody declared."""


def run_tools(
    interaction: Interaction,
    functions: Functions,
    /,
    *,
    max_concurrency: int = 1,
    on_error: OnError | None = None,
) -> list[FunctionResultStep]:
    """Run the functions that an answer calls, and give a result for each pending call, in order.

    Arguments go in by name, as the types of the annotations. A result is a text, an object, or
    content parts; any other value is sent as `{"result": value}`, and Structs, dataclasses and
    pydantic models are sent as objects.

    Whatever goes wrong with a call is its result, with `is_error`: an exception of the function, a
    name that is not among the functions, arguments that do not fit. A call whose arguments never
    came whole is never run.

    Args:
        interaction: an answer, read to its end.
        functions: by the names that the model knows; or a list, by their own names.
        max_concurrency: how many run at once, in threads; 1 runs one after the other, in this one.
        on_error: called with a call and its exception; returns what the model is told (None: the
            usual text), or raises, which ends the run.

    Raises:
        ValueError: the answer has not ended, or a call has no id or the id of another one. Nothing
            has been run then.
        TypeError: a function is async, or an annotation cannot be read. Nothing has been run then.
    """
    plans = _plan(interaction, functions)
    for plan in plans:
        if plan.run is not None and _is_async(plan.run):
            raise TypeError(f"the function {plan.call.name!r} is async: use arun_tools")
    if max_concurrency <= 1 or len(plans) <= 1:
        return [_run(plan, on_error) for plan in plans]
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(min(max_concurrency, len(plans)), "gemwire-tool") as pool:
        futures = [
            pool.submit(contextvars.copy_context().run, _run, plan, on_error) for plan in plans
        ]
        return [future.result() for future in futures]


async def arun_tools(
    interaction: Interaction,
    functions: Functions,
    /,
    *,
    max_concurrency: int = 1,
    on_error: OnError | None = None,
) -> list[FunctionResultStep]:
    """Run the functions that an answer calls, as `run_tools` does, and await those that are async.

    Functions that are not are called in the event loop; wrap with `asyncio.to_thread` what blocks.
    With `max_concurrency=1` this needs no asyncio and runs under any event loop.

    Args:
        interaction: an answer, read to its end.
        functions: by the names that the model knows; or a list, by their own names.
        max_concurrency: how many run at once, as tasks of asyncio.
        on_error: as in `run_tools`.

    Raises:
        ValueError, TypeError: as `run_tools` does.
    """
    plans = _plan(interaction, functions)
    if max_concurrency <= 1 or len(plans) <= 1:
        return [await _arun(plan, on_error) for plan in plans]
    import asyncio

    slots = asyncio.Semaphore(max_concurrency)

    async def run_in_slot(plan: _Plan) -> FunctionResultStep:
        async with slots:
            return await _arun(plan, on_error)

    tasks = [asyncio.create_task(run_in_slot(plan)) for plan in plans]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()  # does nothing, unless on_error raised


class _Plan(NamedTuple):
    """What is to be done for a call: run something, or say why not."""

    call: FunctionCallStep
    run: Callable[[], Any] | None = None
    error: Exception | None = None


def _plan(interaction: Interaction, functions: Functions) -> list[_Plan]:
    check_ended(interaction)
    named = _by_name(functions)
    calls: dict[str, FunctionCallStep] = {}
    for call in interaction.pending_function_calls:
        if not call.id:
            raise ValueError(f"the call of {call.name!r} has no id that a result could name")
        if calls.setdefault(call.id, call) != call:
            raise ValueError(f"two different calls have the id {call.id!r}")
    return [_plan_of(call, named) for call in calls.values()]


def _by_name(functions: Functions) -> Mapping[str, Callable[..., Any]]:
    if isinstance(functions, Mapping):
        return cast("Mapping[str, Callable[..., Any]]", functions)
    named: dict[str, Callable[..., Any]] = {}
    for function in functions:
        name = getattr(function, "__name__", "")
        if not name or named.setdefault(name, function) is not function:
            raise ValueError(f"a name of its own is needed for {function!r:.80}: give a mapping")
    return named


def _plan_of(call: FunctionCallStep, functions: Mapping[str, Callable[..., Any]]) -> _Plan:
    function = functions.get(str(call.name))
    if function is None:
        known = ", ".join(functions) or "none"
        return _Plan(call, error=UnknownFunction(f"no function {call.name!r:.80}; known: {known}"))
    signature = signature_of(function)
    try:
        by_position, by_name = signature.bind(call.parsed_arguments())
    except ArgumentsError as error:
        return _Plan(call, error=error)
    except DecodeError as error:
        return _Plan(call, error=_misfit(call, error))
    return _Plan(call, functools.partial(function, *by_position, **by_name))


def _is_async(function: Any) -> bool:
    while isinstance(function, functools.partial):
        function = function.func
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
        getattr(function, "__call__", None)  # noqa: B004  # an object whose call is async
    )


def _run(plan: _Plan, on_error: OnError | None) -> FunctionResultStep:
    try:
        if plan.run is None:
            raise plan.error or UnknownFunction
        value = plan.run()
        if inspect.isawaitable(value):
            if inspect.iscoroutine(value):
                value.close()
            raise TypeError("the function gave an awaitable: use arun_tools")
        return _result(plan.call, value)
    except Exception as error:
        return _failed(plan.call, error, on_error)


async def _arun(plan: _Plan, on_error: OnError | None) -> FunctionResultStep:
    try:
        if plan.run is None:
            raise plan.error or UnknownFunction
        value = plan.run()
        if inspect.isawaitable(value):
            value = await value
        return _result(plan.call, value)
    except Exception as error:
        return _failed(plan.call, error, on_error)


def _failed(
    call: FunctionCallStep, error: Exception, on_error: OnError | None
) -> FunctionResultStep:
    told = None if on_error is None else on_error(call, error)
    return error_result(call, error) if told is None else _result(call, told, is_error=True)


def _result(call: FunctionCallStep, value: Any, is_error: bool = False) -> FunctionResultStep:
    flag = True if is_error else UNSET
    if not isinstance(value, str) and not _is_content(value):
        value = to_dict(value) if isinstance(value, WireStruct) else _plain(value)
        if not isinstance(value, dict | str):
            value = {"result": value}
    return function_result(call, value, is_error=flag)


def _is_content(value: Any) -> bool:
    """Whether it is a content part, or a list of them."""
    parts: Any = value if isinstance(value, list | tuple) and value else [value]
    return all(isinstance(part, FunctionResultSubcontent | Unknown) for part in parts)


def _plain(value: Any) -> Any:
    return msgspec.to_builtins(value, str_keys=True, enc_hook=_of_pydantic)


def _of_pydantic(value: Any) -> Any:
    dump = getattr(value, "model_dump", None)
    if dump is None:
        raise TypeError(f"a result of type {type(value).__name__} cannot be sent")
    return dump(mode="json")
