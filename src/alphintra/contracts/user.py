"""What user answers and tells."""

from __future__ import annotations

from uuid import UUID

from alphintra.kernel.messages import Command, Event, Utc, View

__all__ = ["GetProfile", "PreferencesChanged", "ProfileView", "UpdateProfile"]


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


class PreferencesChanged(Event, tag="user.preferences_changed.v1", frozen=True):
    """A person changed profile or preferences."""

    user_id: UUID
    version: int
