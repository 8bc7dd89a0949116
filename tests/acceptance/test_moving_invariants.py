"""Services move through the layouts, one from PostgreSQL 15 to 18 and back, while people trade: all invariants hold.

All eight go separate, hybrid, central, separate, and trading goes from PostgreSQL 15 to 18, back and again, while two
traders work without a rest. Before, between and after the moves somebody does an audited action of every service. At
the end one service is brought back to an earlier second. What holds then, numbered as in docs/chaos.md, and where that
is checked; `require_sound` fails where one of the sixteen was not looked at:

- I1 answered orders are there once and have ended: `settle`, `account_findings`
- I2 the venue has each order once, and none that risk refused: `account_findings`
- I3 fills at the venue = executions = orders, positions = sum of fills: `account_findings`, `books check`
- I4 cash = start and fills, double entry adds up to zero: `account_findings`, `books check`
- I5, I16 no way out of an end, no history goes back in time: `account_findings`
- I6 exposure = positions, nothing stays reserved: `account_findings`; what was sent was approved: `records_of_home`
- I7 a halted account takes nothing, and nothing of it works: `killed`
- I8 all events are published: `settle`; heard by all who hear their kind: `records_of_home`; versions have no gap:
  `account_findings`
- I9 every audit log is whole against its witness, has grown with each round of actions, holds each action once, and
  went on after the last move: `Trail`, `audit verify`
- I10 an order is what its last event says: `account_findings`; accounts are what records add up to: `books check`
- I11 nobody is in another's database: `records_of_home`; nobody could be: `db verify`, `db plan`
- I12 secrets stand in no table and no log: `records_of_home`
- I13 nothing is refused for a move, unanswered orders are answered when asked again, the next order works: `settle`,
  `liveness`
- I14 one message for each person and reason, delivered and told once: `records_of_home`
- I15 the service brought back has heard again what it had heard, while the others traded: `bring_back`
"""

from __future__ import annotations

import asyncio
import json
import secrets
import threading
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any, Final

import pytest

from alphintra.cli.chaos.checks import Finding, account_findings, killed, liveness, settle
from alphintra.cli.chaos.load import History, Trader
from alphintra.cli.chaos.run import open_market
from alphintra.cli.client import ApiClient, wait_for
from alphintra.dataplane.server import admin_connection
from alphintra.infrastructure.system import SystemClock
from alphintra.runtime.home import Home
from alphintra.runtime.layout import recorded_layout
from alphintra.runtime.moving.history import read_history
from fixtures.audited import ACTIONS, Office, done_of_each
from fixtures.records import records_of_home

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from alphintra.dataplane.layouts import Placement
    from alphintra.dataplane.server import Server
    from fixtures.platform import Person, Platform

pytestmark = [pytest.mark.timeout(3000), pytest.mark.slow]

PASSWORD: Final = "MOVING_PASSWORD"
GROUPS: Final = ("trading,risk", "strategy,user", "auth,notification", "nocode,broker")
LAYOUTS: Final = {"hybrid": 3, "central": 1, "separate": 8}
CASH: Final = Decimal(1_000_000)
ASKED_FOR_S: Final = 5.0
REST_S: Final = (0.5, 1.5)  # an account takes only so many orders, and all this lasts for minutes
INVARIANTS: Final = {f"I{number}" for number in range(1, 17)}
HISTORIES: Final = {"I5", "I8", "I10", "I16"}  # what `account_findings` says of each order's history


class Firm:
    """A platform with trading on PostgreSQL 15, which an operator runs, and traders at work."""

    def __init__(self, platform: Platform, environ: dict[str, str]) -> None:
        self.platform = platform
        self.home = Home.existing(platform.home)
        self.history = History()
        self._environ = environ

    def run(self, *words: str, environ: Mapping[str, str] | None = None) -> str:
        done = self.platform.run(*words, environ={**self._environ, **(environ or {})})
        assert done.returncode == 0, (words, done.stdout, done.stderr)
        return done.stdout

    def migrate(self, *words: str) -> None:
        told = json.loads(self.run("db", "migrate", *words, "--json"))
        assert {each["state"] for each in told["services"]} == {"verified"}

    def place(self, service: str) -> Placement:
        return next(item for item in recorded_layout(self.home) if item.service == service)

    def placed(self) -> int:
        return self.history.counts()["place ok"]

    def works(self) -> None:
        """Return when some more orders have been taken."""
        count = self.placed()
        deadline = time.monotonic() + 60
        while self.placed() < count + 3:
            assert time.monotonic() < deadline, "nothing is taken any more"
            time.sleep(0.05)

    def signed_in(self, person: Person) -> ApiClient:
        """Return a client of a person whose sign-in is renewed as it expires."""

        def token() -> str:
            with ApiClient(self.platform.base_url) as client:
                login = {"email": person.email, "password": person.password}
                return str(client.post("/auth/login", login)["access_token"])

        return ApiClient(self.platform.base_url, token(), renew=token)


