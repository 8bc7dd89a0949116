"""A deployment on paper is what the backtest of its bars is; what was planted to differ is found and named."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec
import pytest
import pytest_asyncio

from alphintra.contracts.drift import DriftView, GetDrift, MeasureDrift
from alphintra.engine.templates import crossover
from alphintra.kernel.errors import AlphintraError
from alphintra.strategy.service.drift import DriftDesk, DriftWorker
from fixtures.bar_market import running_market
from fixtures.single_service import acting
from integration.strategy.live_stage import MINUTE, OPEN, STRATEGY, Live
from integration.strategy.stage import WAVE, Stage
from unit.engine.builders import flat_bars

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from uuid import UUID

    from alphintra.contracts.strategy import DeploymentView
    from alphintra.contracts.trading import SubmitOrder

DAILY = crossover(2, 4, average="sma", percent="50")


@pytest_asyncio.fixture
async def live(stage: Stage) -> AsyncIterator[Live]:
    async with running_market() as market:
        stage.urls["alpaca"] = market.url
        yield Live(stage, market)


async def measured(stage: Stage, deployment_id: UUID) -> DriftView:
    return await stage.endpoints.measure_drift(MeasureDrift(deployment_id=deployment_id), stage.owner)


def named(drift: DriftView) -> dict[str, int]:
    return {each.reason: each.count for each in drift.reasons}


async def traded(stage: Stage) -> DeploymentView:
    """Return a deployment that traded a replay of the wave to its end."""
    feed_id = await stage.make_feed()
    deployed = await stage.deploy(feed_id, DAILY)
    await stage.run_out(feed_id)
    return deployed


async def test_a_deployment_on_a_replay_has_no_drift(stage: Stage) -> None:
    deployed = await traded(stage)
    drift = await measured(stage, deployed.deployment_id)
    assert (drift.reasons, drift.is_over) == ((), False)
    assert drift.equity_bps == drift.slippage_bps == 0
    assert (drift.bars, drift.decisions) == (len(WAVE), len(WAVE))
    assert drift.fills > 0
    assert drift.orders >= drift.fills
    assert drift.equity == drift.replayed_equity != 10_000
    assert drift.graph_hash == deployed.graph_hash
    assert await stage.told("drift_found") == []
    kept = await stage.endpoints.get_drift(GetDrift(deployment_id=deployed.deployment_id), stage.owner)
    assert kept == drift


async def test_a_deployment_that_joined_later_is_compared_from_its_first_bar_on_warmed_up(stage: Stage) -> None:
    feed_id = await stage.make_feed()
    await stage.step(feed_id, times=9)
    deployed = await stage.deploy(feed_id, DAILY)
    await stage.run_out(feed_id)
    drift = await measured(stage, deployed.deployment_id)
    assert (named(drift), drift.decisions) == ({}, len(WAVE) - 9)
    assert drift.fills > 0


async def test_a_price_that_changed_is_named_where_it_did_and_what_follows_is_said_to(stage: Stage) -> None:
    deployed = await traded(stage)
    (row,) = await stage.rows("select dataset_id from datasets")
    bars = flat_bars(WAVE)
    bars[5] = replace(bars[5], close=Decimal(9), low=Decimal(9))
    stage.catalogue.write(row["dataset_id"], bars)
    drift = await measured(stage, deployed.deployment_id)
    first = drift.differences[0]
    assert (first.ts, first.kind, first.reason) == (bars[5].ts, "decision", "price_differed")
    assert set(named(drift)) == {"price_differed", "follows"}
    assert drift.is_over
    (event,) = await stage.told("drift_found")
    assert (event["deployment_id"], event["owner_id"]) == (str(deployed.deployment_id), str(stage.owner_id))


async def test_a_bar_that_the_deployment_never_saw_is_missing(stage: Stage) -> None:
    deployed = await traded(stage)
    (row,) = await stage.rows("select dataset_id from datasets")
    bars = flat_bars(WAVE)
    extra = replace(bars[5], ts=bars[5].ts + timedelta(hours=1))
    stage.catalogue.write(row["dataset_id"], [*bars[:6], extra, *bars[6:]])
    drift = await measured(stage, deployed.deployment_id)
    assert (drift.differences[0].ts, drift.differences[0].reason) == (extra.ts, "missing_bar")
    stage.catalogue.write(row["dataset_id"], [*bars[:5], *bars[6:]])
    drift = await measured(stage, deployed.deployment_id)
    assert (bars[5].ts, "extra_bar") in [(each.ts, each.reason) for each in drift.differences]


async def test_an_order_that_risk_refused_is_named(stage: Stage) -> None:
    asked: list[SubmitOrder] = []

    def denies(command: SubmitOrder) -> str:
        asked.append(command)
        return "RISK_QTY_MAX" if len(asked) == 1 else ""

    stage.town.denies = denies
    drift = await measured(stage, (await traded(stage)).deployment_id)
    refused = [each for each in drift.differences if each.reason == "refused_by_risk"]
    assert len(refused) == 1
    assert "RISK_QTY_MAX" in refused[0].detail
    assert set(named(drift)) <= {"refused_by_risk", "follows"}
    assert drift.is_over


async def test_another_price_of_a_fill_is_slippage_and_nobody_has_to_look(stage: Stage) -> None:
    deployed = await traded(stage)
    for order in stage.town.orders.values():
        price = order.view.filled_avg_price
        if price is not None:
            worse = price * (Decimal("1.001") if order.view.side == "buy" else Decimal("0.999"))
            order.view = msgspec.structs.replace(order.view, filled_avg_price=worse)
    drift = await measured(stage, deployed.deployment_id)
    assert set(named(drift)) == {"fill_price"}
    assert drift.slippage_bps == 10
    assert not drift.is_over


async def test_a_part_of_an_order_that_was_not_executed_is_named(stage: Stage) -> None:
    deployed = await traded(stage)
    first = stage.town.placed(deployed.deployment_id)[0]
    part = msgspec.structs.replace(first, filled_qty=first.filled_qty - 1)
    stage.town.orders[first.order_id].view = part
    assert named(await measured(stage, deployed.deployment_id)) == {"partial_fill": 1}


async def test_live_bars_that_came_late_or_otherwise_later_are_named(live: Live) -> None:
    await live.begin()
    deployed = await live.stage.deploy(live.feed_id, STRATEGY)
    await live.play(0, 20)
    assert named(await measured(live.stage, deployed.deployment_id)) == {}
    await live.play(21, 22)
    live.market.happen("AAPL", OPEN + 20 * MINUTE, str(WAVE[20]))
    live.market.happen("AAPL", OPEN + 21 * MINUTE, "14")
    await live.play(22, 24)
    drift = await measured(live.stage, deployed.deployment_id)
    causes = {each.ts: each.reason for each in drift.differences if each.reason != "follows"}
    assert causes[OPEN + 21 * MINUTE] == "late_bar"
    assert causes[OPEN + 22 * MINUTE] == "price_differed"
    assert set(causes.values()) == {"late_bar", "price_differed"}


async def test_drift_is_measured_once_a_day_for_each_deployment_of_before(stage: Stage) -> None:
    deployed = await traded(stage)
    worker = DriftWorker(
        DriftDesk(
            desk=stage.desk,
            catalogue=stage.catalogue,
            orders=stage.orders,
            host=stage.host,
            ids=stage.ids,
            clock=stage.clock,
        )
    )
    assert not await worker.do_next()
    stage.clock.pass_time(seconds=86_400)
    assert [await worker.do_next(), await worker.do_next()] == [True, False]
    stage.clock.pass_time(seconds=86_400)
    (dataset,) = await stage.rows("select dataset_id from datasets")
    stage.catalogue.path_of(dataset["dataset_id"]).unlink()
    assert [await worker.do_next(), await worker.do_next()] == [True, False]
    assert len(await stage.rows("select 1 from drift_reports where deployment_id = $1", deployed.deployment_id)) == 1


async def test_drift_is_shown_to_the_owner_alone_and_only_where_there_is_some_to_measure(stage: Stage) -> None:
    feed_id = await stage.make_feed()
    deployed = await stage.deploy(feed_id, DAILY)
    with pytest.raises(AlphintraError, match="DRIFT_NO_BARS"):
        await measured(stage, deployed.deployment_id)
    with pytest.raises(AlphintraError, match="DRIFT_NOT_MEASURED"):
        await stage.endpoints.get_drift(GetDrift(deployment_id=deployed.deployment_id), stage.owner)
    stranger = acting(feed_id)
    with pytest.raises(AlphintraError, match="DEPLOYMENT_NOT_FOUND"):
        await stage.endpoints.measure_drift(MeasureDrift(deployment_id=deployed.deployment_id), stranger)
