"""Bringing what deployments ask for to trading, and knowing how it stands.

An entry brings its exits with it. To leave by a rule, the exits go first and are known to be gone, at the venue, in the
books and to risk, before the order that leaves is placed: at no time may more be closing than is held. What an exit
filled meanwhile needs no leaving. A position whose exits are gone and whose order to leave was refused is told of, and
left at the next bar.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from alphintra.contracts.strategy import ProtectionLost
from alphintra.infrastructure.events import append_audit, append_event
from alphintra.infrastructure.faults import fault_point
from alphintra.infrastructure.telemetry import get_logger
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.vocabulary import TERMINAL, Leg, OrderStatus, OrderType, Side
from alphintra.strategy.domain.replay import between
from alphintra.strategy.gateways.services import order_of, owner_context, service_context

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from alphintra.contracts.orders import LegView, OrderView
    from alphintra.kernel.clock import Clock
    from alphintra.kernel.ids import FeedId, IdSource
    from alphintra.strategy.domain.deployments import OpenIntent
    from alphintra.strategy.domain.replay import Step
    from alphintra.strategy.gateways.services import Market, Orders
    from alphintra.strategy.repository import Desk, DeskTransaction

__all__ = ["BAR_LATE", "EXITS_GONE", "EXIT_NOT_NEEDED", "WITHDRAWN", "Placer", "until"]

SETTLE_TIMEOUT_S = 60.0
LIVE_TIMEOUT_S = 10.0  # how long a step waits for the venue of one account; the others of the feed wait with it
POLL_FIRST_S = 0.002
POLL_MAX_S = 0.1
BAR_LATE = "BAR_LATE"
EXITS_GONE = "EXITS_GONE"
EXIT_NOT_NEEDED = "EXIT_NOT_NEEDED"
WITHDRAWN = "WITHDRAWN"
_UNANSWERED = {OrderStatus.PENDING_NEW, OrderStatus.UNKNOWN}
_AGAIN = {Kind.UNAVAILABLE, Kind.LIMITED, Kind.BUG}
_OUTCOME_UNKNOWN = {"ORDER_CONFLICT"}  # another runner is placing the same order: it may stand already


class Placer:
    """Places the pending intents of one feed and settles what became of those before.

    On live bars an entry that was decided on a bar older than ``late_after`` is not placed any more: who was away for a
    while must not act on prices of before. What leaves a position goes out however late it is.
    """

    def __init__(  # noqa: PLR0913 - whom orders concern
        self,
        feed_id: FeedId,
        *,
        desk: Desk,
        market: Market,
        orders: Orders,
        clock: Clock,
        ids: IdSource,
        late_after: timedelta | None = None,
    ) -> None:
        self._late_after = late_after
        self._feed_id = feed_id
        self._desk = desk
        self._market = market
        self._orders = orders
        self._clock = clock
        self._ids = ids

    async def place(self, step: Step, trace_id: str) -> None:
        """Ask trading for every pending intent, then wait until each open order is acknowledged or refused.

        Orders placed before count too: a runner may have been killed while it waited for them. What waits for the venue
        of a live account holds up nobody else: it is gone on with at the next look.
        """
        placed: list[tuple[OpenIntent, OrderView]] = []
        for item in await self._desk.open_intents(self._feed_id):
            with _waiting_on(item):
                if item.intent.is_withdrawn:
                    await self._take_off(item, step, trace_id)
                    if item.intent.order_id is None:
                        continue
                order = await self._placed(item, step, trace_id)
                if order is not None:
                    placed.append((item, order))
        for item, order in placed:
            if not item.is_live:  # a venue answers when it does: until then the order counts as working
                await self._acknowledged(item, order, trace_id)

    async def place_left(self, step: Step, trace_id: str) -> bool:
        """Go on with what could not be placed at the last step; False where there is nothing."""
        is_left = any(item.intent.order_id is None for item in await self._desk.open_intents(self._feed_id))
        if is_left:
            await self.place(step, trace_id)
        return is_left

    async def _placed(self, item: OpenIntent, step: Step, trace_id: str) -> OrderView | None:
        """Return the order of an intent, placed unless it was before; None where there is nothing to place."""
        if item.intent.order_id is not None:
            return await self._orders.order(item.intent.order_id, owner_context(item, trace_id))
        try:
            order = await self._submitted(item, step, trace_id)
        except AlphintraError as error:
            if error.kind in _AGAIN or error.code in _OUTCOME_UNKNOWN:
                raise
            await self._close_unplaced(item, error)
            return None
        if order is None:
            return None
        fault_point("strategy.submitted")
        async with self._desk.transaction() as tx:
            await self.settle(tx, item, order)
        fault_point("strategy.settled")
        return order

    async def end_waiting(self, step: Step, steps: Sequence[Step], trace_id: str) -> bool:
        """Take the entries off whose time is over, before anything is decided at the close that ends it.

        On a live account those too that have not reached their venue by the next bar: it may be away, and must not meet
        them at prices of another day. Tells whether any was taken off.
        """
        is_any = False
        for item in await self._desk.open_intents(self._feed_id):
            if item.intent.order_id is None or item.intent.is_leaving:
                continue
            closes = _closes(between(steps, item.intent.seq, step.seq), item.symbol)
            is_over = item.intent.is_waiting and item.intent.is_over(closes)
            if is_over or (closes and await self._is_stuck(item, trace_id)):
                is_any = True
                with _waiting_on(item):
                    await self._take_off(item, step, trace_id)
        return is_any

    async def _is_stuck(self, item: OpenIntent, trace_id: str) -> bool:
        if not item.is_live or item.intent.order_id is None:
            return False
        order = await self._orders.order(item.intent.order_id, owner_context(item, trace_id))
        return order.status is OrderStatus.PENDING_NEW

    async def _take_off(self, item: OpenIntent, step: Step, trace_id: str) -> None:
        """Cancel an entry that has not filled, and wait until trading and risk know; its exits stay with a part."""
        order_id = item.intent.order_id
        if order_id is None:
            async with self._desk.transaction() as tx:
                await tx.settle_intent(item.intent.client_order_id, status="closed", order_id=None, code=WITHDRAWN)
            return
        context = owner_context(item, trace_id)
        order = await self._orders.order(order_id, context)
        if order.status is OrderStatus.FILLED:
            return
        if order.status not in TERMINAL:
            await self._orders.cancel(order_id, context)
            fault_point("strategy.entry_withdrawn")

        async def is_gone() -> bool:
            nonlocal order
            order = await self._orders.order(order_id, context)
            legs = () if order.filled_qty else order.legs
            return all(one.status in TERMINAL for one in (order, *legs))

        await until(is_gone, f"entry {order_id} is not canceled", timeout_s=_patience(item))
        gone = [one.order_id for one in (order, *order.legs) if one.status in TERMINAL]
        await self._known_to_risk(gone, step, trace_id)

    async def settle(self, tx: DeskTransaction, item: OpenIntent, order: OrderView) -> None:
        """Store how the order of an intent stands; one that leaves its position without exits is told of.

        It is closed only when the deployment's books have all that was executed of it.
        """
        members = (order, *order.legs)
        is_closed = all(each.status in TERMINAL for each in members) and await _is_folded(tx, members)
        await tx.settle_intent(
            item.intent.client_order_id,
            status="closed" if is_closed else "working",
            order_id=order.order_id,
            code=order.reason_code,
            exit_leg=_exit_leg(order),
        )
        if not is_closed:
            return
        if item.intent.is_leaving and order.filled_qty < (order.qty or item.intent.qty):
            code = order.reason_code or order.status.value.upper()
            await self._owe_exit(tx, item, code, order.reason or f"the order to leave is {order.status}")
        elif item.intent.exits and order.filled_qty > sum(leg.filled_qty for leg in order.legs):
            await self._owe_exit(tx, item, EXITS_GONE, "they were canceled or ended otherwise")

    async def _submitted(self, item: OpenIntent, step: Step, trace_id: str) -> OrderView | None:
        """Place the order of an intent; None where an exit left nothing to leave."""
        context = owner_context(item, trace_id)
        if not item.intent.is_leaving:
            if self._late_after is not None and self._clock.now() - step.ts > self._late_after:
                return await self._too_late(item, step, trace_id)
            return await self._orders.submit(item, context)
        for entry_order in await self._desk.guarded_entries(item.intent.deployment_id, item.symbol):
            await self._withdraw(item, entry_order, step, trace_id)
        held, net = await self._orders.held(item, context)
        signed = held if item.intent.side is Side.SELL else -held
        if signed <= 0:
            async with self._desk.transaction() as tx:
                name = item.intent.client_order_id
                await tx.settle_intent(name, status="closed", order_id=None, code=EXIT_NOT_NEEDED)
            return None
        qty = min(item.intent.qty, signed)
        # A cover is no purchase. Against the rest of its account a book cannot be closed by what reduces the account.
        is_cover = item.intent.side is Side.BUY and -net >= qty
        return await self._orders.submit(item, context, qty=qty, reduce_only=is_cover)

    async def _too_late(self, item: OpenIntent, step: Step, trace_id: str) -> OrderView:
        """Return the order of an entry that was placed in time, by a runner that did not live to note it.

        Raises BAR_LATE where there is none.
        """
        try:
            return await self._orders.order(order_of(item), owner_context(item, trace_id))
        except AlphintraError as error:
            if error.code != "ORDER_NOT_FOUND":
                raise
        message = f"the bar of {step.ts.isoformat()} came too late to enter on: the next one had closed"
        raise AlphintraError(BAR_LATE, message)

    async def _withdraw(self, item: OpenIntent, order_id: UUID, step: Step, trace_id: str) -> None:
        """Take the exits of an entry's order off, and wait until trading and risk know that they are gone.

        So is what of the entry has not filled yet.
        """
        context = owner_context(item, trace_id)
        entry = await self._orders.order(order_id, context)
        gone = [order_id] if entry.status not in TERMINAL else []
        if gone:
            await self._orders.cancel(order_id, context)
        legs: tuple[LegView, ...] = entry.legs
        for leg in legs:
            if leg.status not in TERMINAL:
                await self._orders.cancel(leg.order_id, context)
                fault_point("strategy.exit_withdrawn")

        async def are_gone() -> bool:
            nonlocal legs, entry
            if any(one.status not in TERMINAL for one in (entry, *legs)):
                entry = await self._orders.order(order_id, context)
                legs = entry.legs
            return all(one.status in TERMINAL for one in (entry, *legs))

        await until(are_gone, f"the exits of order {order_id} are not gone", timeout_s=_patience(item))
        await self._known_to_risk([*gone, *(leg.order_id for leg in legs)], step, trace_id)
        fault_point("strategy.exits_gone")

    async def _known_to_risk(self, closed: Sequence[UUID], step: Step, trace_id: str) -> None:
        async def is_known() -> bool:
            service = service_context(trace_id)
            return not (await self._market.mark(self._feed_id, step, service, await_closed=closed)).missing

        await until(is_known, f"risk still counts orders that are gone: {', '.join(map(str, closed))}")

    async def _acknowledged(self, item: OpenIntent, order: OrderView, trace_id: str) -> None:
        latest = order

        async def is_answered() -> bool:
            nonlocal latest
            if latest.status in _UNANSWERED:
                latest = await self._orders.order(order.order_id, owner_context(item, trace_id))
            return latest.status not in _UNANSWERED

        await until(is_answered, f"the venue has not answered order {order.order_id}")
        if latest.status in TERMINAL:
            async with self._desk.transaction() as tx:
                await self.settle(tx, item, latest)

    async def _close_unplaced(self, item: OpenIntent, error: AlphintraError) -> None:
        get_logger().warning("intent.refused", client_order_id=item.intent.client_order_id, code=error.code)
        async with self._desk.transaction() as tx:
            await tx.settle_intent(item.intent.client_order_id, status="closed", order_id=None, code=error.code)
            if item.intent.is_leaving:
                await self._owe_exit(tx, item, error.code, error.detail)

    async def _owe_exit(self, tx: DeskTransaction, item: OpenIntent, code: str, reason: str) -> None:
        """Note that a position has to be left at the next bar, and tell it; only once while it is held."""
        deployment_id = item.intent.deployment_id
        row = await tx.owe_exit(deployment_id, item.symbol, item.intent.tag if item.intent.is_leaving else "exits gone")
        if row is None:
            return
        at = self._clock.now()
        event = ProtectionLost(
            loss_id=self._ids.new(),
            deployment_id=deployment_id,
            owner_id=row["owner_id"],
            account_id=row["account_id"],
            symbol=row["symbol"],
            qty=abs(row["qty"]),
            code=code,
            detail=(
                f"{abs(row['qty']):f} {row['symbol']} are open without the exits of their entry ({code}: {reason}); "
                "the position is left at the next bar that lets it"
            ),
        )
        context = service_context(deployment_id.hex)
        await append_event(tx.session, event, ids=self._ids, aggregate_id=deployment_id, context=context, at=at)
        facts: dict[str, object] = {"code": code, "qty": event.qty, "client_order_id": item.intent.client_order_id}
        subject = f"deployment:{deployment_id}"
        await append_audit(
            tx.session, "deployment.protection_lost", subject, facts, ids=self._ids, context=context, at=at
        )


def _patience(item: OpenIntent) -> float | None:
    return LIVE_TIMEOUT_S if item.is_live else None


@contextmanager
def _waiting_on(item: OpenIntent) -> Iterator[None]:
    """Go on without a live account's order whose venue takes its time; on paper a step waits for everything."""
    try:
        yield
    except AlphintraError as error:
        if error.code != "STEP_WAITS" or not item.is_live:
            raise
        get_logger().warning("intent.waits", client_order_id=item.intent.client_order_id, detail=error.detail)


