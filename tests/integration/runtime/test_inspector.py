"""What operators are shown of a real installation, and that a border which was broken by hand is shown as broken."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import asyncpg
import pytest

from alphintra.cli.client import ApiClient, ApiError, wait_for
from alphintra.manifest import SERVICES
from alphintra.runtime.home import Home
from alphintra.runtime.inspection import provisioned_order
from alphintra.runtime.provision import ProvisionOrder
from fixtures.platform import Platform

QUESTIONS = ("audits", "backups", "databases", "layouts", "moves", "processes", "queues", "retention", "windows")
TOO_SOON = {"PROBE_TOO_SOON", "PROBE_RUNNING"}


def order_of(platform: Platform) -> ProvisionOrder:
    return provisioned_order(Home.existing(platform.home))


async def execute(platform: Platform, database: str, *statements: str) -> list[asyncpg.Record]:
    """Run statements as the administrator of the installation; return the rows of the last."""
    (server,) = order_of(platform).instances
    connection = await asyncpg.connect(server.admin_url, database=database)
    try:
        found: list[asyncpg.Record] = []
        for statement in statements:
            found = await connection.fetch(statement)
        return found
    finally:
        await connection.close()


def probed(api: ApiClient) -> dict[str, Any]:
    """Probe as soon as that is allowed again."""

    def ask() -> Any:  # noqa: ANN401 - JSON
        try:
            return api.post("/operator/access/probe")
        except ApiError as error:
            if error.code not in TOO_SOON:
                raise
            return None

    return dict(wait_for("the probe", ask, lambda answer: answer is not None))


def cell(access: dict[str, Any], user: str, target: str) -> dict[str, Any]:
    (found,) = [each for each in access["cells"] if (each["user"], each["target"]) == (user, target)]
    return dict(found)


def reaches(access: dict[str, Any]) -> dict[tuple[str, str], str]:
    return {(each["user"], each["target"]): each["reach"] for each in access["cells"]}


def test_operators_see_a_broken_border_with_the_servers_own_words_and_no_secret(
    private_platform: Callable[..., Platform],
) -> None:
    platform = private_platform()
    owner, trader = platform.person("owner"), platform.person("trader")
    with pytest.raises(ApiError, match="role owner or operator, theirs is trader") as refused:
        trader.api.get("/operator/access")
    assert (refused.value.members["status"], refused.value.code) == (403, "AUTH_SCOPE")
    with pytest.raises(ApiError, match="theirs is trader"):
        trader.api.post("/operator/access/probe")

    sound = probed(owner.api)
    expected = {(user, target): "own" if user == target else "denied" for user in SERVICES for target in SERVICES}
    assert (reaches(sound), sound["breaches"], sound["drift"]) == (expected, 0, [])
    (tried,) = cell(sound, "notification", "risk")["tries"]
    assert (tried["name"], tried["code"]) == ("connect alphintra_risk", "28000")
    assert 'no pg_hba.conf entry for host "127.0.0.1", user "notification_service_user"' in tried["answer"]
    assert cell(sound, "notification", "risk")["grants"] == []
    (appended,) = [line for line in cell(sound, "risk", "risk")["grants"] if line.startswith("SELECT, INSERT on ")]
    assert "assessments" in appended

    grants = (
        "alphintra_risk",  # membership in the role named as the database lets a role in at the door
        "connect on database alphintra_risk",
        "usage on schema risk_schema",
        "select on risk_schema.limit_sets",
    )
    role = "notification_service_user"
    asyncio.run(execute(platform, "alphintra_risk", *(f"grant {grant} to {role}" for grant in grants)))
    broken = probed(owner.api)
    assert reaches(broken) == expected | {("notification", "risk"): "reachable"}
    assert broken["breaches"] == 1
    found = cell(broken, "notification", "risk")
    assert ("read risk_schema", "allowed") in [(one["name"], one["outcome"]) for one in found["tries"]]
    assert any("permission denied" in one["answer"] for one in found["tries"] if one["outcome"] == "denied")
    assert "SELECT on limit_sets" in found["grants"]
    assert any("limit_sets" in line for line in broken["drift"])
    assert owner.api.get("/operator/access") == broken  # kept, and shown to whoever comes later
    (record,) = asyncio.run(
        execute(
            platform,
            "alphintra_risk",
            "select actor, detail from risk_schema.audit_events where action = 'access.probe' "
            "order by recorded_at desc limit 1",
        )
    )
    assert record["actor"] == f"user:{owner.user_id}"
    assert json.loads(record["detail"])["reached_by"] == ["notification"]

    asyncio.run(execute(platform, "alphintra_risk", *(f"revoke {grant} from {role}" for grant in reversed(grants))))
    assert reaches(probed(owner.api)) == expected

    told = {word: owner.api.get(f"/operator/{word}") for word in (*QUESTIONS, "access")}
    assert {word for word, answer in told.items() if answer["problem"]} == set()
    assert len(told["databases"]["databases"]) == len(told["audits"]["audits"]) == len(SERVICES)
    assert all(one["pending"] == 0 and one["bytes"] > 0 and one["tables"] for one in told["databases"]["databases"])
    assert {one["name"] for one in told["processes"]["processes"]} >= {"postgres", "nats", "core", "inspector"}
    assert {one["consumer"] for one in told["queues"]["consumers"]} >= {"risk", "broker"}
    assert told["retention"]["rules"]
    text = json.dumps([told, sound, broken])
    secrets = [path.read_text().strip() for path in (platform.home / "secrets").iterdir() if path.suffix != ".pub"]
    assert [secret for secret in secrets if secret in text] == []
    assert "postgresql://" not in text
