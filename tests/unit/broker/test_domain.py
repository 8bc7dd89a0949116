"""What broker sends, refuses and fills, decided without a database."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from alphintra.broker.domain import approvals, connections, market, paper
from alphintra.broker.domain.approvals import Evidence
from alphintra.broker.domain.connections import Connection
from alphintra.broker.domain.market import Market
from alphintra.broker.domain.orders import Order
from alphintra.engine.bars import Bar
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


def step(*bars: tuple[str, Bar], seq: int = 2) -> market.Step:
    return market.step_of(FEED, seq, [(symbol, shape, None) for symbol, shape in bars])


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
        (replace(order(), notional=Decimal(100)), "ORDER_FIELD_REQUIRED"),
        (replace(order(), qty=None), "ORDER_FIELD_REQUIRED"),
        (replace(order(), qty=None, notional=Decimal(100)), None),
        (replace(order(), qty=None, notional=Decimal(0)), "QTY_NOT_POSITIVE"),
        (replace(order(), type=OrderType.STOP, stop_price=Decimal(9)), None),
        (replace(order(), type=OrderType.STOP), "ORDER_FIELD_REQUIRED"),
        (
            replace(order(), type=OrderType.STOP, stop_price=Decimal(9), time_in_force=TimeInForce.IOC),
            "ORDER_UNSUPPORTED",
        ),
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


def test_a_kill_state_is_kept_for_what_it_holds_for_and_an_order_falls_under_each() -> None:
    book = UUID(int=9)
    kept = [
        approvals.kill_scope(scope, account_id=account_id, book_id=book_id, symbol=symbol)
        for scope, account_id, book_id, symbol in (
            ("firm", None, None, None),
            ("account", ACCOUNT, None, None),
            ("symbol", None, None, "AAPL"),
            ("strategy", None, book, None),
        )
    ]
    assert kept == ["firm", str(ACCOUNT), "symbol:AAPL", f"strategy:{book}"]
    assert list(approvals.scopes_of(ACCOUNT, book_id=book, symbol="AAPL")) == kept
    assert list(approvals.scopes_of(ACCOUNT, book_id=None, symbol="AAPL")) == kept[:3]


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
        market.step_of(FEED, seq, [(symbol, shape, None) for symbol, shape in bars])
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("before", "seq", "code"),
    [
        (Market(0, None), 1, None),
        (Market(0, None), 2, "MARKET_SEQ"),
        (Market(1, day(0)), 2, None),
        (Market(1, day(0)), 3, "MARKET_SEQ"),
        (Market(1, day(1)), 2, "TIME_ORDER"),
    ],
)
def test_steps_follow_one_another_in_number_and_time(before: Market, seq: int, code: str | None) -> None:
    entry = step(("AAPL", bar(1, "1 1 1 1")), ("MSFT", bar(2, "1 1 1 1")), seq=seq)
    assert (entry.first_ts, entry.last_ts) == (day(1), day(2))
    if code is None:
        market.require_next(before, entry)
        return
    with pytest.raises(AlphintraError) as caught:
        market.require_next(before, entry)
    assert caught.value.code == code
