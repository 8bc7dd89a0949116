"""The set-up people usually make, as SQL: a user per service, all privileges on its database, PUBLIC left as it was.

It is what `hardened` and `strict` are measured against, and what the audit of a foreign server has to call red. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from alphintra.dataplane.quoting import identifier, literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from alphintra.dataplane.layouts import Placement

__all__ = ["UsualStatement", "usual_setup"]


@dataclass(frozen=True, slots=True, kw_only=True)
class UsualStatement:
    """One statement of the set-up; holds passwords, so its SQL is never shown.

    Attributes:
        sql: the statement; none may share a transaction with others.
        database: where it runs; empty for the administrator's own database.
        role: who runs it; empty for the administrator.
    """

    sql: str
    database: str = ""
    role: str = ""


def usual_setup(layout: Iterable[Placement], *, passwords: Callable[[str], str]) -> tuple[UsualStatement, ...]:
    """Return what an init script of the usual kind says for a layout, without tables: the services make those.

    ``CREATE DATABASE``, ``CREATE USER … PASSWORD``, ``GRANT ALL PRIVILEGES ON DATABASE``; then each user makes its own
    schema, which it therefore owns. A user several services share has no search path of its own.

    Args:
        layout: where the services live; only ``database``, ``service_role`` and ``search_path`` count.
        passwords: gives a user's password.
    """
    placed = tuple(layout)
    databases = dict.fromkeys(item.database for item in placed)
    roles = dict.fromkeys(item.service_role for item in placed)
    entries = dict.fromkeys((item.database, item.service_role) for item in placed)
    statements = [UsualStatement(sql=f"CREATE DATABASE {identifier(name)}") for name in databases]
    statements += [
        UsualStatement(sql=f"CREATE USER {identifier(role)} WITH PASSWORD {literal(passwords(role))}") for role in roles
    ]
    statements += [
        UsualStatement(sql=f"GRANT ALL PRIVILEGES ON DATABASE {identifier(database)} TO {identifier(role)}")
        for database, role in entries
    ]
    for item in placed:
        statements += [
            UsualStatement(
                sql=f"CREATE SCHEMA IF NOT EXISTS {identifier(schema)}",
                database=item.database,
                role=item.service_role,
            )
            for schema in item.search_path[:-1]
        ]
        if sum(other.service_role == item.service_role for other in placed) == 1:
            path = ", ".join(identifier(schema) for schema in (*item.search_path[:-1], "public"))
            statements.append(
                UsualStatement(sql=f"ALTER USER {identifier(item.service_role)} SET search_path TO {path}")
            )
    return tuple(statements)
