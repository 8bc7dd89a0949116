"""Nodes between timeframes."""

from __future__ import annotations

from typing import Final

from alphintra.engine.graph.definition import NodeType, Port, outputs
from alphintra.engine.graph.params import ParamKind, ParamSpec
from alphintra.engine.graph.tape import FIELDS
from alphintra.engine.graph.values import PortKind
from alphintra.engine.graph.wire import MINUTES, TIMEFRAMES
from alphintra.engine.kernels import timeframes

__all__ = ["BASE", "LONGER_BARS", "NODES", "TIMEFRAME"]

BASE: Final = "base"
TIMEFRAME: Final = ParamSpec(
    name="timeframe",
    kind=ParamKind.CHOICE,
    summary="Interval of the bars, a multiple of the graph's; base is the graph's own.",
    choices=(BASE, *TIMEFRAMES),
    default=BASE,
    is_later=True,
)

LONGER_BARS: Final = NodeType(
    type="Bars",
    group="source",
    summary="Bars of a longer interval, each at the close where it is certain to be over.",
    outputs=outputs(PortKind.NUM, *FIELDS),
    params=(TIMEFRAME,),
    kernel=timeframes.longer_bars,
    clock=(*FIELDS, "session", "since_open", "to_close"),
    numbers=lambda params: (MINUTES[str(params["timeframe"])],),
    state=lambda _params: 8,
    lookback=lambda _params: 1,
    warm_up=lambda _params: 2,  # the interval the data begins in, and a whole one
    shown="close",
    is_source=True,
)

NODES = tuple(
    NodeType(
        type=name,
        group="transform",
        summary=summary,
        inputs=(Port("in", kind),),
        outputs=outputs(kind),
        kernel=kernel,
        state=lambda _params: 2,
        is_base=True,
    )
    for name, kind, kernel, summary in (
        ("Align", PortKind.NUM, timeframes.hold, "The last known value of a longer timeframe, at every close."),
        (
            "AlignCondition",
            PortKind.BOOL,
            timeframes.hold,
            "The last known condition of a longer timeframe, at every close.",
        ),
        (
            "AlignEvent",
            PortKind.EVENT,
            timeframes.pulse,
            "An event of a longer timeframe, at the one close where it became known.",
        ),
    )
)
