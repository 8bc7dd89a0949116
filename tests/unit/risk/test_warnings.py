"""Warnings before limits: told once when the share is crossed, once when there is room again, at exactly the share."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alphintra.engine.pretrade.course import EquityMark, loss_of
from alphintra.kernel.limits import LimitControls
from alphintra.risk.domain.alerts import DEFAULT_RULES, Raised, RuleName, Severity
from alphintra.risk.domain.warnings import LimitUse, LimitWarning, judged, uses_of_loss
from unit.risk.books import NOON

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

RULE = DEFAULT_RULES[RuleName.LIMIT_NEAR]
ACCOUNT = UUID(int=5)
USE = LimitUse(
    account_id=ACCOUNT,
    what="position",
    name="AAPL",
    used=Decimal(80),
    most=Decimal(100),
    warn_pct=Decimal(80),
    limit_version=3,
)


def used(amount: str, *, warn: str = "80") -> LimitUse:
    """Return a use of a limit of a hundred."""
    return replace(USE, used=Decimal(amount), warn_pct=Decimal(warn))


def told(uses: Sequence[LimitUse], before: Sequence[LimitWarning] = (), *, at: datetime = NOON) -> list[Raised]:
    """Return what is told."""
    return [raised for raised, _warning in judged(uses, before, rule=RULE, at=at)]


@pytest.mark.parametrize(
    ("amount", "warn", "is_told"),
    [("79.999999999", "80", False), ("80", "80", True), ("120", "80", True), ("89", "90", False), ("50", "50", True)],
)
def test_a_limit_is_told_of_from_its_share_on(*, amount: str, warn: str, is_told: bool) -> None:
    raised = told([used(amount, warn=warn)])
    assert [one.severity for one in raised] == [Severity.WARNING] * is_told
    assert all("AAPL" in one.title and f"{amount} of at most 100" in one.detail for one in raised)


def test_the_rule_of_the_firm_may_ask_for_less_than_the_limit_set_but_not_for_more() -> None:
    assert list(judged([used("60")], [], rule=replace(RULE, threshold=Decimal("0.6")), at=NOON))
    assert not list(judged([used("60")], [], rule=replace(RULE, threshold=Decimal("0.9")), at=NOON))


@given(amounts=st.lists(st.integers(0, 130), max_size=40))
def test_each_crossing_is_told_once_and_ends_once_whatever_the_course(amounts: list[int]) -> None:
    """The keys differ, crossing and room alternate, and what stands at the end is what was told last."""
    standing: list[LimitWarning] = []
    severities, keys = [], set()
    for step, amount in enumerate(amounts):
        at = NOON + timedelta(seconds=step)
        uses = [used(str(amount))] if amount else []
        found = list(judged(uses, standing, rule=RULE, at=at))
        assert len(found) <= 1
        for raised, warning in found:
            standing = [warning]
            severities.append(raised.severity)
            keys.add(raised.dedupe_key)
        is_standing = bool(standing) and standing[0].is_standing
        assert is_standing or amount < 80
        assert not is_standing or amount >= 76
    assert severities == [Severity.WARNING, Severity.INFO] * (len(severities) // 2) + [Severity.WARNING] * (
        len(severities) % 2
    )
    assert len(keys) == len(severities)


def test_a_burst_that_is_over_is_told_once_though_its_trace_stays() -> None:
    burst = replace(USE, what="messages", name="", used=Decimal(90), left=Decimal(90), seen_at=NOON)
    ((_, standing),) = judged([burst], [], rule=RULE, at=NOON + timedelta(seconds=1))
    over = replace(burst, left=Decimal(1))
    ((raised, ended),) = judged([over], [standing], rule=RULE, at=NOON + timedelta(seconds=90))
    assert raised.severity is Severity.INFO
    assert told([over], [ended], at=NOON + timedelta(seconds=91)) == []
    again = replace(over, seen_at=NOON + timedelta(seconds=92))
    assert [one.dedupe_key[-2:] for one in told([again], [ended], at=NOON + timedelta(seconds=92))] == [":2"]


def test_losses_are_measured_as_the_limits_measure_them() -> None:
    mark = EquityMark(
        day=date(2026, 3, 2), opening_equity=Decimal(1000), last_equity=Decimal(900), peak_equity=Decimal(1250)
    )
    controls = LimitControls(
        daily_loss_max=Decimal(100),
        daily_loss_halt=Decimal(200),
        drawdown_max_pct=Decimal(28),
        loss_warn_pct=Decimal(50),
    )
    uses = {use.what: use for use in uses_of_loss(ACCOUNT, mark, controls, version=2)}
    assert {what: (use.used, use.most) for what, use in uses.items()} == {
        "daily loss": (Decimal(100), Decimal(100)),
        "daily loss that halts": (Decimal(100), Decimal(200)),
        "drawdown": (Decimal(28), Decimal(28)),
    }
    assert loss_of(mark, controls) is not None
    assert len(told(list(uses.values()))) == 3
    assert list(uses_of_loss(ACCOUNT, mark, LimitControls(), version=2)) == []
