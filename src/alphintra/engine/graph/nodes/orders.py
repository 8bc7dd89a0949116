"""Nodes that order, and nodes that show."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from alphintra.engine.graph.definition import NodeType, Port
from alphintra.engine.graph.nodes.shared import TAG, order_terms
from alphintra.engine.graph.params import ParamKind, ParamSpec
from alphintra.engine.graph.values import PortKind

if TYPE_CHECKING:
    from alphintra.engine.graph.definition import Params

__all__ = ["NODES", "PARAMETERS_MAX"]

PARAMETERS_MAX: Final = 32
"""Parameters an algorithm may have of its own."""
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
_BESIDE: Final = 6  # parameters of the node itself


def _whole(name: str, most: int, summary: str) -> ParamSpec:
    """Return a parameter that must be given: a slip in its name would be a parameter of the algorithm's own."""
    return ParamSpec(name=name, kind=ParamKind.INT, summary=summary, minimum=Decimal(0), maximum=Decimal(most))


def _unsuited_names(params: Params) -> str:
    unsuited = [name[:64] for name in params if not _NAME.fullmatch(name)]
    if unsuited:
        return f"{unsuited[0]!r} is no name of a parameter: use small letters, digits and _"
    if len(params) > PARAMETERS_MAX + _BESIDE:
        return f"an algorithm has at most {PARAMETERS_MAX} parameters"
    return ""


_PRICED: Final = (
    ParamSpec(
        name="offset",
        kind=ParamKind.DECIMAL,
        summary="How far from the close an entry waits: a limit on the better side of it, a stop on the worse; below "
        "zero on the other. Read where no price is wired; times the distance where one is wired.",
        default="0",
        minimum=Decimal(-1_000_000),
        maximum=Decimal(1_000_000),
        is_later=True,
    ),
    ParamSpec(
        name="unit",
        kind=ParamKind.CHOICE,
        summary="Whether the offset is percent of the close or an amount of money, such as five ticks of a cent: 0.05.",
        choices=("percent", "amount"),
        default="percent",
        is_later=True,
    ),
    ParamSpec(
        name="through",
        kind=ParamKind.DECIMAL,
        summary="Percent that the limit of a stop_limit lies beyond its stop; read where no limit is wired.",
        default="0",
        minimum=Decimal(0),
        maximum=Decimal(50),
        is_later=True,
    ),
    ParamSpec(
        name="bars",
        kind=ParamKind.INT,
        summary="An entry that so many bars have not filled is canceled; 0 leaves it to the time in force.",
        default=0,
        minimum=Decimal(0),
        maximum=Decimal(100_000),
        is_later=True,
    ),
)


def _at_market(params: Params) -> str:
    """Return what a market order is told that means nothing to it."""
    if params["type"] != "market":
        return ""
    told = [name for name in ("offset", "through", "bars") if Decimal(str(params[name]))]
    if told:
        return f"a market order takes the next open, {told[0]} means nothing to it"
    return "" if params["tif"] == "day" else "a market order takes the next open: its time in force is day"


NODES = (
    NodeType(
        type="Order",
        group="order",
        summary="Sends the sized entry when flat, adds to it where told, closes the position on any exit; those first.",
        inputs=(
            Port("size", PortKind.SIZE),
            Port("exit", PortKind.EXIT, is_required=False, is_many=True),
            Port("limit", PortKind.NUM, is_required=False),
            Port("stop", PortKind.NUM, is_required=False),
            Port("distance", PortKind.NUM, is_required=False),
            Port("add", PortKind.BOOL, is_required=False),
        ),
        params=(
            *order_terms(
                "How an entry is priced; what leaves takes the next open.",
                "How long an entry waits for its price.",
                types=("market", "limit", "stop", "stop_limit"),
                times=("day", "gtc"),
            ),
            *_PRICED,
            ParamSpec(
                name="entries",
                kind=ParamKind.INT,
                summary="Entries a position has at most; after the first they are made where add is true.",
                default=1,
                minimum=Decimal(1),
                maximum=Decimal(20),
                is_later=True,
            ),
        ),
        objection=_at_market,
        shown="",
        is_sink=True,
    ),
    NodeType(
        type="Algorithm",
        group="order",
        summary="Lets a Python algorithm of an installed package decide; its own parameters stand beside these.",
        inputs=(Port("close", PortKind.NUM),),
        params=(
            ParamSpec(name="algorithm", kind=ParamKind.TEXT, summary="Name of the package's entry point."),
            ParamSpec(name="package", kind=ParamKind.TEXT, summary="The installed package."),
            ParamSpec(name="release", kind=ParamKind.TEXT, summary="Its version."),
            ParamSpec(name="content_hash", kind=ParamKind.TEXT, summary="Hash of its files: no others run."),
            _whole("warm_up", 50_000, "Bars it sees before it may order; at least what it asks for."),
            _whole("seed", 2**32 - 1, "What chance it draws begins from."),
        ),
        shown="",
        is_sink=True,
        is_open=True,
        lookback=lambda params: int(params["warm_up"]),
        warm_up=lambda params: int(params["warm_up"]),
        objection=_unsuited_names,
    ),
    NodeType(
        type="Close",
        group="order",
        summary="Closes what the strategy's orders hold, and takes off entries that wait, while the condition holds.",
        inputs=(Port("when", PortKind.BOOL),),
        params=(TAG,),
        shown="when",
        is_sink=True,
    ),
    NodeType(
        type="CancelTagged",
        group="order",
        summary="Takes off entries of one tag that wait for their price, while the condition holds.",
        inputs=(Port("when", PortKind.BOOL),),
        params=(TAG,),
        shown="when",
        is_sink=True,
    ),
    NodeType(
        type="Plot",
        group="output",
        summary="Records a value for the chart.",
        inputs=(Port("value", PortKind.NUM),),
        params=(
            ParamSpec(
                name="pane",
                kind=ParamKind.CHOICE,
                summary="Over the price or in a pane of its own.",
                choices=("price", "own"),
                default="price",
            ),
        ),
        shown="value",
        is_sink=True,
    ),
)
