"""The backtests of the ready strategies: made here, by the worker of all backtests, over prices everybody has."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import msgspec

from alphintra.contracts.samples import TemplateBacktestsView, TemplateBacktestView
from alphintra.engine.backtest import BacktestSettings
from alphintra.engine.graph.plan import canonical_json, graph_hash
from alphintra.engine.overfit.verdict import Thresholds
from alphintra.engine.portfolio import FeeModel
from alphintra.engine.templates import GALLERY
from alphintra.infrastructure.events import append_audit
from alphintra.infrastructure.telemetry import get_logger
from alphintra.kernel.errors import AlphintraError
from alphintra.strategy.domain.universes import name_of
from alphintra.strategy.gateways.services import service_context
from alphintra.strategy.service.backtests import CHIEF_FIGURES, identity_of
from alphintra.strategy.service.queueing import NOBODY, Queued, enqueue

if TYPE_CHECKING:
    from datetime import datetime

    from alphintra.engine.templates import Template
    from alphintra.kernel.clock import Clock
    from alphintra.kernel.ids import IdSource
    from alphintra.kernel.messages import Context
    from alphintra.strategy.repository import Dataset, Desk

__all__ = ["SampleKeeper", "list_template_backtests", "make_template_backtests"]

_BPS: Final = (Decimal(5), Decimal(2))
"""Fee and slippage of every sample: a run without costs would promise what nobody gets."""
_BEGIN_S: Final = 60.0  # a start belongs to people
_PAUSE_S: Final = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sample:
    """What would be run for a template now, or why nothing can."""

    template: Template
    settings: BacktestSettings
    datasets: tuple[Dataset, ...] = ()
    missing: str = ""

    @property
    def run_hash(self) -> str:
        if self.missing:
            return ""
        data = ",".join(dataset.data_hash for dataset in self.datasets)
        graph_id = graph_hash(self.template.graph)
        name = name_of(self.template.symbols)
        return identity_of(graph_id, name, data, span=(None, None), settings=self.settings)


async def list_template_backtests(*, desk: Desk) -> TemplateBacktestsView:
    """Return the backtest of each template: the current one, else the newest."""
    known = await _known(desk)
    return TemplateBacktestsView(
        backtests=tuple(_view(sample, known.get(sample.template.name, ())) for sample in await _samples(desk))
    )


async def make_template_backtests(
    context: Context, *, desk: Desk, ids: IdSource, at: datetime
) -> TemplateBacktestsView:
    """Queue what is missing or no longer current, and return what there is."""
    known = await _known(desk)
    for sample in await _samples(desk):
        runs = {row["run_hash"] for row in known.get(sample.template.name, ())}
        if not sample.missing and sample.run_hash not in runs:
            await _queue(sample, context, desk=desk, ids=ids, at=at)
    return await list_template_backtests(desk=desk)


class SampleKeeper:
    """Makes what is missing a minute after the start, and looks again every ten minutes: prices may have come."""

    def __init__(self, *, desk: Desk, clock: Clock, ids: IdSource) -> None:
        self._desk = desk
        self._clock = clock
        self._ids = ids

    async def run(self) -> None:
        """Work until cancelled."""
        await asyncio.sleep(_BEGIN_S)
        while True:
            await self.look()
            await asyncio.sleep(_PAUSE_S)

    async def look(self) -> None:
        """Queue what is missing; a database that is away is asked again later."""
        at = self._clock.now()
        try:
            await make_template_backtests(service_context("samples"), desk=self._desk, ids=self._ids, at=at)
        except AlphintraError as error:
            get_logger().warning("samples.waiting", reason=str(error))


async def _queue(sample: _Sample, context: Context, *, desk: Desk, ids: IdSource, at: datetime) -> None:
    template, run_hash = sample.template, sample.run_hash
    queued = Queued(
        backtest_id=ids.new(),
        owner_id=NOBODY,
        version_id=NOBODY,
        workflow_id=None,
        symbols=template.symbols,
        dataset_ids=[dataset.dataset_id for dataset in sample.datasets],
        graph=canonical_json(template.graph).decode(),
        settings=sample.settings,
        span=(None, None),
        run_hash=run_hash,
        thresholds=msgspec.json.encode(Thresholds()).decode(),
        template=template.name,
    )
    facts: dict[str, Any] = {"symbol": name_of(template.symbols), "run_hash": run_hash, "template": template.name}
    async with desk.transaction() as tx:
        await enqueue(tx, queued, at=at)
        subject = f"backtest:{queued.backtest_id}"
        await append_audit(tx.session, "backtest.start", subject, facts, ids=ids, context=context, at=at)


async def _known(desk: Desk) -> dict[str, list[Mapping[str, Any]]]:
    found: dict[str, list[Mapping[str, Any]]] = {}
    for row in await desk.rows("backtests.of_templates"):
        found.setdefault(row["template"], []).append(row)
    return found


async def _samples(desk: Desk) -> list[_Sample]:
    """Return what would be run for each template now, over prices that belong to nobody alone."""
    shared = {dataset.symbol: dataset for dataset in await desk.newest_datasets(None)}
    return [_sample(template, shared) for _, template in sorted(GALLERY.items())]


def _sample(template: Template, shared: Mapping[str, Dataset]) -> _Sample:
    fee, slippage = _BPS
    settings = BacktestSettings(fees=FeeModel(commission_bps=fee), slippage_bps=slippage)
    if template.may_short:
        settings = replace(settings, limits=replace(settings.limits, may_short=True))
    timeframe = template.graph.timeframe
    absent = [name for name in template.symbols if name not in shared or shared[name].timeframe != timeframe]
    if absent:
        missing = f"needs {timeframe} bars of {', '.join(absent)}, brought by the operator"
        return _Sample(template=template, settings=settings, missing=missing)
    return _Sample(template=template, settings=settings, datasets=tuple(shared[name] for name in template.symbols))


def _view(sample: _Sample, rows: Sequence[Mapping[str, Any]]) -> TemplateBacktestView:
    current = next((row for row in rows if row["run_hash"] == sample.run_hash), None)
    shown = current if current is not None or not rows else rows[0]
    metrics = {} if shown is None else msgspec.json.decode(shown["metrics"])
    symbols = sample.template.symbols if shown is None else tuple(shown["symbols"])
    missing = sample.missing or "not made yet: ask for it, or wait a minute after the start"
    return TemplateBacktestView(
        template=sample.template.name,
        symbols=symbols,
        timeframe=sample.template.graph.timeframe,
        backtest_id=None if shown is None else shown["backtest_id"],
        status="missing" if shown is None else shown["status"],
        run_hash="" if shown is None else shown["run_hash"],
        result_hash="" if shown is None else shown["result_hash"],
        figures={name: metrics[name] for name in CHIEF_FIGURES if name in metrics},
        is_current=current is not None,
        missing=missing if shown is None else "",
        finished_at=None if shown is None else shown["finished_at"],
    )
