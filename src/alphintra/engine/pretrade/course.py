"""What controls need of the course of trading: message tokens, losses that latch, for risk and backtests alike."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal

from alphintra.engine.pretrade.totals import LOSS_CODE
from alphintra.engine.pretrade.values import EXACT, KillState, plain
from alphintra.kernel.limits import LimitControls
from alphintra.kernel.money import round_cash

__all__ = ["EquityMark", "Loss", "fallen", "loss_of", "marked", "refilled"]

_ZERO = Decimal(0)
_HUNDRED = Decimal(100)


def refilled(left: tuple[Decimal, datetime] | None, controls: LimitControls, *, at: datetime) -> Decimal:
    """Return the tokens of a message bucket now; a clock that steps back brings none."""
    burst = Decimal(controls.message_burst or 0)
    if left is None:
        return burst
    tokens, refilled_at = left
    seconds = max(Decimal(str((at - refilled_at).total_seconds())), _ZERO)
    return min(burst, round(EXACT.add(tokens, EXACT.multiply(seconds, controls.messages_per_s)), 9))


@dataclass(frozen=True, slots=True, kw_only=True)
class EquityMark:
    """An account's equity through a day of its market: at its opening, now, and the highest ever marked."""

    day: date
    opening_equity: Decimal
    last_equity: Decimal
    peak_equity: Decimal


@dataclass(frozen=True, slots=True)
class Loss:
    """A loss beyond a limit: the kill state it brings and why."""

    state: KillState
    reason: str


def marked(before: EquityMark | None, equity: Decimal, *, day: date) -> EquityMark:
    """Return the mark with newer equity; a new day opens with the equity the last one ended with."""
    if before is None:
        return EquityMark(day=day, opening_equity=equity, last_equity=equity, peak_equity=equity)
    opening = before.opening_equity if day <= before.day else before.last_equity
    return replace(
        before,
        day=max(day, before.day),
        opening_equity=opening,
        last_equity=equity,
        peak_equity=max(before.peak_equity, equity),
    )


def fallen(mark: EquityMark) -> tuple[Decimal, Decimal]:
    """Return the day's loss, below zero for a gain, and the fall from the highest equity in percent."""
    loss = EXACT.subtract(mark.opening_equity, mark.last_equity)
    if mark.peak_equity <= 0:
        return loss, _ZERO
    return loss, EXACT.divide(EXACT.multiply(mark.peak_equity - mark.last_equity, _HUNDRED), mark.peak_equity)


def loss_of(mark: EquityMark, controls: LimitControls) -> Loss | None:
    """Return what a day's loss or a fall from the highest equity brings, the strictest; None within the limits."""
    loss, fall = fallen(mark)
    asked = (
        (KillState.HALTED, controls.daily_loss_halt, loss, "the day's loss", ""),
        (KillState.HALTED, controls.drawdown_halt_pct, fall, "the fall from the highest equity", " %"),
        (KillState.REDUCE_ONLY, controls.daily_loss_max, loss, "the day's loss", ""),
        (KillState.REDUCE_ONLY, controls.drawdown_max_pct, fall, "the fall from the highest equity", " %"),
    )
    for state, most, amount, what, unit in asked:
        if most is not None and amount >= most:
            reached = f"{what} of {plain(round_cash(amount))}{unit} reached the limit of {plain(most)}{unit}"
            return Loss(state, f"{LOSS_CODE}: {reached}")
    return None
