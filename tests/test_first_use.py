"""Several threads that make first use of gemwire at once, as the first requests of a server do.

msgspec builds its decoders when a type is first used, and ends the process with a segmentation
fault when two threads build decoders that share a Struct. So each case is a process of its own: see
`first_use.py`.
"""

from __future__ import annotations

import ast
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import gemwire
from gemwire.codec.once import decoder, memo

from .first_use import JOBS

PROGRAM = Path(__file__).parent / "first_use.py"
PACKAGE = Path(gemwire.__file__).parent
THREADS = 8
TIMES = 20


def run(job: str, threads: int) -> tuple[int, str, str]:
    """Exit code, digest, and what it complained of."""
    command = [sys.executable, "-X", "faulthandler", str(PROGRAM), job, str(threads)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, done.stdout.strip(), done.stderr


@cache
def alone(job: str) -> str:
    """The digest of what one thread gets."""
    code, digest, complaint = run(job, 1)
    assert (code, complaint) == (0, "")
    return digest


def test_first_use_in_several_threads() -> None:
    assert run("everything", 4) == (0, alone("everything"), "")


@pytest.mark.slow
@pytest.mark.parametrize("job", JOBS)
def test_first_use_again_and_again(job: str) -> None:
    for _ in range(TIMES):
        assert run(job, THREADS) == (0, alone(job), "")


# ---- once


def test_nothing_is_built_twice() -> None:
    """All threads get the same object, and it is there when the first of them has it."""
    calls: list[int] = []
    gate = threading.Barrier(THREADS)
    found: list[object] = []

    @memo
    def build(key: int) -> object:
        calls.append(key)
        for _ in range(1000):  # long enough for others to come by
            pass
        return object()

    def work() -> None:
        gate.wait()
        found.extend(build(key) for key in range(200))

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=work) for _ in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert calls == [*range(200)]
    assert len(found) == THREADS * 200
    assert len(set(map(id, found))) == 200


def test_what_failed_to_be_built_is_tried_again() -> None:
    calls: list[str] = []

    @memo
    def build(key: str) -> str:
        calls.append(key)
        if len(calls) == 1:
            raise ValueError(key)
        return key

    with pytest.raises(ValueError, match="a"):
        build("a")
    assert (build("a"), build("a"), calls) == ("a", "a", ["a", "a"])


def test_one_that_needs_another() -> None:
    @memo
    def build(depth: int) -> int:
        return 0 if depth == 0 else build(depth - 1) + 1

    assert build(50) == 50


def test_a_decoder_is_the_same_each_time() -> None:
    assert decoder(gemwire.Interaction) is decoder(gemwire.Interaction)
    assert decoder(gemwire.models.Step) is decoder(gemwire.models.Step)


# ---- what msgspec builds of types, and where

BUILDERS = {"Decoder", "convert", "type_info", "multi_type_info", "defstruct"}


def built_from_types() -> Iterator[tuple[str, str]]:
    """Each use of what makes msgspec look into a type: the file, and the function around it."""
    for path in sorted(PACKAGE.rglob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        for function in ast.walk(tree):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                for node in ast.walk(function):
                    if isinstance(node, ast.Call) and looks_into_types(node):
                        yield path.relative_to(PACKAGE).as_posix(), function.name


def looks_into_types(call: ast.Call) -> bool:
    name = ast.unparse(call.func)
    if not name.startswith("msgspec."):
        return False
    decodes = name.endswith(".decode") and (call.keywords or len(call.args) > 1)
    return name.rpartition(".")[2] in BUILDERS or bool(decodes)


def test_everything_is_built_in_one_place() -> None:
    """Behind the lock of `codec/once.py`: in what `memo` keeps, or under `with BUILDING`."""
    assert set(built_from_types()) == {
        ("codec/lenient.py", "_rare"),
        ("codec/once.py", "decoder"),
        ("structured.py", "_decoder"),
    }


def test_no_module_builds_anything_when_it_is_imported() -> None:
    """Who builds holds a lock and may import; whoever imports must not wait for that lock."""
    program = (
        "import importlib, pkgutil, gemwire, gemwire.codec.once as once\n"
        "once.BUILDING = None\n"
        "for module in pkgutil.walk_packages(gemwire.__path__, 'gemwire.'):\n"
        "    if '__main__' not in module.name: importlib.import_module(module.name)\n"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")


# ---- warm_up covers what it says


def test_nothing_of_streams_is_built_after_warm_up() -> None:
    """Of either generation, drifted or not; nothing of whole Interactions."""
    program = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import first_use, gemwire\n"
        "gemwire.warm_up()\n"
        "built = first_use.count_decoders()\n"
        "for name in ('recordings', 'legacy', 'drifted', 'bodies'):\n"
        "    list(getattr(first_use, name)(0))\n"
        "print(built)\n"
    )
    command = [sys.executable, "-c", program, str(PROGRAM.parent)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "[]\n", "")
