"""Makes, lists, checks and removes the backups of one home."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from alphintra.dataplane.backup.catalogue import Catalogue
from alphintra.dataplane.backup.dumps import back_up_service, migrations_in
from alphintra.dataplane.backup.log import LogArchive
from alphintra.dataplane.backup.model import BackupKind, Begun, Manifest
from alphintra.dataplane.backup.physical import Instance, back_up_instance, look_at
from alphintra.dataplane.backup.programs import Means, Programs, Task
from alphintra.dataplane.backup.retention import Keep, surplus
from alphintra.dataplane.backup.targets import Target, open_target
from alphintra.dataplane.layouts import Placement
from alphintra.dataplane.server import Server
from alphintra.infrastructure.faults import fault_point
from alphintra.kernel.clock import Clock
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.runtime.accounts import server_account
from alphintra.runtime.backups.choices import BackupChoices, External
from alphintra.runtime.backups.keys import keyring_of
from alphintra.runtime.embedded_postgres import EmbeddedPostgres
from alphintra.runtime.home import Home
from alphintra.runtime.lock import alone
from alphintra.runtime.programs import postgres_programs
from alphintra.runtime.provision import ProvisionOrder

__all__ = ["Backups", "held", "instance_scope", "open_backups", "service_scope"]

T = TypeVar("T")
_NO_SUMMARIES: Final = "WAL summaries are required"
_LOG_WAIT_S: Final = 120.0
_LOOK_EVERY_S: Final = 0.1
_ROOM_SHARE: Final = 0.1  # of a first backup's size: rows compress, and what does not is found out while writing
_MORE: Final = 1.2


def instance_scope(instance: str) -> str:
    """Return the scope of an instance's backups."""
    return f"instance-{instance}"


