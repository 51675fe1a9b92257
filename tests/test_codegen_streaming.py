"""Another vendor's streaming API: what is generated of its document reads its events and answers.

The golden files are made anew by `GEMWIRE_UPDATE_GOLDEN=1 python -m pytest
tests/test_codegen_streaming.py`; look at the difference before you keep it.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

pytest.importorskip("datamodel_code_generator", reason="the extra `codegen` is not installed")
pytest.importorskip("ruff", reason="the extra `codegen` is not installed")

from codegen.__main__ import main
from gemwire import ApiError, SSEParser, Unknown, decode, iter_unknown

from .generating import imported, round_trip

ROOT = Path(__file__).parent.parent
GOLDEN = Path(__file__).parent / "codegen_golden"
EXPECTED = GOLDEN / "expected" / "streaming"
UPDATE = bool(os.environ.get("GEMWIRE_UPDATE_GOLDEN"))
FILES = ["__init__.py", "models.py", "operations.py", "tables.py"]
PACKAGE = "streaming_api"


def write(folder: Path) -> dict[str, str]:
    """The package, as the command writes it."""
    spec = str(GOLDEN / "streaming.openapi.json")
    assert main(["--spec", spec, "--out", str(folder), "--package", PACKAGE]) == 0
    return {path.name: path.read_text("utf-8") for path in (folder / PACKAGE).iterdir()}


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return write(tmp_path_factory.mktemp("written"))


@pytest.fixture(scope="module")
def models(
    sources: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ModuleType]:
    with imported(sources, tmp_path_factory.mktemp("imported"), PACKAGE) as module:
        yield module


def part_of(models: ModuleType, name: str) -> ModuleType:
    return importlib.import_module(f"{models.__name__}.{name}")


@pytest.mark.parametrize("name", FILES)
def test_golden(sources: dict[str, str], name: str) -> None:
    expected = EXPECTED / f"{name}.txt"  # no .py: neither linted nor imported
    if UPDATE:
        EXPECTED.mkdir(exist_ok=True)
        expected.write_text(sources[name], "utf-8")
    assert sources[name] == expected.read_text("utf-8")
    assert sorted(sources) == FILES


def test_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path)
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.endswith(": 46 schemas, 17 unions and enums, 4 operations")
    assert (
        "  #/components/schemas/ModelOptions/properties/temperature/minimum: not checked" in lines
    )


RESPONSE: dict[str, Any] = {
    "id": "resp_1",
    "object": "response",
    "status": "in_progress",
    "model": "small-1",
    "error": None,
    "output": [],
    "usage": None,
    "metadata": {"run": "7"},
}
DONE = RESPONSE | {
    "status": "completed",
    "usage": {"input_tokens": 3, "output_tokens": 2, "output_tokens_details": {}},
    "output": [
        {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "Hm."}]},
        {
            "type": "message",
            "id": "msg_1",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "Hello", "annotations": [{"x": 1}]}],
        },
    ],
}
EVENTS: list[dict[str, Any]] = [
    {"type": "response.created", "response": RESPONSE},
    {"type": "response.output_item.added", "item": DONE["output"][0], "output_index": 0},
    {"type": "response.output_text.delta", "delta": "Hel", "item_id": "msg_1"},
    {"type": "response.output_text.delta", "delta": "lo", "item_id": "msg_1"},
    {"type": "response.output_text.done", "text": "Hello", "item_id": "msg_1"},
    {"type": "response.completed", "response": DONE},
]
KINDS = ["ResponseCreatedEvent", "OutputItemAddedEvent", "OutputTextDeltaEvent"]
KINDS += ["OutputTextDeltaEvent", "OutputTextDoneEvent", "ResponseCompletedEvent"]


def test_events(models: ModuleType) -> None:
    table: dict[str, str] = part_of(models, "tables").EVENTS
    numbered = [event | {"sequence_number": at} for at, event in enumerate(EVENTS)]
    stream = "".join(f"event: {e['type']}\ndata: {json.dumps(e)}\n\n" for e in numbered)
    found = []
    parser = SSEParser()
    data = stream.encode()
    for start in range(0, len(data), 50):
        for event in parser.feed(data[start : start + 50]):
            kind = getattr(models, table[event.event])
            found.append(decode(event.data, kind, strict=True))
    assert [type(event).__name__ for event in found] == KINDS
    assert "".join(event.delta for event in found[2:4]) == found[4].text
    for event, given in zip(found, numbered, strict=True):
        assert round_trip(models.ResponseStreamEvent, given) == event


def test_an_event_that_is_newer(models: ModuleType) -> None:
    event = {"type": "response.audio.delta", "delta": "UklG", "sequence_number": 9}
    found = round_trip(models.ResponseStreamEvent, event, strict=False)
    assert isinstance(found, models.UnknownResponseStreamEvent)
    assert isinstance(found, Unknown)
    assert found.tag == "response.audio.delta"


def test_an_answer_that_is_newer(models: ModuleType) -> None:
    newer = DONE | {
        "status": "paused",
        "output": [*DONE["output"], {"type": "image_call", "id": "ig_1"}],
        "incomplete_details": {"reason": "power_cut"},
        "cost": 5,
    }
    found = round_trip(models.Response, newer, strict=False)
    assert {each.path for each in iter_unknown(found)} == {
        "$.status",
        "$.output[2]",
        "$.incomplete_details.reason",
        "$.cost",
    }


def test_operations(models: ModuleType) -> None:
    operations = part_of(models, "operations")
    body = models.CreateResponse(
        model="small-1",
        input=[models.InputMessage(role="user", content="Hi")],
        tools=[models.FunctionTool(name="f", parameters={})],
        tool_choice="auto",
        stream=True,
    )
    request = operations.create_response(body)
    assert (request.method, request.url("https://host/v2")) == ("POST", "https://host/v2/responses")
    assert request.streams
    assert request.headers["Accept"] == "text/event-stream"
    assert json.loads(request.body)["input"] == [
        {"type": "message", "role": "user", "content": "Hi"}
    ]
    assert not operations.create_response({"model": "x", "input": "Hi"}).streams
    page = operations.list_responses(limit=2, order="asc", include=["a", "b"])
    assert page.query == (("limit", "2"), ("order", "asc"), ("include[]", "a"), ("include[]", "b"))
    assert operations.get_response("a/b", stream=True).path == "/responses/a%2Fb"
    with pytest.raises(ValueError, match="one segment"):
        operations.get_response("..")
    with pytest.raises(TypeError, match="createResponse needs a body"):
        operations.create_response(None)


def test_answers(models: ModuleType) -> None:
    operations = part_of(models, "operations")
    answer = operations.get_response("resp_1").decode_response(200, json.dumps(DONE))
    assert type(answer) is models.Response
    assert [type(item).__name__ for item in answer.output] == ["Reasoning", "Message"]
    page = {"object": "list", "data": [DONE], "has_more": False}
    found = operations.list_responses().decode_response(200, json.dumps(page))
    assert found == models.ResponseList(object="list", data=[answer], has_more=False)
    assert operations.delete_response("resp_1").decode_response(200) is None
    with pytest.raises(ApiError, match="Slow down"):
        operations.get_response("x").decode_response(429, b'{"error":{"message":"Slow down"}}')


@pytest.mark.slow
@pytest.mark.parametrize("checker", ["mypy", "pyright"])
def test_types(checker: str, tmp_path: Path) -> None:
    pytest.importorskip(checker)
    write(tmp_path)
    command = [sys.executable, "-m", checker]
    config = tmp_path / "pyrightconfig.json"
    config.write_text(
        json.dumps(
            {
                "typeCheckingMode": "strict",
                "include": [PACKAGE],
                "extraPaths": [str(ROOT / "src")],
                "pythonVersion": "3.11",
            }
        )
    )
    options = {
        "mypy": ["--strict", "--cache-dir", str(tmp_path / "cache"), "-p", PACKAGE],
        "pyright": ["--pythonpath", sys.executable, "-p", str(config)],
    }
    environment = {**os.environ, "MYPYPATH": str(ROOT / "src")}
    done = subprocess.run(
        [*command, *options[checker]],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment,
    )
    assert done.returncode == 0, done.stdout + done.stderr
