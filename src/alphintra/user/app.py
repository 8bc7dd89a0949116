"""Composition root of user."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import available_timezones

from alphintra.contracts.auth import UserRegistered
from alphintra.contracts.user import (
    ChangeWatchlist,
    CreateWatchlist,
    DeleteWatchlist,
    GetProfile,
    GetWatchlist,
    ListWatchlists,
    UpdateProfile,
)
from alphintra.user.endpoints import Endpoints
from alphintra.user.repository import Profiles

if TYPE_CHECKING:
    from alphintra.infrastructure.host import Parts, ServiceHost

__all__ = ["wire"]

_NO_PLACES = {"Factory", "localtime"}  # what they mean differs from machine to machine


def wire(host: ServiceHost, _parts: Parts) -> None:
    """Enter what user answers and hears."""
    endpoints = Endpoints(
        profiles=Profiles(host.database),
        time_zones=frozenset(available_timezones() - _NO_PLACES),
        clock=host.clock,
        ids=host.ids,
    )
    host.bus.answer(GetProfile, endpoints.get_profile)
    host.bus.answer(UpdateProfile, endpoints.update_profile)
    host.bus.answer(CreateWatchlist, endpoints.create_watchlist)
    host.bus.answer(GetWatchlist, endpoints.get_watchlist)
    host.bus.answer(ListWatchlists, endpoints.list_watchlists)
    host.bus.answer(ChangeWatchlist, endpoints.change_watchlist)
    host.bus.answer(DeleteWatchlist, endpoints.delete_watchlist)
    host.hear(UserRegistered, endpoints.on_user_registered)
