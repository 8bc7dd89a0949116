"""Why a bar traded or not, of backtests and deployments: the stored inputs are read again, trading says what became."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from alphintra.contracts.explanations import ExplainBacktest, ExplainDeployment, ExplanationView
from alphintra.infrastructure.system import SystemIds
from alphintra.kernel.errors import AlphintraError
from fixtures.single_service import acting
from integration.strategy.job_desk import start
from integration.strategy.stage import WAVE, Stage
from unit.engine.builders import day, flat_bars

if TYPE_CHECKING:
    from uuid import UUID

    from alphintra.kernel.messages import Context

ENTRY = 4  # the close at which the fast average has passed the slow one


async def of_backtest(stage: Stage, backtest_id: UUID, place: int, context: Context | None = None) -> ExplanationView:
    command = ExplainBacktest(backtest_id=backtest_id, at=day(place) - timedelta(hours=1))
    return await stage.endpoints.explain_backtest(command, context or stage.owner)


async def of_deployment(stage: Stage, deployment_id: UUID, place: int) -> list[str]:
    command = ExplainDeployment(deployment_id=deployment_id, at=day(place))
    found = await stage.endpoints.explain_deployment(command, stage.owner)
    assert found.bar_ts == day(place)
    return [sentence.text for sentence in found.sentences]


async def finished(stage: Stage, **wishes: object) -> UUID:
    await stage.shelve("AAPL", flat_bars(WAVE))
    queued = await start(stage, **wishes)
    await stage.work()
    return queued.backtest_id


async def test_bars_of_a_backtest_say_what_they_asked_for_and_what_became_of_it(stage: Stage) -> None:
    backtest_id = await finished(stage)
    found = await of_backtest(stage, backtest_id, ENTRY)
    lines = [sentence.text for sentence in found.sentences]
    assert (found.symbol, found.bar_ts, found.outcome) == ("AAPL", day(ENTRY), "intent")
    assert lines[1] == "It asked to buy 4166 (crossover)."
    assert lines[2] == "It was filled at 14 by the bar of 2024-01-06 21:00."
    assert any("fast SMA(2) 11 passed above slow SMA(4) 10.5" in line for line in lines)
    early = await of_backtest(stage, backtest_id, 1)
    assert early.sentences[0].text == "No order: in warm-up, bar 2 of 4; 2 more may bring none."
    assert (await of_backtest(stage, backtest_id, len(WAVE) - 1)).bar_ts == day(len(WAVE) - 1)


async def test_an_order_nothing_paid_for_says_who_refused_it(stage: Stage) -> None:
    backtest_id = await finished(stage, fee_per_share=Decimal(40))
    lines = [sentence.text for sentence in (await of_backtest(stage, backtest_id, ENTRY)).sentences]
    assert lines[2].startswith(("The venue refused it with EXCEEDS_FREE_BALANCE", "Risk refused it with"))


async def test_times_outside_and_other_people_are_refused(stage: Stage) -> None:
    backtest_id = await finished(stage)
    with pytest.raises(AlphintraError, match=r"RANGE.*no bar closed at"):
        await of_backtest(stage, backtest_id, len(WAVE) + 1)
    with pytest.raises(AlphintraError, match="BACKTEST_NOT_FOUND"):
        await of_backtest(stage, backtest_id, 1, acting(SystemIds().new()))
    queued = await start(stage)
    with pytest.raises(AlphintraError, match="BACKTEST_NOT_FINISHED"):
        await of_backtest(stage, queued.backtest_id, 1)


async def test_bars_of_a_deployment_say_risks_word_and_the_orders_end(stage: Stage) -> None:
    feed_id = await stage.make_feed(WAVE)
    deployed = await stage.deploy(feed_id)
    await stage.run_out(feed_id)
    entered = await of_deployment(stage, deployed.deployment_id, ENTRY)
    assert entered[0] == "An order was asked for (nothing held)."
    assert entered[1].startswith("It asked to buy ")
    assert entered[2].startswith("Its order is filled, ")
    held = await of_deployment(stage, deployed.deployment_id, ENTRY + 2)
    assert held[0].startswith("No order: no exit rule fired (")
    assert any("slow SMA(4)" in line for line in held)
    with pytest.raises(AlphintraError, match="RANGE"):
        await of_deployment(stage, deployed.deployment_id, len(WAVE))


async def test_an_order_risk_denied_says_so(stage: Stage) -> None:
    feed_id = await stage.make_feed(WAVE)
    stage.town.denies = lambda _command: "RISK_POSITION_LIMIT"
    deployed = await stage.deploy(feed_id)
    await stage.run_out(feed_id)
    lines = await of_deployment(stage, deployed.deployment_id, ENTRY)
    assert any("RISK_POSITION_LIMIT" in line for line in lines[:3])
