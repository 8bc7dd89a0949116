"""Asking trading for executions: every one asked for comes back, however many a step has made."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from alphintra.contracts.books import ExecutionsView, ExecutionView
from alphintra.contracts.trading import ListExecutions
from alphintra.infrastructure.bus import Bus, LocalDirectory
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.messages import Context
from alphintra.kernel.vocabulary import Side
from alphintra.strategy.gateways.services import Orders, service_context

ACCOUNT = UUID(int=7)
NOON = datetime(2024, 1, 2, 12, tzinfo=UTC)
PAGE_MAX = 1000  # what trading answers at once


async def test_executions_beyond_one_page_are_all_found_oldest_first() -> None:
    booked = [_execution(number) for number in range(2 * PAGE_MAX + 1)]
    asked = [execution.execution_id for execution in reversed(booked)]
    found = await (await _orders(booked)).executions(ACCOUNT, asked, service_context("1"))
    assert list(found) == booked


async def test_only_executions_that_are_booked_are_found() -> None:
    booked = [_execution(1)]
    found = await (await _orders(booked)).executions(ACCOUNT, ["x-00000", "x-00001"], service_context("1"))
    assert list(found) == booked


async def _orders(booked: list[ExecutionView]) -> Orders:
    async def answer(command: ListExecutions, _context: Context) -> ExecutionsView:
        if not 1 <= command.limit <= PAGE_MAX:
            raise AlphintraError("PAGE_LIMIT", f"limit must be 1 to {PAGE_MAX}")
        wanted = set(command.execution_ids or ())
        found = [execution for execution in booked if execution.execution_id in wanted]
        return ExecutionsView(executions=tuple(found[: command.limit]))

    local = LocalDirectory()
    trading = Bus(name="trading", asks=frozenset(), local=local, nats=None)
    trading.answer(ListExecutions, answer)
    await trading.start()
    return Orders(Bus(name="strategy", asks=frozenset({"trading.cmd.list_executions"}), local=local, nats=None))


def _execution(number: int) -> ExecutionView:
    return ExecutionView(
        execution_id=f"x-{number:05}",
        order_id=UUID(int=number),
        account_id=ACCOUNT,
        book_id=None,
        symbol="AAPL",
        side=Side.BUY,
        qty=Decimal(1),
        price=Decimal(10),
        fee=Decimal(0),
        realized_pnl=Decimal(0),
        executed_at=NOON,
        booked_at=NOON + timedelta(milliseconds=number // 2),
    )
