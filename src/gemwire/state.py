"""The assembler's state as a value: copied to be gone back to, packed to be carried elsewhere.

The state is a tree of a few mutable classes over immutable models. Copying shares the models;
packing writes them as the JSON they came in, so that a checkpoint needs no pickle and no class but
the ones named here.
"""

from __future__ import annotations

from typing import Any, Final

from msgspec import UNSET

from . import models
from .base import Unknown, WireStruct, memo
from .builder import StepBuilder, folds, own
from .codec import decode, encode
from .errors import CheckpointError
from .hop import Hop, UsageBefore
from .parts import AudioPart, TextPart, UnknownPart
from .report import StreamReport, UsageLedger
from .runs import PartBuilder
from .steps import BUILDERS, ContentBuilder

__all__ = ["copy_state", "pack", "unpack"]

STATE: Final[dict[str, type]] = {
    cls.__name__: cls
    for cls in (
        *(Hop, UsageLedger, TextPart, AudioPart, UnknownPart, PartBuilder),
        *BUILDERS.values(),
    )
}
"""The mutable classes of the state."""

MUTABLE: Final = frozenset(STATE.values())

DERIVED = frozenset(
    {"built", "folds", "last", "open", "places", "report", "routes", "run", "text_at", "text_part"}
)
"""Attributes that are worked out again, or that lead out of the state."""


@memo
def slots_of(cls: type) -> list[str]:
    """All attributes of a class of the state."""
    return [name for base in cls.__mro__ for name in base.__dict__.get("__slots__", ())]


def copy_state(value: Any, report: StreamReport, seen: dict[int, Any] | None = None) -> Any:
    """A copy that shares nothing but models; what is one object twice is so in the copy.

    Issues of the copy go to `report`. Cost: the number of fragments and steps, not their bytes.
    """
    seen = {} if seen is None else seen
    if id(value) in seen:
        return seen[id(value)]
    if isinstance(value, StreamReport):
        return report
    if type(value) is list:
        copied: list[Any] = []
        seen[id(value)] = copied
        copied.extend(copy_state(item, report, seen) for item in value)
        return copied
    if isinstance(value, UsageBefore):
        return value
    if type(value) is tuple:
        return tuple(copy_state(item, report, seen) for item in value)
    if type(value) is set:
        return value.copy()
    if type(value) is dict:  # of builders; or of members, which are changed one level deep
        return {
            key: copy_state(item, report, seen) if type(item) in MUTABLE else own(item)
            for key, item in value.items()
        }
    if type(value) in MUTABLE:
        new = seen[id(value)] = object.__new__(type(value))
        for name in slots_of(type(value)):
            member = getattr(value, name)
            setattr(new, name, member if name == "folds" else copy_state(member, report, seen))
        return new
    return value


def pack(value: Any) -> Any:
    """The state as plain data, in which each object is a one-member dict that names its kind."""
    if value is UNSET:
        return {"unset": 0}
    if isinstance(value, Unknown):
        text = value.json.decode("utf-8", "replace")
        return {"unknown": [type(value).__name__, text, value.tag, value.reason]}
    if isinstance(value, WireStruct):
        return {"model": [type(value).__name__, encode(value).decode("utf-8", "replace")]}
    if isinstance(value, bytes):
        return {"text": value.decode("utf-8", "replace")}
    if isinstance(value, UsageBefore):
        return {"before": [pack(member) for member in value]}
    if isinstance(value, set):
        return {"set": sorted(value)}
    if isinstance(value, list | tuple):
        return [pack(item) for item in value]
    if isinstance(value, dict):
        return {"dict": [[key, pack(item)] for key, item in value.items()]}
    if type(value) in MUTABLE:
        members = {n: pack(getattr(value, n)) for n in slots_of(type(value)) if n not in DERIVED}
        if isinstance(value, Hop):
            place = {id(builder): at for at, (_, builder) in enumerate(value.order)}
            members["routes"] = [[index, place[id(b)]] for index, b in value.routes.items()]
            members["last"] = None if value.last is None else place[id(value.last)]
        return {"state": [type(value).__name__, members]}
    return value


def unpack(value: Any, report: StreamReport) -> Any:
    """The inverse of `pack`; raises CheckpointError for what `pack` does not write."""
    if isinstance(value, list):
        return [unpack(item, report) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) != 1:
        raise CheckpointError("the checkpoint has a part of no known kind")
    kind, content = next(iter(value.items()))
    if kind == "unset":
        return UNSET
    if kind == "unknown":
        cls, text, tag, reason = content
        return _model(cls, Unknown)(text.encode("utf-8", "surrogatepass"), tag, reason)
    if kind == "model":
        cls, text = content
        return decode(text.encode("utf-8", "surrogatepass"), _model(cls, WireStruct))
    if kind == "text":
        return content.encode()
    if kind == "before":
        return UsageBefore(*(unpack(member, report) for member in content))
    if kind == "set":
        return set(content)
    if kind == "dict":
        return {key: unpack(item, report) for key, item in content}
    if kind != "state":
        raise CheckpointError(f"the checkpoint has a part of unknown kind {kind!r}")
    name, members = content
    return _restored(STATE[name], members, report)


def _model(name: str, base: type) -> Any:
    """A model by its name, and nothing else that a name may stand for."""
    found = getattr(models, name, None)
    if not (isinstance(found, type) and issubclass(found, base)):
        raise CheckpointError(f"the checkpoint has a model of unknown kind {name!r}")
    return found


def _restored(cls: type, members: dict[str, Any], report: StreamReport) -> Any:
    """An object of the state, with what was not packed worked out again."""
    new: Any = object.__new__(cls)
    for name in slots_of(cls):
        if name not in DERIVED:
            setattr(new, name, unpack(members[name], report))
    if isinstance(new, Hop):
        new.report = report
        new.order = [(position, builder) for position, builder in new.order]
        new.routes = {index: new.order[at][1] for index, at in members["routes"]}
        new.open = [builder for _, builder in new.order if not builder.closed]
        new.places = {position for position, _ in new.order}
        new.last = None if members["last"] is None else new.order[members["last"]][1]
    elif isinstance(new, StepBuilder):
        new.report = report
        new.built = None
        if isinstance(new, PartBuilder):
            new.run = None
        new.text_part = None
        new.folds = folds(type(new), type(new.base))
        if isinstance(new, ContentBuilder):
            new.find_text()
    return new
