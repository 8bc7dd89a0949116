"""Decisions about profiles: what may be set, and what a change yields."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.ids import UserId

__all__ = [
    "Changes",
    "Profile",
    "Watchlist",
    "WatchlistChanges",
    "acting_user",
    "apply_changes",
    "change_watchlist",
    "new_profile",
    "new_watchlist",
]

DISPLAY_NAME_MAX = 80
PREFERENCES_MAX = 100
PREFERENCE_LENGTH_MAX = 200
LIST_NAME_MAX = 64
LIST_SYMBOLS_MAX = 500
_SYMBOL = re.compile(r"[A-Z0-9][A-Z0-9./-]{0,31}")
_INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
_LOCALE = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A person's profile; ``version`` grows by one with each change."""

    user_id: UserId
    email: str
    display_name: str
    locale: str
    time_zone: str
    preferences: tuple[tuple[str, str], ...]
    version: int
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What a person wants changed; None leaves a field as it is."""

    version: int
    display_name: str | None = None
    locale: str | None = None
    time_zone: str | None = None
    preferences: tuple[tuple[str, str], ...] | None = None


def new_profile(user_id: UserId, email: str, *, at: datetime) -> Profile:
    """Return the profile a person starts with."""
    return Profile(
        user_id=user_id,
        email=email,
        display_name=email.partition("@")[0][:DISPLAY_NAME_MAX],
        locale="en",
        time_zone="UTC",
        preferences=(),
        version=1,
        updated_at=at,
    )


def apply_changes(profile: Profile, changes: Changes, *, time_zones: AbstractSet[str], at: datetime) -> Profile:
    """Return the changed profile.

    Args:
        profile: as it is.
        changes: as wanted, unchecked.
        time_zones: names of all time zones there are.
        at: when, aware UTC.

    Raises:
        AlphintraError: VERSION_CONFLICT if it changed since it was read; FIELD_CHARS, FIELD_LENGTH or FIELD_VALUE for
            bad input.
    """
    if changes.version != profile.version:
        message = f"the profile is at version {profile.version}, not {changes.version}: read it again"
        raise AlphintraError("VERSION_CONFLICT", message, kind=Kind.CONFLICT, pointer="/version")
    if changes.display_name is not None:
        _check_text(changes.display_name, DISPLAY_NAME_MAX, pointer="/display_name")
    if changes.locale is not None and _LOCALE.fullmatch(changes.locale) is None:
        raise AlphintraError("FIELD_VALUE", "this is no locale: write e.g. en or de-AT", pointer="/locale")
    if changes.time_zone is not None and changes.time_zone not in time_zones:
        raise AlphintraError("FIELD_VALUE", "this is no time zone: write e.g. Europe/Berlin", pointer="/time_zone")
    if changes.preferences is not None:
        _check_preferences(changes.preferences)
    return replace(
        profile,
        display_name=profile.display_name if changes.display_name is None else changes.display_name,
        locale=profile.locale if changes.locale is None else changes.locale,
        time_zone=profile.time_zone if changes.time_zone is None else changes.time_zone,
        preferences=profile.preferences if changes.preferences is None else changes.preferences,
        version=profile.version + 1,
        updated_at=at,
    )


def _check_preferences(preferences: tuple[tuple[str, str], ...]) -> None:
    if len(preferences) > PREFERENCES_MAX:
        raise AlphintraError("FIELD_LENGTH", f"at most {PREFERENCES_MAX} preferences", pointer="/preferences")
    for name, value in preferences:
        _check_text(name, PREFERENCE_LENGTH_MAX, pointer="/preferences")
        escaped = name.replace("~", "~0").replace("/", "~1")  # RFC 6901
        _check_text(value, PREFERENCE_LENGTH_MAX, pointer=f"/preferences/{escaped}")


def _check_text(value: str, length_max: int, *, pointer: str) -> None:
    if not value.strip() or len(value) > length_max:
        raise AlphintraError("FIELD_LENGTH", f"must have 1 to {length_max} visible characters", pointer=pointer)
    if any(unicodedata.category(character) in _INVISIBLE for character in value):
        raise AlphintraError("FIELD_CHARS", "holds control or invisible characters", pointer=pointer)


# --- watchlists ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Watchlist:
    """A named list of symbols, each once, in its person's order."""

    watchlist_id: UUID
    user_id: UserId
    account_id: UUID
    name: str
    symbols: tuple[str, ...]
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchlistChanges:
    """What is to change; None stays as it is."""

    new_name: str | None
    symbols: tuple[str, ...] | None
    added: str | None
    removed: str | None


def acting_user(user_id: UUID | None) -> UserId:
    """Return who acts. Raises USER_REQUIRED for services and for the local operator."""
    if user_id is None:
        message = "only a signed-in person has a profile and lists: log in"
        raise AlphintraError("USER_REQUIRED", message, kind=Kind.FORBIDDEN)
    return UserId(user_id)


def new_watchlist(
    *, watchlist_id: UUID, user_id: UserId, account_id: UUID, name: str, symbols: tuple[str, ...], at: datetime
) -> Watchlist:
    """Return a new watchlist. Raises FIELD_LENGTH, FIELD_CHARS or ORDER_UNKNOWN_SYMBOL."""
    return Watchlist(
        watchlist_id=watchlist_id,
        user_id=user_id,
        account_id=account_id,
        name=_list_name(name),
        symbols=_symbols(symbols),
        created_at=at,
        updated_at=at,
    )


def change_watchlist(watchlist: Watchlist, changes: WatchlistChanges, *, at: datetime) -> Watchlist:
    """Return the watchlist after the changes; adding what is in it already changes nothing.

    Raises SYMBOL_NOT_FOUND for a symbol to take out that is not in it, FIELD_LENGTH, FIELD_CHARS or
    ORDER_UNKNOWN_SYMBOL.
    """
    symbols = watchlist.symbols if changes.symbols is None else changes.symbols
    if changes.added is not None:
        symbols = (*symbols, changes.added)
    if changes.removed is not None:
        if changes.removed not in symbols:
            message = f"{changes.removed[:40]!r} is not in this watchlist"
            raise AlphintraError("SYMBOL_NOT_FOUND", message, kind=Kind.NOT_FOUND, pointer="/symbol")
        symbols = tuple(symbol for symbol in symbols if symbol != changes.removed)
    name = watchlist.name if changes.new_name is None else _list_name(changes.new_name)
    return replace(watchlist, name=name, symbols=_symbols(symbols), updated_at=at)


def _list_name(name: str) -> str:
    if not 0 < len(name.strip()) <= LIST_NAME_MAX:
        message = f"watchlist name must be 1 to {LIST_NAME_MAX} characters"
        raise AlphintraError("FIELD_LENGTH", message, pointer="/name")
    if not name.isprintable():
        raise AlphintraError("FIELD_CHARS", "the name holds control or invisible characters", pointer="/name")
    return name.strip()


def _symbols(symbols: tuple[str, ...]) -> tuple[str, ...]:
    for symbol in symbols:
        if not _SYMBOL.fullmatch(symbol):
            message = f"{symbol[:40]!r} is no symbol: write it in capitals, e.g. AAPL"
            raise AlphintraError("ORDER_UNKNOWN_SYMBOL", message, pointer="/symbols")
    once = tuple(dict.fromkeys(symbols))
    if len(once) > LIST_SYMBOLS_MAX:
        raise AlphintraError("FIELD_LENGTH", f"a watchlist has at most {LIST_SYMBOLS_MAX} symbols", pointer="/symbols")
    return once
