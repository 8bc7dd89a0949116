"""Warnings of limits in the database: positions, money, classes, messages, orders, losses, and their recovery."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec
import pytest

from alphintra.contracts import risk as messages
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.limits import LimitControls
from alphintra.kernel.vocabulary import Side
from alphintra.risk.endpoints import ControlEndpoints
from alphintra.risk.repository import RiskRecords
from integration.risk.desk import Desk, codes_of, operator

if TYPE_CHECKING:
    from uuid import UUID

    from alphintra.contracts.approval import OrderTerms

BUY = Side.BUY


async def work(desk: Desk, account: UUID, qty: str, *, symbol: str = "AAPL", limit: str | None = "100") -> OrderTerms:
    """Have an order work."""
    terms = desk.order(account, BUY, qty, limit, symbol=symbol)
    await desk.confirm(terms, await desk.approved(terms))
    return terms


async def told(desk: Desk, *, looks: int = 2) -> list[str]:
    """Look a few times; return the titles of the alerts of limits, oldest first, without what they have in common."""
    for _ in range(looks):
        await desk.alerts.look(since=desk.clock.now() - timedelta(minutes=1))
    rows = await desk.stored("alerts", "title, rule", "rule = 'limit_near' order by raised_at, title")
    events = [msgspec.json.decode(event)["event"]["alert"]["title"] for event in await desk.events("alert_raised")]
    assert sorted(row["title"] for row in rows) == sorted(title for title in events if title.startswith("Limit of"))
    return [row["title"].removeprefix("Limit of ") for row in rows]


async def test_a_crossing_is_told_once_and_so_is_the_room_after_it_across_restarts(desk: Desk) -> None:
    account = await desk.open_account(cash="1000000")
    await desk.mark(AAPL="100")
    await desk.limit(account, position_qty_max=Decimal(100))
    order = await work(desk, account, "80")
    assert await told(desk) == ["position in AAPL nearly used up"]
    assert await told(desk.restarted()) == ["position in AAPL nearly used up"]
    desk.clock.pass_time(seconds=1)
    await desk.close(order)
    assert await told(desk) == ["position in AAPL nearly used up", "position in AAPL has room again"]
    desk.clock.pass_time(seconds=1)
    await work(desk, account, "90")
    assert (await told(desk))[2:] == ["position in AAPL nearly used up"]


async def test_a_price_that_moves_is_enough(desk: Desk) -> None:
    account = await desk.open_account(cash="1000000")
    await desk.mark(1, AAPL="100", MSFT="10")
    controls = LimitControls(gross_exposure_max=Decimal(1000), bucket_exposure_max=Decimal(1000))
    await desk.limit(account, controls=controls)
    terms = await work(desk, account, "5", limit=None)
    await desk.fill(terms, "5", "100")
    assert await told(desk) == []
    await desk.mark(2, AAPL="160")
    crossed = ["class exposure in unclassified nearly used up", "gross exposure nearly used up"]
    assert await told(desk) == crossed
    desk.clock.pass_time(seconds=1)
    await desk.mark(3, AAPL="155")  # within the room that keeps it from fluttering
    assert await told(desk) == crossed
    await desk.mark(4, AAPL="100")
    assert (await told(desk))[2:] == [
        "class exposure in unclassified has room again",
        "gross exposure has room again",
    ]


async def test_messages_are_told_of_while_there_are_some_left(desk: Desk) -> None:
    account = await desk.open_account(cash="1000000")
    await desk.mark(AAPL="100")
    controls = LimitControls(
        message_burst=12, cancel_reserve=2, messages_per_s=Decimal("0.5"), order_to_trade_max=Decimal(10)
    )
    await desk.limit(account, controls=controls)
    for _ in range(7):
        await work(desk, account, "1")
    assert await told(desk) == []
    await work(desk, account, "1")
    assert await told(desk) == ["messages nearly used up", "orders to an execution nearly used up"]
    assert codes_of((await desk.assess(desk.order(account, BUY, "1", "100")))[0]) == []
    desk.clock.pass_time(seconds=10)
    assert (await told(desk))[2:] == ["messages has room again"]
    desk.clock.pass_time(seconds=30)
    assert len(await told(desk)) == 3  # the trace of the burst in the bucket is not a new one


@pytest.mark.parametrize("share", ["80", "50"])
async def test_a_loss_is_told_of_before_it_blocks(desk: Desk, share: str) -> None:
    account = await desk.open_account(cash="10000")
    await desk.mark(1, AAPL="100")
    controls = LimitControls(daily_loss_max=Decimal(100), drawdown_halt_pct=Decimal(2), loss_warn_pct=Decimal(share))
    await desk.limit(account, controls=controls)
    terms = await work(desk, account, "10", limit=None)
    await desk.fill(terms, "10", "100")
    await desk.mark(2, AAPL="100")
    at_share = Decimal(100) - Decimal(share) / 10
    await desk.mark(3, AAPL=str(at_share + Decimal("0.1")))
    assert await told(desk) == []
    await desk.mark(4, AAPL=str(at_share))
    await desk.mark(5, AAPL=str(at_share))
    assert await told(desk) == ["daily loss nearly used up"]
    assert await desk.stored("kill_states", "state") == []
    desk.clock.pass_time(seconds=1)
    await desk.mark(6, AAPL="100")
    assert await told(desk) == ["daily loss nearly used up", "daily loss has room again"]
    await desk.mark(7, AAPL="90")
    assert (await told(desk))[2:] == ["daily loss nearly used up"]
    assert [row["state"] for row in await desk.stored("kill_states", "state")] == ["reduce_only"]


async def test_a_limit_that_is_lifted_has_room_again(desk: Desk) -> None:
    account = await desk.open_account(cash="10000")
    await desk.mark(1, AAPL="100")
    await desk.limit(account, controls=LimitControls(daily_loss_max=Decimal(100), open_orders_max=1))
    terms = await work(desk, account, "10", limit=None)
    await desk.fill(terms, "10", "100")
    await desk.mark(2, AAPL="100")
    await work(desk, account, "1", limit="80")
    await desk.mark(3, AAPL="91")
    assert await told(desk) == ["daily loss nearly used up", "open orders nearly used up"]
    desk.clock.pass_time(seconds=1)
    await desk.limit(account, controls=LimitControls())
    await desk.mark(4, AAPL="91")
    assert (await told(desk))[2:] == ["daily loss has room again", "open orders has room again"]


async def test_shares_travel_are_bounded_and_take_one_person(desk: Desk) -> None:
    account = await desk.open_account()
    people = ControlEndpoints(records=RiskRecords(desk.database), clock=desk.clock, ids=desk.ids)
    await people.set_shared_limit(messages.SetSharedLimit(scope="firm", four_eyes_above=Decimal(1)), operator())
    limits = await desk.endpoints.get_limits(messages.GetLimits(account_id=account), desk.owner)
    fields = {name: getattr(limits, name) for name in ("order_qty_max", "order_notional_max", "position_qty_max")}
    view = await desk.limit(account, **fields, controls=LimitControls(exposure_warn_pct=Decimal(95)))
    assert (view.controls.exposure_warn_pct, view.controls.loss_warn_pct) == (Decimal(95), Decimal(80))
    for wrong in ("100.1", "0"):
        with pytest.raises(Exception, match=r"LIMIT_RANGE|LIMIT_NOT_POSITIVE"):
            await desk.limit(account, **fields, controls=LimitControls(drawdown_warn_pct=Decimal(wrong)))


async def test_shared_credit_is_warned_of_for_a_user_and_for_the_firm_and_so_is_the_room_after_it(desk: Desk) -> None:
    people = ControlEndpoints(records=RiskRecords(desk.database), clock=desk.clock, ids=desk.ids)
    first, second = [await desk.open_account(cash="1000000") for _ in range(2)]
    await desk.mark(AAPL="100")
    user = messages.SetSharedLimit(scope="user", owner_id=desk.owner_id, credit_max=Decimal(10_000))
    firm = messages.SetSharedLimit(scope="firm", credit_max=Decimal(20_000), credit_warn_pct=Decimal(45))
    for command in (user, firm):
        await people.set_shared_limit(command, operator())
    await work(desk, first, "79")
    assert await told(desk) == []
    order = await work(desk, second, "1")
    assert await told(desk) == ["credit shared by the accounts of a user nearly used up"]
    desk.clock.pass_time(seconds=1)
    another = await work(desk, second, "10")
    assert (await told(desk.restarted()))[1:] == ["credit shared by the firm nearly used up"]
    rows = await desk.stored("alerts", "account_id, subject", "rule = 'limit_near' order by raised_at")
    assert [(row["account_id"], row["subject"]) for row in rows] == [(None, f"user:{desk.owner_id}"), (None, "firm")]
    desk.clock.pass_time(seconds=1)
    for each in (order, another):
        await desk.close(each)
    await people.set_shared_limit(msgspec.structs.replace(firm, credit_max=None), operator())
    assert await told(desk) == [
        "credit shared by the accounts of a user nearly used up",
        "credit shared by the firm nearly used up",
        "credit shared by the firm has room again",
    ]
    desk.clock.pass_time(seconds=1)
    await people.set_shared_limit(msgspec.structs.replace(user, credit_max=Decimal(20_000)), operator())
    assert (await told(desk))[3:] == ["credit shared by the accounts of a user has room again"]


async def test_a_share_of_shared_credit_is_a_percentage(desk: Desk) -> None:
    people = ControlEndpoints(records=RiskRecords(desk.database), clock=desk.clock, ids=desk.ids)
    for share, code in (("101", "LIMIT_RANGE"), ("0", "QTY_NOT_POSITIVE"), ("NaN", "NUMBER_NOT_FINITE")):
        wanted = messages.SetSharedLimit(scope="firm", credit_max=Decimal(1), credit_warn_pct=Decimal(share))
        with pytest.raises(AlphintraError) as refused:
            await people.set_shared_limit(wanted, operator())
        assert refused.value.code == code
    assert await desk.stored("shared_limits", "version", "true") == []
