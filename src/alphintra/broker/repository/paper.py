"""Orders, executions and positions of the paper venue: rows to values and back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from alphintra.broker.domain.approvals import FIRM, STRATEGY, SYMBOL
from alphintra.broker.domain.floor import Execution, Exposed, StepOutcome
from alphintra.broker.domain.market import Market, Step, first_step
from alphintra.broker.domain.orders import Order, SentOrder, VenueOrderStatus
from alphintra.broker.domain.paper import PaperOrder, PaperSettings
from alphintra.engine.matching import Watch
from alphintra.engine.portfolio import FeeModel
from alphintra.kernel.from_fill import FromFill
from alphintra.kernel.ids import AccountId, ExecutionId, OrderId
from alphintra.kernel.vocabulary import Leg, OrderClass, OrderType, Side, TimeInForce

if TYPE_CHECKING:
    from datetime import datetime
    from decimal import Decimal

    from alphintra.broker.domain.connections import Connection
    from alphintra.infrastructure.postgres import Record, Session
    from alphintra.kernel.ids import FeedId, UserId

__all__ = ["PaperRows", "sent_order", "settings_of"]

Fill = tuple[ExecutionId, OrderId, AccountId]


class PaperRows:
    """The paper venue's book inside one transaction; every change of an order happens while its market is held."""

    def __init__(self, session: Session) -> None:
        self.session = session

    async def settings(self, account_id: AccountId) -> PaperSettings:
        """Read how an account is traded."""
        row = await self.session.row("connections.settings", account_id)
        return PaperSettings() if row is None else settings_of(row)

    async def settings_of_owner(self, owner_id: UserId) -> dict[AccountId, PaperSettings]:
        """Read how a person's accounts are traded."""
        rows = await self.session.rows("connections.settings_of_owner", owner_id)
        return {AccountId(row["account_id"]): settings_of(row) for row in rows}

    async def set_up(self, account_id: AccountId, settings: PaperSettings) -> None:
        """Change how an account is traded."""
        await self.session.execute(
            "connections.set",
            account_id,
            settings.slippage_bps,
            settings.fees.commission_bps,
            settings.fees.per_share,
            settings.fees.minimum,
            settings.participation,
            settings.reject_bps,
            settings.latency_bars,
        )

    async def add(self, entry: PaperOrder, feed_id: FeedId, *, at: datetime) -> None:
        """Store that an order is about to be sent."""
        order = entry.order
        await self.session.execute(
            "orders.insert",
            order.order_id,
            order.client_order_id,
            order.account_id,
            feed_id,
            order.symbol,
            order.side,
            order.type,
            order.time_in_force,
            order.qty,
            order.notional,
            order.limit_price,
            order.stop_price,
            order.trail_price,
            order.trail_percent,
            order.expire_at,
            order.extended_hours,
            order.reduce_only,
            order.order_class,
            order.leg,
            order.group_id,
            order.replaces,
            entry.prior,
            entry.allowed,
            entry.watch.hwm,
            entry.triggered_at,
            at,
            *((None,) * 3 if (told := order.from_fill) is None else (told.factor, told.offset, told.tick)),
        )

    async def accept(self, order_id: OrderId, feed_id: FeedId, *, venue_order_id: str, at: datetime) -> None:
        """Let an order work at the paper venue from the next step of its feed on."""
        seq = await self.session.value("orders.accept", order_id, feed_id, venue_order_id, at)
        if seq is None:
            message = f"order {order_id} has no intent or feed {feed_id} no market"
            raise RuntimeError(message)

    async def accept_many(
        self, orders: Sequence[tuple[Order, Connection]], venue_order_ids: Sequence[str], *, at: datetime
    ) -> None:
        """Store plain orders and let each work from the next step of its feed on."""
        stored = await self.session.execute(
            "orders.accept_many",
            [order.order_id for order, _ in orders],
            [order.account_id for order, _ in orders],
            [connection.feed_id for _, connection in orders],
            [order.client_order_id for order, _ in orders],
            [order.symbol for order, _ in orders],
            [order.side for order, _ in orders],
            [order.type for order, _ in orders],
            [order.time_in_force for order, _ in orders],
            [order.qty for order, _ in orders],
            [order.limit_price for order, _ in orders],
            venue_order_ids,
            at,
        )
        if stored != len(orders):
            message = "a paper connection's feed has no market"
            raise RuntimeError(message)

    async def hold(self, order_id: OrderId, *, venue_order_id: str, at: datetime) -> None:
        """Let an order wait for the entry of its group."""
        if await self.session.value("orders.hold", order_id, venue_order_id, at) is None:
            message = f"order {order_id} has no intent"
            raise RuntimeError(message)

    async def lock_orders(self, order_ids: Sequence[OrderId]) -> bool:
        """Hold the markets these orders work in; False if none of them was ever sent."""
        return bool(await self.session.rows("markets.lock_of_orders", list(order_ids)))

    async def order(self, order_id: OrderId) -> PaperOrder | None:
        """Read one order."""
        row = await self.session.row("orders.get", order_id)
        return None if row is None else _entry(row)

    async def with_group(self, order_id: OrderId) -> tuple[PaperOrder, ...]:
        """Read an order and the others of its group; nothing for one that was never sent."""
        entry = await self.order(order_id)
        if entry is None or entry.order.group_id is None:
            return () if entry is None else (entry,)
        return await self._of_groups([entry.order.group_id])

    async def simple_of(self, order_ids: Sequence[OrderId]) -> frozenset[OrderId]:
        """Return which of the orders were sent here and belong to no group."""
        rows = await self.session.rows("orders.simple_of", list(order_ids))
        return frozenset(OrderId(row["order_id"]) for row in rows)

    async def end(self, order_ids: Sequence[OrderId], status: VenueOrderStatus, *, at: datetime) -> set[OrderId]:
        """Close orders of markets that are held; returns those that were not closed before."""
        rows = await self.session.rows("orders.end", list(order_ids), status, at)
        return {OrderId(row["order_id"]) for row in rows}

    async def allow(self, sizes: Sequence[tuple[OrderId, Decimal]]) -> None:
        """Store what a group lets its orders fill."""
        ids, amounts = [order_id for order_id, _ in sizes], [allowed for _, allowed in sizes]
        await self.session.execute("orders.allow", ids, amounts)

    async def alive_in(self, scope: str) -> tuple[OrderId, ...]:
        """Read the working and held orders of a kill scope."""
        kind, _, key = scope.partition(":")
        if kind == STRATEGY:
            rows = await self.session.rows("orders.alive_of_book", UUID(key))
        elif kind == SYMBOL:
            rows = await self.session.rows("orders.alive_in", None, key)
        else:
            rows = await self.session.rows("orders.alive_in", None if scope == FIRM else UUID(scope), None)
        return tuple(row["order_id"] for row in rows)

    async def lock_market(self, feed_id: FeedId, *, at: datetime) -> Market:
        """Hold a feed's market until the transaction ends; it begins here where no account has used it yet."""
        row = await self.session.row("markets.lock", feed_id)
        if row is None:
            await self.session.execute("markets.ensure", feed_id, at)
            row = await self.session.row("markets.lock", feed_id)
        return first_step() if row is None else Market(row["last_seq"], row["last_ts"])

    async def touched(self, step: Step) -> tuple[PaperOrder, ...]:
        """Read the orders a step may execute or end, with all others of their groups."""
        rows = await self.session.rows("orders.working", step.feed_id, list(step.bars), step.last_ts)
        found = {entry.order.order_id: entry for entry in map(_entry, rows)}
        group_ids = {entry.order.group_id for entry in found.values() if entry.order.group_id is not None}
        if group_ids:
            found |= {entry.order.order_id: entry for entry in await self._of_groups(sorted(group_ids))}
        return tuple(found.values())

    async def positions(self, orders: Iterable[PaperOrder]) -> dict[tuple[AccountId, str], Decimal]:
        """Read what the accounts hold, where any of the orders may only reduce it."""
        reducing = [entry.order for entry in orders if entry.order.reduce_only or entry.order.group_id is not None]
        if not reducing:
            return {}
        accounts = list({order.account_id for order in reducing})
        rows = await self.session.rows("positions.of", accounts, list({order.symbol for order in reducing}))
        return {(AccountId(row["account_id"]), row["symbol"]): row["qty"] for row in rows}

    async def made_by(self, feed_id: FeedId, seq: int, *, after: UUID | None, limit: int) -> tuple[Fill, ...]:
        """Return executions of a step that was done before: execution, order and account, by order."""
        rows = await self.session.rows("executions.of_step", feed_id, seq, after, limit)
        return tuple((ExecutionId(row["execution_id"]), row["order_id"], row["account_id"]) for row in rows)

    async def store_step(self, step: Step, outcome: StepOutcome, *, closed: int, at: datetime) -> None:
        """Store what a step did and move its market, which is held, on; ``closed`` orders work no more."""
        if outcome.executions:
            await self._add_executions(step, outcome.executions, at)
        if outcome.changed:
            await self._change(outcome.changed, at)
        await self.session.execute("markets.advance", step.feed_id, step.seq, step.last_ts, closed)

    async def add_break(self, exposed: Exposed, *, at: datetime) -> bool:
        """Remember that a group is unprotected; False if that is known."""
        values = (exposed.group_id, exposed.account_id, exposed.symbol, exposed.qty, at)
        return await self.session.value("protection_breaks.insert", *values) is not None

    async def _of_groups(self, group_ids: Sequence[OrderId]) -> tuple[PaperOrder, ...]:
        return tuple(_entry(row) for row in await self.session.rows("orders.of_groups", list(group_ids)))

    async def _change(self, changed: Sequence[PaperOrder], at: datetime) -> None:
        await self.session.execute(
            "orders.step",
            at,
            [entry.order.order_id for entry in changed],
            [entry.status for entry in changed],
            [entry.filled for entry in changed],
            [entry.allowed for entry in changed],
            [entry.spent for entry in changed],
            [entry.watch.hwm for entry in changed],
            [entry.triggered_at for entry in changed],
            [entry.works_until for entry in changed],
            [entry.accepted_seq for entry in changed],
            [entry.known_ts for entry in changed],
            [entry.order.limit_price for entry in changed],
            [entry.order.stop_price for entry in changed],
        )

    async def _add_executions(self, step: Step, fills: Sequence[Execution], at: datetime) -> None:
        await self.session.execute(
            "executions.insert",
            step.feed_id,
            step.seq,
            at,
            [fill.execution_id for fill in fills],
            [fill.order_id for fill in fills],
            [fill.account_id for fill in fills],
            [fill.symbol for fill in fills],
            [fill.side for fill in fills],
            [fill.qty for fill in fills],
            [fill.price for fill in fills],
            [fill.fee for fill in fills],
            [fill.executed_at for fill in fills],
            [fill.is_ambiguous for fill in fills],
        )
        await self.session.execute(
            "positions.move",
            [fill.account_id for fill in fills],
            [fill.symbol for fill in fills],
            [fill.qty if fill.side is Side.BUY else -fill.qty for fill in fills],
        )


