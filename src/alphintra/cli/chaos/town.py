"""The platform that is broken: in a folder of its own, with a proxy before each server."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Final

from alphintra.cli.chaos.proxy import Proxy
from alphintra.cli.client import ApiClient, wait_for
from alphintra.infrastructure.clock_steps import CLOCK_FILE_VARIABLE
from alphintra.infrastructure.faults import CRASH_FILE_VARIABLE
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.runtime.children import die_with
from alphintra.runtime.control import status
from alphintra.runtime.credentials import operator_token
from alphintra.runtime.home import Home
from alphintra.runtime.platform import DETOUR_VARIABLE
from alphintra.runtime.ports import choose_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["Town", "open_town"]

_START_TIMEOUT_S: Final = 120.0
_STOP_TIMEOUT_S: Final = 60.0
_DISK: Final = "size=640m,mode=0700"


class Town:
    """One scratch installation and what stands around it; make it with `open_town`."""

    def __init__(self, folder: Path, *, processes: str) -> None:
        self.home = Home.open(folder / "home")
        self.crash_file = folder / "crash-at"
        self.clock_file = folder / "clock-step"
        self.has_small_disk = False
        self._processes = processes
        self._log = folder / "platform.log"
        self._child: subprocess.Popen[bytes] | None = None
        ports = {
            name: choose_port(self.home, setting=name, wanted=0) for name in ("port", "postgres_port", "nats_port")
        }
        self.database_proxy = Proxy(ports["postgres_port"])
        self.bus_proxy = Proxy(ports["nats_port"])
        self._ports = ports

    @property
    def database_disk(self) -> Path:
        """Where the databases lie."""
        return self.home.postgres

    @property
    def base_url(self) -> str:
        """Where the edge answers."""
        return f"http://127.0.0.1:{self._ports['port']}"

    @property
    def operator(self) -> ApiClient:
        """A client with the operator's token."""
        return ApiClient(self.base_url, operator_token(self.home))

    def process_names(self) -> list[str]:
        """Return the platform's own processes, without the servers."""
        state = status(self.home).state
        names = [] if state is None else [each.name for each in state.processes]
        return sorted(name for name in names if name not in {"postgres", "nats", "provision"})

    def start(self) -> None:
        """Start the platform and wait until all eight services are healthy. Raises START_FAILED or TIMEOUT."""
        environ = {name: value for name, value in os.environ.items() if not name.startswith("ALPHINTRA_")}
        environ |= {f"ALPHINTRA_{name.upper()}": str(port) for name, port in self._ports.items()}
        environ |= {
            "ALPHINTRA_HOME": str(self.home.path),
            "ALPHINTRA_PROCESSES": self._processes,
            CRASH_FILE_VARIABLE: str(self.crash_file),
            CLOCK_FILE_VARIABLE: str(self.clock_file),
            DETOUR_VARIABLE: f"postgres={self.database_proxy.port},nats={self.bus_proxy.port}",
        }
        with self._log.open("ab") as output:
            self._child = subprocess.Popen(
                [sys.executable, "-m", "alphintra", "up", "--silent"],
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                preexec_fn=die_with(os.getpid(), signal.SIGTERM),  # noqa: PLW1509 - one async-signal-safe call
            )
        self.wait_healthy()

    def wait_healthy(self) -> float:
        """Wait until all services answer; return the seconds that took. Raises TIMEOUT or START_FAILED."""
        began = time.monotonic()

        def fetch() -> str:
            if self._child is not None and self._child.poll() is not None:
                words = self._log.read_text(errors="replace").strip().splitlines()[-1:]
                raise AlphintraError("START_FAILED", f"the platform ended: {' '.join(words)}", kind=Kind.BUG)
            answer: str = client.get("/health")["status"]
            return answer

        with ApiClient(self.base_url) as client:
            wait_for("a healthy platform", fetch, lambda found: found == "ok", timeout_s=_START_TIMEOUT_S)
        return time.monotonic() - began

    def kill_supervisor(self) -> None:
        """End the supervisor at once; the kernel ends what it started."""
        if self._child is not None:
            self._child.kill()
            self._child.wait()
            self._child = None

    def stop(self) -> None:
        """Stop the platform in order."""
        if self._child is None:
            return
        self._child.terminate()
        try:
            self._child.wait(timeout=_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()


@contextmanager
def open_town(folder: Path, *, processes: str) -> Iterator[Town]:
    """Run a platform in the folder for the length of the block; as root its databases lie on a disk of 640 MB."""
    town = Town(folder, processes=processes)
    with ExitStack() as stack:
        town.has_small_disk = os.geteuid() == 0 and _mount(town.database_disk)
        if town.has_small_disk:
            stack.callback(_unmount, town.database_disk)
        stack.enter_context(town.database_proxy)
        stack.enter_context(town.bus_proxy)
        stack.callback(town.stop)
        town.start()
        yield town


def _mount(place: Path) -> bool:
    """Mount a small disk in memory; False where this machine does not let us."""
    program = shutil.which("mount")
    if program is None:
        return False
    command = [program, "-t", "tmpfs", "-o", _DISK, "tmpfs", str(place)]
    done = subprocess.run(command, check=False, capture_output=True)  # noqa: S603 - mount, of a folder we made
    return done.returncode == 0


def _unmount(place: Path) -> None:
    program = shutil.which("umount")
    if program is not None:
        subprocess.run([program, "--lazy", str(place)], check=False, capture_output=True)  # noqa: S603 - as above
