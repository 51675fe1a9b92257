"""Somebody has decided on every step, delta, content, event and operation of the committed spec.

A publication brings new ones. The first test fails for each of them and says in which line of which
table the decision belongs; spec/decisions.toml has the tables. The others show that it can fail.
"""

from __future__ import annotations

import json
import re
import shutil
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import pytest

from codegen.alike import tags_of
from codegen.compare import plain_form
from codegen.config import load_config
from codegen.decisions import Decision, Undecided, load_decisions, read_table, undecided
from codegen.diff import CONFIG, DECIDE, differences
from codegen.document import Schema, read, schemas_of
from codegen.load import published

ROOT = Path(__file__).parent.parent
DECISIONS = ROOT / "spec" / "decisions.toml"
HISTORY = ROOT / "spec" / "history" / "2026-05.openapi.json"

DOCUMENTS, CONFIGURED = load_config(CONFIG)
SPEC = published(DOCUMENTS)
DECIDED = load_decisions(DECISIONS)
TABLES = [place for decision in DECIDED for place in decision.tables]


def without_rule(
    document: Schema, root: Path = ROOT, decisions: list[Decision] = DECIDED
) -> list[Undecided]:
    return undecided(plain_form(document), decisions, CONFIGURED, root)


MISSING = without_rule(SPEC)


def newly_without_rule(document: Schema, root: Path = ROOT) -> list[Undecided]:
    """What of a document has no rule and is not in the spec: what is missing there fails one test,
    and not all of them.
    """
    known = {(each.what, each.name) for each in MISSING}
    return [each for each in without_rule(document, root) if (each.what, each.name) not in known]


def test_everything_in_the_spec_is_decided() -> None:
    """If this fails, make the decision that it names: docs/updating.md says how."""
    if MISSING:
        pytest.fail("\n".join(map(str, MISSING)), pytrace=False)


def test_there_is_something_to_decide() -> None:
    schemas = schemas_of(plain_form(SPEC))
    sizes = {d.what: len(tags_of(schemas, d.union)) for d in DECIDED if d.union}
    assert {*sizes} == {*UNIONS, "call or result"}
    assert min(sizes.values()) > 4
    assert "operation" in {d.what for d in DECIDED if d.union is None}


# ---- an invented one of each

UNIONS = {
    "step": "Step",
    "delta": "StepDeltaData",
    "content": "Content",
    "event": "InteractionSseEvent",
    "event of the live socket": "ServerEvent",
}


def with_member(document: Schema, union: str, tag: str, name: str) -> Schema:
    """The document with one more member of a union, as a publication would have it."""
    document = deepcopy(document)
    schemas = schemas_of(document)
    member = schemas[union]["discriminator"]["propertyName"]
    schemas[name] = {
        "type": "object",
        "required": [member],
        "properties": {member: {"type": "string", "const": tag}, "what": {"type": "string"}},
    }
    parts = schemas[union]["oneOf" if schemas[union].get("oneOf") else "anyOf"]
    parts.append({"$ref": f"#/components/schemas/{name}"})
    schemas[union]["discriminator"].pop("mapping", None)
    return document


def with_operation(document: Schema, identifier: str) -> Schema:
    document = deepcopy(document)
    version = {"name": "api_version", "in": "path", "required": True, "schema": {"type": "string"}}
    operation = {"operationId": identifier, "parameters": [version], "responses": {"200": {}}}
    document["paths"]["/{api_version}/tides"] = {"post": operation}
    return document


