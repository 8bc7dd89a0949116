"""Use cases of thresholds: where a person wants the colours of a verdict to begin, kept with each backtest."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from alphintra.contracts.sweeps import SetThresholds, ThresholdsView
from alphintra.engine.overfit.verdict import Thresholds
from alphintra.infrastructure.events import append_audit
from alphintra.infrastructure.faults import fault_point
from alphintra.strategy.service.backtests import acting_user, thresholds_in_force

if TYPE_CHECKING:
    from alphintra.kernel.ids import IdSource
    from alphintra.kernel.messages import Context
    from alphintra.strategy.repository import Desk

__all__ = ["get_thresholds", "set_thresholds", "thresholds_of_run", "view_of"]


async def get_thresholds(context: Context, *, desk: Desk) -> ThresholdsView:
    """Return the acting user's thresholds, those everybody begins with where none were set."""
    row = await desk.row("thresholds.get", acting_user(context))
    if row is None:
        return view_of(Thresholds())
    return view_of(msgspec.json.decode(row["thresholds"], type=Thresholds), row["changed_at"])


async def set_thresholds(
    command: SetThresholds, context: Context, *, desk: Desk, ids: IdSource, at: datetime
) -> ThresholdsView:
    """Change the acting user's thresholds for backtests from now on. Raises THRESHOLD_RANGE."""
    owner_id = acting_user(context)
    given = {name: value for name in asdict(Thresholds()) if (value := getattr(command, name)) is not None}
    async with desk.transaction() as tx:
        before = Thresholds() if command.is_default else await thresholds_in_force(owner_id, tx)
        after = replace(before, **given)
        await tx.execute("thresholds.put", owner_id, msgspec.json.encode(after).decode(), at)
        facts: dict[str, Any] = {"thresholds": asdict(after)}
        await append_audit(tx.session, "thresholds.set", f"user:{owner_id}", facts, ids=ids, context=context, at=at)
    fault_point("strategy.thresholds_stored")
    return view_of(after, at)


async def thresholds_of_run(backtest_id: object, *, desk: Desk) -> Thresholds:
    """Return what a backtest's verdict is held against: what was in force when it was asked for."""
    row = await desk.row("backtests.thresholds", backtest_id)
    return msgspec.json.decode(row["thresholds"], type=Thresholds) if row and row["thresholds"] else Thresholds()


def view_of(thresholds: Thresholds, changed_at: datetime | None = None) -> ThresholdsView:
    """Return thresholds as they are told."""
    return ThresholdsView(**asdict(thresholds), changed_at=changed_at)
