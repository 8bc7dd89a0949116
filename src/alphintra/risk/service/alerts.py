"""Use cases of alerts: raised in the transaction that finds the cause, acknowledged by name, escalated if nobody does.

What other services tell raises an alert where it is heard; what risk itself decides is looked for every second.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from alphintra.contracts.alerts import AlertRulesView, AlertRuleView, AlertsView, AlertView
from alphintra.contracts.risk import AlertEscalated, AlertRaised
from alphintra.infrastructure.events import append_audit, append_events, receive_once
from alphintra.infrastructure.faults import fault_point
from alphintra.kernel.authority import require_all_accounts
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.messages import Actor, Context
from alphintra.risk.domain import alerts as domain
from alphintra.risk.domain.alerts import Alert, AlertRule, Raised, RuleName, Severity
from alphintra.risk.repository import Warnings
from alphintra.risk.service.warnings import changed_accounts, warn_of_limits, warn_of_shared

if TYPE_CHECKING:
    from alphintra.contracts.broker import BreakFound, ConnectionChanged, OrderUncertain
    from alphintra.contracts.risk import AcknowledgeAlert, ListAlerts, SetAlertRule
    from alphintra.contracts.strategy import FeedFinished, ProtectionLost
    from alphintra.contracts.unclaimed import ReportsUnclaimed
    from alphintra.infrastructure.events import Delivery
    from alphintra.kernel.ids import IdSource
    from alphintra.risk.repository import AlertRecords, AlertTransaction

__all__ = [
    "acknowledge_alert",
    "escalate_alerts",
    "hear_break",
    "hear_connection",
    "hear_feed",
    "hear_protection_lost",
    "hear_uncertain",
    "hear_unclaimed",
    "list_alert_rules",
    "list_alerts",
    "lookback",
    "raise_alerts",
    "raise_losses",
    "service_context",
    "set_alert_rule",
    "watch",
]

LISTED_MAX = 1000
ESCALATED_MAX = 100
NOTE_LENGTH_MAX = 500
_CONSUMER = "risk.alerts"
_PROTECTION_MISSING = "PROTECTION_MISSING"
_SEES_ALL = {"owner", "operator"}
_UNRELIABLE = {"degraded", "expired", "closed"}
FIRM = UUID(int=0)  # stands for the firm where an event names what it is about


def service_context(ids: IdSource) -> Context:
    """Return the context of what risk does by itself."""
    return Context(trace_id=ids.new().hex, actor=Actor(id="service:risk"))


async def raise_alerts(
    tx: AlertTransaction, raised: Iterable[Raised | None], *, ids: IdSource, context: Context, at: datetime
) -> tuple[Alert, ...]:
    """Store alerts and tell of those that are new, in the transaction at hand; a rule that is off raises none."""
    batch = [one for one in raised if one is not None and one.rule.is_enabled]
    if not batch:
        return ()
    stored = await tx.add(batch, ids=ids, at=at)
    events = [
        (alert.account_id or FIRM, AlertRaised(alert=_view(alert), owner_id=alert.owner_id, key=alert.dedupe_key))
        for alert in stored
    ]
    await append_events(tx.session, events, ids=ids, context=context, at=at)
    fault_point("risk.alerts_stored")
    return stored


async def watch(
    touched: Sequence[UUID],
    seen: dict[UUID, int],
    *,
    since: datetime,
    alerts: AlertRecords,
    ids: IdSource,
    at: datetime,
) -> int:
    """Raise what is new in refusals, kill states and the use of limits; returns how many.

    Args:
        touched: accounts whose positions, working orders or messages changed.
        seen: how far each feed had come at the last look; left as it is now.
        since: when was last looked, with some overlap: what was raised is not raised again.
        alerts: the store.
        ids: source of ids.
        at: now.
    """
    async with alerts.transaction() as tx:
        rules = await tx.rules()
        raised: list[Raised | None] = []
        for refusals in await tx.refusals(since=since):
            raised.append(domain.limit_breached(rules[RuleName.LIMIT_BREACHED], refusals))
            if refusals.code == "RISK_REF_STALE":
                raised.append(_stale(rules, refusals))
        raised += [domain.kill_changed(rules[RuleName.KILL_CHANGED], kill) for kill in await tx.kills(since=since)]
        warnings = Warnings(tx.session)
        accounts = await changed_accounts(warnings, touched, seen)
        raised += await warn_of_limits(warnings, accounts, rules, at=at)
        raised += await warn_of_shared(warnings, rules, at=at)
        return len(await raise_alerts(tx, raised, ids=ids, context=service_context(ids), at=at))


async def raise_losses(
    tx: AlertTransaction, fallen: Sequence[domain.LossOfDay], *, ids: IdSource, at: datetime
) -> None:
    """Raise what the day's losses call for, in the transaction that noted them."""
    if not fallen:
        return
    rule = (await tx.rules())[RuleName.LOSS]
    found = [domain.loss_reached(rule, loss, at=at) for loss in fallen]
    await raise_alerts(tx, found, ids=ids, context=service_context(ids), at=at)


