"""Feeds run at their pace, pause where they are told, and go on after a restart; deployments join and leave them."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest

from alphintra.contracts.broker import AdvanceMarket
from alphintra.contracts.risk import MarkPrices, ReportInstance
from alphintra.contracts.strategy import (
    ControlFeed,
    CreateDeployment,
    CreateFeed,
    FeedView,
    GetDeployment,
    GetFeed,
    ListDecisions,
    ListDeployments,
    ListFeeds,
    StopDeployment,
)
from alphintra.contracts.trading import SubmitOrder
from alphintra.engine.backtest import BacktestSettings, run_backtest
from alphintra.engine.corporate_actions import Split
from alphintra.engine.graph import compile_plan, graph_hash
from alphintra.engine.templates import crossover
from alphintra.infrastructure.system import SystemIds
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.ids import FeedId
from alphintra.kernel.vocabulary import Intrabar
from alphintra.strategy.gateways.catalogue import write_split
from alphintra.strategy.service import feed_runner
from fixtures.single_service import acting
from fixtures.waiting import holds_for
from integration.strategy.stage import WAVE, Stage
from integration.strategy.town import FEES
from unit.engine.builders import day, flat_bar, flat_bars

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from alphintra.engine.bars import Bar
    from alphintra.kernel.ids import DatasetId
    from alphintra.kernel.messages import Context

STRATEGY = crossover(2, 4, average="sma", percent="50")


def is_finished(feed: FeedView) -> bool:
    return feed.status == "finished"


def wanted_fills() -> list[tuple[str, str, Decimal, Decimal]]:
    settings = BacktestSettings(initial_cash=Decimal(10000), fees=FEES)
    result = run_backtest(compile_plan(STRATEGY), "AAPL", bars=flat_bars(WAVE), settings=settings)
    return [(fill.ts.isoformat(), fill.side.value, fill.qty, fill.price) for fill in result.fills]


async def refusal(stage: Stage, command: Any, *, context: Context | None = None) -> AlphintraError:  # noqa: ANN401 - any command
    handlers: dict[Any, Callable[[Any, Context], Awaitable[object]]] = {
        CreateFeed: stage.endpoints.create_feed,
        ControlFeed: stage.endpoints.control_feed,
        GetFeed: stage.endpoints.get_feed,
        CreateDeployment: stage.endpoints.create_deployment,
        GetDeployment: stage.endpoints.get_deployment,
        StopDeployment: stage.endpoints.stop_deployment,
        ListDecisions: stage.endpoints.list_decisions,
        ListDeployments: stage.endpoints.list_deployments,
    }
    with pytest.raises(AlphintraError) as caught:
        await handlers[type(command)](command, context or stage.owner)
    return caught.value


async def test_a_new_feed_is_prepared_by_the_runner_and_waits_paused_with_first_prices_at_risk(stage: Stage) -> None:
    await stage.shelve("AAPL", flat_bars(WAVE))
    made = await stage.endpoints.create_feed(CreateFeed(name=" replay ", symbols=("AAPL", "AAPL")), stage.owner)
    assert (made.status, made.name, made.symbols) == ("preparing", "replay", ("AAPL",))
    feed_id = FeedId(made.feed_id)
    assert (await refusal(stage, ControlFeed(feed_id=feed_id, action="resume"))).code == "FEED_PREPARING"
    async with stage.running():
        ready = await stage.until(feed_id, lambda feed: feed.status == "paused")
    assert (ready.steps, ready.seq, stage.town.marks[feed_id]) == (len(WAVE), 0, [0])
    assert await stage.audited("feed.create") == [f"feed:{feed_id}"]


async def test_a_feed_runs_to_its_end_and_tells(stage: Stage) -> None:
    feed_id = await stage.make_feed()
    deployment_id = (await stage.deploy(feed_id)).deployment_id
    async with stage.running():
        await stage.control(feed_id, "resume")
        ended = await stage.until(feed_id, is_finished)
    assert (ended.seq, ended.last_ts) == (len(WAVE), day(len(WAVE) - 1))
    assert stage.town.books(deployment_id) == wanted_fills()
    ((feed, status),) = [(event["feed_id"], event["status"]) for event in await stage.told("feed_finished")]
    assert (feed, status) == (str(feed_id), "finished")
    assert (await refusal(stage, ControlFeed(feed_id=feed_id, action="resume"))).code == "FEED_FINISHED"
    version_id = stage.town.write_workflow(stage.owner_id, STRATEGY)
    account_id = stage.town.open_account(stage.owner_id, feed_id)
    late = CreateDeployment(version_id=version_id, account_id=account_id, symbol="AAPL", capital=Decimal(1))
    assert (await refusal(stage, late)).code == "FEED_FINISHED"


async def test_a_feed_stops_by_itself_after_the_step_it_was_told_and_goes_on_from_there(stage: Stage) -> None:
    feed_id = await stage.make_feed()
    deployment_id = (await stage.deploy(feed_id)).deployment_id
    async with stage.running():
        for step in (1, 7, 8):
            await stage.control(feed_id, "resume", pause_at=step)
            assert (await stage.until(feed_id, lambda feed: feed.status == "paused")).seq == step
        await stage.control(feed_id, "resume")
        await stage.until(feed_id, is_finished)
    assert stage.town.books(deployment_id) == wanted_fills()


async def test_a_feed_stepped_by_hand_reads_its_bars_once_and_again_where_they_changed(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed_id = await stage.make_feed()
    deployment_id = (await stage.deploy(feed_id)).deployment_id
    read: list[tuple[str, ...]] = []
    before = stage.catalogue.read

    def noted(dataset_id: DatasetId, splits: Sequence[str]) -> tuple[Bar, ...]:
        read.append(tuple(splits))
        return before(dataset_id, splits)

    monkeypatch.setattr(stage.catalogue, "read", noted)

    async def step_to(seq: int) -> None:
        await stage.control(feed_id, "resume", pause_at=seq)
        await stage.until(feed_id, lambda feed: feed.status == "paused" and feed.seq == seq)

    async with stage.running():
        for seq in (1, 2, 5):
            await step_to(seq)
        assert read == [()]
        split = write_split(Split(3, day(3), Fraction(1)))
        await stage.rows("update datasets set splits = array[$1]", split)
        await step_to(6)
        assert read == [(), (split,)]
        await stage.control(feed_id, "resume")
        await stage.until(feed_id, is_finished)
    assert stage.town.books(deployment_id) == wanted_fills()


async def test_a_runner_restarted_mid_feed_goes_on_where_the_other_was(stage: Stage) -> None:
    feed_id = await stage.make_feed(interval_ms=5)
    deployment_id = (await stage.deploy(feed_id)).deployment_id
    stage.town.lag = 1
    await stage.control(feed_id, "resume")
    for part in (4, 9, 14, len(WAVE)):
        async with stage.running():
            await stage.until(feed_id, lambda feed, part=part: feed.seq >= part)  # type: ignore[misc] # bound at once
    assert stage.town.books(deployment_id) == wanted_fills()
    assert len(await stage.decisions(deployment_id)) == len(WAVE)


async def test_two_runners_on_one_feed_do_each_step_once(stage: Stage) -> None:
    feed_id = await stage.make_feed()
    deployment_id = (await stage.deploy(feed_id)).deployment_id
    stage.town.lag = 1
    await stage.control(feed_id, "resume")
    async with stage.running(), stage.running():
        await stage.until(feed_id, is_finished)
    assert stage.town.books(deployment_id) == wanted_fills()
    assert [item.seq for item in await stage.decisions(deployment_id)] == list(range(1, len(WAVE) + 1))
    assert len(await stage.told("feed_finished")) == 1


async def test_a_runner_tells_risk_which_deployments_it_runs_and_goes_on_if_risk_is_silent(stage: Stage) -> None:
    feed_id = await stage.make_feed()
    deployment_id = (await stage.deploy(feed_id)).deployment_id
    stage.town.fail(ReportInstance, times=1)
    async with stage.running():
        await stage.control(feed_id, "resume", pause_at=1)
        await stage.until(feed_id, lambda feed: feed.status == "paused")
        await stage.control(feed_id, "resume")
        await stage.until(feed_id, is_finished)
    (told,) = stage.town.instances.values()
    assert told == {deployment_id}
    assert {order.book_id for order in stage.town.placed(deployment_id)} == {deployment_id}
    (version,) = stage.town.versions.values()
    asked = [each for each in stage.town.asked if isinstance(each, SubmitOrder)]
    assert {each.strategy_hash for each in asked} == {graph_hash(version[1])}


@pytest.mark.parametrize("kind", [AdvanceMarket, MarkPrices, SubmitOrder])
async def test_a_running_feed_waits_for_a_service_that_is_away(
    stage: Stage,
    monkeypatch: pytest.MonkeyPatch,
    kind: Any,  # noqa: ANN401 - any command
) -> None:
    monkeypatch.setattr(feed_runner, "RETRY_MAX_S", 0.01)
    feed_id = await stage.make_feed()
    deployment_id = (await stage.deploy(feed_id)).deployment_id
    stage.town.fail(kind, times=8)
    async with stage.running():
        await stage.control(feed_id, "resume")
        await stage.until(feed_id, is_finished)
    assert stage.town.outages[kind] == []
    assert stage.town.books(deployment_id) == wanted_fills()


async def test_a_feed_that_cannot_go_on_fails_tells_and_can_be_resumed(stage: Stage) -> None:
    feed_id = await stage.make_feed()
    deployment_id = (await stage.deploy(feed_id)).deployment_id
    stage.town.fail(AdvanceMarket, times=1, code="MARKET_BARS", kind=Kind.INVALID)
    async with stage.running():
        await stage.control(feed_id, "resume")
        failed = await stage.until(feed_id, lambda feed: feed.status == "failed")
        assert failed.error == "MARKET_BARS: out to lunch"
        (event,) = await stage.told("feed_finished")
        assert (event["status"], event["error"]) == ("failed", "MARKET_BARS: out to lunch")
        assert (await stage.control(feed_id, "pause")).error == failed.error
        assert (await stage.feed(feed_id)).status == "failed"
        assert (await stage.control(feed_id, "resume")).error == ""
        await stage.until(feed_id, is_finished)
    assert stage.town.books(deployment_id) == wanted_fills()


async def test_a_feed_that_could_not_be_prepared_is_prepared_again_and_not_run_without_steps(stage: Stage) -> None:
    bars = flat_bars(WAVE)
    dataset_id = await stage.shelve("AAPL", bars)
    stage.catalogue.rename(dataset_id, FeedId(SystemIds().new()))  # type: ignore[arg-type] # the file is lost
    made = await stage.endpoints.create_feed(CreateFeed(name="replay", symbols=("AAPL",)), stage.owner)
    feed_id = FeedId(made.feed_id)
    async with stage.running():
        failed = await stage.until(feed_id, lambda feed: feed.status == "failed")
        assert failed.error.startswith("DATASET_MISSING")
        stage.catalogue.write(dataset_id, bars)
        await stage.control(feed_id, "resume")
        assert (await stage.until(feed_id, lambda feed: feed.status == "paused")).steps == len(WAVE)


async def test_a_slow_feed_takes_a_new_pace_and_a_pause_at_once(stage: Stage) -> None:
    feed_id = await stage.make_feed(interval_ms=3_600_000)
    async with stage.running():
        await stage.control(feed_id, "resume")
        await stage.until(feed_id, lambda feed: feed.seq == 1)

        async def is_at_first() -> bool:
            return (await stage.feed(feed_id)).seq == 1

        await holds_for(0.05, is_at_first)
        await stage.control(feed_id, "pause")
        await stage.control(feed_id, "resume", interval_ms=0)
        ended = await stage.until(feed_id, is_finished, timeout_s=4)
    assert ended.interval_ms == 0


async def test_the_interval_paces_the_steps(stage: Stage) -> None:
    feed_id = await stage.make_feed([10, 11, 12, 13], interval_ms=100)
    loop = asyncio.get_running_loop()
    async with stage.running():
        await stage.control(feed_id, "resume")
        started = loop.time()
        await stage.until(feed_id, is_finished)
    assert loop.time() - started >= 0.25


async def test_a_paused_feed_does_nothing(stage: Stage) -> None:
    await stage.make_feed()
    async with stage.running() as runner:
        runner.wake()

        async def is_quiet() -> bool:
            return stage.town.asked_for(AdvanceMarket) == 0

        await holds_for(0.05, is_quiet)
    assert await is_quiet()


async def test_feeds_run_side_by_side(stage: Stage) -> None:
    slow, fast = await stage.make_feed(interval_ms=60_000), await stage.make_feed()
    async with stage.running():
        for feed_id in (slow, fast):
            await stage.control(feed_id, "resume")
        await stage.until(fast, is_finished)
        assert (await stage.feed(slow)).seq == 1
    listed = await stage.endpoints.list_feeds(ListFeeds(), stage.owner)
    assert [(feed.feed_id, feed.status) for feed in listed.feeds] == [(slow, "running"), (fast, "finished")]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"symbols": ()}, "FIELD_LENGTH"),
        ({"symbols": tuple(f"S{index}" for index in range(51))}, "FIELD_LENGTH"),
        ({"name": " "}, "FIELD_LENGTH"),
        ({"name": "x" * 81}, "FIELD_LENGTH"),
        ({"name": "a\0b"}, "FIELD_CHARS"),
        ({"symbols": ("TSLA",)}, "SYMBOL_UNKNOWN"),
        ({"symbols": ("AAPL", "BTC")}, "FEED_TIMEFRAME"),
        ({"interval_ms": -1}, "RANGE"),
        ({"interval_ms": 86_400_001}, "RANGE"),
        ({"start": day(5), "end": day(5)}, "RANGE"),
        ({"start": day(50)}, "RANGE"),
        ({"end": day(0)}, "RANGE"),
    ],
)
async def test_a_feed_that_cannot_be_is_refused(stage: Stage, change: dict[str, Any], code: str) -> None:
    await stage.shelve("AAPL", flat_bars(WAVE))
    await stage.shelve("BTC", flat_bars(WAVE), timeframe="5m")
    wishes = {"name": "replay", "symbols": ("AAPL",)} | change
    assert (await refusal(stage, CreateFeed(**wishes))).code == code
    assert await stage.rows("select 1 from feeds") == []


async def test_a_feed_holds_its_range_and_every_symbol_from_its_first_bar_on(stage: Stage) -> None:
    await stage.shelve("AAPL", flat_bars(WAVE))
    await stage.shelve("MSFT", [flat_bar(index, "5") for index in range(6, 12)])
    command = CreateFeed(name="replay", symbols=("AAPL", "MSFT"), start=day(4), end=day(9))
    made = await stage.endpoints.create_feed(command, stage.owner)
    async with stage.running():
        ready = await stage.until(FeedId(made.feed_id), lambda feed: feed.status == "paused")
    stepper = await stage.stepper(FeedId(made.feed_id))
    assert (ready.steps, len(stepper.steps)) == (5, 5)
    assert [len(step.bars) for step in stepper.steps] == [1, 1, 2, 2, 2]


@pytest.mark.parametrize(
    ("wishes", "code"),
    [
        ({"action": "stop"}, "FIELD_CHOICE"),
        ({"action": "resume", "interval_ms": -1}, "RANGE"),
        ({"action": "resume", "pause_at": 3}, "RANGE"),
        ({"action": "resume", "pause_at": 2**70}, "RANGE"),
    ],
)
async def test_a_control_that_makes_no_sense_changes_nothing(stage: Stage, wishes: dict[str, Any], code: str) -> None:
    feed_id = await stage.make_feed()
    await stage.step(feed_id, times=3)
    before = await stage.feed(feed_id)
    assert (await refusal(stage, ControlFeed(feed_id=feed_id, **wishes))).code == code
    assert await stage.feed(feed_id) == before


async def test_only_its_maker_the_owner_and_the_operator_control_a_feed(stage: Stage) -> None:
    feed_id = await stage.make_feed()
    command = ControlFeed(feed_id=feed_id, action="pause")
    stranger = acting(SystemIds().new())
    error = await refusal(stage, command, context=stranger)
    assert (error.code, error.kind) == ("FEED_NOT_FOUND", Kind.NOT_FOUND)
    unknown = ControlFeed(feed_id=SystemIds().new(), action="pause")
    assert (await refusal(stage, unknown)).code == "FEED_NOT_FOUND"
    await stage.endpoints.control_feed(command, acting(SystemIds().new(), roles=("owner",)))
    assert (await stage.endpoints.get_feed(GetFeed(feed_id=feed_id), stranger)).status == "paused"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"capital": Decimal(0)}, "QTY_NOT_POSITIVE"),
        ({"capital": Decimal("NaN")}, "NUMBER_NOT_FINITE"),
        ({"capital": Decimal(100001)}, "CAPITAL_EXCEEDS_CASH"),
        ({"intrabar": Intrabar.VECTORBT}, "INTRABAR_BACKTEST_ONLY"),
        ({"symbol": "MSFT"}, "SYMBOL_UNKNOWN"),
        ({"symbol": "a\0"}, "SYMBOL_UNKNOWN"),
        ({"version_id": SystemIds().new()}, "WORKFLOW_NOT_FOUND"),
        ({"account_id": SystemIds().new()}, "ACCOUNT_NOT_FOUND"),
    ],
)
async def test_a_deployment_that_cannot_trade_is_refused(stage: Stage, change: dict[str, Any], code: str) -> None:
    feed_id = await stage.make_feed()
    wishes: dict[str, Any] = {
        "version_id": stage.town.write_workflow(stage.owner_id, STRATEGY),
        "account_id": stage.town.open_account(stage.owner_id, feed_id),
        "symbol": "AAPL",
        "capital": Decimal(100),
    }
    assert (await refusal(stage, CreateDeployment(**(wishes | change)))).code == code
    assert await stage.rows("select 1 from deployments") == []


async def test_a_strategy_for_other_bars_than_the_feeds_is_refused(stage: Stage) -> None:
    feed_id = await stage.make_feed()
    with pytest.raises(AlphintraError, match="TIMEFRAME_MISMATCH"):
        await stage.deploy(feed_id, crossover(2, 4, timeframe="5m"))


async def test_other_peoples_deployments_are_not_there(stage: Stage) -> None:
    feed_id = await stage.make_feed()
    deployment_id = (await stage.deploy(feed_id)).deployment_id
    stranger = acting(SystemIds().new())
    for command in (
        GetDeployment(deployment_id=deployment_id),
        StopDeployment(deployment_id=deployment_id),
        ListDecisions(deployment_id=deployment_id),
    ):
        error = await refusal(stage, command, context=stranger)
        assert (error.code, error.kind) == ("DEPLOYMENT_NOT_FOUND", Kind.NOT_FOUND)
    assert (await stage.endpoints.list_deployments(ListDeployments(), stranger)).deployments == ()
    (own,) = (await stage.endpoints.list_deployments(ListDeployments(), stage.owner)).deployments
    assert (own.deployment_id, own.status, own.equity) == (deployment_id, "active", Decimal(10000))
    assert (await refusal(stage, ListDeployments(), context=acting(None))).code == "USER_REQUIRED"


@pytest.mark.parametrize(
    ("wishes", "code"),
    [({"limit": 0}, "PAGE_LIMIT"), ({"limit": 5001}, "PAGE_LIMIT"), ({"outcome": "a\0"}, "FIELD_CHOICE")],
)
async def test_a_page_of_decisions_that_cannot_be_is_refused(stage: Stage, wishes: dict[str, Any], code: str) -> None:
    feed_id = await stage.make_feed()
    deployment_id = (await stage.deploy(feed_id)).deployment_id
    assert (await refusal(stage, ListDecisions(deployment_id=deployment_id, **wishes))).code == code


async def test_a_stop_is_repeated_without_effect_and_orders_nothing_more(stage: Stage) -> None:
    feed_id = await stage.make_feed()
    deployment_id = (await stage.deploy(feed_id)).deployment_id
    for _ in range(2):
        await stage.endpoints.stop_deployment(StopDeployment(deployment_id=deployment_id), stage.owner)
    async with stage.running():
        await stage.control(feed_id, "resume")
        await stage.until(feed_id, is_finished)
    assert (stage.town.orders, await stage.decisions(deployment_id)) == ({}, [])
    assert await stage.audited("deployment.stop") == [f"deployment:{deployment_id}"]


async def test_a_feed_is_not_failed_after_its_end(stage: Stage) -> None:
    feed_id = await stage.make_feed([10, 11])
    await stage.run_out(feed_id)
    await stage.runner()._fail(feed_id, AlphintraError("LATE", "too late"))
    assert (await stage.feed(feed_id)).status == "finished"


@pytest.mark.parametrize("ticks", range(5))
async def test_a_runner_and_a_worker_stop_also_when_they_are_woken_at_that_moment(stage: Stage, ticks: int) -> None:
    runner, worker = stage.runner(), stage.worker()
    for run, wake in ((runner.run, runner.wake), (worker.run, worker.wake)):
        task = asyncio.create_task(run())
        await asyncio.sleep(0.05)
        wake()
        for _ in range(ticks):
            await asyncio.sleep(0)
        task.cancel()
        done, _ = await asyncio.wait({task}, timeout=5)
        assert done
        assert task.cancelled()
