"""Capital is the deployment's while it trades, and the account's when it does not, whatever is cut in between."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from alphintra.contracts.books import BookQuantity
from alphintra.contracts.feed_splits import FeedSplit
from alphintra.contracts.strategy import StopDeployment
from alphintra.contracts.trading import ClaimCapital, ReleaseBook, SplitApplied
from alphintra.infrastructure.system import SystemIds
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.strategy.service import claims, deployments, stepping
from alphintra.strategy.service.claims import CLAIM_TIME, release_due
from fixtures.single_service import PowerCutError, delivery_of, stop_at

if TYPE_CHECKING:
    from uuid import UUID

    from integration.strategy.stage import Stage


async def swept(stage: Stage, *, after: timedelta = timedelta(0)) -> int:
    return await release_due(desk=stage.desk, orders=stage.orders, at=stage.clock.now() + after)


async def noted(stage: Stage) -> list[UUID]:
    return [row["deployment_id"] for row in await stage.rows("select deployment_id from capital_claims")]


@pytest.mark.parametrize("point", ["strategy.claim_noted", "strategy.capital_claimed"])
async def test_a_claim_without_a_deployment_is_given_back_when_it_is_due(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    feed_id = await stage.make_feed()
    account_id = stage.town.open_account(stage.owner_id, feed_id)
    with monkeypatch.context() as crashing:
        stop_at(crashing, deployments, point)
        with pytest.raises(PowerCutError):
            await stage.deploy(feed_id, account_id=account_id, capital="100000")
    assert len(stage.town.claims) == (point == "strategy.capital_claimed")
    assert await swept(stage) == 0, "it may still be under way"
    with monkeypatch.context() as crashing:
        stop_at(crashing, claims, "strategy.claim_released")
        with pytest.raises(PowerCutError):
            await swept(stage, after=CLAIM_TIME)
    assert await swept(stage, after=CLAIM_TIME) == 1
    assert (stage.town.claims, await noted(stage)) == ({}, [])
    await stage.deploy(feed_id, account_id=account_id, capital="100000")
    assert await swept(stage, after=CLAIM_TIME) == 0
    assert list(stage.town.claims.values()) == [Decimal(100000)]


async def test_a_deployment_whose_claim_was_given_back_is_refused(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed_id = await stage.make_feed()

    async def slow(_account_id: UUID, book_id: UUID, capital: Decimal, _context: object) -> None:
        stage.town.claims[book_id] = capital
        assert await swept(stage, after=CLAIM_TIME) == 1

    monkeypatch.setattr(stage.orders, "claim", slow)
    with pytest.raises(AlphintraError, match="CLAIM_EXPIRED"):
        await stage.deploy(feed_id)
    assert stage.town.claims == {}
    assert await stage.rows("select 1 from deployments") == []


async def test_a_failed_deployment_gives_its_capital_back_once_trading_answers(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed_id = await stage.make_feed()
    deployment_id = (await stage.deploy(feed_id)).deployment_id

    def fails(*_values: object, **_named: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(stepping, "evaluate", fails)
    await stage.step(feed_id)
    assert (await stage.deployment(deployment_id)).status == "failed"
    assert await noted(stage) == [deployment_id]
    stage.town.fail(ReleaseBook, times=1)
    assert await swept(stage) == 0
    assert await swept(stage) == 1
    assert (stage.town.claims, await noted(stage)) == ({}, [])


async def test_a_stop_that_is_cut_gives_the_capital_back_all_the_same(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed_id = await stage.make_feed()
    deployment_id = (await stage.deploy(feed_id)).deployment_id
    with monkeypatch.context() as crashing:
        stop_at(crashing, deployments, "strategy.deployment_stopped")
        with pytest.raises(PowerCutError):
            await stage.endpoints.stop_deployment(StopDeployment(deployment_id=deployment_id), stage.owner)
    assert len(stage.town.claims) == 1
    assert await swept(stage) == 1
    assert stage.town.claims == {}
    stopped = await stage.endpoints.stop_deployment(StopDeployment(deployment_id=deployment_id), stage.owner)
    assert (stopped.status, await noted(stage)) == ("stopped", [])


async def test_a_refused_claim_leaves_a_note_that_ends_without_a_book(stage: Stage) -> None:
    feed_id = await stage.make_feed()
    stage.town.fail(ClaimCapital, times=1, code="CAPITAL_EXCEEDS_CASH", kind=Kind.CONFLICT)
    with pytest.raises(AlphintraError, match="CAPITAL_EXCEEDS_CASH"):
        await stage.deploy(feed_id)
    stage.town.fail(ReleaseBook, times=1, code="BOOK_NOT_FOUND", kind=Kind.NOT_FOUND)
    assert await swept(stage, after=CLAIM_TIME) == 1
    assert await noted(stage) == []


async def test_after_a_split_a_deployment_counts_in_new_shares_once(stage: Stage) -> None:
    feed_id = await stage.make_feed()
    deployment_id = (await stage.deploy(feed_id)).deployment_id
    await stage.run_out(feed_id)
    before = await stage.deployment(deployment_id)
    (row,) = await stage.rows("select cost, last_price from deployments")
    assert before.position_qty > 0
    quantities = BookQuantity(
        book_id=deployment_id, qty=before.position_qty * 4, cost=row["cost"], change=before.position_qty * 3
    )
    rest = BookQuantity(book_id=None, qty=Decimal(8), cost=Decimal(80), change=Decimal(6))
    event = SplitApplied(
        owner_id=stage.owner_id,
        account_id=before.account_id,
        symbol="AAPL",
        new_shares=4,
        old_shares=1,
        account_qty=before.position_qty * 4 + 8,
        account_change=before.position_qty * 3 + 6,
        books=(quantities, rest),
        feed_id=feed_id,
        after_seq=(await stage.feed(feed_id)).seq,
        reference="s-1",
    )
    delivery = delivery_of(event, aggregate_id=before.account_id)
    for _ in range(2):
        await stage.endpoints.on_split_applied(delivery)
    after = await stage.deployment(deployment_id)
    assert (after.position_qty, after.cash) == (before.position_qty * 4, before.cash)
    assert after.equity == before.equity
    (split,) = await stage.rows("select cost, last_price from deployments")
    assert (split["cost"], split["last_price"] * 4) == (row["cost"], row["last_price"])


async def test_a_split_told_while_a_feed_has_no_account_is_heard_by_a_later_deployment(stage: Stage) -> None:
    feed_id = await stage.make_feed()
    event = FeedSplit(feed_id=feed_id, symbol="AAPL", new_shares=4, old_shares=1, after_seq=3, reference="s-1")
    delivery = delivery_of(event, aggregate_id=feed_id)
    for _ in range(2):
        await stage.endpoints.on_feed_split(delivery)
    (noted,) = await stage.rows("select symbol, after_seq, new_shares, old_shares, reference from feed_splits")
    assert tuple(noted) == ("AAPL", 3, 4, 1, "s-1")
    account = SplitApplied(
        owner_id=stage.owner_id,
        account_id=SystemIds().new(),
        symbol="AAPL",
        new_shares=4,
        old_shares=1,
        account_qty=Decimal(0),
        account_change=Decimal(0),
        books=(),
        feed_id=feed_id,
        after_seq=3,
        reference="s-1",
    )
    await stage.endpoints.on_split_applied(delivery_of(account, aggregate_id=account.account_id))
    assert await stage.rows("select count(*) as n from feed_splits") == [(1,)]
