"""`python -m gemwire.replay`: the replay server as a command."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
from typing import TYPE_CHECKING

from gemwire.replay.recording import BUNDLED, Recording, UnknownRecording
from gemwire.replay.server import RECORDING_HEADER, ReplayServer

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until interrupted, or list the recordings. Returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m gemwire.replay",
        description="Answer like the Interactions API on 127.0.0.1, from recordings.",
    )
    parser.add_argument(
        "--recording",
        default="text-with-thoughts",
        metavar="NAME|PATH.sse",
        help="a bundled recording, or a file (default: %(default)s)",
    )
    parser.add_argument("--port", type=int, default=0, help="default: a free one")
    parser.add_argument(
        "--chunk-size", type=int, metavar="BYTES", help="default: a chunk is a frame"
    )
    parser.add_argument(
        "--seed", type=int, help="vary the chunk sizes at random, repeatably, up to --chunk-size"
    )
    parser.add_argument(
        "--delay", type=float, default=0.0, metavar="SECONDS", help="between chunks (default: 0)"
    )
    parser.add_argument(
        "--fault",
        default="",
        metavar="WORDS",
        help="what goes wrong with every stream: 'cut=1234', 'error=900 ids=2', …",
    )
    parser.add_argument("--list", action="store_true", help="list the recordings and end")
    options = parser.parse_args(argv)
    if options.list:
        list_recordings()
        return 0
    try:
        server = ReplayServer(
            options.recording,
            port=options.port,
            chunk_size=options.chunk_size,
            seed=options.seed,
            delay=options.delay,
            faults=options.fault,
        )
    except (UnknownRecording, ValueError) as error:
        parser.error(str(error))
    try:
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(serve(server, options.recording))
    except (OSError, OverflowError) as error:
        print(f"{parser.prog}: cannot listen: {error}", file=sys.stderr)
        return 1
    return 0


async def serve(server: ReplayServer, recording: str) -> None:
    """Say how to reach the server, and keep it until cancelled."""
    async with server:
        print(f"Replaying {recording} on {server.url} until interrupted. Try:\n")
        body = '{"model": "gemini-3.6-flash", "input": "Hi", "stream": true}'
        print(f"  curl -N {server.url}/v1beta/interactions -d '{body}'\n")
        print(f"The header '{RECORDING_HEADER}: NAME' selects another recording.", flush=True)
        await asyncio.Event().wait()


def list_recordings() -> None:
    """Print name, size and content of the bundled recordings."""
    width = max(map(len, BUNDLED))
    for name, content in BUNDLED.items():
        recording = Recording.load(name)
        frames = sum(1 for _ in recording.frames())
        print(f"{name:{width}}  {frames:3} frames  {len(recording.stream):6,} bytes  {content}")


if __name__ == "__main__":
    sys.exit(main())
