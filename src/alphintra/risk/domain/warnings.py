"""Warnings before a limit is reached: how much of it is used, when that is told, and when there is room again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

from alphintra.engine.pretrade.course import EquityMark, fallen
from alphintra.engine.pretrade.values import plain
from alphintra.kernel.limits import LimitControls
from alphintra.risk.domain.alerts import AlertRule, Raised, Severity

__all__ = ["MARKED", "MEASURED", "SHARED", "LimitUse", "LimitWarning", "judged", "uses_of_loss"]

EASED: Final = Decimal("0.95")  # of the share that is warned at: below it there is room again, so that none flutters
MARKED: Final = ("daily loss", "daily loss that halts", "drawdown", "drawdown that halts")
MEASURED: Final = (
    "position",
    "gross exposure",
    "net exposure",
    "credit",
    "class exposure",
    "open orders",
    "messages",
    "orders to an execution",
)
SHARED: Final = "shared credit"  # of a user or, under the nil id, of the firm; kept under their ids
_FIRM: Final = UUID(int=0)
_HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitUse:
    """How much of a limit an account uses, or would with all working orders filled.

    Args:
        account_id: whose limit it is: the account's, the user's of shared credit, nil for the firm's.
        what: which limit: one of ``MEASURED`` or ``MARKED``, or ``SHARED``.
        name: the symbol of a position, the class of instruments; empty for others.
        used: how much of it.
        most: the limit.
        warn_pct: share of the limit from which on is warned, percent.
        limit_version: of the limit set.
        left: how much counts for there being room again, where that is less than ``used``.
        seen_at: when this much was used, where it passes by itself.
        unit: what amounts are given in.
    """

    account_id: UUID
    what: str
    used: Decimal
    most: Decimal
    warn_pct: Decimal
    limit_version: int
    name: str = ""
    left: Decimal | None = None
    seen_at: datetime | None = None
    unit: str = ""

    @property
    def key(self) -> tuple[UUID, str, str]:
        """Which limit of whom it is."""
        return self.account_id, self.what, self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitWarning:
    """A limit that is nearly used up, or was; ``crossing`` counts how often it came to that."""

    account_id: UUID
    what: str
    name: str
    crossing: int
    is_standing: bool
    changed_at: datetime

    @property
    def key(self) -> tuple[UUID, str, str]:
        """Which limit of whom it is."""
        return self.account_id, self.what, self.name


def judged(
    uses: Iterable[LimitUse], before: Iterable[LimitWarning], *, rule: AlertRule, at: datetime
) -> Iterator[tuple[Raised, LimitWarning]]:
    """Return what is to be told of limits, each with the warning as it stands from now on.

    Args:
        uses: of every limit that was looked at; one that is not named is not used, or not set any more.
        before: warnings there ever were of the limits looked at.
        rule: of the alerts; its threshold is the most that goes untold, whatever limit sets say.
        at: now.
    """
    known = {warning.key: warning for warning in before}
    for use in uses:
        warning = known.pop(use.key, None)
        share = min(use.warn_pct / _HUNDRED, rule.threshold)
        if warning is not None and warning.is_standing:
            if (use.used if use.left is None else use.left) < use.most * share * EASED:
                yield _recovered(warning, rule, use, at=at)
        elif use.used >= use.most * share and not _is_old(use, warning):
            count = 1 if warning is None else warning.crossing + 1
            what, name = use.what, use.name
            standing = LimitWarning(
                account_id=use.account_id, what=what, name=name, crossing=count, is_standing=True, changed_at=at
            )
            yield _crossed(standing, rule, use, at=at), standing
    for warning in known.values():
        if warning.is_standing:
            yield _recovered(warning, rule, None, at=at)


def uses_of_loss(account_id: UUID, mark: EquityMark, controls: LimitControls, *, version: int) -> Iterator[LimitUse]:
    """Return how much of the limits of loss an account has used at a mark."""
    loss, fall = fallen(mark)
    asked = (
        ("daily loss", controls.daily_loss_max, loss, controls.loss_warn_pct, ""),
        ("daily loss that halts", controls.daily_loss_halt, loss, controls.loss_warn_pct, ""),
        ("drawdown", controls.drawdown_max_pct, fall, controls.drawdown_warn_pct, " %"),
        ("drawdown that halts", controls.drawdown_halt_pct, fall, controls.drawdown_warn_pct, " %"),
    )
    for what, most, used, warn_pct, unit in asked:
        if most is not None:
            yield LimitUse(
                account_id=account_id,
                what=what,
                used=used,
                most=most,
                warn_pct=warn_pct,
                limit_version=version,
                unit=unit,
            )


def _is_old(use: LimitUse, before: LimitWarning | None) -> bool:
    return before is not None and use.seen_at is not None and use.seen_at <= before.changed_at


def _crossed(warning: LimitWarning, rule: AlertRule, use: LimitUse, *, at: datetime) -> Raised:
    used, most = (f"{plain(round(amount, 9))}{use.unit}" for amount in (use.used, use.most))
    return Raised(
        rule=rule,
        dedupe_key=_key(warning, rule),
        severity=rule.severity,
        account_id=_account_of(warning),
        subject=_subject(warning),
        title=f"Limit of {_called(warning)} nearly used up",
        detail=(
            f"{_called(warning).capitalize()}: {used} of at most {most}, {use.used / use.most:.0%} of the limit "
            f"(version {use.limit_version}), all working orders counted as filled."
        ),
        happened_at=at,
    )


def _recovered(
    warning: LimitWarning, rule: AlertRule, use: LimitUse | None, *, at: datetime
) -> tuple[Raised, LimitWarning]:
    now = "nothing of it is used, or it is not set any more"
    if use is not None:
        now = f"{plain(round(use.used if use.left is None else use.left, 9))}{use.unit} of {plain(use.most)}{use.unit}"
    raised = Raised(
        rule=rule,
        dedupe_key=f"{_key(warning, rule)}:room",
        severity=Severity.INFO,
        account_id=_account_of(warning),
        subject=_subject(warning),
        title=f"Limit of {_called(warning)} has room again",
        detail=f"{_called(warning).capitalize()}: {now}.",
        happened_at=at,
    )
    return raised, replace(warning, is_standing=False, changed_at=at)


def _account_of(warning: LimitWarning) -> UUID | None:
    return None if warning.what == SHARED else warning.account_id


def _subject(warning: LimitWarning) -> str:
    if warning.what != SHARED:
        return f"account:{warning.account_id}"
    return "firm" if warning.account_id == _FIRM else f"user:{warning.account_id}"


def _called(warning: LimitWarning) -> str:
    if warning.what == SHARED:
        return f"credit shared by the {'firm' if warning.account_id == _FIRM else 'accounts of a user'}"
    return f"{warning.what} in {warning.name}" if warning.name else warning.what


def _key(warning: LimitWarning, rule: AlertRule) -> str:
    return f"{rule.rule}:{warning.account_id}:{warning.what}:{warning.name}:{warning.crossing}"
