"""An order held against every control without being placed: nothing is reserved, stored or told."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from alphintra.contracts.order_checks import OrderCheckView
from alphintra.engine.pretrade.values import EXACT
from alphintra.kernel.ids import AccountId
from alphintra.risk.domain.controls import assess_in_family
from alphintra.risk.service.decisions import Asked
from alphintra.risk.service.views import finding_views, require_visible

if TYPE_CHECKING:
    from alphintra.contracts.order_checks import CheckOrder
    from alphintra.kernel.messages import Context
    from alphintra.risk.repository import RiskRecords

__all__ = ["check_order"]


async def check_order(command: CheckOrder, context: Context, *, records: RiskRecords, at: datetime) -> OrderCheckView:
    """Return what the controls say of an order now. Raises ACCOUNT_NOT_FOUND, QTY_NOT_POSITIVE, NUMBER_* or ORDER_*."""
    order = Asked(command.terms, context).read()
    account_id = AccountId(order.account_id)
    require_visible(await records.account(account_id), account_id, context)
    async with records.transaction() as tx:
        facts = await tx.facts([order], at=at)
    book = facts.books[order.account_id]
    verdict, _reservation = assess_in_family(order, book, ())
    claim = verdict.claim
    return OrderCheckView(
        findings=finding_views(verdict.findings),
        limit_version=0 if book.limits is None else book.limits.version,
        price=None if claim is None else claim.price,
        qty=None if claim is None else claim.qty,
        value=None if claim is None else claim.value,
        cash=None if claim is None else claim.cash,
        free_cash=None if book.cash is None else EXACT.subtract(book.cash, book.reserved_cash),
        position_qty=book.exposure(order.symbol).position_qty,
    )
