"""The assembler as an object: snapshots, single steps, its end; with the events of all rules.

What events do is in test_lifecycle.py, test_order.py, test_unknown_events.py and test_usage.py,
what deltas do inside of a step is in test_steps.py, what a stream is called at its end in
test_report.py.
"""

from __future__ import annotations

import contextlib
import copy
from typing import Any, get_args

import msgspec
import pytest
from msgspec import UNSET

from gemwire import (
    Assembler,
    Interaction,
    StepDelta,
    TruncatedStream,
    assemble,
    decode_event,
    iter_events,
    models,
    to_dict,
)
from gemwire.assembly.events import HANDLERS
from gemwire.models.tables import EVENTS

from .test_lifecycle import LIFECYCLE, TERMINAL_STEPS
from .test_order import INDEX, STARTS, STOPS
from .test_steps import ALL as FOLDS
from .test_unknown_events import UNKNOWN_EVENTS
from .test_usage import USAGE
from .wire import (
    WAYS,
    Case,
    Payload,
    answer,
    arguments,
    completed,
    created,
    delta,
    dumps,
    error,
    frame,
    ids,
    mill,
    pull,
    said,
    start,
    stop,
    stream,
    text,
    update,
)

ALL = [*INDEX, *LIFECYCLE, *STARTS, *STOPS, *TERMINAL_STEPS, *UNKNOWN_EVENTS, *USAGE]


@pytest.mark.parametrize("case", ALL, ids=ids(ALL))
def test_every_way_comes_to_the_same(case: Case) -> None:
    first, *others = [read(case.bytes) for read in WAYS.values()]
    for other in others:
        assert other == first
    if first.raised is None:
        assert assemble([case.bytes]) == first.interaction
    else:
        with pytest.raises(first.raised):
            assemble([case.bytes])


@pytest.mark.parametrize("case", ALL, ids=ids(ALL))
def test_snapshots_change_nothing(case: Case) -> None:
    """Looking at it after each event leads to the same end."""
    expected = pull(case.bytes)
    assembler = Assembler()
    for event in events_of(case):
        assembler.apply(event)
        assembler.snapshot()
        assert len(assembler.report.issues) <= len(expected.issues)
    if expected.raised is None:
        assert assembler.finish() == expected.interaction
    assert assembler.report.outcome in (expected.outcome, "in_progress")
    assert [(i.kind, i.count) for i in assembler.report.issues] == [
        (i.kind, i.count) for i in expected.known.issues
    ]


def events_of(case: Case) -> list[Any]:
    return list(iter_events(case.bytes))


def test_every_event_has_a_handler() -> None:
    """An event that is new in the spec fails here until somebody decides about it."""
    union = set(get_args(models.InteractionSseEvent))
    assert set(HANDLERS) == union | {models.UnknownInteractionSseEvent}
    names = {cls.__name__ for cls in union} - {"UnknownInteractionSseEvent"}
    assert names <= set(EVENTS.values())


def test_what_is_no_event_is_refused() -> None:
    for mistake in (None, "step.delta", {"event_type": "step.stop"}, models.TextDelta(text="")):
        with pytest.raises(TypeError, match="not an event"):
            Assembler().apply(mistake)  # type: ignore[arg-type]


def test_last_event_id() -> None:
    """Of any event that has one; absent, null and "" are none."""
    events: list[Payload] = [created(), update(), *_dicts(mill(0)), completed()]
    for position, event in enumerate(events):
        marked = [*events]
        marked[position] = {**event, "event_id": f"e{position}"}
        for read in WAYS.values():
            assert read(stream(*marked)).last_event_id == f"e{position}"
    assert pull(stream(*events)).last_event_id is None
    astray = [
        {**event, "event_id": value} for event, value in zip(events, (7, None, ""), strict=False)
    ]
    assert pull(stream({**error(None), "event_id": "e1"}, *astray)).last_event_id == "e1"
    assert pull(stream({"event_type": "new", "event_id": "e2"}, *events)).last_event_id == "e2"


def _dicts(events: list[Payload | bytes]) -> list[Payload]:
    return [event for event in events if isinstance(event, dict)]


# ---- what the object can do beside apply()


def decoded(*payloads: Payload) -> list[Any]:
    return [decode_event(dumps(payload), payload["event_type"]) for payload in payloads]


def test_apply_all_is_apply_for_each() -> None:
    for case in ALL:
        one, other = Assembler(), Assembler()
        events = events_of(case)
        for event in events:
            one.apply(event)
        other.apply_all(events)
        assert one.snapshot() == other.snapshot()
        assert one.report.event_count == other.report.event_count == len(events)


def test_snapshots_are_detached_and_share_what_did_not_change() -> None:
    assembler = Assembler()
    events = decoded(
        created(),
        *_dicts(mill(0)),
        start(1, "function_call", name="tide", arguments={}),
        arguments(1, '{"a":1}'),
        stop(1),
        start(2, "model_output"),
        text(2, "A "),
    )
    for event in events:
        assembler.apply(event)
    first = assembler.snapshot()
    before = copy.deepcopy(first)
    for event in decoded(text(2, "mill"), start(3, "thought"), stop(2), stop(3), completed()):
        assembler.apply(event)
    second = assembler.snapshot()
    assert first == before
    assert isinstance(first.steps, list)
    assert isinstance(second.steps, list)
    assert second.steps[:2] == first.steps[:2]
    assert second.steps[2] != first.steps[2]


def test_public_names() -> None:
    """No more than what is documented: the state is held, not inherited."""
    names = "apply apply_all checkpoint finish reopen report restore settle snapshot step"
    assert [name for name in dir(Assembler) if not name.startswith("_")] == names.split()


