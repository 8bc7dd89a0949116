"""Alerts are stored with what causes them, once for each happening, acknowledged by name and escalated if not."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec
import pytest

from alphintra.contracts import risk as messages
from alphintra.contracts.broker import BreakFound, ConnectionChanged, OrderUncertain
from alphintra.contracts.strategy import FeedFinished
from alphintra.contracts.unclaimed import ReportsUnclaimed
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.limits import LimitControls
from alphintra.kernel.vocabulary import Side
from fixtures.single_service import NOON, acting, delivery_of
from integration.risk.desk import operator

if TYPE_CHECKING:
    from uuid import UUID

    from alphintra.contracts.alerts import AlertView
    from alphintra.kernel.messages import Context
    from integration.risk.desk import Desk


async def alerts_of(desk: Desk, context: Context | None = None, *, open_only: bool = False) -> tuple[AlertView, ...]:
    command = messages.ListAlerts(open_only=open_only)
    return (await desk.alerts.list_alerts(command, context or operator())).alerts


async def look(desk: Desk) -> None:
    await desk.alerts.look(since=NOON - timedelta(hours=1))


def break_of(desk: Desk, account_id: UUID) -> BreakFound:
    return BreakFound(
        break_id=desk.ids.new(), account_id=account_id, code="OVERFILL", symbol="AAPL", order_id=None, detail="11 of 10"
    )


async def test_a_refused_order_raises_one_alert_however_often_is_looked_and_told_to_its_owner_and_risk(
    desk: Desk,
) -> None:
    account_id = await desk.open_account()
    await desk.mark(AAPL="100")
    for _ in range(3):
        await desk.assess(desk.order(account_id, Side.BUY, "1000000", "100"))
    await look(desk)
    await look(desk)
    breached = [one for one in await alerts_of(desk) if one.rule == "limit_breached"]
    assert len(breached) == len({one.title for one in breached}) > 0
    assert all(one.detail.startswith("3 orders were refused") for one in breached)
    assert len(await desk.events("alert_raised")) == len(await alerts_of(desk))
    assert str(desk.owner_id) in (await desk.events("alert_raised"))[0]


async def test_a_position_near_its_limit_raises_an_alert_with_working_orders_counted(desk: Desk) -> None:
    account_id = await desk.open_account()
    await desk.mark(AAPL="100")
    await desk.limit(account_id, position_qty_max=Decimal(100))
    order = desk.order(account_id, Side.BUY, "79", "100")
    await desk.confirm(order, await desk.approved(order))
    await look(desk)
    assert await alerts_of(desk) == ()
    more = desk.order(account_id, Side.BUY, "1", "100")
    await desk.confirm(more, await desk.approved(more))
    await look(desk)
    (alert,) = await alerts_of(desk)
    assert (alert.rule, alert.severity, alert.account_id) == ("limit_near", "warning", account_id)


async def test_every_limit_of_the_account_that_is_nearly_used_up_raises_an_alert(desk: Desk) -> None:
    account_id, other = await desk.open_account(), await desk.open_account()
    await desk.mark(AAPL="100")
    most = LimitControls(
        gross_exposure_max=Decimal(1000), net_exposure_max=Decimal(900), credit_max=Decimal(2000), open_orders_max=2
    )
    await desk.limit(account_id, controls=most)
    for account in (account_id, other):
        order = desk.order(account, Side.BUY, "8", "100")
        await desk.confirm(order, await desk.approved(order))
    await look(desk)
    assert sorted(alert.title for alert in await alerts_of(desk)) == [
        "Limit of gross exposure nearly used up",
        "Limit of net exposure nearly used up",
    ]
    more = desk.order(account_id, Side.BUY, "1", "100")
    await desk.confirm(more, await desk.approved(more))
    await look(desk)
    found = {alert.title: alert for alert in await alerts_of(desk)}
    assert len(found) == 3
    assert found["Limit of open orders nearly used up"].account_id == account_id
    assert "Open orders: 2 of at most 2" in found["Limit of open orders nearly used up"].detail


async def test_a_kill_state_raises_an_alert_and_so_does_its_release(desk: Desk) -> None:
    account_id = await desk.open_account()
    await desk.kill("halted", account_id)
    await desk.kill("normal", account_id)
    await look(desk)
    assert {(one.rule, one.severity) for one in await alerts_of(desk)} == {
        ("kill_changed", "critical"),
        ("kill_changed", "info"),
    }


async def test_a_loss_raises_its_alert_in_the_transaction_of_the_mark_that_brings_it(desk: Desk) -> None:
    account_id = await desk.open_account(cash="10000")
    await desk.mark(seq=1, AAPL="100")
    order = desk.order(account_id, Side.BUY, "50", "100")
    await desk.confirm(order, await desk.approved(order))
    await desk.fill(order, "50", "100")
    for seq, price in enumerate(("97", "96", "95", "92"), start=2):  # 1.5 %, 2 %, 2.5 %, 4 % of 10,000
        await desk.mark(seq=seq, AAPL=price)
    assert [(one.rule, one.severity) for one in reversed(await alerts_of(desk))] == [
        ("loss", "warning"),
        ("loss", "critical"),
    ]


async def test_what_others_tell_raises_an_alert_once_however_often_it_comes(desk: Desk) -> None:
    account_id = await desk.open_account()
    found = delivery_of(break_of(desk, account_id), aggregate_id=account_id)
    uncertain = delivery_of(OrderUncertain(order_id=desk.ids.new(), reason="no answer"), aggregate_id=account_id)
    broken = delivery_of(
        ConnectionChanged(account_id=account_id, status="degraded", reason="no prices for 90 s"),
        aggregate_id=account_id,
    )
    well = delivery_of(ConnectionChanged(account_id=account_id, status="open", reason=""), aggregate_id=account_id)
    failed = delivery_of(
        FeedFinished(feed_id=desk.feed_id, owner_id=desk.owner_id, status="failed", error="file gone"),
        aggregate_id=desk.feed_id,
    )
    ended = delivery_of(
        FeedFinished(feed_id=desk.ids.new(), owner_id=desk.owner_id, status="finished", error=""),
        aggregate_id=desk.feed_id,
    )
    strange = delivery_of(
        ReportsUnclaimed(order_id=desk.ids.new(), count=3, detail="3 reports"), aggregate_id=account_id
    )
    for _ in range(2):
        await desk.alerts.on_reports_unclaimed(strange)
        await desk.alerts.on_break_found(found)
        await desk.alerts.on_order_uncertain(uncertain)
        await desk.alerts.on_connection_changed(broken)
        await desk.alerts.on_connection_changed(well)
        await desk.alerts.on_feed_finished(failed)
        await desk.alerts.on_feed_finished(ended)
    assert sorted(one.rule for one in await alerts_of(desk)) == [
        "break_found",
        "break_found",
        "feed_stale",
        "feed_stale",
        "order_uncertain",
    ]


async def test_an_alert_is_taken_up_by_the_first_person_and_by_name(desk: Desk) -> None:
    account_id = await desk.open_account()
    await desk.alerts.on_break_found(delivery_of(break_of(desk, account_id), aggregate_id=account_id))
    (alert,) = await alerts_of(desk, desk.owner)
    taken = messages.AcknowledgeAlert(alert_id=alert.alert_id, note="looking")
    first = await desk.alerts.acknowledge_alert(taken, desk.owner)
    second = await desk.alerts.acknowledge_alert(taken, operator())
    assert first.acknowledged_by == second.acknowledged_by == f"user:{desk.owner_id}"
    assert await alerts_of(desk, open_only=True) == ()
    assert len(await desk.stored("audit_events", "detail", "action = 'alert.acknowledge'")) == 1


async def test_nobody_sees_or_takes_up_alerts_about_others(desk: Desk) -> None:
    account_id, stranger = await desk.open_account(), acting(desk.ids.new())
    await desk.alerts.on_break_found(delivery_of(break_of(desk, account_id), aggregate_id=account_id))
    (alert,) = await alerts_of(desk)
    assert await alerts_of(desk, stranger) == ()
    for context in (stranger, acting(None, roles=())):
        with pytest.raises(AlphintraError) as refused:
            await desk.alerts.acknowledge_alert(messages.AcknowledgeAlert(alert_id=alert.alert_id), context)
        assert refused.value.code == "ALERT_NOT_FOUND"
    assert len(await alerts_of(desk, open_only=True)) == 1


async def test_what_nobody_takes_up_escalates_once(desk: Desk) -> None:
    account_id = await desk.open_account()
    for _ in range(2):
        await desk.alerts.on_break_found(delivery_of(break_of(desk, account_id), aggregate_id=account_id))
    taken, _left = await alerts_of(desk)
    await desk.alerts.acknowledge_alert(messages.AcknowledgeAlert(alert_id=taken.alert_id), desk.owner)
    for seconds, count in ((899, 0), (1, 1), (900, 1)):
        desk.clock.pass_time(seconds=seconds)
        await look(desk)
        assert len(await desk.events("alert_escalated")) == count


async def test_a_rule_that_is_off_raises_nothing_and_one_is_changed_by_version(desk: Desk) -> None:
    account_id = await desk.open_account()
    rules = {one.rule: one for one in (await desk.alerts.list_alert_rules(messages.ListAlertRules(), operator())).rules}
    kept = rules["break_found"]
    change = messages.SetAlertRule(
        rule="break_found",
        is_enabled=False,
        severity=kept.severity,
        threshold=kept.threshold,
        repeat_after_s=kept.repeat_after_s,
        escalate_after_s=kept.escalate_after_s,
    )
    assert (await desk.alerts.set_alert_rule(change, operator())).version == 1
    assert (await desk.alerts.set_alert_rule(change, operator())).version == 1
    await desk.alerts.on_break_found(delivery_of(break_of(desk, account_id), aggregate_id=account_id))
    assert await alerts_of(desk) == ()
    with pytest.raises(AlphintraError) as refused:
        await desk.alerts.set_alert_rule(msgspec.structs.replace(change, rule="nothing"), operator())
    assert refused.value.code == "ALERT_RULE"
