"""The steps of an answer as they finish, each once, whatever comes again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from msgspec import UNSET

from ..assembler import Assembler, answer_of
from ..assembly.interaction import InteractionBuilder
from ..codec.detached import detached
from ..models import FunctionCallStep, McpServerToolCallStep, StepDelta, StepStop, UserInputStep

if TYPE_CHECKING:
    from ..wire.events import Event

__all__ = ["FinishedSteps"]


class FinishedSteps:
    """Gives each step when it has stopped, once over all reopenings, rollbacks and hops.

    Input that leads an interaction is left out: a read has it and a create has not. So is a call
    whose arguments are missing or broken.
    """

    __slots__ = ("_answer", "_given", "_rollbacks")

    def __init__(self, assembler: Assembler) -> None:
        self._answer = answer_of(assembler)
        self._given: set[tuple[int, int]] = set()  # hop, and place among its own steps
        self._rollbacks = self._answer.rollbacks

    def after(self, event: Event) -> Iterator[Any]:
        """The steps that are finished now, after this event; in the order of their places."""
        answer = self._answer
        if type(event) is StepDelta:
            if answer.rollbacks == self._rollbacks:
                return iter(())
        elif type(event) is StepStop and not answer.current.in_runs:
            return self._stopped(event)
        return self.rest()

    def _stopped(self, event: StepStop) -> Iterator[Any]:
        """The one step that a stop closes."""
        current = self._answer.current
        builder = current.last if event.index is UNSET else current.routes.get(event.index)
        if builder is not None and builder.closed:
            lead = _leading_input(held.base for _, held in current.order)
            hop = len(self._answer.interactions) - 1
            yield from self._give(hop, builder.position - lead, builder.build())

    def rest(self) -> Iterator[Any]:
        """All steps that are finished and were not given yet."""
        self._rollbacks = self._answer.rollbacks
        for hop, held in enumerate(self._answer.interactions):
            steps, finished, positions = _steps_of(held)
            lead = _leading_input(steps)
            for step, is_finished, position in zip(steps, finished, positions, strict=True):
                if is_finished:
                    yield from self._give(hop, position - lead, step)

    def _give(self, hop: int, place: int, step: Any) -> Iterator[Any]:
        if place < 0 or (hop, place) in self._given or not _is_usable(step):
            return
        self._given.add((hop, place))
        yield detached(step)


def _steps_of(held: InteractionBuilder) -> tuple[list[Any], list[bool], list[int]]:
    """The steps, whether each is finished, and their positions."""
    if not held.order:  # a body, or nothing
        found: list[Any] = list(held.interaction.steps or ())
        return found, [held.ended] * len(found), list(range(len(found)))
    steps = held.steps()
    if not held.in_runs:
        closed = [builder.closed for _, builder in held.order]
        return steps, closed, [position for position, _ in held.order]
    # Contents of the legacy generation: a run of them ends with the next step.
    finished = [True] * (len(steps) - 1) + [held.ended]
    return steps, finished, list(range(len(steps)))


def _leading_input(steps: Iterable[Any]) -> int:
    """How many steps at the beginning are input."""
    return sum(1 for _ in takewhile(lambda step: isinstance(step, UserInputStep), steps))


def _is_usable(step: Any) -> bool:
    """Whether it can be acted on: no call without its arguments."""
    call = isinstance(step, FunctionCallStep | McpServerToolCallStep)
    return not call or step.arguments is not UNSET
