"""Sweeps on Ray come to what processes of this machine come to, and go on where a worker was killed."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from alphintra.strategy.gateways.ray_trials import LOCAL, RAY_VARIABLE, RayTrials, runner_of
from alphintra.strategy.gateways.trial_runs import ProcessTrials
from alphintra.strategy.service import sweep_runs
from alphintra.strategy.service.sweep_worker import SweepWorker
from fixtures.single_service import PowerCutError
from integration.strategy.job_desk import LEASE_OVER_S
from integration.strategy.test_sweeps import BARS, begin, sweep, trials, work

if TYPE_CHECKING:
    from pathlib import Path

    from alphintra.contracts.sweeps import SweepView, TrialView
    from integration.strategy.stage import Stage


async def on_ray(stage: Stage) -> None:
    """Let a worker carry out the next sweep on a cluster of this machine."""
    worker = SweepWorker(
        desk=stage.desk,
        catalogue=stage.catalogue,
        runner=RayTrials(stage.catalogue.folder, LOCAL, processes=1),
        host=stage.host,
        clock=stage.clock,
        ids=stage.ids,
    )
    assert await worker.do_next()


async def ledger(stage: Stage, view: SweepView) -> list[TrialView]:
    return sorted(await trials(stage, view), key=lambda trial: trial.number)


def test_trials_run_where_the_environment_says(tmp_path: Path) -> None:
    assert isinstance(runner_of({}, tmp_path), ProcessTrials)
    assert isinstance(runner_of({RAY_VARIABLE: " "}, tmp_path), ProcessTrials)
    assert isinstance(runner_of({RAY_VARIABLE: "ray://head:10001"}, tmp_path), RayTrials)


async def test_a_sweep_on_a_cluster_without_the_library_fails_and_says_how_to_get_it(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    await stage.shelve("AAPL", BARS)
    queued = await begin(stage)
    await on_ray(stage)
    failed = await sweep(stage, queued)
    assert (failed.status, failed.error_code) == ("failed", "RAY_MISSING")
    assert "alphintra[ray]" in failed.error


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.filterwarnings("ignore")  # of the library's own processes and sockets
async def test_a_sweep_begun_on_a_cluster_and_cut_goes_on_and_comes_to_the_same(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("ray", reason="the extra ray is not installed: pip install 'alphintra[ray]'")
    await stage.shelve("AAPL", BARS)
    whole = await begin(stage)
    await work(stage)
    cut = await begin(stage)
    entered = 0

    def power_cut(name: str) -> None:
        nonlocal entered
        entered += name == "strategy.trial_entered"
        if entered == 3:
            raise PowerCutError

    with monkeypatch.context() as crashing, suppress(PowerCutError):
        crashing.setattr(sweep_runs, "fault_point", power_cut)
        await on_ray(stage)
    stopped = await sweep(stage, cut)
    assert (stopped.status, stopped.error, stopped.trials) == ("running", "", 3)
    stage.clock.pass_time(seconds=LEASE_OVER_S)
    await on_ray(stage)
    assert (await sweep(stage, cut)).status == "finished"
    assert await ledger(stage, cut) == await ledger(stage, whole)
    assert (await sweep(stage, cut)).result == (await sweep(stage, whole)).result
