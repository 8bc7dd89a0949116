"""What the database itself guarantees of the books, and that no fill is lost among many at once."""

from __future__ import annotations

import asyncio
import json
import random
from decimal import Decimal
from itertools import product
from typing import TYPE_CHECKING

import asyncpg
import pytest

from alphintra.contracts.trading import (
    GetAccount,
    GetOrder,
    ListActivities,
    ListExecutions,
    ListLedger,
    ListLots,
    ListPositions,
)
from alphintra.engine.portfolio import FLAT, apply_fill, cash_delta, notional
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.vocabulary import Side
from fixtures.single_service import delivery_of
from integration.trading.desk import new_id, trading_desk

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable
    from uuid import UUID

    from alphintra.contracts.broker import ExecutionReported
    from fixtures.nats import NatsServer
    from fixtures.postgres import ServiceDatabase
    from integration.trading.desk import Desk

FILLS = 2_000
WRITERS = 16
ORDERS = 40


@pytest.mark.parametrize("together", [pytest.param(1, marks=[pytest.mark.slow, pytest.mark.timeout(900)]), 24])
async def test_sixteen_writers_book_two_thousand_fills_with_duplicates_and_disorder_exactly(
    service_database: Callable[[str], Awaitable[ServiceDatabase]], nats_server: NatsServer, together: int
) -> None:
    chance = random.Random(7)  # noqa: S311 - the same fills in every run
    async with trading_desk(await service_database("trading"), nats_server, connections_max=WRITERS) as desk:
        accounts = [(await desk.open_account(f"Account {n}")).account_id for n in range(2)]
        books = (None, new_id())
        orders = [
            await desk.place(
                f"c-{n}",
                account_id=accounts[n % 5 == 0],
                side=Side.BUY if n % 2 else Side.SELL,
                qty=Decimal(10**6),
                book_id=books[n % 3 == 0],
            )
            for n in range(ORDERS)
        ]
        quantities = [Decimal(chance.randint(1, 10**6)) / 1000 for _ in range(FILLS)]
        fills = [
            desk.filled(
                chance.choice(orders),
                str(qty),
                str(Decimal(chance.randint(1, 10**8)) / 10**6),
                fee=Decimal(chance.randint(0, 1000)) / 1000,
                fee_qty=chance.choice((Decimal(0), qty / 1000)),
            )
            for qty in quantities
        ]
        reported = [fill for fill in fills for _ in range(chance.choice((1, 1, 1, 2)))]
        reported += [delivery_of(fill.event, aggregate_id=fill.aggregate_id) for fill in chance.sample(fills, 200)]
        chance.shuffle(reported)
        runs = iter([reported[n : n + together] for n in range(0, len(reported), together)])

        async def write() -> None:
            for run in runs:
                while True:
                    try:
                        await desk.hear_together(*run)
                        break
                    except AlphintraError as error:  # as the consumer does: the run comes again
                        assert error.code == "STORE_BUSY"  # noqa: PT017 - all else fails the test

        await asyncio.gather(*(write() for _ in range(WRITERS)))

        assert await desk.value("select count(*) from executions") == FILLS
        assert await desk.value("select count(*) from event_log where subject = 'trading.evt.fill_booked'") == FILLS
        assert await desk.value("select count(*) from booking_breaks") == 0
        filled = {row["order_id"]: row["filled_qty"] for row in await desk.rows("select * from orders")}
        for order in orders:
            assert filled[order.order_id] == total(
                fill.event.qty for fill in fills if fill.event.order_id == order.order_id
            )
        book_of = {order.order_id: order.book_id for order in orders}
        for account_id in accounts:
            await require_exact(desk, account_id, [f.event for f in fills if f.event.account_id == account_id], book_of)


