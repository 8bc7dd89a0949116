"""Reports on orders that trading does not know: waited for a little, then kept aside and told.

An order is stored before broker can hear of it, so that a report without its order comes of a database that was set
back, or of an order that was never ours. Were it to come again for ever, it would take the place of the reports behind.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from alphintra.contracts.unclaimed import ReportsUnclaimed
from alphintra.infrastructure.events import Delivery, append_audit, append_event, encode_event
from alphintra.infrastructure.telemetry import get_logger
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.messages import tag_of
from alphintra.trading.repository.unclaimed import KeptReport

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alphintra.kernel.ids import IdSource
    from alphintra.trading.repository.books import BooksTransaction

__all__ = ["WAIT_FOR_ORDER", "await_order", "keep_aside"]

WAIT_FOR_ORDER = timedelta(seconds=10)


def await_order(report: Delivery[Any], *, at: datetime) -> None:
    """Have a report on an unknown order come again, for ten seconds after it was told. Raises ORDER_NOT_FOUND."""
    if at - report.occurred_at < WAIT_FOR_ORDER:
        message = f"a venue reports on unknown order {report.event.order_id}"
        raise AlphintraError("ORDER_NOT_FOUND", message, kind=Kind.NOT_FOUND)


async def keep_aside(
    tx: BooksTransaction, reports: Sequence[Delivery[Any]], *, ids: IdSource, at: datetime
) -> None:  # fmt: skip
    """Keep reports on unknown orders, which were received, until their orders are known, and tell it."""
    if not reports:
        return
    kept = [
        KeptReport(
            event_id=each.event_id,
            order_id=each.event.order_id,
            kind=_kind(each),
            report=encode_event(
                each.event,
                event_id=each.event_id,
                aggregate_id=each.aggregate_id,
                context=each.context,
                at=each.occurred_at,
            ),
            occurred_at=each.occurred_at,
        )
        for each in reports
    ]
    await tx.keep_reports(kept, at=at)
    first = reports[0]
    orders = {each.event.order_id for each in reports}
    kinds = ", ".join(sorted({each.kind for each in kept}))
    event = ReportsUnclaimed(
        order_id=first.event.order_id,
        count=len(kept),
        detail=f"{len(kept)} reports ({kinds}) are on {len(orders)} orders that trading does not know; they are kept",
    )
    get_logger().error("reports.unclaimed", count=len(kept), kinds=kinds, order_id=str(event.order_id))
    context = first.context
    await append_event(tx.session, event, ids=ids, aggregate_id=event.order_id, context=context, at=at)
    what = f"order:{event.order_id}"
    await append_audit(tx.session, "report.keep_aside", what, event, ids=ids, context=context, at=at)


def _kind(report: Delivery[Any]) -> str:
    return tag_of(type(report.event)).split(".")[1]
