"""Every order type against bars of every shape: whether it fills, when and at which price."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from alphintra.engine.bars import Bar
from alphintra.engine.matching import (
    Met,
    Moment,
    OrderTerms,
    Phase,
    Watch,
    executable,
    is_stale,
    meet,
    rest_of,
)
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.vocabulary import OrderType, Side, TimeInForce
from unit.engine.builders import bar, day

FIRED = Watch(is_triggered=True)
SLIPPAGE = Decimal(100)  # one percent
PRICES = {"limit": "limit_price", "stop": "stop_price", "trail": "trail_price", "percent": "trail_percent"}


def order(text: str) -> OrderTerms:
    """Build an order from e.g. "buy stop_limit stop=105 limit=106 ioc"."""
    side, kind, *rest = text.split()
    prices = {PRICES[name]: Decimal(value) for name, _, value in (word.partition("=") for word in rest if "=" in word)}
    tif = next((TimeInForce(word) for word in rest if "=" not in word), TimeInForce.GTC)
    terms: Callable[..., OrderTerms] = OrderTerms
    return terms(Side(side), OrderType(kind), day(0), time_in_force=tif, **prices)


# order; open high low close; expected "moment price", "fires" for a trigger without a fill, "-" for nothing.
SHAPES = [
    # stop: gap through, touch, touch exactly, miss
    ("buy stop stop=105", "107 110 106 108", "open 108.07"),
    ("buy stop stop=105", "105 110 104 108", "open 106.05"),
    ("buy stop stop=105", "100 110 99 108", "within 106.05"),
    ("buy stop stop=105", "100 105 99 100", "within 106.05"),
    ("buy stop stop=105", "100 104.99 99 104", "-"),
    ("buy stop stop=105", "100 100 100 100", "-"),
    ("sell stop stop=95", "93 94 90 91", "open 92.07"),
    ("sell stop stop=95", "95 99 95 98", "open 94.05"),
    ("sell stop stop=95", "100 101 90 99", "within 94.05"),
    ("sell stop stop=95", "100 101 95 99", "within 94.05"),
    ("sell stop stop=95", "100 101 95.01 99", "-"),
    ("sell stop stop=95", "94 120 94 119", "open 93.06"),
    # stop_limit, limit behind the stop: executes where it fires, never beyond the limit
    ("buy stop_limit stop=105 limit=110", "100 120 99 118", "within 106.05"),
    ("buy stop_limit stop=105 limit=105.5", "100 120 99 118", "within 105.5"),
    ("buy stop_limit stop=105 limit=105", "100 120 99 118", "within 105"),
    ("buy stop_limit stop=105 limit=110", "108 120 107 118", "open 109.08"),
    ("buy stop_limit stop=105 limit=108", "108 120 107 118", "open 108"),
    ("buy stop_limit stop=105 limit=110", "112 120 111 118", "fires"),
    ("buy stop_limit stop=105 limit=110", "112 120 110 118", "within 110"),
    ("buy stop_limit stop=105 limit=110", "100 104 99 100", "-"),
    ("sell stop_limit stop=95 limit=90", "100 101 80 82", "within 94.05"),
    ("sell stop_limit stop=95 limit=94.5", "100 101 80 82", "within 94.5"),
    ("sell stop_limit stop=95 limit=90", "88 89 80 82", "fires"),
    ("sell stop_limit stop=95 limit=90", "88 91 80 82", "within 90"),
    # stop_limit, limit before the stop: the price must come back, and only the close proves that it did
    ("buy stop_limit stop=105 limit=102", "100 106 99 104", "fires"),
    ("buy stop_limit stop=105 limit=102", "100 106 99 101", "close 102"),
    ("buy stop_limit stop=105 limit=102", "107 109 101 108", "within 102"),
    ("sell stop_limit stop=95 limit=98", "100 101 90 96", "fires"),
    ("sell stop_limit stop=95 limit=98", "100 101 90 99", "close 98"),
    # trailing_stop: level of the open, then proved by the close
    ("sell trailing_stop trail=5", "100 103 96 101", "-"),
    ("sell trailing_stop trail=5", "100 103 95 101", "within 94.05"),
    ("sell trailing_stop trail=5", "100 110 97 104", "close 102.96"),
    ("sell trailing_stop trail=5", "100 110 97 106", "-"),
    ("sell trailing_stop percent=10", "100 101 90 95", "within 89.1"),
    ("sell trailing_stop percent=10", "100 101 90.01 95", "-"),
    ("sell trailing_stop trail=500", "100 101 1 1", "-"),
    ("buy trailing_stop trail=5", "100 105 99 101", "within 106.05"),
    ("buy trailing_stop trail=5", "100 104 97 101", "-"),
    ("buy trailing_stop trail=5", "100 104 90 96", "close 96.96"),
    ("buy trailing_stop percent=10", "100 110 99 101", "within 111.1"),
    # at once: the open or nothing
    ("buy market ioc", "100 110 90 105", "open 101"),
    ("buy limit limit=100 ioc", "100 110 90 105", "open 100"),
    ("buy limit limit=99 ioc", "100 110 90 105", "-"),
    ("sell limit limit=101 fok", "100 110 90 105", "-"),
    ("sell limit limit=99 fok", "100 110 90 105", "open 100"),
    # auctions
    ("buy market opg", "100 110 90 105", "open 101"),
    ("buy limit limit=99 opg", "100 110 90 105", "-"),
    ("buy market cls", "100 110 90 105", "close 106.05"),
    ("sell limit limit=105 cls", "100 110 90 105", "close 105"),
    ("sell limit limit=106 cls", "100 110 90 105", "-"),
    # plain
    ("sell market day", "100 110 90 105", "open 99"),
    ("buy limit limit=95 gtd", "100 110 90 105", "within 95"),
    ("buy limit limit=95", "94 110 90 105", "open 94"),
]


def told(met: Met) -> str:
    """Return what came of an order, in the words of the table."""
    if met.price is None:
        return "-" if met.triggered_at is None else "fires"
    return f"{met.moment.name.lower()} {met.price.normalize():f}"


@pytest.mark.parametrize(("text", "shape", "expected"), SHAPES)
def test_an_order_and_a_bar_come_to_this(text: str, shape: str, expected: str) -> None:
    met = meet(order(text), bar(1, shape), slippage_bps=SLIPPAGE)
    assert told(met) == expected
    assert met.is_over is any(word in text for word in (" ioc", " fok", " opg", " cls"))


@pytest.mark.parametrize("text", sorted({text for text, _, _ in SHAPES}))
@pytest.mark.parametrize("index", [-1, 0])
def test_no_order_meets_the_bar_it_was_made_on_or_an_older_one(text: str, index: int) -> None:
    for shape in ("1 1 1 1", "100 900 1 100", "900 900 900 900"):
        assert meet(order(text), bar(index, shape), slippage_bps=SLIPPAGE) == Met()


@pytest.mark.parametrize(
    ("text", "shape", "expected"),
    [
        ("buy stop stop=105", "90 91 89 90", "open 90.9"),
        ("sell trailing_stop trail=5", "90 91 89 90", "open 89.1"),
        ("buy stop_limit stop=105 limit=103", "104 106 104 105", "-"),
        ("buy stop_limit stop=105 limit=103", "104 106 102 105", "within 103"),
        ("buy stop_limit stop=105 limit=103", "102 106 102 105", "open 102"),
    ],
)
def test_a_stop_that_fired_before_is_a_market_or_a_limit_order(text: str, shape: str, expected: str) -> None:
    met = meet(order(text), bar(1, shape), watch=FIRED, slippage_bps=SLIPPAGE)
    assert told(met) == expected
    assert met.triggered_at is None


def test_a_trail_follows_the_best_price_over_bars_and_never_back() -> None:
    terms, watch = order("sell trailing_stop trail=5"), Watch()
    marks = []
    for index, shape in enumerate(("100 104 97 103", "103 103 100 101", "101 108 100 107"), start=1):
        met = meet(terms, bar(index, shape), watch=watch, slippage_bps=SLIPPAGE)
        assert met.price is None
        watch = met.watch
        marks.append(watch.hwm)
    assert marks == [104, 104, 108]
    gapped = meet(terms, bar(4, "102 103 101 102"), watch=watch, slippage_bps=Decimal(0))
    assert (gapped.price, gapped.triggered_at) == (Decimal(102), Decimal(103))
    touched = meet(terms, bar(4, "104 105 103 105"), watch=watch, slippage_bps=Decimal(0))
    assert (touched.price, touched.moment) == (Decimal(103), Moment.WITHIN)


def test_what_a_bar_leaves_open_is_called_ambiguous() -> None:
    assert meet(order("sell trailing_stop trail=5"), bar(1, "100 110 97 106"), slippage_bps=SLIPPAGE).is_ambiguous
    assert not meet(order("sell trailing_stop trail=5"), bar(1, "100 103 99 101"), slippage_bps=SLIPPAGE).is_ambiguous
    unproved = order("buy stop_limit stop=105 limit=102")
    assert meet(unproved, bar(1, "100 106 99 104"), slippage_bps=SLIPPAGE).is_ambiguous
    assert not meet(unproved, bar(1, "103 106 103 104"), slippage_bps=SLIPPAGE).is_ambiguous


def test_auction_orders_wait_for_the_bar_that_opens_or_closes_a_session() -> None:
    first, middle, last = Phase(is_closing=False), Phase(is_opening=False, is_closing=False), Phase(is_opening=False)
    shape = bar(1, "100 110 90 105")
    filled = {
        (text, phase): meet(order(text), shape, slippage_bps=Decimal(0), phase=phase).price
        for text in ("buy market opg", "buy market cls")
        for phase in (first, middle, last)
    }
    assert {key for key, price in filled.items() if price is not None} == {
        ("buy market opg", first),
        ("buy market cls", last),
    }
    assert not meet(order("buy market opg"), shape, slippage_bps=Decimal(0), phase=middle).is_over


def test_only_orders_for_extended_hours_meet_a_bar_outside_the_regular_session() -> None:
    outside = Phase(is_opening=False, is_closing=False, is_regular=False)
    shape = bar(1, "100 110 90 105")
    for text in ("buy market", "buy stop stop=99", "sell trailing_stop trail=1"):
        assert meet(order(text), shape, slippage_bps=SLIPPAGE, phase=outside) == Met()
    wide = OrderTerms(Side.BUY, OrderType.LIMIT, day(0), Decimal(100), extended_hours=True)
    assert meet(wide, shape, slippage_bps=SLIPPAGE, phase=outside).price == 100


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("buy stop", "ORDER_FIELD_REQUIRED"),
        ("buy stop_limit stop=1", "ORDER_FIELD_REQUIRED"),
        ("buy stop_limit limit=1", "ORDER_FIELD_REQUIRED"),
        ("buy stop stop=1 limit=1", "ORDER_FIELD_FORBIDDEN"),
        ("buy limit stop=1 limit=1", "ORDER_FIELD_FORBIDDEN"),
        ("buy stop stop=0", "QTY_NOT_POSITIVE"),
        ("buy trailing_stop", "ORDER_FIELD_REQUIRED"),
        ("buy trailing_stop trail=1 percent=1", "ORDER_FIELD_FORBIDDEN"),
        ("buy trailing_stop trail=1 stop=1", "ORDER_FIELD_FORBIDDEN"),
        ("buy trailing_stop percent=100", "FIELD_RANGE"),
        ("buy trailing_stop trail=-1", "QTY_NOT_POSITIVE"),
        ("buy market trail=1", "ORDER_FIELD_FORBIDDEN"),
        ("buy stop stop=1 ioc", "ORDER_UNSUPPORTED"),
        ("buy trailing_stop trail=1 cls", "ORDER_UNSUPPORTED"),
    ],
)
def test_an_order_that_contradicts_itself_is_refused(text: str, code: str) -> None:
    with pytest.raises(AlphintraError, match=code):
        order(text)


@pytest.mark.parametrize(
    ("tif", "volume", "share", "taken", "expected"),
    [
        ("gtc", "1000", None, "0", "50"),
        ("gtc", "1000", "0.1", "0", "50"),
        ("gtc", "1000", "0.01", "0", "10"),
        ("gtc", "1000", "0.1", "70", "30"),
        ("gtc", "1000", "0.1", "100", "0"),
        ("gtc", "1000", "0.1", "150", "0"),
        ("gtc", "0", "1", "0", "0"),
        ("gtc", "0.000000019", "0.1", "0", "0.000000001"),
        ("ioc", "1000", "0.01", "0", "10"),
        ("fok", "1000", "0.01", "0", "0"),
        ("fok", "1000", "0.05", "0", "50"),
        ("fok", "0", None, "0", "50"),
    ],
)
def test_a_bar_executes_no_more_than_its_share(
    tif: str, volume: str, share: str | None, taken: str, expected: str
) -> None:
    got = executable(
        Decimal(50),
        time_in_force=TimeInForce(tif),
        volume=Decimal(volume),
        participation=None if share is None else Decimal(share),
        taken=Decimal(taken),
    )
    assert got == Decimal(expected)


def test_a_bar_that_closed_more_than_an_interval_ago_is_stale() -> None:
    interval = day(1) - day(0)
    assert is_stale(bar(0, "1 1 1 1"), now=day(2), interval=interval)
    assert not is_stale(bar(1, "1 1 1 1"), now=day(2), interval=interval)
    assert not is_stale(bar(0, "1 1 1 1"), now=day(9), interval=None)


@pytest.mark.parametrize(
    ("text", "shape", "rest"),
    [
        ("buy market", "100 110 90 105", "100 110 90 105"),
        ("buy limit limit=95", "100 110 90 105", "95 105 90 105"),  # 110 may have come before 95, 90 has not
        ("sell limit limit=108", "100 110 90 105", "108 110 105 105"),
        ("buy stop stop=108", "100 110 90 105", "108 110 105 105"),
        ("sell stop stop=95", "100 110 90 92", "95 95 90 92"),
        ("sell market cls", "100 110 90 105", "105 105 105 105"),
    ],
)
def test_an_order_another_one_brings_about_sees_what_surely_came_later(text: str, shape: str, rest: str) -> None:
    whole = bar(1, shape)
    assert rest_of(whole, meet(order(text), whole, slippage_bps=SLIPPAGE)) == bar(1, rest)


def bar_of(path: list[int]) -> Bar:
    """Build the bar of prices in their order of time."""
    return bar(1, f"{path[0]} {max(path)} {min(path)} {path[-1]}")


FIXED = ["market gtc", "limit limit={} gtc", "limit limit={} ioc", "stop stop={} day", "stop_limit stop={} limit={}"]


@st.composite
def fixed_orders(draw: st.DrawFn, kinds: Sequence[str] = FIXED) -> OrderTerms:
    """Draw an order near 100 whose prices stay where they are."""
    side, near = draw(st.sampled_from(["buy", "sell"])), st.integers(90, 110)
    return order(f"{side} {draw(st.sampled_from(kinds)).format(draw(near), draw(near))}")


@st.composite
def orders(draw: st.DrawFn) -> OrderTerms:
    """Draw an order of any kind near 100."""
    trail = draw(st.integers(1, 12))
    trailing = [f"trailing_stop trail={trail}", f"trailing_stop percent={trail}"]
    return draw(fixed_orders([*FIXED, "limit limit={} cls"]) | fixed_orders(trailing))


paths = st.lists(st.integers(85, 115), min_size=1, max_size=8)


@given(orders(), paths, paths, st.none() | st.integers(90, 110))
@example(order("sell stop stop=95"), [100, 95], [110], None)
def test_nothing_after_the_moment_of_a_fill_changes_it(
    terms: OrderTerms, before: list[int], after: list[int], hwm: int | None
) -> None:
    watch = Watch(hwm=None if hwm is None else Decimal(hwm))
    met = meet(terms, bar_of(before), watch=watch, slippage_bps=SLIPPAGE)
    assume(met.price is not None and met.moment is not Moment.CLOSE)
    again = meet(terms, bar_of(before + after), watch=watch, slippage_bps=SLIPPAGE)
    assert (again.price, again.moment, again.level) == (met.price, met.moment, met.level)


@given(orders(), paths)
def test_a_fill_lies_at_a_price_the_bar_had_moved_by_the_slippage_at_most(terms: OrderTerms, path: list[int]) -> None:
    met = meet(terms, shape := bar_of(path), slippage_bps=SLIPPAGE)
    assume(met.price is not None and met.level is not None)
    assert met.price is not None
    assert met.level is not None
    assert shape.low <= met.level <= shape.high
    assert abs(met.price - met.level) <= met.level / 100
    if terms.limit_price is not None:
        assert met.price <= terms.limit_price if terms.side is Side.BUY else met.price >= terms.limit_price
    elif terms.side is Side.BUY:
        assert met.price >= met.level
    else:
        assert met.price <= met.level


@given(fixed_orders(), paths)
def test_what_a_bar_fills_its_prices_one_by_one_would_have_filled_as_well_or_better(
    terms: OrderTerms, path: list[int]
) -> None:
    met = meet(terms, bar_of(path), slippage_bps=Decimal(0))
    assume(met.price is not None)
    real = Met()
    for index in range(len(path)):  # each pair of prices is a bar of its own
        real = meet(terms, bar_of(path[max(0, index - 1) : index + 1]), watch=real.watch, slippage_bps=Decimal(0))
        if real.price is not None:
            break
    assert met.price is not None
    assert real.price is not None
    if terms.limit_price is None:
        assert met.price >= real.price if terms.side is Side.BUY else met.price <= real.price
