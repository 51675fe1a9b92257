"""Values whose end has not come: what a preview shows in the place of a text, object or array."""

from __future__ import annotations

__all__ = ["UnfinishedArray", "UnfinishedObject", "UnfinishedText"]


class UnfinishedText:
    """A text whose end has not come. It is no `str`, and it goes on growing.

    Attributes:
        complete: whether the end has come after all, since this was handed out.
    """

    __slots__ = ("_length", "_pieces", "complete")

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._length = 0
        self.complete = False

    @property
    def text(self) -> str:
        """All that has come. Cost: its length; `since` is for what comes after each delta."""
        if len(self._pieces) > 1:
            self._pieces = ["".join(self._pieces)]
        return self._pieces[0] if self._pieces else ""

    def since(self, start: int, /) -> str:
        """What came after the first `start` characters. Cost: the length of that."""
        pieces, missing = [], self._length - max(start, 0)
        for piece in reversed(self._pieces):
            if missing <= 0:
                break
            pieces.append(piece[-missing:])
            missing -= len(piece)
        return "".join(reversed(pieces))

    def __len__(self) -> int:
        return self._length

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        shown = "".join(self._pieces[:8])[:40]
        return f"<UnfinishedText {shown!r}… of {self._length} characters>"

    def append(self, piece: str) -> None:
        """For the preview that it belongs to."""
        self._pieces.append(piece)
        self._length += len(piece)


class UnfinishedObject:
    """An object inside the arguments whose end has not come; `ArgumentsPreview.get` looks inside.

    Attributes:
        names: the names of its members so far, in order. The last may still be unfinished.
    """

    __slots__ = ("names",)

    def __init__(self, names: tuple[str, ...]) -> None:
        self.names = names

    def __repr__(self) -> str:
        return f"<UnfinishedObject of {len(self.names)} members>"


class UnfinishedArray:
    """An array inside the arguments whose end has not come; `ArgumentsPreview.get` looks inside.

    Attributes:
        length: how many items there are so far. The last may still be unfinished.
    """

    __slots__ = ("length",)

    def __init__(self, length: int) -> None:
        self.length = length

    def __repr__(self) -> str:
        return f"<UnfinishedArray of {self.length} items>"
