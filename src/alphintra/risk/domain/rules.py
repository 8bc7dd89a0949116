"""What may be set: limits, kill states and prices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Final
from uuid import UUID

import msgspec

from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.limits import WARNINGS, LimitControls
from alphintra.kernel.money import require_finite
from alphintra.risk.domain.books import Kill, KillState, LimitSet
from alphintra.risk.domain.controls import SYMBOL, plain

__all__ = [
    "changed_kill",
    "check_prices",
    "check_reason",
    "differences",
    "next_limits",
    "require_base",
    "takes_two_people",
]

REASON_LENGTH_MAX: Final = 500
PRICES_MAX: Final = 10_000
WHOLE_MAX: Final = 1_000_000
_HUNDRED: Final = Decimal(100)
_MAY_BE_ZERO: Final = {"cancel_reserve", "fee_bps", "fee_per_unit", "fee_minimum"}
# The larger (or true) these are, the less passes.
_NARROWING: Final = {
    "cancel_reserve",
    "price_drift_window_s",
    "repeat_window_s",
    "duplicate_window_s",
    "fee_bps",
    "fee_per_unit",
    "fee_minimum",
    "is_self_match_refused",
    "is_session_enforced",
}


def next_limits(current: LimitSet, wanted: LimitSet) -> LimitSet:
    """Return the limit set that follows the current one, the current one itself if nothing differs.

    Raises LIMIT_NOT_POSITIVE or NUMBER_* for a limit that is none.
    """
    for name in ("order_qty_max", "order_notional_max", "position_qty_max"):
        value: Decimal = getattr(wanted, name)
        if require_finite(value, pointer=f"/{name}") <= 0:
            message = f"{name} is {plain(value)}: a limit is above zero; to stop trading set a kill state"
            raise AlphintraError("LIMIT_NOT_POSITIVE", message, pointer=f"/{name}")
    check_controls(wanted.controls)
    same = replace(wanted, version=current.version, set_by=current.set_by, set_at=current.set_at, reason=current.reason)
    if same == current:
        return current
    return replace(wanted, version=current.version + 1)


def require_base(current: int, base: int | None) -> None:
    """Refuse a change that builds on another version than the one in force. Raises VERSION_CONFLICT."""
    if base is not None and base != current:
        message = f"version {current} is in force and the change builds on {base}: read it, and set yours again"
        raise AlphintraError("VERSION_CONFLICT", message, kind=Kind.CONFLICT, pointer="/base_version")


def check_controls(controls: LimitControls) -> None:
    """Refuse limits that are none. Raises LIMIT_NOT_POSITIVE, LIMIT_RANGE, PRICE_SYMBOL or NUMBER_*."""
    for name, value in msgspec.structs.asdict(controls).items():
        if isinstance(value, bool) or not isinstance(value, Decimal | int):
            continue
        pointer = f"/controls/{name}"
        least = 0 if name in _MAY_BE_ZERO else 1
        if require_finite(Decimal(value), pointer=pointer) < 0 or (least and value <= 0):
            message = f"{name} is {plain(Decimal(value))}: a limit is above zero; leave it out to lift it"
            raise AlphintraError("LIMIT_NOT_POSITIVE", message, pointer=pointer)
        if name in WARNINGS and value > _HUNDRED:
            message = f"{name} is {plain(Decimal(value))}: warn at up to 100 percent of a limit"
            raise AlphintraError("LIMIT_RANGE", message, pointer=pointer)
        if isinstance(value, int) and value > WHOLE_MAX:
            raise AlphintraError("LIMIT_RANGE", f"{name} is at most {WHOLE_MAX}", pointer=pointer)
    if controls.message_burst is not None and controls.cancel_reserve >= controls.message_burst:
        message = "cancel_reserve lies below message_burst: no order would ever pass"
        raise AlphintraError("LIMIT_RANGE", message, pointer="/controls/cancel_reserve")
    for symbol in controls.symbols_allowed or ():
        if not SYMBOL.fullmatch(symbol):
            message = f"{symbol[:40]!r} is no symbol: write it in capitals, e.g. AAPL"
            raise AlphintraError("PRICE_SYMBOL", message, pointer="/controls/symbols_allowed")


def differences(before: LimitSet, after: LimitSet) -> dict[str, tuple[object, object]]:
    """Return each limit that differs with its values before and after."""
    names = ("order_qty_max", "order_notional_max", "position_qty_max", "may_short")
    found = {name: (getattr(before, name), getattr(after, name)) for name in names}
    for name in LimitControls.__struct_fields__:
        found[name] = (getattr(before.controls, name), getattr(after.controls, name))
    return {name: values for name, values in found.items() if values[0] != values[1]}


def revoked(
    before: LimitSet, after: LimitSet, working: Sequence[tuple[str, UUID | None]]
) -> tuple[tuple[str, ...], tuple[UUID, ...]]:
    """Return the symbols and the strategies with working orders that may not be traded any more.

    Args:
        before: the limits until now.
        after: the limits from now on.
        working: symbol and strategy of the account's open orders, None for orders by hand.
    """
    symbols: tuple[str, ...] = ()
    books: set[UUID] = set()
    allowed = after.controls.symbols_allowed
    if allowed is not None and allowed != before.controls.symbols_allowed:
        symbols = tuple(sorted({symbol for symbol, _ in working} - set(allowed)))
    approved, former = after.controls.strategies_allowed, before.controls.strategies_allowed or {}
    if approved is not None:
        for book_id in {book_id for _, book_id in working if book_id is not None}:
            version, was = approved.get(str(book_id)), former.get(str(book_id), "")
            if version is None or (version and version != was):
                books.add(book_id)
    return symbols, tuple(sorted(books))


def takes_two_people(before: LimitSet, after: LimitSet, *, above: Decimal) -> bool:
    """Tell whether a change lets more pass and lies above the value from which one person does not suffice."""
    if after.order_notional_max <= above:
        return False
    changed = differences(before, after)
    return any(_is_wider(name, *values) for name, values in changed.items() if name not in WARNINGS)


def _is_wider(name: str, before: object, after: object) -> bool:
    if after is None or before is None:
        return after is None
    if name in _NARROWING:
        return bool(before) and not after if isinstance(after, bool) else _amount(after) < _amount(before)
    if isinstance(after, bool):
        return after
    if isinstance(after, tuple) and isinstance(before, tuple):
        return not set(after) <= set(before)
    if isinstance(after, dict) and isinstance(before, dict):
        return not after.items() <= before.items()
    return _amount(after) > _amount(before)


def _amount(value: object) -> Decimal:
    return Decimal(str(value))


def changed_kill(current: Kill | None, wanted: Kill, *, may_ease: bool) -> Kill:
    """Return the kill state to store, the current one itself if it is the same state.

    Without ``may_ease`` a state only moves to the right, from normal towards halted. Raises KILL_REASON or KILL_EASE.
    """
    reason = check_reason(wanted.reason)
    state = KillState.NORMAL if current is None else current.state
    if current is not None and wanted.state is state:
        return current
    if wanted.state.severity < state.severity and not may_ease:
        message = f"only an owner or operator may ease {state} to {wanted.state}"
        raise AlphintraError("KILL_EASE", message, kind=Kind.FORBIDDEN, pointer="/state")
    return replace(wanted, reason=reason)


def check_reason(text: str) -> str:
    """Return a reason without blanks around it. Raises KILL_REASON if it says nothing or too much."""
    reason = text.strip()
    if not 0 < len(reason) <= REASON_LENGTH_MAX or not reason.isprintable():
        message = f"say why in 1 to {REASON_LENGTH_MAX} printable characters"
        raise AlphintraError("KILL_REASON", message, pointer="/reason")
    return reason


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
