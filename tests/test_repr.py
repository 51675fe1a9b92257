"""What a value shows of itself is short, however large or deep it is, and costs as little."""

from __future__ import annotations

import sys
import time
from typing import Any

import pytest

from gemwire import (
    Interaction,
    InteractionStream,
    Unknown,
    decode,
    decode_event,
    decode_interaction,
)
from gemwire import models as m
from gemwire.codec.structs import Extra, WireStruct, shown
from tests.strategies import STRUCTS

from .payloads import compact
from .wire import answer, start, stop, text

LIMIT = 4000
BIG = "A" * 1_600_000  # base64 of 1.2 MB

FIRST = ", ".join(map(str, range(20)))

SHORT: list[tuple[Any, str]] = [
    # (value, what it shows)
    (m.TextContent(text="a"), "TextContent(text='a')"),
    (m.ThoughtStep(), "ThoughtStep()"),
    (m.Usage(total_tokens=1), "Usage(total_tokens=1)"),
    (m.ImageContent(data="QUJD"), "ImageContent(data='QUJD')"),
    (
        m.ImageContent(data=BIG, mime_type="image/png"),
        "ImageContent(data=<image/png 1.2 MB>, mime_type='image/png')",
    ),
    (m.ImageDelta(data=BIG), "ImageDelta(data=<image 1.2 MB>)"),
    (m.ThoughtStep(signature="s" * 98_000), "ThoughtStep(signature=<signature 98.0 kB>)"),
    (m.ThoughtStep(signature="s" * 800), "ThoughtStep(signature=<signature 800 B>)"),
    (m.TextContent(text="a" * 130), f"TextContent(text={'a' * 120!r}… (10 more))"),
    (
        m.ModelOutputStep(content=[m.TextContent(text="a")]),
        "ModelOutputStep(content=[TextContent(text='a')])",
    ),
    (
        m.FunctionCallStep(name="f", arguments={"n": list(range(30)), "b": None}),
        f"FunctionCallStep(arguments={{'n': [{FIRST}, … (10 more)], 'b': None}}, name='f')",
    ),
    (
        m.FunctionCallStep(arguments={"n": 10**5000}),
        "FunctionCallStep(arguments={'n': <int of 16610 bits>})",
    ),
    (Extra({"a": b"1"}), "Extra({'a': b'1'})"),
    (Extra({"a": b"x" * 100}), f"Extra({{'a': {b'x' * 80!r}… (20 more)}})"),
    (m.UnknownStep(b"{}", "t" * 130), f"UnknownStep(tag={'t' * 120!r}… (10 more), json=b'{{}}')"),
]


@pytest.mark.parametrize(("value", "want"), SHORT, ids=[want[:40] for _, want in SHORT])
def test_shown(value: Any, want: str) -> None:
    assert repr(value) == want


@pytest.mark.parametrize("cls", [Interaction, *STRUCTS.values()])
def test_every_model_is_shown_so(cls: type[WireStruct]) -> None:
    assert cls.__repr__ is WireStruct.__repr__


def nested(depth: int, many: bool) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value] * 5 if many else {"a": value}
    return value


def grown(part: dict[str, Any], count: int) -> bytes:
    step = {"type": "model_output", "content": [part] * count}
    return compact({"id": "v", "status": "completed", "steps": [step] * 3, "new": "n" * count})


LARGE: dict[str, Any] = {
    # how, by the size
    "texts": lambda n: decode_interaction(grown({"type": "text", "text": "é" * 200}, n)),
    "long text": lambda n: m.TextDelta(text="\U0010ffff" * n),
    "images": lambda n: decode_interaction(
        grown({"type": "image", "mime_type": "i" * 500, "data": BIG[:1000]}, n)
    ),
    "new parts": lambda n: decode_interaction(grown({"type": "t" * 300, "x": "\x00" * 300}, n)),
    "a new event": lambda n: decode_event(compact({"event_type": "e" * n, "a": "x" * n})),
    "many unknown members": lambda n: decode(
        compact({str(i): "\0" * 90 for i in range(n)}), m.Usage
    ),
    "one with a long name": lambda n: decode(compact({"\0" * n: 1}), m.Usage),
    "a misfit": lambda n: decode(compact({"type": "text", "text": ["a" * n]}), m.Content),
    "wide arguments": lambda n: m.FunctionCallStep(
        arguments={f"{'k' * 300}{at}": "v" * 300 for at in range(n)}
    ),
    "deep arguments": lambda n: m.FunctionCallStep(arguments={"a": nested(n * 5, many=False)}),
    "bushy arguments": lambda n: m.FunctionCallStep(arguments={"a": nested(n, many=True)}),
    "steps all over": lambda n: Interaction(
        id="x" * n,
        status="s" * n,
        steps=[m.UserInputStep(content="q" * n)] * n,
    ),
    "a number": lambda n: m.FunctionCallStep(arguments={"n": 1 << n}),
}


@pytest.mark.parametrize("what", LARGE)
def test_shown_within_bounds(what: str) -> None:
    sizes = (10, 100, 6_000)
    for value in map(LARGE[what], sizes):
        assert len(repr(value)) <= LIMIT
        assert len(shown([value] * 50)) <= LIMIT
        assert len(shown({"a": value, "b": (value,) * 9})) <= LIMIT
        started = time.process_time()
        for _ in range(10):
            repr(value)
        assert time.process_time() - started < 0.5


def test_a_deep_value_takes_few_frames() -> None:
    value = m.FunctionCallStep(arguments={"a": nested(sys.getrecursionlimit() * 3, many=False)})
    assert repr(value).startswith("FunctionCallStep(arguments={'a': {'a': ")


def test_what_comes_after_a_long_member_is_counted() -> None:
    parts: Any = [m.TextContent(text="a" * 100)] * 90
    steps: Any = [m.ModelOutputStep(content=parts)] * 90
    told = repr(Interaction(id="v", status="completed", steps=steps, usage=m.Usage()))
    assert "… (" in told
    assert "id='v'" in told


def test_a_report_and_what_is_in_it() -> None:
    sent = [start(0, "hologram", x="y" * 9000), text(0, "a"), stop(0)]
    report = InteractionStream(answer(*sent)).until_done().report
    assert len(repr(report)) < 300
    for part in (*report.issues, *report.unknown):
        assert len(repr(part)) < LIMIT


def test_an_unknown_of_any_class() -> None:
    for cls in Unknown.__subclasses__():
        assert len(repr(cls(b"\0" * 9999, "\0" * 999, "r" * 999))) < 900
