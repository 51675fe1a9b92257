"""From the plain document to the source of the package of its models.

datamodel-code-generator maps the schemas to types and renders them with our templates; arrange.py
orders them and opens the unions; what is left here are headers, the properties that read a model,
the tables and the list of names.
"""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import datamodel_code_generator as dcg
import yaml
from datamodel_code_generator.enums import DataModelType
from datamodel_code_generator.format import PythonVersion
from datamodel_code_generator.parser import LiteralType

from .arrange import arrange, events, names_in, printable, unions
from .config import Config
from .document import REF, Schema, Schemas, refers_to, schemas_of
from .modules import module_of_each, reached, refs
from .names import member_name
from .notes import Notes, pointer, too_long

__all__ = ["generate"]

TEMPLATES: Final = Path(__file__).parent / "templates"

HEADER = '''\
"""{title}

{head}
"""

from __future__ import annotations
'''

MODULE = """
{imports}
{sequence}
__all__ = [{names}]

{models}

{registry}
"""

INDENT = " " * 8
METHOD = '''

    def {name}(self) -> {type}:
        """{doc}"""
        return views.{name}(self)
'''

PROPERTY = METHOD.replace("    def", "    @property\n    def", 1)

PAGE = '''

    def __iter__(self) -> Iterator[{item}]:
        """What is on this page, in order."""
        return iter(self.{member} or ())

    def __len__(self) -> int:
        """How much is on this page."""
        return len(self.{member} or ())
'''

SEQUENCE = """
if TYPE_CHECKING:
    from collections.abc import Sequence
else:
    Sequence = list  # what is decoded is a list; what is sent may be any sequence
"""

INIT = """
from .{main} import *

__all__ = [{names}]
"""

LAZY_INIT = """
from importlib import import_module
from typing import TYPE_CHECKING, Any

from .{main} import *
from .tables import MODULES

if TYPE_CHECKING:
{imports}

__all__ = [{names}]


def __getattr__(name: str) -> Any:
    if name not in MODULES:
        raise AttributeError(f"module {{__name__!r}} has no attribute {{name!r}}")
    value = getattr(import_module(f".{{MODULES[name]}}", __name__), name)
    globals()[name] = value  # so that it is looked up once
    return value


def __dir__() -> list[str]:
    return sorted({{*globals(), *__all__}})
"""

TABLES = '''
from typing import Final

EVENTS: Final[dict[str, str]] = {{{events}}}
"""The Struct for each event name (`event_type`, and the SSE `event` field)."""

MODULES: Final[dict[str, str]] = {{{modules}}}
"""Where the models are that are loaded only when somebody asks for them."""
'''

# Where the names in the generated modules come from, but for those of each other.
STANDARD = {
    "collections.abc": ("Iterator",),
    "typing": ("TYPE_CHECKING", "Annotated", "Any", "ClassVar", "Literal", "TypeAlias"),
    "msgspec": ("UNSET", "Meta", "UnsetType"),
}
STRUCTS = ("FREE", "STRICT", "Int64", "Shapes", "Unknown", "WireStruct", "as_int64")


def python_names(schemas: Schemas, notes: Notes) -> dict[str, dict[str, str]]:
    """For each schema, the members that are called otherwise in Python."""
    found: dict[str, dict[str, str]] = {}
    for name, schema in schemas.items():
        taken: set[str] = set()
        properties = schema.get("properties", {})
        # The tag first: it is called the same in all objects of a union.
        for member in sorted(properties, key=lambda each: "const" not in properties[each]):
            new = member_name(member, taken | schemas.keys())
            taken.add(new)
            if new != member:
                found.setdefault(name, {})[member] = new
                place = pointer("components", "schemas", name, "properties", member)
                notes.add("renamed", place, f"`{member}` → `{new}`")
    return found


