"""The preview: a parser of JSON text that comes in pieces, and shows what it has at any time."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

import msgspec
from msgspec import UNSET, UnsetType

from ..codec.detached import detached
from ..codec.encode import encode
from .unfinished import UnfinishedArray, UnfinishedObject, UnfinishedText

__all__ = ["ArgumentsPreview", "ArgumentsSnapshot"]


class ArgumentsSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """A copy of what a preview shows, to be sent to a screen; `encode()` takes it."""

    so_far: dict[str, Any]
    """The members that have come. Texts may be cut, and whatever comes later is missing."""
    unfinished: tuple[str | int, ...] | None = None
    """The path to what is being read, `()` for the whole; None if the object has ended."""
    problem: str | None = None
    """Why the text is no JSON object, if that is known already."""


class ArgumentsPreview:
    """A look at the arguments of a call before all of them have come.

    Feed it the fragments of one call. What it shows only grows: a member stays as it is, unless the
    object has its name a second time, when the last one counts as in any JSON. The end of a text is
    held back while it could turn out to be half of a character or of an escape, and a number or a
    literal is shown when it has ended.

    It is neither a dict nor a mapping and nothing encodes it, because it is not the arguments: the
    text may be damaged, and half of `/home/ada/tmp` is `/home`. Those are in the call's own
    `parsed_arguments()`, after its step has stopped.

    The preview of a text is the same however it was cut: `ArgumentsPreview(preview.text)` goes on
    in another process.

    Not thread-safe. Cost: each character is looked at once, whatever came before it.

    Args:
        text: what has come already.

    Attributes:
        problem: why the text is no JSON object, with the character; None while it can still be
            one. What was shown stays, and nothing is added.
    """

    __slots__ = (
        *("_fragments", "_half", "_held", "_keys", "_leaf", "_length", "_live", "_naming"),
        *("_open", "_root", "_state", "_token", "problem"),
    )

    def __init__(self, text: str = "", /) -> None:
        self.problem: str | None = None
        self._fragments: list[str] = []
        self._length = 0  # of the fragments
        self._root: dict[str, Any] = {}
        # The containers that have not ended, from the root on, and in each the key of what is
        # being read; `_live` says whether the last key is that of a value which has not ended.
        self._open: list[Any] = []
        self._keys: list[str | int] = []
        self._live = False
        self._state: _State = ArgumentsPreview._start
        self._leaf = UnfinishedText()
        self._naming = False  # the leaf is the name of a member
        self._half = ""  # a high surrogate whose low one may follow
        self._token: list[str] = []  # of a number or a literal
        self._held = ""  # half of an escape
        self.feed(text)

    # ---- what is shown

    @property
    def complete(self) -> bool:
        """Whether the object has ended. That is not yet the end of the step."""
        return self._state is ArgumentsPreview._end

    @property
    def text(self) -> str:
        """The JSON text as it came, joined. Cost: its length."""
        self._fragments = ["".join(self._fragments)]
        return self._fragments[0]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the arguments so far, in order. The value of the last may be unfinished."""
        return tuple(self._root)

    @property
    def unfinished(self) -> tuple[str | int, ...] | None:
        """The path to what is being read: names, and positions in arrays; None after the end.

        `()` is the object itself, between two members. Nothing may be shown there yet.
        """
        if self.complete:
            return None
        return tuple(self._keys if self._live else self._keys[:-1])

    def get(self, name: str, /, *path: str | int) -> Any:
        """What is shown of an argument, or of something inside of it.

        Args:
            name: of the argument.
            path: the names and positions that lead on from there; -1 is the last item so far.

        Returns:
            A plain value of its own if that has ended; an `UnfinishedText`, `UnfinishedObject` or
            `UnfinishedArray` if not; UNSET if nothing is shown there.

        Cost: the length of the path, and the size of a list or dict that has ended.
        """
        value: Any = self._root
        for key in (name, *path):
            value = _inside(value, key)
        depth = 1 + len(path)
        if depth >= len(self._open) or self._open[depth] is not value:
            return detached(value)
        return (
            UnfinishedObject(tuple(value)) if type(value) is dict else UnfinishedArray(len(value))
        )

    def snapshot(self) -> ArgumentsSnapshot:
        """A copy of all that is shown. Cost: its size, so not for every delta of a long call."""
        members: dict[str, Any] = detached(self._root)
        unfinished = self.unfinished
        holder: Any = members
        for key in (unfinished or ())[:-1]:
            holder = holder[key]
        if unfinished:
            value = _inside(holder, unfinished[-1])
            if isinstance(value, UnfinishedText):
                holder[unfinished[-1]] = value.text
        return ArgumentsSnapshot(so_far=members, unfinished=unfinished, problem=self.problem)

    def __repr__(self) -> str:
        state = "complete" if self.complete else self.problem or "unfinished"
        return f"<ArgumentsPreview of {len(self._root)} arguments, {state}>"

    # ---- what comes

    def feed(self, fragment: str | Mapping[str, Any] | UnsetType | None, /) -> None:
        """Take in `delta.arguments`. Text that is no JSON raises nothing: see `problem`.

        Args:
            fragment: a piece of the text; an object, as some gateways send it, stands for its
                text; UNSET and None are nothing.

        Raises:
            TypeError: it is none of these.
        """
        if isinstance(fragment, Mapping):
            fragment = encode(dict(fragment)).decode()
        elif fragment is None or fragment is UNSET:
            return
        elif not isinstance(fragment, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError(f"a fragment of arguments is a text, not {type(fragment).__name__}")
        self._fragments.append(fragment)
        self._length += len(fragment)
        text, self._held = self._held + fragment, ""
        at = 0
        while at < len(text):
            at = self._state(self, text, at)

    # Each state takes what it can of the text from a position on, and gives the next position.

    def _start(self, text: str, at: int) -> int:
        at = _after_blanks(text, at)
        if at == len(text):
            return at
        if text[at] != "{":
            return self._refuse("no object", text, at)
        return self._enter(self._root, at)

    def _first_name(self, text: str, at: int) -> int:
        at = _after_blanks(text, at)
        if text.startswith("}", at):
            return self._leave(at)
        self._state = ArgumentsPreview._name
        return at

    def _name(self, text: str, at: int) -> int:
        at = _after_blanks(text, at)
        if at == len(text):
            return at
        if text[at] != '"':
            return self._refuse("no name of a member", text, at)
        self._naming, self._leaf = True, UnfinishedText()
        self._state = ArgumentsPreview._characters
        return at + 1

    def _colon(self, text: str, at: int) -> int:
        at = _after_blanks(text, at)
        if at == len(text):
            return at
        if text[at] != ":":
            return self._refuse("no colon after a name", text, at)
        self._state = ArgumentsPreview._value
        return at + 1

    def _first_item(self, text: str, at: int) -> int:
        at = _after_blanks(text, at)
        if text.startswith("]", at):
            return self._leave(at)
        if at < len(text):
            self._state = ArgumentsPreview._value
        return at

    def _value(self, text: str, at: int) -> int:
        at = _after_blanks(text, at)
        if at == len(text):
            return at
        if type(self._open[-1]) is list:
            self._keys[-1] = len(self._open[-1])
        self._live = True
        char = text[at]
        if char == '"':
            self._naming, self._leaf = False, UnfinishedText()
            self._put(self._leaf)
            self._state = ArgumentsPreview._characters
            return at + 1
        if char in "{[":
            inner: Any = {} if char == "{" else []
            self._put(inner)
            return self._enter(inner, at)
        if not _TOKEN.match(text, at):
            return self._refuse("no value", text, at)
        self._token = []
        self._state = ArgumentsPreview._number_or_literal
        return at

    def _characters(self, text: str, at: int) -> int:
        """Inside a text or a name."""
        run = _RUN.match(text, at)
        if run is not None:
            self._append(run[0])
            return run.end()
        if text[at] == '"':
            return self._end_text(at)
        escape = _ESCAPE.match(text, at)
        if escape is not None:
            self._append(_SHORT.get(escape[0]) or chr(int(escape[0][2:], 16)))
            return escape.end()
        if _HALF_ESCAPE.match(text, at):
            self._held = text[at:]
            return len(text)
        if _is_surrogate(text[at]):
            self._append(text[at])
            return at + 1
        return self._refuse("no character of a text", text, at)

    def _number_or_literal(self, text: str, at: int) -> int:
        run = _TOKEN.match(text, at)
        if run is not None:
            self._token.append(run[0])
            return run.end()
        token = "".join(self._token)
        value = _scalar(token)
        if value is UNSET:
            return self._refuse("no number and no literal", text, at)
        self._put(value)
        self._live = False
        self._state = ArgumentsPreview._after_value
        return at

    def _after_value(self, text: str, at: int) -> int:
        at = _after_blanks(text, at)
        if at == len(text):
            return at
        is_list = type(self._open[-1]) is list
        if text[at] == ("]" if is_list else "}"):
            return self._leave(at)
        if text[at] != ",":
            return self._refuse("no comma after a value", text, at)
        self._state = ArgumentsPreview._value if is_list else ArgumentsPreview._name
        return at + 1

    def _end(self, text: str, at: int) -> int:
        at = _after_blanks(text, at)
        return at if at == len(text) else self._refuse("more after the object", text, at)

    def _refused(self, text: str, at: int) -> int:
        return len(text)

    # ---- what the states do

    def _refuse(self, reason: str, text: str, at: int) -> int:
        self.problem = f"{reason} at character {self._length - len(text) + at}"
        self._state = ArgumentsPreview._refused
        return len(text)

    def _put(self, value: Any) -> None:
        holder = self._open[-1]
        if type(holder) is list:
            holder.append(value)
        else:
            holder[self._keys[-1]] = value

    def _enter(self, container: Any, at: int) -> int:
        self._open.append(container)
        self._keys.append(0)
        self._live = False
        is_list = type(container) is list
        self._state = ArgumentsPreview._first_item if is_list else ArgumentsPreview._first_name
        return at + 1

    def _leave(self, at: int) -> int:
        self._open.pop()
        self._keys.pop()
        self._live = False
        self._state = ArgumentsPreview._after_value if self._open else ArgumentsPreview._end
        return at + 1

    def _append(self, piece: str) -> None:
        """A run of characters, or a single one, which may be half of a surrogate pair."""
        high, self._half = self._half, ""
        if "\ud800" <= piece < "\udc00":
            self._half, piece = piece, ""
        elif _is_surrogate(piece):
            pair = (high + piece).encode("utf-16", "surrogatepass")
            high, piece = "", pair.decode("utf-16", "replace") if high else REPLACEMENT
        if high:
            piece = REPLACEMENT + piece
        if piece:
            self._leaf.append(piece)

    def _end_text(self, at: int) -> int:
        self._append("")
        self._leaf.complete = True
        holder = self._open[-1]
        if self._naming:
            self._keys[-1] = self._leaf.text
            self._live = True
            self._state = ArgumentsPreview._colon
        else:
            holder[self._keys[-1]] = self._leaf.text
            self._live = False
            self._state = ArgumentsPreview._after_value
        return at + 1


_State: TypeAlias = Callable[[ArgumentsPreview, str, int], int]

REPLACEMENT: Final = "\ufffd"
"""What stands for half of a surrogate pair, here and in the arguments of the call."""

_BLANKS: Final = re.compile(r"[ \t\n\r]*+")
_RUN: Final = re.compile(r'[^"\\\x00-\x1f\ud800-\udfff]++')
_ESCAPE: Final = re.compile(r'\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})')
_HALF_ESCAPE: Final = re.compile(r"\\(?:u[0-9a-fA-F]{0,3})?\Z")
_TOKEN: Final = re.compile(r"[-+.0-9A-Za-z]++")
_INT: Final = re.compile(r"-?(?:0|[1-9][0-9]*+)")
_FLOAT: Final = re.compile(r"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?")

_SHORT: Final = {
    '\\"': '"',
    "\\\\": "\\",
    "\\/": "/",
    "\\b": "\b",
    "\\f": "\f",
    "\\n": "\n",
    "\\r": "\r",
    "\\t": "\t",
}
_LITERALS: Final[dict[str, Any]] = {
    "true": True,
    "false": False,
    "null": None,
}


def _after_blanks(text: str, at: int) -> int:
    blanks = _BLANKS.match(text, at)
    assert blanks is not None  # it matches nothing, too
    return blanks.end()


def _is_surrogate(char: str) -> bool:
    return "\ud800" <= char < "\ue000"


def _scalar(token: str) -> Any:
    """The value of a whole number or literal; UNSET if it is none that arguments may have."""
    if token in _LITERALS:
        return _LITERALS[token]
    if _INT.fullmatch(token):
        try:
            return int(token)
        except ValueError:  # longer than sys.get_int_max_str_digits()
            return UNSET
    value = float(token) if _FLOAT.fullmatch(token) else math.inf
    return value if math.isfinite(value) else UNSET


def _inside(value: Any, key: str | int) -> Any:
    """The member or item, UNSET if there is none."""
    if type(value) is dict:
        return value.get(key, UNSET)
    if type(value) is list and isinstance(key, int) and -len(value) <= key < len(value):
        return value[key]
    return UNSET
