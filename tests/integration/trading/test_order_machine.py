"""Groups, replacements, cancel all, closing: what is stored, what is told, and that history explains every order."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from alphintra.contracts import broker
from alphintra.contracts.orders import OrderView, StopLoss, TakeProfit
from alphintra.contracts.risk import AssessOrder
from alphintra.contracts.trading import (
    CancelOrder,
    CancelOrders,
    ClosePositions,
    GetOrder,
    ListOrderEvents,
    ListOrders,
    ReplaceOrder,
)
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.from_fill import FromFill
from alphintra.kernel.vocabulary import WORKING, Leg, OrderClass, OrderStatus, OrderType, Side, TimeInForce
from alphintra.trading.service.order_lists import refolded
from fixtures.services import person_context
from integration.trading.desk import approved, new_id, refused, together

if TYPE_CHECKING:
    from uuid import UUID

    from integration.trading.desk import Answer, Desk

BRACKET: dict[str, Any] = {
    "order_class": OrderClass.BRACKET,
    "take_profit": TakeProfit(limit_price=Decimal(120)),
    "stop_loss": StopLoss(stop_price=Decimal(90)),
}
LIMIT: dict[str, Any] = {"type": OrderType.LIMIT, "limit_price": Decimal(100)}


async def order(desk: Desk, order_id: UUID) -> OrderView:
    """Return an order as it stands."""
    return await desk.ask(GetOrder(order_id=order_id))


async def working(desk: Desk, client_order_id: str = "c-1", **wishes: Any) -> OrderView:  # noqa: ANN401
    """Return an order the venue has acknowledged, at a limit."""
    placed = await desk.place(client_order_id, **(LIMIT | wishes))
    await desk.tell(broker.OrderAcknowledged(order_id=placed.order_id, venue_order_id="v"))
    return placed


async def replace(desk: Desk, old: OrderView, client_order_id: str = "c-2", **wish: Any) -> OrderView:  # noqa: ANN401
    """Ask for a replacement."""
    return await desk.ask(ReplaceOrder(order_id=old.order_id, client_order_id=client_order_id, **wish))


async def every_row_is_the_fold_of_its_events(desk: Desk) -> None:
    """Rebuild each order from its stored events alone and compare it with its row, field by field."""
    for row in await desk.rows("select * from orders"):
        statement = "select * from order_events where order_id = $1 order by version"
        rebuilt = refolded(await desk.rows(statement, row["order_id"]))
        for name, value in row.items():
            reckoned = name.startswith("fill_")
            found = getattr(rebuilt.from_fill, name.removeprefix("fill_"), None) if reckoned else getattr(rebuilt, name)
            assert found == value, (row["client_order_id"], name)


async def test_a_bracket_is_three_orders_told_of_once_and_shown_as_one_with_legs(desk: Desk) -> None:
    placed = await desk.place(**BRACKET)
    assert [leg.status for leg in placed.legs] == [OrderStatus.HELD, OrderStatus.HELD]
    assert [leg.leg for leg in placed.legs] == [Leg.TAKE_PROFIT, Leg.STOP_LOSS]
    assert await desk.statuses() == {"c-1": "pending_new", "c-1-tp": "held", "c-1-sl": "held"}
    assert await desk.told() == ["order_submitted"]
    assert [len(batch) for batch in desk.risk.batches] == [3]
    legs = await desk.value(
        "select payload::json #> '{event,legs}' from event_log where subject like '%order_submitted'"
    )
    assert legs.count('"approval"') == 2
    assert (await order(desk, placed.order_id)).legs == placed.legs
    assert await desk.place(**BRACKET) == placed
    listed = await desk.ask(ListOrders(account_id=desk.account_id, statuses=tuple(WORKING)))
    assert {each.client_order_id for each in listed.orders} == {"c-1", "c-1-tp", "c-1-sl"}
    (nested,) = (await desk.ask(ListOrders(account_id=desk.account_id, nested=True))).orders
    assert len(nested.legs) == 2
    await every_row_is_the_fold_of_its_events(desk)


@pytest.mark.parametrize("culprit", ["c-1", "c-1-tp", "c-1-sl"])
async def test_if_one_order_of_a_group_is_refused_the_first_is_denied_and_the_others_give_back(
    desk: Desk, culprit: str
) -> None:
    def decide(command: AssessOrder) -> Answer:
        return refused(command) if command.terms.client_order_id == culprit else approved(command)

    desk.risk.decide = decide
    denied = await desk.place(**BRACKET)
    assert (denied.status, denied.reason_code, denied.legs) == (OrderStatus.DENIED, "RISK_QTY_MAX", ())
    assert await desk.statuses() == {"c-1": "denied"}
    assert await desk.told() == ["order_denied"]
    assert len(desk.risk.released) == 2
    desk.risk.decide = approved
    assert await desk.place(**BRACKET) == denied


async def test_a_group_with_another_leg_under_the_same_name_is_refused(desk: Desk) -> None:
    await desk.place(**BRACKET)
    other = BRACKET | {"stop_loss": StopLoss(stop_price=Decimal(91))}
    assert await desk.refusal(desk.order(**other)) == "ORDER_ID_REUSED"
    await desk.place("c-2-sl")
    assert await desk.refusal(desk.order("c-2", **BRACKET)) == "ORDER_ID_REUSED"
    assert "c-2" not in await desk.statuses()


async def test_a_leg_lies_where_its_venue_reckoned_it_from_the_fill(desk: Desk) -> None:
    reckoned = FromFill(factor=Decimal("1.05"), offset=Decimal("0.5"), tick=Decimal("0.01"))
    asked = BRACKET | {"take_profit": TakeProfit(limit_price=Decimal(120), from_fill=reckoned)}
    placed = await desk.place(**asked)
    profit = placed.legs[0]
    await desk.hear(desk.filled(placed, "10"))
    for price in (Decimal("123.45"), Decimal("124.5")):
        told = broker.OrderAcknowledged(order_id=profit.order_id, venue_order_id="v", limit_price=price)
        await desk.tell(told)
        assert (await order(desk, profit.order_id)).limit_price == price
    assert (await desk.place(**asked)).order_id == placed.order_id
    assert await desk.refusal(desk.order(**BRACKET)) == "ORDER_ID_REUSED"
    await every_row_is_the_fold_of_its_events(desk)


async def test_a_leg_that_begins_to_work_is_activated_and_one_that_dies_says_why(desk: Desk) -> None:
    placed = await desk.place(**BRACKET)
    profit, loss = (leg.order_id for leg in placed.legs)
    await desk.hear(desk.filled(placed, "10"))
    for leg in (profit, loss):
        await desk.tell(broker.OrderAcknowledged(order_id=leg, venue_order_id="v"))
    assert await desk.statuses() == {"c-1": "filled", "c-1-tp": "new", "c-1-sl": "new"}
    await desk.tell(broker.OrderTriggered(order_id=loss, stop_price=Decimal(90)))
    await desk.tell(broker.OrderCanceled(order_id=profit))
    ended, stop = await order(desk, profit), await order(desk, loss)
    assert (ended.status, ended.reason_code) == (OrderStatus.CANCELED, "GROUP_ENDED")
    assert (stop.triggered_at, stop.submitted_at) == (desk.clock.now(), desk.clock.now())
    history = await desk.ask(ListOrderEvents(order_id=profit))
    assert [event.kind for event in history.events] == ["held", "activated", "canceled"]
    await every_row_is_the_fold_of_its_events(desk)


async def test_a_batch_with_groups_never_asks_risk_about_more_than_it_takes_at_once(desk: Desk) -> None:
    answers = await together(*(desk.place(f"c-{n}", **BRACKET) for n in range(70)))
    assert {len(answer.legs) for answer in answers} == {2}
    assert max(len(batch) for batch in desk.risk.batches) <= 64
    assert len(await desk.statuses()) == 210


async def test_a_replacement_is_a_new_order_that_waits_while_the_old_one_is_asked_to_go(desk: Desk) -> None:
    old = await working(desk)
    new = await replace(desk, old, limit_price=Decimal(101))
    assert (new.status, new.replaces, new.limit_price) == (OrderStatus.PENDING_NEW, old.order_id, Decimal(101))
    before = await order(desk, old.order_id)
    assert (before.status, before.replaced_by) == (OrderStatus.PENDING_REPLACE, new.order_id)
    assert (await desk.told())[2:] == ["order_updated", "order_submitted"]
    assert await replace(desk, old, limit_price=Decimal(101)) == new
    assert (
        await desk.refusal(ReplaceOrder(order_id=old.order_id, client_order_id="c-2", limit_price=Decimal(102)))
        == "ORDER_ID_REUSED"
    )
    await desk.tell(broker.OrderReplaced(order_id=old.order_id, replaced_by=new.order_id))
    await desk.tell(broker.OrderAcknowledged(order_id=new.order_id, venue_order_id="w"))
    assert await desk.statuses() == {"c-1": "replaced", "c-2": "new"}
    third = await replace(desk, new, "c-3", qty=Decimal(20))
    assert (third.replaces, third.limit_price, third.qty) == (new.order_id, Decimal(101), Decimal(20))
    await every_row_is_the_fold_of_its_events(desk)


@pytest.mark.parametrize("is_taken", [True, False])
async def test_a_leg_that_waits_is_replaced_by_one_that_waits_or_begins_to_work_itself(
    desk: Desk, *, is_taken: bool
) -> None:
    placed = await desk.place(**BRACKET)
    stop = await order(desk, placed.legs[1].order_id)
    new = await replace(desk, stop, stop_price=Decimal(95))
    assert (new.leg, new.group_id, new.stop_price) == (Leg.STOP_LOSS, placed.order_id, Decimal(95))
    if is_taken:
        await desk.tell(broker.OrderReplaced(order_id=stop.order_id, replaced_by=new.order_id))
        await desk.tell(broker.OrderAcknowledged(order_id=new.order_id, venue_order_id="", is_queued=True))
        assert await desk.statuses() == {
            "c-1": "pending_new",
            "c-1-tp": "held",
            "c-1-sl": "replaced",
            "c-2": "accepted",
        }
        await desk.tell(broker.OrderAcknowledged(order_id=new.order_id, venue_order_id="w"))
        assert (await order(desk, new.order_id)).status is OrderStatus.NEW
    else:
        await desk.tell(broker.OrderAcknowledged(order_id=stop.order_id, venue_order_id="v"))
        await desk.tell(broker.OrderRefused(order_id=new.order_id, code="ORDER_UNSUPPORTED", reason="it works"))
        assert (await order(desk, stop.order_id)).status is OrderStatus.NEW
    await every_row_is_the_fold_of_its_events(desk)


async def test_what_risk_refuses_is_stored_and_the_old_order_goes_on(desk: Desk) -> None:
    old = await working(desk)
    desk.risk.decide = refused
    denied = await replace(desk, old, qty=Decimal(1000))
    assert (denied.status, denied.reason_code, denied.replaces) == (
        OrderStatus.DENIED,
        "RISK_QTY_MAX",
        old.order_id,
    )
    assert await desk.statuses() == {"c-1": "new", "c-2": "denied"}
    assert await replace(desk, old, qty=Decimal(1000)) == denied


async def test_a_venue_that_refuses_the_new_order_leaves_the_old_one_working(desk: Desk) -> None:
    old = await working(desk)
    new = await replace(desk, old, limit_price=Decimal(101))
    await desk.hear(desk.filled(old, "3"))
    await desk.tell(broker.OrderRefused(order_id=new.order_id, code="VENUE_TOO_LATE", reason="no"))
    assert await desk.statuses() == {"c-1": "partially_filled", "c-2": "rejected"}
    assert (await order(desk, old.order_id)).replaced_by is None
    await every_row_is_the_fold_of_its_events(desk)


async def test_a_fill_during_the_replacement_counts_on_the_old_order_and_shortens_the_new_one(desk: Desk) -> None:
    old = await working(desk)
    await desk.hear(desk.filled(old, "2"))
    new = await replace(desk, old, qty=Decimal(12))
    await desk.hear(desk.filled(old, "1"))
    await desk.tell(broker.OrderReplaced(order_id=old.order_id, replaced_by=new.order_id))
    await desk.hear(desk.filled(old, "1"))  # told late: it happened before the swap
    late = await order(desk, old.order_id)
    assert (late.status, late.filled_qty, late.reason_code) == (OrderStatus.REPLACED, Decimal(4), "LATE_FILL")
    await desk.hear(desk.filled(new, "7.5"))
    assert (await order(desk, new.order_id)).status is OrderStatus.PARTIALLY_FILLED
    await desk.hear(desk.filled(new, "0.5"))
    done = await order(desk, new.order_id)
    assert (done.status, done.filled_qty, done.reason_code) == (OrderStatus.FILLED, Decimal(8), "")
    await every_row_is_the_fold_of_its_events(desk)


async def test_a_fill_between_risk_s_word_and_the_swap_is_seen(desk: Desk) -> None:
    old = await working(desk)

    async def fill() -> None:
        desk.risk.before = None
        await desk.hear(desk.filled(old, "10"))

    desk.risk.before = fill
    wish = ReplaceOrder(order_id=old.order_id, client_order_id="c-2", limit_price=Decimal(101))
    assert await desk.refusal(wish) == "ORDER_TERMINAL"
    assert await desk.statuses() == {"c-1": "filled"}
    assert len(desk.risk.released) == 1


async def test_a_cancel_that_meets_a_replacement_ends_the_new_order_too(desk: Desk) -> None:
    old = await working(desk)
    new = await replace(desk, old, limit_price=Decimal(101))
    await desk.ask(CancelOrder(order_id=old.order_id))
    await desk.tell(broker.OrderReplaced(order_id=old.order_id, replaced_by=new.order_id))
    assert await desk.statuses() == {"c-1": "replaced", "c-2": "pending_cancel"}
    assert (await desk.told()).count("cancel_requested") == 2


@pytest.mark.parametrize(
    ("wish", "code", "pointer"),
    [
        ({}, "AMEND_NOTHING", ""),
        ({"qty": Decimal(2)}, "AMEND_BELOW_FILLED", "/qty"),
        ({"qty": Decimal(3)}, "AMEND_BELOW_FILLED", "/qty"),
        ({"stop_price": Decimal(2)}, "ORDER_FIELD_FORBIDDEN", "/stop_price"),
        ({"client_order_id": "two\nlines", "qty": Decimal(20)}, "ORDER_ID_FORMAT", "/client_order_id"),
    ],
)
async def test_a_replacement_that_cannot_be_changes_nothing(
    desk: Desk, wish: dict[str, Any], code: str, pointer: str
) -> None:
    old = await working(desk)
    await desk.hear(desk.filled(old, "3"))
    before = await desk.told()
    fields: dict[str, Any] = {"order_id": old.order_id, "client_order_id": "c-2"} | wish
    stored = await desk.rows("select * from orders")
    with pytest.raises(AlphintraError) as caught:
        await desk.ask(ReplaceOrder(**fields))
    assert (caught.value.code, caught.value.pointer) == (code, pointer)
    assert (await desk.told(), await desk.statuses()) == (before, {"c-1": "partially_filled"})
    assert await desk.rows("select * from orders") == stored


async def test_nobody_replaces_other_people_s_orders(desk: Desk) -> None:
    old = await working(desk)
    stranger = person_context("trader", user_id=new_id())
    wish = ReplaceOrder(order_id=old.order_id, client_order_id="c-2", qty=Decimal(20))
    assert await desk.refusal(wish, stranger) == "ORDER_NOT_FOUND"
    assert await desk.refusal(ListOrderEvents(order_id=old.order_id), stranger) == "ORDER_NOT_FOUND"
    assert await desk.refusal(CancelOrders(account_id=desk.account_id), stranger) == "ACCOUNT_NOT_FOUND"
    closing = ClosePositions(account_id=desk.account_id, client_order_id="x")
    assert await desk.refusal(closing, stranger) == "ACCOUNT_NOT_FOUND"


async def test_cancel_all_asks_once_for_every_open_order_and_its_legs(desk: Desk) -> None:
    await desk.place(**BRACKET)
    await working(desk, "c-2")
    await desk.place("c-3", symbol="MSFT")
    closed = await desk.place("c-4")
    await desk.hear(desk.filled(closed, "10"))
    command = CancelOrders(account_id=desk.account_id, symbols=("AAPL",))
    asked = {each.client_order_id for each in (await desk.ask(command)).orders}
    assert asked == {"c-1", "c-1-tp", "c-1-sl", "c-2"}
    assert (await desk.ask(command)).orders == ()
    assert {each.client_order_id for each in (await desk.ask(CancelOrders(account_id=desk.account_id))).orders} == {
        "c-3"
    }
    assert (await desk.told()).count("cancel_requested") == 5
    await desk.tell(broker.OrderCanceled(order_id=(await desk.place("c-3", symbol="MSFT")).order_id))
    history = await desk.ask(ListOrderEvents(order_id=(await desk.place("c-3", symbol="MSFT")).order_id))
    assert [(event.kind, event.code) for event in history.events] == [
        ("submitted", ""),
        ("cancel_requested", "CANCEL_BY_USER"),
        ("canceled", ""),
    ]
    assert (await desk.place("c-3", symbol="MSFT")).reason_code == "CANCEL_BY_USER"


async def test_closing_places_one_order_that_only_reduces_for_each_book_and_once(desk: Desk) -> None:
    book = new_id()
    wishes: dict[str, dict[str, Any]] = {
        "c-1": {},
        "c-2": {"book_id": book},
        "c-3": {"symbol": "MSFT", "side": Side.SELL},
    }
    for name, wish in wishes.items():
        await desk.hear(desk.filled(await desk.place(name, **wish), "10"))
    command = ClosePositions(account_id=desk.account_id, client_order_id="close")
    closing = (await desk.ask(command)).orders
    assert {(each.symbol, each.side, each.qty, each.reduce_only, each.book_id) for each in closing} == {
        ("AAPL", Side.SELL, Decimal(10), True, None),
        ("AAPL", Side.SELL, Decimal(10), True, book),
        ("MSFT", Side.BUY, Decimal(10), True, None),
    }
    again = (await desk.ask(command)).orders
    assert {each.order_id for each in again} == {each.order_id for each in closing}
    for each in closing:
        await desk.hear(desk.filled(each, "10"))
    assert {each.order_id for each in (await desk.ask(command)).orders} == {each.order_id for each in closing}
    assert len(await desk.statuses()) == 6


async def test_a_part_of_a_position_can_be_closed_and_none_of_what_is_not_there(desk: Desk) -> None:
    await desk.hear(desk.filled(await desk.place(), "10"))
    command = ClosePositions(account_id=desk.account_id, client_order_id="part", symbols=("AAPL",), qty=Decimal(4))
    (part,) = (await desk.ask(command)).orders
    assert (part.qty, part.side, part.reduce_only) == (Decimal(4), Side.SELL, True)
    none = ClosePositions(account_id=desk.account_id, client_order_id="none", symbols=("MSFT",))
    assert await desk.refusal(none) == "POSITION_NOT_FOUND"
    assert len(await desk.statuses()) == 2


async def test_an_uncertain_order_is_unknown_until_the_venue_has_spoken(desk: Desk) -> None:
    placed = await desk.place()
    await desk.tell(broker.OrderUncertain(order_id=placed.order_id, reason="timeout"))
    lost = await order(desk, placed.order_id)
    assert (lost.status, lost.reason) == (OrderStatus.UNKNOWN, "timeout")
    await desk.tell(broker.OrderAcknowledged(order_id=placed.order_id, venue_order_id="v"))
    assert await desk.statuses() == {"c-1": "new"}


async def test_an_uncertainty_delivered_again_behind_what_resolved_it_changes_nothing(desk: Desk) -> None:
    placed = await desk.place()
    at_first, lost, found = [
        *(broker.OrderUncertain(order_id=placed.order_id, reason=f"loss {seq}", seq=seq) for seq in (1, 3)),
        broker.OrderAcknowledged(order_id=placed.order_id, venue_order_id="v", seq=2),
    ]
    await desk.hear(desk.filled(placed, "1", seq=2))
    for told in (found, at_first):
        await desk.tell(told)
    assert (await order(desk, placed.order_id)).status is OrderStatus.PARTIALLY_FILLED
    await desk.tell(lost)
    await desk.hear(desk.filled(placed, "1", seq=2))
    after = await order(desk, placed.order_id)
    assert (after.status, after.reason, after.filled_qty) == (OrderStatus.UNKNOWN, "loss 3", Decimal(2))
    await every_row_is_the_fold_of_its_events(desk)


@pytest.mark.parametrize(("side", "better", "worse"), [(Side.SELL, "105", "103"), (Side.BUY, "95", "97")])
async def test_a_trailing_stop_shows_the_best_price_its_venue_saw(
    desk: Desk, side: Side, better: str, worse: str
) -> None:
    placed = await working(
        desk, side=side, type=OrderType.TRAILING_STOP, limit_price=None, trail_price=Decimal(5), time_in_force="gtc"
    )
    assert (await order(desk, placed.order_id)).hwm is None
    told = await desk.told()
    for hwm, shown in (("100", "100"), (better, better), (worse, better), (better, better)):
        await desk.tell(broker.OrderTrailed(order_id=placed.order_id, hwm=Decimal(hwm)))
        assert (await order(desk, placed.order_id)).hwm == Decimal(shown)
    assert await desk.told() == told, "no new state of the order"
    (listed,) = (await desk.ask(ListOrders(account_id=desk.account_id))).orders
    assert listed.hwm == Decimal(better)
    await every_row_is_the_fold_of_its_events(desk)


async def test_a_refused_cancel_and_a_pause_leave_the_order_open(desk: Desk) -> None:
    placed = await working(desk)
    await desk.ask(CancelOrder(order_id=placed.order_id))
    await desk.tell(broker.CancelRefused(order_id=placed.order_id, code="VENUE_TOO_LATE", reason="no"))
    assert await desk.statuses() == {"c-1": "new"}
    for is_done, status in ((False, "suspended"), (True, "done_for_day")):
        event = broker.OrderSuspended(order_id=placed.order_id, is_done_for_day=is_done, reason="halt")
        await desk.tell(event)
        assert await desk.statuses() == {"c-1": status}
    await desk.tell(broker.OrderAcknowledged(order_id=placed.order_id, venue_order_id="v", is_queued=True))
    assert await desk.statuses() == {"c-1": "done_for_day"}
    await every_row_is_the_fold_of_its_events(desk)


async def test_an_order_out_of_session_is_accepted_before_it_works(desk: Desk) -> None:
    placed = await desk.place(time_in_force=TimeInForce.OPG)
    await desk.tell(broker.OrderAcknowledged(order_id=placed.order_id, venue_order_id="v", is_queued=True))
    assert await desk.statuses() == {"c-1": "accepted"}


async def test_a_repetition_of_a_dated_order_is_answered_after_its_date(desk: Desk) -> None:
    wish = LIMIT | {"time_in_force": TimeInForce.GTD, "expire_at": desk.clock.now() + timedelta(seconds=5)}
    placed = await desk.place(**wish)
    desk.clock.pass_time(seconds=60)
    assert await desk.place(**wish) == placed
    assert await desk.statuses() == {"c-1": "pending_new"}


@pytest.mark.parametrize(
    "wish",
    [
        {"type": OrderType.STOP, "stop_price": Decimal("90.5")},
        {"type": OrderType.STOP_LIMIT, "stop_price": Decimal(90), "limit_price": Decimal(89)},
        {"type": OrderType.TRAILING_STOP, "trail_price": Decimal("1.25")},
        {"type": OrderType.TRAILING_STOP, "trail_percent": Decimal(5)},
        {"qty": None, "notional": Decimal(1000)},
        {"time_in_force": TimeInForce.FOK},
        LIMIT | {"extended_hours": True},
        {"side": Side.SELL, "reduce_only": True},
    ],
)
async def test_every_kind_of_order_is_stored_and_told_as_it_was_asked(desk: Desk, wish: dict[str, Any]) -> None:
    placed = await desk.place(**wish)
    for name, value in wish.items():
        assert getattr(placed, name) == value
    assert await order(desk, placed.order_id) == placed
    await every_row_is_the_fold_of_its_events(desk)


async def test_pages_follow_each_other_without_gap_or_repetition_in_both_directions(desk: Desk) -> None:
    for n in range(7):
        await desk.place(f"c-{n}")
        desk.clock.pass_time(seconds=n % 2)  # some of one moment: their ids order them
    for oldest_first in (False, True):
        seen: list[str] = []
        cursor = None
        while True:
            page = await desk.ask(
                ListOrders(account_id=desk.account_id, limit=3, cursor=cursor, oldest_first=oldest_first)
            )
            seen += [each.client_order_id for each in page.orders]
            cursor = page.next_cursor
            if cursor is None:
                break
        assert sorted(seen) == [f"c-{n}" for n in range(7)]


@pytest.mark.parametrize("cursor", ["", "forged", "w6k=", "MjAyNi0wMS0wMSB4", "x" * 300, "é"])
async def test_a_cursor_that_is_none_of_ours_is_refused(desk: Desk, cursor: str) -> None:
    assert await desk.refusal(ListOrders(account_id=desk.account_id, cursor=cursor)) == "CURSOR_INVALID"
