"""One installation of the platform under measurement: `alphintra up` as a child, and clients of its API."""

from __future__ import annotations

import http.client
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from alphintra.cli.client import ApiClient
from alphintra.runtime.control import status
from alphintra.runtime.credentials import operator_token
from alphintra.runtime.home import Home
from benchmarks.children import MeasureError, bare_environ
from benchmarks.machine import tree_cpu_s

__all__ = ["Installation"]

_START_S_MAX: Final = 120.0
_RATE_LIMIT: Final = 1_000_000
"""In force and never reached: one caller of the load generator stands for many."""

_LOOK_EVERY_S: Final = 0.02
_PASSWORD: Final = "a made-up passphrase"  # noqa: S105 - of a person who exists for one run
_KIB_PER_MB: Final = 1000**2 / 1024


class Installation:
    """Starts and stops the platform of one home; `close` when done."""

    def __init__(self, home: Path, *, processes: str = "default") -> None:
        self._home = home
        self._processes = processes
        self.port = 0
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def base_url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> tuple[float, float]:
        """Run ``alphintra up``; return seconds and CPU seconds until all eight services say they are healthy.

        Raises MeasureError if they do not in two minutes.
        """
        self.port = _free_port()
        environ = bare_environ(
            ALPHINTRA_HOME=str(self._home),
            ALPHINTRA_PORT=str(self.port),
            ALPHINTRA_PROCESSES=self._processes,
            ALPHINTRA_RATE_LIMIT=str(_RATE_LIMIT),
        )
        log = self._home.parent / f"{self._home.name}.log"
        at = time.perf_counter()
        with log.open("ab") as output:
            self._child = subprocess.Popen(
                [sys.executable, "-m", "alphintra", "up"],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environ,
            )
        while not self._is_healthy():
            if self._child.poll() is not None or time.perf_counter() - at > _START_S_MAX:
                words = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
                self.stop()
                raise MeasureError(f"the platform did not start: {words[-1] if words else 'no word'}")
            time.sleep(_LOOK_EVERY_S)
        return time.perf_counter() - at, tree_cpu_s(self._child.pid)

    def run(self, *arguments: str, environ: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        """Run another command of ``alphintra`` on this installation."""
        return subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-m", "alphintra", *arguments],
            env=bare_environ(ALPHINTRA_HOME=str(self._home), ALPHINTRA_PORT=str(self.port), **environ),
            capture_output=True,
            text=True,
            timeout=_START_S_MAX,
            check=False,
        )

    def stop(self) -> None:
        """Stop it in order, if it runs."""
        if self._child is not None:
            if self._child.poll() is None:
                self._child.send_signal(signal.SIGTERM)
            self._child.wait()
            self._child = None

    def pids(self) -> dict[str, int]:
        """Return the process numbers by name; the supervisor's is left out, its tree being the whole."""
        state = status(Home.existing(self._home)).state
        processes = () if state is None else state.processes
        return {process.name: process.pid for process in processes if process.pid is not None}

    def cpu_s(self) -> dict[str, float]:
        """Return the CPU seconds used so far by process name, the supervisor's own among them."""
        used = {name: tree_cpu_s(pid) for name, pid in self.pids().items()}
        whole = 0.0 if self._child is None else tree_cpu_s(self._child.pid)
        return {**used, "supervisor": whole - sum(used.values())}

    def memory_mb(self) -> dict[str, float]:
        """Return the proportional set size by process name, children counted with their parent."""
        found = status(Home.existing(self._home)).memory_kib
        return {name: kib / _KIB_PER_MB for name, kib in found.items()}

    def operator(self) -> ApiClient:
        """Return a client of the operator."""
        return ApiClient(self.base_url, operator_token(Home.existing(self._home)))

    def person(self) -> tuple[ApiClient, str]:
        """Register a trader and log them in; return their client and their access token."""
        email = f"bench-{secrets.token_hex(6)}@alphintra.example"
        with self.operator() as api:
            api.post("/users", {"email": email, "password": _PASSWORD, "role": "trader"})
        with ApiClient(self.base_url) as api:
            token = str(api.post("/auth/login", {"email": email, "password": _PASSWORD})["access_token"])
        return ApiClient(self.base_url, token), token

    def _is_healthy(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/api/v1/health")
            return connection.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException):  # not there yet, or a stranger on a port that was free before
            return False
        finally:
            connection.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
