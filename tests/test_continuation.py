"""The hops of one answer as one: steps, scalars and usage, as the official client joins them."""

from __future__ import annotations

from typing import Any

import pytest

from gemwire import (
    Interaction,
    InteractionStream,
    decode_interaction,
    encode,
    join_continuations,
    to_dict,
)
from gemwire.assembly.usage import sum_usage
from gemwire.models import Usage

from .answers import hop
from .wire import Payload, dumps, stream


def body(**members: Any) -> Interaction:
    return decode_interaction(dumps({"status": "completed", **members}))


def usage(**members: Any) -> Usage:
    found = body(usage=members).usage
    assert isinstance(found, Usage)
    return found


def output(words: str) -> Payload:
    return {"content": [{"text": words, "type": "text"}], "type": "model_output"}


ASKED = {"content": [{"text": "q", "type": "text"}], "type": "user_input"}


def joined(*hops: Payload) -> Payload:
    return to_dict(join_continuations(body(**members) for members in hops))  # type: ignore[no-any-return]


def test_one_is_returned_as_it_is() -> None:
    one = body(id="a", steps=[ASKED, output("a")], usage={"total_input_tokens": 3})
    assert join_continuations([one]) is one


def test_none_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="no interactions"):
        join_continuations([])


@pytest.mark.parametrize(
    ("hops", "expected"),
    [
        ([[output("a")], [output("b")]], [output("a"), output("b")]),
        ([[ASKED, output("a")], [ASKED, ASKED, output("b")]], [ASKED, output("a"), output("b")]),
        ([[output("a")], [output("b"), ASKED]], [output("a"), output("b"), ASKED]),
        ([[output("a")], [ASKED]], [output("a")]),
        ([[output("a")], None], [output("a")]),  # the official client loses it
        ([[output("a")], []], [output("a")]),
        ([None, [output("b")]], [output("b")]),
        ([[], []], []),
        ([None, None], None),
        ([[output("a")], [output("b")], [ASKED, output("c")]], [*map(output, "abc")]),
    ],
)
def test_steps(hops: list[Any], expected: list[Payload] | None) -> None:
    found = joined(*({} if steps is None else {"steps": steps} for steps in hops))
    assert found.get("steps") == expected


def test_scalars() -> None:
    first = {
        "id": "a", "created": "c1", "updated": "u1", "input": "q", "previous_interaction_id": "p",
        "status": "requires_continuation", "continuation_token": "t", "model": "m1", "news": 1,
    }  # fmt: skip
    last = {
        "id": "b", "created": "c2", "updated": "u2", "input": "r", "previous_interaction_id": "a",
        "status": "completed", "model": "m2", "news": 2,
    }  # fmt: skip
    assert joined(first, last) == {
        "id": "b", "created": "c1", "updated": "u2", "input": "q", "previous_interaction_id": "p",
        "status": "completed", "model": "m2", "news": 2,
    }  # fmt: skip
    assert "input" not in joined({}, {"input": "r"})


