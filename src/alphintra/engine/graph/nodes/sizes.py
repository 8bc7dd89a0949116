"""Nodes that say how much; the quantity itself is reckoned in exact decimals where the account is held."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from alphintra.engine.graph.definition import NodeType, Port, outputs
from alphintra.engine.graph.params import ParamKind, ParamSpec
from alphintra.engine.graph.values import PortKind

if TYPE_CHECKING:
    from alphintra.engine.graph.definition import Params

__all__ = ["NODES"]

_SIGNAL: Final = Port("signal", PortKind.SIGNAL)
_SIZE: Final = outputs(PortKind.SIZE, "size")
_LOT: Final = ParamSpec(
    name="lot",
    kind=ParamKind.DECIMAL,
    summary="Smallest quantity; orders are whole multiples of it, rounded down.",
    default="1",
    minimum=Decimal(0),
    is_minimum_open=True,
    maximum=Decimal(10) ** 9,
    is_later=True,
)
_MOST: Final = ParamSpec(
    name="most",
    kind=ParamKind.DECIMAL,
    summary="Percent of equity the position may be worth at most.",
    default="100",
    minimum=Decimal(0),
    is_minimum_open=True,
    maximum=Decimal(1000),
)


def _percent(name: str, summary: str, *, default: str | None, maximum: int = 100) -> ParamSpec:
    return ParamSpec(
        name=name,
        kind=ParamKind.DECIMAL,
        summary=summary,
        default=default,
        minimum=Decimal(0),
        is_minimum_open=True,
        maximum=Decimal(maximum),
    )


def _no_edge(params: Params) -> str:
    win, payoff = Decimal(str(params["win_rate"])) / 100, Decimal(str(params["payoff"]))
    if win - (1 - win) / payoff > 0:
        return ""
    return "winning that seldom at that payoff loses money: there is no Kelly share to take"


NODES = (
    NodeType(
        type="PercentEquity",
        group="size",
        summary="Whole lots worth a share of equity at this close, rounded down.",
        inputs=(_SIGNAL,),
        outputs=_SIZE,
        params=(_percent("percent", "Percent of equity.", default="95"), _LOT),
        shown="size",
    ),
    NodeType(
        type="FixedQty",
        group="size",
        summary="Always the same number of whole shares.",
        inputs=(_SIGNAL,),
        outputs=_SIZE,
        params=(
            ParamSpec(
                name="quantity",
                kind=ParamKind.INT,
                summary="Shares.",
                minimum=Decimal(1),
                maximum=Decimal(10) ** 12,
            ),
        ),
        shown="size",
    ),
    NodeType(
        type="FixedNotional",
        group="size",
        summary="Whole lots worth an amount of money at this close, rounded down.",
        inputs=(_SIGNAL,),
        outputs=_SIZE,
        params=(
            ParamSpec(
                name="amount",
                kind=ParamKind.DECIMAL,
                summary="Amount in the account's currency.",
                minimum=Decimal(0),
                is_minimum_open=True,
                maximum=Decimal(10) ** 12,
            ),
            _LOT,
        ),
        shown="size",
    ),
    NodeType(
        type="RiskPerTrade",
        group="size",
        summary="As many lots as lose a share of equity if the price moves by the distance to the stop.",
        inputs=(_SIGNAL, Port("distance", PortKind.NUM)),
        outputs=_SIZE,
        params=(_percent("percent", "Percent of equity at risk.", default="1"), _MOST, _LOT),
        shown="size",
    ),
    NodeType(
        type="VolTarget",
        group="size",
        summary="Lots worth equity times a wanted over the observed volatility, both in percent over the same time.",
        inputs=(_SIGNAL, Port("volatility", PortKind.NUM)),
        outputs=_SIZE,
        params=(_percent("percent", "Wanted volatility in percent.", default="10", maximum=1000), _MOST, _LOT),
        shown="size",
    ),
    NodeType(
        type="EqualWeight",
        group="size",
        summary="One of so many equal parts of equity at this close, in whole lots.",
        inputs=(_SIGNAL,),
        outputs=_SIZE,
        params=(
            ParamSpec(
                name="parts",
                kind=ParamKind.INT,
                summary="Positions the equity is meant for.",
                minimum=Decimal(1),
                maximum=Decimal(1000),
            ),
            _LOT,
        ),
        shown="size",
    ),
    NodeType(
        type="Kelly",
        group="size",
        summary="A fraction of the Kelly share of equity, W - (1 - W) / payoff, which must be positive.",
        inputs=(_SIGNAL,),
        outputs=_SIZE,
        params=(
            _percent("win_rate", "Percent of trades expected to win.", default="55"),
            _percent("payoff", "Average win over average loss.", default="1", maximum=1000),
            _percent("fraction", "Percent of the Kelly share that is taken.", default="50"),
            _LOT,
        ),
        objection=_no_edge,
        shown="size",
    ),
)
