"""Fragments become the arguments of a call, or an ArgumentsError: one row for each clause."""

from __future__ import annotations

import pytest
from msgspec import UNSET

from gemwire import (
    ArgumentsError,
    Assembler,
    ServerError,
    TruncatedStream,
    assemble,
    decode,
    models,
)

from .wire import (
    CALL,
    WAYS,
    Case,
    arguments,
    completed,
    created,
    delta,
    dumps,
    error,
    ids,
    pull,
    start,
    stop,
    stream,
)

BEGUN = start(0, "function_call", id="f1", name="tide", arguments={})

ARGUMENTS = [
    Case(
        "fragments are joined and replace the placeholder",
        [
            BEGUN,
            arguments(0, '{"port":"R'),
            arguments(0, ""),
            arguments(0, 'ye","day":2'),
            arguments(0, "}"),
            stop(0),
        ],
        [{**CALL, "arguments": {"port": "Rye", "day": 2}}],
    ),
    Case(
        "the older name of the member",
        [
            BEGUN,
            delta(0, "arguments_delta", partial_arguments='{"port":'),
            delta(0, "arguments_delta", partial_arguments='"Rye"}'),
            stop(0),
        ],
        [{**CALL, "arguments": {"port": "Rye"}}],
    ),
    Case(
        "an object is taken whole",
        [BEGUN, arguments(0, {"port": "Rye"}), stop(0)],
        [{**CALL, "arguments": {"port": "Rye"}}],
    ),
    Case(
        "no fragment: as in the start",
        [start(0, "function_call", id="f1", name="tide", arguments={"port": "Rye"}), stop(0)],
        [{**CALL, "arguments": {"port": "Rye"}}],
    ),
    Case(
        "no fragment and nothing in the start: absent",
        [start(0, "function_call", id="f1", name="tide"), stop(0)],
        [CALL],
    ),
    Case(
        "an empty fragment: as in the start",
        [
            start(0, "function_call", id="f1", name="tide", arguments={"port": "Rye"}),
            arguments(0, ""),
            stop(0),
        ],
        [{**CALL, "arguments": {"port": "Rye"}}],
    ),
    Case(
        "blank fragments and nothing in the start: {}",
        [
            start(0, "function_call", id="f1", name="tide"),
            arguments(0, " \n"),
            arguments(0, "\t"),
            stop(0),
        ],
        [{**CALL, "arguments": {}}],
    ),
    Case(
        "fragments replace the arguments of the start, and are not merged into them",
        [
            start(0, "function_call", id="f1", name="tide", arguments={"port": "Rye"}),
            arguments(0, '{"day":2}'),
            stop(0),
        ],
        [{**CALL, "arguments": {"day": 2}}],
    ),
    Case(
        "blanks around the object",
        [BEGUN, arguments(0, ' {"port":"Rye"}\r\n'), stop(0)],
        [{**CALL, "arguments": {"port": "Rye"}}],
    ),
    Case(
        "numbers of any size survive",
        [
            BEGUN,
            arguments(0, '{"n":12345678901234567890123,"f":1e2,'),
            arguments(0, '"z":0}'),
            stop(0),
        ],
        [{**CALL, "arguments": {"n": 12345678901234567890123, "f": 100.0, "z": 0}}],
    ),
    Case(
        "an escape that was cut apart",
        [BEGUN, arguments(0, '{"s":"\\ud83c'), arguments(0, '\\udf0a"}'), stop(0)],
        [{**CALL, "arguments": {"s": "\U0001f30a"}}],
    ),
    Case(
        "a pair of surrogates that was cut apart",
        [BEGUN, arguments(0, '{"s":"\ud83c'), arguments(0, '\udf0a"}'), stop(0)],
        [{**CALL, "arguments": {"s": "\U0001f30a"}}],
    ),
    Case(
        "a step still open at the end is parsed then",
        [BEGUN, arguments(0, '{"port":"Rye"}')],
        [{**CALL, "arguments": {"port": "Rye"}}],
        issues=[("never_stopped", 0)],
    ),
    Case(
        "an unknown member of the delta is counted",
        [BEGUN, delta(0, "arguments_delta", arguments='{"a":1}', part=1), stop(0)],
        [{**CALL, "arguments": {"a": 1}}],
        unknown=[("step.delta.delta.part", "part")],
    ),
    Case(
        "on a call of another kind that has arguments",
        [
            start(0, "google_search_call", id="g1"),
            arguments(0, '{"queries":["tide'),
            arguments(0, ' mill"]}'),
            stop(0),
        ],
        [{"type": "google_search_call", "id": "g1", "arguments": {"queries": ["tide mill"]}}],
    ),
    Case(
        "on a `tool_call`, which live has none",
        [
            start(0, "tool_call", id="t1", signature="c2ln"),
            stop(0),
            start(1, "tool_call", id="t2"),
            arguments(1, '{"port":'),
            arguments(1, '"Rye"}'),
            stop(1),
        ],
        [
            {"type": "tool_call", "id": "t1", "signature": "c2ln"},
            {"type": "tool_call", "id": "t2", "arguments": {"port": "Rye"}},
        ],
    ),
    Case(
        "on a kind of call that is in no schema",
        [
            start(0, "loom_call", id="t1", arguments={}),
            arguments(0, '{"port":'),
            arguments(0, '"Rye"}'),
            stop(0),
        ],
        [{"type": "loom_call", "id": "t1", "arguments": {"port": "Rye"}}],
        unknown=[("step.start.step", "loom_call"), ("interaction.steps[]", "loom_call")],
    ),
    Case(
        "blank ones leave what the start of such a call held",
        [start(0, "loom_call", arguments={"port": "Rye"}), arguments(0, " "), stop(0)],
        [{"type": "loom_call", "arguments": {"port": "Rye"}}],
        unknown=[("step.start.step", "loom_call"), ("interaction.steps[]", "loom_call")],
    ),
    Case(
        "and are {} where it held none",
        [start(0, "loom_call"), arguments(0, ""), stop(0)],
        [{"type": "loom_call", "arguments": {}}],
        unknown=[("step.start.step", "loom_call"), ("interaction.steps[]", "loom_call")],
    ),
]

