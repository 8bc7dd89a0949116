"""What of long work operators are shown: assessments, moves, backups, retention, maintenance."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from alphintra.contracts.upkeep import (
    BackupJobView,
    BackupProofView,
    BackupsView,
    BackupView,
    ChangeOverView,
    HoldsView,
    LayoutClaimView,
    LayoutsView,
    LayoutVerdictView,
    MovesView,
    MoveView,
    RetentionRuleView,
    RetentionView,
    RetiredView,
    UpkeepView,
    WindowsView,
    WindowView,
)
from alphintra.dataplane.assess.report import JSON_NAME, read_report
from alphintra.dataplane.layouts import Placement, layout_label
from alphintra.dataplane.maintenance.tasks import find_progress
from alphintra.dataplane.maintenance.windows import windows_of
from alphintra.dataplane.schedule import Schedule
from alphintra.infrastructure.system import SystemClock
from alphintra.runtime.backups.choices import backup_choices
from alphintra.runtime.backups.verifying import evidence_of as restores_of
from alphintra.runtime.backups.work import open_backups
from alphintra.runtime.home import Home
from alphintra.runtime.inspection import provisioned_order
from alphintra.runtime.moving.history import read_history
from alphintra.runtime.moving.journal import Record, read_journal
from alphintra.runtime.moving.told import Told, read_told
from alphintra.runtime.retention import evidence_of, find_all_due, holds_of
from alphintra.runtime.schedules.due import Job, follows, jobs_of
from alphintra.runtime.schedules.notes import Done, noted
from alphintra.runtime.settings import RuntimeSettings

__all__ = ["Upkeep"]

_ASSESSMENTS: Final = "assess"
_HISTORY_MAX: Final = 50
_RETIRED_MAX: Final = 100


@dataclass(frozen=True, slots=True)
class Upkeep:
    """The home and what its settings say of upkeep."""

    home: Home
    settings: RuntimeSettings

    async def look_at_layouts(self, *, at: datetime) -> LayoutsView:
        """Return the assessment kept in the home, none where there is none. Raises NOT_PROVISIONED, REPORT_FORMAT."""
        layout = layout_label(provisioned_order(self.home).layout)
        path = self.home.path / _ASSESSMENTS / JSON_NAME
        if not path.is_file():
            return LayoutsView(
                at=at,
                layout=layout,
                made_at=None,
                is_quick=False,
                rows=0,
                machine="",
                reproduce="",
                layouts=(),
                claims=(),
            )
        report = await asyncio.to_thread(read_report, path)
        machine = report.machine
        return LayoutsView(
            at=at,
            layout=layout,
            made_at=datetime.fromisoformat(report.made_at),
            is_quick=report.is_quick,
            rows=report.rows,
            machine=f"{machine.cpus} cpus ({machine.cpu_model}), {machine.memory_gib:.0f} GiB, {machine.postgres}",
            reproduce=report.reproduce,
            layouts=report.layouts,
            claims=tuple(
                LayoutClaimView(
                    number=row.number,
                    claim=row.claim,
                    measured=row.measured,
                    rule=row.rule,
                    verdicts=tuple(
                        LayoutVerdictView(
                            layout=name,
                            word=verdict.word.value,
                            brief=verdict.brief,
                            evidence=verdict.evidence,
                            condition=verdict.condition,
                        )
                        for name, verdict in row.verdicts.items()
                    ),
                )
                for row in report.claims
            ),
        )

    async def look_at_moves(self, *, at: datetime) -> MovesView:
        """Return the moves under way and what earlier ones came to. Raises MIGRATE_JOURNAL."""
        journal = read_journal(self.home)
        told = read_told(self.home)
        return MovesView(
            at=at,
            to="" if journal is None else journal.to,
            moves=() if journal is None else tuple(_move(each, told.get(each.service)) for each in journal.records),
            history=tuple(
                ChangeOverView(
                    at=datetime.fromisoformat(each.at),
                    service=each.service,
                    source=each.source,
                    target=each.target,
                    is_back=each.is_back,
                    rows=each.rows,
                    differences=each.differences,
                    pause_ms=each.pause_ms,
                )
                for each in reversed(read_history(self.home)[-_HISTORY_MAX:])
            ),
        )

    async def look_at_backups(self, *, at: datetime) -> BackupsView:
        """Return the state of backups. Raises CONFIG_*, BACKUP_*, NOT_PROVISIONED."""
        choices = backup_choices(self.settings)
        if not choices.target:
            return BackupsView(at=at, target="", jobs=(), backups=(), proofs=())
        order = provisioned_order(self.home)
        own = {server.instance for server in order.instances if server.exclusive}
        named = (own | set(choices.external)) & {server.instance for server in order.instances}
        done = noted(self.home)
        backups = open_backups(self.home, choices, order=order, clock=SystemClock(), environ=os.environ)
        newest = {each.scope: each for each in restores_of(self.home)}
        return BackupsView(
            at=at,
            target=backups.target.label,
            jobs=tuple(
                _job(job, schedule, done, at=at)
                for job, schedule in sorted(jobs_of(choices, instances=sorted(named)).items())
            ),
            backups=await asyncio.to_thread(
                lambda: tuple(
                    BackupView(
                        of=scope,
                        backup=found[-1].ident,
                        kind=found[-1].kind.value,
                        ended_at=found[-1].ended_at,
                        stored_bytes=found[-1].stored_bytes,
                        count=len(found),
                    )
                    for scope in backups.scopes()
                    if (found := backups.catalogue(scope).backups())
                )
            ),
            proofs=tuple(
                BackupProofView(
                    of=each.scope,
                    backup=each.backup,
                    at=each.at,
                    is_sound=each.is_sound,
                    tables=each.tables,
                    rows=each.rows,
                    seconds=each.seconds,
                    detail=f"{each.code} {each.detail}".strip(),
                )
                for _, each in sorted(newest.items())
            ),
        )

    async def look_at_retention(self, *, at: datetime) -> RetentionView:
        """Return what is due and what was done. Raises NOT_PROVISIONED, TOPOLOGY_CONNECT, RETENTION_CUT."""
        profile = self.settings.retention
        rules = await find_all_due(self.home, (), profile=profile, at=at)
        holds = await holds_of(self.home, ())
        items = await evidence_of(self.home, (), is_verified=False)
        retired = sorted(
            ((service, item) for service, found in items.items() for item, _ in found),
            key=lambda each: each[1].started_at,
            reverse=True,
        )
        return RetentionView(
            at=at,
            profile=profile,
            rules=tuple(
                RetentionRuleView(
                    service=service,
                    table=due.table.name,
                    terms=str(due.terms),
                    is_archived=due.is_archived,
                    cutoff=due.cutoff,
                    due=found.due,
                    held=found.held,
                    blocked=found.blocked,
                )
                for service, each in rules.items()
                for due, found in each
            ),
            holds=tuple(
                HoldsView(service=service, holds=sum(each.lifted_at is None for each in records))
                for service, records in holds.items()
            ),
            retired=tuple(
                RetiredView(
                    service=service,
                    table=item.table_name,
                    state=item.state,
                    rows=item.rows_removed,
                    archive=item.archive,
                    started_at=item.started_at,
                    ended_at=item.ended_at,
                )
                for service, item in retired[:_RETIRED_MAX]
            ),
        )

    async def look_at_windows(self, *, at: datetime) -> WindowsView:
        """Return the maintenance windows and what runs. Raises WINDOW, NOT_PROVISIONED, TOPOLOGY_CONNECT."""
        chosen = self.settings.maintenance_windows
        running = [
            UpkeepView(instance=server.instance, doing=each.doing, phase=each.phase, share=each.share)
            for server in provisioned_order(self.home).instances
            for each in await find_progress(server)
        ]
        return WindowsView(
            at=at,
            windows=tuple(
                WindowView(
                    service=service,
                    window=window.text,
                    is_chosen=service in chosen,
                    is_open=window.contains(at),
                    opens_at=window.opens_after(at),
                )
                for service, window in windows_of(chosen).items()
            ),
            running=tuple(running),
        )


def _move(record: Record, told: Told | None) -> MoveView:
    return MoveView(
        service=record.service,
        step=record.step.value,
        source=_place(record.source),
        target=_place(record.target),
        rows=record.rows if told is None else max(record.rows, told.rows),
        bytes=record.bytes if told is None else max(record.bytes, told.bytes),
        pause_ms=record.pause_ms,
        doing="" if told is None else told.doing,
        share=None if told is None else told.share,
        left_s=None if told is None else told.eta_s,
        lag_bytes=None if told is None else told.lag_bytes,
        told_at=None if told is None else told.at,
    )


def _place(placement: Placement) -> str:
    return f"{placement.database} on {placement.instance}"


def _job(job: Job, schedule: Schedule, done: Mapping[str, Done], *, at: datetime) -> BackupJobView:
    last = done.get(job.name)
    state = "none"
    if last is not None:
        state = "failed" if last.code else "done" if last.ended_at is not None else "cut"
    return BackupJobView(
        kind=job.kind.value,
        of=job.of,
        schedule=schedule.text,
        state=state,
        began_at=None if last is None else last.began_at,
        ended_at=None if last is None else last.ended_at,
        code="" if last is None else last.code,
        detail="" if last is None else last.detail,
        backup="" if last is None else last.made,
        next_at=follows(schedule, last, at=at),
    )
