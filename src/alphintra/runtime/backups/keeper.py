"""Makes backups when they are due: ``python -m alphintra.runtime.backups.keeper HOME``, run by the supervisor.

It archives the log of the home's own instances as it comes, and does one job at a time. There is one of it in a home:
it holds a lock that ends with it.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

import msgspec

from alphintra.dataplane.backup.programs import Task
from alphintra.infrastructure.system import SystemClock
from alphintra.infrastructure.telemetry import configure_logs, get_logger
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.runtime.backups.choices import backup_choices
from alphintra.runtime.backups.due import Job, JobKind, jobs_of, next_due
from alphintra.runtime.backups.notes import Done, noted, write_note
from alphintra.runtime.backups.outside import back_up_outside
from alphintra.runtime.backups.verifying import verify
from alphintra.runtime.backups.work import Backups, held, instance_scope, open_backups, service_scope
from alphintra.runtime.home import Home
from alphintra.runtime.inspection import provisioned_order
from alphintra.runtime.readiness import announce_ready
from alphintra.runtime.settings import RuntimeSettings

__all__ = ["LOCK", "SETTINGS_VARIABLE", "do_due", "main", "run_job"]

SETTINGS_VARIABLE: Final = "ALPHINTRA_BACKUPS"
"""What `alphintra.toml` says about backups, as JSON by table; the supervisor has put in what stands for variables."""

LOCK: Final = "backups.lock"
_LOOK_EVERY_S: Final = 1.0
_FAILED: Final = 1


async def do_due(backups: Backups, *, task: Task) -> Job | None:
    """Do the job that has waited longest, note what came of it, and return it; None where nothing is due."""
    order = provisioned_order(backups.home)
    backups = replace(backups, order=order)
    own = [server.instance for server in order.instances if server.exclusive]
    named = {*own, *backups.choices.external} & {server.instance for server in order.instances}
    done = noted(backups.home)
    job = next_due(jobs_of(backups.choices, instances=sorted(named)), done, at=backups.clock.now())
    if job is None:
        return None
    begun = Done(began_at=backups.clock.now())
    write_note(backups.home, done | {job.name: begun})
    outcome = begun
    try:
        made = await run_job(backups, job, task=task)
        outcome = msgspec.structs.replace(begun, ended_at=backups.clock.now(), backup=made)
        get_logger().info("backup.done", job=job.name, backup=made)
    except AlphintraError as error:
        outcome = msgspec.structs.replace(begun, ended_at=backups.clock.now(), code=error.code, detail=error.detail)
        get_logger().error("backup.failed", job=job.name, code=error.code, detail=error.detail)
    write_note(backups.home, noted(backups.home) | {job.name: outcome})
    return job


async def run_job(backups: Backups, job: Job, *, task: Task) -> str:
    """Do one job and return the backup it made; what nothing keeps is pruned behind it. Raises what the steps raise."""
    if job.kind is JobKind.VERIFY:
        return await _verify_newest(backups, task)
    if job.kind is JobKind.SERVICE:
        made = await backups.back_up_service(job.of, task=task)
        await backups.prune(service_scope(job.of))
        return made.ident
    external = backups.external(job.of)
    if external is not None:
        await back_up_outside(external, is_full=job.kind is JobKind.FULL)
        return f"{external.tool}:{external.name}"
    made = await backups.back_up_instance(job.of, is_full=job.kind is JobKind.FULL, task=task)
    await backups.prune(instance_scope(job.of))
    return made.ident


async def _verify_newest(backups: Backups, task: Task) -> str:
    """Restore the newest backup of each scope for real. Raises BACKUP_DAMAGED naming those that are not sound."""
    tried, bad = 0, []
    for scope in await asyncio.to_thread(backups.scopes):
        found = await asyncio.to_thread(backups.catalogue(scope).backups)
        if not found:
            continue
        evidence = await verify(backups, found[-1], task=task, tell=lambda _doing: None)
        tried += 1
        if not evidence.is_sound:
            bad.append(f"{evidence.backup} of {scope}: {evidence.code} {evidence.detail}")
    if bad:
        raise AlphintraError("BACKUP_DAMAGED", "; ".join(bad), kind=Kind.CONFLICT)
    return f"{tried} restored"


async def _archive_log(backups: Backups) -> None:
    """Archive the log of the home's own instances as it comes; a target that is away is tried again."""
    while True:
        order = provisioned_order(backups.home)
        for instance in [server.instance for server in order.instances if server.exclusive]:
            job = Job(kind=JobKind.LOG, of=instance).name
            failed = noted(backups.home).get(job)
            try:
                await backups.take_log(instance)
            except AlphintraError as error:
                if error.code != "ALREADY_RUNNING" and (failed is None or failed.is_well):
                    now = backups.clock.now()
                    mark = Done(began_at=now, ended_at=now, code=error.code, detail=error.detail)
                    write_note(backups.home, noted(backups.home) | {job: mark})
                    get_logger().error("backup.log_failed", instance=instance, code=error.code, detail=error.detail)
            else:
                if failed is not None and not failed.is_well:
                    now = backups.clock.now()
                    write_note(backups.home, noted(backups.home) | {job: Done(began_at=now, ended_at=now)})
        await asyncio.sleep(_LOOK_EVERY_S)


async def _keep(backups: Backups) -> None:
    task = Task()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    archiving = asyncio.create_task(_archive_log(backups))
    announce_ready()
    stopping = asyncio.create_task(stop.wait())
    try:
        while not stop.is_set():
            doing = asyncio.create_task(do_due(backups, task=task))
            await asyncio.wait({doing, stopping, archiving}, return_when=asyncio.FIRST_COMPLETED)
            if archiving.done():
                archiving.result()
            if stop.is_set():
                task.cancelled.set()
            if await doing is None and not stop.is_set():
                with suppress(TimeoutError):
                    async with asyncio.timeout(_LOOK_EVERY_S):
                        await stop.wait()
    finally:
        archiving.cancel()
        stopping.cancel()
        await asyncio.gather(archiving, stopping, return_exceptions=True)


def main() -> int:
    """Run until SIGTERM; one line on standard error and status 1 where it cannot."""
    home = Home.existing(Path(sys.argv[1]))
    configure_logs("backups")
    try:
        with held(home.run / LOCK):
            said = msgspec.json.decode(os.environ[SETTINGS_VARIABLE], type=dict[str, dict[str, str]])
            settings = RuntimeSettings(
                home=home.path,
                backup=said["backup"],
                backup_schedules=said["backup_schedules"],
                backup_external=said["backup_external"],
            )
            choices = backup_choices(settings)
            backups = open_backups(
                home, choices, order=provisioned_order(home), clock=SystemClock(), environ=os.environ
            )
            asyncio.run(_keep(backups))
    except AlphintraError as error:
        sys.stderr.write(f"{error}\n")
        return _FAILED
    return 0


if __name__ == "__main__":
    sys.exit(main())
