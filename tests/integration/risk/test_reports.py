"""Reports on a book: prices are kept by marks, what is missing is said, reports are kept on request and on schedule."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from alphintra.contracts import risk as messages
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.vocabulary import Side
from alphintra.risk.endpoints import MeasureEndpoints
from alphintra.risk.repository import MetricRecords, RiskRecords
from alphintra.risk.service.reports import keep_due_reports
from fixtures.single_service import acting
from integration.risk.desk import amounts

if TYPE_CHECKING:
    from uuid import UUID

    from alphintra.contracts.measures import RiskReportView
    from integration.risk.desk import Desk

RING = 2048


@dataclass(slots=True)
class Measuring:
    """A desk, and its risk service's measures."""

    desk: Desk
    endpoints: MeasureEndpoints

    async def report(self, account_id: UUID, benchmark: str = "") -> RiskReportView:
        command = messages.GetRiskReport(account_id=account_id, benchmark=benchmark)
        return await self.endpoints.get_risk_report(command, self.desk.owner)

    async def days(self, count: int) -> None:
        """Mark a price a day; it goes up and down by turns, a little more up."""
        for day in range(count):
            self.desk.clock.pass_time(seconds=86_400)
            price = 100 + day % 2 * 2 + day // 50
            await self.desk.mark(seq=day + 2, AAPL=str(price), SPY=str(400 + day % 3))

    async def buy(self, account_id: UUID, qty: str, price: str) -> None:
        order = self.desk.order(account_id, Side.BUY, qty, price)
        await self.desk.confirm(order, await self.desk.approved(order))
        await self.desk.fill(order, qty, price)


@pytest.fixture
def measuring(desk: Desk) -> Measuring:
    records = RiskRecords(desk.database)
    metrics = MetricRecords(desk.database)
    return Measuring(desk, MeasureEndpoints(records=records, metrics=metrics, clock=desk.clock, ids=desk.ids))


def codes(report: RiskReportView) -> set[str]:
    return {one.code for one in report.missing}


async def test_a_book_is_measured_from_the_prices_that_marks_left(measuring: Measuring) -> None:
    desk = measuring.desk
    account_id = await desk.open_account(cash="10000")
    await desk.mark(seq=1, AAPL="100", SPY="400")
    await measuring.buy(account_id, "20", "100")
    await measuring.days(130)
    report = await measuring.report(account_id, "SPY")
    assert (report.cash, report.equity, report.gross) == amounts("8000", "10080", "2080")
    assert report.history_days == 130
    assert {one.method for one in report.tails} == {"historical", "parametric", "monte_carlo"}
    assert all(one.es >= one.var > 0 for one in report.tails)
    assert report.beta is not None
    assert report.drawdown is not None
    assert report.drawdown.deepest == Decimal("0.003984")  # 40 of the peak of 10,040
    assert [(one.name, one.net) for one in report.books] == [("unassigned", Decimal(2080))]
    assert report == await measuring.report(account_id, "SPY")
    # a price that goes up and down by turns has no tails at all
    assert codes(report) == {"BACKTEST_TOO_SHORT", "CORNISH_FISHER_DOMAIN"}


async def test_what_is_missing_is_named_and_no_number_stands_in(measuring: Measuring) -> None:
    account_id = await measuring.desk.open_account()
    assert codes(await measuring.report(account_id)) == {"NO_POSITION"}
    await measuring.desk.mark(seq=1, AAPL="100")
    await measuring.buy(account_id, "1", "100")
    report = await measuring.report(account_id)
    assert (report.tails, report.backtest, report.beta) == ((), None, None)
    assert codes(report) == {"HISTORY_TOO_SHORT", "BENCHMARK_MISSING", "BACKTEST_TOO_SHORT"}


async def test_a_symbol_keeps_a_ring_of_days_and_the_last_mark_of_each(measuring: Measuring) -> None:
    desk = measuring.desk
    await desk.mark(seq=1, AAPL="100")
    desk.clock.pass_time(seconds=3600)
    await desk.mark(seq=2, AAPL="101")
    assert [(row["close"]) for row in await desk.stored("price_closes", "close")] == [Decimal(101)]
    desk.clock.at += timedelta(days=RING)
    await desk.mark(seq=3, AAPL="102")
    assert [(row["close"]) for row in await desk.stored("price_closes", "close")] == [Decimal(102)]
    await desk.mark(seq=2, AAPL="1")  # an older step changes nothing
    assert [(row["close"]) for row in await desk.stored("price_closes", "close")] == [Decimal(102)]


async def test_equity_by_day_keeps_first_high_low_and_last(measuring: Measuring) -> None:
    desk = measuring.desk
    account_id = await desk.open_account(cash="1000")
    await desk.mark(seq=1, AAPL="100")
    await measuring.buy(account_id, "5", "100")
    for seq, price in enumerate(("110", "90", "104"), start=2):
        await desk.mark(seq=seq, AAPL=price)
    (row,) = await desk.stored("equity_days", "first_equity, high_equity, low_equity, last_equity")
    assert tuple(row) == (1000, 1050, 950, 1020)


async def test_a_report_is_kept_on_request_and_once_an_hour_for_whoever_holds_something(measuring: Measuring) -> None:
    desk = measuring.desk
    account_id, _idle = await desk.open_account(), await desk.open_account()
    await desk.mark(seq=1, AAPL="100")
    await measuring.buy(account_id, "1", "100")
    kept = await measuring.endpoints.keep_risk_report(messages.KeepRiskReport(account_id=account_id), desk.owner)
    books, metrics = RiskRecords(desk.database), MetricRecords(desk.database)
    for minutes, count in ((59, 0), (61, 1)):
        at = desk.clock.now() + timedelta(minutes=minutes)
        assert await keep_due_reports(books=books, metrics=metrics, ids=desk.ids, at=at) == count
    listed = await measuring.endpoints.list_risk_reports(messages.ListRiskReports(account_id=account_id), desk.owner)
    assert [one.cause for one in listed.reports] == ["schedule", "request"]
    assert listed.reports[1] == kept
    (audited,) = await desk.stored("audit_events", "detail", "action = 'risk_report.keep'")
    assert str(kept.metric_id) in audited["detail"]


async def test_a_stranger_learns_nothing_of_a_book(measuring: Measuring) -> None:
    desk = measuring.desk
    account_id, stranger = await desk.open_account(), acting(desk.ids.new())
    commands = (
        measuring.endpoints.get_risk_report(messages.GetRiskReport(account_id=account_id), stranger),
        measuring.endpoints.keep_risk_report(messages.KeepRiskReport(account_id=account_id), stranger),
        measuring.endpoints.list_risk_reports(messages.ListRiskReports(account_id=account_id), stranger),
    )
    for command in commands:
        with pytest.raises(AlphintraError) as refused:
            await command
        assert refused.value.code == "ACCOUNT_NOT_FOUND"
    assert await desk.stored("risk_metrics", "metric_id") == []
