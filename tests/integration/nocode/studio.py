"""A running nocode, its clock, the people who ask it, and graphs to give it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from alphintra.contracts.nocode import CreateWorkflow, SaveWorkflow, WorkflowView
from alphintra.engine.templates import GALLERY
from alphintra.kernel.messages import Command
from alphintra.nocode.domain.workflows import laid_out
from fixtures.services import RunningService, person_context
from fixtures.single_service import SettableClock

__all__ = ["ADA", "BOB", "EMA", "Studio", "edited", "moved", "saving"]

R = TypeVar("R")
ADA = UUID(int=0xADA)
BOB = UUID(int=0xB0B)
EMA = laid_out(GALLERY["ema_crossover"].graph)


@dataclass(frozen=True, slots=True, kw_only=True)
class Studio:
    """The running service and its clock."""

    service: RunningService
    clock: SettableClock

    async def ask(self, command: Command[R], *, user: UUID = ADA) -> R:
        return await self.service.ask(command, person_context("trader", user_id=user))

    async def create(self, name: str = "Mine", *, user: UUID = ADA) -> WorkflowView:
        return await self.ask(CreateWorkflow(name=name, graph=EMA), user=user)

    async def counts(self) -> tuple[int, int, int, int]:
        """Count workflows, versions, events and audit rows."""
        (row,) = await self.service.query(
            "select (select count(*) from workflows) as a, (select count(*) from workflow_versions) as b,"
            " (select count(*) from event_log) as c, (select count(*) from audit_events) as d"
        )
        return row["a"], row["b"], row["c"], row["d"]


def edited(graph: str = EMA, **params: float | str) -> str:
    """Return the graph with parameters of its fast average changed."""
    document = json.loads(graph)
    (fast,) = (node for node in document["nodes"] if node["id"] == "fast")
    fast["params"] |= params
    return json.dumps(document)


def moved(graph: str = EMA) -> str:
    """Return the graph with its fast average at another place."""
    document = json.loads(graph)
    document["layout"]["fast"] = [7.0, 8.0]
    return json.dumps(document)


def saving(workflow: WorkflowView, graph: str, *, base_version: int = 1) -> SaveWorkflow:
    return SaveWorkflow(workflow_id=workflow.workflow_id, base_version=base_version, graph=graph)
