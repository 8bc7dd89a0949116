"""Use cases on the books of an account: claiming capital, giving it back, moving what is held between books."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from alphintra.contracts.books import BooksView, BookView
from alphintra.contracts.trading import PositionTransferred
from alphintra.engine.holding import Fill, fill_holding, move_holding
from alphintra.engine.portfolio import notional
from alphintra.infrastructure.events import append_audit, append_event
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.ids import AccountId, BookId
from alphintra.kernel.money import plain, require_positive
from alphintra.kernel.vocabulary import Side
from alphintra.trading.domain.booking import UNASSIGNED_BOOK, CashChange, HoldingKey, LedgerLine
from alphintra.trading.domain.equity import worth_of
from alphintra.trading.repository.booking import HoldingChanges, Posting
from alphintra.trading.service.accounts import owned_account
from alphintra.trading.service.flows import held_account, require_reference, stored_activity
from alphintra.trading.service.portfolio import held_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from alphintra.contracts.trading import ClaimCapital, ListBooks, ReleaseBook, TransferPosition
    from alphintra.kernel.ids import IdSource
    from alphintra.kernel.messages import Context
    from alphintra.trading.domain.accounts import Account
    from alphintra.trading.repository.books import Books, BooksTransaction

__all__ = ["claim_capital", "list_books", "release_book", "transfer_position"]

_encode = msgspec.json.Encoder(decimal_format="string", order="sorted").encode


async def list_books(command: ListBooks, context: Context, *, books: Books) -> BooksView:
    """Return the books of an account, the unassigned rest first."""
    account = await owned_account(AccountId(command.account_id), context, books=books)
    stored = await books.rows("books.of_account", account.account_id)
    held = await books.rows("holdings.of_account", account.account_id)
    return _view(account, stored, held)


async def claim_capital(
    command: ClaimCapital, context: Context, *, books: Books, ids: IdSource, at: datetime
) -> BooksView:
    """Open a book with a part of the account's free cash; the same book with the same capital again is answered.

    Raises CAPITAL_EXCEEDS_CASH where the cash outside of books is less, BOOK_TAKEN for a book that was opened
    otherwise, QTY_NOT_POSITIVE, NUMBER_* or ACCOUNT_NOT_FOUND.
    """
    capital = require_positive(command.capital, pointer="/capital")
    book_id = _other_than_rest(command.book_id)
    async with books.transaction() as tx:
        account = await held_account(tx, AccountId(command.account_id), context)
        stored = await tx.session.row("books.get", account.account_id, book_id)
        if stored is None:
            free = account.cash - await tx.session.value("books.cash", account.account_id)
            if capital > free:
                message = f"the capital {plain(capital):f} is more than the account's free cash {plain(free):f}"
                raise AlphintraError("CAPITAL_EXCEEDS_CASH", message, kind=Kind.CONFLICT, pointer="/capital")
            await tx.session.row("books.open", account.account_id, book_id, command.name, capital, at)
            await _post(tx, account, _cash_lines(UNASSIGNED_BOOK, book_id, capital), ids=ids, at=at)
            facts: dict[str, object] = {"book_id": str(book_id), "capital": capital}
            subject = f"account:{account.account_id}"
            await append_audit(tx.session, "book.open", subject, facts, ids=ids, context=context, at=at)
        elif (stored["capital"], stored["status"]) != (capital, "open"):
            message = f"book {book_id} is open with other capital, or was released: take a new one"
            raise AlphintraError("BOOK_TAKEN", message, kind=Kind.CONFLICT, pointer="/book_id")
        return await _read(tx, account)


async def release_book(
    command: ReleaseBook, context: Context, *, books: Books, ids: IdSource, at: datetime
) -> BooksView:
    """Give a book's cash back; what it holds stays in it. Raises BOOK_NOT_FOUND or ACCOUNT_NOT_FOUND."""
    book_id = _other_than_rest(command.book_id)
    async with books.transaction() as tx:
        account = await held_account(tx, AccountId(command.account_id), context)
        stored = await _known_book(tx, account, book_id)
        if stored["status"] != "released":
            await tx.session.execute("books.release", account.account_id, book_id, stored["cash"])
            await _post(tx, account, _cash_lines(book_id, UNASSIGNED_BOOK, stored["cash"]), ids=ids, at=at)
            facts: dict[str, object] = {"book_id": str(book_id), "cash": stored["cash"]}
            subject = f"account:{account.account_id}"
            await append_audit(tx.session, "book.release", subject, facts, ids=ids, context=context, at=at)
        return await _read(tx, account)