def prepare(schemas: Schemas, names: Mapping[str, Mapping[str, str]]) -> Schema:
    """The document as datamodel-code-generator shall see it: names that Python takes, texts that
    can stand in a docstring, and a 64-bit integer, a string on the wire, as a type of its own.
    """

    def replaced(node: Any) -> Any:
        if isinstance(node, list):
            return [replaced(item) for item in node]
        if not isinstance(node, dict):
            return node
        if node.get("type") == "string" and node.get("format") == "int64":
            return {"$ref": REF + "Int64", "description": _docstring(node.get("description", ""))}
        found = {k: replaced(v) for k, v in node.items() if k != "readOnly" and k != "writeOnly"}
        if isinstance(node.get("description"), str):
            found["description"] = _docstring(node["description"])
        return found

    prepared: Schemas = {}
    for name, schema in schemas.items():
        prepared[name] = replaced({k: v for k, v in schema.items() if k != "properties"})
        if "properties" in schema:
            called = names.get(name, {})
            members = {called.get(m, m): replaced(v) for m, v in schema["properties"].items()}
            required = [called.get(member, member) for member in schema.get("required", ())]
            prepared[name] |= {"properties": members, "required": required}
        if "discriminator" in schema:
            tag = prepared[name]["discriminator"]
            tag["propertyName"] = member_name(tag["propertyName"], schemas.keys())
    prepared["Int64"] = {"type": "string"}
    info = {"title": "", "version": ""}
    return {"openapi": "3.1.0", "info": info, "paths": {}, "components": {"schemas": prepared}}


def _docstring(text: str) -> str:
    """The text as it can stand between three quotes; its backslashes are the renderer's."""
    text = printable(text)
    return text + "." if text.endswith('"') else text


def render(document: Schema) -> str:
    """Let datamodel-code-generator write all schemas of the document as one unordered module."""
    result = dcg.generate(
        yaml.safe_dump(document, sort_keys=False),
        input_file_type=dcg.InputFileType.OpenAPI,
        output_model_type=DataModelType.MsgspecStruct,
        target_python_version=PythonVersion.PY_311,
        custom_template_dir=TEMPLATES,
        base_class="gemwire.codec.structs.WireStruct",
        enum_field_as_literal=LiteralType.All,
        use_msgspec_tagged_unions=True,
        use_union_operator=True,
        use_standard_collections=True,
        use_schema_description=True,
        use_field_description=True,
        field_constraints=True,
        keyword_only=True,
        custom_class_name_generator=str,
        disable_timestamp=True,
        formatters=[],
    )
    assert isinstance(result, str)
    return result


def _with_wire_names(source: str, schema: Schema, called: Mapping[str, str]) -> str:
    """A class whose members are called otherwise than on the wire: its head says how."""
    tag = next((m for m, keywords in schema["properties"].items() if "const" in keywords), "")
    if tag in called:
        source = source.replace(f'tag_field="{called[tag]}"', f'tag_field="{tag}"', 1)
    renamed = {new: old for old, new in called.items() if old != tag}
    rename = ", ".join(f"{new!r}: {old!r}" for new, old in renamed.items())
    heads = (f"kw_only=True, rename={{{rename}}}", "kw_only=True")
    return source.replace(heads[1], heads[0], 1) if rename else source


def _readers(types: Mapping[str, str], views: str, form: str = PROPERTY) -> str:
    """The source of properties or methods, from their types and the functions they call."""
    docs = {
        node.name: ast.get_docstring(node)
        for node in ast.parse(views).body
        if isinstance(node, ast.FunctionDef)
    }
    found = ""
    for name, type_ in types.items():
        doc = docs.get(name)
        if not doc:
            raise ValueError(f"views has no documented function {name}")
        paragraphs = [textwrap.wrap(paragraph, 90) for paragraph in doc.split("\n\n")]
        text = ("\n\n" + INDENT).join(("\n" + INDENT).join(lines) for lines in paragraphs)
        if "\n" in text:
            text += "\n" + INDENT
        found += form.format(name=name, type=type_, doc=text)
    return found


def _page(schema: Schema) -> str:
    """The methods of a page of a list, which has one array and the token of the next page."""
    members = schema.get("properties", {})
    arrays = [name for name, member in members.items() if member.get("type") == "array"]
    if "next_page_token" not in members or len(arrays) != 1:
        return ""
    item = refers_to(members[arrays[0]]["items"])
    return PAGE.format(item=item, member=arrays[0])


def only_sent(document: Schema) -> set[str]:
    """The bodies of requests, with all schemas in them that are in no answer and no event."""
    requests: set[str] = set()
    answers: set[str] = set()
    for item in document["paths"].values():
        for operation in item.values():
            requests |= refs(operation.get("requestBody", {}))
            answers |= refs(operation["responses"])
    schemas = schemas_of(document)
    return (requests - answers) | (reached(schemas, requests) - reached(schemas, answers))


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _registry(schemas: Schemas, names: list[str]) -> str:
    """What a module adds to the tables of gemwire.codec.structs."""
    strict: dict[str, list[str]] = {}
    for name in names:
        for member, keywords in schemas[name].get("properties", {}).items():
            if keywords.get("x-strict"):
                strict.setdefault(name, []).append(member)
    tables = {
        "STRICT": [f"{n}: frozenset({{{_quoted(members)}}})" for n, members in strict.items()],
        "FREE": [
            n
            for n in names
            if schemas[n].get("properties") and schemas[n].get("additionalProperties")
        ],
    }
    return "\n".join(
        f"{table}.update({{{', '.join(entries)}}})" for table, entries in tables.items() if entries
    )


