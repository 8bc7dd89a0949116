"""What a reader of a backtest must know before trusting its numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from alphintra.engine.cautions import Caution
from alphintra.engine.course import moment
from alphintra.engine.matching import FILL_MODEL
from alphintra.engine.pretrade.limits import limit_hash
from alphintra.kernel.vocabulary import Intrabar

if TYPE_CHECKING:
    from datetime import datetime
    from decimal import Decimal

    from numpy.typing import NDArray

    from alphintra.engine.portfolio import FeeModel
    from alphintra.engine.pretrade.limits import LimitSet

__all__ = ["INTRABAR_TOLD", "Honesty", "honesty_of"]

INTRABAR_TOLD: Final = {
    Intrabar.CHRONOLOGICAL: "in order of time, and against the order where that is open",
    Intrabar.VECTORBT: (
        "as vectorbt: the bar of the entry does not count, levels are reckoned from its close, a trail follows highs "
        "(lows) up to the bar before, and an exit comes before an order for the open; paper and live do otherwise"
    ),
    Intrabar.BACKTRADER: (
        "as backtrader: the bar of the entry does not count, a trail follows closes up to the bar before; paper and "
        "live do otherwise"
    ),
}
"""What a bar does to stops and targets, for readers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Honesty:
    """What a reader must know before trusting the numbers.

    Args:
        fill_model: how orders are filled, and what is not modelled.
        fees: fee model used.
        slippage_bps: slippage used.
        bars: bars given.
        warm_up_bars: bars at the start on which nothing could trade.
        first_ts: close of the first bar.
        last_ts: close of the last bar.
        largest_gap_days: longest time between two closes, in days.
        is_position_open: whether the last value rests on an unsold position, valued at the last close.
        is_order_working: whether an order of the last bar met no bar any more.
        limit_version: version of the limit set every order was held against.
        limit_hash: what that limit set allows.
        cautions: reasons to trust the numbers less.
        intrabar: what a bar did to stops and targets.
    """

    fill_model: str
    fees: FeeModel
    slippage_bps: Decimal
    bars: int
    warm_up_bars: int
    first_ts: datetime
    last_ts: datetime
    largest_gap_days: float
    is_position_open: bool
    is_order_working: bool
    limit_version: int
    limit_hash: str
    cautions: tuple[Caution, ...] = ()
    intrabar: Intrabar = Intrabar.CHRONOLOGICAL


def honesty_of(  # noqa: PLR0913 - what a run says of itself
    ts: NDArray[np.int64],
    *,
    costs: tuple[FeeModel, Decimal],
    limits: LimitSet,
    intrabar: Intrabar,
    warm_up_bars: int,
    is_position_open: bool,
    is_order_working: bool,
    cautions: tuple[Caution, ...],
) -> Honesty:
    """Return it for a run over bars that closed at these times, at least one; costs are fees and slippage."""
    longest = int(np.diff(ts).max(initial=0))
    return Honesty(
        fill_model=FILL_MODEL,
        fees=costs[0],
        slippage_bps=costs[1],
        bars=ts.size,
        warm_up_bars=warm_up_bars,
        first_ts=moment(ts[0]),
        last_ts=moment(ts[-1]),
        largest_gap_days=longest / 1e9 / 86_400,
        is_position_open=is_position_open,
        is_order_working=is_order_working,
        limit_version=limits.version,
        limit_hash=limit_hash(limits),
        cautions=cautions,
        intrabar=intrabar,
    )
