"""Use cases of measures: a report on a book, and the reports that are kept of it over time."""

# ruff: noqa: PLC0415 - numpy takes its time to load, and only reports need it

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from alphintra.contracts.measures import KeptReportsView, KeptReportView, RiskReportView
from alphintra.infrastructure.events import append_audit
from alphintra.infrastructure.telemetry import get_logger
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.ids import AccountId
from alphintra.risk.repository import Snapshot
from alphintra.risk.service.views import require_visible

if TYPE_CHECKING:
    from alphintra.contracts.risk import GetRiskReport, KeepRiskReport, ListRiskReports
    from alphintra.kernel.ids import IdSource
    from alphintra.kernel.messages import Context
    from alphintra.risk.domain.books import Account
    from alphintra.risk.repository import MetricRecords, RiskRecords

__all__ = ["get_risk_report", "keep_due_reports", "keep_risk_report", "list_risk_reports"]

KEPT_EVERY = timedelta(hours=1)
DUE_MAX = 50
LISTED_MAX = 1000
SYMBOL_LENGTH_MAX = 32
SEED = 20_240_101  # of the simulation: the same book and prices give the same report
_encode = msgspec.json.Encoder(decimal_format="string", order="deterministic").encode
_decode = msgspec.json.Decoder(RiskReportView).decode


async def get_risk_report(
    command: GetRiskReport, context: Context, *, books: RiskRecords, metrics: MetricRecords, at: datetime
) -> RiskReportView:
    """Measure an account's book as it stands. Raises ACCOUNT_NOT_FOUND and BENCHMARK_FORMAT."""
    account_id = AccountId(command.account_id)
    account = require_visible(await books.account(account_id), account_id, context)
    if len(command.benchmark) > SYMBOL_LENGTH_MAX:
        message = f"a benchmark is a symbol of at most {SYMBOL_LENGTH_MAX} characters"
        raise AlphintraError("BENCHMARK_FORMAT", message, pointer="/benchmark")
    return await _measured(account, command.benchmark, metrics=metrics, at=at)


async def keep_risk_report(
    command: KeepRiskReport,
    context: Context,
    *,
    books: RiskRecords,
    metrics: MetricRecords,
    ids: IdSource,
    at: datetime,
) -> KeptReportView:
    """Measure an account's book and keep the report. Raises ACCOUNT_NOT_FOUND."""
    account_id = AccountId(command.account_id)
    account = require_visible(await books.account(account_id), account_id, context)
    report = await _measured(account, "", metrics=metrics, at=at)
    snapshot = _snapshot(report, cause="request", metric_id=ids.new())
    async with metrics.transaction() as tx:
        await tx.keep(snapshot)
        subject = f"account:{account_id}"
        detail: dict[str, object] = {"metric_id": snapshot.metric_id}
        await append_audit(tx.session, "risk_report.keep", subject, detail, ids=ids, context=context, at=at)
    return _kept(snapshot)


async def list_risk_reports(
    command: ListRiskReports, context: Context, *, books: RiskRecords, metrics: MetricRecords
) -> KeptReportsView:
    """Return an account's kept reports, newest first. Raises ACCOUNT_NOT_FOUND and LIMIT_RANGE."""
    if not 0 < command.limit <= LISTED_MAX:
        raise AlphintraError("LIMIT_RANGE", f"limit is 1 to {LISTED_MAX}", pointer="/limit")
    account_id = AccountId(command.account_id)
    require_visible(await books.account(account_id), account_id, context)
    kept = await metrics.kept(account_id, count_max=command.limit)
    return KeptReportsView(reports=tuple(_kept(snapshot) for snapshot in kept))


async def keep_due_reports(*, books: RiskRecords, metrics: MetricRecords, ids: IdSource, at: datetime) -> int:
    """Keep a report of each account that holds something and has none of the last hour; returns how many.

    A book that cannot be measured is logged and left out, the others go on.
    """
    kept = 0
    for account_id in await metrics.due(since=at - KEPT_EVERY, count_max=DUE_MAX):
        account = await books.account(account_id)
        if account is None:
            continue
        try:
            report = await _measured(account, "", metrics=metrics, at=at)
        except (ArithmeticError, ValueError):
            get_logger().exception("risk.report_failed", account_id=str(account_id))
            continue
        async with metrics.transaction() as tx:
            await tx.keep(_snapshot(report, cause="schedule", metric_id=ids.new()))
        kept += 1
    return kept


async def _measured(account: Account, benchmark: str, *, metrics: MetricRecords, at: datetime) -> RiskReportView:
    from alphintra.engine.measures.report import Holding, Inputs, measure_book

    also = [benchmark] if benchmark else []
    material = await metrics.material(account.account_id, account.feed_id, also=also)
    holdings = [
        Holding(symbol=held.symbol, qty=held.qty, price=held.price, marked_at=held.marked_at) for held in material.held
    ]
    # Within a day the order of the high and the low is not kept: a drawdown counts from high to that day's low.
    equity = [point for _day, *points in material.equity for point in points]
    found = measure_book(
        Inputs(
            cash=account.cash,
            holdings=holdings,
            closes=material.closes,
            books={
                (None if book is None else str(book), symbol): qty for (book, symbol), qty in material.books.items()
            },
            equity=equity,
            benchmark=benchmark,
            seed=SEED,
        )
    )
    marks = [held.marked_at for held in material.held if held.marked_at is not None]
    told = {name: getattr(found, name) for name in RiskReportView.__struct_fields__ if hasattr(found, name)}
    told |= {
        "account_id": account.account_id,
        "measured_at": at,
        "as_of": max(marks, default=None),
        "cash": account.cash,
    }
    return msgspec.convert(told, RiskReportView, from_attributes=True)


def _snapshot(report: RiskReportView, *, cause: str, metric_id: UUID) -> Snapshot:
    return Snapshot(
        metric_id=metric_id,
        account_id=report.account_id,
        cause=cause,
        measured_at=report.measured_at,
        equity=report.equity,
        gross=report.gross,
        net=report.net,
        report=_encode(report).decode(),
    )


def _kept(snapshot: Snapshot) -> KeptReportView:
    return KeptReportView(metric_id=snapshot.metric_id, cause=snapshot.cause, report=_decode(snapshot.report))
