"""Carrying out a sweep or a walk-forward: trials on all cores, each entered in the ledger as soon as it is known.

What is proposed follows from the ledger alone, so that a run whose worker was killed goes on where it stood, with the
same proposals; a trial that was computed and not entered is computed again, to the same figures.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import msgspec

from alphintra.contracts.sweeps import SweepFinished
from alphintra.engine.backtest import BacktestSettings
from alphintra.engine.graph.parsing import parse_graph
from alphintra.infrastructure.events import append_event
from alphintra.infrastructure.faults import fault_point
from alphintra.infrastructure.telemetry import get_logger
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.strategy.domain.histories import history_of
from alphintra.strategy.domain.proposals import WORST, proposer_of
from alphintra.strategy.domain.search import with_point
from alphintra.strategy.domain.stress import CANDLE_RUNS_MIN, bars_to_reorder, candle_trials, stress_trials
from alphintra.strategy.domain.sweeps import (
    Segment,
    StoredTrial,
    SweepPlan,
    best_of,
    examine,
    join_tests,
    segments_of,
    space_of,
    surface_of,
    together,
)
from alphintra.strategy.domain.trials import Part, Trial, TrialOutcome
from alphintra.strategy.domain.universes import closes_of
from alphintra.strategy.gateways.services import service_context
from alphintra.strategy.service.backtests import identity_of
from alphintra.strategy.service.jobs import HEARTBEAT_S, LEASE, Progress, carry_out

if TYPE_CHECKING:
    from alphintra.engine.algorithm_runs import Host
    from alphintra.engine.graph.wire import Graph
    from alphintra.kernel.clock import Clock
    from alphintra.kernel.ids import IdSource
    from alphintra.strategy.domain.proposals import Proposer
    from alphintra.strategy.domain.search import Space
    from alphintra.strategy.domain.trials import Market
    from alphintra.strategy.gateways.catalogue import Catalogue
    from alphintra.strategy.gateways.trial_runs import SubmitTrial, TrialRunner
    from alphintra.strategy.repository import Dataset, Desk

__all__ = ["run_sweep"]

_REST: Final = 0.05  # share of the progress that is left for what is reckoned once every trial is known
_encode = msgspec.json.Encoder(decimal_format="string", order="sorted").encode


async def run_sweep(  # noqa: PLR0913 - what it works with
    row: Mapping[str, Any],
    *,
    desk: Desk,
    catalogue: Catalogue,
    runner: TrialRunner,
    host: Host,
    clock: Clock,
    ids: IdSource,
) -> None:
    """Carry out a leased sweep; killed half way, it is leased again and goes on with the trials it lacks."""
    wanted = row["dataset_ids"] or [row["dataset_id"]]
    known = {dataset.dataset_id: dataset for dataset in await desk.datasets(wanted)}
    datasets = tuple(known[dataset_id] for dataset_id in wanted)
    plan = msgspec.json.decode(row["plan"], type=SweepPlan)
    graph = parse_graph(row["graph"].encode())
    run = _Run(
        row=row, plan=plan, graph=graph, datasets=datasets, desk=desk, catalogue=catalogue, host=host, clock=clock
    )
    try:
        result = await run.whole(runner)
    except AlphintraError as error:
        if error.code.startswith("STORE_"):
            raise
        status = "canceled" if error.code == "RUN_STOPPED" else "failed"
        await _finish(row, (status, "", error.code, error.detail), desk=desk, ids=ids, at=clock.now())
        return
    await _finish(row, ("finished", _encode(result).decode(), "", ""), desk=desk, ids=ids, at=clock.now())


@dataclass(kw_only=True)
class _Run:
    """One sweep on its way."""

    row: Mapping[str, Any]
    plan: SweepPlan
    graph: Graph
    datasets: tuple[Dataset, ...]
    desk: Desk
    catalogue: Catalogue
    host: Host
    clock: Clock
    share: float = 0.0

    async def whole(self, runner: TrialRunner) -> dict[str, Any]:
        """Search every segment, try each choice on what follows, and return what came out."""
        await self._keep_lease()
        bars = await self._compute(self._read)
        span = (self.row["start_ts"], self.row["end_ts"])
        segments, locked = await self._compute(partial(segments_of, self.plan, self.graph, _closes(bars), span))
        async with self.desk.transaction() as tx:
            await tx.execute("sweeps.lock_away", self.row["sweep_id"], locked)
        space = space_of(self.plan, self.graph)
        role = "sweep" if self.plan.walk_forward is None else "train"
        windows, found = [], []
        async with self._session(runner) as submit:
            for place, segment in enumerate(segments):
                found = await self._search(segment, role, space, submit, (place, len(segments)))
                if role == "train":
                    windows.append(await self._test(segment, found, submit))
            if role == "sweep":
                return await self._told(found, space, (locked, bars), submit)
        return await self._told_windows(windows, locked)

    @asynccontextmanager
    async def _session(self, runner: TrialRunner) -> AsyncIterator[SubmitTrial]:
        """Make computing power ready, and let go of it, beside everything else: a cluster may take a minute."""
        stack = ExitStack()
        try:
            yield await self._compute(partial(stack.enter_context, runner.session()))
        finally:
            await asyncio.to_thread(stack.close)

    def _read(self) -> Market:
        """Return what trials run over: the bars of the one symbol, or of each."""
        read = {each.symbol: self.catalogue.read(each.dataset_id, each.splits) for each in self.datasets}
        return read if len(read) > 1 else next(iter(read.values()))

    async def _search(
        self, segment: Segment, role: str, space: Space, submit: SubmitTrial, place: tuple[int, int]
    ) -> list[StoredTrial]:
        plan = self.plan
        proposer = proposer_of(plan.method, space, trials=plan.trials, seed=plan.seed + segment.number)
        done = {trial.number: trial for trial in await self._stored(role, segment.number)}
        while points := proposer.open_points({number: _score(trial) for number, trial in done.items()}):
            trials = [self._trial(segment, number, point) for number, point in points.items()]
            told = _Told(role=role, place=place, proposer=proposer, done=len(done))
            await self._carry_out(trials, points, submit, told)
            done = {trial.number: trial for trial in await self._stored(role, segment.number)}
        return list(done.values())

    async def _carry_out(
        self, trials: Sequence[Trial], points: Mapping[int, Mapping[str, Decimal]], submit: SubmitTrial, told: _Told
    ) -> None:
        """Compute trials and enter each as it ends; keeps the lease meanwhile. Raises RUN_STOPPED."""
        waiting = {asyncio.wrap_future(submit(trial)) for trial in trials}
        try:
            while waiting:
                ended, waiting = await asyncio.wait(waiting, timeout=HEARTBEAT_S, return_when=asyncio.FIRST_COMPLETED)
                for future in ended:
                    outcome = _outcome(future)
                    await self._enter(told.role, outcome, points[outcome.number])
                    told.done += 1
                self.share = told.share()
                await self._keep_lease()
        finally:
            for future in waiting:
                future.cancel()

    async def _test(self, segment: Segment, found: Sequence[StoredTrial], submit: SubmitTrial) -> dict[str, Any]:
        """Try a window's choice on the bars that follow it."""
        best = best_of(found)
        if best is None:
            failed = sorted({trial.error_code for trial in found if trial.error_code})
            why = f" ({', '.join(failed)})" if failed else ""
            message = f"no trial of window {segment.number} has a score{why}: lengthen the training or widen the ranges"
            raise AlphintraError("SWEEP_NOTHING_FOUND", message)
        stored = await self._stored("test", segment.number)
        if not stored:
            trial = Trial(
                segment=segment.number,
                number=best.number,
                measured_from=segment.test_from,
                end=segment.test_end,
                **self._common(best.parameters),
            )
            told = _Told(role="test", place=(0, 1), proposer=None, done=0, share_kept=self.share)
            await self._carry_out([trial], {best.number: best.parameters}, submit, told)
            stored = await self._stored("test", segment.number)
        (test,) = stored
        return {"segment": segment, "best": best, "test": test}

    async def _told(
        self,
        found: Sequence[StoredTrial],
        space: Space,
        told: tuple[datetime | None, Market],
        submit: SubmitTrial,
    ) -> dict[str, Any]:
        locked, bars = told
        best = best_of(found)
        said: dict[str, Any] = {
            "best": None if best is None else _described(best),
            "trials": len(found),
            "failed": sum(bool(trial.error_code) for trial in found),
            "holdout_ts": locked,
            "refused": await self._compute(space.refused),
            "objective": self.plan.objective,
            "pbo": await self._compute(partial(together, found)),
            "surface": await self._compute(partial(surface_of, space, found)),
        }
        if best is None:
            return said
        closes = _closes(bars)
        (segment,) = segments_of(self.plan, self.graph, closes, (self.row["start_ts"], self.row["end_ts"]))[0]
        trial = self._trial(segment, best.number, best.parameters)
        said |= await self._compute(partial(examine, trial, bars, seed=self.plan.seed, host=self.host))
        said["stress"] = await self._stress(trial, closes, said["thinned"], submit)
        said["candles"] = await self._candles(trial, bars, best, submit)
        return said

    async def _stress(
        self, trial: Trial, closes: Sequence[datetime], thinned: Mapping[str, float], submit: SubmitTrial
    ) -> dict[str, Any]:
        from alphintra.engine.overfit.stress import judge_stress  # noqa: PLC0415 - with the rest of overfit

        names = [each.name for each in self.plan.parameters]
        runnable, left_out = await self._compute(partial(stress_trials, trial, closes, names))
        found = await self._computed(runnable, submit)
        outcomes = {name: outcome.metrics.get("total_return") for name, outcome in found.items()} | dict(thinned)
        survival = judge_stress(outcomes)
        return {"share": survival.share if outcomes else None, "outcomes": outcomes, "left_out": left_out}

    async def _candles(
        self, trial: Trial, bars: Market, best: StoredTrial, submit: SubmitTrial
    ) -> dict[str, Any] | None:
        """Hold the best trial against itself over candles in other orders; None where it says nothing."""
        from alphintra.engine.overfit.resampling import judge_candles  # noqa: PLC0415 - with the rest of overfit

        found = await self._computed(candle_trials(trial, bars_to_reorder(bars), seed=self.plan.seed), submit)
        scores = [outcome.metrics.get(self.plan.objective) for outcome in found.values()]
        known = [score for score in scores if score is not None]
        if best.score is None or len(known) < CANDLE_RUNS_MIN:
            return None
        judged: dict[str, Any] = msgspec.to_builtins(judge_candles(best.score, known))
        return judged | {"original": best.score, "count": len(known), "objective": self.plan.objective}

    async def _computed(self, trials: Mapping[str, Trial], submit: SubmitTrial) -> dict[str, TrialOutcome]:
        """Compute trials that are entered nowhere, keeping the lease."""
        futures = {name: asyncio.wrap_future(submit(trial)) for name, trial in trials.items()}
        try:
            while not all(future.done() for future in futures.values()):
                await asyncio.wait(futures.values(), timeout=HEARTBEAT_S)
                await self._keep_lease()
        finally:
            for future in futures.values():
                future.cancel()
        return {name: _outcome(future) for name, future in futures.items()}

    async def _told_windows(self, windows: Sequence[dict[str, Any]], locked: datetime | None) -> dict[str, Any]:
        tests: list[StoredTrial] = [window["test"] for window in windows]
        bests: list[StoredTrial] = [window["best"] for window in windows]
        periods = int(tests[0].metrics.get("periods_per_year") or 0)
        joined = await self._compute(
            partial(
                join_tests,
                [test.returns for test in tests],
                [best.returns for best in bests],
                periods=periods,
                chosen=[best.parameters for best in bests],
            )
        )
        described = [
            {
                "number": window["segment"].number,
                "train": [best.start, best.end],
                "test": [window["segment"].test_from, window["segment"].test_end],
                "parameters": best.parameters,
                "in_sample": best.metrics,
                "out_of_sample": test.metrics,
                "error_code": test.error_code,
            }
            for window, best, test in zip(windows, bests, tests, strict=True)
        ]
        last = None if not bests else _described(bests[-1])
        return {"best": last, "windows": described, "holdout_ts": locked, **joined}

    def _trial(self, segment: Segment, number: int, point: Mapping[str, Decimal]) -> Trial:
        return Trial(
            segment=segment.number,
            number=number,
            measured_from=segment.measured_from,
            end=segment.end,
            **self._common(point),
        )

    def _common(self, point: Mapping[str, Decimal]) -> dict[str, Any]:
        return {
            "parts": tuple(Part(each.symbol, each.dataset_id, each.splits) for each in self.datasets),
            "graph": msgspec.json.encode(with_point(self.graph, point)).decode(),
            "settings": self.row["settings"],
            "start": self.row["start_ts"],
        }

    async def _enter(self, role: str, outcome: TrialOutcome, point: Mapping[str, Decimal]) -> None:
        row = self.row
        settings = msgspec.json.decode(row["settings"], type=BacktestSettings)
        span = (outcome.start, outcome.end)
        data_hash = ",".join(each.data_hash for each in self.datasets)
        identity = identity_of(outcome.graph_hash, row["symbol"], data_hash, span=span, settings=settings)
        async with self.desk.transaction() as tx:
            await tx.execute(
                "trials.insert",
                row["sweep_id"],
                role,
                outcome.segment,
                outcome.number,
                row["owner_id"],
                row["workflow_id"],
                row["symbol"],
                _encode({name: f"{value:f}" for name, value in point.items()}).decode(),
                outcome.start,
                outcome.end,
                identity,
                outcome.digest,
                outcome.metrics.get(self.plan.objective),
                outcome.sharpe,
                _encode(outcome.metrics).decode(),
                outcome.returns,
                outcome.error_code,
                self.clock.now(),
            )
        fault_point("strategy.trial_entered")

    async def _stored(self, role: str, segment: int) -> list[StoredTrial]:
        rows = await self.desk.rows("trials.done", self.row["sweep_id"], role, segment)
        return [
            StoredTrial(
                number=row["number"],
                parameters={n: Decimal(v) for n, v in msgspec.json.decode(row["parameters"]).items()},
                start=row["start_ts"],
                end=row["end_ts"],
                score=row["score"],
                metrics=msgspec.json.decode(row["metrics"]),
                returns=bytes(row["returns"]),
                error_code=row["error_code"],
            )
            for row in rows
        ]

    async def _compute(self, work: Any) -> Any:  # noqa: ANN401 - whatever it computes
        """Compute in a thread, keeping the lease; a failure is raised here."""
        found = await carry_out(work, Progress(), keep_lease=self._keep_lease)
        if isinstance(found, AlphintraError):
            raise found
        return found

    async def _keep_lease(self) -> None:
        """Tell how far it is. Raises RUN_STOPPED where a person canceled it, or another worker has ended it."""
        async with self.desk.transaction() as tx:
            until = self.clock.now() + LEASE
            asked = await tx.session.value("sweeps.progress", self.row["sweep_id"], self.share, until)
        if asked is None or asked:
            raise AlphintraError("RUN_STOPPED", "the sweep was stopped; its trials are kept", kind=Kind.CONFLICT)


