"""Registration: who may, once per address."""

from __future__ import annotations

import asyncio
from collections import Counter
from uuid import UUID

from alphintra.contracts.auth import ListUsers, RegisterUser
from alphintra.kernel.messages import Context
from fixtures.services import operator_context, person_context
from integration.auth.scene import ANONYMOUS, PASSWORD, Auth, code_of

SOMEBODY = UUID(int=9)


def register(email: str = "ada@example.org", *, role: str = "trader", password: str = PASSWORD) -> RegisterUser:
    return RegisterUser(email=email, password=password, role=role)


async def test_of_many_who_register_one_address_at_once_exactly_one_succeeds(auth: Auth) -> None:
    spellings = ("ada@example.org", "ADA@example.org", " ada@Example.org ")
    asked = (code_of(auth, register(spellings[n % 3]), operator_context()) for n in range(12))
    assert Counter(await asyncio.gather(*asked)) == {"ok": 1, "EMAIL_TAKEN": 11}
    assert [row["email"] for row in await auth.query("select email from users")] == ["ada@example.org"]
    assert len(await auth.events("user_registered")) == 1
    assert len(await auth.audited("user.register")) == 1


async def test_who_may_register_whom(auth: Auth) -> None:
    cases: list[tuple[Context, str, str]] = [
        (ANONYMOUS, "viewer", "ROLE_REQUIRED"),
        (person_context("viewer", user_id=SOMEBODY), "viewer", "ROLE_REQUIRED"),
        (person_context("trader", user_id=SOMEBODY), "viewer", "ROLE_REQUIRED"),
        (person_context("operator", user_id=SOMEBODY), "owner", "ROLE_REQUIRED"),
        (person_context("owner", user_id=SOMEBODY, scopes=("read", "trade")), "viewer", "AUTH_SCOPE"),
        (operator_context(), "root", "ROLE_UNKNOWN"),
        (person_context("operator", user_id=SOMEBODY), "operator", "ok"),
        (person_context("owner", user_id=SOMEBODY), "owner", "ok"),
        (person_context("owner", user_id=SOMEBODY, scopes=("admin",)), "viewer", "ok"),
        (operator_context(), "owner", "ok"),
    ]
    for number, (context, role, code) in enumerate(cases):
        assert await code_of(auth, register(f"n{number}@example.org", role=role), context) == code, (context, role)
    stored = await auth.query("select email, role from users order by email")
    expected = [(f"n{n}@example.org", role) for n, (_, role, code) in enumerate(cases) if code == "ok"]
    assert [(row["email"], row["role"]) for row in stored] == expected


async def test_a_bad_address_or_password_registers_nobody(auth: Auth) -> None:
    for command, code in (
        (register("nobody"), "EMAIL_FORMAT"),
        (register(password="short"), "PASSWORD_TOO_SHORT"),
        (register(password="x" * 900_000), "PASSWORD_TOO_LONG"),
        (register(password="password123"), "PASSWORD_BREACHED"),
        (register(password="ada's own password"), "PASSWORD_CONTEXT"),
        (register(password="alphintra2026!"), "PASSWORD_CONTEXT"),
    ):
        assert await code_of(auth, command, operator_context()) == code
    assert await auth.query("select user_id from users") == []
    assert await code_of(auth, register(password="p" * 73), operator_context()) == "ok"


async def test_the_password_is_stored_as_argon2id_with_the_chosen_parameters(auth: Auth) -> None:
    await auth.register("ada")
    (row,) = await auth.query("select password_hash from users")
    assert row["password_hash"].startswith("$argon2id$v=19$m=47104,t=1,p=1$")
    assert PASSWORD not in row["password_hash"]


async def test_people_are_listed_for_those_who_run_the_installation_alone(auth: Auth) -> None:
    ada = await auth.register("ada", "owner")
    bob = await auth.register("bob")
    listed = (await auth.ask(ListUsers(), ada.context)).users
    assert [(view.user_id, view.role) for view in listed] == [(ada.user_id, "owner"), (bob.user_id, "trader")]
    assert await code_of(auth, ListUsers(), bob.context) == "ROLE_REQUIRED"
    assert await code_of(auth, ListUsers()) == "ROLE_REQUIRED"
