"""The package is built in rooms, on floors: who may import whom, and that the pages say what is so.

docs/architecture.md has the reasons. What a room is and where it stands is in tests/rooms.py.
"""

from __future__ import annotations

import ast
import functools
import importlib
import inspect
import re
import sys
import tomllib
from collections.abc import Iterator
from types import ModuleType
from typing import Any, Final

import pytest

import gemwire

from . import rooms
from .rooms import FLOORS, PACKAGE, ROOT, Import, circles, files, floor_of, imports_of, room_of

MAX_LINES: Final = 450

STATEFUL: Final = ("assembly", "resume", "assembler", "streams")
"""The rooms whose classes hold state."""

BASES: Final = {
    ("gemwire.assembly.steps.ContentBuilder", "gemwire.assembly.builder.StepBuilder"),
    ("gemwire.assembly.steps.ThoughtBuilder", "gemwire.assembly.builder.StepBuilder"),
    ("gemwire.assembly.steps.ToolBuilder", "gemwire.assembly.builder.StepBuilder"),
    ("gemwire.assembly.steps.UnknownBuilder", "gemwire.assembly.builder.StepBuilder"),
    # One content alone is a `model_output` of one part: a kind of step builder as well.
    ("gemwire.assembly.contents.ContentPartBuilder", "gemwire.assembly.steps.ContentBuilder"),
    # A stream that opens further responses by itself is a stream.
    ("gemwire.streams.follow.FollowedStream", "gemwire.streams.stream.InteractionStream"),
    (
        "gemwire.streams.follow.AsyncFollowedStream",
        "gemwire.streams.async_stream.AsyncInteractionStream",
    ),
}
"""The only classes of these rooms that inherit from another one of them. Anything else that needs
what another class holds has it as an attribute.
"""

LAZY: Final = {"__init__.py", "models/__init__.py", "models/lazy.py", "operations/body.py"}
"""The files that load a module by its name: what `gemwire` and `gemwire.models` have is listed, for
the type checker, in their `__init__.py`.
"""

PUBLIC: Final = (
    "gemwire",
    "gemwire.legacy",
    "gemwire.models",
    "gemwire.operations",
    "gemwire.polling",
    "gemwire.preview",
    "gemwire.structured",
    "gemwire.telemetry",
    "gemwire.tools",
)
"""The modules whose names are public: what programs may import, and what `replay` imports."""

TOOLS: Final = {"test", "check", "codegen", "bench"}
"""The extras that are for work on gemwire; all others are imported by the package itself."""

HERE: Final = [file for file in files() if room_of(file) != rooms.TOP]


def is_exempt(one: Import) -> bool:
    """Errors name, for the type checker, what they carry."""
    return one.file == "errors.py" and one.when == "types"


# ---- floors


def test_each_room_has_a_floor() -> None:
    """A new room is not done before somebody has said where it stands."""
    named = [room for names in FLOORS for room in names]
    assert sorted(named) == sorted(set(map(room_of, files())))
    assert FLOORS[-1] == (rooms.TOP,)


@pytest.mark.parametrize("file", HERE)
def test_each_file_imports_from_lower_floors_or_its_own_room(file: str) -> None:
    missing = {one.target for one in imports_of(file)} - set(files())
    assert missing == set(), f"{file} imports what is not there"
    here = room_of(file)
    wrong = [
        one
        for one in imports_of(file)
        if not is_exempt(one)
        and room_of(one.target) != here
        and floor_of(room_of(one.target)) >= floor_of(here)
    ]
    assert wrong == []


def test_no_files_import_each_other_in_a_circle() -> None:
    arrows = [
        (one.file, one.target) for file in files() for one in imports_of(file) if not is_exempt(one)
    ]
    assert circles(arrows) == []


def test_the_exemption_is_used() -> None:
    upward = [one for one in imports_of("errors.py") if room_of(one.target) != "errors"]
    assert upward
    assert all(map(is_exempt, upward))


def loads_by_name(file: str) -> bool:
    """Whether a file mentions what imports a module of a given name."""
    tree = ast.parse((PACKAGE / file).read_text("utf-8"))
    names = {
        node.id if isinstance(node, ast.Name) else node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Name | ast.Attribute)
    }
    return bool(names & {"__import__", "import_module"})


def test_only_the_loaders_load_a_module_by_its_name() -> None:
    """What `import_module` is given is no import that a reader, or these tests, can see."""
    assert set(filter(loads_by_name, files())) == LAZY


