"""Algorithms in processes of their own: what they do wrong ends them, and nothing else."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec

from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.strategy.gateways.algorithm_wire import (
    Answered,
    Begin,
    Begun,
    Described,
    Failed,
    GetState,
    OnBar,
    Question,
    Reply,
    Restore,
    StateIs,
    receive,
    send,
)

if TYPE_CHECKING:
    from alphintra.engine.algorithm_runs import AlgorithmId
    from alphintra.engine.algorithms import Answer, Moment
    from alphintra.strategy.gateways.packages import Installed, Packages

__all__ = ["AlgorithmProcess", "ProcessHost"]

CPU_S: Final = 5.0
WALL_S: Final = 30.0
_PATIENCE_S: Final = 60.0
"""Beyond what the process allows itself, and what it takes to start: it is then ended from here."""
RUN_S: Final = 3600.0
"""Seconds all bars of one run may take together."""
_LOOK_S: Final = 0.25
_MODULE: Final = "alphintra.strategy.gateways.algorithm_child"
_OVERTIME: Final = (-signal.SIGPROF, -signal.SIGALRM)
_decoder = msgspec.json.Decoder(Reply)

T = TypeVar("T", bound=Reply)


class ProcessHost:
    """Runs the algorithms of allowed packages, each run in a process of its own.

    Args:
        packages: what is installed and allowed.
        cpu_s: seconds of computing an algorithm has for one bar.
        wall_s: seconds on the clock it has for one bar.
    """

    def __init__(self, packages: Packages, *, cpu_s: float = CPU_S, wall_s: float = WALL_S) -> None:
        self._packages = packages
        self._allowed = (cpu_s, wall_s)
        self._described: dict[Installed, Described] = {}

    def __call__(self, algorithm: AlgorithmId, *, should_stop: Callable[[], bool] | None = None) -> AlgorithmProcess:
        """Start an algorithm. Raises ALGORITHM_*; RUN_STOPPED as soon as ``should_stop`` says so."""
        self._packages.require(algorithm)
        process = AlgorithmProcess(should_stop=should_stop)
        try:
            process.ask(self._begin(algorithm), Begun)
        except BaseException:
            process.close()
            raise
        return process

    def describe(self, installed: Installed) -> Described:
        """Return what an algorithm says of itself; its code is loaded for that, once. Raises ALGORITHM_*."""
        if installed in self._described:
            return self._described[installed]
        process = AlgorithmProcess()
        question = Begin(
            algorithm=installed.algorithm,
            package=installed.package,
            release=installed.release,
            content_hash=installed.content_hash,
            params={},
            warm_up=0,
            search=self._packages.search,
            is_described=True,
        )
        try:
            return self._described.setdefault(installed, process.ask(question, Described))
        finally:
            process.close()

    def _begin(self, algorithm: AlgorithmId) -> Begin:
        return Begin(
            algorithm=algorithm.algorithm,
            package=algorithm.package,
            release=algorithm.release,
            content_hash=algorithm.content_hash,
            params=algorithm.params,
            warm_up=algorithm.warm_up,
            search=self._packages.search,
            cpu_s=self._allowed[0],
            wall_s=self._allowed[1],
        )


class AlgorithmProcess:
    """One algorithm's process; it ends with this object at the latest."""

    def __init__(self, *, should_stop: Callable[[], bool] | None = None) -> None:
        ours, theirs = socket.socketpair()
        ours.settimeout(_LOOK_S)
        self._should_stop = should_stop
        self._channel = ours
        self._held = bytearray()
        self._spent_s = 0.0
        self._is_overdue = False
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - this program itself
                [sys.executable, "-m", _MODULE, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                env=_environment(),
                start_new_session=True,
            )
        self._end = weakref.finalize(self, _ended, self._process, ours)

    def on_bar(self, moment: Moment) -> Answer:
        """Show it a bar. Raises ALGORITHM_FAILED, ALGORITHM_TIMEOUT, ALGORITHM_DIED, ALGORITHM_ANSWER, RUN_STOPPED."""
        return self.ask(OnBar(moment), Answered).answer

    def state(self) -> str:
        """Return its state as JSON."""
        return self.ask(GetState(), StateIs).state

    def restore(self, state: str) -> None:
        """Go on from a state."""
        self.ask(Restore(state), Begun)

    def close(self) -> None:
        """End the process."""
        self._end()

    def ask(self, question: Question, wanted: type[T]) -> T:
        """Ask, and wait for the answer as long as an algorithm has for one."""
        started = time.monotonic()
        try:
            send(self._channel, question)
            raw = self._heard(started)
        except (ConnectionError, OSError) as error:
            raise self._gone() from error
        self._spent_s += time.monotonic() - started
        if self._spent_s > RUN_S:
            self.close()
            message = f"the algorithm took more than {RUN_S / 60:.0f} minutes for its bars: shorten the range"
            raise AlphintraError("ALGORITHM_TIMEOUT", message)
        if raw is None:
            raise self._gone()
        try:
            reply = _decoder.decode(raw)
        except msgspec.DecodeError as error:
            raise self._gone() from error
        if isinstance(reply, Failed):
            raise AlphintraError(reply.code, reply.detail)
        if not isinstance(reply, wanted):
            raise self._gone()
        return reply

    def _heard(self, started: float) -> bytes | None:
        while True:
            if self._should_stop is not None and self._should_stop():
                self.close()
                raise AlphintraError("RUN_STOPPED", "the run was stopped; nothing of it is kept", kind=Kind.CONFLICT)
            try:
                return receive(self._channel, self._held)
            except TimeoutError:
                if time.monotonic() - started > _PATIENCE_S:
                    self._is_overdue = True
                    return None

    def _gone(self) -> AlphintraError:
        """Return what a process that ended, or talks nonsense, means."""
        self._process.kill()
        code = self._process.wait()
        self.close()
        if code in _OVERTIME or self._is_overdue:
            message = (
                f"the algorithm took too long for one bar: it has {CPU_S:.0f} seconds of computing and {WALL_S:.0f} on "
                "the clock"
            )
            return AlphintraError("ALGORITHM_TIMEOUT", message)
        ended = f"signal {-code}" if code < 0 else f"status {code}"
        return AlphintraError("ALGORITHM_DIED", f"the algorithm's process ended by itself ({ended})")


def _environment() -> dict[str, str]:
    """Return an environment without anything that is this service's alone; hashes and zones are the same every time."""
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "HOME") if name in os.environ}
    folders = os.pathsep.join(folder for folder in sys.path if folder)
    fixed = {"PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1", "TZ": "UTC", "LANG": "C.UTF-8"}
    threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    return {**kept, **fixed, **threads, "PYTHONPATH": folders}


def _ended(process: subprocess.Popen[bytes], channel: socket.socket) -> None:
    channel.close()
    process.kill()
    process.wait()
