"""Capital that a deployment claimed and does not use goes back to its account, whatever is killed in between.

A claim is noted before trading is asked for it and struck out with the deployment's storing. What is still noted when
it is due is given back: of a process that was killed between the two, and of a deployment that failed or was stopped.
Before the capital of a stopped one goes back, its entries that still work are canceled.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from alphintra.infrastructure.faults import fault_point
from alphintra.infrastructure.telemetry import get_logger
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.vocabulary import TERMINAL
from alphintra.strategy.gateways.services import acting_context, service_context
from alphintra.strategy.service.jobs import Waker

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from alphintra.kernel.clock import Clock
    from alphintra.strategy.gateways.services import Orders
    from alphintra.strategy.repository import Desk, DeskTransaction

__all__ = ["CLAIM_TIME", "ClaimKeeper", "cancel_entries", "note_claim", "release_due", "strike_out"]

CLAIM_TIME: Final = timedelta(minutes=1)
"""So long a deployment may take from its claim to its storing."""

_POLL_S: Final = 5.0
_AT_ONCE: Final = 100
_NOTHING_THERE: Final = frozenset({"BOOK_NOT_FOUND", "ACCOUNT_NOT_FOUND"})


async def note_claim(tx: DeskTransaction, deployment_id: UUID, account_id: UUID, *, due_at: datetime) -> None:
    """Note that a book is to be released when it is due, unless the note is struck out before."""
    await tx.execute("claims.note", deployment_id, account_id, due_at)


async def strike_out(tx: DeskTransaction, deployment_id: UUID) -> None:
    """Keep what was claimed. Raises CLAIM_EXPIRED where it was given back meanwhile."""
    if not await tx.execute("claims.strike_out", deployment_id):
        message = "claiming the capital took too long, and it was given back: deploy again"
        raise AlphintraError("CLAIM_EXPIRED", message, kind=Kind.CONFLICT)


async def cancel_entries(deployment_id: UUID, *, desk: Desk, orders: Orders) -> None:
    """Ask for the entries of a stopped deployment to be canceled that have not filled; safe to repeat.

    What protects or closes a position is left alone, also the exits of an entry that filled in part.
    """
    for row in await desk.rows("intents.stopped_entries", deployment_id):
        context = acting_context(deployment_id, row["owner_id"], deployment_id.hex)
        order = await orders.order(row["order_id"], context)
        if order.status not in TERMINAL:
            await orders.cancel(order.order_id, context)


async def release_due(*, desk: Desk, orders: Orders, at: datetime) -> int:
    """Give back what is noted and due; return how many books. Those that cannot be reached now stay noted."""
    released = 0
    for row in await desk.rows("claims.due", at, _AT_ONCE):
        deployment_id: UUID = row["deployment_id"]
        try:
            await cancel_entries(deployment_id, desk=desk, orders=orders)
            await orders.release(row["account_id"], deployment_id, service_context(deployment_id.hex))
        except AlphintraError as error:
            if error.code not in _NOTHING_THERE:
                get_logger().warning("claim.kept", deployment_id=str(deployment_id), reason=str(error))
                continue
        fault_point("strategy.claim_released")
        async with desk.transaction() as tx:
            await tx.execute("claims.strike_out", deployment_id)
        released += 1
    return released


class ClaimKeeper:
    """Gives back what is due, for as long as the service runs."""

    def __init__(self, *, desk: Desk, orders: Orders, clock: Clock) -> None:
        self._desk = desk
        self._orders = orders
        self._clock = clock
        self._waker = Waker()
        self.wake = self._waker.wake

    async def run(self) -> None:
        """Look every five seconds, or when woken, until cancelled."""
        while True:
            try:
                await release_due(desk=self._desk, orders=self._orders, at=self._clock.now())
            except AlphintraError as error:  # the database is away: the notes wait
                get_logger().warning("claims.waiting", reason=str(error))
            await self._waker.sleep(_POLL_S)
