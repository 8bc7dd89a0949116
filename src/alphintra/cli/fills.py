"""What an execution, as the API shows it, did to a position and to cash."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["cash_of", "signed_qty"]


def signed_qty(execution: Mapping[str, Any]) -> Decimal:
    """Return the change of the position: negative where it sold, without what the venue kept as a fee."""
    return _traded(execution) - Decimal(execution.get("fee_qty", "0"))


def cash_of(execution: Mapping[str, Any]) -> Decimal:
    """Return the change of cash, fee deducted."""
    return -_traded(execution) * Decimal(execution["price"]) - Decimal(execution["fee"])


def _traded(execution: Mapping[str, Any]) -> Decimal:
    qty = Decimal(execution["qty"])
    return qty if execution["side"] == "buy" else -qty
