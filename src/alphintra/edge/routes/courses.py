"""What charts and reports show of backtests: courses, terms, formulas and files."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from fastapi import Query

from alphintra.contracts.courses import (
    BacktestCourseView,
    BacktestTermsView,
    DrawBacktest,
    FiguresView,
    FigureView,
    GetBacktestTerms,
    ReportFileView,
)
from alphintra.contracts.nocode import ListWorkflowExecutions, ListWorkflows
from alphintra.contracts.strategy import BacktestView, GetBacktest
from alphintra.contracts.sweeps import GetVerdict, VerdictView
from alphintra.contracts.workflows import WorkflowExecutionsView
from alphintra.edge.guards import Caller
from alphintra.edge.replies import encode_reply
from alphintra.edge.routes.holdings import utc
from alphintra.edge.routing import Reader, Routes
from alphintra.engine.metrics.documents import MetricDocument, metric_documents
from alphintra.kernel.errors import AlphintraError, Kind

__all__ = ["routes"]

routes = Routes("courses")

_EXECUTIONS_MAX: Final = 1000


class ReportKind(StrEnum):
    """What a file holds: the whole report as a page, the trades as CSV, or the daily course as CSV."""

    HTML = "html"
    TRADES = "trades"
    COURSE = "course"


@routes.get("/figures")
async def list_figures(caller: Reader) -> FiguresView:
    """List what the figures of backtests are: names, formulas, units, where they are from and what they mean."""
    del caller
    return FiguresView(figures=tuple(FigureView(**_fields(document)) for document in metric_documents()))


@routes.get("/backtests/{backtest_id}/course")
async def draw_backtest(
    caller: Reader,
    backtest_id: UUID,
    symbol: Annotated[str, Query(max_length=32, description="Of several symbols the one whose bars are shown.")] = "",
    start: datetime | None = None,
    end: datetime | None = None,
) -> BacktestCourseView:
    """Fetch a finished backtest to be drawn: bars, equity, benchmark and drawdown, at most 5,000 points of each."""
    command = DrawBacktest(backtest_id=backtest_id, symbol=symbol, start=utc(start, "start"), end=utc(end, "end"))
    return await caller.ask(command)


@routes.get("/backtests/{backtest_id}/terms")
async def get_backtest_terms(caller: Reader, backtest_id: UUID) -> BacktestTermsView:
    """Fetch what a backtest was run from: the graph with its parameters, range, costs and bars."""
    return await caller.ask(GetBacktestTerms(backtest_id=backtest_id))


@routes.get("/backtests/{backtest_id}/report")
async def write_report(caller: Reader, backtest_id: UUID, kind: ReportKind = ReportKind.HTML) -> ReportFileView:
    """Write a finished backtest as the text of a file: a page for people, its trades or its daily course as CSV."""
    backtest = await caller.ask(GetBacktest(backtest_id=backtest_id))
    if not backtest.result:
        message = f"the backtest is {backtest.status}: only a finished one has a report"
        raise AlphintraError("BACKTEST_NOT_FINISHED", message, kind=Kind.CONFLICT)
    if kind is not ReportKind.HTML:
        text = await asyncio.to_thread(_csv, kind, backtest)
        return ReportFileView(file_name=f"{kind}-{backtest_id.hex[:8]}.csv", media_type="text/csv", text=text)
    verdict = await caller.ask(GetVerdict(backtest_id=backtest_id))
    title, executions = await _known_as(caller, backtest), await _executions(caller, backtest)
    text = await asyncio.to_thread(_page, backtest, verdict, title, executions)
    return ReportFileView(file_name=f"report-{backtest_id.hex[:8]}.html", media_type="text/html", text=text)


def _csv(kind: ReportKind, backtest: BacktestView) -> str:
    from alphintra.engine.report.exports import course_csv, trades_csv  # noqa: PLC0415 - loads numpy, as below

    result = json.loads(backtest.result)
    return trades_csv(result) if kind is ReportKind.TRADES else course_csv(result)


def _page(backtest: BacktestView, verdict: VerdictView, title: str, executions: WorkflowExecutionsView | None) -> str:
    from alphintra.engine.report.page import report_page  # noqa: PLC0415 - as above

    listed = [] if executions is None else _answered(executions)["executions"]
    return report_page(_answered(backtest), _answered(verdict), title=title, executions=listed)


async def _known_as(caller: Caller, backtest: BacktestView) -> str:
    """Return what the strategy of a backtest is called by its owner."""
    if backtest.template:
        return f"Template {backtest.template}"
    found = await caller.ask(ListWorkflows(with_archived=True))
    names = {each.workflow_id: each.name for each in found.workflows}
    return (
        names.get(backtest.workflow_id, f"Backtest of {backtest.symbol}") if backtest.workflow_id else backtest.symbol
    )


async def _executions(caller: Caller, backtest: BacktestView) -> WorkflowExecutionsView | None:
    """Return where the strategy traded since; None where it is no longer to be seen."""
    if backtest.workflow_id is None:
        return None
    try:
        return await caller.ask(ListWorkflowExecutions(workflow_id=backtest.workflow_id, limit=_EXECUTIONS_MAX))
    except AlphintraError as error:
        if error.code == "WORKFLOW_NOT_FOUND":
            return None
        raise


def _answered(view: msgspec.Struct) -> dict[str, Any]:
    """Return a view as the API answers it, which is what reports are written from."""
    told: dict[str, Any] = json.loads(encode_reply(view))
    return told


def _fields(document: MetricDocument) -> dict[str, str]:
    return {name: getattr(document, name) for name in FigureView.__struct_fields__}
