"""The generated models are complete: each has a decoder, a docstring and the tables' attention."""

from __future__ import annotations

import ast
import inspect
import json
import subprocess
import sys
from pathlib import Path
from types import GenericAlias
from typing import Any, ClassVar, get_args, get_origin, get_type_hints

import msgspec
import pytest

import gemwire
from gemwire import decode, encode, warm_up
from gemwire import models as m
from gemwire.codec.once import decoder
from gemwire.codec.schema import fields, shape
from gemwire.codec.structs import STRICT, WireStruct
from gemwire.wire.events import EVENT_DECODERS
from tests.strategies import EVENTS, STRUCTS, UNIONS

PACKAGE = Path(m.__file__).parent
MODULES = [path for path in sorted(PACKAGE.glob("*.py")) if path.name != "tables.py"]


@pytest.mark.parametrize("cls", STRUCTS.values(), ids=STRUCTS)
def test_decoder_can_be_built(cls: type[WireStruct]) -> None:
    assert isinstance(decoder(cls), msgspec.json.Decoder)


@pytest.mark.parametrize("cls", STRUCTS.values(), ids=STRUCTS)
def test_model_is_frozen_keyword_only_and_out_of_gc(cls: type[WireStruct]) -> None:
    config = cls.__struct_config__
    assert config.frozen
    assert config.forbid_unknown_fields
    assert not config.gc
    signature = inspect.signature(cls)
    kinds = {parameter.kind for parameter in signature.parameters.values()}
    assert kinds == {inspect.Parameter.KEYWORD_ONLY}


@pytest.mark.parametrize("cls", STRUCTS.values(), ids=STRUCTS)
def test_tag_can_be_read_on_the_class_and_narrows(cls: type[WireStruct]) -> None:
    config = cls.__struct_config__
    if config.tag_field is None:
        return
    assert config.tag_field in ("type", "event_type")
    assert getattr(cls, config.tag_field) == config.tag
    hint = get_type_hints(cls)[config.tag_field]
    assert get_origin(hint) is ClassVar
    assert get_args(get_args(hint)[0]) == (config.tag,)
    assert config.tag_field not in cls.__struct_fields__


@pytest.mark.parametrize("cls", STRUCTS.values(), ids=STRUCTS)
def test_absent_members_are_unset_and_not_encoded(cls: type[WireStruct]) -> None:
    required = {name for name, field in fields(cls).items() if field.required}
    if required - STRICT.get(cls, frozenset()):
        with pytest.raises(TypeError):
            cls()
        return
    config = cls.__struct_config__
    tag = {} if config.tag_field is None else {config.tag_field: config.tag}
    assert msgspec.json.decode(encode(cls())) == tag
    assert decode(encode(cls()), cls, strict=True) == cls()


# ---- documentation


