"""From the paths of the OpenAPI document to the source of `gemwire.operations.generated`.

One function for each operation, in the order of the documents, and the table that all of them
read, which also tells a server what it may be asked.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from typing import Any, NamedTuple

from .arrange import escaped
from .config import Config
from .document import Schema, alternatives, refers_to
from .names import member_name, unused
from .notes import Refused, pointer

HEADER = '''\
"""One function for each operation of the API, each giving a `Request`: what to send, not sent yet.

{head}

{about}
"""

from __future__ import annotations

{imports}

if TYPE_CHECKING:
    from {package} import {models}

__all__ = [{names}]

OPERATIONS: Final[dict[str, Operation]] = {{
{table}
}}
"""All operations by the name of their function."""
'''

FUNCTION = '''

def {name}({parameters}) -> Request[{response}]:
    """{doc}
    """
    return OPERATIONS["{name}"].request({arguments})
'''

ABOUT = (
    "Ids and other parts of the path are positional, everything else is named. A parameter that is "
    "None or UNSET is left out. A body is a model, a mapping (for members that are newer than the "
    "spec) or bytes of JSON; members of models that are None are left out, in bodies that are no "
    "bytes.{parent} All of them raise ValueError for a value that cannot stand in its place, such "
    "as an empty id."
)
ABOUT_PARENT = " `parent`, such as `projects/p/locations/l`, is for Vertex AI."
VERSION_DOC = "Version of the API: `v1beta` or `v1`."
PARENT_DOC = "On Vertex AI: whose resources, as `projects/{project}/locations/{location}`."
BODY_DOC = "A model, a mapping, or the bytes of a JSON object."
TYPES = {
    "string": "str",
    "integer": "int",
    "number": "float",
    "boolean": "bool",
    "array": "Sequence[str]",
}


class Param(NamedTuple):
    """One parameter: its name in Python and on the wire."""

    name: str
    wire: str
    where: str  # path, query or header
    kind: str  # its JSON type
    required: bool
    const: str | None
    slashes: bool
    joined: bool  # several values are one, with commas between them
    doc: str


class Call(NamedTuple):
    """One operation of the document."""

    name: str
    id: str
    method: str
    path: str
    doc: str
    params: list[Param]
    body: list[str]
    body_required: bool
    body_may_be_empty: bool
    response: str | None
    response_header: str | None
    streams: bool

    def at(self, where: str) -> list[Param]:
        """The parameters in the path, the query or the headers, but for the constant ones."""
        return [p for p in self.params if p.where == where and p.const is None]


def snake_case(name: str, dropped: tuple[str, ...] = ()) -> str:
    """`getInteraction` → `get_interaction`."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    for ending in dropped:
        words = words.removesuffix(ending)
    return member_name(words)


def _path_name(path: str, wire: str) -> str:
    """`/triggers/{triggerId}/…` → `trigger_id`: after the collection, as each document calls an id
    by another name.
    """
    collection = path.partition("/{" + wire + "}")[0].rpartition("/")[2]
    if not collection.isidentifier():
        return snake_case(wire)
    return snake_case(collection).removesuffix("s") + "_id"


def _params(path: str, operation: Schema, config: Config) -> Iterator[Param]:
    taken = {"body", "parent"} | ({config.version} if config.version else set())
    for given in operation["parameters"]:
        wire: str = given["name"]
        where, schema = given["in"], given["schema"]
        if wire == config.version:
            continue
        slashes = bool(given.get("x-allow-slashes"))
        name = config.parameters.get(wire) or member_name(wire)
        if where == "path" and not slashes:
            name = _path_name(path, wire)
        name = unused(name, taken)
        taken.add(name)
        yield Param(
            name=name,
            wire=wire,
            where=where,
            kind=schema["type"],
            required=given["required"],
            const=schema.get("const"),
            slashes=slashes,
            joined=bool(given.get("x-joined-with-commas")),
            doc=given["description"],
        )


def _calls(document: Schema, config: Config) -> Iterator[Call]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            answer = operation["responses"]["200"]
            content = answer["content"]
            schema = content.get("application/json", {}).get("schema")
            request = operation.get("requestBody", {})
            body = request.get("content", {}).get("application/json", {}).get("schema", {})
            names = [refers_to(member) for member in alternatives(body) or [body]]
            yield Call(
                name=snake_case(operation["operationId"], config.dropped),
                id=operation["operationId"],
                method=method.upper(),
                path=path,
                doc=operation["summary"],
                params=list(_params(path, operation, config)),
                body=[name for name in names if name],
                body_required=bool(request.get("required")),
                body_may_be_empty=bool(request.get("x-may-be-empty")),
                response=refers_to(schema) if schema else None,
                response_header=next(iter(answer.get("headers", {})), None),
                streams="text/event-stream" in content,
            )


def _entry(call: Call, config: Config) -> str:
    """The line of the table: what differs from the defaults of `Operation`."""
    values: dict[str, Any] = {
        "id": call.id,
        "method": call.method,
        "path": call.path,
        "slashes": tuple(p.wire for p in call.at("path") if p.slashes),
        "query": {p.wire: p.kind for p in call.at("query")},
        "joined": tuple(p.wire for p in call.at("query") if p.joined),
        "headers": {p.wire: p.kind for p in call.at("header")},
        "constants": {p.wire: p.const for p in call.params if p.const is not None},
        "body": tuple(call.body),
        "body_required": call.body_required,
        "body_may_be_empty": call.body_may_be_empty,
        "response": call.response,
        "response_header": call.response_header,
        "streams": call.streams,
        "package": "" if config.package == "gemwire.models" else config.package,
    }
    given = ", ".join(f"{name}={value!r}" for name, value in values.items() if value)
    return f'"{call.name}": Operation({given}),'


