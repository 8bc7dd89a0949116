"""Does what is due: ``python -m alphintra.runtime.schedules.keeper HOME``, run by the supervisor.

It makes backups, restores them on trial and runs retention, one job at a time; beside that it archives the log of the
home's own instances as it comes, and has operators told of what fails. There is one of it in a home: it holds a lock
that ends with it.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import msgspec

from alphintra.dataplane.backup.programs import Task
from alphintra.dataplane.schedule import Schedule
from alphintra.infrastructure.system import SystemClock
from alphintra.infrastructure.telemetry import configure_logs, get_logger
from alphintra.kernel.clock import Clock
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.runtime.backups.choices import BackupChoices, backup_choices
from alphintra.runtime.backups.outside import back_up_outside
from alphintra.runtime.backups.verifying import verify
from alphintra.runtime.backups.work import Backups, held, instance_scope, open_backups, service_scope
from alphintra.runtime.home import Home
from alphintra.runtime.inspection import provisioned_order
from alphintra.runtime.places import writer_of
from alphintra.runtime.readiness import announce_ready
from alphintra.runtime.schedules.due import Job, JobKind, first_seen, next_due, scheduled
from alphintra.runtime.schedules.notes import begun, failed, noted, succeeded, write_note
from alphintra.runtime.schedules.telling import tell_operators
from alphintra.runtime.settings import RuntimeSettings
from alphintra.runtime.tables import service_schedules

__all__ = ["LOCK", "SETTINGS_VARIABLE", "Work", "do_due", "main", "run_job", "work_of"]

SETTINGS_VARIABLE: Final = "ALPHINTRA_SCHEDULES"
"""What `alphintra.toml` says about schedules, as JSON by name; the supervisor has put in what stands for variables."""

LOCK: Final = "schedules.lock"
_ACTOR: Final = "service:retention"
_LOOK_EVERY_S: Final = 1.0
_TELL_AGAIN_S: Final = 10.0
_FAILED: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What the operator wants done, and where.

    Attributes:
        home: whose.
        choices: of backups.
        retention: when retention of each service is run; those that are not named are left alone.
        profile: of the rules how long records are kept.
        clock: for schedules and notes.
        backups: opened; None where no place for them is set.
    """

    home: Home
    choices: BackupChoices
    retention: Mapping[str, Schedule]
    profile: str
    clock: Clock
    backups: Backups | None = field(repr=False)


def work_of(home: Home, settings: RuntimeSettings, *, environ: Mapping[str, str]) -> Work:
    """Return what the settings want done. Raises CONFIG_*, SCHEDULE, NOT_PROVISIONED, SERVER_PROGRAM_MISSING."""
    choices = backup_choices(settings)
    clock = SystemClock()
    backups = None
    if choices.target:
        backups = open_backups(home, choices, order=provisioned_order(home), clock=clock, environ=environ)
    return Work(
        home=home,
        choices=choices,
        retention=service_schedules(settings.retention_schedules, "retention_schedules"),
        profile=settings.retention,
        clock=clock,
        backups=backups,
    )


async def do_due(work: Work, *, task: Task) -> Job | None:
    """Do the job that has waited longest, note what came of it, and return it; None where nothing is due.

    What is stopped with us is noted as cut.
    """
    jobs = scheduled(work.home, work.choices, retention=work.retention)
    done = noted(work.home)
    if new := first_seen(jobs, done, at=work.clock.now()):
        done |= new
        write_note(work.home, done)
    job = next_due(jobs, done, at=work.clock.now())
    if job is None:
        return None
    last = done.get(job.name)
    run = begun(last, at=work.clock.now())
    write_note(work.home, done | {job.name: run})
    outcome = run
    try:
        made = await run_job(work, job, task=task)
        outcome = succeeded(run, at=work.clock.now(), made=made)
        get_logger().info("job.done", job=job.name, made=made)
    except AlphintraError as error:
        if not task.cancelled.is_set():
            outcome = failed(run, error, last=last, at=work.clock.now())
        get_logger().error("job.failed", job=job.name, code=error.code, detail=error.detail)
    told = noted(work.home).get(job.name, run).told  # operators may have been told of it meanwhile
    write_note(work.home, noted(work.home) | {job.name: msgspec.structs.replace(outcome, told=told)})
    return job


