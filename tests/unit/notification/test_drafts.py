"""Which happenings make a message, how grave each is, and that every sentence reads."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alphintra.kernel.vocabulary import OrderStatus, OrderType, Side
from alphintra.notification.domain import drafts as domain
from alphintra.notification.domain.drafts import Draft, FillFacts, OrderFacts

ID = UUID(int=1)
ORDER = OrderFacts(
    order_id=ID, symbol="AAPL", side=Side.BUY, type=OrderType.MARKET, qty=Decimal("10.000000000"), limit_price=None
)
LIMIT = replace(ORDER, side=Side.SELL, type=OrderType.LIMIT, limit_price=Decimal("1250.5"))
FILL = FillFacts(
    account_id=ID,
    execution_id="paper-1",
    symbol="AAPL",
    side=Side.BUY,
    qty=Decimal(10),
    price=Decimal("25.120000000"),
    fee=Decimal(0),
    realized_pnl=Decimal(0),
    position=Decimal(10),
    cash=Decimal("99748.800000"),
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("10.000000000", "10"),
        ("1000", "1,000"),
        ("1E+6", "1,000,000"),
        ("25.10", "25.1"),
        ("-0.000001", "-0.000001"),
        ("0E-9", "0"),
        ("-0", "0"),
    ],
)
def test_an_amount_reads_in_full_without_trailing_zeros(value: str, text: str) -> None:
    assert domain.plain(Decimal(value)) == text


@given(st.decimals(min_value=-(10**17), max_value=10**17, places=9))
def test_a_written_amount_is_the_amount(value: Decimal) -> None:
    assert Decimal(domain.plain(value).replace(",", "")) == value


def test_a_refused_order_reads_with_its_terms_reason_and_code() -> None:
    draft = domain.order_denied(LIMIT, code="RISK_QTY_MAX", reason="10 is above the limit of 5")
    assert draft.title == "Order refused: sell 10 AAPL at 1,250.50 or better"
    assert draft.body == (
        "Risk refused the order to sell 10 AAPL at 1,250.50 or better. 10 is above the limit of 5. Code: RISK_QTY_MAX."
    )
    assert (draft.severity, draft.subject) == ("warning", f"order:{ID}")


def test_a_fill_reads_with_price_fee_position_and_cash() -> None:
    draft = domain.fill_booked(FILL)
    assert draft.title == "Bought 10 AAPL at 25.12"
    assert draft.body == "Bought 10 AAPL at 25.12, fee 0.00. The account now holds 10 AAPL and 99,748.80 in cash."
    assert draft.severity == "info"


def test_a_closing_fill_reads_with_what_it_realised() -> None:
    fill = replace(FILL, side=Side.SELL, realized_pnl=Decimal("-12.3"), position=Decimal(0), fee=Decimal("0.0015"))
    assert domain.fill_booked(fill).body == (
        "Sold 10 AAPL at 25.12, fee 0.0015. It realised -12.30. The account now holds 0 AAPL and 99,748.80 in cash."
    )


@pytest.mark.parametrize(
    ("status", "severity", "title"),
    [
        (OrderStatus.CANCELED, "info", "Order canceled: buy 10 AAPL at the market"),
        (OrderStatus.EXPIRED, "warning", "Order expired: buy 10 AAPL at the market"),
        (OrderStatus.REJECTED, "warning", "Order not taken by the venue: buy 10 AAPL at the market"),
    ],
)
def test_an_order_that_ends_unfilled_is_told(status: OrderStatus, severity: str, title: str) -> None:
    draft = domain.order_closed(ORDER, status=status, filled_qty=Decimal(0), code="", reason="")
    assert draft is not None
    assert (draft.kind, draft.severity, draft.title) == (f"order_{status}", severity, title)
    assert draft.body.endswith("Nothing of it was executed.")


@pytest.mark.parametrize(
    "status", sorted(set(OrderStatus) - {OrderStatus.CANCELED, OrderStatus.EXPIRED, OrderStatus.REJECTED})
)
def test_what_a_fill_or_a_denial_tells_is_not_told_again(status: OrderStatus) -> None:
    assert domain.order_closed(ORDER, status=status, filled_qty=Decimal(0), code="", reason="") is None


def test_a_rejection_after_a_partial_fill_reads_with_what_was_executed_and_why() -> None:
    draft = domain.order_closed(
        ORDER, status=OrderStatus.REJECTED, filled_qty=Decimal(4), code="KILL_ACTIVE", reason="trading was blocked"
    )
    assert draft is not None
    assert draft.body == (
        "The order to buy 10 AAPL at the market was not taken by the venue. 4 of 10 were executed. "
        "trading was blocked. Code: KILL_ACTIVE."
    )


@pytest.mark.parametrize(
    ("state", "severity"),
    [
        ("normal", "info"),
        ("reduce_only", "warning"),
        ("cancel_only", "critical"),
        ("halted", "critical"),
        ("?", "critical"),
    ],
)
def test_a_kill_state_is_as_grave_as_what_it_blocks(state: str, severity: str) -> None:
    firm = domain.kill_state_changed(None, state=state, epoch=3, reason="drill")
    account = domain.kill_state_changed(ID, state=state, epoch=4, reason="drill")
    assert (firm.severity, firm.subject, account.subject) == (severity, "firm", f"account:{ID}")
    assert firm.body == f"{firm.title}. Reason: drill."
    assert "for everyone" in firm.title
    assert str(ID) in account.title


@pytest.mark.parametrize(
    ("status", "total_return", "body", "severity"),
    [
        ("finished", 0.12345, "The backtest of AAPL has finished. Total return: +12.35%.", "info"),
        ("failed", None, "The backtest of AAPL has failed.", "warning"),
        ("canceled", None, "The backtest of AAPL has been canceled.", "info"),
    ],
)
def test_a_backtest_is_told_with_its_return(status: str, total_return: float | None, body: str, severity: str) -> None:
    draft = domain.backtest_finished(ID, symbol="AAPL", status=status, total_return=total_return)
    assert (draft.body, draft.severity) == (body, severity)


def test_a_failed_feed_is_critical_and_names_its_error() -> None:
    failed = domain.feed_finished(ID, status="failed", error="the file is gone")
    assert (failed.severity, failed.title) == ("critical", "A price feed failed")
    assert failed.body.endswith("the file is gone.")
    ended = domain.feed_finished(ID, status="finished", error="")
    assert (ended.severity, ended.body) == ("info", "A price feed reached its end. No further bars will come from it.")


def test_different_happenings_never_share_a_key_and_the_same_one_always_does() -> None:
    def drafts() -> list[Draft]:
        other = UUID(int=2)
        closed = domain.order_closed(ORDER, status=OrderStatus.EXPIRED, filled_qty=Decimal(0), code="", reason="")
        assert closed is not None
        return [
            closed,
            domain.order_denied(ORDER, code="A_B", reason="x"),
            domain.order_denied(replace(ORDER, order_id=other), code="A_B", reason="x"),
            domain.fill_booked(FILL),
            domain.fill_booked(replace(FILL, account_id=other)),
            domain.fill_booked(replace(FILL, execution_id="paper-2")),
            domain.kill_state_changed(None, state="halted", epoch=1, reason="x"),
            domain.kill_state_changed(None, state="halted", epoch=2, reason="x"),
            domain.kill_state_changed(ID, state="halted", epoch=1, reason="x"),
            domain.backtest_finished(ID, symbol="AAPL", status="finished", total_return=None),
            domain.feed_finished(ID, status="finished", error=""),
            domain.drift_found(ID, ID, symbol="AAPL", equity_bps=Decimal("-61.5"), reasons={"late_bar": 2}),
            domain.feed_finished(ID, status="failed", error=""),
        ]

    keys = [draft.dedupe_key for draft in drafts()]
    assert len(set(keys)) == len(keys)
    assert keys == [draft.dedupe_key for draft in drafts()]
