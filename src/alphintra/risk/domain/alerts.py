"""Alerts: which happening raises one, how grave it is, and how often it may be raised again; rules are data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final
from uuid import UUID

from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.money import require_finite

if TYPE_CHECKING:
    from alphintra.risk.domain.books import Kill

__all__ = [
    "DEFAULT_RULES",
    "Alert",
    "AlertRule",
    "LossOfDay",
    "Raised",
    "Refusals",
    "RuleName",
    "Severity",
    "break_found",
    "changed_rule",
    "copy_lagged",
    "feed_stale",
    "kill_changed",
    "limit_breached",
    "loss_reached",
    "many_messages",
    "order_uncertain",
    "reports_unclaimed",
    "review_due",
]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECONDS_MAX: Final = 86_400 * 7
_ONE: Final = Decimal(1)


class Severity(StrEnum):
    """How grave an alert is: news, something to look at, something to act on now."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class RuleName(StrEnum):
    """What alerts are raised about."""

    LIMIT_NEAR = "limit_near"
    LIMIT_BREACHED = "limit_breached"
    KILL_CHANGED = "kill_changed"
    LOSS = "loss"
    BREAK_FOUND = "break_found"
    FEED_STALE = "feed_stale"
    ORDER_UNCERTAIN = "order_uncertain"
    ORDER_TO_TRADE = "order_to_trade"
    COPY_LAG = "copy_lag"
    REVIEW_DUE = "review_due"
    FEED_SILENT = "feed_silent"
    DETECTOR_DEAD = "detector_dead"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRule:
    """One version of a rule.

    Attributes:
        rule: what it is about.
        version: 0 for the built-in one, then counted from 1.
        is_enabled: whether alerts are raised at all.
        severity: of its alerts; a loss of twice the threshold is critical whatever this says.
        threshold: share of a limit for limit_near, where limit sets do not ask for a smaller one, of the day's first
            equity for loss, messages for each trade for order_to_trade, seconds for copy_lag and feed_silent, times
            the patience with a job for detector_dead; not looked at by others.
        repeat_after_s: a happening of the same kind on the same subject is told again after so long; limits are told
            of when they are crossed and when there is room again, however long it takes.
        escalate_after_s: an alert nobody acknowledged goes to risk again, as critical, after so long; 0 for never.
        set_by: who set this version.
        set_at: when; None for the built-in one.
    """

    rule: RuleName
    version: int
    is_enabled: bool
    severity: Severity
    threshold: Decimal
    repeat_after_s: int
    escalate_after_s: int
    set_by: str = "built in"
    set_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Raised:
    """An alert before it is stored; one is stored for each ``dedupe_key``."""

    rule: AlertRule
    dedupe_key: str
    severity: Severity
    account_id: UUID | None
    subject: str
    title: str
    detail: str
    happened_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """An alert as it is stored."""

    alert_id: UUID
    dedupe_key: str
    rule: str
    severity: str
    account_id: UUID | None
    owner_id: UUID | None
    subject: str
    title: str
    detail: str
    happened_at: datetime
    raised_at: datetime
    escalated_at: datetime | None
    acknowledged_by: str | None
    acknowledged_at: datetime | None
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LossOfDay:
    """Equity of an account at the start of its day and now."""

    account_id: UUID
    day: str
    first: Decimal
    last: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusals:
    """Orders of an account that one control refused lately."""

    account_id: UUID
    code: str
    count: int
    detail: str
    happened_at: datetime


def _rule(name: RuleName, severity: Severity, threshold: str, repeat_after_s: int, escalate_after_s: int) -> AlertRule:
    return AlertRule(
        rule=name,
        version=0,
        is_enabled=True,
        severity=severity,
        threshold=Decimal(threshold),
        repeat_after_s=repeat_after_s,
        escalate_after_s=escalate_after_s,
    )


