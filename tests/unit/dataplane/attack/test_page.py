"""The page of what is probed and what stays open speaks of this catalogue and this accepted list."""

from __future__ import annotations

import re
from pathlib import Path

from alphintra.dataplane.attack.accepted import LEFT_OPEN, ONE_ROLE, REFUSALS, UNAVOIDABLE, UNPRIVILEGED
from alphintra.dataplane.attack.probes import CATALOGUE

PAGE = (Path(__file__).resolve().parents[4] / "docs" / "isolation.md").read_text(encoding="utf-8")


def test_the_page_lists_every_probe_with_its_meaning_and_remedy() -> None:
    written = {
        f"| `{attack.name}` | {attack.effect.value} |" in PAGE and f"| {attack.means} | {attack.close} |" in PAGE
        for attack in CATALOGUE
    }
    assert written == {True}, "write it anew: .venv/bin/python benchmarks/isolation.py"
    assert f"{len(CATALOGUE)} probes, " in PAGE


def test_the_page_gives_the_reason_of_everything_that_may_stay_open() -> None:
    reasons = {*UNAVOIDABLE.values(), *LEFT_OPEN.values(), *REFUSALS.values(), ONE_ROLE, UNPRIVILEGED}
    assert {reason for reason in reasons if reason not in PAGE} == set()


def test_nothing_was_measured_beyond_the_accepted_list_or_without_an_answer() -> None:
    rows = re.findall(r"^\| [a-z, ]+ \| \d+ \(.*$", PAGE, re.MULTILINE)
    assert len(rows) == 6
    assert [
        row for row in rows if not row.endswith("| - | - |") and "one role" not in row and "consol" not in row
    ] == []
