"""A retention run of one service: archive, prove, take away; whatever was cut is ended by the next run.

An archive is sealed, read back and noted before the first row goes. A month is dropped whole in one transaction that
first makes sure that it holds exactly what was archived and that no hold covers any of it; rows go in small batches,
each of them only if it is still what was archived.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import asyncpg

from alphintra.dataplane.quoting import identifier
from alphintra.dataplane.retention.archive import (
    Rows,
    archive_path,
    discard,
    remove_file,
    verify_archive,
    write_archive,
)
from alphintra.dataplane.retention.batches import remove_archived_rows, remove_rows
from alphintra.dataplane.retention.find import Found, count_due, find_months, is_month_free, month_rows, rows_where
from alphintra.dataplane.retention.holds import active_holds, append_audit
from alphintra.dataplane.retention.journal import Item, add_item, end_item, items, keep_archived, take_item
from alphintra.dataplane.retention.rules import Due, Month, rules_of
from alphintra.infrastructure.faults import fault_point
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.manifest.disposals import Manner

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from uuid import UUID

    from alphintra.dataplane.retention.holds import Writer
    from alphintra.dataplane.retention.seal import SealKeys

__all__ = ["Archives", "Outcome", "RetentionRun", "find_due"]

_ROWS_PER_ARCHIVE: Final = 200_000
_LONG_S: Final = 1_900.0
_BUSY_TRIES: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Archives:
    """Where archives lie, and what seals them."""

    root: Path
    keys: SealKeys


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a run did with one rule, or left undone.

    Attributes:
        what: ``archived``, ``deleted``, ``destroyed`` (an archive whose time is up) or ``kept``.
        reason: why rows whose time is up stay; empty where all of them went.
    """

    table: str
    part: str
    retention: str
    terms: str
    what: str
    rows: int = 0
    archive: str = ""
    archive_sha256: str = ""
    checksum: str = ""
    reason: str = ""


async def find_due(
    connection: asyncpg.Connection, service: str, *, profile: str, at: datetime
) -> tuple[tuple[Due, Found], ...]:
    """Return how each rule of a service stands; changes nothing. Counts are those of this moment.

    What other rows refer to is counted as it is before these have gone.
    """
    holds = await active_holds(connection)
    return tuple([(due, await count_due(connection, due, holds)) for due in rules_of(service, profile=profile, at=at)])