DEFAULT_RULES: Final[Mapping[RuleName, AlertRule]] = MappingProxyType(
    {
        rule.rule: rule
        for rule in (
            _rule(RuleName.LIMIT_NEAR, Severity.WARNING, "1", 3600, 0),
            _rule(RuleName.LIMIT_BREACHED, Severity.WARNING, "0", 900, 3600),
            _rule(RuleName.KILL_CHANGED, Severity.CRITICAL, "0", 1, 900),
            _rule(RuleName.LOSS, Severity.WARNING, "0.02", 86_400, 900),
            _rule(RuleName.BREAK_FOUND, Severity.CRITICAL, "0", 1, 900),
            _rule(RuleName.FEED_STALE, Severity.WARNING, "0", 900, 900),
            _rule(RuleName.ORDER_UNCERTAIN, Severity.CRITICAL, "0", 1, 300),
            _rule(RuleName.ORDER_TO_TRADE, Severity.WARNING, "100", 3600, 0),
            _rule(RuleName.COPY_LAG, Severity.WARNING, "5", 300, 900),
            _rule(RuleName.REVIEW_DUE, Severity.WARNING, "0", 86_400, 0),
            _rule(RuleName.FEED_SILENT, Severity.WARNING, "15", 1, 900),
            _rule(RuleName.DETECTOR_DEAD, Severity.CRITICAL, "1", 1, 300),
        )
    }
)


def changed_rule(current: AlertRule, wanted: AlertRule) -> AlertRule:
    """Return the rule to be in force: the present one if nothing changes, else the wanted one as the next version.

    Raises ALERT_THRESHOLD, ALERT_SECONDS or NUMBER_* for what no rule may say.
    """
    require_finite(wanted.threshold, pointer="/threshold")
    if wanted.threshold < 0:
        raise AlphintraError("ALERT_THRESHOLD", "a threshold is not negative", pointer="/threshold")
    if not 1 <= wanted.repeat_after_s <= _SECONDS_MAX:
        message = f"an alert repeats after 1 to {_SECONDS_MAX} seconds"
        raise AlphintraError("ALERT_SECONDS", message, pointer="/repeat_after_s")
    if not 0 <= wanted.escalate_after_s <= _SECONDS_MAX:
        message = f"an alert escalates after 1 to {_SECONDS_MAX} seconds, or never: 0"
        raise AlphintraError("ALERT_SECONDS", message, pointer="/escalate_after_s")
    same = replace(wanted, version=current.version, set_by=current.set_by, set_at=current.set_at)
    return current if same == current else replace(wanted, version=current.version + 1)


def limit_breached(rule: AlertRule, refusals: Refusals) -> Raised:
    """Say that a control refused orders."""
    orders = "order was" if refusals.count == 1 else "orders were"
    return Raised(
        rule=rule,
        dedupe_key=_key(rule, f"{refusals.account_id}:{refusals.code}", refusals.happened_at),
        severity=rule.severity,
        account_id=refusals.account_id,
        subject=f"account:{refusals.account_id}",
        title=f"Limit breached: {refusals.code}",
        detail=f"{refusals.count} {orders} refused by {refusals.code}. The latest: {refusals.detail}",
        happened_at=refusals.happened_at,
    )


def kill_changed(rule: AlertRule, kill: Kill) -> Raised:
    """Say that trading was blocked or released."""
    match kill.scope:
        case "firm":
            scope, subject, key = "for everyone", "firm", "firm"
        case "account":
            scope, subject, key = f"in account {kill.account_id}", f"account:{kill.account_id}", str(kill.account_id)
        case named:
            named_key = kill.book_id or kill.owner_id or kill.venue or kill.symbol
            scope, subject, key = f"for {named} {named_key}", f"{named}:{named_key}", f"{named}:{named_key}"
    return Raised(
        rule=rule,
        # The key notification tells a change for firm or account itself under: nobody is told twice.
        dedupe_key=f"kill_state:{key}:{kill.epoch}",
        severity=Severity.INFO if kill.state == "normal" else rule.severity,
        account_id=kill.account_id,
        subject=subject,
        title=f"Trading is {kill.state} {scope}",
        detail=f"Set by {kill.set_by}, epoch {kill.epoch}. Reason: {kill.reason}",
        happened_at=kill.set_at,
    )


def loss_reached(rule: AlertRule, loss: LossOfDay, *, at: datetime) -> Raised | None:
    """Say that a day's loss reached the threshold, and once more, as critical, twice the threshold; None below it."""
    if loss.first <= 0 or not rule.threshold:
        return None
    share = _ONE - loss.last / loss.first
    if share < rule.threshold:
        return None
    is_grave = share >= 2 * rule.threshold
    return Raised(
        rule=rule,
        dedupe_key=f"{rule.rule}:{loss.account_id}:{loss.day}:{2 if is_grave else 1}",
        severity=Severity.CRITICAL if is_grave else rule.severity,
        account_id=loss.account_id,
        subject=f"account:{loss.account_id}",
        title=f"Loss of {share:.1%} since the start of the day",
        detail=f"Equity fell from {loss.first:f} to {loss.last:f} on {loss.day}; {rule.threshold:.1%} calls for this.",
        happened_at=at,
    )


