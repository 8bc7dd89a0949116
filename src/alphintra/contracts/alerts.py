"""Alerts and their rules as risk tells of them."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from alphintra.kernel.messages import Utc, View

__all__ = ["AlertRuleView", "AlertRulesView", "AlertView", "AlertsView"]


class AlertView(View, frozen=True):
    """Something a person is to look at; ``acknowledged_by`` is who did."""

    alert_id: UUID
    rule: str
    severity: str
    account_id: UUID | None
    subject: str
    title: str
    detail: str
    happened_at: Utc
    raised_at: Utc
    escalated_at: Utc | None
    acknowledged_by: str | None
    acknowledged_at: Utc | None
    note: str


class AlertsView(View, frozen=True):
    """Alerts, newest first."""

    alerts: tuple[AlertView, ...]


class AlertRuleView(View, frozen=True):
    """A rule in force; version 0 is the built-in one.

    ``threshold`` is a share of the limit for limit_near, of the day's first equity for loss, messages for each trade
    for order_to_trade, seconds for copy_lag. ``escalate_after_s`` of 0 means never.
    """

    rule: str
    version: int
    is_enabled: bool
    severity: str
    threshold: Decimal
    repeat_after_s: int
    escalate_after_s: int
    set_by: str
    set_at: Utc | None


class AlertRulesView(View, frozen=True):
    """The rules in force, by name."""

    rules: tuple[AlertRuleView, ...]
