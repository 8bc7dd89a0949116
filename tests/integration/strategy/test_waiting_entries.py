"""Entries that wait for a price: paper fills, ends and withdraws them as the backtest does."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, Any, Final

import msgspec
import pytest

from alphintra.contracts.controls import InstrumentView
from alphintra.contracts.drift import MeasureDrift
from alphintra.contracts.strategy import StopDeployment
from alphintra.contracts.trading import CancelOrder, SubmitOrder
from alphintra.engine.backtest import run_backtest
from alphintra.engine.graph import compile_plan
from alphintra.engine.graph.tape import tape_of
from alphintra.engine.intents import Outcome
from alphintra.engine.plan_runs import run_plan
from alphintra.engine.pretrade.instruments import Instrument
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.vocabulary import Leg, OrderStatus, OrderType, TimeInForce
from alphintra.strategy.service import deployments
from alphintra.strategy.service.claims import release_due
from fixtures.single_service import PowerCutError, stop_at
from integration.strategy.power_cuts import require_cuts_change_nothing
from integration.strategy.test_exits import (
    CAPITAL,
    EXITS,
    SETTINGS,
    require_like,
    run_beside,
    simulated,
    strategy,
    wild_bars,
)
from unit.engine.builders import bar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path
    from uuid import UUID

    from alphintra.contracts.strategy import DeploymentView
    from alphintra.engine.backtest import BacktestResult
    from alphintra.engine.graph import Graph
    from alphintra.kernel.ids import FeedId
    from fixtures.postgres import ServiceDatabase
    from integration.strategy.stage import Stage

PRICINGS: Final[dict[str, dict[str, Any]]] = {
    "limit of the day": {"type": "limit", "tif": "day", "offset": "1"},
    "limit that rests": {"type": "limit", "tif": "gtc", "offset": "2.5"},
    "limit for three bars": {"type": "limit", "tif": "gtc", "offset": "2", "bars": 3},
    "marketable limit": {"type": "limit", "tif": "day", "offset": "-1"},
    "stop of the day": {"type": "stop", "tif": "day", "offset": "1"},
    "stop for two bars": {"type": "stop", "tif": "gtc", "offset": "1.5", "unit": "amount", "bars": 2},
    "stop that rests": {"type": "stop", "tif": "gtc", "offset": "2", "unit": "amount"},
    "stop limit": {"type": "stop_limit", "tif": "gtc", "offset": "0.5", "through": "0.3", "bars": 4},
}

GONE: Final = {OrderStatus.EXPIRED, OrderStatus.CANCELED}


def waiting(exits: str, side: str, pricing: dict[str, Any], *, leaves_at: float = 102.5) -> Graph:
    """Return the strategy of the exits' tests with entries that wait."""
    asked = strategy(EXITS[exits], side, leaves_at=leaves_at)
    changed = (msgspec.structs.replace(each, params=pricing) if each.type == "Order" else each for each in asked.nodes)
    return msgspec.structs.replace(asked, nodes=tuple(changed))


async def run_entries(stage: Stage, seed: int, count: int, kinds: tuple[str, ...]) -> list[BacktestResult]:
    """Run every kind of entry with some kinds of exits, and hold each against its backtest."""
    asked = [waiting(exits, "both", pricing) for pricing in PRICINGS.values() for exits in kinds]
    found = await run_beside(stage, seed, count, asked)
    for deployment_id, result in found.items():
        await require_like(stage, deployment_id, result)
        placed = [order for order in stage.town.placed(deployment_id) if order.leg is Leg.ENTRY]
        entries = [order for order in placed if order.type is not OrderType.MARKET]
        records = [record for record in result.orders if record.order.intent.reason == "entry"]
        for order, record in zip(entries, records, strict=True):
            intent = record.order.intent
            assert (order.limit_price, order.stop_price) == (intent.limit_price, intent.stop_price)
            assert (order.status in GONE) is (record.status in GONE)
    return list(found.values())


