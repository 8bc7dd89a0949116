"""The kill switch, and what the risk of a book is measured to be."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated
from uuid import UUID

import msgspec
from fastapi import Depends

from alphintra.contracts.alerts import AlertRulesView, AlertRuleView, AlertsView, AlertView
from alphintra.contracts.measures import KeptReportsView, KeptReportView, RiskReportView
from alphintra.contracts.oversight import ControlsView, KillStatesView, ListControls, ListKillStates
from alphintra.contracts.risk import (
    AcknowledgeAlert,
    GetRiskReport,
    KeepRiskReport,
    KillStateView,
    ListAlertRules,
    ListAlerts,
    ListRiskReports,
    SetAlertRule,
    SetKillState,
)
from alphintra.edge.decoding import Amount, Label
from alphintra.edge.routing import Admin, Body, Halter, PageLimit, Reader, Routes, Trader
from alphintra.edge.step_up import require_recent_unless_paper

__all__ = ["routes"]

routes = Routes("risk")


class KillBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What to block: ``scope`` firm, or account, user, strategy, venue or symbol with the one meant.

    ``state`` is reduce_only, cancel_only or halted; a strategy is named by its deployment.
    """

    scope: str
    reason: Label
    account_id: UUID | None = None
    owner_id: UUID | None = None
    book_id: UUID | None = None
    venue: str | None = None
    symbol: str | None = None
    state: str = "halted"


class ReleaseBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What to let trade again: ``scope`` firm, or account, user, strategy, venue or symbol with the one meant."""

    scope: str
    reason: Label
    account_id: UUID | None = None
    owner_id: UUID | None = None
    book_id: UUID | None = None
    venue: str | None = None
    symbol: str | None = None


@routes.get("/risk/kill-states")
async def list_kill_states(caller: Reader, limit: PageLimit = 100) -> KillStatesView:
    """List the kill states in force and those of before: all to owner and operator, to others those they fall under."""
    return await caller.ask(ListKillStates(limit=limit))


@routes.get("/risk/controls")
async def list_controls(caller: Reader) -> ControlsView:
    """List the controls every order passes, and the limits that can be set."""
    return await caller.ask(ListControls())


@routes.post("/risk/kill")
async def kill(caller: Halter, body: Annotated[KillBody, Depends(Body(KillBody))]) -> KillStateView:
    """Block trading of the firm, an account, a user, a strategy, a venue or a symbol, from the next order on."""
    return await caller.ask(_kill_command(body, body.state))


@routes.post("/risk/release")
async def release(caller: Halter, body: Annotated[ReleaseBody, Depends(Body(ReleaseBody))]) -> KillStateView:
    """Let the firm, an account, a user, a strategy, a venue or a symbol trade again."""
    await require_recent_unless_paper(caller, body.account_id)
    return await caller.ask(_kill_command(body, "normal"))


def _kill_command(body: KillBody | ReleaseBody, state: str) -> SetKillState:
    return SetKillState(
        scope=body.scope,
        state=state,
        reason=str(body.reason),
        account_id=body.account_id,
        owner_id=body.owner_id,
        book_id=body.book_id,
        venue=body.venue,
        symbol=body.symbol,
    )


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


class AcknowledgeBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What to note beside an alert; nothing is fine."""

    note: str = ""


class AlertRuleBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A whole rule; it holds from the next look, a second later at most, on."""

    is_enabled: bool
    severity: str
    threshold: Amount
    repeat_after_s: int
    escalate_after_s: int


@routes.get("/risk/alerts")
async def list_alerts(caller: Reader, open_only: bool = False, limit: PageLimit = 100) -> AlertsView:  # noqa: FBT001, FBT002 - FastAPI passes it by name
    """List alerts, newest first: all to owner and operator, to others those about their accounts."""
    return await caller.ask(ListAlerts(open_only=open_only, limit=limit))


@routes.post("/risk/alerts/{alert_id}/acknowledge")
async def acknowledge_alert(
    caller: Trader, alert_id: UUID, body: Annotated[AcknowledgeBody, Depends(Body(AcknowledgeBody, is_optional=True))]
) -> AlertView:
    """Take an alert up in one's own name; who did first stays."""
    return await caller.ask(AcknowledgeAlert(alert_id=alert_id, note=body.note))


@routes.get("/risk/alert-rules")
async def list_alert_rules(caller: Reader) -> AlertRulesView:
    """List what alerts are raised about, and how grave each is."""
    return await caller.ask(ListAlertRules())


@routes.put("/risk/alert-rules/{rule}")
async def set_alert_rule(
    caller: Admin, rule: str, body: Annotated[AlertRuleBody, Depends(Body(AlertRuleBody))]
) -> AlertRuleView:
    """Store a new version of a rule."""
    command = SetAlertRule(
        rule=rule,
        is_enabled=body.is_enabled,
        severity=body.severity,
        threshold=Decimal(body.threshold),
        repeat_after_s=body.repeat_after_s,
        escalate_after_s=body.escalate_after_s,
    )
    return await caller.ask(command)
