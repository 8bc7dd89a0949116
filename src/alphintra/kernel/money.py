"""Decimal amounts: parsed strictly, finite always, rounded in named functions only."""

from __future__ import annotations

import re
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Context, Decimal, InvalidOperation

from alphintra.kernel.errors import AlphintraError

__all__ = [
    "AMOUNT_PLACES",
    "CASH_QUANTUM",
    "PRICE_QUANTUM",
    "parse_decimal",
    "plain",
    "require_finite",
    "require_positive",
    "round_cash",
    "round_price",
    "round_quantity_down",
]

AMOUNT_PLACES = 9  # decimals every amount may carry; the columns are numeric(28, 9)
AMOUNT_MAX = Decimal(10) ** 18
CASH_QUANTUM = Decimal("0.000001")
PRICE_QUANTUM = Decimal("0.000001")
_WIDE = Context(prec=60)  # the default context would round amounts of more than 28 digits
_PLAIN_NUMBER = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,30})?")


def parse_decimal(text: str, *, pointer: str = "") -> Decimal:
    """Read a plain decimal number such as ``12.50``.

    Raises NUMBER_NOT_FINITE for NaN and infinities, NUMBER_FORMAT for exponents, separators, blanks and
    non-ASCII digits, NUMBER_SCALE beyond nine decimals and NUMBER_RANGE beyond 10^18.
    """
    if text.strip().lower().lstrip("+-") in {"nan", "snan", "inf", "infinity"}:
        raise AlphintraError("NUMBER_NOT_FINITE", f"{text.strip()!r} is not a finite number", pointer=pointer)
    if not _PLAIN_NUMBER.fullmatch(text):
        message = f"{text[:40]!r} is not a plain decimal number: write digits and one point, e.g. 12.50"
        raise AlphintraError("NUMBER_FORMAT", message, pointer=pointer)
    return require_finite(Decimal(text), pointer=pointer)


def plain(value: Decimal) -> Decimal:
    """Return an equal amount without trailing zeros or exponent: 10 for 10.000, 0 for 0E-9, 100 for 1E+2.

    Python itself still writes amounts below a millionth with an exponent, e.g. 1E-7; format them with ``:f``.
    """
    if not value.is_finite():
        return value
    if not value:
        return Decimal(0)
    trimmed = value.normalize(_WIDE)
    exponent = trimmed.as_tuple().exponent
    return trimmed.quantize(Decimal(1), context=_WIDE) if isinstance(exponent, int) and exponent > 0 else trimmed


def require_finite(value: Decimal, *, pointer: str = "") -> Decimal:
    """Return the value if it is finite, within 10^18 and has at most nine decimals. Raises NUMBER_*."""
    if not value.is_finite():
        raise AlphintraError("NUMBER_NOT_FINITE", f"{value} is not a finite number", pointer=pointer)
    if abs(value) >= AMOUNT_MAX:
        raise AlphintraError("NUMBER_RANGE", f"{value:.3E} is beyond the largest amount, 10^18", pointer=pointer)
    exponent = value.as_tuple().exponent
    if isinstance(exponent, int) and -exponent > AMOUNT_PLACES and value != round(value, AMOUNT_PLACES):
        message = f"{str(value)[:40]} has more than {AMOUNT_PLACES} decimals"
        raise AlphintraError("NUMBER_SCALE", message, pointer=pointer)
    return value


def require_positive(value: Decimal, *, pointer: str = "") -> Decimal:
    """Return the value if it is finite and above zero. Raises NUMBER_* or QTY_NOT_POSITIVE."""
    require_finite(value, pointer=pointer)
    if value <= 0:
        raise AlphintraError("QTY_NOT_POSITIVE", f"{plain(value):f} must be above zero", pointer=pointer)
    return value


def round_cash(value: Decimal) -> Decimal:
    """Round a cash amount to a millionth, half to even; used once, where cash is booked. Raises NUMBER_*."""
    return _rounded(value, CASH_QUANTUM)


def round_price(value: Decimal) -> Decimal:
    """Round a price to a millionth, half to even; used where a float price enters the books. Raises NUMBER_*."""
    return _rounded(value, PRICE_QUANTUM)


def round_quantity_down(value: Decimal, *, lot: Decimal = Decimal(1)) -> Decimal:
    """Round a quantity down to a whole number of lots, so that an order never exceeds what was sized."""
    return (value / lot).to_integral_value(rounding=ROUND_DOWN) * lot


def _rounded(value: Decimal, quantum: Decimal) -> Decimal:
    try:
        return value.quantize(quantum, rounding=ROUND_HALF_EVEN)
    except InvalidOperation as error:
        # Neither a finite number nor one of at most 28 digits: the columns would not hold it either.
        require_finite(value)
        raise AlphintraError("NUMBER_RANGE", f"{value:.3E} is beyond the largest amount, 10^18") from error
