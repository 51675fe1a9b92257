"""The operations of a published document in the plain form that the functions are written from.

References to parameters, headers, bodies and answers are resolved, the parameters of a path are
those of each of its operations, an answer that stands under `default` is the answer, and a body
that stands in its place is a schema of its own.
"""

from __future__ import annotations

import re
from typing import Any, Final

from .document import METHODS, REF, Schema, Schemas, alternatives, enum_of, refers_to, schemas_of
from .names import class_name, unused
from .notes import Notes, Refused, pointer

__all__ = ["plain_paths"]

JSON: Final = "application/json"
EVENTS: Final = "text/event-stream"
FURTHER: Final = "Give the document that has it as a further --spec, or `define` it in an overlay"
LEAVE_OUT: Final = "Leave the operation out with `leave_out` in an overlay"
KINDS: Final = ("string", "integer", "number", "boolean")
OURS: Final = ("x-allow-slashes", "x-joined-with-commas")


def plain_paths(document: Schema, notes: Notes) -> Schema:
    """The paths, each operation with `parameters`, `requestBody` and one answer, `200`.

    Bodies and answers that stand in their place are added to the schemas of the document.

    Raises:
        Refused: an operation has no form.
    """
    paths: Schema = {}
    seen: set[str] = set()
    given = sorted(document["paths"].items(), key=lambda entry: "?" in entry[0])
    order = {path.partition("?")[0]: None for path in document["paths"]}
    for path, item in given:
        bare = path.partition("?")[0]
        place = pointer("paths", path)
        item = _resolved(document, item, place)
        for method in METHODS:
            if method not in item:
                continue
            at = f"{place}/{method}"
            if method in paths.get(bare, {}):
                notes.add("left out", at, "the same operation for one kind of body")
                continue
            shared = [_resolved(document, p, place) for p in item.get("parameters", ())]
            found = _Operation(document, notes, at, bare, method, item[method]).plain(shared)
            if found["operationId"] in seen:
                raise Refused(f"{at}/operationId", "two operations have this name", LEAVE_OUT)
            seen.add(found["operationId"])
            paths.setdefault(bare, {})[method] = found
    return {path: paths[path] for path in order if path in paths}


def _resolved(document: Schema, node: Any, place: str) -> Schema:
    """The node that a reference to a component leads to."""
    for _ in range(10):
        if not isinstance(node, dict):
            raise Refused(place, f"no object, but {node!r}", LEAVE_OUT)
        ref = node.get("$ref")
        if ref is None:
            return node
        node = document
        for step in str(ref).removeprefix("#/").split("/"):
            step = step.replace("~1", "/").replace("~0", "~")
            if not isinstance(node, dict) or step not in node:
                raise Refused(place, f"{ref!r} leads nowhere", LEAVE_OUT)
            node = node[step]
    raise Refused(place, "references without an end", LEAVE_OUT)


