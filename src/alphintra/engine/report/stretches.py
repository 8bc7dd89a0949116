"""Stretches of a course that readers ask for: the deepest falls, the markets' crises, and each zone for itself."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from alphintra.engine.report.plots import Band

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from alphintra.engine.report.course import Course

__all__ = ["Fall", "Stretch", "crises", "deepest_falls", "measured", "zones_of"]

FALLS_SHOWN: Final = 8
_FLAT: Final = 1e-12
_DAYS_MIN: Final = 2

# From the S&P 500's last close before to its lowest close, or the days a crisis of another market is dated by.
_CRISES: Final = (
    ("Dot-com bear market", date(2000, 3, 24), date(2002, 10, 9)),
    ("After 11 September 2001", date(2001, 9, 10), date(2001, 9, 21)),
    ("Global financial crisis", date(2007, 10, 9), date(2009, 3, 9)),
    ("Lehman and after", date(2008, 9, 12), date(2008, 11, 20)),
    ("Flash crash and Greek debt", date(2010, 4, 23), date(2010, 7, 2)),
    ("Downgrade of US debt", date(2011, 7, 22), date(2011, 10, 3)),
    ("China's devaluation", date(2015, 8, 17), date(2015, 8, 25)),
    ("Volatility funds collapse", date(2018, 1, 26), date(2018, 2, 8)),
    ("Fourth quarter of 2018", date(2018, 9, 20), date(2018, 12, 24)),
    ("Covid-19", date(2020, 2, 19), date(2020, 3, 23)),
    ("Rates of 2022", date(2022, 1, 3), date(2022, 10, 12)),
    ("Terra collapses", date(2022, 5, 5), date(2022, 5, 12)),
    ("FTX collapses", date(2022, 11, 5), date(2022, 11, 21)),
    ("Yen carry unwinds", date(2024, 7, 16), date(2024, 8, 5)),
    ("Tariffs of 2025", date(2025, 2, 19), date(2025, 4, 8)),
)


@dataclass(frozen=True, slots=True)
class Fall:
    """A fall below an earlier peak: its depth as a fraction, and its days; ``regained`` is None if it never was."""

    depth: float
    peak: date
    lowest: date
    regained: date | None


@dataclass(frozen=True, slots=True)
class Stretch:
    """What a course did between two days; ``benchmark`` and ``sharpe`` are None where they are not defined."""

    name: str
    first: date
    last: date
    growth: float
    benchmark: float | None
    depth: float
    sharpe: float | None


def deepest_falls(course: Course, count: int = FALLS_SHOWN) -> list[Fall]:
    """Return the deepest falls, each from its peak to the day the peak was regained, the deepest first."""
    found, peak, lowest = [], 0, 0
    values = course.equity
    for place in range(1, len(values) + 1):
        is_over = place == len(values)
        if not is_over and values[place] < values[peak]:
            lowest = place if lowest == peak or values[place] < values[lowest] else lowest
            continue
        if lowest != peak and values[peak] > 0:
            regained = None if is_over else course.days[place]
            depth = 1 - values[lowest] / values[peak]
            found.append(Fall(depth, course.days[peak], course.days[lowest], regained))
        peak = lowest = place
    return sorted(found, key=lambda fall: -fall.depth)[:count]


def crises(course: Course, periods: int) -> list[Stretch]:
    """Return what the course did in those crises that lie within its days."""
    found = []
    for name, begun, ended in _CRISES:
        if course.days and course.days[0] <= begun and ended <= course.days[-1]:
            inside = [place for place, day in enumerate(course.days) if begun <= day <= ended]
            if len(inside) >= _DAYS_MIN:
                found.append(measured(course, name, (inside[0], inside[-1]), periods))
    return found


def measured(course: Course, name: str, places: tuple[int, int], periods: int) -> Stretch:
    """Return what a course did between two of its places, measured from the close of the first to that of the last."""
    first, last = places
    values = np.array(course.equity[first : last + 1])
    is_solvent = bool((values > 0).all())
    returns = values[1:] / values[:-1] - 1 if is_solvent else np.zeros(0)
    spread = float(returns.std(ddof=1)) if returns.size > 1 else 0.0
    peaks = np.maximum.accumulate(values)
    benchmark = None
    if course.benchmark and course.benchmark[first] > 0:
        benchmark = course.benchmark[last] / course.benchmark[first] - 1
    return Stretch(
        name,
        course.days[first],
        course.days[last],
        float(values[-1] / values[0] - 1) if values[0] > 0 else 0.0,
        benchmark,
        float((1 - values / peaks).max()) if is_solvent else 1.0,
        float(returns.mean()) / spread * math.sqrt(periods) if spread > _FLAT else None,
    )


def zones_of(
    course: Course, holdout_ts: str | None, executions: Sequence[Mapping[str, Any]], *, symbol: str
) -> list[Band]:
    """Return the zones of a course: ``insample`` and ``holdout`` where bars were locked, ``paper`` and ``live`` trades.

    Args:
        course: of the report.
        holdout_ts: from when on bars were locked away from the search, None without one.
        executions: of the workflow, as the API answers them; those on paper and live of the symbol count.
        symbol: of the report.
    """
    days, found = course.days, []
    if not days:
        return []
    if holdout_ts:
        locked = next((n for n, day in enumerate(days) if day >= date.fromisoformat(holdout_ts[:10])), len(days))
        if locked:
            found.append(Band("insample", "in-sample", 0, min(locked, len(days) - 1)))
        if locked < len(days):
            found.append(Band("holdout", "holdout", locked, len(days) - 1))
    for each in executions:
        if each["kind"] not in {"paper", "live"} or each["symbol"] != symbol or not each["started_at"]:
            continue
        begun = date.fromisoformat(each["started_at"][:10])
        ended = date.fromisoformat(each["ended_at"][:10]) if each["ended_at"] else days[-1]
        inside = [place for place, day in enumerate(days) if begun <= day <= ended]
        if inside:
            found.append(Band(each["kind"], each["kind"], inside[0], inside[-1]))
    return found
