"""Use cases of drift: measuring what a deployment did against the backtest of its bars, daily and on demand."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import msgspec

from alphintra.contracts.drift import DriftCountView, DriftFound, DriftLineView, DriftView
from alphintra.engine.algorithm_runs import decider_of
from alphintra.engine.bars import Bar
from alphintra.engine.graph.evaluation import book_nodes
from alphintra.engine.graph.parsing import parse_graph
from alphintra.engine.graph.plan import Plan, compile_plan
from alphintra.engine.step import Origin
from alphintra.infrastructure.events import append_audit, append_event
from alphintra.infrastructure.telemetry import get_logger, new_trace_id
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.messages import Actor, Context
from alphintra.kernel.vocabulary import TERMINAL, Side
from alphintra.strategy.domain.drift import Actual, Drift, Happened, Ordered, compare, replay
from alphintra.strategy.repository import recorded_bar
from alphintra.strategy.service.deployments import owned_deployment
from alphintra.strategy.service.feeds import feed_source, feed_steps
from alphintra.strategy.service.jobs import Waker, work

if TYPE_CHECKING:
    from alphintra.engine.algorithm_runs import Host
    from alphintra.kernel.clock import Clock
    from alphintra.kernel.ids import DeploymentId, IdSource
    from alphintra.strategy.domain.deployments import Deployment
    from alphintra.strategy.gateways.catalogue import Catalogue
    from alphintra.strategy.gateways.services import Orders
    from alphintra.strategy.repository import Desk, Feed

__all__ = ["DriftDesk", "DriftWorker", "get_drift", "measure_drift"]

SHOWN_MAX: Final = 200
ORDERS_MAX: Final = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftDesk:
    """What the measuring of drift stands on."""

    desk: Desk
    catalogue: Catalogue
    orders: Orders
    host: Host
    ids: IdSource
    clock: Clock


@dataclass(frozen=True, slots=True)
class _Bars:
    """The bars of a deployment as they are known now, and which of them came late or otherwise at first."""

    bars: tuple[Bar, ...]
    late: frozenset[datetime]
    corrected: frozenset[datetime]


async def get_drift(deployment_id: DeploymentId, context: Context, *, desk: Desk) -> DriftView:
    """Return the newest report that was kept. Raises DEPLOYMENT_NOT_FOUND and DRIFT_NOT_MEASURED."""
    await owned_deployment(deployment_id, context, desk=desk)
    row = await desk.row("drift.newest", deployment_id)
    if row is None:
        message = "the drift of this deployment was not measured yet: measure it"
        raise AlphintraError("DRIFT_NOT_MEASURED", message, kind=Kind.NOT_FOUND)
    return msgspec.json.decode(row["report"], type=DriftView)


async def measure_drift(deployment_id: DeploymentId, context: Context, *, at_hand: DriftDesk) -> DriftView:
    """Hold a deployment against the backtest of its bars, keep the report, and tell of it where somebody has to look.

    Raises DEPLOYMENT_NOT_FOUND, DRIFT_SEVERAL_SYMBOLS, DRIFT_NO_BARS, DRIFT_SPLIT, DRIFT_TOO_LONG, DATASET_MISSING,
    NODE_VALUE and ALGORITHM_*.
    """
    desk, at = at_hand.desk, at_hand.clock.now()
    deployment = await owned_deployment(deployment_id, context, desk=desk)
    if deployment.symbols:
        message = "drift is measured of deployments of one symbol: compare one of several with a backtest of its days"
        raise AlphintraError("DRIFT_SEVERAL_SYMBOLS", message, kind=Kind.CONFLICT)
    seen = await desk.rows("decisions.all", deployment_id)
    if not seen:
        message = "the deployment has decided on no bar yet: measure its drift once it has"
        raise AlphintraError("DRIFT_NO_BARS", message, kind=Kind.CONFLICT)
    known = await _bars_of(deployment, at_hand=at_hand)
    first, last = seen[0]["bar_ts"], seen[-1]["bar_ts"]
    before = tuple(bar for bar in known.bars if bar.ts < first)
    bars = tuple(bar for bar in known.bars if first <= bar.ts <= last)
    happened = await _happened(deployment, seen, known, context, at_hand=at_hand)
    costs = await at_hand.orders.costs(deployment.account_id, context)
    plan = compile_plan(parse_graph(deployment.graph.encode()))
    origin = Origin(str(deployment_id), deployment.symbol)
    tick = await at_hand.orders.tick(deployment.symbol, context)

    def compute() -> Drift:
        with closing(decider_of(plan, deployment.symbol, host=at_hand.host, tick=tick)) as executor:
            replayed = replay(executor, before, bars, origin=origin, capital=deployment.capital, costs=costs)
        return compare(happened, replayed, bars, sources=_sources(plan), capital=deployment.capital)

    drift = await asyncio.to_thread(compute)
    view = _view(deployment, drift, first=first, last=last, at=at)
    await _keep(deployment, view, drift, context, at_hand=at_hand)
    return view


async def _bars_of(deployment: Deployment, *, at_hand: DriftDesk) -> _Bars:
    """Return the bars of a deployment's symbol; recorded ones with what was late and corrected put in."""
    desk = at_hand.desk
    feed = await desk.feed(deployment.feed_id)
    if feed is None:
        raise AlphintraError("FEED_NOT_FOUND", "the deployment's feed is gone", kind=Kind.NOT_FOUND)
    rows = await desk.rows("feeds.splits", feed.feed_id)
    if any(row["symbol"] == deployment.symbol for row in rows):
        message = f"{deployment.symbol} was split on this feed: drift is measured within one count of shares"
        raise AlphintraError("DRIFT_SPLIT", message, kind=Kind.CONFLICT)
    if feed.is_live:
        return await _recorded(feed, deployment.symbol, desk=desk)
    steps = await feed_steps(await feed_source(feed, desk=desk), catalogue=at_hand.catalogue)
    bars = tuple(bar for step in steps for symbol, bar in step.bars if symbol == deployment.symbol)
    return _Bars(bars, frozenset(), frozenset())


