"""What money that comes and goes does to an account, and that equity changes by what was earned alone."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alphintra.engine.holding import NOTHING_HELD, Fill, fill_holding, split_holding
from alphintra.engine.portfolio import cash_delta
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.vocabulary import Side
from alphintra.trading.domain.equity import Held, worth_of
from alphintra.trading.domain.flows import FlowKind, cash_flow
from unit.trading.orders import LATER

ZERO = Decimal(0)
QUANTITIES = st.decimals(min_value="0.000000001", max_value=10**4, places=9)
AMOUNTS = st.decimals(min_value="0.000001", max_value=10**4, places=6)
FEES = st.decimals(min_value=-5, max_value=100, places=6)
FILL = st.tuples(st.just("fill"), st.sampled_from(list(Side)), QUANTITIES, AMOUNTS, FEES)
FLOW = st.tuples(st.just("flow"), st.sampled_from([kind for kind in FlowKind if kind is not FlowKind.RESET]), AMOUNTS)
SPLIT = st.tuples(st.just("split"), st.integers(1, 20), st.integers(1, 20))
MARK = st.tuples(st.just("mark"), AMOUNTS)


@given(st.lists(FILL | FLOW | SPLIT | MARK, min_size=1, max_size=15))
def test_equity_changes_by_realised_and_unrealised_less_fees_plus_carry_after_every_event(
    events: list[tuple[Any, ...]],
) -> None:
    holding, cash, invested, mark = NOTHING_HELD, Decimal(10**9), Decimal(10**9), Decimal(50)
    for number, (name, *parts) in enumerate(events):
        before = worth_of([Held(holding.position, mark)], cash=cash, invested=invested)
        realized = fee = carry = added = ZERO
        if name == "fill":
            side, qty, price, fee = parts
            filled = fill_holding(holding, Fill(f"x-{number}", side, qty, price, fee, LATER))
            holding, realized = filled.holding, filled.realized
            cash += cash_delta(side, qty, price=price, fee=fee)
        elif name == "flow":
            flow = cash_flow(*parts, cash=cash, is_flat=False)
            assert sum((line.amount for line in flow.lines), ZERO) == 0
            cash, invested, added, fee = cash + flow.cash, invested + flow.invested, flow.invested, flow.fee
            carry = flow.cash - flow.invested + flow.fee
        elif name == "split":
            # The unrealised profit is taken before and after at one value of what is held: a split changes none.
            numerator, denominator = parts
            held = split_holding(holding, numerator=numerator, denominator=denominator)
            assert (held.position.cost, held.position.realized) == (holding.position.cost, holding.position.realized)
            holding, before = held, worth_of([Held(held.position, mark)], cash=cash, invested=invested)
        else:
            (mark,) = parts
        after = worth_of([Held(holding.position, mark)], cash=cash, invested=invested)
        earned = realized + after.unrealized - before.unrealized - fee + carry
        assert after.equity - before.equity == earned + added
        assert after.profit - before.profit == earned


@pytest.mark.parametrize(
    ("kind", "amount", "cash", "invested", "fee"),
    [
        ("deposit", "5", "5", "5", "0"),
        ("withdrawal", "5", "-5", "-5", "0"),
        ("reset", "120", "20", "20", "0"),
        ("dividend", "5", "5", "0", "0"),
        ("interest", "-5", "-5", "0", "0"),
        ("funding", "5", "5", "0", "0"),
        ("fee", "5", "-5", "0", "5"),
    ],
)
def test_each_kind_moves_cash_its_own_way(kind: str, amount: str, cash: str, invested: str, fee: str) -> None:
    flow = cash_flow(FlowKind(kind), Decimal(amount), cash=Decimal(100), is_flat=True, symbol="")
    assert (flow.cash, flow.invested, flow.fee) == (Decimal(cash), Decimal(invested), Decimal(fee))
    assert {line.ledger_account: line.amount for line in flow.lines}["cash"] == Decimal(cash)


@pytest.mark.parametrize(
    ("kind", "amount", "is_flat", "code"),
    [
        ("deposit", "-5", True, "QTY_NOT_POSITIVE"),
        ("deposit", "0", True, "QTY_NOT_POSITIVE"),
        ("deposit", "NaN", True, "NUMBER_NOT_FINITE"),
        ("interest", "0", True, "NUMBER_ZERO"),
        ("withdrawal", "100.000001", True, "CASH_SHORT"),
        ("reset", "100", False, "NOT_FLAT"),
    ],
)
def test_what_cannot_be_booked_is_refused(kind: str, amount: str, is_flat: bool, code: str) -> None:  # noqa: FBT001
    with pytest.raises(AlphintraError) as caught:
        cash_flow(FlowKind(kind), Decimal(amount), cash=Decimal(100), is_flat=is_flat)
    assert caught.value.code == code


def test_what_has_no_price_is_worth_what_it_cost() -> None:
    held = fill_holding(NOTHING_HELD, Fill("x-1", Side.SELL, Decimal(2), Decimal(10), ZERO, LATER)).holding
    worth = worth_of([Held(held.position, None)], cash=Decimal(120), invested=Decimal(100))
    assert (worth.equity, worth.short_value, worth.unrealized) == (Decimal(100), Decimal(-20), ZERO)
    assert worth.buying_power == Decimal(100)
