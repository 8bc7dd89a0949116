"""One child process: started so that it dies with us, watched without a thread, stopped in bounded steps."""

from __future__ import annotations

import asyncio
import ctypes
import os
import select
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.runtime.accounts import Account
from alphintra.runtime.logfiles import LogFile, OutputPump
from alphintra.runtime.readiness import READY_FD_VARIABLE, READY_LINE

__all__ = ["Child", "Command", "StopPlan", "die_with", "run_to_end", "stop_strangers"]

StopPlan = Sequence[tuple[signal.Signals, float]]
"""Signals in the order they are tried, each with the seconds given before the next; after the last comes SIGKILL."""

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)  # loaded before any fork: a forked child may not load libraries
_POLL_S = 0.02
_KILL_WAIT_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """How to start a program.

    Args:
        argv: absolute path of the program, and its arguments.
        env: its whole environment; nothing is inherited.
        cwd: working directory; entered before privileges are dropped.
        account: user to drop to, None to stay who we are.
        death_signal: what the kernel sends the program at the moment we end, even by SIGKILL.
        announces: whether it speaks the protocol of `readiness`.
    """

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(repr=False)
    cwd: Path
    account: Account | None = None
    death_signal: signal.Signals = signal.SIGTERM
    announces: bool = False


class Child:
    """A running child. Make it with `start`, in the thread that lives as long as the child may."""

    def __init__(self, process: subprocess.Popen[bytes], output: OutputPump | None, ready_fd: int | None) -> None:
        self.pid = process.pid
        self.returncode: int | None = None
        self._process = process
        self._output = output
        self._exited = asyncio.Event()
        self._ready = asyncio.Event()
        self._ready_fd = ready_fd
        self._heard = b""
        self._loop = asyncio.get_running_loop()
        self._pidfd = os.pidfd_open(process.pid)
        self._loop.add_reader(self._pidfd, self._on_exit)
        if ready_fd is not None:
            self._loop.add_reader(ready_fd, self._on_ready)

    @classmethod
    def start(cls, command: Command, log: LogFile, *, is_pumped: bool = True) -> Child:
        """Start the program in a session of its own, its output going to the log. Raises START_FAILED.

        Pumped output is bounded, but needs the event loop to run; otherwise the program writes to the file itself.
        """
        pump = OutputPump(log) if is_pumped else None
        ready_read, ready_write = os.pipe() if command.announces else (None, None)
        env = dict(command.env)
        if ready_write is not None:
            env[READY_FD_VARIABLE] = str(ready_write)
        output = log.fileno() if pump is None else pump.write_end
        try:
            process = _spawn(command, env, output, () if ready_write is None else (ready_write,))
        except (OSError, subprocess.SubprocessError) as error:
            if pump is not None:
                pump.drain()
            if ready_read is not None:
                os.close(ready_read)
            detail = f"cannot start {command.argv[0]}: {error}"
            raise AlphintraError("START_FAILED", detail, kind=Kind.UNAVAILABLE) from error
        finally:
            if pump is not None:
                pump.started()
            if ready_write is not None:
                os.close(ready_write)
        return cls(process, pump, ready_read)

    async def wait(self) -> int:
        """Return the exit status when it has ended: negative is the signal that ended it."""
        await self._exited.wait()
        return self.returncode if self.returncode is not None else 0

    async def wait_announced(self) -> None:
        """Return when the child has said that it is ready; for ever if it never does."""
        await self._ready.wait()

    def send(self, number: signal.Signals) -> None:
        """Send a signal unless it has ended."""
        if self.returncode is None:
            self._process.send_signal(number)

    async def stop(self, plan: StopPlan, *, hurry: asyncio.Event | None = None, hurry_plan: StopPlan = ()) -> None:
        """End the child step by step; setting ``hurry`` at any time goes over to the other plan at once."""
        hurry = hurry or asyncio.Event()
        for number, seconds in plan:
            if hurry.is_set():
                break
            self.send(number)
            if await self._ended_within(seconds, hurry):
                return
        if hurry.is_set():
            for number, seconds in hurry_plan:
                self.send(number)
                if await self._ended_within(seconds):
                    return
        self.send(signal.SIGKILL)
        await self.wait()

    async def _ended_within(self, seconds: float, hurry: asyncio.Event | None = None) -> bool:
        waits = [asyncio.ensure_future(self._exited.wait())]
        if hurry is not None:
            waits.append(asyncio.ensure_future(hurry.wait()))
        try:
            await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        return self._exited.is_set()

    def _on_exit(self) -> None:
        """Take the exit status, but first end its process group, while that number cannot be anybody else's."""
        self._loop.remove_reader(self._pidfd)
        os.close(self._pidfd)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        self.returncode = self._process.wait()
        self._close_ready()
        if self._output is not None:
            self._output.drain()
        self._exited.set()

    def _on_ready(self) -> None:
        if self._ready_fd is None:
            return
        data = os.read(self._ready_fd, 64)
        self._heard += data
        if READY_LINE in self._heard:
            self._ready.set()
        if self._ready.is_set() or not data:
            self._close_ready()

    def _close_ready(self) -> None:
        if self._ready_fd is not None:
            self._loop.remove_reader(self._ready_fd)
            os.close(self._ready_fd)
            self._ready_fd = None