@pytest.mark.parametrize("file", [file for file in files() if room_of(file) == rooms.TOP])
def test_the_room_on_top_knows_public_names_alone(file: str) -> None:
    for one in imports_of(file):
        if room_of(one.target) == rooms.TOP:
            continue
        module = rooms.name_of(one.target)
        assert module in PUBLIC
        assert one.name is None or one.name in importlib.import_module(module).__all__


def test_the_codec_knows_no_model() -> None:
    codec = [one for file in files() if room_of(file) == "codec" for one in imports_of(file)]
    assert {room_of(one.target) for one in codec} == {"codec", "errors"}


def test_imports_are_found() -> None:
    """The test of the test: each form an import can have, and each place."""
    known = ["__init__.py", "sse.py", "codec/__init__.py", "codec/json.py", "codec/once.py"]
    source = """
import msgspec, gemwire.codec.json
from . import json as j
from .once import memo
from ..sse import DONE
from .. import sse
from msgspec import json
if TYPE_CHECKING:
    from gemwire import Assembler
else:
    from gemwire.codec import once
if True:
    from ..gone import name
class A:
    def f(self):
        from ..codec import encode
        if typing.TYPE_CHECKING:
            import gemwire
"""
    found = rooms._imports("codec/lenient.py", ast.parse(source), known)
    assert [one[1:] for one in found] == [
        ("codec/json.py", None, "load"),
        ("codec/json.py", None, "load"),
        ("codec/once.py", "memo", "load"),
        ("sse.py", "DONE", "load"),
        ("sse.py", None, "load"),
        ("__init__.py", "Assembler", "types"),
        ("codec/once.py", None, "load"),
        ("gone.py", "name", "load"),
        ("codec/__init__.py", "encode", "late"),
        ("__init__.py", None, "types"),
    ]


def test_circles_are_found() -> None:
    assert circles([("a", "b"), ("b", "c"), ("c", "d")]) == []
    assert circles([("a", "a")]) == [["a"]]
    arrows = [("a", "b"), ("b", "c"), ("c", "a"), ("c", "d"), ("d", "e"), ("e", "d"), ("f", "a")]
    assert circles(arrows) == [["a", "b", "c"], ["d", "e"]]


# ---- state is composed, never inherited


def classes_of(module: ModuleType) -> Iterator[type]:
    for value in vars(module).values():
        if inspect.isclass(value) and value.__module__ == module.__name__:
            yield value


def full_name(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"


def test_state_is_composed_and_never_inherited() -> None:
    modules = [rooms.name_of(file) for file in files() if room_of(file) in STATEFUL]
    inherited = {
        (full_name(cls), full_name(base))
        for module in modules
        for cls in classes_of(importlib.import_module(module))
        for base in cls.__bases__
        if base.__module__ in modules
    }
    assert inherited == BASES


# ---- what is public


def types_given(cls: Any) -> Iterator[tuple[str, ast.expr]]:
    """The annotations of what a public function or class gives, with the file they stand in."""
    file = rooms.find(cls).file
    tree = ast.parse((PACKAGE / file).read_text("utf-8"))
    for node in tree.body:
        if getattr(node, "name", None) != cls:
            continue
        for inner in [node, *node.body] if isinstance(node, ast.ClassDef) else [node]:
            if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef):
                if inner.returns is not None and not re.match(r"_(?!_enter|_aenter)", inner.name):
                    yield file, inner.returns
            elif isinstance(inner, ast.AnnAssign) and not ast.unparse(inner.target).startswith("_"):
                yield file, inner.annotation


@functools.cache
def aliases_for_the_checker(file: str) -> set[str]:
    """What is a class when the file runs, and another type for the type checker."""
    return {
        ast.unparse(inner.target)
        for node in ast.parse((PACKAGE / file).read_text("utf-8")).body
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for inner in node.body
        if isinstance(inner, ast.AnnAssign)
    }


def named_in(file: str, annotation: ast.expr) -> set[str]:
    """The classes of gemwire that an annotation of a file names, as the type checker sees it."""
    found = set()
    for node in ast.walk(annotation):
        if not isinstance(node, ast.Name) or node.id in aliases_for_the_checker(file):
            continue
        module = importlib.import_module(rooms.name_of(file))
        taken = [one.target for one in imports_of(file) if one.name == node.id]
        for where in [module, *map(importlib.import_module, map(rooms.name_of, taken))]:
            value = getattr(where, node.id, None)
            if inspect.isclass(value) and value.__module__.startswith("gemwire."):
                found.add(node.id)
    return found


