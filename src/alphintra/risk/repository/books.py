"""Books, decisions, reservations, limits, kill states and prices in the risk database: rows to values and back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.vocabulary import AccountMode, Leg, Side
from alphintra.risk.domain.alerts import LossOfDay
from alphintra.risk.domain.books import (
    Account,
    Book,
    Decision,
    Finding,
    Kill,
    KillScope,
    KillState,
    LimitSet,
    Order,
    Reservation,
    ReservationState,
)
from alphintra.risk.domain.reservations import recounted
from alphintra.risk.repository.facts import Facts, limit_set_of, read_books, read_facts

if TYPE_CHECKING:
    from decimal import Decimal

    from alphintra.infrastructure.postgres import Database, Record, Session
    from alphintra.kernel.ids import AccountId, FeedId, OrderId

__all__ = ["Decided", "RiskRecords", "RiskTransaction", "StoredDecision"]

LATE_ACCOUNTS_MAX = 100
_encode = msgspec.json.Encoder(decimal_format="string", order="sorted").encode
_decode_findings = msgspec.json.Decoder(tuple[Finding, ...]).decode


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """A decision just made: what is stored of it; ``held`` is what it reserves, None if it was refused."""

    order: Order
    decision_id: UUID
    attempt: int
    findings: tuple[Finding, ...]
    limit_version: int
    kill_epoch: int
    leaf: bytes
    inputs: dict[str, object]
    held: Reservation | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredDecision:
    """A decision as it is listed."""

    decision_id: UUID
    order_id: UUID
    account_id: UUID
    approved: bool
    findings: tuple[Finding, ...]
    limit_version: int
    kill_epoch: int
    decided_at: datetime


class RiskTransaction:
    """Changes to risk's records inside one transaction."""

    def __init__(self, session: Session) -> None:
        self.session = session

    async def lock_accounts(self, account_ids: Iterable[AccountId]) -> frozenset[AccountId]:
        """Hold the accounts' books and the kill states until the transaction ends; returns the accounts known."""
        rows = await self.session.rows("accounts.lock", sorted(set(account_ids)))
        return frozenset(row["account_id"] for row in rows)

    async def account(self, account_id: AccountId) -> Account | None:
        """Read an account."""
        row = await self.session.row("accounts.get", account_id)
        return None if row is None else Account(**{**row, "mode": AccountMode(row["mode"])})

    async def decisions(
        self, order_ids: Sequence[OrderId], *, kin: Sequence[OrderId] = (), groups: Sequence[UUID] = ()
    ) -> tuple[dict[OrderId, Decision], dict[OrderId, Reservation]]:
        """Read the newest decision on each order that has one, and the reservations of all that belong to them.

        Args:
            order_ids: orders asked for.
            kin: orders they replace.
            groups: groups they are in.
        """
        rows = await self.session.rows("decisions.known", order_ids)
        held = [row["order_id"] for row in rows if row["is_held"]]
        family = {item.order_id: item for item in await self.family([*held, *kin], groups=groups)}
        return {row["order_id"]: _decision(row, family) for row in rows}, family

    async def family(self, order_ids: Sequence[OrderId], *, groups: Sequence[UUID] = ()) -> tuple[Reservation, ...]:
        """Read the reservations of orders, of those they replace, of all that replace them, and of their groups.

        The account's book must be held: every change of a reservation is made under it.
        """
        if not order_ids and not groups:
            return ()
        rows = await self.session.rows("reservations.family", list(order_ids), list(groups))
        return tuple(_reservation(row) for row in rows)

    async def facts(self, orders: Sequence[Order], *, at: datetime) -> Facts:
        """Read the kill epoch and the books the orders touch, with all their limits ask for."""
        return await read_facts(self.session, orders, at=at)

    async def use_overrides(self, used: Sequence[tuple[UUID, OrderId]], *, at: datetime) -> None:
        """Spend leave on the orders that took it."""
        if used:
            ids, order_ids = [item for item, _order in used], [order_id for _item, order_id in used]
            await self.session.execute("overrides.use", ids, order_ids, at)

    async def save_tokens(self, books: Iterable[Book], *, at: datetime) -> None:
        """Store what messages left in the buckets of the books that have one."""
        left = [(book.account_id, book.tokens) for book in books if book.tokens is not None and book.cash is not None]
        if left:
            accounts, tokens = [account for account, _tokens in left], [tokens for _account, tokens in left]
            await self.session.execute("buckets.save", accounts, tokens, at)

    async def decide(self, batch: Sequence[Decided], *, at: datetime) -> None:
        """Store decisions, and the reservations of those that approve.

        Raises ConstraintError assessments_order_attempt_key if one of the orders was decided elsewhere meanwhile.
        """
        documents = [_encode(item.inputs).decode() for item in batch]
        held = [(item.decision_id, item.held) for item in batch if item.held is not None]
        stored = await self.session.value(
            "decisions.insert",
            [item.decision_id for item in batch],
            [item.order.order_id for item in batch],
            [item.attempt for item in batch],
            [item.order.account_id for item in batch],
            [not item.findings for item in batch],
            [_encode(item.findings).decode() for item in batch],
            [item.limit_version for item in batch],
            [item.kill_epoch for item in batch],
            [item.leaf for item in batch],
            documents,
            [sha256(document.encode()).digest() for document in documents],
            at,
            *_held_columns(held),
        )
        if stored != len(held):
            raise AlphintraError("RISK_HOLD", "an open reservation would have been replaced", kind=Kind.BUG)

    async def append_events(self, rows: Sequence[tuple[UUID, str, UUID, str, datetime]]) -> None:
        """Queue many events at once: id, subject, aggregate, payload, time."""
        await self.session.execute_many("events.append", rows)
        self.session.is_wake_due = True

    async def append_audits(self, rows: Sequence[tuple[UUID, str, str, str, str, str, datetime]]) -> None:
        """Record many actions at once: id, actor, action, object, detail, trace, time."""
        await self.session.execute_many("audit.append", rows)

    async def save_reservations(self, changed: Sequence[Reservation], *, at: datetime) -> None:
        """Store changed reservations."""
        if not changed:
            return
        await self.session.execute(
            "reservations.save",
            [item.order_id for item in changed],
            [item.target_qty for item in changed],
            [item.filled_qty for item in changed],
            [item.open_qty for item in changed],
            [item.state for item in changed],
            [item.carried_qty for item in changed],
            [item.spent for item in changed],
            [item.counted_qty for item in changed],
            [item.counted_cash for item in changed],
            at,
        )

    async def confirm(self, order_ids: Iterable[OrderId], *, at: datetime) -> frozenset[OrderId]:
        """Keep what is held for orders until they close; returns those of them for which something was held.

        What was held counts as it did, for itself and with all it belongs to, so nothing else changes.
        """
        rows = await self.session.rows("reservations.confirm", list(order_ids), at)
        return frozenset(row["order_id"] for row in rows)

    async def account_of(self, order_id: OrderId) -> AccountId | None:
        """Read whose reservation it is, None if there is none."""
        account_id: AccountId | None = await self.session.value("reservations.account", order_id)
        return account_id

    async def held_again(self, order_ids: Sequence[OrderId], *, at: datetime) -> None:
        """Let the time to confirm start anew for orders that are approved once more."""
        await self.session.execute("reservations.touch", order_ids, at)

    async def lapse(self, *, held_before: datetime, at: datetime) -> tuple[OrderId, ...]:
        """Give back reservations never confirmed; returns whose they were."""
        late = await self.session.rows("reservations.late", held_before, LATE_ACCOUNTS_MAX)
        known = await self.lock_accounts(row["account_id"] for row in late)
        rows = await self.session.rows("reservations.due", held_before, list(known))
        due = tuple(row["order_id"] for row in rows)
        family = await self.family(due)
        lapsed = [item.lapsed() if item.order_id in due else item for item in family]
        after = recounted(lapsed)
        await self.save_reservations([item for item in after if item not in family], at=at)
        return due

    async def open_account(self, account: Account, *, currency: str, mode: AccountMode, at: datetime) -> bool:
        """Start an account's book; False if it has one."""
        values = (account.account_id, account.owner_id, account.feed_id, currency, account.cash, at, mode)
        done = await self.session.execute("accounts.open", *values)
        return done == 1

    async def book_execution(
        self, execution_id: str, *, account_id: AccountId, order_id: OrderId, at: datetime
    ) -> bool:
        """Remember an execution as counted; False if it was counted before."""
        return await self.session.value("executions.book", execution_id, account_id, order_id, at) is not None

    async def move(
        self, account_id: AccountId, symbol: str, *, qty: Decimal, cash: Decimal, at: datetime
    ) -> Decimal | None:
        """Add signed quantity to a position and signed cash to the account; returns its cash now, None if unknown."""
        now: Decimal | None = await self.session.value("accounts.move_cash", account_id, cash, at)
        if now is not None:
            await self.session.execute("exposures.move", account_id, symbol, qty, at)
        return now

    async def move_book(
        self, account_id: AccountId, book_id: UUID | None, symbol: str, *, qty: Decimal, at: datetime
    ) -> None:
        """Add signed quantity to what a book of the account holds."""
        await self.session.execute("book_exposures.move", account_id, book_id or UUID(int=0), symbol, qty, at)

    async def note_equity(self, feed_id: FeedId) -> tuple[LossOfDay, ...]:
        """Take the equity of the feed's accounts at its newest marks into their day; returns those that fell."""
        return tuple(
            LossOfDay(
                account_id=row["account_id"],
                day=row["day"].isoformat(),
                first=row["first_equity"],
                last=row["last_equity"],
            )
            for row in await self.session.rows("equity.note", feed_id)
            if row["last_equity"] < row["first_equity"]
        )

    async def limits(self, account_id: AccountId) -> LimitSet | None:
        """Read the limit set in force."""
        row = await self.session.row("limits.current", account_id)
        return None if row is None else limit_set_of(row)

    async def add_limits(self, limits: LimitSet) -> None:
        """Store a new version of a limit set."""
        await self.session.execute(
            "limits.insert",
            limits.account_id,
            limits.version,
            limits.order_qty_max,
            limits.order_notional_max,
            limits.position_qty_max,
            limits.may_short,
            limits.set_by,
            limits.set_at,
            _encode(limits.controls).decode(),
            limits.reason,
        )

    async def close_gate(self) -> None:
        """Wait until no order is being decided, and let none be until the transaction ends."""
        await self.session.execute("kills.gate")

    async def kill(self, account_id: AccountId | None) -> Kill | None:
        """Read the kill state of an account, of the firm for None."""
        kills = await _kills(self.session, account_id)
        return next((kill for kill in kills if kill.account_id == account_id), None)

    async def add_kill(self, kill: Kill) -> int:
        """Store a kill state and return its epoch; the gate must be closed."""
        epoch: int = await self.session.value(
            "kills.insert", kill.scope, kill.account_id, kill.state, kill.reason, kill.set_by, kill.set_at
        )
        return epoch

    async def mark(
        self,
        feed_id: FeedId,
        seq: int,
        *,
        prices: Sequence[tuple[str, Decimal]],
        quotes: Sequence[tuple[Decimal | None, Decimal | None]],
        at: datetime,
    ) -> None:
        """Take a step's prices, and the bid and ask of each, unless the feed has come as far already."""
        symbols, amounts = [symbol for symbol, _price in prices], [price for _symbol, price in prices]
        bids, asks = [bid for bid, _ask in quotes], [ask for _bid, ask in quotes]
        await self.session.execute("prices.mark", feed_id, seq, at, symbols, amounts, bids, asks)

    async def marked(self, feed_id: FeedId) -> int:
        """Read how far a marked feed has come."""
        seq: int = await self.session.value("prices.seq", feed_id)
        return seq

    async def uncounted(self, executions: Sequence[str]) -> tuple[str, ...]:
        """Return which of the executions are not counted yet, in the order asked."""
        if not executions:
            return ()
        rows = await self.session.rows("executions.missing", executions)
        return tuple(row["execution_id"] for row in rows)

    async def still_open(self, order_ids: Sequence[UUID]) -> tuple[UUID, ...]:
        """Return which of the orders hold something reserved."""
        if not order_ids:
            return ()
        rows = await self.session.rows("reservations.still_open", order_ids)
        return tuple(row["order_id"] for row in rows)


