"""Whatever a venue reports, in whatever order: fills count once, filled never falls, closed stays closed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alphintra.broker.domain.reports import (
    CLOSED,
    LiveOrder,
    LiveStatus,
    Tale,
    VenueFill,
    VenueOrder,
    VenueState,
    apply_fill,
    apply_state,
)
from alphintra.kernel.ids import AccountId, OrderId
from alphintra.kernel.vocabulary import Side

NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
ORDER = LiveOrder(
    order_id=OrderId(UUID(int=1)),
    account_id=AccountId(UUID(int=2)),
    client_order_id="c-1",
    symbol="AAPL",
    side=Side.BUY,
    qty=Decimal(10),
    status=LiveStatus.SENDING,
    venue_order_id=None,
    filled_qty=Decimal(0),
)
FILL = VenueFill(
    execution_id="e-1",
    venue_order_id="v-1",
    client_order_id="c-1",
    symbol="AAPL",
    side=Side.BUY,
    qty=Decimal(4),
    price=Decimal(100),
    fee=Decimal(0),
    executed_at=NOW,
)


def described(state: VenueState, *, filled: int = 0) -> VenueOrder:
    return VenueOrder(
        venue_order_id="v-1",
        client_order_id="c-1",
        symbol="AAPL",
        state=state,
        word=state.value,
        filled_qty=Decimal(filled),
    )


def test_a_fill_before_the_acknowledgement_acknowledges() -> None:
    applied = apply_fill(ORDER, FILL, pays_rebates=False, at=NOW)
    assert applied.tales == (Tale.ACKNOWLEDGED, Tale.EXECUTED)
    assert (applied.order.status, applied.order.filled_qty) == (LiveStatus.WORKING, Decimal(4))
    assert apply_state(applied.order, described(VenueState.WORKING, filled=4), is_replayed=False).tales == ()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"qty": Decimal(11)}, "OVERFILL"),
        ({"executed_at": NOW + timedelta(seconds=6)}, "TIME_SKEW"),
        ({"fee": Decimal("-0.01")}, "FEE_SIGN"),
        ({"foreign_fee": "BNB"}, "FEE_CURRENCY"),
    ],
)
def test_an_odd_execution_is_booked_and_reported(changes: dict[str, object], code: str) -> None:
    applied = apply_fill(ORDER, replace(FILL, **changes), pays_rebates=False, at=NOW)  # type: ignore[arg-type]
    assert [finding.code for finding in applied.findings] == [code]
    assert Tale.EXECUTED in applied.tales
    assert applied.fee >= 0


def test_fees_in_a_third_currency_are_found_once() -> None:
    first, second = (
        apply_fill(ORDER, replace(FILL, execution_id=name, foreign_fee="BNB"), pays_rebates=False, at=NOW)
        for name in ("e-1", "e-2")
    )
    assert first.findings[0].key == second.findings[0].key


def test_a_rebate_is_no_finding_where_the_venue_pays_them() -> None:
    applied = apply_fill(ORDER, replace(FILL, fee=Decimal("-0.01")), pays_rebates=True, at=NOW)
    assert (applied.findings, applied.fee) == ((), Decimal("-0.01"))


def test_a_fill_after_the_cancellation_is_booked_and_does_not_reopen() -> None:
    closed = replace(ORDER, status=LiveStatus.CANCELED)
    applied = apply_fill(closed, FILL, pays_rebates=False, at=NOW)
    assert applied.order.status is LiveStatus.CANCELED
    assert [finding.code for finding in applied.findings] == ["LATE_FILL"]
    assert applied.order.filled_qty == Decimal(4)


def test_a_word_nobody_knows_leaves_the_order_as_it_is() -> None:
    applied = apply_state(ORDER, described(VenueState.UNCLEAR), is_replayed=False)
    assert applied.order == ORDER
    assert [finding.code for finding in applied.findings] == ["VENUE_ENUM_UNKNOWN"]


def test_a_cancellation_waits_for_the_executions_the_venue_counts() -> None:
    report = described(VenueState.CANCELED, filled=4)
    early = apply_state(ORDER, report, is_replayed=False)
    assert (early.is_behind, early.order.status) == (True, LiveStatus.WORKING)
    late = apply_state(early.order, report, is_replayed=True)
    assert late.order.status is LiveStatus.CANCELED
    assert [finding.code for finding in late.findings] == ["EXEC_MISSING"]


reports = st.one_of(
    st.builds(described, st.sampled_from(VenueState), filled=st.integers(0, 12)),
    st.builds(lambda n: replace(FILL, qty=Decimal(n)), st.integers(1, 6)),
)


@given(told=st.lists(reports, max_size=12), replayed=st.booleans())
def test_filled_never_falls_and_closed_never_opens(*, told: list[VenueOrder | VenueFill], replayed: bool) -> None:
    order, acknowledged = ORDER, 0
    for report in told:
        if isinstance(report, VenueFill):
            applied = apply_fill(order, report, pays_rebates=False, at=NOW)
        else:
            applied = apply_state(order, report, is_replayed=replayed)
        assert applied.order.filled_qty >= order.filled_qty
        if order.status in CLOSED:
            assert applied.order.status is order.status
        acknowledged += applied.tales.count(Tale.ACKNOWLEDGED)
        order = applied.order
    assert acknowledged <= 1
