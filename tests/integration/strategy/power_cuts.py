"""Power cuts in the middle of steps, each followed by a runner that remembers nothing."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from alphintra.kernel.ids import FeedId
from alphintra.strategy.service import placing, stepping
from fixtures.single_service import PowerCutError, opened
from integration.strategy.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from alphintra.contracts.strategy import DeploymentView
    from fixtures.postgres import ServiceDatabase

__all__ = ["require_cuts_change_nothing", "run_out_through_cuts"]


async def run_out_through_cuts(stage: Stage, feed_id: FeedId, crash_at: Callable[[str], bool]) -> int:
    """Do all steps that are left, cut where ``crash_at`` says so of a fault point; return how often that was."""
    crashes = 0

    def maybe(name: str) -> None:
        if crash_at(name):
            raise PowerCutError(name)

    with pytest.MonkeyPatch.context() as patch:
        for module in (stepping, placing):
            patch.setattr(module, "fault_point", maybe)
        stepper = await stage.stepper(feed_id)
        while (await stage.feed(feed_id)).status != "finished":
            try:
                await stage.step(feed_id, stepper=stepper)
            except PowerCutError:
                crashes += 1
                stepper = await stage.stepper(feed_id)
    return crashes


async def require_cuts_change_nothing(
    stage: Stage,
    database: ServiceDatabase,
    folder: Path,
    deployed: Callable[[Stage], Awaitable[DeploymentView]],
) -> set[str]:
    """Run the same twice, whole and cut at each point on every second pass; return the points that were passed."""
    passed: Counter[str] = Counter()

    def note(name: str) -> bool:
        passed[name] += 1
        return passed[name] % 2 == 1

    stage.town.lag = 1
    made = await deployed(stage)
    assert await run_out_through_cuts(stage, FeedId(made.feed_id), lambda _name: False) == 0
    whole = await stage.state(made.deployment_id)
    async with opened(database) as connected:
        other = await Stage.over(database, connected, folder)
        other.town.lag = 1
        made = await deployed(other)
        crashes = await run_out_through_cuts(other, FeedId(made.feed_id), note)
        cut = await other.state(made.deployment_id)
    assert crashes > 20
    assert cut["fills"] == whole["fills"]
    assert cut["orders"] == whole["orders"]
    return set(passed)
