"""Cross-service reports, and whether there may be any: `db report` and `db reporting`."""

# ruff: noqa: PLC0415 - drivers are loaded by the commands that look

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

import click

from alphintra.cli.installation import base_url, existing_home, settings
from alphintra.cli.output import AS_JSON, print_json, print_table
from alphintra.cli.parameters import DAY, check_range
from alphintra.kernel.errors import AlphintraError

if TYPE_CHECKING:
    from alphintra.dataplane.matrix import Cell
    from alphintra.dataplane.reporting.orders import OrderLine, OrderQuery
    from alphintra.runtime.home import Home
    from alphintra.runtime.reporting import ReportingStatus

__all__ = ["report", "reporting"]


@click.group("report")
def report() -> None:
    """Reports over the data of several services, where reporting is on."""


@report.command("orders")
@click.option("--start", type=DAY, help="Orders created from this day or moment on.")
@click.option("--end", type=DAY, help="Orders created before this day or moment.")
@click.option("--account", help="Orders of this account alone, by id.")
@click.option("-n", "--lines", type=click.IntRange(1), default=50, show_default=True, help="The newest so many.")
@click.option("--all", "is_all", is_flag=True, help="All of them, however many.")
@AS_JSON
def report_orders(*, as_json: bool, **chosen: Any) -> int:  # noqa: ANN401 - click's own values
    """Show orders with risk's decision, strategy and workflow, position, and what the owner was told.

    Newest first. Read by roles that only reports use; the same rows in every layout.
    """
    import asyncio

    check_range(chosen["start"], chosen["end"])
    from alphintra.dataplane.reporting.orders import OrderQuery

    query = OrderQuery(
        since=datetime.fromisoformat(chosen["start"]) if chosen["start"] else None,
        until=datetime.fromisoformat(chosen["end"]) if chosen["end"] else None,
        account_id=_account_id(chosen["account"]),
        limit=None if chosen["is_all"] else chosen["lines"],
    )
    asyncio.run(_print_orders(_home(), query, as_json=as_json))
    return 0


@click.group("reporting")
def reporting() -> None:
    """Whether reports may read several services' data; off by default."""


@reporting.command("enable")
@AS_JSON
def enable(*, as_json: bool) -> int:
    """Create the roles that reports read with, and no service can use."""
    return _switch(on=True, as_json=as_json)


@reporting.command("disable")
@AS_JSON
def disable(*, as_json: bool) -> int:
    """Remove the roles that reports read with, and their secrets."""
    return _switch(on=False, as_json=as_json)


@reporting.command("status")
@click.option("--probe", is_flag=True, help="Attack the roles too: all that must be refused, and what must not.")
@AS_JSON
def status(*, probe: bool, as_json: bool) -> int:
    """Show whether reporting is on, and its roles.

    Exit status 1 if the servers differ from what was chosen, or an attack got through.
    """
    import asyncio

    from alphintra.runtime.reporting import probe_reports, reporting_status

    home = _home()
    found = asyncio.run(reporting_status(home))
    cells = asyncio.run(probe_reports(home)) if probe else ()
    _print_status(found, cells, as_json=as_json)
    return 0 if found.is_as_recorded and all(cell.is_as_declared for cell in cells) else 1


def _switch(*, on: bool, as_json: bool) -> int:
    import asyncio

    from alphintra.runtime.reporting import set_reporting

    _print_status(asyncio.run(set_reporting(_home(), on=on)), (), as_json=as_json)
    return 0


async def _print_orders(home: Home, query: OrderQuery, *, as_json: bool) -> None:
    import json

    import msgspec

    from alphintra.runtime.reporting import orders_report

    lines: list[OrderLine] = []
    separator = "[\n"
    async for page in orders_report(home, query):
        if not as_json:
            lines += page
            continue
        # Written page by page: a report may hold more than memory should.
        for line in page:
            document = msgspec.to_builtins(line, builtin_types=(Decimal,))
            click.echo(separator + json.dumps(document, default=_amount_text, ensure_ascii=False), nl=False)
            separator = ",\n"
    if as_json:
        click.echo("[]" if separator == "[\n" else "\n]")
    else:
        _print_lines(lines)


def _print_lines(lines: list[OrderLine]) -> None:
    from alphintra.kernel.money import plain

    rows = [
        (
            f"{line.created_at:%Y-%m-%d %H:%M:%S}",
            f"{line.side} {plain(line.qty)} {line.symbol}",
            line.status,
            plain(line.filled_qty),
            _verdict(line),
            f"{line.workflow} v{line.workflow_version}" if line.workflow else "",
            line.notified_kind,
            None if line.position_qty is None else plain(line.position_qty),
        )
        for line in lines
    ]
    print_table(("created", "order", "status", "filled", "risk", "strategy", "told", "position"), rows)


def _amount_text(value: Decimal) -> str:
    return f"{value:f}"


def _verdict(line: OrderLine) -> str:
    if line.approved is None:
        return ""
    return "approved" if line.approved else ", ".join(line.findings)


def _print_status(found: ReportingStatus, cells: tuple[Cell, ...], *, as_json: bool) -> None:
    import msgspec

    if as_json:
        document = msgspec.to_builtins(found) | {"is_as_recorded": found.is_as_recorded}
        if cells:
            document["probes"] = [
                {"user": cell.user, "target": cell.target, **msgspec.to_builtins(tried)}
                for cell in cells
                for tried in cell.probes
            ]
        print_json(document)
        return
    rows = [
        (role.role, role.database, role.instance, role.services, "yes" if role.exists else "no") for role in found.roles
    ]
    print_table(("role", "database", "instance", "reads of", "exists"), rows)
    click.echo("reporting is on" if found.is_on else "reporting is off")
    if not found.is_as_recorded:
        click.echo("the servers differ: run the command that chose so again", err=True)
    tried = [probe for cell in cells for probe in cell.probes]
    faults = [probe for probe in tried if not probe.is_as_declared]
    if cells:
        click.echo(f"{len(tried)} attacks and permitted reads, {len(faults)} ended otherwise than declared")
    for fault in faults:
        click.echo(f"  {fault.name}: {fault.outcome} ({fault.answer})", err=True)


def _account_id(text: str | None) -> UUID | None:
    try:
        return None if text is None else UUID(text)
    except ValueError as error:
        raise AlphintraError("ID_FORMAT", f"--account: {text!r} is no id of an account", pointer="--account") from error


def _home() -> Home:
    """Return the home if its servers can be asked. Raises NOT_RUNNING."""
    home = existing_home()
    if not settings().database_admin_url:
        base_url(home)  # the servers run while the platform does
    return home
