"""What a plan asks of an account: which columns ask for it, how much, and when it is left."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, TypeAlias

from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.money import round_quantity_down

if TYPE_CHECKING:
    from alphintra.engine.graph.definition import Params
    from alphintra.engine.graph.evaluation import End
    from alphintra.engine.graph.plan import Plan, Step
    from alphintra.engine.graph.values import StateView

__all__ = ["ExitRule", "OrderRule", "Sizing", "order_rules", "sizing_of"]

Sizing: TypeAlias = "Callable[[StateView, Decimal], Decimal]"
_HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class ExitRule:
    """A column that asks to close the position, and the label of the rule."""

    when: End
    tag: str


@dataclass(frozen=True, slots=True)
class OrderRule:
    """One Order node.

    Args:
        step: the Order node.
        signal: column that asks for a position: 1 long, -1 short.
        tag: label of the rule that asks.
        size: quantity by book and close, zero or more.
        exits: in the order in which they are asked.
    """

    step: Step
    signal: End
    tag: str
    size: Sizing
    exits: tuple[ExitRule, ...]


def order_rules(plan: Plan) -> tuple[OrderRule, ...]:
    """Return the rules of all Order nodes, in the order in which they are asked."""
    steps = {step.node: step for step in plan.steps}
    return tuple(_rule(step, steps) for step in plan.steps if step.type == "Order")


def sizing_of(step: Step) -> Sizing | None:
    """Return how a sizing node reckons, None for other nodes."""
    make = _SIZINGS.get(step.type)
    return None if make is None else make(step.params)


def _rule(order: Step, steps: dict[str, Step]) -> OrderRule:
    (sized_by, _port) = order.inputs["size"][0]
    size_step = steps[sized_by]
    size = sizing_of(size_step)
    if size is None:
        message = (
            f"node {size_step.node} of type {size_step.type} has no sizing: the plan was not built by compile_plan"
        )
        raise AlphintraError("NODE_VALUE", message, kind=Kind.BUG)
    signal = size_step.inputs["signal"][0]
    exits = tuple(
        ExitRule(steps[node].inputs["when"][0], str(steps[node].params["tag"])) for node, _ in order.inputs["exit"]
    )
    return OrderRule(order, signal, _tag(signal[0], steps), size, exits)


def _tag(node: str, steps: dict[str, Step]) -> str:
    """Return the label of the nearest rule a signal comes from."""
    step = steps[node]
    while "tag" not in step.params:
        step = steps[next(ends[0][0] for ends in step.inputs.values() if ends)]
    return str(step.params["tag"])


def _percent_of_equity(params: Params) -> Sizing:
    percent = Decimal(str(params["percent"]))

    def size(view: StateView, close: Decimal) -> Decimal:
        budget = max(view.equity, Decimal(0)) * percent / _HUNDRED
        return round_quantity_down(budget / close)

    return size


def _fixed_quantity(params: Params) -> Sizing:
    quantity = Decimal(str(params["quantity"]))
    return lambda _view, _close: quantity


_SIZINGS: dict[str, Callable[[Params], Sizing]] = {
    "PercentEquity": _percent_of_equity,
    "FixedQty": _fixed_quantity,
}
