"""The branches of the controls that the tables leave open; `unit.engine.mutants` shows which those would be."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from alphintra.engine.pretrade.assessment import assess
from alphintra.engine.pretrade.claims import claim_of
from alphintra.engine.pretrade.instruments import Instrument, Market, VenueAbilities
from alphintra.engine.pretrade.totals import is_about_the_whole
from alphintra.engine.pretrade.values import Book, Credit, Exposure, KillState, Latch, Order, Recent
from alphintra.kernel.ids import BookId
from alphintra.kernel.limits import LimitControls
from alphintra.kernel.vocabulary import Leg, OrderClass, OrderType, Side, TimeInForce
from unit.risk.books import NOON, book, codes, held, limits, order

BUY, SELL = Side.BUY, Side.SELL
CLOSED = NOON.replace(hour=2)
STRATEGY = BookId(UUID(int=7))


def D(text: str) -> Decimal:  # noqa: N802 - reads as the literal Python has not
    """Return an amount."""
    return Decimal(text)


def limited(**controls: Any) -> Book:  # noqa: ANN401 - any further limit
    """Return a book with further limits."""
    return book(limits=limits(controls=LimitControls(**controls)), at=NOON)


def recent(symbol: str = "AAPL", side: Side = BUY, price: str | None = "100", content: str = "") -> Recent:
    """Return an order approved just now."""
    limit = None if price is None else Decimal(price)
    return Recent(decided_at=NOON, content=content, symbol=symbol, side=side, limit_price=limit)


def specified(looked_at: Book, **terms: Any) -> Book:  # noqa: ANN401 - any field of a specification
    """Return the book with a specification of AAPL."""
    return replace(looked_at, markets={"AAPL": Market(instrument=Instrument(symbol="AAPL", **terms))})


ONE = order(BUY, "1", "100")
PLAIN = VenueAbilities(has_notional=False, has_extended_hours=False, has_groups=False)


@pytest.mark.parametrize(
    "wish",
    [
        {"qty": None, "notional": D("100"), "type": OrderType.MARKET, "limit_price": None},
        {"extended_hours": True},
        {"order_class": OrderClass.BRACKET, "group_id": UUID(int=3)},
    ],
)
def test_a_venue_refuses_what_it_does_not_offer_and_nothing_else(wish: dict[str, Any]) -> None:
    asked = replace(ONE, **wish)
    assert codes(assess(asked, book())) == []
    assert codes(assess(asked, replace(book(), venue=PLAIN))) == ["ORDER_UNSUPPORTED"]
    assert codes(assess(ONE, replace(book(), venue=PLAIN))) == []


def test_orders_by_hand_need_no_approved_strategy_and_an_unknown_one_is_refused() -> None:
    looked_at = limited(strategies_allowed={})
    assert codes(assess(ONE, looked_at)) == []
    assert codes(assess(replace(ONE, book_id=STRATEGY, strategy_hash=""), looked_at)) == ["STRATEGY_NOT_APPROVED"]


def test_a_person_closes_what_a_strategy_holds_and_a_strategy_that_is_not_approved_does_not() -> None:
    looked_at = replace(limited(strategies_allowed={}), exposures={"AAPL": held("1")})
    closing = replace(ONE, side=Side.SELL, book_id=STRATEGY, reduce_only=True)
    assert codes(assess(closing, looked_at)) == []
    assert codes(assess(replace(closing, strategy_hash="abc"), looked_at)) == ["STRATEGY_NOT_APPROVED"]


def test_a_block_of_a_symbol_holds_for_it_alone() -> None:
    blocked = replace(book(), symbol_kills={"MSFT": KillState.HALTED})
    assert codes(assess(ONE, blocked)) == []
    assert codes(assess(ONE, replace(blocked, symbol_kills={"AAPL": KillState.HALTED}))) == ["KILL_ACTIVE"]
    assert codes(assess(ONE, replace(blocked, symbol_kills={"AAPL": KillState.REDUCE_ONLY}))) == ["RISK_REDUCE_ONLY"]


def test_an_expiry_without_a_time_to_hold_it_against_passes() -> None:
    later = replace(ONE, time_in_force=TimeInForce.GTD, expire_at=NOON)
    assert codes(assess(later, book())) == []
    assert codes(assess(ONE, specified(book(), expires_at=NOON))) == []


def test_sessions_hold_for_all_but_orders_of_the_auctions() -> None:
    closed = replace(limited(is_session_enforced=True), at=CLOSED)
    assert codes(assess(ONE, closed)) == ["VENUE_CLOSED"]
    assert codes(assess(replace(ONE, time_in_force=TimeInForce.OPG), closed)) == []
    assert codes(assess(ONE, replace(closed, at=None))) == []


def test_the_nearest_prices_are_named_and_none_that_is_not_positive() -> None:
    (found,) = assess(order(BUY, "1", "0.03"), specified(book(), tick=D("0.05"))).findings
    assert "take 0.05" in found.detail
    (found,) = assess(order(BUY, "1", "0.07"), specified(book(), tick=D("0.05"))).findings
    assert "take 0.05 or 0.1" in found.detail


@pytest.mark.parametrize(
    ("asked", "position", "terms", "may_short", "expected"),
    [
        (order(SELL, "2"), "1", {"is_shortable": False}, True, ["RISK_SHORT_LOCATE"]),
        (order(SELL, "2"), "1", {"is_shortable": True}, True, []),
        (order(BUY, "2"), "-1", {"is_shortable": False}, True, []),
        (order(SELL, "1", reduce_only=True), "1", {"is_shortable": False}, True, []),
        (order(SELL, "2"), "1", {"is_shortable": False}, False, ["RISK_SHORT_LOCATE"]),
        (order(SELL, "1", reduce_only=True), "1", {}, False, []),
    ],
)
def test_what_cannot_be_borrowed_is_sold_only_where_it_is_held(
    asked: Order, position: str, terms: dict[str, Any], expected: list[str], *, may_short: bool
) -> None:
    looked_at = book(exposure=held(position), limits=limits(may_short=may_short))
    assert codes(assess(asked, specified(looked_at, **terms))) == expected


def test_without_limits_the_controls_that_ask_for_them_are_silent() -> None:
    bare = specified(book(limits=None), is_shortable=False)
    assert codes(assess(order(SELL, "2"), bare)) == ["RISK_LIMITS_MISSING"]


def test_an_order_only_reducing_needs_no_cash_and_lifts_no_position_limit() -> None:
    poor = book(exposure=held("-5"), cash=Decimal(0), limits=limits(position_qty_max=D("1")))
    assert codes(assess(order(BUY, "1", reduce_only=True), poor)) == []


def test_exits_hold_to_what_a_reduction_leaves_not_to_the_position_limit() -> None:
    wide = book(exposure=held("9", sells="8"), limits=limits(position_qty_max=D("1")))
    assert codes(assess(order(SELL, "1", reduce_only=True), wide)) == []


def test_the_worst_price_of_each_type() -> None:
    last = D("100")
    buy_stop = claim_of(order(BUY, "1", type=OrderType.STOP, stop_price=D("200")), last)
    sell_stop = claim_of(order(SELL, "1", type=OrderType.STOP, stop_price=D("50")), last)
    trail = claim_of(order(BUY, "1", type=OrderType.TRAILING_STOP, trail_price=D("10")), last)
    share = claim_of(order(BUY, "1", type=OrderType.TRAILING_STOP, trail_percent=D("20")), last)
    sold = claim_of(order(SELL, "1", type=OrderType.TRAILING_STOP, trail_price=D("10")), last)
    found = [claim.price for claim in (buy_stop, sell_stop, trail, share, sold) if claim is not None]
    assert found == [D("210"), D("105"), D("115.5"), D("126"), D("105")]


def test_the_most_units_an_amount_of_money_may_become() -> None:
    money: dict[str, Any] = {"notional": D("100")}
    claims = [
        claim_of(order(BUY, None, **money), D("30")),
        claim_of(order(BUY, None, "25", **money), D("30")),
        claim_of(order(BUY, None, "40", **money), D("30")),
        claim_of(order(BUY, None, "40", **money), None),
    ]
    found = [claim.qty for claim in claims if claim is not None]
    assert found == [D("3.333333334"), D("4"), D("3.333333334"), D("2.5")]
    assert claim_of(order(BUY, None, **money), None) is None


def test_messages_are_counted_only_where_a_bucket_is_known() -> None:
    assert codes(assess(ONE, replace(limited(), tokens=D("0")))) == []
    assert codes(assess(ONE, limited(message_burst=5))) == []
    (found,) = assess(ONE, replace(limited(message_burst=5), tokens=D("0.25"))).findings
    assert (found.limit, found.observed) == ("0", "-0.75")


def test_what_is_observed_is_the_count_with_this_order() -> None:
    (found,) = assess(ONE, replace(limited(open_orders_max=3), open_orders=3)).findings
    assert (found.limit, found.observed) == ("3", "4")


def test_only_the_same_content_is_a_duplicate_among_others() -> None:
    window = limited(duplicate_window_s=5)
    other, same = recent(content="another"), recent(content=ONE.content)
    assert codes(assess(ONE, replace(window, recent=(other,)))) == []
    assert codes(assess(ONE, replace(window, recent=(other, same)))) == ["RISK_DUPLICATE"]
    assert codes(assess(ONE, replace(window, recent=(same,), at=None))) == []


def test_a_stop_meets_nothing_before_it_fires_and_a_stop_limit_meets_at_its_limit() -> None:
    looked_at = replace(limited(is_self_match_refused=True), markets={"AAPL": Market(resting_sell=D("101"))})
    assert codes(assess(order(BUY, "1", type=OrderType.STOP, stop_price=D("110")), looked_at)) == []
    stop: dict[str, Any] = {"type": OrderType.STOP_LIMIT, "stop_price": D("110")}
    (found,) = assess(order(BUY, "1", "120", **stop), looked_at).findings
    assert (found.code, found.limit, found.observed) == ("RISK_SELF_MATCH", "101", "120")
    (found,) = assess(order(BUY, "1"), looked_at).findings
    assert (found.observed, "to sell AAPL" in found.detail) == ("market", True)
    resting = replace(looked_at, markets={"AAPL": Market(resting_buy=D("99"))})
    (found,) = assess(order(SELL, "1"), resting).findings
    assert "to buy AAPL" in found.detail
    assert codes(assess(order(BUY, "1", "50"), resting)) == []


def test_an_overfill_leaves_the_way_out_and_a_repeat_does_not() -> None:
    out = order(SELL, "1", reduce_only=True)
    for code, expected in (("OVERFILL", []), ("RISK_REPEAT_LATCHED", ["RISK_REPEAT_LATCHED"])):
        looked_at = book(exposure=held("1"), latches=(Latch(code=code, reason="x"),))
        assert codes(assess(out, looked_at)) == expected
        assert codes(assess(order(SELL, "1"), looked_at)) == [code]


def test_half_a_quote_is_not_crossed_and_age_is_asked_of_a_price_alone() -> None:
    for half in (Market(bid=D("2")), Market(ask=D("1"))):
        assert codes(assess(ONE, replace(book(), markets={"AAPL": half}))) == []
    unpriced = replace(limited(price_age_max_s=10), exposures={"AAPL": Exposure()})
    assert codes(assess(ONE, unpriced)) == ["ORDER_UNKNOWN_SYMBOL"]
    timeless = replace(limited(price_age_max_s=10), at=None, markets={"AAPL": Market(priced_at=NOON)})
    assert codes(assess(ONE, timeless)) == ["RISK_REF_STALE"]


def test_both_collars_hold_and_an_instrument_has_its_own() -> None:
    both = limited(price_collar_pct=D("5"), price_collar_abs=D("2"))
    assert codes(assess(order(BUY, "1", "103"), both)) == ["RISK_PRICE_COLLAR"]
    (low,) = assess(order(BUY, "1", "90"), both).findings
    (high,) = assess(order(BUY, "1", "110"), both).findings
    assert (low.limit, high.limit) == ("98", "102")
    assert codes(assess(order(BUY, "1", "103"), specified(both, collar_abs=D("4")))) == []
    assert codes(assess(order(BUY, "1", "103"), specified(both, collar_pct=D("50")))) == ["RISK_PRICE_COLLAR"]
    assert codes(assess(order(BUY, "1", "103"), specified(both, tick=D("1")))) == ["RISK_PRICE_COLLAR"]
    assert codes(assess(order(BUY, "1"), both)) == []
    unpriced = replace(both, exposures={"AAPL": Exposure()})
    assert codes(assess(ONE, unpriced)) == ["ORDER_UNKNOWN_SYMBOL"]


def test_prices_drift_within_one_symbol_and_side_alone() -> None:
    drift = limited(price_drift_pct=D("1"))
    far = order(BUY, "1", "150")
    for item in (recent(symbol="MSFT"), recent(side=SELL), recent(price=None)):
        assert codes(assess(far, replace(drift, recent=(item,)))) == []
    looked_at = replace(drift, recent=(recent(),))
    assert codes(assess(far, looked_at)) == ["RISK_PRICE_DRIFT"]
    assert codes(assess(order(BUY, "1"), looked_at)) == []
    assert codes(assess(far, replace(looked_at, at=None))) == []
    assert codes(assess(far, replace(limited(), recent=(recent(),)))) == []
    (found,) = assess(order(BUY, "1", "100"), replace(drift, recent=(recent(price="30"),))).findings
    assert (found.observed, "233.333 %" in found.detail) == ("233.333333333", True)


def test_a_stop_is_held_to_its_side_where_a_price_is_known_and_it_is_no_target() -> None:
    wrong = order(BUY, "1", type=OrderType.STOP, stop_price=D("99"))
    (found,) = assess(wrong, book()).findings
    assert "lies below" in found.detail
    (found,) = assess(order(SELL, "1", type=OrderType.STOP, stop_price=D("101")), book()).findings
    assert "lies above" in found.detail
    unpriced = replace(book(), exposures={"AAPL": Exposure()})
    assert codes(assess(replace(wrong, type=OrderType.STOP_LIMIT, limit_price=D("99")), unpriced)) == [
        "ORDER_UNKNOWN_SYMBOL"
    ]
    assert codes(assess(replace(wrong, leg=Leg.TAKE_PROFIT), book())) == []
    assert codes(assess(replace(wrong, type=OrderType.TRAILING_STOP, trail_price=D("1")), book())) == []


def test_each_limit_of_the_whole_asks_for_every_symbol() -> None:
    assert not is_about_the_whole(limited())
    for name in ("credit_max", "gross_exposure_max", "net_exposure_max", "bucket_exposure_max"):
        assert is_about_the_whole(limited(**{name: D("1")}))


def test_net_exposure_is_the_greater_of_long_and_short() -> None:
    looked_at = replace(limited(net_exposure_max=D("1000")), exposures={"AAPL": held(), "MSFT": held("-9")})
    assert codes(assess(order(SELL, "1"), looked_at)) == []
    (found,) = assess(order(SELL, "2"), looked_at).findings
    assert (found.code, found.observed) == ("RISK_EXPOSURE", "1100")
    assert codes(assess(order(BUY, "5"), looked_at)) == []


def test_exposure_that_was_too_high_before_refuses_only_what_raises_it() -> None:
    over = replace(limited(net_exposure_max=D("100")), exposures={"AAPL": held("-5"), "MSFT": held("0")})
    assert codes(assess(order(BUY, "1"), over)) == []
    assert codes(assess(order(SELL, "1"), over)) == ["RISK_EXPOSURE"]
    reducing = order(SELL, "1", reduce_only=True)
    tight = replace(limited(gross_exposure_max=D("1"), credit_max=D("1")), exposures={"AAPL": held("5")})
    assert codes(assess(reducing, tight)) == []


def test_shared_credit_counts_what_an_order_opens_beyond_what_it_closes() -> None:
    firm = (Credit(scope="firm", used=D("1000"), most=D("1000")),)
    short = book(exposure=held("-2"), credits=firm)
    assert codes(assess(order(BUY, "2"), short)) == []
    (found,) = assess(order(BUY, "3"), short).findings
    assert (found.code, found.observed) == ("RISK_CREDIT", "1100")
    over = (Credit(scope="firm", used=D("2000"), most=D("1000")),)
    assert codes(assess(order(SELL, "1", reduce_only=True), book(exposure=held("1"), credits=over))) == []
    assert codes(assess(order(SELL, "1"), book(exposure=held("1"), credits=over))) == []


def test_what_has_no_price_is_refused_for_that_and_raises_no_error_elsewhere() -> None:
    looked_at = replace(
        limited(credit_max=D("1"), gross_exposure_max=D("1")),
        exposures={"AAPL": Exposure()},
        credits=(Credit(scope="firm", used=D("2"), most=D("1")),),
    )
    assert codes(assess(order(BUY, "1"), looked_at)) == ["ORDER_UNKNOWN_SYMBOL"]
    assert codes(assess(order(BUY, "1", "100"), looked_at)) == ["ORDER_UNKNOWN_SYMBOL"]


@pytest.mark.parametrize(
    ("state", "asked", "expected"),
    [
        (KillState.REDUCE_ONLY, order(SELL, "1"), []),
        (KillState.REDUCE_ONLY, order(SELL, "1", reduce_only=True), []),
        (KillState.REDUCE_ONLY, order(BUY, "1"), ["RISK_LOSS_LIMIT", "RISK_REDUCE_ONLY"]),
        (KillState.CANCEL_ONLY, order(SELL, "1"), ["KILL_ACTIVE", "RISK_LOSS_LIMIT"]),
        (KillState.HALTED, order(SELL, "1"), ["KILL_ACTIVE", "RISK_LOSS_LIMIT"]),
    ],
)
def test_after_a_loss_only_what_reduces_passes_until_trading_is_halted(
    state: KillState, asked: Order, expected: list[str]
) -> None:
    looked_at = book(exposure=held("1"), account_kill=state, kill_reason="RISK_LOSS_LIMIT: fell by 10")
    assert codes(assess(asked, looked_at)) == expected


def test_a_window_of_drift_ends_to_the_second() -> None:
    drift = replace(limited(price_drift_pct=D("1")), recent=(recent(),))
    far = order(BUY, "1", "150")
    assert codes(assess(far, replace(drift, at=NOON + timedelta(seconds=60)))) == ["RISK_PRICE_DRIFT"]
    assert codes(assess(far, replace(drift, at=NOON + timedelta(seconds=60, microseconds=1)))) == []


def test_an_order_that_reduces_too_much_is_refused_for_that_alone() -> None:
    over = (Credit(scope="firm", used=D("2000"), most=D("1000")),)
    too_much = order(SELL, "2", reduce_only=True)
    narrow = limits(may_short=False, position_qty_max=D("1"))
    for looked_at in (
        book(exposure=held("1")),
        specified(book(exposure=held("1")), is_shortable=False),
        book(exposure=held("1"), limits=narrow, credits=over),
        book(exposure=held("5", sells="10"), limits=narrow),
        book(exposure=held("1"), account_kill=KillState.REDUCE_ONLY, kill_reason="RISK_LOSS_LIMIT: fell by 10"),
    ):
        assert codes(assess(too_much, looked_at)) == ["RISK_REDUCE_ONLY"]


def test_without_a_price_every_control_still_answers() -> None:
    unpriced = specified(book(exposure=held("1", price=None)), is_shortable=False)
    money = order(SELL, None, notional=D("100"))
    assert codes(assess(order(SELL, "2"), unpriced)) == ["ORDER_UNKNOWN_SYMBOL", "RISK_SHORT_LOCATE"]
    assert codes(assess(money, unpriced)) == ["ORDER_UNKNOWN_SYMBOL"]
    narrow = book(exposure=held("5", price=None), limits=limits(may_short=False, position_qty_max=D("1")))
    assert codes(assess(money, narrow)) == ["ORDER_UNKNOWN_SYMBOL"]
    assert codes(assess(replace(money, side=BUY), narrow)) == ["ORDER_UNKNOWN_SYMBOL"]
    assert codes(assess(order(SELL, "9"), narrow)) == ["ORDER_UNKNOWN_SYMBOL", "RISK_POSITION_MAX", "RISK_SHORT_LOCATE"]
    lost = book(
        exposure=held("1", price=None), account_kill=KillState.REDUCE_ONLY, kill_reason="RISK_LOSS_LIMIT: fell by 10"
    )
    assert codes(assess(money, lost)) == ["RISK_LOSS_LIMIT", "ORDER_UNKNOWN_SYMBOL"]


def test_cash_is_asked_of_those_who_pay_and_of_accounts_that_are_known() -> None:
    assert codes(assess(ONE, book(cash=None))) == []
    owing = book(cash=D("0"), reserved_cash=D("5"), exposure=held("1"))
    assert codes(assess(order(SELL, "1"), owing)) == []
    assert codes(assess(ONE, owing)) == ["RISK_BUYING_POWER"]


def test_an_instrument_without_a_collar_has_that_of_the_account() -> None:
    looked_at = specified(limited(price_collar_pct=D("5")), tick=D("1"))
    assert codes(assess(order(BUY, "1", "106"), looked_at)) == ["RISK_PRICE_COLLAR"]


def test_all_limits_of_exposure_are_held_at_once() -> None:
    most = D("100")
    looked_at = limited(gross_exposure_max=most, net_exposure_max=most, bucket_exposure_max=most)
    assert codes(assess(order(BUY, "2"), looked_at)) == ["RISK_EXPOSURE"] * 3
