"""Limits, kill states and prices: who may set them, and that they hold from then on."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest

from alphintra.contracts import risk as messages
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.ids import AccountId
from alphintra.kernel.messages import Context
from alphintra.kernel.vocabulary import Side
from fixtures.single_service import acting
from integration.risk.desk import Desk, codes_of, is_valid, operator

BUY, SELL = Side.BUY, Side.SELL


async def test_new_limits_hold_from_the_next_order_on(desk: Desk) -> None:
    account = await desk.open_account()
    await desk.mark(AAPL="100")
    view = await desk.limit(account, order_qty_max=Decimal(5))
    assert (view.version, view.set_by) == (2, desk.owner.actor.id)
    assert view.order_qty_max == 5
    outcomes = await desk.assess(desk.order(account, BUY, "5", "1"), desk.order(account, BUY, "5.000000001", "1"))
    assert [codes_of(outcome) for outcome in outcomes] == [[], ["RISK_QTY_MAX"]]
    assert all(not isinstance(outcome, AlphintraError) and outcome.limit_version == 2 for outcome in outcomes)
    assert await desk.restarted().endpoints.get_limits(messages.GetLimits(account_id=account), desk.owner) == view
    assert len(await desk.events("limits_changed")) == 2


async def test_the_same_limits_again_are_no_new_version(desk: Desk) -> None:
    account = await desk.open_account()
    first = await desk.limit(account)
    desk.clock.pass_time(seconds=5)
    assert await desk.limit(account) == first
    assert len(await desk.stored("limit_sets", "version")) == 2


async def test_parallel_changes_of_limits_each_get_a_version(desk: Desk) -> None:
    account = await desk.open_account()
    views = await asyncio.gather(*(desk.limit(account, order_qty_max=Decimal(n + 1)) for n in range(6)))
    assert sorted(view.version for view in views) == [2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize("bad", ["0", "-1", "NaN", "Infinity", "1e18", "0.0000000001"])
async def test_a_limit_that_is_none_is_refused_and_nothing_is_stored(desk: Desk, bad: str) -> None:
    account = await desk.open_account()
    for name in ("order_qty_max", "order_notional_max", "position_qty_max"):
        with pytest.raises(AlphintraError, match=r"LIMIT_NOT_POSITIVE|NUMBER_") as refused:
            await desk.limit(account, **{name: Decimal(bad)})
        assert refused.value.pointer == f"/{name}"
    assert len(await desk.stored("limit_sets", "version")) == 1


@pytest.mark.parametrize("roles", [("trader",), ("viewer",), ()])
async def test_an_account_of_somebody_else_does_not_exist(desk: Desk, roles: tuple[str, ...]) -> None:
    account = await desk.open_account()
    stranger = acting(desk.ids.new(), roles=roles)
    endpoints, one = desk.endpoints, Decimal(1)
    calls = (
        endpoints.get_limits(messages.GetLimits(account_id=account), stranger),
        endpoints.get_risk_state(messages.GetRiskState(account_id=account), stranger),
        endpoints.list_assessments(messages.ListAssessments(account_id=account), stranger),
        endpoints.set_kill_state(
            messages.SetKillState(scope="account", state="halted", reason="x", account_id=account), stranger
        ),
        endpoints.set_limits(
            messages.SetLimits(account_id=account, order_qty_max=one, order_notional_max=one, position_qty_max=one),
            stranger,
        ),
    )
    for call in calls:
        with pytest.raises(AlphintraError, match="ACCOUNT_NOT_FOUND") as refused:
            await call
        assert refused.value.kind is Kind.NOT_FOUND


@pytest.mark.parametrize("roles", [("owner",), ("operator",)])
async def test_owners_and_operators_may_read_and_set_every_account(desk: Desk, roles: tuple[str, ...]) -> None:
    account = await desk.open_account()
    context = acting(desk.ids.new(), roles=roles)
    limits = await desk.endpoints.get_limits(messages.GetLimits(account_id=account), context)
    command = messages.SetLimits(
        account_id=account,
        order_qty_max=Decimal(1),
        order_notional_max=limits.order_notional_max,
        position_qty_max=limits.position_qty_max,
    )
    assert (await desk.endpoints.set_limits(command, context)).version == 2


@pytest.mark.parametrize("state", ["halted", "cancel_only"])
@pytest.mark.parametrize("is_firm", [True, False])
async def test_a_block_refuses_every_order_and_every_renewal(desk: Desk, state: str, is_firm: bool) -> None:  # noqa: FBT001 - a case
    account, other = await desk.open_account(), await desk.open_account()
    await desk.mark(AAPL="100")
    order = desk.order(account, BUY, "1", "100")
    await desk.confirm(order, await desk.approved(order))
    await desk.kill(state, None if is_firm else account)
    blocked, free = await desk.assess(desk.order(account, BUY, "1", "100"), desk.order(other, BUY, "1", "100"))
    assert codes_of(blocked) == ["KILL_ACTIVE"]
    assert codes_of(free) == (["KILL_ACTIVE"] if is_firm else [])
    assert codes_of(await desk.renew(order)) == ["KILL_ACTIVE"]
    assert codes_of((await desk.assess(order))[0]) == ["KILL_ACTIVE"]
    assert not isinstance(blocked, AlphintraError)
    assert blocked.findings[0].observed == state
    await desk.kill("normal", None if is_firm else account)
    assert codes_of(await desk.renew(order)) == []


async def test_reduce_only_lets_no_two_orders_together_flip_a_position(desk: Desk) -> None:
    account = await desk.open_account()
    await desk.mark(AAPL="100")
    order = desk.order(account, BUY, "10", "100")
    await desk.approved(order)
    await desk.fill(order, "10", "100")
    working = desk.order(account, SELL, "4", "100")
    await desk.confirm(working, await desk.approved(working))
    buying = desk.order(account, BUY, "1", "100")
    await desk.confirm(buying, await desk.approved(buying))
    await desk.kill("reduce_only", account)
    assert codes_of(await desk.renew(working)) == []
    assert codes_of(await desk.renew(buying)) == ["RISK_REDUCE_ONLY"]
    outcomes = await desk.assess(
        desk.order(account, BUY, "1", "100"), desk.order(account, SELL, "6", "100"), desk.order(account, SELL, "1")
    )
    assert [codes_of(outcome)[:1] for outcome in outcomes] == [["RISK_REDUCE_ONLY"], [], ["RISK_REDUCE_ONLY"]]


async def test_the_stricter_of_firm_and_account_holds(desk: Desk) -> None:
    account = await desk.open_account()
    await desk.mark(AAPL="100")
    await desk.kill("halted", account)
    await desk.kill("reduce_only")
    (outcome,) = await desk.assess(desk.order(account, BUY, "1", "100"))
    assert codes_of(outcome) == ["KILL_ACTIVE"]
    await desk.kill("normal", account)
    (outcome,) = await desk.assess(desk.order(account, BUY, "1", "100"))
    assert codes_of(outcome) == ["RISK_REDUCE_ONLY"]


async def test_epochs_count_up_over_all_scopes_survive_a_restart_and_are_in_every_seal(desk: Desk) -> None:
    account = await desk.open_account()
    await desk.mark(AAPL="100")
    assert (await desk.approved(desk.order(account, BUY, "1", "100"))).seal.kill_epoch == 0
    epochs = [(await desk.kill(state, where)).epoch for state, where in (("halted", None), ("reduce_only", account))]
    assert epochs == [1, 2]
    reborn = desk.restarted()
    (outcome,) = await reborn.assess(desk.order(account, BUY, "1", "100"))
    assert codes_of(outcome) == ["KILL_ACTIVE"]
    assert not isinstance(outcome, AlphintraError)
    assert outcome.kill_epoch == 2
    await reborn.kill("normal")
    await reborn.kill("normal", account)
    order = desk.order(account, BUY, "1", "100")
    approval = await reborn.approved(order)
    assert approval.seal.kill_epoch == 4
    assert is_valid(order, approval)
    state = await reborn.state(account)
    assert [(kill.scope, kill.state, kill.epoch) for kill in state.kill_states] == [
        ("firm", "normal", 3),
        ("account", "normal", 4),
    ]
    assert len(await desk.events("kill_state_changed")) == 4
    assert len(await desk.stored("audit_events", "action", "action = 'kill.set'")) == 4


async def test_setting_the_state_in_force_starts_no_epoch(desk: Desk) -> None:
    first = await desk.kill("halted")
    desk.clock.pass_time(seconds=5)
    assert await desk.kill("halted") == first
    assert len(await desk.events("kill_state_changed")) == 1


async def test_parallel_kills_get_an_epoch_each(desk: Desk) -> None:
    accounts = [await desk.open_account() for _ in range(6)]
    views = await asyncio.gather(*(desk.kill("halted", account) for account in accounts))
    assert sorted(view.epoch for view in views) == [1, 2, 3, 4, 5, 6]


async def test_a_kill_waits_for_decisions_under_way_and_stops_all_after_it(desk: Desk) -> None:
    account = await desk.open_account()
    await desk.mark(AAPL="100")
    async with desk.endpoints._records.transaction() as deciding:
        await deciding.lock_accounts([AccountId(account)])
        kill = asyncio.create_task(desk.kill("halted"))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(kill), timeout=0.2)
    assert (await kill).epoch == 1
    (outcome,) = await desk.assess(desk.order(account, BUY, "1", "100"))
    assert codes_of(outcome) == ["KILL_ACTIVE"]


@pytest.mark.parametrize(
    ("scope", "state", "reason", "code"),
    [
        ("", "halted", "x", "KILL_SCOPE"),
        ("desk", "halted", "x", "KILL_SCOPE"),
        ("account", "halted", "x", "KILL_SCOPE"),
        ("firm", "", "x", "KILL_STATE"),
        ("firm", "HALTED", "x", "KILL_STATE"),
        ("firm", "halted", "", "KILL_REASON"),
        ("firm", "halted", " \t", "KILL_REASON"),
        ("firm", "halted", "a\x00b", "KILL_REASON"),
        ("firm", "halted", "a" * 501, "KILL_REASON"),
    ],
)
async def test_a_kill_that_makes_no_sense_is_refused(
    desk: Desk, scope: str, state: str, reason: str, code: str
) -> None:
    command = messages.SetKillState(scope=scope, state=state, reason=reason)
    with pytest.raises(AlphintraError, match=code):
        await desk.endpoints.set_kill_state(command, operator())
    assert await desk.stored("kill_states", "epoch") == []


async def test_a_firm_kill_names_no_account(desk: Desk) -> None:
    account = await desk.open_account()
    command = messages.SetKillState(scope="firm", state="halted", reason="x", account_id=account)
    with pytest.raises(AlphintraError, match="KILL_SCOPE"):
        await desk.endpoints.set_kill_state(command, operator())
    assert await desk.stored("kill_states", "epoch") == []


async def test_a_trader_may_tighten_the_own_account_but_not_ease_it_nor_touch_the_firm(desk: Desk) -> None:
    account = await desk.open_account()

    async def kill(scope: str, state: str, context: Context) -> messages.KillStateView:
        target = account if scope == "account" else None
        command = messages.SetKillState(scope=scope, state=state, reason="drill", account_id=target)
        return await desk.endpoints.set_kill_state(command, context)

    assert (await kill("account", "reduce_only", desk.owner)).epoch == 1
    assert (await kill("account", "halted", desk.owner)).epoch == 2
    for state in ("cancel_only", "normal"):
        with pytest.raises(AlphintraError, match="KILL_EASE") as refused:
            await kill("account", state, desk.owner)
        assert refused.value.kind is Kind.FORBIDDEN
    with pytest.raises(AlphintraError, match="KILL_ROLE"):
        await kill("firm", "halted", desk.owner)
    assert (await kill("account", "normal", acting(desk.ids.new(), roles=("owner",)))).epoch == 3


async def test_an_older_or_equal_sequence_changes_no_price(desk: Desk) -> None:
    account = await desk.open_account()
    assert (await desk.mark(5, AAPL="100")).seq == 5
    for seq in (4, 5):
        assert (await desk.mark(seq, AAPL="1", MSFT="1")).seq == 5
    rows = await desk.stored("prices", "symbol, price, seq")
    assert [tuple(row.values()) for row in rows] == [("AAPL", 100, 5)]
    assert (await desk.mark(6, MSFT="50")).seq == 6
    outcomes = await desk.assess(*(desk.order(account, BUY, "1", symbol=symbol) for symbol in ("AAPL", "MSFT")))
    assert [codes_of(outcome) for outcome in outcomes] == [[], []]
    assert (await desk.state(account)).reserved_cash == Decimal("157.5")


@pytest.mark.parametrize("bad", ["0", "-1", "NaN", "sNaN", "Infinity", "1e18"])
async def test_a_price_no_order_may_be_judged_by_is_refused_with_the_whole_step(desk: Desk, bad: str) -> None:
    with pytest.raises(AlphintraError, match=r"PRICE_NOT_POSITIVE|NUMBER_") as refused:
        await desk.mark(1, AAPL="100", MSFT=bad)
    assert refused.value.pointer == "/prices/1/price"
    assert await desk.stored("prices", "symbol") == []
    assert (await desk.mark(1, AAPL="100")).seq == 1


async def test_decisions_are_listed_newest_first(desk: Desk) -> None:
    account = await desk.open_account()
    await desk.mark(AAPL="100")
    orders = [desk.order(account, BUY, qty, "1") for qty in ("1", "100000", "2")]
    for order in orders:
        desk.clock.pass_time(seconds=1)
        await desk.assess(order)
    command = messages.ListAssessments(account_id=account, limit=2)
    listed = (await desk.endpoints.list_assessments(command, desk.owner)).assessments
    assert [item.order_id for item in listed] == [orders[2].order_id, orders[1].order_id]
    assert [item.approved for item in listed] == [True, False]
    assert [finding.code for finding in listed[1].findings] == ["RISK_BUYING_POWER", "RISK_POSITION_MAX"]
    for limit in (0, -1, 1001):
        with pytest.raises(AlphintraError, match="LIMIT_RANGE"):
            await desk.endpoints.list_assessments(messages.ListAssessments(account_id=account, limit=limit), desk.owner)
