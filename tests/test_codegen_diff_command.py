"""The command: what it prints, what of an overlay it finds stale, and the page that shows it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from codegen.compare import Entry
from codegen.diff import ALL_GROUPS, as_json, as_table, counts, differences, main
from codegen.document import Schema, merged
from codegen.notes import Refused

from .test_codegen_diff import GEAR, OAR, SAIL, STRING, document, found, model, ref, tagged, union
from .test_codegen_diff_operations import GET, HISTORY, POST, ROOT

PAGE = ROOT / "docs" / "updating.md"

# ---- the overlay


def overlay(*corrections: Schema) -> str:
    dumped = [yaml.safe_dump([{**each, "reason": "Seen."}]) for each in corrections]
    return "# A comment.\ncorrections:\n\n" + "\n".join(dumped)


CORRECTIONS = (
    {"add": {"schema": "Boat", "members": {"flag": STRING}}},
    {"optional": {"schema": "Boat", "members": ["name"]}},
    {
        "define": {
            "Canoe": {
                "type": "object",
                "required": ["type"],
                "properties": {"type": {"type": "string", "const": "canoe"}},
            }
        }
    },
    {"extend": {"union": "Gear", "members": ["Canoe"]}},
    {"change": {"schema": "Oar", "members": {"length": STRING}}},
    {"alias": {"Ship": "Boat"}},
    {"add": {"schema": "Nothing", "members": {"x": STRING}}},
)


def given(folder: Path, old: Schema, new: Schema, corrections: str) -> tuple[Path, Path, Path]:
    paths = folder / "old.json", folder / "new.json", folder / "overlay.yaml"
    for path, text in zip(paths, (json.dumps(old), json.dumps(new), corrections), strict=True):
        path.write_text(text, "utf-8")
    return paths


def test_corrections_that_no_longer_apply(tmp_path: Path) -> None:
    """Each is tried by itself: the ones that apply are kept for those behind them."""
    ship = {"Ship": model(name=STRING)}
    old = document({**GEAR})
    new = document({**GEAR, **ship, "Boat": model(name=STRING, flag=STRING), "Oar": tagged("oar")})
    paths = given(tmp_path, old, new, overlay(*CORRECTIONS))
    rows = [e for e in differences(*paths) if e.group == "overlay"]
    lines = paths[2].read_text("utf-8").splitlines()
    assert [(e.change, *e.place.partition(" ")[::2], e.old, e.new) for e in rows] == [
        ("removed", rows[0].place.split()[0], "add Boat: flag", "applies", "already there"),
        (
            "removed",
            rows[1].place.split()[0],
            "optional Boat: name",
            "applies",
            "not required anyway",
        ),
        (
            "removed",
            rows[2].place.split()[0],
            "change Oar: length",
            "applies",
            "no member Oar.length",
        ),
        ("added", rows[3].place.split()[0], "alias Ship", "no schema 'Ship' or 'Boat'", "applies"),
    ]
    for row in rows:
        file, _, line = row.place.split()[0].partition(":")
        assert file == "overlay.yaml"
        assert lines[int(line) - 1].startswith(f"- {row.place.split()[1]}:")


def test_an_overlay_makes_a_document_readable(tmp_path: Path) -> None:
    refused = {"Odd": {"type": "object", "patternProperties": {"^x": STRING}}}
    paths = given(
        tmp_path, document({}), document(refused), overlay({"leave_out": {"schemas": ["Odd"]}})
    )
    assert [e.group for e in differences(*paths)] == ["overlay"]
    with pytest.raises(Refused, match=r"new\.json#/components/schemas/Odd/patternProperties"):
        differences(*paths[:2])


# ---- the command


def test_the_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, new = document(GEAR), document({"Oar": OAR, "Canvas": SAIL, "Gear": union("Oar")})
    new["components"]["schemas"]["Boat"] = model(name=STRING, length={"type": "number"})
    paths = given(tmp_path, old, new, overlay(CORRECTIONS[1]))
    assert main([*map(str, paths[:2]), "--overlay", str(paths[2])]) == 0
    assert capsys.readouterr().out == (
        f"{paths[0]} → {paths[1]}\n"
        """
                added  removed  changed  renamed
schemas             1        1
members                               1
required                     1
tags                         1
overlay                      1

schemas: what has a name
  + Canvas  model, 2 members
  - Sail    model, 2 members

members: of schemas that both have
  ~ Boat.length  integer → number

required: members that became required (+), or no longer are (-)
  - Boat.name

tags: members of unions, by their tag; the parts of other unions
  - Gear  sail

overlay: corrections that no longer apply (-), or that did not and do now (+)
  - overlay.yaml:4 optional Boat: name  applies → not required anyway
