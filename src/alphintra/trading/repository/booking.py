"""Executions, holdings, cash and the ledger: rows to values and back, a batch in a handful of round trips."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from alphintra.engine.holding import NOTHING_HELD, Filled, Finished, Holding
from alphintra.engine.lots import Lot, LotClose
from alphintra.engine.portfolio import Position
from alphintra.engine.trades import OpenTrade
from alphintra.kernel.vocabulary import Side
from alphintra.trading.domain.booking import UNASSIGNED_BOOK, CashChange, Execution, HoldingKey
from alphintra.trading.repository.accounts import account_of
from alphintra.trading.repository.sessions import Changes, Reads

if TYPE_CHECKING:
    from alphintra.infrastructure.postgres import Record
    from alphintra.kernel.ids import AccountId, BookId
    from alphintra.trading.domain.accounts import Account
    from alphintra.trading.domain.booking import Booking, LedgerLine

__all__ = ["BookedExecution", "BookingChanges", "BookingReads", "HoldingChanges", "Posting"]


class BookedExecution(NamedTuple):
    """An execution with what it booked, and the transaction its ledger lines are stored under."""

    execution: Execution
    booking: Booking
    transaction_id: UUID


class Posting(NamedTuple):
    """The balanced lines of one transaction of an account."""

    transaction_id: UUID
    account: Account
    lines: Sequence[LedgerLine]


class HoldingChanges:
    """What a transaction changes of holdings, gathered so that each row is written once."""

    def __init__(self) -> None:
        self.holdings: dict[HoldingKey, Holding] = {}
        self.lots: dict[tuple[HoldingKey, int], Lot] = {}
        self.closes: list[tuple[HoldingKey, str, LotClose, datetime]] = []
        self.finished: dict[tuple[HoldingKey, int], Finished] = {}

    def fold(self, key: HoldingKey, execution: Execution, booking: Booking) -> None:
        """Add what an execution changes."""
        self.fold_filled(key, booking.filled, execution_id=execution.execution_id, closed_at=execution.executed_at)

    def fold_filled(self, key: HoldingKey, filled: Filled, *, execution_id: str, closed_at: datetime) -> None:
        """Add what a fill changes of a holding."""
        self.holdings[key] = filled.holding
        self.lots |= {(key, lot.number): lot for lot in filled.changed}
        self.closes += [(key, execution_id, each, closed_at) for each in filled.closes]
        if filled.finished is not None:
            self.finished[key, filled.finished.number] = filled.finished


class BookingChanges(Changes):
    """Changes of executions, holdings, cash and the ledger inside one transaction."""

    async def lock_accounts(self, account_ids: Sequence[AccountId]) -> dict[AccountId, Account]:
        """Read accounts and hold them until the transaction ends; unknown ones are left out."""
        rows = await self.session.rows("accounts.lock_many", sorted(set(account_ids)))
        return {account.account_id: account for account in map(account_of, rows)}

    async def booked(self, executions: Sequence[Execution]) -> dict[tuple[AccountId, str], Execution]:
        """Read what is booked under the ids of executions."""
        rows = await self.session.rows(
            "executions.known", [each.account_id for each in executions], [each.execution_id for each in executions]
        )
        found = [Execution(**{**row, "side": Side(row["side"])}) for row in rows]
        return {(each.account_id, each.execution_id): each for each in found}

    async def held(self, wanted: Mapping[HoldingKey, Mapping[Side, Decimal]]) -> dict[HoldingKey, Holding]:
        """Read holdings, with the lots from which the fills may take; the caller holds their accounts.

        Args:
            wanted: for each holding the quantity that is to be bought and sold.
        """
        keys = tuple(wanted)
        rows = await self.session.rows("positions.held", *_columns(keys))
        found = {_key(row): _holding(row) for row in rows}
        taking = {key: wanted[key].get(_closing(holding), Decimal(0)) for key, holding in found.items()}
        taking = {key: qty for key, qty in taking.items() if qty and found[key].position.qty}
        for key, lots in (await self._oldest_lots(taking)).items():
            found[key] = _with_lots(found[key], lots)
        return {key: found.get(key, NOTHING_HELD) for key in keys}

    async def account_quantities(self, keys: Sequence[HoldingKey]) -> dict[tuple[AccountId, str], Decimal]:
        """Read the net quantities of symbols over all books of their accounts."""
        pairs = sorted({(key.account_id, key.symbol) for key in keys})
        rows = await self.session.rows("positions.account_qty", *(list(column) for column in zip(*pairs, strict=True)))
        return {pair: Decimal(0) for pair in pairs} | {(row["account_id"], row["symbol"]): row["qty"] for row in rows}

    async def add_executions(self, booked: Sequence[BookedExecution], *, at: datetime) -> None:
        """Store executions. The caller has checked that none of them is booked."""
        await self.session.execute_many("executions.insert", [_execution_row(each, at) for each in booked])

    async def save_holdings(self, changes: HoldingChanges, *, at: datetime) -> None:
        """Store changed positions, lots and trades; each row once, in the same order in every transaction."""
        session = self.session
        held = sorted(changes.holdings.items())
        await session.execute_many("positions.put", [_position_row(key, holding, at) for key, holding in held])
        lots = [
            (*key, lot.number, lot.qty, lot.cost, lot.opened_at, lot.execution_id)
            for (key, _number), lot in sorted(changes.lots.items(), key=lambda item: item[0])
        ]
        closes = [
            (
                key.account_id,
                name,
                key.book_id,
                part.number,
                key.symbol,
                part.qty,
                part.cost,
                part.proceeds,
                part.realized,
                part.opened_at,
                closed_at,
            )
            for key, name, part, closed_at in changes.closes
        ]
        trades = [_finished_row(key, done) for (key, _number), done in changes.finished.items()]
        trades += [_open_row(key, holding.trades_opened, holding.trade) for key, holding in held if holding.trade]
        for name, rows in (("lots.put", lots), ("lot_closes.insert", closes), ("trades.put", trades)):
            if rows:
                await session.execute_many(name, rows)

    async def book_cash(self, changes: Mapping[tuple[AccountId, BookId], CashChange]) -> None:
        """Change the cash, profit and fees of accounts and of their books in place; the caller holds the accounts."""
        accounts: dict[AccountId, CashChange] = {}
        for (account_id, _book_id), change in changes.items():
            accounts[account_id] = accounts.get(account_id, CashChange()) + change
        books = [(*key, *change.amounts) for key, change in sorted(changes.items()) if key[1] != UNASSIGNED_BOOK]
        rows = [(account_id, *change.amounts) for account_id, change in sorted(accounts.items())]
        await self.session.execute_many("accounts.book", rows)
        if books:
            await self.session.execute_many("books.book", books)

    async def add_postings(self, postings: Sequence[Posting], *, at: datetime) -> None:
        """Store the balanced lines of transactions. The database refuses lines that do not balance."""
        rows = [
            (
                each.transaction_id,
                each.account.account_id,
                [line.ledger_account for line in each.lines],
                [line.amount for line in each.lines],
                [line.book_id for line in each.lines],
                each.account.currency,
                at,
            )
            for each in postings
            if each.lines
        ]
        await self.session.execute_many("ledger.insert", rows)

    async def add_breaks(self, rows: Sequence[tuple[object, ...]]) -> None:
        """Keep reports with something wrong about them; the parts of a row are those of the statement, in its order."""
        await self.session.execute_many("booking_breaks.insert", rows)

    async def _oldest_lots(self, wanted: Mapping[HoldingKey, Decimal]) -> dict[HoldingKey, tuple[Lot, ...]]:
        found: dict[HoldingKey, tuple[Lot, ...]] = {}
        if not wanted:
            return found
        for row in await self.session.rows("lots.oldest", *_columns(tuple(wanted)), list(wanted.values())):
            lot = Lot(row["lot_no"], row["qty"], row["cost"], row["opened_at"], row["execution_id"])
            found[_key(row)] = (*found.get(_key(row), ()), lot)
        return found


class BookingReads(Reads):
    """Reads of executions, positions and the ledger."""

    async def executions(
        self, account_id: AccountId, *, book_id: BookId | None, execution_ids: Sequence[str] | None, limit: int
    ) -> Sequence[Record]:
        """Read an account's executions, oldest first."""
        async with self._database.session() as session:
            return await session.rows("executions.list", account_id, book_id, execution_ids, limit)

    async def positions(self, account_id: AccountId) -> Sequence[Record]:
        """Read an account's positions, by symbol."""
        async with self._database.session() as session:
            return await session.rows("positions.list", account_id)

    async def ledger(self, account_id: AccountId, *, limit: int) -> tuple[Sequence[Record], Decimal]:
        """Read an account's ledger entries, oldest first, and the sum over all of them."""
        async with self._database.session() as session:
            rows = await session.rows("ledger.list", account_id, limit)
            return rows, await session.value("ledger.total", account_id)

    async def lots(self, account_id: AccountId, *, symbol: str | None, limit: int) -> Sequence[Record]:
        """Read an account's open lots, by symbol and book, oldest first."""
        async with self._database.session() as session:
            return await session.rows("lots.list", account_id, symbol, limit)

    async def lot_closes(
        self, account_id: AccountId, *, start: datetime | None, end: datetime | None, limit: int
    ) -> Sequence[Record]:
        """Read what an account's executions closed of its lots, oldest first."""
        async with self._database.session() as session:
            return await session.rows("lot_closes.list", account_id, start, end, limit)

    async def trades(self, account_id: AccountId, *, book_id: BookId | None, limit: int) -> Sequence[Record]:
        """Read an account's round trips, newest first; one that is under way has no end."""
        async with self._database.session() as session:
            return await session.rows("trades.list", account_id, book_id, limit)

    async def booking_breaks(self, account_id: AccountId, *, limit: int) -> Sequence[Record]:
        """Read what was wrong with reports of executions for an account, newest first."""
        async with self._database.session() as session:
            return await session.rows("booking_breaks.list", account_id, limit)


