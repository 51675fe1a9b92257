"""The steps of an answer as they finish, each once, whatever comes again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import takewhile
from typing import TYPE_CHECKING, Any, Final

from msgspec import UNSET

from ..assembler import Assembler, answer_of
from ..assembly.interaction import InteractionBuilder
from ..codec.detached import detached
from ..models import FunctionCallStep, McpServerToolCallStep, StepStop, UserInputStep
from ..resume.comparison import PlacedStep, placed_steps

if TYPE_CHECKING:
    from ..wire.events import Event

__all__ = ["FinishedSteps"]

FINISH_NOTHING: Final = frozenset(
    {"content.delta", "interaction.status_update", "step.delta", "step.start"}
)
"""The kinds of events that close no step, unless the state went somewhere else with them."""


class FinishedSteps:
    """Gives each step when it has stopped, once over all reopenings, rollbacks and hops.

    It begins with those that finish from here on: who goes on from a checkpoint has acted on the
    others before. Input that leads an interaction is left out: a read has it and a create has not.
    So is a call whose arguments are missing or broken.
    """

    __slots__ = ("_answer", "_given", "_rollbacks")

    def __init__(self, assembler: Assembler) -> None:
        self._answer = answer_of(assembler)
        self._given: set[tuple[int, int]] = set()  # hop, and place among its own steps
        for _ in self.rest():
            pass
        replayed = self._answer.replayed
        if replayed is not None:
            self._given.update(key for key, _ in _finished(replayed.hop, replayed.current))

    def after(self, event: Event) -> Iterator[Any]:
        """The steps that are finished now, after this event; in the order of their places."""
        answer = self._answer
        if answer.rollbacks == self._rollbacks:
            if event.event_type in FINISH_NOTHING:
                return iter(())
            if type(event) is StepStop and not answer.current.in_runs:
                return self._stopped(event)
        return self.rest()

    def _stopped(self, event: StepStop) -> Iterator[Any]:
        """The one step that a stop closes."""
        current = self._answer.current
        builder = current.last if event.index is UNSET else current.routes.get(event.index)
        if builder is not None and builder.closed:
            step = builder.build()
            lead = _leading_input(held.base for _, held in current.order)
            placed = PlacedStep(builder.position, step, True, builder.broken is not None)
            if _is_usable(placed):
                yield from self._give(
                    (len(self._answer.interactions) - 1, placed.position - lead), step
                )

    def rest(self) -> Iterator[Any]:
        """All steps that are finished and were not given yet."""
        self._rollbacks = self._answer.rollbacks
        for hop, held in enumerate(self._answer.interactions):
            for key, step in _finished(hop, held):
                yield from self._give(key, step)

    def _give(self, key: tuple[int, int], step: Any) -> Iterator[Any]:
        if key[1] >= 0 and key not in self._given:
            self._given.add(key)
            yield detached(step)


def _finished(hop: int, held: InteractionBuilder) -> Iterator[tuple[tuple[int, int], Any]]:
    """The steps of an interaction that can be acted on, each with what tells it from others."""
    placed = placed_steps(held)
    lead = _leading_input(one.step for one in placed)
    for one in placed:
        if one.is_finished and _is_usable(one):
            yield (hop, one.position - lead), one.step


def _leading_input(steps: Iterable[Any]) -> int:
    """How many steps at the beginning are input."""
    return sum(1 for _ in takewhile(lambda step: isinstance(step, UserInputStep), steps))


def _is_usable(placed: PlacedStep) -> bool:
    """Whether it can be acted on: no call without its arguments, and none without a name."""
    if isinstance(placed.step, FunctionCallStep) and placed.step.name is UNSET:
        return False
    call = isinstance(placed.step, FunctionCallStep | McpServerToolCallStep)
    return not placed.is_broken and not (call and placed.step.arguments is UNSET)
