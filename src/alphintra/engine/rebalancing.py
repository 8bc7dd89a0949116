"""Bringing a holding to its weight: what RebalanceTo nodes ask for."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_FLOOR, Context, Decimal
from typing import TYPE_CHECKING, Final

import numpy as np

from alphintra.engine.graph.values import StateView
from alphintra.engine.intents import Intent, Outcome
from alphintra.engine.portfolio import notional
from alphintra.kernel.vocabulary import OrderType, Side, TimeInForce

if TYPE_CHECKING:
    from alphintra.engine.bars import Bar
    from alphintra.engine.graph.evaluation import End
    from alphintra.engine.graph.plan import Plan, Step
    from alphintra.engine.runs import Run

__all__ = ["Rebalance", "rebalanced", "rebalances_of"]

_WIDE: Final = Context(prec=60)
_HUNDRED: Final = Decimal(100)
_SHARES: Final = 1e11  # percent, to a billionth of one


@dataclass(frozen=True, slots=True)
class Rebalance:
    """One RebalanceTo node: the columns it reads, the band in percent of equity, the smallest quantity."""

    step: Step
    weights: End
    when: End
    band: Decimal
    lot: Decimal


def rebalances_of(plan: Plan) -> tuple[Rebalance, ...]:
    """Return the rules of all RebalanceTo nodes, in the order in which they are asked."""
    return tuple(_rebalance(step) for step in plan.steps if step.type == "RebalanceTo")


def _rebalance(step: Step) -> Rebalance:
    return Rebalance(
        step=step,
        weights=step.inputs["weights"][0],
        when=step.inputs["when"][0],
        band=Decimal(str(step.params["band"])),
        lot=Decimal(str(step.params["lot"])),
    )


def rebalanced(
    rebalance: Rebalance, run: Run, index: int, bar: Bar, view: StateView
) -> tuple[Intent, Decimal] | Outcome:
    """Return what brings a holding to its weight, with the weight in percent; or why nothing does.

    Within the band a holding is left as it is, unless its weight is zero.
    """
    weight = float(run.columns[rebalance.weights][run.row, index])
    if not run.columns[rebalance.when][run.row, index] > 0 or not np.isfinite(weight):
        return Outcome.NO_SIGNAL
    if view.is_order_working:
        return Outcome.BLOCKED_ORDER_WORKING
    percent = Decimal(round(weight * _SHARES)).scaleb(-9)
    equity = max(view.equity, Decimal(0))
    budget = _WIDE.divide(_WIDE.multiply(equity, abs(percent)), _HUNDRED)
    lots = _WIDE.divide(budget, _WIDE.multiply(bar.close, rebalance.lot)).to_integral_value(rounding=ROUND_FLOOR)
    change = lots * rebalance.lot * (1 if percent > 0 else -1) - view.qty
    room = _WIDE.divide(_WIDE.multiply(equity, rebalance.band), _HUNDRED)
    if not change or (percent and notional(abs(change), bar.close) < room):
        return Outcome.NO_SIGNAL
    intent = Intent(
        index=0,
        node=rebalance.step.node,
        side=Side.BUY if change > 0 else Side.SELL,
        qty=abs(change),
        order_type=OrderType(str(rebalance.step.params["type"])),
        time_in_force=TimeInForce(str(rebalance.step.params["tif"])),
        reason="rebalance",
        tag="rebalance",
    )
    return intent, percent