async def run_job(work: Work, job: Job, *, task: Task) -> str:
    """Do one job and return what it made; backups that nothing keeps are pruned behind it. Raises what the steps do."""
    if job.kind is JobKind.RETENTION:
        return await _retain(work, job.of, task)
    if work.backups is None:
        raise AlphintraError("BACKUP_NOT_CONFIGURED", "no place for backups is set", kind=Kind.CONFLICT)
    backups = replace(work.backups, order=provisioned_order(work.home))
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


async def _retain(work: Work, service: str, task: Task) -> str:
    """Run retention of one service, as by hand; return what it took away. Raises what `run_retention` does.

    Where the task is cancelled, what runs in PostgreSQL is; the next run ends what was begun.
    """
    from alphintra.runtime.retention import run_retention  # noqa: PLC0415 - reads Parquet: loaded by homes that want it

    writer = writer_of(_ACTOR, at=work.clock.now())
    running = asyncio.create_task(run_retention(work.home, (service,), profile=work.profile, writer=writer))
    while not running.done():
        await asyncio.wait({running}, timeout=_LOOK_EVERY_S)
        if task.cancelled.is_set():
            running.cancel()
    task.check()
    done, wrong = running.result()
    for error in wrong.values():
        raise error
    rows = {what: sum(each.rows for each in done[service] if each.what == what) for what in ("archived", "deleted")}
    return f"{rows['archived']} rows archived, {rows['deleted']} deleted"


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
            last = noted(backups.home).get(job)
            run = begun(last, at=backups.clock.now())
            try:
                await backups.take_log(instance)
            except AlphintraError as error:
                if error.code != "ALREADY_RUNNING" and (last is None or last.is_well):
                    mark = failed(run, error, last=last, at=backups.clock.now())
                    write_note(backups.home, noted(backups.home) | {job: mark})
                    get_logger().error("job.failed", job=job, code=error.code, detail=error.detail)
            else:
                if last is not None and not last.is_well:
                    mark = succeeded(begun(noted(backups.home)[job], at=run.began_at), at=backups.clock.now())
                    write_note(backups.home, noted(backups.home) | {job: mark})
        await asyncio.sleep(_LOOK_EVERY_S)


async def _keep_telling(home: Home) -> None:
    """Have operators told of each series of failures and of its end, once; what cannot be told now is told later."""
    failing = ""
    while True:
        try:
            await tell_operators(home)
            failing = ""
        except AlphintraError as error:
            if error.code != failing:
                get_logger().warning("job.not_told", code=error.code, detail=error.detail)
            failing = error.code
            await asyncio.sleep(_TELL_AGAIN_S)
        await asyncio.sleep(_LOOK_EVERY_S)


async def _keep(work: Work) -> None:
    task = Task()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    beside: list[asyncio.Task[Any]] = [asyncio.create_task(_keep_telling(work.home))]
    if work.backups is not None:
        beside.append(asyncio.create_task(_archive_log(work.backups)))
    announce_ready()
    stopping = asyncio.create_task(stop.wait())
    try:
        while not stop.is_set():
            doing = asyncio.create_task(do_due(work, task=task))
            await asyncio.wait({doing, stopping, *beside}, return_when=asyncio.FIRST_COMPLETED)
            for each in beside:
                if each.done():
                    each.result()
            if stop.is_set():
                task.cancelled.set()
            if await doing is None and not stop.is_set():
                with suppress(TimeoutError):
                    async with asyncio.timeout(_LOOK_EVERY_S):
                        await stop.wait()
    finally:
        beside.append(stopping)
        for each in beside:
            each.cancel()
        await asyncio.gather(*beside, return_exceptions=True)


def main() -> int:
    """Run until SIGTERM; one line on standard error and status 1 where it cannot."""
    home = Home.existing(Path(sys.argv[1]))
    configure_logs("schedules")
    try:
        with held(home.run / LOCK):
            said = msgspec.json.decode(os.environ[SETTINGS_VARIABLE], type=dict[str, Any])
            asyncio.run(_keep(work_of(home, RuntimeSettings(home=home.path, **said), environ=os.environ)))
    except AlphintraError as error:
        sys.stderr.write(f"{error}\n")
        return _FAILED
    return 0


if __name__ == "__main__":
    sys.exit(main())
