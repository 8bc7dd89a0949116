"""Sweeps and walk-forwards over several symbols: one cash in each trial, and each trial is a backtest again."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from alphintra.contracts.strategy import StartBacktest
from alphintra.contracts.sweeps import ExposedParameter, StartSweep, SweepView, UnlockHoldout, WalkForwardTerms
from alphintra.kernel.errors import AlphintraError
from integration.strategy.job_desk import backtest
from integration.strategy.test_sweeps import sweep, trials, work
from integration.strategy.test_universes import NAMES, shelved
from unit.engine.builders import day
from unit.strategy.test_trials_across import turning

if TYPE_CHECKING:
    from uuid import UUID

    from alphintra.contracts.strategy import BacktestView
    from integration.strategy.stage import Stage

LENGTH = ExposedParameter(name="roc.period", min=Decimal(3), max=Decimal(7), step=Decimal(2))
COUNT = ExposedParameter(name="top.count", min=Decimal(1), max=Decimal(2), step=Decimal(1))
TURNING = turning(2)
TERMS: dict[str, Any] = {"fee_bps": Decimal(2), "slippage_bps": Decimal(3), "initial_cash": Decimal(50_000)}


async def begin(stage: Stage, version_id: UUID, **wishes: Any) -> SweepView:  # noqa: ANN401 - fields of the command
    command = {"version_id": version_id, "symbols": NAMES, "parameters": (LENGTH, COUNT), **TERMS, **wishes}
    return await stage.endpoints.start_sweep(StartSweep(**command), stage.owner)


async def repeated(stage: Stage, version_id: UUID, **wishes: Any) -> BacktestView:  # noqa: ANN401 - as above
    command = StartBacktest(**{"version_id": version_id, "symbols": NAMES, **TERMS, **wishes})
    queued = await stage.endpoints.start_backtest(command, stage.owner)
    await stage.work()
    return await backtest(stage, queued.backtest_id)


async def test_each_trial_over_several_symbols_is_the_backtest_it_says_it_is(stage: Stage) -> None:
    await shelved(stage)
    version_id = stage.town.write_workflow(stage.owner_id, TURNING)
    queued = await begin(stage, version_id)
    assert (queued.symbol, queued.symbols) == ("BBB,AAA,CCC", NAMES)
    await work(stage)
    done = await sweep(stage, queued)
    assert (done.status, done.error, done.trials) == ("finished", "", 6)
    found = await trials(stage, done)
    assert len({trial.result_hash for trial in found}) == 6
    assert all(trial.metrics["trade_count"] for trial in found)
    for trial in found[:2]:
        run = await repeated(stage, version_id, parameters=trial.parameters, start=trial.start, end=trial.end)
        assert (run.run_hash, run.result_hash) == (trial.run_hash, trial.result_hash)
        assert run.metrics == trial.metrics
    result = json.loads(done.result)
    assert {f"without {name}" for name in NAMES} <= set(result["stress"]["outcomes"])
    assert {"entries a bar late", "costs twice as high", "every fill a tick worse"} <= set(result["stress"]["outcomes"])
    assert result["stress"]["left_out"] == {}
    assert result["monte_carlo"]["paths"] == 1000
    assert 0 < result["entries"]["p_value"] <= 1


async def test_looking_at_locked_bars_of_one_of_the_symbols_is_noted(stage: Stage) -> None:
    await shelved(stage)
    version_id = stage.town.write_workflow(stage.owner_id, TURNING)
    queued = await begin(stage, version_id)
    await work(stage)
    locked = await sweep(stage, queued)
    assert locked.holdout_ts is not None
    await repeated(stage, version_id, end=locked.holdout_ts)
    assert (await sweep(stage, queued)).unlocks == 0
    opened = await stage.endpoints.unlock_holdout(UnlockHoldout(sweep_id=queued.sweep_id), stage.owner)
    assert opened.symbols == NAMES
    await repeated(stage, version_id, symbols=NAMES[1:], parameters={"top.count": Decimal(1)})
    assert (await sweep(stage, queued)).unlocks == 2


async def test_a_walk_forward_over_several_symbols_tests_what_follows_each_choice(stage: Stage) -> None:
    await shelved(stage)
    version_id = stage.town.write_workflow(stage.owner_id, TURNING)
    queued = await begin(
        stage, version_id, walk_forward=WalkForwardTerms(train=20, test=12), start=day(22), holdout=Decimal("0.1")
    )
    await work(stage)
    done = await sweep(stage, queued)
    assert (done.status, done.error, done.kind) == ("finished", "", "walk_forward")
    tests = [trial for trial in await trials(stage, done) if trial.role == "test"]
    assert len(tests) >= 2
    for trial in tests[:2]:
        run = await repeated(stage, version_id, parameters=trial.parameters, start=trial.start, end=trial.end)
        assert (run.run_hash, run.result_hash) == (trial.run_hash, trial.result_hash)
        assert run.metrics["total_return"] == pytest.approx(trial.metrics["total_return"])  # nothing happens before
    joined = json.loads(done.result)["stitched"]
    assert joined["days"] == sum(trial.metrics["days"] or 0 for trial in tests)


async def test_a_search_names_one_symbol_or_several(stage: Stage) -> None:
    await shelved(stage)
    version_id = stage.town.write_workflow(stage.owner_id, TURNING)
    for wishes, code in (({"symbol": "AAA"}, "SYMBOLS_CHOICE"), ({"symbols": ("AAA",)}, "GRAPH_UNIVERSE")):
        with pytest.raises(AlphintraError) as caught:
            await begin(stage, version_id, **wishes)
        assert caught.value.code == code
