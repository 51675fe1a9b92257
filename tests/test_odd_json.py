"""Texts that msgspec does not take: no object, nested deeply, lone surrogates, extreme numbers."""

from __future__ import annotations

import contextlib
import json
import re
import sys
import time
from typing import Any

import pytest

from gemwire import (
    DecodeError,
    GemwireError,
    Unknown,
    decode,
    decode_event,
    decode_interaction,
    encode,
    iter_unknown,
    to_dict,
    unknown_members,
)
from gemwire import models as m
from gemwire.codec.decode import as_utf8, mended
from gemwire.codec.json import read_json, without_nan

from .payloads import assert_encodes_to, compact, exactly
from .strategies import EVENTS

# ---- texts that msgspec does not take

NOT_OBJECTS = [
    *(b"", b" ", b"\n", b"null", b"true", b"7", b"1e400", b'"text"', b"[]", b'[{"index":0}]'),
    *(b"{", b"}", b'{"index":0', b'{"index":0}}', b'{"index":0}{}', b"[DONE]", b"{'a':1}", b"<p>"),
    *(b'{"index":0,}', b'{"a":-NaN}', b'{"a":01}', b'{"a":"\n"}', b"\xef\xbb\xbf{}", b"\x00"),
    b"\xff",
    # These have an escape, which opens the way to the standard library.
    *(rb'["\u0041"]', rb'"\ud83c', rb'"\u00', rb'"]\ud83c', rb'{"a":"\ud83c"', rb'{"a":"\ud83c"}]'),
    *(rb'{"a":nan,"b":"\ud83c"}', rb'{"a":+Infinity,"b":"\u0041"}', b'{"a":NaN', b'{NaN:1}'),
    *(b'{"a":NaN,}', b'{"a":1NaN}', b'{"a":NaNNaN}', b'{"a":"NaN"NaN}', b'{"a":NaN,"b":"\\'),
    *(rb'{"a":"\q"}', rb'{"a":"\u12"}'),
]  # fmt: skip


@pytest.mark.parametrize("text", NOT_OBJECTS)
@pytest.mark.parametrize("name", [None, "step.stop", "new"])
def test_text_that_is_no_object(text: bytes, name: str | None) -> None:
    event = decode_event(text, name)
    assert isinstance(event, m.UnknownInteractionSseEvent)
    assert event.tag == name
    if text.isascii():
        assert encode(event) == event.json == text
    with pytest.raises(DecodeError) as caught:
        decode_event(text, name, strict=True)
    assert (caught.value.event, caught.value.data) == (name, text)
    for strict in (False, True):
        with pytest.raises(DecodeError):
            decode_interaction(text, strict=strict)
        with pytest.raises(DecodeError):
            decode(text, m.Interaction, strict=strict)


@pytest.mark.parametrize(
    ("opening", "closing"),
    [(b"[", b"]"), (b'{"a":', b"}"), (b'[{"type":', b"}]"), (b'{"\\ud83c":', b"}")],
)
@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"", b""),
        (b'{"event_type":"step.stop","new":', b"}"),
        (b'{"event_type":"step.stop","event_id":"\\ud83c","new":', b"}"),
        (b'{"event_type":"step.start","step":{"type":"function_call","arguments":{"a":', b"}}}"),
        (b'{"event_type":"step.start","step":{"type":"hologram","a":', b"}}"),
    ],
)
def test_deep_nesting(before: bytes, after: bytes, opening: bytes, closing: bytes) -> None:
    for depth in (150, 20_000, 100_000):
        text = before + opening * depth + b"1" + closing * depth + after
        event = decode_event(text, "step.stop")
        back = encode(event)
        if depth == 150 and before:
            assert json.loads(back) == json.loads(text)
        elif depth > 150:
            assert back == text
        assert isinstance(repr(event), str)
        assert len(list(iter_unknown(event))) <= 2
        if depth > 150:
            with pytest.raises(DecodeError):
                decode(text, m.Content)


