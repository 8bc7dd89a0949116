"""Every control, whatever it looks at: an amendment is an order, a stale price never helps, what is missing refuses.

The cases are those of ``test_pretrade``, which holds one for each code of each control, with four more here; so a new
control without its row fails there, and with it is asked all this.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec
import pytest

from alphintra.engine.pretrade.assessment import CONTROLS, assess
from alphintra.engine.pretrade.instruments import Market
from alphintra.engine.pretrade.values import KillState
from alphintra.kernel.ids import OrderId
from unit.engine.test_pretrade import BUY, CASES, ONE, SELL, D
from unit.risk.books import NOON, book, codes, held, limits, order

if TYPE_CHECKING:
    from alphintra.engine.pretrade.values import Book, Order

BEFORE = OrderId(UUID(int=99))
# Refused with its book, by the codes that have no case in test_pretrade.
FURTHER: list[tuple[str, Order, Book]] = [
    ("RISK_QTY_MAX", order(BUY, "11"), book(limits=limits(order_qty_max=D("10")))),
    ("RISK_POSITION_MAX", order(BUY, "11"), book(limits=limits(position_qty_max=D("10")))),
    ("RISK_REDUCE_ONLY", order(SELL, "2", reduce_only=True), book(exposure=held("1"))),
    ("RISK_LIMITS_MISSING", ONE, book(limits=None)),
]
ROWS = [(case[0], case[3], case[4]) for case in CASES] + FURTHER
NAMES = [f"{place} {row[0]}" for place, row in enumerate(ROWS)]
# What an amendment may do that a new order may not, and why.
FREE = {"RISK_OPEN_ORDERS_MAX"}  # it takes the place of an order that is open
rows = pytest.mark.parametrize(("code", "bad", "before"), ROWS, ids=NAMES)


def stale(looked_at: Book, symbol: str) -> Book:
    """Return a book whose price of a symbol is older than its limits allow."""
    at = looked_at.at or NOON
    market = replace(looked_at.market(symbol), priced_at=at - timedelta(seconds=61))
    after = replace(looked_at, at=at, markets={**looked_at.markets, symbol: market})
    if after.limits is None:
        return after
    controls = msgspec.structs.replace(after.limits.controls, price_age_max_s=60)
    return replace(after, limits=replace(after.limits, controls=controls))


def test_no_control_is_without_a_row() -> None:
    assert {row[0] for row in ROWS} == {code for control in CONTROLS for code in control.codes}


@rows
def test_an_amendment_is_refused_as_a_new_order_is(code: str, bad: Order, before: Book) -> None:
    found = codes(assess(replace(bad, replaces=BEFORE), before))
    assert (code in found) is (code not in FREE)
    assert code in codes(assess(bad, before))


@rows
def test_a_stale_price_adds_a_refusal_and_takes_none_away(code: str, bad: Order, before: Book) -> None:
    found = codes(assess(bad, stale(before, bad.symbol)))
    assert code in found
    assert "RISK_REF_STALE" in found or before.limits is None


@rows
def test_without_a_price_without_limits_and_while_halted_nothing_passes(code: str, bad: Order, before: Book) -> None:
    priceless = replace(before, exposures={bad.symbol: replace(before.exposure(bad.symbol), last_price=None)})
    assert "ORDER_UNKNOWN_SYMBOL" in codes(assess(bad, priceless)), code
    assert "RISK_LIMITS_MISSING" in codes(assess(bad, replace(before, limits=None)))
    assert "KILL_ACTIVE" in codes(assess(bad, replace(before, firm_kill=KillState.HALTED)))


def test_an_unknown_market_is_no_reason_to_pass() -> None:
    """A symbol nothing is known of has no specification and no restriction, and no price: that refuses."""
    assert "ORDER_UNKNOWN_SYMBOL" in codes(
        assess(replace(ONE, symbol="NEW"), replace(book(), markets={"NEW": Market()}))
    )
