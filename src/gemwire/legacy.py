"""The legacy generation: `outputs` ↔ steps, and its events for the one assembler.

What was one list of contents is a list of steps today. Texts and media in a row are the content of
one `model_output`; a thought, a call or a result is the step of the same name, member for member.
The rules are in docs/legacy.md.

    steps = from_outputs(body["outputs"])
    outputs = to_outputs(interaction)  # the same as `interaction.outputs`

What the other side cannot say is left out or said otherwise, and a list given as `lost` takes down
where. Whatever lost nothing comes back the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias, get_args

from msgspec import UNSET
from msgspec.structs import replace

from . import models as m
from .base import Extra, Unknown, WireStruct, read_json
from .codec import encode, unknown_members
from .models import legacy as old
from .runs import builder_of_content
from .walk import Misfit, read, split_array, split_object, struct

if TYPE_CHECKING:
    from .assembler import Assembler
    from .hop import Hop

__all__ = [
    "HANDLERS",
    "LOST",
    "Lost",
    "from_outputs",
    "modernised",
    "payload_of",
    "take_outputs",
    "to_outputs",
]

Run: TypeAlias = type[m.ModelOutputStep] | type[m.UserInputStep]


class Lost(NamedTuple):
    """One thing that the other side cannot say as it is."""

    path: str
    """Where it stands: `$.steps[2].error`, `$.outputs[0]`."""
    kind: str
    """One of `LOST`."""


LOST: Final[dict[str, str]] = {
    "border": "a `model_output` after another one; the two become one",
    "empty": "a `model_output` without content; left out",
    "foreign": "nothing the legacy generation knows; said as it is today, and read back as it was",
    "items": "a result that is an object with `items`; it becomes the list",
    "member": "a member of `model_output` beside its content; left out",
    "place": "a step that is read back as a part of an output, or a part as a step",
    "spelling": "a member under an older name; it gets today's",
    "user_input": "input, which is not among the outputs; left out",
}
"""Every kind of loss. All but `foreign` make a difference to what comes back."""

PARTS: Final[dict[str, type[WireStruct]]] = {cls.type: cls for cls in get_args(m.Content)}
"""What is a part of an output, by its tag."""
STEPS: Final[dict[str, type[WireStruct]]] = {
    cls.type: cls
    for cls in get_args(m.Step)
    if cls not in (m.ModelOutputStep, m.UserInputStep)  # no content has these names
}
"""What is a step of its own."""
OLD_TAGS: Final = frozenset(cls.type for cls in get_args(old.LegacyContent))
NEW_ANNOTATIONS: Final = (m.WordInfo, m.SpeechAnnotation)
NEW_STATUSES: Final = ("queued", "budget_exceeded", "requires_continuation")
ROLES: Final[dict[str, Run]] = {"user": m.UserInputStep, "model": m.ModelOutputStep}


# ---- outputs → steps


def from_outputs(
    outputs: Iterable[old.LegacyContent | dict[str, Any]], /, *, lost: list[Lost] | None = None
) -> list[m.Step]:
    """The steps that the contents of a legacy answer are today.

    Args:
        outputs: the contents, as models or as plain data.
        lost: takes what will not come back as it was: older spellings, nothing else.

    Returns:
        Steps of which `to_outputs` gives the same outputs, if nothing was lost.
    """
    contents: list[Any] = []
    for at, output in enumerate(outputs):
        content = content_of(encode(output))
        contents.append(renewed(content))
        if lost is not None and contents[-1] is not content:
            lost.append(Lost(f"$.outputs[{at}]", RENEWED[type(content)][0]))
    return in_runs(contents, m.ModelOutputStep)


def content_of(text: bytes) -> Any:
    """One content as what it is today: a step, or a part of an output."""
    try:
        members = split_object(text)
    except Misfit as misfit:
        return m.UnknownContent(text, None, str(misfit))
    tag = read_json(members.get("type", b"null"))
    if not isinstance(tag, str):
        return m.UnknownContent(text)
    cls = PARTS.get(tag) or STEPS.get(tag)
    if cls is None:
        return (m.UnknownStep if is_step_tag(tag) else m.UnknownContent)(text, tag)
    try:
        return struct(cls, members)
    except Misfit as misfit:  # a text without its text
        return m.UnknownContent(text, tag, str(misfit))


def is_step_tag(tag: str) -> bool:
    """Whether a content of this kind is a step of its own, a kind that no schema has too."""
    return tag in STEPS or tag.endswith(("_call", "_result"))


def is_part(content: Any) -> bool:
    """Whether it is a part of an output, and no step."""
    return isinstance(content, m.UnknownContent) or type(content) in PARTS.values()


def in_runs(contents: Iterable[Any], run: Run) -> list[Any]:
    """The steps of contents: parts in a row are the content of one."""
    steps: list[Any] = []
    for parts, group in groupby(contents, is_part):
        found = list(group)
        steps += [run(content=found)] if parts else found
    return steps


# ---- older spellings

RENAMED: Final[dict[type, tuple[str, str]]] = {
    m.AudioContent: ("rate", "sample_rate"),
    m.GoogleSearchResult: ("rendered_content", "search_suggestions"),
    m.Usage: ("total_reasoning_tokens", "total_thought_tokens"),
}
"""Members that have another name today."""


def renamed(value: Any) -> Any:
    """The model with today's name of a member; the same object if it has that."""
    older, newer = RENAMED[type(value)]
    held = getattr(value, older)
    taken = getattr(value, newer) is not UNSET or newer in unknown_members(value)
    return value if held is UNSET or taken else replace(value, **{older: UNSET, newer: held})


