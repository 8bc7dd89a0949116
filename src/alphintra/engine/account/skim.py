"""The account without a curve, for choosing among many trials: it visits only the bars that ask for something."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from alphintra.engine.account import kernel as k
from alphintra.engine.account.lots import SIZE_KIND, SIZE_NUMBER
from alphintra.engine.account.rules import Size
from alphintra.engine.account.run import params_of, require_columns, simulate
from alphintra.engine.account.stretches import asked
from alphintra.engine.kernels.amounts import BPS_NANO, FEE_BPS, SLIP, fee_of, moved_by
from alphintra.engine.kernels.kernel import Vector, bare_kernel, part
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.money import round_cash

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from alphintra.engine.account.columns import Columns
    from alphintra.engine.account.rules import AccountRules

__all__ = ["Skim", "skim"]

PERCENT_NANO: Final = 1e11
FIXED_QTY, ALL_CASH = 1.0, 6.0
CASH, QTY, TRADES = 0, 1, 2
_SIZES: Final = frozenset({Size.FIXED_QTY, Size.PERCENT_EQUITY, Size.ALL_CASH})


@part
def _mark(entries: Vector, leaves: Vector, marks: NDArray[np.int8]) -> None:
    """Mark the bars with a signal or an unknown one, without a branch."""
    for i in range(entries.size):
        marks[i] = (entries[i] != 0.0) | (leaves[i] != 0.0)


@part
def _lots(p: Vector, cash: float, close: float) -> float:
    """Return what an entry orders with nothing held; all cash shows at the fill."""
    if p[SIZE_KIND] == FIXED_QTY:
        return float(p[SIZE_NUMBER])
    if p[SIZE_KIND] == ALL_CASH:
        return 1.0 if cash > 0.0 else 0.0
    return float(cash * (p[SIZE_NUMBER] / PERCENT_NANO) / close) if cash > 0.0 else 0.0


@bare_kernel
def skim(
    p: Vector,
    s: Vector,
    prices: tuple[Vector, Vector],
    told: tuple[Vector, Vector],
    room: tuple[NDArray[np.int8], NDArray[np.int64], NDArray[np.int64]],
) -> None:
    """Run an account of unrounded amounts whose entries bring no exits, as ``account.kernel.account`` does.

    ``prices`` are opens and closes, ``told`` entries and leaves; ``room`` is for marks, as eights and as places.
    State: cash, signed quantity, closed round trips.
    """
    opens, closes = prices
    entries, leaves = told
    cash, qty, last, warm_up = s[CASH], s[QTY], closes.size - 1, int(p[k.WARM_UP])
    marks, eights, places = room
    _mark(entries, leaves, marks)
    for turn in range(asked(marks, eights, places)):
        i = places[turn]
        if i < warm_up or i >= last:
            continue
        lots, is_entry = 0.0, False
        if qty != 0.0:
            lots = -qty if leaves[i] > 0.0 else 0.0
        elif entries[i] != 0.0 and entries[i] == entries[i]:
            lots, is_entry = _lots(p, cash, closes[i]), True
            lots = lots if entries[i] > 0.0 else -lots
        if lots == 0.0:
            continue
        side = 1.0 if lots > 0.0 else -1.0
        price = moved_by(p, opens[i + 1], side * p[SLIP], BPS_NANO)
        if is_entry and p[SIZE_KIND] == ALL_CASH:
            lots = side * (cash / (price * (1.0 + p[FEE_BPS] / BPS_NANO)))
        size = abs(lots)
        worth = size * price
        cash += -side * worth - fee_of(p, s, size, worth)
        if is_entry and p[SIZE_KIND] == ALL_CASH and side > 0.0:
            cash = 0.0  # what rounding left of it is dust
        qty += lots
        s[TRADES] += 0.0 if is_entry else 1.0
    s[CASH], s[QTY] = cash, qty


class Skim:
    """One account, run again and again over other columns.

    Args:
        rules: of unrounded amounts; a run that is chosen is run again with a curve.

    Raises:
        AlphintraError: ORDER_UNSUPPORTED for rounded amounts.
    """

    def __init__(self, rules: AccountRules) -> None:
        if rules.is_rounded:
            raise AlphintraError("ORDER_UNSUPPORTED", "trials are told apart by unrounded runs", pointer="/is_rounded")
        self._rules = rules
        self._p, _ = params_of(rules)
        self._marks, self._places = np.empty(0, np.int8), np.empty(0, np.int64)
        is_plain = not rules.is_guarded and not rules.costs.borrow_bps and rules.sizing.most is None
        self._is_plain = is_plain and rules.sizing.kind in _SIZES

    def run(self, columns: Columns) -> tuple[float, int]:
        """Return the equity at the last close and how many round trips were closed."""
        if not self._is_plain:
            run = simulate(self._rules, columns, is_compiled=True)
            return float(run.units[-1]), len(run.fills) // 2
        require_columns(self._rules, columns)
        s = np.zeros(k.STATE)
        s[CASH] = float(round_cash(self._rules.initial_cash))
        if self._marks.size != -(-columns.bars // 8) * 8:
            self._marks = np.zeros(-(-columns.bars // 8) * 8, np.int8)
            self._places = np.empty(self._marks.size, np.int64)
        prices, told = (columns.open, columns.close), (columns.entry, columns.leave)
        skim.compiled(self._p, s, prices, told, (self._marks, self._marks.view(np.int64), self._places))
        return float(s[CASH] + s[QTY] * columns.close[-1]), int(s[TRADES])
