"""What trading costs in a simulated account."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Context, Decimal

from alphintra.engine.matching import require_slippage
from alphintra.engine.portfolio import FeeModel
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.money import require_finite, round_cash

__all__ = ["BORROW_BPS_MAX", "Costs"]

BORROW_BPS_MAX = Decimal(100_000)
_YEAR_S = Decimal(365 * 86_400)
_BPS = Decimal(10_000)
_WIDE = Context(prec=60)


@dataclass(frozen=True, slots=True)
class Costs:
    """What trading costs: venue fees, slippage of market orders in bps (0 to 1000), borrow of shorts in bps a year."""

    fees: FeeModel = FeeModel()  # noqa: RUF009 - frozen, so sharing the default is safe
    slippage_bps: Decimal = Decimal(0)
    borrow_bps: Decimal = Decimal(0)

    def __post_init__(self) -> None:
        require_slippage(self.slippage_bps)
        if not 0 <= require_finite(self.borrow_bps, pointer="/borrow_bps") <= BORROW_BPS_MAX:
            message = f"a borrow of {self.borrow_bps} bps a year lies outside 0 to {BORROW_BPS_MAX}"
            raise AlphintraError("FIELD_RANGE", message, pointer="/borrow_bps")

    def borrow(self, value: Decimal, *, held: timedelta) -> Decimal:
        """Return what borrowing a short position of this value costs for so long, rounded to a millionth.

        The rate of that time is rounded first, to a billionth of a bps.
        """
        return round_cash(_WIDE.divide(_WIDE.multiply(value, self.borrow_rate(int(held.total_seconds()))), _BPS))

    def borrow_rate(self, seconds: int) -> Decimal:
        """Return what borrowing costs over a time, in bps to a billionth of one."""
        return round(_WIDE.divide(self.borrow_bps * seconds, _YEAR_S), 9)
