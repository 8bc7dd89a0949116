"""What strategy tells of executions, so that the history of a workflow can be kept elsewhere."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec
import pytest

from alphintra.contracts.strategy import ListDeployments, StopDeployment
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.vocabulary import AccountMode
from alphintra.strategy.service import stepping
from integration.strategy.job_desk import backtest, cancel, start
from integration.strategy.stage import WAVE, Stage
from unit.engine.builders import flat_bars

if TYPE_CHECKING:
    from uuid import UUID


async def test_the_end_of_a_backtest_is_told_with_its_version_and_chief_figures(stage: Stage) -> None:
    await stage.shelve("AAPL", flat_bars(WAVE))
    queued = await start(stage)
    await stage.work()
    done = await backtest(stage, queued.backtest_id)
    (event,) = await stage.told("backtest_finished")
    assert (event["backtest_id"], event["version_id"]) == (str(done.backtest_id), str(done.version_id))
    assert event["started_at"] == done.created_at.isoformat().replace("+00:00", "Z")
    assert event["figures"]["total_return"] == done.metrics["total_return"] == event["total_return"]
    assert {"sharpe", "max_drawdown", "trade_count"} < event["figures"].keys()


async def test_a_backtest_canceled_before_it_began_is_told_with_its_version(stage: Stage) -> None:
    await stage.shelve("AAPL", flat_bars(WAVE))
    queued = await start(stage)
    await cancel(stage, queued.backtest_id)
    (event,) = await stage.told("backtest_finished")
    assert (event["status"], event["version_id"], event["figures"]) == ("canceled", str(queued.version_id), {})


async def test_a_deployment_is_told_when_it_begins_and_once_when_it_is_stopped(stage: Stage) -> None:
    feed_id = await stage.make_feed()
    made = await stage.deploy(feed_id, capital="10000")
    (began,) = await stage.told("deployment_started")
    assert (began["deployment_id"], began["owner_id"]) == (str(made.deployment_id), str(stage.owner_id))
    assert (began["version_id"], began["account_id"]) == (str(made.version_id), str(made.account_id))
    assert (began["mode"], began["symbol"], Decimal(began["capital"])) == ("paper", "AAPL", Decimal(10000))
    assert await stage.told("deployment_ended") == []
    for _ in range(2):
        await stage.endpoints.stop_deployment(StopDeployment(deployment_id=made.deployment_id), stage.owner)
    (ended,) = await stage.told("deployment_ended")
    assert (ended["deployment_id"], ended["status"]) == (str(made.deployment_id), "stopped")
    assert (Decimal(ended["equity"]), ended["intents"], ended["started_at"]) == (Decimal(10000), 0, began["started_at"])


async def test_a_deployment_that_fails_is_told_as_failed(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    feed_id = await stage.make_feed()
    deployment_id: UUID = (await stage.deploy(feed_id)).deployment_id

    def fails(*_values: object, **_named: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(stepping, "evaluate", fails)
    await stage.step(feed_id)
    (ended,) = await stage.told("deployment_ended")
    assert (ended["deployment_id"], ended["status"]) == (str(deployment_id), "failed")


async def test_a_deployment_is_told_and_kept_with_the_mode_of_its_account(stage: Stage) -> None:
    feed_id = await stage.make_feed()
    live, on_paper = await stage.deploy(feed_id), await stage.deploy(feed_id)
    await stage.rows("update deployments set mode = 'live' where deployment_id = $1", live.deployment_id)
    by_paper_key = msgspec.structs.replace(
        stage.owner, actor=msgspec.structs.replace(stage.owner.actor, mode=AccountMode.PAPER)
    )
    seen = (await stage.endpoints.list_deployments(ListDeployments(), by_paper_key)).deployments
    assert [each.deployment_id for each in seen] == [on_paper.deployment_id]
    with pytest.raises(AlphintraError, match="AUTH_SCOPE"):
        await stage.endpoints.stop_deployment(StopDeployment(deployment_id=live.deployment_id), by_paper_key)
    for made in (live, on_paper):
        await stage.endpoints.stop_deployment(StopDeployment(deployment_id=made.deployment_id), stage.owner)
    told = {each["deployment_id"]: each["mode"] for each in await stage.told("deployment_ended")}
    assert told == {str(live.deployment_id): "live", str(on_paper.deployment_id): "paper"}
    assert {each["mode"] for each in await stage.told("deployment_started")} == {"paper"}
