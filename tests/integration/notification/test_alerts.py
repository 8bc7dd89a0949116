"""Alerts of risk reach the owner of the account and whoever watches risk, once; escalations the latter alone."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest_asyncio

from alphintra.contracts.alerts import AlertView
from alphintra.contracts.auth import UserRegistered
from alphintra.contracts.notification import ListMessages, MessageView
from alphintra.contracts.risk import AlertEscalated, AlertRaised
from alphintra.contracts.trading import MonthsMissing
from alphintra.infrastructure.system import SystemIds
from alphintra.notification.endpoints import Endpoints
from alphintra.notification.repository.inboxes import Inboxes
from fixtures.single_service import NOON, SettableClock, acting, delivery_of, opened

if TYPE_CHECKING:
    from uuid import UUID

    from fixtures.postgres import ServiceDatabase

IDS = SystemIds()
TRADER, BYSTANDER, OWNER = IDS.new(), IDS.new(), IDS.new()


@pytest_asyncio.fixture
async def endpoints(service_database: Callable[[str], Awaitable[ServiceDatabase]]) -> AsyncIterator[Endpoints]:
    async with opened(await service_database("notification")) as database:
        found = Endpoints(inboxes=Inboxes(database), clock=SettableClock(), ids=IDS)
        for user_id, role in ((TRADER, "trader"), (BYSTANDER, "trader"), (OWNER, "owner")):
            event = UserRegistered(user_id=user_id, email="x@example.org", role=role)
            await found.on_user_registered(delivery_of(event, aggregate_id=user_id))
        yield found


def alert() -> AlertView:
    return AlertView(
        alert_id=IDS.new(),
        rule="loss",
        severity="warning",
        account_id=IDS.new(),
        subject="account:1",
        title="Loss of 2.0% since the start of the day",
        detail="Equity fell from 1000 to 980.",
        happened_at=NOON,
        raised_at=NOON + timedelta(seconds=1),
        escalated_at=None,
        acknowledged_by=None,
        acknowledged_at=None,
        note="",
    )


async def inbox(endpoints: Endpoints, user_id: UUID) -> tuple[MessageView, ...]:
    return (await endpoints.list_messages(ListMessages(), acting(user_id))).messages


async def test_an_alert_reaches_the_owner_and_risk_once_and_nobody_else(endpoints: Endpoints) -> None:
    raised = AlertRaised(alert=alert(), owner_id=TRADER, key="loss:1:2026-03-02:1")
    first = delivery_of(raised, aggregate_id=IDS.new())
    for delivery in (first, first, delivery_of(raised, aggregate_id=IDS.new())):
        await endpoints.on_alert_raised(delivery)
    for user_id in (TRADER, OWNER):
        (message,) = await inbox(endpoints, user_id)
        assert (message.kind, message.severity, message.title) == ("alert_loss", "warning", raised.alert.title)
    assert await inbox(endpoints, BYSTANDER) == ()


async def test_a_table_that_runs_out_of_months_is_told_to_those_who_watch_once_for_each_month(
    endpoints: Endpoints,
) -> None:
    for kept_until in (NOON, NOON, NOON + timedelta(days=31)):
        event = MonthsMissing(table="trading_schema.orders", kept_until=kept_until, detail="there is no month")
        await endpoints.on_months_missing(delivery_of(event, aggregate_id=IDS.new()))
    first, second = await inbox(endpoints, OWNER)
    assert {first.severity, second.severity} == {"warning"}
    assert (first.title, first.body) == ("trading_schema.orders runs out of months", "there is no month.")
    assert await inbox(endpoints, TRADER) == ()


async def test_an_escalation_reaches_risk_alone_as_critical(endpoints: Endpoints) -> None:
    event = AlertEscalated(alert=alert(), owner_id=TRADER)
    await endpoints.on_alert_escalated(delivery_of(event, aggregate_id=IDS.new()))
    (message,) = await inbox(endpoints, OWNER)
    assert message.severity == "critical"
    assert message.title == "Nobody has taken up: Loss of 2.0% since the start of the day"
    assert await inbox(endpoints, TRADER) == ()