INVENTED: dict[str, tuple[Schema, str, str]] = {
    "step": (
        with_member(SPEC, "Step", "daydream", "DaydreamStep"),
        "step `daydream` has no rule: add `m.DaydreamStep: …Builder` to BUILDERS in ",
        "src/gemwire/assembly/steps.py",
    ),
    "call": (
        with_member(SPEC, "Step", "tide_call", "TideCallStep"),
        "call or result `tide_call` has no rule: add `m.…Delta: m.TideCallStep` to OPENS in ",
        "src/gemwire/assembly/opening.py",
    ),
    "delta": (
        with_member(SPEC, "StepDeltaData", "daydream_delta", "DaydreamDelta"),
        "delta `daydream_delta` has no rule: add `m.DaydreamDelta: m.…Step` to OPENS in ",
        "src/gemwire/assembly/opening.py",
    ),
    "content": (
        with_member(SPEC, "Content", "hologram", "HologramContent"),
        'content `hologram` has no rule: add `"hologram": m.HologramContent` to _CONTENTS in ',
        "src/gemwire/wire/contents.py",
    ),
    "event": (
        with_member(SPEC, "InteractionSseEvent", "step.rewind", "StepRewind"),
        "event `step.rewind` has no rule: add `StepRewind: …` to HANDLERS in ",
        "src/gemwire/assembly/events.py",
    ),
    "event of the live socket": (
        with_member(SPEC, "ServerEvent", "tide.turned", "TideTurnedEvent"),
        'event of the live socket `tide.turned` has no rule: add `Form(…, ("tide.turned",), …)` '
        "to FORMS in ",
        "src/gemwire/wire/forms.py",
    ),
    "operation": (
        with_operation(SPEC, "TurnTide"),
        "operation `TurnTide` has no rule: add `turn_tide` to the table in ",
        "docs/operations.md",
    ),
}


@pytest.mark.parametrize("name", INVENTED)
def test_what_is_new_has_no_rule(name: str) -> None:
    """And the message names the last line of the table."""
    document, begins, file = INVENTED[name]
    (found,) = newly_without_rule(document)
    message = str(found)
    assert message.startswith(begins + file + ":")
    line = int(re.findall(r":(\d+) \(", message)[-1])
    text = (ROOT / file).read_text("utf-8").splitlines()[line - 1]
    assert text[:1] in ("}", ")", "|")


def test_all_of_them_together() -> None:
    document = SPEC
    for what, union in UNIONS.items():
        tag = f"new.{union.lower()}"
        document = with_member(document, union, tag, f"New{union}")
        assert tag in [each.name for each in newly_without_rule(document)], what
    document = with_operation(document, "TurnTide")
    assert sorted(each.what for each in newly_without_rule(document)) == sorted(
        [*UNIONS, "operation"]
    )


def test_a_union_that_is_gone_is_told() -> None:
    document = deepcopy(SPEC)
    schemas = schemas_of(document)
    del schemas["Step"]
    text = json.dumps(document).replace('#/components/schemas/Step"', '#/components/schemas/Error"')
    assert [str(each) for each in newly_without_rule(json.loads(text))] == [
        "union `Step` has no rule: say in spec/decisions.toml which union has its members now"
    ]


# ---- a rule that is taken away