BROKEN = ['{"port":', "[1,2]", '"text"', "7", "null", '{"a":1}{"b":2}', "{'a':1}", "}", "\ud83c"]


@pytest.mark.parametrize("case", ARGUMENTS, ids=ids(ARGUMENTS))
def test_rule(case: Case) -> None:
    for way, read in WAYS.items():
        assert (way, case.seen(read(case.bytes))) == (way, case.expected)


@pytest.mark.parametrize("raw", BROKEN)
def test_arguments_that_are_no_object(raw: str) -> None:
    """UNSET, an issue with index and text; an exception only where the answer asks for the call."""
    events = [
        start(0, "thought"),
        stop(0),
        start(1, "function_call", name="tide", arguments={"a": 1}),
    ]
    events += [arguments(1, piece) for piece in (raw[:2], raw[2:])] + [stop(1)]
    found = pull(Case("", events).bytes)
    shown = raw.encode("utf-8", "backslashreplace").decode()
    assert found.raised is ArgumentsError
    assert found.steps == [{"type": "thought"}, {"type": "function_call", "name": "tide"}]
    (issue,) = found.known.issues
    assert (issue.kind, issue.index, issue.detail, issue.count) == ("arguments", 1, shown, 1)
    assembler = Assembler()
    for event in events:
        assembler.apply(decode(dumps(event).encode(), models.InteractionSseEvent))
    step = assembler.step(1)
    assert isinstance(step, models.FunctionCallStep)
    assert step.arguments is UNSET


def test_arguments_error_names_the_call() -> None:
    events = [start(4, "function_call", name="tide"), arguments(4, '{"port":'), stop(4)]
    with pytest.raises(ArgumentsError) as caught:
        assemble(Case("", events).bytes)
    assert (caught.value.index, caught.value.raw) == (4, '{"port":')
    assert (caught.value.position, caught.value.call_id, caught.value.name) == (0, None, "tide")
    assert caught.value.report.outcome == "completed"
    assert caught.value.interaction is not None
    assert caught.value.interaction.status == "completed"


def test_arguments_of_an_open_step_are_unset() -> None:
    """Half of a call must not be mistaken for a call, whatever the start held."""
    whole = start(0, "function_call", id="f1", name="tide", arguments={"port": "Rye"})
    for events in ([BEGUN], [BEGUN, arguments(0, '{"port":"Rye"}')], [whole]):
        found = pull(stream(created(), *events))
        assert found.outcome == "truncated"
        assert found.steps == [CALL]


def test_a_call_does_not_change_after_its_stop() -> None:
    """It may have been run by then, and it may have been refused."""
    events = [BEGUN, arguments(0, '{"port":'), stop(0), arguments(0, '"Rye"}')]
    found = pull(Case("", events).bytes)
    assert found.steps == [CALL]
    assert found.raised is ArgumentsError
    assert found.issues == [("arguments", 0), ("after_stop", 0)]


# ---- ArgumentsError goes after the other two, and only with outcomes that ask for a call

BROKEN_CALL = [start(0, "function_call", name="tide"), arguments(0, '{"port":'), stop(0)]


@pytest.mark.parametrize(
    "status",
    ["incomplete", "cancelled", "failed", "budget_exceeded", "requires_continuation", "new_status"],
)
def test_broken_arguments_of_an_answer_that_ended_early(status: str) -> None:
    """An issue; the answer does not ask for the call."""
    case = Case(
        "",
        [created(), *BROKEN_CALL, completed(status)],
        [{"type": "function_call", "name": "tide"}],
        issues=[("arguments", 0)],
        outcome=status,
        bare=True,
    )
    found = pull(case.bytes)
    assert found.outcome == status
    assert found.raised is None
    assert found.issues == [("arguments", 0)]
    assert found.steps == case.steps


def test_broken_arguments_and_an_error_or_a_cut() -> None:
    assert pull(stream(created(), *BROKEN_CALL)).raised is TruncatedStream
    assert pull(stream(created(), *BROKEN_CALL, error({"code": "x"}))).raised is ServerError
