"""Function calling: declarations, runs whose every failure is a result, and the next request."""

from __future__ import annotations

import asyncio
import contextvars
import dataclasses
import functools
import json
import threading
from collections.abc import Callable
from datetime import date
from typing import Annotated, Any, Literal, TypedDict

import msgspec
import pydantic
import pytest
from msgspec import UNSET

from gemwire import (
    ArgumentsError,
    Assembler,
    FunctionCallStep,
    FunctionResultStep,
    GemwireError,
    ImageContent,
    Interaction,
    ModelOutputStep,
    TextContent,
    ThoughtStep,
    UserInputStep,
    decode,
    decode_interaction,
    encode,
    function_result,
    history,
    image_content,
    iter_events,
    to_dict,
    user_input,
)
from gemwire import models as m
from gemwire.operations import create_interaction
from gemwire.replay import Recording
from gemwire.tools import (
    arun_tools,
    decode_arguments,
    error_result,
    function_declaration,
    next_request,
    run_tools,
)

from .wire import arguments, completed, created, start, stop, stream


class Query(msgspec.Struct, forbid_unknown_fields=True):
    """What to look for."""

    words: list[str]
    limit: int = 10


@dataclasses.dataclass
class Place:
    city: str
    country: str = "CH"


class Filter(TypedDict):
    name: str


class Order(pydantic.BaseModel):
    """An order."""

    quantity: int = pydantic.Field(gt=0, description="How many.")


def calling(
    *calls: tuple[str, Any], status: Any = "requires_action", **members: Any
) -> Interaction:
    """An answer with a thought and calls, whose ids are k0, k1 and so on."""
    steps: list[Any] = [ThoughtStep(signature="c2lnbmVk")]
    steps += [
        FunctionCallStep(id=f"k{at}", name=name, arguments=given)
        for at, (name, given) in enumerate(calls)
    ]
    return Interaction(id="v1_a", status=status, steps=steps, **{"model": "g", **members})


def ran(interaction: Interaction, functions: Any, **options: Any) -> list[dict[str, Any]]:
    """The results as JSON, which both ways must agree on."""
    results = run_tools(interaction, functions, **options)
    assert asyncio.run(arun_tools(interaction, functions, **options)) == results
    found: list[dict[str, Any]] = json.loads(encode(results))
    return found


# ---- declarations


def search_trains(
    origin: str,
    day: date,
    seats: Annotated[int, msgspec.Meta(ge=1, description="For how many.")] = 1,
    via: list[Place] | None = None,
    *,
    travel_class: Literal["1", "2"] = "2",
) -> str:
    """Find trains.

    Only direct ones.

    Args:
        origin (str): where the journey begins,
            as the station is called.
        seats: not this one
        travel_class: first or second

    Returns:
        A list of trains.
    """
    return f"{origin} {day:%d.%m.%Y} {seats} {via} {travel_class}"


def test_a_function_is_declared_by_its_signature_and_docstring() -> None:
    declared = function_declaration(search_trains)
    assert to_dict(declared) == {
        "type": "function",
        "name": "search_trains",
        "description": "Find trains.\n\nOnly direct ones.",
        "parameters": {
            "type": "object",
            "properties": {
                "origin": {
                    "type": "string",
                    "description": "where the journey begins, as the station is called.",
                },
                "day": {"type": "string", "format": "date"},
                "seats": {
                    "type": "integer",
                    "minimum": 1,
                    "description": "For how many.",
                    "default": 1,
                },
                "via": {
                    "anyOf": [
                        {"type": "array", "items": {"$ref": "#/$defs/Place"}},
                        {"type": "null"},
                    ],
                    "default": None,
                },
                "travel_class": {
                    "enum": ["1", "2"],
                    "description": "first or second",
                    "default": "2",
                },
            },
            "required": ["origin", "day"],
            "$defs": {
                "Place": {
                    "title": "Place",
                    "type": "object",
                    "properties": {
                        "city": {"type": "string"},
                        "country": {"type": "string", "default": "CH"},
                    },
                    "required": ["city"],
                }
            },
        },
    }


