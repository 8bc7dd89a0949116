"""What strategy tells of deployments: that one began to trade a version, and that it ended."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from alphintra.kernel.messages import Event, Utc

__all__ = ["DeploymentEnded", "DeploymentStarted"]


class DeploymentStarted(Event, tag="strategy.deployment_started.v1", frozen=True):
    """A version began to trade a symbol in an account; ``mode`` is paper or live."""

    deployment_id: UUID
    owner_id: UUID
    version_id: UUID
    account_id: UUID
    symbol: str
    mode: str
    capital: Decimal
    started_at: Utc


class DeploymentEnded(Event, tag="strategy.deployment_ended.v1", frozen=True):
    """A deployment places no more orders: it was stopped, or it failed; amounts are those of its last bar."""

    deployment_id: UUID
    owner_id: UUID
    version_id: UUID
    account_id: UUID
    symbol: str
    mode: str
    capital: Decimal
    started_at: Utc
    status: str
    equity: Decimal
    realized_pnl: Decimal
    fees: Decimal
    intents: int
