"""Hypothesis strategies for every model, by reflection over the generated types.

What they build is what decoding gives: `decode(encode(x), T) == x` holds for each value. Sizes are
bounded, so that a draw stays cheap; the deeper, the smaller.
"""

from __future__ import annotations

import base64
import json
from functools import cache
from typing import Annotated, Any, Literal, get_args, get_origin

from hypothesis import strategies as st
from msgspec import UNSET, Meta, UnsetType
from msgspec.structs import replace

from gemwire import models as m
from gemwire.codec.json import REFUSED, Misfit
from gemwire.codec.lenient import read
from gemwire.codec.schema import fields, shape
from gemwire.codec.structs import STRICT, BareInt64, Extra, Int64, Unknown, WireStruct
from gemwire.models import tables

__all__ = [
    "EVENTS",
    "STRUCTS",
    "TERMINAL",
    "UNIONS",
    "base64_texts",
    "instances",
    "interactions",
    "json_texts",
    "json_values",
    "mutated",
    "texts",
]

STRUCTS: dict[str, type[WireStruct]] = {
    name: value
    for name, value in ((name, getattr(m, name)) for name in m.__all__)
    if isinstance(value, type) and issubclass(value, WireStruct)
}
"""All models by name, those of the modules too that are loaded when asked for."""

EVENTS: dict[str, type[WireStruct]] = {
    event: STRUCTS[name] for event, name in tables.EVENTS.items()
}
"""The Structs of the events, by their names on the wire."""

UNIONS: dict[str, tuple[Any, type[Unknown]]] = {
    name.removeprefix("Unknown"): (getattr(m, name.removeprefix("Unknown")), value)
    for name, value in ((name, getattr(m, name)) for name in m.__all__)
    if isinstance(value, type) and issubclass(value, Unknown)
}
"""All open unions by name, each with its `Unknown…` class."""

TERMINAL = (
    "completed",
    "requires_action",
    "failed",
    "cancelled",
    "incomplete",
    "budget_exceeded",
    "requires_continuation",
)
"""The values of `Interaction.status` that a server ends with."""

INT64 = st.integers(-(2**63), 2**64 - 1)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)

_SAMPLES = (
    "",
    "a",
    "Hello, ",
    "naïve café",
    "日本語",
    "🎉👩‍👩‍👧",
    "\u2028\u0085",
    '"\\/\n\t',
    "\x00",
    "\ufeff",
)
_LONE = ("\ud83c", "\udf89 half", "cut \ud83c")
_NEW_MEMBERS = (
    "new",
    "extra_",
    "_extra",
    "extra",
    "texts",
    "type_",
    "größe",
    "",
    "a.b",
    "__class__",
)
_NEW_TAGS = ("brand_new", "hologram", "", "Text", "größe")

ALWAYS: dict[str, frozenset[str]] = {
    "step": frozenset({"arguments", "call_id", "content", "id", "name", "result", "server_name"}),
}


@cache
def texts(*, surrogates: bool = False) -> st.SearchStrategy[str]:
    """Short texts, many of them not ASCII; with lone surrogates only when asked for."""
    if surrogates:
        return st.sampled_from(_SAMPLES + _LONE) | st.text(st.characters(), max_size=8)
    return st.sampled_from(_SAMPLES) | st.text(max_size=8)


base64_texts: st.SearchStrategy[str] = st.binary(max_size=9).map(
    lambda data: base64.b64encode(data).decode()
)
"""Valid base64, of lengths with and without padding."""


@cache
def json_values(*, surrogates: bool = False) -> st.SearchStrategy[Any]:
    """Any JSON value, as plain data: ints beyond 64 bits too, every float but NaN and infinity."""
    text = texts(surrogates=surrogates)
    scalars = st.none() | st.booleans() | st.integers(-(2**80), 2**80) | FLOATS | text
    return st.recursive(
        scalars,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
        max_leaves=6,
    )


def json_texts(
    values: st.SearchStrategy[Any] | None = None, *, surrogates: bool = False
) -> st.SearchStrategy[bytes]:
    """JSON text of values (any, if not given), in the several ways that servers lay it out."""
    layouts = st.sampled_from(
        [
            {"separators": (",", ":"), "ensure_ascii": False},
            {"separators": (",", ":")},
            {"indent": 1},
            {"separators": (" ,\t", " : ")},
        ]
    )

    def dumped(value: Any, layout: dict[str, Any]) -> bytes:
        try:
            return json.dumps(value, **layout).encode()
        except UnicodeEncodeError:  # only an escape can carry a lone surrogate
            return json.dumps(value).encode()

    if values is None:
        values = json_values(surrogates=surrogates)
    return st.builds(dumped, values, layouts)


