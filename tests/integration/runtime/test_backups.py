"""Backups made of real servers, broken in every way, and services brought back from them, cut at every step."""

from __future__ import annotations

import asyncio
import base64
import os
import secrets
import shutil
import sys
import uuid
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import asyncpg
import pytest

from alphintra.dataplane.backup.log import segment_name
from alphintra.dataplane.backup.programs import Programs, Task
from alphintra.dataplane.chain.notes import NoteKeys
from alphintra.dataplane.chain.sealer import Sealer
from alphintra.dataplane.chain.verify import Verified, verify_log
from alphintra.dataplane.layouts import Placement, separate_layout
from alphintra.dataplane.provision import provision
from alphintra.dataplane.server import Server, admin_connection
from alphintra.infrastructure.faults import CRASH_VARIABLE
from alphintra.infrastructure.system import SystemClock
from alphintra.kernel.errors import AlphintraError
from alphintra.runtime.backups.choices import BackupChoices
from alphintra.runtime.backups.keys import secret_of
from alphintra.runtime.backups.restoring import Restored, Restoring, Wanted
from alphintra.runtime.backups.side import choose_base, restore_instance
from alphintra.runtime.backups.verifying import evidence_of, verify
from alphintra.runtime.backups.work import Backups, open_backups
from alphintra.runtime.credentials import role_password
from alphintra.runtime.embedded_postgres import EmbeddedPostgres
from alphintra.runtime.home import Home
from alphintra.runtime.inspection import provisioned_order
from alphintra.runtime.layout import record_layout
from alphintra.runtime.moving.charge import follow_layout
from alphintra.runtime.provision import ProvisionOrder
from alphintra.runtime.settings import ProcessLayout
from fixtures.postgres import binaries_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from alphintra.dataplane.backup.model import Manifest

pytestmark = pytest.mark.timeout(900)

SERVICES: Final = ("auth", "user")
SCHEMAS: Final = "select nspname::text from pg_namespace where nspname ~ '^user_schema' order by 1"
STEPS: Final = ("begun", "structure", "brought", "renamed", "taken", "queued", "replaying")
AUDIT: Final = (
    "insert into audit_events (audit_id, actor, action, object, detail, trace_id, occurred_at) "
    "values (gen_random_uuid(), 'user', 'profile.make', $1, '{}', 't', now())"
)
LEAVES: Final = "select object from audit_events join audit_leaves using (audit_id) order by leaf_index"
EMPTIED: Final = "alter table {0} disable trigger user; delete from {0}; alter table {0} enable trigger user"
_CRASHED: Final = 137
_SEGMENT_CHARS: Final = 24
_RUN: Final = """
import asyncio, sys
from pathlib import Path
from alphintra.dataplane.backup.programs import Programs, Task
from alphintra.infrastructure.system import SystemClock
from alphintra.runtime.backups.choices import BackupChoices
from alphintra.runtime.backups.restoring import Restoring, Wanted
from alphintra.runtime.backups.work import open_backups
from alphintra.runtime.home import Home
from alphintra.runtime.inspection import provisioned_order
from dataclasses import replace
home = Home.existing(Path(sys.argv[1]))
choices = BackupChoices(target=sys.argv[2])
made = open_backups(home, choices, order=provisioned_order(home), clock=SystemClock(), environ={})
backups = replace(made, programs=Programs(folder=Path(sys.argv[3])))
async def run():
    if sys.argv[4] == "dump":
        await backups.back_up_service("user", task=Task())
    elif sys.argv[4] == "restore":
        with Restoring.opened(backups, task=Task(), tell=lambda _doing: None) as restoring:
            await restoring.begin(Wanted(service="user", backup=sys.argv[5]))
asyncio.run(run())
"""


