"""How limits are shown with what they are warned at, and that every share that is warned at belongs to a limit."""

from __future__ import annotations

import pytest

from alphintra.cli.risk_limits import _WARNED, warned_from
from alphintra.cli.risk_shared import _TERMS
from alphintra.contracts.controls import InstrumentView
from alphintra.engine.pretrade.limits import LIMIT_DOCS
from alphintra.kernel.limits import WARNINGS

LIMITS = {
    "position_qty_max": "1000.000000000",
    "controls": {"exposure_warn_pct": "80", "loss_warn_pct": "50.5", "open_orders_max": 3, "daily_loss_max": None},
}


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("position_qty_max", " (warned of from 800)"),
        ("open_orders_max", " (warned of from 2.4)"),
        ("daily_loss_max", ""),  # not set
        ("message_burst", ""),
        ("exposure_warn_pct", ""),
        ("order_qty_max", ""),
    ],
)
def test_a_limit_is_shown_with_what_it_is_warned_from(name: str, told: str) -> None:
    assert warned_from(LIMITS, name) == told


def test_every_share_belongs_to_limits_there_are_and_every_term_to_a_specification() -> None:
    assert set(_WARNED) == WARNINGS
    assert {name for names in _WARNED.values() for name in names} <= set(LIMIT_DOCS)
    assert set(_TERMS) == set(InstrumentView.__struct_fields__) - {"symbol", "version"}
