"""One interaction of an answer: what its events said of it, and its steps in their order.

Nearly every answer is one interaction. One that ran into a limit of the server goes on as another,
with indexes from 0 again; hence the name.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from msgspec import UNSET
from msgspec.structs import replace

from ..codec.detached import detached
from ..codec.json import read_json
from ..codec.schema import fields
from ..codec.structs import Extra
from ..models import Interaction, ModelOutputStep
from .builder import Build, StepBuilder
from .contents import ContentPartBuilder, builder_of_content, joined
from .report import Findings
from .richer import size_of, what_is_lost
from .steps import builder_for
from .usage import UsageBefore, UsageLedger, UsageSource, add_usage

__all__ = ["InteractionBuilder"]


class InteractionBuilder:
    """The state of one interaction."""

    __slots__ = (
        "before",
        "closed",
        "content_seams",
        "created",
        "created_again",
        "damaged",
        "doubted",
        "ended",
        "findings",
        "highest",
        "in_runs",
        "interaction",
        "last",
        "ledger",
        "open",
        "order",
        "positions",
        "raw_members",
        "refused",
        "routes",
        "sorted",
    )

    def __init__(self, findings: Findings, before: UsageBefore | None = None) -> None:
        self.findings = findings
        self.before = before
        self.interaction = Interaction()
        self.raw_members: dict[str, bytes] = {}  # its unknown members, and those that did not fit
        self.ledger = UsageLedger()
        self.routes: dict[Any, StepBuilder] = {}  # index → where its deltas go
        self.order: list[tuple[int, StepBuilder]] = []  # by position, if `sorted`
        self.sorted = True
        self.content_seams = 0  # where two contents of the legacy generation are parts of one step
        self.in_runs = False  # whether there are such contents
        self.highest = -1
        self.last: StepBuilder | None = None  # the step opened last
        self.created = False  # whether an interaction.created came
        self.created_again: Interaction | None = None  # what a second `created` said
        self.closed = 0  # how many steps there were at the last close()
        self.open: list[StepBuilder] = []  # those since then
        self.positions: set[int] = set()  # the positions of all
        self.ended = False
        self.damaged = 0  # how many of its events could not be read
        self.doubted = 0  # how many of `open` know that a part of them may be missing
        self.refused: set[int] = set()  # sums of what stood as the index of steps that have none

    def add(self, position: int, builder: StepBuilder, route: int) -> None:
        """Put a step in its place; the deltas of index `route` go to it from now on."""
        if position < self.highest:
            self.sorted = False
        self.highest = max(self.highest, position)
        if isinstance(builder, ContentPartBuilder):
            self.in_runs = True
            self.content_seams += bool(self.order) and isinstance(
                self.order[-1][1], ContentPartBuilder
            )
        builder.position = position
        self.order.append((position, builder))
        self.open.append(builder)
        self.positions.add(position)
        self.routes[route] = self.last = builder

    def clear(self) -> None:
        """Drop the steps; what is known of the interaction stays."""
        self.routes.clear()
        self.order.clear()
        self.open.clear()
        self.doubted = 0
        self.positions.clear()
        self.sorted = True
        self.content_seams = 0
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
            self.content_seams = sum(
                isinstance(one, ContentPartBuilder) and isinstance(other, ContentPartBuilder)
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
        if self.raw_members:
            changes["extra_"] = Extra(self.raw_members.copy())
        if self.ledger.usage is not None:
            changes["usage"] = self.ledger.usage
        return replace(self.interaction, **changes) if changes else self.interaction

    def report_to(self, findings: Findings) -> None:
        """Have what is found from now on written there."""
        self.findings = findings
        for _, builder in self.order:
            builder.findings = findings

    def take_body(self, interaction: Interaction) -> None:
        """The stream was one JSON body: it is the interaction, steps and all."""
        self.interaction = replace(detached(interaction), extra_=UNSET)
        self.raw_members = {} if interaction.extra_ is UNSET else dict(interaction.extra_.texts)
        self.offer(interaction.usage, "terminal")

    def offer(self, usage: object, source: UsageSource) -> None:
        """Take a report of usage, if it is the best so far."""
        self.ledger.offer(detached(usage), source)

    def total_usage(self) -> UsageBefore:
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

    def merge_payload(self, payload: Interaction, source: UsageSource) -> None:
        """Lay what an event says of the interaction over what is held; steps are apart."""
        held = self.interaction
        changes: dict[str, Any] = {}
        for name in fields(Interaction):
            value = getattr(payload, name)
            if value is UNSET or name == "steps":
                continue
            if value == "" and (name == "id" or getattr(held, name) is not UNSET):
                continue
            changes[name] = detached(value)
        self.merge_unknown(payload, changes)
        usage = changes.get("usage")
        self.offer(usage, source)
        if usage is not None and self.ledger.usage is not None:
            del changes["usage"]  # the ledger decides
        self.interaction = replace(held, **changes)

    def merge_unknown(self, payload: Interaction, changes: dict[str, Any]) -> None:
        """Lay over the unknown members, and those that did not fit."""
        members = self.raw_members
        for name in changes if members else ():
            members.pop(name, None)
        known = fields(Interaction)
        for name, text in () if payload.extra_ is UNSET else payload.extra_.texts.items():
            if name in known and getattr(self.interaction, name) is not UNSET:
                if text != b"null":  # what fits stands
                    self.findings.saw_unknown("interaction", "member", name, read_json(text))
            elif text != b"null" or name not in members:
                members[name] = text

    def reconcile(self, payload: Interaction) -> None:
        """Steps in a lifecycle event, or outputs, as a few models still have them: they count only
        where nothing is lost by them that was streamed: richer, not merely more.
        """
        steps: Any = payload.steps
        if steps is not UNSET:
            if not self.order and not steps:
                self.interaction = replace(self.interaction, steps=[])
            elif (
                steps and not self.has_more_than(size_of(steps)) and steps != (held := self.steps())
            ):
                lost = what_is_lost(held, steps)
                if lost is None:
                    self.replace_steps(steps, builder_for)
                else:
                    self.findings.issue("steps_differ", None, lost)
        if not steps and payload.extra_ is not UNSET and "outputs" in payload.extra_.texts:
            self.reconcile_outputs()

    def reconcile_outputs(self) -> None:
        """The same for outputs, which are among the members that no schema has."""
        from ..legacy.bodies import contents_in
        from ..legacy.outputs import as_step, in_runs

        if self.raw_members.get("outputs", b"")[:1] != b"[":
            return
        contents = contents_in(self.raw_members.pop("outputs"))
        if not contents or self.has_more_than(len(contents)):
            return
        sent = in_runs(contents, ModelOutputStep)
        if sent == self.steps():
            return
        lost = what_is_lost(self.steps(), sent)
        if lost is None:
            self.replace_steps(list(map(as_step, contents)), builder_of_content)
        else:
            self.findings.issue("steps_differ", None, lost)

    def has_more_than(self, count: int) -> bool:
        """Whether so many steps and parts cannot be all that was streamed, as far as that is known
        without building it; that is an issue.
        """
        more = count < len(self.order)  # each builder has a step or a part at least
        if more:
            self.findings.issue("steps_differ", None, f"{len(self.order)} / {count} steps")
        return more

    def replace_steps(self, steps: list[Any], build: Build) -> None:
        """Take these steps, which are complete, in place of those that were streamed."""
        self.clear()
        for index, sent in enumerate(steps):
            step = detached(sent)
            builder = build(index, step, self.findings)
            builder.close()
            builder.built = step
            self.add(index, builder, index)

    def close(self) -> None:
        """The terminal event closes what is open. Gaps show only now, since steps may come late."""
        if self.closed == len(self.order):  # it is not the first, and nothing came since
            return
        for builder in sorted(self.open, key=lambda builder: builder.position):
            if not builder.closed:
                self.findings.issue("never_stopped", builder.index)
                builder.close()
                builder.build()
        self.open.clear()
        self.doubted = 0
        if self.highest >= len(self.positions):
            detail = f"{len(self.positions)} steps, the highest index is {self.highest}"
            self.findings.issue("index_gap", None, detail)
        self.closed = len(self.order)
