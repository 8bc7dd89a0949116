"""An audit log on a real PostgreSQL, with its sealer, and hands that may do what an owner of the database could."""

from __future__ import annotations

import base64
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import asyncpg

from alphintra.dataplane.chain.notes import NoteKeys
from alphintra.dataplane.chain.sealer import Sealed, Sealer
from alphintra.dataplane.chain.verify import Verified, Witnessed, verify_log

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from fixtures.postgres import ServiceDatabase

SEED = base64.b64encode(b"s" * 32).decode()
OTHER_SEED = base64.b64encode(b"o" * 32).decode()
ORIGIN = "0123456789ab.alphintra/user"
WRITE = """
    insert into audit_events (audit_id, actor, action, object, detail, trace_id, occurred_at)
    select gen_random_uuid(), 'person', 'order.submit', 'order:' || n, '{"note":"a \\"b\\" é"}', 'trace', now()
    from generate_series(1, $1::int) as n
"""
TABLES = ("audit_events", "audit_pending", "audit_leaves", "audit_checkpoints")


@dataclass
class Log:
    """One service's audit log."""

    database: ServiceDatabase
    keys: NoteKeys = field(default_factory=lambda: NoteKeys(ORIGIN, [SEED]))
    sealer: Sealer = field(init=False)

    def __post_init__(self) -> None:
        self.sealer = Sealer(self.keys)

    @asynccontextmanager
    async def session(self, kind: str) -> AsyncIterator[asyncpg.Connection]:
        connection = await asyncpg.connect(self.database.dsn(kind))
        try:
            yield connection
        finally:
            await connection.close()

    async def write(self, count: int) -> None:
        async with self.session("service") as connection:
            await connection.execute(WRITE, count)

    async def seal(self, *, is_signed: bool = True, sealer: Sealer | None = None) -> Sealed:
        async with self.session("sealer") as connection:
            return await (sealer or self.sealer).seal(connection, is_signed=is_signed)

    async def grow(self, *counts: int) -> None:
        """Write and seal so many rows at a time, each time with a checkpoint."""
        for count in counts:
            await self.write(count)
            await self.seal()

    async def verify(
        self, *, witnessed: Witnessed | None = None, unsealed_s: float = 30.0, service: str = ""
    ) -> Verified:
        async with self.session("reader") as connection:
            return await verify_log(
                connection,
                origin=ORIGIN,
                trusted=self.keys.trusted,
                witnessed=witnessed,
                unsealed_max=timedelta(seconds=unsealed_s),
                service=service,
            )

    async def tamper(self, *statements: str) -> None:
        """Do what somebody who owns the database can: with the triggers off, and on again afterwards."""
        connection = await asyncpg.connect(self.database.admin_dsn)
        try:
            await connection.execute(f"set search_path = {self.database.placement.schema}")
            for state in ("disable", "enable"):
                for table in TABLES:
                    await connection.execute(f"alter table {table} {state} trigger user")
                if state == "disable":
                    for each in statements:
                        await connection.execute(each)
        finally:
            await connection.close()

    async def value(self, query: str, *values: object) -> Any:  # noqa: ANN401 - whatever the query gives
        async with self.session("reader") as connection:
            return await connection.fetchval(query, *values)