class _Operation:
    def __init__(
        self, document: Schema, notes: Notes, place: str, path: str, method: str, given: Schema
    ) -> None:
        self.document = document
        self.notes = notes
        self.place = place
        self.path = path
        self.given = given
        self.id: str = str(given.get("operationId") or "")
        if not re.search(r"[^\W\d]", self.id):
            words = re.findall(r"\w+", path)
            self.id = method + "".join(word[:1].upper() + word[1:] for word in words)
            notes.add("named", place, f"`{self.id}`")

    def plain(self, shared: list[Schema]) -> Schema:
        given = self.given
        parameters = {(p.get("in"), p.get("name")): p for p in shared}
        for at, parameter in enumerate(given.get("parameters", ())):
            parameter = _resolved(self.document, parameter, f"{self.place}/parameters/{at}")
            parameters[parameter.get("in"), parameter.get("name")] = parameter
        found: Schema = {
            "operationId": self.id,
            "summary": given.get("summary") or given.get("description") or "",
            "parameters": list(map(self.parameter, parameters.values())),
            "responses": {"200": self.answer()},
        }
        if "requestBody" in given:
            found["requestBody"] = self.body()
        self.check_path({p["name"] for p in found["parameters"] if p["in"] == "path"})
        return found

    def check_path(self, known: set[str]) -> None:
        named = re.findall(r"{([^}]*)}", self.path)
        if set(named) != known or not all(re.fullmatch(r"[^\W\d][\w-]*", name) for name in named):
            text = f"its path has {named}, its parameters in the path are {sorted(known)}"
            raise Refused(self.place, text, LEAVE_OUT)

    # ---- parameters

    def parameter(self, given: Schema) -> Schema:
        name, where = given.get("name"), given.get("in")
        place = f"{self.place}/parameters ({name})"
        if where not in ("path", "query", "header") or not isinstance(name, str):
            raise Refused(place, f"a parameter in {where!r}", LEAVE_OUT)
        schema = self.parameter_type(given.get("schema", {}), place)
        override = given.get("x-speakeasy-param-encoding-override") == "allowReserved"
        slashes = {"x-allow-slashes": True} if override and where == "path" else {}
        return {
            "name": name,
            "in": where,
            "required": where == "path" or bool(given.get("required")),
            "description": given.get("description", ""),
            "schema": schema,
            **slashes,
            **{k: given[k] for k in OURS if k in given},
        }

    def parameter_type(self, schema: Schema, place: str) -> Schema:
        schema = _resolved(self.document, schema, place)
        if "const" in schema and schema.get("type", "string") == "string":
            return {"type": "string", "const": schema["const"]}
        if enum_of(schema) is not None:
            return {"type": "string"}
        parts = [part for part in alternatives(schema) if part.get("type") != "null"]
        if len(parts) == 1:
            return self.parameter_type(parts[0], place)
        kind = schema.get("type")
        if isinstance(kind, list):
            kind = next((each for each in kind if each != "null"), None)
        if kind == "array" and self.parameter_type(schema.get("items", {}), place) == {
            "type": "string"
        }:
            return {"type": "array", "items": {"type": "string"}}
        if kind not in KINDS:
            raise Refused(place, f"no way to send {kind or 'this'}", LEAVE_OUT)
        return {"type": kind}

    # ---- bodies

    def body(self) -> Schema:
        place = f"{self.place}/requestBody"
        body = _resolved(self.document, self.given["requestBody"], place)
        content = body.get("content") or {}
        kind = _json_in(content)
        if kind is None:
            raise Refused(f"{place}/content", f"a body of {', '.join(content)}", LEAVE_OUT)
        for other in content.keys() - {kind}:
            self.notes.add("left out", place + pointer("content", other)[1:], "JSON is sent")
        schema = content[kind].get("schema", {})
        parts = alternatives(schema)
        at = place + pointer("content", kind, "schema")[1:]
        if parts and all(refers_to(part) for part in parts):
            schema = {"oneOf": [self.named(part, "Request", at) for part in parts]}
        else:
            schema = self.named(schema, "Request", at)
        found: Schema = {
            "required": bool(body.get("required")),
            "content": {JSON: {"schema": schema}},
        }
        return {**found, **{k: body[k] for k in ("x-may-be-empty",) if k in body}}

    def answer(self) -> Schema:
        responses = self.given.get("responses") or {}
        status = next((s for s in responses if str(s).startswith("2")), None)
        if status is None and "default" in responses:
            status = "default"
        if status is None:
            raise Refused(
                f"{self.place}/responses", "no answer that is none of an error", LEAVE_OUT
            )
        place = f"{self.place}/responses/{status}"
        answer = _resolved(self.document, responses[status], place)
        content = answer.get("content") or {}
        found: Schema = {}
        kind = _json_in(content)
        if kind is not None and content[kind].get("schema"):
            at = place + pointer("content", kind, "schema")[1:]
            found[JSON] = {"schema": self.named(content[kind]["schema"], "Response", at)}
        if EVENTS in content:
            events = content[EVENTS].get("schema")
            at = place + pointer("content", EVENTS, "schema")[1:]
            found[EVENTS] = {"schema": self.named(events, "Event", at)} if events else {}
        if content and not found:
            raise Refused(f"{place}/content", f"an answer of {', '.join(content)}", LEAVE_OUT)
        headers = answer.get("headers") or {}
        return {"content": found, **({"headers": headers} if headers and not found else {})}

    def named(self, schema: Schema, suffix: str, place: str) -> Schema:
        """A reference to the schema, which gets a name if it has none."""
        schemas: Schemas = schemas_of(self.document)
        if (target := refers_to(schema)) is not None:
            if target not in schemas:
                what = f"{schema['$ref']!r} is no schema of these documents"
                raise Refused(f"{place}/$ref", what, FURTHER)
            return {"$ref": REF + target}
        name = unused(class_name(self.id) + suffix, schemas.keys())
        schemas[name] = schema
        self.notes.add("named", place, f"`{name}`")
        return {"$ref": REF + name}


def _json_in(content: Schema) -> str | None:
    """The JSON among several forms of a body."""
    kinds = [JSON, *(kind for kind in content if kind.endswith("+json")), "*/*"]
    return next((kind for kind in kinds if kind in content), None)
