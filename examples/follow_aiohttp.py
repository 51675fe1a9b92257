"""Stream an answer to its end with aiohttp; the twin of follow_httpx2.py."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator

import aiohttp
from yarl import URL

from gemwire import ResumePoint, afollow
from gemwire.operations import continue_interaction, create_interaction

BASE_URL = os.environ.get("GEMINI_BASE_URL", "https://generativelanguage.googleapis.com")
KEY = os.environ.get("GEMINI_API_KEY", "")


async def main(question: str) -> None:
    body = {"model": "gemini-3.6-flash", "input": question, "stream": True}
    timeout = aiohttp.ClientTimeout(total=None, sock_read=60)
    async with aiohttp.ClientSession(timeout=timeout) as session:

        async def open_stream(point: ResumePoint | None) -> AsyncIterator[bytes]:
            request = (
                create_interaction(body) if point is None else continue_interaction(body, point)
            )
            async with session.request(
                request.method,
                URL(request.url(BASE_URL), encoded=True),  # else aiohttp quotes it in its own way
                headers={**request.headers, "x-goog-api-key": KEY},
                data=request.body,
            ) as response:
                if response.status != 200:
                    request.decode_response(
                        response.status, await response.read(), response.headers
                    )
                async for chunk in response.content.iter_any():
                    yield chunk

        async with afollow(open_stream) as stream:
            async for text in stream.text_stream:  # what a response repeats comes once
                print(text, end="", flush=True)
            interaction = await stream.get_final_interaction()
    print(f"\n{interaction.status}, {len(interaction.steps or ())} steps")


if __name__ == "__main__":
    asyncio.run(main(" ".join(sys.argv[1:]) or "Why is the night dark?"))
