"""The node catalogue: every node type has exactly one definition, which all modes and all front ends share."""

from __future__ import annotations

import operator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, TypeAlias

from alphintra.engine.graph.evaluators import (
    COMPARISONS,
    Cross,
    IndicatorNode,
    Shift,
    Stateless,
    both_hold,
    compare,
    fixed_quantity,
    not_held,
    number,
    percent_of_equity,
    truth,
)
from alphintra.engine.graph.params import ParamKind, ParamSpec, normalise
from alphintra.engine.graph.values import PortKind, Signal
from alphintra.engine.indicators import Ema, Sma

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from alphintra.engine.graph.values import Evaluator, Inputs, Moment, Outputs
    from alphintra.engine.graph.wire import ParamValue

__all__ = ["CATALOGUE", "NodeType", "Port", "catalogue_document", "latest_version", "node_type"]

Params: TypeAlias = "Mapping[str, ParamValue]"
Compute: TypeAlias = "Callable[[Inputs, Moment], Outputs]"
PERIOD_MAX = Decimal(5000)


@dataclass(frozen=True, slots=True)
class Port:
    """One socket of a node.

    Args:
        name: unique among the node's ports of the same direction.
        kind: what it carries. An input of kind Bool also takes an Event (true on one bar only), never the reverse.
        is_required: whether an input must be wired.
        is_many: whether an input takes several wires.
    """

    name: str
    kind: PortKind
    is_required: bool = True
    is_many: bool = False

    def accepts(self, kind: PortKind) -> bool:
        """Tell whether a wire of the given kind may end here."""
        return kind is self.kind or (self.kind is PortKind.BOOL and kind is PortKind.EVENT)


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeType:
    """The one definition of a node.

    Args:
        type: name used in graphs.
        version: rises whenever the meaning changes.
        group: shelf in the palette.
        summary: one sentence for people.
        make: builds a fresh evaluator from normalised parameters.
        lookback: earlier bars needed for the first value.
        warm_up: earlier bars needed until the value no longer depends on where the data began.
        shown: port whose value stands for the node in decision records; empty for none.
        is_source: brings data in.
        is_sink: gives the graph a purpose; every node must lead to one.
        lookahead: later bars read; zero, always.
    """

    type: str
    group: str
    summary: str
    make: Callable[[Params], Evaluator]
    version: int = 1
    inputs: tuple[Port, ...] = ()
    outputs: tuple[Port, ...] = ()
    params: tuple[ParamSpec, ...] = ()
    lookback: Callable[[Params], int] = field(default=lambda _params: 0)
    warm_up: Callable[[Params], int] = field(default=lambda _params: 0)
    shown: str = "out"
    is_source: bool = False
    is_sink: bool = False
    lookahead: int = 0


_PERIOD = ParamSpec(
    name="period",
    kind=ParamKind.INT,
    summary="Bars in the window.",
    default=20,
    minimum=Decimal(1),
    maximum=PERIOD_MAX,
)
_TAG = ParamSpec(name="tag", kind=ParamKind.TEXT, summary="Label written on orders and trades.", default="")
_ANY_NUMBER = Decimal(10) ** 15
_NUM_OUT = (Port("out", PortKind.NUM),)
_BOOL_OUT = (Port("out", PortKind.BOOL),)
_TWO_NUMBERS = (Port("a", PortKind.NUM), Port("b", PortKind.NUM))
_PRICES = ("open", "high", "low", "close", "volume")


def _int(params: Params, name: str) -> int:
    return int(params[name])


def _bars(_inputs: Inputs, moment: Moment) -> Outputs:
    return {name: moment.bar.field_as_float(name) for name in _PRICES}


def _const(value: float) -> Compute:
    return lambda _inputs, _moment: {"out": value}


def _signal_when(port: str, tag: str) -> Compute:
    def compute(inputs: Inputs, moment: Moment) -> Outputs:
        del moment
        held = truth(inputs, "when")
        return {port: None if held is None else Signal(held, tag)}

    return compute


def _plot(inputs: Inputs, moment: Moment) -> Outputs:
    del moment
    return {"value": number(inputs, "value")}


def _order(_inputs: Inputs, _moment: Moment) -> Outputs:
    return {}  # the executor turns the inputs of an Order into intents, because that depends on the working orders


