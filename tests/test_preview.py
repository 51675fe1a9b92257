"""The preview of arguments: only ever a prefix of what comes, at a cost that is linear."""

from __future__ import annotations

import copy
import json
import math
import pickle
import time
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec import UNSET

from gemwire import ArgumentsDelta, Assembler, StepDelta, encode, function_result, iter_events
from gemwire import models as m
from gemwire.preview import (
    ArgumentsPreview,
    UnfinishedArray,
    UnfinishedObject,
    UnfinishedText,
)
from gemwire.replay import Recording

from .wire import arguments, completed, created, start, stop, stream

# ---- whatever the text, whatever the cut

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
)
VALUES = st.recursive(
    SCALARS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=12,
)


@st.composite
def object_texts(draw: st.DrawFn) -> str:
    """The text of an object, escaped or not, with blanks of any kind."""
    value = draw(st.dictionaries(TEXTS, VALUES, max_size=4))
    blank = draw(st.sampled_from(["", " ", "\r\n\t"]))
    return json.dumps(
        value,
        ensure_ascii=draw(st.booleans()),
        separators=(blank + "," + blank, blank + ":" + blank),
        indent=draw(st.sampled_from([None, 1])),
    )


def is_prefix(part: Any, whole: Any) -> bool:
    """Whether a value can grow to another by what comes behind its end."""
    if isinstance(part, dict) and isinstance(whole, dict):
        names = list(part)
        return names == list(whole)[: len(names)] and _items_are(
            list(part.values()), list(whole.values())
        )
    if isinstance(part, list) and isinstance(whole, list):
        return len(part) <= len(whole) and _items_are(part, whole)
    if isinstance(part, str) and isinstance(whole, str):
        return whole.startswith(part)
    return same(part, whole)


def _items_are(part: list[Any], whole: list[Any]) -> bool:
    *ended, last = part or [None]
    return not part or (all(map(same, ended, whole)) and is_prefix(last, whole[len(ended)]))


def same(one: Any, other: Any) -> bool:
    return repr(one) == repr(other)  # 1, 1.0 and True are equal, and -0.0 and 0.0


@given(object_texts())
@example('{"a":"\\ud83d\\ude00\\u00e9\\\\","b":[{"c":[[],{}]},-1.5e-3,true,null],"":"🚆"}')
def test_it_is_a_prefix_of_what_comes_at_any_cut(text: str) -> None:
    whole = json.loads(text)
    before: Any = {}
    preview = ArgumentsPreview()
    for at, char in enumerate(text, 1):
        preview.feed(char)
        shown = preview.snapshot()
        assert preview.problem is None
        assert is_prefix(before, shown.so_far)
        assert is_prefix(shown.so_far, whole)
        assert preview.complete == (shown.unfinished is None) == (at == len(text.rstrip()))
        assert is_marked(shown.so_far, whole, shown.unfinished)
        before = shown.so_far
    assert same(before, whole)


def is_marked(part: Any, whole: Any, path: tuple[str | int, ...] | None) -> bool:
    """Whether all that is not yet as in the end lies on the path to what is unfinished."""
    if path is None or same(part, whole):
        return same(part, whole)
    if not path:
        return True
    key, *rest = path
    if isinstance(part, dict):
        ended = [name for name in part if name != key]
        inside = part.get(key, UNSET)
        return all(same(part[name], whole[name]) for name in ended) and (
            inside is UNSET or is_marked(inside, whole[key], tuple(rest))
        )
    assert isinstance(key, int)
    return same(part[:key], whole[:key]) and (
        len(part) <= key or is_marked(part[key], whole[key], tuple(rest))
    )


@given(object_texts(), st.lists(st.integers(0, 200), max_size=6), st.integers(0, 200))
def test_the_cuts_do_not_matter_nor_does_going_on_elsewhere(
    text: str, cuts: list[int], until: int
) -> None:
    whole = ArgumentsPreview(text[:until])
    preview, at = ArgumentsPreview(), 0
    for cut in sorted(min(cut, until) for cut in cuts):
        preview.feed(text[at:cut])
        at = max(at, cut)
        preview = ArgumentsPreview(preview.text)
    preview.feed(text[at:until])
    assert preview.snapshot() == whole.snapshot()
    assert preview.text == text[:until]
    for copied in (copy.deepcopy(preview), pickle.loads(pickle.dumps(preview))):
        copied.feed(text[until:])
        assert same(copied.snapshot().so_far, json.loads(text))


