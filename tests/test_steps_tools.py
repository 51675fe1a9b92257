"""Deltas are merged into calls and results; those without a type too: one row for each clause."""

from __future__ import annotations

import pytest

from .wire import CALL, MILL, WAYS, Case, delta, ids, signature, start, stop, text

TOOLS = [
    Case(
        "members are merged, lists extended, objects one level deep",
        [
            start(0, "google_search_call", id="g1", arguments={"queries": ["tide"]}),
            delta(0, "google_search_call", arguments={"queries": ["mill"], "region": "uk"}),
            stop(0),
            start(1, "google_search_result", call_id="g1"),
            delta(1, "google_search_result", result=[{"search_suggestions": "a"}]),
            delta(1, "google_search_result", result=[{"search_suggestions": "b"}], is_error=False),
            stop(1),
            start(2, "mcp_server_tool_call", id="m1", arguments={"port": "Rye", "at": {"h": 1}}),
            delta(2, "mcp_server_tool_call", arguments={"day": 2, "at": {"m": 3}}, name="level"),
            stop(2),
        ],
        [
            {
                "type": "google_search_call",
                "id": "g1",
                "arguments": {"queries": ["mill"], "region": "uk"},
            },
            {
                "type": "google_search_result",
                "call_id": "g1",
                "result": [{"search_suggestions": "a"}, {"search_suggestions": "b"}],
                "is_error": False,
            },
            {
                "type": "mcp_server_tool_call",
                "id": "m1",
                "name": "level",
                "arguments": {"port": "Rye", "day": 2, "at": {"m": 3}},
            },
        ],
        unknown=[("interaction.steps[].arguments.region", "region")],
    ),
    Case(
        "id and call_id only fill a gap",
        [
            start(0, "function_result", call_id="f1"),
            delta(0, "function_result", call_id="f9", result="high"),
            stop(0),
            start(1, "function_result"),
            delta(1, "function_result", call_id="f2", result="low"),
            stop(1),
            start(2, "google_search_call", id=""),
            delta(2, "google_search_call", id="g1"),
            delta(2, "google_search_call", id="g2"),
            stop(2),
        ],
        [
            {"type": "function_result", "call_id": "f1", "result": "high"},
            {"type": "function_result", "call_id": "f2", "result": "low"},
            {"type": "google_search_call", "id": "g1"},
        ],
    ),
    Case(
        "null and empty strings never overwrite",
        [
            start(0, "mcp_server_tool_call", id="m1", name="level", server_name="gauge"),
            delta(0, "mcp_server_tool_call", name="", server_name=None, id=None),
            stop(0),
            start(1, "code_execution_call", arguments={"language": "python", "code": "1"}),
            delta(1, "code_execution_call", arguments={"language": "", "code": None}),
            stop(1),
        ],
        [
            {"type": "mcp_server_tool_call", "id": "m1", "name": "level", "server_name": "gauge"},
            {"type": "code_execution_call", "arguments": {"language": "python", "code": "1"}},
        ],
    ),
    Case(
        "another value for a scalar: the later one stands",
        [
            start(0, "mcp_server_tool_call", name="level"),
            delta(0, "mcp_server_tool_call", name="height"),
            stop(0),
            start(1, "code_execution_result"),
            delta(1, "code_execution_result", result="4", is_error=True),
            delta(1, "code_execution_result", result="42", is_error=False),
            stop(1),
        ],
        [
            {"type": "mcp_server_tool_call", "name": "height"},
            {"type": "code_execution_result", "result": "42", "is_error": False},
        ],
        issues=[("conflict", 0), ("conflict", 1, 2)],
    ),
    Case(
        "the same value again is no conflict",
        [
            start(0, "mcp_server_tool_call", name="level"),
            delta(0, "mcp_server_tool_call", name="level"),
            stop(0),
        ],
        [{"type": "mcp_server_tool_call", "name": "level"}],
    ),
    Case(
        "members that the step knows and its delta does not",
        [
            start(0, "retrieval_call"),
            delta(0, "retrieval_call", id="r1"),
            stop(0),
            start(1, "google_search_call"),
            delta(1, "google_search_call", search_type="web_search"),
            stop(1),
        ],
        [
            {"type": "retrieval_call", "id": "r1"},
            {"type": "google_search_call", "search_type": "web_search"},
        ],
    ),
    Case(
        "members that neither knows",
        [
            start(0, "google_search_call", cost=1),
            delta(0, "google_search_call", depth=2, note=None),
            stop(0),
        ],
        [{"type": "google_search_call", "cost": 1, "depth": 2, "note": None}],
        unknown=[
            ("interaction.steps[].cost", "cost"),
            ("interaction.steps[].depth", "depth"),
            ("interaction.steps[].note", "note"),
        ],
    ),
    Case(
        "the same rules hold for those",
        [
            start(0, "google_search_call", cost=1, tags=["a"], note="n", where={"x": 1, "y": 1}),
            delta(0, "google_search_call", cost=2, tags=["b"], note=None, where={"x": 2, "y": ""}),
            stop(0),
        ],
        [
            {
                "type": "google_search_call",
                "cost": 2,
                "tags": ["a", "b"],
                "note": "n",
                "where": {"x": 2, "y": 1},
            }
        ],
        issues=[("conflict", 0)],
        unknown=[
            (f"interaction.steps[].{name}", name) for name in ("cost", "tags", "note", "where")
        ],
    ),
    Case(
        "a whole call as a delta, as it was until June 2026",
        [
            start(0, "function_call", id="f1", arguments={}),
            delta(0, "function_call", id="f9", name="tide", arguments={"port": "Rye"}),
            stop(0),
        ],
        [{**CALL, "arguments": {"port": "Rye"}}],
    ),
    Case(
        "a kind of step that is in no schema",
        [
            start(0, "loom_call", id="t1", tags=["a"], where={"port": "Rye", "x": 1}),
            delta(0, "loom_call", id="t9", tags=["b"], where={"x": 2}, name="level"),
            delta(0, "loom_call", name="height", note=None, server=""),
            delta(0, "loom_call", name="", server="gauge"),
            signature(0, "c2ln"),
            stop(0),
        ],
        [
            {
                "type": "loom_call",
                "id": "t1",
                "tags": ["a", "b"],
                "where": {"port": "Rye", "x": 2},
                "name": "height",
                "note": None,
                "server": "gauge",
                "signature": "c2ln",
            }
        ],
        issues=[("conflict", 0)],
        unknown=[
            ("step.start.step", "loom_call"),
            ("step.delta.delta", "loom_call", 3),
            ("interaction.steps[]", "loom_call"),
        ],
    ),
    Case(
        "signatures in the deltas of such a step",
        [
            start(0, "loom_call", signature=""),
            delta(0, "loom_call", signature="one"),
            delta(0, "loom_call", signature=""),
            delta(0, "loom_call", signature="two"),
            stop(0),
        ],
        [{"type": "loom_call", "signature": "two"}],
        issues=[("signature_conflict", 0)],
        unknown=[
            ("step.start.step", "loom_call"),
            ("step.delta.delta", "loom_call", 3),
            ("interaction.steps[]", "loom_call"),
        ],
    ),
    Case(
        "a result on the call, a call on the result",
        [
            start(0, "google_search_call", id="g1"),
            delta(0, "google_search_result", result=[{"search_suggestions": "a"}]),
            stop(0),
            start(1, "google_search_result", call_id="g1"),
            delta(1, "google_search_call", arguments={"queries": ["mill"]}),
            stop(1),
        ],
        [
            {"type": "google_search_call", "id": "g1"},
            {"type": "google_search_result", "call_id": "g1"},
        ],
        issues=[("misplaced", 0), ("misplaced", 1)],
        unknown=[
            ("step.delta.delta", "google_search_result"),
            ("step.delta.delta", "google_search_call"),
        ],
    ),
]

