"""The text of an answer as it comes, every character once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import UNSET

from ..assembler import Assembler, answer_of
from ..codec.structs import Unknown
from ..models import ModelOutputStep, StepDelta, TextContent, TextDelta
from ..wire.normalise import content_deltas, content_step, content_today, delta_today, normalise

if TYPE_CHECKING:
    from ..wire.events import Event

__all__ = ["TextPieces"]


class TextPieces:
    """Picks the text of the model's output out of the events; what comes again, only once.

    Joined, with the `rest()`, the pieces are the `full_text` of the answer, if its steps came in
    the order of their indexes and no replay went another way.
    """

    __slots__ = ("_answer", "_ended", "_given", "_held", "_place", "_rollbacks", "_started")

    def __init__(self, assembler: Assembler) -> None:
        self._answer = answer_of(assembler)
        self._held = ""  # the high half of a surrogate pair that was cut apart
        self._rollbacks = self._answer.rollbacks
        self._ended = self._answer.current.ended
        # Characters of output: how many were given away, and where the events are now.
        self._given = self._place = len(self._answer.build().full_text)
        self._started = self._all_started()

    def of(self, event: Event) -> str:
        """The text that an event brings, "" if none or if it was there before."""
        if type(event) is StepDelta and type(event.delta) is TextDelta:  # nearly all are
            text = event.delta.text
            step = self._answer.routes.get(event.index)
            if step is not None and type(step.base) is ModelOutputStep and text.isascii():
                return self.more(text)
            return self._new(self._delta(event.index, event.delta))
        return self._new("".join(map(self._brought, normalise(event))))

    def more(self, text: str) -> str:
        """The same for text of output in which there is no half of a surrogate pair."""
        place, answer = self._place, self._answer
        if (
            place == self._given
            and not self._held
            and answer.rollbacks == self._rollbacks
            and answer.current.ended is self._ended
        ):
            self._given = self._place = place + len(text)
            return text
        return self._new(text)

    def _new(self, text: str) -> str:
        """What of a text that an event brings was not given before."""
        answer = self._answer
        if (text and not text.isascii()) or self._held:
            text = self._paired(text)
        ended = answer.current.ended
        if answer.rollbacks != self._rollbacks or (text and ended is not self._ended):
            # The state went back, and the event is in it; or text comes after the end, which may
            # have brought some of its own.
            self._rollbacks = answer.rollbacks
            self._ended = ended
            whole = answer.build().full_text
            self._place = len(whole)
            self._started = self._all_started()
            text = whole[self._given :]
        else:
            repeated = self._given - self._place
            self._place += len(text)
            text = text[repeated:] if repeated > 0 else text
        self._given = max(self._given, self._place)
        return text

    def rest(self) -> str:
        """What no event brought: half of a pair, text that stands in the terminal event alone."""
        return self._answer.build().full_text[self._given :]

    def _brought(self, event: Any) -> str:
        kind = event.event_type
        if kind == "step.delta":
            return self._delta(event.index, event.delta)
        if kind == "content.delta" and event.delta is not UNSET:
            return "".join(self._delta(event.index, delta) for delta in content_deltas(event.delta))
        if kind == "step.start":
            return self._start(event.index, event.step)
        if kind == "content.start" and event.content is not UNSET:
            return self._start(event.index, content_step(event.content))
        return ""

    def _delta(self, index: Any, delta: Any) -> str:
        current = self._answer.current
        step = current.last if index is UNSET else current.routes.get(index)
        if step is None or type(step.base) is not ModelOutputStep:
            return ""
        if isinstance(delta, Unknown):
            delta = delta_today(delta, ModelOutputStep)
        return delta.text if type(delta) is TextDelta else ""

    def _start(self, index: Any, step: Any) -> str:
        """The text in the start of a step, unless it is the repetition of one."""
        current = self._answer.current
        builder = current.last if index is UNSET else current.routes.get(index)
        if builder is None:
            return ""
        place = len(self._answer.interactions), builder.position
        if place in self._started:
            return ""
        self._started.add(place)
        return self._text_in(step)

    def _all_started(self) -> set[tuple[int, int]]:
        """The steps that have started until now: which interaction, and where in it."""
        return {
            (number, builder.position)
            for number, interaction in enumerate(self._answer.interactions, 1)
            for _, builder in interaction.order
            if builder.started
        }

    def _text_in(self, step: Any) -> str:
        if not isinstance(step, ModelOutputStep):
            return ""
        parts = map(content_today, step.content or ())
        return "".join(part.text for part in parts if isinstance(part, TextContent))

    def _paired(self, text: str) -> str:
        text = self._held + text
        self._held = text[-1] if "\ud800" <= text[-1:] <= "\udbff" else ""
        if self._held:
            text = text[:-1]
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
