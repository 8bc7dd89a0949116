"""What trading has booked for deployments: heard, kept once, and folded into their books at the next step.

On paper and live it comes the same way: as trading's event of the execution, kept under account and execution id. A
step folds what is kept, and marks it, in the transaction of its decisions. No deployment decides before everything is
kept that trading counts on its open orders; what does not come by itself, after a loss of the bus, is fetched.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from alphintra.infrastructure.events import receive_many
from alphintra.infrastructure.faults import fault_point
from alphintra.infrastructure.telemetry import get_logger
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.vocabulary import Side
from alphintra.strategy.domain.across import fold_across
from alphintra.strategy.domain.deployments import BookedFill, Deployment, OpenIntent, fold_fills
from alphintra.strategy.gateways.services import owner_context
from alphintra.strategy.service.placing import until

if TYPE_CHECKING:
    from uuid import UUID

    from alphintra.contracts.books import ExecutionView
    from alphintra.contracts.orders import LegView, OrderView
    from alphintra.contracts.trading import FillBooked
    from alphintra.infrastructure.events import Delivery
    from alphintra.kernel.ids import FeedId
    from alphintra.strategy.gateways.services import Orders
    from alphintra.strategy.repository import Desk, DeskTransaction

__all__ = ["await_fills", "fold_kept", "hear_fills", "with_pending"]

_CONSUMER: Final = "strategy"
EVENT_WAIT_S: Final = 2.0  # how long an execution may be on its way before trading is asked for it

Working = Sequence[tuple[OpenIntent, "OrderView"]]


async def hear_fills(deliveries: Sequence[Delivery[FillBooked]], *, desk: Desk) -> None:
    """Keep the executions of deployments' orders; others, and those that are kept already, change nothing."""
    of_books = [each for each in deliveries if each.event.execution.book_id is not None]
    if not of_books:
        return
    async with desk.transaction() as tx:
        fresh = await receive_many(tx.session, _CONSUMER, of_books)
        await _keep(tx, [delivery.event.execution for delivery in fresh])
        fault_point("strategy.before_fill_commit")
    fault_point("strategy.fill_kept")


async def await_fills(working: Working, trace_id: str, *, desk: Desk, orders: Orders) -> None:
    """Return when every execution is kept that trading counts on these orders and their exits.

    Raises STEP_WAITS after a minute, and what trading raises when it is asked.
    """
    wanted = {each.order_id: each.filled_qty for _item, order in working for each in _with_legs(order)}
    wanted = {order_id: qty for order_id, qty in wanted.items() if qty}
    if not wanted:
        return

    async def missing() -> list[UUID]:
        rows = await desk.rows("fills.of_orders", list(wanted))
        kept = {row["order_id"]: row["qty"] for row in rows}
        return [order_id for order_id, qty in wanted.items() if kept.get(order_id, Decimal(0)) < qty]

    async def are_kept() -> bool:
        return not await missing()

    try:
        await until(are_kept, "executions are on their way", timeout_s=EVENT_WAIT_S)
    except AlphintraError:
        lost = set(await missing())
        get_logger().warning("fills.fetched", orders=[str(order_id) for order_id in lost])
        for item, order in working:
            for each in _with_legs(order):
                if each.order_id in lost:
                    await _fetch(item, each.order_id, trace_id, desk=desk, orders=orders)
        await until(are_kept, "trading counts executions of a deployment's orders that it does not list")


async def fold_kept(tx: DeskTransaction, feed_id: FeedId, seq: int, working: Working) -> tuple[str, ...]:
    """Put what is kept and not in them yet into the books of a feed's deployments; the feed must be held.

    An intent that was settled before is looked at again. Returns the ids of the executions.
    """
    rows = await tx.session.rows("fills.pending", feed_id)
    if not rows:
        return ()
    pending = _by_deployment(rows, exits={leg.order_id for _item, order in working for leg in order.legs})
    for deployment in await tx.held_deployments(list(pending)):
        await tx.save_book(_folded(deployment, pending[deployment.deployment_id]))
    execution_ids = [row["execution_id"] for row in rows]
    await tx.execute("fills.folded", [row["account_id"] for row in rows], execution_ids, seq)
    await tx.execute("intents.reopen", list(pending), [row["order_id"] for row in rows])
    return tuple(execution_ids)


async def with_pending(deployments: Sequence[Deployment], *, desk: Desk) -> tuple[Deployment, ...]:
    """Return deployments with what is kept in their books already, for people to see; nothing is stored."""
    rows = await desk.rows("fills.pending_of", [deployment.deployment_id for deployment in deployments])
    pending = _by_deployment(rows, exits=frozenset())
    return tuple(_folded(each, pending.get(each.deployment_id, ())) for each in deployments)


@dataclass(frozen=True, slots=True)
class _Kept:
    symbol: str
    fill: BookedFill


def _by_deployment(rows: Sequence[Mapping[str, Any]], *, exits: set[UUID] | frozenset[UUID]) -> dict[UUID, list[_Kept]]:
    """Sort executions by deployment, oldest first; of one moment those of exits behind that of their entry."""
    found: dict[UUID, list[_Kept]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: (row["executed_at"], row["order_id"] in exits)):
        side, order_id = Side(row["side"]), row["order_id"]
        fill = BookedFill(side, row["qty"], row["price"], row["fee"], order_id, row["fee_qty"])
        found[row["deployment_id"]].append(_Kept(row["symbol"], fill))
    return found


def _folded(deployment: Deployment, kept: Sequence[_Kept]) -> Deployment:
    if deployment.symbols:
        return fold_across(deployment, [(each.symbol, each.fill) for each in kept])
    return fold_fills(deployment, [each.fill for each in kept])


async def _fetch(item: OpenIntent, order_id: UUID, trace_id: str, *, desk: Desk, orders: Orders) -> None:
    """Keep what trading lists of an order."""
    found = await orders.executed(item.account_id, order_id, owner_context(item, trace_id))
    async with desk.transaction() as tx:
        await _keep(tx, found)


async def _keep(tx: DeskTransaction, executions: Sequence[ExecutionView]) -> None:
    if not executions:
        return
    names = ("account_id", "execution_id", "book_id", "order_id", "symbol", "side")
    amounts = ("qty", "price", "fee", "fee_qty", "executed_at", "booked_at")
    await tx.execute("fills.note", *([getattr(each, name) for each in executions] for name in (*names, *amounts)))


def _with_legs(order: OrderView) -> tuple[LegView, ...]:
    return (order, *order.legs)
