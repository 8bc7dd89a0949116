"""The catalogue is whole: every probe says what it means, how to close it and where it may stay open."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from string import Formatter

import pytest

from alphintra.dataplane.attack.accepted import FOREIGN, ONE_ROLE, REFUSALS, UNAVOIDABLE, Pair, Standing, accept
from alphintra.dataplane.attack.ground import Ground, Property, Relation, names_of, targets_of
from alphintra.dataplane.attack.model import Attack, Floor, Level, Place
from alphintra.dataplane.attack.probes import CATALOGUE
from alphintra.dataplane.layouts import Placement
from alphintra.dataplane.matrix import Outcome
from alphintra.dataplane.server import Server
from alphintra.kernel.errors import AlphintraError

PROMISED = 125
RISK = Placement(service="risk", database="alphintra_risk")
TRADING = Placement(service="trading", database="alphintra_trading")
TABLE = Relation(schema="s", name="outbox", oid=16400, columns=("a",))
AUDIT = replace(TABLE, name="audit_events")
BY_NAME = {attack.name: attack for attack in CATALOGUE}
FAR = Pair(shares_instance=False, shares_database=False, shares_role=False, standing=Standing.OURS, level=Level.STRICT)
NEAR = replace(FAR, shares_instance=True)
TOGETHER = replace(NEAR, shares_database=True)


def ground() -> Ground:
    properties = {
        item.service: Property(
            placement=item,
            tables=(TABLE, AUDIT),
            sequences=(TABLE,),
            functions=("select 1",),
            definers=("select 1",),
            schema_oid=1,
            foreign_servers=("x",),
            statements="s",
            dblink="d",
        )
        for item in (RISK, TRADING)
    }
    server = Server(admin_url="postgresql://postgres@/postgres", host="127.0.0.1", port=1)
    roles = {name: 1 for item in (RISK, TRADING) for name in (*item.login_roles, item.owner_role)}
    return Ground(
        server=server,
        roles={**roles, "postgres": 10, "pg_monitor": 11},
        superusers=("postgres",),
        connection_limits={},
        connections_max=100,
        has_superuser=True,
        databases={},
        properties=properties,
    )


def test_there_are_more_probes_than_promised_and_no_name_twice() -> None:
    counts = Counter(attack.name for attack in CATALOGUE)
    assert len(counts) >= PROMISED
    assert max(counts.values()) == 1
    assert all(re.fullmatch(r"[a-z_]+\.[a-z0-9_]+", name) for name in counts)


def test_no_two_probes_try_the_same_statement_at_the_same_place() -> None:
    tried = Counter((attack.sql, attack.place) for attack in CATALOGUE if attack.sql)
    twice = {sql for (sql, _), count in tried.items() if count > 1}
    assert twice == {"{call}", "set local role {any_role}"}, "told apart by what they are tried on"


@pytest.mark.parametrize("attack", CATALOGUE, ids=lambda attack: attack.name)
def test_every_probe_says_what_it_means_and_can_be_tried(attack: Attack) -> None:
    assert len(attack.means) > 20
    assert len(attack.close) > 20
    assert bool(attack.sql) != (attack.tactic is not None)
    grounds = {"main": ground()}
    names = names_of(grounds, TRADING, RISK, decoy_pid=7, token="probe_x")
    victim = TRADING if attack.place is Place.SELF else RISK
    targets = targets_of(attack.each, grounds, TRADING, victim)
    assert targets
    wanted = {field for _, field, _, _ in Formatter().parse(attack.sql) if field}
    assert wanted <= set(names) | set(targets[0])


def test_a_probe_on_each_of_nothing_is_an_error() -> None:
    with pytest.raises(AlphintraError, match="PROBE_TARGET"):
        targets_of("galaxy", {"main": ground()}, TRADING, RISK)


def test_what_cannot_be_closed_is_accepted_with_a_reason_and_nothing_else_is() -> None:
    unclosable = {attack.name for attack in CATALOGUE if attack.floor is not Floor.NONE}
    assert set(UNAVOIDABLE) == unclosable
    assert {*FOREIGN, *REFUSALS} <= set(BY_NAME)


def test_acceptance_ends_where_the_floor_ends() -> None:
    assert accept(BY_NAME["own_role.password"], FAR)
    assert accept(BY_NAME["names.regrole"], NEAR)
    assert not accept(BY_NAME["names.regrole"], FAR)
    assert accept(BY_NAME["messages.listen"], TOGETHER)
    assert not accept(BY_NAME["messages.listen"], NEAR)


def test_a_level_accepts_what_a_higher_one_closes_and_no_more() -> None:
    roles, door = BY_NAME["names.pg_roles"], BY_NAME["connect.victim_database"]
    hardened, usual = replace(NEAR, level=Level.HARDENED), replace(NEAR, level=Level.USUAL)
    assert [bool(accept(roles, pair)) for pair in (NEAR, hardened, usual)] == [False, True, True]
    assert [bool(accept(door, pair)) for pair in (NEAR, hardened, usual)] == [False, False, True]
    assert not accept(BY_NAME["data.read"], usual)


def test_one_role_for_two_services_accepts_what_a_role_has_and_no_server_file() -> None:
    shared = replace(TOGETHER, shares_role=True)
    assert accept(BY_NAME["data.read"], shared) == ONE_ROLE
    assert not accept(BY_NAME["data.truncate"], shared)
    assert not accept(BY_NAME["files.copy_to_program"], shared)


def test_who_runs_the_server_decides_what_is_ours_to_close() -> None:
    catalogue, door, block = BY_NAME["names.pg_roles"], BY_NAME["connect.postgres"], BY_NAME["code.do_block"]
    foreign = replace(NEAR, standing=Standing.FOREIGN)
    powerless = replace(NEAR, standing=Standing.UNPRIVILEGED)
    assert [bool(accept(catalogue, pair)) for pair in (foreign, powerless)] == [False, True]
    assert [bool(accept(door, pair)) for pair in (NEAR, foreign, powerless)] == [False, True, True]
    assert [bool(accept(block, pair)) for pair in (foreign, powerless)] == [False, True]
    assert not accept(BY_NAME["data.read"], powerless)


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        ("42501", Outcome.DENIED),
        ("28000", Outcome.DENIED),
        ("23502", Outcome.ALLOWED),
        ("55P03", Outcome.ALLOWED),
        ("57014", Outcome.ERROR),
        ("42601", Outcome.ERROR),
        ("28P01", Outcome.ERROR),
        ("42P01", Outcome.ERROR),
        ("", Outcome.ERROR),
    ],
)
def test_only_a_refusal_is_denied_and_an_answer_that_proves_nothing_is_an_error(code: str, outcome: Outcome) -> None:
    assert BY_NAME["data.insert"].judge_refusal(code, "said so").outcome is outcome


@pytest.mark.parametrize(
    ("value", "outcome"),
    [
        (None, Outcome.DENIED),
        ("", Outcome.DENIED),
        (0, Outcome.DENIED),
        (False, Outcome.DENIED),
        ("risk", Outcome.LEAKS),
    ],
)
def test_a_view_that_shows_nothing_of_the_other_leaks_nothing(value: object, outcome: Outcome) -> None:
    assert BY_NAME["names.pg_roles"].judge_value(value).outcome is outcome
