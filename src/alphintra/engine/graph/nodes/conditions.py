"""Nodes of conditions that count, wait, or watch a series by themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alphintra.engine.graph.definition import Port, outputs
from alphintra.engine.graph.nodes.shared import Shelf, choice, conditions, decimal, flag, period, series
from alphintra.engine.graph.values import PortKind
from alphintra.engine.kernels import conditions as kernels

if TYPE_CHECKING:
    from alphintra.engine.graph.params import ParamSpec

__all__ = ["NODES"]

_SHELF = Shelf("logic")
_BOOL = outputs(PortKind.BOOL)
_EVENT = outputs(PortKind.EVENT)
_WIRES = (Port("in", PortKind.BOOL, is_many=True),)
_SESSION_OR_WEEK = choice("each", "What it is counted by.", "session", "week")


def _level(name: str, default: str, summary: str) -> ParamSpec:
    return decimal(name, default, summary, least="-1000000000", most="1000000000")


NODES = (
    _SHELF.node(
        "Between",
        "True while a number lies between two others, or outside them.",
        kernels.between,
        inputs=series("in", "low", "high"),
        outs=_BOOL,
        params=(flag("outside", "True asks for the opposite: below low or above high."),),
    ),
    _SHELF.node(
        "Xor",
        "True while exactly one of two inputs is, or an odd number of several.",
        kernels.exclusive,
        inputs=_WIRES,
        outs=_BOOL,
    ),
    _SHELF.node(
        "AtLeast",
        "True while at least so many of the inputs are: a vote.",
        kernels.at_least,
        inputs=_WIRES,
        outs=_BOOL,
        params=(period(2, name="count", summary="Inputs that must be true."),),
    ),
    _SHELF.node(
        "CrossAny",
        "True on the bar where a passes b, upwards or downwards.",
        kernels.cross_either,
        inputs=series("a", "b"),
        outs=_EVENT,
        state=lambda: 2,
        lookback=lambda: 1,
    ),
    _SHELF.node(
        "HeldFor",
        "True once a condition has been true for so many bars: confirmation.",
        kernels.held_for,
        inputs=conditions(),
        outs=_BOOL,
        params=(period(3, name="bars", summary="Bars in a row, this one included."),),
        state=lambda _: 1,
        fading=lambda n: n - 1,
    ),
    _SHELF.node(
        "Within",
        "True while a condition was true at one of the last bars.",
        kernels.within,
        inputs=conditions(),
        outs=_BOOL,
        params=(period(5, name="bars", summary="Bars looked back on, this one included."),),
        state=lambda _: 1,
        fading=lambda n: n - 1,
    ),
    _SHELF.node(
        "Edge",
        "True only on the bar where a condition changes.",
        kernels.edge,
        inputs=conditions(),
        outs=_EVENT,
        params=(choice("when", "Which change counts.", "rises", "falls", "either"),),
        state=lambda _: 1,
        lookback=lambda _: 1,
    ),
    _SHELF.node(
        "OncePer",
        "Lets a condition through once a session or week: on the first bar where it is true.",
        kernels.once_per,
        clock=("session", "week"),
        inputs=conditions(),
        outs=_EVENT,
        params=(_SESSION_OR_WEEK,),
        state=lambda _: 2,
    ),
    _SHELF.node(
        "Cooldown",
        "Lets a condition through and then none for so many bars.",
        kernels.cooldown,
        inputs=conditions(),
        outs=_EVENT,
        params=(period(5, name="bars", summary="Bars of rest after each event."),),
        state=lambda _: 1,
    ),
    _SHELF.node(
        "Hysteresis",
        "True from where a number passes one level until it comes back through another.",
        kernels.hysteresis,
        outs=_BOOL,
        params=(
            _level("enter", "70", "Level beyond which it becomes true."),
            _level("leave", "50", "Level behind which it becomes false."),
            choice("side", "On which side of the first level it is true.", "above", "below"),
        ),
        state=lambda _enter, _leave, _side: 1,
    ),
    _SHELF.node(
        "Overbought",
        "True from where an oscillator rises above a level until it falls below a second one.",
        kernels.hysteresis,
        outs=_BOOL,
        params=(_level("level", "70", "Level above which it begins."), _level("until", "70", "Level where it ends.")),
        fixed=(0,),
        state=lambda _level, _until: 1,
    ),
    _SHELF.node(
        "Oversold",
        "True from where an oscillator falls below a level until it rises above a second one.",
        kernels.hysteresis,
        outs=_BOOL,
        params=(_level("level", "30", "Level below which it begins."), _level("until", "30", "Level where it ends.")),
        fixed=(1,),
        state=lambda _level, _until: 1,
    ),
    _SHELF.node(
        "Rising",
        "True while a number has risen, or fallen, on each of the last bars.",
        kernels.rising,
        outs=_BOOL,
        params=(
            period(3, name="bars", summary="Moves in a row."),
            choice("direction", "Which way.", "up", "down"),
        ),
        state=lambda _n, _direction: 3,
        lookback=lambda n, _direction: n,
    ),
    _SHELF.node(
        "PercentMove",
        "True where a number has moved by so many percent over the last bars.",
        kernels.moved,
        outs=_BOOL,
        params=(
            period(1, name="bars", summary="Bars back."),
            decimal("percent", "2", "Least move in percent.", most="100000"),
            choice("direction", "Which way.", "up", "down", "either"),
        ),
        state=lambda n, _percent, _direction: 2 + n,
        lookback=lambda n, _percent, _direction: n,
    ),
    *(
        _SHELF.node(
            name,
            summary,
            kernels.means_cross,
            outs=_EVENT,
            params=(
                period(50, name="fast", summary="Bars of the fast average."),
                period(200, name="slow", summary="Bars of the slow average."),
            ),
            fixed=(direction,),
            state=lambda fast, slow: 8 + fast + slow,
            lookback=max,
        )
        for name, direction, summary in (
            ("GoldenCross", 0, "True on the bar where a fast average rises above a slow one."),
            ("DeathCross", 1, "True on the bar where a fast average falls below a slow one."),
        )
    ),
    _SHELF.node(
        "Breakout",
        "True where the close lies beyond the highest high, or lowest low, of the bars before.",
        kernels.breakout,
        inputs=series("high", "low", "close"),
        outs=outputs(PortKind.BOOL, "up", "down"),
        params=(period(20), decimal("percent", "0", "How far beyond, in percent.", most="100")),
        state=lambda n, _percent: 9 + 2 * n,
        lookback=lambda n, _percent: n,
    ),
    _SHELF.node(
        "Gap",
        "True where a bar opens beyond the range of the bar before.",
        kernels.gap,
        inputs=series("open", "high", "low"),
        outs=outputs(PortKind.EVENT, "up", "down"),
        params=(decimal("percent", "0", "How far beyond, in percent.", most="100"),),
        state=lambda _: 3,
        lookback=lambda _: 1,
    ),
    _SHELF.node(
        "VolumeSpike",
        "True where volume is a number of times its mean of the bars before.",
        kernels.volume_spike,
        inputs=series("volume"),
        outs=_BOOL,
        params=(period(20), decimal("times", "2", "Times the mean.", most="1000000")),
        state=lambda n, _times: 5 + n,
        lookback=lambda n, _times: n,
    ),
)
