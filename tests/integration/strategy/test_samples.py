"""Templates have backtests of their own, made by the worker of all; a backtest made again comes to the same."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from alphintra.contracts.explanations import ExplainBacktest
from alphintra.contracts.samples import (
    CompareBacktests,
    ListTemplateBacktests,
    MakeTemplateBacktests,
    RepeatBacktest,
    TemplateBacktestView,
)
from alphintra.contracts.strategy import BacktestView, CancelBacktest, ListBacktests
from alphintra.contracts.sweeps import GetVerdict
from alphintra.engine.templates import GALLERY
from alphintra.infrastructure.system import SystemIds
from alphintra.kernel.errors import AlphintraError
from alphintra.strategy.service.samples import SampleKeeper
from fixtures.single_service import acting
from integration.strategy.job_desk import backtest, start
from unit.engine.builders import day, flat_bars
from unit.engine.shipped import shipped_bars

if TYPE_CHECKING:
    from uuid import UUID

    from integration.strategy.stage import Stage

DAILY = sorted(name for name, item in GALLERY.items() if item.graph.timeframe == "1d")


async def listed(stage: Stage) -> dict[str, TemplateBacktestView]:
    found = await stage.endpoints.list_template_backtests(ListTemplateBacktests(), stage.owner)
    return {each.template: each for each in found.backtests}


async def make(stage: Stage) -> None:
    await stage.endpoints.make_template_backtests(MakeTemplateBacktests(), stage.owner)


async def shelved(stage: Stage, count: int = 420) -> None:
    for symbol in ("AAPL", "FB", "GOOG", "IBM", "MSFT"):
        await stage.shelve(symbol, shipped_bars(symbol)[-count:])


async def test_each_daily_template_is_tried_on_the_shipped_prices_and_everybody_may_read_it(stage: Stage) -> None:
    before = await listed(stage)
    assert sorted(before) == sorted(GALLERY)
    assert {each.status for each in before.values()} == {"missing"}
    await shelved(stage)
    await SampleKeeper(desk=stage.desk, clock=stage.clock, ids=stage.ids).look()
    await make(stage)  # what waits is not queued twice
    mine = await start(stage)
    await stage.work()
    made = await listed(stage)
    assert sorted(name for name, each in made.items() if each.status == "finished") == DAILY
    assert all(made[name].is_current and made[name].figures["sharpe"] is not None for name in ("grid", "macd_cross"))
    assert made["pairs"].symbols == ("IBM", "MSFT")
    assert {made[name].backtest_id for name in set(GALLERY) - set(DAILY)} == {None}
    assert "5m bars of AAPL" in made["opening_range"].missing
    shown = await backtest(stage, known(made["pairs"]), acting(SystemIds().new()))
    assert (shown.template, shown.result_hash) == ("pairs", made["pairs"].result_hash)
    assert {fill["symbol"] for fill in json.loads(shown.result)["fills"]} == {"IBM", "MSFT"}
    assert [event["backtest_id"] for event in await stage.told("backtest_finished")] == [str(mine.backtest_id)]
    own = (await stage.endpoints.list_backtests(ListBacktests(), stage.owner)).backtests
    assert [each.backtest_id for each in own] == [mine.backtest_id]
    rows = await stage.rows("select finished_at, template from backtests order by finished_at, template <> ''")
    assert len(rows) == len(DAILY) + 1


async def test_new_prices_make_a_template_s_backtest_anew_and_the_old_one_is_shown_until_then(stage: Stage) -> None:
    await stage.shelve("AAPL", shipped_bars("AAPL")[-300:])
    await make(stage)
    await stage.work()
    first = (await listed(stage))["turtle"]
    stage.clock.pass_time(seconds=1)
    await stage.shelve("AAPL", shipped_bars("AAPL")[-310:])
    old = (await listed(stage))["turtle"]
    assert (old.backtest_id, old.is_current) == (first.backtest_id, False)
    await make(stage)
    await stage.work()
    new = (await listed(stage))["turtle"]
    assert new.backtest_id != first.backtest_id
    assert new.is_current


async def test_a_template_s_backtest_can_be_judged_explained_and_repeated_but_not_canceled(stage: Stage) -> None:
    await stage.shelve("AAPL", shipped_bars("AAPL")[-300:])
    await make(stage)
    sample = known((await listed(stage))["sma_crossover"])
    with pytest.raises(AlphintraError) as caught:
        await stage.endpoints.cancel_backtest(CancelBacktest(backtest_id=sample), stage.owner)
    assert caught.value.code == "BACKTEST_SHARED"
    await stage.work()
    assert (await stage.endpoints.get_verdict(GetVerdict(backtest_id=sample), stage.owner)).trials == 1
    at = shipped_bars("AAPL")[-100].ts
    why = await stage.endpoints.explain_backtest(ExplainBacktest(backtest_id=sample, at=at), stage.owner)
    assert why.sentences
    again = await repeat(stage, sample)
    assert (again.template, again.repeats) == ("", sample)
    found = await stage.endpoints.compare_backtests(
        CompareBacktests(backtest_id=sample, other_id=again.backtest_id), stage.owner
    )
    assert (found.is_same_run, found.is_equal, found.differences) == (True, True, ())


async def test_a_backtest_made_again_keeps_its_terms_and_shows_nothing_new(stage: Stage) -> None:
    await stage.shelve("AAPL", flat_bars([100 + (n * 37) % 23 for n in range(80)]))
    terms = {"slippage_bps": Decimal(3), "parameters": {"slow.period": Decimal(6)}, "start": day(4), "end": day(70)}
    first = await start(stage, **terms)
    await stage.work()
    await stage.shelve("AAPL", flat_bars([100 + (n * 31) % 23 for n in range(80)]))  # newer bars play no part
    again = await repeat(stage, first.backtest_id)
    done = await backtest(stage, first.backtest_id)
    assert (again.run_hash, again.result_hash) == (done.run_hash, done.result_hash)
    assert again.metrics == done.metrics
    assert len(await stage.rows("select distinct run_hash from trials")) == 1
    other = await start(stage, start=day(4), end=day(70))
    await stage.work()
    found = await stage.endpoints.compare_backtests(
        CompareBacktests(backtest_id=first.backtest_id, other_id=other.backtest_id), stage.owner
    )
    assert not found.is_same_run
    assert not found.is_equal
    assert any(sentence.startswith("fills part at number 1: ") for sentence in found.differences)


async def test_only_what_is_one_s_own_and_finished_is_repeated(stage: Stage) -> None:
    await stage.shelve("AAPL", flat_bars([100 + n % 7 for n in range(30)]))
    queued = await start(stage)
    command = RepeatBacktest(backtest_id=queued.backtest_id)
    for context, code in ((stage.owner, "BACKTEST_NOT_FINISHED"), (acting(SystemIds().new()), "BACKTEST_NOT_FOUND")):
        with pytest.raises(AlphintraError) as caught:
            await stage.endpoints.repeat_backtest(command, context)
        assert caught.value.code == code


async def repeat(stage: Stage, backtest_id: UUID) -> BacktestView:
    queued = await stage.endpoints.repeat_backtest(RepeatBacktest(backtest_id=backtest_id), stage.owner)
    await stage.work()
    return await backtest(stage, queued.backtest_id)


def known(view: TemplateBacktestView) -> UUID:
    assert view.backtest_id is not None
    return view.backtest_id
