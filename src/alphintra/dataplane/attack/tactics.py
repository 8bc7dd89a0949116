"""Probes that take more than one statement: ways in, messages between sessions, ended sessions."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from alphintra.dataplane.attack.connections import FAILURES, Session, close, code_of, connect, text_of
from alphintra.dataplane.attack.model import Answer, Attack, Place
from alphintra.dataplane.matrix import Outcome
from alphintra.dataplane.quoting import identifier, literal

if TYPE_CHECKING:
    from alphintra.dataplane.attack.raid import Raider
    from alphintra.dataplane.layouts import Placement

__all__ = [
    "as_superuser",
    "as_victim",
    "compare_refusals",
    "count_sessions",
    "end_session",
    "enter_other_databases",
    "enter_physically",
    "enter_system_database",
    "enter_template",
    "enter_victim",
    "forge_message",
    "hold_prepared",
    "hold_snapshot",
    "overhear",
    "start_with_superuser_settings",
    "tell_names_apart",
]

_WRONG_PASSWORD: Final = "28P01"  # noqa: S105 - an SQLSTATE
_HEAR_TIMEOUT_S: Final = 2.0
_ROOM_SHARE: Final = 0.5  # a role that can take half of an instance's sessions starves the others


async def enter_victim(raider: Raider, attack: Attack, victim: Placement) -> Answer:
    """Log in at the victim's database."""
    del attack
    found = await raider.session(Place.DATABASE, victim)
    return found if isinstance(found, Answer) else Answer(outcome=Outcome.ALLOWED, text="connected")


async def enter_system_database(raider: Raider, attack: Attack, victim: Placement) -> Answer:
    """Log in at ``postgres`` on the victim's instance."""
    return await _enter(raider, attack, victim, "postgres")


async def enter_template(raider: Raider, attack: Attack, victim: Placement) -> Answer:
    """Log in at ``template1`` on the victim's instance."""
    return await _enter(raider, attack, victim, "template1")


async def enter_other_databases(raider: Raider, attack: Attack, victim: Placement) -> Answer:
    """Log in at each database of the victim's instance that no service of the layout lives in."""
    town = raider.town
    ours = {item.database for item in town.layout if item.instance == victim.instance}
    others = [name for name in town.grounds[victim.instance].databases if name not in {*ours, "postgres", "template1"}]
    if not others:
        return Answer(outcome=Outcome.DENIED, text="the instance has no other database")
    answers = [await _enter(raider, attack, victim, name) for name in others]
    return next((answer for answer in answers if answer.outcome is not Outcome.DENIED), answers[0])


async def enter_physically(raider: Raider, attack: Attack, victim: Placement) -> Answer:
    """Open a replication connection at the victim's instance, which could copy all of it."""
    return await _enter(raider, attack, victim, "", settings={"replication": "true"})


async def start_with_superuser_settings(raider: Raider, attack: Attack, victim: Placement) -> Answer:
    """Ask for a library to be loaded at the start of a session of one's own."""
    del victim
    own = raider.attacker
    return await _enter(raider, attack, own, own.database, settings={"session_preload_libraries": "nothing"})


async def as_victim(raider: Raider, attack: Attack, victim: Placement) -> Answer:
    """Log in as each role of the victim with the attacker's own password."""
    answers = [
        _no_key(await _enter(raider, attack, victim, victim.database, role=role))
        for role in victim.login_roles
        if role in raider.town.grounds[victim.instance].roles and role != raider.attacker.service_role
    ]
    return next((answer for answer in answers if answer.outcome is not Outcome.DENIED), _first(answers))


async def as_superuser(raider: Raider, attack: Attack, victim: Placement) -> Answer:
    """Log in as each superuser with the attacker's own password."""
    superusers = raider.town.grounds[victim.instance].superusers
    answers = [_no_key(await _enter(raider, attack, victim, victim.database, role=role)) for role in superusers]
    return next((answer for answer in answers if answer.outcome is not Outcome.DENIED), _first(answers))


async def compare_refusals(raider: Raider, attack: Attack, victim: Placement) -> Answer:
    """Compare how the victim's database is refused with how one that does not exist is."""
    if raider.attacker.database == victim.database and raider.attacker.instance == victim.instance:
        return Answer(outcome=Outcome.DENIED, text="both live in one database: there is no name to find out")
    missing = f"{victim.database}_{raider.town.token}"[:63]
    real = await _enter(raider, attack, victim, victim.database)
    unreal = await _enter(raider, attack, victim, missing)
    if real.outcome is attack.open_outcome:
        return real
    if real.code == unreal.code and real.text.replace(victim.database, missing) == unreal.text:
        return Answer(outcome=Outcome.DENIED, code=real.code, text=f"both are refused alike: {real.text}")
    return Answer(outcome=attack.open_outcome, code=real.code, text=f"{real.text}; but: {unreal.text}")


async def tell_names_apart(raider: Raider, attack: Attack, victim: Placement) -> Answer:
    """Compare how PostgreSQL refuses to change the victim's role or database with one that does not exist."""
    session = await raider.session(Place.INSTANCE, victim)
    if isinstance(session, Answer):
        return session
    missing = raider.town.token
    pairs = (
        ("alter role {} connection limit 1", victim.service_role),
        ("set local role {}", victim.service_role),
        ("comment on database {} is null", victim.database),
    )
    texts = []
    for sql, name in pairs:
        real = await raider.attempt(session, attack, sql.format(identifier(name)))
        unreal = await raider.attempt(session, attack, sql.format(identifier(missing)))
        if real.text.replace(name, missing) != unreal.text:
            return Answer(outcome=attack.open_outcome, code=real.code, text=f"{real.text}; but: {unreal.text}")
        texts.append(real.text)
    return Answer(outcome=Outcome.DENIED, text=f"refused alike: {texts[0]}")


