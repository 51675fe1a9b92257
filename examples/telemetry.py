"""Stream an answer inside an OpenTelemetry span, which has the `gen_ai.*` attributes of the call.

Run it as httpx2_sync.py, with `opentelemetry-sdk` installed. The span goes to the standard error.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable, Iterator

import httpx2
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor
from opentelemetry.trace import SpanKind, StatusCode, Tracer

from gemwire import Interaction, InteractionStream, Request, StreamReport
from gemwire.operations import create_interaction
from gemwire.telemetry import attributes, span_name

BASE_URL = os.environ.get("GEMINI_BASE_URL", "https://generativelanguage.googleapis.com")
KEY = os.environ.get("GEMINI_API_KEY", "")


def main(question: str, tracer: Tracer) -> None:
    body = {"model": "gemini-3.6-flash", "input": question, "stream": True}
    request = create_interaction(body)
    asked = attributes(request, base_url=BASE_URL)  # at the start: samplers look at them
    with tracer.start_as_current_span(
        span_name(asked), kind=SpanKind.CLIENT, attributes=asked
    ) as span:
        arrivals: list[float] = []
        began = time.perf_counter()
        try:
            interaction, report = answer_to(request, arrivals)
        except Exception as error:
            span.set_attributes(attributes(request, error))
            raise  # the span notes that it failed
        first = arrivals[0] - began if arrivals else None
        told = attributes(request, interaction, report, time_to_first_chunk=first)
        span.set_attributes(told)
        if "error.type" in told:
            span.set_status(StatusCode.ERROR)
    print(f"\n{interaction.status}, {len(interaction.steps or ())} steps")


def answer_to(
    request: Request[Interaction], arrivals: list[float]
) -> tuple[Interaction, StreamReport]:
    with (
        httpx2.Client(timeout=60) as client,
        client.stream(
            request.method,
            request.url(BASE_URL),
            headers={**request.headers, "x-goog-api-key": KEY},
            content=request.body,
        ) as response,
    ):
        if response.status_code != 200:
            request.decode_response(response.status_code, response.read(), response.headers)
        with InteractionStream(timed(response.iter_bytes(), arrivals)) as stream:
            for text in stream.text_stream:
                print(text, end="", flush=True)
            return stream.get_final_interaction(), stream.report


def timed(chunks: Iterable[bytes], arrivals: list[float]) -> Iterator[bytes]:
    for chunk in chunks:
        if not arrivals:
            arrivals.append(time.perf_counter())
        yield chunk


if __name__ == "__main__":
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter(out=sys.stderr)))
    main(" ".join(sys.argv[1:]) or "Why is the night dark?", provider.get_tracer("example"))
