"""The files of the embedded PostgreSQL instance: its settings, who may log in, and what it says about itself."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.runtime.accounts import Account
from alphintra.runtime.home import write_atomically

__all__ = [
    "INITDB_ARGUMENTS",
    "access_rules",
    "first_process",
    "major_version",
    "settings",
    "user_map",
    "write_for",
]

# The built-in locale sorts the same on every machine: no index breaks when files move between hosts.
INITDB_ARGUMENTS = (
    "--username=postgres",
    "--encoding=UTF8",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--locale=C",
    "--data-checksums",
    "--auth-local=peer",
    "--auth-host=reject",
)

_SETTINGS = """\
# Written by Alphintra at every start: change settings with ALTER SYSTEM, which wins over this file.
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = '{socket_folder}'
unix_socket_permissions = 0700
max_connections = 100
password_encryption = 'scram-sha-256'

# Small: one person's machine runs this beside the whole platform.
shared_buffers = 32MB
huge_pages = off
io_method = sync
jit = off
work_mem = 4MB
maintenance_work_mem = 32MB
autovacuum_worker_slots = 4
autovacuum_max_workers = 2
max_worker_processes = 12
max_parallel_workers = 2
max_parallel_workers_per_gather = 1

# Services move between databases online: eight services, both directions, and workers that copy.
wal_level = logical
max_wal_senders = 24
max_replication_slots = 24
max_logical_replication_workers = 8
max_active_replication_origins = 24
max_slot_wal_keep_size = 2GB
idle_replication_slot_timeout = '1d'
track_commit_timestamp = on
min_wal_size = 80MB
max_wal_size = 512MB

timezone = 'UTC'
log_timezone = 'UTC'
log_destination = 'stderr'
logging_collector = off
log_line_prefix = '%m [%p] %q%u@%d '
log_checkpoints = off
lc_messages = 'C'
"""

# Beside others on the same machine an instance serves a database or two: what it sets here wins over the above.
_ONE_OF_MANY = """
max_connections = 60
shared_buffers = 16MB
autovacuum_max_workers = 1
max_worker_processes = 8
max_wal_senders = 8
max_replication_slots = 8
max_logical_replication_workers = 4
max_active_replication_origins = 8
min_wal_size = 32MB
max_wal_size = 256MB
"""

# What backups need: each file of the log is put, whole, beside the data, from where the platform takes it to the
# target; and what changed since an earlier backup is known. The command is safe to repeat and refuses to overwrite.
_ARCHIVED = """
archive_mode = on
archive_timeout = 60
archive_command = 'if test -f "../archive/%f"; then cmp -s "%p" "../archive/%f"; else cp "%p" "../archive/.%f" && \
sync "../archive/.%f" && mv "../archive/.%f" "../archive/%f"; fi'
summarize_wal = on
wal_summary_keep_time = '40d'
"""

# The superuser: only through the private socket, only as a user of the machine that the map names, never by password.
# Everybody else: by password, and only into databases whose name is that of a role granted to them, so that moving a
# service to another database is a grant and not a change of this file.
_ACCESS = """\
# Written by Alphintra at every start.
# type  database     user      address       method
local   all          postgres                peer map=ctl
local   replication  postgres                peer map=ctl
host    all          postgres  all           reject
local   samerole     all                     scram-sha-256
host    samerole     all       127.0.0.1/32  scram-sha-256
"""

_VERSION = re.compile(r"PostgreSQL\) (\d+)")


def settings(*, port: int, socket_folder: str, is_one_of_many: bool = False, is_archived: bool = False) -> str:
    """Return ``postgresql.conf``; ``is_archived`` where backups are made.

    Raises SOCKET_FOLDER for a folder that the file format cannot hold.
    """
    if "\n" in socket_folder or "," in socket_folder:
        detail = f"the socket folder {socket_folder!r} may hold no comma or line break: set ALPHINTRA_HOME elsewhere"
        raise AlphintraError("SOCKET_FOLDER", detail, pointer="ALPHINTRA_HOME")
    text = _SETTINGS.format(port=port, socket_folder=socket_folder.replace("'", "''"))
    return text + (_ONE_OF_MANY if is_one_of_many else "") + (_ARCHIVED if is_archived else "")


def access_rules() -> str:
    """Return ``pg_hba.conf``."""
    return _ACCESS


def user_map(names: Sequence[str]) -> str:
    """Return ``pg_ident.conf``: the machine's users that may act as the superuser."""
    lines = [f'ctl "{name}" postgres\n' for name in names]
    return "# Written by Alphintra at every start.\n" + "".join(lines)


def write_for(path: Path, text: str, account: Account | None) -> None:
    """Replace a file whole and let the account own it; unchanged text is left alone.

    The folder is the account's, so as root nothing there is followed or written through: a new file is moved in.
    """
    if not path.is_symlink() and path.is_file() and path.read_bytes() == text.encode():
        return
    write_atomically(path, text.encode())
    if account is not None:
        os.chown(path, account.uid, account.gid, follow_symlinks=False)


def first_process(data: Path) -> int | None:
    """Return the process number in ``postmaster.pid``, which may be stale, or None."""
    try:
        return int((data / "postmaster.pid").read_text(encoding="utf-8", errors="replace").split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return None


def major_version(programs: Path) -> str:
    """Return the major version of the installed server, e.g. ``18``. Raises SERVER_PROGRAM_MISSING."""
    program = shutil.which("postgres", path=str(programs))
    if program is None:
        raise AlphintraError("SERVER_PROGRAM_MISSING", f"there is no postgres in {programs}", kind=Kind.UNAVAILABLE)
    answer = subprocess.run([program, "--version"], capture_output=True, text=True, check=False, timeout=20)  # noqa: S603
    found = _VERSION.search(answer.stdout)
    if found is None:
        detail = f"{program} cannot run on this machine: {answer.stderr.strip()[:200]}"
        raise AlphintraError("SERVER_PROGRAM_MISSING", detail, kind=Kind.UNAVAILABLE)
    return found[1]
