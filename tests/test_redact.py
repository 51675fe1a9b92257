"""Redaction: what is long is a marker, everything else is as it was, and the original untouched."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest

from gemwire import (
    InteractionStream,
    Issue,
    StreamReport,
    UnknownSeen,
    decode,
    decode_event,
    decode_interaction,
    encode,
    redact,
    to_dict,
)
from gemwire import models as m
from gemwire.wire.error_body import ErrorInfo

from .payloads import FITTING, compact
from .wire import answer, start, stop, text

BIG = "iVBORw0K" * 200_000
"""Base64 of 1.2 MB."""


def digest(sent: str) -> str:
    return sha256(sent.encode()).hexdigest()[:16]


PNG = f"<image/png 1.2 MB sha256:{digest(BIG)}>"
SIGNATURE = f"<signature 1.6 MB sha256:{digest(BIG)}>"
IMAGE = {"type": "image", "mime_type": "image/png", "data": BIG}
IMAGE_GONE = {**IMAGE, "data": PNG}


def said(sent: str) -> str:
    return f"<text {len(sent.encode())} B sha256:{digest(sent)}>"


def kept(value: Any) -> str:
    whole = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return f"<json {len(whole.encode())} B sha256:{digest(whole)}>"


MULTITUDE = {"type": "hologram", "points": [7] * 20_000}
HOLOGRAM = {"type": "hologram", "mime_type": "image/png", "data": BIG, "n": [1, 1.5, None]}

ROWS: list[tuple[str, Any, Any, Any, dict[str, bool]]] = [
    # (what, its type, its JSON, what becomes of that, the choice)
    ("an image", m.Content, IMAGE, IMAGE_GONE, {}),
    ("a delta", m.StepDeltaData, IMAGE, IMAGE_GONE, {}),
    (
        "a media type that nobody said",
        m.Content,
        {"type": "audio", "data": "QUJD"},
        {"type": "audio", "data": f"<audio 3 B sha256:{digest('QUJD')}>"},
        {},
    ),
    ("an image, wanted", m.Content, IMAGE, IMAGE, {"media": False}),
    (
        "a signature",
        m.Step,
        {"type": "thought", "signature": BIG},
        {"type": "thought", "signature": SIGNATURE},
        {},
    ),
    (
        "a signature, wanted",
        m.Step,
        {"type": "thought", "signature": BIG},
        {"type": "thought", "signature": BIG},
        {"signatures": False},
    ),
    (
        "text",
        m.Content,
        {"type": "text", "text": "é" * 5000},
        {"type": "text", "text": "é" * 5000},
        {},
    ),
    (
        "empty text",
        m.Content,
        {"type": "text", "text": ""},
        {"type": "text", "text": ""},
        {"text": True},
    ),
    (
        "text that is to go",
        m.Content,
        {"type": "text", "text": "Héllo"},
        {"type": "text", "text": said("Héllo")},
        {"text": True},
    ),
    (
        "a picture in a text",
        m.Content,
        {"type": "text", "text": f"![a](data:image/png;base64,{BIG}) b"},
        {
            "type": "text",
            "text": f"![a](data:image/png;base64,<data 1.6 MB sha256:{digest(BIG)}>) b",
        },
        {},
    ),
    (
        "a picture as a link",
        m.Content,
        {"type": "image", "uri": "data:," + "x" * 2000},
        {"type": "image", "uri": f"<text 2.0 kB sha256:{digest('data:,' + 'x' * 2000)}>"},
        {},
    ),
    (
        "arguments",
        m.Step,
        {"type": "function_call", "name": "f", "arguments": {"a": "b", "data": BIG, "x": [BIG]}},
        {
            "type": "function_call",
            "name": "f",
            "arguments": {
                "a": "b",
                "data": f"<data 1.2 MB sha256:{digest(BIG)}>",
                "x": [f"<data 1.6 MB sha256:{digest(BIG)}>"],
            },
        },
        {},
    ),
    (
        "arguments that are to go",
        m.Step,
        {"type": "function_call", "name": "f", "arguments": {"a": "b"}},
        {"type": "function_call", "name": "f", "arguments": {"redacted": kept({"a": "b"})}},
        {"text": True},
    ),
    (
        "a fragment of arguments that is to go",
        m.StepDeltaData,
        {"type": "arguments_delta", "arguments": '{"a":'},
        {"type": "arguments_delta", "arguments": said('{"a":')},
        {"text": True},
    ),
    (
        "a result with a picture",
        m.Step,
        {"type": "function_result", "result": [{"type": "text", "text": "a"}, IMAGE]},
        {"type": "function_result", "result": [{"type": "text", "text": "a"}, IMAGE_GONE]},
        {},
    ),
    (
        "results that are to go",
        m.Step,
        {"type": "function_result", "name": "f", "result": {"a": [1]}},
        {"type": "function_result", "name": "f", "result": {"redacted": kept({"a": [1]})}},
        {"text": True},
    ),
    (
        "queries that are to go",
        m.Step,
        {"type": "google_search_call", "id": "i", "arguments": {"queries": ["tide"]}},
        {"type": "google_search_call", "id": "i", "arguments": {"queries": [said("tide")]}},
        {"text": True},
    ),
    (
        "unknown members",
        m.Content,
        {"type": "text", "text": "a", "thoughtSignature": BIG, "new": {"p": [IMAGE, "é" * 1001]}},
        {
            "type": "text",
            "text": "a",
            "thoughtSignature": SIGNATURE,
            "new": {"p": [IMAGE_GONE, f"<text 2.0 kB sha256:{digest('é' * 1001)}>"]},
        },
        {},
    ),
    (
        "a member that did not fit",
        m.Content,
        {"type": "image", "mime_type": "image/png", "data": [BIG]},
        {"type": "image", "mime_type": "image/png", "data": [PNG]},
        {},
    ),
    ("a new kind of step", m.Step, HOLOGRAM, {**HOLOGRAM, "data": PNG}, {}),
    (
        "texts of a new kind",
        m.Step,
        {"type": "hologram", "text": "a", "said": "b" * 65, "id": "v1"},
        {"type": "hologram", "text": said("a"), "said": said("b" * 65), "id": "v1"},
        {"text": True},
    ),
    (
        "a new kind with a multitude",
        m.Step,
        MULTITUDE,
        {
            "type": "hologram",
            "redacted": f"<json 40.0 kB sha256:{digest(compact(MULTITUDE).decode())}>",
        },
        {},
    ),
    ("a known one", m.Step, FITTING["step.start"]["step"], FITTING["step.start"]["step"], {}),
]


def redacted(value: Any, **choice: bool) -> Any:
    """Redact, with the members of the answer unchecked."""
    return redact(value, **choice)


def snapshot(value: Any) -> tuple[str, bytes]:
    return repr(value), encode(value)


@pytest.mark.parametrize(
    ("type_", "sent", "want", "choice"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS]
)
def test_redacted(type_: Any, sent: Any, want: Any, choice: dict[str, bool]) -> None:
    value = decode(compact(sent), type_)
    before = snapshot(value)
    found = redact(value, **choice)
    assert type(found) is type(value)
    assert to_dict(found) == want
    assert to_dict(decode(encode(found), type_)) == want
    assert redact(found, **choice) == found
    assert snapshot(value) == before
    assert to_dict(redact([value, {"a": value}], **choice)) == [want, {"a": want}]


WHOLE: dict[str, Any] = {
    "id": "v1",
    "status": "completed",
    "model": "gemini-9",
    "created": None,
    "steps": [
        {"type": "user_input", "content": [{"type": "text", "text": "a"}, IMAGE]},
        {"type": "thought", "signature": BIG, "summary": [{"type": "text", "text": "b"}, IMAGE]},
        {"type": "model_output", "content": [IMAGE, {"type": "hologram", "blob": BIG}]},
        {"type": "function_call", "id": "c", "name": "f", "arguments": {"a": [{"data": BIG}]}},
        HOLOGRAM,
    ],
    "usage": {"total_tokens": 7, "new": BIG},
    "new": {"signature": BIG},
}
EVENTS: dict[str, Callable[[], Any]] = {
    "an interaction": lambda: decode_interaction(compact(WHOLE)),
    "an event": lambda: decode_event(
        compact({"event_type": "interaction.completed", "interaction": WHOLE, "n": BIG})
    ),
    "a start": lambda: decode_event(
        compact({"event_type": "step.start", "index": 0, "step": WHOLE["steps"][2]})
    ),
    "a new event": lambda: decode_event(compact({"event_type": "later", "it": WHOLE})),
    "an event of the legacy generation": lambda: decode_event(
        compact({"event_type": "content.delta", "index": 0, "delta": IMAGE})
    ),
    "no JSON": lambda: decode_event("{" + BIG),
    "a long tag": lambda: decode_event(compact({"event_type": "a" * 5000})),
    "a long number": lambda: decode_event('{"event_type":"later","n":%s}' % ("9" * 5000)),
    "deep JSON": lambda: decode_event('{"event_type":"later","n":%s}' % ("[" * 300 + "]" * 300)),
    "very deep JSON": lambda: decode_event(
        '{"event_type":"later","n":%s}' % ("[" * 9999 + "]" * 9999)
    ),
    "deep arguments": lambda: m.FunctionCallStep(
        arguments={"a": json.loads("[" * 300 + "]" * 300)}
    ),
    "a list": lambda: [m.ImageContent(data=BIG), "a"],
}


@pytest.mark.parametrize("what", EVENTS)
@pytest.mark.parametrize("text_too", [False, True])
def test_nothing_long_survives(what: str, text_too: bool) -> None:
    value = EVENTS[what]()
    before = snapshot(value)
    found = redact(value, text=text_too)
    assert type(found) is type(value)
    assert len(encode(found)) < 2500
    assert redact(found, text=text_too) == found
    assert snapshot(value) == before
    json.loads(encode(found).decode())


def test_nothing_is_shared() -> None:
    value: Any = decode_interaction(compact({"status": "completed", "labels": {"a": "b"}, **WHOLE}))
    original = copy.deepcopy(value)
    found = redacted(value, media=False, signatures=False)
    assert found == value
    found.labels["a"] = "c"
    found.steps[0].content.clear()
    found.steps[3].arguments["a"][0].clear()
    found.steps.clear()
    assert value == original


def test_text_of_an_answer() -> None:
    whole = decode_interaction(compact(WHOLE))
    found = redacted(whole, text=True)
    steps: Any = found.steps
    assert (type(found), found.id, found.model) == (type(whole), "v1", "gemini-9")
    assert [type(step) for step in steps] == [
        *(m.UserInputStep, m.ThoughtStep, m.ModelOutputStep, m.FunctionCallStep, m.UnknownStep)
    ]
    assert steps[4].tag == "hologram"
    assert found.output_images[0].data == PNG


def test_a_report() -> None:
    sent = answer(
        *(
            start(0, "hologram", data=BIG),
            stop(0),
            start(1, "thought", b=BIG),
            text(1, "a"),
            stop(1),
        )
    )
    report = InteractionStream(b"x" * 3000 + b"\n" + sent).until_done().report
    found = redact(report)
    assert type(found) is StreamReport
    assert (found.outcome, found.usage, found.event_count) == (
        *(report.outcome, report.usage, report.event_count),
    )
    assert [seen.path for seen in found.unknown] == [seen.path for seen in report.unknown]
    assert len(found.stray) < 100
    for seen in found.unknown:
        assert BIG[:64].encode() not in seen.sample
    assert BIG[:64].encode() not in encode(found)
    assert redact(found) == found


SIGNED = UnknownSeen("step.start.signature", "member", "signature", b'"' + b"A" * 40)
PARTS: list[tuple[str, Any, Any, dict[str, bool]]] = [
    # (what, a part of a report, what becomes of it, the choice)
    ("a whole sample", UnknownSeen("a.n", "member", "n", b'{"n":1}'), None, {}),
    (
        "a sample of media",
        UnknownSeen("a.n", "member", "n", compact({"data": "QUJD", "n": 1})),
        b'{"data":"<data 3 B sha256:%s>","n":1}' % digest("QUJD").encode(),
        {},
    ),
    (
        "a sample that was cut",
        UnknownSeen("a.n", "member", "n", b'{"x":"' + b"A" * 506),
        b'{"x":"<data 506 B sha256:%s>' % digest("A" * 506).encode(),
        {},
    ),
    (
        "a signature that was cut",
        SIGNED,
        b"<text 41 B sha256:%s>" % digest('"' + "A" * 40).encode(),
        {},
    ),
    ("a signature, wanted", SIGNED, None, {"signatures": False}),
    ("what an issue says", Issue("conflict", 0, "a, b"), None, {}),
    (
        "that of a payload",
        Issue("conflict", 0, "A" * 99),
        f"<data 99 B sha256:{digest('A' * 99)}>",
        {},
    ),
    ("that of a text", Issue("arguments", 0, '{"a'), said('{"a'), {"text": True}),
]


@pytest.mark.parametrize(
    ("part", "want", "choice"), [row[1:] for row in PARTS], ids=[row[0] for row in PARTS]
)
def test_parts_of_a_report(part: Any, want: Any, choice: dict[str, bool]) -> None:
    found = redact(part, **choice)
    member = "sample" if isinstance(part, UnknownSeen) else "detail"
    assert type(found) is type(part)
    assert getattr(found, member) == (getattr(part, member) if want is None else want)
    assert redact(found, **choice) == found


def test_an_error_in_a_report() -> None:
    error = ErrorInfo(503, "Overloaded.", None, None, {"error": {"input": [IMAGE]}})
    found = redact(StreamReport(error=error)).error
    assert found is not None
    assert (found.code, found.message) == (503, "Overloaded.")
    assert found.raw == {"error": {"input": [IMAGE_GONE]}}


def test_plain_values_are_themselves() -> None:
    value: Any
    for value in (None, 1, 1.5, True, "a", [], {}, ()):
        assert redact(value) == value
