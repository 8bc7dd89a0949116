"""What the seed says is optimised, as cases: a service's table, made-up rows for it, and its standing queries. Pure.

Claim 17: trading for time series. Claim 18: profiles for lookups. Claim 19: risk for compliance reports. Rows are made
up out of their number, in order of time over one year, as a running platform writes them.
"""

# ruff: noqa: S608 - statements are put together from constants and quoted names

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from alphintra.dataplane.quoting import identifier, qualified

__all__ = ["CASES", "YEAR_DAYS", "YEAR_START", "Case", "Query", "partition_sql", "partitions"]

YEAR_START: Final = datetime(2025, 1, 1, tzinfo=UTC)
YEAR_DAYS: Final = 365
_ACCOUNTS: Final = 1_000
_MONTH: Final = (datetime(2025, 6, 1, tzinfo=UTC), datetime(2025, 7, 1, tzinfo=UTC))
_QUARTER: Final = (datetime(2025, 4, 1, tzinfo=UTC), datetime(2025, 7, 1, tzinfo=UTC))
_WEEK: Final = (datetime(2025, 6, 9, tzinfo=UTC), datetime(2025, 6, 16, tzinfo=UTC))
_DAY: Final = (datetime(2025, 6, 11, tzinfo=UTC), datetime(2025, 6, 12, tzinfo=UTC))

