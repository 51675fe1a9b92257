"""What a reader of a generated package has to know: what is not as it stands in the document."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final, NamedTuple

__all__ = ["KINDS", "Note", "Notes", "Refused", "pointer", "too_long"]

KINDS: Final = {
    "renamed": "cannot be called that in Python",
    "named": "stands inside of another schema, and got a name",
    "loosened": "msgspec cannot express it, or it is not checked; the type holds more",
    "left out": "says nothing about the wire that a type could say",
}


class Refused(Exception):
    """A construct of a document that cannot be generated.

    Attributes:
        place: where it stands, as a JSON pointer.
        what: what stands there.
        do: what to do about it.
    """

    def __init__(self, place: str, what: str, do: str) -> None:
        super().__init__(f"{place}: {what}. {do}")
        self.place = place
        self.what = what
        self.do = do


class Note(NamedTuple):
    """One thing that is not as it stands in the document."""

    kind: str
    place: str
    text: str


class Notes:
    """All of them, in order."""

    def __init__(self) -> None:
        self.found: list[Note] = []

    def add(self, kind: str, place: str, text: str) -> None:
        assert kind in KINDS
        note = Note(kind, place, text)
        if note not in self.found:
            self.found.append(note)

    def lines(self) -> Iterable[str]:
        """As text, by kind."""
        counts = Counter(note.kind for note in self.found)
        for kind, meaning in KINDS.items():
            if counts[kind]:
                yield f"{kind} ({counts[kind]}): {meaning}"
                for note in self.found:
                    if note.kind == kind:
                        yield f"  {note.place}: {note.text}"


def pointer(*steps: str | int) -> str:
    """A JSON pointer (RFC 6901), as the fragment of a URL that references have."""
    return "#" + "".join("/" + str(s).replace("~", "~0").replace("/", "~1") for s in steps)


def too_long() -> Refused:
    """What is raised where references lead further than Python can follow."""
    what = "schemas that lead on from one to the next, hundreds of times"
    return Refused(
        pointer("components", "schemas"), what, "Shorten the way with `alias` in an overlay"
    )