def break_found(rule: AlertRule, break_id: UUID, *, account_id: UUID, code: str, detail: str, at: datetime) -> Raised:
    """Say that the venue and we disagree."""
    return Raised(
        rule=rule,
        dedupe_key=f"{rule.rule}:{break_id}",
        severity=rule.severity,
        account_id=account_id,
        subject=f"account:{account_id}",
        title=f"Break found: {code}",
        detail=detail,
        happened_at=at,
    )


def reports_unclaimed(rule: AlertRule, order_id: UUID, *, detail: str, at: datetime) -> Raised:
    """Say that a venue reports on orders that are not in our books."""
    return Raised(
        rule=rule,
        dedupe_key=_key(rule, "unclaimed", at),
        severity=rule.severity,
        account_id=None,
        subject=f"order:{order_id}",
        title="Reports on orders that nobody knows",
        detail=f"{detail}: alphintra books unclaimed lists them",
        happened_at=at,
    )


def feed_stale(rule: AlertRule, *, account_id: UUID | None, subject: str, reason: str, at: datetime) -> Raised:
    """Say that prices or the venue cannot be relied on."""
    return Raised(
        rule=rule,
        dedupe_key=_key(rule, subject, at),
        severity=rule.severity,
        account_id=account_id,
        subject=subject,
        title="Prices or the venue cannot be relied on",
        detail=reason,
        happened_at=at,
    )


def order_uncertain(rule: AlertRule, order_id: UUID, *, account_id: UUID | None, reason: str, at: datetime) -> Raised:
    """Say that nobody knows whether the venue has an order."""
    return Raised(
        rule=rule,
        dedupe_key=f"{rule.rule}:{order_id}",
        severity=rule.severity,
        account_id=account_id,
        subject=f"order:{order_id}",
        title="Outcome of an order is not known",
        detail=f"Whether the venue has order {order_id} is not known; the venue is asked until it is. {reason}",
        happened_at=at,
    )


def many_messages(
    rule: AlertRule, *, account_id: UUID, symbol: str, messages: int, trades: int, at: datetime
) -> Raised | None:
    """Say that an account sends many messages for few trades in a day; None below the threshold.

    The ratio is messages (new, amend, cancel) / trades; without a trade the messages themselves are compared, so that
    nothing is divided by zero.
    """
    if messages < rule.threshold * max(trades, 1) or not rule.threshold:
        return None
    return Raised(
        rule=rule,
        dedupe_key=_key(rule, f"{account_id}:{symbol}", at),
        severity=rule.severity,
        account_id=account_id,
        subject=f"account:{account_id}",
        title=f"Order-to-trade ratio of {symbol} is high",
        detail=f"{messages} messages for {trades} trades in a day; {rule.threshold:f} for each trade are accepted.",
        happened_at=at,
    )


def copy_lagged(rule: AlertRule, *, account_id: UUID, execution_id: str, lag: timedelta, at: datetime) -> Raised | None:
    """Say that the copy of an execution reached surveillance late; None below the threshold."""
    seconds = Decimal(str(lag.total_seconds()))
    if seconds <= rule.threshold:
        return None
    return Raised(
        rule=rule,
        dedupe_key=_key(rule, "copy", at),
        severity=rule.severity,
        account_id=None,
        subject=f"account:{account_id}",
        title="Executions reach surveillance late",
        detail=f"Execution {execution_id} came {seconds:.1f} s after it was booked, {rule.threshold:f} s are accepted.",
        happened_at=at,
    )


def review_due(rule: AlertRule, *, detector: str, due: str, at: datetime) -> Raised:
    """Say that the yearly review of a detector's parameters is due."""
    return Raised(
        rule=rule,
        dedupe_key=f"{rule.rule}:{detector}:{due}",
        severity=rule.severity,
        account_id=None,
        subject=f"detector:{detector}",
        title=f"Parameters of {detector} are due for review",
        detail=f"They were to be reviewed by {due}: set them anew, changed or not.",
        happened_at=at,
    )


def _key(rule: AlertRule, subject: str, at: datetime) -> str:
    bucket = int((at - _EPOCH).total_seconds()) // rule.repeat_after_s
    return f"{rule.rule}:{subject}:{bucket}"
