"""Use cases on money that moves otherwise than by executions, and the list of all that happened to an account."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from alphintra.contracts.books import ActivitiesView, ActivityView
from alphintra.contracts.trading import CashBooked
from alphintra.engine.portfolio import cash_delta
from alphintra.infrastructure.events import append_audit, append_event
from alphintra.infrastructure.faults import fault_point
from alphintra.kernel.authority import require_for_account
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.ids import AccountId
from alphintra.kernel.vocabulary import AccountMode, OrderStatus, Side
from alphintra.trading.domain.flows import FlowKind, cash_flow
from alphintra.trading.repository.booking import Posting
from alphintra.trading.service.accounts import may_see, owned_account
from alphintra.trading.service.reading import page_limit

if TYPE_CHECKING:
    from alphintra.contracts.trading import BookCashFlow, ListActivities
    from alphintra.kernel.ids import IdSource
    from alphintra.kernel.messages import Context
    from alphintra.trading.domain.accounts import Account
    from alphintra.trading.repository.books import Books, BooksTransaction

__all__ = ["REFERENCE_MAX", "book_cash_flow", "held_account", "list_activities", "require_reference", "stored_activity"]

REFERENCE_MAX = 128
_OWNERS = frozenset({FlowKind.DEPOSIT, FlowKind.WITHDRAWAL, FlowKind.RESET})
_encode = msgspec.json.Encoder(decimal_format="string", order="sorted").encode


async def book_cash_flow(
    command: BookCashFlow, context: Context, *, books: Books, ids: IdSource, at: datetime
) -> ActivityView:
    """Book money that came or went, with its ledger lines; the same reference again answers what was booked.

    Raises FIELD_CHOICE, CASH_SHORT, NOT_FLAT, IDEMPOTENCY_MISMATCH, FLOW_FORBIDDEN or ACCOUNT_NOT_FOUND.
    """
    if command.kind not in tuple(FlowKind):
        raise AlphintraError("FIELD_CHOICE", f"kind is one of {', '.join(FlowKind)}", pointer="/kind")
    kind = FlowKind(command.kind)
    require_reference(command.reference)
    async with books.transaction() as tx:
        account = await held_account(tx, AccountId(command.account_id), context)
        _require_may_book(kind, account, context)
        stored = await stored_activity(tx, account, command)
        if stored is not None:
            return stored
        in_books = await tx.session.value("books.cash", account.account_id)
        flow = cash_flow(
            kind,
            command.amount,
            cash=account.cash - in_books,
            is_flat=kind is not FlowKind.RESET or await _is_flat(tx, account),
            symbol=command.symbol,
        )
        activity_id, transaction_id = ids.new(), ids.new()
        view = ActivityView(
            activity_id=_place(at, str(activity_id)),
            account_id=account.account_id,
            kind=kind,
            symbol=command.symbol,
            side=None,
            qty=Decimal(0),
            price=None,
            net_amount=flow.cash,
            order_id=None,
            description=command.description,
            booked_at=at,
        )
        await tx.session.execute("accounts.flow", account.account_id, flow.cash, flow.invested, flow.fee)
        await tx.add_postings((Posting(transaction_id, account, flow.lines),), at=at)
        await tx.session.execute(
            "activities.insert",
            activity_id,
            account.account_id,
            command.reference,
            kind,
            command.symbol,
            Decimal(0),
            flow.cash,
            account.currency,
            command.description,
            _encode(command).decode(),
            at,
        )
        told = CashBooked(
            owner_id=account.owner_id,
            account_id=account.account_id,
            activity_id=activity_id,
            kind=kind,
            symbol=command.symbol,
            change=flow.cash,
            cash=account.cash + flow.cash,
        )
        await append_event(tx.session, told, ids=ids, aggregate_id=account.account_id, context=context, at=at)
        subject = f"account:{account.account_id}"
        await append_audit(tx.session, "cash.book", subject, told, ids=ids, context=context, at=at)
        fault_point("trading.before_flow_commit")
    return view


async def list_activities(command: ListActivities, context: Context, *, books: Books) -> ActivitiesView:
    """Return a page of what happened to an account. Raises PAGE_LIMIT, CURSOR_INVALID or ACCOUNT_NOT_FOUND."""
    account = await owned_account(AccountId(command.account_id), context, books=books)
    limit = page_limit(command.limit)
    place = (None, "") if command.page_token is None else _read_place(command.page_token)
    rows = await books.rows(
        "activities.oldest" if command.oldest_first else "activities.newest",
        account.account_id,
        None if command.kinds is None else list(command.kinds),
        command.after,
        command.until,
        *place,
        limit + 1,
    )
    views = tuple(_activity_view(account.account_id, row) for row in rows[:limit])
    return ActivitiesView(activities=views, next_page_token=views[-1].activity_id if len(rows) > limit else None)


async def held_account(tx: BooksTransaction, account_id: AccountId, context: Context) -> Account:
    """Read an account the actor may see and hold it. Raises ACCOUNT_NOT_FOUND or AUTH_SCOPE."""
    account = await tx.lock_account(account_id)
    if account is None or not may_see(account, context):
        raise AlphintraError("ACCOUNT_NOT_FOUND", f"there is no account {account_id}", kind=Kind.NOT_FOUND)
    require_for_account(context.actor, account.account_id, account.mode)
    return account


async def stored_activity(tx: BooksTransaction, account: Account, command: msgspec.Struct) -> ActivityView | None:
    """Read what is booked under a command's reference, None if nothing is. Raises IDEMPOTENCY_MISMATCH."""
    reference: str = command.reference  # type: ignore[attr-defined] # every command that books has one
    row = await tx.session.row("activities.by_reference", account.account_id, reference)
    if row is None:
        return None
    if row["request"] != _encode(command).decode():
        message = f"reference {reference} was used for something else: choose a new one"
        raise AlphintraError("IDEMPOTENCY_MISMATCH", message, kind=Kind.CONFLICT, pointer="/reference")
    found = {**row, "id": str(row["activity_id"]), "side": None, "price": None, "order_id": None, "executed_at": None}
    return _activity_view(account.account_id, found)


