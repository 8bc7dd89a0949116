"""Orders, accounts and events for tests of trading, with defaults that a test overrides where it matters."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from alphintra.kernel.ids import AccountId, UserId
from alphintra.kernel.vocabulary import OrderStatus, OrderType, Side, TimeInForce
from alphintra.trading.domain.accounts import Account, new_account
from alphintra.trading.domain.orders import NewOrder, Order, OrderEvent, OrderEventKind, accept

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
LATER = datetime(2026, 3, 2, 13, tzinfo=UTC)
ACCOUNT_ID = AccountId(UUID(int=1))
OWNER_ID = UserId(UUID(int=2))
FEED_ID = UUID(int=3)
DECISION_ID = UUID(int=4)


def an_account() -> Account:
    """Return an account that takes orders."""
    account = new_account(
        account_id=ACCOUNT_ID,
        owner_id=OWNER_ID,
        name="Savings",
        starting_cash=Decimal(1000),
        currency="USD",
        feed_id=FEED_ID,
        at=NOON,
    )
    return replace(account, is_risk_ready=True, is_venue_ready=True)


def asked(**fields: Any) -> NewOrder:  # noqa: ANN401 - those of NewOrder
    """Return what is asked for: ten shares at the market, unless said otherwise."""
    wish: dict[str, Any] = {
        "account_id": ACCOUNT_ID,
        "client_order_id": "c-1",
        "symbol": "AAPL",
        "side": Side.BUY,
        "type": OrderType.MARKET,
        "time_in_force": TimeInForce.DAY,
        "qty": Decimal(10),
        "limit_price": None,
        "book_id": None,
    }
    return NewOrder(**{**wish, **fields})


def an_order(status: OrderStatus = OrderStatus.PENDING_NEW, **fields: Any) -> Order:  # noqa: ANN401 - those of NewOrder
    """Return an accepted order for ten shares, in some status."""
    return replace(accept(asked(**fields), an_account(), decision_id=DECISION_ID, at=NOON), status=status)


def event(kind: OrderEventKind, *, qty: str = "0", price: str = "0", code: str = "") -> OrderEvent:
    """Return an event of an hour later."""
    return OrderEvent(kind=kind, at=LATER, qty=Decimal(qty), price=Decimal(price), code=code)


def fill(qty: str, price: str = "100") -> OrderEvent:
    """Return an execution."""
    return event(OrderEventKind.EXECUTED, qty=qty, price=price)
