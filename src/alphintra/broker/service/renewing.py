"""Approvals that died while their orders waited to be sent to a venue elsewhere, renewed together.

A venue that is slow or away lets many die at once. The first of them that is to be sent has all that died renewed, in
one question to risk; each is judged by itself, and what leaves open what risk thinks of one holds up no other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from alphintra.broker.domain.approvals import judge_approval, not_renewed
from alphintra.broker.service import live_orders
from alphintra.kernel.errors import AlphintraError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from alphintra.broker.domain.approvals import Evidence, Refusal
    from alphintra.broker.gateways.approvals import Approvals
    from alphintra.broker.repository.live import Live, Queued
    from alphintra.broker.service.telling import Desk
    from alphintra.kernel.ids import OrderId

__all__ = ["Renewing"]


class Renewing:
    """The approvals of orders that were read together from the queue, in its order."""

    def __init__(self, queue: Sequence[Queued], *, approvals: Approvals, live: Live, desk: Desk) -> None:
        self._waiting = {queued.order_id: queued for queued in queue}
        self._until: dict[OrderId, datetime] = {queued.order_id: queued.approved_until for queued in queue}
        self._approvals = approvals
        self._live = live
        self._desk = desk
        self.left_open: AlphintraError | None = None

    async def is_live(self, queued: Queued) -> bool:
        """Tell whether an order may be sent on its approval; what died of those that still wait is renewed for that.

        False where risk does not renew it, which ends the order, and where risk cannot be asked: ``left_open`` then
        says why, and the order goes on waiting.
        """
        if queued.part_of is not None:  # what closes under the approval of its group needs no other
            return True
        at = self._approvals.now()
        if self._until[queued.order_id] <= at and self.left_open is None:
            await self._renew([each for each in self._waiting.values() if self._is_dead(each, at=at)])
        return queued.order_id in self._waiting and self._until[queued.order_id] > self._approvals.now()

    def passed(self, queued: Queued) -> None:
        """Leave an order alone from here on: its turn is over."""
        self._waiting.pop(queued.order_id, None)

    def _is_dead(self, queued: Queued, *, at: datetime) -> bool:
        return queued.part_of is None and self._until[queued.order_id] <= at

    async def _renew(self, dead: Sequence[Queued]) -> None:
        trace_id = self._desk.context.trace_id
        asked = [(live_orders.read_terms(queued), trace_id) for queued in dead]
        answers = await self._approvals.renew_many(asked)
        at = self._approvals.now()
        refused: list[tuple[Queued, Refusal]] = []
        async with self._live.transaction() as tx:
            for queued, answer in zip(dead, answers, strict=True):
                if isinstance(answer, AlphintraError):
                    self.left_open = answer
                elif (refusal := _refusal(answer, at=at)) is not None:
                    refused.append((queued, refusal))
                elif not isinstance(answer, str):
                    self._until[queued.order_id] = answer.expires_at
                    await tx.approve(queued.order_id, kill_epoch=answer.kill_epoch, until=answer.expires_at)
        for queued, refusal in refused:
            self.passed(queued)
            await live_orders.refuse_queued(queued, refusal, live=self._live, desk=self._desk, at=at)


def _refusal(answer: Evidence | str, *, at: datetime) -> Refusal | None:
    """Return why an order ends by risk's answer; one that died on its way is asked for again."""
    if isinstance(answer, str):
        return not_renewed(answer)
    return None if answer.expires_at <= at else judge_approval(answer, blocking_epoch=0, at=at)
