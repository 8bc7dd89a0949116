"""What approvals are worth when their orders come to be sent; those that died of age are renewed, many at once.

An order may wait longer than its approval lives: in trading's outbox, on its way, or while broker was down. Risk then
judges it again, and it is sent on the fresh approval or refused with risk's reason.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from uuid import UUID

from alphintra.broker.domain.approvals import needs_renewal, not_renewed
from alphintra.infrastructure.events import Delivery
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.ids import OrderId

if TYPE_CHECKING:
    from datetime import datetime

    from alphintra.broker.domain.approvals import Evidence, Refusal
    from alphintra.broker.gateways.approvals import Approvals
    from alphintra.broker.repository.records import Records
    from alphintra.contracts.approval import OrderTerms
    from alphintra.contracts.trading import OrderSubmitted

__all__ = ["Vetted", "vet", "vet_again"]

ROUNDS_MAX = 3  # renewals can die while others are asked for; past this the order is refused as expired


@dataclass(frozen=True, slots=True, kw_only=True)
class Vetted:
    """What the approvals of one event are worth.

    Attributes:
        terms: of the order, then of its legs.
        evidence: of the same.
        refusal: why risk renews one of them no more.
        failure: what left open whether risk would; the order is then neither sent nor refused.
    """

    terms: tuple[OrderTerms, ...]
    evidence: tuple[Evidence, ...]
    refusal: Refusal | None = None
    failure: AlphintraError | None = None

    def dead(self, *, at: datetime) -> list[int]:
        """Return the places of approvals that only died of age, none once it is settled that they stay so."""
        if self.refusal is not None or self.failure is not None:
            return []
        return [index for index, evidence in enumerate(self.evidence) if needs_renewal(evidence, at=at)]


async def vet(
    deliveries: Sequence[Delivery[OrderSubmitted]], *, records: Records, approvals: Approvals
) -> dict[UUID, Vetted]:
    """Return what the approvals of events are worth, by event, renewed where they had died of age."""
    found: dict[UUID, Vetted] = {}
    for delivery in deliveries:
        event = delivery.event
        asked = ((event.terms, event.approval), *((leg.terms, leg.approval) for leg in event.legs))
        evidence = tuple(approvals.examine(terms, approval) for terms, approval in asked)
        found[delivery.event_id] = Vetted(terms=tuple(terms for terms, _ in asked), evidence=evidence)
    traces = {delivery.event_id: delivery.context.trace_id for delivery in deliveries}
    return await _renewed(found, traces, records=records, approvals=approvals)


async def vet_again(
    delivery: Delivery[OrderSubmitted], vetted: Vetted, *, records: Records, approvals: Approvals
) -> Vetted:
    """Return the same, renewed once more if an approval died since."""
    event_id = delivery.event_id
    traces = {event_id: delivery.context.trace_id}
    return (await _renewed({event_id: vetted}, traces, records=records, approvals=approvals))[event_id]


async def _renewed(
    found: dict[UUID, Vetted], traces: Mapping[UUID, str], *, records: Records, approvals: Approvals
) -> dict[UUID, Vetted]:
    decided: frozenset[OrderId] = frozenset()
    for turn in range(ROUNDS_MAX):
        at = approvals.now()
        dead = [(event_id, index) for event_id, each in found.items() for index in each.dead(at=at)]
        if dead and not turn:
            # Of an order sent or refused before nothing is to be asked: its event only came again.
            decided = await records.decided(OrderId(found[event_id].terms[index].order_id) for event_id, index in dead)
        dead = [(event_id, index) for event_id, index in dead if found[event_id].terms[index].order_id not in decided]
        if not dead:
            break
        asked = [(found[event_id].terms[index], traces[event_id]) for event_id, index in dead]
        for (event_id, index), answer in zip(dead, await approvals.renew_many(asked), strict=True):
            found[event_id] = _after(found[event_id], index, answer)
    return found


def _after(vetted: Vetted, index: int, answer: Evidence | str | AlphintraError) -> Vetted:
    if isinstance(answer, AlphintraError):
        return replace(vetted, failure=vetted.failure or answer)
    if isinstance(answer, str):
        return replace(vetted, refusal=vetted.refusal or not_renewed(answer))
    evidence = (*vetted.evidence[:index], answer, *vetted.evidence[index + 1 :])
    return replace(vetted, evidence=evidence)