UNTYPED = [
    Case(
        "{} is unknown and nothing else",
        [start(0, "model_output"), delta(0, None), stop(0)],
        [{"type": "model_output"}],
        unknown=[("step.delta.delta", None)],
    ),
    Case(
        "a text is text",
        [start(0, "model_output"), text(0, "A "), delta(0, None, text="mill"), stop(0)],
        [{"type": "model_output", "content": [MILL]}],
        unknown=[("step.delta.delta", None)],
    ),
    Case(
        "a text that is none is not",
        [start(0, "model_output"), text(0, "A mill"), delta(0, None, text=7), stop(0)],
        [{"type": "model_output", "content": [MILL]}],
        unknown=[("step.delta.delta", None)],
    ),
    Case(
        "a text on a thought does not fit",
        [start(0, "thought"), delta(0, None, text="A mill"), stop(0)],
        [{"type": "thought"}],
        issues=[("misplaced", 0)],
        unknown=[("step.delta.delta", None)],
    ),
    Case(
        "on a call or a result it is of the step's own kind",
        [
            start(0, "code_execution_call", id="x1"),
            delta(0, None, arguments={"code": "6 * 7"}),
            stop(0),
            start(1, "code_execution_result", call_id="x1"),
            delta(1, None, result="42", is_error=False),
            stop(1),
            start(2, "loom_call"),
            delta(2, None, name="level"),
            stop(2),
        ],
        [
            {"type": "code_execution_call", "id": "x1", "arguments": {"code": "6 * 7"}},
            {"type": "code_execution_result", "call_id": "x1", "result": "42", "is_error": False},
            {"type": "loom_call", "name": "level"},
        ],
        unknown=[
            ("step.delta.delta", None, 3),
            ("step.start.step", "loom_call"),
            ("interaction.steps[]", "loom_call"),
        ],
    ),
    Case(
        "on other steps nothing happens",
        [start(0, "thought"), delta(0, None, summary=[MILL]), stop(0)],
        [{"type": "thought"}],
        unknown=[("step.delta.delta", None)],
    ),
    Case(
        "a text without a step opens a model_output",
        [delta(0, None, text="A mill"), stop(0)],
        [{"type": "model_output", "content": [MILL]}],
        issues=[("start_missing", 0)],
        unknown=[("step.delta.delta", None)],
    ),
    Case("{} without a step opens nothing", [delta(0, None)], unknown=[("step.delta.delta", None)]),
    Case(
        "an unknown tag without a step opens nothing",
        [delta(0, "hologram"), delta(1, "thought"), delta(2, "loom_call", id="t1")],
        unknown=[
            ("step.delta.delta", "hologram"),
            ("step.delta.delta", "thought"),
            ("step.delta.delta", "loom_call"),
        ],
    ),
    Case(
        "a tool_call without a step opens it, and keeps what no schema has",
        [delta(0, "tool_call", id="t1", signature="c2ln", tool_type="mcp"), stop(0)],
        [{"type": "tool_call", "id": "t1", "signature": "c2ln", "tool_type": "mcp"}],
        issues=[("start_missing", 0)],
        unknown=[("interaction.steps[].tool_type", "tool_type")],
    ),
    Case(
        "a whole call without a step opens it",
        [delta(0, "function_call", id="f1", name="tide", arguments={"port": "Rye"}), stop(0)],
        [{**CALL, "arguments": {"port": "Rye"}}],
        issues=[("start_missing", 0)],
    ),
]

RULES = [*TOOLS, *UNTYPED]


@pytest.mark.parametrize("case", RULES, ids=ids(RULES))
def test_rule(case: Case) -> None:
    for way, read in WAYS.items():
        assert (way, case.seen(read(case.bytes))) == (way, case.expected)
