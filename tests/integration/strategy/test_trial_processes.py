"""Trials in processes of their own: the same figures as here, and none of them outlives the one that started it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import msgspec
import psutil  # type: ignore[import-untyped] # it has no types
import pytest

from alphintra.engine.backtest import BacktestSettings
from alphintra.kernel.ids import DatasetId
from alphintra.strategy.domain.search import with_point
from alphintra.strategy.domain.trials import Part, Trial, TrialOutcome, run_trial
from alphintra.strategy.gateways.catalogue import Catalogue
from alphintra.strategy.gateways.trial_runs import ProcessTrials
from integration.strategy.job_desk import STRATEGY
from integration.strategy.stage import WAVE
from unit.engine.builders import flat_bars
from unit.engine.test_universe import market
from unit.strategy.test_trials_across import turning

DATASET = UUID(int=7)
_DEADLINE_S = 60

_PARENT = """
import sys, time
from pathlib import Path
from alphintra.strategy.gateways.trial_runs import ProcessTrials
from integration.strategy.test_trial_processes import trial
if __name__ == "__main__":
    with ProcessTrials(Path(sys.argv[1]), 2).session() as submit:
        [submit(trial(n)).result() for n in (1, 2)]
        print("ready", flush=True)
        time.sleep(600)
"""


def trial(number: int) -> Trial:
    graph = with_point(STRATEGY, {"fast.period": Decimal(number)})
    return Trial(
        segment=0,
        number=number,
        parts=(Part("AAPL", DATASET),),
        graph=msgspec.json.encode(graph).decode(),
        settings=msgspec.json.encode(BacktestSettings()).decode(),
    )


@pytest.mark.slow
def test_processes_compute_what_this_one_computes(tmp_path: Path) -> None:
    catalogue = Catalogue(tmp_path)
    catalogue.write(DatasetId(DATASET), flat_bars(WAVE))
    bars = catalogue.read(DatasetId(DATASET), ())
    with ProcessTrials(tmp_path, 2).session() as submit:
        futures = [submit(trial(number)) for number in (1, 2, 3, 30)]
        found: list[TrialOutcome] = [future.result(_DEADLINE_S) for future in futures]
    assert found == [run_trial(trial(number), bars) for number in (1, 2, 3, 30)]
    assert [outcome.error_code for outcome in found] == ["", "", "", "WARM_UP_SHORT"]


@pytest.mark.slow
def test_processes_compute_trials_over_several_symbols_too(tmp_path: Path) -> None:
    catalogue, bars = Catalogue(tmp_path), market(3, 60, ("BBB", "AAA"))
    parts = (Part("BBB", UUID(int=8)), Part("AAA", UUID(int=9)))
    for part in parts:
        catalogue.write(DatasetId(part.dataset_id), bars[part.symbol])
    graph = msgspec.json.encode(turning()).decode()
    both = replace(trial(1), parts=parts, graph=graph)
    with ProcessTrials(tmp_path, 1).session() as submit:
        found = submit(both).result(_DEADLINE_S)
    assert found == run_trial(both, {part.symbol: catalogue.read(DatasetId(part.dataset_id), ()) for part in parts})
    assert found.error_code == ""


@pytest.mark.slow
def test_no_process_outlives_the_one_that_started_it(tmp_path: Path) -> None:
    Catalogue(tmp_path).write(DatasetId(DATASET), flat_bars(WAVE))
    script = tmp_path / "parent.py"
    script.write_text(_PARENT)
    around = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    command = [sys.executable, str(script), str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=around) as parent:  # noqa: S603 - of this test
        try:
            assert parent.stdout is not None
            assert parent.stdout.readline() == "ready\n"
            found = psutil.Process(parent.pid).children()
            children = [child for child in found if "spawn_main" in " ".join(child.cmdline())]
            assert children
        finally:
            parent.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + _DEADLINE_S
    while any(child.is_running() and child.status() != psutil.STATUS_ZOMBIE for child in children):
        assert time.monotonic() < deadline
        time.sleep(0.05)
