"""What a chart shows of bars and of a backtest is what was stored, and a trial run again is the very trial."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from alphintra.contracts.courses import DrawBacktest, DrawBars, GetBacktestTerms, RunTrial
from alphintra.contracts.samples import ListTemplateBacktests, MakeTemplateBacktests
from alphintra.infrastructure.system import SystemIds
from alphintra.kernel.errors import AlphintraError
from fixtures.single_service import acting
from integration.strategy.job_desk import backtest, start
from integration.strategy.test_sweeps import BARS, begin, trials, work
from unit.engine.builders import day, flat_bars
from unit.engine.shipped import shipped_bars

if TYPE_CHECKING:
    from integration.strategy.stage import Stage


async def test_a_course_is_the_stored_equity_beside_the_bars_of_the_run(stage: Stage) -> None:
    await stage.shelve("AAPL", BARS)
    queued = await start(stage, slippage_bps=Decimal(3), start=BARS[10].ts, end=BARS[250].ts)
    command = DrawBacktest(backtest_id=queued.backtest_id)
    with pytest.raises(AlphintraError) as caught:
        await stage.endpoints.draw_backtest(command, stage.owner)
    assert caught.value.code == "BACKTEST_NOT_FINISHED"
    await stage.work()
    done = await backtest(stage, queued.backtest_id)
    drawn = await stage.endpoints.draw_backtest(command, stage.owner)
    assert drawn.bars.closed_s == tuple(int(bar.ts.timestamp()) for bar in BARS[10:250])
    assert drawn.bars.close == tuple(float(bar.close) for bar in BARS[10:250])
    stored = [float(point["equity"]) for point in json.loads(done.result)["equity"]]
    assert drawn.equity == pytest.approx(stored, abs=0.01)
    assert -min(drawn.drawdown) == pytest.approx(done.metrics["max_drawdown"], abs=1e-6)
    assert drawn.benchmark[-1] / 100_000 - 1 == pytest.approx(done.metrics["benchmark_return"], abs=1e-6)

    later = await stage.endpoints.draw_backtest(
        DrawBacktest(backtest_id=queued.backtest_id, start=BARS[100].ts, end=BARS[110].ts), stage.owner
    )
    place = slice(90, 100)
    assert later.bars.closed_s == drawn.bars.closed_s[place]
    assert (later.benchmark, later.drawdown) == (drawn.benchmark[place], drawn.drawdown[place])


async def test_many_bars_are_joined_and_keep_their_extremes(stage: Stage) -> None:
    bars = flat_bars([100 + (n * 37) % 23 for n in range(5001)])
    await stage.shelve("AAPL", bars)
    drawn = await stage.endpoints.draw_bars(DrawBars(symbol="AAPL"), stage.owner)
    assert (drawn.stride, len(drawn.close)) == (2, 2501)
    assert (max(drawn.high), min(drawn.low)) == (
        max(float(bar.high) for bar in bars),
        min(float(bar.low) for bar in bars),
    )
    part = await stage.endpoints.draw_bars(DrawBars(symbol="AAPL", start=bars[-3].ts), stage.owner)
    assert (part.stride, part.close) == (1, tuple(float(bar.close) for bar in bars[-3:]))


async def test_a_symbol_that_was_not_traded_has_no_course(stage: Stage) -> None:
    await stage.shelve("AAPL", BARS)
    queued = await start(stage)
    await stage.work()
    with pytest.raises(AlphintraError) as caught:
        await stage.endpoints.draw_backtest(DrawBacktest(backtest_id=queued.backtest_id, symbol="IBM"), stage.owner)
    assert caught.value.code == "SYMBOL_UNKNOWN"


async def test_of_several_symbols_the_bars_of_one_are_shown_beside_the_equity_of_all(stage: Stage) -> None:
    for symbol in ("IBM", "MSFT"):
        await stage.shelve(symbol, shipped_bars(symbol)[-300:])
    await stage.endpoints.make_template_backtests(MakeTemplateBacktests(), stage.owner)
    await stage.work()
    listed = (await stage.endpoints.list_template_backtests(ListTemplateBacktests(), stage.owner)).backtests
    pairs = next(each.backtest_id for each in listed if each.template == "pairs")
    assert pairs is not None
    done = await backtest(stage, pairs)
    drawn = await stage.endpoints.draw_backtest(DrawBacktest(backtest_id=pairs, symbol="MSFT"), stage.owner)
    assert drawn.bars.close == tuple(float(bar.close) for bar in shipped_bars("MSFT")[-300:])
    assert drawn.equity[-1] == pytest.approx(done.metrics["final_equity"], abs=0.01)
    assert drawn.benchmark[-1] / drawn.benchmark[0] - 1 == pytest.approx(done.metrics["benchmark_return"], abs=1e-4)


async def test_terms_hold_the_parameters_that_were_put_in(stage: Stage) -> None:
    await stage.shelve("AAPL", BARS)
    wishes = {"fee_bps": Decimal(7), "parameters": {"slow.period": Decimal(6)}, "start": day(4)}
    queued = await start(stage, **wishes)
    terms = await stage.endpoints.get_backtest_terms(GetBacktestTerms(backtest_id=queued.backtest_id), stage.owner)
    nodes = {node["id"]: node for node in json.loads(terms.graph)["nodes"]}
    assert nodes["slow"]["params"]["period"] == 6
    assert (terms.fee_bps, terms.start, terms.end) == (Decimal(7), day(4), None)
    assert [dataset.symbol for dataset in terms.datasets] == ["AAPL"]


async def test_a_trial_run_by_its_number_comes_to_its_result_whatever_bars_came_since(stage: Stage) -> None:
    await stage.shelve("AAPL", BARS)
    queued = await begin(stage, slippage_bps=Decimal(3))
    await work(stage)
    tried = (await trials(stage, queued))[1]
    await stage.shelve("AAPL", BARS[:200])
    command = RunTrial(sweep_id=queued.sweep_id, role=tried.role, segment=tried.segment, number=tried.number)
    started = await stage.endpoints.run_trial(command, stage.owner)
    await stage.work()
    done = await backtest(stage, started.backtest_id)
    assert (done.run_hash, done.result_hash) == (tried.run_hash, tried.result_hash)
    assert done.workflow_id == queued.workflow_id
    assert await stage.audited("backtest.start") == [f"backtest:{started.backtest_id}"]


@pytest.mark.parametrize("wish", [{"number": 999}, {"role": "test"}, {"segment": 7}])
async def test_a_trial_that_was_not_tried_and_a_stranger_s_are_not_run(stage: Stage, wish: dict[str, object]) -> None:
    await stage.shelve("AAPL", BARS)
    queued = await begin(stage)
    await work(stage)
    known = {"sweep_id": queued.sweep_id, "role": "sweep", "segment": 0, "number": 0}
    with pytest.raises(AlphintraError) as caught:
        await stage.endpoints.run_trial(RunTrial(**(known | wish)), stage.owner)  # type: ignore[arg-type]
    assert caught.value.code == "TRIAL_NOT_FOUND"
    with pytest.raises(AlphintraError) as caught:
        await stage.endpoints.run_trial(RunTrial(**known), acting(SystemIds().new()))  # type: ignore[arg-type]
    assert caught.value.code == "SWEEP_NOT_FOUND"
