"""Watchdogs on a database: a feed that falls silent, a job that stops, over restarts and told by two jobs at once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from alphintra.contracts.broker import PricesStalled
from alphintra.contracts.strategy import FeedStatusChanged
from alphintra.risk.domain.watchdogs import PATIENCE
from fixtures.single_service import delivery_of

if TYPE_CHECKING:
    from integration.risk.desk import Desk


async def told(desk: Desk, rule: str) -> list[tuple[str, str]]:
    """Return severity and title of the alerts of a rule, oldest first."""
    rows: list[Any] = await desk.stored("alerts", "severity, title", f"rule = '{rule}' order by raised_at, title")
    return [(row["severity"], row["title"]) for row in rows]


async def expect(desk: Desk, status: str) -> None:
    """Tell what the desk's feed is to do."""
    event = FeedStatusChanged(feed_id=desk.feed_id, status=status, interval_ms=1000)
    delivery = delivery_of(event, aggregate_id=desk.feed_id)
    for _ in range(2):
        await desk.alerts.on_feed_status_changed(delivery)


async def all_come_round(desk: Desk, *but: str) -> None:
    """Let every job of risk come round, the watchers last."""
    for job in sorted(PATIENCE, key=lambda name: name in {"watch", "sessions"}):
        if job not in but:
            await desk.alerts.beat(job)


async def test_a_feed_that_falls_silent_is_told_within_its_patience_and_so_is_its_return(desk: Desk) -> None:
    await expect(desk, "running")
    await desk.mark(1, AAPL="100")
    await all_come_round(desk)
    for _ in range(3):
        desk.clock.pass_time(seconds=5)
        await all_come_round(desk)
    assert await told(desk, "feed_silent") == []
    desk.clock.pass_time(seconds=1)
    await all_come_round(desk)
    assert await told(desk, "feed_silent") == [("warning", "The price feed is silent")]
    reborn = desk.restarted()
    desk.clock.pass_time(seconds=60)
    await reborn.alerts.beat("watch")
    assert len(await told(desk, "feed_silent")) == 1
    await reborn.mark(2, AAPL="101")
    await reborn.alerts.beat("watch")
    assert (await told(desk, "feed_silent"))[1:] == [("info", "The price feed is heard again")]


async def test_a_feed_that_is_paused_may_be_silent(desk: Desk) -> None:
    await expect(desk, "running")
    await desk.mark(1, AAPL="100")
    await expect(desk, "paused")
    desk.clock.pass_time(seconds=3600)
    await all_come_round(desk)
    assert await told(desk, "feed_silent") == []


async def test_a_symbol_whose_prices_stop_at_its_venue_is_told_by_the_same_rule_and_so_is_its_return(
    desk: Desk,
) -> None:
    account_id = await desk.open_account()
    for is_stalled in (True, False, True):
        event = PricesStalled(account_id=account_id, symbol="AAPL", is_stalled=is_stalled, priced_at=None)
        delivery = delivery_of(event, aggregate_id=account_id, at=desk.clock.now())
        for _ in range(2):
            await desk.alerts.on_prices_stalled(delivery)
        desk.clock.pass_time(seconds=60)
    silent, heard = ("warning", "Prices of AAPL are silent"), ("info", "Prices of AAPL are heard again")
    assert await told(desk, "feed_silent") == [silent, heard, silent]
    rows = await desk.stored("alerts", "account_id, detail", "rule = 'feed_silent' order by raised_at")
    assert {row["account_id"] for row in rows} == {account_id}
    assert all("AAPL" in row["detail"] for row in rows)


async def test_a_job_that_stops_is_told_once_by_the_two_that_watch_and_so_is_its_return(desk: Desk) -> None:
    await all_come_round(desk)
    for _ in range(4):
        desk.clock.pass_time(seconds=10)
        await all_come_round(desk, "examine")
    await asyncio.gather(*(desk.alerts.beat(job) for job in ("watch", "sessions") * 3))
    assert await told(desk, "detector_dead") == [("critical", "Background job examine of risk stopped")]
    desk.clock.pass_time(seconds=1)
    await desk.alerts.beat("examine")
    await desk.alerts.beat("watch")
    assert (await told(desk, "detector_dead"))[1:] == [("info", "Background job examine of risk runs again")]
    assert len(await desk.events("alert_raised")) == 2


async def test_the_watch_itself_is_watched_and_a_restart_accuses_nobody(desk: Desk) -> None:
    await all_come_round(desk)
    desk.clock.pass_time(seconds=86_400)
    reborn = desk.restarted()
    await reborn.alerts.beat("sessions")
    assert await told(desk, "detector_dead") == []
    desk.clock.pass_time(seconds=16)
    await reborn.alerts.beat("sessions")
    assert await told(desk, "detector_dead") == [("critical", "Background job watch of risk stopped")]