def instances(
    hint: Any, /, *, unknown: bool = False, surrogates: bool = False
) -> st.SearchStrategy[Any]:
    """Valid values of a Struct, a union or any other type that a model names.

    With `unknown`, also what the spec does not know: unknown members, optional members that do not
    fit, `Unknown…` members of open unions and new values of enums. With `surrogates`, texts may
    have lone ones.
    """
    return _values(hint, unknown, surrogates, 0)


@st.composite
def interactions(
    draw: st.DrawFn,
    *,
    unknown: bool = False,
    surrogates: bool = False,
    status: st.SearchStrategy[str] | None = None,
    max_steps: int = 4,
) -> m.Interaction:
    """Interactions with a terminal status, as a server would answer: ids are not empty, tool steps
    have their ids, names, arguments and results, usage counts something. Of today's generation:
    nothing in them would be translated by `decode_interaction`.
    """
    step = _values(m.Step, unknown, surrogates, 1)
    steps = draw(st.lists(step, max_size=max_steps) | st.just(UNSET))
    other = draw(_values(m.Interaction, unknown, surrogates, 0))
    members = {name: getattr(other, name) for name in fields(m.Interaction)}
    members |= {
        "id": draw(st.sampled_from(["v1_abc", "int-9", UNSET])),
        "object": draw(st.sampled_from(["interaction", UNSET])),
        "status": draw(st.sampled_from(TERMINAL) if status is None else status),
        "steps": steps,
    }
    for name in (
        "previous_interaction_id",
        "environment_id",
        "continuation_token",
        "model",
        "agent",
    ):
        members[name] = members[name] or UNSET
    if members["usage"]:
        members["usage"] = replace(members["usage"], total_reasoning_tokens=UNSET)
        if members["usage"] == m.Usage():
            members["usage"] = UNSET
    sent = members["input"]
    if isinstance(sent, list) and any(isinstance(i, Unknown) and i.tag is None for i in sent):
        members["input"] = UNSET  # it would be taken for turns, and translated
    held = {} if other.extra_ is UNSET else other.extra_.texts
    extra = {name: text for name, text in held.items() if members.get(name, UNSET) is UNSET}
    return m.Interaction(**members, extra_=Extra(extra) if extra else UNSET)


@st.composite
def mutated(draw: st.DrawFn, values: st.SearchStrategy[Any]) -> Any:
    """Plain data of the strategy, with a few members and items taken out, put in or exchanged."""
    value = draw(values)
    for _ in range(draw(st.integers(1, 3))):
        value = _mutate(draw, value)
    return value


def _mutate(draw: st.DrawFn, value: Any) -> Any:
    """A copy in which one thing differs, here or further inside."""
    place: Any
    if isinstance(value, dict) and value:
        value, place = dict(value), draw(st.sampled_from(list(value)))
    elif isinstance(value, list) and value:
        value, place = list(value), draw(st.integers(0, len(value) - 1))
    else:
        return draw(_REPLACEMENTS)
    action = draw(
        st.sampled_from(["inside", "inside", "inside", "drop", "exchange", "add", "wrap"])
    )
    if action == "inside":
        value[place] = _mutate(draw, value[place])
    elif action == "drop":
        del value[place]
    elif action == "exchange":
        value[place] = draw(_REPLACEMENTS)
    elif action == "wrap":
        value[place] = [value[place]]
    elif isinstance(value, dict):
        value[draw(st.sampled_from(_NEW_MEMBERS))] = draw(_REPLACEMENTS)
    else:
        value.insert(place, draw(_REPLACEMENTS))
    return value


_REPLACEMENTS = st.sampled_from(
    [None, 0, -1, "", "text", 1.5, [], {}, [None], {"type": "text"}]
) | (json_values(surrogates=True))


@cache
def _values(hint: Any, unknown: bool, surrogates: bool, depth: int) -> st.SearchStrategy[Any]:
    """The strategy of a type; `depth` is how far inside the value it stands."""
    kinds = shape(hint)
    options: list[st.SearchStrategy[Any]] = []
    if kinds.structs:
        built = [_structs(cls, unknown, surrogates, depth) for cls in kinds.structs.values()]
        options.append(st.one_of(built))
        if unknown and kinds.unknown is not None:
            options.append(_unknowns(kinds.unknown, kinds.tag_field or "type", surrogates))
    if kinds.map is not None:
        options.append(
            _maps(kinds.map, unknown, surrogates, depth, beside_structs=bool(kinds.structs))
        )
    for item in kinds.lists:
        items = st.lists(
            _values(item, unknown, surrogates, depth + 1), max_size=3 if depth < 2 else 1
        )
        if len(kinds.lists) > 1:
            # Which of the arrays it is shows only where one item at least has a known tag.
            items = items.filter(lambda v: not v or any(isinstance(i, WireStruct) for i in v))
        options.append(items)
    if kinds.scalar is not None:
        options.append(_scalars(kinds.scalar, unknown, surrogates))
    return st.one_of(options)


