"""What of a service has to have its audit row, so that a path that forgot to audit is found."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    import asyncpg

__all__ = ["first_unaudited"]

_ON: Final = "set local enable_hashjoin = on; set local enable_mergejoin = on"
_ROWS: Final[Mapping[str, tuple[tuple[str, str, str], ...]]] = MappingProxyType(
    {"trading": (("orders", "order_id", "order.submit"), ("executions", "order_id", "execution.book"))}
)
"""By service: a table, the column with the order a row of it is about, and the audit row's action."""


async def first_unaudited(connection: asyncpg.Connection, service: str) -> str:
    """Return which order has more rows in a table than it has audit rows of their action; nothing for a sound log."""
    await connection.execute(_ON)
    for table, column, action in _ROWS.get(service, ()):
        found = await connection.fetchval(
            f"""
            select t.order_id::text from (select {column} as order_id, count(*) as rows from {table} group by 1) as t
            left join (select object, count(*) as rows from audit_events where action = $1 group by 1) as e
                on e.object = 'order:' || t.order_id
            where t.rows > coalesce(e.rows, 0) limit 1
            """,  # noqa: S608 - constants
            action,
        )
        if found is not None:
            return f"order {found} has a row in {table} without its audit row {action}"
    return ""