"""
    )


def test_the_json_says_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = given(tmp_path, document({}), document(GEAR, GET), overlay())
    assert main([*map(str, paths[:2]), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    rows = differences(*paths[:2])
    assert [Entry(**each) for each in said["changes"]] == rows
    assert said["counts"] == counts(rows)
    assert said["counts"].keys() == ALL_GROUPS.keys()
    assert (said["counts"]["schemas"]["added"], said["counts"]["operations"]["added"]) == (3, 1)
    assert (said["old"], said["new"]) == (str(paths[0]), str(paths[1]))


def test_no_difference_is_one_line() -> None:
    assert as_table("a", "b", []) == "a → b: no difference\n"
    assert json.loads(as_json("a", "b", []))["changes"] == []


def test_what_is_too_long_for_the_table_is_whole_in_the_json() -> None:
    entry = Entry("members", "added", "A" * 100 + ".b", "", "string")
    row = as_table("a", "b", [entry]).splitlines()[-1]
    assert row == f"  + {'A' * 79}…  string"
    assert entry.place in as_json("a", "b", [entry])


BROKEN: dict[str, Callable[[Path], str]] = {
    "no such file": lambda folder: str(folder / "none.json"),
    "no JSON": lambda folder: write(folder, "{"),
    "no OpenAPI": lambda folder: write(folder, '{"swagger": "2.0"}'),
    "a list": lambda folder: write(folder, "[1]"),
    "bytes": lambda folder: write(folder, "\x00\x01"),
    "a reference to nowhere": lambda folder: write(
        folder, json.dumps(document({"A": model(b=ref("C"))}))
    ),
}


def write(folder: Path, text: str) -> str:
    path = folder / "broken.json"
    path.write_text(text, "utf-8")
    return str(path)


@pytest.mark.parametrize("name", BROKEN)
def test_a_document_that_cannot_be_read(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = BROKEN[name](tmp_path)
    for arguments in ([broken, str(HISTORY)], [str(HISTORY), broken]):
        assert main(arguments) == 1
        said = capsys.readouterr()
        assert said.out == ""
        assert Path(broken).name in said.err
        assert len(said.err.splitlines()) == 1


@pytest.mark.parametrize("text", ["corrections: 7", "[1]", "{", "corrections: [7]"])
def test_an_overlay_that_cannot_be_read(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "overlay.yaml"
    path.write_text(text, "utf-8")
    assert main([str(HISTORY), str(HISTORY), "--overlay", str(path)]) == 1
    assert "overlay.yaml" in capsys.readouterr().err


def test_a_file_without_corrections(tmp_path: Path) -> None:
    path = tmp_path / "overlay.yaml"
    path.write_text("corrections: []", "utf-8")
    assert differences(HISTORY, HISTORY, path) == []
    assert differences(HISTORY, HISTORY) == []


def test_two_documents_are_not_changed() -> None:
    old, new = document(GEAR, GET), document({}, POST)
    before = json.dumps([old, new])
    found(old, new)
    found(merged([("a", old)]), new)
    assert json.dumps([old, new]) == before


# ---- the page

BLOCKS = re.findall(r"^```console\n(.*?)^```$", PAGE.read_text("utf-8"), re.M | re.S)
NEWEST = ROOT / "spec" / "interactions.openapi.json"


def shown(output: str, block: str) -> list[str]:
    """The lines of a block, without those left out, that do not come in this order."""
    rest = iter(output.splitlines())
    lines = [line for line in block.splitlines() if line not in ("…", "")]
    return [line for line in lines if not any(line == other for other in rest)]


def test_the_page_has_five_commands() -> None:
    commands = [line for block in BLOCKS for line in block.splitlines() if line.startswith("$ ")]
    assert len(commands) == 5
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.M)
    for command in commands:
        words = command.split()[1:]
        if words[0] == "make":
            assert words[1] in targets
        elif words[0] != "mv":
            assert words[0] == ".venv/bin/python" or (ROOT / words[0]).exists()


def test_the_comparison_of_the_page_is_true() -> None:
    (block,) = [block for block in BLOCKS if block.startswith("$ make spec-diff")]
    command, _, expected = block.partition("\n")
    # What the target runs; the target itself would set up an environment.
    told = subprocess.run(
        ["make", "-n", "--no-print-directory", *command.split()[2:]],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        env={name: value for name, value in os.environ.items() if not name.startswith("MAKE")},
    )
    line = told.stdout.replace("\\\n", " ").splitlines()[-1]
    words = line.split()
    assert words[1:3] == ["-m", "codegen.diff"]
    done = subprocess.run(
        [sys.executable, *words[1:]], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert shown(done.stdout, expected) == []


def test_a_line_of_the_page_that_is_not_true_is_found() -> None:
    assert shown("a\nb\nc\n", "a\n…\nc\n") == []
    assert shown("a\nb\nc\n", "c\na\n") == ["a"]
    assert shown("a\nb\n", "a\n2\n") == ["2"]
