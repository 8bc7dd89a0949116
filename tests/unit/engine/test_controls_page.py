"""docs/risk-controls.md says what the controls do."""

from __future__ import annotations

import os
from dataclasses import fields
from pathlib import Path

from alphintra.engine.pretrade.catalogue import controls_page
from alphintra.engine.pretrade.limits import LIMIT_DOCS, LimitSet, default_limits
from alphintra.kernel.limits import LimitControls
from unit.risk.books import ACCOUNT, NOON

PAGE = Path(__file__).parents[3] / "docs" / "risk-controls.md"


def test_the_page_is_what_the_controls_write_today() -> None:
    if os.environ.get("ALPHINTRA_REWRITE_GOLDEN"):
        PAGE.write_text(controls_page(), encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == controls_page()


def test_every_limit_of_an_account_is_on_the_page_with_the_default_it_has() -> None:
    told = {"account_id", "version", "set_by", "set_at", "controls", "reason"}
    names = {item.name for item in fields(LimitSet)} - told | set(LimitControls.__struct_fields__)
    assert names == set(LIMIT_DOCS)
    first = default_limits(ACCOUNT, set_by="default", at=NOON)
    for name in names & {item.name for item in fields(LimitSet)}:
        assert f"| {str(getattr(first, name)).lower()} |" in next(
            line for line in controls_page().splitlines() if line.startswith(f"| `{name}`")
        )
