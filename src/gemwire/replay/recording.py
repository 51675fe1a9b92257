"""What was said: recorded response bodies, streamed and not."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from importlib.resources.abc import Traversable

BUNDLED: Final[Mapping[str, str]] = {
    "text-with-thoughts": "four thought summaries, then an answer in 21 pieces",
    "function-calls": "four parallel calls, arguments split anywhere; requires_action",
    "search": "Google Search, then a text with six citations over non-ASCII text",
    "image": "text, an image and text in one step",
    "audio": "one second of sound in 25 pieces of 40 ms",
    "error-event": "an error event in mid-answer",
    "cut": "a stream that ends in the middle of a frame",
    "bare-error": "a JSON error without SSE framing after the frames of an agent",
}
"""The recordings that come with gemwire: name and what is in it."""

_BLANK_LINE = re.compile(rb"\r\n\r\n|\n\n|\r\r")
_FIRST_DATA = re.compile(rb"^data: ?(.*)$", re.MULTILINE)


class UnknownRecording(LookupError):
    """There is no recording of this name, or no file at this path."""


@dataclass(frozen=True)
class Recording:
    """One answer of the API.

    Args:
        name: What requests select it by.
        stream: The body of the streamed answer, byte for byte.
        body: The body of the same answer without streaming, if there is one.

    """

    name: str
    stream: bytes
    body: bytes | None = None

    @classmethod
    def load(cls, source: str | Path) -> Recording:
        """Load a bundled recording by its name, or any other by the path of its `.sse` file.

        A `.json` file of the same name beside it is the answer without streaming. A string is a
        path when it ends in `.sse`.

        Raises:
            UnknownRecording: Neither a bundled name nor a readable file.

        """
        if isinstance(source, str) and not source.endswith(".sse"):
            if source not in BUNDLED:
                raise UnknownRecording(f"no recording is named {source!r}")
            return _bundled(source)
        path = Path(source)
        if path.suffix != ".sse":
            raise UnknownRecording(f"{str(path)!r} is not the path of an .sse file")
        try:
            return _read(path, path.with_suffix(".json"))
        except OSError as error:
            raise UnknownRecording(f"cannot read {str(path)!r}: {error.strerror}") from error

    @property
    def interaction_id(self) -> str:
        """The id in the first event; empty when it has none (as with `store: false`)."""
        id = self.head.get("id")
        return id if isinstance(id, str) else ""

    @property
    def head(self) -> Mapping[str, Any]:
        """The interaction as the first event has it; empty when it has none."""
        match _event(self.stream):
            case {"interaction": dict(interaction)}:
                return interaction
            case _:
                return {}

    def after(self, event_id: str) -> Recording:
        """The recording with only those frames that follow the event with this id.

        Raises:
            LookupError: No event has it.

        """
        frames = self.frames()
        for frame in frames:
            match _event(frame):
                case {"event_id": str(id)} if id == event_id:
                    return replace(self, stream=b"".join(frames))
                case _:
                    pass
        raise LookupError(f"no event of {self.name!r} has the id {event_id!r}")

    def unstored(self) -> Recording:
        """The recording without ids, as `store: false` has it: "" in events, absent in the body."""
        body = None if self.body is None else json.loads(self.body)
        if body is not None:
            body = json.dumps({name: v for name, v in body.items() if name != "id"}).encode()
        frames: list[bytes] = []
        for frame, event in self.events():
            match event:
                case {"event_type": _, "interaction_id": _}:
                    frames.append(framed({**event, "interaction_id": ""}))
                case {"event_type": _, "interaction": dict(interaction)}:
                    frames.append(framed({**event, "interaction": {**interaction, "id": ""}}))
                case _:
                    frames.append(frame)
        return replace(self, stream=b"".join(frames), body=body)

    def events(self) -> Iterator[tuple[bytes, dict[str, Any]]]:
        """The frames, each with its payload; an empty one where that is no object."""
        for frame in self.frames():
            _, _, text = frame.partition(b"data: ")
            try:
                event: Any = json.loads(text)
            except ValueError:
                event = None
            yield frame, event if isinstance(event, dict) else {}

    def frames(self) -> Iterator[bytes]:
        """Cut the stream after each blank line, as the API sends it; joined it is the stream."""
        start = 0
        for blank in _BLANK_LINE.finditer(self.stream):
            yield self.stream[start : blank.end()]
            start = blank.end()
        if start < len(self.stream):
            yield self.stream[start:]


def framed(event: Mapping[str, Any]) -> bytes:
    """The frame of an event."""
    text = json.dumps(event, ensure_ascii=False, separators=(",", ":"))
    return f"event: {event['event_type']}\ndata: {text}\n\n".encode()


def _event(frames: bytes) -> Any:
    """The payload of the first event; None when there is none."""
    first = _FIRST_DATA.search(frames)
    try:
        return json.loads(first[1]) if first else None
    except ValueError:
        return None


@cache
def _bundled(name: str) -> Recording:
    folder = files("gemwire.replay") / "recordings"
    return _read(folder / f"{name}.sse", folder / f"{name}.json")


def _read(stream: Traversable, body: Traversable) -> Recording:
    return Recording(
        name=stream.name.removesuffix(".sse"),
        stream=stream.read_bytes(),
        body=body.read_bytes() if body.is_file() else None,
    )
