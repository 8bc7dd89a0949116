"""What people and the platform set: shared limits, proposals, instruments, restrictions, blocks, leave, sessions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from alphintra.engine.pretrade.course import EquityMark
from alphintra.kernel.ids import AccountId
from alphintra.kernel.limits import LimitControls
from alphintra.kernel.vocabulary import AccountMode
from alphintra.risk.domain.books import Account, KillScope, KillState, LimitSet
from alphintra.risk.domain.kills import effective
from alphintra.risk.repository.facts import limit_set_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from alphintra.infrastructure.postgres import Record, Session
    from alphintra.kernel.ids import BookId, FeedId, OrderId
    from alphintra.risk.domain.books import Kill

__all__ = ["Governance", "Losing"]

_encode = msgspec.json.Encoder(decimal_format="string", order="sorted").encode


@dataclass(frozen=True, slots=True, kw_only=True)
class Losing:
    """An account with limits of loss: its equity now, as it was marked before, and how old its oldest price is."""

    account_id: AccountId
    version: int
    controls: LimitControls
    before: EquityMark | None
    equity: Decimal
    is_priced: bool
    oldest: datetime | None


class Governance:
    """Statements on what is set, inside the transaction of a session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def shared(self, scope: str, owner_id: UUID) -> Record | None:
        """Read the shared limits of a user or of the firm in force."""
        return await self._session.row("shared.current", scope, owner_id)

    async def add_shared(self, *values: object) -> None:
        """Store a version: scope, owner, version, credit, four eyes above, share warned at, by whom, when."""
        await self._session.execute("shared.insert", *values)

    async def propose(self, proposal_id: UUID, wanted: LimitSet, *, at: datetime) -> None:
        """Keep limits that wait for a second person."""
        document = _encode(wanted).decode()
        await self._session.execute("proposals.insert", proposal_id, wanted.account_id, document, wanted.set_by, at)

    async def proposal(self, proposal_id: UUID) -> tuple[Record, LimitSet] | None:
        """Read a proposal and hold it until the transaction ends."""
        row = await self._session.row("proposals.lock", proposal_id)
        return None if row is None else (row, msgspec.json.decode(row["wanted"], type=LimitSet))

    async def proposals(
        self, account_id: AccountId, *, open_only: bool, count_max: int
    ) -> tuple[tuple[Record, LimitSet], ...]:
        """Read proposed limits of an account, newest first."""
        rows = await self._session.rows("proposals.list", account_id, open_only, count_max)
        return tuple((row, msgspec.json.decode(row["wanted"], type=LimitSet)) for row in rows)

    async def overrides(
        self, account_id: AccountId, *, open_only: bool, count_max: int, at: datetime
    ) -> Sequence[Record]:
        """Read leave asked for on an account, newest first."""
        return await self._session.rows("overrides.list", account_id, open_only, at, count_max)

    async def decisions(self, order_id: OrderId, *, count_max: int) -> Sequence[Record]:
        """Read every decision on an order, newest first."""
        return await self._session.rows("decisions.of_order", order_id, count_max)

    async def limit_versions(self, account_id: AccountId, *, count_max: int) -> tuple[LimitSet, ...]:
        """Read the limit sets an account had, newest first."""
        rows = await self._session.rows("limits.versions", account_id, count_max)
        return tuple(limit_set_of(row) for row in rows)

    async def decide_proposal(self, proposal_id: UUID, *, by: str, at: datetime, is_approved: bool) -> None:
        """Store what was decided on a proposal."""
        await self._session.execute("proposals.decide", proposal_id, by, at, is_approved)

    async def instrument(self, symbol: str) -> Record | None:
        """Read a symbol's specification in force."""
        return await self._session.row("instruments.current", symbol)

    async def add_instrument(
        self, symbol: str, version: int, *, terms: Mapping[str, Any], by: str, at: datetime
    ) -> bool:
        """Store a version of a symbol's specification; False if another took its number."""
        document = _encode(terms).decode()
        return await self._session.value("instruments.insert", symbol, version, document, by, at) is not None

    async def restrict(self, *values: object) -> None:
        """Put a symbol on the restricted list: id, symbol, account or None, reason, by whom, when."""
        await self._session.execute("restrictions.insert", *values)

    async def barred(self, orders: Sequence[tuple[UUID, UUID, UUID | None, str]]) -> tuple[tuple[UUID, str], ...]:
        """Read which orders (id, account, book, symbol) may not work any more, each with the code why."""
        rows = await self._session.rows("reservations.barred", *(list(column) for column in zip(*orders, strict=True)))
        return tuple((row["order_id"], row["code"]) for row in rows)

    async def open_scopes(self, account_id: AccountId) -> tuple[tuple[str, UUID | None], ...]:
        """Read in which symbols and for which strategies orders of an account are open."""
        rows = await self._session.rows("reservations.open_scopes", account_id)
        return tuple((row["symbol"], row["book_id"]) for row in rows)

    async def lift_restriction(self, restriction_id: UUID, *, by: str, at: datetime) -> Record | None:
        """Take a restriction off the list; None if there is none."""
        return await self._session.row("restrictions.lift", restriction_id, by, at)

    async def restrictions(self) -> Sequence[Record]:
        """Read the restrictions in force."""
        return await self._session.rows("restrictions.list")

    async def latch(  # noqa: PLR0913 - a block has these parts
        self,
        latch_id: UUID,
        account_id: AccountId,
        *,
        code: str,
        symbol: str | None,
        book_id: BookId | None,
        reason: str,
        at: datetime,
    ) -> bool:
        """Block an account, or a symbol or book of it; False if it is blocked so already."""
        values = (latch_id, account_id, code, symbol, book_id, reason, at)
        return await self._session.value("latches.set", *values) is not None

    async def latches(self, account_id: AccountId) -> Sequence[Record]:
        """Read the blocks in force for an account."""
        return await self._session.rows("latches.list", account_id)

    async def find_latch(self, latch_id: UUID) -> Record | None:
        """Read a block."""
        return await self._session.row("latches.get", latch_id)

    async def lift_latch(self, latch_id: UUID, *, by: str, reason: str, at: datetime) -> Record | None:
        """Lift a block; None if it was lifted before."""
        return await self._session.row("latches.lift", latch_id, by, at, reason)

    async def repeats(self, account_id: AccountId, book_id: UUID | None, *, at: datetime) -> Record | None:
        """Read how many executions a book had lately and the most it may have, None where that is not limited."""
        return await self._session.row("latches.repeats", account_id, book_id, at)

    async def refused(self, order_id: OrderId) -> Record | None:
        """Read the newest decision on an order, for leave to be asked of."""
        return await self._session.row("overrides.source", order_id)

    async def add_override(self, *values: object) -> None:
        """Keep a request: id, account, order, content, codes, reason, by whom, when, until when."""
        await self._session.execute("overrides.insert", *values)

    async def override(self, override_id: UUID) -> Record | None:
        """Read a request for leave and hold it until the transaction ends."""
        return await self._session.row("overrides.lock", override_id)

    async def approve_override(self, override_id: UUID, *, by: str, at: datetime) -> None:
        """Give leave."""
        await self._session.execute("overrides.approve", override_id, by, at)

    async def keep_session(
        self, account_id: AccountId, session_id: str, *, life: timedelta, at: datetime, state: str
    ) -> Record | None:
        """Arm or close the switch of a session."""
        seconds = int(life.total_seconds())
        return await self._session.row("sessions.keep", account_id, session_id, max(seconds, 1), at + life, state, at)

    async def lost_sessions(self, *, at: datetime) -> Sequence[Record]:
        """Mark the sessions not heard of in time as lost; returns whose they were."""
        return await self._session.rows("sessions.lost", at)

    async def report_instance(self, *values: object) -> None:
        """Note what an instance runs: service, instance, build, configuration hash, when."""
        await self._session.execute("fleet.report", *values)

    async def report_deployments(self, book_ids: Sequence[UUID], *values: object) -> tuple[UUID, ...]:
        """Note what an instance runs: instance, build, configuration hash, when, since when others count as alive.

        Returns which of the deployments another living instance runs too.
        """
        await self._session.execute("fleet.report_deployments", sorted(set(book_ids)), *values)
        rows = await self._session.rows("books.strategies", sorted(set(book_ids)), values[-1])
        return tuple(row["book_id"] for row in rows if row["is_doubled"])

    async def differing(self, *, since: datetime) -> tuple[str, ...]:
        """Read which services have instances that differ."""
        return tuple(row["service"] for row in await self._session.rows("fleet.differing", since))

    async def losing(self, feed_id: FeedId) -> tuple[Losing, ...]:
        """Read the accounts of a feed that have limits of loss."""
        return tuple(_losing(row) for row in await self._session.rows("equity.losers", feed_id))

    async def save_equity(self, account_id: AccountId, mark: EquityMark, *, at: datetime) -> None:
        """Store an account's equity as marked."""
        amounts = (mark.opening_equity, mark.last_equity, mark.peak_equity)
        await self._session.execute("equity.save", account_id, mark.day, *amounts, at)

    async def scope_kill(self, scope: KillScope, key: str) -> Record | None:
        """Read the kill state of a user, strategy or venue."""
        return await self._session.row("kills.current_scope", scope, key)

    async def kill_history(self, *, count_max: int) -> Sequence[Record]:
        """Read the newest kill states of every scope, newest first."""
        return await self._session.rows("kills.history", count_max)

    async def standing_kills(self, *, count_max: int) -> Sequence[Record]:
        """Read the kill states in force that let less than everything pass, newest first."""
        return await self._session.rows("kills.standing", count_max)

    async def account_of_book(self, book_id: UUID) -> Account | None:
        """Read the account a strategy has orders or positions in, None where risk has heard of neither."""
        row = await self._session.row("books.account", book_id)
        return None if row is None else Account(**{**row, "mode": AccountMode(row["mode"])})

    async def add_scope_kill(self, kill: Kill) -> int:
        """Store a kill state of a user, strategy or venue and return its epoch; the gate must be closed."""
        values = (kill.scope, kill.key, kill.state, kill.reason, kill.set_by, kill.set_at)
        epoch: int = await self._session.value("kills.insert_scope", *values)
        return epoch

    async def effective_kills(
        self, *, account_id: UUID | None = None, owner_id: UUID | None = None, venue: str | None = None
    ) -> dict[AccountId, KillState]:
        """Read the strictest of account, user and venue for one account, a user's or a venue's."""
        rows = await self._session.rows("kills.of_accounts", account_id, owner_id, venue)
        return {row["account_id"]: effective(row["account_kill"], row["user_kill"], row["venue_kill"]) for row in rows}

    async def note_unknown(self, news: Mapping[OrderId, tuple[int, bool]]) -> None:
        """Note of orders, by version, whether their outcome is unknown; older news change nothing."""
        if news:
            versions, states = [version for version, _ in news.values()], [state for _, state in news.values()]
            await self._session.execute("orders.note_unknown", list(news), versions, states)

    async def spend_tokens(self, counts: Mapping[AccountId, int]) -> None:
        """Take message tokens for the cancels of accounts."""
        if counts:
            await self._session.execute("buckets.spend", list(counts), list(counts.values()))


def _losing(row: Record) -> Losing:
    day: date | None = row["day"]
    before = None
    if day is not None:
        before = EquityMark(
            day=day,
            opening_equity=row["opening_equity"],
            last_equity=row["last_equity"],
            peak_equity=row["peak_equity"],
        )
    return Losing(
        account_id=row["account_id"],
        version=row["version"],
        controls=msgspec.json.decode(row["controls"], type=LimitControls),
        before=before,
        equity=row["equity"],
        is_priced=not row["unpriced"],
        oldest=row["oldest"],
    )