def test_nesting_near_the_limit() -> None:
    limit = sys.getrecursionlimit()
    for depth in range(limit - 100, limit + 20, 7):
        text = b'{"type":"function","parameters":' + b"[" * depth + b"]" * depth + b"}"
        with contextlib.suppress(GemwireError):
            tool = decode(text, m.Tool)
            assert len(list(iter_unknown(tool))) <= 1
            assert encode(tool) == text


def test_encoding_what_is_nested_too_deeply() -> None:
    value: Any = m.UnknownStep(b"{}")
    for _ in range(100_000):
        value = [value]
    with pytest.raises(GemwireError, match="nested too deeply"):
        encode(value)
    while value:  # taken apart by hand: freeing it in one go would recurse as deeply
        value = value.pop() if isinstance(value, list) else None


def test_bad_utf8_becomes_replacement_characters() -> None:
    event = decode_event(b'{"event_type":"step.delta","delta":{"type":"text","text":"a\xffb"}}')
    assert isinstance(event, m.StepDelta)
    assert event.delta == m.TextDelta(text="a�b")
    hidden = decode_event(b'{"event_type":"step.stop","n\xe9w":"\xed\xa0\x80","event_id":"e"}')
    assert unknown_members(hidden) == {"n�w": "�" * 3}
    interaction = decode_interaction(b'{"status":"completed","id":"\xc3"}')
    assert interaction.id == "�"
    for text in (b'{"event_type":"step.stop","event_id":"\xff"}', b"\xff{"):
        with pytest.raises(DecodeError):
            decode_event(text, strict=True)


# ---- numbers that are none

NO_NUMBERS: list[tuple[str, str]] = [
    # (what stands in a payload, what it is read as)
    ("NaN", '"NaN"'),
    ("Infinity", '"Infinity"'),
    ("-Infinity", '"-Infinity"'),
    ('[NaN, "NaN", {"NaN" :-Infinity}]', '["NaN", "NaN", {"NaN" :"-Infinity"}]'),
    (r'{"a\\":NaN,"b":"\"NaN","\\\\":NaN}', r'{"a\\":"NaN","b":"\"NaN","\\\\":"NaN"}'),
]


@pytest.mark.parametrize(("sent", "read"), NO_NUMBERS)
def test_a_number_that_is_none_is_one_unknown_member(sent: str, read: str) -> None:
    """Python's writer puts NaN where JSON has nothing; that costs the member, not the event."""
    want = json.loads(read)
    usage = '{"total_tokens":%s,"total_input_tokens":10}'
    body = f'{{"status":"completed","id":"a","usage":{usage}}}'
    whole = f'{{"event_type":"interaction.completed","interaction":{body}}}'
    event: Any = decode_event(whole % sent)
    assert type(event) is m.InteractionCompletedEvent
    for found in (
        *(event.interaction.usage, decode(usage % sent, m.Usage)),
        decode_interaction((body % sent).encode()).usage,
    ):
        assert isinstance(found, m.Usage)
        assert found.total_input_tokens == 10
        assert unknown_members(found) == {"total_tokens": want}
        assert [(item.path, item.sample) for item in iter_unknown(found)] == [
            ("$.total_tokens", want)
        ]
        assert json.loads(encode(found)) == {"total_tokens": want, "total_input_tokens": 10}
    assert json.loads(encode(event)) == json.loads(whole % read)
    assert read_json(sent.encode()) == want


def test_no_number_in_what_is_not_known() -> None:
    for text in (b'{"event_type":"later","a":NaN}', b'{"event_type":"step.stop","a":NaN}'):
        event = decode_event(text)
        assert json.loads(encode(event))["a"] == "NaN"
    step = decode(b'{"type":"hologram","a":-Infinity}', m.Step)
    assert json.loads(encode(step)) == {"type": "hologram", "a": "-Infinity"}


