"""Scratch servers that an assessment may stop, crash and throw away: embedded ones, in a folder of their own.

Nothing here touches the operator's home. Servers die with this process; a folder that a killed run left is removed by
the next one.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

from alphintra.dataplane.bus_permissions import rights
from alphintra.dataplane.layouts import LayoutChoice, Placement
from alphintra.dataplane.server import Passwords, Server
from alphintra.dataplane.streams import BusLogin, ensure_streams
from alphintra.kernel.errors import AlphintraError
from alphintra.runtime import postgres_files
from alphintra.runtime.accounts import server_account
from alphintra.runtime.credentials import role_password
from alphintra.runtime.deploy.render import manifests_of
from alphintra.runtime.deploy.site import DeployChoice, plan_site
from alphintra.runtime.embedded_nats import BusUser, EmbeddedNats
from alphintra.runtime.embedded_postgres import EmbeddedPostgres
from alphintra.runtime.home import Home
from alphintra.runtime.nats_keys import nats_seed
from alphintra.runtime.proc import with_descendants
from alphintra.runtime.programs import postgres_programs
from alphintra.runtime.scratch_moves import ScratchMover, scratch_mover

__all__ = ["ScratchInstance", "ScratchLab", "scratch_lab"]

_PREFIX = "alphintra-assess-"
_LOCK = "in-use"
_FILES = ("postgresql.conf", "pg_hba.conf", "pg_ident.conf")


class ScratchInstance:
    """One embedded PostgreSQL of an assessment."""

    def __init__(self, postgres: EmbeddedPostgres) -> None:
        self._postgres = postgres

    @property
    def server(self) -> Server:
        """Administrator's URL and address; known once started."""
        postgres = self._postgres
        return Server(
            admin_url=postgres.admin_dsn(), host=postgres.host, port=postgres.port, instance=postgres.instance
        )

    @property
    def folder(self) -> Path:
        """Data folder."""
        return self._postgres.data

    async def start(self) -> None:
        """Start and wait until it answers. Raises what `EmbeddedPostgres.start` raises."""
        await self._postgres.start()

    async def stop(self) -> None:
        """Stop in good order; sessions are ended."""
        await self._postgres.stop()

    async def crash(self) -> None:
        """End at once without a checkpoint."""
        first = postgres_files.first_process(self.folder)
        if first is not None:
            os.kill(first, signal.SIGQUIT)
        await self._postgres.stop()

    def processes(self) -> Sequence[int]:
        """Return the postmaster and its children; none while it is stopped."""
        first = postgres_files.first_process(self.folder)
        return [] if first is None else with_descendants(first)

    def configuration(self) -> Sequence[str]:
        """Return the lines of its three files that say something."""
        lines = (line.strip() for name in _FILES for line in (self.folder / name).read_text("utf-8").splitlines())
        return [line for line in lines if line and not line.startswith("#")]


