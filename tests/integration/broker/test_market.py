"""The paper venue: steps in order and once, fills as the backtest makes them, cancellations that race with them."""

from __future__ import annotations

import asyncio
from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING

import asyncpg
import pytest

from alphintra.broker.service import cancelling, market
from alphintra.contracts.broker import GetConnection, ListConnections, ListVenueOrders
from alphintra.infrastructure.postgres import Session
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.messages import Actor, Context
from alphintra.kernel.vocabulary import Side, TimeInForce
from fixtures.single_service import PowerCutError, acting, stop_at
from integration.broker.desk import Desk, bar, new_id
from unit.engine.builders import day

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

OPERATOR = Context(trace_id="0" * 32, actor=Actor(id="operator", roles=("operator",)))
WIDE = "100 110 90 105"


async def test_an_order_is_filled_at_the_open_of_the_next_step_and_reported(desk: Desk) -> None:
    terms = await desk.place()
    advanced = await desk.step(1, bar(1, WIDE))
    (fill,) = advanced.executions
    assert (fill.order_id, fill.account_id) == (terms.order_id, desk.account_id)
    name, event = (await desk.events())[-1]
    assert (name, event["execution_id"]) == ("execution_reported", fill.execution_id)
    assert [Decimal(event[field]) for field in ("qty", "price", "fee")] == [10, 100, 0]
    assert event["executed_at"] == day(1).isoformat().replace("+00:00", "Z")
    assert await desk.statuses() == {terms.order_id: "filled"}
    assert await desk.counted_as_working() == 0


async def test_a_step_repeated_answers_the_same_executions_and_makes_them_once(desk: Desk) -> None:
    for _ in range(3):
        await desk.place()
    answers = [await desk.step(1, bar(1, WIDE)) for _ in range(3)]
    await desk.step(2, bar(2, WIDE))
    answers.append(await desk.step(1, bar(1, WIDE)))
    assert len(answers[0].executions) == 3
    assert answers == [answers[0]] * 4
    assert Counter(await desk.told())["execution_reported"] == 3
    assert len(await desk.rows("select 1 from venue_executions")) == 3


async def test_a_step_driven_from_eight_sides_at_once_happens_once(desk: Desk) -> None:
    for _ in range(5):
        await desk.place()
    answers = await asyncio.gather(*(desk.step(1, bar(1, WIDE)) for _ in range(8)))
    assert len(answers[0].executions) == 5
    assert all(answer == answers[0] for answer in answers)
    assert Counter(await desk.told())["execution_reported"] == 5
    assert await desk.counted_as_working() == 0


async def test_an_order_never_meets_the_step_it_was_accepted_at(desk: Desk) -> None:
    await desk.step(1, bar(1, WIDE))
    terms = await desk.place()
    assert (await desk.step(1, bar(1, WIDE))).executions == ()
    assert await desk.statuses() == {terms.order_id: "working"}
    assert len((await desk.step(2, bar(2, WIDE))).executions) == 1


@pytest.mark.parametrize(("seq", "index", "code"), [(3, 3, "MARKET_SEQ"), (9, 3, "MARKET_SEQ"), (2, 1, "TIME_ORDER")])
@pytest.mark.parametrize("working", [True, False])
async def test_a_step_out_of_order_changes_nothing(
    desk: Desk, seq: int, index: int, code: str, *, working: bool
) -> None:
    await desk.step(1, bar(1, WIDE))
    if working:
        await desk.place()
    with pytest.raises(AlphintraError, match=code):
        await desk.step(seq, bar(index, WIDE))
    (market,) = await desk.rows("select last_seq, last_ts from markets")
    assert (market["last_seq"], market["last_ts"]) == (1, day(1))
    assert await desk.counted_as_working() == int(working)


async def test_a_step_with_an_impossible_bar_changes_nothing(desk: Desk) -> None:
    await desk.place()
    for prices, code in (("100 90 90 100", "BAR_INVALID"), ("NaN 1 1 1", "PRICE_MISSING"), ("0 1 0 1", "BAR_INVALID")):
        with pytest.raises(AlphintraError, match=code):
            await desk.step(1, bar(1, prices))
    assert await desk.counted_as_working() == 1
    assert await desk.rows("select 1 from markets where last_seq > 0") == []


async def test_a_step_without_working_orders_is_one_statement_and_tells_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    run: list[str] = []

    def counted(original: Callable[..., Awaitable[object]]) -> Callable[..., Awaitable[object]]:
        async def call(session: Session, name: str, *values: object) -> object:
            run.append(name)
            return await original(session, name, *values)

        return call

    for method in ("rows", "row", "value", "execute", "execute_many"):
        monkeypatch.setattr(Session, method, counted(getattr(Session, method)))
    for seq in range(1, 6):
        assert (await desk.step(seq, bar(seq, WIDE))).executions == ()
    assert run == ["markets.advance_idle"] * 5
    assert await desk.told() == []


