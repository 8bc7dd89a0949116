"""What the plots of a report show: derived from daily values."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final

import numpy as np

__all__ = ["Course", "course_of", "histogram", "monthly", "rolling", "rolling_beta", "ticks_of", "yearly"]

ROLLING_DAYS: Final = 126
_EPOCH: Final = date(1970, 1, 1)
_BINS: Final = 41
_TICKS_MAX: Final = 8
_FLAT: Final = 1e-12


@dataclass(frozen=True, slots=True)
class Course:
    """Days and what the book was worth at the close of each; ``benchmark`` may be empty.

    ``exposure`` is the value held of the equity, long less short, ``gross`` the same without signs (empty where the two
    differ by the sign alone), ``costs`` what had been paid up to each day by kind: fees, slippage, borrowing.
    """

    days: list[date]
    equity: list[float]
    benchmark: list[float]
    exposure: list[float]
    gross: list[float] = field(default_factory=list)
    costs: dict[str, list[float]] = field(default_factory=dict)

    @property
    def returns(self) -> list[float]:
        """Return r_d = E_d / E_(d-1) - 1; empty if the book was ever worth nothing."""
        if any(value <= 0 for value in self.equity[:-1]):
            return []
        return [later / earlier - 1 for earlier, later in zip(self.equity, self.equity[1:], strict=False)]

    @property
    def falls(self) -> list[float]:
        """Return each day's distance below the running peak, zero or less."""
        peak, found = -math.inf, []
        for value in self.equity:
            peak = max(peak, value)
            found.append(value / peak - 1 if peak > 0 else 0.0)
        return found


def course_of(told: dict[str, Any]) -> Course:
    """Read the course a run's result holds; empty where it has none."""
    return Course(
        [_EPOCH + timedelta(days=number) for number in told.get("days", ())],
        list(told.get("equity", ())),
        list(told.get("benchmark", ())),
        list(told.get("exposure", ())),
        list(told.get("gross", ())),
        {name: list(values) for name, values in told.get("costs", {}).items()},
    )


def monthly(course: Course) -> dict[tuple[int, int], float]:
    """Return the return of each month by (year, month)."""
    return _by(course, lambda day: (day.year, day.month))


def yearly(course: Course) -> dict[int, float]:
    """Return the return of each year."""
    return _by(course, lambda day: day.year)


def rolling(course: Course, periods: int, window: int = ROLLING_DAYS) -> tuple[list[float | None], list[float | None]]:
    """Return Sharpe ratio and volatility a year over the last so many days, None before there are as many."""
    returns = np.array(course.returns)
    if returns.size < window:
        return [], []
    views = np.lib.stride_tricks.sliding_window_view(returns, window)
    means, spreads = views.mean(axis=1), views.std(axis=1, ddof=1)
    before: list[float | None] = [None] * window
    ratios = [m / s * math.sqrt(periods) if s > _FLAT else None for m, s in zip(means, spreads, strict=True)]
    return before + ratios, before + [float(s) * math.sqrt(periods) for s in spreads]


def rolling_beta(course: Course, window: int = ROLLING_DAYS) -> list[float | None]:
    """Return beta against the benchmark over the last so many days; empty without one or before there are as many."""
    benchmark = np.array(course.benchmark)
    returns = np.array(course.returns)
    if returns.size < window or benchmark.size != returns.size + 1 or (benchmark <= 0).any():
        return []
    other = benchmark[1:] / benchmark[:-1] - 1
    own, market = (np.lib.stride_tricks.sliding_window_view(each, window) for each in (returns, other))
    spread = market.var(axis=1)
    shared = (own * market).mean(axis=1) - own.mean(axis=1) * market.mean(axis=1)
    before: list[float | None] = [None] * window
    return before + [
        c / v if v > _FLAT * _FLAT else None for c, v in zip(shared.tolist(), spread.tolist(), strict=True)
    ]


def histogram(returns: list[float]) -> list[tuple[str, float]]:
    """Return how many days had a return within each of 41 equal ranges, by their middle."""
    if not returns:
        return []
    edge = max(1e-6, *(abs(value) for value in returns))
    counts, edges = np.histogram(returns, bins=_BINS, range=(-edge, edge))
    middles = (edges[:-1] + edges[1:]) / 2
    middles[_BINS // 2] = 0.0  # the middle range is around zero, whatever rounding says
    return [(f"{middle:.1%}", float(count)) for middle, count in zip(middles, counts, strict=True)]


def ticks_of(days: list[date]) -> list[tuple[float, str]]:
    """Return places of round dates: years, or months where the run is short, eight at most."""
    if not days:
        return []
    years = [(n, str(day.year)) for n, day in enumerate(days) if n and day.year != days[n - 1].year]
    months = [(n, day.strftime("%b %y")) for n, day in enumerate(days) if n and day.month != days[n - 1].month]
    found = years if len(years) > 2 else months or [(0, days[0].isoformat())]  # noqa: PLR2004 - two years have months
    return [(float(place), label) for place, label in found[:: -(-len(found) // _TICKS_MAX)]]


def _by(course: Course, key: Any) -> dict[Any, float]:  # noqa: ANN401 - a function of a day
    """Return the growth of each period over the last value of the one before."""
    last = {key(day): value for day, value in zip(course.days, course.equity, strict=True)}
    found, before = {}, course.equity[0] if course.equity else 1.0
    for period, value in last.items():
        found[period] = value / before - 1 if before > 0 else 0.0
        before = value
    return found
