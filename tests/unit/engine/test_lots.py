"""Lots are closed oldest first, and their profit and cost never drift from the cash."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alphintra.engine.lots import Lot, apply_to_lots, scaled_quantities, take_lots
from alphintra.engine.portfolio import FLAT, apply_fill
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.vocabulary import Side

START = datetime(2026, 1, 5, 15, tzinfo=UTC)
QUANTITIES = st.decimals(min_value="0.000000001", max_value=10**6, places=9)
PRICES = st.decimals(min_value="0.000001", max_value=10**6, places=6)
FILLS = st.lists(st.tuples(st.sampled_from(list(Side)), QUANTITIES, PRICES), min_size=1, max_size=12)
ZERO = Decimal(0)


def exactly(value: Any) -> Any:  # noqa: ANN401 - whole numbers equal Decimals, which the type checker does not know
    """Return what is expected."""
    return value


def lot(number: int, qty: str, cost: str) -> Lot:
    """Return a lot opened ``number`` days after the start."""
    return Lot(number, Decimal(qty), Decimal(cost), START + timedelta(days=number), f"x-{number}")


def test_a_sale_closes_the_oldest_lot_first_and_part_of_the_next() -> None:
    lots = (lot(1, "10", "1000"), lot(2, "10", "1200"))
    after, closes = apply_to_lots(lots, Side.SELL, qty=Decimal(15), price=Decimal(130), opened=lot(3, "0", "0"))
    assert [(each.number, each.qty, each.realized) for each in closes] == exactly([(1, 10, 300), (2, 5, 50)])
    assert [(each.qty, each.cost) for each in after] == exactly([(0, 0), (5, 600)])
    assert closes[0].opened_at == START + timedelta(days=1)


def test_crossing_zero_closes_every_lot_and_opens_one_with_the_rest() -> None:
    after, closes = apply_to_lots(
        (lot(1, "10", "1000"),), Side.SELL, qty=Decimal(25), price=Decimal(90), opened=lot(2, "0", "0")
    )
    assert [each.realized for each in closes] == [-100]
    assert after[-1] == lot(2, "-15", "-1350")


def test_buying_back_a_short_sale_gains_when_the_price_fell() -> None:
    after, closes = apply_to_lots(
        (lot(1, "-10", "-1000"),), Side.BUY, qty=Decimal(4), price=Decimal(80), opened=lot(2, "0", "0")
    )
    assert [(each.qty, each.realized) for each in closes] == exactly([(-4, 80)])
    assert [(each.qty, each.cost) for each in after] == exactly([(-6, -600)])


@given(FILLS)
def test_lots_hold_what_the_position_holds_and_explain_the_same_cash(
    fills: list[tuple[Side, Decimal, Decimal]],
) -> None:
    position, realized = FLAT, ZERO
    lots: tuple[Lot, ...] = ()
    for number, (side, qty, price) in enumerate(fills, start=1):
        position, _ = apply_fill(position, side, qty=qty, price=price)
        lots, closes = apply_to_lots(lots, side, qty=qty, price=price, opened=lot(number, "0", "0"))
        lots = tuple(each for each in lots if each.qty)
        realized += sum((each.realized for each in closes), ZERO)
        assert sum((each.qty for each in lots), ZERO) == position.qty
        assert len({each.qty > 0 for each in lots}) <= 1
        held = sum((each.cost for each in lots), ZERO)
        assert realized - held == position.realized - position.cost
    if not position.qty:
        assert realized == position.realized


def test_taking_more_than_the_lots_hold_is_refused() -> None:
    with pytest.raises(AlphintraError) as caught:
        take_lots((lot(1, "1", "10"),), Decimal(2))
    assert caught.value.code == "LOTS_SHORT"


@given(st.lists(QUANTITIES, min_size=1, max_size=8), st.integers(1, 200), st.integers(1, 200))
def test_a_split_of_parts_adds_up_to_the_split_of_the_whole(
    quantities: list[Decimal], numerator: int, denominator: int
) -> None:
    parts = scaled_quantities(quantities, numerator=numerator, denominator=denominator)
    (whole,) = scaled_quantities([sum(quantities, ZERO)], numerator=numerator, denominator=denominator)
    assert sum(parts, ZERO) == whole
    for before, after in zip(quantities, parts, strict=True):
        assert abs(after - before * numerator / denominator) <= Decimal("0.000000001")