def in_sphinx(city: str, unit: str) -> None:
    """Tell the weather.

    :param str city: where
    :param unit: of the
        temperature
    :returns: nothing
    """


def by_object(query: Query, /) -> None:
    """Search."""


def no_arguments() -> None: ...


def untyped(a, b=1, **others) -> None:  # type: ignore[no-untyped-def]
    """Anything."""


class Shop:
    def order(self, order: Order) -> None:
        """Order something."""

    def __call__(self, n: int) -> None:
        """Call the shop."""


QUERY = {
    "type": "object",
    "properties": {
        "words": {"type": "array", "items": {"type": "string"}},
        "limit": {"type": "integer", "default": 10},
    },
    "required": ["words"],
    "additionalProperties": False,
}
ORDER = {
    "type": "object",
    "properties": {
        "quantity": {
            "type": "integer",
            "exclusiveMinimum": 0,
            "description": "How many.",
            "title": "Quantity",
        }
    },
    "required": ["quantity"],
}

DECLARED: list[tuple[Any, dict[str, Any]]] = [
    (
        in_sphinx,
        {
            "name": "in_sphinx",
            "description": "Tell the weather.",
            "parameters": {
                "type": "object",
                "properties": {
                    "city": {"type": "string", "description": "where"},
                    "unit": {"type": "string", "description": "of the temperature"},
                },
                "required": ["city", "unit"],
            },
        },
    ),
    (
        by_object,
        {
            "name": "by_object",
            "description": "Search.",
            "parameters": {"title": "Query", "description": "What to look for.", **QUERY},
        },
    ),
    (no_arguments, {"name": "no_arguments"}),
    (
        untyped,
        {
            "name": "untyped",
            "description": "Anything.",
            "parameters": {
                "type": "object",
                "properties": {"a": {}, "b": {"default": 1}},
                "required": ["a"],
            },
        },
    ),
    (Query, {"name": "Query", "description": "What to look for.", "parameters": QUERY}),
    (Order, {"name": "Order", "description": "An order.", "parameters": ORDER}),
    (
        Filter,
        {
            "name": "Filter",
            "parameters": {
                "type": "object",
                "properties": {"name": {"type": "string"}},
                "required": ["name"],
            },
        },
    ),
    (
        Place,
        {
            "name": "Place",
            "parameters": {
                "type": "object",
                "properties": {
                    "city": {"type": "string"},
                    "country": {"type": "string", "default": "CH"},
                },
                "required": ["city"],
            },
        },
    ),
    (
        Shop().order,
        {
            "name": "order",
            "description": "Order something.",
            "parameters": {
                "type": "object",
                "properties": {"order": {"title": "Order", "description": "An order.", **ORDER}},
                "required": ["order"],
            },
        },
    ),
]


@pytest.mark.parametrize(("function", "want"), DECLARED, ids=[str(row[0]) for row in DECLARED])
def test_declarations(function: Any, want: dict[str, Any]) -> None:
    assert to_dict(function_declaration(function)) == {"type": "function", **want}


def test_a_declaration_can_be_named_and_described() -> None:
    declared = function_declaration(Shop(), name="call_shop", description="Ring it.")
    assert (declared.name, declared.description) == ("call_shop", "Ring it.")
    partial = functools.partial(search_trains, origin="Bern", seats=3)
    declared = function_declaration(partial, name="from_bern")
    parameters: Any = declared.parameters
    assert list(parameters["properties"]) == ["day", "via", "travel_class"]
    with pytest.raises(ValueError, match="a name is needed"):
        function_declaration(partial)


