"""Cases of market surveillance; risk shows nobody a case about themselves."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

import msgspec
from fastapi import Depends

from alphintra.contracts.risk import GetCase, ListCases, ListDetectors, MoveCase, ReplayDetector, SetDetector
from alphintra.contracts.surveillance import CasesView, CaseView, DetectorsView, DetectorView, ReplayView
from alphintra.edge.decoding import Amount, Label
from alphintra.edge.routing import Admin, Body, PageLimit, Routes

__all__ = ["routes"]

routes = Routes("surveillance")


class CaseStepBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What to do: review, escalate, propose_closure with an outcome, confirm_closure or reject_closure; and why."""

    action: str
    reason: str
    outcome: str | None = None


class DetectorBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Parameters by name, what is not named stays; and why."""

    values: dict[str, Amount]
    reason: Label


class ReplayBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Which time of the stored history."""

    since: Annotated[datetime, msgspec.Meta(tz=True)]
    until: Annotated[datetime, msgspec.Meta(tz=True)]


@routes.get("/surveillance/cases")
async def list_cases(caller: Admin, state: str | None = None, limit: PageLimit = 100) -> CasesView:
    """List cases, newest first."""
    return await caller.ask(ListCases(state=state, limit=limit))


@routes.get("/surveillance/cases/{case_id}")
async def get_case(caller: Admin, case_id: UUID) -> CaseView:
    """Fetch a case with its evidence and what was done to it."""
    return await caller.ask(GetCase(case_id=case_id))


@routes.post("/surveillance/cases/{case_id}/steps")
async def move_case(
    caller: Admin, case_id: UUID, body: Annotated[CaseStepBody, Depends(Body(CaseStepBody))]
) -> CaseView:
    """Act on a case; two people close it."""
    command = MoveCase(case_id=case_id, action=body.action, reason=body.reason, outcome=body.outcome)
    return await caller.ask(command)


@routes.get("/surveillance/detectors")
async def list_detectors(caller: Admin) -> DetectorsView:
    """List the detectors with their parameters in force and the day of their yearly review."""
    return await caller.ask(ListDetectors())


@routes.put("/surveillance/detectors/{detector}")
async def set_detector(
    caller: Admin, detector: str, body: Annotated[DetectorBody, Depends(Body(DetectorBody))]
) -> DetectorView:
    """Store a new version of a detector's parameters."""
    values = {name: Decimal(value) for name, value in body.values.items()}
    return await caller.ask(SetDetector(detector=detector, values=values, reason=str(body.reason)))


@routes.post("/surveillance/detectors/{detector}/replay")
async def replay_detector(
    caller: Admin, detector: str, body: Annotated[ReplayBody, Depends(Body(ReplayBody))]
) -> ReplayView:
    """Run a detector over stored history; no case is opened."""
    return await caller.ask(ReplayDetector(detector=detector, since=body.since, until=body.until))
