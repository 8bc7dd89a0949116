"""Retention by schedule on a real server, as by hand; and operators who hear of failures over a real bus."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import msgspec
import pytest
import pytest_asyncio

from alphintra.cli.client import wait_for
from alphintra.contracts.auth import UserRegistered
from alphintra.contracts.notification import ListMessages, ReportJob
from alphintra.dataplane.backup.programs import Task
from alphintra.dataplane.layouts import separate_layout
from alphintra.dataplane.provision import provision
from alphintra.dataplane.schedule import Schedule
from alphintra.dataplane.server import Server, admin_connection
from alphintra.infrastructure.bus import Bus, LocalDirectory
from alphintra.infrastructure.nats_link import NatsCredentials, connect_nats
from alphintra.infrastructure.system import SystemClock, SystemIds
from alphintra.kernel.errors import AlphintraError
from alphintra.manifest import SCHEDULER
from alphintra.notification.endpoints import Endpoints
from alphintra.notification.repository.inboxes import Inboxes
from alphintra.runtime.backups.choices import BackupChoices
from alphintra.runtime.credentials import role_password
from alphintra.runtime.home import Home, write_atomically
from alphintra.runtime.layout import record_layout
from alphintra.runtime.lock import alone
from alphintra.runtime.moving.charge import follow_layout
from alphintra.runtime.moving.journal import Journal, write_journal
from alphintra.runtime.nats_keys import nats_seed_name
from alphintra.runtime.places import writer_of
from alphintra.runtime.provision import CONTROL_FILE, ProvisionOrder
from alphintra.runtime.retention import HoldTerms, lift, put_under_hold
from alphintra.runtime.schedules.keeper import SETTINGS_VARIABLE, Work, do_due
from alphintra.runtime.schedules.notes import Done, begun, failed, noted, succeeded, write_note
from alphintra.runtime.schedules.telling import tell_operators
from alphintra.runtime.settings import ProcessLayout
from fixtures.single_service import SettableClock, acting, delivery_of, opened

if TYPE_CHECKING:
    from pathlib import Path
    from uuid import UUID

    from fixtures.nats import NatsServer
    from fixtures.platform import Person, Platform
    from fixtures.postgres import ServiceDatabase

SUNDAY: Final = datetime(2034, 1, 1, 3, tzinfo=UTC)
WEEK: Final = timedelta(days=7)
JOB: Final = "retention:auth"
OWNER, TRADER = SystemIds().new(), SystemIds().new()
OLD: Final = "insert into inbox (consumer, event_id, received_at) values ('auth', gen_random_uuid(), $1)"


@dataclass(slots=True, kw_only=True)
class Town:
    """Auth and its retention, due on Sundays at four; the clock goes as the test says."""

    work: Work
    server: Server
    clock: SettableClock

    async def asked(self, statement: str, *values: object) -> list[Any]:
        async with admin_connection(self.server, database="alphintra_auth") as connection:
            await connection.execute("set search_path = auth_schema")
            return [tuple(row) for row in await connection.fetch(statement, *values)]

    async def old(self) -> int:
        ((count,),) = await self.asked("select count(*) from inbox")
        return int(count)

    async def on(self, at: datetime) -> Done | None:
        """Let the scheduler look at a moment; return what it noted if something was due."""
        self.clock.at = at
        job = await do_due(self.work, task=Task())
        return None if job is None else noted(self.work.home)[job.name]


@pytest_asyncio.fixture
async def town(private_postgres: Callable[..., Server], home: Home) -> Town:
    server = private_postgres()
    layout = tuple(
        replace(each, instance="main" if each.service == "auth" else "elsewhere") for each in separate_layout()
    )
    order = ProvisionOrder(
        instances=(server, replace(server, instance="elsewhere")),
        layout=layout,
        nats_url="nats://127.0.0.1:1",
        port=1,
        processes=ProcessLayout.DEFAULT,
    )
    await provision(server, layout=layout, passwords=role_password(home))
    record_layout(home, layout)
    follow_layout(home, order, {"main": server})
    clock = SettableClock(at=SUNDAY)
    work = Work(
        home=home,
        choices=BackupChoices(),
        retention={"auth": Schedule.parse("0 4 * * sun")},
        profile="default",
        clock=clock,
        backups=None,
    )
    made = Town(work=work, server=server, clock=clock)
    await made.asked(OLD, SUNDAY - timedelta(days=8 * 366))
    return made


async def test_retention_comes_at_its_hour_as_by_hand_and_takes_away_nothing_that_is_held(town: Town) -> None:
    assert await town.on(SUNDAY) is None, "a new schedule takes nothing away before its first moment"
    terms = HoldTerms(kind="all", subject="", from_at=None, to_at=None, reason="case 7")
    held = await put_under_hold(town.work.home, ("auth",), terms, writer=writer_of("operator", at=SUNDAY))
    hour = SUNDAY + timedelta(hours=1, seconds=1)
    first = await town.on(hour)
    assert first is not None
    assert (first.code, first.made, await town.old()) == ("", "0 rows archived, 0 deleted", 1)
    assert await town.on(hour + timedelta(hours=5)) is None

    await lift(town.work.home, "auth", held["auth"], reason="over", writer=writer_of("operator", at=hour))
    second = await town.on(hour + 3 * WEEK)
    assert second is not None
    assert (second.code, second.made, await town.old()) == ("", "0 rows archived, 1 deleted", 0)
    assert await town.on(hour + 3 * WEEK + timedelta(minutes=30)) is None, "what was missed is made up for by one"
    runs = await town.asked("select distinct actor from audit_events where action = 'retention.run'")
    assert runs == [("service:retention",)]


async def test_retention_takes_nothing_away_while_services_move_and_is_tried_again(town: Town) -> None:
    await town.on(SUNDAY)
    write_journal(town.work.home, Journal(to="central", records=[]))
    hour = SUNDAY + timedelta(hours=1)
    first = await town.on(hour)
    assert first is not None
    assert (first.code, first.failing_since, await town.old()) == ("RETENTION_MOVING", hour, 1)
    assert await town.on(hour + timedelta(minutes=9)) is None
    again = await town.on(hour + timedelta(minutes=10))
    assert again is not None
    assert again.failing_since == hour
    write_journal(town.work.home, None)
    done = await town.on(hour + timedelta(minutes=20))
    assert done is not None
    assert (done.code, done.failing_since, await town.old()) == ("", None, 0)


async def test_where_a_person_runs_retention_the_schedule_waits_and_has_not_failed(town: Town) -> None:
    await town.on(SUNDAY)
    hour = SUNDAY + timedelta(hours=1)
    with alone(town.work.home.run / "retention.lock", lambda _: AlphintraError("X", "x")):
        found = await town.on(hour)
        assert found is not None
        assert (found.code, found.failing_since, await town.old()) == ("RETENTION_BUSY", None, 1)
    done = await town.on(hour + timedelta(minutes=10))
    assert done is not None
    assert (done.code, await town.old()) == ("", 0)


async def test_what_is_stopped_with_the_platform_is_cut_and_no_failure(town: Town) -> None:
    await town.on(SUNDAY)
    town.clock.at = SUNDAY + timedelta(hours=1)
    task = Task()
    task.cancelled.set()
    await do_due(town.work, task=task)
    found = noted(town.work.home)[JOB]
    assert (found.code, found.ended_at, found.failing_since) == ("", None, None)


async def test_a_service_that_cannot_be_reached_has_failed_and_says_why(town: Town) -> None:
    await town.on(SUNDAY)
    await town.asked("alter role auth_retainer nologin")
    found = await town.on(SUNDAY + timedelta(hours=1))
    assert found is not None
    assert (found.code, found.failing_since) == ("TOPOLOGY_CONNECT", SUNDAY + timedelta(hours=1))
    assert "auth_retainer" in found.detail


async def test_the_process_does_what_is_due_in_a_home_without_backups_and_ends_in_order(town: Town) -> None:
    home = town.work.home
    await town.asked("update inbox set received_at = '2001-01-01'")
    seen = SystemClock().now()
    said = {"retention_schedules": {"auth": "0 4 * * *"}, "retention": "default"}
    write_note(home, {JOB: Done(began_at=seen - 2 * WEEK, ended_at=seen - 2 * WEEK, is_first_seen=True)})
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "alphintra.runtime.schedules.keeper", str(home.path)),
        env={**os.environ, SETTINGS_VARIABLE: json.dumps(said)},
    )
    try:
        async with asyncio.timeout(60):
            while not noted(home)[JOB].made:  # noqa: ASYNC110 - another process changes it
                await asyncio.sleep(0.05)
        process.terminate()
        assert await asyncio.wait_for(process.wait(), 20) == 0
    finally:
        if process.returncode is None:
            process.kill()
    assert (noted(home)[JOB].made, await town.old()) == ("0 rows archived, 1 deleted", 0)


@dataclass(slots=True, kw_only=True)
class Office:
    """A home whose scheduler speaks over a real bus, and notification at the other end."""

    home: Home
    endpoints: Endpoints
    bus: Bus

    def notes(self, change: Callable[[Done | None], Done]) -> None:
        known = noted(self.home)
        write_note(self.home, known | {JOB: change(known.get(JOB))})

    def fails(self, at: datetime, code: str = "SPACE") -> None:
        error = AlphintraError(code, "there is no room")
        self.notes(lambda last: failed(begun(last, at=at), error, last=last, at=at))

    def works(self, at: datetime) -> None:
        self.notes(lambda last: succeeded(begun(last, at=at), at=at))

    async def register(self, user_id: UUID, role: str) -> None:
        event = UserRegistered(user_id=user_id, email="x@example.org", role=role)
        await self.endpoints.on_user_registered(delivery_of(event, aggregate_id=user_id))

    async def inbox(self, user_id: UUID = OWNER) -> list[tuple[str, str, str]]:
        found = await self.endpoints.list_messages(ListMessages(), acting(user_id))
        return [(each.kind, each.severity, each.title) for each in reversed(found.messages)]


@pytest_asyncio.fixture
async def office(
    home: Home, nats_server: NatsServer, service_database: Callable[[str], Awaitable[ServiceDatabase]]
) -> AsyncIterator[Office]:
    async with opened(await service_database("notification")) as database:
        ids = SystemIds()
        endpoints = Endpoints(inboxes=Inboxes(database), clock=SettableClock(), ids=ids)
        order = ProvisionOrder(
            instances=(),
            layout=(),
            nats_url=nats_server.url,
            port=1,
            processes=ProcessLayout.DEFAULT,
        )
        write_atomically(home.run / CONTROL_FILE, msgspec.json.encode(order))
        home.write_secret(nats_seed_name(SCHEDULER), nats_server.login(SCHEDULER).seed)
        login = nats_server.login("notification")
        link = await connect_nats(NatsCredentials(url=login.url, user=login.user, seed=login.seed))
        bus = Bus(name="notification", asks=frozenset(), local=LocalDirectory(), nats=link)
        bus.answer(ReportJob, endpoints.report_job)
        await bus.start()
        made = Office(home=home, endpoints=endpoints, bus=bus)
        await made.register(TRADER, "trader")
        yield made
        await bus.close()


async def test_operators_hear_of_a_series_of_failures_once_and_of_its_end_once(office: Office) -> None:
    await office.register(OWNER, "owner")
    assert await tell_operators(office.home) == 0
    for minutes in range(3):
        office.fails(SUNDAY + timedelta(minutes=10 * minutes))
        assert await tell_operators(office.home) == (1 if minutes == 0 else 0)
    failing = ("job_failing", "warning", "Retention of auth fails")
    assert await office.inbox() == [failing]
    for minutes in (30, 40):
        office.works(SUNDAY + timedelta(minutes=minutes))
        assert await tell_operators(office.home) == (1 if minutes == 30 else 0)
    recovered = ("job_recovered", "info", "Retention of auth works again")
    assert await office.inbox() == [failing, recovered]
    office.fails(SUNDAY + WEEK, "ARCHIVE_FORGED")
    await tell_operators(office.home)
    assert (await office.inbox())[2:] == [("job_failing", "critical", "Retention of auth fails")]
    assert await office.inbox(TRADER) == []


async def test_a_report_that_is_sent_again_makes_no_second_message(office: Office) -> None:
    await office.register(OWNER, "owner")
    office.fails(SUNDAY)
    before = noted(office.home)
    await tell_operators(office.home)
    write_note(office.home, before)  # as where the scheduler was killed before it could note what it had told
    assert await tell_operators(office.home) == 1
    assert len(await office.inbox()) == 1


async def test_while_there_is_nobody_to_be_told_it_waits_for_somebody(office: Office) -> None:
    office.fails(SUNDAY)
    with pytest.raises(AlphintraError, match="OPERATORS_NONE"):
        await tell_operators(office.home)
    assert noted(office.home)[JOB].told is None
    await office.register(OWNER, "owner")
    assert await tell_operators(office.home) == 1
    assert len(await office.inbox()) == 1


async def test_what_cannot_be_told_now_is_told_later(office: Office) -> None:
    await office.register(OWNER, "owner")
    office.fails(SUNDAY)
    await office.bus.stop()
    with pytest.raises(AlphintraError, match="NOTIFICATION_UNAVAILABLE"):
        await tell_operators(office.home)
    assert noted(office.home)[JOB].told is None
    assert await office.inbox() == []
    await office.bus.start()
    assert await tell_operators(office.home) == 1
    assert len(await office.inbox()) == 1


SETTINGS: Final = """
[backup]
target = "{target}"