@dataclass(slots=True, kw_only=True)
class Trail:
    """The eight audit logs, as somebody watches them who has an action of each service done now and then.

    Attributes:
        began: how often each log told of its action before the first round.
        sizes: rows of each log after each round.
    """

    firm: Firm
    office: Office
    began: Counter[str]
    sizes: list[dict[str, int]] = field(default_factory=list)

    def go_on(self) -> None:
        """Have an action of each service done."""
        self.office.do_each()
        self.sizes.append({service: log["leaves"] + log["pending"] for service, log in self._logs().items()})

    def sealed(self) -> dict[str, int]:
        """Return how many leaves each log has, once all that was audited is sealed, signed and witnessed."""

        def is_sealed(logs: dict[str, Any]) -> bool:
            return all(each["pending"] == 0 and each["witnessed"] == each["leaves"] for each in logs.values())

        logs = wait_for("the seals", self._logs, is_sealed)
        return {service: log["leaves"] for service, log in logs.items()}

    def finding(self) -> Finding:
        """I9: each log is whole, grew with each round, holds each action once, and has gone on after the last move."""
        resting = self.sealed()
        self.go_on()
        grown = self.sealed()
        broken = [
            f"{service} did not grow in round {number}: {before[service]}, {after[service]}"
            for number, (before, after) in enumerate(zip(self.sizes, self.sizes[1:], strict=False), start=2)
            for service in ACTIONS
            if after[service] <= before[service]
        ]
        broken += [
            f"{service} has no entry after the last move" for service in ACTIONS if grown[service] <= resting[service]
        ]
        done = asyncio.run(done_of_each(self.firm.home)) - self.began
        broken += [
            f"{service} tells of {done[service]} of {self.office.rounds} times {action}"
            for service, action in ACTIONS.items()
            if done[service] != self.office.rounds
        ]
        verified = self.firm.platform.run("audit", "verify", "--json")
        assert verified.stdout, verified.stderr
        found = json.loads(verified.stdout)
        broken += [f"{service}: {log['findings']}" for service, log in found.items() if log["status"]]
        broken += [
            f"of {service} {log['leaves']} of {grown[service]} leaves are verified, {log['checkpoints']} of them signed"
            for service, log in found.items()
            if log["leaves"] < grown[service] or not log["checkpoints"]
        ]
        if verified.returncode or found.keys() != ACTIONS.keys():
            broken.append(f"verify ended with {verified.returncode} over {', '.join(found)}")
        return Finding("I9", "audit logs are whole, and have gone on at every place", tuple(broken))

    def _logs(self) -> dict[str, Any]:
        logs: dict[str, Any] = json.loads(self.firm.run("audit", "status", "--json"))
        return logs


@contextmanager
def trading(firm: Firm, person: Person, accounts: Sequence[str]) -> Iterator[None]:
    """Let a trader work on each account."""
    stop = threading.Event()
    with ExitStack() as opened:
        traders = [
            Trader(
                opened.enter_context(firm.signed_in(person)),
                account,
                rng=Random(number),  # noqa: S311 - no secret
                history=firm.history,
                stop=stop,
                rest_s=REST_S,
            )
            for number, account in enumerate(accounts)
        ]
        for trader in traders:
            trader.start()
        try:
            yield
        finally:
            stop.set()
            for trader in traders:
                trader.join()
    assert all(trader.has_finished for trader in traders)


async def older_server(start: Callable[..., Server], password: str) -> Server:
    server = start(samerole=False, version=15)
    async with admin_connection(server) as connection:
        await connection.execute(f"create role boss superuser login password '{password}'")
    return server


def connected(platform: Platform) -> str:
    """Give somebody's live account a key for a venue that never answers; return the secret."""
    api, secret = platform.person("trader").api, f"canary-{secrets.token_hex(16)}"
    made = api.post("/accounts", {"name": "live", "starting_cash": "1000", "mode": "live", "confirm": "live"})
    wait_for("broker", lambda: api.get("/connections"), lambda found: made["account_id"] in str(found))
    key = {"key_id": f"PK{secrets.token_hex(9).upper()}", "secret_key": secret}
    address = {"adapter": "alpaca", "environment": "paper", "credentials": key, "base_url": "http://127.0.0.1:9"}
    api.put(f"/accounts/{made['account_id']}/connection", address)
    return secret


