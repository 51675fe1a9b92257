"""The examples of function calling and of structured output run to their end over HTTP."""

from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path
from typing import Any

import pytest

from gemwire import ApiError
from gemwire.replay import Recording, ReplayServer
from gemwire.replay.http import Request, Response

EXAMPLES = Path(__file__).parent.parent / "examples"


def body(text: str, status: str = "completed") -> bytes:
    content = [{"type": "text", "text": text}]
    steps = [{"type": "model_output", "content": content}]
    answer = {"id": "v1_end", "status": status, "object": "interaction", "steps": steps}
    return json.dumps(answer).encode()


class Conversation(ReplayServer):
    """Answers a request that brings results of functions with the end of the conversation."""

    def __init__(self) -> None:
        super().__init__("function-calls")
        self.received: list[dict[str, Any]] = []

    def _respond(self, request: Request) -> Response:
        sent = json.loads(request.body)
        self.received.append(sent)
        if isinstance(sent["input"], list):
            return Response(200, "application/json", body("The train at 09:05 fits."))
        return super()._respond(request)


def run(name: str, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEMINI_BASE_URL", url)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(sys, "argv", [name, "Milan?"])
    runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")


def test_function_calling_runs_to_its_end(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with Conversation() as server:
        run("function_calling", server.url, monkeypatch)
    printed = capsys.readouterr()
    assert printed.out.splitlines() == [
        "search_trains: {'result': [{'departs': '09:05', 'arrives': '12:17', "
        "'from': 'Zürich HB', 'to': 'Milano Centrale'}]}",
        "get_weather: {'city': 'Milano', 'date': '2026-10-03', 'sky': 'clear', "
        "'temperature': 17, 'units': 'metric'}",
        "save_note: saved 79 characters as 'Milano 🚆'",
        "get_traveller_profile: no function 'get_traveller_profile'; "
        "known: search_trains, get_weather, save_note",
        "The train at 09:05 fits.",
        "completed",
    ]
    assert printed.err.startswith("get_traveller_profile failed: ")
    first, second = server.received
    assert second == {
        **first,
        "previous_interaction_id": json.loads(Recording.load("function-calls").body or b"")["id"],
        "input": second["input"],
    }
    assert [step["type"] for step in second["input"]] == ["function_result"] * 4
    assert [step.get("is_error") for step in second["input"]] == [None, None, None, True]


RECIPE = {
    "title": "Leek soup",
    "effort": "low",
    "ingredients": [{"name": "leek", "grams": 400}, {"name": "butter", "grams": 30.5}],
}


def test_structured_output_is_read_as_a_type(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with ReplayServer(Recording("recipe", b"", body(json.dumps(RECIPE)))) as server:
        run("structured_output", server.url, monkeypatch)
    assert capsys.readouterr().out == "Leek soup (low effort)\n   400 g leek\n    30 g butter\n"


@pytest.mark.parametrize(
    ("text", "status", "told"),
    [
        ('{"title":"x"}', "completed", "missing required field `effort` (at $)"),
        (json.dumps(RECIPE), "incomplete", "the answer is incomplete"),
    ],
)
def test_structured_output_says_what_is_wrong(
    text: str, status: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        ReplayServer(Recording("recipe", b"", body(text, status))) as server,
        pytest.raises(SystemExit) as caught,
    ):
        run("structured_output", server.url, monkeypatch)
    assert told in str(caught.value)
    assert text in str(caught.value)


@pytest.mark.parametrize("name", ["function_calling", "structured_output"])
def test_an_error_answer_is_an_error(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with ReplayServer() as server, pytest.raises(ApiError, match="There is nothing at"):
        run(name, server.url + "/elsewhere/", monkeypatch)
