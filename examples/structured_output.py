"""Ask for an answer as JSON and read it as a type: `python examples/structured_output.py "…"`."""

from __future__ import annotations

import os
import sys
from typing import Annotated, Literal

import httpx2
from msgspec import Meta, Struct

from gemwire.operations import create_interaction
from gemwire.structured import OutputError, json_schema, parse_output

BASE_URL = os.environ.get("GEMINI_BASE_URL", "https://generativelanguage.googleapis.com")
KEY = os.environ.get("GEMINI_API_KEY", "")


class Ingredient(Struct):
    name: str
    grams: Annotated[float, Meta(gt=0)]


class Recipe(Struct):
    title: str
    effort: Literal["low", "high"]
    ingredients: Annotated[list[Ingredient], Meta(description="In the order of use.")]


def main(wish: str) -> None:
    request = create_interaction(
        {
            "model": "gemini-3.6-flash",
            "input": wish,
            "response_format": {
                "type": "text",
                "mime_type": "application/json",
                "schema": json_schema(Recipe),
            },
        }
    )
    response = httpx2.request(
        request.method,
        request.url(BASE_URL),
        headers={**request.headers, "x-goog-api-key": KEY},
        content=request.body,
        timeout=60,
    )
    interaction = request.decode_response(response.status_code, response.content, response.headers)
    try:
        recipe = parse_output(interaction, Recipe)
    except OutputError as error:
        raise SystemExit(f"{error}: {error.text}") from error
    print(f"{recipe.title} ({recipe.effort} effort)")
    for ingredient in recipe.ingredients:
        print(f"{ingredient.grams:6.0f} g {ingredient.name}")


if __name__ == "__main__":
    main(" ".join(sys.argv[1:]) or "A soup for a cold evening.")
