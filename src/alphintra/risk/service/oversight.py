"""Use cases of those who watch risk: use of limits, every kill state, what the controls are."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from alphintra.contracts.oversight import (
    ControlsView,
    ControlView,
    KillStatesView,
    LimitDocView,
    LimitUsesView,
    LimitUseView,
)
from alphintra.engine.pretrade.assessment import CONTROLS, SOFT_CODES
from alphintra.engine.pretrade.limits import LIMIT_DOCS
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.ids import AccountId
from alphintra.risk.domain.books import Kill, KillScope, KillState
from alphintra.risk.domain.usage import LIMIT_OF, every_use
from alphintra.risk.domain.warnings import SHARED, LimitUse, uses_of_loss
from alphintra.risk.repository import Governance, Warnings
from alphintra.risk.service.kills import FIRM
from alphintra.risk.service.views import kill_view, require_visible
from alphintra.risk.service.warnings import uses_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from alphintra.contracts.oversight import GetLimitUse, ListKillStates
    from alphintra.kernel.messages import Context
    from alphintra.risk.repository import RiskRecords

__all__ = ["get_limit_use", "list_controls", "list_kill_states"]

LISTED_MAX = 1000
_GOVERNS = {"owner", "operator"}


async def get_limit_use(
    command: GetLimitUse, context: Context, *, records: RiskRecords, at: datetime
) -> LimitUsesView:  # fmt: skip
    """Return how much of each limit of an account is used. Raises ACCOUNT_NOT_FOUND and RISK_LIMITS_MISSING.

    Losses are those of the last mark. The credit of the user and of the firm is told to owner and operator alone.
    """
    account_id = AccountId(command.account_id)
    account = require_visible(await records.account(account_id), account_id, context)
    async with records.transaction() as tx:
        limits = await tx.limits(account_id)
        if limits is None:
            message = f"account {account_id} has no limit set"
            raise AlphintraError("RISK_LIMITS_MISSING", message, kind=Kind.NOT_FOUND)
        warnings = Warnings(tx.session)
        found = await uses_of(warnings, [account_id], at=at)
        mark = await warnings.equity(account_id)
        shared = await warnings.shared_uses() if _GOVERNS & set(context.actor.roles) else ()
    if mark is not None:
        found += uses_of_loss(account_id, mark, limits.controls, version=limits.version)
    found += [use for use in shared if use.account_id in {FIRM, account.owner_id}]
    return LimitUsesView(
        account_id=account_id,
        version=limits.version,
        measured_at=at,
        equity_day="" if mark is None else mark.day.isoformat(),
        uses=tuple(_use_view(use) for use in every_use(limits, found)),
    )


def _use_view(use: LimitUse) -> LimitUseView:
    limit = LIMIT_OF[use.what]
    scope = "account"
    if use.what == SHARED:
        scope = "firm" if use.account_id == FIRM else "user"
    return LimitUseView(
        limit=limit,
        rule=LIMIT_DOCS[limit][0],
        what=use.what,
        name=use.name,
        scope=scope,
        used=use.used,
        most=use.most,
        warn_pct=use.warn_pct,
        unit=use.unit.strip(),
    )


async def list_kill_states(command: ListKillStates, context: Context, *, records: RiskRecords) -> KillStatesView:
    """Return the kill states in force and those of before. Raises LIMIT_RANGE."""
    if not 0 < command.limit <= LISTED_MAX:
        raise AlphintraError("LIMIT_RANGE", f"limit is 1 to {LISTED_MAX}", pointer="/limit")
    async with records.transaction() as tx:
        governance = Governance(tx.session)
        standing = await governance.standing_kills(count_max=LISTED_MAX)
        history = await governance.kill_history(count_max=command.limit)
    return KillStatesView(
        current=tuple(kill_view(_kill(row)) for row in standing if _is_told(row, context)),
        history=tuple(kill_view(_kill(row)) for row in history if _is_told(row, context)),
    )


def _is_told(row: Mapping[str, Any], context: Context) -> bool:
    actor = context.actor
    if actor.account_id is not None and row["account_id"] not in {None, actor.account_id}:
        return False
    if _GOVERNS & set(actor.roles) or row["scope"] in {KillScope.FIRM, KillScope.VENUE, KillScope.SYMBOL}:
        return True
    owner_id = row["key"] if row["scope"] == KillScope.USER else row["owner_id"]
    return actor.user_id is not None and str(owner_id) == str(actor.user_id)


def _kill(row: Mapping[str, Any]) -> Kill:
    scope, key = KillScope(row["scope"]), row["key"]
    return Kill(
        scope=scope,
        account_id=row["account_id"],
        state=KillState(row["state"]),
        epoch=row["epoch"],
        reason=row["reason"],
        set_by=row["set_by"],
        set_at=row["set_at"],
        owner_id=UUID(key) if scope is KillScope.USER else None,
        book_id=UUID(key) if scope is KillScope.STRATEGY else None,
        venue=key if scope is KillScope.VENUE else None,
        symbol=key if scope is KillScope.SYMBOL else None,
    )


def list_controls() -> ControlsView:
    """Return the controls in the order they run, and the limits."""
    return ControlsView(
        controls=tuple(
            ControlView(
                rule=control.rule,
                name=control.name,
                codes=tuple(control.codes),
                inputs=control.inputs,
                default=control.default,
                is_soft=bool(set(control.codes) & SOFT_CODES),
            )
            for control in CONTROLS
        ),
        limits=tuple(
            LimitDocView(limit=name, rule=rule, meaning=meaning) for name, (rule, meaning) in LIMIT_DOCS.items()
        ),
    )