@dataclass(slots=True, kw_only=True)
class Town:
    """Two services of a home: auth tells, user hears; the other six are said to be elsewhere."""

    home: Home
    server: Server
    backups: Backups
    own: EmbeddedPostgres | None = None

    @property
    def postgres(self) -> EmbeddedPostgres:
        assert self.own is not None
        return self.own

    @property
    def target(self) -> Path:
        return Path(self.backups.choices.target)

    @asynccontextmanager
    async def inside(self, service: str) -> AsyncIterator[asyncpg.Connection]:
        async with admin_connection(self.server, database=f"alphintra_{service}") as connection:
            await connection.execute(f"set search_path = {service}_schema")
            yield connection

    async def asked(self, service: str, statement: str, *values: object) -> list[Any]:
        async with self.inside(service) as connection:
            return [tuple(row) for row in await connection.fetch(statement, *values)]

    async def registers(self, name: str) -> uuid.UUID:
        """Have auth tell of a person, and user hear of it and note who did what, as the services do."""
        ident = uuid.UUID(bytes=secrets.token_bytes(16))
        async with self.inside("auth") as auth:
            await auth.execute(
                "insert into event_log (event_id, subject, aggregate_id, payload, occurred_at) "
                "values ($1, 'auth.evt.user_registered', $1, $2, now())",
                ident,
                name,
            )
        await self.hears(ident)
        return ident

    async def hears(self, ident: uuid.UUID) -> None:
        """Handle an event of auth once."""
        async with self.inside("auth") as auth:
            name = await auth.fetchval("select payload from event_log where event_id = $1", ident)
        async with self.inside("user") as user, user.transaction():
            fresh = await user.fetchval(
                "insert into inbox (consumer, event_id) values ('user', $1) on conflict do nothing returning event_id",
                ident,
            )
            if fresh is None:
                return
            await user.execute(
                "insert into profiles (user_id, email, display_name, locale, time_zone, version, updated_at) "
                "values ($1, $2, $2, 'en', 'UTC', 1, now())",
                ident,
                name,
            )
            await user.execute(
                "insert into event_log (event_id, subject, aggregate_id, payload, occurred_at) "
                "values (gen_random_uuid(), 'user.evt.profile_made', $1, $2, now())",
                ident,
                name,
            )
            await user.execute(AUDIT, name)

    async def audits(self, name: str) -> None:
        """Write an audit row of user."""
        await self.asked("user", AUDIT, name)

    @asynccontextmanager
    async def relayed(self) -> AsyncIterator[None]:
        """Bring what auth has queued to user without a rest."""

        async def relay() -> None:
            while True:
                with suppress(AlphintraError, asyncpg.PostgresError):
                    for (ident,) in await self.asked("auth", "delete from outbox returning event_id"):
                        await self.hears(ident)
                await asyncio.sleep(0.05)

        task = asyncio.create_task(relay())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def names(self) -> set[str]:
        return {row[0] for row in await self.asked("user", "select email from profiles")}

    async def restored(self, what: str = "begin", **wanted: Any) -> Restored:  # noqa: ANN401 - parts of `Wanted`
        with Restoring.opened(self.backups, task=Task(), tell=lambda _doing: None) as restoring:
            if what == "begin":
                return await restoring.begin(Wanted(service="user", **wanted))
            done: Restored = await getattr(restoring, what)()
            return done

    async def run(self, *what: str, crash_at: str) -> int:
        """Do it in a process of its own, which is cut."""
        arguments = (str(self.home.path), str(self.target), str(self.backups.programs.folder), *what)
        environ = {**os.environ, CRASH_VARIABLE: crash_at}
        return await (await asyncio.create_subprocess_exec(sys.executable, "-c", _RUN, *arguments, env=environ)).wait()

    async def whole(self, schemas: list[str]) -> None:
        """Nothing of a restore is left but what is named, and the service may write where it is."""
        assert [row[0] for row in await self.asked("user", SCHEMAS)] == schemas
        (row,) = await self.asked(
            "user", "select has_table_privilege('user_service_user', 'user_schema.profiles', 'insert')"
        )
        assert row == (True,)