@pytest.mark.parametrize("name", sorted(gemwire.__all__))
def test_the_types_that_a_public_name_gives_have_public_names(name: str) -> None:
    public = {name for module in PUBLIC for name in importlib.import_module(module).__all__}
    named = set()
    if rooms.find(name).file != "__init__.py":
        for file, annotation in types_given(name):
            named |= named_in(file, annotation)
    assert {one for one in named if not one.startswith("_")} - public == set()
    assert {one for one in named if one.startswith("_")} == set()


def test_the_page_of_public_names_has_exactly_those() -> None:
    listed = re.findall(r"^- \[`(\w+)`\]", rooms.API.read_text("utf-8"), re.MULTILINE)
    assert sorted(listed) == sorted(gemwire.__all__)


def test_the_page_of_public_names_is_fresh() -> None:
    stale = "run `python -m tests.rooms`"
    assert rooms.API.read_text("utf-8") == rooms.render_api(), stale


def test_each_public_name_is_loaded_from_where_the_checker_sees_it() -> None:
    """The names stand there twice: for the run, and for the type checker."""
    for name in gemwire.__all__:
        value, module = getattr(gemwire, name), rooms.name_of(rooms.find(name).file)
        if isinstance(value, ModuleType):
            assert value.__name__ == module
        elif module != "gemwire":
            assert getattr(importlib.import_module(module), name) is value


def test_each_public_name_says_what_it_is() -> None:
    assert [name for name in gemwire.__all__ if not rooms.find(name).summary] == []


# ---- files


@pytest.mark.parametrize("file", [file for file in files() if not rooms.is_generated(file)])
def test_no_file_is_long(file: str) -> None:
    assert len((PACKAGE / file).read_text("utf-8").splitlines()) <= MAX_LINES


def test_what_is_generated_is_known() -> None:
    """So that nobody evades the limit by the words of a docstring."""
    generated = {file for file in files() if rooms.is_generated(file)}
    assert {file for file in generated if room_of(file) != "models"} == {"operations/generated.py"}
    assert "models/views.py" not in generated


# ---- dependencies


def foreign_imports() -> set[str]:
    """The packages that the files import, beside gemwire and the standard library."""
    found = set()
    for file in files():
        for node in ast.walk(ast.parse((PACKAGE / file).read_text("utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
                found.add(node.module.split(".")[0])
    return found - sys.stdlib_module_names - {"gemwire"}


def declared(requirements: list[str]) -> set[str]:
    """The packages that requirements name, in the spelling that an import has."""
    names = {re.split(r"[^\w.-]", requirement)[0] for requirement in requirements}
    return {name.replace("-", "_").lower() for name in names} - {"gemwire"}


def test_each_dependency_is_imported_and_each_import_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    hard = declared(project["dependencies"])
    extras = {
        name
        for extra, requirements in project["optional-dependencies"].items()
        if extra not in TOOLS
        for name in declared(requirements)
    }
    assert hard == {"msgspec"}
    assert hard | extras == foreign_imports()


# ---- pages


def test_the_page_of_the_rooms_is_fresh() -> None:
    stale = "run `python -m tests.rooms`"
    assert rooms.ARCHITECTURE.read_text("utf-8") == rooms.architecture(), stale


def test_the_page_of_the_rooms_has_a_row_for_each() -> None:
    """The table of what a room is for is written by hand."""
    page = rooms.ARCHITECTURE.read_text("utf-8")
    rows = re.findall(r"^\| (\d+) \| `([\w./]+)` \|", page, re.MULTILINE)
    ends = re.compile(r"/__init__\.py$|\.py$|/$")
    written = {(int(floor), ends.sub("", room)) for floor, room in rows}
    assert written == {(floor, room) for floor, names in enumerate(FLOORS, 1) for room in names}


PAGES = [ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def test_each_page_is_in_the_index() -> None:
    docs = ROOT / "docs"
    for index, pages in [
        (docs / "README.md", {*docs.glob("*.md"), docs / "decisions" / "README.md"}),
        (docs / "decisions" / "README.md", set((docs / "decisions").glob("*.md"))),
    ]:
        links = re.findall(r"\]\(([^)#]+)\)", index.read_text("utf-8"))
        linked = {(index.parent / link).resolve() for link in links if "://" not in link}
        linked |= {path / "README.md" for path in linked if path.is_dir()}
        assert pages - {index} - linked == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_each_link_leads_somewhere(page: Any) -> None:
    links = re.findall(r"\]\(([^)#]+)\)", page.read_text("utf-8"))
    missing = [
        link for link in links if "://" not in link and not (page.parent / link).resolve().exists()
    ]
    assert missing == []


def test_each_make_target_that_the_pages_name_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = {
        target
        for page in PAGES
        for target in re.findall(r"`make ([a-z-]+)", page.read_text("utf-8"))
    }
    assert named <= targets
