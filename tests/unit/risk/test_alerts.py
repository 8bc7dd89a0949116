"""Which happenings raise an alert, how grave it is, and that one happening has one key."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from alphintra.kernel.errors import AlphintraError
from alphintra.risk.domain import alerts
from alphintra.risk.domain.alerts import (
    DEFAULT_RULES,
    AlertRule,
    LossOfDay,
    Raised,
    Refusals,
    RuleName,
    Severity,
)
from unit.risk.books import ACCOUNT, NOON

EXECUTION_LAG = timedelta(seconds=5)


def rule(name: RuleName) -> AlertRule:
    return DEFAULT_RULES[name]


def loss(last: str) -> LossOfDay:
    return LossOfDay(account_id=ACCOUNT, day="2026-03-02", first=Decimal(1000), last=Decimal(last))


def messages_of(messages: int, trades: int) -> Raised | None:
    found = rule(RuleName.ORDER_TO_TRADE)
    return alerts.many_messages(found, account_id=ACCOUNT, symbol="AAPL", messages=messages, trades=trades, at=NOON)


def lagged(lag: timedelta) -> Raised | None:
    return alerts.copy_lagged(rule(RuleName.COPY_LAG), account_id=ACCOUNT, execution_id="x", lag=lag, at=NOON)


def test_every_rule_has_a_built_in_version() -> None:
    assert set(DEFAULT_RULES) == set(RuleName)
    assert {one.version for one in DEFAULT_RULES.values()} == {0}


@pytest.mark.parametrize(
    ("last", "severity"), [("980.01", None), ("980", Severity.WARNING), ("960", Severity.CRITICAL), ("1100", None)]
)
def test_a_loss_is_told_at_the_threshold_and_again_as_critical_at_twice_of_it(
    last: str, severity: Severity | None
) -> None:
    raised = alerts.loss_reached(rule(RuleName.LOSS), loss(last), at=NOON)
    assert (None if raised is None else raised.severity) == severity


def test_the_two_stages_of_a_loss_have_two_keys_and_a_stage_has_one_a_day() -> None:
    found = [alerts.loss_reached(rule(RuleName.LOSS), loss(last), at=NOON) for last in ("980", "970", "950", "900")]
    assert len({one.dedupe_key for one in found if one is not None}) == 2


def test_a_book_without_equity_raises_no_share_of_it() -> None:
    nothing = replace(loss("-5"), first=Decimal(0))
    assert alerts.loss_reached(rule(RuleName.LOSS), nothing, at=NOON) is None


@pytest.mark.parametrize(
    ("messages", "trades", "is_raised"), [(99, 0, False), (100, 0, True), (100, 1, True), (199, 2, False)]
)
def test_messages_are_measured_against_trades_and_no_trade_counts_as_one(
    messages: int,
    trades: int,
    is_raised: bool,  # noqa: FBT001 - a table's column
) -> None:
    assert (messages_of(messages, trades) is not None) == is_raised


def test_a_copy_is_late_past_the_threshold() -> None:
    assert lagged(EXECUTION_LAG) is None
    assert lagged(EXECUTION_LAG + timedelta(microseconds=1)) is not None


def test_the_same_kind_of_happening_has_one_key_until_it_may_be_told_again() -> None:
    first = Refusals(account_id=ACCOUNT, code="RISK_QTY_MAX", count=1, detail="too many", happened_at=NOON)
    limit = rule(RuleName.LIMIT_BREACHED)
    soon = replace(first, happened_at=NOON + timedelta(seconds=limit.repeat_after_s - 1))
    later = replace(first, happened_at=NOON + timedelta(seconds=limit.repeat_after_s))
    other = replace(first, code="RISK_CREDIT")
    keys = [alerts.limit_breached(limit, one).dedupe_key for one in (first, soon, later, other)]
    assert keys[0] == keys[1]
    assert len(set(keys)) == 3


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"threshold": Decimal(-1)}, "ALERT_THRESHOLD"),
        ({"threshold": Decimal("NaN")}, "NUMBER_NOT_FINITE"),
        ({"repeat_after_s": 0}, "ALERT_SECONDS"),
        ({"escalate_after_s": -1}, "ALERT_SECONDS"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(change: dict[str, object], code: str) -> None:
    current = rule(RuleName.LOSS)
    with pytest.raises(AlphintraError) as refused:
        alerts.changed_rule(current, replace(current, **change))  # type: ignore[arg-type] # any field
    assert refused.value.code == code


def test_a_changed_rule_is_the_next_version_and_an_equal_one_is_none() -> None:
    current = rule(RuleName.LOSS)
    assert alerts.changed_rule(current, replace(current, set_by="ada", set_at=NOON)) is current
    changed = alerts.changed_rule(current, replace(current, threshold=Decimal("0.03"), set_by="ada", set_at=NOON))
    assert (changed.version, changed.set_by) == (1, "ada")
