"""Runs the demonstration on the platform of this home, which it starts and stops where it does not run yet."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from alphintra.cli.client import ApiClient, wait_for
from alphintra.cli.demo import steps, verify
from alphintra.cli.demo.journal import Journal, load_run, save_run, to_stderr
from alphintra.cli.demo.report import print_summary
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.runtime.control import status
from alphintra.runtime.credentials import operator_token
from alphintra.runtime.home import Home
from alphintra.runtime.inspection import probe_access
from alphintra.runtime.settings import RuntimeSettings

__all__ = ["demo"]

START_TIMEOUT_S = 120.0
STOP_TIMEOUT_S = 60.0
_PASSWORD = "demo-password"  # noqa: S105 - the name of a secret


def demo(settings: RuntimeSettings, *, as_json: bool, tell: Callable[[str], None] = to_stderr) -> int:
    """Run the demonstration; 0 only if every step was verified from the owning service's data.

    Interrupted anywhere, the next call takes the same run up again: nothing it did is lost or done twice.
    """
    started_at = time.monotonic()
    home = Home.open(settings.home)
    journal = Journal(tell)
    with _platform(home, settings, tell):
        run = load_run(home)
        save_run(home, run)
        base_url = f"http://127.0.0.1:{_port(home, settings)}"
        operator = ApiClient(base_url, operator_token(home))
        client = steps.sign_in(operator, base_url, home.secret(_PASSWORD), run, journal)
        stage = steps.Stage(client, operator, run, journal)
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
        run.is_finished = True
        save_run(home, run)
    journal.facts["seconds"] = round(time.monotonic() - started_at, 1)
    if as_json:
        sys.stdout.write(json.dumps(journal.document(), default=str) + "\n")
    else:
        print_summary(journal)
    return 0 if journal.is_ok else 1


def _port(home: Home, settings: RuntimeSettings) -> int:
    state = status(home).state
    return settings.port if state is None else state.ports.get("http", settings.port)


@contextmanager
def _platform(home: Home, settings: RuntimeSettings, tell: Callable[[str], None]) -> Iterator[None]:
    """Use the platform that runs in this home, or run one for the length of the block."""
    if status(home).is_running:
        tell("using the platform that runs in this home")
        yield
        return
    tell("starting PostgreSQL, NATS and eight services")
    argv = [sys.executable, "-m", "alphintra", "up"]
    log = home.logs / "demo-platform.log"
    with log.open("wb") as output:
        child = subprocess.Popen(argv, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)  # noqa: S603 - our own program
    try:
        _wait_healthy(child, settings)
        yield
    finally:
        tell("stopping the platform")
        child.terminate()
        child.wait(timeout=STOP_TIMEOUT_S)


def _wait_healthy(child: subprocess.Popen[bytes], settings: RuntimeSettings) -> None:
    client = ApiClient(f"http://127.0.0.1:{settings.port}")

    def fetch() -> str:
        if child.poll() is not None:
            raise AlphintraError("START_FAILED", _last_line(settings), kind=Kind.BUG)
        answer: str = client.get("/health")["status"]
        return answer

    wait_for("a healthy platform", fetch, lambda found: found == "ok", timeout_s=START_TIMEOUT_S)


def _last_line(settings: RuntimeSettings) -> str:
    lines = (settings.home / "logs" / "demo-platform.log").read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "the platform ended while starting; see `alphintra logs`"
