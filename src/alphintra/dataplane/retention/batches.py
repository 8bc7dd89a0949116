"""Rows deleted in small batches, each a transaction that counts what it took away."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from alphintra.dataplane.quoting import identifier
from alphintra.dataplane.retention.archive import columns_of
from alphintra.dataplane.retention.find import rows_where
from alphintra.dataplane.retention.holds import active_holds
from alphintra.dataplane.retention.journal import end_item, take_item
from alphintra.dataplane.retention.parquet import ROW_HASH, read_batches
from alphintra.infrastructure.faults import fault_point

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import asyncpg

    from alphintra.dataplane.retention.journal import Item
    from alphintra.dataplane.retention.rules import Due
    from alphintra.kernel.holds import Hold

    Statement = Callable[[Sequence[Hold]], tuple[str, tuple[object, ...]]]

__all__ = ["remove_archived_rows", "remove_rows"]

_BATCH: Final = 1_000
_LONG_S: Final = 600.0


async def remove_archived_rows(connection: asyncpg.Connection, due: Due, item: Item, *, path: Path) -> Item:
    """Delete the rows of a proven archive, as far as they are still what it holds and at rest, and no hold covers them.

    Safe to repeat after a cut.
    """
    kinds = await columns_of(connection, due.table.name)
    keys = due.disposal.key
    done = item
    for batch in read_batches(path, (*keys, ROW_HASH)):
        for start in range(0, len(batch), _BATCH):
            columns = [list(values) for values in zip(*batch[start : start + _BATCH], strict=True)]
            names = ", ".join(f"k{place}" for place in range(len(keys)))
            arrays = ", ".join(
                f"${place + 1}::{'bytea' if kinds[key] == 'bytea' else 'text'}[]" for place, key in enumerate(keys)
            )
            match = " and ".join(f"t.{identifier(key)} = d.k{place}::{kinds[key]}" for place, key in enumerate(keys))

            def statement(
                holds: Sequence[Hold],
                columns: Sequence[Any] = columns,
                names: str = names,
                arrays: str = arrays,
                match: str = match,
            ) -> tuple[str, tuple[object, ...]]:
                where, values = rows_where(due, holds, values=columns)
                sql = (
                    f"delete from {identifier(due.table.name)} as t "  # noqa: S608 - names are quoted
                    f"using unnest({arrays}, ${len(columns)}::bigint[]) as d ({names}, row_hash) "
                    f"where {match} and hash_record_extended(t, 0) = d.row_hash and {where} returning d.row_hash"
                )
                return sql, values

            done = await _remove(connection, done, statement, is_counted=False)
    return done


async def remove_rows(connection: asyncpg.Connection, due: Due, item: Item) -> Item:
    """Delete the rows that are due, as far as they are at rest and no hold covers them; the item counts them."""
    keys = ", ".join(f"t.{identifier(key)}" for key in due.disposal.key)

    def statement(holds: Sequence[Hold]) -> tuple[str, tuple[object, ...]]:
        where, values = rows_where(due, holds)
        table = identifier(due.table.name)
        sql = (
            f"delete from {table} as t where ({keys}) in (select {keys} from {table} as t where {where} "  # noqa: S608
            f"order by {due.disposal.aged_by} limit {_BATCH}) and {where} returning hash_record_extended(t, 0)"
        )
        return sql, values

    done = item
    while True:
        before = done.rows_removed
        done = await _remove(connection, done, statement, is_counted=True)
        if done.rows_removed == before:
            return done


async def _remove(connection: asyncpg.Connection, item: Item, statement: Statement, *, is_counted: bool) -> Item:
    """Run one batch and note it, while no hold can be set or lifted."""
    async with connection.transaction():
        await connection.execute("select freeze_holds()")
        current = await take_item(connection, item.item_id)
        sql, values = statement(await active_holds(connection))
        hashes = [row[0] for row in await connection.fetch(sql, *values, timeout=_LONG_S)]
        done = replace(current, rows_removed=current.rows_removed + len(hashes))
        if is_counted:
            found = current.rows_found + len(hashes)
            done = replace(done, rows_found=found, checksum=current.checksum + sum(hashes))
        await end_item(connection, done)
        fault_point("retention.batch")
    return done
