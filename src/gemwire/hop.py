"""One interaction of an answer: what its events said of it, and its steps in their order.

Nearly every answer is one interaction. One that ran into a limit of the server goes on as another,
with indexes from 0 again; hence the name.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any, NamedTuple

from msgspec import UNSET
from msgspec.structs import replace

from .base import Extra, read_json
from .builder import Build, StepBuilder
from .continuation import add_usage, with_initial
from .models import Interaction, Usage
from .report import StreamReport, UsageLedger, UsageSource
from .runs import PartBuilder, joined
from .steps import builder_for
from .walk import fields

__all__ = ["Hop", "UsageBefore"]


class UsageBefore(NamedTuple):
    """The usage of the hops before one."""

    total: Usage | None
    first: Usage | None
    """That of the first of them alone."""
    poorer: UsageSource | None
    """The latest source that is no terminal event."""
    lacking: bool
    """Whether one of them had none."""


class Hop:
    """The state of one interaction."""

    __slots__ = (
        "before",
        "closed",
        "created",
        "created_again",
        "ended",
        "highest",
        "in_runs",
        "interaction",
        "joints",
        "last",
        "ledger",
        "open",
        "order",
        "places",
        "report",
        "routes",
        "seen",
        "sorted",
        "texts",
    )

    def __init__(self, report: StreamReport, before: UsageBefore | None = None) -> None:
        self.report = report
        self.before = before
        self.interaction = Interaction()
        self.texts: dict[str, bytes] = {}  # its unknown members, and those that did not fit
        self.ledger = UsageLedger()
        self.routes: dict[Any, StepBuilder] = {}  # index → where its deltas go
        self.order: list[tuple[int, StepBuilder]] = []  # by position, if `sorted`
        self.sorted = True
        self.joints = 0  # where two contents of the legacy generation are parts of one step
        self.in_runs = False  # whether there are such contents
        self.highest = -1
        self.last: StepBuilder | None = None  # the step opened last
        self.created = False  # whether an interaction.created came
        self.created_again: Interaction | None = None  # what a second `created` said
        self.closed = 0  # how many steps there were at the last close()
        self.open: list[StepBuilder] = []  # those since then
        self.places: set[int] = set()  # the positions of all
        self.ended = False
        self.seen: set[str] = set()  # every event_id

    def add(self, position: int, builder: StepBuilder, route: int) -> None:
        """Put a step in its place; the deltas of index `route` go to it from now on."""
        if position < self.highest:
            self.sorted = False
        self.highest = max(self.highest, position)
        if isinstance(builder, PartBuilder):
            self.in_runs = True
            self.joints += bool(self.order) and isinstance(self.order[-1][1], PartBuilder)
        self.order.append((position, builder))
        self.open.append(builder)
        self.places.add(position)
        self.routes[route] = self.last = builder

    def clear(self) -> None:
        """Drop the steps; what is known of the interaction stays."""
        self.routes.clear()
        self.order.clear()
        self.open.clear()
        self.places.clear()
        self.sorted = True
        self.joints = 0
        self.in_runs = False
        self.highest = -1
        self.last = None
        self.created_again = None
        self.closed = 0

    def steps(self) -> list[Any]:
        """The steps as they are now, in the order of their index."""
        if not self.sorted:
            self.order.sort(key=lambda placed: placed[0])
            self.sorted = True
            self.joints = sum(
                isinstance(one, PartBuilder) and isinstance(other, PartBuilder)
                for (_, one), (_, other) in pairwise(self.order)
            )
        if not self.in_runs:
            return [builder.build() for _, builder in self.order]
        return list(joined(builder for _, builder in self.order))

    def build(self) -> Interaction:
        """The interaction as it is now; unchanged steps are the same objects each time."""
        changes: dict[str, Any] = {}
        if self.order:
            changes["steps"] = self.steps()
        if self.texts:
            changes["extra_"] = Extra(self.texts.copy())
        if self.ledger.usage is not None:
            changes["usage"] = self.ledger.usage
        return replace(self.interaction, **changes) if changes else self.interaction

    def offer(self, usage: object, source: UsageSource) -> None:
        """Take a report of usage, if it is the best so far."""
        self.ledger.offer(usage, source)
        self.account()

    def account(self) -> None:
        """Write the usage of all hops together to the report."""
        total = self.total()
        several = self.before is not None
        self.report.usage = with_initial(total.total, total.first) if several else total.total
        self.report.usage_source = total.poorer or (None if total.lacking else "terminal")

    def total(self) -> UsageBefore:
        """The usage of this hop and those before it, as the next one has to know it."""
        usage, source = self.ledger.usage, self.ledger.source
        own = UsageBefore(usage, usage, None if source == "terminal" else source, usage is None)
        before = self.before
        if before is None:
            return own
        return UsageBefore(
            add_usage(before.total, usage),
            before.first,
            own.poorer or before.poorer,
            before.lacking or own.lacking,
        )

    def lay(self, payload: Interaction, source: UsageSource) -> None:
        """Lay what an event says of the interaction over what is held; steps are apart."""
        held = self.interaction
        changes: dict[str, Any] = {}
        for name in fields(Interaction):
            value = getattr(payload, name)
            if value is UNSET or name == "steps":
                continue
            if value == "" and (name == "id" or getattr(held, name) is not UNSET):
                continue
            changes[name] = value
        self.lay_texts(payload, changes)
        usage = changes.get("usage")
        self.offer(usage, source)
        if usage is not None and self.ledger.usage is not None:
            del changes["usage"]  # the ledger decides
        self.interaction = replace(held, **changes)
        identity = self.interaction.id
        if identity is not UNSET and identity not in self.report.interaction_ids:
            self.report.interaction_ids.append(identity)

    def lay_texts(self, payload: Interaction, changes: dict[str, Any]) -> None:
        """Lay over the unknown members, and those that did not fit."""
        texts = self.texts
        if texts:
            for name in changes:
                texts.pop(name, None)
        known = fields(Interaction)
        for name, text in () if payload.extra_ is UNSET else payload.extra_.texts.items():
            if name in known and getattr(self.interaction, name) is not UNSET:
                if text != b"null":  # what fits stands
                    self.report.saw_unknown("interaction", "member", name, read_json(text))
            elif text != b"null" or name not in texts:
                texts[name] = text

    def reconcile(self, steps: Any) -> None:
        """Steps in a lifecycle event: they count only where they are more than was streamed."""
        if steps is UNSET:
            return
        if not self.order and not steps:
            self.interaction = replace(self.interaction, steps=steps)
        elif len(steps) > len(self.order):
            self.take_over(steps, builder_for)
        elif steps and (self.differs_in_number(steps) or steps != self.steps()):
            self.report.issue("steps_differ")

    def differs_in_number(self, steps: list[Any]) -> bool:
        """Whether the numbers of steps differ, as far as that is known without building them."""
        return self.sorted and len(self.order) - self.joints != len(steps)

    def take_over(self, steps: list[Any], build: Build) -> None:
        """Take these steps, which are complete, in place of those that were streamed."""
        self.clear()
        for index, step in enumerate(steps):
            builder = build(index, step, self.report)
            builder.close()
            builder.built = step
            self.add(index, builder, index)

    def close(self) -> None:
        """The terminal event closes what is open. Gaps show only now, since steps may come late."""
        if self.closed == len(self.order):  # it is not the first, and nothing came since
            return
        for builder in self.open:
            if not builder.closed:
                self.report.issue("never_stopped", builder.index)
                builder.close()
                builder.build()
        self.open.clear()
        if self.highest >= len(self.places):
            detail = f"{len(self.places)} steps, the highest index is {self.highest}"
            self.report.issue("index_gap", None, detail)
        self.closed = len(self.order)
