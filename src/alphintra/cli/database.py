"""The databases from outside: who gets at what, and what differs from the manifest."""

from __future__ import annotations

import click

from alphintra.cli.assessment import advise, assess
from alphintra.cli.database_migrate import migrate
from alphintra.cli.database_months import months
from alphintra.cli.database_plan import apply, plan
from alphintra.cli.database_rotate import rotate
from alphintra.cli.reporting import report, reporting
from alphintra.cli.verification import verify

__all__ = ["COMMANDS"]


@click.group("db")
def database() -> None:
    """The eight databases and their borders."""


database.add_command(verify)
database.add_command(assess)
database.add_command(advise)
database.add_command(report)
database.add_command(reporting)
database.add_command(rotate)
database.add_command(plan)
database.add_command(apply)
database.add_command(months)
database.add_command(migrate)

COMMANDS: tuple[click.Command, ...] = (database,)