def _maps(
    hint: Any, unknown: bool, surrogates: bool, depth: int, *, beside_structs: bool
) -> st.SearchStrategy[Any]:
    item = get_args(hint)[1]
    names = texts(surrogates=surrogates)
    if beside_structs:
        names = names.filter(lambda name: name != "type")  # a tag would make it the Struct
    value = (
        json_values(surrogates=surrogates)
        if item is Any
        else _values(item, unknown, surrogates, depth + 1)
    )
    return st.dictionaries(names, value, max_size=3)


def _scalars(hint: Any, unknown: bool, surrogates: bool) -> st.SearchStrategy[Any]:
    """A type of which no part is an object or an array: one scalar, an enum, Any, or a union."""
    if get_origin(hint) is Annotated:
        bounds = [mark for mark in hint.__metadata__ if isinstance(mark, Meta)]
        assert [mark.ge for mark in bounds] == [0]
        return st.integers(0, 2**31)
    if get_origin(hint) is Literal:
        return st.sampled_from(get_args(hint))
    if hint is Any:
        return json_values(surrogates=surrogates)
    if hint is Int64:
        number = st.integers(-(2**63), 2**64 - 1)
        return number.map(Int64) | number.map(BareInt64) if unknown else number.map(Int64)
    if hint in _SIMPLE:
        return texts(surrogates=surrogates) if hint is str else _SIMPLE[hint]
    leaves = get_args(hint)
    known = [value for leaf in leaves if get_origin(leaf) is Literal for value in get_args(leaf)]
    if known and not unknown:
        return st.sampled_from(known)
    return st.one_of([_scalars(leaf, unknown, surrogates) for leaf in leaves])


_SIMPLE: dict[Any, st.SearchStrategy[Any]] = {
    str: st.nothing(),
    bool: st.booleans(),
    int: INT64,
    float: FLOATS,
    type(None): st.none(),
}


@st.composite
def _structs(
    draw: st.DrawFn, cls: type[WireStruct], unknown: bool, surrogates: bool, depth: int
) -> WireStruct:
    plan = fields(cls)
    always = ALWAYS["step"] if cls in shape(m.Step).structs.values() else frozenset()
    optional = [name for name in plan if name not in _required(cls)]
    chosen = (
        set(draw(st.lists(st.sampled_from(optional), max_size=max(1, 4 - depth))))
        if optional
        else set()
    )
    chosen |= _required(cls) | (always & plan.keys())
    values = {}
    for name, field in plan.items():
        if name not in chosen:
            continue
        if name == "data" and field.hint == str | UnsetType:
            values[name] = draw(base64_texts)
        else:
            values[name] = draw(_values(field.hint, unknown, surrogates, depth + 1))
    extra: dict[str, bytes] = {}
    if unknown and draw(st.integers(0, 3)) == 0:
        extra = draw(_extras(cls, surrogates))
        for name in values:
            extra.pop(name, None)
    return cls(**values, extra_=Extra(extra) if extra else UNSET)


@cache
def _required(cls: type[WireStruct]) -> frozenset[str]:
    return frozenset(
        n for n, f in fields(cls).items() if f.required and n not in STRICT.get(cls, ())
    )


@cache
def _extras(cls: type[WireStruct], surrogates: bool) -> st.SearchStrategy[dict[str, bytes]]:
    """Unknown members, and known optional ones with values that do not fit."""
    plan = fields(cls)
    names = st.sampled_from([n for n in _NEW_MEMBERS if n not in plan])
    new = st.dictionaries(names, json_texts(surrogates=surrogates), max_size=2)
    misfits = {name: _misfits(field.hint) for name, field in plan.items() if not field.required}
    pairs = [(name, text) for name, texts_ in misfits.items() for text in texts_]
    if not pairs:
        return new
    return st.builds(lambda a, b: a | dict([b]), new, st.sampled_from(pairs)) | new


def _misfits(hint: Any) -> list[bytes]:
    """JSON texts that the type refuses."""
    refused = []
    for text in (b"null", b"true", b"17", b'"text"', b"[[1]]", b'{"a": 1}', b"1e400"):
        try:
            read(hint, text)
        except (Misfit, *REFUSED):
            refused.append(text)
    return refused


def _unknowns(cls: type[Unknown], tag_field: str, surrogates: bool) -> st.SearchStrategy[Unknown]:
    """Members of an open union that no spec knows: with a new tag, with none, with one that is no
    string.
    """
    members = st.dictionaries(
        texts(surrogates=surrogates).filter(lambda name: name != tag_field),
        json_values(surrogates=surrogates),
        max_size=2,
    )
    tags = st.sampled_from([*_NEW_TAGS, None, 7, UNSET])

    def build(tag: Any, value: dict[str, Any]) -> Unknown:
        if tag is not UNSET:
            value = {**value, tag_field: tag}
        return cls(json.dumps(value).encode(), tag if isinstance(tag, str) else None)

    return st.builds(build, tags, members)
