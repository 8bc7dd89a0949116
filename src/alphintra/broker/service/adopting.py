"""Taking an execution that we did not order into an account's books: a person's decision, never ours."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import NAMESPACE_OID, uuid5

from alphintra.broker.domain.reconciling import external_execution
from alphintra.broker.service.links import break_view, require_reason, visible_link
from alphintra.contracts.broker import BreakView, ExecutionReported, ExternalOrderAdopted
from alphintra.infrastructure.events import append_audit, append_events
from alphintra.infrastructure.faults import fault_point
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.ids import AccountId, OrderId

if TYPE_CHECKING:
    from datetime import datetime

    from alphintra.broker.domain.links import Break
    from alphintra.broker.repository.live import Live, LiveRows
    from alphintra.contracts.broker import AdoptExecution
    from alphintra.kernel.ids import IdSource
    from alphintra.kernel.messages import Context

__all__ = ["adopt_execution"]

_ADOPTERS = frozenset({"owner", "operator", "trader"})


async def adopt_execution(
    command: AdoptExecution, context: Context, *, live: Live, ids: IdSource, at: datetime
) -> BreakView:
    """Take an execution into the books under an order of its own, and close its break; a second time changes nothing.

    Raises BREAK_NOT_FOUND, ROLE_REQUIRED, FIELD_LENGTH, and BREAK_NOT_ADOPTABLE for a break that tells of no execution
    or was closed in another way.
    """
    reason = require_reason(command.reason, pointer="/reason")
    if context.actor.id.startswith("service:") or not _ADOPTERS & set(context.actor.roles):
        message = "executions are adopted by a person with the role trader, operator or owner"
        raise AlphintraError("ROLE_REQUIRED", message, kind=Kind.FORBIDDEN)
    async with live.transaction() as tx:
        found = await tx.links.lock_break(command.break_id)
        if found is None or await visible_link(found.account_id, context, live=live) is None:
            message = f"there is no break {command.break_id}"
            raise AlphintraError("BREAK_NOT_FOUND", message, kind=Kind.NOT_FOUND, pointer="/break_id")
        await _adopt(tx, found, reason, context, ids=ids, at=at)
        found = await tx.links.lock_break(command.break_id) or found
        fault_point("broker.adoption_stored")
    return break_view(found)


async def _adopt(tx: LiveRows, found: Break, reason: str, context: Context, *, ids: IdSource, at: datetime) -> None:
    account_id = AccountId(found.account_id)
    execution_id = external_execution(found.key) if found.code == "EXTERNAL_ORDER" else None
    fill = None if execution_id is None else await tx.external_fill(account_id, execution_id)
    if fill is None:
        message = f"{found.code} tells of no execution that could be booked: resolve the break with what you found"
        raise AlphintraError("BREAK_NOT_ADOPTABLE", message, kind=Kind.CONFLICT, pointer="/break_id")
    name = f"external-{uuid5(account_id, fill.execution_id).hex}"
    order_id = OrderId(uuid5(NAMESPACE_OID, f"{account_id}/{name}"))  # as trading derives it from the name
    by = context.actor.id
    if not await tx.adopt(account_id, fill.execution_id, order_id, by=by, reason=reason, at=at):
        return
    if found.status == "open":
        await tx.links.resolve(found.break_id, by=by, resolution=f"adopted: {reason}", at=at)
    adopted = ExternalOrderAdopted(
        order_id=order_id,
        client_order_id=name,
        account_id=account_id,
        symbol=fill.symbol,
        side=fill.side,
        qty=fill.qty,
        adopted_by=by,
        reason=reason,
    )
    executed = ExecutionReported(
        execution_id=fill.execution_id,
        order_id=order_id,
        account_id=account_id,
        symbol=fill.symbol,
        side=fill.side,
        qty=fill.qty,
        price=fill.price,
        fee=fill.fee,
        executed_at=fill.executed_at,
        final_qty=fill.qty,
        fee_qty=fill.fee_qty,
    )
    await append_events(tx.session, [(order_id, adopted), (order_id, executed)], ids=ids, context=context, at=at)
    facts: dict[str, object] = {"break_id": found.break_id, "execution_id": fill.execution_id, "reason": reason}
    what = f"account:{account_id}"
    await append_audit(tx.session, "execution.adopt", what, facts, ids=ids, context=context, at=at)
