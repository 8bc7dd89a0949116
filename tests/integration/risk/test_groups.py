"""Orders that belong together, on real PostgreSQL: brackets, pairs, replacements and amounts of money."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec

from alphintra.contracts.approval import OrderTerms
from alphintra.contracts.risk import ExposureView, ReleaseOrder
from alphintra.contracts.trading import ApprovedLeg, OrderSubmitted
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.vocabulary import Leg, OrderClass, OrderType, Side
from fixtures.single_service import delivery_of
from integration.risk.desk import Desk, Outcome, amounts, approval_of, codes_of

BUY, SELL = Side.BUY, Side.SELL


def bracket(desk: Desk, account: UUID, qty: str = "10") -> tuple[OrderTerms, OrderTerms, OrderTerms]:
    """Return an entry at 100 with its exits at 120 and 90."""
    entry_id = desk.ids.new()
    entry = desk.order(account, BUY, qty, "100", order_id=entry_id, group_id=entry_id, order_class=OrderClass.BRACKET)
    return entry, *exits(desk, account, qty, group_id=entry_id, order_class=OrderClass.BRACKET)


def exits(desk: Desk, account: UUID, qty: str, **more: Any) -> tuple[OrderTerms, OrderTerms]:  # noqa: ANN401 - any field
    """Return a take-profit at 120 and a stop-loss at 90."""
    common: dict[str, Any] = {"reduce_only": True, **more}
    target = desk.order(account, SELL, qty, "120", leg=Leg.TAKE_PROFIT, **common)
    stop: dict[str, Any] = {"type": OrderType.STOP, "stop_price": Decimal(90), "leg": Leg.STOP_LOSS}
    return target, desk.order(account, SELL, qty, **common, **stop)


async def exposure(desk: Desk, account: UUID) -> ExposureView:
    """Return what risk holds for AAPL."""
    return (await desk.state(account)).exposures[0]


async def test_a_bracket_is_approved_as_a_whole_confirmed_filled_and_closed(desk: Desk) -> None:
    account = await desk.open_account(cash="1000")
    await desk.mark(AAPL="100")
    entry, target, stop = bracket(desk, account)
    outcomes = await desk.assess(entry, target, stop)
    assert [codes_of(outcome) for outcome in outcomes] == [[], [], []]
    legs = tuple(
        ApprovedLeg(terms=terms, approval=approval_of(outcome))
        for terms, outcome in zip((target, stop), outcomes[1:], strict=True)
    )
    event = OrderSubmitted(
        owner_id=desk.owner_id, book_id=None, terms=entry, approval=approval_of(outcomes[0]), legs=legs
    )
    await desk.endpoints.on_order_submitted(delivery_of(event, aggregate_id=entry.order_id))
    assert {row["state"] for row in await desk.stored("reservations", "state")} == {"confirmed"}
    held = await exposure(desk, account)
    assert (held.reserved_buy_qty, held.reserved_sell_qty) == amounts("10", "0")
    assert (await desk.state(account)).reserved_cash == 1000
    await desk.fill(entry, "10", "100")
    desk = desk.restarted()
    assert (await exposure(desk, account)).reserved_sell_qty == 10
    (short,) = await desk.assess(desk.order(account, SELL, "1"))
    assert codes_of(short) == ["RISK_SHORT_LOCATE"]
    await desk.fill(target, "10", "120")
    await desk.close(target, filled="10")
    await desk.close(stop)
    held = await exposure(desk, account)
    assert (held.position_qty, held.reserved_buy_qty, held.reserved_sell_qty) == amounts("0", "0", "0")
    assert (await desk.state(account)).cash == 1200


async def test_released_legs_and_a_refused_entry_leave_nothing_behind(desk: Desk) -> None:
    account = await desk.open_account(cash="999.99")
    await desk.mark(AAPL="100")
    orders = bracket(desk, account)
    outcomes = await desk.assess(*orders)
    assert codes_of(outcomes[0]) == ["RISK_BUYING_POWER"]
    assert codes_of(outcomes[1]) == ["RISK_REDUCE_ONLY"]
    for terms in orders:
        await desk.endpoints.release_order(ReleaseOrder(order_id=terms.order_id), desk.owner)
    state = await desk.state(account)
    assert state.reserved_cash == 0
    assert [item for item in state.exposures if item.reserved_sell_qty] == []


async def test_pairs_asked_for_in_parallel_never_close_more_than_is_held(desk: Desk) -> None:
    account = await desk.open_account()
    await desk.mark(AAPL="100")
    bought = desk.order(account, BUY, "10", "100")
    await desk.approved(bought)
    await desk.fill(bought, "10", "100")
    pairs = []
    for _ in range(20):
        group_id = desk.ids.new()
        pairs.append(exits(desk, account, "3", group_id=group_id, order_class=OrderClass.OCO))

    async def asked(pair: tuple[OrderTerms, ...]) -> list[Outcome]:
        while True:
            try:
                return await desk.assess(*pair)
            except AlphintraError as error:  # twenty in a row for one account may wait longer than a lock is waited for
                if error.code != "STORE_BUSY":
                    raise

    answers = await asyncio.gather(*(asked(pair) for pair in pairs))
    approved = [outcomes for outcomes in answers if not any(codes_of(outcome) for outcome in outcomes)]
    assert len(approved) == 3
    assert (await exposure(desk, account)).reserved_sell_qty == 9


async def test_a_replacement_holds_the_larger_of_the_two_until_one_is_gone(desk: Desk) -> None:
    account = await desk.open_account(cash="1000")
    await desk.mark(AAPL="100")
    old = desk.order(account, BUY, "8", "100")
    await desk.approved(old)
    larger = desk.order(account, BUY, "10", "100", replaces=old.order_id)
    await desk.approved(larger)
    assert (await desk.state(account)).reserved_cash == 1000
    await desk.close(larger)
    assert (await desk.state(account)).reserved_cash == 800
    too_large = desk.order(account, BUY, "10.1", "100", replaces=old.order_id)
    (outcome,) = await desk.assess(too_large)
    assert codes_of(outcome) == ["RISK_BUYING_POWER"]
    assert (await desk.state(account)).reserved_cash == 800
    smaller = desk.order(account, BUY, "4", "100", replaces=old.order_id)
    await desk.approved(smaller)
    await desk.fill(old, "1", "100")
    await desk.close(old, filled="1")
    assert (await desk.state(account)).reserved_cash == 300


async def test_parallel_replacements_of_one_order_let_one_through(desk: Desk) -> None:
    account = await desk.open_account(cash="100000")
    await desk.mark(AAPL="100")
    old = desk.order(account, BUY, "8", "100")
    await desk.approved(old)
    rivals = [desk.order(account, BUY, "9", "100", replaces=old.order_id) for _ in range(20)]
    answers = await asyncio.gather(*(desk.decided(rival) for rival in rivals))
    refused = [codes for outcome in answers if (codes := codes_of(outcome))]
    assert refused == [["ORDER_NOT_REPLACEABLE"]] * 19
    assert (await desk.state(account)).reserved_cash == 900


async def test_an_amount_of_money_reserves_itself_and_follows_its_fills(desk: Desk) -> None:
    account = await desk.open_account(cash="1000")
    await desk.mark(AAPL="100")
    terms = msgspec.structs.replace(desk.order(account, BUY, "1"), qty=None, notional=Decimal(1000))
    await desk.approved(terms)
    assert (await desk.state(account)).reserved_cash == 1000
    await desk.fill(terms, "5", "90")
    state = await desk.state(account)
    assert (state.reserved_cash, state.exposures[0].reserved_buy_qty) == amounts("550", "5.5")
    await desk.close(terms, filled="5")
    assert (await desk.state(account)).reserved_cash == 0
