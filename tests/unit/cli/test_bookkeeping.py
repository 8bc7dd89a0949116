"""Books that add up pass every rule, and whatever is changed in them breaks the rule that speaks of it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from alphintra.cli.bookkeeping import Books, rules


def fill(side: str, qty: str, price: str, fee: str = "0") -> dict[str, Any]:
    amount = Decimal(qty) * Decimal(price)
    net = (amount if side == "sell" else -amount) - Decimal(fee)
    return {"kind": "fill", "symbol": "AAPL", "side": side, "qty": qty, "net_amount": str(net)}


def order(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - those of an order
    plain = {"order_id": "o", "symbol": "AAPL", "side": "buy", "qty": "5", "filled_qty": "2", "order_class": "simple"}
    return plain | {"reduce_only": False, "replaces": None, "replaced_by": None} | changes


def place(qty: str, book_id: str | None = None) -> dict[str, Any]:
    return {"symbol": "AAPL", "book_id": book_id, "qty": qty}


GOOD = Books(
    account={"starting_cash": "1000", "cash": "795"},
    activities=(
        fill("buy", "10", "20", "1"),
        {"kind": "split", "symbol": "AAPL", "side": None, "qty": "10", "net_amount": "0"},
        fill("sell", "4", "12", "2"),
        {"kind": "transfer", "symbol": "AAPL", "side": None, "qty": "3", "net_amount": "0"},
        {"kind": "dividend", "symbol": "AAPL", "side": None, "qty": "0", "net_amount": "-50"},
    ),
    positions=(place("13"), place("3", "b")),
    lots=(place("6"), place("7"), place("3", "b")),
    books=({"cash": "700"}, {"cash": "95"}),
    ledger_total=Decimal(0),
    open_orders=(order(),),
    risk={
        "reserved_cash": "60",
        "exposures": (
            {"symbol": "AAPL", "position_qty": "16", "reserved_buy_qty": "3", "reserved_sell_qty": "0"},
            {"symbol": "MSFT", "position_qty": "0", "reserved_buy_qty": "0", "reserved_sell_qty": "0"},
        ),
    },
)


def exposure(**changes: str) -> dict[str, Any]:
    first, *others = GOOD.risk["exposures"]
    return {**GOOD.risk, "exposures": (first | changes, *others)}


def broken(books: Books) -> list[str]:
    return [rule.name for rule in rules(books) if rule.broken]


def test_books_that_add_up_break_nothing() -> None:
    assert broken(GOOD) == []


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"ledger_total": Decimal("0.000000001")}, ["ledger adds up to zero"]),
        ({"account": {"starting_cash": "1000.01", "cash": "795"}}, ["cash = start and all activities"]),
        ({"activities": GOOD.activities[:-1]}, ["cash = start and all activities"]),
        ({"books": ({"cash": "700"},)}, ["cash of the books = cash"]),
        ({"lots": GOOD.lots[1:]}, ["position = open lots"]),
        ({"lots": (place("6"), place("10"))}, ["position = open lots"]),
        ({"risk": exposure(position_qty="15")}, ["risk's position = position"]),
        ({"risk": exposure(reserved_buy_qty="5")}, ["reservations = open orders"]),
        ({"risk": exposure(reserved_sell_qty="1")}, ["reservations = open orders"]),
        ({"open_orders": ()}, ["reservations = open orders"]),
        ({"open_orders": (order(symbol="TSLA"), order())}, ["reservations = open orders"]),
    ],
)
def test_each_difference_breaks_its_rule_and_no_other(changes: dict[str, Any], rule: list[str]) -> None:
    assert broken(replace(GOOD, **changes)) == rule


def test_what_the_venue_kept_as_a_fee_is_missing_in_the_position_and_not_in_the_cash() -> None:
    kept = replace(GOOD, activities=({**GOOD.activities[0], "fee_qty": "0.01"}, *GOOD.activities[1:]))
    assert broken(kept) == ["position = fills and splits"]


def test_a_fill_that_was_booked_twice_is_seen_in_cash_and_position() -> None:
    twice = replace(GOOD, activities=(*GOOD.activities, GOOD.activities[0]))
    assert broken(twice) == ["cash = start and all activities", "position = fills and splits"]


def test_of_exits_and_amounts_of_money_only_that_something_is_held_back_is_compared() -> None:
    for special in ({"reduce_only": True}, {"order_class": "bracket"}, {"qty": None}, {"replaces": "x"}):
        assert broken(replace(GOOD, open_orders=(order(**special),))) == []
