"""Real traffic, where it is at hand: captured streams assemble to what they themselves say.

What is expected is computed here from the plain JSON, by a fold that is just good enough for what
was captured. The folder is `GEMWIRE_CORPUS`, by default `../shared/corpus` beside the repository.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gemwire import (
    DONE,
    ApiError,
    Interaction,
    TruncatedStream,
    Unknown,
    assemble,
    decode,
    decode_interaction,
    encode,
    iter_events,
    iter_unknown,
    to_dict,
)

from .wire import Payload, by_frames, cut, frame, pull, pull_async

ROOT = Path(__file__).parent.parent
CORPUS = Path(os.environ.get("GEMWIRE_CORPUS") or ROOT / "../shared/corpus").resolve()

pytestmark = pytest.mark.skipif(
    not (CORPUS / "MANIFEST.tsv").is_file(), reason="no corpus of captured streams at hand"
)


def manifest() -> list[dict[str, str]]:
    """The rows of the list of files; none where there is no corpus."""
    try:
        with (CORPUS / "MANIFEST.tsv").open(encoding="utf-8", newline="") as rows:
            return list(csv.DictReader(rows, delimiter="\t", quoting=csv.QUOTE_NONE))
    except FileNotFoundError:
        return []


def listed(folder: str, generation: str) -> list[str]:
    rows = [row for row in manifest() if row["generation"] == generation]
    return [row["file"] for row in rows if row["file"].startswith(folder + "/")]


STREAMS = listed("streams", "current")
LEGACY_STREAMS = listed("streams", "legacy")
BODIES = [*listed("responses", "current"), *listed("responses", "legacy")]


def stream_of(file: str) -> bytes:
    """The bytes of a captured stream; payloads alone are framed as the server frames them."""
    data = (CORPUS / file).read_bytes()
    if file.endswith(".sse"):
        return data
    return b"".join(frame(line) for line in lines_of(data)) + DONE


def lines_of(data: bytes) -> Iterator[Any]:
    for line in data.decode().splitlines():
        if line.strip():
            yield json.loads(line)


def payloads(file: str) -> list[Payload]:
    """The JSON of each event of a captured stream."""
    found = []
    for line in stream_of(file).decode().split("\n"):
        name, _, value = line.partition(": ")
        if name == "data" and value != "[DONE]":
            found.append(json.loads(value))
    return found


# ---- the fold


def folded(events: list[Payload]) -> Payload:
    """The Interaction that the events describe."""
    answer: Payload = {}
    steps: dict[int, Payload] = {}
    for event in events:
        match event["event_type"]:
            case "interaction.created" | "interaction.completed":
                answer.update(event["interaction"])
            case "interaction.status_update":
                answer["status"] = event["status"]
            case "step.start":
                steps[event["index"]] = dict(event["step"])
            case "step.delta":
                fold(steps[event["index"]], event["delta"])
            case "step.stop":
                close(steps[event["index"]])
    if steps:
        answer["steps"] = [steps[index] for index in sorted(steps)]
    if answer.get("id") == "":
        del answer["id"]
    return answer


def fold(step: Payload, delta: Payload) -> None:
    parts = step.get("content", [])
    match delta["type"]:
        case "text":
            step["content"] = parts or [{"type": "text", "text": ""}]
            step["content"][-1]["text"] += delta["text"]
        case "text_annotation_delta":
            parts[-1].setdefault("annotations", []).extend(delta["annotations"])
        case "thought_summary":
            step.setdefault("summary", []).append(delta["content"])
        case "arguments_delta":
            held = step["arguments"]
            step["arguments"] = (held if isinstance(held, str) else "") + delta["arguments"]
        case kind:
            assert kind in ("thought_signature", step["type"])
            step.update({n: v for n, v in delta.items() if v != "" and n != "type"})


def close(step: Payload) -> None:
    if step.get("signature") == "":
        del step["signature"]
    if isinstance(step.get("arguments"), str):
        step["arguments"] = json.loads(step["arguments"])


# ---- streams


@pytest.mark.parametrize("file", STREAMS)
def test_stream(file: str) -> None:
    data, events = stream_of(file), payloads(file)
    end = events[-1]["interaction"]
    found = pull(data)
    assert found.outcome == end["status"]
    assert found.plain == folded(events)
    assert to_dict(found.usage) == end["usage"]
    assert found.usage_source == "terminal"
    assert (found.issues, found.unknown, found.raised, found.error) == ([], [], None, None)
    assert found.events == len(events)
    assert found.known.stray == b""
    assert found.known.byte_count == len(data)
    assert found.ids == ([end["id"]] if end["id"] else [])


@pytest.mark.parametrize("file", STREAMS)
def test_stream_in_chunks(file: str) -> None:
    data = stream_of(file)
    whole = pull(data)
    for chunks in (cut(data, 1), by_frames(data), cut(data, 100)):
        assert pull(chunks) == pull_async(chunks) == whole
        assert assemble(chunks) == whole.interaction


@pytest.mark.parametrize("file", STREAMS)
def test_status_is_that_of_the_manifest(file: str) -> None:
    (row,) = [row for row in manifest() if row["file"] == file]
    assert pull(stream_of(file)).outcome == row["final_status"]


@pytest.mark.parametrize("file", STREAMS + LEGACY_STREAMS)
def test_events_encode_back(file: str) -> None:
    events = list(iter_events(stream_of(file)))
    assert [json.loads(encode(event)) for event in events] == payloads(file)


@pytest.mark.parametrize("file", STREAMS)
def test_events_are_known(file: str) -> None:
    for event in iter_events(stream_of(file)):
        assert not isinstance(event, Unknown)
        assert list(iter_unknown(event)) == []


@pytest.mark.parametrize("file", STREAMS)
def test_a_cut_stream_is_never_complete(file: str) -> None:
    """Without its terminal event; every frame and a place within each."""
    frames = by_frames(stream_of(file))
    last = next(at for at, block in enumerate(frames) if b"interaction.completed" in block)
    for end in range(last + 1):
        head = b"".join(frames[:end])
        for data in (head, head + frames[end][:-3]):
            assert pull(data).outcome == "truncated"


# ---- bodies


def is_error(body: Any) -> bool:
    return isinstance(body, dict) and "error" in body


@pytest.mark.parametrize("file", BODIES)
def test_body(file: str) -> None:
    """Nothing is lost; the body of an error raises it."""
    data = (CORPUS / file).read_bytes()
    body = json.loads(data)
    if is_error(body):
        with pytest.raises(ApiError) as caught:
            decode_interaction(data)
        assert caught.value.code == body["error"]["code"]
        assert caught.value.message == body["error"]["message"]
        return
    as_sent = decode(data, Interaction)
    assert json.loads(encode(as_sent)) == to_dict(as_sent) == body
    interaction = decode_interaction(data)
    if "outputs" not in body:  # the legacy form comes in today's
        assert interaction == as_sent
    assert assemble(data) == interaction


@pytest.mark.parametrize(
    "file", [file for file in BODIES if file in listed("responses", "current")]
)
def test_body_is_known(file: str) -> None:
    data = (CORPUS / file).read_bytes()
    if not is_error(json.loads(data)):
        assert list(iter_unknown(decode_interaction(data))) == []


# ---- twins: the same request, streamed and not

TWINS = [
    (file, twin)
    for file in STREAMS
    if (twin := file.replace("streams/", "responses/").replace("-True-", "-False-")[:-4] + ".json")
    in BODIES
]


def shape(plain: Payload) -> Any:
    """What two answers to one request have in common: kinds, and which members there are."""
    steps = [
        {
            **{name: type(value).__name__ for name, value in step.items()},
            "type": step["type"],
            "parts": [(part["type"], sorted(part)) for part in step.get("content", [])],
        }
        for step in plain.get("steps", [])
    ]
    return {"steps": steps, "status": plain["status"], "members": sorted(plain)}


@pytest.mark.parametrize(("file", "twin"), TWINS)
def test_twins_agree_in_shape(file: str, twin: str) -> None:
    body = json.loads((CORPUS / twin).read_bytes())
    if is_error(body):
        pytest.skip("the call that did not stream was refused")
    found = shape(pull(stream_of(file)).plain)
    assert found["status"] == body["status"]
    assert found == shape(body)


def test_there_are_twins() -> None:
    assert TWINS


# ---- the legacy generation

LEGACY_BODIES = listed("responses", "legacy")


def legacy_outputs(events: list[Payload]) -> list[Payload]:
    """The contents that the events describe."""
    contents: dict[int, Payload] = {}
    for event in events:
        if event["event_type"] == "content.start":
            contents[event["index"]] = dict(event["content"])
        elif event["event_type"] == "content.delta":
            content, delta = contents[event["index"]], event["delta"]
            match delta["type"]:
                case "text":
                    content["text"] = content.get("text", "") + delta["text"]
                case "thought_signature":
                    content["signature"] = delta["signature"]
                case kind:
                    assert kind == content["type"]
                    content.update(delta)
    return [contents[index] for index in sorted(contents)]


@pytest.mark.parametrize("file", LEGACY_STREAMS)
def test_legacy_stream(file: str) -> None:
    """It comes to what its own events say, in every way of reading it."""
    data, events = stream_of(file), payloads(file)
    end = events[-1]["interaction"]
    found = pull(data)
    assert (found.outcome, found.raised, found.issues) == (end["status"], None, [])
    assert found.usage_source == "terminal"
    assert {path for path, _ in found.unknown} <= {"interaction.model"}, "ids of models are new"
    assert to_dict(found.interaction.outputs) == legacy_outputs(events)
    assert {name: value for name, value in found.plain.items() if name != "steps"} == end
    for chunks in (cut(data, 1), by_frames(data), cut(data, 100)):
        assert pull(chunks) == found
    assert pull_async(cut(data, 1000)) == found


@pytest.mark.parametrize("file", LEGACY_STREAMS)
def test_legacy_events_are_typed(file: str) -> None:
    events = list(iter_events(stream_of(file), strict=True))
    assert to_dict(events) == payloads(file)


@pytest.mark.parametrize("file", LEGACY_STREAMS)
def test_torn_legacy_stream(file: str) -> None:
    frames = by_frames(stream_of(file))
    for count in range(len(frames) - 2):  # without the end and the terminator
        with pytest.raises(TruncatedStream):
            assemble(frames[:count])


@pytest.mark.parametrize("file", LEGACY_BODIES)
def test_legacy_body(file: str) -> None:
    body = json.loads((CORPUS / file).read_bytes())
    interaction = decode_interaction(json.dumps(body), strict=True)
    assert to_dict(interaction.outputs) == body.pop("outputs")
    plain = to_dict(interaction)
    assert {step["type"] for step in plain.pop("steps")} <= {*LEGACY_KINDS, "model_output"}
    assert plain == body
    assert {found.kind for found in iter_unknown(interaction)} <= {"value"}


LEGACY_KINDS = {"thought", "function_call", "google_search_call", "google_search_result"}


@pytest.mark.parametrize("name", ["async", "simple_message"])
def test_legacy_twins_agree_in_shape(name: str) -> None:
    file = f"generate_interactions_{name}-{{}}-032de7143"
    streamed = pull(stream_of(f"streams/openinf__{file.format(True)}.sse")).interaction
    body = (CORPUS / f"responses/openinf__{file.format(False)}.json").read_bytes()
    whole = decode_interaction(body)
    assert shape(to_dict(streamed)) == shape(to_dict(whole))
    assert [type(part) for part in streamed.outputs] == [type(part) for part in whole.outputs]
