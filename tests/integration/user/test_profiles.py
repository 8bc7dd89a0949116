"""Profiles: made when auth tells of a person, changed by that person alone."""

from __future__ import annotations

import asyncio
import base64
import json
from collections import Counter
from uuid import UUID

import pytest
import pytest_asyncio

from alphintra.auth.app import wire as wire_auth
from alphintra.contracts.auth import RegisterUser, UserRegistered
from alphintra.contracts.user import GetProfile, ProfileView, UpdateProfile
from alphintra.infrastructure.events import Delivery
from alphintra.infrastructure.host import Parts
from alphintra.infrastructure.system import SystemIds
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.messages import Context
from alphintra.user.app import wire
from alphintra.user.repository import Profiles
from alphintra.user.service import profiles as service
from fixtures.services import RunningService, StartService, operator_context, person_context
from fixtures.single_service import NOON, SettableClock, delivery_of

ADA, EVE = UUID(int=1), UUID(int=2)
DEADLINE_S = 120.0


@pytest_asyncio.fixture
async def user(start_service: StartService) -> RunningService:
    return await start_service("user", wire, clock=SettableClock(), parts=Parts(background=False))


def registered(user_id: UUID = ADA, email: str = "ada@example.org") -> Delivery[UserRegistered]:
    return delivery_of(UserRegistered(user_id=user_id, email=email, role="trader"), aggregate_id=user_id)


async def hear(user: RunningService, delivery: Delivery[UserRegistered]) -> None:
    await service.create_profile(delivery, profiles=Profiles(user.host.database))


def acting(user_id: UUID) -> Context:
    return person_context("trader", user_id=user_id)


async def code_of(user: RunningService, command: GetProfile | UpdateProfile, context: Context) -> str:
    try:
        await user.ask(command, context)
    except AlphintraError as error:
        return error.code
    return "ok"


async def test_a_registration_heard_twice_makes_one_profile(user: RunningService) -> None:
    delivery = registered()
    await asyncio.gather(*(hear(user, delivery) for _ in range(4)))
    profile = await user.ask(GetProfile(), acting(ADA))
    assert (profile.email, profile.display_name, profile.version) == ("ada@example.org", "ada", 1)
    assert profile.updated_at == NOON
    assert len(await user.query("select event_id from inbox")) == 1


async def test_a_registration_told_again_under_another_id_leaves_the_profile_as_it_is(user: RunningService) -> None:
    await hear(user, registered())
    await user.ask(UpdateProfile(version=1, display_name="Countess"), acting(ADA))
    await hear(user, registered())
    profile = await user.ask(GetProfile(), acting(ADA))
    assert (profile.display_name, profile.version) == ("Countess", 2)


async def test_a_change_is_stored_told_and_audited_together(user: RunningService) -> None:
    await hear(user, registered())
    command = UpdateProfile(version=1, display_name="Ada", time_zone="Europe/Berlin", preferences={"b": "2", "a": "1"})
    changed = await user.ask(command, acting(ADA))
    assert changed == await user.ask(GetProfile(), acting(ADA))
    assert (changed.display_name, changed.time_zone, changed.version) == ("Ada", "Europe/Berlin", 2)
    assert changed.preferences == {"a": "1", "b": "2"}
    (event,) = await user.query("select subject, aggregate_id, payload from event_log join outbox using (event_id)")
    assert (event["subject"], event["aggregate_id"]) == ("user.evt.preferences_changed", ADA)
    assert json.loads(event["payload"])["event"]["version"] == 2
    (row,) = await user.query("select actor, action, object from audit_events")
    assert (row["actor"], row["action"], row["object"]) == (f"user:{ADA}", "profile.update", f"user:{ADA}")


async def test_preferences_left_out_are_gone(user: RunningService) -> None:
    await hear(user, registered())
    for version in range(1, 4):
        command = UpdateProfile(version=version, preferences={f"name{version}": "x"})
        await user.ask(command, acting(ADA))
    assert [row["name"] for row in await user.query("select name from preferences")] == ["name3"]
    kept = await user.ask(UpdateProfile(version=4, locale="de"), acting(ADA))
    assert kept.preferences == {"name3": "x"}
    emptied = await user.ask(UpdateProfile(version=5, preferences={}), acting(ADA))
    assert emptied.preferences == {}
    assert await user.query("select name from preferences") == []


async def test_of_changes_to_one_version_made_at_once_exactly_one_is_kept(user: RunningService) -> None:
    await hear(user, registered())
    asked = (code_of(user, UpdateProfile(version=1, display_name=f"Ada {n}"), acting(ADA)) for n in range(10))
    assert Counter(await asyncio.gather(*asked)) == {"ok": 1, "VERSION_CONFLICT": 9}
    assert (await user.ask(GetProfile(), acting(ADA))).version == 2
    assert len(await user.query("select event_id from event_log")) == 1


async def test_a_refused_change_leaves_nothing_behind(user: RunningService) -> None:
    await hear(user, registered())
    before = await user.ask(GetProfile(), acting(ADA))
    command = UpdateProfile(version=1, display_name="Ada", preferences={"a": "1", "b": "\u202e"})
    assert await code_of(user, command, acting(ADA)) == "FIELD_CHARS"
    assert await user.ask(GetProfile(), acting(ADA)) == before
    assert await user.query("select event_id from event_log") == []
    assert await user.query("select audit_id from audit_events") == []


async def test_zones_that_name_no_place_are_refused(user: RunningService) -> None:
    await hear(user, registered())
    for zone in ("localtime", "Factory", "Mars/Olympus"):
        assert await code_of(user, UpdateProfile(version=1, time_zone=zone), acting(ADA)) == "FIELD_VALUE"


async def test_everybody_sees_and_changes_the_own_profile_alone(user: RunningService) -> None:
    await hear(user, registered())
    await hear(user, registered(EVE, "eve@example.org"))
    await user.ask(UpdateProfile(version=1, display_name="Eve!", preferences={"theme": "dark"}), acting(EVE))
    ada = await user.ask(GetProfile(), acting(ADA))
    assert (ada.user_id, ada.display_name, ada.preferences, ada.version) == (ADA, "ada", {}, 1)


@pytest.mark.parametrize("command", [GetProfile(), UpdateProfile(version=1)], ids=["get", "update"])
async def test_who_has_no_profile_is_told_so(user: RunningService, command: GetProfile | UpdateProfile) -> None:
    assert await code_of(user, command, acting(ADA)) == "PROFILE_NOT_FOUND"
    assert await code_of(user, command, operator_context()) == "USER_REQUIRED"


async def test_a_registration_in_auth_becomes_a_profile_in_user(start_service: StartService) -> None:
    seed = base64.b64encode(b"\x05" * 32).decode()
    auth = await start_service("auth", wire_auth, secrets={"jwt_seed": seed})
    user = await start_service("user", wire)
    email = f"{SystemIds().new().hex}@example.org"
    view = await auth.ask(RegisterUser(email=email, password="a quiet harbour", role="trader"), operator_context())
    profile = await _profile_of(user, view.user_id)
    assert (profile.user_id, profile.email, profile.version) == (view.user_id, email, 1)
    assert profile.updated_at == view.created_at


async def _profile_of(user: RunningService, user_id: UUID) -> ProfileView:
    async with asyncio.timeout(DEADLINE_S):
        while True:
            try:
                return await user.ask(GetProfile(), acting(user_id))
            except AlphintraError as error:
                if error.code != "PROFILE_NOT_FOUND":
                    raise
            await asyncio.sleep(0.02)
