"""What datamodel-code-generator cannot do: spec order, open unions, unions that msgspec refuses.

Its output is cut into one block for each schema and put together again: classes in the order of the
spec, each alias right after the last name it needs (aliases are evaluated at run time, the
annotations of the classes are not).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from .document import Schema, Schemas, alternatives, refers_to, tag_in
from .names import member_name

OPEN_UNION = '''
class Unknown{name}(Unknown, frozen=True{tag_field}):
    """{article} `{name}` that the spec does not know, or one whose members do not fit."""
{tag}


{name}: TypeAlias = {union} | Unknown{name}
"""{doc}"""
'''

EVENT_TAG = "event_type"
TAG_FIELD = ', tag_field="{0}"'
TAG = """
    {0}: ClassVar[Literal["__unknown__"]] = "__unknown__"
"""

SHAPES = '''
if TYPE_CHECKING:
    {name}: TypeAlias = {union}
    """{doc}"""
else:
    {name} = Annotated[Shapes, ({members},)]
'''


@dataclass
class Block:
    """One schema in the generated source."""

    source: str
    needs: set[str]  # the names that must stand before it
    union: str = ""  # the right side of an alias
    doc: str = ""


def blocks(code: str) -> dict[str, Block]:
    """Cut the generator's output into its top-level definitions, by name."""
    found: dict[str, Block] = {}
    body = ast.parse(code).body
    for node, after in zip(body, [*body[1:], None], strict=True):
        if isinstance(node, ast.ClassDef):
            found[node.name] = Block(ast.get_source_segment(code, node) or "", set())
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            assert node.value is not None
            union = ast.get_source_segment(code, node.value) or ""
            if any(
                isinstance(n, ast.Constant) and isinstance(n.value, str)
                for n in _outside_literals(node.value)
            ):
                raise ValueError(f"{node.target.id} is recursive, which the codec does not take")
            needs = {n.id for n in ast.walk(node.value) if isinstance(n, ast.Name)}
            doc = ""
            if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
                doc = str(after.value.value)
            source = f'{node.target.id}: TypeAlias = {union}\n"""{escaped(doc)}"""'
            found[node.target.id] = Block(source, needs, union, doc)
    del found["Int64"]  # which is imported
    for block in found.values():
        block.needs &= found.keys()
    return found


def _outside_literals(node: ast.AST) -> Iterator[ast.AST]:
    """The parts of a type, but for the values of enums."""
    yield node
    if not (isinstance(node, ast.Subscript) and ast.unparse(node.value) == "Literal"):
        for child in ast.iter_child_nodes(node):
            yield from _outside_literals(child)


def printable(text: str) -> str:
    """The text with spaces for what no source should have in it."""
    return "".join(c if c.isprintable() or c == "\n" else " " for c in text).strip()


def escaped(doc: str) -> str:
    """The text as it stands between three quotes in a source."""
    doc = printable(doc).replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    return doc + " " if doc.endswith('"') else doc


def _indented(doc: str) -> str:
    return doc.replace("\n", "\n    ")


def is_free_object(schema: Schema) -> bool:
    """Whether the schema is an object of any members, which stays a dict."""
    return schema.get("type") == "object" and not schema.get("properties")


def is_open_union(schemas: Schemas, name: str) -> bool:
    """Whether the schema is a tagged union, which must take members newer than the spec."""
    return "discriminator" in schemas[name]


def needs_shapes(schemas: Schemas, name: str) -> bool:
    """Whether msgspec cannot decode the union: several arrays, Structs beside free objects, or one
    without a tag beside others.
    """
    members = alternatives(schemas[name])
    if len(members) < 2 or is_open_union(schemas, name):
        return False
    targets = [schemas[ref] if (ref := refers_to(member)) else member for member in members]
    arrays = sum(target.get("type") == "array" for target in targets)
    free = any(is_free_object(target) for target in targets)
    structs = [target for target in targets if "properties" in target or "oneOf" in target]
    untagged = [target for target in structs if "properties" in target and not tag_in(target)]
    inner = any((ref := refers_to(member)) and needs_shapes(schemas, ref) for member in members)
    return arrays > 1 or bool(free and structs) or bool(untagged and structs[1:]) or inner


def _one_sequence(members: list[str]) -> str:
    """The union as type checkers shall see it: its arrays as one sequence of any of their items.

    mypy finds the type of `[a, b]` only where one generic type is expected, and refuses a list of
    one kind of step where a list of all kinds may stand.
    """
    items = [m.removeprefix("list[").removesuffix("]") for m in members if m.startswith("list[")]
    others = [member for member in members if not member.startswith("list[")]
    return " | ".join([*others, *([f"Sequence[{' | '.join(items)}]"] if items else [])])


