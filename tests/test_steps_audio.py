"""Pieces of audio are joined as bytes, as long as they are of one format."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from .wire import MILL, WAYS, Case, Payload, delta, pull, start, stop, text


def audio(data: str, **members: Any) -> Payload:
    return delta(0, "audio", **{"mime_type": "audio/l16", "data": data, **members})


def part(data: str, **members: Any) -> Payload:
    return {"type": "audio", "mime_type": "audio/l16", "data": data, **members}


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


AUDIO: dict[str, tuple[list[Payload], list[Payload], list[tuple[Any, ...]]]] = {
    "pieces of whole triples are joined": (
        [audio("AAEC"), audio("AwQF"), audio("BgcI")],
        [part("AAECAwQFBgcI")],
        [],
    ),
    "pieces with padding are joined as bytes": (
        [audio(b64(b"\0\1")), audio(b64(b"\2\3\4\5")), audio(b64(b"\6"))],
        [part(b64(bytes(range(7))))],
        [],
    ),
    "pieces that lack their padding": (
        [audio(b64(b"\0\1").rstrip("=")), audio(b64(b"\2").rstrip("="))],
        [part(b64(bytes(range(3))))],
        [],
    ),
    "rate counts as sample_rate": (
        [audio("AAEC", rate=24000), audio("AwQF", sample_rate=24000)],
        [part("AAECAwQF", sample_rate=24000)],
        [],
    ),
    "sample_rate before rate": (
        [audio("AAEC", rate=1, sample_rate=24000), audio("AwQF", sample_rate=24000)],
        [part("AAECAwQF", sample_rate=24000)],
        [],
    ),
    "what a piece lacks is inherited": (
        [
            audio("AAEC", sample_rate=24000, channels=1),
            delta(0, "audio", data="AwQF"),
            audio("BgcI", channels=1),
        ],
        [part("AAECAwQFBgcI", sample_rate=24000, channels=1)],
        [],
    ),
    "another mime type begins a part": (
        [audio("AAEC"), audio("AwQF", mime_type="audio/wav"), audio("BgcI", mime_type="audio/wav")],
        [part("AAEC"), part("AwQFBgcI", mime_type="audio/wav")],
        [],
    ),
    "another sample rate begins a part": (
        [audio("AAEC", rate=24000), audio("AwQF", rate=16000)],
        [part("AAEC", sample_rate=24000), part("AwQF", sample_rate=16000)],
        [],
    ),
    "another number of channels begins a part": (
        [audio("AAEC", channels=1), audio("AwQF", channels=2)],
        [part("AAEC", channels=1), part("AwQF", channels=2)],
        [],
    ),
    "text between ends the run": (
        [audio("AAEC"), text(0, "A mill"), audio("AwQF")],
        [part("AAEC"), MILL, part("AwQF")],
        [],
    ),
    "a piece by reference is a part of its own": (
        [
            audio("AAEC"),
            delta(0, "audio", mime_type="audio/l16", uri="gs://b/a"),
            audio("AwQF"),
            audio("BgcI"),
        ],
        [
            part("AAEC"),
            {"type": "audio", "mime_type": "audio/l16", "uri": "gs://b/a"},
            part("AwQFBgcI"),
        ],
        [("audio_data", 0)],
    ),
    "a piece that is no base64 is a part of its own": (
        [audio("AAEC"), audio("?!"), audio("A"), audio("né"), audio("AwQF"), audio("BgcI")],
        [part("AAEC"), part("?!"), part("A"), part("né"), part("AwQFBgcI")],
        [("audio_data", 0, 3)],
    ),
    "an empty piece changes nothing": (
        [audio("AAEC"), audio(""), audio("AwQF")],
        [part("AAECAwQF")],
        [],
    ),
    "a piece without data is a part of its own": (
        [audio("AAEC"), delta(0, "audio"), audio("AwQF")],
        [part("AAEC"), {"type": "audio"}, part("AwQF")],
        [("audio_data", 0)],
    ),
}


@pytest.mark.parametrize("name", AUDIO)
def test_audio(name: str) -> None:
    events, content, issues = AUDIO[name]
    case = Case(
        name,
        [start(0, "model_output"), *events, stop(0)],
        [{"type": "model_output", "content": content}],
        issues=issues,
    )
    for way, read in WAYS.items():
        assert (way, case.seen(read(case.bytes))) == (way, case.expected)


def test_audio_goes_on_with_that_of_the_start() -> None:
    case = Case(
        "",
        [start(0, "model_output", content=[part("AAE=")]), audio("AgME"), stop(0)],
        [{"type": "model_output", "content": [part("AAECAwQ=")]}],
    )
    assert case.seen(pull(case.bytes)) == case.expected


def test_audio_of_each_size_comes_out_as_it_went_in() -> None:
    """However bytes are cut before base64: joined, they are the same bytes."""
    data = bytes(range(256)) * 3
    for size in (1, 2, 3, 4, 5, 7, 100):
        pieces = [data[at : at + size] for at in range(0, len(data), size)]
        events = [start(0, "model_output"), *(audio(b64(piece)) for piece in pieces), stop(0)]
        found = pull(Case("", events).bytes)
        assert found.interaction.output_audio[0].data == b64(data)
