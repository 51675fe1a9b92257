"""Let a model call functions until it has its answer, with httpx2.

`GEMINI_API_KEY=… python examples/function_calling.py "By train to Milan on 3 October?"`. The
functions here make up what they say.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Annotated, Any

import httpx2
from msgspec import Meta, Struct, field

from gemwire import FunctionCallStep, Interaction
from gemwire.operations import create_interaction
from gemwire.tools import function_declaration, next_request, run_tools

BASE_URL = os.environ.get("GEMINI_BASE_URL", "https://generativelanguage.googleapis.com")
KEY = os.environ.get("GEMINI_API_KEY", "")
MOST_TURNS = 8


class Journey(Struct):
    """From where to where, and when."""

    start: Annotated[str, Meta(description="Name of the station.")] = field(name="from")
    to: str
    date: Annotated[str, Meta(description="As 2026-12-31.")]
    depart_after: str = "00:00"


def search_trains(journey: Journey, /) -> list[dict[str, Any]]:
    """Find trains between two stations."""
    return [{"departs": "09:05", "arrives": "12:17", "from": journey.start, "to": journey.to}]


def get_weather(city: str, date: str, units: str = "metric") -> dict[str, Any]:
    """Forecast the weather.

    Args:
        city: its name.
        date: as 2026-12-31.
        units: metric or imperial.
    """
    return {"city": city, "date": date, "sky": "clear", "temperature": 17, "units": units}


def save_note(title: str, text: str) -> str:
    """Keep a note for the user."""
    return f"saved {len(text)} characters as {title!r}"


FUNCTIONS: list[Callable[..., Any]] = [search_trains, get_weather, save_note]


def tell(call: FunctionCallStep, error: Exception) -> None:
    print(f"{call.name} failed: {error}", file=sys.stderr)


def main(question: str) -> None:
    body: dict[str, Any] = {
        "model": "gemini-3.6-flash",
        "input": question,
        "tools": [function_declaration(function) for function in FUNCTIONS],
    }
    with httpx2.Client(timeout=60) as client:

        def send(body: dict[str, Any]) -> Interaction:
            request = create_interaction(body)
            response = client.request(
                request.method,
                request.url(BASE_URL),
                headers={**request.headers, "x-goog-api-key": KEY},
                content=request.body,
            )
            return request.decode_response(response.status_code, response.content, response.headers)

        interaction = send(body)
        for _ in range(MOST_TURNS):
            if not interaction.pending_function_calls:
                break
            results = run_tools(interaction, FUNCTIONS, max_concurrency=4, on_error=tell)
            for result in results:
                print(f"{result.name}: {result.result}")
            body = next_request(body, interaction, results)
            interaction = send(body)
    print(f"{interaction.output_text}\n{interaction.status}")


if __name__ == "__main__":
    main(" ".join(sys.argv[1:]) or "Two seats by train from Zürich to Milan on 3 October?")