def renamed_results(value: Any) -> Any:
    """The result with today's names in its items."""
    items = value.result or []
    new = list(map(renamed, items))
    return replace(value, result=new) if any(map(_is_not, items, new)) else value


def listed(value: Any) -> Any:
    """The result as a list, where it is a list inside an object, as it was up to 1.64.

    Any other object is the function's own. So is one whose `items` are all texts: what a function
    gives may well look like that.
    """
    result = value.result
    items = result.get("items") if isinstance(result, dict) and len(result) == 1 else None
    if not isinstance(items, list) or not all(isinstance(i, str) or _is_media(i) for i in items):
        return value
    if not any(map(_is_media, items)):
        return value
    parts = [m.TextContent(text=item) if isinstance(item, str) else item for item in items]
    return replace(value, result=read(list[m.FunctionResultSubcontent], encode(parts)))


def _is_media(item: Any) -> bool:
    return isinstance(item, dict) and item.get("type") in ("text", "image")


def _is_not(one: Any, other: Any) -> bool:
    return one is not other


RENEWED: Final[dict[type, tuple[str, Callable[[Any], Any]]]] = {
    m.AudioContent: ("spelling", renamed),
    m.FunctionResultDelta: ("items", listed),
    m.FunctionResultStep: ("items", listed),
    m.GoogleSearchResultDelta: ("spelling", renamed_results),
    m.GoogleSearchResultStep: ("spelling", renamed_results),
    m.McpServerToolResultDelta: ("items", listed),
    m.McpServerToolResultStep: ("items", listed),
}
"""What may be in an older spelling: the kind of loss, and what gives today's form."""


def renewed(value: Any) -> Any:
    """A step, a part or a delta in today's spelling; the same object if it has that."""
    return RENEWED[type(value)][1](value) if type(value) in RENEWED else value


# ---- steps → outputs


def to_outputs(
    interaction: m.Interaction | Sequence[m.Step], /, *, lost: list[Lost] | None = None
) -> list[old.LegacyContent]:
    """The contents that a legacy answer would have in place of the steps.

    Args:
        interaction: an Interaction, or its steps.
        lost: takes what cannot be said in outputs.

    Returns:
        Outputs of which `from_outputs` gives the same steps, if nothing was lost but `foreign`
        things.
    """
    steps: Any = interaction
    if isinstance(interaction, m.Interaction):
        steps = interaction.steps or []
        if lost is not None and interaction.status in NEW_STATUSES:
            lost.append(Lost("$.status", "foreign"))
    if lost is not None:
        lost.extend(losses(steps))
    contents = [content for step in steps for _, content in contents_of(step)]
    outputs: list[old.LegacyContent] = read(list[old.LegacyContent], encode(contents))
    return outputs


def contents_of(step: Any) -> Iterator[tuple[str, Any]]:
    """What of a step goes to the outputs, and where in the step that stands."""
    if isinstance(step, m.ModelOutputStep):
        for at, part in enumerate(step.content or ()):
            yield f".content[{at}]", part
    elif not isinstance(step, m.UserInputStep):
        yield "", step


def losses(steps: Iterable[Any]) -> Iterator[Lost]:
    """What of the steps cannot be said in outputs."""
    after_part = False
    for at, step in enumerate(steps):
        path = f"$.steps[{at}]"
        for kind, inside in losses_of(step):
            yield Lost(path + inside, kind)
        for number, (place, content) in enumerate(contents_of(step)):
            part = isinstance(step, m.ModelOutputStep)
            if part and after_part and number == 0:
                yield Lost(path, "border")
            after_part = part
            back = content_of(encode(content))
            if back != content:
                yield Lost(path + place, "place")
            elif renewed(back) is not back:
                yield Lost(path + place, RENEWED[type(back)][0])
            for foreign in foreign_in(content):
                yield Lost(path + place + foreign, "foreign")


