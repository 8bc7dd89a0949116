"""What must hold of records: audit rows, databases of others, secrets, messages to people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import asyncpg

from fixtures.records import messages_broken, secrets_found
from simulation.world import CANARY, SERVICES_SIMULATED

if TYPE_CHECKING:
    from simulation.story import Story

__all__ = ["records_broken"]

_UNAUDITED: Final = frozenset({"message_delivered", "order_updated", "order_closed", "alert_raised"})


async def records_broken(story: Story) -> list[str]:
    """I9, I11, I12, I14: audit, other people's data, secrets, notifications."""
    found = []
    for service in SERVICES_SIMULATED:
        database = story.world.databases[service]
        connection = await asyncpg.connect(database.admin_dsn)
        try:
            await connection.execute(f"set search_path to {database.placement.schema}")
            found += await _audit(service, connection)
            found += await _visitors(service, connection)
            found += await secrets_found(service, connection, (CANARY,))
            if service == "notification":
                found += await messages_broken(connection)
        finally:
            await connection.close()
    return found


async def _audit(service: str, connection: Any) -> list[str]:  # noqa: ANN401 - asyncpg has no types
    """I9: what is told of a change was recorded with it, in one transaction; what was recorded waits for its seal."""
    rows = await connection.fetch(
        "select split_part(e.subject, '.', 3) as event, count(*) as n from event_log as e "
        "where not exists (select from audit_events as a where a.xmin = e.xmin) group by 1"
    )
    found = [
        f"I9: {row['n']} {row['event']} of {service} without an audit row of the same transaction"
        for row in rows
        if row["event"] not in _UNAUDITED
    ]
    lost = await connection.fetchval(
        "select count(*) from audit_events as a where not exists (select from audit_pending as p "
        "where p.audit_id = a.audit_id)"
    )
    return [*found, f"I9: {lost} audit rows of {service} would never be sealed"] if lost else found


async def _visitors(service: str, connection: Any) -> list[str]:  # noqa: ANN401 - as above
    """I11: nobody but the service is in its database."""
    rows = await connection.fetch(
        "select distinct application_name from pg_stat_activity where datname = current_database() "
        "and pid <> pg_backend_pid() and backend_type = 'client backend' and application_name <> $1",
        f"simulated-{service}",
    )
    return [f"I11: {row['application_name']} is in the database of {service}" for row in rows]
