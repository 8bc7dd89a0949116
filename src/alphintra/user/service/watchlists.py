"""Use cases about watchlists: named lists of symbols, each of one person and one account."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

from alphintra.contracts.user import (
    ChangeWatchlist,
    CreateWatchlist,
    DeleteWatchlist,
    GetWatchlist,
    ListWatchlists,
    WatchlistsView,
    WatchlistView,
)
from alphintra.infrastructure.events import append_audit
from alphintra.kernel.authority import require_account
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.user import domain

if TYPE_CHECKING:
    from uuid import UUID

    from alphintra.kernel.ids import IdSource, UserId
    from alphintra.kernel.messages import Context
    from alphintra.user.repository import Profiles, ProfilesTransaction

__all__ = ["change_watchlist", "create_watchlist", "delete_watchlist", "get_watchlist", "list_watchlists"]

WATCHLISTS_MAX: Final = 200


async def create_watchlist(
    command: CreateWatchlist, context: Context, *, profiles: Profiles, ids: IdSource, at: datetime
) -> WatchlistView:
    """Make a watchlist. Raises FIELD_*, WATCHLIST_NAME_TAKEN (also when repeated) or WATCHLIST_LIMIT."""
    made = domain.new_watchlist(
        watchlist_id=ids.new(),
        user_id=_acting(command.account_id, context),
        account_id=command.account_id,
        name=command.name,
        symbols=command.symbols,
        at=at,
    )
    async with profiles.transaction() as tx:
        if await tx.count_watchlists(made.user_id) >= WATCHLISTS_MAX:
            message = f"a person has at most {WATCHLISTS_MAX} watchlists: delete one first"
            raise AlphintraError("WATCHLIST_LIMIT", message, kind=Kind.CONFLICT)
        if not await tx.add_watchlist(made):
            raise _name_taken()
        await _record(tx, "watchlist.create", made, context, ids=ids, at=at)
    return _view(made)


async def get_watchlist(command: GetWatchlist, context: Context, *, profiles: Profiles) -> WatchlistView:
    """Return a watchlist of the acting user. Raises WATCHLIST_NOT_FOUND."""
    user_id = _acting(command.account_id, context)
    found = await profiles.watchlist(user_id, command.account_id, named=(command.watchlist_id, command.name))
    if found is None:
        raise _not_found()
    return _view(found)


async def list_watchlists(command: ListWatchlists, context: Context, *, profiles: Profiles) -> WatchlistsView:
    """Return the acting user's watchlists of an account, oldest first."""
    user_id = _acting(command.account_id, context)
    return WatchlistsView(watchlists=tuple(map(_view, await profiles.watchlists(user_id, command.account_id))))


async def change_watchlist(
    command: ChangeWatchlist, context: Context, *, profiles: Profiles, ids: IdSource, at: datetime
) -> WatchlistView:
    """Change a watchlist of the acting user.

    Raises WATCHLIST_NOT_FOUND, WATCHLIST_NAME_TAKEN, SYMBOL_NOT_FOUND for a symbol to take out that is not in it, or
    FIELD_*.
    """
    user_id = _acting(command.account_id, context)
    changes = domain.WatchlistChanges(
        new_name=command.new_name, symbols=command.symbols, added=command.added, removed=command.removed
    )
    async with profiles.transaction() as tx:
        held = await _held(tx, user_id, command.account_id, (command.watchlist_id, command.name))
        changed = domain.change_watchlist(held, changes, at=at)
        if changed.name != held.name and await tx.is_watchlist_name_taken(changed):
            raise _name_taken()
        await tx.save_watchlist(changed)
        await _record(tx, "watchlist.change", changed, context, ids=ids, at=at)
    return _view(changed)


async def delete_watchlist(
    command: DeleteWatchlist, context: Context, *, profiles: Profiles, ids: IdSource, at: datetime
) -> None:
    """Delete a watchlist of the acting user. Raises WATCHLIST_NOT_FOUND, also when repeated."""
    user_id = _acting(command.account_id, context)
    async with profiles.transaction() as tx:
        held = await _held(tx, user_id, command.account_id, (command.watchlist_id, command.name))
        await tx.delete_watchlist(held)
        await _record(tx, "watchlist.delete", held, context, ids=ids, at=at)


def _acting(account_id: UUID, context: Context) -> UserId:
    """Return whose watchlists are meant. Raises AUTH_SCOPE for a key of another account."""
    user_id = domain.acting_user(context.actor.user_id)
    require_account(context.actor, account_id)
    return user_id


async def _held(
    tx: ProfilesTransaction, user_id: UserId, account_id: UUID, named: tuple[UUID | None, str | None]
) -> domain.Watchlist:
    found = await tx.lock_watchlist(user_id, account_id, named=named)
    if found is None:
        raise _not_found()
    return found


async def _record(
    tx: ProfilesTransaction, action: str, watchlist: domain.Watchlist, context: Context, *, ids: IdSource, at: datetime
) -> None:
    subject = f"watchlist:{watchlist.watchlist_id}"
    detail: dict[str, object] = {"symbols": len(watchlist.symbols), "user_id": watchlist.user_id}
    await append_audit(tx.session, action, subject, detail, ids=ids, context=context, at=at)


def _not_found() -> AlphintraError:
    return AlphintraError("WATCHLIST_NOT_FOUND", "watchlist not found", kind=Kind.NOT_FOUND)


def _name_taken() -> AlphintraError:
    message = "watchlist name must be unique: choose another"
    return AlphintraError("WATCHLIST_NAME_TAKEN", message, kind=Kind.CONFLICT, pointer="/name")


def _view(watchlist: domain.Watchlist) -> WatchlistView:
    return WatchlistView(
        watchlist_id=watchlist.watchlist_id,
        account_id=watchlist.account_id,
        name=watchlist.name,
        symbols=watchlist.symbols,
        created_at=watchlist.created_at,
        updated_at=watchlist.updated_at,
    )