def test_what_has_no_schema_is_the_callers_mistake() -> None:
    def takes(server: threading.Thread) -> None: ...

    def lost(x: Missing) -> None: ...  # type: ignore[name-defined]  # noqa: F821

    with pytest.raises(TypeError):
        function_declaration(takes)
    with pytest.raises(TypeError, match=r"an annotation of .*lost.* cannot be read"):
        function_declaration(lost)


def test_a_declaration_goes_into_a_request() -> None:
    body = {"model": "g", "input": "?", "tools": [function_declaration(search_trains)]}
    sent = json.loads(create_interaction(body).body or b"")
    assert sent["tools"][0]["name"] == "search_trains"


# ---- arguments


TAKEN: list[tuple[Any, dict[str, Any], Any]] = [
    (Query, {"words": ["a"]}, Query(["a"])),
    (Place, {"city": "Chur"}, Place("Chur")),
    (Filter, {"name": "a"}, {"name": "a"}),
    (Order, {"quantity": 2}, Order(quantity=2)),
    (dict[str, int], {"a": 1}, {"a": 1}),
]


@pytest.mark.parametrize(("type", "given", "want"), TAKEN, ids=[str(row[0]) for row in TAKEN])
def test_arguments_as_a_type(type: Any, given: Any, want: Any) -> None:
    assert decode_arguments(FunctionCallStep(id="k", name="f", arguments=given), type) == want


REFUSED: list[tuple[Any, Any, str]] = [
    (Query, {"words": "a"}, "the arguments do not fit: Expected `array`, got `str` (at $.words)"),
    (Query, {"words": [], "n": 1}, "unknown field `n`"),
    (Place, {}, "missing required field `city`"),
    (Filter, {"name": None}, "(at $.name)"),
    (Order, {"quantity": 0}, "greater than 0 (at $.quantity)"),
    (dict[str, float], {"a": float("inf")}, "JSON has no form for inf"),
    (Query, UNSET, "the call has no arguments that could be read"),
]


@pytest.mark.parametrize(("type", "given", "reason"), REFUSED, ids=[row[2] for row in REFUSED])
def test_arguments_that_do_not_fit_can_be_sent_back(type: Any, given: Any, reason: str) -> None:
    call = FunctionCallStep(id="k", name="f", arguments=given)
    with pytest.raises(ArgumentsError) as caught:
        decode_arguments(call, type)
    error = caught.value
    assert (error.call_id, error.name) == ("k", "f")
    result: Any = error_result(call, error)
    assert (result.call_id, result.name, result.is_error) == ("k", "f", True)
    assert reason in result.result


def test_what_does_not_fit_keeps_its_text() -> None:
    call = FunctionCallStep(id="k", name="f", arguments={"words": "a"})
    with pytest.raises(ArgumentsError) as caught:
        decode_arguments(call, Query)
    assert caught.value.raw == '{"words":"a"}'


# ---- runs


def test_calls_run_in_order_and_are_answered_in_order() -> None:
    order: list[str] = []

    def note(text: str) -> str:
        order.append(text)
        return text.upper()

    results = run_tools(calling(("note", {"text": "a"}), ("note", {"text": "b"})), [note])
    assert order == ["a", "b"]
    assert results == [
        FunctionResultStep(call_id="k0", name="note", result="A"),
        FunctionResultStep(call_id="k1", name="note", result="B"),
    ]


def test_arguments_go_in_as_the_types_of_the_annotations() -> None:
    def mixed(
        a: int, /, day: date, place: Place, order: Order, *, note: str = "-", **rest: Any
    ) -> str:
        return f"{a} {day:%Y} {place.city} {order.quantity} {note} {rest}"

    given = {
        "a": 1,
        "day": "2026-10-03",
        "place": {"city": "Chur"},
        "order": {"quantity": 2},
        "x": [3],
    }
    assert ran(calling(("mixed", given)), [mixed])[0]["result"] == "1 2026 Chur 2 - {'x': [3]}"


