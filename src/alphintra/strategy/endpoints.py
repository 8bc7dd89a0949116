"""Ways into strategy: commands, and the worker of jobs."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from alphintra.contracts import courses as course_messages
from alphintra.contracts import drift as drift_messages
from alphintra.contracts import samples as sample_messages
from alphintra.contracts import strategy as messages
from alphintra.contracts import sweeps as sweep_messages
from alphintra.kernel.ids import DeploymentId, FeedId
from alphintra.strategy.service import (
    algorithms,
    backtests,
    courses,
    deployments,
    downloads,
    drift,
    explanations,
    feeds,
    fills,
    imports,
    market_data,
    previews,
    repeats,
    samples,
    sweeps,
    thresholds,
)
from alphintra.strategy.service.jobs import IDLE_S, LEASE, Waker

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alphintra.contracts.algorithms import AlgorithmsView, ListAlgorithms
    from alphintra.contracts.explanations import ExplainBacktest, ExplainDeployment, ExplanationView
    from alphintra.contracts.feed_splits import FeedSplit
    from alphintra.contracts.previews import GraphPreviewView, PreviewGraph
    from alphintra.contracts.trading import FillBooked, SplitApplied
    from alphintra.engine.algorithm_runs import Host
    from alphintra.infrastructure.events import Delivery
    from alphintra.kernel.clock import Clock
    from alphintra.kernel.ids import IdSource
    from alphintra.kernel.messages import Context
    from alphintra.strategy.gateways.algorithm_process import ProcessHost
    from alphintra.strategy.gateways.bar_sources import Sources
    from alphintra.strategy.gateways.catalogue import Catalogue
    from alphintra.strategy.gateways.packages import Packages
    from alphintra.strategy.gateways.services import Limits, Orders, Workflows
    from alphintra.strategy.repository import Desk

__all__ = ["Endpoints", "Worker"]


class Endpoints:
    """Handlers with what they need at hand."""

    def __init__(  # noqa: PLR0913 - what strategy asks and holds
        self,
        *,
        desk: Desk,
        catalogue: Catalogue,
        workflows: Workflows,
        orders: Orders,
        limits: Limits,
        packages: Packages,
        host: ProcessHost,
        sources: Sources,
        clock: Clock,
        ids: IdSource,
    ) -> None:
        self._desk = desk
        self._sources = sources
        self._catalogue = catalogue
        self._workflows = workflows
        self._limits = limits
        self._packages = packages
        self._host = host
        self._orders = orders
        self._clock = clock
        self._ids = ids

    async def stage_upload(self, command: messages.StageUpload, _context: Context) -> messages.StagedView:
        """Answer ``strategy.stage_upload``."""
        received = await asyncio.to_thread(self._catalogue.stage, command.upload_id, command.offset, command.data)
        return messages.StagedView(received=received)

    async def import_dataset(self, command: messages.ImportDataset, context: Context) -> messages.ImportView:
        """Answer ``strategy.import_dataset``."""
        at = self._clock.now()
        return await imports.start_import(
            command, context, desk=self._desk, catalogue=self._catalogue, ids=self._ids, at=at
        )

    async def get_import(self, command: messages.GetImport, context: Context) -> messages.ImportView:
        """Answer ``strategy.get_import``."""
        return await imports.get_import(command.import_id, context, desk=self._desk)

    async def list_datasets(self, _command: messages.ListDatasets, context: Context) -> messages.DatasetsView:
        """Answer ``strategy.list_datasets``."""
        return await imports.list_datasets(context, desk=self._desk)

    async def get_dataset(self, command: messages.GetDataset, context: Context) -> messages.DatasetView:
        """Answer ``strategy.get_dataset``."""
        return await imports.get_dataset(command, context, desk=self._desk)

    async def check_dataset(self, command: messages.CheckDataset, context: Context) -> messages.DataCheckView:
        """Answer ``strategy.check_dataset``."""
        return await market_data.check_dataset(command, context, desk=self._desk, catalogue=self._catalogue)

    async def start_download(self, command: messages.StartDownload, context: Context) -> messages.DownloadView:
        """Answer ``strategy.start_download``."""
        at = self._clock.now()
        return await downloads.start_download(
            command, context, desk=self._desk, sources=self._sources, ids=self._ids, at=at
        )

    async def get_download(self, command: messages.GetDownload, context: Context) -> messages.DownloadView:
        """Answer ``strategy.get_download``."""
        return await downloads.get_download(command.download_id, context, desk=self._desk)

    async def list_downloads(self, command: messages.ListDownloads, context: Context) -> messages.DownloadsView:
        """Answer ``strategy.list_downloads``."""
        return await downloads.list_downloads(context, desk=self._desk, limit=command.limit)

    async def cancel_download(self, command: messages.CancelDownload, context: Context) -> messages.DownloadView:
        """Answer ``strategy.cancel_download``."""
        at = self._clock.now()
        return await downloads.cancel_download(command.download_id, context, desk=self._desk, ids=self._ids, at=at)

    async def list_bars(self, command: messages.ListBars, context: Context) -> messages.BarsView:
        """Answer ``strategy.list_bars``."""
        return await market_data.list_bars(command, context, desk=self._desk, catalogue=self._catalogue)

    async def start_backtest(self, command: messages.StartBacktest, context: Context) -> messages.BacktestView:
        """Answer ``strategy.start_backtest``."""
        at = self._clock.now()
        return await backtests.start_backtest(
            command,
            context,
            desk=self._desk,
            workflows=self._workflows,
            limits=self._limits,
            host=self._host,
            ids=self._ids,
            at=at,
        )

    async def list_algorithms(self, _command: ListAlgorithms, _context: Context) -> AlgorithmsView:
        """Answer ``strategy.list_algorithms``."""
        return await algorithms.list_algorithms(packages=self._packages, host=self._host)

    async def get_backtest(self, command: messages.GetBacktest, context: Context) -> messages.BacktestView:
        """Answer ``strategy.get_backtest``."""
        return await backtests.get_backtest(command.backtest_id, context, desk=self._desk)

    async def list_backtests(self, command: messages.ListBacktests, context: Context) -> messages.BacktestsView:
        """Answer ``strategy.list_backtests``."""
        return await backtests.list_backtests(context, desk=self._desk, limit=command.limit)

    async def repeat_backtest(self, command: sample_messages.RepeatBacktest, context: Context) -> messages.BacktestView:
        """Answer ``strategy.repeat_backtest``."""
        at = self._clock.now()
        return await repeats.repeat_backtest(command, context, desk=self._desk, host=self._host, ids=self._ids, at=at)

    async def compare_backtests(
        self, command: sample_messages.CompareBacktests, context: Context
    ) -> sample_messages.BacktestComparisonView:
        """Answer ``strategy.compare_backtests``."""
        return await repeats.compare_backtests(command, context, desk=self._desk)

    async def list_template_backtests(
        self, _command: sample_messages.ListTemplateBacktests, _context: Context
    ) -> sample_messages.TemplateBacktestsView:
        """Answer ``strategy.list_template_backtests``."""
        return await samples.list_template_backtests(desk=self._desk)

    async def make_template_backtests(
        self, _command: sample_messages.MakeTemplateBacktests, context: Context
    ) -> sample_messages.TemplateBacktestsView:
        """Answer ``strategy.make_template_backtests``."""
        at = self._clock.now()
        return await samples.make_template_backtests(context, desk=self._desk, ids=self._ids, at=at)

    async def draw_bars(self, command: course_messages.DrawBars, context: Context) -> course_messages.BarCourseView:
        """Answer ``strategy.draw_bars``."""
        return await courses.draw_bars(command, context, desk=self._desk, catalogue=self._catalogue)

    async def draw_backtest(
        self, command: course_messages.DrawBacktest, context: Context
    ) -> course_messages.BacktestCourseView:
        """Answer ``strategy.draw_backtest``."""
        return await courses.draw_backtest(command, context, desk=self._desk, catalogue=self._catalogue)

    async def get_backtest_terms(
        self, command: course_messages.GetBacktestTerms, context: Context
    ) -> course_messages.BacktestTermsView:
        """Answer ``strategy.get_backtest_terms``."""
        return await courses.get_terms(command, context, desk=self._desk)

    async def run_trial(self, command: course_messages.RunTrial, context: Context) -> messages.BacktestView:
        """Answer ``strategy.run_trial``."""
        at = self._clock.now()
        return await repeats.run_trial(command, context, desk=self._desk, host=self._host, ids=self._ids, at=at)

    async def cancel_backtest(self, command: messages.CancelBacktest, context: Context) -> messages.BacktestView:
        """Answer ``strategy.cancel_backtest``."""
        at = self._clock.now()
        return await backtests.cancel_backtest(command.backtest_id, context, desk=self._desk, ids=self._ids, at=at)

    async def get_verdict(self, command: sweep_messages.GetVerdict, context: Context) -> sweep_messages.VerdictView:
        """Answer ``strategy.get_verdict``."""
        return await sweeps.get_verdict(command.backtest_id, context, desk=self._desk)

    async def get_thresholds(
        self, _command: sweep_messages.GetThresholds, context: Context
    ) -> sweep_messages.ThresholdsView:
        """Answer ``strategy.get_thresholds``."""
        return await thresholds.get_thresholds(context, desk=self._desk)

    async def set_thresholds(
        self, command: sweep_messages.SetThresholds, context: Context
    ) -> sweep_messages.ThresholdsView:
        """Answer ``strategy.set_thresholds``."""
        at = self._clock.now()
        return await thresholds.set_thresholds(command, context, desk=self._desk, ids=self._ids, at=at)

    async def start_sweep(self, command: sweep_messages.StartSweep, context: Context) -> sweep_messages.SweepView:
        """Answer ``strategy.start_sweep``."""
        return await sweeps.start_sweep(
            command,
            context,
            desk=self._desk,
            workflows=self._workflows,
            limits=self._limits,
            host=self._host,
            ids=self._ids,
            at=self._clock.now(),
        )

    async def get_sweep(self, command: sweep_messages.GetSweep, context: Context) -> sweep_messages.SweepView:
        """Answer ``strategy.get_sweep``."""
        return await sweeps.get_sweep(command.sweep_id, context, desk=self._desk)

    async def list_sweeps(self, command: sweep_messages.ListSweeps, context: Context) -> sweep_messages.SweepsView:
        """Answer ``strategy.list_sweeps``."""
        return await sweeps.list_sweeps(context, desk=self._desk, limit=command.limit)

    async def list_trials(self, command: sweep_messages.ListTrials, context: Context) -> sweep_messages.TrialsView:
        """Answer ``strategy.list_trials``."""
        return await sweeps.list_trials(command.sweep_id, context, desk=self._desk, limit=command.limit)

    async def cancel_sweep(self, command: sweep_messages.CancelSweep, context: Context) -> sweep_messages.SweepView:
        """Answer ``strategy.cancel_sweep``."""
        at = self._clock.now()
        return await sweeps.cancel_sweep(command.sweep_id, context, desk=self._desk, ids=self._ids, at=at)

    async def unlock_holdout(self, command: sweep_messages.UnlockHoldout, context: Context) -> messages.BacktestView:
        """Answer ``strategy.unlock_holdout``."""
        return await sweeps.unlock_holdout(
            command.sweep_id,
            context,
            desk=self._desk,
            workflows=self._workflows,
            limits=self._limits,
            host=self._host,
            ids=self._ids,
            at=self._clock.now(),
        )

    async def create_feed(self, command: messages.CreateFeed, context: Context) -> messages.FeedView:
        """Answer ``strategy.create_feed``."""
        at = self._clock.now()
        return await feeds.create_feed(command, context, desk=self._desk, sources=self._sources, ids=self._ids, at=at)

    async def get_feed(self, command: messages.GetFeed, _context: Context) -> messages.FeedView:
        """Answer ``strategy.get_feed``."""
        return await feeds.get_feed(FeedId(command.feed_id), desk=self._desk)

    async def list_feeds(self, _command: messages.ListFeeds, _context: Context) -> messages.FeedsView:
        """Answer ``strategy.list_feeds``."""
        return await feeds.list_feeds(desk=self._desk)

    async def control_feed(self, command: messages.ControlFeed, context: Context) -> messages.FeedView:
        """Answer ``strategy.control_feed``."""
        at = self._clock.now()
        return await feeds.control_feed(command, context, desk=self._desk, ids=self._ids, at=at)

    async def create_deployment(self, command: messages.CreateDeployment, context: Context) -> messages.DeploymentView:
        """Answer ``strategy.create_deployment``."""
        return await deployments.create_deployment(
            command,
            context,
            desk=self._desk,
            workflows=self._workflows,
            orders=self._orders,
            limits=self._limits,
            host=self._host,
            ids=self._ids,
            at=self._clock.now(),
        )

    async def get_deployment(self, command: messages.GetDeployment, context: Context) -> messages.DeploymentView:
        """Answer ``strategy.get_deployment``."""
        return await deployments.get_deployment(DeploymentId(command.deployment_id), context, desk=self._desk)

    async def list_deployments(self, _command: messages.ListDeployments, context: Context) -> messages.DeploymentsView:
        """Answer ``strategy.list_deployments``."""
        return await deployments.list_deployments(context, desk=self._desk)

    async def on_split_applied(self, delivery: Delivery[SplitApplied]) -> None:
        """Hear ``trading.split_applied``."""
        await deployments.split_deployments(delivery, desk=self._desk)

    async def on_feed_split(self, delivery: Delivery[FeedSplit]) -> None:
        """Hear ``trading.feed_split``."""
        await deployments.split_feed(delivery, desk=self._desk)

    async def stop_deployment(self, command: messages.StopDeployment, context: Context) -> messages.DeploymentView:
        """Answer ``strategy.stop_deployment``."""
        deployment_id, at = DeploymentId(command.deployment_id), self._clock.now()
        return await deployments.stop_deployment(
            deployment_id, context, desk=self._desk, orders=self._orders, ids=self._ids, at=at
        )

    async def preview_graph(self, command: PreviewGraph, context: Context) -> GraphPreviewView:
        """Answer ``strategy.preview_graph``."""
        return await previews.preview_graph(command, context, desk=self._desk, catalogue=self._catalogue)

    async def explain_backtest(self, command: ExplainBacktest, context: Context) -> ExplanationView:
        """Answer ``strategy.explain_backtest``."""
        return await explanations.explain_backtest(
            command, context, desk=self._desk, catalogue=self._catalogue, host=self._host
        )

    async def explain_deployment(self, command: ExplainDeployment, context: Context) -> ExplanationView:
        """Answer ``strategy.explain_deployment``."""
        return await explanations.explain_deployment(
            command, context, desk=self._desk, catalogue=self._catalogue, orders=self._orders
        )

    async def on_fills_booked(self, deliveries: Sequence[Delivery[FillBooked]]) -> None:
        """Hear ``trading.fill_booked``."""
        await fills.hear_fills(deliveries, desk=self._desk)

    async def list_decisions(self, command: messages.ListDecisions, context: Context) -> messages.DecisionsView:
        """Answer ``strategy.list_decisions``."""
        return await deployments.list_decisions(command, context, desk=self._desk)

    async def measure_drift(self, command: drift_messages.MeasureDrift, context: Context) -> drift_messages.DriftView:
        """Answer ``strategy.measure_drift``."""
        at_hand = drift.DriftDesk(
            desk=self._desk,
            catalogue=self._catalogue,
            orders=self._orders,
            host=self._host,
            ids=self._ids,
            clock=self._clock,
        )
        return await drift.measure_drift(DeploymentId(command.deployment_id), context, at_hand=at_hand)

    async def get_drift(self, command: drift_messages.GetDrift, context: Context) -> drift_messages.DriftView:
        """Answer ``strategy.get_drift``."""
        return await drift.get_drift(DeploymentId(command.deployment_id), context, desk=self._desk)


class Worker:
    """Carries out imports and backtests, oldest first, one at a time."""

    def __init__(self, *, desk: Desk, catalogue: Catalogue, host: Host, clock: Clock, ids: IdSource) -> None:
        self._desk = desk
        self._catalogue = catalogue
        self._host = host
        self._clock = clock
        self._ids = ids
        self._waker = Waker()
        self.wake = self._waker.wake

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            if not await self.do_next():
                await self._waker.sleep(IDLE_S)

    async def do_next(self) -> bool:
        """Carry out the oldest import, else the oldest backtest; False if nothing waits."""
        return await self._import() or await self._backtest()

    async def _import(self) -> bool:
        now = self._clock.now()
        async with self._desk.transaction() as tx:
            row = await tx.session.row("imports.lease", now, now + LEASE)
        if row is not None:
            await imports.run_import(row, desk=self._desk, catalogue=self._catalogue, clock=self._clock, ids=self._ids)
        return row is not None

    async def _backtest(self) -> bool:
        now = self._clock.now()
        async with self._desk.transaction() as tx:
            row = await tx.session.row("backtests.lease", now, now + LEASE)
        if row is not None:
            await backtests.run_one(
                row, desk=self._desk, catalogue=self._catalogue, host=self._host, clock=self._clock, ids=self._ids
            )
        return row is not None
