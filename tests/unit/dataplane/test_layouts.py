"""Where each service lives in each layout, and which choices are refused."""

from __future__ import annotations

import pytest

from alphintra.dataplane.declaration import declare
from alphintra.dataplane.layouts import (
    LayoutChoice,
    LayoutName,
    choose_layout,
    instances_of,
    layout_label,
    login_roles,
    merge_rule,
    separate_layout,
)
from alphintra.kernel.errors import AlphintraError
from alphintra.manifest import COMMON_TABLES, SERVICE_NAMES, SERVICES

HYBRID = {
    "alphintra_financial": {"trading", "risk", "strategy"},
    "alphintra_platform": {"user", "auth", "notification"},
    "alphintra_workflow": {"nocode", "broker"},
}


def by_database(choice: LayoutChoice) -> dict[str, set[str]]:
    """Return the services of each database."""
    found: dict[str, set[str]] = {}
    for placement in choose_layout(choice):
        found.setdefault(placement.database, set()).add(placement.service)
    return found


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (LayoutName.SEPARATE, {f"alphintra_{service}": {service} for service in SERVICE_NAMES}),
        (LayoutName.HYBRID, HYBRID),
        (LayoutName.CENTRAL, {"alphintra_central": set(SERVICE_NAMES)}),
    ],
)
def test_databases_are_the_seeds(name: LayoutName, expected: dict[str, set[str]]) -> None:
    assert by_database(LayoutChoice(name=name)) == expected


@pytest.mark.parametrize("name", [LayoutName.SEPARATE, LayoutName.HYBRID, LayoutName.CENTRAL])
def test_schema_and_role_are_the_same_in_every_layout(name: LayoutName) -> None:
    for placement in choose_layout(LayoutChoice(name=name)):
        assert placement.schema == f"{placement.service}_schema"
        assert placement.service_role == f"{placement.service}_service_user"
        assert placement.owner_role == f"{placement.service}_owner"
        assert placement.search_path == (f"{placement.service}_schema", "pg_temp")


def test_default_choice_is_the_separate_layout() -> None:
    assert choose_layout(LayoutChoice()) == separate_layout()


def test_isolated_gives_each_database_an_instance_of_its_own() -> None:
    assert instances_of(choose_layout(LayoutChoice(is_isolated=True))) == tuple(sorted(SERVICE_NAMES))
    hybrid = choose_layout(LayoutChoice(name=LayoutName.HYBRID, is_isolated=True))
    assert instances_of(hybrid) == ("financial", "platform", "workflow")


def test_a_database_can_be_put_on_any_instance() -> None:
    choice = LayoutChoice(instances={"alphintra_trading": "fast"})
    assert {item.service for item in choose_layout(choice) if item.instance == "fast"} == {"trading"}
    assert instances_of(choose_layout(choice)) == ("fast", "main")


def test_names_can_be_set() -> None:
    choice = LayoutChoice(
        name=LayoutName.CENTRAL,
        databases={"alphintra_central": "alphintra_main"},
        schemas={"trading": "desk"},
        roles={"trading": "desk_app"},
    )
    placement = next(item for item in choose_layout(choice) if item.service == "trading")
    assert (placement.database, placement.schema, placement.service_role) == ("alphintra_main", "desk", "desk_app")
    declared = declare(choose_layout(choice)).databases["alphintra_main"]
    assert declared.schemas["desk"] == "trading_owner"
    assert {grant.grantee for grant in declared.grants if grant.schema == "desk"} >= {"desk_app", "trading_reader"}


def test_a_shared_role_may_do_what_each_service_may_and_open_as_many_sessions() -> None:
    layout = choose_layout(LayoutChoice(name=LayoutName.CENTRAL, has_shared_role=True))
    assert {placement.service_role for placement in layout} == {"central_app_user"}
    declared = declare(layout)
    assert declared.roles["central_app_user"].connection_limit == sum(s.connections_max for s in SERVICES.values())
    granted = {g.schema for g in declared.databases["alphintra_central"].grants if g.grantee == "central_app_user"}
    assert granted >= {f"{service}_schema" for service in SERVICE_NAMES}
    paths = [item for item in declared.settings if item.role == "central_app_user" and item.name == "search_path"]
    assert paths == []


