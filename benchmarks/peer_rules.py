"""W3 and W4 through other engines, and W1 through those that take an object for each bar.

W3 has rules all agree on. W4 has not: each engine moves a trailing stop within a bar in its own way, so that only times
compare (``docs/benchmarks.md``); raptorbt trails by a fixed percentage.
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

_TRAIL_PERCENT: Final = 0.002
_REACH_PERCENT: Final = 0.004


def crossed(fast: NDArray[Any], slow: NDArray[Any], start: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return where fast crosses above and below slow, one bar later: the bar whose open fills."""
    above = fast > slow
    rises, falls = np.zeros(above.size, dtype=bool), np.zeros(above.size, dtype=bool)
    rises[start + 2 :] = above[start + 1 : -1] & ~above[start:-2]
    falls[start + 2 :] = ~above[start + 1 : -1] & above[start:-2]
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
    terms = raptorbt.BacktestConfig(initial_capital=CASH, fees=FEE, slippage=0.0)
    terms.set_trailing_stop(_TRAIL_PERCENT)
    terms.set_fixed_target(_REACH_PERCENT)
    prices = (market.open, market.high, market.low, market.close)

    def work() -> Came:
        rises, falls = crossed(raptorbt.sma(market.close, FAST), raptorbt.sma(market.close, SLOW), SLOW - 1)
        found = raptorbt.run_single_backtest(market.ts, *prices, volume, rises, falls, config=terms)
        return Came(float(found.equity_curve()[-1]), len(found.trades()))

    return work


def _backtrader_w1(market: Market) -> Work:
    import backtrader as bt  # noqa: PLC0415 - may be missing
    import pandas as pd  # noqa: PLC0415 - comes with the others

    prices = {"open": market.open, "high": market.high, "low": market.low, "close": market.close}
    frame = pd.DataFrame({**prices, "volume": 1.0}, index=pd.to_datetime(market.ts))

    class Crossover(bt.Strategy):  # type: ignore[misc] # ships no types
        def __init__(self) -> None:
            fast, slow = (bt.indicators.SMA(self.data.close, period=length) for length in (FAST, SLOW))
            self.fast, self.slow, self.closed = fast, slow, 0

        def next(self) -> None:
            if len(self.data) <= SLOW:
                return
            was, now = self.fast[-1] > self.slow[-1], self.fast[0] > self.slow[0]
            if now and not was and not self.position:
                self.buy()
            elif was and not now and self.position:
                self.close()

        def notify_trade(self, trade: Any) -> None:  # noqa: ANN401 - theirs
            self.closed += bool(trade.isclosed)

    class AllCash(bt.Sizer):  # type: ignore[misc] # ships no types
        def _getsizing(self, _info: Any, cash: float, data: Any, _isbuy: bool) -> float:  # noqa: ANN401, FBT001
            return float(cash / (data.open[1] * (1.0 + FEE))) * (1.0 - 1e-15)  # the open it fills at

    def work() -> Came:
        engine = bt.Cerebro(stdstats=False)
        engine.adddata(bt.feeds.PandasData(dataname=frame))
        engine.addstrategy(Crossover)
        engine.addsizer(AllCash)
        engine.broker.setcash(CASH)
        engine.broker.setcommission(FEE)
        engine.broker.set_checksubmit(False)
        (ran,) = engine.run()
        return Came(float(engine.broker.getvalue()), ran.closed)

    return work


WORKS: Final = {
    ("vectorbt-numba", "w3"): _vectorbt_w3("numba"),
    ("vectorbt-rust", "w3"): _vectorbt_w3("rust"),
    ("vectorbt-numba", "w4"): _vectorbt_w4("numba"),
    ("vectorbt-rust", "w4"): _vectorbt_w4("rust"),
    ("raptorbt", "w4"): _raptorbt_w4,
    ("backtrader", "w1"): _backtrader_w1,
}