@given(st.text('{}[]":,\\ue0-1.Eatruefalsn\ud83d\ude00 \n', max_size=40))
@example('{"a":1}{')
@example('{"a":"\\ud83d\ude00"}')
def test_no_text_raises_and_it_is_complete_only_for_what_the_assembler_takes(text: str) -> None:
    preview = ArgumentsPreview(text)
    shown = preview.snapshot()
    try:
        read: Any = json.loads(text)
    except ValueError:
        assert not preview.complete
        return
    if isinstance(read, dict) and not any(mark in text for mark in ("\ud83d", "\ude00", "\\u")):
        assert preview.complete
        assert same(shown.so_far, read)


# ---- what is safe to show

CUTS: list[tuple[str, str, dict[str, Any], tuple[Any, ...] | None]] = [
    # (what, the text so far, what is shown, the path to what is unfinished)
    ("nothing", "", {}, ()),
    ("blanks", " \n", {}, ()),
    ("a brace", "{", {}, ()),
    ("half a name", '{"na', {}, ()),
    ("a name", '{"a"', {}, ("a",)),
    ("a colon", '{"a": ', {}, ("a",)),
    ("a quote", '{"a":"', {"a": ""}, ("a",)),
    ("half a text", '{"a":"x', {"a": "x"}, ("a",)),
    ("a backslash at the end", '{"a":"x\\', {"a": "x"}, ("a",)),
    ("two backslashes", '{"a":"x\\\\', {"a": "x\\"}, ("a",)),
    ("an escaped quote", '{"a":"x\\"', {"a": 'x"'}, ("a",)),
    ("half an escape", '{"a":"x\\u00', {"a": "x"}, ("a",)),
    ("a high surrogate", '{"a":"x\\ud83d', {"a": "x"}, ("a",)),
    ("a half low one", '{"a":"x\\ud83d\\ude', {"a": "x"}, ("a",)),
    ("a pair", '{"a":"x\\ud83d\\ude80', {"a": "x🚀"}, ("a",)),
    ("a high one alone", '{"a":"x\\ud83dy', {"a": "x�y"}, ("a",)),
    ("two high ones", '{"a":"\\ud83d\\ud83d', {"a": "�"}, ("a",)),
    ("a low one alone", '{"a":"x\\ude80', {"a": "x�"}, ("a",)),
    ("a bare high one", '{"a":"x\ud83d', {"a": "x"}, ("a",)),
    ("a bare pair", '{"a":"x\ud83d\ude80', {"a": "x🚀"}, ("a",)),
    ("a text", '{"a":"x"', {"a": "x"}, ()),
    ("half a number", '{"a":12', {}, ("a",)),
    ("a number before its exponent", '{"a":[1,2e', {"a": [1]}, ("a", 1)),
    ("a number", '{"a":12,', {"a": 12}, ()),
    ("half a literal", '{"a":tru', {}, ("a",)),
    ("a literal that has not ended", '{"a":true', {}, ("a",)),
    ("a literal", '{"a":true}', {"a": True}, None),
    ("half an object", '{"a":{"b":{"c":"d', {"a": {"b": {"c": "d"}}}, ("a", "b", "c")),
    ("between two members inside", '{"a":{"b":1,', {"a": {"b": 1}}, ("a",)),
    ("half an array", '{"a":[[1],["x', {"a": [[1], ["x"]]}, ("a", 1, 0)),
    ("a name again", '{"a":1,"a":"x', {"a": "x"}, ("a",)),
    ("the end", '{"a":[{}]} ', {"a": [{}]}, None),
]


@pytest.mark.parametrize(
    ("text", "shown", "path"), [row[1:] for row in CUTS], ids=[row[0] for row in CUTS]
)
def test_what_is_shown(text: str, shown: Any, path: Any) -> None:
    found = ArgumentsPreview(text).snapshot()
    assert (found.so_far, found.unfinished, found.problem) == (shown, path, None)


BROKEN: list[tuple[str, str, dict[str, Any], str]] = [
    # (what, the text, what was shown until then, what is wrong)
    ("a list", "[1]", {}, "no object at character 0"),
    ("prose", "Sure! {", {}, "no object at character 0"),
    ("a byte order mark", "\ufeff{}", {}, "no object at character 0"),
    ("a bare name", "{a:1}", {}, "no name of a member at character 1"),
    ("a comma too much", '{"a":1,}', {"a": 1}, "no name of a member at character 7"),
    ("a comma too much in an array", '{"a":[1,]}', {"a": [1]}, "no value at character 8"),
    ("no colon", '{"a" 1}', {}, "no colon after a name at character 5"),
    ("no comma", '{"a":1 "b"', {"a": 1}, "no comma after a value at character 7"),
    ("a wrong bracket", '{"a":[1}', {"a": [1]}, "no comma after a value at character 7"),
    ("a single quote", "{\"a\":'x'}", {}, "no value at character 5"),
    ("a line end in a text", '{"a":"x\ny"', {"a": "x"}, "no character of a text at character 7"),
    ("an escape that is none", '{"a":"x\\y"', {"a": "x"}, "no character of a text at character 7"),
    ("hex that is none", '{"a":"\\u00g0"', {"a": ""}, "no character of a text at character 6"),
    ("a leading zero", '{"a":01}', {}, "no number and no literal at character 7"),
    ("NaN", '{"a":NaN}', {}, "no number and no literal at character 8"),
    ("a number beyond a double", '{"a":1e999,', {}, "no number and no literal at character 10"),
    ("Python", '{"a":None}', {}, "no number and no literal at character 9"),
    ("two objects", '{"a":1}{"b":2}', {"a": 1}, "more after the object at character 7"),
]


