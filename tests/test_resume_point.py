"""Where to go on after each kind of end, or that there is nowhere."""

from __future__ import annotations

import pytest

from gemwire import Assembler, ResumePoint

from .answers import cut_at, finished, hop
from .wire import Payload, completed, created, dumps, error, start, stream, update

POINTS: dict[str, tuple[list[Payload | bytes], ResumePoint | None]] = {
    "nothing": ([], None),
    "no id": ([created(identity=""), start(0, "thought")], None),
    "an id": ([created()], ResumePoint("v1_a")),
    "an event id": ([created(), {**update(), "event_id": "e"}], ResumePoint("v1_a", "e")),
    "token of created": (
        [created(continuation_token="t")],
        ResumePoint("v1_a", None, "t", "v1_a"),
    ),
    "token of a status": (
        [created(), update(continuation_token="t")],
        ResumePoint("v1_a", None, "t", "v1_a"),
    ),
    "an empty one does not take it back": (
        [created(), update(continuation_token="t"), update(continuation_token="")],
        ResumePoint("v1_a", None, "t", "v1_a"),
    ),
    "a newer one": (
        [created(), update(continuation_token="t"), update(continuation_token="u")],
        ResumePoint("v1_a", None, "u", "v1_a"),
    ),
    "no owner": (
        [created(identity=""), update(identity="", continuation_token="t")],
        ResumePoint(None, None, "t", None),
    ),
    "queued": (
        [created(), update("queued", continuation_token="t")],
        ResumePoint("v1_a"),
    ),
    "completed": ([created(continuation_token="t"), completed()], None),
    "completed, with a token": ([created(), completed(continuation_token="t")], None),
    "requires_action": ([created(), completed("requires_action")], None),
    "failed": ([created(), completed("failed")], None),
    "an unknown status": ([created(), completed("resting")], None),
    "requires_continuation": (
        [created(), completed("requires_continuation", continuation_token="t")],
        ResumePoint("v1_a", None, "t", "v1_a"),
    ),
    "requires_continuation without a token": (
        [created(), update(continuation_token="t"), completed("requires_continuation")],
        None,
    ),
    "error": (
        [created(continuation_token="t"), error({"code": 503, "message": "No."})],
        ResumePoint("v1_a"),
    ),
    "error that stays one": ([created(), error({"code": 404, "message": "No."})], None),
    "error without a word": (
        [created(continuation_token="t"), error({})],
        ResumePoint("v1_a", None, "t", "v1_a"),
    ),
    "a repeated token keeps its owner": (
        [
            *hop("v1_a", "a", status="requires_continuation", continuation_token="t"),
            created("v1_b"),
            update(identity="v1_b", continuation_token="t"),
        ],
        ResumePoint("v1_b", None, "t", "v1_a"),
    ),
    "a new token has a new owner": (
        [
            *hop("v1_a", "a", status="requires_continuation", continuation_token="t"),
            created("v1_b"),
            update(identity="v1_b", continuation_token="u"),
        ],
        ResumePoint("v1_b", None, "u", "v1_b"),
    ),
    "cancelled": ([created(), update("cancelled"), b"data: [DONE]\n\n"], None),
    "cancelled without a terminator": ([created(), update("cancelled")], ResumePoint("v1_a")),
}


@pytest.mark.parametrize("name", POINTS)
def test_where_to_go_on(name: str) -> None:
    events, expected = POINTS[name]
    held = cut_at(stream(*events, done=False), 10**6)
    assert held.report.resume == expected
    restored = Assembler.restore(held.checkpoint())
    assert restored.report.resume == expected
    assert restored.report.resume == held.report.resume


@pytest.mark.parametrize(
    ("status", "token", "expected"),
    [
        ("in_progress", None, ResumePoint("v1_a")),
        ("requires_continuation", "t", ResumePoint("v1_a", None, "t", "v1_a")),
        ("requires_continuation", None, None),
        ("completed", None, None),
    ],
)
def test_a_body_says_where_to_go_on_too(
    status: str, token: str | None, expected: ResumePoint | None
) -> None:
    members = {} if token is None else {"continuation_token": token}
    body = created(status=status, steps=[{"type": "thought"}], **members)["interaction"]
    held = cut_at(dumps(body).encode(), 10**6)
    assert held.report.outcome == status
    assert held.report.resume == expected
    assert held.snapshot().status == status
    if token is not None:
        found, report = finished(stream(*hop("v1_b", "b")), held)
        assert [step.type for step in found.steps or ()] == ["thought", "model_output"]
        assert report.interaction_ids == ["v1_a", "v1_b"]
