"""`outputs` ↔ steps: the rules of docs/legacy.md, and what each direction loses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any, Final, NamedTuple, TypeAlias, get_args

from msgspec import UNSET

from .. import models as m
from ..codec.encode import encode
from ..codec.json import Misfit, read_json, split_object
from ..codec.lenient import read, struct
from ..codec.structs import Unknown, WireStruct
from ..models import legacy as old
from .spellings import MODERNISERS, modernise

__all__ = [
    "LOST",
    "PARTS",
    "STEPS",
    "Lost",
    "Run",
    "as_step",
    "content_of",
    "from_outputs",
    "in_runs",
    "is_part",
    "is_step_tag",
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


PARTS: Final[dict[str, type[WireStruct]]] = {
    cls.type: cls for cls in get_args(m.Content) if not issubclass(cls, Unknown)
}
"""What is a part of an output, by its tag."""


STEPS: Final[dict[str, type[WireStruct]]] = {
    cls.type: cls
    for cls in get_args(m.Step)
    if not issubclass(cls, Unknown)
    and cls not in (m.ModelOutputStep, m.UserInputStep)  # no content has these names
}
"""What is a step of its own."""


OLD_TAGS: Final = frozenset(
    cls.type for cls in get_args(old.LegacyContent) if not issubclass(cls, Unknown)
)


NEW_ANNOTATIONS: Final = (m.WordInfo, m.SpeechAnnotation)


NEW_STATUSES: Final = ("queued", "budget_exceeded", "requires_continuation")


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
        contents.append(modernise(content))
        if lost is not None and contents[-1] is not content:
            lost.append(Lost(f"$.outputs[{at}]", MODERNISERS[type(content)][0]))
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


def as_step(content: Any) -> Any:
    """A content as a step: a part as an output with that part alone."""
    return m.ModelOutputStep(content=[content]) if is_part(content) else content


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
            elif modernise(back) is not back:
                yield Lost(path + place, MODERNISERS[type(back)][0])
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
