"""A deployment: a strategy version with its own book inside an account, advanced bar by bar."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from alphintra.engine.bars import Bar
from alphintra.engine.book import Order
from alphintra.engine.executor import Executor
from alphintra.engine.graph.values import StateView
from alphintra.engine.intents import Decision
from alphintra.engine.portfolio import Position, apply_fill, cash_delta
from alphintra.engine.step import Origin, decide
from alphintra.kernel.ids import AccountId, DeploymentId, FeedId, UserId, WorkflowVersionId
from alphintra.kernel.vocabulary import OrderType, Side, TimeInForce

__all__ = ["BookedFill", "Deployment", "Evaluation", "OpenIntent", "StoredIntent", "evaluate", "fold_fills", "warm_up"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """A deployment as stored; the executor's state is kept as text, so that a killed runner goes on exactly."""

    deployment_id: DeploymentId
    owner_id: UserId
    version_id: WorkflowVersionId
    graph_hash: str
    graph: str
    account_id: AccountId
    feed_id: FeedId
    symbol: str
    capital: Decimal
    status: str
    last_seq: int
    executor_state: str
    cash: Decimal
    position: Position
    fees: Decimal
    last_price: Decimal | None
    intent_count: int
    error: str
    created_at: datetime

    @property
    def equity(self) -> Decimal:
        """Cash plus the position at the last price seen."""
        if self.last_price is None:
            return self.cash
        return self.cash + self.position.market_value(self.last_price)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredIntent:
    """What a deployment asks trading for; ``pending`` until trading has answered, then ``working``, then ``closed``."""

    client_order_id: str
    deployment_id: DeploymentId
    seq: int
    intent_index: int
    side: Side
    qty: Decimal
    type: OrderType
    time_in_force: TimeInForce
    tag: str
    status: str
    order_id: UUID | None
    order_code: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class OpenIntent:
    """An intent that is not closed, with what is needed to place and follow its order."""

    intent: StoredIntent
    owner_id: UserId
    account_id: UUID
    symbol: str
    graph_hash: str


@dataclass(frozen=True, slots=True)
class BookedFill:
    """An execution as trading has booked it for the deployment."""

    side: Side
    qty: Decimal
    price: Decimal
    fee: Decimal


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What one bar made of a deployment."""

    deployment: Deployment
    decision: Decision
    intents: tuple[StoredIntent, ...]


def warm_up(executor: Executor, bars: Sequence[Bar], *, capital: Decimal) -> None:
    """Show an executor the bars that were over before its deployment; nothing is ordered on them."""
    flat = StateView(qty=Decimal(0), avg_price=Decimal(0), cash=capital, equity=capital, is_order_working=False)
    for bar in bars:
        executor.on_bar(bar, flat)


def fold_fills(deployment: Deployment, fills: Iterable[BookedFill]) -> Deployment:
    """Return the deployment's book after executions of its orders, in the order they were booked."""
    cash, position, fees = deployment.cash, deployment.position, deployment.fees
    for fill in fills:
        position, _realized = apply_fill(position, fill.side, qty=fill.qty, price=fill.price)
        cash += cash_delta(fill.side, fill.qty, price=fill.price, fee=fill.fee)
        fees += fill.fee
    return replace(deployment, cash=cash, position=position, fees=fees)


def evaluate(
    deployment: Deployment, executor: Executor, bar: Bar, *, seq: int, is_order_working: bool, at: datetime
) -> Evaluation:
    """Evaluate a deployment at the close of a bar; its book must hold the fills of that bar already."""
    view = StateView(
        qty=deployment.position.qty,
        avg_price=deployment.position.avg_price,
        cash=deployment.cash,
        equity=deployment.cash + deployment.position.market_value(bar.close),
        is_order_working=is_order_working,
    )
    origin = Origin(str(deployment.deployment_id), deployment.symbol)
    decision, orders = decide(executor, bar, view, origin=origin)
    moved = replace(
        deployment,
        last_seq=seq,
        executor_state=executor.snapshot().decode(),
        last_price=bar.close,
        intent_count=deployment.intent_count + len(orders),
    )
    return Evaluation(moved, decision, tuple(_intent(moved, order, seq=seq, at=at) for order in orders))


def _intent(deployment: Deployment, order: Order, *, seq: int, at: datetime) -> StoredIntent:
    return StoredIntent(
        client_order_id=order.client_order_id,
        deployment_id=deployment.deployment_id,
        seq=seq,
        intent_index=order.intent.index,
        side=order.intent.side,
        qty=order.intent.qty,
        type=order.intent.order_type,
        time_in_force=order.intent.time_in_force,
        tag=order.intent.tag,
        status="pending",
        order_id=None,
        order_code="",
        created_at=at,
    )
