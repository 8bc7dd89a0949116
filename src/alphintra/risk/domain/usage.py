"""All limits in force that can be used up, the unused ones too: what a page of bars shows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from alphintra.risk.domain.warnings import MARKED, MEASURED, SHARED, LimitUse

if TYPE_CHECKING:
    from alphintra.engine.pretrade.limits import LimitSet

__all__ = ["LIMIT_OF", "every_use"]

# Which limit of a limit set each use is of, in the order of the rules.
LIMIT_OF: Final = MappingProxyType(
    {
        "messages": "message_burst",
        "open orders": "open_orders_max",
        "credit": "credit_max",
        SHARED: "credit_max",
        "position": "position_qty_max",
        "gross exposure": "gross_exposure_max",
        "net exposure": "net_exposure_max",
        "class exposure": "bucket_exposure_max",
        "daily loss": "daily_loss_max",
        "daily loss that halts": "daily_loss_halt",
        "drawdown": "drawdown_max_pct",
        "drawdown that halts": "drawdown_halt_pct",
        "orders to an execution": "order_to_trade_max",
    }
)
_ORDER: Final = tuple(LIMIT_OF)
_NOTHING: Final = Decimal(0)


def every_use(limits: LimitSet, found: Iterable[LimitUse]) -> tuple[LimitUse, ...]:
    """Return the uses found, in the order of the rules, and one of nothing for each limit that is set beside them.

    Where what counts passes by itself, as messages do, it is what is left of it now.
    """
    uses = [use if use.left is None else replace(use, used=use.left, left=None) for use in found]
    known = {use.what for use in uses}
    uses += [use for use in _unused(limits) if use.what not in known]
    return tuple(sorted(uses, key=lambda use: (_ORDER.index(use.what), -use.used / use.most, use.name)))


def _unused(limits: LimitSet) -> Iterator[LimitUse]:
    controls = limits.controls
    for what in (*MEASURED, *MARKED):
        limit = LIMIT_OF[what]
        most = limits.position_qty_max if limit == "position_qty_max" else getattr(controls, limit)
        if most is None:
            continue
        share = controls.exposure_warn_pct
        if what in MARKED:
            share = controls.loss_warn_pct if "loss" in what else controls.drawdown_warn_pct
        elif what in {"messages", "orders to an execution"}:
            share = controls.message_warn_pct
        kept = controls.cancel_reserve if what == "messages" else 0
        yield LimitUse(
            account_id=limits.account_id,
            what=what,
            used=_NOTHING,
            most=Decimal(most) - kept,
            warn_pct=share,
            limit_version=limits.version,
            unit=" %" if "drawdown" in what else "",
        )
