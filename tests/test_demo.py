"""The demo of the replay server: what it prints of each answer."""

from __future__ import annotations

import json

import pytest

from gemwire.replay import Recording

from .replaying import python


def squeezed(text: str) -> str:
    """Without line ends and margins, so that wrapped text can be found."""
    return " ".join(text.split())


@pytest.mark.parametrize(
    ("name", "outcome"),
    [
        ("text-with-thoughts", "✓ completed"),
        ("function-calls", "✓ requires_action"),
        ("search", "✓ completed"),
        ("image", "✓ completed"),
        ("audio", "✓ completed"),
        ("error-event", "✗ error"),
        ("cut", "✗ truncated"),
        ("bare-error", "✗ error"),
    ],
)
def test_the_demo_shows_an_answer(
    capsys: pytest.CaptureFixture[str], name: str, outcome: str
) -> None:
    from gemwire.replay import demo

    assert demo.main(["--delay", "0", "--recording", name, "--chunk-size", "150"]) == 0
    out = squeezed(capsys.readouterr().out)
    assert f"outcome {outcome}" in out
    events = Recording.load(name).stream.count(b'"event_type":"')
    assert f"wire {events} events, " in out
    if body := Recording.load(name).body:
        for step in json.loads(body)["steps"]:
            for part in step.get("content", ()):
                assert squeezed(part.get("text", "")) in out
            for part in step.get("summary", ()):
                assert squeezed(part["text"].split("\n\n")[1]) in out
            if step["type"] == "function_call":
                assert step["name"] in out
        assert "twin equal to the answer without streaming" in out


def test_the_demo_as_a_command() -> None:
    with python("-m", "gemwire.replay.demo", "--delay", "0") as process:
        out, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (0, "")
    assert "\x1b" not in out, "no control sequences in a pipe"
    assert "\r" not in out
    for name in ("text-with-thoughts", "function-calls", "search", "image", "cut"):
        assert f"── {name} " in out
    assert "TruncatedStream" in out
    assert "µs per event" in out


@pytest.mark.parametrize("arguments", [["--recording", "nothing"], ["--delay", "-1"]])
def test_the_demo_refuses_nonsense(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    from gemwire.replay import demo

    with pytest.raises(SystemExit, match="2"):
        demo.main(arguments)
    assert "error: " in capsys.readouterr().err


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_prose_is_the_same_however_it_comes(size: int) -> None:
    from io import StringIO

    from rich.console import Console

    from gemwire.replay.terminal import Prose

    text = "\n\nOne two  three.\n\n1. 京都の桜は満開です, supercalifragilistic\n  end 🌸"
    console = Console(file=StringIO(), width=100)
    prose = Prose(console, "| ", 17)
    for start in range(0, len(text), size):
        prose.write(text[start : start + size])
    prose.end()
    prose.end()
    assert isinstance(console.file, StringIO)
    assert console.file.getvalue() == (
        "| One two  three.\n\n| 1.\n| 京都の桜は満開です,\n| supercalifragilistic\n|   end 🌸\n"
    )
