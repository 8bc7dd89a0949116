"""The kill switch, and what the risk of a book is measured to be."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import msgspec
from fastapi import Depends

from alphintra.contracts.measures import KeptReportsView, KeptReportView, RiskReportView
from alphintra.contracts.risk import GetRiskReport, KeepRiskReport, KillStateView, ListRiskReports, SetKillState
from alphintra.edge.decoding import Label
from alphintra.edge.routing import Body, Halter, PageLimit, Reader, Routes, Trader

__all__ = ["routes"]

routes = Routes("risk")


class KillBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What to block: ``scope`` firm or account; ``state`` reduce_only, cancel_only or halted."""

    scope: str
    reason: Label
    account_id: UUID | None = None
    state: str = "halted"


class ReleaseBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What to let trade again: ``scope`` firm or account."""

    scope: str
    reason: Label
    account_id: UUID | None = None


@routes.post("/risk/kill")
async def kill(caller: Halter, body: Annotated[KillBody, Depends(Body(KillBody))]) -> KillStateView:
    """Block trading for the firm or one account, from the next order on."""
    command = SetKillState(scope=body.scope, state=body.state, reason=str(body.reason), account_id=body.account_id)
    return await caller.ask(command)


@routes.post("/risk/release")
async def release(caller: Halter, body: Annotated[ReleaseBody, Depends(Body(ReleaseBody))]) -> KillStateView:
    """Let the firm or one account trade again."""
    command = SetKillState(scope=body.scope, state="normal", reason=str(body.reason), account_id=body.account_id)
    return await caller.ask(command)


class ReportBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Whose report to keep."""

    account_id: UUID


@routes.get("/risk/report")
async def get_risk_report(caller: Reader, account_id: UUID, benchmark: str = "") -> RiskReportView:
    """Measure an account's book as it stands: exposure, value at risk, drawdown, concentration, beta, stress."""
    return await caller.ask(GetRiskReport(account_id=account_id, benchmark=benchmark))


@routes.post("/risk/reports", status=201)
async def keep_risk_report(caller: Trader, body: Annotated[ReportBody, Depends(Body(ReportBody))]) -> KeptReportView:
    """Measure an account's book and keep the report."""
    return await caller.ask(KeepRiskReport(account_id=body.account_id))


@routes.get("/risk/reports")
async def list_risk_reports(caller: Reader, account_id: UUID, limit: PageLimit = 100) -> KeptReportsView:
    """List an account's kept reports, newest first."""
    return await caller.ask(ListRiskReports(account_id=account_id, limit=limit))
