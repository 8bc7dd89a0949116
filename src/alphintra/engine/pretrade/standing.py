"""Controls of whether the account may trade at all: kill state, limits, a price to judge by."""

from __future__ import annotations

from alphintra.engine.pretrade.cases import Case, Control, Findings, finding
from alphintra.engine.pretrade.values import KillState

__all__ = ["BLOCKED", "LIMITED", "PRICED"]


def _blocked(case: Case) -> Findings:
    book = case.book
    if book.kill in {KillState.NORMAL, KillState.REDUCE_ONLY}:  # the latter is judged with reduce-only orders
        return ()
    scope = "firm" if book.firm_kill is book.kill else "account"
    detail = f"trading of the {scope} is {book.kill}: wait until it is released"
    return (finding("R30", "KILL_ACTIVE", detail, limit=KillState.NORMAL, observed=book.kill),)


def _limited(case: Case) -> Findings:
    if case.limits is not None:
        return ()
    detail = "the account has no limit set: set its limits before it trades"
    field = "/terms/account_id"
    return (finding("R01", "RISK_LIMITS_MISSING", detail, field=field, limit="a limit set", observed="none"),)


def _priced(case: Case) -> Findings:
    if case.exposure.last_price is not None:
        return ()
    symbol = case.order.symbol
    known = ", ".join(case.book.known_symbols) or "none"
    detail = f"the account's feed has no price of {symbol}; it has: {known}"
    return (finding("R06", "ORDER_UNKNOWN_SYMBOL", detail, field="/terms/symbol", limit=known, observed=symbol),)


BLOCKED = Control(
    rule="R30",
    name="Kill switch",
    codes=("KILL_ACTIVE",),
    inputs="kill states of every scope the order falls under",
    default="normal",
    check=_blocked,
)
LIMITED = Control(
    rule="R01",
    name="No limits, no trading",
    codes=("RISK_LIMITS_MISSING",),
    inputs="the account's limit set",
    default="a paper account starts with one",
    check=_limited,
)
PRICED = Control(
    rule="R06",
    name="A reference price exists",
    codes=("ORDER_UNKNOWN_SYMBOL",),
    inputs="the last price of the account's feed",
    default="required",
    check=_priced,
)
