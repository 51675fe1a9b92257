"""Stream an answer with httpx2 in asyncio; run it as httpx2_sync.py."""

from __future__ import annotations

import asyncio
import os
import sys

import httpx2

from gemwire import AsyncInteractionStream, StepDelta, TextDelta
from gemwire.operations import create_interaction

BASE_URL = os.environ.get("GEMINI_BASE_URL", "https://generativelanguage.googleapis.com")
KEY = os.environ.get("GEMINI_API_KEY", "")


async def main(question: str) -> None:
    body = {"model": "gemini-3.6-flash", "input": question, "stream": True}
    request = create_interaction(body)
    headers = {**request.headers, "x-goog-api-key": KEY}
    async with (
        httpx2.AsyncClient(timeout=60) as client,
        client.stream(
            request.method, request.url(BASE_URL), headers=headers, content=request.body
        ) as response,
    ):
        if response.status_code != 200:
            request.decode_response(response.status_code, await response.aread(), response.headers)
        async with AsyncInteractionStream(response.aiter_bytes()) as stream:
            async for event in stream:
                if isinstance(event, StepDelta) and isinstance(event.delta, TextDelta):
                    print(event.delta.text, end="", flush=True)
            interaction = await stream.get_final_interaction()
    print(f"\n{interaction.status}, {len(interaction.steps or ())} steps")


if __name__ == "__main__":
    asyncio.run(main(" ".join(sys.argv[1:]) or "Why is the night dark?"))
