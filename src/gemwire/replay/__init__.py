"""A small HTTP server on loopback that answers like the Interactions API, from recordings.

For demos, tests and trying out clients; nothing else in gemwire imports it. Usable from
synchronous code, from asyncio, and as a command (`python -m gemwire.replay --list`)::

    with ReplayServer("search", chunk_size=100) as server:
        body = {"model": "gemini-3.6-flash", "input": "…", "stream": True}
        httpx2.post(f"{server.url}/v1beta/interactions", json=body)

`recording` holds what was said, `playback` how its bytes are cut and paced, `faults` what may go
wrong with them, `interactions` what
became of them, `routes` what may be asked, `http` how HTTP is spoken, and `server` puts them
together.
"""

from gemwire.replay.faults import Fault
from gemwire.replay.playback import Playback
from gemwire.replay.recording import BUNDLED, Recording, UnknownRecording
from gemwire.replay.server import FAULT_HEADER, RECORDING_HEADER, ReplayServer

__all__ = [
    "BUNDLED",
    "FAULT_HEADER",
    "RECORDING_HEADER",
    "Fault",
    "Playback",
    "Recording",
    "ReplayServer",
    "UnknownRecording",
]
