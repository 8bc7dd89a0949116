"""Runs the demonstration on the platform of this home, which it starts and stops where it does not run yet."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from alphintra.cli.client import ApiClient, wait_for
from alphintra.cli.demo import steps, verify
from alphintra.cli.demo.journal import Journal, Run, load_run, save_run, to_stderr
from alphintra.cli.demo.report import print_summary
from alphintra.cli.starting import layout_arguments
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.runtime.children import die_with
from alphintra.runtime.control import status
from alphintra.runtime.credentials import operator_token
from alphintra.runtime.home import Home
from alphintra.runtime.inspection import probe_access
from alphintra.runtime.layout import recorded_layout
from alphintra.runtime.platform import require_startable
from alphintra.runtime.policy import Phase
from alphintra.runtime.settings import RuntimeSettings

__all__ = ["demo"]

START_TIMEOUT_S = 120.0
STOP_TIMEOUT_S = 60.0
ATTEMPTS_MAX = 8
_TOLD = re.compile(r"error ([A-Z0-9_]+): (.*)")
_PASSWORD = "demo-password"  # noqa: S105 - the name of a secret


def demo(settings: RuntimeSettings, *, as_json: bool, tell: Callable[[str], None] = to_stderr) -> int:
    """Run the demonstration; 0 only if every step was verified from the owning service's data.

    Interrupted anywhere, the next call takes the same run up again: nothing it did is lost or done twice. It does so
    itself where a process or server of the platform ends meanwhile and is started again.
    """
    started_at = time.monotonic()
    if Home.find(settings.home) is None:
        require_startable(settings)
    home = Home.open(settings.home)
    with _platform(home, settings, tell):
        run = load_run(home)
        save_run(home, run)
        journal = _run_to_end(home, settings, run, tell)
        run.is_finished = True
        save_run(home, run)
    journal.facts["seconds"] = round(time.monotonic() - started_at, 1)
    if as_json:
        sys.stdout.write(json.dumps(journal.document(), default=str) + "\n")
    else:
        print_summary(journal)
    return 0 if journal.is_ok else 1


def _run_to_end(home: Home, settings: RuntimeSettings, run: Run, tell: Callable[[str], None]) -> Journal:
    """Do all steps; where the platform was away for a moment, do them again, and each finds what it has done."""
    for attempt in range(1, ATTEMPTS_MAX + 1):
        journal = Journal(tell)
        base_url = f"http://127.0.0.1:{_port(home, settings)}"
        try:
            with ApiClient(base_url, operator_token(home)) as operator:
                _do_steps(home, operator, base_url, run, journal)
        except AlphintraError as error:
            is_passing = error.kind is Kind.UNAVAILABLE and error.code != "TIMEOUT" and status(home).is_running
            if not is_passing or attempt == ATTEMPTS_MAX:
                raise
            tell(f"interrupted: {error.detail}")
            tell("taking the run up again")
            _wait_healthy(base_url)
        else:
            return journal
    raise AssertionError("every attempt returns or raises")


def _do_steps(home: Home, operator: ApiClient, base_url: str, run: Run, journal: Journal) -> None:
    with steps.sign_in(operator, base_url, home.secret(_PASSWORD), run, journal) as client:
        stage = steps.Stage(client, operator, run, journal, recorded_layout(home))
        verify.verify_health(stage)
        steps.import_prices(stage)
        workflow = steps.make_workflow(stage)
        backtest = steps.make_backtests(stage, workflow)
        account, deployment = steps.make_deployment(stage, workflow)
        steps.trade(stage, account, deployment)
        journal.step("checking every service's data against the others'")
        verify.verify_parity(stage, backtest, deployment)
        verify.verify_books(stage, account["account_id"])
        verify.verify_messages(stage, account["account_id"])
    journal.step("trying every service's credentials on every database and every subject")
    verify.verify_access(stage, *asyncio.run(probe_access(home)))


def _port(home: Home, settings: RuntimeSettings) -> int:
    state = status(home).state
    return settings.port if state is None else state.ports.get("http", settings.port)


@contextmanager
def _platform(home: Home, settings: RuntimeSettings, tell: Callable[[str], None]) -> Iterator[None]:
    """Use the platform that runs in this home, or run one for the length of the block."""
    _await_stopping(home, tell)
    if status(home).is_running:
        tell("using the platform that runs in this home")
        _wait_healthy(f"http://127.0.0.1:{_port(home, settings)}")
        yield
        return
    require_startable(settings)
    tell("starting PostgreSQL, NATS and eight services")
    argv = [sys.executable, "-m", "alphintra", "up", *layout_arguments(settings)]
    log = home.logs / "demo-platform.log"
    with log.open("wb") as output:
        child = subprocess.Popen(  # noqa: S603 - our own program
            argv,
            env={**os.environ, "ALPHINTRA_WEB": "no"},  # nobody looks at it
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            preexec_fn=die_with(os.getpid(), signal.SIGTERM),  # noqa: PLW1509 - one async-signal-safe call
        )
    try:
        _wait_healthy(f"http://127.0.0.1:{settings.port}", child, log)
        yield
    finally:
        tell("stopping the platform")
        _stop(child)


def _await_stopping(home: Home, tell: Callable[[str], None]) -> None:
    """Wait until a platform that is just being stopped, perhaps by the end of an earlier run, has stopped."""

    def is_stopping() -> bool:
        found = status(home)
        return found.is_running and found.state is not None and found.state.phase is Phase.STOPPING

    if is_stopping():
        tell("waiting for the platform of an earlier run to stop")
        wait_for("the stop of the earlier run", is_stopping, lambda found: not found, timeout_s=STOP_TIMEOUT_S)


def _wait_healthy(base_url: str, child: subprocess.Popen[bytes] | None = None, log: Path | None = None) -> None:
    def fetch() -> str:
        if child is not None and child.poll() is not None:
            raise _failure(log)
        answer: str = client.get("/health")["status"]
        return answer

    with ApiClient(base_url) as client:
        wait_for("a healthy platform", fetch, lambda found: found == "ok", timeout_s=START_TIMEOUT_S)


def _stop(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    try:
        child.wait(timeout=STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        child.terminate()  # the second request stops it at once
        child.wait()


def _failure(log: Path | None) -> AlphintraError:
    """Return why the platform ended while starting: what it told as its last word."""
    lines = [] if log is None else log.read_text(errors="replace").strip().splitlines()
    told = _TOLD.fullmatch(lines[-1]) if lines else None
    if told is None:
        detail = "the platform ended while starting: see `alphintra logs supervisor`"
        return AlphintraError("START_FAILED", detail, kind=Kind.BUG)
    return AlphintraError(told[1], told[2], kind=Kind.BUG)