async def run_to_end(command: Command, log: LogFile) -> int:
    """Run a program and return its exit status; a cancelled run ends the program too."""
    child = Child.start(command, log)
    try:
        return await child.wait()
    except asyncio.CancelledError:
        await child.stop([])
        raise


async def stop_strangers(find: Callable[[], Sequence[int]], plan: StopPlan) -> bool:
    """End processes that an earlier, killed supervisor left; True if there were any.

    Args:
        find: returns those that still run; asked again while they end, since they may have started others.
        plan: as for a child of ours; what is left after it is killed.

    Raises:
        AlphintraError: LEFTOVER, if even SIGKILL does not end one (it waits in the kernel, or is another user's).
    """
    held: dict[int, int] = {}
    try:
        if not _left(find, held):
            return False
        for number, seconds in (*plan, (signal.SIGKILL, _KILL_WAIT_S)):
            for descriptor in _left(find, held).values():
                with suppress(ProcessLookupError, PermissionError):
                    signal.pidfd_send_signal(descriptor, number)
            deadline = asyncio.get_running_loop().time() + seconds
            while asyncio.get_running_loop().time() < deadline:
                if not _left(find, held):
                    return True
                await asyncio.sleep(_POLL_S)
        left = ", ".join(str(pid) for pid in _left(find, held))
    finally:
        for descriptor in held.values():
            os.close(descriptor)
    detail = f"processes {left} of an earlier start do not end: end them by hand, then start again"
    raise AlphintraError("LEFTOVER", detail, kind=Kind.CONFLICT)


def _left(find: Callable[[], Sequence[int]], held: dict[int, int]) -> dict[int, int]:
    """Bring ``held`` up to date: a descriptor of each process that still runs.

    What was found once is held until it has ended: one that is just ending can no longer be found by its environment
    or folder, but may still have its files and ports open.
    """
    for pid in find():
        if pid not in held:
            with suppress(ProcessLookupError):
                held[pid] = os.pidfd_open(pid)
    for pid, descriptor in tuple(held.items()):
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        if poll.poll(0):
            os.close(held.pop(pid))
    return held


def _spawn(command: Command, env: Mapping[str, str], output: int, pass_fds: tuple[int, ...]) -> subprocess.Popen[bytes]:
    account = command.account
    return subprocess.Popen(  # noqa: S603 - argv comes from our own code
        command.argv,
        env=env,
        cwd=command.cwd,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        pass_fds=pass_fds,
        start_new_session=True,
        user=None if account is None else account.uid,
        group=None if account is None else account.gid,
        extra_groups=None if account is None else [],
        umask=0o077,
        preexec_fn=die_with(os.getpid(), command.death_signal),  # noqa: PLW1509 - one async-signal-safe call
    )


def die_with(parent: int, number: signal.Signals) -> Callable[[], None]:
    """Return what the forked child does last before it becomes the program: ask the kernel for the signal when we end.

    ``preexec_fn`` of `subprocess.Popen`; holds only where the forking thread lives as long as the process.
    """

    def ask() -> None:
        # After privileges were dropped, since that clears it; the parent may have ended before that, hence the look.
        _libc.prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)

    return ask