def walk(firm: Firm, trail: Trail) -> None:
    """Move trading to PostgreSQL 18, back and again, then all services through the layouts."""
    trail.go_on()
    firm.works()
    assert firm.place("trading").instance == "old"
    firm.migrate("--to", "separate", "--services", "trading")
    assert firm.place("trading").instance == "main"
    firm.works()
    trail.go_on()
    firm.run("db", "migrate", "--rollback")
    assert firm.place("trading").instance == "old"
    firm.works()
    trail.go_on()
    firm.migrate("--to", "separate", "--services", "trading")
    firm.run("db", "migrate", "--finish", "--yes")
    for layout, databases in LAYOUTS.items():
        for services in GROUPS:
            firm.migrate("--to", layout, "--services", services)
            firm.run("db", "migrate", "--finish", "--yes")
        assert len({item.database for item in recorded_layout(firm.home)}) == databases
        firm.works()
        trail.go_on()


def bring_back(firm: Firm) -> Finding:
    """I15: bring notification back to an earlier second while all others trade; it hears again what it had heard."""
    firm.run("backup", "run", "--instance", "main")
    firm.works()
    at = SystemClock().now()
    firm.works()
    before = firm.placed()
    words = ("backup", "restore", "--service", "notification", "--at", at.isoformat(), "--yes", "--json")
    restored = json.loads(firm.run(*words))
    broken = [] if firm.placed() > before else ["nothing was taken meanwhile"]
    broken += [] if restored["heard_again"] else ["it had nothing to hear again"]
    broken += [f"{restored['lost']} events are lost"] if restored["lost"] else []
    firm.works()
    firm.run("backup", "restore", "--finish", "--yes")
    return Finding("I15", "a service brought back alone has heard again what it had heard", tuple(broken))


def test_all_invariants_hold_when_people_traded_through_every_layout_and_a_newer_postgresql(
    private_platform: Callable[..., Platform], private_postgres: Callable[..., Server], tmp_path: Path
) -> None:
    password = secrets.token_hex(8)
    old = asyncio.run(older_server(private_postgres, password))
    known = f'[admin_urls]\nold = "postgresql://boss:${{{PASSWORD}}}@127.0.0.1:{old.port}/postgres"\n'
    known += f'[backup]\ntarget = "{tmp_path / "backups"}"\n'
    platform = private_platform(
        environ={PASSWORD: password}, settings=f'{known}[instances]\nalphintra_trading = "old"\n'
    )
    firm = Firm(platform, {PASSWORD: password})
    (platform.home / "alphintra.toml").write_text(known)  # from now on the home knows
    person = platform.person("trader")
    with firm.signed_in(person) as api:
        feed, accounts = open_market(api)
        office = Office(person=person, api=api, account=accounts[2], run=firm.run, secrets=[person.password])
        office.secrets.append(connected(platform))
        trail = Trail(firm=firm, office=office, began=asyncio.run(done_of_each(firm.home)))
        api.post(f"/feeds/{feed}/resume", {"interval_ms": 250})
        with trading(firm, person, accounts[:2]):
            walk(firm, trail)
            findings = [bring_back(firm)]
        wait_for("the pause of the feed", partial(api.post, f"/feeds/{feed}/pause"), bool)
        # Nothing is refused for a move. On a machine that is too busy a question outlives its asker's five seconds:
        # such an order is asked for again below, and must then be there once.
        assert [each for each in firm.history.unknown() if each.took_s < ASKED_FOR_S] == []
        assert not [each for each in firm.history.operations if each.code in {"STORE_UNAVAILABLE", "INTERNAL"}]
        require_sound(trail, findings, api, accounts)
    firm.run("books", "check", environ=person.key)
    firm.run("db", "plan")
    firm.run("db", "verify", "--quick")
    moved = read_history(firm.home)
    assert sum(each.differences for each in moved) == 0
    assert {each.versions for each in moved} == {(15, 18), (18, 15), (18, 18)}


def require_sound(trail: Trail, findings: list[Finding], api: ApiClient, accounts: Sequence[str]) -> None:
    """All invariants hold, of the accounts that were traded and of the records; each has been looked at."""
    firm, history = trail.firm, trail.firm.history
    findings.append(killed(api, firm.platform.operator(), history, accounts[0]))
    findings += settle(api, history, accounts[:2])
    for account in accounts[:2]:
        findings += account_findings(api, history, account, starting_cash=CASH)
    findings.append(liveness(api, accounts[2]))
    findings.append(trail.finding())
    findings += asyncio.run(records_of_home(firm.home, secrets=trail.office.secrets))
    assert [(each.invariant, each.what, each.broken) for each in findings if not each.is_held] == []
    looked_at = {each.invariant for each in findings}
    assert looked_at | (HISTORIES if "I5" in looked_at else set()) == INVARIANTS
