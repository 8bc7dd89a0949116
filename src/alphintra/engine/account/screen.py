"""The controls of risk over a run that is done: what surely passes is told at a glance, the rest is asked of the gate.

A run whose orders all pass is what it would have been with the controls in it. A denied order would have changed
everything after it, so the reference runs instead.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import numpy as np

from alphintra.engine.account import kernel as k
from alphintra.engine.gate import Gate, has_memory
from alphintra.engine.graph.values import StateView
from alphintra.engine.intents import Intent
from alphintra.engine.portfolio import notional
from alphintra.engine.pretrade.claims import COLLAR
from alphintra.kernel.money import CASH_QUANTUM, PRICE_QUANTUM, round_price
from alphintra.kernel.vocabulary import OrderType, Side, TimeInForce

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from alphintra.engine.account.run import AccountRun
    from alphintra.engine.graph.tape import Tape
    from alphintra.engine.pretrade.instruments import Instrument
    from alphintra.engine.pretrade.limits import LimitSet

__all__ = ["passes_controls"]

_CLEAR: Final = 1 - 1e-9  # how far below a limit floats surely are below it
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def passes_controls(
    run: AccountRun, tape: Tape, symbol: str, *, limits: LimitSet, instrument: Instrument | None = None
) -> bool:
    """Tell whether the controls let every order of an exact run of rounded amounts pass.

    Args:
        run: over the bars of the tape.
        tape: of the one symbol.
        symbol: its name.
        limits: in force throughout.
        instrument: the symbol's specification.
    """
    return _Walk(run, tape, Gate(symbol, limits, instrument)).passes(_doubtful(run, tape, limits, instrument))


def _doubtful(run: AccountRun, tape: Tape, limits: LimitSet, instrument: Instrument | None) -> NDArray[np.bool_] | None:
    """Return which orders may not pass; None where the gate has to see the whole run."""
    if has_memory(limits):
        return None
    every = np.ones(len(run.orders), dtype=bool)
    controls = limits.controls
    asked = (
        controls.symbols_allowed,
        controls.credit_max,
        controls.gross_exposure_max,
        controls.net_exposure_max,
        controls.bucket_exposure_max,
        controls.open_orders_max,
    )
    if (
        not run.pricing.is_market
        or instrument is not None
        or controls.is_session_enforced
        or any(limit is not None for limit in asked)
    ):
        return every
    bars = run.orders[:, 0].astype(np.int64)
    lots = run.orders[:, 1]
    qty, held, close = np.abs(lots) * run.lot, run.qty[bars], tape.close[0, bars]
    value = qty * close * float(1 + COLLAR)
    fee = value * float(controls.fee_bps) / 1e4 + qty * float(controls.fee_per_unit) + float(controls.fee_minimum)
    cash = run.equity[bars] - held * close
    clear = (qty <= float(limits.order_qty_max) * _CLEAR) & (value <= float(limits.order_notional_max) * _CLEAR)
    clear &= (lots < 0) | (value + fee <= cash * _CLEAR)
    clear &= np.abs(held + lots * run.lot) <= float(limits.position_qty_max) * _CLEAR
    if not limits.may_short:
        clear &= (lots > 0) | (-lots * run.lot <= held)
    doubtful: NDArray[np.bool_] = ~clear
    return doubtful


class _Walk:
    """An exact run told to the gate in order of time."""

    def __init__(self, run: AccountRun, tape: Tape, gate: Gate) -> None:
        self._run, self._tape, self._gate = run, tape, gate
        self._held = run.qty
        self._lot = Decimal(repr(run.lot))

    def passes(self, doubtful: NDArray[np.bool_] | None) -> bool:
        """Tell whether all orders pass; without ``doubtful`` the gate is told of every fill and every close."""
        if doubtful is None:
            return self._passes_all()
        return all(self._pass_one(index) for index in np.flatnonzero(doubtful).tolist())

    def _passes_all(self) -> bool:
        orders = {int(bar): index for index, bar in enumerate(self._run.orders[:, 0])}
        fills = np.bincount(self._run.fills[:, 0].astype(np.int64), minlength=self._run.units.size)
        for bar, count in enumerate(fills.tolist()):
            at = self._at(bar)
            for _ in range(count):
                self._gate.note_fill(at=at)
            self._gate.note_equity(int(self._run.units[bar]) * CASH_QUANTUM, at=at)
            if bar in orders and not self._pass_one(orders[bar]):
                return False
        return True

    def _pass_one(self, index: int) -> bool:
        created, lots = self._run.orders[index, :2]
        bar = int(created)
        close = round_price(Decimal(repr(float(self._tape.close[0, bar]))))
        held, equity = self._qty(self._held[bar]), int(self._run.units[bar]) * CASH_QUANTUM
        cash = equity - notional(held, close)
        side = Side.BUY if lots > 0 else Side.SELL
        reason = "entry" if self._run.orders[index, 2] == k.ENTRY else "exit"
        qty = abs(self._qty(lots * self._run.lot))
        intent = Intent(0, "", side, qty, OrderType.MARKET, TimeInForce.DAY, reason, "")
        if reason == "entry" and not self._run.pricing.is_market:
            intent = self._priced(intent, self._run.orders[index, 6])
        view = StateView(held, Decimal(0), cash, equity)
        return not self._gate.screen([(str(bar), intent)], view, working=(), at=self._at(bar), price=close)

    def _priced(self, intent: Intent, units: float) -> Intent:
        pricing, price = self._run.pricing, int(units) * PRICE_QUANTUM
        return replace(
            intent,
            order_type=pricing.kind,
            time_in_force=pricing.time_in_force,
            limit_price=price if pricing.has_limit else None,
            stop_price=price if pricing.has_trigger else None,
        )

    def _at(self, bar: int) -> datetime:
        return _EPOCH + timedelta(microseconds=int(self._tape.ts[bar]) // 1000)

    def _qty(self, qty: float) -> Decimal:
        return round(qty / self._run.lot) * self._lot