async def _is_folded(tx: DeskTransaction, members: Sequence[LegView]) -> bool:
    filled = {each.order_id: each.filled_qty for each in members if each.filled_qty}
    if not filled:
        return True
    rows = await tx.session.rows("fills.of_orders", list(filled))
    folded = {row["order_id"]: row["folded_qty"] for row in rows}
    return all(folded.get(order_id, 0) >= qty for order_id, qty in filled.items())


def _closes(steps: Sequence[Step], symbol: str) -> list[datetime]:
    """Return the closes of a symbol's bars in some steps."""
    return [bar.ts for step in steps for name, bar in step.bars if name == symbol]


def _exit_leg(order: OrderView) -> str:
    """Return which exit closed what an order opened: stop, trail or target; empty where none has filled."""
    filled = next((leg for leg in order.legs if leg.filled_qty), None)
    if filled is None:
        return ""
    if filled.leg is Leg.TAKE_PROFIT:
        return "target"
    return "trail" if filled.type is OrderType.TRAILING_STOP else "stop"


async def until(is_done: Callable[[], Awaitable[bool]], waits_for: str, *, timeout_s: float | None = None) -> None:
    """Ask again with growing pauses until it is so.

    Raises STEP_WAITS after a minute, unless another time is given; the step is then repeated.
    """
    pause_s = POLL_FIRST_S
    deadline = asyncio.get_running_loop().time() + (SETTLE_TIMEOUT_S if timeout_s is None else timeout_s)
    while not await is_done():
        if asyncio.get_running_loop().time() > deadline:
            raise AlphintraError("STEP_WAITS", waits_for, kind=Kind.UNAVAILABLE)
        await asyncio.sleep(pause_s)
        pause_s = min(pause_s * 1.5, POLL_MAX_S)
