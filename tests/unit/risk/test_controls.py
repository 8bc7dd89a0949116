"""Each control: exactly at the limit passes, one tick over is refused with its code, limit and observation."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal, localcontext

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alphintra.engine.pretrade.claims import claim_of
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.vocabulary import OrderType, Side
from alphintra.risk.domain.books import Book, Exposure, KillState, Order
from alphintra.risk.domain.controls import COLLAR, assess, check_order, inputs_of, reassess
from unit.risk.books import TICK, book, codes, held, limits, order, reservation

BUY, SELL = Side.BUY, Side.SELL


@pytest.mark.parametrize(
    ("side", "at_limit", "limit", "books", "refusal"),
    [
        (BUY, "7", "1", book(limits=limits(order_qty_max=Decimal(7))), ("RISK_QTY_MAX", "R02", "7")),
        (SELL, "7", None, book(limits=limits(order_qty_max=Decimal(7))), ("RISK_QTY_MAX", "R02", "7")),
        (BUY, "5", "2", book(limits=limits(order_notional_max=Decimal(10))), ("RISK_NOTIONAL_MAX", "R03", "10")),
        (SELL, "5", "2", book(limits=limits(order_notional_max=Decimal(500))), ("RISK_NOTIONAL_MAX", "R03", "500")),
        (BUY, "2", None, book(limits=limits(order_notional_max=Decimal(210))), ("RISK_NOTIONAL_MAX", "R03", "210")),
        (SELL, "2", None, book(limits=limits(order_notional_max=Decimal(210))), ("RISK_NOTIONAL_MAX", "R03", "210")),
        (BUY, "3", "100", book(cash=Decimal(300)), ("RISK_BUYING_POWER", "R12", "300")),
        (BUY, "3", "100", book(cash=Decimal(500), reserved_cash=Decimal(200)), ("RISK_BUYING_POWER", "R12", "300")),
        (BUY, "2", None, book(cash=Decimal(210)), ("RISK_BUYING_POWER", "R12", "210")),
        (
            BUY,
            "3",
            "1",
            book(exposure=held("2", buys="5", sells="6"), limits=limits(position_qty_max=Decimal(10))),
            ("RISK_POSITION_MAX", "R13", "10"),
        ),
        (
            SELL,
            "3",
            "1",
            book(exposure=held("-2", buys="6", sells="5"), limits=limits(position_qty_max=Decimal(10))),
            ("RISK_POSITION_MAX", "R13", "10"),
        ),
        (
            SELL,
            "3",
            None,
            book(exposure=held("8", buys="9", sells="5"), limits=limits(may_short=False)),
            ("RISK_SHORT_LOCATE", "R20", "3"),
        ),
        (
            SELL,
            "3",
            None,
            book(exposure=held("8", buys="9", sells="5"), firm_kill=KillState.REDUCE_ONLY),
            ("RISK_REDUCE_ONLY", "R16", "3"),
        ),
        (
            BUY,
            "3",
            None,
            book(exposure=held("-8", buys="5", sells="9"), account_kill=KillState.REDUCE_ONLY),
            ("RISK_REDUCE_ONLY", "R16", "3"),
        ),
    ],
)
def test_at_the_limit_passes_and_one_tick_over_is_refused(
    side: Side, at_limit: str, limit: str | None, books: Book, refusal: tuple[str, str, str]
) -> None:
    assert codes(assess(order(side, at_limit, limit), books)) == []
    verdict = assess(order(side, Decimal(at_limit) + TICK, limit), books)
    (finding,) = verdict.findings
    assert (finding.code, finding.rule, finding.limit) == refusal
    assert finding.limit in finding.detail


@pytest.mark.parametrize("limit", [None, "100"])
def test_without_limits_nothing_trades(limit: str | None) -> None:
    assert codes(assess(order(BUY, "1", limit), book(limits=None))) == ["RISK_LIMITS_MISSING"]


@pytest.mark.parametrize("limit", [None, "100"])
def test_without_a_price_nothing_trades_and_the_known_symbols_are_named(limit: str | None) -> None:
    verdict = assess(order(BUY, "1", limit, symbol="TSLA"), book(known_symbols=("AAPL", "MSFT")))
    assert codes(verdict) == ["ORDER_UNKNOWN_SYMBOL"]
    assert verdict.findings[0].limit == "AAPL, MSFT"
    assert "AAPL, MSFT" in verdict.findings[0].detail


def test_a_limit_order_without_a_price_of_its_symbol_is_still_run_past_every_other_control() -> None:
    verdict = assess(order(BUY, "9", "100", symbol="TSLA"), book(limits=limits(order_qty_max=Decimal(1))))
    assert codes(verdict) == ["ORDER_UNKNOWN_SYMBOL", "RISK_QTY_MAX"]


def test_all_controls_that_refuse_are_named_at_once_the_block_first() -> None:
    narrow = limits(
        order_qty_max=Decimal(1), order_notional_max=Decimal(1), position_qty_max=Decimal(1), may_short=False
    )
    poor = book(limits=narrow, cash=Decimal(1), firm_kill=KillState.HALTED)
    assert codes(assess(order(BUY, "2", "2"), poor)) == [
        "KILL_ACTIVE",
        "RISK_QTY_MAX",
        "RISK_NOTIONAL_MAX",
        "RISK_BUYING_POWER",
        "RISK_POSITION_MAX",
    ]
    assert codes(assess(order(SELL, "2", "2"), poor)) == [
        "KILL_ACTIVE",
        "RISK_QTY_MAX",
        "RISK_NOTIONAL_MAX",
        "RISK_POSITION_MAX",
        "RISK_SHORT_LOCATE",
    ]


@pytest.mark.parametrize("firm", KillState)
@pytest.mark.parametrize("account", KillState)
def test_the_stricter_kill_state_blocks_and_is_named(firm: KillState, account: KillState) -> None:
    verdict = assess(order(BUY, "1"), book(firm_kill=firm, account_kill=account))
    order_of_severity = ["normal", "reduce_only", "cancel_only", "halted"]
    strictest = max(firm, account, key=order_of_severity.index)
    expected = {"normal": [], "reduce_only": ["RISK_REDUCE_ONLY"]}.get(strictest, ["KILL_ACTIVE"])
    assert codes(verdict) == expected
    if expected == ["KILL_ACTIVE"]:
        assert verdict.findings[0].observed == strictest
        assert ("firm" if firm is strictest else "account") in verdict.findings[0].detail


def test_a_flat_position_cannot_be_reduced() -> None:
    quiet = book(firm_kill=KillState.REDUCE_ONLY)
    assert codes(assess(order(BUY, TICK), quiet)) == codes(assess(order(SELL, TICK), quiet)) == ["RISK_REDUCE_ONLY"]


def test_selling_needs_no_cash() -> None:
    assert codes(assess(order(SELL, "5"), book(cash=Decimal(0), exposure=held("5")))) == []


def test_a_position_beyond_a_lowered_limit_may_still_be_reduced() -> None:
    lowered = book(exposure=held("50"), limits=limits(position_qty_max=Decimal(10)))
    assert codes(assess(order(SELL, "30"), lowered)) == []
    assert codes(assess(order(BUY, "1"), lowered)) == ["RISK_POSITION_MAX"]


def test_a_market_order_counts_at_the_collar_rounded_up() -> None:
    verdict = assess(order(BUY, "1"), book(exposure=held(price="0.000000001")))
    assert verdict.price == Decimal("0.000000002")
    assert assess(order(BUY, "1"), book()).price == 100 * (1 + COLLAR) == 105
    assert assess(order(BUY, "1", "70"), book()).price == 70


def test_large_amounts_are_compared_to_the_last_digit() -> None:
    qty, price = Decimal("999999999.999999999"), "123456789.123456789"
    with localcontext(prec=100):
        exact = qty * Decimal(price)
        less = exact - Decimal(1).scaleb(-18)
    wide = limits(order_qty_max=qty, order_notional_max=Decimal(10) ** 20, position_qty_max=qty)
    assert codes(assess(order(BUY, qty, price), book(cash=exact, limits=wide))) == []
    assert codes(assess(order(BUY, qty, price), book(cash=less, limits=wide))) == ["RISK_BUYING_POWER"]


def test_a_reserved_order_counts_for_the_next_one() -> None:
    first = order(BUY, "3", "10")
    before = book(cash=Decimal(50), exposure=held("1", buys="2", sells="4"))
    after = reserve(before, first)
    assert after.reserved_cash == 30
    assert after.exposure("AAPL") == held("1", buys="5", sells="4")
    assert reserve(after, order(SELL, "6")).exposure("AAPL") == held("1", buys="5", sells="10")
    assert reserve(after, order(SELL, "6")).reserved_cash == 30
    assert before.exposure("AAPL") == held("1", buys="2", sells="4")


def reserve(before: Book, asked: Order) -> Book:
    claim = claim_of(asked, Decimal(10))
    assert claim is not None
    return before.reserve(asked, claim)


def renewed(asked: Order, looked_at: Book, *, filled: str = "0") -> list[str]:
    kept = reservation(asked, filled_qty=Decimal(filled))
    return [finding.code for finding in reassess(asked, kept, looked_at)]


def test_a_renewal_under_reduce_only_does_not_count_the_order_twice() -> None:
    quiet = book(exposure=held("10", sells="10"), firm_kill=KillState.REDUCE_ONLY)
    assert renewed(order(SELL, "4"), quiet) == []
    flipping = book(exposure=held("10", sells="10.000000001"), firm_kill=KillState.REDUCE_ONLY)
    assert renewed(order(SELL, "4"), flipping) == ["RISK_REDUCE_ONLY"]
    partly = book(exposure=held("3", sells="3"), firm_kill=KillState.REDUCE_ONLY)
    assert renewed(order(SELL, "9"), partly, filled="6") == []


def test_a_renewal_does_not_ask_again_how_large_an_order_is() -> None:
    small = book(limits=limits(order_qty_max=Decimal(1), order_notional_max=Decimal(1)), exposure=held(buys="4"))
    assert renewed(order(BUY, "4", "100"), replace(small, reserved_cash=Decimal(400))) == []
    assert renewed(order(BUY, "4", "100"), book(limits=None, exposure=held(buys="4"))) == []


def test_a_renewal_of_what_fills_already_looks_at_blocks_alone() -> None:
    assert renewed(order(BUY, "4"), book(cash=Decimal(0), exposure=held(buys="3")), filled="1") == []


@pytest.mark.parametrize(
    ("side", "enough", "too_little", "code"),
    [
        (
            BUY,
            book(cash=Decimal(1000), reserved_cash=Decimal(1000), exposure=held(buys="10")),
            book(cash=Decimal(1000), reserved_cash=Decimal("1000.01"), exposure=held(buys="10")),
            "RISK_BUYING_POWER",
        ),
        (
            BUY,
            book(exposure=held("2", buys="8"), limits=limits(position_qty_max=Decimal(10))),
            book(exposure=held("2", buys="8.1"), limits=limits(position_qty_max=Decimal(10))),
            "RISK_POSITION_MAX",
        ),
        (
            SELL,
            book(exposure=held("8", sells="8"), limits=limits(may_short=False)),
            book(exposure=held("8", sells="8.1"), limits=limits(may_short=False)),
            "RISK_SHORT_LOCATE",
        ),
    ],
)
def test_a_renewal_is_refused_where_the_open_orders_exceed_cash_or_position(
    side: Side, enough: Book, too_little: Book, code: str
) -> None:
    assert renewed(order(side, "4", "100"), enough) == []
    assert renewed(order(side, "4", "100"), too_little) == [code]


def test_inputs_name_what_was_looked_at() -> None:
    asked, looked_at = order(BUY, "2"), book(exposure=held("1", buys="2", sells="3"))
    assert inputs_of(asked, looked_at, assess(asked, looked_at)) == {
        "cash": 10**12,
        "reserved_cash": 0,
        "position_qty": 1,
        "open_buy_qty": 2,
        "open_sell_qty": 3,
        "close_buy_qty": 0,
        "close_sell_qty": 0,
        "last_price": 100,
        "working_price": 105,
        "added_qty": 2,
        "added_cash": 210,
        "firm_kill": "normal",
        "account_kill": "normal",
        "content": "AAPL|buy|market|day|2||||||False|simple|entry|",
        "open_orders": 0,
        "venue": "paper",
    }


@pytest.mark.parametrize(
    ("qty", "limit", "symbol", "code"),
    [
        ("0", None, "AAPL", "QTY_NOT_POSITIVE"),
        ("-1", None, "AAPL", "QTY_NOT_POSITIVE"),
        ("NaN", None, "AAPL", "NUMBER_NOT_FINITE"),
        ("sNaN", None, "AAPL", "NUMBER_NOT_FINITE"),
        ("Infinity", None, "AAPL", "NUMBER_NOT_FINITE"),
        ("1e18", None, "AAPL", "NUMBER_RANGE"),
        ("0.0000000001", None, "AAPL", "NUMBER_SCALE"),
        ("1", "0", "AAPL", "QTY_NOT_POSITIVE"),
        ("1", "-5", "AAPL", "QTY_NOT_POSITIVE"),
        ("1", "NaN", "AAPL", "NUMBER_NOT_FINITE"),
        ("1", "0.0000000001", "AAPL", "NUMBER_SCALE"),
        ("1", None, "", "ORDER_UNKNOWN_SYMBOL"),
        ("1", None, "aapl", "ORDER_UNKNOWN_SYMBOL"),
        ("1", None, "AA\x00", "ORDER_UNKNOWN_SYMBOL"),
        ("1", None, "A" * 33, "ORDER_UNKNOWN_SYMBOL"),
    ],
)
def test_an_order_that_cannot_be_judged_is_refused_outright(
    qty: str, limit: str | None, symbol: str, code: str
) -> None:
    with pytest.raises(AlphintraError) as refused:
        check_order(order(BUY, qty, limit, symbol=symbol))
    assert refused.value.code == code
    assert refused.value.pointer.startswith("/terms/")


def test_a_limit_price_goes_with_a_limit_order_and_no_other() -> None:
    priced, unpriced = order(BUY, "1", "5"), order(BUY, "1")
    assert check_order(priced) is priced
    assert check_order(unpriced) is unpriced
    for odd, code in (
        (replace(priced, type=OrderType.MARKET), "ORDER_FIELD_FORBIDDEN"),
        (replace(unpriced, type=OrderType.LIMIT), "ORDER_FIELD_REQUIRED"),
    ):
        with pytest.raises(AlphintraError) as refused:
            check_order(odd)
        assert refused.value.code == code


amounts = st.decimals(min_value=0, max_value=10**6, places=2)
signed = st.decimals(min_value=-(10**6), max_value=10**6, places=2)


@settings(deadline=None)
@given(signed, amounts, amounts, amounts.filter(bool), st.sampled_from(Side))
def test_what_passes_can_never_break_a_limit_however_orders_fill(
    position: Decimal, buys: Decimal, sells: Decimal, qty: Decimal, side: Side
) -> None:
    most = Decimal(500_000)
    exposure = Exposure(position_qty=position, open_buy_qty=buys, open_sell_qty=sells, last_price=Decimal(1))
    judged = book(exposure=exposure, cash=Decimal(600_000), reserved_cash=buys, limits=limits(position_qty_max=most))
    asked = order(side, qty, "1")
    passed = codes(assess(asked, judged)) == []
    if side is BUY:
        assert passed == (position + buys + qty <= most and buys + qty <= 600_000)
    else:
        assert passed == (position - sells - qty >= -most)