def _members(union: str) -> list[str]:
    """The sources of the types that a union is written of."""
    found: list[str] = []
    node = ast.parse(union, mode="eval").body
    while isinstance(node, ast.BinOp):
        found.insert(0, ast.get_source_segment(union, node.right) or "")
        node = node.left
    return [ast.get_source_segment(union, node) or "", *found]


def _alias(schemas: Schemas, name: str, block: Block) -> str:
    if is_open_union(schemas, name):
        tag = schemas[name]["discriminator"]["propertyName"]
        own = "" if tag == "type" else TAG_FIELD.format(tag)
        return OPEN_UNION.format(
            name=name,
            article="An" if name[0] in "AEIOU" else "A",
            union=block.union,
            doc=escaped(block.doc),
            tag_field=own,
            tag=TAG.format(member_name(tag, schemas.keys())) if own else "",
        )
    if needs_shapes(schemas, name):
        members = _members(block.union)
        return SHAPES.format(
            name=name,
            union=_one_sequence(members),
            doc=_indented(escaped(block.doc)),
            members=", ".join(members),
        )
    return block.source


def with_sequences(source: str, schemas: Schemas) -> str:
    """A class that is only sent: its lists of models may be any sequences, for type checkers.

    A list of functions is no `list[Tool]`, but it is a `Sequence[Tool]`. Lists of texts stay: a
    text is a `Sequence[str]` by itself.
    """

    def widened(found: re.Match[str]) -> str:
        item = schemas.get(found[1], {})
        of_models = "properties" in item or "discriminator" in item
        return f"Sequence[{found[1]}]" if of_models else found[0]

    return re.sub(r"\blist\[(\w+)\]", widened, source)


def arrange(code: str, schemas: Schemas, only_sent: Collection[str] = ()) -> dict[str, str]:
    """The definitions in their final order and form, by name."""
    found = blocks(code)
    for name in only_sent:
        if "properties" in schemas[name]:
            found[name].source = with_sequences(found[name].source, schemas)
    for name, schema in schemas.items():
        if is_free_object(schema):
            doc = schema.get("description", name)
            found[name] = Block(f'{name}: TypeAlias = dict[str, Any]\n"""{escaped(doc)}"""', set())
    done: set[str] = set()
    waiting: list[str] = []
    out: dict[str, str] = {}

    def ready() -> Iterator[str]:
        while name := next((n for n in waiting if found[n].needs <= done), None):
            waiting.remove(name)
            yield name

    for name in schemas:
        if name not in found:
            raise KeyError(f"the generator wrote nothing for {name}")
        waiting.append(name)
        for definable in ready():
            done.add(definable)
            block = found[definable]
            out[definable] = _alias(schemas, definable, block) if block.union else block.source
    if waiting:
        raise ValueError(f"aliases that need each other: {waiting}")
    return out


def unions(schemas: Schemas) -> list[str]:
    """The open unions, in spec order.

    No two may have the same members: they would be one thing with two names, and what is unknown in
    them would have two classes. The overlay can make one the alias of the other.
    """
    found: dict[frozenset[str | None], str] = {}
    for name in schemas:
        if is_open_union(schemas, name):
            members = frozenset(map(refers_to, alternatives(schemas[name])))
            if members in found:
                raise ValueError(f"{found[members]} and {name} are the same union")
            found[members] = name
    return list(found.values())


def events(document: Schema, left_out: Collection[str] = ()) -> dict[str, str]:
    """Event name → schema name, of the unions that an operation streams and of those that are told
    apart by `event_type`; where two generations have one name, the first document counts.
    """
    schemas: Schemas = document["components"]["schemas"]
    streamed: set[str | None] = set()
    for item in document["paths"].values():
        for operation in item.values():
            content = operation["responses"]["200"]["content"]
            streamed.add(refers_to(content.get("text/event-stream", {}).get("schema", {})))
    found: dict[str, str] = {}
    for name in unions(schemas):
        tag = schemas[name]["discriminator"]["propertyName"]
        if name in streamed or (tag == EVENT_TAG and name not in left_out):
            for value, ref in schemas[name]["discriminator"]["mapping"].items():
                found.setdefault(value, refers_to({"$ref": ref}) or "")
    return found


def names_in(source: str) -> set[str]:
    """The names that a definition uses or makes; its docstrings do not count."""
    return {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)} | {
        node.name for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ClassDef)
    }
