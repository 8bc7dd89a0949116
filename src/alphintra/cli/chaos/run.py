"""One chaos run: a platform of its own, traders at work, faults by plan, then the invariants."""

from __future__ import annotations

import shutil
import tempfile
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from importlib import resources
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, Final

from alphintra.cli.chaos.breaking import Breaker
from alphintra.cli.chaos.checks import Finding, account_findings, killed, liveness, settle
from alphintra.cli.chaos.load import History, Trader
from alphintra.cli.chaos.network import leave_network
from alphintra.cli.chaos.plan import Fault, FaultKind, plan_faults
from alphintra.cli.chaos.town import Town, open_town
from alphintra.cli.client import ApiClient, wait_for
from alphintra.kernel.errors import AlphintraError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["ChaosOutcome", "open_market", "run_chaos"]

_SAMPLE: Final = "us-stocks-daily-2000-2013.csv.gz"
_CASH: Final = "1000000"
_ACCOUNTS: Final = 3
_PASSWORD: Final = "a-password-for-one-run"  # noqa: S105 - of a platform that is thrown away
_INTERVAL_MS: Final = 250
_ENDED: Final = frozenset({"finished", "failed", "canceled"})


@dataclass(slots=True, kw_only=True)
class ChaosOutcome:
    """What a run was, did and found.

    Attributes:
        seed: it can be repeated with.
        minutes: of breaking.
        processes: the layout of processes.
        has_own_network: whether it had a network of its own, which could be taken down.
        faults: what was done, with its outcome and the seconds until the platform was healthy again.
        findings: the invariants.
        history: all operations.
        skipped: kinds of faults this machine does not let us do.
    """

    seed: int
    minutes: float
    processes: str = "default"
    has_own_network: bool = False
    faults: list[tuple[Fault, str, float]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    history: History = field(default_factory=History)
    skipped: list[str] = field(default_factory=list)
    points_hit: set[str] = field(default_factory=set)

    @property
    def is_ok(self) -> bool:
        """Whether something was checked and all of it holds."""
        return bool(self.findings) and all(finding.is_held for finding in self.findings)

    def document(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {
            "schema": "alphintra.chaos/1",
            "seed": self.seed,
            "minutes": self.minutes,
            "processes": self.processes,
            "is_ok": self.is_ok,
            "operations": dict(self.history.counts()),
            "faults": [
                {
                    "at_s": fault.at_s,
                    "kind": fault.kind.value,
                    "target": fault.target,
                    "lasts_s": fault.lasts_s,
                    "outcome": outcome,
                    "healthy_after_s": round(healthy_s, 2),
                }
                for fault, outcome, healthy_s in self.faults
            ],
            "points_hit": sorted(self.points_hit),
            "skipped": self.skipped,
            "findings": [
                {"invariant": each.invariant, "what": each.what, "is_held": each.is_held, "broken": list(each.broken)}
                for each in self.findings
            ],
        }


def run_chaos(*, seed: int, minutes: float, processes: str, tell: Callable[[str], None]) -> ChaosOutcome:
    """Break a platform of its own for some minutes and check what is left.

    Args:
        seed: of the plan and the traders.
        minutes: how long things are broken.
        processes: a layout of processes: ``default``, ``risk-apart`` or ``per-service``.
        tell: takes a line of progress.

    Raises:
        AlphintraError: START_FAILED or TIMEOUT where the platform does not come up again: that is a finding too, and
            names the seed.
    """
    outcome = ChaosOutcome(seed=seed, minutes=minutes, processes=processes, has_own_network=leave_network())
    folder = Path(tempfile.mkdtemp(prefix="alphintra-chaos-"))
    folder.chmod(0o711)  # the servers' account has to reach its own folder in it
    try:
        tell("starting a platform of its own")
        with open_town(folder, processes=processes) as town:
            _break(town, outcome, tell)
    except AlphintraError as error:
        outcome.findings.append(Finding("I13", f"the platform heals (seed {seed})", (str(error),)))
        _keep_logs(folder, seed, tell)
    else:
        if not outcome.is_ok:
            _tell_broken(outcome, tell)
            _keep_logs(folder, seed, tell)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return outcome


def _tell_broken(outcome: ChaosOutcome, tell: Callable[[str], None]) -> None:
    for finding in outcome.findings:
        for what in finding.broken:
            tell(f"broken: {finding.invariant}, {finding.what}: {what}")


def _break(town: Town, outcome: ChaosOutcome, tell: Callable[[str], None]) -> None:
    rng = Random(outcome.seed)  # noqa: S311 - chance, no secret
    impossible = {
        kind
        for kind, is_possible in (
            (FaultKind.FULL_DISK, town.has_small_disk),
            (FaultKind.PARTITION, outcome.has_own_network),
        )
        if not is_possible
    }
    kinds = [kind for kind in FaultKind if kind not in impossible]
    outcome.skipped = [kind.value for kind in FaultKind if kind not in kinds]
    faults = plan_faults(rng, minutes=outcome.minutes, processes=town.process_names(), kinds=kinds)
    with ExitStack() as stack:
        api = stack.enter_context(_sign_in(town))
        feed, accounts = open_market(api)
        stop = threading.Event()
        outcome.history.started = time.monotonic()
        traders: list[Trader] = []
        for account_id in accounts:
            desk = stack.enter_context(_sign_in(town))
            trader_rng = Random(f"{outcome.seed}/{len(traders)}")  # noqa: S311 - as above
            traders.append(Trader(desk, account_id, rng=trader_rng, history=outcome.history, stop=stop))
        api.post(f"/feeds/{feed}/resume", {"interval_ms": _INTERVAL_MS})
        for trader in traders:
            trader.start()
        _carry_out(town, faults, outcome, tell)
        tell("healing: stopping the traders and settling what is open")
        stop.set()
        for trader in traders:
            trader.join()
        outcome.findings.append(_traded(traders, outcome.history))
        town.wait_healthy()
        operator = stack.enter_context(town.operator)
        outcome.findings.append(killed(api, operator, outcome.history, accounts[0]))
        outcome.findings += settle(api, outcome.history, accounts)
        wait_for("the pause of the feed", lambda: api.post(f"/feeds/{feed}/pause"), bool)
        tell("checking the invariants")
        found = [
            account_findings(api, outcome.history, account_id, starting_cash=Decimal(_CASH)) for account_id in accounts
        ]
        outcome.findings += [_joined(of_accounts) for of_accounts in zip(*found, strict=True)]
        outcome.findings.append(liveness(api, accounts[-1]))


def _traded(traders: Sequence[Trader], history: History) -> Finding:
    """Tell whether everybody worked to the end and got something done: else the other findings say nothing."""
    broken = [f"{trader.name} ended early" for trader in traders if not trader.has_finished]
    if not history.counts()["place ok"]:
        broken.append("no order was taken")
    return Finding("I13", "every trader worked to the end, and orders were taken", tuple(broken))


def _joined(findings: Sequence[Finding]) -> Finding:
    """Return one invariant over all accounts."""
    broken = tuple(text for finding in findings for text in finding.broken)
    return Finding(findings[0].invariant, findings[0].what, broken)


def _carry_out(town: Town, faults: list[Fault], outcome: ChaosOutcome, tell: Callable[[str], None]) -> None:
    breaker = Breaker(town)
    for fault in faults:
        time.sleep(max(0.0, fault.at_s - outcome.history.now_s()))
        done = breaker.do(fault)
        healthy_s = town.wait_healthy()
        outcome.faults.append((fault, done, healthy_s))
        target = f" {fault.target}" if fault.target else ""
        tell(f"{outcome.history.now_s():6.1f} s  {fault.kind.value}{target}: {done}, healthy after {healthy_s:.1f} s")
    outcome.points_hit = breaker.points_hit


def _sign_in(town: Town) -> ApiClient:
    """Return a client of the run's trader, who is made at the first call; tokens are renewed as they expire."""
    email = "chaos@alphintra.example"
    with town.operator as operator:
        known = {user["email"] for user in operator.get("/users")["users"]}
        if email not in known:
            operator.post("/users", {"email": email, "password": _PASSWORD, "role": "trader"})

    def token() -> str:
        with ApiClient(town.base_url) as client:
            return str(client.post("/auth/login", {"email": email, "password": _PASSWORD})["access_token"])

    return ApiClient(town.base_url, token(), renew=token)


def open_market(api: ApiClient) -> tuple[str, list[str]]:
    """Import the shipped prices, make a feed of them and open the accounts; return their ids."""
    data = (resources.files("alphintra") / "data" / _SAMPLE).read_bytes()
    path = f"/imports/{api.upload('/datasets', data, filename=_SAMPLE, source='sample')['import_id']}"
    wait_for("the import", lambda: api.get(path), lambda found: found["status"] in _ENDED)
    feed: str = api.post("/feeds", {"name": "chaos", "symbols": ["AAPL", "MSFT"], "interval_ms": _INTERVAL_MS})[
        "feed_id"
    ]
    wait_for("the feed", lambda: api.get(f"/feeds/{feed}"), lambda found: found["status"] != "preparing")
    accounts = []
    for number in range(_ACCOUNTS):
        body = {"name": f"chaos {number}", "starting_cash": _CASH, "feed_id": feed}
        account_id: str = api.post("/accounts", body)["account_id"]
        accounts.append(account_id)
        where = f"/accounts/{account_id}"
        wait_for("the account", partial(api.get, where), lambda found: found["status"] == "active")
    return feed, accounts


def _keep_logs(folder: Path, seed: int, tell: Callable[[str], None]) -> None:
    """Keep the logs of a run that found something."""
    kept = Path(tempfile.gettempdir()) / f"alphintra-chaos-logs-{seed}"
    shutil.rmtree(kept, ignore_errors=True)
    shutil.copytree(folder / "home" / "logs", kept, ignore_dangling_symlinks=True, dirs_exist_ok=True)
    tell(f"logs of the run: {kept}")
