"""Structs that are none of ours are written as msgspec writes them, also when they hold models with
what msgspec cannot write: unknown members, `Unknown…` objects, 64-bit integers, lone surrogates.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from msgspec import UNSET, UnsetType, field

from gemwire import (
    InteractionStream,
    StreamReport,
    Usage,
    decode,
    decode_event,
    encode,
    models,
    to_dict,
)

from .wire import answer, arguments, dumps, error, start, stop, stream

USAGE = {"new_count": 7, "total_tokens": 3}  # unknown members come first
HOLOGRAM = {"type": "hologram", "light": [1, {"far": True}]}
NEWER = decode(dumps(USAGE).encode(), Usage)
UNKNOWN = decode(dumps(HOLOGRAM).encode(), models.Step)


class Plain(msgspec.Struct):
    value: Any
    more: Any = None


class Renamed(msgspec.Struct, rename="camel"):
    the_value: Any
    by_hand: Any = field(default=1, name="By hand")


class Tagged(msgspec.Struct, tag_field="kind", tag="a"):
    value: Any


class TaggedByNumber(msgspec.Struct, tag=3):
    value: Any


class Sparse(msgspec.Struct, omit_defaults=True, frozen=True):
    value: Any = None
    number: Any = 1000
    text: Any = "text"
    ratio: Any = 1.5
    flag: Any = True
    items: Any = field(default_factory=list)
    named: Any = field(default_factory=dict)
    kinds: Any = field(default_factory=set)
    made: Any = field(default_factory=lambda: [1])
    absent: Any = UNSET


class Array(msgspec.Struct, array_like=True):
    value: Any
    more: Any = 1


class TaggedArray(msgspec.Struct, array_like=True, tag=True, omit_defaults=True):
    value: Any
    more: Any = 1


class Optional(msgspec.Struct):
    value: Any
    absent: int | UnsetType = UNSET


MAKERS: dict[str, Callable[[Any], msgspec.Struct]] = {
    "plain": Plain,
    "renamed": Renamed,
    "tagged": Tagged,
    "tagged by a number": TaggedByNumber,
    "a default that is given": lambda value: Sparse(value, 1000, "text", 1.5, True, [], {}, set()),
    "defaults": lambda value: Sparse(value),
    "equal to a default, another object": lambda value: Sparse(
        value, int("1000"), "".join(["te", "xt"]), float("1.5"), 1, (), [], frozenset(), [1]
    ),
    "no defaults": lambda value: Sparse(
        value, 1, "", 0.0, False, [1], {"a": 1}, {1}, [], b"\xff\x00"
    ),
    "array": Array,
    "tagged array": TaggedArray,
    "absent": Optional,
    "nested": lambda value: Plain(Renamed([Tagged(value)]), {"a": Array((value,))}),
}
"""Kinds of Struct, and what msgspec writes of each for a plain value is what must come."""


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize(
    ("value", "written"),
    [(NEWER, USAGE), (UNKNOWN, HOLOGRAM), ([NEWER, {"a": UNKNOWN}], [USAGE, {"a": HOLOGRAM}])],
    ids=["unknown members", "an unknown step", "both, in a list"],
)
def test_a_foreign_struct_is_written_as_msgspec_does(name: str, value: Any, written: Any) -> None:
    make = MAKERS[name]
    with pytest.raises(TypeError):
        msgspec.json.encode(make(value))
    expected = msgspec.json.encode(make(written))
    assert encode(make(value)) == expected
    assert to_dict(make(value)) == json.loads(expected)


def test_a_lone_surrogate_in_a_foreign_struct() -> None:
    assert json.loads(encode(Plain("\ud83c", Renamed("\udf0a")))) == {
        "value": "\ud83c",
        "more": {"theValue": "\udf0a", "By hand": 1},
    }


def test_what_has_no_form_is_refused() -> None:
    with pytest.raises(TypeError):
        encode(Plain(NEWER, object()))


REPORTS: dict[str, Any] = {
    "usage with an unknown member": answer(start(0, "thought"), stop(0, usage=USAGE)),
    "an error with details": stream(
        error({"code": 503, "message": "No.", "details": [{"a": [1]}], "new": "\ud83c"})
    ),
    "unknown things": answer(start(0, "hologram"), {"event_type": "brand.new"}),
    "halves of pairs, where there are names and texts": answer(
        start(0, "thought", **{"\ud83c": "\ud83c"}),
        start(1, "function_call", id="f1", name="tide"),
        arguments(1, '"\ud83c'),
        stop(1),
        status="wave \ud83c",
    ),
    "stray text": b"<html>\xff\x00 Bad Gateway</html>\n",
}


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_encodes(name: str) -> None:
    report = InteractionStream(REPORTS[name]).until_done().report
    plain = to_dict(report)
    assert json.loads(encode(report)) == plain
    assert plain.keys() == set(StreamReport.__struct_fields__)
    assert plain["outcome"] == report.outcome
    assert plain["error"] == (None if report.error is None else to_dict(report.error))
    assert plain["stray"] == json.loads(msgspec.json.encode(report.stray))
    for entry, written in zip(report.unknown, plain["unknown"], strict=True):
        assert written["sample"] == json.loads(msgspec.json.encode(entry.sample))
        assert msgspec.convert(written, type(entry)) == entry
    for issue, written in zip(report.issues, plain["issues"], strict=True):
        assert msgspec.convert(written, type(issue)) == issue


def test_issues_and_unknown_things_can_be_written_anywhere() -> None:
    """Halves of pairs in them are U+FFFD: a log, a terminal or a database takes no other."""
    data = REPORTS["halves of pairs, where there are names and texts"]
    report = InteractionStream(data).until_done().report
    told = repr((report.issues, report.unknown))
    for issue in report.issues:
        assert msgspec.json.encode(issue)
    for seen in report.unknown:
        assert msgspec.json.encode(seen)
    assert "\N{REPLACEMENT CHARACTER}" in told


def test_a_newer_event_in_a_record_of_ones_own() -> None:
    sent = {"event_type": "step.delta", "delta": HOLOGRAM, "index": 0, "new": 1}
    event = decode_event(dumps(sent).encode())
    assert to_dict(Plain(event, "log")) == {"value": sent, "more": "log"}
