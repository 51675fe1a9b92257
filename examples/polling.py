"""Start an agent in the background, and read it until it has ended.

Run it as httpx2_sync.py. The usage, which may come a little after the end, is waited for.
"""

from __future__ import annotations

import os
import sys

import httpx2

from gemwire import Interaction, Request
from gemwire.operations import create_interaction, get_interaction
from gemwire.polling import poll, usage_owed

BASE_URL = os.environ.get("GEMINI_BASE_URL", "https://generativelanguage.googleapis.com")
KEY = os.environ.get("GEMINI_API_KEY", "")
AGENT = "deep-research-pro-preview-12-2025"


def main(question: str) -> None:
    with httpx2.Client(timeout=60) as client:

        def send(request: Request[Interaction]) -> Interaction:
            response = client.request(
                request.method,
                request.url(BASE_URL),
                headers={**request.headers, "x-goog-api-key": KEY},
                content=request.body,
            )
            return request.decode_response(response.status_code, response.content, response.headers)

        begun = send(create_interaction({"agent": AGENT, "input": question, "background": True}))
        read = get_interaction(str(begun.id))
        interaction = poll(lambda: send(read), begun, usage_timeout=30)
    print(interaction.output_text)
    print(f"{interaction.status}, usage {'owed' if usage_owed(interaction) else 'known'}")


if __name__ == "__main__":
    main(" ".join(sys.argv[1:]) or "Why is the night dark?")
