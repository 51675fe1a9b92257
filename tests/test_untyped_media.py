"""Media without `type` are told by their MIME type, as text is by `text`."""

from __future__ import annotations

from typing import Any

import pytest

from gemwire import models as m
from gemwire import to_dict
from gemwire.wire.contents import content_today, delta_today

from .wire import WAYS, Payload, answer, delta, dumps, start, stop

KINDS = {
    "image/png": "image",
    "IMAGE/PNG": "image",
    "audio/wav": "audio",
    "audio/l16;rate=24000": "audio",
    "video/mp4": "video",
    "application/pdf": "document",
    "text/csv": "document",
    "model/gltf": None,
    "image": None,
    "": None,
    7: None,
    None: None,
}


@pytest.mark.parametrize(("mime_type", "kind"), KINDS.items())
def test_by_mime_type(mime_type: object, kind: str | None) -> None:
    sent: Payload = {"data": "iVBORw0K", "mime_type": mime_type}
    for members in (sent, {**sent, "type": None}):
        part = m.UnknownContent(dumps(members).encode())
        piece = m.UnknownStepDeltaData(dumps(members).encode())
        for today, old in (
            (content_today(part), part),
            (delta_today(piece, m.ModelOutputStep), piece),
            (delta_today(piece, None), piece),
        ):
            if kind is None:
                assert today is old
            else:
                assert to_dict(today) == {"type": kind, **sent}
        assert delta_today(piece, m.ThoughtStep) is piece
        assert delta_today(piece, m.FunctionResultStep) is piece


def test_text_is_text_whatever_its_mime_type() -> None:
    text = b'{"text":"Hi","mime_type":"text/plain"}'
    assert isinstance(content_today(m.UnknownContent(text)), m.TextContent)
    found = delta_today(m.UnknownStepDeltaData(text), m.ModelOutputStep)
    assert found == m.TextDelta(text="Hi")


def test_what_does_not_fit_stays() -> None:
    text = b'{"data":7,"mime_type":"image/png","type":5}'
    part = m.UnknownContent(text)
    assert content_today(part) is part


def test_the_older_name_of_the_rate() -> None:
    piece = m.UnknownStepDeltaData(b'{"data":"AAAA","mime_type":"audio/l16","rate":24000}')
    found: Any = delta_today(piece, m.ModelOutputStep)
    assert found == m.AudioDelta(data="AAAA", mime_type="audio/l16", sample_rate=24000)


@pytest.mark.parametrize("kind", ["image", "audio", "video", "document"])
def test_in_a_stream(kind: str) -> None:
    mime_type = {value: name for name, value in reversed(KINDS.items())}[kind]
    sent = {"data": "AAAA", "mime_type": mime_type}
    typed = {"type": kind, **sent}
    for events in (
        [start(0, "model_output"), delta(0, None, **sent), stop(0)],
        [start(0, "model_output", content=[sent]), stop(0)],
    ):
        for read in WAYS.values():
            found = read(answer(*events))
            assert found.plain["steps"] == [{"type": "model_output", "content": [typed]}]