def require_reference(reference: str) -> None:
    """Refuse a reference no client could repeat. Raises IDEMPOTENCY_FORMAT."""
    if not 0 < len(reference) <= REFERENCE_MAX or not reference.isascii() or not reference.isprintable():
        message = f"the reference has 1 to {REFERENCE_MAX} printable ASCII characters"
        raise AlphintraError("IDEMPOTENCY_FORMAT", message, pointer="/reference")


def _require_may_book(kind: FlowKind, account: Account, context: Context) -> None:
    """Let owners move the money of paper accounts only; what a venue pays or takes is told by others than owners."""
    is_owner = context.actor.user_id is not None
    if is_owner and not (kind in _OWNERS and account.mode is AccountMode.PAPER):
        message = f"a {kind} of a {account.mode} account is booked by the operator or the broker"
        raise AlphintraError("FLOW_FORBIDDEN", message, kind=Kind.FORBIDDEN, pointer="/kind")


async def _is_flat(tx: BooksTransaction, account: Account) -> bool:
    """Tell whether an account holds nothing, has no cash in books, and none of its orders works."""
    held = await tx.session.rows("holdings.of_account", account.account_id)
    in_books = await tx.session.value("books.cash", account.account_id)
    working = await tx.lock_open_orders(account.account_id)
    return not working and not in_books and all(row["qty"] == 0 for row in held)


def _activity_view(account_id: AccountId, row: Mapping[str, Any]) -> ActivityView:
    side = None if row["side"] is None else Side(row["side"])
    net = row["net_amount"]
    if side is not None:
        net = cash_delta(side, row["qty"], price=row["price"], fee=row["fee"])
    return ActivityView(
        activity_id=_place(row["booked_at"], row["id"]),
        account_id=account_id,
        kind=row["kind"],
        symbol=row["symbol"],
        side=side,
        qty=row["qty"],
        price=row["price"],
        net_amount=net,
        order_id=row["order_id"],
        description=row["description"],
        booked_at=row["booked_at"],
        executed_at=row["executed_at"],
        cum_qty=None if side is None else row["cum_qty"],
        leaves_qty=None if side is None else _leaves(row),
        fee_qty=Decimal(0) if side is None else row["fee_qty"],
    )


def _leaves(row: Mapping[str, Any]) -> Decimal | None:
    """Return what was left of the order after an execution; what is executed beyond its quantity leaves nothing."""
    cum, fillable = row["cum_qty"], row["order_fillable_qty"]
    if row["order_status"] == OrderStatus.FILLED and cum >= row["order_filled_qty"]:
        return Decimal(0)
    return None if fillable is None else max(fillable - cum, Decimal(0))


def _place(at: datetime, name: str) -> str:
    """Return the place of an activity in its account's list."""
    return f"{at:%Y%m%d%H%M%S%f}::{name}"


def _read_place(token: str) -> tuple[datetime, str]:
    """Read a place. Raises CURSOR_INVALID."""
    stamp, separator, name = token.partition("::")
    try:
        start = datetime.strptime(f"{stamp[:14]}+0000", "%Y%m%d%H%M%S%z")
        micros = int(stamp[14:])
    except ValueError:
        separator = ""
    if not separator or len(stamp) != len("20260131000000000000"):
        message = "page_token is not one that was answered: take next_page_token of the page before"
        raise AlphintraError("CURSOR_INVALID", message, pointer="/page_token")
    return start + timedelta(microseconds=micros), name
