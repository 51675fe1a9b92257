"""What goes into a body and what does not: `None`, the tags of agent configs, masks, no body."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import UNSET

from gemwire import GemwireError, decode, to_dict
from gemwire import models as m
from gemwire import operations as o

ASK = {"model": "gemini-3.6-flash", "input": "Hi"}

CALL = m.FunctionCallStep(id="c", name="f", arguments={"a": None, "b": [None]})
PARAMETERS = {"type": "object", "default": None}


@pytest.mark.parametrize(
    ("members", "sent"),
    [
        ({"previous_interaction_id": None}, {}),
        ({"newer": None}, {}),
        ({"newer": {"a": None}}, {"newer": {"a": None}}),
        ({"generation_config": None, "tools": []}, {"tools": []}),
        ({"generation_config": {"seed": 1, "temperature": None, "newer": None}},
         {"generation_config": {"seed": 1}}),
        ({"generation_config": m.GenerationConfig(seed=1, temperature=None)},  # type: ignore[arg-type]
         {"generation_config": {"seed": 1}}),
        ({"tools": [{"type": "function", "name": None, "parameters": PARAMETERS}]},
         {"tools": [{"type": "function", "parameters": PARAMETERS}]}),
        ({"tools": [m.Function(name=None, parameters=PARAMETERS)]},  # type: ignore[arg-type]
         {"tools": [{"type": "function", "parameters": PARAMETERS}]}),
        ({"tools": [m.Function(name="f", parameters=None)]},
         {"tools": [{"type": "function", "name": "f"}]}),
        ({"tools": ({"type": "newer", "a": None},)}, {"tools": [{"type": "newer", "a": None}]}),
        ({"response_format": {"type": "text", "mime_type": None, "schema": {"enum": [None]}}},
         {"response_format": {"type": "text", "schema": {"enum": [None]}}}),
        ({"response_format": {"enum": [None], "default": None}},
         {"response_format": {"enum": [None], "default": None}}),
        ({"input": [CALL]}, {"input": [to_dict(CALL)]}),
        ({"input": [{**to_dict(CALL), "signature": None}]}, {"input": [to_dict(CALL)]}),
        ({"input": [m.UserInputStep(content=[m.TextContent(text="a", annotations=None)])]},  # type: ignore[arg-type]
         {"input": [{"type": "user_input", "content": [{"type": "text", "text": "a"}]}]}),
        ({"newer": [m.TextContent(text="a", annotations=None)]},  # type: ignore[arg-type]
         {"newer": [{"type": "text", "text": "a"}]}),
    ],
)  # fmt: skip
def test_none_is_left_out_where_it_says_that_nothing_is_given(members: Any, sent: Any) -> None:
    """Of the body and of models in it; in free objects it is a value."""
    plain = o.create_interaction({**ASK, **members})
    assert json.loads(plain.body or b"") == {**ASK, **sent}
    if members.keys().isdisjoint({"newer"}):
        typed = o.create_interaction(m.CreateModelInteraction(**{**ASK, **members}))
        assert json.loads(typed.body or b"") == {**ASK, **sent}


def test_none_in_bytes_stays() -> None:
    assert o.create_interaction(b'{"labels":null}').body == b'{"labels":null}'
    assert o.create_agent({"id": None, "new": 1}).body == b'{"new":1}'
    assert o.ping_webhook("w", {"a": None}).body == b"{}"


def test_none_too_deep() -> None:
    deep: Any = None
    for _ in range(5_000):
        deep = [deep]
    with pytest.raises(GemwireError, match="nested too deeply"):
        o.create_interaction({**ASK, "new": deep})


FILES: Any = [m.FileContent(path="a.c", content="int a[1];")]


@pytest.mark.parametrize(
    ("config", "sent"),
    [
        (
            m.FindRequest(source_files=FILES),
            {"type": "find_request", "source_files": to_dict(FILES)},
        ),
        (m.FindRequest(mode="scan", finding_id=None), {"type": "find_request", "mode": "scan"}),  # type: ignore[arg-type]
        (m.FixRequest(finding_id="f"), {"type": "fix_request", "finding_id": "f"}),
        (m.FixRequestAgentConfig(session_id="s"), {"type": "fix_request", "session_id": "s"}),
        (
            m.CodeMenderAgentConfig(find_request=m.FindRequest(mode="scan")),
            {"type": "code-mender", "find_request": {"mode": "scan"}},
        ),
        ({"type": "dynamic"}, {"type": "dynamic"}),
    ],
)
def test_the_agent_config_says_what_it_is(config: Any, sent: Any) -> None:
    """`FindRequest` has a `type` only where it stands by itself."""
    body = {"agent": "code-mender", "input": "x", "agent_config": config}
    for given_ in (body, m.CreateAgentInteraction(**body)):
        request = o.create_interaction(given_)
        assert json.loads(request.body or b"") == {**body, "agent_config": sent}


def test_unknown_members_stay_with_the_agent_config() -> None:
    config = decode(b'{"mode":"scan","newer":7}', m.FindRequest)
    request = o.create_interaction({"agent": "a", "agent_config": config})
    assert json.loads(request.body or b"")["agent_config"] == {
        "type": "find_request", "mode": "scan", "newer": 7
    }  # fmt: skip


@pytest.mark.parametrize(
    ("mask", "query"),
    [
        ("name,uri", (("update_mask", "name,uri"),)),
        (["name", "uri"], (("update_mask", "name,uri"),)),
        (("name",), (("update_mask", "name"),)),
        ([], ()),
        (None, ()),
        (UNSET, ()),
    ],
)
def test_a_mask_is_one_text(mask: Any, query: Any) -> None:
    assert o.update_webhook("w", {}, update_mask=mask).query == query
    assert o.update_credential("c", {}, update_mask=mask).query == query


def test_a_body_that_may_be_empty() -> None:
    for request in (o.rotate_signing_secret("w"), o.rotate_signing_secret("w", {})):
        assert request.body == b"{}"
        assert request.headers["Content-Type"] == "application/json"
