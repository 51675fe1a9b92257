"""Stream an answer to its end with httpx2, over as many responses as that takes.

Run it as httpx2_sync.py. A response that is cut is gone on with; every one is closed.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

import httpx2

from gemwire import ResumePoint, follow
from gemwire.operations import continue_interaction, create_interaction

BASE_URL = os.environ.get("GEMINI_BASE_URL", "https://generativelanguage.googleapis.com")
KEY = os.environ.get("GEMINI_API_KEY", "")


def main(question: str) -> None:
    body = {"model": "gemini-3.6-flash", "input": question, "stream": True}
    with httpx2.Client(timeout=60) as client:

        def open_stream(point: ResumePoint | None) -> Iterator[bytes]:
            request = (
                create_interaction(body) if point is None else continue_interaction(body, point)
            )
            with client.stream(
                request.method,
                request.url(BASE_URL),
                headers={**request.headers, "x-goog-api-key": KEY},
                content=request.body,
            ) as response:
                if response.status_code != 200:
                    request.decode_response(response.status_code, response.read(), response.headers)
                yield from response.iter_bytes()

        with follow(open_stream) as stream:
            for text in stream.text_stream:  # what a response repeats comes once
                print(text, end="", flush=True)
            interaction = stream.get_final_interaction()
    print(f"\n{interaction.status}, {len(interaction.steps or ())} steps")


if __name__ == "__main__":
    main(" ".join(sys.argv[1:]) or "Why is the night dark?")
