"""The table of all forms that are read otherwise than they stand.

docs/legacy.md and docs/assembly.md show its rows, and `normalise` goes by them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Literal, NamedTuple

from ..codec.structs import Unknown
from . import contents, lifecycle
from .events import frame_items, walk_event

__all__ = ["FORMS", "Form"]


class Form(NamedTuple):
    """One form that is read as another."""

    name: str
    what: Literal["event", "delta", "step", "member", "steps"]
    older: str
    """The older or looser form, as the documentation shows it."""
    today: str
    """What it is read as."""
    seen: str
    """Until when, or where it was seen."""
    page: Literal["legacy", "assembly"]
    on: tuple[str | None, ...] = ()
    """The `event_type` or the `type` that may have this form; None is the absent one."""
    read: Callable[[Any], tuple[Any, ...] | None] | None = None
    """Gives what an event or a delta is today, or None where it has not this form. Forms without
    it are read where the context is known, by the functions of this module and of `gemwire.legacy`.
    """
    dialect: bool = False
    """Whether no version of the API writes this: it is a gateway's, or a guide's."""


def _frame(event: Any) -> tuple[Any, ...] | None:
    """The events of a message that holds several, as they stand in there."""
    items = frame_items(event.json) if isinstance(event, Unknown) else None
    return None if items is None else tuple(walk_event(item, None) for item in items)


_LIFECYCLE: Final = (
    "interaction.created",
    "interaction.completed",
    "interaction.start",
    "interaction.complete",
)
_CALLS: Final = ("function_call", "mcp_server_tool_call")
_WITH_PARTS: Final = ("model_output", "thought", "user_input")

FORMS: Final[tuple[Form, ...]] = (
    # ---- events
    Form(
        "flat_lifecycle",
        "event",
        "a lifecycle event without `interaction`: `id` or `interaction_id`, `status`, `usage`, "
        "`steps`, `outputs` … beside `event_type`",
        "the event, with these as its `interaction`",
        "LiteLLM, the live socket",
        "assembly",
        _LIFECYCLE,
        lifecycle.flat,
        dialect=True,
    ),
    Form(
        "beside_interaction",
        "event",
        "a lifecycle event with members of its interaction beside `interaction`",
        "members of the interaction, where it has none of that name",
        "gateways",
        "assembly",
        _LIFECYCLE,
        lifecycle.beside_interaction,
        dialect=True,
    ),
    Form(
        "legacy_lifecycle",
        "event",
        "`interaction.start`, `interaction.complete`",
        "`interaction.created`, `interaction.completed`",
        "June 2026",
        "legacy",
        ("interaction.start", "interaction.complete"),
        lifecycle.lifecycle_of_legacy,
    ),
    Form(
        "legacy_payload",
        "event",
        "turns and contents in the `input` of a lifecycle event, older names in it",
        "steps, and today's names, as in a body",
        "June 2026",
        "legacy",
        ("interaction.created", "interaction.completed"),
        lifecycle.with_payload_today,
    ),
    Form(
        "status_object",
        "member",
        '`"status": {"code": …, "message": …}`, a google.rpc status, in an event that ends',
        "`failed`, with the object among `errors`; `completed` if the code is 0, or absent with "
        "no message",
        "the live socket",
        "assembly",
    ),
    Form(
        "named_end",
        "event",
        "`interaction.failed`, `.error`, `.cancelled`, `.canceled`, `.incomplete`, "
        "`.requires_action`, `.requires_continuation`, `.budget_exceeded`, flat or nested",
        "the end, with this status (`.error` is `failed`) and the reason that stands in it",
        "CLIProxyAPI, guides, the live socket",
        "assembly",
        tuple(lifecycle.ENDS),
        lifecycle.named_end,
        dialect=True,
    ),
    Form(
        "connection",
        "event",
        "`interaction.connected`, `reconnection_required`",
        "a status update without a status: no end of the answer",
        "the live socket",
        "assembly",
        ("interaction.connected", "reconnection_required"),
        lifecycle.connection,
        dialect=True,
    ),
    Form(
        "nested_status",
        "event",
        "`interaction.status_update` with its members in `interaction`, or `failed` with the "
        "reason beside the status",
        "members of the event, then an error with the reason",
        "tests of clients",
        "assembly",
        ("interaction.status_update",),
        lifecycle.nested_update,
        dialect=True,
    ),
    Form(
        "error_with_interaction",
        "event",
        "`error` with an `interaction` beside the error",
        "a status update of that interaction, then the error, with the reason that stands in it",
        "tests of clients",
        "assembly",
        ("error",),
        lifecycle.beside_error,
        dialect=True,
    ),
    Form(
        "frame",
        "event",
        '`{"events": [ … ]}`',
        "each event, in order",
        "the live socket",
        "assembly",
        (None,),
        _frame,
        dialect=True,
    ),
    Form(
        "content_events",
        "event",
        "`content.start`, `content.delta`, `content.stop`",
        "parts and steps by the index of their content, as below",
        "June 2026",
        "legacy",
    ),
    # ---- deltas
    Form(
        "untyped_text",
        "delta",
        "a delta without `type`, with `text` or `mime_type`, to a step that takes text",
        "`text`; else `image`, `audio`, `video`, or `document` for `application/…` and `text/…`",
        "guides",
        "assembly",
    ),
    Form(
        "untyped_own",
        "delta",
        "a delta without `type` to a call or a result",
        "one of the step's own kind",
        "guides",
        "assembly",
    ),
    Form(
        "summary_text",
        "delta",
        "`thought_summary` with `text`, a string as `content`, or a `content` without `type`",
        "its `content`, as text",
        "CLIProxyAPI, clients in Dart and Go",
        "assembly",
        ("thought_summary",),
        contents.summary_delta,
        dialect=True,
    ),
    Form(
        "call_arguments",
        "delta",
        "`function_call` or `mcp_server_tool_call` with JSON text as `args` or `arguments`, "
        "in pieces or whole",
        "the call, then `arguments_delta`; an object under `args` is `arguments`",
        "ogx",
        "assembly",
        _CALLS,
        contents.call_with_arguments,
        dialect=True,
    ),
    Form(
        "whole_call",
        "delta",
        "`function_call`, a whole call",
        "merged into its step",
        "June 2026",
        "legacy",
        ("function_call",),
        contents.whole_call,
    ),
    Form(
        "arguments_type",
        "delta",
        "`arguments`, with `arguments` or `partial_arguments`",
        "`arguments_delta`",
        "an older spelling, in guides",
        "assembly",
        ("arguments",),
        contents.arguments_delta,
        dialect=True,
    ),
    Form(
        "text_annotation",
        "delta",
        "`text_annotation`, and `annotations` of a `text`",
        "`text_annotation_delta`",
        "June 2026",
        "legacy",
    ),
    Form(
        "audio_delta_rate",
        "delta",
        "`audio` with `rate`",
        "`sample_rate`",
        "April 2026",
        "legacy",
        ("audio",),
        contents.audio_delta,
    ),
    # ---- what stands in steps
    Form(
        "string_content",
        "step",
        "a string, or one object, as `content` of a `model_output` or `summary` of a `thought` "
        "in `step.start`",
        "a list of that part",
        "CLIProxyAPI",
        "assembly",
        _WITH_PARTS,
        contents.string_content,
        dialect=True,
    ),
    Form(
        "untyped_part",
        "step",
        "a part without `type`, with `text` or `mime_type`",
        "the same, by what it has",
        "guides",
        "assembly",
        _WITH_PARTS,
        contents.untyped_parts,
    ),
    Form(
        "string_arguments",
        "step",
        "JSON text, or the name `args`, for the `arguments` of a call in `step.start`",
        "the object; an empty text is a placeholder, as `{}` is",
        "ogx",
        "assembly",
        _CALLS,
        contents.string_arguments,
        dialect=True,
    ),
    Form(
        "leading_input",
        "steps",
        "`user_input` steps that lead an answer, in a read or a continuation",
        "the answer without them, where two answers are joined or compared",
        "the API itself",
        "assembly",
    ),
    # ---- older names of members
    Form(
        "reasoning_tokens",
        "member",
        "`usage.total_reasoning_tokens`",
        "`total_thought_tokens`",
        "December 2025",
        "legacy",
    ),
    Form(
        "rendered_content",
        "member",
        "`google_search_result`: `result[].rendered_content`",
        "`search_suggestions`; `url` and `title` stay",
        "early 2026",
        "legacy",
    ),
    Form(
        "items",
        "member",
        '`function_result`, `mcp_server_tool_result`: `{"items": […]}` around texts and images',
        "the list itself",
        "early 2026",
        "legacy",
    ),
    Form("rate", "member", "`audio.rate`", "`sample_rate`", "April 2026", "legacy"),
)
"""Every form that is read as another, in the order in which those of one event are tried."""
