"""L0, the bound of the order path: PostgreSQL's own load generator writing the least a durable order needs."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.children import MeasureError, bare_environ

if TYPE_CHECKING:
    from benchmarks.servers import BareServers

__all__ = ["L0"]

_HERE: Final = Path(__file__).parent
_TABLES: Final = _HERE / "l0_tables.sql"
_SCRIPT: Final = _HERE / "l0.sql"
_DATABASE: Final = "l0"
_RATE: Final = re.compile(r"^tps = ([0-9.]+)", re.MULTILINE)


class L0:
    """pgbench on a database of its own in the bare servers' PostgreSQL."""

    def __init__(self, servers: BareServers) -> None:
        """Make the database. Raises MeasureError if it cannot be made."""
        self._servers = servers
        self._call("createdb", _DATABASE)
        self._call("psql", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", f"--file={_TABLES}", _DATABASE)

    def rate(self, *, clients: int, seconds: float) -> tuple[float, float]:
        """Return transactions per second, and PostgreSQL's CPU seconds per transaction."""
        before = self._servers.postgres_cpu_s()
        options = [f"--client={clients}", "--protocol=prepared", "--no-vacuum", f"--time={max(1, round(seconds))}"]
        said = self._call("pgbench", *options, f"--file={_SCRIPT}", _DATABASE)
        found = _RATE.search(said)
        counted = re.search(r"^number of transactions actually processed: (\d+)", said, re.MULTILINE)
        if found is None or counted is None:
            raise MeasureError(f"pgbench named no rate: {said[-200:]}")
        return float(found[1]), (self._servers.postgres_cpu_s() - before) / int(counted[1])

    def _call(self, program: str, *arguments: str) -> str:
        started = self._servers.started
        where = [f"--host={started.socket}", f"--port={started.port}", "--username=postgres"]
        done = subprocess.run(  # noqa: S603 - a program of the installed PostgreSQL
            [str(Path(started.programs) / program), *where, *arguments],
            env=bare_environ(),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise MeasureError(f"{program}: {done.stderr.strip()[-300:]}")
        return done.stdout