def undocumented(tree: ast.Module) -> list[str]:
    """The public classes, members and aliases without a docstring right below them."""
    missing: list[str] = []

    def has_text(node: ast.stmt | None) -> bool:
        return (
            isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Constant)
            and isinstance(node.value.value, str)
            and len(node.value.value.strip()) > 3
        )

    def look(body: list[ast.stmt], prefix: str) -> None:
        for node, after in zip(body, [*body[1:], None], strict=True):
            if isinstance(node, ast.ClassDef):
                if not ast.get_docstring(node):
                    missing.append(prefix + node.name)
                look(node.body, f"{prefix}{node.name}.")
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                tag = "ClassVar" in ast.unparse(node.annotation)
                if not tag and not has_text(after):
                    missing.append(prefix + node.target.id)
            elif isinstance(node, ast.If):
                look(node.body, prefix)

    look(tree.body, "")
    return missing


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_everything_has_a_docstring(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    assert ast.get_docstring(tree)
    assert undocumented(tree) == []


def test_docstrings_are_found_missing() -> None:
    """The test of the test."""
    documented = 'class A:\n    x: int\n    """about x"""\nC: int = 1\n"""about C"""\n'
    source = documented.replace("C:", "    y: int\nB: str = ''\nC:")
    assert undocumented(ast.parse(source)) == ["A", "A.y", "B"]


# ---- the tables


def test_unions_table_is_complete() -> None:
    """Each `Unknown…` class is the unknown member of the union of its name, and of no other."""
    for name, (union, cls) in UNIONS.items():
        assert cls.__name__ == f"Unknown{name}"
        assert shape(union).unknown is cls
        assert {*get_args(union)} == {*shape(union).structs.values(), cls}
        tags = [(s.__struct_config__.tag_field, s.__struct_config__.tag) for s in get_args(union)]
        assert len({field for field, _ in tags}) == 1
        assert len({tag for _, tag in tags}) == len(tags)
    assert len({cls for _, cls in UNIONS.values()}) == len(UNIONS)


@pytest.mark.parametrize("name", UNIONS)
def test_unions_are_the_same_for_isinstance_and_for_the_decoder(name: str) -> None:
    union, unknown = UNIONS[name]
    tag = shape(union).tag_field
    sent = [{tag: "hologram"}, {tag: "__unknown__", "json": "YQ=="}]
    found: list[Any] = decode(json.dumps(sent), GenericAlias(list, (union,)))
    assert [type(one) for one in found] == [unknown, unknown]
    assert all(isinstance(one, union) for one in found)
    assert isinstance(decoder(union), msgspec.json.Decoder)


def test_events_table_is_complete() -> None:
    assert shape(m.InteractionSseEvent).structs | shape(m.LegacySseEvent).structs == EVENTS


def test_strict_members_exist_and_are_optional() -> None:
    for cls, names in STRICT.items():
        defaults = {field.encode_name: field.default for field in msgspec.structs.fields(cls)}
        assert {defaults[name] for name in names} == {msgspec.UNSET}


def test_warm_up_builds_the_decoders() -> None:
    """Those of today's generation; what the legacy one needs is loaded with its first event."""
    warm_up()
    assert {*shape(m.InteractionSseEvent).structs, None} <= EVENT_DECODERS.keys()
    warm_up()  # twice does no harm


# ---- names


def test_models_are_importable_by_name() -> None:
    assert sorted(set(m.__all__)) == sorted(m.__all__)
    for name in m.__all__:
        value = getattr(m, name)
        assert value is not None
        if isinstance(value, type) and name == value.__name__:
            assert value.__module__.startswith("gemwire.models")
    assert {name for name in STRUCTS if not name.startswith("_")} <= set(m.__all__)


# fmt: off
REFERENCE = [
    "Interaction", "StepStart", "StepDelta", "StepStop", "InteractionCreatedEvent",
    "InteractionCompletedEvent", "InteractionStatusUpdate", "ErrorEvent",
    "InteractionSseEvent", "Step", "StepDeltaData", "Content", "Annotation", "Tool",
    "ModelOutputStep", "UserInputStep", "ThoughtStep", "FunctionCallStep",
    "FunctionResultStep", "McpServerToolCallStep", "UrlContextCallStep",
    "GoogleSearchResultStep", "CodeExecutionCallStep", "TextDelta", "ArgumentsDelta",
    "ThoughtSignatureDelta", "ThoughtSummaryDelta", "TextAnnotationDelta", "TextContent",
    "ImageContent", "AudioContent", "VideoContent", "DocumentContent", "UrlCitation",
    "FileCitation", "PlaceCitation", "WordInfo", "Usage", "ModalityTokens",
    "CreateModelInteraction", "CreateAgentInteraction", "GenerationConfig", "Function",
    "McpServer", "UnknownStep", "UnknownContent", "UnknownStepDeltaData", "UnknownAnnotation",
    "UnknownTool", "UnknownInteractionSseEvent",
]
# fmt: on


@pytest.mark.parametrize("name", REFERENCE)
def test_names_of_the_reference(name: str) -> None:
    assert name in m.__all__


def test_public_names_resolve() -> None:
    for name in gemwire.__all__:
        assert getattr(gemwire, name) is not None
    assert set(gemwire.__all__) <= set(dir(gemwire))
    assert len(set(gemwire.__all__)) == len(gemwire.__all__)
    with pytest.raises(AttributeError, match="no_such_name"):
        getattr(gemwire, "no_such_name")  # noqa: B009


def test_public_names_are_those_the_type_checker_sees() -> None:
    assert gemwire.__file__ is not None
    tree = ast.parse(Path(gemwire.__file__).read_text("utf-8"))
    seen: dict[str, str] = {}
    for node in tree.body:
        inner = node.body if isinstance(node, ast.If) else [node]
        for statement in inner:
            if isinstance(statement, ast.ImportFrom) and statement.module != "__future__":
                for alias in statement.names:
                    if alias.asname is not None:
                        assert alias.asname == alias.name
                        seen[alias.name] = statement.module or ""
    assert set(seen) == set(gemwire.__all__)
    modules: dict[str, Any] = gemwire._MODULE_OF
    whole = dict.fromkeys(gemwire._MODULES, "")
    assert {name: module for name, module in seen.items() if module != "msgspec"} == modules | whole


def test_star_import() -> None:
    command = "from gemwire import *; decode_event(b'{}'); from gemwire.models import *; Usage()"
    subprocess.run([sys.executable, "-W", "error", "-c", command], check=True)