async def test_a_feed_no_account_uses_can_be_driven_from_its_first_step(desk: Desk) -> None:
    desk.feed_id = new_id()
    assert (await desk.step(1, bar(1, WIDE))).executions == ()
    assert (await desk.step(2, bar(2, WIDE))).seq == 2
    with pytest.raises(AlphintraError, match="MARKET_SEQ"):
        await desk.step(4, bar(4, WIDE))


async def test_a_day_order_expires_with_its_first_bar_and_a_gtc_order_works_on(desk: Desk) -> None:
    today = await desk.place(limit="50")
    patient = await desk.place(limit="50", tif=TimeInForce.GTC)
    elsewhere = await desk.place(limit="50", symbol="MSFT")
    await desk.step(1, bar(1, WIDE))
    assert await desk.statuses() == {
        today.order_id: "expired",
        patient.order_id: "working",
        elsewhere.order_id: "working",
    }
    assert (await desk.events())[-1] == (
        "order_expired",
        {"message": "broker.order_expired.v1", "order_id": str(today.order_id)},
    )
    await desk.step(2, bar(2, WIDE))
    (fill,) = (await desk.step(3, bar(3, "60 60 40 45"))).executions
    assert fill.order_id == patient.order_id
    assert await desk.counted_as_working() == 1


async def test_a_step_touches_the_orders_of_its_own_feed_only(desk: Desk) -> None:
    terms = await desk.place()
    own, desk.feed_id = desk.feed_id, new_id()
    assert (await desk.step(1, bar(1, WIDE))).executions == ()
    assert await desk.statuses() == {terms.order_id: "working"}
    desk.feed_id = own
    assert len((await desk.step(1, bar(1, WIDE))).executions) == 1


async def test_the_costs_of_the_connection_are_charged(desk: Desk) -> None:
    await desk.rows("update connections set slippage_bps = 100, commission_bps = 10, fee_minimum = 5")
    await desk.place(side=Side.BUY)
    await desk.place(side=Side.SELL)
    await desk.step(1, bar(1, WIDE))
    fills = {event["side"]: event for name, event in await desk.events() if name == "execution_reported"}
    assert {side: Decimal(event["price"]) for side, event in fills.items()} == {"buy": 101, "sell": 99}
    assert {Decimal(event["fee"]) for event in fills.values()} == {5}


async def test_a_working_order_is_canceled_once_however_often_it_is_asked_for(desk: Desk) -> None:
    terms = await desk.place()
    delivery = desk.cancel_requested(terms.order_id)
    for _ in range(3):
        await desk.endpoints.on_cancel_requested(delivery)
    await desk.endpoints.on_cancel_requested(desk.cancel_requested(terms.order_id))
    assert await desk.told() == ["order_acknowledged", "order_canceled"]
    assert await desk.counted_as_working() == 0
    assert (await desk.step(1, bar(1, WIDE))).executions == ()


async def test_canceling_a_filled_or_a_refused_order_tells_nothing(desk: Desk) -> None:
    filled = await desk.place()
    await desk.step(1, bar(1, WIDE))
    await desk.endpoints.on_kill_state_changed(desk.kill_changed(9))
    refused = await desk.place()
    for order_id in (filled.order_id, refused.order_id):
        await desk.endpoints.on_cancel_requested(desk.cancel_requested(order_id))
    assert await desk.told() == ["order_acknowledged", "execution_reported", "order_refused"]


async def test_a_cancellation_that_overtakes_its_order_waits_for_it(desk: Desk) -> None:
    terms = desk.terms()
    delivery = desk.cancel_requested(terms.order_id)
    with pytest.raises(AlphintraError, match="ORDER_NOT_HEARD"):
        await desk.endpoints.on_cancel_requested(delivery)
    await desk.endpoints.on_order_submitted(desk.submitted(terms))
    await desk.endpoints.on_cancel_requested(delivery)
    assert await desk.statuses() == {terms.order_id: "canceled"}


async def test_cancellations_and_orders_racing_with_steps_end_each_order_once(desk: Desk) -> None:
    for seq in range(1, 9):
        orders = [await desk.place() for _ in range(4)]
        late = desk.submitted(desk.terms())
        await asyncio.gather(
            *(desk.endpoints.on_cancel_requested(desk.cancel_requested(terms.order_id)) for terms in orders[:3]),
            desk.step(seq, bar(seq, WIDE)),
            desk.endpoints.on_order_submitted(late),
        )
    await desk.step(9, bar(9, WIDE))
    statuses = await desk.statuses()
    ends = Counter(statuses.values())
    told = Counter(await desk.told())
    assert len(statuses) == 40
    assert (told["execution_reported"], told["order_canceled"]) == (ends["filled"], ends["canceled"])
    assert ends["filled"] + ends["canceled"] == 40
    assert ends["filled"] >= 16
    assert await desk.counted_as_working() == 0