[backup_schedules]
user = "* * * * *"

[retention_schedules]
user = "* * * * *"
"""


def test_operators_of_a_running_platform_find_it_in_their_inbox_and_retention_comes_by_itself(
    private_platform: Callable[..., Platform], tmp_path: Path
) -> None:
    place = tmp_path / "place"
    place.write_text("a file where a folder should be")
    platform = private_platform(settings=SETTINGS.format(target=place / "backups"))
    owner, trader = platform.person("owner"), platform.person("trader")

    def told(person: Person = owner) -> list[tuple[str, str]]:
        found = person.api.get("/messages", topic="system")["messages"]
        return sorted((each["kind"], each["subject"]) for each in found)

    def standing() -> dict[str, dict[str, str]]:
        return {each["job"]: each for each in json.loads(platform.run("status", "--json").stdout)["schedules"]}

    failing = [("job_failing", "job:log:main"), ("job_failing", "job:service:user")]
    assert wait_for("the failures", told, lambda found: len(found) >= 2) == failing
    found = standing()
    assert (found["service:user"]["code"], found["log:main"]["code"]) == ("BACKUP_TARGET", "BACKUP_TARGET")
    assert platform.run("status").returncode == 1

    place.unlink()
    recovered = [("job_recovered", "job:log:main"), ("job_recovered", "job:service:user")]
    assert wait_for("the recovery", told, lambda found: len(found) >= 4, timeout_s=90) == [*failing, *recovered]
    assert told(trader) == []

    done = wait_for(
        "retention",
        lambda: json.loads(platform.run("retention", "schedule", "--json").stdout)["schedules"],
        lambda found: found[0]["ended_at"] is not None,
        timeout_s=90,
    )
    assert [(each["job"], each["code"], each["made"]) for each in done] == [
        ("retention:user", "", "0 rows archived, 0 deleted")
    ]
    assert done[0]["next_at"] > done[0]["ended_at"]
    made = wait_for("a backup", lambda: standing()["service:user"]["made"], bool)
    assert made in platform.run("backup", "list", "--service", "user").stdout
