"""Stream an answer with requests; run it as httpx2_sync.py."""

from __future__ import annotations

import os
import sys

import requests

from gemwire import InteractionStream, StepDelta, TextDelta
from gemwire.operations import create_interaction

BASE_URL = os.environ.get("GEMINI_BASE_URL", "https://generativelanguage.googleapis.com")
KEY = os.environ.get("GEMINI_API_KEY", "")


def main(question: str) -> None:
    body = {"model": "gemini-3.6-flash", "input": question, "stream": True}
    request = create_interaction(body)
    headers = {**request.headers, "x-goog-api-key": KEY}
    with requests.request(
        request.method,
        request.url(BASE_URL),
        headers=headers,
        data=request.body,
        stream=True,
        timeout=60,
    ) as response:
        if response.status_code != 200:
            request.decode_response(response.status_code, response.content, response.headers)
        # chunk_size=None: each chunk as it comes, not when so many bytes are there
        with InteractionStream(response.iter_content(chunk_size=None)) as stream:
            for event in stream:
                if isinstance(event, StepDelta) and isinstance(event.delta, TextDelta):
                    print(event.delta.text, end="", flush=True)
            interaction = stream.get_final_interaction()
    print(f"\n{interaction.status}, {len(interaction.steps or ())} steps")


if __name__ == "__main__":
    main(" ".join(sys.argv[1:]) or "Why is the night dark?")
