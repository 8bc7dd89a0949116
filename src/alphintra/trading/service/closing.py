"""The use case of closing positions: which orders bring them to zero."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from alphintra.contracts.orders import OrderView
from alphintra.contracts.trading import ClosePositions
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.ids import AccountId
from alphintra.kernel.vocabulary import OrderType, Side, TimeInForce
from alphintra.trading.domain.booking import UNASSIGNED_BOOK
from alphintra.trading.domain.orders import NewOrder
from alphintra.trading.domain.validation import require_client_order_id, validate
from alphintra.trading.service.accounts import owned_account
from alphintra.trading.service.submission import Submission
from alphintra.trading.service.views import order_view

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from decimal import Decimal

    from alphintra.kernel.messages import Context
    from alphintra.trading.repository.books import Books

__all__ = ["Closing", "plan_closing"]

_SUFFIX_CHARACTERS = 8


@dataclass(frozen=True, slots=True)
class Closing:
    """What closing takes: the orders that stand from a call before, and those still to be placed."""

    stored: tuple[OrderView, ...]
    missing: tuple[Submission, ...]


async def plan_closing(command: ClosePositions, context: Context, *, books: Books) -> Closing:
    """Return an order for each book that holds something; all trade at the market and only reduce.

    A book that is held against the rest of its account cannot be closed by an order that reduces the account's
    position: its order is a plain one. Raises ACCOUNT_NOT_FOUND, POSITION_NOT_FOUND, ORDER_ID_FORMAT, QTY_*.
    """
    require_client_order_id(command.client_order_id)
    account = await owned_account(AccountId(command.account_id), context, books=books)
    rows = [
        row
        for row in await books.positions(account.account_id)
        if command.symbols is None or row["symbol"] in command.symbols
    ]
    names = {_key(row): f"{command.client_order_id}-{_suffix(row)}" for row in rows}
    _accounts, known = await books.known([(account.account_id, name) for name in names.values()])
    stored = {order.client_order_id: order for order in known.values()}
    open_rows = [row for row in rows if row["qty"] and names[_key(row)] not in stored]
    if not open_rows and not stored and command.symbols is not None:
        message = f"there is no position in {', '.join(command.symbols)[:80]}"
        raise AlphintraError("POSITION_NOT_FOUND", message, kind=Kind.NOT_FOUND, pointer="/symbol")
    if command.qty is not None and len(open_rows) > 1:
        message = "a part can be closed of one position only: name its symbol, held in one book"
        raise AlphintraError("ORDER_FIELD_FORBIDDEN", message, pointer="/qty")
    net = _net(rows)
    orders = [_order(row, names[_key(row)], net=net[row["symbol"]], qty=command.qty) for row in open_rows]
    for order in orders:
        validate(order)
    return Closing(
        tuple(order_view(order) for order in stored.values()),
        tuple(Submission((order,), context) for order in orders),
    )


def _order(row: Mapping[str, Any], client_order_id: str, *, net: Decimal, qty: Decimal | None) -> NewOrder:
    held: Decimal = row["qty"]
    return NewOrder(
        account_id=row["account_id"],
        client_order_id=client_order_id,
        symbol=row["symbol"],
        side=Side.SELL if held > 0 else Side.BUY,
        type=OrderType.MARKET,
        time_in_force=TimeInForce.DAY,
        qty=abs(held) if qty is None else qty,
        reduce_only=held * net > 0,
        book_id=None if row["book_id"] == UNASSIGNED_BOOK else row["book_id"],
    )


def _net(rows: Sequence[Mapping[str, Any]]) -> dict[str, Decimal]:
    net: dict[str, Decimal] = {}
    for row in rows:
        net[row["symbol"]] = net.get(row["symbol"], 0) + row["qty"]
    return net


def _key(row: Mapping[str, Any]) -> tuple[str, object]:
    return row["symbol"], row["book_id"]


def _suffix(row: Mapping[str, Any]) -> str:
    """Return what tells the orders of one closing apart, the same at each repetition."""
    return sha256(f"{row['symbol']}/{row['book_id']}".encode()).hexdigest()[:_SUFFIX_CHARACTERS]
