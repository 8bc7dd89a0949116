"""How the price of an exit follows from the price at which its entry filled."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import msgspec

from alphintra.kernel.errors import AlphintraError

__all__ = ["FromFill"]


class FromFill(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The price of an exit once its entry has filled: ``factor`` times the average price of the fill, plus ``offset``.

    A stop 5 percent below a purchase has the factor 0.95, one that lies 2 away from it the factor 1 and the offset -2.
    The price is rounded to a millionth and, where a ``tick`` is said, to whole ticks on the side that waits.
    """

    factor: Decimal
    offset: Decimal
    tick: Decimal | None = None

    def check(self, pointer: str) -> None:
        """Raise NUMBER_NOT_FINITE, NUMBER_RANGE, NUMBER_SCALE or QTY_NOT_POSITIVE where no price can follow."""
        for name in ("factor", "offset", "tick"):
            value: Decimal | None = getattr(self, name)
            if value is not None:
                _check(value, f"{pointer}/{name}", is_signed=name == "offset")


def _check(value: Decimal, pointer: str, *, is_signed: bool) -> None:
    if not value.is_finite():
        raise AlphintraError("NUMBER_NOT_FINITE", f"{value} is not a finite number", pointer=pointer)
    if not is_signed and value <= 0:
        raise AlphintraError("QTY_NOT_POSITIVE", f"{value} is not above zero", pointer=pointer)
    if abs(value) >= _MOST:
        raise AlphintraError("NUMBER_RANGE", f"{value:.3E} is beyond the largest amount, 10^18", pointer=pointer)
    if value != round(value, _PLACES):
        raise AlphintraError("NUMBER_SCALE", f"{value} has more than {_PLACES} decimals", pointer=pointer)


_MOST: Final = Decimal(10) ** 18
_PLACES: Final = 18  # a percentage of nine decimals as a share, and products of two such numbers
