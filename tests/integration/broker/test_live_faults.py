"""A venue that misbehaves: whatever it does, each order is there once and each execution counts once."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from starlette.responses import HTMLResponse, JSONResponse, Response

from alphintra.broker.service import live_orders
from alphintra.contracts.broker import ResolveBreak
from alphintra.infrastructure.system import SystemClock
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.ids import OrderId
from fixtures.waiting import until

if TYPE_CHECKING:
    from integration.broker.live_desk import LiveDesk

TRIALS = 60
MANY_TRIALS = 1000


@pytest.mark.parametrize(
    "trials", [TRIALS, pytest.param(MANY_TRIALS, marks=[pytest.mark.slow, pytest.mark.timeout(900)])]
)
async def test_a_venue_that_takes_orders_and_drops_its_replies_has_each_exactly_once(
    live_desk: LiveDesk, trials: int
) -> None:
    await live_desk.connect()
    live_desk.venue.faults["lost_ack"] = 1.0
    placed = [await live_desk.place() for _ in range(trials)]
    async with live_desk.keeper():
        for terms in placed:
            await live_desk.reaches(terms.order_id, "working", seconds=600)
    at_venue = [row.body["client_order_id"] for row in live_desk.venue.market.rows.values()]
    assert sorted(at_venue) == sorted(terms.client_order_id for terms in placed)
    assert await live_desk.codes() == []


@pytest.mark.parametrize("seed", range(4))
async def test_duplicate_late_reordered_and_lost_reports_add_up_to_what_the_venue_executed(
    live_desk: LiveDesk, seed: int
) -> None:
    await live_desk.connect()
    live_desk.reconcile = timedelta(seconds=0.3)
    live_desk.venue.reseed(seed)
    live_desk.venue.fills = True
    live_desk.venue.faults |= {
        "duplicate_fill": 0.3,
        "late_fill": 0.3,
        "reordered_fill": 0.5,
        "lost_fill": 0.2,
        "lost_ack": 0.2,
        "late_ack": 0.2,
        "busy": 0.02,
        "broken": 0.02,
        "disconnect": 0.05,
    }
    placed = [await live_desk.place(qty=Decimal(9)) for _ in range(12)]
    async with live_desk.keeper():
        for terms in placed:
            await live_desk.reaches(terms.order_id, "filled", "working", seconds=60)
        for row in live_desk.venue.market.rows.values():
            if row.status == "new":  # its answer was lost before it was filled
                await live_desk.venue.fill(row.body["client_order_id"], "9")
        for terms in placed:
            await live_desk.reaches(terms.order_id, "filled", seconds=60)
    fills = await live_desk.rows("select qty, price from live_executions")
    assert len(fills) == len(live_desk.venue.market.activities)
    assert sum(fill["qty"] for fill in fills) == live_desk.venue.market.positions["AAPL"] == 12 * 9
    told = [event for name, event in await live_desk.events() if name == "execution_reported"]
    assert sum(Decimal(event["qty"]) for event in told) == 12 * 9
    assert len(live_desk.venue.market.rows) == 12
    assert await live_desk.codes() == []


@pytest.mark.parametrize(
    ("fault", "code"),
    [("altered_fill", "EXEC_CONFLICT"), ("overfill", "OVERFILL"), ("bust", "EXEC_CONFLICT")],
)
async def test_what_does_not_fit_is_a_break_and_the_account_may_only_reduce(
    live_desk: LiveDesk, fault: str, code: str
) -> None:
    await live_desk.connect()
    live_desk.venue.fills = True
    live_desk.venue.faults[fault] = 1.0
    async with live_desk.keeper():
        await live_desk.link_reaches("open")
        first = await live_desk.place(qty=Decimal(1))
        await live_desk.reaches(first.order_id, "filled")
        await live_desk.link_reaches("reconciling")
        waiting = await live_desk.place(qty=Decimal(1))
        live_desk.venue.faults[fault] = 0.0
        reducing = await live_desk.place(qty=Decimal(1), side="sell", reduce_only=True)
        await live_desk.reaches(reducing.order_id, "filled")
        assert await live_desk.status(waiting.order_id) == "queued"
    assert set(await live_desk.codes()) == {code}


async def test_a_rejection_after_the_acknowledgement_is_told(live_desk: LiveDesk) -> None:
    await live_desk.connect()
    live_desk.venue.faults["reject_after_ack"] = 1.0
    async with live_desk.keeper():
        await live_desk.link_reaches("open")
        terms = await live_desk.place()
        await live_desk.reaches(terms.order_id, "rejected")
    told = await live_desk.told(terms.order_id)
    assert told in (["order_acknowledged", "order_refused"], ["order_refused"])


@pytest.mark.parametrize(
    ("answer", "placed"),
    [
        (JSONResponse({"message": "too many requests."}, 429, headers={"Retry-After": "0"}), 1),
        (JSONResponse({"message": "internal server error occurred"}, 500), 1),
        (HTMLResponse("<html>We will be back soon</html>"), 1),
        (Response(b'{"id": "61e6', media_type="application/json"), 1),
        (JSONResponse({"code": 40310000, "message": "insufficient buying power"}, 403), 0),
        (JSONResponse({"code": 42210000, "message": "asset is not tradable"}, 422), 0),
    ],
    ids=["429", "500", "html", "half json", "403", "422"],
)
async def test_each_answer_to_an_order_is_either_a_decision_or_asked_for_again(
    live_desk: LiveDesk, answer: Response, placed: int
) -> None:
    await live_desk.connect()
    async with live_desk.keeper():
        await live_desk.link_reaches("open")
        live_desk.venue.spoil_orders_with.append(answer)
        terms = await live_desk.place()
        await live_desk.reaches(terms.order_id, "working" if placed else "rejected")
    assert live_desk.venue.market.placed == placed


async def test_a_page_of_html_is_a_break_and_changes_nothing(live_desk: LiveDesk) -> None:
    live_desk.reconcile = timedelta(seconds=0.1)
    await live_desk.connect()
    async with live_desk.keeper():
        await live_desk.link_reaches("open")
        terms = await live_desk.place()
        await live_desk.reaches(terms.order_id, "working")
        live_desk.venue.faults["html"] = 1.0
        await live_desk.link_reaches("degraded")
        assert await live_desk.codes() == ["VENUE_PROTOCOL"]
        (found,) = await live_desk.rows("select detail, order_id, symbol from breaks")
        assert (found["order_id"], found["symbol"]) == (None, "")
        assert await live_desk.status(terms.order_id) == "working"
        live_desk.venue.faults["html"] = 0.0
        await live_desk.link_reaches("open")
    assert await live_desk.codes() == ["VENUE_PROTOCOL"], "a second look finds nothing new"
    assert await live_desk.told(terms.order_id) == ["order_acknowledged"]
    assert live_desk.venue.market.placed == 1
    assert await live_desk.rows("select * from live_executions") == []


async def test_refused_keys_expire_the_connection_and_new_ones_bring_it_back(live_desk: LiveDesk) -> None:
    await live_desk.connect()
    async with live_desk.keeper():
        await live_desk.link_reaches("open")
        live_desk.venue.is_refusing_keys = True
        await live_desk.venue.disconnect()
        await live_desk.link_reaches("expired")
        waiting = await live_desk.place()
        live_desk.venue.is_refusing_keys = False
        await live_desk.links.add_connection(live_desk.wanted(), live_desk.owner)
        await live_desk.reaches(waiting.order_id, "working")
    assert await live_desk.told(waiting.order_id) == ["order_acknowledged"]


async def test_a_venue_that_goes_away_degrades_the_connection_until_it_is_back(live_desk: LiveDesk) -> None:
    await live_desk.connect()
    async with live_desk.keeper():
        await live_desk.link_reaches("open")
        terms = await live_desk.place()
        await live_desk.reaches(terms.order_id, "working")
        live_desk.venue.faults["lost_fill"] = 1.0
        await live_desk.venue.fill(terms.client_order_id, "10")
        await live_desk.venue.disconnect()
        await live_desk.reaches(terms.order_id, "filled")
        await live_desk.link_reaches("open")
    changes = await live_desk.rows("select payload from event_log where subject like '%connection_changed'")
    assert any('"degraded"' in row["payload"] for row in changes)


@pytest.mark.parametrize(
    "point", ["broker.sending_stored", "broker.sending_committed", "broker.answer_kept", "broker.answer_kept_committed"]
)
async def test_a_crash_around_the_call_makes_one_order(
    live_desk: LiveDesk, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    await live_desk.connect()
    terms = await live_desk.place()
    await live_desk.loses_power_at(live_orders, point, monkeypatch)
    async with live_desk.keeper():
        await live_desk.reaches(terms.order_id, "working", seconds=30)
    assert live_desk.venue.market.placed == 1


async def test_an_order_the_venue_hides_is_not_sent_twice_before_it_must_show_it(live_desk: LiveDesk) -> None:
    await live_desk.connect()
    live_desk.venue.faults["lost_ack"] = 1.0
    live_desk.venue.visibility_delay_s = 0.15
    async with live_desk.keeper():
        await live_desk.link_reaches("open")
        terms = await live_desk.place()
        await live_desk.reaches(terms.order_id, "working")
    assert live_desk.venue.calls.count(("POST", "/v2/orders")) == 1


async def test_an_order_that_never_arrived_is_sent_again_under_the_same_id(live_desk: LiveDesk) -> None:
    await live_desk.connect()
    async with live_desk.keeper():
        await live_desk.link_reaches("open")
        live_desk.venue.spoil_orders_with.append(JSONResponse({"message": "gateway timeout"}, 504))
        terms = await live_desk.place()
        await live_desk.reaches(terms.order_id, "working")
    assert live_desk.venue.calls.count(("POST", "/v2/orders")) == 2
    assert await live_desk.told(terms.order_id) == ["order_uncertain", "order_acknowledged"]
    first, second = [event["seq"] for _name, event in await live_desk.events()]
    assert 0 < first < second, "whoever hears the first late knows it for old news"


async def test_a_database_that_was_set_back_numbers_what_it_tells_above_what_it_told(live_desk: LiveDesk) -> None:
    await live_desk.connect()
    terms = await live_desk.place()
    at = SystemClock().now()
    async with live_desk.live.transaction() as tx:
        (first,) = await tx.number(OrderId(terms.order_id), 1, at=at)
        assert list(await tx.number(OrderId(terms.order_id), 2, at=at - timedelta(hours=1))) == [first + 1, first + 2]
    await live_desk.rows("update live_orders set told_seq = 0")
    async with live_desk.live.transaction() as tx:
        (after,) = await tx.number(OrderId(terms.order_id), 1, at=at + timedelta(minutes=1))
    assert after > first + 2


async def test_a_cancellation_of_a_filled_order_changes_nothing(live_desk: LiveDesk) -> None:
    await live_desk.connect()
    async with live_desk.keeper():
        await live_desk.link_reaches("open")
        terms = await live_desk.place()
        await live_desk.reaches(terms.order_id, "working")
        live_desk.venue.faults["lost_fill"] = 1.0
        await live_desk.venue.fill(terms.client_order_id, "10")
        await live_desk.cancel(terms.order_id)
        await live_desk.reaches(terms.order_id, "filled")

        async def is_told() -> bool:
            return "execution_reported" in await live_desk.told(terms.order_id)

        await until(is_told)
    told = await live_desk.told(terms.order_id)
    assert ("GET", "/v2/account/activities/FILL") in live_desk.venue.calls
    assert (told[0], "order_canceled" in told) == ("order_acknowledged", False)


async def test_a_cancellation_is_asked_for_though_the_clock_was_set_back_an_hour(live_desk: LiveDesk) -> None:
    await live_desk.connect()
    async with live_desk.keeper():
        await live_desk.link_reaches("open")
        terms = await live_desk.place()
        await live_desk.reaches(terms.order_id, "working")
        await live_desk.rows("update live_orders set cancel_after = now() + interval '1 hour' returning order_id")
        await live_desk.cancel(terms.order_id)
        await live_desk.reaches(terms.order_id, "canceled")
    assert "order_canceled" in await live_desk.told(terms.order_id)


async def test_only_a_person_ends_an_order_whose_executions_the_venue_never_lists(live_desk: LiveDesk) -> None:
    await live_desk.connect()
    live_desk.reconcile = timedelta(seconds=0.3)
    async with live_desk.keeper():
        await live_desk.link_reaches("open")
        terms = await live_desk.place()
        await live_desk.reaches(terms.order_id, "working")
        row = live_desk.venue.market.by_client_id(terms.client_order_id)
        assert row is not None
        row.status, row.filled_qty = "filled", Decimal(10)
        await until(lambda: live_desk.has_breaks(1))
    (found,) = await live_desk.rows("select break_id, code from breaks")
    assert found["code"] == "EXEC_MISSING"
    for drops, status in ((False, "working"), (True, "canceled"), (True, "canceled")):
        said = ResolveBreak(break_id=found["break_id"], resolution="the venue took them back", drop_order=drops)
        assert (await live_desk.links.resolve_break(said, live_desk.owner)).status == "resolved"
        assert await live_desk.status(terms.order_id) == status
    assert (await live_desk.told(terms.order_id)).count("order_canceled") == 1


async def test_a_database_that_was_set_back_hears_from_the_venue_what_it_lost_and_sends_nothing_again(
    live_desk: LiveDesk,
) -> None:
    await live_desk.connect()
    async with live_desk.keeper():
        await live_desk.link_reaches("open")
        filled, working = await live_desk.place(qty=Decimal(1)), await live_desk.place()
        for terms in (filled, working):
            await live_desk.reaches(terms.order_id, "working")
        await live_desk.venue.fill(filled.client_order_id, "1")
        await live_desk.reaches(filled.order_id, "filled")
    for table in ("live_executions", "live_orders", "verdicts"):
        await live_desk.rows(f"alter table {table} disable trigger user")
        await live_desk.rows(f"delete from {table} returning 1")  # noqa: S608 - one of these
        await live_desk.rows(f"alter table {table} enable trigger user")
    await live_desk.rows("update links set seen_at = null returning 1")
    live_desk.reconcile = timedelta(seconds=0.3)
    async with live_desk.keeper():

        async def is_told() -> bool:
            return {"EXTERNAL_ORDER", "POSITION_DIFF"} <= set(await live_desk.codes())

        await until(is_told)
        await live_desk.link_reaches("reconciling")
    assert live_desk.venue.market.placed == 2


async def test_a_look_at_the_database_that_fails_cuts_no_connection(
    live_desk: LiveDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await live_desk.connect()
    async with live_desk.keeper() as keeper:
        await live_desk.link_reaches("open")
        opened, match, looks = live_desk.venue.streams_opened, keeper._match, 0

        async def failing_once() -> None:
            nonlocal looks
            looks += 1
            if looks == 1:
                raise AlphintraError("STORE_UNAVAILABLE", "the database cannot be reached", kind=Kind.UNAVAILABLE)
            await match()

        monkeypatch.setattr(keeper, "_match", failing_once)
        await until(lambda: looks >= 3)
        terms = await live_desk.place()
        await live_desk.reaches(terms.order_id, "working")
        assert live_desk.venue.streams_opened == opened
