"""Use cases of watchdogs: prices are held to what strategy and broker say of them, jobs to coming round."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from alphintra.infrastructure.events import receive_once
from alphintra.risk.domain.alerts import RuleName
from alphintra.risk.domain.watchdogs import dead_jobs, silent_feeds, silent_symbol
from alphintra.risk.repository import Watches
from alphintra.risk.service.alerts import raise_alerts, service_context

if TYPE_CHECKING:
    from alphintra.contracts.broker import PricesStalled
    from alphintra.contracts.strategy import FeedStatusChanged
    from alphintra.infrastructure.events import Delivery
    from alphintra.kernel.ids import IdSource
    from alphintra.risk.repository import AlertRecords

__all__ = ["beat", "expect_feed", "hear_stall", "look_after"]

_CONSUMER = "risk.watchdogs"


async def expect_feed(delivery: Delivery[FeedStatusChanged], *, alerts: AlertRecords, at: datetime) -> None:
    """Take what a feed is to do from now on, once."""
    event = delivery.event
    async with alerts.transaction() as tx:
        if await receive_once(tx.session, _CONSUMER, delivery):
            await Watches(tx.session).expect(event.feed_id, status=event.status, interval_ms=event.interval_ms, at=at)


async def hear_stall(
    delivery: Delivery[PricesStalled], *, alerts: AlertRecords, ids: IdSource, at: datetime
) -> None:  # fmt: skip
    """Raise an alert for a symbol whose prices stopped coming from an account's venue, and one when they come, once."""
    event = delivery.event
    async with alerts.transaction() as tx:
        if not await receive_once(tx.session, _CONSUMER, delivery):
            return
        rule = (await tx.rules())[RuleName.FEED_SILENT]
        raised = silent_symbol(
            rule,
            event.account_id,
            event.symbol,
            is_silent=event.is_stalled,
            priced_at=event.priced_at,
            at=delivery.occurred_at,
        )
        await raise_alerts(tx, [raised], ids=ids, context=delivery.context, at=at)


async def beat(job: str, *, alerts: AlertRecords, at: datetime) -> None:
    """Note that a background job came round."""
    async with alerts.transaction() as tx:
        await Watches(tx.session).beat(job, at=at)


async def look_after(*, since: datetime, alerts: AlertRecords, ids: IdSource, at: datetime) -> int:
    """Raise an alert for each feed that fell silent and each job that stopped, and for each that came back.

    Args:
        since: when this process began to watch: nothing before counts against anybody.
        alerts: the store.
        ids: source of ids.
        at: now.

    Returns:
        how many alerts were raised.
    """
    async with alerts.transaction() as tx:
        watches, rules = Watches(tx.session), await tx.rules()
        jobs = list(dead_jobs(await watches.jobs(), rule=rules[RuleName.DETECTOR_DEAD], since=since, at=at))
        found = await watches.feeds(at=at)
        feeds = list(silent_feeds(found, rule=rules[RuleName.FEED_SILENT], since=since, at=at))
        await watches.save_jobs([after for _raised, after in jobs])
        await watches.save_feeds([after for _raised, after in feeds])
        raised = [one for one, _after in jobs] + [one for one, _after in feeds]
        return len(await raise_alerts(tx, raised, ids=ids, context=service_context(ids), at=at))
