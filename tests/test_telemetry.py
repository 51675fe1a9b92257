"""`gen_ai.*` attributes: what stands in them, and that they are those of the conventions."""

from __future__ import annotations

import contextlib
import json
import pickle
import runpy
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from gemwire import (
    ApiError,
    GemwireError,
    Interaction,
    InteractionStream,
    StreamError,
    StreamReport,
    TruncatedStream,
    decode,
    decode_interaction,
    disassemble,
    encode,
    encode_sse,
    redact,
)
from gemwire.models import CreateModelInteraction
from gemwire.operations import (
    cancel_interaction,
    create_interaction,
    delete_interaction,
    get_interaction,
)
from gemwire.replay import Recording, ReplayServer
from gemwire.telemetry import attributes, span_name

from .wire import Payload, arguments, completed, created, dumps, error, start, stop, stream, text

EXAMPLE: Final = Path(__file__).parent.parent / "examples" / "telemetry.py"

# ---- what the conventions say (those for generative AI, as of October 2026)

REGISTRY: Final[dict[str, tuple[str, str]]] = {
    "error.type": ("string", "conditional"),
    "gen_ai.agent.id": ("string", "conditional"),
    "gen_ai.input.messages": ("any", "opt_in"),
    "gen_ai.operation.name": ("string", "required"),
    "gen_ai.output.messages": ("any", "opt_in"),
    "gen_ai.output.type": ("string", "conditional"),
    "gen_ai.provider.name": ("string", "required"),
    "gen_ai.request.choice.count": ("int", "conditional"),
    "gen_ai.request.frequency_penalty": ("double", "recommended"),
    "gen_ai.request.max_tokens": ("int", "recommended"),
    "gen_ai.request.model": ("string", "conditional"),
    "gen_ai.request.presence_penalty": ("double", "recommended"),
    "gen_ai.request.previous_response.id": ("string", "recommended"),
    "gen_ai.request.reasoning.level": ("string", "recommended"),
    "gen_ai.request.seed": ("int", "conditional"),
    "gen_ai.request.stop_sequences": ("string[]", "recommended"),
    "gen_ai.request.stream": ("boolean", "conditional"),
    "gen_ai.request.stream_cursor": ("string", "conditional"),
    "gen_ai.request.temperature": ("double", "recommended"),
    "gen_ai.request.top_k": ("int", "conditional"),
    "gen_ai.request.top_p": ("double", "recommended"),
    "gen_ai.response.finish_reasons": ("string[]", "recommended"),
    "gen_ai.response.id": ("string", "recommended"),
    "gen_ai.response.model": ("string", "recommended"),
    "gen_ai.response.status": ("string", "recommended"),
    "gen_ai.response.time_to_first_chunk": ("double", "recommended"),
    "gen_ai.system_instructions": ("any", "opt_in"),
    "gen_ai.tool.definitions": ("any", "opt_in"),
    "gen_ai.usage.audio.cache_read.input_tokens": ("int", "recommended"),
    "gen_ai.usage.audio.input_tokens": ("int", "recommended"),
    "gen_ai.usage.audio.output_tokens": ("int", "recommended"),
    "gen_ai.usage.cache_read.input_tokens": ("int", "recommended"),
    "gen_ai.usage.image.cache_read.input_tokens": ("int", "recommended"),
    "gen_ai.usage.image.input_tokens": ("int", "recommended"),
    "gen_ai.usage.image.output_tokens": ("int", "recommended"),
    "gen_ai.usage.input_tokens": ("int", "recommended"),
    "gen_ai.usage.output_tokens": ("int", "recommended"),
    "gen_ai.usage.reasoning.output_tokens": ("int", "recommended"),
    "gen_ai.usage.text.cache_read.input_tokens": ("int", "recommended"),
    "gen_ai.usage.text.input_tokens": ("int", "recommended"),
    "gen_ai.usage.text.output_tokens": ("int", "recommended"),
    "server.address": ("string", "recommended"),
    "server.port": ("int", "conditional"),
}
"""Attribute → type and requirement, on the span of the operation that it is for. `any` is JSON text
on a span."""

