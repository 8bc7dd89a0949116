"""Who may write on a side: taken from everybody but the owner, waited for, and given back as declared."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from alphintra.dataplane.declaration import function_grants, table_grants
from alphintra.dataplane.plan import grant_statements
from alphintra.dataplane.quoting import identifier

if TYPE_CHECKING:
    import asyncpg

    from alphintra.dataplane.move.sides import Side

__all__ = ["drained", "fence_statements", "free_statements"]

_POLL_S: Final = 0.001
_WRITES: Final = frozenset({"INSERT", "UPDATE", "DELETE", "TRUNCATE"})
_GRANTEES: Final = """
    with objects as (
        select c.relacl as acl, c.relowner as owner from pg_class c where c.relnamespace = $1::regnamespace
        union all
        select a.attacl, c.relowner from pg_attribute a join pg_class c on c.oid = a.attrelid
        where c.relnamespace = $1::regnamespace and a.attacl is not null
        union all
        select coalesce(p.proacl, acldefault('f', p.proowner)), p.proowner from pg_proc p
        where p.pronamespace = $1::regnamespace and p.prosecdef
    )
    select distinct case when grantee = 0 then 'PUBLIC' else quote_ident(pg_get_userbyid(grantee)) end
    from objects, aclexplode(acl) as held where grantee <> owner order by 1
"""
_DEFINERS: Final = """
    select oid::regprocedure::text from pg_proc
    where pronamespace = $1::regnamespace and prosecdef and prorettype <> 'trigger'::regtype order by 1
"""
_WRITERS: Final = """
    select count(*) from pg_locks l
    join pg_class c on c.oid = l.relation and c.relnamespace = $1::regnamespace
    join pg_stat_activity a on a.pid = l.pid
    where l.locktype = 'relation' and l.database = (select oid from pg_database where datname = current_database())
        and a.backend_type = 'client backend' and l.pid <> all($2::int[])
        and l.mode in ('RowExclusiveLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
"""


async def fence_statements(connection: asyncpg.Connection, side: Side) -> str:
    """Return what takes the right to write from everybody but the owner: replication writes as the owner.

    Open transactions and prepared statements meet it with their next statement.
    """
    schema = identifier(side.schema)
    found = [row[0] for row in await connection.fetch(_GRANTEES, schema)]
    who = ", ".join(dict.fromkeys((*found, identifier(side.placement.service_role), "PUBLIC")))
    functions = ", ".join(row[0] for row in await connection.fetch(_DEFINERS, schema))
    return "".join(
        (
            f"revoke insert, update, delete, truncate on all tables in schema {schema} from {who}; ",
            f"revoke usage, update on all sequences in schema {schema} from {who}; ",
            f"revoke execute on routine {functions} from {who}; " if functions else "",
        )
    )


def free_statements(side: Side) -> str:
    """Return what gives the declared rights to write, and with them those to read, to the roles of a side."""
    placement = side.placement
    grants = [*table_grants(placement), *function_grants(placement)]
    return "; ".join(grant_statements(grants))


async def drained(connection: asyncpg.Connection, side: Side, *, ours: list[int], wait_s: float) -> bool:
    """Wait until no transaction that has written to the side is open; False if that takes too long.

    Reads the locks rather than taking any: nobody is blocked and nothing can dead-lock.
    """
    deadline = asyncio.get_running_loop().time() + wait_s
    while await connection.fetchval(_WRITERS, identifier(side.schema), ours):
        if asyncio.get_running_loop().time() > deadline:
            return False
        await asyncio.sleep(_POLL_S)
    return True