def _imports(used: set[str], own: str, module_of: Mapping[str, str], runtime: str) -> str:
    """The import lines for the names that a module uses and does not define."""
    known = {**STANDARD, f"{runtime}.codec.structs": STRUCTS, ".": ("views",)}
    sources = {source: [n for n in names if n in used] for source, names in known.items()}
    for name in sorted(used & module_of.keys()):
        if module_of[name] != own:
            sources.setdefault("." + module_of[name], []).append(name)
    lines = {s: f"from {s} import {', '.join(names)}" for s, names in sources.items() if names}
    # The standard library, then what is installed, then our own: what the linter expects.
    standard = ["collections.abc", "typing"]
    own_lines = [source for source in lines if source.startswith(".")]
    installed = sorted(lines.keys() - {*standard, *own_lines})
    groups = (standard, installed, own_lines)
    found = ("\n".join(lines[s] for s in group if s in lines) for group in groups)
    return "\n\n".join(filter(None, found))


def _check_members(name: str, source: str, schema: Schema, called: Mapping[str, str]) -> None:
    """No member may get lost between the document and the class."""
    (node,) = ast.parse(source).body
    assert isinstance(node, ast.ClassDef)
    written = {
        n.target.id
        for n in node.body
        if isinstance(n, ast.AnnAssign) and isinstance(n.target, ast.Name)
    }
    wanted = {called.get(member, member) for member in schema["properties"]}
    if written != wanted:
        raise AssertionError(f"{name}: {sorted(written ^ wanted)} are written otherwise")


def generate(document: Schema, config: Config, notes: Notes) -> dict[str, str]:
    """File name → source (not yet formatted) of the package of the models."""
    schemas = schemas_of(document)
    called = python_names(schemas, notes)
    try:
        models = arrange(render(prepare(schemas, called)), schemas, only_sent(document))
    except RecursionError:
        raise too_long() from None
    for name, schema in schemas.items():
        if "properties" in schema:
            _check_members(name, models[name], schema, called.get(name, {}))
    for name in called:
        models[name] = _with_wire_names(models[name], schemas[name], called[name])
    for name in models:
        models[name] += _page(schemas[name])
    views = config.views.read_text("utf-8") if config.views else ""
    for types, form in ((config.properties, PROPERTY), (config.methods, METHOD)):
        for name in types.keys() & models.keys():
            models[name] += _readers(types[name], views, form)
    module_of = module_of_each(document, config)
    modules: dict[str, list[str]] = {config.main: []}
    for name in models:
        modules.setdefault(module_of[name], []).append(name)
    module_of |= {f"Unknown{name}": module_of[name] for name in unions(schemas)}

    def header(title: str) -> str:
        return HEADER.format(title=title, head=config.head)

    files: dict[str, str] = {}
    for module, names in modules.items():
        source = "\n\n".join(models[name] for name in names)
        registry = _registry(schemas, names)
        used = names_in(source + "\n" + registry)
        needs_sequence = "Sequence" in used
        used |= {"TYPE_CHECKING"} if needs_sequence else set()
        title = f"The {module} resource: requests and answers."
        title = config.titles.get(module, "The models." if module == config.main else title)
        files[f"{module}.py"] = header(title) + MODULE.format(
            imports=_imports(used, module, module_of, config.runtime),
            sequence=SEQUENCE if needs_sequence else "",
            names=_quoted(sorted(name for name, home in module_of.items() if home == module)),
            models=source,
            registry=registry,
        )
    others = sorted(modules.keys() - {config.main})
    sockets = [name for names in config.roots.values() for name in names]
    lazy = sorted(name for name, module in module_of.items() if module in others)
    files["__init__.py"] = header(
        "Every model of the wire, by the name the API reference gives it."
    ) + (LAZY_INIT if others else INIT).format(
        main=config.main,
        imports="\n".join(f"    from .{m} import *" for m in others),
        names=_quoted(sorted(module_of)),
    )
    files["tables.py"] = header("What the codec looks up by name.") + TABLES.format(
        events=", ".join(
            f'{event!r}: "{name}"' for event, name in events(document, sockets).items()
        ),
        modules=", ".join(f'"{name}": "{module_of[name]}"' for name in lazy),
    )
    return files