async def built(home: Home, server: Server, programs: Path) -> Town:
    layout = tuple(
        Placement(
            service=item.service, database=item.database, instance="main" if item.service in SERVICES else "elsewhere"
        )
        for item in separate_layout()
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
    choices = BackupChoices(target=str(home.path.parent / "target"))
    found = open_backups(home, choices, order=provisioned_order(home), clock=SystemClock(), environ={})
    return Town(home=home, server=server, backups=replace(found, programs=Programs(folder=programs)))


@pytest.fixture
async def town(private_postgres: Callable[..., Server], tmp_path: Path) -> Town:
    """A server somebody else has started: dumps alone."""
    server = private_postgres()
    return await built(Home.open(tmp_path / "home"), server, binaries_of(server))


@pytest.fixture
async def archived(tmp_path: Path) -> AsyncIterator[Town]:
    """A server of the home's own, which archives its log."""
    home = Home.open(tmp_path / "home")
    postgres = EmbeddedPostgres(home, is_archived=True)
    await postgres.start()
    try:
        server = Server(admin_url=postgres.admin_dsn(), host=postgres.host, port=postgres.port)
        made = await built(home, server, postgres.programs)
        made.own = postgres
        yield made
    finally:
        await postgres.stop()


async def dumped(town: Town) -> Manifest:
    return await town.backups.back_up_service("user", task=Task())


async def test_a_service_comes_back_from_its_dump_hears_again_what_it_had_heard_and_keeps_its_trail(town: Town) -> None:
    await town.registers("before")
    made = await dumped(town)
    after = await town.registers("after")
    sequence = await town.asked("user", "select max(seq) from event_log")
    await town.asked("user", "delete from profiles")
    async with town.relayed():
        done = await town.restored(backup=made.ident)
    assert await town.names() == {"before", "after"}
    assert (done.heard_again, done.lost, done.forgotten) == (1, 0, {"user.evt.profile_made": 1})
    assert await town.asked("user", "select count(*) from inbox where event_id = $1", after) == [(1,)]
    # The trail goes on: what was done before the restore stays told, and is still to be sealed.
    assert await town.asked("user", "select object from audit_events order by 1") == [
        ("after",),
        ("after",),
        ("before",),
    ]
    assert await town.asked("user", "select count(*) from audit_pending") == [(3,)]
    assert await town.asked("user", "select min(seq) > $1 from event_log where seq > 1", sequence[0][0]) == [(True,)]
    await town.whole(["user_schema", f"user_schema_{done.ident}_old"])
    with pytest.raises(AlphintraError, match="RESTORE_OPEN"):
        await town.restored(backup=made.ident)
    await town.restored("finish")
    await town.whole(["user_schema"])


async def sealed(town: Town) -> Verified:
    """Seal what waits in user's audit log, and verify it whole."""
    keys = NoteKeys("town/user", [base64.b64encode(b"k" * 32).decode()])
    async with town.inside("user") as connection:
        await Sealer(keys).seal(connection, is_signed=True)
        return await verify_log(connection, origin=keys.name, trusted=keys.trusted)


async def test_a_restored_service_goes_on_with_the_log_that_was_signed_and_back_again(town: Town) -> None:
    await town.registers("before")
    first = (await sealed(town)).leaves
    made = await dumped(town)
    await town.audits("after")
    signed = await sealed(town)
    assert (signed.status, signed.leaves) == (0, first + 1)
    await town.restored(backup=made.ident)
    assert await town.asked("user", "select count(*) from audit_pending") == [(0,)]
    await town.audits("later")
    again = await sealed(town)
    assert (again.status, again.leaves) == (0, first + 2)
    notes = await town.asked("user", "select tree_size from audit_checkpoints order by 1")
    assert notes == [(first,), (first + 1,), (first + 2,)]
    await town.restored("rollback")
    back = await sealed(town)
    assert (back.status, back.leaves, back.root) == (0, first + 2, again.root)


async def test_a_backup_of_a_log_that_was_given_up_takes_the_running_one_up(town: Town) -> None:
    await town.audits("lost")
    await sealed(town)
    made = await dumped(town)
    async with town.inside("user") as connection:  # as after a loss that was declared
        for table in ("audit_events", "audit_leaves", "audit_checkpoints"):
            await connection.execute(EMPTIED.format(table))
    await town.audits("kept")
    assert (await sealed(town)).leaves == 1
    await town.restored(backup=made.ident)
    found = await sealed(town)
    assert (found.status, found.leaves) == (0, 2), found.findings
    assert await town.asked("user", LEAVES) == [("kept",), ("lost",)]


@pytest.mark.slow
async def test_a_restore_is_taken_back(town: Town) -> None:
    made = await dumped(town)
    await town.registers("after")
    async with town.relayed():
        await town.restored(backup=made.ident)
    await town.asked("user", "update profiles set display_name = 'changed'")
    await town.restored("rollback")
    assert await town.asked("user", "select display_name from profiles") == [("after",)]
    await town.whole(["user_schema"])


@pytest.mark.slow
@pytest.mark.parametrize("step", STEPS)
async def test_a_restore_that_is_cut_leaves_one_side_in_charge_and_ends(town: Town, step: str) -> None:
    await town.registers("before")
    made = await dumped(town)
    await town.registers("after")
    await town.asked("user", "delete from profiles")
    assert await town.run("restore", made.ident, crash_at=f"restore.{step}") == _CRASHED
    is_over = step in {"taken", "queued", "replaying"}
    assert await town.names() == ({"before"} if is_over else set())
    async with town.relayed():
        if is_over or step == "renamed":
            await town.restored("resume")
            assert await town.names() == {"before", "after"}
            await town.restored("finish")
        else:
            await town.restored("rollback")
            assert await town.names() == set()
    await town.whole(["user_schema"])
    await town.asked("user", "select 1 from profiles")


@pytest.mark.slow
@pytest.mark.parametrize("step", ["stored", "complete"])
async def test_a_backup_that_is_cut_does_not_count_and_is_cleared(town: Town, step: str) -> None:
    await town.registers("before")
    assert await town.run("dump", crash_at=f"backup.{step}") == _CRASHED
    catalogue = town.backups.catalogue("service-user")
    assert catalogue.backups() == ()
    made = await dumped(town)
    assert catalogue.backups() == (made,)
    assert {path.parent.name for path in town.target.rglob("*") if path.is_file()} == {made.ident}


@pytest.mark.slow
async def test_what_cannot_be_restored_is_refused_before_anything_is_changed(town: Town) -> None:
    await town.registers("before")
    made = await dumped(town)
    stored = next(town.target.rglob("schema.dump"))
    whole = stored.read_bytes()
    secret = town.home.secret_path(secret_of("service-user"))
    keys = secret.read_text()

    async def refused(code: str, **wanted: Any) -> None:  # noqa: ANN401 - parts of `Wanted`
        with pytest.raises(AlphintraError, match=code):
            await town.restored(**wanted)
        await town.whole(["user_schema"])
        assert not (town.home.path / "restore.json").exists()

    await refused("BACKUP_UNKNOWN", backup="20260101T000000Z-000000")
    await refused("PITR_RANGE", backup=made.ident, at=made.began_at + timedelta(seconds=1))
    stored.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    await refused(r"BACKUP_CHECKSUM.*schema\.dump", backup=made.ident)
    stored.write_bytes(whole[:-1])
    await refused("BACKUP_CHECKSUM", backup=made.ident)
    stored.write_bytes(whole)
    town.home.write_secret(secret_of("service-user"), "A" * 43 + "=")
    await refused("BACKUP_KEY", backup=made.ident)
    secret.unlink()
    await refused("BACKUP_KEY", backup=made.ident)
    town.home.write_secret(secret_of("service-user"), keys)
    async with town.inside("user") as user:
        await user.execute("create schema user_schema_abc123_old")
    with pytest.raises(AlphintraError, match="RESTORE_TARGET"):
        await town.restored(backup=made.ident)


@pytest.mark.slow
async def test_a_backup_of_a_newer_version_is_refused(town: Town) -> None:
    await town.asked(
        "user", "insert into schema_migrations (origin, name, checksum) values ('user', '9999_pre_new.sql', 'x')"
    )
    made = await dumped(town)
    with pytest.raises(AlphintraError, match=r"BACKUP_VERSION.*9999_pre_new"):
        await town.restored(backup=made.ident)


@pytest.mark.slow
async def test_a_service_comes_back_to_a_second_from_full_incremental_and_log(archived: Town) -> None:
    town = archived
    await town.registers("full")
    full = await town.backups.back_up_instance("main", is_full=True, task=Task())
    await town.registers("incremental")
    step = await town.backups.back_up_instance("main", is_full=False, task=Task())
    assert (step.parent, step.kind.value) == (full.ident, "incremental")
    assert step.stored_bytes < full.stored_bytes
    await town.registers("log")
    at = await now(town)
    await town.registers("later")
    await town.asked("user", "delete from profiles")
    others = await town.asked("auth", "select count(*) from event_log")
    async with town.relayed():
        done = await town.restored(at=at)
    assert (done.backup, done.heard_again, done.lost) == (step.ident, 1, 0)
    assert await town.names() == {"full", "incremental", "log", "later"}
    assert await town.asked("auth", "select count(*) from event_log") == others  # nobody else was brought back
    await town.restored("finish")
    evidence = await verify(town.backups, step, task=Task(), tell=lambda _doing: None)
    assert (evidence.is_sound, evidence.services) == (True, ("auth", "user"))
    assert evidence_of(town.home) == (evidence,)
    assert list((town.home.postgres / "instances").iterdir()) == []
    await broken(town, full, step, at)


@pytest.mark.slow
async def test_an_instance_that_is_lost_is_made_anew_and_backed_up_on(archived: Town) -> None:
    town = archived
    await town.registers("before")
    made = await town.backups.back_up_instance("main", is_full=True, task=Task())
    await town.registers("log")
    await choose_base(town.backups, "main", None)  # the log up to here is archived
    lost = replace(town.backups, order=None)

    async def anew() -> Manifest:
        return await restore_instance(lost, "main", at=None, task=Task(), tell=lambda _doing: None)

    with pytest.raises(AlphintraError, match="RESTORE_TARGET"):
        await anew()
    await town.postgres.stop()
    shutil.rmtree(town.postgres.data)
    assert (await anew()).ident == made.ident
    await town.postgres.start()
    assert await town.names() == {"before", "log"}
    again = await town.backups.back_up_instance("main", is_full=False, task=Task())
    assert (again.kind.value, again.parent) == ("full", "")  # nobody knows what changed over the loss


async def broken(town: Town, full: Manifest, step: Manifest, at: datetime) -> None:
    """What is wrong with an instance's backup is named, and nothing is changed."""
    before = await town.names()

    async def refused(code: str, when: datetime | None) -> None:
        with pytest.raises(AlphintraError, match=code):
            await town.restored(at=when)
        assert await town.names() == before
        await town.whole(["user_schema"])

    await refused(r"PITR_RANGE.*from", full.ended_at - timedelta(seconds=1))
    await refused("PITR_RANGE", at + timedelta(days=1))
    place = town.target / town.home.ident / "instance-main"
    last = max(path for path in (place / "log").iterdir() if len(path.name.partition("-")[0]) == _SEGMENT_CHARS)
    kept = last.read_bytes()
    last.write_bytes(b"x" + kept[1:])
    await refused(rf"BACKUP_CHECKSUM.*{last.name}", at)
    last.write_bytes(kept)
    base = place / "backups" / step.ident / "base.tar"
    whole = base.read_bytes()
    base.write_bytes(whole[:100] + bytes([whole[100] ^ 1]) + whole[101:])
    await refused(r"BACKUP_CHECKSUM.*base\.tar", at)
    bad = await verify(town.backups, step, task=Task(), tell=lambda _doing: None)
    assert (bad.is_sound, bad.code) == (False, "BACKUP_CHECKSUM")
    base.write_bytes(whole)
    (place / "backups" / full.ident / "manifest.json").rename(place / "hidden")
    with pytest.raises(AlphintraError, match=f"BACKUP_CHAIN.*{full.ident}"):
        await town.restored(at=at)
    (place / "hidden").rename(place / "backups" / full.ident / "manifest.json")
    assert step.log is not None
    needed = segment_name(1, step.log.start, step.log.segment_bytes)
    next((place / "log").glob(f"{needed}-*")).unlink()
    await refused(f"BACKUP_LOG.*{needed}", at)


async def now(town: Town) -> datetime:
    """Return a moment after all that was committed and before all that comes, by the server's clock."""
    async with town.inside("user") as user:
        await user.execute("select pg_sleep(0.01)")
        found: datetime = await user.fetchval("select clock_timestamp()")
        await user.execute("select pg_sleep(0.01)")
    return found
