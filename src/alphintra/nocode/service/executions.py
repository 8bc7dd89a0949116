"""Use cases of executions: what strategy tells of them is remembered once each, and shown to those it concerns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from alphintra.contracts.nocode import ListNewestExecutions, ListWorkflowExecutions
from alphintra.contracts.workflows import WorkflowExecutionsView, WorkflowExecutionView
from alphintra.infrastructure.events import receive_once
from alphintra.infrastructure.faults import fault_point
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.ids import UserId, WorkflowId, WorkflowVersionId
from alphintra.nocode.domain.access import Permission
from alphintra.nocode.domain.executions import Execution, ExecutionKind
from alphintra.nocode.service.workflows import asker_of

if TYPE_CHECKING:
    from datetime import datetime
    from decimal import Decimal

    from alphintra.contracts.executions import DeploymentEnded, DeploymentStarted
    from alphintra.contracts.strategy import BacktestFinished
    from alphintra.infrastructure.events import Delivery
    from alphintra.kernel.messages import Context
    from alphintra.nocode.repository import Workflows

__all__ = ["list_newest_executions", "list_workflow_executions", "remember_backtest", "remember_end", "remember_start"]

PAGE_MAX: Final = 1000
EACH_MAX: Final = 100
_CONSUMER: Final = "nocode"


async def remember_backtest(delivery: Delivery[BacktestFinished], *, workflows: Workflows) -> None:
    """Remember a backtest that ended; one told of without its version, by an older strategy, is nobody's."""
    event = delivery.event
    found = None
    if event.version_id is not None:
        found = Execution(
            execution_id=event.backtest_id,
            version_id=WorkflowVersionId(event.version_id),
            kind=ExecutionKind.BACKTEST,
            symbol=event.symbol,
            executed_by=UserId(event.owner_id),
            status=event.status,
            started_at=event.started_at,
            ended_at=delivery.occurred_at,
            figures=dict(event.figures or {}),
        )
    await _remember(delivery, found, is_end=True, workflows=workflows)


async def remember_start(delivery: Delivery[DeploymentStarted], *, workflows: Workflows) -> None:
    """Remember a deployment that began; if its end was told of first, it stays ended."""
    event = delivery.event
    found = _deployment(event, "active", ended_at=None, figures={"capital": float(event.capital)})
    await _remember(delivery, found, is_end=False, workflows=workflows)


async def remember_end(delivery: Delivery[DeploymentEnded], *, workflows: Workflows) -> None:
    """Remember how a deployment ended."""
    event = delivery.event
    figures: dict[str, float | None] = {
        "capital": float(event.capital),
        "equity": float(event.equity),
        "total_return": _growth(event.equity, event.capital),
        "realized_pnl": float(event.realized_pnl),
        "fees": float(event.fees),
        "intents": float(event.intents),
    }
    found = _deployment(event, event.status, ended_at=delivery.occurred_at, figures=figures)
    await _remember(delivery, found, is_end=True, workflows=workflows)


async def list_workflow_executions(
    command: ListWorkflowExecutions, context: Context, *, workflows: Workflows, at: datetime
) -> WorkflowExecutionsView:
    """Return executions, newest first: everybody's to the owner, to others their own.

    Raises PAGE_LIMIT or WORKFLOW_NOT_FOUND.
    """
    if not 1 <= command.limit <= PAGE_MAX:
        raise AlphintraError("PAGE_LIMIT", f"limit must be 1 to {PAGE_MAX}", pointer="/limit")
    asker = asker_of(context, at)
    workflow_id = WorkflowId(command.workflow_id)
    access = await workflows.access(workflow_id, asker)
    access.require(Permission.VIEW)
    rows = await workflows.executions(
        workflow_id,
        version=command.version,
        executed_by=None if access.is_owner else asker.user_id,
        limit=command.limit,
    )
    return WorkflowExecutionsView(executions=tuple(WorkflowExecutionView(**row) for row in rows))


async def list_newest_executions(
    command: ListNewestExecutions, context: Context, *, workflows: Workflows, at: datetime
) -> WorkflowExecutionsView:
    """Return what runs and the newest of each kind, of all the workflows one may see. Raises PAGE_LIMIT."""
    if not 1 <= command.each <= EACH_MAX:
        raise AlphintraError("PAGE_LIMIT", f"each must be 1 to {EACH_MAX}", pointer="/each")
    rows = await workflows.newest_executions(asker_of(context, at), each=command.each)
    return WorkflowExecutionsView(executions=tuple(WorkflowExecutionView(**row) for row in rows))


def _deployment(
    event: DeploymentStarted | DeploymentEnded,
    status: str,
    *,
    ended_at: datetime | None,
    figures: dict[str, float | None],
) -> Execution:
    return Execution(
        execution_id=event.deployment_id,
        version_id=WorkflowVersionId(event.version_id),
        kind=ExecutionKind(event.mode),
        symbol=event.symbol,
        executed_by=UserId(event.owner_id),
        status=status,
        started_at=event.started_at,
        ended_at=ended_at,
        figures=figures,
    )


async def _remember(delivery: Delivery[Any], found: Execution | None, *, is_end: bool, workflows: Workflows) -> None:
    async with workflows.transaction() as tx:
        if await receive_once(tx.session, _CONSUMER, delivery) and found is not None:
            await tx.put_execution(found, is_end=is_end)
        fault_point("nocode.execution_stored")


def _growth(equity: Decimal, capital: Decimal) -> float | None:
    return float(equity / capital - 1) if capital > 0 else None
