"""The question every service answers alike: are you well, and on which database do you stand."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

import msgspec

from alphintra.kernel.messages import Command, Utc, View

__all__ = ["HEALTH_COMMANDS", "HealthView", "MonthsView"]


class MonthsView(msgspec.Struct, frozen=True, kw_only=True):
    """How the tables of a service that are cut by month stand.

    Attributes:
        kept_until: the first instant one of them has no month for; None where one has none.
        has_rest: whether rows lie in a part for times that no month holds.
        warning: what is wrong, in words; empty if nothing is.
    """

    kept_until: Utc | None
    has_rest: bool
    warning: str


class HealthView(View, frozen=True):
    """State of one service as its own database sees it.

    Attributes:
        database: name of the database that answered.
        role: role the service is logged in as.
        migrations: how many migrations are applied.
        events_waiting: events not yet published.
        latency_ms: round trip to the database.
        months: of a service with tables that are cut by month.
    """

    service: str
    database: str
    role: str
    migrations: int
    events_waiting: int
    latency_ms: float
    months: MonthsView | None = None


class AuthHealth(Command[HealthView], tag="auth.health.v1", frozen=True):
    """Ask auth for its health."""


class BrokerHealth(Command[HealthView], tag="broker.health.v1", frozen=True):
    """Ask broker for its health."""


class NocodeHealth(Command[HealthView], tag="nocode.health.v1", frozen=True):
    """Ask nocode for its health."""


class NotificationHealth(Command[HealthView], tag="notification.health.v1", frozen=True):
    """Ask notification for its health."""


class RiskHealth(Command[HealthView], tag="risk.health.v1", frozen=True):
    """Ask risk for its health."""


class StrategyHealth(Command[HealthView], tag="strategy.health.v1", frozen=True):
    """Ask strategy for its health."""


class TradingHealth(Command[HealthView], tag="trading.health.v1", frozen=True):
    """Ask trading for its health."""


class UserHealth(Command[HealthView], tag="user.health.v1", frozen=True):
    """Ask user for its health."""


HEALTH_COMMANDS: Final = MappingProxyType[str, type[Command[HealthView]]](
    {
        "auth": AuthHealth,
        "broker": BrokerHealth,
        "nocode": NocodeHealth,
        "notification": NotificationHealth,
        "risk": RiskHealth,
        "strategy": StrategyHealth,
        "trading": TradingHealth,
        "user": UserHealth,
    }
)