_DEFINITIONS = (
    NodeType(
        type="Bars",
        group="source",
        summary="Closed bars of the traded symbol at the graph's timeframe, split-adjusted.",
        outputs=tuple(Port(name, PortKind.NUM) for name in _PRICES),
        make=lambda _params: Stateless(_bars),
        shown="close",
        is_source=True,
    ),
    NodeType(
        type="Const",
        group="source",
        summary="A fixed number.",
        outputs=_NUM_OUT,
        params=(
            ParamSpec(
                name="value",
                kind=ParamKind.NUMBER,
                summary="The number.",
                minimum=-_ANY_NUMBER,
                maximum=_ANY_NUMBER,
            ),
        ),
        make=lambda params: Stateless(_const(float(params["value"]))),
    ),
    NodeType(
        type="SMA",
        group="indicator",
        summary="Simple moving average, summed exactly.",
        inputs=(Port("in", PortKind.NUM),),
        outputs=_NUM_OUT,
        params=(_PERIOD,),
        make=lambda params: IndicatorNode(Sma(_int(params, "period"))),
        lookback=lambda params: Sma(_int(params, "period")).lookback,
        warm_up=lambda params: Sma(_int(params, "period")).warm_up,
    ),
    NodeType(
        type="EMA",
        group="indicator",
        summary="Exponential moving average, alpha 2/(period+1), seeded with the mean of the first period (TA-Lib).",
        inputs=(Port("in", PortKind.NUM),),
        outputs=_NUM_OUT,
        params=(_PERIOD,),
        make=lambda params: IndicatorNode(Ema(_int(params, "period"))),
        lookback=lambda params: Ema(_int(params, "period")).lookback,
        warm_up=lambda params: Ema(_int(params, "period")).warm_up,
    ),
    NodeType(
        type="Shift",
        group="transform",
        summary="The value some bars ago.",
        inputs=(Port("in", PortKind.NUM),),
        outputs=_NUM_OUT,
        params=(
            ParamSpec(
                name="bars",
                kind=ParamKind.INT,
                summary="Bars back; the future cannot be read.",
                default=1,
                minimum=Decimal(1),
                maximum=PERIOD_MAX,
                below_code="LOOKAHEAD",
            ),
        ),
        make=lambda params: Shift(_int(params, "bars")),
        lookback=lambda params: _int(params, "bars"),
        warm_up=lambda params: _int(params, "bars"),
    ),
    NodeType(
        type="CrossAbove",
        group="logic",
        summary="True on the bar where a rises above b.",
        inputs=_TWO_NUMBERS,
        outputs=(Port("out", PortKind.EVENT),),
        make=lambda _params: Cross(operator.gt),
        lookback=lambda _params: 1,
        warm_up=lambda _params: 1,
    ),
    NodeType(
        type="CrossBelow",
        group="logic",
        summary="True on the bar where a falls below b.",
        inputs=_TWO_NUMBERS,
        outputs=(Port("out", PortKind.EVENT),),
        make=lambda _params: Cross(operator.lt),
        lookback=lambda _params: 1,
        warm_up=lambda _params: 1,
    ),
    NodeType(
        type="Compare",
        group="logic",
        summary="True while a compares with b as chosen.",
        inputs=_TWO_NUMBERS,
        outputs=_BOOL_OUT,
        params=(
            ParamSpec(
                name="op",
                kind=ParamKind.CHOICE,
                summary="gt above, ge above or equal, lt below, le below or equal.",
                choices=tuple(COMPARISONS),
            ),
        ),
        make=lambda params: Stateless(compare(str(params["op"]))),
    ),
    NodeType(
        type="And",
        group="logic",
        summary="True while both inputs are.",
        inputs=(Port("a", PortKind.BOOL), Port("b", PortKind.BOOL)),
        outputs=_BOOL_OUT,
        make=lambda _params: Stateless(both_hold),
    ),
    NodeType(
        type="Not",
        group="logic",
        summary="True while the input is not.",
        inputs=(Port("in", PortKind.BOOL),),
        outputs=_BOOL_OUT,
        make=lambda _params: Stateless(not_held),
    ),
    NodeType(
        type="Entry",
        group="signal",
        summary="Asks to open a long position while the condition holds.",
        inputs=(Port("when", PortKind.BOOL),),
        outputs=(Port("signal", PortKind.SIGNAL),),
        params=(
            _TAG,
            ParamSpec(
                name="hold",
                kind=ParamKind.FLAG,
                summary="True states that the position is meant to be held without an exit rule.",
                default=False,
            ),
        ),
        make=lambda params: Stateless(_signal_when("signal", str(params["tag"]))),
        shown="signal",
    ),
    NodeType(
        type="ExitWhen",
        group="signal",
        summary="Asks to close the whole position while the condition holds.",
        inputs=(Port("when", PortKind.BOOL),),
        outputs=(Port("exit", PortKind.EXIT),),
        params=(_TAG,),
        make=lambda params: Stateless(_signal_when("exit", str(params["tag"]))),
        shown="exit",
    ),
    NodeType(
        type="PercentEquity",
        group="size",
        summary="Whole shares worth a share of equity at this close, rounded down.",
        inputs=(Port("signal", PortKind.SIGNAL),),
        outputs=(Port("size", PortKind.SIZE),),
        params=(
            ParamSpec(
                name="percent",
                kind=ParamKind.DECIMAL,
                summary="Percent of equity.",
                default="95",
                minimum=Decimal(0),
                is_minimum_open=True,
                maximum=Decimal(100),
            ),
        ),
        make=lambda params: Stateless(percent_of_equity(Decimal(params["percent"]))),
        shown="size",
    ),
    NodeType(
        type="FixedQty",
        group="size",
        summary="Always the same number of whole shares.",
        inputs=(Port("signal", PortKind.SIGNAL),),
        outputs=(Port("size", PortKind.SIZE),),
        params=(
            ParamSpec(
                name="quantity",
                kind=ParamKind.INT,
                summary="Shares.",
                minimum=Decimal(1),
                maximum=Decimal(10) ** 12,
            ),
        ),
        make=lambda params: Stateless(fixed_quantity(Decimal(_int(params, "quantity")))),
        shown="size",
    ),
    NodeType(
        type="Order",
        group="order",
        summary="Sends the sized entry when flat and closes the position on any exit; exits come first.",
        inputs=(Port("size", PortKind.SIZE), Port("exit", PortKind.EXIT, is_required=False, is_many=True)),
        params=(
            ParamSpec(
                name="type",
                kind=ParamKind.CHOICE,
                summary="How the order is priced.",
                choices=("market",),
                unsupported=("limit", "stop", "stop_limit", "trailing_stop"),
            ),
            ParamSpec(
                name="tif",
                kind=ParamKind.CHOICE,
                summary="How long the order works.",
                choices=("day",),
                unsupported=("gtc", "ioc", "fok", "opg", "cls", "gtd"),
            ),
        ),
        make=lambda _params: Stateless(_order),
        shown="",
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
        make=lambda _params: Stateless(_plot),
        shown="value",
        is_sink=True,
    ),
)

