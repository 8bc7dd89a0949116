"""Use cases about profiles: one function per command or event."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import TYPE_CHECKING

from alphintra.contracts.user import PreferencesChanged, ProfileView, UpdateProfile
from alphintra.infrastructure.events import Delivery, append_audit, append_event, receive_once
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.ids import UserId
from alphintra.user import domain

if TYPE_CHECKING:
    from alphintra.contracts.auth import UserRegistered
    from alphintra.kernel.ids import IdSource
    from alphintra.kernel.messages import Context
    from alphintra.user.repository import Profiles

__all__ = ["create_profile", "get_profile", "update_profile"]


async def create_profile(delivery: Delivery[UserRegistered], *, profiles: Profiles) -> None:
    """Give a person just registered a profile; an event delivered again changes nothing."""
    event = delivery.event
    async with profiles.transaction() as tx:
        if await receive_once(tx.session, "user", delivery):
            await tx.add(domain.new_profile(UserId(event.user_id), event.email, at=delivery.occurred_at))


async def get_profile(context: Context, *, profiles: Profiles) -> ProfileView:
    """Return the acting user's profile. Raises PROFILE_NOT_FOUND until the registration has arrived."""
    profile = await profiles.get(_acting_user(context))
    if profile is None:
        raise _not_found()
    return _view(profile)


async def update_profile(
    command: UpdateProfile,
    context: Context,
    *,
    profiles: Profiles,
    time_zones: AbstractSet[str],
    ids: IdSource,
    at: datetime,
) -> ProfileView:
    """Change the acting user's profile. Raises VERSION_CONFLICT, FIELD_* and PROFILE_NOT_FOUND."""
    changes = domain.Changes(
        version=command.version,
        display_name=command.display_name,
        locale=command.locale,
        time_zone=command.time_zone,
        preferences=None if command.preferences is None else tuple(sorted(command.preferences.items())),
    )
    async with profiles.transaction() as tx:
        profile = await tx.lock(_acting_user(context))
        if profile is None:
            raise _not_found()
        changed = domain.apply_changes(profile, changes, time_zones=time_zones, at=at)
        await tx.save(changed)
        event = PreferencesChanged(user_id=changed.user_id, version=changed.version)
        await append_event(tx.session, event, ids=ids, aggregate_id=changed.user_id, context=context, at=at)
        await append_audit(
            tx.session,
            "profile.update",
            f"user:{changed.user_id}",
            {"version": changed.version},
            ids=ids,
            context=context,
            at=at,
        )
    return _view(changed)


def _acting_user(context: Context) -> UserId:
    return domain.acting_user(context.actor.user_id)


def _not_found() -> AlphintraError:
    return AlphintraError("PROFILE_NOT_FOUND", "there is no such profile (yet): try again", kind=Kind.NOT_FOUND)


def _view(profile: domain.Profile) -> ProfileView:
    return ProfileView(
        user_id=profile.user_id,
        email=profile.email,
        display_name=profile.display_name,
        locale=profile.locale,
        time_zone=profile.time_zone,
        preferences=dict(profile.preferences),
        version=profile.version,
        updated_at=profile.updated_at,
    )
