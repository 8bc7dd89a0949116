"""What limits, kill states and prices may be set to."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from alphintra.engine.pretrade.limits import default_limits
from alphintra.kernel.errors import AlphintraError
from alphintra.risk.domain.books import Kill, KillScope, KillState
from alphintra.risk.domain.rules import PRICES_MAX, changed_kill, check_prices, next_limits
from unit.risk.books import ACCOUNT, NOON, limits

STATES = tuple(KillState)


def kill(state: KillState, *, epoch: int = 0, reason: str = "drill") -> Kill:
    return Kill(
        scope=KillScope.FIRM, account_id=None, state=state, epoch=epoch, reason=reason, set_by="test", set_at=NOON
    )


def test_an_account_starts_with_the_documented_limits() -> None:
    start = default_limits(ACCOUNT, set_by="default", at=NOON)
    assert (start.version, start.may_short) == (1, False)
    assert [start.order_qty_max, start.order_notional_max, start.position_qty_max] == [100_000, 1_000_000, 100_000]


def test_different_limits_are_the_next_version_and_equal_ones_are_none() -> None:
    current = limits(version=4)
    wanted = replace(current, version=0, set_by="other", set_at=NOON + timedelta(days=1))
    assert next_limits(current, wanted) is current
    changed = next_limits(current, replace(wanted, may_short=False))
    assert (changed.version, changed.may_short, changed.set_by) == (5, False, "other")


@pytest.mark.parametrize("name", ["order_qty_max", "order_notional_max", "position_qty_max"])
@pytest.mark.parametrize(
    ("bad", "code"),
    [("0", "LIMIT_NOT_POSITIVE"), ("-1", "LIMIT_NOT_POSITIVE"), ("NaN", "NUMBER_NOT_FINITE"), ("1e18", "NUMBER_RANGE")],
)
def test_a_limit_is_finite_and_above_zero(name: str, bad: str, code: str) -> None:
    with pytest.raises(AlphintraError) as refused:
        next_limits(limits(), limits(**{name: Decimal(bad)}))
    assert (refused.value.code, refused.value.pointer) == (code, f"/{name}")


@pytest.mark.parametrize("before", STATES)
@pytest.mark.parametrize("after", STATES)
def test_a_kill_state_eases_only_for_those_who_may(before: KillState, after: KillState) -> None:
    current, wanted = kill(before, epoch=3), kill(after)
    assert changed_kill(current, wanted, may_ease=True) == (current if before is after else wanted)
    if STATES.index(after) < STATES.index(before):
        with pytest.raises(AlphintraError, match="KILL_EASE"):
            changed_kill(current, wanted, may_ease=False)
    else:
        assert changed_kill(current, wanted, may_ease=False).state is after


def test_the_first_state_is_stored_even_if_it_is_normal() -> None:
    assert changed_kill(None, kill(KillState.NORMAL), may_ease=False) == kill(KillState.NORMAL)


@pytest.mark.parametrize("reason", ["", "  ", "a\nb", "a\x00", "x" * 501])
def test_a_kill_needs_a_reason_a_person_can_read(reason: str) -> None:
    with pytest.raises(AlphintraError, match="KILL_REASON"):
        changed_kill(None, kill(KillState.HALTED, reason=reason), may_ease=True)
    assert changed_kill(None, kill(KillState.HALTED, reason=f" {'x' * 500} "), may_ease=True).reason == "x" * 500


@pytest.mark.parametrize(
    ("seq", "prices", "code"),
    [
        (-1, (), "PRICE_SEQ"),
        (1, (("AAPL", Decimal(0)),), "PRICE_NOT_POSITIVE"),
        (1, (("AAPL", Decimal(-1)),), "PRICE_NOT_POSITIVE"),
        (1, (("AAPL", Decimal("NaN")),), "NUMBER_NOT_FINITE"),
        (1, (("AAPL", Decimal("Infinity")),), "NUMBER_NOT_FINITE"),
        (1, (("AAPL", Decimal("0.0000000001")),), "NUMBER_SCALE"),
        (1, (("aapl", Decimal(1)),), "PRICE_SYMBOL"),
        (1, (("AAPL", Decimal(1)), ("AAPL", Decimal(2))), "PRICE_TWICE"),
        (1, tuple((f"S{n}", Decimal(1)) for n in range(PRICES_MAX + 1)), "PRICE_COUNT"),
    ],
)
def test_prices_no_order_may_be_judged_by_are_refused(
    seq: int, prices: tuple[tuple[str, Decimal], ...], code: str
) -> None:
    with pytest.raises(AlphintraError) as refused:
        check_prices(seq, prices)
    assert refused.value.code == code


def test_a_full_step_of_good_prices_is_taken() -> None:
    prices = [(f"S{n}", Decimal("0.000000001")) for n in range(PRICES_MAX)]
    check_prices(0, prices)
    with pytest.raises(AlphintraError, match="PRICE_TWICE"):
        check_prices(0, [*prices[:-1], prices[0]])
