"""The manifest and the published messages name the same things."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

import msgspec
import pytest

from alphintra.contracts import (
    algorithms,
    auth,
    broker,
    courses,
    datasets,
    drift,
    executions,
    explanations,
    feed_splits,
    inspector,
    nocode,
    notification,
    order_checks,
    order_reports,
    oversight,
    previews,
    prices,
    risk,
    samples,
    strategy,
    surveillance,
    sweeps,
    trading,
    unclaimed,
    upkeep,
    user,
)
from alphintra.kernel import health, holds
from alphintra.kernel.messages import Command, Event, reply_type, subject_of, tag_of
from alphintra.manifest import INSPECTOR, INSPECTOR_COMMANDS, SERVICE_NAMES, SERVICES, ServiceSpec

MODULES = (
    algorithms,
    auth,
    broker,
    courses,
    feed_splits,
    order_reports,
    oversight,
    nocode,
    notification,
    risk,
    strategy,
    surveillance,
    trading,
    unclaimed,
    order_checks,
    prices,
    samples,
    sweeps,
    datasets,
    drift,
    executions,
    explanations,
    previews,
    user,
    inspector,
    upkeep,
    health,
    holds,
)
PUBLISHED = {module.__name__ for module in MODULES}
PARTS = {
    "algorithms": "strategy",
    "explanations": "strategy",
    "oversight": "risk",
    "previews": "strategy",
    "surveillance": "risk",
    "order_reports": "broker",
    "unclaimed": "trading",
    "prices": "trading",
    "order_checks": "risk",
    "feed_splits": "trading",
    "samples": "strategy",
    "sweeps": "strategy",
    "drift": "strategy",
    "executions": "strategy",
    "datasets": "strategy",
    "courses": "strategy",
    "upkeep": "inspector",
}  # modules beside a service's own, for the length of a file
SPECS = tuple(SERVICES.values())
TAG = re.compile(rf"({'|'.join((*SERVICE_NAMES, INSPECTOR))})\.[a-z]+(_[a-z]+)*\.v[1-9][0-9]*")


def subclasses(base: type[msgspec.Struct]) -> Iterator[type[msgspec.Struct]]:
    """Yield every message class that product code defines below a base, at any depth."""
    for child in base.__subclasses__():
        if child.__module__ in PUBLISHED:
            yield child
        yield from subclasses(child)


COMMANDS = tuple(subclasses(Command))
EVENTS = tuple(subclasses(Event))
MESSAGES = (*COMMANDS, *EVENTS)


def names(messages: tuple[type[msgspec.Struct], ...], spec: ServiceSpec) -> set[str]:
    """Return the names below a service's prefix, version left off."""
    parts = (tag_of(message).split(".") for message in messages)
    return {name for service, name, _version in parts if service == spec.name}


def in_words(class_name: str) -> str:
    """Return a class name as the manifest spells it: ``LogIn`` is ``log_in``."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", class_name).lower()


def test_all_messages_are_discovered() -> None:
    declared = sum(len(spec.commands) + len(spec.events) for spec in SPECS)
    assert len(MESSAGES) >= declared > 50


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_commands_of_manifest_and_contracts_agree(spec: ServiceSpec) -> None:
    assert names(COMMANDS, spec) == set(spec.commands)


def test_the_questions_to_the_inspector_are_those_of_the_manifest_and_carry_nothing() -> None:
    asked = {tag_of(message).split(".")[1]: message for message in COMMANDS if tag_of(message).startswith(INSPECTOR)}
    assert set(asked) == set(INSPECTOR_COMMANDS)
    assert [message for message in asked.values() if message.__struct_fields__] == []


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_events_of_manifest_and_contracts_agree(spec: ServiceSpec) -> None:
    assert names(EVENTS, spec) == set(spec.events)


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_a_service_hears_and_asks_only_what_another_one_offers(spec: ServiceSpec) -> None:
    events = {f"{other.name}.{event}" for other in SPECS if other is not spec for event in other.events}
    commands = {f"{other.name}.{command}" for other in SPECS if other is not spec for command in other.commands}
    assert set(spec.hears) <= events
    assert set(spec.asks) <= commands


@pytest.mark.parametrize("message", MESSAGES, ids=tag_of)
def test_a_message_is_tagged_with_service_name_and_version(message: type[msgspec.Struct]) -> None:
    assert TAG.fullmatch(tag_of(message))
    service, name, _version = tag_of(message).split(".")
    if message.__module__ not in {health.__name__, holds.__name__}:
        module = message.__module__.removeprefix("alphintra.contracts.")
        assert PARTS.get(module, module) == service
        assert in_words(message.__name__) == name


def test_no_two_messages_share_a_tag_or_a_subject_of_one_version() -> None:
    tags = Counter(tag_of(message) for message in MESSAGES)
    assert [tag for tag, count in tags.items() if count > 1] == []
    assert len({(subject_of(m), tag_of(m).rpartition(".")[2]) for m in MESSAGES}) == len(MESSAGES)


@pytest.mark.parametrize("command", COMMANDS, ids=tag_of)
def test_a_command_is_frozen_refuses_unknown_fields_and_names_its_reply(command: type[Command[msgspec.Struct]]) -> None:
    assert command.__struct_config__.frozen
    assert command.__struct_config__.forbid_unknown_fields
    assert isinstance(reply_type(command), type)


@pytest.mark.parametrize("event", EVENTS, ids=tag_of)
def test_an_event_is_frozen_and_tolerates_fields_of_a_later_version(event: type[Event]) -> None:
    assert event.__struct_config__.frozen
    assert not event.__struct_config__.forbid_unknown_fields
