"""Messages: their tags, subjects and replies, and the plain amounts of views."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from types import ModuleType
from typing import Any, TypeVar

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
    nocode,
    notification,
    order_checks,
    order_reports,
    orders,
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
    user,
)
from alphintra.kernel import health
from alphintra.kernel.clock import require_utc
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.health import HEALTH_COMMANDS, HealthView
from alphintra.kernel.holds import HOLD_EVENTS
from alphintra.kernel.messages import Command, Event, View, reply_type, subject_of, tag_of
from alphintra.manifest import SERVICES

M = TypeVar("M", bound=msgspec.Struct)
CONTRACTS = (auth, broker, nocode, notification, risk, strategy, trading, user)
# For the length of a file.
PARTS: dict[ModuleType, tuple[ModuleType, ...]] = {
    broker: (order_reports,),
    risk: (order_checks, oversight, surveillance),
    strategy: (algorithms, courses, datasets, drift, executions, explanations, previews, samples, sweeps),
    trading: (feed_splits, prices, unclaimed),
}


class Holding(View, frozen=True):
    """An amount and perhaps a price."""

    qty: Decimal
    price: Decimal | None = None
    label: str = "10.000"


def messages_of(module: ModuleType, base: type[M]) -> list[type[M]]:
    """Return the messages a module and its parts declare."""
    return [
        message
        for part in (module, *PARTS.get(module, ()))
        for message in vars(part).values()
        if isinstance(message, type) and issubclass(message, base) and message.__module__ == part.__name__
    ]


@pytest.mark.parametrize("module", CONTRACTS, ids=lambda module: module.__name__.rpartition(".")[2])
def test_the_contracts_of_a_service_are_the_commands_and_events_of_its_manifest(module: ModuleType) -> None:
    service = module.__name__.rpartition(".")[2]
    spec = SERVICES[service]
    commands = {subject_of(message) for message in messages_of(module, Command)}
    events = {subject_of(message) for message in messages_of(module, Event)}
    assert commands | {subject_of(HEALTH_COMMANDS[service])} == {f"{service}.cmd.{name}" for name in spec.commands}
    assert events | {subject_of(HOLD_EVENTS[service])} == {f"{service}.evt.{name}" for name in spec.events}


@pytest.mark.parametrize("module", [*CONTRACTS, health], ids=lambda module: module.__name__.rpartition(".")[2])
def test_every_command_names_a_view_as_its_reply(module: ModuleType) -> None:
    commands: list[type[Command[Any]]] = messages_of(module, Command)
    assert commands
    assert all(issubclass(reply_type(command), View) for command in commands)


def test_tag_and_subject_of_a_command_and_of_an_event() -> None:
    assert tag_of(trading.SubmitOrder) == "trading.submit_order.v1"
    assert subject_of(trading.SubmitOrder) == "trading.cmd.submit_order"
    assert subject_of(trading.FillBooked) == "trading.evt.fill_booked"
    assert reply_type(trading.SubmitOrder) is orders.OrderView
    assert reply_type(HEALTH_COMMANDS["risk"]) is HealthView


def test_a_view_shows_amounts_plainly_however_they_came() -> None:
    made = Holding(qty=Decimal("10.000000000"), price=Decimal("1E+2"))
    decoded = msgspec.json.decode(b'{"qty":"10.000000000","price":"100.0"}', type=Holding)
    for view in (made, decoded):
        assert (str(view.qty), str(view.price), view.label) == ("10", "100", "10.000")
    assert Holding(qty=Decimal("0E-9")).price is None


def test_a_command_with_an_unknown_field_is_refused_and_an_event_with_one_is_read() -> None:
    with pytest.raises(msgspec.ValidationError, match="quantty"):
        msgspec.json.decode(
            b'{"message":"trading.get_order.v1","order_id":"00000000-0000-0000-0000-000000000001","quantty":1}',
            type=trading.GetOrder,
        )
    event = msgspec.json.decode(
        b'{"message":"broker.order_expired.v1","order_id":"00000000-0000-0000-0000-000000000001","later":1}',
        type=broker.OrderExpired,
    )
    assert event.order_id.int == 1


def test_another_command_under_the_same_subject_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(b'{"message":"trading.get_account.v1","order_id":"x"}', type=trading.GetOrder)


def test_a_failure_survives_the_way_out_of_a_worker_process() -> None:
    error = AlphintraError("QTY_NOT_POSITIVE", "write more", kind=Kind.CONFLICT, pointer="/qty")
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert (copy.code, copy.detail, copy.kind, copy.pointer) == (error.code, error.detail, error.kind, error.pointer)
    assert str(copy) == "QTY_NOT_POSITIVE: write more"


def test_time_without_zone_or_in_another_zone_is_refused() -> None:
    naive = datetime(2026, 1, 31, 9, 30)  # noqa: DTZ001 - the fault under test
    elsewhere = datetime(2026, 1, 31, 9, 30, tzinfo=timezone(timedelta(hours=2)))
    for bad in (naive, elsewhere):
        with pytest.raises(AlphintraError) as caught:
            require_utc(bad, pointer="/at")
        assert (caught.value.code, caught.value.pointer) == ("TIME_NO_ZONE", "/at")
    good = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)
    assert require_utc(good) is good
