"""Every exception that leaves gemwire.

    GemwireError
    ├─ ProtocolError            the bytes break a limit or a rule of the framing
    │  └─ LimitExceeded         one event, or a body that is one JSON value, is too large
    ├─ DecodeError              a payload does not fit its schema       also a ValueError
    │  └─ OutputError           the text of an answer is not the type that was asked for
    ├─ StreamError              a stream that gave no usable answer
    │  ├─ TruncatedStream       it ended before the server finished     also an EOFError
    │  ├─ ServerError           the server sent an error into it
    │  ├─ ArgumentsError        the arguments of a tool call are no JSON object
    │  └─ DamagedStream         a part of it could not be read
    ├─ CheckpointError          bytes that are no checkpoint of ours    also a ValueError
    ├─ PollTimeout              an answer had not ended in time         also a TimeoutError
    └─ ApiError                 an error answer to a call without streaming

Whatever bytes come in, no other exception goes out: an exception that is not in this tree is a
bug in gemwire. Two things are not ours: misuse by the caller (feeding a closed parser) is
`RuntimeError`, and what the caller's own iterable raises goes through unchanged.

The message is the only positional argument; everything else is a keyword and an attribute of the
same name. All of them copy and pickle with their attributes.
"""

from __future__ import annotations

import copyreg
from functools import partial
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:  # the one arrow that leads up: what an exception carries
    from .assembly.report import StreamReport
    from .models import Interaction

__all__ = [
    "ApiError",
    "ArgumentsError",
    "CheckpointError",
    "DamagedStream",
    "DecodeError",
    "GemwireError",
    "LimitExceeded",
    "OutputError",
    "PollTimeout",
    "ProtocolError",
    "ServerError",
    "StreamError",
    "TruncatedStream",
]

_SHOWN = 512  # how much of a refused payload an exception keeps, in bytes


class GemwireError(Exception):
    """The base: `except GemwireError` catches whatever the wire can do wrong."""

    def __reduce__(self) -> tuple[Any, ...]:
        # BaseException calls the class with `args` alone, which knows nothing of keywords.
        return copyreg.__newobj__, (type(self), *self.args), self.__dict__  # type: ignore[attr-defined]


class ProtocolError(GemwireError):
    """The bytes of a stream break a limit or a rule of the framing.

    Attributes:
        offset: where in the stream, in raw bytes as they were fed.
    """

    def __init__(self, message: str, /, *, offset: int) -> None:
        super().__init__(message)
        self.offset = offset

    def __str__(self) -> str:
        return f"{super().__str__()} (at byte {self.offset})"


class LimitExceeded(ProtocolError):
    """One event, or a body that is one JSON value, is larger than `max_event_bytes`.

    Attributes:
        offset: the raw byte at which it begins.
        limit: `max_event_bytes`.
        size: how many bytes of it had come when it was refused; more may have followed.
    """

    def __init__(self, message: str, /, *, offset: int, limit: int, size: int) -> None:
        super().__init__(message, offset=offset)
        self.limit = limit
        self.size = size

    def __str__(self) -> str:
        return f"{super().__str__()}: {self.size} bytes or more, the limit is {self.limit}"


class DecodeError(GemwireError, ValueError):
    """A payload that is no JSON, or JSON that does not fit its schema.

    Attributes:
        path: the JSON path of the misfit, such as `$.steps[2].type`; `$` is the whole payload.
        event: the name of the SSE event that brought it, if one did.
        data: the first 512 bytes of the payload.
    """

    def __init__(
        self,
        message: str,
        /,
        *,
        path: str = "$",
        event: str | None = None,
        data: bytes | bytearray | memoryview = b"",
    ) -> None:
        super().__init__(message)
        self.path = path
        self.event = event
        self.data = bytes(data[:_SHOWN])

    def __str__(self) -> str:
        event = "" if self.event is None else f" of event {self.event!r}"
        return f"{super().__str__()} (at {self.path}{event})"


class StreamError(GemwireError):
    """A stream that did not bring a usable answer. What did come is not lost.

    Attributes:
        interaction: what was assembled up to here; `None` when not even its first event came.
        report: outcome, usage, where to resume, and what was odd.
    """

    def __init__(
        self, message: str, /, *, interaction: Interaction | None, report: StreamReport
    ) -> None:
        super().__init__(message)
        self.interaction = interaction
        self.report = report


class TruncatedStream(StreamError, EOFError):
    """The bytes ended before the server had finished: the answer is not complete."""