class ScratchLab:
    """The servers of one assessment; make it with `scratch_lab`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._home: Home | None = None
        self._instances: list[ScratchInstance] = []
        self._nats: EmbeddedNats | None = None
        self._homes = 0
        self._copies = 0
        self._bus_home: Home | None = None

    @property
    def passwords(self) -> Passwords:
        """Secrets of the roles of the layout that is open."""
        return role_password(self._open_home())

    @property
    def programs(self) -> Path:
        """Folder of the client programs, of the servers' own version."""
        return postgres_programs(server_account())

    @property
    def scratch(self) -> Path:
        """Folder for dumps and backups of the layout that is open; goes with it."""
        folder = self._open_home().path / "dumps"
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder

    async def open_instances(self, names: Sequence[str]) -> tuple[ScratchInstance, ...]:
        """Throw the earlier instances away and start new ones.

        Raises what `EmbeddedPostgres.start` raises.
        """
        await self._close_instances()
        self._homes += 1
        self._home = Home.open(self._folder / f"h{self._homes}")
        made = [ScratchInstance(EmbeddedPostgres(self._home, instance=name)) for name in names]
        blank = await self._blank()
        for instance in made:
            self._instances.append(instance)
            await asyncio.to_thread(_copy, blank, instance.folder)
            await instance.start()
        return tuple(made)

    async def open_copy(self, backup: Path) -> ScratchInstance:
        """Start a physical backup, moved to its place, as an instance of its own."""
        self._copies += 1
        instance = ScratchInstance(EmbeddedPostgres(self._open_home(), instance=f"copy{self._copies}"))
        await asyncio.to_thread(_move, backup, instance.folder)
        self._instances.append(instance)
        await instance.start()
        return instance

    async def open_another(self, name: str) -> ScratchInstance:
        """Start one more empty instance beside the others."""
        instance = ScratchInstance(EmbeddedPostgres(self._open_home(), instance=name))
        await asyncio.to_thread(_copy, await self._blank(), instance.folder)
        self._instances.append(instance)
        await instance.start()
        return instance

    def moving(self, layout: Sequence[Placement]) -> AbstractAsyncContextManager[ScratchMover]:
        """Lend who moves the services of a layout that stands here."""
        servers = {instance.server.instance: instance.server for instance in self._instances}
        return scratch_mover(self._open_home(), layout, servers, self.open_another)

    def manifests(self, choice: LayoutChoice) -> Sequence[Mapping[str, Any]]:
        """Return the Kubernetes objects `alphintra deploy render` makes for a layout."""
        files = manifests_of(plan_site(DeployChoice(layout=choice)))
        return [manifest for manifests in files.values() for manifest in manifests]

    async def open_bus(self) -> Callable[[str], BusLogin]:
        """Start a bus with the manifest's users and streams, once; return the login of a user."""
        home = self._bus_home
        if self._nats is None or home is None:
            home = self._bus_home = Home.open(self._folder / "bus")
            users = {name: BusUser(publish=has.publish, subscribe=has.subscribe) for name, has in rights().items()}
            self._nats = EmbeddedNats(home, users=users)
            await self._nats.start()
        url = self._nats.url
        seeds = home

        def login(user: str) -> BusLogin:
            return BusLogin(url=url, user=user, seed=nats_seed(seeds, user))

        await ensure_streams(login("deployer"))
        return login

    async def close(self) -> None:
        """Stop everything; what is on disk goes with the folder."""
        await self._close_instances()
        if self._nats is not None:
            await self._nats.stop()
            self._nats = None

    async def _blank(self) -> Path:
        """Return a data folder as it is after creation: copied, since creating one takes ten times as long."""
        home = Home.open(self._folder / "blank")
        postgres = EmbeddedPostgres(home)
        if not (postgres.data / "PG_VERSION").exists():
            await postgres.start()
            await postgres.stop()
        return postgres.data

    async def _close_instances(self) -> None:
        instances, self._instances = self._instances, []
        # Thrown away next: there is nothing to write down in good order.
        await asyncio.gather(*(instance.crash() for instance in instances))
        if self._home is not None:
            await asyncio.to_thread(shutil.rmtree, self._home.path, ignore_errors=True)
            self._home = None

    def _open_home(self) -> Home:
        if self._home is None:
            raise AlphintraError("SERVER_NOT_STARTED", "the assessment has no instance yet: open them first")
        return self._home


def _copy(blank: Path, place: Path) -> None:
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    shutil.copytree(blank, place, symlinks=True)
    _give(place)


def _move(backup: Path, place: Path) -> None:
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    backup.rename(place)
    _give(place)


def _give(folder: Path) -> None:
    """Let the servers' account own a data folder that we, being root, have put there."""
    account = server_account()
    if account is not None:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, account.uid, account.gid, follow_symlinks=False)


@asynccontextmanager
async def scratch_lab() -> AsyncIterator[ScratchLab]:
    """Lend a lab in a temporary folder; all servers are stopped and the folder removed, also when cancelled."""
    _sweep()
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
    held = _hold(folder)
    lab = ScratchLab(folder)
    try:
        yield lab
    finally:
        try:
            await asyncio.shield(lab.close())
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(held)


def _hold(folder: Path) -> int:
    """Lock the folder as ours, and let others see the lock only once it is held."""
    unseen = folder / f".{_LOCK}"
    held = os.open(unseen, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    fcntl.flock(held, fcntl.LOCK_EX)
    unseen.rename(folder / _LOCK)
    return held


def _sweep() -> None:
    """Remove the folders of runs that were killed: their servers ended with them, and nobody holds their lock."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        try:
            if folder.stat(follow_symlinks=False).st_uid != os.geteuid():
                continue
            held = os.open(folder / _LOCK, os.O_RDWR | os.O_NOFOLLOW)
        except OSError:
            continue
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
        except BlockingIOError:
            continue
        finally:
            os.close(held)
