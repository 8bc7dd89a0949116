"""The inspector: whom it answers, what it keeps where looking fails, and when it is wanted."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from alphintra.contracts.inspector import AuditsView, Reach
from alphintra.dataplane.layouts import LayoutChoice, LayoutName, choose_layout
from alphintra.dataplane.matrix import Cell, Outcome, Probe
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.messages import Actor, Context
from alphintra.runtime.bell import Bell, bell_path
from alphintra.runtime.home import Home
from alphintra.runtime.inspector.access import reach_of
from alphintra.runtime.inspector.keeper import Looked, require_operator

AT = datetime(2026, 3, 2, 14, 30, tzinfo=UTC)
SEPARATE = {each.service: each for each in choose_layout(LayoutChoice())}
CENTRAL = {each.service: each for each in choose_layout(LayoutChoice(name=LayoutName.CENTRAL, has_shared_role=True))}


def tried(outcome: Outcome, *, may: bool = False) -> Probe:
    return Probe(name="read", may=may, outcome=outcome)


def reach(user: str, target: str, *probes: Probe, is_shared: bool = False) -> Reach:
    places = CENTRAL if is_shared else SEPARATE
    return reach_of(Cell(user=user, target=target, probes=probes), places[user], places[target])


def is_answered(*roles: str) -> bool:
    try:
        require_operator(Context(trace_id="1", actor=Actor(id="operator", roles=roles)))
    except AlphintraError:
        return False
    return True


@pytest.mark.parametrize("roles", [("owner",), ("operator",), ("viewer", "operator")])
def test_owners_and_operators_are_answered(roles: tuple[str, ...]) -> None:
    assert is_answered(*roles)


@pytest.mark.parametrize("roles", [("trader",), ("viewer",), ()])
def test_whoever_else_comes_through_is_refused_by_role(roles: tuple[str, ...]) -> None:
    with pytest.raises(AlphintraError, match=f"yours is {roles[0] if roles else 'none'}") as refused:
        require_operator(Context(trace_id="1", actor=Actor(id="service:edge", roles=roles)))
    assert (refused.value.code, refused.value.kind) == ("AUTH_ROLE", Kind.FORBIDDEN)


def test_what_got_through_undeclared_is_reachable_whatever_else_was_denied() -> None:
    assert reach("user", "risk", tried(Outcome.DENIED), tried(Outcome.ALLOWED)) is Reach.REACHABLE
    assert reach("user", "risk", tried(Outcome.ERROR), tried(Outcome.ALLOWED)) is Reach.REACHABLE


def test_a_refusal_proves_and_an_error_or_no_try_does_not() -> None:
    assert reach("user", "risk", tried(Outcome.DENIED)) is Reach.DENIED
    assert reach("user", "risk", tried(Outcome.DENIED), tried(Outcome.ERROR)) is Reach.UNPROVEN
    assert reach("user", "risk") is Reach.UNPROVEN


def test_own_data_is_own_only_if_it_is_reached() -> None:
    assert reach("risk", "risk", tried(Outcome.ALLOWED, may=True)) is Reach.OWN
    assert reach("risk", "risk", tried(Outcome.DENIED, may=True)) is Reach.UNPROVEN


def test_one_role_for_two_services_is_called_shared_and_not_denied() -> None:
    assert reach("user", "risk", tried(Outcome.ALLOWED, may=True), is_shared=True) is Reach.SHARED


async def test_what_was_seen_last_stands_where_looking_fails_and_says_so() -> None:
    failures: list[AlphintraError] = []

    async def look(*, at: datetime) -> AuditsView:
        if failures:
            raise failures[0]
        return AuditsView(at=at, audits=())

    looked = Looked(look, clock=lambda: AT, believed_s=0.0)
    assert await looked.view() == AuditsView(at=AT, audits=())
    failures.append(AlphintraError("TOPOLOGY_CONNECT", "the server is away", kind=Kind.UNAVAILABLE))
    assert await looked.view() == AuditsView(at=AT, audits=(), problem="TOPOLOGY_CONNECT: the server is away")
    failures.clear()
    assert (await looked.view()).problem == ""


async def test_what_was_never_seen_is_told_as_the_failure_it_is() -> None:
    async def look(*, at: datetime) -> AuditsView:
        raise AlphintraError("TOPOLOGY_CONNECT", f"away at {at}", kind=Kind.UNAVAILABLE)

    with pytest.raises(AlphintraError, match="TOPOLOGY_CONNECT"):
        await Looked(look, clock=lambda: AT, believed_s=60.0).view()


async def test_questions_in_a_row_look_once() -> None:
    count = 0

    async def look(*, at: datetime) -> AuditsView:
        nonlocal count
        count += 1
        return AuditsView(at=at, audits=())

    looked = Looked(look, clock=lambda: AT, believed_s=60.0)
    for _ in range(3):
        await looked.view()
    assert count == 1


def test_the_bell_wakes_once_for_each_ring_and_when_its_time_has_come(tmp_path: Path) -> None:
    home = Home.open(tmp_path / "home")
    bell = Bell(home, first_after_s=3600.0, every_s=3600.0)
    assert not bell.is_rung()
    bell_path(home).touch()
    assert bell.is_rung()
    assert not bell.is_rung()
    due = Bell(home, first_after_s=0.0, every_s=3600.0)
    assert due.is_rung()
    assert not due.is_rung()
