"""What each service shows to cross-service reports: columns of its tables, and nothing else of them.

A service that is not named shows nothing. Texts that people write (the body of a message, the graph of a workflow),
profiles and anything secret are left out; ids join the rows.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["REPORTED"]

REPORTED: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = MappingProxyType(
    {
        "trading": MappingProxyType(
            {
                "accounts": ("account_id", "name", "mode", "currency"),
                "orders": (
                    "order_id",
                    "client_order_id",
                    "account_id",
                    "owner_id",
                    "book_id",
                    "symbol",
                    "side",
                    "type",
                    "qty",
                    "limit_price",
                    "status",
                    "filled_qty",
                    "filled_amount",
                    "reason_code",
                    "created_at",
                    "updated_at",
                ),
                "executions": ("account_id", "execution_id", "order_id"),
                "positions": ("account_id", "book_id", "symbol", "qty", "cost"),
            }
        ),
        "risk": MappingProxyType(
            {
                "assessments": (
                    "decision_id",
                    "order_id",
                    "attempt",
                    "approved",
                    "findings",
                    "limit_version",
                    "decided_at",
                )
            }
        ),
        "strategy": MappingProxyType({"deployments": ("deployment_id", "version_id", "status")}),
        "nocode": MappingProxyType(
            {
                "workflows": ("workflow_id", "name"),
                "workflow_versions": ("version_id", "workflow_id", "version"),
            }
        ),
        "notification": MappingProxyType(
            {"messages": ("user_id", "dedupe_key", "kind", "severity", "created_at", "read_at")}
        ),
    }
)
"""Service, table, columns."""
