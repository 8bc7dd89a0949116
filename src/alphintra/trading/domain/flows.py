"""Money that comes into an account or leaves it otherwise than by an execution, and the ledger lines of it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.money import plain, require_finite, require_positive
from alphintra.trading.domain.booking import LedgerLine

__all__ = ["CashFlow", "FlowKind", "cash_flow"]


class FlowKind(StrEnum):
    """Why money moves; interest and funding may be paid or received, the others go one way."""

    DEPOSIT = "deposit"
    WITHDRAWAL = "withdrawal"
    RESET = "reset"
    DIVIDEND = "dividend"
    INTEREST = "interest"
    FUNDING = "funding"
    FEE = "fee"


_INVESTED = frozenset({FlowKind.DEPOSIT, FlowKind.WITHDRAWAL, FlowKind.RESET})
_OUT = frozenset({FlowKind.WITHDRAWAL, FlowKind.FEE})
_SIGNED = frozenset({FlowKind.INTEREST, FlowKind.FUNDING})
_OTHER_SIDE = {
    FlowKind.DEPOSIT: "deposits",
    FlowKind.WITHDRAWAL: "withdrawals",
    FlowKind.RESET: "deposits",
    FlowKind.DIVIDEND: "dividends",
    FlowKind.INTEREST: "interest",
    FlowKind.FUNDING: "funding",
    FlowKind.FEE: "fees",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CashFlow:
    """What a flow changes.

    Args:
        cash: of the account, signed.
        invested: part of it that is money put in or taken out, and no profit.
        fee: part of it that is a fee, positive when paid.
        lines: balanced ledger lines; none where nothing changes.
    """

    cash: Decimal
    invested: Decimal
    fee: Decimal
    lines: tuple[LedgerLine, ...]


def cash_flow(kind: FlowKind, amount: Decimal, *, cash: Decimal, is_flat: bool, symbol: str = "") -> CashFlow:
    """Return what a flow changes of an account.

    Args:
        kind: why.
        amount: above zero, except for interest and funding, which are negative when paid; for a reset the cash the
            account has afterwards.
        cash: what the account has now, outside of books.
        is_flat: whether it holds nothing and no order works.
        symbol: what paid the dividend, or is funded.

    Raises:
        AlphintraError: QTY_NOT_POSITIVE or NUMBER_*; CASH_SHORT for a withdrawal of more than there is, NOT_FLAT for
            the reset of an account that holds something.
    """
    if kind in _SIGNED:
        if not require_finite(amount, pointer="/amount"):
            raise AlphintraError("NUMBER_ZERO", "the amount is zero: nothing to book", pointer="/amount")
        change = amount
    else:
        require_positive(amount, pointer="/amount")
        change = amount - cash if kind is FlowKind.RESET else -amount if kind in _OUT else amount
    if kind is FlowKind.WITHDRAWAL and amount > cash:
        message = f"{plain(amount):f} is more than the {plain(cash):f} that are free: withdraw less"
        raise AlphintraError("CASH_SHORT", message, kind=Kind.CONFLICT, pointer="/amount")
    if kind is FlowKind.RESET and not is_flat:
        message = "the account holds something, has a book or a working order: close them before the reset"
        raise AlphintraError("NOT_FLAT", message, kind=Kind.CONFLICT, pointer="/kind")
    other = f"{_OTHER_SIDE[kind]}:{symbol}" if symbol else _OTHER_SIDE[kind]
    lines = (LedgerLine("cash", change), LedgerLine(other, -change)) if change else ()
    return CashFlow(
        cash=change,
        invested=change if kind in _INVESTED else Decimal(0),
        fee=-change if kind is FlowKind.FEE else Decimal(0),
        lines=lines,
    )