@dataclass(kw_only=True)
class _Told:
    """How far a search is within the whole."""

    role: str
    place: tuple[int, int]
    proposer: Proposer | None
    done: int
    share_kept: float = 0.0

    def share(self) -> float:
        if self.proposer is None:
            return self.share_kept
        number, count = self.place
        return min((number + self.done / self.proposer.total) / count, 1.0) * (1 - _REST)


async def _finish(
    row: Mapping[str, Any], ended: tuple[str, str, str, str], *, desk: Desk, ids: IdSource, at: datetime
) -> None:
    sweep_id: UUID = row["sweep_id"]
    event = SweepFinished(
        sweep_id=sweep_id, owner_id=row["owner_id"], symbol=row["symbol"], kind=row["kind"], status=ended[0]
    )
    context = service_context(sweep_id.hex)
    async with desk.transaction() as tx:
        if await tx.execute("sweeps.finish", sweep_id, *ended, at):
            await append_event(tx.session, event, ids=ids, aggregate_id=sweep_id, context=context, at=at)
    fault_point("strategy.sweep_stored")


def _outcome(future: asyncio.Future[TrialOutcome]) -> TrialOutcome:
    """Return what came out of a trial. Raises INTERNAL where its process died or the engine has a fault."""
    error = future.exception()
    if error is None:
        return future.result()
    get_logger().error("trial.failed", exc_info=error)
    message = f"a trial failed ({type(error).__name__}): see the log"
    raise AlphintraError("INTERNAL", message, kind=Kind.BUG)


def _closes(bars: Market) -> Sequence[datetime]:
    """Return when the bars of a trial close; of several symbols, when any of them has one."""
    if isinstance(bars, Mapping):
        return closes_of(bars)
    return [bar.ts for bar in history_of(bars).bars]


def _score(trial: StoredTrial) -> float:
    return WORST if trial.score is None else trial.score


def _described(trial: StoredTrial) -> dict[str, Any]:
    return {
        "number": trial.number,
        "parameters": trial.parameters,
        "start": trial.start,
        "end": trial.end,
        "score": trial.score,
        "metrics": trial.metrics,
    }
