"""Messages: which happening makes a message, how grave it is, and how it reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from alphintra.kernel.vocabulary import OrderStatus, OrderType, Side

__all__ = [
    "Draft",
    "FillFacts",
    "Message",
    "OrderFacts",
    "Severity",
    "alert_told",
    "backtest_finished",
    "channel_failed",
    "drift_found",
    "escalated",
    "feed_finished",
    "fill_booked",
    "job_failing",
    "job_recovered",
    "kill_state_changed",
    "months_missing",
    "order_closed",
    "order_denied",
    "plain",
]


class Severity(StrEnum):
    """How grave a message is: news, something to look at, something to act on now."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A message before it is addressed; one person gets at most one for each ``dedupe_key``."""

    dedupe_key: str
    kind: str
    severity: Severity
    title: str
    body: str
    subject: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message in a person's inbox."""

    message_id: UUID
    kind: str
    severity: str
    title: str
    body: str
    subject: str
    created_at: datetime
    read_at: datetime | None
    acknowledged_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFacts:
    """What a message says about an order."""

    order_id: UUID
    symbol: str
    side: Side
    type: OrderType
    qty: Decimal | None
    limit_price: Decimal | None
    notional: Decimal | None = None

    @property
    def amount(self) -> str:
        """How much: the quantity, or the money where the order is for an amount of money."""
        return f"{_amount(self.notional or Decimal(0))} worth of" if self.qty is None else str(plain(self.qty))

    @property
    def phrase(self) -> str:
        """The order in words, e.g. ``buy 10 AAPL at 25.50 or better``."""
        price = "at the market" if self.limit_price is None else f"at {_amount(self.limit_price)} or better"
        return f"{self.side} {self.amount} {self.symbol} {price}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FillFacts:
    """What a message says about an execution; ``position`` and ``cash`` are those of the account after it."""

    account_id: UUID
    execution_id: str
    symbol: str
    side: Side
    qty: Decimal
    price: Decimal
    fee: Decimal
    realized_pnl: Decimal
    position: Decimal
    cash: Decimal


def order_denied(order: OrderFacts, *, code: str, reason: str) -> Draft:
    """Say that risk refused an order, and why."""
    return Draft(
        dedupe_key=f"order_denied:{order.order_id}",
        kind="order_denied",
        severity=Severity.WARNING,
        title=f"Order refused: {order.phrase}",
        body=f"Risk refused the order to {order.phrase}. {_sentence(reason)} Code: {code}.",
        subject=f"order:{order.order_id}",
    )


def fill_booked(fill: FillFacts) -> Draft:
    """Say what was bought or sold, what it cost, and where the account stands now."""
    verb = "Bought" if fill.side is Side.BUY else "Sold"
    title = f"{verb} {plain(fill.qty)} {fill.symbol} at {_amount(fill.price)}"
    result = f" It realised {_amount(fill.realized_pnl)}." if fill.realized_pnl else ""
    return Draft(
        dedupe_key=f"fill_booked:{fill.account_id}:{fill.execution_id}",
        kind="fill_booked",
        severity=Severity.INFO,
        title=title,
        body=f"{title}, fee {_amount(fill.fee)}.{result} "
        f"The account now holds {plain(fill.position)} {fill.symbol} and {_amount(fill.cash)} in cash.",
        subject=f"execution:{fill.execution_id}",
    )


def order_closed(
    order: OrderFacts, *, status: OrderStatus, filled_qty: Decimal, code: str, reason: str
) -> Draft | None:
    """Say that an order ended without being filled whole; None for a filled or denied one, which is told elsewhere."""
    match status:
        case OrderStatus.CANCELED:
            severity, ending = Severity.INFO, "was canceled"
        case OrderStatus.EXPIRED:
            severity, ending = Severity.WARNING, "expired"
        case OrderStatus.REJECTED:
            severity, ending = Severity.WARNING, "was not taken by the venue"
        case _:
            return None
    filled = f"{plain(filled_qty)} of {order.amount} were executed." if filled_qty else "Nothing of it was executed."
    cause = f" {_sentence(reason)}" if reason else ""
    named = f" Code: {code}." if code else ""
    return Draft(
        dedupe_key=f"order_closed:{order.order_id}",
        kind=f"order_{status}",
        severity=severity,
        title=f"Order {ending.removeprefix('was ')}: {order.phrase}",
        body=f"The order to {order.phrase} {ending}. {filled}{cause}{named}",
        subject=f"order:{order.order_id}",
    )


_KILL_STATES = {
    "normal": (Severity.INFO, "Trading is open again"),
    "reduce_only": (Severity.WARNING, "Only orders that reduce a position are taken"),
    "cancel_only": (Severity.CRITICAL, "Only cancellations are taken"),
    "halted": (Severity.CRITICAL, "Trading is halted"),
}


def kill_state_changed(account_id: UUID | None, *, state: str, epoch: int, reason: str) -> Draft:
    """Say that trading was blocked or released; for everything where no account is given."""
    severity, title = _KILL_STATES.get(state, (Severity.CRITICAL, f"The trading state is now {state}"))
    scope = "for everyone" if account_id is None else f"in account {account_id}"
    return Draft(
        dedupe_key=f"kill_state:{account_id or 'firm'}:{epoch}",
        kind="kill_state_changed",
        severity=severity,
        title=f"{title} {scope}",
        body=f"{title} {scope}. Reason: {_sentence(reason)}",
        subject="firm" if account_id is None else f"account:{account_id}",
    )


