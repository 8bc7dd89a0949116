"""Nodes of two series beside each other."""

from __future__ import annotations

from alphintra.engine.graph.definition import outputs
from alphintra.engine.graph.nodes.shared import Shelf, decimal, period, series
from alphintra.engine.graph.values import PortKind
from alphintra.engine.kernels import pairs

__all__ = ["NODES"]

_SHELF = Shelf("statistics")
_TWO = series("a", "b")

NODES = (
    _SHELF.node(
        "Correlation",
        "How closely two series move together, -1 to 1.",
        pairs.correlation,
        inputs=_TWO,
        params=(period(30, least=2),),
        state=lambda n: 7 + 5 * n,
        lookback=lambda n: n - 1,
    ),
    _SHELF.node(
        "Beta",
        "How much a moves, in percent, for each percent of b.",
        pairs.beta,
        inputs=_TWO,
        params=(period(60, least=2),),
        state=lambda n: 10 + 5 * n,
        lookback=lambda n: n,
    ),
    _SHELF.node(
        "HedgeRatio",
        "How many of b offset one of a, by least squares over the last bars.",
        pairs.hedge_ratio,
        inputs=_TWO,
        outs=outputs(PortKind.NUM, "ratio", "intercept"),
        params=(period(120, least=2),),
        state=lambda n: 7 + 5 * n,
        lookback=lambda n: n - 1,
    ),
    _SHELF.node(
        "Spread",
        "One series less a fixed number of times another.",
        pairs.spread,
        inputs=_TWO,
        params=(decimal("ratio", "1", "How many of b offset one of a.", least="-1000000", most="1000000"),),
    ),
    _SHELF.node(
        "SpreadOLS",
        "One series less as many of another as offset it, by least squares over the bars before.",
        pairs.spread_fitted,
        inputs=_TWO,
        outs=outputs(PortKind.NUM, "out", "ratio"),
        params=(period(120, least=2),),
        state=lambda n: 9 + 5 * n,
        lookback=lambda n: n,
    ),
)
