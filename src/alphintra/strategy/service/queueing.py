"""Queueing a backtest: whatever asks for one, it becomes the same row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from alphintra.engine.pretrade.limits import limit_hash
from alphintra.strategy.domain.universes import name_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from alphintra.engine.backtest import BacktestSettings
    from alphintra.strategy.repository import DeskTransaction

__all__ = ["NOBODY", "Queued", "enqueue"]

NOBODY = UUID(int=0)
"""Whose a backtest is that belongs to everybody, and the version of a strategy that nobody stored."""

_encode = msgspec.json.Encoder(decimal_format="string", order="sorted").encode


@dataclass(frozen=True, slots=True, kw_only=True)
class Queued:
    """A backtest as it waits.

    Args:
        graph: the strategy with its parameters set, as JSON.
        span: the range of its bars, each end None for all there are.
        run_hash: names what is run.
        thresholds: what its verdict is held against, as JSON.
        template: the ready strategy it is a sample of, empty for a person's.
        repeats: the backtest it is made again of.
    """

    backtest_id: UUID
    owner_id: UUID
    version_id: UUID
    workflow_id: UUID | None
    symbols: Sequence[str]
    dataset_ids: Sequence[UUID]
    graph: str
    settings: BacktestSettings
    span: tuple[datetime | None, datetime | None]
    run_hash: str
    thresholds: str
    template: str = ""
    repeats: UUID | None = None


async def enqueue(tx: DeskTransaction, queued: Queued, *, at: datetime) -> None:
    """Store a backtest that waits, and wake the worker."""
    limits = queued.settings.limits
    await tx.execute(
        "backtests.insert",
        queued.backtest_id,
        queued.owner_id,
        queued.version_id,
        queued.dataset_ids[0],
        name_of(queued.symbols),
        queued.graph,
        _encode(queued.settings).decode(),
        *queued.span,
        queued.run_hash,
        at,
        limits.version,
        limit_hash(limits),
        queued.workflow_id,
        list(queued.symbols),
        list(queued.dataset_ids),
        queued.thresholds,
        queued.template,
        queued.repeats,
    )
    tx.wake_service()