@pytest.mark.parametrize("point", ["broker.step_stored", "broker.step_committed"])
async def test_a_crash_in_a_step_neither_loses_nor_doubles_its_executions(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    await desk.place()
    await desk.place(limit="1")
    with monkeypatch.context() as crashing:
        stop_at(crashing, market, point)
        with pytest.raises(PowerCutError):
            await desk.step(1, bar(1, WIDE))
    made = len(await desk.rows("select 1 from venue_executions"))
    assert made == (1 if point == "broker.step_committed" else 0)
    assert len((await desk.step(1, bar(1, WIDE))).executions) == 1
    assert Counter(await desk.told()) == {"order_acknowledged": 2, "execution_reported": 1, "order_expired": 1}


@pytest.mark.parametrize("point", ["broker.cancel_stored", "broker.cancel_committed"])
async def test_a_crash_while_canceling_neither_loses_nor_doubles_the_cancellation(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    delivery = desk.cancel_requested((await desk.place()).order_id)
    with monkeypatch.context() as crashing:
        stop_at(crashing, cancelling, point)
        with pytest.raises(PowerCutError):
            await desk.endpoints.on_cancel_requested(delivery)
    await desk.endpoints.on_cancel_requested(delivery)
    assert await desk.told() == ["order_acknowledged", "order_canceled"]
    assert await desk.counted_as_working() == 0


async def test_opening_an_account_repeatedly_connects_it_once(desk: Desk) -> None:
    account_id = new_id()
    delivery = desk.account_opened(account_id=account_id)
    for _ in range(3):
        await desk.endpoints.on_account_opened(delivery)
    view = await desk.endpoints.get_connection(GetConnection(account_id=account_id), acting(desk.owner_id))
    assert (view.adapter, view.feed_id, view.status) == ("paper", desk.feed_id, "open")
    rows = await desk.rows("select 1 from event_log where subject = 'broker.evt.connection_opened'")
    assert len(rows) == 2
    assert len(await desk.rows("select 1 from markets")) == 1


async def test_only_the_owner_and_the_operator_see_a_connection_and_its_orders(desk: Desk) -> None:
    first, second = await desk.place(), await desk.place(limit="50")
    for context in (acting(desk.owner_id), OPERATOR):
        assert (
            await desk.endpoints.get_connection(GetConnection(account_id=desk.account_id), context)
        ).status == "open"
        view = await desk.endpoints.list_venue_orders(ListVenueOrders(account_id=desk.account_id), context)
        assert [order.order_id for order in view.orders] == [second.order_id, first.order_id]
    stranger = acting(new_id())
    assert (await desk.endpoints.list_connections(ListConnections(), stranger)).connections == ()
    with pytest.raises(AlphintraError, match="CONNECTION_NOT_FOUND"):
        await desk.endpoints.get_connection(GetConnection(account_id=desk.account_id), stranger)
    with pytest.raises(AlphintraError, match="CONNECTION_NOT_FOUND"):
        await desk.endpoints.list_venue_orders(ListVenueOrders(account_id=desk.account_id), stranger)
    own = await desk.endpoints.list_connections(ListConnections(), acting(desk.owner_id))
    assert [view.account_id for view in own.connections] == [desk.account_id]


async def test_orders_are_listed_with_their_state_and_within_the_page_limit(desk: Desk) -> None:
    terms = await desk.place(limit="99.5")
    await desk.place()
    context = acting(desk.owner_id)
    await desk.step(1, bar(1, WIDE))
    view = await desk.endpoints.list_venue_orders(ListVenueOrders(account_id=desk.account_id), context)
    listed = next(order for order in view.orders if order.order_id == terms.order_id)
    assert (listed.status, listed.filled_qty, listed.limit_price) == ("filled", Decimal(10), Decimal("99.5"))
    page = await desk.endpoints.list_venue_orders(ListVenueOrders(account_id=desk.account_id, limit=1), context)
    assert page.orders == view.orders[:1]
    one = ListVenueOrders(account_id=desk.account_id, limit=1, order_id=terms.order_id)
    assert (await desk.endpoints.list_venue_orders(one, context)).orders == (listed,)
    assert listed.venue_order_id == f"paper-{terms.order_id.hex}"
    for limit in (0, 1001):
        with pytest.raises(AlphintraError, match="PAGE_LIMIT"):
            await desk.endpoints.list_venue_orders(ListVenueOrders(account_id=desk.account_id, limit=limit), context)


@pytest.mark.parametrize(
    "statement",
    [
        "update broker_schema.venue_executions set price = 1",
        "delete from broker_schema.venue_executions",
        "update broker_schema.verdicts set code = ''",
        "delete from broker_schema.venue_orders",
    ],
)
async def test_the_service_itself_cannot_rewrite_what_happened(desk: Desk, statement: str) -> None:
    await desk.place()
    await desk.step(1, bar(1, WIDE))
    connection = await asyncpg.connect(desk.database.dsn())
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)
    finally:
        await connection.close()
