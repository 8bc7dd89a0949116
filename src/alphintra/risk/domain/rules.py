"""What may be set: limits, kill states and prices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Final

from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.ids import AccountId
from alphintra.kernel.money import require_finite
from alphintra.risk.domain.books import Kill, KillState, LimitSet
from alphintra.risk.domain.controls import SYMBOL, plain

__all__ = ["changed_kill", "check_prices", "default_limits", "next_limits"]

REASON_LENGTH_MAX: Final = 500
PRICES_MAX: Final = 10_000
DEFAULT_ORDER_QTY_MAX: Final = Decimal(100_000)
DEFAULT_ORDER_NOTIONAL_MAX: Final = Decimal(1_000_000)
DEFAULT_POSITION_QTY_MAX: Final = Decimal(100_000)


def default_limits(account_id: AccountId, *, set_by: str, at: datetime) -> LimitSet:
    """Return the limit set an account starts with."""
    return LimitSet(
        account_id=account_id,
        version=1,
        order_qty_max=DEFAULT_ORDER_QTY_MAX,
        order_notional_max=DEFAULT_ORDER_NOTIONAL_MAX,
        position_qty_max=DEFAULT_POSITION_QTY_MAX,
        may_short=False,
        set_by=set_by,
        set_at=at,
    )


def next_limits(current: LimitSet, wanted: LimitSet) -> LimitSet:
    """Return the limit set that follows the current one, the current one itself if nothing differs.

    Raises LIMIT_NOT_POSITIVE or NUMBER_* for a limit that is none.
    """
    for name in ("order_qty_max", "order_notional_max", "position_qty_max"):
        value: Decimal = getattr(wanted, name)
        if require_finite(value, pointer=f"/{name}") <= 0:
            message = f"{name} is {plain(value)}: a limit is above zero; to stop trading set a kill state"
            raise AlphintraError("LIMIT_NOT_POSITIVE", message, pointer=f"/{name}")
    if replace(wanted, version=current.version, set_by=current.set_by, set_at=current.set_at) == current:
        return current
    return replace(wanted, version=current.version + 1)


def changed_kill(current: Kill | None, wanted: Kill, *, may_ease: bool) -> Kill:
    """Return the kill state to store, the current one itself if it is the same state.

    Without ``may_ease`` a state only moves to the right, from normal towards halted. Raises KILL_REASON or KILL_EASE.
    """
    reason = wanted.reason.strip()
    if not 0 < len(reason) <= REASON_LENGTH_MAX or not reason.isprintable():
        message = f"say why in 1 to {REASON_LENGTH_MAX} printable characters"
        raise AlphintraError("KILL_REASON", message, pointer="/reason")
    state = KillState.NORMAL if current is None else current.state
    if current is not None and wanted.state is state:
        return current
    if wanted.state.severity < state.severity and not may_ease:
        message = f"only an owner or operator may ease {state} to {wanted.state}"
        raise AlphintraError("KILL_EASE", message, kind=Kind.FORBIDDEN, pointer="/state")
    return replace(wanted, reason=reason)


def check_prices(seq: int, prices: Sequence[tuple[str, Decimal]]) -> None:
    """Refuse prices no order may be judged by. Raises PRICE_* or NUMBER_*; nothing is stored then."""
    if seq < 0:
        raise AlphintraError("PRICE_SEQ", f"sequence {seq} is negative: count from zero", pointer="/seq")
    if len(prices) > PRICES_MAX:
        raise AlphintraError("PRICE_COUNT", f"at most {PRICES_MAX} prices at once", pointer="/prices")
    seen: set[str] = set()
    for index, (symbol, price) in enumerate(prices):
        pointer = f"/prices/{index}"
        if not SYMBOL.fullmatch(symbol):
            message = f"{symbol[:40]!r} is no symbol: write it in capitals, e.g. AAPL"
            raise AlphintraError("PRICE_SYMBOL", message, pointer=f"{pointer}/symbol")
        if symbol in seen:
            raise AlphintraError("PRICE_TWICE", f"{symbol} is priced twice", pointer=f"{pointer}/symbol")
        seen.add(symbol)
        if require_finite(price, pointer=f"{pointer}/price") <= 0:
            message = f"the price of {symbol} is {plain(price)}: a price is above zero"
            raise AlphintraError("PRICE_NOT_POSITIVE", message, pointer=f"{pointer}/price")
