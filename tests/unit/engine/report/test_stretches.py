"""Falls, crises and zones of a course are told with the days and the depths they had."""

from __future__ import annotations

import math
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alphintra.engine.report.course import Course, rolling_beta
from alphintra.engine.report.stretches import crises, deepest_falls, measured, zones_of

FIRST = date(2008, 1, 1)


def course(values: list[float], *, first: date = FIRST, benchmark: list[float] | None = None) -> Course:
    days = [first + timedelta(days=n) for n in range(len(values))]
    return Course(days, values, benchmark or [], [0.0] * len(values))


def test_each_fall_has_its_peak_its_lowest_day_and_its_return() -> None:
    found = deepest_falls(course([100, 90, 95, 100, 120, 60, 80, 130, 117]))
    assert [(round(f.depth, 9), f.peak.day, f.lowest.day, f.regained and f.regained.day) for f in found] == [
        (0.5, 5, 6, 8),
        (0.1, 1, 2, 4),
        (0.1, 8, 9, None),
    ]
    assert deepest_falls(course([1, 2, 3])) == []


@given(st.lists(st.floats(0.1, 1000), min_size=1, max_size=60))
def test_the_deepest_fall_is_the_maximum_drawdown_and_falls_do_not_overlap(values: list[float]) -> None:
    told = course(values)
    found = deepest_falls(told, count=100)
    assert max((fall.depth for fall in found), default=0.0) == pytest.approx(-min(told.falls), abs=1e-12)
    for earlier, later in pairwise(sorted(found, key=lambda fall: fall.peak)):
        assert earlier.regained is not None
        assert earlier.peak < earlier.lowest < earlier.regained <= later.peak


def test_a_crisis_is_told_where_the_course_spans_it_and_nowhere_else() -> None:
    days = (date(2009, 3, 9) - date(2007, 10, 9)).days + 1
    whole = course([100 * 0.999**n for n in range(days)], first=date(2007, 10, 9), benchmark=[5.0] * days)
    found = crises(whole, 252)
    assert [each.name for each in found] == ["Global financial crisis", "Lehman and after"]
    assert found[0].growth == pytest.approx(0.999 ** (days - 1) - 1)
    assert found[0].benchmark == 0.0
    assert found[0].depth == pytest.approx(-found[0].growth)
    assert [each.name for each in crises(course([1.0] * (days - 1), first=date(2007, 10, 10)), 252)] == [
        "Lehman and after"
    ]


def test_a_stretch_is_measured_from_the_close_it_begins_at() -> None:
    told = measured(course([50, 100, 110, 99]), "x", (1, 3), 252)
    assert (told.growth, told.depth) == pytest.approx((-0.01, 0.1))
    assert told.benchmark is None
    assert told.sharpe == pytest.approx(0.0, abs=1e-12)  # +10 % and -10 %
    assert measured(course([1, 1, 1]), "x", (0, 2), 252).sharpe is None


def test_zones_say_where_the_lock_fell_and_where_the_strategy_traded() -> None:
    ten = course([1.0] * 10)
    executions: list[dict[str, Any]] = [
        {"kind": "paper", "symbol": "A", "started_at": "2008-01-08T12:00:00Z", "ended_at": "2008-01-09T00:00:00Z"},
        {"kind": "live", "symbol": "A", "started_at": "2008-01-10T12:00:00Z", "ended_at": None},
        {"kind": "paper", "symbol": "B", "started_at": "2008-01-01T12:00:00Z", "ended_at": None},
        {"kind": "paper", "symbol": "A", "started_at": "2009-01-01T12:00:00Z", "ended_at": None},
        {"kind": "backtest", "symbol": "A", "started_at": "2008-01-01T12:00:00Z", "ended_at": None},
    ]
    found = zones_of(ten, "2008-01-07T21:00:00Z", executions, symbol="A")
    assert [(band.kind, band.first, band.last) for band in found] == [
        ("insample", 0, 6),
        ("holdout", 6, 9),
        ("paper", 7, 8),
        ("live", 9, 9),
    ]
    assert zones_of(ten, None, [], symbol="A") == []
    assert [band.kind for band in zones_of(ten, "2007-01-01T00:00:00Z", [], symbol="A")] == ["holdout"]
    assert [band.kind for band in zones_of(ten, "2020-01-01T00:00:00Z", [], symbol="A")] == ["insample"]
    assert zones_of(course([]), "2020-01-01T00:00:00Z", executions, symbol="A") == []


def test_rolling_beta_is_that_of_the_last_days() -> None:
    market = [100 * math.exp(math.sin(n) / 50) for n in range(60)]
    equity = [1.0]
    for earlier, later in pairwise(market):
        equity.append(equity[-1] * (1 + 1.5 * (later / earlier - 1)))
    betas = rolling_beta(course(equity, benchmark=market), window=20)
    assert (len(betas), betas[:20]) == (60, [None] * 20)
    assert betas[20:] == [pytest.approx(1.5)] * 40
    assert rolling_beta(course(equity), window=20) == []
    assert rolling_beta(course([1.0, 1.1, 1.2], benchmark=[1.0, 1.0, 1.0]), window=2) == [None, None, None]
