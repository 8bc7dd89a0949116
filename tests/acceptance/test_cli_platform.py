"""Looking at a running platform from the command line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fixtures.platform import Platform

SERVICES = {"auth", "broker", "nocode", "notification", "risk", "strategy", "trading", "user"}


def test_a_person_logs_in_to_the_started_platform(platform: Platform) -> None:
    person = platform.person("viewer")
    emails = {user["email"] for user in platform.operator().get("/users")["users"]}
    assert person.email in emails


def test_status_tells_ports_and_processes(platform: Platform) -> None:
    shown = platform.run("status", "--json")
    assert shown.returncode == 0
    state = json.loads(shown.stdout)["state"]
    assert state["ports"]["http"] == platform.port
    assert {"postgres", "nats"} < {process["name"] for process in state["processes"]}
