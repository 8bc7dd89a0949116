"""``alphintra db months``: the parts of tables that are cut by month, and making those to come."""

# ruff: noqa: PLC0415 - drivers are loaded by the commands that connect

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from alphintra.cli.installation import servers_home
from alphintra.cli.output import AS_JSON, print_json

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from alphintra.dataplane.months import Part

__all__ = ["months"]


@click.command("months")
@click.option("--keep", is_flag=True, help="Make the months to come, and move into them what fell outside.")
@AS_JSON
def months(*, keep: bool, as_json: bool) -> int:
    """Show the tables that are cut by month.

    Three months ahead are made at each start, and every hour while the platform runs; --keep does it now, and says what
    stands in its way. Rows of a month that is not there are kept in the rest and lose nothing. Exit status 1 if there
    are such rows, or if a table has no month after this one.
    """
    import asyncio

    from alphintra.infrastructure.system import SystemClock
    from alphintra.runtime.planning import find_months

    found = asyncio.run(find_months(servers_home(), is_kept=keep))
    document = _document(found, at=SystemClock().now())
    if as_json:
        print_json(document)
    else:
        for table in document["tables"]:
            click.echo(f"{table['service']}.{table['table']} (retention class {table['retention_class']})")
            for part in table["parts"]:
                span = "no month" if part["is_rest"] else f"{part['from'] or 'the beginning'} to {part['to']}"
                click.echo(f"  {part['name']:32} {part['rows']:>12} rows  {span}")
        click.echo("every table has its months" if document["is_kept"] else "months are missing: add --keep")
    return 0 if document["is_kept"] else 1


def _document(found: Mapping[str, tuple[Part, ...]], *, at: datetime) -> dict[str, Any]:
    from alphintra.manifest import SERVICES

    tables = []
    for service, parts in found.items():
        for table in (each for each in SERVICES[service].tables if each.by_month):
            own = [part for part in parts if part.table == table.name]
            tables.append(
                {
                    "service": service,
                    "table": table.name,
                    "retention_class": table.data_class,
                    "by": table.by_month,
                    "is_kept": _is_kept(own, at=at),
                    "parts": [
                        {
                            "name": part.name,
                            "from": None if part.starts_at is None else f"{part.starts_at:%Y-%m-%d}",
                            "to": None if part.ends_at is None else f"{part.ends_at:%Y-%m-%d}",
                            "is_rest": part.is_rest,
                            "rows": part.rows,
                        }
                        for part in own
                    ],
                }
            )
    return {"is_kept": all(table["is_kept"] for table in tables), "tables": tables}


def _is_kept(parts: list[Part], *, at: datetime) -> bool:
    has_next = any(part.starts_at is not None and part.starts_at > at for part in parts)
    return has_next and not any(part.is_rest and part.rows for part in parts)
