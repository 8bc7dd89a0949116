"""Use cases of warnings: the use of limits is looked at every second, losses at every mark."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import UUID

from alphintra.engine.pretrade.course import refilled
from alphintra.engine.pretrade.totals import stakes_of
from alphintra.kernel.ids import AccountId
from alphintra.risk.domain.alerts import Raised, RuleName
from alphintra.risk.domain.warnings import MEASURED, SHARED, LimitUse, judged

if TYPE_CHECKING:
    from collections.abc import Mapping

    from alphintra.kernel.limits import LimitControls
    from alphintra.risk.domain.alerts import AlertRule
    from alphintra.risk.repository import Warnings

__all__ = ["changed_accounts", "uses_of", "warn", "warn_of_limits", "warn_of_shared"]


async def changed_accounts(warnings: Warnings, touched: Iterable[UUID], seen: dict[UUID, int]) -> list[UUID]:
    """Return whose use of limits is to be looked at: touched, warned of, or with prices that moved since ``seen``.

    ``seen`` is left as the feeds are now.
    """
    marks, found = await warnings.accounts(seen)
    seen.clear()
    seen.update(marks)
    return sorted({*touched, *found})


async def warn_of_limits(
    warnings: Warnings, account_ids: Sequence[UUID], rules: Mapping[RuleName, AlertRule], *, at: datetime
) -> list[Raised]:
    """Hold what accounts use of their limits against the shares they are warned at; returns what is to be told."""
    if not account_ids:
        return []
    uses = await uses_of(warnings, account_ids, at=at)
    return await warn(warnings, uses, account_ids, MEASURED, rule=rules[RuleName.LIMIT_NEAR], at=at)


async def uses_of(warnings: Warnings, account_ids: Sequence[UUID], *, at: datetime) -> list[LimitUse]:
    """Return what accounts use of their limits, losses left out, where it is anything."""
    uses = list(await warnings.uses(account_ids))
    for account_id, version, controls in await warnings.further(account_ids):
        uses += await _further(warnings, account_id, controls, version=version, at=at)
    return uses


async def warn_of_shared(
    warnings: Warnings, rules: Mapping[RuleName, AlertRule], *, at: datetime
) -> list[Raised]:  # fmt: skip
    """Hold the credit that users, and the firm, share against the share it is warned at; returns what is to be told."""
    before = await warnings.standing_of(SHARED)
    found = list(judged(await warnings.shared_uses(), before, rule=rules[RuleName.LIMIT_NEAR], at=at))
    await warnings.save([warning for _raised, warning in found])
    return [raised for raised, _warning in found]


async def warn(
    warnings: Warnings,
    uses: Sequence[LimitUse],
    account_ids: Sequence[UUID],
    whats: Sequence[str],
    *,
    rule: AlertRule,
    at: datetime,
) -> list[Raised]:
    """Store which warnings come and go with the uses of some limits of accounts; returns what is to be told."""
    found = list(judged(uses, await warnings.standing(account_ids, whats), rule=rule, at=at))
    await warnings.save([warning for _raised, warning in found])
    return [raised for raised, _warning in found]


async def _further(
    warnings: Warnings, account_id: UUID, controls: LimitControls, *, version: int, at: datetime
) -> list[LimitUse]:
    """Return the uses of limits that take more than a statement to work out."""
    found = []
    if controls.bucket_exposure_max is not None:
        book = await warnings.book(AccountId(account_id), at=at)
        found += [
            LimitUse(
                account_id=account_id,
                what="class exposure",
                name=name,
                used=worth,
                most=controls.bucket_exposure_max,
                warn_pct=controls.exposure_warn_pct,
                limit_version=version,
            )
            for name, worth in stakes_of(book).buckets.items()
        ]
    left = None if controls.message_burst is None else await warnings.tokens(account_id)
    if left is not None:
        burst = Decimal(controls.message_burst or 0)
        found.append(
            LimitUse(
                account_id=account_id,
                what="messages",
                used=burst - left[0],
                left=burst - refilled(left, controls, at=at),
                seen_at=left[1],
                most=burst - controls.cancel_reserve,
                warn_pct=controls.message_warn_pct,
                limit_version=version,
            )
        )
    if controls.order_to_trade_max is not None:
        window = timedelta(seconds=controls.order_to_trade_window_s)
        orders, executions = await warnings.ratio(account_id, at=at, window=window)
        found.append(
            LimitUse(
                account_id=account_id,
                what="orders to an execution",
                used=Decimal(orders),
                most=controls.order_to_trade_max * max(executions, 1),
                warn_pct=controls.message_warn_pct,
                limit_version=version,
            )
        )
    return found
