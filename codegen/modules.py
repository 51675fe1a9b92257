"""Which module each model stands in.

What the operations of one resource alone need is a module; what several of them need, and the main
resource does not, is the shared one. A schema that no operation leads to is in the main module, in
that of its document, or in that of the root that leads to it.
"""

from __future__ import annotations

import re
from typing import Any

from .config import Config
from .document import Schema, Schemas, refers_to, schemas_of

__all__ = ["module_of_each", "reached", "refs"]


def module_of_each(document: Schema, config: Config) -> dict[str, str]:
    """Schema name → module."""
    schemas = schemas_of(document)
    owners: dict[str, set[str]] = {name: set() for name in schemas}
    roots = {module: set(names) & schemas.keys() for module, names in config.roots.items()}
    for path, item in document["paths"].items() if config.by_resource else ():
        roots.setdefault(_resource(path), set()).update(refs(item))
    for module, names in roots.items():
        for name in reached(schemas, names):
            owners[name].add(module)
    found: dict[str, str] = {}
    for name, schema in schemas.items():
        found[name] = schema.get("x-module") or _module(owners[name], config)
    for name in schemas:
        if (
            not owners[name]
            and "x-module" not in schemas[name]
            and (other := _aliased(schemas, name))
        ):
            found[name] = found[other]  # another name, which nothing refers to
    return found


def _module(owners: set[str], config: Config) -> str:
    if not owners or config.main in owners:
        return config.main
    return next(iter(owners)) if len(owners) == 1 else config.shared


def _aliased(schemas: Schemas, name: str) -> str | None:
    found = refers_to(schemas[name])
    return found if found in schemas else None


def _resource(path: str) -> str:
    """`/upload/{api_version}/environments/{id}` → `environments`."""
    return re.sub(r"^(/upload)?/({api_version}/)?", "", path).partition("/")[0].partition(":")[0]


def reached(schemas: Schemas, names: set[str]) -> set[str]:
    """The names, and all that these refer to."""
    found: set[str] = set()
    waiting = set(names)
    while waiting:
        found |= waiting
        waiting = {n for name in waiting for n in refs(schemas[name])} - found
    return found


def refs(node: Any) -> set[str]:
    """The names of all schemas that are referred to."""
    if isinstance(node, list):
        return {name for item in node for name in refs(item)}
    if not isinstance(node, dict):
        return set()
    own = refers_to(node)
    return {own} if own else {name for value in node.values() for name in refs(value)}
