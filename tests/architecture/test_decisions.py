"""Decisions keep their form, and the checks they name exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DECISIONS = ROOT / "docs" / "decisions"
PAGES = sorted(DECISIONS.glob("[0-9]*.md"))
SECTIONS = ["Context", "Decision", "Consequences", "Alternatives", "Enforced by"]
LINES_MAX = 60


def test_decisions_are_numbered_from_one_without_gaps() -> None:
    assert [page.name[:5] for page in PAGES] == [f"{n:04d}-" for n in range(1, len(PAGES) + 1)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_decision_is_one_page_with_all_fields_in_order(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert re.match(rf"# {page.name[:4]} \S.*\n\n\*\*Status:\*\* (proposed|accepted|replaced by [0-9]{{4}})\b", text)
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == SECTIONS
    assert len(text.splitlines()) <= LINES_MAX


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_check_a_decision_names_exists(page: Path) -> None:
    enforced = page.read_text(encoding="utf-8").rpartition("## Enforced by\n")[2]
    named = re.findall(r"`([^`]+)`", enforced)
    paths = [name for name in named if "/" in name or name.startswith(".")]
    targets = [name.removeprefix("make ") for name in named if name.startswith("make ")]
    assert paths or targets
    assert [path for path in paths if not (ROOT / path).exists()] == []
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert [target for target in targets if f"\n{target}:" not in makefile] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_list_of_decisions_names_each_with_its_title(page: Path) -> None:
    title = page.read_text(encoding="utf-8").partition("\n")[0].removeprefix(f"# {page.name[:4]} ")
    listing = (DECISIONS / "README.md").read_text(encoding="utf-8")
    assert f"| [{page.name[:4]}]({page.name}) | {title} |" in listing
