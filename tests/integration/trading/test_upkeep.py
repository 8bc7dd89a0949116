"""A service that runs for months makes the months to come itself, and tells of those it could not make."""

# ruff: noqa: S608 - names of parts are made of dates

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import asyncpg
import pytest

from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.health import TradingHealth
from alphintra.trading import endpoints
from alphintra.trading.endpoints import UpkeepEndpoints
from alphintra.trading.repository.books import Books
from alphintra.trading.repository.months import Months
from alphintra.trading.service.upkeep import keep_months
from fixtures.waiting import until

if TYPE_CHECKING:
    from integration.trading.desk import Desk

TABLES: Final = ("ledger_entries", "order_events")


async def keep(desk: Desk, at: datetime) -> tuple[str, ...]:
    """Do what the running service does every hour."""
    database = desk.host.database
    return await keep_months(months=Months(database), books=Books(database), ids=desk.host.ids, at=at)


def after(month: datetime, count: int) -> datetime:
    """Return the first instant of the month so many months after this one."""
    number = month.year * 12 + month.month - 1 + count
    return datetime(number // 12, number % 12 + 1, 1, tzinfo=UTC)


async def now_of(desk: Desk) -> datetime:
    """Return the database's time, by which its months were made at the start."""
    return await desk.value("select now()")  # type: ignore[no-any-return] # a column


async def test_months_later_the_service_makes_the_months_that_follow_and_rows_go_there(desk: Desk) -> None:
    now = await now_of(desk)
    assert await keep(desk, now) == ()
    ahead = after(now, 1) + timedelta(hours=1)
    fourth = f"{after(now, 4):%Y_%m}"
    assert await keep(desk, ahead) == tuple(f"{table}_p{fourth}" for table in TABLES)
    assert await keep(desk, ahead) == ()
    order = await desk.place()
    await desk.rows("update order_events set occurred_at = $2 where order_id = $1", order.order_id, after(now, 4))
    assert await desk.value(f"select count(*) from order_events_p{fourth}") == 1
    assert "months_missing" not in await desk.told()
    backup = await asyncpg.connect(desk.database.dsn("backup"))
    try:
        assert await backup.fetchval(f"select count(*) from order_events_p{fourth}") == 1
    finally:
        await backup.close()


async def test_a_clock_far_ahead_makes_no_months_without_end_and_the_service_may_make_no_table(desk: Desk) -> None:
    now = await now_of(desk)
    made = await keep(desk, now + timedelta(days=36500))
    last = after(now + timedelta(days=40), 3)
    assert {part[-7:] for part in made} == {
        f"{after(now, count):%Y_%m}" for count in (4, 5) if after(now, count) <= last
    }
    service = await asyncpg.connect(desk.database.dsn())
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await service.execute("create table trading_schema.mine (id integer)")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await service.fetchval(f"select count(*) from {made[0]}")
    finally:
        await service.close()


async def test_a_month_that_cannot_be_made_is_told_of_when_it_is_near_and_made_once_nothing_stands_in_its_way(
    desk: Desk,
) -> None:
    now = await now_of(desk)
    ahead, fourth = after(now, 1), after(now, 4)
    in_the_way = f"order_events_p{fourth:%Y_%m}"
    await desk.rows(f"create table {in_the_way} (id integer)")
    assert await keep(desk, ahead) == (f"ledger_entries_p{fourth:%Y_%m}",)
    assert "months_missing" not in await desk.told(), "there are months enough yet"
    desk.clock.at = fourth - timedelta(days=13)
    await keep(desk, desk.clock.now())
    (told,) = await desk.rows("select payload::json -> 'event' as told from event_log where subject like '%missing'")
    assert f"order_events has no month from {fourth:%Y-%m-%d} on" in told["told"]
    months = (await desk.ask(TradingHealth())).months
    assert months is not None
    assert (months.kept_until, "order_events" in months.warning) == (fourth, True)
    await desk.rows(f"drop table {in_the_way}")
    assert await keep(desk, ahead) == (in_the_way,)
    assert (await Months(desk.host.database).cuts())[1].kept_until == after(now, 5)


async def test_the_loop_goes_on_after_a_failed_attempt(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoints, "MONTHS_INTERVAL_S", 0.001)
    now = await now_of(desk)
    desk.clock.at = after(now, 1)
    attempts = 0

    class Failing(Months):
        async def keep(self, at: datetime) -> tuple[tuple[str, str], ...]:
            nonlocal attempts
            attempts += 1
            if attempts < 3:
                raise AlphintraError("STORE_BUSY", "the database is busy: try again", kind=Kind.UNAVAILABLE)
            return await super().keep(at)

    database = desk.host.database
    kept = UpkeepEndpoints(months=Failing(database), books=Books(database), clock=desk.clock, ids=desk.host.ids)
    task = asyncio.create_task(kept.keep_months())
    try:
        await until(lambda: attempts > 3)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert {cut.kept_until for cut in await Months(database).cuts()} == {after(now, 5)}


async def test_health_shows_until_when_there_are_months_and_rows_of_a_time_that_has_none(desk: Desk) -> None:
    now = await now_of(desk)
    desk.clock.at = now
    months = (await desk.ask(TradingHealth())).months
    assert months is not None
    assert (months.kept_until, months.has_rest, months.warning) == (after(now, 4), True, "")
