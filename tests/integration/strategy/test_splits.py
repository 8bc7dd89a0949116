"""After a split a strategy sees the bars before it in new shares, as on prices that were adjusted from the start."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from alphintra.contracts.books import BookQuantity
from alphintra.contracts.trading import SplitApplied
from fixtures.single_service import delivery_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from alphintra.contracts.strategy import DecisionView
    from alphintra.infrastructure.events import Delivery
    from alphintra.kernel.ids import FeedId
    from integration.strategy.stage import Stage

OLD = [40, 40, 40, 40, 48, 56, 64, 56, 44, 36, 32]
NEW = [9, 12, 15, 17, 15, 12, 9, 8, 8, 10, 13, 16, 18]
ADJUSTED: list[Decimal | int] = [*(Decimal(price) / 4 for price in OLD), *NEW]
SEQ = len(OLD)


async def split(stage: Stage, feed_id: FeedId, deployment_id: UUID, *, account_id: UUID) -> Delivery[SplitApplied]:
    """Return what trading tells of a split of four for one after the last bar of old shares."""
    held = (await stage.deployment(deployment_id)).position_qty
    quantities = BookQuantity(book_id=deployment_id, qty=held * 4, cost=Decimal(0), change=held * 3)
    event = SplitApplied(
        owner_id=stage.owner_id,
        account_id=account_id,
        symbol="AAPL",
        new_shares=4,
        old_shares=1,
        account_qty=held * 4,
        account_change=held * 3,
        books=(quantities,) if held else (),
        feed_id=feed_id,
        after_seq=SEQ,
        reference="four for one",
    )
    return delivery_of(event, aggregate_id=account_id)


def seen(decisions: Sequence[DecisionView]) -> list[tuple[Any, ...]]:
    """Return what was decided, and on what, after the split."""
    return [(each.seq, each.outcome, each.values) for each in decisions if each.seq > SEQ]


def indicators(decided: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Return what was seen, without what would be bought, which depends on the cash there is."""
    return [
        (seq, {name: value for name, value in json.loads(values).items() if name != "size"})
        for seq, _, values in decided
    ]


async def adjusted(stage: Stage) -> list[tuple[Any, ...]]:
    """Return what is decided on prices that were adjusted from the start."""
    feed_id = await stage.make_feed(ADJUSTED)
    deployment_id = (await stage.deploy(feed_id)).deployment_id
    await stage.run_out(feed_id)
    stage.clock.pass_time(seconds=1)  # the next bars of the symbol are newer
    return seen(await stage.decisions(deployment_id))


@pytest.mark.parametrize("late", [0, 1, 3], ids=["at once", "a bar late", "three bars late"])
async def test_a_strategy_across_a_split_decides_as_on_adjusted_prices(stage: Stage, late: int) -> None:
    expected = await adjusted(stage)
    feed_id = await stage.make_feed([*OLD, *NEW])
    deployed = await stage.deploy(feed_id)
    stepper = await stage.stepper(feed_id)
    await stage.step(feed_id, stepper=stepper, times=SEQ + late)
    delivery = await split(stage, feed_id, deployed.deployment_id, account_id=deployed.account_id)
    for _ in range(2):
        await stage.endpoints.on_split_applied(delivery)
    await stage.step(feed_id, stepper=stepper, times=len(NEW) - late)
    decided = seen(await stage.decisions(deployed.deployment_id))
    assert len(expected) == len(NEW)
    assert {outcome for _, outcome, _ in expected} >= {"intent", "no_signal"}
    assert indicators(decided[late:]) == indicators(expected[late:])
    if not late:
        assert decided == expected


async def test_a_runner_that_starts_anew_and_a_deployment_made_later_see_new_shares_too(stage: Stage) -> None:
    expected = await adjusted(stage)
    feed_id = await stage.make_feed([*OLD, *NEW])
    deployed = await stage.deploy(feed_id)
    await stage.step(feed_id, times=SEQ)
    delivery = await split(stage, feed_id, deployed.deployment_id, account_id=deployed.account_id)
    await stage.endpoints.on_split_applied(delivery)
    await stage.step(feed_id)
    late = await stage.deploy(feed_id)
    await stage.run_out(feed_id)
    assert seen(await stage.decisions(deployed.deployment_id)) == expected
    assert indicators(seen(await stage.decisions(late.deployment_id))) == indicators(expected[1:])


async def test_a_price_seen_after_the_split_is_left_as_it_is(stage: Stage) -> None:
    feed_id = await stage.make_feed([*OLD, *NEW])
    deployed = await stage.deploy(feed_id)
    await stage.step(feed_id, times=SEQ + 2)
    delivery = await split(stage, feed_id, deployed.deployment_id, account_id=deployed.account_id)
    await stage.endpoints.on_split_applied(delivery)
    (row,) = await stage.rows("select last_price from deployments")
    assert row["last_price"] == NEW[1]