async def test_every_kind_of_entry_trades_on_paper_as_in_the_backtest(stage: Stage) -> None:
    results = await run_entries(stage, 1, 14, ("bracket",))
    assert {"ORDER_EXPIRED", "ORDER_CANCELED"} <= {code for result in results for code in result.blocked}
    assert sum(len(result.trades) for result in results) > 10


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 5))
async def test_entries_trade_alike_over_many_bars(stage: Stage, seed: int) -> None:
    results = await run_entries(stage, seed, 60, ("rule", "all", "trail"))
    assert {fill.leg for result in results for fill in result.fills} == {"", "stop", "target", "trail"}


RISES = ["100 101 100 101", "101 102 101 102", "102 104 102 104", "104 104 103 104"]


async def test_a_rule_that_leaves_takes_an_entry_off_that_still_waits(stage: Stage) -> None:
    bars = [bar(index, prices) for index, prices in enumerate(RISES)]
    asked = waiting("bracket", "long", {"type": "limit", "tif": "gtc", "offset": "5"}, leaves_at=103)
    feed_id = await stage.make_feed({"AAPL": bars})
    deployment_id = (await stage.deploy(feed_id, asked, capital=CAPITAL)).deployment_id
    await stage.step(feed_id, times=3)
    (entry,) = [order for order in stage.town.asked if isinstance(order, SubmitOrder)]
    assert (entry.type, entry.time_in_force) == (OrderType.LIMIT, TimeInForce.GTC)
    assert entry.take_profit is not None
    assert entry.limit_price is not None
    assert entry.take_profit.limit_price > entry.limit_price, "exits are reckoned from the price that is waited for"
    assert stage.town.asked_for(CancelOrder) == 1
    assert {order.status for order in stage.town.placed(deployment_id)} == {OrderStatus.CANCELED}
    outcomes = [each.outcome for each in await stage.decisions(deployment_id)]
    assert outcomes == [Outcome.INTENT, Outcome.BLOCKED_ORDER_WORKING, Outcome.ENTRY_CANCELED]
    await stage.run_out(feed_id)
    await require_like(stage, deployment_id, simulated(asked, "AAPL", bars))


async def test_a_run_cut_at_every_point_of_taking_entries_off_is_the_run_that_never_was(
    stage: Stage, service_database: Callable[[str], Awaitable[ServiceDatabase]], tmp_path: Path
) -> None:
    async def deployed(on: Stage) -> DeploymentView:
        chance = Random(7)  # noqa: S311 - a repeatable market, no secret
        feed_id = await on.make_feed({"AAPL": wild_bars(chance, 40)})
        return await on.deploy(feed_id, waiting("all", "both", PRICINGS["limit for three bars"]))

    database = await service_database("strategy")
    passed = await require_cuts_change_nothing(stage, database, tmp_path / "other", deployed)
    assert {"strategy.entry_withdrawn", "strategy.submitted"} <= passed


async def test_prices_are_whole_ticks_on_paper_and_in_the_backtest(stage: Stage) -> None:
    chance = Random(5)  # noqa: S311 - a repeatable market, no secret
    bars, tick = wild_bars(chance, 14), Decimal("0.05")
    stage.town.instruments["AAPL"] = InstrumentView(symbol="AAPL", version=1, tick=tick)
    asked = waiting("bracket", "both", PRICINGS["limit of the day"])
    feed_id = await stage.make_feed({"AAPL": bars})
    deployment_id = (await stage.deploy(feed_id, asked, capital=CAPITAL)).deployment_id
    await stage.step(feed_id, times=7)
    await stage.run_out(feed_id)  # by another runner, which remembers nothing
    terms = replace(SETTINGS, instrument=Instrument(symbol="AAPL", tick=tick))
    result = run_backtest(compile_plan(asked), "AAPL", bars=bars, settings=terms)
    await require_like(stage, deployment_id, result)
    assert not result.denials
    prices = [
        price
        for order in stage.town.placed(deployment_id)
        for price in (order.limit_price, order.stop_price)
        if price is not None
    ]
    assert len(prices) > 10
    assert not any(price % tick for price in prices)
    # What is decided is in whole ticks too, before and after a restart, so that its backtest is like it.
    asked_for = await stage.rows("select limit_price, stop_price, take_profit from intents where reason = 'entry'")
    assert not any(price % tick for row in asked_for for price in row if price is not None)
    drift = await stage.endpoints.measure_drift(MeasureDrift(deployment_id=deployment_id), stage.owner)
    assert drift.reasons == ()
    assert run_plan(compile_plan(asked), "AAPL", tape=tape_of(bars), settings=terms) is None