def test_a_positional_parameter_alone_takes_the_whole() -> None:
    def search(query: Query, /) -> list[str]:
        return query.words * query.limit

    def raw(arguments, /) -> Any:  # type: ignore[no-untyped-def]
        return arguments

    answer = calling(("search", {"words": ["a"], "limit": 2}), ("raw", {"query": 1}))
    assert [result["result"] for result in ran(answer, [search, raw])] == [
        {"result": ["a", "a"]},
        {"query": 1},
    ]


VALUES: list[tuple[str, Any, Any]] = [
    ("a text", "sunny", "sunny"),
    ("no text", "", ""),
    ("an object", {"sky": "clear", 1: date(2026, 1, 2)}, {"sky": "clear", "1": "2026-01-02"}),
    ("a number", 7, {"result": 7}),
    ("nothing", None, {"result": None}),
    ("false", False, {"result": False}),
    ("a list", [1, "a"], {"result": [1, "a"]}),
    ("an empty list", [], {"result": []}),
    ("a tuple", (1, 2), {"result": [1, 2]}),
    ("a Struct", Query(["a"]), {"words": ["a"], "limit": 10}),
    ("a dataclass", Place("Chur"), {"city": "Chur", "country": "CH"}),
    ("a pydantic model", Order(quantity=1), {"quantity": 1}),
    ("models in a list", [Order(quantity=1)], {"result": [{"quantity": 1}]}),
    ("a part", TextContent(text="a"), [{"type": "text", "text": "a"}]),
    (
        "parts",
        [TextContent(text="a"), ImageContent(uri="u")],
        [{"type": "text", "text": "a"}, {"type": "image", "uri": "u"}],
    ),
    ("a step", UserInputStep(content=[]), {"type": "user_input", "content": []}),
    ("an image", image_content(b"\x89PNG\r\n\x1a\n"), None),
]


@pytest.mark.parametrize(("value", "want"), [r[1:] for r in VALUES], ids=[r[0] for r in VALUES])
def test_what_a_function_gives_is_its_result(value: Any, want: Any) -> None:
    (result,) = ran(calling(("f", {})), {"f": lambda: value})
    assert "is_error" not in result
    assert result["result"] == (json.loads(encode([value])) if want is None else want)


def fails(error: BaseException) -> Callable[[], Any]:
    def fail() -> Any:
        raise error

    return fail


FAILURES: list[tuple[str, Any, Any, str]] = [
    # (what, the function, the arguments, the whole text that the model is told)
    ("an exception", fails(KeyError("city")), {}, "KeyError: 'city'"),
    ("one of gemwire", fails(GemwireError("gone")), {}, "GemwireError: gone"),
    ("a long one", fails(ValueError("x" * 9999)), {}, "ValueError: " + "x" * 1988),
    ("an unknown name", None, {}, "no function 'f'; known: other"),
    ("unreadable arguments", by_object, UNSET, "the call has no arguments that could be read"),
    (
        "a wrong type",
        in_sphinx,
        {"city": 1, "unit": "C"},
        "the arguments do not fit: Expected `str`, got `int` (at $.city)",
    ),
    (
        "a missing argument",
        in_sphinx,
        {"city": "Chur"},
        "the arguments do not fit: the argument 'unit' is missing (at $)",
    ),
    (
        "an invented one",
        in_sphinx,
        {"city": "Chur", "unit": "C", "self": 1},
        "the arguments do not fit: there is no parameter 'self' (at $)",
    ),
    (
        "a misfit deep inside",
        search_trains,
        {"origin": "a", "day": "2026-01-01", "via": [{"city": "b"}, {}]},
        "the arguments do not fit: Object missing required field `city` (at $.via[1])",
    ),
    (
        "a number that JSON lacks",
        lambda: {"n": [float("nan")]},
        {},
        "ValueError: JSON has no form for nan",
    ),
    (
        "what cannot be sent",
        lambda: {"n": object()},
        {},
        "TypeError: a result of type object cannot be sent",
    ),
]


