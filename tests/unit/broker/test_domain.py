"""What broker sends, refuses and fills, decided without a database."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alphintra.broker.domain import approvals, connections
from alphintra.broker.domain import market as paper
from alphintra.broker.domain.approvals import Evidence
from alphintra.broker.domain.connections import Connection
from alphintra.broker.domain.market import Market, WorkingOrder
from alphintra.broker.domain.orders import Order
from alphintra.engine.bars import Bar
from alphintra.engine.portfolio import FeeModel
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.ids import AccountId, FeedId, OrderId, UserId
from alphintra.kernel.vocabulary import AccountMode, OrderType, Side, TimeInForce
from unit.engine.builders import bar, day

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
FEED = FeedId(UUID(int=0xFEED0000 << 96))
ACCOUNT = AccountId(UUID(int=2))
ORDER = OrderId(UUID(int=3))
GOOD = Evidence(is_signed=True, is_covered=True, expires_at=NOW + timedelta(seconds=5), kill_epoch=4)
CONNECTION = Connection(
    account_id=ACCOUNT, owner_id=UserId(UUID(int=4)), adapter="paper", feed_id=FEED, status="open", opened_at=NOW
)


def order(price: str | None = None, *, side: Side = Side.BUY, tif: TimeInForce = TimeInForce.DAY) -> Order:
    return Order(
        order_id=ORDER,
        client_order_id="c-1",
        account_id=ACCOUNT,
        symbol="AAPL",
        side=side,
        type=OrderType.MARKET if price is None else OrderType.LIMIT,
        time_in_force=tif,
        qty=Decimal(10),
        limit_price=None if price is None else Decimal(price),
    )


def working(terms: Order, *, slippage_bps: str = "0", fees: FeeModel | None = None) -> WorkingOrder:
    return WorkingOrder(
        order=terms, known_ts=day(0), slippage_bps=Decimal(slippage_bps), fees=FeeModel() if fees is None else fees
    )


def step(*bars: tuple[str, Bar], seq: int = 2) -> paper.Step:
    return paper.step_of(FEED, seq, bars)


@pytest.mark.parametrize(
    ("evidence", "blocking_epoch", "code"),
    [
        (GOOD, 0, None),
        (GOOD, 4, None),
        (GOOD, 5, "KILL_ACTIVE"),
        (replace(GOOD, is_signed=False), 0, "BROKER_NO_APPROVAL"),
        (replace(GOOD, is_covered=False), 0, "BROKER_NO_APPROVAL"),
        (replace(GOOD, expires_at=NOW), 0, "BROKER_NO_APPROVAL"),
        (replace(GOOD, expires_at=NOW + timedelta(microseconds=1)), 0, None),
        (replace(GOOD, is_signed=False, kill_epoch=0), 5, "BROKER_NO_APPROVAL"),
    ],
)
def test_an_order_is_sent_only_on_a_signed_covering_live_approval_of_this_epoch(
    evidence: Evidence, blocking_epoch: int, code: str | None
) -> None:
    refusal = approvals.judge_approval(evidence, blocking_epoch=blocking_epoch, at=NOW)
    assert (refusal.code if refusal else None) == code


@pytest.mark.parametrize(
    ("evidence", "renew"),
    [
        (GOOD, False),
        (replace(GOOD, expires_at=NOW), True),
        (replace(GOOD, expires_at=NOW, is_signed=False), False),
        (replace(GOOD, expires_at=NOW, is_covered=False), False),
    ],
)
def test_only_a_real_approval_that_died_of_age_is_renewed(evidence: Evidence, *, renew: bool) -> None:
    assert approvals.needs_renewal(evidence, at=NOW) is renew


@pytest.mark.parametrize(
    ("terms", "code"),
    [
        (order(), None),
        (order("9.50"), None),
        (replace(order(), qty=Decimal(0)), "QTY_NOT_POSITIVE"),
        (replace(order(), qty=Decimal("NaN")), "NUMBER_NOT_FINITE"),
        (replace(order(), qty=Decimal("1e30")), "NUMBER_RANGE"),
        (replace(order(), limit_price=Decimal(1)), "ORDER_FIELD_FORBIDDEN"),
        (replace(order(), type=OrderType.LIMIT), "ORDER_FIELD_REQUIRED"),
        (order("-1"), "QTY_NOT_POSITIVE"),
    ],
)
def test_an_order_the_venue_could_not_work_is_refused_before_it_is_sent(terms: Order, code: str | None) -> None:
    refusal = paper.check_order(terms, CONNECTION)
    assert (refusal.code if refusal else None) == code


def test_an_order_of_an_account_without_connection_is_refused() -> None:
    refusal = paper.check_order(order(), None)
    assert refusal is not None
    assert refusal.code == "BROKER_NO_CONNECTION"


@pytest.mark.parametrize(
    ("mode", "feed_id", "connects"),
    [(AccountMode.PAPER, FEED, True), (AccountMode.PAPER, None, False), (AccountMode.LIVE, FEED, False)],
)
def test_only_a_paper_account_with_a_feed_is_connected(
    mode: AccountMode, feed_id: UUID | None, *, connects: bool
) -> None:
    connection = connections.open_paper_connection(ACCOUNT, UserId(UUID(int=4)), mode=mode, feed_id=feed_id, at=NOW)
    assert (connection == CONNECTION) is connects
    assert (connection is None) is not connects


@pytest.mark.parametrize("state", ["reduce_only", "cancel_only", "halted", "a state of a later version"])
def test_every_kill_state_but_normal_ends_older_approvals(state: str) -> None:
    assert approvals.is_blocking(state)
    assert not approvals.is_blocking("normal")


def test_a_kill_state_is_kept_for_the_firm_or_for_one_account() -> None:
    assert approvals.kill_scope("firm", None) == "firm"
    assert approvals.kill_scope("account", ACCOUNT) == str(ACCOUNT)


@pytest.mark.parametrize(
    ("terms", "prices", "price"),
    [
        (order(), "100 110 90 105", "100"),
        (order(side=Side.SELL), "100 110 90 105", "100"),
        (order("95"), "100 110 90 105", "95"),
        (order("89"), "100 110 90 105", None),
        (order("120"), "100 110 90 105", "100"),
        (order("111", side=Side.SELL), "100 110 90 105", None),
    ],
)
def test_a_day_order_meets_one_bar_and_is_filled_or_expires(terms: Order, prices: str, price: str | None) -> None:
    outcome = paper.match_step([working(terms)], step(("AAPL", bar(1, prices))))
    assert [fill.price for fill in outcome.executions] == ([] if price is None else [Decimal(price)])
    assert outcome.expired == ((ORDER,) if price is None else ())


def test_a_good_till_canceled_order_works_on_when_its_bar_misses_it() -> None:
    outcome = paper.match_step([working(order("89", tif=TimeInForce.GTC))], step(("AAPL", bar(1, "100 110 90 105"))))
    assert outcome == paper.StepOutcome((), ())


def test_an_execution_carries_terms_costs_the_bars_time_and_a_name_that_repeats() -> None:
    fees = FeeModel(commission_bps=Decimal(10), minimum=Decimal("0.5"))
    entry = working(order(), slippage_bps="50", fees=fees)
    outcome = paper.match_step([entry], step(("AAPL", bar(1, "100 110 90 105"))))
    (fill,) = outcome.executions
    assert fill.execution_id == f"paper-feed0000-2-{ORDER.hex}"
    assert (fill.order_id, fill.account_id, fill.symbol, fill.side) == (ORDER, ACCOUNT, "AAPL", Side.BUY)
    assert (fill.qty, fill.price, fill.fee, fill.executed_at) == (
        Decimal(10),
        Decimal("100.5"),
        Decimal("1.005"),
        day(1),
    )
    assert paper.match_step([entry], step(("AAPL", bar(1, "100 110 90 105")))) == outcome


@given(high=st.integers(100, 200), low=st.integers(1, 100), close=st.integers(1, 200))
def test_nothing_of_the_bar_but_its_open_moves_a_market_fill(high: int, low: int, close: int) -> None:
    shape = bar(1, f"100 {max(high, close)} {min(low, close)} {close}")
    (fill,) = paper.match_step([working(order())], step(("AAPL", shape))).executions
    assert fill.price == 100


@pytest.mark.parametrize(
    ("bars", "seq", "code"),
    [
        ([], 1, "MARKET_BARS"),
        ([("AAPL", bar(1, "1 1 1 1")), ("AAPL", bar(2, "1 1 1 1"))], 1, "MARKET_BARS"),
        ([("AAPL", bar(1, "0.0000001 1 0.0000001 1"))], 1, "MARKET_BARS"),
        ([("AAPL", bar(1, "1.0000000001 2 1 1"))], 1, "NUMBER_SCALE"),
        ([("AAPL", bar(1, "1 1 1 1"))], 0, "FIELD_RANGE"),
    ],
)
def test_a_step_that_makes_no_sense_is_refused(bars: list[tuple[str, Bar]], seq: int, code: str) -> None:
    with pytest.raises(AlphintraError) as caught:
        paper.step_of(FEED, seq, bars)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("market", "seq", "code"),
    [
        (Market(0, None), 1, None),
        (Market(0, None), 2, "MARKET_SEQ"),
        (Market(1, day(0)), 2, None),
        (Market(1, day(0)), 3, "MARKET_SEQ"),
        (Market(1, day(1)), 2, "TIME_ORDER"),
    ],
)
def test_steps_follow_one_another_in_number_and_time(market: Market, seq: int, code: str | None) -> None:
    entry = step(("AAPL", bar(1, "1 1 1 1")), ("MSFT", bar(2, "1 1 1 1")), seq=seq)
    assert (entry.first_ts, entry.last_ts) == (day(1), day(2))
    if code is None:
        paper.require_next(market, entry)
        return
    with pytest.raises(AlphintraError) as caught:
        paper.require_next(market, entry)
    assert caught.value.code == code