MENDED: list[tuple[bytes | str, bytes, list[str]]] = [
    # (what was sent, what is read, what had to be done)
    (b'{"a":1}', b'{"a":1}', []),
    (b'{"a":"NaN Infinity"}', b'{"a":"NaN Infinity"}', []),
    (b'{"a":NaN}', b'{"a":"NaN"}', ["no_number"]),
    ('{"a":NaN}', b'{"a":"NaN"}', ["no_number"]),
    (b'{"a":"\xff"}', '{"a":"\ufffd"}'.encode(), ["invalid_utf8"]),
    (b'{"a":"\xff","b":NaN}', '{"a":"\ufffd","b":"NaN"}'.encode(), ["invalid_utf8", "no_number"]),
    (rb'{"a":"\ud83c","b":NaN}', rb'{"a":"\ud83c","b":"NaN"}', ["no_number"]),
    (b'{"a":NaN', b'{"a":NaN', []),
]


@pytest.mark.parametrize(("sent", "read", "notes"), MENDED)
def test_what_had_to_be_mended(sent: bytes | str, read: bytes, notes: list[str]) -> None:
    assert mended(sent) == (read, notes)
    assert as_utf8(sent) == (read, "invalid_utf8" in notes)


@pytest.mark.parametrize(
    "text",
    [
        '{"event_type":"step.start","step":{"type":"function_call","arguments":{"a":NaN}}}',
        '{"event_type":"interaction.created","interaction":{"usage":{"total_tokens":NaN}}}',
    ],
)
def test_strict_refuses_what_is_no_number(text: str) -> None:
    assert not isinstance(decode_event(text), Unknown)
    with pytest.raises(DecodeError):
        decode_event(text, strict=True)


@pytest.mark.parametrize(
    "piece", ['"', "\\", '\\"', "NaN ", '"NaN",', "NaN:", "Infinity", "-Infinity,"]
)
def test_looking_for_numbers_is_linear(piece: str) -> None:
    def seconds(count: int) -> float:
        text = b"[NaN," + piece.encode() * count
        started = time.process_time()
        without_nan(text)
        return time.process_time() - started

    small = min(seconds(20_000) for _ in range(3))
    assert min(seconds(320_000) for _ in range(2)) < 16 * 4 * small + 0.01


HALVES = [r"\ud83c", r"\udf89 alone", r"\ud83c\ud83c", r"x\udf89\ud83cx", r"\ud83c\n\u00e9\\"]


@pytest.mark.parametrize("half", HALVES)
@pytest.mark.parametrize(
    "frame",
    [
        '{"event_type":"step.delta","index":0,"delta":{"type":"text","text":"%s"}}',
        '{"event_type":"step.delta","index":0,"delta":{"type":"text","text":"a","new":"%s"}}',
        '{"event_type":"step.delta","index":0,"delta":{"type":"hologram","text":"%s"}}',
        '{"event_type":"step.delta","index":0,"delta":{"type":"%s"}}',
        '{"event_type":"step.delta", "index" : 0, "delta":{ "type" : "text" , "text" : "%s" } }',
        ' {"event_type":"step.stop","%s":1}',
        '{"event_type":"step.stop","event_id":"%s","index":-1}',
        '{"event_type":"%s","index":0}',
        '{"event_type":"error","error":{"code":"%s","message":"m","details":["%s",1e3,{}]}}',
        '{"event_type":"step.start","step":{"type":"function_call","arguments":{"%s":["%s"]}}}',
        '{"event_type":"step.start","step":{"type":"function_result","result":"%s"}}',
        '{"event_type":"step.start","step":{"type":"user_input","content":[{"type":"text",'
        '"text":"%s","annotations":[{"type":"url_citation","title":"%s","start_index":1}]}]}}',
        '{"event_type":"interaction.created","interaction":{"labels":{"%s":"%s"},"status":"%s"}}',
    ],
)
def test_lone_surrogates_are_kept(frame: str, half: str) -> None:
    text = frame.replace("%s", half).encode()
    event = decode_event(text, "step.delta")
    payload = json.loads(text)
    assert_encodes_to(event, payload)
    if payload["event_type"] in EVENTS and payload.get("index") != -1:
        assert type(event) is EVENTS[payload["event_type"]]
    raw = re.sub(r"\\u(d[0-9a-f]{3})", lambda found: chr(int(found[1], 16)), text.decode())
    assert event == decode_event(raw, "step.delta")  # a str may have them unescaped
    if next((found for found in iter_unknown(event) if found.kind != "value"), None) is None:
        assert decode_event(text, "step.delta", strict=True) == event


