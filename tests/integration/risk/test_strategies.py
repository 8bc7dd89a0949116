"""Orders of strategies on real PostgreSQL: approved versions, blocked strategies, deployments that run twice."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from alphintra.contracts import risk as messages
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.limits import LimitControls
from alphintra.kernel.vocabulary import Side
from integration.risk.desk import Desk, codes_of, operator, report

if TYPE_CHECKING:
    from alphintra.contracts.approval import OrderTerms

BUY, SELL = Side.BUY, Side.SELL
BOOK, OTHER = UUID(int=71), UUID(int=72)


async def judged(desk: Desk, terms: OrderTerms, book_id: UUID | None = BOOK, version: str = "v1") -> list[str]:
    """Have an order of a strategy assessed and return the codes it is refused with."""
    command = messages.AssessOrder(terms=terms, book_id=book_id, strategy_hash=version if book_id else "")
    (outcome,) = await desk.endpoints.assess_orders([(command, desk.owner)])
    return codes_of(outcome)


async def test_only_the_approved_version_of_an_approved_strategy_trades(desk: Desk) -> None:
    account = await desk.open_account()
    await desk.mark(AAPL="100")
    await desk.limit(account, controls=LimitControls(strategies_allowed={str(BOOK): "v1"}))
    assert await judged(desk, desk.order(account, BUY, "1")) == []
    assert await judged(desk, desk.order(account, BUY, "1"), version="v2") == ["STRATEGY_NOT_APPROVED"]
    assert await judged(desk, desk.order(account, BUY, "1"), OTHER) == ["STRATEGY_NOT_APPROVED"]
    assert await judged(desk, desk.order(account, BUY, "1"), None) == []


async def test_a_person_may_close_what_an_unapproved_strategy_holds_the_strategy_may_not(desk: Desk) -> None:
    account = await desk.open_account()
    await desk.mark(AAPL="100")
    bought = desk.order(account, BUY, "3")
    await desk.confirm(bought, await desk.approved(bought))
    await desk.fill(bought, "3", "100")
    await desk.limit(account, controls=LimitControls(strategies_allowed={}))
    closing = desk.order(account, SELL, "1", reduce_only=True)
    assert await judged(desk, closing, BOOK, version="") == []
    assert await judged(desk, desk.order(account, SELL, "1", reduce_only=True)) == ["STRATEGY_NOT_APPROVED"]


async def test_a_blocked_strategy_is_refused_and_its_expired_approvals_are_not_renewed(desk: Desk) -> None:
    account = await desk.open_account()
    await desk.mark(AAPL="100")
    queued, others = desk.order(account, BUY, "1"), desk.order(account, BUY, "1")
    assert await judged(desk, queued) == []
    assert await judged(desk, others, OTHER) == []
    kill = messages.SetKillState(scope="strategy", state="halted", reason="drill", book_id=BOOK)
    await desk.endpoints.set_kill_state(kill, operator())
    assert await judged(desk, desk.order(account, BUY, "1")) == ["KILL_ACTIVE"]
    assert await judged(desk, desk.order(account, BUY, "1"), OTHER) == []
    assert codes_of(await desk.renew(queued)) == ["KILL_ACTIVE"]
    assert codes_of(await desk.renew(others)) == []


async def test_while_two_living_instances_run_a_deployment_none_of_its_orders_passes(desk: Desk) -> None:
    account = await desk.open_account()
    await desk.mark(AAPL="100")
    assert (await report(desk, "a", BOOK, OTHER)).doubled == ()
    desk.clock.pass_time(seconds=10)
    assert (await report(desk, "b", BOOK)).doubled == ()  # it may have taken over
    assert await judged(desk, desk.order(account, BUY, "1")) == []
    desk.clock.pass_time(seconds=1)
    assert (await report(desk, "a", BOOK, OTHER)).doubled == (BOOK,)
    assert await judged(desk, desk.order(account, BUY, "1")) == ["FLEET_MISMATCH"]
    assert await judged(desk, desk.order(account, BUY, "1"), OTHER) == []
    assert await judged(desk, desk.order(account, BUY, "1"), None) == []
    desk.clock.pass_time(seconds=30)
    await report(desk, "b", BOOK)
    assert await judged(desk.restarted(), desk.order(account, BUY, "1")) == ["FLEET_MISMATCH"]
    desk.clock.pass_time(seconds=31)  # the first was stopped a minute ago
    await report(desk, "b", BOOK)
    assert await judged(desk, desk.order(account, BUY, "1")) == []


async def test_an_instance_heard_of_again_after_a_pause_takes_over_anew(desk: Desk) -> None:
    account = await desk.open_account()
    await desk.mark(AAPL="100")
    await report(desk, "a", BOOK)
    desk.clock.pass_time(seconds=30)
    await report(desk, "b", BOOK)
    desk.clock.pass_time(seconds=40)
    assert (await report(desk, "a", BOOK)).doubled == ()
    assert await judged(desk, desk.order(account, BUY, "1")) == []
    desk.clock.pass_time(seconds=1)
    assert (await report(desk, "b", BOOK)).doubled == (BOOK,)


async def test_more_deployments_than_a_report_holds_are_refused(desk: Desk) -> None:
    with pytest.raises(AlphintraError, match="at most 500") as refused:
        await report(desk, "a", *(UUID(int=number) for number in range(501)))
    assert refused.value.code == "FLEET_FIELD"
    assert not await desk.stored("deployment_instances", "book_id")


async def test_the_reservation_of_a_strategys_order_names_it(desk: Desk) -> None:
    account = await desk.open_account()
    await desk.mark(AAPL="100")
    terms = desk.order(account, BUY, "1")
    await judged(desk, terms)
    (row,) = await desk.stored("reservations", "book_id, open_qty")
    assert (row["book_id"], row["open_qty"]) == (BOOK, Decimal(1))