async def escalate_alerts(*, alerts: AlertRecords, ids: IdSource, at: datetime) -> int:
    """Tell risk once more of the alerts nobody acknowledged in time; returns how many."""
    async with alerts.transaction() as tx:
        found = await tx.escalate(count_max=ESCALATED_MAX, at=at)
        events = [
            (alert.account_id or FIRM, AlertEscalated(alert=_view(alert), owner_id=alert.owner_id)) for alert in found
        ]
        await append_events(tx.session, events, ids=ids, context=service_context(ids), at=at)
    return len(found)


async def hear_break(delivery: Delivery[BreakFound], *, alerts: AlertRecords, ids: IdSource, at: datetime) -> None:
    """Raise an alert for a break, once."""
    event = delivery.event
    async with alerts.transaction() as tx:
        if not await receive_once(tx.session, _CONSUMER, delivery):
            return
        rule = (await tx.rules())[RuleName.BREAK_FOUND]
        raised = domain.break_found(
            rule,
            event.break_id,
            account_id=event.account_id,
            code=event.code,
            detail=event.detail,
            at=delivery.occurred_at,
        )
        await raise_alerts(tx, [raised], ids=ids, context=delivery.context, at=at)


async def hear_protection_lost(
    delivery: Delivery[ProtectionLost], *, alerts: AlertRecords, ids: IdSource, at: datetime
) -> None:
    """Raise an alert for a position of a strategy that is open without its exits, once."""
    event = delivery.event
    async with alerts.transaction() as tx:
        if not await receive_once(tx.session, _CONSUMER, delivery):
            return
        raised = domain.break_found(
            (await tx.rules())[RuleName.BREAK_FOUND],
            event.loss_id,
            account_id=event.account_id,
            code=_PROTECTION_MISSING,
            detail=f"Strategy {event.deployment_id}: {event.detail}",
            at=delivery.occurred_at,
        )
        await raise_alerts(tx, [raised], ids=ids, context=delivery.context, at=at)


async def hear_unclaimed(
    delivery: Delivery[ReportsUnclaimed], *, alerts: AlertRecords, ids: IdSource, at: datetime
) -> None:
    """Raise an alert for reports on orders that trading does not know, as a break, once."""
    event = delivery.event
    async with alerts.transaction() as tx:
        if not await receive_once(tx.session, _CONSUMER, delivery):
            return
        rule = (await tx.rules())[RuleName.BREAK_FOUND]
        raised = domain.reports_unclaimed(rule, event.order_id, detail=event.detail, at=delivery.occurred_at)
        await raise_alerts(tx, [raised], ids=ids, context=delivery.context, at=at)


async def hear_uncertain(
    delivery: Delivery[OrderUncertain], *, alerts: AlertRecords, ids: IdSource, at: datetime
) -> None:
    """Raise an alert for an order nobody knows the outcome of, once."""
    event = delivery.event
    async with alerts.transaction() as tx:
        if not await receive_once(tx.session, _CONSUMER, delivery):
            return
        rule = (await tx.rules())[RuleName.ORDER_UNCERTAIN]
        account_id = await tx.account_of(event.order_id)
        raised = domain.order_uncertain(
            rule, event.order_id, account_id=account_id, reason=event.reason, at=delivery.occurred_at
        )
        await raise_alerts(tx, [raised], ids=ids, context=delivery.context, at=at)


async def hear_connection(
    delivery: Delivery[ConnectionChanged], *, alerts: AlertRecords, ids: IdSource, at: datetime
) -> None:
    """Raise an alert for a connection that cannot be relied on any more, once."""
    event = delivery.event
    async with alerts.transaction() as tx:
        if not await receive_once(tx.session, _CONSUMER, delivery) or event.status not in _UNRELIABLE:
            return
        rule = (await tx.rules())[RuleName.FEED_STALE]
        raised = domain.feed_stale(
            rule,
            account_id=event.account_id,
            subject=f"account:{event.account_id}",
            reason=f"The connection is {event.status}. {event.reason}",
            at=delivery.occurred_at,
        )
        await raise_alerts(tx, [raised], ids=ids, context=delivery.context, at=at)


async def hear_feed(delivery: Delivery[FeedFinished], *, alerts: AlertRecords, ids: IdSource, at: datetime) -> None:
    """Raise an alert for a feed that failed, once; one that came to its end is no failure."""
    event = delivery.event
    async with alerts.transaction() as tx:
        if not await receive_once(tx.session, _CONSUMER, delivery) or event.status != "failed":
            return
        rule = (await tx.rules())[RuleName.FEED_STALE]
        reason = f"The price feed failed. {event.error}"
        raised = domain.feed_stale(
            rule, account_id=None, subject=f"feed:{event.feed_id}", reason=reason, at=delivery.occurred_at
        )
        await raise_alerts(tx, [raised], ids=ids, context=delivery.context, at=at)