_AT: Final = "(timestamptz '2025-01-01 00:00Z' + i * $3::interval)"
_ACCOUNT: Final = f"md5('account' || i % {_ACCOUNTS})::uuid"
_ROWS: Final = "generate_series($1::bigint, $2::bigint) as i"


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A standing query.

    Attributes:
        name: what it is for, in one word with underscores.
        sql: with ``{table}`` where the table's name goes.
        arguments: of the query; for a lookup empty.
        lookup: an expression over ``i`` that makes the key of row i, where the query looks one row up at a time.
    """

    name: str
    sql: str
    arguments: tuple[object, ...] = ()
    lookup: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A table that a claim is about.

    Attributes:
        claim: number of the claim in the ledger.
        service: whose table.
        table: its name.
        time_column: what partitions go by; empty where time means nothing.
        divisor: the table gets one row for so many asked for.
        fill: columns and SELECT that make rows $1 to $2, $3 apart in time.
        queries: what is asked of it.
        covering: columns of an index that would hold all its lookups read, to be tried as a variant; empty for none.
    """

    claim: int
    service: str
    table: str
    time_column: str
    divisor: int = 1
    fill: str
    queries: tuple[Query, ...]
    covering: str = ""

    def rows(self, asked: int) -> int:
        """Return how many rows the table gets."""
        return max(asked // self.divisor, 1)

    def step(self, asked: int) -> timedelta:
        """Return the time between two rows, so that all of them fill a year."""
        return timedelta(days=YEAR_DAYS) / self.rows(asked)


_ACCOUNT_7: Final = "md5('account7')::uuid"

CASES: Final = (
    Case(
        claim=17,
        service="trading",
        table="orders",
        time_column="created_at",
        fill=f"""
            (order_id, client_order_id, account_id, owner_id, book_id, symbol, side, type, time_in_force, qty, status,
                filled_qty, filled_amount, decision_id, version, created_at, updated_at)
            select md5('order' || i)::uuid, 'order-' || i, {_ACCOUNT}, {_ACCOUNT}, {_ACCOUNT}, 'S' || i % 50,
                case i % 2 when 0 then 'buy' else 'sell' end, 'market', 'day', 1 + i % 100,
                case i % 10 when 8 then 'canceled' when 9 then 'denied' else 'filled' end, 1 + i % 100,
                (1 + i % 100) * 50, md5('decision' || i)::uuid, 3, {_AT}, {_AT}
            from {_ROWS}
        """,
        queries=(
            Query(
                name="orders_of_an_account_in_a_week",
                sql=f"""
                    select order_id, symbol, side, qty, status, created_at from {{table}}
                    where account_id = {_ACCOUNT_7} and created_at >= $1 and created_at < $2
                    order by created_at desc, order_id desc
                """,
                arguments=_WEEK,
            ),
            Query(
                name="newest_orders_of_everybody",
                sql="""
                    select order_id, symbol, side, qty, status, created_at from {table}
                    order by created_at desc, order_id desc limit 100
                """,
            ),
            Query(
                name="orders_by_status_of_a_day",
                sql="""
                    select status, count(*) as orders from {table}
                    where created_at >= $1 and created_at < $2 group by status order by status
                """,
                arguments=_DAY,
            ),
        ),
    ),
    Case(
        claim=17,
        service="trading",
        table="executions",
        time_column="booked_at",
        fill=f"""
            (account_id, execution_id, order_id, book_id, symbol, side, qty, price, fee, realized_pnl, executed_at,
                booked_at, transaction_id)
            select {_ACCOUNT}, 'execution-' || i, md5('order' || i)::uuid, {_ACCOUNT}, 'S' || i % 50,
                case i % 2 when 0 then 'buy' else 'sell' end, 1 + i % 100, 50 + i % 7, 0.5, 0, {_AT}, {_AT},
                md5('transaction' || i)::uuid
            from {_ROWS}
        """,
        queries=(
            Query(
                name="fills_of_a_day",
                sql="""
                    select account_id, execution_id, symbol, side, qty, price from {table}
                    where booked_at >= $1 and booked_at < $2 order by booked_at, execution_id
                """,
                arguments=_DAY,
            ),
            Query(
                name="daily_volume_of_a_month",
                sql="""
                    select date_trunc('day', booked_at, 'UTC') as day, symbol, sum(qty * price) as volume from {table}
                    where booked_at >= $1 and booked_at < $2 group by day, symbol order by day, symbol
                """,
                arguments=_MONTH,
            ),
            Query(
                name="fills_of_an_order",
                sql="select execution_id, qty, price from {table} where order_id = $1 order by execution_id",
                lookup="md5('order' || i)::uuid",
            ),
        ),
    ),
    Case(
        claim=17,
        service="trading",
        table="order_events",
        time_column="occurred_at",
        fill=f"""
            (order_id, version, kind, status, detail, occurred_at)
            select md5('order' || i / 4)::uuid, 1 + i % 4, 'kind',
                (array['pending_new', 'new', 'partially_filled', 'filled'])[1 + i % 4], '{{}}', {_AT}
            from {_ROWS}
        """,
        queries=(
            Query(
                name="last_state_per_order_of_a_day",
                sql="""
                    select distinct on (order_id) order_id, version, status, occurred_at from {table}
                    where occurred_at >= $1 and occurred_at < $2 order by order_id, version desc
                """,
                arguments=_DAY,
            ),
            Query(
                name="last_state_of_an_order",
                sql="select version, status from {table} where order_id = $1 order by version desc limit 1",
                lookup="md5('order' || i / 4)::uuid",
            ),
        ),
    ),
    Case(
        claim=18,
        service="user",
        table="profiles",
        time_column="",
        divisor=10,
        fill=f"""
            (user_id, email, display_name, locale, time_zone, version, updated_at)
            select md5('user' || i)::uuid, 'person' || i || '@example.org', 'Person ' || i, 'en', 'UTC', 1, {_AT}
            from {_ROWS}
        """,
        queries=(
            Query(
                name="profile_of_a_person",
                sql="""
                    select user_id, email, display_name, locale, time_zone, version, updated_at from {table}
                    where user_id = $1
                """,
                lookup="md5('user' || i)::uuid",
            ),
        ),
        covering="(user_id) include (email, display_name, locale, time_zone, version, updated_at)",
    ),
    Case(
        claim=18,
        service="user",
        table="preferences",
        time_column="",
        divisor=5,
        fill=f"""
            (user_id, name, value, updated_at)
            select md5('user' || i / 4)::uuid, (array['theme', 'density', 'start_page', 'alerts'])[1 + i % 4],
                'value ' || i, {_AT}
            from {_ROWS}
        """,
        queries=(
            Query(
                name="preferences_of_a_person",
                sql="select name, value from {table} where user_id = $1 order by name",
                lookup="md5('user' || i / 4)::uuid",
            ),
        ),
        covering="(user_id, name) include (value)",
    ),
    Case(
        claim=19,
        service="risk",
        table="assessments",
        time_column="decided_at",
        fill=f"""
            (decision_id, order_id, attempt, account_id, approved, findings, limit_version, kill_epoch, leaf, inputs,
                decided_at)
            select md5('decision' || i)::uuid, md5('order' || i)::uuid, 1, {_ACCOUNT}, i % 20 <> 9,
                case i % 20 when 9 then '[{{"code": "RISK_QTY_MAX", "rule": "order_qty_max"}}]' else '[]' end::jsonb,
                1, 0, decode(md5('leaf' || i), 'hex'), '{{"cash": "1000000", "last_price": "50"}}', {_AT}
            from {_ROWS}
        """,
        queries=(
            Query(
                name="refusals_by_reason_of_a_month",
                sql="""
                    select f ->> 'code' as code, count(*) as refusals, count(distinct account_id) as accounts
                    from {table} cross join lateral jsonb_array_elements(findings) as f
                    where not approved and decided_at >= $1 and decided_at < $2 group by code order by code
                """,
                arguments=_MONTH,
            ),
            Query(
                name="decisions_per_day_of_a_quarter",
                sql="""
                    select date_trunc('day', decided_at, 'UTC') as day, count(*) as decisions,
                        count(*) filter (where not approved) as refusals
                    from {table} where decided_at >= $1 and decided_at < $2 group by day order by day
                """,
                arguments=_QUARTER,
            ),
            Query(
                name="decisions_of_an_account_in_a_week",
                sql=f"""
                    select decision_id, order_id, approved, findings, limit_version, decided_at from {{table}}
                    where account_id = {_ACCOUNT_7} and decided_at >= $1 and decided_at < $2
                    order by decided_at desc, decision_id desc
                """,
                arguments=_WEEK,
            ),
            Query(
                name="decisions_on_an_order",
                sql="select decision_id, attempt, approved, findings from {table} where order_id = $1 order by attempt",
                lookup="md5('order' || i)::uuid",
            ),
        ),
    ),
)


def partitions() -> tuple[tuple[str, datetime, datetime], ...]:
    """Return the months of the year: a suffix, the first moment, and the first moment after."""
    starts = [datetime(2025, month, 1, tzinfo=UTC) for month in range(1, 13)]
    ends = [*starts[1:], datetime(2026, 1, 1, tzinfo=UTC)]
    return tuple((f"{start:%Y_%m}", start, end) for start, end in zip(starts, ends, strict=True))


def partition_sql(schema: str, case: Case, *, like: str) -> tuple[str, ...]:
    """Return the statements that make a case's table, partitioned by month, with the columns of another."""
    table = qualified(schema, case.table)
    columns = f"like {like} including defaults including constraints including generated"
    return (
        f"create table {table} ({columns}) partition by range ({identifier(case.time_column)})",
        *(
            f"create table {qualified(schema, f'{case.table}_{suffix}')} partition of {table} "
            f"for values from ('{start.isoformat()}') to ('{end.isoformat()}')"
            for suffix, start, end in partitions()
        ),
    )
