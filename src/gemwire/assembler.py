"""Event → Interaction: rebuilds from a stream what the same call gives without streaming.

The state is an `Answer`; `Savepoints` are the states it may go back to; a `Gate` stands before it
while the response to a resume request has not shown how it goes on. The rules are those of
docs/assembly.md and docs/resume.md.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any

from .assembly.answer import Answer
from .assembly.fold import fold_all, strings_of
from .assembly.report import StreamReport
from .assembly.verdict import OnDamage, decide, raise_unless_usable, search_unknown
from .codec.detached import detached
from .models import Interaction, Step
from .resume.checkpoint import Held, read_checkpoint, write_checkpoint
from .resume.comparison import Repetition, conclude_replay
from .resume.gate import Gate
from .resume.savepoints import Savepoints

if TYPE_CHECKING:
    from .models import ServerEvent
    from .wire.events import Event

__all__ = ["Assembler"]


class Assembler:
    """Takes the events of a stream, one by one, and has the `Interaction` at any time.

    Push every event into `apply()`; call `finish()` when there are no more. This is for events of a
    stream that you vouch for: what stands outside of the events (a bare JSON error, a JSON body,
    text of a proxy) is seen by `InteractionParser` and the streams, which are fed with bytes.

    Not thread-safe. Events may be shared between assemblers; what it hands out shares no list or
    dict with its state.
    """

    __slots__ = ("_answer", "_gate", "_repetition", "_savepoints")

    def __init__(self) -> None:
        self._answer = Answer()
        self._savepoints = Savepoints()
        self._gate: Gate | None = None
        self._repetition: Repetition | None = None

    @property
    def report(self) -> StreamReport:
        """What happened so far, as a value: it does not change when more events come.

        Cost: the number of issues, unknown things and hops.
        """
        return self._answer.report()

    def apply(self, event: Event | ServerEvent, /) -> None:
        """Take in one event, of any kind; never raises for what a server may send.

        Raises:
            TypeError: it is no event.

        Cost: amortised the size of the event.
        """
        if self._gate is not None or self._repetition is not None or self._savepoints.held:
            self.apply_all((event,))
            return
        answer = self._answer
        answer.event_count += 1
        fold_all(answer, iter((event,)))
        if answer.savepoints_due:
            self._savepoints.place(answer)

    def apply_all(self, events: Collection[Event | ServerEvent], /) -> None:
        """Take in several events; the same as `apply()` for each, with less overhead."""
        self._answer.event_count += len(events)
        rest = iter(events)
        while self._gate is not None or self._repetition is not None:
            event = next(rest, None)
            if event is None:
                return
            if self._admits(event):
                self._fold(iter((event,)))
        self._fold(rest)

    def _fold(self, events: Iterator[Any]) -> None:
        answer, savepoints = self._answer, self._savepoints
        while True:
            fold_all(answer, savepoints.noted(events) if savepoints.held else events)
            if not answer.savepoints_due:
                return
            savepoints.place(answer)

    def _admits(self, event: Any) -> bool:
        """Whether an event of a stream that was reopened is to be folded."""
        if self._repetition is not None and (again := self._repetition.takes(event)) is not None:
            self._repetition = None
            if again:
                self._answer.findings.issue("repeated")
        gate = self._gate
        if gate is None:
            return True
        admitted = gate.admit(event)
        if not gate.undecided:
            self._gate = None
        return admitted

    def snapshot(self) -> Interaction:
        """The interaction as assembled so far; it shares nothing that can change with later ones.

        Cost: the bytes of the parts that are still open, and the number of steps, parts and
        annotations.
        """
        return detached(self._answer.build())  # type: ignore[no-any-return]

    def step(self, index: int, /) -> Step:
        """One step as it is now, by the `index` of its events: to act on a call at its `step.stop`.

        Raises:
            IndexError: no event has opened a step with this index.
        """
        builder = self._answer.routes.get(index)
        if builder is None:
            raise IndexError(f"no step with index {index}")
        return detached(builder.build())  # type: ignore[no-any-return]

    def settle(self) -> None:
        """Say that no more events come, without raising: the outcome is in `report`.

        May be called again; later calls change nothing.
        """
        answer, savepoints = self._answer, self._savepoints
        self._end_stream()
        conclude_replay(answer, savepoints)
        self._repetition = Repetition.after(answer, savepoints)
        search_unknown(answer)

    def _end_stream(self) -> None:
        answer = self._answer
        if answer.savepoints_due:  # by a body
            self._savepoints.place(answer)
        decide(answer)
        if self._repetition is not None and self._repetition.expected:  # as far as it came
            answer.findings.issue("repeated")
        self._repetition = None

    def finish(self, *, damaged: OnDamage = "raise") -> Interaction:
        """Say that no more events come, and return the Interaction.

        Returns it for every status that the server ended with, `failed` and `incomplete` included:
        look at `status`. May be called again.

        Args:
            damaged: "keep" returns the answer though a part of the stream could not be read.

        Raises:
            ServerError: the server sent an error and nothing after it.
            TruncatedStream: the stream stopped before its end.
            ArgumentsError: the answer asks for a call whose arguments are no JSON object (status
                `completed` or `requires_action`), or a part of them could not be read.
            DamagedStream: an event could not be read, and `damaged` is "raise".
            All of them have `.interaction`, what was assembled, and `.report`.
        """
        self.settle()
        interaction = self.snapshot()
        raise_unless_usable(self._answer, interaction, damaged)
        return interaction

    def reopen(self, replay: bool = False) -> None:
        """What is applied next is the response to a request made with `report.resume`.

        Its first events then decide how it goes on: behind the last event id, with the next hop, or
        from the start; see docs/resume.md. Without this call, events go on in the same stream.

        Args:
            replay: it begins from the start, whatever was held.
        """
        self._end_stream()
        self._gate = Gate.of_response(self._answer, self._savepoints, replay)

    def checkpoint(self) -> bytes:
        """The state as bytes, to go on in another process.

        Versioned and checked, without pickle, and about as large as what was assembled.

        Raises:
            GemwireError: a part of the state is nested too deeply (some 300 levels).
        """
        expected = [] if self._repetition is None else self._repetition.expected
        return write_checkpoint(Held(self._answer, self._savepoints, self._gate, expected))

    @classmethod
    def restore(cls, data: bytes, /) -> Assembler:
        """The assembler that a checkpoint was taken of; what is applied goes on in the same stream.

        For the response to a resume request, call `reopen()` first.

        Raises:
            CheckpointError: these are no bytes of a checkpoint, they were damaged, or another
                version of gemwire wrote them.
        """
        assembler = cls()
        held = read_checkpoint(data)
        assembler._answer, assembler._savepoints, assembler._gate, expected = held
        if assembler._gate is None:
            assembler._repetition = Repetition.after(held.answer, held.savepoints, expected)
        return assembler


def answer_of(assembler: Assembler) -> Answer:
    """The state of an assembler, for the streams of this package."""
    return assembler._answer  # pyright: ignore[reportPrivateUsage]


def grow(assembler: Assembler, event: Any) -> None:
    """What `apply` does, sooner for a string that is only appended: for a delta of the lane."""
    answer: Answer = assembler._answer  # pyright: ignore[reportPrivateUsage]
    step = answer.routes.get(event.index)
    if (
        step is not None
        and event.delta.type == "text"
        and (text := step.text_part) is not None
        and not assembler._savepoints.held  # pyright: ignore[reportPrivateUsage]
        and assembler._gate is None  # pyright: ignore[reportPrivateUsage]
        and assembler._repetition is None  # pyright: ignore[reportPrivateUsage]
    ):
        text.append(event.delta.text)
        answer.event_count += 1
    elif (
        event.delta.type == "arguments_delta"
        and (fragments := open_strings(assembler, event)) is not None
    ):
        fragments.append(event.delta.arguments)
        answer.event_count += 1
    else:
        assembler.apply(event)


def open_strings(assembler: Assembler, event: Event) -> list[str] | None:
    """Where the strings of events like this one are only to be appended; None if they need more, or
    if each event is looked at before it is folded.
    """
    held = assembler._savepoints.held  # pyright: ignore[reportPrivateUsage]
    gate = assembler._gate  # pyright: ignore[reportPrivateUsage]
    if held or gate is not None or assembler._repetition is not None:  # pyright: ignore[reportPrivateUsage]
        return None
    return strings_of(assembler._answer, event)  # pyright: ignore[reportPrivateUsage]


def read_on(assembler: Assembler) -> Assembler:
    """What comes is known to be the rest of the same stream: nothing in it comes again."""
    assembler._repetition = None  # pyright: ignore[reportPrivateUsage]
    return assembler
