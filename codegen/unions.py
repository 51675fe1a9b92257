"""What each union of a document comes to: open, told apart by shape, or something wider.

A union of objects that a constant tells apart becomes `oneOf` with a `discriminator` and its
`mapping`, and is open. Any other one keeps the parts that msgspec or our codec can tell apart;
where it has objects that nothing tells apart, these are a free object together. No schema is
recursive afterwards, and no two open unions have the same members.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from .document import REF, Schema, Schemas, alternatives, enum_of, refers_to, tag_in
from .notes import Notes, Refused, pointer
from .plain import ANYTHING

__all__ = ["settle_unions"]

NULL: Final[Schema] = {"type": "null"}
SCALARS: Final = {"text", "string", "integer", "number", "boolean", "null"}
CUTTABLE: Final = ("items", "properties", "additionalProperties")


def settle_unions(schemas: Schemas, tags: tuple[str, ...], notes: Notes) -> None:
    """Settle all unions of plain schemas, in place."""
    while cut := _a_cycle(schemas):
        node, key, place = cut
        if key == "":
            raise Refused(place, "refers to itself", "Say what it is with `define` in an overlay")
        notes.add("loosened", place, f"anything, as {refers_to(node[key])} has itself inside")
        node[key] = {k: v for k, v in node[key].items() if k == "description"}
    done: set[str] = set()

    def settle(name: str) -> None:
        schema = schemas[name]
        if name in done or not alternatives(schema) or enum_of(schema) is not None:
            return
        done.add(name)
        for part in alternatives(schema):
            if (inner := refers_to(part)) is not None:
                settle(inner)  # what this one comes to depends on it
        place = pointer("components", "schemas", name)
        schemas[name] = _settled(schemas, schema, tags, notes, place)

    for name in schemas:
        settle(name)
    _one_name_each(schemas, notes)


def _settled(
    schemas: Schemas, schema: Schema, tags: tuple[str, ...], notes: Notes, place: str
) -> Schema:
    parts = alternatives(schema)
    kept = {k: v for k, v in schema.items() if k not in ("anyOf", "oneOf", "discriminator")}
    found = None if NULL in parts else _tagged(schemas, parts, tags, "discriminator" in schema)
    if found is not None:
        return {**found, **kept}
    if "discriminator" in schema:
        text = "not all of the union are objects that it tells apart"
        notes.add("left out", f"{place}/discriminator", text)
    flat = _each_once(leaf for part in parts for leaf in _flat(schemas, part))
    for kinds in ({"struct", "map"}, {"array"}):
        if sum(bool(_leaves(schemas, part) & kinds) for part in parts) > 1:
            parts = flat  # what tells them apart looks at all of them, not at unions in the union
    objects = [part for part in flat if _leaves(schemas, part) & {"struct", "map"}]
    if len(objects) > 1 and not _can_be_told_apart(schemas, objects, tags):
        notes.add("loosened", place, "objects that nothing tells apart; any object, as a dict")
        parts = flat = _each_once(ANYTHING if part in objects else part for part in flat)
    int64 = [part for part in flat if _leaves(schemas, part) == {"int64"}]
    others = [part for part in flat if part not in int64 and part != NULL]
    if int64 and others and all(_leaves(schemas, part) == {"integer"} for part in others):
        parts = flat = [part for part in flat if part not in others]  # it takes numbers too
    elif int64 and others:
        notes.add("loosened", place, "an integer as a string beside others is a string")
        parts = flat = _each_once({"type": "string"} if part in int64 else part for part in flat)
    arrays = [part for part in flat if "array" in _leaves(schemas, part)]
    if len(arrays) > 1 and not _arrays_can_be_told_apart(schemas, arrays, tags):
        notes.add("loosened", place, "arrays that nothing tells apart; one of all their items")
        one = _one_array(schemas, arrays)
        parts = _each_once(one if part in arrays else part for part in flat)
    return {**(parts[0] if len(parts) == 1 else {"anyOf": parts}), **kept}


def _each_once(parts: Iterable[Schema]) -> list[Schema]:
    found: list[Schema] = []
    for part in parts:
        if part not in found:
            found.append(part)
    return found


def _flat(schemas: Schemas, part: Schema) -> Iterator[Schema]:
    """The parts of a part of a union; an open union and an enum are one."""
    schema = schemas.get(refers_to(part) or "", part)
    if "$ref" in schema and schema is not part:
        yield from _flat(schemas, schema)
    elif alternatives(schema) and "discriminator" not in schema and enum_of(schema) is None:
        for inner in alternatives(schema):
            yield from _flat(schemas, inner)
    else:
        yield {k: v for k, v in part.items() if k != "description"}


def _item(schemas: Schemas, array: Schema) -> Schema:
    """The schema of the items of an array, also of one by its name."""
    while name := refers_to(array):
        array = schemas[name]
    found: Schema = array["items"]
    return found


def _arrays_can_be_told_apart(
    schemas: Schemas, arrays: list[Schema], tags: tuple[str, ...]
) -> bool:
    """Whether the items of all of them but the first are objects, and all objects have tags of
    their own, but for one.
    """
    items = [_item(schemas, array) for array in arrays]
    names = [name for item in items for name in _objects(schemas, item)]
    found = [tag_in(schemas[name], tags) if name else None for name in names]
    told = _leaves(schemas, items[0]).isdisjoint({"struct"}) and found[:1] == [None]
    found = found[1:] if told else found
    return len(set(found)) == len(found) and all(
        _leaves(schemas, item) == {"struct"} for item in items[1:]
    )


def _one_array(schemas: Schemas, arrays: list[Schema]) -> Schema:
    """The array of all items that several arrays have; of anything, if there are objects."""
    items = [_item(schemas, array) for array in arrays]
    flat = _each_once(leaf for item in items for leaf in _flat(schemas, item))
    leaves = {leaf for item in flat for leaf in _leaves(schemas, item)}
    one: Schema = {"anyOf": flat} if leaves <= SCALARS else {}
    return {"type": "array", "items": flat[0] if len(flat) == 1 else one}


def _tagged(
    schemas: Schemas, parts: list[Schema], tags: tuple[str, ...], discriminated: bool
) -> Schema | None:
    """The union as one of tagged objects, if it is that."""
    if len(parts) < 2 and not discriminated:
        return None
    found: dict[str, str] = {}
    members: set[str] = set()
    for name in [each for part in parts for each in _objects(schemas, part)]:
        tag = tag_in(schemas[name], tags) if name else None
        if name is None or tag is None or found.get(tag[1], name) != name:
            return None
        members.add(tag[0])
        found[tag[1]] = name
    if len(members) != 1:
        return None
    return {
        "oneOf": [{"$ref": REF + name} for name in dict.fromkeys(found.values())],
        "discriminator": {
            "propertyName": members.pop(),
            "mapping": {tag: REF + name for tag, name in found.items()},
        },
    }


def _objects(schemas: Schemas, part: Schema) -> Iterator[str | None]:
    """The objects of a part of a union, those of unions in it too; None for anything else."""
    name = refers_to(part)
    if name is None:
        yield None
    elif (inner := alternatives(schemas[name])) and enum_of(schemas[name]) is None:
        for each in inner:
            yield from _objects(schemas, each)
    elif "$ref" in schemas[name]:
        yield from _objects(schemas, schemas[name])
    else:
        yield name if "properties" in schemas[name] else None


def _leaves(schemas: Schemas, part: Schema) -> set[str]:
    """Which kinds of JSON a part can be."""
    if name := refers_to(part):
        return _leaves(schemas, schemas[name])
    if enum_of(part) is not None:
        return {"text"}
    if inner := alternatives(part):
        return {leaf for each in inner for leaf in _leaves(schemas, each)}
    if part.get("type") == "object":
        return {"struct" if part.get("properties") else "map"}
    return {"int64" if part.get("format") == "int64" else part.get("type", "anything")}


def _can_be_told_apart(schemas: Schemas, objects: list[Schema], tags: tuple[str, ...]) -> bool:
    """Whether these are Structs with tags of one name, one without, and one free object at most,
    which is tried last: an open union takes any object, and so does a Struct that requires nothing.
    """
    maps = [part for part in objects if "map" in _leaves(schemas, part)]
    structs = [part for part in objects if part not in maps]
    names = dict.fromkeys(name for part in structs for name in _objects(schemas, part))
    found = [tag_in(schemas[name], tags) if name else None for name in names]
    told = [tag for tag in found if tag]
    unions = [part for part in structs if "discriminator" in schemas.get(refers_to(part) or "", {})]
    bare = [schemas[name] for name, tag in zip(names, found, strict=True) if name and not tag]
    return (
        len(maps) < 2
        and len(unions) < 2
        and not (maps and (unions or not all(schema.get("required") for schema in bare)))
        and len(found) - len(told) < 2
        and len(members := {member for member, _ in told}) < 2
        and not any(schema.get("properties", {}).keys() & members for schema in bare)
        and len(set(told)) == len(told)
    )


def _one_name_each(schemas: Schemas, notes: Notes) -> None:
    """Of open unions with the same members, all but the first become another name of it."""
    first: dict[frozenset[str | None], str] = {}
    for name, schema in schemas.items():
        if "discriminator" in schema:
            members = frozenset(map(refers_to, alternatives(schema)))
            other = first.setdefault(members, name)
            if other != name:
                place = pointer("components", "schemas", name)
                notes.add("left out", place, f"the same union as `{other}`, and another name of it")
                dropped = ("oneOf", "discriminator")
                schemas[name] = {k: v for k, v in schema.items() if k not in dropped}
                schemas[name] |= {"$ref": REF + other}


# ---- recursion

_Edge = tuple[Any, Any, str]  # the node, the key in it that a reference stands under, its place


def _a_cycle(schemas: Schemas) -> _Edge | None:
    """The place to cut one cycle of references at: one of a member, or of the items of an array."""
    done: set[str] = set()
    for start in schemas:
        path: list[tuple[str, _Edge]] = []  # names on the way, and the edge that led there
        walk = [(start, _edges(schemas, start))]
        while walk:
            name, edges = walk[-1]
            for target, edge in edges:
                on_path = [each for each, _ in walk]
                if target in on_path:
                    at = on_path.index(target)
                    loop = [edge, *(e for _, e in reversed(path[at:]))]
                    return next((e for e in loop if _is_cuttable(e)), edge)
                if target not in done:
                    path.append((target, edge))
                    walk.append((target, _edges(schemas, target)))
                    break
            else:
                done.add(name)
                walk.pop()
                if path:
                    path.pop()
    return None


def _is_cuttable(edge: _Edge) -> bool:
    return any(f"/{word}" in edge[2] for word in CUTTABLE)


def _edges(schemas: Schemas, name: str) -> Iterator[tuple[str, _Edge]]:
    return _references({"": schemas[name]}, "", pointer("components", "schemas", name))


def _references(node: Any, key: Any, place: str) -> Iterator[tuple[str, _Edge]]:
    """Each reference in what stands under a key."""
    value = node[key]
    if isinstance(value, dict) and isinstance(value.get("$ref"), str):
        yield refers_to(value) or "", (node, key, place)
    elif isinstance(value, dict):
        for inner in [k for k in value if k != "discriminator"]:
            yield from _references(value, inner, f"{place}/{inner}")
    elif isinstance(value, list):
        for inner in range(len(value)):
            yield from _references(value, inner, f"{place}/{inner}")
