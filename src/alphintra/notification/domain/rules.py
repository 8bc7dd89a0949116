"""Which messages leave by which channel: topics against least severities."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from alphintra.kernel.errors import AlphintraError
from alphintra.notification.domain.drafts import Severity

__all__ = [
    "KINDS",
    "OFF",
    "TOPICS",
    "USUAL",
    "Topic",
    "kinds_of",
    "least_severity",
    "require_rules",
    "topic_of",
    "wants",
]

OFF: Final = "off"
"""Instead of a severity: nothing of a topic leaves by a channel."""
USUAL: Final = Severity.WARNING.value
"""What holds for a topic nobody has set."""


class Topic(StrEnum):
    """What messages are about, as people choose by."""

    FILLS = "fills"
    ORDERS = "orders"
    ALERTS = "alerts"
    KILL_SWITCH = "kill_switch"
    STRATEGIES = "strategies"
    BACKTESTS = "backtests"
    FEEDS = "feeds"
    SYSTEM = "system"


TOPICS: Final[Mapping[Topic, str]] = MappingProxyType(
    {
        Topic.FILLS: "Executions",
        Topic.ORDERS: "Orders refused, rejected, expired or canceled",
        Topic.ALERTS: "Alerts of risk and their escalation",
        Topic.KILL_SWITCH: "Trading blocked or released",
        Topic.STRATEGIES: "Deployments and what their graphs tell",
        Topic.BACKTESTS: "Backtests that ended",
        Topic.FEEDS: "Price feeds that ended or failed",
        Topic.SYSTEM: "The platform itself",
    }
)
KINDS: Final[Mapping[str, Topic]] = MappingProxyType(
    {
        "fill_booked": Topic.FILLS,
        "order_denied": Topic.ORDERS,
        "order_canceled": Topic.ORDERS,
        "order_expired": Topic.ORDERS,
        "order_rejected": Topic.ORDERS,
        "kill_state_changed": Topic.KILL_SWITCH,
        "drift_found": Topic.STRATEGIES,
        "backtest_finished": Topic.BACKTESTS,
        "feed_finished": Topic.FEEDS,
        "months_missing": Topic.SYSTEM,
        "channel_failed": Topic.SYSTEM,
        "job_failing": Topic.SYSTEM,
        "job_recovered": Topic.SYSTEM,
    }
)
"""The topic of each kind of message; alerts, whose kinds are the rules of risk, are told by how they begin."""
_ALERT: Final = "alert_"
_RANKS: Final = {Severity.INFO: 0, Severity.WARNING: 1, Severity.CRITICAL: 2}


def topic_of(kind: str) -> Topic:
    """Return what a kind of message is about; the platform itself where nobody has said."""
    return Topic.ALERTS if kind.startswith(_ALERT) else KINDS.get(kind, Topic.SYSTEM)


def kinds_of(topic: Topic) -> tuple[str, ...]:
    """Return patterns of ``LIKE`` that match the kinds of a topic."""
    if topic is Topic.ALERTS:
        return (r"alert\_%",)
    return tuple(kind.replace("_", r"\_") for kind, found in KINDS.items() if found is topic)


def wants(least: str, severity: Severity, *, muted_until: datetime | None, at: datetime) -> bool:
    """Tell whether a message leaves by a channel.

    Args:
        least: the severity from which on, or ``off``.
        severity: the message's.
        muted_until: until when the person wants nothing but what is critical.
        at: when the message is made.
    """
    if least == OFF or _RANKS[severity] < _RANKS[Severity(least)]:
        return False
    return severity is Severity.CRITICAL or muted_until is None or muted_until <= at


def require_rules(rules: Mapping[str, str]) -> dict[str, str]:
    """Return what a person chose for topics. Raises FIELD_VALUE for topics and severities there are not."""
    for topic, least in rules.items():
        if topic not in set(Topic):
            message = f"there is no topic {topic[:40]!r}: choose {', '.join(Topic)}"
            raise AlphintraError("FIELD_VALUE", message, pointer="/rules")
        if least not in {*Severity, OFF}:
            message = f"{least[:40]!r} is no severity: choose {', '.join((*Severity, OFF))}"
            raise AlphintraError("FIELD_VALUE", message, pointer=f"/rules/{topic}")
    return dict(rules)


def least_severity(text: str) -> tuple[str, ...]:
    """Return the severities from one on, all for none. Raises FIELD_VALUE."""
    if not text:
        return tuple(_RANKS)
    if text not in set(Severity):
        message = f"{text[:40]!r} is no severity: choose {', '.join(Severity)}"
        raise AlphintraError("FIELD_VALUE", message, pointer="/severity")
    return tuple(each for each, rank in _RANKS.items() if rank >= _RANKS[Severity(text)])
