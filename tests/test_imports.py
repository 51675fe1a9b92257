"""Nothing is loaded before it is needed; who may import whom is in test_rooms.py."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest


def loaded_by(code: str, *, after: str = "") -> set[str]:
    """The modules that the code loads, in a fresh interpreter, beyond those that `after` has."""
    script = f"{after}\nimport sys\nbefore = set(sys.modules)\n{code}\n"
    script += "print(*sorted(set(sys.modules) - before), sep='\\n')"
    command = [sys.executable, "-W", "error", "-I", "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_gemwire_loads_msgspec_and_itself() -> None:
    assert loaded_by("import gemwire", after="import msgspec, importlib") == {"gemwire"}


PAYLOAD = json.dumps({"event_type": "step.delta", "delta": {"type": "text", "text": "a"}})
NEWER = json.dumps({"event_type": "step.delta", "delta": {"type": "hologram"}, "new": 1})
FRAME = f"event: step.delta\ndata: {PAYLOAD}\n\n"


@pytest.mark.parametrize(
    ("code", "none_of"),
    [
        ("from gemwire import SSEParser, DONE, encode_sse", {"gemwire.models", "gemwire.codec"}),
        (
            f"from gemwire import SSEParser; SSEParser().feed({FRAME.encode()!r})",
            {"gemwire.models", "gemwire.codec"},
        ),
        (f"import gemwire; gemwire.decode_event({PAYLOAD.encode()!r}, 'step.delta')", set()),
        (f"import gemwire; gemwire.decode_event({NEWER.encode()!r})", {"gemwire.assembler"}),
        (f"import gemwire; gemwire.encode(gemwire.decode_event({NEWER.encode()!r}))", set()),
        (f"import gemwire; list(gemwire.iter_events([{FRAME.encode()!r}]))", set()),
        ("import gemwire; gemwire.warm_up()", set()),
    ],
)
def test_nothing_is_loaded_before_it_is_needed(code: str, none_of: set[str]) -> None:
    loaded = loaded_by(code, after="import msgspec, importlib, typing")
    assert not loaded & ({"asyncio", "json", "orjson", "gemwire.replay"} | none_of)
    assert not {name.split(".")[0] for name in loaded} & {"socket", "ssl", "email", "http"}
