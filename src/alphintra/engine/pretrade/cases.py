"""One order before one book, and the short words in which a control says what it found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from alphintra.engine.pretrade.instruments import Market
from alphintra.engine.pretrade.values import Book, Claim, Exposure, Finding, LimitSet, Order, plain

__all__ = ["Case", "Control", "Findings", "finding", "over"]

Findings = tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """What a control is asked about."""

    order: Order
    claim: Claim | None
    book: Book

    @property
    def exposure(self) -> Exposure:
        """What the account holds and may still do in the order's symbol."""
        return self.book.exposure(self.order.symbol)

    @property
    def market(self) -> Market:
        """What is known of the order's symbol."""
        return self.book.market(self.order.symbol)

    @property
    def limits(self) -> LimitSet | None:
        """The limit set in force, None if the account has none."""
        return self.book.limits


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """One control as it runs and as it is documented.

    Args:
        rule: its number in the catalogue of controls.
        name: what it guards against, in a few words.
        codes: the codes it refuses with.
        inputs: what it looks at.
        default: what holds for an account nobody has set limits for.
        check: returns its findings, none if the order passes.
    """

    rule: str
    name: str
    codes: tuple[str, ...]
    inputs: str
    default: str
    check: Callable[[Case], Findings]


def finding(
    rule: str, code: str, detail: str, *, field: str = "", limit: object = "", observed: object = ""
) -> Finding:
    """Return a finding; amounts are written plainly."""
    return Finding(code=code, rule=rule, field=field, limit=_text(limit), observed=_text(observed), detail=detail)


def over(value: Decimal | None, limit: Decimal | None) -> bool:
    """Tell whether a value exceeds a limit; nothing is over a limit that is not set."""
    return value is not None and limit is not None and value > limit


def _text(value: object) -> str:
    return plain(value) if isinstance(value, Decimal) else str(value)
