"""The audit logs of a whole installation, by the command line alone: proven, altered, brought back, declared."""

from __future__ import annotations

import asyncio
import json
import shutil
from typing import TYPE_CHECKING

import asyncpg
import pytest

from alphintra.runtime.home import Home
from alphintra.runtime.inspection import provisioned_order
from fixtures.installation import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from fixtures.installation import Installation, Outcome

pytestmark = pytest.mark.timeout(400)

PASSWORD = "correct horse 12 battery"
ALTERED = """
    set search_path = auth_schema;
    alter table audit_events disable trigger user;
    update audit_events set actor = 'somebody else'
    where audit_id = (select audit_id from audit_leaves order by leaf_index limit 1);
    alter table audit_events enable trigger user
"""


def test_a_log_is_sealed_proven_altered_and_found(installation: Installation, tmp_path: Path) -> None:
    started = installation.run("up", "--detach")
    assert started.status == 0, started.err
    user = made_person(installation)
    wait_sealed(installation)
    sound = installation.run("audit", "verify", "--json")
    assert sound.status == 0, sound.out
    assert sound.document["auth"]["leaves"] > 0

    subject = subject_of(installation, user)
    bundle, keys = tmp_path / "bundle.json", tmp_path / "keys"
    assert installation.run("audit", "prove", subject, "--out", str(bundle)).status == 0
    keys.write_text(installation.run("audit", "keys").out)
    checked = installation.run("audit", "check-bundle", str(bundle), "--keys", str(keys), "--json")
    assert (checked.status, checked.document["is_trusted"]) == (0, True)
    assert checked.document["logs"][0]["seen_at"], "the witness saw it"
    bundle.write_text(bundle.read_text().replace('"operator"', '"somebody"'))
    assert installation.run("audit", "check-bundle", str(bundle)).status == 2
    assert installation.run("audit", "prove", "order:unknown", "--out", str(tmp_path / "none")).status == 2

    execute(installation, ALTERED)
    altered = installation.run("audit", "verify", "--json")
    assert (altered.status, altered.document["auth"]["status"], altered.document["user"]["status"]) == (2, 2, 0)
    assert altered.document["auth"]["findings"][0]["leaf"] == 0


def test_a_server_that_was_brought_back_starts_once_the_loss_is_declared(
    installation: Installation, tmp_path: Path
) -> None:
    assert installation.run("up", "--detach").status == 0
    made_person(installation)
    wait_sealed(installation)
    assert installation.run("down").status == 0
    data, kept = installation.home / "postgres", tmp_path / "kept"
    shutil.copytree(data, kept, symlinks=True)
    assert installation.run("up", "--detach").status == 0
    made_person(installation, "later")
    wait_sealed(installation)
    assert installation.run("down").status == 0
    was = {path: (path.lstat().st_uid, path.lstat().st_gid) for path in [data, *data.rglob("*")]}
    owner = was[next(iter(data.iterdir()))]
    shutil.rmtree(data)
    shutil.copytree(kept, data, symlinks=True)
    for path in (data, *data.rglob("*")):
        shutil.chown(path, *was.get(path, owner))

    refused = installation.run("up", "--detach")
    assert refused.status != 0
    assert "AUDIT_ROLLBACK" in refused.err
    assert installation.run("audit", "recover", "--service", "auth", "--reason", " ").status == 2
    declared = installation.run("audit", "recover", "--service", "auth", "--reason", "disk lost", "--by", "anna")
    assert declared.status == 0, declared.err
    assert installation.run("up", "--detach").status == 0
    wait_sealed(installation)
    found = installation.run("audit", "verify", "--json")
    assert found.status == 0, found.out
    (loss,) = installation.run("audit", "status", "--json").document["auth"]["recoveries"]
    assert (loss["declared_by"], loss["lost_size"] > loss["size"]) == ("anna", True)
    assert loss["record"].count("\u2014 ") == 2, "log and witness have signed it"
    actions = fetch(installation, "select action from auth_schema.audit_events")
    assert "audit.recover" in actions


def made_person(installation: Installation, name: str = "first") -> str:
    made = installation.run(
        "user", "create", "--email", f"{name}@alphintra.example", "--role", "trader", "--password", PASSWORD, "--json"
    )
    assert made.status == 0, made.err
    found: str = made.document["user_id"]
    return found


def subject_of(installation: Installation, user: str) -> str:
    return next(each for each in fetch(installation, "select object from auth_schema.audit_events") if user in each)


def wait_sealed(installation: Installation) -> None:
    """Wait until all that was audited is sealed, signed and witnessed."""

    def is_sealed() -> bool:
        status: Outcome = installation.run("audit", "status", "--json")
        logs = json.loads(status.out).values()
        return all(each["pending"] == 0 and each["witnessed"] == each["signed"] == each["leaves"] for each in logs)

    wait_until(is_sealed, "the audit logs", timeout_s=60)


def execute(installation: Installation, statements: str) -> None:
    asyncio.run(_execute(installation, statements))


def fetch(installation: Installation, query: str) -> list[str]:
    return [row[0] for row in asyncio.run(_execute(installation, query))]


async def _execute(installation: Installation, text: str) -> list[asyncpg.Record]:
    """Act as who administers the server."""
    (server,) = provisioned_order(Home.existing(installation.home)).instances
    connection = await asyncpg.connect(server.admin_url, database="alphintra_auth")
    try:
        if text.lstrip().startswith("select"):
            return list(await connection.fetch(text))
        await connection.execute(text)
        return []
    finally:
        await connection.close()
