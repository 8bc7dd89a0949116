"""Nodes that leave a position: by a condition at a close, or by exits that come with the entry.

What comes with the entry is placed as soon as it has filled, and reckoned from the price it filled at, in backtests as
at venues (docs/decisions/0025).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from alphintra.engine.graph.definition import NodeType, Port, outputs
from alphintra.engine.graph.nodes.shared import TAG
from alphintra.engine.graph.params import ParamKind, ParamSpec
from alphintra.engine.graph.values import PortKind

__all__ = ["NODES"]

_EXIT: Final = outputs(PortKind.EXIT, "exit")
_DISTANCE: Final = Port("distance", PortKind.NUM, is_required=False)
_PRICE: Final = Port("price", PortKind.NUM, is_required=False)
_MULTIPLE: Final = ParamSpec(
    name="multiple",
    kind=ParamKind.DECIMAL,
    summary="How many times the distance; read where a distance is wired.",
    default="1",
    minimum=Decimal(0),
    is_minimum_open=True,
    maximum=Decimal(1000),
)


def _percent(default: str, *, maximum: str = "99") -> ParamSpec:
    return ParamSpec(
        name="percent",
        kind=ParamKind.DECIMAL,
        summary="Percent of the price at which the entry fills; read where neither distance nor price is wired.",
        default=default,
        minimum=Decimal(0),
        is_minimum_open=True,
        maximum=Decimal(maximum),
    )


NODES = (
    NodeType(
        type="ExitWhen",
        group="exit",
        summary="Asks to close the whole position while the condition holds.",
        inputs=(Port("when", PortKind.BOOL),),
        outputs=_EXIT,
        params=(TAG,),
        shown="exit",
    ),
    NodeType(
        type="StopLoss",
        group="exit",
        summary="A stop that comes with the entry: at a price, a distance (such as 2 ATR) or a percentage away.",
        inputs=(_DISTANCE, _PRICE),
        outputs=_EXIT,
        params=(_percent("5"), _MULTIPLE),
        shown="",
    ),
    NodeType(
        type="TakeProfit",
        group="exit",
        summary="A limit that comes with the entry: at a price, a distance (such as 2 R) or a percentage away.",
        inputs=(_DISTANCE, _PRICE),
        outputs=_EXIT,
        params=(_percent("10", maximum="10000"), _MULTIPLE),
        shown="",
    ),
    NodeType(
        type="Bracket",
        group="exit",
        summary="A stop that comes with the entry, and a target so many times as far away on the other side: 2 R.",
        inputs=(_DISTANCE, _PRICE),
        outputs=_EXIT,
        params=(
            _percent("5"),
            _MULTIPLE,
            ParamSpec(
                name="reward",
                kind=ParamKind.DECIMAL,
                summary="How many times as far as the stop the target lies from the entry.",
                default="2",
                minimum=Decimal(0),
                is_minimum_open=True,
                maximum=Decimal(1000),
            ),
        ),
        shown="",
    ),
    NodeType(
        type="TrailingStop",
        group="exit",
        summary="A stop that follows the best price since the entry at a distance or a percentage, never back.",
        inputs=(_DISTANCE,),
        outputs=_EXIT,
        params=(_percent("5"), _MULTIPLE),
        shown="",
    ),
    NodeType(
        type="TimeStop",
        group="exit",
        summary="Leaves at the next open once the position has been held for so many bars.",
        outputs=_EXIT,
        params=(
            ParamSpec(
                name="bars",
                kind=ParamKind.INT,
                summary="Bars, that of the entry included.",
                default=10,
                minimum=Decimal(1),
                maximum=Decimal(100_000),
            ),
        ),
        shown="",
    ),
)