USAGE: dict[str, tuple[list[Payload | None], Payload | None]] = {
    "none": ([None, None], None),
    "ints are summed": (
        [{"total_tokens": 1, "total_input_tokens": 1}, {"total_tokens": 2}],
        {"total_tokens": 3, "total_input_tokens": 1, "initial_input_tokens": 1},
    ),
    "over the hops that have them": (
        [{"total_input_tokens": 4}, {"total_thought_tokens": 2}, {"total_thought_tokens": 3}],
        {"total_input_tokens": 4, "total_thought_tokens": 5, "initial_input_tokens": 4},
    ),
    "zero is a number": (
        [{"total_input_tokens": 0}, {"total_tokens": 0}],
        {"total_input_tokens": 0, "total_tokens": 0, "initial_input_tokens": 0},
    ),
    "unknown ones too": (
        [{"total_input_tokens": 1, "news": 2, "flag": True}, {"news": 3, "flag": True, "x": "y"}],
        {"total_input_tokens": 1, "initial_input_tokens": 1, "news": 5, "flag": True, "x": "y"},
    ),
    "all else is the last one's": (
        [
            {"total_tokens": 1, "x": "y", "cost": 0.5, "flag": True, "by": {"a": 1}, "l": [1]},
            {"total_tokens": 2, "x": "z", "cost": 0.25, "by": {"b": 2}},
        ],
        {"total_tokens": 3, "x": "z", "cost": 0.25, "by": {"b": 2}},
    ),
    "and absent when that one has none": (
        [
            {"total_tokens": 1, "x": "y", "cost": 0.5, "model_invocation_token_counts": {"a": 1}},
            {"total_tokens": 2},
        ],
        {"total_tokens": 3},
    ),
    "the last one that there is": (
        [{"total_tokens": 1, "x": "y"}, {"total_tokens": 2, "x": "z"}, None],
        {"total_tokens": 3, "x": "z"},
    ),
    "ints and lists of counts stay when the last one has none": (
        [
            {"news": 2, "input_tokens_by_modality": [{"modality": "text", "tokens": 1}]},
            {"total_tokens": 2},
        ],
        {
            "news": 2,
            "total_tokens": 2,
            "input_tokens_by_modality": [{"modality": "text", "tokens": 1}],
        },
    ),
    "large ones": (
        [{"news": 12345678901234567890123}, {"news": 1}],
        {"news": 12345678901234567890124},
    ),
    "lists by modality": (
        [
            {"input_tokens_by_modality": [{"modality": "text", "tokens": 1}]},
            {
                "input_tokens_by_modality": [
                    {"modality": "image", "tokens": 5},
                    {"modality": "text", "tokens": 2},
                ]
            },
        ],
        {
            "input_tokens_by_modality": [
                {"modality": "text", "tokens": 3},
                {"modality": "image", "tokens": 5},
            ]
        },
    ),
    "lists by type": (
        [
            {"grounding_tool_count": [{"type": "google_search", "count": 1}]},
            {"grounding_tool_count": [{"type": "google_search", "count": 2}]},
        ],
        {"grounding_tool_count": [{"type": "google_search", "count": 3}]},
    ),
    "an initial count that was there": (
        [{"total_input_tokens": 4, "initial_input_tokens": 2}, {"initial_input_tokens": 9}],
        {"total_input_tokens": 4, "initial_input_tokens": 2},
    ),
    "a first hop without usage: no initial count": (
        [None, {"total_input_tokens": 7, "total_tokens": 8}],
        {"total_input_tokens": 7, "total_tokens": 8},
    ),
    "and none that leaks from a later one": (
        [None, {"total_input_tokens": 7, "initial_input_tokens": 7}, {"total_input_tokens": 1}],
        {"total_input_tokens": 8},
    ),
    "a last hop without usage": (
        [{"total_input_tokens": 7}, None],
        {"total_input_tokens": 7, "initial_input_tokens": 7},
    ),
}


@pytest.mark.parametrize("name", USAGE)
def test_usage(name: str) -> None:
    """Of bodies and of a stream alike."""
    usages, expected = USAGE[name]
    hops = [{} if members is None else {"usage": members} for members in usages]
    assert joined(*hops).get("usage") == expected
    events: list[Payload] = []
    for number, members in enumerate(hops):
        last = number == len(hops) - 1
        status = "completed" if last else "requires_continuation"
        token = {} if last else {"continuation_token": f"t{number}"}
        events += hop(f"v1_{number}", "a", status=status, **members, **token)
    reader = InteractionStream(stream(*events))
    assert to_dict(reader.get_final_interaction()).get("usage") == expected
    assert reader.report.usage == sum_usage([body(**members).usage for members in hops])
    source = "terminal" if None not in usages else None
    assert reader.report.usage_source == source


def test_a_member_that_does_not_fit() -> None:
    found = sum_usage([usage(total_tokens=3), usage(total_tokens="4")])
    assert found is not None
    assert encode(found) == b'{"total_tokens":3}'


def test_join_of_bodies_is_the_join_of_streams() -> None:
    one = hop("v1_a", "a", status="requires_continuation", continuation_token="t")
    two = hop("v1_b", "b")
    bodies = [InteractionStream(stream(*events)).until_done().snapshot() for events in (one, two)]
    assert (
        join_continuations(bodies) == InteractionStream(stream(*one, *two)).get_final_interaction()
    )
