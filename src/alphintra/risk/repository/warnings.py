"""Use of limits and the warnings it brought, in the risk database."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from alphintra.engine.pretrade.course import EquityMark
from alphintra.kernel.limits import LimitControls
from alphintra.risk.domain.warnings import SHARED, LimitUse, LimitWarning
from alphintra.risk.repository.facts import read_books

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime, timedelta
    from decimal import Decimal

    from alphintra.infrastructure.postgres import Session
    from alphintra.kernel.ids import AccountId
    from alphintra.risk.domain.books import Book

__all__ = ["Warnings"]

_to_controls = msgspec.json.Decoder(LimitControls).decode


class Warnings:
    """Statements on the use of limits, inside the transaction of a session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def accounts(self, seen: Mapping[UUID, int]) -> tuple[dict[UUID, int], list[UUID]]:
        """Read how far feeds have come, and whose use of limits may have changed since they were seen as given.

        That is who has a warning, and who trades on a feed that moved on and limits money; with nothing seen yet, who
        holds something or has orders open.
        """
        marks = {row["feed_id"]: int(row["seq"]) for row in await self._session.rows("warnings.marks")}
        moved = [feed_id for feed_id, seq in marks.items() if seen.get(feed_id) != seq]
        rows = await self._session.rows("warnings.accounts", moved, not seen)
        return marks, [row["account_id"] for row in rows]

    async def uses(self, account_ids: Sequence[UUID]) -> tuple[LimitUse, ...]:
        """Read what accounts use of the limits of positions, money and open orders, where it is anything."""
        rows = await self._session.rows("warnings.uses", account_ids)
        return tuple(LimitUse(**row) for row in rows)

    async def shared_uses(self) -> tuple[LimitUse, ...]:
        """Read how much of the credit they share users, and the firm, use."""
        limits = {row["owner_id"]: row for row in await self._session.rows("warnings.shared")}
        if not limits:
            return ()
        used = await self._session.rows("credit.used", list(limits))
        return tuple(
            LimitUse(
                account_id=row["owner_id"],
                what=SHARED,
                used=row["used"],
                most=limits[row["owner_id"]]["credit_max"],
                warn_pct=limits[row["owner_id"]]["credit_warn_pct"],
                limit_version=limits[row["owner_id"]]["version"],
            )
            for row in used
        )

    async def standing_of(self, what: str) -> tuple[LimitWarning, ...]:
        """Read the warnings there ever were of one kind of limit, whosever."""
        return tuple(LimitWarning(**row) for row in await self._session.rows("warnings.known_of", what))

    async def further(self, account_ids: Sequence[UUID]) -> tuple[tuple[UUID, int, LimitControls], ...]:
        """Read the limits, with their version, of accounts that limit classes, messages or orders to an execution."""
        rows = await self._session.rows("warnings.further", account_ids)
        return tuple((row["account_id"], row["version"], _to_controls(row["controls"])) for row in rows)

    async def book(self, account_id: AccountId, *, at: datetime) -> Book:
        """Read an account's whole book."""
        return await read_books(self._session, account_id, at=at)

    async def equity(self, account_id: UUID) -> EquityMark | None:
        """Read an account's equity as last marked."""
        row = await self._session.row("equity.mark", account_id)
        return None if row is None else EquityMark(**row)

    async def tokens(self, account_id: UUID) -> tuple[Decimal, datetime] | None:
        """Read what was left in an account's message bucket, and when."""
        rows = await self._session.rows("buckets.list", [account_id])
        return (rows[0]["tokens"], rows[0]["refilled_at"]) if rows else None

    async def ratio(self, account_id: UUID, *, at: datetime, window: timedelta) -> tuple[int, int]:
        """Read how many orders and executions an account had in a window."""
        (row,) = await self._session.rows("books.ratio", account_id, at - window)
        return row["orders"], row["executions"]

    async def standing(self, account_ids: Sequence[UUID], whats: Sequence[str]) -> tuple[LimitWarning, ...]:
        """Read the warnings there ever were of some limits."""
        rows = await self._session.rows("warnings.known", account_ids, list(whats))
        return tuple(LimitWarning(**row) for row in rows)

    async def save(self, warnings: Sequence[LimitWarning]) -> None:
        """Store how warnings stand."""
        if warnings:
            await self._session.execute(
                "warnings.save",
                [one.account_id for one in warnings],
                [one.what for one in warnings],
                [one.name for one in warnings],
                [one.crossing for one in warnings],
                [one.is_standing for one in warnings],
                [one.changed_at for one in warnings],
            )
