"""What is peculiar to exchanges: streams beside being asked, pages, fees in kind, and finding orders or not."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING

import pytest

from alphintra.broker.gateways import adapters, ccxt_venue
from alphintra.broker.gateways.ccxt_profiles import Finding, profile_of
from alphintra.kernel.ids import AccountId
from alphintra.kernel.vocabulary import Side
from fixtures.waiting import until
from integration.broker import live_desk
from integration.broker.conformance.benches import executed, reaches, told

if TYPE_CHECKING:
    from integration.broker.conformance.at_binance import BinanceBench
    from integration.broker.conformance.remote import ExchangeBench


async def test_an_order_that_arrives_after_its_deadline_is_not_taken_and_sent_again(at_exchange: ExchangeBench) -> None:
    exchange = at_exchange.desk.exchange
    exchange.clock_ahead_s = 3600.0
    terms = at_exchange.terms()
    async with at_exchange.keeping():
        await at_exchange.submit(terms)
        await until(lambda: at_exchange.orders_sent() > 0, seconds=45)
        assert await at_exchange.at_venue() == {}
        exchange.clock_ahead_s = 0.0
        await reaches(at_exchange, terms.order_id, "working")
    assert await told(at_exchange, terms.order_id) == ["order_acknowledged"]
    assert await at_exchange.at_venue() == {terms.order_id: 1}


async def test_more_executions_than_a_page_holds_are_all_read(at_exchange: ExchangeBench) -> None:
    terms = at_exchange.terms()
    async with at_exchange.keeping():
        await at_exchange.submit(terms)
        await reaches(at_exchange, terms.order_id, "working")
    for _ in range(120):
        await at_exchange.fill(terms, "0.05")
    async with at_exchange.keeping():
        await at_exchange.fill(terms, "4")
        await reaches(at_exchange, terms.order_id, "filled")
    assert await executed(at_exchange, terms.order_id) == [*[Decimal("0.05")] * 120, 4]
    assert await at_exchange.desk.codes() == []


async def test_an_execution_listed_later_than_its_order_counts_it_is_waited_for(at_exchange: ExchangeBench) -> None:
    terms = at_exchange.terms()
    async with at_exchange.keeping():
        await at_exchange.submit(terms)
        await reaches(at_exchange, terms.order_id, "working")
        await at_exchange.desk.link_reaches("open")
        at_exchange.worsen(late_fill=1.0)
        await at_exchange.fill(terms, "10")
        await reaches(at_exchange, terms.order_id, "filled")
    assert await executed(at_exchange, terms.order_id) == [10]
    assert await at_exchange.desk.codes() == []


@pytest.fixture
def unknown_exchange(monkeypatch: pytest.MonkeyPatch) -> None:
    """Know of the exchange what is known of most: it may not find orders by our id, and takes them at any time."""
    profile = replace(profile_of("kraken"), finding=Finding.SCAN, request_life=None)
    monkeypatch.setattr(ccxt_venue, "profile_of", lambda _exchange: profile)
    monkeypatch.setattr(adapters, "exchange_capabilities", ccxt_venue.exchange_capabilities.__wrapped__)


@pytest.mark.usefixtures("unknown_exchange")
async def test_an_order_an_exchange_cannot_be_asked_for_is_left_to_a_person(at_exchange: ExchangeBench) -> None:
    async with at_exchange.keeping():
        at_exchange.answer_next_order("lost")
        terms = at_exchange.terms()
        await at_exchange.submit(terms)
        await reaches(at_exchange, terms.order_id, "review")
    assert at_exchange.orders_sent() == 1
    assert await at_exchange.desk.codes() == ["ORDER_UNRESOLVED"]


@pytest.mark.usefixtures("unknown_exchange")
async def test_an_order_found_among_recent_ones_needs_nobody(at_exchange: ExchangeBench) -> None:
    at_exchange.worsen(lost_ack=1.0)
    async with at_exchange.keeping():
        terms = at_exchange.terms()
        await at_exchange.submit(terms)
        await reaches(at_exchange, terms.order_id, "working")
    assert at_exchange.orders_sent() == 1
    assert await at_exchange.desk.codes() == []


@pytest.fixture
def seldom_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask exchanges once an hour, so that only what a stream tells arrives."""
    monkeypatch.setattr(live_desk, "POLL_EVERY", timedelta(hours=1))


