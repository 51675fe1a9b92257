"""Whatever fits the models comes back, and so does any other JSON; any bytes at all survive."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gemwire import (
    ApiError,
    DecodeError,
    Unknown,
    decode,
    decode_event,
    decode_interaction,
    encode,
    iter_unknown,
    to_dict,
)
from gemwire import models as m
from gemwire.codec.structs import WireStruct
from gemwire.codec.surrogates import with_whole_pairs
from gemwire.wire.events import Event

from .payloads import FITTING, exactly
from .strategies import (
    EVENTS,
    STRUCTS,
    UNIONS,
    instances,
    interactions,
    json_texts,
    json_values,
    mutated,
)

QUICK = settings(deadline=None, suppress_health_check=list(HealthCheck))

# ---- whatever fits the models


def assert_round_trip(value: Any, type_: Any) -> None:
    text = encode(value)
    back = decode(text, type_)
    assert back == value
    assert encode(back) == text
    assert exactly(to_dict(value)) == exactly(json.loads(text))


@pytest.mark.parametrize("cls", STRUCTS.values(), ids=STRUCTS)
@settings(QUICK, max_examples=5)
@given(st.data())
def test_every_model_comes_back(cls: type[WireStruct], data: st.DataObject) -> None:
    unknown = data.draw(st.booleans())
    assert_round_trip(data.draw(instances(cls, unknown=unknown, surrogates=unknown)), cls)


@pytest.mark.slow
@pytest.mark.parametrize("unknown", [False, True])
@pytest.mark.parametrize("cls", STRUCTS.values(), ids=STRUCTS)
@settings(QUICK, max_examples=15)
@given(st.data())
def test_every_model_comes_back_at_length(
    cls: type[WireStruct], unknown: bool, data: st.DataObject
) -> None:
    assert_round_trip(data.draw(instances(cls, unknown=unknown, surrogates=unknown)), cls)


@pytest.mark.parametrize("union", [union for union, _ in UNIONS.values()], ids=UNIONS)
@settings(QUICK, max_examples=20)
@given(st.data())
def test_every_open_union_comes_back(union: Any, data: st.DataObject) -> None:
    assert_round_trip(data.draw(instances(union, unknown=True, surrogates=True)), union)


@settings(QUICK, max_examples=60)
@given(instances(Event))
def test_valid_events_take_one_pass(event: Any) -> None:
    assert decode_event(encode(event), event.event_type, strict=True) == event


@settings(QUICK, max_examples=40)
@given(interactions(unknown=True, surrogates=True))
def test_interactions_come_back(interaction: m.Interaction) -> None:
    text = encode(interaction)
    assert decode(text, m.Interaction) == interaction
    whole = decode_interaction(text)
    sayable, halves = with_whole_pairs(text)
    assert whole == interaction or halves
    # The arguments of a call are made such that they can be sent; all else is as it was.
    assert json.loads(with_whole_pairs(encode(whole))[0]) == json.loads(sayable)


# ---- whatever does not


def same_json(found: Any, sent: Any) -> bool:
    """Whether it is the same value, but for a tag that was left out, and is put in, where only one
    thing was possible; and for an int where the schema has a float.
    """
    if isinstance(sent, dict):
        return (
            isinstance(found, dict)
            and found.keys() >= sent.keys()
            and found.keys() - sent.keys() <= {"type", "event_type"}
            and all(same_json(found[name], member) for name, member in sent.items())
        )
    if isinstance(sent, list):
        return (
            isinstance(found, list) and len(found) == len(sent) and all(map(same_json, found, sent))
        )
    if isinstance(found, float) and type(sent) is int:
        return found == float(sent)
    return type(found) is type(sent) and bool(found == sent)


def assert_survives(text: bytes, name: str | None) -> None:
    """Only our own errors come out, and an object with valid UTF-8 encodes back to itself."""
    try:
        sent = json.loads(text.decode(), parse_constant=lambda constant: 1 / 0)
    except (ValueError, ZeroDivisionError):
        sent = None
    event = decode_event(text, name)
    back = encode(event)
    if isinstance(sent, dict):
        assert same_json(json.loads(back), sent), (event, back)
    else:
        mended = b"NaN" in text or b"Infinity" in text  # the member alone is lost
        assert isinstance(event, Unknown) or mended or not is_utf8(text)
    for found in iter_unknown(event):
        repr(found)
    to_dict(event)
    try:
        interaction = decode(text, m.Interaction)
    except DecodeError:
        assert not isinstance(sent, dict)
    else:
        if isinstance(sent, dict):
            assert same_json(json.loads(encode(interaction)), sent), interaction
    with contextlib.suppress(DecodeError, ApiError):
        to_dict(decode_interaction(text))
    for function in (decode_event, decode_interaction):
        with contextlib.suppress(DecodeError, ApiError):
            function(text, strict=True)


def is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


NAMES = st.sampled_from([None, "message", "brand.new", *EVENTS])
PLAIN_EVENTS = instances(Event, unknown=True, surrogates=True).map(to_dict)
PLAIN_INTERACTIONS = interactions(unknown=True, surrogates=True).map(to_dict)
DAMAGE = [
    b"",
    b"\\",
    b'"',
    rb"\u",
    rb"\ud83c",
    b"\xff",
    b"{",
    b"]",
    b"1e999",
    b"null",
    b"\x00",
    b" ",
]


@st.composite
def damaged(draw: st.DrawFn, texts: st.SearchStrategy[bytes]) -> bytes:
    """Valid JSON with some bytes taken out and others put in."""
    text = draw(texts)
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(text)))
        gap = draw(st.sampled_from([0, 0, 1, 7]))
        text = text[:start] + draw(st.sampled_from(DAMAGE)) + text[start + gap :]
    return text


ANY_TEXT = {
    "bytes": st.binary(max_size=40),
    "json": json_texts(surrogates=True),
    "objects": json_texts(
        st.dictionaries(
            st.sampled_from(["event_type", "index", "step", "delta", "type", "error", "id"]),
            st.sampled_from([*EVENTS, *FITTING.values(), "text", -1])
            | json_values(surrogates=True),
        )
    ),
    "mutated events": json_texts(mutated(PLAIN_EVENTS)),
    "mutated interactions": json_texts(mutated(PLAIN_INTERACTIONS)),
    "damaged events": damaged(json_texts(PLAIN_EVENTS)),
}


@pytest.mark.parametrize("kind", ANY_TEXT)
@settings(QUICK, max_examples=100)
@given(st.data())
def test_any_text_survives(kind: str, data: st.DataObject) -> None:
    assert_survives(data.draw(ANY_TEXT[kind]), data.draw(NAMES))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ANY_TEXT)
@settings(QUICK, max_examples=400)
@given(st.data())
def test_any_text_survives_at_length(kind: str, data: st.DataObject) -> None:
    assert_survives(data.draw(ANY_TEXT[kind]), data.draw(NAMES))
