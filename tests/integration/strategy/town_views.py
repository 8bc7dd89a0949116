"""What the town answers where nothing behaves: an account's connection to the paper venue, an order or none."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, TypeVar

from alphintra.broker.domain.orders import Order
from alphintra.contracts.broker import ConnectionView, PaperSettingsView
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.ids import AccountId, OrderId

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from alphintra.contracts.orders import AccountView, OrderView
    from alphintra.engine.portfolio import FeeModel
    from alphintra.kernel.from_fill import FromFill

__all__ = ["order_at_venue", "paper_connection", "require_order"]

T = TypeVar("T")


def require_order(orders: Mapping[UUID, T], order_id: UUID) -> T:
    """Return an order. Raises ORDER_NOT_FOUND."""
    if order_id not in orders:
        raise AlphintraError("ORDER_NOT_FOUND", f"there is no order {order_id}", kind=Kind.NOT_FOUND)
    return orders[order_id]


def paper_connection(account: AccountView, fees: FeeModel) -> ConnectionView:
    """Return the connection of an account that is traded without slippage, for these fees."""
    settings = PaperSettingsView(
        account_id=account.account_id,
        preset="custom",
        slippage_bps=Decimal(0),
        commission_bps=fees.commission_bps,
        fee_per_share=fees.per_share,
        fee_minimum=fees.minimum,
        participation=None,
        reject_bps=Decimal(0),
        latency_bars=0,
        not_modelled=(),
    )
    return ConnectionView(
        account_id=account.account_id,
        adapter="paper",
        feed_id=account.feed_id,
        status="open",
        opened_at=account.created_at,
        paper=settings,
    )


def order_at_venue(view: OrderView, from_fill: FromFill | None) -> Order:
    """Return the terms of an order as the venue has them."""
    names = ("client_order_id", "symbol", "side", "type", "time_in_force", "qty", "limit_price", "stop_price")
    further = ("trail_price", "trail_percent", "reduce_only", "order_class", "leg")
    return Order(
        order_id=OrderId(view.order_id),
        account_id=AccountId(view.account_id),
        group_id=None if view.group_id is None else OrderId(view.group_id),
        from_fill=from_fill,
        **{name: getattr(view, name) for name in (*names, *further)},
    )
