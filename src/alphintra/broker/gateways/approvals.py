"""The way to risk, which approves orders."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from alphintra.broker.domain.approvals import Evidence
from alphintra.contracts.approval import Approval, OrderTerms, is_covered, seal_bytes
from alphintra.contracts.risk import RenewApproval
from alphintra.infrastructure.bus import BATCH_MAX
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.messages import Actor, Context

if TYPE_CHECKING:
    from decimal import Decimal

    from alphintra.contracts.risk import Assessment
    from alphintra.infrastructure.bus import Bus
    from alphintra.infrastructure.signing import VerifyKey
    from alphintra.kernel.clock import Clock

__all__ = ["Approvals"]

SEALS_KEPT = 256
_ACTOR = Actor(id="service:broker")
_DEFINITE = {Kind.NOT_FOUND, Kind.CONFLICT}


class Approvals:
    """Checks approvals with risk's public key, and has them renewed."""

    def __init__(self, bus: Bus, *, verify_key: VerifyKey, clock: Clock) -> None:
        self._bus = bus
        self._clock = clock
        # One seal covers a whole batch: its signature is checked once, not for each of its orders.
        self._is_signed = lru_cache(SEALS_KEPT)(verify_key.is_signed)

    def examine(self, terms: OrderTerms, approval: Approval) -> Evidence:
        """Return what the approval is worth for these terms."""
        seal = approval.seal
        return Evidence(
            is_signed=self._is_signed(seal_bytes(seal), approval.signature),
            is_covered=_is_finite(terms) and is_covered(terms, approval),
            expires_at=seal.expires_at,
            kill_epoch=seal.kill_epoch,
        )

    def now(self) -> datetime:
        """Return the time approvals are held against."""
        return self._clock.now()

    async def renew_many(self, asked: Sequence[tuple[OrderTerms, str]]) -> list[Evidence | str | AlphintraError]:
        """Ask risk for new approvals of orders, each given with its trace, up to 64 in a request.

        Each is answered with fresh evidence, with the reason why risk gives none, or with the error that leaves open
        what risk thinks. Where risk cannot be reached no more is asked of it.
        """
        found: list[Evidence | str | AlphintraError] = []
        for start in range(0, len(asked), BATCH_MAX):
            part = asked[start : start + BATCH_MAX]
            requests = [(RenewApproval(terms=terms), Context(trace_id=trace, actor=_ACTOR)) for terms, trace in part]
            try:
                answers = await self._bus.ask_many(requests)
            except AlphintraError as error:
                return [*found, *[error] * (len(asked) - start)]
            found += [self._read(terms, answer) for (terms, _), answer in zip(part, answers, strict=True)]
        return found

    def _read(self, terms: OrderTerms, answer: Assessment | AlphintraError) -> Evidence | str | AlphintraError:
        if isinstance(answer, AlphintraError):
            return f"{answer.code}, {answer.detail}" if answer.kind in _DEFINITE else answer
        if answer.approval is None:
            findings = "; ".join(f"{finding.code}, {finding.detail}" for finding in answer.findings)
            return findings or "it gave no reason"
        return self.examine(terms, answer.approval)


def _is_finite(terms: OrderTerms) -> bool:
    # Risk approves no such order, and hashing a signalling NaN fails instead of answering no.
    amounts: tuple[Decimal | None, ...] = (
        terms.qty,
        terms.notional,
        terms.limit_price,
        terms.stop_price,
        terms.trail_price,
        terms.trail_percent,
    )
    if (told := terms.reckoning) is not None:
        amounts = (*amounts, told.factor, told.offset, told.tick)
    return all(amount is None or amount.is_finite() for amount in amounts)
