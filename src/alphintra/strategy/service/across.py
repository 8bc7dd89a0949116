"""One step of the deployments over several symbols: one decision a close, on all symbols that have a bar at it.

A step of a feed holds everything that closed at one time, so the bars of all symbols of a close are there together. On
a live feed a symbol's bar may be late: the feed waits for it as long as it says, and goes on without it then. A symbol
without a bar at a close decides nothing and trades nothing there, as in a backtest.
"""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

import msgspec

from alphintra.contracts.strategy import IntentSubmitted
from alphintra.engine.graph.parsing import parse_graph
from alphintra.engine.graph.plan import compile_plan
from alphintra.engine.intents import Outcome
from alphintra.engine.universe import UniverseExecutor
from alphintra.infrastructure.events import append_event
from alphintra.infrastructure.telemetry import get_logger
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.vocabulary import TERMINAL
from alphintra.strategy.domain.across import (
    AcrossEvaluation,
    close_of,
    closes_before,
    evaluate_across,
    is_anew,
    marked,
    warm_up_across,
)
from alphintra.strategy.gateways.services import service_context

if TYPE_CHECKING:
    from alphintra.contracts.orders import OrderView
    from alphintra.engine.universe import Close
    from alphintra.kernel.clock import Clock
    from alphintra.kernel.ids import DeploymentId, IdSource
    from alphintra.strategy.domain.deployments import Deployment, OpenIntent
    from alphintra.strategy.domain.replay import FeedSplit, Step
    from alphintra.strategy.repository import DeskTransaction

__all__ = ["Across", "GiveUp", "Seen"]

_encode = msgspec.json.Encoder(order="sorted").encode


class GiveUp(Protocol):
    """Stops a deployment that cannot be evaluated, in the transaction of the step."""

    def __call__(
        self, tx: DeskTransaction, deployment: Deployment, *, ts: datetime, reason: str, at: datetime
    ) -> Awaitable[None]:
        """Stop it."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known at a step: the feed so far, its splits, how orders stand, and what has none yet."""

    step: Step
    steps: Sequence[Step]
    splits: Sequence[FeedSplit]
    working: Sequence[tuple[OpenIntent, OrderView]]
    unplaced: Sequence[OpenIntent]

    def unfinished(self, deployment_id: DeploymentId) -> dict[str, set[bool]]:
        """Return by symbol, of each order of a deployment that works or is to be placed, whether it is to leave."""
        found: dict[str, set[bool]] = {}
        for item in [*self.unplaced, *(item for item, order in self.working if order.status not in TERMINAL)]:
            if item.intent.deployment_id == deployment_id:
                found.setdefault(item.symbol, set()).add(item.intent.is_leaving)
        return found


class Across:
    """Holds the executors of these deployments between steps; one whose step was not stored is rebuilt."""

    def __init__(self, *, clock: Clock, ids: IdSource, give_up: GiveUp) -> None:
        self._clock = clock
        self._ids = ids
        self._give_up = give_up
        self._kept: dict[DeploymentId, tuple[UniverseExecutor, int]] = {}
        self._moved: dict[DeploymentId, tuple[UniverseExecutor, int]] = {}

    def forget(self) -> None:
        """Rebuild executors from what is stored, which may have changed while the feed stood."""
        self._kept.clear()
        self._moved.clear()

    def keep(self) -> None:
        """Use the executors of the step again: it is stored."""
        self._kept |= self._moved
        self._moved.clear()

    async def decide(self, tx: DeskTransaction, deployment: Deployment, seen: Seen) -> None:
        """Let a deployment see the step, and store what comes of it; one that fails is stopped.

        What was executed is in its books already.
        """
        step = seen.step
        close = close_of(step, deployment.symbols)
        if close is None:
            return
        self._moved.pop(deployment.deployment_id, None)  # of a transaction that was not stored
        if deployment.status != "active":
            await tx.save_deployment(replace(marked(deployment, close), last_seq=step.seq))
            return
        at = self._clock.now()
        kept = self._kept.pop(deployment.deployment_id, None)
        try:
            executor = self._executor(deployment, kept, seen)
            working = seen.unfinished(deployment.deployment_id)
            evaluation = evaluate_across(deployment, executor, close, seq=step.seq, working=working, at=at)
        except Exception as error:  # noqa: BLE001 - pure code of one strategy: its failure is its own
            await self._failed(tx, deployment, close, seq=step.seq, error=error, at=at)
            return
        await self._store(tx, evaluation, at=at)
        self._moved[deployment.deployment_id] = (executor, step.seq)

    async def _failed(
        self, tx: DeskTransaction, deployment: Deployment, close: Close, *, seq: int, error: Exception, at: datetime
    ) -> None:
        reason = str(error) if isinstance(error, AlphintraError) else f"INTERNAL: {type(error).__name__}"
        get_logger().exception("deployment.failed", deployment_id=str(deployment.deployment_id), reason=reason)
        ended = replace(marked(deployment, close), last_seq=seq)
        await self._give_up(tx, ended, ts=close.ts, reason=reason, at=at)

    async def _store(self, tx: DeskTransaction, evaluation: AcrossEvaluation, *, at: datetime) -> None:
        deployment = evaluation.deployment
        await tx.save_deployment(deployment)
        await tx.add_decision(evaluation, values=_encode(evaluation.values).decode())
        for symbol, decision in evaluation.decision.decisions.items():
            if decision.outcome is Outcome.ENTRY_CANCELED:
                await tx.execute("intents.withdraw", deployment.deployment_id, symbol)
        context = service_context(deployment.deployment_id.hex)
        for intent in evaluation.intents:
            event = IntentSubmitted(
                deployment_id=deployment.deployment_id,
                owner_id=deployment.owner_id,
                client_order_id=intent.client_order_id,
                symbol=intent.symbol,
            )
            await append_event(
                tx.session, event, ids=self._ids, aggregate_id=deployment.deployment_id, context=context, at=at
            )

    def _executor(
        self, deployment: Deployment, kept: tuple[UniverseExecutor, int] | None, seen: Seen
    ) -> UniverseExecutor:
        """Return the executor as of the step before: kept, restored, or warmed on the bars before where there is none.

        A step that brings the first bar of a symbol since its split makes it anew, from bars in new shares; what waited
        for cash then waits no more.
        """
        is_new = not deployment.executor_state or is_anew(seen.steps, seen.step, deployment.symbols, splits=seen.splits)
        if kept is not None and kept[1] == deployment.last_seq and not is_new:
            return kept[0]
        executor = UniverseExecutor(compile_plan(parse_graph(deployment.graph.encode())), deployment.symbols)
        if not is_new:
            executor.restore(deployment.executor_state.encode())
            return executor
        closes = closes_before(seen.steps, seen.step, deployment.symbols, splits=seen.splits)
        warm_up_across(executor, closes, capital=deployment.capital)
        return executor
