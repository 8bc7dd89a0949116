"""The tests that the page on recovery names exist."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROW = re.compile(r"\| `(tests/\S+\.py)::(\w+)` \|$")


def test_each_situation_of_the_page_on_recovery_is_shown_by_a_test() -> None:
    rows = (ROOT / "docs" / "recovery.md").read_text(encoding="utf-8").splitlines()
    named = [ROW.search(row) for row in rows if row.startswith("| ") and "shown by" not in row]
    assert len(named) >= 20
    assert [row for row in named if row is None] == []
    missing = [
        f"{path}::{name}"
        for found in named
        if found is not None
        for path, name in [found.groups()]
        if not (ROOT / path).exists() or f"def {name}(" not in (ROOT / path).read_text(encoding="utf-8")
    ]
    assert missing == []
