"""The documentation is true: every Python block runs, every link and target it names exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import gemwire
from gemwire.assembly.report import ISSUES

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md"), *ROOT.glob("[!.]*/README.md")])
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)

BLOCKS = [
    pytest.param(page, match[1], id=f"{page.relative_to(ROOT)}:{number}")
    for page in PAGES
    for number, match in enumerate(BLOCK.finditer(page.read_text("utf-8")), 1)
]


@pytest.mark.parametrize(("page", "source"), BLOCKS)
def test_each_block_runs(
    page: Path, source: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    code = compile(source, str(page), "exec")
    exec(code, {"__name__": "__main__"})


def test_the_readme_has_blocks_that_print_the_answer(capsys: pytest.CaptureFixture[str]) -> None:
    for block in BLOCKS:
        page, source = block.values
        if page == ROOT / "README.md" and "print" in str(source):
            exec(compile(str(source), str(page), "exec"), {"__name__": "__main__"})
    printed = capsys.readouterr().out
    assert "completed" in printed
    assert "truncated" in printed


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_each_relative_link_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)\)", page.read_text("utf-8"))
    missing = [
        link for link in links if "://" not in link and not (page.parent / link).resolve().exists()
    ]
    assert missing == []


def test_each_make_target_of_the_readme_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:\$ |`)make ([a-z-]+)", (ROOT / "README.md").read_text("utf-8")))
    assert named <= targets
    assert {"demo", "test"} <= named


def test_each_issue_that_the_rules_name_is_one() -> None:
    rules = (ROOT / "docs" / "assembly.md").read_text("utf-8")
    assert set(re.findall(r"issue `(\w+)`", rules)) <= ISSUES.keys()


def test_the_version_is_that_of_the_changelog() -> None:
    newest = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert newest is not None
    assert newest[1] == gemwire.__version__
    assert f'version = "{newest[1]}"' in (ROOT / "pyproject.toml").read_text("utf-8")
