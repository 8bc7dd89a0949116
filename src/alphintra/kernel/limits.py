"""What may be limited on an account beyond what every account has: one list for wire, store and controls."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import msgspec

__all__ = ["WARNINGS", "LimitControls"]

# Shares of a limit from which on is warned: they let nothing pass and refuse nothing.
WARNINGS: Final = frozenset({"exposure_warn_pct", "message_warn_pct", "loss_warn_pct", "drawdown_warn_pct"})


class LimitControls(msgspec.Struct, frozen=True, kw_only=True):
    """Limits beyond those every account has; null is not limited. docs/risk-controls.md says what each does."""

    price_collar_pct: Decimal | None = None
    price_collar_abs: Decimal | None = None
    price_drift_pct: Decimal | None = None
    price_drift_window_s: int = 60
    price_age_max_s: int | None = None
    message_burst: int | None = None
    messages_per_s: Decimal = Decimal(1)
    cancel_reserve: int = 0
    open_orders_max: int | None = None
    repeat_max: int | None = None
    repeat_window_s: int = 60
    duplicate_window_s: int | None = None
    credit_max: Decimal | None = None
    gross_exposure_max: Decimal | None = None
    net_exposure_max: Decimal | None = None
    bucket_exposure_max: Decimal | None = None
    daily_loss_max: Decimal | None = None
    daily_loss_halt: Decimal | None = None
    drawdown_max_pct: Decimal | None = None
    drawdown_halt_pct: Decimal | None = None
    fee_bps: Decimal = Decimal(0)
    fee_per_unit: Decimal = Decimal(0)
    fee_minimum: Decimal = Decimal(0)
    symbols_allowed: tuple[str, ...] | None = None
    strategies_allowed: dict[str, str] | None = None
    is_self_match_refused: bool = False
    order_to_trade_max: Decimal | None = None
    order_to_trade_window_s: int = 3600
    is_session_enforced: bool = False
    exposure_warn_pct: Decimal = Decimal(80)
    message_warn_pct: Decimal = Decimal(80)
    loss_warn_pct: Decimal = Decimal(80)
    drawdown_warn_pct: Decimal = Decimal(80)

    @property
    def looks_back(self) -> bool:
        """Whether a limit asks for orders approved lately."""
        return self.duplicate_window_s is not None or self.price_drift_pct is not None
