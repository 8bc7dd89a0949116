"""What the commands on backups share: the home's backups, and how something long is watched."""

# ruff: noqa: PLC0415 - drivers and codecs are loaded by the command that needs them

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

import click

if TYPE_CHECKING:
    from alphintra.dataplane.backup.programs import Task
    from alphintra.runtime.backups.work import Backups

__all__ = ["opened", "watched"]

T = TypeVar("T")
_MB = 1e6


def opened(*, needs_servers: bool = False) -> Backups:
    """Return the backups of the home. Raises BACKUP_NOT_CONFIGURED, NOT_RUNNING, CONFIG_*, HOME_*."""
    from alphintra.cli.installation import existing_home, servers_home, settings
    from alphintra.infrastructure.system import SystemClock
    from alphintra.runtime.backups.choices import backup_choices
    from alphintra.runtime.backups.work import open_backups
    from alphintra.runtime.inspection import provisioned_order

    choices = backup_choices(settings())
    home = servers_home() if needs_servers and choices.target else existing_home()
    order = provisioned_order(home) if needs_servers and choices.target else None
    return open_backups(home, choices, order=order, clock=SystemClock(), environ=os.environ)


def watched(what: str, does: Callable[[Task], Awaitable[T]]) -> T:
    """Do something long, telling how far it is on a terminal; Ctrl-C ends it in order, with nothing half left."""
    from alphintra.dataplane.backup.programs import Task

    is_terminal = sys.stderr.isatty()

    def tell(done: int) -> None:
        if is_terminal:
            click.echo(f"\r\033[K{what}: {done / _MB:,.1f} MB", nl=False, err=True)

    task = Task(on_bytes=tell)

    async def work() -> T:
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, task.cancelled.set)
        return await does(task)

    try:
        return asyncio.run(work())
    finally:
        if is_terminal:
            click.echo("\r\033[K", nl=False, err=True)
