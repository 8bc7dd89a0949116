"""What versions were run for, as strategy tells of it: remembered once, in whatever order it comes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from alphintra.contracts.executions import DeploymentEnded, DeploymentStarted
from alphintra.contracts.nocode import (
    ListNewestExecutions,
    ListWorkflowExecutions,
    RevokeShare,
    ShareWorkflow,
    WorkflowView,
)
from alphintra.contracts.strategy import BacktestFinished
from alphintra.contracts.workflows import WorkflowExecutionView
from alphintra.infrastructure.events import Delivery
from alphintra.kernel.errors import AlphintraError
from alphintra.nocode.service import executions
from fixtures.single_service import NOON, PowerCutError, delivery_of, stop_at
from integration.nocode.studio import ADA, BOB, Studio, edited, saving
from integration.nocode.test_access import endpoints, register

RUN = UUID(int=0xACE)


def told(event: Any, *, seconds: int = 0) -> Delivery[Any]:  # noqa: ANN401 - any event
    delivery: Delivery[Any] = delivery_of(event, aggregate_id=RUN)
    return replace(delivery, occurred_at=NOON + timedelta(seconds=seconds))


def backtest(workflow: WorkflowView, *, run: UUID = RUN, owner: UUID = ADA, **fields: Any) -> BacktestFinished:  # noqa: ANN401 - fields of the event
    known: dict[str, Any] = {
        "backtest_id": run,
        "owner_id": owner,
        "symbol": "AAPL",
        "status": "finished",
        "total_return": 0.25,
        "version_id": workflow.version_id,
        "started_at": NOON,
        "figures": {"total_return": 0.25, "sharpe": None},
    }
    return BacktestFinished(**known | fields)


def started(workflow: WorkflowView, **fields: Any) -> dict[str, Any]:  # noqa: ANN401 - fields of the event
    return {
        "deployment_id": RUN,
        "owner_id": ADA,
        "version_id": workflow.version_id,
        "account_id": UUID(int=7),
        "symbol": "AAPL",
        "mode": "paper",
        "capital": Decimal(1000),
        "started_at": NOON,
    } | fields


def ended(workflow: WorkflowView) -> DeploymentEnded:
    amounts: dict[str, Any] = {"equity": Decimal(1100), "realized_pnl": Decimal(90), "fees": Decimal(2)}
    return DeploymentEnded(**started(workflow), status="stopped", intents=3, **amounts)


async def listed(
    studio: Studio,
    workflow: WorkflowView,
    *,
    user: UUID = ADA,
    **fields: Any,  # noqa: ANN401 - fields of the command
) -> tuple[WorkflowExecutionView, ...]:
    return (await studio.ask(ListWorkflowExecutions(workflow_id=workflow.workflow_id, **fields), user=user)).executions


async def test_a_backtest_is_listed_with_who_when_and_its_chief_figures(studio: Studio) -> None:
    await register(studio, "ada", ADA)
    workflow = await studio.create()
    delivery = told(backtest(workflow), seconds=9)
    for _ in range(2):
        await endpoints(studio).on_backtest_finished(delivery)
    (found,) = await listed(studio, workflow)
    assert (found.execution_id, found.kind, found.version, found.symbol, found.status) == (
        RUN,
        "backtest",
        1,
        "AAPL",
        "finished",
    )
    assert (found.executed_by, found.executed_by_email) == (ADA, "ada@example.org")
    assert (found.started_at, found.ended_at) == (NOON, NOON + timedelta(seconds=9))
    assert found.figures == {"total_return": 0.25, "sharpe": None}


@pytest.mark.parametrize("order", [(0, 1), (1, 0), (0, 1, 0, 1), (1, 0, 1)])
async def test_a_deployment_ends_ended_in_whatever_order_and_however_often_it_is_told(
    studio: Studio, order: tuple[int, ...]
) -> None:
    workflow = await studio.create()
    deliveries = (told(DeploymentStarted(**started(workflow))), told(ended(workflow), seconds=60))
    here = endpoints(studio)
    for place in order:
        await (here.on_deployment_ended if place else here.on_deployment_started)(deliveries[place])
    (found,) = await listed(studio, workflow)
    assert (found.kind, found.status, found.started_at, found.ended_at) == (
        "paper",
        "stopped",
        NOON,
        NOON + timedelta(seconds=60),
    )
    assert found.figures["total_return"] == pytest.approx(0.1)
    assert (found.figures["realized_pnl"], found.figures["intents"]) == (90.0, 3.0)


async def test_a_deployment_that_runs_is_listed_as_active(studio: Studio) -> None:
    workflow = await studio.create()
    await endpoints(studio).on_deployment_started(told(DeploymentStarted(**started(workflow, mode="live"))))
    (found,) = await listed(studio, workflow)
    assert (found.kind, found.status, found.ended_at, found.figures) == ("live", "active", None, {"capital": 1000.0})


async def test_the_owner_sees_everybodys_executions_and_others_their_own(studio: Studio) -> None:
    await register(studio, "bob", BOB)
    first = await studio.create()
    change = saving(first, edited(period=10))
    second = await studio.ask(change)
    await studio.ask(ShareWorkflow(workflow_id=first.workflow_id, permission="execute", user=str(BOB)))
    mine, theirs, other = UUID(int=1), UUID(int=2), UUID(int=3)
    here = endpoints(studio)
    await here.on_backtest_finished(told(backtest(first, run=mine)))
    await here.on_backtest_finished(told(backtest(second, run=theirs, owner=BOB)))
    elsewhere = await studio.create("other")
    await here.on_backtest_finished(told(backtest(elsewhere, run=other)))
    assert {each.execution_id for each in await listed(studio, first)} == {mine, theirs}
    assert [each.execution_id for each in await listed(studio, first, user=BOB)] == [theirs]
    assert [each.execution_id for each in await listed(studio, first, version=2)] == [theirs]
    assert len(await listed(studio, first, limit=1)) == 1
    with pytest.raises(AlphintraError, match="PAGE_LIMIT"):
        await listed(studio, first, limit=0)


async def newest(studio: Studio, *, user: UUID = ADA, each: int = 50) -> list[tuple[str, UUID]]:
    found = await studio.ask(ListNewestExecutions(each=each), user=user)
    return [(one.workflow_name, one.execution_id) for one in found.executions]


async def test_one_list_has_the_newest_of_each_kind_of_every_workflow_by_its_name(studio: Studio) -> None:
    first, second = await studio.create("first"), await studio.create("second")
    here = endpoints(studio)
    for place, workflow in enumerate((first, first, second)):
        began = NOON + timedelta(seconds=place)
        await here.on_backtest_finished(told(backtest(workflow, run=UUID(int=place + 1), started_at=began)))
    deployed = started(first, deployment_id=UUID(int=9), started_at=NOON + timedelta(seconds=9))
    await here.on_deployment_started(told(DeploymentStarted(**deployed)))
    expected = [("first", UUID(int=9)), ("second", UUID(int=3)), ("first", UUID(int=2)), ("first", UUID(int=1))]
    assert await newest(studio) == expected
    assert await newest(studio, each=1) == expected[:3]
    with pytest.raises(AlphintraError, match="PAGE_LIMIT"):
        await newest(studio, each=0)


async def test_what_runs_is_in_the_list_however_much_came_after_it(studio: Studio) -> None:
    workflow = await studio.create("first")
    here = endpoints(studio)
    for place in range(3):
        began = NOON + timedelta(seconds=place)
        deployed = started(workflow, deployment_id=UUID(int=place + 1), started_at=began)
        await here.on_deployment_started(told(DeploymentStarted(**deployed)))
    assert len(await newest(studio, each=1)) == 3


async def test_the_list_of_one_person_has_what_they_ran_of_shared_workflows_and_nothing_of_others(
    studio: Studio,
) -> None:
    await register(studio, "bob", BOB)
    workflow = await studio.create("first")
    share = await studio.ask(ShareWorkflow(workflow_id=workflow.workflow_id, permission="execute", user=str(BOB)))
    mine, theirs = UUID(int=1), UUID(int=2)
    here = endpoints(studio)
    await here.on_backtest_finished(told(backtest(workflow, run=mine)))
    await here.on_backtest_finished(told(backtest(workflow, run=theirs, owner=BOB)))
    assert {run for _name, run in await newest(studio)} == {mine, theirs}
    assert await newest(studio, user=BOB) == [("first", theirs)]
    await studio.ask(RevokeShare(grant_id=share.grant_id))
    assert await newest(studio, user=BOB) == []


async def test_a_backtest_told_of_without_its_version_is_heard_and_belongs_nowhere(studio: Studio) -> None:
    workflow = await studio.create()
    event = backtest(workflow, version_id=None, figures=None)
    await endpoints(studio).on_backtest_finished(told(event))
    assert await listed(studio, workflow) == ()
    assert len(await studio.service.query("select 1 from inbox")) == 1


async def test_an_execution_cut_short_is_remembered_when_it_is_told_again(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    workflow = await studio.create()
    delivery = told(backtest(workflow))
    with monkeypatch.context() as cut:
        stop_at(cut, executions, "nocode.execution_stored")
        with pytest.raises(PowerCutError):
            await endpoints(studio).on_backtest_finished(delivery)
    assert await listed(studio, workflow) == ()
    await endpoints(studio).on_backtest_finished(delivery)
    assert len(await listed(studio, workflow)) == 1


async def test_executions_hold_nothing_that_names_a_person(studio: Studio) -> None:
    await register(studio, "ada", ADA)
    workflow = await studio.create()
    await endpoints(studio).on_backtest_finished(told(backtest(workflow)))
    (row,) = await studio.service.query("select row_to_json(e)::text as text from workflow_executions as e")
    assert str(ADA) in row["text"]
    assert "@" not in row["text"]
