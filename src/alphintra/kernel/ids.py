"""Identifiers: one type per kind of thing, and the source they are drawn from."""

from __future__ import annotations

from typing import NewType, Protocol
from uuid import UUID

__all__ = [
    "AccountId",
    "BacktestId",
    "BookId",
    "DatasetId",
    "DeploymentId",
    "EventId",
    "ExecutionId",
    "FeedId",
    "IdSource",
    "OrderId",
    "UserId",
    "WorkflowId",
    "WorkflowVersionId",
]

UserId = NewType("UserId", UUID)
AccountId = NewType("AccountId", UUID)
BookId = NewType("BookId", UUID)
OrderId = NewType("OrderId", UUID)
ExecutionId = NewType("ExecutionId", str)
EventId = NewType("EventId", UUID)
WorkflowId = NewType("WorkflowId", UUID)
WorkflowVersionId = NewType("WorkflowVersionId", UUID)
DatasetId = NewType("DatasetId", UUID)
BacktestId = NewType("BacktestId", UUID)
DeploymentId = NewType("DeploymentId", UUID)
FeedId = NewType("FeedId", UUID)


class IdSource(Protocol):
    """Draws new identifiers; injected, so that a simulation can repeat a run exactly."""

    def new(self) -> UUID:
        """Return a fresh time-ordered (version 7) identifier."""
        ...
