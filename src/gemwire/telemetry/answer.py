"""The answer: how it ended, and the tokens that it took."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple, TypeAlias

from msgspec import UNSET

from ..assembly.report import StreamReport
from ..errors import (
    ApiError,
    ArgumentsError,
    DamagedStream,
    GemwireError,
    ServerError,
    StreamError,
    TruncatedStream,
)
from ..models import Interaction
from ..models.views import is_terminal
from .values import OTHER, first_name, name_of, value_of

__all__ = ["FINISH_REASONS", "Answer", "Ending", "ending_of", "token_attributes"]

Answer: TypeAlias = Interaction | StreamReport | BaseException | None

FINISH_REASONS: Final = {
    "completed": "stop",
    "requires_action": "tool_call",
    "incomplete": "length",
    "budget_exceeded": "length",
    "requires_continuation": "length",
    "failed": "error",
    "cancelled": "error",
    "error": "error",
    "truncated": "error",
}
"""Status or outcome → finish reason. One that is not here is a reason by itself; a status that is
no end has none."""

BLOCKED: Final = frozenset(
    {
        *("safety", "recitation", "language", "prohibited_content", "spii", "blocklist"),
        *("image_safety", "image_prohibited_content", "image_recitation", "image_other"),
        "content_blocked",
    }
)
"""Codes of errors that mean `content_filter`, unless the answer ended well in spite of them."""

STATUSES: Final = {"budget_exceeded": "incomplete"}
"""Status → `gen_ai.response.status`, where the conventions have another name for it."""

ERROR_TYPES: Final[dict[type[BaseException], str]] = {
    TruncatedStream: "truncated",
    DamagedStream: "damaged",
    ArgumentsError: "arguments",
}
"""Exceptions of streams → `error.type`; the server's errors have the code that it sent."""

TOKENS: Final = {
    "gen_ai.usage.input_tokens": ("total_input_tokens", "total_tool_use_tokens"),
    "gen_ai.usage.output_tokens": ("total_output_tokens", "total_thought_tokens"),
    "gen_ai.usage.reasoning.output_tokens": ("total_thought_tokens",),
    "gen_ai.usage.cache_read.input_tokens": ("total_cached_tokens",),
}
"""Counts, and the members of `Usage` whose sum they are. On the wire the output is without the
thoughts and the input without what tools put into it; in the conventions both are included."""

TOKENS_BY_MODALITY: Final = {
    "gen_ai.usage.{}.input_tokens": ("input_tokens_by_modality", "tool_use_tokens_by_modality"),
    "gen_ai.usage.{}.output_tokens": ("output_tokens_by_modality",),
    "gen_ai.usage.{}.cache_read.input_tokens": ("cached_tokens_by_modality",),
}
MODALITIES: Final = frozenset({"text", "image", "audio"})
"""Those that the conventions have; video and documents are in the sums alone."""

MOST_TOKENS: Final = 2**60
"""A count beyond this is none, and the sum of a few such still is a number of 64 bits."""


class Ending(NamedTuple):
    """What came of a call."""

    interaction: Interaction | None = None
    report: StreamReport | None = None
    error: BaseException | None = None

    @property
    def identity(self) -> Any:
        """The id of the interaction, of its latest hop."""
        identity = None if self.interaction is None else self.interaction.id
        return identity or (None if self.report is None else self.report.interaction_id)

    @property
    def status(self) -> str | None:
        """How it stands: the outcome of the stream, else the status."""
        if self.report is not None and self.report.outcome != "in_progress":
            return self.report.outcome
        status = None if self.interaction is None else self.interaction.status
        return status or None

    @property
    def told_status(self) -> str | None:
        """What the server says of it, which a stream that broke does not."""
        status = self.status
        if status is None or status in ("error", "truncated"):
            return None
        return name_of(STATUSES.get(status, status))

    @property
    def code(self) -> str | None:
        """The code of the error that the server told."""
        if isinstance(self.error, ServerError | ApiError):
            http = getattr(self.error, "http_status", None)
            return first_name(self.error.code, self.error.status, http)
        if self.report is not None and self.report.error is not None:
            return first_name(self.report.error.code, self.report.error.status)
        errors = UNSET if self.interaction is None else self.interaction.errors
        return first_name(*(each.code for each in errors or ()))

    @property
    def finish_reasons(self) -> list[str] | None:
        """Why the model stopped: one reason, since there is one answer; None if it has not."""
        status = self.status
        if self.error is not None and not (status and isinstance(self.error, StreamError)):
            status = "error"
        if status is None or not is_terminal(status):
            return None
        good = status in ("completed", "requires_action")
        if not good and (self.code or "").lower() in BLOCKED:
            return ["content_filter"]
        return [FINISH_REASONS.get(status) or name_of(status)]

    def error_type(self, *, reads: bool) -> str | None:
        """A name out of few: the server's code, how the stream broke, or the exception's class.

        Args:
            reads: whether the call only read the interaction, and so has not failed with it.
        """
        if isinstance(self.error, ServerError | ApiError):
            return self.code or OTHER
        if self.error is not None:
            return ERROR_TYPES.get(type(self.error)) or _class_name(self.error)
        status = self.status
        if status == "truncated":
            return status
        if status == "error":
            return self.code or OTHER
        if status in ("failed", "cancelled") and not reads:
            return self.code or status
        return "damaged" if self.report is not None and not self.report.intact else None

    @property
    def usage(self) -> Any:
        """The best counts there are; UNSET if there are none."""
        usage = UNSET if self.interaction is None else self.interaction.usage
        if self.report is None or self.report.usage is None:
            return usage
        return self.report.usage if usage is UNSET else usage


def ending_of(answer: Iterable[object]) -> Ending:
    """Sort out what was given; an exception of a stream brings what it carries.

    Raises:
        TypeError: one is no answer of any kind.
    """
    interaction: Interaction | None = None
    report: StreamReport | None = None
    error: BaseException | None = None
    for part in answer:
        if isinstance(part, Interaction):
            interaction = part
        elif isinstance(part, StreamReport):
            report = part
        elif isinstance(part, BaseException):
            error = part
        elif part is not None:
            kind = type(part).__name__
            raise TypeError(f"no Interaction, no StreamReport and no exception: {kind}")
    if isinstance(error, StreamError):
        interaction = interaction or error.interaction
        report = report or error.report
    return Ending(interaction, report, error)


def _class_name(error: BaseException) -> str:
    kind = type(error)
    if isinstance(error, GemwireError) or kind.__module__ == "builtins":
        return kind.__qualname__
    return f"{kind.__module__}.{kind.__qualname__}"


def token_attributes(usage: Any) -> Iterator[tuple[str, int]]:
    """Counts that came; a sum is said if any part of it is there. 0 is a count."""
    if usage is UNSET:
        return
    for name, members in TOKENS.items():
        counts = [_count(usage, member) for member in members]
        if present := [count for count in counts if count is not None]:
            yield name, sum(present)
    for name, members in TOKENS_BY_MODALITY.items():
        sums: dict[str, int] = {}
        for entry in (entry for member in members for entry in getattr(usage, member) or ()):
            modality = str(entry.modality).lower()
            count = _count(entry, "tokens")
            if modality in MODALITIES and count is not None:
                sums[modality] = sums.get(modality, 0) + count
        yield from (
            (name.format(modality), count) for modality, count in sums.items() if count < 2**63
        )


def _count(holder: Any, member: str) -> int | None:
    value = value_of(int, getattr(holder, member))
    return value if value is not None and 0 <= value < MOST_TOKENS else None