class ServerError(StreamError):
    """The server sent an error into the stream, as an event or as bare JSON between the frames.

    Attributes:
        code: as sent: a name (`"too_many_requests"`), a number (503), or absent.
        message: the server's own words, `""` when it sent none.
        status: the name beside a number (`"UNAVAILABLE"`), which only gateways send.
        details: as sent.
        retry_after: how long to wait, in seconds, from a `google.rpc.RetryInfo` among the details.
    """

    def __init__(
        self,
        message: str,
        /,
        *,
        interaction: Interaction | None,
        report: StreamReport,
        code: str | int | None = None,
        status: str | None = None,
        details: list[Any] | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, interaction=interaction, report=report)
        self.code = code
        self.message = message
        self.status = status
        self.details = details
        self.retry_after = retry_after

    def __repr__(self) -> str:
        shown = _shortened(self.message)
        return f"ServerError(code={self.code!r}, status={self.status!r}, message={shown!r})"

    def __str__(self) -> str:
        return _describe(self.code, self.status, self.message)


class ArgumentsError(StreamError):
    """The arguments of a tool call are no JSON object, or not all of them could be read.

    Attributes:
        position: which of `interaction.steps` the call is; None if there are none.
        index: the `index` of its events on the wire; None for a call of an answer that was not
            streamed. With several hops each counts from 0.
        call_id: the `id` of the call, if it has one.
        name: what is called, if that is known.
        interaction, report: of the stream; both None where a call was asked by itself
            (`call.parsed_arguments()`), which knows of no stream.
        raw: the joined text of the arguments exactly as it was sent, or what was sent for the call
            and could not be read.
    """

    def __init__(
        self,
        message: str,
        /,
        *,
        interaction: Interaction | None = None,
        report: StreamReport | None = None,
        position: int | None = None,
        index: int | None = None,
        call_id: str | None = None,
        name: str | None = None,
        raw: str = "",
    ) -> None:
        known = cast("StreamReport", report)  # None where a call is asked by itself
        super().__init__(message, interaction=interaction, report=known)
        self.position = position
        self.index = index
        self.call_id = call_id
        self.name = name
        self.raw = raw

    def __str__(self) -> str:
        named = {
            "call": self.name,
            "id": self.call_id,
            "steps": self.position,
            "index": self.index,
        }
        told = [f"{what} {_shortened(repr(at))}" for what, at in named.items() if at is not None]
        if self.raw:
            told.append(_shortened(repr(self.raw)))
        return f"{super().__str__()} ({', '.join(told)})" if told else super().__str__()


class DamagedStream(StreamError):
    """The server finished, but a part of what it sent could not be read: an event that is no JSON
    (cut, glued to another one, with bytes changed), or an end whose status is none.

    The answer may lack a piece. `damaged="keep"` returns it all the same.

    Attributes:
        damaged: how many events that were, as `report.damaged` says.
    """

    @property
    def damaged(self) -> int:
        return self.report.damaged


class CheckpointError(GemwireError, ValueError):
    """Bytes that are no checkpoint, a damaged one, or one of a version we cannot read."""


class ApiError(GemwireError):
    """The error body of a call without streaming.

    Attributes:
        code: as sent: a name (`"invalid_request"`), a number (404), or absent.
        message: the server's own words, `""` when it sent none. Where a text or an object came
            in which these are not known, its beginning.
        status: the name beside a number (`"NOT_FOUND"`), which only gateways send.
        details: as sent.
        retry_after: how long to wait, in seconds, from the header of that name or from a
            `google.rpc.RetryInfo` among the details.
        http_status: the status of the HTTP answer.
    """

    def __init__(
        self,
        message: str,
        /,
        *,
        code: str | int | None = None,
        status: str | None = None,
        details: list[Any] | None = None,
        retry_after: float | None = None,
        http_status: int | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.details = details
        self.retry_after = retry_after
        self.http_status = http_status

    def __str__(self) -> str:
        code = self.http_status if self.code is None else self.code
        return _describe(code, self.status, self.message)


def _shortened(text: str, limit: int = 80) -> str:
    return text if len(text) <= limit else text[:limit] + "…"


def _describe(code: str | int | None, status: str | None, message: str) -> str:
    name = " ".join(_shortened(str(part)) for part in (code, status) if part is not None)
    message = _shortened(message, _SHOWN)
    return ": ".join(filter(None, (name, message))) or "an error without code or message"


class OutputError(DecodeError):
    """The text of an answer is not what was asked for.

    Attributes:
        text: all of the text, as the model wrote it.
        path: the JSON path of the misfit, such as `$.items[2].price`; `$` is the whole text.
        status: of the answer; None if it had none.
    """

    def __init__(self, message: str, /, *, path: str = "$", text: str, status: str | None) -> None:
        super().__init__(message, path=path, data=text.encode("utf-8", "replace"))
        self.text = text
        self.status = status


class PollTimeout(GemwireError, TimeoutError):
    """An answer had not ended when the time was over. It may still do: poll it again later.

    Attributes:
        interaction: as it was last seen; None if no read brought one.
    """

    def __init__(self, message: str, /, *, interaction: Interaction | None) -> None:
        super().__init__(message)
        self.interaction = interaction

    def __reduce__(self) -> tuple[Any, ...]:  # an OSError has its arguments by __init__ alone
        return partial(type(self), interaction=self.interaction), self.args, self.__dict__
