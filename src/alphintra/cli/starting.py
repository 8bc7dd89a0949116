"""``alphintra up``: this process is the supervisor, so it stays small; what needs HTTP runs in a short-lived child."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import IO

import click

from alphintra.cli.installation import published_state
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.runtime.home import Home
from alphintra.runtime.platform import require_startable, run_platform
from alphintra.runtime.policy import Phase, PlatformState
from alphintra.runtime.settings import RuntimeSettings

__all__ = ["layout_arguments", "run_in_foreground", "start_detached"]

_LOOK_EVERY_S = 0.1
_START_TIMEOUT_S = 180.0
_LOG = "up.log"
_WEB_LOG = "web.log"


def run_in_foreground(settings: RuntimeSettings, *, with_sample: bool, is_silent: bool) -> int:
    """Run the platform until it is stopped; return the exit status."""
    run = _Foreground(settings, with_sample=with_sample, is_silent=is_silent)
    asyncio.run(run.run())
    return run.status


class _Foreground:
    """One run in the foreground: what it tells while starting, when ready and while stopping."""

    def __init__(self, settings: RuntimeSettings, *, with_sample: bool, is_silent: bool) -> None:
        self.status = 0
        self._settings = settings
        self._with_sample = with_sample
        self._is_silent = is_silent
        self._is_ready = False
        self._interrupts = 0
        self._told: set[str] = set()
        self._welcome: subprocess.Popen[bytes] | None = None
        self._web: subprocess.Popen[bytes] | None = None

    async def run(self) -> None:
        """Run until stopped. Raises what `run_platform` raises."""
        require_startable(self._settings)
        _tell(f"starting in {self._settings.home}")
        if not self._is_silent:
            self._web = build_web(Home.open(self._settings.home), output=None)
        progress = asyncio.ensure_future(self._tell_progress(Home.open(self._settings.home)))
        try:
            await run_platform(self._settings, environ=dict(os.environ), on_ready=self._tell_ready)
        finally:
            progress.cancel()
            self._end_children()
        _tell("stopped")

    async def _tell_progress(self, home: Home) -> None:
        """Tell of the processes while they get ready."""
        while not self._is_ready:
            await asyncio.sleep(_LOOK_EVERY_S)
            state = published_state(home, os.getpid())
            if state is not None and not self._is_ready:
                self._hear_interrupts()
                self._tell_processes(state)

    def _tell_processes(self, state: PlatformState) -> None:
        """Tell of each process once, when it is ready."""
        for process in state.processes:
            if process.name not in self._told and process.phase in {Phase.READY, Phase.FINISHED}:
                self._told.add(process.name)
                _tell(f"  {process.name} {process.phase.value}")

    def _hear_interrupts(self) -> None:
        """Say that Ctrl-C was heard, and hand it to the supervisor as the SIGTERM it treats in the same way."""
        asyncio.get_running_loop().add_signal_handler(signal.SIGINT, self._interrupted)

    def _interrupted(self) -> None:
        self._interrupts += 1
        if self._interrupts == 1:
            _tell("stopping in order (Ctrl-C again: at once)")
            if not self._is_ready:
                self.status = 128 + signal.SIGINT
        else:
            _tell("stopping at once")
            self.status = 128 + signal.SIGINT
        self._end_children()
        os.kill(os.getpid(), signal.SIGTERM)

    def _tell_ready(self, state: PlatformState) -> None:
        self._is_ready = True
        self._hear_interrupts()
        self._tell_processes(state)
        click.echo(f"Alphintra: http://127.0.0.1:{state.ports['http']}")
        if not self._is_silent:
            self._welcome = welcome(state.ports["http"], with_sample=self._with_sample)
        _tell("stop with Ctrl-C, or with `alphintra down` from elsewhere")

    def _end_children(self) -> None:
        for child in (self._welcome, self._web):
            if child is not None and child.poll() is None:
                os.killpg(child.pid, signal.SIGTERM)  # each has a session, and so a group, of its own
                child.wait()


def welcome(port: int, *, with_sample: bool) -> subprocess.Popen[bytes]:
    """Start the child that tells the setup link and brings the sample data; its words come on our standard output."""
    argv = [sys.executable, "-m", "alphintra.cli.welcome", str(port), *(["--sample"] if with_sample else [])]
    return subprocess.Popen(argv, stdin=subprocess.DEVNULL, start_new_session=True)  # noqa: S603 - our own program


def build_web(home: Home, *, output: IO[bytes] | None) -> subprocess.Popen[bytes] | None:
    """Start the child that builds the web interface where a checkout has none of its present sources.

    Nothing waits for it: until it is done the edge shows a page that says so. ``ALPHINTRA_WEB=no`` leaves it out.

    Args:
        home: where Node is put if the environment has none.
        output: where its words go; to our standard error without.
    """
    program = Path(__file__).parents[3] / "tools" / "build_web.py"
    if os.environ.get("ALPHINTRA_WEB") == "no" or not program.is_file():
        return None
    argv = [sys.executable, str(program), "--node-into", str(home.path / "node"), "--idle"]
    return subprocess.Popen(  # noqa: S603 - our own program
        argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
    )


def layout_arguments(settings: RuntimeSettings) -> tuple[str, ...]:
    """Return what tells another ``alphintra up`` the layout that was chosen on this command line."""
    chosen = (("--layout", settings.layout), ("--placement", settings.placement))
    return tuple(word for flag, value in chosen if value is not None for word in (flag, value.value))


def start_detached(settings: RuntimeSettings, *, with_sample: bool) -> int:
    """Start the platform in the background and return when it is ready; its own words go to ``logs/up.log``.

    Raises:
        AlphintraError: what the start itself would raise, or START_TIMEOUT.
    """
    require_startable(settings)
    home = Home.open(settings.home)
    _tell(f"starting in {home.path}")
    argv = [sys.executable, "-m", "alphintra", "up", "--silent"]
    argv += ["--port", str(settings.port), "--processes", settings.processes.value, *layout_arguments(settings)]
    log = home.logs / _LOG
    with log.open("wb") as output:
        child = subprocess.Popen(  # noqa: S603 - our own program
            argv, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
    state = _wait_until_ready(home, child)
    if state is None:
        lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        click.echo(lines[-1] if lines else "error START_FAILED: the platform ended while starting", err=True)
        return child.returncode or 1
    click.echo(f"Alphintra: http://127.0.0.1:{state.ports['http']}")
    with (home.logs / _WEB_LOG).open("wb") as output:
        build_web(home, output=output)
    told = welcome(state.ports["http"], with_sample=with_sample).wait()
    _tell("stop with `alphintra down`")
    return told


def _wait_until_ready(home: Home, child: subprocess.Popen[bytes]) -> PlatformState | None:
    deadline = time.monotonic() + _START_TIMEOUT_S
    while child.poll() is None:
        state = published_state(home, child.pid)
        if state is not None and state.phase is Phase.READY:
            return state
        if time.monotonic() > deadline:
            child.terminate()
            detail = f"the platform was not ready within {_START_TIMEOUT_S:.0f} s: see `alphintra logs supervisor`"
            raise AlphintraError("START_TIMEOUT", detail, kind=Kind.UNAVAILABLE)
        time.sleep(_LOOK_EVERY_S)
    return None


def _tell(line: str) -> None:
    click.echo(line, err=True)
