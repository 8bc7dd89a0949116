"""Splits and dividends read out of a series that carries both raw and total-adjusted closes."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

from alphintra.engine.bars import Bar
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.money import round_price, round_quantity_down

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

__all__ = [
    "Adjustments",
    "DailyClose",
    "Dividend",
    "Split",
    "UnexplainedStep",
    "adjust_for_splits",
    "derive_adjustments",
]

SPLIT_THRESHOLD = 1.2  # a step of the factor beyond 1.2 or below 1/1.2 is too large for an ordinary dividend
SNAP_TOLERANCE = 0.01  # a split and a dividend may share an ex-date
DIVIDEND_THRESHOLD = 0.0005  # below 5 bps a step is rounding of the published series
VOLUME_LOT = Decimal("0.000000001")


def _simple_ratios() -> tuple[Fraction, ...]:
    forward = {Fraction(n) for n in range(2, 51)} | {
        Fraction(*pair) for pair in ((3, 2), (4, 3), (5, 2), (5, 3), (5, 4))
    }
    reverse = {1 / ratio for ratio in forward} | {Fraction(1, n) for n in range(51, 201)}
    return tuple(sorted(forward | reverse))


SIMPLE_RATIOS = _simple_ratios()


@dataclass(frozen=True, slots=True)
class DailyClose:
    """One day of a series such as Quandl WIKI: the raw close and the close adjusted for splits and dividends."""

    ts: datetime
    close: Decimal
    adjusted_close: Decimal


@dataclass(frozen=True, slots=True)
class Split:
    """New shares per old share from an ex-date on; 2 doubles the shares, 1/10 is a reverse split.

    Args:
        index: position in the series of the first day that trades split.
        ts: time of that day's bar.
        ratio: new shares per old share.
    """

    index: int
    ts: datetime
    ratio: Fraction


@dataclass(frozen=True, slots=True)
class Dividend:
    """Cash per share, in raw (unadjusted) currency of the ex-date, rounded to a millionth."""

    index: int
    ts: datetime
    amount: Decimal


@dataclass(frozen=True, slots=True)
class UnexplainedStep:
    """A step too large for a dividend that is no simple split ratio: a spin-off or a fault; a person must look."""

    index: int
    ts: datetime
    step: float


@dataclass(frozen=True, slots=True)
class Adjustments:
    """Everything the adjustment factor says happened to one symbol, oldest first."""

    splits: tuple[Split, ...]
    dividends: tuple[Dividend, ...]
    unexplained: tuple[UnexplainedStep, ...]


def derive_adjustments(days: Sequence[DailyClose]) -> Adjustments:
    """Read splits and dividends from the steps of the factor ``adjusted_close / close``.

    A step s between two days above 1.2 or below 1/1.2 is a split if a simple ratio lies within 1 % of it, else
    it is reported as unexplained. A smaller step is a dividend of ``close * (s - 1)`` (Quandl WIKI documents its
    factor as ``1 + dividend / close``). A constant factor, such as splits after the last day, has no effect.

    Raises:
        AlphintraError: PRICE_MISSING for closes that are not above zero, TIME_ORDER for unsorted days.
    """
    splits: list[Split] = []
    dividends: list[Dividend] = []
    unexplained: list[UnexplainedStep] = []
    factor_before: float | None = None
    for index, day in enumerate(days):
        _require_day(days, index)
        factor = float(day.adjusted_close) / float(day.close)
        step = 1.0 if factor_before is None else factor / factor_before
        factor_before = factor
        if step > SPLIT_THRESHOLD or step < 1 / SPLIT_THRESHOLD:
            ratio = min(SIMPLE_RATIOS, key=lambda candidate: abs(step / float(candidate) - 1))
            if abs(step / float(ratio) - 1) <= SNAP_TOLERANCE:
                splits.append(Split(index, day.ts, ratio))
            else:
                unexplained.append(UnexplainedStep(index, day.ts, step))
        elif step - 1 > DIVIDEND_THRESHOLD:
            dividends.append(Dividend(index, day.ts, round_price(day.close * Decimal(repr(step - 1)))))
    return Adjustments(tuple(splits), tuple(dividends), tuple(unexplained))


def adjust_for_splits(bars: Sequence[Bar], splits: Sequence[Split]) -> tuple[Bar, ...]:
    """Express every bar in shares of the last bar: prices divided and volume multiplied by all later splits.

    A bar that closes at a split's time or later is split already, one that closes before is not, wherever between two
    bars the time lies. The last bar keeps its raw prices: what is split after it does not count. Prices are rounded to
    a millionth, volume down to a billionth.
    """
    adjusted: list[Bar] = []
    remaining = sorted((split for split in splits if bars and split.ts <= bars[-1].ts), key=lambda split: split.ts)
    factor = Fraction(1)
    for bar in reversed(bars):
        while remaining and bar.ts < remaining[-1].ts:
            factor *= remaining.pop().ratio
        adjusted.append(_scaled(bar, factor))
    adjusted.reverse()
    return tuple(adjusted)


def _scaled(bar: Bar, factor: Fraction) -> Bar:
    if factor == 1:
        return bar
    new, old = Decimal(factor.numerator), Decimal(factor.denominator)
    return Bar(
        ts=bar.ts,
        open=round_price(bar.open * old / new),
        high=round_price(bar.high * old / new),
        low=round_price(bar.low * old / new),
        close=round_price(bar.close * old / new),
        volume=round_quantity_down(bar.volume * new / old, lot=VOLUME_LOT),
    )


def _require_day(days: Sequence[DailyClose], index: int) -> None:
    day = days[index]
    for name, price in (("close", day.close), ("adjusted_close", day.adjusted_close)):
        if not price.is_finite() or price <= 0:
            message = f"{name} of {day.ts.isoformat()} is {price}: a price above zero is needed"
            raise AlphintraError("PRICE_MISSING", message, pointer=f"/{index}/{name}")
    if index and day.ts <= days[index - 1].ts:
        message = f"day {index} ({day.ts.isoformat()}) is not after the day before it: sort the rows by date"
        raise AlphintraError("TIME_ORDER", message, pointer=f"/{index}/ts")