@pytest.mark.parametrize(
    ("function", "given", "told"), [row[1:] for row in FAILURES], ids=[row[0] for row in FAILURES]
)
def test_what_goes_wrong_is_the_result(function: Any, given: Any, told: str) -> None:
    functions: dict[str, Any] = {
        "other": no_arguments,
        **({} if function is None else {"f": function}),
    }
    answer = calling(("f", given), ("other", {}))
    first, second = ran(answer, functions)
    assert first == {
        "type": "function_result",
        "call_id": "k0",
        "name": "f",
        "result": told,
        "is_error": True,
    }
    assert second["result"] == {"result": None}


def test_a_result_that_holds_itself_cannot_be_sent() -> None:
    knot: list[Any] = []
    knot.append(knot)
    (result,) = ran(calling(("f", {})), {"f": lambda: knot})
    assert result["is_error"] is True


def test_a_call_whose_arguments_came_in_part_is_never_run() -> None:
    """As a stream with a lost piece gives it: the placeholder `{}` does not stand for them."""
    assembler = Assembler()
    pieces = ['{"under":"/data', '/x"']
    events = [created(), start(0, "function_call", id="k7", name="delete_files", arguments={})]
    events += [arguments(0, piece) for piece in pieces]
    sent = stream(*events, stop(0), completed("requires_action"))
    assembler.apply_all(list(iter_events(sent)))
    answer = assembler.snapshot()
    deleted: list[Any] = []
    (result,) = run_tools(answer, {"delete_files": lambda **given: deleted.append(given)})
    assert deleted == []
    assert result.is_error is True
    assert result.call_id == "k7"


def test_answered_calls_and_those_of_agents_are_left_alone() -> None:
    answer = calling(("f", {}), ("g", {}))
    steps: list[Any] = [*(answer.steps or ()), FunctionResultStep(call_id="k0", result="done")]
    answer = msgspec.structs.replace(answer, steps=steps)
    assert [result["call_id"] for result in ran(answer, {"g": no_arguments})] == ["k1"]
    assert run_tools(msgspec.structs.replace(answer, steps=UNSET), []) == []


def test_the_same_call_twice_is_run_once() -> None:
    ran_with: list[int] = []
    answer = calling(("f", {"n": 1}))
    answer = msgspec.structs.replace(answer, steps=[*(answer.steps or ())] * 2)
    assert len(run_tools(answer, {"f": _appender(ran_with)})) == 1
    assert ran_with == [1]


def _appender(seen: list[int]) -> Callable[[int], None]:
    def append(n: int) -> None:
        seen.append(n)

    return append


MISTAKES: list[tuple[str, Interaction, Any, type[Exception], str]] = [
    ("in progress", calling(("f", {}), status="in_progress"), {}, ValueError, "is in_progress"),
    (
        "to be continued",
        calling(("f", {}), status="requires_continuation"),
        {},
        ValueError,
        "is requires_continuation",
    ),
    (
        "no id",
        Interaction(status="completed", steps=[FunctionCallStep(name="f", arguments={})]),
        {},
        ValueError,
        "no id",
    ),
    (
        "one id for two",
        Interaction(
            status="completed",
            steps=[FunctionCallStep(id="k", name=name, arguments={}) for name in "fg"],
        ),
        {},
        ValueError,
        "two different calls have the id 'k'",
    ),
    ("no name", calling(), [functools.partial(no_arguments)], ValueError, "a name of its own"),
    ("one name for two", calling(), [lambda: 1, lambda: 2], ValueError, "a name of its own"),
]


@pytest.mark.parametrize(
    ("answer", "functions", "error", "reason"),
    [row[1:] for row in MISTAKES],
    ids=[row[0] for row in MISTAKES],
)
def test_mistakes_are_told_before_anything_runs(
    answer: Interaction, functions: Any, error: type[Exception], reason: str
) -> None:
    with pytest.raises(error, match=reason):
        run_tools(answer, functions)
    with pytest.raises(error, match=reason):
        asyncio.run(arun_tools(answer, functions))


