"""Risk's values as other services see them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from alphintra.contracts.risk import (
    AssessmentView,
    ExposureView,
    KillStateView,
    LimitsView,
    RiskStateView,
)
from alphintra.contracts.risk import Finding as FindingView
from alphintra.kernel.authority import require_for_account
from alphintra.kernel.errors import AlphintraError, Kind

if TYPE_CHECKING:
    from decimal import Decimal

    from alphintra.kernel.ids import AccountId
    from alphintra.kernel.messages import Context
    from alphintra.risk.domain.books import Account, Book, Finding, Kill, LimitSet
    from alphintra.risk.repository import StoredDecision

__all__ = ["assessment_view", "finding_views", "kill_view", "limits_view", "require_visible", "state_view"]

_SEES_ALL = {"owner", "operator"}


def require_visible(account: Account | None, account_id: AccountId, context: Context) -> Account:
    """Return the account if the actor may know of it. Raises ACCOUNT_NOT_FOUND otherwise, or AUTH_SCOPE."""
    actor = context.actor
    is_service = actor.user_id is None and actor.id.startswith("service:")
    may_see = account is not None and (
        account.owner_id == actor.user_id or is_service or bool(_SEES_ALL & set(actor.roles))
    )
    if account is None or not may_see:
        message = f"risk keeps no book of account {account_id}: if it was just opened, try again"
        raise AlphintraError("ACCOUNT_NOT_FOUND", message, kind=Kind.NOT_FOUND, pointer="/account_id")
    require_for_account(actor, account.account_id, account.mode)
    return account


def finding_views(findings: tuple[Finding, ...]) -> tuple[FindingView, ...]:
    """Return findings as they travel."""
    return tuple(msgspec.convert(finding, FindingView, from_attributes=True) for finding in findings)


def limits_view(limits: LimitSet) -> LimitsView:
    """Return a limit set as it travels."""
    return msgspec.convert(limits, LimitsView, from_attributes=True)


def kill_view(kill: Kill) -> KillStateView:
    """Return a kill state as it travels."""
    return msgspec.convert(kill, KillStateView, from_attributes=True)


def assessment_view(decision: StoredDecision) -> AssessmentView:
    """Return a stored decision as it travels."""
    return msgspec.convert(decision, AssessmentView, from_attributes=True)


def state_view(book: Book, cash: Decimal, kills: tuple[Kill, ...]) -> RiskStateView:
    """Return an account's book as it travels."""
    return RiskStateView(
        account_id=book.account_id,
        cash=cash,
        reserved_cash=book.reserved_cash,
        exposures=tuple(
            ExposureView(
                symbol=symbol,
                position_qty=exposure.position_qty,
                reserved_buy_qty=exposure.open_buy_qty + exposure.close_buy_qty,
                reserved_sell_qty=exposure.open_sell_qty + exposure.close_sell_qty,
                last_price=exposure.last_price,
            )
            for symbol, exposure in sorted(book.exposures.items())
        ),
        kill_states=tuple(kill_view(kill) for kill in kills),
    )