def _columns(keys: Sequence[HoldingKey]) -> tuple[list[object], list[object], list[object]]:
    return [key.account_id for key in keys], [key.book_id for key in keys], [key.symbol for key in keys]


def _key(row: Record) -> HoldingKey:
    return HoldingKey(row["account_id"], row["book_id"], row["symbol"])


def _closing(holding: Holding) -> Side:
    """Return the side that takes from a holding's lots."""
    return Side.SELL if holding.position.qty > 0 else Side.BUY


def _holding(row: Record) -> Holding:
    trade = None
    if row["trade_side"] is not None:
        trade = OpenTrade(
            opened_ts=row["trade_opened_at"],
            opened_bar=0,
            side=Side(row["trade_side"]),
            entry_tag="",
            entry_qty=row["trade_entry_qty"],
            entry_amount=row["trade_entry_amount"],
            exit_amount=row["trade_exit_amount"],
            realized=row["trade_realized"],
            fees=row["trade_fees"],
        )
    return Holding(
        position=Position(row["qty"], row["cost"], row["realized_pnl"]),
        fees=row["fees"],
        lots_opened=row["lots_opened"],
        trade=trade,
        trades_opened=row["trades_opened"],
    )


def _with_lots(holding: Holding, lots: tuple[Lot, ...]) -> Holding:
    return Holding(
        position=holding.position,
        fees=holding.fees,
        lots=lots,
        lots_opened=holding.lots_opened,
        trade=holding.trade,
        trades_opened=holding.trades_opened,
    )


