"""Each control beyond cash and position: exactly at the limit passes, one tick over, missing and stale input fail."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alphintra.engine.pretrade.assessment import CONTROLS, RENEWED, SOFT_CODES, WORKING, assess
from alphintra.engine.pretrade.claims import claim_of
from alphintra.engine.pretrade.instruments import Instrument, Market, VenueAbilities, nearest
from alphintra.engine.pretrade.limits import LIMIT_DOCS
from alphintra.engine.pretrade.values import Book, Credit, Exposure, KillState, Latch, Order, Recent
from alphintra.kernel.ids import BookId
from alphintra.kernel.limits import LimitControls
from alphintra.kernel.vocabulary import Leg, OrderClass, OrderType, PositionIntent, Side, TimeInForce
from unit.risk.books import NOON, TICK, book, codes, held, limits, order

BUY, SELL = Side.BUY, Side.SELL
STRATEGY = BookId(UUID(int=7))
ALWAYS_OPEN = datetime(2026, 3, 2, 15, tzinfo=NOON.tzinfo)


def D(text: str) -> Decimal:  # noqa: N802 - reads as the literal Python has not
    """Return an amount."""
    return Decimal(text)


def limited(**controls: Any) -> Book:  # noqa: ANN401 - any further limit
    """Return a book with further limits."""
    return book(limits=limits(controls=LimitControls(**controls)), at=NOON)


def knowing(looked_at: Book, **market: Any) -> Book:  # noqa: ANN401 - any field of a market
    """Return the book with something known of AAPL."""
    return replace(looked_at, markets={"AAPL": Market(**market)})


def specified(looked_at: Book | None = None, **terms: Any) -> Book:  # noqa: ANN401 - any field of a specification
    """Return a book with a specification of AAPL."""
    return knowing(looked_at or limited(), instrument=Instrument(symbol="AAPL", **terms))


def ago(seconds: float, content: str = "", *, price: str | None = None, side: Side = BUY) -> Recent:
    """Return an order approved some time ago."""
    return Recent(
        decided_at=NOON - timedelta(seconds=seconds),
        content=content,
        symbol="AAPL",
        side=side,
        limit_price=None if price is None else Decimal(price),
    )


ONE = order(BUY, "1", "100")
COLLAR = limited(price_collar_pct=D("5"))
DRIFT = replace(limited(price_drift_pct=D("1"), price_drift_window_s=60), recent=(ago(60, price="100"),))
AGED = limited(price_age_max_s=10)
TRUE = limited(is_self_match_refused=True)
SECTORS = {
    "AAPL": Market(instrument=Instrument(symbol="AAPL", sector="tech")),
    "MSFT": Market(instrument=Instrument(symbol="MSFT", sector="tech")),
    "XOM": Market(instrument=Instrument(symbol="XOM", sector="oil")),
}
MIXED = {"AAPL": held("0"), "MSFT": held("10"), "XOM": held("-10")}

CASES: list[tuple[str, Order, Book, Order, Book]] = [
    # code, order that passes with its book, order that is refused with its book
    ("RISK_PRICE_COLLAR", order(BUY, "1", "105"), COLLAR, order(BUY, "1", "105.000000001"), COLLAR),
    ("RISK_PRICE_COLLAR", order(BUY, "1", "95"), COLLAR, order(BUY, "1", "94.999999999"), COLLAR),
    ("RISK_PRICE_COLLAR", order(SELL, "1", "95"), COLLAR, order(SELL, "1", "94.999999999"), COLLAR),
    (
        "RISK_PRICE_COLLAR",
        order(BUY, "1", "102"),
        limited(price_collar_abs=D("2")),
        order(BUY, "1", "102.000000001"),
        limited(price_collar_abs=D("2")),
    ),
    (
        "RISK_PRICE_COLLAR",
        order(BUY, "1", "110"),
        specified(COLLAR, collar_pct=D("10")),
        order(BUY, "1", "110.000000001"),
        specified(COLLAR, collar_pct=D("10")),
    ),
    ("RISK_PRICE_DRIFT", order(BUY, "1", "101"), DRIFT, order(BUY, "1", "101.000000001"), DRIFT),
    (
        "RISK_PRICE_DRIFT",
        order(BUY, "1", "150"),
        replace(DRIFT, recent=(ago(60.001, price="100"),)),
        order(BUY, "1", "150"),
        DRIFT,
    ),
    (
        "RISK_REF_STALE",
        ONE,
        knowing(AGED, priced_at=NOON - timedelta(seconds=10)),
        ONE,
        knowing(AGED, priced_at=NOON - timedelta(seconds=10, microseconds=1)),
    ),
    ("RISK_REF_STALE", ONE, limited(), ONE, AGED),  # no age is known
    ("RISK_REF_STALE", ONE, knowing(book(), bid=D("100"), ask=D("100")), ONE, knowing(book(), bid=D("2"), ask=D("1"))),
    (
        "RISK_MSG_RATE",
        ONE,
        replace(limited(message_burst=10, cancel_reserve=2), tokens=D("3")),
        ONE,
        replace(limited(message_burst=10, cancel_reserve=2), tokens=D("2.999999999")),
    ),
    (
        "RISK_MSG_RATE",
        ONE,
        replace(limited(message_burst=10), tokens=D("6"), is_ratio_high=True),
        ONE,
        replace(limited(message_burst=10), tokens=D("5.9"), is_ratio_high=True),
    ),
    (
        "RISK_OPEN_ORDERS_MAX",
        ONE,
        replace(limited(open_orders_max=3), open_orders=2),
        ONE,
        replace(limited(open_orders_max=3), open_orders=3),
    ),
    (
        "RISK_DUPLICATE",
        ONE,
        replace(limited(duplicate_window_s=5), recent=(ago(5, ONE.content),)),
        ONE,
        replace(limited(duplicate_window_s=5), recent=(ago(4.999, ONE.content),)),
    ),
    ("RISK_SELF_MATCH", ONE, knowing(TRUE, resting_sell=D("100.000000001")), ONE, knowing(TRUE, resting_sell=D("100"))),
    (
        "RISK_SELF_MATCH",
        order(SELL, "1", "100"),
        knowing(TRUE, resting_buy=D("99.999999999")),
        order(SELL, "1", "100"),
        knowing(TRUE, resting_buy=D("100")),
    ),
    ("RISK_SELF_MATCH", order(BUY, "1"), TRUE, order(BUY, "1"), knowing(TRUE, resting_sell=D("900"))),
    (
        "RISK_REPEAT_LATCHED",
        ONE,
        replace(book(), latches=(Latch(code="RISK_REPEAT_LATCHED", reason="x", book_id=STRATEGY),)),
        replace(ONE, book_id=STRATEGY),
        replace(book(), latches=(Latch(code="RISK_REPEAT_LATCHED", reason="x", book_id=STRATEGY),)),
    ),
    (
        "OVERFILL",
        replace(ONE, symbol="MSFT"),
        replace(book(exposures={"MSFT": held()}), latches=(Latch(code="OVERFILL", reason="x", symbol="AAPL"),)),
        ONE,
        replace(book(), latches=(Latch(code="OVERFILL", reason="x", symbol="AAPL"),)),
    ),
    ("RISK_NO_PERMISSION", ONE, limited(symbols_allowed=("AAPL",)), ONE, limited(symbols_allowed=())),
    ("RISK_RESTRICTED", ONE, book(), ONE, knowing(book(), restriction="insider list 7")),
    (
        "STRATEGY_NOT_APPROVED",
        replace(ONE, book_id=STRATEGY, strategy_hash="abc"),
        limited(strategies_allowed={str(STRATEGY): "abc"}),
        replace(ONE, book_id=STRATEGY, strategy_hash="abd"),
        limited(strategies_allowed={str(STRATEGY): "abc"}),
    ),
    (
        "STRATEGY_NOT_APPROVED",
        replace(ONE, book_id=STRATEGY),
        limited(strategies_allowed={str(STRATEGY): ""}),
        replace(ONE, book_id=STRATEGY),
        limited(strategies_allowed={}),
    ),
    ("FLEET_MISMATCH", ONE, book(), ONE, replace(book(), fleet="broker")),
    (
        "ORDER_UNKNOWN_OUTSTANDING",
        order(SELL, "1", reduce_only=True),
        knowing(book(exposure=held("1")), is_order_unknown=True),
        ONE,
        knowing(book(), is_order_unknown=True),
    ),
    ("VENUE_CLOSED", ONE, specified(), ONE, specified(is_halted=True)),
    (
        "VENUE_CLOSED",
        ONE,
        replace(limited(is_session_enforced=True), at=ALWAYS_OPEN),
        ONE,
        replace(limited(is_session_enforced=True), at=ALWAYS_OPEN + timedelta(hours=6)),
    ),
    (
        "EXPIRY_PAST",
        replace(ONE, time_in_force=TimeInForce.GTD, expire_at=NOON + timedelta(microseconds=1)),
        limited(),
        replace(ONE, time_in_force=TimeInForce.GTD, expire_at=NOON),
        limited(),
    ),
    (
        "ORDER_TICK",
        order(BUY, "1", "99.05"),
        specified(tick=D("0.05")),
        order(BUY, "1", "99.06"),
        specified(tick=D("0.05")),
    ),
    ("ORDER_LOT", order(BUY, "200"), specified(lot=D("100")), order(BUY, "200.000000001"), specified(lot=D("100"))),
    (
        "ORDER_QTY_RANGE",
        order(BUY, "2"),
        specified(qty_min=D("2")),
        order(BUY, "1.999999999"),
        specified(qty_min=D("2")),
    ),
    (
        "ORDER_QTY_RANGE",
        order(BUY, "2"),
        specified(qty_max=D("2")),
        order(BUY, "2.000000001"),
        specified(qty_max=D("2")),
    ),
    (
        "ORDER_UNKNOWN_SYMBOL",
        ONE,
        specified(expires_at=NOON + timedelta(microseconds=1)),
        ONE,
        specified(expires_at=NOON),
    ),
    (
        "ORDER_STOP_SIDE",
        order(BUY, "1", type=OrderType.STOP, stop_price=D("100")),
        book(),
        order(BUY, "1", type=OrderType.STOP, stop_price=D("99.999999999")),
        book(),
    ),
    (
        "ORDER_STOP_SIDE",
        order(SELL, "1", type=OrderType.STOP, stop_price=D("100")),
        book(),
        order(SELL, "1", type=OrderType.STOP, stop_price=D("100.000000001")),
        book(),
    ),
    (
        "RISK_NOTIONAL_MAX",
        ONE,
        specified(book(limits=limits(order_notional_max=D("1000"))), multiplier=D("10")),
        ONE,
        specified(book(limits=limits(order_notional_max=D("999.99"))), multiplier=D("10")),
    ),
    (
        "RISK_BUYING_POWER",
        order(BUY, "2", "100"),
        replace(limited(fee_bps=D("10"), fee_minimum=D("1.01")), cash=D("201.01")),
        order(BUY, "2", "100"),
        replace(limited(fee_bps=D("10"), fee_minimum=D("1.01")), cash=D("201")),
    ),
    (
        "RISK_SHORT_LOCATE",
        order(SELL, "1"),
        specified(book(exposure=held("1")), is_shortable=False),
        order(SELL, "1.000000001"),
        specified(book(exposure=held("1")), is_shortable=False),
    ),
    (
        "RISK_CREDIT",
        order(BUY, "2"),
        limited(credit_max=D("200")),
        order(BUY, "2.000000001"),
        limited(credit_max=D("200")),
    ),
    (
        "RISK_CREDIT",
        order(BUY, "2"),
        replace(book(), credits=(Credit(scope="firm", used=D("800"), most=D("1000")),)),
        order(BUY, "2.000000001"),
        replace(book(), credits=(Credit(scope="firm", used=D("800"), most=D("1000")),)),
    ),
    (
        "RISK_EXPOSURE",
        order(BUY, "2"),
        limited(gross_exposure_max=D("200")),
        order(SELL, "2.000000001"),
        limited(gross_exposure_max=D("200")),
    ),
    (
        "RISK_EXPOSURE",
        order(BUY, "2"),
        replace(limited(net_exposure_max=D("1200")), exposures={**MIXED, "XOM": held("0")}),
        order(BUY, "2.000000001"),
        replace(limited(net_exposure_max=D("1200")), exposures={**MIXED, "XOM": held("0")}),
    ),
    (
        "RISK_EXPOSURE",
        order(BUY, "1"),
        replace(limited(bucket_exposure_max=D("1100")), exposures=MIXED, markets=SECTORS),
        order(BUY, "1.000000001"),
        replace(limited(bucket_exposure_max=D("1100")), exposures=MIXED, markets=SECTORS),
    ),
    (
        "RISK_LOSS_LIMIT",
        order(SELL, "1"),
        replace(book(exposure=held("1")), account_kill=KillState.REDUCE_ONLY, kill_reason="RISK_LOSS_LIMIT: x"),
        order(SELL, "1.000000001"),
        replace(book(exposure=held("1")), account_kill=KillState.REDUCE_ONLY, kill_reason="RISK_LOSS_LIMIT: x"),
    ),
    (
        "ORDER_UNSUPPORTED",
        ONE,
        replace(book(), venue=VenueAbilities(types=frozenset({OrderType.LIMIT}))),
        order(BUY, "1"),
        replace(book(), venue=VenueAbilities(types=frozenset({OrderType.LIMIT}))),
    ),
    ("KILL_ACTIVE", ONE, book(), ONE, replace(book(), kills={"user": KillState.HALTED})),
    (
        "KILL_ACTIVE",
        ONE,
        replace(book(), book_kills={STRATEGY: KillState.HALTED}),
        replace(ONE, book_id=STRATEGY),
        replace(book(), book_kills={STRATEGY: KillState.CANCEL_ONLY}),
    ),
]


@pytest.mark.parametrize(("code", "good", "enough", "bad", "too_little"), CASES)
def test_at_the_limit_passes_and_beyond_it_is_refused(
    code: str, good: Order, enough: Book, bad: Order, too_little: Book
) -> None:
    assert code not in codes(assess(good, enough))
    assert code in codes(assess(bad, too_little))


def test_every_code_of_every_control_has_a_case() -> None:
    told = {code for control in CONTROLS for code in control.codes}
    elsewhere = {"RISK_QTY_MAX", "RISK_POSITION_MAX", "RISK_REDUCE_ONLY", "RISK_LIMITS_MISSING"}  # test_controls.py
    assert told == {case[0] for case in CASES} | elsewhere
    assert told >= SOFT_CODES
    assert set(RENEWED) <= set(CONTROLS)
    assert set(WORKING) <= set(RENEWED)


@pytest.mark.parametrize("sides", [(BUY, "94"), (SELL, "120")])
def test_a_target_far_from_the_market_is_no_error_of_an_order_that_only_closes(sides: tuple[Side, str]) -> None:
    side, limit = sides
    looked_at = replace(COLLAR, exposures={"AAPL": held("1" if side is SELL else "-1")})
    assert codes(assess(order(side, "1", limit, reduce_only=True), looked_at)) == []
    assert codes(assess(order(side, "1", limit), looked_at)) == ["RISK_PRICE_COLLAR"]
    wrong = "90" if side is SELL else "110"
    assert codes(assess(order(side, "1", wrong, reduce_only=True), looked_at)) == ["RISK_PRICE_COLLAR"]


def test_fifty_small_steps_in_one_direction_are_refused() -> None:
    looked_at, price, refused = replace(DRIFT, recent=()), D("100"), 0
    for number in range(50):
        asked = order(BUY, "1", str(price), number=number)
        verdict = assess(asked, looked_at)
        refused += codes(verdict) == ["RISK_PRICE_DRIFT"]
        if verdict.claim is not None and not verdict.findings:
            looked_at = looked_at.reserve(asked, verdict.claim)
        price += D("0.1")
    assert refused == 39  # 100.0 to 101.0 pass, eleven of them


def test_an_instrument_without_a_class_counts_in_every_class() -> None:
    looked_at = replace(
        limited(bucket_exposure_max=D("1100")),
        exposures=MIXED,
        markets={name: SECTORS[name] for name in ("MSFT", "XOM")},
    )
    assert codes(assess(order(BUY, "1"), looked_at)) == []
    assert codes(assess(order(BUY, "1.1"), looked_at)) == ["RISK_EXPOSURE", "RISK_EXPOSURE"]


def test_what_lowers_an_exposure_beyond_its_limit_passes() -> None:
    looked_at = replace(limited(gross_exposure_max=D("100"), credit_max=D("100")), exposures={"AAPL": held("50")})
    assert codes(assess(order(SELL, "30"), looked_at)) == []
    assert codes(assess(order(BUY, "1"), looked_at)) == ["RISK_CREDIT", "RISK_EXPOSURE"]


def test_the_reason_of_a_restriction_is_not_told() -> None:
    (found,) = assess(ONE, knowing(book(), restriction="insider list 7")).findings
    assert "insider" not in f"{found}"


def test_a_replacement_takes_a_token_but_no_place_among_open_orders() -> None:
    full = replace(limited(open_orders_max=1, message_burst=5), open_orders=1, tokens=D("0"))
    other = replace(ONE, replaces=ONE.order_id)
    assert codes(assess(other, full)) == ["RISK_MSG_RATE"]


@pytest.mark.parametrize("code", sorted(SOFT_CODES))
def test_leave_lets_a_soft_control_pass_and_no_hard_one(code: str) -> None:
    case = next((case for case in CASES if case[0] == code), None)
    bad, refused = (order(BUY, "2"), book(limits=limits(order_qty_max=D("1")))) if case is None else case[3:]
    given_leave = replace(refused, allowed={bad.content: frozenset({code, "KILL_ACTIVE"})})
    verdict = assess(bad, given_leave)
    assert code not in codes(verdict)
    assert code in verdict.overridden
    halted = replace(given_leave, firm_kill=KillState.HALTED)
    assert codes(assess(bad, halted)) == ["KILL_ACTIVE"]
    other = replace(given_leave, allowed={"another order": frozenset({code})})
    assert code in codes(assess(bad, other))


@settings(deadline=None)
@given(st.decimals("0.01", 10**6, places=4), st.sampled_from(["0.01", "0.05", "0.25", "1"]))
def test_an_accepted_price_is_a_multiple_of_the_tick_and_the_nearest_ones_are(price: Decimal, tick: str) -> None:
    asked = order(SELL, "1", str(price))
    found = codes(assess(asked, specified(tick=D(tick))))
    assert ("ORDER_TICK" in found) == bool(price % D(tick))
    below, above = nearest(price, D(tick))
    assert below <= price <= above
    assert below % D(tick) == above % D(tick) == 0


@pytest.mark.parametrize("kind", OrderType)
@pytest.mark.parametrize("time_in_force", TimeInForce)
@pytest.mark.parametrize("venue", [VenueAbilities(), VenueAbilities(types=frozenset(), times_in_force=frozenset())])
def test_every_type_and_time_in_force_is_held_against_the_venue(
    kind: OrderType, time_in_force: TimeInForce, venue: VenueAbilities
) -> None:
    asked = replace(order(BUY, "1"), type=kind, time_in_force=time_in_force)
    is_odd = kind not in {OrderType.MARKET, OrderType.LIMIT} and time_in_force in {
        TimeInForce.IOC,
        TimeInForce.FOK,
        TimeInForce.OPG,
        TimeInForce.CLS,
    }
    refused = "ORDER_UNSUPPORTED" in codes(assess(asked, replace(book(), venue=venue)))
    assert refused == (is_odd or not venue.types)


def test_fees_raise_what_a_buy_reserves_and_nothing_else() -> None:
    fees = LimitControls(fee_bps=D("10"), fee_per_unit=D("0.01"))
    bought = claim_of(order(BUY, "10", "100"), D("100"), fees)
    assert bought is not None
    assert bought.cash == D("1001.1")
    assert bought.value == 1000
    assert bought.price * 10 >= bought.cash
    sold = claim_of(order(SELL, "10", "100"), D("100"), fees)
    assert sold is not None
    assert sold.cash == 0


def test_intent_to_close_is_held_to_what_is_left_to_close() -> None:
    closing = order(SELL, "2", position_intent=PositionIntent.SELL_TO_CLOSE)
    assert codes(assess(closing, book(exposure=held("2")))) == []
    assert codes(assess(closing, book(exposure=held("1")))) == ["RISK_REDUCE_ONLY"]


def test_exits_of_an_entry_may_stop_on_either_side_of_todays_price() -> None:
    leg = order(
        SELL,
        "1",
        type=OrderType.STOP,
        stop_price=D("150"),
        reduce_only=True,
        leg=Leg.STOP_LOSS,
        group_id=UUID(int=3),
        order_class=OrderClass.BRACKET,
    )
    assert "ORDER_STOP_SIDE" not in codes(assess(leg, book(exposure=held("1"))))
    assert "ORDER_STOP_SIDE" in codes(assess(replace(leg, order_class=OrderClass.OCO), book(exposure=held("1"))))


def test_every_limit_is_documented_and_travels_as_it_is() -> None:
    controls = LimitControls(order_to_trade_max=D("2.5"), strategies_allowed={"a": "b"}, symbols_allowed=("AAPL",))
    assert set(LimitControls.__struct_fields__) <= set(LIMIT_DOCS)
    assert msgspec.json.decode(msgspec.json.encode(controls), type=LimitControls) == controls


def test_all_other_accounts_stay_as_they_are_where_nothing_further_is_limited() -> None:
    assert codes(assess(ONE, book(exposures={"AAPL": Exposure(last_price=D("100"))}))) == []
    assert D("0.000000001") == TICK
