"""Every ready strategy runs on prices that were paid, trades, and gives the same bar by bar as all at once."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from random import Random
from typing import TYPE_CHECKING

import pytest

from alphintra.engine.backtest import BacktestSettings, run_backtest
from alphintra.engine.bars import Bar
from alphintra.engine.executor import Executor
from alphintra.engine.graph import compile_plan
from alphintra.engine.graph.values import StateView
from alphintra.engine.sessions import calendar_of
from alphintra.engine.templates import GALLERY
from alphintra.engine.universe_backtest import run_universe
from unit.engine.shipped import shipped_bars

if TYPE_CHECKING:
    from collections.abc import Sequence

SEVERAL = {"momentum_rotation", "pairs"}
INTRADAY = sorted(name for name, item in GALLERY.items() if item.graph.timeframe == "5m")
ALONE = sorted(set(GALLERY) - SEVERAL - set(INTRADAY))
BARS = 1400
SETTINGS = BacktestSettings(initial_cash=Decimal(100_000))


@cache
def sessions_of_five_minutes(days: int = 12) -> tuple[Bar, ...]:
    """Return made-up 5-minute bars of regular New York sessions: noise around a level that jumps at the opening."""
    random, bars, price = Random(7), [], 100.0  # noqa: S311 - made-up prices
    day = datetime(2024, 3, 4, tzinfo=UTC)
    for number in range(days):
        opened = day + timedelta(days=number // 5 * 7 + number % 5)
        opened += (
            timedelta(hours=14, minutes=30) if opened < datetime(2024, 3, 10, tzinfo=UTC) else timedelta(hours=13.5)
        )
        for index in range(78):
            start = price
            price = round(price * math.exp(random.gauss(0.0004 if index < 12 else 0, 0.0025)), 2)
            high, low = max(start, price) + 0.04, min(start, price) - 0.04
            values = (start, round(high, 2), round(low, 2), price)
            first, top, bottom, last = (Decimal(str(value)) for value in values)
            closed, volume = opened + timedelta(minutes=5 * (index + 1)), Decimal(random.randint(500, 5000))
            bars.append(Bar(closed, first, top, bottom, last, volume))
    return tuple(bars)


def bars_for(name: str) -> Sequence[Bar]:
    return sessions_of_five_minutes() if name in INTRADAY else shipped_bars("MSFT")[-BARS:]


@pytest.mark.parametrize("name", [*ALONE, *INTRADAY])
def test_a_strategy_of_one_symbol_trades(name: str) -> None:
    result = run_backtest(compile_plan(GALLERY[name].graph), "MSFT", bars=bars_for(name), settings=SETTINGS)
    assert result.fills
    assert all(point.equity > 0 for point in result.equity)


@pytest.mark.parametrize("name", sorted(SEVERAL))
def test_a_strategy_of_several_symbols_trades_them(name: str) -> None:
    symbols = ("IBM", "MSFT") if name == "pairs" else ("AAPL", "GOOG", "IBM", "MSFT")
    bars = {symbol: shipped_bars(symbol)[-BARS:] for symbol in symbols}
    result = run_universe(compile_plan(GALLERY[name].graph), bars, settings=SETTINGS)
    assert {fill.symbol for fill in result.fills} == set(symbols)
    assert all(point.equity > 0 for point in result.equity)


@pytest.mark.parametrize("name", [*ALONE, *INTRADAY])
def test_noise_in_the_future_changes_no_decision_before_it(name: str) -> None:
    bars, cut = list(bars_for(name))[:700], 500
    noise = Random(3)  # noqa: S311 - made-up prices
    later = [
        replace(bar, high=bar.high * factor, low=bar.low * factor, open=bar.open * factor, close=bar.close * factor)
        for bar in bars[cut:]
        for factor in [Decimal(noise.randint(50, 200)) / 100]
    ]
    plan = compile_plan(GALLERY[name].graph)
    known = run_backtest(plan, "MSFT", bars=bars, settings=SETTINGS).decisions[:cut]
    assert run_backtest(plan, "MSFT", bars=[*bars[:cut], *later], settings=SETTINGS).decisions[:cut] == known


@pytest.mark.parametrize("name", [*ALONE, *INTRADAY])
def test_bar_by_bar_decides_as_all_at_once(name: str) -> None:
    """A flat book throughout: what differs could only come from the nodes."""
    bars, plan = bars_for(name)[:420], compile_plan(GALLERY[name].graph)
    view = StateView(Decimal(0), Decimal(0), Decimal(100_000), Decimal(100_000))
    one, ahead = Executor(plan, calendar_of("MSFT")), Executor(plan, calendar_of("MSFT"))
    ahead.prepare(bars)
    assert [one.on_bar(bar, view) for bar in bars] == [ahead.on_bar(bar, view) for bar in bars]
