"""One step of a running feed, in lock-step with trading, risk and broker.

Market first, then books, then decisions, then orders: the next bar comes only when every order of this one has been
acknowledged or refused, so that paper trading yields what the backtest yields. Each part is safe to repeat, and the
feed's position moves last: a runner killed anywhere does the step again, and nothing happens twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from alphintra.contracts.strategy import FeedFinished, FeedStatusChanged, IntentSubmitted
from alphintra.engine.algorithm_runs import AlgorithmExecutor, decider_of
from alphintra.engine.graph.parsing import parse_graph
from alphintra.engine.graph.plan import compile_plan
from alphintra.engine.intents import Outcome
from alphintra.infrastructure.events import append_audit, append_event
from alphintra.infrastructure.faults import fault_point
from alphintra.infrastructure.telemetry import get_logger
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.vocabulary import TERMINAL
from alphintra.strategy.domain.deployments import Deployment, Evaluation, evaluate, warm_up
from alphintra.strategy.domain.live_bars import live_hours
from alphintra.strategy.domain.replay import bars_before, hours_of, is_split_between
from alphintra.strategy.gateways.services import owner_context, service_context
from alphintra.strategy.service.across import Across, Seen
from alphintra.strategy.service.claims import note_claim
from alphintra.strategy.service.deployments import ended
from alphintra.strategy.service.fills import Working, await_fills, fold_kept
from alphintra.strategy.service.placing import Placer, until

if TYPE_CHECKING:
    from alphintra.engine.algorithm_runs import Decider, Host
    from alphintra.engine.bars import Bar
    from alphintra.kernel.clock import Clock
    from alphintra.kernel.ids import DeploymentId, FeedId, IdSource
    from alphintra.kernel.messages import Context, Event
    from alphintra.strategy.domain.live_bars import LiveTerms
    from alphintra.strategy.domain.replay import FeedSplit, Step
    from alphintra.strategy.gateways.services import Market, Orders
    from alphintra.strategy.repository import Desk, DeskTransaction

__all__ = ["Stepper"]

_encode = msgspec.json.Encoder(order="sorted").encode


@dataclass(slots=True)
class _Running:
    """A deployment's executor as of its last stored step, kept so that a bar costs no restore."""

    deployment_id: DeploymentId
    executor: Decider
    last_seq: int

    @property
    def is_hosted(self) -> bool:
        """Tell whether an algorithm decides, in a process of its own."""
        return isinstance(self.executor, AlgorithmExecutor)


