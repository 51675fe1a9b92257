"""What kind of value stands under each word of an OpenAPI document that the generator reads.

A document is checked by this table before anything else reads it, so that nothing behind has to
expect a list where an object belongs.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

from .notes import Refused, pointer

__all__ = ["METHODS", "shaped"]

METHODS: Final = ("get", "post", "put", "patch", "delete")

DEEPEST: Final = 100
"""More levels than this has no document but a broken or a hostile one."""
DO: Final = "Put it right in the document, or leave it out"

# `{x}` is an object with an x under each name, `[x]` an array of them, `x|y` either.
_REFERENCE: Final = {"$ref": "text", "description": "text"}
_CONTENT: Final = {**_REFERENCE, "content": "{media}"}
_PARAMETER: Final = {**_REFERENCE, "name": "text", "in": "text", "required": "flag"}
_TARGETS: Final = {"schema": "text", "schemas": "[text]", "union": "text", "but": "[text]"}
WORDS: Final[dict[str, dict[str, str]]] = {
    "document": {"openapi": "text", "paths": "{path}", "components": "components"},
    "components": {
        "schemas": "{schema}",
        "parameters": "{parameter}",
        "headers": "{parameter}",
        "requestBodies": "{body}",
        "responses": "{answer}",
    },
    "path": {**_REFERENCE, "parameters": "[parameter]"} | dict.fromkeys(METHODS, "operation"),
    "operation": {
        "operationId": "text",
        "summary": "text",
        "description": "text",
        "parameters": "[parameter]",
        "requestBody": "body",
        "responses": "{answer}",
    },
    "parameter": {**_PARAMETER, "schema": "schema", "content": "{media}"},
    "body": {**_CONTENT, "required": "flag"},
    "answer": {**_CONTENT, "headers": "{parameter}"},
    "media": {"schema": "schema"},
    "schema": {
        **_REFERENCE,
        "type": "text|[text]",
        "format": "text",
        "title": "text",
        "enum": "[any]",
        "required": "[text]",
        "nullable": "flag",
        "properties": "{schema}",
        "additionalProperties": "flag|schema",
        "items": "schema",
        "allOf": "[schema]",
        "anyOf": "[schema]",
        "oneOf": "[schema]",
        "discriminator": "discriminator",
        "deprecated": "flag",
        "readOnly": "flag",
        "writeOnly": "flag",
        "minimum": "number",
        "x-module": "text",
        "x-strict": "flag",
        "x-table-name": "text",
    },
    "discriminator": {"propertyName": "text", "mapping": "{text}"},
    # The file that overlay.py reads.
    "overlay": {"corrections": "[correction]"},
    "correction": {
        "optional": "freed",
        "add": "given",
        "change": "given",
        "alias": "{text}",
        "define": "{text|schema}",
        "extend": "extension",
        "operation": "changes",
        "leave_out": "left out",
    },
    "freed": {**_TARGETS, "members": "[text]"},
    "given": {**_TARGETS, "members": "{schema}"},
    "extension": {"union": "text", "members": "[text]"},
    "changes": {
        "id": "text",
        "ids": "[text]",
        "streams": "text",
        "parameters": "{object}",
        "body": "object",
    },
    "left out": {"operations": "[text]", "schemas": "[text]"},
}
EXTENDED: Final = ("{path}", "{answer}")
"""Objects in which a name with `x-` is an extension, and none of them."""
KINDS: Final[dict[str, tuple[type | tuple[type, ...], str]]] = {
    "text": (str, "a text"),
    "flag": (bool, "true or false"),
    "number": ((int, float), "a number"),
    "any": (object, "anything"),
    "[": (list, "an array"),
}
EITHER: Final = r"\|(?![^\[{]*[\]}])"  # one that is not inside of a bracket
OBJECT: Final = (dict, "an object")


def shaped(value: Any, name: str = "", kind: str = "document", steps: tuple[str, ...] = ()) -> Any:
    """A copy of the document: all names are texts, and no null stands where nothing could.

    Args:
        value: the document, or a part of it.
        name: of its file, which the place of a mistake begins with.
        kind: what it is.
        steps: the names and numbers that lead to it.

    Raises:
        Refused: something in it is of another kind.
    """
    if len(steps) > DEEPEST:
        raise Refused(name + pointer(*steps[:8]), "nested too deeply", DO)
    if kind == "schema" and value is True:
        return {}
    kinds = {each: KINDS.get(each, KINDS.get(each[0], OBJECT)) for each in re.split(EITHER, kind)}
    kind = next((each for each, (of, _) in kinds.items() if isinstance(value, of)), "")
    if not kind:
        wanted = " or ".join(text for _, text in kinds.values())
        raise Refused(name + pointer(*steps), f"{_short(value)}, where {wanted} belongs", DO)
    if isinstance(value, str) and (half := re.search("[\ud800-\udfff]", value)):
        what = f"{_short(half[0])}, half of a surrogate pair"
        raise Refused(name + pointer(*steps), what, DO)
    inner = kind[1:-1] if kind[0] in "[{" else "any"
    if isinstance(value, list):
        return [shaped(part, name, inner, (*steps, str(at))) for at, part in enumerate(value)]
    if not isinstance(value, dict):
        return value
    found = {}
    for key, part in value.items():
        key = shaped(str(key), name, "text", steps)
        part_kind = WORDS.get(kind, {}).get(key, inner)
        missing = part is None and part_kind != "any"
        if not missing and not (kind in EXTENDED and key.startswith("x-")):
            found[key] = shaped(part, name, part_kind, (*steps, key))
    return found


def _short(value: Any) -> str:
    text = json.dumps(value, default=str)
    return text if len(text) <= 60 else text[:60] + "…"
