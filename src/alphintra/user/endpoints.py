"""Ways into user: commands and events; each decoded, one use case, encoded."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING

from alphintra.contracts import user as messages
from alphintra.contracts.auth import UserRegistered
from alphintra.contracts.user import GetProfile, ProfileView, UpdateProfile
from alphintra.kernel.messages import View
from alphintra.user.service import profiles, watchlists

if TYPE_CHECKING:
    from alphintra.infrastructure.events import Delivery
    from alphintra.kernel.clock import Clock
    from alphintra.kernel.ids import IdSource
    from alphintra.kernel.messages import Context
    from alphintra.user.repository import Profiles

__all__ = ["Endpoints"]


class Endpoints:
    """Handlers with what they need at hand."""

    def __init__(self, *, profiles: Profiles, time_zones: AbstractSet[str], clock: Clock, ids: IdSource) -> None:
        self._profiles = profiles
        self._time_zones = time_zones
        self._clock = clock
        self._ids = ids

    async def get_profile(self, _command: GetProfile, context: Context) -> ProfileView:
        """Answer ``user.get_profile``."""
        return await profiles.get_profile(context, profiles=self._profiles)

    async def update_profile(self, command: UpdateProfile, context: Context) -> ProfileView:
        """Answer ``user.update_profile``."""
        return await profiles.update_profile(
            command,
            context,
            profiles=self._profiles,
            time_zones=self._time_zones,
            ids=self._ids,
            at=self._clock.now(),
        )

    async def create_watchlist(self, command: messages.CreateWatchlist, context: Context) -> messages.WatchlistView:
        """Answer ``user.create_watchlist``."""
        return await watchlists.create_watchlist(
            command, context, profiles=self._profiles, ids=self._ids, at=self._clock.now()
        )

    async def get_watchlist(self, command: messages.GetWatchlist, context: Context) -> messages.WatchlistView:
        """Answer ``user.get_watchlist``."""
        return await watchlists.get_watchlist(command, context, profiles=self._profiles)

    async def list_watchlists(self, command: messages.ListWatchlists, context: Context) -> messages.WatchlistsView:
        """Answer ``user.list_watchlists``."""
        return await watchlists.list_watchlists(command, context, profiles=self._profiles)

    async def change_watchlist(self, command: messages.ChangeWatchlist, context: Context) -> messages.WatchlistView:
        """Answer ``user.change_watchlist``."""
        return await watchlists.change_watchlist(
            command, context, profiles=self._profiles, ids=self._ids, at=self._clock.now()
        )

    async def delete_watchlist(self, command: messages.DeleteWatchlist, context: Context) -> View:
        """Answer ``user.delete_watchlist``."""
        await watchlists.delete_watchlist(
            command, context, profiles=self._profiles, ids=self._ids, at=self._clock.now()
        )
        return View()

    async def on_user_registered(self, delivery: Delivery[UserRegistered]) -> None:
        """Hear ``auth.user_registered``."""
        await profiles.create_profile(delivery, profiles=self._profiles)
