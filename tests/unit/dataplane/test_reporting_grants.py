"""What reporting adds to a declaration: nothing while it is off, and only reading of named columns while it is on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from alphintra.dataplane.declaration import declare
from alphintra.dataplane.layouts import LayoutChoice, LayoutName, Placement, choose_layout
from alphintra.dataplane.reporting.switch import switched
from alphintra.dataplane.reporting_grants import reporter_roles
from alphintra.manifest import SERVICES
from alphintra.manifest.reporting import REPORTED

CHOICES = {
    "separate": LayoutChoice(),
    "hybrid": LayoutChoice(name=LayoutName.HYBRID),
    "central": LayoutChoice(name=LayoutName.CENTRAL),
    "shared": LayoutChoice(name=LayoutName.CENTRAL, has_shared_role=True),
    "consolidated": LayoutChoice(name=LayoutName.CONSOLIDATED, accepts_consolidated=True),
    "isolated": LayoutChoice(is_isolated=True),
}
DATABASES = {"separate": 5, "hybrid": 3, "central": 1, "shared": 1, "consolidated": 1, "isolated": 5}


@pytest.fixture(params=CHOICES)
def layout(request: pytest.FixtureRequest) -> tuple[Placement, ...]:
    return choose_layout(CHOICES[request.param])


def test_reporting_is_off_unless_somebody_turns_it_on(layout: tuple[Placement, ...]) -> None:
    assert not any("reporter" in role for role in declare(layout).roles)


@pytest.mark.parametrize("name", CHOICES)
def test_there_is_one_role_for_each_database_that_shows_something(name: str) -> None:
    layout = choose_layout(CHOICES[name])
    off, on = declare(layout), declare(switched(layout, on=True))
    assert set(on.roles) - set(off.roles) == set(reporter_roles(layout))
    assert len(reporter_roles(layout)) == DATABASES[name]


def test_the_role_may_read_the_columns_shown_and_nothing_else(layout: tuple[Placement, ...]) -> None:
    on = declare(switched(layout, on=True))
    for role in reporter_roles(layout):
        held = {
            (grant.kind, grant.privilege) for data in on.databases.values() for grant in data.grants
            if grant.grantee == role
        }  # fmt: skip
        assert held - {("database", "CONNECT"), ("schema", "USAGE")} == {("column", "SELECT")}
        assert len({name for name, data in on.databases.items() if any(g.grantee == role for g in data.grants)}) == 1
    read = {
        (grant.name, grant.column)
        for data in on.databases.values()
        for grant in data.grants
        if grant.kind == "column" and grant.grantee in reporter_roles(layout)
    }
    assert read == {
        (table, column) for tables in REPORTED.values() for table, columns in tables.items() for column in columns
    }


def test_nobody_belongs_to_a_reporting_role_and_it_to_nothing_but_its_database(layout: tuple[Placement, ...]) -> None:
    on = declare(switched(layout, on=True))
    roles = set(reporter_roles(layout))
    assert not [item for item in on.memberships if item.role in roles]
    ways_in = {(item.role, item.inherit, item.may_set) for item in on.memberships if item.member in roles}
    assert ways_in == {(role.removesuffix("_reporter"), False, False) for role in roles}
    assert {on.roles[role].attributes for role in roles} == {("LOGIN",)}
    read_only = {
        item.role for item in on.settings if (item.name, item.value) == ("default_transaction_read_only", "on")
    }
    assert roles <= read_only


def test_what_services_hold_does_not_change_with_reporting(layout: tuple[Placement, ...]) -> None:
    off, on = declare(layout), declare(switched(layout, on=True))
    reporters = set(reporter_roles(layout))
    for name, database in on.databases.items():
        kept = {grant for grant in database.grants if grant.grantee not in reporters}
        assert kept >= off.databases[name].grants
        added = kept - off.databases[name].grants
        assert all(grant.grantee in reporters for grant in added)


def test_a_placement_is_the_same_place_with_reporting_on() -> None:
    placement = Placement(service="trading", database="alphintra_trading")
    assert replace(placement, is_reported=True) == placement


def test_only_tables_of_the_service_are_shown_and_no_credentials() -> None:
    for service, tables in REPORTED.items():
        assert set(tables) <= {table.name for table in SERVICES[service].tables}
    assert not {"auth", "broker", "user"} & set(REPORTED)
