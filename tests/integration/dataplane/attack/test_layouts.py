"""What is open in each layout under strict, on one instance and on several, on servers of one's own and of others."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import asyncpg
import pytest

from alphintra.dataplane.attack.assault import attack_layout
from alphintra.dataplane.attack.model import Level
from alphintra.dataplane.hardening import Hardening
from alphintra.dataplane.layouts import LayoutChoice, LayoutName, choose_layout, instances_of
from alphintra.dataplane.matrix import Outcome
from alphintra.dataplane.provision import provision
from alphintra.dataplane.usual_setup import set_up_usual
from fixtures.postgres import password_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from alphintra.dataplane.attack.findings import Assessment
    from alphintra.dataplane.layouts import Placement
    from alphintra.dataplane.server import Server

THREE = frozenset({"risk", "trading", "user"})
OWN = {"own_role.password", "own_role.settings", "own_role.session_bounds", "own_role.application_name"}
SHARED_INSTANCE = {"names.regrole", "names.error_texts", "wal.transaction_numbers"}
SHARED_DATABASE = {
    "catalog.schema_names",
    "catalog.columns",
    "catalog.types",
    "catalog.names_by_number",
    "messages.listen",
    "messages.forge",
    "locks.old_snapshot",
}


def three_of(choice: LayoutChoice) -> tuple[Placement, ...]:
    return tuple(item for item in choose_layout(choice) if item.service in THREE)


async def provisioned_on(
    private_postgres: Callable[..., Server], layout: Sequence[Placement], *, hardening: Hardening = Hardening.STRICT
) -> list[Server]:
    servers = [replace(private_postgres(), instance=name, hardening=hardening) for name in instances_of(layout)]
    for server in servers:
        await provision(server, layout=layout, passwords=password_of)
    return servers


def opened(found: Assessment) -> set[str]:
    return {finding.attack.name for finding in found.findings}


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("choice", "remaining"),
    [
        (LayoutChoice(), OWN | SHARED_INSTANCE),
        (LayoutChoice(name=LayoutName.HYBRID), OWN | SHARED_INSTANCE | SHARED_DATABASE),
        (LayoutChoice(name=LayoutName.CENTRAL), OWN | SHARED_INSTANCE | SHARED_DATABASE),
        (LayoutChoice(is_isolated=True), OWN),
    ],
    ids=["separate", "hybrid", "central", "isolated"],
)
async def test_strict_leaves_open_what_postgresql_cannot_close_and_no_more(
    private_postgres: Callable[..., Server], choice: LayoutChoice, remaining: set[str]
) -> None:
    layout = three_of(choice)
    servers = await provisioned_on(private_postgres, layout)
    found = await attack_layout(servers, layout=layout, passwords=password_of)
    assert opened(found) == remaining
    assert found.is_as_accepted


@pytest.mark.slow
async def test_hardened_leaves_open_more_and_the_usual_set_up_most(private_postgres: Callable[..., Server]) -> None:
    layout = three_of(LayoutChoice())
    (hardened,) = await provisioned_on(private_postgres, layout, hardening=Hardening.HARDENED)
    usual = private_postgres(samerole=False)
    await set_up_usual(usual, layout=layout, passwords=password_of)
    middle = await attack_layout((hardened,), layout=layout, passwords=password_of)
    loosest = await attack_layout((usual,), layout=layout, passwords=password_of, level=Level.USUAL)
    assert middle.is_as_accepted
    assert loosest.is_as_accepted, (loosest.unaccepted, loosest.errors)
    assert opened(middle) > OWN | SHARED_INSTANCE
    assert len(opened(middle)) < len(opened(loosest))
    assert {"connect.victim_database", "connect.exhaustion", "own.drop_table"} <= opened(loosest) - opened(middle)
    strictly = await attack_layout((usual,), layout=layout, passwords=password_of)
    assert {"connect.victim_database", "names.pg_roles"} <= {item.attack.name for item in strictly.unaccepted}


@pytest.mark.slow
async def test_one_role_for_all_opens_its_rows_and_no_more_of_the_server(
    private_postgres: Callable[..., Server],
) -> None:
    layout = three_of(LayoutChoice(name=LayoutName.CENTRAL, has_shared_role=True))
    servers = await provisioned_on(private_postgres, layout)
    found = await attack_layout(servers, layout=layout, passwords=password_of)
    assert {"data.read", "data.insert", "data.delete"} <= opened(found)
    assert not {"data.truncate", "files.copy_to_program", "own.create_table"} & opened(found)
    assert found.is_as_accepted, (found.unaccepted, found.errors)


@pytest.mark.slow
async def test_what_an_operator_without_superuser_cannot_close_is_accepted_on_their_server_alone(
    private_postgres: Callable[..., Server],
) -> None:
    local = private_postgres(samerole=False)
    connection = await asyncpg.connect(local.admin_url)
    await connection.execute("create role operator login createrole createdb password 'operator'")
    await connection.close()
    url = f"postgresql://operator:operator@{local.host}:{local.port}/postgres"
    server = replace(local, admin_url=url, exclusive=False)
    layout = three_of(LayoutChoice())
    await provision(server, layout=layout, passwords=password_of)
    found = await attack_layout((server,), layout=layout, passwords=password_of)
    assert found.is_as_accepted, (found.unaccepted, found.errors)
    assert {"connect.postgres", "code.do_block", "names.pg_roles"} <= opened(found)
    ours = await attack_layout((local,), layout=layout, passwords=password_of)
    assert {"connect.postgres", "code.do_block", "names.pg_roles"} <= {item.attack.name for item in ours.unaccepted}


async def test_a_service_that_cannot_log_in_proves_nothing(private_postgres: Callable[..., Server]) -> None:
    layout = tuple(item for item in choose_layout(LayoutChoice()) if item.service in {"user", "nocode"})
    (server,) = await provisioned_on(private_postgres, layout)
    connection = await asyncpg.connect(server.admin_url)
    await connection.execute("alter role user_service_user password 'changed by hand'")
    await connection.close()
    found = await attack_layout((server,), layout=layout, passwords=password_of)
    assert not found.is_as_accepted
    own = [result for result in found.results if result.attacker == result.victim == "user"]
    assert {result.answer.outcome for result in own if result.attack.tactic is None} == {Outcome.ERROR}
    assert {result.answer.code for result in own if result.attack.name == "files.read"} == {"28P01"}


@pytest.mark.slow
async def test_every_probe_is_answered_by_postgresql_15_too(private_postgres: Callable[..., Server]) -> None:
    server = private_postgres(version=15)
    layout = three_of(LayoutChoice(name=LayoutName.CENTRAL))
    await provision(server, layout=layout, passwords=password_of)
    found = await attack_layout((server,), layout=layout, passwords=password_of)
    assert {(result.attack.name, result.answer.code, result.answer.text) for result in found.errors} == set()
    assert opened(found) == OWN | SHARED_INSTANCE | SHARED_DATABASE
