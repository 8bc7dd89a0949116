"""Deployments on live accounts: what a venue executes reaches their books once, whatever the bus and the process do."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
import pytest_asyncio

from alphintra.contracts.explanations import ExplainDeployment
from alphintra.contracts.strategy import CreateDeployment, CreateFeed, StopDeployment
from alphintra.contracts.trading import CancelOrder, SubmitOrder
from alphintra.engine.templates import crossover
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.vocabulary import OrderClass, OrderStatus, OrderType, TimeInForce
from alphintra.strategy.service import fills, placing, stepping
from fixtures.bar_market import running_market
from fixtures.single_service import PowerCutError, delivery_of, stop_at
from integration.strategy.live_stage import MINUTE, OPEN, Live
from integration.strategy.test_exits import EXITS, strategy
from integration.strategy.test_stepping import above_eleven

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from uuid import UUID

    from alphintra.contracts.strategy import DeploymentView
    from alphintra.engine.graph import Graph
    from integration.strategy.stage import Stage

HOLD = msgspec.structs.replace(above_eleven(), timeframe="1m")  # ten shares while the close is above eleven


class Desk:
    """A live account with one deployment on live bars, whose venue the test speaks for."""

    def __init__(self, live: Live) -> None:
        self.live = live
        self.stage: Stage = live.stage
        self.account_id: UUID = self.stage.town.open_live_account(self.stage.owner_id)
        self.deployment_id: UUID = self.account_id
        self.minute = 0

    async def deploy(self, graph: Graph = HOLD, **wishes: Any) -> DeploymentView:  # noqa: ANN401 - fields of the command
        """Deploy a strategy on the live feed, confirmed."""
        command = CreateDeployment(
            **{
                "version_id": self.stage.town.write_workflow(self.stage.owner_id, graph),
                "account_id": self.account_id,
                "symbol": "AAPL",
                "capital": Decimal(10_000),
                "feed_id": self.live.feed_id,
                "confirm": "main",
                **wishes,
            }
        )
        made = await self.stage.endpoints.create_deployment(command, self.stage.owner)
        self.deployment_id = made.deployment_id
        return made

    async def bar(self, close: str) -> None:
        """Let the next bar happen and the feed step on it."""
        self.live.market.happen("AAPL", OPEN + self.minute * MINUTE, close)
        self.minute += 1
        await self.live.look(self.minute - 1)

    async def fill(self, qty: str, price: str, **how: str) -> None:
        """Let the venue execute part of the newest order between two bars."""
        await self.stage.town.execute(self.deployment_id, qty, price, at=OPEN + self.minute * MINUTE, **how)

    async def book(self) -> tuple[Decimal, Decimal]:
        """Return what the deployment holds and its cash, for people."""
        found = await self.stage.deployment(self.deployment_id)
        return found.position_qty, found.cash

    async def stored(self) -> tuple[Decimal, Decimal]:
        """Return what is stored of the same."""
        (row,) = await self.stage.rows("select qty, cash from deployments where deployment_id = $1", self.deployment_id)
        return row["qty"], row["cash"]

    async def outcomes(self) -> list[str]:
        """Return what was decided, oldest first."""
        return [each.outcome for each in await self.stage.decisions(self.deployment_id)]


@pytest_asyncio.fixture
async def desk(stage: Stage) -> AsyncIterator[Desk]:
    async with running_market() as market:
        stage.urls.update({"alpaca": market.url})
        live = Live(stage, market)
        await live.begin()
        yield Desk(live)


async def test_what_the_venue_executes_between_bars_is_in_the_books_before_the_next_decision(desk: Desk) -> None:
    await desk.deploy()
    for close in ("10", "12"):
        await desk.bar(close)
    await desk.fill("4", "12.10", fee="0.01")
    assert await desk.book() == (Decimal(4), Decimal("9951.59"))  # at once for people
    assert await desk.stored() == (Decimal(0), Decimal(10_000))  # in the books with the next bar
    await desk.bar("12.5")
    await desk.fill("6", "12.20", fee="0.01")
    await desk.bar("12.5")
    assert await desk.stored() == (Decimal(10), Decimal("9878.38"))
    await desk.bar("10")
    await desk.fill("10", "9.90")
    await desk.bar("10")
    assert await desk.stored() == (Decimal(0), Decimal("9977.38"))
    wanted = ["blocked_no_position", "intent", "blocked_in_position", "blocked_in_position", "intent"]
    assert await desk.outcomes() == [*wanted, "blocked_no_position"]
    assert {row["status"] for row in await desk.stage.rows("select status from intents")} == {"closed"}
    (view,) = await desk.stage.rows("select mode from deployments")
    assert view["mode"] == "live"


async def test_events_twice_and_in_any_order_give_the_same_books(desk: Desk) -> None:
    await desk.deploy()
    for close in ("10", "12"):
        await desk.bar(close)
    town = desk.stage.town
    town.is_silent = True
    for qty, price in (("1", "12.1"), ("2", "12.2"), ("3", "12.3"), ("4", "12.4")):
        await desk.fill(qty, price)
    told = [town.event(fill) for fill in town.executions]
    Random(7).shuffle(told)  # noqa: S311 - an order that can be repeated
    for batch in (told[:1], told[:3], [told[2]], told[::-1]):
        await desk.stage.endpoints.on_fills_booked(batch)
    again = [delivery_of(each.event, aggregate_id=each.aggregate_id) for each in told]
    await desk.stage.endpoints.on_fills_booked(again)
    await desk.bar("12")
    assert await desk.stored() == (Decimal(10), Decimal(10_000) - Decimal(123))
    await desk.stage.endpoints.on_fills_booked(told)
    await desk.bar("12")
    assert await desk.stored() == (Decimal(10), Decimal(10_000) - Decimal(123))


async def test_no_decision_is_made_before_what_trading_counts_is_known_and_what_the_bus_lost_is_fetched(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fills, "EVENT_WAIT_S", 0.05)
    await desk.deploy()
    for close in ("10", "12"):
        await desk.bar(close)
    desk.stage.town.is_silent = True
    await desk.fill("10", "12")  # filled whole: nothing works any more, and nobody told us what we hold
    await desk.bar("12")
    assert await desk.stored() == (Decimal(10), Decimal(9_880))
    assert await desk.outcomes() == ["blocked_no_position", "intent", "blocked_in_position"]
    assert len(desk.stage.town.placed(desk.deployment_id)) == 1


@pytest.mark.parametrize("point", ["strategy.matched", "strategy.decided", "strategy.submitted", "strategy.placed"])
async def test_a_step_that_is_cut_anywhere_folds_once_and_orders_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    await desk.deploy()
    for close in ("10", "12"):
        await desk.bar(close)
    await desk.fill("10", "12")
    for close in ("12", "10"):
        with monkeypatch.context() as cutting:
            for module in (stepping, placing):
                stop_at(cutting, module, point)
            if close == "12" and point == "strategy.submitted":
                await desk.bar(close)
                continue
            with pytest.raises(PowerCutError):
                await desk.bar(close)
        desk.live.restart()
        await desk.live.look(desk.minute - 1)
    assert await desk.stored() == (Decimal(10), Decimal(9_880))
    assert [order.side for order in desk.stage.town.placed(desk.deployment_id)] == ["buy", "sell"]
    await desk.fill("10", "10")
    await desk.bar("10")
    assert await desk.stored() == (Decimal(0), Decimal(9_980))


async def test_hearing_that_is_cut_before_its_commit_keeps_nothing_and_once_again_everything(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.deploy()
    for close in ("10", "12"):
        await desk.bar(close)
    desk.stage.town.is_silent = True
    await desk.fill("10", "12")
    told = [desk.stage.town.event(fill) for fill in desk.stage.town.executions]
    for point in ("strategy.before_fill_commit", "strategy.fill_kept"):
        with monkeypatch.context() as cutting:
            stop_at(cutting, fills, point)
            with pytest.raises(PowerCutError):
                await desk.stage.endpoints.on_fills_booked(told)
        kept = await desk.stage.rows("select execution_id from deployment_fills")
        assert len(kept) == (point == "strategy.fill_kept")
    await desk.stage.endpoints.on_fills_booked(told)
    await desk.bar("12")
    assert await desk.stored() == (Decimal(10), Decimal(9_880))


async def test_an_execution_after_its_order_was_settled_is_folded_and_a_stopped_deployment_hears_too(
    desk: Desk,
) -> None:
    await desk.deploy()
    for close in ("10", "12"):
        await desk.bar(close)
    desk.stage.town.end(desk.deployment_id, OrderStatus.CANCELED)
    await desk.bar("11")  # no signal: the order is settled as canceled
    assert {row["status"] for row in await desk.stage.rows("select status from intents")} == {"closed"}
    await desk.stage.endpoints.stop_deployment(StopDeployment(deployment_id=desk.deployment_id), desk.stage.owner)
    await desk.fill("10", "12")
    await desk.bar("11")
    assert await desk.stored() == (Decimal(10), Decimal(9_880))
    assert {row["status"] for row in await desk.stage.rows("select status from intents")} <= {"working", "closed"}


async def test_a_fee_the_venue_keeps_in_kind_makes_the_position_smaller_as_in_tradings_books(desk: Desk) -> None:
    await desk.deploy()
    for close in ("10", "12"):
        await desk.bar(close)
    town = desk.stage.town
    town.is_silent = True
    await desk.fill("10", "12")
    in_kind = msgspec.structs.replace(town.executions[-1], fee_qty=Decimal("0.5"))
    await desk.stage.endpoints.on_fills_booked([town.event(in_kind)])
    await desk.bar("12")
    found = await desk.stage.deployment(desk.deployment_id)
    assert (found.position_qty, found.cash, found.fees) == (Decimal("9.5"), Decimal(9_880), Decimal(6))
    assert found.equity == Decimal(10_000) - 6


async def test_an_entry_whose_exits_are_gone_the_moment_it_fills_is_left_at_the_next_bar(desk: Desk) -> None:
    await desk.deploy(msgspec.structs.replace(strategy(EXITS["stop"], "long", leaves_at=150), timeframe="1m"))
    await desk.bar("90")
    await desk.bar("101")
    await desk.fill("10", "101")
    desk.stage.town.end(desk.deployment_id, OrderStatus.CANCELED, leg="stop_loss")
    await desk.bar("102")
    assert [Decimal(event["qty"]) for event in await desk.stage.told("protection_lost")] == [Decimal(10)]
    await desk.bar("102")
    assert desk.stage.town.placed(desk.deployment_id)[-1].side == "sell"


async def test_orders_to_leave_wait_for_the_venue_to_let_go_of_the_exits_and_hold_up_nobody(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(placing, "LIVE_TIMEOUT_S", 0.02)
    exits = msgspec.structs.replace(strategy(EXITS["stop"], "long", leaves_at=110), timeframe="1m")
    await desk.deploy(exits)
    await desk.bar("90")
    await desk.bar("101")
    await desk.fill("10", "101")
    await desk.bar("102")
    desk.stage.town.lag = 1000  # the venue takes its time to cancel
    await desk.bar("120")
    assert desk.stage.town.asked_for(CancelOrder) == 1
    assert [order.side for order in desk.stage.town.placed(desk.deployment_id) if order.leg == "entry"] == ["buy"]
    desk.stage.town.lag = 0
    patience = desk.stage.town._patience
    for name in [name for name in patience if name.startswith("cancel")]:
        del patience[name]
    stepper = desk.live._stepper
    assert stepper is not None
    assert await stepper.place_left("0" * 32)  # between two bars
    assert [o.side for o in desk.stage.town.placed(desk.deployment_id) if o.leg == "entry"] == ["buy", "sell"]
    assert not await stepper.place_left("0" * 32)


async def test_an_entry_that_has_not_reached_its_venue_by_the_next_bar_is_taken_off(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(placing, "LIVE_TIMEOUT_S", 0.02)
    await desk.deploy()
    await desk.bar("10")
    desk.stage.town.lag = 1000
    await desk.bar("12")
    await desk.bar("12")
    assert desk.stage.town.asked_for(CancelOrder) == 1
    assert await desk.outcomes() == ["blocked_no_position", "intent", "blocked_order_working"]


async def test_why_tells_what_was_known_when_it_was_decided(desk: Desk) -> None:
    await desk.deploy()
    for close in ("10", "12"):
        await desk.bar(close)
    at = OPEN + 2 * MINUTE
    # It is dated before the close of the decision and heard after it.
    await desk.stage.town.execute(desk.deployment_id, "10", "12", at=at - timedelta(seconds=1))
    await desk.bar("12")

    async def why(minute: int) -> list[str]:
        command = ExplainDeployment(deployment_id=desk.deployment_id, at=OPEN + minute * MINUTE)
        found = await desk.stage.endpoints.explain_deployment(command, desk.stage.owner)
        return [sentence.text for sentence in found.sentences]

    entered = await why(2)
    assert entered[0] == "An order was asked for (nothing held)."
    assert entered[2] == "Its order is filled, 10 filled at 12."
    held = await why(3)
    assert held[0] == "No order: it would enter, but a position is held already (10 held)."
    assert any("12" in line and "11" in line for line in held[1:]), held  # the recorded bar against the level


async def refused(desk: Desk, graph: Graph = HOLD, **wishes: Any) -> str:  # noqa: ANN401 - fields of the command
    """Return why a deployment is refused, having made sure that nothing changed."""
    with pytest.raises(AlphintraError) as caught:
        await desk.deploy(graph, **wishes)
    assert await desk.stage.rows("select deployment_id from deployments") == []
    assert await desk.stage.rows("select deployment_id from capital_claims") == []
    assert desk.stage.town.claims == {}
    return str(caught.value)


async def test_a_live_account_is_confirmed_by_its_name_and_trades_on_live_bars_of_its_venue(desk: Desk) -> None:
    stage = desk.stage
    assert "CONFIRM_REQUIRED" in await refused(desk, confirm="")
    assert "CONFIRM_REQUIRED" in await refused(desk, confirm="paper")
    assert "FEED_NOT_FOUND" in await refused(desk, feed_id=None)
    replay = await stage.make_feed()
    assert "DEPLOYMENT_FEED" in await refused(desk, crossover(2, 4, average="sma", percent="50"), feed_id=replay)
    wanted = CreateFeed(name="other", symbols=("BTC/USD",), source="ccxt:kraken", timeframe="1Min")
    other = (await stage.endpoints.create_feed(wanted, stage.owner)).feed_id
    assert "DEPLOYMENT_FEED" in await refused(desk, feed_id=other, symbol="BTC/USD")
    paper = stage.town.open_account(stage.owner_id, replay)
    found = await refused(desk, account_id=paper, feed_id=desk.live.feed_id)
    assert "DEPLOYMENT_FEED" in found


UNFIT: dict[str, tuple[dict[str, Any], str]] = {
    "types": ({"types": (OrderType.LIMIT,)}, "no orders of type market"),
    "times": ({"times_in_force": (TimeInForce.GTC,)}, "no orders with time in force day"),
    "classes": ({"order_classes": (OrderClass.SIMPLE,)}, "no groups of class bracket"),
    "pairs": ({"has_two_exits": False}, "no two exits for one position"),
}


@pytest.mark.parametrize("what", UNFIT)
async def test_what_the_venue_does_not_offer_is_said_before_anything_changes(desk: Desk, what: str) -> None:
    offers, reason = UNFIT[what]
    town = desk.stage.town
    assert town.venue is not None
    assert town.venue.capabilities is not None
    town.venue = msgspec.structs.replace(
        town.venue, capabilities=msgspec.structs.replace(town.venue.capabilities, **offers)
    )
    graph = msgspec.structs.replace(strategy(EXITS["bracket"], "both"), timeframe="1m")
    found = await refused(desk, graph)
    assert found.startswith("DEPLOYMENT_UNFIT")
    assert reason in found
    assert "the limits of the account do not allow it" in found  # every reason at once


async def test_a_venue_that_is_not_connected_takes_no_deployment(desk: Desk) -> None:
    town = desk.stage.town
    assert town.venue is not None
    town.venue = msgspec.structs.replace(town.venue, status="degraded", reason="it does not answer")
    assert "VENUE_NOT_OPEN: the account's connection is degraded: it does not answer" in await refused(desk)


async def test_kill_switch_and_limits_act_on_it_through_risk(desk: Desk) -> None:
    desk.stage.town.denies = lambda _command: "KILL_ACTIVE"
    await desk.deploy()
    for close in ("10", "12", "12"):
        await desk.bar(close)
    decided = await desk.stage.decisions(desk.deployment_id, outcome="intent")
    assert {each.order_code for each in decided} == {"KILL_ACTIVE"}
    assert await desk.stored() == (Decimal(0), Decimal(10_000))


async def test_a_pair_is_ordered_until_canceled_for_no_day_of_it_ends(stage: Stage) -> None:
    async with running_market() as market:
        stage.urls.update({"alpaca": market.url})
        live = Live(stage, market)
        live.symbols = ("BTC/USD",)
        await live.begin()
        desk = Desk(live)
        await desk.deploy(symbol="BTC/USD")
        for minute, close in enumerate(("10", "12")):
            market.happen("BTC/USD", OPEN + minute * MINUTE, close)
            await live.look(minute)
    asked = [command for command in stage.town.asked if isinstance(command, SubmitOrder)]
    assert [command.time_in_force for command in asked] == [TimeInForce.GTC]
