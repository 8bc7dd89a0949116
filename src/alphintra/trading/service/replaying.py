"""Use cases of reports that were kept aside: shown, and taken up once their orders are known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Union

import msgspec

from alphintra.contracts import order_reports as told
from alphintra.contracts.unclaimed import (
    ListUnclaimedReports,
    ReplayReports,
    ReportsReplayedView,
    UnclaimedReportsView,
    UnclaimedReportView,
)
from alphintra.infrastructure.events import Delivery, append_audit
from alphintra.infrastructure.faults import fault_point
from alphintra.infrastructure.telemetry import get_logger
from alphintra.kernel.authority import require_all_accounts
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.messages import Actor, Context, EventEnvelope
from alphintra.trading.service.fills import book_fresh
from alphintra.trading.service.reading import page_limit
from alphintra.trading.service.reports import fold_fresh

if TYPE_CHECKING:
    from datetime import datetime

    from alphintra.kernel.ids import IdSource
    from alphintra.trading.repository.books import Books

__all__ = ["list_unclaimed", "replay_reports", "replay_unclaimed"]

REPLAYED_MAX = 128
_SEES_ALL = {"owner", "operator"}
_KEPT: Final = Union[  # noqa: UP007 - made of a list
    told.ExecutionReported,
    told.CancelRefused,
    told.OrderAcknowledged,
    told.OrderCanceled,
    told.OrderExpired,
    told.OrderRefused,
    told.OrderReplaced,
    told.OrderSuspended,
    told.OrderTrailed,
    told.OrderTriggered,
    told.OrderUncertain,
]
_decode_envelope = msgspec.json.Decoder(EventEnvelope).decode
_decode_report: Final = msgspec.json.Decoder(_KEPT).decode


async def list_unclaimed(
    command: ListUnclaimedReports, context: Context, *, books: Books
) -> UnclaimedReportsView:  # fmt: skip
    """Return reports on orders that were not known, newest first. Raises REPORTS_FORBIDDEN, AUTH_SCOPE, PAGE_LIMIT."""
    _require_may_see(context)
    rows = await books.unclaimed(is_waiting=command.is_waiting, limit=page_limit(command.limit))
    reports = tuple(UnclaimedReportView(**row) for row in rows)
    return UnclaimedReportsView(reports=reports, waiting=await books.unclaimed_count())


async def replay_reports(
    _command: ReplayReports, context: Context, *, books: Books, ids: IdSource, at: datetime
) -> ReportsReplayedView:
    """Take up what waits and has its order meanwhile, at a person's wish. Raises REPORTS_FORBIDDEN, AUTH_SCOPE."""
    _require_may_see(context)
    replayed = await replay_unclaimed(context, books=books, ids=ids, at=at)
    return ReportsReplayedView(replayed=replayed, waiting=await books.unclaimed_count())


async def replay_unclaimed(context: Context | None, *, books: Books, ids: IdSource, at: datetime) -> int:
    """Give effect to every kept report whose order is known, each once, and return how many.

    Executions come first: one that is told before the order's end is no late one.
    """
    actor = context or Context(trace_id=ids.new().hex, actor=Actor(id="service:trading"))
    replayed = 0
    for are_executions in (True, False):
        while count := await _replay(actor, are_executions=are_executions, books=books, ids=ids, at=at):
            replayed += count
    return replayed


async def _replay(context: Context, *, are_executions: bool, books: Books, ids: IdSource, at: datetime) -> int:
    async with books.transaction() as tx:
        texts = await tx.claim_reports(are_executions=are_executions, count_max=REPLAYED_MAX, at=at)
        if not texts:
            return 0
        kept = [_delivery(text) for text in texts]
        take_up = book_fresh if are_executions else fold_fresh
        await take_up(tx, kept, ids=ids, at=at)
        detail: dict[str, object] = {"events": [each.event_id for each in kept]}
        await append_audit(tx.session, "report.replay", "reports", detail, ids=ids, context=context, at=at)
        fault_point("trading.reports_replayed")
    get_logger().info("reports.replayed", count=len(kept))
    return len(kept)


def _delivery(text: str) -> Delivery[Any]:
    envelope = _decode_envelope(text)
    return Delivery(
        event=_decode_report(envelope.event),
        event_id=envelope.event_id,
        aggregate_id=envelope.aggregate_id,
        occurred_at=envelope.occurred_at,
        context=envelope.context,
    )


def _require_may_see(context: Context) -> None:
    actor = context.actor
    if actor.user_id is not None and not _SEES_ALL & set(actor.roles):
        message = "nobody knows whose orders these reports are on: the operator looks at them"
        raise AlphintraError("REPORTS_FORBIDDEN", message, kind=Kind.FORBIDDEN)
    require_all_accounts(actor, "these reports are of any account")
