"""Profiles in the user database: rows to values and back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from alphintra.user.domain import Profile, Watchlist

if TYPE_CHECKING:
    from uuid import UUID

    from alphintra.infrastructure.postgres import Database, Record, Session
    from alphintra.kernel.ids import UserId

__all__ = ["Profiles", "ProfilesTransaction"]


class ProfilesTransaction:
    """Changes to profiles inside one transaction."""

    def __init__(self, session: Session) -> None:
        self.session = session

    async def add(self, profile: Profile) -> None:
        """Store a new profile; an existing one stays."""
        await self.session.execute(
            "profiles.insert",
            profile.user_id,
            profile.email,
            profile.display_name,
            profile.locale,
            profile.time_zone,
            profile.version,
            profile.updated_at,
        )

    async def lock(self, user_id: UserId) -> Profile | None:
        """Read a profile and hold it until the transaction ends."""
        row = await self.session.row("profiles.lock", user_id)
        return None if row is None else _profile(row, await self.session.rows("preferences.list", user_id))

    async def save(self, profile: Profile) -> None:
        """Store a changed profile with its preferences."""
        await self.session.execute(
            "profiles.update",
            profile.user_id,
            profile.display_name,
            profile.locale,
            profile.time_zone,
            profile.version,
            profile.updated_at,
        )
        await self.session.execute("preferences.clear", profile.user_id)
        rows = [(profile.user_id, name, value, profile.updated_at) for name, value in profile.preferences]
        await self.session.execute_many("preferences.put", rows)

    async def count_watchlists(self, user_id: UserId) -> int:
        """Return how many watchlists a person has."""
        found: int = await self.session.value("watchlists.count", user_id)
        return found

    async def add_watchlist(self, watchlist: Watchlist) -> bool:
        """Store a new watchlist; False where its name is taken."""
        stored = await self.session.value(
            "watchlists.insert",
            watchlist.watchlist_id,
            watchlist.user_id,
            watchlist.account_id,
            watchlist.name,
            list(watchlist.symbols),
            watchlist.created_at,
        )
        return stored is not None

    async def lock_watchlist(
        self, user_id: UserId, account_id: UUID, *, named: tuple[UUID | None, str | None]
    ) -> Watchlist | None:
        """Read a watchlist by id or name and hold it until the transaction ends."""
        row = await self.session.row("watchlists.lock", user_id, account_id, *named)
        return None if row is None else _watchlist(row)

    async def is_watchlist_name_taken(self, watchlist: Watchlist) -> bool:
        """Tell whether another watchlist of the account has the name."""
        found: bool = await self.session.value(
            "watchlists.name_taken",
            watchlist.user_id,
            watchlist.account_id,
            watchlist.name,
            watchlist.watchlist_id,
        )
        return found

    async def save_watchlist(self, watchlist: Watchlist) -> None:
        """Store a changed watchlist."""
        await self.session.execute(
            "watchlists.update", watchlist.watchlist_id, watchlist.name, list(watchlist.symbols), watchlist.updated_at
        )

    async def delete_watchlist(self, watchlist: Watchlist) -> None:
        """Forget a watchlist."""
        await self.session.execute("watchlists.delete", watchlist.watchlist_id)


class Profiles:
    """Reads of profiles, and the door to change them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[ProfilesTransaction]:
        """Open a transaction: committed at the end, rolled back on any exception."""
        async with self._database.transaction() as session:
            yield ProfilesTransaction(session)

    async def get(self, user_id: UserId) -> Profile | None:
        """Read a profile."""
        async with self._database.session() as session:
            row = await session.row("profiles.get", user_id)
            return None if row is None else _profile(row, await session.rows("preferences.list", user_id))

    async def watchlist(
        self, user_id: UserId, account_id: UUID, *, named: tuple[UUID | None, str | None]
    ) -> Watchlist | None:
        """Read a watchlist by id or name."""
        async with self._database.session() as session:
            row = await session.row("watchlists.get", user_id, account_id, *named)
            return None if row is None else _watchlist(row)

    async def watchlists(self, user_id: UserId, account_id: UUID) -> tuple[Watchlist, ...]:
        """Read a person's watchlists of an account, oldest first."""
        async with self._database.session() as session:
            return tuple(map(_watchlist, await session.rows("watchlists.list", user_id, account_id)))


def _watchlist(row: Record) -> Watchlist:
    return Watchlist(**{**row, "symbols": tuple(row["symbols"])})


def _profile(row: Record, preferences: Sequence[Record]) -> Profile:
    return Profile(**row, preferences=tuple((item["name"], item["value"]) for item in preferences))