class Stepper:
    """Advances one feed; holds executors between steps, and rebuilds them from the stored state when in doubt.

    The steps are those of a replay, all there are; of live feeds, which say their terms, those recorded so far.
    """

    def __init__(  # noqa: PLR0913 - a step touches all of these
        self,
        feed_id: FeedId,
        steps: Sequence[Step],
        *,
        desk: Desk,
        market: Market,
        orders: Orders,
        host: Host,
        clock: Clock,
        ids: IdSource,
        live: LiveTerms | None = None,
    ) -> None:
        self._feed_id = feed_id
        self.steps = steps
        self._hours = hours_of(steps) if live is None else live_hours(live)
        self._desk = desk
        self._market = market
        self._orders = orders
        self._host = host
        self._clock = clock
        self._ids = ids
        late_after = None if live is None else live.length
        self._placer = Placer(
            feed_id, desk=desk, market=market, orders=orders, clock=clock, ids=ids, late_after=late_after
        )
        self._running: dict[DeploymentId, _Running] = {}
        self._ticks: dict[str, Decimal | None] = {}
        self._across = Across(clock=clock, ids=ids, give_up=self._give_up)

    def add(self, steps: Sequence[Step]) -> None:
        """Take steps that a live feed has recorded meanwhile."""
        if steps:
            self.steps = [*self.steps, *steps]

    def forget(self) -> None:
        """Rebuild executors from what is stored, which may have changed while the feed stood."""
        self._running.clear()
        self._ticks.clear()
        self._across.forget()

    async def advance(self, step: Step, trace_id: str) -> str:
        """Do one step; return the feed's status after it.

        Raises *_UNAVAILABLE, STORE_* and STEP_WAITS where it must be repeated, FEED_MOVED where another runner did it.
        """
        context = service_context(trace_id)
        working = await self._match(step, trace_id)
        fault_point("strategy.matched")
        if await self._placer.end_waiting(step, self.steps, trace_id):
            working = await self._working_orders(trace_id)
        for symbol in dict(step.bars):
            if symbol not in self._ticks:
                self._ticks[symbol] = await self._orders.tick(symbol, context)
        await self._decide(step, working)
        fault_point("strategy.decided")
        await self._placer.place(step, trace_id)
        fault_point("strategy.placed")
        return await self._move_on(step, context)

    async def place_left(self, trace_id: str) -> bool:
        """Go on between two bars with orders that waited for a venue; False where there are none."""
        return bool(self.steps) and await self._placer.place_left(self.steps[-1], trace_id)

    async def _move_on(self, step: Step, context: Context) -> str:
        async with self._desk.transaction() as tx:
            status = await tx.advance_feed(self._feed_id, seq=step.seq, ts=step.ts)
            if status is None:
                raise _moved(step)
            feed = None if status == "running" else await tx.lock_feed(self._feed_id)
            told: list[Event] = []
            if feed is not None:
                told.append(FeedStatusChanged(feed_id=self._feed_id, status=status, interval_ms=feed.interval_ms))
            if feed is not None and feed.owner_id is not None and status == "finished":
                told.append(FeedFinished(feed_id=self._feed_id, owner_id=feed.owner_id, status=status, error=""))
            at = self._clock.now()
            for event in told:
                await append_event(tx.session, event, ids=self._ids, aggregate_id=self._feed_id, context=context, at=at)
        return status

    async def _match(self, step: Step, trace_id: str) -> Working:
        """Let the paper venue meet the bars, wait until all know every execution, then mark prices.

        Returns the orders that were open when the step began, as they stand with what is kept of their executions.
        """
        context = service_context(trace_id)
        done = await self._market.advance(self._feed_id, step, context, hours=self._hours)
        by_account: dict[UUID, list[str]] = {}
        for execution in done.executions:
            by_account.setdefault(execution.account_id, []).append(execution.execution_id)
        for account_id, execution_ids in by_account.items():
            await self._booked(account_id, execution_ids, context)
        working = await self._working_orders(trace_id)
        kept = {row["execution_id"] for row in await self._desk.rows("fills.pending", self._feed_id)}
        wanted = sorted(kept | {execution.execution_id for execution in done.executions})

        async def is_marked() -> bool:
            marked = await self._market.mark(self._feed_id, step, context, await_executions=wanted)
            return not marked.missing

        await until(is_marked, "risk has not taken the executions of the step")
        return working

    async def _booked(self, account_id: UUID, execution_ids: Sequence[str], context: Context) -> None:
        async def is_booked() -> bool:
            return len(await self._orders.executions(account_id, execution_ids, context)) == len(execution_ids)

        await until(is_booked, "trading has not booked the executions of the step")

    async def _working_orders(self, trace_id: str) -> Working:
        """Ask trading how the open orders stand, and wait for what was executed of them."""
        working = tuple(
            [
                (item, await self._orders.order(item.intent.order_id, owner_context(item, trace_id)))
                for item in await self._desk.open_intents(self._feed_id)
                if item.intent.order_id is not None
            ]
        )
        await await_fills(working, trace_id, desk=self._desk, orders=self._orders)
        return working

    async def _decide(self, step: Step, working: Working) -> None:
        """Let every deployment that has not seen the step see it; state, decision and intents are stored together.

        Before, what was executed is put into the books, also of deployments that see nothing any more; and intents are
        closed only with what was executed in the books.
        """
        bars = dict(step.bars)
        moved: list[_Running] = []
        unplaced = [item for item in await self._desk.open_intents(self._feed_id) if item.intent.order_id is None]
        unfinished: dict[DeploymentId, set[bool]] = {}
        for item in [*unplaced, *(item for item, order in working if order.status not in TERMINAL)]:
            unfinished.setdefault(item.intent.deployment_id, set()).add(item.intent.is_leaving)
        async with self._desk.transaction() as tx:
            await self._require_here(tx, step)
            await fold_kept(tx, self._feed_id, step.seq, working)
            splits = await tx.splits(self._feed_id)
            behind = await tx.deployments_behind(self._feed_id, step.seq)
            self._drop_all_but({deployment.deployment_id for deployment in behind})
            for deployment in behind:
                if deployment.symbols:
                    await self._across.decide(tx, deployment, Seen(step, self.steps, splits, working, unplaced))
                    continue
                bar = bars.get(deployment.symbol)
                if bar is None:
                    continue
                if deployment.status != "active":
                    await tx.save_deployment(replace(deployment, last_seq=step.seq, last_price=bar.close))
                    continue
                running = await self._evaluate(
                    tx,
                    deployment,
                    bar,
                    seq=step.seq,
                    working=unfinished.get(deployment.deployment_id, set()),
                    splits=splits,
                )
                if running is not None:
                    moved.append(running)
            for item, order in working:
                if not item.intent.is_withdrawn:  # it is settled once risk knows of it too
                    await self._placer.settle(tx, item, order)
        # Only now is it stored: an executor whose step was rolled back must not be used again.
        self._running |= {running.deployment_id: running for running in moved}
        self._across.keep()

    def _drop_all_but(self, behind: Collection[DeploymentId]) -> None:
        """Let go of deployments that were stopped: an algorithm's process ends with its executor."""
        self._running = {name: running for name, running in self._running.items() if name in behind}

    async def _require_here(self, tx: DeskTransaction, step: Step) -> None:
        """Hold the feed, so that of two runners at the same step one decides; the late one must not touch the next."""
        feed = await tx.lock_feed(self._feed_id)
        if feed is None or feed.seq != step.seq - 1:
            raise _moved(step)

    async def _evaluate(
        self,
        tx: DeskTransaction,
        deployment: Deployment,
        bar: Bar,
        *,
        seq: int,
        working: Collection[bool],
        splits: Sequence[FeedSplit],
    ) -> _Running | None:
        """Evaluate one deployment and store the outcome; a strategy that fails is stopped, the others go on.

        ``working`` tells of each order that works whether it is to leave.
        """
        at = self._clock.now()
        running = self._running.pop(deployment.deployment_id, None)
        work = partial(self._evaluated, running, seq=seq, working=working, splits=splits, at=at)
        try:
            # An algorithm is waited for: what else this service does must not.
            is_hosted = _is_algorithm(deployment) if running is None else running.is_hosted
            if is_split_between(splits, deployment.symbol, deployment.last_seq, seq):
                deployment = replace(deployment, executor_state="")
            told = (deployment, bar)
            moved, evaluation = await asyncio.to_thread(work, *told) if is_hosted else work(*told)
        except Exception as error:  # noqa: BLE001 - pure code of one strategy: its failure is its own
            reason = str(error) if isinstance(error, AlphintraError) else f"INTERNAL: {type(error).__name__}"
            get_logger().exception("deployment.failed", deployment_id=str(deployment.deployment_id), reason=reason)
            ended = replace(deployment, last_seq=seq, last_price=bar.close)
            await self._give_up(tx, ended, ts=bar.ts, reason=reason, at=at)
            return None
        await tx.save_deployment(evaluation.deployment)
        await tx.add_decision(evaluation, values=_encode(evaluation.decision.values).decode())
        if evaluation.decision.outcome is Outcome.ENTRY_CANCELED:
            await tx.execute("intents.withdraw", deployment.deployment_id, deployment.symbol)
        for intent in evaluation.intents:
            event = IntentSubmitted(
                deployment_id=deployment.deployment_id,
                owner_id=deployment.owner_id,
                client_order_id=intent.client_order_id,
                symbol=deployment.symbol,
            )
            context = service_context(deployment.deployment_id.hex)
            await append_event(
                tx.session, event, ids=self._ids, aggregate_id=deployment.deployment_id, context=context, at=at
            )
        return replace(moved, last_seq=seq)

    def _evaluated(  # noqa: PLR0913 - a bar and all that surrounds it
        self,
        running: _Running | None,
        deployment: Deployment,
        bar: Bar,
        *,
        seq: int,
        working: Collection[bool],
        splits: Sequence[FeedSplit],
        at: datetime,
    ) -> tuple[_Running, Evaluation]:
        if running is None or running.last_seq != deployment.last_seq or not deployment.executor_state:
            running = self._restored(deployment, seq=seq, splits=splits)
        evaluation = evaluate(
            deployment,
            running.executor,
            bar,
            seq=seq,
            is_order_working=bool(working),
            is_entry_working=False in working,
            at=at,
        )
        return running, evaluation

    async def _give_up(
        self, tx: DeskTransaction, deployment: Deployment, *, ts: datetime, reason: str, at: datetime
    ) -> None:
        """Stop a deployment that cannot be evaluated; what it holds stays, its cash goes back to the account."""
        deployment_id = deployment.deployment_id
        await tx.save_deployment(deployment)
        if await tx.execute("deployments.stop", deployment_id, "failed", reason):
            await tx.add_failure(deployment, ts=ts)
            subject = f"deployment:{deployment_id}"
            facts: dict[str, object] = {"reason": reason}
            context = service_context(deployment_id.hex)
            await append_audit(tx.session, "deployment.fail", subject, facts, ids=self._ids, context=context, at=at)
            event = await ended(tx, deployment, "failed")
            await append_event(tx.session, event, ids=self._ids, aggregate_id=deployment_id, context=context, at=at)
            await note_claim(tx, deployment_id, deployment.account_id, due_at=at)

    def _restored(self, deployment: Deployment, *, seq: int, splits: Sequence[FeedSplit]) -> _Running:
        """Rebuild an executor as of its last step.

        A new one, one after a split, or one whose state an earlier Alphintra kept, is warmed on the bars before it.
        """
        plan = compile_plan(parse_graph(deployment.graph.encode()))
        executor = decider_of(plan, deployment.symbol, host=self._host, tick=self._ticks.get(deployment.symbol))
        if deployment.executor_state:
            try:
                executor.restore(deployment.executor_state.encode())
            except AlphintraError as error:
                if error.code != "SNAPSHOT_OLD":
                    raise
                get_logger().warning("deployment.warmed_anew", deployment_id=str(deployment.deployment_id))
            else:
                return _Running(deployment.deployment_id, executor, deployment.last_seq)
        # Up to the step at hand, not to ``last_seq``: it may have been made while its first step was under way.
        bars = bars_before(self.steps, seq, deployment.symbol, splits=splits)
        warm_up(executor, bars, capital=deployment.capital)
        return _Running(deployment.deployment_id, executor, deployment.last_seq)


def _is_algorithm(deployment: Deployment) -> bool:
    return any(node.type == "Algorithm" for node in parse_graph(deployment.graph.encode()).nodes)


def _moved(step: Step) -> AlphintraError:
    return AlphintraError("FEED_MOVED", f"step {step.seq} was done by another runner", kind=Kind.CONFLICT)
