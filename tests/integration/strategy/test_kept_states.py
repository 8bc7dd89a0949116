"""What a deployment's nodes remember is kept with each step, and goes on from there or is made anew."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from alphintra.engine.executor import Executor
from alphintra.engine.graph import compile_plan
from alphintra.engine.templates import crossover
from unit.engine.builders import flat_bars, view

if TYPE_CHECKING:
    from integration.strategy.stage import Stage

CLOSES = [Decimal(100 + index * 37 % 23) for index in range(25)]
_FLAT = view()


async def test_a_killed_runner_goes_on_with_its_executor_bit_by_bit(stage: Stage) -> None:
    closes = CLOSES
    strategy = crossover(3, 5, average="ema", percent="60")
    feed_id = await stage.make_feed(closes)
    deployment = await stage.deploy(feed_id, strategy)
    for _ in closes:
        await stage.step(feed_id)
    along = Executor(compile_plan(strategy))
    for bar in flat_bars(closes):
        along.on_bar(bar, _FLAT)
    ((kept,),) = await stage.rows("select executor_state from deployments")
    assert kept.encode() == along.snapshot()
    assert len(await stage.decisions(deployment.deployment_id)) == len(closes)


async def test_a_state_kept_by_an_earlier_alphintra_is_made_anew_from_the_bars_before(stage: Stage) -> None:
    closes = CLOSES
    strategy = crossover(3, 5, average="ema", percent="60")
    feed_id = await stage.make_feed(closes)
    deployment = await stage.deploy(feed_id, strategy)
    await stage.step(feed_id, times=12)
    await stage.rows("""update deployments set executor_state = '{"schema": 1, "nodes": {}}'""")
    await stage.step(feed_id, times=len(closes) - 12)
    along = Executor(compile_plan(strategy))
    for bar in flat_bars(closes):
        along.on_bar(bar, _FLAT)
    ((kept,),) = await stage.rows("select executor_state from deployments")
    assert kept.encode() == along.snapshot()
    assert (await stage.deployment(deployment.deployment_id)).status == "active"
    assert len(await stage.decisions(deployment.deployment_id)) == len(closes)


async def test_a_snapshot_of_another_strategy_stops_its_deployment_with_the_reason(stage: Stage) -> None:
    feed_id = await stage.make_feed()
    deployment_id = (await stage.deploy(feed_id)).deployment_id
    await stage.step(feed_id, times=3)
    await stage.rows("update deployments set executor_state = '{}'")
    await stage.step(feed_id)
    assert "SNAPSHOT_INVALID" in (await stage.deployment(deployment_id)).error
