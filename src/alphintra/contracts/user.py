"""What user answers and tells."""

from __future__ import annotations

from uuid import UUID

from alphintra.kernel.messages import Command, Event, Utc, View

__all__ = [
    "ChangeWatchlist",
    "CreateWatchlist",
    "DeleteWatchlist",
    "GetProfile",
    "GetWatchlist",
    "ListWatchlists",
    "PreferencesChanged",
    "ProfileView",
    "UpdateProfile",
    "WatchlistView",
    "WatchlistsView",
]


class ProfileView(View, frozen=True):
    """A person's profile and preferences."""

    user_id: UUID
    email: str
    display_name: str
    locale: str
    time_zone: str
    preferences: dict[str, str]
    version: int
    updated_at: Utc


class GetProfile(Command[ProfileView], tag="user.get_profile.v1", frozen=True):
    """Fetch the acting user's profile."""


class UpdateProfile(Command[ProfileView], tag="user.update_profile.v1", frozen=True):
    """Change the acting user's profile; ``version`` must be the one last read, fields left None stay."""

    version: int
    display_name: str | None = None
    locale: str | None = None
    time_zone: str | None = None
    preferences: dict[str, str] | None = None


class WatchlistView(View, frozen=True):
    """A named list of symbols in its person's order, kept for one of their accounts."""

    watchlist_id: UUID
    account_id: UUID
    name: str
    symbols: tuple[str, ...]
    created_at: Utc
    updated_at: Utc


class WatchlistsView(View, frozen=True):
    """The acting user's watchlists of an account, oldest first."""

    watchlists: tuple[WatchlistView, ...]


class CreateWatchlist(Command[WatchlistView], tag="user.create_watchlist.v1", frozen=True):
    """Make a watchlist; its name is the only one of that name among the account's."""

    account_id: UUID
    name: str
    symbols: tuple[str, ...] = ()


class GetWatchlist(Command[WatchlistView], tag="user.get_watchlist.v1", frozen=True):
    """Fetch a watchlist of the acting user, by id or by name."""

    account_id: UUID
    watchlist_id: UUID | None = None
    name: str | None = None


class ListWatchlists(Command[WatchlistsView], tag="user.list_watchlists.v1", frozen=True):
    """List the acting user's watchlists of an account."""

    account_id: UUID


class ChangeWatchlist(Command[WatchlistView], tag="user.change_watchlist.v1", frozen=True):
    """Rename a watchlist, give it other symbols, add one at its end or take one out; what is left out stays."""

    account_id: UUID
    watchlist_id: UUID | None = None
    name: str | None = None
    new_name: str | None = None
    symbols: tuple[str, ...] | None = None
    added: str | None = None
    removed: str | None = None


class DeleteWatchlist(Command[View], tag="user.delete_watchlist.v1", frozen=True):
    """Delete a watchlist of the acting user, by id or by name."""

    account_id: UUID
    watchlist_id: UUID | None = None
    name: str | None = None


class PreferencesChanged(Event, tag="user.preferences_changed.v1", frozen=True):
    """A person changed profile or preferences."""

    user_id: UUID
    version: int
