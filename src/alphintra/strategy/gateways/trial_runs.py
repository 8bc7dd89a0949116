"""Where trials are computed: processes on all cores of this machine, behind an interface another place can keep."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from functools import lru_cache
from multiprocessing.connection import wait
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from alphintra.kernel.ids import DatasetId
from alphintra.strategy.domain.trials import Part, Trial, TrialOutcome, run_trial
from alphintra.strategy.domain.universes import SYMBOLS_MAX
from alphintra.strategy.gateways.catalogue import Catalogue

if TYPE_CHECKING:
    from alphintra.engine.algorithm_runs import Host
    from alphintra.engine.bars import Bar
    from alphintra.strategy.domain.histories import History
    from alphintra.strategy.domain.trials import Market

__all__ = ["ProcessTrials", "SubmitTrial", "TrialRunner", "market_of"]

_NICE: Final = 10  # trading and what answers people go first


class SubmitTrial(Protocol):
    """Hands a trial over; the future ends with its outcome."""

    def __call__(self, trial: Trial) -> Future[TrialOutcome]:
        """Queue a trial."""


class TrialRunner(Protocol):
    """A place that computes trials. A cluster stands in by opening a session on its own workers."""

    @contextmanager
    def session(self) -> Iterator[SubmitTrial]:
        """Make computing power ready, and let go of it at the end; what is still queued then is dropped."""
        raise NotImplementedError


class ProcessTrials:
    """Processes of this machine.

    Args:
        folder: of the catalogue.
        processes: how many; one for each core by default.
        host: where algorithms run; each process starts those of its trials.
    """

    def __init__(self, folder: Path, processes: int | None = None, *, host: Host | None = None) -> None:
        self._folder = folder
        self._host = host
        self._processes = processes or os.cpu_count() or 1

    @contextmanager
    def session(self) -> Iterator[SubmitTrial]:
        """Start processes, and let them go at the end without waiting: each stops after the trial it is at."""
        pool = ProcessPoolExecutor(
            self._processes,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_begin,
            initargs=(str(self._folder), self._host),
        )

        def submit(trial: Trial) -> Future[TrialOutcome]:
            return pool.submit(_compute, trial)

        try:
            yield submit
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


_folder: list[Path] = []
_host: list[Host | None] = []


def _begin(folder: str, host: Host | None) -> None:
    """Prepare a process: it yields to others, and ends with the one that started it, whatever ended that."""
    _folder[:] = [Path(folder)]
    _host[:] = [host]
    os.nice(_NICE)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)


def _compute(trial: Trial) -> TrialOutcome:
    return run_trial(trial, market_of(trial, _folder[0]), host=_host[0])


def market_of(trial: Trial, folder: Path) -> Market:
    """Return what a trial runs over, from the catalogue in a folder; what was read last is kept."""
    if len(trial.parts) == 1:
        return _history(folder, trial.parts[0])
    return {part.symbol: _bars(folder, part) for part in trial.parts}


@lru_cache(maxsize=2)
def _history(folder: Path, part: Part) -> History:
    return Catalogue(folder).history(DatasetId(part.dataset_id), part.splits)


@lru_cache(maxsize=SYMBOLS_MAX)
def _bars(folder: Path, part: Part) -> tuple[Bar, ...]:
    return Catalogue(folder).read(DatasetId(part.dataset_id), part.splits)