async def later(n: int) -> int:
    await asyncio.sleep(0)
    return n + 1


def test_async_functions_need_the_async_way_which_is_told_first() -> None:
    seen: list[int] = []
    answer = calling(("first", {"n": 1}), ("later", {"n": 2}))
    functions: dict[str, Any] = {"first": _appender(seen), "later": functools.partial(later)}
    with pytest.raises(TypeError, match="'later' is async: use arun_tools"):
        run_tools(answer, functions)
    assert seen == []
    results = asyncio.run(arun_tools(answer, functions))
    assert [result.result for result in results] == [{"result": None}, {"result": 3}]
    (result,) = run_tools(calling(("f", {})), {"f": lambda: later(1)})
    assert result.result == "TypeError: the function gave an awaitable: use arun_tools"


def test_parallel_calls_run_at_once_in_threads_that_see_the_context() -> None:
    together = threading.Barrier(3, timeout=5)
    user = contextvars.ContextVar("user", default="nobody")
    user.set("ada")

    def meet(n: int) -> str:
        together.wait()
        return f"{user.get()} {n}"

    answer = calling(*(("meet", {"n": n}) for n in range(3)))
    results = run_tools(answer, [meet], max_concurrency=3)
    assert [result.result for result in results] == ["ada 0", "ada 1", "ada 2"]


@pytest.mark.parametrize("limit", [1, 2, 5])
def test_no_more_run_at_once_than_asked_for(limit: int) -> None:
    running = most = 0

    async def count(n: int) -> int:
        nonlocal running, most
        running += 1
        most = max(most, running)
        for _ in range(5 - n):  # the later ones end first
            await asyncio.sleep(0)
        running -= 1
        return n

    answer = calling(*(("count", {"n": n}) for n in range(5)))
    results = asyncio.run(arun_tools(answer, [count], max_concurrency=limit))
    assert [result.result for result in results] == [{"result": n} for n in range(5)]
    assert most == limit


def test_the_caller_hears_of_each_error_and_says_what_the_model_is_told() -> None:
    heard: list[tuple[Any, str]] = []

    def hide(call: FunctionCallStep, error: Exception) -> Any:
        heard.append((call.name, type(error).__name__))
        return {"hint": "try later"} if isinstance(error, OSError) else None

    answer = calling(("f", {}), ("g", {}), ("in_sphinx", {}))
    functions: dict[str, Any] = {"f": fails(OSError("secret")), "in_sphinx": in_sphinx}
    results = run_tools(answer, functions, on_error=hide)
    assert heard == [("f", "OSError"), ("g", "UnknownFunction"), ("in_sphinx", "ArgumentsError")]
    assert results[0].result == {"hint": "try later"}
    assert [result.is_error for result in results] == [True] * 3


@pytest.mark.parametrize("limit", [1, 2])
def test_the_caller_may_end_the_run(limit: int) -> None:
    def give_up(call: FunctionCallStep, error: Exception) -> Any:
        raise error

    async def wait() -> None:
        await asyncio.sleep(60)

    answer = calling(("f", {}), ("wait", {}))
    functions: dict[str, Any] = {"f": fails(OSError("no")), "wait": wait}
    with pytest.raises(OSError, match="no"):
        asyncio.run(arun_tools(answer, functions, max_concurrency=limit, on_error=give_up))
    functions["wait"] = no_arguments
    with pytest.raises(OSError, match="no"):
        run_tools(answer, functions, max_concurrency=limit, on_error=give_up)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit()])
def test_what_is_no_exception_goes_through(error: BaseException) -> None:
    with pytest.raises(type(error)):
        run_tools(calling(("f", {})), {"f": fails(error)})


