"""A payload that fits for each kind of event, and the JSON that comes back, told exactly."""

from __future__ import annotations

import json
from typing import Any

from gemwire import encode, to_dict


def compact(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def exactly(value: Any) -> str:
    """A value as text in which 1, 1.0 and true differ, and the order of members does not count."""
    return json.dumps(value, sort_keys=True)


def assert_encodes_to(value: Any, payload: Any) -> None:
    """The value gives the payload back, by `encode` and by `to_dict`."""
    assert exactly(json.loads(encode(value))) == exactly(payload)
    assert exactly(to_dict(value)) == exactly(payload)


TEXT = {"type": "text", "text": "naïve 🎉"}
FITTING: dict[str, Any] = {
    "interaction.created": {"interaction": {"id": "v1_a", "status": "in_progress"}},
    "interaction.status_update": {"interaction_id": "v1_a", "status": "queued", "event_id": "e1"},
    "step.start": {"index": 0, "step": {"type": "model_output", "content": [TEXT]}},
    "step.delta": {"index": 0, "delta": TEXT, "metadata": {"total_usage": {"total_tokens": 0}}},
    "step.stop": {"index": 0, "usage": {"total_tokens": 9}, "step_usage": {}},
    "interaction.completed": {
        "interaction": {
            "id": "v1_a",
            "status": "completed",
            "steps": [
                {"type": "thought", "signature": "c2ln", "summary": [TEXT]},
                {"type": "function_call", "id": "f1", "name": "f", "arguments": {"n": [1, 1.0]}},
                {"type": "function_result", "call_id": "f1", "result": {"ok": True}},
            ],
            "usage": {"total_tokens": 30, "grounding_tool_count": []},
        }
    },
    "error": {"error": {"code": "internal", "message": ""}},
    # The legacy generation.
    "interaction.start": {"interaction": {"id": "v1_a", "status": "in_progress"}},
    "content.start": {"index": 0, "content": {"type": "text", "text": ""}},
    "content.delta": {"index": 0, "delta": TEXT},
    "content.stop": {"index": 0},
    "interaction.complete": {
        "interaction": {"status": "completed", "role": "model", "usage": {"total_tokens": 9}}
    },
}
