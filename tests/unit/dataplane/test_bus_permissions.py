"""Rights on the bus: each service as itself, and what the manifest declares beyond."""

from __future__ import annotations

import pytest

from alphintra.dataplane.bus_permissions import (
    BUS_USERS,
    allows,
    callers_of,
    consumers,
    inbox_of,
    rights,
    streams,
)
from alphintra.manifest import EDGE_ASKS, EDGE_HEARS, INSPECTOR, SCHEDULER, SCHEDULER_ASKS, SERVICE_NAMES, SERVICES

RIGHTS = rights()
PAIRS = [(user, target) for user in SERVICE_NAMES for target in SERVICE_NAMES if user != target]


def test_every_user_of_the_bus_has_rights_of_its_own() -> None:
    assert set(RIGHTS) == set(BUS_USERS)
    assert len(BUS_USERS) == len(SERVICE_NAMES) + 4


@pytest.mark.parametrize(("user", "target"), PAIRS)
def test_no_service_speaks_or_hears_as_another(user: str, target: str) -> None:
    publish, subscribe = RIGHTS[user].publish, RIGHTS[user].subscribe
    assert not any(allows(publish, f"{target}.evt.{event}") for event in SERVICES[target].events)
    assert not allows(publish, f"{target}.wake")
    for subject in (f"{target}.cmd.>", f"{target}.cmd.health", f"{target}.evt.>", f"{inbox_of(target)}.x", ">"):
        assert not allows(subscribe, subject)


@pytest.mark.parametrize(("user", "target"), PAIRS)
def test_a_service_sends_exactly_the_commands_it_declares(user: str, target: str) -> None:
    sent = {name for name in SERVICES[target].commands if allows(RIGHTS[user].publish, f"{target}.cmd.{name}")}
    assert sent == {name for name in SERVICES[target].commands if f"{target}.{name}" in SERVICES[user].asks}
    assert not allows(RIGHTS[user].publish, f"{target}.cmd.>")


@pytest.mark.parametrize("service", SERVICE_NAMES)
def test_a_service_answers_only_whom_the_manifest_lets_ask(service: str) -> None:
    answered = {user for user in BUS_USERS if allows(RIGHTS[service].publish, f"{inbox_of(user)}.token.1")}
    asking = {user for user in SERVICE_NAMES for target in SERVICES[user].asks if target.startswith(f"{service}.")}
    asking |= {SCHEDULER for target in SCHEDULER_ASKS if target.startswith(f"{service}.")}
    assert answered == asking | {"edge"} == set(callers_of(service))


def test_the_inspector_answers_the_edge_and_can_do_nothing_else() -> None:
    assert RIGHTS[INSPECTOR].publish == (f"{inbox_of('edge')}.>",)
    assert set(RIGHTS[INSPECTOR].subscribe) == {f"{INSPECTOR}.cmd.>", f"{inbox_of(INSPECTOR)}.>"}
    asking = {user for user in BUS_USERS if allows(RIGHTS[user].publish, f"{INSPECTOR}.cmd.probe_access")}
    hearing = {user for user in BUS_USERS if allows(RIGHTS[user].subscribe, f"{INSPECTOR}.cmd.probe_access")}
    assert (asking, hearing) == ({"edge"}, {INSPECTOR})


def test_the_scheduler_reports_its_jobs_and_can_do_nothing_else() -> None:
    assert RIGHTS[SCHEDULER].publish == ("notification.cmd.report_job",)
    assert RIGHTS[SCHEDULER].subscribe == (f"{inbox_of(SCHEDULER)}.>",)
    asking = {user for user in BUS_USERS if allows(RIGHTS[user].publish, "notification.cmd.report_job")}
    assert asking == {SCHEDULER}


def test_the_edge_cannot_send_what_is_said_between_services() -> None:
    assert allows(RIGHTS["edge"].publish, "trading.cmd.submit_order")
    assert not allows(RIGHTS["edge"].publish, "risk.cmd.assess_order")
    assert len(RIGHTS["edge"].publish) == len(EDGE_ASKS)


def test_the_edge_hears_what_it_shows_and_nothing_else() -> None:
    heard = {
        f"{spec.name}.{event}"
        for spec in SERVICES.values()
        for event in spec.events
        if allows(RIGHTS["edge"].subscribe, f"{spec.name}.evt.{event}")
    }
    assert heard == set(EDGE_HEARS)
    for subject in ("trading.evt.>", "trading.evt.*", "trading.cmd.submit_order", ">"):
        assert not allows(RIGHTS["edge"].subscribe, subject)
    assert not any("CONSUMER" in subject for subject in RIGHTS["edge"].publish)


def test_only_the_deployer_makes_streams_and_it_reads_nothing() -> None:
    for user in BUS_USERS:
        may = allows(RIGHTS[user].publish, "$JS.API.STREAM.CREATE.EVT_RISK")
        assert may == (user == "deployer")
    deployer = RIGHTS["deployer"].publish
    for subject in (
        "$JS.API.STREAM.DELETE.EVT_RISK",
        "$JS.API.STREAM.MSG.GET.EVT_RISK",
        "risk.evt.x",
        "risk.cmd.health",
    ):
        assert not allows(deployer, subject)
    assert not allows(deployer, "$JS.API.CONSUMER.CREATE.EVT_RISK.spy")


def test_a_consumer_pulls_and_acknowledges_its_own_durable_alone() -> None:
    publish = RIGHTS["risk"].publish
    assert allows(publish, "$JS.API.CONSUMER.MSG.NEXT.EVT_TRADING.risk")
    assert allows(publish, "$JS.ACK.EVT_TRADING.risk.1.2.3.4.5")
    assert not allows(publish, "$JS.API.CONSUMER.MSG.NEXT.EVT_TRADING.broker")
    assert not allows(publish, "$JS.API.CONSUMER.MSG.NEXT.EVT_AUTH.risk"), "risk hears nothing of auth"


def test_every_event_heard_is_published_and_kept_in_a_stream_and_filtered() -> None:
    kept = {stream.name: stream.subjects for stream in streams()}
    filtered = {(item.durable, subject) for item in consumers() for subject in item.filter_subjects}
    for spec in SERVICES.values():
        for heard in spec.hears:
            producer, _, event = heard.partition(".")
            assert event in SERVICES[producer].events
            assert (spec.name, f"{producer}.evt.{event}") in filtered
            assert allows(kept[SERVICES[producer].event_stream], f"{producer}.evt.{event}")


@pytest.mark.parametrize(
    ("pattern", "subject", "covered"),
    [
        ("a.>", "a.b.c", True),
        ("a.>", "a", False),
        ("a.*", "a.b", True),
        ("a.*", "a.b.c", False),
        ("a.*", "a.>", False),
        ("a.*", "a.*", True),
        ("a.b", "a.*", False),
        ("a.>", "a.>", True),
        (">", "a.b", True),
        ("a.b", "a", False),
    ],
)
def test_wildcards_cover_what_nats_says_they_cover(pattern: str, subject: str, *, covered: bool) -> None:
    assert allows((pattern,), subject) is covered