ALWAYS: Final = {name for name, (_, level) in REGISTRY.items() if level == "required"}
REQUIRED: Final = {
    "generate_content": ALWAYS,
    "invoke_agent": ALWAYS,
    "fetch_response": {*ALWAYS, "gen_ai.response.id"},
}
"""Operation → attributes that it must have."""

FORBIDDEN: Final = {
    "generate_content": ("gen_ai.response.status", "gen_ai.request.stream_cursor"),
    "invoke_agent": ("gen_ai.response.status", "gen_ai.request.stream_cursor"),
    "fetch_response": ("gen_ai.usage.", "gen_ai.request.stream\0", "gen_ai.input.messages"),
}
"""Operation → beginnings of the names that it must not have."""

OPT_IN: Final = {name for name, (_, level) in REGISTRY.items() if level == "opt_in"}
MEMBERS: Final = {
    "gen_ai.operation.name": set(REQUIRED),
    "gen_ai.provider.name": {"gcp.gemini", "gcp.vertex_ai"},
}
PARTS: Final = {
    "text": {"content"},
    "reasoning": {"content"},
    "tool_call": {"name"},
    "tool_call_response": {"response"},
    "server_tool_call": {"name", "server_tool_call"},
    "server_tool_call_response": {"server_tool_call_response"},
    "blob": {"modality"},
    "uri": {"modality", "uri"},
}
"""Part of a message → members that it must have beside `type`; any other type is free."""


def is_double(value: Any) -> bool:
    return isinstance(value, float)


def is_any(value: Any) -> bool:
    return isinstance(value, str) and isinstance(json.loads(value), list)


CHECKS: Final[dict[str, Any]] = {
    "string": lambda value: isinstance(value, str) and value != "",
    "int": lambda value: type(value) is int and -(2**63) <= value < 2**63,
    "double": is_double,
    "boolean": lambda value: isinstance(value, bool),
    "string[]": lambda value: (
        isinstance(value, list) and all(isinstance(each, str) for each in value)
    ),
    "any": is_any,
}


def faults(found: dict[str, Any]) -> list[str]:
    """Where attributes are not as the conventions want them."""
    told: list[str] = []
    operation = str(found.get("gen_ai.operation.name"))
    told += [f"{name} is missing" for name in REQUIRED[operation] - found.keys()]
    for name, value in found.items():
        if name not in REGISTRY:
            told.append(f"{name} is not in the conventions")
        elif not CHECKS[REGISTRY[name][0]](value):
            told.append(f"{name} is {value!r}, which is no {REGISTRY[name][0]}")
        if name in MEMBERS and value not in MEMBERS[name]:
            told.append(f"{name} cannot be {value!r}")
        if (name + "\0").startswith(FORBIDDEN[operation]):
            told.append(f"{operation} has no {name}")
    if ("server.address" in found) != ("server.port" in found):
        told.append("an address without a port")
    for name in ("gen_ai.input.messages", "gen_ai.output.messages"):
        for message in json.loads(found.get(name, "[]")):
            told += [f"{name}: {key}" for key in {"role", "parts"} - message.keys()]
            for part in message["parts"]:
                lacking = {"type", *PARTS.get(part.get("type"), ())} - part.keys()
                told += [f"{name}: {part} has no {key}" for key in lacking]
    return told


def valid(*args: Any, **options: Any) -> dict[str, Any]:
    found = attributes(*args, **options)
    assert faults(found) == []
    assert options.get("content") or not OPT_IN & found.keys()
    return dict(found)


