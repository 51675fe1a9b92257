"""What may go wrong with a stream, on purpose: so that a client can be tested against it.

A fault is written as words: `ids=2 cut=1234`. It says what the stream is (`ids`, `hops`, `replay`)
and what happens to it on its way (`cut`, `end`, `stall`, `error`); it works on recordings and
bytes and knows nothing of HTTP.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from gemwire.replay.recording import Recording, framed

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

__all__ = ["Cut", "Fault"]

UNAVAILABLE: Final = b"""[{
  "error": {
    "code": 503,
    "message": "The service is currently unavailable.",
    "status": "UNAVAILABLE"
  }
}]
"""
"""What the API prints, without any framing, when it gives up on a stream."""

_TOKEN: Final = "hop-"


class Cut(ConnectionError):
    """The connection is to break here."""


@dataclass(frozen=True)
class Fault:
    """How one stream goes wrong.

    Args:
        cut: After so many bytes the connection breaks.
        end: After so many bytes the stream ends, as if that were all.
        stall: After so many bytes nothing comes any more, and the connection stays open.
        error: After so many bytes comes a 503 as bare JSON, and then the end.
        replay: The stream begins from the start, whatever `last_event_id` says.
        ids: One of so many events has an `event_id`.
        hops: The answer comes in so many parts; each but the last requires continuation.

    """

    cut: int | None = None
    end: int | None = None
    stall: int | None = None
    error: int | None = None
    replay: bool = False
    ids: int = 0
    hops: int = 1

    @classmethod
    def parse(cls, text: str) -> Fault:
        """Read a fault as it is written in an option or a header; an empty text is none.

        Raises:
            ValueError: It says something else.

        """
        members: dict[str, Any] = {}
        for word in text.replace(",", " ").split():
            name, _, value = word.partition("=")
            known = name in cls.__dataclass_fields__ and name not in members
            if known and (name, value) == ("replay", ""):
                members[name] = True
            elif known and name != "replay" and value.isascii() and value.isdigit():
                members[name] = int(value[:9])
            else:
                raise ValueError(
                    f"{word!r} is no fault: cut=BYTES, end=, stall=, error=, replay, …"
                )
        return cls(**members)

    def shaped(self, recording: Recording, token: object, asked: str | None = None) -> Recording:
        """The recording as this answer has it.

        Args:
            recording: The whole answer.
            token: The `continuation_token` of the request, if it has one.
            asked: The interaction id that it asks for, if it does.

        Raises:
            LookupError: Nothing goes on at this token.

        """
        if self.hops > 1:
            recording = _hop(recording, self.hops, _number(recording, self.hops, token, asked))
        return _with_ids(recording, self.ids) if self.ids else recording

    async def strike(self, chunks: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
        """The chunks, until it happens. Raises Cut where the connection is to break."""
        places = [at for at in (self.cut, self.end, self.stall, self.error) if at is not None]
        left = min(places, default=None)
        async for chunk in chunks:
            if left is not None and len(chunk) >= left:
                yield chunk[:left]
                break
            yield chunk
            left = None if left is None else left - len(chunk)
        else:
            return
        await chunks.aclose()
        place = min(places)
        if place == self.cut:
            raise Cut(f"cut after {place} bytes")
        if place == self.stall:
            await asyncio.Event().wait()
        if place == self.error:
            yield UNAVAILABLE


def _with_ids(recording: Recording, every: int) -> Recording:
    frames = [
        framed({**event, "event_id": f"e{at}"}) if event and at % every == 0 else frame
        for at, (frame, event) in enumerate(recording.events())
    ]
    return replace(recording, stream=b"".join(frames))


def _number(recording: Recording, hops: int, token: object, asked: str | None) -> int:
    """Which part is asked for, from 0."""
    if asked is not None:
        _, _, place = asked.removeprefix(recording.interaction_id).rpartition(".")
        return int(place) - 1 if place.isdigit() and 0 < int(place) < hops else hops - 1
    if token is None:
        return 0
    place = str(token).removeprefix(_TOKEN)
    if not (place.isdigit() and 0 < int(place) < hops):
        raise LookupError(f"nothing goes on at {token!r}")
    return int(place)


def _hop(recording: Recording, hops: int, number: int) -> Recording:
    """One part of an answer, which is an interaction of its own.

    The steps are dealt out as they come; usage is the last part's, and so is the id.
    """
    starts = [event["index"] for _, event in recording.events() if _is(event, "step.start")]
    share = -(-len(starts) // hops)
    mine = starts[number * share : (number + 1) * share]
    last = number == hops - 1
    identity = recording.interaction_id + ("" if last else f".{number + 1}")
    frames: list[bytes] = []
    for frame, event in recording.events():
        if "index" in event:
            if event["index"] in mine:
                frames.append(framed({**event, "index": mine.index(event["index"])}))
        elif "interaction_id" in event:
            frames.append(framed({**event, "interaction_id": identity}))
        elif "interaction" in event:
            members = {**event["interaction"], "id": identity}
            if _is(event, "interaction.completed") and not last:
                members = {name: v for name, v in members.items() if name != "usage"}
                members["status"] = "requires_continuation"
                members["continuation_token"] = f"{_TOKEN}{number + 1}"
            frames.append(framed({**event, "interaction": members}))
        else:
            frames.append(frame)
    return replace(recording, stream=b"".join(frames))


def _is(event: dict[str, Any], kind: str) -> bool:
    return event.get("event_type") == kind