async def list_alerts(command: ListAlerts, context: Context, *, alerts: AlertRecords) -> AlertsView:
    """Return alerts, newest first: of everybody to owner and operator, to others those about their accounts.

    Raises LIMIT_RANGE.
    """
    if not 0 < command.limit <= LISTED_MAX:
        raise AlphintraError("LIMIT_RANGE", f"limit is 1 to {LISTED_MAX}", pointer="/limit")
    owner_id = None if _sees_all(context) else context.actor.user_id or FIRM
    found = await alerts.listed(owner_id=owner_id, open_only=command.open_only, count_max=command.limit)
    return AlertsView(alerts=tuple(_view(alert) for alert in found))


async def acknowledge_alert(
    command: AcknowledgeAlert, context: Context, *, alerts: AlertRecords, ids: IdSource, at: datetime
) -> AlertView:
    """Note that the acting person has taken an alert up; who did first stays. Raises ALERT_NOT_FOUND, NOTE_FORMAT."""
    if len(command.note) > NOTE_LENGTH_MAX:
        message = f"a note has at most {NOTE_LENGTH_MAX} characters"
        raise AlphintraError("NOTE_FORMAT", message, pointer="/note")
    async with alerts.transaction() as tx:
        alert = await tx.lock(command.alert_id)
        if alert is None or not (_sees_all(context) or alert.owner_id == context.actor.user_id is not None):
            message = f"there is no alert {command.alert_id} for you: list the alerts"
            raise AlphintraError("ALERT_NOT_FOUND", message, kind=Kind.NOT_FOUND, pointer="/alert_id")
        if alert.acknowledged_at is not None:
            return _view(alert)
        await tx.acknowledge(alert.alert_id, by=context.actor.id, note=command.note, at=at)
        detail: dict[str, object] = {"note": command.note}
        subject = f"alert:{alert.alert_id}"
        await append_audit(tx.session, "alert.acknowledge", subject, detail, ids=ids, context=context, at=at)
        changed = await tx.lock(command.alert_id)
    return _view(alert if changed is None else changed)


async def list_alert_rules(*, alerts: AlertRecords) -> AlertRulesView:
    """Return the rules in force."""
    async with alerts.transaction() as tx:
        rules = await tx.rules()
    return AlertRulesView(rules=tuple(_rule_view(rules[name]) for name in RuleName))


async def set_alert_rule(
    command: SetAlertRule, context: Context, *, alerts: AlertRecords, ids: IdSource, at: datetime
) -> AlertRuleView:
    """Store a new version of a rule, from the next look on. Raises ALERT_RULE, AUTH_SCOPE, ALERT_* and NUMBER_*."""
    if command.rule not in tuple(RuleName):
        message = f"there is no rule {command.rule[:40]!r}: the rules are {', '.join(RuleName)}"
        raise AlphintraError("ALERT_RULE", message, kind=Kind.NOT_FOUND, pointer="/rule")
    require_all_accounts(context.actor, "a rule of alerts holds for all accounts", pointer="/rule")
    if command.severity not in tuple(Severity):
        raise AlphintraError("ALERT_SEVERITY", f"a severity is {', '.join(Severity)}", pointer="/severity")
    async with alerts.transaction() as tx:
        current = (await tx.rules())[RuleName(command.rule)]
        wanted = AlertRule(
            rule=current.rule,
            version=0,
            is_enabled=command.is_enabled,
            severity=Severity(command.severity),
            threshold=command.threshold,
            repeat_after_s=command.repeat_after_s,
            escalate_after_s=command.escalate_after_s,
            set_by=context.actor.id,
            set_at=at,
        )
        rule = domain.changed_rule(current, wanted)
        if rule is not current:
            await tx.add_rule(rule)
            view = _rule_view(rule)
            await append_audit(
                tx.session, "alert_rule.set", f"alert_rule:{rule.rule}", view, ids=ids, context=context, at=at
            )
    return _rule_view(rule)


def lookback(last: datetime | None, *, at: datetime) -> datetime:
    """Return since when to look: a minute before the last look, for commits become visible late; an hour at first."""
    return at - timedelta(hours=1) if last is None else last - timedelta(minutes=1)


def _stale(rules: Mapping[RuleName, AlertRule], refusals: domain.Refusals) -> Raised:
    return domain.feed_stale(
        rules[RuleName.FEED_STALE],
        account_id=refusals.account_id,
        subject=f"account:{refusals.account_id}",
        reason=refusals.detail,
        at=refusals.happened_at,
    )


def _sees_all(context: Context) -> bool:
    return bool(_SEES_ALL & set(context.actor.roles))


def _view(alert: Alert) -> AlertView:
    return msgspec.convert(alert, AlertView, from_attributes=True)


def _rule_view(rule: AlertRule) -> AlertRuleView:
    return msgspec.convert(rule, AlertRuleView, from_attributes=True)