async def _recorded(feed: Feed, symbol: str, *, desk: Desk) -> _Bars:
    bars = {row["closed_at"]: recorded_bar(row) for row in await desk.rows("bars.of_symbol", feed.feed_id, symbol)}
    remarks = await desk.rows("remarks.of_symbol", feed.feed_id, symbol)
    newer = [row for row in remarks if row["open"] is not None]
    bars |= {row["closed_at"]: recorded_bar(row) for row in newer}
    late = frozenset(row["closed_at"] for row in newer if row["kind"] == "late")
    corrected = frozenset(row["closed_at"] for row in newer if row["kind"] == "corrected")
    return _Bars(tuple(bars[ts] for ts in sorted(bars)), late, corrected - late)


async def _happened(
    deployment: Deployment,
    seen: Sequence[Mapping[str, Any]],
    known: _Bars,
    context: Context,
    *,
    at_hand: DriftDesk,
) -> Happened:
    rows = await at_hand.desk.rows("intents.all", deployment.deployment_id, ORDERS_MAX + 1)
    if len(rows) > ORDERS_MAX:
        message = f"the deployment asked for more than {ORDERS_MAX} orders: start it anew to measure its drift"
        raise AlphintraError("DRIFT_TOO_LONG", message, kind=Kind.CONFLICT)
    orders = [await _ordered(row, context, orders=at_hand.orders) for row in rows]
    return Happened(
        decisions={row["bar_ts"]: Actual(row["outcome"], msgspec.json.decode(row["node_values"])) for row in seen},
        orders=orders,
        equity=deployment.equity,
        qty=deployment.position.qty,
        late=known.late,
        corrected=known.corrected,
    )


