"""Backtest and import jobs as tests start them, hold them and let a worker work on them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import pytest

from alphintra.contracts.strategy import (
    BacktestView,
    CancelBacktest,
    GetBacktest,
    StartBacktest,
)
from alphintra.engine.backtest import BacktestResult, BacktestSettings, run_backtest
from alphintra.engine.bars import Bar
from alphintra.engine.graph import compile_plan
from alphintra.engine.templates import crossover
from alphintra.strategy.service import jobs
from fixtures.single_service import PowerCutError
from integration.strategy.stage import WAVE, Stage, eventually
from unit.engine.builders import flat_bars
from unit.strategy.market_csv import days, file_of

if TYPE_CHECKING:
    from uuid import UUID

    from alphintra.kernel.messages import Context

STRATEGY = crossover(2, 4, average="sma", percent="50")
FILE = "".join(file_of(*days(30))).encode()
WIDE = [f"{row},{'x' * 50_000}" for row in days(50)]
_COLUMNS = ("open", "high", "low", "close", "volume")
LEASE_OVER_S = jobs.LEASE.total_seconds() + 1


async def start(stage: Stage, **wishes: Any) -> BacktestView:  # noqa: ANN401 - fields of the command
    """Queue a backtest of the crossover on AAPL."""
    command: dict[str, Any] = {"version_id": stage.town.write_workflow(stage.owner_id, STRATEGY), "symbol": "AAPL"}
    command |= wishes
    return await stage.endpoints.start_backtest(StartBacktest(**command), stage.owner)


async def backtest(stage: Stage, backtest_id: UUID, context: Context | None = None) -> BacktestView:
    return await stage.endpoints.get_backtest(GetBacktest(backtest_id=backtest_id), context or stage.owner)


async def cancel(stage: Stage, backtest_id: UUID) -> BacktestView:
    return await stage.endpoints.cancel_backtest(CancelBacktest(backtest_id=backtest_id), stage.owner)


def simulated(settings: BacktestSettings) -> BacktestResult:
    """Return what the engine makes of the bars as the catalogue gives them: with nine decimals."""
    bars = [Bar(bar.ts, *(round(getattr(bar, name), 9) for name in _COLUMNS)) for bar in flat_bars(WAVE)]
    return run_backtest(compile_plan(STRATEGY), "AAPL", bars=bars, settings=settings)


class Gate:
    """Holds the computation of a job until the test opens it."""

    def __init__(self, patch: pytest.MonkeyPatch, module: Any, name: str) -> None:  # noqa: ANN401 - a module
        self.entered = threading.Event()
        self.opened = threading.Event()
        self.entries = 0
        compute = getattr(module, name)

        def held(*args: object, **named: object) -> object:
            self.entries += 1
            self.entered.set()
            assert self.opened.wait(20)
            return compute(*args, **named)

        patch.setattr(module, name, held)

    async def reached(self) -> None:
        """Wait until a job computes."""

        async def is_in() -> bool:
            return self.entered.is_set()

        await eventually(is_in)


@asynccontextmanager
async def working(stage: Stage) -> AsyncIterator[asyncio.Task[None]]:
    """Let a worker work."""
    task = asyncio.create_task(stage.work())
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError, PowerCutError):
            await task