def service_scope(service: str) -> str:
    """Return the scope of a service's backups."""
    return f"service-{service}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Backups:
    """The backups of one home, at one target; see `open_backups`."""

    home: Home
    choices: BackupChoices
    target: Target
    order: ProvisionOrder | None
    clock: Clock
    programs: Programs
    environ: Mapping[str, str] = field(repr=False)

    @property
    def layout(self) -> tuple[Placement, ...]:
        """Where each service lives. Raises NOT_RUNNING."""
        return self._running().layout

    def server(self, instance: str) -> Server:
        """Return a running server. Raises NOT_RUNNING, INSTANCE_UNKNOWN."""
        known = {server.instance: server for server in self._running().instances}
        if instance not in known:
            message = f"there is no instance {instance[:40]!r}: known are {', '.join(sorted(known))}"
            raise AlphintraError("INSTANCE_UNKNOWN", message, kind=Kind.NOT_FOUND, pointer="--instance")
        return known[instance]

    def placement(self, service: str) -> Placement:
        """Return where a service lives. Raises NOT_RUNNING, SERVICE_UNKNOWN."""
        known = {placement.service: placement for placement in self.layout}
        if service not in known:
            message = f"there is no service {service[:40]!r}: known are {', '.join(sorted(known))}"
            raise AlphintraError("SERVICE_UNKNOWN", message, kind=Kind.NOT_FOUND, pointer="--service")
        return known[service]

    def catalogue(self, scope: str, *, may_draw: bool = False) -> Catalogue:
        """Return the catalogue of a scope; ``may_draw`` to make a backup, for which a key is drawn at first use."""
        ring = keyring_of(self.home, may_draw=may_draw)
        return Catalogue(target=self.target, origin=self.home.ident, scope=scope, keyring=ring)

    def archive(self, instance: str) -> LogArchive:
        """Return the archive of an instance's log."""
        return LogArchive(catalogue=self.catalogue(instance_scope(instance), may_draw=True))

    def external(self, instance: str) -> External | None:
        """Return what backs up an instance that is not ours, None for one of ours. Raises BACKUP_EXTERNAL."""
        if self.server(instance).exclusive:
            return None
        if instance not in self.choices.external:
            message = (
                f"instance {instance} is a server of yours: have pgBackRest or Barman back it up and name that as "
                f"backup_external.{instance} in alphintra.toml; services can be dumped by --service without"
            )
            raise AlphintraError("BACKUP_EXTERNAL", message, kind=Kind.FORBIDDEN, pointer=f"backup_external.{instance}")
        return self.choices.external[instance]

    async def back_up_service(self, service: str, *, task: Task) -> Manifest:
        """Dump one service. Raises ALREADY_RUNNING, SPACE, BACKUP_* and TOPOLOGY_CONNECT."""
        placement = self.placement(service)
        catalogue = self.catalogue(service_scope(service), may_draw=True)
        server = self.server(placement.instance)
        with self._locked(catalogue.scope) as begun:
            state = await migrations_in(server, placement)
            await self._threaded(catalogue.clear_cut)
            self._require_room(catalogue, [BackupKind.DUMP], expected=0)
            made = await self._threaded(
                lambda: back_up_service(catalogue, server, placement, begun=begun, state=state, means=self.means(task))
            )
            return await self._complete(catalogue, made)

    async def back_up_instance(self, instance: str, *, is_full: bool, task: Task) -> Manifest:
        """Back up one instance of ours, in full or what changed since the newest backup; full where there is none.

        Raises as `back_up_service`, BACKUP_ARCHIVE, BACKUP_LOG.
        """
        catalogue = self.catalogue(instance_scope(instance), may_draw=True)
        found: dict[str, list[str]] = {}
        for placement in self.layout:
            if placement.instance == instance:
                found.setdefault(placement.database, []).append(placement.service)
        with self._locked(catalogue.scope) as begun:
            about = await look_at(self.server(instance), found)
            await self._threaded(catalogue.clear_cut)
            before = await self._threaded(catalogue.backups)
            parent = None if is_full or not before else before[-1]
            kinds = [BackupKind.FULL] if parent is None else [BackupKind.INCREMENTAL]
            self._require_room(catalogue, kinds, expected=about.bytes if parent is None else 0)
            try:
                made = await self._base(catalogue, about, begun=begun, parent=parent, task=task)
            except AlphintraError as error:
                if parent is None or _NO_SUMMARIES not in error.detail:
                    raise
                # The instance was made anew since, or was off for long: what changed is not known any more.
                await self._threaded(catalogue.clear_cut)
                made = await self._base(catalogue, about, begun=begun, parent=None, task=task)
            if made.log is not None:
                await self.await_log(instance, lambda archive: archive.require(made.log) if made.log else None)
            return await self._complete(catalogue, made)

    async def take_log(self, instance: str) -> int:
        """Archive what the instance has put aside of its log; return how many files that were."""
        spool = EmbeddedPostgres(self.home, instance=instance).spool
        with held(self.home.run / f"backup-log-{instance}.lock"):
            return await self._threaded(lambda: self.archive(instance).take(spool))

    async def await_log(self, instance: str, require: Callable[[LogArchive], None]) -> None:
        """Archive log until what is required is there. Raises what ``require`` does if that takes two minutes."""
        deadline = asyncio.get_running_loop().time() + _LOG_WAIT_S
        while True:
            try:
                await self.take_log(instance)
                await self._threaded(lambda: require(self.archive(instance)))
            except AlphintraError as error:
                is_late = asyncio.get_running_loop().time() > deadline
                if error.code not in {"BACKUP_LOG", "ALREADY_RUNNING"} or is_late:
                    raise
                await asyncio.sleep(_LOOK_EVERY_S)
            else:
                return

    async def prune(self, scope: str, *, keep: Keep | None = None, is_dry: bool = False) -> Sequence[Manifest]:
        """Remove what nothing keeps, and the log that no backup needs; return what was removed. Raises as `run`."""
        catalogue = self.catalogue(scope)
        with self._locked(scope) as begun:
            backups = await self._threaded(catalogue.backups)
            old = surplus(backups, keep or self.choices.keep, at=begun.at)
            if is_dry:
                return old
            await self._threaded(lambda: catalogue.remove([each.ident for each in old]))
            await self._threaded(catalogue.clear_cut)
            gone = {each.ident for each in old}
            left = [each for each in backups if each.ident not in gone and each.log is not None]
            if left and left[0].log is not None:
                log = left[0].log
                await self._threaded(lambda: LogArchive(catalogue=catalogue).remove_before(log))
            return old

    def means(self, task: Task) -> Means:
        """Return what backups and restores work with."""
        scratch = self.home.run / "backups"
        scratch.mkdir(mode=0o700, exist_ok=True)
        return Means(programs=self.programs, scratch=scratch, task=task)

    def scopes(self) -> tuple[str, ...]:
        """Return what of this home has anything at the target."""
        names = self.target.names(f"{self.home.ident}/")
        return tuple(dict.fromkeys(each.name.split("/")[1] for each in names))

    async def _base(
        self, catalogue: Catalogue, about: Instance, *, begun: Begun, parent: Manifest | None, task: Task
    ) -> Manifest:
        return await self._threaded(
            lambda: back_up_instance(catalogue, about, begun=begun, parent=parent, means=self.means(task))
        )

    async def _complete(self, catalogue: Catalogue, made: Manifest) -> Manifest:
        whole = msgspec.structs.replace(made, ended_at=self.clock.now() if made.log else made.began_at)
        return await self._threaded(lambda: catalogue.complete(whole))

    def _require_room(self, catalogue: Catalogue, kinds: Sequence[BackupKind], *, expected: int) -> None:
        """Raise SPACE before anything is written, where a backup like the last one of its kind would not fit."""
        free = self.target.free_bytes()
        if free is None:
            return
        last = [each.stored_bytes for each in catalogue.backups() if each.kind in kinds]
        needed = int(last[-1] * _MORE) if last else int(expected * _ROOM_SHARE)
        if free < needed:
            message = (
                f"{self.target.label} has {free / 1e6:,.0f} MB free, a backup of {catalogue.scope} takes about "
                f"{needed / 1e6:,.0f} MB: free some space, or prune"
            )
            raise AlphintraError("SPACE", message, kind=Kind.UNAVAILABLE)

    @contextmanager
    def _locked(self, scope: str) -> Iterator[Begun]:
        """Be the one who changes a scope's backups."""
        with held(self.home.run / f"backup-{scope}.lock"):
            at = self.clock.now()
            yield Begun(f"{at:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}", at)

    def _running(self) -> ProvisionOrder:
        if self.order is None:
            message = f"the platform in {self.home.path} does not run: start it with `alphintra up`"
            raise AlphintraError("NOT_RUNNING", message, kind=Kind.UNAVAILABLE)
        return self.order

    async def _threaded(self, does: Callable[[], T]) -> T:
        """Run what blocks beside the loop; where we are cancelled, it is waited for: `Task.cancelled` ends it."""
        work = asyncio.ensure_future(asyncio.to_thread(does))
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            await asyncio.wait({work})
            raise


