"""Services move through the layouts, one from PostgreSQL 15 to 18 and back, while people trade: invariants hold."""

from __future__ import annotations

import asyncio
import json
import secrets
import threading
import time
from contextlib import ExitStack, contextmanager
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, Final

import pytest

from alphintra.cli.chaos.checks import account_findings, killed, liveness, settle
from alphintra.cli.chaos.load import History, Trader
from alphintra.cli.chaos.run import open_market
from alphintra.cli.client import ApiClient
from alphintra.dataplane.server import admin_connection
from alphintra.runtime.home import Home
from alphintra.runtime.inspection import provisioned_order
from alphintra.runtime.layout import recorded_layout
from alphintra.runtime.moving.history import read_history

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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


class Firm:
    """A platform with trading on PostgreSQL 15, which an operator runs, and traders at work."""

    def __init__(self, platform: Platform, environ: dict[str, str]) -> None:
        self.platform = platform
        self.home = Home.existing(platform.home)
        self.history = History()
        self._environ = environ

    def run(self, *words: str) -> str:
        done = self.platform.run(*words, environ=self._environ)
        assert done.returncode == 0, done.stderr
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


@contextmanager
def trading(firm: Firm, person: Person, accounts: list[str]) -> Iterator[None]:
    """Let a trader work on each account, whose sign-in is renewed as it expires."""

    def token() -> str:
        with ApiClient(firm.platform.base_url) as client:
            login = {"email": person.email, "password": person.password}
            return str(client.post("/auth/login", login)["access_token"])

    stop, opened = threading.Event(), ExitStack()
    clients = [opened.enter_context(ApiClient(firm.platform.base_url, token(), renew=token)) for _ in accounts]
    traders = [
        Trader(client, account, rng=Random(number), history=firm.history, stop=stop, rest_s=REST_S)  # noqa: S311 - no secret
        for number, (client, account) in enumerate(zip(clients, accounts, strict=True))
    ]
    for trader in traders:
        trader.start()
    try:
        yield
    finally:
        stop.set()
        for trader in traders:
            trader.join()
        opened.close()
    assert all(trader.has_finished for trader in traders)


async def older_server(start: Callable[..., Server], password: str) -> Server:
    server = start(samerole=False, version=15)
    async with admin_connection(server) as connection:
        await connection.execute(f"create role boss superuser login password '{password}'")
    return server


async def counted(home: Home) -> list[str]:
    """Return what is wrong in the records: audit rows that would not be sealed, messages told twice or never."""
    found = []
    servers = {server.instance: server for server in provisioned_order(home).instances}
    for place in recorded_layout(home):
        async with admin_connection(servers[place.instance], database=place.database) as connection:
            await connection.execute(f'set search_path to "{place.schema}"')
            if not await connection.fetchval("select exists (select from audit_events)"):
                found.append(f"I9: no audit row of {place.service}")
            lost = await connection.fetchval(
                "select count(*) from audit_events as a "
                "where not exists (select from audit_pending as p where p.audit_id = a.audit_id)"
            )
            if lost:
                found.append(f"I9: {lost} audit rows of {place.service} would never be sealed")
            if place.service == "notification":
                twice = await connection.fetchval(
                    "select count(*) - count(distinct (user_id, dedupe_key)) from messages"
                )
                if twice:
                    found.append(f"I14: {twice} messages were told twice")
    return found


def test_all_invariants_hold_when_people_traded_through_every_layout_and_a_newer_postgresql(
    private_platform: Callable[..., Platform], private_postgres: Callable[..., Server]
) -> None:
    password = secrets.token_hex(8)
    old = asyncio.run(older_server(private_postgres, password))
    known = f'[admin_urls]\nold = "postgresql://boss:${{{PASSWORD}}}@127.0.0.1:{old.port}/postgres"\n'
    platform = private_platform(
        environ={PASSWORD: password}, settings=f'{known}[instances]\nalphintra_trading = "old"\n'
    )
    firm = Firm(platform, {PASSWORD: password})
    (platform.home / "alphintra.toml").write_text(known)  # from now on the home knows
    person = platform.person("trader")
    feed, accounts = open_market(person.api)
    person.api.post(f"/feeds/{feed}/resume", {"interval_ms": 250})
    with trading(firm, person, accounts[:2]):
        firm.works()
        assert firm.place("trading").instance == "old"
        firm.migrate("--to", "separate", "--services", "trading")
        assert firm.place("trading").instance == "main"
        firm.works()
        firm.run("db", "migrate", "--rollback")
        assert firm.place("trading").instance == "old"
        firm.works()
        firm.migrate("--to", "separate", "--services", "trading")
        firm.run("db", "migrate", "--finish", "--yes")
        for layout, databases in LAYOUTS.items():
            for services in GROUPS:
                firm.migrate("--to", layout, "--services", services)
                firm.run("db", "migrate", "--finish", "--yes")
            assert len({item.database for item in recorded_layout(firm.home)}) == databases
            firm.works()
    person.api.post(f"/feeds/{feed}/pause")
    # Nothing is refused for a move. On a machine that is too busy a question outlives its asker's five seconds: such an
    # order is asked for again below, and must then be there once.
    assert [each for each in firm.history.unknown() if each.took_s < ASKED_FOR_S] == []
    assert not [each for each in firm.history.operations if each.code in {"STORE_UNAVAILABLE", "INTERNAL"}]
    require_sound(firm, person, accounts)
    moved = read_history(firm.home)
    assert sum(each.differences for each in moved) == 0
    assert {each.versions for each in moved} == {(15, 18), (18, 15), (18, 18)}


def require_sound(firm: Firm, person: Person, accounts: list[str]) -> None:
    """All invariants hold, of the accounts that were traded and of the records."""
    api, history = person.api, firm.history
    findings = [killed(api, firm.platform.operator(), history, accounts[0])]
    findings += settle(api, history, accounts[:2])
    for account in accounts[:2]:
        findings += account_findings(api, history, account, starting_cash=CASH)
    findings.append(liveness(api, accounts[2]))
    assert [(each.invariant, each.what, each.broken) for each in findings if not each.is_held] == []
    assert asyncio.run(counted(firm.home)) == []
    firm.run("books", "check")
    firm.run("db", "plan")
    firm.run("db", "verify", "--quick")
