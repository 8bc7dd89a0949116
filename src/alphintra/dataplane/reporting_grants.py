"""Roles that cross-service reports read with, and exactly what they may read. Pure.

One login role per database that holds reported tables, named after the database: its credential reaches no further
than that database, and there no further than the columns of `alphintra.manifest.reporting`. No service belongs to it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from alphintra.dataplane.model import Grant, Membership, Role, Setting
from alphintra.manifest.reporting import REPORTED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from alphintra.dataplane.layouts import Placement
    from alphintra.dataplane.model import Database, State

__all__ = ["reported", "reporter_role", "reporter_roles", "reporting_grants", "with_reporting"]

_SUFFIX: Final = "_reporter"
_CONNECTIONS_MAX: Final = 4
_SETTINGS: Final = (
    ("search_path", "pg_temp"),  # reports name every table with its schema
    ("default_transaction_read_only", "on"),
    ("statement_timeout", "60s"),
    ("lock_timeout", "2s"),
    ("idle_in_transaction_session_timeout", "60s"),
)


def reporter_role(placement: Placement) -> str:
    """Return the role that reads a placement's database for reports."""
    return placement.database + _SUFFIX


def reported(placements: Iterable[Placement]) -> tuple[Placement, ...]:
    """Return the placements of services that show something to reports."""
    return tuple(placement for placement in placements if placement.service in REPORTED)


def reporter_roles(placements: Iterable[Placement]) -> tuple[str, ...]:
    """Return the roles reports need, one per database that shows something, whether reporting is on or not."""
    return tuple(dict.fromkeys(reporter_role(placement) for placement in reported(placements)))


def reporting_grants(placement: Placement) -> tuple[Grant, ...]:
    """Return what the reporting role may do in one service's schema: read the columns it shows."""
    role = reporter_role(placement)
    grants = [Grant(kind="database", name=placement.database, grantee=role, privilege="CONNECT")]
    for table, columns in REPORTED[placement.service].items():
        schema, name = placement.visible(table)
        grants.append(Grant(kind="schema", name=schema, grantee=role, privilege="USAGE"))
        grants += [
            Grant(kind="column", schema=schema, name=name, column=column, grantee=role, privilege="SELECT")
            for column in columns
        ]
    return tuple(grants)


def with_reporting(state: State, placements: Iterable[Placement]) -> State:
    """Return a declaration together with what reporting adds to it, for those placements where it is on."""
    on = reported(placement for placement in placements if placement.is_reported)
    if not on:
        return state
    where = {placement.database: reporter_role(placement) for placement in on}
    roles = {name: Role(name=name, attributes=("LOGIN",), connection_limit=_CONNECTIONS_MAX) for name in where.values()}
    settings = {
        Setting(database=database, role=role, name=name, value=value)
        for database, role in where.items()
        for name, value in _SETTINGS
    }
    databases = {name: _with_grants(database, on) for name, database in state.databases.items()}
    return replace(
        state,
        roles=state.roles | roles,
        memberships=state.memberships | {Membership(role=database, member=role) for database, role in where.items()},
        settings=state.settings | settings,
        databases=databases,
    )


def _with_grants(database: Database, on: tuple[Placement, ...]) -> Database:
    added = {grant for placement in on if placement.database == database.name for grant in reporting_grants(placement)}
    return replace(database, grants=database.grants | added)