async def transfer_position(
    command: TransferPosition, context: Context, *, books: Books, ids: IdSource, at: datetime
) -> BooksView:
    """Move a quantity between two books of an account; its position and its cash stay what they are.

    Raises BOOK_NOT_FOUND, TRANSFER_QTY, TRANSFER_OPPOSITE, FIELD_VALUE, IDEMPOTENCY_* or ACCOUNT_NOT_FOUND.
    """
    require_reference(command.reference)
    source, target = BookId(command.from_book or UNASSIGNED_BOOK), BookId(command.to_book or UNASSIGNED_BOOK)
    if source == target:
        raise AlphintraError("FIELD_VALUE", "from_book and to_book are the same book", pointer="/to_book")
    qty = require_positive(command.qty, pointer="/qty")
    async with books.transaction() as tx:
        account = await held_account(tx, AccountId(command.account_id), context)
        if await stored_activity(tx, account, command) is not None:
            return await _read(tx, account)
        for book_id in (source, target):
            if book_id != UNASSIGNED_BOOK:
                await _known_book(tx, account, book_id)
        keys = tuple(HoldingKey(account.account_id, book_id, command.symbol) for book_id in (source, target))
        wanted = dict.fromkeys(Side, qty)
        held = await tx.held(dict.fromkeys(keys, wanted))
        if qty > abs(held[keys[0]].position.qty):
            message = f"the book holds {plain(abs(held[keys[0]].position.qty)):f} {command.symbol}, not {plain(qty):f}"
            raise AlphintraError("TRANSFER_QTY", message, kind=Kind.CONFLICT, pointer="/qty")
        changes = HoldingChanges()
        if command.price is None:
            moved = move_holding(held[keys[0]], held[keys[1]], qty=qty, at=at)
            changes.holdings = {keys[0]: moved.source, keys[1]: moved.target}
            changes.lots = {(keys[0], lot.number): lot for lot in moved.source_lots}
            changes.lots |= {(keys[1], lot.number): lot for lot in moved.target_lots}
            name = f"securities:{command.symbol}"
            lines: tuple[LedgerLine, ...] = (
                LedgerLine(name, -moved.cost, source),
                LedgerLine(name, moved.cost, target),
            )
        else:
            lines = await _meet(tx, changes, keys, held, command=command, at=at)
        await tx.save_holdings(changes, at=at)
        await _post(tx, account, lines, ids=ids, at=at)
        await tx.session.execute(
            "activities.insert",
            ids.new(),
            account.account_id,
            command.reference,
            "transfer",
            command.symbol,
            qty,
            Decimal(0),
            account.currency,
            f"{source} to {target}",
            _encode(command).decode(),
            at,
        )
        told = PositionTransferred(
            owner_id=account.owner_id,
            account_id=account.account_id,
            symbol=command.symbol,
            qty=qty.copy_sign(held[keys[0]].position.qty),
            from_book=command.from_book,
            to_book=command.to_book,
        )
        await append_event(tx.session, told, ids=ids, aggregate_id=account.account_id, context=context, at=at)
        subject = f"account:{account.account_id}"
        await append_audit(tx.session, "book.transfer", subject, command, ids=ids, context=context, at=at)
        return await _read(tx, account)