class RetentionRun:
    """One run of one service, on a connection of its retainer."""

    def __init__(
        self,
        connection: asyncpg.Connection,
        service: str,
        *,
        archives: Archives,
        writer: Writer,
        profile: str,
        tell: Callable[[str], None] = lambda _words: None,
    ) -> None:
        self._connection = connection
        self._service = service
        self._archives = archives
        self._writer = writer
        self._profile = profile
        self._tell = tell
        self._run_id: UUID = writer.ids.new()

    async def run(self) -> tuple[Outcome, ...]:
        """Do what is due, and put on record what was done.

        Raises ARCHIVE_CORRUPT, ARCHIVE_FORGED, ARCHIVE_UNREADABLE, ARCHIVE_VALUE, ARCHIVE_DISK; nothing is taken away
        then that was not proven to be in an archive.
        """
        outcomes = await self._resume()
        for due in rules_of(self._service, profile=self._profile, at=self._writer.at):
            outcomes += await (self._months(due) if due.disposal.manner is Manner.PARTS else self._rows(due))
        outcomes += await self._destroy_archives()
        detail: dict[str, Any] = {
            "run": str(self._run_id),
            "profile": self._profile,
            "done": [_facts(each) for each in outcomes],
        }
        async with self._connection.transaction():
            await append_audit(
                self._connection, "retention.run", f"service:{self._service}", detail, writer=self._writer
            )
        return tuple(outcomes)

    async def _resume(self) -> list[Outcome]:
        """End what an earlier run left: forget archives that were not proven, take away what was."""
        outcomes: list[Outcome] = []
        for item in await items(self._connection, ("open", "archived")):
            due = next(
                (
                    each
                    for each in rules_of(self._service, profile=item.profile, at=self._writer.at)
                    if (each.table.name, each.disposal.retention) == (item.table_name, item.retention)
                ),
                None,
            )
            if item.state == "open" and item.rows_removed:
                await self._end(replace(item, state="done"))  # deleted for good, without an archive
            elif item.state == "open":
                await self._give_up(item)
            elif due is not None:
                outcomes.append(await self._take_away(due, item))
            else:
                message = f"{item.table_name} was archived under {item.retention}, which is no rule of it any more"
                raise AlphintraError("RETENTION_RULE", message, kind=Kind.CONFLICT)
        return outcomes

    async def _months(self, due: Due) -> list[Outcome]:
        holds = await active_holds(self._connection)
        found = await find_months(self._connection, due, holds)
        begun = {item.part for item in await items(self._connection, ("archived",))}
        outcomes = [_outcome(due, "kept", part=part, reason=reason) for part, reason in found.months_kept]
        for month in (each for each in found.months if each.part not in begun):
            within, values = month_rows(due, month)
            source = f"{identifier(due.table.name)} as t where {within} order by {due.disposal.aged_by}"
            rows = Rows(aged_by=due.disposal.aged_by, source=source, values=values)
            outcomes.append(await self._archive(due, rows, part=month.part))
        return outcomes

    async def _rows(self, due: Due) -> list[Outcome]:
        outcomes: list[Outcome] = []
        while True:
            holds = await active_holds(self._connection)
            found = await count_due(self._connection, due, holds)
            if not found.due:
                break
            if not due.is_archived:
                outcomes.append(await self._delete(due))
                if not outcomes[-1].rows:
                    break  # they came under a hold meanwhile
                continue
            where, values = rows_where(due, holds)
            source = (
                f"{identifier(due.table.name)} as t where {where} order by {due.disposal.aged_by} "
                f"limit {_ROWS_PER_ARCHIVE}"
            )
            done = await self._archive(due, Rows(aged_by=due.disposal.aged_by, source=source, values=values))
            outcomes.append(done)
            if not done.rows:
                break  # each of them changed, or came under a hold, meanwhile
        if found.held or found.blocked:
            reason = f"{found.held} rows are held, {found.blocked} are not at rest"
            outcomes.append(_outcome(due, "kept", reason=reason))
        return outcomes

    async def _archive(self, due: Due, rows: Rows, *, part: str = "") -> Outcome:
        item = self._new_item(due, part)
        path = archive_path(self._archives.root, self._service, item)
        self._tell(f"{self._service}: archiving {part or due.table.name}")
        await add_item(self._connection, item)
        fault_point("retention.begun")
        try:
            async with self._connection.transaction(isolation="repeatable_read", readonly=True):
                manifest = await write_archive(
                    self._connection, rows, service=self._service, item=item, path=path, keys=self._archives.keys
                )
        except AlphintraError:
            await self._give_up(item)
            raise
        fault_point("retention.written")
        item = replace(
            item,
            state="archived",
            oldest_at=_moment(manifest.oldest_at),
            newest_at=_moment(manifest.newest_at),
            rows_found=manifest.rows,
            checksum=Decimal(manifest.checksum),
            archive=str(path.relative_to(self._archives.root)),
            archive_sha256=manifest.sha256,
        )
        async with self._connection.transaction():
            await keep_archived(self._connection, item)
            await self._audit("retention.archive", item)
        fault_point("retention.archived")
        return await self._take_away(due, item)

    async def _take_away(self, due: Due, item: Item) -> Outcome:
        """Take away what an archive is proven to hold."""
        path = self._archives.root / item.archive
        manifest = verify_archive(path, self._archives.keys.trusted)
        if (manifest.item_id, manifest.sha256) != (str(item.item_id), item.archive_sha256):
            message = (
                f"the archive {path} is another one than was noted for {item.table_name}: restore it from a backup"
            )
            raise AlphintraError("ARCHIVE_FORGED", message, kind=Kind.CONFLICT)
        if item.part:
            return await self._drop(due, item)
        self._tell(f"{self._service}: deleting {item.rows_found} rows of {item.table_name}")
        done = await remove_archived_rows(self._connection, due, item, path=path)
        done = replace(done, state="done", rows_left=done.rows_found - done.rows_removed)
        await self._end(done)
        reason = f"{done.rows_left} rows were archived and stay: held, or changed meanwhile" if done.rows_left else ""
        return _archived(due, done, reason=reason)

    async def _drop(self, due: Due, item: Item) -> Outcome:
        for attempt in range(_BUSY_TRIES):
            try:
                return await self._drop_now(due, item)
            except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):
                await asyncio.sleep(attempt)
            except asyncpg.SerializationError as error:
                await self._give_up(item)  # nothing of it is gone: what is there now gets an archive of its own
                return _outcome(due, "kept", part=item.part, reason=str(error))
            except asyncpg.ObjectNotInPrerequisiteStateError as error:
                return _outcome(due, "kept", part=item.part, reason=str(error))
        reason = "the table is in use: archived, to be dropped by the next run"
        return _outcome(due, "kept", part=item.part, reason=reason)

    async def _drop_now(self, due: Due, item: Item) -> Outcome:
        async with self._connection.transaction():
            await self._connection.execute("select freeze_holds()")
            current = await take_item(self._connection, item.item_id)
            if current.state != "archived":
                return _archived(due, current, reason="another run has dropped it")
            month = await self._month(item)
            if not await is_month_free(self._connection, due, await active_holds(self._connection), month):
                return _outcome(due, "kept", part=item.part, reason="held since it was archived")
            await self._connection.execute("select retire_part($1)", item.item_id, timeout=_LONG_S)
            done = replace(current, state="done", rows_removed=current.rows_found, ended_at=self._writer.at)
            await end_item(self._connection, done)
            await self._audit("retention.remove", done)
            fault_point("retention.dropping")
        fault_point("retention.dropped")
        return _archived(due, done)

    async def _month(self, item: Item) -> Month:
        row = await self._connection.fetchrow(
            "select part, starts_at, ends_at from retention_parts($1) where part = $2", item.table_name, item.part
        )
        if row is None or row["ends_at"] is None:
            message = f"{item.part} is archived and not there: it was dropped by somebody else"
            raise AlphintraError("RETENTION_PART", message, kind=Kind.CONFLICT)
        return Month(**dict(row))

    async def _delete(self, due: Due) -> Outcome:
        item = self._new_item(due, "")
        self._tell(f"{self._service}: deleting rows of {due.table.name}")
        await add_item(self._connection, item)
        fault_point("retention.begun")
        done = await remove_rows(self._connection, due, item)
        await self._end(replace(done, state="done"))
        return _outcome(due, "deleted", rows=done.rows_removed, checksum=str(done.checksum))

    async def _destroy_archives(self) -> list[Outcome]:
        """Destroy archives of records whose whole time is up, unless a hold covers anything of their time."""
        outcomes = []
        for item in await items(self._connection, ("done", "destroyed")):
            path = self._archives.root / item.archive
            if not item.archive or item.newest_at is None:
                continue
            if item.state == "destroyed":
                remove_file(path)  # the run that said so was cut
                continue
            keep = next((due.terms.keep for due in self._rules() if due.disposal.retention == item.retention), None)
            if keep is None or item.newest_at >= keep.before(self._writer.at):
                continue
            if await self._destroy(item):
                remove_file(path)
                fault_point("retention.destroyed")
                outcomes.append(_of(item, "destroyed"))
            else:
                outcomes.append(_of(item, "kept", reason="a hold covers the time of the archive"))
        return outcomes

    async def _destroy(self, item: Item) -> bool:
        async with self._connection.transaction():
            await self._connection.execute("select freeze_holds()")
            current = await take_item(self._connection, item.item_id)
            holds = await active_holds(self._connection)
            oldest, newest = item.oldest_at, item.newest_at
            if current.state != "done" or any(
                (hold.from_at is None or newest is None or newest >= hold.from_at)
                and (hold.to_at is None or oldest is None or oldest < hold.to_at)
                for hold in holds
            ):
                return False
            destroyed = replace(current, state="destroyed", ended_at=self._writer.at)
            await end_item(self._connection, destroyed)
            await self._audit("retention.destroy", destroyed)
        fault_point("retention.destroying")
        return True

    def _rules(self) -> tuple[Due, ...]:
        return rules_of(self._service, profile=self._profile, at=self._writer.at)

    def _new_item(self, due: Due, part: str) -> Item:
        return Item(
            item_id=self._writer.ids.new(),
            run_id=self._run_id,
            table_name=due.table.name,
            part=part,
            retention=due.disposal.retention,
            profile=self._profile,
            terms=str(due.terms),
            state="open",
            cutoff=due.cutoff,
            oldest_at=None,
            newest_at=None,
            rows_found=0,
            rows_removed=0,
            rows_left=0,
            checksum=Decimal(0),
            archive="",
            archive_sha256="",
            actor=self._writer.actor,
            started_at=self._writer.at,
            ended_at=None,
        )

    async def _give_up(self, item: Item) -> None:
        discard(archive_path(self._archives.root, self._service, item))
        dropped = replace(item, state="dropped", ended_at=self._writer.at)
        async with self._connection.transaction():
            await end_item(self._connection, dropped)
            await self._audit("retention.give_up", dropped)

    async def _end(self, item: Item) -> None:
        ended = replace(item, ended_at=self._writer.at)
        async with self._connection.transaction():
            await end_item(self._connection, ended)
            await self._audit("retention.remove", ended)

    async def _audit(self, action: str, item: Item) -> None:
        detail: dict[str, Any] = {
            "run": str(item.run_id),
            "item": str(item.item_id),
            "rule": f"{item.retention}: {item.terms}",
            "profile": item.profile,
            "older_than": item.cutoff.isoformat(),
            "rows": item.rows_found,
            "removed": item.rows_removed,
            "left": item.rows_left,
            "checksum": str(item.checksum),
            "archive": item.archive,
            "sha256": item.archive_sha256,
        }
        subject = f"table:{item.table_name}" + (f"/{item.part}" if item.part else "")
        await append_audit(self._connection, action, subject, detail, writer=self._writer)


def _outcome(due: Due, what: str, **more: Any) -> Outcome:  # noqa: ANN401 - fields of an outcome
    fields = {"table": due.table.name, "part": "", "retention": due.disposal.retention, "terms": str(due.terms)}
    return Outcome(**(fields | {"what": what} | more))


def _archived(due: Due, item: Item, *, reason: str = "") -> Outcome:
    return _outcome(
        due,
        "archived",
        part=item.part,
        rows=item.rows_removed,
        archive=item.archive,
        archive_sha256=item.archive_sha256,
        checksum=str(item.checksum),
        reason=reason,
    )


def _of(item: Item, what: str, *, reason: str = "") -> Outcome:
    return Outcome(
        table=item.table_name,
        part=item.part,
        retention=item.retention,
        terms=item.terms,
        what=what,
        rows=item.rows_found,
        archive=item.archive,
        archive_sha256=item.archive_sha256,
        checksum=str(item.checksum),
        reason=reason,
    )


def _facts(outcome: Outcome) -> dict[str, Any]:
    return {name: getattr(outcome, name) for name in outcome.__dataclass_fields__ if getattr(outcome, name) != ""}


def _moment(text: str) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
