"""What the states of a checkpoint have in common, and what therefore is in it once.

A savepoint is an earlier state of the same answer: its texts are the beginnings of those of the
present, and nearly all of its steps are the same. So states name texts, values and steps by their
place in one list for each.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Final

import msgspec
from msgspec import Raw

from ..codec.encode import encode
from ..codec.json import read_json
from .form import ABSENT, PackedStep, Text, as_raw, of_raw

__all__ = ["Given", "Shared"]

SHORT: Final = 64
"""What is not longer stands where it belongs; its place in a list would be as long."""


class Shared:
    """Collects what a checkpoint has once, while its states are packed, the oldest first.

    Args:
        several: whether there is more than one state, so that steps may come again.
    """

    __slots__ = (
        "_places",
        "_several",
        "_step_places",
        "_value_places",
        "steps",
        "texts",
        "values",
    )

    def __init__(self, several: bool) -> None:
        self._several = several
        self.texts: list[str] = []
        self.values: list[Raw] = []
        self.steps: list[PackedStep] = []
        self._places: dict[Hashable, int] = {}
        self._value_places: dict[bytes, int] = {}
        self._step_places: dict[bytes, int] = {}

    def text(self, owner: Hashable, text: str) -> Text:
        """A text that may have grown since its owner had it in an older state."""
        place = self._places.get(owner)
        if place is not None and self.texts[place].startswith(text):
            return place, len(text)
        if place is None or not text.startswith(self.texts[place]):
            place = self._places[owner] = len(self.texts)
            self.texts.append(text)
        else:
            self.texts[place] = text
        return place, len(text)

    def value(self, json: bytes) -> tuple[Raw, int | None]:
        """JSON as it stands where it belongs, if it is short, or else its place."""
        if len(json) <= SHORT:
            return as_raw(json), None
        place = self._value_places.setdefault(json, len(self.values))
        if place == len(self.values):
            self.values.append(as_raw(json))
        return ABSENT, place

    def step(self, step: PackedStep) -> int:
        """The place of a step."""
        place = len(self.steps)
        if self._several:
            place = self._step_places.setdefault(msgspec.json.encode(step), place)
        if place == len(self.steps):
            self.steps.append(step)
        return place

    def raw_texts(self) -> list[Raw]:
        """The texts as JSON."""
        return [as_raw(encode(text)) for text in self.texts]


class Given:
    """What a checkpoint had once, while its states are unpacked."""

    __slots__ = ("_texts", "_values", "steps")

    def __init__(self, texts: list[Raw], values: list[Raw], steps: list[PackedStep]) -> None:
        self._texts: list[str] = [read_json(of_raw(text)) for text in texts]
        self._values = [of_raw(value) for value in values]
        self.steps = steps

    def text(self, text: Text) -> str:
        """A text by its place and length."""
        place, length = text
        return self._texts[place][:length]

    def value(self, json: Raw, place: int | None) -> bytes:
        """JSON that stands where it belongs, or has a place."""
        return of_raw(json) if place is None else self._values[place]
