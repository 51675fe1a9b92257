"""An Interaction from created to completed, and over again: one row for each clause.

What a stream is called at its end is in test_report.py.
"""

from __future__ import annotations

import pytest

from gemwire import DONE, TruncatedStream

from .wire import (
    IDENTITY,
    MODEL,
    WAYS,
    Case,
    completed,
    created,
    ids,
    mill,
    said,
    start,
    text,
    update,
    usage,
)

LIFECYCLE = [
    Case(
        "every member of created is laid on the Interaction; the token is gone at the end",
        [
            created(
                environment_id="env-1",
                labels={"team": "mills"},
                continuation_token="t1",
                usage=usage(9),
                novel={"a": 1},
            ),
            completed(),
        ],
        usage=usage(9),
        source="status",
        bare=True,
        unknown=[("interaction.novel", "novel")],
        members={
            "id": IDENTITY,
            "model": MODEL,
            "object": "interaction",
            "environment_id": "env-1",
            "labels": {"team": "mills"},
            "novel": {"a": 1},
            "status": "completed",
        },
    ),
    Case(
        "nothing is required of created",
        [{"interaction": {}, "event_type": "interaction.created"}, *mill(0), completed()],
        [said()],
        bare=True,
    ),
    Case(
        "created with steps, as a server of 2.8 sends it",
        [created(steps=[said("a"), said("b")]), completed()],
        [said("a"), said("b")],
        bare=True,
    ),
    Case(
        "completed is laid over created",
        [
            created(model="alias", updated="then"),
            completed(model=MODEL, updated="now", created="then"),
        ],
        bare=True,
        members={"model": MODEL, "updated": "now", "created": "then"},
    ),
    Case(
        "null never replaces a value, and is not kept beside it",
        [created(updated="then"), completed(model=None, updated=None)],
        bare=True,
        members={"model": MODEL, "updated": "then"},
    ),
    Case(
        "null is replaced by a value",
        [created(updated=None), completed(updated="now")],
        bare=True,
        members={"updated": "now"},
    ),
    Case(
        "null where nothing was held stays null",
        [created(), completed(service_tier=None)],
        bare=True,
        members={"service_tier": None},
    ),
    Case(
        "empty usage never replaces usage",
        [created(usage=usage(9)), completed(usage={})],
        usage=usage(9),
        source="status",
        bare=True,
    ),
    Case(
        "an empty id is no id: store false",
        [created(""), update(identity=""), *mill(0), completed(identity="")],
        [said()],
        bare=True,
        members={"id": None},
    ),
    Case(
        "an empty id never replaces an id",
        [created(), update(identity=""), completed(identity="", previous_interaction_id="")],
        bare=True,
        members={"id": IDENTITY},
    ),
    Case(
        "the id of a status update",
        [update(), completed(identity="")],
        bare=True,
        members={"id": IDENTITY},
    ),
    Case(
        "an unknown member of the later event stands",
        [created(novel=1), completed(novel=2)],
        bare=True,
        unknown=[("interaction.novel", "novel")],
        members={"novel": 2},
    ),
    Case(
        "a second created with the same id is an issue and nothing else",
        [created(), *mill(0), created(model="other", novel=1), *mill(1, "b"), completed()],
        [said(), said("b")],
        issues=[("created_again", None)],
        bare=True,
        members={"model": MODEL},
    ),
    Case(
        "until a step that was started already starts: the server starts over",
        [created(), *mill(0, "half"), created(), update(), *mill(0), *mill(1, "b"), completed()],
        [said(), said("b")],
        issues=[("created_again", None), ("restarted", 0), ("replay_differs", None)],
        bare=True,
    ),
    Case(
        "starting over drops steps that do not come again",
        [created(), *mill(0, "a"), *mill(1, "b"), created(), *mill(0), completed()],
        [said()],
        issues=[("created_again", None), ("restarted", 0), ("replay_differs", None)],
        bare=True,
    ),
    Case(
        "a whole answer, then the same again and cut: it is not complete",
        [created(), *mill(0), completed(), created(), start(0, "model_output"), text(0, "A")],
        [said("A")],
        issues=[("created_again", None), ("restarted", 0)],
        outcome="truncated",
        raised=TruncatedStream,
        bare=True,
        members={"status": "in_progress"},
    ),
    Case(
        "a whole answer, then the same again: it is complete",
        [created(), *mill(0), completed(), DONE, created(), *mill(0), completed()],
        [said()],
        issues=[("created_again", None), ("restarted", 0)],
        bare=True,
    ),
    Case(
        "no created at all",
        [*mill(0), completed()],
        [said()],
        bare=True,
        members={"id": IDENTITY, "status": "completed"},
    ),
    Case("no step at all: no steps", [], None),
    Case("empty steps of the terminal event", [created(), completed(steps=[])], [], bare=True),
]

TERMINAL_STEPS = [
    Case(
        "more than was streamed replaces it: a longer text, more steps",
        [created(), *mill(0, "half"), completed(steps=[said("half a"), said("b")])],
        [said("half a"), said("b")],
        bare=True,
    ),
    Case(
        "more steps, but another text: the assembled ones win",
        [created(), *mill(0, "half"), completed(steps=[said("a"), said("b")])],
        [said("half")],
        issues=[("steps_differ", None)],
        bare=True,
    ),
    Case(
        "as many: the assembled ones win, a difference is an issue",
        [created(), *mill(0), completed(steps=[said("other")])],
        [said()],
        issues=[("steps_differ", None)],
        bare=True,
    ),
    Case(
        "as many and equal",
        [created(), *mill(0), completed(steps=[said()])],
        [said()],
        bare=True,
    ),
    Case(
        "fewer: the assembled ones win",
        [created(), *mill(0, "a"), *mill(1, "b"), completed(steps=[said("a")])],
        [said("a"), said("b")],
        issues=[("steps_differ", None)],
        bare=True,
    ),
    Case(
        "none: the assembled ones win without a word",
        [created(), *mill(0), completed(steps=[])],
        [said()],
        bare=True,
    ),
    Case(
        "a delta after steps that were replaced",
        [created(), completed(steps=[said("A ")]), text(0, "mill")],
        [said()],
        issues=[("after_end", 0)],
        bare=True,
    ),
]

RULES = [*LIFECYCLE, *TERMINAL_STEPS]


@pytest.mark.parametrize("case", RULES, ids=ids(RULES))
def test_rule(case: Case) -> None:
    for way, read in WAYS.items():
        assert (way, case.seen(read(case.bytes))) == (way, case.expected)
