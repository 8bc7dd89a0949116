"""A decision reads as much of an account with thousands of open orders as of one with none."""

from __future__ import annotations

from contextlib import asynccontextmanager
from decimal import Decimal
from typing import TYPE_CHECKING

import asyncpg

from alphintra.contracts.risk import SetSharedLimit
from alphintra.infrastructure.postgres import Queries, Session
from alphintra.kernel.limits import LimitControls
from alphintra.kernel.vocabulary import Side
from alphintra.risk.endpoints import ControlEndpoints
from alphintra.risk.repository import RiskRecords, RiskTransaction
from alphintra.risk.service.decisions import Asked
from fixtures.single_service import opened
from integration.risk.desk import Desk, codes_of, operator
from integration.risk.test_sequences import compare_totals

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from fixtures.postgres import ServiceDatabase

OPEN = 1_000
READ_MAX = 20

FILL = """
    INSERT INTO reservations (
        order_id, account_id, decision_id, symbol, side, price, target_qty, filled_qty, open_qty, state, held_at,
        updated_at, counted_qty, counted_cash, limit_price
    )
    SELECT
        gen_random_uuid(), $1::uuid, $3::uuid, 'AAPL', CASE WHEN n % 2 = 0 THEN 'buy' ELSE 'sell' END,
        CASE WHEN n % 2 = 0 THEN 9 ELSE 11 END, 1, 0, 1, 'confirmed', now(), now(), 1,
        CASE WHEN n % 2 = 0 THEN 9 ELSE 0 END, CASE WHEN n % 2 = 0 THEN 9 ELSE 11 END
    FROM generate_series(1, $2::int) AS n
"""
READ = """
    SELECT coalesce(sum(seq_tup_read), 0) + coalesce(sum(idx_tup_fetch), 0)
    FROM pg_stat_xact_user_tables WHERE relname = 'reservations'
"""


@asynccontextmanager
async def as_administrator(database: ServiceDatabase) -> AsyncIterator[Session]:
    """Open a transaction as the administrator, who may see what statements read."""
    connection = await asyncpg.connect(database.admin_dsn)
    try:
        await connection.execute(f"set search_path to {database.placement.schema}")
        async with connection.transaction():
            yield Session(connection, Queries.load("alphintra.risk"))
    finally:
        await connection.close()


async def test_a_decision_reads_a_few_rows_however_many_orders_are_open(
    service_database: Callable[[str], Awaitable[ServiceDatabase]],
) -> None:
    database = await service_database("risk")
    async with opened(database) as connected:
        desk = Desk(connected)
        account = await desk.open_account(cash="1000000")
        await desk.mark(AAPL="10")
        # Every limit that looks beyond the one symbol, and the shared credit.
        await desk.limit(
            account,
            may_short=True,
            controls=LimitControls(
                is_self_match_refused=True,
                gross_exposure_max=Decimal(10_000_000),
                credit_max=Decimal(10_000_000),
                open_orders_max=OPEN + 10,
            ),
        )
        controls = ControlEndpoints(records=RiskRecords(desk.database), clock=desk.clock, ids=desk.ids)
        shared = SetSharedLimit(scope="firm", credit_max=Decimal(10_000_000))
        await controls.set_shared_limit(shared, operator())
        first = desk.order(account, Side.BUY, "1", "9")
        approval = await desk.approved(first)
        await desk.close(first)
        async with desk.database._acquired() as connection:
            await connection.execute(FILL, account, OPEN, approval.decision_id)
        assert await compare_totals(desk) == 1
        order = Asked(desk.order(account, Side.BUY, "1", "9.5"), desk.owner).read()
        async with as_administrator(database) as session:
            facts = await RiskTransaction(session).facts([order], at=desk.clock.now())
            read = await session._connection.fetchval(READ)
        book = facts.books[order.account_id]
        assert (book.open_orders, book.reserved_cash) == (OPEN, Decimal(9 * OPEN // 2))
        assert book.exposure("AAPL").open_buy_qty == book.exposure("AAPL").open_sell_qty == OPEN // 2
        market = book.market("AAPL")
        assert (market.resting_buy, market.resting_sell, market.is_order_unknown) == (Decimal(9), Decimal(11), False)
        assert read <= READ_MAX
        crossing = desk.order(account, Side.BUY, "1", "11")
        (outcome,) = await desk.assess(crossing)
        assert codes_of(outcome) == ["RISK_SELF_MATCH"]
