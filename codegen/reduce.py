"""`python -m codegen.reduce FILE` prints what a publication says of the wire, and nothing else.

Its prose, examples and hints for generators are left out, and everything that has no order of its
own stands in the order of its names, so that the difference of two publications can be read. What
is reduced is an OpenAPI document again, and reduces to itself.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from .document import METHODS, Schema, read
from .notes import Refused

__all__ = ["reduced", "written"]

WIDTH: Final = 100

# In a schema; the first ones stand first.
SCHEMA_WORDS: Final = """
    $ref type format const enum nullable required properties additionalProperties items
    allOf oneOf anyOf not discriminator deprecated readOnly writeOnly
    minimum maximum exclusiveMinimum exclusiveMaximum multipleOf minLength maxLength pattern
    minItems maxItems uniqueItems minProperties maxProperties
    $anchor $defs $dynamicRef contains dependentRequired dependentSchemas if then else
    patternProperties prefixItems propertyNames unevaluatedItems unevaluatedProperties
    """.split()  # noqa: SIM905
PARAMETER_WORDS: Final = (
    *("$ref", "name", "in", "required", "deprecated", "style", "explode", "schema"),
    "x-speakeasy-param-encoding-override",  # whether the slashes of a path in a path stay
)
BY_NAME: Final = ("properties", "$defs", "dependentSchemas", "patternProperties")
UNORDERED: Final = ("required", "type")


def reduced(document: Schema) -> Schema:
    """The facts of a document, in an order that does not depend on its own."""
    components = document.get("components") or {}
    parts: Schema = {
        "schemas": {n: _schema(s) for n, s in _sorted(components.get("schemas"))},
        "parameters": {n: _parameter(p) for n, p in _sorted(components.get("parameters"))},
        "headers": {n: _parameter(h) for n, h in _sorted(components.get("headers"))},
        "responses": {n: _answer(a) for n, a in _sorted(components.get("responses"))},
        "requestBodies": {n: _body(b) for n, b in _sorted(components.get("requestBodies"))},
    }
    info = document.get("info") or {}
    return {
        "openapi": document["openapi"],
        "info": {"title": info.get("title", ""), "version": info.get("version", "")},
        "paths": {path: _path(item) for path, item in _sorted(document.get("paths"))},
        "components": {kind: found for kind, found in parts.items() if found},
    }


def _sorted(given: Mapping[str, Any] | None) -> list[tuple[str, Any]]:
    return sorted((given or {}).items())


def _path(item: Schema) -> Schema:
    found: Schema = {}
    if item.get("parameters"):
        found["parameters"] = _parameters(item["parameters"])
    return found | {m: _operation(item[m]) for m in METHODS if m in item}


def _operation(given: Schema) -> Schema:
    found: Schema = {k: given[k] for k in ("operationId", "deprecated") if k in given}
    if given.get("parameters"):
        found["parameters"] = _parameters(given["parameters"])
    if "requestBody" in given:
        found["requestBody"] = _body(given["requestBody"])
    found["responses"] = {str(s): _answer(a) for s, a in _sorted(given.get("responses"))}
    return found


def _parameters(given: list[Schema]) -> list[Schema]:
    return sorted(map(_parameter, given), key=lambda p: (p.get("in", ""), _text(p)))


def _parameter(given: Schema) -> Schema:
    found = {word: given[word] for word in PARAMETER_WORDS if word in given}
    return found | ({"schema": _schema(given["schema"])} if "schema" in given else {})


def _body(given: Schema) -> Schema:
    found: Schema = {word: given[word] for word in ("$ref", "required") if word in given}
    return found | _content(given)


def _answer(given: Schema) -> Schema:
    found: Schema = {"$ref": given["$ref"]} if "$ref" in given else {}
    if given.get("headers"):
        found["headers"] = {n: _parameter(h) for n, h in _sorted(given["headers"])}
    return found | _content(given)


def _content(given: Schema) -> Schema:
    content = {
        kind: {"schema": _schema(form["schema"])} if "schema" in form else {}
        for kind, form in _sorted(given.get("content"))
    }
    return {"content": content} if content else {}


def _schema(given: Any) -> Any:
    if isinstance(given, list):
        return [_schema(each) for each in given]
    if not isinstance(given, dict):
        return given
    found: Schema = {}
    for word in SCHEMA_WORDS:
        if word not in given:
            continue
        value = given[word]
        if word in BY_NAME and isinstance(value, dict):
            value = {name: _schema(each) for name, each in sorted(value.items())}
        elif word == "discriminator" and isinstance(value, dict):
            value = {k: value[k] for k in ("propertyName", "mapping") if value.get(k)}
            value |= {"mapping": dict(_sorted(value["mapping"]))} if "mapping" in value else {}
        elif word not in ("const", "enum", "required", "discriminator"):
            value = _schema(value)
        if word in UNORDERED and isinstance(value, list):
            value = sorted(value, key=_text)
        found[word] = value
    # The title is the name of what has none.
    has_parts = found.keys() & {"properties", "oneOf", "anyOf", "enum"}
    title = given.get("title")
    return {"title": title, **found} if has_parts and isinstance(title, str) else found


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def written(document: Schema) -> str:
    """A document as JSON: what fits on a line stands on one, the rest one entry a line."""
    return _written(document, 0) + "\n"


def _written(value: Any, depth: int, room: int = 0) -> str:
    line = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, dict | list) or (len(line) + depth + room <= WIDTH and depth > 2):
        return line
    inner = " " * (depth + 1)
    if isinstance(value, dict):
        keys = [json.dumps(key, ensure_ascii=False) + ": " for key in value]
        parts = [
            key + _written(each, depth + 1, len(key) + 1)
            for key, each in zip(keys, value.values(), strict=True)
        ]
        opening, closing = "{", "}"
    else:
        parts = [_written(each, depth + 1, 1) for each in value]
        opening, closing = "[", "]"
    if not parts:
        return opening + closing
    return opening + "".join(f"\n{inner}{p}," for p in parts)[:-1] + f"\n{' ' * depth}{closing}"


def main(argv: list[str] | None = None) -> int:
    """Print the reduced form of one document."""
    parser = argparse.ArgumentParser(prog="python -m codegen.reduce", description=__doc__)
    parser.add_argument("file", type=Path, help="an OpenAPI 3 document, JSON or YAML")
    try:
        document = read(parser.parse_args(argv).file)
    except (Refused, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    sys.stdout.write(written(reduced(document)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