@pytest.mark.parametrize(
    "wrong",
    [
        {"gen_ai.operation.name": "generate_content"},
        {"gen_ai.system": "gemini"},
        {"gen_ai.usage.input_tokens": 1.0},
        {"gen_ai.request.top_p": 1},
        {"gen_ai.response.status": "completed"},
        {"server.address": "a"},
        {"gen_ai.output.messages": '[{"role":"assistant","parts":[{"type":"text"}]}]'},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_the_test_of_the_conventions_finds_faults(wrong: dict[str, Any]) -> None:
    right = {} if len(wrong) == 1 and "gen_ai.operation.name" in wrong else attributes({}, None)
    assert faults({**right, **wrong})


# ---- answers

USAGE: Payload = {
    "total_input_tokens": 100,
    "total_output_tokens": 20,
    "total_thought_tokens": 7,
    "total_tool_use_tokens": 5,
    "total_cached_tokens": 60,
    "total_tokens": 132,
    "input_tokens_by_modality": [
        {"modality": "text", "tokens": 30},
        {"modality": "IMAGE", "tokens": 60},
        {"modality": "video", "tokens": 10},
    ],
    "tool_use_tokens_by_modality": [{"modality": "text", "tokens": 5}],
    "output_tokens_by_modality": [{"modality": "audio", "tokens": 20}],
    "cached_tokens_by_modality": [{"modality": "image", "tokens": 60}],
}
STEPS: list[Payload] = [
    {"type": "thought", "summary": [{"type": "text", "text": "Hm."}], "signature": "c2ln"},
    {"type": "model_output", "content": [{"type": "text", "text": "A mill."}]},
]


def answer(status: str = "completed", **members: Any) -> Interaction:
    body = {"id": "v1_a", "model": "gemini-3.6-flash", "object": "interaction", "status": status}
    return decode_interaction(dumps({**body, "steps": STEPS, "usage": USAGE, **members}))


def streamed(*events: Payload) -> tuple[Interaction, StreamReport]:
    read = InteractionStream([stream(*events)]).until_done()
    return read.snapshot(), read.report


BODY: Payload = {"model": "gemini-3.6-flash", "input": "What is that?"}
CREATE = create_interaction(BODY)


def test_usage_is_that_of_the_conventions() -> None:
    found = valid(CREATE, answer())
    usage = {name: value for name, value in found.items() if name.startswith("gen_ai.usage.")}
    assert usage == {
        "gen_ai.usage.input_tokens": 105,
        "gen_ai.usage.output_tokens": 27,
        "gen_ai.usage.reasoning.output_tokens": 7,
        "gen_ai.usage.cache_read.input_tokens": 60,
        "gen_ai.usage.text.input_tokens": 35,
        "gen_ai.usage.image.input_tokens": 60,
        "gen_ai.usage.audio.output_tokens": 20,
        "gen_ai.usage.image.cache_read.input_tokens": 60,
    }
    total = usage["gen_ai.usage.input_tokens"] + usage["gen_ai.usage.output_tokens"]
    assert total == USAGE["total_tokens"]


@pytest.mark.parametrize(
    ("usage", "told"),
    [
        ({"total_output_tokens": 0}, {"output_tokens": 0}),
        ({"total_thought_tokens": 3}, {"output_tokens": 3, "reasoning.output_tokens": 3}),
        ({}, {}),
        ({"total_input_tokens": -1, "total_output_tokens": 2**62}, {}),
        ({"total_input_tokens": 10**30, "total_cached_tokens": "7"}, {}),
        ({"total_input_tokens": None}, {}),
        ({"output_tokens_by_modality": [{"tokens": 3}, {"modality": "text"}, {}]}, {}),
        ({"output_tokens_by_modality": "text"}, {}),
    ],
    ids=["zero", "thoughts alone", "none", "no counts", "too large", "null", "no entry", "no list"],
)
def test_only_counts_are_told(usage: Payload, told: dict[str, int]) -> None:
    found = valid(CREATE, answer(usage=usage))
    assert {
        name.removeprefix("gen_ai.usage."): value
        for name, value in found.items()
        if name.startswith("gen_ai.usage.")
    } == told


GOOD: Final = ("audio", "function-calls", "image", "search", "text-with-thoughts")
BAD: Final = ("bare-error", "cut", "error-event")


@pytest.mark.parametrize("name", GOOD)
def test_streamed_is_as_not_streamed(name: str) -> None:
    read = InteractionStream([Recording.load(name).stream]).until_done()
    whole = read.get_final_interaction()
    body = {**BODY, "stream": True}
    assert valid(body, whole, read.report, content=True) == valid(body, whole, content=True)


ENDS: Final = [
    # status, code of the error, finish reason, error.type
    ("completed", None, "stop", None),
    ("requires_action", None, "tool_call", None),
    ("incomplete", None, "length", None),
    ("incomplete", "safety", "content_filter", None),
    ("budget_exceeded", None, "length", None),
    ("requires_continuation", None, "length", None),
    ("failed", None, "error", "failed"),
    ("failed", "malformed_function_call", "error", "malformed_function_call"),
    ("failed", "prohibited_content", "content_filter", "prohibited_content"),
    ("failed", "a code\nwith spaces", "error", "failed"),
    ("cancelled", None, "error", "cancelled"),
    ("paused_for_tea", None, "paused_for_tea", None),
    ("so long " * 50, None, "_OTHER", None),
    ("in_progress", None, None, None),
    ("queued", None, None, None),
]
END_IDS = [f"{status[:20]}-{code}" for status, code, _, _ in ENDS]


@pytest.mark.parametrize(("status", "code", "reason", "kind"), ENDS, ids=END_IDS)
def test_how_it_ended(status: str, code: str | None, reason: str | None, kind: str | None) -> None:
    told = {} if code is None else {"errors": [{"code": code, "message": "No."}]}
    body = answer(status, **told)
    report = InteractionStream([encode(body)]).until_done().report
    for said in ((body,), (body, report)):
        found = valid(CREATE, *said)
        assert found.get("gen_ai.response.finish_reasons") == (reason and [reason])
        assert found.get("error.type") == kind


TORN: list[Payload] = [created(), start(0, "model_output"), text(0, "A mi")]
WHOLE: list[Payload] = [*TORN, stop(0), completed(usage=USAGE)]


def test_a_stream_that_was_cut() -> None:
    interaction, report = streamed(*TORN)
    with pytest.raises(TruncatedStream) as caught:
        InteractionStream([stream(*TORN)]).get_final_interaction()
    found = valid(CREATE, interaction, report)
    assert found["error.type"] == "truncated"
    assert found["gen_ai.response.finish_reasons"] == ["error"]
    assert found["gen_ai.response.id"] == "v1_a"
    assert valid(CREATE, caught.value) == found
    assert valid(CREATE, pickle.loads(pickle.dumps(caught.value))) == found


def test_a_stream_with_a_damaged_event() -> None:
    data = stream(*WHOLE).replace(b'"text":"A mi"', b'"text":"A mi')
    read = InteractionStream([data]).until_done()
    with pytest.raises(StreamError) as caught:
        read.get_final_interaction()
    for said in ((read.snapshot(), read.report), (caught.value,)):
        found = valid(CREATE, *said)
        assert found["error.type"] == "damaged"
        assert found["gen_ai.response.finish_reasons"] == ["stop"]
        assert found["gen_ai.usage.output_tokens"] == 27


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        ({"code": "safety", "message": "No."}, "safety"),
        ({"code": "gateway_timeout", "message": "No."}, "gateway_timeout"),
        ({"code": 503, "message": "No.", "status": "UNAVAILABLE"}, "503"),
        ({"status": "UNAVAILABLE", "message": "No."}, "UNAVAILABLE"),
        ({"message": "No."}, "_OTHER"),
        ({"code": "x" * 1000, "message": "No."}, "_OTHER"),
    ],
    ids=["blocked", "name", "number", "status", "message alone", "no name"],
)
def test_an_error_in_the_stream(told: Payload, kind: str) -> None:
    event = error(told)
    interaction, report = streamed(*TORN, event)
    found = valid(CREATE, interaction, report)
    assert found["error.type"] == kind
    reason = "content_filter" if kind == "safety" else "error"
    assert found["gen_ai.response.finish_reasons"] == [reason]
    with pytest.raises(StreamError) as caught:
        InteractionStream([stream(*TORN, event)]).get_final_interaction()
    assert valid(CREATE, caught.value) == found