class RiskRecords:
    """Reads of risk's records, and the door to change them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[RiskTransaction]:
        """Open a transaction: committed at the end, rolled back on any exception."""
        async with self._database.transaction() as session:
            yield RiskTransaction(session)

    async def set_venue(self, account_id: AccountId, venue: str) -> None:
        """Note where an account trades. Raises ACCOUNT_UNKNOWN until its opening was heard."""
        async with self._database.session() as session:
            if not await session.execute("accounts.set_venue", account_id, venue):
                message = f"risk has not heard of account {account_id} yet: the event is taken up when it comes again"
                raise AlphintraError("ACCOUNT_UNKNOWN", message, kind=Kind.UNAVAILABLE)

    async def account(self, account_id: AccountId) -> Account | None:
        """Read an account."""
        async with self._database.session() as session:
            return await RiskTransaction(session).account(account_id)

    async def book(self, account_id: AccountId, *, at: datetime) -> tuple[Book, tuple[Kill, ...]]:
        """Read an account's whole book, and the kill states ever set for it and the firm."""
        async with self._database.session() as session:
            return await read_books(session, account_id, at=at), await _kills(session, account_id)

    async def listed(
        self, account_id: AccountId, *, count_max: int, refused_only: bool = False
    ) -> tuple[StoredDecision, ...]:
        """Read an account's decisions, newest first; with ``refused_only`` those that approved nothing."""
        async with self._database.session() as session:
            rows = await session.rows("decisions.list", account_id, count_max, refused_only)
        return tuple(StoredDecision(**{**row, "findings": _decode_findings(row["findings"])}) for row in rows)