@pytest.mark.parametrize(
    ("text", "shown", "problem"), [row[1:] for row in BROKEN], ids=[row[0] for row in BROKEN]
)
@pytest.mark.parametrize("size", [1, 100])
def test_what_is_no_object_is_said(text: str, shown: Any, problem: str, size: int) -> None:
    preview = ArgumentsPreview()
    for at in range(0, len(text), size):
        preview.feed(text[at : at + size])
    preview.feed(', "z": "nothing is added"}')
    found = preview.snapshot()
    assert (found.so_far, found.problem, preview.complete) == (shown, problem, False)
    assert found.unfinished is not None
    assert problem in repr(preview)


AS_ASSEMBLED = [
    *(row[1] for row in BROKEN),
    *('{"a":"\\ud83d"}', '{"a":-0}', '{"a":1E5}', '{"\\ude00":"\\/\\b\\f\\n\\r\\t"}'),
    *('{"a":12345678901234567890123}', '{"a":' + "1" * 5000 + "}", '{"a":1,"a":2}', "  {} "),
    *('{"a":"\ud83d\\ude00"}', '{"a":1', '{"a":"\u2028\x7f"}'),
]


@pytest.mark.parametrize("text", AS_ASSEMBLED, ids=lambda text: ascii(text)[:40])
def test_it_ends_as_what_the_assembler_gives(text: str) -> None:
    assembler = Assembler()
    call = start(0, "function_call", id="k", name="f", arguments={})
    sent = stream(created(), call, arguments(0, text), stop(0), completed("requires_action"))
    assembler.apply_all(list(iter_events(sent)))
    step = assembler.step(0)
    assert isinstance(step, m.FunctionCallStep)
    preview = ArgumentsPreview(text)
    assert (preview.snapshot().so_far if preview.complete else UNSET) == step.arguments


# ---- the parts


def test_a_recorded_call_as_it_comes() -> None:
    previews: dict[int, ArgumentsPreview] = {}
    for event in iter_events(Recording.load("function-calls").stream):
        if isinstance(event, StepDelta) and isinstance(event.delta, ArgumentsDelta):
            assert isinstance(event.index, int)
            previews.setdefault(event.index, ArgumentsPreview()).feed(event.delta.arguments)
    body: Any = json.loads(Recording.load("function-calls").body or b"")
    for index, preview in previews.items():
        assert preview.snapshot().so_far == body["steps"][index]["arguments"]
        assert preview.names == tuple(body["steps"][index]["arguments"])


def test_get_gives_what_has_ended_and_marks_what_has_not() -> None:
    preview = ArgumentsPreview('{"n":1,"deep":{"list":[{"x":[1]},"a","bc')
    assert preview.get("n") == 1
    assert preview.get("missing") is preview.get("n", 0) is preview.get("deep", 0) is UNSET
    inside = preview.get("deep")
    assert isinstance(inside, UnfinishedObject)
    assert inside.names == ("list",)
    items = preview.get("deep", "list")
    assert isinstance(items, UnfinishedArray)
    assert items.length == 3
    assert preview.get("deep", "list", 0) == {"x": [1]}
    assert preview.get("deep", "list", 1) == preview.get("deep", "list", -2) == "a"
    assert preview.get("deep", "list", 3) is preview.get("deep", "list", -4) is UNSET
    text = preview.get("deep", "list", -1)
    assert isinstance(text, UnfinishedText)
    assert (text.text, str(text), len(text), text.complete) == ("bc", "bc", 2, False)
    preview.feed("de")
    assert (text.text, text.since(2), text.since(0), text.since(9)) == ("bcde", "de", "bcde", "")
    preview.feed('"')
    assert text.complete
    assert preview.get("deep", "list", 2) == "bcde"


