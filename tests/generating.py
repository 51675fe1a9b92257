"""Packages made of documents while a test runs, imported, and forgotten again."""

from __future__ import annotations

import importlib
import itertools
import json
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from codegen.config import Config, Documents
from codegen.generate import generate
from codegen.load import load
from codegen.notes import Notes
from codegen.operations import generate_operations
from gemwire import decode, encode
from gemwire.codec.structs import FREE, STRICT

Json = dict[str, Any]

_NUMBERS = itertools.count(1)


def document(schemas: Json | None = None, paths: Json | None = None, **components: Json) -> Json:
    """A whole document around its schemas and paths."""
    return {
        "openapi": "3.0.3",
        "info": {"title": "A test", "version": "v1"},
        "paths": paths or {},
        "components": {"schemas": schemas or {}, **components},
    }


def written(given: Json, folder: Path, package: str = "made") -> tuple[dict[str, str], Notes]:
    """The sources of a package, not formatted, and what there is to say about them."""
    spec = folder / "spec.json"
    spec.write_text(json.dumps(given), "utf-8")
    notes, config = Notes(), Config(package=package)
    plain = load(Documents({spec: None}), notes)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # notes of datamodel-code-generator on formats
        sources = generate(plain, config, notes)
    if operations := generate_operations(plain, config):
        sources["operations.py"] = operations
    return sources, notes


@contextmanager
def imported(sources: dict[str, str], folder: Path, package: str) -> Iterator[ModuleType]:
    """The package, as long as it is needed; afterwards nothing of it is left."""
    (folder / package).mkdir()
    for name, source in sources.items():
        (folder / package / name).write_text(source, "utf-8")
    tables: list[Any] = [STRICT, FREE]
    before = [table.copy() for table in tables]
    sys.path.insert(0, str(folder))
    try:
        importlib.invalidate_caches()
        module = importlib.import_module(package)
        for name in sources:
            importlib.import_module(f"{package}.{name.removesuffix('.py')}")
        yield module
    finally:
        sys.path.remove(str(folder))
        for name in [n for n in sys.modules if n == package or n.startswith(package + ".")]:
            del sys.modules[name]
        for table, old in zip(tables, before, strict=True):
            table.clear()
            table.update(old)


@contextmanager
def made(given: Json, folder: Path) -> Iterator[tuple[ModuleType, Notes]]:
    """What is generated of a document, imported under a name of its own."""
    package = f"made_{next(_NUMBERS)}"
    sources, notes = written(given, folder, package)
    with imported(sources, folder, package) as module:
        yield module, notes


def round_trip(type_: Any, payload: Any, *, strict: bool = True) -> Any:
    """The value of a type that a payload is, and that is the payload again."""
    value = decode(json.dumps(payload).encode(), type_, strict=strict)
    assert json.loads(encode(value)) == payload
    return value
