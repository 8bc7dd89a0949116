"""The workloads through other engines, where they are installed (the extra ``bench``): same prices, same rules.

Their averages are their own, or none where an engine brings none. What an engine cannot do is left out.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from benchmarks import peer_rules, peer_steps
from benchmarks.contest import CASH, FAST, FEE, SLOW, Came, Work, pairs_of
from benchmarks.peer_rules import crossed

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from benchmarks.market import Market

__all__ = ["WORKS"]

_PAIRS: Final = 1000
_AT_ONCE: Final = 100  # columns vectorbt is given at a time: all of them would not fit into memory


def _raptorbt(market: Market) -> Callable[[int, int], Came]:
    os.environ["RAPTORBT_NO_VERSION_CHECK"] = "1"
    import raptorbt  # noqa: PLC0415 - may be missing

    volume = np.ones(market.close.size)
    terms = raptorbt.BacktestConfig(initial_capital=CASH, fees=FEE, slippage=0.0, fill_timing="next_bar_open")
    prices = (market.open, market.high, market.low, market.close)

    def run(fast: int, slow: int) -> Came:
        averages = raptorbt.sma(market.close, fast), raptorbt.sma(market.close, slow)
        rises, falls = crossed(*averages, slow - 1, later=0)
        found = raptorbt.run_single_backtest(market.ts, *prices, volume, rises, falls, config=terms)
        equity, _ = found.equity_curve(), found.trades()  # the list is asked for as everyone's is; it has open ones too
        return Came(float(equity[-1]), int(found.metrics.total_closed_trades))

    return run


def _raptorbt_w1(market: Market) -> Work:
    run = _raptorbt(market)
    return lambda: run(FAST, SLOW)


def _raptorbt_w2(market: Market) -> Work:
    run = _raptorbt(market)

    def work() -> Came:
        came = [run(fast, slow) for fast, slow in pairs_of(_PAIRS)]
        return Came(max(each.equity for each in came), sum(each.trades for each in came))

    return work


def _vectorbt(market: Market, engine: str) -> Callable[[NDArray[Any], NDArray[Any]], Any]:
    import pandas as pd  # noqa: PLC0415 - comes with vectorbt
    import vectorbt as vbt  # noqa: PLC0415 - may be missing

    if engine == "rust":
        import vectorbt_rust  # noqa: F401, PLC0415 - may be missing
    opens, closes = pd.Series(market.open), pd.Series(market.close)

    def run(rises: NDArray[Any], falls: NDArray[Any]) -> Any:  # noqa: ANN401 - a Portfolio of theirs
        return vbt.Portfolio.from_signals(
            closes, rises, falls, price=opens, init_cash=CASH, fees=FEE, freq="1min", engine=engine
        )

    return run


def _vectorbt_w1(engine: str) -> Callable[[Market], Work]:
    def prepare(market: Market) -> Work:
        import vectorbt as vbt  # noqa: PLC0415 - may be missing

        run = _vectorbt(market, engine)

        def work() -> Came:
            fast, slow = (vbt.MA.run(market.close, length).ma.to_numpy().ravel() for length in (FAST, SLOW))
            found = run(*crossed(fast, slow, SLOW - 1))
            found.stats(silence_warnings=True)
            return Came(float(found.value().iloc[-1]), int(found.trades.closed.count()))

        return work

    return prepare


def _vectorbt_w2(engine: str) -> Callable[[Market], Work]:
    def prepare(market: Market) -> Work:
        import vectorbt as vbt  # noqa: PLC0415 - may be missing

        run = _vectorbt(market, engine)
        pairs = pairs_of(_PAIRS)

        def work() -> Came:
            lengths = sorted({length for pair in pairs for length in pair})
            averages = {length: vbt.MA.run(market.close, length).ma.to_numpy().ravel() for length in lengths}
            best, trades = 0.0, 0
            for start in range(0, len(pairs), _AT_ONCE):
                some = pairs[start : start + _AT_ONCE]
                sides = [crossed(averages[fast], averages[slow], slow - 1) for fast, slow in some]
                found = run(*(np.column_stack(side) for side in zip(*sides, strict=True)))
                best = max(best, float(found.final_value().max()))
                trades += int(found.trades.closed.count().sum())
            return Came(best, trades)

        return work

    return prepare


def _backtesting_w1(market: Market) -> Work:
    import pandas as pd  # noqa: PLC0415 - comes with it
    from backtesting import Backtest, Strategy  # noqa: PLC0415 - may be missing

    frame = pd.DataFrame(
        {"Open": market.open, "High": market.high, "Low": market.low, "Close": market.close},
        index=pd.to_datetime(market.ts),
    )

    class Crossover(Strategy):  # type: ignore[misc] # ships no types
        def init(self) -> None:
            closes = pd.Series(self.data.Close)
            self.fast = self.I(lambda: closes.rolling(FAST).mean())
            self.slow = self.I(lambda: closes.rolling(SLOW).mean())

        def next(self) -> None:
            was, now = self.fast[-2] > self.slow[-2], self.fast[-1] > self.slow[-1]
            if now and not was and not self.position:
                self.buy(size=1 - 1e-9)
            elif was and not now and self.position:
                self.position.close()

    def work() -> Came:
        found = Backtest(frame, Crossover, cash=CASH, commission=FEE).run()
        return Came(float(found["Equity Final [$]"]), int(found["# Trades"]))

    return work


WORKS: Final = {
    ("raptorbt", "w1"): _raptorbt_w1,
    ("raptorbt", "w2"): _raptorbt_w2,
    ("vectorbt-numba", "w1"): _vectorbt_w1("numba"),
    ("vectorbt-numba", "w2"): _vectorbt_w2("numba"),
    ("vectorbt-rust", "w1"): _vectorbt_w1("rust"),
    ("vectorbt-rust", "w2"): _vectorbt_w2("rust"),
    ("backtesting.py", "w1"): _backtesting_w1,
    **peer_rules.WORKS,
    **peer_steps.WORKS,
}
