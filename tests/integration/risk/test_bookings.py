"""What trading tells moves reservations to exposure, once each, in whatever order it arrives."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import msgspec
import pytest

from alphintra.contracts.risk import MarkPrices, ReleaseOrder
from alphintra.contracts.trading import AccountOpened
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.vocabulary import AccountMode, Side
from alphintra.risk.service import bookings
from fixtures.single_service import PowerCutError, delivery_of, stop_at
from integration.risk.desk import Desk, amounts, approval_of, codes_of, is_valid

BUY, SELL = Side.BUY, Side.SELL


async def test_a_new_account_gets_cash_the_default_limits_and_an_event_once(desk: Desk) -> None:
    account = desk.ids.new()
    event = AccountOpened(
        account_id=account,
        owner_id=desk.owner_id,
        mode=AccountMode.PAPER,
        currency="USD",
        starting_cash=Decimal("12.5"),
        feed_id=desk.feed_id,
    )
    delivery = delivery_of(event, aggregate_id=account)
    await desk.endpoints.on_account_opened(delivery)
    await desk.endpoints.on_account_opened(delivery)
    await desk.endpoints.on_account_opened(delivery_of(event, aggregate_id=account))
    assert (await desk.state(account)).cash == Decimal("12.5")
    (row,) = await desk.stored(
        "limit_sets", "version, order_qty_max, order_notional_max, position_qty_max, may_short, set_by"
    )
    assert tuple(row.values()) == (1, 100_000, 1_000_000, 100_000, False, "default")
    assert len(await desk.events("limits_changed")) == 1
    assert len(await desk.stored("audit_events", "action", "action = 'limits.set'")) == 1


async def test_a_fill_moves_quantity_and_cash_from_reservation_to_exposure(desk: Desk) -> None:
    account = await desk.open_account(cash="1000")
    await desk.mark(AAPL="100")
    order = desk.order(account, BUY, "8", "100")
    await desk.confirm(order, await desk.approved(order))
    await desk.fill(order, "3", "90", fee="1.5")
    state = await desk.state(account)
    assert state.cash == Decimal("728.5")
    assert state.reserved_cash == 500
    assert state.exposures[0].position_qty == 3
    assert state.exposures[0].reserved_buy_qty == 5
    await desk.fill(order, "5", "100")
    await desk.close(order, filled="8")
    state = await desk.state(account)
    assert (state.cash, state.reserved_cash, state.exposures[0].position_qty) == amounts("228.5", "0", "8")


async def test_a_fee_in_kind_leaves_less_in_the_position_and_nothing_reserved(desk: Desk) -> None:
    account = await desk.open_account(cash="1000")
    await desk.mark(AAPL="100")
    order = desk.order(account, BUY, "8", "100")
    await desk.confirm(order, await desk.approved(order))
    await desk.fill(order, "8", "100", fee_qty="0.008")
    await desk.close(order, filled="8")
    state = await desk.state(account)
    assert (state.cash, state.reserved_cash, state.exposures[0].position_qty) == amounts("200", "0", "7.992")
    assert state.exposures[0].reserved_buy_qty == 0


async def test_selling_brings_position_down_and_cash_up(desk: Desk) -> None:
    account = await desk.open_account(cash="1000")
    await desk.mark(AAPL="100")
    bought, sold = desk.order(account, BUY, "8", "100"), desk.order(account, SELL, "5", "100")
    await desk.approved(bought)
    await desk.fill(bought, "8", "100")
    await desk.approved(sold)
    assert (await desk.state(account)).exposures[0].reserved_sell_qty == 5
    await desk.fill(sold, "5", "110")
    state = await desk.state(account)
    assert (state.cash, state.exposures[0].position_qty, state.exposures[0].reserved_sell_qty) == amounts(
        "750", "3", "0"
    )


async def test_an_event_delivered_again_moves_nothing(desk: Desk) -> None:
    account = await desk.open_account(cash="1000")
    await desk.mark(AAPL="100")
    order = desk.order(account, BUY, "8", "100")
    await desk.approved(order)
    event = desk.fill_event(order, "2", "100")
    delivery = delivery_of(event, aggregate_id=order.order_id)
    await asyncio.gather(*(desk.endpoints.on_fill_booked(delivery) for _ in range(4)))
    await desk.restarted().endpoints.on_fill_booked(delivery)
    await desk.endpoints.on_fill_booked(delivery_of(event, aggregate_id=order.order_id))
    state = await desk.state(account)
    assert (state.cash, state.reserved_cash, state.exposures[0].position_qty) == amounts("800", "600", "2")


async def test_fills_and_the_close_add_up_in_any_order(desk: Desk) -> None:
    account = await desk.open_account(cash="1000")
    await desk.mark(AAPL="100")
    order = desk.order(account, BUY, "8", "100")
    approval = await desk.approved(order)
    early, late = desk.fill_event(order, "3", "100"), desk.fill_event(order, "2", "90")
    await desk.close(order, filled="5")
    assert (await desk.state(account)).exposures[0].reserved_buy_qty == 5
    await desk.endpoints.on_fill_booked(delivery_of(late, aggregate_id=order.order_id))
    assert (await desk.state(account)).exposures[0].reserved_buy_qty == 3
    await desk.endpoints.on_fill_booked(delivery_of(early, aggregate_id=order.order_id))
    await desk.confirm(order, approval)
    state = await desk.state(account)
    assert (state.cash, state.reserved_cash) == amounts("520", "0")
    assert (state.exposures[0].position_qty, state.exposures[0].reserved_buy_qty) == amounts("5", "0")


async def test_a_fill_of_an_account_not_heard_of_yet_is_asked_for_again(desk: Desk) -> None:
    account = await desk.open_account()
    await desk.mark(AAPL="100")
    order = desk.order(account, BUY, "1", "100")
    delivery = delivery_of(desk.fill_event(order, "1", "100"), aggregate_id=order.order_id)
    stranger = msgspec.structs.replace(
        delivery.event, execution=msgspec.structs.replace(delivery.event.execution, account_id=desk.ids.new())
    )
    unknown = delivery_of(stranger, aggregate_id=order.order_id)
    for _ in range(2):
        with pytest.raises(AlphintraError, match="ACCOUNT_UNKNOWN"):
            await desk.endpoints.on_fill_booked(unknown)
    assert await desk.stored("booked_executions", "execution_id") == []


async def test_a_crash_while_a_fill_is_booked_leaves_nothing_behind(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = await desk.open_account(cash="1000")
    await desk.mark(AAPL="100")
    order = desk.order(account, BUY, "8", "100")
    await desk.approved(order)
    delivery = delivery_of(desk.fill_event(order, "8", "100"), aggregate_id=order.order_id)
    stop_at(monkeypatch, bookings, "risk.before_fill_commit")
    with pytest.raises(PowerCutError):
        await desk.endpoints.on_fill_booked(delivery)
    assert (await desk.state(account)).cash == 1000
    monkeypatch.undo()
    await desk.endpoints.on_fill_booked(delivery)
    state = await desk.state(account)
    assert (state.cash, state.reserved_cash, state.exposures[0].position_qty) == amounts("200", "0", "8")


async def test_a_closed_order_gives_back_the_rest(desk: Desk) -> None:
    account = await desk.open_account(cash="1000")
    await desk.mark(AAPL="100")
    order = desk.order(account, BUY, "10", "100")
    await desk.confirm(order, await desk.approved(order))
    assert codes_of((await desk.assess(desk.order(account, BUY, "1", "1")))[0]) == ["RISK_BUYING_POWER"]
    await desk.close(order)
    await desk.approved(desk.order(account, BUY, "10", "100"))
    (again,) = await desk.assess(order)
    assert codes_of(again) == codes_of(await desk.renew(order)) == ["RISK_RESERVATION_CLOSED"]


async def test_what_trading_did_not_accept_is_released_once_and_may_be_asked_again(desk: Desk) -> None:
    account = await desk.open_account(cash="1000")
    await desk.mark(AAPL="100")
    order = desk.order(account, BUY, "10", "100")
    (first,) = await desk.assess(order)
    command = ReleaseOrder(order_id=order.order_id)
    released = [(await desk.endpoints.release_order(command, desk.owner)).released for _ in range(2)]
    assert released == [True, False]
    assert (await desk.state(account)).reserved_cash == 0
    assert codes_of(await desk.renew(order)) == ["RISK_RESERVATION_CLOSED"]
    (again,) = await desk.assess(order)
    assert not isinstance(first, AlphintraError)
    assert not isinstance(again, AlphintraError)
    assert again.decision_id != first.decision_id
    assert is_valid(order, approval_of(again))
    assert (await desk.state(account)).reserved_cash == 1000


async def test_what_trading_accepted_cannot_be_released(desk: Desk) -> None:
    account = await desk.open_account(cash="1000")
    await desk.mark(AAPL="100")
    order = desk.order(account, BUY, "10", "100")
    await desk.confirm(order, await desk.approved(order))
    for order_id in (order.order_id, desk.ids.new()):
        assert not (await desk.endpoints.release_order(ReleaseOrder(order_id=order_id), desk.owner)).released
    assert (await desk.state(account)).reserved_cash == 1000


async def test_only_what_nobody_confirmed_for_a_minute_lapses(desk: Desk) -> None:
    account = await desk.open_account(cash="1000")
    await desk.mark(AAPL="100")
    confirmed, forgotten, repeated = (desk.order(account, BUY, "1", "100") for _ in range(3))
    await desk.confirm(confirmed, await desk.approved(confirmed))
    await desk.approved(forgotten)
    await desk.approved(repeated)
    desk.clock.pass_time(seconds=60)
    assert await lapse(desk) == 0
    await desk.approved(repeated)
    desk.clock.pass_time(seconds=1)
    assert await lapse(desk) == 1
    assert (await desk.state(account)).reserved_cash == 200


async def test_a_lapsed_order_is_judged_anew_when_it_is_asked_or_renewed_again(desk: Desk) -> None:
    account = await desk.open_account(cash="1000")
    await desk.mark(AAPL="100")
    orders = [desk.order(account, BUY, "4", "100") for _ in range(2)]
    await desk.assess(*orders)
    desk.clock.pass_time(seconds=61)
    assert await lapse(desk) == 2
    await desk.approved(desk.order(account, BUY, "6", "100"))
    assert is_valid(orders[0], approval_of(await desk.renew(orders[0])))
    (outcome,) = await desk.assess(orders[1])
    assert codes_of(outcome) == ["RISK_BUYING_POWER"]
    assert (await desk.state(account)).reserved_cash == 1000


async def test_an_order_confirmed_after_it_lapsed_counts_again(desk: Desk) -> None:
    account = await desk.open_account(cash="1000")
    await desk.mark(AAPL="100")
    order = desk.order(account, BUY, "10", "100")
    approval = await desk.approved(order)
    desk.clock.pass_time(seconds=61)
    await lapse(desk)
    assert (await desk.state(account)).reserved_cash == 0
    await desk.confirm(order, approval)
    assert (await desk.state(account)).reserved_cash == 1000
    assert is_valid(order, approval_of(await desk.renew(order)))


async def test_cash_a_lapsed_order_gave_up_is_not_spent_twice_when_trading_tells_of_it_late(desk: Desk) -> None:
    account = await desk.open_account(cash="1000")
    await desk.mark(AAPL="100")
    late, later = desk.order(account, BUY, "9", "100"), desk.order(account, BUY, "9", "100")
    approval = await desk.approved(late)
    desk.clock.pass_time(seconds=61)
    await lapse(desk)
    second = await desk.approved(later)
    await desk.confirm(late, approval)
    await desk.confirm(later, second)
    outcome = await desk.renew(late)
    assert codes_of(outcome) == ["RISK_BUYING_POWER"]
    await desk.close(late, filled="0")
    assert is_valid(later, approval_of(await desk.renew(later)))


async def test_an_order_risk_never_saw_is_booked_but_not_confirmed(desk: Desk) -> None:
    account = await desk.open_account(cash="1000")
    await desk.mark(AAPL="100")
    seen, unseen = desk.order(account, BUY, "1", "100"), desk.order(account, BUY, "2", "100")
    await desk.confirm(unseen, await desk.approved(seen))
    await desk.fill(unseen, "2", "100")
    await desk.close(unseen, filled="2")
    state = await desk.state(account)
    assert (state.cash, state.reserved_cash, state.exposures[0].position_qty) == amounts("800", "100", "2")


async def test_a_renewal_of_an_order_never_decided_is_refused(desk: Desk) -> None:
    outcome = await desk.renew(desk.order(await desk.open_account(), BUY, "1", "100"))
    assert isinstance(outcome, AlphintraError)
    assert outcome.code == "DECISION_NOT_FOUND"


async def test_a_partly_filled_order_is_renewed_and_a_filled_one_is_not(desk: Desk) -> None:
    account = await desk.open_account(cash="1000")
    await desk.mark(AAPL="100")
    order = desk.order(account, BUY, "10", "100")
    await desk.confirm(order, await desk.approved(order))
    await desk.fill(order, "9.999999999", "100")
    assert is_valid(order, approval_of(await desk.renew(order)))
    await desk.fill(order, "0.000000001", "100")
    outcome = await desk.renew(order)
    assert codes_of(outcome) == ["RISK_RESERVATION_CLOSED"]
    assert not isinstance(outcome, AlphintraError)
    assert outcome.findings[0].observed == "filled"


async def test_awaited_executions_are_missing_until_they_are_booked(desk: Desk) -> None:
    account = await desk.open_account(cash="1000")
    await desk.mark(AAPL="100")
    order = desk.order(account, BUY, "10", "100")
    await desk.approved(order)
    done = await desk.fill(order, "1", "100")
    awaited = ("x-b", done, "x-a")
    command = MarkPrices(feed_id=desk.feed_id, seq=2, at=desk.clock.now(), prices=(), await_executions=awaited)
    marked = await desk.endpoints.mark_prices(command, desk.owner)
    assert (marked.seq, marked.missing) == (2, ("x-b", "x-a"))


async def lapse(desk: Desk) -> int:
    """Run the sweep once."""
    return await bookings.lapse_reservations(records=desk.endpoints._records, at=desk.clock.now())
