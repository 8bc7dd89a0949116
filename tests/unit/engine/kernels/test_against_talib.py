"""Every kernel that TA-Lib has gives TA-Lib's values, on random and on real prices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import talib as ta_lib
from numpy.typing import NDArray

from alphintra.engine.kernels import (
    averages,
    candles,
    momentum,
    oscillators,
    pairs,
    transforms,
    trend,
    volatility,
    volume,
    windows,
)
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
    Case(pairs.correlation, (20,), 107, ("close", "volume"), lambda a, b: talib.CORREL(a, b, 20)),
    Case(pairs.beta, (20,), 110, ("close", "open"), lambda a, b: talib.BETA(b, a, 20)),
    Case(transforms.price_of, (0,), 0, ("open", *HLC), lambda _, high, low, __: talib.MEDPRICE(high, low)),
    Case(transforms.price_of, (1,), 0, ("open", *HLC), lambda _, *b: talib.TYPPRICE(*b)),
    Case(transforms.price_of, (2,), 0, ("open", *HLC), lambda _, *b: talib.WCLPRICE(*b)),
    Case(transforms.price_of, (3,), 0, ("open", *HLC), talib.AVGPRICE),
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


CANDLES = {
    "doji": talib.CDLDOJI,
    "dragonfly_doji": talib.CDLDRAGONFLYDOJI,
    "gravestone_doji": talib.CDLGRAVESTONEDOJI,
    "marubozu": talib.CDLMARUBOZU,
    "spinning_top": talib.CDLSPINNINGTOP,
    "hammer": talib.CDLHAMMER,
    "hanging_man": talib.CDLHANGINGMAN,
    "inverted_hammer": talib.CDLINVERTEDHAMMER,
    "shooting_star": talib.CDLSHOOTINGSTAR,
    "engulfing": talib.CDLENGULFING,
    "harami": talib.CDLHARAMI,
    "piercing": talib.CDLPIERCING,
    "dark_cloud": talib.CDLDARKCLOUDCOVER,
    "morning_star": talib.CDLMORNINGSTAR,
    "evening_star": talib.CDLEVENINGSTAR,
    "three_white_soldiers": talib.CDL3WHITESOLDIERS,
    "three_black_crows": talib.CDL3BLACKCROWS,
}


def full_bodied_bars(seed: int, bars: int) -> list[Column]:
    """Return bars that mostly follow each other in streaks, with bodies almost as long as their ranges."""
    random = np.random.default_rng(seed)
    side = np.where(np.sin(np.arange(bars) / 1.7) + random.normal(0, 0.7, bars) > 0, 1.0, -1.0)
    close = 100 + np.cumsum(np.round(side * random.uniform(0.2, 1.2, bars), 2))
    opening = np.roll(close, 1) + np.round(side * random.uniform(-0.1, 0.3, bars), 2)
    opening[0] = close[0]
    above, below = np.round(random.exponential(0.05, (2, bars)), 2)
    return [opening, np.maximum(opening, close) + above, np.minimum(opening, close) - below, close]


@pytest.mark.parametrize("shape", candles.SHAPES)
def test_a_candle_is_what_ta_lib_calls_so(shape: str) -> None:
    """On every bar of three series; the shape occurs in them."""
    number, seen = float(candles.SHAPES.index(shape)), 0
    real = [real_bars()[name] for name in ("open", *HLC)]
    random = [random_bars(12, 500)[name] for name in ("open", *HLC)]
    for bars in (real, random, full_bodied_bars(13, 1500)):
        found, bullish, bearish = (np.empty(bars[0].size) for _ in range(3))
        state = np.zeros(1 + 4 * candles.BARS)
        candles.candle.interpreted(np.array([number]), state, *bars, found, bullish, bearish)
        expected = CANDLES[shape](*bars)[candles.BARS - 1 :]
        known = slice(candles.BARS - 1, None)
        np.testing.assert_array_equal(found[known], expected != 0)
        np.testing.assert_array_equal(bearish[known], expected < 0)
        np.testing.assert_array_equal(bullish[known], (expected > 0) & ("doji" not in shape))
        seen += int(np.count_nonzero(expected))
    assert seen > 0
