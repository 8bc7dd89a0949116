"""What PostgreSQL reads in a pod: its settings, who may log in, and how its data is made at first start. Pure.

The files differ from those of the embedded server where the place does: TLS and client certificates in place of
loopback and a private socket, and settings that nobody but these manifests changes.
"""

from __future__ import annotations

from typing import Final

__all__ = ["CONFIG_FOLDER", "DATA_FOLDER", "SOCKET_FOLDER", "TLS_FOLDER", "access_rules", "init_script", "settings"]
__all__ += ["user_map"]

CONFIG_FOLDER: Final = "/etc/alphintra/postgresql"
TLS_FOLDER: Final = "/etc/alphintra/tls"
SOCKET_FOLDER: Final = "/var/run/postgresql"
VOLUME: Final = "/var/lib/postgresql"
DATA_FOLDER: Final = f"{VOLUME}/alphintra/data"

_SETTINGS: Final = """\
# Read because the server is started with config_file=; nothing else is: ALTER SYSTEM writes beside it in vain.
listen_addresses = '*'
port = 5432
unix_socket_directories = '{socket}'
hba_file = '{config}/pg_hba.conf'
ident_file = '{config}/pg_ident.conf'

# Every role has a limit of its own; this is their sum and a few for the administrator.
max_connections = {connections}
superuser_reserved_connections = 5
authentication_timeout = '15s'
password_encryption = 'scram-sha-256'

ssl = on
ssl_cert_file = '{tls}/tls.crt'
ssl_key_file = '{tls}/tls.key'
ssl_ca_file = '{tls}/ca.crt'
ssl_min_protocol_version = 'TLSv1.3'

shared_buffers = {shared}MB
effective_cache_size = {cache}MB
maintenance_work_mem = 64MB
work_mem = 4MB
huge_pages = off
jit = off
max_worker_processes = 16
max_parallel_workers = 2
max_parallel_workers_per_gather = 1

# Services move between databases online: eight services, both directions, and workers that copy.
wal_level = logical
max_wal_senders = 24
max_replication_slots = 24
max_logical_replication_workers = 8
max_slot_wal_keep_size = 2GB
track_commit_timestamp = on
max_wal_size = 1GB

timezone = 'UTC'
log_timezone = 'UTC'
log_destination = 'stderr'
logging_collector = off
log_line_prefix = '%m [%p] %q%u@%d %r '
log_connections = on
log_disconnections = on
log_lock_waits = on
lc_messages = 'C'
"""

# (first major version, line)
_NEWER: Final = (
    (17, "allow_alter_system = off"),
    (18, "autovacuum_worker_slots = 8"),
    (18, "max_active_replication_origins = 24"),
    (18, "idle_replication_slot_timeout = '1d'"),
    (18, "io_method = worker"),
)

_ACCESS: Final = """\
# Read because postgresql.conf names it as hba_file. Whoever matches no line is refused.
# type   database     user      address  method
local    all          postgres           peer map=ctl
# The administrator has no password at all: from outside its pod it is whoever holds its client certificate.
hostssl  all          postgres  all      cert
host     all          postgres  all      reject
# Everybody else by SCRAM, over TLS, and only into databases whose name is that of a role granted to them.
hostssl  samerole     all       all      scram-sha-256
"""

_USER_MAP: Final = """\
# The account the server runs as in its own pod may be the administrator over the socket there.
ctl  postgres  postgres
"""

_INIT: Final = """\
set -eu
umask 077
data={data}
if [ ! -s "$data/PG_VERSION" ]; then
  rm -rf "$data.new"
  mkdir -p "${{data%/*}}"
  initdb --pgdata="$data.new" --username=postgres --encoding=UTF8 {locale} \\
    --data-checksums --auth-local=peer --auth-host=reject
  mv "$data.new" "$data"
fi
chmod 0700 "$data"
"""


def settings(*, connections_max: int, memory_mib: int, major: int) -> str:
    """Return ``postgresql.conf`` for a server with so much memory; settings younger than its version are left out."""
    text = _SETTINGS.format(
        socket=SOCKET_FOLDER,
        config=CONFIG_FOLDER,
        tls=TLS_FOLDER,
        connections=connections_max,
        shared=memory_mib // 4,
        cache=memory_mib // 2,
    )
    newer = [line for since, line in _NEWER if major >= since]
    return text + ("\n" + "\n".join(newer) + "\n" if newer else "")


def access_rules() -> str:
    """Return ``pg_hba.conf``."""
    return _ACCESS


def user_map() -> str:
    """Return ``pg_ident.conf``."""
    return _USER_MAP


def init_script(major: int) -> str:
    """Return the shell script that makes the data beside its place and moves it there whole; no password is needed.

    The built-in locale (17 and later) sorts the same on every machine: no index breaks when files move between hosts.
    """
    builtin = "--locale-provider=builtin --builtin-locale=C.UTF-8 --locale=C"
    return _INIT.format(data=DATA_FOLDER, locale=builtin if major >= 17 else "--locale=C")  # noqa: PLR2004 - as said
