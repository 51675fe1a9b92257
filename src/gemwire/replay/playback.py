"""How a recording is played: which bytes are sent together, and when.

A playback is an asynchronous generator of byte strings that knows nothing of HTTP. Whatever
happens to a stream on its way (pauses, cuts) belongs here.
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator

    from gemwire.replay.recording import Recording

_RANDOM_CHUNK_SIZE = 512
"""Bytes: about two text deltas, so that most chunks end inside a frame."""


@dataclass(frozen=True)
class Playback:
    """How the stream of a recording is cut into chunks and paced.

    Args:
        chunk_size: Bytes in each chunk. By default a chunk is a frame, as in the recording.
        seed: Vary the sizes at random between 1 and `chunk_size` (then 512 by default). The same
            seed cuts a recording in the same way for every request.
        delay: Seconds between two chunks.

    """

    chunk_size: int | None = None
    seed: int | None = None
    delay: float = 0.0

    def __post_init__(self) -> None:
        if self.chunk_size is not None and self.chunk_size < 1:
            raise ValueError(f"chunk_size must be at least 1, not {self.chunk_size}")
        if not 0 <= self.delay < float("inf"):
            raise ValueError(f"delay must be a number of seconds, not {self.delay}")

    def chunks(self, recording: Recording) -> Iterator[bytes]:
        """Cut the stream of a recording. Joined, the chunks are the stream."""
        if self.seed is not None:
            return _random_cuts(recording.stream, self.chunk_size or _RANDOM_CHUNK_SIZE, self.seed)
        if self.chunk_size is not None:
            return _even_cuts(recording.stream, self.chunk_size)
        return recording.frames()

    async def play(self, recording: Recording) -> AsyncGenerator[bytes, None]:
        """Yield the chunks, each in its time."""
        for number, chunk in enumerate(self.chunks(recording)):
            if number:
                await asyncio.sleep(self.delay)
            yield chunk


def _even_cuts(data: bytes, size: int) -> Iterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


def _random_cuts(data: bytes, most: int, seed: int) -> Iterator[bytes]:
    rng = random.Random(seed)
    start = 0
    while start < len(data):
        end = start + rng.randint(1, most)
        yield data[start:end]
        start = end
