"""What may be sent to a venue: approvals of risk, and the kill switch that ends them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

__all__ = [
    "FIRM",
    "KILL_ACTIVE",
    "NO_APPROVAL",
    "NO_CONNECTION",
    "STRATEGY",
    "SYMBOL",
    "Evidence",
    "Refusal",
    "is_blocking",
    "is_stopping",
    "judge_approval",
    "kill_scope",
    "needs_renewal",
    "not_renewed",
    "scopes_of",
]

FIRM = "firm"
STRATEGY = "strategy"
SYMBOL = "symbol"
NO_APPROVAL = "BROKER_NO_APPROVAL"
NO_CONNECTION = "BROKER_NO_CONNECTION"
KILL_ACTIVE = "KILL_ACTIVE"
_KILL_NORMAL = "normal"
_KILL_STOPPING = frozenset({"cancel_only", "halted"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What an order's approval is worth: whose signature, over which terms, until when, from which kill epoch."""

    is_signed: bool
    is_covered: bool
    expires_at: datetime
    kill_epoch: int

    @property
    def is_genuine(self) -> bool:
        """Whether risk approved these very terms, whenever that was."""
        return self.is_signed and self.is_covered


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an order is not sent."""

    code: str
    reason: str


def is_blocking(state: str) -> bool:
    """Tell whether a kill state ends approvals given before it; every state but ``normal`` does."""
    return state != _KILL_NORMAL


def is_stopping(state: str) -> bool:
    """Tell whether orders that work already are to be taken off their venue in a kill state."""
    return state in _KILL_STOPPING


def kill_scope(scope: str, *, account_id: UUID | None, book_id: UUID | None, symbol: str | None) -> str:
    """Return the key of a kill state: the account it holds for, its strategy or symbol, or ``firm``."""
    if scope == STRATEGY and book_id is not None:
        return f"{STRATEGY}:{book_id}"
    if scope == SYMBOL and symbol is not None:
        return f"{SYMBOL}:{symbol}"
    return FIRM if scope == FIRM or account_id is None else str(account_id)


def scopes_of(account_id: UUID, *, book_id: UUID | None, symbol: str) -> tuple[str, ...]:
    """Return the keys of every kill state that an order falls under."""
    known = (FIRM, str(account_id), f"{SYMBOL}:{symbol}")
    return known if book_id is None else (*known, f"{STRATEGY}:{book_id}")


def needs_renewal(evidence: Evidence, *, at: datetime) -> bool:
    """Tell whether an approval is real and only died of age, so that risk may be asked to renew it."""
    return evidence.is_genuine and evidence.expires_at <= at


def not_renewed(reason: str) -> Refusal:
    """Return the refusal of an order whose approval died before it could be sent and which risk does not renew."""
    return Refusal(NO_APPROVAL, f"the approval expired while the order was queued and risk does not renew it: {reason}")


def judge_approval(evidence: Evidence, *, blocking_epoch: int, at: datetime) -> Refusal | None:
    """Return why an order must not be sent on this approval, None if it may.

    Args:
        evidence: what the approval is worth.
        blocking_epoch: newest epoch in which any scope the order falls under was blocked, 0 if never.
        at: when it would be sent.
    """
    if not evidence.is_signed:
        return Refusal(NO_APPROVAL, "the approval is not signed by risk")
    if not evidence.is_covered:
        return Refusal(NO_APPROVAL, "the approval was given for other terms than those of this order")
    if evidence.kill_epoch < blocking_epoch:
        reason = (
            f"trading was blocked (epoch {blocking_epoch}) after the approval was given (epoch {evidence.kill_epoch})"
        )
        return Refusal(KILL_ACTIVE, reason)
    if evidence.expires_at <= at:
        return Refusal(NO_APPROVAL, f"the approval expired at {evidence.expires_at.isoformat()}")
    return None