async def _meet(
    tx: BooksTransaction,
    changes: HoldingChanges,
    keys: tuple[HoldingKey, ...],
    held: Mapping[HoldingKey, Any],
    *,
    command: TransferPosition,
    at: datetime,
) -> tuple[LedgerLine, ...]:
    """Let the giving book trade with the receiving one at a price, without a fee; return the lines of it."""
    price = require_positive(command.price or Decimal(0), pointer="/price")
    giving = Side.SELL if held[keys[0]].position.qty > 0 else Side.BUY
    amount = notional(command.qty, price)
    lines: list[LedgerLine] = []
    money: dict[tuple[AccountId, BookId], CashChange] = {}
    for key, side in zip(keys, (giving, Side.BUY if giving is Side.SELL else Side.SELL), strict=True):
        name = f"transfer:{command.reference}:{side}"
        filled = fill_holding(held[key], Fill(name, side, command.qty, price, Decimal(0), at))
        changes.fold_filled(key, filled, execution_id=name, closed_at=at)
        cash = amount if side is Side.SELL else -amount
        money[key.account_id, key.book_id] = CashChange(cash, filled.realized, Decimal(0))
        lines += [
            LedgerLine("cash", cash, key.book_id),
            LedgerLine("realized_pnl", -filled.realized, key.book_id),
            LedgerLine(f"securities:{command.symbol}", filled.realized - cash, key.book_id),
        ]
    await tx.book_cash(money)
    return tuple(line for line in lines if line.amount)


async def _known_book(tx: BooksTransaction, account: Account, book_id: BookId) -> Mapping[str, Any]:
    stored = await tx.session.row("books.get", account.account_id, book_id)
    if stored is None:
        raise AlphintraError("BOOK_NOT_FOUND", f"the account has no book {book_id}", kind=Kind.NOT_FOUND)
    return stored


async def _post(
    tx: BooksTransaction, account: Account, lines: tuple[LedgerLine, ...], *, ids: IdSource, at: datetime
) -> None:
    await tx.add_postings((Posting(ids.new(), account, lines),), at=at)


async def _read(tx: BooksTransaction, account: Account) -> BooksView:
    latest = await tx.get_account(account.account_id)
    stored = await tx.session.rows("books.of_account", account.account_id)
    held = await tx.session.rows("holdings.of_account", account.account_id)
    return _view(latest or account, stored, held)


def _other_than_rest(book_id: Any) -> BookId:  # noqa: ANN401 - a raw id off the wire
    if book_id == UNASSIGNED_BOOK:
        raise AlphintraError("FIELD_VALUE", "the unassigned rest is no book of its own", pointer="/book_id")
    return BookId(book_id)


def _cash_lines(source: BookId, target: BookId, amount: Decimal) -> tuple[LedgerLine, ...]:
    if not amount:
        return ()
    return LedgerLine("cash", -amount, source), LedgerLine("cash", amount, target)


def _view(account: Account, stored: Sequence[Mapping[str, Any]], held: Sequence[Mapping[str, Any]]) -> BooksView:
    """Show the books; the rest is the account less its books, so that they always add up."""
    in_books = sum((row["cash"] for row in stored), Decimal(0))
    realized = sum((row["realized_pnl"] for row in stored), Decimal(0))
    fees = sum((row["fees"] for row in stored), Decimal(0))
    rest = {
        "book_id": UNASSIGNED_BOOK,
        "name": "",
        "status": "open",
        "capital": account.cash - in_books,
        "cash": account.cash - in_books,
        "realized_pnl": account.realized_pnl - realized,
        "fees": account.fees - fees,
    }
    views = []
    for row in (rest, *stored):
        mine = [each for each in held if each["book_id"] == row["book_id"]]
        worth = worth_of(held_of(mine), cash=row["cash"], invested=row["capital"])
        views.append(
            BookView(
                account_id=account.account_id,
                book_id=None if row["book_id"] == UNASSIGNED_BOOK else row["book_id"],
                name=row["name"],
                status=row["status"],
                capital=row["capital"],
                cash=row["cash"],
                equity=worth.equity,
                realized_pnl=row["realized_pnl"],
                unrealized_pnl=worth.unrealized,
                fees=row["fees"],
                profit=row["realized_pnl"] + worth.unrealized - row["fees"],
            )
        )
    return BooksView(books=tuple(views))
