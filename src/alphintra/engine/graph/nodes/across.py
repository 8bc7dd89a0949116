"""Nodes across all symbols at one close."""

from __future__ import annotations

from alphintra.engine.graph.definition import Port, outputs
from alphintra.engine.graph.nodes.shared import Shelf, choice, conditions, decimal, period
from alphintra.engine.graph.values import PortKind
from alphintra.engine.kernels import across

__all__ = ["NODES"]

_SHELF = Shelf("cross_section")
_BOOL = outputs(PortKind.BOOL)
_WEIGHTS = outputs(PortKind.WEIGHTS, "weights")
_GROSS = decimal("gross", "1", "Share of equity spread over the chosen symbols; 1 is all of it.", most="10")
_COUNT = period(3, name="count", summary="How many symbols.")

NODES = (
    _SHELF.node(
        "Rank",
        "Place of each symbol among all, 1 for the first.",
        across.rank,
        params=(choice("first", "Which comes first.", "greatest", "least"),),
        is_across=True,
    ),
    _SHELF.node(
        "TopN",
        "True for the symbols with the greatest values.",
        across.top,
        outs=_BOOL,
        params=(_COUNT,),
        fixed=(0,),
        is_across=True,
    ),
    _SHELF.node(
        "BottomN",
        "True for the symbols with the least values.",
        across.top,
        outs=_BOOL,
        params=(_COUNT,),
        fixed=(1,),
        is_across=True,
    ),
    _SHELF.node(
        "Percentile",
        "Share of the other symbols, in percent, whose values lie below.",
        across.percentile_across,
        is_across=True,
    ),
    _SHELF.node(
        "MeanAcross",
        "Mean over all symbols, at each of them.",
        across.mean_across,
        is_across=True,
    ),
    _SHELF.node(
        "Demean",
        "Distance of each symbol from the mean of all.",
        across.demean,
        is_across=True,
    ),
    _SHELF.node(
        "ZScoreAcross",
        "Distance of each symbol from the mean of all, in standard deviations.",
        across.score_across,
        is_across=True,
    ),
    _SHELF.node(
        "EqualWeights",
        "The same share of equity for each chosen symbol.",
        across.equal_weight,
        inputs=conditions("chosen"),
        outs=_WEIGHTS,
        params=(_GROSS,),
        is_across=True,
    ),
    _SHELF.node(
        "InverseVol",
        "Shares of equity for the chosen symbols, smaller for those that swing more.",
        across.inverse_weight,
        inputs=(*conditions("chosen"), Port("volatility", PortKind.NUM)),
        outs=_WEIGHTS,
        params=(_GROSS,),
        is_across=True,
    ),
    _SHELF.node(
        "CapWeights",
        "Cuts weights down to a most for each symbol, for all together and for longs less shorts.",
        across.cap_weights,
        inputs=(Port("weights", PortKind.WEIGHTS),),
        outs=_WEIGHTS,
        params=(
            decimal("most", "0.25", "Largest share of equity in one symbol.", most="10"),
            decimal("gross", "1", "Largest sum of longs and shorts.", most="10"),
            decimal("net", "1", "Largest difference of longs and shorts.", most="10"),
        ),
        is_across=True,
    ),
)
