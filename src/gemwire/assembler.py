"""Event → Interaction: rebuilds from a stream what the same call gives without streaming.

The rules are those of docs/assembly.md. The state is one `Hop` for each interaction of the answer
(nearly always one), with a builder for each step; the builders know what a delta does to a step.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any, ClassVar, Final

from msgspec import UNSET
from msgspec.structs import replace

from .base import Unknown, WireStruct
from .builder import TOO_DEEP, Build, StepBuilder
from .codec import as_today, to_dict
from .errors import error_info
from .marks import NO_TOKEN
from .models import (
    ErrorEvent,
    Interaction,
    InteractionCompletedEvent,
    InteractionCreatedEvent,
    InteractionStatusUpdate,
    Step,
    StepDelta,
    StepStart,
    StepStop,
    TextDelta,
    ThoughtSignatureDelta,
    UnknownInteractionSseEvent,
)
from .outcome import Decided
from .report import IN_PROGRESS
from .steps import builder_for, opened_by
from .walk import Misfit, split_object, struct

__all__ = ["Assembler"]

DONE_DATA: Final = b"[DONE]"
LEGACY_MODELS: Final = "gemwire.models.legacy"


class Assembler(Decided):
    """Takes the events of a stream, one by one, and has the `Interaction` at any time.

    Push every event into `apply()`; call `finish()` when there are no more bytes. `report` says at
    any time what came of it. Not thread-safe; events may be shared between assemblers.
    """

    __slots__ = ()

    def apply(self, event: Any, /) -> None:
        """Take in one event, of any kind; never raises for what a server may send.

        Cost: amortised the size of the event.
        """
        self.apply_all((event,))

    def apply_all(self, events: Collection[Any], /) -> None:
        """Take in several events; the same as `apply()` for each, with less overhead.

        Cost: amortised the size of the events.
        """
        self.report.events += len(events)
        rest = iter(events)
        while True:
            try:
                if self.marks:
                    self._apply_marked(rest)
                else:
                    self._apply_unmarked(rest)
            except TOO_DEEP as error:  # what the event brought until then stays
                self.report.issue("too_deep", None, str(error))
                if self.due:
                    self.place_marks()
            else:
                return

    def _apply_unmarked(self, events: Iterator[Any]) -> None:
        """Take in all events, or those up to one that places the first mark."""
        routes = self.routes
        for event in events:
            if (
                type(event) is StepDelta  # nearly all events are
                and event.index in routes
                and event.event_id is UNSET
                and event.metadata is UNSET
                and event.extra_ is UNSET
                and event.delta.extra_ is UNSET
            ):
                delta: Any = event.delta
                step = routes[event.index]
                if type(delta) is TextDelta:  # and nearly all of them are text
                    if step.text_part is not None:
                        step.text_part.append(delta.text)
                        continue
                elif (fold := step.folds.get(type(delta))) is not None and not step.closed:
                    fold(step, delta)
                    continue
            (self.HANDLERS.get(type(event)) or _rare(event))(self, event)
            routes = self.routes  # a new hop has its own
            if self.due:
                self.place_marks()
                self._apply_marked(events)
                return

    def _apply_marked(self, events: Iterable[Any]) -> None:
        """The same while there are marks, which need to know what came after them."""
        for event in events:
            for mark in (self.marks or {}).values():
                mark.note(event)
            (self.HANDLERS.get(type(event)) or _rare(event))(self, event)
            if self.due:
                self.place_marks()

    def step(self, index: int, /) -> Step:
        """One step as it is now, by the `index` of its events: to act on a call at its `step.stop`.

        Raises:
            IndexError: no event has opened a step with this index.
        """
        builder = self.routes.get(index)
        if builder is None:
            raise IndexError(f"no step with index {index}")
        return builder.build()  # type: ignore[no-any-return]

    def checkpoint(self) -> bytes:
        """The state as bytes, to go on in another process; see `gemwire.resume`.

        Versioned and checked, without pickle, and about as large as what was assembled.

        Raises:
            GemwireError: a part of the state is nested too deeply (some 300 levels).
        """
        from .checkpoint import write_checkpoint

        return write_checkpoint(self)

    @classmethod
    def restore(cls, data: bytes, /) -> Assembler:
        """The assembler that a checkpoint was taken of.

        Raises:
            CheckpointError: these are no bytes of a checkpoint, or they were damaged.
        """
        from .checkpoint import read_checkpoint

        return read_checkpoint(data)

    def _routed(self, index: object) -> StepBuilder | None:
        """The step that an event belongs to; the one opened last if the event does not say."""
        if index is UNSET:
            step = self.hop.last
            self.report.issue("index_missing", None if step is None else step.index)
            return step
        return self.routes.get(index)

    # ---- what the streams of this package need beside the public methods

    def kind_at(self, index: object) -> type | None:
        """The kind of step that an index leads to."""
        builder = self.hop.last if index is UNSET else self.routes.get(index)
        return None if builder is None else type(builder.base)

    def took(self, event: StepStart) -> bool:
        """Whether a start opened its step, and was no repetition."""
        builder = self.hop.last if event.index is UNSET else self.routes.get(event.index)
        return builder is not None and builder.base is event.step

    # ---- events

    def _created(self, event: InteractionCreatedEvent) -> None:
        self.envelope(event)
        report, hop, payload = self.report, self.hop, as_today(event.interaction)
        held = hop.interaction.id
        if held is not UNSET and payload.id:
            if payload.id == held:
                report.issue("created_again", None, held)
                hop.created_again = payload
                return
            if not self.token.value and hop.interaction.status != "requires_continuation":
                report.issue("second_id", None, f"{held} / {payload.id}")
            self.next_hop()
        elif hop.ended and hop.interaction.status == "requires_continuation":
            self.next_hop()  # with `store: false` no hop has an id
        elif held is UNSET and hop.created and not payload.id and not hop.ended:
            report.issue("created_again")
            hop.created_again = payload
            return
        self._reopen()
        self.hop.created = True
        self.hop.lay(payload, "status")
        self.reconcile(payload)
        self.take_token(payload.continuation_token)

    def _status(self, event: InteractionStatusUpdate) -> None:
        self.envelope(event)
        self.done_seen = False
        if self.hop.ended:
            self.report.issue("after_end", None, event.status or "")
        self.hop.lay(
            Interaction(
                id=event.interaction_id,
                status=UNSET if self.hop.ended else event.status,
                continuation_token=event.continuation_token,
            ),
            "status",
        )
        self.hop.offer(event.usage, "status")
        self.take_token(event.continuation_token)

    def _completed(self, event: InteractionCompletedEvent) -> None:
        self.envelope(event)
        hop, payload = self.hop, as_today(event.interaction)
        if payload.status in IN_PROGRESS:
            hop.lay(payload, "status")
            self.report.issue("not_terminal", None, str(payload.status))
            return
        status = payload.status or "completed"
        if not payload.continuation_token:  # this one is authoritative: there is none any more
            self.token = NO_TOKEN
            hop.interaction = replace(hop.interaction, continuation_token=UNSET)
        hop.lay(replace(payload, status=status), "terminal")
        hop.close()
        self.reconcile(payload)
        self.take_token(payload.continuation_token)
        self._end(status)

    def _start(self, event: StepStart) -> None:
        self.envelope(event)
        if isinstance(event.step, Unknown):
            self.report.saw_unknown("step.start.step", "union", event.step.tag, event.step)
        self.open(event.index, event.step, builder_for)

    def open(self, index: Any, step: Any, build: Build) -> None:
        """Open a step, as it was sent; `build` makes its builder."""
        hop, report = self.hop, self.report
        if not isinstance(index, int):
            index = hop.highest + 1
            report.issue("index_missing", index)
        held = hop.routes.get(index)
        if held is not None and (again := hop.created_again) is not None:
            report.issue("restarted", index)
            self.begin_replay(again)
            hop = self.hop
            held = None
        if hop.ended:
            report.issue("after_end", index)
        if held is None:
            hop.add(index, build(index, step, report), index)
        elif not held.started and type(step) is type(held.base):
            held.started_late(step)
            held.built = None
            report.issue("start_late", index)
        elif step == held.base and not held.touched():
            report.issue("start_again", index)
        else:
            report.issue("start_other", index)
            hop.add(hop.highest + 1, build(index, step, report), index)

    def _delta(self, event: StepDelta) -> None:
        """A delta that is not of the ordinary kind, or not where it belongs."""
        self.envelope(event)
        self.grow(event.index, event.delta, builder_for, "step.delta.delta")

    def grow(self, index: Any, delta: Any, build: Build, where: str) -> None:
        """Fold a delta into its step; `where` it stood, for the report."""
        hop, report = self.hop, self.report
        step = self._routed(index)
        if isinstance(delta, Unknown):
            report.saw_unknown(where, "union", delta.tag, delta)
            delta = _as_text(delta, step)
        if step is None:
            opened = opened_by(delta)
            if opened is None:
                return
            index = index if isinstance(index, int) else hop.highest + 1
            report.issue("start_missing", index)
            step = build(index, opened, report)
            step.started = False
            hop.add(index, step, index)
        if step.closed:
            report.issue("after_end" if hop.ended else "after_stop", step.index)
            step.built = None
        if isinstance(delta, Unknown):
            self._untyped(step, delta)
            return
        fold = step.folds.get(type(delta))
        if fold is None:
            report.issue("misplaced", step.index, delta.type)
            report.saw_unknown(where, "union", delta.type, delta)
            return
        fold(step, delta)
        if delta.extra_ is not UNSET and not _lands(delta):
            report.saw_extra(where, delta)
            signature = delta.extra_.values().get("signature")
            if isinstance(signature, str):
                step.sign(ThoughtSignatureDelta(signature=signature))

    def _untyped(self, step: StepBuilder, delta: Unknown) -> None:
        """Merge a delta of the step's own kind that no schema has, or that has no type at all."""
        kind = step.kind
        own = delta.tag == kind or (delta.tag is None and str(kind).endswith(("_call", "_result")))
        raw = delta.raw
        if own and isinstance(raw, dict):
            try:
                step.merge(delta)
            except Misfit as misfit:
                self.report.issue("misplaced", step.index, str(misfit))
        elif delta.tag is None and isinstance(raw, dict) and isinstance(raw.get("text"), str):
            self.report.issue("misplaced", step.index, "text")

    def _stop(self, event: StepStop) -> None:
        self.envelope(event)
        self.hop.offer(event.usage, "step")
        if event.step_usage is not UNSET:
            self.report.saw_extra("step.stop.step_usage", event.step_usage)
        self.stop(event.index)

    def stop(self, index: Any) -> None:
        """Close a step."""
        hop, report = self.hop, self.report
        step = self._routed(index)
        if step is None:
            report.issue("stop_unopened", index if isinstance(index, int) else None)
        elif step.closed:
            report.issue("after_end" if hop.ended else "after_stop", step.index)
        else:
            step.close()
            step.build()  # join and parse now: the fragments can go

    def _error_event(self, event: ErrorEvent) -> None:
        self.envelope(event)
        payload = to_dict(event)
        info = error_info(payload)
        if info is not None:
            self._error(info)

    def _unknown_event(self, event: UnknownInteractionSseEvent) -> None:
        if event.json == DONE_DATA:
            self.report.events -= 1  # it is no event
            self.done()
            return
        self.report.saw_unknown("event", "union", event.tag, event)
        try:
            members = split_object(event.json)
            carried: dict[str, bytes] = {n: members[n] for n in _CARRIED if n in members}
            self.envelope(replace(struct(StepStop, carried), extra_=UNSET), "event")
        except Misfit:
            pass  # no object, so it carries nothing
        # A frame that has neither a name nor a type may be an error all the same.
        raw = event.raw
        nameless = event.tag is None and isinstance(raw, dict) and "error" in raw
        if (nameless or event.tag == "error") and (info := error_info(raw)) is not None:
            self._error(info)

    def done(self) -> None:
        """The terminator came. It says nothing of success."""
        self.done_seen = True

    HANDLERS: ClassVar[dict[type, Callable[[Any, Any], None]]] = {
        InteractionCreatedEvent: _created,
        InteractionStatusUpdate: _status,
        InteractionCompletedEvent: _completed,
        StepStart: _start,
        StepDelta: _delta,
        StepStop: _stop,
        ErrorEvent: _error_event,
        UnknownInteractionSseEvent: _unknown_event,
    }
    """What is done with each kind of event."""

    # ---- the parts that several events share

    def envelope(self, event: Any, kind: str | None = None) -> None:
        """What any event may carry; `kind` of event, for the report."""
        if event.event_id is not UNSET and event.event_id:
            self.report.last_event_id = event.event_id
            if event.event_id in self.hop.seen:
                self.report.issue("event_id_repeated", None, event.event_id)
            self.hop.seen.add(event.event_id)
            if self.marks is not None:
                self.due.append("event")
        if event.metadata is not UNSET:
            self.hop.offer(event.metadata.total_usage, "metadata")
            self.hop.offer(event.metadata.usage, "metadata")
            self.report.saw_extra(f"{kind or event.event_type}.metadata", event.metadata)
        if event.extra_ is not UNSET:
            self.report.saw_extra(event.event_type, event)

    def reconcile(self, payload: Interaction) -> None:
        """Steps in a lifecycle event, or outputs, as a few models still have them."""
        self.hop.reconcile(payload.steps)
        if not payload.steps and payload.extra_ is not UNSET and "outputs" in payload.extra_.texts:
            from .legacy import take_outputs

            take_outputs(self.hop)


def _rare(event: object) -> Callable[[Any, Any], None]:
    """The handler of an event of the legacy generation."""
    if type(event).__module__ == LEGACY_MODELS:
        from .legacy import HANDLERS

        if handler := HANDLERS.get(type(event)):
            return handler
    raise TypeError(f"not an event of the Interactions API: {event!r}")


def _as_text(delta: Any, step: StepBuilder | None) -> Any:
    """A delta without a type but with a text is a text delta."""
    fits = delta.tag is None and (step is None or TextDelta in step.folds)
    if fits and isinstance(raw := delta.raw, dict) and isinstance(raw.get("text"), str):
        return TextDelta(text=raw["text"])
    return delta


def _lands(delta: Any) -> bool:
    """Whether the unknown members of a delta become part of the step, and are found there."""
    return isinstance(delta, WireStruct) and type(delta).__name__ not in _PASSING


_CARRIED: Final = ("event_id", "metadata")
"""What any event may carry."""

_PASSING: Final = frozenset(
    {
        "ArgumentsDelta",
        "TextAnnotationDelta",
        "TextDelta",
        "ThoughtSignatureDelta",
        "ThoughtSummaryDelta",
    }
)