def test_consolidated_merges_every_table_by_a_rule_without_collisions() -> None:
    layout = choose_layout(LayoutChoice(name=LayoutName.CONSOLIDATED, accepts_consolidated=True))
    rule = dict(merge_rule(layout))
    assert len(set(rule.values())) == len(rule) == sum(len(s.tables) + len(COMMON_TABLES) for s in SERVICES.values())
    assert rule["trading_schema.orders"] == "alphintra_schema.orders"
    assert rule["trading_schema.outbox"] == "alphintra_schema.trading_outbox"
    assert login_roles(layout) == (
        "consolidated_app_user",
        "consolidated_migrator",
        "consolidated_reader",
        "consolidated_backup",
        "consolidated_sealer",
        "consolidated_retainer",
    )


def test_no_other_layout_renames_a_table() -> None:
    assert merge_rule(choose_layout(LayoutChoice(name=LayoutName.CENTRAL))) == ()


@pytest.mark.parametrize(
    ("choice", "code", "pointer"),
    [
        (LayoutChoice(name=LayoutName.CONSOLIDATED), "LAYOUT_NOT_ACCEPTED", "layout.accept_consolidated"),
        (LayoutChoice(has_shared_role=True), "LAYOUT_ROLE", "layout.shared_role"),
        (LayoutChoice(databases={"alphintra_central": "x"}), "LAYOUT_NAME", "layout.databases.alphintra_central"),
        (LayoutChoice(databases={"alphintra_risk": "postgres"}), "LAYOUT_NAME", "layout.databases.alphintra_risk"),
        (LayoutChoice(databases={"alphintra_risk": "a-b"}), "LAYOUT_NAME", "layout.databases.alphintra_risk"),
        (LayoutChoice(databases={"alphintra_risk": "alphintra_user"}), "LAYOUT_DUPLICATE", "layout.databases"),
        (LayoutChoice(schemas={"desk": "x"}), "LAYOUT_NAME", "layout.schemas.desk"),
        (LayoutChoice(schemas={"risk": "trading_schema"}), "LAYOUT_DUPLICATE", "layout.schemas"),
        (LayoutChoice(roles={"risk": "trading_migrator"}), "LAYOUT_DUPLICATE", "layout.roles"),
        (LayoutChoice(roles={"risk": "alphintra_risk"}), "LAYOUT_DUPLICATE", "layout.roles"),
        (LayoutChoice(roles={"risk": "pg_write_all_data"}), "LAYOUT_NAME", "layout.roles.risk"),
        (LayoutChoice(instances={"nowhere": "x"}), "LAYOUT_NAME", "layout.instances.nowhere"),
    ],
)
def test_wrong_choice_is_refused_by_name(choice: LayoutChoice, code: str, pointer: str) -> None:
    with pytest.raises(AlphintraError) as refused:
        choose_layout(choice)
    assert (refused.value.code, refused.value.pointer) == (code, pointer)


@pytest.mark.parametrize("name", list(LayoutName))
def test_a_layout_is_known_by_who_shares_a_database(name: LayoutName) -> None:
    layout = choose_layout(LayoutChoice(name=name, accepts_consolidated=True))
    assert layout_label(layout) == name.value


def test_a_layout_amid_a_move_is_called_mixed() -> None:
    hybrid = {each.service: each for each in choose_layout(LayoutChoice(name=LayoutName.HYBRID))}
    moved = {"risk", "trading"}  # strategy, which belongs with them there, is still to come
    layout = [hybrid[each.service] if each.service in moved else each for each in separate_layout()]
    assert layout_label(layout) == "mixed"