FALLS: Final = ["100 101 100 101", "101 102 101 102", "102 103 102 103", "103 103 80 81", "81 82 80 81"]


async def stopped_with_an_entry(stage: Stage) -> tuple[FeedId, UUID]:
    """Deploy a limit that rests below the market; the bars after the third would fill it."""
    bars = [bar(index, prices) for index, prices in enumerate(FALLS)]
    asked = waiting("bracket", "long", {"type": "limit", "tif": "gtc", "offset": "5"}, leaves_at=200)
    feed_id = await stage.make_feed({"AAPL": bars})
    deployment_id = (await stage.deploy(feed_id, asked, capital=CAPITAL)).deployment_id
    await stage.step(feed_id, times=2)
    return feed_id, deployment_id


async def require_nothing_traded(stage: Stage, feed_id: FeedId, deployment_id: UUID) -> None:
    """Run the feed out and see that the entry was canceled and never filled."""
    await stage.run_out(feed_id)
    entries = [order for order in stage.town.placed(deployment_id) if order.leg is Leg.ENTRY]
    assert {order.status for order in entries} <= {OrderStatus.CANCELED}
    assert stage.town.books(deployment_id) == []
    assert (await stage.deployment(deployment_id)).position_qty == 0
    assert {row["status"] for row in await stage.rows("select status from intents")} == {"closed"}


async def test_without_a_stop_the_entry_of_these_tests_would_fill(stage: Stage) -> None:
    feed_id, deployment_id = await stopped_with_an_entry(stage)
    await stage.run_out(feed_id)
    assert stage.town.books(deployment_id)


async def test_a_stop_cancels_an_entry_that_still_waits(stage: Stage) -> None:
    feed_id, deployment_id = await stopped_with_an_entry(stage)
    (entry,) = [order for order in stage.town.placed(deployment_id) if order.leg is Leg.ENTRY]
    await stage.endpoints.stop_deployment(StopDeployment(deployment_id=deployment_id), stage.owner)
    await stage.orders.order(entry.order_id, stage.owner)
    assert stage.town.asked_for(CancelOrder) == 1
    await require_nothing_traded(stage, feed_id, deployment_id)


async def test_a_stop_that_is_cut_cancels_the_entry_with_the_release_of_its_capital(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed_id, deployment_id = await stopped_with_an_entry(stage)
    with monkeypatch.context() as crashing:
        stop_at(crashing, deployments, "strategy.deployment_stopped")
        with pytest.raises(PowerCutError):
            await stage.endpoints.stop_deployment(StopDeployment(deployment_id=deployment_id), stage.owner)
    assert stage.town.asked_for(CancelOrder) == 0
    assert await release_due(desk=stage.desk, orders=stage.orders, at=stage.clock.now()) == 1
    (entry,) = [order for order in stage.town.placed(deployment_id) if order.leg is Leg.ENTRY]
    await stage.orders.order(entry.order_id, stage.owner)
    await require_nothing_traded(stage, feed_id, deployment_id)


async def test_an_entry_that_was_not_placed_before_the_stop_never_is(stage: Stage) -> None:
    bars = [bar(index, prices) for index, prices in enumerate(FALLS)]
    feed_id = await stage.make_feed({"AAPL": bars})
    asked = waiting("bracket", "long", {"type": "limit", "tif": "gtc", "offset": "5"}, leaves_at=200)
    deployment_id = (await stage.deploy(feed_id, asked, capital=CAPITAL)).deployment_id
    stage.town.fail(SubmitOrder, times=1)
    with pytest.raises(AlphintraError):
        await stage.step(feed_id, times=2)
    assert stage.town.placed(deployment_id) == []
    await stage.endpoints.stop_deployment(StopDeployment(deployment_id=deployment_id), stage.owner)
    await require_nothing_traded(stage, feed_id, deployment_id)
    assert stage.town.placed(deployment_id) == []
