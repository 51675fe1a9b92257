"""The bundled recordings are what the API would have sent, read here without gemwire's parser."""

from __future__ import annotations

import base64
import json
import struct
import zlib
from importlib.resources import files
from itertools import pairwise
from typing import Any

import pytest

from gemwire.replay import BUNDLED, Recording

ENDINGS = {
    "text-with-thoughts": "completed",
    "function-calls": "requires_action",
    "search": "completed",
    "image": "completed",
    "audio": "completed",
    "error-event": "error",
    "cut": "cut",
    "bare-error": "stray",
}
FINISHED = [name for name, ending in ENDINGS.items() if ending in ("completed", "requires_action")]

Payload = dict[str, Any]


def payloads(name: str) -> tuple[list[Payload], bytes]:
    """The JSON of each whole frame but `[DONE]`, and the bytes that are no whole frame."""
    found: list[Payload] = []
    *frames, rest = Recording.load(name).stream.split(b"\n\n")
    for frame in frames:
        event, data = frame.split(b"\n")
        assert event.startswith(b"event: ")
        assert data.startswith(b"data: ")
        if data == b"data: [DONE]":
            assert event == b"event: done"
            continue
        payload = json.loads(data[6:])
        assert payload["event_type"] == event[7:].decode()
        assert data[6:].decode() == json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
        found.append(payload)
    return found, rest


def body(name: str) -> Payload:
    text = Recording.load(name).body
    assert text is not None
    loaded: Payload = json.loads(text)
    return loaded


def rebuilt_steps(name: str) -> list[Payload]:
    """The steps, folded in the simplest way that is right for these recordings."""
    steps: list[Payload] = []
    for event in payloads(name)[0]:
        if event["event_type"] == "step.start":
            steps.append({k: v for k, v in event["step"].items() if v != ""})
        elif event["event_type"] == "step.delta":
            fold(steps[event["index"]], event["delta"])
    for step in steps:
        if isinstance(arguments := step.get("arguments"), str):
            step["arguments"] = json.loads(arguments)
    return steps


def fold(step: Payload, delta: Payload) -> None:
    members = {k: v for k, v in delta.items() if k != "type"}
    parts: list[Payload] = step.setdefault("content", []) if step["type"] == "model_output" else []
    match delta["type"]:
        case "thought_summary":
            step.setdefault("summary", []).append(delta["content"])
        case "text_annotation_delta":
            parts[-1].setdefault("annotations", []).extend(delta["annotations"])
        case "arguments_delta":
            step["arguments"] = (step["arguments"] or "") + delta["arguments"]
        case "text" if parts and parts[-1]["type"] == "text":
            parts[-1]["text"] += delta["text"]
        case "audio" if parts and parts[-1]["type"] == "audio":
            whole = base64.b64decode(parts[-1]["data"]) + base64.b64decode(delta["data"])
            parts[-1]["data"] = base64.b64encode(whole).decode()
        case "text" | "audio" | "image":
            parts.append(delta)
        case _:
            step.update(members)


def test_the_list_is_complete() -> None:
    folder = files("gemwire.replay") / "recordings"
    streams = {path.name.removesuffix(".sse") for path in folder.iterdir() if ".sse" in path.name}
    bodies = {path.name.removesuffix(".json") for path in folder.iterdir() if ".json" in path.name}
    assert streams == set(BUNDLED) == set(ENDINGS)
    assert bodies == set(FINISHED)


@pytest.mark.parametrize("name", BUNDLED)
def test_framing(name: str) -> None:
    recording = Recording.load(name)
    assert b"\r" not in recording.stream
    recording.stream.decode()
    assert b"".join(recording.frames()) == recording.stream
    assert len(recording.stream) < 100_000


def test_ids_are_different() -> None:
    assert len({Recording.load(name).interaction_id for name in BUNDLED} - {""}) == len(BUNDLED)


@pytest.mark.parametrize("name", BUNDLED)
def test_order_of_events(name: str) -> None:
    events, rest = payloads(name)
    created, update, *others = events
    assert created["event_type"] == "interaction.created"
    assert created["interaction"].keys() - {"model", "agent"} == {"id", "status", "object"}
    assert update == {
        "interaction_id": created["interaction"]["id"],
        "status": "in_progress",
        "event_type": "interaction.status_update",
    }

    index, open_ = -1, False
    *middle, last = others
    for event in middle if last["event_type"] in ("interaction.completed", "error") else others:
        assert [*event][:1] + [*event][-1:] == ["index", "event_type"]
        match event["event_type"]:
            case "step.start":
                assert not open_
                index, open_ = index + 1, True
            case "step.stop":
                assert open_
                open_ = False
            case kind:
                assert kind == "step.delta"
                assert open_
        assert event["index"] == index

    done = Recording.load(name).stream.endswith(b"\n\nevent: done\ndata: [DONE]\n\n")
    match ENDINGS[name]:
        case "error":
            assert last["event_type"] == "error"
            assert (open_, done, rest) == (True, False, b"")
        case "cut":
            assert rest.startswith(b"event: step.delta\ndata: {")
            assert not rest.endswith(b"}")
        case "stray":
            assert rest.count(b"\n") > 5
            assert b"data:" not in rest
            assert json.loads(rest)[0]["error"]["status"] == "UNAVAILABLE"
        case status:
            assert last["event_type"] == "interaction.completed"
            assert last["interaction"]["status"] == status
            assert "steps" not in last["interaction"]
            assert (open_, done, rest) == (False, True, b"")


