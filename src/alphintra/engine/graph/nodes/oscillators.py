"""Nodes of oscillators."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alphintra.engine.graph.definition import outputs
from alphintra.engine.graph.nodes.shared import Shelf, fades, fades_slowly, period, series
from alphintra.engine.graph.values import PortKind
from alphintra.engine.kernels import oscillators

if TYPE_CHECKING:
    from alphintra.engine.graph.params import ParamSpec

__all__ = ["NODES"]

_SHELF = Shelf("oscillator")
_HL = series("high", "low")
_HLC = series("high", "low", "close")
_LINES = outputs(PortKind.NUM, "line", "signal", "hist")


def _fast(default: int = 12) -> ParamSpec:
    return period(default, name="fast", summary="Bars of the fast average.")


def _slow(default: int = 26) -> ParamSpec:
    return period(default, name="slow", summary="Bars of the slow average.")


def _signal(default: int = 9) -> ParamSpec:
    return period(default, name="signal", summary="Bars of the signal line.")


NODES = (
    _SHELF.node(
        "MACD",
        "Moving average convergence/divergence: a fast less a slow average, and its own average as a signal.",
        oscillators.macd,
        outs=_LINES,
        params=(_fast(), _slow(), _signal()),
        state=lambda *_: 6,
        lookback=lambda fast, slow, signal: max(fast, slow) + signal - 2,
        fading=lambda fast, slow, signal: fades(max(fast, slow), signal),
    ),
    _SHELF.node(
        "APO",
        "Absolute price oscillator: a fast less a slow exponential average.",
        oscillators.price_oscillator,
        params=(_fast(), _slow()),
        state=lambda *_: 4,
        lookback=lambda fast, slow: max(fast, slow) - 1,
        fading=lambda fast, slow: fades(max(fast, slow)),
    ),
    _SHELF.node(
        "PPO",
        "Percentage price oscillator: how far a fast average is above a slow one, in percent.",
        oscillators.price_oscillator_percent,
        outs=_LINES,
        params=(_fast(), _slow(), _signal()),
        state=lambda *_: 6,
        lookback=lambda fast, slow, signal: max(fast, slow) + signal - 2,
        fading=lambda fast, slow, signal: fades(max(fast, slow), signal),
    ),
    _SHELF.node(
        "AwesomeOscillator",
        "Williams's awesome oscillator: a fast less a slow mean of the middles of bars.",
        oscillators.awesome,
        inputs=_HL,
        params=(_fast(5), _slow(34)),
        state=lambda fast, slow: 6 + fast + slow,
        lookback=lambda fast, slow: max(fast, slow) - 1,
    ),
    _SHELF.node(
        "Accelerator",
        "Williams's accelerator: the awesome oscillator less its own mean.",
        oscillators.accelerator,
        inputs=_HL,
        params=(_fast(5), _slow(34), _signal(5)),
        state=lambda fast, slow, signal: 9 + fast + slow + signal,
        lookback=lambda fast, slow, signal: max(fast, slow) + signal - 2,
    ),
    _SHELF.node(
        "UltimateOscillator",
        "Williams's ultimate oscillator: buying pressure over three periods at once, 0 to 100.",
        oscillators.ultimate,
        inputs=_HLC,
        params=tuple(
            period(n, name=name, summary="Bars of one of the three periods.")
            for name, n in (("fast", 7), ("middle", 14), ("slow", 28))
        ),
        state=lambda *p: 22 + 2 * sum(p),
        lookback=max,
    ),
    _SHELF.node(
        "TRIX",
        "Rate of change, bar by bar, of a triple exponential average.",
        oscillators.trix,
        outs=outputs(PortKind.NUM, "line", "signal"),
        params=(period(15), _signal()),
        state=lambda *_: 10,
        lookback=lambda n, signal: 3 * (n - 1) + signal,
        fading=lambda n, signal: fades(n, n, n, signal),
    ),
    _SHELF.node(
        "CMO",
        "Chande's momentum oscillator: gains less losses over both, -100 to 100.",
        oscillators.chande_momentum,
        params=(period(14),),
        state=lambda _: 6,
        lookback=lambda n: n,
        fading=fades_slowly,
    ),
    _SHELF.node(
        "DPO",
        "Detrended price: an earlier price less the mean, to see cycles; not centred, so it never looks ahead.",
        oscillators.detrended,
        params=(period(20),),
        state=lambda n: 6 + n + n // 2,
        lookback=lambda n: max(n - 1, n // 2 + 1),
    ),
    _SHELF.node(
        "Fisher",
        "Ehlers's Fisher transform: makes turns of the price within its range sharp.",
        oscillators.fisher,
        inputs=_HL,
        outs=outputs(PortKind.NUM, "line", "signal"),
        params=(period(9),),
        state=lambda n: 9 + 2 * n,
        lookback=lambda n: n,
        fading=lambda _: 45,  # two filters that keep 0.67 and 0.5 of the value before
    ),
    _SHELF.node(
        "Qstick",
        "Mean body of the last bars: above zero while bars close higher than they open.",
        oscillators.qstick,
        inputs=series("open", "close"),
        params=(period(8),),
        state=lambda n: 3 + n,
        lookback=lambda n: n - 1,
    ),
    _SHELF.node(
        "SchaffTrendCycle",
        "Schaff's trend cycle: a MACD run twice through a stochastic; quick to show a new trend.",
        oscillators.schaff,
        params=(_fast(23), _slow(50), period(10, name="cycle", summary="Bars of the stochastics.")),
        state=lambda _fast, _slow, cycle: 22 + 4 * cycle,
        lookback=lambda fast, slow, cycle: max(fast, slow) + 2 * cycle - 3,
        fading=lambda fast, slow, cycle: fades(max(fast, slow)) + 2 * cycle + 28,
    ),
    _SHELF.node(
        "Vortex",
        "Vortex: upward against downward movement; a cross of the two starts a trend.",
        oscillators.vortex,
        inputs=_HLC,
        outs=outputs(PortKind.NUM, "plus", "minus"),
        params=(period(14),),
        state=lambda n: 13 + 3 * n,
        lookback=lambda n: n,
    ),
)
