"""Nodes of the trading day, on the exchange's own clock."""

from __future__ import annotations

from decimal import Decimal

from alphintra.engine.graph.definition import outputs
from alphintra.engine.graph.nodes.shared import Shelf, choice, flag, series
from alphintra.engine.graph.params import ParamKind, ParamSpec
from alphintra.engine.graph.values import PortKind
from alphintra.engine.kernels import day

__all__ = ["NODES"]

_SHELF = Shelf("session")
_BOOL = outputs(PortKind.BOOL)
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SINCE = choice("since", "Where it begins anew.", "session", "week")


def _minutes(name: str, default: int, summary: str, *, least: int = 0) -> ParamSpec:
    return ParamSpec(
        name=name,
        kind=ParamKind.INT,
        summary=summary,
        default=default,
        minimum=Decimal(least),
        maximum=Decimal(1440),
    )


NODES = (
    _SHELF.node(
        "TimeWindow",
        "True for closes after one time of day and not after another, on the exchange's clock.",
        day.time_window,
        clock=("minute_of_day",),
        outs=_BOOL,
        params=(
            _minutes("after", 600, "Minutes since midnight, 600 is 10:00; a close at that very time is outside."),
            _minutes(
                "until", 900, "Minutes since midnight, 900 is 15:00; before the first, the window spans midnight."
            ),
        ),
    ),
    _SHELF.node(
        "DayFilter",
        "True on the chosen days of the week.",
        day.day_filter,
        clock=("weekday",),
        outs=_BOOL,
        params=tuple(flag(name, f"Whether {name.title()} counts.", default=True) for name in _DAYS),
    ),
    _SHELF.node(
        "OpeningRange",
        "High and low of the first minutes of the session, known once they are over.",
        day.opening_range,
        clock=("session", "since_open"),
        inputs=series("high", "low", "close"),
        outs=(*outputs(PortKind.NUM, "high", "low"), *outputs(PortKind.BOOL, "ready")),
        params=(_minutes("minutes", 15, "Minutes from the opening.", least=1),),
        state=lambda _: 5,
    ),
    _SHELF.node(
        "SessionLevels",
        "Open, high and low of the session so far, and high, low and close of the one before.",
        day.session_levels,
        clock=("session", "week"),
        inputs=series("open", "high", "low", "close"),
        outs=outputs(PortKind.NUM, "open", "high", "low", "past_high", "past_low", "past_close"),
        params=(_SINCE,),
        state=lambda _: 9,
    ),
    _SHELF.node(
        "VWAP",
        "Volume-weighted average price since the session or week began, and the deviation from it.",
        day.vwap,
        clock=("session", "week"),
        inputs=series("high", "low", "close", "volume"),
        outs=outputs(PortKind.NUM, "out", "deviation"),
        params=(_SINCE,),
        state=lambda _: 5,
    ),
)