async def _ordered(row: Mapping[str, Any], context: Context, *, orders: Orders) -> Ordered:
    order = None if row["order_id"] is None else await orders.order(row["order_id"], context)
    legs = () if order is None else order.legs
    return Ordered(
        client_order_id=row["client_order_id"],
        ts=row["bar_ts"],
        side=Side(row["side"]),
        qty=row["qty"],
        code=row["order_code"],
        status=None if order is None else order.status,
        filled_qty=Decimal(0) if order is None else order.filled_qty,
        price=None if order is None else order.filled_avg_price,
        is_exit_canceled=bool(legs) and all(leg.status in TERMINAL and not leg.filled_qty for leg in legs),
    )


async def _keep(deployment: Deployment, view: DriftView, drift: Drift, context: Context, *, at_hand: DriftDesk) -> None:
    report_id, ids = at_hand.ids.new(), at_hand.ids
    deployment_id, at = deployment.deployment_id, view.made_at
    async with at_hand.desk.transaction() as tx:
        values = (at, drift.is_over, len(drift.differences), msgspec.json.encode(view).decode())
        await tx.execute("drift.insert", report_id, deployment_id, *values)
        if drift.is_over:
            event = DriftFound(
                report_id=report_id,
                deployment_id=deployment_id,
                owner_id=deployment.owner_id,
                account_id=deployment.account_id,
                symbol=deployment.symbol,
                equity_bps=view.equity_bps,
                reasons=view.reasons,
            )
            await append_event(tx.session, event, ids=ids, aggregate_id=deployment_id, context=context, at=at)
        facts: dict[str, object] = {"differences": len(drift.differences), "is_over": drift.is_over}
        subject = f"deployment:{deployment_id}"
        await append_audit(tx.session, "drift.measure", subject, facts, ids=ids, context=context, at=at)


class DriftWorker:
    """Measures the drift of every active deployment once a day (UTC)."""

    def __init__(self, at_hand: DriftDesk) -> None:
        self._at_hand = at_hand
        self._waker = Waker()
        self._given_up: dict[UUID, datetime] = {}
        self.wake = self._waker.wake

    async def run(self) -> None:
        """Work until cancelled."""
        await work(self.do_next, self._waker, waiting="drift.waiting")

    async def do_next(self) -> bool:
        """Measure one deployment that is due; False if none is. One that cannot be measured is left for the day."""
        now = self._at_hand.clock.now()
        today = now.replace(hour=0, minute=0, second=0, microsecond=0)
        self._given_up = {each: day for each, day in self._given_up.items() if day == today}
        row = await self._at_hand.desk.row("drift.due", today, list(self._given_up))
        if row is None:
            return False
        actor = Actor(id=f"deployment:{row['deployment_id']}", user_id=row["owner_id"], roles=("trader",))
        context = Context(trace_id=new_trace_id(), actor=actor)
        try:
            await measure_drift(row["deployment_id"], context, at_hand=self._at_hand)
        except AlphintraError as error:
            self._given_up[row["deployment_id"]] = today
            get_logger().warning("drift.unmeasured", deployment_id=str(row["deployment_id"]), reason=str(error))
        return True


def _sources(plan: Plan) -> frozenset[str]:
    """Return the nodes that show the market itself, not the book."""
    own = book_nodes(plan)
    return frozenset(step.node for step in plan.steps if not any(step.inputs.values()) and step.node not in own)


def _view(deployment: Deployment, drift: Drift, *, first: datetime, last: datetime, at: datetime) -> DriftView:
    return DriftView(
        deployment_id=deployment.deployment_id,
        made_at=at,
        graph_hash=deployment.graph_hash,
        symbol=deployment.symbol,
        first_ts=first,
        last_ts=last,
        bars=drift.bars,
        decisions=drift.decisions,
        orders=drift.orders,
        fills=drift.fills,
        equity=drift.equity,
        replayed_equity=drift.replayed_equity,
        equity_bps=drift.equity_bps,
        slippage_bps=drift.slippage_bps,
        is_over=drift.is_over,
        reasons=tuple(DriftCountView(reason=reason, count=count) for reason, count in drift.reasons.items()),
        differences=tuple(
            DriftLineView(ts=each.ts, kind=each.kind, reason=each.reason.value, detail=each.detail)
            for each in drift.differences[:SHOWN_MAX]
        ),
    )
