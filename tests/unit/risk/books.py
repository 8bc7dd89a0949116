"""Short words for books and orders in tests of risk's decisions."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from alphintra.engine.pretrade.claims import claim_of
from alphintra.kernel.ids import AccountId, OrderId
from alphintra.kernel.vocabulary import OrderType, Side
from alphintra.risk.domain.books import Book, Exposure, KillState, LimitSet, Order, Reservation, Verdict
from alphintra.risk.domain.reservations import recounted, reserved

ACCOUNT = AccountId(UUID(int=1))
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
TICK = Decimal("0.000000001")


def limits(**changes: Any) -> LimitSet:  # noqa: ANN401 - any field of a limit set
    """Return limits nothing ordinary runs into."""
    fields = {
        "account_id": ACCOUNT,
        "version": 1,
        "order_qty_max": Decimal(10**9),
        "order_notional_max": Decimal(10**12),
        "position_qty_max": Decimal(10**9),
        "may_short": True,
        "set_by": "test",
        "set_at": NOON,
    }
    return LimitSet(**{**fields, **changes})


def book(*, exposure: Exposure | None = None, **changes: Any) -> Book:  # noqa: ANN401 - any field of a book
    """Return a rich book with AAPL at 100 unless told otherwise."""
    fields = {
        "account_id": ACCOUNT,
        "cash": Decimal(10**12),
        "reserved_cash": Decimal(0),
        "limits": limits(),
        "firm_kill": KillState.NORMAL,
        "account_kill": KillState.NORMAL,
        "exposures": {"AAPL": exposure or Exposure(last_price=Decimal(100))},
    }
    return Book(**{**fields, **changes})


def held(
    position: str = "0",
    *,
    buys: str = "0",
    sells: str = "0",
    close_buys: str = "0",
    close_sells: str = "0",
    price: str | None = "100",
) -> Exposure:
    """Return an exposure from numbers as text."""
    return Exposure(
        position_qty=Decimal(position),
        open_buy_qty=Decimal(buys),
        open_sell_qty=Decimal(sells),
        close_buy_qty=Decimal(close_buys),
        close_sell_qty=Decimal(close_sells),
        last_price=None if price is None else Decimal(price),
    )


def order(side: Side, qty: Decimal | str | None, limit: str | None = None, *, number: int = 1, **more: Any) -> Order:  # noqa: ANN401 - any field of an order
    """Return an order for AAPL: a limit order where a limit is given, else a market order."""
    fields = {
        "order_id": OrderId(UUID(int=number)),
        "account_id": ACCOUNT,
        "symbol": "AAPL",
        "side": side,
        "type": OrderType.MARKET if limit is None else OrderType.LIMIT,
        "qty": None if qty is None else Decimal(qty),
        "limit_price": None if limit is None else Decimal(limit),
    }
    return Order(**{**fields, **more})


def reservation(asked: Order, price: Decimal | str = "100", **more: Any) -> Reservation:  # noqa: ANN401 - any field
    """Return what an approved order of a quantity reserves, counted for itself."""
    claim = claim_of(asked, Decimal(price))
    assert claim is not None
    (counted,) = recounted([replace(reserved(asked, claim), **more)])
    return counted


def codes(verdict: Verdict) -> list[str]:
    """Return the codes of all findings, in order."""
    return [finding.code for finding in verdict.findings]
