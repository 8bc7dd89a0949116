"""How the paper venue trades an account stands in the table people read."""

from __future__ import annotations

import msgspec
import pytest

from alphintra.cli.connections import _PAPER, _traded_with
from alphintra.contracts.broker import PaperSettingsView

PAPER: dict[str, object] = {
    "preset": "realistic",
    "slippage_bps": "2.500000000",
    "commission_bps": "0.000000000",
    "fee_per_share": "0.005000000",
    "fee_minimum": "1.000000000",
    "participation": "0.100000000",
    "reject_bps": "0",
    "latency_bars": 1,
    "not_modelled": [],
}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {},
            "realistic, slippage 2.5 bps, fee per share 0.005, fee at least 1, of volume at most 0.1, latency 1 bars",
        ),
        (
            dict.fromkeys(("slippage_bps", "fee_per_share", "fee_minimum", "latency_bars"), "0")
            | {"preset": "custom", "participation": None, "reject_bps": "3"},
            "custom, refuses 3 bps of orders",
        ),
    ],
)
def test_settings_that_have_an_effect_are_told_after_the_preset(changes: dict[str, object], told: str) -> None:
    assert _traded_with({**PAPER, **changes}) == told


def test_a_live_connection_has_no_settings_of_paper() -> None:
    assert _traded_with(None) == ""


def test_every_setting_of_the_venue_is_told() -> None:
    fields = {field.name for field in msgspec.structs.fields(PaperSettingsView)}
    assert {name for name, _told, _unit in _PAPER} == fields - {"account_id", "preset", "not_modelled"}