def losses_of(step: Any) -> Iterator[tuple[str, str]]:
    """What of a step is left out: the kind of loss, and where in the step."""
    if isinstance(step, m.UserInputStep):
        yield "user_input", ""
    elif isinstance(step, m.ModelOutputStep):
        if not step.content:
            yield "empty", ""
        if step.error is not UNSET:
            yield "member", ".error"
        for name in () if step.extra_ is UNSET else step.extra_.texts:
            yield "member", f".{name}"


def foreign_in(content: Any) -> Iterator[str]:
    """Where a content has what no legacy client knows."""
    tag = content.tag if isinstance(content, Unknown) else content.type
    if tag not in OLD_TAGS:
        yield ""
    if isinstance(content, m.TextContent):
        for at, annotation in enumerate(content.annotations or ()):
            if isinstance(annotation, NEW_ANNOTATIONS):
                yield f".annotations[{at}]"
    if isinstance(content, m.CodeExecutionResultStep) and isinstance(content.result, list):
        yield ".result"


# ---- whole interactions


def modernised(interaction: m.Interaction) -> m.Interaction:
    """A body of the legacy generation in today's form: steps, input and the names of members.

    Outputs beside steps stay what they are for today's schema, an unknown member.
    """
    interaction = with_today(interaction)
    outputs = None if interaction.steps else outputs_of(interaction)
    if outputs is None:
        return interaction
    return replace(
        interaction, steps=in_runs(outputs, m.ModelOutputStep), extra_=without_outputs(interaction)
    )


def with_today(interaction: m.Interaction) -> m.Interaction:
    """The Interaction with its input and usage in today's form."""
    changes: dict[str, Any] = {}
    sent = interaction.input
    if isinstance(sent, list):
        changes["input"] = input_steps(sent)
    elif isinstance(sent, Unknown) and (new := input_steps([sent])) != [sent]:
        changes["input"] = new  # one result, or one turn
    if interaction.usage is not UNSET:
        changes["usage"] = renamed(interaction.usage)
    return replace(interaction, **changes) if changes else interaction


def outputs_of(interaction: m.Interaction) -> list[Any] | None:
    """The contents of the member `outputs`, which today's schema does not know."""
    texts = {} if interaction.extra_ is UNSET else interaction.extra_.texts
    text = texts.get("outputs", b"")
    return contents_in(text) if text[:1] == b"[" else None


def without_outputs(interaction: m.Interaction) -> Any:
    """The unknown members but for the outputs."""
    assert isinstance(interaction.extra_, Extra)
    texts = {name: text for name, text in interaction.extra_.texts.items() if name != "outputs"}
    return Extra(texts) if texts else UNSET


def contents_in(text: bytes) -> list[Any]:
    """The contents of a JSON array, each as what it is today."""
    return [renewed(content_of(item)) for item in split_array(text)]


def input_steps(sent: list[Any]) -> list[Any]:
    """Input in today's form: turns as steps, and texts beside results as steps too.

    A turn of neither `user` nor `model` stays what it is.
    """
    unknown = [item for item in sent if isinstance(item, Unknown)]
    if any(item.tag in PARTS or item.tag in STEPS for item in unknown):  # of both kinds
        items = [content_of(i.json) if isinstance(i, Unknown) else i for i in sent]
        return in_runs(map(renewed, items), m.UserInputStep)
    return [step for item in sent for step in (turn_steps(item) or [renewed(item)])]


def turn_steps(item: Any) -> list[Any] | None:
    """The steps of a turn; None if it is none."""
    if not isinstance(item, Unknown) or item.tag is not None or not isinstance(item.raw, dict):
        return None
    members = split_object(item.json)
    role = read_json(members.pop("role", b"null"))
    text = members.pop("content", b"")
    if not isinstance(role, str) or role not in ROLES or members:
        return None
    if text[:1] == b'"':
        return [ROLES[role](content=[m.TextContent(text=read_json(text))])]
    return in_runs(contents_in(text), ROLES[role]) if text[:1] == b"[" else None


# ---- events


def _started(assembler: Assembler, event: old.InteractionStartEvent) -> None:
    assembler.envelope(event)
    today = m.InteractionCreatedEvent(interaction=payload_of(event))
    assembler.HANDLERS[m.InteractionCreatedEvent](assembler, today)


def _completed(assembler: Assembler, event: old.InteractionCompleteEvent) -> None:
    assembler.envelope(event)
    today = m.InteractionCompletedEvent(interaction=payload_of(event))
    assembler.HANDLERS[m.InteractionCompletedEvent](assembler, today)