def _position_row(key: HoldingKey, holding: Holding, at: datetime) -> tuple[object, ...]:
    position = holding.position
    amounts = (position.qty, position.cost, position.realized, holding.fees)
    return (*key, *amounts, holding.lots_opened, holding.trades_opened, at)


def _open_row(key: HoldingKey, number: int, trade: OpenTrade) -> tuple[object, ...]:
    amounts = (trade.entry_qty, trade.entry_amount, trade.exit_amount, trade.realized, trade.fees)
    return (*key, number, trade.side, *amounts, trade.opened_ts, None)


def _finished_row(key: HoldingKey, done: Finished) -> tuple[object, ...]:
    trade = done.trade
    amounts = (trade.qty, done.entry_amount, done.exit_amount, trade.gross, trade.fees)
    closed_at = max(trade.opened_ts, trade.closed_ts)  # fills may be told in another order than they took place
    return (*key, done.number, trade.side, *amounts, trade.opened_ts, closed_at)


def _execution_row(each: BookedExecution, at: datetime) -> tuple[object, ...]:
    execution, order = each.execution, each.booking.order
    return (
        order.account_id,
        execution.execution_id,
        order.order_id,
        order.book_id,
        order.symbol,
        order.side,
        execution.qty,
        execution.price,
        execution.fee,
        each.booking.realized,
        execution.executed_at,
        at,
        each.transaction_id,
        execution.fee_qty,
    )
