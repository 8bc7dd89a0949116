"""Nodes that order, and nodes that show."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from alphintra.engine.graph.definition import NodeType, Port
from alphintra.engine.graph.nodes.shared import order_terms
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


NODES = (
    NodeType(
        type="Order",
        group="order",
        summary="Sends the sized entry when flat and closes the position on any exit; exits come first.",
        inputs=(Port("size", PortKind.SIZE), Port("exit", PortKind.EXIT, is_required=False, is_many=True)),
        params=order_terms("How the order is priced.", "How long the order works."),
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
