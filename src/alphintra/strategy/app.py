"""Composition root of strategy."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from random import SystemRandom
from typing import TYPE_CHECKING

from alphintra.contracts import algorithms as algorithm_messages
from alphintra.contracts import courses, drift, explanations, previews, samples, sweeps
from alphintra.contracts import strategy as messages
from alphintra.contracts.feed_splits import FeedSplit
from alphintra.contracts.trading import FillBooked, SplitApplied
from alphintra.strategy.endpoints import Endpoints, Worker
from alphintra.strategy.gateways.algorithm_process import ProcessHost
from alphintra.strategy.gateways.bar_sources import Sources
from alphintra.strategy.gateways.catalogue import Catalogue
from alphintra.strategy.gateways.machine_code import Compiler, settle
from alphintra.strategy.gateways.packages import Packages
from alphintra.strategy.gateways.ray_trials import runner_of
from alphintra.strategy.gateways.services import Fleet, Limits, Market, Orders, Workflows
from alphintra.strategy.gateways.venue_bars import Connections
from alphintra.strategy.gateways.yahoo_bars import YAHOO, open_yahoo
from alphintra.strategy.repository import Desk
from alphintra.strategy.service.claims import ClaimKeeper
from alphintra.strategy.service.download_worker import DownloadWorker
from alphintra.strategy.service.drift import DriftDesk, DriftWorker
from alphintra.strategy.service.feed_runner import FeedRunner
from alphintra.strategy.service.samples import SampleKeeper
from alphintra.strategy.service.sweep_worker import SweepWorker

if TYPE_CHECKING:
    from alphintra.infrastructure.host import Parts, ServiceHost

__all__ = ["wire"]


def wire(host: ServiceHost, parts: Parts) -> None:
    """Enter what strategy answers, hears and does in the background; its option ``catalogue`` names the data folder."""
    desk = Desk(host.database)
    catalogue = Catalogue(Path(host.credentials.options["catalogue"]))
    sources = Sources(os.environ, others={YAHOO: lambda url: open_yahoo(url, host.clock.now())})
    packages = Packages(os.environ, sys.path)
    algorithms = ProcessHost(packages)
    workflows, market, orders = Workflows(host.bus), Market(host.bus), Orders(host.bus)
    endpoints = Endpoints(
        desk=desk,
        catalogue=catalogue,
        workflows=workflows,
        orders=orders,
        limits=Limits(host.bus),
        packages=packages,
        host=algorithms,
        sources=sources,
        clock=host.clock,
        ids=host.ids,
    )
    _answer(host, endpoints)
    host.hear(SplitApplied, endpoints.on_split_applied)
    host.hear(FeedSplit, endpoints.on_feed_split)
    host.hear_many((FillBooked,), endpoints.on_fills_booked)
    if parts.background:
        runner = FeedRunner(
            desk=desk,
            catalogue=catalogue,
            market=market,
            orders=orders,
            fleet=Fleet(host.bus),
            host=algorithms,
            sources=sources,
            connections=Connections(host.bus),
            chance=SystemRandom().random,
            clock=host.clock,
            ids=host.ids,
        )
        keeper = ClaimKeeper(desk=desk, orders=orders, clock=host.clock)
        host.run("claims", keeper.run)
        host.on_wake(keeper.wake)
        host.run("feeds", runner.run)
        at_hand = DriftDesk(
            desk=desk, catalogue=catalogue, orders=orders, host=algorithms, ids=host.ids, clock=host.clock
        )
        drifts = DriftWorker(at_hand)
        host.run("drift", drifts.run)
        host.on_wake(runner.wake)
    if parts.work:
        settle(catalogue.folder)
        host.run("kernels", Compiler().run)
        worker = Worker(desk=desk, catalogue=catalogue, host=algorithms, clock=host.clock, ids=host.ids)
        host.run("jobs", worker.run)
        host.on_wake(worker.wake)
        host.run("samples", SampleKeeper(desk=desk, clock=host.clock, ids=host.ids).run)
        downloader = DownloadWorker(desk=desk, catalogue=catalogue, sources=sources, clock=host.clock, ids=host.ids)
        host.run("downloads", downloader.run)
        host.on_wake(downloader.wake)
        searcher = SweepWorker(
            desk=desk,
            catalogue=catalogue,
            runner=runner_of(os.environ, catalogue.folder, host=algorithms),
            host=algorithms,
            clock=host.clock,
            ids=host.ids,
        )
        host.run("sweeps", searcher.run)
        host.on_wake(searcher.wake)


def _answer(host: ServiceHost, endpoints: Endpoints) -> None:
    answer = host.bus.answer
    answer(messages.StageUpload, endpoints.stage_upload)
    answer(messages.ImportDataset, endpoints.import_dataset)
    answer(messages.GetImport, endpoints.get_import)
    answer(messages.ListDatasets, endpoints.list_datasets)
    answer(messages.GetDataset, endpoints.get_dataset)
    answer(messages.CheckDataset, endpoints.check_dataset)
    answer(messages.StartDownload, endpoints.start_download)
    answer(messages.GetDownload, endpoints.get_download)
    answer(messages.ListDownloads, endpoints.list_downloads)
    answer(messages.CancelDownload, endpoints.cancel_download)
    answer(messages.ListBars, endpoints.list_bars)
    answer(courses.DrawBars, endpoints.draw_bars)
    answer(courses.DrawBacktest, endpoints.draw_backtest)
    answer(courses.GetBacktestTerms, endpoints.get_backtest_terms)
    answer(courses.RunTrial, endpoints.run_trial)
    answer(previews.PreviewGraph, endpoints.preview_graph)
    answer(algorithm_messages.ListAlgorithms, endpoints.list_algorithms)
    answer(messages.StartBacktest, endpoints.start_backtest)
    answer(explanations.ExplainBacktest, endpoints.explain_backtest)
    answer(explanations.ExplainDeployment, endpoints.explain_deployment)
    answer(messages.GetBacktest, endpoints.get_backtest)
    answer(messages.ListBacktests, endpoints.list_backtests)
    answer(messages.CancelBacktest, endpoints.cancel_backtest)
    answer(samples.RepeatBacktest, endpoints.repeat_backtest)
    answer(samples.CompareBacktests, endpoints.compare_backtests)
    answer(samples.ListTemplateBacktests, endpoints.list_template_backtests)
    answer(samples.MakeTemplateBacktests, endpoints.make_template_backtests)
    answer(sweeps.GetVerdict, endpoints.get_verdict)
    answer(sweeps.StartSweep, endpoints.start_sweep)
    answer(sweeps.GetSweep, endpoints.get_sweep)
    answer(sweeps.ListSweeps, endpoints.list_sweeps)
    answer(sweeps.ListTrials, endpoints.list_trials)
    answer(sweeps.CancelSweep, endpoints.cancel_sweep)
    answer(sweeps.UnlockHoldout, endpoints.unlock_holdout)
    answer(sweeps.GetThresholds, endpoints.get_thresholds)
    answer(sweeps.SetThresholds, endpoints.set_thresholds)
    answer(messages.CreateFeed, endpoints.create_feed)
    answer(messages.GetFeed, endpoints.get_feed)
    answer(messages.ListFeeds, endpoints.list_feeds)
    answer(messages.ControlFeed, endpoints.control_feed)
    answer(messages.CreateDeployment, endpoints.create_deployment)
    answer(messages.GetDeployment, endpoints.get_deployment)
    answer(messages.ListDeployments, endpoints.list_deployments)
    answer(messages.StopDeployment, endpoints.stop_deployment)
    answer(messages.ListDecisions, endpoints.list_decisions)
    answer(drift.MeasureDrift, endpoints.measure_drift)
    answer(drift.GetDrift, endpoints.get_drift)