class Broken(Exception):
    pass


@pytest.mark.parametrize(
    ("raised", "kind"),
    [
        (ApiError("No.", code="rate_limit_exceeded", http_status=429), "rate_limit_exceeded"),
        (ApiError("No.", http_status=502), "502"),
        (ApiError("No."), "_OTHER"),
        (ConnectionResetError("No."), "ConnectionResetError"),
        (Broken("No."), f"{__name__}.Broken"),
        (KeyboardInterrupt(), "KeyboardInterrupt"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_exception(raised: BaseException, kind: str) -> None:
    for request in (CREATE, get_interaction("v1_a")):
        found = valid(request, raised)
        assert found["error.type"] == kind
        assert found["gen_ai.response.finish_reasons"] == ["error"]


def test_a_call_without_a_stream_that_cannot_be_run() -> None:
    step = {"type": "function_call", "id": "f1", "name": "tide", "arguments": "{"}
    whole = answer("requires_action", steps=[step])
    with pytest.raises(StreamError) as caught:
        whole.function_calls[0].parsed_arguments()
    found = valid(CREATE, whole, caught.value)
    assert found["error.type"] == "arguments"
    assert found["gen_ai.response.finish_reasons"] == ["tool_call"]


def test_a_call_that_cannot_be_run() -> None:
    call = start(0, "function_call", id="f1", name="tide", arguments={})
    with pytest.raises(StreamError) as caught:
        InteractionStream(
            [stream(created(), call, arguments(0, "{"), stop(0), completed("requires_action"))]
        ).get_final_interaction()
    found = valid(CREATE, caught.value)
    assert found["error.type"] == "arguments"
    assert found["gen_ai.response.finish_reasons"] == ["tool_call"]


# ---- reading


@pytest.mark.parametrize(("status", "code", "reason", "kind"), ENDS, ids=END_IDS)
def test_a_read_has_no_usage_and_does_not_fail_with_the_run(
    status: str, code: str | None, reason: str | None, kind: str | None
) -> None:
    told = {} if code is None else {"errors": [{"code": code, "message": "No."}]}
    found = valid(get_interaction("v1_a"), answer(status, **told))
    assert found["gen_ai.operation.name"] == "fetch_response"
    assert found.get("gen_ai.response.finish_reasons") == (reason and [reason])
    assert "error.type" not in found
    known = {"budget_exceeded": "incomplete"}.get(status, status)
    assert found["gen_ai.response.status"] == (known if len(known) < 65 else "_OTHER")


def test_a_read_that_goes_on_with_a_stream() -> None:
    request = get_interaction("v1/a b", stream=True, last_event_id="e7")
    found = valid(request, time_to_first_chunk=0.5)
    assert found["gen_ai.request.stream_cursor"] == "e7"
    assert found["gen_ai.response.id"] == "v1/a b"
    assert span_name(found) == "fetch_response"
    interaction, report = streamed(*TORN)
    cut = valid(get_interaction("v1_a", stream=True), interaction, report)
    assert cut["error.type"] == "truncated"
    assert "gen_ai.response.status" not in cut
    assert "gen_ai.request.stream_cursor" not in cut


@pytest.mark.parametrize("make", [cancel_interaction, delete_interaction])
def test_another_operation_is_refused(make: Any) -> None:
    with pytest.raises(ValueError, match="no operation"):
        attributes(make("v1_a"))


def test_what_is_no_answer_is_refused() -> None:
    with pytest.raises(TypeError, match="no Interaction"):
        attributes(BODY, {"id": "v1_a"})  # type: ignore[arg-type]
    assert attributes(BODY, None) == attributes(BODY)


# ---- requests

ASKED: Payload = {
    **BODY,
    "stream": True,
    "previous_interaction_id": "v1_before",
    "response_format": {"type": "text", "mime_type": "application/json", "schema": {}},
    "generation_config": {
        "max_output_tokens": 10,
        "temperature": 1,
        "top_p": 0.5,
        "top_k": 40,
        "seed": 3,
        "stop_sequences": ["END", 1],
        "thinking_level": "low",
        "presence_penalty": 2,
    },
}
TOLD: Final = {
    "gen_ai.operation.name": "generate_content",
    "gen_ai.provider.name": "gcp.gemini",
    "gen_ai.output.type": "json",
    "gen_ai.request.max_tokens": 10,
    "gen_ai.request.model": "gemini-3.6-flash",
    "gen_ai.request.presence_penalty": 2.0,
    "gen_ai.request.previous_response.id": "v1_before",
    "gen_ai.request.reasoning.level": "low",
    "gen_ai.request.seed": 3,
    "gen_ai.request.stop_sequences": ["END"],
    "gen_ai.request.stream": True,
    "gen_ai.request.temperature": 1.0,
    "gen_ai.request.top_k": 40,
    "gen_ai.request.top_p": 0.5,
}


@pytest.mark.parametrize(
    "request_or_body",
    [
        create_interaction(ASKED),
        ASKED,
        dumps(ASKED).encode(),
        bytearray(dumps(ASKED).encode()),
        decode(dumps(ASKED), CreateModelInteraction),
    ],
    ids=["request", "mapping", "bytes", "bytearray", "model"],
)
def test_what_was_asked_for(request_or_body: Any) -> None:
    assert valid(request_or_body) == TOLD


@pytest.mark.parametrize(
    "body",
    [None, b"", b"\xff", b"[1]", b"null", b"[" * 100_000, {"model": object()}, "text", 7],
    ids=lambda body: repr(body)[:20],
)
def test_a_body_that_cannot_be_read_adds_nothing(body: Any) -> None:
    assert valid(body) == {
        "gen_ai.operation.name": "generate_content",
        "gen_ai.provider.name": "gcp.gemini",
    }


@pytest.mark.parametrize(
    ("members", "kind"),
    [
        ({"response_format": {"type": "image"}}, "image"),
        ({"response_format": {"type": "audio"}}, "speech"),
        ({"response_format": [{"type": "video"}]}, "video"),
        ({"response_format": [{"type": "text"}, {"type": "image"}]}, None),
        ({"response_modalities": ["AUDIO"]}, "speech"),
        ({"response_mime_type": "application/json"}, "json"),
        ({"response_format": 7}, None),
        ({"response_format": [None, {"type": ["x"]}]}, None),
        ({}, None),
    ],
    ids=str,
)
def test_the_kind_of_output(members: Payload, kind: str | None) -> None:
    assert valid({**BODY, **members}).get("gen_ai.output.type") == kind


def test_an_agent() -> None:
    found = valid({"agent": "deep-research-pro-preview-12-2025", "input": "?", "background": True})
    assert found["gen_ai.operation.name"] == "invoke_agent"
    assert found["gen_ai.agent.id"] == "deep-research-pro-preview-12-2025"
    assert span_name(found) == "invoke_agent"


@pytest.mark.parametrize(
    ("url", "address", "port", "provider"),
    [
        ("https://generativelanguage.googleapis.com", None, 443, "gcp.gemini"),
        ("https://europe-west1-aiplatform.googleapis.com/x", None, 443, "gcp.vertex_ai"),
        ("http://127.0.0.1:8080/v", "127.0.0.1", 8080, "gcp.gemini"),
        ("http://[::1]", "::1", 80, "gcp.gemini"),
        ("//nowhere", "", None, "gcp.gemini"),
        ("http://[", "", None, "gcp.gemini"),
        ("http://a:99999", "", None, "gcp.gemini"),
    ],
)
def test_the_server(url: str, address: str | None, port: int | None, provider: str) -> None:
    found = valid(CREATE, base_url=url)
    host = url.split("/")[2] if address is None else address
    assert (found.get("server.address", ""), found.get("server.port")) == (host, port)
    assert found["gen_ai.provider.name"] == provider


def test_vertex_is_told_by_the_path() -> None:
    request = create_interaction(BODY, parent="projects/p/locations/l")
    assert valid(request)["gen_ai.provider.name"] == "gcp.vertex_ai"
    assert attributes(request, provider="gcp.gen_ai")["gen_ai.provider.name"] == "gcp.gen_ai"


def test_redacted_content_can_be_told() -> None:
    found = valid(BODY, redact(answer(), text=True), content=True)
    assert "A mill." not in found["gen_ai.output.messages"]


def test_time_to_the_first_chunk_is_for_streams() -> None:
    name = "gen_ai.response.time_to_first_chunk"
    assert valid({**BODY, "stream": True}, time_to_first_chunk=1)[name] == 1.0
    assert name not in valid(BODY, time_to_first_chunk=1)


# ---- content


def test_content_is_not_told_unless_asked_for() -> None:
    body = {**BODY, "system_instruction": "SECRET", "input": "SECRET"}
    steps = [{"type": "model_output", "content": [{"type": "text", "text": "SECRET"}]}]
    assert "SECRET" not in str(valid(body, answer(steps=steps)))
    assert str(valid(body, answer(steps=steps), content=True)).count("SECRET") == 3


def test_content() -> None:
    body = {
        **BODY,
        "system_instruction": "Be brief.",
        "tools": [
            {"type": "function", "name": "tide", "parameters": {"type": "object"}},
            {"type": "google_search"},
        ],
        "input": [
            {"type": "text", "text": "What is that?"},
            {"type": "image", "mime_type": "image/png", "data": "iVBORw0KGgo=" * 100},
            {"type": "image", "uri": "https://a.example/b"},
        ],
    }
    steps = [
        {"type": "user_input", "content": [{"type": "text", "text": "What is that?"}]},
        *STEPS,
        {"type": "thought", "signature": "c2ln"},
        {"type": "function_call", "id": "f1", "name": "tide", "arguments": {"port": "Rye"}},
        {"type": "google_search_call", "id": "g1", "arguments": {"queries": ["q"]}},
        {"type": "google_search_result", "call_id": "g1", "result": [{"title": "t"}]},
        {"type": "brand_new", "x": 1},
    ]
    found = valid(body, answer(steps=steps), content=True)
    read = {name: json.loads(found[name]) for name in sorted(OPT_IN)}
    assert read == {
        "gen_ai.input.messages": [
            {
                "role": "user",
                "parts": [
                    {"type": "text", "content": "What is that?"},
                    {"type": "blob", "modality": "image", "mime_type": "image/png"},
                    {"type": "uri", "modality": "image", "uri": "https://a.example/b"},
                ],
            }
        ],
        "gen_ai.output.messages": [
            {
                "role": "assistant",
                "parts": [
                    {"type": "reasoning", "content": "Hm."},
                    {"type": "text", "content": "A mill."},
                    {
                        "type": "tool_call",
                        "id": "f1",
                        "name": "tide",
                        "arguments": {"port": "Rye"},
                    },
                    {
                        "type": "server_tool_call",
                        "id": "g1",
                        "name": "google_search",
                        "server_tool_call": {
                            "type": "google_search_call",
                            "arguments": {"queries": ["q"]},
                        },
                    },
                    {
                        "type": "server_tool_call_response",
                        "id": "g1",
                        "server_tool_call_response": {
                            "type": "google_search_result",
                            "result": [{"title": "t"}],
                        },
                    },
                    {"type": "brand_new"},
                ],
            }
        ],
        "gen_ai.system_instructions": [{"type": "text", "content": "Be brief."}],
        "gen_ai.tool.definitions": [
            {"type": "function", "name": "tide"},
            {"type": "google_search", "name": "google_search"},
        ],
    }


INPUTS: Final = [
    (
        [
            {"type": "user_input", "content": [{"type": "text", "text": "a"}]},
            {"type": "model_output", "content": "b"},
            {"type": "function_call", "id": "f", "name": "n"},
            {"type": "function_result", "call_id": "f", "result": "r"},
        ],
        ["user", "assistant", "tool"],
    ),
    (
        [{"role": "user", "content": "a"}, {"role": "model", "content": ["b"]}],
        ["user", "assistant"],
    ),
    ({"type": "text", "text": "a"}, ["user"]),
    ([], []),
    (None, []),
    ([7, None, [["a"]], {}, {"type": 3}], ["user"]),
]


@pytest.mark.parametrize(("given", "roles"), INPUTS, ids=lambda value: str(value)[:40])
def test_inputs_of_every_form(given: Any, roles: list[str]) -> None:
    found = valid({**BODY, "input": given}, content=True)
    messages = json.loads(found.get("gen_ai.input.messages", "[]"))
    assert [message["role"] for message in messages] == roles


def test_a_read_says_what_the_stored_interaction_has() -> None:
    stored = answer(
        system_instruction="Be brief.",
        tools=[{"type": "google_search"}],
        steps=[{"type": "user_input", "content": [{"type": "text", "text": "Q"}]}, *STEPS],
    )
    found = valid(get_interaction("v1_a"), stored, content=True)
    assert "gen_ai.system_instructions" in found
    assert "gen_ai.tool.definitions" in found
    assert "Q" not in found["gen_ai.output.messages"]


def test_every_recording_is_valid() -> None:
    for name in (*GOOD, *BAD):
        read = InteractionStream([Recording.load(name).stream]).until_done()
        valid(ASKED, read.snapshot(), read.report, content=True)


# ---- whatever comes

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
MEMBER = st.sampled_from(
    [*ASKED, "agent", "system_instruction", "tools", "response_modalities", "response_mime_type"]
)
ANSWERED = st.sampled_from(["id", "model", "status", "steps", "usage", "errors", "tools", "input"])


@settings(max_examples=60, deadline=None)
@given(body=st.dictionaries(MEMBER, JSON), told=st.dictionaries(ANSWERED, JSON))
def test_no_body_and_no_answer_breaks_it(body: Any, told: Any) -> None:
    interaction = decode(json.dumps(told), Interaction)
    valid(body, interaction, content=True)
    read = InteractionStream([json.dumps(told).encode()]).until_done()
    valid(body, read.snapshot(), read.report, content=True)


def test_halves_of_surrogate_pairs_are_mended() -> None:
    interaction = decode('{"id":"\\ud83d","model":"m\\ud83d","status":"completed"}', Interaction)
    body = {"model": "m\ud83d", "generation_config": {"stop_sequences": ["\udc00"]}}
    found = valid(body, interaction, content=True)
    assert found["gen_ai.response.model"] == "m\ufffd"
    for value in found.values():
        str(value).encode()


# ---- on a span


def test_a_span_takes_them_all() -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    found = valid(ASKED, answer(), base_url="https://a.example", content=True)
    with provider.get_tracer("test").start_as_current_span(span_name(found)) as span:
        span.set_attributes(found)
    (done,) = exporter.get_finished_spans()
    kept = {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in (done.attributes or {}).items()
    }
    assert kept == found
    assert done.name == "generate_content gemini-3.6-flash"


def test_what_is_disassembled_is_told_alike() -> None:
    whole = answer()
    data = b"".join(encode_sse(event) for event in disassemble(whole))
    read = InteractionStream([data]).until_done()
    assert valid(BODY, read.get_final_interaction(), read.report) == valid(BODY, whole)


def test_the_example_sends_a_span_that_is_valid(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with ReplayServer("text-with-thoughts") as server, ReplayServer("error-event") as failing:
        for url in (server.url, failing.url, server.url + "/elsewhere"):
            monkeypatch.setenv("GEMINI_BASE_URL", url)
            program = runpy.run_path(str(EXAMPLE))
            with contextlib.suppress(GemwireError):
                program["main"]("Why?", provider.get_tracer("test"))
    spans = exporter.get_finished_spans()
    assert [span.status.status_code for span in spans] == [
        StatusCode.UNSET,
        StatusCode.ERROR,
        StatusCode.ERROR,
    ]
    told: list[dict[str, Any]] = [
        {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in (span.attributes or {}).items()
        }
        for span in spans
    ]
    assert [faults(found) for found in told] == [[], [], []]
    assert told[0]["gen_ai.response.time_to_first_chunk"] > 0
    assert told[0]["gen_ai.usage.output_tokens"] == 719
    assert told[1]["error.type"] == "gateway_timeout"
    assert told[2]["error.type"] == "not_found"
    assert {span.kind for span in spans} == {SpanKind.CLIENT}
    assert "completed, 2 steps" in capsys.readouterr().out
