"""What the database itself guarantees of the books, and that no fill is lost among many at once."""

from __future__ import annotations

import asyncio
import random
from decimal import Decimal
from itertools import product
from typing import TYPE_CHECKING

import asyncpg
import pytest

from alphintra.contracts.trading import GetAccount, ListLedger, ListPositions
from alphintra.engine.portfolio import FLAT, apply_fill, cash_delta
from alphintra.kernel.vocabulary import Side
from fixtures.single_service import delivery_of
from integration.trading.desk import new_id, trading_desk

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from fixtures.nats import NatsServer
    from fixtures.postgres import ServiceDatabase
    from integration.trading.desk import Desk

FILLS = 2_000
WRITERS = 16
ORDERS = 40


async def test_sixteen_writers_book_two_thousand_fills_with_duplicates_and_disorder_exactly(
    service_database: Callable[[str], Awaitable[ServiceDatabase]], nats_server: NatsServer
) -> None:
    chance = random.Random(7)  # noqa: S311 - the same fills in every run
    async with trading_desk(await service_database("trading"), nats_server, connections_max=WRITERS) as desk:
        desk.account_id = (await desk.open_account()).account_id
        books = (None, new_id())
        sides = [Side.BUY if n % 2 else Side.SELL for n in range(ORDERS)]
        orders = [
            await desk.place(f"c-{n}", side=side, qty=Decimal(FILLS), book_id=books[n % 3 == 0])
            for n, side in enumerate(sides)
        ]
        fills = [
            desk.filled(
                chance.choice(orders),
                str(Decimal(chance.randint(1, 10**6)) / 1000),
                str(Decimal(chance.randint(1, 10**8)) / 10**6),
                fee=Decimal(chance.randint(0, 1000)) / 1000,
            )
            for _ in range(FILLS)
        ]
        reported = [fill for fill in fills for _ in range(chance.choice((1, 1, 1, 2)))]
        reported += [delivery_of(fill.event, aggregate_id=fill.aggregate_id) for fill in chance.sample(fills, 200)]
        chance.shuffle(reported)
        queue = iter(reported)

        async def write() -> None:
            for report in queue:
                await desk.hear(report)

        await asyncio.gather(*(write() for _ in range(WRITERS)))

        events = [fill.event for fill in fills]
        account = await desk.ask(GetAccount(account_id=desk.account_id))
        moved = sum((cash_delta(e.side, e.qty, price=e.price, fee=e.fee) for e in events), Decimal(0))
        assert account.cash == account.starting_cash + moved
        assert account.fees == sum((event.fee for event in events), Decimal(0))
        positions = (await desk.ask(ListPositions(account_id=desk.account_id))).positions
        placed = {order.order_id: order.book_id for order in orders}
        for book in books:
            signs = {Side.BUY: 1, Side.SELL: -1}
            mine = [signs[event.side] * event.qty for event in events if placed[event.order_id] == book]
            (position,) = (position for position in positions if position.book_id == book)
            assert position.qty == sum(mine, Decimal(0))
        assert account.realized_pnl == sum((position.realized_pnl for position in positions), Decimal(0))
        assert (await desk.ask(ListLedger(account_id=desk.account_id, limit=1))).total == 0
        cash = "select sum(amount) from ledger_entries where ledger_account = 'cash'"
        assert await desk.value(cash) == account.cash
        assert await desk.value("select count(*) from executions") == FILLS
        assert await desk.value("select count(*) from event_log where subject = 'trading.evt.fill_booked'") == FILLS
        filled = {row["order_id"]: row["filled_qty"] for row in await desk.rows("select * from orders")}
        for order in orders:
            wanted = sum((e.qty for e in events if e.order_id == order.order_id), Decimal(0))
            assert filled[order.order_id] == wanted


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