def open_backups(
    home: Home, choices: BackupChoices, *, order: ProvisionOrder | None, clock: Clock, environ: Mapping[str, str]
) -> Backups:
    """Return the backups of a home. Raises BACKUP_NOT_CONFIGURED, CONFIG_VALUE, SERVER_PROGRAM_MISSING."""
    if not choices.target:
        message = (
            'no place for backups is set: write [backup] and target = "/a/folder" or "s3://bucket/prefix" into '
            f"{home.settings_file}, then run `alphintra down` and `alphintra up`"
        )
        raise AlphintraError("BACKUP_NOT_CONFIGURED", message, kind=Kind.CONFLICT, pointer="backup.target")
    target = open_target(choices.target, environ=environ, endpoint=choices.endpoint, region=choices.region)
    fault_point("backup.opened")
    return Backups(
        home=home,
        choices=choices,
        target=target,
        order=order,
        clock=clock,
        programs=Programs(folder=postgres_programs(server_account())),
        environ=environ,
    )


def held(path: Path) -> AbstractContextManager[None]:
    """Hold a lock that ends with us. Raises ALREADY_RUNNING with the number of who has it."""

    def busy(pid: str) -> AlphintraError:
        message = f"another command is at {path.stem} (process {pid}): wait for it to end"
        return AlphintraError("ALREADY_RUNNING", message, kind=Kind.CONFLICT)

    return alone(path, busy)
