"""What the checkers of live desks say of rows that were tampered with."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from simulation.differences import as_booked, overfilled, overfills_untold
from simulation.groups import groups_and_replacements

ACCOUNT, OLD, NEW = UUID(int=1), UUID(int=2), UUID(int=3)
LIVE: Any = SimpleNamespace(account_id=ACCOUNT)
FILL = {"execution_id": "x1", "order_id": OLD, "symbol": "AAA", "qty": 5, "price": 50, "fee": 0, "is_taken_back": False}
BOOKED = {key: value for key, value in FILL.items() if key != "is_taken_back"}
CORRECTED, TAKEN_BACK = {**FILL, "price": 51}, {**FILL, "is_taken_back": True}


def found(code: str, key: str = "", *, order_id: UUID | None = None) -> dict[str, Any]:
    return {"code": code, "key": key, "symbol": "AAA", "order_id": order_id}


@pytest.mark.parametrize(
    ("told", "breaks", "wanted"),
    [
        (FILL, [], [FILL]),
        (CORRECTED, [], [CORRECTED]),
        (CORRECTED, [found("EXEC_CONFLICT", "x2:5@51")], [CORRECTED]),
        (CORRECTED, [found("EXEC_CONFLICT", "x1:5@51")], [BOOKED]),
        (CORRECTED, [found("CASH_DIFF", "cash:-5")], [BOOKED]),
        (TAKEN_BACK, [], []),
        (TAKEN_BACK, [found("EXEC_CONFLICT", "bust:x2")], []),
        (TAKEN_BACK, [found("EXEC_CONFLICT", "bust:x1")], [BOOKED]),
        (TAKEN_BACK, [found("POSITION_DIFF", "AAA:-5")], [BOOKED]),
    ],
)
def test_what_a_venue_says_differently_stays_booked_only_where_somebody_was_told(
    told: dict[str, Any], breaks: list[dict[str, Any]], wanted: list[dict[str, Any]]
) -> None:
    assert as_booked([told], [BOOKED], breaks) == wanted


def test_an_execution_that_was_taken_back_before_it_was_heard_of_is_in_no_book() -> None:
    assert as_booked([TAKEN_BACK], [], [found("EXEC_CONFLICT", "bust:x1")]) == []


def test_of_an_overfill_somebody_is_told_and_its_symbol_is_blocked() -> None:
    over = {"order_id": OLD, "rest": Decimal(-2), "symbol": "AAA"}
    told, blocked = found("OVERFILL", order_id=OLD), {"code": "OVERFILL", "symbol": "AAA", "account_id": ACCOUNT}
    assert overfills_untold(LIVE, [over], breaks=[told], latches=[blocked]) == []
    nobody = f"I3: nobody was told that order {OLD} was overfilled"
    free = f"I3: order {OLD} was overfilled and AAA is not blocked"
    assert overfills_untold(LIVE, [over], breaks=[], latches=[blocked]) == [nobody]
    assert overfills_untold(LIVE, [over], breaks=[told], latches=[{**blocked, "symbol": "BBB"}]) == [free]
    assert overfills_untold(LIVE, [{**over, "rest": Decimal(0)}], breaks=[], latches=[]) == []
    assert overfilled([over, {**over, "rest": Decimal(3)}, {**over, "rest": Decimal(-1)}]) == {OLD: Decimal(3)}


def order(order_id: UUID, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - columns of a row
    row = {"order_id": order_id, "status": "new", "group_id": None, "replaces": None, "replaced_by": None}
    return {**row, "filled_qty": Decimal(0), "carried_qty": Decimal(0), "qty": Decimal(9), **changes}


def test_a_chain_of_replacements_hangs_together() -> None:
    old = order(OLD, status="replaced", replaced_by=NEW, filled_qty=Decimal(4))
    new = order(NEW, replaces=OLD, carried_qty=Decimal(4))
    assert groups_and_replacements([old, new]) == []
    for row, said in (
        ({**new, "carried_qty": Decimal(3)}, "carries 3, the one before filled 4"),
        ({**new, "status": "rejected"}, f"was replaced by {NEW}, which is rejected"),
    ):
        assert any(said in each for each in groups_and_replacements([old, row])), said
    beside = groups_and_replacements([{**old, "status": "new", "replaced_by": None}, new])
    assert any("works beside" in each for each in beside)
