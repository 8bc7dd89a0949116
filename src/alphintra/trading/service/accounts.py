"""Use cases on accounts: opening, readiness, reading what they hold."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from alphintra.contracts.orders import AccountView
from alphintra.contracts.trading import AccountOpened, OpenAccount
from alphintra.infrastructure.events import Delivery, append_audit, append_event, receive_once
from alphintra.kernel.authority import is_for_account, require_for_account
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.ids import AccountId, UserId
from alphintra.trading.domain.accounts import Account, keyed_account_id, new_account, same_account
from alphintra.trading.domain.booking import LedgerLine
from alphintra.trading.domain.orders import Order
from alphintra.trading.repository.booking import Posting
from alphintra.trading.service.views import account_view

if TYPE_CHECKING:
    from alphintra.contracts.broker import ConnectionOpened
    from alphintra.contracts.risk import LimitsChanged
    from alphintra.kernel.ids import IdSource
    from alphintra.kernel.messages import Context
    from alphintra.trading.repository.books import Books

__all__ = [
    "acting_user",
    "connection_opened",
    "limits_set",
    "list_accounts",
    "may_see",
    "open_account",
    "owned_account",
    "require_for_order",
]

_CONSUMER = "trading"


def acting_user(context: Context) -> UserId:
    """Return the person a command runs for. Raises USER_REQUIRED for anybody else."""
    if context.actor.user_id is None:
        raise AlphintraError("USER_REQUIRED", "only a signed-in person owns accounts", kind=Kind.FORBIDDEN)
    return UserId(context.actor.user_id)


def may_see(owned: Account | Order, context: Context) -> bool:
    """Tell whether the actor may see an account or order: its owner, another service, or the operator."""
    actor = context.actor
    if actor.user_id is None:
        return actor.id.startswith("service:") or actor.id == "operator"
    return actor.user_id == owned.owner_id


async def owned_account(account_id: AccountId, context: Context, *, books: Books) -> Account:
    """Return an account the actor may see. Raises ACCOUNT_NOT_FOUND, also for other people's, or AUTH_SCOPE."""
    account = await books.account(account_id)
    if account is None or not may_see(account, context):
        raise AlphintraError("ACCOUNT_NOT_FOUND", f"there is no account {account_id}", kind=Kind.NOT_FOUND)
    require_for_account(context.actor, account.account_id, account.mode)
    return account


async def require_for_order(order: Order, context: Context, *, books: Books) -> None:
    """Refuse a key on an order of an account it is not for. Raises AUTH_SCOPE."""
    if context.actor.mode is not None:
        require_for_account(context.actor, order.account_id, await books.mode_of(order.account_id))


async def open_account(
    command: OpenAccount, context: Context, *, books: Books, ids: IdSource, at: datetime
) -> AccountView:
    """Open an account; its starting cash is the first entry of its ledger.

    With a key the account's id is derived from it, so that a repetition finds the account. Raises ACCOUNT_NAME_TAKEN,
    IDEMPOTENCY_FORMAT or IDEMPOTENCY_MISMATCH.
    """
    owner_id = acting_user(context)
    account_id = AccountId(ids.new()) if command.key is None else keyed_account_id(owner_id, command.key)
    require_for_account(context.actor, account_id, command.mode)
    account = new_account(
        account_id=account_id,
        owner_id=owner_id,
        name=command.name,
        starting_cash=command.starting_cash,
        currency=command.currency,
        feed_id=command.feed_id,
        at=at,
        mode=command.mode,
        confirm=command.confirm,
    )
    deposit = (LedgerLine("cash", account.starting_cash), LedgerLine("deposits", -account.starting_cash))
    event = AccountOpened(
        account_id=account.account_id,
        owner_id=account.owner_id,
        mode=account.mode,
        currency=account.currency,
        starting_cash=account.starting_cash,
        feed_id=account.feed_id,
    )
    facts: dict[str, Any] = {"name": account.name, "starting_cash": account.starting_cash, "mode": account.mode}
    try:
        await _store_account(account, deposit, (event, facts), context, books=books, ids=ids, at=at)
    except AlphintraError as error:
        # Opened already under its key: by an earlier call, or by another that went on beside this one.
        stored = None if command.key is None else await books.account(account.account_id)
        if stored is None or error.kind is not Kind.CONFLICT:
            raise
        return account_view(same_account(stored, account))
    return account_view(account)


async def _store_account(  # noqa: PLR0913 - what is stored, and on whose authority
    account: Account,
    deposit: tuple[LedgerLine, ...],
    told: tuple[AccountOpened, dict[str, Any]],
    context: Context,
    *,
    books: Books,
    ids: IdSource,
    at: datetime,
) -> None:
    event, facts = told
    subject = f"account:{account.account_id}"
    async with books.transaction() as tx:
        await tx.add_account(account)
        await tx.add_postings((Posting(ids.new(), account, deposit),), at=at)
        await append_event(tx.session, event, ids=ids, aggregate_id=account.account_id, context=context, at=at)
        await append_audit(tx.session, "account.open", subject, facts, ids=ids, context=context, at=at)


async def list_accounts(context: Context, *, books: Books) -> tuple[AccountView, ...]:
    """Return the acting user's accounts, oldest first; of a key, those it is for."""
    accounts = await books.accounts_of(acting_user(context))
    return tuple(account_view(one) for one in accounts if is_for_account(context.actor, one.account_id, one.mode))


async def limits_set(delivery: Delivery[LimitsChanged], *, books: Books) -> None:
    """Take note that risk has limits for an account."""
    async with books.transaction() as tx:
        if await receive_once(tx.session, _CONSUMER, delivery):
            await tx.mark_risk_ready(AccountId(delivery.event.account_id))


async def connection_opened(delivery: Delivery[ConnectionOpened], *, books: Books) -> None:
    """Take note that broker has opened an account's connection."""
    async with books.transaction() as tx:
        if await receive_once(tx.session, _CONSUMER, delivery):
            await tx.mark_venue_ready(AccountId(delivery.event.account_id))
