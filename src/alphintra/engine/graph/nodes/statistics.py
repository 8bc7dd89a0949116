"""Nodes of rolling statistics."""

from __future__ import annotations

from alphintra.engine.graph.nodes.shared import Shelf, decimal, period
from alphintra.engine.kernels import windows

__all__ = ["NODES"]

_SHELF = Shelf("statistics")

NODES = (
    _SHELF.node(
        "RollingSum",
        "Sum of the last values.",
        windows.rolling_sum,
        params=(period(20),),
        state=lambda n: 3 + n,
        lookback=lambda n: n - 1,
    ),
    _SHELF.node(
        "RollingMax",
        "Greatest of the last values.",
        windows.rolling_max,
        params=(period(20),),
        state=lambda n: 3 + n,
        lookback=lambda n: n - 1,
    ),
    _SHELF.node(
        "RollingMin",
        "Least of the last values.",
        windows.rolling_min,
        params=(period(20),),
        state=lambda n: 3 + n,
        lookback=lambda n: n - 1,
    ),
    _SHELF.node(
        "RollingMedian",
        "Middle of the last values in order: no single value can pull it away.",
        windows.median,
        params=(period(20),),
        state=lambda n: 2 + 2 * n,
        lookback=lambda n: n - 1,
    ),
    _SHELF.node(
        "RollingPercentile",
        "Value that a share of the last values lies below.",
        windows.percentile,
        params=(period(100), decimal("percent", "80", "Share in percent.", most="100")),
        state=lambda n, _percent: 2 + 2 * n,
        lookback=lambda n, _percent: n - 1,
    ),
    _SHELF.node(
        "RollingRank",
        "Share, in percent, of the values before that lie below this one.",
        windows.rolling_rank,
        params=(period(120),),
        state=lambda n: 2 + n,
        lookback=lambda n: n,
    ),
    _SHELF.node(
        "ZScore",
        "Distance from the mean of the last values, in standard deviations.",
        windows.zscore,
        params=(period(20, least=2),),
        state=lambda n: 4 + 2 * n,
        lookback=lambda n: n - 1,
    ),
    _SHELF.node(
        "Scale",
        "Where the value lies between the least (0) and the greatest (1) of the last ones.",
        windows.scale,
        params=(period(100, least=2),),
        state=lambda n: 6 + 2 * n,
        lookback=lambda n: n - 1,
    ),
)
