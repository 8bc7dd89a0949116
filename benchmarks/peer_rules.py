"""W3 and W4 through other engines.

W3 has rules all agree on. W4 has not: each engine moves a trailing stop within a bar in its own way, so that only times
compare (``docs/benchmarks.md``); raptorbt trails by a fixed share of the price, which is less work.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from benchmarks.contest import BACK, CASH, EVERY, FAST, FEE, HELD, RANGE, REACH, SLOW, TRAIL, WEIGHT, Came, Work

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from benchmarks.market import Market

__all__ = ["WORKS", "crossed"]

_TRAIL_SHARE: Final = 0.002  # about two average ranges of these prices; raptorbt calls it percent and takes a share


def crossed(
    fast: NDArray[Any], slow: NDArray[Any], start: int, *, later: int = 1
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return where fast crosses above and below slow; one bar later, that is the bar whose open fills."""
    above = fast > slow
    rises, falls = np.zeros(above.size, dtype=bool), np.zeros(above.size, dtype=bool)
    end = above.size - later
    rises[start + 1 + later :] = above[start + 1 : end] & ~above[start : end - 1]
    falls[start + 1 + later :] = ~above[start + 1 : end] & above[start : end - 1]
    return rises, falls


def _wanted(market: Market) -> NDArray[np.float64]:
    """Return the weights at the bars whose opens fill them, [bars, symbols]; NaN where nothing is asked for."""
    closes = market.close
    asked = np.arange(-(-BACK // EVERY) * EVERY, closes.shape[1] - 1, EVERY)
    best = np.argpartition(-(closes[:, asked] / closes[:, asked - BACK]), HELD, axis=0)[:HELD]
    wanted = np.full(closes.T.shape, np.nan)
    wanted[asked + 1] = 0.0
    wanted[asked[None, :] + 1, best] = WEIGHT
    return wanted


def _vectorbt_w3(engine: str) -> Callable[[Market], Work]:
    def prepare(market: Market) -> Work:
        import pandas as pd  # noqa: PLC0415 - comes with vectorbt
        import vectorbt as vbt  # noqa: PLC0415 - may be missing

        if engine == "rust":
            import vectorbt_rust  # noqa: F401, PLC0415 - may be missing
        opens, closes = pd.DataFrame(market.open.T), pd.DataFrame(market.close.T)

        def work() -> Came:
            found = vbt.Portfolio.from_orders(
                closes,
                _wanted(market),
                size_type="targetpercent",
                price=opens,
                val_price=opens,
                group_by=True,
                cash_sharing=True,
                call_seq="auto",
                init_cash=CASH,
                fees=FEE,
                freq="1min",
                engine=engine,
            )
            return Came(float(found.value().iloc[-1]), int(found.orders.count()))

        return work

    return prepare


def _vectorbt_w4(engine: str) -> Callable[[Market], Work]:
    def prepare(market: Market) -> Work:
        import pandas as pd  # noqa: PLC0415 - comes with vectorbt
        import vectorbt as vbt  # noqa: PLC0415 - may be missing

        if engine == "rust":
            import vectorbt_rust  # noqa: F401, PLC0415 - may be missing
        opens, highs, lows, closes = (
            pd.Series(column) for column in (market.open, market.high, market.low, market.close)
        )

        def work() -> Came:
            fast, slow = (vbt.MA.run(market.close, length).ma.to_numpy().ravel() for length in (FAST, SLOW))
            spread = vbt.ATR.run(highs, lows, closes, RANGE, ewm=True).atr.to_numpy().ravel()
            share = np.concatenate(([np.nan], (spread / market.close)[:-1]))
            rises, falls = crossed(fast, slow, SLOW - 1)
            found = vbt.Portfolio.from_signals(
                closes,
                rises,
                falls,
                price=opens,
                open=opens,
                high=highs,
                low=lows,
                sl_stop=TRAIL * share,
                sl_trail=True,
                tp_stop=REACH * share,
                init_cash=CASH,
                fees=FEE,
                freq="1min",
                engine=engine,
            )
            found.stats(silence_warnings=True)
            return Came(float(found.value().iloc[-1]), int(found.trades.closed.count()))

        return work

    return prepare


def _raptorbt_w4(market: Market) -> Work:
    os.environ["RAPTORBT_NO_VERSION_CHECK"] = "1"
    import raptorbt  # noqa: PLC0415 - may be missing

    volume = np.ones(market.close.size)
    terms = raptorbt.BacktestConfig(initial_capital=CASH, fees=FEE, slippage=0.0, fill_timing="next_bar_open")
    terms.set_trailing_stop(_TRAIL_SHARE)
    terms.set_atr_target(REACH, RANGE)
    prices = (market.open, market.high, market.low, market.close)

    def work() -> Came:
        averages = raptorbt.sma(market.close, FAST), raptorbt.sma(market.close, SLOW)
        rises, falls = crossed(*averages, SLOW - 1, later=0)
        found = raptorbt.run_single_backtest(market.ts, *prices, volume, rises, falls, config=terms)
        equity, _ = found.equity_curve(), found.trades()
        return Came(float(equity[-1]), int(found.metrics.total_closed_trades))

    return work


WORKS: Final = {
    ("vectorbt-numba", "w3"): _vectorbt_w3("numba"),
    ("vectorbt-rust", "w3"): _vectorbt_w3("rust"),
    ("vectorbt-numba", "w4"): _vectorbt_w4("numba"),
    ("vectorbt-rust", "w4"): _vectorbt_w4("rust"),
    ("raptorbt", "w4"): _raptorbt_w4,
}
