"""Two exits at a venue that reserves shares: sent as one order of the class oco, adapted and ended by the venue."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from starlette.responses import JSONResponse

from alphintra.broker.service import hearing, live_orders
from alphintra.kernel.vocabulary import OrderClass, OrderType, TimeInForce
from fixtures.waiting import until
from integration.broker.test_live_groups import STOP, TARGET, account_halted

if TYPE_CHECKING:
    from types import ModuleType

    from alphintra.contracts.approval import OrderTerms
    from fixtures.venue.market import VenueRow
    from integration.broker.live_desk import LiveDesk

DONE = {"filled", "canceled", "replaced", "expired", "rejected"}


@dataclass
class Pair:
    """A group of a desk, and what of its exits is at the venue."""

    desk: LiveDesk
    entry: OrderTerms
    target: OrderTerms
    stop: OrderTerms

    @property
    def works(self) -> list[tuple[str, str, Decimal]]:
        rows = [row for row in self.desk.venue.market.rows.values() if row.body["side"] == "sell"]
        return [(row.body["type"], row.status, row.qty) for row in rows if row.status not in DONE]

    def row(self, kind: str) -> VenueRow:
        rows = self.desk.venue.market.rows.values()
        return next(row for row in rows if (row.body["side"], row.body["type"]) == ("sell", kind) and row.left)

    async def covers(self, qty: int) -> None:
        await until(lambda: self.works == [("limit", "new", Decimal(qty)), ("stop", "held", Decimal(qty))])

    async def ends(self, **statuses: str) -> None:
        for name, status in statuses.items():
            await self.desk.reaches(getattr(self, name).order_id, status)

    async def enter(self, qty: str = "10") -> None:
        await self.desk.reaches(self.entry.order_id, "working")
        await self.desk.venue.fill(self.entry.client_order_id, qty)


async def bracket_on(desk: LiveDesk, **changes: Any) -> Pair:  # noqa: ANN401 - those of the stop
    desk.reconcile = timedelta(seconds=0.3)
    await desk.connect()
    return Pair(desk, *await desk.place_group(OrderClass.BRACKET, {}, TARGET, {**STOP, **changes}))


async def sold(desk: LiveDesk, terms: OrderTerms) -> Decimal:
    fills = [event for name, event in await desk.events() if name == "execution_reported"]
    return sum((Decimal(fill["qty"]) for fill in fills if fill["order_id"] == str(terms.order_id)), Decimal(0))


async def test_a_bracket_is_worked_with_its_exits_as_one_order_that_the_venue_ends(live_desk: LiveDesk) -> None:
    group = await bracket_on(live_desk)
    async with live_desk.keeper():
        await group.enter()
        await group.covers(10)
        await live_desk.venue.fill_row(group.row("limit"), "10", "110")
        await group.ends(entry="filled", target="filled", stop="canceled")
    assert await live_desk.told(group.target.order_id) == ["order_acknowledged", "execution_reported"]
    assert await live_desk.told(group.stop.order_id) == ["order_acknowledged", "order_canceled"]
    assert [call for call in live_desk.venue.calls if call[0] == "POST"] == [("POST", "/v2/orders")] * 2
    assert live_desk.venue.market.positions["AAPL"] == 0
    assert await live_desk.codes() == []


async def test_exits_wait_until_the_entry_works_no_longer_and_cover_what_it_filled(live_desk: LiveDesk) -> None:
    group = await bracket_on(live_desk)
    async with live_desk.keeper():
        await group.enter("4")
        await live_desk.settles()
        assert group.works == []
        await live_desk.cancel(group.entry.order_id)
        await group.covers(4)
    assert await live_desk.status(group.entry.order_id) == "canceled"
    assert await live_desk.codes() == []


@pytest.mark.parametrize("adapts_by_replacing", [False, True])
@pytest.mark.parametrize("is_told", [False, True], ids=["untold", "told"])
async def test_what_the_target_closes_the_venue_takes_off_the_stop(
    live_desk: LiveDesk, *, adapts_by_replacing: bool, is_told: bool
) -> None:
    live_desk.venue.adapts_by_replacing, live_desk.venue.tells_of_partners = adapts_by_replacing, is_told
    group = await bracket_on(live_desk)
    async with live_desk.keeper():
        await group.enter()
        await group.covers(10)
        await live_desk.venue.fill_row(group.row("limit"), "3", "110")
        await live_desk.settles()
        assert [qty for kind, _, qty in group.works if kind == "stop"] == [7]
        await live_desk.venue.fill_row(group.row("stop"), "7", "90")
        await group.ends(target="canceled", stop="canceled")
        await live_desk.settles()
    assert (await sold(live_desk, group.target), await sold(live_desk, group.stop)) == (Decimal(3), Decimal(7))
    assert live_desk.venue.market.positions["AAPL"] == 0
    assert await live_desk.codes() == []
    assert live_desk.venue.market.placed == (4 if adapts_by_replacing else 3)


async def test_a_stop_that_fires_and_fills_in_parts_closes_all_and_ends_the_target(live_desk: LiveDesk) -> None:
    group = await bracket_on(live_desk)
    async with live_desk.keeper():
        await group.enter()
        await group.covers(10)
        stop = group.row("stop")
        await live_desk.venue.fill_row(stop, "2", "90")
        await group.ends(target="canceled")
        await live_desk.venue.fill_row(stop, "8", "89")
        await group.ends(stop="filled")
    assert await live_desk.told(group.target.order_id) == ["order_acknowledged", "order_canceled"]
    assert await live_desk.codes() == []


async def test_a_target_that_is_canceled_leaves_a_stop_that_works_alone(live_desk: LiveDesk) -> None:
    group = await bracket_on(live_desk)
    async with live_desk.keeper():
        await group.enter()
        await group.covers(10)
        await live_desk.cancel(group.target.order_id)
        await until(lambda: group.works == [("stop", "new", Decimal(10))])
        await group.ends(target="canceled")
        await live_desk.venue.fill_row(group.row("stop"), "10", "90")
        await group.ends(stop="filled")
    acknowledged = ["order_acknowledged"] * 2  # within the pair, and alone
    assert await live_desk.told(group.stop.order_id) == [*acknowledged, "execution_reported"]
    assert await live_desk.codes() == []


async def test_a_pair_the_venue_ends_by_itself_is_told_as_a_position_without_protection(live_desk: LiveDesk) -> None:
    group = await bracket_on(live_desk)
    async with live_desk.keeper():
        await group.enter()
        await group.covers(10)
        await live_desk.venue.close_order(group.row("limit").body["client_order_id"], "expired")
        await group.ends(target="expired", stop="expired")
    assert await live_desk.codes() == ["PROTECTION_MISSING"]


@pytest.mark.parametrize("by", ["a person", "the kill switch"])
async def test_an_oco_works_at_once_and_leaves_as_one(live_desk: LiveDesk, by: str) -> None:
    live_desk.venue.market.positions["AAPL"] = Decimal(10)
    await live_desk.connect()
    target, stop = await live_desk.place_group(OrderClass.OCO, TARGET, STOP)
    async with live_desk.keeper():
        await until(lambda: live_desk.venue.market.placed == 2)
        await live_desk.reaches(target.order_id, "held")
        if by == "a person":
            await live_desk.cancel(stop.order_id)
        else:
            await live_desk.endpoints.on_kill_state_changed(account_halted(live_desk))
        await live_desk.reaches(target.order_id, "canceled")
        await live_desk.reaches(stop.order_id, "canceled")
    assert all(row.status == "canceled" for row in live_desk.venue.market.rows.values())
    assert live_desk.venue.market.placed == 2


async def test_a_lost_answer_to_a_pair_makes_one_pair(live_desk: LiveDesk) -> None:
    group = await bracket_on(live_desk)
    async with live_desk.keeper():
        await live_desk.reaches(group.entry.order_id, "working")
        live_desk.venue.faults["lost_ack"] = 1.0
        await live_desk.venue.fill(group.entry.client_order_id, "10")
        await group.covers(10)
        await until(lambda: live_desk.acknowledged(group.target.order_id, group.stop.order_id))
        await live_desk.venue.fill_row(group.row("limit"), "10", "110")
        await group.ends(target="filled", stop="canceled")
    assert await live_desk.told(group.stop.order_id) == ["order_uncertain", "order_acknowledged", "order_canceled"]
    assert live_desk.venue.market.placed == 3
    assert await live_desk.codes() == []


@pytest.mark.parametrize("answer", ["500", "429", "refused"])
async def test_each_answer_to_a_pair_is_a_decision_or_the_pair_is_sent_again(
    live_desk: LiveDesk, answer: str
) -> None:  # fmt: skip
    answers = {
        "500": JSONResponse({"message": "internal server error occurred"}, 500),
        "429": JSONResponse({"message": "too many requests."}, 429),
        "refused": JSONResponse({"code": 42210000, "message": "stop price must be below the market"}, 422),
    }
    group = await bracket_on(live_desk)
    async with live_desk.keeper():
        await live_desk.reaches(group.entry.order_id, "working")
        live_desk.venue.spoil_orders_with.append(answers[answer])
        await live_desk.venue.fill(group.entry.client_order_id, "10")
        if answer == "refused":
            await group.ends(target="rejected", stop="rejected")
        else:
            await group.covers(10)
            await until(lambda: live_desk.acknowledged(group.target.order_id, group.stop.order_id))
    assert await live_desk.codes() == (["PROTECTION_MISSING"] if answer == "refused" else [])


@pytest.mark.parametrize(
    ("module", "point"),
    [
        (hearing, "broker.fill_committed"),
        (live_orders, "broker.sending_committed"),
        (live_orders, "broker.answer_kept"),
        (live_orders, "broker.answer_kept_committed"),
    ],
)
async def test_a_crash_around_the_sending_of_a_pair_makes_one_pair(
    live_desk: LiveDesk, monkeypatch: pytest.MonkeyPatch, module: ModuleType, point: str
) -> None:
    group = await bracket_on(live_desk)
    async with live_desk.keeper():
        await live_desk.reaches(group.entry.order_id, "working")
    await live_desk.venue.fill(group.entry.client_order_id, "10")
    await live_desk.loses_power_at(module, point, monkeypatch)
    async with live_desk.keeper():
        await group.covers(10)
        await until(lambda: live_desk.acknowledged(group.target.order_id, group.stop.order_id))
        await live_desk.venue.fill_row(group.row("stop"), "10", "90")
        await group.ends(target="canceled", stop="filled")
    assert live_desk.venue.market.placed == 3
    assert await live_desk.codes() == []


@pytest.mark.parametrize(
    "changes",
    [
        {"type": OrderType.TRAILING_STOP, "stop_price": None, "trail_price": Decimal(2)},
        {"time_in_force": TimeInForce.GTC},
    ],
    ids=["trailing", "times"],
)
async def test_a_pair_the_venue_does_not_offer_is_refused_before_anything_opens(
    live_desk: LiveDesk, changes: dict[str, Any]
) -> None:
    group = await bracket_on(live_desk, **changes)
    async with live_desk.keeper():
        await group.ends(entry="rejected", target="canceled", stop="canceled")
    (refused,) = [event for name, event in await live_desk.events() if name == "order_refused"]
    assert refused["code"] == "ORDER_UNSUPPORTED"
    assert live_desk.venue.market.placed == 0
