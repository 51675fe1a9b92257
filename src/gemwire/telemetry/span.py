"""The attributes of the span of one call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import UNSET

from ..operations.request import Request
from .answer import Answer, ending_of, token_attributes
from .content import content_attributes
from .request import Body, Call, provider_of, request_attributes, server_attributes
from .values import Attribute, as_attribute, value_of

__all__ = ["attributes", "span_name"]


def attributes(
    request: Request[Any] | Body | None,
    /,
    *answer: Answer,
    base_url: str | None = None,
    provider: str | None = None,
    time_to_first_chunk: float | None = None,
    content: bool = False,
) -> dict[str, Attribute]:
    """The attributes of the span of one call; the same whether the answer was streamed or not.

        attributes(request, interaction)                 # not streamed
        attributes(request, interaction, stream.report)  # streamed
        attributes(request, error)                       # it raised

    A request that creates an interaction is `generate_content`, or `invoke_agent` where an agent
    runs. One that reads an interaction is `fetch_response`: it has no usage, which the call that
    made the answer has, and a run that failed does not make it fail.

    Args:
        request: the `Request`, or the body of the one that creates an interaction. A body that
            cannot be read, or None, adds nothing.
        answer: what came of it, as far as there is something: the Interaction, the StreamReport of
            its stream, the exception that was raised. An exception of a stream brings the
            interaction and the report with it.
        base_url: gives `server.address` and `server.port`, and tells Vertex AI.
        provider: `gen_ai.provider.name`. None is `gcp.vertex_ai` for a request or a base URL of
            that, else `gcp.gemini`.
        time_to_first_chunk: seconds from sending a request that streams to the first bytes of the
            answer, by the caller's clock.
        content: whether to add instructions, inputs, outputs and tools, as JSON texts. They may be
            private, and long. Data of media is left out.

    Returns:
        Names and values that a span takes: texts without half surrogate pairs, numbers of 64 bits,
        lists of texts. What the body or the server has in another form is left out.

    Raises:
        ValueError: the request neither creates nor reads an interaction: the conventions have no
            operation for it.
        TypeError: an answer is none of these.

    Cost: the size of the body; with `content` also that of the answer.
    """
    call, ending = Call(request), ending_of(answer)
    found: dict[str, Any] = {
        "gen_ai.operation.name": call.operation,
        "gen_ai.provider.name": provider or provider_of(call, base_url),
        **server_attributes(base_url),
        "gen_ai.response.id": ending.identity or call.identity,
        "gen_ai.response.finish_reasons": ending.finish_reasons,
        "error.type": ending.error_type(reads=call.reads),
    }
    if call.reads:
        found["gen_ai.request.stream_cursor"] = call.cursor
        found["gen_ai.response.status"] = ending.told_status
    else:
        found.update(request_attributes(call))
        found.update(token_attributes(ending.usage))
    if call.streams and not call.reads:
        found["gen_ai.response.time_to_first_chunk"] = value_of(float, time_to_first_chunk)
    if ending.interaction is not None:
        found["gen_ai.response.model"] = ending.interaction.model
    if content:
        found.update(content_attributes(call.body, ending.interaction, reads=call.reads))
    said = {name: value for name, value in found.items() if value not in (None, UNSET, "")}
    return {name: as_attribute(value) for name, value in said.items()}


def span_name(attributes: Mapping[str, Any], /) -> str:
    """The name that the conventions give the span: `generate_content gemini-3.6-flash`."""
    operation = str(attributes["gen_ai.operation.name"])
    model = attributes.get("gen_ai.request.model")
    return f"{operation} {model}" if model and operation == "generate_content" else operation