async def count_sessions(raider: Raider, attack: Attack, victim: Placement) -> Answer:
    """Read from the administrator how many sessions the role may hold: trying it would starve a live service."""
    ground = raider.town.grounds[victim.instance]
    role = raider.attacker.service_role
    if role not in ground.roles:
        return Answer(outcome=Outcome.DENIED, text="the instance does not know the role")
    limit = ground.connection_limits[role]
    room = ground.connections_max
    is_open = limit < 0 or limit > room * _ROOM_SHARE
    said = "no limit" if limit < 0 else f"a limit of {limit}"
    return Answer(
        outcome=attack.open_outcome if is_open else Outcome.DENIED,
        text=f"the role has {said} of sessions, the instance room for {room} (read by the administrator, not tried)",
    )


async def end_session(raider: Raider, attack: Attack, victim: Placement) -> Answer:
    """Try to end a session that logs in as the victim for this alone."""
    session = await raider.session(Place.INSTANCE, victim)
    if isinstance(session, Answer):
        return session
    town = raider.town
    role = victim.service_role
    decoy = await connect(town.server_of(victim), role=role, password=town.passwords(role), database=victim.database)
    try:
        sql = f"select pg_catalog.pg_terminate_backend({decoy.get_server_pid()})"
        return await raider.attempt(session, attack, sql)
    finally:
        await close(decoy)


async def overhear(raider: Raider, attack: Attack, victim: Placement) -> Answer:
    """Listen on a channel of this run, and let a session of the victim speak on it."""
    session = await raider.session(Place.DATABASE, victim)
    if isinstance(session, Answer):
        return session
    town = raider.town
    channel = f"{town.token}_{raider.attacker.service}_{victim.service}"[:63]
    heard: asyncio.Queue[str] = asyncio.Queue(maxsize=1)
    speaker = await connect(
        town.server_of(victim),
        role=victim.service_role,
        password=town.passwords(victim.service_role),
        database=victim.database,
    )

    def hear(*said: object) -> None:
        heard.put_nowait(str(said[-1]))

    try:
        await session.connection.add_listener(channel, hear)
        await speaker.execute(f"notify {identifier(channel)}, {literal('secret of ' + victim.service)}")
        text = await asyncio.wait_for(heard.get(), _HEAR_TIMEOUT_S)
    except FAILURES as error:
        return attack.judge_refusal(code_of(error), text_of(error))
    finally:
        await close(speaker)
        await session.connection.remove_listener(channel, hear)
    return Answer(outcome=attack.open_outcome, text=f"heard: {text}")


async def forge_message(raider: Raider, attack: Attack, victim: Placement) -> Answer:
    """Speak on a channel in the victim's database; rolled back, so that nobody hears it."""
    session = await raider.session(Place.DATABASE, victim)
    if isinstance(session, Answer):
        return session
    return await raider.attempt(session, attack, f"notify {identifier(raider.town.token)}, 'probe'")


async def hold_snapshot(raider: Raider, attack: Attack, victim: Placement) -> Answer:
    """Begin a transaction in the victim's database that may stay open; rolled back at once."""
    session = await raider.session(Place.DATABASE, victim)
    if isinstance(session, Answer):
        return session
    sql = (
        "set transaction isolation level repeatable read; set local idle_in_transaction_session_timeout = 0; "
        "set local statement_timeout = 0; select 1"
    )
    return await raider.attempt(session, attack, sql)


async def hold_prepared(raider: Raider, attack: Attack, victim: Placement) -> Answer:
    """Prepare an empty transaction and roll it back by name."""
    session = await raider.session(Place.SELF, victim)
    if isinstance(session, Answer):
        return session
    name = literal(f"{raider.town.token}_{raider.attacker.service}")
    connection = session.connection
    try:
        await connection.execute("begin")
        await connection.execute(f"prepare transaction {name}")
        await connection.execute(f"rollback prepared {name}")
    except FAILURES as error:
        code = code_of(error)
        await connection.execute("rollback")
        outcome = Outcome.DENIED if code in {"55000", "42501"} else Outcome.ERROR
        return Answer(outcome=outcome, code=code, text=text_of(error))
    return Answer(outcome=attack.open_outcome, text="prepared a transaction, and rolled it back")


async def _enter(
    raider: Raider,
    attack: Attack,
    where: Placement,
    database: str,
    *,
    role: str = "",
    settings: dict[str, str] | None = None,
) -> Answer:
    found = await raider.enter(where, database, role=role, settings=settings)
    if isinstance(found, Session):
        await close(found.connection)
        return Answer(outcome=attack.open_outcome, text=f"connected to {database or 'the log'}")
    return attack.judge_refusal(found.code, found.text) if found.code in attack.proofs else found


def _no_key(answer: Answer) -> Answer:
    """Take a wrong password for what it is here: the refusal that was asked for."""
    return replace(answer, outcome=Outcome.DENIED) if answer.code == _WRONG_PASSWORD else answer


def _first(answers: list[Answer]) -> Answer:
    return answers[0] if answers else Answer(outcome=Outcome.DENIED, text="there is no such role")