def spoil(value: Any) -> None:
    """Empty every list and dict in a model, as a careless tool may."""
    if isinstance(value, list | dict):
        for item in [*(value.values() if isinstance(value, dict) else value)]:
            spoil(item)
        value.clear()
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            spoil(getattr(value, name))


DETACHED = [
    created(tools=[{"type": "function", "name": "tide"}]),
    start(0, "model_output", content=[{"type": "text", "text": "A "}]),
    text(0, "mill"),
    delta(0, "text_annotation_delta", annotations=[{"type": "url_citation", "url": "u"}]),
    stop(0),
    start(1, "function_call", id="f1", name="tide", arguments={}),
    arguments(1, '{"port":{"names":["Rye"]}}'),
    stop(1),
    start(2, "google_search_call", id="s1", arguments={"queries": ["sky"]}),
    stop(2),
    start(3, "google_search_result", call_id="s1"),
    delta(3, "google_search_result", result=[{"search_suggestions": "x"}]),
    stop(3),
    start(4, "function_result", call_id="f1", result={"sky": {"now": ["clear"]}}),
    stop(4),
    start(5, "thought", summary=[{"type": "text", "text": "why"}]),
    delta(5, "thought_summary", content={"type": "text", "text": "so"}),
    stop(5),
    start(6, "loom_call", tags=["a"]),
    delta(6, "loom_call", tags=["b"]),
    stop(6),
    completed(),
]


def test_what_is_handed_out_is_the_callers() -> None:
    """Changing it changes no later answer: events, steps, snapshots, the final answer, reports."""
    expected = assemble(stream(*DETACHED))
    assembler, other = Assembler(), Assembler()
    for event in decoded(*DETACHED):
        assembler.apply(event)
        other.apply(event)
        spoil(event)
        spoil(assembler.snapshot())
        for index in range(7):
            with contextlib.suppress(IndexError):
                spoil(assembler.step(index))
        assembler.report.interaction_ids.clear()
    assert assembler.snapshot() == expected
    assert assembler.report.interaction_ids
    spoil(assembler.finish())
    assert assembler.finish() == other.finish() == expected


@pytest.mark.parametrize("case", [*ALL, *FOLDS], ids=ids([*ALL, *FOLDS]))
def test_events_and_snapshots_stay_as_they_were(case: Case) -> None:
    """Events may be shared between assemblers, and a snapshot is the caller's."""
    events = events_of(case)
    before = copy.deepcopy(events)
    one, other = Assembler(), Assembler()
    taken: list[tuple[Interaction, Interaction]] = []
    for event in events:
        one.apply(event)
        taken.append((one.snapshot(), copy.deepcopy(one.snapshot())))
    other.apply_all(events)
    assert one.snapshot() == other.snapshot()
    assert events == before
    for snapshot, as_it_was in taken:
        assert snapshot == as_it_was


def test_step() -> None:
    """By the index of its events, as it is now."""
    assembler = Assembler()
    with pytest.raises(IndexError, match="no step with index 0"):
        assembler.step(0)
    for event in decoded(start(5, "model_output"), text(5, "A ")):
        assembler.apply(event)
    assert to_dict(assembler.step(5)) == said("A ")
    for event in decoded(text(5, "mill"), stop(5)):
        assembler.apply(event)
    assert to_dict(assembler.step(5)) == said()
    assert assembler.step(5) is not assembler.step(5), "each is the caller's"
    with pytest.raises(IndexError, match="no step with index 0"):
        assembler.step(0)


def test_step_at_its_stop_has_its_arguments() -> None:
    assembler = Assembler()
    call = start(0, "function_call", id="f1", name="tide", arguments={})
    seen = []
    for event in decoded(call, arguments(0, '{"a"'), arguments(0, ":1}"), stop(0)):
        assembler.apply(event)
        step = assembler.step(0)
        assert isinstance(step, models.FunctionCallStep)
        seen.append(step.arguments)
    assert seen == [UNSET, UNSET, UNSET, {"a": 1}]


def test_finish_may_be_called_again() -> None:
    assembler = Assembler()
    for event in decoded(created(), *_dicts(mill(0))):
        assembler.apply(event)
    for _ in range(2):
        with pytest.raises(TruncatedStream) as caught:
            assembler.finish()
        assert caught.value.report == assembler.report
        assert caught.value.interaction == assembler.snapshot()
    assert assembler.report.outcome == "truncated"


def test_an_assembler_without_events() -> None:
    assembler = Assembler()
    assert assembler.snapshot() == Interaction()
    with pytest.raises(TruncatedStream):
        assembler.finish()


def test_events_of_an_iterator_and_bytes_of_frames_agree() -> None:
    """A delta that carries more than its text takes the same way to the same end."""
    plain = answer(start(0, "model_output"), text(0, "A "), text(0, "mill"), stop(0))
    laden = answer(
        start(0, "model_output"),
        {**text(0, "A "), "event_id": "e1"},
        {**text(0, "mill"), "metadata": {}},
        stop(0),
    )
    assert assemble(plain) == assemble(laden)
    assert isinstance(decode_event(frame(text(0, "a")).split(b"data: ")[1]), StepDelta)


def test_a_delta_of_another_kind_keeps_its_step(subtests: pytest.Subtests) -> None:
    """Whatever comes for a step: the kind of the step never changes."""
    for kind in ("image", "thought_summary", "arguments_delta", "hologram", None):
        with subtests.test(kind=kind):
            found = pull(answer(start(0, "thought"), delta(0, kind, x=1), stop(0)))
            assert found.steps == [{"type": "thought"}]
