"""Groups of orders on a live account: a bracket, an oto and a pair at a venue that knows single orders alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from alphintra.broker.service import grouping, hearing, live_orders
from alphintra.contracts.risk import KillStateChanged, KillStateView
from alphintra.infrastructure.system import SystemClock
from alphintra.kernel.from_fill import FromFill
from alphintra.kernel.vocabulary import Leg, OrderClass, OrderType, Side
from fixtures.single_service import delivery_of
from fixtures.waiting import until

if TYPE_CHECKING:
    from types import ModuleType

    from alphintra.contracts.approval import OrderTerms
    from fixtures.venue.market import VenueRow
    from integration.broker.live_desk import LiveDesk

EXIT: dict[str, Any] = {"side": Side.SELL, "reduce_only": True}
TARGET: dict[str, Any] = {**EXIT, "leg": Leg.TAKE_PROFIT, "limit_price": Decimal(110)}
STOP: dict[str, Any] = {
    **EXIT,
    "leg": Leg.STOP_LOSS,
    "type": OrderType.STOP,
    "stop_price": Decimal(90),
    "limit_price": None,
}
DONE = {"filled", "canceled"}


@dataclass
class Bracket:
    """A group of a desk, and what of it is at the venue."""

    desk: LiveDesk
    entry: OrderTerms
    target: OrderTerms
    stop: OrderTerms

    def rows(self, kind: str) -> list[VenueRow]:
        rows = self.desk.venue.market.rows.values()
        return [row for row in rows if row.body["side"] == "sell" and row.body["type"] == kind]

    def works(self, kind: str) -> Decimal:
        alive = [row for row in self.rows(kind) if row.status not in DONE]
        return sum((row.qty - row.filled_qty for row in alive), Decimal(0))

    async def covered(self, qty: int) -> None:
        await until(lambda: self.works("limit") == self.works("stop") == qty)

    async def fill_exit(self, kind: str, qty: int) -> None:
        row = next(row for row in self.rows(kind) if row.status not in DONE)
        await self.desk.venue.fill(row.body["client_order_id"], str(qty))


def knows_single_orders_alone(desk: LiveDesk) -> None:
    desk.offers |= {"reserves_closing": False, "has_pairs": False, "has_opposites": True}
    desk.venue.reserves = False


async def bracket_on(desk: LiveDesk) -> Bracket:
    knows_single_orders_alone(desk)
    await desk.connect()
    return Bracket(desk, *await desk.place_group(OrderClass.BRACKET, {}, TARGET, STOP))


def account_halted(desk: LiveDesk) -> Any:  # noqa: ANN401 - a delivery
    kill = KillStateView(
        scope="account",
        account_id=desk.account_id,
        state="halted",
        epoch=5,
        reason="test",
        set_by="operator",
        set_at=SystemClock().now(),
    )
    return delivery_of(KillStateChanged(kill=kill), aggregate_id=desk.account_id)


async def test_exits_follow_the_fills_of_their_entry_and_of_each_other(live_desk: LiveDesk) -> None:
    group = await bracket_on(live_desk)
    async with live_desk.keeper():
        await live_desk.reaches(group.entry.order_id, "working")
        assert live_desk.venue.market.placed == 1
        await live_desk.venue.fill(group.entry.client_order_id, "4")
        await group.covered(4)
        await live_desk.venue.fill(group.entry.client_order_id, "6")
        await group.covered(10)
        await group.fill_exit("limit", 3)
        await group.covered(7)
        await group.fill_exit("stop", 1)
        await group.covered(6)
        while group.works("limit"):
            row = next(row for row in group.rows("limit") if row.status not in DONE)
            await live_desk.venue.fill(row.body["client_order_id"], str(row.qty - row.filled_qty))
        await live_desk.reaches(group.stop.order_id, "canceled")
        await live_desk.reaches(group.target.order_id, "canceled")
    told = await live_desk.told(group.target.order_id)
    assert (told[0], told[-1]) == ("order_acknowledged", "order_canceled")
    fills = [event for name, event in await live_desk.events() if name == "execution_reported"]
    sold = {
        leg.order_id: sum(Decimal(fill["qty"]) for fill in fills if fill["order_id"] == str(leg.order_id))
        for leg in (group.target, group.stop)
    }
    assert sold == {group.target.order_id: 9, group.stop.order_id: 1}
    assert live_desk.venue.market.positions["AAPL"] == 0
    assert await live_desk.codes() == []


async def test_each_part_of_an_exit_lies_where_the_fills_of_the_entry_put_it(live_desk: LiveDesk) -> None:
    """By the average price the entry has filled at when the part is sent; others are told where it lies."""
    knows_single_orders_alone(live_desk)
    await live_desk.connect()
    target = TARGET | {"from_fill": FromFill(factor=Decimal("1.1"), offset=Decimal(0))}
    stop = STOP | {"from_fill": FromFill(factor=Decimal(1), offset=Decimal(-5), tick=Decimal("0.5"))}
    group = Bracket(live_desk, *await live_desk.place_group(OrderClass.BRACKET, {}, target, stop))
    async with live_desk.keeper():
        await live_desk.reaches(group.entry.order_id, "working")
        await live_desk.venue.fill(group.entry.client_order_id, "4", "100")
        await group.covered(4)
        await live_desk.venue.fill(group.entry.client_order_id, "6", "101")
        await group.covered(10)
    lies = [(row.body["qty"], row.body["stop_price"]) for row in group.rows("stop")]
    assert [(Decimal(qty), Decimal(price)) for qty, price in lies] == [
        (Decimal(4), Decimal(95)),
        (Decimal(6), Decimal("95.5")),
    ]
    assert [Decimal(row.body["limit_price"]) for row in group.rows("limit")] == [110, Decimal("110.66")]
    acknowledged = [event for name, event in await live_desk.events() if name == "order_acknowledged"]
    stops = [Decimal(each["stop_price"]) for each in acknowledged if each["order_id"] == str(group.stop.order_id)]
    assert stops[0] == 95


async def test_an_entry_that_is_canceled_unfilled_takes_its_exits_along(live_desk: LiveDesk) -> None:
    group = await bracket_on(live_desk)
    async with live_desk.keeper():
        await live_desk.reaches(group.entry.order_id, "working")
        await live_desk.cancel(group.entry.order_id)
        for terms in (group.entry, group.target, group.stop):
            await live_desk.reaches(terms.order_id, "canceled")
    assert await live_desk.told(group.stop.order_id) == ["order_canceled"]
    assert live_desk.venue.market.placed == 1


async def test_the_kill_switch_takes_all_of_a_group_off(live_desk: LiveDesk) -> None:
    group = await bracket_on(live_desk)
    async with live_desk.keeper():
        await live_desk.reaches(group.entry.order_id, "working")
        await live_desk.venue.fill(group.entry.client_order_id, "4")
        await group.covered(4)
        await live_desk.endpoints.on_kill_state_changed(account_halted(live_desk))
        for terms in (group.entry, group.target, group.stop):
            await live_desk.reaches(terms.order_id, "canceled")
    assert all(row.status in DONE for row in live_desk.venue.market.rows.values())


async def test_a_pair_works_at_once_and_canceling_one_cancels_both(live_desk: LiveDesk) -> None:
    knows_single_orders_alone(live_desk)
    await live_desk.connect()
    target, stop = await live_desk.place_group(OrderClass.OCO, TARGET, STOP)
    async with live_desk.keeper():
        await until(lambda: live_desk.venue.market.placed == 2)
        await live_desk.cancel(stop.order_id)
        await live_desk.reaches(target.order_id, "canceled")
        await live_desk.reaches(stop.order_id, "canceled")
    assert await live_desk.told(target.order_id) == ["order_acknowledged", "order_canceled"]


async def test_a_stop_the_venue_refuses_is_told_with_what_is_open(live_desk: LiveDesk) -> None:
    await live_desk.connect()
    entry, stop = await live_desk.place_group(OrderClass.OTO, {}, STOP)
    async with live_desk.keeper():
        await live_desk.reaches(entry.order_id, "working")
        live_desk.venue.refuse_next("asset is not tradable")
        await live_desk.venue.fill(entry.client_order_id, "10")
        await live_desk.reaches(stop.order_id, "rejected")
    assert (await live_desk.told(stop.order_id))[0] == "order_refused"
    assert await live_desk.codes() == ["PROTECTION_MISSING"]


async def test_two_exits_are_refused_before_anything_opens_where_only_one_can_work(live_desk: LiveDesk) -> None:
    live_desk.offers["has_pairs"] = False
    await live_desk.connect()
    group = await live_desk.place_group(OrderClass.BRACKET, {}, TARGET, STOP)
    async with live_desk.keeper():
        await live_desk.reaches(group[0].order_id, "rejected")
        for terms in group[1:]:
            await live_desk.reaches(terms.order_id, "canceled")
    assert live_desk.venue.market.placed == 0


@pytest.mark.parametrize(
    ("module", "point"),
    [
        (hearing, "broker.fill_stored"),
        (hearing, "broker.fill_committed"),
        (grouping, "broker.group_planned"),
        (live_orders, "broker.sending_committed"),
        (live_orders, "broker.answer_kept"),
        (live_orders, "broker.answer_kept_committed"),
    ],
)
async def test_a_crash_anywhere_leaves_what_is_open_covered_once(
    live_desk: LiveDesk, monkeypatch: pytest.MonkeyPatch, module: ModuleType, point: str
) -> None:
    group = await bracket_on(live_desk)
    async with live_desk.keeper():
        await live_desk.reaches(group.entry.order_id, "working")
    await live_desk.venue.fill(group.entry.client_order_id, "4")
    await live_desk.loses_power_at(module, point, monkeypatch)
    async with live_desk.keeper():
        await group.covered(4)
        await live_desk.venue.fill(group.entry.client_order_id, "6")
        await group.covered(10)
    placed = [row.qty for row in group.rows("stop")]
    assert sum(placed) == 10
    assert await live_desk.codes() == []


@pytest.mark.parametrize("seed", range(3))
async def test_a_venue_that_misbehaves_still_has_what_is_open_covered_once(live_desk: LiveDesk, seed: int) -> None:
    live_desk.reconcile = timedelta(seconds=0.3)
    live_desk.venue.reseed(seed)
    live_desk.venue.faults |= {
        "duplicate_fill": 0.3,
        "late_fill": 0.3,
        "lost_fill": 0.3,
        "lost_ack": 0.3,
        "late_ack": 0.2,
        "busy": 0.02,
        "broken": 0.02,
    }
    group = await bracket_on(live_desk)
    async with live_desk.keeper():
        await live_desk.reaches(group.entry.order_id, "working")
        for part in ("2", "3", "5"):
            await live_desk.venue.fill(group.entry.client_order_id, part)
        await group.covered(10)
        await group.fill_exit("stop", 1)
        await group.covered(9)
    assert await live_desk.codes() == []