def backtest_finished(backtest_id: UUID, *, symbol: str, status: str, total_return: float | None) -> Draft:
    """Say how a backtest ended."""
    outcome = "" if total_return is None else f" Total return: {total_return:+.2%}."
    return Draft(
        dedupe_key=f"backtest_finished:{backtest_id}",
        kind="backtest_finished",
        severity=Severity.WARNING if status == "failed" else Severity.INFO,
        title=f"Backtest of {symbol} {status}",
        body=f"The backtest of {symbol} has {'been canceled' if status == 'canceled' else status}.{outcome}",
        subject=f"backtest:{backtest_id}",
    )


def feed_finished(feed_id: UUID, *, status: str, error: str) -> Draft:
    """Say that a price feed reached its end or failed."""
    failed = status == "failed"
    title = "A price feed failed" if failed else "A price feed reached its end"
    ahead = "Orders and deployments on it wait for its next bar." if failed else "No further bars will come from it."
    return Draft(
        dedupe_key=f"feed_finished:{feed_id}:{status}",
        kind="feed_finished",
        severity=Severity.CRITICAL if failed else Severity.INFO,
        title=title,
        body=f"{title}. {ahead}" + (f" {_sentence(error)}" if error else ""),
        subject=f"feed:{feed_id}",
    )


def drift_found(
    report_id: UUID, deployment_id: UUID, *, symbol: str, equity_bps: Decimal, reasons: Mapping[str, int]
) -> Draft:
    """Say that a deployment does otherwise than the backtest of its bars."""
    counted = ", ".join(f"{reason.replace('_', ' ')} ({count})" for reason, count in reasons.items())
    return Draft(
        dedupe_key=f"drift_found:{report_id}",
        kind="drift_found",
        severity=Severity.WARNING,
        title=f"The deployment on {symbol} drifts from its backtest",
        body=f"Its worth differs by {equity_bps:f} bps of the capital. Reasons: {counted}.",
        subject=f"deployment:{deployment_id}",
    )


def months_missing(table: str, *, kept_until: datetime | None, detail: str) -> Draft:
    """Say that a table is about to run out of months."""
    return Draft(
        dedupe_key=f"months_missing:{table}:{'' if kept_until is None else kept_until.isoformat()}",
        kind="months_missing",
        severity=Severity.WARNING,
        title=f"{table} runs out of months",
        body=_sentence(detail),
        subject="firm",
    )


def channel_failed(channel_id: UUID, name: str, *, detail: str, is_resting: bool, at: datetime) -> Draft:
    """Say that a message could not be sent by a channel; once a day and channel, and once more when it rests."""
    title = f"Messages do not arrive by {name}"
    rest = (
        " Nothing more is sent by this channel until a test arrives." if is_resting else " It is in the delivery log."
    )
    return Draft(
        dedupe_key=f"channel_failed:{channel_id}:{at:%Y-%m-%d}{':resting' if is_resting else ''}",
        kind="channel_failed",
        severity=Severity.WARNING,
        title=title,
        body=f"A message was given up after many attempts. The last one failed: {_sentence(detail)}{rest}",
        subject=f"channel:{channel_id}",
    )


_JOBS = {
    "full": "The full backup of instance",
    "incremental": "The incremental backup of instance",
    "service": "The backup of",
    "log": "The archiving of the log of instance",
    "retention": "Retention of",
}
_GRAVE = frozenset({"BACKUP_DAMAGED", "ARCHIVE_CORRUPT", "ARCHIVE_FORGED"})


def job_failing(kind: str, of: str, *, since: datetime, code: str, detail: str) -> Draft:
    """Say that a scheduled job fails, once for each series of failures; critical where what was kept is damaged."""
    job = _job(kind, of)
    return Draft(
        dedupe_key=f"job_failing:{kind}:{of}:{since.isoformat()}",
        kind="job_failing",
        severity=Severity.CRITICAL if code in _GRAVE else Severity.WARNING,
        title=f"{job} fails",
        body=f"{job} fails since {since:%Y-%m-%d %H:%M:%S} UTC; it is tried again. {_sentence(detail)} Code: {code}.",
        subject=f"job:{kind}:{of}",
    )


def job_recovered(kind: str, of: str, *, since: datetime) -> Draft:
    """Say that a scheduled job works again."""
    job = _job(kind, of)
    return Draft(
        dedupe_key=f"job_recovered:{kind}:{of}:{since.isoformat()}",
        kind="job_recovered",
        severity=Severity.INFO,
        title=f"{job} works again",
        body=f"{job} works again. It had failed since {since:%Y-%m-%d %H:%M:%S} UTC.",
        subject=f"job:{kind}:{of}",
    )


def alert_told(key: str, *, rule: str, severity: str, title: str, detail: str, subject: str) -> Draft:
    """Pass on an alert as risk worded it; ``key`` is the same for the same happening."""
    return Draft(
        dedupe_key=key, kind=f"alert_{rule}", severity=Severity(severity), title=title, body=detail, subject=subject
    )


def escalated(alert: Draft, *, raised_at: datetime) -> Draft:
    """Say that nobody has taken up an alert."""
    return replace(
        alert,
        severity=Severity.CRITICAL,
        title=f"Nobody has taken up: {alert.title}",
        body=f"{_sentence(alert.body)} It was raised at {raised_at:%Y-%m-%d %H:%M:%S} UTC.",
    )


def _job(kind: str, of: str) -> str:
    return "The trial restore of backups" if kind == "verify" else f"{_JOBS.get(kind, kind)} {of}"


def plain(value: Decimal) -> str:
    """Return an amount in full, thousands separated, without trailing zeros: ``1,250.5``."""
    return f"{value.normalize() + 0:,f}"


def _amount(value: Decimal) -> str:
    text = plain(value)
    decimals = len(text.partition(".")[2])
    return text if decimals >= _CENTS else f"{value:,.{_CENTS}f}"


_CENTS = 2


def _sentence(text: str) -> str:
    words = text.strip()
    return words if words.endswith((".", "!", "?")) else f"{words}."
