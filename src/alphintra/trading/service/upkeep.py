"""Use cases of a service that runs for months: the months to come are made before they begin."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import NAMESPACE_OID, uuid5

from alphintra.contracts.trading import MonthsMissing
from alphintra.infrastructure.events import append_event
from alphintra.infrastructure.telemetry import get_logger
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.health import MonthsView
from alphintra.kernel.messages import Actor, Context
from alphintra.trading.domain.months import earliest_end, warning_of

if TYPE_CHECKING:
    from datetime import datetime

    from alphintra.kernel.ids import IdSource
    from alphintra.trading.repository.books import Books
    from alphintra.trading.repository.months import Months

__all__ = ["keep_months", "months_kept"]


async def keep_months(*, months: Months, books: Books, ids: IdSource, at: datetime) -> tuple[str, ...]:
    """Make the months that are missing, and tell of tables that run out of them all the same; return what was made.

    An attempt that fails is logged. Raises STORE_UNAVAILABLE where not even that can be found out.
    """
    log = get_logger()
    made: list[str] = []
    try:
        for part, failure in await months.keep(at):
            if failure:
                log.warning("month.missing", part=part, reason=failure)
            else:
                made.append(part)
                log.info("month.made", part=part)
    except AlphintraError as error:
        log.warning("months.failed", code=error.code, detail=error.detail)
    for cut in await months.cuts():
        warning = warning_of(cut, at=at)
        if not warning:
            continue
        log.error("months.run_out", table=cut.table, detail=warning)
        event = MonthsMissing(table=cut.table, kept_until=cut.kept_until, detail=warning)
        context = Context(trace_id=ids.new().hex, actor=Actor(id="service:trading"))
        aggregate_id = uuid5(NAMESPACE_OID, f"alphintra/table/{cut.table}")
        async with books.transaction() as tx:
            await append_event(tx.session, event, ids=ids, aggregate_id=aggregate_id, context=context, at=at)
    return tuple(made)


async def months_kept(*, months: Months, at: datetime) -> MonthsView:
    """Return until when there are months, and what is wrong with them, for the service's health."""
    cuts = await months.cuts()
    warnings = [warning for cut in cuts if (warning := warning_of(cut, at=at))]
    has_rest = any(cut.has_rest for cut in cuts)
    return MonthsView(kept_until=earliest_end(cuts), has_rest=has_rest, warning="; ".join(warnings))
