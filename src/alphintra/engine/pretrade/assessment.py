"""All controls on one order: every one runs, every finding is returned, the first is the one to name first."""

from __future__ import annotations

from typing import Final

from alphintra.engine.pretrade import access, conduct, prices, sizes, standing, totals
from alphintra.engine.pretrade.cases import Case, Control
from alphintra.engine.pretrade.claims import claim_of
from alphintra.engine.pretrade.values import Book, Claim, Finding, Order, Verdict

__all__ = ["CONTROLS", "RENEWED", "SOFT_CODES", "WORKING", "assess", "run"]

CONTROLS: Final[tuple[Control, ...]] = (
    standing.BLOCKED,
    totals.LOSING,
    sizes.REDUCING,
    conduct.LATCHED,
    standing.LIMITED,
    access.COHERENT,
    access.STRATEGY,
    access.PERMITTED,
    access.UNRESTRICTED,
    access.KNOWN,
    prices.PRICED,
    prices.FRESH,
    access.OPEN,
    access.OFFERED,
    access.SPECIFIED,
    prices.STOPPED,
    prices.COLLARED,
    prices.DRIFTING,
    sizes.QUANTITY,
    sizes.VALUE,
    conduct.RATED,
    conduct.COUNTED,
    conduct.SINGLE,
    conduct.UNCROSSED,
    totals.CREDITED,
    sizes.FUNDED,
    sizes.POSITIONED,
    totals.EXPOSED,
    sizes.LOCATED,
    access.SHORTABLE,
)
# What is asked again when the approval of an order expired before it was sent: blocks, cash and position.
RENEWED: Final[tuple[Control, ...]] = (
    standing.BLOCKED,
    sizes.REDUCING,
    conduct.LATCHED,
    access.COHERENT,
    access.UNRESTRICTED,
    sizes.FUNDED,
    sizes.POSITIONED,
    sizes.LOCATED,
)
# What is asked again of an order that works at the venue already.
WORKING: Final[tuple[Control, ...]] = (standing.BLOCKED, sizes.REDUCING, conduct.LATCHED)
# What a second person may let pass for one order (rule R32); every other control is hard.
SOFT_CODES: Final = frozenset(
    {
        "RISK_QTY_MAX",
        "RISK_NOTIONAL_MAX",
        "RISK_PRICE_COLLAR",
        "RISK_PRICE_DRIFT",
        "RISK_DUPLICATE",
        "RISK_EXPOSURE",
    }
)


def assess(order: Order, book: Book, claim: Claim | None = None) -> Verdict:
    """Run every control on an order; soft findings a second person let pass are left out.

    Args:
        order: what is asked for.
        book: with every open order counted but this one.
        claim: what the order asks of the book, where that is less than the order alone would ask.
    """
    if claim is None:
        claim = claim_of(order, book.exposure(order.symbol).last_price, book.controls)
    found = run(CONTROLS, Case(order, claim, book))
    if not found or not book.allowed:
        return Verdict(findings=found, claim=claim)
    allowed = book.allowed.get(order.content, frozenset[str]()) & SOFT_CODES
    return Verdict(
        findings=tuple(item for item in found if item.code not in allowed),
        claim=claim,
        overridden=tuple(item.code for item in found if item.code in allowed),
    )


def run(controls: tuple[Control, ...], case: Case) -> tuple[Finding, ...]:
    """Run some controls and return all their findings."""
    findings: list[Finding] = []
    for control in controls:
        findings += control.check(case)
    return tuple(findings)
