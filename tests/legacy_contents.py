"""Contents of the legacy generation, as plain dicts."""

from __future__ import annotations

from .legacy_wire import part
from .wire import Payload

A, B = part("a"), part("b")
PNG: Payload = {"type": "image", "mime_type": "image/png", "data": "iVBORw0K"}
WAV: Payload = {"type": "audio", "mime_type": "audio/wav", "data": "AAEC", "sample_rate": 8000}
PDF: Payload = {"type": "document", "uri": "gs://b/plan.pdf"}
MP4: Payload = {"type": "video", "uri": "gs://b/boat.mp4", "resolution": "low"}
THOUGHT: Payload = {"type": "thought", "signature": "c2ln", "summary": [A, PNG]}

# Every kind of content that is a step of its own, with all its members.
ALONE: dict[str, Payload] = {
    "thought": THOUGHT,
    "function_call": {"id": "k", "name": "f", "arguments": {"n": 1}, "signature": "c2ln"},
    "function_result": {
        "call_id": "k",
        "name": "f",
        "result": [A, PNG],
        "is_error": True,
        "signature": "c2ln",
    },
    "code_execution_call": {
        "id": "k",
        "arguments": {"code": "1", "language": "python"},
        "signature": "c2ln",
    },
    "code_execution_result": {
        "call_id": "k",
        "result": "1",
        "is_error": False,
        "signature": "c2ln",
    },
    "url_context_call": {"id": "k", "arguments": {"urls": ["u"]}, "signature": "c2ln"},
    "url_context_result": {
        "call_id": "k",
        "result": [{"url": "u", "status": "paywall"}],
        "is_error": False,
        "signature": "c2ln",
    },
    "google_search_call": {
        "id": "k",
        "arguments": {"queries": ["q"]},
        "search_type": "web_search",
        "signature": "c2ln",
    },
    "google_search_result": {
        "call_id": "k",
        "result": [{"search_suggestions": "<p>", "url": "u", "title": "t"}],
        "is_error": False,
        "signature": "c2ln",
    },
    "mcp_server_tool_call": {
        "id": "k",
        "name": "f",
        "server_name": "s",
        "arguments": {"n": 1},
        "signature": "c2ln",
    },
    "mcp_server_tool_result": {
        "call_id": "k",
        "name": "f",
        "server_name": "s",
        "result": {"any": "thing"},
        "signature": "c2ln",
    },
    "file_search_call": {"id": "k", "signature": "c2ln"},
    "file_search_result": {
        "call_id": "k",
        "result": [{"title": "t", "text": "x", "file_search_store": "s"}],
        "signature": "c2ln",
    },
    "google_maps_call": {"id": "k", "arguments": {"queries": ["q"]}, "signature": "c2ln"},
    "google_maps_result": {
        "call_id": "k",
        "result": [{"places": [{"name": "Foxton"}], "widget_context_token": "w"}],
        "signature": "c2ln",
    },
}
