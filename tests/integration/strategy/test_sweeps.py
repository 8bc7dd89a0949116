"""A sweep tries what it says, survives its worker with the same proposals, and never sees the locked bars."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from alphintra.contracts.sweeps import (
    CancelSweep,
    ExposedParameter,
    GetSweep,
    GetThresholds,
    GetVerdict,
    ListSweeps,
    ListTrials,
    SetThresholds,
    StartSweep,
    SweepView,
    TrialView,
    UnlockHoldout,
    WalkForwardTerms,
)
from alphintra.infrastructure.system import SystemIds
from alphintra.kernel.errors import AlphintraError
from alphintra.strategy.domain.trials import Trial, TrialOutcome, run_trial
from alphintra.strategy.gateways.trial_runs import market_of
from alphintra.strategy.service import sweep_runs
from alphintra.strategy.service.sweep_worker import SweepWorker
from fixtures.single_service import PowerCutError, acting, stop_at
from integration.strategy.job_desk import LEASE_OVER_S, STRATEGY, backtest, start
from unit.engine.builders import day, flat_bars

if TYPE_CHECKING:
    from alphintra.strategy.gateways.trial_runs import SubmitTrial
    from integration.strategy.stage import Stage

BARS = flat_bars([round(Decimal(100 + 20 * math.sin(i / 5) + i / 10 + 3 * math.sin(i * 1.7)), 2) for i in range(260)])
FAST = ExposedParameter(name="fast.period", min=Decimal(2), max=Decimal(8), step=Decimal(2))
SLOW = ExposedParameter(name="slow.period", min=Decimal(4), max=Decimal(12), step=Decimal(4))
RULE = "fast.period < slow.period"


@dataclass(slots=True)
class Threads:
    """Computes trials in this process, and remembers which."""

    stage: Stage
    trials: list[Trial] = field(default_factory=list)

    @contextmanager
    def session(self) -> Iterator[SubmitTrial]:
        def compute(trial: Trial) -> TrialOutcome:
            return run_trial(trial, market_of(trial, self.stage.catalogue.folder))

        def submit(trial: Trial) -> Future[TrialOutcome]:
            self.trials.append(trial)
            return pool.submit(compute, trial)

        with ThreadPoolExecutor(2) as pool:
            yield submit


async def begin(stage: Stage, **wishes: Any) -> SweepView:  # noqa: ANN401 - fields of the command
    """Queue a sweep of the crossover on AAPL."""
    command: dict[str, Any] = {
        "version_id": stage.town.write_workflow(stage.owner_id, STRATEGY),
        "symbol": "AAPL",
        "parameters": (FAST, SLOW),
        "constraints": (RULE,),
    }
    return await stage.endpoints.start_sweep(StartSweep(**(command | wishes)), stage.owner)


async def work(stage: Stage) -> Threads:
    """Let a new worker carry out what is queued."""
    threads = Threads(stage)
    worker = SweepWorker(
        desk=stage.desk,
        catalogue=stage.catalogue,
        runner=threads,
        host=stage.host,
        clock=stage.clock,
        ids=stage.ids,
    )
    while await worker.do_next():
        pass
    return threads


async def sweep(stage: Stage, view: SweepView) -> SweepView:
    return await stage.endpoints.get_sweep(GetSweep(sweep_id=view.sweep_id), stage.owner)


async def trials(stage: Stage, view: SweepView) -> tuple[TrialView, ...]:
    return (await stage.endpoints.list_trials(ListTrials(sweep_id=view.sweep_id, limit=200), stage.owner)).trials


async def test_a_grid_tries_every_allowed_point_and_tells_the_best(stage: Stage) -> None:
    await stage.shelve("AAPL", BARS)
    queued = await begin(stage, fee_bps=Decimal(10))
    assert (queued.status, queued.kind, queued.trials) == ("queued", "sweep", 0)
    await work(stage)
    done = await sweep(stage, queued)
    assert (done.status, done.progress, done.trials, done.error) == ("finished", 1.0, 8, "")
    found = await trials(stage, done)
    points = {(int(t.parameters["fast.period"]), int(t.parameters["slow.period"])) for t in found}
    assert points == {(f, s) for f in (2, 4, 6, 8) for s in (4, 8, 12) if f < s}
    result = json.loads(done.result)
    assert result["best"]["score"] == max(t.score for t in found if t.score is not None) == found[0].score
    assert 0 <= result["pbo"]["pbo"] <= 1
    assert 0 < result["entries"]["p_value"] <= 1
    assert result["monte_carlo"]["paths"] == 1000
    outcomes = result["stress"]["outcomes"]
    assert {"costs twice as high", "every fill a tick worse", "entries a bar late"} < set(outcomes)
    assert {"a tenth of the trades skipped (5th percentile)", "without the 2 best day(s)"} < set(outcomes)
    assert result["stress"]["left_out"] == {}
    assert (result["candles"]["count"], result["candles"]["original"]) == (40, result["best"]["score"])
    assert [event["status"] for event in await stage.told("sweep_finished")] == ["finished"]
    assert await stage.audited("sweep.start") == [f"sweep:{queued.sweep_id}"]
    listed = (await stage.endpoints.list_sweeps(ListSweeps(), stage.owner)).sweeps
    assert [(s.sweep_id, s.result) for s in listed] == [(queued.sweep_id, "")]


async def test_a_trial_repeated_as_a_backtest_comes_to_the_same_hashes(stage: Stage) -> None:
    await stage.shelve("AAPL", BARS)
    version_id = stage.town.write_workflow(stage.owner_id, STRATEGY)
    queued = await begin(stage, version_id=version_id, slippage_bps=Decimal(3))
    await work(stage)
    for trial in (await trials(stage, queued))[:3]:
        terms = {"slippage_bps": Decimal(3), "start": trial.start, "end": trial.end}
        again = await start(stage, version_id=version_id, parameters=trial.parameters, **terms)
        await stage.work()
        run = await backtest(stage, again.backtest_id)
        assert (run.run_hash, run.result_hash) == (trial.run_hash, trial.result_hash)
        assert run.metrics == trial.metrics


async def test_a_sweep_never_reads_the_locked_fifth_and_opening_it_is_noted(stage: Stage) -> None:
    await stage.shelve("AAPL", BARS)
    version_id = stage.town.write_workflow(stage.owner_id, STRATEGY)
    await start(stage, version_id=version_id)  # looked at all bars before anything was locked
    queued = await begin(stage, version_id=version_id)
    threads = await work(stage)
    assert {trial.end for trial in threads.trials} == {day(208)}
    done = await sweep(stage, queued)
    assert (done.holdout_ts, done.unlocks) == (day(208), 0)
    await start(stage, version_id=version_id, end=day(208))
    assert (await sweep(stage, queued)).unlocks == 0
    opened = await stage.endpoints.unlock_holdout(UnlockHoldout(sweep_id=queued.sweep_id), stage.owner)
    await stage.work()
    best = json.loads(done.result)["best"]
    run = await backtest(stage, opened.backtest_id)
    assert run.status == "finished"
    assert json.loads(run.result)["honesty"]["bars"] == 260
    assert run.result_hash != best["metrics"]
    assert (await sweep(stage, queued)).unlocks == 1
    await start(stage, version_id=version_id)
    assert (await sweep(stage, queued)).unlocks == 2


@pytest.mark.parametrize("method", ["grid", "random", "tpe"])
async def test_a_sweep_whose_worker_was_killed_goes_on_with_the_same_proposals(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    await stage.shelve("AAPL", BARS)
    terms: dict[str, Any] = {"method": method, "trials": 20, "seed": 7}
    whole = await begin(stage, **terms)
    await work(stage)
    cut = await begin(stage, **terms)
    entered = 0

    def power_cut(name: str) -> None:
        nonlocal entered
        entered += name == "strategy.trial_entered"
        if entered == 5:
            raise PowerCutError

    with monkeypatch.context() as crashing, suppress(PowerCutError):
        crashing.setattr(sweep_runs, "fault_point", power_cut)
        await work(stage)
    assert (await sweep(stage, cut)).status == "running"
    stage.clock.pass_time(seconds=LEASE_OVER_S)
    second = await work(stage)
    assert (await sweep(stage, cut)).status == "finished"
    plain = [(t.number, t.parameters, t.result_hash, t.score) for t in sorted(await trials(stage, cut), key=_number)]
    assert plain == [
        (t.number, t.parameters, t.result_hash, t.score) for t in sorted(await trials(stage, whole), key=_number)
    ]
    left = len(plain) - 5  # behind them come the variants of the stress test
    assert len({trial.number for trial in second.trials[:left]}) == left
    assert len({trial.number for trial in second.trials[left:]}) == 1
    assert json.loads((await sweep(stage, cut)).result) == json.loads((await sweep(stage, whole)).result)


def _number(trial: TrialView) -> int:
    return trial.number


@pytest.mark.parametrize("is_anchored", [False, True])
async def test_a_walk_forward_chooses_before_it_tests(stage: Stage, is_anchored: bool) -> None:  # noqa: FBT001 - a parameter of the test
    await stage.shelve("AAPL", BARS)
    terms = WalkForwardTerms(train=80, test=40, is_anchored=is_anchored)
    queued = await begin(stage, walk_forward=terms)
    threads = await work(stage)
    done = await sweep(stage, queued)
    assert (done.status, done.error, done.kind) == ("finished", "", "walk_forward")
    result = json.loads(done.result)
    windows = result["windows"]
    assert [window["number"] for window in windows] == [0, 1, 2]
    tests = [trial for trial in threads.trials if trial.measured_from is not None and trial.measured_from > day(60)]
    assert max(trial.end for trial in tests if trial.end is not None) == day(208)
    found = await trials(stage, done)
    for window in windows:
        trained = [t for t in found if t.role == "train" and t.segment == window["number"]]
        best = max(trained, key=lambda t: (t.score if t.score is not None else -1e9, -t.number))
        assert {name: str(value) for name, value in best.parameters.items()} == window["parameters"]
        (tested,) = [t for t in found if t.role == "test" and t.segment == window["number"]]
        assert tested.parameters == best.parameters
        assert tested.metrics["days"] == 40 or window["number"] == 2
        assert best.end is not None
        assert tested.start is not None
        assert best.end.isoformat().replace("+00:00", "Z") == window["test"][0]
        assert tested.start < best.end  # its warm-up is read from the training, and nothing is measured there
    assert result["stitched"]["days"] == sum(w["out_of_sample"]["days"] for w in windows)
    assert set(result["stability"]) == {"fast.period", "slow.period"}


async def test_a_test_s_figures_count_from_its_first_bar_alone(stage: Stage) -> None:
    await stage.shelve("AAPL", BARS)
    queued = await begin(stage, walk_forward=WalkForwardTerms(train=80, test=40))
    await work(stage)
    tested = next(t for t in await trials(stage, queued) if t.role == "test" and t.segment == 0)
    again = await start(stage, parameters=tested.parameters, start=tested.start, end=tested.end)
    await stage.work()
    run = await backtest(stage, again.backtest_id)
    assert run.result_hash == tested.result_hash
    report = json.loads(run.result)
    assert report["honesty"]["warm_up_bars"] == report["honesty"]["bars"] - 40
    assert run.metrics["total_return"] == pytest.approx(tested.metrics["total_return"])


async def test_a_waiting_sweep_is_canceled_at_once_and_a_running_one_stops_and_keeps_its_trials(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stage.shelve("AAPL", BARS)
    waiting = await begin(stage)
    view = await stage.endpoints.cancel_sweep(CancelSweep(sweep_id=waiting.sweep_id), stage.owner)
    assert (view.status, [e["status"] for e in await stage.told("sweep_finished")]) == ("canceled", ["canceled"])
    running = await begin(stage)
    with monkeypatch.context() as patch:
        stop_at(patch, sweep_runs, "strategy.trial_entered")
        with suppress(PowerCutError):
            await work(stage)
    view = await stage.endpoints.cancel_sweep(CancelSweep(sweep_id=running.sweep_id), stage.owner)
    assert view.status == "running"
    stage.clock.pass_time(seconds=LEASE_OVER_S)
    await work(stage)
    stopped = await sweep(stage, running)
    assert (stopped.status, stopped.error_code, stopped.trials > 0) == ("canceled", "RUN_STOPPED", True)


async def test_every_different_run_of_a_workflow_deflates_its_verdict(stage: Stage) -> None:
    await stage.shelve("AAPL", BARS)
    version_id = stage.town.write_workflow(stage.owner_id, STRATEGY)
    first = await start(stage, version_id=version_id, end=day(208))
    await start(stage, version_id=version_id, end=day(208))  # the same run again is no other trial
    await stage.work()
    command = GetVerdict(backtest_id=first.backtest_id)
    alone = await stage.endpoints.get_verdict(command, stage.owner)
    assert (alone.trials, alone.expected_best) == (1, 0.0)
    codes = {reason.code: reason.colour for reason in alone.reasons}
    assert codes == {"DSR": codes["DSR"], "PBO": "amber", "WALK_FORWARD": "amber", "TRADES": "red", "STRESS": "amber"}
    await begin(stage, version_id=version_id, fee_bps=Decimal(1))
    await begin(
        stage, version_id=version_id, walk_forward=WalkForwardTerms(train=80, test=40), method="random", trials=2
    )
    await work(stage)
    judged = await stage.endpoints.get_verdict(command, stage.owner)
    assert judged.trials == 1 + 8 + len(
        {t["run_hash"] for t in await stage.rows("select run_hash from trials where role = 'train'")}
    )
    assert judged.variance > 0
    assert judged.deflated_sharpe is not None
    assert alone.deflated_sharpe is not None
    assert judged.deflated_sharpe < alone.deflated_sharpe
    assert "measured" not in " ".join(reason.text for reason in judged.reasons)


async def test_a_verdict_is_held_against_what_was_in_force_when_the_run_was_asked_for(stage: Stage) -> None:
    await stage.shelve("AAPL", BARS)
    version_id = stage.town.write_workflow(stage.owner_id, STRATEGY)
    endpoints = stage.endpoints
    assert (await endpoints.get_thresholds(GetThresholds(), stage.owner)).changed_at is None
    before = await start(stage, version_id=version_id)
    told = await endpoints.set_thresholds(SetThresholds(trades_red=1, trades_green=2), stage.owner)
    assert (told.trades_green, told.dsr_green, told.changed_at) == (2, 0.95, stage.clock.now())
    after = await start(stage, version_id=version_id, end=day(208))
    with pytest.raises(AlphintraError) as caught:
        await endpoints.set_thresholds(SetThresholds(trades_green=0), stage.owner)
    assert caught.value.code == "THRESHOLD_RANGE"
    await endpoints.set_thresholds(SetThresholds(is_default=True), stage.owner)
    await stage.work()
    cards = [
        await endpoints.get_verdict(GetVerdict(backtest_id=view.backtest_id), stage.owner) for view in (before, after)
    ]
    assert [card.thresholds.trades_green for card in cards] == [100, 2]
    colours = [{reason.code: reason.colour for reason in card.reasons} for card in cards]
    assert [each["TRADES"] for each in colours] == ["red", "green"]
    assert await stage.audited("thresholds.set") == [f"user:{stage.owner_id}"] * 2
    stranger = acting(SystemIds().new())
    assert (await endpoints.get_thresholds(GetThresholds(), stranger)).trades_green == 100


REFUSED: tuple[tuple[dict[str, Any], str], ...] = (
    ({"parameters": ()}, "SWEEP_RANGE"),
    ({"parameters": (FAST, FAST)}, "SWEEP_RANGE"),
    (
        {"parameters": (ExposedParameter(name="nose.period", min=FAST.min, max=FAST.max, step=FAST.step),)},
        "PARAMETER_UNKNOWN",
    ),
    (
        {"parameters": (ExposedParameter(name="fast.size", min=FAST.min, max=FAST.max, step=FAST.step),)},
        "PARAMETER_UNKNOWN",
    ),
    (
        {"parameters": (ExposedParameter(name="fast.period", min=FAST.min, max=FAST.max, step=Decimal("0.7")),)},
        "FIELD_TYPE",
    ),
    (
        {"parameters": (ExposedParameter(name="fast.period", min=FAST.max, max=FAST.min, step=FAST.step),)},
        "SWEEP_RANGE",
    ),
    ({"constraints": ("fast.period ~ slow.period",)}, "CONSTRAINT_FORMAT"),
    ({"constraints": ("fast.period > 100",)}, "SWEEP_RANGE"),
    ({"method": "guess"}, "SWEEP_METHOD"),
    ({"objective": "luck"}, "SWEEP_OBJECTIVE"),
    ({"trials": 0}, "SWEEP_RANGE"),
    ({"holdout": Decimal(1)}, "HOLDOUT_RANGE"),
    ({"seed": -1}, "FIELD_RANGE"),
    ({"symbol": "NONE"}, "SYMBOL_UNKNOWN"),
    ({"version_id": SystemIds().new()}, "WORKFLOW_NOT_FOUND"),
)


async def test_a_sweep_that_cannot_be_is_refused_at_once(stage: Stage) -> None:
    await stage.shelve("AAPL", BARS)
    for wishes, code in REFUSED:
        with pytest.raises(AlphintraError) as caught:
            await begin(stage, **wishes)
        assert caught.value.code == code, wishes
    assert await stage.rows("select 1 from sweeps") == []


async def test_a_walk_forward_without_room_fails_with_a_code(stage: Stage) -> None:
    await stage.shelve("AAPL", BARS)
    queued = await begin(stage, walk_forward=WalkForwardTerms(train=400, test=40))
    await work(stage)
    failed = await sweep(stage, queued)
    assert (failed.status, failed.error_code) == ("failed", "WINDOW_RANGE")


async def test_other_peoples_sweeps_are_not_there(stage: Stage) -> None:
    await stage.shelve("AAPL", BARS)
    queued = await begin(stage)
    stranger = acting(SystemIds().new())
    commands = (
        stage.endpoints.get_sweep(GetSweep(sweep_id=queued.sweep_id), stranger),
        stage.endpoints.cancel_sweep(CancelSweep(sweep_id=queued.sweep_id), stranger),
        stage.endpoints.list_trials(ListTrials(sweep_id=queued.sweep_id), stranger),
        stage.endpoints.unlock_holdout(UnlockHoldout(sweep_id=queued.sweep_id), stranger),
    )
    for answer in commands:
        with pytest.raises(AlphintraError) as caught:
            await answer
        assert caught.value.code == "SWEEP_NOT_FOUND"
    assert (await stage.endpoints.list_sweeps(ListSweeps(), stranger)).sweeps == ()
    with pytest.raises(AlphintraError, match="SWEEP_NOT_FINISHED"):
        await stage.endpoints.unlock_holdout(UnlockHoldout(sweep_id=queued.sweep_id), stage.owner)