def test_pair_of_escapes_is_one_character() -> None:
    event = decode_event(
        rb'{"delta":{"type":"text","text":"\ud83c\udf89"}}', "step.delta", strict=True
    )
    assert isinstance(event, m.StepDelta)
    assert event.delta == m.TextDelta(text="🎉")


NUMBERS = [
    "0",
    "-0",
    "-0.0",
    "1E5",
    "18446744073709551616",
    "9" * 400,
    "1.5e-320",
    "1e400",
    "9" * 6000,
]


@pytest.mark.parametrize("number", NUMBERS, ids=lambda text: text[:12])
@pytest.mark.parametrize("half", ["", r"\ud83c"])
def test_extreme_numbers_lose_nothing(number: str, half: str) -> None:
    """No digit is lost, in a known member or an unknown one, beside a lone surrogate or not."""
    for frame in (
        '{"type":"function_call","arguments":{"n":%s,"s":"%s"}}',
        '{"type":"function_call","new":[%s,"%s"]}',
        '{"type":"hologram","n":%s,"s":"%s"}',
        '{"type":"google_maps_result","result":[{"places":[{"new":%s,"url":"%s"}]}]}',
    ):
        text = frame % (number, half)
        step = decode(text, m.Step)
        back = encode(step).decode()
        if len(number) > 4300 or number == "1e400":
            assert number in back
        else:
            assert exactly(json.loads(back)) == exactly(json.loads(text))
        assert isinstance(to_dict(step), dict)
    usage = decode(f'{{"total_tokens":{number}}}', m.Usage)
    assert json.loads(encode(usage), parse_int=str, parse_float=str) == {
        "total_tokens": "0" if number == "-0" else number
    }


@pytest.mark.parametrize(
    ("text", "same_as"),
    [
        (
            b'{"event_type":"step.stop","index":0,"index":1}',
            {"event_type": "step.stop", "index": 1},
        ),
        (
            b'{"event_type":"step.stop","index":-1,"index":1}',
            {"event_type": "step.stop", "index": 1},
        ),
        (b'{"event_type":"step.stop","new":0,"new":1}', {"event_type": "step.stop", "new": 1}),
        (b'{"event_type":"step.start","event_type":"step.stop"}', {"event_type": "step.stop"}),
        (
            b'{"event_type":"step.delta","delta":{"type":"text","text":"a","type":"image"}}',
            {"event_type": "step.delta", "delta": {"type": "image", "text": "a"}},
        ),
    ],
)
def test_the_last_of_equal_names_counts(text: bytes, same_as: dict[str, Any]) -> None:
    for name in (None, "step.stop"):
        event = decode_event(text, name)
        assert not isinstance(event, Unknown)
        assert_encodes_to(event, same_as)


def test_an_array_with_an_item_that_is_no_object_keeps_the_others() -> None:
    body: Any = {
        "status": "completed",
        "steps": [{"type": "thought"}, None, 7, [], {"type": "thought"}],
    }
    steps = decode_interaction(compact(body)).steps or []
    assert [type(step) for step in steps] == [m.ThoughtStep, *[m.UnknownStep] * 3, m.ThoughtStep]
    assert [step.raw for step in steps if isinstance(step, Unknown)] == [None, 7, []]
    assert_encodes_to(decode_interaction(compact(body)), body)


@pytest.mark.parametrize(
    "step",
    [
        '{"type":"model_output","new":1,"content":[{"type":"text","text":"a","new":[1]}]}',
        '{"type":"thought","signature":"\\ud83c"}',
        '{"type":"hologram","s":"\\n"}',
        "7",
    ],
)
def test_the_second_walk_is_linear(step: str) -> None:
    def seconds(count: int) -> float:
        text = f'{{"steps":[{",".join([step] * count)}]}}'.encode()
        start = time.process_time()
        encode(decode_interaction(text))
        return time.process_time() - start

    small = min(seconds(100) for _ in range(3))
    assert min(seconds(1600) for _ in range(2)) < 16 * 4 * small
