"""The one declared source of services, roles, grants, data classes and subjects.

SQL grants, NATS permissions and the access matrices are generated from here, so that they cannot disagree.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from alphintra.manifest import auth, broker, nocode, notification, risk, strategy, trading, user
from alphintra.manifest.common import COMMON_TABLES, RETAINER_FUNCTIONS, SEALER_RIGHTS
from alphintra.manifest.model import SERVICE_NAMES, ServiceSpec, TableSpec

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "COMMON_TABLES",
    "EDGE_ASKS",
    "EDGE_HEARS",
    "INSPECTOR",
    "INSPECTOR_COMMANDS",
    "RETAINER_FUNCTIONS",
    "SCHEDULER",
    "SCHEDULER_ASKS",
    "SEALER_RIGHTS",
    "SERVICES",
    "SERVICE_NAMES",
    "ServiceSpec",
    "TableSpec",
    "service_tables",
]

SERVICES: Final[Mapping[str, ServiceSpec]] = MappingProxyType(
    {module.SPEC.name: module.SPEC for module in (auth, broker, nocode, notification, risk, strategy, trading, user)}
)


def service_tables(spec: ServiceSpec) -> tuple[TableSpec, ...]:
    """Return the declared tables of a service, the common ones first."""
    return (*COMMON_TABLES, *spec.tables)


# Commands one service answers to another but never to a person: the edge may not send them.
_INTERNAL: Final = frozenset(
    {
        "nocode.use_workflow_version",
        "risk.assess_order",
        "risk.release_order",
        "risk.renew_approval",
        "risk.mark_prices",
        "broker.advance_market",
        "broker.list_venue_bars",
        "trading.mark_portfolios",
        "trading.claim_capital",
        "notification.report_job",
    }
)

# The inspector is no service: it owns no data, asks nobody, and tells operators how the installation stands.
INSPECTOR: Final = "inspector"
INSPECTOR_COMMANDS: Final = (
    "get_access",
    "probe_access",
    "get_processes",
    "get_databases",
    "get_queues",
    "get_audits",
    "get_layouts",
    "get_moves",
    "get_backups",
    "get_retention",
    "get_windows",
)

# Nor is the scheduler: it does what is due (backups, retention), and can tell notification of it and nothing else.
SCHEDULER: Final = "scheduler"
SCHEDULER_ASKS: Final = ("notification.report_job",)

EDGE_ASKS: Final = (
    *(
        f"{spec.name}.{command}"
        for spec in SERVICES.values()
        for command in spec.commands
        if f"{spec.name}.{command}" not in _INTERNAL
    ),
    *(f"{INSPECTOR}.{command}" for command in INSPECTOR_COMMANDS),
)

# What the edge shows to people who are there; it subscribes to these subjects themselves and keeps nothing.
EDGE_HEARS: Final = (
    "auth.session_revoked",
    "broker.break_found",
    "broker.connection_changed",
    "broker.prices_stalled",
    "notification.message_delivered",
    "risk.alert_escalated",
    "risk.alert_raised",
    "risk.control_changed",
    "risk.kill_scope_changed",
    "risk.kill_state_changed",
    "risk.limit_breached",
    "risk.limits_changed",
    "strategy.backtest_finished",
    "strategy.deployment_ended",
    "strategy.deployment_started",
    "strategy.feed_finished",
    "strategy.feed_status_changed",
    "strategy.sweep_finished",
    "trading.account_opened",
    "trading.cash_booked",
    "trading.fill_booked",
    "trading.order_closed",
    "trading.order_denied",
    "trading.order_submitted",
    "trading.order_updated",
    "trading.position_transferred",
    "trading.split_applied",
)
