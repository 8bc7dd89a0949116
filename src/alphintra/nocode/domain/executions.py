"""Executions of versions: backtests and deployments as strategy tells of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from alphintra.kernel.ids import UserId, WorkflowVersionId

__all__ = ["Execution", "ExecutionKind"]


class ExecutionKind(StrEnum):
    """What a version was run as."""

    BACKTEST = "backtest"
    PAPER = "paper"
    LIVE = "live"


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """One execution: its id is the backtest's or the deployment's; figures by name."""

    execution_id: UUID
    version_id: WorkflowVersionId
    kind: ExecutionKind
    symbol: str
    executed_by: UserId
    status: str
    started_at: datetime | None
    ended_at: datetime | None
    figures: dict[str, float | None]