@pytest.mark.parametrize("name", BUNDLED)
def test_steps_end_with_their_signature(name: str) -> None:
    """A thought has one signature, last; what a start announces empty a delta fills or nobody."""
    deltas: dict[int, list[Payload]] = {}
    kinds: dict[int, str] = {}
    for event in payloads(name)[0]:
        if event["event_type"] == "step.start":
            kinds[event["index"]] = event["step"]["type"]
        elif event["event_type"] == "step.delta":
            deltas.setdefault(event["index"], []).append(event["delta"])
    for index, kind in kinds.items():
        types = [delta["type"] for delta in deltas.get(index, [])]
        if kind == "thought" and name != "bare-error":
            assert types.count("thought_signature") == 1
            assert types[-1] == "thought_signature"
        for delta in deltas.get(index, []):
            for member in ("signature", "data"):
                if member in delta:
                    assert base64.b64decode(delta[member], validate=True)


@pytest.mark.parametrize("name", FINISHED)
def test_twin(name: str) -> None:
    """The answer without streaming is the same answer."""
    twin = body(name)
    assert twin.pop("steps") == rebuilt_steps(name)
    assert twin == payloads(name)[0][-1]["interaction"]


@pytest.mark.parametrize("name", FINISHED)
def test_usage_adds_up(name: str) -> None:
    usage = body(name)["usage"]
    parts = ("input", "output", "thought", "tool_use")
    assert usage["total_tokens"] == sum(usage[f"total_{part}_tokens"] for part in parts)


def test_text_is_cut_anywhere() -> None:
    events, _ = payloads("text-with-thoughts")
    texts = [e["delta"]["text"] for e in events if e.get("delta", {}).get("type") == "text"]
    summaries = [e for e in events if e.get("delta", {}).get("type") == "thought_summary"]
    assert 15 <= len(texts) <= 25
    assert sum(a[-1].isalpha() and b[0].isalpha() for a, b in pairwise(texts)) >= 5
    assert len(summaries) == 4


def test_arguments_are_split() -> None:
    events, _ = payloads("function-calls")
    fragments: dict[int, list[str]] = {}
    for event in events:
        if event["event_type"] == "step.start" and event["step"]["type"] == "function_call":
            assert event["step"]["arguments"] == {}
            fragments[event["index"]] = []
        elif event.get("delta", {}).get("type") == "arguments_delta":
            fragments[event["index"]].append(event["delta"]["arguments"])
    assert [len(pieces) for pieces in fragments.values()] == [7, 2, 6, 0]
    assert any(piece.endswith("\\") for piece in fragments[3]), "cut inside an escape"


def test_annotations_point_at_what_they_cite() -> None:
    """`start_index` and `end_index` count bytes of UTF-8, which here are not characters."""
    [part] = body("search")["steps"][-1]["content"]
    text = part["text"].encode()
    cited = [
        (text[each["start_index"] : each["end_index"]].decode(), each["title"])
        for each in part["annotations"]
    ]
    bloom = "Full bloom, 満開, usually follows around 4 April and lasts about a week"
    assert cited == [
        (
            "Along the Philosopher’s Path (哲学の道) "
            "the first trees open in the last days of March.",
            "sakura-kalender.example",
        ),
        (bloom, "sakura-kalender.example"),
        (bloom, "kyoto-walks.example"),
        (
            "The Heerstraße in the Altstadt turns pink later, mostly in mid-April.",
            "bonn-im-fruehling.example",
        ),
        (
            "the double-flowered ‘Kanzan’ kind, which keeps its blossoms for ten to fourteen days",
            "gartenlexikon.example",
        ),
        ("rain ends the show faster than warmth does ☔", "gartenlexikon.example"),
    ]
    by_characters = [part["text"][a["start_index"] : a["end_index"]] for a in part["annotations"]]
    assert not {text for text, _ in cited} & set(by_characters)


def test_image_is_a_png() -> None:
    before, image, after = body("image")["steps"][-1]["content"]
    assert (before["type"], image["type"], after["type"]) == ("text", "image", "text")
    data = base64.b64decode(image["data"], validate=True)
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    chunks: list[tuple[bytes, bytes]] = []
    at = 8
    while at < len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        content = data[at + 8 : at + 8 + length]
        [checksum] = struct.unpack_from(">I", data, at + 8 + length)
        assert checksum == zlib.crc32(kind + content)
        chunks.append((kind, content))
        at += 12 + length
    assert [kind for kind, _ in chunks] == [b"IHDR", b"IDAT", b"IEND"]
    width, height, depth, colour = struct.unpack_from(">IIBB", chunks[0][1])
    assert (depth, colour) == (8, 2)
    assert len(zlib.decompress(chunks[1][1])) == height * (1 + 3 * width)


def test_audio_pieces() -> None:
    events, _ = payloads("audio")
    pieces = [event["delta"] for event in events if event["event_type"] == "step.delta"]
    formats = {(p["mime_type"], p["sample_rate"], p["channels"], len(p["data"])) for p in pieces}
    assert formats == {("audio/l16", 24000, 1, 2560)}
    pcm = b"".join(base64.b64decode(piece["data"], validate=True) for piece in pieces)
    assert len(pcm) == 25 * 1920
    samples = struct.unpack(f"<{len(pcm) // 2}h", pcm)
    assert 5_000 < max(samples) < 32_767
    assert abs(sum(samples)) / len(samples) < 50, "no direct current"
