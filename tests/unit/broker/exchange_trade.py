"""A trade as the library of exchanges tells it, by its lists and by its streams alike."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

__all__ = ["TRADE"]

TRADE: Final[dict[str, Any]] = {
    "id": "t1",
    "order": "o1",
    "symbol": "BTC/USD",
    "side": "buy",
    "amount": Decimal("0.5"),
    "price": Decimal(100),
    "timestamp": 1_700_000_000_123,
    "fee": {"cost": Decimal("0.1"), "currency": "USD"},
    "info": {},
}
