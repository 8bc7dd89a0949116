"""Instances that the operator runs: backed up by pgBackRest or Barman, which are driven here and not rewritten."""

from __future__ import annotations

import asyncio
import shutil
from typing import Final

from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.runtime.backups.choices import External

__all__ = ["back_up_outside", "check_outside", "recipe_of", "show_outside"]

_CHECK_S: Final = 180.0


async def check_outside(external: External) -> None:
    """Ask the tool whether the instance's log arrives. Raises BACKUP_ARCHIVE with its words, BACKUP_TOOL."""
    arguments = {
        "pgbackrest": ("pgbackrest", f"--stanza={external.name}", "check"),
        "barman": ("barman", "check", external.name),
    }[external.tool]
    try:
        await _run(arguments, wait_s=_CHECK_S)
    except AlphintraError as error:
        if error.code != "BACKUP_FAILED":
            raise
        message = f"the log of {external.name} does not arrive: {error.detail}"
        raise AlphintraError("BACKUP_ARCHIVE", message, kind=Kind.UNAVAILABLE) from error


async def back_up_outside(external: External, *, is_full: bool) -> None:
    """Have the tool make a backup. Raises as `check_outside`, BACKUP_FAILED."""
    await check_outside(external)
    kind = "full" if is_full else "incr"
    incremental = () if is_full else ("--incremental", "last")
    arguments = {
        "pgbackrest": ("pgbackrest", f"--stanza={external.name}", f"--type={kind}", "backup"),
        "barman": ("barman", "backup", *incremental, external.name),
    }[external.tool]
    await _run(arguments, wait_s=None)


async def show_outside(external: External) -> str:
    """Return what the tool says of its backups."""
    arguments = {
        "pgbackrest": ("pgbackrest", f"--stanza={external.name}", "info"),
        "barman": ("barman", "list-backups", external.name),
    }[external.tool]
    return await _run(arguments, wait_s=_CHECK_S)


def recipe_of(external: External, moment: str) -> tuple[str, ...]:
    """Return how the operator makes a side instance of a moment, from which a service can then be carried."""
    return {
        "pgbackrest": (
            (
                f"pgbackrest --stanza={external.name} --pg1-path=/srv/side --archive-mode=off "
                f"--type=time '--target={moment}' --target-action=promote restore"
            ),
            "pg_ctl -D /srv/side -o '-p 5433' start",
        ),
        "barman": (
            f"barman recover --target-time '{moment}' --target-action promote {external.name} latest /srv/side",
            "pg_ctl -D /srv/side -o '-p 5433 -c archive_mode=off' start",
        ),
    }[external.tool]


async def _run(arguments: tuple[str, ...], *, wait_s: float | None) -> str:
    if shutil.which(arguments[0]) is None:
        message = f"{arguments[0]} is not installed here: install it, or take it out of [backup_external]"
        raise AlphintraError("BACKUP_TOOL", message, kind=Kind.UNAVAILABLE)
    process = await asyncio.create_subprocess_exec(
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(wait_s):
            said, _ = await process.communicate()
    except BaseException as error:
        if process.returncode is None:
            process.kill()
        await process.wait()
        if isinstance(error, TimeoutError):
            message = f"{arguments[0]} did not answer within {wait_s:g} s"
            raise AlphintraError("BACKUP_FAILED", message, kind=Kind.UNAVAILABLE) from error
        raise
    text = said.decode(errors="replace").strip()
    if process.returncode != 0:
        last = (text.splitlines() or ["it said nothing"])[-1]
        raise AlphintraError("BACKUP_FAILED", f"{arguments[0]} failed: {last}", kind=Kind.UNAVAILABLE)
    return text