def test_it_runs_without_asyncio_where_nothing_is_parallel() -> None:
    answer = calling(("f", {"n": 1}), ("f", {"n": 2}))

    async def add(n: int) -> int:
        return n + 1

    with pytest.raises(StopIteration) as done:
        arun_tools(answer, {"f": add}).send(None)
    assert [result.result for result in done.value.value] == [{"result": 2}, {"result": 3}]


# ---- the next request

DECLARATION = m.Function(name="f")
BODY = {
    "model": "g",
    "input": "Go.",
    "tools": [DECLARATION],
    "system_instruction": "Be brief.",
    "generation_config": {"temperature": 0.5, "tool_choice": "auto"},
    "response_format": {"type": "text"},
    "stream": True,
    "continuation_token": "t",
}
RESULT = FunctionResultStep(call_id="k0", name="f", result="done")


def sent_by(body: Any) -> dict[str, Any]:
    members: dict[str, Any] = json.loads(create_interaction(body).body or b"")
    return members


FORMS: list[Callable[[dict[str, Any]], Any]] = [
    lambda body: body,
    lambda body: encode(body),
    lambda body: decode(encode(body), m.CreateModelInteraction),
]


@pytest.mark.parametrize("form", FORMS, ids=["mapping", "bytes", "model"])
def test_a_stored_answer_is_named_and_all_but_the_history_is_said_again(form: Any) -> None:
    body = form(BODY)
    before = encode(body)
    following = next_request(body, calling(("f", {})), [RESULT])
    assert encode(body) == before
    want = {
        **json.loads(encode(BODY)),
        "input": [to_dict(RESULT)],
        "previous_interaction_id": "v1_a",
    }
    del want["continuation_token"]
    assert sent_by(following) == want
    assert isinstance(
        following, dict if not isinstance(body, m.CreateModelInteraction) else type(body)
    )


@pytest.mark.parametrize("form", FORMS, ids=["mapping", "bytes", "model"])
def test_what_is_not_stored_is_said_again_byte_for_byte(form: Any) -> None:
    recording = json.loads(Recording.load("function-calls").body or b"")
    steps = recording["steps"]
    steps.append({"type": "hologram", "points": [1.50, None], "signature": "x"})
    answer = decode_interaction(json.dumps({**recording, "id": ""}))
    results = run_tools(answer, {})
    following = next_request(form({**BODY, "store": False}), answer, results)
    sent = sent_by(following)
    assert sent["input"] == [
        {"type": "user_input", "content": [{"type": "text", "text": "Go."}]},
        *steps,
        *map(to_dict, results),
    ]
    assert "previous_interaction_id" not in sent
    assert (sent["tools"], sent["store"]) == ([{"type": "function", "name": "f"}], False)


INPUTS: list[tuple[str, Any, int]] = [
    ("a text", "Go.", 1),
    ("a part", {"type": "text", "text": "Go."}, 1),
    ("parts", [TextContent(text="Go."), {"type": "image", "uri": "u"}], 1),
    ("steps", [user_input("Go.")], 1),
    ("steps as JSON", [{"type": "user_input", "content": [{"type": "text", "text": "Go."}]}], 1),
    (
        "turns",
        [
            {"role": "user", "content": "a"},
            {"role": "model", "content": "b"},
            {"role": "user", "content": "c"},
        ],
        3,
    ),
    ("a history", history("a", Interaction(status="completed", steps=[ModelOutputStep()]), "b"), 3),
]


@pytest.mark.parametrize(("given", "count"), [r[1:] for r in INPUTS], ids=[r[0] for r in INPUTS])
def test_whatever_the_input_was_it_comes_first(given: Any, count: int) -> None:
    body = {"model": "g", "input": given, "store": False}
    answer = calling(("f", {}))
    following = next_request(body, answer, [RESULT])
    steps = following["input"]
    assert [step.type for step in steps[count:]] == ["thought", "function_call", "function_result"]
    assert all(step.type in ("user_input", "model_output") for step in steps[:count])
    again = next_request(following, answer, [RESULT])
    assert again["input"][: len(steps)] == steps


