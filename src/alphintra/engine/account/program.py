"""What a plan asks of an account: each Order node as rules and the columns they are asked with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import numpy as np

from alphintra.engine.account.columns import NOTHING, Columns
from alphintra.engine.account.rules import AccountRules, Bound, Size, Sizing
from alphintra.engine.protection import LevelKind
from alphintra.kernel.errors import AlphintraError, Kind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from alphintra.engine.graph.definition import Params
    from alphintra.engine.graph.evaluation import Columns as Computed
    from alphintra.engine.graph.evaluation import End
    from alphintra.engine.graph.plan import Plan, Step
    from alphintra.engine.graph.tape import Tape
    from alphintra.engine.kernels.kernel import Vector

__all__ = ["OrderProgram", "order_programs"]

_HUNDRED: Final = Decimal(100)
_NONE: Final = np.empty(0, np.int64)


@dataclass(frozen=True, slots=True)
class OrderProgram:
    """One Order node.

    Args:
        step: the Order node.
        tag: label of the rule that asks for a position.
        rules: what its account does with the columns; cash, costs and warm-up are for the run to say.
        signal: column that asks for a position: 1 long, -1 short.
        exits: columns that ask to leave, in the order in which they are asked, with their labels.
        size_node: the sizing node.
        size: column the sizing rule reads, None where it reads none.
        guards: nodes of the exits that come with the entry, by the column they fill.
    """

    step: Step
    tag: str
    rules: AccountRules
    signal: End
    exits: tuple[tuple[End, str], ...]
    size_node: str
    size: End | None
    guards: tuple[tuple[str, Step], ...]

    @property
    def ends(self) -> frozenset[End]:
        """The outputs it reads."""
        wired = {end for _, step in self.guards for ends in step.inputs.values() for end in ends}
        sizes = set() if self.size is None else {self.size}
        return frozenset({self.signal, *(end for end, _ in self.exits), *wired, *sizes})

    def columns(self, computed: Computed, tape: Tape, row: int = 0) -> Columns:
        """Return what the rules are asked with, for one symbol."""
        close, entry = tape.close[row], computed[self.signal][row]
        entries = np.flatnonzero(entry != 0.0) if self.guards else _NONE
        fired = [computed[end][row] for end, _ in self.exits]
        told = {name: _column(name, step, computed, (close, entry, entries), row) for name, step in self.guards}
        return Columns(
            open=tape.open[row],
            high=tape.high[row],
            low=tape.low[row],
            close=close,
            entry=entry,
            leave=fired[0] if len(fired) == 1 else np.fmax.reduce(fired) if fired else np.zeros(close.shape),
            size=NOTHING if self.size is None else computed[self.size][row],
            **told,
        )

    def exit_tag(self, computed: Computed, index: int, row: int = 0) -> str:
        """Return the label of the first exit rule that fires at a close."""
        return next((tag for end, tag in self.exits if computed[end][row, index] > 0), "")


def order_programs(plan: Plan) -> tuple[OrderProgram, ...]:
    """Return the programs of all Order nodes, in the order in which they are asked."""
    steps = {step.node: step for step in plan.steps}
    return tuple(_program(step, steps) for step in plan.steps if step.type == "Order")


def _program(order: Step, steps: dict[str, Step]) -> OrderProgram:
    size_step = steps[order.inputs["size"][0][0]]
    make = _SIZINGS.get(size_step.type)
    if make is None:
        message = (
            f"node {size_step.node} of type {size_step.type} sizes nothing: the plan was not built by compile_plan"
        )
        raise AlphintraError("NODE_VALUE", message, kind=Kind.BUG)
    leaving = [steps[node] for node, _ in order.inputs["exit"]]
    guards = {_GUARDS[step.type]: step for step in leaving if step.type in _GUARDS}
    bars_max = next((int(step.params["bars"]) for step in leaving if step.type == "TimeStop"), None)
    signal = size_step.inputs["signal"][0]
    rules = AccountRules(
        sizing=make(size_step.params),
        lot=_decimal(size_step.params, "lot") if "lot" in size_step.params else Decimal(1),
        stop=Bound(LevelKind.PRICE) if "stop" in guards else None,
        target=Bound(LevelKind.PRICE) if "target" in guards else None,
        trail=_trail(guards.get("trail")),
        bars_max=bars_max,
    )
    return OrderProgram(
        step=order,
        tag=_tag(signal[0], steps),
        rules=rules,
        signal=signal,
        exits=tuple((s.inputs["when"][0], str(s.params["tag"])) for s in leaving if s.type == "ExitWhen"),
        size_node=size_step.node,
        size=next((size_step.inputs[port][0] for port in _SIZE_PORTS if port in size_step.inputs), None),
        guards=tuple((name, step) for name, step in sorted(guards.items()) if name != "trail" or _is_wired(step)),
    )


def _column(
    name: str, step: Step, computed: Computed, asked: tuple[Vector, Vector, NDArray[np.int64]], row: int
) -> Vector:
    """Return the price of a stop or target, reckoned from the close, or the distance of a trailing stop.

    ``asked`` are the closes, what they ask for and where they ask; no level is read elsewhere.
    """
    price = step.inputs.get("price")
    if price:
        stated: Vector = computed[price[0]][row]
        return stated
    closes, entry, places = asked
    close, direction = closes[places], np.sign(entry[places])
    if _is_wired(step):
        distance = float(_decimal(step.params, "multiple")) * computed[step.inputs["distance"][0]][row][places]
    else:
        distance = close * (float(_decimal(step.params, "percent")) / 100.0)
    levels = np.full(closes.shape, np.nan)
    if name == "trail":
        levels[places] = distance
    else:
        levels[places] = close + (-direction * distance if name == "stop" else direction * distance)
    return levels


def _trail(step: Step | None) -> Bound | None:
    if step is None:
        return None
    if _is_wired(step):
        return Bound(LevelKind.DISTANCE)
    return Bound(LevelKind.PERCENT, _decimal(step.params, "percent"))


def _is_wired(step: Step) -> bool:
    """Tell whether the distance of an exit is wired; without it, it is a percentage."""
    return bool(step.inputs.get("distance"))


def _tag(node: str, steps: dict[str, Step]) -> str:
    """Return the label of the nearest rule a signal comes from."""
    step = steps[node]
    while "tag" not in step.params:
        step = steps[next(ends[0][0] for ends in step.inputs.values() if ends)]
    return str(step.params["tag"])


def _decimal(params: Params, name: str) -> Decimal:
    return Decimal(str(params[name]))


def _kelly(params: Params) -> Sizing:
    win, payoff = _decimal(params, "win_rate") / _HUNDRED, _decimal(params, "payoff")
    share = (win - (1 - win) / payoff) * _decimal(params, "fraction")
    return Sizing(Size.PERCENT_EQUITY, round(min(share, _HUNDRED), 9))


_GUARDS: Final = {"StopLoss": "stop", "TakeProfit": "target", "TrailingStop": "trail"}
_SIZE_PORTS: Final = ("distance", "volatility")
_SIZINGS: Final[dict[str, Callable[[Params], Sizing]]] = {
    "PercentEquity": lambda params: Sizing(Size.PERCENT_EQUITY, _decimal(params, "percent")),
    "FixedQty": lambda params: Sizing(Size.FIXED_QTY, _decimal(params, "quantity")),
    "FixedNotional": lambda params: Sizing(Size.FIXED_NOTIONAL, _decimal(params, "amount")),
    "RiskPerTrade": lambda params: Sizing(Size.RISK, _decimal(params, "percent"), _decimal(params, "most")),
    "VolTarget": lambda params: Sizing(Size.VOLATILITY, _decimal(params, "percent"), _decimal(params, "most")),
    "EqualWeight": lambda params: Sizing(Size.PERCENT_EQUITY, round(_HUNDRED / _decimal(params, "parts"), 9)),
    "Kelly": _kelly,
}
