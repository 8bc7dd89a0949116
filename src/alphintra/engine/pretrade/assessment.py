"""All controls on one order: every one runs, every finding is returned, the first is the one to name first."""

from __future__ import annotations

from typing import Final

from alphintra.engine.pretrade import sizes, standing
from alphintra.engine.pretrade.cases import Case, Control
from alphintra.engine.pretrade.claims import claim_of
from alphintra.engine.pretrade.values import Book, Claim, Finding, Order, Verdict

__all__ = ["CONTROLS", "RENEWED", "assess", "run"]

CONTROLS: Final[tuple[Control, ...]] = (
    standing.BLOCKED,
    sizes.REDUCING,
    standing.LIMITED,
    standing.PRICED,
    sizes.QUANTITY,
    sizes.VALUE,
    sizes.FUNDED,
    sizes.POSITIONED,
    sizes.LOCATED,
)
# What is asked again when the approval of an order expired before it was sent: blocks, cash and position.
RENEWED: Final[tuple[Control, ...]] = (
    standing.BLOCKED,
    sizes.REDUCING,
    sizes.FUNDED,
    sizes.POSITIONED,
    sizes.LOCATED,
)


def assess(order: Order, book: Book, claim: Claim | None = None) -> Verdict:
    """Run every control on an order.

    Args:
        order: what is asked for.
        book: with every open order counted but this one.
        claim: what the order asks of the book, where that is less than the order alone would ask.
    """
    if claim is None:
        claim = claim_of(order, book.exposure(order.symbol).last_price)
    return Verdict(findings=run(CONTROLS, Case(order, claim, book)), claim=claim)


def run(controls: tuple[Control, ...], case: Case) -> tuple[Finding, ...]:
    """Run some controls and return all their findings."""
    return tuple(found for control in controls for found in control.check(case))
