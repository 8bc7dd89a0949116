"""What every adapter owes trading, the paper venue included."""

from __future__ import annotations

from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING

import pytest

from alphintra.infrastructure.system import SystemClock
from integration.broker.conformance.benches import executed, reaches, told
from integration.broker.desk import OTHER_KEY, approve

if TYPE_CHECKING:
    from alphintra.contracts.approval import OrderTerms
    from integration.broker.conformance.benches import Bench

ENDS = {"order_canceled", "order_refused", "order_expired"}


async def placed(bench: Bench) -> OrderTerms:
    """Have an order work; returns its terms."""
    terms = bench.terms()
    await bench.submit(terms)
    await reaches(bench, terms.order_id, "working")
    return terms


async def test_an_order_is_acknowledged_and_filled_in_parts_that_add_up(bench: Bench) -> None:
    async with bench.keeping():
        terms = await placed(bench)
        for qty in ("4", "5", "1"):
            await bench.fill(terms, qty)
        await reaches(bench, terms.order_id, "filled")
    assert await told(bench, terms.order_id) == ["order_acknowledged", *["execution_reported"] * 3]
    assert sorted(await executed(bench, terms.order_id)) == [1, 4, 5]
    assert await bench.at_venue() == {terms.order_id: 1}


async def test_an_order_heard_of_again_and_again_is_there_once(bench: Bench) -> None:
    async with bench.keeping():
        terms = bench.terms()
        for _ in range(5):
            await bench.submit(terms)
        await reaches(bench, terms.order_id, "working")
        await bench.submit(terms)
    assert await told(bench, terms.order_id) == ["order_acknowledged"]
    assert await bench.at_venue() == {terms.order_id: 1}


async def test_a_cancellation_ends_an_order_once_and_one_of_a_closed_order_changes_nothing(bench: Bench) -> None:
    async with bench.keeping():
        canceled, filled = await placed(bench), None
        for _ in range(2):
            await bench.cancel(canceled.order_id)
        await reaches(bench, canceled.order_id, "canceled")
        filled = await placed(bench)
        await bench.fill(filled, "10")
        await reaches(bench, filled.order_id, "filled")
        for terms in (canceled, filled):
            await bench.cancel(terms.order_id)
        after = await placed(bench)
    assert await told(bench, canceled.order_id) == ["order_acknowledged", "order_canceled"]
    assert await told(bench, filled.order_id) == ["order_acknowledged", "execution_reported"]
    assert await told(bench, after.order_id) == ["order_acknowledged"]


async def test_an_order_the_venue_cannot_work_is_refused_before_it_is_called(bench: Bench) -> None:
    async with bench.keeping():
        terms = bench.unsupported()
        await bench.submit(terms)
        await reaches(bench, terms.order_id, "rejected", "")
        after = await placed(bench)
    ((name, event), *others) = [each for each in await bench.events() if each[1]["order_id"] == str(terms.order_id)]
    assert (name, others) == ("order_refused", [])
    assert event["code"] in {"ORDER_UNSUPPORTED", "ORDER_FIELD_REQUIRED"}
    assert await bench.at_venue() == {after.order_id: 1}


async def test_an_approval_somebody_else_signed_sends_nothing(bench: Bench) -> None:
    async with bench.keeping():
        terms = bench.terms()
        await bench.submit(terms, approve(terms, SystemClock(), key=OTHER_KEY))  # type: ignore[arg-type] # a clock
        after = await placed(bench)
    assert await told(bench, terms.order_id) == ["order_refused"]
    assert await bench.at_venue() == {after.order_id: 1}


async def test_a_halt_takes_working_orders_off_and_kills_older_approvals(bench: Bench) -> None:
    async with bench.keeping():
        working = await placed(bench)
        await bench.halt(5)
        await reaches(bench, working.order_id, "canceled")
        late = bench.terms()
        await bench.submit(late)
    assert await told(bench, working.order_id) == ["order_acknowledged", "order_canceled"]
    assert await told(bench, late.order_id) == ["order_refused"]
    assert await bench.at_venue() == {working.order_id: 1}


async def test_a_crash_around_the_call_makes_one_order(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    for point in bench.crash_points:
        terms = bench.terms()
        await bench.crash(terms, point, monkeypatch)
        assert await bench.status(terms.order_id) == "working"
        names = [name for name in await told(bench, terms.order_id) if name != "order_uncertain"]
        assert names == ["order_acknowledged"]
        assert (await bench.at_venue())[terms.order_id] == 1
    assert len(await bench.at_venue()) == len(bench.crash_points)


async def test_whatever_becomes_of_orders_they_end_once_and_count_what_was_executed(bench: Bench) -> None:
    chance = Random(0)  # noqa: S311 - chance that can be repeated
    given: dict[OrderTerms, Decimal] = {}
    async with bench.keeping():
        for _ in range(8):
            terms, left = await placed(bench), 10
            while left and chance.random() < 0.8:
                part = chance.randint(1, min(left, 5))
                await bench.fill(terms, str(part))
                left -= part
            given[terms] = Decimal(10 - left)
            if left:
                await bench.cancel(terms.order_id)
            await reaches(bench, terms.order_id, "canceled" if left else "filled")
    assert len(set(given.values())) > 3  # none, all and some of an order
    for terms, qty in given.items():
        names = await told(bench, terms.order_id)
        assert sum(await executed(bench, terms.order_id)) == qty
        assert names[0] == "order_acknowledged"
        assert sum(name in ENDS for name in names) == (qty < 10)
        assert names[-1] in ENDS or qty == 10