CATALOGUE: dict[tuple[str, int], NodeType] = {(entry.type, entry.version): entry for entry in _DEFINITIONS}


def node_type(name: str, version: int) -> NodeType | None:
    """Return the definition of a node type at a version, None if there is none."""
    return CATALOGUE.get((name, version))


def latest_version(name: str) -> int | None:
    """Return the newest version of a node type, None if the type is unknown."""
    return max((version for known, version in CATALOGUE if known == name), default=None)


def catalogue_document() -> list[dict[str, object]]:
    """Return the catalogue as JSON-able data, for the API, the editor and the reference documentation."""
    return [_document(entry) for entry in _DEFINITIONS]


def _document(entry: NodeType) -> dict[str, object]:
    document: dict[str, object] = {
        "type": entry.type,
        "version": entry.version,
        "group": entry.group,
        "summary": entry.summary,
        "inputs": [_port_document(port) for port in entry.inputs],
        "outputs": [{"name": port.name, "kind": port.kind.value} for port in entry.outputs],
        "params": [_param_document(spec) for spec in entry.params],
        "is_source": entry.is_source,
        "is_sink": entry.is_sink,
    }
    if all(spec.default is not None for spec in entry.params):
        defaults = {spec.name: normalise(spec, {}) for spec in entry.params}
        document["lookback_bars_by_default"] = entry.lookback(defaults)
        document["warm_up_bars_by_default"] = entry.warm_up(defaults)
    return document


def _port_document(port: Port) -> dict[str, object]:
    return {"name": port.name, "kind": port.kind.value, "is_required": port.is_required, "is_many": port.is_many}


def _param_document(spec: ParamSpec) -> dict[str, object]:
    document: dict[str, object] = {"name": spec.name, "kind": spec.kind.value, "summary": spec.summary}
    document["default"] = spec.default
    document["is_required"] = spec.default is None
    document["allowed"] = spec.allowed
    document["choices"] = list(spec.choices)
    document["minimum"] = None if spec.minimum is None else str(spec.minimum)
    document["maximum"] = None if spec.maximum is None else str(spec.maximum)
    document["is_minimum_open"] = spec.is_minimum_open
    return document
