"""Decisions on orders, on real PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from decimal import Decimal

import msgspec
import pytest

from alphintra.infrastructure.postgres import Session
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.vocabulary import Side
from alphintra.risk.service import decisions
from fixtures.single_service import PowerCutError, stop_at
from integration.risk.desk import KEY, Desk, approval_of, codes_of, is_valid

BUY, SELL = Side.BUY, Side.SELL


async def test_a_batch_gets_mixed_outcomes_and_one_seal(desk: Desk) -> None:
    account, poor = await desk.open_account(), await desk.open_account(cash="10")
    await desk.mark(AAPL="100", MSFT="50")
    orders = [
        desk.order(account, BUY, "10", "100"),
        desk.order(account, BUY, "100001", "0.01"),
        desk.order(poor, BUY, "1", "100"),
        desk.order(desk.ids.new(), BUY, "1", "100"),
        desk.order(account, BUY, "1", symbol="TSLA"),
        desk.order(account, SELL, "1"),
        desk.order(account, BUY, "NaN", "100"),
        desk.order(account, BUY, "10"),
    ]
    outcomes = await desk.assess(*orders)
    first, last = approval_of(outcomes[0]), approval_of(outcomes[7])
    assert [codes_of(outcome) for outcome in outcomes[1:6]] == [
        ["RISK_QTY_MAX", "RISK_POSITION_MAX"],
        ["RISK_BUYING_POWER"],
        ["RISK_LIMITS_MISSING", "ORDER_UNKNOWN_SYMBOL"],
        ["ORDER_UNKNOWN_SYMBOL"],
        ["RISK_SHORT_LOCATE"],
    ]
    assert isinstance(outcomes[6], AlphintraError)
    assert outcomes[6].code == "NUMBER_NOT_FINITE"
    assert first.signature == last.signature
    assert first.seal.size == 2
    assert first.seal.expires_at == desk.clock.now() + timedelta(seconds=5)
    assert is_valid(orders[0], first)
    assert is_valid(orders[7], last)
    assert not is_valid(orders[7], first)


async def test_an_unknown_symbol_is_answered_with_those_the_feed_has(desk: Desk) -> None:
    account = await desk.open_account()
    await desk.mark(AAPL="100", MSFT="50")
    (outcome,) = await desk.assess(desk.order(account, BUY, "1", "10", symbol="TSLA"))
    assert not isinstance(outcome, AlphintraError)
    assert outcome.findings[0].limit == "AAPL, MSFT"


async def test_each_order_of_a_batch_sees_those_approved_before_it(desk: Desk) -> None:
    account = await desk.open_account(cash="1000")
    await desk.mark(AAPL="100")
    outcomes = await desk.assess(*(desk.order(account, BUY, "4", "100") for _ in range(3)))
    assert [codes_of(outcome) for outcome in outcomes] == [[], [], ["RISK_BUYING_POWER"]]
    assert (await desk.state(account)).reserved_cash == 800


async def test_a_market_order_reserves_at_the_collar(desk: Desk) -> None:
    account = await desk.open_account(cash="1050")
    await desk.mark(AAPL="100")
    outcomes = await desk.assess(desk.order(account, BUY, "10"), desk.order(account, BUY, "0.000000001"))
    assert [codes_of(outcome) for outcome in outcomes] == [[], ["RISK_BUYING_POWER"]]
    assert (await desk.state(account)).reserved_cash == 1050


async def test_a_hundred_parallel_orders_never_exceed_buying_power(desk: Desk) -> None:
    account = await desk.open_account(cash="1000")
    await desk.mark(AAPL="100")
    orders = [desk.order(account, BUY, "1", "70") for _ in range(100)]
    answers = await asyncio.gather(*(desk.assess(order) for order in orders))
    approved = [outcome for (outcome,) in answers if not codes_of(outcome)]
    assert len(approved) == 14
    state = await desk.state(account)
    assert state.reserved_cash == 980
    assert state.exposures[0].reserved_buy_qty == 14


async def test_parallel_batches_over_the_same_accounts_in_any_order_do_not_block_each_other(desk: Desk) -> None:
    accounts = [await desk.open_account(cash="1000") for _ in range(4)]
    await desk.mark(AAPL="100")
    batches = [
        [desk.order(account, BUY, "1", "100") for account in (accounts if n % 2 else reversed(accounts))]
        for n in range(12)
    ]
    answers = await asyncio.gather(*(desk.assess(*batch) for batch in batches))
    assert sum(not codes_of(outcome) for outcomes in answers for outcome in outcomes) == 40


async def test_the_same_order_gets_the_same_decision_under_a_fresh_seal(desk: Desk) -> None:
    account = await desk.open_account(cash="1000")
    await desk.mark(AAPL="100")
    order = desk.order(account, BUY, "10", "100.00")
    (first,) = await desk.assess(order)
    desk.clock.pass_time(seconds=30)
    (again,) = await desk.restarted().assess(msgspec.structs.replace(order, limit_price=Decimal(100)))
    assert not isinstance(first, AlphintraError)
    assert not isinstance(again, AlphintraError)
    assert again.decision_id == first.decision_id
    assert approval_of(again).seal.expires_at == desk.clock.now() + timedelta(seconds=5)
    assert is_valid(order, approval_of(again))
    assert (await desk.state(account)).reserved_cash == 1000
    assert len(await desk.stored("assessments", "decision_id")) == 1


async def test_a_refusal_is_repeated_even_if_it_would_pass_now(desk: Desk) -> None:
    account = await desk.open_account()
    await desk.mark(AAPL="100")
    order = desk.order(account, BUY, "100001", "0.01")
    (first,) = await desk.assess(order)
    await desk.limit(account)
    (again,) = await desk.assess(order)
    assert again == first
    assert codes_of(again) == ["RISK_QTY_MAX", "RISK_POSITION_MAX"]
    assert len(await desk.events("limit_breached")) == 1


async def test_an_order_id_with_other_terms_is_a_conflict(desk: Desk) -> None:
    account = await desk.open_account()
    await desk.mark(AAPL="100")
    order = desk.order(account, BUY, "1", "100")
    await desk.approved(order)
    for other in (
        msgspec.structs.replace(order, qty=Decimal(2)),
        msgspec.structs.replace(order, client_order_id="other"),
        msgspec.structs.replace(order, account_id=await desk.open_account()),
    ):
        for outcome in (*await desk.assess(other), await desk.renew(other)):
            assert isinstance(outcome, AlphintraError)
            assert (outcome.code, outcome.kind) == ("ORDER_ID_REUSED", Kind.CONFLICT)


async def test_an_order_twice_in_a_batch_is_decided_once(desk: Desk) -> None:
    account = await desk.open_account(cash="100")
    await desk.mark(AAPL="100")
    order = desk.order(account, BUY, "1", "100")
    other = msgspec.structs.replace(order, qty=Decimal(2))
    one, two, three = await desk.assess(order, order, other)
    assert not isinstance(one, AlphintraError)
    assert not isinstance(two, AlphintraError)
    assert one.decision_id == two.decision_id
    assert is_valid(order, approval_of(two))
    assert isinstance(three, AlphintraError)
    assert three.code == "ORDER_ID_REUSED"
    assert (await desk.state(account)).reserved_cash == 100


async def test_an_order_of_an_unknown_account_raced_twice_is_decided_once(desk: Desk) -> None:
    order = desk.order(desk.ids.new(), BUY, "1", "100")
    answers = await asyncio.gather(*(desk.assess(order) for _ in range(8)))
    ids = {outcome.decision_id for (outcome,) in answers if not isinstance(outcome, AlphintraError)}
    assert len(ids) == 1
    assert len(await desk.stored("assessments", "decision_id")) == 1


async def test_a_decision_records_what_it_was_made_from(desk: Desk) -> None:
    account = await desk.open_account(cash="1000")
    await desk.mark(AAPL="100")
    await desk.limit(account, order_qty_max=Decimal(5))
    order = desk.order(account, BUY, "6", "1")
    await desk.assess(order)
    (row,) = await desk.stored("assessments", "approved, findings, limit_version, kill_epoch, inputs")
    inputs = msgspec.json.decode(row["inputs"])
    assert inputs["terms"]["order_id"] == str(order.order_id)
    assert Decimal(inputs["cash"]) == 1000
    assert Decimal(inputs["last_price"]) == 100
    assert (row["approved"], row["limit_version"], row["kill_epoch"]) == (False, 2, 0)
    assert msgspec.json.decode(row["findings"])[0]["code"] == "RISK_QTY_MAX"


async def test_a_refusal_is_told_and_recorded(desk: Desk) -> None:
    account = await desk.open_account()
    order = desk.order(account, BUY, "1", "1")
    await desk.assess(order)
    (event,) = await desk.events("limit_breached")
    assert str(order.order_id) in event
    assert "ORDER_UNKNOWN_SYMBOL" in event
    (audit,) = await desk.stored("audit_events", "actor, object, detail", "action = 'order.refuse'")
    assert audit["actor"] == desk.owner.actor.id
    assert audit["object"] == f"order:{order.order_id}"
    assert "ORDER_UNKNOWN_SYMBOL" in audit["detail"]


async def test_a_crash_before_the_commit_leaves_nothing_and_one_after_it_is_repeated(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = await desk.open_account()
    await desk.mark(AAPL="100")
    order = desk.order(account, BUY, "1", "100")
    stop_at(monkeypatch, decisions, "risk.before_assess_commit")
    with pytest.raises(PowerCutError):
        await desk.assess(order)
    assert await desk.stored("assessments", "order_id") == []
    assert (await desk.state(account)).reserved_cash == 0
    stop_at(monkeypatch, decisions, "risk.assess_committed")
    with pytest.raises(PowerCutError):
        await desk.assess(order)
    monkeypatch.undo()
    assert is_valid(order, await desk.restarted().approved(order))
    assert (await desk.state(account)).reserved_cash == 100


async def test_the_service_role_cannot_change_a_decision_or_a_limit(desk: Desk) -> None:
    account = await desk.open_account()
    await desk.assess(desk.order(account, BUY, "1", "1"))
    async with desk.database._acquired() as connection:
        for statement in (
            "update assessments set approved = true",
            "delete from assessments",
            "update limit_sets set may_short = true",
            "delete from kill_states",
            "delete from reservations",
            "update booked_executions set execution_id = 'x'",
        ):
            with pytest.raises(Exception, match="permission denied"):
                await connection.execute(statement)


async def test_the_key_that_signs_is_the_one_handed_in(desk: Desk) -> None:
    account = await desk.open_account()
    await desk.mark(AAPL="100")
    order = desk.order(account, BUY, "1", "100")
    approval = await desk.approved(order)
    assert is_valid(order, approval)
    assert not is_valid(order, msgspec.structs.replace(approval, signature=KEY.sign(b"something else")))


async def test_a_batch_takes_as_many_statements_as_one_order(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    account = await desk.open_account()
    await desk.mark(AAPL="100")
    run: list[str] = []

    def counted(original: Callable[..., Awaitable[object]]) -> Callable[..., Awaitable[object]]:
        async def counting(session: Session, name: str, *values: object) -> object:
            run.append(name)
            return await original(session, name, *values)

        return counting

    for method in ("rows", "row", "value", "execute", "execute_many"):
        monkeypatch.setattr(Session, method, counted(getattr(Session, method)))
    await desk.assess(desk.order(account, BUY, "1", "1"))
    alone = run.copy()
    run.clear()
    outcomes = await desk.assess(*(desk.order(account, BUY, "1", "1") for _ in range(64)))
    assert sum(not codes_of(outcome) for outcome in outcomes) == 64
    assert run == alone
    assert len(alone) <= 6