@pytest.mark.usefixtures("seldom_asked")
async def test_executions_and_ends_are_told_by_the_stream(telling: ExchangeBench | BinanceBench) -> None:
    bench, telling.desk.reconcile = telling, timedelta(hours=1)
    first, second = bench.terms(), bench.terms()
    async with bench.keeping():
        await bench.desk.link_reaches("open")
        await until(lambda: bench.listeners() > 0, seconds=45)
        for terms in (first, second):
            await bench.submit(terms)
            await reaches(bench, terms.order_id, "working")
        bench.worsen(told_twice=1.0)
        await bench.fill(first, "4")
        await bench.fill(first, "6")
        await reaches(bench, first.order_id, "filled")
        await bench.cancel(second.order_id)
        await reaches(bench, second.order_id, "canceled")
    assert await executed(bench, first.order_id) == [4, 6]
    assert await told(bench, second.order_id) == ["order_acknowledged", "order_canceled"]
    async with bench.keeping():  # asked now, the exchange lists the same again
        await bench.desk.link_reaches("open")
    assert await executed(bench, first.order_id) == [4, 6]
    assert await bench.desk.codes() == []


@pytest.mark.usefixtures("seldom_asked")
async def test_what_happened_while_a_stream_was_cut_is_asked_for(telling: ExchangeBench | BinanceBench) -> None:
    bench, telling.desk.reconcile = telling, timedelta(hours=1)
    terms = bench.terms()
    async with bench.keeping():
        await bench.desk.link_reaches("open")
        await bench.submit(terms)
        await reaches(bench, terms.order_id, "working")
        await until(lambda: bench.listeners() > 0, seconds=45)
        await bench.fill_untold(terms, "10")
        await bench.hang_up()
        await reaches(bench, terms.order_id, "filled")
    assert await executed(bench, terms.order_id) == [10]


async def test_without_a_stream_an_exchange_is_asked_again_and_again(at_binance: BinanceBench) -> None:
    at_binance.exchange.is_refusing_streams = True
    terms = at_binance.terms()
    async with at_binance.keeping():
        await at_binance.submit(terms)
        await reaches(at_binance, terms.order_id, "working")
        await at_binance.fill(terms, "10")
        await reaches(at_binance, terms.order_id, "filled")
    assert at_binance.listeners() == 0
    assert await executed(at_binance, terms.order_id) == [10]


async def test_fees_kept_of_what_came_leave_books_and_exchange_with_the_same_position(at_binance: BinanceBench) -> None:
    chance = Random(11)  # noqa: S311 - the same orders in every run
    async with at_binance.keeping():
        for _ in range(6):
            held = at_binance.exchange.books.assets["BTC"]
            side = Side.SELL if held > 1 and chance.random() < 0.5 else Side.BUY
            whole = Decimal(chance.randint(10, 99)) / 100
            terms = at_binance.terms(side=side, qty=whole)
            await at_binance.submit(terms)
            await reaches(at_binance, terms.order_id, "working")
            part = (whole * Decimal("0.3")).quantize(Decimal("0.00001"))
            for qty in (part, whole - part):
                await at_binance.fill(terms, str(qty), str(chance.randint(90, 110)))
            await reaches(at_binance, terms.order_id, "filled")
    async with at_binance.desk.live.reading() as rows:
        mine = await rows.positions(AccountId(at_binance.desk.account_id))
    assert mine == {"BTC/USDT": at_binance.exchange.books.assets["BTC"]}
    assert await at_binance.desk.reconciled()
    assert await at_binance.desk.codes() == []
    reports = [event for name, event in await at_binance.events() if name == "execution_reported"]
    kept = sum((Decimal(event["fee_qty"]) for event in reports), Decimal(0))
    assert kept > 0
    signed = sum((Decimal(each["qty"]) * (1 if each["side"] == "buy" else -1) for each in reports), Decimal(0))
    assert signed - kept == mine["BTC/USDT"]


async def test_fees_in_a_third_currency_are_told_once_and_hold_nothing_up(at_binance: BinanceBench) -> None:
    at_binance.exchange.books.fee_asset = "BNB"
    terms = at_binance.terms()
    async with at_binance.keeping():
        await at_binance.submit(terms)
        await reaches(at_binance, terms.order_id, "working")
        await at_binance.fill(terms, "4")
        await at_binance.fill(terms, "6")
        await reaches(at_binance, terms.order_id, "filled")
        await at_binance.desk.link_reaches("open")
    assert await at_binance.desk.codes() == ["FEE_CURRENCY"]


async def test_an_order_of_somebody_else_on_a_pair_never_traded_is_found(at_binance: BinanceBench) -> None:
    await at_binance.external(is_filled=False)
    async with at_binance.keeping():
        await until(lambda: at_binance.desk.has_breaks(1), seconds=45)
    assert await at_binance.desk.codes() == ["EXTERNAL_ORDER"]