def _function(call: Call, config: Config) -> str:
    positional = [f"{p.name}: {TYPES[p.kind]}" for p in call.at("path")]
    documented = [(p.name, p.doc) for p in call.at("path")]
    if call.body:
        body = " | ".join([*call.body, "Mapping[str, Any]", "bytes"])
        needed = call.body_required and not call.body_may_be_empty
        positional.append(f"body: {body}" + ("" if needed else " | None = None"))
        documented.append(("body", BODY_DOC))
    named = []
    for p in [*call.at("header"), *call.at("query")]:
        optional = "" if p.required else " | UnsetType | None = None"
        several = " | Sequence[str]" if p.joined else ""
        named.append(f"{p.name}: {TYPES[p.kind]}{several}{optional}")
        documented.append((p.name, p.doc))
    everywhere = []
    if config.version:
        everywhere.append(config.version)
        named.append(f'{config.version}: str = "{config.version_default}"')
        documented.append((config.version, VERSION_DOC))
    if config.parent:
        everywhere.append("parent")
        named.append("parent: str | UnsetType | None = None")
        documented.append(("parent", PARENT_DOC))

    arguments = [_mapping(call.at("path"))]
    for where, keyword in (("query", "query"), ("header", "headers")):
        if call.at(where):
            arguments.append(f"{keyword}={_mapping(call.at(where))}")
    arguments += ["body=body"] if call.body else []
    arguments += [f"{name}={name}" for name in everywhere]
    slash = ["/"] if positional else []
    star = ["*", *named] if named else []
    return FUNCTION.format(
        name=call.name,
        parameters=", ".join([*positional, *slash, *star, ""]).removeprefix(", "),
        response="str" if call.response_header else call.response or "None",
        doc=_docstring(call.doc, documented),
        arguments=", ".join([*arguments, ""]),
    )


def _mapping(params: list[Param]) -> str:
    return "{" + ", ".join(f'"{p.wire}": {p.name}' for p in params) + "}"


def _docstring(summary: str, documented: list[tuple[str, str]]) -> str:
    lines = textwrap.wrap(summary, 100 - 7, subsequent_indent="    ")
    documented = [(name, doc) for name, doc in documented if doc]
    lines += ["", "    Args:"] if documented else []
    for name, doc in documented:
        lines += textwrap.wrap(
            f"{name}: {doc}", 100, initial_indent=" " * 8, subsequent_indent=" " * 12
        )
    return escaped("\n".join(lines))


def functions(document: Schema, config: Config) -> list[tuple[str, str]]:
    """The operations of the document, each with the name of its function."""
    return [(call.id, call.name) for call in _calls(document, config)]


def generate_operations(document: Schema, config: Config) -> str:
    """The source of the operations, not yet formatted; "" if there are none.

    Raises:
        Refused: two operations have the same name in Python.
    """
    calls = list(_calls(document, config))
    names: dict[str, str] = {}
    for call in calls:
        if call.name in names:
            place = pointer("paths", call.path, call.method.lower(), "operationId")
            what = f"{call.id!r} and {names[call.name]!r} are both `{call.name}` in Python"
            raise Refused(place, what, "Leave one out with `leave_out` in an overlay")
        names[call.name] = call.id
    if not calls:
        return ""
    functions = "".join(_function(call, config) for call in calls)
    models = {name for call in calls for name in [*call.body, call.response] if name}
    head = HEADER.format(
        head=config.head,
        about=textwrap.fill(ABOUT.format(parent=ABOUT_PARENT if config.parent else ""), 100),
        imports=_imports(functions, config),
        package="..models" if config.runtime == "." else ".",
        models=", ".join(sorted(models)),
        names=", ".join(f'"{name}"' for name in ["OPERATIONS", *sorted(names)]),
        table="\n".join(_entry(call, config) for call in calls),
    )
    return (head if models else _without_models(head)) + functions


def _imports(functions: str, config: Config) -> str:
    used = {word: re.search(rf"\b{word}\b", functions) for word in ("Mapping", "Sequence")}
    names = ", ".join(word for word, there in used.items() if there)
    typing = [word for word in ("TYPE_CHECKING", "Any") if word != "Any" or "Any]" in functions]
    standard = [f"from collections.abc import {names}"] if names else []
    standard.append(f"from typing import {', '.join([*typing, 'Final'])}")
    unset = "from msgspec import UnsetType" if "UnsetType" in functions else ""
    runtime = ".request" if config.runtime == "." else f"{config.runtime}.operations.request"
    ours = f"from {runtime} import Operation, Request"
    rest = [unset, ours] if config.runtime == "." else ["\n".join(filter(None, (ours, unset)))]
    return "\n\n".join(filter(None, ["\n".join(standard), *rest]))


def _without_models(head: str) -> str:
    head = re.sub(r"\nif TYPE_CHECKING:\n.*\n", "", head)
    return head.replace("TYPE_CHECKING, ", "")
