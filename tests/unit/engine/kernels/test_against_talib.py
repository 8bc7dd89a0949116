"""Every kernel that TA-Lib has gives TA-Lib's values, on random and on real prices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import talib as ta_lib
from numpy.typing import NDArray

from alphintra.engine.kernels import averages, momentum, oscillators, trend, volatility, volume, windows
from alphintra.engine.kernels.kernel import Kernel
from unit.engine.kernels.market import Columns, random_bars, real_bars

talib: Any = ta_lib  # its stubs know the keywords of a function only
Column = NDArray[np.float64]
HLC = ("high", "low", "close")
HLCV = ("high", "low", "close", "volume")


@dataclass(frozen=True)
class Case:
    """A kernel with its numbers and the length of its state, and what TA-Lib gives for its first outputs."""

    kernel: Kernel
    numbers: Sequence[float]
    state: int
    inputs: Sequence[str]
    expected: Callable[..., Column | Sequence[Column]]
    outputs: int = 1


def aroon(high: Column, low: Column) -> list[Column]:
    down, up = talib.AROON(high, low, 14)
    return [up, down, talib.AROONOSC(high, low, 14)]


def lines(close: Column) -> list[Column]:
    functions = (talib.LINEARREG, talib.LINEARREG_SLOPE, talib.LINEARREG_INTERCEPT, talib.TSF)
    return [function(close, 14) for function in functions]


def directional(*bars: Column) -> list[Column]:
    return [function(*bars, 14) for function in (talib.ADX, talib.PLUS_DI, talib.MINUS_DI)]


CLOSE = ("close",)
CASES = (
    Case(windows.sma, (20,), 23, CLOSE, lambda c: talib.SMA(c, 20)),
    Case(windows.wma, (20,), 44, CLOSE, lambda c: talib.WMA(c, 20)),
    Case(windows.rolling_sum, (20,), 23, CLOSE, lambda c: talib.SUM(c, 20)),
    Case(windows.rolling_max, (20,), 23, CLOSE, lambda c: talib.MAX(c, 20)),
    Case(windows.rolling_min, (20,), 23, CLOSE, lambda c: talib.MIN(c, 20)),
    Case(windows.variance, (20,), 44, CLOSE, lambda c: talib.VAR(c, 20)),
    Case(windows.stddev, (20, 0), 44, CLOSE, lambda c: talib.STDDEV(c, 20)),
    Case(windows.bollinger, (20, 2, 2), 67, CLOSE, lambda c: talib.BBANDS(c, 20, 2, 2), 5),
    Case(windows.linreg, (14,), 32, CLOSE, lines, 4),
    Case(averages.ema, (20,), 2, CLOSE, lambda c: talib.EMA(c, 20)),
    Case(averages.dema, (20,), 4, CLOSE, lambda c: talib.DEMA(c, 20)),
    Case(averages.tema, (20,), 6, CLOSE, lambda c: talib.TEMA(c, 20)),
    Case(averages.t3, (5, 0.7), 12, CLOSE, lambda c: talib.T3(c, 5, 0.7)),
    Case(averages.trima, (20,), 27, CLOSE, lambda c: talib.TRIMA(c, 20)),
    Case(averages.trima, (21,), 28, CLOSE, lambda c: talib.TRIMA(c, 21)),
    Case(averages.kama, (10, 2, 30), 26, CLOSE, lambda c: talib.KAMA(c, 10)),
    Case(momentum.rsi, (14,), 6, CLOSE, lambda c: talib.RSI(c, 14)),
    Case(momentum.roc, (10,), 12, CLOSE, lambda c: talib.ROC(c, 10)),
    Case(momentum.momentum, (10,), 12, CLOSE, lambda c: talib.MOM(c, 10)),
    Case(momentum.stochastic, (5, 3, 3), 28, HLC, lambda *b: talib.STOCH(*b, 5, 3, 0, 3, 0), 2),
    Case(momentum.fast_stochastic, (5, 3), 22, HLC, lambda *b: talib.STOCHF(*b, 5, 3, 0), 2),
    Case(momentum.stoch_rsi, (14, 5, 3), 28, CLOSE, lambda c: talib.STOCHRSI(c, 14, 5, 3, 0), 2),
    Case(momentum.williams_r, (14,), 34, HLC, lambda *b: talib.WILLR(*b, 14)),
    Case(momentum.cci, (14,), 33, HLC, lambda *b: talib.CCI(*b, 14)),
    Case(momentum.balance_of_power, (1,), 4, ("open", *HLC), talib.BOP),
    Case(volatility.true_range, (), 2, HLC, talib.TRANGE),
    Case(volatility.atr, (14,), 4, HLC, lambda *b: talib.ATR(*b, 14)),
    Case(volatility.natr, (14,), 4, HLC, lambda *b: talib.NATR(*b, 14)),
    Case(volume.on_balance, (), 3, ("close", "volume"), talib.OBV),
    Case(volume.accumulation, (), 1, HLCV, talib.AD),
    Case(volume.chaikin_oscillator, (3, 10), 3, HLCV, lambda *b: talib.ADOSC(*b, 3, 10)),
    Case(volume.money_flow, (14,), 36, HLCV, lambda *b: talib.MFI(*b, 14)),
    Case(oscillators.macd, (12, 26, 9), 6, CLOSE, lambda c: talib.MACD(c, 12, 26, 9), 3),
    Case(oscillators.price_oscillator, (12, 26), 4, CLOSE, lambda c: talib.APO(c, 12, 26, 1)),
    Case(oscillators.price_oscillator_percent, (12, 26, 9), 6, CLOSE, lambda c: talib.PPO(c, 12, 26, 1), 3),
    Case(oscillators.ultimate, (7, 14, 28), 120, HLC, lambda *b: talib.ULTOSC(*b, 7, 14, 28)),
    Case(oscillators.trix, (15, 9), 10, CLOSE, lambda c: talib.TRIX(c, 15), 2),
    Case(oscillators.chande_momentum, (14,), 6, CLOSE, lambda c: talib.CMO(c, 14)),
    Case(trend.adx, (14,), 9, HLC, directional, 3),
    Case(trend.aroon, (14,), 34, ("high", "low"), aroon, 3),
    Case(trend.parabolic_sar, (0.02, 0.2), 7, ("high", "low"), lambda *b: talib.SAR(*b, 0.02, 0.2)),
    Case(trend.mid_price, (14,), 34, ("high", "low"), lambda *b: talib.MIDPRICE(*b, 14)),
)


def assert_agrees(case: Case, bars: Columns) -> None:
    inputs = [bars[name] for name in case.inputs]
    outputs = [np.empty(inputs[0].size) for _ in range(case.outputs)]
    case.kernel.interpreted(np.array(case.numbers, dtype=np.float64), np.zeros(case.state), *inputs, *outputs)
    found = case.expected(*inputs)
    for own, expected in zip(outputs, [found] if isinstance(found, np.ndarray) else found, strict=False):
        is_known = np.isfinite(expected)
        assert is_known.sum() > inputs[0].size // 2
        np.testing.assert_allclose(own[is_known], expected[is_known], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.kernel.name}{case.numbers}")
def test_a_kernel_gives_what_ta_lib_gives(case: Case) -> None:
    assert_agrees(case, random_bars(11, 400))
    assert_agrees(case, real_bars())