def test_the_input_in_an_answer_does_not_come_twice() -> None:
    answer = calling(("f", {}))
    whole = msgspec.structs.replace(
        answer, steps=[user_input("Go."), *(answer.steps or ())], input="Go."
    )
    body = {"model": "g", "input": "Go.", "store": False}
    assert next_request(body, whole, [RESULT]) == next_request(body, answer, [RESULT])


def test_a_call_that_was_cut_is_answered_where_the_server_knows_it_and_left_out_otherwise() -> None:
    answer = calling(("f", UNSET), ("f", {}))
    results = run_tools(answer, {"f": no_arguments})
    stored = next_request({"model": "g", "input": "Go."}, answer, results)
    assert [step.call_id for step in stored["input"]] == ["k0", "k1"]
    alone = next_request({"model": "g", "input": "Go.", "store": False}, answer, results)
    assert [step.type for step in alone["input"]] == [
        *("user_input", "thought", "function_call", "function_result"),
    ]
    assert alone["input"][-1].call_id == "k1"


def test_an_environment_is_used_again() -> None:
    body = m.CreateAgentInteraction(
        agent="antigravity", input="Go.", environment="remote", background=True
    )
    answer = calling(("f", {}), environment_id="env_1")
    following = next_request(body, answer, [RESULT])
    assert (following.environment, following.background) == ("env_1", True)
    assert next_request(body, calling(("f", {})), [RESULT]).environment == "remote"


def test_a_new_turn_may_follow() -> None:
    answer = calling()
    following = next_request({"model": "g", "input": "Go."}, answer, ["And now?"])
    assert following["input"] == [user_input("And now?")]
    following = next_request(BODY, calling(("f", {})), [RESULT, "Quick!"], stateful=False)
    assert [step.type for step in following["input"]][-2:] == ["function_result", "user_input"]


REQUEST_MISTAKES: list[tuple[str, Any, Interaction, Any, dict[str, Any], type[Exception], str]] = [
    ("no result", BODY, calling(("f", {}), ("g", {})), [RESULT], {}, ValueError, "calls k1"),
    ("nothing to say", BODY, calling(), [], {}, ValueError, "nothing to go on with"),
    ("in progress", BODY, calling(status="in_progress"), ["a"], {}, ValueError, "in_progress"),
    (
        *("no id", BODY, Interaction(status="completed"), ["a"]),
        *({"stateful": True}, ValueError, "no id to go on from"),
    ),
    (
        *("no input", {"model": "g", "store": False}, calling(("f", {})), [RESULT]),
        *({}, ValueError, "what the user said is missing"),
    ),
    (
        *("an odd input", {"model": "g", "input": 7, "store": False}, calling(("f", {})), [RESULT]),
        *({}, ValueError, "the input of the body cannot be read"),
    ),
    ("no body", 7, calling(("f", {})), [RESULT], {}, TypeError, "a body is a model"),
    ("no object", b"[]", calling(("f", {})), [RESULT], {}, TypeError, "a body is a model"),
    ("no step", BODY, calling(), [7], {}, TypeError, "not a Step"),
]


@pytest.mark.parametrize(
    ("body", "answer", "said", "options", "error", "reason"),
    [row[1:] for row in REQUEST_MISTAKES],
    ids=[row[0] for row in REQUEST_MISTAKES],
)
def test_mistakes_in_the_next_request(
    body: Any,
    answer: Interaction,
    said: Any,
    options: dict[str, Any],
    error: type[Exception],
    reason: str,
) -> None:
    with pytest.raises(error, match=reason):
        next_request(body, answer, said, **options)


def test_a_result_of_ones_own_fits_too() -> None:
    answer = calling(("f", {}))
    results = [function_result(call, "done") for call in answer.pending_function_calls]
    assert next_request(BODY, answer, results)["input"] == [RESULT]
