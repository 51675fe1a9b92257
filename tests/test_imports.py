"""Imports go one way, and nothing is loaded before it is needed."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import gemwire

PACKAGE = Path(gemwire.__file__).parent

LAYERS = [
    # Each may import from those above it, none from its own line or from below.
    "errors base",
    "sse answer",
    "models",
    "walk",
    "codec",
    "report continuation conversation request",
    "again",
    "operations",
    "parts",
    "builder",
    "steps",
    "runs",
    "hop disassemble",
    "state marks",
    "resume",
    "outcome",
    "assembler",
    "legacy checkpoint",
    "core",
    "stream",
    "following",
]
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names.split()}

LATE = {
    ("resume", "legacy"),
    ("again", "operations"),
    ("sse", "codec"),
    ("answer", "legacy"),
    ("codec", "legacy"),
    ("assembler", "checkpoint"),
    ("assembler", "legacy"),
}
"""Imports inside a function, for the one call that needs them."""

SEPARATE = {"__init__", "replay"}
"""What stands outside: the table of the public names, and the server for demos and tests."""

MODULES = sorted(path for path in PACKAGE.rglob("*.py") if "replay" not in path.parts)


def module_of(path: Path) -> str:
    """The name in LAYERS; a package counts as one."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path: Path) -> Iterator[tuple[str, bool]]:
    """What of gemwire a file imports when it runs, and whether that is inside a function."""

    def look(node: ast.AST, late: bool) -> Iterator[tuple[str, bool]]:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            for other in node.orelse:
                yield from look(other, late)
            return
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == "gemwire":
                    yield alias.name.split(".")[1], late
        elif isinstance(node, ast.ImportFrom):
            base = ["gemwire", *path.relative_to(PACKAGE).parts[:-1]]
            parts = base[: len(base) + 1 - node.level] if node.level else []
            parts = [*parts, *(node.module or "").split(".")]
            parts = [part for part in parts if part]
            if parts[0] == "gemwire":
                for name in parts[1:2] or [alias.name for alias in node.names]:
                    yield name, late
        inside = late or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for child in ast.iter_child_nodes(node):
            yield from look(child, inside)

    yield from look(ast.parse(path.read_text("utf-8")), False)


def test_every_module_has_a_layer() -> None:
    """A new module is not done before somebody has said where it stands."""
    assert {module_of(path) for path in MODULES} - SEPARATE - LEVEL.keys() == set()


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_one_way(path: Path) -> None:
    here = module_of(path)
    if here == "__init__":
        assert list(imported(path)) == []  # all names are resolved when they are first used
        return
    assert here in LEVEL, f"{here} has no line in LAYERS"
    for name, late in imported(path):
        assert name != "replay", "nothing stands on the replay server"
        assert name != "__init__"
        if name == here and here == "models":
            continue  # the modules of one package know each other
        if late and (here, name) in LATE:
            continue
        assert name in LEVEL, f"{name} has no line in LAYERS"
        assert LEVEL[name] < LEVEL[here], f"{here} imports {name}"


def test_late_imports_are_still_there() -> None:
    late = {(module_of(path), name) for path in MODULES for name, late in imported(path) if late}
    assert late >= LATE


def test_imports_are_found() -> None:
    """The test of the test."""
    found = set(imported(PACKAGE / "sse.py"))
    assert {("errors", False), ("codec", True)} <= found
    assert ("models", False) not in set(imported(PACKAGE / "errors.py"))  # for the checker only
    assert ("base", False) in set(imported(PACKAGE / "models" / "interactions.py"))


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
