"""What a report says was not as expected: unknown things and issues, counted."""

from __future__ import annotations

import ast
from pathlib import Path

import gemwire
from gemwire import Assembler, decode_event
from gemwire.assembly.report import ISSUES, MAX_ENTRIES, OVERFLOW, SAMPLE_BYTES

from .wire import (
    FAILURE,
    answer,
    completed,
    created,
    delta,
    dumps,
    error,
    pull,
    start,
    stop,
    stream,
    text,
)


def test_unknown_is_counted_by_place_and_tag() -> None:
    found = pull(
        answer(
            start(0, "model_output"),
            *(delta(0, "hologram", n=n) for n in range(3)),
            delta(0, "smell"),
            text(0, "A mill"),
            stop(0),
            start(1, "hologram"),
            stop(1),
            {"event_type": "hologram"},
        )
    )
    seen = {(entry.path, entry.tag): entry for entry in found.known.unknown}
    assert [*seen] == [
        ("step.delta.delta", "hologram"),
        ("step.delta.delta", "smell"),
        ("step.start.step", "hologram"),
        ("event", "hologram"),
        ("interaction.steps[]", "hologram"),
    ]
    first = seen["step.delta.delta", "hologram"]
    assert (first.kind, first.count) == ("union", 3)
    assert first.sample == b'{"n":0,"type":"hologram"}', "the first one, as it was sent"


def test_new_values_of_enums_and_members_are_found_at_the_end() -> None:
    data = answer(
        start(0, "model_output"),
        delta(0, "image", mime_type="image/new", data="AAAA"),
        delta(0, "image", mime_type="image/new", data="AAAA", seed=1),
        stop(0),
        service_tier="express",
    )
    seen = [(entry.path, entry.kind, entry.tag, entry.count) for entry in pull(data).known.unknown]
    assert seen == [
        ("interaction.service_tier", "value", "express", 1),
        ("interaction.steps[].content[].mime_type", "value", "image/new", 2),
        ("interaction.steps[].content[].seed", "member", "seed", 1),
    ]


def test_unknown_is_counted_once_however_often_it_ends() -> None:
    events = [created(novel=1), error(FAILURE), completed("failed"), completed(), error(FAILURE)]
    found = pull(stream(*events))
    assert found.unknown == [("interaction.novel", "novel")]
    assembler = Assembler()
    for event in events:
        assembler.apply(decode_event(dumps(event)))
    for _ in range(3):
        assembler.finish()
    assembler.apply(decode_event(dumps(stop(0))))
    assembler.finish()
    assert [(seen.path, seen.count) for seen in assembler.report.unknown] == [
        ("interaction.novel", 1)
    ]


def test_samples_are_short() -> None:
    long = "x" * 5000
    found = pull(answer(start(0, "new", text=long), stop(0), {"event_type": "new", "text": long}))
    assert [len(seen.sample) for seen in found.known.unknown] == [SAMPLE_BYTES] * 3
    broken = [start(0, "function_call"), delta(0, "arguments_delta", arguments=long), stop(0)]
    (issue,) = pull(answer(*broken)).known.issues
    assert len(issue.detail) == SAMPLE_BYTES


def test_caps() -> None:
    """A server that makes up names cannot fill the memory; what is beyond is counted."""
    unknown = pull(answer(*({"event_type": f"new.{n}"} for n in range(MAX_ENTRIES + 500)))).known
    assert len(unknown.unknown) == MAX_ENTRIES + 1
    assert (unknown.unknown[-1].path, unknown.unknown[-1].count) == (OVERFLOW, 500)
    issues = pull(answer(*(stop(n) for n in range(MAX_ENTRIES + 500)))).known
    assert len(issues.issues) == MAX_ENTRIES + 1
    assert (issues.issues[-1].kind, issues.issues[-1].count) == (OVERFLOW, 500)
    members = pull(answer(start(0, "thought", **{f"m{n}": 1 for n in range(MAX_ENTRIES + 500)})))
    assert len(members.known.unknown) == MAX_ENTRIES + 1
    both = [{"event_type": f"new.{n}"} for n in range(MAX_ENTRIES)]
    extra = pull(answer(*both, start(0, "thought", novel=1))).known
    assert [(seen.path, seen.count) for seen in extra.unknown[MAX_ENTRIES:]] == [(OVERFLOW, 1)]


def test_an_issue_says_what_it_means() -> None:
    (issue,) = pull(answer(stop(3))).known.issues
    assert (issue.kind, issue.index, issue.count) == ("stop_unopened", 3, 1)
    assert issue.meaning == ISSUES["stop_unopened"]


def issues_in_the_source() -> set[str]:
    """Every kind that the source gives to `issue()` or to the notes of the second walk."""
    kinds: set[str] = set()
    for path in Path(gemwire.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            owner = ast.unparse(node.func.value)
            if node.func.attr == "issue" or (node.func.attr == "append" and owner == "notes"):
                branches = node.args[0]
                found = [n.value for n in ast.walk(branches) if isinstance(n, ast.Constant)]
                kinds.update(value for value in found if isinstance(value, str))
    return kinds


def test_the_table_of_issues_is_complete() -> None:
    assert issues_in_the_source() == set(ISSUES) - {OVERFLOW}
    assert all(meaning and not meaning.endswith(".") for meaning in ISSUES.values())