ROWS: dict[str, tuple[str, str, str]] = {
    "step": ("src/gemwire/assembly/steps.py", "    m.ThoughtStep: ThoughtBuilder,\n", "thought"),
    "call or result": (
        "src/gemwire/assembly/opening.py",
        "    m.FileSearchCallDelta: m.FileSearchCallStep,\n",
        "file_search_call",
    ),
    "delta": ("src/gemwire/assembly/opening.py", "    m.TextDelta: m.ModelOutputStep,\n", "text"),
    "content": ("src/gemwire/wire/contents.py", '    "video": m.VideoContent,\n', "video"),
    "event": ("src/gemwire/assembly/events.py", "    StepStop: step_stop,\n", "step.stop"),
    "operation": ("docs/operations.md", "`list_agents` ", "ListAgents"),
}


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A folder with a copy of all tables."""
    for place in TABLES:
        target = tmp_path / place.partition(":")[0]
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / place.partition(":")[0], target)
    return tmp_path


@pytest.mark.parametrize("what", ROWS)
def test_a_rule_that_is_taken_away_is_missed(what: str, copied: Path) -> None:
    file, row, name = ROWS[what]
    assert newly_without_rule(SPEC, copied) == []
    source = (copied / file).read_text("utf-8")
    assert row in source
    (copied / file).write_text(source.replace(row, "", 1), "utf-8")
    assert (what, name) in [(each.what, each.name) for each in newly_without_rule(SPEC, copied)]


@pytest.mark.parametrize("place", ["a.py:TABLE", "a.py:OTHER", "page.md"])
def test_a_table_that_is_not_there_is_an_error(place: str, tmp_path: Path) -> None:
    """A table that was renamed must not pass for one in which everything stands."""
    (tmp_path / "a.py").write_text("def TABLE(): pass\nif 1:\n    OTHER = {}\n", "utf-8")
    (tmp_path / "page.md").write_text("# A page without a table\n", "utf-8")
    with pytest.raises(LookupError, match=r"no table"):
        read_table(tmp_path, place)
    with pytest.raises(LookupError, match=r"no table"):
        without_rule(SPEC, tmp_path, [replace(DECIDED[0], tables=[place])])


def test_the_names_in_a_table(tmp_path: Path) -> None:
    source = (
        'import m\nA = 1\nB: dict = {\n    m.One: two,\n    **{"three": m.Four},\n}\nfive = 5\n'
    )
    (tmp_path / "a.py").write_text(source, "utf-8")
    names, line = read_table(tmp_path, "a.py:B")
    assert {"One", "two", "three", "Four"} <= names
    assert not names & {"A", "five"}
    assert line == 6
    page = "A `word`.\n\n| a | b |\n|---|---|\n| `x` | `y` `z` |\n\n| other |\n|---|\n| `w` |\n"
    (tmp_path / "page.md").write_text(page, "utf-8")
    assert read_table(tmp_path, "page.md") == (frozenset("xyz"), 5)


# ---- what the command says of it


def told(folder: Path, document: Schema) -> list[tuple[str, str]]:
    """What is to be decided of a newer document, but for what is in the spec."""
    old, new = folder / "old.json", folder / "new.json"
    found: list[list[tuple[str, str]]] = []
    for newer in (SPEC, document):
        old.write_text(json.dumps(SPEC), "utf-8")
        new.write_text(json.dumps(newer), "utf-8")
        rows = differences(old, new, None, DECISIONS)
        found.append([(row.place, row.new) for row in rows if row.group == DECIDE])
    return [row for row in found[1] if row not in found[0]]


@pytest.mark.parametrize("name", ["step", "operation"])
def test_the_command_says_what_to_decide(name: str, tmp_path: Path) -> None:
    document, begins, file = INVENTED[name]
    ((place, do),) = told(tmp_path, document)
    assert begins.replace("`", "").startswith(place + " has no rule")
    assert begins.endswith(do.partition(file)[0])


def test_a_union_that_an_older_document_has_not_either_is_no_news() -> None:
    """May's document has no live socket, and nothing that nobody has decided on."""
    assert differences(HISTORY, HISTORY, None, DECISIONS) == []
    assert [each.name for each in without_rule(read(HISTORY))] == ["ServerEvent"]


# ---- what the page shows

SINCE_MAY = re.compile(r"    m\.(?:Processing|Retrieval|ToolSearch)\w+: .*\n")


def test_what_the_page_says_is_to_be_decided(copied: Path) -> None:
    """In May's tree: without the rules for what came after it."""
    opening = copied / "src/gemwire/assembly/opening.py"
    opening.write_text(SINCE_MAY.sub("", opening.read_text("utf-8")), "utf-8")
    page = copied / "docs/operations.md"
    page.write_text(page.read_text("utf-8").replace("`create_trigger`", ""), "utf-8")
    found = [(each.what, each.name, each.do) for each in newly_without_rule(SPEC, copied)]
    rows = [(f"{what} {name}", re.sub(r":\d+$", "", do)) for what, name, do in found]
    text = (ROOT / "docs" / "updating.md").read_text("utf-8")
    shown = re.findall(r"^  \+ ([\w. ]+?) {2,}(add .*?):\d+$", text, re.M)
    assert len(shown) == 4
    assert [row for row in rows if row in shown] == shown