def test_what_is_given_is_the_callers_own() -> None:
    preview = ArgumentsPreview('{"a":{"b":[1]},"c":"')
    preview.get("a")["b"].append(2)
    preview.snapshot().so_far["a"]["b"].append(3)
    assert preview.snapshot().so_far == {"a": {"b": [1]}, "c": ""}


def test_objects_and_nothing_are_fragments_too() -> None:
    preview = ArgumentsPreview()
    for fragment in (UNSET, None, "", {"a": [1.5, "\ud83d"]}):
        preview.feed(fragment)
    assert preview.complete
    assert preview.snapshot().so_far == {"a": [1.5, "�"]}
    with pytest.raises(TypeError, match="a fragment of arguments is a text, not bytes"):
        preview.feed(b"{")  # type: ignore[arg-type]


MISUSES: list[tuple[str, Callable[[Any], Any]]] = [
    ("as keywords", lambda preview: dict(**preview)),
    ("as a dict", lambda preview: dict(preview)),
    ("as JSON", lambda preview: json.dumps(preview)),
    ("as JSON of msgspec", lambda preview: msgspec.json.encode(preview)),
    ("as JSON of gemwire", lambda preview: encode({"arguments": preview})),
    ("as a mapping", lambda preview: preview["path"]),
    ("as a result", lambda preview: function_result(m.FunctionCallStep(id="k"), preview)),
]


@pytest.mark.parametrize("misuse", [row[1] for row in MISUSES], ids=[row[0] for row in MISUSES])
@pytest.mark.parametrize("text", ['{"path":"/home', '{"path":"/home/ada/tmp"}'])
def test_it_does_not_pass_for_the_arguments(misuse: Callable[[Any], Any], text: str) -> None:
    preview = ArgumentsPreview(text)
    with pytest.raises(TypeError):
        misuse(preview)
    unfinished = preview.get("path")
    if isinstance(unfinished, UnfinishedText):
        assert not issubclass(type(unfinished), str)
        with pytest.raises(TypeError):
            encode({"path": unfinished})


def test_a_snapshot_can_be_sent_to_a_screen() -> None:
    shown = ArgumentsPreview('{"a":["x').snapshot()
    assert json.loads(encode(shown)) == {
        "so_far": {"a": ["x"]},
        "unfinished": ["a", 0],
        "problem": None,
    }


def test_it_is_as_deep_as_the_text() -> None:
    preview = ArgumentsPreview('{"a":' + "[" * 50_000 + '"x')
    assert len(preview.unfinished or ()) == 50_001
    assert isinstance(preview.get("a", *[0] * 50_000), UnfinishedText)
    found: Any = preview.snapshot().so_far["a"]
    for _ in range(50_000):
        (found,) = found
    assert found == "x"
    preview.feed('"' + "]" * 50_000 + "}")
    assert preview.complete


# ---- the cost

SHAPES: list[tuple[str, Callable[[int], str]]] = [
    ("one long text", lambda n: '{"a":"' + "x" * n + '"}'),
    ("escapes", lambda n: '{"a":"' + "\\ud83d\\ude00" * (n // 12) + '"}'),
    ("one long number", lambda n: '{"a":0.' + "1" * n),
    ("many numbers", lambda n: '{"a":[' + "1," * (n // 2) + "1]}"),
    ("many members", lambda n: "{" + ",".join(f'"{i}":{{}}' for i in range(n // 10)) + "}"),
    ("deep", lambda n: '{"a":' + "[" * n),
    ("no object", lambda n: "x" * n),
]


def seconds(text: str, size: int) -> float:
    """How long the processor takes to preview a text, looking at each fragment's effect."""
    preview, seen = ArgumentsPreview(), 0
    begin = time.process_time()
    for at in range(0, len(text), size):
        preview.feed(text[at : at + size])
        value = preview.get("a")
        if isinstance(value, UnfinishedText):
            seen += len(value.since(seen))
    return time.process_time() - begin


@pytest.mark.parametrize("shape", [row[1] for row in SHAPES], ids=[row[0] for row in SHAPES])
def test_the_cost_is_linear_in_the_text(shape: Callable[[int], str]) -> None:
    """The exponent is 1 for linear work and 2 where each fragment reads the whole again."""
    small, large = shape(10_000), shape(80_000)
    best = [math.inf, math.inf]
    exponent = math.inf
    for _ in range(12):  # a busy machine gets further chances
        best = [min(best[0], seconds(small, 20)), min(best[1], seconds(large, 20))]
        exponent = math.log(best[1] / best[0]) / math.log(len(large) / len(small))
        if exponent <= 1.1:
            return
    raise AssertionError(f"the cost grows with the power {exponent:.2f}")
