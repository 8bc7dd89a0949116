"""How a paper account is set, by whom, and what that does to its executions."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from alphintra.contracts.broker import GetConnection, SetPaperSettings
from alphintra.kernel.errors import AlphintraError
from fixtures.single_service import acting
from integration.broker.desk import Desk, bar, new_id


async def test_a_preset_changes_costs_and_shares_from_the_next_step_on_and_is_shown(desk: Desk) -> None:
    owner = acting(desk.owner_id)
    shown = (await desk.endpoints.get_connection(GetConnection(account_id=desk.account_id), owner)).paper
    assert shown is not None
    assert (shown.preset, shown.participation) == ("frictionless", None)
    assert len(shown.not_modelled) >= 5
    await desk.place()
    command = SetPaperSettings(account_id=desk.account_id, preset="realistic", slippage_bps=Decimal(100))
    for _ in range(2):
        view = await desk.endpoints.set_paper_settings(command, owner)
    assert (view.preset, view.commission_bps, view.slippage_bps) == ("custom", Decimal(1), Decimal(100))
    assert await desk.told() == ["order_acknowledged", "connection_changed"]
    await desk.step(1, bar(1, "100 110 90 105"))
    fill = (await desk.events())[-1][1]
    assert (Decimal(fill["price"]), Decimal(fill["fee"])) == (Decimal(101), Decimal("0.101"))
    (row,) = await desk.rows("select detail from audit_events where action = 'paper.set'")
    assert Decimal(json.loads(row["detail"])["after"]["slippage_bps"]) == 100


async def test_a_venue_that_refuses_everything_refuses_each_order_however_it_comes(desk: Desk) -> None:
    command = SetPaperSettings(account_id=desk.account_id, reject_bps=Decimal(10_000))
    await desk.endpoints.set_paper_settings(command, acting(desk.owner_id))
    await desk.place()
    name, event = (await desk.events())[-1]
    assert (name, event["code"]) == ("order_refused", "PAPER_REJECTED")
    assert await desk.statuses() == {}


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("preset", "lavish", "FIELD_CHOICE"),
        ("slippage_bps", Decimal(1001), "FIELD_RANGE"),
        ("participation", Decimal(0), "FIELD_RANGE"),
        ("participation", Decimal("1.1"), "FIELD_RANGE"),
        ("participation", Decimal("NaN"), "NUMBER_NOT_FINITE"),
        ("reject_bps", Decimal(-1), "FIELD_RANGE"),
        ("commission_bps", Decimal(-1), "FEE_SIGN"),
        ("latency_bars", 101, "FIELD_RANGE"),
    ],
)
async def test_a_setting_out_of_its_range_changes_nothing(desk: Desk, field: str, value: object, code: str) -> None:
    given: dict[str, object] = {field: value}
    with pytest.raises(AlphintraError, match=code):
        await desk.endpoints.set_paper_settings(
            SetPaperSettings(account_id=desk.account_id, **given),  # type: ignore[arg-type] # the field's own type
            acting(desk.owner_id),
        )
    (row,) = await desk.rows(
        "select slippage_bps, participation, reject_bps, commission_bps, latency_bars from connections"
    )
    assert [row[name] for name in ("slippage_bps", "reject_bps", "commission_bps", "latency_bars")] == [0, 0, 0, 0]
    assert row["participation"] is None
    assert await desk.told() == []


async def test_somebody_elses_account_cannot_be_set(desk: Desk) -> None:
    command = SetPaperSettings(account_id=desk.account_id, preset="harsh")
    with pytest.raises(AlphintraError, match="CONNECTION_NOT_FOUND"):
        await desk.endpoints.set_paper_settings(command, acting(new_id()))
    assert await desk.told() == []