def settings_of(row: Record) -> PaperSettings:
    """Build settings from a row of connections."""
    return PaperSettings(
        slippage_bps=row["slippage_bps"],
        fees=FeeModel(row["commission_bps"], row["fee_per_share"], row["fee_minimum"]),
        participation=row["participation"],
        reject_bps=row["reject_bps"],
        latency_bars=row["latency_bars"],
    )


def sent_order(row: Record) -> SentOrder:
    """Build an order as it stands from a row of venue_orders."""
    return SentOrder(
        order=_order(row),
        filled_qty=row["filled_qty"],
        prior_qty=row["prior_qty"],
        allowed_qty=row["allowed_qty"],
        hwm=row["hwm"],
        triggered_at=row["triggered_at"],
        status=VenueOrderStatus(row["status"]),
        accepted_at=row["accepted_at"],
        venue_order_id=row["venue_order_id"],
    )


def _entry(row: Record) -> PaperOrder:
    return PaperOrder(
        order=_order(row),
        settings=settings_of(row),
        status=VenueOrderStatus(row["status"]),
        accepted_seq=row["accepted_seq"],
        known_ts=row["known_ts"],
        filled=row["filled_qty"],
        prior=row["prior_qty"],
        allowed=row["allowed_qty"],
        spent=row["spent"],
        watch=Watch(is_triggered=row["triggered_at"] is not None, hwm=row["hwm"]),
        triggered_at=row["triggered_at"],
        works_until=row["works_until"],
    )


def _order(row: Record) -> Order:
    return Order(
        order_id=row["order_id"],
        client_order_id=row["client_order_id"],
        account_id=row["account_id"],
        symbol=row["symbol"],
        side=Side(row["side"]),
        type=OrderType(row["type"]),
        time_in_force=TimeInForce(row["time_in_force"]),
        qty=row["qty"],
        limit_price=row["limit_price"],
        notional=row["notional"],
        stop_price=row["stop_price"],
        trail_price=row["trail_price"],
        trail_percent=row["trail_percent"],
        expire_at=row["expire_at"],
        extended_hours=row["extended_hours"],
        reduce_only=row["reduce_only"],
        order_class=OrderClass(row["order_class"]),
        leg=Leg(row["leg"]),
        group_id=row["group_id"],
        replaces=row["replaces"],
        from_fill=None
        if row["fill_factor"] is None
        else FromFill(factor=row["fill_factor"], offset=row["fill_offset"], tick=row["fill_tick"]),
    )
