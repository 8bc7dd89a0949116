"""A permission taken back: the next order is refused, and what works has to go, whenever it was accepted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from alphintra.contracts import risk as messages
from alphintra.contracts.trading import OrderSubmitted
from alphintra.kernel.limits import LimitControls
from alphintra.kernel.vocabulary import Side
from fixtures.single_service import delivery_of
from integration.risk.desk import Desk, approval_of, codes_of

if TYPE_CHECKING:
    from alphintra.contracts.approval import Approval, OrderTerms

BUY, SELL = Side.BUY, Side.SELL
ONE, TWO = UUID(int=71), UUID(int=72)


async def barred(desk: Desk) -> list[dict[str, Any]]:
    """Return what had to go, oldest first."""
    return [msgspec.json.decode(event)["event"] for event in await desk.events("orders_barred")]


async def approved(desk: Desk, terms: OrderTerms, book_id: UUID) -> Approval:
    """Have a strategy's order approved."""
    asked = messages.AssessOrder(terms=terms, book_id=book_id, strategy_hash="v1")
    (outcome,) = await desk.endpoints.assess_orders([(asked, desk.owner)])
    return approval_of(outcome)


async def accept(desk: Desk, terms: OrderTerms, approval: Approval, book_id: UUID | None = None) -> None:
    """Tell that trading accepted an order."""
    event = OrderSubmitted(owner_id=desk.owner_id, book_id=book_id, terms=terms, approval=approval)
    await desk.endpoints.on_order_submitted(delivery_of(event, aggregate_id=terms.order_id))


async def test_narrowed_symbols_take_the_working_orders_in_all_others_off(desk: Desk) -> None:
    account, other = await desk.open_account(), await desk.open_account()
    await desk.mark(AAPL="100", MSFT="100", TSLA="100")
    for owner in (account, other):
        for symbol in ("AAPL", "MSFT", "TSLA"):
            terms = desk.order(owner, BUY, "1", "90", symbol=symbol)
            await desk.confirm(terms, await desk.approved(terms))
    await desk.limit(account, controls=LimitControls(symbols_allowed=("AAPL", "MSFT", "NVDA")))
    await desk.limit(account, controls=LimitControls(symbols_allowed=("AAPL", "NVDA")))
    await desk.limit(account, controls=LimitControls(symbols_allowed=("AAPL", "NVDA"), open_orders_max=9))
    told = await barred(desk)
    assert [(one["code"], one["account_id"], one["symbols"]) for one in told] == [
        ("RISK_NO_PERMISSION", str(account), ["TSLA"]),
        ("RISK_NO_PERMISSION", str(account), ["MSFT", "TSLA"]),
    ]
    assert codes_of((await desk.assess(desk.order(account, BUY, "1", symbol="TSLA")))[0]) == ["RISK_NO_PERMISSION"]


async def test_a_strategy_that_is_not_approved_any_more_has_no_order_working(desk: Desk) -> None:
    account = await desk.open_account()
    await desk.mark(AAPL="100")
    for book_id in (ONE, TWO):
        terms = desk.order(account, BUY, "1", "90")
        await accept(desk, terms, await approved(desk, terms, book_id), book_id)
    await desk.limit(account, controls=LimitControls(strategies_allowed={str(ONE): "v1", str(TWO): ""}))
    first = await barred(desk)
    await desk.limit(account, controls=LimitControls(strategies_allowed={str(ONE): "v2", str(TWO): ""}))
    await desk.limit(account, controls=LimitControls(strategies_allowed={}))
    told = [(one["code"], one["book_id"]) for one in (await barred(desk))[len(first) :]]
    assert told == [
        ("STRATEGY_NOT_APPROVED", str(ONE)),
        ("STRATEGY_NOT_APPROVED", str(ONE)),
        ("STRATEGY_NOT_APPROVED", str(TWO)),
    ]


async def test_an_order_approved_before_and_accepted_after_has_to_go_as_well(desk: Desk) -> None:
    account = await desk.open_account(cash="1000000")
    await desk.mark(AAPL="100", MSFT="100")
    held = desk.order(account, BUY, "5", symbol="MSFT")
    await desk.confirm(held, await desk.approved(held))
    await desk.fill(held, "5", "100")
    symbol, strategy = desk.order(account, BUY, "1", "90"), desk.order(account, BUY, "1", "90", symbol="MSFT")
    closing = desk.order(account, SELL, "1", "110", symbol="MSFT", reduce_only=True)
    approvals = [
        (symbol, await desk.approved(symbol), None),
        (strategy, await approved(desk, strategy, ONE), ONE),
        (closing, await approved(desk, closing, ONE), ONE),
    ]
    await desk.limit(account, controls=LimitControls(symbols_allowed=("MSFT",), strategies_allowed={}))
    before = len(await barred(desk))
    for terms, approval, book_id in approvals:
        await accept(desk, terms, approval, book_id)
    told = {one["order_id"]: one["code"] for one in (await barred(desk))[before:]}
    assert told == {str(symbol.order_id): "RISK_NO_PERMISSION", str(strategy.order_id): "STRATEGY_NOT_APPROVED"}
