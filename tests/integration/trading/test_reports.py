"""What venues report and what is asked of working orders: fills, acknowledgements, cancels, blocks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from alphintra.contracts.broker import (
    ExternalOrderAdopted,
    OrderAcknowledged,
    OrderCanceled,
    OrderExpired,
    OrderRefused,
)
from alphintra.contracts.trading import (
    CancelOrder,
    GetAccount,
    GetOrder,
    ListAccounts,
    ListExecutions,
    ListLedger,
    ListOrders,
    ListPositions,
    OpenAccount,
)
from alphintra.infrastructure.events import Delivery
from alphintra.infrastructure.postgres import Session
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.ids import AccountId
from alphintra.kernel.vocabulary import OrderStatus, Side
from alphintra.trading.domain.orders import order_id_of
from alphintra.trading.service import fills
from fixtures.services import operator_context, person_context
from fixtures.single_service import PowerCutError, delivery_of, stop_at
from integration.trading.desk import new_id, together

if TYPE_CHECKING:
    from integration.trading.desk import Desk


async def test_a_fill_changes_order_position_cash_and_ledger_together(desk: Desk) -> None:
    order = await desk.place()
    await desk.hear(desk.filled(order, "4", "100", fee=Decimal("1.5")))
    view = await desk.ask(GetOrder(order_id=order.order_id))
    assert (view.status, view.filled_qty, view.filled_avg_price) == ("partially_filled", Decimal(4), Decimal(100))
    account = await desk.ask(GetAccount(account_id=desk.account_id))
    assert (account.cash, account.fees, account.realized_pnl) == (Decimal("999598.5"), Decimal("1.5"), Decimal(0))
    (position,) = (await desk.ask(ListPositions(account_id=desk.account_id))).positions
    assert (position.qty, position.avg_price, position.book_id) == (Decimal(4), Decimal(100), None)
    ledger = await desk.ask(ListLedger(account_id=desk.account_id))
    assert ledger.total == 0
    booked = {entry.ledger_account: entry.amount for entry in ledger.entries[2:]}
    assert booked == {"cash": Decimal("-401.5"), "fees": Decimal("1.5"), "securities:AAPL": Decimal(400)}
    assert await desk.told() == ["order_submitted", "fill_booked"]

    await desk.hear(desk.filled(order, "6", "101"))
    assert await desk.told() == ["order_submitted", "fill_booked", "fill_booked", "order_closed"]
    assert [
        (row["version"], row["kind"]) for row in await desk.rows("select * from order_events order by version")
    ] == [
        (1, "submitted"),
        (2, "executed"),
        (3, "executed"),
    ]


async def test_the_same_execution_is_booked_once_however_often_it_is_reported(desk: Desk) -> None:
    order = await desk.place()
    report = desk.filled(order, "4")
    again = delivery_of(report.event, aggregate_id=order.order_id)
    await desk.hear(report, report, again)
    assert (await desk.ask(GetOrder(order_id=order.order_id))).filled_qty == 4
    assert await desk.told() == ["order_submitted", "fill_booked"]
    assert await desk.value("select count(*) from audit_events where action = 'execution.conflict'") == 0


@pytest.mark.parametrize(
    "other", [{"qty": Decimal(5)}, {"price": Decimal(99)}, {"fee": Decimal(1)}], ids=lambda other: next(iter(other))
)
async def test_another_execution_under_a_booked_id_is_kept_and_not_booked(
    desk: Desk, other: dict[str, Decimal]
) -> None:
    order = await desk.place()
    await desk.hear(desk.filled(order, "4", execution_id="x-1"))
    fields: dict[str, Any] = {"qty": "4", "execution_id": "x-1", **other}
    await desk.hear(desk.filled(order, **fields))
    assert (await desk.ask(GetOrder(order_id=order.order_id))).filled_qty == 4
    (kept,) = await desk.rows("select detail, object from audit_events where action = 'execution.conflict'")
    assert '"code":"EXEC_CONFLICT"' in kept["detail"]
    assert kept["object"] == f"order:{order.order_id}"


async def test_an_execution_id_of_another_order_or_a_report_that_contradicts_its_order_is_not_booked(
    desk: Desk,
) -> None:
    one, two = await desk.place("c-1"), await desk.place("c-2")
    await desk.hear(desk.filled(one, "4", execution_id="x-1"))
    await desk.hear(
        desk.filled(two, "4", execution_id="x-1", executed_at=desk.clock.now()),
        desk.filled(two, "4", side=Side.SELL),
        desk.filled(two, "4", symbol="MSFT"),
        desk.filled(two, "4", account_id=new_id()),
    )
    assert (await desk.ask(GetOrder(order_id=two.order_id))).filled_qty == 0
    assert await desk.value("select count(*) from audit_events where action = 'execution.conflict'") == 4
    told = await desk.told()
    assert told == ["order_submitted", "order_submitted", "fill_booked", *4 * ["execution_flagged"]]


async def test_late_fills_and_overfills_are_booked_and_flagged(desk: Desk) -> None:
    order = await desk.place()
    await desk.tell(OrderCanceled(order_id=order.order_id))
    await desk.hear(desk.filled(order, "4"))
    late = await desk.ask(GetOrder(order_id=order.order_id))
    assert (late.status, late.reason_code, late.filled_qty) == (OrderStatus.CANCELED, "LATE_FILL", Decimal(4))
    await desk.hear(desk.filled(order, "7"))
    assert (await desk.ask(GetOrder(order_id=order.order_id))).reason_code == "OVERFILL"
    (position,) = (await desk.ask(ListPositions(account_id=desk.account_id))).positions
    assert position.qty == 11
    assert (await desk.told()).count("order_closed") == 1


async def test_a_fill_from_a_replayed_market_does_not_date_the_order_before_its_placing(desk: Desk) -> None:
    order = await desk.place()
    desk.clock.pass_time(seconds=5)
    await desk.hear(desk.filled(order, "4", executed_at=desk.clock.now() - timedelta(days=700)))
    view = await desk.ask(GetOrder(order_id=order.order_id))
    assert view.updated_at == desk.clock.now()
    assert view.updated_at > view.created_at


async def test_each_book_has_its_own_position_and_the_event_tells_the_accounts_net(desk: Desk) -> None:
    book = new_id()
    await desk.hear(desk.filled(await desk.place("c-1"), "4"))
    await desk.hear(desk.filled(await desk.place("c-2", side=Side.SELL, book_id=book), "3"))
    positions = (await desk.ask(ListPositions(account_id=desk.account_id))).positions
    assert {position.book_id: position.qty for position in positions} == {None: Decimal(4), book: Decimal(-3)}
    net = await desk.rows(
        "select payload::json #>> '{event,account_qty}' from event_log where subject ~ 'fill' order by seq"
    )
    assert [Decimal(row[0]) for row in net] == [Decimal(4), Decimal(1)]
    executions = await desk.ask(ListExecutions(account_id=desk.account_id, book_id=book))
    assert [execution.qty for execution in executions.executions] == [Decimal(3)]


async def test_a_report_on_an_unknown_order_is_not_taken_as_heard(desk: Desk) -> None:
    order = await desk.place()
    early = desk.filled(order, "4", order_id=new_id())
    for report in (early, delivery_of(OrderAcknowledged(order_id=new_id(), venue_order_id="v"), aggregate_id=new_id())):
        with pytest.raises(AlphintraError) as caught:
            await desk.hear(report)
        assert caught.value.code == "ORDER_NOT_FOUND"
        assert await desk.value("select count(*) from inbox where event_id = $1", report.event_id) == 0


@pytest.mark.parametrize("point", ["trading.before_fill_commit", "trading.fill_committed"])
async def test_a_crash_around_the_booking_of_a_fill_books_it_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    order = await desk.place()
    report = desk.filled(order, "10")
    with monkeypatch.context() as armed:
        stop_at(armed, fills, point)
        with pytest.raises(PowerCutError):
            await desk.hear(report)
    stored = await desk.value("select count(*) from executions")
    assert stored == (point == "trading.fill_committed")
    await desk.hear(report)
    assert (await desk.ask(GetOrder(order_id=order.order_id))).filled_qty == 10
    assert await desk.told() == ["order_submitted", "fill_booked", "order_closed"]


async def test_acknowledged_refused_and_expired_orders_are_told(desk: Desk) -> None:
    one, two, three = [await desk.place(f"c-{n}") for n in range(3)]
    acknowledged = OrderAcknowledged(order_id=one.order_id, venue_order_id="v-1")
    await desk.tell(acknowledged)
    await desk.tell(acknowledged)
    await desk.tell(OrderRefused(order_id=two.order_id, code="APPROVAL_EXPIRED", reason="too late"))
    await desk.tell(OrderExpired(order_id=three.order_id))
    await desk.tell(OrderCanceled(order_id=three.order_id))
    assert await desk.statuses() == {"c-0": "new", "c-1": "rejected", "c-2": "expired"}
    assert (await desk.told())[3:] == ["order_updated", "order_closed", "order_closed"]
    refused = await desk.ask(GetOrder(order_id=two.order_id))
    assert (refused.reason_code, refused.reason) == ("APPROVAL_EXPIRED", "too late")


def report_of(event: Any) -> Delivery[Any]:  # noqa: ANN401 - any of the reports on orders
    """Return a report as it is heard."""
    return delivery_of(event, aggregate_id=event.order_id)


async def test_a_run_of_reports_folds_each_order_step_by_step(desk: Desk) -> None:
    one, two, three = [await desk.place(f"c-{n}") for n in range(3)]
    ids = [order.order_id for order in (one, two, three)]
    reports = [
        *(report_of(OrderAcknowledged(order_id=each, venue_order_id="v")) for each in ids),
        report_of(OrderCanceled(order_id=two.order_id)),
        report_of(OrderAcknowledged(order_id=two.order_id, venue_order_id="v")),
        report_of(OrderRefused(order_id=three.order_id, code="VENUE", reason="no")),
    ]
    await desk.hear_together(*reports)
    await desk.hear_together(*reports[2:])
    assert await desk.statuses() == {"c-0": "new", "c-1": "canceled", "c-2": "rejected"}
    assert (await desk.told())[3:] == [*["order_updated"] * 3, *["order_closed"] * 2]
    kinds = await desk.rows("select kind, version from order_events where order_id = $1 order by version", two.order_id)
    assert [tuple(row) for row in kinds] == [("submitted", 1), ("acknowledged", 2), ("canceled", 3)]
    assert (await desk.ask(GetOrder(order_id=two.order_id))).version == 3


async def test_a_run_of_reports_with_an_unknown_order_is_not_taken_as_heard(desk: Desk) -> None:
    order = await desk.place()
    reports = [report_of(OrderCanceled(order_id=each)) for each in (order.order_id, new_id())]
    with pytest.raises(AlphintraError, match="ORDER_NOT_FOUND"):
        await desk.hear_together(*reports)
    assert await desk.statuses() == {"c-1": "pending_new"}
    assert await desk.value("select count(*) from inbox where event_id = $1", reports[0].event_id) == 0


async def test_a_cancel_is_requested_once_and_a_closed_order_is_answered_as_it_is(desk: Desk) -> None:
    order = await desk.place()
    first = await desk.ask(CancelOrder(order_id=order.order_id))
    assert first.status is OrderStatus.PENDING_CANCEL
    assert await desk.ask(CancelOrder(order_id=order.order_id)) == first
    assert await desk.told() == ["order_submitted", "cancel_requested"]
    await desk.tell(OrderCanceled(order_id=order.order_id))
    assert (await desk.ask(CancelOrder(order_id=order.order_id))).status is OrderStatus.CANCELED
    assert (await desk.told())[2:] == ["order_closed"]
    assert await desk.value("select count(*) from audit_events where action = 'order.cancel'") == 1


@pytest.mark.parametrize(
    ("state", "after"),
    [("halted", "pending_cancel"), ("cancel_only", "pending_cancel"), ("reduce_only", "pending_new")],
)
async def test_a_block_of_an_account_cancels_its_working_orders_once_and_nobody_elses(
    desk: Desk, state: str, after: str
) -> None:
    blocked = desk.account_id
    await desk.place("c-1")
    closed = await desk.place("c-2")
    await desk.tell(OrderCanceled(order_id=closed.order_id))
    desk.account_id = (await desk.open_account("Other")).account_id
    await desk.place("c-3")
    kill = desk.kill(state, account_id=blocked)
    await desk.hear(kill, kill, desk.kill(state, account_id=blocked))
    assert await desk.statuses() == {"c-1": after, "c-2": "canceled", "c-3": "pending_new"}
    assert (await desk.told()).count("cancel_requested") == (after == "pending_cancel")


async def test_a_block_of_the_firm_cancels_every_working_order(desk: Desk) -> None:
    await desk.place("c-1")
    desk.account_id = (await desk.open_account("Other")).account_id
    await desk.place("c-2")
    await desk.hear(desk.kill("halted"))
    assert set((await desk.statuses()).values()) == {"pending_cancel"}
    assert (await desk.told()).count("cancel_requested") == 2


async def test_other_peoples_orders_and_books_look_as_if_they_were_not_there(desk: Desk) -> None:
    order = await desk.place()
    stranger = person_context("owner", "trader", user_id=new_id())
    nobody = person_context("owner", user_id=UUID(int=0))
    for context in (stranger, nobody):
        assert await desk.refusal(GetOrder(order_id=order.order_id), context) == "ORDER_NOT_FOUND"
        assert await desk.refusal(CancelOrder(order_id=order.order_id), context) == "ORDER_NOT_FOUND"
        for command in (GetAccount, ListOrders, ListExecutions, ListPositions, ListLedger):
            assert await desk.refusal(command(account_id=desk.account_id), context) == "ACCOUNT_NOT_FOUND"
        assert (await desk.ask(ListAccounts(), context)).accounts == ()
    assert (await desk.statuses()) == {"c-1": "pending_new"}
    assert (await desk.ask(GetOrder(order_id=order.order_id), operator_context())).order_id == order.order_id


async def test_lists_are_bounded_and_filtered(desk: Desk) -> None:
    for n in range(3):
        await desk.place(f"c-{n}")
        desk.clock.pass_time(seconds=1)
    await desk.ask(CancelOrder(order_id=(await desk.place("c-3")).order_id))
    newest = await desk.ask(ListOrders(account_id=desk.account_id, limit=2))
    assert [order.client_order_id for order in newest.orders] == ["c-3", "c-2"]
    pending = await desk.ask(ListOrders(account_id=desk.account_id, status=OrderStatus.PENDING_CANCEL))
    assert [order.client_order_id for order in pending.orders] == ["c-3"]
    for narrowed, expected in (
        ({"oldest_first": True, "limit": 2}, ["c-0", "c-1"]),
        ({"after": pending.orders[0].created_at - timedelta(seconds=2)}, ["c-3", "c-2"]),
        ({"until": pending.orders[0].created_at - timedelta(seconds=2)}, ["c-0"]),
        ({"side": Side.SELL}, []),
        ({"symbols": ("AAPL", "MSFT")}, ["c-3", "c-2", "c-1", "c-0"]),
        ({"symbols": ("MSFT",)}, []),
        ({"statuses": (OrderStatus.FILLED, OrderStatus.PENDING_NEW), "limit": 1}, ["c-2"]),
        ({"client_order_id": "c-1"}, ["c-1"]),
        ({"client_order_id": "c-1", "statuses": (OrderStatus.FILLED,)}, []),
        ({"client_order_id": "c-9"}, []),
    ):
        found = await desk.ask(ListOrders(account_id=desk.account_id, **narrowed))
        assert [order.client_order_id for order in found.orders] == expected, narrowed
    for limit in (0, -1, 1001, 10**30):
        for command in (ListOrders, ListExecutions, ListLedger):
            assert await desk.refusal(command(account_id=desk.account_id, limit=limit)) == "PAGE_LIMIT"


async def test_an_account_name_is_used_once_by_its_owner_and_again_by_others(desk: Desk) -> None:
    again = OpenAccount(name=" Savings ", starting_cash=Decimal(1), feed_id=new_id())
    assert await desk.refusal(again) == "ACCOUNT_NAME_TAKEN"
    assert (await desk.ask(again, person_context("trader", user_id=new_id()))).name == "Savings"
    assert await desk.refusal(again, operator_context()) == "USER_REQUIRED"
    assert [account.name for account in (await desk.ask(ListAccounts())).accounts] == ["Savings"]
    assert await desk.value("select count(*) from ledger_entries") == 4


async def test_a_block_asks_for_five_hundred_cancels_in_a_handful_of_round_trips(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await together(*(desk.place(f"c-{n}") for n in range(500)))
    calls: list[str] = []
    for name in ("rows", "row", "value", "execute", "execute_many"):
        monkeypatch.setattr(Session, name, counted(getattr(Session, name), calls))
    await desk.hear(desk.kill("halted"))
    assert len(calls) < 10
    assert set((await desk.statuses()).values()) == {"pending_cancel"}
    assert (await desk.told())[500:] == ["cancel_requested"] * 500
    assert await desk.value("select count(*) from audit_events where action = 'order.cancel'") == 500
    assert await desk.value("select count(*) from order_events where kind = 'cancel_requested' and version = 2") == 500


def counted(method: Callable[..., Awaitable[Any]], calls: list[str]) -> Callable[..., Awaitable[Any]]:
    """Return a method of a session that notes the statement it runs."""

    async def call(session: Session, name: str, *values: object) -> object:
        calls.append(name)
        return await method(session, name, *values)

    return call


async def test_an_execution_from_elsewhere_that_a_person_adopted_moves_position_and_cash_once(desk: Desk) -> None:
    name = "external-1"
    order_id = order_id_of(AccountId(desk.account_id), name)
    event = ExternalOrderAdopted(
        order_id=order_id,
        client_order_id=name,
        account_id=desk.account_id,
        symbol="AAPL",
        side=Side.BUY,
        qty=Decimal(3),
        adopted_by="user:ann",
        reason="bought by telephone",
    )
    adopted = delivery_of(event, aggregate_id=order_id)
    await desk.hear(adopted, adopted)
    order = await desk.ask(GetOrder(order_id=order_id))
    await desk.hear(desk.filled(order, "3", "101"))
    order = await desk.ask(GetOrder(order_id=order_id))
    assert (order.status, order.filled_qty, order.client_order_id) == ("filled", Decimal(3), name)
    (row,) = await desk.rows("select detail from order_events where version = 1")
    assert "EXTERNAL_ADOPTED" in row["detail"]
    assert "bought by telephone" in row["detail"]
    account = await desk.ask(GetAccount(account_id=desk.account_id))
    assert account.cash == Decimal(999697)
    (position,) = (await desk.ask(ListPositions(account_id=desk.account_id))).positions
    assert position.qty == 3