async def require_exact(
    desk: Desk, account_id: UUID, events: list[ExecutionReported], book_of: dict[UUID, UUID | None]
) -> None:
    """Require that account, positions, lots, trades, books and ledger say what the fills add up to."""
    account = await desk.ask(GetAccount(account_id=account_id))
    assert account.cash == account.starting_cash + total(cash_of(event) for event in events)
    assert account.fees == total(event.fee + kept_worth(event) for event in events)
    positions = (await desk.ask(ListPositions(account_id=account_id))).positions
    lots = (await desk.ask(ListLots(account_id=account_id))).lots
    cash = await desk.rows("select book_id, cash from books where account_id = $1", account_id)
    for book in set(book_of.values()):
        mine = [event for event in events if book_of[event.order_id] == book]
        (position,) = (position for position in positions if position.book_id == book)
        assert position.qty == total(moved(event) for event in mine)
        assert position.qty == total(lot.qty for lot in lots if lot.book_id == book)
        if book is not None:
            assert dict(map(tuple, cash))[book] == total(cash_of(event) for event in mine)
    assert account.realized_pnl == total(position.realized_pnl for position in positions)
    by_lots = await desk.value("select sum(realized_pnl) from lot_closes where account_id = $1", account_id)
    cost = await desk.value("select sum(cost) from positions where account_id = $1", account_id)
    assert by_lots - total(lot.cost for lot in lots) == account.realized_pnl - cost
    closed = "select sum(abs(qty)) from lot_closes where account_id = $1"
    opened = await desk.value(closed, account_id) * 2 + total(abs(lot.qty) for lot in lots)
    assert opened == total(abs(moved(event)) for event in events), (
        "each unit opened a lot, closed one, or did both by turns"
    )
    trades = await desk.rows("select sum(realized_pnl), sum(fees) from trades where account_id = $1", account_id)
    assert tuple(trades[0]) == (account.realized_pnl, account.fees)
    assert (await desk.ask(ListLedger(account_id=account_id, limit=1))).total == 0
    ledger = "select sum(amount) from ledger_entries where ledger_account = 'cash' and account_id = $1"
    assert await desk.value(ledger, account_id) == account.cash


def total(amounts: Iterable[Decimal]) -> Decimal:
    """Add up amounts."""
    return sum(amounts, Decimal(0))


def cash_of(event: ExecutionReported) -> Decimal:
    """Return what an execution changes of the cash."""
    return cash_delta(event.side, event.qty, price=event.price, fee=event.fee)


def moved(event: ExecutionReported) -> Decimal:
    """Return what an execution changes of the position: what the venue kept as a fee is not there."""
    return (event.qty if event.side is Side.BUY else -event.qty) - event.fee_qty


def kept_worth(event: ExecutionReported) -> Decimal:
    """Return what the part of an execution that the venue kept is worth."""
    return abs(notional(event.qty, event.price) - notional(abs(moved(event)), event.price))


def amounts(*texts: str) -> tuple[Decimal, ...]:
    """Return amounts as the platform keeps them."""
    return tuple(Decimal(text) for text in texts)


async def test_a_fee_in_kind_is_shown_and_taken_off_the_position_alone(desk: Desk) -> None:
    order = await desk.place("c-1", qty=Decimal(10))
    await desk.hear(desk.filled(order, "10", "100", fee_qty=Decimal("0.01")))
    (execution,) = (await desk.ask(ListExecutions(account_id=order.account_id))).executions
    (activity,) = (await desk.ask(ListActivities(account_id=order.account_id))).activities
    (position,) = (await desk.ask(ListPositions(account_id=order.account_id))).positions
    account = await desk.ask(GetAccount(account_id=order.account_id))
    assert (execution.qty, execution.fee, execution.fee_qty) == amounts("10", "0", "0.01")
    assert (activity.net_amount, activity.fee_qty) == amounts("-1000", "0.01")
    assert (position.qty, position.avg_price, position.fees) == amounts("9.99", "100", "1")
    assert (account.cash - account.starting_cash, account.fees) == amounts("-1000", "1")
    told = await desk.value("select payload from event_log where subject = 'trading.evt.fill_booked'")
    assert json.loads(told)["event"]["account_qty"] == "9.99"
    assert (await desk.ask(GetOrder(order_id=order.order_id))).filled_qty == 10


