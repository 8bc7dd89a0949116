"""Whether a venue can work a strategy: each thing that is missing is named, and nothing where nothing is."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from alphintra.engine.graph import compile_plan
from alphintra.engine.pretrade.instruments import Instrument
from alphintra.engine.templates import GALLERY
from alphintra.kernel.vocabulary import OrderClass, OrderType, TimeInForce
from alphintra.strategy.domain.sides import stance_of
from alphintra.strategy.domain.venue_fit import Offer, Trade, misfits, source_of_venue, worked_for

NOW = datetime(2026, 3, 2, 15, tzinfo=UTC)
ALL = Offer(
    types=frozenset(OrderType),
    times_in_force=frozenset(TimeInForce),
    order_classes=frozenset(OrderClass),
    has_fractional=True,
    has_two_exits=True,
    may_short=True,
)
STOCK = Trade(symbol="AAPL", instrument=None, is_priced=True, held=Decimal(0))


def found(
    template: str,
    trades: tuple[Trade, ...] = (STOCK,),
    *,
    is_extended: bool = False,
    **offers: Any,  # noqa: ANN401 - fields of an offer
) -> tuple[str, ...]:
    graph = GALLERY[template].graph
    told = (compile_plan(graph), stance_of(graph), trades, replace(ALL, **offers))
    return misfits(*told, is_extended=is_extended, at=NOW)


def named(**terms: Any) -> Trade:  # noqa: ANN401 - fields of a specification
    return replace(STOCK, instrument=Instrument(symbol="AAPL", **terms))


@pytest.mark.parametrize("template", sorted(set(GALLERY) - {"pairs", "momentum_rotation"}))
def test_a_venue_that_works_everything_works_every_template(template: str) -> None:
    assert found(template) == ()


@pytest.mark.parametrize(
    ("offers", "said"),
    [
        ({"types": frozenset(OrderType) - {OrderType.STOP}}, "the venue works no orders of type stop"),
        ({"types": frozenset(OrderType) - {OrderType.MARKET}}, "the venue works no orders of type market"),
        ({"times_in_force": frozenset({TimeInForce.DAY})}, "time in force gtc"),
        ({"order_classes": frozenset({OrderClass.SIMPLE, OrderClass.OTO})}, "groups of class bracket"),
        ({"has_two_exits": False}, "no two exits for one position"),
    ],
)
def test_what_the_exits_of_a_bracket_need_is_named(offers: dict[str, Any], said: str) -> None:
    (only,) = found("opening_range", **offers)
    assert said in only


def test_a_venue_without_groups_works_what_brings_no_exits() -> None:
    assert found("ema_crossover", order_classes=frozenset({OrderClass.SIMPLE}), has_two_exits=False) == ()


@pytest.mark.parametrize(
    ("trade", "said"),
    [
        (replace(STOCK, is_priced=False), "risk has no price of it for this account"),
        (named(is_halted=True), "its trading is halted"),
        (named(expires_at=NOW), "it expired at 2026-03-02 15:00"),
        (named(lot=Decimal(100)), "traded in lots of 100"),
        (replace(STOCK, held=Decimal(-5)), "the account holds -5 otherwise"),
    ],
)
def test_what_keeps_a_symbol_from_being_bought_is_named(trade: Trade, said: str) -> None:
    (only,) = found("ema_crossover", (trade,))
    assert said in only


def test_who_may_sell_short_needs_leave_and_something_to_borrow() -> None:
    both = tuple(replace(STOCK, symbol=symbol) for symbol in ("IBM", "MSFT"))
    assert found("pairs", both) == ()
    assert len([each for each in found("pairs", both, may_short=False) if "limits" in each]) == 2
    unborrowed = replace(both[0], instrument=Instrument(symbol="IBM", is_shortable=False))
    (only,) = found("pairs", (unborrowed, both[1]))
    assert only == "IBM: the strategy may sell short, and it cannot be borrowed"
    (pair,) = found("pairs", (replace(STOCK, symbol="BTC/USD"), both[1]))
    assert "a pair cannot be borrowed" in pair
    (held,) = found("pairs", (replace(both[0], held=Decimal(3)), both[1]))
    assert "the account holds 3 otherwise" in held


def test_what_is_held_on_the_same_side_is_no_hindrance() -> None:
    assert found("ema_crossover", (replace(STOCK, held=Decimal(5)),)) == ()


def test_bars_of_outside_the_session_are_for_what_trades_then() -> None:
    (only,) = found("ema_crossover", is_extended=True)
    assert "outside the regular session" in only
    assert found("ema_crossover", (replace(STOCK, symbol="BTC/USD"),), is_extended=True) == ()


def test_a_pair_needs_no_orders_of_the_day() -> None:
    assert worked_for("BTC/USD", TimeInForce.DAY) is TimeInForce.GTC
    assert worked_for("BTC/USD", TimeInForce.IOC) is TimeInForce.IOC
    assert worked_for("AAPL", TimeInForce.DAY) is TimeInForce.DAY
    only_gtc = frozenset({TimeInForce.GTC})
    assert found("ema_crossover", (replace(STOCK, symbol="BTC/USD"),), times_in_force=only_gtc) == ()
    assert found("ema_crossover", times_in_force=only_gtc) != ()


def test_live_bars_are_those_of_the_venue() -> None:
    assert source_of_venue("alpaca", "") == "alpaca"
    assert source_of_venue("ccxt", "kraken") == "ccxt:kraken"
