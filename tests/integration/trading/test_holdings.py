"""What a batch of reports books, refuses and flags; lots, round trips and breaks as they are read."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from alphintra.contracts.broker import OrderCanceled
from alphintra.contracts.trading import (
    GetAccount,
    GetOrder,
    ListBookingBreaks,
    ListLedger,
    ListLotCloses,
    ListLots,
    ListPositions,
    ListTrades,
)
from alphintra.infrastructure.postgres import Session
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.vocabulary import Side
from fixtures.services import person_context
from integration.trading.desk import new_id

if TYPE_CHECKING:
    from integration.trading.desk import Desk


async def breaks(desk: Desk) -> list[tuple[str, bool]]:
    """Return the codes that were kept, newest first, and whether their executions are booked."""
    found = (await desk.ask(ListBookingBreaks(account_id=desk.account_id))).breaks
    return [(each.code, each.is_booked) for each in found]


async def test_a_batch_books_what_it_can_and_keeps_what_it_cannot(desk: Desk) -> None:
    order = await desk.place(qty=Decimal(10))
    first = desk.filled(order, "4", "100", execution_id="x-1")
    await desk.hear_together(
        *[
            first,
            first,
            desk.filled(order, "4", "101", execution_id="x-1"),
            desk.filled(order, "2", side=Side.SELL),
            desk.filled(order, "6", "110", execution_id="x-2"),
        ]
    )
    assert (await desk.ask(GetOrder(order_id=order.order_id))).filled_qty == 10
    assert await breaks(desk) == [("EXEC_CONFLICT", False), ("EXEC_CONFLICT", False)]
    told = await desk.told()
    assert told == [
        "order_submitted",
        "fill_booked",
        "execution_flagged",
        "execution_flagged",
        "fill_booked",
        "order_closed",
    ]


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"fee": Decimal("-0.5")}, "FEE_SIGN"),
        ({"ahead": timedelta(seconds=6)}, "TIME_SKEW"),
        ({"qty": "11"}, "OVERFILL"),
    ],
    ids=["a negative fee", "a time to come", "more than ordered"],
)
async def test_what_is_odd_is_booked_kept_and_told(desk: Desk, wrong: dict[str, Any], code: str) -> None:
    order = await desk.place(qty=Decimal(10))
    fields: dict[str, Any] = {"qty": "4", **wrong}
    ahead = fields.pop("ahead", timedelta(0))
    await desk.hear(desk.filled(order, executed_at=desk.clock.now() + ahead, **fields))
    assert await breaks(desk) == [(code, True)]
    assert (await desk.ask(GetOrder(order_id=order.order_id))).filled_qty == Decimal(fields["qty"])
    assert "execution_flagged" in await desk.told()


async def test_what_is_usual_is_not_flagged(desk: Desk) -> None:
    order = await desk.place(qty=Decimal(10))
    ahead = desk.clock.now() + timedelta(seconds=4)
    await desk.hear(desk.filled(order, "10", fee=Decimal(0), executed_at=ahead))
    assert await breaks(desk) == []


async def test_a_fill_after_the_cancel_is_booked_and_told_as_late(desk: Desk) -> None:
    order = await desk.place(qty=Decimal(10))
    await desk.tell(OrderCanceled(order_id=order.order_id))
    await desk.hear(desk.filled(order, "4"))
    assert await breaks(desk) == [("LATE_FILL", True)]
    assert (await desk.ask(ListPositions(account_id=desk.account_id))).positions[0].qty == 4


async def test_an_execution_of_nobodys_order_is_kept_after_ten_seconds_and_changes_nothing(desk: Desk) -> None:
    order = await desk.place()
    stray = desk.filled(order, "4", order_id=new_id())
    desk.clock.pass_time(seconds=9)
    with pytest.raises(AlphintraError) as caught:
        await desk.hear(stray)
    assert caught.value.code == "ORDER_NOT_FOUND"
    desk.clock.pass_time(seconds=1)
    await desk.hear(stray)
    assert await breaks(desk) == [("EXTERNAL_ORDER", False)]
    assert (await desk.ask(GetAccount(account_id=desk.account_id))).cash == 1_000_000
    assert (await desk.ask(ListPositions(account_id=desk.account_id))).positions == ()


async def test_lots_are_closed_first_in_first_out_over_several_batches(desk: Desk) -> None:
    buys = [await desk.place(f"b-{n}", qty=Decimal(10)) for n in range(3)]
    for order, price in zip(buys, ("100", "110", "120"), strict=True):
        await desk.hear(desk.filled(order, "10", price))
    sale = await desk.place("s-1", side=Side.SELL, qty=Decimal(25))
    await desk.hear_together(desk.filled(sale, "5", "130"), desk.filled(sale, "20", "130"))
    lots = (await desk.ask(ListLots(account_id=desk.account_id))).lots
    assert [(lot.lot_no, lot.qty, lot.cost) for lot in lots] == [(3, Decimal(5), Decimal(600))]
    closes = (await desk.ask(ListLotCloses(account_id=desk.account_id))).closes
    profits = {(each.lot_no, each.qty): each.realized_pnl for each in closes}
    assert profits == {(1, Decimal(5)): 150, (2, Decimal(10)): 200, (3, Decimal(5)): 50}
    assert len(closes) == 4


async def test_crossing_zero_is_two_trades_and_two_lots(desk: Desk) -> None:
    await desk.hear(desk.filled(await desk.place("b-1"), "10", "100", fee=Decimal(1)))
    sale = await desk.place("s-1", side=Side.SELL, qty=Decimal(15))
    await desk.hear(desk.filled(sale, "15", "110", fee=Decimal(3)))
    newest, oldest = (await desk.ask(ListTrades(account_id=desk.account_id))).trades
    assert (oldest.trade_no, oldest.side, oldest.qty, oldest.open_qty) == (1, Side.BUY, Decimal(10), Decimal(0))
    assert (oldest.entry_price, oldest.exit_price) == (Decimal(100), Decimal(110))
    assert (oldest.realized_pnl, oldest.fees, oldest.closed_at) == (Decimal(100), Decimal(3), desk.clock.now())
    assert (newest.side, newest.qty, newest.open_qty, newest.fees) == (Side.SELL, Decimal(5), Decimal(5), Decimal(1))
    assert (newest.exit_price, newest.closed_at) == (None, None)
    (lot,) = (await desk.ask(ListLots(account_id=desk.account_id))).lots
    assert (lot.qty, lot.cost) == (Decimal(-5), Decimal(-550))


async def test_the_lines_of_a_book_carry_its_id(desk: Desk) -> None:
    book = new_id()
    await desk.hear(desk.filled(await desk.place(book_id=book), "4"))
    entries = (await desk.ask(ListLedger(account_id=desk.account_id))).entries
    assert {entry.book_id for entry in entries} == {None, book}
    assert {entry.ledger_account for entry in entries if entry.book_id == book} == {"cash", "securities:AAPL"}


async def test_a_batch_of_fifty_is_booked_in_a_score_of_round_trips(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = await desk.place(qty=Decimal(100))
    trips = 0
    for name in ("rows", "row", "value", "execute", "execute_many"):
        original = getattr(Session, name)

        async def counted(session: Session, *values: Any, _original: Any = original, **named: Any) -> Any:  # noqa: ANN401
            nonlocal trips
            trips += 1
            return await _original(session, *values, **named)

        monkeypatch.setattr(Session, name, counted)
    await desk.hear_together(*[desk.filled(order, "1") for _ in range(50)])
    assert trips <= 20
    assert (await desk.ask(GetOrder(order_id=order.order_id))).filled_qty == 50


async def test_other_peoples_holdings_look_as_if_they_were_not_there(desk: Desk) -> None:
    stranger = person_context("trader", user_id=new_id())
    for command in (ListLots, ListLotCloses, ListTrades, ListBookingBreaks):
        assert await desk.refusal(command(account_id=desk.account_id), stranger) == "ACCOUNT_NOT_FOUND"
        assert await desk.refusal(command(account_id=desk.account_id, limit=0)) == "PAGE_LIMIT"
    reversed_range = ListLotCloses(
        account_id=desk.account_id, start=desk.clock.now(), end=desk.clock.now() - timedelta(seconds=1)
    )
    assert await desk.refusal(reversed_range) == "RANGE"
