"""Backtests under the limits of an account: taken when they are queued, named with the run, told in the report."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from alphintra.contracts.controls import InstrumentView
from alphintra.contracts.risk import LimitsView
from alphintra.engine.pretrade.limits import default_limits, limit_hash
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.limits import LimitControls
from fixtures.single_service import NOON
from integration.strategy.job_desk import backtest, start
from integration.strategy.stage import WAVE
from unit.engine.builders import flat_bars

if TYPE_CHECKING:
    from integration.strategy.stage import Stage

ACCOUNT = UUID(int=9)


def in_force(version: int, *, symbols: tuple[str, ...] | None = None) -> LimitsView:
    """Return the limits of the account as risk shows them."""
    return LimitsView(
        account_id=ACCOUNT,
        version=version,
        order_qty_max=Decimal(100_000),
        order_notional_max=Decimal(1_000_000),
        position_qty_max=Decimal(100_000),
        may_short=False,
        set_by="somebody",
        set_at=NOON,
        controls=LimitControls(symbols_allowed=symbols),
    )


async def test_a_backtest_is_held_against_the_limits_of_the_account_as_they_were_when_it_was_queued(
    stage: Stage,
) -> None:
    await stage.shelve("AAPL", flat_bars(WAVE))
    stage.town.limits[ACCOUNT] = in_force(4, symbols=("MSFT",))
    queued = await start(stage, account_id=ACCOUNT)
    stage.town.limits[ACCOUNT] = in_force(5)
    await stage.work()
    done = await backtest(stage, queued.backtest_id)
    report = json.loads(done.result)
    assert (done.status, done.limit_version) == ("finished", 4)
    assert {order["status"] for order in report["orders"]} == {"denied"}
    assert report["fills"] == []
    assert {found["code"] for denial in report["denials"] for found in denial["findings"]} == {"RISK_NO_PERMISSION"}
    assert report["blocked"]["RISK_NO_PERMISSION"] == len(report["denials"]) > 0
    assert (report["honesty"]["limit_version"], report["honesty"]["limit_hash"]) == (4, done.limit_hash)


async def test_without_an_account_the_limits_of_a_new_one_hold_and_equal_limits_make_the_same_run(
    stage: Stage,
) -> None:
    await stage.shelve("AAPL", flat_bars(WAVE))
    stage.town.limits[ACCOUNT] = in_force(3)
    plain, alike = await start(stage), await start(stage, account_id=ACCOUNT)
    assert (plain.limit_version, plain.limit_hash) == (1, limit_hash(default_limits()))
    assert (alike.limit_version, alike.limit_hash, alike.run_hash) == (3, plain.limit_hash, plain.run_hash)


async def test_the_specification_of_the_symbol_holds_with_the_limits_of_an_account(stage: Stage) -> None:
    await stage.shelve("AAPL", flat_bars(WAVE))
    stage.town.limits[ACCOUNT] = in_force(1)
    stage.town.instruments["AAPL"] = InstrumentView(symbol="AAPL", version=2, lot=Decimal(1_000_000))
    queued = await start(stage, account_id=ACCOUNT)
    await stage.work()
    report = json.loads((await backtest(stage, queued.backtest_id)).result)
    assert {denial["findings"][0]["code"] for denial in report["denials"]} == {"ORDER_LOT"}


async def test_other_peoples_accounts_lend_no_limits(stage: Stage) -> None:
    await stage.shelve("AAPL", flat_bars(WAVE))
    with pytest.raises(AlphintraError) as refused:
        await start(stage, account_id=ACCOUNT)
    assert refused.value.code == "ACCOUNT_NOT_FOUND"
    assert await stage.rows("select 1 from backtests") == []