async def _kills(session: Session, account_id: AccountId | None) -> tuple[Kill, ...]:
    rows = await session.rows("kills.current", account_id)
    return tuple(Kill(**{**row, "scope": KillScope(row["scope"]), "state": KillState(row["state"])}) for row in rows)


def _held_columns(held: Sequence[tuple[UUID, Reservation]]) -> tuple[Sequence[object], ...]:
    """Return what is stored of reservations, in the order of the parameters of decisions.insert."""
    return (
        [item.order_id for _decision_id, item in held],
        [item.account_id for _decision_id, item in held],
        [decision_id for decision_id, _item in held],
        [item.symbol for _decision_id, item in held],
        [item.side for _decision_id, item in held],
        [item.price for _decision_id, item in held],
        [item.target_qty for _decision_id, item in held],
        [item.is_reducing for _decision_id, item in held],
        [item.leg for _decision_id, item in held],
        [item.group_id for _decision_id, item in held],
        [item.replaces for _decision_id, item in held],
        [item.carried_qty for _decision_id, item in held],
        [item.notional for _decision_id, item in held],
        [item.counted_qty for _decision_id, item in held],
        [item.counted_cash for _decision_id, item in held],
        [item.limit_price for _decision_id, item in held],
        [item.book_id for _decision_id, item in held],
    )


def _decision(row: Record, held: Mapping[OrderId, Reservation]) -> Decision:
    return Decision(
        decision_id=row["decision_id"],
        attempt=row["attempt"],
        findings=_decode_findings(row["findings"]),
        limit_version=row["limit_version"],
        kill_epoch=row["kill_epoch"],
        leaf=row["leaf"],
        reservation=held[row["order_id"]] if row["is_held"] else None,
    )


def _reservation(row: Record) -> Reservation:
    words = {"side": Side(row["side"]), "state": ReservationState(row["state"]), "leg": Leg(row["leg"])}
    return Reservation(**{**row, **words})
