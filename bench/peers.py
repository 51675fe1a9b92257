"""The peers, each driven through its own real code; loaded only when it is measured.

`google-genai` and `httpx-sse` are loaded by name: neither is needed to check or to import this
package, and what they warn about while loading is no business of ours.
"""

from __future__ import annotations

import codecs
import importlib
import importlib.util
import sys
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, NamedTuple, cast

__all__ = ["GoogleClient", "ServerSentEvent", "httpx_sse_events"]


class ServerSentEvent(NamedTuple):
    """What httpx-sse gives for one event, for the type checker."""

    event: str
    data: str


@contextmanager
def _standing_in_for_httpx() -> Iterator[None]:
    """httpx-sse imports httpx, of which its decoders use nothing: httpx2 will do."""
    if "httpx" in sys.modules or importlib.util.find_spec("httpx"):
        yield
        return
    sys.modules["httpx"] = importlib.import_module("httpx2")
    try:
        yield
    finally:
        del sys.modules["httpx"]


@cache
def _httpx_sse() -> Any:
    with _standing_in_for_httpx():
        importlib.import_module("httpx_sse")
    return importlib.import_module("httpx_sse._decoders")


def httpx_sse_events(chunks: Iterable[bytes]) -> Iterator[ServerSentEvent]:
    """The loop of `httpx_sse.EventSource.iter_sse`, over the text that httpx would decode."""
    module = _httpx_sse()
    text = codecs.getincrementaldecoder("utf-8")(errors="replace")
    lines, decode = module.SSELineDecoder(), module.SSEDecoder().decode
    for chunk in chunks:
        for line in lines.decode(text.decode(chunk)):
            event = decode(line.rstrip("\n"))
            if event is not None:
                yield event
    for line in lines.flush():
        event = decode(line.rstrip("\n"))
        if event is not None:
            yield event


class GoogleClient:
    """A `google.genai.Client` that reads its answers from memory."""

    def __init__(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            genai = importlib.import_module("google.genai")
            httpx2 = importlib.import_module("httpx2")

            def answer(request: object) -> Any:
                return httpx2.Response(
                    200,
                    headers={"content-type": "text/event-stream"},
                    content=iter(self._chunks),
                )

            self._chunks: Iterable[bytes] = ()
            self._client: Any = genai.Client(
                api_key="none",
                vertexai=False,
                http_options={
                    "httpx_client": httpx2.Client(transport=httpx2.MockTransport(answer))
                },
            )

    def stream(self, chunks: Iterable[bytes]) -> Iterator[Any]:
        """The stream object of the client: its parser and decoder run as it is iterated."""
        self._chunks = chunks
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return cast(
                Iterator[Any],
                self._client.interactions.create(model="any", input="any", stream=True),
            )
