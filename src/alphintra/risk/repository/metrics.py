"""What measures are made of, and the reports that were kept: rows to values and back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import UUID

from alphintra.kernel.ids import AccountId

if TYPE_CHECKING:
    from alphintra.infrastructure.postgres import Database, Session
    from alphintra.kernel.ids import FeedId

__all__ = ["Held", "Material", "MetricRecords", "MetricTransaction", "Snapshot"]

UNASSIGNED = UUID(int=0)  # stands for orders without a book, for a key column is never null


@dataclass(frozen=True, slots=True)
class Held:
    """A position that is not flat and its newest mark."""

    symbol: str
    qty: Decimal
    price: Decimal | None
    marked_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What a report on an account is made of; equity by day comes as first, high, low, last."""

    held: tuple[Held, ...]
    books: dict[tuple[UUID | None, str], Decimal]
    closes: dict[str, list[tuple[date, Decimal]]]
    equity: tuple[tuple[date, Decimal, Decimal, Decimal, Decimal], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A report as it was kept; ``report`` is its document."""

    metric_id: UUID
    account_id: UUID
    cause: str
    measured_at: datetime
    equity: Decimal | None
    gross: Decimal
    net: Decimal
    report: str


class MetricTransaction:
    """Keeping of reports inside one transaction."""

    def __init__(self, session: Session) -> None:
        self.session = session

    async def keep(self, snapshot: Snapshot) -> None:
        """Store a report."""
        await self.session.execute(
            "metrics.insert",
            snapshot.metric_id,
            snapshot.account_id,
            snapshot.cause,
            snapshot.measured_at,
            snapshot.equity,
            snapshot.gross,
            snapshot.net,
            snapshot.report,
        )


class MetricRecords:
    """Reads what measures are made of, and the door to keep them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[MetricTransaction]:
        """Open a transaction: committed at the end, rolled back on any exception."""
        async with self._database.transaction() as session:
            yield MetricTransaction(session)

    async def material(self, account_id: AccountId, feed_id: FeedId | None, *, also: Sequence[str]) -> Material:
        """Read an account's positions, books, equity, and the closes of what it holds and of the symbols named."""
        async with self._database.session() as session:
            held = await session.rows("holdings.list", account_id)
            books = await session.rows("book_exposures.list", account_id)
            equity = await session.rows("equity.list", account_id)
            symbols = sorted({row["symbol"] for row in held} | set(also))
            rows = [] if feed_id is None else await session.rows("closes.list", feed_id, symbols)
        closes: dict[str, list[tuple[date, Decimal]]] = defaultdict(list)
        for row in rows:
            closes[row["symbol"]].append((row["day"], row["close"]))
        return Material(
            held=tuple(Held(row["symbol"], row["position_qty"], row["price"], row["marked_at"]) for row in held),
            books={
                (None if row["book_id"] == UNASSIGNED else row["book_id"], row["symbol"]): row["position_qty"]
                for row in books
            },
            closes=dict(closes),
            equity=tuple(
                (row["day"], row["first_equity"], row["high_equity"], row["low_equity"], row["last_equity"])
                for row in equity
            ),
        )

    async def kept(self, account_id: AccountId, *, count_max: int) -> tuple[Snapshot, ...]:
        """Read an account's kept reports, newest first."""
        async with self._database.session() as session:
            rows = await session.rows("metrics.list", account_id, count_max)
        return tuple(Snapshot(**row) for row in rows)

    async def due(self, *, since: datetime, count_max: int) -> tuple[AccountId, ...]:
        """Return some accounts that hold something and have no report since a time."""
        async with self._database.session() as session:
            return tuple(AccountId(row["account_id"]) for row in await session.rows("metrics.due", since, count_max))
