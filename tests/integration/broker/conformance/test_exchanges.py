"""What is peculiar to exchanges: they tell nothing by themselves, list in pages, and find orders or do not."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from alphintra.broker.gateways import adapters, ccxt_venue
from alphintra.broker.gateways.ccxt_profiles import Finding, profile_of
from fixtures.waiting import until
from integration.broker.conformance.benches import executed, reaches, told

if TYPE_CHECKING:
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