def payload_of(event: old.InteractionStartEvent | old.InteractionCompleteEvent) -> m.Interaction:
    """The Interaction of an event; its outputs are still an unknown member."""
    payload = event.interaction or old.LegacyInteraction()
    interaction = struct(m.Interaction, split_object(encode(payload)))
    assert isinstance(interaction, m.Interaction)
    return interaction


def take_outputs(hop: Hop) -> None:
    """Outputs that a lifecycle event brought: they count only where they are more than streamed."""
    text = hop.texts.get("outputs", b"")
    if text[:1] != b"[":
        return
    contents = contents_in(hop.texts.pop("outputs"))
    if len(contents) > len(hop.order):
        hop.take_over(list(map(as_step, contents)), builder_of_content)
    elif contents and (  # fewer contents are fewer steps, and each builder has one at least
        len(contents) < len(hop.order) or in_runs(contents, m.ModelOutputStep) != hop.steps()
    ):
        hop.report.issue("steps_differ")


def as_step(content: Any) -> Any:
    """A content as a step: a part as an output with that part alone."""
    return m.ModelOutputStep(content=[content]) if is_part(content) else content


def _start(assembler: Assembler, event: old.ContentStart) -> None:
    assembler.envelope(event)
    content: Any = event.content
    if content is UNSET:
        return
    if isinstance(content, Unknown):
        assembler.report.saw_unknown("content.start.content", "union", content.tag, content)
    elif isinstance(content, old.LegacyTextContent) and content.text is UNSET:
        content = replace(content, text="")  # the deltas bring it
    step = as_step(renewed(content_of(encode(content))))
    assembler.open(event.index, step, builder_of_content)


def _delta(assembler: Assembler, event: old.ContentDelta) -> None:
    assembler.envelope(event)
    delta: Any = event.delta
    if delta is not UNSET:
        for today in DELTAS.get(type(delta), _same)(delta):
            assembler.grow(event.index, today, builder_of_content, "content.delta.delta")


def _stop(assembler: Assembler, event: old.ContentStop) -> None:
    assembler.envelope(event)
    assembler.stop(event.index)


def _unknown_event(assembler: Assembler, event: old.UnknownLegacySseEvent) -> None:
    today = m.UnknownInteractionSseEvent(event.json, event.tag, event.reason)
    assembler.HANDLERS[m.UnknownInteractionSseEvent](assembler, today)


HANDLERS: Final[dict[type, Callable[[Any, Any], None]]] = {
    old.InteractionStartEvent: _started,
    old.InteractionCompleteEvent: _completed,
    old.ContentStart: _start,
    old.ContentDelta: _delta,
    old.ContentStop: _stop,
    old.UnknownLegacySseEvent: _unknown_event,
}
"""What the assembler does with each kind of event."""


def _same(delta: Any) -> Iterator[Any]:
    """A delta that is the same today, perhaps with members under older names."""
    yield renewed(delta)


def _text(delta: old.LegacyTextDelta) -> Iterator[Any]:
    """Text and its annotations, which are apart today."""
    if delta.text is not UNSET:
        yield m.TextDelta(text=delta.text, extra_=delta.extra_)
    elif delta.annotations is UNSET:
        yield old.UnknownContentDeltaData(encode(delta), "text", "no text")
    if delta.annotations is not UNSET:
        extra = delta.extra_ if delta.text is UNSET else UNSET
        yield from _annotations(
            old.LegacyTextAnnotationDelta(annotations=delta.annotations, extra_=extra)
        )


def _annotations(delta: old.LegacyTextAnnotationDelta) -> Iterator[Any]:
    """Annotations; those without a type are unknown to today's union, and kept by it."""
    annotations: Any = delta.annotations
    if annotations is not UNSET:
        annotations = read(list[m.Annotation], encode(annotations))
    yield m.TextAnnotationDelta(annotations=annotations, extra_=delta.extra_)


def _call(delta: old.FunctionCallDelta) -> Iterator[Any]:
    """A whole call, as the step that it is."""
    yield struct(m.FunctionCallStep, split_object(encode(delta)))


def _unknown(delta: old.UnknownContentDeltaData) -> Iterator[Any]:
    """A delta that this generation does not know; today's may."""
    try:
        today = read(m.StepDeltaData, delta.json)
    except Misfit:
        today = delta
    yield delta if isinstance(today, Unknown) else today


DELTAS: Final[dict[type, Callable[[Any], Iterator[Any]]]] = {
    old.FunctionCallDelta: _call,
    old.LegacyTextAnnotationDelta: _annotations,
    old.LegacyTextDelta: _text,
    old.UnknownContentDeltaData: _unknown,
}
"""The deltas that are others today; the rest is the same."""
