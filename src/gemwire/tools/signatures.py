"""Functions of the caller as the model sees them: parameters as a schema, arguments bound back."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from ..codec.encode import encode_finite
from ..errors import DecodeError
from ..structured import json_schema, parse_json

__all__ = ["Described", "Signature", "convert", "described", "signature_of"]


class Signature(NamedTuple):
    """What a function takes.

    Args:
        whole: the parameter that takes the arguments as one object, if that is the only one.
        named: those that take one argument each, by name.
        is_open: whether arguments of other names go into it, too.
    """

    whole: inspect.Parameter | None
    named: Mapping[str, inspect.Parameter]
    is_open: bool

    def bind(self, arguments: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        """The arguments as the function takes them, each as the type that it is annotated with.

        Raises:
            DecodeError: an argument is missing, is not known, or does not fit.
        """
        if self.whole is not None:
            return [_converted(arguments, self.whole, "")], {}
        unknown = [name for name in arguments if name not in self.named]
        if unknown and not self.is_open:
            raise DecodeError(f"there is no parameter {unknown[0]!r:.80}", path="$")
        by_position: list[Any] = []
        by_name: dict[str, Any] = {name: arguments[name] for name in unknown}
        for name, parameter in self.named.items():
            if name in arguments:
                value = _converted(arguments[name], parameter, f".{name}")
            elif parameter.default is parameter.empty:
                raise DecodeError(f"the argument {name!r} is missing", path="$")
            else:
                value = parameter.default
            if parameter.kind is parameter.POSITIONAL_ONLY:
                by_position.append(value)
            elif name in arguments:
                by_name[name] = value
        return by_position, by_name

    def schema(self, notes: Mapping[str, str]) -> dict[str, Any] | None:
        """The JSON Schema of the arguments; None if there are none.

        Args:
            notes: what is said of each parameter.
        """
        if self.whole is not None:
            hint = _hint(self.whole)
            return {"type": "object"} if hint is Any else json_schema(hint)
        if not self.named and not self.is_open:
            return None
        properties: dict[str, Any] = {}
        definitions: dict[str, Any] = {}
        for name, parameter in self.named.items():
            schema = json_schema(_hint(parameter))
            for title, inner in schema.pop("$defs", {}).items():
                if definitions.setdefault(title, inner) != inner:
                    raise TypeError(f"two different types in the schema are called {title!r}")
            if name in notes:
                schema.setdefault("description", notes[name])
            if isinstance(parameter.default, str | int | float | None):
                schema.setdefault("default", parameter.default)
            properties[name] = schema
        required = [name for name, p in self.named.items() if p.default is p.empty]
        return {
            "type": "object",
            "properties": properties,
            **({"required": required} if required else {}),
            **({"$defs": definitions} if definitions else {}),
        }


def signature_of(function: Callable[..., Any]) -> Signature:
    """What a function takes; one that does not tell takes any arguments by name.

    Raises:
        TypeError: an annotation names what is not there.
    """
    try:
        parameters = inspect.signature(function, eval_str=True).parameters
    except ValueError:  # some that are written in C
        return Signature(None, {}, True)
    except (NameError, SyntaxError, AttributeError) as error:
        raise TypeError(f"an annotation of {function!r:.80} cannot be read: {error}") from error
    given = function.keywords if isinstance(function, functools.partial) else {}
    named = {
        name: parameter
        for name, parameter in parameters.items()
        if parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        and name not in given
    }
    only = next(iter(named.values())) if len(parameters) == 1 and named else None
    if only is not None and only.kind is only.POSITIONAL_ONLY:
        return Signature(only, {}, False)
    is_open = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    return Signature(None, named, is_open)


def _hint(parameter: inspect.Parameter) -> Any:
    return Any if parameter.annotation is parameter.empty else parameter.annotation


def _converted(value: Any, parameter: inspect.Parameter, path: str) -> Any:
    hint = _hint(parameter)
    if hint is Any:
        return value
    return convert(value, hint, path)


def convert(value: Any, type: Any, path: str = "") -> Any:
    """A plain value as any type; raises DecodeError, with the path from the arguments on."""
    try:
        text = encode_finite(value)
    except ValueError as error:
        raise DecodeError(str(error), path="$" + path) from error
    try:
        return parse_json(text, type)
    except DecodeError as error:
        where = "$" + path + error.path.removeprefix("$")
        raise DecodeError(error.args[0], path=where, data=text) from error


# ---- docstrings


class Described(NamedTuple):
    """What a docstring says: of the function, and of each parameter by its name."""

    text: str
    parameters: Mapping[str, str]


_SECTION: Final = re.compile(
    r"^(Args|Arguments|Parameters|Attributes|Returns?|Yields?|Raises|Examples?|Notes?):\s*$"
)
_OF_PARAMETERS: Final = frozenset({"Args", "Arguments", "Parameters"})
_ENTRY: Final = re.compile(r"^\*{0,2}(\w+)\s*(?:\([^)]*\))?:\s*(.*)$")
_FIELD: Final = re.compile(r"^:(\w+)(?:\s+[^:]*?)??(?:\s+\*{0,2}(\w+))?:\s*(.*)$")


def described(docstring: str | None) -> Described:
    """Read a docstring in the style of Google (`Args:`) or of Sphinx (`:param name:`)."""
    text: list[str] = []
    notes: dict[str, list[str]] = {}
    section, current, indent = "", text, 0
    for line in inspect.cleandoc(docstring or "").splitlines():
        bare, depth = line.strip(), len(line) - len(line.lstrip())
        if bare and not depth and (header := _SECTION.match(line)):
            section, current, indent = header[1], [], 0
        elif bare and not depth and (field := _FIELD.match(line)):
            section, current = "field", []
            if field[1] in ("param", "parameter", "arg", "argument") and field[2]:
                current = notes.setdefault(field[2], [])
                current.append(field[3])
        elif bare and not depth and section:
            section, current = "", text
            text.append(line)
        elif section in _OF_PARAMETERS and bare:
            indent = indent or depth
            entry = _ENTRY.match(bare) if depth <= indent else None
            if entry is not None:
                current = notes.setdefault(entry[1], [])
            current.append(bare if entry is None else entry[2])
        elif section:
            current.append(bare)
        else:
            text.append(line)
    told = {name: " ".join(filter(None, lines)) for name, lines in notes.items()}
    return Described("\n".join(text).strip(), {name: note for name, note in told.items() if note})