async def test_what_is_booked_folds_to_the_stored_position_in_the_order_it_was_booked(desk: Desk) -> None:
    one, two = await desk.place("c-1"), await desk.place("c-2", side=Side.SELL)
    await asyncio.gather(
        *(desk.hear(desk.filled(order, "3", price)) for order in (one, two) for price in ("90", "110"))
    )
    rows = await desk.rows(
        "select x.side, x.qty, x.price from executions x join event_log e"
        " on e.payload::json #>> '{event,execution,execution_id}' = x.execution_id order by e.seq"
    )
    position = FLAT
    for row in rows:
        position, _realized = apply_fill(position, Side(row["side"]), qty=row["qty"], price=row["price"])
    (stored,) = await desk.rows("select qty, cost, realized_pnl from positions")
    assert tuple(stored) == (position.qty, position.cost, position.realized)


@pytest.mark.parametrize("amounts", [["1"], ["1", "-0.999999999"], ["NaN", "NaN"], ["1", "Infinity"]])
async def test_ledger_lines_that_do_not_balance_are_refused(desk: Desk, amounts: list[str]) -> None:
    with pytest.raises(asyncpg.PostgresError) as caught:
        await as_service(
            desk,
            "insert into ledger_entries (transaction_id, account_id, ledger_account, amount, currency, booked_at)"
            " select gen_random_uuid(), $1, 'line ' || o, a, 'USD', now()"
            " from unnest($2::numeric[]) with ordinality as t (a, o)",
            desk.account_id,
            [Decimal(amount) for amount in amounts],
        )
    assert isinstance(caught.value, asyncpg.CheckViolationError | asyncpg.NumericValueOutOfRangeError)
    assert await desk.value("select count(*) from ledger_entries") == 2


@pytest.mark.parametrize("table", ["order_events", "executions", "ledger_entries", "audit_events", "event_log"])
async def test_the_service_itself_cannot_change_or_delete_what_happened(desk: Desk, table: str) -> None:
    order = await desk.place()
    await desk.hear(desk.filled(order, "4"))
    column = await desk.value(
        "select column_name from information_schema.columns where table_name = $1 and table_schema = 'trading_schema'"
        " and is_identity = 'NO'",
        table,
    )
    before = await desk.rows(f"select * from {table}")  # noqa: S608 - names of the test
    assert before
    for statement in (f"update {table} set {column} = {column}", f"delete from {table}", f"truncate {table}"):  # noqa: S608
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await as_service(desk, statement)
    assert await desk.rows(f"select * from {table}") == before  # noqa: S608


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        ("accounts", ("starting_cash", "cash", "realized_pnl", "fees")),
        ("orders", ("qty", "limit_price", "filled_qty", "filled_amount")),
        ("positions", ("qty", "cost", "realized_pnl", "fees")),
        ("executions", ("qty", "price", "fee", "realized_pnl")),
        ("ledger_entries", ("amount",)),
    ],
)
async def test_no_amount_can_be_anything_but_finite(desk: Desk, table: str, columns: tuple[str, ...]) -> None:
    order = await desk.place(type="limit", limit_price=Decimal(100))
    await desk.hear(desk.filled(order, "4"))
    for column, bad in product(columns, ("NaN", "Infinity", "-Infinity")):
        with pytest.raises(asyncpg.PostgresError) as caught:
            await desk.rows(f"update {table} set {column} = $1::text::numeric", bad)  # noqa: S608 - names of the test
        assert isinstance(caught.value, asyncpg.CheckViolationError | asyncpg.NumericValueOutOfRangeError)


async def as_service(desk: Desk, statement: str, *values: object) -> None:
    """Run a statement under the service's own role."""
    connection = await asyncpg.connect(desk.database.dsn())
    try:
        await connection.execute(statement, *values)
    finally:
        await connection.close()
